//! The audit, page by page, and where its chain ends.
//!
//! Touches: the audit table. Whoever reads it follows the chain; a server that vouched for itself would say little.
//! Never: changes it.

use super::auth::{Action, authorise};
use super::paging::rows_max;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{audit_head, commands_after};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use lapwing_core::Digest;
use lapwing_fleet::audit::Command;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which commands.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after this one: the `cursor` of the page before, which is the number of its last command.
    #[param(value_type = Option<String>)]
    cursor: Option<u64>,
    /// Rows at most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Commands, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
pub(super) struct AuditAnswer {
    commands: Vec<CommandAnswer>,
    cursor: Option<String>,
    head: HeadAnswer,
}

/// Something that a person or their tool told the server. Formats/audit.md says how its digest is made.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditedCommand)]
pub(super) struct CommandAnswer {
    number: u64,
    time: u64,
    /// The name of the token, and its role then.
    who: String,
    role: String,
    action: String,
    subject: String,
    why: Option<String>,
    /// As JSON.
    before: Option<String>,
    /// As JSON.
    after: Option<String>,
    digest: String,
}

/// Where the chain ends. Noted elsewhere, it shows later that nothing was cut off.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
pub(super) struct HeadAnswer {
    number: u64,
    digest: String,
}

/// Read the audit.
#[utoipa::path(get, path = "/api/v1/audit", security(("token" = ["viewer"])), params(Which),
    responses((status = 200, body = AuditAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<AuditAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadAudit).await?;
    let Query(Which { cursor, limit }) = which?;
    let (after, limit) = (cursor.unwrap_or(0), rows_max(limit)?);
    let read = move |c: &_| Ok((commands_after(c, after, limit)?, audit_head(c)?));
    let (commands, head) = app.store.read(read).await?;
    let last = commands.last().map(|(command, _)| command.number);
    Ok(Json(AuditAnswer {
        commands: commands.into_iter().map(describe).collect(),
        cursor: last.filter(|last| *last < head.number).map(|last| last.to_string()),
        head: HeadAnswer { number: head.number, digest: head.digest.to_string() },
    }))
}

fn describe((command, digest): (Command, Digest)) -> CommandAnswer {
    let Command { number, time, who, role, action, subject, why, before, after } = command;
    let digest = digest.to_string();
    CommandAnswer { number, time: time.0, who, role, action, subject, why, before, after, digest }
}
