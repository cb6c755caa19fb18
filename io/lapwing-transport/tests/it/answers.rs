//! What the client makes of answers, good and bad.

use crate::server::{Network, who};
use lapwing_core::Digest;
use lapwing_transport::client::limits::BLOCK_BYTES;
use lapwing_transport::client::{ExchangeError, Piece, PlainHttp, Wanted};
use std::io::ErrorKind;
use std::time::Duration;

const URL: &str = "http://127.0.0.1:1";

fn checked_in(answer: &str) -> Result<Vec<u8>, ExchangeError> {
    let network = Network::default().with(URL, answer, None);
    network.client(&[URL], PlainHttp::LoopbackOnly).check_in(&[], &who(), b"check-in")
}

#[test]
fn statuses_are_an_answer_a_later_or_a_no() {
    assert_eq!(checked_in("HTTP/1.1 200 OK\nContent-Length: 3\n\nyes").unwrap(), b"yes");
    for (status, wait) in
        [("503 Busy", Some(9)), ("429 Slow", Some(9)), ("500 Broken", None), ("408 Late", None)]
    {
        let hint = wait.map_or(String::new(), |seconds| format!("Retry-After: {seconds}\n"));
        let error = checked_in(&format!("HTTP/1.1 {status}\n{hint}Content-Length: 0\n\n")).unwrap_err();
        assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{status}");
        assert!(!error.is_refusal());
    }
    for status in ["400 Bad", "401 Who", "403 No", "404 What", "409 Other", "301 There"] {
        let error = checked_in(&format!("HTTP/1.1 {status}\nLocation: http://x\nContent-Length: 0\n\n"));
        assert!(error.unwrap_err().is_refusal(), "{status}");
    }
}

#[test]
fn an_answer_that_ends_early_or_never_is_none() {
    for answer in
        ["", "HTTP", "HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\nContent-Length: 3\n\nye", "NONSENSE\n\n"]
    {
        let error = checked_in(answer).unwrap_err();
        assert!(!error.is_refusal(), "{answer}: {error}");
    }
    let huge = format!("HTTP/1.1 200 OK\nContent-Length: 5000\n\n{}", "x".repeat(5_000));
    assert_eq!(checked_in(&huge), Err(ExchangeError::Nonsense));
    let head = format!("HTTP/1.1 200 OK\nX: {}\n\n", "x".repeat(100_000));
    assert!(checked_in(&head).is_err());
}

#[test]
fn the_next_server_is_asked_when_one_is_not_there_and_stays_the_first() {
    let urls = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"];
    let network = Network::default().with(urls[1], "HTTP/1.1 503 Busy\nContent-Length: 0\n\n", None).with(
        urls[2],
        "HTTP/1.1 204 Done\n\n",
        None,
    );
    let client = network.client(&urls, PlainHttp::LoopbackOnly);
    for _ in 0..2 {
        client.report(&[], &who(), b"report").unwrap();
    }
    let heard: Vec<String> = network.heard().into_iter().map(|(server, _)| server).collect();
    assert_eq!(heard, [urls[1], urls[2], urls[2]]);
}

#[test]
fn nobody_there_is_a_failed_connection() {
    let refused = Network::default().client(&[URL], PlainHttp::LoopbackOnly).root(&[], 1);
    assert_eq!(refused, Err(ExchangeError::Connection(ErrorKind::ConnectionRefused)));
}

/// An artifact's blocks, each of one digit.
fn blocks(digits: &str) -> String {
    let block = usize::try_from(BLOCK_BYTES).unwrap();
    digits.chars().map(|digit| digit.to_string().repeat(block)).collect()
}

/// The head of an answer, and the body of these blocks.
fn answer(head: &str, digits: &str) -> String {
    let body = blocks(digits);
    format!("{head}\nContent-Length: {}\n\n{body}", body.len())
}

