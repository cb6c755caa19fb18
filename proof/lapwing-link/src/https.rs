//! What HTTPS would take on the same air: a model of TCP with SACK below a full TLS 1.3 handshake.
//!
//! Touches: `link`; the crate's estimator for its timer. A model and not a stack: segments have sizes and no
//! contents. Ten segments at first, loss by three later ones, delayed acknowledgements.

use crate::air::Air;
use crate::link::{Link, Side};
use crate::outcome::Outcome;
use lapwing_coap::Estimator;
use std::collections::BTreeMap;

/// Payload of a full segment: what 1280 bytes leave beside IPv6, TCP and its timestamps.
const SEGMENT_BYTES: u32 = 1208;
/// What a TCP header has more than the UDP header that the link counts.
const HEADER_BYTES: usize = 24;
/// Messages of the client: SYN, ClientHello, Finished with the request.
const ASKED_BYTES: [usize; 3] = [0, 320, 300];
/// The server's handshake with a short ECDSA chain; and its response header.
const HANDSHAKE_BYTES: u32 = 1_900;
const RESPONSE_HEADER_BYTES: u32 = 300;
/// A TLS record and what it adds.
const RECORD_BYTES: u32 = 16_384;
const RECORD_EXTRA_BYTES: u32 = 22;
const FIRST_TIMER_MS: u64 = 1_000;
const DELAYED_ACK_US: u64 = 100_000;
const FIRST_WINDOW: f64 = 10.0;

/// What is in a packet.
#[derive(Debug, Clone)]
enum Segment {
    /// The client's message of a stage.
    Ask(usize),
    /// Segment of the server's stream.
    Data(usize),
    /// Which segments the client has.
    Ack(Vec<bool>),
}

/// Fetches `size_bytes` over this air.
#[must_use]
pub fn fetch_https(air: Air, size_bytes: u32, seed: u64) -> Outcome {
    let mut wire = Wire { link: Link::new(air, seed), packets: Vec::new() };
    let stream = stream(size_bytes);
    let (mut client, mut server) = (Client::new(stream.len()), Server::new());
    let mut now_us = 0;
    while client.has.iter().any(|has| !has) {
        while let Some((_, datagram)) = wire.link.receive(now_us) {
            match wire.read(&datagram) {
                Some(Segment::Ask(stage)) => server.stage = server.stage.max(stage + 1),
                Some(Segment::Data(index)) => client.take(now_us, index),
                Some(Segment::Ack(has)) => server.acknowledge(now_us, &has),
                None => {}
            }
        }
        let client_us = client.send(now_us, &stream, &mut wire);
        let server_us = server.send(now_us, &stream, &mut wire);
        let next = [wire.link.next_us(), Some(client_us), server_us];
        now_us = next.into_iter().flatten().min().unwrap_or(u64::MAX).max(now_us + 1);
    }
    Outcome::of(&wire.link, true, now_us)
}

/// Sizes of the server's segments and from which stage on they may go.
fn stream(size_bytes: u32) -> Vec<(u32, usize)> {
    let records = size_bytes.div_ceil(RECORD_BYTES).saturating_add(1);
    let body = RESPONSE_HEADER_BYTES + size_bytes + records * RECORD_EXTRA_BYTES;
    let segments = |bytes: u32, stage| {
        (0..bytes.div_ceil(SEGMENT_BYTES))
            .map(move |at| (SEGMENT_BYTES.min(bytes - at * SEGMENT_BYTES), stage))
    };
    [(0, 1)].into_iter().chain(segments(HANDSHAKE_BYTES, 2)).chain(segments(body, 3)).collect()
}

/// The link, and what its packets mean.
struct Wire {
    link: Link,
    packets: Vec<Segment>,
}

impl Wire {
    fn send(&mut self, now_us: u64, to: Side, segment: Segment, bytes: usize) {
        let mut datagram = vec![0; HEADER_BYTES + bytes];
        let number = self.packets.len().to_le_bytes();
        datagram.iter_mut().zip(number).for_each(|(to, from)| *to = from);
        self.packets.push(segment);
        self.link.send(now_us, to, &datagram);
    }

    fn read(&self, datagram: &[u8]) -> Option<Segment> {
        let number = usize::from_le_bytes(*datagram.first_chunk()?);
        self.packets.get(number).cloned()
    }
}

struct Client {
    has: Vec<bool>,
    stage: usize,
    asked_us: Option<u64>,
    estimator: Estimator,
    unacknowledged: u32,
    ack_due_us: Option<u64>,
}

impl Client {
    fn new(segments: usize) -> Self {
        Self {
            has: vec![false; segments],
            stage: 0,
            asked_us: None,
            estimator: Estimator::new(FIRST_TIMER_MS),
            unacknowledged: 0,
            ack_due_us: None,
        }
    }

    fn take(&mut self, now_us: u64, index: usize) {
        self.has[index] = true;
        self.unacknowledged += 1;
        let highest = self.has.iter().rposition(|has| *has).unwrap_or(0);
        let has_gap = self.has[..highest].iter().any(|has| !has);
        let due_us = if self.unacknowledged > 1 || has_gap { now_us } else { now_us + DELAYED_ACK_US };
        self.ack_due_us = Some(self.ack_due_us.map_or(due_us, |known_us| known_us.min(due_us)));
    }

