//! The rules of the house that a program can check: one function each, a tree in, findings out.
//!
//! Touches: `tree`. The rules run as a test of this crate and as `cargo xtask tidy`; each has a test on a
//! made-up tree that proves it can fail.

mod arrows;
mod decisions;
mod decoders;
mod origins;
mod references;
mod rooms;
mod words;

use crate::house::House;
use crate::tree::Tree;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    says: String,
}

impl Finding {
    fn new(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { place: place.into(), says: says.into() }
    }
}

struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { name: "arrows go down", check: arrows::check },
    Rule { name: "pure crates stay pure", check: arrows::pure_crates },
    Rule { name: "every room has a sign", check: rooms::signs },
    Rule { name: "no room is a hall", check: rooms::lengths },
    Rule { name: "no cupboard", check: rooms::cupboards },
    Rule { name: "lib.rs is the floor plan", check: rooms::floor_plans },
    Rule { name: "doors have names", check: rooms::globs },
    Rule { name: "one word per thing", check: words::check },
    Rule { name: "every decoder has a fuzz target", check: decoders::check },
    Rule { name: "every cause is documented", check: references::causes },
    Rule { name: "every config key is documented", check: references::config_keys },
    Rule { name: "nothing names a machine or a registry", check: origins::check },
    Rule { name: "decisions are dated", check: decisions::check },
];

/// Checks the whole tree and prints what it found.
///
/// # Errors
/// When a rule is broken or the tree cannot be read.
pub(crate) fn run(house: &House) -> Result<(), String> {
    let tree = Tree::read(&house.root)?;
    let mut count = 0_usize;
    for rule in RULES {
        for finding in (rule.check)(&tree) {
            eprintln!("{}: {} ({})", finding.place, finding.says, rule.name);
            count += 1;
        }
    }
    if count == 0 { Ok(()) } else { Err(format!("{count} places break a rule of the house")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let result = House::find().and_then(|house| run(&house));
        assert_eq!(result, Ok(()));
    }
}
