//! `lapwing serve`: the server, until it is told to stop.
//!
//! Touches: `lapwing-server`, signals, standard output for the one line that says where it listens.
//! Never: comes near a release or root key; the server refuses to start where it could.

use crate::durable;
use crate::exit::{Code, Refusal};
use crate::output::{Said, note};
use anyhow::{Context, Result};
use clap::Args;
use lapwing_server::{Config, KeyError, LogControl, Running, Server, StartError, Surroundings, Worker};
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

const CONFIG_BYTES_MAX: usize = 64 * 1024;
/// What the server calls this program with to have an artifact made.
pub(crate) const DELTA_WORKER: &str = "delta-worker";

/// Where a server's configuration is, and its data.
#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// Read the configuration from this file; docs/reference/server-config.md has its keys.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep everything in this directory [default: lapwing-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Arguments of `serve`. They go before what the configuration says.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where devices connect, HTTPS [default: 0.0.0.0:8443]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where operators connect, plain HTTP: keep it on loopback [default: 127.0.0.1:8440]
    #[arg(long, value_name = "ADDR")]
    management: Option<SocketAddr>,
    /// What to log: error, warn, info, debug, trace, or a filter.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,
    /// Only say whether the server could start with this configuration.
    #[arg(long)]
    check_config: bool,
}

/// Serves until SIGINT or SIGTERM.
pub(crate) fn run(args: &ServeArgs, json: bool) -> Result<Said> {
    let mut config = configuration(&args.config)?;
    config.device_listen = args.listen.unwrap_or(config.device_listen);
    config.management_listen = args.management.unwrap_or(config.management_listen);
    config.check().map_err(|error| wrong_configuration(&error))?;
    if args.check_config {
        return Ok(Said::new("the configuration is good\n", json!({ "good": true })));
    }
    if !config.management_listen.ip().is_loopback() {
        note("operators' address is not on loopback: whoever sees that network sees the admin token");
    }
    let log = LogControl::install(&args.log).context("start logging")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("start the server")?.block_on(serve(config, log, json))
}

async fn serve(config: Config, log: LogControl, json: bool) -> Result<Said> {
    // Listened for from here on, so that a stop during the start is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for signals")?;
    // This very program, even while a new one takes its place on the disk.
    let worker = Worker { program: "/proc/self/exe".into(), arguments: vec![DELTA_WORKER.into()] };
    let around = Surroundings { log: Some(log), worker: Some(worker), ..Surroundings::default() };
    let server = Server::start_in(config, around).await.map_err(cannot_start)?;
    announce(&server, json).context("say where the server listens")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.shutdown().await;
    Ok(Said::new("stopped in good order\n", json!({ "stopped": true })))
}

/// The configuration that the arguments name.
pub(crate) fn configuration(args: &ConfigArgs) -> Result<Config> {
    let mut config = match &args.config {
        None => Config::in_dir("lapwing-data"),
        Some(path) => {
            let text = durable::read_at_most(path, CONFIG_BYTES_MAX)?;
            let not_text = || Refusal::new(Code::Usage, format!("read {}: it is not text", path.display()));
            let text = String::from_utf8(text).map_err(|_| not_text().advice("is it the right file?"))?;
            Config::parse(&text).map_err(|error| wrong_configuration(&error))?
        }
    };
    config.data_dir = args.data.clone().unwrap_or(config.data_dir);
    Ok(config)
}

fn wrong_configuration(error: &lapwing_server::ConfigError) -> anyhow::Error {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    let what = format!("read the configuration: {error}{source}");
    Refusal::new(Code::Usage, what.trim_end()).advice("docs/reference/server-config.md has every key").into()
}

fn cannot_start(error: StartError) -> anyhow::Error {
    let forbidden = matches!(&error, StartError::Key(KeyError::ForbiddenRole { .. }));
    let error = anyhow::Error::new(error).context("start the server");
    if !forbidden {
        return error;
    }
    let advice =
        "move that key where this server cannot read it: whoever owns the server must not own the fleet";
    Refusal::new(Code::Policy, format!("{error:#}")).advice(advice).into()
}

/// One line when devices and operators can connect, for people, scripts and tests.
fn announce(server: &Running, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", as_json(server))?;
    } else {
        writeln!(
            out,
            "devices: {}\noperators: http://{} with the token in {}",
            server.device_url(),
            server.management_addr(),
            server.admin_token_path().display()
        )?;
    }
    out.flush()
}

fn as_json(server: &Running) -> Value {
    json!({
        "device_url": server.device_url(),
        "device_addr": server.device_addr().to_string(),
        "coap_addr": server.coap_addr().map(|address| address.to_string()),
        "management": format!("http://{}", server.management_addr()),
        "token_file": server.admin_token_path(),
        "tls_spki_sha256": server.tls_spki_sha256().to_string(),
    })
}
