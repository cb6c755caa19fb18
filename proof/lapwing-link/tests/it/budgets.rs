//! What a check-in may weigh, to the byte.

use lapwing_link::check_ins;

#[test]
fn every_kind_of_check_in_weighs_what_it_weighed() {
    let weighed: Vec<_> =
        check_ins().iter().map(|one| (one.what, one.datagram_bytes, one.air_bytes)).collect();
    let expected = [
        ("nothing new", [41, 21], 118),
        ("ask with a nonce", [41, 19], 116),
        ("signed status", [52, 106], 214),
        ("offer", [52, 205], 313),
        ("offer with its release", [52, 391], 499),
    ];
    assert_eq!(weighed, expected);
}
