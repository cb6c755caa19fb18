//! Finds out what kind of program an image is and where its parts are loaded: ELF, PE, or raw.
//!
//! Touches: the image.
//! Never: is believed by the decoder; a wrong guess costs bytes, not correctness.

use crate::layout::{Layout, Segment};
use crate::limits::{ANCHORS_MAX, SEGMENTS_MAX};
use crate::reference::Architecture;
use std::vec;
use std::vec::Vec;

/// An image, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) architecture: Architecture,
    pub(super) segments: Vec<Segment>,
    /// Addresses that words in it are relative to.
    pub(super) anchors: Vec<u32>,
    /// Where tables are that hold nothing but such words.
    pub(super) tables: Vec<Table>,
}

/// Words of which each is relative to one of two anchors in turn, or to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) offset: u32,
    pub(super) words: u32,
    pub(super) anchors: Option<[u32; 2]>,
}

impl Table {
    /// Whether the word at `offset` of the image has to do with it.
    pub(super) fn holds(&self, offset: usize) -> bool {
        let start = self.offset as usize;
        offset + 4 > start && offset < start + self.words as usize * 4
    }
}

/// Both images, if they are programs of one architecture; their segments and anchors correspond in order.
pub(super) fn pair(base: &[u8], target: &[u8]) -> Option<[Program; 2]> {
    let mut programs = [program(base)?, program(target)?];
    let [base, target] = &mut programs;
    if base.architecture != target.architecture || base.architecture == Architecture::None {
        return None;
    }
    let count = base.segments.len().max(target.segments.len());
    base.segments.resize(count, Segment::default());
    target.segments.resize(count, Segment::default());
    let count = base.anchors.len().min(target.anchors.len());
    base.anchors.truncate(count);
    target.anchors.truncate(count);
    Some(programs)
}

fn program(image: &[u8]) -> Option<Program> {
    let mut program = elf(image).or_else(|| pe(image)).or_else(|| raw(image)).or_else(|| holder(image))?;
    program.segments.truncate(SEGMENTS_MAX);
    if let Some((anchors, table)) = go_tables(image, &program.segments) {
        program.anchors.extend(anchors);
        program.tables.push(table);
    }
    program.anchors.truncate(ANCHORS_MAX);
    (!program.segments.is_empty()).then_some(program)
}

/// The tables of a Go program are relative to the beginning of the code and to each other's.
fn go_tables(image: &[u8], segments: &[Segment]) -> Option<(Vec<u32>, Table)> {
    const TABLES: usize = 5;
    let layout = Layout::new(segments, &[]);
    let is_head = |at: &usize| {
        let head = &image[*at..];
        matches!(head[0], 0xF0 | 0xF1)
            && head[1..4] == [0xFF; 3]
            && head[4..6] == [0; 2]
            && matches!(head[6], 1 | 2 | 4)
            && matches!(head[7], 4 | 8)
    };
    let at = (0..image.len().saturating_sub(128)).step_by(16).find(is_head)?;
    let word_bytes = usize::from(image[at + 7]);
    let field = |nth: usize| number(image, at + 8 + nth * word_bytes, word_bytes).map(|field| field as u32);
    let head = layout.address_of(at as u32);
    let code = segments.iter().find(|segment| segment.code == 1)?.address;
    let text = match field(2)? {
        // The linker no longer fills it in; code begins behind the headers, or a page further on.
        0 => text_start(image, segments).unwrap_or(code),
        text => text,
    };
    let mut anchors = vec![text];
    for nth in 3..3 + TABLES {
        anchors.push(head.wrapping_add(field(nth)?));
    }
    // Types are relative to the beginning of the constants, in the segment that has these tables.
    anchors.push(layout.segment_of(at as u32)?.address);
    // The last of them begins with a pair for each function: where it is, and what is known about it.
    let functions = *anchors.get(TABLES)?;
    let table = Table {
        offset: layout.offset_of(functions)?,
        words: field(0)?.saturating_mul(2),
        anchors: Some([text, functions]),
    };
    Some((anchors, table))
}

