//! What an update will cost before it is published, and whether sending deltas pays.
//!
//! Touches: nothing; sizes, tariffs and counts are arguments, all of them integers.
//! Never: guesses a price. The energy of a radio is 250 mJ to wake and 150 mW while it is on, unless the
//! caller measured another one.

use crate::limits::{FULL_IMAGE_BATTERY_SHARE_MAX, QUESTIONS_DAY_BYTES, SAVING_WORTH_SHARE_MIN};
use std::iter::Sum;
use std::ops::Add;

const BYTES_PER_MIB: u128 = 1 << 20;
const DAYS_PER_YEAR: u64 = 365;
const PER_MILLE: u128 = 1000;

/// Money, in millionths of the currency the caller counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MicroMoney(pub u64);

/// How many devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct DeviceCount(pub u64);

/// Devices that run the same image, and what would bring them to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldBase {
    /// How many.
    pub devices: DeviceCount,
    /// The delta from their image; none if there is none, so that they fetch the full image.
    pub delta_bytes: Option<u64>,
}

/// The link of a device, and what it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// What it carries.
    pub bits_per_second: u64,
    /// What the protocol adds to each byte, per mille.
    pub overhead_per_mille: u64,
    /// To wake the radio and reach the server, once for each update.
    pub wake_millijoules: u64,
    /// While the radio is on.
    pub radio_milliwatts: u64,
    /// What a battery holds; none with mains.
    pub battery_millijoules: Option<u64>,
    /// What a device may spend on it in a day, questions included, bytes; none without such a budget.
    pub day_bytes: Option<u64>,
}

/// What is paid, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Updates that the fleet will get in a year, all like this one.
    pub updates_per_year: u64,
    /// For 1,048,576 bytes of artifacts; what protocols add is not counted.
    pub price_per_mib: MicroMoney,
    /// To be able to send deltas: integration, qualification.
    pub one_off: MicroMoney,
    /// Visits to devices in a year that small updates make unnecessary.
    pub visits_spared_per_year: u64,
    /// For one visit.
    pub price_per_visit: MicroMoney,
    /// In how many years the one-off cost must have come back.
    pub horizon_years: u64,
}

/// What moving bytes to devices takes, together or for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Bytes of artifacts.
    pub bytes: u64,
    /// Radios on, milliseconds.
    pub radio_ms: u64,
    /// Energy, microjoules.
    pub microjoules: u64,
    /// Price.
    pub money: MicroMoney,
    /// Days that it is spread over by a data budget; of several devices, those of the slowest.
    pub days: u64,
}

/// What to publish for the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Deltas where there are some.
    Delta,
    /// Full images only.
    Full,
}

/// Why: the first of these that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No device runs an image that a delta starts from.
    NoBase,
    /// Deltas save less than a twentieth of the bytes.
    NoGain,
    /// Full images take more than a tenth of the battery in a year, deltas do not.
    Battery,
    /// The one-off cost does not come back within the horizon.
    NeverPaysBack,
    /// It does, or there is none.
    PaysBack,
}

impl Rule {
    /// What the rule recommends.
    #[must_use]
    pub const fn route(self) -> Route {
        match self {
            Self::NoBase | Self::NoGain | Self::NeverPaysBack => Route::Full,
            Self::Battery | Self::PaysBack => Route::Delta,
        }
    }
}

/// One update of a fleet, by both routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// One device, full image.
    pub full_one: Load,
    /// One device, delta, for each base in the order given.
    pub delta_one: Vec<Option<Load>>,
    /// The fleet, full images only.
    pub full_fleet: Load,
    /// The fleet, deltas where there are some.
    pub delta_fleet: Load,
    /// What deltas save in a year, visits included.
    pub saved_per_year: MicroMoney,
    /// When the one-off cost has come back; none if never.
    pub break_even_days: Option<u64>,
    /// What to do, and why.
    pub rule: Rule,
}

/// Compares sending the full image of `full_bytes` to everybody with sending deltas to those who run a
/// base. Everything saturates rather than wraps.
#[must_use]
pub fn forecast(full_bytes: u64, bases: &[FieldBase], link: &Link, terms: &Terms) -> Forecast {
    let one = |bytes: u64| link.load(bytes, terms.price_per_mib);
    let many = |base: &FieldBase, bytes: u64| {
        let DeviceCount(devices) = base.devices;
        let all = one(bytes).times(devices);
        // The price of all bytes together, so that rounding happens once.
        Load { money: price(bytes.saturating_mul(devices), terms.price_per_mib), ..all }
    };
    let full_fleet: Load = bases.iter().map(|base| many(base, full_bytes)).sum();
    let delta_fleet: Load = bases.iter().map(|base| many(base, base.delta_bytes.unwrap_or(full_bytes))).sum();
    let MicroMoney(visits) = terms.price_per_visit;
    let visits = visits.saturating_mul(terms.visits_spared_per_year);
    let saved = full_fleet.money.0.saturating_sub(delta_fleet.money.0);
    let saved_per_year = saved.saturating_mul(terms.updates_per_year).saturating_add(visits);
    let break_even_days = match terms.one_off.0 {
        0 => Some(0),
        one_off => one_off.saturating_mul(DAYS_PER_YEAR).checked_div(saved_per_year),
    };
    let mut forecast = Forecast {
        full_one: one(full_bytes),
        delta_one: bases.iter().map(|base| base.delta_bytes.map(one)).collect(),
        full_fleet,
        delta_fleet,
        saved_per_year: MicroMoney(saved_per_year),
        break_even_days,
        rule: Rule::NoBase,
    };
    if bases.iter().any(|base| base.delta_bytes.is_some() && base.devices > DeviceCount(0)) {
        forecast.rule = forecast.rule_that_fires(link, terms);
    }
    forecast
}

