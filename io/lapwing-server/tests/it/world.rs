//! A server, the keys that its fleet believes, and devices that talk to it.
//!
//! Touches: `lapwing_core` to sign and to open, as the release tool and the agent do.

use crate::client::{Request, Response};
use crate::cluster;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use lapwing_core::cbor::{Wire, decode, encode};
use lapwing_core::envelope::{Context, Form, Kind, seal};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Role, Root, TlsAnchor};
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::check_in::{CheckIn, ComponentState, Facts, NamedFacts};
use lapwing_core::wire::claim::{Claim, ClaimToken, DeviceSecret};
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{
    AttemptId, BootId, Compatibility, Digest, FleetId, HardwareClass, Nonce, Release, ReleaseFlags,
    TrustAnchor, UnixSeconds,
};
use lapwing_server::{Clock, Config, Running, Server, StartError, Surroundings, Worker};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

pub(crate) const FLEET: FleetId = FleetId([7; 16]);
pub(crate) const HARDWARE: HardwareClass = HardwareClass { vendor: [1; 16], class: [2; 16] };
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;

/// How to reach a server's two planes.
pub(crate) struct Wires {
    pub(crate) management: SocketAddr,
    pub(crate) devices: SocketAddr,
    pub(crate) token: String,
    certificate: Vec<u8>,
}

impl Wires {
    /// The wires of a server that keeps its data in `dir`.
    pub(crate) fn new(dir: &Path, management: SocketAddr, devices: SocketAddr) -> Self {
        let token = std::fs::read_to_string(dir.join("admin-token")).unwrap().trim().to_owned();
        let certificate = std::fs::read(dir.join("tls/certificate.pem")).unwrap();
        Self { management, devices, token, certificate }
    }

    fn of(dir: &TempDir, server: &Running) -> Self {
        Self::new(dir.path(), server.management_addr(), server.device_addr())
    }

    pub(crate) async fn manage(
        &self,
        method: &'static str,
        path: &str,
        body: impl Into<Vec<u8>>,
    ) -> Response {
        self.manage_with(method, path, &[], body).await
    }

    pub(crate) async fn manage_with(
        &self,
        method: &'static str,
        path: &str,
        head: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Response {
        let request = Request::new(method, path).header("Authorization", format!("Bearer {}", self.token));
        let with = |request: Request, (name, value): &(&str, &str)| request.header(name, *value);
        head.iter().fold(request, with).body(body).plain(self.management).await
    }

    /// A command on what was read with this tag.
    pub(crate) async fn manage_if(
        &self,
        method: &'static str,
        path: &str,
        tag: &str,
        body: impl Into<Vec<u8>>,
    ) -> Response {
        Request::new(method, path)
            .header("Authorization", format!("Bearer {}", self.token))
            .header("If-Match", tag)
            .body(body)
            .plain(self.management)
            .await
    }

    /// Sends a request to the device plane.
    pub(crate) async fn device_plane(&self, request: Request) -> Response {
        request.tls(self.devices, &self.certificate).await
    }

    pub(crate) async fn upload(&self, image: &[u8]) {
        let path = format!("/api/v1/blobs/{}", Digest::of(image));
        let response = self.manage("PUT", &path, image).await;
        assert!(matches!(response.status, 201 | 204), "{}", response.status);
    }

    pub(crate) async fn push_envelopes(&self, envelopes: &[Vec<u8>], hold: bool) -> Response {
        let releases: Vec<_> = envelopes.iter().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes)).collect();
        let body = json!({ "releases": releases, "hold": hold }).to_string();
        self.manage("POST", "/api/v1/version-sets", body).await
    }

    pub(crate) async fn check_in(&self, device: &Device, check_in: &CheckIn<'_>) -> Response {
        self.device_plane(cbor("/v1/check-in", check_in).header("Authorization", device.basic())).await
    }

    pub(crate) async fn report(&self, device: &Device, events: &[Event]) -> Response {
        let report = Report { events: events.iter().copied().collect() };
        self.device_plane(cbor("/v1/report", &report).header("Authorization", device.basic())).await
    }
}

/// A server and its surroundings.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) server: Running,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) wires: Wires,
    pub(crate) keys: Keys,
    pub(crate) anchor: TrustAnchor,
}

/// What a fleet's people hold, and its server must not.
pub(crate) struct Keys {
    pub(crate) root: SigningKey,
    release: SigningKey,
}

