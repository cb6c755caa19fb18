//! What a run looks like to people: one line for each thing that matters.
//!
//! Touches: the record's events. Never: says what repeats without news.

use crate::server::Reply;
use crate::twist::{When, table_line};
use crate::world::World;
use lapwing_core::cbor::decode;
use lapwing_core::envelope::Envelope;
use lapwing_core::wire::answer::{Answer, Offer};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, Event, EventKind};
use lapwing_core::{Digest, SlotTable};
use lapwing_device::{Effect, Trouble};

impl World {
    /// Says what the brain noted since the last step.
    pub(crate) fn narrate_step(&mut self) {
        let Some(running) = &mut self.running else { return };
        let news: Vec<Event> = running
            .brain
            .record()
            .events
            .iter()
            .filter(|event| event.number >= running.narrated)
            .copied()
            .collect();
        running.narrated = running.brain.record().next_event;
        for event in news {
            self.now_that(&When::Notes(event.kind));
            if let Some(line) = line(&event) {
                self.say("device", || line);
            }
        }
    }

    /// Says what the server answers to a check-in, when it is not what it said last.
    pub(crate) fn narrate_reply(&mut self, reply: &Reply) {
        let Reply::Answer(bytes) = reply else { return };
        let what = match decode(bytes) {
            Ok(Answer::Status(_)) => "has nothing new".to_owned(),
            // What is on trial is offered until it is known how that ended: no news.
            Ok(Answer::Offer { .. }) if self.doing() == Some("trial") => return,
            Ok(Answer::Offer { offer, .. }) => self.offer_line(offer),
            Ok(Answer::CatchUp { root: 1, .. }) => "says that the device lacks its delegation".to_owned(),
            Ok(Answer::CatchUp { root, .. }) => format!("says that there are root documents up to {root}"),
            Ok(Answer::Wait { after_s, .. }) => {
                format!("has no time, and wants to be asked again in {}", span(after_s.into()))
            }
            Ok(Answer::Nothing { .. } | Answer::Ask(_)) | Err(_) => return,
        };
        if what != self.answered {
            self.say("server", || what.clone());
            self.answered = what;
        }
    }

    /// How a run ended, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let runs = self.runs().unwrap_or_else(|| "nothing".to_owned());
        let (outcomes, bytes, cuts) = (self.outcomes(), self.server.sent_bytes, self.cuts);
        let held = if self.violations.is_empty() { "Everything held" } else { "NOT everything held" };
        format!(
            "{held}: it runs {runs}; outcomes: {outcomes}; {bytes} bytes of artifacts moved; {cuts} power cuts."
        )
    }

    fn offer_line(&self, offer: &[u8]) -> String {
        let offer: Option<Offer> = Envelope::parse(offer).ok().and_then(|offer| decode(offer.payload).ok());
        let Some(offer) = offer else { return "offers something odd".to_owned() };
        let release = self.server.releases.iter().find(|known| Digest::of(&known.envelope) == offer.release);
        let version = release.map_or("nothing known".to_owned(), |known| known.release.version.to_string());
        let bytes = offer.travel.artifact_size_bytes;
        let travel = match release.filter(|_| offer.travel.from.is_some()) {
            Some(known) => format!("a delta of {bytes} bytes instead of {}", known.full.len()),
            None => format!("the full image of {bytes} bytes"),
        };
        format!("offers {version} as attempt {}: {travel}", offer.attempt.0)
    }

    /// Says what could not be done, once until something else happens.
    pub(crate) fn say_failure(&mut self, effect: Effect, trouble: Trouble) {
        let failed = format!("cannot {}: {}", deed(effect), reason(trouble));
        if self.failed.insert(failed.clone()) {
            self.say("device", || failed);
        }
    }

    /// Says how the slot table changed.
    pub(crate) fn say_table(&mut self, before: &SlotTable, after: &SlotTable) {
        if let Some(line) = table_line(before, after) {
            self.failed.clear();
            self.say("table", || line);
        }
    }
}

