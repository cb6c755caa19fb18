//! Version sets: push, list, release from hold, withdraw.
//!
//! Touches: `publish::ingest`, the catalogue. Never: offers anything itself.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::limits::{HARDWARE_NAME_BYTES_MAX, NOTE_BYTES_MAX};
use crate::problem::Problem;
use crate::publish::{IngestError, Pushed, Want, ingest, profile_for};
use crate::store::{
    HardwareNames, Said, StoreError, VersionSetRow, hardware_names, log_event, put_hardware_name,
    running_counts, set_shelf, version_set, version_sets,
};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::{HardwareClass, Release, Verified};
use lapwing_delta::Profile;
use lapwing_fleet::{Shelf, delta_plan};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    releases: Vec<String>,
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    note: String,
    /// What people call the hardware classes, by their ids.
    #[serde(default)]
    hardware_names: HardwareNames,
}

/// `POST /api/v1/version-sets`.
pub(super) async fn push(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    authorise(&app, &headers, Action::Publish)?;
    let Push { releases, hold, note, hardware_names } = read_json(&app, body).await?;
    if note.len() > NOTE_BYTES_MAX {
        return Err(Problem::bad_request("note", format!("a note has at most {NOTE_BYTES_MAX} bytes")));
    }
    let envelopes: Result<Vec<_>, _> =
        releases.iter().map(|text| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))).collect();
    let envelopes = envelopes.map_err(|_| Problem::bad_request("base64url", "a release is not base64url"))?;
    let shelf = if hold { Shelf::Held } else { Shelf::Open };
    let pushed = ingest(&app, envelopes, shelf, note).await?;
    name_hardware(&app, &pushed, hardware_names).await?;
    if !hold {
        make_ready(&app).await?;
    }
    let status = if pushed.again { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(describe_pushed(&pushed))))
}

/// Keeps the names of hardware that the version set is for. They are for people; nothing rests on them.
async fn name_hardware(app: &App, pushed: &Pushed, names: HardwareNames) -> Result<(), StoreError> {
    let classes = pushed.releases.iter().flat_map(|release| &release.hardware).map(ToString::to_string);
    let plain =
        |name: &&String| name.len() <= HARDWARE_NAME_BYTES_MAX && name.bytes().all(|b| b.is_ascii_graphic());
    let named = |class: String| names.get(&class).filter(plain).map(|name| (class, name.clone()));
    let named: Vec<(String, String)> = classes.filter_map(named).collect();
    if named.is_empty() {
        return Ok(());
    }
    app.store
        .write(move |c| named.iter().try_for_each(|(class, name)| put_hardware_name(c, class, name)))
        .await
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
    let names = app.store.read(hardware_names).await?;
    let catalogue = app.catalogue();
    let describe_release = |release: &Verified<Release>| {
        let name = |class: &HardwareClass| names.get(&class.to_string());
        let mut described = describe_release(release);
        described["hardware_names"] = json!(release.hardware.iter().map(name).collect::<Vec<_>>());
        described
    };
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
        return Err(Problem::not_found("no such version set").advice("`lapwing release list` shows them"));
    }
    Ok(app.reload_catalogue().await?)
}

/// Begins the deltas that the fleet will ask for, in the profiles that its devices have.
async fn make_ready(app: &App) -> Result<(), Problem> {
    let catalogue = app.catalogue();
    let mut inventories: HashMap<Profile, HashMap<_, u64>> = HashMap::new();
    for (image, profile, count) in app.store.read(running_counts).await? {
        *inventories.entry(profile_for(profile)).or_default().entry(image).or_default() += count;
    }
    for (profile, inventory) in inventories {
        let plan = |(component, class): &(_, _)| delta_plan(&catalogue, component, *class, &inventory);
        for pair in catalogue.kinds().flat_map(plan) {
            let want = Want { target: pair.target, base: Some(pair.base), profile };
            app.deltas.ask(want, app.now()).await?;
            app.deltas.ask(Want { base: None, ..want }, app.now()).await?;
        }
    }
    Ok(())
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        use IngestError as E;
        let (status, code, advice) = match &error {
            E::NoRoot => {
                (StatusCode::CONFLICT, "no-root", "run `lapwing key enroll` on the signing side first")
            }
            E::Count => (StatusCode::BAD_REQUEST, "count", "push the releases of one version together"),
            E::Untrusted { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "untrusted",
                "`lapwing release verify` says the same where it was signed; give the server a newer root document \
                 with `lapwing key enroll`",
            ),
            E::MixedVersions => {
                (StatusCode::UNPROCESSABLE_ENTITY, "mixed-versions", "push each version by itself")
            }
            E::Twice => (StatusCode::UNPROCESSABLE_ENTITY, "twice", "leave one of them out"),
            E::SeqNotNewer { .. } => (
                StatusCode::CONFLICT,
                "seq-not-newer",
                "create the release again; `--ask-server` takes the next seq after what is published",
            ),
            E::ImageMissing(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "image-missing", "name its file with --image")
            }
            E::ImageSize(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "image-size",
                "create the release again from the very image",
            ),
            E::ImageTooLarge(_) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "image-too-large",
                "raise artifact_memory_bytes_max in the server's configuration",
            ),
            E::Duplicate(_) => (
                StatusCode::CONFLICT,
                "duplicate",
                "create the releases again under a version of their own; a version is published once and whole",
            ),
            E::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store", "see the server's log"),
        };
        match error {
            E::Store(error) => error.into(),
            other => Self::new(status, code, other.to_string()).advice(advice),
        }
    }
}
