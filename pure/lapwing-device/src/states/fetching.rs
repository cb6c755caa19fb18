//! The artifact comes in and becomes an image in the spare slot.
//!
//! Wrong digests are fetched again a few times, deltas that do not decode are given up for the full
//! image, storage that fails ends the attempt with its own cause and never loops.
//! Never: touches the slot that runs.

use crate::device::Device;
use crate::device::Ignored;
use crate::effect::{Effect, Effects, Install, Transfer};
use crate::event::{Applied, Fetched, Now, Trouble};
use crate::failures::storage_cause;
use crate::policy::{back_off_ms, next_awake};
use crate::record::Stage;
use crate::state::{Applying, Fetching, Staged, State};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Booted, Digest};

/// Times a server may refuse an artifact that it offered.
const REFUSALS_MAX: u8 = 3;

impl Device {
    /// Asks for more of the artifact when it is time.
    pub(crate) fn fetching_advance(&mut self, now: Now, effects: &mut Effects) {
        let State::Fetching(fetching) = &mut self.state else { return };
        if fetching.asked
            || now.uptime < next_awake(self.settings.talking.awake, fetching.due.max(now.uptime))
        {
            return;
        }
        let (transfer, held) = (fetching.transfer(), self.budget_spent());
        let State::Fetching(fetching) = &mut self.state else { return };
        let known = core::mem::replace(&mut fetching.held, held);
        fetching.asked = !held;
        if !held {
            self.reserve_for_fetch(effects);
            effects.ask(Effect::Fetch(transfer));
        } else if !known {
            // What has come is kept; the fleet hears why no more does.
            self.note(EventKind::Deferred, Detail::Gate(Gate::DataBudget));
            self.check_in_early(now);
        }
    }

    pub(crate) fn fetch_went_on(&mut self, now: Now, fetched: Fetched, effects: &mut Effects) {
        let State::Fetching(fetching) = &mut self.state else { return };
        fetching.asked = false;
        match fetched {
            Fetched::Part { have_bytes } if have_bytes <= fetching.have_bytes => self.fetch_later(now, 0),
            Fetched::Part { have_bytes } => {
                let before = fetching.percent();
                fetching.have_bytes = have_bytes.min(fetching.travel.artifact_size_bytes);
                fetching.failures = 0;
                let percent = fetching.percent();
                if percent / 10 > before / 10 {
                    self.note(EventKind::DownloadProgress, Detail::Amount(percent));
                }
            }
            Fetched::Whole => self.apply(effects),
            Fetched::WrongDigest => {
                fetching.have_bytes = 0;
                fetching.wrong_digests = fetching.wrong_digests.saturating_add(1);
                if fetching.wrong_digests < self.settings.tries.wrong_digests {
                    return self.fetch_later(now, 0);
                }
                let artifact = fetching.travel.artifact;
                self.refuse(artifact);
                self.download_failed(Cause::TransferDigest, effects);
            }
        }
    }

    pub(crate) fn fetch_failed(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        let State::Fetching(fetching) = &mut self.state else { return };
        fetching.asked = false;
        match trouble {
            Trouble::Link { retry_after_ms } => self.fetch_later(now, retry_after_ms.unwrap_or(0)),
            Trouble::Refused if fetching.refusals < REFUSALS_MAX => {
                fetching.refusals = fetching.refusals.saturating_add(1);
                // The offer may have changed: ask before trying again.
                self.talk.hurry(now);
                self.fetch_later(now, 0);
            }
            Trouble::Refused => self.download_failed(Cause::ServerRefused, effects),
            other => self.download_failed(storage_cause(other), effects),
        }
    }

    /// The body may never have been asked.
    pub(crate) fn fetch_again(&mut self, now: Now) {
        let again = now.uptime.after(self.settings.talking.retry_first_ms);
        if let State::Fetching(fetching) = &mut self.state {
            (fetching.asked, fetching.due) = (false, fetching.due.max(again));
        }
    }

    fn download_failed(&mut self, cause: Cause, effects: &mut Effects) {
        self.note(EventKind::DownloadFailed, Detail::Cause(cause));
        self.fail_attempt(cause, effects);
    }

