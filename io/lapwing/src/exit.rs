//! How a command ends: exit codes that scripts can rely on, and one complaint that says what to do.
//!
//! Touches: standard error. A [`Refusal`] anywhere in an error's chain decides the code.
//! Never: prints a chain twice, or a secret.

use std::fmt;
use std::io::ErrorKind;
use std::process::ExitCode;

/// What kind of failure it was. The numbers are documented in `docs/reference/cli.md` and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Anything else.
    Failure = 1,
    /// What was asked for makes no sense.
    Usage = 2,
    /// A rule of ours forbids it.
    Policy = 3,
    /// The thing named is not there.
    NotFound = 4,
    /// The server did not answer.
    Unreachable = 5,
    /// A signature, a digest or a document is not what it should be.
    Verification = 6,
    /// It collides with what is there already.
    Conflict = 7,
}

impl Code {
    /// What to do where the place that failed knows nothing better.
    fn usual_advice(self) -> &'static str {
        match self {
            Self::Failure => "mend what it names and run it again; nothing was left half done",
            Self::Usage => "--help shows how it is written",
            Self::Policy => "docs/reference/cli.md has the rules",
            Self::NotFound => "look whether its name is spelled right",
            Self::Unreachable => "try again in a moment",
            Self::Verification => "do not use it; get it again from where it was made",
            Self::Conflict => "look at what is there already",
        }
    }
}

/// The part of `--help` that lists the codes.
pub(crate) const CODES_HELP: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a rule, \
4 not found, 5 server unreachable, 6 verification failed, 7 conflict with what is there already.";

/// A failure that people and scripts should tell from others.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Code,
    what: String,
    advice: Option<String>,
}

impl Refusal {
    /// Says what is wrong.
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), advice: None }
    }

    /// Adds what to do about it.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// What kind of failure it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Refusal {}

/// Prints the whole chain of causes once, with advice, and gives the exit code.
pub(crate) fn explain(error: &anyhow::Error, json: bool) -> ExitCode {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    let code = refusal.map_or_else(|| code_of_io(error), Refusal::code);
    let own = refusal.and_then(|refusal| refusal.advice.as_deref());
    let advice = own.or_else(|| advice_on_io(error)).unwrap_or(code.usual_advice());
    complain(&format!("{error:#}"), advice, code, json)
}

/// A command line that makes no sense: clap's own words for people, the same complaint as any for programs.
pub(crate) fn explain_usage(error: &clap::Error, json: bool) -> ExitCode {
    if !json || !error.use_stderr() {
        error.exit();
    }
    let text = error.render().to_string();
    let what = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    complain(
        &format!("understand the command line: {what}"),
        "--help shows how it is written",
        Code::Usage,
        json,
    )
}

fn complain(what: &str, advice: &str, code: Code, json: bool) -> ExitCode {
    if json {
        eprintln!("{}", serde_json::json!({ "error": what, "advice": advice, "code": code as u8 }));
    } else {
        eprintln!("lapwing: failed to {what}\n  what to do: {advice}");
    }
    ExitCode::from(code as u8)
}

fn io_kind(error: &anyhow::Error) -> Option<ErrorKind> {
    error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

fn code_of_io(error: &anyhow::Error) -> Code {
    if io_kind(error) == Some(ErrorKind::NotFound) { Code::NotFound } else { Code::Failure }
}

/// What to do about a file that nobody had better advice for.
fn advice_on_io(error: &anyhow::Error) -> Option<&'static str> {
    Some(match io_kind(error)? {
        ErrorKind::NotFound => "look whether the path is spelled right and the file is there",
        ErrorKind::PermissionDenied => "run it as the user who owns the file, or let this one use it",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on that disk and run it again; nothing was half done"
        }
        ErrorKind::ReadOnlyFilesystem => "that disk takes no writes; choose another place",
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
            "a file is wanted where a directory is, or the other way round"
        }
        ErrorKind::AddrInUse => "another process listens there; choose another address",
        ErrorKind::AddrNotAvailable => "this machine has no such address; choose another",
        _ => return None,
    })
}
