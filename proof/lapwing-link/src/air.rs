//! What a link is like, and what crossed it.
//!
//! Touches: nothing. All times are milliseconds of virtual time, all sizes bytes at the IP layer.

/// When the device can be heard and hear: so long awake, then so long asleep.
#[derive(Debug, Clone, Copy)]
pub struct Awake {
    /// Length of an awake window.
    pub awake_ms: u64,
    /// Time between two of them.
    pub asleep_ms: u64,
}

/// A radio link between one device and the network.
#[derive(Debug, Clone)]
pub struct Air {
    /// Bits per second, shared by both directions: the radio sends or listens.
    pub rate_bps: u64,
    /// Round trip of a tiny packet; the time on the air is added.
    pub round_trip_ms: u64,
    /// Extra delay of a packet at most.
    pub jitter_ms: u64,
    /// Packets lost, in a thousand, each way and each by itself.
    pub loss_permille: u16,
    /// Packets that later ones may overtake.
    pub reorder_permille: u16,
    /// Packets that arrive twice.
    pub duplicate_permille: u16,
    /// Larger packets are dropped.
    pub mtu_bytes: usize,
    /// Addresses and ports before each datagram: 28 for IPv4 and UDP, 48 for IPv6.
    pub header_bytes: usize,
    /// Devices that load the same carrier, this one included: each has its share.
    pub cell_devices: u64,
    /// How often the device's address changes on its way; what is under way to the old one is lost.
    pub rebind_ms: Option<u64>,
    /// Whether the device sleeps.
    pub awake: Option<Awake>,
}

impl Air {
    /// NB-IoT as the cells of `docs/benchmarks/link.json` vary it: IPv6, no jitter, never asleep.
    #[must_use]
    pub const fn nb_iot(rate_bps: u64, round_trip_ms: u64, loss_permille: u16) -> Self {
        Self {
            rate_bps,
            round_trip_ms,
            jitter_ms: 0,
            loss_permille,
            reorder_permille: 0,
            duplicate_permille: 0,
            mtu_bytes: 1280,
            header_bytes: 48,
            cell_devices: 1,
            rebind_ms: None,
            awake: None,
        }
    }

    /// If the device is awake then, when it falls asleep; far away if it never does.
    #[must_use]
    pub fn awake_until_ms(&self, now_ms: u64) -> Option<u64> {
        let Some(Awake { awake_ms, asleep_ms }) = self.awake else { return Some(u64::MAX) };
        let begin = now_ms - now_ms % (awake_ms + asleep_ms);
        (now_ms < begin + awake_ms).then_some(begin + awake_ms)
    }

    /// When the device wakes up next.
    #[must_use]
    pub fn next_awake_ms(&self, now_ms: u64) -> u64 {
        let period_ms = self.awake.map_or(1, |awake| awake.awake_ms + awake.asleep_ms);
        (now_ms / period_ms + 1) * period_ms
    }
}

/// What one direction sent, at the IP layer, lost packets included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// The largest packet.
    pub largest_bytes: usize,
    /// Packets over the MTU, which nobody got.
    pub oversized: u64,
}
