//! The device plane by datagram, as a device meets it: the transport's client over a relay that counts.
//!
//! Touches: UDP on loopback.

use crate::world::{DAY, Device, FLEET, NONCE, NOW, World, event, facts, image};
use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use lapwing_coap::{Code, Kind, Message, MessageId, OptionNumber, Token, Writer};
use lapwing_core::Digest;
use lapwing_core::cbor::{Wire, decode, encode};
use lapwing_core::wire::answer::{Answer, Offer, Travel};
use lapwing_core::wire::check_in::{CheckIn, Facts, NamedFacts};
use lapwing_core::wire::claim::DeviceSecret;
use lapwing_core::wire::report::{Detail, EventKind, Report};
use lapwing_server::Config;
use lapwing_transport::client::{
    Client, ClientSettings, Credentials, ExchangeError, PlainHttp, SecurityContext, TcpDial, Wanted,
};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn with_coap(config: &mut Config) {
    config.coap_listen = Some("127.0.0.1:0".parse().unwrap());
}

/// A device with its context, and the numbers that it reserved.
pub(crate) struct Thing {
    pub(crate) device: Device,
    pub(crate) kid: Vec<u8>,
    reserved: Arc<AtomicU64>,
}

impl Thing {
    pub(crate) async fn provisioned(world: &World, id: &str) -> Self {
        let made =
            world.manage("POST", &format!("/api/v1/devices/{id}/context"), []).await.expect(201).json();
        let secret: Digest = made["secret"].as_str().unwrap().parse().unwrap();
        let kid = u8::from_str_radix(made["kid"].as_str().unwrap(), 16).unwrap();
        let mut device = Device::new(id, 0);
        device.secret = DeviceSecret(*secret.as_bytes());
        Self { device, kid: vec![kid], reserved: Arc::default() }
    }

    /// What it talks with after a start.
    pub(crate) fn client(&self, server: SocketAddr) -> Client {
        let settings = ClientSettings {
            servers: vec![format!("coap://{server}").parse().unwrap()],
            plain_http: PlainHttp::LoopbackOnly,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            exchange_timeout: Duration::from_secs(10),
        };
        let (saved, reserved) = (self.reserved.load(Ordering::Relaxed), Arc::clone(&self.reserved));
        let reserve = Box::new(move |up_to| {
            reserved.store(up_to, Ordering::Relaxed);
            Ok(())
        });
        let context = SecurityContext::new(&self.kid, &self.device.secret, saved, reserve, 10_000).unwrap();
        Client::new(settings, Arc::new(TcpDial)).with_context(context)
    }

    pub(crate) fn who(&self) -> Credentials {
        Credentials { device: self.device.id.parse().unwrap(), secret: self.device.secret.clone() }
    }

    pub(crate) async fn says(
        &self,
        client: Client,
        check_in: &CheckIn<'_>,
    ) -> (Client, Result<Vec<u8>, ExchangeError>) {
        let (who, check_in) = (self.who(), spelled(check_in));
        aside(client, move |client| client.check_in(&[], &who, &check_in)).await
    }

