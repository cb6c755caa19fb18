//! What a check-in may weigh: what CoAP and OSCORE add, to the byte, and the goals of the whole.

use lapwing_link::{CheckIn, check_ins};

/// CoAP header, OSCORE option with a number of two bytes and an id of three, code, markers, tag.
const QUESTION_ADDS_BYTES: usize = 22;
/// The same without number and id.
const ANSWER_ADDS_BYTES: usize = 16;

#[test]
fn sealing_adds_what_it_must_to_every_kind_of_check_in() {
    for CheckIn { what, message_bytes: [asked, answered], datagram_bytes, .. } in check_ins() {
        assert_eq!(datagram_bytes, [asked + QUESTION_ADDS_BYTES, answered + ANSWER_ADDS_BYTES], "{what}");
    }
}

#[test]
fn check_ins_stay_within_their_goals() {
    let of = |what| check_ins().into_iter().find(|one| one.what == what).unwrap();
    assert!(of("nothing new").air_bytes <= 120);
    assert!(of("signed status").datagram_bytes[1] <= 110);
    assert!(of("offer with its release").datagram_bytes[1] <= 480);
}
