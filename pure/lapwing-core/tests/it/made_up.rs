//! Objects made up at random, within their limits: one strategy an object.
//!
//! Touches: `proptest`. Small numbers are as likely as large ones, because spellings change with size.

use lapwing_core::limits::{ENCRYPTION_INFO_BYTES_MAX, FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Revoked, Role, Root, TlsAnchor};
use lapwing_core::wire::answer::{Offer, Status, SwitchWindow, Travel, Urgency};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{CheckIn, ComponentState, Facts, Gate, Health, HealthRow, NamedFacts};
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{
    AttemptId, BootId, Compatibility, Digest, FleetId, HardwareClass, KeyId, Name, Nonce, Release,
    ReleaseFlags, Requirement, Semver, ShortDigest, UnixSeconds, VersionRange,
};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::select;
use proptest::{array, prop_oneof, string::string_regex};

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, any::<u64>(), any::<u32>().prop_map(u64::from)]
}

fn word() -> impl Strategy<Value = u32> {
    prop_oneof![0..300_u32, any::<u32>(), 0..70_000_u32]
}

fn name<const N: usize>() -> impl Strategy<Value = Name<N>> {
    let regex = format!("[A-Za-z0-9_+~-][A-Za-z0-9._+~-]{{0,{}}}", N - 1);
    string_regex(&regex).unwrap().prop_map(|text| text.parse().unwrap())
}

/// A list of up to as many items as it takes.
fn list<T: std::fmt::Debug, const N: usize>(
    item: impl Strategy<Value = T>,
) -> impl Strategy<Value = heapless::Vec<T, N>> {
    vec(item, 0..=N).prop_map(|items| items.into_iter().collect())
}

fn digest() -> impl Strategy<Value = Digest> {
    array::uniform32(any::<u8>()).prop_map(Digest::from_bytes)
}

fn short() -> impl Strategy<Value = ShortDigest> {
    any::<[u8; 8]>().prop_map(ShortDigest)
}

fn time() -> impl Strategy<Value = UnixSeconds> {
    number().prop_map(UnixSeconds)
}

fn hardware() -> impl Strategy<Value = HardwareClass> {
    any::<[[u8; 16]; 2]>().prop_map(|[vendor, class]| HardwareClass { vendor, class })
}

fn semver() -> impl Strategy<Value = Semver> {
    (word(), word(), word()).prop_map(|(major, minor, patch)| Semver { major, minor, patch })
}

fn range() -> impl Strategy<Value = VersionRange> {
    let rising = (semver(), semver()).prop_filter("a range has a length", |(a, b)| a != b);
    rising.prop_map(|(a, b)| VersionRange { from: a.min(b), below: a.max(b) })
}

pub(crate) fn release() -> impl Strategy<Value = Release> {
    let requirement = (name(), number()).prop_map(|(component, seq_min)| Requirement { component, seq_min });
    let compatibility =
        select(&[Compatibility::Patch, Compatibility::Compatible, Compatibility::Breaking][..]);
    let flag = |flag| prop_oneof![Just(ReleaseFlags::default()), Just(flag)];
    let flags =
        (flag(ReleaseFlags::SECURITY_ONLY), flag(ReleaseFlags::FORCED), flag(ReleaseFlags::DATA_MIGRATION))
            .prop_map(|(a, b, c)| a.with(b).with(c));
    let what =
        (name(), list(hardware()), number(), name(), word(), word(), word(), digest(), number(), time());
    let rules = (list(range()), list(range()), compatibility, word(), of(time()), list(requirement), flags);
    let rest = (of(name()), of(name()), of(digest()), of(digest()), of(1..=u32::MAX));
    let encryption = of(vec(any::<u8>(), 0..=ENCRYPTION_INFO_BYTES_MAX));
    let complete =
        (what, rules, rest, encryption).prop_filter("a release is for something", |it| !it.0.1.is_empty());
    complete.prop_map(|(what, rules, rest, encryption)| Release {
        component: what.0,
        hardware: what.1,
        seq: what.2,
        version: what.3,
        security_version: what.4.max(what.5),
        raise_to: what.4.min(what.5),
        bootloader_min: what.6,
        image: what.7,
        image_size_bytes: what.8,
        issued: what.9,
        installable_from: rules.0,
        downgrade_from: rules.1,
        compatibility: rules.2,
        data_version: rules.3,
        not_after: rules.4,
        requires: rules.5,
        flags: rules.6,
        build: rest.0,
        variant: rest.1,
        sbom: rest.2,
        notes: rest.3,
        trial_s_max: rest.4,
        encryption: encryption.map(|info| heapless::Vec::from_slice(&info).unwrap()),
    })
}

fn public_key() -> impl Strategy<Value = PublicKey> {
    prop_oneof![
        array::uniform32(any::<u8>()).prop_map(|bytes| PublicKey::ed25519(&bytes)),
        (any::<u8>(), array::uniform32(any::<u8>())).prop_map(|(sign, x)| {
            let mut point = [sign; 33];
            point[1..].copy_from_slice(&x);
            PublicKey::esp256(&point)
        }),
    ]
}

/// A role over the first `keys` keys of a document.
fn role(keys: usize) -> impl Strategy<Value = Role> {
    let chosen = proptest::sample::subsequence((0..keys as u8).collect::<Vec<_>>(), 1..=keys.min(8));
    (chosen, any::<u8>()).prop_map(|(keys, threshold)| {
        let threshold = 1 + threshold % keys.len() as u8;
        Role { threshold, keys: keys.into_iter().collect() }
    })
}

