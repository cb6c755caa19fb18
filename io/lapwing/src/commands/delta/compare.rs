//! `lapwing delta bench`: one pair of images in every profile, side by side.
//!
//! Touches: two images, a folder for what is made. Never: leaves anything behind.

use super::Memory;
use super::apply::image_from;
use super::make::{made, share};
use crate::output::{Said, table};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Arguments of `delta bench`.
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// The image that devices run.
    #[arg(long, value_name = "FILE")]
    base: PathBuf,
    /// The image that they shall run.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
}

/// Compares.
pub(crate) fn run(args: &CompareArgs) -> Result<Said> {
    let dir = Folder::make()?;
    let image_bytes =
        std::fs::metadata(&args.image).with_context(|| format!("read {}", args.image.display()))?.len();
    let mut rows = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for (route, from) in [("delta", Some(&args.base)), ("full image", None)] {
        for memory in Memory::value_variants() {
            let (artifact, out) = (dir.0.join("artifact"), dir.0.join("image"));
            let start = Instant::now();
            let (bytes, header) = made(from.map(PathBuf::as_path), &args.image, *memory)?;
            let make = start.elapsed();
            std::fs::write(&artifact, &bytes).context("keep the artifact")?;
            let start = Instant::now();
            image_from(&artifact, from.map(PathBuf::as_path), &out)?;
            let apply = start.elapsed();
            rows.push(vec![
                route.to_owned(),
                memory.name().to_owned(),
                bytes.len().to_string(),
                share(bytes.len() as u64, image_bytes),
                seconds(make),
                seconds(apply),
                header.required_memory_bytes().to_string(),
            ]);
            values.push(json!({
                "route": route,
                "profile": memory.name(),
                "artifact_bytes": bytes.len(),
                "make_ms": make.as_millis() as u64,
                "apply_ms": apply.as_millis() as u64,
                "apply_memory_bytes": header.required_memory_bytes(),
                "apply_scratch_bytes": header.scratch_bytes(),
            }));
        }
    }
    let head = ["ROUTE", "PROFILE", "BYTES", "OF IMAGE", "MAKE", "APPLY", "APPLY MEMORY"];
    Ok(Said::new(table(&head, rows), json!({ "image_bytes": image_bytes, "rows": values })))
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("lapwing-delta-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("make the directory {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all::<&Path>(&self.0);
    }
}
