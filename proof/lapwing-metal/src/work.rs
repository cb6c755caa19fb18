//! The work: one artifact applied in exactly the memory that its header asks for.
//!
//! Touches: the files of the desk. Never: gives `apply` more than it asked for.

use crate::board::measured;
use crate::desk::{File, end, say};
use core::fmt::Display;
use core::ops::ControlFlow;
use lapwing_delta::{Base, Header, NoBase, NoScratch, Ports, apply};

/// It was said why.
struct Failed;

/// Applies `artifact` to `base`, and says what that took: a figure a line.
pub(crate) fn work(memory: &mut [u8]) -> ! {
    end(applied(memory).is_ok())
}

fn applied(memory: &mut [u8]) -> Result<(), Failed> {
    let mut artifact = File::open(c"artifact").map_err(complained)?;
    let mut target = File::create(c"target").map_err(complained)?;
    let header = Header::read(&mut artifact).map_err(complained)?;
    let (mut file, mut none);
    let base: &mut dyn Base = if header.is_full() {
        none = NoBase;
        &mut none
    } else {
        file = File::open(c"base").map_err(complained)?;
        &mut file
    };
    // The map lies in memory too, behind what is needed in any case.
    let scratch_bytes = header.scratch_bytes() as usize;
    let memory_bytes = header.required_memory_bytes();
    let memory =
        memory.get_mut(..memory_bytes + scratch_bytes).ok_or_else(|| complained("too much memory"))?;
    let ports = Ports { base, artifact: &mut artifact, scratch: &mut NoScratch, target: &mut target };
    let (done, cost) = measured(|| apply(&header, ports, memory, 0, &mut |_| ControlFlow::Continue(())));
    done.map_err(complained)?;
    say(format_args!("instructions {}\n", cost.instructions));
    say(format_args!("stack_bytes {}\n", cost.stack_bytes));
    say(format_args!("memory_bytes {memory_bytes}\n"));
    say(format_args!("scratch_bytes {scratch_bytes}\n"));
    Ok(())
}

fn complained(error: impl Display) -> Failed {
    say(format_args!("{error}\n"));
    Failed
}
