//! Ports in memory, and images that look like programs.
//!
//! Touches: memory only; every image comes from a seed.
//! Never: asserts; that is for the tests.

use core::ops::ControlFlow;
use lapwing_core::Digest;
use lapwing_delta::{
    ApplyError, Header, NoScratch, PortError, Ports, Profile, Progress, Target, apply, make,
};

/// Collects the target.
#[derive(Default)]
pub(crate) struct Written(pub(crate) Vec<u8>);

impl Target for Written {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Numbers from a seed (SplitMix64).
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Bytes with some order in them, as code has.
    pub(crate) fn image(&mut self, length_bytes: usize) -> Vec<u8> {
        let words: Vec<u64> = (0..64).map(|_| self.next()).collect();
        let mut image = Vec::new();
        while image.len() < length_bytes {
            let word = if self.below(4) == 0 { self.next() } else { words[self.below(64)] };
            image.extend(&word.to_le_bytes()[..1 + self.below(8)]);
        }
        image.truncate(length_bytes);
        image
    }

    /// The image after a few edits: bytes changed, put in, taken out, moved.
    pub(crate) fn edited(&mut self, image: &[u8], edits: usize) -> Vec<u8> {
        let mut image = image.to_vec();
        for _ in 0..edits {
            let at = self.below(image.len() + 1);
            let length = self.below(40);
            let end = image.len().min(at + length);
            match self.below(4) {
                0 => image[at..end].iter_mut().step_by(3).for_each(|byte| *byte = byte.wrapping_add(4)),
                1 => drop(image.splice(at..at, self.image(length))),
                2 => drop(image.drain(at..end)),
                _ => image.rotate_left(at.min(length * 50)),
            }
        }
        image
    }
}

pub(crate) fn quiet(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[expect(clippy::unwrap_used, reason = "a test that cannot make its artifact has failed")]
pub(crate) fn made(base: Option<&[u8]>, target: &[u8], profile: Profile) -> Vec<u8> {
    make(&mut base.unwrap_or_default(), &mut &target[..], profile, &mut quiet).unwrap()
}

/// Memory for an artifact, its map included.
pub(crate) fn memory_bytes(header: &Header) -> usize {
    header.required_memory_bytes() + header.scratch_bytes() as usize
}

/// Applies in memory, with no scratch area.
pub(crate) fn applied(base: &[u8], artifact: &[u8], resume_from: u64) -> Result<Vec<u8>, ApplyError> {
    let mut rest = artifact;
    let header = Header::read(&mut rest).map_err(|_| ApplyError::Corrupt)?;
    let mut memory = vec![0xEE; memory_bytes(&header)];
    let mut base = if header.is_full() { &[] } else { base };
    let mut written = Written::default();
    let ports = Ports { base: &mut base, artifact: &mut rest, scratch: &mut NoScratch, target: &mut written };
    let digest = apply(&header, ports, &mut memory, resume_from, &mut |_| ControlFlow::Continue(()))?;
    assert!(resume_from > 0 || digest == Digest::of(&written.0));
    Ok(written.0)
}

/// Instructions that a made-up program consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    X86_64,
    Aarch64,
    A32,
    Thumb2,
}

/// The functions of a made-up program: words of their own, and calls of others by number.
pub(crate) struct Program(Vec<Vec<Part>>);

enum Part {
    Own([u8; 4]),
    Call(usize),
}

impl Program {
    pub(crate) fn new(seed: &mut Seed, functions: usize) -> Self {
        let function = |seed: &mut Seed| {
            let length = 4 + seed.below(20);
            let mut part = || match seed.below(3) {
                0 => Part::Call(seed.below(functions)),
                // Nothing that looks like a call.
                _ => Part::Own((seed.next() as u32 & 0x0F0F_0F0F).to_le_bytes()),
            };
            (0..length).map(|_| part()).collect()
        };
        Self((0..functions).map(|_| function(seed)).collect())
    }

    /// Makes a function longer, so that all behind it move.
    pub(crate) fn grow(&mut self, function: usize, word: u32) {
        self.0[function].insert(2, Part::Own((word & 0x0F0F_0F0F).to_le_bytes()));
    }

    /// An ELF file with its code, and a table with the addresses of its functions.
    pub(crate) fn linked(&self, machine: Machine) -> Vec<u8> {
        const CODE: u32 = 0x1000;
        let call_bytes = if machine == Machine::X86_64 { 5 } else { 4 };
        let length = |part: &Part| if matches!(part, Part::Call(_)) { call_bytes } else { 4 };
        let mut addresses = vec![];
        let mut end = CODE;
        for function in &self.0 {
            addresses.push(end);
            end = (end + function.iter().map(length).sum::<u32>()).next_multiple_of(4);
        }
        let mut image = elf(machine, CODE, end, self.0.len() as u32 * 4);
        for (function, start) in self.0.iter().zip(&addresses) {
            image.resize(*start as usize, 0);
            for part in function {
                match part {
                    Part::Own(word) => image.extend(word),
                    Part::Call(other) => {
                        let distance = addresses[*other].wrapping_sub(image.len() as u32);
                        image.extend(call(machine, distance));
                    }
                }
            }
        }
        image.resize(end as usize, 0);
        image.extend(addresses.iter().flat_map(|address| address.to_le_bytes()));
        image
    }
}

fn call(machine: Machine, distance: u32) -> Vec<u8> {
    let word = match machine {
        Machine::X86_64 => return [&[0xE8][..], &distance.wrapping_sub(5).to_le_bytes()].concat(),
        Machine::Aarch64 => 0x9400_0000 | distance >> 2 & 0x03FF_FFFF,
        Machine::A32 => 0xEB00_0000 | distance.wrapping_sub(8) >> 2 & 0x00FF_FFFF,
        Machine::Thumb2 => {
            let distance = distance.wrapping_sub(4);
            let sign = distance >> 24 & 1;
            let [first, second] = [23, 22].map(|bit| distance >> bit & 1 ^ sign ^ 1);
            let high = 0xF000 | sign << 10 | distance >> 12 & 0x3FF;
            high | (0xD000 | first << 13 | second << 11 | distance >> 1 & 0x7FF) << 16
        }
    };
    word.to_le_bytes().to_vec()
}

/// The head of an ELF file of 32 bits, or for machines of 64 of as many: code, and data behind it.
fn elf(machine: Machine, code: u32, data: u32, data_bytes: u32) -> Vec<u8> {
    let (id, is_64) = match machine {
        Machine::X86_64 => (62u16, true),
        Machine::Aarch64 => (183, true),
        Machine::A32 | Machine::Thumb2 => (40, false),
    };
    let mut image = vec![0x7F, b'E', b'L', b'F', 1 + u8::from(is_64), 1, 1];
    image.resize(if is_64 { 64 } else { 52 }, 0);
    image[18..20].copy_from_slice(&id.to_le_bytes());
    let (table, sizes) = if is_64 { (32, 54) } else { (28, 42) };
    image[table] = image.len() as u8;
    image[sizes] = if is_64 { 56 } else { 32 };
    image[sizes + 2] = 2;
    for (offset, bytes, flags) in [(code, data - code, 5u32), (data, data_bytes, 6)] {
        let fields: &[u32] = if is_64 {
            &[1, flags, offset, 0, offset, 0, offset, 0, bytes, 0, bytes, 0, 4096, 0]
        } else {
            &[1, offset, offset, offset, bytes, bytes, flags, 4096]
        };
        image.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
    }
    image
}
