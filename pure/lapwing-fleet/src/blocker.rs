//! Why a device is not updating: one reason, the first in this order, with a sentence for people.
//!
//! Touches: `lapwing_core`. The order of the variants is the order in which they are asked.
//! Never: grows a reason that nobody can act on.

use crate::rollout::{NotYet, RolloutId};
use crate::window::NoOpening;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{ComponentName, HardwareClass, UnixSeconds, Version};
use std::fmt;

/// What stands between a device and an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// It waits for a person.
    Quarantined,
    /// So many attempts failed in a row, the last one so: it waits until then.
    Penalised(u32, Option<Cause>, UnixSeconds),
    /// It has not said what it is.
    FactsUnknown,
    /// It, or its owner, opted out.
    OptedOut,
    /// Its owner has not agreed.
    NoConsent,
    /// No release names its hardware.
    NothingForHardware(HardwareClass),
    /// What there is, is held or withdrawn.
    NothingOpen,
    /// It is pinned to what it runs, or to what cannot be reached.
    Pinned(Version),
    /// It runs the highest release it may have.
    UpToDate,
    /// The first is offered, but lies below the second, which the device confirmed or which failed on it.
    BelowFloor(Version, Version),
    /// Its security version is below the one that the device was raised to.
    SecurityTooLow(Version),
    /// The release needs a newer bootloader.
    BootloaderTooOld(u32),
    /// Its version is not one that the release may be installed from, and no step between exists.
    NoPath(Version),
    /// It would break what depends on it, and nobody agreed to that.
    NotApproved(Version),
    /// Another component must be updated first.
    RequiresUnmet(ComponentName),
    /// The release may not be installed any more.
    Expired(Version),
    /// It must fetch newer trust documents first.
    AnchorsBehind,
    /// The image failed on this device and is to blame.
    FailedHere(Version, Option<Cause>),
    /// It failed for another reason, and will be tried again then.
    BackOff(Version, Option<Cause>, UnixSeconds),
    /// It says so itself.
    Gate(Gate),
    /// The rollout that brings this version has no place for it yet.
    Turn(RolloutId, Version, NotYet),
}

