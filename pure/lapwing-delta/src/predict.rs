//! What a unit of the base has probably become in the target: several candidates, the likeliest first.
//!
//! Touches: the map, the layouts, and tables in which it remembers what became of other units.
//! Never: knows how its candidates are told apart; that is the codec's.

use crate::apply::ApplyError;
use crate::layout::Layout;
use crate::map::{Certainty, Map};
use crate::memory::{Word, scaled, set_word, stirred, word_at};
use crate::reference::{Architecture, KINDS, Kind, PREL31_MASK, PREL31_NEGATIVE, Unit};

/// Entries of the table of anchors.
pub(crate) const ANCHOR_ENTRIES: usize = 512;

/// An entry of a table: what became of something, and a tag with a count.
pub(crate) type Entry = [u8; 8];

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Source {
    /// It is as it was.
    Same = 0,
    /// What it refers to was referred to before.
    Learned = 1,
    /// The map says where that is what it refers to.
    Mapped = 2,
    /// Likewise, if it is relative to itself.
    Relative = 3,
    /// The same word was seen before.
    Repeated = 4,
    /// It changes as words did after the last few changes.
    Short = 5,
    /// After the last many changes.
    Long = 6,
    /// It changes as the word before it did,
    First = 7,
    /// as the word two before it,
    Second = 8,
    /// as the word six before it.
    Sixth = 9,
    /// It is as far from the new word two before it as that one is from the one two before that.
    SecondStep = 10,
    /// Likewise, six before it.
    SixthStep = 11,
    /// It moves as far as the last one of its kind.
    Shifted = 12,
    /// As far as the last one that went elsewhere.
    ShiftedBefore = 13,
    /// It changes as a word close to it did.
    Near = 14,
    /// As a word not far from it did.
    Region = 15,
    /// It is relative to the anchor that was right after the last few anchors.
    AnchoredShort = 16,
    /// After the last many anchors.
    AnchoredLong = 17,
}

/// Sources there are, and so the most candidates for a unit.
pub(crate) const SOURCES: usize = 18;

/// What a unit may have become.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Candidates {
    /// What each source says, if it says anything: a bit each.
    words: [u32; SOURCES],
    said: u32,
    /// How often the sources were right until now.
    scores: [Score; SOURCES],
    /// How often the learned or repeated one has been right: 0 if there is none.
    pub(crate) confidence: u32,
    /// How sure the map is, 0 if it was not asked.
    pub(crate) certainty: u32,
}

impl Candidates {
    fn say(&mut self, source: Source, word: u32) {
        if let Some(slot) = self.words.get_mut(source as usize) {
            *slot = word;
            self.said |= 1 << source as u32;
        }
    }

    /// The candidates with their sources, of which there is at least one, the likeliest first.
    pub(crate) const fn iter(&self) -> Ranked<'_> {
        Ranked { candidates: self, waiting: self.said }
    }

    /// The likeliest.
    pub(crate) fn first(&self) -> u32 {
        self.iter().next().map_or(0, |(word, _)| word)
    }
}

/// Candidates in the order of their scores. Mostly the first is right, and nobody asks for more.
pub(crate) struct Ranked<'c> {
    candidates: &'c Candidates,
    /// Sources whose word has not been told.
    waiting: u32,
}

impl Iterator for Ranked<'_> {
    /// The word, and which sources say so, a bit each.
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let Candidates { words, said, scores, .. } = self.candidates;
        let told = words.iter().zip(scores).enumerate();
        let waiting = told.filter(|(source, _)| self.waiting >> source & 1 == 1);
        let scored = waiting.map(|(_, (word, score))| (u16::from_le_bytes(*score), *word));
        // Of two equal scores the first one counts.
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (score, word) = best?;
        if self.waiting != *said && score < SCORE_MIN {
            return None;
        }
        let same = words.iter().rev().fold(0, |mask, other| mask << 1 | u32::from(*other == word));
        let mask = same & self.waiting;
        self.waiting ^= mask;
        Some((word, mask))
    }
}

