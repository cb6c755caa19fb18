//! `cargo xtask bench metal`: what applying takes of a Cortex-M4, by profile: instructions, stack, memory.
//!
//! Touches: the program `lapwing`, and the board that QEMU plays. Every figure is exact, whatever else the
//! machine does. Never: times anything.

use crate::contenders::PROFILES;
use crate::corpus::Pair;
use crate::measure::run;
use crate::results::{at_most, rounded};
use anyhow::{Context, Result, ensure};
use lapwing_metal::{Applied, Player};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Where the figures are kept.
pub(crate) const KEPT: &str = "docs/benchmarks/metal.json";
/// The pair of images that such a processor could run.
const PAIR: &str = "cortex-m";
/// The profiles that boards have memory for.
const BOARD_PROFILES: usize = 3;

/// Rows for each pair, profile and kind of artifact, and the goal that they answer.
pub(crate) fn rows(pairs: &[Pair], lapwing: &Path, desk: &Path) -> Result<(Vec<Value>, Vec<Value>)> {
    let player = Player::find()?;
    let mut rows = Vec::new();
    let mut shares = Vec::new();
    println!(
        "{:<18} {:<11} {:<8} {:>5} {:>12} {:>12} {:>7} {:>9} {:>9}",
        "pair", "artifact", "profile", "codec", "bytes", "instructions", "/ byte", "stack", "memory"
    );
    for pair in pairs.iter().filter(|pair| pair.name == PAIR) {
        for (profile, profile_bytes) in PROFILES.into_iter().take(BOARD_PROFILES) {
            for base in [Some(&pair.old), None] {
                let job = Job { lapwing, profile, base: base.map(|path| path.as_path()), image: &pair.new };
                let (artifact, applied) = job.run(&player, desk)?;
                let Applied { target, instructions, stack_bytes, memory_bytes, scratch_bytes } = applied;
                let per_byte = rounded(instructions as f64 / target.len() as f64);
                let kind = artifact["kind"].as_str().unwrap_or_default();
                let codec = &artifact["codec"];
                let artifact_bytes = &artifact["artifact_bytes"];
                println!(
                    "{:<18} {kind:<11} {profile:<8} {codec:>5} {artifact_bytes:>12} {instructions:>12} \
                     {per_byte:>7.0} {stack_bytes:>9} {memory_bytes:>9}",
                    pair.name
                );
                shares.push((memory_bytes + stack_bytes) as f64 / profile_bytes as f64);
                rows.push(json!({
                    "pair": pair.name,
                    "artifact": kind,
                    "profile": profile,
                    "codec": codec,
                    "artifact_bytes": artifact_bytes,
                    "image_bytes": target.len(),
                    "instructions": instructions,
                    "instructions_per_image_byte": per_byte,
                    "stack_bytes": stack_bytes,
                    "memory_bytes": memory_bytes,
                    "scratch_bytes": scratch_bytes,
                }));
            }
        }
    }
    let worst = shares.into_iter().reduce(f64::max).context("no pair is for such a processor")?;
    Ok((rows, vec![at_most("D3", 1.0, worst, "of the profile, memory and measured stack, worst artifact")]))
}

/// An artifact to be made and applied on the board.
struct Job<'a> {
    lapwing: &'a Path,
    profile: &'a str,
    /// None for a full image.
    base: Option<&'a Path>,
    image: &'a Path,
}

impl Job<'_> {
    /// What `lapwing delta inspect` says of the artifact, and what became of it.
    fn run(&self, player: &Player, desk: &Path) -> Result<(Value, Applied)> {
        let program = self.lapwing.display().to_string();
        let [out, image] = [&desk.join("patch"), self.image].map(|path| path.display().to_string());
        let make = ["delta", "make", "--profile", self.profile, "--image", &image, "--out", &out];
        let base_path = self.base.map(|base| base.display().to_string());
        let base_flag = base_path.iter().flat_map(|base| ["--base", base]);
        run(desk, &program, &make.into_iter().chain(base_flag).collect::<Vec<_>>())?;
        let said = run(desk, &program, &["--json", "delta", "inspect", &out])?;
        let base = self.base.map(fs::read).transpose()?.unwrap_or_default();
        let applied = player.apply(&base, &fs::read(&out)?, desk)?;
        ensure!(applied.target == fs::read(self.image)?, "the board made another image");
        Ok((serde_json::from_str(&said).context("read what inspect says")?, applied))
    }
}
