//! The API's description as a page for people, without a script and without anything from elsewhere.
//!
//! Touches: the description. Never: shows text from outside.

use super::auth::{Action, authorise};
use super::describe::DESCRIPTION;
use crate::app::App;
use crate::problem::{KINDS, Problem};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color-scheme:light dark}code,pre{font-size:13px}pre{overflow:auto;padding:.5rem;border:1px solid #8886}\
summary{cursor:pointer;padding:.2rem 0}b{display:inline-block;min-width:4rem}";

/// This description, as a page for people.
#[utoipa::path(get, path = "/api/v1/docs", security(()),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadDescription).await?;
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((head, written()).into_response())
}

fn written() -> String {
    let info = &DESCRIPTION["info"];
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{0}</title><style>{STYLE}</style><h1>{0}</h1>\
        <p>{1}</p><p><a href=openapi.json>OpenAPI</a></p><h2>Paths</h2>",
        plain(&info["title"]),
        plain(&info["description"]),
    );
    for (path, operations) in DESCRIPTION["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let method = method.to_uppercase();
            let about = plain(&operation["summary"]);
            let _ = write!(page, "<details><summary><b>{method}</b> <code>{path}</code> {about}</summary>");
            let role = plain(&operation["security"][0]["token"][0]);
            let _ = write!(page, "<p>Role: {}</p>", if role.is_empty() { "none" } else { &role });
            for part in ["parameters", "requestBody", "responses"] {
                if let Some(said) = operation.get(part) {
                    let _ = write!(page, "<pre>{part}: {}</pre>", escaped(&format!("{said:#}")));
                }
            }
            page += "</details>";
        }
    }
    page += "<h2>Schemas</h2>";
    for (name, schema) in DESCRIPTION["components"]["schemas"].as_object().into_iter().flatten() {
        let schema = escaped(&format!("{schema:#}"));
        let _ = write!(page, "<details><summary><code>{name}</code></summary><pre>{schema}</pre></details>");
    }
    page += "<h2>Problems</h2><dl>";
    for (code, meaning) in KINDS {
        let _ = write!(page, "<dt><code>{code}</code><dd>{}", escaped(meaning));
    }
    page + "</dl>"
}

fn plain(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
