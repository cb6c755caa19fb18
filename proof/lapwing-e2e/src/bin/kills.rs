//! `cargo xtask kills --count N [--seed S]`: kill -9 at random instants, as often as wanted.
//!
//! Touches: a temporary folder that goes away at the end.

use anyhow::{Context, Result};
use lapwing_e2e::{Binaries, kill_at_random};

fn main() -> Result<()> {
    let (mut count, mut seed) = (10_000, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse().ok());
        let value: u32 = value.with_context(|| format!("{flag} wants a number"))?;
        match flag.as_str() {
            "--count" => count = value,
            "--seed" => seed = value.into(),
            _ => anyhow::bail!("no flag {flag}; there are: --count N, --seed S"),
        }
    }
    let dir = tempfile::tempdir()?;
    let toll = kill_at_random(&Binaries::find()?, dir.path(), seed, count)?;
    println!("{count} kills with seed {seed}: no brick, no lost outcome. {toll:?}");
    Ok(())
}
