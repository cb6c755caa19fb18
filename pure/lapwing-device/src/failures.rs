//! An effect could not be done: it is tried again, or it ends something with a cause.
//!
//! What followed it in its step was dropped with it. Nobody kept a list of that; every state asks again for what it
//! waits for. Never: leaves anything waiting for what nobody does any more.

use crate::device::{Device, Ignored};
use crate::effect::{Effect, Effects};
use crate::event::{Now, Trouble};
use crate::state::State;
use lapwing_core::Uptime;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};

impl Device {
    /// What followed the effect in its step was dropped: whatever nobody else would ask for is asked for again.
    pub(crate) fn failed(
        &mut self,
        now: Now,
        effect: Effect,
        trouble: Trouble,
        effects: &mut Effects,
    ) -> Option<Ignored> {
        if !matches!(effect, Effect::Fetch(_)) {
            self.fetch_again(now);
        }
        let asks = matches!(effect, Effect::CheckIn | Effect::Report { .. } | Effect::FetchTrust(_));
        let late = asks && !self.talk.awaits(effect);
        match effect {
            _ if late => {}
            _ if asks || matches!(effect, Effect::KeepTrust(_)) => self.contact_failed(now, trouble),
            _ => self.talk_again(effects),
        }
        match effect {
            Effect::Save => self.save_failed(now, trouble, effects),
            Effect::Switch { .. } => self.switch_failed(now, trouble, effects),
            Effect::RollBack(_) if trouble == Trouble::SlotTable => self.no_way_back(effects),
            Effect::Fetch(_) => self.fetch_failed(now, trouble, effects),
            Effect::Apply(_) => self.apply_failed(trouble, effects),
            _ => {}
        }
        self.restart_failed(now, trouble, effects);
        late.then_some(Ignored::Late)
    }

    fn save_failed(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        self.world.save_due = Some(now.uptime.after(self.settings.trial.checkpoint_ms));
        match self.state {
            // Nothing was fetched yet, or nothing that a power cut would not cost anyway.
            State::Fetching(_) | State::Applying(_) => {
                let cause = storage_cause(trouble);
                self.note(EventKind::AttemptFailed, Detail::Cause(cause));
                self.record.attempt = None;
                self.state = State::Idle;
                effects.ask(Effect::DropArtifact);
            }
            State::Restarting { .. } if self.switch_pending() => self.switch_later(now, trouble, effects),
            // Going back matters more than remembering why.
            State::Restarting { .. } => self.end_boot(effects),
            _ => self.table_again(now),
        }
    }

    /// Changes of the slot table that waited behind something go ahead without it: the table has room when
    /// the disk has none.
    fn table_again(&mut self, now: Now) {
        self.world.close_due = now.uptime;
        let showing_ms = self.settings.trial.sign_of_life_ms;
        let again = |life: &mut Option<Uptime>, since: Uptime| {
            let shown_already = now.uptime.since(since) >= showing_ms;
            *life = life.map(|due| if shown_already { now.uptime } else { due });
        };
        match &mut self.state {
            State::OnTrial(on_trial) => {
                again(&mut on_trial.life, on_trial.since);
                on_trial.confirm_due = now.uptime;
            }
            State::Watching(watching) => {
                again(&mut watching.life, watching.since);
                watching.settle_due = watching.settle_due.map(|_| now.uptime);
            }
            _ => {}
        }
    }
}

/// What a storage trouble is called when it ends an attempt.
pub(crate) fn storage_cause(trouble: Trouble) -> Cause {
    match trouble {
        Trouble::DiskFull => Cause::DiskFull,
        Trouble::ReadOnly => Cause::StorageReadOnly,
        Trouble::Tampered => Cause::SlotTampered,
        Trouble::Refused => Cause::ServerRefused,
        Trouble::Link { .. } => Cause::LinkDown,
        Trouble::Storage | Trouble::SlotTable => Cause::StorageFault,
    }
}
