//! The tree works anywhere: nothing names the machine it was written on, or a package registry's host.
//!
//! Touches: every text file but lock files, which say where packages come from by their nature.

use super::Finding;
use crate::tree::Tree;

const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// Host names, split so that this file does not break its own rule.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("docker", ".io"),
    concat!("quay", ".io"),
    concat!("ghcr", ".io"),
];

/// Folders of people and build machines. A lone `/root` may be the address of a root document.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ro", "ot/."), concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// No registry host and no absolute path of a machine.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !LOCK_FILES.contains(&file.name())) {
        for (index, line) in file.text.lines().enumerate() {
            let host = REGISTRIES.iter().find(|host| line.contains(*host)).copied();
            let path = MACHINE_PATHS.iter().find(|path| begins_a_path(line, path)).copied();
            let named = host.into_iter().chain(path);
            let place = format!("{}:{}", file.path, index + 1);
            findings.extend(named.map(|name| Finding::new(&place, format!("names `{name}`"))));
        }
    }
    findings
}

/// Whether `path` stands in `line` as the beginning of a path and not in the middle of one.
fn begins_a_path(line: &str, path: &str) -> bool {
    let middle = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | '*' | '~');
    line.match_indices(path).any(|(at, _)| !line.get(..at).unwrap_or("").ends_with(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn machine_paths_and_registry_hosts_are_found() {
        assert_eq!(findings("a.md", &format!("see {}x", MACHINE_PATHS[1])), 1);
        assert_eq!(findings("a.sh", &format!("cd \"{}me/x\"", MACHINE_PATHS[2])), 1);
        assert_eq!(findings("a.toml", &format!("url = \"https://static.{}\"", REGISTRIES[0])), 1);
    }

    #[test]
    fn routes_relative_paths_and_lock_files_are_free() {
        let route = format!("GET /v1{}x and docs{}y", MACHINE_PATHS[1], MACHINE_PATHS[1]);
        assert_eq!(findings("a.md", &route), 0);
        assert_eq!(findings("fuzz/Cargo.lock", REGISTRIES[0]), 0);
    }
}
