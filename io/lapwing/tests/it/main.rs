//! The real binary on directories of its own: what a person at a terminal or a script sees.
//!
//! Touches: temporary directories, the loopback interface. Never: sleeps, or needs a network.

#[cfg(test)]
mod clerk;
#[cfg(test)]
mod desk;

#[cfg(test)]
mod advice;
mod deltas;
mod keys;
mod provision;
mod releases;
#[cfg(test)]
mod serve;
mod server;
#[cfg(test)]
mod watch;
