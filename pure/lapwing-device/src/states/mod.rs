//! One room a state: how the device moves on from it.

mod booting;
mod fetching;
mod idle;
mod restarting;
mod staged;
mod trial;
mod watching;
