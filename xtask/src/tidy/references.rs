//! What people look up is complete: every cause with its blame, every config key.
//!
//! Touches: the cause table of `lapwing-core`, the config rooms of `io/`, docs/reference.

use super::Finding;
use crate::rust_code::{code_only, identifiers};
use crate::tree::{File, Tree};

const CAUSES: &str = "pure/lapwing-core/src/wire/cause.rs";
const CAUSES_REFERENCE: &str = "docs/reference/causes.md";

/// Each room that reads a configuration file, and the page that explains its keys.
const CONFIGS: &[(&str, &str)] = &[
    ("io/lapwing-agent/src/config", "docs/reference/agent-config.md"),
    ("io/lapwing-server/src/config", "docs/reference/server-config.md"),
    ("io/lapwing-gateway/src/config", "docs/reference/gateway-config.md"),
];

/// The table of causes in the reference says what the code says.
pub(super) fn causes(tree: &Tree) -> Vec<Finding> {
    let Some(source) = tree.text(CAUSES) else { return Vec::new() };
    let rows: Vec<_> = source.lines().filter_map(cause_row).collect();
    if rows.is_empty() {
        return vec![Finding::new(CAUSES, "no row of the form `1 None Name \"label\": \"words\";`")];
    }
    let page = tree.text(CAUSES_REFERENCE).unwrap_or("");
    let documented = || page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let missing = rows.iter().filter(|row| documented().all(|line| line != row.as_str()));
    let stale = documented().filter(|line| rows.iter().all(|row| row != line));
    let missing = missing.map(|row| Finding::new(CAUSES_REFERENCE, format!("lacks the line {row}")));
    missing
        .chain(stale.map(|line| Finding::new(CAUSES_REFERENCE, format!("not in the code: {line}"))))
        .collect()
}

/// `1 None Name "label": "words";` as the reference spells it.
fn cause_row(line: &str) -> Option<String> {
    let (code, rest) = line.trim().split_once(' ')?;
    let (blame, rest) = rest.split_once(' ')?;
    let mut quoted = rest.split('"').skip(1).step_by(2);
    let (label, words) = (quoted.next()?, quoted.next()?);
    code.parse::<u16>().ok()?;
    Some(format!("| {code} | `{label}` | {} | {words} |", blame.to_lowercase()))
}

/// Every key of a configuration file stands on its page, and unknown keys are refused.
pub(super) fn config_keys(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (room, page) in CONFIGS {
        let text = tree.text(page).unwrap_or("");
        let in_room = |file: &&File| file.path == format!("{room}.rs") || file.is_below(room);
        for file in tree.rust().filter(in_room) {
            for raw in raw_structs(&code_only(&file.text)) {
                if !raw.refuses_unknown_keys {
                    findings.push(Finding::new(&file.path, format!("{} takes unknown keys", raw.name)));
                }
                let missing = raw.keys.iter().filter(|key| !text.contains(&format!("`{key}`")));
                findings.extend(missing.map(|key| Finding::new(*page, format!("does not explain `{key}`"))));
            }
        }
    }
    findings
}

/// A struct that is read from a file.
struct RawStruct {
    name: String,
    keys: Vec<String>,
    refuses_unknown_keys: bool,
}

/// The structs with a derived `Deserialize`; a field is a name before a single colon at depth one.
fn raw_structs(code: &str) -> Vec<RawStruct> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("#[derive(") {
        let item = code.get(at..).unwrap_or("");
        let Some((head, body)) = item.split_once('{') else { continue };
        let words: Vec<_> = identifiers(head).map(|(_, word)| word).collect();
        let name = words.iter().position(|word| *word == "struct").and_then(|at| words.get(at + 1));
        if let Some(name) = name.filter(|_| words.contains(&"Deserialize") && !head.contains(';')) {
            found.push(RawStruct {
                name: (*name).to_owned(),
                keys: fields(body),
                refuses_unknown_keys: words.contains(&"deny_unknown_fields"),
            });
        }
    }
    found
}

fn fields(body: &str) -> Vec<String> {
    let inside = body.split('}').next().unwrap_or("").lines().map(str::trim);
    let fields = inside.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    fields.filter_map(|(name, _)| name.split(' ').next_back().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "causes! {\n    1 None LinkDown \"link-down\": \"The link was down.\";\n\
        51 Image ImageDigest \"image-digest\": \"Wrong image.\";\n}";
    const PAGE: &str = "| Code | Cause | Blame | Meaning |\n| --- | --- | --- | --- |\n\
        | 1 | `link-down` | none | The link was down. |\n| 51 | `image-digest` | image | Wrong image. |\n";

    #[test]
    fn a_cause_without_its_line_is_found() {
        assert!(causes(&Tree::of(&[])).is_empty());
        assert!(causes(&Tree::of(&[(CAUSES, TABLE), (CAUSES_REFERENCE, PAGE)])).is_empty());
        assert_eq!(causes(&Tree::of(&[(CAUSES, TABLE)])).len(), 2);
        let blamed = PAGE.replace("| image |", "| none |");
        assert_eq!(causes(&Tree::of(&[(CAUSES, TABLE), (CAUSES_REFERENCE, &blamed)])).len(), 2);
        assert_eq!(causes(&Tree::of(&[(CAUSES, "enum Cause {}")])).len(), 1);
    }

    const CONFIG: &str = "#[derive(Debug, serde::Deserialize)]\n#[serde(deny_unknown_fields)]\nstruct Raw {\n\
        /// Why: so.\n    #[serde(default)]\n    pub(crate) check_in_ms: u64,\n    slots: Vec<a::B>,\n}\n\
        #[derive(Debug)]\nstruct Settings { other: u8 }\n";

    #[test]
    fn a_key_without_its_explanation_is_found() {
        let room = "io/lapwing-agent/src/config.rs";
        let page = "docs/reference/agent-config.md";
        let complete = Tree::of(&[(room, CONFIG), (page, "`check_in_ms`, `slots`")]);
        assert!(config_keys(&complete).is_empty());
        let found = config_keys(&Tree::of(&[(room, CONFIG), (page, "`slots`")]));
        assert_eq!(found, [Finding::new(page, "does not explain `check_in_ms`")]);
    }

    #[test]
    fn a_config_that_takes_unknown_keys_is_found() {
        let lax = CONFIG.replace("deny_unknown_fields", "default");
        let tree = Tree::of(&[("io/lapwing-server/src/config/raw.rs", &lax)]);
        assert!(config_keys(&tree).iter().any(|finding| finding.says == "Raw takes unknown keys"));
    }
}
