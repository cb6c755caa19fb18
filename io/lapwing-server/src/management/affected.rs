//! Which releases hold a component, by their bills of materials, and which devices run them.
//!
//! Touches: the rows of bills, the catalogue. Never: says that a release without a bill is not affected; it is not
//! in the answer at all.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::limits::{AFFECTED_DEVICES_MAX, AFFECTED_PARTS_MAX, BILL_TEXT_BYTES_MAX};
use crate::problem::Problem;
use crate::store::{PartRow, devices_running, parts_licensed, parts_named};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use lapwing_core::{DeviceId, Digest};
use lapwing_fleet::{Comparison, Shelf, VersionRule};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sought {
    /// The name of a component, as bills have it.
    #[param(max_length = 512)]
    component: Option<String>,
    /// Versions of it, such as `<3.0.20`, or `>=1.1.0 <1.1.1k`. Those like 1.4.0 compare as semantic versions,
    /// all others as Debian's.
    #[param(max_length = 256)]
    version: Option<String>,
    /// The SPDX name of a licence.
    #[param(max_length = 512)]
    licence: Option<String>,
}

/// Releases that hold what was looked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Affected)]
pub(super) struct AffectedAnswer {
    releases: Vec<AffectedRelease>,
    /// More components fit than an answer looks at: ask for less.
    cut: bool,
}

/// A release that holds what was looked for, and who runs it.
#[derive(Serialize, ToSchema)]
pub(super) struct AffectedRelease {
    release: String,
    component: String,
    version: String,
    /// `open`, `held` or `withdrawn`.
    state: &'static str,
    parts: Vec<AffectedPart>,
    /// How many devices run its image.
    devices: u64,
    /// Which; of very many the first.
    running: Vec<String>,
}

/// A part of its image.
#[derive(Serialize, ToSchema, Clone)]
pub(super) struct AffectedPart {
    name: String,
    version: String,
    licence: String,
    purl: String,
    /// By which order its version was compared: `semver` or `debian`.
    compared_as: Option<&'static str>,
}

/// List the releases whose bill of materials has a component or a licence, and the devices that run them.
#[utoipa::path(get, path = "/api/v1/affected", security(("token" = ["viewer"])), params(Sought),
    responses((status = 200, body = AffectedAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sought: Result<Query<Sought>, QueryRejection>,
) -> Result<Json<AffectedAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(Sought { component, version, licence }) = sought?;
    let wrong = |detail: &'static str| Problem::bad_request("query", detail);
    let rule: Option<VersionRule> = match &version {
        Some(_) if component.is_none() => return Err(wrong("versions are those of a component; name it")),
        Some(text) => Some(text.parse().map_err(|_| wrong("not a rule for versions, such as <3.0.20"))?),
        None => None,
    };
    let text = |text: &Option<String>| {
        text.as_ref().is_none_or(|text| !text.trim().is_empty() && text.len() <= BILL_TEXT_BYTES_MAX)
    };
    if component.is_none() && licence.is_none() || !text(&component) || !text(&licence) {
        return Err(wrong("name a component or a licence, in at most 512 bytes"));
    }
    let (found, cut) = found(&app, component, licence, rule).await?;
    Ok(Json(AffectedAnswer { releases: releases(&app, &found).await?, cut }))
}

/// The parts that fit, by their bill, and whether there are more.
async fn found(
    app: &App,
    component: Option<String>,
    licence: Option<String>,
    rule: Option<VersionRule>,
) -> Result<(HashMap<Digest, Vec<AffectedPart>>, bool), Problem> {
    let rows = app.store.read(move |c| {
        let licensed = |licence| parts_licensed(c, licence, AFFECTED_PARTS_MAX);
        match (component, licence) {
            (Some(name), None) => parts_named(c, &name, AFFECTED_PARTS_MAX),
            (None, Some(licence)) => licensed(&licence),
            (Some(name), Some(licence)) => {
                licensed(&licence).map(|rows| rows.into_iter().filter(|row| row.part.name == name).collect())
            }
            (None, None) => Ok(Vec::new()),
        }
    });
    let rows: Vec<PartRow> = rows.await?;
    let cut = rows.len() >= usize::try_from(AFFECTED_PARTS_MAX).unwrap_or(usize::MAX);
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for PartRow { bill, part } in rows {
        let compared = rule.as_ref().map(|rule| rule.means(&part.version));
        if compared == Some(None) {
            continue;
        }
        let compared_as = compared.flatten().map(Comparison::label);
        let (name, version, licence, purl) = (part.name, part.version, part.licence, part.purl);
        found.entry(bill).or_default().push(AffectedPart { name, version, licence, purl, compared_as });
    }
    Ok((found, cut))
}

/// The releases that name one of these bills, oldest version first, with those who run them.
async fn releases(
    app: &App,
    found: &HashMap<Digest, Vec<AffectedPart>>,
) -> Result<Vec<AffectedRelease>, Problem> {
    let catalogue = app.catalogue();
    let has_parts = |bill: Option<Digest>| bill.and_then(|bill| found.get(&bill));
    let mut named: Vec<_> =
        catalogue.entries().filter_map(|entry| Some((entry, has_parts(entry.release.sbom)?))).collect();
    named.sort_by_key(|(entry, _)| (entry.release.component.clone(), entry.release.seq));
    let (mut releases, mut left) = (Vec::new(), AFFECTED_DEVICES_MAX);
    for (entry, parts) in named {
        let release = &entry.release;
        let (image, limit) = (release.image.short(), left);
        let (running, devices): (Vec<DeviceId>, u64) =
            app.store.read(move |c| devices_running(c, image, limit)).await?;
        left = left.saturating_sub(u32::try_from(running.len()).unwrap_or(u32::MAX));
        releases.push(AffectedRelease {
            release: release.envelope().to_string(),
            component: release.component.to_string(),
            version: release.version.to_string(),
            state: Shelf::label(entry.shelf),
            parts: parts.clone(),
            devices,
            running: running.iter().map(ToString::to_string).collect(),
        });
    }
    Ok(releases)
}
