//! Who may do what on the management plane.
//!
//! Touches: the admin token, by digest. One table says which role each action needs.
//! Never: lets a handler run before it asked here.

use crate::app::App;
use crate::durable::{read_if_there, write_file};
use crate::key_file::hex;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use lapwing_core::Digest;
use std::io;
use std::path::Path;

/// What a token is good for. Each role may do all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Anybody who can reach the listener.
    Anyone,
    /// Looks.
    Viewer,
    /// Steers devices and keeps the server running.
    Operator,
    /// Publishes.
    ReleaseManager,
    /// Changes who may do what and what is believed.
    Admin,
}

impl Role {
    /// How it is spelled.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::ReleaseManager => "release-manager",
            Self::Admin => "admin",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name of the token; empty for whoever has none.
    pub(super) name: String,
    pub(super) role: Role,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    ReadHealth,
    ReadMetrics,
    ReadDescription,
    ReadFleet,
    ManageDevices,
    LetDevicesIn,
    Operate,
    Publish,
    Diagnose,
    ChangeTrust,
}

impl Action {
    /// The least role that may do it.
    pub(super) const fn needs(self) -> Role {
        match self {
            Self::ReadHealth | Self::ReadMetrics | Self::ReadDescription => Role::Anyone,
            Self::ReadFleet => Role::Viewer,
            Self::ManageDevices | Self::LetDevicesIn | Self::Operate => Role::Operator,
            Self::Publish => Role::ReleaseManager,
            Self::Diagnose | Self::ChangeTrust => Role::Admin,
        }
    }
}

/// Lets a request pass, and says who made it.
pub(super) async fn authorise(app: &App, headers: &HeaderMap, action: Action) -> Result<Caller, Problem> {
    let caller = authenticate(app, headers).await?;
    if caller.role >= action.needs() {
        if action.needs() > Role::Viewer {
            tracing::info!(caller = caller.name, ?action, "authorised");
        }
        return Ok(caller);
    }
    if caller.role == Role::Anyone {
        return Err(unauthorised("unauthorised", "this needs a token"));
    }
    let (needs, has) = (action.needs().label(), caller.role.label());
    Err(Problem::forbidden("forbidden", format!("this needs the role {needs}; the token has the role {has}")))
}

/// Who sent these headers.
pub(super) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(Caller { name: String::new(), role: Role::Anyone });
    };
    match value.as_bytes().strip_prefix(b"Bearer ") {
        Some(token) if Digest::of(token) == app.admin_token => {
            Ok(Caller { name: "admin-token".to_owned(), role: Role::Admin })
        }
        _ => Err(unauthorised("wrong-token", "the token is unknown, expired or was revoked")),
    }
}

fn unauthorised(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
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
