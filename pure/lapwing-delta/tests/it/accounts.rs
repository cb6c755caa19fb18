//! Accounts leave no byte out.
//!
//! Touches: `crate::support`.

use crate::support::{Seed, made};
use lapwing_delta::{Account, ApplyError, Header, NoBase, Profile};

const PROFILES: [Profile; 4] = [Profile::Kib64, Profile::Kib256, Profile::Mib1, Profile::Free];

/// Bytes of the artifact, and of the target, that an account knows of.
fn sums(account: &Account) -> (u64, u64) {
    let Account { header_bytes, map_bytes, coder_bytes, references, instructions, data, literals, .. } =
        *account;
    let entries = [references, instructions, data, literals];
    let body_bytes: u64 = entries.iter().map(|entry| entry.body_bytes).sum();
    let target_bytes = entries.iter().map(|entry| entry.target_bytes).sum();
    (header_bytes + map_bytes + coder_bytes + body_bytes, target_bytes)
}

#[test]
fn every_byte_of_artifact_and_target_has_its_entry() {
    let base = Seed(2).image(100_000);
    let target = Seed(3).edited(&base, 30);
    for profile in PROFILES {
        let artifact = made(Some(&base), &target, profile);
        let mut rest = artifact.as_slice();
        let header = Header::read(&mut rest).unwrap();
        let account = Account::of(&header, &mut base.as_slice(), &mut rest).unwrap();
        assert_eq!(sums(&account), (artifact.len() as u64, target.len() as u64));
        assert!(account.coder_bytes <= 8, "{account:?}");
        assert!(account.map_records > 1, "{account:?}");
    }
}

#[test]
fn a_full_image_is_literals_alone() {
    let target = Seed(1).image(50_000);
    let artifact = made(None, &target, Profile::Kib64);
    let mut rest = artifact.as_slice();
    let header = Header::read(&mut rest).unwrap();
    let account = Account::of(&header, &mut NoBase, &mut rest).unwrap();
    assert_eq!(sums(&account), (artifact.len() as u64, target.len() as u64));
    assert_eq!((account.map_bytes, account.literals.target_bytes), (0, target.len() as u64));
}

#[test]
fn another_base_has_no_account() {
    let base = Seed(2).image(50_000);
    let artifact = made(Some(&base), &Seed(3).edited(&base, 5), Profile::Kib64);
    let mut rest = artifact.as_slice();
    let header = Header::read(&mut rest).unwrap();
    assert_eq!(Account::of(&header, &mut NoBase, &mut rest), Err(ApplyError::BaseLength));
}
