//! Objects with every limit reached: what must still fit, everywhere.
//!
//! Touches: `lapwing_core::limits`. Never: says anything sensible; only the sizes matter.

use crate::fleet::{DAY_S, FLEET, NONCE, key, role, small_release};
use lapwing_core::limits::{
    BUILD_ID_BYTES_MAX, COMPONENT_NAME_BYTES_MAX, COMPONENTS_MAX, DEVICE_ID_BYTES_MAX,
    ENCRYPTION_INFO_BYTES_MAX, FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX, GATES_MAX,
    HARDWARE_CLASSES_MAX, HEALTH_ROWS_MAX, ONLINE_KEYS_MAX, REPORT_EVENTS_MAX, REQUIRES_MAX,
    REVOKED_KEYS_MAX, ROLE_KEYS_MAX, ROOT_KEYS_MAX, TLS_ANCHORS_MAX, VARIANT_BYTES_MAX, VERSION_BYTES_MAX,
    VERSION_RANGES_MAX,
};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, Revoked, Root, TlsAnchor};
use lapwing_core::wire::answer::{Offer, Status, SwitchWindow, Travel, Urgency};
use lapwing_core::wire::check_in::{CheckIn, ComponentState, Facts, Gate, Health, HealthRow, NamedFacts};
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{
    AttemptId, BootId, Compatibility, DeviceId, Digest, HardwareClass, KeyId, Name, Release, ReleaseFlags,
    Requirement, Semver, ShortDigest, UnixSeconds, VersionRange,
};

const FOREVER: UnixSeconds = UnixSeconds(u64::MAX);
const SHORT: ShortDigest = ShortDigest([0xff; 8]);

pub(crate) fn device() -> DeviceId {
    name(DEVICE_ID_BYTES_MAX)
}

/// The longest name there is.
fn name<const N: usize>(len: usize) -> Name<N> {
    assert_eq!(len, N);
    "n".repeat(len).parse().unwrap()
}

/// A list with as many items as it takes, made from their positions.
fn fill<T, const N: usize>(len: usize, item: impl FnMut(usize) -> T) -> heapless::Vec<T, N> {
    assert_eq!(len, N);
    (0..len).map(item).collect()
}

/// The names of the keys that sign for the full root: all of each role.
pub(crate) fn signers(first: usize) -> Vec<String> {
    (first..first + ROLE_KEYS_MAX).map(|at| format!("full-{at}")).collect()
}

pub(crate) fn root() -> Root {
    let all = |first: u8| (first..first + 8).collect::<Vec<_>>();
    Root {
        fleet: FLEET,
        version: u32::MAX,
        issued: UnixSeconds(u64::MAX - 1),
        not_after: FOREVER,
        keys: fill(ROOT_KEYS_MAX, |at| key(&format!("full-{at}")).public),
        root: role(8, &all(0)),
        release: role(8, &all(8)),
        delegator: role(8, &all(0)),
        limits: Limits { delegation_days_max: 100, security_ceiling: u32::MAX, emergency: true },
        revoked: fill(REVOKED_KEYS_MAX, |at| Revoked { key: KeyId([at as u8; 4]), seq_base: u64::MAX }),
        tls_anchors: fill(TLS_ANCHORS_MAX, |at| TlsAnchor::Authority(Digest::of(&[at as u8]))),
    }
}

pub(crate) fn delegation() -> Delegation {
    let online = |at| OnlineKey { key: key(&format!("online-full-{at}")).public, powers: Powers(u8::MAX) };
    Delegation {
        fleet: FLEET,
        version: u32::MAX,
        not_before: UnixSeconds(u64::MAX - 100 * DAY_S),
        not_after: FOREVER,
        keys: fill(ONLINE_KEYS_MAX, online),
    }
}