/// A time as people say it: whole days, hours, minutes or seconds.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let whole = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, name) = whole.unwrap_or((1, "s"));
    format!("{} {name}", seconds / unit)
}

/// What an effect is called when it fails.
const fn deed(effect: Effect) -> &'static str {
    match effect {
        Effect::Save => "store its record",
        Effect::CheckIn => "check in",
        Effect::Report { .. } => "report",
        Effect::FetchTrust(_) => "fetch a trust document",
        Effect::KeepTrust(_) => "store a trust document",
        Effect::Fetch(_) => "go on fetching",
        Effect::Apply(_) => "write the image",
        Effect::DropArtifact => "remove the artifact",
        Effect::SignOfLife => "write down that it lives",
        Effect::Switch { .. } => "switch",
        Effect::Restart => "restart",
        Effect::Confirm => "write down that the trial was good",
        Effect::Settle(_) => "close the way back",
        Effect::RollBack(_) => "go back",
    }
}

const fn reason(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Link { retry_after_ms: None } => "no answer",
        Trouble::Link { retry_after_ms: Some(_) } => "the server is busy",
        Trouble::Refused => "the server refuses",
        Trouble::DiskFull => "the disk is full",
        Trouble::ReadOnly => "the disk is read-only",
        Trouble::Storage => "the storage fails",
        Trouble::SlotTable => "the slot table does not allow it",
        Trouble::Tampered => "the image in the slot was changed",
    }
}

/// What happened on a device, if it is worth a line.
fn line(event: &Event) -> Option<String> {
    let detail = match event.detail {
        Detail::Cause(cause) => format!(": {}", cause.label()),
        Detail::Gate(gate) => format!(": {}", gate_words(gate)),
        Detail::Amount(amount) => match event.kind {
            EventKind::DownloadProgress => format!(" {amount} %"),
            EventKind::Confirmed => format!("; the way back stays open for {}", span(amount)),
            _ => format!(" {amount} bytes"),
        },
        Detail::None | Detail::Unknown(..) => String::new(),
    };
    let what = match event.kind {
        // They come together with the offer.
        EventKind::CheckStarted | EventKind::CheckCompleted => return None,
        EventKind::Offered => "takes the offer",
        EventKind::Deferred => "waits",
        EventKind::DownloadStarted => "begins to fetch",
        EventKind::DownloadProgress => "has",
        EventKind::DownloadCompleted => "has all",
        EventKind::DownloadFailed => "gives up fetching",
        EventKind::VerifyFailed => "refuses what it got",
        EventKind::InstallStarted => "writes the image into the spare slot",
        EventKind::InstallCompleted => "has the whole image in the spare slot",
        EventKind::RebootStarted => "switches and restarts",
        EventKind::RebootCompleted => "runs the new image on trial",
        EventKind::HealthOk => "was healthy for long enough",
        EventKind::HealthFailed => "sees a health check fail",
        EventKind::Confirmed => "confirms the update",
        EventKind::RollbackTriggered => "leaves the new image",
        EventKind::RollbackCompleted => "is back on the old image",
        EventKind::AttemptFailed => "ends the attempt",
        EventKind::Unknown(_) => "notes something of the future",
    };
    Some(format!("{what}{detail}"))
}

const fn gate_words(gate: Gate) -> &'static str {
    match gate {
        Gate::OptedOut => "its owner opted out",
        Gate::VersionPolicy => "its version policy does not take it unasked",
        Gate::Window => "its window is closed",
        Gate::Battery => "the battery is low",
        Gate::Supply => "the supply is not stable",
        Gate::Link => "the link is gone, or too poor",
        Gate::DataBudget => "the data budget is spent",
        Gate::Room => "there is no room",
        Gate::TrialOpen => "a trial is open",
        Gate::Watching => "the last update is still being watched",
        Gate::ReportsPending => "outcomes must be reported first",
        Gate::Host => "its host says so",
        Gate::Unknown(_) => "for something of the future",
    }
}
