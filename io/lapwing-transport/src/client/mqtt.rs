//! Listening for calls at an MQTT broker: one topic, of which only matters that something came.
//!
//! Touches: a TCP connection that stays open, with TLS where the address asks for it; memory for one packet's head.
//! Source: MQTT 3.1.1, 2.2, 3.1, 3.3, 3.8 and 3.12. The broker must be one that the root document names.
//! Never: keeps what was published, publishes, or sends a login over a channel that does not keep it.

use super::dial::connect;
use super::exchange::{ExchangeError, why_io};
use super::limits::{BROKER_BYTES_PER_TURN_MAX, BROKER_KEEP_ALIVE_S, SERVER_URL_BYTES_MAX};
use super::meter::{Meter, Metered};
use super::server_url::{PlainHttp, ServerUrl};
use super::verifier::client_config;
use lapwing_core::DeviceId;
use lapwing_core::trust::TlsAnchor;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const PINGREQ: [u8; 2] = [0xc0, 0];
const PINGRESP: u8 = 0xd0;
/// The number of the only subscription.
const NUMBER: [u8; 2] = [0, 1];
/// A subscription that was refused.
const REFUSED: u8 = 0x80;

/// Where a broker is, and what its topics begin with: `mqtts://HOST[:PORT][/PREFIX]`, or `mqtt` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    server: ServerUrl,
    prefix: String,
}

/// The text is not the address of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected mqtts://HOST[:PORT][/PREFIX], or mqtt:// on this machine")]
pub struct ParseBrokerUrlError;

impl FromStr for BrokerUrl {
    type Err = ParseBrokerUrlError;

    fn from_str(text: &str) -> Result<Self, ParseBrokerUrlError> {
        let error = ParseBrokerUrlError;
        let (scheme, rest) = text.split_once("://").ok_or(error)?;
        let (below, usual_port) = match scheme {
            "mqtts" => ("https", 8883),
            "mqtt" => ("http", 1883),
            _ => return Err(error),
        };
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let has_port = authority.rsplit(']').next().is_some_and(|behind| behind.contains(':'));
        let port = if has_port { String::new() } else { format!(":{usual_port}") };
        let server: ServerUrl = format!("{below}://{authority}{port}").parse().map_err(|_| error)?;
        let plain = text.len() <= SERVER_URL_BYTES_MAX && !prefix.contains(['+', '#', '$', '%', '?']);
        let good = plain && server.is_allowed(PlainHttp::LoopbackOnly);
        good.then(|| Self { server, prefix: prefix.trim_matches('/').to_owned() }).ok_or(error)
    }
}

impl BrokerUrl {
    /// Where calls for this device are published.
    fn topic(&self, device: &DeviceId) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{}{slash}{device}/wake", self.prefix)
    }
}

/// A device that listens at a broker.
#[derive(Debug)]
pub struct Subscription {
    stream: Stream,
    /// The same connection.
    socket: TcpStream,
    meter: Meter,
    packets: Packets,
    /// A sign of life was asked for and did not come yet.
    asked: bool,
}

#[derive(Debug)]
enum Stream {
    Plain(Metered),
    Tls(Box<StreamOwned<ClientConnection, Metered>>),
}

impl Subscription {
    /// Subscribes to the calls for `device`. `login` is `user:password`, if the broker wants one.
    ///
    /// # Errors
    /// See [`ExchangeError`]; a login that is not taken is [`ExchangeError::Refused`].
    pub(super) fn begin(
        broker: &BrokerUrl,
        device: &DeviceId,
        login: Option<&str>,
        anchors: &[TlsAnchor],
        (timeout, meter): (Duration, &Meter),
    ) -> Result<Self, ExchangeError> {
        let opened = Stream::open(&broker.server, anchors, timeout, meter);
        let (mut stream, socket) = opened.map_err(|error| why_io(&error))?;
        let hello = hello(device, login).ok_or(ExchangeError::Nonsense)?;
        stream.write_all(&hello).map_err(|error| why_io(&error))?;
        let mut packets = Packets::default();
        let answer = packets.await_answer(&mut stream)?;
        match (answer.kind, answer.last) {
            (CONNACK, 0) => {}
            (CONNACK, 4 | 5) => return Err(ExchangeError::Refused { status: 401 }),
            _ => return Err(ExchangeError::Nonsense),
        }
        let topic = field(broker.topic(device).as_bytes()).ok_or(ExchangeError::Nonsense)?;
        // At most once: who is not there when somebody calls checks in when it always does.
        let subscribe = packet(SUBSCRIBE, &[&NUMBER, &topic, &[0]]).ok_or(ExchangeError::Nonsense)?;
        stream.write_all(&subscribe).map_err(|error| why_io(&error))?;
        let answer = packets.await_answer(&mut stream)?;
        match (answer.kind, answer.last) {
            (SUBACK, REFUSED) => return Err(ExchangeError::Refused { status: 403 }),
            (SUBACK, _) => {}
            _ => return Err(ExchangeError::Nonsense),
        }
        socket.set_nonblocking(true).map_err(|error| why_io(&error))?;
        Ok(Self { stream, socket, meter: meter.clone(), packets, asked: false })
    }

