//! Every size that `apply` lives within.
//!
//! Touches: nothing.
//! Never: changes without `formats/delta.md`, where a size is part of the format.

/// Bytes of the artifact held at a time.
pub(crate) const INPUT_BYTES: usize = 2048;

/// Bytes of the target written at a time, and of the base read for them.
pub(crate) const OUTPUT_BYTES: usize = 4096;

/// A decoded map record: offset in the target, offset in the base, length.
pub(crate) const RECORD_BYTES: usize = 12;

/// Map records held at a time.
pub(crate) const WINDOW_RECORDS: usize = 64;

/// The smallest dictionary of the LZMA format.
pub(crate) const DICTIONARY_BYTES_MIN: u32 = 4096;

/// Most literal context and position bits together; each further one doubles a table.
pub(crate) const LITERAL_BITS_MAX: u32 = 4;

/// The longest header, segment tables included.
pub(crate) const HEADER_BYTES_MAX: usize = 4096;

/// The working set that the profile without a fixed size may still not exceed.
pub(crate) const FREE_PROFILE_BYTES: usize = 32 * 1024 * 1024;