/// The blocks that a fetch gets out of this answer which has the first `held` of ten.
fn fetched(answer: &str, held: u32) -> Result<String, ExchangeError> {
    let network = Network::default().with(URL, answer, None);
    let client = network.client(&[URL], PlainHttp::LoopbackOnly);
    let [low, high, ..] = ((1_u32 << held) - 1).to_le_bytes();
    let wanted =
        Wanted { artifact: Digest::of(b"artifact"), size_bytes: 10 * BLOCK_BYTES, have: &[low, high] };
    let mut bytes = client.artifact(&[], &who(), &wanted)?;
    let (mut all, mut room) = (Vec::new(), [0; 300]);
    loop {
        let Piece { offset, bytes } = bytes.read(&mut room)?;
        assert_eq!(offset, u64::from(held) * BLOCK_BYTES + all.len() as u64);
        if bytes == 0 {
            return Ok(String::from_utf8(all).unwrap());
        }
        all.extend(&room[..bytes]);
    }
}

#[test]
fn a_range_begins_where_it_was_asked_to_whatever_the_server_sends() {
    let part = answer("HTTP/1.1 206 Part\nContent-Range: bytes 2048-5119/5120", "456789");
    assert_eq!(fetched(&part, 4).unwrap(), blocks("456789"));
    assert_eq!(fetched(&part, 6).unwrap(), blocks("6789"));
    let whole = answer("HTTP/1.1 200 OK", "0123456789");
    assert_eq!(fetched(&whole, 0).unwrap(), blocks("0123456789"));
    assert_eq!(fetched(&whole, 7).unwrap(), blocks("789"));
}

#[test]
fn a_range_that_does_not_fit_the_artifact_is_refused() {
    let check = |head: &str, digits: &str, held| {
        assert_eq!(fetched(&answer(head, digits), held), Err(ExchangeError::Nonsense), "{head}");
    };
    check("HTTP/1.1 206 Part\nContent-Range: bytes 2560-5119/5120", "56789", 4);
    check("HTTP/1.1 206 Part\nContent-Range: bytes 2048-5119/5121", "456789", 4);
    check("HTTP/1.1 206 Part", "456789", 4);
    check("HTTP/1.1 206 Part\nContent-Range: bytes */5120", "456789", 4);
    check("HTTP/1.1 200 OK", "012345678", 0);
    assert_eq!(fetched("HTTP/1.1 204 None\n\n", 0), Err(ExchangeError::Nonsense));
    assert!(fetched("HTTP/1.1 416 No\nContent-Range: bytes */5120\nContent-Length: 0\n\n", 4).is_err());
}

#[test]
fn bytes_that_end_early_are_an_error_and_never_an_end() {
    let head = "HTTP/1.1 206 Part\nContent-Range: bytes 2048-5119/5120\nContent-Length: 3072\n\n";
    let short = format!("{head}{}", blocks("456"));
    assert!(matches!(fetched(&short, 4), Err(ExchangeError::Connection(_))));
    let unlengthy = format!("HTTP/1.1 200 OK\nConnection: close\n\n{}", blocks("0123"));
    assert!(matches!(fetched(&unlengthy, 0), Err(ExchangeError::Connection(_))));
}

#[test]
fn a_resumed_fetch_names_what_it_has() {
    let network = Network::default().with(URL, "HTTP/1.1 404 What\nContent-Length: 0\n\n", None);
    let digest = Digest::of(b"artifact");
    let client = network.client(&[URL], PlainHttp::LoopbackOnly);
    let wanted = Wanted { artifact: digest, size_bytes: 10 * BLOCK_BYTES, have: &[0b0100_1111, 0] };
    assert!(client.artifact(&[], &who(), &wanted).is_err());
    let (_, request) = &network.heard()[0];
    for line in [
        format!("GET /v1/artifacts/{digest} "),
        "range: bytes=2048-\r\n".into(),
        format!("if-range: \"{digest}\""),
    ] {
        assert!(request.contains(&line), "{line} is not in {request}");
    }
}
