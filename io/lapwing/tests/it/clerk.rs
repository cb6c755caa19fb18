//! A management plane that remembers what it was told, and misbehaves when asked to.
//!
//! Touches: a loopback port of the system's choosing, a thread that ends with the test.

use lapwing_core::Digest;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The token it wants.
pub(crate) const TOKEN: &str = "a-token-for-tests";
/// The online key it shows.
pub(crate) const ONLINE: [u8; 32] = [0x22; 32];
/// The TLS key it shows.
pub(crate) const TLS: [u8; 32] = [0x33; 32];

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Desk {
    asked: Vec<Asked>,
    sets: Vec<Value>,
    devices: Vec<Value>,
    fleet: Option<String>,
    root_version: u32,
    delegation_version: u32,
    /// Publishes the next version set and then hangs up instead of answering.
    lose_an_answer: bool,
}

/// The clerk.
pub(crate) struct Clerk {
    pub(crate) url: String,
    desk: Arc<Mutex<Desk>>,
}

impl Clerk {
    /// Opens the door.
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Mutex::new(Desk::default()));
        let behind = Arc::clone(&desk);
        std::thread::spawn(move || {
            for visitor in listener.incoming() {
                serve(&visitor.unwrap(), &behind);
            }
        });
        Self { url, desk }
    }

    /// Everything it was asked so far whose line begins like this.
    pub(crate) fn asked(&self, begins: &str) -> Vec<Asked> {
        let desk = self.desk.lock().unwrap();
        desk.asked.iter().filter(|asked| asked.line.starts_with(begins)).cloned().collect()
    }

    /// The releases it published, by version and seq.
    pub(crate) fn published(&self) -> Vec<(String, u64)> {
        let desk = self.desk.lock().unwrap();
        let releases = desk.sets.iter().flat_map(|set| set["releases"].as_array().unwrap().clone());
        releases
            .map(|release| {
                (release["version"].as_str().unwrap().to_owned(), release["seq"].as_u64().unwrap())
            })
            .collect()
    }

    /// From here on, it knows these devices.
    pub(crate) fn know(&self, devices: impl IntoIterator<Item = Value>) {
        self.desk.lock().unwrap().devices = devices.into_iter().collect();
    }

    pub(crate) fn lose_an_answer(&self) {
        self.desk.lock().unwrap().lose_an_answer = true;
    }
}

fn serve(visitor: &TcpStream, desk: &Mutex<Desk>) {
    let mut reader = BufReader::new(visitor);
    let (mut line, mut length, mut allowed, mut patient) = (String::new(), 0, false, false);
    reader.read_line(&mut line).unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim_end().to_owned();
        let Some((name, value)) = header.split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => allowed = value == format!("Bearer {TOKEN}"),
            "expect" => patient = true,
            _ => {}
        }
    }
    let mut visitor = visitor;
    if patient && allowed {
        visitor.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    let mut body = vec![0; if patient && !allowed { 0 } else { length }];
    reader.read_exact(&mut body).unwrap();
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let (status, answer) = match allowed {
        true => answer(&mut desk.lock().unwrap(), &line, &body),
        false => (401, json!({ "detail": "no such token" })),
    };
    if status == 0 {
        return;
    }
    let text = answer.to_string();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    let _ = visitor.write_all((head + &text).as_bytes());
}

fn answer(desk: &mut Desk, line: &str, body: &[u8]) -> (u16, Value) {
    desk.asked.push(Asked { line: line.to_owned(), body: body.to_vec() });
    match line {
        "GET /api/v1/identity" => (200, identity(desk)),
        "PUT /api/v1/trust/root" => {
            let envelope = lapwing_core::envelope::Envelope::parse(body).unwrap();
            let root: lapwing_core::trust::Root = lapwing_core::cbor::decode(envelope.payload).unwrap();
            desk.fleet = Some(root.fleet.to_string());
            desk.root_version += 1;
            (200, Value::Null)
        }
        "PUT /api/v1/trust/delegation" => {
            desk.delegation_version += 1;
            (200, Value::Null)
        }
        "POST /api/v1/claim-tokens" => (200, json!({ "token": "ab".repeat(16) })),
        line if line.starts_with("GET /api/v1/version-sets?") => (200, json!({ "version_sets": desk.sets })),
        "POST /api/v1/version-sets" => publish(desk, body),
        line if line.starts_with("GET /api/v1/devices?") => (200, json!({ "devices": desk.devices })),
        line if line.starts_with("PUT /api/v1/blobs/") => {
            let right = line.ends_with(&Digest::of(body).to_string());
            (if right { 201 } else { 400 }, json!({ "detail": "another digest" }))
        }
        line if line.contains("/devices/pump-7") => (200, json!({ "sentence": "it is up to date" })),
        _ => (404, json!({ "detail": "no such device" })),
    }
}

fn identity(desk: &Desk) -> Value {
    json!({
        "fleet": desk.fleet,
        "online_key": { "algorithm": "ed25519", "public": Digest::from_bytes(ONLINE).to_string(), "id": "00000000" },
        "tls_spki_sha256": Digest::from_bytes(TLS).to_string(),
        "device_url": "https://127.0.0.1:8443",
        "root_version": desk.root_version,
        "delegation_version": desk.delegation_version,
    })
}

fn publish(desk: &mut Desk, body: &[u8]) -> (u16, Value) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let envelopes = body["releases"].as_array().unwrap();
    let releases: Vec<Value> =
        envelopes.iter().map(|text| describe(&from_base64url(text.as_str().unwrap()))).collect();
    let version = releases[0]["version"].clone();
    if desk.sets.iter().any(|set| set["version"] == version) {
        return (409, json!({ "detail": "this version is published" }));
    }
    let set = json!({ "version": version, "hold": body["hold"], "releases": releases });
    desk.sets.push(set.clone());
    let lost = std::mem::take(&mut desk.lose_an_answer);
    (if lost { 0 } else { 201 }, set)
}

fn describe(bytes: &[u8]) -> Value {
    let envelope = lapwing_core::envelope::Envelope::parse(bytes).unwrap();
    let release: lapwing_core::Release = lapwing_core::cbor::decode(envelope.payload).unwrap();
    json!({
        "digest": Digest::of(bytes).to_string(),
        "component": release.component.to_string(),
        "seq": release.seq,
        "version": release.version.to_string(),
        "hardware": release.hardware.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn from_base64url(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = text.bytes().map(|c| alphabet.iter().position(|known| *known == c).unwrap());
    let mut bits = digits.flat_map(|digit| (0..6).rev().map(move |at| (digit >> at & 1) as u8));
    std::iter::from_fn(|| (0..8).map(|_| bits.next()).try_fold(0, |byte, bit| Some(byte << 1 | bit?)))
        .collect()
}
