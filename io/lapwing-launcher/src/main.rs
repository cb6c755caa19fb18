//! Spends a try, then becomes the image in the slot that the slot table names.
//!
//! Touches: `lapwing_core::SlotTable`, `libc`. Entered from: a service manager, a shell, PID 1, the agent.
//! Never: is updated, allocates, or parses anything but the slot table and its own flags.

// Where panics abort, as in the profile `device`, nothing of std is left. Where they unwind, std
// lends its panic handler, because a handler of one's own cannot unwind.
#![cfg_attr(panic = "abort", no_std)]
#![no_main]

mod flags;
mod os;
mod outcome;
mod run;
mod supervise;
mod table_file;

use core::ffi::{c_char, c_int};
use flags::Order;
use os::Args;

/// Where C begins.
#[expect(unsafe_code, reason = "without std the entry point is the one of C")]
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, words: *mut *mut c_char) -> c_int {
    // SAFETY: the C runtime hands over the process's own NULL-terminated list of words.
    let outcome = match flags::parse(unsafe { Args::new(words) }) {
        Ok(Order::Print(text)) => os::print(text),
        Ok(Order::Run(job)) => run::run(&job),
        Ok(Order::Supervise(job, back_off)) => supervise::supervise(&job, back_off),
        Err(wrong) => wrong.complain(),
    };
    outcome.code()
}

#[cfg(panic = "abort")]
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    os::abort()
}
