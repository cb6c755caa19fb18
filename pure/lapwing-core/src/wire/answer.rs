//! What a check-in gets: nothing, a question back, a signed status, an offer, a hint, or "wait".
//!
//! Touches: `crate::cbor`. Signed parts stay bytes here; `anchor.rs` opens them.
//! Never: trusts the frame; only what is signed moves a device, save for the cheap answers on a
//! channel that authenticates the server.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array, read_optional, read_raw, write_optional};
use crate::digest::{Digest, ShortDigest};
use crate::id::AttemptId;
use crate::limits::ANSWER_BYTES_MAX;
use crate::time::UnixSeconds;
use minicbor::Decoder;

/// The time, and when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The server's time.
    pub now: UnixSeconds,
    /// Seconds until the next check-in.
    pub next_check_in_s: u32,
}

impl Wire<'_> for Status {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.now.write(out.array(2)?)?;
        out.u32(self.next_check_in_s)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { now: UnixSeconds::read(input)?, next_check_in_s: input.u32()? })
    }
}

/// How an image travels to one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Travel {
    /// Codec of the artifact, by its number in the delta format.
    pub codec: u8,
    /// Memory profile of the artifact, by its number in the delta format.
    pub profile: u8,
    /// The image it must be applied to; none for a full image.
    pub from: Option<ShortDigest>,
    /// The artifact, byte for byte.
    pub artifact: Digest,
    /// Its size.
    pub artifact_size_bytes: u64,
}

impl Wire<'_> for Travel {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(5)?.u8(self.codec)?.u8(self.profile)?;
        write_optional(out, self.from.as_ref())?;
        self.artifact.write(out)?;
        out.u64(self.artifact_size_bytes)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 5)?;
        Ok(Self {
            codec: input.u8()?,
            profile: input.u8()?,
            from: read_optional(input, ShortDigest::read)?,
            artifact: Digest::read(input)?,
            artifact_size_bytes: input.u64()?,
        })
    }
}

/// When a device may switch, in seconds from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchWindow {
    /// Not before this many seconds.
    pub opens_in_s: u32,
    /// Not after this many.
    pub closes_in_s: u32,
}

/// Whether anything waits for an offered release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Urgency {
    /// The device takes it when it may.
    #[default]
    Routine = 0,
    /// A person asked for it now: a device that watches its last update ends that early. Its gates hold.
    Now = 1,
}

/// Names a release, how it travels and until when. The release itself is signed by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Every report on it carries this.
    pub attempt: AttemptId,
    /// The server's time.
    pub now: UnixSeconds,
    /// Digest of the complete signed release.
    pub release: Digest,
    /// How the image travels.
    pub travel: Travel,
    /// Seconds of uptime for which a switch may rest on this offer.
    pub ttl_s: u32,
    /// Seconds until the fleet counts silence as failure.
    pub deadline_s: u32,
    /// When to switch, if not at once.
    pub switch_window: Option<SwitchWindow>,
    /// Whether it waits for the follow-ups of the last update.
    pub urgency: Urgency,
}

impl Wire<'_> for Offer {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(8)?.u64(self.attempt.0)?;
        self.now.write(out)?;
        self.release.write(out)?;
        self.travel.write(out)?;
        out.u32(self.ttl_s)?.u32(self.deadline_s)?;
        match self.switch_window {
            Some(window) => out.array(2)?.u32(window.opens_in_s)?.u32(window.closes_in_s)?,
            None => out.null()?,
        };
        out.u8(self.urgency as u8)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 8)?;
        let offer = Self {
            attempt: AttemptId(input.u64()?),
            now: UnixSeconds::read(input)?,
            release: Digest::read(input)?,
            travel: Travel::read(input)?,
            ttl_s: input.u32()?,
            deadline_s: input.u32()?,
            switch_window: read_optional(input, |input| {
                read_array(input, 2)?;
                let window = SwitchWindow { opens_in_s: input.u32()?, closes_in_s: input.u32()? };
                (window.opens_in_s <= window.closes_in_s).then_some(window).ok_or(DecodeError::BadValue)
            })?,
            urgency: match input.u8()? {
                0 => Urgency::Routine,
                1 => Urgency::Now,
                _ => return Err(DecodeError::BadValue),
            },
        };
        (offer.attempt != AttemptId::NONE).then_some(offer).ok_or(DecodeError::BadValue)
    }
}

