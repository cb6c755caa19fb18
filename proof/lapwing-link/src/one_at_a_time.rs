//! Block2 as others do it: one confirmable request, its answer, the next; here with a timer that fits the link.
//!
//! Touches: `lapwing_coap::Exchange`, OSCORE. It gives up a block never, so that every run has a figure.

use crate::air::Air;
use crate::artifact_server::{ArtifactServer, artifact};
use crate::endpoint::{Datagram, EMPTY_DATAGRAM, contexts};
use crate::fetching::write_request;
use crate::link::{Link, Side};
use crate::outcome::Outcome;
use lapwing_coap::oscore::Context;
use lapwing_coap::{
    Block, BlockSize, Estimator, Exchange, FIRST_TIMER_MS_NB_IOT, Heard, Kind, Message, MessageId, More,
    OptionNumber, Token, Turn,
};
use lapwing_core::Uptime;

/// The confirmable request that is open.
struct Open {
    exchange: Exchange,
    datagram: Vec<u8>,
    sequence: u64,
}

/// Fetches `size_bytes` over this air in blocks of `size`.
#[must_use]
pub fn fetch_one_at_a_time(air: Air, size_bytes: u32, size: BlockSize, seed: u64) -> Outcome {
    let (mut device, mut server_context) = contexts();
    let expected = artifact(size_bytes);
    let mut server = ArtifactServer::new(expected.clone());
    let mut link = Link::new(air, seed);
    let mut estimator = Estimator::new(FIRST_TIMER_MS_NB_IOT);
    let (mut stored, mut now_us, mut sent) = (Vec::new(), 0, 0_u64);
    let mut wanted = Some(Block::wanted(0, size));
    let mut open: Option<Open> = None;
    while let Some(block) = wanted {
        let now = Uptime(now_us / 1000);
        while let Some((to, mut datagram)) = link.receive(now_us) {
            match (to, &mut open) {
                (Side::Server, _) => {
                    let answer = server.answer_sealed(now, &mut server_context, &mut datagram);
                    answer.into_iter().for_each(|answer| link.send(now_us, Side::Device, &answer));
                }
                (Side::Device, Some(asked)) => {
                    let Some((bytes, got)) = asked.hear(now, &device, &mut datagram, &mut estimator) else {
                        continue;
                    };
                    stored.extend_from_slice(&bytes);
                    wanted = (got.more == More::Follows).then(|| Block::wanted(block.number + 1, size));
                    open = None;
                }
                (Side::Device, None) => {}
            }
        }
        let Some(block) = wanted else { break };
        let asked = open.get_or_insert_with(|| Open::new(&mut device, block, &estimator));
        let wake_us = match asked.exchange.poll(now) {
            Turn::Send => {
                sent += 1;
                link.send(now_us, Side::Server, &asked.datagram);
                continue;
            }
            Turn::Wait(until) => until.0 * 1000,
            Turn::Gone => {
                open = None;
                continue;
            }
        };
        let next_us = link.next_us().map_or(wake_us, |link_us| link_us.min(wake_us));
        now_us = next_us.max(now_us + 1);
    }
    let mut outcome = Outcome::of(&link, stored == expected, now_us);
    outcome.repeated_requests = sent - u64::from(size_bytes.div_ceil(size.bytes()));
    outcome
}

impl Open {
    #[expect(clippy::expect_used, reason = "a short request fits, and numbers are reserved")]
    fn new(device: &mut Context, block: Block, estimator: &Estimator) -> Self {
        let next = device.sequence.peek().expect("reserved");
        let [low, high, ..] = next.to_le_bytes();
        let id = MessageId(u16::from_le_bytes([low, high]));
        let plain = write_request(Kind::Confirmable, id, Token::EMPTY, block).expect("a short request");
        let mut sealed: Datagram = EMPTY_DATAGRAM;
        let (len, sequence) = device.seal_request(&plain, &mut sealed).expect("a short request");
        let exchange = Exchange::new(id, Token::EMPTY, estimator, 0);
        Self { exchange, datagram: sealed[..len].to_vec(), sequence }
    }

    /// The payload and its block, if this is the answer.
    fn hear(
        &mut self,
        now: Uptime,
        device: &Context,
        datagram: &mut [u8],
        estimator: &mut Estimator,
    ) -> Option<(Vec<u8>, Block)> {
        let heard = self.exchange.receive(now, &Message::parse(datagram).ok()?, estimator);
        if heard != Heard::Answer(None) {
            return None;
        }
        let mut plain: Datagram = EMPTY_DATAGRAM;
        let len = device.open_answer(self.sequence, datagram, &mut plain).ok()?;
        let answer = Message::parse(plain.get(..len)?).ok()?;
        let block = Block::decode(answer.options.first(OptionNumber::BLOCK2)?)?;
        Some((answer.payload.to_vec(), block))
    }
}
