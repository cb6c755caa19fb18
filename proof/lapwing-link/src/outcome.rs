//! How one fetch ended, in the figures that the note of the links compares.
//!
//! Touches: `link`. Never: rounds.

use crate::link::{Link, Side};

/// One fetch.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether every byte arrived, and was right.
    pub is_whole: bool,
    /// From the first packet to the last byte, virtual seconds.
    pub seconds: f64,
    /// Bytes at the IP layer, both directions, lost ones included.
    pub air_bytes: u64,
    /// Packets from the device.
    pub uplink_messages: u64,
    /// Answers that came after their request had been given up.
    pub late_answers: u64,
    /// Requests for a block that had been asked for before.
    pub repeated_requests: u64,
    /// Awake windows that ended before the fetch did.
    pub cuts: u64,
    /// Most blocks asked for again because of one such end.
    pub repeated_per_cut_max: u64,
    /// Largest packet at the IP layer.
    pub largest_packet_bytes: usize,
}

impl Outcome {
    /// The figures that the link knows.
    pub(crate) fn of(link: &Link, is_whole: bool, now_us: u64) -> Self {
        let (up, down) = (link.counters(Side::Server), link.counters(Side::Device));
        Self {
            is_whole,
            seconds: now_us as f64 / 1e6,
            air_bytes: up.bytes + down.bytes,
            uplink_messages: up.packets,
            late_answers: 0,
            repeated_requests: 0,
            cuts: 0,
            repeated_per_cut_max: 0,
            largest_packet_bytes: up.largest_bytes.max(down.largest_bytes),
        }
    }

    /// Radio energy in joules: a wake-up, and the session after it (fitted to published power measurements of
    /// an NB-IoT module).
    #[must_use]
    pub fn energy_joules(&self) -> f64 {
        0.25 + 0.15 * self.seconds
    }
}
