//! A device as the fleet's rules see it.
//!
//! Touches: `lapwing_fleet`. The same view answers check-ins and `device why`.
//! Never: carries what a decision must not depend on, such as secrets or addresses.

use crate::store::{Device, HardwareNames, StoreError};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{HardwareClass, UnixSeconds};
use lapwing_fleet::filter::{FIELDS, Filter};
use lapwing_fleet::{Catalogue, Component, Decision, DeviceFacts, PastAttempt, Standing, decide};

/// What a decision needs, owned.
pub(crate) struct View {
    pub(crate) hardware: Option<HardwareClass>,
    pub(crate) profile: u8,
    bootloader: u32,
    components: Vec<Component>,
    pub(crate) gates: Vec<Gate>,
    versions: (u32, u32),
    standing: Standing,
    attempts: Vec<PastAttempt>,
}

impl View {
    pub(crate) fn of(device: &Device) -> Result<Self, StoreError> {
        let said = device.said()?;
        let facts = said.facts.as_ref();
        let component = |state: &lapwing_core::wire::check_in::ComponentState| Component {
            name: state.name.clone(),
            running: state.running,
        };
        Ok(Self {
            hardware: facts.map(|facts| facts.hardware),
            profile: facts.map_or(0, |facts| facts.profile),
            bootloader: facts.map_or(0, |facts| facts.bootloader),
            components: said.components.iter().map(component).collect(),
            gates: said.gates.to_vec(),
            versions: (said.root_version, said.delegation_version),
            standing: Standing {
                quarantined: device.quarantine.is_some(),
                penalised_until: None,
                pinned: device.pinned.clone(),
                update_now: device.update_now,
            },
            attempts: device.past(),
        })
    }

    pub(crate) fn decide(&self, catalogue: &Catalogue, now: UnixSeconds) -> Decision {
        let (root_version, delegation_version) = self.versions;
        let facts = DeviceFacts {
            hardware: self.hardware,
            bootloader: self.bootloader,
            components: &self.components,
            root_version,
            delegation_version,
            gates: &self.gates,
            standing: &self.standing,
            attempts: &self.attempts,
        };
        decide(&facts, catalogue, now)
    }
}

/// What filters are asked about one device.
pub(crate) struct FilterView(Vec<(String, String)>);

impl FilterView {
    pub(crate) fn is_meant_by(&self, filter: &Filter) -> bool {
        let facts: Vec<(&str, &str)> = self.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        filter.holds(&facts)
    }
}

/// What filters are asked about `device`: what it is, what it runs, and whatever else it reports, which is
/// `fact.NAME` and, if the language knows that name, the plain name as well.
pub(crate) fn facts_of(
    device: &Device,
    catalogue: &Catalogue,
    names: &HardwareNames,
) -> Result<FilterView, StoreError> {
    let said = device.said()?;
    let mut facts = vec![("device".to_owned(), device.id.to_string())];
    if let Some(reported) = &said.facts {
        let class = reported.hardware.to_string();
        facts.extend(names.get(&class).map(|name| ("hardware".to_owned(), name.clone())));
        facts.push(("hardware".to_owned(), class));
        facts.push(("bootloader".to_owned(), reported.bootloader.to_string()));
        for component in &said.components {
            let version = catalogue.version_of(&component.name, reported.hardware, component.running);
            facts.extend(version.map(|version| ("version".to_owned(), version.as_str().to_owned())));
        }
        for (name, value) in reported.named.iter() {
            if FIELDS.contains(&name) && !facts.iter().any(|(known, _)| known == name) {
                facts.push((name.to_owned(), value.to_owned()));
            }
            facts.push((format!("fact.{name}"), value.to_owned()));
        }
    }
    Ok(FilterView(facts))
}
