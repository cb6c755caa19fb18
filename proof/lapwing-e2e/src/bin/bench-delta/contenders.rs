//! The programs that are compared: how each makes a patch and applies it.
//!
//! Touches: bsdiff, zstd, xdelta3, hdiffz where they are, and the program `lapwing`.
//! Never: believes a patch that does not give the new image back.

use crate::measure::{Cost, Line, run};
use anyhow::{Context, Result, ensure};
use lapwing_e2e::Binaries;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Against whose patches all others are compared.
pub(crate) const BASELINE: &str = "bsdiff+zstd-19";
/// Our profiles, and the memory each stands for.
pub(crate) const PROFILES: [(&str, u64); 4] =
    [("64KiB", 64 << 10), ("256KiB", 256 << 10), ("1MiB", 1 << 20), ("free", 32 << 20)];

/// A program and the way it is used.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Bsdiff,
    Zstd,
    Xdelta3,
    Hdiffz,
    Ours { lapwing: PathBuf, profile: &'static str },
}

/// One patch of one contender.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) contender: String,
    pub(crate) patch_bytes: u64,
    pub(crate) make: Cost,
    pub(crate) apply: Cost,
    /// What `lapwing delta inspect` says; null for others.
    pub(crate) inspect: Value,
}

/// All that can be run here, the baseline first; those that cannot are named.
pub(crate) fn contenders(binaries: &Binaries) -> Vec<Contender> {
    let peers = [
        (BASELINE, Kind::Bsdiff, ["bsdiff", "bspatch"]),
        ("zstd --patch-from -19", Kind::Zstd, ["zstd", "zstd"]),
        ("xdelta3 -9 -S lzma", Kind::Xdelta3, ["xdelta3", "xdelta3"]),
        ("hdiffz -c-lzma2", Kind::Hdiffz, ["hdiffz", "hpatchz"]),
    ];
    let mut all = Vec::new();
    for (name, kind, programs) in peers {
        match programs.iter().find(|program| !is_there(program)) {
            Some(missing) => eprintln!("!!! {name} is left out: no program {missing} here"),
            None => all.push(Contender { name: name.to_owned(), kind }),
        }
    }
    let lapwing = binaries.program("lapwing");
    all.extend(PROFILES.map(|(profile, _)| {
        let kind = Kind::Ours { lapwing: lapwing.clone(), profile };
        Contender { name: ours(profile), kind }
    }));
    all
}

/// The name of ours in a profile.
pub(crate) fn ours(profile: &str) -> String {
    format!("lapwing {profile}")
}

fn is_there(program: &str) -> bool {
    run(Path::new("."), "sh", &["-c", "command -v \"$0\"", program]).is_ok()
}

impl Contender {
    /// Makes the patch, applies it, compares the result; everything below the folder `desk`.
    pub(crate) fn meet(&self, old: &Path, new: &Path, desk: &Path) -> Result<Outcome> {
        let (patch, back) = (desk.join("patch"), desk.join("back"));
        for file in [&patch, &back] {
            drop(fs::remove_file(file));
        }
        let notes = desk.join("notes");
        let mut inspect = Value::Null;
        let (make, apply) = match &self.kind {
            Kind::Bsdiff => bsdiff(old, new, &patch, &back, desk)?,
            Kind::Zstd => {
                let dash_o = Path::new("-o");
                let line = |arguments| Line::new("zstd", arguments).with("--patch-from=", old);
                let make = line(&["-q", "-19", "--long=27"]).files(&[new, dash_o, &patch]);
                let apply = line(&["-q", "-d", "--long=27"]).files(&[&patch, dash_o, &back]);
                (make.measure(&notes)?, apply.measure(&notes)?)
            }
            Kind::Xdelta3 => {
                let make = Line::new("xdelta3", &["-e", "-9", "-S", "lzma", "-f", "-s"]);
                let apply = Line::new("xdelta3", &["-d", "-f", "-s"]);
                let make = make.files(&[old, new, &patch]).measure(&notes)?;
                (make, apply.files(&[old, &patch, &back]).measure(&notes)?)
            }
            Kind::Hdiffz => {
                let make = Line::new("hdiffz", &["-m-1", "-SD", "-c-lzma2", "-f"]);
                let make = make.files(&[old, new, &patch]).measure(&notes)?;
                (make, Line::new("hpatchz", &["-f"]).files(&[old, &patch, &back]).measure(&notes)?)
            }
            Kind::Ours { lapwing, profile } => {
                let line = |arguments: &[&str]| Line::new(lapwing, arguments).with("--base=", old);
                let make = line(&["delta", "make", "--profile", profile]).with("--image=", new);
                let make = make.with("--out=", &patch).measure(&notes)?;
                let said =
                    run(desk, &lapwing.display().to_string(), &["--json", "delta", "inspect", "patch"])?;
                inspect = serde_json::from_str(&said).context("read what inspect says")?;
                let apply = line(&["delta", "apply"]).files(&[&patch]).with("--out=", &back);
                (make, apply.measure(&notes)?)
            }
        };
        ensure!(fs::read(&back)? == fs::read(new)?, "{} does not give the new image back", self.name);
        let patch_bytes = fs::metadata(&patch)?.len();
        Ok(Outcome { contender: self.name.clone(), patch_bytes, make, apply, inspect })
    }
}

/// The baseline: bsdiff's three streams, raw and one after the other, through `zstd -19`. What Debian's
/// program spends on bzip2 is in its times, and applying is its own bspatch.
fn bsdiff(old: &Path, new: &Path, patch: &Path, back: &Path, desk: &Path) -> Result<(Cost, Cost)> {
    const HEADER_BYTES: usize = 32;
    let (whole, raw, notes) = (desk.join("bsdiff"), desk.join("raw"), desk.join("notes"));
    let make = Line::new("bsdiff", &[]).files(&[old, new, &whole]).measure(&notes)?;
    let bytes = fs::read(&whole)?;
    let length = |at: usize| -> Option<usize> {
        let bytes = bytes.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let (control, difference) = length(8).zip(length(16)).context("a patch of bsdiff")?;
    let ends = [HEADER_BYTES, HEADER_BYTES + control, HEADER_BYTES + control + difference, bytes.len()];
    let mut streams = Vec::new();
    for (start, end) in ends.iter().zip(&ends[1..]) {
        fs::write(desk.join("stream.bz2"), bytes.get(*start..*end).context("a stream of bsdiff")?)?;
        run(desk, "bzip2", &["-d", "-f", "stream.bz2"])?;
        streams.extend(fs::read(desk.join("stream"))?);
    }
    fs::write(&raw, streams)?;
    let squeeze = Line::new("zstd", &["-q", "-19", "-f"]).files(&[&raw, Path::new("-o"), patch]);
    let make = make.then(squeeze.measure(&notes)?);
    Ok((make, Line::new("bspatch", &[]).files(&[old, back, &whole]).measure(&notes)?))
}
