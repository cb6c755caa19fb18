//! The image waits in the spare slot: gates once more, a fresh offer, then the switch.
//!
//! Never: switches on an offer older than its time to live, or after a reboot without asking again.

use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::Now;
use crate::gates::Deferral;
use crate::policy::Demand;
use crate::record::Stage;
use crate::state::{Staged, State};
use lapwing_core::Uptime;
use lapwing_core::wire::report::{Detail, EventKind};

impl Device {
    /// Switches when everything allows it, and asks for permission when it has run out.
    pub(crate) fn staged_advance(&mut self, now: Now, effects: &mut Effects) {
        let State::Staged(staged) = &self.state else { return };
        let Some(attempt) = &self.record.attempt else { return };
        let image = attempt.candidate.image;
        if now.uptime < staged.due {
            return;
        }
        let (attempt, demand) = (attempt.id, Demand::SWITCH);
        if let Some(gate) = self.closed_gate(demand) {
            return self.defer(now, Deferral { attempt, demand, gate });
        }
        self.world.deferral = None;
        match self.permission_now(now.uptime) {
            Permitted::Yes => {
                let limits = self.settings.trial.limits;
                let failures = staged.failures;
                if failures == 0 {
                    self.note(EventKind::RebootStarted, Detail::None);
                }
                self.set_stage(Stage::Switching);
                self.state = State::Restarting { retry: None, failures };
                effects.ask(Effect::Save);
                effects.ask(Effect::Switch { image, limits });
                effects.ask(Effect::Restart);
            }
            Permitted::Later => {}
            Permitted::No => {
                // Once is enough: an answer that permits nothing is not improved by asking again at once.
                if let State::Staged(staged) = &mut self.state
                    && !core::mem::replace(&mut staged.asked, true)
                {
                    self.talk.want_signed();
                    self.talk.hurry(now);
                }
            }
        }
    }

    /// When the staged state may want to go on by itself.
    pub(crate) fn staged_due(&self, staged: &Staged) -> [Option<Uptime>; 4] {
        let permission = self.world.permission;
        let opens = permission.map(|permission| permission.opens);
        let ends = permission.map(|permission| permission.until.after(1));
        [Some(staged.due), opens, ends, None]
    }

    fn permission_now(&self, uptime: Uptime) -> Permitted {
        let release = self.record.attempt.as_ref().map(|attempt| attempt.candidate.release);
        match self.world.permission {
            Some(permission) if Some(permission.release) == release => {
                if uptime > permission.until || uptime > permission.closes {
                    Permitted::No
                } else if uptime < permission.opens || self.talk.failures > 0 {
                    // Without a word with the fleet the link may be gone, whatever the host can tell of it.
                    Permitted::Later
                } else {
                    Permitted::Yes
                }
            }
            _ => Permitted::No,
        }
    }
}

/// Whether a switch may happen.
enum Permitted {
    Yes,
    Later,
    No,
}
