//! Runs a program under strace and notes what it did to one folder.
//!
//! Touches: strace, the folder, a temporary folder for the log. Entered from: tests.
//! Never: guesses. What is not understood is an error, and the changes noted must lead from the
//! folder before to the folder after, byte for byte.

mod calls;
mod log;
mod processes;

use crate::changes::Recording;
use crate::tree::Tree;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// Longer than anything that is written at once; a string that is cut short is an error.
const STRING_BYTES_MAX: &str = "268435456";
const UMASK: u32 = 0o022;
const OUTPUT_CHARS_MAX: usize = 2000;

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// Files, or strace itself.
    #[error("trace {what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The program did not end well.
    #[error("run the traced program: {status}\n{output}")]
    Program {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// The program changed the folder in a way that the models do not know.
    #[error("model what the program did: {0}")]
    NotModelled(String),
    /// A line of the log makes no sense.
    #[error("read the log: {0}")]
    Garbled(String),
    /// The folder does not look as the log says: something went unnoticed.
    #[error("account for a change: the log does not explain `{0}`")]
    Unexplained(String),
}

/// Whether programs can be traced here at all.
///
/// # Errors
/// Why not: strace is missing, or the system forbids tracing.
pub fn tracing_possible() -> Result<(), String> {
    let output = Command::new("strace").args(["-f", "-y", "-xx", "-o", "/dev/null", "true"]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("strace: {error}")),
    }
}

/// Runs `command` to its end and notes what it and its children did to the folder `root`.
///
/// # Errors
/// See [`TraceError`]; the program must end well.
pub fn trace(root: &Path, command: &Command) -> Result<Recording, TraceError> {
    Tracing::start(root, command)?.finish()
}

/// A program that runs and is traced. It is killed on drop.
#[derive(Debug)]
pub struct Tracing {
    strace: Child,
    folder: TempDir,
    root: PathBuf,
    before: Tree,
}

impl Tracing {
    /// Starts `command`: its program, arguments, variables and folder count, its streams do not.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn start(root: &Path, command: &Command) -> Result<Self, TraceError> {
        let io = |what| move |source| TraceError::Io { what, source };
        let root = root.canonicalize().map_err(io("the folder"))?;
        let before = Tree::read(&root).map_err(io("the folder"))?;
        let folder = tempfile::tempdir().map_err(io("into a temporary folder"))?;
        let output = File::create(folder.path().join("output")).map_err(io("output"))?;
        let errors = output.try_clone().map_err(io("output"))?;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-y", "-xx", "--seccomp-bpf", "-s", STRING_BYTES_MAX, "-e", "signal=none", "-o"]);
        strace.arg(folder.path().join("log")).arg("-e").arg(calls::filter());
        // The mask is part of what a new file's permissions are made of.
        strace.args(["sh", "-c", &format!("umask {UMASK:o} && exec \"$0\" \"$@\"")]);
        strace.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        strace.current_dir(command.get_current_dir().unwrap_or(&root));
        strace.stdin(Stdio::null()).stdout(output).stderr(errors);
        let strace = strace.spawn().map_err(io("with strace"))?;
        Ok(Self { strace, folder, root, before })
    }

    /// The number of the traced process, once it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        let log = fs::read(self.folder.path().join("log")).ok()?;
        let digits = log.split(|byte| *byte == b' ').next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// What the program has said so far on both its streams.
    #[must_use]
    pub fn output(&self) -> String {
        let bytes = fs::read(self.folder.path().join("output")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks the program to end, as a service manager does.
    pub fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Waits for the end of the program and of all its children.
    ///
    /// # Errors
    /// See [`TraceError`]; the program must end well.
    pub fn finish(mut self) -> Result<Recording, TraceError> {
        let io = |what| move |source| TraceError::Io { what, source };
        let status = self.strace.wait().map_err(io("to the end"))?;
        if !status.success() {
            let output = self.output();
            let skipped = output.chars().count().saturating_sub(OUTPUT_CHARS_MAX);
            return Err(TraceError::Program { status, output: output.chars().skip(skipped).collect() });
        }
        let log = fs::read_to_string(self.folder.path().join("log")).map_err(io("log"))?;
        let now = Tree::read(&self.root).map_err(io("the folder"))?;
        let setting = calls::Start { root: &self.root, folder: &self.root, umask: UMASK };
        let recording = calls::read(&log, &setting, self.before.clone())?;
        match recording.after(recording.operations.len()).difference(&now) {
            None => Ok(recording),
            Some(path) => Err(TraceError::Unexplained(path)),
        }
    }

    fn signal(&self, signal: &str) {
        if let Some(process) = self.process() {
            // Nothing is left to do if it has ended already.
            let _ = Command::new("kill").args([signal, &process.to_string()]).status();
        }
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        if matches!(self.strace.try_wait(), Ok(None)) {
            self.signal("-KILL");
            let _ = self.strace.wait();
        }
    }
}
