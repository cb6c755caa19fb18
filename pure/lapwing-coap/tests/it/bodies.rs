//! Bodies in blocks, both ways: sender against receiver, and what a stateless server gives.

use lapwing_coap::{
    Assembled, Assembly, Block, BlockSize, Code, Etag, Kind, Message, MessageId, More, OptionNumber, Part,
    Representation, Sent, Token, Upload, Writer,
};

fn message(code: Code, options: &[(OptionNumber, u32)], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 1200];
    let mut writer = Writer::new(&mut out, Kind::Confirmable, code, MessageId(1), Token::EMPTY).unwrap();
    for (number, value) in options {
        writer.uint(*number, *value).unwrap();
    }
    let len = writer.finish(payload).unwrap();
    out.truncate(len);
    out
}

/// The request that carries the block which is due.
fn due(upload: &Upload<'_>) -> Vec<u8> {
    let (block, bytes) = upload.block();
    message(Code::POST, &[(OptionNumber::BLOCK1, block.encode().unwrap())], bytes)
}

#[test]
fn a_body_of_any_size_arrives_whole_also_when_blocks_come_twice() {
    let body: Vec<u8> = (0..2048_u32).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
    for len in [0, 1, 255, 256, 257, 512, 1000, 2048] {
        let (mut upload, mut assembly) =
            (Upload::new(&body[..len], BlockSize::B256), Assembly::<2048>::default());
        loop {
            let request = due(&upload);
            let request = Message::parse(&request).unwrap();
            assembly.take(&request);
            let answer = match assembly.take(&request) {
                Assembled::Whole(whole) => {
                    assert_eq!(whole, &body[..len]);
                    Code::CHANGED
                }
                Assembled::Continue => Code::CONTINUE,
                Assembled::Refused(code) => panic!("refused with {code:?}"),
            };
            let answer = message(answer, &[], &[]);
            match upload.take(&Message::parse(&answer).unwrap()) {
                Sent::Next => {}
                Sent::Answered(code) => break assert_eq!(code, Code::CHANGED),
                Sent::Again => panic!("nothing was lost"),
            }
        }
    }
}

#[test]
fn a_server_that_forgot_gets_the_body_again_and_may_ask_for_smaller_blocks() {
    let body = [1; 1500];
    let mut upload = Upload::new(&body, BlockSize::B1024);
    let smaller = Block { number: 0, more: More::Follows, size: BlockSize::B256 };
    let answer = message(Code::CONTINUE, &[(OptionNumber::BLOCK1, smaller.encode().unwrap())], &[]);
    assert_eq!(upload.take(&Message::parse(&answer).unwrap()), Sent::Next);
    let (block, bytes) = upload.block();
    assert_eq!((block.number, block.size, bytes.len()), (4, BlockSize::B256, 256), "counted in the new size");
    let forgot = message(Code::REQUEST_INCOMPLETE, &[], &[]);
    assert_eq!(upload.take(&Message::parse(&forgot).unwrap()), Sent::Again);
    assert_eq!(upload.block().0.number, 0);
    assert_eq!(upload.take(&Message::parse(&forgot).unwrap()), Sent::Answered(Code::REQUEST_INCOMPLETE));
}

#[test]
fn a_body_out_of_order_or_too_large_is_refused() {
    let mut assembly = Assembly::<600>::default();
    let block = |number, more| Block { number, more, size: BlockSize::B256 }.encode().unwrap();
    let mut put = |number, more, len| {
        let request = message(Code::POST, &[(OptionNumber::BLOCK1, block(number, more))], &vec![1; len]);
        match assembly.take(&Message::parse(&request).unwrap()) {
            Assembled::Refused(code) => Some(code),
            Assembled::Continue | Assembled::Whole(_) => None,
        }
    };
    assert_eq!(put(1, More::Follows, 256), Some(Code::REQUEST_INCOMPLETE));
    assert_eq!(put(0, More::Follows, 255), Some(Code::BAD_REQUEST));
    assert_eq!(put(0, More::Follows, 256), None);
    assert_eq!(put(1, More::Follows, 256), None);
    assert_eq!(put(2, More::Follows, 256), Some(Code::TOO_LARGE));
    assert_eq!(put(2, More::Last, 10), Some(Code::REQUEST_INCOMPLETE), "what was there is gone");
}

