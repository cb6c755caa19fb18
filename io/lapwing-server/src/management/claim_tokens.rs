//! The tokens that let new devices in: made, listed, taken back.
//!
//! Touches: claim tokens. The token is shown once; only its hash is kept.
//! Never: makes one without an end.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::key_file::hex;
use crate::limits::{CLAIM_COUNT_MAX, CLAIM_EXPIRES_S_MAX};
use crate::problem::Problem;
use crate::store::{TokenRow, new_token, revoke_token, tokens};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::Digest;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Make {
    count: u32,
    expires_in_s: u64,
}

/// `POST /api/v1/claim-tokens`.
pub(super) async fn make(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    authorise(&app, &headers, Action::LetDevicesIn)?;
    let Make { count, expires_in_s } = read_json(&app, body).await?;
    let sensible =
        (1..=CLAIM_COUNT_MAX).contains(&count) && (1..=CLAIM_EXPIRES_S_MAX).contains(&expires_in_s);
    if !sensible {
        let detail = format!("count is 1 to {CLAIM_COUNT_MAX}, expires_in_s 1 to {CLAIM_EXPIRES_S_MAX}");
        return Err(Problem::bad_request("range", detail));
    }
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(|error| Problem::internal(&std::io::Error::other(error)))?;
    let now = app.now();
    let (hash, expires) = (Digest::of(&token), now.after(expires_in_s));
    let row = TokenRow { hash, count, remaining: count, made: now, expires };
    app.store.write(move |c| new_token(c, &row)).await?;
    let made = json!({ "name": row.name(), "token": hex(&token), "count": count, "expires": expires.0 });
    Ok((StatusCode::CREATED, Json(made)))
}

/// `GET /api/v1/claim-tokens`.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let now = app.now();
    let describe = |row: &TokenRow| {
        json!({
            "name": row.name(),
            "count": row.count,
            "remaining": row.remaining,
            "made": row.made.0,
            "expires": row.expires.0,
            "good": row.remaining > 0 && row.expires > now,
        })
    };
    let rows = app.store.read(tokens).await?;
    Ok(Json(json!({ "claim_tokens": rows.iter().map(describe).collect::<Vec<_>>() })))
}

/// `DELETE /api/v1/claim-tokens/{name}`.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::LetDevicesIn)?;
    match app.store.write(move |c| revoke_token(c, &name)).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => {
            Err(Problem::not_found("no such claim token").advice("`lapwing device token list` names them"))
        }
    }
}
