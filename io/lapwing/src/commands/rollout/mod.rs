//! `lapwing rollout`: bring a version to a group, step by step, and watch it.
//!
//! Touches: the management plane. A command carries the generation that was seen; if somebody was faster, nothing
//! happens. Never: decides; it passes on and shows.

mod watch;
mod words;

use crate::exit::{Code, Refusal};
use crate::management::{Management, ManagementArgs};
use crate::output::{Said, moment, table, text};
use anyhow::Result;
use clap::{Args, Subcommand};
use lapwing_core::Version;
use serde_json::{Value, json};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum RolloutCommand {
    /// Write a rollout of a version that was pushed with --hold. It offers nothing yet.
    Create(CreateArgs),
    /// Say who would get it now, later and never, and what is in the way.
    Preview(OneArgs),
    /// Start it, if preflight finds nothing in the way.
    Start(StartArgs),
    /// Agree that it starts.
    Approve(OneArgs),
    /// Make no more offers; devices on their way go on.
    Pause(OneArgs),
    /// Go on after a pause, a brake or a halt.
    Resume(OneArgs),
    /// End it; devices that have not switched stay on what they run.
    Cancel(OneArgs),
    /// End it and bring back who took it, by its recall version.
    Recall(OneArgs),
    /// List the rollouts, newest first.
    List(ListArgs),
    /// Show a rollout: phases, counts, and the evidence if it was stopped.
    Show(OneArgs),
    /// Show it again and again until it ends or needs a person.
    Watch(watch::WatchArgs),
    /// Say in a few words why it does not go on.
    Why(OneArgs),
    /// Show all that happened to it, with evidence.
    History(OneArgs),
}

/// Does what the command says; `watch` speaks in JSON meanwhile if `json` is set.
pub(crate) fn run(command: RolloutCommand, json: bool) -> Result<Said> {
    match command {
        RolloutCommand::Create(args) => create(&args),
        RolloutCommand::Preview(args) => preview(&args),
        RolloutCommand::Start(args) => start(&args),
        RolloutCommand::Approve(args) => args.tell("approve"),
        RolloutCommand::Pause(args) => args.tell("pause"),
        RolloutCommand::Resume(args) => args.tell_why("resume"),
        RolloutCommand::Cancel(args) => args.tell("cancel"),
        RolloutCommand::Recall(args) => args.tell_why("recall"),
        RolloutCommand::List(args) => list(&args),
        RolloutCommand::Show(args) => show(&args),
        RolloutCommand::Watch(args) => watch::run(&args, json),
        RolloutCommand::Why(args) => why(&args),
        RolloutCommand::History(args) => history(&args),
    }
}

/// Arguments of `rollout create`.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// The version, pushed with `lapwing release push --hold`.
    version: Version,
    /// To whom.
    #[arg(long, value_name = "GROUP", default_value = "everyone")]
    group: String,
    /// How: one of `lapwing plan list`.
    #[arg(long, value_name = "PLAN", default_value = "delivery")]
    plan: String,
    /// A version, pushed with --hold as well, that brings back who took this one: an old image, released anew.
    #[arg(long, value_name = "VERSION")]
    recall: Option<Version>,
    /// Take devices to another major version, or to a release that its maker calls breaking.
    #[arg(long)]
    approve_breaking: bool,
    /// Bring a variant other than the plain one to a group in production.
    #[arg(long)]
    approve_variant: bool,
    #[command(flatten)]
    management: ManagementArgs,
}

fn create(args: &CreateArgs) -> Result<Said> {
    let body = json!({
        "version": args.version.as_str(),
        "group": args.group,
        "plan": args.plan,
        "recall": args.recall.as_ref().map(Version::as_str),
        "approve_breaking": args.approve_breaking,
        "approve_variant": args.approve_variant,
    });
    let rollout = args.management.open()?.post("/api/v1/rollouts", &body)?;
    let id = text(&rollout["id"]);
    let words = format!(
        "rollout {id} is a draft: version {} to {} by plan {}\nNext: `lapwing rollout preview {id}`, then \
         `lapwing rollout start {id}`.\n",
        args.version, args.group, args.plan
    );
    Ok(Said::new(words, rollout))
}

