//! The states of an attempt, and what each report makes of them.
//!
//! Touches: `lapwing_core::wire::report`. State only moves up inside an attempt, save that late
//! evidence may turn confirmed into rolled back, and timed out into what really happened.
//! Never: knows a deadline; whoever holds the clock says that one has passed.

use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::wire::report::{Detail, Event, EventKind};

/// Defines the states once: rank, name, spelling.
macro_rules! states {
    ($($name:ident $label:literal: $words:literal;)*) => {
        /// How far an attempt has come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AttemptState {
            $(#[doc = $words] $name,)*
        }

        impl AttemptState {
            /// All states, in the order in which an attempt climbs them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its spelling in stores and JSON.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

states! {
    Offered "offered": "An offer was made.";
    Downloading "downloading": "The artifact is on its way.";
    Downloaded "downloaded": "The artifact is whole.";
    WaitingWindow "waiting-window": "A gate holds the switch back.";
    Installing "installing": "The spare slot is being written.";
    Rebooting "rebooting": "The switch was made.";
    Trial "trial": "The new image runs, not yet confirmed.";
    TimedOut "timed-out": "The deadline passed in silence.";
    Superseded "superseded": "Another release took its place.";
    Confirmed "confirmed": "The trial was good.";
    Failed "failed": "It ended without a switch.";
    RolledBack "rolled-back": "The old image runs again.";
}

/// How an attempt stands: its state, and why it failed if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How far it has come.
    pub state: AttemptState,
    /// Why it failed, as the device said last.
    pub cause: Option<Cause>,
}

impl Outcome {
    /// An attempt that has just been offered.
    pub const OFFERED: Self = Self { state: AttemptState::Offered, cause: None };

    /// What `event` makes of this. An event that arrives late or twice changes nothing.
    #[must_use]
    pub fn after(self, event: &Event) -> Self {
        let said = said_by(event.kind, self.state);
        let state = match said {
            Some(said) if self.state == AttemptState::TimedOut || said > self.state => said,
            _ => self.state,
        };
        let cause = match event.detail {
            Detail::Cause(cause) if names_the_cause(event.kind) => Some(cause),
            _ => self.cause,
        };
        Self { state, cause }
    }

    /// Whether the device did not come up with the new image.
    #[must_use]
    pub fn failed_to_boot(self) -> bool {
        matches!(self.cause, Some(Cause::SilentStarts | Cause::NotStartable | Cause::RebootLoop))
    }

    /// Whether the image is to blame for how it ended.
    #[must_use]
    pub fn blames_image(self) -> bool {
        self.state.is_failure() && self.cause.is_some_and(|cause| cause.blame() == Blame::Image)
    }
}

impl AttemptState {
    /// Whether nothing more is expected of the device.
    #[must_use]
    pub fn is_over(self) -> bool {
        self >= Self::TimedOut
    }

    /// Whether it ended badly.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::TimedOut | Self::Failed | Self::RolledBack)
    }

    /// Whether the switch has been made, so that another offer must wait.
    #[must_use]
    pub fn is_past_switch(self) -> bool {
        matches!(self, Self::Rebooting | Self::Trial)
    }

    /// The state of this spelling.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.label() == label)
    }
}

/// Only these events end or begin to end an attempt, so only their cause is its cause.
fn names_the_cause(kind: EventKind) -> bool {
    matches!(kind, EventKind::RollbackTriggered | EventKind::RollbackCompleted | EventKind::AttemptFailed)
}

fn said_by(kind: EventKind, present: AttemptState) -> Option<AttemptState> {
    match kind {
        EventKind::CheckStarted | EventKind::CheckCompleted | EventKind::HealthFailed => None,
        EventKind::Unknown(_) => None,
        EventKind::VerifyFailed | EventKind::DownloadFailed | EventKind::RollbackTriggered => None,
        EventKind::Offered => Some(AttemptState::Offered),
        EventKind::Deferred if present == AttemptState::Downloaded => Some(AttemptState::WaitingWindow),
        EventKind::Deferred => None,
        EventKind::DownloadStarted | EventKind::DownloadProgress => Some(AttemptState::Downloading),
        EventKind::DownloadCompleted => Some(AttemptState::Downloaded),
        EventKind::InstallStarted | EventKind::InstallCompleted => Some(AttemptState::Installing),
        EventKind::RebootStarted => Some(AttemptState::Rebooting),
        EventKind::RebootCompleted | EventKind::HealthOk => Some(AttemptState::Trial),
        EventKind::Confirmed => Some(AttemptState::Confirmed),
        EventKind::RollbackCompleted => Some(AttemptState::RolledBack),
        EventKind::AttemptFailed => Some(AttemptState::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapwing_core::{AttemptId, ShortDigest};

    fn event(kind: EventKind, detail: Detail) -> Event {
        Event { attempt: AttemptId(1), number: 1, kind, running: ShortDigest([0; 8]), detail }
    }

    fn check(from: AttemptState, kind: EventKind, expected: AttemptState) {
        let outcome = Outcome { state: from, cause: None }.after(&event(kind, Detail::None));
        assert_eq!(outcome.state, expected, "{from:?} after {kind:?}");
    }

    #[test]
    fn an_attempt_climbs_and_never_falls_back() {
        use AttemptState as S;
        use EventKind as E;
        check(S::Offered, E::DownloadStarted, S::Downloading);
        check(S::Offered, E::Deferred, S::Offered);
        check(S::Downloaded, E::DownloadProgress, S::Downloaded);
        check(S::Downloaded, E::Deferred, S::WaitingWindow);
        check(S::WaitingWindow, E::InstallStarted, S::Installing);
        check(S::Trial, E::InstallCompleted, S::Trial);
        check(S::Trial, E::Confirmed, S::Confirmed);
        check(S::Trial, E::RollbackTriggered, S::Trial);
        check(S::Trial, E::RollbackCompleted, S::RolledBack);
        check(S::Failed, E::DownloadStarted, S::Failed);
        check(S::RolledBack, E::Confirmed, S::RolledBack);
    }

    #[test]
    fn late_evidence_counts() {
        check(AttemptState::Confirmed, EventKind::RollbackCompleted, AttemptState::RolledBack);
        check(AttemptState::TimedOut, EventKind::Confirmed, AttemptState::Confirmed);
        check(AttemptState::TimedOut, EventKind::Offered, AttemptState::Offered);
    }

    #[test]
    fn the_cause_is_that_of_the_end_not_of_a_detour() {
        let detour = event(EventKind::DownloadFailed, Detail::Cause(Cause::LinkDown));
        let trigger = event(EventKind::RollbackTriggered, Detail::Cause(Cause::HealthFailed));
        let end = event(EventKind::RollbackCompleted, Detail::None);
        let outcome = Outcome::OFFERED.after(&detour).after(&trigger).after(&end);
        assert_eq!(outcome, Outcome { state: AttemptState::RolledBack, cause: Some(Cause::HealthFailed) });
        assert!(outcome.blames_image());
        assert!(!Outcome { state: AttemptState::Failed, cause: Some(Cause::LinkDown) }.blames_image());
    }

    #[test]
    fn every_state_has_its_own_spelling() {
        for state in AttemptState::ALL {
            assert_eq!(AttemptState::from_label(state.label()), Some(*state));
        }
    }
}
