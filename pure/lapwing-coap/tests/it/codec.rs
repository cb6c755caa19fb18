//! The codec against published rules and against coap-lite, on the same bytes.

use coap_lite::{CoapOption, MessageClass, Packet};
use lapwing_coap::{
    Block, BlockSize, Code, Kind, Message, MessageId, More, OptionNumber, ParseError, Token, WriteError,
    Writer, empty, reset_for,
};
use proptest::prelude::*;

fn written(options: &[(u16, Vec<u8>)], token: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 70_000];
    let token = Token::new(token).unwrap();
    let mut writer =
        Writer::new(&mut out, Kind::NonConfirmable, Code::GET, MessageId(0x1234), token).unwrap();
    for (number, value) in options {
        writer.option(OptionNumber(*number), value).unwrap();
    }
    let len = writer.finish(payload).unwrap();
    out.truncate(len);
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read_by_us_and_by_coap_lite(
        mut options in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 0..300)), 0..8),
        token in proptest::collection::vec(any::<u8>(), 0..=8),
        payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        options.sort_by_key(|(number, _)| *number);
        let bytes = written(&options, &token, &payload);
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!((message.kind, message.code, message.id), (Kind::NonConfirmable, Code::GET, MessageId(0x1234)));
        prop_assert_eq!((message.token.as_bytes(), message.payload), (&token[..], &payload[..]));
        let read: Vec<_> = message.options.iter().map(|(number, value)| (number.0, value.to_vec())).collect();
        prop_assert_eq!(&read, &options);

        let theirs = Packet::from_bytes(&bytes).unwrap();
        prop_assert_eq!((theirs.get_token(), &theirs.payload[..]), (&token[..], &payload[..]));
        let their_options: Vec<_> = theirs.options()
            .flat_map(|(number, values)| values.iter().map(move |value| (*number, value.clone())))
            .collect();
        prop_assert_eq!(their_options, options);
    }

    #[test]
    fn any_bytes_are_read_like_coap_lite_reads_them_or_refused_more_strictly(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x40_u8..0x78, Just(0xff), Just(0)], 0..48),
    ) {
        let ours = Message::parse(&bytes);
        let theirs = Packet::from_bytes(&bytes);
        if let Ok(ours) = ours {
            let theirs = theirs.expect("what we take is a message to others too");
            let options: Vec<_> = ours.options.iter().map(|(number, value)| (number.0, value.to_vec())).collect();
            let their_options: Vec<_> = theirs.options()
                .flat_map(|(number, values)| values.iter().map(move |value| (*number, value.clone())))
                .collect();
            prop_assert_eq!(options, their_options);
            prop_assert_eq!(ours.payload, &theirs.payload[..]);
            prop_assert_eq!(ours.token.as_bytes(), theirs.get_token());
            prop_assert_eq!(ours.id.0, theirs.header.message_id);
            prop_assert_eq!(ours.code.0, u8::from(theirs.header.code));
        }
    }

    #[test]
    fn every_block_has_one_value(number in 0_u32..1 << 20, follows: bool, at in 0_usize..3) {
        let size = [BlockSize::B256, BlockSize::B512, BlockSize::B1024][at];
        let block = Block { number, more: if follows { More::Follows } else { More::Last }, size };
        let value = block.encode().unwrap().to_be_bytes();
        prop_assert_eq!(Block::decode(&value[1..]), Some(block));
    }
}

#[test]
fn a_message_of_coap_lite_is_read() {
    let mut packet = Packet::new();
    packet.header.code = MessageClass::Request(coap_lite::RequestType::Post);
    packet.header.message_id = 77;
    packet.set_token(vec![1, 2, 3]);
    packet.add_option(CoapOption::UriPath, b"a".to_vec());
    packet.add_option(CoapOption::UriPath, b"b".to_vec());
    packet.payload = b"body".to_vec();
    let bytes = packet.to_bytes().unwrap();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.code, message.id.0, message.payload), (Code::POST, 77, &b"body"[..]));
    assert_eq!(message.options.all(OptionNumber::URI_PATH).collect::<Vec<_>>(), [b"a", b"b"]);
}

