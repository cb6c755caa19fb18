//! When an event that a consumer did not take is sent again, and when it is set aside.
//!
//! Touches: `lapwing_core`. Events go out in their order, so one that is not taken holds up the others:
//! an endpoint that is away is waited for, one that refuses a single event is not.

use lapwing_core::UnixSeconds;

/// Waits between two tries at an endpoint that is away, seconds. A little over a day together.
const AWAY_WAITS_S: [u64; 9] = [5, 30, 120, 600, 1_800, 7_200, 18_000, 28_800, 36_000];
/// Waits between two tries at an event that is refused, seconds.
const REFUSED_WAITS_S: [u64; 2] = [5, 60];
/// Waits are drawn out by up to this part, so that many consumers do not come back at once.
const SPREAD_PERCENT: u64 = 20;

/// How an endpoint took an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// With thanks.
    Yes,
    /// It understood and wants no such event.
    Refused,
    /// It wants no event any more.
    Gone,
    /// It did not answer, or not in its right mind.
    Away,
}

impl Taken {
    /// What an HTTP status means; none stands for no answer.
    #[must_use]
    pub const fn by_status(status: Option<u16>) -> Self {
        match status {
            Some(200..=299) => Self::Yes,
            Some(410) => Self::Gone,
            Some(400..=499) if !matches!(status, Some(401 | 403 | 404 | 408 | 425 | 429)) => Self::Refused,
            _ => Self::Away,
        }
    }
}

/// What is done next about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The one behind it is sent.
    GoOn,
    /// It is sent again then.
    Again(UnixSeconds),
    /// It is set aside for a person, and the one behind it is sent.
    SetAside,
    /// Nothing is sent any more until a person says so.
    Pause,
}

/// What follows when an event was taken so at `now`, after `failures` earlier tries. `chance` is any number;
/// it spreads the waits.
#[must_use]
pub fn after_try(taken: Taken, failures: u32, now: UnixSeconds, chance: u64) -> Next {
    let waits: &[u64] = match taken {
        Taken::Yes => return Next::GoOn,
        Taken::Gone => return Next::Pause,
        Taken::Refused => &REFUSED_WAITS_S,
        Taken::Away => &AWAY_WAITS_S,
    };
    let wait = usize::try_from(failures).ok().and_then(|failures| waits.get(failures));
    wait.map_or(Next::SetAside, |wait| {
        let spread = wait.saturating_mul(SPREAD_PERCENT) / 100;
        Next::Again(now.after(wait.saturating_add(chance % spread.saturating_add(1))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_away_is_waited_for_longer_and_longer_for_more_than_a_day() {
        let mut now = UnixSeconds(1_000);
        let mut before = 0;
        for failures in 0.. {
            match after_try(Taken::Away, failures, now, 7) {
                Next::Again(at) => {
                    let wait = at.since(now);
                    assert!(wait > before, "try {failures}: {wait} after {before}");
                    (now, before) = (at, wait);
                }
                next => {
                    assert_eq!(next, Next::SetAside);
                    break;
                }
            }
        }
        assert!(now.since(UnixSeconds(1_000)) > 86_400);
    }

    #[test]
    fn a_refused_event_does_not_hold_up_the_others() {
        let now = UnixSeconds(1_000);
        assert!(matches!(after_try(Taken::Refused, 0, now, 0), Next::Again(_)));
        assert_eq!(after_try(Taken::Refused, 2, now, 0), Next::SetAside);
        assert_eq!(after_try(Taken::Yes, 5, now, 0), Next::GoOn);
        assert_eq!(after_try(Taken::Gone, 0, now, 0), Next::Pause);
    }

    #[test]
    fn statuses_mean_what_they_say() {
        let check = |status: Option<u16>, expected| {
            assert_eq!(Taken::by_status(status), expected, "{status:?}");
        };
        check(Some(202), Taken::Yes);
        check(Some(400), Taken::Refused);
        check(Some(422), Taken::Refused);
        check(Some(410), Taken::Gone);
        check(Some(301), Taken::Away);
        check(Some(401), Taken::Away);
        check(Some(429), Taken::Away);
        check(Some(503), Taken::Away);
        check(None, Taken::Away);
    }

    #[test]
    fn waits_spread_by_a_fifth_and_no_more() {
        let now = UnixSeconds(0);
        let wait = |chance| match after_try(Taken::Away, 3, now, chance) {
            Next::Again(at) => at.0,
            next => unreachable!("{next:?}"),
        };
        assert_eq!((0..10_000).map(wait).min(), Some(600));
        assert_eq!((0..10_000).map(wait).max(), Some(720));
    }
}
