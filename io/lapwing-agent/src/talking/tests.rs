//! A transfer cut at every byte of the connection, over the real client and the real artifact file.

use super::*;
use crate::limits::BLOCK_BYTES;
use lapwing_core::Digest;
use lapwing_core::wire::claim::DeviceSecret;
use lapwing_device::Provisioned;
use lapwing_transport::client::{ClientSettings, Dial, PlainHttp, ServerUrl, Wire};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Serves one artifact, ranges included, and cuts its first answer after so many bytes, head included.
#[derive(Debug)]
struct CutOnce {
    artifact: Vec<u8>,
    cut_after: usize,
    answers: AtomicUsize,
    body_bytes_sent: AtomicU64,
}

#[derive(Debug)]
struct Server(Arc<CutOnce>);

impl Dial for Server {
    fn dial(&self, _: &ServerUrl, _: Duration) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(Connection { server: self.0.clone(), answer: io::Cursor::new(Vec::new()), cut: false }))
    }
}

#[derive(Debug)]
struct Connection {
    server: Arc<CutOnce>,
    answer: io::Cursor<Vec<u8>>,
    cut: bool,
}

impl Write for Connection {
    fn write(&mut self, request: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(request);
        let wanted = text.lines().find_map(|line| line.strip_prefix("range: bytes="));
        let first: usize = wanted.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
        let all = &self.server.artifact;
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{}/{}\r\n\r\n",
            all.len() - first,
            all.len() - 1,
            all.len()
        );
        let mut answer = [head.as_bytes(), &all[first..]].concat();
        self.cut = self.server.answers.fetch_add(1, Ordering::SeqCst) == 0;
        if self.cut {
            answer.truncate(self.server.cut_after);
        }
        let body_bytes = answer.len().saturating_sub(head.len()) as u64;
        self.server.body_bytes_sent.fetch_add(body_bytes, Ordering::SeqCst);
        self.answer = io::Cursor::new(answer);
        Ok(request.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.answer.read(out)? {
            0 if self.cut => Err(ErrorKind::ConnectionReset.into()),
            length => Ok(length),
        }
    }
}

impl Wire for Connection {
    fn set_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

fn talking(dir: &TempDir, server: &Arc<CutOnce>) -> Talking {
    let settings = ClientSettings {
        servers: vec!["http://127.0.0.1:1".parse().unwrap()],
        plain_http: PlainHttp::LoopbackOnly,
        connect_timeout: Duration::from_secs(1),
        stall_timeout: Duration::from_secs(1),
        exchange_timeout: Duration::from_secs(1),
    };
    let identity = Identity {
        device: "sensor-1".parse().unwrap(),
        hardware: lapwing_core::HardwareClass { vendor: [1; 16], class: [2; 16] },
        bootloader: 0,
        component: "app".parse().unwrap(),
        profile: 1,
        slot_bytes_max: 1 << 20,
        provisioned: Provisioned { version: "1.0.0".parse().unwrap(), seq: 0, security_version: 0 },
    };
    let client = Client::new(settings, Arc::new(Server(server.clone())));
    let mut talking =
        Talking::new(client, DeviceDir::new(dir.path().to_owned()), identity, Vec::new(), 16_384);
    talking.credentials =
        Some(Credentials { device: "sensor-1".parse().unwrap(), secret: DeviceSecret([7; 32]) });
    talking
}

#[test]
fn a_transfer_cut_at_every_byte_goes_on_and_moves_at_most_a_block_twice() {
    // The end-to-end tests cut 64 KiB at every byte; here a connection has every length, heads included.
    let artifact: Vec<u8> = (0..5_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let transfer = Transfer { artifact: Digest::of(&artifact), artifact_size_bytes: artifact.len() as u64 };
    let longest = artifact.len() + 200;
    for cut_after in 0..longest {
        let dir = TempDir::new_in(in_memory()).unwrap();
        let server = Arc::new(CutOnce {
            artifact: artifact.clone(),
            cut_after,
            answers: AtomicUsize::new(0),
            body_bytes_sent: AtomicU64::new(0),
        });
        let mut talking = talking(&dir, &server);
        let first = talking.fetch(&[], transfer, u64::MAX);
        let fetched = match first {
            Ok(Fetched::Part { .. }) | Err(Trouble::Link { retry_after_ms: None }) => {
                talking.fetch(&[], transfer, u64::MAX).unwrap()
            }
            Ok(fetched) => fetched,
            Err(other) => panic!("cut after {cut_after}: {other:?}"),
        };
        assert_eq!(fetched, Fetched::Whole, "cut after {cut_after}");
        let sent = server.body_bytes_sent.load(Ordering::SeqCst);
        assert!(sent < artifact.len() as u64 + BLOCK_BYTES, "cut after {cut_after}: {sent}");
    }
}

/// Where flushing costs nothing, if there is such a place.
fn in_memory() -> &'static str {
    if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }
}
