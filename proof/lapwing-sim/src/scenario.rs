//! Stories as scripts that people can read, from `scenarios/NAME.txt`.
//!
//! A script is lines: images, what differs from the usual, turns `at` a time or `when` something happens, `run`,
//! and what is expected then. Touches: the text. Never: reads files; the binary and the tests do.

use crate::device::{CHUNK_BYTES, FRAME_BYTES};
use crate::maker::Image;
use crate::program::Program;
use crate::storage::Loss;
use crate::twist::{Flaw, Shipment, Twist, When};
use crate::world::{Happening, Pace, World};
use lapwing_core::wire::answer::Urgency;
use lapwing_core::wire::report::EventKind;
use lapwing_device::DataBudget;

/// Plays a script, with everything checked and narrated.
///
/// # Errors
/// The line that makes no sense.
pub fn play(script: &str) -> Result<World, String> {
    let lines = script.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
    let images = lines.iter().filter_map(|(_, line)| line.strip_prefix("image "));
    let images = images.map(image).collect::<Option<Vec<_>>>().ok_or("an image makes no sense")?;
    let first = images.first().ok_or("no image")?;
    let pace = if lines.iter().any(|(_, line)| *line == "pace short") { Pace::Short } else { Pace::Default };
    let mut world = World::new(7, pace, first);
    world.images.clone_from(&images);
    world.transcript = Some(Vec::new());
    world.loss = Loss::All;
    // Every message takes as long as every other, so that a transcript changes only when a behaviour does.
    world.network.delay_ms_max = 1;
    for (number, line) in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        act(&mut world, &words).ok_or(format!("line {number} makes no sense: {line}"))?;
    }
    Ok(world)
}

/// What one line asks for.
fn act(world: &mut World, words: &[&str]) -> Option<()> {
    match words {
        ["image" | "pace", ..] => {}
        ["server", rest @ ..] => server(world, rest)?,
        ["at", time, rest @ ..] => world.happens_at(millis(time)?, Happening::Twist(twist(rest)?)),
        ["when", "fetched", percent, rest @ ..] => {
            let percent = percent.strip_suffix('%')?.parse().ok()?;
            world.waiting.push((When::Fetched(percent), twist(rest)?));
        }
        ["when", label, rest @ ..] => {
            let kind = EventKind::ALL.iter().find(|kind| kind.label() == *label)?;
            world.waiting.push((When::Notes(*kind), twist(rest)?));
        }
        ["link", "gone", "at", percent] => {
            let percent = percent.strip_suffix('%')?.parse().ok()?;
            world.network.gone_at_percent = Some(percent);
        }
        ["budget", bytes, "a", "day"] => {
            let (day_bytes, fetch_bytes_min) = (bytes.parse().ok(), CHUNK_BYTES + FRAME_BYTES);
            world.settings.budget = DataBudget { day_bytes, month_bytes: None, fetch_bytes_min };
        }
        ["check-ins", "every", time] => {
            world.settings.talking.check_in_interval_ms = millis(time)?;
            world.settings.talking.report_promptly = false;
            world.server.next_check_in_s = seconds(time)?;
        }
        ["loss", "some"] => world.loss = Loss::Some,
        ["run", time] => world.run(millis(time)?, |_| false),
        ["expect", rest @ ..] => expect(world, rest)?,
        _ => return None,
    }
    Some(())
}

fn server(world: &mut World, words: &[&str]) -> Option<()> {
    match words {
        ["ttl", time] => world.server.ttl_s = seconds(time)?,
        ["retries", tries] => world.server.retries = tries.parse().ok()?,
        ["stubborn"] => world.server.stubborn = true,
        _ => return None,
    }
    Some(())
}

