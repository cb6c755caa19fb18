//! `lapwing release watch DIR`: drop a binary into a folder, and the fleet gets it.
//!
//! Touches: the folder, the signing directory, the server; the clock, for its pace and the delegation.
//! Never: hides what that costs in safety.

use crate::cli::{DirArgs, SignerArgs};
use crate::commands::key::{Identity, delegate_to};
use crate::exit::{Code, Refusal};
use crate::management::{Management, ManagementArgs};
use crate::output::{Said, note};
use crate::signer::{self, KeyRole};
use crate::signing_dir::SigningDir;
use crate::trust_chain::peek_delegation;
use crate::watch::{Event, EventKind, Folder, Memory, Shipper, Told};
use crate::{calendar, durable};
use anyhow::{Context, Result};
use clap::Args;
use notify::event::{AccessKind, AccessMode};
use notify::{RecursiveMode, Watcher};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How often the delegation is looked at.
const DELEGATION_EVERY: Duration = Duration::from_secs(3600);
/// Longest wait after failures in a row.
const BACK_OFF_MAX: Duration = Duration::from_secs(300);

/// What it costs, said at every start.
const COST: &str = "whoever can write into the folder, or read this process's keys, ships to the fleet, and \
nobody looks. Run it as another user than the server, let few write into the folder, keep the release key \
in an HSM behind --signer-command, or use --hold so that a person has the last word";

/// Arguments of `release watch`.
#[derive(Args)]
pub(crate) struct WatchArgs {
    /// The folder. Put images into COMPONENT/vendor.example~class-name/, with FILE.toml (a recipe) and
    /// FILE.sha256 beside them if you like, those first.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Publish, but offer it to no device before `lapwing release unhold`.
    #[arg(long)]
    hold: bool,
    /// Take no file without a FILE.sha256 beside it.
    #[arg(long)]
    require_sha256: bool,
    /// Look once, remember, and end. What did not change between two such looks is shipped.
    #[arg(long)]
    once: bool,
    /// How long a file must not have changed, milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(50..))]
    settle_ms: u64,
    /// How often to look when nothing seems to happen, milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(50..))]
    rescan_ms: u64,
    #[command(flatten)]
    dir: DirArgs,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Watches until it is stopped.
pub(crate) fn run(args: &WatchArgs, json: bool) -> Result<Said> {
    let folder = Folder::open(&args.folder, args.require_sha256)?;
    let dir = args.dir.open()?;
    let _alone = durable::try_lock(&dir.path().join("watch.json"))?;
    if args.signer.keys(Some(&dir), KeyRole::Release)?.is_empty() {
        return Err(signer::no_key(KeyRole::Release).into());
    }
    let server = args.management.open()?;
    let mut memory = Memory::read(&dir.path().join("watch.json"))?;
    let shipper =
        Shipper { folder: &folder, dir: &dir, signer: &args.signer, server: &server, hold: args.hold };
    note(COST);
    if args.once {
        renew(&dir, &server, &args.signer);
        let round = shipper.round(&mut memory)?;
        return ended(&round.events);
    }
    let (_watcher, changes) = changes_in(&folder)?;
    let settle = Duration::from_millis(args.settle_ms);
    let (mut told, mut trouble, mut failures) = (Told::default(), String::new(), 0_u32);
    let mut renewed = None::<Instant>;
    loop {
        if renewed.is_none_or(|at| at.elapsed() >= DELEGATION_EVERY) {
            renew(&dir, &server, &args.signer);
            renewed = Some(Instant::now());
        }
        let events = match shipper.round(&mut memory) {
            Ok(round) => round.events,
            Err(error) => {
                let before = std::mem::replace(&mut trouble, format!("failed to {error:#}"));
                if before != trouble {
                    note(&trouble);
                }
                Vec::new()
            }
        };
        told.news(&events).into_iter().try_for_each(|event| say(event, json))?;
        let has = |kind| events.iter().any(|event: &Event| event.kind == kind);
        failures = if has(EventKind::Failed) { failures.saturating_add(1) } else { 0 };
        let patience = if has(EventKind::Arriving) { settle } else { Duration::from_millis(args.rescan_ms) };
        let least = settle.saturating_mul(2_u32.saturating_pow(failures)).min(BACK_OFF_MAX);
        wait(&changes, least, patience);
    }
}

/// Waits at least `least`, so that two looks are that far apart, then until something changes, at most
/// `longest` in all.
fn wait(changes: &Receiver<()>, least: Duration, longest: Duration) {
    std::thread::sleep(least);
    // A watcher that went away leaves the periodic look.
    let _ = changes.recv_timeout(longest.saturating_sub(least));
    while changes.try_recv().is_ok() {}
}

/// Wakes the loop when something changes. Events get lost at times, so the loop looks by itself as well.
fn changes_in(folder: &Folder) -> Result<(impl Watcher, Receiver<()>)> {
    let (send, changes) = channel();
    let wake = move |event: notify::Result<notify::Event>| {
        // Our own reading is an access too.
        let reading = event.is_ok_and(|event| {
            event.kind.is_access()
                && event.kind != notify::EventKind::Access(AccessKind::Close(AccessMode::Write))
        });
        if !reading {
            let _ = send.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(wake).context("watch the folder")?;
    watcher.watch(folder.path(), RecursiveMode::Recursive).context("watch the folder")?;
    Ok((watcher, changes))
}

/// Keeps the delegation alive where the delegator key is at hand; says so where it is not.
fn renew(dir: &SigningDir, server: &Management, signer: &SignerArgs) {
    let attempt = || -> Result<()> {
        let identity = Identity::of(server)?;
        let bytes = delegate_to(dir, server, &identity, signer)?;
        let delegation = peek_delegation(&bytes)?;
        if delegation.version > identity.delegation_version {
            let end = calendar::in_words(delegation.not_after);
            note(&format!("gave the server delegation {}, good until {end}", delegation.version));
        }
        Ok(())
    };
    if let Err(error) = attempt() {
        note(&format!("the delegation was not renewed: failed to {error:#}"));
    }
}

fn say(event: &Event, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json { writeln!(out, "{}", as_json(event)) } else { writeln!(out, "{} {}", event.place, event.words) }
}

fn as_json(event: &Event) -> Value {
    json!({ "event": event.kind, "file": event.place, "words": event.words })
}

fn ended(events: &[Event]) -> Result<Said> {
    let failed = events.iter().find(|event| matches!(event.kind, EventKind::Failed | EventKind::Refused));
    if let Some(event) = failed {
        let code = if event.kind == EventKind::Refused { Code::Policy } else { Code::Failure };
        return Err(Refusal::new(code, format!("ship {}: it {}", event.place, event.words)).into());
    }
    let words: String = events.iter().map(|event| format!("{} {}\n", event.place, event.words)).collect();
    Ok(Said::new(words, json!({ "events": events.iter().map(as_json).collect::<Vec<_>>() })))
}
