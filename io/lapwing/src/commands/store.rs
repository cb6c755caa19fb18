//! `lapwing store`: all rows of a server's store as a file, and back, in either engine.
//!
//! Touches: the store that the server's configuration names, one file. A store may be in use while it is
//! exported. Never: fills a store that has rows.

use crate::commands::serve::{ConfigArgs, configuration};
use crate::durable;
use crate::exit::{Code, Refusal};
use crate::output::Said;
use anyhow::{Context, Error, Result};
use clap::{Args, Subcommand};
use lapwing_server::{Purpose, TransferError, export_store, import_store};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, Error as IoError, Write};
use std::path::PathBuf;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Write all rows to a file, while the server runs or not.
    #[command(visible_alias = "backup")]
    Export(TransferArgs),
    /// Fill an empty store from a file, to go on there; the server that the file came from stays stopped.
    Import(TransferArgs),
    /// Fill an empty store from a file after a loss: ids given since are not given again, claim tokens end.
    Restore(TransferArgs),
}

/// What is moved.
#[derive(Args)]
pub(crate) struct TransferArgs {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does what the command says.
pub(crate) fn run(command: &StoreCommand) -> Result<Said> {
    match command {
        StoreCommand::Export(args) => export(args),
        StoreCommand::Import(args) => import(args, Purpose::Move),
        StoreCommand::Restore(args) => import(args, Purpose::Restore),
    }
}

fn export(args: &TransferArgs) -> Result<Said> {
    let config = configuration(&args.config)?;
    let rows = durable::write_with(&args.file, durable::PRIVATE, |file| {
        let mut out = BufWriter::new(file);
        let rows = export_store(config, &mut out).map_err(IoError::other)?;
        out.flush()?;
        Ok(rows)
    })?;
    Ok(said("written to", rows, args))
}

fn import(args: &TransferArgs, purpose: Purpose) -> Result<Said> {
    let config = configuration(&args.config)?;
    let file = File::open(&args.file).with_context(|| format!("open {}", args.file.display()))?;
    match import_store(config, &mut BufReader::new(file), purpose) {
        Ok(rows) => Ok(said("taken from", rows, args)),
        Err(error @ TransferError::NotEmpty) => {
            let advice = "name an empty directory or database in the configuration; nothing was changed";
            Err(Refusal::new(Code::Conflict, error.to_string()).advice(advice).into())
        }
        Err(error @ TransferError::Unreadable(_)) => {
            Err(Refusal::new(Code::Verification, error.to_string()).into())
        }
        Err(error) => Err(Error::new(error).context("fill the store")),
    }
}

fn said(done: &str, rows: u64, args: &TransferArgs) -> Said {
    let file = args.file.display();
    let words = format!("{rows} rows {done} {file}\nkeys, certificate and blobs are files of their own");
    Said::new(words, json!({ "rows": rows, "file": args.file }))
}
