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
use crate::range::Input;
use lzma_rust2::{EncodeMode, LzmaOptions, LzmaWriter, MfType};
use std::io::Write;
use std::vec;
use std::vec::Vec;

/// What is given to the encoder at a time.
const CHUNK_BYTES: usize = 1 << 16;
/// Bodies of so many chunks are tried whole with all properties, longer ones by a sample.
const SAMPLE_CHUNKS: usize = 8;
/// A larger dictionary gains little on a full image, and less on a delta, whose maker has the base
/// to hold too.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;
const DELTA_DICTIONARY_BYTES: usize = 1 << 20;
const DELTA_DICTIONARY_SHARE: usize = 4;
/// No more than this share of a profile is kept free for the map.
const MAP_SHARE: usize = 8;
/// The table of codec 2 is at most this many times the target.
const TABLE_SHARE: usize = 4;
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
    let wanted = if map_bytes == 0 {
        DICTIONARY_BYTES_MAX
    } else {
        DELTA_DICTIONARY_BYTES.max(target / DELTA_DICTIONARY_SHARE).min(DICTIONARY_BYTES_MAX)
    };
    let dictionary_bytes = left.min(wanted).min(target).max(least as usize) as u32;
    Coding::Lzma { properties, dictionary_bytes }
}

/// The table for an image, likewise.
pub(super) fn mixing(profile: Profile, target_bytes: u32, map_bytes: usize) -> Coding {
    let level = u8::from(profile >= Profile::Free);
    let coding = Coding::Mixing { level, table_bytes: 0 };
    let left = left_bytes(profile, coding, 0, target_bytes, map_bytes);
    let wanted = (target_bytes as usize).saturating_mul(TABLE_SHARE).clamp(TABLE_BYTES_MAX, TABLE_BYTES_MAX);
    Coding::Mixing { level, table_bytes: (left.min(wanted) & !63) as u32 }
}

/// What the encoder of codec 1 takes at most.
pub(super) fn encoder_memory_bytes(profile: Profile) -> u64 {
    let dictionary_bytes = profile.memory_bytes().min(DICTIONARY_BYTES_MAX) as u32;
    u64::from(options(WIDEST, dictionary_bytes).get_memory_usage()) * 1024
}

/// What both codecs are made from.
pub(super) struct Job<'a> {
    pub(super) base: &'a [u8],
    pub(super) target: &'a [u8],
    /// The first stream.
    pub(super) map: &'a [u8],
}

