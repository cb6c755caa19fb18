//! The figures in the form of `docs/benchmarks`: rows, goals, and whether they hold.
//!
//! Touches: git and `/proc/cpuinfo`, to say where the figures come from.

use crate::cells::{Cell, METHODS, Place};
use lapwing_link::{CheckIn, check_ins};
use serde_json::{Value, json};
use std::process::Command;

/// Cells beside the table: one variation each.
#[derive(Debug)]
pub(crate) struct Others {
    pub(crate) ipv4: Vec<Cell>,
    pub(crate) sleep: Cell,
    pub(crate) rough: Cell,
}

/// The whole report.
pub(crate) fn report(cells: &[Cell], others: &Others) -> Value {
    let check_ins = check_ins();
    let rows: Vec<Value> =
        cells.iter().chain(&others.ipv4).chain([&others.sleep, &others.rough]).map(row).collect();
    json!({
        "command": "cargo xtask bench link",
        "commit": git(&["rev-parse", "--short", "HEAD"]),
        "machine": machine(),
        "model": "virtual time; half-duplex air, IPv6 and UDP headers (48 bytes) unless a row says IPv4 (28); OSCORE \
                  with an id of three bytes; loss each way; energy 0.25 J + 0.15 W of session; https is a model, \
                  all else the real machines",
        "rows": rows,
        "check_ins": check_ins.iter().map(check_in_row).collect::<Vec<_>>(),
        "goals": goals(cells, others, &check_ins),
    })
}

fn row(cell: &Cell) -> Value {
    let place = cell.place;
    json!({
        "method": cell.method,
        "kbps": place.kbps,
        "round_trip_ms": place.round_trip_ms,
        "loss_percent": f64::from(place.loss_permille) / 10.0,
        "kilobytes": place.kilobytes,
        "runs": cell.runs,
        "mean_s": round(cell.mean_s),
        "p95_s": round(cell.p95_s),
        "air_bytes": cell.air_bytes.round(),
        "overhead_percent": round(overhead_percent(cell)),
        "uplink_messages": round(cell.uplink_messages),
        "joules": round(cell.joules),
        "repeated_requests": round(cell.repeated_requests),
        "late_answers": cell.late_answers,
        "cuts": round(cell.cuts),
        "repeated_per_cut_max": cell.repeated_per_cut_max,
        "unfinished": cell.unfinished,
    })
}

fn check_in_row(check_in: &CheckIn) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    json!({
        "what": check_in.what,
        "message_bytes": check_in.message_bytes,
        "datagram_bytes": check_in.datagram_bytes,
        "air_bytes_ipv4": check_in.air_bytes,
        "datagrams": check_in.datagrams.each_ref().map(|datagram| hex(datagram)),
    })
}

fn goals(cells: &[Cell], others: &Others, check_ins: &[CheckIn]) -> Vec<Value> {
    let link = Figures(cells.iter().filter(|cell| cell.method == METHODS[0]).collect());
    let ipv4 = Figures(others.ipv4.iter().collect());
    let worst = |values: [f64; 2]| values[0].max(values[1]);
    let slowdowns = [100, 500].map(|kilobytes| link.mean_s(kilobytes, 50) / link.mean_s(kilobytes, 0));
    let overheads = [25, 100].map(|kilobytes| link.at(kilobytes, 10).map_or(f64::NAN, overhead_percent));
    let datagram = |at: usize| check_ins.get(at).map_or(f64::NAN, |one| one.datagram_bytes[1] as f64);
    let idle = check_ins.first().map_or(f64::NAN, |one| one.air_bytes as f64);
    let ours = || link.0.iter().copied().chain([&others.sleep, &others.rough]);
    let sum = |of: fn(&Cell) -> u64| ours().map(of).sum::<u64>() as f64;
    let late = link.0.iter().map(|cell| cell.late_answers).sum::<u64>() as f64;
    let largest = ours().map(|cell| cell.largest_packet_bytes).max().unwrap_or(0) as f64;
    vec![
        goal("A1", "bytes, idle check-in both ways, IPv4", 120.0, idle),
        goal("A2", "bytes of UDP payload, signed status", 110.0, datagram(2)),
        goal("A3", "bytes of UDP payload, offer with release", 480.0, datagram(4)),
        goal("A4", "s, 25 KB, mean", 14.0, link.mean_s(25, 10)),
        goal("A4", "s, 25 KB, p95", 18.0, link.at(25, 10).map_or(f64::NAN, |cell| cell.p95_s)),
        goal("A5", "s, 100 KB, mean", 48.0, link.mean_s(100, 10)),
        goal("A5", "s, 100 KB, mean, IPv4", 48.0, ipv4.mean_s(100, 10)),
        goal("A5", "s, 500 KB, mean", 235.0, link.mean_s(500, 10)),
        goal("A5", "times as long with 5 % loss, the worse of 100 and 500 KB", 1.25, worst(slowdowns)),
        goal("A6", "% on-air overhead, the worse of 25 and 100 KB", 18.0, worst(overheads)),
        goal("A6", "answers that a timer had given up, all cells", 0.0, late),
        goal(
            "A7",
            "blocks asked again for one cut; a window has at most 32",
            32.0,
            others.sleep.repeated_per_cut_max as f64,
        ),
        goal(
            "A7",
            "fetches that did not end whole, sleep and rough air included",
            0.0,
            sum(|cell| cell.unfinished),
        ),
        goal("A7", "bytes, largest packet at the IP layer", 1280.0, largest),
    ]
}