fn number(image: &[u8], offset: usize, bytes: usize) -> Option<usize> {
    let field = image.get(offset..)?.get(..bytes)?;
    field.iter().rev().try_fold(0usize, |number, byte| Some(number.checked_mul(256)? | usize::from(*byte)))
}

/// So many programs in an image tell what machine it is for.
const HEADS_MAX: usize = 64;

/// Types of ELF program headers.
const LOADED: usize = 1;
const UNWINDING: usize = 0x6474_E550;
const ARM_UNWINDING: usize = 0x7000_0001;

/// Where a section named `.text` begins, if the image still has its section headers.
fn text_start(image: &[u8], segments: &[Segment]) -> Option<u32> {
    let is_64 = image.get(4)? == &2;
    let header = |at_32, at_64, bytes| number(image, if is_64 { at_64 } else { at_32 }, bytes);
    let word = if is_64 { 8 } else { 4 };
    let table = header(32, 40, word)?;
    let [entry_bytes, count, names] = [header(46, 58, 2)?, header(48, 60, 2)?, header(50, 62, 2)?];
    let field = |nth: usize, at_32, at_64| {
        number(image, table.checked_add(nth * entry_bytes)? + if is_64 { at_64 } else { at_32 }, word)
    };
    let names = field(names, 16, 24)?;
    let is_text = |nth: &usize| {
        let name = number(image, table + nth * entry_bytes, 4).map(|name| name + names);
        name.and_then(|name| image.get(name..)?.get(..6)).is_some_and(|name| name == b".text\0")
    };
    let address = field((0..count).find(is_text)?, 12, 16)? as u32;
    Layout::new(segments, &[]).is_code(address).then_some(address)
}

