//! The event log, page by page, oldest first.
//!
//! Touches: the store. Never: forgets where a reader was; the id of the last event is the place.

use super::auth::{Action, authorise};
use super::paging::rows_max;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{EventRow, events_after};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after this one: the `cursor` of the page before, which is the id of its last event.
    #[param(value_type = Option<String>)]
    cursor: Option<i64>,
    /// Those of one device.
    device: Option<String>,
    /// Rows at most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Events, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
pub(super) struct EventsAnswer {
    events: Vec<EventRow>,
    cursor: Option<String>,
}

/// Read the event log.
#[utoipa::path(get, path = "/api/v1/events", security(("token" = ["viewer"])), params(Which),
    responses((status = 200, body = EventsAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<EventsAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(Which { cursor, device, limit }) = which?;
    let (after, limit) = (cursor.unwrap_or(0), rows_max(limit)?);
    let events = app.store.read(move |c| events_after(c, after, device.as_deref(), limit)).await?;
    let full = events.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let cursor = events.last().filter(|_| full).map(|event| event.id.to_string());
    Ok(Json(EventsAnswer { events, cursor }))
}
