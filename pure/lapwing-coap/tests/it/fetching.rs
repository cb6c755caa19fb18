//! The windowed fetch, block by block: what is asked, what counts as lost, what survives.

use lapwing_coap::limits::{FRUITLESS_MAX, WINDOW_FIRST, WINDOW_LEAST};
use lapwing_coap::{
    Bitmap, Block, BlockSize, Code, Estimator, Etag, Fetch, Kind, Message, MessageId, Next, OptionNumber,
    Representation, Taken, Token, Writer,
};
use lapwing_core::Uptime;

const SIZE: u32 = 20_000;

fn fetch(size_bytes: u32) -> Fetch<Vec<u8>> {
    let bits = vec![0; Bitmap::<Vec<u8>>::len_for(size_bytes)];
    Fetch::new(Bitmap::resume(bits, size_bytes).unwrap(), Estimator::new(10_000), BlockSize::B1024)
}

/// The server's answer to a request for `block`.
fn answer(size_bytes: u32, block: Block) -> Vec<u8> {
    let artifact = Representation { size_bytes, etag: Etag::new(b"tag1").unwrap(), max_age_s: 60 };
    let (range, block) = block.of_body(size_bytes).unwrap();
    let bytes: Vec<u8> = range.map(|at| at.to_le_bytes()[0]).collect();
    let mut out = vec![0; 1200];
    let mut writer =
        Writer::new(&mut out, Kind::NonConfirmable, Code::CONTENT, MessageId(1), Token::EMPTY).unwrap();
    writer.option(OptionNumber::ETAG, artifact.etag.as_bytes()).unwrap();
    writer.uint(OptionNumber::BLOCK2, block.encode().unwrap()).unwrap();
    let len = writer.finish(&bytes).unwrap();
    out.truncate(len);
    out
}

/// All requests that it makes now, with their numbers.
fn asked(fetch: &mut Fetch<Vec<u8>>, now: u64, next: &mut u64) -> Vec<(u64, Block)> {
    let mut asked = Vec::new();
    while let Next::Ask(block) = fetch.poll(Uptime(now), *next) {
        asked.push((*next, block));
        *next += 1;
    }
    asked
}

fn take<'a>(fetch: &mut Fetch<Vec<u8>>, now: u64, sequence: u64, bytes: &'a [u8]) -> Taken<'a> {
    fetch.take(Uptime(now), sequence, &Message::parse(bytes).unwrap())
}

fn numbers(asked: &[(u64, Block)]) -> Vec<u32> {
    asked.iter().map(|(_, block)| block.number).collect()
}

#[test]
fn a_good_link_carries_each_block_once() {
    let (mut fetch, mut next, mut now) = (fetch(SIZE), 0, 0);
    let mut stored = vec![0; SIZE as usize];
    let mut open = std::collections::VecDeque::new();
    loop {
        open.extend(asked(&mut fetch, now, &mut next));
        let Some((sequence, block)) = open.pop_front() else { break };
        now += 100;
        let bytes = answer(SIZE, block);
        let Taken::Store { offset_bytes, bytes } = take(&mut fetch, now, sequence, &bytes) else { panic!() };
        stored[offset_bytes as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    assert_eq!(fetch.poll(Uptime(now), next), Next::Done);
    assert_eq!(next, u64::from(SIZE.div_ceil(1024)));
    assert!(stored.iter().enumerate().all(|(at, byte)| *byte == at.to_le_bytes()[0]));
}

#[test]
fn it_begins_with_eight_and_widens_by_one_after_a_clean_window() {
    let (mut fetch, mut next) = (fetch(100_000), 0);
    let first = asked(&mut fetch, 0, &mut next);
    assert_eq!(numbers(&first), [0, 1, 2, 3, 4, 5, 6, 7]);
    for (sequence, block) in &first {
        take(&mut fetch, 1_500, *sequence, &answer(100_000, *block));
    }
    assert_eq!(asked(&mut fetch, 1_500, &mut next).len(), 9);
}

#[test]
fn three_later_blocks_prove_a_loss_and_two_do_not() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    for (sequence, block) in &first[1..3] {
        take(&mut fetch, 1_000, *sequence, &answer(SIZE, *block));
    }
    assert_eq!(numbers(&asked(&mut fetch, 1_000, &mut next)), [8, 9]);
    take(&mut fetch, 1_100, first[3].0, &answer(SIZE, first[3].1));
    assert_eq!(numbers(&asked(&mut fetch, 1_100, &mut next)), [0, 10], "the lost one before new ones");
    assert_eq!(take(&mut fetch, 1_200, first[0].0, &answer(SIZE, first[0].1)), Taken::Unasked);
}

#[test]
fn at_the_end_as_many_later_blocks_as_there_are_prove_a_loss() {
    let (mut fetch, mut next) = (fetch(3 * 1024), 0);
    let first = asked(&mut fetch, 0, &mut next);
    take(&mut fetch, 1_000, first[1].0, &answer(3 * 1024, first[1].1));
    assert_eq!(numbers(&asked(&mut fetch, 1_000, &mut next)), [], "the third may still show it to be late");
    take(&mut fetch, 1_100, first[2].0, &answer(3 * 1024, first[2].1));
    assert_eq!(numbers(&asked(&mut fetch, 1_100, &mut next)), [0]);
}

#[test]
fn silence_closes_the_window_doubles_the_timer_and_ends() {
    let (mut fetch, mut next, mut now) = (fetch(SIZE), 0, 0);
    let mut times = Vec::new();
    loop {
        match fetch.poll(Uptime(now), next) {
            Next::Ask(_) => {
                times.push(now);
                next += 1;
            }
            Next::Wait(until) => now = until.0,
            Next::Gone => break,
            Next::Done => panic!("nothing came"),
        }
    }
    assert_eq!(times, [0, 0, 0, 0, 0, 0, 0, 0, 10_000, 30_000, 70_000, 130_000]);
    assert_eq!(
        times.len() as u32,
        FRUITLESS_MAX + WINDOW_FIRST - WINDOW_LEAST,
        "a window is no more than the least"
    );
}

#[test]
fn an_answer_after_silence_opens_the_window_again() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    asked(&mut fetch, 0, &mut next);
    let probe = asked(&mut fetch, 10_000, &mut next);
    assert_eq!(probe.len(), 1);
    take(&mut fetch, 11_000, probe[0].0, &answer(SIZE, probe[0].1));
    assert_eq!(asked(&mut fetch, 11_000, &mut next).len(), 4);
}

