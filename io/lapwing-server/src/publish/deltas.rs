//! Makes artifacts: each pair once, one after the other, within a bound of memory.
//!
//! Touches: `lapwing_delta::make`, one thread, blobs, the store. Devices are told to ask again meanwhile.
//! Never: keeps a device waiting for a delta when the full image is there and its patience is over.

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::config;
use crate::metrics::Metrics;
use crate::store::{ArtifactRow, Store, StoreError, artifact, put_artifact, put_blob};
use lapwing_core::{Digest, UnixSeconds};
use lapwing_delta::{Header, MakeError, Profile, make, make_memory_bytes};
use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Pairs remembered as impossible.
const FAILED_MAX: usize = 10_000;

/// An artifact that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Want {
    pub(crate) target: Digest,
    /// None for the full image.
    pub(crate) base: Option<Digest>,
    pub(crate) profile: Profile,
}

/// Whether it is there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readiness {
    Ready(ArtifactRow),
    /// Being made, or waiting to be.
    Making {
        since: UnixSeconds,
    },
    /// The queue is full; nobody remembers that it was asked for.
    Crowded,
    /// It cannot be made.
    Impossible,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Making { since: UnixSeconds },
    Failed,
}

/// The maker's front desk.
pub(crate) struct Deltas {
    queue: SyncSender<Want>,
    shared: Arc<Shared>,
    store: Store,
    limits: config::Deltas,
}

#[derive(Default)]
struct Shared {
    states: Mutex<HashMap<Want, State>>,
    stopping: AtomicBool,
    /// Profiles that were asked for, one bit each.
    profiles: AtomicU8,
    /// How many are being made, or wait to be.
    waiting: watch::Sender<usize>,
}

const PROFILES: [Profile; 4] = [Profile::Kib64, Profile::Kib256, Profile::Mib1, Profile::Free];

fn bit(profile: Profile) -> u8 {
    1 << profile as u8
}

