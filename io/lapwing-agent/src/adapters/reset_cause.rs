//! Why the machine started, where Linux tells.
//!
//! Touches: `/sys/class/watchdog`. Entered from: `run`, with what the last run left behind.
//! Never: guesses; a power cut looks like a kernel that stopped, so neither has a name.
//! Source: the kernel's watchdog-api and sysfs-class-watchdog.

use super::running_mark::{Before, End, Machine};
use crate::limits::WATCHDOGS_MAX;
use lapwing_device::ResetCause;
use std::fs;
use std::path::Path;

/// The supply fell too low.
const POWER_UNDER: u32 = 0x10;
/// The watchdog was not fed.
const CARD_RESET: u32 = 0x20;

/// Why the machine was started since the last run, if it was.
pub(crate) fn since(before: Before) -> ResetCause {
    told_by(Path::new("/sys/class/watchdog"), before)
}

fn told_by(watchdogs: &Path, before: Before) -> ResetCause {
    // The status is that of the whole boot, and counts for its first run alone.
    if before.machine == Machine::SameBoot {
        return ResetCause::Unknown;
    }
    let entries = fs::read_dir(watchdogs).into_iter().flatten().take(WATCHDOGS_MAX).flatten();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.path().join("bootstatus")).ok());
    let status = texts.filter_map(|text| text.trim().parse::<u32>().ok()).fold(0, |all, one| all | one);
    match before.end {
        _ if status & POWER_UNDER != 0 => ResetCause::PowerOn,
        _ if status & CARD_RESET != 0 => ResetCause::Watchdog,
        End::Intended => ResetCause::Software,
        End::CutOff => ResetCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn check(statuses: &[&str], machine: Machine, end: End, expected: ResetCause) {
        let dir = TempDir::new().unwrap();
        for (number, status) in statuses.iter().enumerate() {
            let watchdog = dir.path().join(format!("watchdog{number}"));
            fs::create_dir(&watchdog).unwrap();
            fs::write(watchdog.join("bootstatus"), status).unwrap();
        }
        assert_eq!(
            told_by(dir.path(), Before { machine, end }),
            expected,
            "{statuses:?} {machine:?} {end:?}"
        );
    }

    #[test]
    fn a_watchdog_and_an_orderly_end_are_told_and_a_power_cut_is_not_guessed() {
        check(&["0\n", "32\n"], Machine::LaterBoot, End::CutOff, ResetCause::Watchdog);
        check(&["48\n"], Machine::LaterBoot, End::CutOff, ResetCause::PowerOn);
        check(&["0\n"], Machine::LaterBoot, End::Intended, ResetCause::Software);
        check(&[], Machine::LaterBoot, End::Intended, ResetCause::Software);
        check(&["0\n"], Machine::LaterBoot, End::CutOff, ResetCause::Unknown);
        check(&["nonsense"], Machine::LaterBoot, End::CutOff, ResetCause::Unknown);
    }

    #[test]
    fn a_program_that_starts_again_in_the_same_boot_does_not_meet_the_watchdog_twice() {
        check(&["32\n"], Machine::SameBoot, End::CutOff, ResetCause::Unknown);
        check(&["32\n"], Machine::SameBoot, End::Intended, ResetCause::Unknown);
    }

    #[test]
    fn a_machine_without_watchdogs_tells_nothing() {
        let before = Before { machine: Machine::LaterBoot, end: End::CutOff };
        assert_eq!(told_by(Path::new("/no/such/folder"), before), ResetCause::Unknown);
    }
}