impl Forecast {
    fn rule_that_fires(&self, link: &Link, terms: &Terms) -> Rule {
        let saved_bytes = self.full_fleet.bytes.saturating_sub(self.delta_fleet.bytes);
        if share(saved_bytes, self.full_fleet.bytes) < SAVING_WORTH_SHARE_MIN {
            return Rule::NoGain;
        }
        let drains = |load: Load| {
            let year_millijoules = load.times(terms.updates_per_year).microjoules / 1000;
            link.battery_millijoules
                .is_some_and(|battery| share(year_millijoules, battery) > FULL_IMAGE_BATTERY_SHARE_MAX)
        };
        let deltas_drain = self.delta_one.iter().flatten().any(|load| drains(*load));
        if drains(self.full_one) && !deltas_drain {
            return Rule::Battery;
        }
        let horizon_days = terms.horizon_years.saturating_mul(DAYS_PER_YEAR);
        match self.break_even_days {
            Some(days) if days <= horizon_days => Rule::PaysBack,
            _ => Rule::NeverPaysBack,
        }
    }
}

impl Link {
    /// What one device spends on an artifact of so many bytes.
    fn load(&self, bytes: u64, price_per_mib: MicroMoney) -> Load {
        // Eight bits a byte, a thousand milliseconds a second, and a thousand per mille cancel out.
        let on_air = u128::from(bytes).saturating_mul(8 * (PER_MILLE + u128::from(self.overhead_per_mille)));
        let days = self.day_bytes.map_or(1, |day_bytes| {
            let for_artifacts = u128::from(day_bytes.saturating_sub(QUESTIONS_DAY_BYTES).max(1));
            saturated((on_air / (8 * PER_MILLE)).div_ceil(for_artifacts)).max(1)
        });
        let radio_ms = saturated(on_air / u128::from(self.bits_per_second.max(1)));
        let awake = radio_ms.saturating_mul(self.radio_milliwatts);
        Load {
            bytes,
            radio_ms,
            microjoules: self.wake_millijoules.saturating_mul(1000).saturating_add(awake),
            money: price(bytes, price_per_mib),
            days,
        }
    }
}

impl Load {
    /// The same for so many.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self {
            bytes: self.bytes.saturating_mul(count),
            radio_ms: self.radio_ms.saturating_mul(count),
            microjoules: self.microjoules.saturating_mul(count),
            money: MicroMoney(self.money.0.saturating_mul(count)),
            days: if count == 0 { 0 } else { self.days },
        }
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            radio_ms: self.radio_ms.saturating_add(other.radio_ms),
            microjoules: self.microjoules.saturating_add(other.microjoules),
            money: MicroMoney(self.money.0.saturating_add(other.money.0)),
            days: self.days.max(other.days),
        }
    }
}

impl Sum for Load {
    fn sum<I: Iterator<Item = Self>>(loads: I) -> Self {
        loads.fold(Self::default(), Add::add)
    }
}

fn price(bytes: u64, per_mib: MicroMoney) -> MicroMoney {
    MicroMoney(saturated(u128::from(bytes) * u128::from(per_mib.0) / BYTES_PER_MIB))
}

