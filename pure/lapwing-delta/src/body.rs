//! The target, unit by unit: where the map says so a unit of the base, and literals in between.
//!
//! Touches: the map, the base, the predictor. The codecs are told what is likely and tell what it is.
//! Never: knows whether the target is being read or written.

use crate::apply::ApplyError;
use crate::header::Header;
use crate::history::History;
use crate::layout::Layout;
use crate::limits::PIECE_BYTES;
use crate::map::{Map, Parts, Record};
use crate::memory::Memory;
use crate::ports::{Base, Scratch};
use crate::predict::{ANCHOR_ENTRIES, Candidates, Predictor, SCORE_SETS, SOURCES, Tables};
use crate::range::Input;
use crate::reference::Unit;
use crate::window::Window;

/// What a codec may look at beside what it is to tell.
pub(crate) struct Place<'p, 'm> {
    pub(crate) history: &'p History<'m>,
    /// The stretch of a unit, and how far into it the unit is.
    pub(crate) record: Record,
    pub(crate) done_bytes: u32,
}

/// One of the two codecs, in one of the two directions.
pub(crate) trait Codec {
    /// What has become of `unit`. `known` is that if it is being written.
    fn unit(
        &mut self,
        place: &Place<'_, '_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<u32, ApplyError>;

    /// A byte that is in no stretch; `expected` is what would follow the last one.
    fn literal(&mut self, history: &History<'_>, expected: u8, known: u32) -> Result<u32, ApplyError>;

    /// Called when the codec's next literal begins a gap or a stretch has ended.
    fn turn(&mut self, history: &History<'_>);
}

/// All that both codecs need, in the caller's memory.
pub(crate) struct Body<'m> {
    map: Map<'m>,
    window: Window<'m>,
    predictor: Predictor<'m>,
    history: History<'m>,
    target_bytes: u32,
}

impl<'m> Body<'m> {
    /// Divides `memory`, and decodes the layouts, which are empty yet, and the map. What is left of the
    /// memory is the codec's.
    pub(crate) fn new(
        header: &Header,
        base: &'m mut dyn Base,
        scratch: &'m mut dyn Scratch,
        input: &mut Input<'_>,
        memory: &mut Memory<'m>,
        layouts: &'m mut [Layout; 2],
    ) -> Result<Self, ApplyError> {
        let plan = header.plan();
        let window = Window::new(base, header.base_bytes, memory.bytes(plan.window_bytes)?);
        let tables = Tables {
            targets: memory.items(plan.target_entries)?,
            words: memory.items(plan.word_entries)?,
            changes: [memory.items(plan.change_entries)?, memory.items(plan.change_entries)?],
            anchors: memory.bytes(ANCHOR_ENTRIES)?,
            scores: memory.items(SCORE_SETS * SOURCES)?.as_chunks_mut().0,
        };
        let history = History::new(memory.bytes(plan.ring_bytes)?, PIECE_BYTES);
        let parts = Parts::take(memory, header)?;
        let map = Map::decode(header, input, parts, scratch, memory.rest(), layouts)?;
        let predictor = Predictor::new(header.architecture, layouts, tables);
        Ok(Self { map, window, predictor, history, target_bytes: header.target_bytes })
    }

    /// Makes the target and gives it out in pieces. `known` is the target if it is being written, and empty
    /// otherwise.
    // Likewise apart: only one codec's is needed.
    #[inline(never)]
    pub(crate) fn run(
        &mut self,
        codec: &mut impl Codec,
        known: &[u8],
        give: &mut dyn FnMut(&[u8]) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let mut expected_at = 0u32;
        loop {
            let record = self.map.next()?;
            let gap_end = record.map_or(self.target_bytes, |record| record.target_start);
            while self.history.made_bytes() < gap_end {
                let expected = self.window.byte(expected_at)?;
                expected_at = expected_at.saturating_add(1);
                let known = known_word(known, self.history.made_bytes(), 1);
                let byte = codec.literal(&self.history, expected, known)?;
                self.history.push(byte, 1);
                codec.turn(&self.history);
                self.give(give)?;
            }
            let Some(record) = record else { return Ok(()) };
            self.stretch(codec, record, known, give)?;
            expected_at = record.base_end();
            codec.turn(&self.history);
        }
    }

    fn stretch(
        &mut self,
        codec: &mut impl Codec,
        record: Record,
        known: &[u8],
        give: &mut dyn FnMut(&[u8]) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let mut done_bytes = 0u32;
        while done_bytes < record.length_bytes {
            let base_offset = record.base_start.wrapping_add(done_bytes);
            let target_offset = record.target_start.wrapping_add(done_bytes);
            let room = record.length_bytes.wrapping_sub(done_bytes);
            let view = self.window.around(base_offset)?;
            let predictor = &mut self.predictor;
            let unit = Unit::at(predictor.architecture, predictor.base, view, base_offset, room);
            let candidates = predictor.candidates(&unit, &mut self.map, target_offset)?;
            let place = Place { history: &self.history, record, done_bytes };
            let known = known_word(known, target_offset, unit.length);
            let word = codec.unit(&place, &unit, &candidates, known)?;
            predictor.learn(&unit, &candidates, &mut self.map, target_offset, word)?;
            self.history.push(word, unit.length);
            self.give(give)?;
            done_bytes = done_bytes.wrapping_add(unit.length);
        }
        Ok(())
    }

    fn give(&mut self, give: &mut dyn FnMut(&[u8]) -> Result<(), ApplyError>) -> Result<(), ApplyError> {
        while let Some(piece) = self.history.piece(self.target_bytes)? {
            give(piece)?;
        }
        Ok(())
    }

    /// What was made.
    pub(crate) fn into_history(self) -> History<'m> {
        self.history
    }
}

/// The `length` bytes of `known` at `offset` as a word; zeros for what is not there.
#[inline]
fn known_word(known: &[u8], offset: u32, length: u32) -> u32 {
    if known.is_empty() {
        return 0;
    }
    let bytes = known.get(offset as usize..).unwrap_or_default();
    bytes.iter().take(length as usize).rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
