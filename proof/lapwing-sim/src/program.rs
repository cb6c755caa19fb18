//! How an image behaves when it is started: good ones, and every kind of bad one.
//!
//! Touches: nothing. Entered from: `device.rs`.

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// All is well.
    Good,
    /// It cannot be executed.
    NotExecutable,
    /// It dies in its first instruction.
    DiesAtStart,
    /// It dies after this long, every time.
    DiesAfter {
        /// How long it lives, milliseconds.
        ms: u64,
    },
    /// Its health check fails from the beginning.
    Unhealthy,
    /// Its health check fails from this time on, in the life it was first reached in and all after.
    UnhealthyAfter {
        /// How long it is healthy, milliseconds since its first start.
        ms: u64,
    },
    /// There is no link under it.
    LosesLink,
    /// It cannot talk to the server, although the link is up.
    DeafToServer,
}
