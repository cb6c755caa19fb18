//! Files and words of the machine that runs QEMU, by semihosting.
//!
//! Touches: one instruction, which a debugger or QEMU answers.
//! Never: keeps anything in memory; a file is read where it lies.

#![expect(unsafe_code, reason = "the debugger reads and writes our memory")]

use core::arch::asm;
use core::ffi::CStr;
use core::fmt::{self, Write};
use lapwing_delta::{Artifact, Base, PortError, Target};

const OPEN: u32 = 0x01;
const SAY_BYTE: u32 = 0x03;
const WRITE: u32 = 0x05;
const READ: u32 = 0x06;
const SEEK: u32 = 0x0A;
const LENGTH: u32 = 0x0C;
const EXIT: u32 = 0x20;
const APPLICATION_EXIT: u32 = 0x2_0026;

/// An open file of the other machine.
pub(crate) struct File {
    handle: u32,
}

impl File {
    /// Opens an existing file.
    pub(crate) fn open(name: &CStr) -> Result<Self, PortError> {
        Self::with_mode(name, 1)
    }

    /// Opens an empty file.
    pub(crate) fn create(name: &CStr) -> Result<Self, PortError> {
        Self::with_mode(name, 5)
    }

    fn with_mode(name: &CStr, mode: u32) -> Result<Self, PortError> {
        let length = name.count_bytes() as u32;
        let handle = call(OPEN, &[name.as_ptr() as u32, mode, length]);
        if handle == u32::MAX { Err(PortError) } else { Ok(Self { handle }) }
    }
}

impl Base for File {
    fn length_bytes(&self) -> u64 {
        call(LENGTH, &[self.handle]).into()
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        let sought = call(SEEK, &[self.handle, offset as u32]) == 0;
        let is_read = sought && self.read(out)? == out.len();
        if is_read { Ok(()) } else { Err(PortError) }
    }
}

impl Artifact for File {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        let left = call(READ, &[self.handle, out.as_mut_ptr() as u32, out.len() as u32]);
        out.len().checked_sub(left as usize).ok_or(PortError)
    }
}

impl Target for File {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let left = call(WRITE, &[self.handle, bytes.as_ptr() as u32, bytes.len() as u32]);
        if left == 0 { Ok(()) } else { Err(PortError) }
    }
}

/// Writes to the standard output of QEMU.
pub(crate) fn say(words: fmt::Arguments<'_>) {
    // Without an output there is nobody to tell.
    let _ = Console.write_fmt(words);
}

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| {
            call(SAY_BYTE, &[byte.into()]);
        });
        Ok(())
    }
}

/// Ends QEMU.
pub(crate) fn end(is_good: bool) -> ! {
    loop {
        call(EXIT, &[APPLICATION_EXIT, u32::from(!is_good)]);
    }
}

fn call(operation: u32, arguments: &[u32]) -> u32 {
    let answer;
    // SAFETY: the other side keeps to the memory that the arguments name, which we have.
    unsafe {
        asm!("bkpt 0xAB", inout("r0") operation => answer, in("r1") arguments.as_ptr(), options(nostack));
    }
    answer
}
