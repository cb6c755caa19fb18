//! The agent and its one loop: begins a boot, lets it take steps until nothing is due, waits.
//!
//! Touches: every hook and adapter once, when a boot begins. Entered from: the host, `main`.
//! Never: decides, or blocks while there is something to do.

use crate::adapters::identity_files;
use crate::adapters::record_file;
use crate::adapters::reset_cause;
use crate::adapters::running_mark::{CRASHED, MarkError, RunningMark};
use crate::adapters::slots_app::{AppSlots, SlotsError};
use crate::adapters::trust_files::{self, TrustError};
use crate::body::Body;
use crate::boot::{BootSession, entropy};
use crate::config::{AgentSettings, RestartSettings, WakeSettings};
use crate::control::Control;
use crate::device_dir::DeviceDir;
use crate::handle::Handle;
use crate::limits::STEPS_PER_TURN_MAX;
use crate::measuring::Measuring;
use crate::os;
use crate::ports::{Clock, ConditionsHook, FactsHook, HealthCheck, RestartHook};
use crate::program::Program;
use crate::restart::{After, Restarting};
use crate::talking::Talking;
use crate::wake::Ear;
use lapwing_core::{BootId, Slot};
use lapwing_device::{Boot, Device};
use lapwing_transport::client::{Client, Dial, SecurityContext, TcpDial};
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One agent: keeps one component of one device up to date.
pub struct Agent {
    settings: AgentSettings,
    dir: DeviceDir,
    dial: Arc<dyn Dial>,
    clock: Clock,
    measuring: Measuring,
    facts_hooks: Vec<FactsHook>,
    restarting: Restarting,
    handle: Handle,
    boot: Option<BootSession>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody cancelled it.
    Cancelled,
    /// The slot table was changed: the process should end, and the launcher be started.
    Restart,
}

