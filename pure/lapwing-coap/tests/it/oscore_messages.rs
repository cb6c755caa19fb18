//! OSCORE beyond the vectors: options on the right side, damage, replays, starts, wake-up calls.

use lapwing_coap::oscore::{
    Context, Freshness, Header, IdContext, Keys, Kid, Master, OpenError, Replay, Reserve, SealError, Sequence,
};
use lapwing_coap::{Code, ECHO_BYTES, EchoKey, Kind, Message, MessageId, OptionNumber, Token, Writer};
use lapwing_core::Uptime;

fn side(sender: &[u8], recipient: &[u8], replay: Replay) -> Context {
    let master = Master { secret: &[7; 16], salt: &[], id_context: IdContext::Known(b"epoch-1") };
    let kid = |bytes| Kid::new(bytes).unwrap();
    let keys = Keys::derive(&master, kid(sender), kid(recipient)).unwrap();
    let mut sequence = Sequence::resume(0);
    sequence.reserved(Reserve { up_to: 1 << 20 });
    Context::new(keys, sequence, replay)
}

fn pair() -> (Context, Context) {
    (side(b"device", b"s", Replay::new()), side(b"s", b"device", Replay::new()))
}

/// A message with these options and a payload.
fn plain(code: Code, options: &[(OptionNumber, &[u8])]) -> Vec<u8> {
    let mut out = vec![0; 256];
    let token = Token::new(&[9]).unwrap();
    let mut writer = Writer::new(&mut out, Kind::Confirmable, code, MessageId(1), token).unwrap();
    for (number, value) in options {
        writer.option(*number, value).unwrap();
    }
    let len = writer.finish(b"payload").unwrap();
    out.truncate(len);
    out
}

fn sealed(device: &mut Context, plain: &[u8]) -> (Vec<u8>, u64) {
    let mut out = vec![0; 300];
    let (len, sequence) = device.seal_request(plain, &mut out).unwrap();
    out.truncate(len);
    (out, sequence)
}

const ALL: &[(OptionNumber, &[u8])] = &[
    (OptionNumber::URI_HOST, b"host"),
    (OptionNumber::ETAG, b"tag"),
    (OptionNumber::OBSERVE, b""),
    (OptionNumber::URI_PORT, b"\x16\x33"),
    (OptionNumber::URI_PATH, b"a"),
    (OptionNumber::URI_PATH, b"digest"),
    (OptionNumber::URI_QUERY, b"q"),
    (OptionNumber::BLOCK2, b"\x06"),
    (OptionNumber::ECHO, b"echo-echo"),
];

#[test]
fn what_was_sealed_comes_back_and_the_way_sees_only_what_it_must() {
    let (mut device, mut server) = pair();
    let plain = plain(Code::GET, ALL);
    let (mut datagram, _) = sealed(&mut device, &plain);
    let outside = Message::parse(&datagram).unwrap();
    let seen: Vec<_> = outside.options.iter().map(|(number, _)| number).collect();
    use OptionNumber as O;
    assert_eq!(seen, [O::URI_HOST, O::OBSERVE, O::URI_PORT, O::OSCORE]);
    assert_eq!(outside.code, Code::FETCH);
    let mut out = [0; 300];
    let opened = server.open_request(&mut datagram, &mut out).unwrap();
    assert_eq!(out[..opened.len], plain);
}

#[test]
fn no_changed_byte_is_believed_and_nothing_is_recorded() {
    let (mut device, mut server) = pair();
    let (datagram, _) = sealed(&mut device, &plain(Code::POST, &[]));
    let mut out = [0; 300];
    // Behind the four bytes of header, token and option name: those are not sealed.
    for at in 7..datagram.len() {
        for bit in 0..8 {
            let mut bent = datagram.clone();
            bent[at] ^= 1 << bit;
            assert!(server.open_request(&mut bent, &mut out).is_err(), "byte {at} bit {bit}");
        }
    }
    assert!(server.open_request(&mut datagram.clone(), &mut out).is_ok());
    assert_eq!(server.open_request(&mut datagram.clone(), &mut out).err(), Some(OpenError::Replayed));
    for len in 0..datagram.len() {
        assert!(server.open_request(&mut datagram[..len].to_vec(), &mut out).is_err());
    }
}

#[test]
fn a_request_for_another_context_is_told_apart() {
    let (mut device, _) = pair();
    let mut other = side(b"s", b"other", Replay::new());
    let (mut datagram, _) = sealed(&mut device, &plain(Code::POST, &[]));
    assert_eq!(other.open_request(&mut datagram, &mut [0; 300]).err(), Some(OpenError::OtherContext));
}

