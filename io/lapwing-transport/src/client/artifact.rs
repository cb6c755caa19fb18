//! The bytes of an artifact that are missing, named by its digest.
//!
//! Touches: `exchange`; `coap` where that is how a server is asked. An HTTP server that ignores the range costs downlink and does no other harm:
//! what was not asked for is skipped. Source: RFC 9110 sections 13.1.5 and 14.
//! Never: hands out a byte as one of another offset, or an end that is not the end.

use super::coap::Fetching;
use super::credentials::Credentials;
use super::exchange::{Client, ExchangeError, Question, Secrecy, why_io};
use super::limits::{BLOCK_BYTES, CONNECTION_AIR_BYTES};
use super::meter::Meter;
use super::server_url::ServerUrl;
use lapwing_core::Digest;
use lapwing_core::trust::TlsAnchor;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ureq::{Body, BodyReader};

/// Which artifact, and what of it is there.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its digest.
    pub artifact: Digest,
    /// Its size.
    pub size_bytes: u64,
    /// One bit for each [`BLOCK_BYTES`] of it, lowest first: those that are there. Not all of them are.
    pub have: &'a [u8],
}

/// Bytes that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where in the artifact they belong.
    pub offset: u64,
    /// How many; none is the end of what was missing, or of what it may cost.
    pub bytes: usize,
}

/// Bytes that arrive.
#[derive(Debug)]
pub struct ArtifactBytes {
    by: By,
    brought_any: bool,
}

#[derive(Debug)]
enum By {
    Http(HttpBytes),
    Coap(Box<Fetching>),
}

struct HttpBytes {
    body: BodyReader<'static>,
    /// Arrives before what was asked for.
    skip_bytes: u64,
    next_offset: u64,
    /// Where what was asked for ends.
    end: u64,
    meter: Meter,
}

impl Client {
    /// Opens the artifact where something is missing.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn artifact(
        &self,
        anchors: &[TlsAnchor],
        who: &Credentials,
        wanted: &Wanted<'_>,
    ) -> Result<ArtifactBytes, ExchangeError> {
        self.in_turn(|server| {
            let by = match server.is_coap() {
                true => By::Coap(Box::new(self.fetching(server, wanted)?)),
                false => By::Http(self.body(server, anchors, who, wanted)?),
            };
            Ok(ArtifactBytes { by, brought_any: false })
        })
    }

    fn body(
        &self,
        server: &ServerUrl,
        anchors: &[TlsAnchor],
        who: &Credentials,
        &Wanted { artifact, size_bytes, have }: &Wanted<'_>,
    ) -> Result<HttpBytes, ExchangeError> {
        let offset = first_missing(have).saturating_mul(BLOCK_BYTES);
        let mut headers = HeaderMap::new();
        let mut say = |name: HeaderName, text: String| {
            let value = HeaderValue::try_from(text).map_err(|_| ExchangeError::Nonsense)?;
            headers.insert(name, value);
            Ok::<_, ExchangeError>(())
        };
        let end = offset.saturating_add(payload_bytes(self.meter.left_bytes())).min(size_bytes);
        if offset > 0 || end < size_bytes {
            let last = if end < size_bytes { (end - 1).to_string() } else { String::new() };
            say(header::RANGE, format!("bytes={offset}-{last}"))?;
            say(header::IF_RANGE, format!("\"{artifact}\""))?;
        }
        say(header::ACCEPT, "*/*".to_owned())?;
        let path = format!("/v1/artifacts/{artifact}");
        let question = Question { path, body: None, secrecy: Secrecy::With(who), headers, timeout: None };
        let response = self.ask_server(server, anchors, &question)?;
        let begins = begins_at(&response, size_bytes)?;
        let skip_bytes = offset.checked_sub(begins).ok_or(ExchangeError::Nonsense)?;
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(HttpBytes { body, skip_bytes, next_offset: offset, end, meter: self.meter.clone() })
    }
}

/// What a connection that may cost so much brings of an artifact: whole blocks, one at least.
fn payload_bytes(left_bytes: u64) -> u64 {
    // A packet is three quarters payload at worst: headers, records, acknowledgements.
    let payload_bytes = left_bytes.saturating_sub(CONNECTION_AIR_BYTES) / 4 * 3;
    (payload_bytes / BLOCK_BYTES).max(1) * BLOCK_BYTES
}