/// What to do after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Take the next one after this time, or when [`Agent::wakers`] has something to read.
    Wait(Duration),
    /// The run is over.
    Ended(Ended),
}

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another agent runs in the same device directory.
    #[error("another agent runs in this device directory")]
    AlreadyRunning,
    /// The device directory cannot be used.
    #[error("the device directory cannot be used")]
    Dir(#[source] io::Error),
    /// The slots cannot be used.
    #[error("the slots cannot be used")]
    Slots(#[from] SlotsError),
    /// There is nothing to believe.
    #[error("nothing can be believed")]
    Trust(#[from] TrustError),
    /// The launcher could not be started.
    #[error("the program cannot be started")]
    Program(#[source] io::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Random(#[source] io::Error),
}

impl Agent {
    /// An agent with these settings. Nothing is opened before the first turn.
    ///
    /// Call it in the main thread: what a supervisor arranged for the process, such as that it dies with
    /// it, belongs to that thread, and a restart from another one would lose it.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new(settings: AgentSettings) -> io::Result<Self> {
        let measuring = Measuring {
            settings: settings.measuring.clone(),
            health_checks: Vec::new(),
            conditions_hooks: Vec::new(),
        };
        let restarting = Restarting {
            how: settings.restart.clone(),
            launcher: settings.launcher.clone(),
            death_signal: os::DeathSignal::of_this_thread(),
            arguments: env::args_os().skip(1).collect(),
            hook: None,
            program: None,
        };
        Ok(Self {
            dir: DeviceDir::new(settings.device_dir.clone()),
            dial: Arc::new(TcpDial),
            clock: Arc::new(os::boot_time_ms),
            settings,
            measuring,
            facts_hooks: Vec::new(),
            restarting,
            handle: Handle::new()?,
            boot: None,
        })
    }

    /// Adds a health check. All of them must hold.
    #[must_use]
    pub fn with_health_check(mut self, check: HealthCheck) -> Self {
        self.measuring.health_checks.push(check);
        self
    }

    /// Adds something that knows about the world.
    #[must_use]
    pub fn with_conditions(mut self, hook: ConditionsHook) -> Self {
        self.measuring.conditions_hooks.push(hook);
        self
    }

    /// Adds something that knows facts about the device.
    #[must_use]
    pub fn with_facts(mut self, hook: FactsHook) -> Self {
        self.facts_hooks.push(hook);
        self
    }

    /// Restarts by this instead of what the settings say.
    #[must_use]
    pub fn with_restart(mut self, hook: RestartHook) -> Self {
        self.restarting.hook = Some(hook);
        self
    }

    /// Hands these arguments to the next image instead of those of this process.
    #[must_use]
    pub fn with_arguments(mut self, arguments: Vec<OsString>) -> Self {
        self.restarting.arguments = arguments;
        self
    }

    /// Connects by this instead of TCP.
    #[must_use]
    pub fn with_dial(mut self, dial: Arc<dyn Dial>) -> Self {
        self.dial = dial;
        self
    }

    /// Goes by this clock instead of the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A way to reach this agent from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until it is cancelled or a restart is due. With [`RestartSettings::Launcher`] a restart
    /// does not return: this process becomes the next image.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(&mut self) -> Result<Ended, RunError> {
        loop {
            match self.turn()? {
                Turn::Ended(ended) => return Ok(ended),
                Turn::Wait(time) => {
                    os::wait_readable(&self.wakers(), Some(time));
                }
            }
        }
    }

    /// What wakes an agent before its time, for a host that waits by itself.
    #[must_use]
    pub fn wakers(&self) -> Vec<BorrowedFd<'_>> {
        let boot = self.boot.as_ref().map_or([None; 2], BootSession::wakers);
        let program = self.restarting.program.as_ref().and_then(Program::end);
        [Some(self.handle.news()), program].into_iter().chain(boot).flatten().collect()
    }

    /// Does everything that is due. May block for as long as one exchange with a server takes.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn turn(&mut self) -> Result<Turn, RunError> {
        self.handle.drain();
        for _ in 0..STEPS_PER_TURN_MAX {
            if self.handle.is_cancelled() {
                return Ok(self.end(Ended::Cancelled));
            }
            if let Some(wait) = self.program_delay() {
                return Ok(Turn::Wait(wait));
            }
            let boot = match self.boot.take() {
                Some(boot) => boot,
                None => self.begin()?,
            };
            let boot = self.boot.insert(boot);
            boot.listen(&self.handle);
            boot.measure(&mut self.measuring);
            let Some(happened) = boot.next_event()? else {
                boot.rest();
                return Ok(Turn::Wait(boot.time_left()));
            };
            match boot.step(&happened, &mut self.restarting)? {
                None => {}
                Some(After::EndOfRun) => return Ok(self.end(Ended::Restart)),
                Some(After::NewBoot) => self.boot = None,
            }
        }
        Ok(Turn::Wait(Duration::ZERO))
    }

    fn end(&mut self, ended: Ended) -> Turn {
        if let Some(mut boot) = self.boot.take() {
            boot.end();
        }
        // A program that is a child ends with the run.
        self.restarting.program = None;
        Turn::Ended(ended)
    }

    /// How long a program that ended by itself still has to be left alone, if it did.
    fn program_delay(&mut self) -> Option<Duration> {
        let program = self.restarting.program.as_mut()?;
        if program.has_ended() {
            self.boot = None;
        }
        program.delay()
    }

    /// The slot that the launcher chose for the program, where that is a child; whether it crashed before.
    fn start_program(&mut self) -> io::Result<(Option<Slot>, bool)> {
        let RestartSettings::Child { stop_timeout_ms } = self.settings.restart else {
            return Ok((None, false));
        };
        let Restarting { launcher, arguments, program, .. } = &mut self.restarting;
        let program = program.get_or_insert_with(|| {
            let stop_timeout = Duration::from_millis(stop_timeout_ms);
            Program::new(launcher.clone(), self.settings.device_dir.clone(), arguments.clone(), stop_timeout)
        });
        program.start()
    }

    /// What talks. Without a context, or with one that cannot be read, it does not talk CoAP.
    fn client(&self, dir: &DeviceDir) -> Client {
        let client = Client::new(self.settings.client.clone(), self.dial.clone());
        let context = identity_files::context(dir).and_then(|given| {
            let Some(given) = given else { return Ok(None) };
            let (kid, secret, reserved) = (given.kid.clone(), given.secret.clone(), given.reserved);
            let dir = dir.clone();
            let reserve = Box::new(move |up_to| identity_files::reserve(&dir, &given, up_to));
            SecurityContext::new(&kid, &secret, reserved, reserve, self.settings.coap_first_timer_ms)
                .map(Some)
        });
        match context {
            Ok(Some(context)) => client.with_context(context),
            Ok(None) => client,
            Err(error) => {
                log::error!("failed to read the security context, CoAP is out of use: {error}");
                client
            }
        }
    }

    /// Finds out what runs and what was being tried.
    fn begin(&mut self) -> Result<BootSession, RunError> {
        let dir = self.dir.clone();
        let (mark, before) = RunningMark::set(&dir.running_mark()).map_err(|error| match error {
            MarkError::Held => RunError::AlreadyRunning,
            MarkError::Io(error) => RunError::Dir(error),
        })?;
        let (chosen, program_crashed) = self.start_program().map_err(RunError::Program)?;
        let told = chosen.or(self.settings.slot).or_else(|| told_by_launcher(dir.root()));
        let (slots, table) = AppSlots::open(dir.clone(), told)?;
        slots.show_current();
        let anchor = trust_files::load(&dir)?;
        let loaded = record_file::load(&dir.record());
        let stored = loaded.as_stored(identity_files::has_secret(&dir));
        let device = Device::new(self.settings.brain.clone(), anchor, stored);
        let mut facts = self.settings.facts.clone();
        facts.extend(self.facts_hooks.iter_mut().flat_map(|hook| hook()));
        facts.extend(self.settings.wake.as_ref().and_then(WakeSettings::fact));
        let client = self.client(&dir);
        let identity = self.settings.brain.identity.clone();
        let talking = Talking::new(client, dir.clone(), identity, facts, self.settings.checkpoint_bytes);
        let control = Control::listen(&dir)
            .inspect_err(|error| log::warn!("failed to listen for status and trigger: {error}"))
            .ok();
        let booted = Boot {
            id: BootId(entropy()?.to_be_bytes()),
            table,
            slot: slots.booted(),
            running: slots.running(),
            reset: reset_cause::since(before),
            crashed: program_crashed || before == CRASHED,
        };
        log::info!("slot {} runs image {}", booted.slot.name(), booted.running.short());
        let body = Body::new(dir, slots, talking, mark, &self.settings);
        let ear = Ear::new(self.settings.wake.clone());
        Ok(BootSession::new(device, body, control, self.clock.clone(), booted, ear))
    }
}

/// What the launcher said, if it was for this directory.
fn told_by_launcher(device_dir: &Path) -> Option<Slot> {
    let root = env::var_os("LAPWING_ROOT")?;
    let same = Path::new(&root).canonicalize().ok()? == device_dir.canonicalize().ok()?;
    let slot = env::var("LAPWING_SLOT").ok()?;
    same.then(|| Slot::named(&slot)).flatten()
}