#[test]
fn blocks_use_all_twenty_bits() {
    for number in [0, 4_095, 4_096, 65_535, 65_536, 0xf_ffff] {
        let block = Block::wanted(number, BlockSize::B1024);
        assert_eq!(Block::decode(&block.encode().unwrap().to_be_bytes()[1..]), Some(block));
    }
    assert_eq!(Block::wanted(0x10_0000, BlockSize::B1024).encode(), None);
    assert_eq!(Block::decode(&[0, 0, 0, 6]), None, "four bytes");
    assert_eq!(Block::decode(&[7]), None, "the reserved size");
}

#[test]
fn what_breaks_the_rules_is_refused_and_only_confirmable_nonsense_is_reset() {
    let malformed: &[&[u8]] = &[
        &[0x49, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9], // a token of nine bytes
        &[0x42, 1, 0, 1, 1],                         // cut in the token
        &[0x40, 1, 0, 1, 0xff],                      // a marker and no payload
        &[0x40, 1, 0, 1, 0xf0],                      // reserved delta
        &[0x40, 1, 0, 1, 0x0f],                      // reserved length
        &[0x40, 1, 0, 1, 0xd0],                      // cut in a delta
        &[0x40, 1, 0, 1, 0x01],                      // cut in a value
        &[0x40, 1, 0, 1, 0xe0, 0xff, 0xff],          // a number over 65535
        &[0x40, 1, 0, 1, 0xe0, 0xfe, 0xf0, 0xd0, 0xf0], // by the sum of two
        &[0x41, 0, 0, 1, 1],                         // empty, with a token
        &[0x40, 0, 0, 1, 0xff, 1],                   // empty, with a payload
    ];
    for bytes in malformed {
        assert_eq!(Message::parse(bytes).map(|_| ()), Err(ParseError::Malformed), "{bytes:02x?}");
        assert_eq!(reset_for(bytes), Some([0x70, 0, 0, 1]));
        assert_eq!(reset_for(&[&[0x50], &bytes[1..]].concat()), None, "silence for what wants no answer");
    }
    for bytes in [&[][..], &[0x40, 1, 0], &[0x80, 1, 0, 1], &[0, 1, 0, 1]] {
        assert_eq!(Message::parse(bytes).map(|_| ()), Err(ParseError::NotCoap));
        assert_eq!(reset_for(bytes), None);
    }
}

#[test]
fn options_go_in_order_and_messages_into_their_room() {
    let mut out = [0; 16];

    let mut writer = Writer::new(&mut out, Kind::Confirmable, Code::GET, MessageId(1), Token::EMPTY).unwrap();
    writer.option(OptionNumber::URI_PATH, b"a").unwrap();
    assert_eq!(writer.option(OptionNumber::ETAG, b"a").map(|_| ()), Err(WriteError::OutOfOrder));
    assert_eq!(writer.option(OptionNumber::URI_PATH, &[0; 20]).map(|_| ()), Err(WriteError::NoRoom));
    assert_eq!(writer.finish(&[0; 20]), Err(WriteError::NoRoom));
    assert!(Writer::new(&mut out[..3], Kind::Confirmable, Code::GET, MessageId(1), Token::EMPTY).is_err());
}

#[test]
fn unknown_critical_options_are_found_and_elective_ones_passed_over() {
    let bytes = written(&[(11, b"a".to_vec()), (14, vec![]), (65_001, vec![]), (65_002, vec![])], &[], &[]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.options.unknown_critical(&[OptionNumber::URI_PATH]), Some(OptionNumber(65_001)));
    assert_eq!(message.options.unknown_critical(&[OptionNumber::URI_PATH, OptionNumber(65_001)]), None);
}

#[test]
fn empty_messages_are_read_back() {
    let ping = empty(Kind::Confirmable, MessageId(513));
    let message = Message::parse(&ping).unwrap();
    assert_eq!((message.kind, message.code, message.id), (Kind::Confirmable, Code::EMPTY, MessageId(513)));
    assert_eq!(empty(Kind::Reset, MessageId(513)), [0x70, 0, 2, 1]);
}
