//! Fetches what a suite needs and a bare machine lacks.
//!
//! Touches: rustup, apt-get, pip, cargo install; each only if the thing is missing.
//! Never: fails a suite. A refusal is returned, and the suite is skipped with that reason.

use crate::child;
use crate::house::House;
use std::path::PathBuf;

/// Cargo's tools that we install ourselves stand here, outside the user's own.
const TOOLS_FOLDER: &str = ".tools";

/// Makes the standard library of `target` available.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn rust_target(house: &House, target: &str) -> Result<(), String> {
    let mut ask = child::program(house, "rustc", &["--print", "target-libdir", "--target", target]);
    if child::output(&mut ask).is_some_and(|folder| std::path::Path::new(&folder).is_dir()) {
        return Ok(());
    }
    child::run(&mut child::program(house, "rustup", &["target", "add", target]))
}

/// Makes `cargo NAME` available as a component of the toolchain.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn rust_component(house: &House, subcommand: &str, component: &str) -> Result<(), String> {
    if child::succeeds(&mut child::cargo(house, &[subcommand, "--version"])) {
        return Ok(());
    }
    child::run(&mut child::program(house, "rustup", &["component", "add", component]))
}

/// Makes `program` available from the Debian package `package`.
///
/// # Errors
/// When it is missing and we may not or cannot install it.
pub(crate) fn debian_package(house: &House, program: &str, package: &str) -> Result<(), String> {
    if child::succeeds(&mut child::program(house, "sh", &["-c", "command -v \"$0\"", program])) {
        return Ok(());
    }
    if child::output(&mut child::program(house, "id", &["-u"])).as_deref() != Some("0") {
        return Err(format!("{program} is missing and only root can install {package}"));
    }
    let install = || {
        let arguments = ["install", "-y", "-q", "--no-install-recommends", package];
        let mut command = child::program(house, "apt-get", &arguments);
        child::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // The package lists of a fresh machine are empty or stale; one refresh mends both.
    install().or_else(|_| {
        child::run(&mut child::program(house, "apt-get", &["update", "-q"]))?;
        install()
    })
}

/// The oldest Node that builds the console.
const NODE_MAJOR_MIN: u32 = 20;

/// Whether there is a Node that is new enough. Debian's is not, so none is installed.
///
/// # Errors
/// When there is none.
pub(crate) fn node(house: &House) -> Result<(), String> {
    let said = child::output(&mut child::program(house, "node", &["--version"]));
    let major = said.as_deref().and_then(|said| said.trim_start_matches('v').split('.').next()?.parse().ok());
    match major {
        Some(NODE_MAJOR_MIN..) => Ok(()),
        _ => Err(format!("Node {NODE_MAJOR_MIN} or newer is missing")),
    }
}

/// Where our Python packages stand, outside the user's own.
pub(crate) fn python_folder(house: &House) -> PathBuf {
    house.root.join(TOOLS_FOLDER).join("python")
}

/// Makes the Python package `name` available in [`python_folder`].
///
/// # Errors
/// When it is missing and pip cannot install it.
pub(crate) fn python_package(house: &House, module: &str, package: &str) -> Result<(), String> {
    let folder = python_folder(house);
    let mut ask = child::program(house, "python3", &["-c", &format!("import {module}")]);
    if child::succeeds(ask.env("PYTHONPATH", &folder)) {
        return Ok(());
    }
    let arguments = ["-m", "pip", "install", "--quiet", "--target", &folder.to_string_lossy(), package];
    child::run(&mut child::program(house, "python3", &arguments))
}

/// Makes the cargo tool `name` available and returns the program to start.
///
/// # Errors
/// When it is missing and cargo cannot install it.
pub(crate) fn cargo_tool(house: &House, name: &str) -> Result<String, String> {
    if child::succeeds(&mut child::program(house, name, &["--version"])) {
        return Ok(name.to_owned());
    }
    let tools = house.root.join(TOOLS_FOLDER);
    let program = tools.join("bin").join(name).to_string_lossy().into_owned();
    if !child::succeeds(&mut child::program(house, &program, &["--version"])) {
        // A debug build: the tool runs for a second, its compilation for minutes.
        let arguments = ["install", "--locked", "--debug", "--root", TOOLS_FOLDER, name];
        child::run(&mut child::cargo(house, &arguments))?;
    }
    Ok(program)
}
