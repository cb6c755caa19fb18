//! What the fleet has on its shelves: the releases of all version sets, and how each may be used.
//!
//! Touches: `lapwing_core`. Made anew whenever something is pushed, released or withdrawn.
//! Never: holds a release that was not verified.

use crate::retry::RetryPolicy;
use lapwing_core::{ComponentName, Digest, HardwareClass, Release, ShortDigest, Verified, Version};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a version set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Offered.
    Open,
    /// Stored, not offered until a person releases it.
    Held,
    /// Not offered any more.
    Withdrawn,
}

impl Shelf {
    /// Its spelling in stores and JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The shelf of this spelling.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        [Self::Open, Self::Held, Self::Withdrawn].into_iter().find(|shelf| shelf.label() == label)
    }
}

/// A release and where it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The statement.
    pub release: Verified<Release>,
    /// The signed bytes it came from.
    pub envelope: Arc<[u8]>,
    /// May it be offered?
    pub shelf: Shelf,
}

/// Everything that may be offered, and everything devices may already run.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Highest seq first within a component and class.
    shelves: HashMap<(ComponentName, HardwareClass), Vec<Arc<Entry>>>,
    by_release: HashMap<Digest, Arc<Entry>>,
    /// Newest root document and delegation.
    pub root_version: u32,
    /// See `root_version`.
    pub delegation_version: u32,
    /// When to try again.
    pub retry: RetryPolicy,
}

impl Catalogue {
    /// The catalogue of these releases.
    #[must_use]
    pub fn new(entries: Vec<Entry>, trust: (u32, u32), retry: RetryPolicy) -> Self {
        let (root_version, delegation_version) = trust;
        let mut shelves: HashMap<_, Vec<Arc<Entry>>> = HashMap::new();
        let mut by_release = HashMap::new();
        for entry in entries.into_iter().map(Arc::new) {
            by_release.insert(entry.release.envelope(), Arc::clone(&entry));
            for class in &entry.release.hardware {
                let key = (entry.release.component.clone(), *class);
                shelves.entry(key).or_default().push(Arc::clone(&entry));
            }
        }
        for shelf in shelves.values_mut() {
            shelf.sort_by_key(|entry| std::cmp::Reverse(entry.release.seq));
        }
        Self { shelves, by_release, root_version, delegation_version, retry }
    }

    /// All releases for a component on a hardware class, highest seq first.
    #[must_use]
    pub fn shelf(&self, component: &ComponentName, class: HardwareClass) -> &[Arc<Entry>] {
        self.shelves.get(&(component.clone(), class)).map_or(&[], Vec::as_slice)
    }

    /// All components and classes that have a release.
    pub fn kinds(&self) -> impl Iterator<Item = &(ComponentName, HardwareClass)> {
        self.shelves.keys()
    }

    /// All releases, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_release.values()
    }

    /// The release whose signed bytes have this digest.
    #[must_use]
    pub fn release(&self, envelope: Digest) -> Option<&Arc<Entry>> {
        self.by_release.get(&envelope)
    }

    /// The release that a running image came from. Of several with the same bytes the highest that is
    /// still offered counts, so that an image re-released under a new seq does not look old.
    #[must_use]
    pub fn running(
        &self,
        component: &ComponentName,
        class: HardwareClass,
        image: ShortDigest,
    ) -> Option<&Arc<Entry>> {
        let same = || self.shelf(component, class).iter().filter(|e| e.release.image.short() == image);
        same().find(|entry| entry.shelf == Shelf::Open).or_else(|| same().next())
    }

    /// Highest seq ever pushed for a component and class, whatever became of it.
    #[must_use]
    pub fn highest_seq(&self, component: &ComponentName, class: HardwareClass) -> Option<u64> {
        self.shelf(component, class).first().map(|entry| entry.release.seq)
    }

    /// The version of a running image, for people.
    #[must_use]
    pub fn version_of(
        &self,
        component: &ComponentName,
        class: HardwareClass,
        image: ShortDigest,
    ) -> Option<&Version> {
        self.running(component, class, image).map(|entry| &entry.release.version)
    }
}
