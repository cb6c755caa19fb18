//! Real devices that ask by CoAP, over a real proxy that loses, delays and reorders what crosses it.
//!
//! Touches: `lapwing serve`, the launcher and the beacon, UDP on loopback.

use anyhow::{Context, Result};
use lapwing_core::Slot;
use lapwing_e2e::{Binaries, Device, Fleet, wait_until};
use lapwing_link::{Air, Proxy, Side};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);

/// A link that is bad in every way, and fast, so that a test does not take as long as a radio would.
fn rough(loss_permille: u16) -> Air {
    Air {
        jitter_ms: 10,
        reorder_permille: 30,
        duplicate_permille: 30,
        ..Air::nb_iot(20_000_000, 20, loss_permille)
    }
}

/// Answers come within milliseconds here, whatever the first of them is expected to take.
fn hurry(device: &Device) -> Result<()> {
    let path = device.dir().join("agent.toml");
    let config = fs::read_to_string(&path)?;
    Ok(fs::write(path, format!("{config}\n[coap]\nfirst_timer_ms = 500\n"))?)
}

fn updated(device: &Device) -> Result<Option<()>> {
    let table = device.slot_table()?;
    let both = fs::metadata(device.dir().join("slots/b/image")).is_ok();
    Ok((both && table.active == Slot::B && table.confirmed == Slot::B).then_some(()))
}

#[test]
fn a_device_updates_over_coap_through_loss_and_opens_no_other_way() -> Result<()> {
    let (folder, binaries) = (TempDir::new()?, Binaries::find()?);
    let fleet = Fleet::start(&binaries, folder.path())?;
    fleet.push("1.0.0")?;
    let proxy = Proxy::start(fleet.coap_addr()?, rough(50), 1)?;
    let server = format!("coap://{}", proxy.address());
    let mut device = fleet.provision_coap("thin-1", "1.0.0", &[&server])?;
    hurry(&device)?;
    device.start()?;
    fleet.push("1.1.0")?;
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())?;
    let events = || fleet.events(0);
    let confirmed = || Ok(events()?.iter().any(|event| event["name"] == "update.confirmed").then_some(()));
    wait_until(PATIENCE, confirmed).context("wait for the report")?;
    let counters = [Side::Device, Side::Server].map(|side| proxy.counters(side));
    assert!(counters.iter().all(|counters| counters.oversized == 0 && counters.largest_bytes <= 1_280));
    Ok(())
}

#[test]
fn a_download_begun_over_coap_is_finished_over_https_when_the_link_goes() -> Result<()> {
    let (folder, binaries) = (TempDir::new()?, Binaries::find()?);
    let fleet = Fleet::start(&binaries, folder.path())?;
    fleet.push("1.0.0")?;
    let proxy = Proxy::start(fleet.coap_addr()?, Air { rate_bps: 400_000, ..rough(0) }, 1)?;
    let (coap, https) = (format!("coap://{}", proxy.address()), format!("https://{}", fleet.device_addr()));
    let mut device = fleet.provision_coap("thin-1", "1.0.0", &[&coap, &https])?;
    hurry(&device)?;
    let path = device.dir().join("agent.toml");
    let config = fs::read_to_string(&path)?;
    fs::write(path, format!("{config}\n[http]\nstall_timeout_ms = 2000\nexchange_timeout_ms = 2000\n"))?;
    device.start()?;
    fleet.push("1.1.0")?;
    let stored = || Ok((stored_blocks(&device) > 8).then_some(()));
    wait_until(PATIENCE, stored).context("wait for the first blocks")?;
    let before = proxy.counters(Side::Device).bytes;
    drop(proxy);
    let begun = stored_blocks(&device);
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())?;
    assert!(begun > 8 && before > 8 * 1_024, "{begun} blocks, {before} bytes");
    Ok(())
}

/// Blocks of the artifact that are marked as stored: the bits behind the head of 48 bytes, but for the counter.
fn stored_blocks(device: &Device) -> u32 {
    let blocks = fs::read(device.dir().join("artifact/blocks")).unwrap_or_default();
    let bitmap = blocks.get(48..blocks.len().saturating_sub(16)).unwrap_or_default();
    bitmap.iter().map(|byte| byte.count_ones()).sum()
}