pub(crate) fn root() -> impl Strategy<Value = Root> {
    let anchor = prop_oneof![digest().prop_map(TlsAnchor::Server), digest().prop_map(TlsAnchor::Authority)];
    let revoked =
        (any::<[u8; 4]>(), number()).prop_map(|(key, seq_base)| Revoked { key: KeyId(key), seq_base });
    let limits = (0..=100_u32, word(), any::<bool>()).prop_map(|(days, security_ceiling, emergency)| {
        Limits { delegation_days_max: days, security_ceiling, emergency }
    });
    let keys = vec(public_key(), 1..=16);
    let roles = keys.prop_flat_map(|keys| {
        let count = keys.len();
        (Just(keys), role(count), role(count), role(count))
    });
    let document = (any::<[u8; 16]>(), 1..=u32::MAX, number(), 1..=u64::MAX);
    (document, roles, limits, list(revoked), list(anchor)).prop_map(
        |(
            (fleet, version, issued, not_after),
            (keys, root, release, delegator),
            limits,
            revoked,
            tls_anchors,
        )| Root {
            fleet: FleetId(fleet),
            version,
            issued: UnixSeconds(issued.min(not_after - 1)),
            not_after: UnixSeconds(not_after),
            keys: keys.into_iter().collect(),
            root,
            release,
            delegator,
            limits,
            revoked,
            tls_anchors,
        },
    )
}

pub(crate) fn delegation() -> impl Strategy<Value = Delegation> {
    let online =
        (public_key(), any::<u8>()).prop_map(|(key, powers)| OnlineKey { key, powers: Powers(powers) });
    let window = (number(), 1..=u64::MAX).prop_map(|(start, end)| (start.min(end - 1), end));
    (any::<[u8; 16]>(), 1..=u32::MAX, window, list(online)).prop_map(|(fleet, version, window, keys)| {
        Delegation {
            fleet: FleetId(fleet),
            version,
            not_before: UnixSeconds(window.0),
            not_after: UnixSeconds(window.1),
            keys,
        }
    })
}

pub(crate) fn status() -> impl Strategy<Value = Status> {
    (time(), word()).prop_map(|(now, next_check_in_s)| Status { now, next_check_in_s })
}

pub(crate) fn offer() -> impl Strategy<Value = Offer> {
    let travel = (any::<u8>(), any::<u8>(), of(short()), digest(), number()).prop_map(
        |(codec, profile, from, artifact, artifact_size_bytes)| Travel {
            codec,
            profile,
            from,
            artifact,
            artifact_size_bytes,
        },
    );
    let window =
        (word(), word()).prop_map(|(a, b)| SwitchWindow { opens_in_s: a.min(b), closes_in_s: a.max(b) });
    let urgency = select(&[Urgency::Routine, Urgency::Now][..]);
    (1..=u64::MAX, time(), digest(), travel, word(), word(), of(window), urgency).prop_map(
        |(attempt, now, release, travel, ttl_s, deadline_s, switch_window, urgency)| Offer {
            attempt: AttemptId(attempt),
            now,
            release,
            travel,
            ttl_s,
            deadline_s,
            switch_window,
            urgency,
        },
    )
}

/// Facts as pairs, sorted as the deterministic rules ask.
pub(crate) fn named_facts() -> impl Strategy<Value = Vec<(String, String)>> {
    let text = |max: usize| string_regex(&format!(".{{0,{}}}", max / 4)).unwrap();
    btree_map(text(FACT_NAME_BYTES_MAX), text(FACT_VALUE_BYTES_MAX), 0..=FACTS_MAX).prop_map(|pairs| {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        pairs
    })
}

/// Facts that point into `buffer`.
pub(crate) fn facts<'b>(named: &[(String, String)], buffer: &'b mut [u8]) -> Facts<'b> {
    let pairs: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let hardware = HardwareClass { vendor: [1; 16], class: [2; 16] };
    Facts { hardware, bootloader: 3, profile: 4, named: NamedFacts::spell(&pairs, buffer).unwrap() }
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![select(Gate::ALL), any::<u8>().prop_map(Gate::from_code)]
}

/// A check-in without facts.
pub(crate) fn check_in() -> impl Strategy<Value = CheckIn<'static>> {
    let component = (name(), short(), of(short())).prop_map(|(name, running, held)| ComponentState {
        name,
        running,
        held,
    });
    let health = select(&[Health::Unknown, Health::Good, Health::Failing][..]);
    let row = (short(), word(), word(), word(), health, word()).prop_map(
        |(running, boots, watchdog_resets, crashes, health, errors)| HealthRow {
            running,
            boots,
            watchdog_resets,
            crashes,
            health,
            errors,
        },
    );
    let nonce = of(any::<[u8; 8]>().prop_map(Nonce));
    let boot = of(any::<[u8; 8]>().prop_map(BootId));
    (word(), word(), list(component), nonce, list(row), list(gate()), boot).prop_map(
        |(root_version, delegation_version, components, nonce, health, gates, boot)| CheckIn {
            root_version,
            delegation_version,
            components,
            nonce,
            facts: None,
            health,
            gates,
            boot,
        },
    )
}

pub(crate) fn report() -> impl Strategy<Value = Report> {
    let detail = prop_oneof![
        Just(Detail::None),
        prop_oneof![select(Cause::ALL), any::<u16>().prop_map(Cause::from_code)].prop_map(Detail::Cause),
        gate().prop_map(Detail::Gate),
        number().prop_map(Detail::Amount),
        (3..=u8::MAX, number()).prop_map(|(kind, number)| Detail::Unknown(kind, number)),
    ];
    let kind = prop_oneof![select(EventKind::ALL), (1..=u8::MAX).prop_map(EventKind::from_code)];
    let event =
        (number(), word(), kind, short(), detail).prop_map(|(attempt, number, kind, running, detail)| {
            Event { attempt: AttemptId(attempt), number, kind, running, detail }
        });
    list(event).prop_map(|events| Report { events })
}
