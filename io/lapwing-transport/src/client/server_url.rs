//! Where a server listens, and whether a plain connection to it is acceptable.
//!
//! Touches: nothing. Entered from: `exchange`, and whoever reads a configuration.
//! Never: resolves a name.

use super::limits::SERVER_URL_BYTES_MAX;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// `https://host[:port]`, `http://host[:port]` or `coap://host[:port]`, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Coap,
}

/// Whether plain HTTP may leave this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// It may not.
    #[default]
    LoopbackOnly,
    /// It may, without the device's secret.
    Anywhere,
}

/// The text is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected https://HOST[:PORT], coap://HOST[:PORT] or http://HOST[:PORT] and nothing behind it")]
pub struct ParseServerUrlError;

impl ServerUrl {
    /// The host: a name or an address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the channel is TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }

    /// Whether the channel is CoAP, where every message is sealed with OSCORE.
    #[must_use]
    pub const fn is_coap(&self) -> bool {
        matches!(self.scheme, Scheme::Coap)
    }

    /// Whether the host is this machine, by its name or address. A dialer still has to keep
    /// `localhost` from resolving to somewhere else.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether a secret may travel on this channel.
    pub(super) fn keeps_secrets(&self) -> bool {
        self.is_tls() || self.is_loopback()
    }

    /// Whether this device may talk there at all.
    #[must_use]
    pub fn is_allowed(&self, plain: PlainHttp) -> bool {
        self.is_coap() || self.keeps_secrets() || plain == PlainHttp::Anywhere
    }
}

impl FromStr for ServerUrl {
    type Err = ParseServerUrlError;

    fn from_str(text: &str) -> Result<Self, ParseServerUrlError> {
        let error = ParseServerUrlError;
        if text.len() > SERVER_URL_BYTES_MAX {
            return Err(error);
        }
        let (scheme, rest) = text.split_once("://").ok_or(error)?;
        let (scheme, default_port) = match scheme {
            "https" => (Scheme::Https, 443),
            "http" => (Scheme::Http, 80),
            "coap" => (Scheme::Coap, 5683),
            _ => return Err(error),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(error)?;
                address.parse::<Ipv6Addr>().map_err(|_| error)?;
                (address, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("")),
            },
        };
        let port = match port.ok_or(error)? {
            "" if authority.ends_with(':') => return Err(error),
            "" => default_port,
            digits => digits.parse().map_err(|_| error)?,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        let good = !host.is_empty() && host.bytes().all(plain) && port != 0;
        good.then(|| Self { scheme, host: host.to_owned(), port }).ok_or(error)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Coap => "coap",
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_and_anything_else_is_refused() {
        let good = [
            ("https://example.org", "https://example.org:443", false),
            ("https://example.org:8443/", "https://example.org:8443", false),
            ("http://127.0.0.1:80", "http://127.0.0.1:80", true),
            ("http://localhost", "http://localhost:80", true),
            ("coap://192.0.2.1", "coap://192.0.2.1:5683", false),
            ("https://[::1]:9", "https://[::1]:9", true),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:443", false),
        ];
        for (text, spelled, loopback) in good {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.is_loopback()), (spelled, loopback));
        }
        let bad = [
            "",
            "example.org",
            "ftp://example.org",
            "https://",
            "https://a/path",
            "https://a?q",
            "https://user@a",
            "https://a:",
            "https://a:0",
            "https://a:99999",
            "https://[::1",
            "https://[::1]x",
            "https://a b",
        ];
        for text in bad {
            assert_eq!(text.parse::<ServerUrl>(), Err(ParseServerUrlError), "{text}");
        }
    }

    #[test]
    fn a_secret_stays_on_channels_that_keep_it() {
        let url = |text: &str| text.parse::<ServerUrl>().unwrap();
        assert!(url("https://example.org").keeps_secrets());
        assert!(url("http://127.8.8.8").keeps_secrets());
        assert!(!url("http://example.org").keeps_secrets());
        assert!(!url("http://localhost.example.org").keeps_secrets());
        assert!(!url("http://example.org").is_allowed(PlainHttp::LoopbackOnly));
        assert!(url("http://example.org").is_allowed(PlainHttp::Anywhere));
    }
}
