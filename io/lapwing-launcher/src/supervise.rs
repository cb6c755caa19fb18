//! Stays the parent: starts `run` in a child, again and again, waiting longer each time.
//!
//! Touches: `run`, `os`. Entered from: `main`.
//! Never: reads the slot table itself, or gives up.

use crate::flags::{BackOff, Job};
use crate::os::{self, Fork, Signals, Wake};
use crate::outcome::{Outcome, complain, say};
use crate::run::run;
use core::ffi::c_int;

/// Ends only after SIGTERM or SIGINT, as its child did.
pub(crate) fn supervise(job: &Job, back_off: BackOff) -> Outcome {
    let signals = Signals::held();
    let mut delay_ms = back_off.delay_ms;
    loop {
        let started_ms = os::monotonic_ms();
        match signals.fork() {
            Fork::Child => return run(job),
            Fork::Parent(child) => match watch(&signals, child) {
                Ended::AfterStop(code) => return Outcome::Child(code),
                Ended::ByItself(code) => announce(code),
            },
            Fork::Failed(why) => complain("start", c"a child", why),
        }
        if os::monotonic_ms().saturating_sub(started_ms) >= u64::from(back_off.reset_ms) {
            delay_ms = back_off.delay_ms;
        }
        delay_ms = delay_ms.min(back_off.delay_ms_max);
        say(&[b"starting again in ", Decimal::of(delay_ms).as_bytes(), b" ms"]);
        if let Some(signal) = wait(&signals, delay_ms) {
            return Outcome::Child(128 + signal);
        }
        delay_ms = delay_ms.saturating_mul(2);
    }
}

enum Ended {
    AfterStop(c_int),
    ByItself(c_int),
}

/// Hands signals on until the child has ended.
fn watch(signals: &Signals, child: os::Child) -> Ended {
    let mut stopping = false;
    loop {
        match signals.wait(None) {
            Wake::ChildEnded => {
                if let Some(code) = os::reap(child) {
                    return if stopping { Ended::AfterStop(code) } else { Ended::ByItself(code) };
                }
            }
            Wake::Signal { number, origin } => {
                stopping |= os::asks_to_stop(number);
                child.signal(number, origin);
            }
            Wake::Nothing => {}
        }
    }
}

/// Waits out the delay; the signal that asked to stop, if one did.
fn wait(signals: &Signals, delay_ms: u32) -> Option<c_int> {
    let until_ms = os::monotonic_ms().saturating_add(u64::from(delay_ms));
    loop {
        let left_ms = until_ms.saturating_sub(os::monotonic_ms());
        if left_ms == 0 {
            return None;
        }
        match signals.wait(Some(left_ms)) {
            Wake::ChildEnded => os::reap_orphans(),
            Wake::Signal { number, .. } if os::asks_to_stop(number) => return Some(number),
            Wake::Signal { .. } | Wake::Nothing => {}
        }
    }
}

fn announce(code: c_int) {
    say(&[b"the program ended with ", Decimal::of(code.unsigned_abs()).as_bytes()]);
}

/// A number as text.
struct Decimal([u8; 10], usize);

impl Decimal {
    fn of(mut number: u32) -> Self {
        let (mut digits, mut from) = ([b'0'; 10], 10);
        loop {
            from -= 1;
            digits[from] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self(digits, from);
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0[self.1..]
    }
}
