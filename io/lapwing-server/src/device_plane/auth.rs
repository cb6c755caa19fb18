//! Who is calling: a device id and its secret, in every request.
//!
//! Touches: the device table. Secrets are compared by digest, in the same time for all.
//! Never: says whether it was the id or the secret that was wrong.

use crate::app::App;
use crate::problem::{Problem, read_body};
use crate::store::Device;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lapwing_core::wire::claim::DeviceSecret;
use lapwing_core::{DeviceId, Digest};
use std::sync::Arc;

/// The media type of the device plane's messages.
pub(super) const CBOR: &str = "application/cbor";

/// The device that sent this request.
pub(super) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Arc<Device>, Problem> {
    let (id, secret) = credentials(headers).ok_or_else(unknown)?;
    match app.devices.get(&id).await? {
        Some(device) if device.secret == secret_hash(&secret) => Ok(device),
        _ => Err(unknown()),
    }
}

/// How a secret is kept.
pub(super) fn secret_hash(secret: &DeviceSecret) -> Digest {
    Digest::of(&secret.0)
}

fn credentials(headers: &HeaderMap) -> Option<(DeviceId, DeviceSecret)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = BASE64_STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    let secret: Digest = secret.parse().ok()?;
    Some((id.parse().ok()?, DeviceSecret(*secret.as_bytes())))
}

/// Who asks is not known, or has another secret.
pub(super) fn unknown() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unknown-device", "unknown device or wrong secret")
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"lapwing\""))
}

/// The body of a message, if it says that it is CBOR and keeps to its limit.
pub(super) async fn read_message(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, Problem> {
    let cbor = headers.get(header::CONTENT_TYPE).is_some_and(|found| found.as_bytes() == CBOR.as_bytes());
    if !cbor {
        let detail = "the body must be application/cbor";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail));
    }
    read_body(body, bytes_max, app.settings.body_timeout).await
}

/// A message that does not decode.
pub(super) fn undecodable(error: lapwing_core::DecodeError) -> Problem {
    Problem::bad_request("undecodable", format!("the message is {error}"))
}
