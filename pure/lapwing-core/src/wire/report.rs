//! What a device says about its attempts: numbered events, repeated until acknowledged.
//!
//! Pairs of attempt and number are unique, so saying one twice does no harm. The names of events
//! are fixed; `docs/glossary.md` ties each to a device state and an attempt state. Numbers of the future pass
//! through as they came: a device may be newer than its fleet, and its record than the image it went back to.

use super::cause::Cause;
use super::check_in::Gate;
use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array, read_list, read_optional, write_list};
use crate::digest::ShortDigest;
use crate::id::AttemptId;
use crate::limits::{REPORT_BYTES_MAX, REPORT_EVENTS_MAX};
use minicbor::Decoder;

/// Defines the events once: number, name, dotted name.
macro_rules! event_kinds {
    ($($code:literal $name:ident $label:literal: $words:literal;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventKind {
            $(#[doc = $words] $name,)*
            /// One that this code does not know; never the number of one that it does.
            Unknown(u8),
        }

        impl EventKind {
            /// All known kinds, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its frozen number.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* Self::Unknown(code) => code }
            }

            /// The kind with this number.
            #[must_use]
            pub const fn from_code(code: u8) -> Self {
                match code { $($code => Self::$name,)* code => Self::Unknown(code) }
            }

            /// Its name for people and consumers.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* Self::Unknown(_) => "update.unknown" }
            }
        }
    };
}

event_kinds! {
    1 CheckStarted "update.check.started": "A check-in began.";
    2 CheckCompleted "update.check.completed": "A check-in was answered.";
    3 Offered "update.offered": "A genuine offer arrived.";
    4 Deferred "update.deferred": "A gate holds the update back.";
    5 DownloadStarted "update.download.started": "The first byte was asked for.";
    6 DownloadProgress "update.download.progress": "So many percent have arrived.";
    7 DownloadCompleted "update.download.completed": "The artifact is whole.";
    8 DownloadFailed "update.download.failed": "The download was given up.";
    9 VerifyFailed "update.verify.failed": "The offer, the release or the image was refused.";
    10 InstallStarted "update.install.started": "The spare slot is being written.";
    11 InstallCompleted "update.install.completed": "The spare slot holds the image.";
    12 RebootStarted "update.reboot.started": "The switch was made, the restart begins.";
    13 RebootCompleted "update.reboot.completed": "The new image runs.";
    14 HealthOk "update.health.ok": "Health held as long as it must.";
    15 HealthFailed "update.health.failed": "A health check fails.";
    16 Confirmed "update.confirmed": "The trial was good.";
    17 RollbackTriggered "update.rollback.triggered": "The device goes back.";
    18 RollbackCompleted "update.rollback.completed": "The old image runs again.";
    19 AttemptFailed "update.failed": "The attempt ended without a switch.";
}

impl EventKind {
    /// Whether it ends an attempt. Outcomes are never dropped.
    #[must_use]
    pub const fn is_outcome(self) -> bool {
        matches!(self, Self::Confirmed | Self::RollbackCompleted | Self::AttemptFailed)
    }
}

/// One thing that happened on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// In which attempt, if in any.
    pub attempt: AttemptId,
    /// Counts up on the device, never reused within an attempt.
    pub number: u32,
    /// What.
    pub kind: EventKind,
    /// The image that ran when it happened.
    pub running: ShortDigest,
    /// What more there is to say.
    pub detail: Detail,
}

/// What more there is to say about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// Why it failed.
    Cause(Cause),
    /// What holds it back.
    Gate(Gate),
    /// A share in percent, a count of bytes, or seconds until the way back closes, as the kind says.
    Amount(u64),
    /// One that this code does not know: its own number, and what it says.
    Unknown(u8, u64),
}

impl Wire<'_> for Event {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(5)?.u64(self.attempt.0)?.u32(self.number)?.u8(self.kind.code())?;
        self.running.write(out)?;
        match self.detail {
            Detail::None => out.null()?,
            Detail::Cause(cause) => out.array(2)?.u8(0)?.u16(cause.code())?,
            Detail::Gate(gate) => out.array(2)?.u8(1)?.u8(gate.code())?,
            Detail::Amount(amount) => out.array(2)?.u8(2)?.u64(amount)?,
            Detail::Unknown(kind, number) => out.array(2)?.u8(kind)?.u64(number)?,
        };
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 5)?;
        Ok(Self {
            attempt: AttemptId(input.u64()?),
            number: input.u32()?,
            kind: match input.u8()? {
                0 => return Err(DecodeError::BadValue),
                code => EventKind::from_code(code),
            },
            running: ShortDigest::read(input)?,
            detail: read_optional(input, read_detail)?.unwrap_or(Detail::None),
        })
    }
}

fn read_detail(input: &mut Decoder<'_>) -> Result<Detail, DecodeError> {
    read_array(input, 2)?;
    Ok(match input.u8()? {
        0 => Detail::Cause(Cause::from_code(input.u16()?)),
        1 => Detail::Gate(Gate::from_code(input.u8()?)),
        2 => Detail::Amount(input.u64()?),
        kind => Detail::Unknown(kind, input.u64()?),
    })
}

/// A batch of events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The events.
    pub events: heapless::Vec<Event, REPORT_EVENTS_MAX>,
}

impl Wire<'_> for Report {
    const BYTES_MAX: usize = REPORT_BYTES_MAX;

    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        write_list(out.array(2)?.u64(super::check_in::PROTOCOL)?, &self.events)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        match input.u64()? {
            super::check_in::PROTOCOL => Ok(Self { events: read_list(input, Event::read)? }),
            other => Err(DecodeError::UnknownVersion(other)),
        }
    }
}
