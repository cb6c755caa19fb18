//! The link itself: takes datagrams, gives them out when and if they arrive.
//!
//! Touches: `numbers`. Never: looks into a datagram.

use crate::air::{Air, Counters};
use crate::numbers::Numbers;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An end of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Behind the radio.
    Device,
    /// In the network.
    Server,
}

/// Datagrams under way, and the state of the air.
///
/// A datagram to the device crosses the network and then the air, one to the server the other way round. The
/// radio sends or listens; while both directions wait they take turns, as a base station has it.
#[derive(Debug)]
pub struct Link {
    /// What it is like.
    pub air: Air,
    numbers: Numbers,
    /// Waiting for the air, by side of their destination.
    waiting: [BinaryHeap<Reverse<Packet>>; 2],
    busy_until_us: u64,
    last_to: Side,
    under_way: BinaryHeap<Reverse<Packet>>,
    /// The latest arrival in order at either side.
    last_us: [u64; 2],
    sent: u64,
    counters: [Counters; 2],
}

/// Ordered by time; what is due at once, by sending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    /// When it reaches what comes next: the air, or its destination.
    due_us: u64,
    order: u64,
    to: Side,
    /// Which address of the device its sender knew.
    binding: u64,
    datagram: Vec<u8>,
}

impl Link {
    /// A quiet link.
    #[must_use]
    pub const fn new(air: Air, seed: u64) -> Self {
        let none = Counters { packets: 0, bytes: 0, largest_bytes: 0, oversized: 0 };
        Self {
            air,
            numbers: Numbers::new(seed),
            waiting: [BinaryHeap::new(), BinaryHeap::new()],
            busy_until_us: 0,
            last_to: Side::Device,
            under_way: BinaryHeap::new(),
            last_us: [0; 2],
            sent: 0,
            counters: [none; 2],
        }
    }

    /// Sends a datagram to `to`.
    pub fn send(&mut self, now_us: u64, to: Side, datagram: &[u8]) {
        let bytes = datagram.len() + self.air.header_bytes;
        let counters = &mut self.counters[to as usize];
        counters.packets += 1;
        counters.largest_bytes = counters.largest_bytes.max(bytes);
        if bytes > self.air.mtu_bytes {
            counters.oversized += 1;
            return;
        }
        counters.bytes += bytes as u64;
        self.sent += 1;
        let due_us = if to == Side::Device { self.cross_network(now_us, to) } else { now_us };
        let (order, binding, datagram) = (self.sent, self.binding(now_us), datagram.to_vec());
        self.waiting[to as usize].push(Reverse(Packet { due_us, order, to, binding, datagram }));
    }

