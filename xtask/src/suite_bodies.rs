//! What each suite does: its set-up, then its commands.
//!
//! Touches: `child`, `set_up`. Entered from: `suites`, and `commands` for the quick check.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use crate::suites::Outcome;
use crate::{api_check, beacons, postgres, quickstart, set_up, static_binary, tidy};
use std::process::Command;

/// Crates that must build alone where there is no operating system.
pub(crate) const BARE_METAL_PACKAGES: &[&str] =
    &["lapwing-core", "lapwing-coap", "lapwing-device", "lapwing-delta"];
const BARE_METAL_TARGETS: &[&str] = &["thumbv7em-none-eabihf", "riscv32imac-unknown-none-elf"];

/// They cost memory that devices do not have, and come in through others without being asked.
const NOT_IN_AGENT: &[&str] = &["tokio", "hyper", "reqwest", "clap", "tracing_subscriber", "jemalloc_sys"];

/// What devices have only if they want it; tests want it.
const AGENT_FEATURES: &str = "lapwing-agent/wake-mqtt";

/// What a test that passes has printed: how many states, cuts and seeds it tried.
const SHOW_COUNTS: &[&str] = &["--", "--show-output"];

/// Suites of their own, so `unit` leaves them out.
const TESTED_ELSEWHERE: &[&str] =
    &["lapwing-sim", "lapwing-link", "lapwing-e2e", "lapwing-metal", "lapwing-fuzz"];

pub(crate) fn tidy(house: &House) -> Outcome {
    ended(tidy::run(house))
}

pub(crate) fn fmt(house: &House) -> Outcome {
    if let Err(reason) = set_up::rust_component(house, "fmt", "rustfmt") {
        return Outcome::Skipped(reason);
    }
    ended(child::run(&mut cargo(house, &["fmt", "--all", "--check"])))
}

pub(crate) fn clippy(house: &House) -> Outcome {
    if let Err(reason) = set_up::rust_component(house, "clippy", "clippy") {
        return Outcome::Skipped(reason);
    }
    // All crates, so that one run shows everything there is to mend.
    let mut command = cargo(house, &["clippy", "--profile", PROFILE, "--workspace", "--all-targets"]);
    command.args(["--features", "lapwing/postgres,lapwing-agent/wake-mqtt"]);
    ended(child::run(command.args(["--keep-going", "--", "-D", "warnings"])))
}

pub(crate) fn unit(house: &House) -> Outcome {
    let mut command = cargo(house, &["test", "--profile", PROFILE, "--workspace"]);
    // Whatever a manifest does not exempt; doctests belong to `docs`.
    command.args(["--tests", "--no-fail-fast", "--features", AGENT_FEATURES]);
    for package in TESTED_ELSEWHERE.iter().filter(|package| house.has(package)) {
        command.args(["--exclude", package]);
    }
    ended(child::run(command.args(SHOW_COUNTS)))
}

/// What the server keeps, once more with its rows in PostgreSQL; `unit` has seen it with SQLite.
pub(crate) fn store(house: &House) -> Outcome {
    if let Err(reason) = set_up::debian_package(house, &postgres::program("initdb"), "postgresql-15") {
        return Outcome::Skipped(reason);
    }
    let broker = broker(house);
    match (postgres::test_on_cluster(house), broker) {
        (Ok(()), Err(reason)) => Outcome::Passed(format!("no broker tried: {reason}")),
        (tested, _) => ended(tested),
    }
}

/// A broker and its clients. Without them the tests that need them say so and pass.
fn broker(house: &House) -> Result<(), String> {
    set_up::debian_package(house, "/usr/sbin/mosquitto", "mosquitto")?;
    set_up::debian_package(house, "mosquitto_sub", "mosquitto-clients")
}

pub(crate) fn nostd(house: &House) -> Outcome {
    for target in BARE_METAL_TARGETS {
        if let Err(reason) = set_up::rust_target(house, target) {
            return Outcome::Skipped(reason);
        }
    }
    let packages = BARE_METAL_PACKAGES.iter().filter(|package| house.has(package));
    // One build each: together, one package's features would turn up in another's.
    let result = packages.flat_map(|package| BARE_METAL_TARGETS.iter().map(move |target| (package, target)));
    ended(result.into_iter().try_for_each(|(package, target)| {
        let arguments = ["build", "--lib", "--no-default-features", "-p", package, "--target", target];
        child::run(&mut cargo(house, &arguments))
    }))
}

pub(crate) fn launcher(house: &House) -> Outcome {
    device_binary(house, "lapwing-launcher", false)
}

pub(crate) fn agent(house: &House) -> Outcome {
    let mut tree = cargo(
        house,
        &["tree", "-p", "lapwing-agent", "--edges", "normal", "--prefix", "none", "--format", "{lib}"],
    );
    match child::output(&mut tree) {
        None => Outcome::Failed("cargo tree does not know the agent".into()),
        Some(crates) => match crates.lines().find(|name| NOT_IN_AGENT.contains(name)) {
            Some(name) => Outcome::Failed(format!("the agent carries {name}")),
            None => device_binary(house, "lapwing-agent", true),
        },
    }
}

