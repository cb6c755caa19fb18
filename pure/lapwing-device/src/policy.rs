//! Numbers in, yes or no out: gates, version rules, back-off.
//!
//! Touches: settings and conditions, nothing that changes. Never: remembers.

use crate::event::{Battery, Conditions};
use crate::settings::VersionPolicy;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{Semver, Version};

/// Energy needed is multiplied by this before it is held against what is left, as a fraction.
const ENERGY_MARGIN: (u64, u64) = (3, 2);

/// What an update asks of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The maker overrides opt-out.
    pub(crate) forced: bool,
    /// The device's own version policy lets it pass.
    pub(crate) version_allowed: bool,
    /// Bytes to be written: artifact and image.
    pub(crate) room_bytes: u64,
    /// A trial is open.
    pub(crate) trial_open: bool,
    /// There is no room for one more outcome.
    pub(crate) outcomes_full: bool,
}

/// The first gate that is closed, in the order of [`Gate::ALL`].
pub(crate) fn closed_gate(demand: Demand, world: &Conditions, battery_floor_mv: u16) -> Option<Gate> {
    Gate::ALL.into_iter().find(|gate| match gate {
        Gate::OptedOut => world.opted_out && !demand.forced,
        Gate::VersionPolicy => !demand.version_allowed,
        Gate::Window => world.window_closed,
        Gate::Battery => world.battery.is_some_and(|battery| too_low(battery, battery_floor_mv)),
        Gate::Supply => world.supply_unstable,
        Gate::Link => world.link_poor,
        Gate::DataBudget => world.data_budget_spent,
        Gate::Room => world.room_bytes.is_some_and(|room| room < demand.room_bytes),
        Gate::TrialOpen => demand.trial_open,
        Gate::ReportsPending => demand.outcomes_full,
        Gate::Host => world.host_gate_closed,
    })
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

    const OPEN: Demand = Demand {
        forced: false,
        version_allowed: true,
        room_bytes: 100,
        trial_open: false,
        outcomes_full: false,
    };

    #[test]
    fn the_first_closed_gate_speaks() {
        let check = |demand: Demand, world: Conditions, expected: Option<Gate>| {
            assert_eq!(closed_gate(demand, &world, 3300), expected, "{demand:?} {world:?}");
        };
        let fine = Conditions::default();
        check(OPEN, fine, None);
        let opted_out = Conditions { opted_out: true, supply_unstable: true, ..fine };
        check(OPEN, opted_out, Some(Gate::OptedOut));
        check(Demand { forced: true, ..OPEN }, opted_out, Some(Gate::Supply));
        check(Demand { version_allowed: false, ..OPEN }, fine, Some(Gate::VersionPolicy));
        check(OPEN, Conditions { room_bytes: Some(99), ..fine }, Some(Gate::Room));
        check(OPEN, Conditions { room_bytes: Some(100), ..fine }, None);
        check(Demand { trial_open: true, ..OPEN }, fine, Some(Gate::TrialOpen));
        check(Demand { outcomes_full: true, ..OPEN }, fine, Some(Gate::ReportsPending));
        let at = |voltage_mv, left_j, needed_j| Conditions {
            battery: Some(Battery { voltage_mv, left_j, needed_j }),
            ..fine
        };
        check(OPEN, at(3299, None, None), Some(Gate::Battery));
        check(OPEN, at(3300, Some(15), Some(10)), None);
        check(OPEN, at(3300, Some(14), Some(10)), Some(Gate::Battery));
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
