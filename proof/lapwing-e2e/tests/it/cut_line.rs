//! A connection from the agent's HTTP client to the server's handler, cut where a plan says.
//!
//! Touches: a pair of sockets. It reads the heads that pass by, to know which byte is which.
//! Never: changes a byte of an artifact.

use lapwing_server::Running;
use lapwing_transport::client::{Dial, ServerUrl, Wire};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;

/// Where the artifact's connections are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The first is cut before this byte of the artifact.
    pub(crate) first_byte: u64,
    /// Each later one so many bytes further on.
    pub(crate) step_bytes: u64,
    pub(crate) ranges: Ranges,
}

/// Whether the server hears which range it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ranges {
    Kept,
    Dropped,
}

/// What has passed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    /// Of the artifact, as its first answer said.
    pub(crate) size_bytes: u64,
    pub(crate) cuts: u64,
    /// Of the artifact that got through, all connections together.
    pub(crate) moved_bytes: u64,
}

/// The way to the server.
#[derive(Clone)]
pub(crate) struct Line {
    runtime: Handle,
    server: Arc<Running>,
    plan: Plan,
    traffic: Arc<Mutex<Traffic>>,
}

impl Line {
    pub(crate) fn new(runtime: Handle, server: Arc<Running>, plan: Plan) -> Self {
        Self { runtime, server, plan, traffic: Arc::default() }
    }

    pub(crate) fn traffic(&self) -> Traffic {
        *self.passing()
    }

    fn passing(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap()
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Dial for Line {
    fn dial(&self, _: &ServerUrl, _: Duration) -> Result<Box<dyn Wire>> {
        let (stream, far) = UnixStream::pair()?;
        far.set_nonblocking(true)?;
        let _entered = self.runtime.enter();
        let far = tokio::net::UnixStream::from_std(far)?;
        self.runtime.spawn(self.server.answer_device(far));
        let (line, passing) = (self.clone(), Passing::Question(Vec::new()));
        Ok(Box::new(Connection { line, stream, passing }))
    }
}

#[derive(Debug)]
struct Connection {
    line: Line,
    stream: UnixStream,
    passing: Passing,
}

/// How far the one exchange of a connection is.
#[derive(Debug)]
enum Passing {
    /// The head of the question, so far.
    Question(Vec<u8>),
    /// The head of an answer with the artifact from this byte on, so far.
    Head(u64, Vec<u8>),
    /// The artifact, from this byte on.
    Artifact(u64),
    /// Anything else.
    Other,
    /// Nothing ever again.
    Cut,
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut forward = bytes.to_vec();
        if let Passing::Question(head) = &mut self.passing {
            head.extend(bytes);
            let Some(end) = end_of_head(head) else { return Ok(bytes.len()) };
            let (asked, body) = head.split_at(end);
            let mut asked = String::from_utf8(asked.to_vec()).unwrap();
            if self.line.plan.ranges == Ranges::Dropped {
                asked = asked.replace("\r\nrange:", "\r\nx-range:");
            }
            let first = number_behind(&asked, "\r\nrange: bytes=").unwrap_or(0);
            forward = [asked.as_bytes(), body].concat();
            self.passing = match asked.starts_with("GET /v1/artifacts/") {
                true => Passing::Head(first, Vec::new()),
                false => Passing::Other,
            };
        }
        self.stream.write_all(&forward)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if matches!(self.passing, Passing::Cut) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let length = self.stream.read(out)?;
        match &mut self.passing {
            Passing::Head(first, head) => {
                head.extend(&out[..length]);
                let Some(end) = end_of_head(head) else { return Ok(length) };
                let (first, brought) = (*first, head.len() - end);
                if first == 0 {
                    let text = String::from_utf8_lossy(&head[..end]);
                    let size_bytes = number_behind(&text, "\r\ncontent-length: ").unwrap();
                    self.line.passing().size_bytes = size_bytes;
                }
                Ok(length - brought + self.let_through(first, brought))
            }
            Passing::Artifact(next) => {
                let next = *next;
                Ok(self.let_through(next, length))
            }
            Passing::Question(_) | Passing::Other | Passing::Cut => Ok(length),
        }
    }
}

impl Connection {
    /// How many of the artifact's bytes from `first` on get through before the next cut.
    fn let_through(&mut self, first: u64, length: usize) -> usize {
        let Plan { first_byte, step_bytes, .. } = self.line.plan;
        let mut traffic = self.line.traffic.lock().unwrap();
        let cut_at = first_byte + traffic.cuts * step_bytes;
        let through = (length as u64).min(cut_at - first);
        traffic.moved_bytes += through;
        self.passing = Passing::Artifact(first + through);
        if first + through == cut_at && cut_at < traffic.size_bytes {
            traffic.cuts += 1;
            self.passing = Passing::Cut;
        }
        usize::try_from(through).unwrap()
    }
}

impl Wire for Connection {
    fn set_timeout(&mut self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn number_behind(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.split_once(name)?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}
