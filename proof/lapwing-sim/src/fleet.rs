//! The real fleet brain against a hundred thousand made-up devices, in virtual time.
//!
//! `devices` is who they are, `story` what happens to them, `world` with `asking` and `surroundings` makes it
//! happen; `rivals` are the rules that others use, `report` and `plot` say what came of many seeds.
//! Never: decides anything for the brain; a clock, a socket or a disk.

mod devices;
mod story;

mod rivals;
mod world;

mod asking;
mod surroundings;

mod narrated;
mod plot;
mod report;

pub use devices::Devices;
pub use narrated::narrate;
pub use plot::svg;
pub use report::{Depth, Report, measure};
pub use story::{CheckIns, Failing, Ruling, Story, Style, Trouble};
pub use world::{Ending, play};
