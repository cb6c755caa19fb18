//! One driver for all targets: `LAPWING_FUZZ_TARGET` says which one libFuzzer feeds.
//!
//! Touches: the environment. Built by `cargo xtask fuzz` with a nightly toolchain.
#![no_main]

use lapwing_fuzz::{TARGETS, Target, find};
use std::sync::LazyLock;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("LAPWING_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or(&TARGETS[0])
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
