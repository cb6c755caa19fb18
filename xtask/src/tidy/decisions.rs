//! A decision record has a date in its name and its three parts, on one page.
//!
//! Touches: docs/decisions.

use super::Finding;
use crate::tree::{File, Tree};

const FOLDER: &str = "docs/decisions";
const PARTS: &[&str] = &["## Context", "## Decision", "## Consequences"];
const PAGE_LINES_MAX: usize = 80;

/// Every record is named `YYYY-MM-DD-slug.md` and says context, decision and consequences.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let records = tree.files.iter().filter(|file| file.is_below(FOLDER) && file.name() != "README.md");
    records.flat_map(judge).collect()
}

fn judge(file: &File) -> Vec<Finding> {
    let mut says = Vec::new();
    if !is_dated(file.name()) {
        says.push("is not named YYYY-MM-DD-slug.md".to_owned());
    }
    let lacks = PARTS.iter().filter(|part| file.text.lines().all(|line| line != **part));
    says.extend(lacks.map(|part| format!("lacks `{part}`")));
    if file.text.lines().count() > PAGE_LINES_MAX {
        says.push(format!("is longer than a page of {PAGE_LINES_MAX} lines"));
    }
    says.into_iter().map(|says| Finding::new(&file.path, says)).collect()
}

fn is_dated(name: &str) -> bool {
    let mut parts = name.splitn(4, '-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.parse::<u32>().ok()
    };
    let (year, month, day) = (number(4), number(2), number(2));
    let in_calendar = year.is_some()
        && month.is_some_and(|month| (1..=12).contains(&month))
        && day.is_some_and(|day| (1..=31).contains(&day));
    in_calendar && parts.next().is_some_and(|slug| slug.len() > ".md".len() && slug.ends_with(".md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# A\n\n## Context\n\n## Decision\n\n## Consequences\n";

    fn findings(name: &str, text: &str) -> usize {
        check(&Tree::of(&[(&format!("{FOLDER}/{name}"), text)])).len()
    }

    #[test]
    fn a_record_without_date_or_parts_is_found() {
        assert_eq!(findings("2026-11-21-a-b.md", GOOD), 0);
        for name in ["0005-a.md", "2026-13-01-a.md", "2026-11-21.md", "2026-11-21-.md", "a.md"] {
            assert_eq!(findings(name, GOOD), 1, "{name}");
        }
        assert_eq!(findings("2026-11-21-a.md", "# A\n## Context\n"), 2);
    }

    #[test]
    fn a_record_longer_than_a_page_is_found() {
        assert_eq!(findings("2026-11-21-a.md", &format!("{GOOD}{}", "x\n".repeat(80))), 1);
    }
}