    /// Asks what its stage asks, acknowledges what is due; says when to look again.
    fn send(&mut self, now_us: u64, stream: &[(u32, usize)], wire: &mut Wire) -> u64 {
        let answered = stream.iter().zip(&self.has).all(|((_, stage), has)| *has || *stage > self.stage + 1);
        if answered && self.stage < 2 {
            self.stage += 1;
            if let Some(asked_us) = self.asked_us.take() {
                self.estimator.answered((now_us - asked_us) / 1000);
            }
        }
        let waiting = stream.iter().zip(&self.has).all(|((_, stage), has)| !has || *stage <= self.stage);
        let timer_us = self.estimator.timer_ms() * 1000;
        let mut next_us = u64::MAX;
        if waiting {
            if self.asked_us.is_none_or(|asked_us| now_us >= asked_us + timer_us) {
                if self.asked_us.is_some() {
                    self.estimator.ran_out();
                }
                self.asked_us = Some(now_us);
                wire.send(now_us, Side::Server, Segment::Ask(self.stage), ASKED_BYTES[self.stage]);
            }
            next_us = self.asked_us.unwrap_or(now_us) + self.estimator.timer_ms() * 1000;
        }
        match self.ack_due_us {
            Some(due_us) if due_us <= now_us => {
                (self.ack_due_us, self.unacknowledged) = (None, 0);
                wire.send(now_us, Side::Server, Segment::Ack(self.has.clone()), 0);
                next_us
            }
            due_us => next_us.min(due_us.unwrap_or(u64::MAX)),
        }
    }
}

/// The sender of the stream.
struct Server {
    stage: usize,
    acknowledged: Vec<bool>,
    next: usize,
    /// Segments under way: when they were sent and as which transmission, first sendings only teach.
    open: BTreeMap<usize, (u64, u64, bool)>,
    lost: Vec<usize>,
    sent: u64,
    window: f64,
    slow_start_below: f64,
    /// Losses among transmissions up to this one have been paid for.
    recovered_at: u64,
    estimator: Estimator,
}

impl Server {
    fn new() -> Self {
        Self {
            stage: 0,
            acknowledged: Vec::new(),
            next: 0,
            open: BTreeMap::new(),
            lost: Vec::new(),
            sent: 0,
            window: FIRST_WINDOW,
            slow_start_below: f64::MAX,
            recovered_at: 0,
            estimator: Estimator::new(FIRST_TIMER_MS),
        }
    }

    fn acknowledge(&mut self, now_us: u64, has: &[bool]) {
        self.acknowledged = has.to_vec();
        let mut latest = 0;
        for (index, (sent_us, order, is_first)) in self.open.clone() {
            if has[index] {
                self.open.remove(&index);
                latest = latest.max(order);
                self.window += if self.window < self.slow_start_below { 1.0 } else { 1.0 / self.window };
                if is_first {
                    self.estimator.answered((now_us - sent_us) / 1000);
                }
            }
        }
        let lost: Vec<_> =
            self.open.iter().filter(|(_, (_, order, _))| order + 3 <= latest).map(|(at, _)| *at).collect();
        for index in lost {
            let Some((_, order, _)) = self.open.remove(&index) else { continue };
            self.lost.push(index);
            if order > self.recovered_at {
                self.recovered_at = self.sent;
                self.slow_start_below = (self.window / 2.0).max(2.0);
                self.window = self.slow_start_below;
            }
        }
    }

    /// Sends what the window allows; says when its timer runs out.
    fn send(&mut self, now_us: u64, stream: &[(u32, usize)], wire: &mut Wire) -> Option<u64> {
        let timer_us = self.estimator.timer_ms() * 1000;
        let oldest_us = self.open.values().map(|(sent_us, ..)| *sent_us).min();
        if oldest_us.is_some_and(|sent_us| now_us >= sent_us + timer_us) {
            self.lost.extend(self.open.keys());
            self.open.clear();
            self.estimator.ran_out();
            self.slow_start_below = (self.window / 2.0).max(2.0);
            self.window = 1.0;
            self.recovered_at = self.sent;
        }
        self.lost.retain(|index| !self.acknowledged.get(*index).is_some_and(|has| *has));
        self.lost.sort_unstable_by(|a, b| b.cmp(a));
        while (self.open.len() as f64) < self.window.floor() {
            let again = self.lost.pop();
            let fresh = stream.get(self.next).filter(|(_, stage)| *stage <= self.stage).map(|_| self.next);
            let Some(index) = again.or(fresh) else { break };
            if again.is_none() {
                self.next += 1;
            }
            self.sent += 1;
            self.open.insert(index, (now_us, self.sent, again.is_none()));
            wire.send(now_us, Side::Device, Segment::Data(index), stream[index].0 as usize);
        }
        let oldest_us = self.open.values().map(|(sent_us, ..)| *sent_us).min();
        oldest_us.map(|sent_us| sent_us + self.estimator.timer_ms() * 1000)
    }
}
