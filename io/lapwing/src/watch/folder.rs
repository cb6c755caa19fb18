//! What lies in the watched folder: `COMPONENT/HARDWARE/FILE`, with `FILE.toml` and `FILE.sha256` beside.
//!
//! Touches: the folder, read only; `/proc`, to see who writes. `watch.toml` in the folder names
//! hardware folders that are not spelled `vendor.example~class`.

use super::sight::{Hold, Sight, Stat};
use crate::durable;
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::recipe::Image;
use anyhow::{Context, Result};
use lapwing_core::ComponentName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const NAMES_FILE: &str = "watch.toml";
const NAMES_BYTES_MAX: usize = 64 * 1024;
const DIGEST_FILE_BYTES_MAX: usize = 4096;
/// Endings of files that are not images: what stands beside them, and what copying tools leave half done.
const NOT_IMAGES: [&str; 9] =
    ["toml", "sha256", "part", "partial", "tmp", "temp", "filepart", "crdownload", "swp"];
const OPEN_FOR_WRITING: u32 = 0o3;

/// The folder.
pub(crate) struct Folder {
    path: PathBuf,
    digest_required: bool,
}

/// One look at all of it.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The images, in the order of their places.
    pub(crate) drops: Vec<Drop>,
    /// Places that are left alone, and why.
    pub(crate) strangers: Vec<(String, String)>,
}

/// A file in its place.
#[derive(Debug, Clone)]
pub(crate) struct Drop {
    /// Its place below the folder, which is how it is remembered.
    pub(crate) place: String,
    pub(crate) path: PathBuf,
    pub(crate) component: ComponentName,
    pub(crate) hardware: Hardware,
    pub(crate) sight: Sight,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Names {
    #[serde(default)]
    hardware: BTreeMap<String, String>,
}

impl Folder {
    /// The folder at `path`, unless anybody at all may write into it.
    pub(crate) fn open(path: &Path, digest_required: bool) -> Result<Self> {
        let missing = || {
            Refusal::new(Code::NotFound, format!("watch {}: it is no directory", path.display()))
                .advice("make it: mkdir -p DIR/app/vendor.example~class-name")
        };
        let metadata = fs::metadata(path).ok().filter(Metadata::is_dir).ok_or_else(missing)?;
        refuse_public(path, &metadata)?;
        Ok(Self { path: path.to_owned(), digest_required })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub(crate) fn look(&self) -> Result<Look> {
        let names = self.names()?;
        let mut look = Look::default();
        for component_dir in subdirectories(&self.path)? {
            let Ok(component) = file_name(&component_dir).parse::<ComponentName>() else {
                look.strangers.push((self.place(&component_dir), "is not named as a component".to_owned()));
                continue;
            };
            for hardware_dir in subdirectories(&component_dir)? {
                match hardware_of(&file_name(&hardware_dir), &names) {
                    Some(hardware) => {
                        self.look_into(&hardware_dir, &component, &hardware, &mut look.drops)?
                    }
                    None => look.strangers.push((
                        self.place(&hardware_dir),
                        format!(
                            "is not named as a hardware class: call it vendor.example~class-name, or name it \
                             in {NAMES_FILE}"
                        ),
                    )),
                }
            }
        }
        look.drops.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(look)
    }

    /// A path as it is remembered: from the folder on.
    fn place(&self, path: &Path) -> String {
        path.strip_prefix(&self.path).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Why a file that stands still is not to be taken, if there is a reason.
    pub(crate) fn hold(&self, drop: &Drop) -> Option<Hold> {
        if drop.sight.image.size_bytes == 0 {
            return Some(Hold::Empty);
        }
        if is_being_written(&drop.sight.image) {
            return Some(Hold::BeingWritten);
        }
        if is_cut_short(&drop.path, drop.sight.image.size_bytes).unwrap_or(true) {
            return Some(Hold::CutShort);
        }
        match drop.sight.digest {
            None => self.digest_required.then_some(Hold::DigestMissing),
            Some(_) => digest_differs(drop).then_some(Hold::DigestDiffers),
        }
    }

    fn names(&self) -> Result<Names> {
        let path = self.path.join(NAMES_FILE);
        if !path.exists() {
            return Ok(Names::default());
        }
        let text = String::from_utf8(durable::read_at_most(&path, NAMES_BYTES_MAX)?)?;
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))
    }