/// What the server wants to hear before it says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// A nonce, because something is waiting that must be signed.
    pub nonce: bool,
    /// The device's facts, because the server does not hold them.
    pub facts: bool,
}

/// Why a device is told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The server is busy or restarting.
    Busy,
    /// Its artifact is being made.
    Preparing,
    /// It is in quarantine, until a person decides.
    Quarantined,
}

/// The frame of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'b> {
    /// Nothing new. Only where the channel authenticates the server.
    Nothing {
        /// Seconds until the next check-in.
        next_check_in_s: u32,
    },
    /// Ask again, with more. Only where the channel authenticates the server.
    Ask(Ask),
    /// A signed [`Status`].
    Status(&'b [u8]),
    /// A signed [`Offer`], and the signed release unless the device holds it.
    Offer {
        /// The offer's envelope.
        offer: &'b [u8],
        /// The release's envelope.
        release: Option<&'b [u8]>,
    },
    /// Newer trust documents exist. They carry their own proof.
    CatchUp {
        /// Newest root document.
        root: u32,
        /// Newest delegation.
        delegation: u32,
    },
    /// Not now.
    Wait {
        /// Seconds until the next check-in.
        after_s: u32,
        /// Why.
        reason: WaitReason,
    },
}

impl<'b> Wire<'b> for Answer<'b> {
    const BYTES_MAX: usize = ANSWER_BYTES_MAX;

    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        match *self {
            Self::Nothing { next_check_in_s } => out.array(2)?.u8(0)?.u32(next_check_in_s).map(drop)?,
            Self::Ask(ask) => {
                let bits = u8::from(ask.nonce) | u8::from(ask.facts) << 1;
                out.array(2)?.u8(1)?.u8(bits).map(drop)?;
            }
            Self::Status(envelope) => write_raw(out.array(2)?.u8(2)?, envelope)?,
            Self::Offer { offer, release: None } => write_raw(out.array(2)?.u8(3)?, offer)?,
            Self::Offer { offer, release: Some(release) } => {
                write_raw(out.array(3)?.u8(3)?, offer)?;
                write_raw(out, release)?;
            }
            Self::CatchUp { root, delegation } => {
                out.array(3)?.u8(4)?.u32(root)?.u32(delegation).map(drop)?;
            }
            Self::Wait { after_s, reason } => {
                out.array(3)?.u8(5)?.u32(after_s)?.u8(reason as u8).map(drop)?;
            }
        }
        Ok(())
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let items = input.array()?;
        match (input.u8()?, items) {
            (0, Some(2)) => Ok(Self::Nothing { next_check_in_s: input.u32()? }),
            (1, Some(2)) => match input.u8()? {
                bits @ 1..=3 => Ok(Self::Ask(Ask { nonce: bits & 1 != 0, facts: bits & 2 != 0 })),
                _ => Err(DecodeError::BadValue),
            },
            (2, Some(2)) => Ok(Self::Status(read_raw(input)?)),
            (3, Some(2)) => Ok(Self::Offer { offer: read_raw(input)?, release: None }),
            (3, Some(3)) => Ok(Self::Offer { offer: read_raw(input)?, release: Some(read_raw(input)?) }),
            (4, Some(3)) => Ok(Self::CatchUp { root: input.u32()?, delegation: input.u32()? }),
            (5, Some(3)) => Ok(Self::Wait { after_s: input.u32()?, reason: WaitReason::read(input)? }),
            _ => Err(DecodeError::Malformed),
        }
    }
}

impl Wire<'_> for WaitReason {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.u8(*self as u8)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.u8()? {
            0 => Ok(Self::Busy),
            1 => Ok(Self::Preparing),
            2 => Ok(Self::Quarantined),
            _ => Err(DecodeError::BadValue),
        }
    }
}

/// Puts an already encoded item in place.
fn write_raw(out: &mut Out<'_>, item: &[u8]) -> Result<(), NoRoom> {
    minicbor::encode::Write::write_all(out.writer_mut(), item).map_err(|_| NoRoom)
}
