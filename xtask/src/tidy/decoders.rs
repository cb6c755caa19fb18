//! Every decoder has a fuzz target: whoever adds one says which target feeds it.
//!
//! A decoder is an `impl Wire for T`, or a public function `decode…`, `open…`, `parse…`, `read` or `apply`,
//! below `pure/`.
//! A target is `fn fuzz_…` below `fuzz/` with a doc line `/// Covers: T, T::open, module::decode.`

use super::Finding;
use crate::rust_code::code_only;
use crate::tree::{File, Tree};

const VERBS: &[&str] = &["decode", "open", "parse"];
/// Decoders only by themselves: `read_list` and its like are parts of one.
const WHOLE_VERBS: &[&str] = &["decode", "open", "parse", "read", "apply"];
const COVERS: &str = "/// Covers: ";

/// Every decoder is covered, and what is covered exists.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.rust().filter(|file| file.is_below("pure") && file.path.contains("/src/"));
    let decoders: Vec<_> = sources.flat_map(decoders_of).collect();
    let covered: Vec<_> = tree.rust().filter(|file| file.is_below("fuzz")).flat_map(covered_by).collect();
    let bare = decoders.iter().filter(|(_, name)| covered.iter().all(|(_, known)| known != name));
    let stale = covered.iter().filter(|(_, name)| decoders.iter().all(|(_, known)| known != name));
    let bare = bare.map(|(place, name)| Finding::new(place, format!("no fuzz target covers {name}")));
    let stale =
        stale.map(|(place, name)| Finding::new(place, format!("there is no decoder {name} to cover")));
    bare.chain(stale).collect()
}

/// The decoders of one file, with their places.
fn decoders_of(file: &File) -> Vec<(String, String)> {
    let code = code_only(&file.text);
    let module = file.name().trim_end_matches(".rs");
    let mut decoders = Vec::new();
    let mut owner = module.to_owned();
    for (index, line) in code.lines().enumerate() {
        let words = line.trim_start();
        let mut name = None;
        if let Some(header) = words.strip_prefix("impl") {
            let header = without_generics(header);
            let (of, subject) = header.split_once(" for ").map_or((None, &*header), |(a, b)| (Some(a), b));
            owner = last_segment(subject).to_owned();
            // A macro names its types where it is used; the values it makes are covered with their message.
            name =
                of.filter(|of| last_segment(of) == "Wire" && !subject.contains('$')).map(|_| owner.clone());
        } else if line.starts_with('}') {
            owner = module.to_owned();
        } else if let Some(function) = public_function(words)
            && (WHOLE_VERBS.contains(&function)
                || VERBS.iter().any(|verb| function.starts_with(&format!("{verb}_"))))
        {
            name = Some(format!("{owner}::{function}"));
        }
        decoders.extend(name.map(|name| (format!("{}:{}", file.path, index + 1), name)));
    }
    decoders
}

/// What the targets of one file say they cover; a `Covers` line that no target follows counts for nothing.
fn covered_by(file: &File) -> Vec<(String, String)> {
    let mut covered = Vec::new();
    let mut waiting = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        if let Some(names) = line.trim_start().strip_prefix(COVERS) {
            let names = names.trim_end_matches('.').split(", ");
            waiting.extend(names.map(|name| (place.clone(), name.trim().to_owned())));
        } else if line.contains("fn fuzz_") {
            covered.append(&mut waiting);
        } else if !line.trim_start().starts_with("//") {
            waiting.clear();
        }
    }
    covered
}

fn public_function(words: &str) -> Option<&str> {
    let rest = words.strip_prefix("pub ")?;
    let rest = ["const ", "async ", "unsafe "].iter().fold(rest, |rest, word| rest.trim_start_matches(word));
    let name = rest.strip_prefix("fn ")?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn without_generics(header: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in header.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '{' => break,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn last_segment(path: &str) -> &str {
    path.trim().split(" where ").next().and_then(|path| path.rsplit("::").next()).unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "impl<'b> Wire<'b> for crate::x::Offer<'b> {\n}\n\
        impl<'b> Envelope<'b> {\n    pub fn open(bytes: &[u8]) {}\n    pub(crate) fn parse() {}\n}\n\
        pub const fn decode<'b, T: Wire<'b>>() {}\n\
        impl Wire<'_> for $name {\n}\npub fn openness() {}\n";

    fn findings(targets: &str) -> Vec<String> {
        let tree = Tree::of(&[("pure/a/src/cbor.rs", CODE), ("fuzz/src/targets.rs", targets)]);
        check(&tree).into_iter().map(|finding| finding.says).collect()
    }

    #[test]
    fn a_decoder_without_a_target_is_found() {
        let bare =
            ["Offer", "Envelope::open", "cbor::decode"].map(|name| format!("no fuzz target covers {name}"));
        assert_eq!(findings(""), bare);
        assert_eq!(findings("/// Covers: Offer, Envelope::open.\nfn fuzz_x() {}"), bare[2..]);
        assert!(
            findings("/// Covers: Offer, Envelope::open, cbor::decode.\n/// More.\nfn fuzz_x() {}")
                .is_empty()
        );
    }

    #[test]
    fn a_promise_without_a_target_counts_for_nothing() {
        assert_eq!(findings("/// Covers: Offer, Envelope::open, cbor::decode.\nfn other() {}").len(), 3);
    }

    #[test]
    fn a_target_for_a_decoder_that_is_gone_is_found() {
        let targets = "/// Covers: Offer, Envelope::open, cbor::decode, Gone.\nfn fuzz_x() {}";
        assert_eq!(findings(targets), ["there is no decoder Gone to cover"]);
    }
}