impl Keys {
    pub(crate) fn signed(&self, release: &Release) -> Vec<u8> {
        sign(Kind::Release, &self.release, release)
    }
}

pub(crate) fn config(dir: impl AsRef<Path>) -> Config {
    let dir = dir.as_ref();
    Config {
        store: cluster::store_of(dir),
        device_listen: "127.0.0.1:0".parse().unwrap(),
        management_listen: "127.0.0.1:0".parse().unwrap(),
        // Housekeeping comes when a test asks for it by ending the server.
        last_seen_flush_ms: 3_600_000,
        ..Config::in_dir(dir)
    }
}

pub(crate) async fn start(config: Config, clock: &Arc<AtomicU64>) -> Result<Running, StartError> {
    start_with(config, clock, None).await
}

async fn start_with(
    config: Config,
    clock: &Arc<AtomicU64>,
    worker: Option<Worker>,
) -> Result<Running, StartError> {
    let around = Surroundings { clock: Clock::Manual(Arc::clone(clock)), worker, ..Surroundings::default() };
    Server::start_in(config, around).await
}

impl World {
    /// A server with root document and delegation.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        Self::assembled(adjust, None).await
    }

    /// A server whose artifacts are made by processes.
    pub(crate) async fn with_worker(worker: Worker) -> Self {
        Self::with_worker_for(worker, 3_600).await
    }

    /// One whose workers may take so long.
    pub(crate) async fn with_worker_for(worker: Worker, delta_worker_s_max: u32) -> Self {
        Self::assembled(|config| config.delta_worker_s_max = delta_worker_s_max, Some(worker)).await
    }

    async fn assembled(adjust: impl FnOnce(&mut Config), worker: Option<Worker>) -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(AtomicU64::new(NOW));
        let mut config = config(&dir);
        adjust(&mut config);
        let server = start_with(config, &clock, worker).await.unwrap();
        let wires = Wires::of(&dir, &server);
        let keys = Keys { root: SigningKey::from_bytes(&[1; 32]), release: SigningKey::from_bytes(&[2; 32]) };
        let root = root(&keys, server.tls_spki_sha256());
        let envelope = sign(Kind::Root, &keys.root, &root);
        let anchor = TrustAnchor::provisioned(&envelope).unwrap();
        let mut world = Self { dir, server, clock, wires, keys, anchor };
        world.manage("PUT", "/api/v1/trust/root", envelope).await.expect(200);
        let delegation = world.delegation(1, NOW - DAY, NOW + 60 * DAY).await;
        world.manage("PUT", "/api/v1/trust/delegation", delegation.clone()).await.expect(200);
        world.anchor = world.anchor.delegate(&delegation).unwrap();
        world
    }

    /// The same data under a new process, as far as a test can have one.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    pub(crate) async fn restart_with(mut self, adjust: impl FnOnce(&mut Config)) -> Self {
        self.server.shutdown().await;
        let mut config = config(&self.dir);
        adjust(&mut config);
        self.server = start(config, &self.clock).await.unwrap();
        self.wires = Wires::of(&self.dir, &self.server);
        self
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A delegation of the server's online key.
    pub(crate) async fn delegation(&self, version: u32, not_before: u64, not_after: u64) -> Vec<u8> {
        let identity = self.get("/api/v1/identity").await.expect(200).json();
        let public: Digest = identity["online_key"]["public"].as_str().unwrap().parse().unwrap();
        let key = PublicKey::ed25519(public.as_bytes());
        let powers = Powers::STATUS.with(Powers::OFFER);
        let delegation = Delegation {
            fleet: FLEET,
            version,
            not_before: UnixSeconds(not_before),
            not_after: UnixSeconds(not_after),
            keys: [OnlineKey { key, powers }].into_iter().collect(),
        };
        sign(Kind::Delegation, &self.keys.root, &delegation)
    }

    pub(crate) async fn manage(
        &self,
        method: &'static str,
        path: &str,
        body: impl Into<Vec<u8>>,
    ) -> Response {
        self.wires.manage(method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.manage("GET", path, []).await
    }

    pub(crate) async fn device_plane(&self, request: Request) -> Response {
        self.wires.device_plane(request).await
    }

    pub(crate) fn signed(&self, release: &Release) -> Vec<u8> {
        self.keys.signed(release)
    }

    pub(crate) async fn upload(&self, image: &[u8]) {
        self.wires.upload(image).await;
    }

    pub(crate) async fn push_envelopes(&self, envelopes: &[Vec<u8>], hold: bool) -> Response {
        self.wires.push_envelopes(envelopes, hold).await
    }

    /// Uploads and pushes one release, and returns it.
    pub(crate) async fn push(&self, seq: u64, version: &str, image: &[u8]) -> Release {
        let release = release(seq, version, image);
        self.upload(image).await;
        self.push_envelopes(&[self.signed(&release)], false).await.expect(201);
        release
    }

    pub(crate) async fn claim_token(&self, count: u32, expires_in_s: u64) -> ClaimToken {
        let body = json!({ "count": count, "expires_in_s": expires_in_s }).to_string();
        let made = self.manage("POST", "/api/v1/claim-tokens", body).await.expect(201).json();
        let hex = made["token"].as_str().unwrap();
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        ClaimToken(std::array::from_fn(byte))
    }

    /// A device that has claimed its place.
    pub(crate) async fn device(&self, name: &str) -> Device {
        let device = Device::new(name, 9);
        let token = self.claim_token(1, 3_600).await;
        self.claim(&device, token).await.expect(204);
        device
    }

    pub(crate) async fn claim(&self, device: &Device, token: ClaimToken) -> Response {
        let claim = Claim {
            device: device.id.parse().unwrap(),
            token,
            secret: device.secret.clone(),
            facts: facts(device.profile),
        };
        self.device_plane(cbor("/v1/claim", &claim)).await
    }

    pub(crate) async fn check_in(&self, device: &Device, check_in: &CheckIn<'_>) -> Response {
        self.wires.check_in(device, check_in).await
    }

    pub(crate) async fn report(&self, device: &Device, events: &[Event]) -> Response {
        self.wires.report(device, events).await
    }

    pub(crate) fn artifact_request(&self, device: &Device, artifact: Digest) -> Request {
        Request::new("GET", format!("/v1/artifacts/{artifact}")).header("Authorization", device.basic())
    }

    /// Checks in until the server has made the artifact, and returns what it offers.
    pub(crate) async fn offer(&self, device: &Device, running: &[u8]) -> Offered {
        self.offer_to(device, &device.asking(running)).await
    }

    /// The offer that this check-in gets.
    pub(crate) async fn offer_to(&self, device: &Device, check_in: &CheckIn<'_>) -> Offered {
        for _ in 0..ASKS_MAX {
            let response = self.check_in(device, check_in).await.expect(200);
            match decode(&response.body).unwrap() {
                Answer::Offer { offer, release: Some(release) } => {
                    let id = device.id.parse().unwrap();
                    let (opened, _) = self.anchor.open_offer(offer, &id, NONCE).unwrap();
                    let release = self.anchor.open_release(release).unwrap();
                    assert_eq!(release.envelope(), opened.release);
                    return Offered { offer: opened.into_inner(), release: release.into_inner() };
                }
                Answer::Wait { .. } => self.server.artifacts_settled().await,
                other => panic!("{other:?} instead of an offer"),
            }
        }
        panic!("the artifact cannot be made");
    }

    pub(crate) async fn events(&self) -> Vec<Value> {
        let body = self.get("/api/v1/events").await.expect(200).json();
        body["events"].as_array().unwrap().clone()
    }

    pub(crate) async fn events_named(&self, name: &str) -> Vec<Value> {
        self.events().await.into_iter().filter(|event| event["name"] == name).collect()
    }

    /// Whether the metrics have exactly this line.
    pub(crate) async fn metric(&self, line: &str) -> bool {
        let text = self.get("/metrics").await.expect(200).body;
        String::from_utf8(text).unwrap().lines().any(|found| found == line)
    }

    pub(crate) async fn why(&self, device: &Device) -> String {
        let body = self.get(&format!("/api/v1/devices/{}/why", device.id)).await.expect(200).json();
        body["code"].as_str().unwrap().to_owned()
    }
}

