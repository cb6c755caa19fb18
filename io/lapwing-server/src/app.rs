//! What all rooms of a running server share.
//!
//! Touches: nothing itself; it joins the store, the blobs, the device table, the signer, the catalogue.
//! Never: decides; it only hands out snapshots.

use crate::access::AccessLog;
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::coap::Contexts;
use crate::config::Settings;
use crate::devices::Devices;
use crate::journal::Journal;
use crate::logging::LogControl;
use crate::management::{Overviews, Repetitions};
use crate::metrics::Metrics;
use crate::online::Online;
use crate::orchestrator::{Orchestrator, Steering};
use crate::publish::Deltas;
use crate::store::{Device, Store, StoreError, releases, version_sets};
use crate::throttle::Throttle;
use crate::trust::Trust;
use crate::view::View;
use crate::wake::Wake;
use crate::webhooks::Post;
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::{Catalogue, Entry, RetryPolicy, Shelf};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};

/// A running server's shared parts.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    /// Reports that wait for the database.
    pub(crate) journal: Journal,
    pub(crate) devices: Devices,
    pub(crate) throttle: Throttle,
    pub(crate) online: Online,
    /// Security contexts, where CoAP is served.
    pub(crate) contexts: Option<Contexts>,
    pub(crate) deltas: Deltas,
    pub(crate) metrics: Metrics,
    pub(crate) log: Option<LogControl>,
    /// SHA-256 of the device plane's public key.
    pub(crate) spki: Digest,
    pub(crate) device_url: String,
    pub(crate) coap_url: Option<String>,
    /// SHA-256 of the admin token.
    pub(crate) admin_token: Digest,
    pub(crate) repetitions: Repetitions,
    pub(crate) overviews: Overviews,
    pub(crate) access: AccessLog,
    /// Places for readers that follow changes.
    pub(crate) followers: Arc<Semaphore>,
    /// Says when the server stops.
    pub(crate) stop: watch::Sender<bool>,
    /// What sends to webhooks.
    pub(crate) post: Post,
    /// Artifacts on their way.
    pub(crate) streams: Arc<Semaphore>,
    /// One change to what is published at a time.
    pub(crate) publishing: AsyncMutex<()>,
    pub(crate) snapshots: Snapshots,
    pub(crate) orchestrator: Orchestrator,
    pub(crate) wake: Wake,
}

/// What check-ins read without waiting for anyone.
pub(crate) struct Snapshots {
    trust: RwLock<Arc<Trust>>,
    catalogue: RwLock<Arc<Catalogue>>,
}

impl Snapshots {
    pub(crate) fn new(trust: Trust, catalogue: Catalogue) -> Self {
        Self { trust: RwLock::new(Arc::new(trust)), catalogue: RwLock::new(Arc::new(catalogue)) }
    }
}

impl App {
    pub(crate) fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// A device as the fleet's rules see it, and the rollouts that they see it with.
    pub(crate) fn view(&self, device: &Device) -> Result<(View, Arc<Steering>), StoreError> {
        let steering = self.orchestrator.steering();
        Ok((View::of(device, &self.catalogue(), &steering)?, steering))
    }

    pub(crate) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.snapshots.trust.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.snapshots.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over new trust documents, and the releases they let be believed.
    pub(crate) async fn put_trust(&self, trust: Trust) -> Result<(), StoreError> {
        *self.snapshots.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
        self.reload_catalogue().await
    }

    /// Makes the catalogue anew from the store. Whoever calls holds `publishing`.
    pub(crate) async fn reload_catalogue(&self) -> Result<(), StoreError> {
        let trust = self.trust();
        let catalogue = load_catalogue(&self.store, &trust, self.settings.pace.retry).await?;
        *self.snapshots.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
        Ok(())
    }
}

/// The catalogue of what the store holds and the trust anchor believes.
pub(crate) async fn load_catalogue(
    store: &Store,
    trust: &Trust,
    retry: RetryPolicy,
) -> Result<Catalogue, StoreError> {
    let (sets, rows) = store.read(|c| Ok((version_sets(c)?, releases(c)?))).await?;
    let shelves: HashMap<String, Shelf> = sets.into_iter().map(|set| (set.version, set.shelf)).collect();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(anchor) = trust.anchor() else { break };
        let shelf = shelves.get(&row.version).copied().ok_or(StoreError::Corrupt("releases"))?;
        match anchor.open_release(&row.envelope) {
            Ok(release) => entries.push(Entry { release, envelope: row.envelope.into(), shelf }),
            Err(error) => {
                tracing::warn!(version = row.version, %error, "a stored release is not believed any more");
            }
        }
    }
    Ok(Catalogue::new(entries, trust.versions(), retry))
}
