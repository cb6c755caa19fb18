//! Every limit of the client, in one place.

use std::time::Duration;

/// Largest response head, bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Buffers of one connection, bytes each.
pub(super) const BUFFER_BYTES: usize = 16 * 1024;
/// Longest wait that a server may ask for; more is cut down to this.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);
/// Granularity at which a partial artifact is remembered, bytes.
pub const BLOCK_BYTES: u64 = lapwing_coap::UNIT_BYTES as u64;
/// Most that a request for a block and its answer take at the IP layer, bytes.
pub const BLOCK_AIR_BYTES: u64 = 1_280 + 128;
/// Most that a connection is expected to take before and beside the bytes it is for, TLS included.
pub const CONNECTION_AIR_BYTES: u64 = 6 * 1024;
/// Servers one client may be given.
pub const SERVERS_MAX: usize = 8;
/// Longest server address, bytes.
pub const SERVER_URL_BYTES_MAX: usize = 256;
/// Certificates of a chain that are looked at.
pub(super) const CHAIN_CERTIFICATES_MAX: usize = 4;
/// Datagrams looked at in one turn of somebody who listens.
pub(super) const CALLS_AT_ONCE_MAX: usize = 16;
/// Longest time for which a server may promise to call, and shortest.
pub(super) const LISTENING: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(86_400);
/// How long a broker may hear nothing of a device, seconds.
#[cfg(feature = "mqtt")]
pub(super) const BROKER_KEEP_ALIVE_S: u16 = 900;
/// Bytes of a broker that are looked at in one turn.
#[cfg(feature = "mqtt")]
pub(super) const BROKER_BYTES_PER_TURN_MAX: usize = 4096;
/// After this the first server of a list is tried again before the one that last answered.
pub(super) const BACK_TO_FIRST: Duration = Duration::from_secs(3_600);
/// Longest wait for a connection, whatever the settings say.
pub(super) const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(600);
