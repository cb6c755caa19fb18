//! The log of strace as a list of finished system calls.
//!
//! Touches: text alone; strings and paths in it are hexadecimal (`-xx`), descriptors carry paths (`-y`).
//! Never: knows what a call means.

use super::TraceError;
use std::collections::HashMap;

/// One call that returned, with the lines of the log at which it began and ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call<'l> {
    pub(super) process: u32,
    pub(super) name: &'l str,
    arguments: Vec<&'l str>,
    /// What it returned; negative if it failed.
    pub(super) result: i64,
    /// The path of the descriptor that it returned.
    pub(super) result_path: Option<String>,
    pub(super) began: usize,
    pub(super) ended: usize,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'l> {
    Call(Call<'l>),
    /// The process is no more.
    Gone(u32),
}

/// Glues the halves of calls that were interrupted by others in the log.
pub(super) fn join_lines(log: &str) -> Result<Vec<(usize, u32, String)>, TraceError> {
    let mut open: HashMap<u32, (usize, &str)> = HashMap::new();
    let mut whole = Vec::new();
    for (number, line) in log.lines().enumerate() {
        let garbled = || TraceError::Garbled(line.chars().take(200).collect());
        let (process, words) = line.split_once(' ').ok_or_else(garbled)?;
        let process: u32 = process.parse().map_err(|_| garbled())?;
        let words = words.trim_start();
        if let Some(begin) = words.strip_suffix("<unfinished ...>") {
            open.insert(process, (number, begin));
        } else if let Some((begin, heir)) = changes_process(words) {
            // A thread that calls execve goes on under the number of its process.
            open.insert(heir.ok_or_else(garbled)?, (number, begin));
        } else if let Some(end) = resumed(words) {
            let (began, begin) = open.remove(&process).ok_or_else(garbled)?;
            whole.push((began, process, format!("{begin}{end}")));
        } else if !words.starts_with("---") {
            whole.push((number, process, words.to_owned()));
        }
    }
    Ok(whole)
}

/// Reads a joined line; `None` for one that is of no interest.
pub(super) fn entry(
    (began, process, words): &(usize, u32, String),
    ended: usize,
) -> Result<Option<Entry<'_>>, TraceError> {
    if let Some(fate) = words.strip_prefix("+++ ") {
        // The heir of a superseded process has its number.
        return Ok((!fate.starts_with("superseded")).then_some(Entry::Gone(*process)));
    }
    let garbled = || TraceError::Garbled(words.chars().take(200).collect());
    let (name, rest) = words.split_once('(').ok_or_else(garbled)?;
    // Strings are hexadecimal, so the first `) =` is the one before the result.
    let (arguments, result) = split_result(rest).ok_or_else(garbled)?;
    let result_word = result.split([' ', '<']).next().unwrap_or("");
    if result_word == "?" {
        return Ok(None);
    }
    let (began, process) = (*began, *process);
    let result_path = descriptor(result).and_then(|(_, path)| path);
    let result = number(result_word).ok_or_else(garbled)?;
    let arguments = split_arguments(arguments);
    Ok(Some(Entry::Call(Call { process, name, arguments, result, result_path, began, ended })))
}

