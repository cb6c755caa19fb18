//! One confirmable request: when to send it again, and whether what came is its answer.
//!
//! Touches: `estimator`. A device has one at a time; many at once are `fetch`. Never: sends, or keeps the
//! message. Source: RFC 7252 sections 4.2, 4.4 and 5.2.

use crate::code::{Code, Kind};
use crate::estimator::Estimator;
use crate::limits::RETRANSMITS_MAX;
use crate::message::{Message, MessageId, Token, empty};
use lapwing_core::Uptime;

/// A confirmable request that is under way.
#[derive(Debug)]
pub struct Exchange {
    id: MessageId,
    token: Token,
    sent: Uptime,
    timer_ms: u64,
    sent_count: u8,
    is_acknowledged: bool,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send the message; for the first time, or the same bytes again.
    Send,
    /// Nothing until then, or until something arrives.
    Wait(Uptime),
    /// Nobody answers.
    Gone,
}

/// What a message meant for the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The answer. If it is confirmable itself, this acknowledges it.
    Answer(Option<[u8; 4]>),
    /// The server has the request, and will answer in its own time.
    Acknowledged,
    /// The server cannot make sense of it.
    Reset,
    /// Not about this exchange.
    NotOurs,
}

impl Exchange {
    /// A request that was not sent yet. `jitter_permille` (0 to 1000, random) makes the first timer up to half
    /// as long again, so that devices which lost the same cell do not come back together.
    #[must_use]
    pub fn new(id: MessageId, token: Token, estimator: &Estimator, jitter_permille: u16) -> Self {
        let timer_ms = estimator.timer_ms();
        let jitter_ms = timer_ms.saturating_mul(u64::from(jitter_permille.min(1000))) / 2000;
        let timer_ms = timer_ms.saturating_add(jitter_ms);
        Self { id, token, sent: Uptime(0), timer_ms, sent_count: 0, is_acknowledged: false }
    }

    /// What to do now.
    pub fn poll(&mut self, now: Uptime) -> Turn {
        let due = self.sent.after(self.timer_ms);
        if self.sent_count > 0 && now < due {
            return Turn::Wait(due);
        }
        if self.sent_count > RETRANSMITS_MAX || self.is_acknowledged {
            return Turn::Gone;
        }
        if self.sent_count > 0 {
            self.timer_ms = self.timer_ms.saturating_mul(2);
        }
        self.sent_count = self.sent_count.saturating_add(1);
        self.sent = now;
        Turn::Send
    }

    /// Judges a message that arrived. An answer to a request that was sent once teaches the estimator.
    pub fn receive(&mut self, now: Uptime, message: &Message<'_>, estimator: &mut Estimator) -> Heard {
        let heard = match (message.kind, message.code) {
            (Kind::Reset, Code::EMPTY) if message.id == self.id => return Heard::Reset,
            (Kind::Acknowledgement, Code::EMPTY) if message.id == self.id => Heard::Acknowledged,
            (Kind::Acknowledgement, code)
                if code.is_answer() && message.id == self.id && message.token == self.token =>
            {
                Heard::Answer(None)
            }
            (Kind::Confirmable, code) if code.is_answer() && message.token == self.token => {
                Heard::Answer(Some(empty(Kind::Acknowledgement, message.id)))
            }
            (Kind::NonConfirmable, code) if code.is_answer() && message.token == self.token => {
                Heard::Answer(None)
            }
            _ => return Heard::NotOurs,
        };
        if self.sent_count == 1 && !self.is_acknowledged {
            estimator.answered(now.since(self.sent));
        }
        if heard == Heard::Acknowledged && !self.is_acknowledged {
            // Its answer may take as long as the peer may repeat it.
            self.is_acknowledged = true;
            self.timer_ms = crate::limits::EXCHANGE_LIFETIME_MS;
        }
        heard
    }
}
