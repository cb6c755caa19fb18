//! The second stream of an artifact, by either codec.
//!
//! Touches: `lzma-rust2`, which compresses what codec 1 leaves; `crate::body`, which says what that is.
//! Never: foretells otherwise than the decoder will: both run the same code.

use super::range_encoder::Encoder;
use super::{MakeError, OnProgress, Progress, Stage};
use crate::apply::ApplyError;
use crate::body::Body;
use crate::correction::{Correction, Differences};
use crate::header::{Coding, Header, Profile};
use crate::limits::{DICTIONARY_BYTES_MIN, STACK_BYTES};
use crate::lzma::Properties;
use crate::map::{Map, Parts};
use crate::memory::Memory;
use crate::mixing::Mixing;
use crate::plan::Plan;
use crate::ports::Base;
use crate::range::Input;
use lzma_rust2::{EncodeMode, LzmaOptions, LzmaWriter, MfType};
use std::io::Write;
use std::vec;
use std::vec::Vec;

/// What is given to the encoder at a time.
const CHUNK_BYTES: usize = 1 << 16;
/// Bodies of so many chunks are tried whole with all properties, longer ones by a sample.
const SAMPLE_CHUNKS: usize = 16;
/// At least this share of a fast stream is hoped to be saved by a thorough one.
const THOROUGH_SHARE: usize = 10;
/// Up to this size time does not matter.
const SMALL_BYTES: usize = 4 << 20;
/// A larger dictionary gains little on a full image, and less on a delta, whose maker has the base
/// to hold too.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;
const DELTA_DICTIONARY_BYTES: usize = 1 << 20;
/// No more than this share of a profile is kept free for the map.
const MAP_SHARE: usize = 8;
/// The table of codec 2 is at most this many times the target, unless that is very small.
const TABLE_SHARE: usize = 2;
const TABLE_BYTES_MIN: usize = 8 << 20;
const TABLE_BYTES_MAX: usize = 16 << 20;

/// Contexts that suit bytes, text and x86; instructions of two; and of four bytes.
const CANDIDATES: [Properties; 4] = [
    Properties { literal_context_bits: 3, literal_position_bits: 0, position_bits: 0 },
    Properties { literal_context_bits: 3, literal_position_bits: 0, position_bits: 2 },
    Properties { literal_context_bits: 1, literal_position_bits: 2, position_bits: 2 },
    Properties { literal_context_bits: 0, literal_position_bits: 2, position_bits: 2 },
];

/// What is left of a profile for a dictionary or a table if `least` bytes of one are taken already.
fn left_bytes(profile: Profile, coding: Coding, least: usize, target_bytes: u32, map_bytes: usize) -> usize {
    let memory = profile.memory_bytes();
    let map = if map_bytes <= memory / MAP_SHARE { map_bytes } else { 0 };
    let required = Plan::of(profile, coding, target_bytes).required_bytes();
    least + memory.saturating_sub(STACK_BYTES + map + required)
}

/// The dictionary for an image: what the profile leaves, and no more than the image is worth.
pub(super) fn lzma(profile: Profile, properties: Properties, target_bytes: u32, map_bytes: usize) -> Coding {
    let least = DICTIONARY_BYTES_MIN;
    let coding = Coding::Lzma { properties, dictionary_bytes: least };
    let left = left_bytes(profile, coding, least as usize, target_bytes, map_bytes);
    let target = target_bytes as usize;
    let wanted = if map_bytes == 0 { DICTIONARY_BYTES_MAX } else { DELTA_DICTIONARY_BYTES };
    let dictionary_bytes = left.min(wanted).min(target).max(least as usize) as u32;
    Coding::Lzma { properties, dictionary_bytes }
}

/// The table for an image, likewise.
pub(super) fn mixing(profile: Profile, target_bytes: u32, map_bytes: usize) -> Coding {
    let level = u8::from(profile >= Profile::Free);
    let coding = Coding::Mixing { level, table_bytes: 0 };
    let left = left_bytes(profile, coding, 0, target_bytes, map_bytes);
    let wanted = (target_bytes as usize).saturating_mul(TABLE_SHARE).clamp(TABLE_BYTES_MIN, TABLE_BYTES_MAX);
    Coding::Mixing { level, table_bytes: (left.min(wanted) & !63) as u32 }
}

