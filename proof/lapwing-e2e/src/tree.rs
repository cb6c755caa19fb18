//! A folder held in memory: as read from disk, as a program changed it, as a power cut left it.
//!
//! Touches: files, when reading a folder or laying one out. Entered from: every other room.
//! Never: knows times, owners or extended attributes; nothing that is judged depends on them.

use crate::changes::{Change, NewNode, Place};
use lapwing_core::Digest;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, Permissions};
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::{Arc, OnceLock};

const MODE_BITS: u32 = 0o7777;

/// One file, folder or link for as long as it lives, whatever its name. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// The bytes of a file, with what is costly to know about them.
#[derive(Debug, Clone, Default)]
pub struct Content {
    bytes: Vec<u8>,
    fingerprint: OnceLock<u64>,
    digest: OnceLock<Digest>,
}

impl Content {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, fingerprint: OnceLock::new(), digest: OnceLock::new() }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their digest, computed once.
    #[must_use]
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| Digest::of(&self.bytes))
    }

    fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.bytes.hash(&mut hasher);
            hasher.finish()
        })
    }
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A file.
    File(Arc<Content>),
    /// A folder and what its names stand for.
    Folder(BTreeMap<String, NodeId>),
    /// A symbolic link.
    Link(String),
    /// Where somebody listens; nobody does after a power cut.
    Socket,
}

/// A file, folder or link.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its permissions.
    pub mode: u32,
    /// What it is.
    pub kind: Kind,
}

/// A folder and everything below it.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: BTreeMap<NodeId, Node>,
}

impl Tree {
    /// The folder itself.
    pub const ROOT: NodeId = NodeId(0);

    /// Reads a folder.
    ///
    /// # Errors
    /// When something cannot be read, has a name that is not UTF-8, or is none of the kinds.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut tree = Self { nodes: BTreeMap::new() };
        tree.read_node(folder)?;
        Ok(tree)
    }

    /// Lays the folder out at `target`, which must be an empty folder.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn write(&self, target: &Path) -> io::Result<()> {
        for (path, node) in self.walk().into_iter().filter(|(path, _)| !path.is_empty()) {
            let path = target.join(path);
            match &node.kind {
                Kind::File(content) => fs::write(&path, content.bytes())?,
                Kind::Folder(_) => fs::create_dir(&path)?,
                Kind::Link(to) => symlink(to, &path)?,
                Kind::Socket => continue,
            }
            if !matches!(node.kind, Kind::Link(_)) {
                fs::set_permissions(&path, Permissions::from_mode(node.mode))?;
            }
        }
        Ok(())
    }

    /// The node at `path`, which is relative and leads through no link.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.node_of(self.find(path)?)
    }

    /// The bytes of the file at `path`.
    #[must_use]
    pub fn content(&self, path: &str) -> Option<&Arc<Content>> {
        match &self.node(path)?.kind {
            Kind::File(content) => Some(content),
            _ => None,
        }
    }

    /// The names in the folder at `path`; none if there is no such folder.
    pub fn names(&self, path: &str) -> impl Iterator<Item = &str> {
        let folder = self.node(path).and_then(|node| match &node.kind {
            Kind::Folder(names) => Some(names),
            _ => None,
        });
        folder.into_iter().flat_map(|names| names.keys().map(String::as_str))
    }

    /// Everything that has a name, folders before what is in them, with the folder itself as "".
    #[must_use]
    pub fn walk(&self) -> Vec<(String, &Node)> {
        let mut found = Vec::new();
        let mut open = vec![(String::new(), Self::ROOT)];
        while let Some((path, id)) = open.pop() {
            let Some(node) = self.node_of(id) else { continue };
            if let Kind::Folder(names) = &node.kind {
                let join = |name: &String| {
                    if path.is_empty() { name.clone() } else { format!("{path}/{name}") }
                };
                open.extend(names.iter().rev().map(|(name, id)| (join(name), *id)));
            }
            found.push((path, node));
        }
        found
    }

    /// Tells two folders apart.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (path, node) in self.walk() {
            (path, node.mode).hash(&mut hasher);
            match &node.kind {
                Kind::File(content) => (0_u8, content.fingerprint()).hash(&mut hasher),
                Kind::Folder(_) => 1_u8.hash(&mut hasher),
                Kind::Link(to) => (2_u8, to).hash(&mut hasher),
                Kind::Socket => 3_u8.hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// The first path at which two folders differ.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (ours, theirs) = (self.walk(), other.walk());
        let same = |a: &Node, b: &Node| match (&a.kind, &b.kind) {
            (Kind::File(a_content), Kind::File(b_content)) => {
                a_content.bytes == b_content.bytes && a.mode == b.mode
            }
            (Kind::Folder(_), Kind::Folder(_)) | (Kind::Socket, Kind::Socket) => a.mode == b.mode,
            (Kind::Link(a), Kind::Link(b)) => a == b,
            _ => false,
        };
        let pairs = ours.iter().zip(&theirs);
        let differs = pairs.into_iter().find(|((a_path, a), (b_path, b))| a_path != b_path || !same(a, b));
        let longer = || match ours.len().cmp(&theirs.len()) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => theirs.get(ours.len()).map(|(path, _)| path.clone()),
            std::cmp::Ordering::Greater => ours.get(theirs.len()).map(|(path, _)| path.clone()),
        };
        differs.map(|((path, _), _)| path.clone()).or_else(longer)
    }

    /// Lets a change happen. What it needs and is not there any more is left out.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Enter { place, node, .. } => {
                self.prepare(change);
                self.set(place, Some(*node));
            }
            Change::Leave { place, .. } => self.set(place, None),
            Change::Move { from, to, node } => {
                self.set(from, None);
                self.set(to, Some(*node));
            }
            Change::SetMode { node, mode } => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.mode = *mode;
                }
            }
            Change::Write { file, offset, bytes, .. } => self.edit(*file, |content| {
                write_at(content, *offset, bytes);
            }),
            Change::Resize { file, size } => self.edit(*file, |content| content.resize(*size, 0)),
        }
    }

    /// Lets what a change brings into being exist, without a name.
    pub(crate) fn prepare(&mut self, change: &Change) {
        if let Change::Enter { node, new: Some(new), .. } = change {
            self.nodes.entry(*node).or_insert_with(|| new.node());
        }
    }

    /// Everything that has a name.
    pub(crate) fn named(&self) -> impl Iterator<Item = NodeId> {
        let mut open = vec![Self::ROOT];
        std::iter::from_fn(move || {
            let id = open.pop()?;
            if let Some(Kind::Folder(names)) = self.node_of(id).map(|node| &node.kind) {
                open.extend(names.values());
            }
            Some(id)
        })
    }

    pub(crate) fn node_of(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn content_of(&self, id: NodeId) -> Option<&Arc<Content>> {
        match &self.node_of(id)?.kind {
            Kind::File(content) => Some(content),
            _ => None,
        }
    }

    pub(crate) fn set_content(&mut self, id: NodeId, content: Arc<Content>) {
        if let Some(Node { kind: Kind::File(old), .. }) = self.nodes.get_mut(&id) {
            *old = content;
        }
    }

    /// What `name` in `folder` stands for.
    pub(crate) fn entry(&self, folder: NodeId, name: &str) -> Option<NodeId> {
        match &self.node_of(folder)?.kind {
            Kind::Folder(names) => names.get(name).copied(),
            _ => None,
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<NodeId> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(Self::ROOT, |folder, name| self.entry(folder, name))
    }

    /// The node is taken out of its old name by whoever puts it elsewhere.
    fn set(&mut self, place: &Place, node: Option<NodeId>) {
        if let Some(Node { kind: Kind::Folder(names), .. }) = self.nodes.get_mut(&place.folder) {
            match node {
                Some(node) => names.insert(place.name.clone(), node),
                None => names.remove(&place.name),
            };
        }
    }

    fn edit(&mut self, file: NodeId, edit: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Node { kind: Kind::File(content), .. }) = self.nodes.get_mut(&file) {
            let mut bytes = match Arc::try_unwrap(std::mem::take(content)) {
                Ok(own) => own.bytes,
                Err(shared) => shared.bytes.clone(),
            };
            edit(&mut bytes);
            *content = Arc::new(Content::new(bytes));
        }
    }

    fn read_node(&mut self, path: &Path) -> io::Result<NodeId> {
        let id = NodeId(self.nodes.len());
        let status = fs::symlink_metadata(path)?;
        let mode = status.permissions().mode() & MODE_BITS;
        let strange = |what: &str| io::Error::other(format!("{}: {what}", path.display()));
        // Taken now, so that no number is given out twice.
        self.nodes.insert(id, Node { mode, kind: Kind::Folder(BTreeMap::new()) });
        let kind = if status.is_file() {
            Kind::File(Arc::new(Content::new(fs::read(path)?)))
        } else if status.is_dir() {
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let name = entry.file_name().into_string().map_err(|_| strange("a name is not UTF-8"))?;
                names.insert(name, self.read_node(&entry.path())?);
            }
            Kind::Folder(names)
        } else if status.is_symlink() {
            let to = fs::read_link(path)?.into_os_string().into_string();
            Kind::Link(to.map_err(|_| strange("a link is not UTF-8"))?)
        } else if status.file_type().is_socket() {
            Kind::Socket
        } else {
            return Err(strange("neither file, folder, link nor socket"));
        };
        self.nodes.insert(id, Node { mode, kind });
        Ok(id)
    }

    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

