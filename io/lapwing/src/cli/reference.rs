//! Holds docs/reference/cli.md to what the command line really takes.
//!
//! Touches: that page, in tests only. `LAPWING_BLESS=1` writes its last part anew.

use super::{Cli, DirArgs, SignerArgs};
use crate::management::ManagementArgs;
use clap::{Arg, Args, Command, CommandFactory};
use std::path::Path;

const MARK: &str = "<!-- commands -->\n";

#[test]
fn the_reference_lists_every_command_and_argument() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (by_hand, _) = text.split_once(MARK).unwrap();
    let mut root = Cli::command();
    root.build();
    let shared = shared();
    let together: String = shared.get_arguments().map(line).collect();
    let expected =
        format!("{by_hand}{MARK}\n### Shared arguments\n\n{together}{}", describe(&root, "", &shared));
    if std::env::var_os("LAPWING_BLESS").is_some() {
        return std::fs::write(&page, &expected).unwrap();
    }
    assert!(text == expected, "docs/reference/cli.md is out of date: write it anew with LAPWING_BLESS=1");
}

/// The arguments that many commands share, explained once.
fn shared() -> Command {
    ManagementArgs::augment_args(SignerArgs::augment_args(DirArgs::augment_args(Command::new("shared"))))
}

fn describe(command: &Command, above: &str, shared: &Command) -> String {
    let name = format!("{above}{}", command.get_name());
    if command.has_subcommands() {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        return below.map(|below| describe(below, &format!("{name} "), shared)).collect();
    }
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let everywhere = |argument: &&Arg| ["help", "json"].contains(&argument.get_long().unwrap_or_default());
    let is_shared = |argument: &&Arg| shared.get_arguments().any(|known| known.get_id() == argument.get_id());
    let arguments: Vec<&Arg> = command.get_arguments().filter(|argument| !everywhere(argument)).collect();
    let (known, own): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_shared);
    let mut lines: String = own.into_iter().map(line).collect();
    if !known.is_empty() {
        let names: Vec<String> =
            known.into_iter().map(|argument| format!("`{}`", name_of(argument))).collect();
        lines += &format!("- shared: {}\n", names.join(", "));
    }
    format!("\n### `{name}`\n\n{about}.\n\n{lines}")
}

fn line(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().unwrap_or_default().join(" ");
    let value =
        if takes_value && argument.get_long().is_some() { format!(" {value}") } else { String::new() };
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let default = argument.get_default_values().iter().map(|value| value.to_string_lossy()).next();
    let default =
        default.filter(|_| takes_value).map(|value| format!(" [default: {value}]")).unwrap_or_default();
    format!("- `{}{value}`: {}{default}\n", name_of(argument), help.replace('\n', " "))
}

fn name_of(argument: &Arg) -> String {
    let value = || argument.get_value_names().unwrap_or_default().join(" ");
    argument.get_long().map_or_else(value, |long| format!("--{long}"))
}
