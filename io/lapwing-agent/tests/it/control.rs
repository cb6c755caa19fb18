//! What people at the device can ask and do while the agent runs.

use crate::device::{Device, image};
use lapwing_agent::{ask_status, ask_trigger};

#[test]
fn the_status_says_what_runs() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    device.run_for_ms(1_000);
    let status = device.status();
    for part in
        ["\"doing\":\"idle\"", "\"slot\":\"a\"", "\"confirmed_version\":\"1.0.0\"", "\"root_version\":1"]
    {
        assert!(status.contains(part), "{status}");
    }
}

#[test]
fn a_trigger_checks_in_at_once_and_passes_the_version_policy_once() {
    let (old, new) = (image("good", 0, 20_000), image("good", 1, 20_000));
    let mut device = Device::with_config(&old, "[versions]\nauto_update = false\n");
    device.link.server(|server| server.publish(2, "1.1.0", Some(&old), &new));
    device.run_for_ms(3_600_000);
    assert_eq!(device.active_image(), old);
    let (dir, before) = (device.dir().to_owned(), device.uptime_ms());
    device.asked(move || ask_trigger(&dir)).unwrap();
    device.run_until("the switch", |device| device.active_image() == new);
    assert!(device.uptime_ms() >= before);
}

#[test]
fn nobody_answers_where_no_agent_runs() {
    let device = Device::provisioned(&image("good", 0, 100));
    assert!(ask_status(device.dir()).is_err());
}

#[test]
fn two_agents_do_not_share_a_directory() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    device.run_for_ms(1_000);
    let settings = lapwing_agent::AgentSettings::load(&device.path("agent.toml")).unwrap();
    let mut second = lapwing_agent::Agent::new(settings).unwrap();
    assert!(matches!(second.turn(), Err(lapwing_agent::RunError::AlreadyRunning)));
}

#[test]
fn a_run_returns_when_it_is_cancelled() {
    let mut device = Device::provisioned(&image("good", 0, 100));
    let agent = device.agent();
    agent.handle().cancel();
    assert_eq!(agent.run().unwrap(), lapwing_agent::Ended::Cancelled);
}
