//! What a check-in weighs on the air: real messages, really sealed, counted with their headers.
//!
//! Touches: the bytes of `formats/vectors`, OSCORE. A check-in is a POST to the root, so that it needs no path.

use crate::endpoint::{DEVICE_KID, Datagram, EMPTY_DATAGRAM, contexts};
use lapwing_coap::{Code, Kind, MessageId, Token, Writer};

/// Addresses and ports of IPv4 and UDP.
const IPV4_BYTES: usize = 28;

/// One kind of check-in, byte by byte.
#[derive(Debug, Clone)]
pub struct CheckIn {
    /// What is asked and answered.
    pub what: &'static str,
    /// Bytes of the check-in itself, and of its answer.
    pub message_bytes: [usize; 2],
    /// UDP payloads: sealed request and answer.
    pub datagram_bytes: [usize; 2],
    /// Both at the IP layer, IPv4.
    pub air_bytes: usize,
    /// The datagrams, as they would be captured.
    pub datagrams: [Vec<u8>; 2],
}

/// Every kind of check-in. The messages are golden vectors of the formats.
///
/// # Panics
/// If a vector is larger than a datagram.
#[must_use]
pub fn check_ins() -> Vec<CheckIn> {
    let idle = include_bytes!("../../../formats/vectors/check-in/idle.cbor").as_slice();
    let with_nonce = include_bytes!("../../../formats/vectors/check-in/with-nonce.cbor");
    let answers: [(_, &[u8], &[u8]); 5] = [
        ("nothing new", idle, include_bytes!("../../../formats/vectors/answer/nothing.cbor")),
        ("ask with a nonce", idle, include_bytes!("../../../formats/vectors/answer/ask-nonce.cbor")),
        ("signed status", with_nonce, include_bytes!("../../../formats/vectors/answer/status.cbor")),
        ("offer", with_nonce, include_bytes!("../../../formats/vectors/answer/offer.cbor")),
        (
            "offer with its release",
            with_nonce,
            include_bytes!("../../../formats/vectors/answer/offer-with-release.cbor"),
        ),
    ];
    answers.into_iter().map(|(what, asked, answered)| check_in(what, asked, answered)).collect()
}

#[expect(clippy::expect_used, reason = "vectors of known sizes, between two ends that know each other")]
fn check_in(what: &'static str, asked: &[u8], answered: &[u8]) -> CheckIn {
    let (mut device, mut server) = contexts();
    let plain = |kind, code, payload: &[u8]| {
        let mut out: Datagram = EMPTY_DATAGRAM;
        let writer = Writer::new(&mut out, kind, code, MessageId(1), Token::EMPTY);
        let len = writer.and_then(|writer| writer.finish(payload)).expect("a small message");
        out[..len].to_vec()
    };
    let (mut request, mut answer): (Datagram, Datagram) = (EMPTY_DATAGRAM, EMPTY_DATAGRAM);
    let question = plain(Kind::Confirmable, Code::POST, asked);
    let (len, sequence) = device.seal_request(&question, &mut request).expect("a small message");
    let request = request[..len].to_vec();
    let opened = server.open_request(&mut request.clone(), &mut EMPTY_DATAGRAM.clone());
    let opened = opened.expect("the server reads what the device sent");
    let reply = plain(Kind::Acknowledgement, Code::CHANGED, answered);
    let len = server.seal_answer(opened.ticket, &reply, &mut answer).expect("a small message");
    let answer = answer[..len].to_vec();
    let opened = device.open_answer(sequence, &mut answer.clone(), &mut EMPTY_DATAGRAM.clone());
    assert_eq!(opened, Ok(reply.len()), "and the device what the server sent");
    let datagram_bytes = [request.len(), answer.len()];
    CheckIn {
        what,
        message_bytes: [asked.len(), answered.len()],
        datagram_bytes,
        air_bytes: datagram_bytes.iter().map(|bytes| bytes + IPV4_BYTES).sum(),
        datagrams: [request, answer],
    }
}

const _: () = assert!(DEVICE_KID.len() == 3, "the figures are for ids of three bytes");
