//! The data budget: a transfer stops in time, goes on another day, and no power cut gives bytes back.
//!
//! Touches: single steps, and weeks of a body that spends as it likes within what it is given.

use crate::fleet::NOW;
use crate::kit::{Bench, MINUTE_MS, first_table, offer_answer, settings};
use lapwing_core::Slot;
use lapwing_core::cbor::decode;
use lapwing_core::wire::check_in::{CheckIn, Gate, NamedFacts};
use lapwing_core::wire::report::EventKind;
use lapwing_device::limits::BUDGET_TALK_BYTES;
use lapwing_device::{DataBudget, Effect, Event, Fetched, Record, ResetCause, Settings, Trouble};
use std::collections::{BTreeMap, VecDeque};

const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// What the small offer's artifact weighs.
const ARTIFACT_BYTES: u64 = 26_214;

fn with(day_bytes: Option<u64>, month_bytes: Option<u64>) -> Settings {
    let mut settings = settings();
    settings.talking.check_in_interval_ms = 6 * HOUR_MS;
    settings.budget = DataBudget { day_bytes, month_bytes, fetch_bytes_min: 1_408 };
    settings
}

/// Booted, and offered the small release.
fn fetching(settings: Settings) -> Bench {
    let mut bench = Bench::new(settings, None);
    bench.boot(first_table(), Slot::A, ResetCause::Unknown);
    bench.offer(|_, _| {});
    bench
}

/// Spends what a transfer may cost, to the last byte; returns how much that was.
fn spend_all(bench: &mut Bench, have_bytes: &mut u64) -> u64 {
    let mut all = 0;
    while bench.fetches() {
        let bytes = bench.device.transfer_bytes_left();
        (all, *have_bytes) = (all + bytes, *have_bytes + bytes / 2);
        bench.step(Event::Spent { bytes });
        bench.step(Event::Fetched(Fetched::Part { have_bytes: *have_bytes }));
    }
    all
}

