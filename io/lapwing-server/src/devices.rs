//! The device table in memory: what the last check-ins said, without asking the store.
//!
//! Touches: `crate::store`. Snapshots are immutable; whoever changes one holds the device's lock, writes
//! the store first and the table second. Never: writes for a device that only says it is still there.

use crate::limits::DEVICE_STRIPES;
use crate::store::{Changed, Device, Store, StoreError, device, put_seen};
use lapwing_core::{DeviceId, UnixSeconds};
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

/// The table.
pub(crate) struct Devices {
    cache: Cache<DeviceId, Arc<Device>>,
    stripes: Vec<AsyncMutex<()>>,
    hasher: RandomState,
    /// Times of last contact that are not in the store yet.
    seen: Mutex<HashMap<DeviceId, UnixSeconds>>,
    store: Store,
}

impl Devices {
    pub(crate) fn new(cached_max: usize, store: Store) -> Self {
        Self {
            cache: Cache::new(cached_max),
            stripes: (0..DEVICE_STRIPES).map(|_| AsyncMutex::new(())).collect(),
            hasher: RandomState::new(),
            seen: Mutex::default(),
            store,
        }
    }

    /// A device as it stands. Not for whoever holds its lock.
    pub(crate) async fn get(&self, id: &DeviceId) -> Result<Option<Arc<Device>>, StoreError> {
        if let Some(device) = self.cache.get(id) {
            return Ok(Some(device));
        }
        let _lock = self.lock(id).await;
        self.get_locked(id).await
    }

    /// A device as it stands, for whoever holds its lock: nobody else may load it meanwhile, or a stale
    /// snapshot could replace a new one.
    pub(crate) async fn get_locked(&self, id: &DeviceId) -> Result<Option<Arc<Device>>, StoreError> {
        if let Some(device) = self.cache.get(id) {
            return Ok(Some(device));
        }
        let wanted = id.clone();
        let found = self.store.read(move |c| device(c, &wanted)).await?.map(Arc::new);
        if let Some(device) = &found {
            self.cache.insert(id.clone(), Arc::clone(device));
        }
        Ok(found)
    }

    /// Keeps everybody else from changing this device.
    pub(crate) async fn lock(&self, id: &DeviceId) -> tokio::sync::MutexGuard<'_, ()> {
        let stripe = self.hasher.hash_one(id) % DEVICE_STRIPES as u64;
        // The remainder is below the number of stripes.
        self.stripes[usize::try_from(stripe).unwrap_or(0)].lock().await
    }

    /// Takes over a snapshot that was just written.
    pub(crate) fn put(&self, mut device: Arc<Device>) {
        let written = Arc::make_mut(&mut device);
        written.generation = written.generation.saturating_add(1);
        self.cache.insert(device.id.clone(), device);
    }

    /// Drops a snapshot that another server has overtaken.
    pub(crate) fn heard(&self, changed: &Changed) {
        self.cache.remove_if(&changed.id, |held| Some(held.generation) != changed.generation);
    }

    /// Drops a snapshot, so that the store is asked next time.
    pub(crate) fn forget(&self, id: &DeviceId) {
        self.cache.remove(id);
        self.seen().remove(id);
    }

    /// Notes that a device was there.
    pub(crate) fn touch(&self, id: &DeviceId, now: UnixSeconds) {
        self.seen().insert(id.clone(), now);
    }

    /// When a device was last there.
    pub(crate) fn last_seen(&self, device: &Device) -> UnixSeconds {
        self.seen().get(&device.id).copied().unwrap_or_default().max(device.last_seen)
    }

    /// Writes the times of last contact, in one job.
    pub(crate) async fn flush_seen(&self) -> Result<(), StoreError> {
        let seen: Vec<_> = self.seen().drain().collect();
        if seen.is_empty() {
            return Ok(());
        }
        self.store.write(move |c| put_seen(c, &seen)).await
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<DeviceId, UnixSeconds>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
