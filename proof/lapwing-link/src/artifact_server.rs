//! A server that gives one artifact in blocks, sealed or plain: no state but what RFC 7252 asks to keep.
//!
//! Touches: `lapwing_coap`. Never: waits, or knows the link.

use crate::endpoint::{Datagram, EMPTY_DATAGRAM};
use crate::numbers::Numbers;
use lapwing_coap::oscore::Context;
use lapwing_coap::{
    Code, Entry, Etag, Kind, Message, MessageId, OptionNumber, Part, Peer, Recent, Representation,
    WriteError, Writer, empty, reset_for,
};
use lapwing_core::Uptime;

/// Options that this server understands.
const KNOWN: &[OptionNumber] =
    &[OptionNumber::URI_HOST, OptionNumber::URI_PORT, OptionNumber::URI_PATH, OptionNumber::BLOCK2];

/// An artifact under its path.
#[derive(Debug)]
pub struct ArtifactServer {
    artifact: Vec<u8>,
    recent: Recent<Vec<Entry>>,
    next_id: u16,
}

/// `size_bytes` of what does not repeat.
#[must_use]
pub fn artifact(size_bytes: u32) -> Vec<u8> {
    let mut numbers = Numbers::new(u64::from(size_bytes));
    (0..size_bytes).map(|_| numbers.number().to_le_bytes()[0]).collect()
}

/// Where it is: the beginning of its digest. Six characters of base64url tell apart what a device was offered.
pub const ARTIFACT_PATH: &str = "q83vEj";

impl ArtifactServer {
    /// A server of this artifact.
    #[must_use]
    pub fn new(artifact: Vec<u8>) -> Self {
        Self { artifact, recent: Recent::new(vec![Entry::default(); 64]), next_id: 0 }
    }

    /// Answers a sealed datagram; nothing if there is nothing to say.
    pub fn answer_sealed(
        &mut self,
        now: Uptime,
        context: &mut Context,
        datagram: &mut [u8],
    ) -> Option<Vec<u8>> {
        let message = Message::parse(datagram).ok()?;
        let (kind, id) = (message.kind, message.id);
        if let Some(answer) =
            self.recent.answer(now, Peer::default(), id).filter(|_| kind == Kind::Confirmable)
        {
            return Some(answer.to_vec());
        }
        let (mut plain, mut out, mut sealed): (Datagram, Datagram, Datagram) =
            (EMPTY_DATAGRAM, EMPTY_DATAGRAM, EMPTY_DATAGRAM);
        let opened = context.open_request(datagram, &mut plain).ok()?;
        let request = Message::parse(plain.get(..opened.len)?).ok()?;
        let len = self.write_answer(&request, &mut out).ok()?;
        let len = context.seal_answer(opened.ticket, out.get(..len)?, &mut sealed).ok()?;
        if kind == Kind::Confirmable {
            self.recent.keep(now, Peer::default(), id, sealed.get(..len)?);
        }
        Some(sealed.get(..len)?.to_vec())
    }

    /// Answers a plain datagram; nothing if there is nothing to say. A block is safe to give twice, so nothing
    /// is kept.
    pub fn answer_plain(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let Ok(request) = Message::parse(datagram) else {
            return reset_for(datagram).map(|reset| reset.to_vec());
        };
        if request.code == Code::EMPTY && request.kind == Kind::Confirmable {
            return Some(empty(Kind::Reset, request.id).to_vec());
        }
        if !request.code.is_request() || matches!(request.kind, Kind::Acknowledgement | Kind::Reset) {
            return None;
        }
        let mut out: Datagram = EMPTY_DATAGRAM;
        let len = self.write_answer(&request, &mut out).ok()?;
        Some(out.get(..len)?.to_vec())
    }

    fn write_answer(&mut self, request: &Message<'_>, out: &mut [u8]) -> Result<usize, WriteError> {
        let representation = self.representation();
        let part = match request.code {
            _ if request.options.unknown_critical(KNOWN).is_some() => Part::Refused(Code::BAD_OPTION),
            _ if !is_here(request) => Part::Refused(Code::NOT_FOUND),
            Code::GET => representation.part(request),
            _ => Part::Refused(Code::METHOD_NOT_ALLOWED),
        };
        let (kind, id) = match request.kind {
            Kind::Confirmable => (Kind::Acknowledgement, request.id),
            _ => {
                self.next_id = self.next_id.wrapping_add(1);
                (Kind::NonConfirmable, MessageId(self.next_id))
            }
        };
        let mut writer = Writer::new(out, kind, part.code(), id, request.token)?;
        representation.write_options(&mut writer, &part, request)?;
        let payload = match &part {
            Part::Content(range, _) => self.artifact.get(range.start as usize..range.end as usize),
            Part::Unchanged | Part::Refused(_) => None,
        };
        writer.finish(payload.unwrap_or(&[]))
    }

    #[expect(clippy::expect_used, reason = "a constant of two bytes")]
    fn representation(&self) -> Representation {
        let size_bytes = u32::try_from(self.artifact.len()).unwrap_or(u32::MAX);
        let etag = Etag::new(b"\xab\xcd").expect("two bytes");
        Representation { size_bytes, etag, max_age_s: lapwing_coap::MAX_AGE_S_UNSAID }
    }
}

fn is_here(request: &Message<'_>) -> bool {
    request.options.all(OptionNumber::URI_PATH).eq([ARTIFACT_PATH.as_bytes()])
}
