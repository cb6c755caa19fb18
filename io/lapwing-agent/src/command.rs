//! A command of the host, with a time limit: its exit code and its first output.
//!
//! Touches: processes. The command runs in a process group of its own, which is killed when time is up.
//! Never: goes through a shell.

use crate::config::CommandLine;
use crate::limits::COMMAND_OUTPUT_BYTES_MAX;
use crate::os::{self, Group, Signal};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    /// The beginning of its standard output.
    pub(crate) output: String,
}

/// Runs the command to its end, or to the end of its time.
pub(crate) fn run(line: &CommandLine) -> io::Result<Outcome> {
    let (program, arguments) = line.words.split_first().ok_or(ErrorKind::InvalidInput)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let ended = wait(&mut child, Duration::from_millis(line.timeout_ms));
    if !matches!(ended, Ok(Some(_))) {
        os::signal(child.id(), Group::Whole, Signal::Kill);
        child.wait()?;
    }
    let succeeded = ended?.ok_or(ErrorKind::TimedOut)?;
    let mut output = vec![0; COMMAND_OUTPUT_BYTES_MAX];
    let length = match child.stdout.take() {
        // Only what is there already: whoever the command left behind may hold the pipe open.
        Some(mut stdout) if os::wait_readable(&[stdout.as_fd()], Some(Duration::ZERO)) => {
            stdout.read(&mut output)?
        }
        _ => 0,
    };
    output.truncate(length);
    Ok(Outcome { succeeded, output: String::from_utf8_lossy(&output).into_owned() })
}

/// Whether the child ended well, if it ended in time.
pub(crate) fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<bool>> {
    const STEP: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + timeout;
    let end = os::process_end(child.id()).ok();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        match &end {
            Some(end) => os::wait_readable(&[end.as_fd()], Some(left)),
            // A kernel without descriptors for processes has to be asked again and again.
            None => os::wait_readable(&[], Some(left.min(STEP))),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(script: &str, timeout_ms: u64) -> io::Result<Outcome> {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        run(&CommandLine { words, timeout_ms })
    }

    #[test]
    fn a_command_tells_by_its_exit_code_and_its_first_output() {
        let outcome = ran("echo link=up; exit 0", 10_000).unwrap();
        assert_eq!(outcome, Outcome { succeeded: true, output: "link=up\n".to_owned() });
        assert!(!ran("exit 3", 10_000).unwrap().succeeded);
        assert!(!ran("kill -9 $$", 10_000).unwrap().succeeded);
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
        let outcome = ran("sleep 600 & sleep 600", 50);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn whoever_a_command_leaves_behind_keeps_nobody_waiting() {
        // The one left behind holds the pipe open and says nothing.
        let outcome = ran("sleep 5 & echo started", 10_000).unwrap();
        assert_eq!(outcome.output, "started\n");
    }

    #[test]
    fn a_command_that_is_not_there_is_an_error() {
        let line = CommandLine { words: vec!["/no/such/command".to_owned()], timeout_ms: 1_000 };
        assert_eq!(run(&line).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
