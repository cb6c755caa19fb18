//! The few facts that xtask needs from a `Cargo.toml`.
//!
//! Touches: nothing; text in, facts out. Reads the plain style this workspace is written in, not all of TOML.

/// What one package says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The package name; empty for a workspace without a package.
    pub(crate) name: String,
    /// Packages it needs to build and to run, development dependencies left out.
    pub(crate) dependencies: Vec<String>,
    /// The folders that a workspace lists as members.
    pub(crate) members: Vec<String>,
}

impl Manifest {
    /// Reads the facts out of `text`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut section = String::new();
        let mut in_members = false;
        for line in text.lines().map(without_comment) {
            if let Some(header) = line.strip_prefix('[').filter(|_| !in_members) {
                section = header.trim_end_matches(']').to_owned();
                manifest.dependencies.extend(dependency_of_header(&section));
                continue;
            }
            if section == "workspace" && (in_members || line.starts_with("members")) {
                manifest.members.extend(quoted(line).map(str::to_owned));
                in_members = !line.contains(']');
            } else if let Some((key, value)) = line.split_once('=') {
                manifest.take(&section, key.trim(), value.trim());
            }
        }
        manifest
    }

    fn take(&mut self, section: &str, key: &str, value: &str) {
        if section == "package" && key == "name" {
            self.name = value.trim_matches('"').to_owned();
        } else if is_dependency_table(section) {
            let renamed = value.split_once("package").and_then(|(_, rest)| quoted(rest).next());
            let plain = key.split('.').next().unwrap_or(key).trim_matches('"');
            self.dependencies.push(renamed.unwrap_or(plain).to_owned());
        }
    }
}

/// `[dependencies]`, `[build-dependencies]` and both of a target; not `[dev-dependencies]`.
fn is_dependency_table(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    matches!(last, "dependencies" | "build-dependencies") && !section.starts_with("workspace")
}

/// `[dependencies.NAME]` names a dependency in its header.
fn dependency_of_header(section: &str) -> Option<String> {
    let (table, name) = section.rsplit_once('.')?;
    is_dependency_table(table).then(|| name.trim_matches('"').to_owned())
}

fn without_comment(line: &str) -> &str {
    let mut in_quotes = false;
    let end = line.find(|c| {
        in_quotes ^= c == '"';
        c == '#' && !in_quotes
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or(line).trim()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_wherever_they_are_declared() {
        let manifest = Manifest::parse(concat!(
            "[package]\nname = \"a\" # the name\n",
            "[dependencies]\nb.workspace = true\nc = { version = \"1\", package = \"d\" }\n",
            "[dependencies.e]\nversion = \"1\"\n",
            "[target.'cfg(unix)'.dependencies]\nf = \"1\"\n",
            "[build-dependencies]\ng = \"1\"\n",
            "[dev-dependencies]\nh = \"1\"\n",
        ));
        assert_eq!(manifest.name, "a");
        assert_eq!(manifest.dependencies, ["b", "d", "e", "f", "g"]);
    }

    #[test]
    fn members_are_read_and_workspace_dependencies_are_not_arrows() {
        let text =
            "[workspace]\nmembers = [\n  \"x/y\", # why\n  \"z\",\n]\n[workspace.dependencies]\nb = \"1\"\n";
        let manifest = Manifest::parse(text);
        assert_eq!(manifest.members, ["x/y", "z"]);
        assert!(manifest.dependencies.is_empty());
    }
}
