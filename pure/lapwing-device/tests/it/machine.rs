//! The states of a device and what leads from one to another, as the real `step` has it.
//!
//! Touches: `docs/machines/device.md`, compared always and written only when `LAPWING_REGENERATE` is set.

use crate::boots::{records, tables};
use crate::kit::{Bench, MINUTE_MS, record_at, staged_table};
use crate::pairs::{answers, benches, events};
use crate::rules::rescued;
use lapwing_core::Slot;
use lapwing_device::{Event, ResetCause, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The states in the order of an update, and what they are.
const STATES: [(&str, &str); 9] = [
    ("starting", "The body has not said yet what runs."),
    ("idle", "Nothing to do but check in."),
    ("fetching", "An artifact is on its way."),
    ("applying", "The spare slot is being written."),
    ("staged", "The spare slot holds the image; it waits for its gates and for a fresh offer."),
    ("restarting", "The switch or the return was made; what comes next is a boot."),
    ("trial", "The new image runs and must prove itself."),
    ("watching", "It did; the way back stays open until the last follow-up."),
    ("judging", "Back on the old image; whether that one has a link says who is to blame."),
];

/// States in which nothing is asked.
const BUSY: [&str; 3] = ["starting", "applying", "restarting"];

type Ways = BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>;

/// What happened, in a few words.
fn words(event: &Event<'_>) -> &'static str {
    match event {
        Event::Booted(_) => "a boot",
        Event::Woke => "time",
        Event::Triggered => "a person",
        Event::Called => "a call",
        Event::Conditions(_) => "conditions",
        Event::Health(_) => "health",
        Event::Answered(_) => "an answer",
        Event::TrustFetched(..) => "a trust document",
        Event::Reported { .. } => "an acknowledgement",
        Event::Spent { .. } => "bytes on the link",
        Event::Fetched(_) => "the transfer",
        Event::Applied(_) => "the image",
        Event::SlotTable(_) => "the slot table",
        Event::Failed(..) => "a failure",
    }
}

fn note(ways: &mut Ways, from: &Bench, event: &Event<'_>, to: &Bench) {
    if from.doing() != to.doing() {
        ways.entry((from.doing(), to.doing())).or_default().insert(words(event));
    }
}

/// Every event in every state, every boot of every record, and hours of nothing but time.
fn ways() -> Ways {
    let mut ways = Ways::new();
    let answers = answers();
    let kept = Bench::booted(None, staged_table(), Slot::A);
    let without_a_way_back = Bench::booted(Some(&record_at(Stage::Staged)), rescued(), Slot::B);
    for bench in benches().into_iter().chain([kept, without_a_way_back]) {
        // Boots begin in no other state than the first; they come below, from every record.
        for event in events(&answers).into_iter().filter(|event| !matches!(event, Event::Booted(_))) {
            let mut before = bench.clone();
            if matches!(event, Event::Answered(_)) && !BUSY.contains(&bench.doing()) {
                before.until_check_in();
            }
            let mut next = before.clone();
            next.step(event);
            note(&mut ways, &before, &event, &next);
            for _ in 0..20 {
                let before = next.clone();
                let Some(due) = next.device.wake_at(next.uptime) else { break };
                next.uptime = due.max(next.uptime.after(MINUTE_MS));
                next.step(Event::Woke);
                note(&mut ways, &before, &Event::Woke, &next);
            }
        }
    }
    for (record, table) in
        records().iter().flat_map(|record| tables().into_iter().map(move |table| (record, table)))
    {
        for slot in Slot::ALL {
            let before = Bench::new(crate::kit::settings(), record.as_ref());
            let mut next = before.clone();
            next.boot(table, slot, ResetCause::Unknown);
            ways.entry((before.doing(), next.doing())).or_default().insert("a boot");
        }
    }
    ways
}

fn page(ways: &Ways) -> String {
    let mut page = "# The states of a device\n\n\
        What leads from one state to another, as `step` was seen to do it: every event in every state, and every boot \
        from\nevery record and slot table. `LAPWING_REGENERATE=1 cargo test -p lapwing-device` writes this page, and \
        without the\nvariable compares it. Every state but the first can also be left by a power cut; then comes \
        `starting`.\n\n```mermaid\nstateDiagram-v2\n    [*] --> starting\n"
        .to_owned();
    let order = |state: &str| STATES.iter().position(|(known, _)| *known == state).unwrap();
    let mut rows: Vec<_> = ways.iter().collect();
    rows.sort_by_key(|((from, to), _)| (order(from), order(to)));
    for ((from, to), events) in rows {
        let events: Vec<_> = events.iter().copied().collect();
        page += &format!("    {from} --> {to}: {}\n", events.join(", "));
    }
    page += "    restarting --> starting: the restart\n```\n\n| State | What it is |\n| --- | --- |\n";
    for (state, words) in STATES {
        page += &format!("| {state} | {words} |\n");
    }
    page
}

#[test]
fn the_diagram_of_the_states_is_what_step_does() {
    let page = page(&ways());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/machines/device.md");
    if std::env::var_os("LAPWING_REGENERATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap_or_default(),
        page,
        "docs/machines/device.md is another"
    );
}