impl Job<'_> {
    /// The stream of codec 1 for the coding of `header`, and that coding with whatever properties make it small.
    pub(super) fn lzma(
        &self,
        header: &Header,
        dictionary_bytes: u32,
        progress: OnProgress<'_>,
    ) -> Result<(Properties, Vec<u8>), MakeError> {
        let mut differences = Vec::with_capacity(self.target.len());
        self.run(header, progress, |body, _, give| {
            body.run(&mut Correction(Collected(&mut differences)), self.target, give)
        })?;
        let chunks = differences.len().div_ceil(CHUNK_BYTES);
        let stride = chunks.div_ceil(SAMPLE_CHUNKS).max(1);
        let mut best: Option<(Properties, Vec<u8>)> = None;
        for properties in CANDIDATES {
            let stream = compress(&differences, stride, &options(properties, dictionary_bytes), progress)?;
            if best.as_ref().is_none_or(|(_, best)| stream.len() < best.len()) {
                best = Some((properties, stream));
            }
        }
        let (properties, mut stream) = best.ok_or(MakeError::Encoder)?;
        if stride > 1 {
            stream = compress(&differences, 1, &options(properties, dictionary_bytes), progress)?;
        }
        Ok((properties, stream))
    }

    /// The stream of codec 2.
    pub(super) fn mixing(&self, header: &Header, progress: OnProgress<'_>) -> Result<Vec<u8>, MakeError> {
        let mut stream = Vec::new();
        self.run(header, progress, |body, memory, give| {
            let mut codec = Mixing::new(header, memory, Encoder::new())?;
            body.run(&mut codec, self.target, give)?;
            stream = codec.into_bits().finish();
            Ok(())
        })?;
        Ok(stream)
    }

    /// Works with the map of `header`.
    pub(super) fn with_map<T>(
        &self,
        header: &Header,
        work: impl FnOnce(&mut Map<'_>) -> Result<T, ApplyError>,
    ) -> Result<T, MakeError> {
        let plan = header.plan();
        let mut memory = vec![0; plan.required_bytes()];
        let mut scratch = vec![0; header.scratch_bytes() as usize];
        let mut memory = Memory::new(&mut memory);
        let (mut stream, mut scratch) = (self.map, scratch.as_mut_slice());
        let mapped = || {
            let mut input = Input::new(&mut stream, memory.bytes(plan.input_bytes)?);
            let parts = Parts::take(&mut memory, header)?;
            let mut layouts = Default::default();
            work(&mut Map::decode(header, &mut input, parts, &mut scratch, memory.rest(), &mut layouts)?)
        };
        mapped().map_err(MakeError::Unproven)
    }

    fn run(
        &self,
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
        let (mut base, mut map, mut scratch) = (self.base, self.map, scratch.as_mut_slice());
        let mut layouts = Default::default();
        let mut memory = Memory::new(&mut memory);
        let mut done_bytes = 0;
        let mut give = |piece: &[u8]| {
            done_bytes += piece.len() as u64;
            let report = Progress { stage: Stage::Encode, done_bytes, total_bytes: self.target.len() as u64 };
            if progress(report).is_break() { Err(ApplyError::Stopped) } else { Ok(()) }
        };
        let coded = || {
            let mut input = Input::new(&mut map, memory.bytes(plan.input_bytes)?);
            let mut body = Body::new(header, &mut base, &mut scratch, &mut input, &mut memory, &mut layouts)?;
            work(&mut body, &mut memory, &mut give)
        };
        coded().map_err(|error| match error {
            ApplyError::Stopped => MakeError::Stopped,
            error => MakeError::Unproven(error),
        })
    }
}

/// How many bytes of an image were compressed for a sample, and to how many.
pub(super) fn sampled(image: &[u8], progress: OnProgress<'_>) -> Result<(usize, usize), MakeError> {
    let chunks = image.len().div_ceil(CHUNK_BYTES);
    let stride = chunks.div_ceil(SAMPLE_CHUNKS).max(1);
    let sampled = chunks.div_ceil(stride) * CHUNK_BYTES;
    let options = options(CANDIDATES[1], (SAMPLE_CHUNKS * CHUNK_BYTES) as u32);
    Ok((sampled.min(image.len()), compress(image, stride, &options, progress)?.len()))
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
    let mut writer = LzmaWriter::new_no_header(Vec::new(), options, false).map_err(|_| MakeError::Encoder)?;
    for start in (0..text.len()).step_by(CHUNK_BYTES * stride) {
        let stage = if stride > 1 { Stage::Choose } else { Stage::Encode };
        let report = Progress { stage, done_bytes: start as u64, total_bytes: text.len() as u64 };
        if progress(report).is_break() {
            return Err(MakeError::Stopped);
        }
        let chunk = &text[start..text.len().min(start + CHUNK_BYTES)];
        writer.write_all(chunk).map_err(|_| MakeError::Encoder)?;
    }
    writer.finish().map_err(|_| MakeError::Encoder)
}

fn options(properties: Properties, dictionary_bytes: u32) -> LzmaOptions {
    let Properties { literal_context_bits, literal_position_bits, position_bits } = properties;
    LzmaOptions::new(
        dictionary_bytes,
        literal_context_bits,
        literal_position_bits,
        position_bits,
        EncodeMode::Normal,
        LzmaOptions::NICE_LEN_MAX,
        MfType::Bt4,
        0,
    )
}

/// The properties with the most probabilities.
pub(super) const WIDEST: Properties = CANDIDATES[0];
