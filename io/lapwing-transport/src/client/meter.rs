//! Bytes at the IP layer, both ways: what a data budget is held against.
//!
//! A datagram is counted as it is. What TCP adds to the bytes of a connection nobody says: it is counted as packets of
//! 1,280 bytes with their acknowledgements over IPv6, which is more than it is. Touches: nothing. Never: holds back.

use super::dial::Wire;
use std::io::{IoSlice, Read, Result, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Addresses and ports before a datagram, IPv4 and IPv6.
const UDP_HEADER_BYTES: [u64; 2] = [28, 48];
/// IPv6 and TCP with timestamps.
const TCP_HEADER_BYTES: u64 = 72;
const TCP_PAYLOAD_BYTES: u64 = 1_280 - TCP_HEADER_BYTES;
/// To open a connection and to close it.
const TCP_EMPTY_PACKETS: u64 = 7;

/// Counts up, for all who hold it.
#[derive(Debug, Clone)]
pub(super) struct Meter(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    crossed_bytes: AtomicU64,
    /// Artifacts may come until so many have.
    end_bytes: AtomicU64,
    /// And until so long after this.
    began: Instant,
    end_ms: AtomicU64,
}

impl Meter {
    /// Nothing has crossed yet, and everything may.
    pub(super) fn new() -> Self {
        let (crossed_bytes, end_bytes) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let (began, end_ms) = (Instant::now(), AtomicU64::new(u64::MAX));
        Self(Arc::new(Counts { crossed_bytes, end_bytes, began, end_ms }))
    }

    pub(super) fn crossed_bytes(&self) -> u64 {
        self.0.crossed_bytes.load(Ordering::Relaxed)
    }

    /// Artifacts may cost so much, and come for so long, from now on.
    pub(super) fn allow(&self, bytes: u64, ms: u64) {
        self.0.end_bytes.store(self.crossed_bytes().saturating_add(bytes), Ordering::Relaxed);
        self.0.end_ms.store(self.elapsed_ms().saturating_add(ms), Ordering::Relaxed);
    }

    pub(super) fn is_limited(&self) -> bool {
        [&self.0.end_bytes, &self.0.end_ms].iter().any(|end| end.load(Ordering::Relaxed) < u64::MAX)
    }

    /// How long they may still come, milliseconds.
    pub(super) fn left_ms(&self) -> u64 {
        self.0.end_ms.load(Ordering::Relaxed).saturating_sub(self.elapsed_ms())
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What they may still cost.
    pub(super) fn left_bytes(&self) -> u64 {
        self.0.end_bytes.load(Ordering::Relaxed).saturating_sub(self.crossed_bytes())
    }

    /// A datagram with so much in it crossed, to or from there.
    pub(super) fn datagram(&self, address: SocketAddr, payload_bytes: usize) {
        let [v4, v6] = UDP_HEADER_BYTES;
        self.add(payload_bytes as u64 + if address.is_ipv4() { v4 } else { v6 });
    }

    /// A packet of a connection on which little moves crossed, and its acknowledgement.
    #[cfg(feature = "mqtt")]
    pub(super) fn lone_packet(&self) {
        self.add(2 * TCP_HEADER_BYTES);
    }

    fn add(&self, bytes: u64) {
        self.0.crossed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(super) struct Metered {
    wire: Box<dyn Wire>,
    meter: Meter,
    read_bytes: u64,
    written_bytes: u64,
}

impl Metered {
    /// Counts what a connection costs before it is made, as that may fail.
    pub(super) fn new(meter: Meter, dial: impl FnOnce() -> Result<Box<dyn Wire>>) -> Result<Self> {
        meter.add(TCP_EMPTY_PACKETS * TCP_HEADER_BYTES);
        Ok(Self { wire: dial()?, meter, read_bytes: 0, written_bytes: 0 })
    }
}

/// So many bytes more of a stream, and each packet that they begin with its acknowledgement.
fn count(meter: &Meter, before: &mut u64, bytes: usize) {
    let after = *before + bytes as u64;
    let packets = after.div_ceil(TCP_PAYLOAD_BYTES) - before.div_ceil(TCP_PAYLOAD_BYTES);
    meter.add(bytes as u64 + packets * 2 * TCP_HEADER_BYTES);
    *before = after;
}

impl Read for Metered {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let bytes = self.wire.read(out)?;
        count(&self.meter, &mut self.read_bytes, bytes);
        Ok(bytes)
    }
}

impl Write for Metered {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.wire.write(bytes)?;
        count(&self.meter, &mut self.written_bytes, written);
        Ok(written)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> Result<usize> {
        let written = self.wire.write_vectored(pieces)?;
        count(&self.meter, &mut self.written_bytes, written);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.wire.flush()
    }
}

impl Wire for Metered {
    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.wire.set_timeout(timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_counted_once_however_often_it_is_read_from() {
        let (meter, mut moved) = (Meter::new(), 0);
        for (bytes, expected) in [(1, 1 + 144), (1_207, 1_208 + 144), (1, 1_209 + 288), (0, 1_209 + 288)] {
            count(&meter, &mut moved, bytes);
            assert_eq!(meter.crossed_bytes(), expected, "{bytes}");
        }
        meter.datagram("127.0.0.1:1".parse().unwrap(), 100);
        meter.datagram("[::1]:1".parse().unwrap(), 100);
        assert_eq!(meter.crossed_bytes(), 1_209 + 288 + 128 + 148);
        meter.allow(100, u64::MAX);
        meter.datagram("127.0.0.1:1".parse().unwrap(), 12);
        assert_eq!(meter.left_bytes(), 60);
    }
}
