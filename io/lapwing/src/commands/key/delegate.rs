//! `lapwing key delegate`: which online key may sign what, and until when.
//!
//! Touches: the signing directory. Entered from: also `enroll` and `release watch`, by `make`.

use crate::calendar;
use crate::cli::{DirArgs, SignerArgs};
use crate::exit::{Code, Refusal};
use crate::output::Said;
use crate::signer::{self, Key, KeyRole};
use crate::signing_dir::SigningDir;
use crate::trust_chain::{context, delegation_as_json, delegation_in_words, distrust};
use anyhow::{Result, anyhow};
use clap::Args;
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::limits::PAYLOAD_BYTES_MAX;
use lapwing_core::trust::{Delegation, OnlineKey, Powers, PublicKey};
use lapwing_core::{UnixSeconds, cbor};
use serde_json::json;

/// Days of a delegation when nobody says otherwise: renewed in time, there is a spare month.
pub(crate) const DAYS: u32 = 90;
/// A delegation begins this much before its making, for servers whose clock is behind.
const CLOCK_SLACK_S: u64 = 3600;

/// Arguments of `key delegate`.
#[derive(Args)]
pub(crate) struct DelegateArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// The server's online key, as `lapwing serve` and its identity show it. May be given several times.
    #[arg(long, value_name = "HEX", value_parser = signer::parse_public, required = true)]
    online: Vec<PublicKey>,
    /// Length of the window in days, at most 100.
    #[arg(long, value_name = "DAYS", default_value_t = DAYS)]
    days: u32,
    /// First second of the window; an hour ago without it.
    #[arg(long, value_name = "WHEN", value_parser = calendar::parse)]
    not_before: Option<UnixSeconds>,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Makes the next delegation and keeps it.
pub(crate) fn run(args: &DelegateArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let keys = args.signer.keys(Some(&dir), KeyRole::Delegator)?;
    let not_before = args.not_before.unwrap_or_else(window_start);
    let (delegation, _) = make(&dir, &args.online, not_before, args.days, &keys)?;
    let path = dir.delegation_path(delegation.version);
    let words = format!(
        "{}in {}\nNext: `lapwing key enroll` gives it to the server, with the root documents.\n",
        delegation_in_words(&delegation),
        path.display()
    );
    let mut json = delegation_as_json(&delegation);
    json["file"] = json!(path);
    Ok(Said::new(words, json))
}

/// When a window that begins now begins.
pub(crate) fn window_start() -> UnixSeconds {
    UnixSeconds(calendar::now().0.saturating_sub(CLOCK_SLACK_S))
}

/// Makes the next delegation for `online`, signs it, checks that devices would believe it, and keeps it.
pub(crate) fn make(
    dir: &SigningDir,
    online: &[PublicKey],
    not_before: UnixSeconds,
    days: u32,
    keys: &[Key],
) -> Result<(Delegation, Vec<u8>)> {
    let chain = dir.chain()?;
    if keys.is_empty() {
        return Err(signer::no_key(KeyRole::Delegator).into());
    }
    let powers = Powers::STATUS.with(Powers::OFFER).with(Powers::FLAGS);
    let online: Vec<OnlineKey> = online.iter().map(|key| OnlineKey { key: key.clone(), powers }).collect();
    let delegation = Delegation {
        fleet: dir.fleet(),
        version: dir.delegation_version()? + 1,
        not_before,
        not_after: not_before.after(u64::from(days) * calendar::DAY_S),
        keys: heapless::Vec::from_slice(&online).map_err(|_| anyhow!("delegate: too many online keys"))?,
    };
    if !delegation.within(&chain.newest().limits) {
        let most = chain.newest().limits.delegation_days_max;
        let what = format!("delegate for {days} days: the root document allows at most {most}");
        return Err(Refusal::new(Code::Policy, what).advice(format!("give --days {most} or fewer")).into());
    }
    let mut buffer = [0; PAYLOAD_BYTES_MAX];
    let payload = cbor::encode(&delegation, &mut buffer).map_err(|_| anyhow!("delegate: too large"))?;
    let form = if keys.len() == 1 { Form::Single } else { Form::Several };
    let bytes = signer::seal(&context(Kind::Delegation, dir.fleet()), form, payload, keys)?;
    chain.anchor().delegate(&bytes).map_err(|error| distrust("the new delegation", error))?;
    dir.keep(&dir.delegation_path(delegation.version), &bytes)?;
    Ok((delegation, bytes))
}
