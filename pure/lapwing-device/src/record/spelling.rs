//! The bytes of a record: one spelling, with the number of the format first.
//!
//! Touches: `lapwing_core::cbor`. Never: guesses at another format.

use super::{Attempt, Candidate, Floor, Installed, Ledger, Record, Refusal, Stage, TrialLog};
use lapwing_core::cbor::{
    DecodeError, NoRoom, Out, Wire, read_array, read_list, read_optional, write_list, write_optional,
};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::HealthRow;
use lapwing_core::wire::report::Event;
use lapwing_core::{AttemptId, Digest, KeyId, UnixSeconds, Version};
use minicbor::Decoder;

const FORMAT: u64 = 1;

impl Wire<'_> for Record {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        // Without a ledger, the spelling of devices that never had a budget.
        out.array(if self.ledger.is_some() { 13 } else { 12 })?.u64(FORMAT)?;
        self.confirmed.write(out)?;
        write_optional(out, self.previous.as_ref())?;
        out.u64(self.seq_blamed)?.u32(self.security_floor)?;
        write_optional(out, self.floor.as_ref())?;
        write_optional(out, self.attempt.as_ref())?;
        write_optional(out, self.excused_once.as_ref())?;
        write_list(out, &self.refused)?;
        write_list(out, &self.events)?;
        write_list(out, &self.health)?;
        out.u32(self.next_event)?;
        self.ledger.as_ref().map_or(Ok(()), |ledger| ledger.write(out))
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let has_ledger = match input.array()? {
            Some(12) => false,
            Some(13) => true,
            _ => return Err(DecodeError::Malformed),
        };
        match input.u64()? {
            FORMAT => {}
            other => return Err(DecodeError::UnknownVersion(other)),
        }
        Ok(Self {
            confirmed: Installed::read(input)?,
            previous: read_optional(input, Installed::read)?,
            seq_blamed: input.u64()?,
            security_floor: input.u32()?,
            floor: read_optional(input, Floor::read)?,
            attempt: read_optional(input, Attempt::read)?,
            excused_once: read_optional(input, Digest::read)?,
            refused: read_list(input, Refusal::read)?,
            events: read_list(input, Event::read)?,
            health: read_list(input, HealthRow::read)?,
            next_event: input.u32()?,
            ledger: has_ledger.then(|| Ledger::read(input)).transpose()?,
        })
    }
}

impl Wire<'_> for Ledger {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(3)?.u64(self.day)?.u64(self.day_bytes)?.u64(self.month_bytes)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 3)?;
        Ok(Self { day: input.u64()?, day_bytes: input.u64()?, month_bytes: input.u64()? })
    }
}

impl Wire<'_> for Installed {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.version.write(out.array(3)?)?;
        out.u64(self.seq)?.u32(self.security_version)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 3)?;
        Ok(Self { version: Version::read(input)?, seq: input.u64()?, security_version: input.u32()? })
    }
}

impl Wire<'_> for Floor {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.time.write(out.array(2)?)?;
        self.key.write(out)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { time: UnixSeconds::read(input)?, key: KeyId::read(input)? })
    }
}

impl Wire<'_> for Refusal {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(2)?.u64(self.attempt.0)?;
        self.digest.write(out)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { attempt: AttemptId(input.u64()?), digest: Digest::read(input)? })
    }
}

impl Wire<'_> for Candidate {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.release.write(out.array(6)?)?;
        self.installed.write(out)?;
        self.image.write(out.u32(self.raise_to)?)?;
        out.u64(self.image_size_bytes)?;
        match self.trial_s_max {
            Some(seconds) => out.u32(seconds)?,
            None => out.null()?,
        };
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 6)?;
        Ok(Self {
            release: Digest::read(input)?,
            installed: Installed::read(input)?,
            raise_to: input.u32()?,
            image: Digest::read(input)?,
            image_size_bytes: input.u64()?,
            trial_s_max: read_optional(input, |input| Ok(input.u32()?))?,
        })
    }
}

impl Wire<'_> for Attempt {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(3)?.u64(self.id.0)?;
        self.candidate.write(out)?;
        self.stage.write(out)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 3)?;
        Ok(Self {
            id: AttemptId(input.u64()?),
            candidate: Candidate::read(input)?,
            stage: Stage::read(input)?,
        })
    }
}

impl Wire<'_> for Stage {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        match self {
            Self::Fetching => out.array(1)?.u8(0).map(drop)?,
            Self::Staged => out.array(1)?.u8(1).map(drop)?,
            Self::Switching => out.array(1)?.u8(2).map(drop)?,
            Self::Trial(log) => {
                out.array(5)?.u8(3)?.u64(log.elapsed_ms)?.bool(log.checked_in)?;
                for moments in [&log.reboots, &log.watchdogs] {
                    out.array(moments.len() as u64)?;
                    moments.iter().try_for_each(|moment| out.u64(*moment).map(drop))?;
                }
            }
            Self::Watching { follow_ups, elapsed_ms } => {
                out.array(3)?.u8(4)?.u8(*follow_ups)?.u64(*elapsed_ms).map(drop)?;
            }
            Self::Returning(cause) => out.array(2)?.u8(5)?.u16(cause.code()).map(drop)?,
            Self::Judging => out.array(1)?.u8(6).map(drop)?,
        }
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let items = input.array()?;
        match (input.u8()?, items) {
            (0, Some(1)) => Ok(Self::Fetching),
            (1, Some(1)) => Ok(Self::Staged),
            (2, Some(1)) => Ok(Self::Switching),
            (3, Some(5)) => Ok(Self::Trial(TrialLog {
                elapsed_ms: input.u64()?,
                checked_in: input.bool()?,
                reboots: read_list(input, |input| Ok(input.u64()?))?,
                watchdogs: read_list(input, |input| Ok(input.u64()?))?,
            })),
            (4, Some(3)) => Ok(Self::Watching { follow_ups: input.u8()?, elapsed_ms: input.u64()? }),
            (5, Some(2)) => Ok(Self::Returning(Cause::from_code(input.u16()?))),
            (6, Some(1)) => Ok(Self::Judging),
            _ => Err(DecodeError::Malformed),
        }
    }
}
