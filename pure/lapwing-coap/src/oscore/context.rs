//! A security context at work: seals plain messages and opens sealed ones.
//!
//! Touches: AES-CCM, `keys`, `replay`, `sequence`. Never: hands out a byte of a message that is forged, or
//! seals two messages under one nonce. Source: RFC 8613 sections 4, 5 and 8.

use crate::code::{Code, OptionNumber};
use crate::message::{Message, ParseError, WriteError, Writer};
use crate::options::Options;
use crate::oscore::header::Header;
use crate::oscore::keys::{ALGORITHM, CborArray, Keys, Kid, NONCE_BYTES};
use crate::oscore::replay::{Replay, Verdict};
use crate::oscore::sequence::{Reserve, Sequence};
use aes::Aes128;
use ccm::aead::{AeadInOut, KeyInit, array::Array};
use ccm::consts::{U8, U13};

type Cipher = ccm::Ccm<Aes128, U8, U13>;
const TAG_BYTES: usize = 8;

/// One side of a security context.
#[derive(Debug)]
pub struct Context {
    keys: Keys,
    /// Numbers of the messages that this side seals.
    pub sequence: Sequence,
    /// Numbers of the requests that the other side sealed.
    pub replay: Replay,
}

/// The right to one answer to an opened request. An answer to a fresh request is sealed under the request's
/// nonce, at no cost; spending the ticket keeps that from happening twice. Others get a nonce of their own.
#[derive(Debug)]
pub struct Ticket {
    sequence: u64,
    freshness: Freshness,
}

/// Why a message was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sequence numbers have to be reserved first.
    #[error(transparent)]
    Reserve(Reserve),
    /// The plain message is none, or the sealed one does not fit.
    #[error("seal a well-formed message into a larger buffer")]
    Message,
}

impl From<WriteError> for SealError {
    fn from(_: WriteError) -> Self {
        Self::Message
    }
}

/// Why a message was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not sealed, or not well formed: a request gets 4.02.
    #[error("not a sealed message")]
    Malformed,
    /// It names another context: a request gets 4.01.
    #[error("sealed for another context")]
    OtherContext,
    /// It was changed on its way, or sealed with another key: a request gets 4.00, an answer silence.
    #[error("forged or damaged")]
    Forged,
    /// Its number was used before: a request gets 4.01.
    #[error("replayed")]
    Replayed,
    /// The plain message does not fit into the buffer.
    #[error("a larger buffer is needed")]
    NoRoom,
}

impl From<ParseError> for OpenError {
    fn from(_: ParseError) -> Self {
        Self::Malformed
    }
}

impl From<WriteError> for OpenError {
    fn from(_: WriteError) -> Self {
        Self::NoRoom
    }
}

/// Whether an opened request may be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It may.
    Fresh,
    /// Nothing is known since this start: answer 4.01 with an Echo option. Once a request brings a good Echo,
    /// [`Replay::record`] its number and act on it.
    Unknown,
}

/// An opened request, plain in the caller's buffer.
#[derive(Debug)]
pub struct Opened {
    /// Bytes of the plain message.
    pub len: usize,
    /// Its number, which wake-up calls are bound to.
    pub sequence: u64,
    /// Whether it may be acted on.
    pub freshness: Freshness,
    /// To be spent on its answer.
    pub ticket: Ticket,
}

impl Context {
    /// A context at the beginning of this start.
    #[must_use]
    pub const fn new(keys: Keys, sequence: Sequence, replay: Replay) -> Self {
        Self { keys, sequence, replay }
    }

    /// Seals a plain request; returns the bytes written and the number that its answer is bound to.
    ///
    /// # Errors
    /// [`SealError`]; a number is used up only if it was taken.
    pub fn seal_request(&mut self, plain: &[u8], out: &mut [u8]) -> Result<(usize, u64), SealError> {
        let sequence = self.sequence.take().map_err(SealError::Reserve)?;
        let (kid, key) = &self.keys.sender;
        let piv = sequence.to_be_bytes();
        let piv = minimal(&piv);
        let id_context = self.keys.announced.as_deref();
        let header = Header { piv: Some(piv), id_context, kid: Some(kid.as_bytes()) };
        let sealing = Sealing { key, nonce: self.keys.nonce(kid, piv), aad: aad(kid, piv), header };
        Ok((sealing.seal(plain, out)?, sequence))
    }

