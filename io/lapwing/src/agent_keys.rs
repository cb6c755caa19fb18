//! The keys that an agent's configuration may have, so that a slip shows before devices are made.
//!
//! Touches: docs/reference/agent-config.md, built in. `cargo xtask tidy` holds that page to the agent's code.
//! Never: judges values; `lapwing-agent run --check-config` does, where the agent is.

use crate::exit::{Code, Refusal};
use anyhow::Result;

const PAGE: &str = include_str!("../../../docs/reference/agent-config.md");

/// Refuses keys that no agent knows.
///
/// # Errors
/// A refusal with code `Usage` that names the first of them.
pub(crate) fn check(config: &toml::Table) -> Result<()> {
    for (name, value) in config {
        if !knows(None, name) && !is_table(name) {
            return Err(unknown(name));
        }
        // The facts' names are the operator's own.
        for key in value.as_table().filter(|_| is_table(name)).into_iter().flat_map(toml::Table::keys) {
            if !knows(Some(name), key) {
                return Err(unknown(&format!("{name}.{key}")));
            }
        }
    }
    Ok(())
}

fn unknown(key: &str) -> anyhow::Error {
    let advice = "docs/reference/agent-config.md has all keys, table by table";
    Refusal::new(Code::Usage, format!("make agent.toml: an agent has no key `{key}`")).advice(advice).into()
}

/// Whether a table of this name has a heading of its own, ``## `name`: ...``.
fn is_table(name: &str) -> bool {
    headings().any(|heading| heading == Some(name))
}

/// Whether the rows under a table's heading, or under the one without a table, explain this key.
fn knows(table: Option<&str>, key: &str) -> bool {
    let mut section = None;
    PAGE.lines().any(|line| {
        if let Some(heading) = line.strip_prefix("## ") {
            section = Some(table_of(heading));
        }
        section == Some(table) && line.starts_with(&format!("| `{key}` |"))
    })
}

fn headings() -> impl Iterator<Item = Option<&'static str>> {
    PAGE.lines().filter_map(|line| line.strip_prefix("## ")).map(table_of)
}

fn table_of(heading: &str) -> Option<&str> {
    heading.strip_prefix('`').and_then(|rest| rest.split('`').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_page_is_known_in_its_own_table_only() {
        let check = |text: &str, wrong: Option<&str>| {
            let said = check(&toml::from_str(text).unwrap()).err().map(|error| error.to_string());
            assert_eq!(said.is_some(), wrong.is_some(), "{text}: {said:?}");
            assert!(wrong.is_none_or(|key| said.unwrap().contains(&format!("`{key}`"))), "{text}");
        };
        check("device_id = 'a'\nmemory_profile = 'free'\n[facts]\nsite = 'north'", None);
        check("[talking]\ncheck_in_interval_ms = 5\n[restart]\nlauncher = '/x'", None);
        check("check_in_interval_ms = 5", Some("check_in_interval_ms"));
        check("[talking]\ncheck_in_interval_s = 5", Some("talking.check_in_interval_s"));
        check("[talkng]\nx = 5", Some("talkng"));
        assert!(headings().flatten().count() >= 8, "the page has its tables");
    }
}
