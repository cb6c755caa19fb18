//! Every size that `apply` lives within.
//!
//! Touches: nothing.
//! Never: changes without `formats/delta.md`, where a size is part of the format.

/// A decoded map record: offset in the target, offset in the base, length.
pub(crate) const RECORD_BYTES: usize = 12;

/// Most records of a map.
pub(crate) const RECORDS_MAX: u32 = 1 << 20;

/// Map records held at a time, in the order of the target.
pub(crate) const SEQUENCE_RECORDS: usize = 32;

/// Map records in a page, in the order of the base.
pub(crate) const PAGE_RECORDS: usize = 16;

/// What merging takes for each sorted run of records: one of them and its number.
pub(crate) const RUN_BYTES: usize = RECORD_BYTES + 4;

/// Most segments of an image.
pub(crate) const SEGMENTS_MAX: usize = 8;

/// Most anchors of an image.
pub(crate) const ANCHORS_MAX: usize = 8;

/// How far before and behind a byte of the base one may have to look to tell what it is.
pub(crate) const VIEW_BEFORE_BYTES: usize = 32;
/// As above, behind.
pub(crate) const VIEW_AFTER_BYTES: usize = 40;

/// The smallest dictionary of the LZMA format.
pub(crate) const DICTIONARY_BYTES_MIN: u32 = 4096;

/// Most literal context and position bits together; each further one doubles a table.
pub(crate) const LITERAL_BITS_MAX: u32 = 4;

/// The smallest table of codec 2.
pub(crate) const TABLE_BYTES_MIN: u32 = 4096;

/// Bytes of the target given out at a time.
pub(crate) const PIECE_BYTES: u32 = 2048;

/// What `apply` takes of the stack, and leaves free of a profile.
pub(crate) const STACK_BYTES: usize = 3072;

/// The working set that the profile without a fixed size may still not exceed.
pub(crate) const FREE_PROFILE_BYTES: usize = 32 * 1024 * 1024;
