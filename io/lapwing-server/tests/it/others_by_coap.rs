//! Other people's CoAP against the device plane: aiocoap with OSCORE, and libcoap, which has none here, as a stranger.
//!
//! Touches: both programs, which `cargo xtask test --only link` installs; where one is missing its test says so and
//! passes. What they said is printed: docs/reference/coap-clients.md shows it.

use crate::coap::{Relay, Thing, spelled, with_coap};
use crate::world::{Device, FLEET, NONCE, World, facts};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::{Digest, Hasher, TrustAnchor};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Takes steps one after the other in one security context, whose numbers it keeps in a folder, and says what came: code,
/// digest, bytes, entity tag. A step is a request whole, one with options of any kind, or blocks of one size.
const AIOCOAP: &str = r"
import asyncio, sys, json, hashlib, aiocoap
from aiocoap.optiontypes import BlockOption, OpaqueOption
from aiocoap.numbers.optionnumbers import OptionNumber
async def main(server, folder, steps):
    context = await aiocoap.Context.create_client_context()
    context.client_credentials.load_from_dict({server + '/*': {'oscore': {'basedir': folder}}})
    for step in steps:
        said, body = None, b''
        for number in range(*step.get('blocks', [0, 1])):
            message = aiocoap.Message(code=getattr(aiocoap, step['code']), uri=server + step['path'],
                payload=bytes.fromhex(step.get('body', '')))
            if 'blocks' in step:
                message.opt.block2 = BlockOption.BlockwiseTuple(number, False, step['szx'])
            for option, value in step.get('options', []):
                message.opt.add_option(OpaqueOption(OptionNumber(option), bytes.fromhex(value)))
            whole = 'blocks' not in step and 'options' not in step
            said = await context.request(message, handle_blockwise=whole).response
            body += said.payload
        print(json.dumps([str(said.code), hashlib.sha256(body).hexdigest(), len(body), (said.opt.etag or b'').hex(),
            body.hex() if len(body) < 1500 else '']))
    await context.shutdown()
asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
";

/// Says what it is told at first, and twice more.
const AIOCOAP_LISTENS: &str = r"
import asyncio, sys, aiocoap
async def main(server, folder):
    context = await aiocoap.Context.create_client_context()
    context.client_credentials.load_from_dict({server + '/*': {'oscore': {'basedir': folder}}})
    request = context.request(aiocoap.Message(code=aiocoap.GET, uri=server + '/w', observe=0))
    def say(answer):
        print(answer.code, 'max-age', answer.opt.max_age, answer.payload, flush=True)
    say(await request.response)
    calls = aiter(request.observation)
    for _ in range(2):
        say(await anext(calls))
    await context.shutdown()
asyncio.run(main(*sys.argv[1:3]))
";

/// A device whose messages aiocoap seals, and what it was offered.
struct Foreign {
    server: String,
    folder: TempDir,
    artifact: Vec<u8>,
    path: String,
}

impl Foreign {
    /// A device that is offered an image of this size; its datagrams go to `server`.
    async fn offered(world: &World, server: String, (seq, size_bytes): (u64, usize)) -> Self {
        let thing = Thing::provisioned(world, &format!("d{seq}")).await;
        world.push(seq, &format!("1.{seq}.0"), &noise(size_bytes)).await;
        // By the other channel, since a context is one client's.
        let told = CheckIn { facts: Some(facts(2)), ..thing.device.asking(b"factory") };
        let artifact = world.offer_to(&thing.device, &told).await.offer.travel.artifact;
        let fetched = world.device_plane(world.artifact_request(&thing.device, artifact)).await.expect(200);
        let path = format!("/{}", &BASE64_URL_SAFE_NO_PAD.encode(artifact.as_bytes())[..6]);
        Self { server, folder: context(&thing), artifact: fetched.body, path }
    }

