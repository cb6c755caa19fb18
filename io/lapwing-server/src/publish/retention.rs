//! Keeps the artifacts within their budget, and says what would go.
//!
//! Touches: artifact rows and their blobs. `lapwing_fleet` says which; images are none of its business.
//! Never: leaves a row without its file; after a power cut there may be a file without its row.

use crate::app::App;
use crate::store::{
    ArtifactRow, StoreError, artifacts, artifacts_bytes, drop_artifact, offered_artifacts, running_counts,
};
use lapwing_core::UnixSeconds;
use lapwing_fleet::{InUse, Kept, Shelf, Verdict, retention};
use std::collections::HashMap;

/// What becomes of each artifact, the least useful first.
pub(crate) async fn plan(app: &App) -> Result<Vec<(ArtifactRow, Verdict)>, StoreError> {
    let (rows, offered, counts) =
        app.store.read(|c| Ok((artifacts(c)?, offered_artifacts(c)?, running_counts(c)?))).await?;
    let mut in_use = InUse { offered, ..InUse::default() };
    for (image, _, count) in counts {
        *in_use.running.entry(image).or_default() += count;
    }
    let catalogue = app.catalogue();
    let open = catalogue.entries().filter(|entry| entry.shelf == Shelf::Open);
    in_use.targets = open.map(|entry| entry.release.image).collect();
    let key = |row: &ArtifactRow| (row.target, row.base, row.profile);
    let kept: Vec<Kept> = rows.iter().map(|(row, made)| describe(row, *made)).collect();
    let rows: HashMap<_, ArtifactRow> = rows.into_iter().map(|(row, _)| (key(&row), row)).collect();
    let verdicts = retention(&kept, &in_use, app.settings.artifact_cache_bytes_max);
    let with_row = |verdict: Verdict| {
        let Kept { target, base, profile, .. } = verdict.kept;
        rows.get(&(target, base, profile)).map(|row| (*row, verdict))
    };
    Ok(verdicts.into_iter().filter_map(with_row).collect())
}

fn describe(row: &ArtifactRow, made: UnixSeconds) -> Kept {
    let ArtifactRow { target, base, profile, digest, size_bytes, .. } = *row;
    Kept { artifact: digest, target, base, profile, size_bytes, made }
}

/// Lets go what must, if there is too much; returns how many artifacts went.
pub(crate) async fn keep_within_budget(app: &App) -> Result<usize, StoreError> {
    if app.store.read(artifacts_bytes).await? <= app.settings.artifact_cache_bytes_max {
        return Ok(0);
    }
    let mut gone = 0;
    for (row, verdict) in plan(app).await?.into_iter().filter(|(_, verdict)| verdict.goes) {
        let is_orphan = app.store.write(move |c| drop_artifact(c, &row)).await?;
        if is_orphan {
            app.blobs.remove(row.digest)?;
        }
        gone += 1;
        tracing::info!(artifact = %row.digest, why = verdict.demand.words(), "an artifact was let go");
    }
    Ok(gone)
}