/// Who is right more rarely is not asked.
const SCORE_MIN: u16 = 300;

/// How often a source is right, in 65536ths.
pub(crate) type Score = [u8; 2];

/// The tables in the caller's memory.
pub(crate) struct Tables<'m> {
    pub(crate) targets: &'m mut [Entry],
    pub(crate) words: &'m mut [Entry],
    /// Changes by those before them, a few and many.
    pub(crate) changes: [&'m mut [Word]; 2],
    /// Numbers of anchors by those before them.
    pub(crate) anchors: &'m mut [u8],
    pub(crate) scores: &'m mut [[Score; SOURCES]],
}

/// Sets of scores: by kind, and by what was right last.
pub(crate) const SCORE_SETS: usize = KINDS * (SOURCES + 1);

/// What has been learned of the units so far.
pub(crate) struct Predictor<'m> {
    pub(crate) architecture: Architecture,
    pub(crate) base: &'m Layout,
    pub(crate) target: &'m Layout,
    tables: Tables<'m>,
    /// By how much the last references of each kind moved, and words changed.
    shifts: [[u32; 2]; KINDS],
    /// Hashes of a few and of many of the last changes, of plain words and of others.
    hashes: [[u32; 2]; 2],
    /// The last words but plain and their changes, the latest first.
    changes: [u32; 6],
    words: [u32; 12],
    /// Which source was right last: that of the best score if several were.
    last_right: usize,
    /// Which anchors the last words were relative to, the latest lowest, in four bits each.
    anchors_seen: u32,
}

impl<'m> Predictor<'m> {
    pub(crate) fn new(
        architecture: Architecture,
        [base, target]: &'m [Layout; 2],
        tables: Tables<'m>,
    ) -> Self {
        tables.targets.fill([0; 8]);
        tables.words.fill([0; 8]);
        tables.anchors.fill(0);
        let [short, long] = tables.changes;
        short.fill([0; 4]);
        long.fill([0; 4]);
        let tables = Tables { changes: [short, long], ..tables };
        for scores in tables.scores.iter_mut() {
            for (score, first) in scores.iter_mut().zip(FIRST_SCORES) {
                *score = first.to_le_bytes();
            }
        }
        Self {
            architecture,
            base,
            target,
            tables,
            shifts: [[0; 2]; KINDS],
            hashes: [[0; 2]; 2],
            changes: [0; 6],
            words: [0; 12],
            last_right: 0,
            anchors_seen: 0,
        }
    }

    /// What `unit` may be at `target_offset`.
    pub(crate) fn candidates(
        &self,
        unit: &Unit,
        map: &mut Map<'_>,
        target_offset: u32,
    ) -> Result<Candidates, ApplyError> {
        let mut found = Candidates::default();
        found.say(Source::Same, unit.old);
        if unit.length == 4 {
            let address = self.target.address_of(target_offset);
            let pointed = |refers_to| unit.pointed(self.architecture, address, refers_to);
            let shift = self.shifts.get(unit.kind as usize).copied().unwrap_or_default();
            if unit.refers() {
                if let Some((learned, confidence)) = recalled(self.tables.targets, target_key(unit)) {
                    found.confidence = confidence.min(5).wrapping_add(1);
                    found.say(Source::Learned, pointed(learned));
                }
                let (mapped, certainty) = self.mapped(unit.refers_to, map)?;
                found.certainty = certainty as u32;
                found.say(Source::Mapped, pointed(mapped));
                found.say(Source::Shifted, pointed(unit.refers_to.wrapping_add(shift[0])));
                found.say(Source::ShiftedBefore, pointed(unit.refers_to.wrapping_add(shift[1])));
            }
            if let Some(refers_to) = unit.relative {
                let (mapped, certainty) = self.mapped(refers_to, map)?;
                found.certainty |= (certainty as u32) << 2;
                let distance = mapped.wrapping_sub(address);
                let is_short = unit.old & PREL31_MASK == PREL31_NEGATIVE && self.architecture.is_arm();
                found.say(Source::Relative, if is_short { distance & !(1 << 31) } else { distance });
            }
            if unit.is_word() {
                self.add_words(&mut found, unit, shift[0], map)?;
            }
        }
        found.scores = self.tables.scores.get(self.score_set(unit.kind)).copied().unwrap_or_default();
        Ok(found)
    }

