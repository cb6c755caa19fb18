//! Which operations have certainly survived by the time of a cut.
//!
//! Touches: `crate::changes`. Entered from: `crash_states`.
//! Never: lets a call promise more than the file system's own code does.

use crate::changes::{Change, Operation, Sync};
use std::fmt;

/// Which favours the file system does beyond what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// ext4 as mounted by default, without its rescue of files that replace others: names change in
    /// order, and a flush commits them up to the last one of the flushed node, or all if the node had
    /// grown. Bytes lag behind names.
    Ordered,
    /// What POSIX promises: a name is durable once its folder was flushed, and whatever was not
    /// flushed survives or not, each change by itself, bytes up to any point.
    Posix,
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ordered => "ordered",
            Self::Posix => "posix",
        })
    }
}

/// Of each operation so far: whether it is durable.
#[derive(Debug)]
pub(super) struct Durability {
    model: Model,
    certain: Vec<bool>,
    /// A move between two folders of which one was flushed since.
    half: Vec<bool>,
}

impl Durability {
    pub(super) fn new(model: Model) -> Self {
        Self { model, certain: Vec::new(), half: Vec::new() }
    }

    /// Takes in the last of these operations; those before it were taken in already.
    pub(super) fn take(&mut self, operations: &[Operation]) {
        self.certain.push(false);
        self.half.push(false);
        let Some(Operation::Sync { what, covers }) = operations.last() else { return };
        let covered = operations.get(..*covers).unwrap_or_default();
        match (what, self.model) {
            (Sync::All, _) => self.mark(covered, |_| true),
            (what, Model::Ordered) => self.flush_ordered(covered, *what),
            (what, Model::Posix) => self.flush_posix(covered, *what),
        }
    }

    pub(super) fn is_certain(&self, index: usize) -> bool {
        self.certain.get(index).copied().unwrap_or(false)
    }

    fn mark(&mut self, covered: &[Operation], is_durable: impl Fn(&Change) -> bool) {
        for (operation, certain) in covered.iter().zip(&mut self.certain) {
            if let Operation::Change(change) = operation {
                *certain |= is_durable(change);
            }
        }
    }

    fn flush_ordered(&mut self, covered: &[Operation], what: Sync) {
        let (Sync::Node(node) | Sync::Data(node)) = what else { return };
        let changes = || covered.iter().enumerate().zip(&self.certain);
        let of_node =
            |operation: &Operation| matches!(operation, Operation::Change(change) if change.is_of(node));
        // New blocks are allocated now, so the transaction that is committed is the running one.
        let grows = |operation: &Operation| {
            matches!(operation, Operation::Change(Change::Write { grows: true, .. } | Change::Resize { .. }))
        };
        let has_grown =
            changes().any(|((_, operation), certain)| !certain && of_node(operation) && grows(operation));
        let last_of_node = changes().rfind(|((_, operation), _)| of_node(operation));
        let names_until = match what {
            _ if has_grown => covered.len(),
            // Bytes over old bytes need no transaction.
            Sync::Data(_) => 0,
            _ => last_of_node.map_or(0, |((index, _), _)| index + 1),
        };
        let names = covered.get(..names_until).unwrap_or_default();
        self.mark(names, |change| change.file().is_none());
        self.mark(covered, |change| change.file() == Some(node));
    }

    fn flush_posix(&mut self, covered: &[Operation], what: Sync) {
        match what {
            Sync::All => {}
            Sync::Data(node) => self.mark(covered, |change| change.file() == Some(node)),
            Sync::Node(node) => {
                self.mark(covered, |change| match change {
                    Change::SetMode { node: changed, .. } => *changed == node,
                    Change::Enter { place, .. } | Change::Leave { place, .. } => place.folder == node,
                    Change::Move { from, to, .. } => from.folder == node && to.folder == node,
                    Change::Write { file, .. } | Change::Resize { file, .. } => *file == node,
                });
                for ((operation, certain), half) in covered.iter().zip(&mut self.certain).zip(&mut self.half)
                {
                    if let Operation::Change(Change::Move { from, to, .. }) = operation
                        && (from.folder == node) != (to.folder == node)
                    {
                        *certain |= *half;
                        *half = true;
                    }
                }
            }
        }
    }
}
