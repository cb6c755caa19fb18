//! x86-64: calls, jumps and operands relative to the next instruction, found at any offset.
//!
//! Touches: `crate::reference`.
//! Never: knows where instructions begin.

use super::{Kind, Unit};
use crate::layout::Layout;
use crate::window::View;

/// The unit at `address` in code. One that is no reference ends where a reference begins.
#[inline]
pub(super) fn unit(layout: &Layout, view: View<'_>, address: u32) -> Unit {
    if let Some(unit) = reference(layout, view, 0, address) {
        return unit;
    }
    let next = (1..4).find(|ahead| {
        let address = address.wrapping_add(*ahead);
        reference(layout, view, *ahead as usize, address).is_some()
    });
    Unit::plain(next.unwrap_or(4))
}

#[inline]
fn reference(layout: &Layout, view: View<'_>, ahead: usize, address: u32) -> Option<Unit> {
    let [before, last] = view.two_before(ahead)?;
    let is_branch = last & 0xFE == 0xE8 || before == 0x0F && last & 0xF0 == 0x80;
    // ModRM: no base register, but a displacement.
    let is_operand = last & 0xC7 == 0x05;
    if !is_branch && !is_operand {
        return None;
    }
    let refers_to = address.wrapping_add(4).wrapping_add(view.word(ahead)?);
    if is_branch && layout.is_code(refers_to) {
        Some(Unit::reference(Kind::Branch, refers_to))
    } else if is_operand && layout.spans(refers_to, 0) {
        Some(Unit::reference(Kind::Operand, refers_to))
    } else {
        None
    }
}
