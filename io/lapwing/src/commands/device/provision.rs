//! `lapwing device provision`: all that a device holds before it first speaks.
//!
//! Touches: the new device's directory; the signing directory for root documents and delegation.
//! Never: trusts on first use, or leaves a half-made directory that an agent would start from.

use super::token;
use crate::agent_keys;
use crate::cli::DirArgs;
use crate::commands::key::Identity;
use crate::durable::{self, PRIVATE, PROGRAM, PUBLIC};
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::hex;
use crate::management::{Management, TokenArgs, path_part};
use crate::output::{Said, note};
use crate::recipe::Image;
use crate::signed_log::SignedRelease;
use crate::signing_dir::SigningDir;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use lapwing_core::wire::claim::ClaimToken;
use lapwing_core::{ComponentName, DeviceId, FleetId, SLOT_TABLE_LEN, Slot, SlotTable, Version};
use serde_json::json;
use std::convert::Infallible;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const DIR_MODE: u32 = 0o755;
const AGENT_CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Arguments of `device provision`.
#[derive(Args)]
pub(crate) struct ProvisionArgs {
    /// The directory to make. It must not hold a device yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The device's id: at most 64 of A-Z a-z 0-9 . _ - + ~
    #[arg(long)]
    id: DeviceId,
    /// Its hardware class, `vendor.example/class-name`.
    #[arg(long, value_name = "CLASS")]
    hardware: Hardware,
    /// A server it asks, `https://host:port` or `coap://host:port`; may be given several times. Without it, what the server
    /// at --management says of itself.
    #[arg(long = "server", value_name = "URL", value_parser = parse_server)]
    servers: Vec<String>,
    /// The image that it starts with, confirmed in slot a.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Which component the image is.
    #[arg(long, value_name = "NAME", default_value = "app")]
    component: ComponentName,
    /// The image's version [default: that of the release signed here for this image]
    #[arg(long, value_name = "VERSION")]
    image_version: Option<Version>,
    /// More keys for its agent.toml, such as intervals or where the launcher lies.
    #[arg(long, value_name = "FILE")]
    agent_config: Option<PathBuf>,
    /// Give it a security context for CoAP with OSCORE, from the server at --management: it then needs no claim. Its
    /// servers are by default where that server listens, CoAP first.
    #[arg(long, conflicts_with_all = ["claim_token", "claim_days"])]
    oscore: bool,
    /// The token that its first claim needs, 32 hexadecimal digits. Without it the server at
    /// --management is asked for one.
    #[arg(long, value_name = "HEX", value_parser = parse_token)]
    claim_token: Option<ClaimToken>,
    /// For how long a token asked for is good, days.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    claim_days: u32,
    /// The server's management address, on loopback.
    #[arg(long, value_name = "URL", env = "LAPWING_SERVER", default_value = "http://127.0.0.1:8440")]
    management: String,
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    dir: DirArgs,
}

fn parse_server(text: &str) -> Result<String, String> {
    let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let good = text.starts_with("https://")
        || text.starts_with("coap://")
        || loopback.iter().any(|start| text.starts_with(start));
    let text = good.then(|| text.trim_end_matches('/').to_owned());
    text.ok_or_else(|| "devices talk https or coap, or plain http to loopback only".to_owned())
}

fn parse_token(text: &str) -> Result<ClaimToken, String> {
    hex::decode(text).map(ClaimToken).ok_or_else(|| "a claim token is 32 hexadecimal digits".to_owned())
}

