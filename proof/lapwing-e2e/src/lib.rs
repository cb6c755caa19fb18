//! The real binaries on loopback: what the demo, the benches and the tests that need processes share.
//!
//! Everything here uses the programs as a user would: by their command lines, files and HTTP.

mod binaries;
mod process;

mod device;
mod fleet;

mod story;

pub use binaries::Binaries;
pub use device::Device;
pub use fleet::{Fleet, HARDWARE};
pub use process::{Process, signal, wait_until};
pub use story::{Summary, tell};
