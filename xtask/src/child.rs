//! Starts other programs from the root of the workspace and says which.
//!
//! Touches: processes. Output is inherited, so that what a tool says is seen as it says it, or goes to the house's log.

use crate::house::House;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

/// Which cases properties are tried with: the same in every run, unless somebody asks for others.
const CASES: &str = "PROPTEST_RNG_SEED";

/// A `cargo` to be given arguments.
pub(crate) fn cargo(house: &House, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = started(house, Command::new(program), arguments);
    // `cargo run` describes xtask to us in the environment. A build script that watches these
    // variables (ring's does) would run again each time xtask and a plain cargo take turns.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    if std::env::var_os(CASES).is_none() {
        command.env(CASES, "1");
    }
    command
}

/// Any other program.
pub(crate) fn program(house: &House, name: &str, arguments: &[&str]) -> Command {
    started(house, Command::new(name), arguments)
}

fn started(house: &House, mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments).current_dir(&house.root);
    let log = house.log.as_ref().and_then(|path| OpenOptions::new().append(true).open(path).ok());
    if let Some((log, same)) = log.and_then(|log| log.try_clone().map(|same| (log, same)).ok()) {
        command.stdout(log).stderr(same);
    }
    command
}

/// Runs `command` to its end, with its output shown.
///
/// # Errors
/// When it cannot be started or does not succeed; the text names the command.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = line_of(command);
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{line}: {status}")),
        Err(error) => Err(format!("{line}: {error}")),
    }
}

/// Whether `command` succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What `command` writes to its standard output, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let output = quiet.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as somebody would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_stem().unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(std::ffi::OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
