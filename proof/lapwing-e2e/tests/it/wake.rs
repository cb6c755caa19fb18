//! Devices that are called: they would sleep for an hour, and update at once.
//!
//! Touches: `lapwing serve`, the launcher and the agent, UDP on loopback.

use crate::coap::{fleet, hurry, updated};
use anyhow::{Context, Result};
use lapwing_e2e::{Device, Fleet, wait_until};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Far below the hour after which the device would ask by itself.
const PATIENCE: Duration = Duration::from_secs(120);

/// A device that asks once an hour, and listens meanwhile as `wake` says.
fn sleeper(fleet: &Fleet, image: &PathBuf, wake: &str) -> Result<Device> {
    let mut device = fleet.provision_coap("sleeper", image, &[&format!("coap://{}", fleet.coap_addr()?)])?;
    hurry(&device)?;
    let path = device.dir().join("agent.toml");
    let config = fs::read_to_string(&path)?;
    let slow = config.replace("check_in_interval_ms = 1000", "check_in_interval_ms = 3600000");
    fs::write(path, format!("wake = {wake}\n{slow}"))?;
    device.start()?;
    wait_until(PATIENCE, || Ok(device.log().contains("listening for calls").then_some(())))
        .with_context(|| device.log())?;
    Ok(device)
}

fn update_now(fleet: &Fleet, device: &Device) -> Result<()> {
    fleet.lapwing(&[&["device", "update-now", &device.id][..], &fleet.management()].concat()).map(drop)
}

#[test]
fn update_now_wakes_a_device_that_observes() -> Result<()> {
    let folder = TempDir::new()?;
    let (fleet, [old, new]) = fleet(folder.path(), 3_600)?;
    let device = sleeper(&fleet, &old, "\"observe\"")?;
    fleet.push_image(&new, "1.1.0")?;
    update_now(&fleet, &device)?;
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())
}
