//! Confirmable exchanges: every way in which an answer may come, or not.

use lapwing_coap::limits::EXCHANGE_LIFETIME_MS;
use lapwing_coap::{Code, Estimator, Exchange, Heard, Kind, Message, MessageId, Token, Turn, Writer, empty};
use lapwing_core::Uptime;

fn token() -> Token {
    Token::new(&[1, 2]).unwrap()
}

fn exchange() -> (Exchange, Estimator) {
    let estimator = Estimator::new(4_000);
    (Exchange::new(MessageId(7), token(), &estimator, 0), estimator)
}

fn answer(kind: Kind, id: u16, token: Token) -> Vec<u8> {
    let mut out = vec![0; 32];
    let len = Writer::new(&mut out, kind, Code::CHANGED, MessageId(id), token).unwrap().finish(b"x").unwrap();
    out.truncate(len);
    out
}

#[test]
fn a_message_is_sent_five_times_with_doubling_waits_and_then_given_up() {
    let (mut exchange, _) = exchange();
    let (mut now, mut sent) = (Uptime(1_000), Vec::new());
    loop {
        match exchange.poll(now) {
            Turn::Send => sent.push(now.0),
            Turn::Wait(until) => now = until,
            Turn::Gone => break,
        }
    }
    assert_eq!(sent, [1_000, 5_000, 13_000, 29_000, 61_000]);
    assert_eq!(now.0, 125_000, "it waited after the last one too");
}

#[test]
fn jitter_spreads_the_first_wait_over_half_of_it() {
    let estimator = Estimator::new(4_000);
    let mut late = Exchange::new(MessageId(7), token(), &estimator, 1_000);
    assert_eq!(late.poll(Uptime(0)), Turn::Send);
    assert_eq!(late.poll(Uptime(1)), Turn::Wait(Uptime(6_000)));
}

#[test]
fn an_answer_counts_in_each_of_its_forms_and_only_for_its_request() {
    let heard = |bytes: &[u8]| {
        let (mut exchange, mut estimator) = exchange();
        exchange.poll(Uptime(0));
        exchange.receive(Uptime(900), &Message::parse(bytes).unwrap(), &mut estimator)
    };
    assert_eq!(heard(&answer(Kind::Acknowledgement, 7, token())), Heard::Answer(None));
    assert_eq!(heard(&answer(Kind::NonConfirmable, 99, token())), Heard::Answer(None));
    let acknowledged = Some(empty(Kind::Acknowledgement, MessageId(99)));
    assert_eq!(heard(&answer(Kind::Confirmable, 99, token())), Heard::Answer(acknowledged));
    assert_eq!(heard(&empty(Kind::Reset, MessageId(7))), Heard::Reset);
    assert_eq!(heard(&empty(Kind::Acknowledgement, MessageId(7))), Heard::Acknowledged);
    for other in [
        answer(Kind::Acknowledgement, 8, token()),
        answer(Kind::Acknowledgement, 7, Token::EMPTY),
        answer(Kind::NonConfirmable, 7, Token::EMPTY),
        empty(Kind::Reset, MessageId(8)).to_vec(),
        empty(Kind::Confirmable, MessageId(7)).to_vec(),
    ] {
        assert_eq!(heard(&other), Heard::NotOurs, "{other:02x?}");
    }
}

#[test]
fn an_acknowledged_request_is_not_sent_again_and_waits_for_its_answer() {
    let (mut exchange, mut estimator) = exchange();
    exchange.poll(Uptime(0));
    let acknowledgement = empty(Kind::Acknowledgement, MessageId(7));
    exchange.receive(Uptime(800), &Message::parse(&acknowledgement).unwrap(), &mut estimator);
    assert_eq!(exchange.poll(Uptime(100_000)), Turn::Wait(Uptime(EXCHANGE_LIFETIME_MS)));
    assert_eq!(exchange.poll(Uptime(EXCHANGE_LIFETIME_MS)), Turn::Gone);
    assert_eq!(estimator.expected_ms(), 800, "the acknowledgement is a round trip");
}

#[test]
fn only_an_answer_whose_request_is_known_teaches_the_estimator() {
    let (mut exchange, mut estimator) = exchange();
    exchange.poll(Uptime(0));
    exchange.poll(Uptime(4_000));
    let late = answer(Kind::Acknowledgement, 7, token());
    exchange.receive(Uptime(4_100), &Message::parse(&late).unwrap(), &mut estimator);
    assert_eq!(estimator.timer_ms(), 4_000, "it may belong to either");
}
