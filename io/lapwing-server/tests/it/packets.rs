//! What an idle check-in and an update are on the wire, byte by byte: docs/reference/packets.md is made here.
//!
//! Touches: UDP on loopback, the device's secret, by which a capture can be read. `LAPWING_BLESS=1` writes the page anew.

use crate::coap::{Relay, Thing, Way, aside, spelled, with_coap};
use crate::world::{Device, World, event, facts};
use lapwing_coap::oscore::{Context, Header, IdContext, Keys, Kid, Master, Replay, Sequence};
use lapwing_coap::{Code, Kind, Message, OptionNumber};
use lapwing_core::Hasher;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::report::{Detail, EventKind, Report};
use lapwing_transport::client::Wanted;
use std::fmt::Write;
use std::path::Path;

/// Of IPv4 and UDP.
const IP_BYTES: usize = 28;
/// The seal of OSCORE.
const TAG_BYTES: usize = 8;
/// One block: of several, one that overtakes the others may have them asked for again.
const IMAGE_BYTES: usize = 900;

const HEAD: &str = "# Packets, byte by byte

What crosses the wire between a device and its server by CoAP, captured between the two and read with the device's secret. A
test of the server makes this page and fails when a byte is another (`packets`; with `LAPWING_BLESS=1` it writes the page
anew). Headers of IPv4 and UDP are 28 bytes of each packet; IPv6 takes 20 more. The device's context has a number of one
byte; each further byte of it is one more in every question.
";

/// Reads what a device and its server seal.
struct Reader {
    device: Context,
    server: [Kid; 2],
    secret: [u8; 32],
    /// Numbers of the questions seen.
    asked: Vec<u64>,
}

/// A datagram, opened.
struct Read {
    number: u64,
    way: Way,
    row: String,
    bytes: usize,
}

impl Reader {
    fn of(thing: &Thing) -> Self {
        let (kid, secret) = (Kid::new(&thing.kid).unwrap(), thing.device.secret.0);
        let keys = Keys::derive(&master(&secret), kid.clone(), Kid::default()).unwrap();
        let device = Context::new(keys, Sequence::resume(0), Replay::new());
        Self { device, server: [Kid::default(), kid], secret, asked: Vec::new() }
    }

    fn read(&mut self, way: Way, datagram: &[u8]) -> Read {
        let outer = Message::parse(datagram).unwrap();
        let value = outer.options.first(OptionNumber::OSCORE).unwrap();
        let (mut spent, mut plain) = (datagram.to_vec(), [0; 2_048]);
        let (number, len) = match way {
            Way::ToServer => {
                let [own, other] = self.server.clone();
                let keys = Keys::derive(&master(&self.secret), own, other).unwrap();
                let mut server = Context::new(keys, Sequence::resume(0), Replay::new());
                let len = server.open_request(&mut spent, &mut plain).unwrap().len;
                let number = Header::parse(value).unwrap().sequence().unwrap();
                self.asked.push(number);
                (number, len)
            }
            Way::ToDevice => {
                let open = |number: &u64| {
                    let len = self.device.open_answer(*number, &mut datagram.to_vec(), &mut plain).ok()?;
                    Some((*number, len))
                };
                self.asked.iter().find_map(open).expect("an answer to a question")
            }
        };
        let inner = Message::parse(&plain[..len]).unwrap();
        let row = row(way, datagram.len(), &outer, &inner);
        Read { number, way, row, bytes: IP_BYTES + datagram.len() }
    }

    /// A table of what was seen, each question before its answer, and the bytes of all of it.
    fn table(&mut self, seen: &[(Way, Vec<u8>)]) -> (String, usize) {
        let mut read: Vec<_> = seen.iter().map(|(way, datagram)| self.read(*way, datagram)).collect();
        read.sort_by_key(|read| (read.number, read.way));
        let rows: String = read.iter().map(|read| read.row.as_str()).collect();
        let head = "| | IP, UDP | CoAP | token | OSCORE | `ff` | code | options | `ff` | payload | tag | all |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
        (format!("{head}{rows}"), read.iter().map(|read| read.bytes).sum())
    }
}

fn master(secret: &[u8]) -> Master<'_> {
    Master { secret, salt: &[], id_context: IdContext::None }
}

