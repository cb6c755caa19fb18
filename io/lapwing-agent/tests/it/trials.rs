//! Images that do not prove themselves, and devices that come back alone.

use crate::device::{Device, image};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Phase, Slot, SlotState};
use std::fs;

fn comes_back(kind: &str, cause: Cause) -> Device {
    let (old, new) = (image("good", 0, 20_000), image(kind, 1, 20_000));
    let mut device = Device::provisioned(&old);
    device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    device.run_until("the way back", |device| {
        device.link.server(|server| server.has_heard(EventKind::RollbackCompleted))
    });
    assert_eq!((device.table().active, device.table().phase), (Slot::A, Phase::Settled));
    assert_eq!(device.active_image(), old);
    let outcome = device.link.server(|server| {
        *server.events().iter().find(|event| event.kind == EventKind::RollbackCompleted).unwrap()
    });
    assert_eq!(outcome.detail, Detail::Cause(cause));
    device
}

#[test]
fn an_image_that_crashes_at_its_start_is_left_by_the_launcher_alone() {
    let device = comes_back("crash", Cause::SilentStarts);
    assert_eq!(device.table().slot(Slot::B).state, SlotState::Bad);
}

#[test]
fn an_unhealthy_image_is_left_after_two_minutes() {
    let device = comes_back("ill", Cause::HealthFailed);
    assert_eq!(device.table().slot(Slot::B).state, SlotState::Bad);
    assert!((120_000..600_000).contains(&device.uptime_ms()), "{}", device.uptime_ms());
}

#[test]
fn a_destroyed_slot_table_is_made_anew_around_the_image_that_runs() {
    let old = image("good", 0, 20_000);
    let mut device = Device::provisioned(&old);
    device.run_for_ms(1_000);
    device.cut_power();
    let mut agent = device.after_losing_the_table(Slot::A);
    agent.turn().unwrap();
    assert_eq!(device.table().active, Slot::A);
    assert_eq!(device.table().slot(Slot::A).state, SlotState::Confirmed);
}

#[test]
fn an_unreadable_record_is_reported_and_the_next_update_still_works() {
    let (old, new) = (image("good", 0, 20_000), image("good", 1, 20_000));
    let mut device = Device::provisioned(&old);
    device.run_for_ms(1_000);
    device.cut_power();
    for damage in [b"rubbish".as_slice(), b""] {
        fs::write(device.path("record"), damage).unwrap();
        device.run_for_ms(1_000);
        device.cut_power();
    }
    let lost = Detail::Cause(Cause::RecordUnreadable);
    let told =
        device.link.server(|server| server.events().iter().filter(|event| event.detail == lost).count());
    assert_eq!(told, 2);
    device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    device
        .run_until("confirmed", |device| device.link.server(|server| server.has_heard(EventKind::Confirmed)));
}

#[test]
fn a_device_whose_record_cannot_be_saved_still_talks_and_updates_when_it_can_be() {
    let (old, new) = (image("good", 0, 20_000), image("good", 1, 20_000));
    let mut device = Device::provisioned(&old);
    device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    // Nothing can be written beside the record while something lies in the way.
    fs::create_dir(device.path("record.new")).unwrap();
    device.run_for_ms(600_000);
    assert!(device.link.server(|server| server.check_ins > 1));
    assert_eq!(device.table().active, Slot::A);
    fs::remove_dir(device.path("record.new")).unwrap();
    device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    device.run_until("the switch", |device| device.active_image() == new);
}

#[test]
fn a_tampered_staged_image_is_not_switched_to() {
    let (old, new) = (image("good", 0, 20_000), image("good", 1, 20_000));
    let mut device = Device::provisioned(&old);
    device.link.server(|server| {
        server.switch_in_s = Some(600);
        server.publish(2, "1.1.0", Some(&old), &new)
    });
    device.run_until("staged", |device| device.table().slot(Slot::B).state == SlotState::Staged);
    fs::write(device.image(Slot::B), image("good", 9, 20_000)).unwrap();
    device.link.server(|server| server.switch_in_s = None);
    device.run_until("the end of the attempt", |device| {
        device.link.server(|server| server.has_heard(EventKind::AttemptFailed))
    });
    assert_eq!(device.active_image(), old);
    assert_eq!(device.table().slot(Slot::B).state, SlotState::Bad);
}
