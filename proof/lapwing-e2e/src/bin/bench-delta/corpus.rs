//! The pairs that are compared: nine public ones by package and version, two that are built here.
//!
//! Touches: pip, npm, apt and cargo, for what the cache does not have. Images are known by their SHA-256.
//! Never: keeps an image with another digest; a pair that cannot be had is named and left out.

use crate::built;
use crate::measure::run;
use anyhow::{Context, Result, bail, ensure};
use lapwing_core::Digest;
use std::fs;
use std::path::{Path, PathBuf};

/// Two images in files.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
    /// A patch-level update, as most updates are.
    pub(crate) is_patch_level: bool,
    /// What the prototype's patches took, by profile. None outside the public corpus.
    pub(crate) prototype_bytes: Option<[u64; 4]>,
}

/// Where an image comes from.
enum Source {
    /// A Python package: name, Python's version, platform, and what the path in the wheel contains.
    Wheel { package: &'static str, python: &'static str, platform: &'static str, file: &'static str },
    /// A package of npm, and the file's path in it.
    Npm { package: &'static str, file: &'static str },
    /// A package of Debian for armhf, and the file's path in it.
    Debian { package: &'static str, file: &'static str },
}

struct Public {
    name: &'static str,
    source: Source,
    versions: [&'static str; 2],
    /// How the SHA-256 of each begins.
    digests: [&'static str; 2],
    is_patch_level: bool,
    prototype_bytes: [u64; 4],
    is_quick: bool,
}

const PYTHON: &str = "3.12";
const ESBUILD: &str = "bin/esbuild";

const fn wheel(package: &'static str, platform: &'static str, file: &'static str) -> Source {
    Source::Wheel { package, python: PYTHON, platform, file }
}

/// The smallest first.
const PUBLIC: [Public; 9] = [
    Public {
        name: "orjson-a64",
        source: wheel("orjson", "manylinux_2_17_aarch64", "orjson/orjson.cpython"),
        versions: ["3.12.0", "3.13.0"],
        digests: ["3d7b6fff767c3a96", "2a020f130d1bc1f9"],
        is_patch_level: false,
        prototype_bytes: [28_763, 23_158, 19_340, 14_967],
        is_quick: true,
    },
    Public {
        name: "libcrypto-thumb2",
        source: Source::Debian { package: "libssl3", file: "usr/lib/arm-linux-gnueabihf/libcrypto.so.3" },
        versions: ["3.0.17-1~deb12u2", "3.0.20-1~deb12u2"],
        digests: ["6591e44ae9279d7a", "2c9c1de99ba7597f"],
        is_patch_level: true,
        prototype_bytes: [118_069, 105_954, 96_138, 80_740],
        is_quick: true,
    },
    Public {
        name: "pydantic-core-armv7",
        source: wheel("pydantic_core", "manylinux_2_17_armv7l", "pydantic_core/_pydantic_core.cpython"),
        versions: ["2.50.3", "2.50.4"],
        digests: ["318c5f5584b15ce0", "554f0756e189c3a3"],
        is_patch_level: true,
        prototype_bytes: [29_823, 26_784, 24_421, 22_240],
        is_quick: false,
    },
    Public {
        name: "esbuild-a64",
        source: Source::Npm { package: "@esbuild/linux-arm64", file: ESBUILD },
        versions: ["0.28.1", "0.28.2"],
        digests: ["51e829ba36f36be6", "90bd269553d258e8"],
        is_patch_level: true,
        prototype_bytes: [306_682, 271_416, 232_483, 168_933],
        is_quick: false,
    },
    Public {
        name: "numpy-x64",
        source: wheel("numpy", "manylinux_2_27_x86_64", "numpy/_core/_multiarray_umath.cpython"),
        versions: ["2.4.5", "2.4.6"],
        digests: ["c09070a3b6d87077", "2bd8ea4ada756eb2"],
        is_patch_level: true,
        prototype_bytes: [16_360, 13_706, 12_297, 10_179],
        is_quick: false,
    },
    Public {
        name: "esbuild-arm",
        source: Source::Npm { package: "@esbuild/linux-arm", file: ESBUILD },
        versions: ["0.27.7", "0.28.0"],
        digests: ["97d76dfa7aa0e771", "cd2cf1814f32e671"],
        is_patch_level: false,
        prototype_bytes: [1_969_966, 1_846_313, 1_736_425, 1_505_356],
        is_quick: false,
    },
    Public {
        name: "esbuild-x64",
        source: Source::Npm { package: "@esbuild/linux-x64", file: ESBUILD },
        versions: ["0.28.1", "0.28.2"],
        digests: ["0c6588b092a2c291", "e1698a3d5c6c0798"],
        is_patch_level: true,
        prototype_bytes: [515_391, 457_823, 394_965, 275_729],
        is_quick: false,
    },
    Public {
        name: "cryptography-x64",
        source: wheel("cryptography", "manylinux_2_34_x86_64", "bindings/_rust.abi3.so"),
        versions: ["50.0.1", "50.0.2"],
        digests: ["3d6423664bffe926", "1e5d23fa66915204"],
        is_patch_level: true,
        prototype_bytes: [830_138, 761_238, 698_952, 576_884],
        is_quick: false,
    },
    Public {
        name: "ruff-a64",
        source: wheel("ruff", "manylinux_2_17_aarch64", "scripts/ruff"),
        versions: ["0.17.4", "0.17.5"],
        digests: ["d2f0e1d536b4b52c", "0ed0475e21ff8ef0"],
        is_patch_level: true,
        prototype_bytes: [2_560_133, 2_371_940, 2_221_935, 1_915_925],
        is_quick: false,
    },
];

/// All pairs, or the three quick ones; fetched or built where `cache` lacks them.
pub(crate) fn pairs(cache: &Path, quick: bool) -> Vec<Pair> {
    let mut all = Vec::new();
    for sources in built::SOURCES.iter().filter(|sources| sources.is_quick || !quick) {
        all.push((sources.name, built::pair(sources, cache)));
    }
    for public in PUBLIC.iter().filter(|public| public.is_quick || !quick) {
        all.push((public.name, fetched(public, cache)));
    }
    let had = all.into_iter().filter_map(|(name, pair)| {
        pair.inspect_err(|error| eprintln!("!!! {name} is LEFT OUT: {error:#}")).ok()
    });
    had.collect()
}

fn fetched(public: &Public, cache: &Path) -> Result<Pair> {
    let folder = cache.join(public.name);
    let [old, new] = ["old", "new"].map(|name| folder.join(name));
    for ((path, version), digest) in [&old, &new].into_iter().zip(public.versions).zip(public.digests) {
        if !has_digest(path, digest) {
            eprintln!("fetching {} {version}", public.name);
            let found = public.source.fetch(version, &folder.join("fetched"))?;
            ensure!(has_digest(&found, digest), "{version} has other bytes than it should have");
            fs::rename(found, path)?;
        }
    }
    drop(fs::remove_dir_all(folder.join("fetched")));
    let Public { is_patch_level, prototype_bytes, .. } = *public;
    Ok(Pair {
        name: public.name.to_owned(),
        old,
        new,
        is_patch_level,
        prototype_bytes: Some(prototype_bytes),
    })
}

fn has_digest(path: &Path, beginning: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| Digest::of(&bytes).to_string().starts_with(beginning))
}

impl Source {
    /// Gets the image of one version into a new `folder` and says where it lies.
    fn fetch(&self, version: &str, folder: &Path) -> Result<PathBuf> {
        drop(fs::remove_dir_all(folder));
        fs::create_dir_all(folder)?;
        match self {
            Self::Wheel { package, python, platform, file } => {
                let exact = format!("{package}=={version}");
                let what = ["download", "--no-deps", "--only-binary=:all:", "--python-version", python];
                let pip = [&["-m", "pip", "-q"], &what[..], &["--platform", platform, &exact]].concat();
                run(folder, "python3", &pip)?;
                let archive = only_file(folder)?.display().to_string();
                run(folder, "python3", &["-m", "zipfile", "-e", &archive, "."])?;
                find(folder, file)
            }
            Self::Npm { package, file } => {
                run(folder, "npm", &["pack", "--silent", &format!("{package}@{version}")])?;
                let archive = only_file(folder)?.display().to_string();
                run(folder, "tar", &["-xzf", &archive])?;
                find(folder, file)
            }
            Self::Debian { package, file } => {
                debian(&format!("{package}={version}"), folder)?;
                let archive = only_file(folder)?.display().to_string();
                run(folder, "dpkg-deb", &["-x", &archive, "."])?;
                find(folder, file)
            }
        }
    }
}

/// Downloads a package for armhf, with package lists of its own, so that the machine's stay as they are.
fn debian(exact: &str, folder: &Path) -> Result<()> {
    let state = folder.join("apt");
    for part in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(state.join(part))?;
    }
    fs::write(state.join("status"), "")?;
    let at = |option: &str, part: &str| format!("{option}={}", state.join(part).display());
    let options = [
        "APT::Architecture=armhf".to_owned(),
        "APT::Architectures::=armhf".to_owned(),
        "APT::Sandbox::User=root".to_owned(),
        at("Dir::State", ""),
        at("Dir::State::Lists", "lists"),
        at("Dir::State::status", "status"),
        at("Dir::Cache", "cache"),
    ];
    let options: Vec<&str> = options.iter().flat_map(|option| ["-o", option.as_str()]).collect();
    let apt = |arguments: &[&str]| run(folder, "apt-get", &[&options, arguments].concat());
    // Lists of other packages may fail to come; what counts is whether ours does.
    drop(apt(&["-q", "update"]));
    apt(&["-q", "download", exact]).map(drop)
}

/// The one file right below `folder`.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    match files.as_slice() {
        [file] => Ok(file.file_name().context("a name")?.into()),
        _ => bail!("{} files came where one should", files.len()),
    }
}

/// The file below `folder` whose path contains `part`.
fn find(folder: &Path, part: &str) -> Result<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
            match path.symlink_metadata()?.file_type() {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() && path.to_string_lossy().contains(part) => return Ok(path),
                _ => {}
            }
        }
    }
    bail!("no file {part} in the package")
}
