//! A slot, what it holds, and which one runs.
//!
//! Touches: `crate::digest`. Entered from: `slot_table`.
//! Never: says how a slot may change; that is the table's.

use crate::digest::Digest;

/// One of the two places for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Slot {
    /// The first.
    A = 0,
    /// The second.
    B = 1,
}

impl Slot {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The one that this is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// `a` or `b`: the name of its folder and what `LAPWING_SLOT` says.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The slot of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }
}

/// The slot whose image runs now, as its process was told. Not always the active one: the launcher
/// starts the other when it cannot write down a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Booted(pub Slot);

impl Booted {
    /// The slot that may be written.
    #[must_use]
    pub const fn spare(self) -> Slot {
        self.0.other()
    }
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SlotState {
    /// Nothing.
    Empty = 0,
    /// Bytes that are not all there yet.
    Writing = 1,
    /// A verified image that was not tried, or came back without blame.
    Staged = 2,
    /// An image that runs but is not confirmed.
    Trial = 3,
    /// An image that proved itself.
    Confirmed = 4,
    /// An image that must not run.
    Bad = 5,
}

/// One slot: its state, and the image it holds unless empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotEntry {
    /// What it holds.
    pub state: SlotState,
    /// Digest of the image; zero while empty or being written.
    pub image: Digest,
    /// Size of the image; zero while empty or being written.
    pub image_size_bytes: u64,
}

impl SlotEntry {
    pub(super) const fn without_image(state: SlotState) -> Self {
        Self { state, image: Digest::from_bytes([0; Digest::LEN]), image_size_bytes: 0 }
    }
}
