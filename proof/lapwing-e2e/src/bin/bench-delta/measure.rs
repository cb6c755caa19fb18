//! What one run of a program costs: time, and the most memory it ever had.
//!
//! Touches: the program `time`, which is small enough not to be measured itself.
//! Never: measures two things at once.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What it cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_rss_kib: u64,
}

impl Cost {
    /// One after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            wall_s: self.wall_s + next.wall_s,
            cpu_s: self.cpu_s + next.cpu_s,
            peak_rss_kib: self.peak_rss_kib.max(next.peak_rss_kib),
        }
    }
}

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Line {
    pub(crate) fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self { program: program.into(), arguments: arguments.iter().map(|&a| a.to_owned()).collect() }
    }

    /// With files after the other arguments.
    pub(crate) fn files(mut self, files: &[&Path]) -> Self {
        self.arguments.extend(files.iter().map(|file| file.display().to_string()));
        self
    }

    /// With an argument that ends in a file's name.
    pub(crate) fn with(mut self, argument: &str, file: &Path) -> Self {
        self.arguments.push(format!("{argument}{}", file.display()));
        self
    }

    /// Runs it to its end and measures it; its output goes to `notes`.
    pub(crate) fn measure(&self, notes: &Path) -> Result<Cost> {
        let times = notes.with_extension("time");
        let out = fs::File::create(notes).context("make a file for the notes")?;
        let status = Command::new("/usr/bin/time")
            .args(["--quiet", "-f", "%e %U %S %M", "-o"])
            .arg(&times)
            .arg(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .status()
            .context("start /usr/bin/time")?;
        let said = || fs::read_to_string(notes).unwrap_or_default();
        ensure!(status.success(), "{}: {status}: {}", self.program.display(), said().trim());
        let text = fs::read_to_string(&times).context("read the times")?;
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
        let mut next = || numbers.next().context("a number of `time`");
        let (wall_s, user_s, system_s, peak_rss_kib) = (next()?, next()?, next()?, next()?);
        Ok(Cost { wall_s, cpu_s: user_s + system_s, peak_rss_kib: peak_rss_kib as u64 })
    }
}

/// Runs a program of no interest to its end, in `folder`, and gives what it said.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.with_context(|| format!("start {program}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    ensure!(output.status.success(), "{program} {}: {last}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
