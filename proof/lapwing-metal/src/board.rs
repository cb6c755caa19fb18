//! The board mps2-an386: how it starts, its clock, its memory, its stack.
//!
//! Touches: registers and memory at fixed addresses. Entered from: QEMU, at `reset`.
//! Never: has data of its own, which somebody would have to initialise.

#![expect(unsafe_code, reason = "the addresses are the board's")]

use crate::{desk, work};
use core::arch::asm;
use core::ops::Range;

const STACK: Range<usize> = 0x2000_0000..0x2001_0000;
const MEMORY: Range<usize> = 0x2100_0000..0x2200_0000;

const TIMER_CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
const TIMER_VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const TIMER_RELOAD: *mut u32 = 0x4000_0008 as *mut u32;
/// The timer has 25 MHz, and QEMU was told that an instruction takes a nanosecond.
const INSTRUCTIONS_PER_TICK: u64 = 40;

const COPROCESSORS: *mut u32 = 0xE000_ED88 as *mut u32;
const FLOATING_POINT: u32 = 0xF << 20;

/// What no frame consists of.
const PAINT: u32 = 0xC5C5_C5C5;
/// The frame of whoever paints.
const OWN_BYTES: usize = 256;

#[repr(C)]
struct Vectors {
    stack_end: usize,
    handlers: [extern "C" fn() -> !; 15],
}

#[used]
#[unsafe(link_section = ".vectors")]
static VECTORS: Vectors = {
    let mut handlers = [fault as extern "C" fn() -> !; 15];
    handlers[0] = reset;
    Vectors { stack_end: STACK.end, handlers }
};

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: a register of the core. The compiler may use the registers that it switches on for copies.
    unsafe { COPROCESSORS.write_volatile(FLOATING_POINT) };
    // SAFETY: called once, so the memory has one owner.
    work::work(unsafe { core::slice::from_raw_parts_mut(MEMORY.start as *mut u8, MEMORY.end - MEMORY.start) })
}

extern "C" fn fault() -> ! {
    desk::say(format_args!("a fault of the processor\n"));
    desk::end(false)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    desk::say(format_args!("{info}\n"));
    desk::end(false)
}

/// What something took.
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    pub(crate) stack_bytes: usize,
}

/// Does `work` and measures it.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) };
    let free = || (STACK.start..pointer - OWN_BYTES).step_by(size_of::<u32>()).map(|at| at as *mut u32);
    // SAFETY: stack below all that is in use.
    free().for_each(|word| unsafe { word.write_volatile(PAINT) });
    // SAFETY: registers of a timer that nobody else uses; it counts down.
    unsafe {
        TIMER_RELOAD.write_volatile(u32::MAX);
        TIMER_VALUE.write_volatile(u32::MAX);
        TIMER_CONTROL.write_volatile(1);
    }
    let done = framed(work);
    // SAFETY: as above.
    let ticks = unsafe { u32::MAX - TIMER_VALUE.read_volatile() };
    // SAFETY: as above.
    let lowest = free().find(|word| unsafe { word.read_volatile() } != PAINT);
    let stack_bytes = pointer - lowest.map_or(pointer, |word| word as usize);
    (done, Cost { instructions: u64::from(ticks) * INSTRUCTIONS_PER_TICK, stack_bytes })
}

/// Has a frame of its own: what the compiler draws into it lies below the painter's.
#[inline(never)]
fn framed<T>(work: impl FnOnce() -> T) -> T {
    work()
}
