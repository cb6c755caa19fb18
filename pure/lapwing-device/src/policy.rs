//! Numbers in, yes or no out: gates, version rules, back-off.
//!
//! Touches: settings and conditions, nothing that changes. Never: remembers.

use crate::event::{Battery, Conditions, Link};
use crate::settings::{Awake, VersionPolicy};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{Semver, Uptime, Version};

/// Energy needed is multiplied by this before it is held against what is left, as a fraction.
const ENERGY_MARGIN: (u64, u64) = (3, 2);

/// What an update asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The maker overrides opt-out.
    pub(crate) forced: bool,
    /// It does not wait for the follow-ups of the last update.
    pub(crate) urgent: bool,
    /// The device's own version policy lets it pass.
    pub(crate) version_allowed: bool,
    /// Bytes to be written: artifact and image.
    pub(crate) room_bytes: u64,
    /// It is a new attempt, whose outcome wants room.
    pub(crate) begins: bool,
}

impl Demand {
    /// The least that any offer asks for.
    pub(crate) const WHATEVER_IS_OFFERED: Self =
        Self { forced: false, urgent: false, version_allowed: true, room_bytes: 0, begins: true };
    /// What was let pass and fetched asks for no more than that the world be fit for a switch.
    pub(crate) const SWITCH: Self = Self { forced: true, begins: false, ..Self::WHATEVER_IS_OFFERED };
}

/// What the device itself has to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// Somebody at the device asked for an update.
    pub(crate) asked_for: bool,
    /// Health was measured and is good.
    pub(crate) healthy: bool,
    /// A trial is open.
    pub(crate) trial_open: bool,
    /// The last trial was good, its way back is still open.
    pub(crate) watching: bool,
    /// There is no room for one more outcome.
    pub(crate) outcomes_full: bool,
    /// Nothing of the data budget is left for a transfer.
    pub(crate) budget_spent: bool,
}

/// Whether this gate is closed to such an update. What ends a watch early gives up the way back, which only an
/// image that is healthy may do.
pub(crate) fn is_closed(
    gate: Gate,
    demand: &Demand,
    own: &Own,
    world: &Conditions,
    battery_floor_mv: u16,
) -> bool {
    match gate {
        Gate::OptedOut => world.opted_out && !demand.forced,
        Gate::VersionPolicy => !demand.version_allowed && !own.asked_for,
        Gate::Window => world.window_closed,
        Gate::Battery => world.battery.is_some_and(|battery| too_low(battery, battery_floor_mv)),
        Gate::Supply => world.supply_unstable,
        Gate::Link => world.link_poor || world.link == Link::Down,
        Gate::DataBudget => world.data_budget_spent || (own.budget_spent && demand.begins),
        Gate::Room => world.room_bytes.is_some_and(|room| room < demand.room_bytes),
        Gate::TrialOpen => own.trial_open,
        Gate::Watching => own.watching && !(own.healthy && (demand.urgent || own.asked_for)),
        Gate::ReportsPending => own.outcomes_full && demand.begins,
        Gate::Host => world.host_gate_closed,
        Gate::Unknown(_) => false,
    }
}

fn too_low(battery: Battery, floor_mv: u16) -> bool {
    let (times, over) = ENERGY_MARGIN;
    let energy_short = match (battery.needed_j, battery.left_j) {
        (Some(needed), Some(left)) => {
            u64::from(needed).saturating_mul(times) > u64::from(left).saturating_mul(over)
        }
        _ => false,
    };
    battery.voltage_mv < floor_mv || energy_short
}

/// Whether the device's own rules take this step without being asked.
pub(crate) fn version_allowed(policy: &VersionPolicy, from: &Version, to: &Version) -> bool {
    let step_allowed = match (Semver::of(from), Semver::of(to)) {
        (Some(from), Some(to)) => from.bump_to(to) <= policy.largest,
        _ => policy.non_semver,
    };
    policy.auto_update && step_allowed
}

/// How long the device stays awake from then on, milliseconds; nothing while it sleeps.
pub(crate) fn awake_left_ms(awake: Option<Awake>, uptime: Uptime) -> u64 {
    awake.map_or(u64::MAX, |Awake { awake_ms, every_ms }| {
        awake_ms.saturating_sub(uptime.0.checked_rem(every_ms).unwrap_or(0))
    })
}

/// The first moment from `due` on at which it is awake.
pub(crate) fn next_awake(awake: Option<Awake>, due: Uptime) -> Uptime {
    match awake {
        Some(Awake { every_ms, .. }) if awake_left_ms(awake, due) == 0 => {
            due.after(every_ms.saturating_sub(due.0.checked_rem(every_ms).unwrap_or(0)))
        }
        _ => due,
    }
}

