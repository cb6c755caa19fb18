//! The data budget: what of a day's and a month's bytes is gone, and what a transfer may still cost.
//!
//! Bytes are reserved in the record before they are spent, so that no power cut gives them back. Days follow the time
//! that signed answers state; nothing that is trusted hangs on them. Never: keeps the device from asking.

use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::Now;
use crate::limits::{BUDGET_STEP_BYTES, BUDGET_TALK_BYTES};
use crate::record::Ledger;
use crate::settings::DataBudget;
use crate::state::State;
use lapwing_core::{Digest, Uptime};

const DAY_S: u64 = 86_400;
const MONTH_DAYS: u64 = 30;

impl Device {
    /// What the transfer may cost until the next step, bytes at the IP layer, both ways. What it did cost is told by
    /// [`crate::Event::Spent`] before anything else is.
    #[must_use]
    pub fn transfer_bytes_left(&self) -> u64 {
        self.left_bytes().map_or(u64::MAX, |left| left.min(self.world.ahead_bytes))
    }

    /// Whether no more of an artifact may come today, or this month.
    pub(crate) fn budget_spent(&self) -> bool {
        self.left_bytes().is_some_and(|left| left < self.settings.budget.fetch_bytes_min)
    }

    /// When that may be over, if a transfer waits for it.
    pub(crate) fn budget_due(&self, uptime: Uptime) -> Option<Uptime> {
        let waits = matches!(self.state, State::Fetching(_)) || self.world.deferral.is_some();
        (waits && self.budget_spent()).then(|| self.next_day(uptime))
    }

    /// Another day, or another month, has begun.
    pub(crate) fn budget_advance(&mut self, now: Now) {
        let (Some((day, _)), Some(ledger)) = (self.day(now.uptime), &mut self.record.ledger) else { return };
        // A day before is another answer about this midnight; longer ago, a clock that was wrong and was mended.
        if (ledger.day.saturating_sub(1)..=ledger.day).contains(&day) {
            return;
        }
        let ahead_bytes = core::mem::take(&mut self.world.ahead_bytes);
        let goes_on = day.checked_div(MONTH_DAYS) == ledger.day.checked_div(MONTH_DAYS);
        let month_bytes = if goes_on { ledger.month_bytes.saturating_sub(ahead_bytes) } else { 0 };
        *ledger = Ledger { day, day_bytes: 0, month_bytes };
    }

    /// So many bytes have crossed the link.
    pub(crate) fn spent(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.world.ahead_bytes);
        self.count(more);
        self.world.ahead_bytes = self.world.ahead_bytes.saturating_add(more).saturating_sub(bytes);
    }

    /// Reserves what a question may cost, if one is asked. Nothing holds it back.
    pub(crate) fn reserve_for_talk(&mut self, effects: &mut Effects) {
        let asks = effects
            .iter()
            .any(|effect| matches!(effect, Effect::CheckIn | Effect::Report { .. } | Effect::FetchTrust(_)));
        if asks && self.left_bytes().is_some() && self.world.ahead_bytes < BUDGET_TALK_BYTES / 2 {
            self.reserve(BUDGET_TALK_BYTES, effects);
        }
    }

    /// Reserves what a transfer may cost.
    pub(crate) fn reserve_for_fetch(&mut self, effects: &mut Effects) {
        let Some(left) = self.left_bytes() else { return };
        // The more is left the more may a power cut cost, and the less often is the record written.
        let step = (left / 16).max(BUDGET_STEP_BYTES);
        if self.world.ahead_bytes < left.min(step) {
            self.reserve(left.min(step.saturating_mul(2)).saturating_sub(self.world.ahead_bytes), effects);
        }
    }

    /// What is neither spent nor kept for questions; none without a budget.
    pub(crate) fn left_bytes(&self) -> Option<u64> {
        let DataBudget { day_bytes, month_bytes, .. } = self.settings.budget;
        let ledger = self.record.ledger.unwrap_or_default();
        let left = |limit: Option<u64>, gone: u64| {
            let spent = gone.saturating_sub(self.world.ahead_bytes);
            limit.map(|limit| limit.saturating_sub(BUDGET_TALK_BYTES).saturating_sub(spent))
        };
        [left(day_bytes, ledger.day_bytes), left(month_bytes, ledger.month_bytes)].into_iter().flatten().min()
    }

    fn reserve(&mut self, bytes: u64, effects: &mut Effects) {
        self.count(bytes);
        self.world.ahead_bytes = self.world.ahead_bytes.saturating_add(bytes);
        effects.ask(Effect::Save);
    }

    fn count(&mut self, bytes: u64) {
        if self.left_bytes().is_some() {
            let ledger = self.record.ledger.get_or_insert_default();
            ledger.day_bytes = ledger.day_bytes.saturating_add(bytes);
            ledger.month_bytes = ledger.month_bytes.saturating_add(bytes);
        }
    }

    /// The number of this day and how much of it is over, seconds, as far as that is known. Days begin at a time of
    /// each device's own, so that a fleet does not go on with its transfers all at once.
    fn day(&self, uptime: Uptime) -> Option<(u64, u64)> {
        let (stated, at) = self.world.time?;
        let digest = Digest::of(self.settings.identity.device.as_str().as_bytes());
        let own_s = digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)));
        let passed_s = uptime.since(at).checked_div(1_000)?.saturating_add(own_s);
        let seconds = stated.0.saturating_add(passed_s);
        Some((seconds.checked_div(DAY_S)?, seconds.checked_rem(DAY_S)?))
    }

    fn next_day(&self, uptime: Uptime) -> Uptime {
        let over_s = self.day(uptime).map_or(0, |(_, over_s)| over_s);
        uptime.after(DAY_S.saturating_sub(over_s).saturating_mul(1_000))
    }
}
