//! A wire in memory between the real client and the server of these tests, which can be cut.
//!
//! Touches: memory. Never: blocks; a server that has nothing more to say closes.

use crate::server::{Request, Server};
use lapwing_transport::client::{Dial, ServerUrl, Wire};
use std::io::{ErrorKind, Read, Result, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The way to the server, and what happens on it.
#[derive(Clone)]
pub(crate) struct Link {
    ends: Arc<Mutex<Ends>>,
    clock_ms: Arc<AtomicU64>,
}

/// What a connection takes before its first byte, milliseconds.
const LATENCY_MS: u64 = 50;

struct Ends {
    server: Server,
    down: bool,
    /// Bytes of each answer that get through, artifacts only.
    cut_after: Option<usize>,
    /// How many more answers are cut.
    cuts_left: u32,
    down_when_cut: bool,
    /// Bytes that crossed, both ways.
    crossed_bytes: u64,
}

impl Link {
    pub(crate) fn new(server: Server, clock_ms: Arc<AtomicU64>) -> Self {
        let ends = Ends {
            server,
            down: false,
            cut_after: None,
            cuts_left: 0,
            down_when_cut: false,
            crossed_bytes: 0,
        };
        Self { ends: Arc::new(Mutex::new(ends)), clock_ms }
    }

    /// Looks at the server, or changes it.
    pub(crate) fn server<T>(&self, look: impl FnOnce(&mut Server) -> T) -> T {
        look(&mut self.ends().server)
    }

    /// Bytes of all connections so far, both ways.
    pub(crate) fn crossed_bytes(&self) -> u64 {
        self.ends().crossed_bytes
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.ends().down = down;
    }

    /// Cuts the next answers that carry an artifact after so many bytes each, heads included.
    pub(crate) fn cut(&self, times: u32, after_bytes: usize) {
        let mut ends = self.ends();
        (ends.cuts_left, ends.cut_after) = (times, Some(after_bytes));
    }

    /// Cuts the next answer that carries an artifact, and the link with it.
    pub(crate) fn cut_off(&self, after_bytes: usize) {
        self.cut(1, after_bytes);
        self.ends().down_when_cut = true;
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Dial for Link {
    fn dial(&self, _: &ServerUrl, _: Duration) -> Result<Box<dyn Wire>> {
        self.clock_ms.fetch_add(LATENCY_MS, Ordering::SeqCst);
        if self.ends().down {
            return Err(ErrorKind::NetworkUnreachable.into());
        }
        Ok(Box::new(Connection { link: self.clone(), asked: Vec::new(), answer: Vec::new(), cut: false }))
    }
}

#[derive(Debug)]
struct Connection {
    link: Link,
    asked: Vec<u8>,
    /// What is left of the answer, last byte first.
    answer: Vec<u8>,
    cut: bool,
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.asked.extend(bytes);
        self.link.ends().crossed_bytes += bytes.len() as u64;
        if let Some(request) = Request::parse(&self.asked) {
            let mut ends = self.link.ends();
            self.answer = ends.server.answer(&request);
            if let (Some(after), 1.., true) = (ends.cut_after, ends.cuts_left, request.is_for_artifact()) {
                self.cut = after < self.answer.len();
                self.answer.truncate(after);
                ends.cuts_left -= 1;
                ends.down = ends.down_when_cut;
            }
            drop(ends);
            self.answer.reverse();
            self.asked.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.answer.is_empty() && self.cut {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let length = out.len().min(self.answer.len());
        let rest = self.answer.len() - length;
        self.link.ends().crossed_bytes += length as u64;
        for (byte, answered) in out.iter_mut().zip(self.answer.drain(rest..).rev()) {
            *byte = answered;
        }
        Ok(length)
    }
}

impl Wire for Connection {
    fn set_timeout(&mut self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }
}
