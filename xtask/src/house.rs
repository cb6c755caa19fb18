//! Where things stand: the root of the workspace, its packages, the folder cargo builds into.
//!
//! Touches: the manifests of the workspace, `CARGO_MANIFEST_DIR` and `CARGO_TARGET_DIR`.

use crate::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Everything under test is built once, in this profile.
pub(crate) const PROFILE: &str = "ci";

/// The workspace as it stands on disk.
#[derive(Clone)]
pub(crate) struct House {
    /// The folder with the workspace's `Cargo.toml`; child processes start here.
    pub(crate) root: PathBuf,
    /// Where child processes write what they print; without it, to where this one does.
    pub(crate) log: Option<PathBuf>,
    packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Clone)]
struct Package {
    name: String,
    folder: String,
}

impl House {
    /// Looks up the root and reads its members.
    ///
    /// # Errors
    /// When a manifest cannot be read.
    pub(crate) fn find() -> Result<Self, String> {
        // The variable wins over the constant: two work trees may share one target folder.
        let own_folder = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own_folder.parent().ok_or("xtask stands outside a workspace")?.to_owned();
        let members = read_manifest(&root)?.members;
        let packages = members
            .into_iter()
            .map(|folder| Ok(Package { name: read_manifest(&root.join(&folder))?.name, folder }))
            .collect::<Result<_, String>>()?;
        Ok(Self { root, log: None, packages })
    }

    /// The same, with what child processes print in a file.
    pub(crate) fn writing_to(&self, log: &Path) -> Self {
        Self { log: Some(log.to_owned()), ..self.clone() }
    }

    /// Whether the workspace has a package of this name yet.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.packages.iter().any(|known| known.name == package)
    }

    /// The names of the packages that live on one floor, such as `pure`.
    pub(crate) fn floor(&self, floor: &str) -> Vec<&str> {
        let on_floor = |package: &&Package| Path::new(&package.folder).starts_with(floor);
        self.packages.iter().filter(on_floor).map(|package| package.name.as_str()).collect()
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_folder(&self) -> PathBuf {
        self.root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
    }
}

fn read_manifest(folder: &Path) -> Result<Manifest, String> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Manifest::parse(&text))
}
