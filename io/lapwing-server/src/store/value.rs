//! What a column can hold, and how the words of the field are kept in one.
//!
//! Touches: nothing. Truths are 0 and 1, times are seconds since 1970, ids and digests are bytes.
//! Never: a number that does not fit; one that is too large is kept as the largest.

use lapwing_core::{AttemptId, BootId, DeviceId, Digest, ShortDigest, UnixSeconds, Version};

use lapwing_fleet::rollout::{RolloutId, Site};
use std::borrow::Cow;

/// What a column can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

/// What can be given to a statement.
pub(crate) trait Bind {
    fn bind(&self) -> Value<'_>;
}

/// What a column can be read as; none if it holds something else.
pub(crate) trait Column: Sized {
    fn read(value: &Value<'_>) -> Option<Self>;
}

impl<T: Bind + ?Sized> Bind for &T {
    fn bind(&self) -> Value<'_> {
        (**self).bind()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn bind(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Bind::bind)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: &Value<'_>) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::read(value).map(Some) }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Bind for $number {
            fn bind(&self) -> Value<'_> {
                Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
        impl Column for $number {
            fn read(value: &Value<'_>) -> Option<Self> {
                if let Value::Integer(number) = value { (*number).try_into().ok() } else { None }
            }
        }
    )*};
}
numbers!(i64, u64, u32, u16, u8);

impl Bind for bool {
    fn bind(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl Column for bool {
    fn read(value: &Value<'_>) -> Option<Self> {
        i64::read(value).map(|number| number != 0)
    }
}

impl Bind for str {
    /// PostgreSQL knows no NUL in a text, so that none of the engines gets one.
    fn bind(&self) -> Value<'_> {
        Value::Text(if self.contains('\0') { self.replace('\0', "\u{FFFD}").into() } else { self.into() })
    }
}

impl Bind for String {
    fn bind(&self) -> Value<'_> {
        self.as_str().bind()
    }
}

impl Column for String {
    fn read(value: &Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone().into_owned()) } else { None }
    }
}

impl Bind for [u8] {
    fn bind(&self) -> Value<'_> {
        Value::Bytes(self.into())
    }
}

impl Bind for Vec<u8> {
    fn bind(&self) -> Value<'_> {
        self.as_slice().bind()
    }
}

impl Column for Vec<u8> {
    fn read(value: &Value<'_>) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone().into_owned()) } else { None }
    }
}

impl<const N: usize> Bind for [u8; N] {
    fn bind(&self) -> Value<'_> {
        self.as_slice().bind()
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(value: &Value<'_>) -> Option<Self> {
        if let Value::Bytes(bytes) = value { bytes.as_ref().try_into().ok() } else { None }
    }
}

/// Words of the field that are kept as something simpler.
macro_rules! kept_as {
    ($($word:ty, $inner:ty, $as_inner:expr, $from_inner:expr;)*) => {$(
        impl Bind for $word {
            fn bind(&self) -> Value<'_> {
                let as_inner: fn(&$word) -> &$inner = $as_inner;
                as_inner(self).bind()
            }
        }
        impl Column for $word {
            fn read(value: &Value<'_>) -> Option<Self> {
                <$inner as ToOwned>::Owned::read(value).and_then($from_inner)
            }
        }
    )*};
}
kept_as! {
    UnixSeconds, u64, |time| &time.0, |seconds| Some(Self(seconds));
    AttemptId, u64, |id| &id.0, |id| Some(Self(id));
    BootId, [u8; 8], |boot| &boot.0, |boot| Some(Self(boot));
    ShortDigest, [u8; ShortDigest::LEN], |digest| &digest.0, |digest| Some(Self(digest));
    Digest, [u8; Digest::LEN], |digest| digest.as_bytes(), |digest| Some(Self::from_bytes(digest));
    DeviceId, str, |id| id.as_str(), |id| id.parse().ok();
    RolloutId, u64, |id| &id.0, |id| Some(Self(id));
    Site, u64, |site| &site.0, |site| Some(Self(site));
    Version, str, |version| version.as_str(), |version| version.parse().ok();
}
