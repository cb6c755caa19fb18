//! RFC 8613 appendix C: derived keys, sealed requests and answers, byte for byte.

use lapwing_coap::oscore::{Context, Freshness, IdContext, Keys, Kid, Master, Replay, Reserve, Sequence};

const SECRET: &str = "0102030405060708090a0b0c0d0e0f10";
const SALT: &str = "9e7ca92223786340";
const ID_CONTEXT: &str = "37cbf3210017a2d3";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("hexadecimal") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A context whose next number is `next`.
fn context(salt: &str, id_context: IdContext<'_>, sender: &str, recipient: &str, next: u64) -> Context {
    let (secret, salt) = (hex(SECRET), hex(salt));
    let master = Master { secret: &secret, salt: &salt, id_context };
    let kid = |text| Kid::new(&hex(text)).unwrap();
    let keys = Keys::derive(&master, kid(sender), kid(recipient)).unwrap();
    let mut sequence = Sequence::resume(next);
    sequence.reserved(Reserve { up_to: next + 10 });
    Context::new(keys, sequence, Replay::new())
}

/// Seals the request on one side and opens it on the other.
fn check_request(mut client: Context, mut server: Context, plain: &str, sealed: &str) {
    let (plain, sealed, mut out) = (hex(plain), hex(sealed), [0; 128]);
    let (len, sequence) = client.seal_request(&plain, &mut out).unwrap();
    assert_eq!(out[..len], sealed);
    let (mut datagram, mut opened) = (sealed, [0; 128]);
    let outcome = server.open_request(&mut datagram, &mut opened).unwrap();
    assert_eq!(opened[..outcome.len], plain);
    assert_eq!((outcome.sequence, outcome.freshness), (sequence, Freshness::Fresh));
}

#[test]
fn c4_a_request_with_a_salt_and_an_empty_sender_id() {
    let client = context(SALT, IdContext::None, "", "01", 20);
    let server = context(SALT, IdContext::None, "01", "", 0);
    check_request(
        client,
        server,
        "44015d1f00003974396c6f63616c686f737483747631",
        "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
    );
}

#[test]
fn c5_a_request_without_a_salt() {
    let client = context("", IdContext::None, "00", "01", 20);
    let server = context("", IdContext::None, "01", "00", 0);
    check_request(
        client,
        server,
        "440171c30000b932396c6f63616c686f737483747631",
        "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0",
    );
}

#[test]
fn c6_a_request_that_carries_its_id_context() {
    let id_context = hex(ID_CONTEXT);
    let client = context(SALT, IdContext::Announced(&id_context), "", "01", 20);
    let server = context(SALT, IdContext::Known(&id_context), "01", "", 0);
    check_request(
        client,
        server,
        "44012f8eef9bbf7a396c6f63616c686f737483747631",
        "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3",
    );
}

#[test]
fn c7_and_c8_an_answer_under_the_nonce_of_its_request_and_under_its_own() {
    let plain = hex("64455d1f00003974ff48656c6c6f20576f726c6421");
    let mut server = context(SALT, IdContext::None, "01", "", 0);
    let mut request = hex("44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e");
    let opened = server.open_request(&mut request, &mut [0; 128]).unwrap();
    let (mut answer, mut call) = ([0; 128], [0; 128]);
    let answer_len = server.seal_answer(opened.ticket, &plain, &mut answer).unwrap();
    let call_len = server.seal_call(opened.sequence, &plain, &mut call).unwrap();
    let answer = &answer[..answer_len];
    let call = &call[..call_len];
    assert_eq!(answer, hex("64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106"));
    assert_eq!(call, hex("64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"));
    let client = context(SALT, IdContext::None, "", "01", 20);
    for sealed in [answer, call] {
        let mut opened = [0; 128];
        let len = client.open_answer(20, &mut sealed.to_vec(), &mut opened).unwrap();
        assert_eq!(opened[..len], plain);
        assert!(client.open_answer(21, &mut sealed.to_vec(), &mut opened).is_err(), "bound to its request");
    }
}
