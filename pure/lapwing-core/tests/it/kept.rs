//! The files under `formats/vectors`: compared byte for byte, or written anew when asked to.
//!
//! Touches: files; the variable `LAPWING_REGENERATE`, which makes the vectors follow the code.
//! Never: writes without it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The file or folder of this name below `formats/vectors`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../formats/vectors").join(name)
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("formats/vectors/{name}: {error}"))
}

fn regenerates() -> bool {
    std::env::var_os("LAPWING_REGENERATE").is_some()
}

/// Checks that the file holds exactly this, or writes it.
pub(crate) fn keep(name: &str, content: &[u8]) {
    if regenerates() {
        let path = path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        return;
    }
    let kept = read(name);
    if let (Ok(kept), Ok(content)) = (str::from_utf8(&kept), str::from_utf8(content)) {
        assert_eq!(kept, content, "formats/vectors/{name}");
    }
    assert_eq!(kept, content, "formats/vectors/{name}");
}

/// Checks that a folder holds files or folders of these names and no others, or removes those.
pub(crate) fn keep_only(folder: &str, names: impl IntoIterator<Item = String>) {
    let expected: BTreeSet<_> = names.into_iter().collect();
    let entries = fs::read_dir(path(folder)).unwrap();
    let found: BTreeSet<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    if regenerates() {
        for stale in found.difference(&expected).map(|name| path(folder).join(name)) {
            let removed = if stale.is_dir() { fs::remove_dir_all(&stale) } else { fs::remove_file(&stale) };
            removed.unwrap();
        }
        return;
    }
    assert_eq!(found, expected, "formats/vectors/{folder}");
}
