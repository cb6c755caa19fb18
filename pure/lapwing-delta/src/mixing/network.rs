//! One bit foretold by several contexts: each remembers its own bits, and weights that learn add them up.
//!
//! Touches: a table shared by all contexts, and weights, both in the caller's memory.
//! Never: panics or stalls; a table that is too small only makes it a worse prophet.

use super::chance::{EVIDENCE_MAX, squash, stretch};
use crate::apply::ApplyError;
use crate::memory::{Word, scaled, set_word, word_at};

/// Most contexts of one network.
pub(crate) const CONTEXTS_MAX: usize = 10;

/// The way bits are told: read from the artifact, or written to it.
pub(crate) trait Bits {
    /// The next bit, which is 1 with `chance` 65536ths. `known` is that bit if it is being written.
    fn bit(&mut self, chance: u32, known: u32) -> Result<u32, ApplyError>;
}

/// What contexts remember.
pub(crate) trait Slots {
    /// The chance in 65536ths that the slot at `place` gives, if it knows any.
    fn chance(&self, place: usize) -> Option<u32>;

    /// Lets the slot at `place` learn.
    fn learn(&mut self, place: usize, bit: u32);

    /// The first of 16 slots for a hash; within them, `^` with a number below 16 leads to the others.
    fn place(&self, hash: u32) -> usize;
}

/// After so many bits a slot learns no more slowly.
const WIDE_LIMIT: u32 = 255;
const SMALL_LIMIT: u32 = 12;

/// Slots that are exact: a chance of 22 bits, a count of 10.
pub(crate) struct WideSlots<'m>(&'m mut [Word]);

impl<'m> WideSlots<'m> {
    pub(crate) fn new(slots: &'m mut [Word]) -> Self {
        slots.fill([0; 4]);
        Self(slots)
    }
}

impl Slots for WideSlots<'_> {
    #[inline]
    fn chance(&self, place: usize) -> Option<u32> {
        let slot = word_at(self.0, place);
        (slot & 1023 != 0).then_some(slot >> 16)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "masked")]
    fn learn(&mut self, place: usize, bit: u32) {
        let slot = word_at(self.0, place);
        let (chance, count) = if slot == 0 { (1 << 21, 0) } else { (slot >> 10, slot & 1023) };
        let goal = if bit == 1 { 0x3F_FFFFi64 } else { 0 };
        let step = goal.wrapping_sub(chance as i64).wrapping_mul(RATES[count as usize & 1023] as i64) >> 16;
        let chance = (chance as i64).wrapping_add(step) as u32 & 0x3F_FFFF;
        set_word(self.0, place, chance << 10 | count.wrapping_add(1).min(WIDE_LIMIT));
    }

    #[inline]
    fn place(&self, hash: u32) -> usize {
        scaled(hash, self.0.len() >> 4) << 4 | hash as usize & 15
    }
}

/// Slots that are small: a chance of 12 bits, a count of 4.
pub(crate) struct SmallSlots<'m>(&'m mut [[u8; 2]]);

impl<'m> SmallSlots<'m> {
    pub(crate) fn new(slots: &'m mut [[u8; 2]]) -> Self {
        slots.fill([0; 2]);
        Self(slots)
    }
}

impl Slots for SmallSlots<'_> {
    #[inline]
    fn chance(&self, place: usize) -> Option<u32> {
        let slot = self.0.get(place).map_or(0, |slot| u32::from(u16::from_le_bytes(*slot)));
        (slot & 15 != 0).then_some(slot & 0xFFF0 | 8)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "masked")]
    fn learn(&mut self, place: usize, bit: u32) {
        let Some(stored) = self.0.get_mut(place) else { return };
        let slot = u32::from(u16::from_le_bytes(*stored));
        let (chance, count) = if slot == 0 { (1 << 11, 0) } else { (slot >> 4, slot & 15) };
        let goal = if bit == 1 { 0xFFFi32 } else { 0 };
        let apart = goal.wrapping_sub(chance as i32).wrapping_mul(RATES[count as usize & 15] as i32);
        let chance = (chance as i32).wrapping_add(apart.wrapping_add(1 << 15) >> 16) as u32 & 0xFFF;
        let slot = chance << 4 | count.wrapping_add(1).min(SMALL_LIMIT);
        *stored = (slot as u16).to_le_bytes();
    }

    #[inline]
    fn place(&self, hash: u32) -> usize {
        scaled(hash, self.0.len() >> 4) << 4 | hash as usize & 15
    }
}

