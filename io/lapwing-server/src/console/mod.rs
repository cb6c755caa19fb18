//! The web console, served from inside this program: five files that `console/` is built to.
//!
//! Touches: nothing but the bytes that were compiled in. All paths in them are relative, so that they work
//! below any prefix. Never: asks anybody else for anything, or lets a page do it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lapwing_core::Digest;

/// A file as it is kept: compressed once, when it was built. Every browser reads gzip.
struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $kind:literal) => {
        File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../../../console/dist/", $name, ".gz")),
        }
    };
}

const PAGE: &str = "index.html";

const FILES: [File; 5] = [
    file!("index.html", "text/html; charset=utf-8"),
    file!("console.js", "text/javascript; charset=utf-8"),
    file!("console.css", "text/css; charset=utf-8"),
    file!("inter.woff2", "font/woff2"),
    file!("icon.svg", "image/svg+xml"),
];

/// Nothing inline, nothing from elsewhere, nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; \
connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The console, below `console/`.
pub(crate) fn router() -> Router {
    // Relative, because a proxy may have taken a prefix away.
    let there = || async { (StatusCode::SEE_OTHER, [(header::LOCATION, "console/")]) };
    Router::new()
        .route("/", get(there))
        .route("/console", get(there))
        .route("/console/", get(|headers: HeaderMap| async move { served(PAGE, &headers) }))
        .route(
            "/console/{name}",
            get(|Path(name): Path<String>, headers: HeaderMap| async move { served(&name, &headers) }),
        )
}

fn served(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let tag = format!("\"{}\"", Digest::of(file.bytes).short());
    let head = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_TYPE, file.kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let wanted = headers.get(header::IF_NONE_MATCH).and_then(|wanted| wanted.to_str().ok());
    if wanted.is_some_and(|wanted| wanted.split(',').any(|wanted| wanted.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(header::CONTENT_ENCODING, "gzip")], Bytes::from_static(file.bytes)).into_response()
}
