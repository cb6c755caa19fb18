//! Clients of other people against our machines, over a real socket on loopback.
//!
//! Touches: `coap-client` of libcoap and aiocoap, which `cargo xtask test --only link` installs; where one is
//! missing the test says so and passes. Never: another address than loopback, another port than a free one.

use lapwing_core::Digest;
use lapwing_link::{ARTIFACT_PATH, ArtifactServer, artifact, udp};
use std::net::UdpSocket;
use std::process::{Command, Output};
use std::thread::JoinHandle;

/// Sizes across 4,096 blocks, 16 MiB and, at 256 bytes, 65,536 blocks.
const SIZES: [u32; 3] = [300 << 10, 3 << 20, 20 << 20];

/// A server of one artifact, in a thread that ends with it.
struct Running {
    port: u16,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    fn start(artifact: Vec<u8>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || udp::serve(&socket, &mut ArtifactServer::new(artifact)));
        Self { port, thread: Some(thread) }
    }

    fn uri(&self) -> String {
        format!("coap://127.0.0.1:{}/{ARTIFACT_PATH}", self.port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&[], ("127.0.0.1", self.port)).unwrap();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

/// What the program says, or nothing where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("NOT RUN: {program}: {error}");
            None
        }
    }
}

#[test]
fn libcoap_fetches_every_size_whole() {
    for size_bytes in SIZES {
        let expected = artifact(size_bytes);
        let server = Running::start(expected.clone());
        for block in ["256", "1024"] {
            let file = std::env::temp_dir().join(format!("lapwing-libcoap-{}", server.port));
            let path = file.display().to_string();
            let arguments = ["-m", "get", "-b", block, "-B", "60", "-o", &path, &server.uri()];
            let Some(output) = run("coap-client-notls", &arguments) else { return };
            let got = std::fs::read(&file);
            let _ = std::fs::remove_file(&file);
            assert!(got.is_ok_and(|got| got == expected), "{size_bytes} bytes by {block}: {output:?}");
        }
    }
}

#[test]
fn libcoap_is_told_what_is_wrong() {
    let server = Running::start(artifact(1000));
    let base = format!("coap://127.0.0.1:{}", server.port);
    let heard = |arguments: &[&str]| {
        let output = run("coap-client-notls", arguments)?;
        Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let Some(missing) = heard(&["-B", "10", "-m", "get", &format!("{base}/nothing")]) else { return };
    assert!(missing.contains("4.04"), "{missing}");
    let put = heard(&["-B", "10", "-m", "put", "-e", "x", &server.uri()]).unwrap();
    assert!(put.contains("4.05"), "{put}");
    let critical = heard(&["-B", "10", "-m", "get", "-O", "65001,x", &server.uri()]).unwrap();
    assert!(critical.contains("4.02"), "{critical}");
    let behind = heard(&["-B", "10", "-m", "get", "-b", "9,1024", &server.uri()]).unwrap();
    assert!(behind.contains("4.00"), "{behind}");
}

/// Fetches a small artifact whole; then one block deep in a large one, as a client that goes on would.
const AIOCOAP: &str = "
import asyncio, sys, hashlib, aiocoap
from aiocoap.optiontypes import BlockOption
async def main(small, large, number):
    context = await aiocoap.Context.create_client_context()
    whole = await context.request(aiocoap.Message(code=aiocoap.GET, uri=small)).response
    message = aiocoap.Message(code=aiocoap.GET, uri=large)
    message.opt.block2 = BlockOption.BlockwiseTuple(number, False, 6)
    part = await context.request(message, handle_blockwise=False).response
    print(hashlib.sha256(whole.payload).hexdigest(), hashlib.sha256(part.payload).hexdigest(),
          whole.opt.etag.hex(), part.opt.block2.block_number, part.code)
    await context.shutdown()
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
";

/// Behind 65,536 blocks.
const DEEP: u32 = 70_000;

#[test]
fn aiocoap_fetches_whole_and_goes_on_in_the_middle() {
    let (small, large) = (artifact(300 << 10), artifact((DEEP + 1) * 1024));
    let servers = [small.clone(), large.clone()].map(Running::start);
    let [small_uri, large_uri] = servers.each_ref().map(Running::uri);
    let Some(output) = run("python3", &["-c", AIOCOAP, &small_uri, &large_uri, &DEEP.to_string()]) else {
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("No module named 'aiocoap'") {
        println!("NOT RUN: {errors}");
        return;
    }
    let (part, digest) = (&large[DEEP as usize * 1024..], |bytes: &[u8]| Digest::of(bytes).to_string());
    let wanted = format!("{} {} abcd {DEEP} 2.05 Content\n", digest(&small), digest(part));
    assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{errors}");
}
