//! Version sets: push, list, release from hold, withdraw.
//!
//! Touches: `publish::ingest`, the catalogue. Never: offers anything itself.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::limits::NOTE_BYTES_MAX;
use crate::problem::Problem;
use crate::publish::deltas::Want;
use crate::publish::ingest::{IngestError, Pushed, ingest};
use crate::store::{Said, StoreError, VersionSetRow, log_event, set_shelf, version_set, version_sets};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::{Release, Verified};
use lapwing_fleet::Shelf;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    releases: Vec<String>,
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    note: String,
}

/// `POST /api/v1/version-sets`.
pub(super) async fn push(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    authorise(&app, &headers, Action::Publish)?;
    let Push { releases, hold, note } = read_json(&app, body).await?;
    if note.len() > NOTE_BYTES_MAX {
        return Err(Problem::bad_request("note", format!("a note has at most {NOTE_BYTES_MAX} bytes")));
    }
    let envelopes: Result<Vec<_>, _> =
        releases.iter().map(|text| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))).collect();
    let envelopes = envelopes.map_err(|_| Problem::bad_request("base64url", "a release is not base64url"))?;
    let shelf = if hold { Shelf::Held } else { Shelf::Open };
    let pushed = ingest(&app, envelopes, shelf, note).await?;
    if !hold {
        make_ready(&app).await?;
    }
    let status = if pushed.again { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(describe_pushed(&pushed))))
}

fn describe_pushed(pushed: &Pushed) -> Value {
    json!({
        "version": pushed.version,
        "releases": pushed.releases.iter().map(describe_release).collect::<Vec<_>>(),
    })
}

fn describe_release(release: &Verified<Release>) -> Value {
    json!({
        "digest": release.envelope().to_string(),
        "component": release.component.as_str(),
        "seq": release.seq,
        "version": release.version.as_str(),
        "hardware": release.hardware.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "image": release.image.to_string(),
        "image_size_bytes": release.image_size_bytes,
    })
}

/// `GET /api/v1/version-sets`.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let sets = app.store.read(version_sets).await?;
    let catalogue = app.catalogue();
    let describe = |set: &VersionSetRow| {
        let of_set = catalogue.entries().filter(|entry| entry.release.version.as_str() == set.version);
        json!({
            "version": set.version,
            "state": set.shelf.label(),
            "note": set.note,
            "pushed": set.pushed.0,
            "releases": of_set.map(|entry| describe_release(&entry.release)).collect::<Vec<_>>(),
        })
    };
    Ok(Json(json!({ "version_sets": sets.iter().map(describe).collect::<Vec<_>>() })))
}

/// `POST /api/v1/version-sets/{version}/release`.
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::Publish)?;
    move_to(&app, version, Shelf::Open, "version-set.released").await?;
    make_ready(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/version-sets/{version}/withdraw`.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::Publish)?;
    move_to(&app, version, Shelf::Withdrawn, "version-set.withdrawn").await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn move_to(app: &App, version: String, shelf: Shelf, event: &'static str) -> Result<(), Problem> {
    let _publishing = app.publishing.lock().await;
    let now = app.now();
    let found = app
        .store
        .write(move |c| -> Result<bool, StoreError> {
            if version_set(c, &version)?.is_none() {
                return Ok(false);
            }
            set_shelf(c, &version, shelf)?;
            log_event(c, &Said { detail: Some(version), ..Said::of_server(now, event) })?;
            Ok(true)
        })
        .await?;
    if !found {
        return Err(Problem::not_found("no such version set"));
    }
    Ok(app.reload_catalogue().await?)
}

/// Begins the deltas that the fleet will ask for, in the profiles that its devices have.
async fn make_ready(app: &App) -> Result<(), Problem> {
    let catalogue = app.catalogue();
    let inventory = app.store.read(crate::store::running_counts).await?.into_iter().collect();
    let profiles: Vec<_> = app.deltas.profiles_asked_for().collect();
    let pairs = catalogue
        .kinds()
        .flat_map(|(component, class)| lapwing_fleet::delta_plan(&catalogue, component, *class, &inventory));
    for pair in pairs.collect::<Vec<_>>() {
        for profile in profiles.iter().copied() {
            let want = Want { target: pair.target, base: Some(pair.base), profile };
            app.deltas.ask(want, app.now()).await?;
            app.deltas.ask(Want { base: None, ..want }, app.now()).await?;
        }
    }
    Ok(())
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        let (status, code) = match &error {
            IngestError::NoRoot => (StatusCode::CONFLICT, "no-root"),
            IngestError::Count => (StatusCode::BAD_REQUEST, "count"),
            IngestError::Untrusted { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "untrusted"),
            IngestError::MixedVersions => (StatusCode::UNPROCESSABLE_ENTITY, "mixed-versions"),
            IngestError::Twice => (StatusCode::UNPROCESSABLE_ENTITY, "twice"),
            IngestError::SeqNotNewer { .. } => (StatusCode::CONFLICT, "seq-not-newer"),
            IngestError::ImageMissing(_) => (StatusCode::UNPROCESSABLE_ENTITY, "image-missing"),
            IngestError::ImageSize(_) => (StatusCode::UNPROCESSABLE_ENTITY, "image-size"),
            IngestError::ImageTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "image-too-large"),
            IngestError::Duplicate(_) => (StatusCode::CONFLICT, "duplicate"),
            IngestError::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store"),
        };
        match error {
            IngestError::Store(error) => error.into(),
            other => Self::new(status, code, other.to_string()),
        }
    }
}
