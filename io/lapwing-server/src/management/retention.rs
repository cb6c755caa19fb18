//! What is kept ready for devices, what would go, and how often a delta was of no use.
//!
//! Touches: `publish::retention`. Never: lets anything go unasked; housekeeping does, beyond the budget.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::problem::Problem;
use crate::publish::{keep_within_budget, plan};
use crate::store::{StoreError, downloads};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use lapwing_core::{Digest, Version};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/retention`.
pub(super) async fn explain(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    Ok(Json(describe(&app).await?))
}

/// `POST /api/v1/retention`: does now what housekeeping would do.
pub(super) async fn apply(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::Operate)?;
    let gone = keep_within_budget(&app).await?;
    let mut described = describe(&app).await?;
    described["gone"] = json!(gone);
    Ok(Json(described))
}

async fn describe(app: &App) -> Result<Value, StoreError> {
    let plan = plan(app).await?;
    let (full, delta) = app.store.read(downloads).await?;
    let catalogue = app.catalogue();
    let version = |image: Digest| {
        let entry = catalogue.entries().find(|entry| entry.release.image == image);
        entry.map(|entry| Version::as_str(&entry.release.version).to_owned())
    };
    let size = |goes: Option<bool>| -> u64 {
        let counts = plan.iter().filter(|(_, verdict)| goes.is_none_or(|goes| verdict.goes == goes));
        counts.map(|(row, _)| row.size_bytes).sum()
    };
    let artifacts = plan.iter().map(|(row, verdict)| {
        json!({
            "artifact": row.digest.to_string(),
            "from": row.base.and_then(version),
            "to": version(row.target),
            "is_delta": row.is_delta,
            "profile": row.profile,
            "size_bytes": row.size_bytes,
            "made": verdict.kept.made.0,
            "goes": verdict.goes,
            "why": verdict.demand.words(),
        })
    });
    Ok(json!({
        "budget_bytes": app.settings.artifact_cache_bytes_max,
        "artifacts_bytes": size(None),
        "going_bytes": size(Some(true)),
        "downloads": { "full": full, "delta": delta, "full_percent": (full * 100).checked_div(full + delta) },
        "artifacts": artifacts.collect::<Vec<_>>(),
    }))
}
