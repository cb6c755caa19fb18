//! Words and signs of a filter, and errors that point at a character.
//!
//! Touches: `crate::limits`. Never: copies text from outside into a message.

use super::{COMPARISONS, Comparison, FIELDS};
use crate::limits::FILTER_CHARS_MAX;

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {problem}")]
pub struct FilterError {
    /// The character, counted from one.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// See [`crate::limits::FILTER_CHARS_MAX`].
    #[error("a filter has at most {FILTER_CHARS_MAX} characters")]
    TooLong,
    /// See [`crate::limits::FILTER_DEPTH_MAX`].
    #[error("parentheses and `not` stand too deep in each other")]
    TooDeep,
    /// A quotation mark without its end.
    #[error("this quotation never ends")]
    OpenQuote,
    /// A character that begins nothing.
    #[error("this character needs quotation marks around its value")]
    Stray,
    /// No fact of this name.
    #[error("expected a fact: {}, or `fact.` and its name", FIELDS.join(", "))]
    NotAFact,
    /// A fact without its comparison.
    #[error("expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `^=` or `in`")]
    NotAComparison,
    /// A comparison without its value.
    #[error("expected a value: a word, a version, or text in quotation marks")]
    NotAValue,
    /// An order of something that has none.
    #[error("only versions and whole numbers have an order; use `==` or `^=`")]
    NoOrder,
    /// A parenthesis is missing.
    #[error("expected `(`")]
    NotOpened,
    /// A parenthesis or a comma is missing.
    #[error("expected `)`, or `,` in a list, or `and` or `or`")]
    NotClosed,
    /// The filter ended and the text did not.
    #[error("expected `and`, `or` or the end")]
    NotTheEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Comparison(Comparison),
    /// Without quotation marks: a keyword, a fact or a value.
    Word(String),
    Quoted(String),
}

/// The tokens of `text`, each with the character at which it begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let characters: Vec<char> = text.chars().take(FILTER_CHARS_MAX.saturating_add(1)).collect();
    let error = |at: usize, problem| FilterError { at: at.saturating_add(1), problem };
    if characters.len() > FILTER_CHARS_MAX {
        return Err(error(FILTER_CHARS_MAX, Problem::TooLong));
    }
    let mut tokens = Vec::new();
    let mut rest = characters.as_slice();
    while let [first, behind @ ..] = rest {
        let at = characters.len() - rest.len();
        let (token, len) = match first {
            ' ' | '\t' | '\n' | '\r' => (None, 1),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ',' => (Some(Token::Comma), 1),
            '"' => {
                let inside = behind.iter().position(|c| *c == '"');
                let inside = inside.ok_or_else(|| error(at, Problem::OpenQuote))?;
                (Some(Token::Quoted(behind.iter().take(inside).collect())), inside + 2)
            }
            _ => token(rest).map(|(token, len)| (Some(token), len)).ok_or(error(at, Problem::Stray))?,
        };
        tokens.extend(token.map(|token| (at + 1, token)));
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(tokens)
}

/// A sign or a word, and its length.
fn token(rest: &[char]) -> Option<(Token, usize)> {
    let is_here = |sign: &str| sign.chars().zip(rest).filter(|(a, b)| a == *b).count() == sign.len();
    if let Some((comparison, sign)) = COMPARISONS.iter().find(|(_, sign)| is_here(sign)) {
        return Some((Token::Comparison(*comparison), sign.len()));
    }
    let word: String = rest.iter().take_while(|c| is_word(**c)).collect();
    let len = word.len();
    (len > 0).then_some((Token::Word(word), len))
}

/// Whether a value can stand without quotation marks.
pub(super) fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word) && !KEYWORDS.contains(&text)
}

pub(super) const KEYWORDS: &[&str] = &["and", "or", "not", "has", "in"];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-+~/:@".contains(c)
}
