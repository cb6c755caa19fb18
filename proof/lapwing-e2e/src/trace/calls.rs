//! What each system call means for the folder.
//!
//! Touches: `log`, `processes`, `crate::{changes, tree}`; files outside the folder that were copied from.
//! Never: passes over a call that may have changed the folder in an unknown way.

mod names;

use super::TraceError;
use super::log::{Call, Entry, entry, join_lines};
use super::processes::{Flush, OpenFile, Processes, Setting, Shares, Target};
use crate::changes::{Change, NewNode, Operation, Place, Recording, Sync};
use crate::tree::{NodeId, Tree};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// All calls that are looked at, by what becomes of them.
const CALLS: &[(&str, Handler)] = &[
    ("open,openat,creat", Reader::open),
    ("close,close_range,dup,dup2,dup3,fcntl,ioctl", Reader::descriptor),
    ("clone,clone3,fork,vfork,execve,execveat", Reader::process),
    ("chdir,fchdir,umask", Reader::setting),
    ("read,readv,lseek", Reader::seek),
    ("write,writev,pwrite64,pwritev", Reader::write),
    ("truncate,ftruncate,fallocate", Reader::resize),
    ("fsync,fdatasync,sync,syncfs", Reader::sync),
    ("copy_file_range,sendfile", Reader::copy),
    ("sendto,sendmsg,sendmmsg", Reader::speak),
    ("rename,renameat,renameat2", Reader::rename),
    ("unlink,unlinkat,rmdir", Reader::remove),
    ("link,linkat,symlink,symlinkat,mkdir,mkdirat", Reader::make),
    ("bind", Reader::bind),
    ("chmod,fchmod,fchmodat,fchmodat2", Reader::chmod),
    ("mmap,openat2,splice,pwritev2,mknod,mknodat,chroot,io_uring_setup", Reader::refuse),
];

type Handler = fn(&mut Reader, &Call<'_>) -> Result<(), TraceError>;

/// Which calls strace shall log; the question mark is for those that this machine does not have.
pub(super) fn filter() -> String {
    let names: Vec<String> =
        CALLS.iter().flat_map(|(names, _)| names.split(',')).map(|name| format!("?{name}")).collect();
    format!("trace={}", names.join(","))
}

/// What held when the first process started.
pub(super) struct Start<'a> {
    pub(super) root: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) umask: u32,
}

/// Reads a whole log.
pub(super) fn read(log: &str, start: &Start<'_>, before: Tree) -> Result<Recording, TraceError> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let lines = join_lines(log)?;
    let entries = lines.iter().enumerate().map(|(ended, line)| entry(line, ended));
    let entries: Vec<Entry<'_>> = entries.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    let mut reader = Reader {
        root: text(start.root),
        next_node: before.node_count(),
        tree: before.clone(),
        operations: Vec::new(),
        processes: Processes::default(),
        parents: entries.iter().filter_map(parent).collect(),
        counts: Vec::new(),
    };
    let handlers: HashMap<&str, Handler> = CALLS
        .iter()
        .flat_map(|(names, handler)| names.split(',').map(move |name| (name, *handler)))
        .collect();
    if let Some(Entry::Call(first)) = entries.first() {
        reader.processes.start(first.process, Setting { folder: text(start.folder), umask: start.umask });
    }
    for entry in &entries {
        let call = match entry {
            Entry::Call(call) => call,
            Entry::Gone(process) => {
                reader.processes.end(*process);
                continue;
            }
        };
        reader.meet(call.process)?;
        if call.result >= 0 {
            let handler = handlers.get(call.name).ok_or_else(|| call.garbled())?;
            handler(&mut reader, call)?;
        }
        reader.counts.push((call.ended, reader.operations.len()));
    }
    Ok(Recording { before, operations: reader.operations })
}

/// The child that a call made, its parent, and what they share.
fn parent(entry: &Entry<'_>) -> Option<(u32, (u32, Shares))> {
    let Entry::Call(call) = entry else { return None };
    let makes = matches!(call.name, "clone" | "clone3" | "fork" | "vfork");
    let child = u32::try_from(call.result).ok().filter(|child| makes && *child > 0)?;
    let flag = |flag| (0..4).any(|index| call.word(index).contains(flag));
    let shares = Shares { descriptors: flag("CLONE_FILES"), setting: flag("CLONE_FS") };
    Some((child, (call.process, shares)))
}

