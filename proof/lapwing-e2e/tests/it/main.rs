//! The real programs and the real enumerator, in one test binary.
//!
//! Touches: processes that it starts, temporary folders, the loopback.

#[cfg(test)]
mod agent_image;
#[cfg(test)]
mod agent_updates;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod coap;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod cut_line;
#[cfg(test)]
mod cut_programs;
#[cfg(test)]
mod cut_transfers;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod hand_made;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod named_events;
#[cfg(test)]
mod story;
#[cfg(test)]
mod swarm;
#[cfg(test)]
mod throttled;
#[cfg(test)]
mod updaters;
#[cfg(test)]
mod wake;
