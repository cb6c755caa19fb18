//! The cells of the bench: rates, round trips, losses, sizes, and who fetches.
//!
//! Touches: `lapwing_link`. Seeds are the numbers of the runs, so that everybody meets the same luck.

use lapwing_coap::BlockSize;
use lapwing_link::{Air, Awake, Outcome, fetch_https, fetch_one_at_a_time, fetch_windowed};

/// Who fetches.
pub(crate) const METHODS: [&str; 5] =
    ["windowed", "one at a time 256", "one at a time 512", "one at a time 1024", "https (model)"];

/// IPv4 and UDP.
const IPV4_HEADER_BYTES: usize = 28;

/// A cell: what the link is, how much comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kbps: u64,
    pub(crate) round_trip_ms: u64,
    pub(crate) loss_permille: u16,
    pub(crate) kilobytes: u32,
}

/// What one method did in one cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) method: &'static str,
    pub(crate) runs: u64,
    pub(crate) mean_s: f64,
    pub(crate) p95_s: f64,
    pub(crate) air_bytes: f64,
    pub(crate) uplink_messages: f64,
    pub(crate) joules: f64,
    pub(crate) repeated_requests: f64,
    pub(crate) late_answers: u64,
    pub(crate) cuts: f64,
    pub(crate) repeated_per_cut_max: u64,
    pub(crate) largest_packet_bytes: usize,
    pub(crate) unfinished: u64,
}

/// Every method in every cell: 20 and 60 kbit/s, three round trips, three losses, three sizes.
pub(crate) fn measure(runs: u64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for place in places() {
        for method in METHODS {
            // Ours is what the goals judge; a quarter of the runs shows where the others are.
            let runs = if method == METHODS[0] { runs } else { runs / 4 };
            cells.push(cell(place, method, runs, |seed| run(method, place, seed)));
        }
        eprintln!("{place:?}");
    }
    cells
}

/// The cell of the goals once more for each size, with the shorter headers of IPv4.
pub(crate) fn measure_ipv4(runs: u64) -> Vec<Cell> {
    let places = [25, 100, 500].map(|kilobytes| Place {
        kbps: 20,
        round_trip_ms: 1_500,
        loss_permille: 10,
        kilobytes,
    });
    let fetch = |place: Place, seed| {
        fetch_windowed(Air { header_bytes: IPV4_HEADER_BYTES, ..place.air() }, place.size_bytes(), seed)
    };
    places.map(|place| cell(place, "windowed, IPv4", runs, |seed| fetch(place, seed))).into()
}

/// 100 KB with 5 % loss, awake for ten seconds in each minute, the power failing in every second sleep.
pub(crate) fn measure_sleep(runs: u64) -> Cell {
    let place = Place { kbps: 20, round_trip_ms: 1_500, loss_permille: 50, kilobytes: 100 };
    let awake = Some(Awake { awake_ms: 10_000, asleep_ms: 50_000 });
    cell(place, "windowed, awake 10 s of 60", runs, |seed| {
        fetch_windowed(Air { awake, ..place.air() }, place.size_bytes(), seed)
    })
}

/// Everything at once that the other cells leave out: jitter, reordering, duplicates, a shared cell, addresses
/// that change.
pub(crate) fn measure_rough(runs: u64) -> Cell {
    let place = Place { kbps: 60, round_trip_ms: 1_500, loss_permille: 20, kilobytes: 100 };
    cell(place, "windowed, rough", runs, |seed| {
        let air = Air {
            jitter_ms: 400,
            reorder_permille: 20,
            duplicate_permille: 20,
            cell_devices: 3,
            rebind_ms: Some(30_000),
            ..place.air()
        };
        fetch_windowed(air, place.size_bytes(), seed)
    })
}

impl Place {
    const fn air(self) -> Air {
        Air::nb_iot(self.kbps * 1000, self.round_trip_ms, self.loss_permille)
    }

    pub(crate) const fn size_bytes(self) -> u32 {
        self.kilobytes * 1000
    }
}

fn places() -> impl Iterator<Item = Place> {
    let all = [25, 100, 500].into_iter().flat_map(|kilobytes| [20, 60].map(|kbps| (kilobytes, kbps)));
    let all = all.flat_map(|(kilobytes, kbps)| [500, 1_500, 3_000].map(|ms| (kilobytes, kbps, ms)));
    all.flat_map(|(kilobytes, kbps, round_trip_ms)| {
        [0, 10, 50].map(|loss_permille| Place { kbps, round_trip_ms, loss_permille, kilobytes })
    })
}

fn run(method: &str, place: Place, seed: u64) -> Outcome {
    let one = |size| fetch_one_at_a_time(place.air(), place.size_bytes(), size, seed);
    match method {
        "windowed" => fetch_windowed(place.air(), place.size_bytes(), seed),
        "one at a time 256" => one(BlockSize::B256),
        "one at a time 512" => one(BlockSize::B512),
        "one at a time 1024" => one(BlockSize::B1024),
        _ => fetch_https(place.air(), place.size_bytes(), seed),
    }
}

fn cell(place: Place, method: &'static str, runs: u64, run: impl Fn(u64) -> Outcome) -> Cell {
    // Without chance one run says it all.
    let runs = if place.loss_permille == 0 { 1 } else { runs };
    let mut outcomes: Vec<_> = (0..runs).map(run).collect();
    outcomes.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let mean = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64;
    let most = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).max().unwrap_or(0);
    let p95 = outcomes.get(outcomes.len() * 95 / 100).or(outcomes.last());
    Cell {
        place,
        method,
        runs,
        mean_s: mean(|outcome| outcome.seconds),
        p95_s: p95.map_or(f64::NAN, |outcome| outcome.seconds),
        air_bytes: mean(|outcome| outcome.air_bytes as f64),
        uplink_messages: mean(|outcome| outcome.uplink_messages as f64),
        joules: mean(Outcome::energy_joules),
        repeated_requests: mean(|outcome| outcome.repeated_requests as f64),
        late_answers: outcomes.iter().map(|outcome| outcome.late_answers).sum(),
        cuts: mean(|outcome| outcome.cuts as f64),
        repeated_per_cut_max: most(|outcome| outcome.repeated_per_cut_max),
        largest_packet_bytes: outcomes.iter().map(|outcome| outcome.largest_packet_bytes).max().unwrap_or(0),
        unfinished: outcomes.iter().map(|outcome| u64::from(!outcome.is_whole)).sum(),
    }
}
