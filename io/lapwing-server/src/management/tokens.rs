//! The tokens of people and their tools: made, listed, taken back.
//!
//! Touches: the token table. A token is shown once; only its hash is kept.
//! Never: makes one without a role, or shows whose it is to whoever may not read.

use super::auth::{Action, Caller, Role, authorise, recorded};
use super::paging::{Page, cut};
use super::read_json;
use crate::app::App;
use crate::key_file::hex;
use crate::limits::{TOKEN_EXPIRES_S_MAX, TOKEN_NAME_BYTES_MAX};
use crate::problem::Problem;
use crate::store::{
    AccessTokenRow, StoreError, access_tokens, log_command, put_access_token, revoke_access_token,
};
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

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenOrder)]
pub(super) struct Make {
    /// What people call it; the audit names it. Small letters, digits, `.`, `_` and `-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$")]
    name: String,
    role: Role,
    /// For how long it is good; for ever if not given.
    #[schema(minimum = 1, maximum = 315_360_000)]
    expires_in_s: Option<u64>,
}

/// A token, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewToken)]
pub(super) struct Made {
    name: String,
    role: Role,
    /// The secret, 64 hexadecimal digits.
    token: String,
    expires: Option<u64>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenAnswer {
    name: String,
    role: String,
    made: u64,
    expires: Option<u64>,
    /// When it was used last, to the hour.
    last_used: Option<u64>,
}

/// Tokens, by name. The admin token in the server's file is not among them.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct TokensAnswer {
    tokens: Vec<TokenAnswer>,
    cursor: Option<String>,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub(super) struct CallerAnswer {
    name: String,
    role: Role,
}

impl CallerAnswer {
    pub(super) fn of(caller: Caller) -> Self {
        Self { name: caller.name, role: caller.role }
    }
}

/// Say whose token this is, and what it is good for.
#[utoipa::path(get, path = "/api/v1/caller", security(("token" = ["viewer"])),
    responses((status = 200, body = CallerAnswer)))]
pub(super) async fn caller(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<CallerAnswer>, Problem> {
    let caller = authorise(&app, &headers, Action::ReadFleet).await?;
    Ok(Json(CallerAnswer::of(caller)))
}

/// Make a token, and show it this once.
#[utoipa::path(post, path = "/api/v1/tokens", security(("token" = ["admin"])), request_body = Make,
    responses((status = 201, body = Made), (status = 409, description = "`name-taken`, `idempotency-busy`")))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let caller = authorise(&app, &headers, Action::ManageTokens).await?;
    let Make { name, role, expires_in_s } = read_json(&app, &headers, body).await?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if !(1..=TOKEN_NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(plain) {
        let detail = format!("a name has 1 to {TOKEN_NAME_BYTES_MAX} small letters, digits, `.`, `_` or `-`");
        return Err(Problem::bad_request("name", detail));
    }
    if expires_in_s.is_some_and(|seconds| !(1..=TOKEN_EXPIRES_S_MAX).contains(&seconds)) {
        return Err(Problem::bad_request("range", format!("expires_in_s is 1 to {TOKEN_EXPIRES_S_MAX}")));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| Problem::internal(&std::io::Error::other(error)))?;
    let (token, made) = (hex(&secret), app.now());
    let expires = expires_in_s.map(|seconds| made.after(seconds));
    let row = AccessTokenRow {
        name: name.clone(),
        hash: Digest::of(token.as_bytes()),
        role: role.label().to_owned(),
        made,
        expires,
        last_used: None,
    };
    let after = json!({ "role": row.role, "expires": expires.map(|expires| expires.0) });
    let done = caller.did("token.make", &name, made).after(after);
    let is_new = recorded(&app, done, move |c| put_access_token(c, &row)).await?;
    if !is_new {
        return Err(Problem::conflict("name-taken", "a token of this name exists; revoke it first"));
    }
    Ok((StatusCode::CREATED, Json(Made { name, role, token, expires: expires.map(|expires| expires.0) })))
}

/// List the tokens.
#[utoipa::path(get, path = "/api/v1/tokens", security(("token" = ["admin"])), params(Page),
    responses((status = 200, body = TokensAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<TokensAnswer>, Problem> {
    authorise(&app, &headers, Action::ManageTokens).await?;
    let Query(page) = page?;
    let (rows, cursor) = cut(app.store.read(access_tokens).await?, &page, |row| row.name.clone())?;
    let describe = |row: AccessTokenRow| TokenAnswer {
        name: row.name,
        role: row.role,
        made: row.made.0,
        expires: row.expires.map(|time| time.0),
        last_used: row.last_used.map(|time| time.0),
    };
    Ok(Json(TokensAnswer { tokens: rows.into_iter().map(describe).collect(), cursor }))
}

/// Take a token back; its next request is refused.
#[utoipa::path(delete, path = "/api/v1/tokens/{name}", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "what lists call it")),
    responses((status = 204, description = "it is good for nothing any more")))]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageTokens).await?;
    let done = caller.did("token.revoke", &name, app.now());
    let found = app
        .store
        .write(move |c| -> Result<bool, StoreError> {
            let Some(row) = revoke_access_token(c, &name)? else { return Ok(false) };
            log_command(c, &done.before(json!({ "role": row.role })))?;
            Ok(true)
        })
        .await?;
    if found {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("no such token").advice("`lapwing token list` names them"))
}
