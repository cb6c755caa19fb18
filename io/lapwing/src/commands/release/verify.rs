//! `lapwing release verify`: what a device would say, and whether a rebuild gives the same image.
//!
//! Touches: the release file, root documents, a rebuilt image.

use crate::cli::DirArgs;
use crate::exit::{Code, Refusal};
use crate::output::Said;
use crate::recipe::Image;
use crate::release_file::ReleaseFile;
use crate::trust_chain::{TrustChain, distrust};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `release verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The release.
    #[arg(value_name = "RELEASE")]
    file: PathBuf,
    /// Believe this root document. Give it several times, oldest first, to walk a chain; without it
    /// those in the signing directory.
    #[arg(long = "root", value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Compare this image, built again from the same sources.
    #[arg(long, value_name = "IMAGE")]
    rebuilt: Option<PathBuf>,
    #[command(flatten)]
    dir: DirArgs,
}

/// Verifies the release.
pub(crate) fn run(args: &VerifyArgs) -> Result<Said> {
    let file = ReleaseFile::read(&args.file)?;
    let chain =
        if args.roots.is_empty() { args.dir.open()?.chain()? } else { TrustChain::read(&args.roots)? };
    let root = chain.newest();
    chain.anchor().open_release(&file.bytes).map_err(|error| distrust("the release", error))?;
    let signatures = file.signatures(Some(root));
    let good = signatures.iter().filter(|(_, counts)| *counts == Some(true)).count();
    let names = args.dir.open().and_then(|dir| dir.hardware()).unwrap_or_default();
    let mut words = file.in_words(&names);
    words += &format!(
        "believed: {good} of the {} signatures that root {} of fleet {} asks for\n",
        root.release.threshold, root.version, root.fleet
    );
    if let Some(path) = &args.rebuilt {
        let rebuilt = Image::read(path)?;
        if rebuilt.digest != file.release.image {
            let what = format!(
                "verify {}: the rebuilt image is {} ({} bytes), the released one {} ({} bytes)",
                path.display(),
                rebuilt.digest,
                rebuilt.size_bytes,
                file.release.image,
                file.release.image_size_bytes
            );
            let advice = "the build is not reproducible, or the release was not made from these sources";
            return Err(Refusal::new(Code::Verification, what).advice(advice).into());
        }
        words += "rebuilt: the same image, byte for byte\n";
    }
    let mut json = file.as_json();
    json["verified"] = json!({
        "root_version": root.version,
        "fleet": root.fleet.to_string(),
        "signatures_good": good,
        "signatures_needed": root.release.threshold,
        "rebuilt_same": args.rebuilt.as_ref().map(|_| true),
    });
    Ok(Said::new(words, json))
}
