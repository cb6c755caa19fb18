//! Fetches an artifact by many block requests at once: what to ask, what was lost, how wide the window is.
//!
//! Touches: `estimator`, `bitmap`, and `pace` for the window. Entered by a driver that sends, receives and
//! stores. Never: sends a block's request again while its answer may still come, or reads a clock.
//! Source: RFC 7959 section 2.4; docs/decisions/2026-11-21-windowed-block2.md.

use crate::bitmap::Bitmap;
use crate::block::{Block, BlockSize};
use crate::code::{Code, OptionNumber};
use crate::estimator::Estimator;
use crate::limits::{FRUITLESS_MAX, LATER_BLOCKS, WINDOW_LEAST, WINDOW_MAX};
use crate::message::Message;
use crate::pace::Pace;
use crate::representation::Etag;
use heapless::Vec;
use lapwing_core::Uptime;

/// A fetch under way.
#[derive(Debug)]
pub struct Fetch<S> {
    bitmap: Bitmap<S>,
    estimator: Estimator,
    pace: Pace,
    size: BlockSize,
    etag: Option<Etag>,
    in_flight: Vec<Request, WINDOW_MAX>,
    /// Timers that ran out in silence, and unusable answers, since the last good one.
    fruitless: u32,
    quiet_until: Uptime,
}

/// One request whose answer may still come.
#[derive(Debug, Clone, Copy)]
struct Request {
    sequence: u64,
    block: Block,
    sent: Uptime,
    /// What had arrived when it was sent, for the rate.
    delivered_bytes: u64,
    /// Requests sent after this one that were answered.
    later: u32,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask for this block in a non-confirmable message, and ask what is next again.
    Ask(Block),
    /// Nothing until then, or until something arrives.
    Wait(Uptime),
    /// Everything is there.
    Done,
    /// Nobody answers, or nothing that fits: another transport, or another time.
    Gone,
}

/// What an answer was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken<'a> {
    /// Store these bytes there, before the bitmap is saved.
    Store {
        /// Where in the artifact.
        offset_bytes: u32,
        /// A whole block, or the end of the artifact.
        bytes: &'a [u8],
    },
    /// To no open request: late, double, or forged.
    Unasked,
    /// Not usable; the block will be asked for again.
    Unusable,
    /// The server asks for patience; nothing is asked until it is over.
    Busy {
        /// As the server said, milliseconds.
        retry_after_ms: u64,
    },
    /// The server does not give this artifact, or another one under its name. The fetch is over, unless the
    /// caller can mend it: 4.01 with an Echo is mended by a request that brings it.
    Refused(Code),
}

/// Milliseconds of patience when a busy server names none (the default of Max-Age, RFC 7252 section 5.10.5).
const BUSY_MS: u64 = 60_000;

impl<S: AsRef<[u8]> + AsMut<[u8]>> Fetch<S> {
    /// Begins, or goes on where the bitmap says.
    #[must_use]
    pub const fn new(bitmap: Bitmap<S>, estimator: Estimator, size: BlockSize) -> Self {
        Self {
            bitmap,
            estimator,
            pace: Pace::new(),
            size,
            etag: None,
            in_flight: Vec::new(),
            fruitless: 0,
            quiet_until: Uptime(0),
        }
    }

    /// What to do now. A request that it asks for goes out as number `sequence`, which rises from call to
    /// call and by which its answer is known again: with OSCORE, the sequence number of the context.
    pub fn poll(&mut self, now: Uptime, sequence: u64) -> Next {
        self.run_timers(now);
        if self.fruitless >= FRUITLESS_MAX {
            return Next::Gone;
        }
        let open = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        let may_ask = open < self.pace.window() && self.quiet_until <= now;
        if let Some(block) = self.next_block().filter(|_| may_ask) {
            let delivered_bytes = self.pace.delivered_bytes();
            let request = Request { sequence, block, sent: now, delivered_bytes, later: 0 };
            if self.in_flight.push(request).is_ok() {
                return Next::Ask(block);
            }
        }
        if self.bitmap.is_complete() {
            return Next::Done;
        }
        Next::Wait(self.first_timer().unwrap_or(self.quiet_until))
    }

    /// As [`Self::poll`] while nothing more may be asked: what is open is still waited for, and then it is done.
    pub fn drain(&mut self, now: Uptime) -> Next {
        self.run_timers(now);
        self.first_timer().map_or(Next::Done, Next::Wait)
    }