    /// Checks in until something is offered.
    pub(crate) async fn offered(
        &self,
        world: &World,
        mut client: Client,
        told: &CheckIn<'_>,
    ) -> (Client, Offer) {
        loop {
            let (back, answer) = self.says(client, told).await;
            client = back;
            match decode(&answer.unwrap()).unwrap() {
                Answer::Offer { offer, release: Some(_) } => {
                    let id = self.device.id.parse().unwrap();
                    return (client, world.anchor.open_offer(offer, &id, NONCE).unwrap().0.into_inner());
                }
                Answer::Wait { .. } => world.server.artifacts_settled().await,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The artifact, and how many bytes of it came; half of its first two kilobytes was there before.
fn fetched(client: &Client, who: &Credentials, travel: Travel) -> (Vec<u8>, u64) {
    let size_bytes = travel.artifact_size_bytes;
    let mut have = vec![0; size_bytes.div_ceil(512).div_ceil(8) as usize];
    have[0] = 0b110;
    let wanted = Wanted { artifact: travel.artifact, size_bytes, have: &have };
    let (mut bytes, mut all) = (client.artifact(&[], who, &wanted).unwrap(), vec![0; size_bytes as usize]);
    let (mut room, mut came) = ([0; 700], 0);
    loop {
        let piece = bytes.read(&mut room).unwrap();
        if piece.bytes == 0 {
            return (all, came);
        }
        all[piece.offset as usize..][..piece.bytes].copy_from_slice(&room[..piece.bytes]);
        came += piece.bytes as u64;
    }
}

/// The client blocks, so it does that elsewhere.
pub(crate) async fn aside<T: Send + 'static>(
    client: Client,
    ask: impl FnOnce(&Client) -> T + Send + 'static,
) -> (Client, T) {
    let asked = move || {
        let answer = ask(&client);
        (client, answer)
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

pub(crate) fn spelled<'b>(message: &impl Wire<'b>) -> Vec<u8> {
    let mut buffer = [0; 4096];
    encode(message, &mut buffer).unwrap().to_vec()
}

/// Passes datagrams on and keeps each; one device at a time.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

type Seen = Vec<(Way, Vec<u8>)>;

/// Where a datagram went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    ToServer,
    ToDevice,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        Self::copying(server, 1).await
    }

    /// Passes on twice what the device sends.
    pub(crate) async fn twice_to(server: SocketAddr) -> Self {
        Self::copying(server, 2).await
    }

    async fn copying(server: SocketAddr, copies: usize) -> Self {
        let near = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        far.connect(server).await.unwrap();
        let (address, seen) = (near.local_addr().unwrap(), Arc::<Mutex<Seen>>::default());
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            let (mut to, mut from) = ([0; 2048], [0; 2048]);
            let mut device = None;
            loop {
                tokio::select! {
                    Ok((len, from)) = near.recv_from(&mut to) => {
                        device = Some(from);
                        kept.lock().unwrap().push((Way::ToServer, to[..len].to_vec()));
                        for _ in 0..copies {
                            far.send(&to[..len]).await.unwrap();
                        }
                    }
                    Ok(len) = far.recv(&mut from) => {
                        kept.lock().unwrap().push((Way::ToDevice, from[..len].to_vec()));
                        near.send_to(&from[..len], device.unwrap()).await.unwrap();
                    }
                }
            }
        });
        Self { address, seen }
    }

    /// What was seen since, with the headers of IPv4 and UDP.
    pub(crate) fn packets(&self) -> Vec<usize> {
        self.take().iter().map(|len| len + 28).collect()
    }

    fn take(&self) -> Vec<usize> {
        self.datagrams().iter().map(|(_, datagram)| datagram.len()).collect()
    }