struct Reader {
    root: String,
    tree: Tree,
    next_node: usize,
    operations: Vec<Operation>,
    processes: Processes,
    /// Children may act before the call that made them returns.
    parents: HashMap<u32, (u32, Shares)>,
    /// How many operations there were once the call that ended at this line was read.
    counts: Vec<(usize, usize)>,
}

impl Reader {
    fn meet(&mut self, process: u32) -> Result<(), TraceError> {
        if self.processes.knows(process) {
            return Ok(());
        }
        let unknown = || TraceError::Garbled(format!("process {process} comes from nowhere"));
        let (parent, shares) = self.parents.remove(&process).ok_or_else(unknown)?;
        self.meet(parent)?;
        self.processes.fork(parent, process, shares);
        Ok(())
    }

    fn process(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        if call.name.starts_with("execve") {
            self.processes.exec(call.process);
            return Ok(());
        }
        match u32::try_from(call.result) {
            Ok(child) if self.parents.contains_key(&child) => self.meet(child),
            _ => Ok(()),
        }
    }

    fn setting(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let folder = match call.name {
            "chdir" => Some(self.absolute(call, None, 0)?),
            "fchdir" => call.descriptor(0)?.1,
            _ => None,
        };
        let umask = if call.name == "umask" { Some(call.octal(0)?) } else { None };
        if let Some(setting) = self.processes.setting(call.process) {
            setting.folder = folder.unwrap_or_else(|| setting.folder.clone());
            setting.umask = umask.unwrap_or(setting.umask);
        }
        Ok(())
    }

    fn open(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let flags = match call.name {
            "openat" => 2,
            _ => 1,
        };
        let has = |flag: &str| {
            if call.name == "creat" {
                ["O_CREAT", "O_TRUNC", "O_WRONLY"].contains(&flag)
            } else {
                call.has(flags, flag)
            }
        };
        let Some(path) = call.result_path.clone().filter(|path| path.starts_with('/')) else { return Ok(()) };
        let target = match self.inside(&path) {
            None => Target::Outside(path),
            Some(_) if has("O_TMPFILE") => return Err(not_modelled(call, "a file without a name")),
            Some(below) => {
                let node = match self.tree.find(&below) {
                    Some(node) => node,
                    None if has("O_CREAT") => {
                        let mode = call.octal(if call.name == "creat" { 1 } else { flags + 1 })?;
                        let mode = mode & !self.umask(call);
                        self.create(&path, NewNode::File { mode })?
                    }
                    None => return Err(not_modelled(call, &format!("the open of an unknown file {below}"))),
                };
                if has("O_TRUNC")
                    && self.tree.content_of(node).is_some_and(|content| !content.bytes().is_empty())
                {
                    self.change(Change::Resize { file: node, size: 0 });
                }
                Target::Inside(node)
            }
        };
        let flushes = match (has("O_SYNC"), has("O_DSYNC")) {
            (true, _) => Some(Flush::All),
            (false, true) => Some(Flush::Data),
            (false, false) => None,
        };
        let writable = has("O_WRONLY") || has("O_RDWR");
        let file = OpenFile { target, offset: 0, appends: has("O_APPEND"), flushes, writable };
        let number = i32::try_from(call.result).map_err(|_| call.garbled())?;
        self.processes.open(call.process, number, file, has("O_CLOEXEC"));
        Ok(())
    }