    fn add_words(
        &self,
        found: &mut Candidates,
        unit: &Unit,
        shift: u32,
        map: &mut Map<'_>,
    ) -> Result<(), ApplyError> {
        if let Some((change, confidence)) = recalled(self.tables.words, unit.old) {
            found.confidence = confidence.min(5).wrapping_add(1) | found.confidence << 3;
            found.say(Source::Repeated, unit.old.wrapping_add(change));
        }
        let [short, long] = &self.tables.changes;
        let [short_hash, long_hash] = self.hashes(unit);
        let changed = |table: &[Word], hash| unit.old.wrapping_add(word_at(table, scaled(hash, table.len())));
        found.say(Source::Short, changed(short, stirred(short_hash, 0)));
        found.say(Source::Long, changed(long, stirred(long_hash, 0)));
        if unit.kind != Kind::Plain {
            let changed = |back: usize| self.changes.get(back.wrapping_sub(1)).copied().unwrap_or(0);
            let made = |back: usize| self.words.get(back.wrapping_sub(1)).copied().unwrap_or(0);
            for (source, back) in [(Source::First, 1), (Source::Second, 2), (Source::Sixth, 6)] {
                found.say(source, unit.old.wrapping_add(changed(back)));
            }
            for (source, back) in [(Source::SecondStep, 2usize), (Source::SixthStep, 6)] {
                let step = made(back).wrapping_sub(made(back.wrapping_mul(2)));
                found.say(source, made(back).wrapping_add(step));
            }
            for (source, number) in
                [Source::AnchoredShort, Source::AnchoredLong].into_iter().zip(self.anchors_expected())
            {
                if let Some(word) = self.anchored(number, unit.old, map)? {
                    found.say(source, word);
                }
            }
            for (source, key) in [(Source::Near, near_key(unit.old)), (Source::Region, region_key(unit.old))]
            {
                if let Some((change, _)) = recalled(self.tables.words, key) {
                    found.say(source, unit.old.wrapping_add(change));
                }
            }
        }
        if !unit.refers() {
            found.say(Source::Shifted, unit.old.wrapping_add(shift));
        }
        Ok(())
    }

    /// The numbers of the anchors that were right after the last ones; 0 for none.
    fn anchors_expected(&self) -> [usize; 2] {
        self.anchor_places().map(|place| usize::from(self.tables.anchors.get(place).copied().unwrap_or(0)))
    }

    /// Where what comes after the last few and the last many anchors is remembered.
    fn anchor_places(&self) -> [usize; 2] {
        let half = self.tables.anchors.len() >> 1;
        let short = scaled(stirred(self.anchors_seen & 0xFF, 5), half);
        [short, half.wrapping_add(scaled(stirred(self.anchors_seen, 6), half))]
    }

    /// What `old` becomes if it is relative to the anchor of this number.
    fn anchored(&self, number: usize, old: u32, map: &mut Map<'_>) -> Result<Option<u32>, ApplyError> {
        let index = number.wrapping_sub(1);
        let anchors = [self.base, self.target].map(|layout| layout.anchors().get(index));
        let [Some(base), Some(target)] = anchors else { return Ok(None) };
        let (mapped, certainty) = self.mapped(base.wrapping_add(old), map)?;
        Ok((certainty != Certainty::Unknown).then_some(mapped.wrapping_sub(*target)))
    }

