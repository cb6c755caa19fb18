//! Builds one device binary as devices get it, and looks whether it stands alone.
//!
//! Touches: cargo, the built file.

use crate::child;
use crate::house::House;
use crate::set_up;

const TARGET: &str = "x86_64-unknown-linux-musl";
const PROFILE: &str = "device";

/// Builds the binary of `package` (same name) and returns a line about its size.
///
/// # Errors
/// When it does not build, or needs a dynamic loader.
pub(crate) fn build(house: &House, package: &str) -> Result<String, String> {
    child::run(&mut child::cargo(
        house,
        &["build", "--profile", PROFILE, "--target", TARGET, "-p", package, "--bin", package],
    ))?;
    let path = house.target_folder().join(TARGET).join(PROFILE).join(package);
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match wants_loader(&bytes) {
        Some(false) => Ok(format!("{} bytes, static", bytes.len())),
        Some(true) => Err(format!("{package} needs a dynamic loader")),
        None => Err(format!("{package} is not a 64-bit little-endian ELF file")),
    }
}

/// Adds what such a build needs; `c_compiler` if some dependency brings C.
///
/// # Errors
/// The reason why it cannot be had.
pub(crate) fn set_up(house: &House, c_compiler: bool) -> Result<(), String> {
    set_up::rust_target(house, TARGET)?;
    if c_compiler { set_up::debian_package(house, "musl-gcc", "musl-tools") } else { Ok(()) }
}

/// Whether an ELF file has a program header that names an interpreter.
fn wants_loader(elf: &[u8]) -> Option<bool> {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte)))
    };
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, entry_len, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let kinds = (0..count).map(|index| number(usize::try_from(table + index * entry_len).ok()?, 4));
    kinds.collect::<Option<Vec<_>>>().map(|kinds| kinds.contains(&PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf_with(kind: u8) -> Vec<u8> {
        let mut elf = vec![0; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[32] = 64;
        elf[54] = 56;
        elf[56] = 1;
        elf[64] = kind;
        elf
    }

    #[test]
    fn an_interpreter_is_noticed() {
        assert_eq!(wants_loader(&elf_with(1)), Some(false));
        assert_eq!(wants_loader(&elf_with(3)), Some(true));
    }

    #[test]
    fn other_files_are_not_judged() {
        assert_eq!(wants_loader(b"#!/bin/sh"), None);
        assert_eq!(wants_loader(&elf_with(3)[..60]), None);
    }
}
