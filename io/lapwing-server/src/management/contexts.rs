//! What a device that talks CoAP is given before it first speaks.
//!
//! Touches: the device table, the numbers of security contexts. The secret is shown once; what it is derived from
//! never leaves the server. Never: takes a known device's secret away unless a person said that it is replaced.

use super::auth::{Action, authorise};
use super::devices::parse_id;
use crate::app::App;
use crate::key_file::hex;
use crate::problem::Problem;
use crate::store::{StoreError, log_command};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A security context, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewContext)]
pub(super) struct ContextAnswer {
    /// How the device's messages name it: 2 to 10 hexadecimal digits.
    kid: String,
    /// The device's secret, 64 hexadecimal digits. It opens both channels: keys for CoAP are derived from it, and over
    /// HTTPS it is sent.
    secret: String,
    /// Where the server listens for it, by the name that it knows of itself.
    coap_url: String,
}

/// Let a device in with a security context for CoAP. It needs no claim then.
#[utoipa::path(post, path = "/api/v1/devices/{id}/context", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 201, body = ContextAnswer)))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<ContextAnswer>), Problem> {
    let caller = authorise(&app, &headers, Action::LetDevicesIn).await?;
    let id = parse_id(&id)?;
    let Some((contexts, coap_url)) = app.contexts.as_ref().zip(app.coap_url.clone()) else {
        return Err(Problem::conflict("no-coap", "the server does not listen for CoAP")
            .advice("set coap_listen in its configuration"));
    };
    let _lock = app.devices.lock(&id).await;
    let known = app.devices.get_locked(&id).await?;
    let provision = contexts.provision(id.clone(), known.as_deref(), &app);
    let done = caller.did("device.provisioned", &id, app.now());
    let provisioned = app
        .store
        .write(move |c| -> Result<_, StoreError> {
            let provisioned = provision(c)?;
            if provisioned.is_some() {
                log_command(c, &done)?;
            }
            Ok(provisioned)
        })
        .await?;
    app.devices.forget(&id);
    let provisioned = provisioned.ok_or_else(|| {
        Problem::conflict("other-secret", "the device is known with another secret")
            .advice("`lapwing device replace ID` if its storage was exchanged")
    })?;
    let (kid, secret) = (hex(&provisioned.kid), hex(&provisioned.secret.0));
    let answer = ContextAnswer { kid, secret, coap_url };
    Ok((StatusCode::CREATED, Json(answer)))
}
