//! The tokens that let new devices in: made, listed, taken back.
//!
//! Touches: claim tokens. The token is shown once; only its hash is kept.
//! Never: makes one without an end.

use super::auth::{Action, authorise, recorded};
use super::paging::{Page, cut};
use super::read_json;
use crate::app::App;
use crate::key_file::hex;
use crate::limits::{CLAIM_COUNT_MAX, CLAIM_EXPIRES_S_MAX};
use crate::problem::Problem;
use crate::store::{StoreError, TokenRow, log_command, new_token, revoke_token, tokens};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// A claim token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimTokenOrder)]
pub(super) struct Make {
    /// Devices that it lets in.
    #[schema(minimum = 1, maximum = 1_000_000)]
    count: u32,
    /// For how long.
    #[schema(minimum = 1, maximum = 31_622_400)]
    expires_in_s: u64,
}

/// A claim token, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewClaimToken)]
pub(super) struct Made {
    /// What lists call it.
    name: String,
    /// The secret, 32 hexadecimal digits.
    token: String,
    count: u32,
    expires: u64,
}

/// A claim token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ClaimToken)]
pub(super) struct ClaimTokenAnswer {
    name: String,
    /// Claims it was made for.
    count: u32,
    /// Claims it is still good for.
    remaining: u32,
    made: u64,
    expires: u64,
    /// Whether it lets anybody in.
    good: bool,
}

/// Claim tokens, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ClaimTokens)]
pub(super) struct ClaimTokensAnswer {
    claim_tokens: Vec<ClaimTokenAnswer>,
    cursor: Option<String>,
}

/// Make a token that lets new devices in.
#[utoipa::path(post, path = "/api/v1/claim-tokens", security(("token" = ["operator"])),
    request_body = Make, responses((status = 201, body = Made)))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let caller = authorise(&app, &headers, Action::LetDevicesIn).await?;
    let Make { count, expires_in_s } = read_json(&app, &headers, body).await?;
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
    let after = json!({ "count": count, "expires": expires.0 });
    let done = caller.did("claim-token.make", row.name(), now).after(after);
    app.store
        .write(move |c| -> Result<(), StoreError> {
            new_token(c, &row)?;
            log_command(c, &done)
        })
        .await?;
    let made = Made { name: row.name(), token: hex(&token), count, expires: expires.0 };
    Ok((StatusCode::CREATED, Json(made)))
}

/// List the claim tokens.
#[utoipa::path(get, path = "/api/v1/claim-tokens", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = ClaimTokensAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<ClaimTokensAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(page) = page?;
    let now = app.now();
    let describe = |row: &TokenRow| ClaimTokenAnswer {
        name: row.name(),
        count: row.count,
        remaining: row.remaining,
        made: row.made.0,
        expires: row.expires.0,
        good: row.remaining > 0 && row.expires > now,
    };
    let (rows, cursor) = cut(app.store.read(tokens).await?, &page, TokenRow::name)?;
    Ok(Json(ClaimTokensAnswer { claim_tokens: rows.iter().map(describe).collect(), cursor }))
}

/// Take a claim token back. Devices that it let in stay.
#[utoipa::path(delete, path = "/api/v1/claim-tokens/{name}", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "what lists call it")),
    responses((status = 204, description = "it lets nobody in any more")))]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::LetDevicesIn).await?;
    let done = caller.did("claim-token.revoke", &name, app.now());
    match recorded(&app, done, move |c| revoke_token(c, &name)).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => {
            Err(Problem::not_found("no such claim token").advice("`lapwing device token list` names them"))
        }
    }
}
