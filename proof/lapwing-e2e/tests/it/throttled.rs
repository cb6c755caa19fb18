//! A server that says when to come back, and an agent that comes back then, over real sockets of both kinds.
//!
//! Touches: `lapwing` for keys, the loopback. The agent's time is a number that jumps; the server's hardly moves.

use anyhow::{Context, Result, bail};
use lapwing_agent::{Agent, AgentSettings, RestartSettings, Slot, Turn};
use lapwing_e2e::{Binaries, Device, Fleet};
use lapwing_server::{Config, Server};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const HOURS: u64 = 5;
/// Turns after which a test has gone astray.
const TURNS_MAX: u32 = 10_000;

#[test]
fn an_agent_comes_back_when_it_was_told_to_by_either_way() -> Result<()> {
    let (folder, binaries, runtime) = (TempDir::new()?, Binaries::find()?, Runtime::new()?);
    let local = "127.0.0.1:0".parse()?;
    let config = Config {
        device_listen: local,
        management_listen: local,
        coap_listen: Some(local),
        check_in_interval_s: 1,
        device_messages_per_hour: 1,
        ..Config::in_dir(folder.path().join("server"))
    };
    let server = runtime.block_on(Server::start(config))?;
    let fleet = Fleet::join(&binaries, folder.path(), server.management_addr())?;
    let image = folder.path().join("image");
    fs::write(&image, [7; 1_000])?;
    fleet.push_image(&image, "1.0.0")?;
    let coap = format!("coap://{}", server.coap_addr().context("find the CoAP address")?);
    for device in
        [fleet.provision_image("by-https", &image)?, fleet.provision_coap("by-coap", &image, &[&coap])?]
    {
        let name = device.dir().file_name().and_then(|name| name.to_str()).context("read its name")?;
        live(&device).with_context(|| name.to_owned())?;
        let rows = fleet.get("/api/v1/access?limit=500")?;
        let rows = rows["requests"].as_array().context("read the access log")?;
        let sent_away = rows.iter().filter(|row| row["device"] == name && row["status"] == 429).count();
        // The first is answered; from the second on it is sent away for an hour each time. Left to itself it would ask
        // every second.
        assert!(
            (HOURS as usize - 1..=HOURS as usize + 1).contains(&sent_away),
            "{name}: {sent_away}\n{rows:?}"
        );
    }
    Ok(())
}

/// Some hours of a device that would like to ask every second.
fn live(device: &Device) -> Result<()> {
    let mut settings = AgentSettings::load(&device.dir().join("agent.toml"))?;
    settings.brain.talking.check_in_interval_ms_max = 1_000;
    (settings.brain.talking.retry_first_ms, settings.brain.talking.retry_max_ms) = (1_000, 1_000);
    settings.measuring.interval_ms = 600_000;
    settings.restart = RestartSettings::Exit;
    settings.slot = Some(Slot::A);
    let uptime_ms = Arc::new(AtomicU64::new(0));
    let clock = uptime_ms.clone();
    let mut agent = Agent::new(settings)?.with_clock(Arc::new(move || clock.load(Ordering::Relaxed)));
    for _ in 0..TURNS_MAX {
        let Turn::Wait(time) = agent.turn()? else { bail!("its run ended") };
        let now_ms = uptime_ms.fetch_add(u64::try_from(time.as_millis())?, Ordering::Relaxed);
        if now_ms > HOURS * 3_600_000 {
            return Ok(());
        }
    }
    bail!("{TURNS_MAX} turns, and {} ms passed", uptime_ms.load(Ordering::Relaxed))
}
