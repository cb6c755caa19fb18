//! The story that the demo tells: five devices, four updates, two of them bad.
//!
//! Touches: a fleet of real programs. What was expected and what came is kept side by side.
//! Never: stops at the first disappointment; the summary names them all.

use crate::binaries::Binaries;
use crate::device::Device;
use crate::fleet::Fleet;
use crate::process::{not_interrupted, wait_until};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const DEVICES: usize = 5;
/// The version that devices leave the factory with.
const FIRST: &str = "1.0.0";
/// How long one update of the whole fleet may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One release and what must come of it.
struct Chapter {
    version: &'static str,
    about: &'static str,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Confirmed,
    /// Rolled back, with this cause.
    RolledBack(&'static str),
}

const CHAPTERS: &[Chapter] = &[
    Chapter { version: "1.1.0", about: "a good release", ending: Ending::Confirmed },
    Chapter { version: "1.2.0", about: "crashes at its start", ending: Ending::RolledBack("silent-starts") },
    Chapter {
        version: "1.3.0",
        about: "starts, but is unhealthy",
        ending: Ending::RolledBack("health-failed"),
    },
    Chapter { version: "1.4.0", about: "a good release again", ending: Ending::Confirmed },
];

/// Everything that came of it.
#[derive(Debug)]
pub struct Summary {
    chapters: Vec<Value>,
    expectations: Vec<(String, bool)>,
    took: Duration,
}

impl Summary {
    /// Whether everything came as expected.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expectations.iter().all(|(_, holds)| *holds)
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let expectation = |(what, holds): &(String, bool)| json!({"what": what, "holds": holds});
        json!({
            "ok": self.holds(),
            "devices": DEVICES,
            "seconds": seconds(self.took),
            "updates": self.chapters,
            "expectations": self.expectations.iter().map(expectation).collect::<Vec<_>>(),
        })
    }
}

/// Tells the story in `dir`, a line at a time through `say`.
///
/// # Errors
/// When a program cannot be run at all. What went otherwise than expected is in the summary.
pub fn tell(binaries: &Binaries, dir: &Path, say: &mut dyn FnMut(&str)) -> Result<Summary> {
    let start = Instant::now();
    say("A server starts, makes its online key, and is enrolled by keys that it never sees.");
    let fleet = Fleet::start(binaries, dir)?;
    fleet.push(FIRST)?;
    let mut devices = Vec::new();
    for number in 1..=DEVICES {
        let mut device = fleet.provision(&format!("beacon-{number}"), FIRST)?;
        device.start()?;
        devices.push(device);
    }
    let mut summary = Summary { chapters: Vec::new(), expectations: Vec::new(), took: Duration::ZERO };
    wait_until(PATIENCE, || Ok((known_devices(&fleet)? == DEVICES).then_some(())))
        .context("wait for the devices to claim their places")?;
    say(&format!("{DEVICES} devices run {FIRST} and have claimed their places."));
    for chapter in CHAPTERS {
        tell_chapter(chapter, &fleet, &devices, &mut summary, say)?;
    }
    summary.took = start.elapsed();
    Ok(summary)
}

fn tell_chapter(
    chapter: &Chapter,
    fleet: &Fleet,
    devices: &[Device],
    summary: &mut Summary,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    let Chapter { version, about, ending } = chapter;
    let start = Instant::now();
    let pids: Vec<_> = devices.iter().map(Device::program_pid).collect();
    let seen = last_event(fleet)?;
    let full_bytes = fleet.push(version)?;
    let mut events = Vec::new();
    let waited = wait_until(PATIENCE, || {
        events = events_after(fleet, seen)?;
        let done = devices.iter().all(|device| outcome(&events, &device.id).is_some());
        Ok(done.then_some(()))
    });
    not_interrupted()?;
    let outcomes: Vec<_> = devices.iter().map(|device| outcome(&events, &device.id)).collect();
    let as_expected = outcomes.iter().all(|outcome| match ending {
        Ending::Confirmed => matches!(outcome, Some((kind, _)) if kind == "update.confirmed"),
        Ending::RolledBack(cause) => {
            matches!(outcome, Some((kind, Some(why))) if kind == "update.rollback.completed" && why == cause)
        }
    });
    let same_pids = pids.iter().zip(devices).all(|(pid, device)| *pid == device.program_pid());
    let moved: u64 = events.iter().filter_map(downloaded_bytes).sum();
    let each = moved / devices.len() as u64;
    let ends = match ending {
        Ending::Confirmed => "all confirmed",
        Ending::RolledBack(_) => "all came back alone, and said why",
    };
    say(&format!(
        "{version}: {about}. {} of {full_bytes} bytes to each device ({:.1} %). {} in {:.1} s.{}",
        each,
        100.0 * each as f64 / full_bytes as f64,
        if as_expected { ends } else { "NOT AS EXPECTED" },
        seconds(start.elapsed()),
        if *ending == Ending::Confirmed && same_pids { " Same process ids." } else { "" },
    ));
    summary.expectations.push((format!("{version}: {ends}"), as_expected && waited.is_ok()));
    if *ending == Ending::Confirmed {
        summary.expectations.push((format!("{version}: the process ids stay"), same_pids));
    }
    let smaller = each > 0 && each * 2 < full_bytes;
    summary.expectations.push((format!("{version}: a delta moved, not the image"), smaller));
    summary.chapters.push(json!({
        "version": version, "about": about, "as_expected": as_expected, "same_pids": same_pids,
        "bytes_moved_each": each, "full_image_bytes": full_bytes, "seconds": seconds(start.elapsed()),
        "outcomes": outcomes.iter().map(|o| json!(o)).collect::<Vec<_>>(),
    }));
    settled(devices)
}

/// Waits until the way back is closed everywhere, so that the next release finds free slots.
fn settled(devices: &[Device]) -> Result<()> {
    wait_until(PATIENCE, || {
        let mut settled = true;
        for device in devices {
            settled &= device.slot_table()?.phase == lapwing_core::Phase::Settled;
        }
        Ok(settled.then_some(()))
    })
    .context("wait for the last follow-up")
}

fn known_devices(fleet: &Fleet) -> Result<usize> {
    let answer = fleet.get("/api/v1/devices?limit=100")?;
    Ok(answer.get("devices").and_then(Value::as_array).map_or(0, Vec::len))
}

fn last_event(fleet: &Fleet) -> Result<u64> {
    let events = events_after(fleet, 0)?;
    Ok(events.last().and_then(|event| event.get("id")).and_then(Value::as_u64).unwrap_or(0))
}

/// All events after this one, page by page.
fn events_after(fleet: &Fleet, mut after: u64) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let page = fleet.events(after)?;
        let Some(last) = page.last().and_then(|event| event.get("id")).and_then(Value::as_u64) else {
            return Ok(all);
        };
        after = last;
        all.extend(page);
    }
}

/// How the attempt of this device ended, and why, if it has.
fn outcome(events: &[Value], device: &str) -> Option<(String, Option<String>)> {
    let text = |event: &Value, key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
    let ends = ["update.confirmed", "update.rollback.completed", "update.failed"];
    let event = events.iter().rfind(|event| {
        text(event, "device").as_deref() == Some(device)
            && text(event, "name").is_some_and(|kind| ends.contains(&kind.as_str()))
    })?;
    Some((text(event, "name")?, text(event, "cause")))
}

fn downloaded_bytes(event: &Value) -> Option<u64> {
    let completed = event.get("name").and_then(Value::as_str) == Some("update.download.completed");
    completed.then(|| event.get("detail")?.as_str()?.parse().ok()).flatten()
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}