pub(crate) fn release() -> Release {
    let top = Semver { major: u32::MAX, minor: u32::MAX, patch: u32::MAX };
    let range =
        |at: usize| VersionRange { from: Semver { patch: u32::MAX - 9 + at as u32, ..top }, below: top };
    Release {
        component: name(COMPONENT_NAME_BYTES_MAX),
        hardware: fill(HARDWARE_CLASSES_MAX, |at| HardwareClass {
            vendor: [0xaa; 16],
            class: [at as u8; 16],
        }),
        seq: u64::MAX,
        version: name(VERSION_BYTES_MAX),
        security_version: u32::MAX,
        raise_to: u32::MAX,
        bootloader_min: u32::MAX,
        installable_from: fill(VERSION_RANGES_MAX, range),
        downgrade_from: fill(VERSION_RANGES_MAX, range),
        compatibility: Compatibility::Breaking,
        data_version: u32::MAX,
        image_size_bytes: u64::MAX,
        issued: FOREVER,
        not_after: Some(FOREVER),
        build: Some(name(BUILD_ID_BYTES_MAX)),
        variant: Some(name(VARIANT_BYTES_MAX)),
        requires: fill(REQUIRES_MAX, |_| Requirement {
            component: name(COMPONENT_NAME_BYTES_MAX),
            seq_min: u64::MAX,
        }),
        sbom: Some(Digest::of(b"sbom")),
        notes: Some(Digest::of(b"notes")),
        flags: ReleaseFlags::SECURITY_ONLY.with(ReleaseFlags::FORCED).with(ReleaseFlags::DATA_MIGRATION),
        trial_s_max: Some(u32::MAX),
        encryption: Some(fill(ENCRYPTION_INFO_BYTES_MAX, |_| 0xee)),
        ..small_release()
    }
}

pub(crate) const fn status() -> Status {
    Status { now: FOREVER, next_check_in_s: u32::MAX }
}

pub(crate) fn offer(release_envelope: &[u8]) -> Offer {
    let travel = Travel {
        codec: u8::MAX,
        profile: u8::MAX,
        from: Some(SHORT),
        artifact: Digest::of(b"artifact"),
        artifact_size_bytes: u64::MAX,
    };
    Offer {
        attempt: AttemptId(u64::MAX),
        now: FOREVER,
        release: Digest::of(release_envelope),
        travel,
        ttl_s: u32::MAX,
        deadline_s: u32::MAX,
        switch_window: Some(SwitchWindow { opens_in_s: u32::MAX, closes_in_s: u32::MAX }),
        urgency: Urgency::Now,
    }
}

/// Facts with the longest names and values there may be, spelled into `buffer`.
pub(crate) fn facts(buffer: &mut [u8]) -> Facts<'_> {
    let texts: Vec<_> = (0..FACTS_MAX)
        .map(|at| (format!("{at:0>FACT_NAME_BYTES_MAX$}"), "v".repeat(FACT_VALUE_BYTES_MAX)))
        .collect();
    let pairs: Vec<_> = texts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let hardware = HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] };
    let named = NamedFacts::spell(&pairs, buffer).unwrap();
    Facts { hardware, bootloader: u32::MAX, profile: u8::MAX, named }
}

pub(crate) fn check_in(facts: Facts<'_>) -> CheckIn<'_> {
    let component =
        |_| ComponentState { name: name(COMPONENT_NAME_BYTES_MAX), running: SHORT, held: Some(SHORT) };
    let row = |_| HealthRow {
        running: SHORT,
        boots: u32::MAX,
        watchdog_resets: u32::MAX,
        crashes: u32::MAX,
        health: Health::Failing,
        errors: u32::MAX,
    };
    CheckIn {
        root_version: u32::MAX,
        delegation_version: u32::MAX,
        components: fill(COMPONENTS_MAX, component),
        nonce: Some(NONCE),
        facts: Some(facts),
        health: fill(HEALTH_ROWS_MAX, row),
        gates: fill(GATES_MAX, |at| Gate::from_code(u8::MAX - at as u8)),
        boot: Some(BootId([0xff; 8])),
    }
}

pub(crate) fn report() -> Report {
    let event = |at| Event {
        attempt: AttemptId(u64::MAX),
        number: u32::MAX - at as u32,
        kind: EventKind::DownloadProgress,
        running: SHORT,
        detail: Detail::Amount(u64::MAX),
    };
    Report { events: fill(REPORT_EVENTS_MAX, event) }
}
