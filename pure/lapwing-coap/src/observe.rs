//! Wake-up calls: who wants them, and which of two that arrive is the newer.
//!
//! Touches: nothing. A call says "check in now" and has no other authority. Never: sends, or keeps a list.
//! Source: RFC 7641, and RFC 8613 section 4.1.3.5 for those that are sealed.

use crate::code::OptionNumber;
use crate::message::Message;

/// What a request with the option wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To be called from now on.
    Register,
    /// Not to be called any more.
    Deregister,
}

impl Wish {
    /// The value of the option that says so.
    #[must_use]
    pub const fn value(self) -> u32 {
        match self {
            Self::Register => 0,
            Self::Deregister => 1,
        }
    }

    /// What a request says; none if it is an ordinary one.
    #[must_use]
    pub fn of(request: &Message<'_>) -> Option<Self> {
        let value = request.options.uint(OptionNumber::OBSERVE)?;
        [Self::Register, Self::Deregister].into_iter().find(|wish| wish.value() == value)
    }
}

/// The number of a call that was sealed. That alone tells its age: time does not, so that an old one cannot be sent
/// again by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notified(u32);

impl Notified {
    /// What an answer says of itself; none if no further one will follow.
    #[must_use]
    pub fn of(answer: &Message<'_>) -> Option<Self> {
        answer.options.uint(OptionNumber::OBSERVE).map(|value| Self(value & 0xff_ffff))
    }

    /// Whether this one is newer than `other`, also over the end of the 24 bits.
    #[must_use]
    pub const fn is_newer_than(self, other: Self) -> bool {
        let ahead = self.0.wrapping_sub(other.0) & 0xff_ffff;
        ahead != 0 && ahead < 1 << 23
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Kind, MessageId, Token, Writer};

    #[test]
    fn newer_is_told_over_the_end_of_the_numbers() {
        assert!(Notified(2).is_newer_than(Notified(1)));
        assert!(!Notified(1).is_newer_than(Notified(2)));
        assert!(!Notified(1).is_newer_than(Notified(1)));
        assert!(Notified(3).is_newer_than(Notified(0xff_fffe)));
    }

    #[test]
    fn a_wish_is_one_of_two_values_and_anything_else_is_an_ordinary_request() {
        let wish = |value: Option<u32>| {
            let mut out = [0; 16];
            let id = MessageId(1);
            let mut writer = Writer::new(&mut out, Kind::Confirmable, Code::GET, id, Token::EMPTY).unwrap();
            value.map(|value| writer.uint(OptionNumber::OBSERVE, value).map(drop));
            let len = writer.finish(&[]).unwrap();
            Wish::of(&Message::parse(&out[..len]).unwrap())
        };
        assert_eq!(wish(Some(0)), Some(Wish::Register));
        assert_eq!(wish(Some(1)), Some(Wish::Deregister));
        assert_eq!((wish(Some(2)), wish(None)), (None, None));
    }
}