/// Writes as the kernel does: what lies between the old end and the offset is zero.
pub(crate) fn write_at(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(offset..end) {
        target.copy_from_slice(bytes);
    }
}

impl NewNode {
    fn node(&self) -> Node {
        match self {
            Self::File { mode } => Node { mode: *mode, kind: Kind::File(Arc::default()) },
            Self::Folder { mode } => Node { mode: *mode, kind: Kind::Folder(BTreeMap::new()) },
            Self::Link { to } => Node { mode: 0o777, kind: Kind::Link(to.clone()) },
            Self::Socket { mode } => Node { mode: *mode, kind: Kind::Socket },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_survives_reading_and_laying_out() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("folder")).unwrap();
        fs::write(from.path().join("folder/file"), b"bytes").unwrap();
        fs::set_permissions(from.path().join("folder/file"), Permissions::from_mode(0o750)).unwrap();
        symlink("folder", from.path().join("link")).unwrap();
        let tree = Tree::read(from.path()).unwrap();
        tree.write(to.path()).unwrap();
        let copy = Tree::read(to.path()).unwrap();
        assert_eq!(tree.difference(&copy), None);
        assert_eq!(tree.fingerprint(), copy.fingerprint());
        fs::write(to.path().join("folder/file"), b"bites").unwrap();
        assert_eq!(tree.difference(&Tree::read(to.path()).unwrap()), Some("folder/file".into()));
        fs::write(to.path().join("more"), b"").unwrap();
        fs::write(to.path().join("folder/file"), b"bytes").unwrap();
        assert_eq!(tree.difference(&Tree::read(to.path()).unwrap()), Some("more".into()));
    }

    #[test]
    fn a_hole_is_filled_with_zeros() {
        let mut content = b"ab".to_vec();
        write_at(&mut content, 4, b"cd");
        assert_eq!(content, b"ab\0\0cd");
        write_at(&mut content, 1, b"x");
        assert_eq!(content, b"ax\0\0cd");
    }
}
