//! Recordings of a few operations, and which folders can come of them.
//!
//! Touches: folders in memory; an empty temporary one to begin with.

use super::*;
use crate::changes::{NewNode, Operation, Place, Sync};
use std::collections::BTreeSet;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

fn empty() -> Tree {
    Tree::read(tempfile::tempdir().unwrap().path()).unwrap()
}

fn name(name: &str) -> Place {
    Place { folder: Tree::ROOT, name: name.into() }
}

fn create(file: NodeId, called: &str) -> Operation {
    Operation::Change(Change::Enter {
        place: name(called),
        node: file,
        new: Some(NewNode::File { mode: 0o644 }),
    })
}

fn rename(file: NodeId, from: &str, to: &str) -> Operation {
    Operation::Change(Change::Move { from: name(from), to: name(to), node: file })
}

fn append(file: NodeId, offset: usize, bytes: &[u8]) -> Operation {
    Operation::Change(Change::Write { file, offset, bytes: bytes.to_vec(), grows: true })
}

fn overwrite(file: NodeId, bytes: &[u8]) -> Operation {
    Operation::Change(Change::Write { file, offset: 0, bytes: bytes.to_vec(), grows: false })
}

fn sync(what: Sync, covers: usize) -> Operation {
    Operation::Sync { what, covers }
}

fn all(recording: &Recording, model: Model, states_per_cut: usize) -> (BTreeSet<String>, Findings) {
    let states = std::cell::RefCell::new(BTreeSet::new());
    let plan =
        Plan { model, states_per_cut, seed: 1, bad_max: usize::MAX, promises: &[recording.operations.len()] };
    let findings = enumerate(recording, &plan, &|crash: &Crash<'_>| {
        let files = crash.tree.walk().into_iter().skip(1).map(|(path, _)| {
            let bytes = crash.tree.content(&path).map(|content| content.bytes().to_vec());
            format!("{path}={}", String::from_utf8_lossy(&bytes.unwrap_or_default()).replace('\0', "0"))
        });
        let when = if crash.promised.is_some() { "end:" } else { "" };
        states.borrow_mut().insert(format!("{when}{}", files.collect::<Vec<_>>().join(" ")));
        Ok(String::new())
    });
    (states.into_inner(), findings)
}

/// The folders that may be found when all the operations have returned.
fn at_the_end(model: Model, operations: Vec<Operation>) -> Vec<String> {
    let recording = Recording { before: empty(), operations };
    let (states, _) = all(&recording, model, usize::MAX);
    states.into_iter().filter_map(|state| state.strip_prefix("end:").map(str::to_owned)).collect()
}

#[test]
fn what_was_not_flushed_may_be_there_in_part() {
    let operations = || vec![create(A, "a"), append(A, 0, b"1234")];
    assert_eq!(at_the_end(Model::Ordered, operations()), ["", "a=", "a=12", "a=1234"]);
    assert_eq!(
        at_the_end(Model::Posix, operations()),
        ["", "a=", "a=0000", "a=1", "a=12", "a=123", "a=1234"]
    );
}

#[test]
fn a_flush_of_a_new_file_commits_names_where_they_are_ordered() {
    let operations = || {
        vec![create(A, "a"), rename(A, "a", "b"), create(B, "c"), append(A, 0, b"12"), sync(Sync::Node(A), 4)]
    };
    assert_eq!(at_the_end(Model::Ordered, operations()), ["b=12 c="]);
    let posix = at_the_end(Model::Posix, operations());
    assert_eq!(posix, ["", "a=12", "a=12 c=", "b=12", "b=12 c=", "c="]);
}

#[test]
fn a_flush_of_a_node_commits_names_up_to_its_own() {
    let operations = vec![
        create(A, "a"),
        sync(Sync::Node(A), 1),
        create(B, "b"),
        sync(Sync::Node(A), 3),
        rename(A, "a", "c"),
        sync(Sync::Node(B), 5),
    ];
    assert_eq!(at_the_end(Model::Ordered, operations), ["a= b=", "b= c="]);
}

#[test]
fn bytes_over_old_bytes_commit_no_name() {
    let before = vec![create(A, "a"), append(A, 0, b"12"), sync(Sync::All, 2)];
    let more = [create(B, "b"), overwrite(A, b"34"), sync(Sync::Data(A), 5)];
    assert_eq!(at_the_end(Model::Ordered, [before, more.to_vec()].concat()), ["a=34", "a=34 b="]);
}

#[test]
fn a_flush_does_not_cover_what_came_while_it_was_under_way() {
    let operations = vec![create(A, "a"), append(A, 0, b"12"), append(A, 2, b"34"), sync(Sync::All, 2)];
    assert_eq!(at_the_end(Model::Ordered, operations), ["a=12", "a=123", "a=1234"]);
}

#[test]
fn a_record_over_an_old_one_is_torn_at_every_byte() {
    let record = [b'x'; 128];
    let operations =
        vec![create(A, "a"), append(A, 0, &[b'-'; 128]), sync(Sync::All, 2), overwrite(A, &record)];
    assert_eq!(at_the_end(Model::Ordered, operations.clone()).len(), 3);
    assert_eq!(at_the_end(Model::Posix, operations).len(), 129);
}

#[test]
fn a_move_between_folders_needs_both_of_them_flushed() {
    let folder = NodeId(2);
    let to = Place { folder, name: "x".into() };
    let operations = |flushed: &[NodeId]| {
        let mut operations = vec![
            create(A, "a"),
            Operation::Change(Change::Enter {
                place: name("d"),
                node: folder,
                new: Some(NewNode::Folder { mode: 0o755 }),
            }),
            sync(Sync::All, 2),
            Operation::Change(Change::Move { from: name("a"), to: to.clone(), node: A }),
        ];
        operations.extend(flushed.iter().map(|node| sync(Sync::Node(*node), 4)));
        operations
    };
    assert_eq!(at_the_end(Model::Posix, operations(&[folder])), ["a= d=", "d= d/x="]);
    assert_eq!(at_the_end(Model::Posix, operations(&[folder, Tree::ROOT])), ["d= d/x="]);
}

#[test]
fn what_was_not_tried_is_counted() {
    let names = (0..12).map(|index| create(NodeId(index + 1), &format!("{index}")));
    let bytes = (0..12).map(|index| append(NodeId(index + 1), 0, b"1234"));
    let recording = Recording { before: empty(), operations: names.chain(bytes).collect() };
    let (states, findings) = all(&recording, Model::Posix, 300);
    assert!(findings.tried < findings.possible / 1000 && findings.distinct > 300, "{findings}");
    let (again, _) = all(&recording, Model::Posix, 300);
    assert_eq!(states, again);
}

#[test]
fn a_bad_state_says_what_was_lost() {
    let operations = vec![create(A, "a"), append(A, 0, b"1234"), rename(A, "a", "b")];
    let recording = Recording { before: empty(), operations };
    let plan =
        Plan { model: Model::Ordered, states_per_cut: 100, seed: 1, bad_max: usize::MAX, promises: &[] };
    let findings = enumerate(&recording, &plan, &|crash: &Crash<'_>| match crash.tree.content("b") {
        Some(content) if content.bytes().is_empty() => Err("b is empty".into()),
        _ => Ok(String::new()),
    });
    assert_eq!(findings.bad, 1);
    let said = findings.to_string();
    assert!(
        said.contains("cut after 3 operations: b is empty; lost: write 4 bytes at 0 of node 1"),
        "{said}"
    );
}
