//! Bodies that take more than one datagram: questions that are still coming, answers that are still asked for.
//!
//! Touches: memory, bounded: one body a device, the oldest gives way. Never: acts on half a body.

use super::reply::Reply;
use crate::limits::COAP_BODIES_MAX;
use lapwing_coap::{Assembled, Assembly, Block, BlockSize, Message, OptionNumber};
use lapwing_core::limits::{CHECK_IN_BYTES_MAX, REPORT_BYTES_MAX};
use lapwing_core::{DeviceId, Uptime};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A body of either message.
const BODY_BYTES_MAX: usize = CHECK_IN_BYTES_MAX;
const _: () = assert!(CHECK_IN_BYTES_MAX >= REPORT_BYTES_MAX);

/// Under way.
#[derive(Default)]
pub(super) struct Bodies(Mutex<HashMap<DeviceId, Body>>);

struct Body {
    at: Uptime,
    coming: Box<Assembly<BODY_BYTES_MAX>>,
    going: Vec<u8>,
}

/// What a request with a body led to.
pub(super) enum Came {
    /// All of the body.
    Whole(Vec<u8>),
    /// Something to say before it is whole, or a further part of the last answer.
    Reply(Reply),
}

impl Bodies {
    /// Takes what a request of this device brings.
    pub(super) fn take(&self, now: Uptime, device: &DeviceId, request: &Message<'_>) -> Came {
        let block1 = request.options.first(OptionNumber::BLOCK1);
        let further = request.options.first(OptionNumber::BLOCK2).and_then(Block::decode);
        if let Some(block) = further.filter(|block| block.number > 0) {
            let bodies = self.lock();
            let going = bodies.get(device).map_or(&[][..], |body| &body.going);
            return Came::Reply(Reply::part_of(going, block));
        }
        if block1.is_none() {
            return Came::Whole(request.payload.to_vec());
        }
        let mut bodies = self.lock();
        make_room(&mut bodies, device);
        let body = bodies.entry(device.clone()).or_insert_with(|| Body {
            at: now,
            coming: Box::default(),
            going: Vec::new(),
        });
        body.at = now;
        let came = match body.coming.take(request) {
            Assembled::Continue => Came::Reply(Reply::goes_on(block1.unwrap_or_default())),
            Assembled::Whole(whole) => Came::Whole(whole.to_vec()),
            Assembled::Refused(code) => Came::Reply(Reply::code(code)),
        };
        if matches!(came, Came::Whole(_)) {
            bodies.remove(device);
        }
        came
    }

    /// The reply that carries `answer`; of a long one the first part, and the rest is kept.
    pub(super) fn give(&self, now: Uptime, device: &DeviceId, answer: Vec<u8>) -> Reply {
        let first = Block::wanted(0, BlockSize::B1024);
        if answer.len() <= first.size.bytes() as usize {
            return Reply::with(answer);
        }
        let reply = Reply::part_of(&answer, first);
        let mut bodies = self.lock();
        make_room(&mut bodies, device);
        bodies.insert(device.clone(), Body { at: now, coming: Box::default(), going: answer });
        reply
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Body>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(bodies: &mut HashMap<DeviceId, Body>, device: &DeviceId) {
    if bodies.len() < COAP_BODIES_MAX || bodies.contains_key(device) {
        return;
    }
    let oldest = bodies.iter().min_by_key(|(_, body)| body.at).map(|(id, _)| id.clone());
    oldest.map(|id| bodies.remove(&id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapwing_coap::{Code, Kind, MessageId, More, Token, Writer};

    fn datagram(number: OptionNumber, block: Block, payload: &[u8]) -> Vec<u8> {
        let mut out = [0; 2048];
        let mut writer =
            Writer::new(&mut out, Kind::Confirmable, Code::POST, MessageId(1), Token::EMPTY).unwrap();
        writer.uint(number, block.encode().unwrap()).unwrap();
        let len = writer.finish(payload).unwrap();
        out[..len].to_vec()
    }

    fn said(reply: &Reply) -> (Code, Vec<u8>) {
        let request = datagram(OptionNumber::BLOCK2, Block::wanted(0, BlockSize::B1024), &[]);
        let mut out = [0; 2048];
        let len = reply.write(&Message::parse(&request).unwrap(), MessageId(2), &mut out).unwrap();
        let answer = Message::parse(&out[..len]).unwrap();
        (answer.code, answer.payload.to_vec())
    }

    #[test]
    fn a_long_answer_is_had_block_by_block_and_by_its_device_only() {
        let (bodies, device) = (Bodies::default(), "d1".parse().unwrap());
        let answer: Vec<u8> = (0..2_500_u32).map(|at| at.to_le_bytes()[0]).collect();
        let (code, mut whole) = said(&bodies.give(Uptime(0), &device, answer.clone()));
        assert_eq!((code, whole.len()), (Code::CHANGED, 1_024));
        for number in 1..=2 {
            let request = datagram(OptionNumber::BLOCK2, Block::wanted(number, BlockSize::B1024), &[]);
            let ask = |id: &DeviceId| bodies.take(Uptime(1), id, &Message::parse(&request).unwrap());
            let (Came::Reply(reply), Came::Reply(other)) = (ask(&device), ask(&"d2".parse().unwrap())) else {
                panic!("a further part is no new question")
            };
            whole.extend(said(&reply).1);
            assert_eq!(said(&other).0, Code::REQUEST_INCOMPLETE);
        }
        assert_eq!(whole, answer);
    }

    #[test]
    fn more_bodies_than_there_is_room_for_cost_the_oldest() {
        let bodies = Bodies::default();
        let block = |number, more| Block { number, more, size: BlockSize::B1024 };
        let first = datagram(OptionNumber::BLOCK1, block(0, More::Follows), &[1; 1_024]);
        let last = datagram(OptionNumber::BLOCK1, block(1, More::Last), &[2]);
        let send = |at: usize, datagram: &[u8]| {
            let device = format!("d{at}").parse().unwrap();
            bodies.take(Uptime(at as u64), &device, &Message::parse(datagram).unwrap())
        };
        for at in 0..=COAP_BODIES_MAX {
            assert!(matches!(send(at, &first), Came::Reply(reply) if said(&reply).0 == Code::CONTINUE));
        }
        assert_eq!(bodies.lock().len(), COAP_BODIES_MAX);
        assert!(matches!(send(0, &last), Came::Reply(reply) if said(&reply).0 == Code::REQUEST_INCOMPLETE));
        assert!(matches!(send(COAP_BODIES_MAX, &last), Came::Whole(body) if body.len() == 1_025));
    }
}
