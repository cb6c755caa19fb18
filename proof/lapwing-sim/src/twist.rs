//! Turns that a story takes: to the power, the disk, the link, the server, the image.
//!
//! Touches: the world. Entered from: `chance`, which draws them, and `scenario`, which reads them.

use crate::maker::{DAY_S, Image, Key, START, trust};
use crate::narrate::span;
use crate::network::Network;
use crate::program::Program;
use crate::server::Published;
use crate::supply::Supply;
use crate::told::Told;
use crate::world::{Happening, World};
use lapwing_core::wire::answer::Urgency;
use lapwing_core::wire::report::EventKind;
use lapwing_core::{Return, SlotState};
use std::ops::Range;

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Twist {
    /// A release is shipped.
    Ship(Shipment),
    /// What was shipped is withdrawn.
    Withdraw,
    /// The newest release is offered again.
    Offer,
    /// The power goes for so long, milliseconds.
    PowerOff(u64),
    /// From now on, for so long, the power comes and goes in boots of at most this, milliseconds.
    BrownOuts(u64, u64),
    /// The disk has no room, or has again.
    DiskFull(bool),
    /// The disk takes no writes, or does again.
    ReadOnly(bool),
    /// So many ranges of artifacts go wrong.
    SpoilRanges(u32),
    /// The link is gone for so long, milliseconds.
    LinkGone(u64),
    /// The link is there for no image, or again for all that have one.
    LinkUp(bool),
    /// The server is gone for so long, milliseconds.
    ServerGone(u64),
    /// The server is there for so long, milliseconds, and has no time for anybody.
    ServerBusy(u64),
    /// Offers may be acted on for so many seconds.
    OffersLast(u32),
    /// Offers are to be switched on between these times of a day, milliseconds since the beginning; or at once.
    SwitchWindow(Option<Range<u64>>),
    /// Offers do not wait for the follow-ups of the last update, or do again.
    Urgent(Urgency),
    /// The server's clock is off by so many seconds.
    ClockOff(i64),
    /// So many root documents follow, each with another key; the last brings other keys for all roles, but
    /// the release key only if nothing was released yet.
    RotateRoots(u32),
    /// Bytes of the image that runs are changed in its slot.
    TamperRunning,
    /// Bytes of the image that waits are changed in its slot.
    TamperSpare,
    /// The program is started again.
    Restart,
    /// So many bytes may be written, or as many as wanted.
    Room(Option<u64>),
    /// The host's window is closed, or opens.
    WindowClosed(bool),
    /// Somebody at the device asks for an update.
    Trigger,
    /// The world becomes kind.
    Peace,
}

/// What is shipped, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The version.
    pub version: String,
    /// Its seq; the next one if none.
    pub seq: Option<u64>,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

/// What can be wrong with a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nobody signed it.
    Unsigned,
    /// The artifact is not the one that the offer names.
    FalseArtifact,
    /// Deltas do not decode.
    FalseDelta,
    /// There are no deltas.
    NoDelta,
}

impl Flaw {
    const fn words(self) -> &'static str {
        match self {
            Self::Unsigned => "that no release key signed",
            Self::FalseArtifact => "with other bytes in place of its artifact",
            Self::FalseDelta => "with deltas that do not decode",
            Self::NoDelta => "without deltas",
        }
    }
}

/// When a turn is taken that waits for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// The device notes this, for the first time.
    Notes(EventKind),
    /// So many percent of an artifact are stored.
    Fetched(u64),
}

impl World {
    /// The story takes a turn, now.
    pub(crate) fn twist(&mut self, twist: &Twist) {
        self.failed.clear();
        self.say("world", || line(twist));
        match twist {
            Twist::Ship(shipment) => self.send(shipment),
            Twist::Withdraw => self.server.target = None,
            Twist::Offer => self.server.target = self.server.releases.len().checked_sub(1),
            Twist::PowerOff(ms) => {
                self.off_ms = Some(*ms);
                self.power_off(self.loss);
            }
            Twist::BrownOuts(longest_ms, lasts_ms) => self.brown_outs(*longest_ms, *lasts_ms),
            Twist::DiskFull(full) => self.disk.room_bytes = full.then_some(0),
            Twist::ReadOnly(read_only) => self.disk.read_only = *read_only,
            Twist::SpoilRanges(ranges) => self.server.spoil_ranges = *ranges,
            Twist::LinkGone(ms) => self.lose_link(*ms),
            Twist::LinkUp(up) => self.link_up = *up,
            Twist::ServerGone(ms) => self.server_down.push(self.now_ms..self.now_ms + ms),
            Twist::ServerBusy(ms) => self.server.busy_until_ms = self.now_ms + ms,
            Twist::OffersLast(seconds) => self.server.ttl_s = *seconds,
            Twist::SwitchWindow(window) => self.server.switch_window_ms.clone_from(window),
            Twist::Urgent(urgency) => self.server.urgency = *urgency,
            Twist::ClockOff(seconds) => self.server.clock_off_s = *seconds,
            Twist::RotateRoots(roots) => self.rotate_roots(*roots),
            Twist::TamperRunning => self.tamper(true),
            Twist::TamperSpare => self.tamper(false),
            Twist::Restart if self.lives_long_enough() => self.program_dies(),
            Twist::Restart => {}
            Twist::Room(bytes) => self.conditions.room_bytes = *bytes,
            Twist::WindowClosed(closed) => self.conditions.window_closed = *closed,
            Twist::Trigger => self.tell(Told::Triggered),
            Twist::Peace => self.peace(),
        }
        self.tell_conditions();
    }

