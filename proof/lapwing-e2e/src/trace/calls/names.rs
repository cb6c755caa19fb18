//! The calls that change names, and the way from a path to a node.
//!
//! Touches: the reader in `calls`. Entered from: its table of calls.
//! Never: asks the machine where a link leads; the traced tree knows.

use super::{Last, Located, Reader, not_modelled};
use crate::changes::{Change, NewNode, Place};
use crate::trace::TraceError;
use crate::trace::log::Call;
use crate::tree::{Kind, NodeId, Tree};

/// As many as the kernel follows.
const LINKS_MAX: usize = 40;

impl Reader {
    pub(super) fn rename(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let [from, to] = match call.name {
            "rename" => [(None, 0), (None, 1)],
            _ => [(Some(0), 1), (Some(2), 3)],
        };
        if call.has(4, "RENAME_EXCHANGE") || call.has(4, "RENAME_WHITEOUT") {
            return Err(not_modelled(call, "an exchange of two names"));
        }
        let from = self.locate(call, from.0, from.1, Last::Itself)?;
        let to = self.locate(call, to.0, to.1, Last::Itself)?;
        match (from, to) {
            (None, None) => Ok(()),
            (Some((from, Some(node))), Some((to, taken))) => {
                // Two names of one file: the kernel does nothing.
                if taken != Some(node) {
                    self.change(Change::Move { from, to, node });
                }
                Ok(())
            }
            _ => Err(not_modelled(call, "a name that enters or leaves the folder")),
        }
    }

    pub(super) fn remove(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let (folder, path) = if call.name == "unlinkat" { (Some(0), 1) } else { (None, 0) };
        match self.locate(call, folder, path, Last::Itself)? {
            None => Ok(()),
            Some((place, Some(node))) => {
                self.change(Change::Leave { place, node });
                Ok(())
            }
            Some((_, None)) => Err(not_modelled(call, "the end of an unknown file")),
        }
    }

    pub(super) fn make(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let (folder, path) = match call.name {
            "mkdir" => (None, 0),
            "mkdirat" => (Some(0), 1),
            "symlink" | "link" => (None, 1),
            "symlinkat" => (Some(1), 2),
            _ => (Some(2), 3),
        };
        let Some((place, None)) = self.locate(call, folder, path, Last::Itself)? else { return Ok(()) };
        let new = match call.name {
            "mkdir" | "mkdirat" => NewNode::Folder { mode: call.octal(path + 1)? & !self.umask(call) },
            "symlink" | "symlinkat" => NewNode::Link { to: call.text(0)? },
            _ => {
                let (folder, path) = if call.name == "link" { (None, 0) } else { (Some(0), 1) };
                let old = self.locate(call, folder, path, Last::Itself)?.and_then(|(_, node)| node);
                let node =
                    old.ok_or_else(|| not_modelled(call, "a second name for a file from elsewhere"))?;
                self.change(Change::Enter { place, node, new: None });
                return Ok(());
            }
        };
        self.enter(place, new);
        Ok(())
    }

    /// A socket of this machine has a name like a file; others have none here.
    pub(super) fn bind(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let Some(path) = call.socket_path(1)? else { return Ok(()) };
        let path = self.path_from(call, None, path)?;
        if let Some((place, None)) = self.walk(&path, Last::Itself)? {
            let mode = 0o777 & !self.umask(call);
            self.enter(place, NewNode::Socket { mode });
        }
        Ok(())
    }

    pub(super) fn chmod(&mut self, call: &Call<'_>) -> Result<(), TraceError> {
        let (node, mode) = match call.name {
            "fchmod" => (self.node(call, 0)?, 1),
            "chmod" => (self.locate(call, None, 0, Last::Followed)?.and_then(|(_, node)| node), 1),
            _ => (self.locate(call, Some(0), 1, Last::Followed)?.and_then(|(_, node)| node), 2),
        };
        if let Some(node) = node {
            self.change(Change::SetMode { node, mode: call.octal(mode)? });
        }
        Ok(())
    }

