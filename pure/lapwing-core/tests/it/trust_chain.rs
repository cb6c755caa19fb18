//! The whole chain in order: root, next root, delegation, release, status, offer.
//!
//! Touches: `fleet.rs`. What must not open is in `hostile/`.

use crate::fleet::{
    NONCE, answered, at_large, device, key, production_root, sign_n, sign1, small_anchor, small_offer,
    small_release, small_status,
};
use lapwing_core::envelope::Kind;
use lapwing_core::{Digest, OpenError, TrustAnchor};

#[test]
fn what_the_right_keys_signed_opens_and_says_what_was_signed() {
    let anchor = small_anchor();
    let device = device();

    let release_bytes = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    let release = anchor.open_release(&release_bytes).unwrap();
    assert_eq!(*release, small_release());
    assert_eq!(release.envelope(), Digest::of(&release_bytes));

    let status = sign1(&answered(Kind::Status, &device), &small_status(), "online-a");
    let (status, by) = anchor.open_status(&status, &device, NONCE).unwrap();
    assert_eq!((*status, by), (small_status(), key("online-a").public.id()));

    let offer_bytes = sign1(&answered(Kind::Offer, &device), &small_offer(&release_bytes), "online-a");
    let (offer, _) = anchor.open_offer(&offer_bytes, &device, NONCE).unwrap();
    assert_eq!(offer.release, release.envelope());
    assert_eq!(*offer, small_offer(&release_bytes));
}

#[test]
fn two_of_three_open_in_any_pair_and_never_alone() {
    let root = sign_n(&at_large(Kind::Root), &production_root(), &["root-a", "root-c"]);
    let anchor = TrustAnchor::provisioned(&root).unwrap();
    let open = |signers: &[&str]| {
        let bytes = sign_n(&at_large(Kind::Release), &small_release(), signers);
        anchor.open_release(&bytes).map(|_| ())
    };
    for pair in [["release-a", "release-b"], ["release-c", "release-a"], ["release-b", "release-c"]] {
        assert_eq!(open(&pair), Ok(()));
    }
    let too_few = OpenError::Threshold { valid: 1, needed: 2 };
    assert_eq!(open(&["release-b"]), Err(too_few));
    assert_eq!(open(&["release-b", "release-b"]), Err(too_few));
    assert_eq!(open(&["release-b", "root-a"]), Err(too_few));
}
