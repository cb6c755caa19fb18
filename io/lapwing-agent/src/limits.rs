//! Every limit of the agent, in one place.

/// Largest configuration file, bytes.
pub(crate) const CONFIG_BYTES_MAX: u64 = 64 * 1024;
/// Bytes read, hashed or copied at a time.
pub(crate) const PIECE_BYTES: usize = 16 * 1024;
/// Granularity at which a partial artifact is remembered, bytes.
pub(crate) const BLOCK_BYTES: u64 = lapwing_transport::client::limits::BLOCK_BYTES;
/// Largest artifact: what the delta format can express and a header, bytes.
pub(crate) const ARTIFACT_BYTES_MAX: u64 = 5 << 30;
/// Times at most that an image is flushed while it is applied, but for its end.
pub(crate) const APPLY_CHECKPOINTS_MAX: u64 = 16;
/// Bytes fetched before the loop looks around, so that a slow transfer keeps nobody waiting.
pub(crate) const FETCH_TURN_BYTES: u64 = 256 * 1024;
/// Milliseconds after which it does, however few bytes came.
pub(crate) const FETCH_TURN_MS: u64 = 500;
/// Root documents read from the trust directory, as many as a device may walk in its life.
pub(crate) const ROOT_DOCUMENTS_MAX: u32 = 4096;
/// Largest output of a command that is listened to, bytes.
pub(crate) const COMMAND_OUTPUT_BYTES_MAX: usize = 4096;
/// Words of one command.
pub(crate) const COMMAND_WORDS_MAX: usize = 64;
/// Largest request on the control socket, bytes.
pub(crate) const CONTROL_REQUEST_BYTES_MAX: usize = 64;
/// How long a client of the control socket may take, milliseconds.
pub(crate) const CONTROL_TIMEOUT_MS: u64 = 200;
/// Milliseconds that a child may take to come up, and to end when asked.
pub(crate) const CHILD_PATIENCE_MS: u64 = 5_000;
/// Waits between starts of a child that ends by itself, milliseconds.
pub(crate) const CHILD_DELAY_MS: std::ops::RangeInclusive<u64> = 100..=30_000;
/// A child that lived this long is started again without delay, milliseconds.
pub(crate) const CHILD_RESET_MS: u64 = 10_000;
/// Waits between tries to be called, milliseconds; each time twice as long.
pub(crate) const LISTEN_DELAY_MS: std::ops::RangeInclusive<u64> = 60_000..=3_600_000;
/// Watchdogs of the machine that are asked.
pub(crate) const WATCHDOGS_MAX: usize = 8;
/// Steps of the brain in one turn of the loop; more than any exchange needs.
pub(crate) const STEPS_PER_TURN_MAX: usize = 256;