    /// A new node at an absolute path without links.
    pub(super) fn create(&mut self, path: &str, new: NewNode) -> Result<NodeId, TraceError> {
        match self.walk(path, Last::Itself)? {
            Some((place, None)) => Ok(self.enter(place, new)),
            _ => Err(TraceError::NotModelled(format!("the making of {path}"))),
        }
    }

    fn enter(&mut self, place: Place, new: NewNode) -> NodeId {
        let node = NodeId(self.next_node);
        self.next_node += 1;
        self.change(Change::Enter { place, node, new: Some(new) });
        node
    }

    /// What lies below the traced folder in an absolute path.
    pub(super) fn inside(&self, path: &str) -> Option<String> {
        let below = path.strip_prefix(self.root.as_str())?;
        (below.is_empty() || below.starts_with('/')).then(|| below.trim_start_matches('/').to_owned())
    }

    pub(super) fn absolute(
        &mut self,
        call: &Call<'_>,
        folder: Option<usize>,
        path: usize,
    ) -> Result<String, TraceError> {
        let path = call.text(path)?;
        self.path_from(call, folder, path)
    }

    fn path_from(
        &mut self,
        call: &Call<'_>,
        folder: Option<usize>,
        path: String,
    ) -> Result<String, TraceError> {
        if path.starts_with('/') {
            return Ok(path);
        }
        let base = match folder {
            Some(folder) => call.descriptor(folder)?.1,
            None => self.processes.setting(call.process).map(|setting| setting.folder.clone()),
        };
        base.map(|base| format!("{base}/{path}")).ok_or_else(|| call.garbled())
    }

    pub(super) fn locate(
        &mut self,
        call: &Call<'_>,
        folder: Option<usize>,
        path: usize,
        last: Last,
    ) -> Result<Option<Located>, TraceError> {
        let path = self.absolute(call, folder, path)?;
        self.walk(&path, last)
    }

    /// Follows an absolute path by the rules of the kernel; `None` if it ends outside the traced folder.
    fn walk(&self, path: &str, last: Last) -> Result<Option<Located>, TraceError> {
        let mut path = without_dots(path);
        for _ in 0..LINKS_MAX {
            let Some(below) = self.inside(&path) else { return Ok(None) };
            let names: Vec<&str> = below.split('/').filter(|name| !name.is_empty()).collect();
            let Some((name, above)) = names.split_last() else {
                let place = Place { folder: Tree::ROOT, name: String::new() };
                return Ok(Some((place, Some(Tree::ROOT))));
            };
            match self.first_link(above, name, last) {
                Some((depth, to)) => path = self.past_link(&names, depth, &to),
                None => {
                    let unknown =
                        || TraceError::NotModelled(format!("a change below an unknown folder: {below}"));
                    let folder = self.tree.find(&above.join("/")).ok_or_else(unknown)?;
                    let place = Place { folder, name: (*name).to_owned() };
                    return Ok(Some((place, self.tree.entry(folder, name))));
                }
            }
        }
        Err(TraceError::NotModelled(format!("too many links: {path}")))
    }

    /// The first link on the way that is followed: how many names lead to it, and where it goes.
    fn first_link(&self, above: &[&str], name: &str, last: Last) -> Option<(usize, String)> {
        let names = above.iter().chain((last == Last::Followed).then_some(&name));
        let mut folder = Tree::ROOT;
        for (depth, name) in names.enumerate() {
            let node = self.tree.entry(folder, name)?;
            if let Some(Kind::Link(to)) = self.tree.node_of(node).map(|node| &node.kind) {
                return Some((depth, to.clone()));
            }
            folder = node;
        }
        None
    }

    fn past_link(&self, names: &[&str], depth: usize, to: &str) -> String {
        let (before, after) = (names.get(..depth).unwrap_or(&[]), names.get(depth + 1..).unwrap_or(&[]));
        let rest = after.join("/");
        if to.starts_with('/') {
            without_dots(&format!("{to}/{rest}"))
        } else {
            without_dots(&format!("{}/{}/{to}/{rest}", self.root, before.join("/")))
        }
    }
}

/// The path without `.`, `..` and doubled slashes.
fn without_dots(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}
