//! A device as the fleet's rules see it.
//!
//! Touches: `lapwing_fleet`. The same view answers check-ins, `device why`, lists by filter and previews.
//! Never: carries what a decision must not depend on, such as secrets or addresses.

use crate::orchestrator::Steering;
use crate::store::{Device, StoreError};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{DeviceId, Digest, HardwareClass, ShortDigest, UnixSeconds, Version};
use lapwing_fleet::filter::{FIELDS, Filter, FilterFacts};
use lapwing_fleet::rollout::{Dimension, Kind, Rollout, Site, kind};
use lapwing_fleet::{Bringing, Catalogue, Component, Decision, DeviceFacts, PastAttempt, Standing, decide};

/// Facts that tell where a device stands, the first it reports: what shares one shares its outages.
const SITES: [&str; 3] = ["fact.site", "fact.gateway", RADIO_CELL];
/// The fact that names its radio cell.
const RADIO_CELL: &str = "fact.cell";

/// What a decision needs, owned.
pub(crate) struct View {
    id: DeviceId,
    pub(crate) hardware: Option<HardwareClass>,
    pub(crate) profile: u8,
    bootloader: u32,
    components: Vec<Component>,
    pub(crate) gates: Vec<Gate>,
    versions: (u32, u32),
    pub(crate) standing: Standing,
    pub(crate) attempts: Vec<PastAttempt>,
    pub(crate) named: FilterView,
    downloads_nearby: u32,
}

impl View {
    pub(crate) fn of(
        device: &Device,
        catalogue: &Catalogue,
        steering: &Steering,
    ) -> Result<Self, StoreError> {
        let said = device.said()?;
        let facts = said.facts.as_ref();
        let component = |state: &lapwing_core::wire::check_in::ComponentState| Component {
            name: state.name.clone(),
            running: state.running,
        };
        let named = facts_of(device, catalogue, steering)?;
        Ok(Self {
            id: device.id.clone(),
            downloads_nearby: named.radio_cell().map_or(0, |cell| steering.downloads_in(cell)),
            hardware: facts.map(|facts| facts.hardware),
            profile: facts.map_or(0, |facts| facts.profile),
            bootloader: facts.map_or(0, |facts| facts.bootloader),
            components: said.components.iter().map(component).collect(),
            gates: said.gates.to_vec(),
            versions: (said.root_version, said.delegation_version),
            standing: Standing {
                quarantined: device.quarantine.is_some(),
                pinned: device.pinned.clone(),
                update_now: device.update_now,
            },
            attempts: device.past(),
            named,
        })
    }

    pub(crate) fn decide(
        &self,
        catalogue: &Catalogue,
        bringing: &[Bringing<'_>],
        now: UnixSeconds,
    ) -> Decision {
        let (root_version, delegation_version) = self.versions;
        let facts = |named: &FilterFacts<'_>| {
            let facts = DeviceFacts {
                id: &self.id,
                named,
                downloads_nearby: self.downloads_nearby,
                hardware: self.hardware,
                bootloader: self.bootloader,
                components: &self.components,
                root_version,
                delegation_version,
                gates: &self.gates,
                standing: &self.standing,
                attempts: &self.attempts,
            };
            decide(&facts, catalogue, bringing, now)
        };
        self.named.ask(facts)
    }

    /// Whether what a rollout has opened so far is open for it.
    pub(crate) fn is_reached_by(&self, rollout: &Rollout) -> bool {
        self.named.ask(|named| rollout.reaches(&rollout.candidate(&self.id, named, 0)).is_ok())
    }

    /// Whether one of its components runs this version.
    pub(crate) fn runs(&self, version: &Version, catalogue: &Catalogue) -> bool {
        let running = |class, one: &Component| catalogue.version_of(&one.name, class, one.running);
        let is_it = |class| self.components.iter().any(|one| running(class, one) == Some(version));
        self.hardware.is_some_and(is_it)
    }

    /// Whether a phase before the last of a rollout is for it.
    pub(crate) fn is_tried_by(&self, rollout: &Rollout) -> bool {
        self.named.ask(|named| rollout.is_tried_on(&rollout.candidate(&self.id, named, 0)))
    }

    /// What tells it apart, as far as an update may notice.
    pub(crate) fn kind(&self) -> Kind {
        self.named.ask(|named| kind(&Dimension::ALL, named))
    }

    /// The digests of what runs.
    pub(crate) fn running(&self) -> impl Iterator<Item = ShortDigest> {
        self.components.iter().map(|component| component.running)
    }
}

/// What filters are asked about one device.
pub(crate) struct FilterView(Vec<(String, String)>);

impl FilterView {
    pub(crate) fn is_meant_by(&self, filter: &Filter) -> bool {
        self.ask(|facts| filter.holds(facts))
    }

    /// Where it stands, if it says so.
    pub(crate) fn site(&self) -> Option<Site> {
        SITES.into_iter().find_map(|name| self.place(name))
    }

    /// The radio cell it is in, if it says so.
    pub(crate) fn radio_cell(&self) -> Option<Site> {
        self.place(RADIO_CELL)
    }

    /// A fact that names a place, as a number.
    fn place(&self, name: &str) -> Option<Site> {
        let (_, place) = self.0.iter().find(|(known, _)| known == name)?;
        let [a, b, c, d, e, f, g, h, ..] = *Digest::of(place.as_bytes()).as_bytes();
        // The store's numbers have a sign.
        Some(Site(u64::from_be_bytes([a & 0x7f, b, c, d, e, f, g, h])))
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.ask(|facts| facts.contains(&("group", group)))
    }

    pub(crate) fn ask<R>(&self, ask: impl FnOnce(&FilterFacts<'_>) -> R) -> R {
        let facts: Vec<(&str, &str)> = self.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        ask(&facts)
    }
}

/// What filters are asked about `device`: what it is, what it runs, its groups, and whatever else people set or it
/// reports, which is `fact.NAME` and, if the language knows that name, the plain name as well. What people set comes
/// in its place.
pub(crate) fn facts_of(
    device: &Device,
    catalogue: &Catalogue,
    steering: &Steering,
) -> Result<FilterView, StoreError> {
    let said = device.said()?;
    let mut facts = vec![("device".to_owned(), device.id.to_string())];
    if let Some(reported) = &said.facts {
        let class = reported.hardware.to_string();
        let name = steering.names.get(&class);
        facts.extend(name.map(|name| ("hardware".to_owned(), name.clone())));
        facts.push(("hardware".to_owned(), class));
        facts.push(("bootloader".to_owned(), reported.bootloader.to_string()));
        for component in &said.components {
            let version = catalogue.version_of(&component.name, reported.hardware, component.running);
            facts.extend(version.map(|version| ("version".to_owned(), version.as_str().to_owned())));
        }
    }
    let reported = said.facts.iter().flat_map(|reported| reported.named.iter());
    let reported = reported.filter(|(name, _)| !device.noted.has(name));
    for (name, value) in device.noted.iter().chain(reported) {
        let known = FIELDS.contains(&name) && !SERVER_KNOWS.contains(&name);
        if known && !facts.iter().any(|(known, _)| known == name) {
            facts.push((name.to_owned(), value.to_owned()));
        }
        facts.push((format!("fact.{name}"), value.to_owned()));
    }
    let mut facts = FilterView(facts);
    let groups = facts.ask(|named| steering.groups_of(&device.id, named));
    facts.0.extend(groups.into_iter().map(|group| ("group".to_owned(), group)));
    Ok(facts)
}

/// Facts that a device cannot give itself.
const SERVER_KNOWS: [&str; 2] = ["version", "group"];
