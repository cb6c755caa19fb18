//! How a switch takes effect: in place through the launcher, by a supervisor, by a command, in a child.
//!
//! Touches: exec, processes. Entered from: `body`.
//! Never: starts a slot itself; the launcher spends the tries.

use crate::adapters::running_mark::RunningMark;
use crate::command;
use crate::config::{CommandLine, RestartSettings};
use crate::os::DeathSignal;
use crate::ports::RestartHook;
use crate::program::Program;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What comes after a restart that this process lived to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The run is over; somebody starts the launcher.
    EndOfRun,
    /// The program was restarted beside this process: look again at what runs.
    NewBoot,
}

/// How to restart.
pub(crate) struct Restarting {
    pub(crate) how: RestartSettings,
    pub(crate) launcher: PathBuf,
    /// What a supervisor arranged for the thread that made the agent, and the next image shall keep.
    pub(crate) death_signal: DeathSignal,
    /// For the next image.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) hook: Option<RestartHook>,
    /// The program, where it is a child of the agent.
    pub(crate) program: Option<Program>,
}

impl Restarting {
    /// Restarts into whatever the slot table says. With the launcher it only comes back when that failed.
    pub(crate) fn restart(&mut self, device_dir: &Path, mark: &RunningMark) -> io::Result<After> {
        mark.end();
        let outcome = match (&mut self.hook, &self.how) {
            (Some(hook), _) => hook().map(|()| After::EndOfRun),
            (None, RestartSettings::Exit) => Ok(After::EndOfRun),
            (None, RestartSettings::Command(line)) => run_command(line).map(|()| After::NewBoot),
            (None, RestartSettings::Launcher) => Err(self.become_launcher(device_dir)),
            (None, RestartSettings::Child { .. }) => {
                self.program.iter_mut().for_each(Program::stop);
                Ok(After::NewBoot)
            }
        };
        if outcome.is_err() {
            mark.renew();
        }
        outcome
    }

    /// All threads of this process end here, and its process id goes on.
    fn become_launcher(&self, device_dir: &Path) -> io::Error {
        // What a host has printed and not flushed would be lost.
        let _ = io::stdout().flush();
        self.death_signal.take_over();
        Command::new(&self.launcher)
            .arg("run")
            .arg("--root")
            .arg(device_dir)
            .arg("--")
            .args(&self.arguments)
            .exec()
    }
}

fn run_command(line: &CommandLine) -> io::Result<()> {
    match command::run(line)?.succeeded {
        true => Ok(()),
        false => Err(io::Error::other("the restart command failed")),
    }
}
