//! A device of a real server's fleet, as little of it as checks in by CoAP: thousands of them fit into one program.
//!
//! Touches: `lapwing_coap`; sockets are its driver's. Never: keeps its numbers over a start, so its context must be new.

use crate::endpoint::{Datagram, EMPTY_DATAGRAM};
use lapwing_coap::oscore::{Context, IdContext, Keys, Kid, Master, Replay, Reserve, Sequence, TooLong};
use lapwing_coap::{Code, Kind, Message, MessageId, OptionNumber, Token, Writer};

/// One device.
#[derive(Debug)]
pub struct Asker {
    context: Context,
    /// The number of the question under way.
    asked: u64,
    /// What the server wants to see again.
    echo: Option<Vec<u8>>,
}

/// Block 0 of 1,024 bytes, and more follow.
pub(crate) const FIRST_OF_MORE: [u8; 1] = [0x0e];

/// What a datagram from the server says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The answer.
    Answer(Vec<u8>),
    /// No.
    Refused(Code),
    /// Ask again: it wants to see that the question is new.
    Again,
    /// Nothing to this device's last question.
    Nothing,
}

impl Asker {
    /// The device that the server knows by `kid` and this secret.
    ///
    /// # Errors
    /// [`TooLong`], for a name.
    pub fn new(kid: &[u8], secret: &[u8]) -> Result<Self, TooLong> {
        let master = Master { secret, salt: &[], id_context: IdContext::None };
        let keys = Keys::derive(&master, Kid::new(kid)?, Kid::default())?;
        let mut sequence = Sequence::resume(0);
        sequence.reserved(Reserve { up_to: u64::MAX });
        Ok(Self { context: Context::new(keys, sequence, Replay::new()), asked: 0, echo: None })
    }

    /// The next question, sealed: the check-in `body`. Devices that share a socket need ids of their own.
    ///
    /// # Panics
    /// If it does not fit a datagram.
    pub fn ask(&mut self, id: MessageId, body: &[u8]) -> Vec<u8> {
        self.post(id, None, body)
    }

    /// The first block of a body that is to go on.
    ///
    /// # Panics
    /// If it does not fit a datagram.
    pub fn begin_body(&mut self, id: MessageId, block: &[u8; 1_024]) -> Vec<u8> {
        self.post(id, Some(FIRST_OF_MORE), block)
    }

    #[expect(clippy::expect_used, reason = "small messages")]
    fn post(&mut self, id: MessageId, block1: Option<[u8; 1]>, body: &[u8]) -> Vec<u8> {
        let mut plain: Datagram = EMPTY_DATAGRAM;
        let writer = Writer::new(&mut plain, Kind::Confirmable, Code::POST, id, Token::EMPTY);
        let mut writer = writer.expect("room for a head");
        if let Some(value) = block1 {
            writer.option(OptionNumber::BLOCK1, &value).expect("room for an option");
        }
        if let Some(echo) = self.echo.take() {
            writer.option(OptionNumber::ECHO, &echo).expect("the last option");
        }
        let len = writer.finish(body).expect("a small message");
        let mut sealed: Datagram = EMPTY_DATAGRAM;
        let sealed_len = self.context.seal_request(&plain[..len], &mut sealed);
        let (len, number) = sealed_len.expect("a small message under a reserved number");
        self.asked = number;
        sealed[..len].to_vec()
    }

    /// What `datagram` says, which is spent.
    pub fn hear(&mut self, datagram: &mut [u8]) -> Said {
        let mut plain: Datagram = EMPTY_DATAGRAM;
        let opened = self.context.open_answer(self.asked, datagram, &mut plain).ok();
        let answer = opened.and_then(|len| Message::parse(plain.get(..len)?).ok());
        let Some(answer) = answer else { return Said::Nothing };
        self.echo = answer.options.first(OptionNumber::ECHO).map(<[u8]>::to_vec);
        match answer.code {
            Code::UNAUTHORIZED if self.echo.is_some() => Said::Again,
            code if code.class() == 2 => Said::Answer(answer.payload.to_vec()),
            code => Said::Refused(code),
        }
    }
}
