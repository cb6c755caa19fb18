//! One question, one answer, in as many blocks as they take.
//!
//! Touches: `seal`, `socket`. A confirmable message at a time, sent again until its answer comes or patience ends.
//! Never: goes on with a block that was not acknowledged.

use super::seal::{ROOM, Room, SecurityContext};
use super::socket::{Socket, addresses};
use crate::client::limits::RETRY_AFTER_MAX;
use crate::client::{ExchangeError, ServerUrl};
use lapwing_coap::{
    Block, BlockSize, Code, Exchange, Heard, Kind, Message, More, OptionNumber, Sent, Token, Turn, Upload,
    Wish, WriteError, Writer,
};
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

/// What is asked.
pub(in crate::client) struct Ask<'a> {
    pub(in crate::client) code: Code,
    pub(in crate::client) path: &'a [&'a str],
    /// To be called when there is more.
    pub(in crate::client) wish: Option<Wish>,
    pub(in crate::client) body: &'a [u8],
    /// Longest answer.
    pub(in crate::client) bytes_max: usize,
    /// Longest time for all of it.
    pub(in crate::client) timeout: Duration,
}

/// How often a server may want to see that a question is new.
const CHALLENGES_MAX: u8 = 2;

/// Asks, and gives the whole answer.
pub(in crate::client) fn ask(
    seal: &mut SecurityContext,
    server: &ServerUrl,
    question: &Ask<'_>,
) -> Result<Vec<u8>, ExchangeError> {
    let mut failure = ExchangeError::Nonsense;
    for address in addresses(server, seal.answered)? {
        match ask_at(seal, address, question) {
            // Nobody listens there, and said so.
            Err(error @ ExchangeError::Connection(_)) => failure = error,
            outcome => {
                seal.answered = Some(address);
                return outcome;
            }
        }
    }
    Err(failure)
}

fn ask_at(
    seal: &mut SecurityContext,
    address: SocketAddr,
    question: &Ask<'_>,
) -> Result<Vec<u8>, ExchangeError> {
    let mut line = Line::to(address, seal, question.timeout)?;
    let mut upload = Upload::new(question.body, BlockSize::B1024);
    let mut room = ROOM;
    let (first, mut body) = loop {
        let (block, bytes) = upload.block();
        let is_whole = block.number == 0 && block.more == More::Last;
        let write = |writer: &mut Writer<'_>| match block.encode().filter(|_| !is_whole) {
            None => Ok(()),
            Some(value) => writer.uint(OptionNumber::BLOCK1, value).map(drop),
        };
        let answer = line.exchange(question, &write, bytes, &mut room)?;
        match upload.take(&answer) {
            Sent::Next => {}
            // It happens to who was forgotten for others; once is enough for one question.
            Sent::Again => return Err(ExchangeError::Connection(ErrorKind::ConnectionReset)),
            Sent::Answered(_) => break (judge(&answer)?, answer.payload.to_vec()),
        }
    };
    let mut next = first;
    while let Some(wanted) = next {
        let write = |writer: &mut Writer<'_>| {
            let value = wanted.encode().ok_or(WriteError::NoRoom)?;
            writer.uint(OptionNumber::BLOCK2, value).map(drop)
        };
        let answer = line.exchange(question, &write, &[], &mut room)?;
        next = judge(&answer)?;
        let is_next = answer.options.first(OptionNumber::BLOCK2).and_then(Block::decode);
        if is_next.is_none_or(|block| block.number != wanted.number) || body.len() > question.bytes_max {
            return Err(ExchangeError::Nonsense);
        }
        body.extend_from_slice(answer.payload);
    }
    if body.len() > question.bytes_max { Err(ExchangeError::Nonsense) } else { Ok(body) }
}

/// An open line to a server.
pub(super) struct Line<'a> {
    seal: &'a mut SecurityContext,
    pub(super) socket: Socket,
    until_ms: u64,
    /// Of the last request.
    pub(super) number: u64,
}

