//! Who this server is, and the trust documents it is given.
//!
//! Touches: the trust held. Never: accepts a document that a device would refuse.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::key_file::hex;
use crate::problem::{Problem, read_body};
use crate::trust::TrustError;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/identity`.
pub(super) async fn identity(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    Ok(Json(describe(&app)))
}

fn describe(app: &App) -> Value {
    let trust = app.trust();
    let (root_version, delegation_version) = trust.versions();
    let public = app.online.public();
    json!({
        "fleet": trust.anchor().map(|anchor| anchor.root().fleet.to_string()),
        "online_key": {
            "algorithm": "ed25519",
            "public": hex(public.as_bytes()),
            "id": public.id().to_string(),
        },
        "tls_spki_sha256": app.spki.to_string(),
        "device_url": app.device_url,
        "root_version": root_version,
        "delegation_version": delegation_version,
        "delegation_not_after": trust.delegation().map(|delegation| delegation.not_after.0),
    })
}

/// `PUT /api/v1/trust/root`.
pub(super) async fn put_root(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ChangeTrust)?;
    let envelope = read_body(body, ENVELOPE_BYTES_MAX, app.settings.body_timeout).await?;
    let _publishing = app.publishing.lock().await;
    let trust = app.trust().take_root(&app.store, envelope.to_vec(), app.now()).await?;
    app.put_trust(trust).await?;
    Ok(Json(describe(&app)))
}

/// `PUT /api/v1/trust/delegation`.
pub(super) async fn put_delegation(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ChangeTrust)?;
    let envelope = read_body(body, ENVELOPE_BYTES_MAX, app.settings.body_timeout).await?;
    let _publishing = app.publishing.lock().await;
    let trust = app.trust().take_delegation(&app.store, envelope.to_vec(), app.now()).await?;
    app.put_trust(trust).await?;
    Ok(Json(describe(&app)))
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Refused(error) => {
                let detail = format!("the document is not believed: {error}");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "untrusted", detail)
            }
            TrustError::NoRoot => Self::conflict("no-root", "there is no root document yet"),
            TrustError::Overlap(error) => {
                let detail =
                    format!("{error}; a root document made with --emergency waives this, for all to see");
                Self::conflict("overlap", detail)
            }
            TrustError::Store(error) => error.into(),
        }
    }
}