fn twist(words: &[&str]) -> Option<Twist> {
    Some(match words {
        ["ship", version, rest @ ..] => Twist::Ship(shipment(version, rest)?),
        ["withdraw"] => Twist::Withdraw,
        ["offer"] => Twist::Offer,
        ["cut", "power"] => Twist::PowerOff(2_000),
        ["cut", "power", "for", time] => Twist::PowerOff(millis(time)?),
        ["brown-outs", "below", longest, "for", time] => Twist::BrownOuts(millis(longest)?, millis(time)?),
        ["disk", "full"] => Twist::DiskFull(true),
        ["disk", "free"] => Twist::DiskFull(false),
        ["disk", "read-only"] => Twist::ReadOnly(true),
        ["disk", "writable"] => Twist::ReadOnly(false),
        ["spoil", ranges, "transfers"] => Twist::SpoilRanges(ranges.parse().ok()?),
        ["link", "gone", "for", time] => Twist::LinkGone(millis(time)?),
        ["link", "down"] => Twist::LinkUp(false),
        ["link", "up"] => Twist::LinkUp(true),
        ["server", "gone", "for", time] => Twist::ServerGone(millis(time)?),
        ["server", "busy", "for", time] => Twist::ServerBusy(millis(time)?),
        ["offers", "last", time] => Twist::OffersLast(seconds(time)?),
        ["switch", "between", opens, closes] => Twist::SwitchWindow(Some(millis(opens)?..millis(closes)?)),
        ["update", "now"] => Twist::Urgent(Urgency::Now),
        ["room", "plenty"] => Twist::Room(None),
        ["room", bytes] => Twist::Room(Some(bytes.parse().ok()?)),
        ["clock", "off", time] => Twist::ClockOff(off_s(time)?),
        ["rotate", roots, "roots"] => Twist::RotateRoots(roots.parse().ok()?),
        ["tamper", "running"] => Twist::TamperRunning,
        ["tamper", "waiting"] => Twist::TamperSpare,
        ["restart"] => Twist::Restart,
        ["window", "closes"] => Twist::WindowClosed(true),
        ["window", "opens"] => Twist::WindowClosed(false),
        ["trigger"] => Twist::Trigger,
        _ => return None,
    })
}

fn shipment(version: &str, words: &[&str]) -> Option<Shipment> {
    let mut shipment = Shipment { version: version.to_owned(), seq: None, flaws: Vec::new() };
    for word in words {
        match (word.strip_prefix("seq="), *word) {
            (Some(seq), _) => shipment.seq = Some(seq.parse().ok()?),
            (_, "unsigned") => shipment.flaws.push(Flaw::Unsigned),
            (_, "false-artifact") => shipment.flaws.push(Flaw::FalseArtifact),
            (_, "false-delta") => shipment.flaws.push(Flaw::FalseDelta),
            (_, "no-delta") => shipment.flaws.push(Flaw::NoDelta),
            _ => return None,
        }
    }
    Some(shipment)
}

fn image(line: &str) -> Option<Image> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (version, program) = words.split_first()?;
    let program = match program {
        ["good"] => Program::Good,
        ["not-executable"] => Program::NotExecutable,
        ["dies-at-start"] => Program::DiesAtStart,
        ["dies-after", time] => Program::DiesAfter { ms: millis(time)? },
        ["unhealthy"] => Program::Unhealthy,
        ["unhealthy-after", time] => Program::UnhealthyAfter { ms: millis(time)? },
        ["loses-link"] => Program::LosesLink,
        ["deaf-to-server"] => Program::DeafToServer,
        _ => return None,
    };
    Some(Image::new(version, program))
}

fn expect(world: &mut World, words: &[&str]) -> Option<()> {
    let held = match words {
        ["runs", version] => world.runs().as_deref() == Some(version),
        ["rest"] => world.is_at_rest(),
        ["outcomes", expected @ ..] => world.outcomes() == expected.join(" "),
        ["moved", "at", "most", bytes] => world.server.sent_bytes <= bytes.parse().ok()?,
        ["seq", "blamed", seq] => world.blamed() == seq.parse().ok(),
        ["root", version] => world.root_version() == version.parse().ok(),
        _ => return None,
    };
    if !held {
        let (runs, outcomes, blamed) = (world.runs(), world.outcomes(), world.blamed());
        let found = format!("runs {runs:?}, outcomes [{outcomes}], blamed {blamed:?}");
        let (bytes, root) = (world.server.sent_bytes, world.root_version());
        world.violate(format!("expected {}: {found}, moved {bytes}, root {root:?}", words.join(" ")));
    }
    Some(())
}

impl World {
    /// What became of each attempt, in order, as the server knows it.
    #[must_use]
    pub fn outcomes(&self) -> String {
        let one = |attempt: &crate::server::Attempt| {
            let outcomes = attempt.outcomes.iter().map(|(kind, cause)| match cause {
                Some(cause) => cause.label(),
                None => kind.label().trim_start_matches("update."),
            });
            outcomes.collect::<Vec<_>>().join("+")
        };
        self.server.attempts.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn blamed(&self) -> Option<u64> {
        self.running.as_ref().map(|running| running.brain.record().seq_blamed)
    }

    fn root_version(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.brain.anchor().root().version)
    }
}

/// `250ms`, `3s`, `10m`, `2h`, `7d`.
fn millis(text: &str) -> Option<u64> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let (unit, ms) = units.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(ms)
}

fn seconds(text: &str) -> Option<u32> {
    u32::try_from(millis(text)? / 1000).ok()
}

/// `+12h`, `-12h`, `0s`.
fn off_s(text: &str) -> Option<i64> {
    let seconds = i64::try_from(millis(text.trim_start_matches(['+', '-']))? / 1000).ok()?;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}
