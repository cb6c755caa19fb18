//! Codec 2: every decision foretold from many contexts, whose chances are mixed.
//!
//! Touches: the candidates it is given, and the history of the target.
//! Never: knows whether it reads or writes; `Bits` does.

mod chance;
mod matches;
mod network;

use crate::apply::ApplyError;
use crate::body::{Codec, Place};
use crate::header::Header;
use crate::history::History;
use crate::memory::{Memory, stirred};
use crate::predict::{Candidates, SOURCES};
use crate::reference::{KINDS, Unit};
use matches::Matches;
pub(crate) use network::Bits;
use network::{CONTEXTS_MAX, Network, Slots, SmallSlots, WideSlots};

const FLAG_SETS: usize = KINDS * SOURCES;
const BYTE_SETS: usize = 32;
const LITERAL_SETS: usize = 8 * 3;

/// How many contexts each of the three networks has.
#[derive(Clone, Copy)]
struct Widths {
    flags: usize,
    bytes: usize,
    literals: usize,
}

impl Widths {
    const fn of(level: u8) -> Self {
        match level {
            0 => Self { flags: 7, bytes: 6, literals: 5 },
            _ => Self { flags: 7, bytes: 9, literals: 9 },
        }
    }
}

/// Bytes of weights and of the table of matches.
pub(crate) const fn overhead_bytes(level: u8, match_entries: usize) -> usize {
    let Widths { flags, bytes, literals } = Widths::of(level);
    let words = Network::words(flags, FLAG_SETS)
        .saturating_add(Network::words(bytes, BYTE_SETS))
        .saturating_add(Network::words(literals, LITERAL_SETS))
        .saturating_add(match_entries);
    words.saturating_mul(4)
}

/// The codec.
pub(crate) struct Mixing<'m, B> {
    bits: B,
    wide: WideSlots<'m>,
    slots: SmallSlots<'m>,
    flags: Network<'m>,
    bytes: Network<'m>,
    literals: Network<'m>,
    matches: Matches<'m>,
    top_first: bool,
    /// Whether the last units were not what was thought likeliest, the latest lowest; all, and by kind.
    surprises: u32,
    kind_surprises: [u32; KINDS],
    /// Which candidate the words of the last columns were.
    hits: [u8; 64],
}

impl<'m, B: Bits> Mixing<'m, B> {
    pub(crate) fn new(header: &Header, memory: &mut Memory<'m>, bits: B) -> Result<Self, ApplyError> {
        let plan = header.plan();
        let Widths { flags, bytes, literals } = Widths::of(plan.level);
        let mut network = |contexts, sets, shift| {
            Ok(Network::new(memory.items(Network::words(contexts, sets))?, contexts, sets, shift))
        };
        Ok(Self {
            bits,
            flags: network(flags, FLAG_SETS, 15)?,
            bytes: network(bytes, BYTE_SETS, 15)?,
            literals: network(literals, LITERAL_SETS, 15)?,
            matches: Matches::new(memory.items(plan.match_entries)?),
            wide: WideSlots::new(memory.items(plan.wide_slots)?),
            slots: SmallSlots::new(memory.items(plan.small_slots)?),
            top_first: header.architecture.is_top_first(),
            surprises: 0,
            kind_surprises: [0; KINDS],
            hits: [0; 64],
        })
    }

    pub(crate) fn into_bits(self) -> B {
        self.bits
    }

