//! Security contexts of devices: made from the server's secret when a device speaks, and let go when room is short.
//!
//! Touches: the table that numbers contexts, the device table. A device whose secret is not the one that its
//! context was made from has none. Never: writes for a message, or hands out one number twice.

use super::Provisioned;
use crate::app::App;
use crate::key_file::OscoreKey;
use crate::limits::{CONTEXT_ID_MAX, OSCORE_NUMBERS_AT_ONCE};
use crate::store::{Device, Store, StoreError, context_owner, new_context, put_device, reserve_numbers};
use lapwing_coap::oscore::{Context, IdContext, Keys, Kid, Master, Replay, Reserve, Sequence};
use lapwing_core::{DeviceId, Digest};
use quick_cache::sync::Cache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

/// All contexts.
pub(crate) struct Contexts {
    key: OscoreKey,
    live: Cache<u64, Arc<Live>>,
    /// Numbers for what the server seals of its own accord. Every context has its own keys, so that all can share them.
    numbers: AsyncMutex<Sequence>,
    store: Store,
}

/// A context in use.
pub(super) struct Live {
    device: DeviceId,
    secret_hash: Digest,
    context: Mutex<Context>,
}

/// A hundred thousand of them take less than forty megabytes.
const _: () = assert!(size_of::<Live>() <= 384);

impl Live {
    pub(super) fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no context.
enum Missing {
    Unknown,
    Store(StoreError),
}

impl From<StoreError> for Missing {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Contexts {
    pub(crate) fn new(key: OscoreKey, cached_max: usize, store: Store) -> Self {
        let numbers = AsyncMutex::new(Sequence::resume(0));
        Self { key, live: Cache::new(cached_max), numbers, store }
    }

    /// The device that `kid` names, as it stands, and its context.
    pub(super) async fn of(
        &self,
        app: &App,
        kid: &[u8],
    ) -> Result<Option<(Arc<Device>, Arc<Live>)>, StoreError> {
        let Some(number) = number_of(kid) else { return Ok(None) };
        let live = match self.live.get_or_insert_async(&number, self.make(number)).await {
            Ok(live) => live,
            Err(Missing::Unknown) => return Ok(None),
            Err(Missing::Store(error)) => return Err(error),
        };
        let device = app.devices.get(&live.device).await?;
        Ok(device.filter(|device| device.secret == live.secret_hash).map(|device| (device, live)))
    }

    async fn make(&self, number: u64) -> Result<Arc<Live>, Missing> {
        let device = self.store.read(move |c| context_owner(c, number)).await?.ok_or(Missing::Unknown)?;
        let secret = self.key.secret(number, &device);
        let kid = Kid::new(&kid_of(number)).map_err(|_| Missing::Unknown)?;
        let master = Master { secret: &secret.0, salt: &[], id_context: IdContext::None };
        let keys = Keys::derive(&master, Kid::default(), kid).map_err(|_| Missing::Unknown)?;
        // What was said before this start is not known, so the first message must prove that it is new.
        let context = Mutex::new(Context::new(keys, Sequence::resume(0), Replay::unknown()));
        Ok(Arc::new(Live { device, secret_hash: Digest::of(&secret.0), context }))
    }

    /// A number for something that is sealed in `live` and answers no fresh request.
    pub(super) async fn lend_number(&self, live: &Live) -> Result<(), StoreError> {
        let mut numbers = self.numbers.lock().await;
        let number = match numbers.take() {
            Ok(number) => number,
            Err(_) => {
                let next = self.store.write(|c| reserve_numbers(c, OSCORE_NUMBERS_AT_ONCE)).await?;
                *numbers = lent(next, OSCORE_NUMBERS_AT_ONCE);
                numbers.take().map_err(|_| StoreError::Corrupt("settings"))?
            }
        };
        live.context().sequence = lent(number, 1);
        Ok(())
    }

    /// Gives a device a context and with it its secret; none if it is known with another one.
    pub(crate) fn provision(
        &self,
        id: DeviceId,
        known: Option<&Device>,
        app: &App,
    ) -> impl FnOnce(&crate::store::Sql) -> Result<Option<Provisioned>, StoreError> + Send + use<> {
        let known = known.cloned();
        let (key, now) = (self.key.clone(), app.now());
        move |c| {
            if known.as_ref().is_some_and(|known| !known.replaceable) {
                return Ok(None);
            }
            let number = new_context(c, &id)?;
            let secret = key.secret(number, &id);
            let hash = Digest::of(&secret.0);
            let device = match known {
                None => Device::new(id, hash, None, now)?,
                Some(known) => {
                    Device { secret: hash, boot_before: None, quarantine: None, replaceable: false, ..known }
                }
            };
            put_device(c, &device)?;
            Ok(Some(Provisioned { kid: kid_of(number), secret }))
        }
    }
}

/// `count` numbers from `first` on.
fn lent(first: u64, count: u64) -> Sequence {
    let mut sequence = Sequence::resume(first);
    sequence.reserved(Reserve { up_to: first.saturating_add(count) });
    sequence
}

/// How a context is named on the wire: its number in as few bytes as it needs.
fn kid_of(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

fn number_of(kid: &[u8]) -> Option<u64> {
    let number = kid
        .iter()
        .try_fold(0_u64, |number, byte| number.checked_mul(256).map(|number| number | u64::from(*byte)))?;
    ((1..=CONTEXT_ID_MAX).contains(&number) && kid_of(number) == kid).then_some(number)
}
