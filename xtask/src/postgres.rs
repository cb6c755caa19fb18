//! A PostgreSQL for the tests of suite `store`: they start it themselves, and it ends when its input does.
//!
//! Touches: one process, by its handle. Never: a cluster that somebody else uses.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Debian keeps the server's programs out of the path.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// One of them.
pub(crate) fn program(name: &str) -> String {
    format!("{PROGRAMS}/{name}")
}

/// Runs the tests of the server, told of a cluster that stands meanwhile.
///
/// # Errors
/// When the cluster does not come to stand, or a test fails.
pub(crate) fn test_on_cluster(house: &House) -> Result<(), String> {
    let mut keeper = tests(house);
    keeper.args([
        "--test",
        "it",
        "--",
        "--ignored",
        "--exact",
        "cluster::stand_until_input_ends",
        "--nocapture",
    ]);
    eprintln!("$ {}", child::line_of(&keeper));
    let spawned = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut keeper = spawned.map_err(|error| format!("a cluster: {error}"))?;
    // Kept open: after a minute the keeper says that it still runs, and would end if nobody listened.
    let mut said = keeper.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let mut lines = said.by_ref().map_while(Result::ok);
    let socket = lines.find_map(|line| line.strip_prefix("cluster ").map(str::to_owned));
    let tested = socket.ok_or_else(|| "the cluster does not stand".to_owned()).and_then(|socket| {
        child::run(tests(house).env("LAPWING_TEST_POSTGRES", socket).args([
            "--lib",
            "--tests",
            "--",
            "--show-output",
        ]))
    });
    drop(keeper.stdin.take());
    drop(keeper.wait());
    tested
}

fn tests(house: &House) -> Command {
    let arguments = ["test", "--profile", PROFILE, "-p", "lapwing-server", "--features", "postgres"];
    let mut command = cargo(house, &arguments);
    command.env("LAPWING_TEST_POSTGRES_PROGRAMS", PROGRAMS);
    command
}