/// `part` of `whole`, per mille.
fn share(part: u64, whole: u64) -> u64 {
    saturated(u128::from(part) * PER_MILLE / u128::from(whole.max(1)))
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;
    const LINK: Link = Link {
        bits_per_second: 20_000,
        overhead_per_mille: 0,
        wake_millijoules: 250,
        radio_milliwatts: 150,
        battery_millijoules: None,
        day_bytes: None,
    };
    const TERMS: Terms = Terms {
        updates_per_year: 12,
        price_per_mib: MicroMoney(500_000),
        one_off: MicroMoney(15_000_000_000),
        visits_spared_per_year: 0,
        price_per_visit: MicroMoney(0),
        horizon_years: 3,
    };

    fn ten_thousand(delta_bytes: Option<u64>) -> FieldBase {
        FieldBase { devices: DeviceCount(10_000), delta_bytes }
    }

    #[test]
    fn ten_thousand_devices_save_27_000_a_year_and_break_even_after_7_months() {
        let said = forecast(512 * KIB, &[ten_thousand(Some(50 * KIB))], &LINK, &TERMS);
        assert_eq!(said.full_fleet.money, MicroMoney(2_500_000_000), "a full image for everybody: $2,500");
        assert_eq!(said.delta_fleet.money, MicroMoney(244_140_625));
        assert_eq!(said.saved_per_year, MicroMoney(27_070_312_500), "$27,070.31");
        assert_eq!(said.break_even_days, Some(202), "6.6 months");
        assert_eq!(said.rule, Rule::PaysBack);
        assert_eq!(said.rule.route(), Route::Delta);
    }

    #[test]
    fn a_device_is_awake_as_long_as_its_bytes_take() {
        let said = forecast(25_000, &[], &LINK, &TERMS);
        assert_eq!(said.full_one.radio_ms, 10_000);
        assert_eq!(said.full_one.microjoules, 250_000 + 1_500_000);
        let slower = Link { overhead_per_mille: 180, ..LINK };
        assert_eq!(forecast(25_000, &[], &slower, &TERMS).full_one.radio_ms, 11_800);
    }

    #[test]
    fn a_data_budget_spreads_an_update_over_days_and_the_fleet_waits_for_its_slowest() {
        let thin = Link { overhead_per_mille: 180, day_bytes: Some(30_000), ..LINK };
        let said = forecast(100_000, &[ten_thousand(Some(20_000)), ten_thousand(None)], &thin, &TERMS);
        let days = said.delta_one.iter().map(|load| load.map(|load| load.days)).collect::<Vec<_>>();
        assert_eq!((said.full_one.days, days), (5, vec![Some(1), None]), "118,000 bytes by 27,952 a day");
        assert_eq!((said.full_fleet.days, said.delta_fleet.days), (5, 5));
        assert_eq!(forecast(100_000, &[], &LINK, &TERMS).full_one.days, 1);
    }

    #[test]
    fn who_runs_no_base_fetches_the_full_image_by_either_route() {
        let said = forecast(1000, &[ten_thousand(Some(100)), ten_thousand(None)], &LINK, &TERMS);
        assert_eq!(said.full_fleet.bytes, 20_000_000);
        assert_eq!(said.delta_fleet.bytes, 11_000_000);
        assert_eq!(said.delta_one.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let rule = |delta_bytes, link: Link, terms: Terms| {
            forecast(1_000_000, &[ten_thousand(delta_bytes)], &link, &terms).rule
        };
        let battery = Link { battery_millijoules: Some(5_000_000), ..LINK };
        let dear = Terms { one_off: MicroMoney(u64::MAX), ..TERMS };
        assert_eq!(rule(None, battery, TERMS), Rule::NoBase);
        assert_eq!(rule(Some(960_000), battery, TERMS), Rule::NoGain);
        assert_eq!(rule(Some(900_000), LINK, dear), Rule::NeverPaysBack);
        assert_eq!(rule(Some(100_000), battery, dear), Rule::Battery, "full: 723 J of 5,000 a year");
        assert_eq!(rule(Some(900_000), battery, dear), Rule::NeverPaysBack, "the delta drains it too");
        assert_eq!(rule(Some(100_000), LINK, Terms { one_off: MicroMoney(0), ..TERMS }), Rule::PaysBack);
        let nobody = [FieldBase { devices: DeviceCount(0), delta_bytes: Some(1) }];
        assert_eq!(forecast(1000, &nobody, &LINK, &TERMS).rule, Rule::NoBase);
    }

    #[test]
    fn spared_visits_count_as_saved() {
        let terms = Terms { visits_spared_per_year: 10, price_per_visit: MicroMoney(150_000_000), ..TERMS };
        let said = forecast(0, &[ten_thousand(Some(0))], &LINK, &terms);
        assert_eq!(said.saved_per_year, MicroMoney(1_500_000_000));
        assert_eq!(said.break_even_days, Some(3650));
    }

    #[test]
    fn nothing_overflows() {
        let most = FieldBase { devices: DeviceCount(u64::MAX), delta_bytes: Some(u64::MAX - 1) };
        let terms = Terms {
            updates_per_year: u64::MAX,
            price_per_mib: MicroMoney(u64::MAX),
            one_off: MicroMoney(u64::MAX),
            visits_spared_per_year: u64::MAX,
            price_per_visit: MicroMoney(u64::MAX),
            horizon_years: u64::MAX,
        };
        let link = Link {
            bits_per_second: 0,
            overhead_per_mille: u64::MAX,
            wake_millijoules: u64::MAX,
            radio_milliwatts: u64::MAX,
            battery_millijoules: Some(0),
            day_bytes: None,
        };
        assert_eq!(forecast(u64::MAX, &[most, most], &link, &terms).full_fleet.bytes, u64::MAX);
    }
}