fn device_binary(house: &House, package: &str, c_compiler: bool) -> Outcome {
    if let Err(reason) = static_binary::set_up(house, c_compiler) {
        return Outcome::Skipped(reason);
    }
    static_binary::build(house, package).map_or_else(Outcome::Failed, Outcome::Passed)
}

pub(crate) fn sim(house: &House) -> Outcome {
    let mut command = cargo(house, &["test", "--profile", PROFILE, "-p", "lapwing-sim"]);
    ended(child::run(command.args(SHOW_COUNTS)))
}

pub(crate) fn link(house: &House) -> Outcome {
    let clients = [
        set_up::debian_package(house, "coap-client-notls", "libcoap3-bin"),
        set_up::python_package(house, "aiocoap.oscore", "aiocoap[oscore]"),
    ];
    let test = |arguments: &[&str]| {
        let mut command = cargo(house, &[&["test", "--profile", PROFILE], arguments].concat());
        child::run(command.env("PYTHONPATH", set_up::python_folder(house)))
    };
    // As suite `store` has built it already.
    let server = ["-p", "lapwing-server", "--features", "postgres", "--test", "it", "others_by_coap"];
    let tested = test(&["-p", "lapwing-link"]).and_then(|()| test(&server));
    match (tested, clients.into_iter().find_map(Result::err)) {
        (Ok(()), Some(reason)) => Outcome::Passed(format!("a client was not tried: {reason}")),
        (tested, _) => ended(tested),
    }
}

pub(crate) fn e2e(house: &House) -> Outcome {
    // Without it the tests that need it say so and pass.
    let strace = set_up::debian_package(house, "strace", "strace");
    let broker = broker(house);
    let mut command = cargo(house, &["test", "--profile", PROFILE, "-p", "lapwing-e2e"]);
    let tested = build_binaries(house).and_then(|()| child::run(command.args(SHOW_COUNTS)));
    match (tested, strace, broker) {
        (Ok(()), Err(reason), _) => Outcome::Passed(format!("no crash state tried: {reason}")),
        (Ok(()), _, Err(reason)) => Outcome::Passed(format!("no broker tried: {reason}")),
        (tested, ..) => ended(tested),
    }
}

pub(crate) fn api(house: &House) -> Outcome {
    if let Err(reason) = set_up::python_package(house, "schemathesis", "schemathesis") {
        return Outcome::Skipped(reason);
    }
    let tried = child::run(&mut build_programs(house, &["--bins"])).and_then(|()| api_check::run(house));
    tried.map_or_else(Outcome::Failed, Outcome::Passed)
}

/// Builds the real binaries and the example programs, where `lapwing-e2e` looks for them.
///
/// # Errors
/// When one does not build.
pub(crate) fn build_binaries(house: &House) -> Result<(), String> {
    child::run(build_programs(house, &["--bins"]).args(["-p", "lapwing-sim"]))?;
    beacons::build(house)
}

/// Cargo, told to build some targets of the packages whose programs users run.
pub(crate) fn build_programs(house: &House, targets: &[&str]) -> Command {
    let mut command = cargo(house, &["build", "--quiet", "--profile", PROFILE]);
    for package in ["lapwing", "lapwing-agent", "lapwing-launcher"].iter().filter(|name| house.has(name)) {
        command.args(["-p", package]);
    }
    command.args(["--features", AGENT_FEATURES]).args(targets);
    command
}

pub(crate) fn docs(house: &House) -> Outcome {
    let mut links = cargo(house, &["doc", "--profile", PROFILE, "--workspace", "--no-deps"]);
    links.env("RUSTDOCFLAGS", "-D rustdoc::broken_intra_doc_links");
    let doctests = ["test", "--profile", PROFILE, "--workspace", "--doc"];
    if let Err(reason) = child::run(&mut links).and_then(|()| child::run(&mut cargo(house, &doctests))) {
        return Outcome::Failed(reason);
    }
    let readme = std::fs::read_to_string(house.root.join("README.md"));
    match readme.map_err(|error| error.to_string()).and_then(|text| quickstart::script(&text)) {
        Ok(script) => {
            ended(child::run(&mut child::program(house, "bash", &["-euxo", "pipefail", "-c", &script])))
        }
        Err(reason) => {
            eprintln!("!!! the quickstart did not run: {reason}");
            Outcome::Passed(format!("quickstart not run: {reason}"))
        }
    }
}

pub(crate) fn deny(house: &House) -> Outcome {
    let program = match set_up::cargo_tool(house, "cargo-deny") {
        Ok(program) => program,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let deny = |arguments: &[&str]| child::run(&mut child::program(house, &program, arguments));
    if let Err(reason) = deny(&["check", "bans", "licenses", "sources"]) {
        return Outcome::Failed(reason);
    }
    if deny(&["fetch", "db"]).is_err() {
        eprintln!("!!! advisories NOT checked: their list cannot be fetched here");
        return Outcome::Passed("advisories not checked: no network".into());
    }
    ended(deny(&["check", "advisories"]))
}

pub(crate) fn fuzz(house: &House) -> Outcome {
    ended(child::run(&mut cargo(house, &["test", "--profile", PROFILE, "-p", "lapwing-fuzz"])))
}

fn ended(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Failed, |()| Outcome::Passed(String::new()))
}