    /// What was seen since.
    pub(crate) fn datagrams(&self) -> Seen {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_asks_fetches_and_reports_by_datagram() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let relay = Relay::to(world.server.coap_addr().unwrap()).await;
    let client = thing.client(relay.address);

    let (client, answer) = thing.says(client, &thing.device.asking(b"factory")).await;
    let answer = answer.unwrap();
    assert!(matches!(decode(&answer).unwrap(), Answer::Ask(ask) if ask.facts), "{answer:?}");
    // Facts that take more than one datagram.
    let (name, value) = (["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"], "v".repeat(48));
    let names: Vec<String> = name.iter().map(|name| name.repeat(20)).collect();
    let named: Vec<_> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
    let (mut buffer, mut told) = ([0; 2048], thing.device.asking(b"factory"));
    told.facts = Some(Facts { named: NamedFacts::spell(&named, &mut buffer).unwrap(), ..facts(2) });
    world.push(1, "1.0.0", &image(1, 100_000)).await;
    let (client, offer) = thing.offered(&world, client, &told).await;
    let (artifact, attempt) = (offer.travel, offer.attempt);
    let who = thing.who();
    let (client, (all, came)) = aside(client, move |client| fetched(client, &who, artifact)).await;
    // Half of two blocks was there, and came again with the other half.
    assert_eq!((Digest::of(&all), came), (artifact.artifact, artifact.artifact_size_bytes));
    assert!(relay.take().iter().all(|len| *len <= DATAGRAM_BYTES_MAX));

    let events = [event(attempt, 1, EventKind::DownloadCompleted, Detail::None)];
    let report = spelled(&Report { events: events.into_iter().collect() });
    let who = thing.who();
    let (client, reported) = aside(client, move |client| client.report(&[], &who, &report)).await;
    assert_eq!(reported, Ok(()));
    assert_eq!(world.events_named("update.download.completed").await.len(), 1);
    let (client, root) = aside(client, |client| client.root(&[], 1)).await;
    assert_eq!(lapwing_core::TrustAnchor::provisioned(&root.unwrap()).unwrap().root().fleet, FLEET);
    let (client, delegation) = aside(client, |client| client.delegation(&[])).await;
    assert_eq!(
        Digest::of(&delegation.unwrap()),
        Digest::of(&world.delegation(1, NOW - DAY, NOW + 60 * DAY).await)
    );
    let (client, missing) = aside(client, |client| client.root(&[], 9)).await;
    assert_eq!(missing, Err(ExchangeError::Refused { status: 404 }));
    let who = thing.who();
    let wanted = aside(client, move |client| {
        let wanted = Wanted { artifact: Digest::of(b"other"), size_bytes: 9, have: &[0] };
        client.artifact(&[], &who, &wanted).unwrap().read(&mut [0; 9])
    });
    assert_eq!(wanted.await.1, Err(ExchangeError::Refused { status: 403 }));
    let row = &world.get("/api/v1/access").await.expect(200).json()["requests"][0];
    assert_eq!(row["request"], "CoAP POST /r", "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_of_either_end_costs_at_most_one_more_exchange() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let relay = Relay::to(world.server.coap_addr().unwrap()).await;
    let told = CheckIn { facts: Some(facts(2)), ..thing.device.asking(b"factory") };
    let (client, _) = thing.says(thing.client(relay.address), &told).await;
    assert_eq!(relay.take().len(), 4, "the first message must prove that it is new");
    let (client, _) = thing.says(client, &thing.device.idle(b"factory")).await;
    assert_eq!(relay.take().len(), 2);
    drop(client);
    assert_eq!(thing.reserved.load(Ordering::Relaxed), 512);
    let (_, answer) = thing.says(thing.client(relay.address), &thing.device.idle(b"factory")).await;
    assert!(answer.is_ok());
    assert_eq!(relay.take().len(), 2, "the device goes on behind what it reserved");
    assert_eq!(thing.reserved.load(Ordering::Relaxed), 1_024);

    let world = world.restart_with(with_coap).await;
    let relay = Relay::to(world.server.coap_addr().unwrap()).await;
    let (client, answer) = thing.says(thing.client(relay.address), &thing.device.idle(b"factory")).await;
    assert!(matches!(decode(&answer.unwrap()), Ok(Answer::Nothing { .. })));
    // At the IP layer: what was asked, 4.01 with an Echo, the same again with it, the answer under a number of its own.
    assert_eq!(relay.packets(), [67, 61, 81, 53]);
    let (client, _) = thing.says(client, &thing.device.idle(b"factory")).await;
    assert_eq!(relay.packets(), [67, 49], "goal A1: at most 120");
    let (_, status) = thing.says(client, &thing.device.asking(b"factory")).await;
    assert!(matches!(decode(&status.unwrap()), Ok(Answer::Status(_))));
    assert_eq!(relay.packets(), [78, 134], "goal A2: at most 110 of them behind the headers");
}

/// One datagram to the server, and what comes back before `then` is answered.
pub(crate) fn raw(server: SocketAddr, datagram: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.connect(server).unwrap();
    socket.send(datagram).unwrap();
    let mut answer = [0; 2048];
    let len = socket.recv(&mut answer).unwrap();
    answer[..len].to_vec()
}

pub(crate) fn question(path: &[&str], echo: Option<&[u8]>) -> Vec<u8> {
    let mut out = [0; 256];
    let mut writer = Writer::new(&mut out, Kind::Confirmable, Code::GET, MessageId(7), Token::EMPTY).unwrap();
    for name in path {
        writer.option(OptionNumber::URI_PATH, name.as_bytes()).unwrap();
    }
    if let Some(echo) = echo {
        writer.option(OptionNumber::ECHO, echo).unwrap();
    }
    let len = writer.finish(&[]).unwrap();
    out[..len].to_vec()
}

/// The same message under another number, as a new question has one.
pub(crate) fn renumbered(mut question: Vec<u8>, number: u8) -> Vec<u8> {
    question[3] = number;
    question
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_hears_no_more_than_he_said_until_he_is_where_he_says() {
    let world = World::with(with_coap).await;
    let server = world.server.coap_addr().unwrap();
    let ask = move |path: &[&str], echo: Option<&[u8]>| {
        let question = question(path, echo);
        let answer = raw(server, &question);
        (question.len(), answer)
    };
    let short = ask(&["t", "1"], None);
    assert!(short.1.len() <= short.0);
    assert_eq!(Message::parse(&short.1).unwrap().code, Code::UNAUTHORIZED);
    let padded = ask(&["t", "1"], Some(&[0; 12]));
    assert!(padded.1.len() <= padded.0);
    let challenge = Message::parse(&padded.1).unwrap();
    assert_eq!(challenge.code, Code::UNAUTHORIZED);
    let echo = challenge.options.first(OptionNumber::ECHO).unwrap();
    // The value is for an address and a port, so the same socket must bring it.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.connect(server).unwrap();
    let mut answer = [0; 2048];
    socket.send(&question(&["t", "1"], Some(echo))).unwrap();
    let len = socket.recv(&mut answer).unwrap();
    let elsewhere = Message::parse(&answer[..len]).unwrap();
    assert_eq!(elsewhere.code, Code::UNAUTHORIZED);
    let echo = elsewhere.options.first(OptionNumber::ECHO).unwrap().to_vec();
    socket.send(&renumbered(question(&["t", "1"], Some(&echo)), 8)).unwrap();
    let len = socket.recv(&mut answer).unwrap();
    let document = Message::parse(&answer[..len]).unwrap();
    assert_eq!(document.code, Code::CONTENT);
    assert_eq!(lapwing_core::TrustAnchor::provisioned(document.payload).unwrap().root().fleet, FLEET);
    for (path, code) in [(&["q83vEj"][..], Code::UNAUTHORIZED), (&[][..], Code::NOT_FOUND)] {
        assert_eq!(Message::parse(&ask(path, None).1).unwrap().code, code, "{path:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_repeated_datagrams_get_silence_and_devices_their_answers() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let server = world.server.coap_addr().unwrap();
    let (client, answer) = thing.says(thing.client(server), &thing.device.asking(b"factory")).await;
    assert!(answer.is_ok());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    for at in 0_u16..5_000 {
        let [high, low] = at.to_be_bytes();
        // This device's name, a number that is due, and nonsense; and names that nobody has.
        let kid = if at % 2 == 0 { thing.kid[0] } else { low | 0x80 };
        let forged =
            [0x40, 2, high, low, 0x94, 0x0a, high | 1, low, kid, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        drop(socket.send_to(&forged, server));
    }
    let (_, answer) = thing.says(client, &thing.device.asking(b"factory")).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(socket.recv(&mut [0; 2048]).is_err(), "nobody answers a forgery");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_is_given_once_and_goes_with_its_secret() {
    let world = World::with(with_coap).await;
    let server = world.server.coap_addr().unwrap();
    let thing = Thing::provisioned(&world, "d1").await;
    let provision = || world.manage("POST", "/api/v1/devices/d1/context", []);
    provision().await.expect(409);
    // The same secret opens the other channel, so no claim is needed.
    world.check_in(&thing.device, &thing.device.idle(b"factory")).await.expect(200);
    let (client, answer) = thing.says(thing.client(server), &thing.device.idle(b"factory")).await;
    assert!(answer.is_ok());
    world.manage("POST", "/api/v1/devices/d1/replace", []).await.expect(204);
    let replaced = Thing::provisioned(&world, "d1").await;
    assert!(replaced.kid != thing.kid && replaced.device.secret != thing.device.secret);
    let (_, answer) = replaced.says(replaced.client(server), &thing.device.idle(b"factory")).await;
    assert!(answer.is_ok());
    world.check_in(&thing.device, &thing.device.idle(b"factory")).await.expect(401);
    drop(client);
    let without = World::new().await;
    without.manage("POST", "/api/v1/devices/d1/context", []).await.expect(409);
}
