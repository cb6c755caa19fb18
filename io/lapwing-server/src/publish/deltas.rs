//! Who wants which artifact: each pair is made once, whoever asks how often.
//!
//! Touches: the store, the makers' queue. Devices are told to ask again meanwhile.
//! Never: keeps a device waiting for a delta when the full image is there and its patience is over.

use super::craft::Worker;
use super::maker::Workshop;
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::config;
use crate::limits::{FAILED_MAX, FAILED_REST_S};
use crate::metrics::Metrics;
use crate::store::{ArtifactRow, Store, StoreError, artifact};
use lapwing_core::{Digest, UnixSeconds};
use lapwing_delta::{Profile, make_memory_bytes};
use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

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
    /// It cannot be made, as far as anybody knows.
    Impossible,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Making { since: UnixSeconds },
    Failed { at: UnixSeconds },
}

/// What is wanted and not there.
#[derive(Default)]
pub(super) struct Waiting {
    states: Mutex<HashMap<Want, State>>,
    /// How many are being made, or wait to be.
    count: watch::Sender<usize>,
}

impl Waiting {
    /// A job came to an end.
    pub(super) fn over(&self, want: Want, is_made: bool, now: UnixSeconds) {
        let mut states = self.states();
        states.remove(&want);
        if !is_made {
            if states.len() >= FAILED_MAX {
                states.retain(|_, state| matches!(state, State::Making { .. }));
            }
            states.insert(want, State::Failed { at: now });
        }
        drop(states);
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// How many are being made, or wait to be.
    pub(super) fn count(&self) -> usize {
        *self.count.borrow()
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Want, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The makers' front desk.
pub(crate) struct Deltas {
    queue: SyncSender<Want>,
    waiting: Arc<Waiting>,
    workshop: Arc<Workshop>,
    limits: config::Deltas,
}

impl Deltas {
    /// Starts the makers. Their threads end when this is dropped, or soon after [`Deltas::stop`].
    pub(crate) fn start(
        (store, blobs, metrics, clock): (Store, Blobs, Metrics, Clock),
        worker: Option<Worker>,
        limits: config::Deltas,
    ) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (queue, inbox) = sync_channel(limits.queue_max);
        let (inbox, waiting) = (Arc::new(Mutex::new(inbox)), Arc::new(Waiting::default()));
        let workshop = Workshop::new((store, blobs, metrics, clock), worker, limits, Arc::clone(&waiting));
        let workshop = Arc::new(workshop);
        let maker = |number| {
            let (workshop, inbox) = (Arc::clone(&workshop), Arc::clone(&inbox));
            let builder = std::thread::Builder::new().name(format!("delta-maker-{number}"));
            builder.spawn(move || workshop.run(&inbox))
        };
        let threads = (1..=limits.workers_max).map(maker).collect::<io::Result<_>>()?;
        Ok((Self { queue, waiting, workshop, limits }, threads))
    }

    /// Gives up the artifacts being made, and all that wait.
    pub(crate) fn stop(&self) {
        self.workshop.stop();
    }

    /// Whether an artifact is there; if not, and there is room, it is put in the queue.
    pub(crate) async fn ask(&self, want: Want, now: UnixSeconds) -> Result<Readiness, StoreError> {
        let Want { target, base, profile } = want;
        let found = self.workshop.store.read(move |c| artifact(c, target, base, profile as u8)).await?;
        // What was let go a moment ago may still have its row.
        if let Some(row) = found.filter(|row| self.workshop.blobs.path(row.digest).exists()) {
            return Ok(Readiness::Ready(row));
        }
        let mut states = self.waiting.states();
        match states.get(&want) {
            Some(State::Making { since }) => return Ok(Readiness::Making { since: *since }),
            Some(State::Failed { at }) if now < at.after(FAILED_REST_S) => return Ok(Readiness::Impossible),
            Some(State::Failed { .. }) | None => {}
        }
        match self.queue.try_send(want) {
            Ok(()) => {
                states.insert(want, State::Making { since: now });
                self.waiting.count.send_modify(|count| *count += 1);
                Ok(Readiness::Making { since: now })
            }
            Err(TrySendError::Full(_)) => Ok(Readiness::Crowded),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }

    /// Returns once nothing is being made and nothing waits to be.
    pub(crate) async fn settled(&self) {
        let mut count = self.waiting.count.subscribe();
        drop(count.wait_for(|count| *count == 0).await);
    }

    /// Whether the full image's artifact can be made at all within the bound of memory.
    pub(crate) fn fits(&self, image_size_bytes: u64) -> bool {
        i32::try_from(image_size_bytes).is_ok()
            && make_memory_bytes(0, image_size_bytes, Profile::Free) <= self.limits.memory_bytes_max
    }

    pub(crate) fn limits(&self) -> config::Deltas {
        self.limits
    }
}