impl Shared {
    fn states(&self) -> MutexGuard<'_, HashMap<Want, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the maker's thread needs.
struct Maker {
    store: Store,
    blobs: Blobs,
    metrics: Metrics,
    shared: Arc<Shared>,
    memory_bytes_max: u64,
    clock: Clock,
    runtime: tokio::runtime::Handle,
}

impl Deltas {
    /// Starts the maker. Its thread ends when this is dropped, or soon after [`Deltas::stop`].
    pub(crate) fn start(
        store: &Store,
        blobs: &Blobs,
        metrics: &Metrics,
        clock: &Clock,
        limits: config::Deltas,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (queue, inbox) = sync_channel(limits.queue_max);
        let shared = Arc::new(Shared::default());
        let maker = Maker {
            store: store.clone(),
            blobs: blobs.clone(),
            metrics: metrics.clone(),
            shared: Arc::clone(&shared),
            memory_bytes_max: limits.memory_bytes_max,
            clock: clock.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let builder = std::thread::Builder::new().name("delta-maker".to_owned());
        let thread = builder.spawn(move || maker.run(&inbox))?;
        Ok((Self { queue, shared, store: store.clone(), limits }, thread))
    }

    /// Gives up the artifact being made, and all that wait.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether an artifact is there; if not, and there is room, it is put in the queue.
    pub(crate) async fn ask(&self, want: Want, now: UnixSeconds) -> Result<Readiness, StoreError> {
        let Want { target, base, profile } = want;
        self.shared.profiles.fetch_or(bit(profile), Ordering::Relaxed);
        if let Some(row) = self.store.read(move |c| artifact(c, target, base, profile as u8)).await? {
            return Ok(Readiness::Ready(row));
        }
        let mut states = self.shared.states();
        match states.get(&want) {
            Some(State::Making { since }) => return Ok(Readiness::Making { since: *since }),
            Some(State::Failed) => return Ok(Readiness::Impossible),
            None => {}
        }
        match self.queue.try_send(want) {
            Ok(()) => {
                states.insert(want, State::Making { since: now });
                self.shared.waiting.send_modify(|waiting| *waiting += 1);
                Ok(Readiness::Making { since: now })
            }
            Err(TrySendError::Full(_)) => Ok(Readiness::Crowded),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }

    /// The profiles that devices have asked in since start.
    pub(crate) fn profiles_asked_for(&self) -> impl Iterator<Item = Profile> {
        let seen = self.shared.profiles.load(Ordering::Relaxed);
        PROFILES.into_iter().filter(move |profile| seen & bit(*profile) != 0)
    }

    /// Returns once nothing is being made and nothing waits to be.
    pub(crate) async fn settled(&self) {
        let mut waiting = self.shared.waiting.subscribe();
        drop(waiting.wait_for(|waiting| *waiting == 0).await);
    }

    /// Whether the full image's artifact can be made at all within the bound of memory.
    pub(crate) fn fits(&self, image_size_bytes: u64) -> bool {
        let memory_bytes = || make_memory_bytes(0, image_size_bytes, Profile::Free);
        i32::try_from(image_size_bytes).is_ok()
            && memory_bytes().saturating_add(image_size_bytes) <= self.limits.memory_bytes_max
    }

    pub(crate) fn limits(&self) -> config::Deltas {
        self.limits
    }
}

/// Why an artifact was not made.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("it would take more memory than allowed")]
    TooLarge,
    #[error("reading or keeping bytes: {0}")]
    Io(#[from] io::Error),
    #[error("making it: {0}")]
    Make(#[from] MakeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Maker {
    fn run(self, inbox: &Receiver<Want>) {
        while let Ok(want) = inbox.recv() {
            if self.shared.stopping.load(Ordering::Relaxed) {
                return;
            }
            self.metrics.deltas_waiting(*self.shared.waiting.borrow());
            let made = self.make(want);
            let mut states = self.shared.states();
            match made {
                Ok(()) => drop(states.remove(&want)),
                Err(error) => {
                    tracing::warn!(target_image = %want.target, %error, "an artifact could not be made");
                    if states.len() >= FAILED_MAX {
                        states.retain(|_, state| matches!(state, State::Making { .. }));
                    }
                    states.insert(want, State::Failed);
                }
            }
            drop(states);
            self.shared.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
            self.metrics.deltas_waiting(*self.shared.waiting.borrow());
        }
    }

    fn make(&self, want: Want) -> Result<(), JobError> {
        let Want { target, base, profile } = want;
        let there = self.store.read(move |c| artifact(c, target, base, profile as u8));
        if self.runtime.block_on(there)?.is_some() {
            return Ok(());
        }
        let size = |digest| std::fs::metadata(self.blobs.path(digest)).map(|data| data.len());
        let target_bytes = size(target)?;
        let base_bytes = base.map(size).transpose()?.unwrap_or(0);
        let memory_bytes = make_memory_bytes(base_bytes, target_bytes, profile);
        if memory_bytes.saturating_add(base_bytes).saturating_add(target_bytes) > self.memory_bytes_max {
            return Err(JobError::TooLarge);
        }
        let old = base.map(|base| std::fs::read(self.blobs.path(base))).transpose()?;
        let new = std::fs::read(self.blobs.path(target))?;
        let mut go_on = |_| match self.shared.stopping.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let bytes = make(old.as_deref(), &new, profile, &mut go_on)?;
        let header = Header::read(&mut bytes.as_slice()).map_err(|_| MakeError::Encoder)?;
        let is_delta = !header.is_full();
        let (digest, size_bytes) = self.blobs.keep_bytes(&bytes)?;
        self.metrics.artifact_made(is_delta, size_bytes, target_bytes);
        let profile = profile as u8;
        let row = ArtifactRow { target, base, is_delta, profile, codec: header.codec(), digest, size_bytes };
        let now = self.clock.now();
        let note = self.store.write(move |c| {
            put_blob(c, digest, size_bytes, now)?;
            put_artifact(c, &row)
        });
        Ok(self.runtime.block_on(note)?)
    }
}

/// The largest profile that this server and a device both know.
pub(crate) fn profile_for(number: u8) -> Profile {
    match number {
        0 | 1 => Profile::Kib64,
        2 => Profile::Kib256,
        3 => Profile::Mib1,
        _ => Profile::Free,
    }
}
