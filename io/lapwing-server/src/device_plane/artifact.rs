//! Artifact bytes: any range, immutable, only for a device with an open offer for them.
//!
//! Touches: blobs. Source: RFC 9110 sections 13 and 14. A range that is not understood is ignored, as
//! the standard allows. Never: holds a whole artifact in memory.

use super::auth::authenticate;
use crate::app::App;
use crate::limits::ARTIFACT_CHUNK_BYTES;
use crate::problem::Problem;
use crate::store::Device;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::Channel;
use lapwing_core::Digest;
use lapwing_fleet::AttemptState;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// When to come back if too many artifacts are on their way, seconds.
const BUSY_S: u32 = 10;
/// Chunks read ahead of the socket.
const CHUNKS_AHEAD: usize = 2;

/// `GET /v1/artifacts/{digest}`.
pub(super) async fn artifact(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let device = authenticate(&app, &headers).await?;
    let digest: Digest =
        name.parse().map_err(|_| Problem::not_found("an artifact is named by its digest"))?;
    if offered(&app, &device) != Some(digest) {
        return Err(match app.blobs.path(digest).exists() {
            true => Problem::forbidden("no-offer", "there is no open offer for this artifact"),
            false => Problem::not_found("no such artifact"),
        });
    }
    let streams = Arc::clone(&app.streams);
    let permit = streams.try_acquire_owned().map_err(|_| Problem::busy(BUSY_S))?;
    let (file, size_bytes) = open(&app.blobs.path(digest)).map_err(|error| Problem::internal(&error))?;
    let etag = format!("\"{digest}\"");
    let response = match wanted_range(&headers, &etag, size_bytes) {
        Wanted::All => respond(StatusCode::OK, 0..size_bytes),
        Wanted::Part(range) => {
            let value = format!("bytes {}-{}/{size_bytes}", range.start, range.end.saturating_sub(1));
            let mut response = respond(StatusCode::PARTIAL_CONTENT, range);
            insert(&mut response.0, header::CONTENT_RANGE, &value);
            response
        }
        Wanted::Nothing => {
            let value = HeaderValue::from_str(&format!("bytes */{size_bytes}"));
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", "nothing in that range");
            return Err(match value {
                Ok(value) => problem.with(header::CONTENT_RANGE, value),
                Err(_) => problem,
            });
        }
    };
    let (mut response, range) = response;
    insert(&mut response, header::ETAG, &etag);
    *response.body_mut() = stream(app, Arc::new(file), range, permit);
    Ok(response)
}

/// What a device may fetch: what it was last offered, until it said that the attempt is over or the fleet
/// withdrew the release or stopped its rollout.
pub(crate) fn offered(app: &App, device: &Device) -> Option<Digest> {
    let newest = device.attempts.first()?;
    let open = !newest.outcome.state.is_over() || newest.outcome.state == AttemptState::TimedOut;
    let stands =
        app.orchestrator.steering().bringing(|bringing| newest.past().stands(&app.catalogue(), bringing));
    (open && stands && device.quarantine.is_none()).then_some(newest.artifact)
}

/// An artifact's file and size.
pub(crate) fn open(path: &std::path::Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    Ok((file, size_bytes))
}

fn respond(status: StatusCode, range: Range<u64>) -> (Response, Range<u64>) {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, immutable, max-age=31536000"),
    ];
    let mut response = (status, headers).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    (response, range)
}

fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    Nothing,
}

/// What a request asks for. A range counts only while `If-Range`, if given, names these very bytes.
fn wanted_range(headers: &HeaderMap, etag: &str, size_bytes: u64) -> Wanted {
    let same = headers.get(header::IF_RANGE).is_none_or(|found| found.as_bytes() == etag.as_bytes());
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).filter(|_| same);
    let Some((first, last)) = range.and_then(|r| r.strip_prefix("bytes=")).and_then(|r| r.split_once('-'))
    else {
        return Wanted::All;
    };
    let part = match (first.trim(), last.trim()) {
        ("", suffix) => suffix.parse().ok().map(|suffix| size_bytes.saturating_sub(suffix)..size_bytes),
        (first, "") => first.parse().ok().map(|first| first..size_bytes),
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => Some(first..last.saturating_add(1).min(size_bytes)),
            _ => None,
        },
    };
    match part {
        None => Wanted::All,
        Some(part) if part.start < part.end => Wanted::Part(part),
        Some(_) => Wanted::Nothing,
    }
}

/// Reads and sends chunk by chunk; an unreadable file cuts the connection rather than send wrong bytes.
fn stream(app: Arc<App>, file: Arc<File>, range: Range<u64>, permit: OwnedSemaphorePermit) -> Body {
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(CHUNKS_AHEAD);
    tokio::spawn(async move {
        let _permit = permit;
        let Range { start: mut at, end } = range;
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(ARTIFACT_CHUNK_BYTES);
            let file = Arc::clone(&file);
            let read = move || {
                let mut chunk = vec![0; length];
                file.read_exact_at(&mut chunk, at).map(|()| Bytes::from(chunk))
            };
            let chunk = match tokio::task::spawn_blocking(read).await {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => return sender.abort(error),
                Err(_) => return sender.abort(io::ErrorKind::Other.into()),
            };
            if sender.send_data(chunk).await.is_err() {
                return;
            }
            app.metrics.served(length as u64);
            at += length as u64;
        }
    });
    Body::new(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: Option<&str>, if_range: Option<&str>, expected: Wanted) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::RANGE, range), (header::IF_RANGE, if_range)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        assert_eq!(wanted_range(&headers, "\"e\"", 100), expected, "{range:?} {if_range:?}");
    }

    #[test]
    fn ranges_follow_the_standard() {
        check(None, None, Wanted::All);
        check(Some("bytes=0-0"), None, Wanted::Part(0..1));
        check(Some("bytes=10-"), None, Wanted::Part(10..100));
        check(Some("bytes=90-1000"), None, Wanted::Part(90..100));
        check(Some("bytes=-10"), None, Wanted::Part(90..100));
        check(Some("bytes=-1000"), None, Wanted::Part(0..100));
        check(Some("bytes=100-"), None, Wanted::Nothing);
        check(Some("bytes=-0"), None, Wanted::Nothing);
        check(Some("bytes=5-4"), None, Wanted::All);
        check(Some("bytes=0-1,5-6"), None, Wanted::All);
        check(Some("lines=0-1"), None, Wanted::All);
        check(Some("bytes=0-18446744073709551615"), None, Wanted::Part(0..100));
        check(Some("bytes=10-"), Some("\"e\""), Wanted::Part(10..100));
        check(Some("bytes=10-"), Some("\"other\""), Wanted::All);
        check(Some("bytes=10-"), Some("W/\"e\""), Wanted::All);
    }
}
