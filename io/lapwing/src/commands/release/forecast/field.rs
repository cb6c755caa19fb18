//! Who runs what: counted by the server, or told on the command line.
//!
//! Touches: base images, the server's list of devices.
//! Never: counts a device twice, or drops one whose image it does not know; that one fetches all.

use crate::commands::delta::Memory;
use crate::commands::device::all_devices;
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::management::Management;
use crate::recipe::Image;
use anyhow::Result;
use lapwing_core::ComponentName;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `FILE` or `FILE=DEVICES`.
#[derive(Debug, Clone)]
pub(super) struct BaseArg {
    pub(super) file: PathBuf,
    devices: Option<u64>,
}

impl FromStr for BaseArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((file, devices)) = text.rsplit_once('=') else {
            return Ok(Self { file: text.into(), devices: None });
        };
        let devices = devices.parse().map_err(|_| format!("`{devices}` is no number of devices"))?;
        Ok(Self { file: file.into(), devices: Some(devices) })
    }
}

/// Devices that run the same base, none if it is not known here, in the same memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Runners {
    /// Its place among the bases that were given.
    pub(super) base: Option<usize>,
    pub(super) memory: Memory,
    pub(super) devices: u64,
}

/// Splits `devices` over the bases as told: those without a number share evenly what others leave, and
/// what is left then runs something unknown.
pub(super) fn told(bases: &[BaseArg], devices: u64, memory: Memory) -> Result<Vec<Runners>> {
    let counted = bases.iter().filter_map(|base| base.devices).fold(0, u64::saturating_add);
    let Some(left) = devices.checked_sub(counted) else {
        let what = format!("split {devices} devices: the bases have {counted} already");
        return Err(Refusal::new(Code::Usage, what).advice("--devices is all of them").into());
    };
    let sharing = bases.iter().filter(|base| base.devices.is_none()).count() as u64;
    let mut shares = (0..sharing).map(|place| left / sharing + u64::from(place < left % sharing));
    let mut runners: Vec<Runners> = Vec::new();
    for (place, base) in bases.iter().enumerate() {
        let devices = base.devices.or_else(|| shares.next()).unwrap_or(0);
        runners.push(Runners { base: Some(place), memory, devices });
    }
    if sharing == 0 && left > 0 {
        runners.push(Runners { base: None, memory, devices: left });
    }
    Ok(runners)
}

/// Asks the server which of its devices run which base, and in how much memory they apply deltas.
pub(super) fn counted(
    server: &Management,
    bases: &[BaseArg],
    component: &ComponentName,
    hardware: Option<&Hardware>,
) -> Result<Vec<Runners>> {
    let digests = bases.iter().map(|base| short_digest(&base.file)).collect::<Result<Vec<_>>>()?;
    let class = hardware.map(|hardware| hardware.class.to_string());
    let mut counts: BTreeMap<(Option<usize>, Memory), u64> = BTreeMap::new();
    for device in all_devices(server, None, usize::MAX)? {
        if class.as_ref().is_some_and(|class| device["hardware"] != class.as_str()) {
            continue;
        }
        let mut running = device["running"].as_array().into_iter().flatten();
        let Some(running) = running.find(|row| row["component"] == component.as_str()) else { continue };
        let base = digests.iter().position(|digest| running["digest"] == digest.as_str());
        let memory = Memory::from_number(device["profile"].as_u64().unwrap_or(0));
        *counts.entry((base, memory)).or_default() += 1;
    }
    Ok(counts.into_iter().map(|((base, memory), devices)| Runners { base, memory, devices }).collect())
}

fn short_digest(file: &Path) -> Result<String> {
    Ok(Image::read(file)?.digest.short().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(bases: &[&str], devices: u64) -> Option<Vec<(Option<usize>, u64)>> {
        let bases: Vec<BaseArg> = bases.iter().map(|base| base.parse().unwrap()).collect();
        let runners = told(&bases, devices, Memory::Free).ok()?;
        Some(runners.iter().map(|runners| (runners.base, runners.devices)).collect())
    }

    #[test]
    fn bases_without_a_number_share_what_is_left() {
        assert_eq!(split(&["a"], 10), Some(vec![(Some(0), 10)]));
        assert_eq!(split(&["a=7", "b", "c"], 10), Some(vec![(Some(0), 7), (Some(1), 2), (Some(2), 1)]));
        assert_eq!(split(&["a=7"], 10), Some(vec![(Some(0), 7), (None, 3)]), "three run something else");
        assert_eq!(split(&[], 10), Some(vec![(None, 10)]));
        assert_eq!(split(&["a=11"], 10), None);
    }
}