    /// How often [`keep`](Self::keep) must be called for the broker to believe that somebody listens.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        Duration::from_secs(BROKER_KEEP_ALIVE_S.into())
    }

    /// Asks the broker for a sign of life.
    ///
    /// # Errors
    /// When the last one did not come: begin anew.
    pub fn keep(&mut self) -> Result<(), ExchangeError> {
        if std::mem::replace(&mut self.asked, true) {
            return Err(ExchangeError::Timeout);
        }
        self.meter.lone_packet();
        self.stream.write_all(&PINGREQ).map_err(|error| why_io(&error))
    }

    /// Whether somebody called since this was last asked. Does not wait.
    ///
    /// # Errors
    /// When the connection is over: begin anew.
    pub fn called(&mut self) -> Result<bool, ExchangeError> {
        let (mut called, mut left, mut bytes) = (false, BROKER_BYTES_PER_TURN_MAX, [0; 256]);
        while left > 0 {
            let came = match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ExchangeError::Connection(ErrorKind::ConnectionAborted)),
                Ok(came) => bytes.get(..came).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(why_io(&error)),
            };
            self.meter.lone_packet();
            left = left.saturating_sub(came.len());
            for byte in came {
                match self.packets.take(*byte)?.map(|packet| packet.kind & 0xf0) {
                    Some(PUBLISH) => called = true,
                    Some(PINGRESP) => self.asked = false,
                    _ => {}
                }
            }
        }
        Ok(called)
    }
}

