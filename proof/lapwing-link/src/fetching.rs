//! A device that fetches with a window, over OSCORE, through sleep and changed addresses.
//!
//! Touches: `lapwing_coap::Fetch` as an agent would drive it: poll, send, receive, store. Time is the link's.

use crate::air::Air;
use crate::artifact_server::{ARTIFACT_PATH, ArtifactServer, artifact};
use crate::endpoint::{Datagram, EMPTY_DATAGRAM, contexts};
use crate::link::{Link, Side};
use crate::outcome::Outcome;
use lapwing_coap::oscore::Context;
use lapwing_coap::{
    Bitmap, Block, BlockSize, Code, Estimator, FIRST_TIMER_MS_NB_IOT, Fetch, Kind, Message, MessageId, Next,
    OptionNumber, Taken, Token, Writer,
};
use lapwing_core::Uptime;
use std::collections::BTreeSet;

/// A fetch that is not done by then has failed, virtual microseconds.
const PATIENCE_US: u64 = 24 * 3600 * 1_000_000;

/// The device and what it counts.
struct Device {
    context: Context,
    fetch: Fetch<Vec<u8>>,
    stored: Vec<u8>,
    asked: BTreeSet<u32>,
    late_answers: u64,
    repeated: u64,
    cuts: u64,
    repeated_per_cut_max: u64,
    /// Blocks that were open when it last fell asleep, and how many of them were asked for again.
    open_at_cut: BTreeSet<u32>,
    repeated_since_cut: u64,
}

/// Fetches `size_bytes` over this air.
#[must_use]
pub fn fetch_windowed(air: Air, size_bytes: u32, seed: u64) -> Outcome {
    let (device_context, mut server_context) = contexts();
    let expected = artifact(size_bytes);
    let mut server = ArtifactServer::new(expected.clone());
    let mut link = Link::new(air, seed);
    let mut device = Device::new(device_context, size_bytes);
    let mut now_us = 0;
    let mut was_awake = true;
    loop {
        let now = Uptime(now_us / 1000);
        let awake_until_ms = link.air.awake_until_ms(now.0);
        if was_awake && awake_until_ms.is_none() {
            device.fall_asleep();
        }
        was_awake = awake_until_ms.is_some();
        while let Some((to, mut datagram)) = link.receive(now_us) {
            match to {
                Side::Device => device.receive(now, &mut datagram),
                Side::Server => {
                    let answer = server.answer_sealed(now, &mut server_context, &mut datagram);
                    answer.into_iter().for_each(|answer| link.send(now_us, Side::Device, &answer));
                }
            }
        }
        let wake_us = match awake_until_ms {
            Some(until_ms) => {
                match device.ask(now, until_ms, |datagram| link.send(now_us, Side::Server, datagram)) {
                    Some(until_ms) => until_ms * 1000,
                    None => break,
                }
            }
            None => link.air.next_awake_ms(now.0) * 1000,
        };
        // A time in milliseconds may lie before the microsecond that it stands for.
        let next_us = link.next_us().map_or(wake_us, |link_us| link_us.min(wake_us));
        now_us = next_us.max(now_us + 1);
        if now_us > PATIENCE_US {
            break;
        }
    }
    let mut outcome = Outcome::of(&link, device.stored == expected, now_us);
    outcome.late_answers = device.late_answers;
    outcome.repeated_requests = device.repeated;
    outcome.cuts = device.cuts;
    outcome.repeated_per_cut_max = device.repeated_per_cut_max;
    outcome
}

impl Device {
    fn new(context: Context, size_bytes: u32) -> Self {
        Self {
            context,
            fetch: resume(vec![0; Bitmap::<Vec<u8>>::len_for(size_bytes)], size_bytes),
            stored: vec![0; size_bytes as usize],
            asked: BTreeSet::new(),
            late_answers: 0,
            repeated: 0,
            cuts: 0,
            repeated_per_cut_max: 0,
            open_at_cut: BTreeSet::new(),
            repeated_since_cut: 0,
        }
    }

