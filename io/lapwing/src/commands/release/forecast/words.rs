//! The forecast in words and in JSON.
//!
//! Touches: nothing. Never: computes; it adds units.

use super::Prospect;
use super::money::{grouped, show};
use crate::output::table;
use lapwing_fleet::{DeviceCount, FieldBase, Load, MicroMoney, Route, Rule};
use serde_json::{Value, json};

const DAYS_PER_YEAR: u64 = 365;

/// For people.
pub(super) fn in_words(prospect: &Prospect) -> String {
    let Prospect { groups, forecast, terms, currency } = prospect;
    let cells = |name: &str, devices: String, load: Load| {
        let money = show(currency, load.money);
        vec![
            name.to_owned(),
            devices,
            grouped(load.bytes),
            radio(load.radio_ms),
            energy(load.microjoules),
            money,
            if load.days > 0 { grouped(load.days) } else { String::new() },
        ]
    };
    let mut rows = vec![cells("one device, full image", String::new(), forecast.full_one)];
    for ((name, base), load) in groups.iter().zip(&forecast.delta_one) {
        let FieldBase { devices: DeviceCount(devices), .. } = base;
        let name = format!("one device from {name}");
        let name = if load.is_some() { name } else { format!("{name}: no delta") };
        rows.push(cells(&name, grouped(*devices), load.unwrap_or(forecast.full_one)));
    }
    rows.push(cells("fleet, full images", String::new(), forecast.full_fleet));
    rows.push(cells("fleet, deltas", String::new(), forecast.delta_fleet));
    let mut words = table(&["ONE UPDATE", "DEVICES", "BYTES", "RADIO", "ENERGY", "COST", "DAYS"], rows);
    words += &format!(
        "\nDeltas save {} a year at {} updates a year",
        show(currency, forecast.saved_per_year),
        terms.updates_per_year
    );
    if terms.one_off > MicroMoney(0) {
        let one_off = show(currency, terms.one_off);
        words += &match forecast.break_even_days {
            Some(days) => format!("; {one_off} once has come back after about {}", months(days)),
            None => format!("; {one_off} once never comes back"),
        };
    }
    words + &format!(".\nRecommended: {}, because {}.\n", route(forecast.rule), reason(forecast.rule))
}

/// For programs.
pub(super) fn as_json(prospect: &Prospect) -> Value {
    let Prospect { groups, forecast, terms, currency } = prospect;
    let load = |load: &Load| {
        json!({
            "bytes": load.bytes,
            "radio_ms": load.radio_ms,
            "energy_microjoules": load.microjoules,
            "cost_micro": load.money.0,
            "days": load.days,
        })
    };
    let bases = groups.iter().zip(&forecast.delta_one).map(|((name, base), delta)| {
        json!({ "base": name, "devices": base.devices.0, "delta": delta.as_ref().map(load) })
    });
    json!({
        "device_full": load(&forecast.full_one),
        "bases": bases.collect::<Vec<_>>(),
        "fleet_full": load(&forecast.full_fleet),
        "fleet_delta": load(&forecast.delta_fleet),
        "updates_per_year": terms.updates_per_year,
        "currency": currency,
        "saved_per_year_micro": forecast.saved_per_year.0,
        "one_off_micro": terms.one_off.0,
        "break_even_days": forecast.break_even_days,
        "recommended": route(forecast.rule),
        "rule": rule(forecast.rule),
    })
}

/// `202` days as people say it.
pub(super) fn months(days: u64) -> String {
    let months = days.saturating_mul(12).saturating_add(DAYS_PER_YEAR / 2) / DAYS_PER_YEAR;
    format!("{months} months ({days} days)")
}

fn route(rule: Rule) -> &'static str {
    match rule.route() {
        Route::Delta => "delta",
        Route::Full => "full",
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::NoBase => "no-base",
        Rule::NoGain => "no-gain",
        Rule::Battery => "battery",
        Rule::NeverPaysBack => "never-pays-back",
        Rule::PaysBack => "pays-back",
    }
}

fn reason(rule: Rule) -> &'static str {
    match rule {
        Rule::NoBase => "no device runs an image that a delta could start from",
        Rule::NoGain => "deltas save less than a twentieth of the bytes",
        Rule::Battery => "full images take more than a tenth of the battery in a year and deltas do not",
        Rule::NeverPaysBack => "the one-off cost does not come back in time",
        Rule::PaysBack => "deltas cost less, and the one-off cost comes back in time",
    }
}

fn radio(ms: u64) -> String {
    match ms / 1000 {
        s if s < 120 => format!("{s}.{} s", ms % 1000 / 100),
        s if s < 120 * 60 => format!("{} min", s / 60),
        s => format!("{} h", grouped(s / 3600)),
    }
}

fn energy(microjoules: u64) -> String {
    match microjoules / 1000 {
        mj if mj < 10_000_000 => format!("{}.{:02} J", grouped(mj / 1000), mj % 1000 / 10),
        mj => format!("{} kJ", grouped(mj / 1_000_000)),
    }
}
