//! Two pairs that are built here from pinned sources: an image for a Cortex-M, and a program for this
//! machine with one line changed. The sources stand in `pairs/`.
//!
//! Touches: cargo, objcopy, the cache. The lines that the newer version has more are marked with `//+`.
//! Never: compares with figures from elsewhere; another compiler makes other bytes.

use crate::corpus::Pair;
use crate::measure::run;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a pair comes from.
pub(crate) struct Sources {
    pub(crate) name: &'static str,
    pub(crate) is_quick: bool,
    /// A bare-metal target, or none for this machine.
    target: Option<&'static str>,
    /// What is written before it is built.
    files: &'static [(&'static str, &'static str)],
    main: &'static str,
}

/// Both pairs.
pub(crate) const SOURCES: [Sources; 2] = [
    Sources {
        name: "cortex-m",
        is_quick: true,
        target: Some("thumbv7em-none-eabihf"),
        files: &[
            ("Cargo.toml", include_str!("../../../pairs/cortex-m/manifest.toml")),
            ("Cargo.lock", include_str!("../../../pairs/cortex-m/Cargo.lock")),
            (".cargo/config.toml", include_str!("../../../pairs/cortex-m/config.toml")),
            ("memory.x", include_str!("../../../pairs/cortex-m/memory.x")),
        ],
        main: include_str!("../../../pairs/cortex-m/main.rs"),
    },
    Sources {
        name: "one-line-x64",
        is_quick: false,
        target: None,
        files: &[
            ("Cargo.toml", include_str!("../../../pairs/one-line/manifest.toml")),
            ("Cargo.lock", include_str!("../../../pairs/one-line/Cargo.lock")),
        ],
        main: include_str!("../../../pairs/one-line/main.rs"),
    },
];

/// Builds both versions.
pub(crate) fn pair(sources: &Sources, cache: &Path) -> Result<Pair> {
    let folder = cache.join(sources.name);
    let build = folder.join("build");
    fs::create_dir_all(build.join("src"))?;
    fs::create_dir_all(build.join(".cargo"))?;
    for (name, text) in sources.files {
        fs::write(build.join(name), text)?;
    }
    let [old, new] = ["old", "new"].map(|name| folder.join(name));
    // What the images there were built from; another compiler makes other images.
    let stamp = folder.join("built-from");
    let built_from = format!("{}{:?}{}", run(&build, "rustc", &["-vV"])?, sources.files, sources.main);
    if fs::read_to_string(&stamp).is_ok_and(|text| text == built_from) {
        return Ok(sources.found(old, new));
    }
    for (image, text) in [(&old, sources.main.to_owned()), (&new, sources.main.replace("//+ ", ""))] {
        eprintln!("building {}", image.display());
        fs::write(build.join("src/main.rs"), text)?;
        sources.build(&build, image)?;
    }
    fs::write(stamp, built_from)?;
    Ok(sources.found(old, new))
}

impl Sources {
    fn found(&self, old: PathBuf, new: PathBuf) -> Pair {
        Pair { name: self.name.to_owned(), old, new, is_patch_level: true, prototype_bytes: None }
    }

    fn build(&self, folder: &Path, image: &Path) -> Result<()> {
        let mut arguments = vec!["build", "--release", "--locked", "--target-dir", "target"];
        arguments.extend(self.target.into_iter().flat_map(|target| ["--target", target]));
        run(folder, "cargo", &arguments)?;
        let built = folder.join("target").join(self.target.unwrap_or("")).join("release/image");
        let (built, image) = (built.display().to_string(), image.display().to_string());
        // A loader wants the program whole, a flash wants its bytes alone.
        let copy = if self.target.is_some() {
            run(folder, "objcopy", &["-I", "elf32-little", "-O", "binary", &built, &image])
        } else {
            run(folder, "strip", &["-o", &image, &built])
        };
        copy.map(drop)
    }
}
