//! `cargo xtask bench delta`: our deltas beside those of others, in one run on one machine.
//!
//! Touches: the rooms below, a cache of images in the target folder, `docs/benchmarks/`.
//! Never: compares figures of different runs; every patch is made, applied and compared anew.

mod built;
mod contenders;
mod corpus;
mod measure;
mod metal;
mod plot;
mod results;

use anyhow::{Context, Result, bail, ensure};
use contenders::{Contender, contenders};
use corpus::Pair;
use lapwing_e2e::{Binaries, figures, print_goals, write_figures};
use measure::Line;
use results::{Meeting, goals, means};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

const FLAGS: &str = "--quick, --metal, --out FILE, --pair OLD NEW (several times)";
const WHERE_FIGURES_ARE_KEPT: &str = "docs/benchmarks/delta.json";

/// What was asked for.
#[derive(Default)]
struct Asked {
    quick: bool,
    /// Only ours, and on a Cortex-M.
    metal: bool,
    out: Option<PathBuf>,
    pairs: Vec<Pair>,
}

fn main() -> Result<()> {
    let Asked { quick, metal, out, pairs } = asked(std::env::args().skip(1))?;
    let binaries = Binaries::find()?;
    let whole = !quick && pairs.is_empty();
    let cache = binaries.folder().parent().context("find the target folder")?.join("bench-delta");
    let pairs = if pairs.is_empty() { corpus::pairs(&cache, quick || metal) } else { pairs };
    ensure!(!pairs.is_empty(), "there is no pair to compare");
    let desk = tempfile::tempdir()?;
    if metal {
        let (rows, goals) = metal::rows(&pairs, &binaries.program("lapwing"), desk.path())?;
        let report = figures("cargo xtask bench metal", &rows, &goals);
        print_goals(&report);
        return write_figures(&report, &out.unwrap_or_else(|| metal::KEPT.into()));
    }
    let contenders = contenders(&binaries);
    let mut meetings = Vec::new();
    for pair in pairs {
        let meeting = meet(pair, &contenders, desk.path())?;
        print!("{}", meeting.table());
        meetings.push(meeting);
    }
    println!("\ngeometric mean of {} pairs", meetings.len());
    means(&meetings).iter().for_each(|(name, mean)| println!("{name:<22} {mean:>19.3}"));
    let floor = Line::new(binaries.program("lapwing"), &["--version"]).measure(&desk.path().join("notes"))?;
    println!("lapwing, doing nothing {:>31} KiB of RSS", floor.peak_rss_kib);
    let mut rows: Vec<_> = meetings.iter().flat_map(Meeting::rows).collect();
    rows.push(json!({ "what": "lapwing --version: what our process is without work", "peak_rss_kib": floor.peak_rss_kib }));
    let command = format!("cargo xtask bench delta{}", if quick { " --quick" } else { "" });
    let report = figures(&command, &rows, &goals(&meetings));
    println!();
    print_goals(&report);
    // Figures of a part do not replace those of the whole unless somebody says so.
    let Some(out) = out.or(whole.then(|| WHERE_FIGURES_ARE_KEPT.into())) else { return Ok(()) };
    write_figures(&report, &out)?;
    let picture = out.with_extension("svg");
    fs::write(&picture, plot::svg(&meetings)).with_context(|| format!("write {}", picture.display()))
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Asked> {
    let mut asked = Asked::default();
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--quick" => asked.quick = true,
            "--metal" => asked.metal = true,
            "--out" => asked.out = Some(arguments.next().context("--out wants a file")?.into()),
            "--pair" => {
                let [old, new] = [arguments.next(), arguments.next()].map(|file| file.map(PathBuf::from));
                let (old, new) = old.zip(new).context("--pair wants two files, OLD and NEW")?;
                let name = new.display().to_string();
                asked.pairs.push(Pair { name, old, new, is_patch_level: false, prototype_bytes: None });
            }
            other => bail!("no flag {other}; there are: {FLAGS}"),
        }
    }
    Ok(asked)
}

/// All contenders on one pair, one after the other.
fn meet(pair: Pair, contenders: &[Contender], desk: &Path) -> Result<Meeting> {
    let [old, new] = [&pair.old, &pair.new].map(|path| fs::canonicalize(path).context("find an image"));
    let (old, new) = (old?, new?);
    let size = |path: &Path| fs::metadata(path).map(|data| data.len());
    let mut outcomes = Vec::new();
    for contender in contenders {
        eprintln!("{}: {}", pair.name, contender.name);
        let outcome = contender.meet(&old, &new, desk);
        outcomes.push(outcome.with_context(|| format!("measure {} on {}", contender.name, pair.name))?);
    }
    Ok(Meeting { old_bytes: size(&old)?, new_bytes: size(&new)?, pair, outcomes })
}
