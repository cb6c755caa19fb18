//! The command line: two orders, a few flags, and the words that are handed on.
//!
//! Touches: `os::Args`. Entered from: `main`.
//! Never: reads a file or the environment for settings.

use crate::os::Args;
use crate::outcome::{Outcome, say};
use core::ffi::CStr;

const HELP: &str = concat!(
    "lapwing-launcher ",
    env!("CARGO_PKG_VERSION"),
    "
Starts the slot that the slot table names; the only one who spends tries.

  lapwing-launcher run --root DIR [--check-digest] [-- ARGS...]
      Becomes DIR/slots/a/image or DIR/slots/b/image with ARGS. The process id stays.
      Sets LAPWING_ROOT and LAPWING_SLOT (a or b).
  lapwing-launcher supervise --root DIR [--check-digest] [FLAGS] [-- ARGS...]
      Stays, does the same in a child, starts it again whenever it ends, waiting longer each time.
      Forwards SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2; ends with its child after the first two.
      The child is killed if the supervisor is. Reaps orphans as process 1.
      --restart-delay-ms N      first wait, 100
      --restart-delay-ms-max N  longest wait, 30000
      --restart-reset-ms N      a child that lived this long starts the waits afresh, 10000

  --check-digest  hash an image before its first start on trial; a slot that differs becomes bad
  --help, --version

Exit codes of its own: 120 wrong flags, 121 no root directory, 122 nothing to start,
123 the machine is short of something. All others are the program's; 128 + n after signal n.
"
);
const VERSION: &str = concat!("lapwing-launcher ", env!("CARGO_PKG_VERSION"), "\n");

/// What was asked for.
pub(crate) enum Order {
    Print(&'static str),
    Run(Job),
    Supervise(Job, BackOff),
}

/// What to start, and how.
pub(crate) struct Job {
    pub(crate) root: &'static CStr,
    pub(crate) digest: DigestCheck,
    pub(crate) args: Args,
}

/// Whether an image is hashed before its first start on trial.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestCheck {
    Skip,
    BeforeFirstStart,
}

/// How long a supervisor waits between starts.
#[derive(Clone, Copy)]
pub(crate) struct BackOff {
    pub(crate) delay_ms: u32,
    pub(crate) delay_ms_max: u32,
    pub(crate) reset_ms: u32,
}

/// The word that made no sense, and what is wrong with it.
pub(crate) struct Wrong(&'static str, &'static CStr);

impl Wrong {
    pub(crate) fn complain(self) -> Outcome {
        say(&[self.0.as_bytes(), self.1.to_bytes(), b" (see --help)"]);
        Outcome::Usage
    }
}

pub(crate) fn parse(mut args: Args) -> Result<Order, Wrong> {
    let _own_name = args.next();
    let verb = args.next().unwrap_or(c"");
    match verb.to_bytes() {
        b"--help" | b"-h" => return Ok(Order::Print(HELP)),
        b"--version" | b"-V" => return Ok(Order::Print(VERSION)),
        b"run" | b"supervise" => {}
        _ => return Err(Wrong("expected run or supervise: ", verb)),
    }
    let supervised = verb == c"supervise";
    let mut root = None;
    let mut digest = DigestCheck::Skip;
    let mut back_off = BackOff { delay_ms: 100, delay_ms_max: 30_000, reset_ms: 10_000 };
    while let Some(flag) = args.next() {
        match flag.to_bytes() {
            b"--" => break,
            b"--help" | b"-h" => return Ok(Order::Print(HELP)),
            b"--root" => root = Some(value(flag, &mut args)?),
            b"--check-digest" => digest = DigestCheck::BeforeFirstStart,
            b"--restart-delay-ms" if supervised => back_off.delay_ms = number(flag, &mut args)?,
            b"--restart-delay-ms-max" if supervised => back_off.delay_ms_max = number(flag, &mut args)?,
            b"--restart-reset-ms" if supervised => back_off.reset_ms = number(flag, &mut args)?,
            _ => return Err(Wrong("unknown flag ", flag)),
        }
    }
    let job = Job { root: root.ok_or(Wrong("missing flag ", c"--root"))?, digest, args };
    Ok(if supervised { Order::Supervise(job, back_off) } else { Order::Run(job) })
}

fn value(flag: &'static CStr, args: &mut Args) -> Result<&'static CStr, Wrong> {
    args.next().filter(|word| !word.is_empty()).ok_or(Wrong("missing value of ", flag))
}

fn number(flag: &'static CStr, args: &mut Args) -> Result<u32, Wrong> {
    let text = value(flag, args)?.to_str().ok();
    text.and_then(|text| text.parse().ok()).ok_or(Wrong("expected milliseconds after ", flag))
}
