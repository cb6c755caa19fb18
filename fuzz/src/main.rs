//! `lapwing-fuzz [TARGET] [--count N] [--seed S]`: lists the targets, or replays one.
//!
//! Touches: writes an input that fails into the target's corpus, where it stays as a regression.

use lapwing_fuzz::{Replay, TARGETS, Target, corpus_folder, find, replay};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, options)) = arguments.split_first() else {
        TARGETS.iter().for_each(|target| println!("{}", target.name));
        return ExitCode::SUCCESS;
    };
    let (Some(target), Some(what)) = (find(name), parse(options)) else {
        eprintln!("usage: lapwing-fuzz [TARGET] [--count N] [--seed S]; without TARGET it lists them");
        return ExitCode::FAILURE;
    };
    run(target, what)
}

fn parse(options: &[String]) -> Option<Replay> {
    let mut what = Replay { seed: 1, mutations: 1_000_000 };
    for pair in options.chunks(2) {
        match pair {
            [flag, number] if flag == "--count" => what.mutations = number.parse().ok()?,
            [flag, number] if flag == "--seed" => what.seed = number.parse().ok()?,
            _ => return None,
        }
    }
    Some(what)
}

fn run(target: &Target, what: Replay) -> ExitCode {
    match replay(target, what) {
        Ok(inputs) => {
            println!("{}: {inputs} inputs, seed {}, none failed", target.name, what.seed);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let folder = corpus_folder(target);
            let path = folder.join(format!("found-{}.bin", what.seed));
            let saved = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &failure.input));
            eprintln!("{} failed on {} bytes, kept in {}", target.name, failure.input.len(), path.display());
            saved.err().into_iter().for_each(|error| eprintln!("it could not be kept: {error}"));
            ExitCode::FAILURE
        }
    }
}