impl Blocker {
    /// Its name in JSON and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Penalised(..) => "penalised",
            Self::FactsUnknown => "facts-unknown",
            Self::OptedOut => "opted-out",
            Self::NoConsent => "no-consent",
            Self::NothingForHardware(_) => "nothing-for-hardware",
            Self::NothingOpen => "nothing-open",
            Self::Pinned(_) => "pinned",
            Self::UpToDate => "up-to-date",
            Self::BelowFloor(..) => "below-floor",
            Self::SecurityTooLow(_) => "security-too-low",
            Self::BootloaderTooOld(_) => "bootloader-too-old",
            Self::NoPath(_) => "no-path",
            Self::NotApproved(_) => "not-approved",
            Self::RequiresUnmet(_) => "requires-unmet",
            Self::Expired(_) => "expired",
            Self::AnchorsBehind => "anchors-behind",
            Self::FailedHere(..) => "failed-here",
            Self::BackOff(..) => "back-off",
            Self::Gate(_) => "gate",
            Self::Turn(_, _, reason) => reason.code(),
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Quarantined => {
                "If there is one device only, `lapwing device admit ID`; if there are two, provision one of \
                 them anew under its own id first."
            }
            Self::FactsUnknown => "Wait for its next check-in.",
            Self::NothingForHardware(_) => {
                "Push a release whose --hardware is the device's, or provision the device as what it is."
            }
            Self::NothingOpen => {
                "`lapwing release list` shows them, `lapwing release unhold VERSION` offers one."
            }
            Self::Pinned(_) => "`lapwing device pin ID --off` lets it move.",
            Self::BelowFloor(..) => "Release the image again under a higher seq and version.",
            Self::SecurityTooLow(_) => "Release the image again with a higher security version.",
            Self::BootloaderTooOld(_) => "Update its bootloader first, by its own means.",
            Self::NoPath(_) => "Push a release in between that may be installed from what it runs.",
            Self::NotApproved(_) => "Make the rollout again with `--approve-breaking`.",
            Self::RequiresUnmet(_) => "Push a release for that component.",
            Self::Expired(_) => "Release the image again with a later --not-after.",
            Self::FailedHere(..) => {
                "`lapwing device retry ID` lets it try again; a higher release needs no retry."
            }
            Self::BackOff(..) => "`lapwing device update-now ID` does not wait so long.",
            Self::Gate(Gate::Watching) => {
                "`lapwing device update-now ID` ends the watch and takes the update at once."
            }
            Self::Gate(Gate::DataBudget) => {
                "It goes on by itself the next day; `day_bytes` and `month_bytes` in its agent.toml are the budget."
            }
            Self::Gate(Gate::Room) => "Make room on the device.",
            Self::Gate(Gate::Host) => "Ask the program that embeds the agent.",
            Self::Penalised(..) => {
                "See what ails the device; `lapwing device retry ID` lets it try again before that."
            }
            Self::NoConsent => "`lapwing device set ID consent=given` once its owner agrees.",
            Self::OptedOut | Self::UpToDate | Self::AnchorsBehind => return None,
            Self::Turn(_, _, NotYet::NotRunning(_) | NotYet::StratumHalted) => {
                "`lapwing rollout show ID` has the evidence; `lapwing rollout resume ID` goes on."
            }
            Self::Turn(_, _, NotYet::Window(_)) => {
                "`lapwing device update-now ID` does not wait for it; the plan has the windows."
            }
            Self::Turn(_, _, NotYet::NoWindow(NoOpening::Never)) => {
                "Give the plan a window that means it, and make the rollout again."
            }
            Self::Turn(_, _, NotYet::NoWindow(NoOpening::ZoneUnknown)) => {
                "Correct the fact `zone` of the device; a server with newer time zones may know it."
            }
            Self::Gate(_) | Self::Turn(..) => return None,
        })
    }

    /// When it ends by itself, where that is known.
    #[must_use]
    pub const fn until(&self) -> Option<UnixSeconds> {
        match self {
            Self::Penalised(_, _, until) | Self::BackOff(_, _, until) => Some(*until),
            Self::Turn(_, _, NotYet::Window(opening)) => Some(opening.opens),
            _ => None,
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quarantined => f.write_str("It is in quarantine until a person decides."),
            Self::Penalised(failures, cause, _) => {
                let why = cause.map_or("It ended early.", Cause::words);
                write!(
                    f,
                    "Its last {failures} attempts failed, so it gets nothing for a while. The last one: {why}"
                )
            }
            Self::FactsUnknown => f.write_str("It has not said yet what hardware it is."),
            Self::OptedOut => f.write_str("It opted out of updates."),
            Self::NoConsent => f.write_str("Its owner has not agreed to updates."),
            Self::NothingForHardware(class) => write!(f, "No release was made for its hardware, {class}."),
            Self::NothingOpen => f.write_str("Every release for it is held or withdrawn."),
            Self::Pinned(version) => write!(f, "It is pinned to version {version}."),
            Self::UpToDate => f.write_str("It runs the highest release that is offered to it."),
            Self::BelowFloor(offered, floor) => write!(
                f,
                "Version {offered} has a lower seq than version {floor}, which it tried or ran before, and \
                 devices never go down."
            ),
            Self::SecurityTooLow(version) => {
                write!(f, "Version {version} has a lower security version than the device was raised to.")
            }
            Self::BootloaderTooOld(needed) => {
                write!(f, "The release needs bootloader version {needed} or newer.")
            }
            Self::NoPath(version) => {
                write!(f, "Version {version} cannot be installed from what it runs, and no step between can.")
            }
            Self::NotApproved(version) => {
                write!(f, "Version {version} breaks with what it runs, and nobody approved that.")
            }
            Self::RequiresUnmet(name) => write!(f, "Its component {name} must be updated first."),
            Self::Expired(version) => write!(f, "Version {version} may not be installed any more."),
            Self::AnchorsBehind => f.write_str("It must fetch newer trust documents first."),
            Self::FailedHere(version, Some(cause)) => {
                write!(f, "Version {version} failed on it and waits for a person: {}", cause.words())
            }
            Self::FailedHere(version, None) => {
                write!(f, "Version {version} failed on it and waits for a person.")
            }
            Self::BackOff(version, cause, _) => {
                let why = cause.map_or("The attempt ended early.", Cause::words);
                write!(f, "Version {version} is tried again later, through no fault of its own: {why}")
            }
            Self::Gate(gate) => f.write_str(gate_sentence(*gate)),
            Self::Turn(id, version, reason) => write!(f, "Rollout {id} brings version {version}: {reason}."),
        }
    }
}

fn gate_sentence(gate: Gate) -> &'static str {
    match gate {
        Gate::OptedOut => "It opted out of updates.",
        Gate::VersionPolicy => "Its own version policy does not allow the release.",
        Gate::Window => "It waits for its window.",
        Gate::Battery => "Its battery is too low.",
        Gate::Supply => "Its supply is not stable.",
        Gate::Link => "Its link is too poor or too expensive for this size.",
        Gate::DataBudget => "Its data budget is spent.",
        Gate::Room => "It has no room for the image.",
        Gate::TrialOpen => "Its last update is still on trial.",
        Gate::Watching => {
            "Its last update is confirmed; it takes the next one after its last follow-up, 6 hours later unless its \
             agent.toml says otherwise."
        }
        Gate::ReportsPending => "It has outcomes to report first.",
        Gate::Host => "Its host holds it back.",
        Gate::Unknown(_) => {
            "It is newer than this server, and waits for something this server does not know."
        }
    }
}

#[cfg(test)]
mod tests;
