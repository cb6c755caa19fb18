//! Who may depend on whom: the arrows of the house, written down once.
//!
//! Touches: every `Cargo.toml` of the tree. Development dependencies are exempt: a test may look anywhere.

use super::Finding;
use crate::manifest::Manifest;
use crate::tree::Tree;

/// A package, the folder it stands in, and the packages of the house it may use.
/// A new line or a new arrow needs a decision record.
const PACKAGES: &[(&str, &str, &[&str])] = &[
    ("lapwing-core", "pure", &[]),
    ("lapwing-delta", "pure", &["lapwing-core"]),
    ("lapwing-coap", "pure", &["lapwing-core"]),
    ("lapwing-device", "pure", &["lapwing-core"]),
    ("lapwing-fleet", "pure", &["lapwing-core"]),
    ("lapwing-transport", "io", &["lapwing-core", "lapwing-coap"]),
    ("lapwing-agent", "io", &["lapwing-core", "lapwing-delta", "lapwing-device", "lapwing-transport"]),
    (
        "lapwing-server",
        "io",
        &["lapwing-coap", "lapwing-core", "lapwing-delta", "lapwing-fleet", "lapwing-transport"],
    ),
    ("lapwing-gateway", "io", &["lapwing-core", "lapwing-transport"]),
    (
        "lapwing",
        "io",
        &[
            "lapwing-core",
            "lapwing-delta",
            "lapwing-fleet",
            "lapwing-transport",
            "lapwing-server",
            "lapwing-gateway",
        ],
    ),
    ("lapwing-launcher", "io", &["lapwing-core"]),
    ("lapwing-ffi", "io", &["lapwing-agent"]),
    (
        "lapwing-sim",
        "proof",
        &["lapwing-core", "lapwing-delta", "lapwing-device", "lapwing-fleet", "lapwing-transport"],
    ),
    ("lapwing-link", "proof", &["lapwing-core", "lapwing-coap"]),
    ("lapwing-metal", "proof", &["lapwing-delta"]),
    ("lapwing-e2e", "proof", &["lapwing-core", "lapwing-device", "lapwing-link", "lapwing-metal"]),
    (
        "lapwing-fuzz",
        "",
        &["lapwing-core", "lapwing-delta", "lapwing-coap", "lapwing-device", "lapwing-fleet"],
    ),
    ("xtask", "", &[]),
];

/// What a launcher that is never updated may carry besides the house's own words.
const LAUNCHER_OUTSIDE: &[&str] = &["libc"];

/// Crates that would bring a clock, a socket, a runtime, randomness or logging below `pure/`.
const IMPURE: &[&str] = &[
    "async-trait",
    "chrono",
    "futures",
    "getrandom",
    "hyper",
    "jiff",
    "libc",
    "log",
    "notify",
    "rand",
    "rusqlite",
    "rustls",
    "tempfile",
    "tokio",
    "tracing",
    "ureq",
];

const FLOORS: &[&str] = &["pure", "io", "proof"];

/// Arrows go down, and every package stands where its name says.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    manifests(tree).flat_map(|(path, manifest)| check_package(path, &manifest)).collect()
}

fn check_package(path: &str, manifest: &Manifest) -> Vec<Finding> {
    let name = &manifest.name;
    let Some((_, floor, allowed)) = PACKAGES.iter().find(|(known, ..)| known == name) else {
        let says = format!("{name} is not in the house: a new crate needs a decision record and a line");
        return vec![Finding::new(path, says)];
    };
    let mut findings = Vec::new();
    if !floor.is_empty() && path != format!("{floor}/{name}/Cargo.toml") {
        findings.push(Finding::new(path, format!("{name} belongs in {floor}/{name}")));
    }
    for used in &manifest.dependencies {
        let ours = used == "xtask" || used.starts_with("lapwing");
        if ours && !allowed.contains(&used.as_str()) {
            findings.push(Finding::new(path, format!("no arrow leads from {name} to {used}")));
        }
        if !ours && name == "lapwing-launcher" && !LAUNCHER_OUTSIDE.contains(&used.as_str()) {
            findings.push(Finding::new(path, format!("the launcher does not carry {used}")));
        }
    }
    findings
}

