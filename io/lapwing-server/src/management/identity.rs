//! Who this server is, and the trust documents it is given.
//!
//! Touches: the trust held. Never: accepts a document that a device would refuse.

use super::auth::{Action, authorise};
use super::check_kind;
use crate::app::App;
use crate::key_file::hex;
use crate::problem::{Problem, read_body};
use crate::trust::{Trust, TrustError};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::TrustAnchor;
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{PublicKey, RoleName};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Who this server is, and what it believes.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(super) struct IdentityAnswer {
    fleet: Option<String>,
    online_key: OnlineKeyAnswer,
    /// SHA-256 of the device plane's public key, for root documents.
    tls_spki_sha256: String,
    device_url: String,
    root_version: u32,
    delegation_version: u32,
    delegation_not_after: Option<u64>,
    /// Who may sign what; none before there is a root document.
    roles: Vec<RoleAnswer>,
    /// Ids of release keys that are believed no more.
    revoked_keys: Vec<String>,
}

/// Keys, what they may sign, and until when.
#[derive(Serialize, ToSchema)]
#[schema(as = TrustRole)]
pub(super) struct RoleAnswer {
    /// `root`, `release`, `delegator`, or `online` for the keys that the delegation names.
    role: &'static str,
    /// So many of the keys have to sign.
    threshold: u8,
    keys: Vec<KeyAnswer>,
    not_after: u64,
}

/// A public key.
#[derive(Serialize, ToSchema)]
#[schema(as = TrustKey)]
pub(super) struct KeyAnswer {
    id: String,
    algorithm: &'static str,
}

/// The key that the delegation must name.
#[derive(Serialize, ToSchema)]
#[schema(as = OnlineKey)]
pub(super) struct OnlineKeyAnswer {
    algorithm: &'static str,
    public: String,
    id: String,
}

/// Show who this server is, and what it believes.
#[utoipa::path(get, path = "/api/v1/identity", security(("token" = ["viewer"])),
    responses((status = 200, body = IdentityAnswer)))]
pub(super) async fn identity(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<IdentityAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    Ok(Json(describe(&app)))
}

fn describe(app: &App) -> IdentityAnswer {
    let trust = app.trust();
    let (root_version, delegation_version) = trust.versions();
    let public = app.online.public();
    let root = trust.anchor().map(TrustAnchor::root);
    IdentityAnswer {
        fleet: root.map(|root| root.fleet.to_string()),
        online_key: OnlineKeyAnswer {
            algorithm: "ed25519",
            public: hex(public.as_bytes()),
            id: public.id().to_string(),
        },
        tls_spki_sha256: app.spki.to_string(),
        device_url: app.device_url.clone(),
        root_version,
        delegation_version,
        delegation_not_after: trust.delegation().map(|delegation| delegation.not_after.0),
        roles: roles(&trust),
        revoked_keys: root.iter().flat_map(|root| &root.revoked).map(|one| one.key.to_string()).collect(),
    }
}

fn roles(trust: &Trust) -> Vec<RoleAnswer> {
    let key = |key: &PublicKey| KeyAnswer { id: key.id().to_string(), algorithm: key.algorithm.label() };
    let names =
        [("root", RoleName::Root), ("release", RoleName::Release), ("delegator", RoleName::Delegator)];
    let of_root = trust.anchor().map(TrustAnchor::root).into_iter().flat_map(|root| {
        names.map(|(role, name)| RoleAnswer {
            role,
            threshold: root.role(name).threshold,
            keys: root.keys_of(name).map(key).collect(),
            not_after: root.not_after.0,
        })
    });
    let online = trust.delegation().map(|delegation| RoleAnswer {
        role: "online",
        threshold: 1,
        keys: delegation.keys.iter().map(|online| key(&online.key)).collect(),
        not_after: delegation.not_after.0,
    });
    of_root.chain(online).collect()
}

/// Give the server a root document.
#[utoipa::path(put, path = "/api/v1/trust/root", security(("token" = ["admin"])),
    request_body(content = Vec<u8>, content_type = "application/cbor"),
    responses((status = 200, body = IdentityAnswer), (status = 409, description = "`overlap`"),
        (status = 422, description = "`untrusted`: a device would not believe it either")))]
pub(super) async fn put_root(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<IdentityAnswer>, Problem> {
    let caller = authorise(&app, &headers, Action::ChangeTrust).await?;
    check_kind(&headers, "application/cbor")?;
    let envelope = read_body(body, ENVELOPE_BYTES_MAX, app.settings.body_timeout).await?;
    let _publishing = app.publishing.lock().await;
    let trust =
        app.trust().take_root(&app.store, envelope.to_vec(), caller.did("trust.root", "", app.now())).await?;
    app.put_trust(trust).await?;
    Ok(Json(describe(&app)))
}

/// Give the server a delegation.
#[utoipa::path(put, path = "/api/v1/trust/delegation", security(("token" = ["admin"])),
    request_body(content = Vec<u8>, content_type = "application/cbor"),
    responses((status = 200, body = IdentityAnswer), (status = 409, description = "`no-root`"),
        (status = 422, description = "`untrusted`: a device would not believe it either")))]
pub(super) async fn put_delegation(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<IdentityAnswer>, Problem> {
    let caller = authorise(&app, &headers, Action::ChangeTrust).await?;
    check_kind(&headers, "application/cbor")?;
    let envelope = read_body(body, ENVELOPE_BYTES_MAX, app.settings.body_timeout).await?;
    let _publishing = app.publishing.lock().await;
    let trust = app
        .trust()
        .take_delegation(&app.store, envelope.to_vec(), caller.did("trust.delegation", "", app.now()))
        .await?;
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
