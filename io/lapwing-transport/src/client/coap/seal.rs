//! The device's security context: seals what goes out, opens what comes back, and uses no number twice.
//!
//! Touches: the caller's store of numbers. What is learnt about the link stays here from one exchange to the next.
//! Never: shows a key, or seals under a number that was not reserved durably first.

use crate::client::ExchangeError;
use crate::client::meter::Meter;
use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use lapwing_coap::oscore::{Context, IdContext, Keys, Kid, Master, Replay, Reserve, SealError, Sequence};
use lapwing_coap::{Code, Estimator, Message, MessageId, OptionNumber, Token, WriteError};
use lapwing_core::Uptime;
use lapwing_core::wire::claim::DeviceSecret;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// Makes a reservation durable: numbers below it may be used afterwards, and never again after a power cut.
pub type ReserveNumbers = Box<dyn FnMut(u64) -> io::Result<()> + Send>;

/// What a device was provisioned with to talk CoAP.
pub struct SecurityContext {
    context: Context,
    reserve: ReserveNumbers,
    began: Instant,
    /// What crosses the link is counted there.
    pub(super) meter: Meter,
    /// How long answers take.
    pub(super) estimator: Estimator,
    /// From where the last answer came.
    pub(super) answered: Option<SocketAddr>,
    /// What the server wants to see again before it acts.
    echo: Option<Vec<u8>>,
    /// And whether the last answer said nothing else.
    pub(super) is_challenged: bool,
}

/// A datagram's room.
pub(super) type Room = [u8; DATAGRAM_BYTES_MAX];
pub(super) const ROOM: Room = [0; DATAGRAM_BYTES_MAX];

impl SecurityContext {
    /// The context that messages of this device name by `kid`. Numbers go on at `saved`, the last reservation that
    /// `reserve` made durable; `first_timer_ms` is how long the first answer on this link may take.
    ///
    /// # Errors
    /// If `kid` is longer than a name may be.
    pub fn new(
        kid: &[u8],
        secret: &DeviceSecret,
        saved: u64,
        reserve: ReserveNumbers,
        first_timer_ms: u64,
    ) -> io::Result<Self> {
        let master = Master { secret: &secret.0, salt: &[], id_context: IdContext::None };
        let keys = Kid::new(kid).and_then(|kid| Keys::derive(&master, kid, Kid::default()));
        let keys = keys.map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            context: Context::new(keys, Sequence::resume(saved), Replay::new()),
            reserve,
            began: Instant::now(),
            meter: Meter::new(),
            estimator: Estimator::new(first_timer_ms),
            answered: None,
            echo: None,
            is_challenged: false,
        })
    }

    /// What crosses the link is counted by this.
    pub(in crate::client) fn counted(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// Time since this context was taken up.
    pub(super) fn now(&self) -> Uptime {
        Uptime(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The number of the next request, reserved.
    pub(super) fn next_number(&mut self) -> Result<u64, ExchangeError> {
        self.context.sequence.peek().or_else(|wanted| {
            (self.reserve)(wanted.up_to).map_err(|error| ExchangeError::Numbers(error.kind()))?;
            self.context.sequence.reserved(wanted);
            self.context
                .sequence
                .peek()
                .map_err(|Reserve { .. }| ExchangeError::Numbers(io::ErrorKind::Other))
        })
    }

    /// Seals the request that `write` writes, under the next number; its id, and its token if it has one, are made of
    /// that number.
    pub(super) fn seal(
        &mut self,
        write: impl FnOnce(&mut Room, MessageId, Option<&[u8]>) -> Result<usize, WriteError>,
        out: &mut Room,
    ) -> Result<(usize, u64), ExchangeError> {
        let number = self.next_number()?;
        let [low, high, ..] = number.to_le_bytes();
        let mut plain = ROOM;
        let written = write(&mut plain, MessageId(u16::from_le_bytes([low, high])), self.echo.as_deref());
        let plain = written.ok().and_then(|len| plain.get(..len)).ok_or(ExchangeError::Nonsense)?;
        self.context.seal_request(plain, out).map_err(|error| match error {
            SealError::Reserve(_) => ExchangeError::Numbers(io::ErrorKind::Other),
            SealError::Message => ExchangeError::Nonsense,
        })
    }

    /// Opens the answer to request `number` into `out`, and returns its bytes; none if it is not one. Remembers what the
    /// server wants to see again.
    pub(super) fn open(&mut self, number: u64, datagram: &mut [u8], out: &mut Room) -> Option<usize> {
        let len = self.context.open_answer(number, datagram, out).ok()?;
        let answer = Message::parse(out.get(..len)?).ok()?;
        self.echo = answer.options.first(OptionNumber::ECHO).map(<[u8]>::to_vec);
        self.is_challenged = answer.code == Code::UNAUTHORIZED && self.echo.is_some();
        Some(len)
    }
}

/// A token of one byte, which tells the requests of a window apart.
pub(super) fn token(number: u64) -> Token {
    let [low, ..] = number.to_le_bytes();
    Token::new(&[low]).unwrap_or_default()
}

impl fmt::Debug for SecurityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityContext")
    }
}
