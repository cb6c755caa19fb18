//! Well signed, and still not to be believed: windows, chains of roots, roots that contradict themselves.
//!
//! Touches: `lapwing_core::trust`. Never: a false signature; see `signatures.rs`.

use super::case::{Attack, attack};
use super::signatures::too_few;
use crate::fleet::{
    DAY_S, NOW, START, answered, at_large, device, key, production_root, public_keys, role, sign_n, sign1,
    small_delegation, small_offer, small_release, small_root, small_status,
};
use lapwing_core::envelope::Kind;
use lapwing_core::trust::{Delegation, Revoked, Root};
use lapwing_core::wire::answer::{Offer, Status};
use lapwing_core::{DecodeError, FleetId, OpenError};

pub(super) fn attacks() -> Vec<Attack> {
    [windows(), delegations(), chains(), contradictions(), bad_delegations()].into_iter().flatten().collect()
}

fn windows() -> Vec<Attack> {
    let device = device();
    let status = |now| {
        let status = Status { now, ..small_status() };
        sign1(&answered(Kind::Status, &device), &status, "online-a")
    };
    let offer = |now| {
        let release = sign1(&at_large(Kind::Release), &small_release(), "release-a");
        let offer = Offer { now, ..small_offer(&release) };
        sign1(&answered(Kind::Offer, &device), &offer, "online-a")
    };
    let (before, after) = (START.0 - 1, START.0 + 100 * DAY_S + 1);
    let at = lapwing_core::UnixSeconds;
    let outside = OpenError::OutsideWindow;
    vec![
        attack("status-before-window", "A second too early.", "status", status(at(before)), outside),
        attack(
            "status-after-window",
            "A second too late: the delegation expired.",
            "status",
            status(at(after)),
            outside,
        ),
        attack("offer-before-window", "A second too early.", "offer", offer(at(before)), outside),
        attack(
            "offer-after-window",
            "A second too late: the delegation expired.",
            "offer",
            offer(at(after)),
            outside,
        ),
        attack(
            "offer-without-delegation",
            "No delegation is held.",
            "offer",
            offer(NOW),
            OpenError::NoDelegation,
        )
        .with("none"),
        attack(
            "status-without-delegation",
            "No delegation is held.",
            "status",
            status(NOW),
            OpenError::NoDelegation,
        )
        .with("none"),
    ]
}

fn delegations() -> Vec<Attack> {
    let delegation = |change: fn(&mut Delegation)| {
        let mut delegation = small_delegation();
        change(&mut delegation);
        sign1(&at_large(Kind::Delegation), &delegation, "delegator-a")
    };
    let longer = delegation(|it| it.not_after = START.after(100 * DAY_S + 1));
    let same_version = delegation(|it| it.not_before = NOW);
    let superseded = OpenError::Superseded;
    vec![
        attack(
            "delegation-window-too-long",
            "A second over 100 days.",
            "delegation",
            longer,
            OpenError::WindowTooLong,
        )
        .with("none"),
        attack(
            "delegation-window-over-fleet-limit",
            "100 days, where the root allows 30.",
            "delegation",
            delegation(|_| ()),
            OpenError::WindowTooLong,
        )
        .under("root/short-windows"),
        attack(
            "delegation-superseded",
            "Older than the one held.",
            "delegation",
            delegation(|_| ()),
            superseded,
        )
        .with("delegation/small-2"),
        attack(
            "delegation-version-reused",
            "Another one of the version held.",
            "delegation",
            same_version,
            superseded,
        ),
        attack(
            "delegation-of-other-fleet",
            "Its text names another fleet than its signature.",
            "delegation",
            delegation(|it| it.fleet = FleetId([0xee; 16])),
            OpenError::OtherFleet,
        ),
    ]
}

fn next(change: impl FnOnce(&mut Root)) -> Root {
    let mut root = Root { version: 2, ..production_root() };
    change(&mut root);
    root
}