/// The weights of one kind of bits.
pub(crate) struct Network<'m> {
    weights: &'m mut [Word],
    contexts: usize,
    sets: usize,
    /// How slowly weights learn.
    shift: u32,
}

const fn stride(contexts: usize) -> usize {
    contexts.saturating_add(1)
}

impl<'m> Network<'m> {
    /// Numbers that `sets` of weights for so many contexts take.
    pub(crate) const fn words(contexts: usize, sets: usize) -> usize {
        stride(contexts).saturating_mul(sets.saturating_add(stride(contexts)))
    }

    pub(crate) fn new(weights: &'m mut [Word], contexts: usize, sets: usize, shift: u32) -> Self {
        let (first, second) = weights.split_at_mut(stride(contexts).saturating_mul(sets));
        first.fill(FIRST_WEIGHT.to_le_bytes());
        second.fill([0; 4]);
        Self { weights, contexts, sets, shift }
    }

    /// The next bit, foretold from the slots at `places` with one set of the weights, and another for as
    /// many contexts as know something.
    #[inline]
    pub(crate) fn bit<B: Bits>(
        &mut self,
        slots: &mut impl Slots,
        bits: &mut B,
        places: &[usize; CONTEXTS_MAX],
        set: usize,
        known: u32,
    ) -> Result<u32, ApplyError> {
        let stride = stride(self.contexts);
        let mut evidence = [0i32; CONTEXTS_MAX + 1];
        let mut experts = 0usize;
        for (own, place) in evidence.iter_mut().zip(places).take(self.contexts) {
            if let Some(chance) = slots.chance(*place) {
                *own = stretch(chance);
                experts = experts.wrapping_add(1);
            }
        }
        if let Some(last) = evidence.get_mut(self.contexts) {
            *last = BIAS;
        }
        let (first, second) = self.weights.split_at_mut(stride.wrapping_mul(self.sets));
        let first = first.get_mut(set.wrapping_mul(stride)..).and_then(|rest| rest.get_mut(..stride));
        let second = second.get_mut(experts.wrapping_mul(stride)..).and_then(|rest| rest.get_mut(..stride));
        let (Some(first), Some(second)) = (first, second) else { return Err(ApplyError::Memory) };
        let mut sum = 0i32;
        for ((own, first), second) in evidence.iter().zip(first.iter()).zip(second.iter()) {
            let weight = i32::from_le_bytes(*first).wrapping_add(i32::from_le_bytes(*second));
            sum = sum.wrapping_add(own.wrapping_mul(weight) >> 3);
        }
        let chance = squash(sum >> 13);
        let bit = bits.bit(chance, known)?;
        let error = ((bit << 16) as i32).wrapping_sub(chance as i32);
        for ((first, second), own) in first.iter_mut().zip(second).zip(&evidence) {
            let change = (own.wrapping_mul(error) >> self.shift.wrapping_sub(1)).wrapping_add(1) >> 1;
            for weight in [first, second] {
                let changed = i32::from_le_bytes(*weight).wrapping_add(change);
                *weight = changed.clamp(-WEIGHT_MAX, WEIGHT_MAX).to_le_bytes();
            }
        }
        for place in places.iter().take(self.contexts) {
            slots.learn(*place, bit);
        }
        Ok(bit)
    }
}

/// Weights are in 65536ths.
const FIRST_WEIGHT: i32 = 19_661;
const BIAS: i32 = 77;
const WEIGHT_MAX: i32 = (1 << 17) - 1;
const _: () = assert!(EVIDENCE_MAX < 1 << 12);

/// Divisors by count, as factors in 65536ths.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
const RATES: [u32; 1024] = {
    let mut rates = [0; 1024];
    let mut count = 0;
    while count < 1024 {
        rates[count] = 131_072 / (2 * count as u32 + 3);
        count += 1;
    }
    rates
};
