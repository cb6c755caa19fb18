//! Programs under test: started, watched, and ended by their own process id.
//!
//! Touches: processes that it started, `/proc`. Never: ends anything by name.

use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A program that ends when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both its outputs in the file `log`.
    ///
    /// # Errors
    /// When it cannot be started or the log cannot be written.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log).context("open the log")?;
        let program = command.get_program().to_os_string();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When the system does not know it.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Ends it without warning, as a power cut would.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill(&mut self) -> Result<()> {
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        signal(self.pid(), "TERM");
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > GRACE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }
}

/// The process ids of a process's children, oldest first.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A number after a word in a file of `/proc/PID`.
///
/// # Errors
/// When there is none.
pub fn field(pid: u32, file: &str, word: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let line = text.lines().find(|line| line.starts_with(word)).context("a line of /proc")?;
    Ok(line.split_whitespace().nth(1).context("a number of /proc")?.parse()?)
}

/// Open internet sockets of a process: descriptors that `/proc/PID/net/tcp` and its like know.
#[must_use]
pub fn internet_sockets(pid: u32) -> u64 {
    let inodes: Vec<String> = ["tcp", "tcp6", "udp", "udp6"]
        .iter()
        .filter_map(|name| fs::read_to_string(format!("/proc/{pid}/net/{name}")).ok())
        .flat_map(|text| {
            let inode = |line: &str| line.split_whitespace().nth(9).map(str::to_owned);
            text.lines().skip(1).filter_map(inode).collect::<Vec<_>>()
        })
        .collect();
    let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let open = links.filter_map(|link| fs::read_link(link.path()).ok());
    let ours = open.filter(|link| {
        let link = link.display().to_string();
        inodes.iter().any(|inode| link == format!("socket:[{inode}]"))
    });
    ours.count() as u64
}

/// Sends a signal, by its name without SIG, to a process that we started or that one of ours did.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C and SIGTERM make every wait end with an error, so that all that was started is
/// ended in good order.
#[allow(unsafe_code, reason = "std has no door to signals")]
pub fn end_waits_when_interrupted() {
    extern "C" fn note(_: libc::c_int) {
        INTERRUPTED.store(true, Ordering::Relaxed);
    }
    let handler = note as *const () as libc::sighandler_t;
    // SAFETY: the handler only stores to an atomic, which may be done at any instant.
    unsafe {
        libc::signal(libc::SIGINT, handler);
        libc::signal(libc::SIGTERM, handler);
    }
}

/// Gives an error once whoever runs this wants it to end.
///
/// # Errors
/// When Ctrl-C or SIGTERM came since [`end_waits_when_interrupted`].
pub(crate) fn not_interrupted() -> Result<()> {
    ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
    Ok(())
}

/// Looks until `condition` gives something, or the time is up.
///
/// # Errors
/// Those of `condition`, or that the time is up.
pub fn wait_until<T>(patience: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = condition()? {
            return Ok(found);
        }
        not_interrupted()?;
        if start.elapsed() > patience {
            bail!("nothing after {} s", patience.as_secs());
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}