/// One datagram: the bytes of each of its fields.
fn row(way: Way, bytes: usize, outer: &Message<'_>, inner: &Message<'_>) -> String {
    let token = outer.token.as_bytes().len();
    let sealed = outer.payload.len() - TAG_BYTES;
    let marker = usize::from(!inner.payload.is_empty());
    let options = sealed - 1 - marker - inner.payload.len();
    let oscore = bytes - 4 - token - 1 - outer.payload.len();
    let names: Vec<String> = inner.options.iter().map(|(number, _)| name(number)).collect();
    let named = if names.is_empty() { String::new() } else { format!(", {}", names.join(", ")) };
    let kind = match outer.kind {
        Kind::Confirmable => "CON",
        Kind::NonConfirmable => "NON",
        Kind::Acknowledgement => "ACK",
        Kind::Reset => "RST",
    };
    let code = match inner.code {
        Code::GET => "GET".to_owned(),
        Code::POST => "POST".to_owned(),
        code => format!("{}.{:02}", code.class(), code.0 & 0x1f),
    };
    let arrow = if way == Way::ToServer { "→" } else { "←" };
    let (payload, all) = (inner.payload.len(), IP_BYTES + bytes);
    format!(
        "| {arrow} {kind} {code}{named} | {IP_BYTES} | 4 | {token} | {oscore} | 1 | 1 | {options} | {marker} | {payload} | \
         {TAG_BYTES} | {all} |\n"
    )
}

fn name(option: OptionNumber) -> String {
    match option {
        OptionNumber::ETAG => "ETag".to_owned(),
        OptionNumber::URI_PATH => "Uri-Path".to_owned(),
        OptionNumber::BLOCK2 => "Block2".to_owned(),
        OptionNumber::SIZE2 => "Size2".to_owned(),
        other => other.0.to_string(),
    }
}

/// What does not compress.
fn noise(size_bytes: usize) -> Vec<u8> {
    let digest = |at: usize| {
        let mut hasher = Hasher::new();
        hasher.update(&at.to_be_bytes());
        *hasher.finish().as_bytes()
    };
    (0..size_bytes.div_ceil(32)).flat_map(digest).take(size_bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn packets() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let (relay, mut reader) = (Relay::to(world.server.coap_addr().unwrap()).await, Reader::of(&thing));
    let told = CheckIn { facts: Some(facts(2)), ..thing.device.asking(b"factory") };
    let (client, _) = thing.says(thing.client(relay.address), &told).await;
    relay.datagrams();

    let (client, _) = thing.says(client, &thing.device.idle(b"factory")).await;
    let idle = relay.datagrams();
    let (table, bytes) = reader.table(&idle);
    assert_eq!((idle.len(), bytes), (2, 115), "goal A1: at most 120");
    let mut page = format!("{HEAD}\n## One idle check-in: {bytes} bytes\n\n{table}");

    // The artifact is there before the device asks, or it would be told to wait.
    world.push(1, "1.0.0", &noise(IMAGE_BYTES)).await;
    let other: Device = world.device("d2").await;
    world.offer(&other, b"factory").await;
    let (client, offer) = thing.offered(&world, client, &thing.device.asking(b"factory")).await;
    let (artifact, who) = (offer.travel, thing.who());
    let (client, fetched) = aside(client, move |client| {
        let wanted =
            Wanted { artifact: artifact.artifact, size_bytes: artifact.artifact_size_bytes, have: &[0] };
        client.artifact(&[], &who, &wanted).unwrap().read(&mut [0; 1_024]).map(|piece| piece.bytes as u64)
    })
    .await;
    assert_eq!(fetched, Ok(artifact.artifact_size_bytes));
    let events = [event(offer.attempt, 1, EventKind::DownloadCompleted, Detail::None)];
    let report = spelled(&Report { events: events.into_iter().collect() });
    let who = thing.who();
    let (_, reported) = aside(client, move |client| client.report(&[], &who, &report)).await;
    assert_eq!(reported, Ok(()));
    let (table, bytes) = reader.table(&relay.datagrams());
    let size_bytes = artifact.artifact_size_bytes;
    write!(
        page,
        "\n## An update of {size_bytes} bytes: {bytes} bytes\n\nA check-in with a nonce and the offer with its release, the \
         artifact, a report and its acknowledgement. A larger\nartifact has one more question and answer for each 1,024 \
         bytes, many of them under way at once.\n\n{table}"
    )
    .unwrap();

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/packets.md");
    if std::env::var_os("LAPWING_BLESS").is_some() {
        return std::fs::write(&golden, page).unwrap();
    }
    let held = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(held == page, "packets changed: write {} anew with LAPWING_BLESS=1\n{page}", golden.display());
}
