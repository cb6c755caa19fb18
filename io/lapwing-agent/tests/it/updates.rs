//! Updates from the first check-in to the last follow-up.

use crate::device::{Device, image};
use crate::server::Fault;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Phase, Slot};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SIZE: usize = 100_000;

#[test]
fn a_good_release_travels_as_a_delta_proves_itself_and_is_settled_on() {
    let (old, new) = (image("good", 0, SIZE), image("good", 1, SIZE));
    let mut device = Device::provisioned(&old);
    let size = device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    assert!(size < SIZE as u64 / 20, "{size}");
    device
        .run_until("confirmed", |device| device.link.server(|server| server.has_heard(EventKind::Confirmed)));
    assert_eq!((device.table().active, device.table().phase), (Slot::B, Phase::Watched));
    device.run_until("settled", |device| device.table().phase == Phase::Settled);
    assert_eq!(device.active_image(), new);
    assert_eq!(fs::read_link(device.path("current")).unwrap().to_str(), Some("slots/b"));
    assert_eq!(fs::metadata(device.image(Slot::B)).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(!device.path("artifact/data").exists());
    // The last of the follow-ups comes six hours after the confirmation.
    assert!(device.uptime_ms() > 6 * 3_600_000);
    let kinds: Vec<_> = device.link.server(|server| server.events().iter().map(|event| event.kind).collect());
    let told = [
        EventKind::Offered,
        EventKind::DownloadStarted,
        EventKind::DownloadCompleted,
        EventKind::InstallStarted,
        EventKind::InstallCompleted,
        EventKind::RebootStarted,
        EventKind::RebootCompleted,
        EventKind::HealthOk,
        EventKind::Confirmed,
    ];
    let heard: Vec<_> = kinds.into_iter().filter(|kind| told.contains(kind)).collect();
    assert_eq!(heard, told);
}

#[test]
fn a_full_image_and_then_a_delta_go_back_and_forth_between_the_slots() {
    let images = [image("good", 0, SIZE), image("good", 1, SIZE / 2), image("good", 2, SIZE)];
    let mut device = Device::provisioned(&images[0]);
    device.link.server(|server| server.publish(2, "1.1.0", None, &images[1]));
    device.run_until("the full image", |device| {
        device.table().active == Slot::B && device.table().phase == Phase::Settled
    });
    device.link.server(|server| server.publish(3, "1.2.0", Some(&images[1]), &images[2]));
    device.run_until("the delta", |device| {
        device.table().active == Slot::A && device.table().phase == Phase::Settled
    });
    assert_eq!(device.active_image(), images[2]);
}

#[test]
fn a_device_claims_its_place_once_with_a_secret_that_it_stored_before() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    device.link.set_down(true);
    device.run_for_ms(60_000);
    // The secret is there before anybody has heard it.
    let secret = fs::read_to_string(device.path("secret")).unwrap();
    assert_eq!(fs::metadata(device.path("secret")).unwrap().permissions().mode() & 0o777, 0o600);
    device.cut_power();
    device.link.set_down(false);
    device.run_until("a check-in", |device| device.link.server(|server| server.check_ins > 2));
    assert_eq!(device.link.server(|server| server.claims), 1);
    assert_eq!(fs::read_to_string(device.path("secret")).unwrap(), secret);
    assert!(!device.path("claim-token").exists());
}

#[test]
fn a_withdrawn_release_is_given_up_before_the_switch() {
    let (old, new) = (image("good", 0, SIZE), image("good", 1, SIZE));
    let mut device = Device::provisioned(&old);
    device.link.server(|server| {
        server.switch_in_s = Some(600);
        server.publish(2, "1.1.0", Some(&old), &new)
    });
    device.run_until("the first byte", |device| device.link.server(|server| server.artifact_requests > 0));
    device.link.server(crate::server::Server::withdraw);
    device.run_until("the end of the attempt", |device| {
        device.link.server(|server| server.has_heard(EventKind::AttemptFailed))
    });
    assert_eq!(device.active_image(), old);
    let detail = device.link.server(|server| server.events().last().unwrap().detail);
    assert_eq!(detail, Detail::Cause(Cause::Withdrawn));
}

#[test]
fn newer_trust_documents_are_walked_and_kept() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    device.link.server(|server| (server.root_version, server.delegation_version) = (3, 5));
    device.run_until("a check-in", |device| device.link.server(|server| server.check_ins > 1));
    for name in ["trust/root-1.cbor", "trust/root-2.cbor", "trust/root-3.cbor"] {
        assert!(device.path(name).exists(), "{name}");
    }
    // After a cut they are still believed: the next check-in is answered without a walk.
    device.cut_power();
    let before = device.link.server(|server| server.check_ins);
    device.run_until("a check-in", |device| device.link.server(|server| server.check_ins > before));
    assert_eq!(device.link.server(|server| server.check_ins), before + 1);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    device.link.server(|server| server.fault = Fault::Busy);
    device.run_for_ms(6_000);
    device.link.server(|server| server.fault = Fault::None);
    device.run_until("a check-in", |device| device.link.server(|server| server.check_ins > 0));
    assert!(device.uptime_ms() >= 7_000, "{}", device.uptime_ms());
}

/// The server asks for 300 s.
#[test]
fn the_shorter_of_the_owner_s_and_the_server_s_interval_counts() {
    let check = |further: &str, expected: std::ops::RangeInclusive<u32>| {
        let mut device = Device::with_config(&image("good", 0, 100), further);
        device.run_for_ms(3_600_000);
        let check_ins = device.link.server(|server| server.check_ins);
        assert!(expected.contains(&check_ins), "{further}: {check_ins}");
    };
    check("", 12..=14);
    check("[talking]\ncheck_in_interval_ms = 60000\n", 58..=62);
    check("[talking]\ncheck_in_interval_ms = 3000000\n", 12..=14);
}

#[test]
fn a_power_cut_at_any_turn_leaves_old_or_new_and_the_update_goes_on() {
    let (old, new) = (image("good", 0, SIZE), image("good", 1, SIZE));
    let settings = "[talking]\nalways_signed = true\n[trial]\nfollow_ups_ms = [1, 2, 3]\n";
    let mut turns = 1;
    loop {
        let mut device = Device::with_config(&old, settings);
        device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
        let mut cut = false;
        let mut turn = 0;
        device.run_until("confirmed", |device| {
            turn += 1;
            cut |= turn == turns;
            turn == turns || device.link.server(|server| server.has_heard(EventKind::Confirmed))
        });
        let confirmed = device.link.server(|server| server.has_heard(EventKind::Confirmed));
        if confirmed {
            break;
        }
        device.cut_power();
        let found = device.active_image();
        assert!(found == old || found == new, "neither old nor new after {turns} turns");
        device.run_until("confirmed after the cut", |device| {
            device.link.server(|server| server.has_heard(EventKind::Confirmed))
        });
        assert_eq!(device.active_image(), new);
        turns += 1;
    }
    assert!(turns > 5, "{turns}");
}
