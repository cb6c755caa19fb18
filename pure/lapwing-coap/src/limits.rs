//! Every limit of the crate, in one place.
//!
//! Memory follows from these and from the buffers that callers hand over; there is no heap.

/// Largest packet at the IP layer, bytes: what every IPv6 link must carry.
pub const PACKET_BYTES_MAX: usize = 1280;
/// Largest datagram inside such a packet: without the IPv6 and UDP headers, bytes.
pub const DATAGRAM_BYTES_MAX: usize = PACKET_BYTES_MAX - 48;
/// Longest token, bytes (RFC 7252 section 3).
pub const TOKEN_BYTES_MAX: usize = 8;
/// Longest entity tag, bytes (RFC 7252 section 5.10.6).
pub const ETAG_BYTES_MAX: usize = 8;
/// Highest block number that the option can say (RFC 7959 section 2.2).
pub const BLOCK_NUMBER_MAX: u32 = 0xf_ffff;
/// Longest value of the Echo option, bytes (RFC 9175 section 2.2.1).
pub const ECHO_BYTES_MAX: usize = 40;

/// Requests a fetch may have in flight.
pub const WINDOW_MAX: usize = 32;
/// Requests with which a fetch begins: their answers are no more than the first window of TCP (RFC 6928).
pub const WINDOW_FIRST: u32 = 8;
/// Requests that losses leave it.
pub const WINDOW_LEAST: u32 = 4;
/// Blocks that must have come after a request of theirs before an earlier one counts as lost.
pub const LATER_BLOCKS: u32 = 3;
/// Requests after which the loss of a link is judged.
pub const JUDGED_REQUESTS: u32 = 64;
/// Timers that may run out in silence, and answers that may be unusable, in a row, before a link counts as gone.
pub const FRUITLESS_MAX: u32 = 8;

/// Retransmissions of one confirmable message (RFC 7252 section 4.8).
pub const RETRANSMITS_MAX: u8 = 4;
/// How long a peer may repeat a message, milliseconds (EXCHANGE_LIFETIME, RFC 7252 section 4.8.2).
pub const EXCHANGE_LIFETIME_MS: u64 = 247_000;
/// Largest answer that is kept for a repeated request, bytes: any.
pub const KEPT_ANSWER_BYTES_MAX: usize = DATAGRAM_BYTES_MAX;
/// Shortest and longest retransmission timer, milliseconds.
pub const TIMER_MS_MIN: u64 = 500;
/// See [`TIMER_MS_MIN`].
pub const TIMER_MS_MAX: u64 = 60_000;

/// Longest sender or recipient id of a security context, bytes (nonce length less six, RFC 8613 section 3.3).
pub const KID_BYTES_MAX: usize = 7;
/// Longest id context, bytes.
pub const ID_CONTEXT_BYTES_MAX: usize = 16;
/// Longest master secret and salt, bytes.
pub const MASTER_BYTES_MAX: usize = 32;
/// Highest sequence number of a security context (40 bits, RFC 8613 section 7.2.1).
pub const SEQUENCE_MAX: u64 = (1 << 40) - 1;
/// Sequence numbers that may arrive out of order.
pub const REPLAY_WINDOW: u64 = 64;

/// How old an Echo value may be, milliseconds.
pub const ECHO_AGE_MS_MAX: u64 = 60_000;