    /// A start that is ended before its sign of life counts as silent, whoever ends it: people who restart a
    /// program twice in ten seconds get the old one back.
    fn lives_long_enough(&self) -> bool {
        let silent = self.table().is_some_and(|table| table.starts_silent > 0);
        self.running.is_some() && !silent
    }

    /// The link is gone for so long, and the device notices when it comes back.
    pub(crate) fn lose_link(&mut self, ms: u64) {
        self.network.outages_ms.push(self.now_ms..self.now_ms + ms);
        self.happens_in(ms, Happening::Measured);
    }

    fn brown_outs(&mut self, longest_ms: u64, lasts_ms: u64) {
        let until_ms = self.now_ms + lasts_ms;
        self.supply = Supply::Sagging { on_ms_min: 250, on_ms_max: longest_ms, until_ms };
        self.happens_in(longest_ms, Happening::PowerOff);
    }

    /// Tells the brain what the world around it is like.
    pub(crate) fn tell_conditions(&mut self) {
        let Some(life) = self.running.as_ref().map(|running| running.life) else { return };
        let conditions = self.conditions_now();
        self.happens_in(1, Happening::Tell(life, Told::Conditions(conditions)));
    }

    /// Publishes a release and makes it the target.
    pub(crate) fn send(&mut self, shipment: &Shipment) {
        let has = |flaw| shipment.flaws.contains(&flaw);
        let Some(image) = self.images.iter().find(|image| image.version.as_str() == shipment.version) else {
            return self.violate(format!("there is no image {}", shipment.version));
        };
        let image = image.clone();
        let newest = self.server.releases.iter().map(|known| known.release.seq).max().unwrap_or(1);
        let release = crate::maker::release(&image, shipment.seq.unwrap_or(newest + 1));
        let bases: Vec<&Image> = self.images.iter().filter(|_| !has(Flaw::NoDelta)).collect();
        let signer = if has(Flaw::Unsigned) { "stranger" } else { self.server.release_key };
        let mut published = Published::signed_by(signer, release, &image, &bases);
        if has(Flaw::FalseDelta) {
            published.deltas.values_mut().for_each(|delta| delta.truncate(12));
        }
        published.is_false = has(Flaw::FalseArtifact);
        self.server.ship(published);
        if !has(Flaw::Unsigned) {
            self.allowed.insert(image.digest());
        }
    }

    /// Each root follows the one before, signed by the keys of both; the window of the new online key begins
    /// today.
    fn rotate_roots(&mut self, roots: u32) {
        if self.server.roots.len() > 1 {
            return;
        }
        let (mut root, mut signer) = (trust::root(), "root-a".to_owned());
        for step in 1..=roots {
            root.version += 1;
            let next = format!("root-{step}");
            root.keys[0] = Key::named(&next).public().clone();
            if step == roots && self.server.releases.is_empty() {
                root.keys[1] = Key::named("release-b").public().clone();
                self.server.release_key = "release-b";
            }
            if step == roots {
                root.keys[2] = Key::named("delegator-b").public().clone();
            }
            self.server.roots.push(trust::signed_root(&root, &[&signer, &next]));
            signer = next;
        }
        let today = self.server.now(self.now_ms).since(START) / DAY_S;
        self.server.delegation = (2, trust::delegation(2, today, "online-b", "delegator-b"));
        self.server.online = "online-b";
    }

    fn tamper(&mut self, running: bool) {
        let Some(slot) = self.running.as_ref().map(|now| if running { now.slot } else { now.slot.other() })
        else {
            return;
        };
        let waits = self.table().is_some_and(|table| table.slot(slot).state == SlotState::Staged);
        if !running && !waits {
            return;
        }
        let file = crate::launch::slot_file(slot);
        self.disk.tamper(file, |bytes| bytes.iter_mut().skip(100).take(4).for_each(|byte| *byte ^= 0xff));
        let bytes = self.disk.read(file).unwrap_or(&[]).to_vec();
        let image = Image { version: crate::maker::name("modified"), bytes, program: Program::Good };
        if running {
            // Whoever changes an image in place starts what they changed: that is not ours to prevent.
            self.allowed.insert(image.digest());
        }
        self.images.push(image);
    }

    /// The world is kind from here on: what is to be done can be done.
    fn peace(&mut self) {
        self.network = Network::good();
        self.supply = Supply::Steady;
        (self.disk.room_bytes, self.disk.read_only, self.link_up) = (None, false, true);
        (self.conditions.window_closed, self.conditions.room_bytes) = (false, None);
        (self.server.clock_off_s, self.server.busy_until_ms) = (0, 0);
        (self.server.ttl_s, self.server.switch_window_ms) = (3_600, None);
        self.server.spoil_ranges = 0;
        self.server_down.clear();
        self.server.idle = false;
        self.server.target = self.server.releases.len().checked_sub(1);
        if let Some(newest) = self.newest().filter(|image| image.program != Program::Good) {
            // A bad last word would be tried for ever: something good follows.
            let image = Image::new(&format!("{}.1", newest.version), Program::Good);
            self.ship(&image, self.server.releases.len() as u64 + 2);
        }
    }

