//! The artifact on its way: cuts, servers that ignore ranges, wrong bytes.

use crate::device::{Device, image};
use crate::fleet::NOW;
use crate::server::Fault;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, EventKind};

const SIZE: usize = 40_000;

/// A device with an artifact to fetch that is about as large as its image.
fn fetching() -> (Device, Vec<u8>, u64) {
    let (old, new) = (image("good", 0, 100), image("good", 1, SIZE));
    let device = Device::provisioned(&old);
    let size = device.link.server(|server| server.publish(2, "1.1.0", None, &new));
    assert!(size > SIZE as u64 / 2);
    (device, new, size)
}

fn is_staged(device: &Device) -> bool {
    device.link.server(|server| server.has_heard(EventKind::InstallCompleted))
}

#[test]
fn each_cut_costs_less_than_a_block_and_the_answer_s_head() {
    let (mut device, new, size) = fetching();
    device.link.cut(u32::MAX, 5_000);
    device.run_until("installed", is_staged);
    let (requests, _) = device.link.server(|server| (server.artifact_requests, server.artifact_bytes_sent));
    // 5,000 bytes less the head and less than one block that has to come again.
    assert!(u64::from(requests) <= size / (5_000 - 300 - 1_024) + 1, "{requests}");
    // Each of them got on, so none was waited for as if it had not.
    assert!(device.uptime_ms() < 2 * LAST_WAIT_MS, "{}", device.uptime_ms());
    device.run_until("the switch", |device| device.active_image() == new);
}

/// The clock has jumped to the next measurement when a test looks at it.
const LAST_WAIT_MS: u64 = 10_000;
/// More than the head of an answer.
const HEAD_BYTES: usize = 512;

#[test]
fn a_transfer_goes_on_after_a_power_cut_where_the_last_flush_was() {
    let (mut device, new, size) = fetching();
    device.link.cut_off(size as usize - 2_000);
    device.run_until("a cut transfer", |device| device.link.server(|server| server.artifact_requests == 1));
    device.cut_power();
    device.link.set_down(false);
    device.run_until("the switch", |device| device.active_image() == new);
    let sent = device.link.server(|server| server.artifact_bytes_sent);
    assert!(sent < size + size / 2, "{sent} of {size}");
}

#[test]
fn a_server_that_ignores_ranges_does_no_harm() {
    let (mut device, new, _) = fetching();
    device.link.server(|server| server.fault = Fault::RangesIgnored);
    device.link.cut(1, 20_000);
    device.run_until("the switch", |device| device.active_image() == new);
    assert_eq!(device.link.server(|server| server.artifact_requests), 2);
}

#[test]
fn an_artifact_that_ends_early_is_not_taken_for_whole() {
    let (mut device, new, _) = fetching();
    device.link.server(|server| server.fault = Fault::ShortLength);
    device.run_for_ms(60_000);
    assert!(!is_staged(&device));
    device.link.server(|server| server.fault = Fault::None);
    device.run_until("the switch", |device| device.active_image() == new);
}

#[test]
fn three_transfers_with_a_wrong_digest_end_the_attempt_with_their_own_cause() {
    let (mut device, _, _) = fetching();
    device.link.server(|server| server.fault = Fault::BitFlipped);
    device.run_until("the end of the attempt", |device| {
        device.link.server(|server| server.has_heard(EventKind::AttemptFailed))
    });
    let (requests, outcome) =
        device.link.server(|server| (server.artifact_requests, server.events().last().unwrap().detail));
    assert_eq!((requests, outcome), (3, Detail::Cause(Cause::TransferDigest)));
    assert!(!device.path("artifact/data").exists());
}

#[test]
fn a_paused_transfer_waits_closed_and_goes_on_where_it_was() {
    let (mut device, new, size) = fetching();
    device.link.cut_off(20_000);
    device.run_until("a cut transfer", |device| device.link.server(|server| server.artifact_requests == 1));
    device.agent().handle().pause();
    device.link.set_down(false);
    device.run_for_ms(86_400_000);
    let (requests, check_ins) =
        device.link.server(|server| (server.artifact_requests, std::mem::take(&mut server.check_ins)));
    assert_eq!(requests, 1);
    assert!(check_ins > 100, "the conversation goes on: {check_ins}");
    assert!(device.status().contains("\"transfers\":\"paused\""));
    device.agent().handle().resume();
    device.run_until("the switch", |device| device.active_image() == new);
    let (requests, sent) =
        device.link.server(|server| (server.artifact_requests, server.artifact_bytes_sent));
    assert_eq!(requests, 2);
    assert!(sent <= 2 * size - 20_000 + 1_024 + HEAD_BYTES as u64, "{sent}");
}

#[test]
fn a_transfer_keeps_to_its_rate_on_one_connection() {
    let (old, new) = (image("good", 0, 100), image("good", 1, SIZE));
    let mut device = Device::with_config(&old, "").with_rate(1_000);
    let size = device.link.server(|server| server.publish(2, "1.1.0", None, &new));
    device.run_until("the first byte", |device| device.link.server(|server| server.artifact_requests > 0));
    let began_ms = device.uptime_ms();
    device.run_until("installed", is_staged);
    let took_ms = device.uptime_ms() - began_ms;
    // Every block but the last has to be waited for.
    let least_ms = (size - 1_024) * 1_000 / 1_000;
    assert!((least_ms..least_ms + 2 * LAST_WAIT_MS).contains(&took_ms), "{took_ms} ms for {size} bytes");
    assert_eq!(device.link.server(|server| server.artifact_requests), 1);
}

const DAY_BYTES: u64 = 24_000;
const DAY_MS: u64 = 86_400_000;

#[test]
fn a_day_s_bytes_are_never_exceeded_and_the_rest_comes_on_other_days_over_a_power_cut() {
    let (old, new) = (image("good", 0, 100), image("good", 1, SIZE));
    let budget =
        format!("[talking]\ncheck_in_interval_ms = {}\n[data_budget]\nday_bytes = {DAY_BYTES}", DAY_MS / 8);
    let mut device = Device::with_config(&old, &budget);
    let size = device.link.server(|server| server.publish(2, "1.1.0", None, &new));
    let mut days = 0;
    while !is_staged(&device) {
        days += 1;
        assert!(days < 20, "{size} bytes never came");
        for _ in 0..24 {
            let now = NOW.after(device.uptime_ms() / 1_000);
            device.link.server(|server| server.now = now);
            let end_ms = device.uptime_ms() + DAY_MS / 24;
            device.run_until("an hour", |device| device.uptime_ms() >= end_ms || is_staged(device));
        }
        // The device's days begin at another hour: so many of this clock touch one more of its own.
        let crossed_bytes = device.link.crossed_bytes();
        assert!(crossed_bytes <= (days + 1) * DAY_BYTES, "{crossed_bytes} in {days} days");
        if days == 1 {
            device.cut_power();
        }
    }
    let deferred = device
        .link
        .server(|server| server.events().iter().any(|event| event.detail == Detail::Gate(Gate::DataBudget)));
    assert!(deferred, "the fleet hears why");
    assert!(days >= 2, "{size} bytes in {days} days");
    device.run_until("the switch", |device| device.active_image() == new);
}