#[test]
fn a_restarted_server_believes_a_request_only_with_its_echo() {
    let (mut device, mut server) = pair();
    let old = sealed(&mut device, &plain(Code::POST, &[])).0;
    server.open_request(&mut old.clone(), &mut [0; 300]).unwrap();
    let mut restarted = side(b"s", b"device", Replay::unknown());
    restarted.sequence = Sequence::resume(1 << 20);
    restarted.sequence.reserved(Reserve { up_to: 1 << 21 });
    let (key, now) = (EchoKey::new([3; 32]), Uptime(1_000));

    // A replayed request is opened, and leads to nothing but an Echo under a new nonce.
    let opened = restarted.open_request(&mut old.clone(), &mut [0; 300]).unwrap();
    assert_eq!(opened.freshness, Freshness::Unknown);
    let echo = key.value(now, b"device");
    let ask = plain(Code::UNAUTHORIZED, &[(OptionNumber::ECHO, &echo)]);
    let mut out = [0; 300];
    let len = restarted.seal_answer(opened.ticket, &ask, &mut out).unwrap();
    let header = Message::parse(&out[..len]).unwrap().options.first(OptionNumber::OSCORE).unwrap();
    assert!(Header::parse(header).unwrap().piv.is_some(), "never again under the nonce of that request");
    let mut answer = [0; 300];
    let len = device.open_answer(opened.sequence, &mut out[..len], &mut answer).unwrap();
    let echoed = Message::parse(&answer[..len]).unwrap().options.first(OptionNumber::ECHO).unwrap();
    assert_eq!(echoed.len(), ECHO_BYTES);

    // The device repeats itself with it, and is believed; the old request never again.
    let (mut again, _) = sealed(&mut device, &plain(Code::POST, &[(OptionNumber::ECHO, echoed)]));
    let mut request = [0; 300];
    let opened = restarted.open_request(&mut again, &mut request).unwrap();
    let request = Message::parse(&request[..opened.len]).unwrap();
    assert!(key.is_fresh(now, b"device", request.options.first(OptionNumber::ECHO).unwrap()));
    restarted.replay.record(opened.sequence);
    assert_eq!(restarted.open_request(&mut old.clone(), &mut [0; 300]).err(), Some(OpenError::Replayed));
}

#[test]
fn wake_up_calls_carry_their_number_as_order() {
    let (mut device, mut server) = pair();
    let (_, sequence) = sealed(&mut device, &plain(Code::GET, &[(OptionNumber::OBSERVE, b"")]));
    let call = plain(Code::CONTENT, &[(OptionNumber::OBSERVE, b"\x05")]);
    for number in 0..3 {
        let (mut out, mut opened) = ([0; 300], [0; 300]);
        let len = server.seal_call(sequence, &call, &mut out).unwrap();
        let len = device.open_answer(sequence, &mut out[..len], &mut opened).unwrap();
        let opened = Message::parse(&opened[..len]).unwrap();
        assert_eq!(opened.options.uint(OptionNumber::OBSERVE), Some(number));
    }
}

#[test]
fn nothing_is_sealed_with_a_number_that_is_not_reserved() {
    let (mut device, _) = pair();
    device.sequence = Sequence::resume(40);
    let message = plain(Code::POST, &[]);
    let reserve = Reserve { up_to: 40 + 512 };
    assert_eq!(device.seal_request(&message, &mut [0; 300]), Err(SealError::Reserve(reserve)));
    device.sequence.reserved(reserve);
    assert_eq!(device.seal_request(&message, &mut [0; 300]).unwrap().1, 40);
}

#[test]
fn headers_have_one_spelling() {
    for value in
        [&b"\x00"[..], b"\x01", b"\x06\0\0\0\0\0\0", b"\x02\0\x01", b"\x20", b"\x01\x05\x07", b"\x10\x05ab"]
    {
        assert!(Header::parse(value).is_err(), "{value:02x?}");
    }
    let header = Header::parse(b"\x19\x14\x02abkid").unwrap();
    assert_eq!(header, Header { piv: Some(b"\x14"), id_context: Some(b"ab"), kid: Some(b"kid") });
    assert_eq!(Header::parse(b"\x19\x14\x02ab12345678").map(|_| ()), Err(lapwing_coap::oscore::HeaderError));
}