    /// Sends what there is to ask; returns when to look again, or nothing when it is over.
    fn ask(&mut self, now: Uptime, awake_until_ms: u64, mut send: impl FnMut(&[u8])) -> Option<u64> {
        loop {
            let sequence = self.context.sequence.peek().ok()?;
            // An answer that comes after the window ends is better not asked for.
            let is_complete = self.fetch.bitmap().is_complete();
            if !is_complete && now.0 + self.fetch.expected_ms() >= awake_until_ms {
                return Some(awake_until_ms);
            }
            match self.fetch.poll(now, sequence) {
                Next::Ask(block) => {
                    let mut sealed: Datagram = EMPTY_DATAGRAM;
                    let plain = request(block, sequence);
                    let (len, _) = self.context.seal_request(&plain, &mut sealed).ok()?;
                    self.count(block);
                    send(sealed.get(..len)?);
                }
                Next::Wait(until) => return Some(until.0.min(awake_until_ms)),
                Next::Done | Next::Gone => return None,
            }
        }
    }

    fn count(&mut self, block: Block) {
        let offset = block.offset();
        if !self.asked.insert(offset) {
            self.repeated += 1;
        }
        if self.open_at_cut.remove(&offset) {
            self.repeated_since_cut += 1;
            self.repeated_per_cut_max = self.repeated_per_cut_max.max(self.repeated_since_cut);
        }
    }

    fn receive(&mut self, now: Uptime, datagram: &mut [u8]) {
        let Ok(outer) = Message::parse(datagram) else { return };
        let token = outer.token.as_bytes().first().copied();
        let sequence = self.fetch.unanswered().find(|sequence| Some(low_byte(*sequence)) == token);
        let Some(sequence) = sequence else {
            self.late_answers += 1;
            return;
        };
        let mut plain: Datagram = EMPTY_DATAGRAM;
        let Ok(len) = self.context.open_answer(sequence, datagram, &mut plain) else { return };
        let Some(Ok(answer)) = plain.get(..len).map(Message::parse) else { return };
        if let Taken::Store { offset_bytes, bytes } = self.fetch.take(now, sequence, &answer) {
            let place = self.stored.iter_mut().skip(offset_bytes as usize);
            place.zip(bytes).for_each(|(to, from)| *to = *from);
        }
    }

    /// It sleeps, and every second time its power fails meanwhile, so that only the bitmap goes on.
    fn fall_asleep(&mut self) {
        self.cuts += 1;
        self.repeated_since_cut = 0;
        let bitmap = self.fetch.bitmap();
        let missing = self
            .asked
            .iter()
            .filter(|offset| !bitmap.has_block(Block::wanted(**offset / 512, BlockSize::B512)));
        self.open_at_cut = missing.copied().collect();
        self.fetch.forget_open_requests();
        if self.cuts.is_multiple_of(2) {
            let (bits, size_bytes) = (self.fetch.bitmap().bits().to_vec(), self.fetch.bitmap().size_bytes());
            self.fetch = resume(bits, size_bytes);
        }
    }
}

/// A fetch that knows what is there and nothing of the link.
#[expect(clippy::expect_used, reason = "as many bits as the size needs")]
fn resume(bits: Vec<u8>, size_bytes: u32) -> Fetch<Vec<u8>> {
    let bitmap = Bitmap::resume(bits, size_bytes).expect("as many bits as it needs");
    Fetch::new(bitmap, Estimator::new(FIRST_TIMER_MS_NB_IOT), BlockSize::B1024)
}

const fn low_byte(sequence: u64) -> u8 {
    sequence.to_le_bytes()[0]
}

/// The plain request for a block. Its number is in the token, which a window of 32 tells apart by one byte.
#[expect(clippy::expect_used, reason = "a request of fifty bytes fits, its options rise")]
pub(crate) fn request(block: Block, sequence: u64) -> Vec<u8> {
    let [low, high, ..] = sequence.to_le_bytes();
    let (id, token) = (MessageId(u16::from_le_bytes([low, high])), Token::new(&[low]).unwrap_or_default());
    write_request(Kind::NonConfirmable, id, token, block).expect("a short request")
}

/// A GET for a block of the artifact.
pub(crate) fn write_request(
    kind: Kind,
    id: MessageId,
    token: Token,
    block: Block,
) -> Result<Vec<u8>, lapwing_coap::WriteError> {
    let mut out = vec![0; 64];
    let mut writer = Writer::new(&mut out, kind, Code::GET, id, token)?;
    writer.option(OptionNumber::URI_PATH, ARTIFACT_PATH.as_bytes())?;
    writer.uint(OptionNumber::BLOCK2, block.encode().unwrap_or(0))?;
    let len = writer.finish(&[])?;
    out.truncate(len);
    Ok(out)
}
