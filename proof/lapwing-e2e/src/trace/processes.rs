//! Which descriptor of which process stands for what, over fork, thread, dup and execve.
//!
//! Touches: `crate::tree` ids. Entered from: `calls`.
//! Never: looks at the machine; it learns from the log alone.

use crate::tree::NodeId;
use std::collections::{BTreeMap, HashMap};

/// What a descriptor stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A file or folder that is traced.
    Inside(NodeId),
    /// A file elsewhere: what is copied from it is read again afterwards.
    Outside(String),
}

/// An open file, shared by all descriptors that were made of one `open`.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) target: Target,
    pub(super) offset: usize,
    pub(super) appends: bool,
    /// Every write is flushed before it returns: the file's bytes alone, or all of it.
    pub(super) flushes: Option<Flush>,
    pub(super) writable: bool,
}

/// How far `O_DSYNC` and `O_SYNC` go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flush {
    Data,
    All,
}

#[derive(Debug, Clone, Copy)]
struct Descriptor {
    file: usize,
    closes_on_exec: bool,
}

type Table = BTreeMap<i32, Descriptor>;

/// What `chdir` and `umask` change.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) folder: String,
    pub(super) umask: u32,
}

#[derive(Debug, Clone, Copy)]
struct Process {
    table: usize,
    setting: usize,
}

/// All processes of a trace.
#[derive(Debug, Default)]
pub(super) struct Processes {
    files: Vec<OpenFile>,
    tables: Vec<Table>,
    settings: Vec<Setting>,
    known: HashMap<u32, Process>,
}

/// What a new process shares with its parent instead of getting a copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub(super) descriptors: bool,
    pub(super) setting: bool,
}

impl Processes {
    pub(super) fn start(&mut self, process: u32, setting: Setting) {
        self.tables.push(Table::new());
        self.settings.push(setting);
        let (table, setting) = (self.tables.len() - 1, self.settings.len() - 1);
        self.known.insert(process, Process { table, setting });
    }

    pub(super) fn knows(&self, process: u32) -> bool {
        self.known.contains_key(&process)
    }

    pub(super) fn fork(&mut self, parent: u32, child: u32, shares: Shares) {
        let Some(mut process) = self.known.get(&parent).copied() else { return };
        if !shares.descriptors {
            self.tables.push(self.tables[process.table].clone());
            process.table = self.tables.len() - 1;
        }
        if !shares.setting {
            self.settings.push(self.settings[process.setting].clone());
            process.setting = self.settings.len() - 1;
        }
        self.known.insert(child, process);
    }

    /// A new program: the table is its own from now on, without what closes by itself.
    pub(super) fn exec(&mut self, process: u32) {
        if let Some(process) = self.known.get_mut(&process) {
            let mut own = self.tables[process.table].clone();
            own.retain(|_, descriptor| !descriptor.closes_on_exec);
            self.tables.push(own);
            process.table = self.tables.len() - 1;
        }
    }

    pub(super) fn end(&mut self, process: u32) {
        self.known.remove(&process);
    }

    pub(super) fn setting(&mut self, process: u32) -> Option<&mut Setting> {
        let process = self.known.get(&process)?;
        self.settings.get_mut(process.setting)
    }

    pub(super) fn open(&mut self, process: u32, number: i32, file: OpenFile, closes_on_exec: bool) {
        self.files.push(file);
        let file = self.files.len() - 1;
        if let Some(table) = self.table(process) {
            table.insert(number, Descriptor { file, closes_on_exec });
        }
    }

    pub(super) fn close(&mut self, process: u32, numbers: std::ops::RangeInclusive<i32>) {
        if let Some(table) = self.table(process) {
            table.retain(|number, _| !numbers.contains(number));
        }
    }

    /// `to` now stands for what `from` does, and for nothing of ours if that is not ours.
    pub(super) fn copy(&mut self, process: u32, from: i32, to: i32, closes_on_exec: bool) {
        if let Some(table) = self.table(process)
            && from != to
        {
            match table.get(&from).copied() {
                Some(descriptor) => table.insert(to, Descriptor { closes_on_exec, ..descriptor }),
                None => table.remove(&to),
            };
        }
    }

    pub(super) fn close_on_exec(
        &mut self,
        process: u32,
        numbers: std::ops::RangeInclusive<i32>,
        closes: bool,
    ) {
        if let Some(table) = self.table(process) {
            for (_, descriptor) in table.range_mut(numbers) {
                descriptor.closes_on_exec = closes;
            }
        }
    }

    pub(super) fn file(&mut self, process: u32, number: i32) -> Option<&mut OpenFile> {
        let file = self.table(process)?.get(&number)?.file;
        self.files.get_mut(file)
    }

    fn table(&mut self, process: u32) -> Option<&mut Table> {
        let process = self.known.get(&process)?;
        self.tables.get_mut(process.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes() -> Processes {
        let mut processes = Processes::default();
        processes.start(1, Setting { folder: "/".into(), umask: 0o022 });
        let target = Target::Inside(NodeId(1));
        let file = OpenFile { target, offset: 0, appends: false, flushes: None, writable: true };
        processes.open(1, 3, file, true);
        processes
    }

    #[test]
    fn a_fork_copies_the_table_and_shares_the_offset() {
        let mut processes = processes();
        processes.fork(1, 2, Shares { descriptors: false, setting: false });
        processes.file(1, 3).unwrap().offset = 7;
        assert_eq!(processes.file(2, 3).unwrap().offset, 7);
        processes.close(2, 3..=3);
        assert!(processes.file(2, 3).is_none() && processes.file(1, 3).is_some());
        processes.setting(2).unwrap().umask = 0;
        assert_eq!(processes.setting(1).unwrap().umask, 0o022);
    }

    #[test]
    fn a_thread_shares_the_table_until_somebody_calls_execve() {
        let mut processes = processes();
        processes.fork(1, 2, Shares { descriptors: true, setting: true });
        processes.copy(2, 3, 9, false);
        assert!(processes.file(1, 9).is_some());
        processes.exec(1);
        assert!(processes.file(1, 3).is_none() && processes.file(1, 9).is_some());
        processes.copy(1, 5, 9, false);
        assert!(processes.file(1, 9).is_none() && processes.file(2, 9).is_some());
    }
}
