//! What a fleet does next: which release a device is offered and why not, what its reports make of
//! an attempt, which deltas are worth making and keeping, what an update will cost.
//!
//! Touches: `lapwing_core`. Never: a clock, a store, a socket; facts and times are arguments.

pub mod limits;

mod attempt;
mod catalogue;
mod device;
mod group;
mod noted;
mod spelled;
mod window;
mod zones;

mod blocker;
mod bringing;
mod calls;
mod decide;
mod delivery;
mod delta_plan;
mod forecast;
mod rate;
mod retention;
mod retry;
mod version_rule;

pub mod audit;
pub mod filter;
pub mod rollout;

#[cfg(test)]
mod shelves;

pub use attempt::{AttemptState, Outcome};
pub use blocker::Blocker;
pub use bringing::Bringing;
pub use calls::{CallFor, Calls, brings_more};
pub use catalogue::{Catalogue, Entry, Shelf};
pub use decide::{Decision, Grant, decide};
pub use delivery::{Next, Taken, after_try};
pub use delta_plan::{Pair, delta_plan, is_published_base};
pub use device::{Component, DeviceFacts, PastAttempt, Standing};
pub use forecast::{DeviceCount, FieldBase, Forecast, Link, Load, MicroMoney, Route, Rule, Terms, forecast};
pub use group::{EVERYONE, Group, GroupName, Members, Purpose};
pub use noted::{NoteError, Noted};
pub use rate::{Asked, Rate, TooOften};
pub use retention::{Demand, InUse, Kept, Verdict, retention};
pub use retry::{FailureClass, RetryPolicy};
pub use version_rule::{Comparison, VersionRule, VersionRuleError};
pub use window::{NoOpening, Opening, TimeOfDay, Weekday, Window, WindowError, Windows, ZoneName};
pub use zones::{Offsets, Zones};
