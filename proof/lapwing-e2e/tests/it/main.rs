//! The real programs and the real enumerator, in one test binary.
//!
//! Touches: processes that it starts, temporary folders, the loopback.

mod agent_updates;
mod chaos;
mod counts;
mod hand_made;
mod identity;
mod story;
mod updaters;