/// The first block that is not there.
fn first_missing(have: &[u8]) -> u64 {
    let full = have.iter().take_while(|byte| **byte == u8::MAX).count();
    let bits = have.get(full).map_or(0, |byte| byte.trailing_ones());
    full as u64 * 8 + u64::from(bits)
}

/// Where the body begins, if it is a body of this artifact.
fn begins_at(response: &Response<Body>, size_bytes: u64) -> Result<u64, ExchangeError> {
    match response.status() {
        StatusCode::OK => {
            let said = response.body().content_length();
            said.is_none_or(|length| length == size_bytes).then_some(0).ok_or(ExchangeError::Nonsense)
        }
        StatusCode::PARTIAL_CONTENT => {
            let text = response.headers().get(header::CONTENT_RANGE).and_then(|text| text.to_str().ok());
            let (first, total) = text.and_then(content_range).ok_or(ExchangeError::Nonsense)?;
            total.is_none_or(|total| total == size_bytes).then_some(first).ok_or(ExchangeError::Nonsense)
        }
        _ => Err(ExchangeError::Nonsense),
    }
}

/// First byte and size of `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _last) = range.split_once('-')?;
    let total = match total {
        "*" => None,
        digits => Some(digits.parse().ok()?),
    };
    Some((first.parse().ok()?, total))
}

impl ArtifactBytes {
    /// Whether nothing of what is still to come lies before `offset`, where the first byte is missing.
    #[must_use]
    pub fn wastes_nothing(&self, offset: u64) -> bool {
        match &self.by {
            By::Http(bytes) => bytes.next_offset >= offset,
            By::Coap(_) => true,
        }
    }

    /// Fills some of `out` with bytes that came: over HTTP one after another, over CoAP in no order; with none
    /// when more would cost more than [`Client::allow`] said.
    ///
    /// # Errors
    /// See [`ExchangeError`]; also when the connection ends before the artifact does.
    pub fn read(&mut self, out: &mut [u8]) -> Result<Piece, ExchangeError> {
        let piece = match &mut self.by {
            By::Http(bytes) => bytes.read(out),
            By::Coap(fetching) => fetching.read(out),
        }?;
        self.brought_any |= piece.bytes > 0;
        Ok(piece)
    }

    /// Whether a byte ever came. Over CoAP nobody knows before that whether the server is there.
    #[must_use]
    pub const fn brought_any(&self) -> bool {
        self.brought_any
    }
}

impl HttpBytes {
    fn read(&mut self, out: &mut [u8]) -> Result<Piece, ExchangeError> {
        while self.skip_bytes > 0 && self.meter.left_bytes() > 0 {
            let piece_bytes = usize::try_from(self.skip_bytes).unwrap_or(usize::MAX).min(out.len());
            let skipped = self.read_some(out.get_mut(..piece_bytes).unwrap_or_default())?;
            self.skip_bytes -= skipped as u64;
        }
        let offset = self.next_offset;
        let left = usize::try_from(self.end - offset).unwrap_or(usize::MAX).min(out.len());
        if left == 0 || self.meter.left_bytes() == 0 || self.meter.left_ms() == 0 {
            return Ok(Piece { offset, bytes: 0 });
        }
        let bytes = self.read_some(out.get_mut(..left).unwrap_or_default())?;
        self.next_offset += bytes as u64;
        Ok(Piece { offset, bytes })
    }

    fn read_some(&mut self, out: &mut [u8]) -> Result<usize, ExchangeError> {
        loop {
            match self.body.read(out) {
                Ok(0) => return Err(ExchangeError::Connection(ErrorKind::UnexpectedEof)),
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(why_io(&error)),
            }
        }
    }
}

impl fmt::Debug for HttpBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { skip_bytes, next_offset, end, .. } = self;
        write!(f, "HttpBytes {{ {next_offset} of {end}, {skip_bytes} to skip }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_understood() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes */10", "bytes 5/10", "items 5-9/10", "bytes 5-9/x"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
