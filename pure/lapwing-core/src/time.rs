//! Times and durations: what a signed answer says, never what a local clock says.
//!
//! Touches: nothing. [`UnixSeconds`] comes from signed objects, [`Uptime`] from the caller.

use crate::cbor::{DecodeError, NoRoom, Out, Wire};
use minicbor::Decoder;

/// Seconds since 1970, as a signed object states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// This time and `seconds` more, at most the end of time.
    #[must_use]
    pub const fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this, zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Wire<'_> for UnixSeconds {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.u64(self.0)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self(input.u64()?))
    }
}

/// Milliseconds since this boot. Never compared across boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uptime(pub u64);

impl Uptime {
    /// This moment and `ms` milliseconds more.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this, zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
