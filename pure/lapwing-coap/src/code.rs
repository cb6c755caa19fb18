//! Codes, kinds and option numbers: the assigned numbers of CoAP.
//!
//! Touches: nothing. Source: RFC 7252 section 12, RFC 7641, RFC 7959, RFC 8516, RFC 8613, RFC 9175.

/// How a message wants to be treated by the message layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Wants an acknowledgement.
    Confirmable,
    /// Wants none.
    NonConfirmable,
    /// Is one, often with the answer on its back.
    Acknowledgement,
    /// Says that a message could not be used.
    Reset,
}

/// A method or the outcome of one: class in the upper three bits, detail below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u8);

#[expect(missing_docs, reason = "assigned names")]
impl Code {
    pub const EMPTY: Self = Self(0);
    pub const GET: Self = Self::new(0, 1);
    pub const POST: Self = Self::new(0, 2);
    pub const FETCH: Self = Self::new(0, 5);
    pub const VALID: Self = Self::new(2, 3);
    pub const CHANGED: Self = Self::new(2, 4);
    pub const CONTENT: Self = Self::new(2, 5);
    pub const CONTINUE: Self = Self::new(2, 31);
    pub const BAD_REQUEST: Self = Self::new(4, 0);
    pub const UNAUTHORIZED: Self = Self::new(4, 1);
    pub const BAD_OPTION: Self = Self::new(4, 2);
    pub const FORBIDDEN: Self = Self::new(4, 3);
    pub const NOT_FOUND: Self = Self::new(4, 4);
    pub const METHOD_NOT_ALLOWED: Self = Self::new(4, 5);
    pub const REQUEST_INCOMPLETE: Self = Self::new(4, 8);
    pub const TOO_LARGE: Self = Self::new(4, 13);
    pub const TOO_MANY_REQUESTS: Self = Self::new(4, 29);
    pub const INTERNAL: Self = Self::new(5, 0);
    pub const UNAVAILABLE: Self = Self::new(5, 3);

    const fn new(class: u8, detail: u8) -> Self {
        Self(class << 5 | detail)
    }

    /// The code that means what an HTTP status of 400 to 431 or 500 to 531 means (RFC 8075 section 7).
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            400..=431 | 500..=531 => {
                let [_, class] = (status / 100).to_be_bytes();
                let [_, detail] = (status % 100).to_be_bytes();
                Self::new(class, detail)
            }
            _ => Self::INTERNAL,
        }
    }

    /// 0 for requests, 2 for success, 4 and 5 for errors.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.0 >> 5
    }

    /// Whether it asks for something.
    #[must_use]
    pub const fn is_request(self) -> bool {
        self.class() == 0 && self.0 != 0
    }

    /// Whether it answers something.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self.class(), 2 | 4 | 5)
    }
}

/// Which option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OptionNumber(pub u16);

#[expect(missing_docs, reason = "assigned names")]
impl OptionNumber {
    pub const URI_HOST: Self = Self(3);
    pub const ETAG: Self = Self(4);
    pub const OBSERVE: Self = Self(6);
    pub const URI_PORT: Self = Self(7);
    pub const OSCORE: Self = Self(9);
    pub const URI_PATH: Self = Self(11);
    pub const CONTENT_FORMAT: Self = Self(12);
    /// Also the hint of 4.29 and 5.03 in seconds (RFC 8516).
    pub const MAX_AGE: Self = Self(14);
    pub const URI_QUERY: Self = Self(15);
    pub const ACCEPT: Self = Self(17);
    pub const BLOCK2: Self = Self(23);
    pub const BLOCK1: Self = Self(27);
    pub const SIZE2: Self = Self(28);
    pub const SIZE1: Self = Self(60);
    pub const ECHO: Self = Self(252);

    /// Whether a receiver that does not know it must refuse the message (RFC 7252 section 5.4.1).
    #[must_use]
    pub const fn is_critical(self) -> bool {
        self.0 & 1 == 1
    }
}