    /// Seals the plain answer to an opened request; returns the bytes written.
    ///
    /// # Errors
    /// [`SealError`]; the ticket is spent. Reserve numbers before answering what is not known to be fresh.
    pub fn seal_answer(&mut self, ticket: Ticket, plain: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        let Ticket { sequence, freshness: Freshness::Fresh } = ticket else {
            return self.seal_call(ticket.sequence, plain, out);
        };
        let (asker, piv) = (&self.keys.recipient.0, sequence.to_be_bytes());
        let piv = minimal(&piv);
        let (nonce, aad) = (self.keys.nonce(asker, piv), aad(asker, piv));
        let header = Header { piv: None, id_context: None, kid: None };
        Sealing { key: &self.keys.sender.1, nonce, aad, header }.seal(plain, out)
    }

    /// Seals a wake-up call, which answers the registration `sequence` once more, under a nonce of its own;
    /// returns the bytes written.
    ///
    /// # Errors
    /// [`SealError`]; a number is used up only if it was taken.
    pub fn seal_call(&mut self, sequence: u64, plain: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        let own = self.sequence.take().map_err(SealError::Reserve)?.to_be_bytes();
        let own = minimal(&own);
        let (kid, key) = &self.keys.sender;
        let aad = aad(&self.keys.recipient.0, minimal(&sequence.to_be_bytes()));
        let header = Header { piv: Some(own), id_context: None, kid: None };
        Sealing { key, nonce: self.keys.nonce(kid, own), aad, header }.seal(plain, out)
    }

    /// Opens a sealed request into `out`. `datagram` is spent. A fresh number is recorded, so that the same
    /// request is opened once.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is recorded then.
    pub fn open_request(&mut self, datagram: &mut [u8], out: &mut [u8]) -> Result<Opened, OpenError> {
        let message = Message::parse(datagram)?;
        let value = message.options.first(OptionNumber::OSCORE).ok_or(OpenError::Malformed)?;
        let header = Header::parse(value).map_err(|_| OpenError::Malformed)?;
        let (kid, key) = &self.keys.recipient;
        let (Some(sequence), Some(piv), Some(of)) = (header.sequence(), header.piv, header.kid) else {
            return Err(OpenError::Malformed);
        };
        if of != kid.as_bytes() {
            return Err(OpenError::OtherContext);
        }
        let verdict = self.replay.judge(sequence);
        if verdict == Verdict::Replayed {
            return Err(OpenError::Replayed);
        }
        let (nonce, aad) = (self.keys.nonce(kid, piv), aad(kid, piv));
        let len = open(key, &nonce, &aad, None, datagram, out)?;
        let freshness = match verdict {
            Verdict::Unknown => Freshness::Unknown,
            Verdict::Fresh | Verdict::Replayed => {
                self.replay.record(sequence);
                Freshness::Fresh
            }
        };
        Ok(Opened { len, sequence, freshness, ticket: Ticket { sequence, freshness } })
    }

    /// Opens the sealed answer to request `sequence` into `out`; returns the bytes of the plain message.
    /// `datagram` is spent. The caller takes one answer to a request; of wake-up calls, which carry their
    /// number as the value of Observe, those that are newer than the last.
    ///
    /// # Errors
    /// [`OpenError`]: ignore the datagram.
    pub fn open_answer(
        &self,
        sequence: u64,
        datagram: &mut [u8],
        out: &mut [u8],
    ) -> Result<usize, OpenError> {
        let message = Message::parse(datagram)?;
        let value = message.options.first(OptionNumber::OSCORE).ok_or(OpenError::Malformed)?;
        let header = Header::parse(value).map_err(|_| OpenError::Malformed)?;
        let (asker, piv) = (&self.keys.sender.0, sequence.to_be_bytes());
        let (piv, (own_kid, key)) = (minimal(&piv), &self.keys.recipient);
        let nonce =
            header.piv.map_or_else(|| self.keys.nonce(asker, piv), |own| self.keys.nonce(own_kid, own));
        let (aad, call) = (aad(asker, piv), header.sequence());
        open(key, &nonce, &aad, call, datagram, out)
    }
}

/// Without leading zeros; zero is one byte.
fn minimal(sequence: &[u8; 8]) -> &[u8] {
    let zeros = sequence.iter().take(7).take_while(|byte| **byte == 0).count();
    sequence.get(zeros..).unwrap_or(&[])
}

/// What is authenticated beside the message itself (section 5.4): the request it belongs to.
fn aad(kid: &Kid, piv: &[u8]) -> CborArray<32> {
    let mut external = CborArray::<24>::of(5);
    external.push(&[1, 0x81, ALGORITHM]);
    external.bytes(kid.as_bytes());
    external.bytes(piv);
    external.bytes(&[]);
    let mut structure = CborArray::of(3);
    structure.push(b"\x68Encrypt0\x40");
    structure.bytes(&external.0);
    structure
}

/// Everything that a message is sealed with.
struct Sealing<'a> {
    key: &'a [u8; 16],
    nonce: [u8; NONCE_BYTES],
    aad: CborArray<32>,
    header: Header<'a>,
}