impl<'l> Call<'l> {
    /// The argument at `index` as it stands in the log.
    pub(super) fn word(&self, index: usize) -> &'l str {
        self.arguments.get(index).copied().unwrap_or("")
    }

    pub(super) fn has(&self, index: usize, flag: &str) -> bool {
        self.word(index).split('|').any(|word| word == flag)
    }

    pub(super) fn number(&self, index: usize) -> Result<i64, TraceError> {
        number(self.word(index)).ok_or_else(|| self.garbled())
    }

    pub(super) fn size(&self, index: usize) -> Result<usize, TraceError> {
        usize::try_from(self.number(index)?).map_err(|_| self.garbled())
    }

    /// A number that the kernel was given by address, as in `[5]` or `[5] => [9]`.
    pub(super) fn pointed_number(&self, index: usize) -> Result<usize, TraceError> {
        let word = self.word(index).trim_start_matches('[');
        let digits = word.split([']', ' ']).next().unwrap_or("");
        digits.parse().map_err(|_| self.garbled())
    }

    pub(super) fn octal(&self, index: usize) -> Result<u32, TraceError> {
        u32::from_str_radix(self.word(index), 8).map_err(|_| self.garbled())
    }

    /// The descriptor at `index` and the path that it stands for.
    pub(super) fn descriptor(&self, index: usize) -> Result<(i32, Option<String>), TraceError> {
        descriptor(self.word(index)).ok_or_else(|| self.garbled())
    }

    pub(super) fn text(&self, index: usize) -> Result<String, TraceError> {
        let mut bytes = Vec::new();
        quoted(self.word(index), &mut bytes).ok_or_else(|| self.garbled())?;
        String::from_utf8(bytes).map_err(|_| self.garbled())
    }

    /// The path in the address of a socket, if it has one.
    pub(super) fn socket_path(&self, index: usize) -> Result<Option<String>, TraceError> {
        let Some((_, rest)) = self.word(index).split_once("sun_path=\"") else { return Ok(None) };
        let mut bytes = Vec::new();
        let (path, _) = rest.split_once('"').ok_or_else(|| self.garbled())?;
        unescape(path, &mut bytes).ok_or_else(|| self.garbled())?;
        String::from_utf8(bytes).map(Some).map_err(|_| self.garbled())
    }

    /// The bytes that were handed over, in one piece or several, as far as the call took them.
    pub(super) fn bytes(&self, index: usize) -> Result<Vec<u8>, TraceError> {
        let mut bytes = Vec::new();
        let mut rest = self.word(index);
        if rest.starts_with('"') {
            quoted(rest, &mut bytes).ok_or_else(|| self.garbled())?;
        } else {
            while let Some((_, piece)) = rest.split_once("iov_base=") {
                rest = quoted(piece, &mut bytes).ok_or_else(|| self.garbled())?;
            }
        }
        let taken = usize::try_from(self.result).map_err(|_| self.garbled())?;
        if bytes.len() < taken {
            return Err(self.garbled());
        }
        bytes.truncate(taken);
        Ok(bytes)
    }

    pub(super) fn garbled(&self) -> TraceError {
        let arguments = self.arguments.join(", ");
        TraceError::Garbled(format!("{}({})", self.name, arguments.chars().take(200).collect::<String>()))
    }
}

fn resumed(words: &str) -> Option<&str> {
    let rest = words.strip_prefix("<... ")?;
    rest.split_once(" resumed>").map(|(_, end)| end)
}

/// `execve(... <pid changed to 7 ...>`: the call without its end, and who ends it.
fn changes_process(words: &str) -> Option<(&str, Option<u32>)> {
    let (begin, rest) = words.strip_suffix(" ...>")?.split_once("<pid changed to ")?;
    Some((begin, rest.parse().ok()))
}

fn split_result(rest: &str) -> Option<(&str, &str)> {
    rest.match_indices(')').find_map(|(at, _)| {
        let (arguments, result) = (rest.get(..at)?, rest.get(at + 1..)?);
        let result = result.trim_start().strip_prefix("= ")?;
        Some((arguments, result))
    })
}

/// Splits at the commas that are in no bracket. Neither strings nor paths hold any.
fn split_arguments(arguments: &str) -> Vec<&str> {
    let (mut words, mut depth, mut start) = (Vec::new(), 0_usize, 0_usize);
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            b'[' | b'{' | b'(' => depth = depth.saturating_add(1),
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                words.push(arguments.get(start..at).unwrap_or("").trim());
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    words.push(arguments.get(start..).unwrap_or("").trim());
    words
}

fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(u64::cast_signed),
        None => word.parse().ok(),
    }
}

/// `3<path>`, `3`, or `AT_FDCWD<path>`, which counts as -100.
fn descriptor(word: &str) -> Option<(i32, Option<String>)> {
    let (digits, rest) = word.split_once('<').map_or((word, None), |(digits, rest)| (digits, Some(rest)));
    let digits = digits.split(' ').next().unwrap_or("");
    let descriptor = if digits == "AT_FDCWD" { -100 } else { digits.parse().ok()? };
    let Some(rest) = rest else { return Some((descriptor, None)) };
    let (path, _) = rest.split_once('>')?;
    let mut bytes = Vec::new();
    unescape(path, &mut bytes)?;
    Some((descriptor, Some(String::from_utf8(bytes).ok()?)))
}