/// Makes the device's directory.
pub(crate) fn run(args: &ProvisionArgs) -> Result<Said> {
    let config = args.out.join("agent.toml");
    if config.exists() {
        let what = format!("provision {}: there is a device already", args.out.display());
        return Err(Refusal::new(Code::Conflict, what)
            .advice("remove it first if it never left the house")
            .into());
    }
    let signing = args.dir.open()?;
    let chain = signing.chain()?;
    let delegation = signing.newest_delegation()?.ok_or_else(|| {
        Refusal::new(Code::NotFound, "find a delegation in the signing directory")
            .advice("make one with `lapwing key delegate` or `lapwing key enroll`")
    })?;
    chain
        .anchor()
        .delegate(&delegation)
        .map_err(|error| crate::trust_chain::distrust("the delegation", error))?;
    let image = Image::read(&args.image)?;
    let (servers, introduction) = ask_for_the_rest(args, chain.newest().fleet)?;
    let released = released(args, &signing, &image)?;
    if released.is_none() && args.image_version.is_none() {
        note("no release for this hardware was signed here for this image, so the device takes it for 0.0.0");
    }
    let agent_toml = agent_toml(args, &servers, released.as_ref())?;

    for slot in Slot::ALL {
        durable::make_dir(&args.out.join("slots").join(slot.name()), DIR_MODE)?;
    }
    durable::make_dir(&args.out.join("trust"), DIR_MODE)?;
    put_image(&args.image, &args.out.join("slots/a/image"), &image)?;
    for (bytes, root) in chain.envelopes().iter().zip(chain.roots()) {
        durable::write(&args.out.join(format!("trust/root-{}.cbor", root.version)), bytes, PUBLIC)?;
    }
    durable::write(&args.out.join("trust/delegation.cbor"), &delegation, PUBLIC)?;
    let (name, text) = introduction.file();
    durable::write(&args.out.join(name), text.as_bytes(), PRIVATE)?;
    let current = args.out.join("current");
    let _ = fs::remove_file(&current);
    std::os::unix::fs::symlink("slots/a", &current).with_context(|| format!("link {}", current.display()))?;
    durable::write(&args.out.join("slot-table"), &slot_table(&image)?, PUBLIC)?;
    // The configuration comes last: without it no agent starts from a half-made directory.
    durable::write(&config, agent_toml.as_bytes(), PUBLIC)?;
    let json = json!({
        "dir": args.out,
        "id": args.id.to_string(),
        "hardware": args.hardware.class.to_string(),
        "component": args.component.to_string(),
        "image": image.digest.to_string(),
        "image_size_bytes": image.size_bytes,
        "root_version": chain.newest().version,
        "servers": servers,
    });
    let words = format!(
        "device {} in {}\n  image {} ({} bytes) confirmed in slot a\n  believes root {} of fleet {}\n  \
         {} {}; keep it private\nNext: `lapwing-agent run \
         --config {} --check-config`, then take the directory to the device.\n",
        args.id,
        args.out.display(),
        image.digest,
        image.size_bytes,
        chain.newest().version,
        chain.newest().fleet,
        args.out.join(name).display(),
        introduction.words(),
        config.display(),
    );
    signing.know_hardware(std::slice::from_ref(&args.hardware))?;
    Ok(Said::new(words, json))
}

/// What lets the device in.
enum Introduction {
    Claim(ClaimToken),
    /// The name of its security context, and its secret.
    Context(String, String),
}

impl Introduction {
    /// Name and text of the file that the agent reads.
    fn file(&self) -> (&'static str, String) {
        match self {
            Self::Claim(token) => ("claim-token", format!("{}\n", hex::encode(&token.0))),
            Self::Context(kid, secret) => ("context", format!("{kid} {secret} 0\n")),
        }
    }

    const fn words(&self) -> &'static str {
        match self {
            Self::Claim(_) => "is used up by its first claim",
            Self::Context(..) => "is its identity and counts what it seals: never copy it back from a backup",
        }
    }
}

