//! The event log, page by page, oldest first.
//!
//! Touches: the store. Never: forgets where a reader was; the id of the last event is the place.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::limits::PAGE_ROWS_MAX;
use crate::problem::Problem;
use crate::store::events_after;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: i64,
    device: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/events`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let Query(Page { after, device, limit }) = page?;
    let limit = limit.unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX);
    let events = app.store.read(move |c| events_after(c, after, device.as_deref(), limit)).await?;
    Ok(Json(json!({ "events": events })))
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("query", rejection.body_text())
    }
}