fn chains() -> Vec<Attack> {
    let production = "root/production-1";
    let signed = |root: &Root, signers: &[&str]| sign_n(&at_large(Kind::Root), root, signers);
    let small = |version| sign1(&at_large(Kind::Root), &Root { version, ..small_root() }, "root-a");
    let other_fleet = sign1(
        &at_large(Kind::Root),
        &Root { version: 2, fleet: FleetId([0xee; 16]), ..small_root() },
        "root-a",
    );
    let replaced = next(|root| {
        let names = ["root-d", "root-e", "root-f", "release-a", "release-b", "release-c", "delegator-a"];
        root.keys = public_keys(&names);
    });
    let old_only = signed(&replaced, &["root-a", "root-b", "root-c"]);
    let new_only = signed(&replaced, &["root-d", "root-e", "root-f"]);
    let one_of_each = signed(&replaced, &["root-a", "root-d"]);
    let itself = signed(&production_root(), &["root-a"]);
    let revoked = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    let not_next = OpenError::NotNext;
    vec![
        attack("root-skipped", "The third, where the first is held.", "next root", small(3), not_next),
        attack("root-same-version", "The version that is held.", "next root", small(1), not_next),
        attack("root-older", "The first, where the second is held.", "next root", small(1), not_next)
            .under("root/small-2"),
        attack(
            "root-of-other-fleet",
            "Another fleet's next root.",
            "next root",
            other_fleet,
            OpenError::OtherFleet,
        ),
        attack(
            "root-signed-by-old-keys-only",
            "The new threshold is missing.",
            "next root",
            old_only,
            too_few(0, 2),
        )
        .under(production),
        attack(
            "root-signed-by-new-keys-only",
            "The old threshold is missing.",
            "next root",
            new_only,
            too_few(0, 2),
        )
        .under(production),
        attack(
            "root-signed-by-one-of-each",
            "One old and one new key.",
            "next root",
            one_of_each,
            too_few(1, 2),
        )
        .under(production),
        attack(
            "root-below-own-threshold",
            "Provisioned, one of two signed.",
            "provisioned root",
            itself,
            too_few(1, 2),
        ),
        attack("release-by-revoked-key", "The key is revoked by now.", "release", revoked, too_few(0, 1))
            .under("root/small-2"),
    ]
}

/// Roots that are refused before anybody asks who signed them.
fn contradictions() -> Vec<Attack> {
    let root = |change: fn(&mut Root)| {
        let mut root = small_root();
        change(&mut root);
        sign1(&at_large(Kind::Root), &root, "root-a")
    };
    let bad = |name, story, bytes| attack(name, story, "provisioned root", bytes, DecodeError::BadValue);
    vec![
        bad("root-threshold-zero", "Nobody need sign releases.", root(|root| root.release = role(0, &[1]))),
        bad("root-threshold-above-keys", "Two of one.", root(|root| root.release = role(2, &[1]))),
        bad("root-role-without-keys", "Nobody can sign.", root(|root| root.delegator = role(1, &[]))),
        bad(
            "root-key-index-out-of-range",
            "There is no fourth key.",
            root(|root| root.release = role(1, &[3])),
        ),
        bad(
            "root-role-names-key-twice",
            "One key twice in a role.",
            root(|root| root.release = role(2, &[1, 1])),
        ),
        bad(
            "root-role-unsorted",
            "Keys of a role in falling order.",
            root(|root| root.release = role(1, &[2, 1])),
        ),
        bad(
            "root-key-twice",
            "One key twice in the list, so that it could count twice.",
            root(|root| {
                root.keys = public_keys(&["root-a", "release-a", "delegator-a", "release-a"]);
                root.release = role(2, &[1, 3]);
            }),
        ),
        bad(
            "root-revoked-key-in-role",
            "A release key that the same root revokes.",
            root(|root| {
                let revoked = Revoked { key: key("release-a").public.id(), seq_base: 1 };
                root.revoked = [revoked].into_iter().collect();
            }),
        ),
        bad("root-version-zero", "Versions begin at one.", root(|root| root.version = 0)),
        bad(
            "root-ends-before-it-begins",
            "It expires when it is issued.",
            root(|root| root.not_after = root.issued),
        ),
        attack(
            "root-delegation-days-over-limit",
            "It allows windows of 101 days.",
            "provisioned root",
            root(|root| root.limits.delegation_days_max = 101),
            DecodeError::OverLimit,
        ),
    ]
}

fn bad_delegations() -> Vec<Attack> {
    let delegation = |change: fn(&mut Delegation)| {
        let mut delegation = small_delegation();
        change(&mut delegation);
        sign1(&at_large(Kind::Delegation), &delegation, "delegator-a")
    };
    let bad = |name, story, bytes| attack(name, story, "delegation", bytes, DecodeError::BadValue);
    vec![
        bad("delegation-version-zero", "Versions begin at one.", delegation(|it| it.version = 0)),
        bad(
            "delegation-window-reversed",
            "It ends when it begins.",
            delegation(|it| it.not_after = it.not_before),
        ),
    ]
}
