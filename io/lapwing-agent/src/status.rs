//! What people at the device want to know, as one line of JSON.
//!
//! Touches: the brain's view. Entered from: `control`.
//! Never: says a secret.

use crate::adapters::slots_app::AppSlots;
use crate::pace::{Pace, Transfers};
use lapwing_core::Uptime;
use lapwing_device::{Device, View};
use std::fmt::Write;

/// The status of a running agent.
pub(crate) fn render(device: &Device, uptime: Uptime, slots: &AppSlots, pace: &Pace) -> String {
    let View {
        doing,
        confirmed,
        trying,
        fetched_bytes,
        budget_bytes,
        deferred,
        failures,
        outcomes_pending,
        trust_versions: (root, delegation),
        freeze_suspected,
    } = device.view(uptime);
    let mut json = String::from("{");
    // Writing to a string cannot fail; names and versions are plain ASCII without quotes.
    let mut say = |name: &str, value: &str| {
        let comma = if json.len() > 1 { "," } else { "" };
        let _ = write!(json, "{comma}\"{name}\":{value}");
    };
    let text = |text: &str| format!("\"{text}\"");
    say("doing", &text(doing));
    say("slot", &text(slots.booted().name()));
    say("running", &text(&slots.running().to_string()));
    say("confirmed_version", &text(confirmed.version.as_str()));
    say("confirmed_seq", &confirmed.seq.to_string());
    let (attempt, version) = trying.map_or(("null".to_owned(), "null".to_owned()), |(attempt, installed)| {
        (attempt.0.to_string(), text(installed.version.as_str()))
    });
    say("trying_version", &version);
    say("attempt", &attempt);
    let (fetched, expected) = fetched_bytes
        .map_or(("null".to_owned(), "null".to_owned()), |(fetched, of)| {
            (fetched.to_string(), of.to_string())
        });
    say("fetched_bytes", &fetched);
    say("expected_bytes", &expected);
    say("transfers", &text(if pace.transfers == Transfers::Paused { "paused" } else { "allowed" }));
    let rate = pace.bytes_per_s_max.map_or_else(|| "null".to_owned(), |rate| rate.to_string());
    say("transfer_bytes_per_s_max", &rate);
    let budget = budget_bytes.map_or_else(|| "null".to_owned(), |bytes| bytes.to_string());
    say("data_budget_left_bytes", &budget);
    let gate = deferred.map_or_else(|| "null".to_owned(), |gate| text(&format!("{gate:?}")));
    say("deferred_by", &gate);
    say("failures", &failures.to_string());
    say("outcomes_pending", &outcomes_pending.to_string());
    say("root_version", &root.to_string());
    say("delegation_version", &delegation.to_string());
    say("freeze_suspected", &freeze_suspected.to_string());
    say("uptime_ms", &uptime.0.to_string());
    json.push('}');
    json
}
