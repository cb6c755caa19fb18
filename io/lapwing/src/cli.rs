//! What can be said on the command line, and the arguments that several commands share.
//!
//! Touches: `clap`. Each command's own arguments stand beside its code.

#[cfg(test)]
mod reference;

use crate::commands::{
    audit, delta, device, fleet, group, key, plan, release, rollout, serve, store, token, webhook,
};
use crate::exit::CODES_HELP;
use crate::signer::{self, Key, KeyRole};
use crate::signing_dir::SigningDir;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use lapwing_core::trust::PublicKey;
use std::path::PathBuf;

/// Over-the-air updates for fleets: keys, releases, devices, and the server.
#[derive(Parser)]
#[command(name = "lapwing", version, after_help = CODES_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answer in JSON, complaints included.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Keys, root documents and delegations: who may do what.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Releases: create, sign, look, verify, publish.
    #[command(subcommand)]
    Release(release::ReleaseCommand),
    /// Devices: provision, look, steer.
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// The fleet as a whole: configurations, and devices that did not come up.
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),
    /// Groups: which devices people speak of together.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Plans: how rollouts proceed.
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Rollouts: bring a version to a group, step by step, and stop by themselves.
    #[command(subcommand)]
    Rollout(rollout::RolloutCommand),
    /// Deltas: make, apply, look into, compare. Servers and devices do it by themselves.
    #[command(subcommand)]
    Delta(delta::DeltaCommand),
    /// Tokens: who may ask the server what.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The audit: what people told the server, and whether that record is whole.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Webhooks: endpoints that the server tells of events.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// The rows that a server keeps: to a file, and from one.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Run the server until it is told to stop.
    Serve(serve::ServeArgs),
    /// Print the completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Where the signing side keeps its things.
#[derive(Args)]
pub(crate) struct DirArgs {
    /// The signing directory: key files, root documents, delegations. Never on the server.
    #[arg(long, value_name = "DIR", env = "LAPWING_DIR", default_value = "lapwing-keys")]
    pub(crate) dir: PathBuf,
}

impl DirArgs {
    /// Opens it.
    pub(crate) fn open(&self) -> Result<SigningDir> {
        SigningDir::open(&self.dir)
    }
}

/// What to sign with.
#[derive(Args)]
pub(crate) struct SignerArgs {
    /// Sign with this key file; may be given several times. Without it: the role's files in the
    /// signing directory.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Sign with an external signer, such as an HSM: a shell command that reads the message from
    /// standard input and writes the raw signature of 64 bytes to standard output.
    #[arg(long, value_name = "CMD", requires = "signer_public")]
    signer_command: Option<String>,
    /// The public key of the external signer.
    #[arg(long, value_name = "HEX", value_parser = signer::parse_public, requires = "signer_command")]
    signer_public: Option<PublicKey>,
}

impl SignerArgs {
    /// The keys of this role among those that were named; if none at all were named, its key files in
    /// `dir`. Perhaps none.
    pub(crate) fn keys(&self, dir: Option<&SigningDir>, role: KeyRole) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for path in &self.keys {
            let (is_for, key) = signer::read_key_file(path)?;
            keys.extend((is_for == role).then_some(key));
        }
        if let (Some(command), Some(public)) = (&self.signer_command, &self.signer_public) {
            // Nobody wrote on the external signer what its key is for, but the root document may say.
            let known = dir.filter(|_| role == KeyRole::Delegator).map(|dir| dir.delegates(public));
            keys.extend(known.unwrap_or(true).then(|| Key::behind_command(command, public.clone())));
        }
        let named = !self.keys.is_empty() || self.signer_command.is_some();
        match dir {
            Some(dir) if !named => dir.keys(role),
            _ => Ok(keys),
        }
    }
}
