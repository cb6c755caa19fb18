//! How every error looks on the wire: `application/problem+json`, RFC 9457.
//!
//! Touches: axum responses. Never: says what is inside; causes of 5xx go to the log.

mod kinds;

pub(crate) use kinds::KINDS;

use crate::limits::{DATABASE_AWAY_WAIT_S, DISK_FULL_WAIT_S};
use crate::store::StoreError;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;
use utoipa::ToSchema;

/// An error as a client sees it.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    advice: Option<&'static str>,
    pointer: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(KINDS.iter().any(|(known, _)| *known == code), "{code} is missing in problem/kinds.rs");
        Self { status, code, detail: detail.into(), advice: None, pointer: None, headers: Vec::new() }
    }

    /// What whoever asked can do about it.
    pub(crate) fn advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// Where in the body that was sent, as a JSON pointer.
    pub(crate) fn at(mut self, pointer: Option<String>) -> Self {
        self.pointer = pointer;
        self
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Too much at once: come back in so many seconds.
    pub(crate) fn busy(after_s: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too much at once")
            .with(header::RETRY_AFTER, HeaderValue::from(after_s))
    }

    /// Too often: one more question is welcome after so many seconds.
    pub(crate) fn too_often(after_s: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", "asked too often")
            .with(header::RETRY_AFTER, HeaderValue::from(after_s))
    }

    /// The disk is full. Nothing was changed.
    pub(crate) fn disk_full() -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk-full",
            "the server's disk is full; nothing was changed",
        )
        .advice("make room on the disk of data_dir; the server goes on by itself")
        .with(header::RETRY_AFTER, HeaderValue::from(DISK_FULL_WAIT_S))
    }

    /// The database is away. Whether a change under way was made is not known; it may be asked for again.
    pub(crate) fn away() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-away", "the server's database cannot be reached")
            .advice("bring it back; the server goes on by itself")
            .with(header::RETRY_AFTER, HeaderValue::from(DATABASE_AWAY_WAIT_S))
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(crate) fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Somebody was faster with another change. Nothing was done.
    pub(crate) fn overtaken() -> Self {
        Self::conflict("stale", "somebody else changed it at the same time")
            .advice("look at it, and ask again")
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// When to come back, seconds, if it says so.
    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        let (_, value) = self.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER)?;
        value.to_str().ok()?.parse().ok()
    }

    /// Whether it is the server's fault.
    pub(crate) fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    /// Something of ours broke; the log has the whole of it.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %DisplayChain(error), "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says how")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::busy(5),
            StoreError::Stale => Self::busy(1),
            StoreError::Away => Self::away(),
            StoreError::Full => Self::disk_full(),
            other => Self::internal(&other),
        }
    }
}

/// A problem as it is spelled.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemAnswer<'a> {
    /// `urn:lapwing:problem:` and the kind.
    pub(crate) r#type: String,
    /// The status in words, the same for every problem of one status.
    pub(crate) title: &'a str,
    /// The status again, for whoever reads the body alone.
    pub(crate) status: u16,
    /// What is wrong this time.
    pub(crate) detail: Cow<'a, str>,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) advice: Option<&'a str>,
    /// Where in the body that was sent, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) pointer: Option<String>,
}

/// What a kind of problem is called on the wire.
pub(crate) fn type_of(code: &str) -> String {
    format!("urn:lapwing:problem:{code}")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemAnswer {
            r#type: type_of(self.code),
            title: self.status.canonical_reason().unwrap_or("error"),
            status: self.status.as_u16(),
            detail: self.detail,
            advice: self.advice,
            pointer: self.pointer,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.extend(self.headers);
        response
    }
}

/// The media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Turns the framework's own plain refusals (no such path, wrong method) into problems as well.
pub(crate) async fn speak_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let spoken = kind.is_some_and(|kind| kind.ends_with(b"json"));
    if spoken || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let problem = Problem::new(status, "refused", status.canonical_reason().unwrap_or("refused"));
    match allow {
        Some(allow) => problem.with(header::ALLOW, allow).into_response(),
        None => problem.into_response(),
    }
}

/// Reads a whole body of at most `bytes_max`, in at most `patience`.
pub(crate) async fn read_body(body: Body, bytes_max: usize, patience: Duration) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(patience, Limited::new(body, bytes_max).collect()).await;
    match read {
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "the body took too long")),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
        Ok(Err(_)) => Err(Problem::bad_request("cut-short", "the body ended early")),
    }
}

/// A body larger than its limit.
pub(crate) fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("at most {bytes_max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

struct DisplayChain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for DisplayChain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
