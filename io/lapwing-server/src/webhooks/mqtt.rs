//! One message to one broker: a CloudEvent as JSON, published at least once over a connection of its own.
//!
//! Touches: a socket, rustls with the certificates that this machine trusts.
//! Source: MQTT 3.1.1, 2.2, 3.1 to 3.4 and 3.14; CloudEvents 1.0.2, MQTT binding, structured mode.
//! Never: keeps a session at the broker, or leaves a message there for whoever comes later.

use crate::limits::WEBHOOK_TIMEOUT_S;
use rustls_platform_verifier::BuilderVerifierExt;
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
/// The number of the only message of a connection.
const NUMBER: [u8; 2] = [0, 1];

/// A broker, and where messages stand there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broker {
    host: String,
    port: u16,
    /// Without TLS only on this machine.
    tls: bool,
    prefix: String,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
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
    pub(super) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
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

    /// Where an event of this name stands: a level for each of its words, so that subscribers can take them together.
    fn topic(&self, event: &str) -> String {
        let words = event.replace('.', "/");
        if self.prefix.is_empty() { words } else { format!("{}/{words}", self.prefix) }
    }

    /// Publishes an event; when this returns, the broker answers for it. `login` is `user:password`, or empty.
    pub(super) async fn publish(&self, login: &str, event: &str, body: &str) -> Result<(), PublishError> {
        let hello = connect(login)?;
        let message = packet(PUBLISH, &[&field(self.topic(event).as_bytes())?, &NUMBER, body.as_bytes()]);
        let exchanged = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            if !self.tls {
                return exchange(stream, &hello, &message).await;
            }
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_platform_verifier()?
                .with_no_client_auth();
            let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            exchange(stream, &hello, &message).await
        };
        let limit = Duration::from_secs(WEBHOOK_TIMEOUT_S);
        tokio::time::timeout(limit, exchanged).await.unwrap_or(Err(PublishError::Late))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    hello: &[u8],
    message: &[u8],
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
    stream.write_all(message).await?;
    stream.flush().await?;
    stream.read_exact(&mut answer).await?;
    if answer != [PUBACK, 2, NUMBER[0], NUMBER[1]] {
        return Err(PublishError::Odd);
    }
    // The message is safe; how the farewell goes matters to nobody.
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
            let topic = Broker::of(url).map(|broker| (broker.port, broker.topic("update.confirmed")));
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
        check("https://broker.example", None);
    }

    #[test]
    fn packets_are_as_the_standard_writes_them() {
        assert_eq!(packet(DISCONNECT, &[]), [0xe0, 0]);
        assert_eq!(packet(PUBLISH, &[&field(b"a/b").unwrap(), &NUMBER, b"x"]), *b"\x32\x08\0\x03a/b\0\x01x");
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
