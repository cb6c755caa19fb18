//! One artifact, from files to a file: in a worker process where there is one.
//!
//! Touches: the files that the job names; standard input, in the worker, which ends when that is closed:
//! so it never outlives its server. Never: the store; whoever asked proves the result again.

use super::prove::Image;
use lapwing_delta::{Base, MakeError, NoBase, Profile, make};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, nice, pidfd_open, pidfd_send_signal, setrlimit,
};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// What a worker needs beside the artifact's own memory, bytes.
const WORKER_BYTES: u64 = 64 << 20;
/// How much a worker steps back behind the server.
const WORKER_NICE: i32 = 10;
/// How a worker ends that found its job impossible; any other failure is an accident.
const IMPOSSIBLE: u8 = 65;

/// The program that makes artifacts in processes of their own.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The program; it calls [`delta_worker`].
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// One artifact to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    /// None for the full image.
    pub(super) base: Option<PathBuf>,
    pub(super) target: PathBuf,
    /// The number of the profile.
    pub(super) profile: u8,
    pub(super) out: PathBuf,
    /// Most memory, the images included.
    pub(super) memory_bytes: u64,
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum CraftError {
    #[error("the files: {0}")]
    Io(#[from] io::Error),
    #[error("making it: {0}")]
    Make(#[from] MakeError),
    #[error("the worker found it impossible")]
    Impossible,
    #[error("the worker died: {0}")]
    Died(ExitStatus),
    #[error("the worker took too long")]
    TooSlow,
}

impl CraftError {
    /// Whether another try may go better.
    pub(super) fn is_accident(&self) -> bool {
        matches!(self, Self::Died(_))
    }

    /// Whether a worker was lost over it.
    pub(super) fn is_loss(&self) -> bool {
        matches!(self, Self::Died(_) | Self::TooSlow)
    }
}

/// What holds a worker: without it the worker ends, unless it is stopped.
pub(super) struct Leash {
    _input: Option<ChildStdin>,
    process: OwnedFd,
}

impl Leash {
    /// Ends the worker, even one that is stopped.
    pub(super) fn pull(&self) {
        // One that has ended has ended.
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
    }

    /// Waits until the worker ends by itself; false if that takes longer than `time`.
    pub(super) fn slackens_within(&self, time: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut process = [PollFd::new(&self.process, PollFlags::IN)];
        Ok(retry_on_intr(|| poll(&mut process, Some(&time)))? > 0)
    }
}

/// Starts a worker on a job. It goes on until it is done or its leash is dropped or pulled.
pub(super) fn start(worker: &Worker, job: &Job) -> io::Result<(Child, Arc<Leash>)> {
    let mut child = Command::new(&worker.program)
        .args(&worker.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let line = serde_json::to_string(job).map_err(io::Error::other)?;
    if let Some(input) = &mut child.stdin {
        // A worker that died before it read its job is judged by how it ended.
        drop(writeln!(input, "{line}"));
    }
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let leash = Arc::new(Leash { _input: child.stdin.take(), process });
    Ok((child, leash))
}

/// What the end of a worker means.
pub(super) fn judge(status: ExitStatus) -> Result<(), CraftError> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) if code == i32::from(IMPOSSIBLE) => Err(CraftError::Impossible),
        _ => Err(CraftError::Died(status)),
    }
}

/// Does a job in this process.
pub(super) fn craft(job: &Job, go_on: &dyn Fn() -> bool) -> Result<(), CraftError> {
    let mut base: Box<dyn Base> = match &job.base {
        Some(base) => Box::new(Image(File::open(base)?)),
        None => Box::new(NoBase),
    };
    let mut target = Image(File::open(&job.target)?);
    let mut progress = |_| if go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let bytes = make(&mut *base, &mut target, profile_for(job.profile), &mut progress)?;
    Ok(std::fs::write(&job.out, bytes)?)
}

/// What a worker does with its life: reads one job from standard input, does it, and ends. Closing its
/// standard input ends it at once.
#[must_use]
pub fn delta_worker() -> ExitCode {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let Some(job) = read.ok().and_then(|_| serde_json::from_str::<Job>(&line).ok()) else {
        return ExitCode::FAILURE;
    };
    let bytes = job.memory_bytes.saturating_add(WORKER_BYTES);
    // Both are courtesies to the machine; the server has counted the memory already.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    let _ = nice(WORKER_NICE);
    std::thread::spawn(|| {
        drop(io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(1);
    });
    match craft(&job, &|| true) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CraftError::Make(error)) => {
            eprintln!("an artifact cannot be made: {error}");
            ExitCode::from(IMPOSSIBLE)
        }
        Err(error) => {
            eprintln!("an artifact was not made: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The largest profile that this server and a device both know.
pub(crate) fn profile_for(number: u8) -> Profile {
    match number {
        0 | 1 => Profile::Kib64,
        2 => Profile::Kib256,
        3 => Profile::Mib1,
        _ => Profile::Free,
    }
}
