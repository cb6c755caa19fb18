//! How the program fares and what the world is like, from checks of our own, commands and closures.
//!
//! Touches: /proc, the file system, processes. Entered from: `body`.
//! Never: judges how long something may last; the brain does.

use crate::command;
use crate::config::{CommandLine, MeasuringSettings};
use crate::os;
use crate::ports::{ConditionsHook, HealthCheck};
use lapwing_core::wire::check_in::Health;
use lapwing_device::{Battery, Conditions, Link};
use std::fs;
use std::path::Path;

/// Everything that measures.
pub(crate) struct Measuring {
    pub(crate) settings: MeasuringSettings,
    pub(crate) health_checks: Vec<HealthCheck>,
    pub(crate) conditions_hooks: Vec<ConditionsHook>,
}

impl Measuring {
    /// Failing if any check fails, unknown if any does not know, good otherwise: that this runs is
    /// the first check.
    pub(crate) fn health(&mut self, device_dir: &Path) -> Health {
        let MeasuringSettings { disk_free_bytes_min, memory_available_bytes_min, health, .. } =
            &self.settings;
        let disk = at_least(*disk_free_bytes_min, || os::free_bytes(device_dir).ok());
        let memory = at_least(*memory_available_bytes_min, memory_available_bytes);
        let asked = health.as_ref().map_or(Health::Good, ask_health);
        let hooks = self.health_checks.iter_mut().map(|check| check());
        [disk, memory, asked].into_iter().chain(hooks).fold(Health::Good, worse)
    }

    /// The world. `spare_bytes` is what an update would find beside the free space.
    pub(crate) fn conditions(&mut self, device_dir: &Path, spare_bytes: u64) -> Conditions {
        let free_bytes = os::free_bytes(device_dir).ok();
        let mut conditions = Conditions {
            opted_out: self.settings.opted_out,
            room_bytes: free_bytes.map(|free| free.saturating_add(spare_bytes)),
            ..Conditions::default()
        };
        if let Some(line) = &self.settings.conditions {
            ask_conditions(line, &mut conditions);
        }
        for hook in &mut self.conditions_hooks {
            hook(&mut conditions);
        }
        conditions
    }
}

fn worse(a: Health, b: Health) -> Health {
    match (a, b) {
        (Health::Failing, _) | (_, Health::Failing) => Health::Failing,
        (Health::Unknown, _) | (_, Health::Unknown) => Health::Unknown,
        (Health::Good, Health::Good) => Health::Good,
    }
}

fn at_least(least: u64, measure: impl FnOnce() -> Option<u64>) -> Health {
    match (least, measure) {
        (0, _) => Health::Good,
        (least, measure) => match measure() {
            None => Health::Unknown,
            Some(found) if found < least => Health::Failing,
            Some(_) => Health::Good,
        },
    }
}

fn memory_available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn ask_health(line: &CommandLine) -> Health {
    match command::run(line) {
        Ok(outcome) if outcome.succeeded => Health::Good,
        Ok(_) => Health::Failing,
        Err(error) => {
            log::warn!("failed to run the health command: {error}");
            Health::Failing
        }
    }
}

/// A command that fails closes the host's gate: what it would have said is not known.
fn ask_conditions(line: &CommandLine, conditions: &mut Conditions) {
    match command::run(line) {
        Ok(outcome) if outcome.succeeded => read_conditions(&outcome.output, conditions),
        Ok(_) => conditions.host_gate_closed = true,
        Err(error) => {
            log::warn!("failed to run the conditions command: {error}");
            conditions.host_gate_closed = true;
        }
    }
}

/// Reads `name=value` lines. What is not understood is said and left out.
fn read_conditions(text: &str, conditions: &mut Conditions) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let understood =
            line.split_once('=').and_then(|(name, value)| read_condition(name, value, conditions));
        if understood.is_none() {
            log::warn!("the conditions command said something that is not a condition");
        }
    }
}

fn read_condition(name: &str, value: &str, conditions: &mut Conditions) -> Option<()> {
    let battery =
        conditions.battery.unwrap_or(Battery { voltage_mv: u16::MAX, left_j: None, needed_j: None });
    match name {
        "opted_out" => conditions.opted_out = value.parse().ok()?,
        "window_closed" => conditions.window_closed = value.parse().ok()?,
        "battery_voltage_mv" => {
            conditions.battery = Some(Battery { voltage_mv: value.parse().ok()?, ..battery });
        }
        "battery_left_j" => {
            conditions.battery = Some(Battery { left_j: Some(value.parse().ok()?), ..battery })
        }
        "battery_needed_j" => {
            conditions.battery = Some(Battery { needed_j: Some(value.parse().ok()?), ..battery });
        }
        "supply_unstable" => conditions.supply_unstable = value.parse().ok()?,
        "link_poor" => conditions.link_poor = value.parse().ok()?,
        "data_budget_spent" => conditions.data_budget_spent = value.parse().ok()?,
        "host_gate_closed" => conditions.host_gate_closed = value.parse().ok()?,
        "errors" => conditions.errors = value.parse().ok()?,
        "link" => {
            conditions.link = match value {
                "up" => Link::Up,
                "down" => Link::Down,
                "unknown" => Link::Unknown,
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_line_by_line_and_nonsense_is_left_out() {
        let mut found = Conditions::default();
        read_conditions(
            "link=down\nbattery_voltage_mv=3600\nbattery_left_j=12\nerrors=7\nwindow_closed=true\n\
             link_poor=perhaps\nshoe_size=44\nnothing\n",
            &mut found,
        );
        let expected = Conditions {
            link: Link::Down,
            battery: Some(Battery { voltage_mv: 3_600, left_j: Some(12), needed_j: None }),
            errors: 7,
            window_closed: true,
            ..Conditions::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_worst_check_counts() {
        let (good, unknown, failing) = (Health::Good, Health::Unknown, Health::Failing);
        assert_eq!(worse(good, good), good);
        assert_eq!(worse(unknown, good), unknown);
        assert_eq!(worse(unknown, failing), failing);
    }
}
