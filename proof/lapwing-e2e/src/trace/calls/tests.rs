//! Logs of a few lines, and what they must be understood as.
//!
//! Touches: text alone.

use super::*;
use std::fmt::Write as _;

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "\\x{byte:02x}");
        hex
    })
}

/// Reads a log in which `'TEXT'` stands for a hexadecimal string and `{TEXT}` for a path below the root.
fn reading(log: &str) -> Result<Vec<String>, TraceError> {
    let mut spelled = String::new();
    for (index, piece) in log.split('\'').enumerate() {
        spelled.push_str(&if index % 2 == 1 { format!("\"{}\"", hex(piece)) } else { piece.to_owned() });
    }
    let mut whole = String::new();
    for (index, piece) in spelled.split(['{', '}']).enumerate() {
        whole.push_str(&if index % 2 == 1 {
            format!("<{}>", hex(&format!("/r/{piece}")))
        } else {
            piece.to_owned()
        });
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old"), b"0123").unwrap();
    let before = Tree::read(folder.path()).unwrap();
    let root = Path::new("/r");
    let recording = read(&whole, &Start { root, folder: root, umask: 0o022 }, before)?;
    let say = |operation: &Operation| match operation {
        Operation::Change(change) => change.to_string(),
        Operation::Sync { what, covers } => format!("{what:?} covers {covers}"),
        Operation::Spoke => "spoke".into(),
    };
    Ok(recording.operations.iter().map(say).collect())
}

fn check(log: &str, expected: &[&str]) {
    assert_eq!(reading(log).unwrap(), expected);
}

#[test]
fn writes_go_where_the_descriptor_stands_whoever_holds_it() {
    check(
        "1  openat(AT_FDCWD{}, 'new', O_RDWR|O_CREAT, 0666) = 3{new}\n\
         1  write(3{new}, 'ab', 2) = 2\n\
         1  fork() = 2\n\
         2  write(3{new}, 'cd', 2) = 2\n\
         1  dup2(3{new}, 9) = 9{new}\n\
         1  lseek(9{new}, 1, SEEK_SET) = 1\n\
         2  write(3{new}, 'x', 1) = 1\n\
         1  pwrite64(9{new}, 'y', 1, 7) = 1\n\
         1  write(9{new}, 'z', 1) = 1\n",
        &[
            "create new",
            "write 2 bytes at 0 of node 2",
            "write 2 bytes at 2 of node 2",
            "write 1 bytes at 1 of node 2",
            "write 1 bytes at 7 of node 2",
            "write 1 bytes at 2 of node 2",
        ],
    );
}

#[test]
fn appending_and_truncating_look_at_the_size() {
    check(
        "1  openat(AT_FDCWD{}, 'old', O_WRONLY|O_APPEND) = 3{old}\n\
         1  write(3{old}, 'ab', 2) = 2\n\
         1  fallocate(3{old}, 0, 0, 5) = 0\n\
         1  fallocate(3{old}, 0, 0, 50) = 0\n\
         1  ftruncate(3{old}, 50) = 0\n\
         1  openat(AT_FDCWD{}, 'old', O_WRONLY|O_TRUNC) = 4{old}\n\
         1  openat(AT_FDCWD{}, 'old', O_WRONLY|O_TRUNC) = 5{old}\n",
        &["write 2 bytes at 4 of node 1", "resize node 1 to 50 bytes", "resize node 1 to 0 bytes"],
    );
}

#[test]
fn a_flush_covers_only_what_was_written_before_it_began() {
    check(
        "1  openat(AT_FDCWD{}, 'old', O_WRONLY) = 3{old}\n\
         1  clone(child_stack=NULL, flags=CLONE_VM|CLONE_FS|CLONE_FILES) = 2\n\
         1  write(3{old}, 'a', 1) = 1\n\
         1  fsync(3{old} <unfinished ...>\n\
         2  write(3{old}, 'b', 1) = 1\n\
         1  <... fsync resumed>) = 0\n\
         1  fdatasync(3{old}) = 0\n\
         1  sync() = 0\n",
        &[
            "write 1 bytes at 0 of node 1",
            "write 1 bytes at 1 of node 1",
            "Node(NodeId(1)) covers 1",
            "Data(NodeId(1)) covers 3",
            "All covers 4",
        ],
    );
}

#[test]
fn names_are_followed_through_links_and_folders() {
    check(
        "1  mkdir('d', 0777) = 0\n\
         1  symlink('d', 'l') = 0\n\
         1  rename('l/../l/../old', 'l/x') = 0\n\
         1  chdir('d') = 0\n\
         1  link('x', '/r/y') = 0\n\
         1  chmod('../l/x', 0600) = 0\n\
         1  unlinkat(AT_FDCWD{d}, 'x', 0) = 0\n\
         1  bind(5, [sa_family=AF_UNIX, sun_path='../s'], 110) = 0\n\
         1  rename('/elsewhere/a', '/elsewhere/b') = 0\n\
         1  unlink('nothing') = -1 ENOENT (No such file or directory)\n",
        &["create d", "create l", "rename old to x", "link y", "chmod 600 node 1", "remove x", "create s"],
    );
}

#[test]
fn an_open_that_flushes_flushes_every_write() {
    check(
        "1  open('old', O_WRONLY|O_DSYNC) = 3{old}\n\
         1  write(3{old}, 'a', 1) = 1\n\
         1  sendto(4<\\x73>, 'x', 1, 0, NULL, 0) = 1\n\
         1  sendto(4<\\x73>, 'x', 1, 0, NULL, 0) = 1\n\
         1  sendto(4<\\x73>, 'x', 1, 0, [sa_family=AF_NETLINK], 0) = 1\n",
        &["write 1 bytes at 0 of node 1", "Data(NodeId(1)) covers 1", "spoke"],
    );
}

#[test]
fn what_is_not_modelled_is_an_error() {
    let open = "1  openat(AT_FDCWD{}, 'old', O_RDWR) = 3{old}\n";
    for line in [
        "1  mmap(NULL, 4, PROT_READ|PROT_WRITE, MAP_SHARED, 3{old}, 0) = 0x7f00\n",
        "1  io_uring_setup(8, 0x7f00) = 4\n",
        "1  fallocate(3{old}, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, 4) = 0\n",
        "1  renameat2(AT_FDCWD{}, 'old', AT_FDCWD{}, 'x', RENAME_EXCHANGE) = 0\n",
        "1  rename('old', '/elsewhere') = 0\n",
        "1  write(7{old}, 'x', 1) = 1\n",
        "1  splice(5, NULL, 3{old}, NULL, 4, 0) = 4\n",
        "1  ioctl(3{old}, BTRFS_IOC_CLONE or FICLONE, 4) = 0\n",
        "1  openat(AT_FDCWD{}, '.', O_RDWR|O_TMPFILE, 0600) = 5{#7}\n",
        "1  mknod('x', S_IFIFO|0600) = 0\n",
    ] {
        let result = reading(&format!("{open}{line}"));
        assert!(matches!(result, Err(TraceError::NotModelled(_))), "{line}: {result:?}");
    }
    for line in [
        "1  mmap(NULL, 4, PROT_READ, MAP_PRIVATE, 3{old}, 0) = 0x7f00\n",
        "1  mmap(NULL, 4, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f00\n",
    ] {
        check(&format!("{open}{line}"), &[]);
    }
}

#[test]
fn a_process_from_nowhere_is_an_error() {
    assert!(matches!(reading("1  sync() = 0\n2  sync() = 0\n"), Err(TraceError::Garbled(_))));
}
