//! Keeps up with a database: what other servers changed is read again, and what waited for it is delivered.
//!
//! Touches: the store, once in a while; the device table, the catalogue, the trust held, the journal, calls.
//! Never: in the way of a check-in. What it has not noticed yet a write still does: it meets `Stale`.

use crate::app::App;
use crate::device_plane;
use crate::limits::FOLLOW_MS;
use crate::listen::told_to_stop;
use crate::store::{Setting, StoreError, What, changed_devices, changes, put_setting};
use crate::trust::{Trust, TrustError};
use crate::wake;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How far a server has read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    devices: u64,
    published: u64,
}

impl Place {
    /// Where things stand. Whoever starts asks first and reads everything after.
    pub(crate) async fn now(app: &crate::store::Store) -> Result<Self, StoreError> {
        app.read(|c| {
            Ok(Self { devices: changes(c, What::Devices)?, published: changes(c, What::Published)? })
        })
        .await
    }
}

/// Runs until `stop` says so.
pub(crate) async fn run(app: Arc<App>, mut place: Place, mut stop: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(Duration::from_millis(FOLLOW_MS));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = told_to_stop(&mut stop) => return,
            _ = rounds.tick() => {}
        }
        match round(&app, &mut place).await {
            // The store says so itself, once.
            Ok(()) | Err(StoreError::Away) => {}
            Err(error) => tracing::warn!(%error, "keeping up with the database failed"),
        }
    }
}

async fn round(app: &App, place: &mut Place) -> Result<(), StoreError> {
    if app.store.last_commit().is_err() {
        // Whether it is back shows only by trying.
        app.store.write(|c| put_setting(c, Setting::WriteTried, 0)).await?;
    }
    device_plane::deliver_journal(app).await?;
    let after = place.devices;
    for changed in app.store.read(move |c| changed_devices(c, after)).await? {
        app.devices.heard(&changed);
        wake::changed(app, &changed.id).await?;
        place.devices = place.devices.max(changed.number);
    }
    let published = app.store.read(|c| changes(c, What::Published)).await?;
    if published != place.published {
        let _publishing = app.publishing.lock().await;
        match Trust::load(&app.store).await {
            Ok(trust) => app.put_trust(trust).await?,
            Err(TrustError::Store(error)) => return Err(error),
            Err(error) => tracing::error!(%error, "the trust documents of another server are not believed"),
        }
        place.published = published;
    }
    Ok(())
}
