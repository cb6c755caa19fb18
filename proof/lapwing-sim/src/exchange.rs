//! Exchanges with the server, over a network that may do anything to them.
//!
//! Touches: `crate::{network, server}`. Every exchange ends for the device by a reply or by a time-out;
//! replies may still come after that, or twice.

use crate::device::FRAME_BYTES;
use crate::program::Program;
use crate::server::{Reply, Request};
use crate::storage::DiskError;
use crate::told::Told;
use crate::world::{Exchange, Happening, Running, World};
use lapwing_device::{Effect, Fetched, Transfer, Trouble};

/// A link that goes away still delivers the reply that it cut short.
const LAST_REPLY_MS: u64 = 20;
/// How long the device waits for a reply.
const TIME_OUT_MS: u64 = 10_000;

impl World {
    /// Sends a request.
    pub(crate) fn ask_server(&mut self, effect: Effect, request: Request) {
        if let Request::CheckIn(bytes) | Request::Report(bytes) = &request {
            self.spend(bytes.len() as u64);
        }
        let Some(running) = &mut self.running else { return };
        running.exchanges += 1;
        running.open_exchanges.push(running.exchanges);
        if matches!(effect, Effect::Fetch(_)) {
            running.transfer = Some(running.exchanges);
        }
        let exchange = Exchange { life: running.life, number: running.exchanges, effect };
        let reaches = running.program != Program::DeafToServer && self.link_now();
        self.happens_in(TIME_OUT_MS, Happening::TimesOut(exchange));
        if let Some(delay_ms) = reaches.then(|| self.network.carry(self.now_ms, &mut self.rng)).flatten() {
            self.happens_in(delay_ms, Happening::Arrives(exchange, request));
        }
    }

    /// A request is at the server.
    pub(crate) fn arrives(&mut self, exchange: Exchange, request: &Request) {
        if self.server_down.iter().any(|gone| gone.contains(&self.now_ms)) {
            return;
        }
        let mut reply = self.server.answer(self.now_ms, request);
        self.narrate_reply(&reply);
        if self.cut_transfer(&mut reply) {
            return self.happens_in(LAST_REPLY_MS, Happening::Replied(exchange, reply));
        }
        let double = self.network.double;
        let copies = if self.rng.happens(double) { 2 } else { 1 };
        for _ in 0..copies {
            let Some(mut delay_ms) = self.network.carry(self.now_ms, &mut self.rng) else { continue };
            if self.rng.happens(self.network.late) {
                delay_ms += self.rng.below(3 * TIME_OUT_MS);
            }
            let mut copy = reply.clone();
            if let Reply::Answer(bytes) | Reply::Trust(_, bytes) | Reply::Bytes(_, bytes) = &mut copy {
                self.network.handle(bytes, &mut self.rng);
            }
            self.happens_in(delay_ms, Happening::Replied(exchange, copy));
        }
    }

    /// A transfer may end early. Says whether it was the last thing that gets through.
    fn cut_transfer(&mut self, reply: &mut Reply) -> bool {
        let Reply::Bytes(from, bytes) = reply else { return false };
        if self.rng.happens(self.network.cut) {
            let left = self.rng.below(bytes.len() as u64 + 1);
            bytes.truncate(usize::try_from(left).unwrap_or(0));
        }
        let size = self.server.releases.iter().flat_map(|known| known.deltas.values().chain([&known.full]));
        let size = size.map(Vec::len).filter(|len| *len as u64 >= *from).max().unwrap_or(0) as u64;
        if let Some(percent) = self.network.gone_at_percent {
            let stop = size * percent / 100;
            if *from + bytes.len() as u64 >= stop {
                bytes.truncate(usize::try_from(stop.saturating_sub(*from)).unwrap_or(0));
                self.network.gone_at_percent = None;
                self.lose_link(3_600_000);
                self.say("network", || format!("gone at {percent} percent"));
                return true;
            }
        }
        false
    }

    /// A reply is at the device.
    pub(crate) fn replied(&mut self, exchange: Exchange, reply: Reply) {
        if self.disk.point() == Err(DiskError::PowerLost) {
            return self.cut_here();
        }
        if let Some(running) = &mut self.running {
            running.open_exchanges.retain(|open| *open != exchange.number);
            if running.is_stale(exchange) {
                return;
            }
        }
        if let Reply::Answer(bytes) | Reply::Trust(_, bytes) | Reply::Bytes(_, bytes) = &reply {
            self.spend(bytes.len() as u64);
        }
        self.tell_spent();
        let told = match (exchange.effect, reply) {
            (effect, Reply::Refused) => Told::Failed(effect, Trouble::Refused),
            (effect, Reply::Busy(retry_after_ms)) => {
                Told::Failed(effect, Trouble::Link { retry_after_ms: Some(retry_after_ms) })
            }
            (_, Reply::Answer(bytes)) => Told::Answered(bytes),
            (Effect::Report { up_to }, Reply::Acknowledged) => Told::Reported(up_to),
            (_, Reply::Trust(document, bytes)) => Told::TrustFetched(document, bytes),
            (Effect::Fetch(transfer), Reply::Bytes(from, bytes)) => self.range_came(&transfer, from, &bytes),
            (_, Reply::Bytes(..) | Reply::Acknowledged) => return,
        };
        self.tell(told);
    }

    /// Bytes cross the link, if anybody counts them: on no day of the device more than its budget.
    fn spend(&mut self, bytes: u64) {
        let (Some(limit), Some(running)) = (self.settings.budget.day_bytes, &self.running) else { return };
        let day = running.brain.record().ledger.map_or(0, |ledger| ledger.day);
        let bytes = bytes + FRAME_BYTES;
        self.spent_bytes += bytes;
        let spent = self.spent_on.entry(day).or_default();
        *spent += bytes;
        if *spent > limit {
            let spent = *spent;
            self.violate(format!("{spent} bytes crossed the link on a day for {limit}"));
        }
    }

    /// What crossed is told before what it brought.
    fn tell_spent(&mut self) {
        let bytes = core::mem::take(&mut self.spent_bytes);
        if bytes > 0 {
            self.tell(Told::Spent(bytes));
        }
    }

    fn range_came(&mut self, transfer: &Transfer, from: u64, bytes: &[u8]) -> Told {
        let told = self.range_arrived(transfer, from, bytes);
        if let Told::Fetched(Fetched::WrongDigest) = told {
            self.say("device", || "the artifact has a wrong digest".to_owned());
        }
        told
    }

    pub(crate) fn times_out(&mut self, exchange: Exchange) {
        let Some(running) = &mut self.running else { return };
        let open = running.open_exchanges.len();
        running.open_exchanges.retain(|known| *known != exchange.number);
        if running.open_exchanges.len() < open && !running.is_stale(exchange) {
            self.failed_exchanges += 1;
            self.tell_spent();
            self.tell(Told::Failed(exchange.effect, Trouble::Link { retry_after_ms: None }));
        }
    }
}

impl Running {
    /// Whether this is about a transfer that another one replaced; else its transfer has ended.
    fn is_stale(&mut self, exchange: Exchange) -> bool {
        let transfer = matches!(exchange.effect, Effect::Fetch(_));
        if transfer && self.transfer == Some(exchange.number) {
            self.transfer = None;
            return false;
        }
        transfer
    }
}
