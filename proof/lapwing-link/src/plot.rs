//! The figures as a picture: seconds to fetch 100 KB, for each link and method, on a logarithmic axis.
//!
//! Touches: nothing; returns SVG. Never: leaves a method out because it looks bad.

use crate::cells::{Cell, METHODS};
use std::fmt::Write as _;

const COLOURS: [&str; 5] = ["#0b6e4f", "#9a9a9a", "#b5b5b5", "#cfcfcf", "#3d6fb4"];
const BAR: f64 = 13.0;
const GAP: f64 = 18.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 70.0;
const HEIGHT: f64 = 300.0;
/// The axis, seconds.
const FROM_S: f64 = 10.0;
const TO_S: f64 = 2_000.0;

/// The picture.
pub(crate) fn plot(cells: &[Cell]) -> String {
    let shown: Vec<&Cell> =
        cells.iter().filter(|cell| cell.place.kilobytes == 100 && cell.place.loss_permille == 10).collect();
    let groups: Vec<&[&Cell]> = shown.chunks(METHODS.len()).collect();
    let group_width = BAR * METHODS.len() as f64 + GAP;
    let width = LEFT + group_width * groups.len() as f64 + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        TOP + HEIGHT + 50.0
    );
    let mut put = |line: String| {
        let _ = writeln!(svg, "{line}");
    };
    put(text(LEFT, 18.0, "Seconds to fetch 100 KB at 1 % loss (mean; the line is the 95th percentile)"));
    for (at, (method, colour)) in METHODS.iter().zip(COLOURS).enumerate() {
        let (x, y) = (LEFT + (at % 3) as f64 * 160.0, 26.0 + (at / 3) as f64 * 16.0);
        put(format!("<rect x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>"));
        put(text(x + 14.0, y + 9.0, method));
    }
    for seconds in [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0] {
        let y = y_of(seconds);
        put(format!("<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{width}\" y2=\"{y:.1}\" stroke=\"#eeeeee\"/>"));
        put(text(18.0, y + 4.0, &format!("{seconds:>5}")));
    }
    for (at, group) in groups.iter().enumerate() {
        let x = LEFT + GAP / 2.0 + at as f64 * group_width;
        for (bar, (cell, colour)) in group.iter().zip(COLOURS).enumerate() {
            let (x, y) = (x + bar as f64 * BAR, y_of(cell.mean_s));
            let height = TOP + HEIGHT - y;
            put(format!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
                BAR - 2.0
            ));
            let (middle, top) = (x + BAR / 2.0 - 1.0, y_of(cell.p95_s));
            put(format!(
                "<line x1=\"{middle:.1}\" y1=\"{y:.1}\" x2=\"{middle:.1}\" y2=\"{top:.1}\" stroke=\"black\"/>"
            ));
        }
        if let Some(cell) = group.first() {
            let label = format!("{} kbit/s", cell.place.kbps);
            put(text(x, TOP + HEIGHT + 16.0, &label));
            put(text(x, TOP + HEIGHT + 30.0, &format!("{} s", cell.place.round_trip_ms as f64 / 1000.0)));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn y_of(seconds: f64) -> f64 {
    let share = (seconds.clamp(FROM_S, TO_S) / FROM_S).log10() / (TO_S / FROM_S).log10();
    TOP + HEIGHT * (1.0 - share)
}

fn text(x: f64, y: f64, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>")
}
