//! When a device may try again what failed, by what kind of failure it was, and when it tries nothing for a while.
//!
//! Touches: `crate::attempt`. One table says it all; docs/operate/rollouts.md has it for people.
//! Never: lets a device try an image again that is to blame; that is for a person to say.

use crate::attempt::AttemptState;
use crate::device::PastAttempt;
use crate::limits::{PAST_ATTEMPTS_MAX, PENALTY_FAILURES, PENALTY_S, PENALTY_S_MAX};
use lapwing_core::UnixSeconds;
use lapwing_core::wire::cause::{Blame, Cause};

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The bytes did not come: trying again is cheap, and the link may be back.
    Network,
    /// The power failed.
    Power,
    /// There was no room, or the storage took nothing: waiting seldom mends that.
    Space,
    /// What came was not what was signed or released.
    Verification,
    /// The device went back, whoever is to blame: each try costs two restarts.
    Health,
    /// A rule was in the way.
    Rule,
}

/// How long a device waits before it may try a release again that failed without blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After the first failure that is cheap to repeat, seconds. Doubles with each one.
    pub first_s: u64,
    /// At most, seconds.
    pub longest_s: u64,
}

/// Failures in a row that put a device aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Penalty {
    pub(crate) failures: u32,
    pub(crate) cause: Option<Cause>,
    pub(crate) until: UnixSeconds,
}

impl FailureClass {
    /// The kind of this cause.
    #[must_use]
    pub fn of(cause: Option<Cause>) -> Self {
        let Some(cause) = cause else { return Self::Rule };
        match cause {
            Cause::LinkDown | Cause::ServerRefused | Cause::OfferStale => Self::Network,
            Cause::PowerUnstable => Self::Power,
            Cause::DiskFull | Cause::StorageReadOnly | Cause::StorageFault | Cause::TransferOversize => {
                Self::Space
            }
            Cause::TransferDigest
            | Cause::OfferUntrusted
            | Cause::ReleaseUntrusted
            | Cause::ReleaseUndecodable
            | Cause::ReleaseMismatch
            | Cause::TrustChain
            | Cause::DeltaUndecodable
            | Cause::ImageDigest
            | Cause::SlotTampered => Self::Verification,
            Cause::LinkLost | Cause::TryNotRecorded | Cause::ServerUnreachable => Self::Health,
            cause if cause.blame() == Blame::Image => Self::Health,
            _ => Self::Rule,
        }
    }

    /// How many times as long as after a cheap failure a device waits, and whether it is suspected of failing
    /// whatever it tries.
    const fn terms(self) -> (u64, bool) {
        match self {
            Self::Network | Self::Rule => (1, false),
            Self::Power => (2, false),
            Self::Space => (6, false),
            Self::Verification => (6, true),
            Self::Health => (12, true),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after so many failures, the last of this kind.
    #[must_use]
    pub fn delay_s(&self, class: FailureClass, failures: u32) -> u64 {
        let (factor, _) = class.terms();
        doubled(self.first_s.saturating_mul(factor), failures.saturating_sub(1)).min(self.longest_s)
    }
}

/// Why and until when a device with these attempts, the newest first, gets nothing at `now`: too many failures
/// since its last success that speak against the device itself.
pub(crate) fn penalty(attempts: &[PastAttempt], now: UnixSeconds) -> Option<Penalty> {
    let since = attempts.iter().take(PAST_ATTEMPTS_MAX);
    let since = since.take_while(|past| past.outcome.state != AttemptState::Confirmed && !past.forgiven);
    let suspicious = |past: &&PastAttempt| {
        let (_, suspicious) = FailureClass::of(past.outcome.cause).terms();
        counts_as_failure(past) && suspicious
    };
    let mut failures = since.filter(suspicious).peekable();
    let newest = *failures.peek()?;
    let failures = u32::try_from(failures.count()).unwrap_or(u32::MAX);
    let more = failures.checked_sub(PENALTY_FAILURES)?;
    let until = newest.at.after(doubled(PENALTY_S, more).min(PENALTY_S_MAX));
    (now < until).then_some(Penalty { failures, cause: newest.outcome.cause, until })
}

/// What the fleet itself called off does not count, nor does silence: a device that is late goes on with the
/// attempt it has.
pub(crate) fn counts_as_failure(past: &PastAttempt) -> bool {
    let called_off = matches!(past.outcome.cause, Some(Cause::Withdrawn | Cause::Superseded));
    matches!(past.outcome.state, AttemptState::Failed | AttemptState::RolledBack) && !called_off
}

fn doubled(seconds: u64, times: u32) -> u64 {
    seconds.saturating_mul(1_u64.checked_shl(times).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Outcome;
    use lapwing_core::Digest;

    const AT: UnixSeconds = UnixSeconds(1_000_000);

    fn past(state: AttemptState, cause: Cause) -> PastAttempt {
        let outcome = Outcome { state, cause: Some(cause) };
        PastAttempt { release: Digest::of(b""), outcome, brought: None, at: AT, forgiven: false }
    }

    #[test]
    fn each_kind_of_failure_waits_as_the_table_says() {
        let policy = RetryPolicy { first_s: 100, longest_s: 5_000 };
        for (cause, expected_s) in [
            (Cause::LinkDown, [100, 200, 400]),
            (Cause::BootloaderTooOld, [100, 200, 400]),
            (Cause::PowerUnstable, [200, 400, 800]),
            (Cause::DiskFull, [600, 1_200, 2_400]),
            (Cause::TransferDigest, [600, 1_200, 2_400]),
            (Cause::LinkLost, [1_200, 2_400, 4_800]),
            (Cause::HealthFailed, [1_200, 2_400, 4_800]),
        ] {
            let class = FailureClass::of(Some(cause));
            assert_eq!([1, 2, 3].map(|failures| policy.delay_s(class, failures)), expected_s, "{cause:?}");
            assert_eq!(policy.delay_s(class, 99), 5_000, "{cause:?}");
        }
    }

    #[test]
    fn a_device_that_fails_at_everything_is_put_aside_for_longer_each_time() {
        use AttemptState::{Confirmed, Failed, RolledBack, Superseded};
        let check = |attempts: &[PastAttempt], expected_s: Option<u64>| {
            let found = penalty(attempts, AT.after(1));
            assert_eq!(found.map(|penalty| penalty.until.since(AT)), expected_s, "{attempts:?}");
            assert_eq!(penalty(attempts, AT.after(PENALTY_S_MAX)), None, "it ends");
        };
        let (bad, broken) = (past(RolledBack, Cause::HealthFailed), past(Failed, Cause::ImageDigest));
        let (link, good) = (past(Failed, Cause::LinkDown), past(Confirmed, Cause::HealthFailed));
        check(&[], None);
        check(&[bad, broken], None);
        check(&[bad, broken, bad], Some(PENALTY_S));
        check(&[broken, link, bad, past(Superseded, Cause::Superseded), bad], Some(PENALTY_S));
        check(&[link; 9], None);
        check(&[bad, broken, good, bad], None);
        check(&[bad, broken, PastAttempt { forgiven: true, ..bad }, bad], None);
        check(&[bad; 4], Some(2 * PENALTY_S));
        check(&[bad; 30], Some(PENALTY_S_MAX));
    }
}