/// Arguments of the commands that speak of one rollout.
#[derive(Args)]
pub(crate) struct OneArgs {
    /// The rollout's number.
    id: u64,
    #[command(flatten)]
    management: ManagementArgs,
}

impl OneArgs {
    fn path(&self) -> String {
        format!("/api/v1/rollouts/{}", self.id)
    }

    fn ask(&self, what: impl FnOnce(&Management, &str) -> Result<Value>) -> Result<Value> {
        what(&self.management.open()?, &self.path())
    }

    /// Commands the rollout as it is now.
    fn tell(&self, verb: &str) -> Result<Said> {
        let reason = self.management.reason().unwrap_or_default();
        let rollout = self.command(verb, &json!({ "reason": reason }))?;
        Ok(Said::new(words::rollout(&rollout), rollout))
    }

    /// The same, for what nobody does without saying why.
    fn tell_why(&self, verb: &str) -> Result<Said> {
        let what = format!("{verb} the rollout without a reason");
        let missing =
            || Refusal::new(Code::Usage, what).advice("say why with --reason; the history keeps it");
        self.management.reason().ok_or_else(missing)?;
        self.tell(verb)
    }

    fn command(&self, verb: &str, body: &Value) -> Result<Value> {
        self.ask(|server, path| {
            let generation = server.get(path)?["generation"].as_u64().unwrap_or_default();
            server.command(&format!("{path}/{verb}"), generation, body)
        })
    }
}

/// Arguments of `rollout start`.
#[derive(Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Start although preflight found this, by the code that it shows; may be given several times.
    #[arg(long, value_name = "CODE")]
    accept: Vec<String>,
}

fn start(args: &StartArgs) -> Result<Said> {
    let reason = args.one.management.reason().unwrap_or_default();
    let rollout = args.one.command("start", &json!({ "accept": args.accept, "reason": reason }))?;
    Ok(Said::new(words::rollout(&rollout), rollout))
}

fn preview(args: &OneArgs) -> Result<Said> {
    let preview = args.ask(|server, path| server.get(&format!("{path}/preview")))?;
    Ok(Said::new(words::preview(&preview), preview))
}

/// Arguments of `rollout list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let answer = args.management.open()?.get("/api/v1/rollouts")?;
    let row = |rollout: &Value| {
        vec![
            text(&rollout["id"]),
            text(&rollout["version"]),
            text(&rollout["group"]),
            text(&rollout["plan"]),
            text(&rollout["state"]),
            words::progress(rollout),
            moment(&rollout["made"]),
        ]
    };
    let rows = answer["rollouts"].as_array().into_iter().flatten().map(row).collect();
    let head = ["ROLLOUT", "VERSION", "GROUP", "PLAN", "IS", "ON NEW / ROLLED BACK", "MADE"];
    Ok(Said::new(table(&head, rows), answer))
}

fn show(args: &OneArgs) -> Result<Said> {
    let rollout = args.ask(|server, path| server.get(path))?;
    Ok(Said::new(words::rollout(&rollout), rollout))
}

fn why(args: &OneArgs) -> Result<Said> {
    let rollout = args.ask(|server, path| server.get(path))?;
    let why = json!({ "id": rollout["id"], "state": rollout["state"], "why": rollout["why"] });
    let words = match rollout["why"].as_str() {
        Some(_) => format!("rollout {} is {}: {}\n", args.id, text(&rollout["state"]), text(&rollout["why"])),
        None => format!("rollout {} is {}; nothing holds it back\n", args.id, text(&rollout["state"])),
    };
    Ok(Said::new(words, why))
}

fn history(args: &OneArgs) -> Result<Said> {
    let answer = args.ask(|server, path| server.get(&format!("{path}/history")))?;
    let row = |row: &Value| vec![moment(&row["time"]), text(&row["name"]), text(&row["words"])];
    let rows = answer["history"].as_array().into_iter().flatten().map(row).collect();
    Ok(Said::new(table(&["WHEN", "WHAT", "WORDS"], rows), answer))
}