/// A delta, then a full image if it is of no use, then the answer.
const ASKS_MAX: usize = 3;
pub(crate) const NONCE: Nonce = Nonce([5; 8]);

/// What a device was offered.
pub(crate) struct Offered {
    pub(crate) offer: lapwing_core::wire::answer::Offer,
    pub(crate) release: Release,
}

/// A device, as far as the server can see one.
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) secret: DeviceSecret,
    profile: u8,
}

impl Device {
    pub(crate) fn new(id: &str, secret: u8) -> Self {
        Self { id: id.to_owned(), secret: DeviceSecret([secret; 32]), profile: 2 }
    }

    pub(crate) fn basic(&self) -> String {
        let secret = Digest::from_bytes(self.secret.0);
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{secret}", self.id)))
    }

    /// A check-in with nothing but what runs.
    pub(crate) fn idle(&self, running: &[u8]) -> CheckIn<'static> {
        let running = Digest::of(running).short();
        let component = ComponentState { name: "app".parse().unwrap(), running, held: None };
        CheckIn {
            root_version: 1,
            delegation_version: 1,
            components: [component].into_iter().collect(),
            nonce: None,
            facts: None,
            health: Default::default(),
            gates: Default::default(),
            boot: None,
        }
    }

    /// One that wants a signed answer.
    pub(crate) fn asking(&self, running: &[u8]) -> CheckIn<'static> {
        CheckIn { nonce: Some(NONCE), ..self.idle(running) }
    }

    pub(crate) fn booted(&self, running: &[u8], boot: u8) -> CheckIn<'static> {
        CheckIn { boot: Some(BootId([boot; 8])), ..self.asking(running) }
    }
}

