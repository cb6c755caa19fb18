//! A device: a provisioned folder and the launcher that supervises its program.
//!
//! Touches: the folder, the program `lapwing-launcher`. Never: writes what the agent owns.

use crate::binaries::Binaries;
use crate::process::{Process, children};
use anyhow::{Context, Result};
use lapwing_core::{Digest, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, Slot, SlotTable};
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Short intervals: a whole trial takes a few seconds.
const QUICK: &str = r"
[talking]
check_in_interval_ms = 1000
retry_first_ms = 100
retry_max_ms = 1000

[trial]
healthy_min_ms = 600
deadline_ms = 20000
unhealthy_max_ms = 1000
sign_of_life_ms = 300
checkpoint_ms = 1000
follow_ups_ms = [200, 400, 600]

[measuring]
interval_ms = 100
";

/// A device on this machine.
#[derive(Debug)]
pub struct Device {
    /// Its name.
    pub id: String,
    dir: PathBuf,
    log: PathBuf,
    launcher: PathBuf,
    supervisor: Option<Process>,
}

impl Device {
    /// Takes over a provisioned folder and shortens its intervals.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    pub fn new(id: &str, dir: &Path, binaries: &Binaries, logs: &Path) -> Result<Self> {
        let launcher = binaries.program("lapwing-launcher");
        let mut config = fs::File::options().append(true).open(dir.join("agent.toml"))?;
        writeln!(config, "{QUICK}\n[restart]\nlauncher = {launcher:?}")?;
        let log = logs.join(format!("{id}.log"));
        Ok(Self { id: id.to_owned(), dir: dir.to_owned(), log, launcher, supervisor: None })
    }

    /// Switches it on.
    ///
    /// # Errors
    /// When the launcher cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let mut command = Command::new(&self.launcher);
        command.args(["supervise", "--root"]).arg(&self.dir);
        self.start_by(command)
    }

    /// Switches it on by a command that starts [`Self::launcher_run`] in its own way.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn start_by(&mut self, command: Command) -> Result<()> {
        self.supervisor = Some(Process::start(command, &self.log)?);
        Ok(())
    }

    /// The words that start its program once, as a supervisor of the host's own would.
    #[must_use]
    pub fn launcher_run(&self) -> [String; 4] {
        let words = [self.launcher.display().to_string(), "run".into(), "--root".into()];
        let [launcher, run, root] = words;
        [launcher, run, root, self.dir.display().to_string()]
    }

    /// Pulls the plug: supervisor and program end without warning.
    ///
    /// # Errors
    /// When they cannot be reaped.
    pub fn cut_power(&mut self) -> Result<()> {
        // The launcher has its program killed by the kernel when it dies.
        self.supervisor.take().map_or(Ok(()), |mut supervisor| supervisor.kill())
    }

    /// The process id of the program, while it runs.
    #[must_use]
    pub fn program_pid(&self) -> Option<u32> {
        let slots = self.dir.join("slots");
        let runs_slot = |pid: &u32| {
            fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|image| image.starts_with(&slots))
        };
        let mut pids = vec![self.supervisor.as_ref()?.pid()];
        while let Some(pid) = pids.pop() {
            if runs_slot(&pid) {
                return Some(pid);
            }
            pids.extend(children(pid));
        }
        None
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What its programs wrote.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its slot table.
    ///
    /// # Errors
    /// When it cannot be read, which would be a brick.
    pub fn slot_table(&self) -> Result<SlotTable> {
        let file = fs::File::open(self.dir.join("slot-table"))?;
        let mut records = [[0; SLOT_RECORD_LEN]; 2];
        for (record, offset) in records.iter_mut().zip(SLOT_RECORD_OFFSETS) {
            file.read_exact_at(record, offset)?;
        }
        SlotTable::decode(&records).with_context(|| format!("read the slot table of {}", self.id))
    }

    /// Digest of the bytes in a slot.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn image(&self, slot: Slot) -> Result<Digest> {
        Ok(Digest::of(&fs::read(self.dir.join("slots").join(slot.name()).join("image"))?))
    }
}
