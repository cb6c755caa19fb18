//! The golden vectors of what a device says: check-ins, reports, claims.
//!
//! Touches: `formats/vectors`, by way of `vectors.rs`.

use crate::fleet::{NONCE, device, spell};
use crate::largest;
use crate::vectors::{Vector, vector};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{CheckIn, ComponentState, Facts, Gate, Health, HealthRow, NamedFacts};
use lapwing_core::wire::claim::{Claim, ClaimToken, DeviceSecret};
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{AttemptId, BootId, Digest, HardwareClass, ShortDigest};

pub(crate) fn vectors() -> Vec<Vector> {
    [check_ins(), reports(), claims()].into_iter().flatten().collect()
}

fn running() -> ShortDigest {
    Digest::of(b"base").short()
}

/// A check-in that carries nothing but one component.
pub(crate) fn idle() -> CheckIn<'static> {
    let app = ComponentState { name: "app".parse().unwrap(), running: running(), held: None };
    CheckIn {
        root_version: 1,
        delegation_version: 1,
        components: [app].into_iter().collect(),
        nonce: None,
        facts: None,
        health: heapless::Vec::new(),
        gates: heapless::Vec::new(),
        boot: None,
    }
}

fn facts(buffer: &mut [u8]) -> Facts<'_> {
    let hardware = HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] };
    let named = NamedFacts::spell(&[("model", "x1"), ("region", "eu")], buffer).unwrap();
    Facts { hardware, bootloader: 4, profile: 2, named }
}

fn check_ins() -> Vec<Vector> {
    let with_nonce = CheckIn { nonce: Some(NONCE), ..idle() };
    let holding = {
        let mut check_in = idle();
        check_in.components[0].held = Some(Digest::of(b"image").short());
        check_in.gates = [Gate::Battery, Gate::Window].into_iter().collect();
        check_in
    };
    let row = HealthRow {
        running: running(),
        boots: 3,
        watchdog_resets: 1,
        crashes: 0,
        health: Health::Good,
        errors: 500,
    };
    let healthy = CheckIn { health: [row].into_iter().collect(), ..idle() };
    let mut buffer = [0; 64];
    let first = CheckIn {
        nonce: Some(NONCE),
        facts: Some(facts(&mut buffer)),
        boot: Some(BootId([9; 8])),
        delegation_version: 0,
        ..idle()
    };
    let newer = CheckIn { gates: [Gate::Watching, Gate::from_code(200)].into_iter().collect(), ..idle() };
    let mut buffer = [0; 2048];
    let largest = largest::check_in(largest::facts(&mut buffer));
    vec![
        vector("check-in/idle", "One component, nothing changed.", spell(&idle())),
        vector("check-in/with-nonce", "It wants a signed answer.", spell(&with_nonce)),
        vector(
            "check-in/holding",
            "The spare slot is whole, battery and window hold it back.",
            spell(&holding),
        ),
        vector("check-in/healthy", "With a row of health.", spell(&healthy)),
        vector(
            "check-in/first",
            "The first of a boot: facts, nonce, boot id, no delegation yet.",
            spell(&first),
        ),
        vector(
            "check-in/newer-device",
            "It names a gate that this version does not know: the number passes through.",
            spell(&newer),
        ),
        vector("check-in/largest", "Every limit reached.", spell(&largest)),
    ]
}

fn event(number: u32, kind: EventKind, detail: Detail) -> Event {
    Event { attempt: AttemptId(0x0102_0304_0506_0708), number, kind, running: running(), detail }
}

fn reports() -> Vec<Vector> {
    let report = |events: &[Event]| spell(&Report { events: heapless::Vec::from_slice(events).unwrap() });
    let detail_of = |kind| match kind {
        EventKind::Deferred => Detail::Gate(Gate::Battery),
        EventKind::DownloadProgress => Detail::Amount(50),
        EventKind::DownloadFailed => Detail::Cause(Cause::LinkDown),
        EventKind::VerifyFailed => Detail::Cause(Cause::ReleaseUntrusted),
        EventKind::Confirmed => Detail::Amount(21_600),
        EventKind::RollbackTriggered => Detail::Cause(Cause::HealthFailed),
        _ => Detail::None,
    };
    let kinds: Vec<_> =
        (1..).zip(EventKind::ALL).map(|(number, kind)| event(number, *kind, detail_of(*kind))).collect();
    let check_in = Event { attempt: AttemptId::NONE, ..event(1, EventKind::CheckCompleted, Detail::None) };
    let confirmed = event(9, EventKind::Confirmed, Detail::None);
    let newer = [
        event(1, EventKind::from_code(99), Detail::None),
        event(2, EventKind::AttemptFailed, Detail::Cause(Cause::from_code(999))),
        event(3, EventKind::Deferred, Detail::Gate(Gate::from_code(200))),
        event(4, EventKind::Confirmed, Detail::Unknown(9, 70_000)),
    ];
    let mut vectors = vec![
        vector("report/no-attempt", "A check-in belongs to no attempt.", report(&[check_in])),
        vector("report/confirmed", "One outcome.", report(&[confirmed])),
        vector("report/every-event", "Every kind of event, in order of their numbers.", report(&kinds)),
        vector(
            "report/newer-device",
            "An event, a cause, a gate and a detail that this version does not know: the numbers pass through.",
            report(&newer),
        ),
        vector("report/largest", "Every limit reached.", spell(&largest::report())),
    ];
    let failed =
        |(number, cause): (u32, &Cause)| event(number, EventKind::AttemptFailed, Detail::Cause(*cause));
    for (at, causes) in Cause::ALL.chunks(20).enumerate() {
        let events: Vec<_> = (1..).zip(causes).map(failed).collect();
        let name = format!("report/causes-{}", at + 1);
        vectors.push(vector(name, "Every cause, in order of their numbers.", report(&events)));
    }
    vectors
}

fn claims() -> Vec<Vector> {
    let mut buffer = [0; 64];
    let small = Claim {
        device: device(),
        token: ClaimToken([0x70; 16]),
        secret: DeviceSecret([0x5e; 32]),
        facts: facts(&mut buffer),
    };
    let mut buffer = [0; 2048];
    let largest = Claim { device: largest::device(), facts: largest::facts(&mut buffer), ..small.clone() };
    vec![
        vector("claim/small", "A sensor takes its place.", spell(&small)),
        vector("claim/largest", "Every limit reached.", spell(&largest)),
    ]
}