    /// Learns which anchor, if any, a word was relative to that changed.
    fn learn_anchor(&mut self, old: u32, word: u32, map: &mut Map<'_>) -> Result<(), ApplyError> {
        let mut right = 0u32;
        if word != old {
            right = 15;
            for number in 1..=self.base.anchors().len() {
                if self.anchored(number, old, map)? == Some(word) {
                    right = number as u32;
                    break;
                }
            }
            if right < 15 {
                for place in self.anchor_places() {
                    if let Some(expected) = self.tables.anchors.get_mut(place) {
                        *expected = right as u8;
                    }
                }
            }
        }
        self.anchors_seen = self.anchors_seen << 4 | right;
        Ok(())
    }

    /// Learns that `unit`, of which `candidates` were said, became `word` at `target_offset`.
    pub(crate) fn learn(
        &mut self,
        unit: &Unit,
        candidates: &Candidates,
        map: &mut Map<'_>,
        target_offset: u32,
        word: u32,
    ) -> Result<(), ApplyError> {
        self.score(unit, candidates, word);
        if unit.length != 4 {
            return Ok(());
        }
        if unit.refers() {
            self.learn_reference(unit, map, target_offset, word)?;
        }
        if unit.is_word() {
            let change = word.wrapping_sub(unit.old);
            if change != 0 && !unit.refers() {
                self.shift(unit.kind, change);
            }
            remember(self.tables.words, unit.old, change, change != 0);
            if unit.kind != Kind::Plain {
                if !self.base.anchors().is_empty() {
                    self.learn_anchor(unit.old, word, map)?;
                }
                remember(self.tables.words, near_key(unit.old), change, true);
                remember(self.tables.words, region_key(unit.old), change, true);
            }
            let [short, long] = self.hashes(unit);
            for (table, hash) in self.tables.changes.iter_mut().zip([short, long]) {
                let place = scaled(stirred(hash, 0), table.len());
                set_word(table, place, change);
            }
            let mixed = stirred(change, 3);
            if let Some(hashes) = self.hashes.get_mut(usize::from(unit.kind != Kind::Plain)) {
                *hashes = [short << 16 ^ mixed >> 8, long.wrapping_mul(5) << 4 ^ mixed >> 8];
            }
            if unit.kind != Kind::Plain {
                self.changes.rotate_right(1);
                self.words.rotate_right(1);
                (self.changes[0], self.words[0]) = (change, word);
            }
        }
        Ok(())
    }

    /// Lets the scores of all who said something learn.
    fn score(&mut self, unit: &Unit, candidates: &Candidates, word: u32) {
        let set = self.score_set(unit.kind);
        let Some(scores) = self.tables.scores.get_mut(set) else { return };
        for (source, (score, said)) in scores.iter_mut().zip(candidates.words).enumerate() {
            if candidates.said >> source & 1 == 0 {
                continue;
            }
            let value = u16::from_le_bytes(*score);
            let value = if said == word {
                value.wrapping_add(u16::MAX.wrapping_sub(value) >> 5)
            } else {
                value.wrapping_sub(value >> 5)
            };
            *score = value.to_le_bytes();
        }
        let right = candidates.iter().find(|(said, _)| *said == word);
        self.last_right = right.map_or(SOURCES, |(_, mask)| mask.trailing_zeros() as usize);
    }

    fn score_set(&self, kind: Kind) -> usize {
        (kind as usize).wrapping_mul(SOURCES.wrapping_add(1)).wrapping_add(self.last_right)
    }

    fn hashes(&self, unit: &Unit) -> [u32; 2] {
        self.hashes.get(usize::from(unit.kind != Kind::Plain)).copied().unwrap_or_default()
    }

    fn learn_reference(
        &mut self,
        unit: &Unit,
        map: &mut Map<'_>,
        target_offset: u32,
        word: u32,
    ) -> Result<(), ApplyError> {
        let address = self.target.address_of(target_offset);
        let key = target_key(unit);
        let guess = match unit.kind {
            Kind::Page | Kind::PageOffset => match recalled(self.tables.targets, key) {
                Some((learned, _)) if unit.kind == Kind::Page => learned,
                _ => self.mapped(unit.refers_to, map)?.0,
            },
            _ => 0,
        };
        if let Some(referred) = unit.referred(self.architecture, word, address, guess) {
            remember(self.tables.targets, key, referred, true);
            self.shift(unit.kind, referred.wrapping_sub(unit.refers_to));
        }
        Ok(())
    }

