//! Every limit of the device brain, in one place.

/// Effects one step may ask for.
pub const EFFECTS_MAX: usize = 6;
/// Events kept until the fleet acknowledges them.
pub const EVENTS_MAX: usize = 24;
/// Outcomes among them. A new attempt waits until there is room for one more.
pub const OUTCOMES_MAX: usize = 4;
/// Wake-up calls that bring a check-in at once, one after the other.
pub const CALLS_MAX: u64 = 8;
/// After that, one brings a check-in this often, milliseconds; as many are saved up while nobody calls.
pub const CALL_REST_MS: u64 = 3_600_000;
/// Releases and artifacts remembered as refused.
pub const REFUSED_MAX: usize = 4;
/// Follow-up check-ins after a confirmed trial.
pub const FOLLOW_UPS: usize = 3;
/// Starts of one trial remembered for the reboot triggers.
pub const BOOTS_MAX: usize = 12;
/// Root documents walked in one session.
pub const ROOT_STEPS_MAX: u8 = 32;
/// Largest encoded record, bytes.
pub const RECORD_BYTES_MAX: usize = 2048;
/// Of a data budget, kept for questions and reports; and reserved for them at a time, bytes.
pub const BUDGET_TALK_BYTES: u64 = 2_048;
/// The least of it that a transfer reserves at a time, bytes: several windows, so that none runs dry.
pub const BUDGET_STEP_BYTES: u64 = 8_192;
/// Artifacts may be larger than their image by a twentieth and this much: a container's frame, bytes.
pub const ARTIFACT_SLACK_BYTES: u64 = 1024;
