//! Real devices that ask by CoAP, over a real proxy that loses, delays and reorders what crosses it.
//!
//! Touches: `lapwing serve`, the launcher and the agent, UDP on loopback.

use anyhow::{Context, Result};
use lapwing_core::{Digest, Phase, Slot};
use lapwing_e2e::{Binaries, Device, Fleet, Process, internet_sockets, wait_until};
use lapwing_link::{Air, Proxy, Side};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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

/// An image that becomes the agent, with ballast of its own behind it that is never read.
fn image(folder: &Path, binaries: &Binaries, version: &str) -> Result<PathBuf> {
    let agent = binaries.program("lapwing-agent");
    let mut image =
        format!("#!/bin/sh\nexec {} run --config \"$LAPWING_ROOT/agent.toml\"\n", agent.display());
    let mut digest = Digest::of(version.as_bytes());
    while image.len() < 96 * 1024 {
        digest = Digest::of(digest.as_bytes());
        image.push_str(&format!("# {digest}\n"));
    }
    let path = folder.join(format!("image-{version}"));
    fs::write(&path, image)?;
    Ok(path)
}

/// A fleet with one release, whose devices are to ask every so many seconds, and the image of the next.
pub(crate) fn fleet(folder: &Path, interval_s: u32) -> Result<(Fleet, [PathBuf; 2])> {
    let binaries = Binaries::find()?;
    let fleet = Fleet::start_asked_every(interval_s, &binaries, folder)?;
    let images = [image(folder, &binaries, "1.0.0")?, image(folder, &binaries, "1.1.0")?];
    fleet.push_image(&images[0], "1.0.0")?;
    Ok((fleet, images))
}

/// Answers come within milliseconds here, whatever the first of them is expected to take; and every block is flushed.
pub(crate) fn hurry(device: &Device) -> Result<()> {
    let path = device.dir().join("agent.toml");
    let config = fs::read_to_string(&path)?;
    let more = "[coap]\nfirst_timer_ms = 500\n[http]\nstall_timeout_ms = 2000\nexchange_timeout_ms = 2000\n";
    Ok(fs::write(path, format!("checkpoint_bytes = 1024\n{config}\n{more}"))?)
}

pub(crate) fn updated(device: &Device) -> Result<Option<()>> {
    let table = device.slot_table()?;
    let both = fs::metadata(device.dir().join("slots/b/image")).is_ok();
    Ok((both && table.active == Slot::B && table.phase != Phase::Trial).then_some(()))
}

#[test]
fn a_device_updates_over_coap_through_loss_and_no_packet_is_too_large() -> Result<()> {
    let folder = TempDir::new()?;
    let (fleet, [old, new]) = fleet(folder.path(), 1)?;
    let proxy = Proxy::start(fleet.coap_addr()?, rough(50), 1)?;
    let server = format!("coap://{}", proxy.address());
    let mut device = fleet.provision_coap("thin-1", &old, &[&server])?;
    hurry(&device)?;
    device.start()?;
    fleet.push_image(&new, "1.1.0")?;
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())?;
    let confirmed = || {
        let events = fleet.events(0)?;
        Ok(events.iter().any(|event| event["name"] == "update.confirmed").then_some(()))
    };
    wait_until(PATIENCE, confirmed).context("wait for the report")?;
    let largest = [Side::Device, Side::Server].map(|side| proxy.counters(side).largest_bytes);
    assert!(largest.iter().all(|bytes| (1..=1_280).contains(bytes)), "{largest:?}");
    Ok(())
}

#[test]
fn a_download_begun_over_coap_is_finished_over_https_when_the_link_goes() -> Result<()> {
    let folder = TempDir::new()?;
    let (fleet, [old, new]) = fleet(folder.path(), 1)?;
    let proxy = Proxy::start(fleet.coap_addr()?, Air { rate_bps: 400_000, ..rough(0) }, 1)?;
    let (coap, https) = (format!("coap://{}", proxy.address()), format!("https://{}", fleet.device_addr()));
    let mut device = fleet.provision_coap("thin-1", &old, &[&coap, &https])?;
    hurry(&device)?;
    device.start()?;
    fleet.push_image(&new, "1.1.0")?;
    wait_until(PATIENCE, || Ok((stored_blocks(&device) > 8).then_some(())))
        .with_context(|| format!("wait for the first blocks: {}", device.log()))?;
    drop(proxy);
    assert!(stored_blocks(&device) > 8, "it is still under way");
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())?;
    Ok(())
}

#[test]
fn an_agent_holds_no_socket_between_check_ins_over_coap_or_https() -> Result<()> {
    let folder = TempDir::new()?;
    let (fleet, [image, _]) = fleet(folder.path(), 3_600)?;
    let proxy = Proxy::start(fleet.coap_addr()?, rough(0), 1)?;
    let (coap, https) = (format!("coap://{}", proxy.address()), format!("https://{}", fleet.device_addr()));
    for (id, server) in [("by-coap", coap), ("by-https", https)] {
        let device = fleet.provision_coap(id, &image, &[&server])?;
        let config = device.dir().join("agent.toml");
        let text = fs::read_to_string(&config)?;
        fs::write(&config, text.replace("check_in_interval_ms = 1000", "check_in_interval_ms = 3600000"))?;
        let mut command = Command::new(Binaries::find()?.program("lapwing-agent"));
        command.args(["run", "--config"]).arg(&config);
        let mut agent = Process::start(command, &folder.path().join(format!("{id}.agent")))?;
        let seen = || {
            Ok(fleet.get(&format!("/api/v1/devices/{id}"))?["last_seen"].as_u64().filter(|seen| *seen > 0))
        };
        wait_until(PATIENCE, seen).with_context(|| agent.log())?;
        let closed = || Ok((internet_sockets(agent.pid()) == 0).then_some(()));
        wait_until(PATIENCE, closed).with_context(|| format!("{id} keeps a socket open"))?;
        agent.kill()?;
    }
    Ok(())
}

/// Blocks of the artifact that are marked as stored: the bits behind the head of 48 bytes, but for the counter.
fn stored_blocks(device: &Device) -> u32 {
    let blocks = fs::read(device.dir().join("artifact/blocks")).unwrap_or_default();
    let bitmap = blocks.get(48..blocks.len().saturating_sub(16)).unwrap_or_default();
    bitmap.iter().map(|byte| byte.count_ones()).sum()
}