/// The addresses and what lets it in, from the server where they were not given.
fn ask_for_the_rest(args: &ProvisionArgs, fleet: FleetId) -> Result<(Vec<String>, Introduction)> {
    let server = || Management::open(&args.management, &args.token);
    let mut servers = match args.servers.as_slice() {
        [] => {
            let identity = Identity::of(&server()?)?;
            if identity.fleet != Some(fleet) {
                let what = format!("provision: the server does not belong to fleet {fleet}");
                let advice = "introduce it with `lapwing key enroll`, or name another with --management";
                return Err(Refusal::new(Code::Conflict, what).advice(advice).into());
            }
            vec![parse_server(&identity.device_url).map_err(|wrong| anyhow!(wrong))?]
        }
        given => given.to_vec(),
    };
    if let Some(token) = &args.claim_token {
        return Ok((servers, Introduction::Claim(token.clone())));
    }
    if args.oscore {
        let path = format!("/api/v1/devices/{}/context", path_part(args.id.as_str()));
        let answer = server()?.post(&path, &json!({})).context("get a security context")?;
        let word = |name: &str| answer[name].as_str().with_context(|| format!("the answer has no {name}"));
        if args.servers.is_empty() {
            servers.insert(0, word("coap_url")?.to_owned());
        }
        return Ok((servers, Introduction::Context(word("kid")?.to_owned(), word("secret")?.to_owned())));
    }
    let answer = token::ask_for_one(&server()?, 1, args.claim_days)?;
    let token =
        answer["token"].as_str().and_then(hex::decode).context("get a claim token: the answer has none")?;
    Ok((servers, Introduction::Claim(ClaimToken(token))))
}

/// Copies the image and checks that what arrived is what was hashed.
fn put_image(from: &Path, to: &Path, image: &Image) -> Result<()> {
    let mut source = File::open(from).with_context(|| format!("read the image {}", from.display()))?;
    durable::write_from(to, &mut source, PROGRAM)?;
    let copied = Image::read(to)?;
    let same = copied.digest == image.digest;
    same.then_some(()).ok_or_else(|| anyhow!("copy the image: {} changed meanwhile", from.display()))
}

/// The table of a device that leaves the factory, stored twice so that both records count.
fn slot_table(image: &Image) -> Result<Vec<u8>> {
    let mut area = vec![0; usize::try_from(SLOT_TABLE_LEN)?];
    let mut table = SlotTable::first(Slot::A, image.digest, image.size_bytes);
    for _ in 0..2 {
        let stored = table.store::<Infallible>(|offset, record| {
            let start = offset as usize;
            if let Some(place) = area.get_mut(start..start + record.len()) {
                place.copy_from_slice(record);
            }
            Ok(())
        });
        table = match stored {
            Ok(table) => table,
            Err(impossible) => match impossible {},
        };
    }
    Ok(area)
}

/// The release that was signed here for this very image, if there is one.
fn released(args: &ProvisionArgs, dir: &SigningDir, image: &Image) -> Result<Option<SignedRelease>> {
    let digits = image.digest.to_string();
    let log = dir.log()?;
    let classes = [args.hardware.class];
    Ok(log.of(&args.component, &classes).rev().find(|line| line.image == digits).cloned())
}

/// What we know, what the operator adds, and what the factory put in.
fn agent_toml(args: &ProvisionArgs, servers: &[String], released: Option<&SignedRelease>) -> Result<String> {
    let servers: Vec<String> = servers.iter().map(|url| toml_text(url)).collect();
    let mut text = format!(
        "# {} is a {}.\ndevice_id = {}\nhardware = {}\ncomponent = {}\nservers = [{}]\n",
        args.id,
        args.hardware,
        toml_text(args.id.as_str()),
        toml_text(&args.hardware.class.to_string()),
        toml_text(args.component.as_str()),
        servers.join(", "),
    );
    if let Some(path) = &args.agent_config {
        let more = String::from_utf8(durable::read_at_most(path, AGENT_CONFIG_BYTES_MAX)?);
        text += &format!("\n{}\n", more.with_context(|| format!("read {}", path.display()))?.trim_end());
    }
    let version = args.image_version.as_ref().map(ToString::to_string);
    let version = version.or_else(|| released.map(|release| release.version.clone()));
    if let Some(version) = version {
        let (seq, security) = released.map_or((0, 0), |release| (release.seq, release.security_version));
        text += &format!(
            "\n[provisioned]\nversion = {}\nseq = {seq}\nsecurity_version = {security}\n",
            toml_text(&version)
        );
    }
    let made = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let what = format!("make agent.toml with the keys of --agent-config: {}", error.message());
        Refusal::new(Code::Usage, what)
            .advice("leave out what provisioning writes itself, and each key but once")
    })?;
    agent_keys::check(&made)?;
    Ok(text)
}

/// A JSON string is a TOML string.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
