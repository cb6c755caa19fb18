//! kill -9 at random instants: of programs, of whole devices, of the server, while updates go on.
//!
//! Touches: a fleet of real programs; everything chosen comes from one seed, the instants do not.
//! What must hold after every kill: each device has a slot table and images that were released for it.

use crate::binaries::Binaries;
use crate::device::Device;
use crate::fleet::Fleet;
use crate::process::{signal, wait_until};
use anyhow::{Context, Result, ensure};
use lapwing_core::{Digest, Phase, SlotState};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

const DEVICES: usize = 4;
/// Images that are released over and over, each time as a new version.
const IMAGES: &[&str] = &["1.0.0", "1.1.0", "1.4.0"];
/// Kills from one release to the next.
const KILLS_A_RELEASE: u32 = 10;
/// Longest pause between two kills.
const PAUSE_MS_MAX: u64 = 120;
/// How long a fleet in peace may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was killed, and what came of it.
#[derive(Debug, Default)]
pub struct Toll {
    /// Programs, with the agent in them.
    pub programs: u32,
    /// Whole devices: launcher and program at once.
    pub devices: u32,
    /// Servers.
    pub servers: u32,
    /// Releases shipped meanwhile.
    pub releases: u32,
    /// Attempts that the server knows of, each with exactly one outcome.
    pub attempts: u32,
}

/// Kills `count` times, then lets the fleet come to rest and takes stock.
///
/// # Errors
/// The first thing that did not hold, with the seed that chose the victims.
pub fn kill_at_random(binaries: &Binaries, dir: &Path, seed: u64, count: u32) -> Result<Toll> {
    let mut chaos = Chaos::begin(binaries, dir, seed)?;
    chaos.kill_all(count).and_then(|()| chaos.come_to_rest()).with_context(|| format!("seed {seed}"))?;
    Ok(chaos.toll)
}

struct Chaos {
    binaries: Binaries,
    fleet: Fleet,
    devices: Vec<Device>,
    released: HashSet<Digest>,
    dice: Dice,
    toll: Toll,
}

impl Chaos {
    fn begin(binaries: &Binaries, dir: &Path, seed: u64) -> Result<Self> {
        let fleet = Fleet::start(binaries, dir)?;
        let mut released = HashSet::new();
        for image in IMAGES {
            released.insert(Digest::of(&fs::read(binaries.beacon(image)?)?));
        }
        fleet.push(IMAGES[0])?;
        let mut devices = Vec::new();
        for number in 1..=DEVICES {
            let mut device = fleet.provision(&format!("victim-{number}"), IMAGES[0])?;
            device.start()?;
            devices.push(device);
        }
        let binaries = binaries.clone();
        Ok(Self { binaries, fleet, devices, released, dice: Dice(seed), toll: Toll::default() })
    }

    fn kill_all(&mut self, count: u32) -> Result<()> {
        for kill in 0..count {
            // Often enough that kills meet every part of an update, seldom enough that some come through.
            if kill % KILLS_A_RELEASE == 0 {
                self.ship()?;
            }
            std::thread::park_timeout(Duration::from_millis(self.dice.below(PAUSE_MS_MAX)));
            let victim = self.dice.below(DEVICES as u64) as usize;
            match self.dice.below(10) {
                0 => {
                    self.fleet.kill_server()?;
                    self.fleet.start_server()?;
                    self.toll.servers += 1;
                }
                1..=3 => {
                    let device = &mut self.devices[victim];
                    device.cut_power()?;
                    device.start()?;
                    self.toll.devices += 1;
                }
                _ => {
                    if let Some(pid) = self.devices[victim].program_pid() {
                        signal(pid, "KILL");
                    }
                    self.toll.programs += 1;
                }
            }
            self.nobody_is_a_brick()?;
        }
        Ok(())
    }

    fn ship(&mut self) -> Result<()> {
        self.toll.releases += 1;
        self.fleet.push_as(self.image(), &format!("2.0.{}", self.toll.releases)).map(drop)
    }

    /// Whether every device could take another release.
    fn nobody_updates(&self) -> Result<bool> {
        let mut rest = true;
        for device in &self.devices {
            let table = device.slot_table()?;
            let spare = table.slot(table.active.other()).state;
            rest &= table.phase == Phase::Settled && spare != SlotState::Writing;
        }
        Ok(rest)
    }

    fn nobody_is_a_brick(&self) -> Result<()> {
        for device in &self.devices {
            let table = device.slot_table()?;
            let image = device.image(table.active)?;
            ensure!(
                self.released.contains(&image),
                "{} would start {image}, which nobody released",
                device.id
            );
        }
        Ok(())
    }

    /// Ships one last release in peace: everybody must end up on its image, and no outcome may be missing.
    fn come_to_rest(&mut self) -> Result<()> {
        wait_until(PATIENCE, || Ok(self.nobody_updates()?.then_some(()))).context("wait for peace")?;
        self.ship()?;
        let image = Digest::of(&fs::read(self.binaries.beacon(self.image())?)?);
        for device in &self.devices {
            let rests = || {
                let table = device.slot_table()?;
                let there = table.slot(table.active).image == image && table.phase == Phase::Settled;
                Ok(if there { all_ended(&self.fleet, &device.id)? } else { None })
            };
            let attempts = wait_until(PATIENCE, rests).with_context(|| {
                let attempts = attempts_of(&self.fleet, &device.id).unwrap_or_default();
                format!("wait until {} rests on the last release: {attempts:?}", device.id)
            })?;
            self.toll.attempts += attempts;
        }
        self.nobody_is_a_brick()
    }

    fn image(&self) -> &'static str {
        IMAGES[self.toll.releases as usize % IMAGES.len()]
    }
}

fn attempts_of(fleet: &Fleet, id: &str) -> Result<Vec<(String, String)>> {
    let shown = fleet.get(&format!("/api/v1/devices/{id}"))?;
    let text = |attempt: &Value, key: &str| attempt.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let attempts = shown.get("attempts").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(attempts.iter().map(|attempt| (text(attempt, "version"), text(attempt, "state"))).collect())
}

/// How many attempts this device has had, if all of them have ended.
fn all_ended(fleet: &Fleet, id: &str) -> Result<Option<u32>> {
    let ends = ["confirmed", "failed", "rolled-back", "timed-out", "cancelled", "superseded", "declined"];
    let attempts = attempts_of(fleet, id)?;
    let ended = attempts.iter().all(|(_, state)| ends.contains(&state.as_str()));
    Ok(ended.then_some(attempts.len() as u32))
}

/// Chooses, from one seed. SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}