impl Sealing<'_> {
    fn seal(&self, plain: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        let message = Message::parse(plain).map_err(|_| SealError::Message)?;
        let observes = message.options.first(OptionNumber::OBSERVE).is_some();
        let outer_code = match (message.code.is_request(), observes) {
            (true, false) => Code::POST,
            (true, true) => Code::FETCH,
            (false, false) => Code::CHANGED,
            (false, true) => Code::CONTENT,
        };
        let mut outer = Writer::new(out, message.kind, outer_code, message.id, message.token)?;
        for (number, value) in message.options.iter().filter(|(number, _)| is_outer(*number)) {
            outer.option(number, value)?;
        }
        outer.option(OptionNumber::OSCORE, &self.header.encode().ok_or(SealError::Message)?)?;
        let (begin, room) = outer.payload_room()?;
        let mut inner = Writer::inner(room, message.code)?;
        let is_call = observes && message.code.is_answer();
        for (number, value) in message.options.iter().filter(|(number, _)| !is_routing(*number)) {
            // The order of wake-up calls is that of their sequence numbers.
            let value = if is_call && number == OptionNumber::OBSERVE { &[] } else { value };
            inner.option(number, value)?;
        }
        let inner_len = inner.finish(message.payload)?;
        let (text, rest) = room.split_at_mut_checked(inner_len).ok_or(SealError::Message)?;
        let tag = Cipher::new(&Array(*self.key))
            .encrypt_inout_detached(&Array(self.nonce), &self.aad.0, text.into())
            .map_err(|_| SealError::Message)?;
        rest.get_mut(..TAG_BYTES).ok_or(SealError::Message)?.copy_from_slice(&tag);
        Ok(begin.saturating_add(inner_len).saturating_add(TAG_BYTES))
    }
}

/// Opens the payload in place and writes the plain message, with the outer options that stay readable.
fn open(
    key: &[u8; 16],
    nonce: &[u8; NONCE_BYTES],
    aad: &CborArray<32>,
    call: Option<u64>,
    datagram: &mut [u8],
    out: &mut [u8],
) -> Result<usize, OpenError> {
    let message = Message::parse(datagram)?;
    let (kind, id, token) = (message.kind, message.id, message.token);
    let head_len = datagram.len().saturating_sub(message.payload.len());
    let (head, sealed) = datagram.split_at_mut_checked(head_len).ok_or(OpenError::Malformed)?;
    let text_len = sealed.len().checked_sub(TAG_BYTES).ok_or(OpenError::Malformed)?;
    let (text, tag) = sealed.split_at_mut_checked(text_len).ok_or(OpenError::Malformed)?;
    let tag = <[u8; TAG_BYTES]>::try_from(&*tag).map_err(|_| OpenError::Malformed)?;
    Cipher::new(&Array(*key))
        .decrypt_inout_detached(&Array(*nonce), &aad.0, (&mut *text).into(), &Array(tag))
        .map_err(|_| OpenError::Forged)?;
    // Behind the marker there was something, or it would have been malformed.
    let outer = Message::parse(head.get(..head_len.saturating_sub(1)).ok_or(OpenError::Malformed)?)?;
    let (&code, inner) = text.split_first().ok_or(OpenError::Malformed)?;
    let (inner, payload) = Options::split(inner).map_err(|_| OpenError::Malformed)?;
    let mut outer =
        outer.options.iter().filter(|(number, _)| is_routing(*number) && is_outer(*number)).peekable();
    let mut writer = Writer::new(out, kind, Code(code), id, token)?;
    for (number, value) in inner.iter().filter(|(number, _)| !is_routing(*number)) {
        while let Some((before, value)) = outer.next_if(|(before, _)| *before < number) {
            writer.option(before, value)?;
        }
        match call.filter(|_| number == OptionNumber::OBSERVE) {
            Some(sequence) => writer.uint(number, u32::try_from(sequence & 0xff_ffff).unwrap_or(0))?,
            None => writer.option(number, value)?,
        };
    }
    for (number, value) in outer {
        writer.option(number, value)?;
    }
    Ok(writer.finish(payload)?)
}

/// Options that those on the way must read (class U, section 4.1.2), and Observe, which is in both places.
const fn is_outer(number: OptionNumber) -> bool {
    matches!(number, OptionNumber::URI_HOST | OptionNumber::OBSERVE | OptionNumber::URI_PORT)
}

/// Options that are outside only.
const fn is_routing(number: OptionNumber) -> bool {
    matches!(number, OptionNumber::URI_HOST | OptionNumber::URI_PORT | OptionNumber::OSCORE)
}
