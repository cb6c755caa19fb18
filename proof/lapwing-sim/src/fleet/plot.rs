//! A picture of devices hurt by rate of failure, ours beside the rules of others.
//!
//! Touches: nothing. Plain SVG, both axes logarithmic, made of the report alone.

use super::report::Report;
use super::story::{CheckIns, Ruling, Story, Style};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 360.0;
const TOP: f64 = 30.0;
const RIGHT: f64 = 560.0;
/// Five powers of ten, and rates from one percent to all.
const DECADES_UP: f64 = 5.0;
const DECADES_ACROSS: f64 = 2.0;

const LINES: [(Ruling, Style, &str, &str); 6] = [
    (Ruling::Lapwing, Style::Loud, "Lapwing, loud", "#1b7f4d"),
    (Ruling::Lapwing, Style::Silent, "Lapwing, silent", "#49b27d"),
    (Ruling::RawRatio, Style::Loud, "raw 1.5x, loud", "#b3541e"),
    (Ruling::RawRatio, Style::Silent, "raw 1.5x, silent", "#e08d5b"),
    (Ruling::Percentage, Style::Loud, "10 percent, loud", "#4a5a9c"),
    (Ruling::Percentage, Style::Silent, "10 percent, silent", "#8a98cf"),
];

/// The picture of `report`.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    axes(&mut svg);
    for (number, (ruling, style, label, colour)) in (0..).zip(LINES) {
        let points: Vec<(f64, f64)> = points(report, ruling, style);
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            path.join(" ")
        );
        for (x, y) in points {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
        }
        let y = TOP + 20.0 + f64::from(number) * 22.0;
        let _ =
            writeln!(svg, "<text x=\"{:.0}\" y=\"{y:.0}\" fill=\"{colour}\">{label}</text>", RIGHT + 20.0);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String) {
    for decade in 0..=5_u32 {
        let devices = 10_u32.pow(decade);
        let y = up(f64::from(devices));
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#ddd\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{devices}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for percent in [2_u32, 5, 20, 100] {
        let x = across(f64::from(percent));
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{percent} %</text>",
            BOTTOM + 20.0
        );
    }
    let middle = f64::midpoint(LEFT, RIGHT);
    let _ = writeln!(
        svg,
        "<text x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">devices that fail with the release</text>",
        BOTTOM + 44.0
    );
    let _ =
        writeln!(svg, "<text x=\"{LEFT}\" y=\"18\">devices hurt, of 100,000, daily check-ins (mean)</text>");
}

fn points(report: &Report, ruling: Ruling, style: Style) -> Vec<(f64, f64)> {
    let wanted = |story: Story| {
        let plain =
            story == Story { trouble: super::story::Trouble::None, ..story } && !story.failing.only_rare;
        story.ruling == ruling
            && story.failing.style == style
            && story.failing.rate > 0
            && plain
            && story.check_ins == CheckIns::Daily
    };
    let rows = report.rows().iter().filter(|row| wanted(row.story()) && row.devices() == report.devices());
    let mut points: Vec<(f64, f64)> = rows
        .filter_map(|row| {
            let rate = u32::try_from(row.story().failing.rate).ok()?;
            Some((across(f64::from(rate) / 100.0), up(row.hurt()?.mean)))
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn across(percent: f64) -> f64 {
    LEFT + percent.log10() / DECADES_ACROSS * (RIGHT - LEFT)
}

fn up(devices: f64) -> f64 {
    BOTTOM - devices.max(1.0).log10() / DECADES_UP * (BOTTOM - TOP)
}
