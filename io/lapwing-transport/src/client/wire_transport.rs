//! `ureq` over a [`Wire`], with TLS in between where the address asks for it.
//!
//! Touches: `ureq`'s transport layer, which does not promise to stay as it is; all of it is here.
//! Never: interprets HTTP.

use super::dial::{Dial, Wire};
use super::limits::{BUFFER_BYTES, CONNECT_TIMEOUT_MAX};
use super::meter::{Meter, Metered};
use super::server_url::ServerUrl;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, time,
};
use ureq::{Error, Timeout};

/// Connects to one server.
#[derive(Debug)]
pub(super) struct WireConnector {
    pub(super) dial: Arc<dyn Dial>,
    pub(super) server: ServerUrl,
    /// Needed exactly if the server's address says so.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) meter: Meter,
}

impl Connector for WireConnector {
    type Out = WireTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<WireTransport>, Error> {
        let timeout = left(details.timeout)?.unwrap_or(CONNECT_TIMEOUT_MAX);
        let timed = |error: io::Error| timed_out(error, Timeout::Connect);
        let dial = || self.dial.dial(&self.server, timeout);
        let mut wire: Box<dyn Wire> = Box::new(Metered::new(self.meter.clone(), dial).map_err(timed)?);
        let channel = match &self.tls {
            None => Channel::Plain(wire),
            Some(config) => {
                let name = ServerName::try_from(self.server.host().to_owned())
                    .map_err(|_| Error::BadUri("host".to_owned()))?;
                wire.set_timeout(Some(timeout))?;
                let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(connection, wire);
                // All of the handshake happens here, so that a server that is not the right one
                // never sees a request.
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock).map_err(timed)?;
                }
                Channel::Tls(Box::new(stream))
            }
        };
        let buffers = LazyBuffers::new(BUFFER_BYTES, BUFFER_BYTES);
        Ok(Some(WireTransport { channel, buffers }))
    }
}

/// One connection as `ureq` sees it.
#[derive(Debug)]
pub(super) struct WireTransport {
    channel: Channel,
    buffers: LazyBuffers,
}

#[derive(Debug)]
enum Channel {
    Plain(Box<dyn Wire>),
    Tls(Box<StreamOwned<ClientConnection, Box<dyn Wire>>>),
}

impl Channel {
    fn wire(&mut self) -> &mut dyn Wire {
        match self {
            Self::Plain(wire) => wire.as_mut(),
            Self::Tls(stream) => stream.sock.as_mut(),
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(out),
            Self::Tls(stream) => stream.read(out),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }
}

impl Transport for WireTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.channel.wire().set_timeout(left(timeout)?)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.channel.write_all(output).map_err(|error| timed_out(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.channel.wire().set_timeout(left(timeout)?)?;
        let amount = loop {
            match self.channel.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other.map_err(|error| timed_out(error, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Nothing is kept between two exchanges, so nobody needs to know.
        false
    }

    fn is_tls(&self) -> bool {
        matches!(self.channel, Channel::Tls(_))
    }
}

/// The dialer resolves names itself.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}

/// What is left of a timeout. To a socket zero means for ever, so there is a shortest one.
fn left(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.after {
        time::Duration::NotHappening => Ok(None),
        time::Duration::Exact(left) if left.is_zero() => Err(Error::Timeout(timeout.reason)),
        time::Duration::Exact(left) => Ok(Some(left.max(Duration::from_millis(1)))),
    }
}

fn timed_out(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}
