//! The bytes of one record of the slot table: fixed offsets, little-endian, CRC-32 last.
//!
//! Touches: the fields of `SlotTable`, nothing else. Entered from: `slot_table`.
//! Never: judges a table by its sense. A whole record with known values counts, whatever it says.

use super::{Phase, Return, SLOT_RECORD_LEN, Slot, SlotEntry, SlotState, SlotTable, StartLimits};
use crate::digest::Digest;

/// Bytes without a meaning yet. Read and written back as they are, so that a launcher of today
/// does not wipe what an agent of tomorrow keeps there.
pub(super) const KEPT_LEN: usize = 15;

const MAGIC: [u8; 4] = *b"LWST";
const FORMAT: u16 = 1;
const LENGTH: u16 = 128;
const CRC_LEN: usize = 4;
const _: () = assert!(SLOT_RECORD_LEN == LENGTH as usize);

pub(super) fn encode(table: &SlotTable) -> [u8; SLOT_RECORD_LEN] {
    let mut bytes = [0; SLOT_RECORD_LEN];
    if let Some((body, crc)) = bytes.split_last_chunk_mut::<CRC_LEN>() {
        put_fields(body, table);
        *crc = crc32(body).to_le_bytes();
    }
    bytes
}

pub(super) fn decode(bytes: &[u8; SLOT_RECORD_LEN]) -> Option<SlotTable> {
    let (mut body, crc) = bytes.split_last_chunk::<CRC_LEN>()?;
    (crc32(body) == u32::from_le_bytes(*crc)).then(|| take_fields(&mut body))?
}

fn put_fields(mut out: &mut [u8], table: &SlotTable) {
    let out = &mut out;
    put(out, MAGIC);
    put(out, FORMAT.to_le_bytes());
    put(out, LENGTH.to_le_bytes());
    put(out, table.generation.to_le_bytes());
    put(out, table.starts_total.to_le_bytes());
    put(out, [table.active as u8, table.phase as u8, table.returned.map_or(0, |why| why as u8)]);
    put(out, [table.starts_silent, table.starts_trial]);
    put(out, [table.limits.silent_starts, table.limits.trial_starts]);
    put(out, table.slots.map(|entry| entry.state as u8));
    put(out, table.kept);
    for entry in &table.slots {
        put(out, entry.image_size_bytes.to_le_bytes());
        put(out, *entry.image.as_bytes());
    }
}

fn take_fields(body: &mut &[u8]) -> Option<SlotTable> {
    let known = take(body)? == MAGIC
        && u16::from_le_bytes(take(body)?) == FORMAT
        && u16::from_le_bytes(take(body)?) == LENGTH;
    if !known {
        return None;
    }
    let generation = u64::from_le_bytes(take(body)?);
    let starts_total = u32::from_le_bytes(take(body)?);
    let [active, phase, returned] = take(body)?;
    let [starts_silent, starts_trial] = take(body)?;
    let [silent_starts, trial_starts] = take(body)?;
    let [state_a, state_b] = take(body)?;
    let kept = take(body)?;
    Some(SlotTable {
        generation,
        slots: [take_entry(body, state_a)?, take_entry(body, state_b)?],
        kept,
        active: slot(active)?,
        phase: self::phase(phase)?,
        returned: self::returned(returned)?,
        starts_silent,
        starts_trial,
        limits: StartLimits { silent_starts, trial_starts },
        starts_total,
    })
}

fn take_entry(body: &mut &[u8], state: u8) -> Option<SlotEntry> {
    let image_size_bytes = u64::from_le_bytes(take(body)?);
    let image = Digest::from_bytes(take(body)?);
    Some(SlotEntry { state: slot_state(state)?, image, image_size_bytes })
}

const fn slot(code: u8) -> Option<Slot> {
    match code {
        0 => Some(Slot::A),
        1 => Some(Slot::B),
        _ => None,
    }
}

const fn slot_state(code: u8) -> Option<SlotState> {
    match code {
        0 => Some(SlotState::Empty),
        1 => Some(SlotState::Writing),
        2 => Some(SlotState::Staged),
        3 => Some(SlotState::Trial),
        4 => Some(SlotState::Confirmed),
        5 => Some(SlotState::Bad),
        _ => None,
    }
}

const fn phase(code: u8) -> Option<Phase> {
    match code {
        0 => Some(Phase::Settled),
        1 => Some(Phase::Trial),
        2 => Some(Phase::Watched),
        _ => None,
    }
}

const fn returned(code: u8) -> Option<Option<Return>> {
    match code {
        0 => Some(None),
        1 => Some(Some(Return::SilentStarts)),
        2 => Some(Some(Return::TrialStarts)),
        3 => Some(Some(Return::NotStartable)),
        4 => Some(Some(Return::ImageDiffers)),
        5 => Some(Some(Return::AgentAsked)),
        _ => None,
    }
}

fn put<const N: usize>(out: &mut &mut [u8], bytes: [u8; N]) {
    if let Some((head, rest)) = core::mem::take(out).split_first_chunk_mut() {
        *head = bytes;
        *out = rest;
    }
}

fn take<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(*head)
}

/// CRC-32 (IEEE 802.3), bit by bit: 124 bytes do not earn a table.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn crc_is_the_one_everybody_has() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
