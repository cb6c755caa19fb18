//! Messages to a broker, published at least once over a connection of their own.
//!
//! Touches: a socket, rustls with the certificates that this machine trusts. Entered from: `webhooks`, `wake`.
//! Source: MQTT 3.1.1, 2.2, 3.1 to 3.4 and 3.14.
//! Never: keeps a session at the broker, or leaves a message there for whoever comes later.

use crate::limits::WEBHOOK_TIMEOUT_S;
use rustls_platform_verifier::BuilderVerifierExt;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use ureq::http::Uri;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
/// To be acknowledged.
const PUBLISH: u8 = 0x32;
const PUBACK: u8 = 0x40;
const DISCONNECT: u8 = 0xe0;

/// A broker, and where messages stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broker {
    host: String,
    port: u16,
    /// Without TLS only on this machine.
    tls: bool,
    prefix: String,
}

/// What a broker wants to be told: `user:password`, or nothing.
#[derive(Clone)]
pub(crate) struct Login(pub(crate) String);

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("the broker cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error("this machine's certificates cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the broker wants another login")]
    Login,
    #[error("the broker refused the connection with code {0}")]
    Refused(u8),
    #[error("the broker does not speak MQTT 3.1.1")]
    Odd,
    #[error("the broker did not answer in time")]
    Late,
}

impl Broker {
    /// The broker that a URL names: `mqtts`, or `mqtt` on this machine; topics begin with its path.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        // A login in it would be shown wherever addresses are.
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let (tls, port) = match uri.scheme_str()? {
            "mqtts" => (true, 8883),
            "mqtt" if here => (false, 1883),
            _ => return None,
        };
        let prefix = uri.path().trim_matches('/').to_owned();
        let plain = !prefix.contains(['+', '#', '$', '%']) && uri.query().is_none();
        plain.then(|| Self { host, port: uri.port_u16().unwrap_or(port), tls, prefix })
    }

    /// Where something stands below the prefix.
    fn topic(&self, below: &str) -> String {
        if self.prefix.is_empty() { below.to_owned() } else { format!("{}/{below}", self.prefix) }
    }

    /// Publishes messages, each with its topic below the prefix; when this returns, the broker answers for them.
    pub(crate) async fn publish(
        &self,
        login: &Login,
        messages: &[(String, &str)],
    ) -> Result<(), PublishError> {
        let hello = connect(&login.0)?;
        let mut packets = Vec::new();
        for (number, (below, body)) in (1..=u16::MAX).zip(messages) {
            let topic = field(self.topic(below).as_bytes())?;
            packets.extend(packet(PUBLISH, &[&topic, &number.to_be_bytes(), body.as_bytes()]));
        }
        let exchanged = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            if !self.tls {
                return exchange(stream, &hello, &packets, messages.len()).await;
            }
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_platform_verifier()?
                .with_no_client_auth();
            let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            exchange(stream, &hello, &packets, messages.len()).await
        };
        let limit = Duration::from_secs(WEBHOOK_TIMEOUT_S);
        tokio::time::timeout(limit, exchanged).await.unwrap_or(Err(PublishError::Late))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    hello: &[u8],
    packets: &[u8],
    count: usize,
) -> Result<(), PublishError> {
    stream.write_all(hello).await?;
    stream.flush().await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    match answer {
        [CONNACK, 2, _, 0] => {}
        [CONNACK, 2, _, 4 | 5] => return Err(PublishError::Login),
        [CONNACK, 2, _, code] => return Err(PublishError::Refused(code)),
        _ => return Err(PublishError::Odd),
    }
    stream.write_all(packets).await?;
    stream.flush().await?;
    // One connection, one answer for each: none is missing when so many came.
    for _ in 0..count {
        stream.read_exact(&mut answer).await?;
        let [PUBACK, 2, ..] = answer else { return Err(PublishError::Odd) };
    }
    // The messages are safe; how the farewell goes matters to nobody.
    drop(stream.write_all(&packet(DISCONNECT, &[])).await);
    drop(stream.shutdown().await);
    Ok(())
}

/// A connection of a stranger that leaves nothing behind.
fn connect(login: &str) -> io::Result<Vec<u8>> {
    // An id of at most 23 bytes is one that every broker takes.
    let id = format!("lapwing-{:015x}", getrandom::u64().map_err(io::Error::other)? >> 4);
    let level = [4];
    let no_keep_alive = [0, 0];
    let clean_session = 0b0000_0010;
    let protocol = field(b"MQTT")?;
    let id = field(id.as_bytes())?;
    Ok(match login.split_once(':') {
        None => packet(CONNECT, &[&protocol, &level, &[clean_session], &no_keep_alive, &id]),
        Some((user, password)) => {
            let (flags, user, password) =
                ([clean_session | 0b1100_0000], field(user.as_bytes())?, field(password.as_bytes())?);
            packet(CONNECT, &[&protocol, &level, &flags, &no_keep_alive, &id, &user, &password])
        }
    })
}

/// Bytes behind their number.
fn field(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), bytes].concat())
}

/// A packet of this kind: its length stands in groups of seven bits, the lowest first.
fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut left = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut packet = vec![kind];
    loop {
        // Seven bits fit.
        let group = (left & 0x7f) as u8;
        left >>= 7;
        packet.push(if left == 0 { group } else { group | 0x80 });
        if left == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| packet.extend_from_slice(part));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_behind_tls_or_here() {
        let check = |url: &str, expected: Option<(u16, &str)>| {
            let topic = Broker::of(url).map(|broker| (broker.port, broker.topic("update/confirmed")));
            let expected = expected.map(|(port, topic)| (port, topic.to_owned()));
            assert_eq!(topic, expected, "{url}");
        };
        check("mqtts://broker.example", Some((8883, "update/confirmed")));
        check("mqtts://broker.example:99/lapwing/pumps/", Some((99, "lapwing/pumps/update/confirmed")));
        check("mqtt://localhost/a", Some((1883, "a/update/confirmed")));
        check("mqtt://[::1]:5", Some((5, "update/confirmed")));
        check("mqtt://broker.example", None);
        check("mqtts://broker.example/a/+", None);
        check("mqtts://broker.example/a?b", None);
        check("mqtts://user:password@broker.example", None);
        check("https://broker.example", None);
    }

    #[test]
    fn packets_are_as_the_standard_writes_them() {
        assert_eq!(packet(DISCONNECT, &[]), [0xe0, 0]);
        assert_eq!(packet(PUBLISH, &[&field(b"a/b").unwrap(), &[0, 1], b"x"]), *b"\x32\x08\0\x03a/b\0\x01x");
        let lengths = [(127, 2), (128, 3), (16_383, 3), (16_384, 4), (2_097_151, 4), (2_097_152, 5)];
        for (length, head) in lengths {
            assert_eq!(packet(PUBLISH, &[&vec![0; length]]).len(), head + length, "{length}");
        }
        let hello = connect("u:p:q").unwrap();
        assert_eq!(hello[..12], *b"\x10\x2b\0\x04MQTT\x04\xc2\0\0");
        assert_eq!(hello[12..22], *b"\0\x17lapwing-");
        assert_eq!(hello[37..], *b"\0\x01u\0\x03p:q");
        assert_eq!(connect("").unwrap()[9], 2);
    }
}