    fn look_into(
        &self,
        dir: &Path,
        component: &ComponentName,
        hardware: &Hardware,
        drops: &mut Vec<Drop>,
    ) -> Result<()> {
        refuse_public(dir, &fs::metadata(dir)?)?;
        for entry in fs::read_dir(dir).with_context(|| format!("look into {}", dir.display()))? {
            let path = entry?.path();
            let Some(image) = image_stat(&path) else { continue };
            let sight =
                Sight { image, recipe: stat(&beside(&path, "toml")), digest: stat(&beside(&path, "sha256")) };
            let place = self.place(&path);
            drops.push(Drop { place, path, component: component.clone(), hardware: hardware.clone(), sight });
        }
        Ok(())
    }
}

/// The file that speaks of `path`: the same name and one more ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// How an image looks now, if it is one: a plain file that no copying tool calls half done.
pub(crate) fn image_stat(path: &Path) -> Option<Stat> {
    let name = file_name(path);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let not_image = ending.is_some_and(|ending| NOT_IMAGES.contains(&ending.as_str()));
    if name.starts_with('.') || name.ends_with('~') || not_image {
        return None;
    }
    stat(path)
}

fn stat(path: &Path) -> Option<Stat> {
    let metadata = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
    Some(Stat {
        size_bytes: metadata.len(),
        modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        inode: metadata.ino(),
        device: metadata.dev(),
    })
}

fn subdirectories(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).with_context(|| format!("look into {}", path.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir() && !file_name(path).starts_with('.')).collect())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn hardware_of(folder: &str, names: &Names) -> Option<Hardware> {
    match names.hardware.get(folder) {
        Some(name) => name.parse().ok(),
        None => Hardware::from_folder(folder).ok(),
    }
}

fn refuse_public(path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.permissions().mode() & 0o002 == 0 {
        return Ok(());
    }
    let what = format!("watch {}: everybody may write there, and so ship to the fleet", path.display());
    Err(Refusal::new(Code::Policy, what).advice(format!("chmod o-w {}", path.display())).into())
}

/// Whether a process that this user may look at has the file open for writing.
fn is_being_written(file: &Stat) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let numbered = |path: &PathBuf| file_name(path).bytes().all(|b| b.is_ascii_digit());
    let processes = processes.flatten().map(|entry| entry.path()).filter(numbered);
    let mut descriptors =
        processes.filter_map(|process| fs::read_dir(process.join("fd")).ok()).flatten().flatten();
    descriptors.any(|descriptor| {
        let path = descriptor.path();
        let is_it = |metadata: Metadata| (metadata.ino(), metadata.dev()) == (file.inode, file.device);
        fs::metadata(&path).is_ok_and(is_it) && writes(&path)
    })
}

/// Whether the descriptor at `/proc/PID/fd/N` was opened for writing, by `/proc/PID/fdinfo/N`.
fn writes(descriptor: &Path) -> bool {
    let info = descriptor.parent().and_then(Path::parent).map(|process| process.join("fdinfo"));
    let text = info.and_then(|info| fs::read_to_string(info.join(descriptor.file_name()?)).ok());
    let flags = text.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("flags:")));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    // When in doubt it is being written: the next look asks again.
    flags.is_none_or(|flags| flags & OPEN_FOR_WRITING != 0)
}

/// Whether it is an ELF program whose section headers, which linkers put last, are not all there.
fn is_cut_short(path: &Path, size_bytes: u64) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    Ok(elf_length(&head).is_some_and(|needed| size_bytes < needed))
}

/// How long an ELF file with this head must be at least.
fn elf_length(head: &[u8]) -> Option<u64> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let little = head.get(5) == Some(&1);
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = head.get(at..at + length)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) })
    };
    let is_64 = head.get(4) == Some(&2);
    let fields = if is_64 {
        (number(0x28, 8), number(0x3a, 2), number(0x3c, 2))
    } else {
        (number(0x20, 4), number(0x2e, 2), number(0x30, 2))
    };
    // A head that is not all there is cut short for certain.
    let (Some(offset), Some(size), Some(count)) = fields else { return Some(u64::MAX) };
    Some(offset.saturating_add(size * count))
}

fn digest_differs(drop: &Drop) -> bool {
    let said = durable::read_at_most(&beside(&drop.path, "sha256"), DIGEST_FILE_BYTES_MAX).ok();
    let said = said.and_then(|bytes| String::from_utf8(bytes).ok());
    // The format of sha256sum: the digest, then perhaps a name.
    let said = said.as_deref().and_then(|text| text.split_whitespace().next()?.parse().ok());
    let found = Image::read(&drop.path).ok().map(|image| image.digest);
    said.is_none() || said != found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_somebody_writes_is_seen_to_be_written_and_one_that_is_read_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let mut writer = File::create(&path).unwrap();
        writer.write_all(b"half").unwrap();
        assert!(is_being_written(&stat(&path).unwrap()));
        std::mem::drop(writer);
        let _reader = File::open(&path).unwrap();
        assert!(!is_being_written(&stat(&path).unwrap()));
    }

    #[test]
    fn every_beginning_of_a_program_is_known_to_be_cut_short() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = elf_length(&program[..64]).unwrap();
        assert!(needed <= program.len() as u64);
        for length in [4, 16, 40, 63] {
            assert!(elf_length(&program[..length]).unwrap() > length as u64);
        }
        assert!(needed > program.len() as u64 / 2, "the headers stand at the end");
        assert_eq!(elf_length(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn what_copying_tools_leave_half_done_is_no_image() {
        let dir = tempfile::tempdir().unwrap();
        for (name, is_image) in [
            ("pump-1.2.3", true),
            ("pump.bin", true),
            (".pump.X7f2", false),
            ("pump.part", false),
            ("pump.TMP", false),
            ("pump~", false),
            ("pump.toml", false),
            ("pump.sha256", false),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, "x").unwrap();
            assert_eq!(image_stat(&path).is_some(), is_image, "{name}");
        }
        std::os::unix::fs::symlink(dir.path().join("pump.bin"), dir.path().join("link")).unwrap();
        assert!(image_stat(&dir.path().join("link")).is_none(), "a link can point at what still grows");
    }
}
