//! `cargo xtask demo`: the whole product in under two minutes, on real programs.
//!
//! Touches: a temporary folder that goes away at the end, also after Ctrl-C.

use anyhow::Result;
use lapwing_e2e::{Binaries, end_waits_when_interrupted, tell};
use std::process::ExitCode;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    if let Some(unknown) =
        arguments.iter().find(|argument| !["--json", "--headless"].contains(&argument.as_str()))
    {
        eprintln!("no flag {unknown}; there are: --headless (tell nothing), --json (one JSON summary)");
        return Ok(ExitCode::from(2));
    }
    let headless = arguments.iter().any(|argument| argument == "--headless");
    end_waits_when_interrupted();
    let dir = tempfile::Builder::new().prefix("lapwing-demo-").tempdir()?;
    let mut say = |line: &str| {
        if !headless {
            eprintln!("  {line}");
        }
    };
    let summary = tell(&Binaries::find()?, dir.path(), &mut say)?;
    if json {
        println!("{:#}", summary.json());
    } else {
        println!("{}", if summary.holds() { "Everything as expected." } else { "NOT as expected." });
    }
    Ok(if summary.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
