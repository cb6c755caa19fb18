//! Listening for calls by CoAP: one request that the server answers again whenever the device should check in.
//!
//! Touches: `seal`, a socket that stays open. Source: formats/coap.md, RFC 7641.
//! Never: takes a call for more than that, or twice, or one that does not open.

use super::question::{Ask, Line, judge};
use super::seal::{ROOM, SecurityContext};
use super::socket::{Socket, addresses};
use crate::client::limits::{CALLS_AT_ONCE_MAX, LISTENING};
use crate::client::{ExchangeError, ServerUrl};
use lapwing_coap::{Code, Kind, MAX_AGE_S_UNSAID, Message, Notified, OptionNumber, Wish, empty};
use std::fmt;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A device that listens.
pub struct Listening {
    seal: Arc<Mutex<SecurityContext>>,
    socket: Socket,
    /// Of the request that calls answer.
    number: u64,
    last: Option<Notified>,
    lasts: Duration,
}

impl Listening {
    pub(in crate::client) fn begin(
        seal: &Arc<Mutex<SecurityContext>>,
        server: &ServerUrl,
        timeout: Duration,
    ) -> Result<Self, ExchangeError> {
        let mut context = seal.lock().unwrap_or_else(PoisonError::into_inner);
        let address = addresses(server, context.answered)?.into_iter().next();
        let address = address.ok_or(ExchangeError::Nonsense)?;
        let mut line = Line::to(address, &mut context, timeout)?;
        let (path, wish) = (&["w"][..], Some(Wish::Register));
        let question = Ask { code: Code::GET, path, wish, body: &[], bytes_max: 0, timeout };
        let mut room = ROOM;
        let answer = line.exchange(&question, &|_| Ok(()), &[], &mut room)?;
        judge(&answer)?;
        let lasts_s = answer.options.uint(OptionNumber::MAX_AGE).unwrap_or(MAX_AGE_S_UNSAID);
        let lasts = Duration::from_secs(lasts_s.into()).clamp(*LISTENING.start(), *LISTENING.end());
        if Notified::of(&answer).is_none() {
            return Err(ExchangeError::Busy { status: 503, retry_after: Some(lasts) });
        }
        let Line { socket, number, .. } = line;
        Ok(Self { seal: Arc::clone(seal), socket, number, last: None, lasts })
    }

    /// For how long the server keeps its promise, from the beginning.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Whether somebody called since this was last asked. Does not wait.
    ///
    /// # Errors
    /// When no further call will come: begin anew.
    pub fn called(&mut self) -> Result<bool, ExchangeError> {
        let mut called = false;
        let (mut datagram, mut room) = (ROOM, ROOM);
        for _ in 0..CALLS_AT_ONCE_MAX {
            let Some(len) = self.socket.receive_ready(&mut datagram)? else { break };
            let came = datagram.get_mut(..len).unwrap_or_default();
            let Ok(&Message { kind, id, .. }) = Message::parse(came).as_ref() else { continue };
            let mut seal = self.seal.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(len) = seal.open(self.number, came, &mut room) else { continue };
            drop(seal);
            if kind == Kind::Confirmable {
                self.socket.send(&empty(Kind::Acknowledgement, id))?;
            }
            let call = Message::parse(room.get(..len).unwrap_or_default());
            let call = call.ok().filter(|call| call.code.class() == 2).and_then(|call| Notified::of(&call));
            let Some(call) = call else {
                return Err(ExchangeError::Connection(ErrorKind::ConnectionAborted));
            };
            if self.last.is_none_or(|last| call.is_newer_than(last)) {
                self.last = Some(call);
                called = true;
            }
        }
        Ok(called)
    }
}

impl AsFd for Listening {
    /// Can be read when something came.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.incoming()
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}
