//! A device as the fleet's rules see it.
//!
//! Touches: `lapwing_fleet`. The same view answers check-ins and `device why`.
//! Never: carries what a decision must not depend on, such as secrets or addresses.

use crate::store::{Device, StoreError};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{HardwareClass, UnixSeconds};
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
