//! Where the bytes of an artifact go.
//!
//! Touches: all that `apply` does; what each unit costs is how many bytes of the body are read for it.
//! Never: writes a target. The costs of single units are rough, those of many are right, and their sum is exact.

use crate::apply::ApplyError;
use crate::body::{Body, Codec, Place};
use crate::correction::Correction;
use crate::header::{Coding, Header};
use crate::history::History;
use crate::lzma::{LEARNING_SHIFT, Lzma};
use crate::memory::Memory;
use crate::mixing::Mixing;
use crate::ports::{Artifact, Base, PortError};
use crate::predict::Candidates;
use crate::range::{Input, Range};
use crate::reference::{Kind, Unit};
use core::cell::Cell;
use std::vec;

/// Where the bytes of an artifact go, and what of the target they make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// The header.
    pub header_bytes: u64,
    /// Which stretches of the base are used again, and how both images are laid out.
    pub map_bytes: u64,
    /// How many stretches.
    pub map_records: u32,
    /// Whatever the coder needs to start and to end.
    pub coder_bytes: u64,
    /// Calls, branches and addresses in stretches.
    pub references: Entry,
    /// Other instructions in stretches.
    pub instructions: Entry,
    /// Words of data in stretches.
    pub data: Entry,
    /// Bytes in no stretch.
    pub literals: Entry,
}

/// One line of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// Bytes of the target.
    pub target_bytes: u64,
    /// Bytes of the body.
    pub body_bytes: u64,
}

impl Account {
    /// Reads the artifact behind `header` to its end, as [`crate::apply`] would.
    ///
    /// Memory: what applying takes, and the map.
    /// # Errors
    /// Those of `apply` that have to do with base and artifact. That the target is right is not looked at.
    pub fn of(header: &Header, base: &mut dyn Base, artifact: &mut dyn Artifact) -> Result<Self, ApplyError> {
        if base.length_bytes() != u64::from(header.base_bytes) {
            return Err(ApplyError::BaseLength);
        }
        let plan = header.plan();
        let mut memory = vec![0; plan.required_bytes()];
        let mut memory = Memory::new(&mut memory);
        let scratch_bytes = usize::try_from(header.scratch_bytes()).map_err(|_| ApplyError::ScratchSize)?;
        let mut scratch = vec![0; scratch_bytes];
        let mut scratch = scratch.as_mut_slice();
        // The coder takes one byte at a time, so that what it has taken is what it has used.
        memory.bytes(plan.input_bytes)?;
        let (mut one, read_bytes) = ([0], Cell::new(0));
        let mut artifact = Counted { artifact, read_bytes: &read_bytes };
        let mut input = Input::new(&mut artifact, &mut one);
        let mut layouts = Default::default();
        let mut body = Body::new(header, base, &mut scratch, &mut input, &mut memory, &mut layouts)?;
        let mut account = Self {
            header_bytes: header.header_bytes.into(),
            map_bytes: header.map_encoded_bytes.into(),
            map_records: header.map_records,
            ..Self::default()
        };
        let shift = if matches!(header.coding, Coding::Lzma { .. }) { LEARNING_SHIFT } else { 0 };
        let range = Range::start(&mut input, header.body_encoded_bytes, shift)?;
        let give = &mut |_: &[u8]| Ok(());
        let (account_of, read_bytes) = (&mut account, &read_bytes);
        match header.coding {
            Coding::Lzma { properties, dictionary_bytes } => {
                let probabilities = memory.items(properties.probabilities() as usize)?;
                let dictionary = memory.bytes(dictionary_bytes as usize)?;
                let codec = Correction(Lzma::new(properties, probabilities, dictionary, range));
                body.run(&mut Accounted { codec, account: account_of, read_bytes }, &[], give)?;
            }
            Coding::Mixing { .. } => {
                let codec = Mixing::new(header, &mut memory, range)?;
                body.run(&mut Accounted { codec, account: account_of, read_bytes }, &[], give)?;
            }
        }
        let Self { references, instructions, data, literals, .. } = account;
        let spent = [references, instructions, data, literals].map(|entry| entry.body_bytes).iter().sum();
        account.coder_bytes = u64::from(header.body_encoded_bytes).saturating_sub(spent);
        Ok(account)
    }
}

/// An artifact that counts what is read of it.
struct Counted<'a> {
    artifact: &'a mut dyn Artifact,
    read_bytes: &'a Cell<u64>,
}

impl Artifact for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        let read = self.artifact.read(out)?;
        self.read_bytes.set(self.read_bytes.get().saturating_add(read as u64));
        Ok(read)
    }
}

/// A codec whose decisions are written down with what they cost.
struct Accounted<'a, C> {
    codec: C,
    account: &'a mut Account,
    read_bytes: &'a Cell<u64>,
}

impl Entry {
    fn add(&mut self, target_bytes: u32, body_bytes: u64) {
        self.target_bytes = self.target_bytes.saturating_add(target_bytes.into());
        self.body_bytes = self.body_bytes.saturating_add(body_bytes);
    }
}

impl<C: Codec> Codec for Accounted<'_, C> {
    fn unit(
        &mut self,
        place: &Place<'_, '_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<u32, ApplyError> {
        let before = self.read_bytes.get();
        let word = self.codec.unit(place, unit, candidates, known)?;
        let entry = match unit.kind {
            _ if unit.refers() => &mut self.account.references,
            Kind::Data | Kind::Relative => &mut self.account.data,
            _ => &mut self.account.instructions,
        };
        entry.add(unit.length, self.read_bytes.get().saturating_sub(before));
        Ok(word)
    }

    fn literal(&mut self, history: &History<'_>, expected: u8, known: u32) -> Result<u32, ApplyError> {
        let before = self.read_bytes.get();
        let byte = self.codec.literal(history, expected, known)?;
        self.account.literals.add(1, self.read_bytes.get().saturating_sub(before));
        Ok(byte)
    }

    fn turn(&mut self, history: &History<'_>) {
        self.codec.turn(history);
    }
}
