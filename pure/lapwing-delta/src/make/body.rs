//! The second stream of an artifact: the target, less the base where the map says so.
//!
//! Touches: `lzma-rust2`, which compresses it.
//! Never: holds the whole stream uncompressed.

use super::{MakeError, OnProgress, Progress, Stage};
use crate::header::Profile;
use crate::limits::{DICTIONARY_BYTES_MIN, INPUT_BYTES, OUTPUT_BYTES, RECORD_BYTES, WINDOW_RECORDS};
use crate::lzma::Properties;
use crate::map::Record;
use lzma_rust2::{EncodeMode, LzmaOptions, LzmaWriter, MfType};
use std::io::Write;
use std::ops::Range;
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
const MAP_SHARE: usize = 4;

/// Contexts that suit bytes, text and x86; instructions of two; and of four bytes.
const CANDIDATES: [Properties; 4] = [
    Properties { literal_context_bits: 3, literal_position_bits: 0, position_bits: 0 },
    Properties { literal_context_bits: 3, literal_position_bits: 0, position_bits: 2 },
    Properties { literal_context_bits: 1, literal_position_bits: 2, position_bits: 2 },
    Properties { literal_context_bits: 0, literal_position_bits: 2, position_bits: 2 },
];

/// The dictionary for an image: what the profile leaves, and no more than the image is worth.
pub(super) fn dictionary_bytes(profile: Profile, target_bytes: usize, map_bytes: usize) -> u32 {
    let probabilities = CANDIDATES.iter().map(|p| p.probabilities() as usize * 2).max().unwrap_or(0);
    let buffers = INPUT_BYTES + 2 * OUTPUT_BYTES + WINDOW_RECORDS * RECORD_BYTES;
    let memory = profile.memory_bytes();
    let map = if map_bytes <= memory / MAP_SHARE { map_bytes } else { 0 };
    let left = memory - probabilities - buffers - map;
    let wanted = if map_bytes == 0 {
        DICTIONARY_BYTES_MAX
    } else {
        DELTA_DICTIONARY_BYTES.max(target_bytes / DELTA_DICTIONARY_SHARE).min(DICTIONARY_BYTES_MAX)
    };
    left.min(wanted).min(target_bytes).max(DICTIONARY_BYTES_MIN as usize) as u32
}

/// What the encoder takes for a dictionary.
pub(super) fn encoder_memory_bytes(dictionary_bytes: u32) -> u64 {
    u64::from(options(CANDIDATES[0], dictionary_bytes).get_memory_usage()) * 1024
}

/// What the body is made from.
pub(super) struct Body<'a> {
    pub(super) base: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) records: &'a [Record],
}

impl Body<'_> {
    /// The stream, with whatever properties make it small.
    pub(super) fn encode(
        &self,
        dictionary_bytes: u32,
        progress: OnProgress<'_>,
    ) -> Result<(Properties, Vec<u8>), MakeError> {
        let chunks = self.target.len().div_ceil(CHUNK_BYTES);
        let stride = chunks.div_ceil(SAMPLE_CHUNKS).max(1);
        let mut best: Option<(Properties, Vec<u8>)> = None;
        for properties in CANDIDATES {
            let stream = self.compress(stride, &options(properties, dictionary_bytes), progress)?;
            if best.as_ref().is_none_or(|(_, best)| stream.len() < best.len()) {
                best = Some((properties, stream));
            }
        }
        let (properties, mut stream) = best.ok_or(MakeError::Encoder)?;
        if stride > 1 {
            stream = self.compress(1, &options(properties, dictionary_bytes), progress)?;
        }
        Ok((properties, stream))
    }

    /// Compresses one of every `stride` chunks.
    fn compress(
        &self,
        stride: usize,
        options: &LzmaOptions,
        progress: OnProgress<'_>,
    ) -> Result<Vec<u8>, MakeError> {
        let length = self.target.len();
        let mut writer =
            LzmaWriter::new_no_header(Vec::new(), options, false).map_err(|_| MakeError::Encoder)?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        for start in (0..length).step_by(CHUNK_BYTES * stride) {
            let stage = if stride > 1 { Stage::Choose } else { Stage::Encode };
            let report = Progress { stage, done_bytes: start as u64, total_bytes: length as u64 };
            if progress(report).is_break() {
                return Err(MakeError::Stopped);
            }
            self.read(start..length.min(start + CHUNK_BYTES), &mut chunk);
            writer.write_all(&chunk).map_err(|_| MakeError::Encoder)?;
        }
        writer.finish().map_err(|_| MakeError::Encoder)
    }

    /// Puts a part of the body into `chunk`.
    fn read(&self, part: Range<usize>, chunk: &mut Vec<u8>) {
        chunk.clear();
        chunk.extend_from_slice(&self.target[part.clone()]);
        let first = self.records.partition_point(|record| record.target_end() as usize <= part.start);
        for record in &self.records[first..] {
            let start = (record.target_start as usize).max(part.start);
            let end = (record.target_end() as usize).min(part.end);
            if start >= end {
                break;
            }
            let base = &self.base[record.base_start as usize + start - record.target_start as usize..];
            for (byte, base) in chunk[start - part.start..end - part.start].iter_mut().zip(base) {
                *byte = byte.wrapping_sub(*base);
            }
        }
    }
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
