//! What a run looks like to people: one line for each thing that matters.
//!
//! Touches: the record's events. Never: says what repeats without news.

use crate::world::World;
use lapwing_core::wire::report::{Detail, Event};

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
        if self.transcript.is_none() {
            return;
        }
        for event in news {
            self.say("device", || line(&event));
        }
    }
}

fn line(event: &Event) -> String {
    let detail = match event.detail {
        Detail::None => String::new(),
        Detail::Cause(cause) => format!(": {} ({})", cause.label(), cause.words()),
        Detail::Gate(gate) => format!(": {gate:?}"),
        Detail::Amount(amount) => format!(": {amount}"),
    };
    format!("{} [attempt {}]{detail}", event.kind.label(), event.attempt.0)
}