impl<'a> Line<'a> {
    pub(super) fn to(
        address: SocketAddr,
        seal: &'a mut SecurityContext,
        timeout: Duration,
    ) -> Result<Self, ExchangeError> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let until_ms = seal.now().0.saturating_add(timeout_ms);
        let socket = Socket::to(address, &seal.meter)?;
        Ok(Self { seal, socket, until_ms, number: 0 })
    }

    /// One confirmable request and its answer, plain in `room`.
    pub(super) fn exchange<'r>(
        &mut self,
        question: &Ask<'_>,
        blocks: &dyn Fn(&mut Writer<'_>) -> Result<(), WriteError>,
        payload: &[u8],
        room: &'r mut Room,
    ) -> Result<Message<'r>, ExchangeError> {
        for _ in 0..CHALLENGES_MAX {
            let mut sealed = ROOM;
            let (len, number) = self.seal.seal(
                |out, id, echo| {
                    let mut writer = Writer::new(out, Kind::Confirmable, question.code, id, Token::EMPTY)?;
                    if let Some(wish) = question.wish {
                        writer.uint(OptionNumber::OBSERVE, wish.value())?;
                    }
                    for name in question.path {
                        writer.option(OptionNumber::URI_PATH, name.as_bytes())?;
                    }
                    blocks(&mut writer)?;
                    if let Some(echo) = echo {
                        writer.option(OptionNumber::ECHO, echo)?;
                    }
                    writer.finish(payload)
                },
                &mut sealed,
            )?;
            self.number = number;
            let len = self.await_answer(number, sealed.get(..len).unwrap_or_default(), room)?;
            if !self.seal.is_challenged {
                return Message::parse(room.get(..len).unwrap_or_default())
                    .map_err(|_| ExchangeError::Nonsense);
            }
        }
        Err(ExchangeError::Refused { status: 401 })
    }

    /// Sends until the answer comes; returns the bytes of the plain one.
    fn await_answer(&mut self, number: u64, sealed: &[u8], room: &mut Room) -> Result<usize, ExchangeError> {
        let id = Message::parse(sealed).map_err(|_| ExchangeError::Nonsense)?.id;
        // Devices that lost the same cell must not come back together.
        let jitter_permille = u16::try_from(RandomState::new().hash_one(number) % 1_000).unwrap_or(0);
        let mut exchange = Exchange::new(id, Token::EMPTY, &self.seal.estimator, jitter_permille);
        let mut datagram = ROOM;
        loop {
            let until = match exchange.poll(self.seal.now()) {
                Turn::Send => {
                    self.socket.send(sealed)?;
                    continue;
                }
                Turn::Wait(until) => until.0.min(self.until_ms),
                Turn::Gone => return Err(ExchangeError::Timeout),
            };
            let now = self.seal.now();
            if now.0 >= self.until_ms {
                return Err(ExchangeError::Timeout);
            }
            let patience = Duration::from_millis(until.saturating_sub(now.0));
            let Some(len) = self.socket.receive(&mut datagram, patience)? else { continue };
            let came = datagram.get_mut(..len).unwrap_or_default();
            let Ok(message) = Message::parse(came) else { continue };
            match exchange.receive(self.seal.now(), &message, &mut self.seal.estimator) {
                Heard::Answer(acknowledgement) => {
                    if let Some(acknowledgement) = acknowledgement {
                        self.socket.send(&acknowledgement)?;
                    }
                    if let Some(len) = self.seal.open(number, came, room) {
                        return Ok(len);
                    }
                }
                Heard::Reset => return Err(ExchangeError::Nonsense),
                Heard::Acknowledged | Heard::NotOurs => {}
            }
        }
    }
}

/// Sorts answers: the block that follows this one, if any does; come back later; or no.
pub(super) fn judge(answer: &Message<'_>) -> Result<Option<Block>, ExchangeError> {
    let code = answer.code;
    if code.class() == 2 {
        let block = answer.options.first(OptionNumber::BLOCK2).and_then(Block::decode);
        let follows = block.filter(|block| block.more == More::Follows);
        return Ok(follows.map(|block| Block::wanted(block.number.saturating_add(1), block.size)));
    }
    let status = u16::from(code.class()) * 100 + u16::from(code.0 & 0x1f);
    if code.class() == 5 || code == Code::TOO_MANY_REQUESTS || code == Code::REQUEST_INCOMPLETE {
        let seconds = answer.options.uint(OptionNumber::MAX_AGE).map(u64::from);
        let retry_after = seconds.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
        return Err(ExchangeError::Busy { status, retry_after });
    }
    Err(ExchangeError::Refused { status })
}
