//! What survives of a partial artifact, and what does not.

use super::*;
use tempfile::TempDir;

const CHECKPOINT: u64 = 4 * BLOCK_BYTES;

fn transfer(bytes: &[u8]) -> Transfer {
    Transfer { artifact: Digest::of(bytes), artifact_size_bytes: bytes.len() as u64 }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

fn open(dir: &TempDir, transfer: Transfer) -> ArtifactFile {
    ArtifactFile::open(&dir.path().join("artifact"), transfer, CHECKPOINT).unwrap()
}

#[test]
fn what_was_flushed_is_still_there_and_the_rest_is_missing() {
    let (dir, all) = (TempDir::new().unwrap(), bytes(10_000));
    let mut file = open(&dir, transfer(&all));
    assert_eq!((file.missing(), file.have_bytes()), (Some(0..10_000), 0));
    for (index, piece) in all[..5_500].chunks(500).enumerate() {
        file.write_at(index as u64 * 500, piece).unwrap();
    }
    // Dropped without a flush: only what the last checkpoint covered counts.
    drop(file);
    let mut file = open(&dir, transfer(&all));
    assert_eq!((file.missing(), file.have_bytes()), (Some(4_096..10_000), 4_096));
    file.write_at(4_096, &all[4_096..]).unwrap();
    file.checkpoint().unwrap();
    drop(file);
    let file = open(&dir, transfer(&all));
    assert_eq!((file.missing(), file.have_bytes()), (None, 10_000));
    assert_eq!(file.digest().unwrap(), Digest::of(&all));
}

#[test]
fn blocks_may_come_in_any_order() {
    let (dir, all) = (TempDir::new().unwrap(), bytes(9_500));
    let mut file = open(&dir, transfer(&all));
    for start in [8_192, 2_048, 0, 5_120] {
        let end = all.len().min(start + 2_048);
        file.write_at(start as u64, &all[start..end]).unwrap();
    }
    file.checkpoint().unwrap();
    assert_eq!(file.missing(), Some(4_096..5_120));
    file.write_at(4_096, &all[4_096..8_192]).unwrap();
    file.checkpoint().unwrap();
    assert_eq!(file.missing(), None);
    assert_eq!(file.digest().unwrap(), Digest::of(&all));
}

#[test]
fn a_block_that_is_not_whole_does_not_count() {
    let (dir, all) = (TempDir::new().unwrap(), bytes(3_000));
    let mut file = open(&dir, transfer(&all));
    file.write_at(500, &all[500..2_500]).unwrap();
    file.checkpoint().unwrap();
    assert_eq!(file.have_bytes(), 3 * 512);
    assert_eq!(file.missing(), Some(0..512));
}

#[test]
fn another_artifact_begins_anew() {
    let (dir, one, other) = (TempDir::new().unwrap(), bytes(3_000), bytes(3_001));
    let mut file = open(&dir, transfer(&one));
    file.write_at(0, &one).unwrap();
    file.checkpoint().unwrap();
    assert_eq!(open(&dir, transfer(&other)).have_bytes(), 0);
    // And the first one is gone.
    assert_eq!(open(&dir, transfer(&one)).have_bytes(), 0);
}

#[test]
fn damaged_notes_about_blocks_begin_anew() {
    let (dir, all) = (TempDir::new().unwrap(), bytes(3_000));
    let blocks = dir.path().join("artifact/blocks");
    for damage in [b"".as_slice(), b"LWPART01", &[0; 60]] {
        let mut file = open(&dir, transfer(&all));
        file.write_at(0, &all).unwrap();
        file.checkpoint().unwrap();
        assert_eq!(file.have_bytes(), 3_000);
        fs::write(&blocks, damage).unwrap();
        assert_eq!(open(&dir, transfer(&all)).have_bytes(), 0);
    }
}

#[test]
fn an_artifact_beyond_all_limits_is_refused_before_anything_is_written() {
    let dir = TempDir::new().unwrap();
    let huge = Transfer { artifact: Digest::of(b""), artifact_size_bytes: ARTIFACT_BYTES_MAX + 1 };
    assert!(ArtifactFile::open(&dir.path().join("artifact"), huge, CHECKPOINT).is_err());
    assert!(!dir.path().join("artifact").exists());
}

#[test]
fn the_output_counter_is_what_was_set_last_or_nothing() {
    let (dir, all) = (TempDir::new().unwrap(), bytes(3_000));
    let file = open(&dir, transfer(&all));
    assert_eq!(file.applied_bytes(), 0);
    file.set_applied_bytes(0x0102_0304).unwrap();
    assert_eq!(open(&dir, transfer(&all)).applied_bytes(), 0x0102_0304);
    let blocks = dir.path().join("artifact/blocks");
    let whole = fs::read(&blocks).unwrap();
    for at in whole.len() - COUNTER_BYTES..whole.len() {
        let mut torn = whole.clone();
        torn[at] ^= 1;
        fs::write(&blocks, torn).unwrap();
        assert_eq!(open(&dir, transfer(&all)).applied_bytes(), 0, "{at}");
    }
}