    /// Which candidate it is, if any: each in turn is or is not.
    fn hit(
        &mut self,
        place: &Place<'_, '_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<Option<(usize, u32)>, ApplyError> {
        let kind = unit.kind as u32;
        let column = (place.history.made_bytes() >> 2) as usize;
        let hit =
            |back: usize| u32::from(self.hits.get(column.wrapping_sub(back) & 63).copied().unwrap_or(0));
        let columns = hit(1) | hit(2) << 3 | hit(4) << 6 | hit(6) << 9;
        let from_start = bit_length(place.done_bytes).min(12);
        let to_end = bit_length(place.record.length_bytes.wrapping_sub(place.done_bytes)).min(12);
        let kind_surprises = self.kind_surprises.get(kind as usize).copied().unwrap_or(0) & 15;
        let sureness = candidates.confidence << 4 | candidates.certainty;
        for (nth, (word, mask)) in candidates.iter().enumerate() {
            let what = kind | unit.length << 3 | (nth as u32) << 6 | mask << 10;
            let contexts = [
                stirred(what | 1 << 24, self.surprises & 0xFFF),
                stirred(what | 2 << 24, sureness << 4 | kind_surprises),
                stirred(what | 3 << 24, columns),
                stirred(what | 4 << 24, from_start << 8 | to_end | (self.surprises & 3) << 16),
                stirred(what | 5 << 24, unit.old >> 24 | (unit.old & 0xFF) << 8),
                stirred(what | 6 << 24, unit.old),
                stirred(what | 7 << 24, unit.refers_to >> 6),
            ];
            let mut places = [0; CONTEXTS_MAX];
            for (place, context) in places.iter_mut().zip(contexts) {
                *place = self.wide.place(context);
            }
            let set = (kind as usize).wrapping_mul(SOURCES).wrapping_add(nth);
            let is_it = u32::from(word == known);
            if self.flags.bit(&mut self.wide, &mut self.bits, &places, set, is_it)? == 1 {
                return Ok(Some((nth, word)));
            }
        }
        Ok(None)
    }

    /// A word that is no candidate, byte by byte.
    fn spelled(
        &mut self,
        history: &History<'_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<u32, ApplyError> {
        let (mut word, mut difference, mut differences) = (0u32, 0u32, 0u32);
        let [last, second, fourth] = [1, 2, 4].map(|back| history.back(back));
        let mut before = last;
        let first = candidates.first();
        for nth in 0..unit.length {
            let index = if self.top_first { unit.length.wrapping_sub(nth).wrapping_sub(1) } else { nth };
            let byte_of = |word: u32| word >> (index << 3) & 0xFF;
            let (old, likely) = (byte_of(unit.old), byte_of(first));
            let what = (unit.kind as u32) << 8 | index << 4 | unit.length;
            let contexts = [
                stirred(what | 1 << 24, likely | difference << 8),
                stirred(what | 2 << 24, before),
                stirred(what | 3 << 24, differences << 16 | likely.wrapping_add(difference) & 0xFF),
                stirred(what | 4 << 24, 0),
                stirred(what | 5 << 24, old),
                stirred(what | 6 << 24, before << 8 | old),
                stirred(what | 7 << 24, word),
                stirred(what | 8 << 24, unit.old),
                stirred(what | 9 << 24, stirred(last | second << 8 | fourth << 16, before)),
            ];
            let known = byte_of(known);
            let byte = byte(
                &mut self.bytes,
                &mut self.slots,
                &mut self.bits,
                &contexts,
                |at, _| (nth as usize) << 3 | at as usize,
                known,
            )?;
            word |= byte << (index << 3);
            difference = byte.wrapping_sub(likely) & 0xFF;
            differences = differences.wrapping_add(u32::from(byte != likely));
            before = byte;
        }
        Ok(word)
    }
}

impl<B: Bits> Codec for Mixing<'_, B> {
    fn unit(
        &mut self,
        place: &Place<'_, '_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<u32, ApplyError> {
        let hit = self.hit(place, unit, candidates, known)?;
        let word = match hit {
            Some((_, word)) => word,
            None => self.spelled(place.history, unit, candidates, known)?,
        };
        let nth = hit.map_or(7, |(nth, _)| nth.min(6));
        self.surprises = self.surprises << 1 | u32::from(nth != 0);
        if let Some(surprises) = self.kind_surprises.get_mut(unit.kind as usize) {
            *surprises = *surprises << 1 | u32::from(nth != 0);
        }
        let column = (place.history.made_bytes() >> 2) as usize & 63;
        if let Some(slot) = self.hits.get_mut(column) {
            *slot = nth as u8;
        }
        Ok(word)
    }

    fn literal(&mut self, history: &History<'_>, expected: u8, known: u32) -> Result<u32, ApplyError> {
        let back = |n| history.back(n);
        let expected = u32::from(expected);
        let aligned = history.made_bytes() & 3;
        let (foretold, length) = self.matches.foretold(history);
        let length = bit_length(length).min(7);
        let low = back(1) | back(2) << 8 | back(3) << 16 | back(4) << 24;
        let contexts = [
            back(1) << 2 | aligned,
            0,
            foretold << 4 | length,
            expected << 8 | back(1),
            low & 0xFFFF,
            low & 0xFF_FFFF,
            low,
            stirred(low, back(5) | back(6) << 8),
            back(4) << 10 | back(8) << 2 | aligned,
        ];
        let mut nth = 0u32;
        let contexts = contexts.map(|context| {
            nth = nth.wrapping_add(1);
            stirred(context, nth << 24 | 0x80_0000)
        });
        let set = |at: u32, node: u32| {
            let agrees = foretold < 256 && (foretold | 256) >> (at.wrapping_add(1)) == node;
            let trust = if agrees { if length > 3 { 2 } else { 1 } } else { 0 };
            (at as usize).wrapping_mul(3).wrapping_add(trust)
        };
        let byte = byte(&mut self.literals, &mut self.slots, &mut self.bits, &contexts, set, known)?;
        self.matches.told(foretold, byte);
        Ok(byte)
    }

    fn turn(&mut self, history: &History<'_>) {
        self.matches.look(history);
    }
}

/// A byte in eight bits, the highest first.
#[inline]
fn byte<B: Bits, const N: usize>(
    network: &mut Network<'_>,
    slots: &mut impl Slots,
    bits: &mut B,
    contexts: &[u32; N],
    set: impl Fn(u32, u32) -> usize,
    known: u32,
) -> Result<u32, ApplyError> {
    let mut node = 1u32;
    let mut places = [0; CONTEXTS_MAX];
    for at in (0..8).rev() {
        if at == 7 || at == 3 {
            for (place, context) in places.iter_mut().zip(contexts) {
                *place = slots.place(if at == 7 { *context } else { stirred(*context, node) });
            }
        }
        // Within a nibble the node is a number from 1 to 15.
        let low =
            if at > 3 { node } else { node & low_mask(3u32.wrapping_sub(at)) | 1 << 3u32.wrapping_sub(at) };
        let places = places.map(|place| place ^ low as usize);
        let bit = network.bit(slots, bits, &places, set(at, node), known >> at & 1)?;
        node = node << 1 | bit;
    }
    Ok(node & 0xFF)
}

const fn low_mask(bits: u32) -> u32 {
    1u32.wrapping_shl(bits).wrapping_sub(1)
}

const fn bit_length(number: u32) -> u32 {
    32u32.wrapping_sub(number.leading_zeros())
}
