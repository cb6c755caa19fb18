//! An image on which no device starts meets a swarm of device brains over real sockets: its rollout
//! halts by itself, and says why. What takes an hour to show, such as failing health, is the simulator's affair; so
//! is an image that starts on some, as the few of one kind that go first may all be among them.
//!
//! `LAPWING_TEST_SWARM=5000` makes the swarm as large as that.

use crate::counts::say;
use lapwing_e2e::{Binaries, Fleet, Process, wait_until};
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::Duration;

const DEVICES: u32 = 300;
/// Devices that are on their way at once, as long as a release has not proven itself.
const ON_THEIR_WAY_MAX: u64 = 12;
/// Their clocks run so many times as fast as ours.
const PACE: u32 = 60;
/// Check-ins a second.
const CHECK_INS: u32 = 150;
const PATIENCE: Duration = Duration::from_secs(180);
/// Half of all devices are open to it at once, so that nothing but the halt spares them.
const PLAN: &str = r#"
name = "rash"
revision = 1
brakes = "person"
approvals = 0
rate_per_minute = 100000
priority = "feature"

[[phases]]
name = "half"
who = "everyone"
how_many = { share_basis_points = 5000 }
soak_s = 3600
excludes_ppm = 30000
longest_s = 2592000

[[phases]]
name = "all"
who = "everyone"
how_many = { share_basis_points = 10000 }
soak_s = 3600
excludes_ppm = 15000
longest_s = 2592000
"#;

#[test]
fn a_bad_release_to_a_swarm_halts_by_itself_and_says_why() {
    let devices = std::env::var("LAPWING_TEST_SWARM").map_or(DEVICES, |count| count.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let good = file("good", &"a good image ".repeat(5_000));
    let bad = file("bad", &("lapwing-swarm: dies=1000\n".to_owned() + &"a bad image ".repeat(5_000)));
    let plan = file("rash.toml", PLAN).display().to_string();

    let binaries = Binaries::find().unwrap();
    let fleet = Fleet::start_asked_every(devices * PACE / CHECK_INS, &binaries, dir.path()).unwrap();
    let tell = |words: &[&str]| fleet.lapwing(&[words, &fleet.management()].concat()).unwrap();
    fleet.push_image(&good, "1.0.0").unwrap();
    let like = fleet.provision_like(&good, devices).unwrap();
    fleet.hold_image(&bad, "1.1.0").unwrap();
    let mut swarm = Command::new(binaries.program("lapwing-sim"));
    swarm.args(["--swarm", &devices.to_string(), "--pace", &PACE.to_string(), "--like"]).arg(&like);
    let swarm = Process::start(swarm, &dir.path().join("logs/swarm.log")).unwrap();
    let until = |what: &str, mut holds: Box<dyn FnMut() -> bool + '_>| {
        wait_until(PATIENCE, || Ok(holds().then_some(())))
            .unwrap_or_else(|error| panic!("{what}: {error}: {}", swarm.log()));
    };
    until("all are there", Box::new(|| last(&swarm, "claimed") == u64::from(devices)));

    tell(&["plan", "put", &plan]);
    tell(&["rollout", "create", "1.1.0", "--plan", "rash"]);
    tell(&["rollout", "start", "1"]);
    let rollout = || fleet.get("/api/v1/rollouts/1").unwrap();
    until("it halts", Box::new(|| rollout()["state"] == "halted"));

    let halted = rollout();
    let count = |name: &str| halted["counts"][name].as_u64().unwrap();
    assert_eq!(count("group"), u64::from(devices));
    assert!((2..=ON_THEIR_WAY_MAX).contains(&count("granted")), "{halted}");
    assert!(halted["evidence"]["seen"]["failed"].as_u64() >= Some(2), "{halted}");
    let why = tell(&["rollout", "why", "1"]);
    assert!(why.contains("did not come up with the new image"), "{why}");
    assert!(tell(&["rollout", "history", "1"]).contains("rollout.halted"));

    // Whoever has switched by now comes back or stays; nobody follows.
    let asked = last(&swarm, "check-ins");
    until("all ask again", Box::new(|| last(&swarm, "check-ins") >= asked + 2 * u64::from(devices)));
    let at_rest = rollout();
    assert_eq!(at_rest["counts"]["granted"], count("granted"), "it makes no more offers");
    assert!(last(&swarm, "trials") <= ON_THEIR_WAY_MAX, "{}", swarm.log());
    let shown = fleet.get("/api/v1/devices?limit=500").unwrap();
    let waiting = shown["devices"].as_array().unwrap().iter().find(|device| untouched(&fleet, device));
    let id = waiting.expect("most have never heard of it")["id"].as_str().unwrap();
    assert_eq!(fleet.get(&format!("/api/v1/devices/{id}/why")).unwrap()["code"], "rollout-not-running");
    let (granted, came_back) = (count("granted"), last(&swarm, "rolled back"));
    say(&format!("of {devices} devices {granted} were offered it, {came_back} came back; {}", why.trim()));
}

fn untouched(fleet: &Fleet, device: &Value) -> bool {
    let shown = device["id"].as_str().and_then(|id| fleet.get(&format!("/api/v1/devices/{id}")).ok());
    shown.and_then(|shown| Some(shown["attempts"].as_array()?.is_empty())) == Some(true)
}

/// The newest number of this name that the swarm said.
fn last(swarm: &Process, name: &str) -> u64 {
    let log = swarm.log();
    let said = log.rsplit_once(&format!("{name} ")).map(|(_, rest)| rest);
    let digits = said.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
