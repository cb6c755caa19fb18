//! Who may do what on the management plane.
//!
//! Touches: the token table, and the admin token by its digest. One table says which role each action needs.
//! Never: lets a handler run before it asked here.

use super::session;
use crate::app::App;
use crate::durable::{read_if_there, write_file};
use crate::key_file::hex;
use crate::limits::{REASON_BYTES_MAX, TOKEN_USED_S};
use crate::problem::Problem;
use crate::store::{Sql, StoreError, access_token, log_command, use_access_token};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::audit::Command;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use utoipa::ToSchema;

/// What a token is good for. Each role may do all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// Anybody who can reach the listener.
    #[serde(skip)]
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
    const ALL: [Self; 5] = [Self::Anyone, Self::Viewer, Self::Operator, Self::ReleaseManager, Self::Admin];

    fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label && *role != Self::Anyone)
    }

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
    /// Why, in its own words.
    why: Option<String>,
}

impl Caller {
    fn new(name: &str, role: Role) -> Self {
        Self { name: name.to_owned(), role, why: None }
    }

    /// Says why, in a body that has a place for it.
    pub(super) fn because(&mut self, why: &str) {
        self.why = Some(why.to_owned());
    }

    /// What this caller does to `subject`, for the audit.
    pub(super) fn did(&self, action: &str, subject: impl ToString, time: UnixSeconds) -> Command {
        Command {
            number: 0,
            time,
            who: self.name.clone(),
            role: self.role.label().to_owned(),
            action: action.to_owned(),
            subject: subject.to_string(),
            why: self.why.clone(),
            before: None,
            after: None,
        }
    }
}

/// Runs `job` and, if it says that it did something, writes the command into the audit: both or neither.
pub(super) async fn recorded(
    app: &App,
    command: Command,
    job: impl FnOnce(&Sql) -> Result<bool, StoreError> + Send + 'static,
) -> Result<bool, StoreError> {
    let write = move |c: &Sql| {
        let done = job(c)?;
        if done {
            log_command(c, &command)?;
        }
        Ok(done)
    };
    app.store.write(write).await
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    ReadHealth,
    ReadMetrics,
    ReadDescription,
    SignIn,
    ReadFleet,
    ReadAudit,
    ReadAccess,
    ManageDevices,
    LetDevicesIn,
    Operate,
    Publish,
    Diagnose,
    ManageWebhooks,
    ChangeTrust,
    ManageTokens,
}

impl Action {
    /// Every action there is.
    #[cfg(test)]
    pub(super) const ALL: [Self; 15] = [
        Self::ReadHealth,
        Self::ReadMetrics,
        Self::ReadDescription,
        Self::SignIn,
        Self::ReadFleet,
        Self::ReadAudit,
        Self::ReadAccess,
        Self::ManageDevices,
        Self::LetDevicesIn,
        Self::Operate,
        Self::Publish,
        Self::Diagnose,
        Self::ManageWebhooks,
        Self::ChangeTrust,
        Self::ManageTokens,
    ];

    /// The least role that may do it.
    pub(super) const fn needs(self) -> Role {
        match self {
            Self::ReadHealth | Self::ReadMetrics | Self::ReadDescription | Self::SignIn => Role::Anyone,
            Self::ReadFleet | Self::ReadAudit => Role::Viewer,
            Self::ReadAccess | Self::ManageDevices | Self::LetDevicesIn | Self::Operate => Role::Operator,
            Self::Publish => Role::ReleaseManager,
            Self::Diagnose | Self::ManageWebhooks | Self::ChangeTrust | Self::ManageTokens => Role::Admin,
        }
    }
}

/// Lets a request pass, and says who made it.
pub(super) async fn authorise(app: &App, headers: &HeaderMap, action: Action) -> Result<Caller, Problem> {
    let caller = authenticate(app, headers).await?;
    if caller.role >= action.needs() {
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
    let hash = match headers.get(header::AUTHORIZATION) {
        Some(value) => Some(Digest::of(value.as_bytes().strip_prefix(b"Bearer ").ok_or_else(wrong_token)?)),
        None => session::token_of(app, headers),
    };
    let Some(hash) = hash else { return Ok(Caller::new("", Role::Anyone)) };
    let mut caller = by_token(app, hash).await?;
    caller.why = headers.get(REASON).map(reason).transpose()?;
    Ok(caller)
}

/// Whose token has this hash.
pub(super) async fn by_token(app: &App, hash: Digest) -> Result<Caller, Problem> {
    match hash == app.admin_token {
        true => Ok(Caller::new("admin-token", Role::Admin)),
        false => known(app, hash).await?.ok_or_else(wrong_token),
    }
}

fn wrong_token() -> Problem {
    unauthorised("wrong-token", "the token is unknown, expired or was revoked")
}

/// Where a request says why.
const REASON: &str = "lapwing-reason";

fn reason(value: &HeaderValue) -> Result<String, Problem> {
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let fits = |text: &&str| text.len() <= REASON_BYTES_MAX && !text.chars().any(char::is_control);
    let detail = "Lapwing-Reason is text of at most 1,024 bytes of UTF-8";
    text.filter(fits).map(str::to_owned).ok_or_else(|| Problem::bad_request("reason", detail))
}

/// Whose token has this hash, if it is good.
async fn known(app: &App, hash: Digest) -> Result<Option<Caller>, Problem> {
    let now = app.now();
    let Some(row) = app.store.read(move |c| access_token(c, hash)).await? else { return Ok(None) };
    if row.expires.is_some_and(|expires| expires <= now) {
        return Ok(None);
    }
    if row.last_used.is_none_or(|used| used.after(TOKEN_USED_S) <= now) {
        // Nobody waits for it, and it is no harm if it is lost.
        let store = app.store.clone();
        tokio::spawn(async move { store.write(move |c| use_access_token(c, hash, now)).await });
    }
    Ok(Role::from_label(&row.role).map(|role| Caller::new(&row.name, role)))
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
