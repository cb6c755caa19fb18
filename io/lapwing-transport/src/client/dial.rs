//! How bytes get to a server: TCP, or whatever a host or a test puts in its place.
//!
//! Touches: sockets, the system's resolver.
//! Never: knows what the bytes mean.

use super::server_url::ServerUrl;
use std::fmt::Debug;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// One connection.
pub trait Wire: Read + Write + Debug + Send + Sync {
    /// How long the next reads and writes may take.
    ///
    /// # Errors
    /// When the connection is gone.
    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()>;
}

/// Opens connections. The server is authenticated above, not here.
pub trait Dial: Debug + Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// When there is no way to the server within `timeout`.
    fn dial(&self, server: &ServerUrl, timeout: Duration) -> Result<Box<dyn Wire>>;
}

/// TCP, by the system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDial;

impl Dial for TcpDial {
    fn dial(&self, server: &ServerUrl, timeout: Duration) -> Result<Box<dyn Wire>> {
        Ok(Box::new(connect(server, timeout)?))
    }
}

/// A connection by the system's resolver.
pub(super) fn connect(server: &ServerUrl, timeout: Duration) -> Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let mut failure = Error::from(ErrorKind::NotFound);
    for address in (server.host(), server.port()).to_socket_addrs()? {
        // A resolver must not lead a plain connection to `localhost` off this machine.
        if server.is_loopback() && !address.ip().is_loopback() {
            continue;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

impl Wire for TcpStream {
    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.set_read_timeout(timeout)?;
        self.set_write_timeout(timeout)
    }
}