    fn fetch_later(&mut self, now: Now, hint_ms: u64) {
        let talking = &self.settings.talking;
        let State::Fetching(fetching) = &mut self.state else { return };
        fetching.failures = fetching.failures.saturating_add(1);
        let (first, max) = (talking.retry_first_ms, talking.retry_max_ms);
        let wait = back_off_ms(first, max, fetching.failures, hint_ms, now.entropy);
        fetching.due = now.uptime.after(wait);
    }

    fn apply(&mut self, effects: &mut Effects) {
        let State::Fetching(fetching) = &self.state else { return };
        let Some(attempt) = &self.record.attempt else { return };
        let install = Install {
            transfer: fetching.transfer(),
            image: attempt.candidate.image,
            image_size_bytes: attempt.candidate.image_size_bytes,
        };
        self.state =
            State::Applying(Applying { travel: fetching.travel, failed_deltas: fetching.failed_deltas });
        self.note(EventKind::DownloadCompleted, Detail::Amount(install.transfer.artifact_size_bytes));
        self.note(EventKind::InstallStarted, Detail::None);
        if let Some(boot) = &mut self.world.boot {
            // However it ends, what the spare slot held is gone.
            boot.table = boot.table.begin_write(Booted(boot.slot)).unwrap_or(boot.table);
        }
        effects.ask(Effect::Apply(install));
    }

    pub(crate) fn applied(&mut self, now: Now, applied: Applied, effects: &mut Effects) -> Option<Ignored> {
        if let (Applied::Staged(table), Some(boot)) = (applied, &mut self.world.boot) {
            boot.table = table;
        }
        let State::Applying(applying) = &self.state else { return Some(Ignored::Unexpected) };
        let applying = applying.clone();
        match applied {
            Applied::Staged(_) => {
                self.note(EventKind::InstallCompleted, Detail::None);
                self.set_stage(Stage::Staged);
                self.state = State::Staged(Staged::default());
                effects.ask(Effect::Save);
                effects.ask(Effect::DropArtifact);
            }
            Applied::Undecodable => self.delta_failed(now, applying, Cause::DeltaUndecodable, effects),
            Applied::WrongImage => self.delta_failed(now, applying, Cause::ImageDigest, effects),
            Applied::TooLarge => self.fail_attempt(Cause::ProfileTooLarge, effects),
            Applied::BootChain => self.fail_attempt(Cause::BootChain, effects),
        }
        None
    }

    /// Tries the delta once more from its first byte, then has the fleet offer the full image.
    fn delta_failed(&mut self, now: Now, applying: Applying, cause: Cause, effects: &mut Effects) {
        let failed_deltas = applying.failed_deltas.saturating_add(1);
        effects.ask(Effect::DropArtifact);
        if failed_deltas < self.settings.tries.deltas {
            let again = Fetching { failed_deltas, ..Fetching::begin(applying.travel, now) };
            self.state = State::Fetching(again);
            return;
        }
        self.refuse(applying.travel.artifact);
        self.note(EventKind::VerifyFailed, Detail::Cause(cause));
        if applying.travel.from.is_none() {
            return self.fail_attempt(cause, effects);
        }
        self.state = State::Idle;
        self.talk.hurry(now);
        effects.ask(Effect::Save);
    }

    fn refuse(&mut self, artifact: Digest) {
        if let Some(attempt) = &self.record.attempt {
            self.record.refuse(attempt.id, artifact);
        }
    }

    pub(crate) fn apply_failed(&mut self, trouble: Trouble, effects: &mut Effects) {
        if matches!(self.state, State::Applying(_)) {
            self.fail_attempt(storage_cause(trouble), effects);
        }
    }
}

impl Fetching {
    fn transfer(&self) -> Transfer {
        Transfer { artifact: self.travel.artifact, artifact_size_bytes: self.travel.artifact_size_bytes }
    }

    fn percent(&self) -> u64 {
        let share = self.have_bytes.saturating_mul(100).checked_div(self.travel.artifact_size_bytes);
        share.unwrap_or(100)
    }
}