#[test]
fn a_transfer_stops_with_its_day_and_goes_on_with_the_next_and_the_fleet_knows_why() {
    let mut bench = fetching(with(Some(10_000), None));
    assert_eq!(
        bench.effects[0],
        Effect::Save,
        "what a transfer may cost is reserved first: {:?}",
        bench.effects
    );
    let mut have_bytes = 0;
    assert_eq!(spend_all(&mut bench, &mut have_bytes), 10_000 - BUDGET_TALK_BYTES);
    assert_eq!((bench.doing(), bench.kinds().last()), ("fetching", Some(&EventKind::Deferred)));
    let mut buffer = [0; 2048];
    let check_in = bench.device.encode_check_in(NamedFacts::NONE, &mut buffer).unwrap();
    assert_eq!(decode::<CheckIn<'_>>(check_in).unwrap().gates[..], [Gate::DataBudget]);
    bench.until_check_in();
    let began = bench.uptime;
    while !bench.fetches() {
        bench.asked = None;
        bench.uptime = bench.device.wake_at(bench.uptime).unwrap();
        bench.step(Event::Woke);
        assert!(bench.uptime.since(began) <= DAY_MS, "{:?}", bench.effects);
    }
    assert_eq!(spend_all(&mut bench, &mut have_bytes), 10_000 - BUDGET_TALK_BYTES);
}

#[test]
fn a_month_ends_what_a_day_would_allow() {
    let mut bench = fetching(with(Some(10_000), Some(12_000)));
    let mut have_bytes = 0;
    let mut spent = spend_all(&mut bench, &mut have_bytes);
    for _ in 0..5 {
        bench.uptime = bench.uptime.after(DAY_MS);
        bench.step(Event::Woke);
        bench.step(Event::Failed(Effect::CheckIn, Trouble::Link { retry_after_ms: None }));
        spent += spend_all(&mut bench, &mut have_bytes);
    }
    let talked = 3 * BUDGET_TALK_BYTES;
    assert!((12_000 - talked..=12_000 - BUDGET_TALK_BYTES).contains(&spent), "{spent}");
}

#[test]
fn questions_and_switches_wait_for_no_budget() {
    let mut bench = fetching(with(Some(10_000), None));
    bench.step(Event::Spent { bytes: 1_000_000 });
    bench.step(Event::Fetched(Fetched::Part { have_bytes: 1 }));
    assert!(!bench.fetches());
    bench.until_check_in();
    bench.answer(&offer_answer(|_, _| {}));
    // What was on its way when the budget ended, and was the rest.
    bench.step(Event::Fetched(Fetched::Whole));
    assert_eq!(bench.doing(), "applying");
}

#[test]
fn without_a_budget_nothing_is_counted_and_nothing_written() {
    let mut bench = fetching(with(None, None));
    assert_eq!(bench.device.transfer_bytes_left(), u64::MAX);
    bench.step(Event::Spent { bytes: u64::MAX });
    assert_eq!((bench.device.record().ledger, bench.device.view(bench.uptime).budget_bytes), (None, None));
}

/// What a body has to tell.
enum Told {
    Spent(u64),
    Answered(Vec<u8>),
    Reported(u32),
    Fetched(u64),
}

/// A device for weeks, whose power is cut by chance between any two effects.
struct Weeks {
    settings: Settings,
    bench: Bench,
    saved: Record,
    state: u64,
    /// When this boot began, milliseconds of the world.
    boot_ms: u64,
    have_bytes: u64,
    /// What crossed the link on each day of the device: transfers, questions.
    days: BTreeMap<u64, (u64, u64)>,
    cuts: u32,
}

impl Weeks {
    fn new(settings: Settings, seed: u64) -> Self {
        let mut bench = Bench::new(settings.clone(), None);
        bench.boot(first_table(), Slot::A, ResetCause::Unknown);
        let saved = bench.device.record().clone();
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { settings, bench, saved, state, boot_ms: 0, have_bytes: 0, days: BTreeMap::new(), cuts: 0 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % end.max(1)
    }

    fn count(&mut self, fetched: u64, talked: u64) {
        let day = self.bench.device.record().ledger.map_or(0, |ledger| ledger.day);
        let row = self.days.entry(day).or_default();
        *row = (row.0 + fetched, row.1 + talked);
    }

    fn cut_power(&mut self) {
        self.boot_ms += self.bench.uptime.0 + self.below(HOUR_MS);
        self.bench = Bench::new(self.settings.clone(), Some(&self.saved));
        self.bench.boot(first_table(), Slot::A, ResetCause::PowerOn);
        self.cuts += 1;
    }

    /// One effect, and what comes of it.
    fn perform(&mut self, effect: Effect, told: &mut VecDeque<Told>) {
        match effect {
            Effect::Save => self.saved = self.bench.device.record().clone(),
            Effect::Fetch(_) => {
                let most = self.bench.device.transfer_bytes_left();
                let bytes = (1 + self.below(4_000)).min(most);
                self.count(bytes, 0);
                self.have_bytes = (self.have_bytes + bytes * 4 / 5).min(ARTIFACT_BYTES);
                told.extend([Told::Spent(bytes), Told::Fetched(self.have_bytes)]);
            }
            Effect::CheckIn | Effect::Report { .. } => {
                let bytes = 100 + self.below(300);
                self.count(0, bytes);
                let now = NOW.after((self.boot_ms + self.bench.uptime.0) / 1_000);
                told.push_back(Told::Spent(bytes));
                told.push_back(match effect {
                    Effect::Report { up_to } => Told::Reported(up_to),
                    _ => Told::Answered(offer_answer(|_, offer| offer.now = now)),
                });
            }
            other => panic!("{other:?}"),
        }
    }

    /// Lives until the artifact is there, or too many days have passed.
    fn live(&mut self) {
        let mut told = VecDeque::new();
        while self.have_bytes < ARTIFACT_BYTES && self.boot_ms + self.bench.uptime.0 < 60 * DAY_MS {
            let effects = self.bench.effects.clone();
            for effect in &effects {
                if self.below(12) == 0 {
                    told.clear();
                    self.cut_power();
                    break;
                }
                self.perform(*effect, &mut told);
            }
            match told.pop_front() {
                None if !self.bench.effects.is_empty() => self.bench.step(Event::Woke),
                None => {
                    self.bench.uptime = self.bench.device.wake_at(self.bench.uptime).unwrap();
                    self.bench.step(Event::Woke);
                }
                Some(Told::Spent(bytes)) => self.bench.step(Event::Spent { bytes }),
                Some(Told::Answered(bytes)) => self.bench.step(Event::Answered(&bytes)),
                Some(Told::Reported(up_to)) => self.bench.step(Event::Reported { up_to }),
                Some(Told::Fetched(have_bytes)) => {
                    self.bench.step(Event::Fetched(Fetched::Part { have_bytes }));
                }
            }
        }
    }
}

#[test]
fn whenever_the_power_goes_no_day_gets_more_than_its_bytes_and_the_artifact_comes() {
    let (mut cuts, mut whole) = (0, 0);
    for seed in 1..=60 {
        let limit = 6_000 + seed * 150;
        let mut weeks = Weeks::new(with(Some(limit), None), seed);
        weeks.live();
        for (day, (fetched, talked)) in &weeks.days {
            assert!(*fetched <= limit - BUDGET_TALK_BYTES, "seed {seed}, day {day}: {fetched} of {limit}");
            assert!(fetched + talked <= limit || *talked > BUDGET_TALK_BYTES, "seed {seed}, day {day}");
        }
        cuts += weeks.cuts;
        whole += u32::from(weeks.have_bytes == ARTIFACT_BYTES);
    }
    assert!(cuts > 300, "{cuts}");
    assert!(whole > 50, "{whole} of 60 came whole");
}
