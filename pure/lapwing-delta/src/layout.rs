//! Where the parts of an image lie once it is loaded: offsets into addresses and back.
//!
//! Touches: the head of the map stream, where the layouts of base and target are.
//! Never: looks into an image; `make` found the segments. Addresses are modulo 2^32 and may be nonsense.

use crate::apply::ApplyError;
use crate::limits::{ANCHORS_MAX, SEGMENTS_MAX};
use crate::map::Numbers;
use crate::range::Range;

/// A part of an image that is loaded as one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Segment {
    pub(crate) offset: u32,
    pub(crate) address: u32,
    pub(crate) file_bytes: u32,
    /// What lies behind the bytes of the file and is not in it.
    pub(crate) zero_bytes: u32,
    /// 1 for code, 0 for data.
    pub(crate) code: u32,
}

impl Segment {
    /// The fields in the order of the stream, and what they are expected to be.
    pub(crate) const fn fields(self) -> [u32; 5] {
        [self.offset, self.address, self.file_bytes, self.zero_bytes, self.code]
    }

    fn with_fields(self, decode: &mut dyn FnMut(u32) -> Result<u32, ApplyError>) -> Result<Self, ApplyError> {
        let mut fields = self.fields();
        for field in &mut fields {
            *field = decode(*field)?;
        }
        let [offset, address, file_bytes, zero_bytes, code] = fields;
        Ok(Self { offset, address, file_bytes, zero_bytes, code })
    }

    /// What a segment behind this one is taken for until the stream says otherwise.
    pub(crate) const fn successor(self) -> Self {
        Self {
            offset: self.offset.wrapping_add(self.file_bytes),
            address: self.address.wrapping_add(self.file_bytes),
            ..self
        }
    }

    const fn memory_bytes(self) -> u32 {
        self.file_bytes.saturating_add(self.zero_bytes)
    }
}

/// The segments of one image.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    segments: [Segment; SEGMENTS_MAX],
    count: usize,
    anchors: [u32; ANCHORS_MAX],
    anchor_count: usize,
    /// No segment holds an address below this one,
    lowest: u32,
    /// or one so far above it.
    span: u32,
}

impl Layout {
    #[cfg(feature = "make")]
    pub(crate) fn new(segments: &[Segment], anchors: &[u32]) -> Self {
        let mut layout = Self::default();
        for (slot, segment) in layout.segments.iter_mut().zip(segments) {
            *slot = *segment;
        }
        layout.count = segments.len().min(SEGMENTS_MAX);
        for (slot, anchor) in layout.anchors.iter_mut().zip(anchors) {
            *slot = *anchor;
        }
        layout.anchor_count = anchors.len().min(ANCHORS_MAX);
        layout.enclose();
        layout
    }

    /// Decodes the layouts of base and target, which are empty yet.
    pub(crate) fn decode_two(
        [base, target]: &mut [Self; 2],
        range: &mut Range<'_, '_>,
        numbers: &mut Numbers<'_>,
    ) -> Result<(), ApplyError> {
        let mut count = |most| {
            let count = usize::try_from(numbers.layout(range)?).unwrap_or(usize::MAX);
            if count <= most { Ok(count) } else { Err(ApplyError::Corrupt) }
        };
        let (segment_count, anchor_count) = (count(SEGMENTS_MAX)?, count(ANCHORS_MAX)?);
        let mut decode = |expected: u32| {
            let zigzag = u32::try_from(numbers.layout(range)?).map_err(|_| ApplyError::Corrupt)?;
            Ok(expected.wrapping_add(zigzag >> 1 ^ (zigzag & 1).wrapping_neg()))
        };
        let mut previous = Segment::default();
        for (base, target) in base.segments.iter_mut().zip(&mut target.segments).take(segment_count) {
            *base = previous.successor().with_fields(&mut decode)?;
            *target = base.with_fields(&mut decode)?;
            previous = *base;
        }
        let mut previous = 0;
        for (base, target) in base.anchors.iter_mut().zip(&mut target.anchors).take(anchor_count) {
            *base = decode(previous)?;
            *target = decode(*base)?;
            previous = *base;
        }
        for layout in [base, target] {
            (layout.count, layout.anchor_count) = (segment_count, anchor_count);
            layout.enclose();
        }
        Ok(())
    }

    /// Takes note of where the segments begin and end.
    fn enclose(&mut self) {
        let lowest = self.segments().iter().map(|segment| segment.address).min().unwrap_or(0);
        let ends = self.segments().iter().map(|s| s.address.saturating_add(s.memory_bytes()));
        self.span = ends.max().unwrap_or(0).saturating_sub(lowest);
        self.lowest = lowest;
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        self.segments.get(..self.count).unwrap_or_default()
    }

    /// Addresses that words may be relative to.
    #[inline]
    pub(crate) fn anchors(&self) -> &[u32] {
        self.anchors.get(..self.anchor_count).unwrap_or_default()
    }

    /// The segment that the byte at `offset` belongs to.
    #[inline]
    pub(crate) fn segment_of(&self, offset: u32) -> Option<&Segment> {
        self.segments().iter().find(|segment| offset.wrapping_sub(segment.offset) < segment.file_bytes)
    }

    /// Where the byte at `offset` is loaded; `offset` itself outside of all segments.
    #[inline]
    pub(crate) fn address_of(&self, offset: u32) -> u32 {
        match self.segment_of(offset) {
            Some(segment) => offset.wrapping_sub(segment.offset).wrapping_add(segment.address),
            None => offset,
        }
    }

    /// The byte that is loaded at `address`, if there is one.
    pub(crate) fn offset_of(&self, address: u32) -> Option<u32> {
        let holds = |segment: &&Segment| address.wrapping_sub(segment.address) < segment.file_bytes;
        let segment = self.segments().iter().find(holds)?;
        Some(address.wrapping_sub(segment.address).wrapping_add(segment.offset))
    }

    /// Which segment holds `address`, in the file or behind it.
    #[inline]
    pub(crate) fn holder_of(&self, address: u32) -> Option<usize> {
        if address.wrapping_sub(self.lowest) >= self.span {
            return None;
        }
        self.segments().iter().position(|s| address.wrapping_sub(s.address) < s.memory_bytes())
    }

    /// Whether `address` holds code.
    #[inline]
    pub(crate) fn is_code(&self, address: u32) -> bool {
        self.holder_of(address).and_then(|index| self.segments().get(index)).is_some_and(|s| s.code == 1)
    }

    /// Whether `address` lies so far above the lowest one, and below the highest.
    #[inline]
    pub(crate) const fn spans(&self, address: u32, margin: u32) -> bool {
        let above = address.wrapping_sub(self.lowest);
        above >= margin && above < self.span
    }
}
