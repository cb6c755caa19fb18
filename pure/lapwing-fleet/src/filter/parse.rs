//! From tokens to a filter, by recursive descent.
//!
//! Touches: `super::token`. Never: goes deeper than the limit, whatever the text is.

use super::token::{FilterError, KEYWORDS, Problem, Token, tokens};
use super::{Comparison, Expression, FIELDS, Field, Value, order};
use crate::limits::FILTER_DEPTH_MAX;

pub(super) fn filter(text: &str) -> Result<Expression, FilterError> {
    let tokens = tokens(text)?;
    let end = text.chars().count().saturating_add(1);
    let mut rest = Rest { tokens: tokens.iter(), end };
    let expression = rest.any(0)?;
    if rest.peek().is_some() { Err(rest.error(Problem::NotTheEnd)) } else { Ok(expression) }
}

/// What has not been read yet.
struct Rest<'a> {
    tokens: std::slice::Iter<'a, (usize, Token)>,
    /// The character behind the last one.
    end: usize,
}

impl<'a> Rest<'a> {
    /// `part or part or ...`
    fn any(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Expression::Any))
    }

    /// `part and part and ...`
    fn all(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(single(parts, Expression::All))
    }

    /// `not part`, `(filter)`, `has fact`, or a comparison.
    fn one(&mut self, depth: usize) -> Result<Expression, FilterError> {
        if depth > FILTER_DEPTH_MAX {
            return Err(self.error(Problem::TooDeep));
        }
        if self.take_word("not") {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let inside = self.any(depth + 1)?;
            self.expect(&Token::Close, Problem::NotClosed)?;
            return Ok(inside);
        }
        if self.take_word("has") {
            return Ok(Expression::Has(self.field()?));
        }
        let field = self.field()?;
        if self.take_word("in") {
            return self.list().map(|values| Expression::In(field, values));
        }
        let Some(Token::Comparison(comparison)) = self.peek() else {
            return Err(self.error(Problem::NotAComparison));
        };
        self.tokens.next();
        let at = self.at();
        let value = self.value()?;
        let equal = matches!(comparison, Comparison::Equal | Comparison::NotEqual | Comparison::StartsWith);
        if !equal && order(&value.0, &value.0).is_none() {
            return Err(FilterError { at, problem: Problem::NoOrder });
        }
        Ok(Expression::Compare(field, *comparison, value))
    }

    /// `(value, value, ...)`
    fn list(&mut self) -> Result<Vec<Value>, FilterError> {
        self.expect(&Token::Open, Problem::NotOpened)?;
        let mut values = vec![self.value()?];
        while self.take(&Token::Comma) {
            values.push(self.value()?);
        }
        self.expect(&Token::Close, Problem::NotClosed)?;
        Ok(values)
    }

    fn field(&mut self) -> Result<Field, FilterError> {
        let known = |word: &str| {
            FIELDS.contains(&word) || word.strip_prefix("fact.").is_some_and(|name| !name.is_empty())
        };
        match self.peek() {
            Some(Token::Word(word)) if known(word) => {
                self.tokens.next();
                Ok(Field(word.clone()))
            }
            _ => Err(self.error(Problem::NotAFact)),
        }
    }

    fn value(&mut self) -> Result<Value, FilterError> {
        match self.peek() {
            Some(Token::Quoted(text)) => {
                self.tokens.next();
                Ok(Value(text.clone()))
            }
            Some(Token::Word(word)) if !KEYWORDS.contains(&word.as_str()) => {
                self.tokens.next();
                Ok(Value(word.clone()))
            }
            _ => Err(self.error(Problem::NotAValue)),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        if here {
            self.tokens.next();
        }
        here
    }

    fn take(&mut self, token: &Token) -> bool {
        let here = self.peek() == Some(token);
        if here {
            self.tokens.next();
        }
        here
    }

    fn expect(&mut self, token: &Token, problem: Problem) -> Result<(), FilterError> {
        if self.take(token) { Ok(()) } else { Err(self.error(problem)) }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.as_slice().first().map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.as_slice().first().map_or(self.end, |(at, _)| *at)
    }

    fn error(&self, problem: Problem) -> FilterError {
        FilterError { at: self.at(), problem }
    }
}

/// The only part by itself, several joined.
fn single(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}
