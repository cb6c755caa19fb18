//! A device's periodic question: what it holds, what it runs, what it wants to know.
//!
//! An idle check-in of one component is 19 bytes. Everything else is said when it changed.
//! Never: names the device; the channel does.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_filled_list, read_list, read_map, write_list};
use crate::digest::ShortDigest;
use crate::id::{BootId, ComponentName, HardwareClass, Nonce};
use crate::limits::{
    CHECK_IN_BYTES_MAX, COMPONENTS_MAX, FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX, GATES_MAX,
    HEALTH_ROWS_MAX,
};
use minicbor::Decoder;

/// The protocol version that this code speaks.
pub const PROTOCOL: u64 = 1;

/// One component as it stands on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentState {
    /// Which.
    pub name: ComponentName,
    /// Digest of the bytes that run, as read.
    pub running: ShortDigest,
    /// Digest of what the spare slot holds, if it is whole.
    pub held: Option<ShortDigest>,
}

impl Wire<'_> for ComponentState {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.name.write(out.array(if self.held.is_some() { 3 } else { 2 })?)?;
        self.running.write(out)?;
        self.held.iter().try_for_each(|held| held.write(out))
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let items = input.array()?;
        let (name, running) = (ComponentName::read(input)?, ShortDigest::read(input)?);
        let held = match items {
            Some(2) => None,
            Some(3) => Some(ShortDigest::read(input)?),
            _ => return Err(DecodeError::Malformed),
        };
        Ok(Self { name, running, held })
    }
}

/// Defines the gates once: number, name. A device asks them in this order.
macro_rules! gates {
    ($($code:literal $name:ident: $words:literal;)*) => {
        /// Something that keeps a device from updating, before it spends anything.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Gate {
            $(#[doc = $words] $name,)*
            /// One that this code does not know; never the number of one that it does.
            Unknown(u8),
        }

        impl Gate {
            /// All known gates, in the order in which a device asks them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its frozen number.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* Self::Unknown(code) => code }
            }

            /// The gate with this number.
            #[must_use]
            pub const fn from_code(code: u8) -> Self {
                match code { $($code => Self::$name,)* code => Self::Unknown(code) }
            }
        }
    };
}

gates! {
    1 OptedOut: "The device, or its owner, opted out.";
    2 VersionPolicy: "Its own version policy.";
    3 Window: "Outside its window.";
    4 Battery: "Too little battery.";
    5 Supply: "Supply not stable.";
    6 Link: "No link, or too poor or too expensive for this size.";
    7 DataBudget: "Data budget of the day or month spent.";
    8 Room: "No room.";
    9 TrialOpen: "A trial is open.";
    12 Watching: "The last update is confirmed, and its way back stays open until the last follow-up.";
    10 ReportsPending: "Too many outcomes not yet acknowledged.";
    11 Host: "A gate of the host.";
}

/// How a running version fares, so that versions can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRow {
    /// Which image.
    pub running: ShortDigest,
    /// Starts of it.
    pub boots: u32,
    /// Of these, after a watchdog reset.
    pub watchdog_resets: u32,
    /// Of these, after a crash.
    pub crashes: u32,
    /// Health as last measured.
    pub health: Health,
    /// A counter of the host's own.
    pub errors: u32,
}

/// Health as a device sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Not measured yet.
    #[default]
    Unknown,
    /// All checks pass.
    Good,
    /// Some check fails.
    Failing,
}

impl Wire<'_> for HealthRow {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.running.write(out.array(6)?)?;
        out.u32(self.boots)?.u32(self.watchdog_resets)?.u32(self.crashes)?;
        out.u8(self.health as u8)?.u32(self.errors)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        crate::cbor::read_array(input, 6)?;
        Ok(Self {
            running: ShortDigest::read(input)?,
            boots: input.u32()?,
            watchdog_resets: input.u32()?,
            crashes: input.u32()?,
            health: match input.u8()? {
                0 => Health::Unknown,
                1 => Health::Good,
                2 => Health::Failing,
                _ => return Err(DecodeError::BadValue),
            },
            errors: input.u32()?,
        })
    }
}

/// What a device says of itself, when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'b> {
    /// What hardware it is.
    pub hardware: HardwareClass,
    /// Version of its bootloader, zero if it has none.
    pub bootloader: u32,
    /// Largest memory profile it can apply, by its number in the delta format.
    pub profile: u8,
    /// Named texts for filters and strata.
    pub named: NamedFacts<'b>,
}

/// A map of short texts, kept as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedFacts<'b>(&'b [u8]);

impl<'b> NamedFacts<'b> {
    /// No facts.
    pub const NONE: Self = Self(&[0xa0]);

    /// The facts, in order of their names' spelling.
    pub fn iter(&self) -> impl Iterator<Item = (&'b str, &'b str)> {
        let mut input = Decoder::new(self.0);
        let pairs = input.map().ok().flatten().unwrap_or(0);
        (0..pairs).map_while(move |_| Some((input.str().ok()?, input.str().ok()?)))
    }

    /// Spells facts into `buffer`: names shortest first, then alphabetical, as the deterministic
    /// rules ask. The caller sorts.
    ///
    /// # Errors
    /// [`NoRoom`] if there are too many, one is too long, they are unsorted, or the buffer is too small.
    pub fn spell(facts: &[(&str, &str)], buffer: &'b mut [u8]) -> Result<Self, NoRoom> {
        let mut out = Out::new(minicbor::encode::write::Cursor::new(&mut *buffer));
        out.map(facts.len() as u64)?;
        for (name, value) in facts {
            out.str(name)?.str(value)?;
        }
        let used = out.writer().position();
        let bytes = buffer.get(..used).ok_or(NoRoom)?;
        crate::cbor::decode(bytes).map_err(|_| NoRoom)
    }
}

