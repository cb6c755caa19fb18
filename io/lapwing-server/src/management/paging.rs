//! Lists come in pages: at most so many rows, and a cursor that leads to the next ones.
//!
//! Touches: nothing. A cursor is opaque to whoever is handed it; `null` says that the list is at its end.
//! Never: answers with more rows than the limit.

use crate::limits::PAGE_ROWS_MAX;
use crate::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Where to go on: the `cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// Rows at most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<u32>,
}

/// How many rows a page may have.
pub(super) fn rows_max(limit: Option<u32>) -> Result<u32, Problem> {
    let rows = limit.unwrap_or(PAGE_ROWS_MAX);
    let in_range = (1..=PAGE_ROWS_MAX).contains(&rows);
    in_range
        .then_some(rows)
        .ok_or_else(|| Problem::bad_request("range", format!("limit is 1 to {PAGE_ROWS_MAX}")))
}

/// One page of a list that is short enough to be read whole, and the cursor that leads on.
pub(super) fn cut<T>(
    rows: Vec<T>,
    page: &Page,
    name: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let rows_max = usize::try_from(rows_max(page.limit)?).unwrap_or(usize::MAX);
    let start = match &page.cursor {
        None => 0,
        Some(cursor) => {
            let before = rows.iter().position(|row| name(row) == *cursor);
            before.ok_or_else(|| Problem::bad_request("cursor", "begin the list again"))? + 1
        }
    };
    let more = rows.len() > start + rows_max;
    let cut: Vec<T> = rows.into_iter().skip(start).take(rows_max).collect();
    let cursor = cut.last().filter(|_| more).map(name);
    Ok((cut, cursor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let rows = || vec!["a", "b", "c", "d", "e"];
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = Page { cursor, limit: Some(2) };
            let (cut, next) = cut(rows(), &page, |row| (*row).to_owned()).unwrap();
            assert!(cut.len() <= 2);
            seen.extend(cut);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, rows());
        let gone = Page { cursor: Some("z".to_owned()), limit: None };
        assert!(cut(rows(), &gone, |row| (*row).to_owned()).is_err());
        assert!(rows_max(Some(0)).is_err() && rows_max(Some(PAGE_ROWS_MAX + 1)).is_err());
    }
}
