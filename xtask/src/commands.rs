//! The commands and what each one starts.
//!
//! Touches: `suites`, `tidy`, `child`. Benches and programs live in their own packages; here stands only
//! where to find them.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use crate::{bench_delta, fuzz, suite_bodies, suites, tidy};

struct Command {
    usage: &'static str,
    about: &'static str,
    run: fn(&House, &[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command {
        usage: "demo [--headless --json]",
        about: "a server and five devices: updates, bad releases, the way back",
        run: demo,
    },
    Command {
        usage: "test [--only NAME]",
        about: "everything, with its set-up; the summary has the times",
        run: test,
    },
    Command { usage: "check", about: "format, clippy, tests of pure/: before each commit", run: check },
    Command { usage: "tidy", about: "the rules of the house", run: |house, _| tidy::run(house) },
    Command {
        usage: "bench NAME [--quick] [--out FILE]",
        about: "measure; the figures go to docs/benchmarks/NAME.json. NAME: agent, air, cuts, delta, link, metal, plane, rollout",
        run: bench,
    },
    Command {
        usage: "cuts --count N",
        about: "cut the power N times and look what boots",
        run: |house, arguments| start(house, "lapwing-sim", "lapwing-sim", &["cuts"], arguments),
    },
    Command {
        usage: "kills --count N [--seed S]",
        about: "kill -9 real programs N times while updates go on",
        run: kills,
    },
    Command {
        usage: "fuzz TARGET [--count N] [--seed S]",
        about: "hostile input for one decoder; without TARGET it lists them",
        run: fuzz::run,
    },
    Command {
        usage: "sim [SEED | --fleet SEED | --swarm N --like DIR]",
        about: "a simulated run, narrated; or a whole rollout; or N devices for a real server",
        run: |house, arguments| start(house, "lapwing-sim", "lapwing-sim", &[], arguments),
    },
];

/// A bench: its name, and what measures it.
struct Bench {
    name: &'static str,
    run: fn(&House, &[String]) -> Result<(), String>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "agent",
        run: |house, arguments| start(house, "lapwing-e2e", "lapwing-bench", &["agent"], arguments),
    },
    Bench {
        name: "air",
        run: |house, arguments| start(house, "lapwing-e2e", "lapwing-bench-air", &[], arguments),
    },
    Bench {
        name: "cuts",
        run: |house, arguments| start(house, "lapwing-sim", "lapwing-sim", &["bench-cuts"], arguments),
    },
    Bench { name: "delta", run: bench_delta::run },
    Bench {
        name: "link",
        run: |house, arguments| start(house, "lapwing-link", "lapwing-link", &[], arguments),
    },
    Bench { name: "metal", run: bench_delta::metal },
    Bench { name: "plane", run: bench_plane },
    Bench { name: "rollout", run: bench_rollout },
];

/// Runs the command that `arguments` name; without any, lists them.
///
/// # Errors
/// When the command is unknown or does not succeed.
pub(crate) fn dispatch(arguments: &[String]) -> Result<(), String> {
    let Some((name, rest)) = arguments.split_first() else {
        COMMANDS.iter().for_each(|command| println!("{:<37} {}", command.usage, command.about));
        return Ok(());
    };
    let command = COMMANDS.iter().find(|command| command.usage.split(' ').next() == Some(name));
    let command = command.ok_or(format!("no command {name}; without arguments I list them"))?;
    (command.run)(&House::find()?, rest)
}

fn test(house: &House, arguments: &[String]) -> Result<(), String> {
    let only = arguments.chunks(2).map(|pair| match pair {
        [flag, name] if flag == "--only" => Ok(name.clone()),
        _ => Err(format!("expected --only NAME, not {}", pair.join(" "))),
    });
    suites::run(house, &only.collect::<Result<Vec<_>, _>>()?)
}

fn check(house: &House, _: &[String]) -> Result<(), String> {
    child::run(&mut cargo(house, &["fmt", "--all", "--check"]))?;
    child::run(&mut cargo(house, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut tests = cargo(house, &["test", "--quiet"]);
    for package in house.floor("pure") {
        tests.args(["-p", package]);
    }
    child::run(&mut tests)
}

fn demo(house: &House, arguments: &[String]) -> Result<(), String> {
    if house.has("lapwing-e2e") {
        suite_bodies::build_binaries(house)?;
    }
    start(house, "lapwing-e2e", "lapwing-demo", &[], arguments)
}

fn kills(house: &House, arguments: &[String]) -> Result<(), String> {
    suite_bodies::build_binaries(house)?;
    start(house, "lapwing-e2e", "lapwing-kills", &[], arguments)
}

fn bench(house: &House, arguments: &[String]) -> Result<(), String> {
    let names = || BENCHES.iter().map(|bench| bench.name).collect::<Vec<_>>().join(", ");
    let (name, rest) = arguments.split_first().ok_or_else(|| format!("bench what? {}", names()))?;
    let bench = BENCHES.iter().find(|bench| bench.name == name);
    let bench = bench.ok_or_else(|| format!("no bench {name}; there are: {}", names()))?;
    (bench.run)(house, rest)
}

fn bench_plane(house: &House, arguments: &[String]) -> Result<(), String> {
    suite_bodies::build_binaries(house)?;
    start(house, "lapwing-e2e", "lapwing-bench-plane", &[], arguments)
}

/// A hundred thousand devices, two hundred times: that takes optimised code.
fn bench_rollout(house: &House, arguments: &[String]) -> Result<(), String> {
    let run =
        ["run", "--quiet", "--release", "-p", "lapwing-sim", "--bin", "lapwing-sim", "--", "bench-rollout"];
    child::run(cargo(house, &run).args(arguments))
}

/// Runs a binary of another package of the workspace.
fn start(
    house: &House,
    package: &str,
    binary: &str,
    first: &[&str],
    arguments: &[String],
) -> Result<(), String> {
    if !house.has(package) {
        return Err(format!("{package} does not exist yet"));
    }
    let mut command = cargo(house, &["run", "--quiet", "--profile", PROFILE, "-p", package, "--bin", binary]);
    child::run(command.arg("--").args(first).args(arguments))
}
