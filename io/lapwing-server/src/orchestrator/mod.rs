//! Carries out what rollouts decide: load, count, step, save, tell.
//!
//! Touches: the store, `lapwing_fleet::rollout`. Level-triggered: every look starts from what is stored, so a
//! restart loses nothing, and a look that comes twice does nothing twice.
//! Never: decides; offers without a place that the store has given.

mod look;
mod survey;

pub(crate) use look::{Commanded, carry_out, look, past_releases};
pub(crate) use survey::{
    Outlook, Started, Starts, census, configurations, every_device, foresee, is_silent, stands_on, starts,
};

use crate::app::App;
use crate::limits::{LOOK_AT_LEAST_S, LOOK_REST_MS, LOOK_REST_TIMES};
use crate::listen::told_to_stop;
use crate::store::{HardwareNames, StoreError};
use lapwing_core::{DeviceId, UnixSeconds};
use lapwing_fleet::filter::FilterFacts;
use lapwing_fleet::rollout::{Rollout, RolloutId, Room, Site, State, Tally};
use lapwing_fleet::{Bringing, EVERYONE, Group, Zones};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use survey::Surveyed;
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};

/// What check-ins read of groups and rollouts without waiting for anyone.
#[derive(Default)]
pub(crate) struct Steering {
    pub(crate) groups: Vec<Group>,
    /// What people call hardware classes.
    pub(crate) names: HardwareNames,
    /// Those that bring something, or brought it, or stopped.
    pub(crate) live: Vec<Live>,
    /// Downloads going on in each radio cell.
    pub(crate) downloads: HashMap<Site, u32>,
    /// What local clocks show, and since when that is known.
    pub(crate) zones: (UnixSeconds, Arc<Zones>),
}

/// A rollout as it was last looked at.
pub(crate) struct Live {
    pub(crate) id: RolloutId,
    pub(crate) rollout: Rollout,
    pub(crate) tally: Tally,
    room: Mutex<Room>,
    /// No more places than these, on however many servers.
    granted_max: u64,
}

/// A place in a rollout, to be taken in the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) id: RolloutId,
    pub(crate) revision: u64,
    pub(crate) granted_max: u64,
    /// The radio cell in which it would be one download more.
    pub(crate) radio_cell: Option<Site>,
}

/// The orchestrator's own things.
#[derive(Default)]
pub(crate) struct Orchestrator {
    steering: RwLock<Arc<Steering>>,
    /// One look at a time.
    looking: AsyncMutex<Looked>,
    changed: Notify,
}

/// What one look leaves for the next.
#[derive(Default)]
pub(crate) struct Looked {
    surveyed_at: Option<UnixSeconds>,
    surveyed: HashMap<RolloutId, Surveyed>,
}

impl Steering {
    /// The groups that a device with these facts is in.
    pub(crate) fn groups_of(&self, device: &DeviceId, facts: &FilterFacts<'_>) -> Vec<String> {
        let named = self.groups.iter().filter(|group| group.has(device, facts));
        named.map(|group| group.name.to_string()).chain([EVERYONE.to_owned()]).collect()
    }

    /// The rollouts as a decision sees them, while it is taken.
    pub(crate) fn bringing<R>(&self, ask: impl FnOnce(&[Bringing<'_>]) -> R) -> R {
        let rooms: Vec<MutexGuard<'_, Room>> = self.live.iter().map(Live::room).collect();
        let bringing: Vec<Bringing<'_>> = self
            .live
            .iter()
            .zip(&rooms)
            .map(|(live, room)| Bringing { id: live.id, rollout: &live.rollout, room, zones: &self.zones.1 })
            .collect();
        ask(&bringing)
    }

    /// Downloads going on in a radio cell.
    pub(crate) fn downloads_in(&self, cell: Site) -> u32 {
        self.downloads.get(&cell).copied().unwrap_or(0)
    }

    /// A place in a rollout for this device in this radio cell, if there still is one.
    pub(crate) fn place(
        &self,
        id: RolloutId,
        device: &DeviceId,
        facts: &FilterFacts<'_>,
        radio_cell: Option<Site>,
    ) -> Option<Place> {
        let live = self.live.iter().find(|live| live.id == id)?;
        let nearby = radio_cell.map_or(0, |cell| self.downloads_in(cell));
        let candidate = live.rollout.candidate(device, facts, nearby);
        live.rollout.admit(&mut live.room(), &candidate).ok()?;
        let done = live.rollout.state == State::Completed;
        let granted_max = if done { u64::MAX } else { live.granted_max };
        Some(Place { id, revision: live.rollout.revision, granted_max, radio_cell })
    }
}

impl Live {
    fn new(id: RolloutId, rollout: Rollout, tally: Tally, granted: u64, now: UnixSeconds) -> Self {
        let room = rollout.room_at(now, &tally);
        let granted_max = granted.saturating_add(room.left().into());
        Self { id, rollout, tally, room: Mutex::new(room), granted_max }
    }

    /// How its devices stand, for the metrics.
    fn standing(&self) -> (u64, &str, [(&'static str, u32); 7]) {
        let pooled = self.tally.pooled();
        let devices = [
            ("in-group", self.rollout.charter.census.size()),
            ("offered", pooled.granted),
            ("on-their-way", pooled.in_flight()),
            ("on-new-version", pooled.switched.saturating_sub(pooled.rolled_back)),
            ("rolled-back", pooled.rolled_back),
            ("judged", pooled.whole.judged),
            ("failed", pooled.whole.failed),
        ];
        (self.id.0, self.rollout.charter.version.as_str(), devices)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orchestrator {
    /// Rollouts and groups as they were last looked at.
    pub(crate) fn steering(&self) -> Arc<Steering> {
        Arc::clone(&self.steering.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something happened that counts.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    fn put(&self, steering: Steering) {
        *self.steering.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(steering);
    }
}

/// Looks whenever something changed, and from time to time; until `stop` says so. It rests for longer than it looks, so
/// that the largest fleet leaves the machine to the devices.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let began = Instant::now();
        match look(&app).await {
            // The store says so itself, once.
            Ok(()) | Err(StoreError::Full) => {}
            Err(error) => tracing::warn!(%error, "looking at the rollouts failed"),
        }
        let at_least = Duration::from_secs(LOOK_AT_LEAST_S);
        let rest = Duration::from_millis(LOOK_REST_MS).max(began.elapsed().saturating_mul(LOOK_REST_TIMES));
        let pause = async {
            tokio::time::sleep(rest).await;
            drop(tokio::time::timeout(at_least, app.orchestrator.changed.notified()).await);
        };
        tokio::select! {
            () = told_to_stop(&mut stop) => return,
            () = pause => {}
        }
    }
}
