//! An artifact over CoAP: many block requests in flight, bytes as they come, in no order.
//!
//! Touches: `seal`, `socket`, the fetch of `lapwing_coap`. Holds one block and a bit for 512 bytes.
//! Never: hands out a byte that did not open, or asks for a block that is there.

use super::question::judge;
use super::seal::{ROOM, SecurityContext, token};
use super::socket::{Socket, addresses};
use crate::client::limits::BLOCK_AIR_BYTES;
use crate::client::{ExchangeError, Piece, ServerUrl, Wanted};
use lapwing_coap::{
    Bitmap, BlockSize, Code, Fetch, Kind, Message, Next, OptionNumber, Taken, WriteError, Writer,
};
use lapwing_core::{Digest, Uptime};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Characters of the digest that name an artifact: a device has one open offer.
const NAME_LEN: usize = 6;

/// A transfer under way.
pub(in crate::client) struct Fetching {
    seal: Arc<Mutex<SecurityContext>>,
    socket: Socket,
    fetch: Fetch<Vec<u8>>,
    name: String,
    stall_ms: u64,
    /// The last block that came, and what of it was not handed out yet.
    block: Vec<u8>,
    rest: Range<usize>,
    offset: u64,
}

impl Fetching {
    /// Goes on with what is missing.
    pub(in crate::client) fn begin(
        seal: &Arc<Mutex<SecurityContext>>,
        server: &ServerUrl,
        wanted: &Wanted<'_>,
        stall: Duration,
    ) -> Result<Self, ExchangeError> {
        let Wanted { artifact, size_bytes, have } = *wanted;
        let size_bytes = u32::try_from(size_bytes).map_err(|_| ExchangeError::Nonsense)?;
        let bitmap = Bitmap::resume(have.to_vec(), size_bytes).map_err(|_| ExchangeError::Nonsense)?;
        let (estimator, known, meter) = {
            let seal = lock(seal);
            (seal.estimator.clone(), seal.answered, seal.meter.clone())
        };
        let address = addresses(server, known)?.into_iter().next().ok_or(ExchangeError::Nonsense)?;
        Ok(Self {
            seal: Arc::clone(seal),
            socket: Socket::to(address, &meter)?,
            fetch: Fetch::new(bitmap, estimator, BlockSize::B1024),
            name: name(&artifact),
            stall_ms: u64::try_from(stall.as_millis()).unwrap_or(u64::MAX),
            block: Vec::new(),
            rest: 0..0,
            offset: 0,
        })
    }

    /// Fills some of `out`. Nothing is the end of the artifact, or of what it may
    /// cost: what was asked for is waited for, as long as it may.
    pub(in crate::client) fn read(&mut self, out: &mut [u8]) -> Result<Piece, ExchangeError> {
        if self.rest.is_empty() && !self.next_block()? {
            return Ok(Piece { offset: self.fetch.bitmap().size_bytes().into(), bytes: 0 });
        }
        let bytes = self.rest.len().min(out.len());
        let offset = self.offset + self.rest.start as u64;
        let from = self.block.get(self.rest.start..self.rest.start + bytes).unwrap_or_default();
        out.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        self.rest.start += bytes;
        Ok(Piece { offset, bytes })
    }

    /// Asks and listens until a block comes; false when there is none to come.
    fn next_block(&mut self) -> Result<bool, ExchangeError> {
        let began = lock(&self.seal).now();
        let mut datagram = ROOM;
        loop {
            // While somebody else was served answers came; before they are taken no timer may call them lost.
            while let Some(len) = self.socket.receive_ready(&mut datagram)? {
                if self.take(datagram.get_mut(..len).unwrap_or_default())? {
                    return Ok(true);
                }
            }
            let Some(until) = self.ask_for_more()? else { return Ok(false) };
            let (now, left_ms) = {
                let seal = lock(&self.seal);
                (seal.now(), seal.meter.left_ms())
            };
            if left_ms == 0 {
                return Ok(false);
            }
            if now.since(began) > self.stall_ms {
                return Err(ExchangeError::Timeout);
            }
            let patience = Duration::from_millis(until.since(now).min(self.stall_ms).min(left_ms));
            let Some(len) = self.socket.receive(&mut datagram, patience)? else { continue };
            if self.take(datagram.get_mut(..len).unwrap_or_default())? {
                return Ok(true);
            }
        }
    }