    fn descriptor(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let process = call.process;
        let number = call.descriptor(0)?.0;
        let result = i32::try_from(call.result).unwrap_or(-1);
        match (call.name, call.word(1)) {
            ("close", _) => self.processes.close(process, number..=number),
            ("close_range", _) => {
                let last = i32::try_from(call.number(1)?).unwrap_or(i32::MAX);
                match call.word(2) {
                    "0" => self.processes.close(process, number..=last),
                    "CLOSE_RANGE_CLOEXEC" => self.processes.close_on_exec(process, number..=last, true),
                    _ => return Err(not_modelled(call, "a table of descriptors that is unshared")),
                }
            }
            ("dup" | "dup2", _) | ("fcntl", "F_DUPFD") => self.processes.copy(process, number, result, false),
            ("dup3", _) => self.processes.copy(process, number, result, call.has(2, "O_CLOEXEC")),
            ("fcntl", "F_DUPFD_CLOEXEC") => self.processes.copy(process, number, result, true),
            ("fcntl", "F_SETFD") => {
                self.processes.close_on_exec(process, number..=number, call.has(2, "FD_CLOEXEC"));
            }
            ("fcntl", "F_SETFL") => {
                if let Some(file) = self.processes.file(process, number) {
                    file.appends = call.has(2, "O_APPEND");
                }
            }
            ("ioctl", "FIOCLEX") => self.processes.close_on_exec(process, number..=number, true),
            ("ioctl", "FIONCLEX") => self.processes.close_on_exec(process, number..=number, false),
            ("ioctl", request) if request.contains("CLONE") && self.node(call, 0)?.is_some() => {
                return Err(not_modelled(call, "a file that shares its blocks with another"));
            }
            _ => {}
        }
        Ok(())
    }

    fn seek(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let result = usize::try_from(call.result).map_err(|_| call.garbled())?;
        if let Some(file) = self.processes.file(call.process, call.descriptor(0)?.0) {
            file.offset = if call.name == "lseek" { result } else { file.offset + result };
        }
        Ok(())
    }

    fn write(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let (number, path) = call.descriptor(0)?;
        if path.is_some_and(|path| path.starts_with("socket:")) {
            return self.speak(call);
        }
        let Some(node) = self.node(call, 0)? else { return self.seek_unless_placed(call) };
        let place = if call.name.starts_with('p') { Some(call.size(3)?) } else { None };
        self.write_bytes(call, (number, node), call.bytes(1)?, place);
        Ok(())
    }

    fn seek_unless_placed(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        if call.name.starts_with('p') { Ok(()) } else { self.seek(call) }
    }

    /// Bytes go where the descriptor stands, unless it appends or a place is given.
    fn write_bytes(
        &mut self,
        call: &Call<'_>,
        (number, node): (i32, NodeId),
        bytes: Vec<u8>,
        place: Option<usize>,
    ) {
        let size = self.tree.content_of(node).map_or(0, |content| content.bytes().len());
        let Some(file) = self.processes.file(call.process, number) else { return };
        let offset = if file.appends { size } else { place.unwrap_or(file.offset) };
        let end = offset + bytes.len();
        if place.is_none() {
            file.offset = end;
        }
        let flushes = file.flushes;
        if bytes.is_empty() {
            return;
        }
        self.change(Change::Write { file: node, offset, bytes, grows: end > size });
        let covers = self.operations.len();
        match flushes {
            Some(Flush::Data) => self.operations.push(Operation::Sync { what: Sync::Data(node), covers }),
            Some(Flush::All) => self.operations.push(Operation::Sync { what: Sync::Node(node), covers }),
            None => {}
        }
    }

    fn resize(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let node = match call.name {
            "truncate" => self.locate(call, None, 0, Last::Followed)?.and_then(|(_, node)| node),
            _ => self.node(call, 0)?,
        };
        let Some(file) = node else { return Ok(()) };
        let now = self.tree.content_of(file).map_or(0, |content| content.bytes().len());
        let size = match (call.name, call.word(1)) {
            ("fallocate", "0") => now.max(call.size(2)? + call.size(3)?),
            ("fallocate", "FALLOC_FL_KEEP_SIZE") => now,
            ("fallocate", _) => return Err(not_modelled(call, "a hole in a file")),
            _ => call.size(1)?,
        };
        if size != now {
            self.change(Change::Resize { file, size });
        }
        Ok(())
    }

    fn sync(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let what = match call.name {
            "sync" => Some(Sync::All),
            "syncfs" => self.node(call, 0)?.map(|_| Sync::All),
            "fdatasync" => self.node(call, 0)?.map(Sync::Data),
            _ => self.node(call, 0)?.map(Sync::Node),
        };
        // What others wrote after the call began may not be part of it.
        let begun = self.counts.partition_point(|(ended, _)| *ended < call.began);
        let covers =
            begun.checked_sub(1).and_then(|last| self.counts.get(last)).map_or(0, |(_, count)| *count);
        self.operations.extend(what.map(|what| Operation::Sync { what, covers }));
        Ok(())
    }

