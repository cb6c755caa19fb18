//! A rollout in words: the same for `show`, for every command's answer, and for each frame of `watch`.
//!
//! Touches: nothing. Never: shows what is good without what came back.

use crate::output::{moment, table, text};
use serde_json::Value;

/// Characters of a bar.
const BAR: usize = 40;

/// All that matters of a rollout.
pub(super) fn rollout(rollout: &Value) -> String {
    let mut words = format!(
        "rollout {}: {} to {} by plan {} is {}\n",
        text(&rollout["id"]),
        text(&rollout["version"]),
        text(&rollout["group"]),
        text(&rollout["plan"]),
        text(&rollout["state"]).to_uppercase()
    );
    if !rollout["why"].is_null() {
        words += &format!("  {}\n", text(&rollout["why"]));
    }
    for stratum in rollout["halted_strata"].as_array().into_iter().flatten() {
        words += &format!("  {}\n", text(&stratum["sentence"]));
    }
    let counts = &rollout["counts"];
    if !counts.is_null() {
        words += &format!("  [{}] {}\n", bar(counts), progress(rollout));
        words += &format!(
            "  {} in the group, {} offered, {} on their way, {} judged, {} failed, {} came back\n",
            counts["group"],
            counts["granted"],
            counts["in_flight"],
            counts["judged"],
            counts["failed"],
            counts["rolled_back"]
        );
    }
    let row = |(number, phase): (usize, &Value)| {
        let until = if phase["until"].is_null() { String::new() } else { moment(&phase["until"]) };
        vec![
            format!("{}", number + 1),
            text(&phase["name"]),
            text(&phase["for"]),
            text(&phase["stage"]),
            until,
        ]
    };
    let rows = rollout["phases"].as_array().into_iter().flatten().enumerate().map(row).collect();
    words + &table(&["", "PHASE", "FOR", "IS", "UNTIL"], rows)
}

/// What runs the new version and what came back, always together.
pub(super) fn progress(rollout: &Value) -> String {
    let counts = &rollout["counts"];
    match counts["on_new_percent"].is_null() {
        true => "-".to_owned(),
        false => {
            let percent = |name: &str| counts[name].as_f64().unwrap_or_default();
            format!(
                "{:.1} % on it, {:.1} % rolled back",
                percent("on_new_percent"),
                percent("rolled_back_percent")
            )
        }
    }
}

/// `#` runs it, `x` came back, `>` is on its way.
fn bar(counts: &Value) -> String {
    let number = |name: &str| counts[name].as_u64().unwrap_or(0);
    let group = number("group").max(1);
    let part = |devices: u64| {
        let of = devices.saturating_mul(BAR as u64).div_ceil(group);
        usize::try_from(of).unwrap_or(BAR).min(BAR)
    };
    let back = part(number("rolled_back"));
    let on_new = part(number("switched").saturating_sub(number("rolled_back"))).min(BAR - back);
    let going = part(number("granted").saturating_sub(number("switched"))).min(BAR - back - on_new);
    let rest = BAR - back - on_new - going;
    format!("{}{}{}{}", "#".repeat(on_new), "x".repeat(back), ">".repeat(going), ".".repeat(rest))
}

/// Who gets it now, later, never, and why.
pub(super) fn preview(preview: &Value) -> String {
    let mut words = format!(
        "{} devices in {}: {} at once, {} later, {} never as things are, {} run it\n  its phases take {} h at least\n",
        preview["devices"],
        text(&preview["group"]),
        preview["now"],
        preview["later"],
        preview["never"],
        preview["have_it"],
        preview["at_least_s"].as_u64().unwrap_or(0) / 3_600
    );
    let approvals = preview["approvals"].as_u64().unwrap_or(0);
    if approvals > 0 {
        words += &format!("  {approvals} people must approve it, whoever made it not among them\n");
    }
    let row =
        |why: &Value| vec![text(&why["devices"]), text(&why["code"]), text(&why["sentence"]), shown(why)];
    let rows: Vec<Vec<String>> = preview["why"].as_array().into_iter().flatten().map(row).collect();
    if !rows.is_empty() {
        words += &table(&["DEVICES", "WHY NOT AT ONCE", "FOR EXAMPLE", "WHICH"], rows);
    }
    let found: Vec<&Value> = preview["findings"].as_array().into_iter().flatten().collect();
    match found.as_slice() {
        [] => words += "Nothing is in the way of its start.\n",
        found => {
            words += "In the way of its start:\n";
            for finding in found {
                words += &format!(
                    "  {}: {} {}\n",
                    text(&finding["code"]),
                    text(&finding["sentence"]),
                    shown(finding)
                );
            }
        }
    }
    words
}

/// The first devices that something concerns.
fn shown(finding: &Value) -> String {
    const SHOWN: usize = 3;
    let all: Vec<String> = finding["shown"].as_array().into_iter().flatten().map(text).collect();
    let more = finding["devices"].as_u64().unwrap_or(0).saturating_sub(all.len().min(SHOWN) as u64);
    let first = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 || first.is_empty() { first } else { format!("{first} and {more} more") }
}
