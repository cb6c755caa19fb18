//! Other people's CoAP with OSCORE against the device plane.
//!
//! Touches: aiocoap, which `cargo xtask test --only link` installs; where it is missing the test says so and passes.

use crate::coap::{Thing, spelled, with_coap};
use crate::world::{NONCE, World, facts};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::{Digest, Hasher};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Checks in; takes what is offered whole; then single blocks of 512 bytes, the last one and one behind it included.
const AIOCOAP: &str = r"
import asyncio, sys, json, hashlib, aiocoap
from aiocoap.optiontypes import BlockOption
async def main(server, folder, check_in, name, numbers):
    context = await aiocoap.Context.create_client_context()
    context.client_credentials.load_from_dict({server + '/*': {'oscore': {'basedir': folder}}})
    async def ask(code, path, payload=b'', block=None):
        message = aiocoap.Message(code=code, uri=server + path, payload=payload)
        if block is not None:
            message.opt.block2 = BlockOption.BlockwiseTuple(block, False, 5)
        return await context.request(message, handle_blockwise=block is None).response
    said = {}
    answer = await ask(aiocoap.POST, '/', bytes.fromhex(check_in))
    said['check_in'] = [str(answer.code), answer.payload.hex()]
    whole = await ask(aiocoap.GET, '/' + name)
    said['whole'] = [str(whole.code), hashlib.sha256(whole.payload).hexdigest(), whole.opt.etag.hex()]
    parts = [await ask(aiocoap.GET, '/' + name, block=number) for number in numbers]
    said['parts'] = [[str(part.code), part.payload.hex()] for part in parts]
    said['other'] = str((await ask(aiocoap.GET, '/AAAAAA')).code)
    said['method'] = str((await ask(aiocoap.PUT, '/', b'x')).code)
    said['trust'] = (await ask(aiocoap.GET, '/t/1')).payload.hex()
    print(json.dumps(said))
    await context.shutdown()
asyncio.run(main(*sys.argv[1:5], json.loads(sys.argv[5])))
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

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What does not compress, so that the artifact has more than 4,096 blocks of 512 bytes.
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

#[tokio::test(flavor = "multi_thread")]
async fn aiocoap_checks_in_and_fetches_what_is_offered() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    world.push(1, "1.0.0", &noise(2_200_000)).await;
    // By the other channel, since a context is one client's.
    let told = CheckIn { facts: Some(facts(2)), ..thing.device.asking(b"factory") };
    let offer = world.offer_to(&thing.device, &told).await.offer.travel;
    let artifact =
        world.device_plane(world.artifact_request(&thing.device, offer.artifact)).await.expect(200).body;
    let blocks = artifact.len().div_ceil(512);
    assert!(blocks > 4_097, "{blocks}");

    let folder = context(&thing);
    let server = format!("coap://{}", world.server.coap_addr().unwrap());
    let name = &BASE64_URL_SAFE_NO_PAD.encode(offer.artifact.as_bytes())[..6];
    let numbers = [0, 4_095, 4_096, blocks - 1, blocks];
    let mut python = Command::new("python3");
    python.args(["-c", AIOCOAP, &server, &folder.path().display().to_string()]);
    python.args([&hex(&spelled(&thing.device.asking(b"factory"))), name, &json!(numbers).to_string()]);
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap();
    let Ok(output) = output else { return println!("NOT RUN: no python3") };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("No module named") {
        return println!("NOT RUN: {errors}");
    }
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"));
    assert_eq!(said["check_in"][0], "2.04 Changed");
    let answer = bytes(&said["check_in"][1]);
    let Answer::Offer { offer: signed, .. } = decode(&answer).unwrap() else { panic!("{answer:?}") };
    let opened = world.anchor.open_offer(signed, &"d1".parse().unwrap(), NONCE).unwrap().0;
    assert_eq!(opened.travel.artifact, offer.artifact);
    let digest = Digest::of(&artifact);
    assert_eq!(said["whole"], json!(["2.05 Content", digest.to_string(), hex(&digest.as_bytes()[..2])]));
    for (number, part) in numbers.into_iter().zip(said["parts"].as_array().unwrap()) {
        let expected = artifact.chunks(512).nth(number);
        let code = if expected.is_some() { "2.05 Content" } else { "4.00 Bad Request" };
        assert_eq!(
            (part[0].as_str(), bytes(&part[1]).as_slice()),
            (Some(code), expected.unwrap_or_default())
        );
    }
    assert_eq!(
        (&said["other"], &said["method"]),
        (&json!("4.03 Forbidden"), &json!("4.05 Method Not Allowed"))
    );
    assert!(lapwing_core::TrustAnchor::provisioned(&bytes(&said["trust"])).is_ok());
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
