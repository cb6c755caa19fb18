//! Nobody can make the server send more to somebody else than he sent himself.
//!
//! Touches: UDP on loopback. Every path, method and option, in all combinations that a stranger might think of.

use crate::coap::with_coap;
use crate::world::World;
use lapwing_coap::{Code, Kind, Message, MessageId, OptionNumber, Token, Writer};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const PATHS: [&[&str]; 7] =
    [&[], &["r"], &["t", "1"], &["t", "d"], &["t", "9"], &["AAAAAA"], &["a", "b", "c"]];
const CODES: [Code; 4] = [Code::GET, Code::POST, Code::FETCH, Code(3)];
/// Every one of them is there or not.
const OPTIONS: [(OptionNumber, &[u8]); 8] = [
    (OptionNumber::URI_HOST, b"h"),
    (OptionNumber::ETAG, &[0; 2]),
    (OptionNumber::OBSERVE, &[]),
    (OptionNumber::BLOCK2, &[6]),
    (OptionNumber::BLOCK1, &[8]),
    (OptionNumber::SIZE2, &[]),
    (OptionNumber::ECHO, &[0; 12]),
    (OptionNumber(65_001), &[]),
];

fn question(id: u16, code: Code, path: &[&str], options: usize) -> Vec<u8> {
    let path = path.iter().map(|name| (OptionNumber::URI_PATH, name.as_bytes()));
    let chosen = OPTIONS.into_iter().enumerate().filter(|(at, _)| options >> at & 1 == 1).map(|(_, one)| one);
    let mut all: Vec<_> = path.chain(chosen).collect();
    all.sort_by_key(|(number, _)| *number);
    let kind = if id.is_multiple_of(2) { Kind::Confirmable } else { Kind::NonConfirmable };
    let token = Token::new(&[7; 8][..usize::from(id % 9)]).unwrap();
    let mut out = [0; 256];
    let mut writer = Writer::new(&mut out, kind, code, MessageId(id), token).unwrap();
    for (number, value) in all {
        writer.option(number, value).unwrap();
    }
    let len = writer.finish(if id.is_multiple_of(3) { b"x" } else { &[] }).unwrap();
    out[..len].to_vec()
}

/// Asks everything; returns how many answers had each code.
fn ask_everything(server: SocketAddr) -> Vec<(Code, u32)> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket.connect(server).unwrap();
    let (mut id, mut answer, mut codes) = (0_u16, [0; 2048], Vec::new());
    for (path, code) in PATHS.into_iter().flat_map(|path| CODES.map(|code| (path, code))) {
        for options in 0..1 << OPTIONS.len() {
            id += 1;
            let question = question(id, code, path, options);
            socket.send(&question).unwrap();
            let len = socket.recv(&mut answer).unwrap();
            assert!(len <= question.len(), "{path:?} {code:?} {options:08b}: {len} for {}", question.len());
            let code = Message::parse(&answer[..len]).unwrap().code;
            match codes.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => codes.push((code, 1)),
            }
        }
    }
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_to_a_stranger_is_larger_than_his_question() {
    for (questions_per_hour, expected) in
        [(u32::MAX, &[Code::UNAUTHORIZED, Code::BAD_OPTION][..]), (60, &[Code::TOO_MANY_REQUESTS])]
    {
        let world = World::with(|config| {
            with_coap(config);
            config.stranger_questions_per_hour = questions_per_hour;
        })
        .await;
        let server = world.server.coap_addr().unwrap();
        let codes = tokio::task::spawn_blocking(move || ask_everything(server)).await.unwrap();
        let count =
            |wanted: Code| codes.iter().find(|(code, _)| *code == wanted).map_or(0, |(_, count)| *count);
        for code in expected {
            assert!(count(*code) > 500, "{code:?}: {codes:?}");
        }
        assert_eq!(count(Code::CONTENT), 0, "documents are larger than any of these questions");
    }
}