    fn copy(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let [source, from, target, to] = match call.name {
            "sendfile" => [1, 2, 0, usize::MAX],
            _ => [0, 1, 2, 3],
        };
        let count = usize::try_from(call.result).map_err(|_| call.garbled())?;
        let placed = |index: usize| match call.word(index) {
            "" | "NULL" => Ok(None),
            _ => call.pointed_number(index).map(Some),
        };
        let (from, to) = (placed(from)?, placed(to)?);
        let node = self.node(call, target)?;
        let (number, path) = call.descriptor(source)?;
        let Some(file) = self.processes.file(call.process, number) else {
            return if node.is_some() { Err(not_modelled(call, "a copy from no file")) } else { Ok(()) };
        };
        let start = from.unwrap_or(file.offset);
        file.offset = if from.is_none() { start + count } else { file.offset };
        let Some(node) = node else {
            return if path.is_some_and(|path| path.starts_with("socket:")) {
                self.speak(call)
            } else {
                Ok(())
            };
        };
        let whole = match file.target.clone() {
            Target::Inside(source) => {
                self.tree.content_of(source).map(|content| content.bytes().to_vec()).unwrap_or_default()
            }
            Target::Outside(path) => {
                fs::read(path).map_err(|source| TraceError::Io { what: "a copy of a file", source })?
            }
        };
        let changed = || not_modelled(call, "a copy of a file that has changed since");
        let bytes = whole.get(start..start + count).ok_or_else(changed)?.to_vec();
        self.write_bytes(call, (call.descriptor(target)?.0, node), bytes, to);
        Ok(())
    }

    fn speak(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let at_home =
            (0..6).any(|index| ["AF_NETLINK", "AF_UNIX"].iter().any(|kind| call.word(index).contains(kind)));
        if !at_home && self.operations.last() != Some(&Operation::Spoke) {
            self.operations.push(Operation::Spoke);
        }
        Ok(())
    }

    fn refuse(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let touches = match call.name {
            "mmap" => {
                let shared = call.has(3, "MAP_SHARED") || call.has(3, "MAP_SHARED_VALIDATE");
                let number = call.descriptor(4)?.0;
                let writable = self.processes.file(call.process, number).is_some_and(|file| file.writable);
                shared && writable && self.node(call, 4)?.is_some()
            }
            "splice" => self.node(call, 2)?.is_some(),
            "pwritev2" => self.node(call, 0)?.is_some(),
            "openat2" => call.result_path.as_deref().is_some_and(|path| self.inside(path).is_some()),
            "mknod" => self.locate(call, None, 0, Last::Itself)?.is_some(),
            "mknodat" => self.locate(call, Some(0), 1, Last::Itself)?.is_some(),
            _ => true,
        };
        if touches { Err(not_modelled(call, "a call that changes files unseen")) } else { Ok(()) }
    }

    /// The traced node behind a descriptor. One of ours that we lost track of is an error.
    fn node(&mut self, call: &Call<'_>, index: usize) -> Result<Option<NodeId>, TraceError> {
        let (number, path) = call.descriptor(index)?;
        let inside = path.is_some_and(|path| self.inside(&path).is_some());
        match self.processes.file(call.process, number).map(|file| &file.target) {
            Some(Target::Inside(node)) => Ok(Some(*node)),
            _ if inside => Err(not_modelled(call, "a descriptor from elsewhere")),
            _ => Ok(None),
        }
    }

    fn change(&mut self, change: Change) {
        self.tree.apply(&change);
        self.operations.push(Operation::Change(change));
    }

    fn umask(&mut self, call: &Call<'_>) -> u32 {
        self.processes.setting(call.process).map_or(0, |setting| setting.umask)
    }
}

/// What becomes of a link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Itself,
    Followed,
}

/// A name in the traced folder, and what it stands for now.
type Located = (Place, Option<NodeId>);

fn not_modelled(call: &Call<'_>, what: &str) -> TraceError {
    TraceError::NotModelled(format!("{what} ({})", call.name))
}

#[cfg(test)]
mod tests;
