//! Every limit of the fleet's rules, in one place.

/// Past attempts of one device that a decision looks at, newest first.
pub const PAST_ATTEMPTS_MAX: usize = 32;
/// Facts of a device that people set.
pub const NOTED_MAX: usize = 16;
/// Characters of the name and of the value of such a fact.
pub const NOTED_CHARS_MAX: usize = 64;
/// Failures in a row that put a device aside: they speak against the device, not against the releases.
pub const PENALTY_FAILURES: u32 = 3;
/// For so long, seconds; twice as long with each one more.
pub const PENALTY_S: u64 = 24 * 3_600;
/// At most, seconds.
pub const PENALTY_S_MAX: u64 = 7 * 24 * 3_600;
/// Devices that wait to be called.
pub const CALLS_WAITING_MAX: usize = 100_000;
/// Newest releases of a component and class that always stay delta bases.
pub const DELTA_BASES_RECENT: usize = 3;
/// Delta pairs planned towards one release.
pub const DELTA_PAIRS_MAX: usize = 16;
/// What deltas must save of the bytes to be worth having, per mille.
pub const SAVING_WORTH_SHARE_MIN: u64 = 50;
/// What devices keep of a day's data budget for questions and reports, bytes.
pub const QUESTIONS_DAY_BYTES: u64 = 2_048;
/// What full images may take of a battery in a year, per mille.
pub const FULL_IMAGE_BATTERY_SHARE_MAX: u64 = 100;
/// Characters of a filter.
pub const FILTER_CHARS_MAX: usize = 2_048;
/// Parentheses and `not` inside each other.
pub const FILTER_DEPTH_MAX: usize = 32;
/// Phases of a plan.
pub const PHASES_MAX: usize = 32;
/// Seconds that one phase may last: a year.
pub const PHASE_S_MAX: u64 = 366 * 24 * 3_600;
/// Kinds of devices that a census keeps apart.
pub const CELLS_MAX: usize = 1_024;
/// Kinds of devices up to which a first phase covers each of them, and not only their pairs.
pub const COVERAGE_CELLS_MAX: usize = 40;
/// Judged devices that make a history of what good releases had.
pub const HISTORY_JUDGED_MIN: u32 = 200;
/// Devices of each kind, or pair, that a first phase wants to have judged.
pub const COVERAGE_DEVICES: u32 = 5;
/// Attestations that a plan may require.
pub const ATTESTATIONS_MAX: usize = 8;
/// Characters of a predicate type.
pub const PREDICATE_TYPE_CHARS_MAX: usize = 200;
/// Windows of a plan, those that are never right among them.
pub const WINDOWS_MAX: usize = 64;
/// Days ahead in which a window must open.
pub const WINDOW_DAYS: u16 = 14;
/// A device gets its offer so long before its window opens, seconds: it asks once a day at least.
pub const WINDOW_AHEAD_S: u64 = 24 * 3_600;
/// Characters of the name of a zone.
pub const ZONE_CHARS_MAX: usize = 48;
/// Downloads at once in one radio cell.
pub const DOWNLOADS_PER_RADIO_CELL: u32 = 2;
/// Failures at one site in one window that count; more of them together are an outage, not evidence.
pub const SITE_FAILURES_MAX: u32 = 2;
/// Outages of the whole network that a rollout remembers; the oldest is forgotten first.
pub const OUTAGES_MAX: usize = 64;
/// Characters of the reason that a person gives for going on.
pub const REASON_CHARS_MAX: usize = 500;
/// Longest rule for versions, bytes.
pub const VERSION_RULE_BYTES_MAX: usize = 256;
/// Terms of a rule for versions.
pub const VERSION_RULE_TERMS_MAX: usize = 4;
