//! What a device remembers over a power cut: the one persisted form, versioned.
//!
//! The slot table says what runs; the record says what we were trying. `states/booting.rs`
//! reconciles the two. Never: holds anything that can be asked again, such as an offer.

mod spelling;

use crate::limits::{BOOTS_MAX, EVENTS_MAX, OUTCOMES_MAX, RECORD_BYTES_MAX, REFUSED_MAX};
use lapwing_core::cbor::{DecodeError, NoRoom, decode, encode};
use lapwing_core::limits::HEALTH_ROWS_MAX;
use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::wire::check_in::{Health, HealthRow};
use lapwing_core::wire::report::{Detail, Event, EventKind};
use lapwing_core::{AttemptId, Digest, KeyId, ShortDigest, UnixSeconds, Version};

const NUMBERS_SKIPPED_MIN: u32 = 256;
const NUMBERS_SKIPPED_MAX: u64 = 1 << 16;
const NUMBERS_LOST: u64 = 1 << 31;

/// A release that runs, or ran and may be returned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: Version,
    /// Its seq.
    pub seq: u64,
    /// Its security version.
    pub security_version: u32,
}

/// A release that passed every check and is being tried, boiled down to what is needed later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Digest of the complete signed release.
    pub release: Digest,
    /// What is or will be installed.
    pub installed: Installed,
    /// The floor it asks for.
    pub raise_to: u32,
    /// The image.
    pub image: Digest,
    /// Its size.
    pub image_size_bytes: u64,
    /// Longest trial its maker allows.
    pub trial_s_max: Option<u32>,
}

/// How far an attempt got, as far as a power cut must not forget it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one, and no heap to put the larger part on")]
pub enum Stage {
    /// Fetching or applying.
    Fetching,
    /// The spare slot holds the image.
    Staged,
    /// The switch was asked for.
    Switching,
    /// On trial.
    Trial(TrialLog),
    /// Confirmed, follow-ups open.
    Watching {
        /// Follow-ups done.
        follow_ups: u8,
        /// Uptime since the confirmation.
        elapsed_ms: u64,
    },
    /// Going back was decided.
    Returning(Cause),
    /// Back on the old slot; whether the image is to blame depends on whether the old one has a link.
    Judging,
}

/// What a trial has seen, over all its boots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrialLog {
    /// Uptime spent in trial.
    pub elapsed_ms: u64,
    /// A check-in succeeded.
    pub checked_in: bool,
    /// Uptime in trial at each start that counts as a reboot.
    pub reboots: heapless::Vec<u64, BOOTS_MAX>,
    /// Uptime in trial at each watchdog reset.
    pub watchdogs: heapless::Vec<u64, BOOTS_MAX>,
}

/// One release being tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id, from the offer.
    pub id: AttemptId,
    /// What is tried.
    pub candidate: Candidate,
    /// How far it got.
    pub stage: Stage,
}

/// Trusted time never falls below this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// The time.
    pub time: UnixSeconds,
    /// The online key that stated it.
    pub key: KeyId,
}

/// An artifact or a release that an attempt brought and that was false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// In which attempt.
    pub attempt: AttemptId,
    /// What.
    pub digest: Digest,
}

/// What of the data budget is gone, reserved bytes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// The day that it speaks of, by number; zero until one is known.
    pub day: u64,
    /// Bytes of that day.
    pub day_bytes: u64,
    /// Bytes of its thirty days.
    pub month_bytes: u64,
}

/// All that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The release that is confirmed.
    pub confirmed: Installed,
    /// The one before it, while it may still be returned to.
    pub previous: Option<Installed>,
    /// Highest seq that failed with blame.
    pub seq_blamed: u64,
    /// Lowest security version accepted.
    pub security_floor: u32,
    /// Lowest time accepted.
    pub floor: Option<Floor>,
    /// The attempt in progress.
    pub attempt: Option<Attempt>,
    /// The release that came back once without blame, for a reason that may be its own after all:
    /// its link was gone, or the power, and nothing shows that it ever ran.
    pub excused_once: Option<Digest>,
    /// Artifacts and releases that were false, each for one attempt: another may bring them whole.
    pub refused: heapless::Vec<Refusal, REFUSED_MAX>,
    /// Events not acknowledged yet, oldest first.
    pub events: heapless::Vec<Event, EVENTS_MAX>,
    /// How the images that ran here fared, newest last.
    pub health: heapless::Vec<HealthRow, HEALTH_ROWS_MAX>,
    /// Number of the next event.
    pub next_event: u32,
    /// What of the data budget is gone, if there ever was one.
    pub ledger: Option<Ledger>,
}

impl Record {
    /// The record of a device that has done nothing yet.
    #[must_use]
    pub fn new(confirmed: Installed) -> Self {
        Self {
            security_floor: confirmed.security_version,
            confirmed,
            previous: None,
            seq_blamed: 0,
            floor: None,
            attempt: None,
            excused_once: None,
            refused: heapless::Vec::new(),
            events: heapless::Vec::new(),
            health: heapless::Vec::new(),
            next_event: 1,
            ledger: None,
        }
    }