fn artifact(size_bytes: u32) -> Representation {
    Representation { size_bytes, etag: Etag::new(b"tag1").unwrap(), max_age_s: 86_400 }
}

fn get(block: Option<Block>, size2: bool) -> Vec<u8> {
    let block = block.map(|block| (OptionNumber::BLOCK2, block.encode().unwrap()));
    let size2 = size2.then_some((OptionNumber::SIZE2, 0));
    message(Code::GET, &block.into_iter().chain(size2).collect::<Vec<_>>(), &[])
}

#[test]
fn every_block_is_given_alone_over_the_limits_where_others_stop() {
    // Across 4,096 and 65,536 blocks, and 16 MiB.
    for (size_bytes, number) in
        [(3 << 20, 4_096), (70 << 20, 65_536), (20 << 20, 16_385), (1 << 30, 0xf_ffff)]
    {
        let wanted = Block::wanted(number, BlockSize::B1024);
        let request = get(Some(wanted), true);
        let part = artifact(size_bytes).part(&Message::parse(&request).unwrap());
        if number >= size_bytes / 1024 {
            assert_eq!(part, Part::Refused(Code::BAD_REQUEST));
            continue;
        }
        let Part::Content(range, block) = &part else { panic!("{part:?}") };
        assert_eq!(range.clone(), number * 1024..number * 1024 + 1024);
        let mut out = [0; 64];
        let mut writer =
            Writer::new(&mut out, Kind::Acknowledgement, part.code(), MessageId(1), Token::EMPTY).unwrap();
        artifact(size_bytes).write_options(&mut writer, &part, &Message::parse(&request).unwrap()).unwrap();
        let len = writer.finish(&[]).unwrap();
        let answer = Message::parse(&out[..len]).unwrap();
        assert_eq!(Block::decode(answer.options.first(OptionNumber::BLOCK2).unwrap()), Some(*block));
        assert_eq!(answer.options.uint(OptionNumber::SIZE2), Some(size_bytes));
        assert_eq!(answer.options.first(OptionNumber::ETAG), Some(&b"tag1"[..]));
        assert_eq!(answer.options.uint(OptionNumber::MAX_AGE), Some(86_400));
    }
}

#[test]
fn the_end_of_a_body_and_what_lies_behind_it() {
    let part = |size_bytes, number| {
        artifact(size_bytes)
            .part(&Message::parse(&get(Some(Block::wanted(number, BlockSize::B1024)), false)).unwrap())
    };
    let last = Block::wanted(1, BlockSize::B1024);
    assert_eq!(part(1025, 1), Part::Content(1024..1025, last));
    assert_eq!(part(2048, 1), Part::Content(1024..2048, last));
    assert_eq!(part(2049, 1), Part::Content(1024..2048, Block { more: More::Follows, ..last }));
    assert_eq!(part(1024, 1), Part::Refused(Code::BAD_REQUEST));
    assert_eq!(part(0, 0), Part::Content(0..0, Block::wanted(0, BlockSize::B1024)));
}

#[test]
fn who_has_it_already_is_told_so() {
    let mut out = [0; 32];
    let mut writer = Writer::new(&mut out, Kind::Confirmable, Code::GET, MessageId(1), Token::EMPTY).unwrap();
    writer.option(OptionNumber::ETAG, b"tag0").unwrap().option(OptionNumber::ETAG, b"tag1").unwrap();
    let len = writer.finish(&[]).unwrap();
    assert_eq!(artifact(5000).part(&Message::parse(&out[..len]).unwrap()), Part::Unchanged);
}