/// What it takes to write a stream by either codec, or to read it again, beside the images and the streams.
pub(super) fn coding_memory_bytes(profile: Profile, target_bytes: u64) -> u64 {
    let target_bytes = u32::try_from(target_bytes).unwrap_or(u32::MAX);
    // A full image has the largest dictionary, having no map.
    let codings = [lzma(profile, WIDEST, target_bytes, 0), mixing(profile, target_bytes, 0)];
    let working = codings.map(|coding| Plan::of(profile, coding, target_bytes).required_bytes() as u64);
    let encoder = match codings[0] {
        Coding::Lzma { dictionary_bytes, .. } => {
            u64::from(options(WIDEST, dictionary_bytes, Effort::Most).get_memory_usage()) * 1024
        }
        Coding::Mixing { .. } => 0,
    };
    working[0].max(working[1]).saturating_add(encoder)
}

/// What both codecs are made from.
pub(super) struct Job<'a> {
    pub(super) base: &'a mut dyn Base,
    pub(super) target: &'a [u8],
    /// The first stream.
    pub(super) map: &'a [u8],
}

impl Job<'_> {
    /// The stream of codec 1 for the coding of `header`, and that coding with whatever properties make it
    /// small; none if there is no hope for less than `most_bytes`.
    pub(super) fn lzma(
        &mut self,
        header: &Header,
        dictionary_bytes: u32,
        most_bytes: usize,
        progress: OnProgress<'_>,
    ) -> Result<Option<(Properties, Vec<u8>)>, MakeError> {
        let (target, mut differences) = (self.target, Vec::with_capacity(self.target.len()));
        self.run(header, progress, |body, _, give| {
            body.run(&mut Correction(Collected(&mut differences)), target, give)
        })?;
        let stride = differences.len().div_ceil(CHUNK_BYTES).div_ceil(SAMPLE_CHUNKS).max(1);
        let (mut properties, mut least) = (WIDEST, usize::MAX);
        for candidate in CANDIDATES {
            let options = options(candidate, dictionary_bytes, Effort::Fast);
            let made_bytes = compress(&differences, stride, &options, progress)?.len();
            if made_bytes < least {
                (properties, least) = (candidate, made_bytes);
            }
        }
        let fast = compress(&differences, 1, &options(properties, dictionary_bytes, Effort::Fast), progress)?;
        if fast.len() - fast.len() / THOROUGH_SHARE >= most_bytes {
            return Ok(None);
        }
        drop(fast);
        let effort = if differences.len() <= SMALL_BYTES { Effort::Most } else { Effort::Thorough };
        let stream = compress(&differences, 1, &options(properties, dictionary_bytes, effort), progress)?;
        Ok(Some((properties, stream)))
    }

    /// The stream of codec 2.
    pub(super) fn mixing(&mut self, header: &Header, progress: OnProgress<'_>) -> Result<Vec<u8>, MakeError> {
        let (target, mut stream) = (self.target, Vec::new());
        self.run(header, progress, |body, memory, give| {
            let mut codec = Mixing::new(header, memory, Encoder::new())?;
            body.run(&mut codec, target, give)?;
            stream = codec.into_bits().finish();
            Ok(())
        })?;
        Ok(stream)
    }

    fn run(
        &mut self,
        header: &Header,
        progress: OnProgress<'_>,
        work: impl FnOnce(
            &mut Body<'_>,
            &mut Memory<'_>,
            &mut dyn FnMut(&[u8]) -> Result<(), ApplyError>,
        ) -> Result<(), ApplyError>,
    ) -> Result<(), MakeError> {
        let plan = header.plan();
        let [mut memory, mut scratch] =
            [plan.required_bytes(), header.scratch_bytes() as usize].map(|b| vec![0; b]);
        let (mut map, mut scratch) = (self.map, scratch.as_mut_slice());
        let mut layouts = Default::default();
        let mut memory = Memory::new(&mut memory);
        let mut done_bytes = 0;
        let total_bytes = self.target.len() as u64;
        let mut give = |piece: &[u8]| {
            done_bytes += piece.len() as u64;
            let report = Progress { stage: Stage::Encode, done_bytes, total_bytes };
            if progress(report).is_break() { Err(ApplyError::Stopped) } else { Ok(()) }
        };
        let coded = || {
            let mut input = Input::new(&mut map, memory.bytes(plan.input_bytes)?);
            let mut body = Body::new(header, self.base, &mut scratch, &mut input, &mut memory, &mut layouts)?;
            work(&mut body, &mut memory, &mut give)
        };
        coded().map_err(|error| match error {
            ApplyError::Stopped => MakeError::Stopped,
            error => MakeError::Unproven(error),
        })
    }
}

