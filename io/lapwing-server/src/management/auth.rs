//! Who may do what on the management plane.
//!
//! Touches: the admin token, by digest. One principal so far, and every action already has its name.
//! Never: lets a handler run before it asked here.

use crate::app::App;
use crate::durable::{read_if_there, write_file};
use crate::key_file::hex;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use lapwing_core::Digest;
use std::io;
use std::path::Path;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Principal {
    /// Whoever holds the admin token.
    Admin,
    /// Anybody who can reach the listener.
    Anyone,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    ReadHealth,
    ReadMetrics,
    ReadFleet,
    Diagnose,
    Publish,
    ChangeTrust,
    ManageDevices,
    LetDevicesIn,
    Operate,
}

/// Lets a request pass, and says who made it.
pub(super) fn authorise(app: &App, headers: &HeaderMap, action: Action) -> Result<Principal, Problem> {
    let principal = principal(app, headers)?;
    if may(principal, action) {
        if !matches!(action, Action::ReadHealth | Action::ReadMetrics | Action::ReadFleet) {
            tracing::info!(?principal, ?action, "authorised");
        }
        return Ok(principal);
    }
    Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "this needs the admin token")
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
}

fn may(principal: Principal, action: Action) -> bool {
    match principal {
        Principal::Admin => true,
        Principal::Anyone => matches!(action, Action::ReadHealth | Action::ReadMetrics),
    }
}

fn principal(app: &App, headers: &HeaderMap) -> Result<Principal, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Principal::Anyone) };
    match value.as_bytes().strip_prefix(b"Bearer ") {
        Some(token) if Digest::of(token) == app.admin_token => Ok(Principal::Admin),
        _ => Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong-token", "the token is not the admin token")
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
    }
}

/// The digest of the admin token in `path`, which is made at first start.
pub(crate) fn admin_token(path: &Path) -> io::Result<Digest> {
    if let Some(token) = read_if_there(path)? {
        return Ok(Digest::of(token.trim().as_bytes()));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let token = hex(&secret);
    write_file(path, format!("{token}\n").as_bytes(), 0o600)?;
    Ok(Digest::of(token.as_bytes()))
}
