//! When a device is judged, and whether it failed: silence at the deadline is a failure.
//!
//! Touches: `crate::attempt`. A cohort is judged at its horizon, never as "failures of those finished":
//! failures are reported sooner than successes. Times are the server's; no device's clock counts.
//! Never: lets an attempt go on for ever.

use super::evidence::Seen;
use super::strata::Cell;
use super::tally::Counts;
use crate::attempt::{AttemptState, Outcome};
use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::{AttemptId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// After the switch, a failure that a device speaks of counts from then on, seconds.
pub const EARLY_S: u64 = 3_600;
/// An attempt that never came to its switch is given up after this, seconds.
pub const FETCH_S_MAX: u64 = 7 * 24 * 3_600;
/// After an outage devices have at least this long to be heard, seconds.
const AFTER_OUTAGE_S: u64 = 3_600;

/// Devices that share a fate: one site, gateway or radio cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(pub u64);

/// An attempt, as far as a tally needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// Which.
    pub attempt: AttemptId,
    /// The cell of its device.
    pub cell: Cell,
    /// Where its device stands, if that is known.
    pub site: Option<Site>,
    /// How far it has come.
    pub outcome: Outcome,
    /// When the offer was made.
    pub granted_at: UnixSeconds,
    /// When the device asked for the last time before it switched.
    pub switched_at: Option<UnixSeconds>,
    /// When its present outcome was heard.
    pub heard_at: UnixSeconds,
}

/// A stretch of time in which the network was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it began.
    #[serde(with = "crate::spelled::seconds")]
    pub from: UnixSeconds,
    /// When it was over; none while it lasts.
    #[serde(with = "crate::spelled::seconds::perhaps")]
    pub until: Option<UnixSeconds>,
}

/// When devices are judged.
#[derive(Debug, Clone, Copy)]
pub struct Horizons<'a> {
    /// After the switch, silence is a failure from then on, seconds.
    pub deadline_s: u64,
    /// The clock stands still in these.
    pub outages: &'a [Outage],
}

impl Horizons<'_> {
    /// When a device that began at `start` must have been heard, `after_s` later by a clock that stands
    /// still while the network is away; none while it is.
    #[must_use]
    pub fn due(&self, start: UnixSeconds, after_s: u64) -> Option<UnixSeconds> {
        let mut due = start.after(after_s);
        for outage in self.outages {
            let Some(until) = outage.until else {
                if outage.from <= due {
                    return None;
                } else {
                    continue;
                };
            };
            if outage.from <= due && until > start {
                let lasted_s = until.since(outage.from.max(start));
                due = due.after(lasted_s).max(until.after(AFTER_OUTAGE_S));
            }
        }
        Some(due)
    }

    /// The window in which failures at one site count together.
    #[must_use]
    pub fn window(&self, start: UnixSeconds) -> u64 {
        start.0.checked_div(self.deadline_s).unwrap_or(0)
    }

    /// What one attempt adds to the counts of its cell at `now`.
    #[must_use]
    pub fn judge(&self, one: &Try, now: UnixSeconds) -> Counts {
        let is_due = |after_s| self.due(one.start(), after_s).is_some_and(|due| due <= now);
        let mut counts = Counts {
            granted: 1,
            switched: u32::from(one.switched_at.is_some()),
            rolled_back: u32::from(one.outcome.state == AttemptState::RolledBack),
            ..Counts::default()
        };
        if one.is_void(now) {
            counts.gone = 1;
        } else if one.switched_at.is_some() || one.has_ended() {
            let heard_by = |after_s| self.due(one.start(), after_s).is_some_and(|due| one.heard_at <= due);
            if is_due(EARLY_S) {
                counts.early = judged(one.has_failed() && heard_by(EARLY_S));
            }
            if is_due(self.deadline_s) {
                let confirmed = one.outcome.state == AttemptState::Confirmed;
                counts.whole = judged(!(confirmed && heard_by(self.deadline_s)));
            }
        }
        counts
    }
}

impl Try {
    /// When its clock began to run.
    #[must_use]
    pub fn start(&self) -> UnixSeconds {
        self.switched_at.unwrap_or(self.granted_at)
    }

    /// Whether it ended without saying anything about the release: called off, or the device's own
    /// trouble before the switch, or given up because the switch never came.
    fn is_void(&self, now: UnixSeconds) -> bool {
        let Outcome { state, cause } = self.outcome;
        match state {
            AttemptState::Superseded => true,
            AttemptState::Failed => !cause.is_some_and(speaks_of_the_release),
            AttemptState::Confirmed | AttemptState::RolledBack => false,
            _ => self.switched_at.is_none() && now >= self.granted_at.after(FETCH_S_MAX),
        }
    }

    /// Devices are believed in how it ended, even if nobody saw them switch.
    fn has_ended(&self) -> bool {
        self.outcome.state == AttemptState::Confirmed || self.has_failed()
    }

    fn has_failed(&self) -> bool {
        matches!(self.outcome.state, AttemptState::Failed | AttemptState::RolledBack)
    }
}

/// Whether a failure before the switch counts: the image is to blame, or what was published is broken.
fn speaks_of_the_release(cause: Cause) -> bool {
    let broken = matches!(
        cause,
        Cause::TransferDigest
            | Cause::ReleaseUntrusted
            | Cause::ReleaseUndecodable
            | Cause::ReleaseMismatch
            | Cause::ImageTooLarge
            | Cause::DeltaUndecodable
            | Cause::ImageDigest
    );
    broken || cause.blame() == Blame::Image
}

fn judged(failed: bool) -> Seen {
    Seen { judged: 1, failed: u32::from(failed) }
}
