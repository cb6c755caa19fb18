//! Finds a pattern in the files of a folder and says where, as JSON. The line marked with `//+` is the one
//! that the newer version has more.

use clap::Parser;
use std::path::PathBuf;

/// Finds a pattern.
#[derive(Parser)]
struct Arguments {
    /// A regular expression.
    pattern: regex::Regex,
    /// Where to look.
    folders: Vec<PathBuf>,
    /// How deep to look.
    #[arg(long)]
    depth: Option<usize>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { pattern, folders, depth } = Arguments::parse();
    for folder in folders {
        //+ eprintln!("looking into {}", folder.display());
        for entry in ignore::WalkBuilder::new(&folder).max_depth(depth).build().flatten() {
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            for (index, line) in text.lines().enumerate().filter(|(_, line)| pattern.is_match(line)) {
                let found = serde_json::json!({ "file": entry.path(), "line": index + 1, "text": line });
                println!("{found:#}");
            }
        }
    }
    Ok(())
}
