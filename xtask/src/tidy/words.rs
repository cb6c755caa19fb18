//! One word per thing: the unambiguous wrong words do not name anything below `pure/`.
//!
//! Touches: identifiers of pure code. The right words, and why, stand in docs/glossary.md.

use super::Finding;
use crate::rust_code::{code_only, identifiers};
use crate::tree::Tree;

/// What not to say, and what to say instead.
const WRONG: &[(&str, &str)] = &[
    ("campaign", "rollout"),
    ("wave", "phase"),
    ("waves", "phase"),
    ("heartbeat", "check-in"),
    ("firmware", "image"),
    ("manifest", "release"),
    ("ecu", "device"),
    ("keyring", "trust anchor"),
    ("estate", "fleet"),
    ("probation", "trial"),
    ("yank", "recall"),
    ("telemetry", "health summary"),
    ("hardware_id", "hardware class"),
    ("rollback_index", "security version"),
    ("mark_good", "confirm"),
    ("build_number", "seq"),
];

/// Names that users see and that keep their spelling.
const FIXED_NAMES: &[&str] = &["firmware_rollback_count"];

/// No wrong word in an identifier below `pure/`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.is_below("pure")) {
        let code = code_only(&file.text);
        for (line, name) in identifiers(&code).filter(|(_, name)| !FIXED_NAMES.contains(name)) {
            let spelled = format!("_{}_", snake_case(name));
            let wrong = WRONG.iter().find(|(wrong, _)| spelled.contains(&format!("_{wrong}_")));
            findings.extend(wrong.map(|(wrong, right)| {
                Finding::new(format!("{}:{line}", file.path), format!("`{name}`: not {wrong} but {right}"))
            }));
        }
    }
    findings
}

fn snake_case(name: &str) -> String {
    let mut spelled = String::new();
    let mut previous = '_';
    for c in name.chars() {
        if c.is_uppercase() && previous.is_lowercase() {
            spelled.push('_');
        }
        spelled.extend(c.to_lowercase());
        previous = c;
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn wrong_words_are_found_in_every_spelling() {
        for text in
            ["struct WavePlan;", "fn next_wave() {}", "const WAVE: u8 = 1;", "HardwareId", "fn mark_good()"]
        {
            assert_eq!(findings("pure/a/src/b.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn prose_literals_parts_of_words_and_other_floors_are_free() {
        let text = "// a wave\nlet microwave = \"campaign\"; firmware_rollback_count; waveform";
        assert_eq!(findings("pure/a/src/b.rs", text), 0);
        assert_eq!(findings("io/a/src/b.rs", "struct Wave;"), 0);
    }
}
