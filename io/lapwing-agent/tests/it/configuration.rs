//! `agent.toml`: what is refused, and that the reference knows every key.

use lapwing_agent::{AgentSettings, ConfigError, WakeSettings};
use std::path::Path;

const LEAST: &str = "device_id = \"a\"\nhardware = \"0102030405060708090a0b0c0d0e0f10/0102030405060708090a0b0c0d0e0f10\"\n\
                     servers = [\"https://example.org\"]\n";

fn parse(further: &str) -> Result<AgentSettings, ConfigError> {
    AgentSettings::parse(&format!("{LEAST}{further}"), Path::new("/device"))
}

#[test]
fn the_least_configuration_has_the_defaults_of_the_brain() {
    let settings = parse("").unwrap();
    assert_eq!(settings.device_dir, Path::new("/device"));
    assert_eq!(settings.brain.talking, lapwing_device::Talking::default());
    assert_eq!(settings.brain.trial, lapwing_device::Trial::default());
    assert_eq!(settings.brain.tries, lapwing_device::Tries::default());
    assert_eq!(settings.brain.versions, lapwing_device::VersionPolicy::default());
    assert_eq!(settings.brain.battery_floor_mv, 3_300);
}

#[test]
fn unknown_keys_are_refused_on_every_level() {
    for further in
        ["check_in_interval_ms = 1\n", "[talking]\nretry_ms = 1\n", "[trials]\n", "[restart]\nwho = \"x\"\n"]
    {
        assert!(matches!(parse(further), Err(ConfigError::Parse(_))), "{further}");
    }
}

#[test]
fn values_out_of_range_are_refused_with_the_name_of_their_key() {
    let check = |further: &str, expected: &str| match parse(further) {
        Err(ConfigError::Value { key, .. }) => assert_eq!(key, expected),
        other => panic!("{further}: {other:?}"),
    };
    check("memory_profile = \"2MiB\"\n", "memory_profile");
    check("component = \"a/b\"\n", "component");
    check("checkpoint_bytes = 10\n", "checkpoint_bytes");
    check("[talking]\nretry_first_ms = 10000\nretry_max_ms = 100\n", "retry_max_ms");
    check("[trial]\nfollow_ups_ms = [3, 2, 1]\n", "follow_ups_ms");
    check("[trial]\nfollow_ups_ms = [1, 2]\n", "follow_ups_ms");
    check("[trial]\nhealthy_min_ms = 1000\ndeadline_ms = 10\n", "deadline_ms");
    check("[versions]\nlargest_step = \"huge\"\n", "largest_step");
    check("wake = \"observe\"\n", "wake");
    check("[measuring]\ninterval_ms = 1\n", "interval_ms");
    check("[measuring]\nhealth_command = []\n", "health_command");
    check("[restart]\nhow = \"reboot\"\n", "how");
    check("[restart]\nhow = \"command\"\n", "command");
    check("[restart]\ncommand = [\"true\"]\n", "command");
    check(&format!("[facts]\n{} = \"x\"\n", "n".repeat(99)), "facts");
}

#[test]
fn a_way_to_be_called_is_one_that_this_build_has() {
    assert_eq!(parse("").unwrap().wake, None);
    let by_coap = LEAST.replace("https", "coap");
    let observed = AgentSettings::parse(&format!("{by_coap}wake = \"observe\"\n"), Path::new("/device"));
    assert_eq!(observed.unwrap().wake, Some(WakeSettings::Observe));
    let resting =
        format!("{by_coap}wake = \"observe\"\n[talking]\nawake_ms = 10000\nawake_every_ms = 60000\n");
    let resting = AgentSettings::parse(&resting, Path::new("/device"));
    assert!(matches!(resting, Err(ConfigError::Value { key: "wake", .. })), "who sleeps hears no calls");
    let at_broker = |url: &str| parse(&format!("wake = {{ mqtt = \"{url}\" }}\n")).is_ok();
    assert_eq!(at_broker("mqtts://broker.example/fleet"), cfg!(feature = "wake-mqtt"));
    assert!(!at_broker("mqtt://broker.example/fleet"));
    assert!(parse("wake = \"shout\"\n").is_err());
}

#[test]
fn plain_http_to_another_machine_has_to_be_asked_for() {
    let with_server = |url: &str, further: &str| {
        let text = LEAST.replace("https://example.org", url);
        AgentSettings::parse(&format!("{text}{further}"), Path::new("/device"))
    };
    assert!(with_server("http://127.0.0.1:8080", "").is_ok());
    assert!(with_server("http://example.org", "").is_err());
    assert!(with_server("http://example.org", "insecure_http = true\n").is_ok());
}