    /// When the link has something to do next, microseconds.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        let arrival_us = self.under_way.peek().map(|Reverse(packet)| packet.due_us);
        [arrival_us, self.next_on_air_us()].into_iter().flatten().min()
    }

    /// A datagram that has arrived by now. What reaches a sleeping device, or an address that it no longer
    /// has, reaches nobody.
    pub fn receive(&mut self, now_us: u64) -> Option<(Side, Vec<u8>)> {
        while let Some(start_us) = self.next_on_air_us().filter(|start_us| *start_us <= now_us) {
            self.put_on_air(start_us);
        }
        while self.under_way.peek().is_some_and(|Reverse(packet)| packet.due_us <= now_us) {
            let Reverse(packet) = self.under_way.pop()?;
            let heard = self.air.awake_until_ms(packet.due_us / 1000).is_some()
                && packet.binding == self.binding(packet.due_us);
            if packet.to == Side::Server || heard {
                return Some((packet.to, packet.datagram));
            }
        }
        None
    }

    /// What was sent to one side.
    #[must_use]
    pub const fn counters(&self, to: Side) -> Counters {
        self.counters[to as usize]
    }

    fn next_on_air_us(&self) -> Option<u64> {
        let heads = self.waiting.iter().filter_map(|waiting| waiting.peek());
        heads.map(|Reverse(packet)| packet.due_us.max(self.busy_until_us)).min()
    }

    fn put_on_air(&mut self, start_us: u64) {
        let other = if self.last_to == Side::Device { Side::Server } else { Side::Device };
        let is_ready = |side: &Side| {
            self.waiting[*side as usize].peek().is_some_and(|Reverse(packet)| packet.due_us <= start_us)
        };
        let Some(side) = [other, self.last_to].into_iter().find(is_ready) else { return };
        let Some(Reverse(mut packet)) = self.waiting[side as usize].pop() else { return };
        let bytes = (packet.datagram.len() + self.air.header_bytes) as u64;
        self.last_to = side;
        self.busy_until_us = start_us + bytes * 8 * 1_000_000 * self.air.cell_devices / self.air.rate_bps;
        if self.numbers.happens(self.air.loss_permille) {
            return;
        }
        packet.due_us = self.busy_until_us;
        if side == Side::Server {
            packet.due_us = self.cross_network(packet.due_us, side);
        }
        if self.numbers.happens(self.air.duplicate_permille) {
            self.under_way.push(Reverse(packet.clone()));
        }
        self.under_way.push(Reverse(packet));
    }

    /// When a packet that enters the network now leaves it: in order, but for those that are overtaken.
    fn cross_network(&mut self, now_us: u64, to: Side) -> u64 {
        let jitter_us = self.numbers.up_to(self.air.jitter_ms * 1000);
        let due_us = now_us + self.air.round_trip_ms * 500 + jitter_us;
        if self.numbers.happens(self.air.reorder_permille) {
            return due_us + self.numbers.up_to(self.air.round_trip_ms * 1000);
        }
        let last_us = &mut self.last_us[to as usize];
        *last_us = due_us.max(*last_us);
        *last_us
    }

    fn binding(&self, now_us: u64) -> u64 {
        self.air.rebind_ms.map_or(0, |rebind_ms| now_us / 1000 / rebind_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(air: Air, seed: u64, count: u8) -> Vec<(u64, u8)> {
        let mut link = Link::new(air, seed);
        (0..count).for_each(|at| link.send(0, Side::Device, &[at; 202]));
        let mut arrived = Vec::new();
        while let Some(now_us) = link.next_us() {
            arrived.extend(link.receive(now_us).map(|(_, datagram)| (now_us, datagram[0])));
        }
        arrived
    }

    #[test]
    fn packets_take_their_time_on_the_air_and_half_a_round_trip() {
        // 250 bytes at 20 kbit/s are 100 ms; the second waits for the first.
        assert_eq!(arrivals(Air::nb_iot(20_000, 1_500, 0), 1, 2), [(850_000, 0), (950_000, 1)]);
        let shared = Air { cell_devices: 2, ..Air::nb_iot(20_000, 1_500, 0) };
        assert_eq!(arrivals(shared, 1, 1), [(950_000, 0)]);
    }

    #[test]
    fn loss_duplicates_and_order_are_as_often_as_said_and_the_same_for_a_seed() {
        let air = Air { loss_permille: 100, ..Air::nb_iot(60_000, 500, 0) };
        let lossy = arrivals(air.clone(), 3, 200);
        assert!((165..195).contains(&lossy.len()), "{}", lossy.len());
        assert!(lossy.is_sorted_by_key(|(_, at)| *at), "jitter alone does not reorder");
        assert_eq!(lossy, arrivals(air, 3, 200));
        let air = Air { duplicate_permille: 100, ..Air::nb_iot(60_000, 500, 0) };
        assert!((205..235).contains(&arrivals(air, 3, 200).len()));
        let air = Air { reorder_permille: 200, ..Air::nb_iot(60_000, 500, 0) };
        assert!(!arrivals(air, 3, 200).is_sorted_by_key(|(_, at)| *at));
    }

    #[test]
    fn requests_do_not_wait_for_the_queue_of_answers() {
        let mut link = Link::new(Air::nb_iot(20_000, 0, 0), 1);
        (0..4).for_each(|at| link.send(0, Side::Device, &[at; 202]));
        link.receive(0);
        link.send(1, Side::Server, &[9; 202]);
        let mut order = Vec::new();
        while let Some(now_us) = link.next_us() {
            order.extend(link.receive(now_us).map(|(_, datagram)| datagram[0]));
        }
        assert_eq!(order, [0, 9, 1, 2, 3]);
    }

    #[test]
    fn a_sleeping_device_an_old_address_and_a_large_packet_get_nothing() {
        let awake = Some(crate::Awake { awake_ms: 900, asleep_ms: 10_000 });
        assert_eq!(arrivals(Air { awake, ..Air::nb_iot(20_000, 1_500, 0) }, 1, 2).len(), 1);
        let rebind_ms = Some(900);
        assert_eq!(arrivals(Air { rebind_ms, ..Air::nb_iot(20_000, 1_500, 0) }, 1, 2).len(), 1);
        let air = Air { mtu_bytes: 249, ..Air::nb_iot(20_000, 1_500, 0) };
        assert_eq!(arrivals(air, 1, 2).len(), 0);
    }
}