impl AsFd for Subscription {
    /// Can be read when something came.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Stream {
    fn open(
        server: &ServerUrl,
        anchors: &[TlsAnchor],
        timeout: Duration,
        meter: &Meter,
    ) -> io::Result<(Self, TcpStream)> {
        let mut socket = None;
        let wire = Metered::new(meter.clone(), || {
            let tcp = connect(server, timeout)?;
            tcp.set_read_timeout(Some(timeout))?;
            tcp.set_write_timeout(Some(timeout))?;
            socket = Some(tcp.try_clone()?);
            Ok(Box::new(tcp))
        })?;
        let socket = socket.ok_or(ErrorKind::NotConnected)?;
        if !server.is_tls() {
            return Ok((Self::Plain(wire), socket));
        }
        let config = Arc::new(client_config(anchors).map_err(io::Error::other)?);
        let name = ServerName::try_from(server.host().to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        Ok((Self::Tls(Box::new(StreamOwned::new(connection, wire))), socket))
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

/// Where one packet ends and the next begins. Of what is inside it only the last byte is kept.
#[derive(Debug, Default)]
struct Packets {
    kind: Option<u8>,
    length: u32,
    /// Bits of the length that came.
    shift: Option<u32>,
    last: u8,
}

/// What is known of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packet {
    kind: u8,
    last: u8,
}

impl Packets {
    /// The packet that this byte ends, if it ends one. Its length stands in groups of seven bits, the lowest first.
    fn take(&mut self, byte: u8) -> Result<Option<Packet>, ExchangeError> {
        let Some(kind) = self.kind else {
            *self = Self { kind: Some(byte), length: 0, shift: Some(0), last: 0 };
            return Ok(None);
        };
        match self.shift {
            Some(28..) => return Err(ExchangeError::Nonsense),
            Some(shift) => {
                self.length |= u32::from(byte & 0x7f) << shift;
                self.shift = (byte & 0x80 != 0).then_some(shift + 7);
            }
            None => (self.length, self.last) = (self.length.saturating_sub(1), byte),
        }
        let ended = self.shift.is_none() && self.length == 0;
        if ended {
            self.kind = None;
        }
        Ok(ended.then_some(Packet { kind, last: self.last }))
    }

    /// Waits for the answer to what was sent, and takes nothing behind it. Calls that come before it are let go.
    fn await_answer(&mut self, stream: &mut Stream) -> Result<Packet, ExchangeError> {
        let mut byte = [0];
        for _ in 0..BROKER_BYTES_PER_TURN_MAX {
            match stream.read(&mut byte) {
                Ok(0) => return Err(ExchangeError::Connection(ErrorKind::ConnectionAborted)),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(ExchangeError::Timeout);
                }
                Err(error) => return Err(why_io(&error)),
            }
            let [byte] = byte;
            if let Some(packet) = self.take(byte)?.filter(|packet| packet.kind & 0xf0 != PUBLISH) {
                return Ok(packet);
            }
        }
        Err(ExchangeError::Nonsense)
    }
}

/// Introduces a device that leaves nothing behind. What else on it talks to the broker has another name.
fn hello(device: &DeviceId, login: Option<&str>) -> Option<Vec<u8>> {
    const CLEAN_SESSION: u8 = 0b0000_0010;
    const LOGIN: u8 = 0b1100_0000;
    let (protocol, name) = (field(b"MQTT")?, field(format!("lapwing-{device}").as_bytes())?);
    // The broker waits half as long again.
    let keep_alive = BROKER_KEEP_ALIVE_S.to_be_bytes();
    match login.and_then(|login| login.split_once(':')) {
        None => packet(CONNECT, &[&protocol, &[4, CLEAN_SESSION], &keep_alive, &name]),
        Some((user, password)) => {
            let (user, password) = (field(user.as_bytes())?, field(password.as_bytes())?);
            packet(CONNECT, &[&protocol, &[4, CLEAN_SESSION | LOGIN], &keep_alive, &name, &user, &password])
        }
    }
}

/// Bytes behind their number.
fn field(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok()?;
    Some([&length.to_be_bytes(), bytes].concat())
}

/// A short packet of this kind.
fn packet(kind: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let body = parts.concat();
    let length = u16::try_from(body.len()).ok().filter(|length| *length < 1 << 14)?;
    let [low, high] = [length & 0x7f, length >> 7].map(|group| group.to_le_bytes()[0]);
    let head: &[u8] = if high == 0 { &[kind, low] } else { &[kind, low | 0x80, high] };
    Some([head, &body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Packet>, ExchangeError> {
        let mut packets = Packets::default();
        let taken: Result<Vec<_>, _> = bytes.iter().map(|byte| packets.take(*byte)).collect();
        taken.map(|taken| taken.into_iter().flatten().collect())
    }

    #[test]
    fn packets_are_told_apart_whatever_their_length_says() {
        let is = |kind, last| Packet { kind, last };
        assert_eq!(all(&[0x20, 2, 0, 5]), Ok(vec![is(CONNACK, 5)]));
        assert_eq!(all(&[0xd0, 0, 0x30, 4, 0, 1, b'a', 7]), Ok(vec![is(PINGRESP, 0), is(PUBLISH, 7)]));
        let long = [&[0x30, 0xc8, 1][..], &[9; 200], &[0xd0, 0]].concat();
        assert_eq!(all(&long), Ok(vec![is(PUBLISH, 9), is(PINGRESP, 0)]));
        assert_eq!(all(&[0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]), Ok(Vec::new()));
        assert_eq!(all(&[0x30, 0xff, 0xff, 0xff, 0xff, 1]), Err(ExchangeError::Nonsense));
        assert!(size_of::<Packets>() <= 24, "whatever is published");
    }

    #[test]
    fn packets_are_as_the_standard_writes_them() {
        let device = "d1".parse().unwrap();
        let bare = hello(&device, None).unwrap();
        assert_eq!(bare[..10], *b"\x10\x16\0\x04MQTT\x04\x02");
        assert_eq!(bare[12..], *b"\0\x0alapwing-d1");
        let hello = hello(&device, Some("u:p:q")).unwrap();
        assert_eq!((hello[9], &hello[24..]), (0xc2, &b"\0\x01u\0\x03p:q"[..]));
        let subscribe = packet(SUBSCRIBE, &[&NUMBER, &field(b"a/b").unwrap(), &[0]]).unwrap();
        assert_eq!(subscribe, *b"\x82\x08\0\x01\0\x03a/b\0");
        assert_eq!(packet(PUBLISH, &[&[0; 200]]).unwrap()[..3], [0x30, 0xc8, 1]);
        assert_eq!(packet(PUBLISH, &[&[0; 1 << 14]]), None);
    }

    #[test]
    fn a_broker_is_behind_tls_or_here() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let device = "d1".parse().unwrap();
            let found = text.parse::<BrokerUrl>().ok();
            let found = found.map(|broker| (broker.server.to_string(), broker.topic(&device)));
            let expected = expected.map(|(server, topic)| (server.to_owned(), topic.to_owned()));
            assert_eq!(found, expected, "{text}");
        };
        check("mqtts://broker.example", Some(("https://broker.example:8883", "d1/wake")));
        check(
            "mqtts://broker.example:99/fleet/pumps/",
            Some(("https://broker.example:99", "fleet/pumps/d1/wake")),
        );
        check("mqtt://localhost/a", Some(("http://localhost:1883", "a/d1/wake")));
        check("mqtt://[::1]:5", Some(("http://[::1]:5", "d1/wake")));
        check("mqtts://[::1]", Some(("https://[::1]:8883", "d1/wake")));
        check("mqtt://broker.example", None);
        check("mqtts://broker.example/a/+", None);
        check("mqtts://user@broker.example", None);
        check("https://broker.example", None);
    }
}
