//! A program that does not embed the agent: run by the agent as its child, through the launcher.
//!
//! Touches: processes, `/proc`. Entered from: `run`, `restart`. It dies with the agent, so that no two
//! of it ever run. Never: starts a slot itself; the launcher spends the tries.

use crate::command::wait;
use crate::limits::{CHILD_DELAY_MS, CHILD_PATIENCE_MS, CHILD_RESET_MS};
use crate::os::{self, Signal};
use lapwing_core::Slot;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The program and when to start it again.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) launcher: PathBuf,
    pub(crate) device_dir: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// How long it may take to end when asked.
    pub(crate) stop_timeout: Duration,
    running: Option<Running>,
    delay_ms: u64,
    start_at: Option<Instant>,
    crashed: bool,
}

#[derive(Debug)]
struct Running {
    child: Child,
    end: Option<OwnedFd>,
    since: Instant,
}

impl Program {
    pub(crate) fn new(
        launcher: PathBuf,
        device_dir: PathBuf,
        arguments: Vec<OsString>,
        stop_timeout: Duration,
    ) -> Self {
        let delay_ms = *CHILD_DELAY_MS.start();
        Self {
            launcher,
            device_dir,
            arguments,
            stop_timeout,
            running: None,
            delay_ms,
            start_at: None,
            crashed: false,
        }
    }

    /// Whether it ended by itself since the last call; it will be started again after a while.
    pub(crate) fn has_ended(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        let Ok(Some(status)) = running.child.try_wait() else { return false };
        let lived_ms = u64::try_from(running.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if lived_ms >= CHILD_RESET_MS {
            self.delay_ms = *CHILD_DELAY_MS.start();
        }
        log::warn!("the program ended ({status}); starting it again in {} ms", self.delay_ms);
        self.start_at = Some(Instant::now() + Duration::from_millis(self.delay_ms));
        self.delay_ms = self.delay_ms.saturating_mul(2).min(*CHILD_DELAY_MS.end());
        self.crashed = !status.success();
        self.running = None;
        true
    }

    /// How long it still has to be left alone, if it does.
    pub(crate) fn delay(&self) -> Option<Duration> {
        let left = self.start_at?.saturating_duration_since(Instant::now());
        (self.running.is_none() && !left.is_zero()).then_some(left)
    }

    /// Starts it unless it runs. Tells the slot that the launcher chose, and whether it crashed before.
    pub(crate) fn start(&mut self) -> io::Result<(Option<Slot>, bool)> {
        if self.running.is_none() {
            let mut command = Command::new(&self.launcher);
            command.arg("run").arg("--root").arg(&self.device_dir).arg("--").args(&self.arguments);
            let child = os::dies_with_us(&mut command).spawn()?;
            let end = os::process_end(child.id()).ok();
            self.running = Some(Running { child, end, since: Instant::now() });
        }
        let slot = self.running.as_mut().and_then(|running| slot_of(&mut running.child));
        Ok((slot, std::mem::take(&mut self.crashed)))
    }

    /// Ends it, if need be by force.
    pub(crate) fn stop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        os::signal(running.child.id(), os::Group::Alone, Signal::Terminate);
        if !matches!(wait(&mut running.child, self.stop_timeout), Ok(Some(_))) {
            log::warn!("the program did not end when asked; killing it");
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        self.start_at = None;
    }

    /// Can be read when it has ended.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        Some(self.running.as_ref()?.end.as_ref()?.as_fd())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the launcher told the image, read from outside once it has become it.
fn slot_of(child: &mut Child) -> Option<Slot> {
    const STEP: Duration = Duration::from_millis(5);
    let path = format!("/proc/{}/environ", child.id());
    let deadline = Instant::now() + Duration::from_millis(CHILD_PATIENCE_MS);
    while Instant::now() < deadline {
        let told = fs::read(&path).unwrap_or_default();
        let variables = told.split(|byte| *byte == 0).filter_map(|text| text.strip_prefix(b"LAPWING_SLOT="));
        let slot = variables.filter_map(|name| std::str::from_utf8(name).ok()).find_map(Slot::named);
        if slot.is_some() || wait(child, STEP).is_ok_and(|ended| ended.is_some()) {
            return slot;
        }
    }
    None
}
