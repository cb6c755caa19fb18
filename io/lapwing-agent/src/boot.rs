//! One boot: from the moment the agent looks what runs until the program is restarted.
//!
//! Pops an event, asks the brain, carries out its effects in order, collects what comes of them. When an
//! effect fails the rest of its step is dropped and the failure becomes an event.
//! Touches: `body`, the clock, the brain. Never: decides.

use crate::body::{Body, Done, Happened};
use crate::control::{self, Control, Request};
use crate::handle::Handle;
use crate::measuring::Measuring;
use crate::ports::Clock;
use crate::restart::{After, Restarting};
use crate::run::RunError;
use crate::status;
use crate::wake::Ear;
use lapwing_core::Uptime;
use lapwing_core::wire::check_in::Health;
use lapwing_device::{Boot, Conditions, Device, Event, Now, Step};
use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Everything that begins with a boot and is forgotten with it.
pub(crate) struct BootSession {
    device: Device,
    body: Body,
    control: Option<Control>,
    queue: VecDeque<Happened>,
    clock: Clock,
    /// When it began, by that clock.
    began_ms: u64,
    last_step: Uptime,
    measure_at: Uptime,
    conditions: Option<Conditions>,
    health: Health,
    ear: Ear,
}

impl BootSession {
    pub(crate) fn new(
        device: Device,
        body: Body,
        control: Option<Control>,
        clock: Clock,
        booted: Boot,
        ear: Ear,
    ) -> Self {
        Self {
            device,
            body,
            control,
            queue: VecDeque::from([Happened::Plain(Event::Booted(booted))]),
            began_ms: clock(),
            clock,
            last_step: Uptime(0),
            measure_at: Uptime(0),
            conditions: None,
            health: Health::Unknown,
            ear,
        }
    }

    /// Closes what is open and marks it: the run ends by its own will.
    pub(crate) fn end(&mut self) {
        self.body.talking.rest();
        self.body.mark.end();
    }

    /// Closes what is open before the loop goes to sleep. A transfer that only keeps to its rate goes on in
    /// a moment, by the same connection.
    pub(crate) fn rest(&mut self) {
        if self.body.fetch_due().is_none() {
            self.body.talking.rest();
        }
    }

    /// Can be read when a client wants something, or somebody calls.
    pub(crate) fn wakers(&self) -> [Option<BorrowedFd<'_>>; 2] {
        [self.control.as_ref().map(Control::clients), self.ear.calls()]
    }

    fn uptime(&self) -> Uptime {
        Uptime((self.clock)().saturating_sub(self.began_ms))
    }

    /// Serves whoever asks from outside.
    pub(crate) fn listen(&mut self, handle: &Handle) {
        self.body.pace.transfers = handle.transfers();
        let mut triggered = handle.take_trigger();
        while let Some((request, client)) = self.control.as_ref().and_then(Control::next) {
            match request {
                Request::Status => control::answer(client, &self.status()),
                Request::Trigger => {
                    triggered = true;
                    control::answer(client, "ok");
                }
            }
        }
        if triggered {
            self.queue.push_back(Happened::Plain(Event::Triggered));
        }
        if self.ear.called(self.uptime()) {
            self.queue.push_back(Happened::Plain(Event::Called));
        }
    }

    fn status(&self) -> String {
        status::render(&self.device, self.uptime(), &self.body.slots, &self.body.pace)
    }

    /// Measures when it is time, and tells what changed.
    pub(crate) fn measure(&mut self, measuring: &mut Measuring) {
        let now = self.uptime();
        if now < self.measure_at {
            return;
        }
        self.measure_at = now.after(measuring.settings.interval_ms);
        let dir = self.body.dir.root();
        let conditions = measuring.conditions(dir, self.body.reusable_bytes());
        let health = measuring.health(dir);
        if self.conditions != Some(conditions) {
            self.conditions = Some(conditions);
            self.queue.push_back(Happened::Plain(Event::Conditions(conditions)));
        }
        if self.health != health {
            self.health = health;
            self.queue.push_back(Happened::Plain(Event::Health(health)));
        }
    }

    pub(crate) fn next_event(&mut self) -> Result<Option<Happened>, RunError> {
        if let Some(happened) = self.queue.pop_front() {
            return Ok(Some(happened));
        }
        let now = self.uptime();
        let is_due = |due: &Uptime| *due <= now;
        if self.body.fetch_due().as_ref().is_some_and(is_due) {
            let happened = self.body.fetch(&self.device, now);
            self.count();
            self.queue.extend(happened);
            return Ok(self.queue.pop_front());
        }
        if self.device.wake_at(self.last_step).as_ref().is_some_and(is_due) {
            return Ok(Some(Happened::Plain(Event::Woke)));
        }
        let anchors = &self.device.anchor().root().tls_anchors;
        self.ear.ask(&self.body.talking, anchors, now, entropy()?);
        self.count();
        Ok(self.queue.pop_front())
    }

    pub(crate) fn time_left(&self) -> Duration {
        let dues = [self.device.wake_at(self.last_step), self.body.fetch_due(), self.ear.due()];
        let next = dues.into_iter().flatten().fold(self.measure_at, Uptime::min);
        Duration::from_millis(next.since(self.uptime()))
    }

    pub(crate) fn step(
        &mut self,
        happened: &Happened,
        restarting: &mut Restarting,
    ) -> Result<Option<After>, RunError> {
        let now = Now { uptime: self.uptime(), entropy: entropy()? };
        let first_event = self.device.record().next_event;
        let Step { next, effects, ignored } = self.device.clone().step(now, happened.event());
        self.device = next;
        self.last_step = now.uptime;
        if let Some(why) = ignored {
            log::debug!("the brain took no notice: {why:?}");
        }
        if effects.dropped() > 0 {
            log::error!("the brain asked for more than a step has room for");
        }
        self.log_events(first_event);
        for &effect in &effects {
            log::debug!("{effect:?}");
            let done = self.body.perform(&self.device, effect, happened, restarting);
            self.count();
            match done {
                Ok(Done::Quietly) => {}
                Ok(Done::With(event)) => self.queue.push_back(event),
                Ok(Done::Restarted(after)) => return Ok(Some(after)),
                Err(trouble) => {
                    self.queue.push_back(Happened::Plain(Event::Failed(effect, trouble)));
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Tells what crossed the link, before what it brought.
    fn count(&mut self) {
        let bytes = self.body.talking.spent_bytes();
        if bytes > 0 {
            self.queue.push_back(Happened::Plain(Event::Spent { bytes }));
        }
    }

    fn log_events(&self, first: u32) {
        for event in self.device.record().events.iter().filter(|event| event.number >= first) {
            log::info!("{} {:?} (attempt {})", event.kind.label(), event.detail, event.attempt.0);
        }
    }
}

/// Fresh random bits.
pub(crate) fn entropy() -> Result<u64, RunError> {
    getrandom::u64().map_err(|error| RunError::Random(io::Error::other(error)))
}
