//! Applies one artifact on a Cortex-M4 without an operating system and says what that took.
//!
//! Touches: the files `base`, `artifact` and `target` of the machine that runs QEMU.
//! Never: judges the image; whoever started this compares it.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod desk;
#[cfg(target_os = "none")]
mod work;

/// Where there is an operating system there is nothing to prove; only the workspace builds whole.
#[cfg(not(target_os = "none"))]
fn main() {}
