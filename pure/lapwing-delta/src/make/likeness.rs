//! Images with their references undone: what refers to the same thing has the same bytes wherever it is.
//!
//! Touches: the records of a first matching, which say what is the same thing.
//! Never: is applied to; the images are only compared. They are replaced in place, for want of memory.

use super::loader::{Program, Table};
use crate::apply::ApplyError;
use crate::layout::Layout;
use crate::limits::VIEW_BEFORE_BYTES;
use crate::map::Map;
use crate::predict::mapped;
use crate::reference::Unit;
use crate::window::View;
use std::collections::VecDeque;

/// Replaces each reference of the target by the address that it leads to.
pub(super) fn of_target(image: &mut [u8], program: &Program) -> Result<(), ApplyError> {
    undo(image, program, &mut |address| Ok(address))
}

/// Replaces each reference of the base by the address that the map leads to from there.
pub(super) fn of_base(
    image: &mut [u8],
    [base, target]: &[Program; 2],
    map: &mut Map<'_>,
) -> Result<(), ApplyError> {
    let layouts = [base, target].map(|program| Layout::new(&program.segments, &program.anchors));
    undo(image, base, &mut |address| Ok(mapped([&layouts[0], &layouts[1]], map, address)?.0))
}

fn undo(
    image: &mut [u8],
    program: &Program,
    led_to: &mut dyn FnMut(u32) -> Result<u32, ApplyError>,
) -> Result<(), ApplyError> {
    let layout = Layout::new(&program.segments, &program.anchors);
    // A word is replaced when nothing looks back at it any more.
    let mut waiting = VecDeque::new();
    let mut at = 0;
    while at < image.len() {
        let room = (image.len() - at).min(4) as u32;
        let unit = Unit::at(program.architecture, &layout, View::new(image, at), at as u32, room);
        if unit.refers() && !program.tables.iter().any(|table| table.holds(at)) {
            waiting.push_back((at, unit.pointed(program.architecture, 0, led_to(unit.refers_to)?)));
        }
        at += unit.length as usize;
        while let Some((offset, word)) = waiting.pop_front_if(|(offset, _)| *offset + VIEW_BEFORE_BYTES < at)
        {
            put(image, offset, word);
        }
    }
    waiting.into_iter().for_each(|(offset, word)| put(image, offset, word));
    for Table { offset, words, anchors } in &program.tables {
        for nth in 0..*words as usize {
            let at = *offset as usize + nth * 4;
            let Some(word) = image.get(at..).and_then(|rest| rest.first_chunk::<4>()) else { break };
            let word = u32::from_le_bytes(*word);
            let from = anchors.map_or(layout.address_of(at as u32), |anchors| anchors[nth & 1]);
            // Self-relative words are distances of 31 bits.
            let distance = if anchors.is_some() { word } else { ((word << 1) as i32 >> 1) as u32 };
            let address = from.wrapping_add(distance);
            if layout.holder_of(address).is_some() {
                put(image, at, led_to(address)?);
            }
        }
    }
    Ok(())
}

fn put(image: &mut [u8], offset: usize, word: u32) {
    image[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
}
