//! Version sets: push, list, release from hold, withdraw.
//!
//! Touches: `publish::ingest`, the catalogue. Never: offers anything itself.

use super::auth::{Action, Caller, authorise};
use super::paging::{Page, cut};
use super::read_json;
use crate::app::App;
use crate::limits::{HARDWARE_NAME_BYTES_MAX, NOTE_BYTES_MAX};
use crate::problem::Problem;
use crate::publish::{IngestError, Pushed, Want, ingest, profile_for};
use crate::store::{
    HardwareNames, Said, StoreError, VersionSetRow, hardware_names, log_command, log_event,
    put_hardware_name, running_counts, set_shelf, version_set, version_sets,
};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::{Release, Verified};
use lapwing_delta::Profile;
use lapwing_fleet::{Shelf, delta_plan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A version set to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VersionSetOrder)]
pub(super) struct Push {
    /// The signed releases of one version, as base64url.
    releases: Vec<String>,
    /// Keep it without offering it.
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    #[schema(max_length = 4096)]
    note: String,
    /// What people call the hardware classes, by their ids.
    #[serde(default)]
    hardware_names: HashMap<String, String>,
}

/// A version set that is published.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedVersionSet)]
pub(super) struct PushedAnswer {
    version: String,
    releases: Vec<ReleaseAnswer>,
}

/// A release.
#[derive(Serialize, ToSchema)]
#[schema(as = Release)]
pub(super) struct ReleaseAnswer {
    digest: String,
    component: String,
    seq: u64,
    version: String,
    /// The ids of the hardware classes it is for.
    hardware: Vec<String>,
    /// What people call them, in the same order.
    hardware_names: Vec<Option<String>>,
    image: String,
    image_size_bytes: u64,
    /// Which build made the image.
    build: Option<String>,
    /// Which flavour it is, for example `debug`.
    variant: Option<String>,
    /// Of its bill of materials: ask for it under `/api/v1/releases/{digest}/sbom`.
    sbom: Option<String>,
    /// Of its notes: ask for them under `/api/v1/releases/{digest}/notes`.
    notes: Option<String>,
}

/// A version set.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionSet)]
pub(super) struct VersionSetAnswer {
    version: String,
    /// `open`, `held` or `withdrawn`.
    state: &'static str,
    note: String,
    pushed: u64,
    releases: Vec<ReleaseAnswer>,
}

/// Version sets.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionSets)]
pub(super) struct VersionSetsAnswer {
    version_sets: Vec<VersionSetAnswer>,
    cursor: Option<String>,
}

/// Publish a version set. The same one again changes nothing.
#[utoipa::path(post, path = "/api/v1/version-sets", security(("token" = ["release-manager"])),
    request_body = Push, responses((status = 201, body = PushedAnswer), (status = 200, body = PushedAnswer),
    (status = 409, description = "`no-root`, `seq-not-newer`, `duplicate`, `idempotency-busy`"),
    (status = 413, description = "`too-large`, `image-too-large`, `document-too-large`"),
    (status = 422, description = "`untrusted`, `mixed-versions`, `twice`, `image-missing`, `image-size`, \
        `document-missing`, `document`, `idempotency-mismatch`")))]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<PushedAnswer>), Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    let Push { releases, hold, note, hardware_names: named } = read_json(&app, &headers, body).await?;
    if note.len() > NOTE_BYTES_MAX {
        return Err(Problem::bad_request("note", format!("a note has at most {NOTE_BYTES_MAX} bytes")));
    }
    let envelopes: Result<Vec<_>, _> =
        releases.iter().map(|text| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))).collect();
    let envelopes = envelopes.map_err(|_| Problem::bad_request("base64url", "a release is not base64url"))?;
    let shelf = if hold { Shelf::Held } else { Shelf::Open };
    let done = caller.did("version-set.pushed", "", app.now());
    let pushed = ingest(&app, envelopes, shelf, note, done).await?;
    name_hardware(&app, &pushed, named).await?;
    if !hold {
        make_ready(&app).await?;
    }
    let status = if pushed.again { StatusCode::OK } else { StatusCode::CREATED };
    let names = app.store.read(hardware_names).await?;
    let releases = pushed.releases.iter().map(|release| describe_release(release, &names)).collect();
    Ok((status, Json(PushedAnswer { version: pushed.version, releases })))
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

