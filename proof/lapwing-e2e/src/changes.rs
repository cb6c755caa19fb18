//! What a program did to a folder, one operation at a time.
//!
//! Touches: `crate::tree`. Made by `trace`, taken apart by `crash_states`.
//! Never: says what survives a power cut; that depends on the model.

use crate::tree::{Content, NodeId, Tree};
use std::fmt;
use std::sync::Arc;

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: NodeId,
    /// The name.
    pub name: String,
}

/// What comes into being together with its first name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewNode {
    /// An empty file.
    File {
        /// Its permissions.
        mode: u32,
    },
    /// An empty folder.
    Folder {
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        to: String,
    },
    /// Where somebody listens.
    Socket {
        /// Its permissions.
        mode: u32,
    },
}

/// One change that a power cut may undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A name begins to stand for a node.
    Enter {
        /// The name.
        place: Place,
        /// The node.
        node: NodeId,
        /// What it is, if it did not exist before.
        new: Option<NewNode>,
    },
    /// A name is no more.
    Leave {
        /// The name.
        place: Place,
        /// What it stood for.
        node: NodeId,
    },
    /// A node changes its name, and takes the place of what had the new one.
    Move {
        /// The old name.
        from: Place,
        /// The new name.
        to: Place,
        /// The node.
        node: NodeId,
    },
    /// Permissions.
    SetMode {
        /// Of what.
        node: NodeId,
        /// The new ones.
        mode: u32,
    },
    /// Bytes, over old ones or beyond the end.
    Write {
        /// Into which file.
        file: NodeId,
        /// Where the first byte goes.
        offset: usize,
        /// The bytes.
        bytes: Vec<u8>,
        /// The file became longer.
        grows: bool,
    },
    /// A new length.
    Resize {
        /// Of which file.
        file: NodeId,
        /// The length.
        size: usize,
    },
}

/// What a program asked to be made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// A file or folder with all that belongs to it: `fsync`.
    Node(NodeId),
    /// A file's bytes and length: `fdatasync`.
    Data(NodeId),
    /// Everything.
    All,
}

/// One thing that happened, in the order in which the calls returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A change.
    Change(Change),
    /// A flush that returned well.
    Sync {
        /// Of what.
        what: Sync,
        /// It covers the operations before this one: later ones began while it was under way.
        covers: usize,
    },
    /// Something was sent to somebody outside, who may act on it.
    Spoke,
}

/// A folder, and what a program did to it.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The folder as it was.
    pub before: Tree,
    /// What happened, in order.
    pub operations: Vec<Operation>,
}

impl Recording {
    /// The folder after the first `count` operations, as the program saw it.
    #[must_use]
    pub fn after(&self, count: usize) -> Tree {
        let mut tree = self.before.clone();
        for (_, change) in self.changes().take_while(|(index, _)| *index < count) {
            tree.apply(change);
        }
        tree
    }

    /// The contents that the file at `path` went through: from how many operations on, and what.
    #[must_use]
    pub fn history(&self, path: &str) -> Vec<(usize, Option<Arc<Content>>)> {
        let mut tree = self.before.clone();
        let mut history = vec![(0, tree.content(path).cloned())];
        for (index, change) in self.changes() {
            tree.apply(change);
            let now = tree.content(path);
            let last = history.last().and_then(|(_, content)| content.as_ref());
            if now.map(|content| content.bytes()) != last.map(|content| content.bytes()) {
                history.push((index.saturating_add(1), now.cloned()));
            }
        }
        history
    }

    /// How many operations had happened each time that something had been said to the outside.
    #[must_use]
    pub fn spoken(&self) -> Vec<usize> {
        let spoke = |(index, operation): (usize, &Operation)| {
            matches!(operation, Operation::Spoke).then_some(index.saturating_add(1))
        };
        self.operations.iter().enumerate().filter_map(spoke).collect()
    }

    /// The same, as if the flushes of whatever lay at `path` had been forgotten, and how many they were.
    #[must_use]
    pub fn without_flushes(&self, path: &str) -> (Self, usize) {
        let (mut tree, mut forgotten) = (self.before.clone(), 0);
        let mut operations = self.operations.clone();
        for operation in &mut operations {
            match operation {
                Operation::Change(change) => tree.apply(change),
                Operation::Sync { what: Sync::Node(node) | Sync::Data(node), covers }
                    if tree.find(path) == Some(*node) =>
                {
                    // It stays in its place, so that the others keep theirs, and does nothing.
                    *covers = 0;
                    forgotten += 1;
                }
                _ => {}
            }
        }
        (Self { before: self.before.clone(), operations }, forgotten)
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = (usize, &Change)> {
        self.operations.iter().enumerate().filter_map(|(index, operation)| match operation {
            Operation::Change(change) => Some((index, change)),
            _ => None,
        })
    }
}

impl Change {
    /// The file whose bytes or length change.
    #[must_use]
    pub fn file(&self) -> Option<NodeId> {
        match self {
            Self::Write { file, .. } | Self::Resize { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// Whether the change is one of `node` itself: its bytes, its permissions, a name of it or in it.
    #[must_use]
    pub fn is_of(&self, node: NodeId) -> bool {
        match self {
            Self::Enter { place, node: named, .. } | Self::Leave { place, node: named } => {
                place.folder == node || *named == node
            }
            Self::Move { from, to, node: named } => {
                from.folder == node || to.folder == node || *named == node
            }
            Self::SetMode { node: changed, .. } => *changed == node,
            Self::Write { file, .. } | Self::Resize { file, .. } => *file == node,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enter { place, new: Some(_), .. } => write!(f, "create {}", place.name),
            Self::Enter { place, new: None, .. } => write!(f, "link {}", place.name),
            Self::Leave { place, .. } => write!(f, "remove {}", place.name),
            Self::Move { from, to, .. } => write!(f, "rename {} to {}", from.name, to.name),
            Self::SetMode { mode, node } => write!(f, "chmod {mode:o} node {}", node.0),
            Self::Write { file, offset, bytes, .. } => {
                write!(f, "write {} bytes at {offset} of node {}", bytes.len(), file.0)
            }
            Self::Resize { file, size } => write!(f, "resize node {} to {size} bytes", file.0),
        }
    }
}