    /// The image that was shipped last.
    pub(crate) fn newest(&self) -> Option<Image> {
        let digest = self.server.releases.last()?.release.image;
        self.images.iter().find(|image| image.digest() == digest).cloned()
    }

    /// Takes the turns that waited for this.
    pub(crate) fn now_that(&mut self, what: &When) {
        let reached = |when: &When| match (when, what) {
            (When::Fetched(percent), When::Fetched(have)) => have >= percent,
            (when, what) => when == what,
        };
        let waiting = core::mem::take(&mut self.waiting);
        let (due, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(when, _)| reached(when));
        self.waiting = rest;
        for (_, twist) in due {
            self.happens_in(1, Happening::Twist(twist));
        }
    }
}

/// What a turn looks like to people.
fn line(twist: &Twist) -> String {
    let for_s = |ms: &u64| span(ms / 1000);
    match twist {
        Twist::Ship(shipment) if shipment.flaws.is_empty() => format!("ships {}", shipment.version),
        Twist::Ship(shipment) => {
            let flaws: Vec<_> = shipment.flaws.iter().map(|flaw| flaw.words()).collect();
            format!("ships {} {}", shipment.version, flaws.join(" and "))
        }
        Twist::Withdraw => "withdraws the release".to_owned(),
        Twist::Offer => "offers the newest release again".to_owned(),
        Twist::PowerOff(ms) => format!("cuts the power for {}", for_s(ms)),
        Twist::BrownOuts(longest, lasts) => {
            format!("lets the supply sag for {}: boots of at most {longest} ms", for_s(lasts))
        }
        Twist::DiskFull(true) => "fills the disk".to_owned(),
        Twist::DiskFull(false) => "makes room on the disk".to_owned(),
        Twist::ReadOnly(true) => "makes the disk read-only".to_owned(),
        Twist::ReadOnly(false) => "makes the disk writable".to_owned(),
        Twist::SpoilRanges(ranges) => format!("spoils {ranges} transfers"),
        Twist::LinkGone(ms) => format!("takes the link away for {}", for_s(ms)),
        Twist::LinkUp(up) => format!("{} the link", if *up { "brings back" } else { "takes away" }),
        Twist::ServerGone(ms) => format!("takes the server away for {}", for_s(ms)),
        Twist::ServerBusy(ms) => format!("keeps the server busy for {}", for_s(ms)),
        Twist::OffersLast(seconds) => format!("lets offers last {}", span(u64::from(*seconds))),
        Twist::SwitchWindow(None) => "lets devices switch at once".to_owned(),
        Twist::SwitchWindow(Some(window)) => format!(
            "lets devices switch between {} and {} of a day",
            span(window.start / 1000),
            span(window.end / 1000)
        ),
        Twist::Urgent(Urgency::Now) => "asks at the server for an update now".to_owned(),
        Twist::Urgent(Urgency::Routine) => "is in no hurry any more".to_owned(),
        Twist::ClockOff(seconds) => format!("sets the server's clock off by {} h", seconds / 3600),
        Twist::RotateRoots(roots) => format!("publishes {roots} root documents, one after another"),
        Twist::TamperRunning => "changes the running image in place".to_owned(),
        Twist::TamperSpare => "changes the waiting image in place".to_owned(),
        Twist::Restart => "restarts the program".to_owned(),
        Twist::Room(Some(bytes)) => format!("leaves the device room for {bytes} bytes"),
        Twist::Room(None) => "leaves the device all the room it wants".to_owned(),
        Twist::WindowClosed(true) => "closes the window".to_owned(),
        Twist::WindowClosed(false) => "opens the window".to_owned(),
        Twist::Trigger => "asks for an update at the device".to_owned(),
        Twist::Peace => "becomes kind".to_owned(),
    }
}

/// What the table's changes look like to people.
pub(crate) fn table_line(
    before: &lapwing_core::SlotTable,
    after: &lapwing_core::SlotTable,
) -> Option<String> {
    use lapwing_core::Phase::{Settled, Trial, Watched};
    let slot = after.active.name();
    match (before.phase, after.phase) {
        (Settled, Trial) => Some(format!("slot {slot} goes on trial")),
        (Trial, Watched) => Some(format!("slot {slot} is confirmed; the way back stays open")),
        (Watched, Settled) if before.active == after.active => {
            let bad = after.slot(after.active.other()).state == SlotState::Bad;
            let old = if bad { "must not run again" } else { "is kept" };
            Some(format!("slot {slot} is settled, the old image {old}"))
        }
        (Trial | Watched, Settled) if after.returned == Some(Return::AgentAsked) => {
            Some(format!("slot {slot} is active again"))
        }
        _ => None,
    }
}
