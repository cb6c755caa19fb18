//! `lapwing plan`: how rollouts proceed, as files in TOML or JSON.
//!
//! Touches: the management plane, plan files. Never: sends a plan that makes no sense.

use crate::durable;
use crate::exit::{Code, Refusal};
use crate::management::{ManagementArgs, path_part};
use crate::output::{Said, table, text};
use anyhow::Result;
use clap::{Args, Subcommand};
use lapwing_fleet::rollout::{BasisPoints, HowMany, PhasePlan, Plan, ReleasedBy, Tier, Who};
use lapwing_fleet::{Window, Windows};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const PLAN_BYTES_MAX: usize = 1 << 18;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// List the plans: those that are built in and those that were put.
    List(ListArgs),
    /// Show a plan as a file would have it.
    Show(ShowArgs),
    /// Say whether a plan file makes sense, without a server.
    Check(CheckArgs),
    /// Give the server a plan file as the next revision of its plan.
    Put(PutArgs),
}

/// Does what the command says.
pub(crate) fn run(command: PlanCommand) -> Result<Said> {
    match command {
        PlanCommand::List(args) => list(&args),
        PlanCommand::Show(args) => show(&args),
        PlanCommand::Check(args) => check(&args),
        PlanCommand::Put(args) => put(&args),
    }
}

/// Arguments of `plan list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let answer = args.management.open()?.get("/api/v1/plans")?;
    let row = |plan: &Value| {
        let phases = plan["phases"].as_array().into_iter().flatten();
        let names: Vec<String> = phases.map(|phase| text(&phase["name"])).collect();
        vec![text(&plan["name"]), text(&plan["revision"]), text(&plan["priority"]), names.join(", ")]
    };
    let rows = answer["plans"].as_array().into_iter().flatten().map(row).collect();
    Ok(Said::new(table(&["PLAN", "REVISION", "PRIORITY", "PHASES"], rows), answer))
}

/// Arguments of `plan show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The plan.
    name: String,
    #[command(flatten)]
    management: ManagementArgs,
}

fn show(args: &ShowArgs) -> Result<Said> {
    let answer = args.management.open()?.get(&format!("/api/v1/plans/{}", path_part(&args.name)))?;
    let plan: Plan = serde_json::from_value(answer.clone())?;
    Ok(Said::new(in_words(&plan), answer))
}

/// Arguments of `plan check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The plan file: TOML, or JSON if it ends in .json.
    file: PathBuf,
}

fn check(args: &CheckArgs) -> Result<Said> {
    let plan = read(&args.file)?;
    Ok(Said::new(in_words(&plan), json!(plan)))
}

/// Arguments of `plan put`.
#[derive(Args)]
pub(crate) struct PutArgs {
    /// The plan file: TOML, or JSON if it ends in .json.
    file: PathBuf,
    #[command(flatten)]
    management: ManagementArgs,
}

fn put(args: &PutArgs) -> Result<Said> {
    let plan = read(&args.file)?;
    let path = format!("/api/v1/plans/{}", path_part(plan.name.as_str()));
    let answer = args.management.open()?.put_json(&path, &json!(plan))?;
    let words =
        format!("plan {} has revision {} now; rollouts under way keep theirs\n", plan.name, plan.revision);
    Ok(Said::new(words, answer))
}

fn read(path: &Path) -> Result<Plan> {
    let wrong = |why: String| {
        Refusal::new(Code::Usage, format!("read the plan {}: {why}", path.display()))
            .advice("`lapwing plan show delivery --json` is one to start from")
    };
    let bytes = durable::read_at_most(path, PLAN_BYTES_MAX)?;
    let words = String::from_utf8(bytes).map_err(|_| wrong("it is not text".to_owned()))?;
    let is_json = path.extension().is_some_and(|end| end == "json");
    let plan: Plan = match is_json {
        true => serde_json::from_str(&words).map_err(|error| wrong(error.to_string()))?,
        false => toml::from_str(&words).map_err(|error| wrong(error.message().to_owned()))?,
    };
    Ok(plan.validated().map_err(|fault| wrong(fault.to_string()))?)
}

fn in_words(plan: &Plan) -> String {
    let brakes = match plan.brakes {
        ReleasedBy::Itself => "brakes let go by themselves once a phase, critical ones never",
        ReleasedBy::Person => "a person releases every brake",
    };
    let head = format!(
        "plan {}, revision {}\n  {brakes}\n  {} approvals, at most {} offers a minute\n",
        plan.name, plan.revision, plan.approvals, plan.rate_per_minute
    );
    let row = |(number, phase): (usize, &PhasePlan)| {
        vec![
            format!("{}", number + 1),
            phase.name.to_string(),
            whom(phase),
            format!("{} h", phase.soak_s / 3_600),
            phase.excludes.to_string(),
        ]
    };
    let rows = plan.phases.iter().enumerate().map(row).collect();
    let phases = table(&["", "PHASE", "FOR", "SOAKS", "MUST EXCLUDE"], rows);
    let attested = plan.attestations.iter().map(|kind| format!("  wants attested: {kind}\n"));
    head + &attested.collect::<String>() + &plan.windows.as_ref().map(windows).unwrap_or_default() + &phases
}

fn windows(windows: &Windows) -> String {
    let line = |does: &str, window: &Window| {
        let days: Vec<String> = window.days.iter().map(|day| format!("{day:?}")).collect();
        let days = if days.is_empty() { "every day".to_owned() } else { days.join(", ") };
        let whom = window.whom.as_ref().map(|filter| format!(" for {filter}")).unwrap_or_default();
        format!("  {does} {} to {}, {days}: {}{whom}\n", window.from, window.to, window.name)
    };
    let open = windows.open.iter().map(|window| line("switches from", window));
    let never = windows.never.iter().map(|window| line("never from", window));
    format!("  by the clocks of each device's zone, {} if it names none\n", windows.zone)
        + &open.chain(never).collect::<String>()
}

fn whom(phase: &PhasePlan) -> String {
    let how_many = match phase.how_many {
        HowMany::Share(BasisPoints::ALL) => "all".to_owned(),
        HowMany::Share(share) => share.to_string(),
        HowMany::Count(count) => format!("{count} devices"),
    };
    match &phase.who {
        Who::Everyone | Who::Tier(Tier::General) => how_many,
        Who::Tier(tier) => format!("{how_many} up to tier {}", tier.label()),
        Who::Filter(filter) => format!("{how_many} with {filter}"),
    }
}
