//! The real programs with a relay between them that cuts connections where a seed says.
//!
//! Touches: loopback sockets, programs that it starts. What passes is encrypted; the relay only counts.

use crate::agent_image::push;
use crate::counts::say;
use anyhow::{Context, Result};
use lapwing_e2e::{Binaries, Fleet, wait_until};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(180);
const SEED: u64 = 20_261_121;
const CUTS: u64 = 200;
const IMAGE_BYTES: usize = 6 * 1024 * 1024;
/// A connection to be cut lives for at most so many bytes from the server.
const LIFE_BYTES_MAX: u64 = 48 * 1024;
/// What a connection may cost besides what it brings: a handshake, heads, and the TLS record that was under
/// way when it was cut.
const CONNECTION_COST_BYTES: u64 = 20 * 1024;

/// What has passed from the server to the device.
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    connections: u64,
    cuts: u64,
    moved_bytes: u64,
}

/// Listens for the device, and passes on to the server.
struct Relay {
    address: SocketAddr,
    traffic: Arc<Mutex<Traffic>>,
}

impl Relay {
    fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let relay = Self { address: listener.local_addr()?, traffic: Arc::default() };
        let traffic = relay.traffic.clone();
        thread::spawn(move || {
            let mut state = SEED;
            for device in listener.incoming().map_while(Result::ok) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let life_bytes = 1 + (state >> 32) % LIFE_BYTES_MAX;
                if let Ok(server) = TcpStream::connect(server) {
                    traffic.lock().unwrap().connections += 1;
                    let traffic = traffic.clone();
                    thread::spawn(move || connection(device, server, life_bytes, &traffic));
                }
            }
        });
        Ok(relay)
    }
}

/// Passes on until one side ends, or its life does while there are cuts to make.
fn connection(device: TcpStream, server: TcpStream, life_bytes: u64, traffic: &Mutex<Traffic>) {
    let ends = [device.try_clone().unwrap(), server.try_clone().unwrap()];
    let [mut questions, mut onwards] = [device.try_clone().unwrap(), server.try_clone().unwrap()];
    let asking = thread::spawn(move || std::io::copy(&mut questions, &mut onwards));
    let (mut answers, mut back) = (server, device);
    let (mut left, mut piece) = (life_bytes, [0; 4096]);
    while let Ok(length @ 1..) = answers.read(&mut piece) {
        let mut now = traffic.lock().unwrap();
        let is_last = now.cuts < CUTS && length as u64 >= left;
        let through = if is_last { left } else { length as u64 };
        now.cuts += u64::from(is_last);
        now.moved_bytes += through;
        drop(now);
        let through = &piece[..usize::try_from(through).unwrap()];
        if back.write_all(through).is_err() || is_last {
            break;
        }
        left = left.saturating_sub(length as u64).max(1);
    }
    ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
    let _ = asking.join().unwrap();
}

#[test]
fn two_hundred_cut_connections_cost_no_more_than_they_must() {
    let (folder, binaries) = (TempDir::new().unwrap(), Binaries::find().unwrap());
    let fleet = Fleet::start(&binaries, &folder.path().join("fleet")).unwrap();
    let push = |version| push(&fleet, &binaries, folder.path(), (version, IMAGE_BYTES)).unwrap();
    let mut device = fleet.provision_image("device-1", &push("1.0.0")).unwrap();
    let config = device.dir().join("agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    let (_, rest) = text.split_once("https://localhost:").unwrap();
    let (port, _) = rest.split_once('"').unwrap();
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))).unwrap();
    let behind = format!("localhost:{}", relay.address.port());
    fs::write(&config, text.replace(&format!("localhost:{port}"), &behind)).unwrap();
    push("1.1.0");
    device.start().unwrap();
    let confirmed = || {
        let events = fleet.events(0)?;
        let name = |event: &serde_json::Value| event.get("name")?.as_str().map(str::to_owned);
        Ok(events.iter().any(|event| name(event).as_deref() == Some("update.confirmed")).then_some(()))
    };
    wait_until(PATIENCE, confirmed).with_context(|| device.log()).unwrap();
    let Traffic { connections, cuts, moved_bytes } = *relay.traffic.lock().unwrap();
    say(&format!(
        "real programs: {IMAGE_BYTES} bytes over {connections} connections, {cuts} of them cut, {moved_bytes} bytes moved"
    ));
    assert_eq!(cuts, CUTS, "the update ended before all cuts were made");
    assert!(moved_bytes <= IMAGE_BYTES as u64 + 64 * 1024 + connections * CONNECTION_COST_BYTES);
}