/// Cells of one method.
struct Figures<'a>(Vec<&'a Cell>);

impl Figures<'_> {
    /// The cell on the link of the goals: 20 kbit/s, 1.5 s.
    fn at(&self, kilobytes: u32, loss_permille: u16) -> Option<&Cell> {
        let wanted = Place { kbps: 20, round_trip_ms: 1_500, loss_permille, kilobytes };
        self.0.iter().copied().find(|cell| cell.place == wanted)
    }

    fn mean_s(&self, kilobytes: u32, loss_permille: u16) -> f64 {
        self.at(kilobytes, loss_permille).map_or(f64::NAN, |cell| cell.mean_s)
    }
}

fn goal(id: &str, unit: &str, goal: f64, value: f64) -> Value {
    json!({ "id": id, "goal": goal, "value": round(value), "unit": unit, "holds": value <= goal })
}

/// The report as it is kept: a row a line.
pub(crate) fn text(report: &Value) -> String {
    let field = |(key, value): (&String, &Value)| match value.as_array() {
        None => format!("  \"{key}\": {value}"),
        Some(rows) => {
            let rows: Vec<String> = rows.iter().map(|row| format!("    {row}")).collect();
            format!("  \"{key}\": [\n{}\n  ]", rows.join(",\n"))
        }
    };
    let fields: Vec<String> = report.as_object().into_iter().flatten().map(field).collect();
    format!("{{\n{}\n}}\n", fields.join(",\n"))
}

/// The table for people.
pub(crate) fn print(report: &Value) {
    println!(
        "{:>4} {:>5} {:>5} {:>5}  {:<28} {:>8} {:>8} {:>9} {:>7} {:>7}",
        "KB", "kbps", "RTT", "loss", "method", "mean s", "p95 s", "bytes", "uplink", "J"
    );
    for row in report["rows"].as_array().into_iter().flatten() {
        println!(
            "{:>4} {:>5} {:>5} {:>5}  {:<28} {:>8} {:>8} {:>9} {:>7} {:>7}",
            row["kilobytes"],
            row["kbps"],
            row["round_trip_ms"],
            row["loss_percent"],
            row["method"].as_str().unwrap_or(""),
            row["mean_s"],
            row["p95_s"],
            row["air_bytes"],
            row["uplink_messages"],
            row["joules"],
        );
    }
    for row in report["check_ins"].as_array().into_iter().flatten() {
        println!(
            "{}: {} bytes on IPv4, datagrams {}",
            row["what"], row["air_bytes_ipv4"], row["datagram_bytes"]
        );
    }
    for goal in report["goals"].as_array().into_iter().flatten() {
        let word = if goal["holds"] == true { "holds" } else { "DOES NOT HOLD" };
        println!("{} {word}: {} of {} {}", goal["id"], goal["value"], goal["goal"], goal["unit"]);
    }
}

fn overhead_percent(cell: &Cell) -> f64 {
    let payload = f64::from(cell.place.size_bytes());
    (cell.air_bytes - payload) / payload * 100.0
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", model.trim_start_matches([' ', '\t', ':']))
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