    fn mapped(&self, address: u32, map: &mut Map<'_>) -> Result<(u32, Certainty), ApplyError> {
        mapped([self.base, self.target], map, address)
    }

    fn shift(&mut self, kind: Kind, change: u32) {
        if let Some([last, before]) = self.shifts.get_mut(kind as usize)
            && *last != change
        {
            (*last, *before) = (change, *last);
        }
    }
}

/// What sources are thought of at first.
const FIRST_SCORES: [u16; SOURCES] = [
    30_000, 50_000, 40_000, 15_000, 32_000, 25_000, 28_000, 10_000, 20_000, 10_000, 9_000, 9_000, 12_000,
    8_000, 22_000, 16_000, 20_000, 24_000,
];

/// Where what was at `address` of the base is in the target.
pub(crate) fn mapped(
    [base, target]: [&Layout; 2],
    map: &mut Map<'_>,
    address: u32,
) -> Result<(u32, Certainty), ApplyError> {
    if let Some(offset) = base.offset_of(address) {
        let (offset, certainty) = map.image_of(offset)?;
        let mapped = if certainty == Certainty::Unknown { address } else { target.address_of(offset) };
        return Ok((mapped, certainty));
    }
    // Memory behind the file keeps its distance from the end of the file's part.
    let segments = base.holder_of(address).and_then(|index| {
        Some((base.segments().get(index)?.successor(), target.segments().get(index)?.successor()))
    });
    Ok(match segments {
        Some((base, target)) => {
            (address.wrapping_sub(base.address).wrapping_add(target.address), Certainty::Near)
        }
        None => (address, Certainty::Unknown),
    })
}

const fn target_key(unit: &Unit) -> u32 {
    // The low half of an address is learned apart: it does not say what became of the page.
    unit.refers_to ^ if matches!(unit.kind, Kind::PageOffset) { 0x5555_5555 } else { 0 }
}

fn near_key(word: u32) -> u32 {
    (word >> 8).wrapping_add(0x6000_0000)
}

fn region_key(word: u32) -> u32 {
    (word >> 12).wrapping_add(0x9000_0000)
}

/// What became of `key`, and how often that has been right.
fn recalled(table: &[Entry], key: u32) -> Option<(u32, u32)> {
    let hash = stirred(key, 1);
    let [a, b, c, d, low, middle, high, count] = *table.get(scaled(hash, table.len()))?;
    let tag = u32::from_le_bytes([low, middle, high, 0]);
    (count > 0 && tag == hash & 0xFF_FFFF)
        .then(|| (u32::from_le_bytes([a, b, c, d]), u32::from(count).wrapping_sub(1)))
}

/// Remembers that `key` became `value`. Something else with the same place gives way if `is_news`, and the less
/// readily the more often it has been right.
fn remember(table: &mut [Entry], key: u32, value: u32, is_news: bool) {
    let hash = stirred(key, 1);
    let place = scaled(hash, table.len());
    let Some(entry) = table.get_mut(place) else { return };
    let [a, b, c, d, low, middle, high, count] = *entry;
    let tag = u32::from_le_bytes([low, middle, high, 0]);
    let is_known = count > 0 && tag == hash & 0xFF_FFFF;
    let count = if is_known && u32::from_le_bytes([a, b, c, d]) == value {
        count.saturating_add(1)
    } else if is_known || is_news {
        1
    } else {
        return;
    };
    let [a, b, c, d] = value.to_le_bytes();
    let [low, middle, high, _] = hash.to_le_bytes();
    *entry = [a, b, c, d, low, middle, high, count];
}
