//! The picture: every patch as a dot, by its size in patches of the baseline.
//!
//! Touches: nothing; measurements in, SVG out.

use crate::contenders::BASELINE;
use crate::results::{Meeting, means};
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 92.0;
const ROW: f64 = 30.0;
/// The axis, in patches of the baseline; logarithmic.
const SMALLEST: f64 = 0.03;
const LARGEST: f64 = 8.0;
const TICKS: [f64; 8] = [0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];
/// Ours from light to dark, as memory grows; peers in greys and browns.
const COLOURS: [(&str, &str); 7] = [
    ("zstd", "#b8a07a"),
    ("xdelta3", "#8a8f98"),
    ("hdiffz", "#c9736b"),
    ("lapwing 64KiB", "#8fd0c0"),
    ("lapwing 256KiB", "#48ab9b"),
    ("lapwing 1MiB", "#1f7f78"),
    ("lapwing free", "#0b4f52"),
];

/// The picture of all meetings.
pub(crate) fn svg(meetings: &[Meeting]) -> String {
    let rows = meetings.len() + 1;
    let height = TOP + ROW * rows as f64 + 34.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    text(&mut svg, 16.0, 28.0, "start", "Size of a patch, in patches of bsdiff+zstd-19 (less is better)");
    let bottom = TOP + ROW * rows as f64;
    for tick in TICKS {
        let colour = if tick == 1.0 { "#444" } else { "#e2e2e2" };
        let at = x(tick);
        let from = TOP - 14.0;
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{from}\" y2=\"{bottom}\" stroke=\"{colour}\"/>"
        );
        text(&mut svg, at, bottom + 18.0, "middle", &format!("{tick}"));
    }
    let means = means(meetings);
    legend(&mut svg, &means);
    for (index, meeting) in meetings.iter().enumerate() {
        let dots = means.iter().filter_map(|(name, _)| Some((name.as_str(), meeting.ratio(name)?)));
        row(&mut svg, index, &meeting.pair.name, dots);
    }
    let dots = means.iter().map(|(name, mean)| (name.as_str(), *mean));
    row(&mut svg, meetings.len(), "geometric mean", dots);
    svg + "</svg>\n"
}

fn legend(svg: &mut String, means: &[(String, f64)]) {
    for (index, (name, _)) in means.iter().filter(|(name, _)| name != BASELINE).enumerate() {
        let at = 24.0 + 134.0 * index as f64;
        let short = if name.starts_with("lapwing") { name } else { name.split(' ').next().unwrap_or(name) };
        dot(svg, at, 52.0, name);
        text(svg, at + 12.0, 56.0, "start", short);
    }
}

fn row<'a>(svg: &mut String, index: usize, name: &str, dots: impl Iterator<Item = (&'a str, f64)>) {
    let y = TOP + ROW * (index as f64 + 0.5);
    text(svg, LEFT - 14.0, y + 4.0, "end", name);
    let to = WIDTH - RIGHT;
    let _ = writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{to}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#f0f0f0\"/>");
    dots.filter(|(name, _)| *name != BASELINE).for_each(|(name, ratio)| dot(svg, x(ratio), y, name));
}

fn dot(svg: &mut String, x: f64, y: f64, name: &str) {
    let colour = COLOURS.iter().find(|(known, _)| name.starts_with(known)).map_or("#000", |(_, c)| c);
    let _ =
        writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{colour}\" fill-opacity=\"0.9\"/>");
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn x(ratio: f64) -> f64 {
    let place = (ratio.clamp(SMALLEST, LARGEST) / SMALLEST).ln() / (LARGEST / SMALLEST).ln();
    LEFT + place * (WIDTH - LEFT - RIGHT)
}
