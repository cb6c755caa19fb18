//! An event for the brain, with bytes of its own, so that it can wait for its time.
//!
//! Touches: `lapwing_device::Event`, which borrows.

use lapwing_core::SlotTable;
use lapwing_core::wire::check_in::Health;
use lapwing_device::{Applied, Boot, Conditions, Effect, Event, Fetched, Trouble, TrustDocument};

/// What a brain will be told.
#[derive(Debug, Clone)]
pub enum Told {
    /// The body started.
    Booted(Boot),
    /// The time it named has come.
    Woke,
    /// Somebody wants an update now.
    Triggered,
    /// The world changed.
    Conditions(Conditions),
    /// Health was measured.
    Health(Health),
    /// A check-in was answered.
    Answered(Vec<u8>),
    /// A trust document arrived.
    TrustFetched(TrustDocument, Vec<u8>),
    /// The report with this number was acknowledged.
    Reported(u32),
    /// Bytes crossed the link.
    Spent(u64),
    /// A transfer got on.
    Fetched(Fetched),
    /// Applying ended.
    Applied(Applied),
    /// The slot table changed.
    SlotTable(SlotTable),
    /// An effect could not be done.
    Failed(Effect, Trouble),
}

impl Told {
    /// The event itself.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Booted(boot) => Event::Booted(*boot),
            Self::Woke => Event::Woke,
            Self::Triggered => Event::Triggered,
            Self::Conditions(conditions) => Event::Conditions(*conditions),
            Self::Health(health) => Event::Health(*health),
            Self::Answered(bytes) => Event::Answered(bytes),
            Self::TrustFetched(document, bytes) => Event::TrustFetched(*document, bytes),
            Self::Reported(up_to) => Event::Reported { up_to: *up_to },
            Self::Spent(bytes) => Event::Spent { bytes: *bytes },
            Self::Fetched(fetched) => Event::Fetched(*fetched),
            Self::Applied(applied) => Event::Applied(*applied),
            Self::SlotTable(table) => Event::SlotTable(*table),
            Self::Failed(effect, trouble) => Event::Failed(*effect, *trouble),
        }
    }
}
