//! The forecast as a picture: bytes of one update on the left, money over time on the right.
//!
//! Touches: nothing; a forecast in, SVG out.

use super::Prospect;
use super::money::{grouped, show};
use super::words::months;
use lapwing_fleet::{DeviceCount, MicroMoney};
use std::fmt::Write;

const WIDTH: u64 = 900;
const TOP: u64 = 92;
const HEIGHT: u64 = 240;
const BAR_LEFT: u64 = 24;
const BAR_WIDTH: u64 = 330;
const CHART_LEFT: u64 = 470;
const CHART_WIDTH: u64 = 390;
const FULL: &str = "#c98a3d";
const DELTA: &str = "#1f7f78";
/// More bars than this are not drawn; the table has them all.
const BARS_MAX: usize = 5;
/// Longer names keep their end.
const NAME_CHARS_MAX: usize = 24;

/// The picture.
pub(super) fn svg(prospect: &Prospect) -> String {
    let bottom = TOP + HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        bottom + 60
    );
    text(&mut svg, BAR_LEFT, 34, "One update of one device, bytes");
    bars(&mut svg, prospect);
    text(&mut svg, CHART_LEFT, 34, &format!("The fleet over {} years", prospect.terms.horizon_years));
    lines(&mut svg, prospect);
    svg + "</svg>\n"
}

fn bars(svg: &mut String, prospect: &Prospect) {
    let full = prospect.forecast.full_one.bytes;
    let mut bars = vec![("full image".to_owned(), full, FULL)];
    for ((name, base), load) in prospect.groups.iter().zip(&prospect.forecast.delta_one) {
        let DeviceCount(devices) = base.devices;
        let label = format!("{} devices from {}", grouped(devices), shortened(name));
        bars.push(load.map_or((label.clone(), full, FULL), |load| (label, load.bytes, DELTA)));
    }
    for (index, (label, bytes, colour)) in bars.iter().take(BARS_MAX).enumerate() {
        let y = TOP - 24 + 48 * index as u64;
        let width = scaled(*bytes, full, BAR_WIDTH).max(1);
        text(svg, BAR_LEFT, y + 10, &format!("{label}: {}", grouped(*bytes)));
        let _ = writeln!(
            svg,
            "<rect x=\"{BAR_LEFT}\" y=\"{}\" width=\"{width}\" height=\"16\" rx=\"3\" fill=\"{colour}\"/>",
            y + 16
        );
    }
}

fn lines(svg: &mut String, prospect: &Prospect) {
    let Prospect { forecast, terms, currency, .. } = prospect;
    let years = terms.horizon_years.max(1);
    let over_time =
        |MicroMoney(micro): MicroMoney| micro.saturating_mul(terms.updates_per_year).saturating_mul(years);
    let MicroMoney(visits) = terms.price_per_visit;
    let visits = MicroMoney(visits.saturating_mul(terms.visits_spared_per_year)).0.saturating_mul(years);
    let full = over_time(forecast.full_fleet.money).saturating_add(visits);
    let delta = over_time(forecast.delta_fleet.money).saturating_add(terms.one_off.0);
    let most = full.max(delta).max(1);
    let bottom = TOP + HEIGHT;
    let y = |micro: u64| bottom - scaled(micro, most, HEIGHT);
    let right = CHART_LEFT + CHART_WIDTH;
    let _ = writeln!(svg, "<path d=\"M{CHART_LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#999\"/>");
    let ends = [(0, full, FULL, "full images"), (terms.one_off.0, delta, DELTA, "deltas")];
    for (index, (from, to, colour, name)) in ends.into_iter().enumerate() {
        let _ = writeln!(
            svg,
            "<line x1=\"{CHART_LEFT}\" y1=\"{}\" x2=\"{right}\" y2=\"{}\" stroke=\"{colour}\" \
             stroke-width=\"3\"/>",
            y(from),
            y(to)
        );
        let label = format!("{name}: {}", show(currency, MicroMoney(to)));
        text(svg, CHART_LEFT + 12, TOP - 36 + 18 * index as u64, &label);
        let _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{colour}\"/>",
            CHART_LEFT + 4,
            TOP - 40 + 18 * index as u64
        );
    }
    for year in 1..=years.min(10) {
        text(svg, CHART_LEFT + CHART_WIDTH * year / years - 20, bottom + 18, &format!("year {year}"));
    }
    let horizon_days = years.saturating_mul(365);
    if let Some(days) = forecast.break_even_days.filter(|days| (1..=horizon_days).contains(days)) {
        let x = CHART_LEFT + scaled(days, horizon_days, CHART_WIDTH);
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#444\" stroke-dasharray=\"4 4\"/>"
        );
        text(svg, x + 6, bottom - 8, &format!("even after {}", months(days)));
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().rev().nth(NAME_CHARS_MAX - 1) {
        Some((at, _)) if at > 0 => format!("…{}", name.get(at..).unwrap_or(name)),
        _ => name.to_owned(),
    }
}

fn text(svg: &mut String, x: u64, y: u64, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\">{words}</text>");
}

fn scaled(part: u64, whole: u64, length: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(length) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(length)
}
