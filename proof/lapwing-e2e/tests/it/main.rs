//! The real programs and the real enumerator, in one test binary.
//!
//! Touches: processes that it starts, temporary folders, the loopback.

mod counts;
mod hand_made;
mod programs;
mod updaters;
