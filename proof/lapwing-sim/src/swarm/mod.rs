//! A swarm: many devices with the real brain, over real sockets, in one process.
//!
//! Touches: a directory that `lapwing device provision` made, the device plane of one server, the clock.
//! `template` is what the devices have in common, `member` one of them, `crew` the threads that serve
//! them, `fate` what an image does to a device. Never: writes a file; their storage is memory.

mod count;
mod crew;
mod fate;
mod library;
mod member;
mod template;

use crew::Crew;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use template::Template;

/// Devices in one swarm, at most.
const MEMBERS_MAX: u32 = 100_000;

pub(crate) const HELP: &str = "\
Many devices over real sockets:

  lapwing-sim --swarm N --like DIR [--like DIR]... [--server URL] [--pace P] [--seconds S]

  N devices like those that `lapwing device provision --out DIR` made, in turn, called swarm-00000 and so
  on. Their claim token must be good for all: `lapwing device token make --count N`, then
  `lapwing device provision --claim-token`. Nothing in DIR changes.
  --server URL   ask this server instead of the one in DIR
  --pace P       their clocks run P times as fast as ours, 1 to 3600 [default: 10]
  --seconds S    end after so long [default: when it is interrupted]

  An image may say what it does to devices, anywhere in its first 4 KiB:
    lapwing-swarm: unhealthy=50 dies=20 silent=10
  Of a thousand devices 50 find it unhealthy, on 20 it does not start, and 10 are never heard of again.
";

struct Options {
    members: u32,
    like: Vec<PathBuf>,
    server: Option<String>,
    pace: u32,
    longest: Option<Duration>,
}

/// Runs a swarm until it is interrupted or its time is over.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = options(words)?;
    let server = options.server.as_deref();
    let read = |folder: &PathBuf| Template::read(folder, server).map(Arc::new);
    let templates: Result<Vec<_>, _> = options.like.iter().map(read).collect();
    Crew::new(&templates?, options.members, options.pace)?.work(options.longest)
}

fn options(words: &[&str]) -> Result<Options, String> {
    let mut options = Options { members: 0, like: Vec::new(), server: None, pace: 10, longest: None };
    let mut words = words.iter();
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"))?;
        match *flag {
            "--swarm" => options.members = number(flag, value, 1..=MEMBERS_MAX)?,
            "--like" => options.like.push(value.into()),
            "--server" => options.server = Some((*value).to_owned()),
            "--pace" => options.pace = number(flag, value, 1..=3_600)?,
            "--seconds" => {
                let seconds = number(flag, value, 1..=1_000_000)?;
                options.longest = Some(Duration::from_secs(seconds.into()));
            }
            _ => return Err(format!("{flag} is not known here\n\n{HELP}")),
        }
    }
    if options.like.is_empty() {
        return Err(format!("say with --like what the devices are like\n\n{HELP}"));
    }
    Ok(options)
}

fn number(flag: &str, text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("{flag} takes a number from {} to {}", range.start(), range.end()))
}
