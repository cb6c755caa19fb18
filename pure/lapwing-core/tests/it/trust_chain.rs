//! The whole chain in order: root, next root, delegation, release, status, offer.
//!
//! Touches: `fleet.rs`. What must not open is in `hostile/`.

use crate::fleet::{
    NONCE, NOW, answered, at_large, device, key, production_root, role, sign_n, sign1, small_anchor,
    small_delegation, small_offer, small_release, small_root, small_status,
};
use lapwing_core::envelope::Kind;
use lapwing_core::trust::{Delegation, Root};
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

/// A root document signed by `signers` that follows `before`, changed by `change`.
fn next_root(before: &Root, signers: &[&str], change: impl FnOnce(&mut Root)) -> Vec<u8> {
    let mut next = Root { version: before.version + 1, ..before.clone() };
    change(&mut next);
    sign_n(&at_large(Kind::Root), &next, signers)
}

fn delegation(version: u32, signer: &str) -> Vec<u8> {
    sign1(&at_large(Kind::Delegation), &Delegation { version, ..small_delegation() }, signer)
}

#[test]
fn a_new_root_does_not_bring_back_a_replaced_delegation() {
    let anchor = small_anchor().delegate(&delegation(7, "delegator-a")).unwrap();
    let root = next_root(&small_root(), &["root-a"], |_| {});
    let anchor = anchor.advance(&root).unwrap();
    assert_eq!(anchor.delegation_version(), 7);
    assert_eq!(anchor.delegate(&delegation(6, "delegator-a")), Err(OpenError::Superseded));
    assert_eq!(anchor.delegate(&delegation(7, "delegator-a")).as_ref(), Ok(&anchor));
}

#[test]
fn a_root_without_a_delegator_takes_back_what_that_one_delegated() {
    let anchor = small_anchor().delegate(&delegation(u32::MAX, "delegator-a")).unwrap();
    let root = next_root(&small_root(), &["root-a"], |root| root.keys[2] = key("delegator-b").public);
    let anchor = anchor.advance(&root).unwrap();
    assert_eq!(anchor.delegation(), None);
    assert_eq!(anchor.delegate(&delegation(1, "delegator-b")).unwrap().delegation_version(), 1);
    let lost = OpenError::Threshold { valid: 0, needed: 1 };
    assert_eq!(anchor.delegate(&delegation(u32::MAX, "delegator-a")), Err(lost));
}

#[test]
fn a_root_that_asks_for_more_forgets_the_delegation() {
    let kept = |change: fn(&mut Root)| {
        let next = next_root(&small_root(), &["root-a"], change);
        small_anchor().advance(&next).unwrap().delegation().is_some()
    };
    let also_b = |root: &mut Root| {
        root.keys.push(key("delegator-b").public).unwrap();
        root.delegator = role(1, &[2, 3]);
    };
    assert!(kept(|_| {}));
    assert!(kept(also_b), "one more delegator changes nothing for the first");
    assert!(!kept(|root| {
        root.keys.push(key("delegator-b").public).unwrap();
        root.delegator = role(2, &[2, 3]);
    }));
    assert!(!kept(|root| root.limits.delegation_days_max = 99));
}

#[test]
fn two_delegations_of_one_version_are_not_both_believed() {
    let other = Delegation { not_before: NOW, ..small_delegation() };
    let other = sign1(&at_large(Kind::Delegation), &other, "delegator-a");
    assert_eq!(small_anchor().delegate(&other), Err(OpenError::Superseded));
}
