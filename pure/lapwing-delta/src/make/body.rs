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
/// Bodies up to this length are tried with all properties, longer ones by as much of their middle.
const SAMPLE_BYTES: usize = 1 << 20;
/// A dictionary beyond this gains nothing on images.
const DICTIONARY_BYTES_MAX: usize = 8 << 20;
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
    left.min(DICTIONARY_BYTES_MAX).min(target_bytes).max(DICTIONARY_BYTES_MIN as usize) as u32
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
        let length = self.target.len();
        let sample_bytes = length.min(SAMPLE_BYTES);
        let sample_start = (length - sample_bytes) / 2;
        let sample = sample_start..sample_start + sample_bytes;
        let mut best: Option<(Properties, Vec<u8>)> = None;
        for properties in CANDIDATES {
            let stream = self.compress(sample.clone(), options(properties, dictionary_bytes), progress)?;
            if best.as_ref().is_none_or(|(_, best)| stream.len() < best.len()) {
                best = Some((properties, stream));
            }
        }
        let (properties, mut stream) = best.ok_or(MakeError::Encoder)?;
        if sample_bytes < length {
            stream = self.compress(0..length, options(properties, dictionary_bytes), progress)?;
        }
        Ok((properties, stream))
    }

    fn compress(
        &self,
        part: Range<usize>,
        options: LzmaOptions,
        progress: OnProgress<'_>,
    ) -> Result<Vec<u8>, MakeError> {
        let total_bytes = part.len() as u64;
        let mut writer =
            LzmaWriter::new_no_header(Vec::new(), &options, false).map_err(|_| MakeError::Encoder)?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        for start in part.clone().step_by(CHUNK_BYTES) {
            let done_bytes = (start - part.start) as u64;
            if progress(Progress { stage: Stage::Encode, done_bytes, total_bytes }).is_break() {
                return Err(MakeError::Stopped);
            }
            self.read(start..part.end.min(start + CHUNK_BYTES), &mut chunk);
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