fn elf(image: &[u8]) -> Option<Program> {
    let is_64 = match image.get(..6)? {
        [0x7F, b'E', b'L', b'F', 1, 1] => false,
        [0x7F, b'E', b'L', b'F', 2, 1] => true,
        _ => return None,
    };
    let header = |at_32, at_64, bytes| number(image, if is_64 { at_64 } else { at_32 }, bytes);
    let word = if is_64 { 8 } else { 4 };
    let [table, entry_bytes, count] = [header(28, 32, word)?, header(42, 54, 2)?, header(44, 56, 2)?];
    let (mut segments, mut anchors, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    for nth in 0..count {
        let entry = table.checked_add(nth * entry_bytes)?;
        let field =
            |at_32, at_64, bytes| number(image, entry.checked_add(if is_64 { at_64 } else { at_32 })?, bytes);
        match field(0, 0, 4)? {
            LOADED => {}
            // Its table for searching is relative to its beginning.
            UNWINDING => {
                let [offset, address] = [field(4, 8, word)? as u32, field(8, 16, word)? as u32];
                anchors.push(address);
                let words = (field(16, 32, word)? / 4).saturating_sub(3) as u32;
                tables.push(Table { offset: offset.wrapping_add(12), words, anchors: Some([address; 2]) });
                continue;
            }
            ARM_UNWINDING => {
                let words = (field(16, 32, word)? / 4) as u32;
                tables.push(Table { offset: field(4, 8, word)? as u32, words, anchors: None });
                continue;
            }
            _ => continue,
        }
        let flags = field(24, 4, 4)?;
        let [file_bytes, memory_bytes] = [field(16, 32, word)?, field(20, 40, word)?];
        segments.push(Segment {
            offset: field(4, 8, word)? as u32,
            address: field(8, 16, word)? as u32,
            file_bytes: file_bytes as u32,
            zero_bytes: memory_bytes.saturating_sub(file_bytes) as u32,
            code: flags as u32 & 1,
        });
    }
    let architecture = match number(image, 18, 2)? {
        62 => Architecture::X86_64,
        183 => Architecture::Aarch64,
        40 => arm_mode(image, &segments),
        _ => Architecture::None,
    };
    Some(Program { architecture, segments, anchors, tables })
}

fn pe(image: &[u8]) -> Option<Program> {
    if image.get(..2)? != b"MZ" {
        return None;
    }
    let head = number(image, 60, 4)?;
    if image.get(head..)?.get(..4)? != b"PE\0\0" {
        return None;
    }
    let field = |at, bytes| number(image, head + at, bytes);
    let architecture = match field(4, 2)? {
        0x8664 => Architecture::X86_64,
        0xAA64 => Architecture::Aarch64,
        0x01C4 => Architecture::Thumb2,
        _ => Architecture::None,
    };
    let is_64 = field(24, 2)? == 0x20B;
    let image_base = if is_64 { field(48, 8)? } else { field(52, 4)? } as u32;
    let table = head + 24 + field(20, 2)?;
    let mut segments = vec![];
    for nth in 0..field(6, 2)? {
        let field = |at, bytes| number(image, table + nth * 40 + at, bytes);
        let [memory_bytes, address, file_bytes, offset] =
            [field(8, 4)?, field(12, 4)?, field(16, 4)?, field(20, 4)?].map(|field| field as u32);
        segments.push(Segment {
            offset,
            address: image_base.wrapping_add(address),
            file_bytes,
            zero_bytes: memory_bytes.saturating_sub(file_bytes),
            code: field(36, 4)? as u32 >> 29 & 1,
        });
    }
    Some(Program { architecture, segments, anchors: vec![image_base], tables: vec![] })
}

/// The vector table of a Cortex-M: at the start, or behind the header that a bootloader wants.
fn raw(image: &[u8]) -> Option<Program> {
    const HEADER_BYTES_MAX: usize = 8192;
    const STEP: usize = 32;
    let starts = (0..image.len().min(HEADER_BYTES_MAX + 1)).step_by(STEP);
    starts.take_while(|_| image.len() <= 16 << 20).find_map(|start| flashed(image, start))
}

/// A stack in RAM, and handlers in Thumb code, in flash with the table.
fn flashed(image: &[u8], start: usize) -> Option<Program> {
    const HANDLERS_MIN: usize = 3;
    let word = |nth: usize| number(image, start + nth * 4, 4).map(|word| word as u32);
    let stack = word(0)?;
    if stack >> 28 != 2 || stack & 3 != 0 || word(1)? == 0 {
        return None;
    }
    let handlers = (1..16).filter_map(word).filter(|handler| *handler != 0);
    let (low, high) =
        handlers.clone().fold((u32::MAX, 0), |(low, high), handler| (low.min(handler), high.max(handler)));
    let size = (image.len() - start) as u32;
    let is_thumb = handlers.clone().all(|handler| handler & 1 == 1) && handlers.count() >= HANDLERS_MIN;
    if !is_thumb || high - low >= size || low < 0x100 && high > size {
        return None;
    }
    let address = flash_address(&image[start..], low, high)?;
    let flash = Segment { offset: start as u32, address, file_bytes: size, zero_bytes: 0, code: 1 };
    // RAM, up to the stack's end; nothing of it is in the image.
    let ram = Segment {
        offset: u32::MAX,
        address: stack & 0xFFF0_0000,
        file_bytes: 0,
        zero_bytes: stack & 0x000F_FFFF,
        code: 0,
    };
    Some(Program {
        architecture: Architecture::Thumb2,
        segments: vec![flash, ram],
        anchors: vec![],
        tables: vec![],
    })
}

/// An image that holds programs as they are: an archive, or a file system that does not compress. What they
/// refer to relatively is found where they lie, as if all of it were code of the machine that most are for.
fn holder(image: &[u8]) -> Option<Program> {
    let heads = image.windows(4).enumerate().filter(|(_, head)| head == b"\x7FELF").map(|(at, _)| at);
    let machines =
        heads.take(HEADS_MAX).filter_map(|at| elf(&image[at..])).map(|program| program.architecture);
    let mut counts = [0; 5];
    machines.for_each(|machine| counts[machine as usize] += 1);
    let most = (1..counts.len() as u8).max_by_key(|machine| counts[usize::from(*machine)])?;
    let whole = Segment { file_bytes: image.len() as u32, code: 1, ..Segment::default() };
    let architecture = Architecture::from_id(most).filter(|_| counts[usize::from(most)] > 0)?;
    Some(Program { architecture, segments: vec![whole], anchors: vec![], tables: vec![] })
}

/// The address at which the most pointers to functions lead to the beginning of one.
fn flash_address(image: &[u8], low: u32, high: u32) -> Option<u32> {
    const STEP: usize = 256;
    let size = image.len() as u32;
    let first = (high.saturating_sub(size) as usize).next_multiple_of(STEP) as u32;
    let words = image.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    let pointers: Vec<u32> =
        words.filter(|word| word & 1 == 1 && *word >= first && word - first < 2 * size).collect();
    let is_entry = |offset: u32| number(image, offset as usize & !1, 2).is_some_and(|half| half >> 8 == 0xB5);
    let score = |address: &u32| {
        pointers.iter().filter(|pointer| pointer.checked_sub(*address).is_some_and(is_entry)).count()
    };
    (first..=low).step_by(STEP).max_by_key(score)
}

/// Which of the two instruction sets the code has more calls of.
fn arm_mode(image: &[u8], segments: &[Segment]) -> Architecture {
    let (mut a32, mut thumb) = (0, 0);
    for segment in segments.iter().filter(|segment| segment.code == 1) {
        let start = segment.offset as usize;
        let code = image.get(start..).unwrap_or_default();
        let code = &code[..code.len().min(segment.file_bytes as usize)];
        a32 += code.as_chunks::<4>().0.iter().filter(|word| word[3] == 0xEB).count();
        let halves = code.as_chunks::<2>().0;
        let is_call = |pair: &&[[u8; 2]]| pair[0][1] & 0xF8 == 0xF0 && pair[1][1] & 0xD0 == 0xD0;
        thumb += halves.windows(2).filter(is_call).count();
    }
    if thumb > a32 { Architecture::Thumb2 } else { Architecture::A32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions that begin with a push, each with the address of the next one behind it.
    fn cortex_m(flash: u32) -> Vec<u8> {
        let entry = |nth: u32| 256 + nth * 66;
        let mut image = vec![0x11; 256 + 66 * 100];
        image[..4].copy_from_slice(&0x2001_8000u32.to_le_bytes());
        for nth in 0..100 {
            let pointer = (flash + entry(nth) + 1).to_le_bytes();
            let at = entry(nth) as usize;
            image[at + 1] = 0xB5;
            image[(at + 40) & !3..][..4].copy_from_slice(&pointer);
            if nth < 15 {
                image[4 + nth as usize * 4..][..4].copy_from_slice(&pointer);
            }
        }
        image
    }

    #[test]
    fn a_raw_image_tells_where_its_flash_is() {
        for flash in [0, 0x0800_0000, 0x0802_0000, 0x1000_4100] {
            // Alone, behind a short header, and behind the one of MCUboot.
            for header_bytes in [0, 32, 512] {
                let image = [vec![0x3D; header_bytes], cortex_m(flash)].concat();
                let program = raw(&image).unwrap();
                assert_eq!(program.architecture, Architecture::Thumb2);
                assert_eq!(program.segments[0].address, flash);
                assert_eq!(program.segments[0].offset, header_bytes as u32);
            }
        }
    }

    #[test]
    fn bytes_of_no_program_are_none() {
        assert_eq!(program(&[]), None);
        assert_eq!(program(&[0x7F; 300]), None);
        assert_eq!(program(b"MZ"), None);
        let cut = cortex_m(0x0800_0000);
        assert_eq!(program(&cut[..60]), None);
        assert_eq!(program(&b" one line of text and another\n".repeat(500)), None);
    }

    #[test]
    fn headers_that_lie_never_panic() {
        for (head, field_bytes) in [(b"\x7FELF\x01\x01", 4), (b"\x7FELF\x02\x01", 8), (b"MZ\0\0\0\0", 4)] {
            for at in (16..72).step_by(2) {
                let mut image = vec![0xFF; 400];
                image[..6].copy_from_slice(head);
                image[60..64].copy_from_slice(&64u32.to_le_bytes());
                image[64..68].copy_from_slice(b"PE\0\0");
                image[at..at + field_bytes].fill(0x01);
                assert!(program(&image).is_none_or(|program| program.segments.len() <= SEGMENTS_MAX));
            }
        }
    }
}
