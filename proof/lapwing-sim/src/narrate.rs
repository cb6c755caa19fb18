//! What a run looks like to people: one line for each thing that matters.
//!
//! Touches: the record's events. Never: says what repeats without news.

use crate::server::Reply;
use crate::twist::{When, table_line};
use crate::world::World;
use lapwing_core::cbor::decode;
use lapwing_core::envelope::Envelope;
use lapwing_core::wire::answer::{Answer, Offer};
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
            self.say("device", || line(&event));
        }
    }

    /// Says what the server answers to a check-in, when it is not what it said last.
    pub(crate) fn narrate_reply(&mut self, reply: &Reply) {
        let Reply::Answer(bytes) = reply else { return };
        let what = match decode(bytes) {
            Ok(Answer::Status(_)) => "has nothing new".to_owned(),
            Ok(Answer::Offer { offer, .. }) => self.offer_line(offer),
            Ok(Answer::CatchUp { root, delegation }) => {
                format!("knows root {root} and delegation {delegation}")
            }
            Ok(other) => format!("{other:?}"),
            Err(_) => return,
        };
        if what != self.answered {
            self.say("server", || what.clone());
            self.answered = what;
        }
    }

    fn offer_line(&self, offer: &[u8]) -> String {
        let offer: Option<Offer> = Envelope::parse(offer).ok().and_then(|offer| decode(offer.payload).ok());
        let Some(offer) = offer else { return "offers something odd".to_owned() };
        let release = self.server.releases.iter().find(|known| Digest::of(&known.envelope) == offer.release);
        let version = release.map_or("nothing known".to_owned(), |known| known.release.version.to_string());
        let travel = if offer.travel.from.is_some() { "a delta" } else { "the full image" };
        let bytes = offer.travel.artifact_size_bytes;
        format!("offers {version} as attempt {}: {travel}, {bytes} bytes", offer.attempt.0)
    }

    /// Says what could not be done, once until something else happens.
    pub(crate) fn say_failure(&mut self, effect: Effect, trouble: Trouble) {
        let what = match effect {
            Effect::Switch { .. } => "Switch".to_owned(),
            Effect::Fetch(_) => "Fetch".to_owned(),
            Effect::Apply(_) => "Apply".to_owned(),
            other => format!("{other:?}"),
        };
        let failed = format!("cannot {what}: {trouble:?}");
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

fn line(event: &Event) -> String {
    let detail = match event.detail {
        Detail::None => String::new(),
        Detail::Cause(cause) => format!(": {}", cause.label()),
        Detail::Gate(gate) => format!(": {gate:?}"),
        Detail::Amount(amount) if event.kind == EventKind::DownloadProgress => format!(": {amount} %"),
        Detail::Amount(amount) => format!(": {amount} bytes"),
    };
    format!("{}{detail}", event.kind.label())
}
