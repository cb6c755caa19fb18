//! The access log of device requests, the newest first, searched by device and status.
//!
//! Touches: the access log; what waits in memory is written first. Never: shows a secret, for none is in it.

use super::auth::{Action, authorise};
use super::paging::rows_max;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{AccessQuery, AccessRow, access_rows};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which requests.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those before this one: the `cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<u64>,
    /// Those that said they were from this device.
    device: Option<String>,
    /// Those that were answered with this HTTP status.
    status: Option<u16>,
    /// Rows at most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Requests of devices, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessLog)]
pub(super) struct AccessLogAnswer {
    requests: Vec<AccessAnswer>,
    cursor: Option<String>,
}

/// A request of a device, and how it ended.
#[derive(Serialize, ToSchema)]
#[schema(as = Access)]
pub(super) struct AccessAnswer {
    time: u64,
    /// Who it said it was.
    device: Option<String>,
    /// From where; empty if that is not known.
    address: String,
    request: String,
    status: u16,
}

/// Search the access log.
#[utoipa::path(get, path = "/api/v1/access", security(("token" = ["operator"])), params(Which),
    responses((status = 200, body = AccessLogAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<AccessLogAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadAccess).await?;
    let Query(Which { cursor, device, status, limit }) = which?;
    let limit = rows_max(limit)?;
    app.access.flush(&app.store).await?;
    let query = AccessQuery { before: cursor, device, status, limit };
    let rows = app.store.read(move |c| access_rows(c, &query)).await?;
    let full = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let cursor = rows.last().filter(|_| full).map(|(id, _)| id.to_string());
    let describe = |(_, row): (u64, AccessRow)| {
        let AccessRow { time, device, address, request, status } = row;
        AccessAnswer { time: time.0, device, address, request, status }
    };
    Ok(Json(AccessLogAnswer { requests: rows.into_iter().map(describe).collect(), cursor }))
}
