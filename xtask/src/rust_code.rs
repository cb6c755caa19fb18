//! Rust source seen as code alone: comments and the insides of literals become spaces.
//!
//! Touches: nothing; text in, text out, line for line. A reader of shapes, not a parser.

/// `source` with comments and literals blanked; lines keep their numbers.
pub(crate) fn code_only(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let literal = literal_len(rest, after_word);
        let taken = rest.get(..literal.unwrap_or(first.len_utf8())).unwrap_or(rest);
        let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
        if literal.is_some() {
            code.extend(taken.chars().map(blank))
        } else {
            code.push_str(taken)
        }
        rest = rest.get(taken.len()..).unwrap_or("");
    }
    code
}

/// The words that name things, with their line numbers from 1; keywords are among them.
pub(crate) fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.lines().enumerate().flat_map(move |(index, line)| {
        let words = line.split(move |c| !is_part(c)).filter(|word| !word.is_empty());
        words.map(move |word| (index + 1, word))
    })
}

/// The length in bytes of the comment or literal that `rest` begins with, if it does.
fn literal_len(rest: &str, after_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_len(rest));
    }
    let prefix = if after_word { 0 } else { rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0) };
    let (letters, body) = rest.split_at(prefix.min(2));
    if letters.contains('r') && body.starts_with(['"', '#']) {
        let hashes = body.find(|c| c != '#')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = body.get(hashes..)?.strip_prefix('"')?;
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(letters.len() + hashes + 1 + length);
    }
    match body.chars().next()? {
        '"' => Some(letters.len() + quoted_len(body, '"')),
        '\'' if is_char_literal(body) => Some(letters.len() + quoted_len(body, '\'')),
        _ => None,
    }
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0_usize;
    let bytes = rest.as_bytes();
    for (at, pair) in bytes.windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return at + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

fn quoted_len(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    body.len()
}

/// `'a'` and `'\n'` are; the lifetime `'a` is not.
fn is_char_literal(body: &str) -> bool {
    let mut chars = body.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_vanish_and_lines_stay() {
        let code =
            code_only("a // wave\n/* x /* y */ z */ b \"wave \\\" // \" c\nr#\"wave \" \"# d b'\\'' e 'w' f");
        let words: Vec<_> = identifiers(&code).collect();
        assert_eq!(words, [(1, "a"), (2, "b"), (2, "c"), (3, "d"), (3, "e"), (3, "f")]);
    }

    #[test]
    fn lifetimes_and_names_that_end_like_a_prefix_stay() {
        let code = code_only("fn x<'wave>(bar: &'wave str) -> r#type { attr\"x\" }");
        assert!(code.contains("'wave>") && code.contains("bar") && code.contains("r#type"));
        assert!(code.contains("attr   "));
    }

    #[test]
    fn unfinished_literals_end_with_the_text() {
        assert_eq!(code_only("a \"b"), "a   ");
        assert_eq!(code_only("a /* b"), "a     ");
        assert_eq!(code_only("a r#\"b"), "a     ");
    }
}
