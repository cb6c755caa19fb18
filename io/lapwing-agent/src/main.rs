//! `lapwing-agent`: the agent as a program of its own, and the way to ask a running one.
//!
//! Touches: the command line, stderr, signals. Entered from: the shell, a service manager.
//! Never: holds logic of its own.
#![allow(unsafe_code, reason = "signal handlers have no door in std")]

use lapwing_agent::{Agent, AgentSettings, DEFAULT_CONFIG_NAME, Ended, Handle, ask_status, ask_trigger};
use lexopt::{Arg, Parser, ValueExt};
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

const HELP: &str = concat!(
    "lapwing-agent ",
    env!("CARGO_PKG_VERSION"),
    "
Keeps one component of this device up to date.

  lapwing-agent run [--config FILE] [--check-config] [-- ARGS...]
      Runs until SIGTERM or SIGINT. SIGUSR1 logs more, SIGUSR2 less. Where the program in the
      slot is a child of the agent (`how = \"child\"`), ARGS are handed to it.
  lapwing-agent status [--config FILE] [--json]
  lapwing-agent trigger [--config FILE]
      Asks the agent that runs in the device directory of this configuration.

  --config FILE    agent.toml in the current directory if not given
  --check-config   only say whether the configuration is understood, and whether this machine has
                   the slots and the launcher that it names
  --help, --version

Exit codes: 0 done, 1 failed, 2 wrong flags, 3 the configuration is wrong, 4 no agent answers.
"
);

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const CONFIG: u8 = 3;
const NO_AGENT: u8 = 4;

fn main() -> ExitCode {
    match parse(Parser::from_env()) {
        Ok(Order::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Order::Do(task)) => obey(task),
        Err(error) => {
            eprintln!("lapwing-agent: {error} (see --help)");
            USAGE.into()
        }
    }
}

enum Order {
    Print(&'static str),
    Do(Task),
}

struct Task {
    verb: Verb,
    config: PathBuf,
    form: Form,
    program_arguments: Vec<OsString>,
}

#[derive(Clone, Copy)]
enum Verb {
    Run,
    CheckConfig,
    Status,
    Trigger,
}

#[derive(Clone, Copy)]
enum Form {
    People,
    Json,
}

fn parse(mut parser: Parser) -> Result<Order, lexopt::Error> {
    let (mut verb, mut form) = (None, Form::People);
    let mut program_arguments = Vec::new();
    let mut config = PathBuf::from(DEFAULT_CONFIG_NAME);
    loop {
        if matches!(verb, Some(Verb::Run))
            && let Some(words) = parser.try_raw_args().filter(|words| words.peek() == Some("--".as_ref()))
        {
            program_arguments = words.skip(1).collect();
            break;
        }
        let Some(argument) = parser.next()? else { break };
        verb = match (argument, verb) {
            (Arg::Long("help") | Arg::Short('h'), _) => return Ok(Order::Print(HELP)),
            (Arg::Long("version") | Arg::Short('V'), _) => {
                return Ok(Order::Print(concat!("lapwing-agent ", env!("CARGO_PKG_VERSION"), "\n")));
            }
            (Arg::Long("config"), verb) => {
                config = parser.value()?.into();
                verb
            }
            (Arg::Long("json"), Some(Verb::Status)) => {
                form = Form::Json;
                Some(Verb::Status)
            }
            (Arg::Long("check-config"), Some(Verb::Run)) => Some(Verb::CheckConfig),
            (Arg::Value(word), None) => Some(match word.string()?.as_str() {
                "run" => Verb::Run,
                "status" => Verb::Status,
                "trigger" => Verb::Trigger,
                other => return Err(format!("unknown command `{other}`").into()),
            }),
            (other, _) => return Err(other.unexpected()),
        };
    }
    let verb = verb.ok_or("expected run, status or trigger")?;
    Ok(Order::Do(Task { verb, config, form, program_arguments }))
}

fn obey(task: Task) -> ExitCode {
    let Task { verb, config, form, program_arguments } = task;
    let settings = match AgentSettings::load(&config) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, CONFIG),
    };
    match verb {
        Verb::CheckConfig => match settings.check_surroundings() {
            Ok(()) => {
                println!("{} is understood, and what it names is there", config.display());
                ExitCode::SUCCESS
            }
            Err(error) => complain(&error, CONFIG),
        },
        Verb::Run => run(settings, program_arguments),
        Verb::Status => match ask_status(&settings.device_dir) {
            Ok(status) => {
                println!("{}", if matches!(form, Form::Json) { status } else { for_people(&status) });
                ExitCode::SUCCESS
            }
            Err(error) => complain(&error, NO_AGENT),
        },
        Verb::Trigger => match ask_trigger(&settings.device_dir) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error, NO_AGENT),
        },
    }
}