/// Works with the map that the stream `map` encodes.
pub(super) fn with_map<T>(
    header: &Header,
    mut map: &[u8],
    work: impl FnOnce(&mut Map<'_>) -> Result<T, ApplyError>,
) -> Result<T, MakeError> {
    let plan = header.plan();
    let mut memory = vec![0; plan.required_bytes()];
    let mut scratch = vec![0; header.scratch_bytes() as usize];
    let (mut memory, mut scratch) = (Memory::new(&mut memory), scratch.as_mut_slice());
    let mapped = || {
        let mut input = Input::new(&mut map, memory.bytes(plan.input_bytes)?);
        let parts = Parts::take(&mut memory, header)?;
        let mut layouts = Default::default();
        work(&mut Map::decode(header, &mut input, parts, &mut scratch, memory.rest(), &mut layouts)?)
    };
    mapped().map_err(MakeError::Unproven)
}

struct Collected<'c>(&'c mut Vec<u8>);

impl Differences for Collected<'_> {
    fn byte(&mut self, known: u8) -> Result<u8, ApplyError> {
        self.0.push(known);
        Ok(known)
    }
}

/// Compresses one of every `stride` chunks.
fn compress(
    text: &[u8],
    stride: usize,
    options: &LzmaOptions,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, MakeError> {
    let stage = if matches!(options.mode, EncodeMode::Fast) { Stage::Choose } else { Stage::Encode };
    let mut writer = LzmaWriter::new_no_header(Vec::new(), options, false).map_err(|_| MakeError::Encoder)?;
    for start in (0..text.len()).step_by(CHUNK_BYTES * stride) {
        let report = Progress { stage, done_bytes: start as u64, total_bytes: text.len() as u64 };
        if progress(report).is_break() {
            return Err(MakeError::Stopped);
        }
        let chunk = &text[start..text.len().min(start + CHUNK_BYTES)];
        writer.write_all(chunk).map_err(|_| MakeError::Encoder)?;
    }
    writer.finish().map_err(|_| MakeError::Encoder)
}

/// What is spent on a stream.
#[derive(Clone, Copy)]
enum Effort {
    /// A twentieth of the time of the others, for a tenth more bytes.
    Fast,
    /// Half the time of the most, for less than one percent more bytes.
    Thorough,
    Most,
}

fn options(properties: Properties, dictionary_bytes: u32, effort: Effort) -> LzmaOptions {
    let Properties { literal_context_bits, literal_position_bits, position_bits } = properties;
    let (mode, enough_bytes, finder, depth) = match effort {
        Effort::Fast => (EncodeMode::Fast, 64, MfType::Hc4, 0),
        Effort::Thorough => (EncodeMode::Normal, 128, MfType::Bt4, 24),
        Effort::Most => (EncodeMode::Normal, LzmaOptions::NICE_LEN_MAX, MfType::Bt4, 0),
    };
    LzmaOptions::new(
        dictionary_bytes,
        literal_context_bits,
        literal_position_bits,
        position_bits,
        mode,
        enough_bytes,
        finder,
        depth,
    )
}

/// The properties with the most probabilities.
pub(super) const WIDEST: Properties = CANDIDATES[0];