/// Crates below `pure/` bring nothing that acts.
pub(super) fn pure_crates(tree: &Tree) -> Vec<Finding> {
    let pure = manifests(tree).filter(|(path, _)| path.starts_with("pure/"));
    pure.flat_map(|(path, manifest)| {
        let impure = manifest.dependencies.into_iter().filter(|used| IMPURE.contains(&used.as_str()));
        impure.map(move |used| Finding::new(path, format!("{used} is not for pure code"))).collect::<Vec<_>>()
    })
    .collect()
}

/// The packages of the workspace; examples may have a workspace of their own.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, Manifest)> {
    let ours = |path: &str| {
        FLOORS.iter().any(|floor| path.starts_with(&format!("{floor}/")))
            || matches!(path, "xtask/Cargo.toml" | "fuzz/Cargo.toml")
    };
    let files = tree.files.iter().filter(move |file| file.name() == "Cargo.toml" && ours(&file.path));
    files.map(|file| (file.path.as_str(), Manifest::parse(&file.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(path: &str, name: &str, dependencies: &str) -> Vec<Finding> {
        let text = format!("[package]\nname = \"{name}\"\n{dependencies}");
        check(&Tree::of(&[(path, &text)]))
    }

    #[test]
    fn an_arrow_that_goes_up_is_found() {
        let path = "pure/lapwing-core/Cargo.toml";
        assert_eq!(
            package(path, "lapwing-core", "[dependencies]\nlapwing-agent.workspace = true\n").len(),
            1
        );
        assert_eq!(
            package(path, "lapwing-core", "[dependencies.lapwing-agent]\nworkspace = true\n").len(),
            1
        );
        assert!(
            package(path, "lapwing-core", "[dev-dependencies]\nlapwing-agent.workspace = true\n").is_empty()
        );
    }

    #[test]
    fn an_arrow_that_goes_down_is_fine() {
        let down = "[dependencies]\nlapwing-core.workspace = true\nserde = \"1\"\n";
        assert!(package("pure/lapwing-delta/Cargo.toml", "lapwing-delta", down).is_empty());
    }

    #[test]
    fn brains_and_bodies_do_not_meet() {
        let sideways = "[dependencies]\nlapwing-fleet.workspace = true\n";
        assert_eq!(package("pure/lapwing-device/Cargo.toml", "lapwing-device", sideways).len(), 1);
        let body = "[dependencies]\nlapwing-agent.workspace = true\n";
        assert_eq!(package("io/lapwing/Cargo.toml", "lapwing", body).len(), 1);
    }

    #[test]
    fn unknown_and_misplaced_packages_are_found() {
        assert_eq!(package("io/lapwing-extra/Cargo.toml", "lapwing-extra", "").len(), 1);
        assert_eq!(package("io/lapwing-core/Cargo.toml", "lapwing-core", "").len(), 1);
    }

    #[test]
    fn the_launcher_carries_libc_and_nothing_else() {
        let path = "io/lapwing-launcher/Cargo.toml";
        assert!(package(path, "lapwing-launcher", "[dependencies]\nlibc = \"0.2\"\n").is_empty());
        assert_eq!(package(path, "lapwing-launcher", "[dependencies]\nserde = \"1\"\n").len(), 1);
    }

    #[test]
    fn impure_crates_are_found_below_pure_only() {
        let text = "[package]\nname = \"x\"\n[dependencies]\ntokio = \"1\"\n";
        assert_eq!(pure_crates(&Tree::of(&[("pure/x/Cargo.toml", text)])).len(), 1);
        assert!(pure_crates(&Tree::of(&[("io/x/Cargo.toml", text)])).is_empty());
    }
}
