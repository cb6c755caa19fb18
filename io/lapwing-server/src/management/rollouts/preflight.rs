//! What keeps a rollout from starting, each with the devices it concerns.
//!
//! Touches: the outlook, the trust documents. Never: starts anything.

use crate::app::App;
use crate::limits::{AFFECTED_DEVICES_SHOWN_MAX, CONFIGURATIONS_TRIED};
use crate::orchestrator::Outlook;
use crate::store::{StoreError, attestations};
use lapwing_core::{DeviceId, Digest};
use lapwing_fleet::rollout::{Dimension, Rollout};
use lapwing_fleet::{EVERYONE, Purpose};
use std::cmp::Reverse;
use std::fmt;

/// Devices that a refusal names.
const FIRST: usize = 3;

/// Something in the way.
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) sentence: String,
    pub(super) devices: u32,
    /// The first of them.
    pub(super) shown: Vec<DeviceId>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence)?;
        let first: Vec<&str> = self.shown.iter().take(FIRST).map(DeviceId::as_str).collect();
        match usize::try_from(self.devices).unwrap_or(usize::MAX).saturating_sub(first.len()) {
            _ if first.is_empty() => Ok(()),
            0 => write!(f, " ({})", first.join(", ")),
            more => write!(f, " ({} and {more} more)", first.join(", ")),
        }
    }
}

impl Fault {
    fn of_all(code: &'static str, sentence: String) -> Self {
        Self { code, sentence, devices: 0, shown: Vec::new() }
    }
}

/// All that is in the way, what concerns devices first.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn preflight(
    app: &App,
    rollout: &Rollout,
    outlook: &Outlook,
) -> Result<Vec<Fault>, StoreError> {
    let mut faults = known_faults(app, rollout, outlook);
    faults.extend(unattested(app, rollout).await?);
    Ok(faults)
}

/// What the plan wants attested of images of which nobody did.
async fn unattested(app: &App, rollout: &Rollout) -> Result<Option<Fault>, StoreError> {
    let charter = &rollout.charter;
    if charter.plan.attestations.is_empty() {
        return Ok(None);
    }
    let catalogue = app.catalogue();
    let brought = catalogue.entries().filter(|entry| entry.release.version == charter.version);
    let releases: Vec<Digest> = brought.map(|entry| entry.release.envelope()).collect();
    for release in releases {
        let there = app.store.read(move |c| attestations(c, release)).await?;
        let is_there = |wanted: &&String| there.iter().any(|(kind, _)| kind == *wanted);
        if let Some(missing) = charter.plan.attestations.iter().find(|wanted| !is_there(wanted)) {
            let short: String = release.to_string().chars().take(12).collect();
            let sentence = format!(
                "The plan wants {missing} attested of the image of release {short}; `lapwing release attest` does."
            );
            return Ok(Some(Fault::of_all("unattested", sentence)));
        }
    }
    Ok(None)
}

fn known_faults(app: &App, rollout: &Rollout, outlook: &Outlook) -> Vec<Fault> {
    let of_devices = outlook.why.iter().filter(|(_, finding)| finding.stops).map(|(code, finding)| Fault {
        code,
        sentence: finding.sentence.clone(),
        devices: finding.devices,
        shown: finding.shown.clone(),
    });
    let mut faults: Vec<Fault> = of_devices.collect();
    let charter = &rollout.charter;
    if charter.census.size() == 0 {
        faults.push(Fault::of_all("nobody", format!("Nobody is in group {}.", charter.group)));
    }
    faults.extend(untried(outlook));
    let soaks: u64 = charter.plan.phases.iter().map(|phase| phase.soak_s).sum();
    let done = app.now().after(soaks);
    let catalogue = app.catalogue();
    let releases = || catalogue.entries().filter(|entry| entry.release.version == charter.version);
    if releases().any(|entry| entry.release.not_after.is_some_and(|not_after| not_after < done)) {
        let sentence =
            format!("Version {} may not be installed any more when its phases end.", charter.version);
        faults.push(Fault::of_all("release-ends", sentence));
    }
    let variant = releases().find_map(|entry| entry.release.variant.as_ref());
    if let Some(variant) = variant.filter(|_| !charter.approved.variant && is_production(app, rollout)) {
        let sentence = format!("Its variant is {variant}, and group {} is in production.", charter.group);
        faults.push(Fault::of_all("variant", sentence));
    }
    let trust = app.trust();
    match trust.delegation() {
        Some(delegation) if delegation.not_after >= done => {}
        Some(_) => {
            let sentence = "The server's right to make offers ends before its phases do.".to_owned();
            faults.push(Fault::of_all("delegation-ends", sentence));
        }
        None => faults.push(Fault::of_all("no-delegation", "The server may not make offers.".to_owned())),
    }
    faults
}

/// The most frequent configurations, as far as they would get it only when everyone does.
fn untried(outlook: &Outlook) -> Option<Fault> {
    let mut kinds: Vec<_> = outlook.kinds.iter().collect();
    kinds.sort_by_key(|(_, of_kind)| Reverse(of_kind.devices));
    kinds.truncate(CONFIGURATIONS_TRIED);
    kinds.retain(|(_, of_kind)| !of_kind.tried);
    let (kind, _) = kinds.first()?;
    let named = Dimension::ALL.iter().zip(kind.iter()).filter(|(_, value)| *value != "-");
    let named: Vec<String> =
        named.map(|(dimension, value)| format!("{}={value}", dimension.label())).collect();
    let (count, most) = (kinds.len(), named.join(", "));
    let sentence = format!("Only the last phase is for {count} of the most frequent configurations: {most}.");
    let devices = kinds.iter().map(|(_, of_kind)| of_kind.devices).fold(0, u32::saturating_add);
    let shown = kinds.iter().flat_map(|(_, of_kind)| &of_kind.shown).take(AFFECTED_DEVICES_SHOWN_MAX);
    Some(Fault { code: "untried", sentence, devices, shown: shown.cloned().collect() })
}

fn is_production(app: &App, rollout: &Rollout) -> bool {
    let name = &rollout.charter.group;
    let steering = app.orchestrator.steering();
    let group = steering.groups.iter().find(|group| group.name == *name);
    name.as_str() == EVERYONE || group.is_none_or(|group| group.purpose == Purpose::Production)
}
