//! What must hold at the end of every run, whatever happened in it.
//!
//! Touches: the world, to look at. What must hold at every moment is checked where it happens.

use crate::device::CHUNK_BYTES;
use crate::launch::slot_file;
use crate::world::{Running, World};
use lapwing_core::wire::report::EventKind;
use lapwing_core::{Digest, Phase};

impl World {
    /// The version that runs, if one does.
    #[must_use]
    pub fn runs(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        let bytes = self.disk.read(slot_file(running.slot))?;
        let image = self.images.iter().find(|image| image.bytes == bytes)?;
        Some(image.version.to_string())
    }

    /// What the device is doing, in a word, if it runs.
    pub(crate) fn doing(&self) -> Option<&'static str> {
        let running = self.running.as_ref()?;
        Some(running.brain.view(lapwing_core::Uptime(self.now_ms - running.since_ms)).doing)
    }

    /// Whether nothing is left to do: the device idles, settled, and every outcome is known.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let Some(running) = &self.running else { return false };
        let record = running.brain.record();
        self.doing() == Some("idle")
            && record.attempt.is_none()
            && record.events.is_empty()
            && self.table().is_some_and(|table| table.phase == Phase::Settled)
    }

    /// Whether it is at rest and the server's last word to what runs was that there is nothing for it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let runs = |running: &Running| {
            self.disk.read(slot_file(running.slot)).map(|bytes| Digest::of(bytes).short())
        };
        self.server.idle && self.is_at_rest() && self.running.as_ref().and_then(runs) == self.server.running
    }

    /// Holds the end of a run against what must be true of every run.
    pub fn check_end(&mut self, may_run: &[&str]) {
        let runs = self.runs();
        if !runs.as_deref().is_some_and(|version| may_run.contains(&version)) {
            self.violate(format!("runs {runs:?} in the end, not one of {may_run:?}"));
        }
        if !self.is_at_rest() {
            let doing = self.running.as_ref().map(|running| format!("{:?}", running.brain.record()));
            self.violate(format!("never came to rest: {doing:?}"));
        }
        self.check_outcomes();
        if self.dropped_effects > 0 {
            self.violate(format!("{} effects had no room", self.dropped_effects));
        }
    }

    fn check_outcomes(&mut self) {
        let mut wrong = Vec::new();
        for attempt in &self.server.attempts {
            let mut outcomes: Vec<EventKind> = attempt.outcomes.iter().map(|(kind, _)| *kind).collect();
            if self.disk.failures > 0 {
                // What could not be stored is found out again by the next boot, and said again.
                outcomes.dedup();
            }
            let sound = match outcomes[..] {
                // A rollback after a reported success is an outcome of its own.
                [_] | [EventKind::Confirmed, EventKind::RollbackCompleted] => true,
                [] => attempt.marks == 0,
                _ => false,
            };
            if !sound {
                wrong.push(format!("attempt {} has outcomes {outcomes:?}", attempt.id.0));
            }
        }
        // Numbers that could not be stored may be used again by chance.
        let confused = self.server.confused.iter().filter(|_| self.disk.failures == 0);
        for (known, other) in confused {
            wrong.push(format!(
                "event {} of attempt {} was {:?} and is {:?}",
                known.number, known.attempt.0, known.kind, other.kind
            ));
        }
        wrong.into_iter().for_each(|what| self.violate(what));
    }

    /// Bytes that may travel for artifacts of this size, with so many interruptions.
    #[must_use]
    pub fn check_bytes(&self, size_bytes: u64) -> bool {
        self.server.sent_bytes <= size_bytes + CHUNK_BYTES * (self.cuts + self.failed_exchanges)
    }
}
