//! A UDP socket to a server, and waiting on it.
//!
//! Touches: sockets, the system's resolver. Never: takes a datagram of somebody else.

use crate::client::meter::Meter;
use crate::client::{ExchangeError, ServerUrl};
use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The server's addresses, at least one, beginning with `known` if it is among them.
pub(super) fn addresses(
    server: &ServerUrl,
    known: Option<SocketAddr>,
) -> Result<Vec<SocketAddr>, ExchangeError> {
    let found = (server.host(), server.port()).to_socket_addrs().map_err(|error| lost(&error))?;
    let mut addresses: Vec<_> = found.collect();
    addresses.sort_by_key(|address| Some(*address) != known);
    if addresses.is_empty() { Err(lost(&ErrorKind::NotFound.into())) } else { Ok(addresses) }
}

/// A socket to one address.
#[derive(Debug)]
pub(super) struct Socket {
    udp: UdpSocket,
    address: SocketAddr,
    meter: Meter,
}

impl Socket {
    pub(super) fn to(address: SocketAddr, meter: &Meter) -> Result<Self, ExchangeError> {
        let any = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let udp = UdpSocket::bind((any, 0)).map_err(|error| lost(&error))?;
        udp.connect(address).map_err(|error| lost(&error))?;
        Ok(Self { udp, address, meter: meter.clone() })
    }

    /// Can be read when something came.
    pub(super) fn incoming(&self) -> BorrowedFd<'_> {
        self.udp.as_fd()
    }

    pub(super) fn send(&self, datagram: &[u8]) -> Result<(), ExchangeError> {
        self.meter.datagram(self.address, datagram.len());
        match self.udp.send(datagram) {
            Ok(_) => Ok(()),
            // A full queue loses datagrams as the air does.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(lost(&error)),
        }
    }

    /// What came already, if anything did.
    pub(super) fn receive_ready(
        &self,
        buffer: &mut [u8; DATAGRAM_BYTES_MAX],
    ) -> Result<Option<usize>, ExchangeError> {
        self.udp.set_nonblocking(true).map_err(|error| lost(&error))?;
        let received = self.received(buffer);
        self.udp.set_nonblocking(false).map_err(|error| lost(&error))?;
        received
    }

    /// What came within this time, if anything did.
    pub(super) fn receive(
        &self,
        buffer: &mut [u8; DATAGRAM_BYTES_MAX],
        patience: Duration,
    ) -> Result<Option<usize>, ExchangeError> {
        // To a socket zero means for ever.
        let patience = patience.max(Duration::from_millis(1));
        self.udp.set_read_timeout(Some(patience)).map_err(|error| lost(&error))?;
        self.received(buffer)
    }

    fn received(&self, buffer: &mut [u8; DATAGRAM_BYTES_MAX]) -> Result<Option<usize>, ExchangeError> {
        match self.udp.recv(buffer) {
            Ok(len) => {
                self.meter.datagram(self.address, len);
                Ok(Some(len))
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(None),
                _ => Err(lost(&error)),
            },
        }
    }
}

fn lost(error: &Error) -> ExchangeError {
    ExchangeError::Connection(error.kind())
}