    /// Sends what may be sent; returns until when to listen, or nothing when there is nothing to come.
    fn ask_for_more(&mut self) -> Result<Option<Uptime>, ExchangeError> {
        let mut seal = lock(&self.seal);
        loop {
            let (number, now) = (seal.next_number()?, seal.now());
            let expected = (self.fetch.unanswered().count() as u64 + 1) * BLOCK_AIR_BYTES;
            // An answer that comes too late is better not asked for.
            let in_time = self.fetch.expected_ms() < seal.meter.left_ms();
            let next = match in_time && expected <= seal.meter.left_bytes() {
                true => self.fetch.poll(now, number),
                false => self.fetch.drain(now),
            };
            let block = match next {
                Next::Ask(block) => block,
                Next::Wait(until) => return Ok(Some(until)),
                Next::Done => return Ok(None),
                Next::Gone => return Err(ExchangeError::Timeout),
            };
            let mut sealed = ROOM;
            let name = self.name.as_bytes();
            let (len, _) = seal.seal(
                |out, id, echo| {
                    let mut writer = Writer::new(out, Kind::NonConfirmable, Code::GET, id, token(number))?;
                    writer.option(OptionNumber::URI_PATH, name)?;
                    writer.uint(OptionNumber::BLOCK2, block.encode().ok_or(WriteError::NoRoom)?)?;
                    if let Some(echo) = echo {
                        writer.option(OptionNumber::ECHO, echo)?;
                    }
                    writer.finish(&[])
                },
                &mut sealed,
            )?;
            self.socket.send(sealed.get(..len).unwrap_or_default())?;
        }
    }

    /// Takes a datagram; true if a block came.
    fn take(&mut self, datagram: &mut [u8]) -> Result<bool, ExchangeError> {
        let Ok(message) = Message::parse(datagram) else { return Ok(false) };
        let asked = self.fetch.unanswered().find(|number| token(*number) == message.token);
        let Some(number) = asked else { return Ok(false) };
        let (mut seal, mut plain) = (lock(&self.seal), ROOM);
        let opened = seal.open(number, datagram, &mut plain).and_then(|len| plain.get(..len));
        let Some(answer) = opened.and_then(|plain| Message::parse(plain).ok()) else { return Ok(false) };
        match self.fetch.take(seal.now(), number, &answer) {
            Taken::Store { offset_bytes, bytes } => {
                self.offset = offset_bytes.into();
                self.block.clear();
                self.block.extend_from_slice(bytes);
                self.rest = 0..bytes.len();
                Ok(!bytes.is_empty())
            }
            Taken::Unasked | Taken::Unusable => Ok(false),
            Taken::Refused(_) if seal.is_challenged => {
                // Whatever else is open will be answered in the same way.
                self.fetch.forget_open_requests();
                Ok(false)
            }
            Taken::Busy { .. } | Taken::Refused(_) => judge(&answer).and(Err(ExchangeError::Nonsense)),
        }
    }
}

/// The beginning of a digest as RFC 4648 section 5 spells it.
fn name(artifact: &Digest) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = artifact.as_bytes().iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digit = |at: usize| bits >> (58 - 6 * at) & 63;
    (0..NAME_LEN)
        .filter_map(|at| ALPHABET.get(usize::try_from(digit(at)).ok()?))
        .map(|byte| char::from(*byte))
        .collect()
}

fn lock(seal: &Mutex<SecurityContext>) -> MutexGuard<'_, SecurityContext> {
    seal.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Fetching {
    fn drop(&mut self) {
        // What was learnt about the link is good for the next exchange.
        lock(&self.seal).estimator = self.fetch.estimator().clone();
    }
}

impl fmt::Debug for Fetching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fetching {{ {} of {} }}",
            self.fetch.bitmap().leading_bytes(),
            self.fetch.bitmap().size_bytes()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_named_by_the_beginning_of_its_digest() {
        let mut digest = [0; 32];
        digest[..5].copy_from_slice(&[0xff, 0xef, 0x00, 0x10, 0x83]);
        assert_eq!(name(&Digest::from_bytes(digest)), "_-8AEI");
    }
}
