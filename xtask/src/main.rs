//! The one entrance: `cargo xtask {demo, test, check, tidy, bench, cuts, fuzz, sim}`.

fn main() {}
