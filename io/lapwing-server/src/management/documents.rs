//! The documents that a release names: its bill of materials, and notes for people.
//!
//! Touches: blobs. What is read was checked when it was published. Never: shows what no release names.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use lapwing_core::{Digest, Release};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a release says to people.
#[derive(Serialize, ToSchema)]
#[schema(as = ReleaseNotes)]
pub(super) struct NotesAnswer {
    notes: String,
}

/// Show the bill of materials of a release, as it was pushed.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/sbom", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = Value)))]
pub(super) async fn bill(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let bytes = document(&app, &digest, |release| release.sbom).await?;
    serde_json::from_slice(&bytes).map(Json).map_err(|error| Problem::internal(&error))
}

/// Show the notes of a release.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/notes", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = NotesAnswer)))]
pub(super) async fn notes(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<NotesAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let bytes = document(&app, &digest, |release| release.notes).await?;
    String::from_utf8(bytes)
        .map(|notes| Json(NotesAnswer { notes }))
        .map_err(|error| Problem::internal(&error))
}

async fn document(
    app: &App,
    release: &str,
    which: impl Fn(&Release) -> Option<Digest>,
) -> Result<Vec<u8>, Problem> {
    let catalogue = app.catalogue();
    let entry = release.parse().ok().and_then(|release: Digest| catalogue.release(release));
    let named = entry.and_then(|entry| which(&entry.release));
    let path = named.map(|document| app.blobs.path(document));
    let path = path.ok_or_else(|| Problem::not_found("no such release, or it names no such document"))?;
    let read = tokio::task::spawn_blocking(|| std::fs::read(path)).await;
    read.unwrap_or_else(|error| Err(error.into())).map_err(|error| Problem::internal(&error))
}
