//! Devices that are called: they would sleep for an hour, and update at once.
//!
//! Touches: `lapwing serve`, the launcher and the agent, Mosquitto where there is one, loopback.

use crate::coap::{fleet, hurry, updated};
use anyhow::{Context, Result, ensure};
use lapwing_device::limits::CALLS_MAX;
use lapwing_e2e::{Binaries, Device, Fleet, Process, wait_until};
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Far below the hour after which the device would ask by itself.
const PATIENCE: Duration = Duration::from_secs(120);
const BROKER: &str = "/usr/sbin/mosquitto";
/// A loopback address of its own.
const ADDRESS: &str = "127.0.0.78";
const LOGIN: [&str; 2] = ["lapwing", "p:ss"];
/// Forged calls at once.
const FLOOD: usize = 200;

/// Starts a device that asks once an hour, and listens meanwhile as `wake` says.
fn sleeps(device: &mut Device, wake: &str) -> Result<()> {
    let path = device.dir().join("agent.toml");
    let config = fs::read_to_string(&path)?;
    let slow = config.replace("check_in_interval_ms = 1000", "check_in_interval_ms = 3600000");
    fs::write(path, format!("wake = {wake}\n{slow}"))?;
    device.start()?;
    wait_until(PATIENCE, || Ok(device.log().contains("listening for calls").then_some(())))
        .with_context(|| device.log())
}

fn update_now(fleet: &Fleet, device: &Device) -> Result<()> {
    fleet.lapwing(&[&["device", "update-now", &device.id][..], &fleet.management()].concat()).map(drop)
}

#[test]
fn update_now_wakes_a_device_that_observes() -> Result<()> {
    let folder = TempDir::new()?;
    let (fleet, [old, new]) = fleet(folder.path(), 3_600)?;
    let server = format!("coap://{}", fleet.coap_addr()?);
    let mut device = fleet.provision_coap("sleeper", &old, &[&server])?;
    hurry(&device)?;
    sleeps(&mut device, "\"observe\"")?;
    fleet.push_image(&new, "1.1.0")?;
    update_now(&fleet, &device)?;
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())
}

/// A broker that wants a login: plain for those on this machine, and with TLS under the server's key, which devices
/// know from their root document.
struct Broker {
    _process: Process,
    plain: u16,
    tls: u16,
}

impl Broker {
    fn start(folder: &Path) -> Result<Option<Self>> {
        if !Path::new(BROKER).exists() {
            eprintln!("!!! SKIPPED: no Mosquitto here; `cargo xtask test --only e2e` brings one");
            return Ok(None);
        }
        // The system chooses the ports; nobody else is told of them in the moment between.
        let held = [TcpListener::bind((ADDRESS, 0))?, TcpListener::bind((ADDRESS, 0))?];
        let [plain, tls] = [held[0].local_addr()?.port(), held[1].local_addr()?.port()];
        drop(held);
        let (passwords, config) = (folder.join("passwords"), folder.join("mosquitto.conf"));
        let made =
            Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(LOGIN).status()?;
        ensure!(made.success(), "make the broker's passwords");
        let (passwords, keys) = (passwords.display(), folder.join("server/tls").display().to_string());
        // It stays who we are: anybody else may not be let into the folder for temporary files.
        let text = format!(
            "user root\npassword_file {passwords}\nlistener {plain} {ADDRESS}\nlistener {tls} {ADDRESS}\n\
             certfile {keys}/certificate.pem\nkeyfile {keys}/key.pem\n"
        );
        fs::write(&config, text)?;
        let mut command = Command::new(BROKER);
        command.arg("-c").arg(&config);
        let process = Process::start(command, &folder.join("mosquitto.log"))?;
        wait_until(PATIENCE, || Ok(TcpStream::connect((ADDRESS, tls)).ok().map(drop)))
            .with_context(|| process.log())?;
        Ok(Some(Self { _process: process, plain, tls }))
    }

    /// Publishes so many calls for the device, as anybody with a login can; when this returns the broker has them.
    fn forge(&self, device: &Device, count: usize) -> Result<()> {
        let topic = format!("fleet/{}/wake", device.id);
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", ADDRESS, "-p", &self.plain.to_string(), "-u", LOGIN[0], "-P", LOGIN[1]]);
        command.args(["-q", "1", "-t", &topic, "-l"]).stdin(Stdio::piped());
        let mut forger = command.spawn()?;
        let lines = "erase everything\n".repeat(count);
        forger.stdin.take().context("write to the forger")?.write_all(lines.as_bytes())?;
        ensure!(forger.wait()?.success(), "publish");
        Ok(())
    }
}

/// A fleet that calls by a broker, and a device that listens there.
fn by_broker(folder: &Path) -> Result<Option<(Fleet, Broker, Device)>> {
    let (mut fleet, [old, _]) = fleet(folder, 3_600)?;
    let Some(broker) = Broker::start(folder)? else { return Ok(None) };
    fleet.kill_server()?;
    let (config, login) = (folder.join("server.toml"), folder.join("broker-login"));
    fs::write(&login, format!("{}:{}\n", LOGIN[0], LOGIN[1]))?;
    let mut config = fs::File::options().append(true).open(config)?;
    writeln!(config, "wake_broker = \"mqtt://{ADDRESS}:{}/fleet\"", broker.plain)?;
    writeln!(config, "wake_broker_login_file = {login:?}")?;
    fleet.start_server()?;
    let mut device = fleet.provision_image("sleeper", &old)?;
    fs::copy(&login, device.dir().join("broker-login"))?;
    sleeps(&mut device, &format!("{{ mqtt = \"mqtts://{ADDRESS}:{}/fleet\" }}", broker.tls))?;
    Ok(Some((fleet, broker, device)))
}

#[test]
fn update_now_wakes_a_device_that_listens_at_a_broker() -> Result<()> {
    let folder = TempDir::new()?;
    let Some((fleet, _broker, device)) = by_broker(folder.path())? else { return Ok(()) };
    fleet.push_image(&folder.path().join("image-1.1.0"), "1.1.0")?;
    update_now(&fleet, &device)?;
    wait_until(PATIENCE, || updated(&device)).with_context(|| device.log())
}

#[test]
fn forged_calls_bring_as_many_check_ins_as_the_limit_says() -> Result<()> {
    let folder = TempDir::new()?;
    let Some((fleet, broker, device)) = by_broker(folder.path())? else { return Ok(()) };
    let agent = Binaries::find()?.program("lapwing-agent");
    let check_ins = || -> Result<u64> {
        let text = fleet.text("/metrics")?;
        let counted =
            text.lines().find_map(|line| line.strip_prefix("updater_heartbeats_total{result=\"ok\"} "));
        Ok(counted.unwrap_or("0").parse()?)
    };
    let reach = |count| {
        let reached = || Ok((check_ins()? >= count).then_some(()));
        wait_until(PATIENCE, reached).with_context(|| format!("wait for {count} check-ins: {}", device.log()))
    };
    // What it said before it listened.
    let begun = check_ins()?;
    ensure!(begun > 0);
    for followed in 1..=CALLS_MAX {
        broker.forge(&device, 1)?;
        reach(begun + followed)?;
    }
    for asked in 1..=3 {
        broker.forge(&device, FLOOD)?;
        // Somebody at the device is heard all the same.
        let config = device.dir().join("agent.toml");
        let triggered = Command::new(&agent).args(["trigger", "--config"]).arg(config).status()?;
        ensure!(triggered.success());
        reach(begun + CALLS_MAX + asked)?;
        assert_eq!(check_ins()?, begun + CALLS_MAX + asked, "{}", device.log());
    }
    Ok(())
}