#[test]
fn a_saved_bitmap_resumes_exactly() {
    let (mut before, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut before, 0, &mut next);
    for (sequence, block) in [first[0], first[2]] {
        take(&mut before, 1_000, sequence, &answer(SIZE, block));
    }
    let bits = before.bitmap().bits().to_vec();
    let bitmap = Bitmap::resume(bits, SIZE).unwrap();
    assert_eq!(bitmap.leading_bytes(), 1024, "an ordered transport goes on here");
    let mut after = Fetch::new(bitmap, Estimator::new(10_000), BlockSize::B1024);
    assert_eq!(numbers(&asked(&mut after, 0, &mut next)), [1, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn sleep_asks_again_for_what_was_open_and_for_nothing_else() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    take(&mut fetch, 1_000, first[1].0, &answer(SIZE, first[1].1));
    fetch.forget_open_requests();
    assert_eq!(numbers(&asked(&mut fetch, 90_000, &mut next)), [0, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    let mut out = [0; 16];
    let mut writer =
        Writer::new(&mut out, Kind::NonConfirmable, Code::TOO_MANY_REQUESTS, MessageId(1), Token::EMPTY)
            .unwrap();
    writer.uint(OptionNumber::MAX_AGE, 30).unwrap();
    let len = writer.finish(&[]).unwrap();
    for (sequence, _) in &first {
        assert_eq!(take(&mut fetch, 1_000, *sequence, &out[..len]), Taken::Busy { retry_after_ms: 30_000 });
    }
    assert_eq!(fetch.poll(Uptime(30_999), next), Next::Wait(Uptime(31_000)));
    assert!(matches!(fetch.poll(Uptime(31_000), next), Next::Ask(_)));
}

#[test]
fn what_does_not_fit_is_not_stored_and_is_asked_for_again() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    let short = answer(1_000, first[0].1);
    assert_eq!(take(&mut fetch, 500, first[0].0, &short), Taken::Unusable, "a short block in the middle");
    assert_eq!(
        take(&mut fetch, 500, first[1].0, &answer(SIZE, first[0].1)),
        Taken::Unusable,
        "another block"
    );
    let smaller = answer(SIZE, Block::wanted(first[2].1.number * 4, BlockSize::B256));
    assert_eq!(take(&mut fetch, 500, first[2].0, &smaller), Taken::Unusable, "smaller than a bit can say");
    assert_eq!(numbers(&asked(&mut fetch, 500, &mut next)), [0, 1, 2]);
    assert!(!fetch.bitmap().has_block(first[0].1));
}

#[test]
fn a_server_that_never_fits_is_left() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    loop {
        match fetch.poll(Uptime(next), next) {
            Next::Ask(block) => {
                assert_eq!(
                    take(&mut fetch, next, next, &answer(1_000, Block::wanted(0, block.size))),
                    Taken::Unusable
                );
                next += 1;
            }
            outcome => break assert_eq!(outcome, Next::Gone),
        }
    }
    assert_eq!(next, u64::from(FRUITLESS_MAX));
}

#[test]
fn a_server_with_smaller_blocks_is_followed() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    let half = answer(SIZE, Block::wanted(0, BlockSize::B512));
    assert!(matches!(take(&mut fetch, 500, first[0].0, &half), Taken::Store { offset_bytes: 0, .. }));
    assert_eq!(asked(&mut fetch, 500, &mut next)[0].1, Block::wanted(1, BlockSize::B512));
}

#[test]
fn another_content_under_the_same_name_ends_the_fetch() {
    let (mut fetch, mut next) = (fetch(SIZE), 0);
    let first = asked(&mut fetch, 0, &mut next);
    take(&mut fetch, 500, first[0].0, &answer(SIZE, first[0].1));
    let mut other = answer(SIZE, first[1].1);
    let at = other.windows(4).position(|bytes| bytes == b"tag1").unwrap();
    other[at] = b'x';
    assert_eq!(take(&mut fetch, 500, first[1].0, &other), Taken::Refused(Code::CONTENT));
}

#[test]
fn a_link_that_loses_a_tenth_of_its_packets_gets_smaller_blocks() {
    let (mut fetch, mut next, mut now) = (fetch(200_000), 0, 0);
    let mut smallest = BlockSize::B1024;
    let mut open = std::collections::VecDeque::new();
    while !fetch.bitmap().is_complete() {
        open.extend(asked(&mut fetch, now, &mut next));
        now += 100;
        let Some((sequence, block)) = open.pop_front() else { continue };
        smallest = smallest.min(block.size);
        if sequence % 4 != 3 {
            take(&mut fetch, now, sequence, &answer(200_000, block));
        }
    }
    assert_eq!(smallest, BlockSize::B512);
}