/// How long to wait after so many failures in a row: a random time up to 1, 2, 4 ... times the first,
/// at most the longest, and never less than the server asked for.
pub(crate) fn back_off_ms(first_ms: u64, max_ms: u64, failures: u8, hint_ms: u64, entropy: u64) -> u64 {
    let doublings = u32::from(failures.saturating_sub(1)).min(32);
    let ceiling = first_ms.saturating_mul(1 << doublings).min(max_ms);
    let jittered = entropy.checked_rem(ceiling.saturating_add(1)).unwrap_or(0);
    jittered.max(hint_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapwing_core::Bump;

    #[test]
    fn the_first_closed_gate_speaks() {
        let first = |demand: Demand, own: Own, world: Conditions| {
            Gate::ALL.iter().copied().find(|gate| is_closed(*gate, &demand, &own, &world, 3300))
        };
        let (any, free, fine) = (Demand::WHATEVER_IS_OFFERED, Own::default(), Conditions::default());
        assert_eq!(first(any, free, fine), None);
        let check = |demand, world, expected| assert_eq!(first(demand, free, world), expected, "{demand:?}");
        let opted_out = Conditions { opted_out: true, supply_unstable: true, ..fine };
        check(any, opted_out, Some(Gate::OptedOut));
        check(Demand { forced: true, ..any }, opted_out, Some(Gate::Supply));
        check(Demand { version_allowed: false, ..any }, fine, Some(Gate::VersionPolicy));
        let large = Demand { room_bytes: 100, ..any };
        check(large, Conditions { room_bytes: Some(99), ..fine }, Some(Gate::Room));
        check(large, Conditions { room_bytes: Some(100), ..fine }, None);
        check(any, Conditions { link: Link::Down, ..fine }, Some(Gate::Link));
        let at = |voltage_mv, left_j, needed_j| Conditions {
            battery: Some(Battery { voltage_mv, left_j, needed_j }),
            ..fine
        };
        check(any, at(3299, None, None), Some(Gate::Battery));
        check(any, at(3300, Some(15), Some(10)), None);
        check(any, at(3300, Some(14), Some(10)), Some(Gate::Battery));
        let check = |demand, own, expected| assert_eq!(first(demand, own, fine), expected, "{own:?}");
        let watching = Own { watching: true, healthy: true, ..free };
        let urgent = Demand { urgent: true, ..any };
        check(any, Own { trial_open: true, asked_for: true, ..free }, Some(Gate::TrialOpen));
        check(any, watching, Some(Gate::Watching));
        check(any, Own { asked_for: true, ..watching }, None);
        check(urgent, watching, None);
        check(urgent, Own { healthy: false, ..watching }, Some(Gate::Watching));
        check(any, Own { outcomes_full: true, ..free }, Some(Gate::ReportsPending));
        check(Demand::SWITCH, Own { outcomes_full: true, ..free }, None);
    }

    #[test]
    fn version_rules_look_at_the_step() {
        let check = |largest, from: &str, to: &str, expected| {
            let policy = VersionPolicy { auto_update: true, largest, non_semver: false };
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            assert_eq!(version_allowed(&policy, &from, &to), expected, "{from} {to}");
            assert!(!version_allowed(&VersionPolicy { auto_update: false, ..policy }, &from, &to));
        };
        check(Bump::Patch, "1.0.0", "1.0.1", true);
        check(Bump::Patch, "1.0.0", "1.1.0", false);
        check(Bump::Major, "1.0.0", "2.0.0", true);
        check(Bump::Major, "1.0.0", "nightly", false);
    }

    #[test]
    fn a_device_that_sleeps_is_awake_at_the_beginning_of_each_period() {
        let awake = Some(Awake { awake_ms: 10, every_ms: 60 });
        for (uptime, left_ms, next) in
            [(0, 10, 0), (9, 1, 9), (10, 0, 60), (59, 0, 60), (60, 10, 60), (131, 0, 180)]
        {
            assert_eq!(awake_left_ms(awake, Uptime(uptime)), left_ms, "{uptime}");
            assert_eq!(next_awake(awake, Uptime(uptime)), Uptime(next), "{uptime}");
        }
        assert_eq!((awake_left_ms(None, Uptime(5)), next_awake(None, Uptime(5))), (u64::MAX, Uptime(5)));
    }

    #[test]
    fn back_off_doubles_up_to_its_ceiling_and_obeys_the_hint() {
        let check = |failures, entropy, hint, expected| {
            assert_eq!(back_off_ms(1_000, 10_000, failures, hint, entropy), expected);
        };
        check(1, 1_000, 0, 1_000);
        check(2, 2_000, 0, 2_000);
        check(5, 10_000, 0, 10_000);
        check(255, 10_000, 0, 10_000);
        check(1, 0, 30_000, 30_000);
        check(1, 0, 0, 0);
    }
}