    /// The record that these bytes hold.
    ///
    /// # Errors
    /// See [`DecodeError`]. Whoever gets one stays on the confirmed slot and reports it; there is no default.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(DecodeError::OverLimit);
        }
        decode(bytes)
    }

    /// Spells the record into `buffer`, of which [`RECORD_BYTES_MAX`] bytes are always enough.
    ///
    /// # Errors
    /// [`NoRoom`] if `buffer` is smaller than needed.
    pub fn encode<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoRoom> {
        encode(self, buffer)
    }

    /// Lowest seq that counts as new, before revocations.
    #[must_use]
    pub fn seq_floor(&self) -> u64 {
        self.confirmed.seq.max(self.seq_blamed)
    }

    /// Outcomes that the fleet has not acknowledged.
    #[must_use]
    pub fn outcomes_pending(&self) -> usize {
        self.events.iter().filter(|event| event.kind.is_outcome()).count()
    }

    /// Notes that something happened. Progress replaces progress, and a gate the gate before it; when there is no
    /// room the oldest event that is not an outcome makes some.
    pub(crate) fn note(&mut self, attempt: AttemptId, running: ShortDigest, kind: EventKind, detail: Detail) {
        let event = Event { attempt, number: self.next_event, kind, running, detail };
        self.next_event = self.next_event.wrapping_add(1);
        let goes_on = matches!(kind, EventKind::DownloadProgress | EventKind::Deferred);
        let replaced = |last: &Event| goes_on && last.kind == kind && last.attempt == attempt;
        if self.events.last().is_some_and(replaced) {
            self.events.pop();
        }
        if self.events.is_full() {
            let oldest = self.events.iter().position(|event| !event.kind.is_outcome());
            self.events.remove(oldest.unwrap_or(0));
        }
        // Room was made above.
        let _ = self.events.push(event);
    }

    /// Forgets what the fleet has acknowledged: all events up to the one of this number.
    pub(crate) fn acknowledged(&mut self, number: u32) {
        let known = self.events.iter().position(|event| event.number == number);
        let known = known.map_or(0, |at| at.saturating_add(1));
        self.events = self.events.iter().skip(known).copied().collect();
    }

    /// A boot skips the numbers of events that the last one may have reported and not stored: a number that
    /// stood for two events would cost the second, which may be an outcome. Chance covers storage that fails.
    pub(crate) fn skip_numbers(&mut self, entropy: u64, lost: bool) {
        let range = if lost { NUMBERS_LOST } else { NUMBERS_SKIPPED_MAX };
        let skipped = entropy.checked_rem(range).and_then(|number| u32::try_from(number).ok());
        let skipped = skipped.unwrap_or(0).saturating_add(NUMBERS_SKIPPED_MIN);
        self.next_event = self.next_event.wrapping_add(skipped);
    }

    /// Whether a new attempt's outcome would have room.
    #[must_use]
    pub fn has_room_for_outcome(&self) -> bool {
        self.outcomes_pending() < OUTCOMES_MAX
    }

    /// Whether the outcome of this attempt waits to be acknowledged.
    pub(crate) fn has_outcome_of(&self, attempt: AttemptId) -> bool {
        self.events.iter().any(|event| event.attempt == attempt && event.kind.is_outcome())
    }

    /// Remembers a refusal, forgetting the oldest.
    pub(crate) fn refuse(&mut self, attempt: AttemptId, digest: Digest) {
        if self.has_refused(attempt, &digest) {
            return;
        }
        if self.refused.is_full() {
            self.refused.remove(0);
        }
        let _ = self.refused.push(Refusal { attempt, digest });
    }

    /// Whether this artifact or release was refused in this attempt.
    pub(crate) fn has_refused(&self, attempt: AttemptId, digest: &Digest) -> bool {
        self.refused.iter().any(|refusal| refusal.attempt == attempt && refusal.digest == *digest)
    }

    /// The row of the image that runs, a new one if it never ran; the oldest makes room.
    pub(crate) fn health_row(&mut self, running: ShortDigest) -> Option<&mut HealthRow> {
        match self.health.iter().position(|row| row.running == running) {
            Some(at) => self.health.get_mut(at),
            None => {
                if self.health.is_full() {
                    self.health.remove(0);
                }
                let row = HealthRow {
                    running,
                    boots: 0,
                    watchdog_resets: 0,
                    crashes: 0,
                    health: Health::Unknown,
                    errors: 0,
                };
                let _ = self.health.push(row);
                self.health.last_mut()
            }
        }
    }

    /// Ends the attempt as failed: its seq is burnt if the image is to blame.
    pub(crate) fn blame(&mut self, seq: u64, cause: Cause) {
        if cause.blame() == Blame::Image {
            self.seq_blamed = self.seq_blamed.max(seq);
        }
    }
}