/// Appends what is between the quotes and gives what follows. A string that was cut short gives nothing.
fn quoted<'l>(word: &'l str, bytes: &mut Vec<u8>) -> Option<&'l str> {
    let (inside, rest) = word.strip_prefix('"')?.split_once('"')?;
    unescape(inside, bytes)?;
    (!rest.starts_with("...")).then_some(rest)
}

fn unescape(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut pieces = text.as_bytes().chunks_exact(4);
    for piece in &mut pieces {
        let [b'\\', b'x', high, low] = piece else { return None };
        bytes.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
    }
    pieces.remainder().is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> Vec<(u32, String, i64, usize)> {
        let lines = join_lines(log).unwrap();
        let entries = lines.iter().enumerate().filter_map(|(ended, line)| entry(line, ended).unwrap());
        entries
            .map(|entry| match entry {
                Entry::Call(call) => (call.process, call.name.to_owned(), call.result, call.began),
                Entry::Gone(process) => (process, "gone".into(), 0, 0),
            })
            .collect()
    }

    #[test]
    fn halves_are_joined_under_the_number_that_goes_on() {
        let log = "7  vfork( <unfinished ...>\n\
            8  execve(\"\\x2f\", [], 0x1 /* 3 vars */ <unfinished ...>\n\
            7  <... vfork resumed>)              = 8\n\
            9  execve(\"\\x2f\", [], 0x1 <pid changed to 7 ...>\n\
            7  +++ superseded by execve in pid 9 +++\n\
            7  <... execve resumed>)             = 0\n\
            7  --- SIGCHLD {si_signo=SIGCHLD} ---\n\
            8  +++ killed by SIGKILL +++\n";
        let expected = [(7, "vfork", 8, 0), (7, "execve", 0, 3), (8, "gone", 0, 0)];
        assert_eq!(
            read(log),
            expected.map(|(process, name, result, began)| (process, name.into(), result, began))
        );
    }

    fn one(line: &str, check: impl FnOnce(Call<'_>)) {
        let lines = join_lines(line).unwrap();
        match entry(&lines[0], 0).unwrap() {
            Some(Entry::Call(call)) => check(call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_are_told_apart() {
        one(
            "1  pwritev(3<\\x2f\\x61>, [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\", iov_len=1}], 2, 4) = 2",
            |call| {
                assert_eq!(call.descriptor(0).unwrap(), (3, Some("/a".into())));
                assert_eq!(call.bytes(1).unwrap(), b"ab");
                assert_eq!(call.size(3).unwrap(), 4);
            },
        );
        one("1  write(3<\\x2f\\x61>(deleted), \"\\x61\\x62\\x63\", 3) = 2", |call| {
            assert_eq!(call.descriptor(0).unwrap(), (3, Some("/a".into())));
            assert_eq!(call.bytes(1).unwrap(), b"ab");
        });
        one("1  openat(AT_FDCWD<\\x2f>, \"\\x61\", O_RDWR|O_CREAT, 0600) = 3<\\x2f\\x61>", |call| {
            assert!(call.has(2, "O_CREAT") && !call.has(2, "O_RDONLY"));
            assert_eq!((call.octal(3).unwrap(), call.text(1).unwrap()), (0o600, "a".into()));
            assert_eq!(call.result_path.as_deref(), Some("/a"));
        });
        one("1  fcntl(3<\\x2f>, F_GETFL) = 0x8800 (flags O_RDONLY|O_NONBLOCK|O_LARGEFILE)", |call| {
            assert_eq!(call.result, 0x8800);
        });
        one("1  open(\"\\x61\", O_RDONLY) = -1 ENOENT (No such file or directory)", |call| {
            assert_eq!(call.result, -1);
        });
    }

    #[test]
    fn bytes_that_the_log_lacks_are_an_error() {
        one("1  write(3, \"\\x61\"..., 3) = 3", |call| assert!(call.bytes(1).is_err()));
        one("1  write(3, 0x7f00, 3) = 3", |call| assert!(call.bytes(1).is_err()));
        assert!(join_lines("1  <... write resumed>) = 3").is_err());
    }
}
