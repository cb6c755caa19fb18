//! `lapwing release forecast`: what an update will cost in bytes, time, energy and money, before it is
//! published, and whether deltas pay.
//!
//! Touches: images, from which it makes real deltas; the server's list of devices where told to.
//! Never: decides; the rules stand in `lapwing_fleet::forecast`.

mod field;
mod money;
mod picture;
mod words;

use crate::commands::delta::{Memory, made};
use crate::durable;
use crate::hardware::Hardware;
use crate::management::ManagementArgs;
use crate::output::Said;
use crate::recipe::DEFAULT_COMPONENT;
use anyhow::Result;
use clap::{ArgGroup, Args};
use field::{BaseArg, Runners};
use lapwing_core::ComponentName;
use lapwing_fleet::{DeviceCount, FieldBase, Forecast, Link, MicroMoney, Terms, forecast};
use std::path::{Path, PathBuf};

/// Arguments of `release forecast`.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["image", "full_bytes"])))]
pub(crate) struct ForecastArgs {
    /// The image to be released.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// An image that devices run, and how many do; may be given several times. Without a number it
    /// shares what is left of --devices; who runs none of these fetches the full image.
    #[arg(long = "base", value_name = "FILE[=DEVICES]", conflicts_with = "full_bytes")]
    bases: Vec<BaseArg>,
    /// Instead of images: the size of the full image on the air, bytes.
    #[arg(long, value_name = "N", requires = "delta_bytes")]
    full_bytes: Option<u64>,
    /// Instead of images: the size of a delta, bytes.
    #[arg(long, value_name = "N", requires = "full_bytes")]
    delta_bytes: Option<u64>,
    /// How many devices there are.
    #[arg(long, value_name = "N", default_value_t = 1)]
    devices: u64,
    /// Count the devices on the server instead, by what they run and the memory they have.
    #[arg(long, conflicts_with_all = ["devices", "full_bytes"])]
    ask_server: bool,
    /// Count only devices of this hardware class, `vendor.example/class-name`.
    #[arg(long, value_name = "CLASS", requires = "ask_server")]
    hardware: Option<Hardware>,
    /// Which component the image is.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_COMPONENT, requires = "ask_server")]
    component: ComponentName,
    /// The memory that devices have to apply deltas in; the server knows it of its own.
    #[arg(long, value_name = "PROFILE", default_value = "256KiB")]
    profile: Memory,
    #[command(flatten, next_help_heading = "What it costs")]
    costs: CostArgs,
    /// Draw the forecast into this SVG file.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Tariffs, links and habits of a fleet.
#[derive(Args)]
struct CostArgs {
    /// Updates a year.
    #[arg(long, value_name = "N", default_value_t = 12)]
    updates_per_year: u64,
    /// What the network takes for 1,048,576 bytes.
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = money::parse)]
    price_per_mib: MicroMoney,
    /// What it costs once to be able to send deltas: integration, qualification.
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = money::parse)]
    one_off: MicroMoney,
    /// Visits to devices (truck rolls) in a year that small updates make unnecessary.
    #[arg(long, value_name = "N", default_value_t = 0)]
    visits_spared: u64,
    /// What one visit costs.
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = money::parse)]
    price_per_visit: MicroMoney,
    /// In how many years the one-off cost must come back.
    #[arg(long, value_name = "YEARS", default_value_t = 3)]
    horizon_years: u64,
    /// What the amounts are in.
    #[arg(long, value_name = "TEXT", default_value = "$")]
    currency: String,
    /// What a device's link carries, bits a second.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    link_bps: u64,
    /// What the protocol adds to each byte, percent.
    #[arg(long, value_name = "N", default_value_t = 18)]
    overhead_percent: u64,
    /// Energy to wake the radio and reach the server, millijoules.
    #[arg(long, value_name = "MJ", default_value_t = 250)]
    wake_mj: u64,
    /// Power of the radio while it is on, milliwatts.
    #[arg(long, value_name = "MW", default_value_t = 150)]
    radio_mw: u64,
    /// What a device's battery holds, milliwatt-hours; without it devices have mains.
    #[arg(long, value_name = "MWH")]
    battery_mwh: Option<u64>,
    /// What a device may spend on its link in a day, bytes: `day_bytes` in its agent.toml.
    #[arg(long, value_name = "N")]
    day_bytes: Option<u64>,
}

const MILLIJOULES_PER_MWH: u64 = 3600;

impl CostArgs {
    fn link(&self) -> Link {
        Link {
            bits_per_second: self.link_bps,
            overhead_per_mille: self.overhead_percent.saturating_mul(10),
            wake_millijoules: self.wake_mj,
            radio_milliwatts: self.radio_mw,
            day_bytes: self.day_bytes,
            battery_millijoules: self.battery_mwh.map(|mwh| mwh.saturating_mul(MILLIJOULES_PER_MWH)),
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            updates_per_year: self.updates_per_year,
            price_per_mib: self.price_per_mib,
            one_off: self.one_off,
            visits_spared_per_year: self.visits_spared,
            price_per_visit: self.price_per_visit,
            horizon_years: self.horizon_years,
        }
    }
}

/// What is forecast, by both routes.
struct Prospect {
    /// Those who run the same, with what they run, for people.
    groups: Vec<(String, FieldBase)>,
    forecast: Forecast,
    terms: Terms,
    currency: String,
}

/// Forecasts.
pub(crate) fn run(args: &ForecastArgs) -> Result<Said> {
    let (full_bytes, groups) = match &args.image {
        Some(image) => measured(args, image)?,
        None => {
            let base = FieldBase { devices: DeviceCount(args.devices), delta_bytes: args.delta_bytes };
            (args.full_bytes.unwrap_or(0), vec![("sizes as given".to_owned(), base)])
        }
    };
    let terms = args.costs.terms();
    let bases: Vec<FieldBase> = groups.iter().map(|(_, base)| *base).collect();
    let forecast = forecast(full_bytes, &bases, &args.costs.link(), &terms);
    let prospect = Prospect { groups, forecast, terms, currency: args.costs.currency.clone() };
    if let Some(file) = &args.picture {
        durable::write(file, picture::svg(&prospect).as_bytes(), durable::PUBLIC)?;
    }
    Ok(Said::new(words::in_words(&prospect), words::as_json(&prospect)))
}

/// The full image, and a real delta from each base that devices run.
fn measured(args: &ForecastArgs, image: &Path) -> Result<(u64, Vec<(String, FieldBase)>)> {
    let runners = if args.ask_server {
        field::counted(&args.management.open()?, &args.bases, &args.component, args.hardware.as_ref())?
    } else {
        field::told(&args.bases, args.devices, args.profile)?
    };
    let (full, _) = made(None, image, args.profile)?;
    let mut groups = Vec::new();
    for Runners { base, memory, devices } in runners {
        let base = base.and_then(|place| args.bases.get(place));
        let (name, delta_bytes) = match base {
            None => ("another image".to_owned(), None),
            Some(base) => {
                let (delta, header) = made(Some(&base.file), image, memory)?;
                let delta_bytes = (!header.is_full()).then_some(delta.len() as u64);
                (format!("{}, {}", base.file.display(), memory.name()), delta_bytes)
            }
        };
        groups.push((name, FieldBase { devices: DeviceCount(devices), delta_bytes }));
    }
    Ok((full.len() as u64, groups))
}