    /// A process of its own that takes these steps; what it said to each. None if it is not installed.
    async fn takes(&self, steps: &[Value]) -> Option<Vec<Value>> {
        let mut python = Command::new("python3");
        python.args(["-c", AIOCOAP, &self.server]).arg(self.folder.path()).arg(json!(steps).to_string());
        let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap();
        let Ok(output) = output else { return not_run("python3 is missing") };
        let errors = String::from_utf8_lossy(&output.stderr);
        if errors.contains("No module named") {
            return not_run(&errors);
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(said.len(), steps.len(), "{errors}");
        for (step, said) in steps.iter().zip(&said) {
            println!("aiocoap {step} -> {} {} bytes, {}", said[0], said[2], said[1]);
        }
        Some(said)
    }

    /// These blocks of `16 << szx` bytes.
    fn blocks(&self, numbers: Range<usize>, szx: u32) -> Value {
        json!({ "code": "GET", "path": self.path, "blocks": [numbers.start, numbers.end], "szx": szx })
    }

    /// What they hold.
    fn part(&self, numbers: Range<usize>, szx: u32) -> &[u8] {
        let (size, all) = (16 << szx, self.artifact.len());
        &self.artifact[(numbers.start * size).min(all)..(numbers.end * size).min(all)]
    }
}

fn not_run<T>(why: &str) -> Option<T> {
    println!("NOT RUN: {why}");
    None
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What does not compress.
fn noise(size_bytes: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < size_bytes {
        let mut hasher = Hasher::new();
        hasher.update(&all.len().to_be_bytes());
        all.extend_from_slice(hasher.finish().as_bytes());
    }
    all
}

/// A folder with the thing's context, as aiocoap wants it.
fn context(thing: &Thing) -> TempDir {
    let folder = TempDir::new().unwrap();
    let secret = hex(&thing.device.secret.0);
    let settings = json!({ "sender-id_hex": hex(&thing.kid), "recipient-id_hex": "", "secret_hex": secret });
    std::fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
    folder
}

fn content(bytes: &[u8]) -> Value {
    json!(["2.05 Content", Digest::of(bytes).to_string(), bytes.len()])
}

#[tokio::test(flavor = "multi_thread")]
async fn aiocoap_checks_in_fetches_and_is_told_what_is_wrong() {
    let world = World::with(with_coap).await;
    // Every datagram comes twice, so every message id is repeated.
    let relay = Relay::twice_to(world.server.coap_addr().unwrap()).await;
    let device = Foreign::offered(&world, format!("coap://{}", relay.address), (1, 300 << 10)).await;
    let get = |path: &str, options: &[(u16, &str)]| {
        let path = if path.is_empty() { &device.path } else { path };
        json!({ "code": "GET", "path": path, "options": options })
    };
    let behind = device.artifact.len().div_ceil(1_024);
    let steps = [
        json!({ "code": "POST", "path": "/", "body": hex(&spelled(&Device::new("d1", 0).asking(b"factory"))) }),
        json!({ "code": "GET", "path": device.path }),
        json!({ "code": "GET", "path": "/t/1" }),
        get("/AAAAAA", &[]),
        json!({ "code": "PUT", "path": "/", "body": "00" }),
        get("", &[(65_001, "01")]), // critical, and nobody knows it
        get("", &[(65_002, "01")]), // elective
        get("", &[(23, "07")]),     // the reserved size
        get("", &[(23, "00000006")]),
        device.blocks(behind..behind + 1, 6),
        get("", &[(4, &hex(&Digest::of(&device.artifact).as_bytes()[..2]))]),
    ];
    let Some(said) = device.takes(&steps).await else { return };
    let answer = bytes(&said[0][4]);
    let Answer::Offer { offer, .. } = decode(&answer).unwrap() else { panic!("{answer:?}") };
    let opened = world.anchor.open_offer(offer, &"d1".parse().unwrap(), NONCE).unwrap().0;
    let digest = Digest::of(&device.artifact);
    assert_eq!(opened.travel.artifact, digest);
    assert_eq!(json!(said[1].as_array().unwrap()[..3]), content(&device.artifact));
    assert_eq!(said[1][3], hex(&digest.as_bytes()[..2]));
    assert_eq!(TrustAnchor::provisioned(&bytes(&said[2][4])).unwrap().root().fleet, FLEET);
    let codes: Vec<_> = said[3..].iter().map(|said| said[0].as_str().unwrap()).collect();
    let (bad_option, elsewhere) = ("4.02 Bad Option", "4.00 Bad Request");
    let refused = ["4.03 Forbidden", "4.05 Method Not Allowed", bad_option];
    assert_eq!(
        codes,
        [&refused[..], &["2.05 Content", bad_option, bad_option, elsewhere, "2.03 Valid"]].concat()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn aiocoap_goes_on_after_a_restart_across_every_border_of_block_numbers() {
    let world = World::with(with_coap).await;
    let server = format!("coap://{}", world.server.coap_addr().unwrap());
    let device = Foreign::offered(&world, server.clone(), (1, 3 << 20)).await;
    let (half, end) = (1_500, device.artifact.len().div_ceil(1_024));
    for numbers in [0..half, half..end] {
        let Some(said) = device.takes(&[device.blocks(numbers.clone(), 6)]).await else { return };
        assert_eq!(json!(said[0].as_array().unwrap()[..3]), content(device.part(numbers.clone(), 6)));
    }
    let device = Foreign::offered(&world, server, (2, 20 << 20)).await;
    let end = |szx: u32| device.artifact.len().div_ceil(16 << szx);
    assert!(end(1) > 65_536 && end(0) > 1 << 20);
    let parts = [
        (4_094..4_098, 6),
        (4_094..4_098, 5),
        (65_534..65_538, 4), // and 16 MiB
        (65_534..65_538, 0),
        ((1 << 20) - 2..1 << 20, 0), // the last that has a number
        (end(1) - 2..end(1), 1),
        (16 << 10..end(6), 6), // from 16 MiB to the end
    ];
    let steps: Vec<_> = parts.iter().map(|(numbers, szx)| device.blocks(numbers.clone(), *szx)).collect();
    let Some(said) = device.takes(&steps).await else { return };
    for ((numbers, szx), said) in parts.into_iter().zip(said) {
        assert_eq!(json!(said.as_array().unwrap()[..3]), content(device.part(numbers, szx)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aiocoap_listens_and_is_called() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let (folder, server) = (context(&thing), format!("coap://{}", world.server.coap_addr().unwrap()));
    let mut python = Command::new("python3");
    python.args(["-c", AIOCOAP_LISTENS, &server, &folder.path().display().to_string()]);
    let Ok(mut python) = python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        return println!("NOT RUN: no python3");
    };
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = "2.05 Content max-age 3600 b''";
    let first = tokio::task::block_in_place(|| lines.next());
    if first.is_none() {
        let errors = std::io::read_to_string(python.stderr.take().unwrap()).unwrap();
        assert!(errors.contains("No module named"), "{errors}");
        return println!("NOT RUN: {errors}");
    }
    assert_eq!(first.as_deref(), Some(said));
    for _ in 0..2 {
        world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
        assert_eq!(tokio::task::block_in_place(|| lines.next()).as_deref(), Some(said));
    }
    assert!(python.wait().unwrap().success());
}

/// What `coap-client` of libcoap logs of its messages, or nothing where it is not installed.
fn libcoap(arguments: &[&str]) -> Option<String> {
    let output = Command::new("coap-client-notls").args(["-B", "20", "-v", "7"]).args(arguments).output();
    let Ok(output) = output else { return not_run("coap-client-notls is missing") };
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for message in said.lines().filter(|line| line.starts_with("v:1 ")) {
        println!("libcoap {}", message.split(" ::").next().unwrap_or_default());
    }
    Some(said)
}

/// What stands between two words.
fn between<'a>(text: &'a str, before: &str, behind: char) -> Option<&'a str> {
    text.split_once(before)?.1.split(behind).next()
}

fn libcoap_asks(server: &str, file: &Path) -> Option<()> {
    let document = format!("{server}/t/1");
    // It leaves room for an Echo value, gets one, and comes back with it from the same port.
    let challenged = libcoap(&["-O", "252,0x000000000000000000000000", &document])?;
    let echo = between(&challenged, "c:4.01 ", ']').and_then(|said| between(said, "Echo:", ' ')).unwrap();
    let port = between(&challenged, "***127.0.0.1:", ' ').unwrap();
    let (echo, out) = (format!("252,{echo}"), file.display().to_string());
    let fetched = libcoap(&["-p", port, "-O", &echo, "-b", "64", "-o", &out, &document])?;
    let document_bytes = std::fs::read(file).unwrap_or_else(|_| panic!("{fetched}"));
    assert_eq!(TrustAnchor::provisioned(&document_bytes).unwrap().root().fleet, FLEET);
    assert!(fetched.matches("c:2.05").count() > 3, "in blocks: {fetched}");
    for (arguments, code) in [
        (&["-O", "65001,x"][..], "c:4.02"),
        (&["-m", "put", "-e", "x"], "c:4.05"),
        (&["-b", "9,64"], "c:4.00"),
    ] {
        let said = libcoap(&[arguments, &[&document]].concat())?;
        assert!(said.contains(code), "{arguments:?}: {said}");
    }
    let artifact = libcoap(&[&format!("{server}/AAAAAA")])?;
    assert!(artifact.contains("c:4.01"), "artifacts are for whom they were offered: {artifact}");
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn libcoap_gets_trust_documents_in_blocks_once_it_has_shown_where_it_is() {
    let world = World::with(with_coap).await;
    let (folder, server) = (TempDir::new().unwrap(), world.server.coap_addr().unwrap());
    let asked = move || libcoap_asks(&format!("coap://{server}"), &folder.path().join("root"));
    let _: Option<()> = tokio::task::spawn_blocking(asked).await.unwrap();
}
