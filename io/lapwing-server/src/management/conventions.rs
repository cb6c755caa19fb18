//! What holds for every path: what it answers in, tags that save a download, keys that make a repetition
//! harmless, generations that keep two people from overwriting each other.
//!
//! Touches: request and response heads; the bodies of small answers. Entered from: the router.
//! Never: looks into what is said.

use super::auth::authenticate;
use super::repetitions::Known;
use crate::app::App;
use crate::limits::{IDEMPOTENCY_KEY_BYTES_MAX, MANAGEMENT_BODY_BYTES_MAX};
use crate::problem::{Problem, read_body, speak_problem};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use lapwing_core::Digest;
use std::sync::Arc;

const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Answers a request by the conventions of the management plane.
pub(super) async fn keep(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if !accepts(request.headers(), produced_at(request.uri().path())) {
        let detail = "what is here comes in another media type than `Accept` allows";
        return Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail).into_response();
    }
    // A head has the tag and the length of the body that it leaves out.
    let is_head = request.method() == Method::HEAD;
    if is_head {
        *request.method_mut() = Method::GET;
    }
    let is_read = request.method() == Method::GET;
    let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answered = match request.method() == Method::POST && request.headers().contains_key(IDEMPOTENCY_KEY) {
        true => once(&app, request, next).await.unwrap_or_else(Problem::into_response),
        false => next.run(request).await,
    };
    let answered = speak_problem(answered).await;
    if !is_read {
        return answered;
    }
    let answered = tagged(answered, wanted.as_ref()).await.unwrap_or_else(Problem::into_response);
    if is_head { answered.map(|_| Body::empty()) } else { answered }
}

/// What the answers of this path are spelled in.
fn produced_at(path: &str) -> &'static str {
    match path {
        "/api/v1/docs" => "text/html",
        "/api/v1/changes" => "text/event-stream",
        path if path.starts_with("/api/v1/") => JSON,
        _ => "*/*",
    }
}

fn accepts(headers: &HeaderMap, produced: &str) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() || produced == "*/*" {
        return true;
    }
    let family = produced.split_once('/').map_or("", |(family, _)| family);
    let fits = |range: &str| match range.split(';').next().unwrap_or_default().trim().split_once('/') {
        Some(("*", "*")) => true,
        Some((wanted, "*")) => wanted.eq_ignore_ascii_case(family),
        _ => range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(produced),
    };
    accepted.filter_map(|value| value.to_str().ok()).any(|value| value.split(',').any(fits))
}

/// Tags a JSON answer by its bytes, and leaves them out for whoever has them already. An answer that has
/// its generation as tag keeps it in front.
async fn tagged(answered: Response, wanted: Option<&HeaderValue>) -> Result<Response, Problem> {
    let kind = answered.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if answered.status() != StatusCode::OK || kind != Some(JSON.as_bytes()) {
        return Ok(answered);
    }
    let (mut head, body) = answered.into_parts();
    let body: Bytes = body.collect().await.map_err(|error| Problem::internal(&error))?.to_bytes();
    let digest = Digest::of(&body).short();
    let tag = match head.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) {
        Some(generation) => format!("\"{}-{digest}\"", generation.trim_matches('"')),
        None => format!("\"{digest}\""),
    };
    let tag = HeaderValue::from_str(&tag).map_err(|error| Problem::internal(&error))?;
    let known = wanted.and_then(|wanted| wanted.to_str().ok()).is_some_and(|wanted| {
        wanted.split(',').any(|wanted| {
            let wanted = wanted.trim();
            wanted == "*" || wanted.strip_prefix("W/").unwrap_or(wanted).as_bytes() == tag.as_bytes()
        })
    });
    head.headers.insert(header::ETAG, tag);
    if known {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Ok(Response::from_parts(head, Body::empty()));
    }
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Response::from_parts(head, Body::from(body)))
}

/// The generation that a command was given for: `If-Match` has the tag of what was read, which begins with it.
pub(super) fn expected_generation(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else {
        let detail = "say what you read: `If-Match` with its `ETag`";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition", detail));
    };
    let tag = tag.to_str().unwrap_or_default().trim_matches('"');
    let generation = tag.split('-').next().unwrap_or_default().parse();
    generation.map_err(|_| Problem::bad_request("precondition", "`If-Match` is the `ETag` of what was read"))
}

/// Answers a request with an idempotency key: what was answered before is answered again.
async fn once(app: &Arc<App>, request: Request, next: Next) -> Result<Response, Problem> {
    // Whoever lost the right to ask gets nothing of what was answered.
    authenticate(app, request.headers()).await?;
    let (head, body) = request.into_parts();
    let key = head.headers.get(IDEMPOTENCY_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if !(1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
        let detail =
            format!("an idempotency key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters");
        return Err(Problem::bad_request("idempotency-key", detail));
    }
    let said = |name| head.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    let name = digest_of(&[said(header::AUTHORIZATION), said(header::COOKIE), key]);
    let body = read_body(body, MANAGEMENT_BODY_BYTES_MAX, app.settings.body_timeout).await?;
    let asked = digest_of(&[head.method.as_str().as_bytes(), head.uri.to_string().as_bytes(), &body]);
    let now = app.now();
    match app.repetitions.begin(name, asked, now) {
        Known::New => {}
        Known::Busy => {
            return Err(Problem::conflict("idempotency-busy", "this request is still being answered"));
        }
        Known::Other => {
            let detail = "this idempotency key came with another request before";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch", detail));
        }
        Known::Answered(status, body) => {
            let again = [("idempotent-replayed", "true"), ("content-type", JSON)];
            return Ok((status, again, body).into_response());
        }
    }
    // A task of its own: it comes to its end, and its answer is kept, even if whoever asked hangs up.
    let (app, request) = (Arc::clone(app), Request::from_parts(head, Body::from(body)));
    let answering = tokio::spawn(async move {
        let (head, body) = next.run(request).await.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        app.repetitions.end(name, head.status, &body);
        Response::from_parts(head, Body::from(body))
    });
    answering.await.map_err(|error| Problem::internal(&error))
}

fn digest_of(parts: &[&[u8]]) -> Digest {
    let digests: Vec<u8> = parts.iter().flat_map(|part| *Digest::of(part).as_bytes()).collect();
    Digest::of(&digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_the_beginning_of_its_tag() {
        let read = |tag: &str| {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, tag.parse().unwrap())]);
            expected_generation(&headers).ok()
        };
        assert_eq!(read("\"7-0123456789abcdef\""), Some(7));
        assert_eq!(read("\"7\""), Some(7));
        assert_eq!((read("*"), read("\"x-7\"")), (None, None));
        assert!(expected_generation(&HeaderMap::new()).is_err());
    }

    #[test]
    fn accept_is_read_as_ranges() {
        let check = |accept: &str, expected| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(accepts(&headers, JSON), expected, "{accept}");
        };
        check("*/*", true);
        check("text/html, application/json;q=0.5", true);
        check("application/*", true);
        check("text/html", false);
        check("text/*", false);
        check("", false);
        assert!(accepts(&HeaderMap::new(), JSON));
    }
}
