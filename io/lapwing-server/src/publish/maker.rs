//! The threads that have artifacts made: one job each at a time, within one bound of memory for all.
//!
//! Touches: worker processes, blobs, the store. A worker that dies is started again a few times.
//! Never: publishes what it has not proved.

use super::craft::{CraftError, Job, Leash, Worker, craft, judge, start};
use super::deltas::{Waiting, Want};
use super::prove::{ProveError, prove};
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::config;
use crate::limits::WORKER_TRIES_MAX;
use crate::metrics::Metrics;
use crate::store::{ArtifactRow, Store, StoreError, artifact, put_artifact, put_blob};
use lapwing_delta::make_memory_bytes;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What all makers share.
pub(super) struct Workshop {
    pub(super) store: Store,
    pub(super) blobs: Blobs,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    pub(super) runtime: tokio::runtime::Handle,
    /// None: jobs are done in this process, for a server inside another program.
    pub(super) worker: Option<Worker>,
    pub(super) memory: Memory,
    pub(super) waiting: Arc<Waiting>,
    stopping: AtomicBool,
    /// How long a worker may take.
    worker_time: Duration,
    /// What keeps the workers alive.
    leashes: Mutex<HashMap<Want, Arc<Leash>>>,
}

/// Why an artifact was not made.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("it would take more memory than allowed")]
    TooLarge,
    #[error("the blobs: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Craft(#[from] CraftError),
    #[error("the result is of no use: {0}")]
    Unproved(#[from] ProveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Workshop {
    pub(super) fn new(
        (store, blobs, metrics, clock): (Store, Blobs, Metrics, Clock),
        worker: Option<Worker>,
        limits: config::Deltas,
        waiting: Arc<Waiting>,
    ) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let config::Deltas { memory_bytes_max, worker_time, .. } = limits;
        let memory = Memory::new(memory_bytes_max);
        let (stopping, leashes) = (AtomicBool::new(false), Mutex::default());
        Self {
            store,
            blobs,
            metrics,
            clock,
            runtime,
            worker,
            memory,
            waiting,
            stopping,
            worker_time,
            leashes,
        }
    }

    /// Gives up what is being made, and all that waits.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.leashes().values().for_each(|leash| leash.pull());
    }

    /// Takes one job after the other until the queue is closed.
    pub(super) fn run(&self, inbox: &Mutex<Receiver<Want>>) {
        loop {
            let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(want) = next else { return };
            if self.is_stopping() {
                return;
            }
            let made = self.make(want);
            if let Err(error) = &made {
                tracing::warn!(target_image = %want.target, %error, "an artifact could not be made");
            }
            self.waiting.over(want, made.is_ok(), self.clock.now());
            self.metrics.deltas_waiting(self.waiting.count());
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn make(&self, want: Want) -> Result<(), JobError> {
        let Want { target, base, profile } = want;
        let there = self.store.read(move |c| artifact(c, target, base, profile as u8));
        if self.runtime.block_on(there)?.is_some_and(|row| self.blobs.path(row.digest).exists()) {
            return Ok(());
        }
        let size = |digest| std::fs::metadata(self.blobs.path(digest)).map(|data| data.len());
        let target_bytes = size(target)?;
        let memory_bytes = make_memory_bytes(base.map(size).transpose()?.unwrap_or(0), target_bytes, profile);
        let _share = self.memory.take(memory_bytes).ok_or(JobError::TooLarge)?;
        let mut draft = self.blobs.draft()?;
        let job = Job {
            base: base.map(|base| self.blobs.path(base)),
            target: self.blobs.path(target),
            profile: profile as u8,
            out: draft.path().to_owned(),
            memory_bytes,
        };
        self.craft(want, &job)?;
        let header = prove(&job.out, base.zip(job.base.as_deref()), target, (profile, memory_bytes))?;
        let (is_delta, codec) = (!header.is_full(), header.codec());
        draft.reread()?;
        let (digest, size_bytes) = self.blobs.keep(draft)?;
        self.metrics.artifact_made(is_delta, size_bytes, target_bytes);
        let profile = profile as u8;
        let row = ArtifactRow { target, base, is_delta, profile, codec, digest, size_bytes };
        let now = self.clock.now();
        let note = self.store.write(move |c| {
            put_blob(c, digest, size_bytes, now)?;
            put_artifact(c, &row)
        });
        Ok(self.runtime.block_on(note)?)
    }

    /// Does a job; an accident of a worker is followed by another try, up to a limit.
    fn craft(&self, want: Want, job: &Job) -> Result<(), CraftError> {
        let Some(worker) = &self.worker else { return craft(job, &|| !self.is_stopping()) };
        for _ in 1..WORKER_TRIES_MAX {
            match self.craft_by(worker, want, job) {
                Err(error) if error.is_accident() && !self.is_stopping() => {
                    tracing::warn!(target_image = %want.target, %error, "trying again");
                }
                ended => return ended,
            }
        }
        self.craft_by(worker, want, job)
    }

    fn craft_by(&self, worker: &Worker, want: Want, job: &Job) -> Result<(), CraftError> {
        let (mut child, leash) = start(worker, job)?;
        self.leashes().insert(want, Arc::clone(&leash));
        let in_time = !self.is_stopping() && leash.slackens_within(self.worker_time).unwrap_or(false);
        if !in_time {
            leash.pull();
        }
        self.leashes().remove(&want);
        let ended = child.wait()?;
        let judged = if in_time { judge(ended) } else { Err(CraftError::TooSlow) };
        judged.inspect_err(|error| {
            if error.is_loss() {
                self.metrics.worker_died();
            }
        })
    }

    fn leashes(&self) -> MutexGuard<'_, HashMap<Want, Arc<Leash>>> {
        self.leashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that all makers may use together.
pub(super) struct Memory {
    most_bytes: u64,
    free_bytes: Mutex<u64>,
    freed: Condvar,
}

/// A part of it, given back when dropped.
pub(super) struct Share<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    pub(super) fn new(most_bytes: u64) -> Self {
        Self { most_bytes, free_bytes: Mutex::new(most_bytes), freed: Condvar::new() }
    }

    /// Waits until so much is free; none if there never will be.
    pub(super) fn take(&self, bytes: u64) -> Option<Share<'_>> {
        if bytes > self.most_bytes {
            return None;
        }
        let mut free_bytes = self.free_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        while *free_bytes < bytes {
            free_bytes = self.freed.wait(free_bytes).unwrap_or_else(PoisonError::into_inner);
        }
        *free_bytes -= bytes;
        Some(Share { memory: self, bytes })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.memory.free_bytes.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.memory.freed.notify_all();
    }
}
