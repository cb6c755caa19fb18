//! How a command ends: exit codes that scripts can rely on, and one complaint that says what to do.
//!
//! Touches: standard error. A [`Refusal`] anywhere in an error's chain decides the code.
//! Never: prints a chain twice, or a secret.

use std::fmt;
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
    let code = refusal.map_or(Code::Failure, Refusal::code);
    let advice = refusal.and_then(|refusal| refusal.advice.as_deref());
    if json {
        let complaint =
            serde_json::json!({ "error": format!("{error:#}"), "advice": advice, "code": code as u8 });
        eprintln!("{complaint}");
    } else {
        eprintln!("lapwing: failed to {error:#}");
        if let Some(advice) = advice {
            eprintln!("  what to do: {advice}");
        }
    }
    ExitCode::from(code as u8)
}
