//! Every limit of the fleet's rules, in one place.

/// Past attempts of one device that a decision looks at, newest first.
pub const PAST_ATTEMPTS_MAX: usize = 32;
/// Newest releases of a component and class that always stay delta bases.
pub const DELTA_BASES_RECENT: usize = 3;
/// Delta pairs planned towards one release.
pub const DELTA_PAIRS_MAX: usize = 16;
/// What deltas must save of the bytes to be worth having, per mille.
pub const SAVING_WORTH_SHARE_MIN: u64 = 50;
/// What full images may take of a battery in a year, per mille.
pub const FULL_IMAGE_BATTERY_SHARE_MAX: u64 = 100;
