//! What strangers send, made of a number each: for floods of a real server.
//!
//! Touches: `lapwing_coap`. Never: anything that an honest device would send, or twice the same in a thousand.

use crate::asker::{Asker, FIRST_OF_MORE};
use lapwing_coap::{Code, Kind, MessageId, OptionNumber, Token, Writer};

/// The datagram of this number: bytes by chance, open questions, questions sealed by nobody, bodies that do not end, and
/// such bodies from `devices`.
#[must_use]
pub fn nonsense(at: u32, devices: &mut [Asker]) -> Vec<u8> {
    let chance = u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let random = chance.to_be_bytes();
    let id = MessageId(u16::from_be_bytes([random[0], random[1]]));
    let open = |code: Code, options: &[(OptionNumber, &[u8])], payload: &[u8]| {
        let mut out = [0; 1_200];
        let writer = Writer::new(&mut out, Kind::Confirmable, code, id, Token::EMPTY);
        let written = writer.and_then(|mut writer| {
            options.iter().try_for_each(|(number, value)| writer.option(*number, value).map(drop))?;
            writer.finish(payload)
        });
        out[..written.unwrap_or(0)].to_vec()
    };
    match at % 5 {
        0 => random.iter().copied().cycle().take(usize::from(random[7]) * 4).collect(),
        1 => open(
            Code::GET,
            &[(OptionNumber::URI_PATH, b"t"), (OptionNumber::URI_PATH, b"1"), (OptionNumber::ECHO, &[0; 12])],
            &[],
        ),
        2 => {
            // A number of two bytes, and the name of one of sixteen million devices.
            let header = [0x0a, random[2] | 1, random[3], random[4] | 1, random[5], random[6]];
            open(Code::POST, &[(OptionNumber::OSCORE, &header)], &[random, random].concat())
        }
        3 => open(
            Code::POST,
            &[(OptionNumber::URI_PATH, b"r"), (OptionNumber::BLOCK1, &FIRST_OF_MORE)],
            &[7; 1_024],
        ),
        _ => {
            let count = devices.len();
            match devices.get_mut(at as usize / 5 % count.max(1)) {
                Some(device) => device.begin_body(id, &[7; 1_024]),
                None => Vec::new(),
            }
        }
    }
}
