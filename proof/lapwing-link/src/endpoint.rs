//! The two ends of one security context, and plain messages through it.
//!
//! Touches: `lapwing_coap::oscore`. Ids as long as a fleet of sixteen million devices needs them.

use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use lapwing_coap::oscore::{Context, IdContext, Keys, Kid, Master, Replay, Reserve, Sequence};

/// The device's id: three bytes.
pub(crate) const DEVICE_KID: &[u8] = b"\x01\x02\x03";
const SERVER_KID: &[u8] = b"\x01";

/// Numbers of a device that is in its first year: two bytes on the wire, as most of them have for life.
const FIRST_SEQUENCE: u64 = 1_000;

/// A message of any size that may go out.
pub(crate) type Datagram = [u8; DATAGRAM_BYTES_MAX];

pub(crate) const EMPTY_DATAGRAM: Datagram = [0; DATAGRAM_BYTES_MAX];

/// The device's side and the server's.
pub(crate) fn contexts() -> (Context, Context) {
    (side(DEVICE_KID, SERVER_KID), side(SERVER_KID, DEVICE_KID))
}

#[expect(clippy::expect_used, reason = "constants of this file")]
fn side(sender: &[u8], recipient: &[u8]) -> Context {
    let master = Master { secret: &[7; 16], salt: &[], id_context: IdContext::None };
    let kid = |bytes| Kid::new(bytes).expect("a short id");
    let keys = Keys::derive(&master, kid(sender), kid(recipient)).expect("short values");
    let mut sequence = Sequence::resume(FIRST_SEQUENCE);
    // The bench does not cut the power; what reserving costs is a write, not a packet.
    sequence.reserved(Reserve { up_to: u64::MAX });
    Context::new(keys, sequence, Replay::new())
}