/// An event of an attempt.
pub(crate) fn event(attempt: AttemptId, number: u32, kind: EventKind, detail: Detail) -> Event {
    Event { attempt, number, kind, running: Digest::of(b"any").short(), detail }
}

pub(crate) fn cbor<'b>(path: &str, message: &impl Wire<'b>) -> Request {
    let mut buffer = [0; 4096];
    let body = encode(message, &mut buffer).unwrap().to_vec();
    Request::new("POST", path).header("Content-Type", "application/cbor").body(body)
}

pub(crate) fn facts(profile: u8) -> Facts<'static> {
    Facts { hardware: HARDWARE, bootloader: 0, profile, named: NamedFacts::NONE }
}

pub(crate) fn release(seq: u64, version: &str, image: &[u8]) -> Release {
    Release {
        component: "app".parse().unwrap(),
        hardware: [HARDWARE].into_iter().collect(),
        seq,
        version: version.parse().unwrap(),
        security_version: 1,
        raise_to: 0,
        bootloader_min: 0,
        installable_from: Default::default(),
        downgrade_from: Default::default(),
        compatibility: Compatibility::Patch,
        data_version: 0,
        image: Digest::of(image),
        image_size_bytes: image.len() as u64,
        issued: UnixSeconds(NOW - DAY),
        not_after: None,
        build: None,
        variant: None,
        requires: Default::default(),
        sbom: None,
        notes: None,
        flags: ReleaseFlags::default(),
        trial_s_max: None,
        encryption: None,
    }
}

/// An image that compresses a little, and differs with its seed.
pub(crate) fn image(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x3f
    };
    (0..len).map(|_| next()).collect()
}

fn root(keys: &Keys, spki: Digest) -> Root {
    let key = |key: &SigningKey| PublicKey::ed25519(key.verifying_key().as_bytes());
    let role = |at: u8| Role { threshold: 1, keys: [at].into_iter().collect() };
    Root {
        fleet: FLEET,
        version: 1,
        issued: UnixSeconds(NOW - DAY),
        not_after: UnixSeconds(NOW + 3_650 * DAY),
        keys: [key(&keys.root), key(&keys.release)].into_iter().collect(),
        root: role(0),
        release: role(1),
        delegator: role(0),
        limits: Limits { delegation_days_max: 100, security_ceiling: 100, emergency: false },
        revoked: Default::default(),
        tls_anchors: [TlsAnchor::Server(spki)].into_iter().collect(),
    }
}

pub(crate) fn sign<'b>(kind: Kind, key: &SigningKey, value: &impl Wire<'b>) -> Vec<u8> {
    let (mut payload, mut buffer) = ([0; 2048], [0; 3072]);
    let payload = encode(value, &mut payload).unwrap();
    let context = Context { kind, fleet: FLEET, session: None };
    let public = PublicKey::ed25519(key.verifying_key().as_bytes());
    let mut sign = |message: &[u8]| Some(key.sign(message).to_bytes());
    seal(&context, Form::Single, payload, &public, &mut sign, &mut buffer).unwrap().to_vec()
}