    /// Takes the answer to request `sequence`.
    pub fn take<'a>(&mut self, now: Uptime, sequence: u64, answer: &Message<'a>) -> Taken<'a> {
        let Some(at) = self.in_flight.iter().position(|request| request.sequence == sequence) else {
            return Taken::Unasked;
        };
        let request = self.in_flight.swap_remove(at);
        self.estimator.answered(now.since(request.sent));
        match answer.code {
            Code::CONTENT => self.take_block(now, request, answer),
            Code::TOO_MANY_REQUESTS | Code::UNAVAILABLE => {
                let hint = answer.options.uint(OptionNumber::MAX_AGE);
                let retry_after_ms = hint.map_or(BUSY_MS, |seconds| u64::from(seconds).saturating_mul(1000));
                self.fruitless = 0;
                self.quiet_until = now.after(retry_after_ms);
                Taken::Busy { retry_after_ms }
            }
            code => Taken::Refused(code),
        }
    }

    /// Numbers of the requests whose answers may still come; of which a token of one byte tells them apart.
    pub fn unanswered(&self) -> impl Iterator<Item = u64> + use<'_, S> {
        self.in_flight.iter().map(|request| request.sequence)
    }

    /// The device sleeps, or the link is gone: answers to what is open will not be heard.
    pub fn forget_open_requests(&mut self) {
        self.in_flight.clear();
    }

    /// How long an answer to a request sent now will take, milliseconds: towards the end of an awake window
    /// a request whose answer comes too late is better not sent.
    #[must_use]
    pub fn expected_ms(&self) -> u64 {
        self.estimator.expected_ms()
    }

    /// What is there.
    #[must_use]
    pub const fn bitmap(&self) -> &Bitmap<S> {
        &self.bitmap
    }

    /// What was learnt about the link.
    #[must_use]
    pub const fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// Gives up the fetch and keeps what was learnt about the link.
    #[must_use]
    pub fn into_parts(self) -> (Bitmap<S>, Estimator) {
        (self.bitmap, self.estimator)
    }

    fn take_block<'a>(&mut self, now: Uptime, request: Request, answer: &Message<'a>) -> Taken<'a> {
        let value = answer.options.first(OptionNumber::BLOCK2).unwrap_or(&[]);
        let etag = answer.options.first(OptionNumber::ETAG).and_then(Etag::new);
        if let (Some(known), Some(etag)) = (self.etag, etag)
            && known != etag
        {
            return Taken::Refused(answer.code);
        }
        // Another size is fine, and smaller ones are the server's right; another place is not.
        let block = Block::decode(value)
            .filter(|block| block.offset() == request.block.offset())
            .filter(|block| (BlockSize::B512..=request.block.size).contains(&block.size));
        let part = block.and_then(|block| block.of_body(self.bitmap.size_bytes()));
        let Some((range, block)) = part.filter(|(range, _)| {
            answer.payload.len() as u64 == u64::from(range.end.saturating_sub(range.start))
        }) else {
            self.fruitless = self.fruitless.saturating_add(1);
            return Taken::Unusable;
        };
        self.fruitless = 0;
        self.etag = self.etag.or(etag);
        self.size = self.size.min(block.size);
        self.bitmap.set(block);
        let took_ms = now.since(request.sent);
        self.pace.answered(request.delivered_bytes, answer.payload.len() as u64, took_ms, &self.estimator);
        self.infer_losses(request.sequence);
        Taken::Store { offset_bytes: range.start, bytes: answer.payload }
    }

    /// Answers to three later requests: the earlier one is lost. Where no more will be sent, so many later ones as there
    /// are have to do (RFC 5827).
    fn infer_losses(&mut self, answered: u64) {
        let open = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        let enough = if self.next_block().is_none() { open.min(LATER_BLOCKS) } else { LATER_BLOCKS };
        self.in_flight.iter_mut().filter(|request| request.sequence < answered).for_each(|request| {
            request.later = request.later.saturating_add(1);
        });
        let before = self.in_flight.len();
        self.in_flight.retain(|request| request.later < enough);
        self.lost(before);
    }

    /// Timers that ran out. While other answers come, that is one more loss; in silence the window closes to
    /// one request and the timer doubles.
    fn run_timers(&mut self, now: Uptime) {
        let timer_ms = self.timer_ms();
        let before = self.in_flight.len();
        let delivered_bytes = self.pace.delivered_bytes();
        let overdue = |request: &Request| now.since(request.sent) >= timer_ms;
        let alone = |request: &Request| request.delivered_bytes == delivered_bytes;
        let silent = self.in_flight.iter().filter(|request| overdue(request) && alone(request)).count();
        self.in_flight.retain(|request| !overdue(request));
        if silent > 0 {
            // However many were open: a first window that is lost is no reason to give up.
            let silent = u32::try_from(silent).unwrap_or(u32::MAX).min(WINDOW_LEAST);
            self.fruitless = self.fruitless.saturating_add(silent);
            self.estimator.ran_out();
            self.pace.silence();
        }
        self.lost(before);
    }

    /// How long an answer may take: as the link has it, and behind a window of others.
    fn timer_ms(&self) -> u64 {
        self.estimator.timer_ms().max(self.pace.queue_ms())
    }

    /// When the first of the open requests is overdue.
    fn first_timer(&self) -> Option<Uptime> {
        let timer_ms = self.timer_ms();
        self.in_flight.iter().map(|request| request.sent.after(timer_ms)).min()
    }

    fn lost(&mut self, in_flight_before: usize) {
        for _ in self.in_flight.len()..in_flight_before {
            self.pace.lost();
        }
        if self.pace.is_lossy() {
            self.size = self.size.min(BlockSize::B512);
        }
    }

    /// The first missing block that nobody was asked for.
    fn next_block(&self) -> Option<Block> {
        let open = |number| {
            let wanted = Block::wanted(number, self.size);
            let end = |block: Block| block.offset().saturating_add(block.size.bytes());
            self.in_flight
                .iter()
                .any(|request| request.block.offset() < end(wanted) && wanted.offset() < end(request.block))
        };
        let number = self.bitmap.missing(self.size).find(|number| !open(*number))?;
        Some(Block::wanted(number, self.size))
    }
}
