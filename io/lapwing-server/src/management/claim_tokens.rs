//! Makes the tokens that let new devices in.
//!
//! Touches: claim tokens. The token is shown once; only its hash is kept.
//! Never: makes one without an end.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::key_file::hex;
use crate::limits::{CLAIM_COUNT_MAX, CLAIM_EXPIRES_S_MAX};
use crate::problem::Problem;
use crate::store::new_token;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
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
    let expires = now.after(expires_in_s);
    app.store.write(move |c| new_token(c, Digest::of(&token), count, expires, now)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "token": hex(&token), "expires": expires.0 }))))
}
