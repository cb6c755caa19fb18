//! How names and times are spelled where a value is stored or sent as JSON.
//!
//! Touches: `serde`. `lapwing_core` itself is for microcontrollers and knows nothing of it.
//! Never: reads what its own type would refuse.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Display;
use std::str::FromStr;

/// As its own text.
pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// From its own text.
pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

/// The same for what may be absent.
pub(crate) mod perhaps {
    use super::{Deserialize, Deserializer, Display, Error, FromStr, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Times, as whole seconds since 1970.
pub(crate) mod seconds {
    use lapwing_core::UnixSeconds;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &UnixSeconds, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixSeconds, D::Error> {
        u64::deserialize(from).map(UnixSeconds)
    }

    /// The same for what may not have come yet.
    pub(crate) mod perhaps {
        use lapwing_core::UnixSeconds;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(crate) fn serialize<S: Serializer>(time: &Option<UnixSeconds>, to: S) -> Result<S::Ok, S::Error> {
            time.map(|time| time.0).serialize(to)
        }

        pub(crate) fn deserialize<'de, D>(from: D) -> Result<Option<UnixSeconds>, D::Error>
        where
            D: Deserializer<'de>,
        {
            Ok(Option::<u64>::deserialize(from)?.map(UnixSeconds))
        }
    }
}
