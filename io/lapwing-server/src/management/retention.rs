//! What is kept ready for devices, what would go, and how often a delta was of no use.
//!
//! Touches: `publish::retention`. Never: lets anything go unasked; housekeeping does, beyond the budget.

use super::auth::{Action, authorise};
use super::note;
use crate::app::App;
use crate::problem::Problem;
use crate::publish::{keep_within_budget, plan};
use crate::store::{StoreError, downloads};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use lapwing_core::{Digest, Version};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is kept ready for devices.
#[derive(Serialize, ToSchema)]
#[schema(as = Retention)]
pub(super) struct RetentionAnswer {
    budget_bytes: u64,
    artifacts_bytes: u64,
    /// What would go.
    going_bytes: u64,
    /// Artifacts that went, if that was asked for.
    gone: Option<usize>,
    downloads: DownloadsAnswer,
    /// The least useful first.
    artifacts: Vec<ArtifactAnswer>,
}

/// Images and deltas that were fetched.
#[derive(Serialize, ToSchema)]
#[schema(as = Downloads)]
pub(super) struct DownloadsAnswer {
    full: u64,
    delta: u64,
    full_percent: Option<u64>,
}

/// An artifact, and what becomes of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
pub(super) struct ArtifactAnswer {
    artifact: String,
    /// The version it starts from; none for a full image, or where no release has that image any more.
    from: Option<String>,
    to: Option<String>,
    /// SHA-256 of the image that it makes. Several versions may have it.
    image: String,
    is_delta: bool,
    profile: u8,
    size_bytes: u64,
    made: u64,
    goes: bool,
    why: &'static str,
}

/// Show what is kept ready for devices, and what would go.
#[utoipa::path(get, path = "/api/v1/retention", security(("token" = ["viewer"])),
    responses((status = 200, body = RetentionAnswer)))]
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<RetentionAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    Ok(Json(describe(&app, None).await?))
}

/// Do now what housekeeping would do.
#[utoipa::path(post, path = "/api/v1/retention", security(("token" = ["operator"])),
    responses((status = 200, body = RetentionAnswer)))]
pub(super) async fn apply(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<RetentionAnswer>, Problem> {
    let caller = authorise(&app, &headers, Action::Operate).await?;
    note(&app, caller.did("retention.apply", "", app.now())).await?;
    let gone = keep_within_budget(&app).await?;
    Ok(Json(describe(&app, Some(gone)).await?))
}

async fn describe(app: &App, gone: Option<usize>) -> Result<RetentionAnswer, StoreError> {
    let plan = plan(app).await?;
    let (full, delta) = app.store.read(downloads).await?;
    let catalogue = app.catalogue();
    let version = |image: Digest| {
        let entry = catalogue.entries().find(|entry| entry.release.image == image);
        entry.map(|entry| Version::as_str(&entry.release.version).to_owned())
    };
    // Artifacts that are the same bytes take them once.
    let size = |goes: Option<bool>| -> u64 {
        let mut counted = HashSet::new();
        let counts = plan.iter().filter(|(_, verdict)| goes.is_none_or(|goes| verdict.goes == goes));
        counts.filter(|(row, _)| counted.insert(row.digest)).map(|(row, _)| row.size_bytes).sum()
    };
    let artifacts = plan.iter().map(|(row, verdict)| ArtifactAnswer {
        artifact: row.digest.to_string(),
        from: row.base.and_then(version),
        to: version(row.target),
        image: row.target.to_string(),
        is_delta: row.is_delta,
        profile: row.profile,
        size_bytes: row.size_bytes,
        made: verdict.kept.made.0,
        goes: verdict.goes,
        why: verdict.demand.words(),
    });
    Ok(RetentionAnswer {
        budget_bytes: app.settings.artifact_cache_bytes_max,
        artifacts_bytes: size(None),
        going_bytes: size(Some(true)),
        gone,
        downloads: DownloadsAnswer { full, delta, full_percent: (full * 100).checked_div(full + delta) },
        artifacts: artifacts.collect(),
    })
}