fn describe_release(release: &Verified<Release>, names: &HardwareNames) -> ReleaseAnswer {
    ReleaseAnswer {
        digest: release.envelope().to_string(),
        component: release.component.as_str().to_owned(),
        seq: release.seq,
        version: release.version.as_str().to_owned(),
        hardware: release.hardware.iter().map(ToString::to_string).collect(),
        hardware_names: release.hardware.iter().map(|class| names.get(&class.to_string()).cloned()).collect(),
        image: release.image.to_string(),
        image_size_bytes: release.image_size_bytes,
        build: release.build.as_ref().map(ToString::to_string),
        variant: release.variant.as_ref().map(ToString::to_string),
        sbom: release.sbom.as_ref().map(ToString::to_string),
        notes: release.notes.as_ref().map(ToString::to_string),
    }
}

/// List the version sets.
#[utoipa::path(get, path = "/api/v1/version-sets", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = VersionSetsAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<VersionSetsAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(page) = page?;
    let (sets, names) = app.store.read(|c| Ok((version_sets(c)?, hardware_names(c)?))).await?;
    let (sets, cursor) = cut(sets, &page, |set| set.version.clone())?;
    let catalogue = app.catalogue();
    let describe = |set: VersionSetRow| {
        let of_set = catalogue.entries().filter(|entry| entry.release.version.as_str() == set.version);
        let releases = of_set.map(|entry| describe_release(&entry.release, &names)).collect();
        let VersionSetRow { version, shelf, note, pushed, .. } = set;
        VersionSetAnswer { version, state: shelf.label(), note, pushed: pushed.0, releases }
    };
    Ok(Json(VersionSetsAnswer { version_sets: sets.into_iter().map(describe).collect(), cursor }))
}

/// Offer a version set that was held.
#[utoipa::path(post, path = "/api/v1/version-sets/{version}/release", security(("token" = ["release-manager"])),
    params(("version" = String, Path)), responses((status = 204, description = "done")))]
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    move_to(&app, &caller, version, Shelf::Open, "version-set.released").await?;
    make_ready(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Offer a version set no more; devices that have not switched do not.
#[utoipa::path(post, path = "/api/v1/version-sets/{version}/withdraw", security(("token" = ["release-manager"])),
    params(("version" = String, Path)), responses((status = 204, description = "done")))]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    move_to(&app, &caller, version, Shelf::Withdrawn, "version-set.withdrawn").await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn move_to(
    app: &App,
    caller: &Caller,
    version: String,
    shelf: Shelf,
    event: &'static str,
) -> Result<(), Problem> {
    let _publishing = app.publishing.lock().await;
    let now = app.now();
    let done = caller.did(event, &version, now).after(json!(shelf.label()));
    let found = app
        .store
        .write(move |c| -> Result<bool, StoreError> {
            let Some(held) = version_set(c, &version)? else { return Ok(false) };
            set_shelf(c, &version, shelf)?;
            log_command(c, &done.before(json!(held.shelf.label())))?;
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
            E::DocumentMissing(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "document-missing",
                "upload it first; `lapwing release push` does with --sbom and --notes, `lapwing release attest` with all it is given",
            ),
            E::DocumentTooLarge(..) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "document-too-large",
                "create the release again with a shorter one",
            ),
            E::Attestation(..) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "document",
                "give an in-toto statement in JSON, or a DSSE envelope around one, about the image of this release",
            ),
            E::Bill(..) | E::Notes(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "document",
                "create the release again with a bill in CycloneDX or SPDX JSON and notes in plain UTF-8",
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
