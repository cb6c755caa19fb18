//! `cargo xtask bench link [--quick] [--out FILE]`: fetches and check-ins over thin links, in virtual time.
//!
//! Touches: `docs/benchmarks/`, standard output. Never: rounds a goal into holding.

mod cells;
mod plot;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

/// Runs of one cell: enough for a steady 95th percentile.
const RUNS: u64 = 200;
const QUICK_RUNS: u64 = 20;

fn main() -> ExitCode {
    match bench(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("lapwing-link: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn bench(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut out = PathBuf::from("docs/benchmarks/link.json");
    let mut runs = RUNS;
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--quick" => runs = QUICK_RUNS,
            "--out" => out = arguments.next().ok_or("--out wants a file")?.into(),
            other => return Err(format!("no flag {other}; there are: --quick, --out FILE")),
        }
    }
    let cells = cells::measure(runs);
    let others = report::Others {
        ipv4: cells::measure_ipv4(runs),
        sleep: cells::measure_sleep(runs),
        rough: cells::measure_rough(runs),
    };
    let report = report::report(&cells, &others);
    report::print(&report);
    let write = |path: &PathBuf, text: String| {
        std::fs::write(path, text).map_err(|error| format!("write {}: {error}", path.display()))
    };
    write(&out, report::text(&report))?;
    write(&out.with_extension("svg"), plot::plot(&cells))
}
