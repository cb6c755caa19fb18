//! The bytes of an artifact from any offset on, named by their digest.
//!
//! Touches: `exchange`. A server that ignores the range costs downlink and does no other harm:
//! what was not asked for is skipped. Source: RFC 9110 sections 13.1.5 and 14.
//! Never: hands out a byte of another offset, or an end that is not the end.

use super::credentials::Credentials;
use super::exchange::{Client, ExchangeError, Question, Secrecy, why_io};
use lapwing_core::Digest;
use lapwing_core::trust::TlsAnchor;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ureq::{Body, BodyReader};

/// Bytes that arrive. They are all there when [`next_offset`](Self::next_offset) is the artifact's size.
pub struct ArtifactBytes {
    body: BodyReader<'static>,
    /// Arrives before what was asked for.
    skip_bytes: u64,
    next_offset: u64,
    size_bytes: u64,
}

impl Client {
    /// Opens the artifact at `offset`, which lies before its end.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn artifact(
        &self,
        anchors: &[TlsAnchor],
        who: &Credentials,
        artifact: &Digest,
        size_bytes: u64,
        offset: u64,
    ) -> Result<ArtifactBytes, ExchangeError> {
        let mut headers = HeaderMap::new();
        let mut say = |name: HeaderName, text: String| {
            let value = HeaderValue::try_from(text).map_err(|_| ExchangeError::Nonsense)?;
            headers.insert(name, value);
            Ok::<_, ExchangeError>(())
        };
        if offset > 0 {
            say(header::RANGE, format!("bytes={offset}-"))?;
            say(header::IF_RANGE, format!("\"{artifact}\""))?;
        }
        say(header::ACCEPT, "*/*".to_owned())?;
        let path = format!("/v1/artifacts/{artifact}");
        let question = Question { path, body: None, secrecy: Secrecy::With(who), headers, timeout: None };
        let response = self.ask(anchors, &question)?;
        let begins = begins_at(&response, size_bytes)?;
        let skip_bytes = offset.checked_sub(begins).ok_or(ExchangeError::Nonsense)?;
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(ArtifactBytes { body, skip_bytes, next_offset: offset, size_bytes })
    }
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
    /// The offset of the next byte.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// Fills some of `out` with the bytes from [`next_offset`](Self::next_offset) on; 0 is the end of the artifact.
    ///
    /// # Errors
    /// See [`ExchangeError`]; also when the connection ends before the artifact does.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, ExchangeError> {
        while self.skip_bytes > 0 {
            let piece_bytes = usize::try_from(self.skip_bytes).unwrap_or(usize::MAX).min(out.len());
            let skipped = self.read_some(out.get_mut(..piece_bytes).unwrap_or_default())?;
            self.skip_bytes -= skipped as u64;
        }
        let left = usize::try_from(self.size_bytes - self.next_offset).unwrap_or(usize::MAX).min(out.len());
        if left == 0 {
            return Ok(0);
        }
        let length = self.read_some(out.get_mut(..left).unwrap_or_default())?;
        self.next_offset += length as u64;
        Ok(length)
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

impl fmt::Debug for ArtifactBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { skip_bytes, next_offset, size_bytes, .. } = self;
        write!(f, "ArtifactBytes {{ {next_offset} of {size_bytes}, {skip_bytes} to skip }}")
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