fn run(settings: AgentSettings, program_arguments: Vec<OsString>) -> ExitCode {
    log_to_stderr();
    let mut agent = match Agent::new(settings) {
        Ok(agent) => agent.with_arguments(program_arguments),
        Err(error) => return complain(&error, FAILED),
    };
    heed_signals(agent.handle());
    match agent.run() {
        Ok(Ended::Cancelled | Ended::Restart) => ExitCode::SUCCESS,
        Err(error) => complain(&error, FAILED),
    }
}

/// One flat object of JSON as lines of words. Values hold neither commas nor colons.
fn for_people(json: &str) -> String {
    let pairs = json.trim_matches(['{', '}']).split(',').filter_map(|pair| pair.split_once(':'));
    let lines = pairs.map(|(name, value)| {
        let (name, value) = (name.trim_matches('"').replace('_', " "), value.trim_matches('"'));
        format!("{name:<20} {}", if value == "null" { "-" } else { value })
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints the whole chain of an error, once.
fn complain(error: &dyn Error, code: u8) -> ExitCode {
    let mut line = format!("lapwing-agent: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        line.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    eprintln!("{line}");
    code.into()
}

/// Writes to stderr; the service manager adds the time.
struct StderrLog;

impl log::Log for StderrLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let ours = record.target().starts_with("lapwing");
        if ours || record.level() <= log::Level::Warn || log::max_level() == log::LevelFilter::Trace {
            eprintln!("{:<5} {}", record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

fn log_to_stderr() {
    static LOG: StderrLog = StderrLog;
    // Nobody else sets one in this program.
    let _ = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Info);
}

static RUNNING: OnceLock<Handle> = OnceLock::new();

/// SIGTERM and SIGINT cancel; the second one kills. SIGUSR1 and SIGUSR2 change the log level.
fn heed_signals(handle: Handle) {
    let _ = RUNNING.set(handle);
    for (signal, flags) in [
        (libc::SIGTERM, libc::SA_RESETHAND),
        (libc::SIGINT, libc::SA_RESETHAND),
        (libc::SIGUSR1, libc::SA_RESTART),
        (libc::SIGUSR2, libc::SA_RESTART),
    ] {
        // SAFETY: all fields of this struct may be zero; the handler only stores to atomics and
        // writes to a socket, which is allowed in a handler.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as libc::sighandler_t;
            action.sa_flags = flags;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

extern "C" fn on_signal(signal: libc::c_int) {
    use log::LevelFilter::{Debug, Error, Info, Trace, Warn};
    match signal {
        libc::SIGUSR1 => log::set_max_level(match log::max_level() {
            Warn => Info,
            Info => Debug,
            Debug | Trace => Trace,
            _ => Warn,
        }),
        libc::SIGUSR2 => log::set_max_level(match log::max_level() {
            Trace => Debug,
            Debug => Info,
            Info => Warn,
            _ => Error,
        }),
        _ => {
            if let Some(handle) = RUNNING.get() {
                handle.cancel();
            }
        }
    }
}