impl<'b> Wire<'b> for NamedFacts<'b> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        minicbor::encode::Write::write_all(out.writer_mut(), self.0).map_err(|_| NoRoom)
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let start = input.position();
        let pairs = input.map()?.ok_or(DecodeError::NotDeterministic)?;
        if pairs > FACTS_MAX as u64 {
            return Err(DecodeError::OverLimit);
        }
        for _ in 0..pairs {
            let (name, value) = (input.str()?, input.str()?);
            if name.len() > FACT_NAME_BYTES_MAX || value.len() > FACT_VALUE_BYTES_MAX {
                return Err(DecodeError::OverLimit);
            }
        }
        input.input().get(start..input.position()).map(Self).ok_or(DecodeError::Malformed)
    }
}

impl<'b> Wire<'b> for Facts<'b> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.hardware.write(out.array(4)?)?;
        self.named.write(out.u32(self.bootloader)?.u8(self.profile)?)
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        crate::cbor::read_array(input, 4)?;
        Ok(Self {
            hardware: HardwareClass::read(input)?,
            bootloader: input.u32()?,
            profile: input.u8()?,
            named: NamedFacts::read(input)?,
        })
    }
}

/// The question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIn<'b> {
    /// Root document held.
    pub root_version: u32,
    /// Delegation held, zero if none.
    pub delegation_version: u32,
    /// What runs and what is held.
    pub components: heapless::Vec<ComponentState, COMPONENTS_MAX>,
    /// Asks for a signed answer.
    pub nonce: Option<Nonce>,
    /// Facts, when they changed.
    pub facts: Option<Facts<'b>>,
    /// Health of running versions, when it changed.
    pub health: heapless::Vec<HealthRow, HEALTH_ROWS_MAX>,
    /// Gates that hold it back.
    pub gates: heapless::Vec<Gate, GATES_MAX>,
    /// This boot.
    pub boot: Option<BootId>,
}

impl CheckIn<'_> {
    fn options(&self) -> u64 {
        let present = [
            self.nonce.is_some(),
            self.facts.is_some(),
            !self.health.is_empty(),
            !self.gates.is_empty(),
            self.boot.is_some(),
        ];
        present.iter().map(|present| u64::from(*present)).sum()
    }
}

impl<'b> Wire<'b> for CheckIn<'b> {
    const BYTES_MAX: usize = CHECK_IN_BYTES_MAX;

    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        let options = self.options();
        out.array(if options == 0 { 4 } else { 5 })?.u64(PROTOCOL)?;
        out.u32(self.root_version)?.u32(self.delegation_version)?;
        write_list(out, &self.components)?;
        if options == 0 {
            return Ok(());
        }
        out.map(options)?;
        if let Some(nonce) = self.nonce {
            nonce.write(out.u8(0)?)?;
        }
        if let Some(facts) = &self.facts {
            facts.write(out.u8(1)?)?;
        }
        if !self.health.is_empty() {
            write_list(out.u8(2)?, &self.health)?;
        }
        if !self.gates.is_empty() {
            out.u8(3)?.array(self.gates.len() as u64)?;
            self.gates.iter().try_for_each(|gate| out.u8(gate.code()).map(drop))?;
        }
        if let Some(boot) = self.boot {
            boot.write(out.u8(4)?)?;
        }
        Ok(())
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let items = input.array()?;
        match input.u64()? {
            PROTOCOL => {}
            other => return Err(DecodeError::UnknownVersion(other)),
        }
        let mut check_in = Self {
            root_version: input.u32()?,
            delegation_version: input.u32()?,
            components: read_list(input, ComponentState::read)?,
            nonce: None,
            facts: None,
            health: heapless::Vec::new(),
            gates: heapless::Vec::new(),
            boot: None,
        };
        match items {
            Some(4) => return Ok(check_in),
            Some(5) if input.probe().map()? != Some(0) => {}
            Some(5) => return Err(DecodeError::BadValue),
            _ => return Err(DecodeError::Malformed),
        }
        read_map(input, |key, input| {
            match key {
                0 => check_in.nonce = Some(Nonce::read(input)?),
                1 => check_in.facts = Some(Facts::read(input)?),
                2 => check_in.health = read_filled_list(input, HealthRow::read)?,
                3 => check_in.gates = read_filled_list(input, |input| Ok(Gate::from_code(input.u8()?)))?,
                4 => check_in.boot = Some(BootId::read(input)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(check_in)
    }
}

/// The bytes of a check-in that carries nothing but this component, for budgets.
#[cfg(test)]
fn idle_len() -> usize {
    let component = ComponentState { name: "app".parse().unwrap(), running: ShortDigest([7; 8]), held: None };
    let idle = CheckIn {
        root_version: 1,
        delegation_version: 1,
        components: heapless::Vec::from_iter([component]),
        nonce: None,
        facts: None,
        health: heapless::Vec::new(),
        gates: heapless::Vec::new(),
        boot: None,
    };
    crate::cbor::encode(&idle, &mut [0; 64]).unwrap().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_check_in_is_nineteen_bytes() {
        assert_eq!(idle_len(), 19);
    }

    #[test]
    fn facts_keep_to_their_limits() {
        let mut buffer = [0; 512];
        let facts = NamedFacts::spell(&[("model", "x1"), ("region", "eu")], &mut buffer).unwrap();
        assert!(facts.iter().eq([("model", "x1"), ("region", "eu")]));
        let long = "v".repeat(FACT_VALUE_BYTES_MAX + 1);
        assert_eq!(NamedFacts::spell(&[("model", &long)], &mut [0; 512]), Err(NoRoom));
        assert_eq!(NamedFacts::spell(&[("b", ""), ("a", "")], &mut [0; 64]), Err(NoRoom));
    }
}
