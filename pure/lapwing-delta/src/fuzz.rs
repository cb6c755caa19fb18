//! The door for fuzzers: any bytes as an artifact.
//!
//! Touches: `crate::apply` with everything in memory.
//! Never: part of a device build.

use crate::apply::apply;
use crate::header::Header;
use crate::ports::{NoScratch, PortError, Ports, Target};
use core::ops::ControlFlow;
use lapwing_core::Hasher;
use std::vec;

/// The largest base made up and the largest memory given.
const BYTES_MAX: usize = 1 << 20;

/// Applies `bytes` to `base`, which is cut or lengthened to what the header asks for.
///
/// Must not panic, and must not succeed with another image than the header names.
pub fn fuzz_apply(base: &[u8], mut bytes: &[u8]) {
    let Ok(header) = Header::read(&mut bytes) else { return };
    let needed = header.required_memory_bytes().saturating_add(header.scratch_bytes() as usize);
    let base_bytes = header.base_bytes() as usize;
    if needed > BYTES_MAX || base_bytes > BYTES_MAX {
        return;
    }
    let mut base = base.to_vec();
    base.resize(base_bytes, 0x5A);
    let mut written = Written::default();
    let ports = Ports {
        base: &mut base.as_slice(),
        artifact: &mut bytes,
        scratch: &mut NoScratch,
        target: &mut written,
    };
    let applied = apply(&header, ports, &mut vec![0; needed], 0, &mut |_| ControlFlow::Continue(()));
    if applied.is_ok() {
        assert!(header.names_target(&written.0.finish()), "another image than the header names");
    }
}

#[derive(Default)]
struct Written(Hasher);

impl Target for Written {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0.update(bytes);
        Ok(())
    }
}
