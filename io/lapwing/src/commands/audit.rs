//! `lapwing audit`: what people told the server, and whether that record is whole.
//!
//! Touches: the management plane, or a file that `export` wrote. The chain is followed here, not by the server.
//! Never: changes anything.

use crate::durable;
use crate::exit::{Code, Refusal};
use crate::management::ManagementArgs;
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::audit::{Command, Head, follow};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::str::FromStr;

/// Largest export that is read, bytes.
const EXPORT_BYTES_MAX: usize = 1 << 30;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List what people told the server, the oldest first.
    List(ListArgs),
    /// Follow the chain from its beginning, and say where it ends or is broken.
    Verify(VerifyArgs),
    /// Write the audit into a file, one command a line, as JSON.
    Export(ExportArgs),
}

/// Does what the command says.
pub(crate) fn run(command: AuditCommand) -> Result<Said> {
    match command {
        AuditCommand::List(args) => list(&args),
        AuditCommand::Verify(args) => verify(&args),
        AuditCommand::Export(args) => export(&args),
    }
}

/// Arguments of `audit list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Show only the last so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let mut commands = ask(&args.management)?;
    commands.drain(..commands.len().saturating_sub(args.limit.unwrap_or(usize::MAX)));
    let row = |command: &Value| {
        let [number, who, action, subject, why] =
            ["number", "who", "action", "subject", "why"].map(|name| text(&command[name]));
        vec![number, moment(&command["time"]), who, action, subject, why]
    };
    let words = table(&["", "WHEN", "WHO", "DID", "TO", "WHY"], commands.iter().map(row).collect());
    Ok(Said::new(words, json!({ "commands": commands })))
}

fn ask(management: &ManagementArgs) -> Result<Vec<Value>> {
    management.open()?.list("/api/v1/audit", "commands", usize::MAX)
}

/// Arguments of `audit export`.
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    management: ManagementArgs,
}

fn export(args: &ExportArgs) -> Result<Said> {
    let commands = ask(&args.management)?;
    let head = checked(&commands, None)?;
    let lines: String = commands.iter().map(|command| format!("{command}\n")).collect();
    durable::write(&args.out, lines.as_bytes(), durable::PRIVATE)?;
    Ok(said(head, &format!("written to {}; ", args.out.display())))
}

/// Arguments of `audit verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// A head that was noted before, as `verify` said it: the chain must go through it.
    #[arg(long, value_name = "NUMBER:DIGEST")]
    head: Option<NotedHead>,
    /// Follow this export instead of asking the server.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    management: ManagementArgs,
}

/// A head as people note it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotedHead(Head);

impl FromStr for NotedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "not a head; it is a number, a colon and 64 hexadecimal digits";
        let (number, digest) = text.split_once(':').ok_or(wrong)?;
        let number = number.parse().map_err(|_| wrong)?;
        Ok(Self(Head { number, digest: digest.parse().map_err(|_| wrong)? }))
    }
}

fn verify(args: &VerifyArgs) -> Result<Said> {
    let commands = match &args.file {
        None => ask(&args.management)?,
        Some(file) => {
            let reading = || format!("read {}", file.display());
            let text = durable::read_at_most(file, EXPORT_BYTES_MAX).with_context(reading)?;
            let lines = std::str::from_utf8(&text).with_context(reading)?.lines();
            lines.map(serde_json::from_str).collect::<Result<_, _>>().with_context(reading)?
        }
    };
    Ok(said(checked(&commands, args.head.map(|noted| noted.0))?, "the chain is whole; "))
}

fn said(head: Head, what: &str) -> Said {
    let noted = format!("{}:{}", head.number, head.digest);
    let advice = "note the head elsewhere: `--head` holds a later chain to it";
    let words = format!("{what}{} commands, head {noted}\n  {advice}\n", head.number);
    Said::new(words, json!({ "commands": head.number, "head": noted }))
}

/// Follows the chain of these commands.
fn checked(commands: &[Value], noted: Option<Head>) -> Result<Head> {
    let chain: Option<Vec<(Command, Digest)>> = commands.iter().map(read).collect();
    let chain = chain.context("read the audit: a command has another form")?;
    follow(chain.iter().map(|(command, digest)| (command, *digest)), noted).map_err(|error| {
        let advice = "keep the server's store and logs as they are, and compare with an earlier export";
        Refusal::new(Code::Verification, format!("follow the audit: {error}")).advice(advice).into()
    })
}

fn read(value: &Value) -> Option<(Command, Digest)> {
    let word = |name: &str| value[name].as_str().map(str::to_owned);
    let command = Command {
        number: value["number"].as_u64()?,
        time: UnixSeconds(value["time"].as_u64()?),
        who: word("who")?,
        role: word("role")?,
        action: word("action")?,
        subject: word("subject")?,
        why: word("why"),
        before: word("before"),
        after: word("after"),
    };
    Some((command, value["digest"].as_str()?.parse().ok()?))
}
