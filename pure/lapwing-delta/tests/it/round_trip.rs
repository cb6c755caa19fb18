//! Whatever is made comes back as it was.
//!
//! Touches: `crate::support`.
//! Never: compares sizes more finely than small and large.

use crate::support::{Machine, Program, Seed, applied, made};
use lapwing_delta::{Header, Profile};
use proptest::prelude::*;

const PROFILES: [Profile; 4] = [Profile::Kib64, Profile::Kib256, Profile::Mib1, Profile::Free];

fn check(base: Option<&[u8]>, target: &[u8], profile: Profile) -> Vec<u8> {
    let artifact = made(base, target, profile);
    assert!(applied(base.unwrap_or_default(), &artifact, 0).as_deref() == Ok(target));
    artifact
}

#[test]
fn a_full_image_comes_back_in_every_profile() {
    let image = Seed(1).image(300_000);
    for profile in PROFILES {
        let artifact = check(None, &image, profile);
        let header = Header::read(&mut artifact.as_slice()).unwrap();
        assert!(header.is_full());
        assert!(artifact.len() < image.len());
        assert_eq!(header.artifact_bytes(), artifact.len() as u64);
    }
}

#[test]
fn an_edited_image_comes_back_and_is_small() {
    let base = Seed(2).image(300_000);
    let target = Seed(3).edited(&base, 30);
    for profile in PROFILES {
        let artifact = check(Some(&base), &target, profile);
        assert!(!Header::read(&mut artifact.as_slice()).unwrap().is_full());
        assert!(artifact.len() < 5_000, "{} bytes", artifact.len());
    }
}

#[test]
fn empty_images_come_back() {
    check(None, &[], Profile::Kib64);
    check(Some(&[]), &[], Profile::Kib64);
    check(Some(&[]), b"something", Profile::Kib64);
    check(Some(b"something"), &[], Profile::Kib64);
}

#[test]
fn an_image_that_did_not_change_costs_next_to_nothing() {
    let image = Seed(4).image(1_000_000);
    let artifact = check(Some(&image), &image, Profile::Kib64);
    assert!(artifact.len() < 400, "{} bytes", artifact.len());
}

#[test]
fn a_huge_shift_and_a_swap_of_halves_stay_small() {
    let base = Seed(5).image(400_000);
    let shifted = [Seed(6).image(100_000), base.clone()].concat();
    let swapped = [&base[200_000..], &base[..200_000]].concat();
    assert!(check(Some(&base), &swapped, Profile::Kib64).len() < 300);
    let inserted = check(None, &shifted[..100_000], Profile::Kib64).len();
    assert!(check(Some(&base), &shifted, Profile::Kib64).len() < inserted + 200);
    assert!(check(Some(&shifted), &base, Profile::Kib64).len() < 300);
}

#[test]
fn images_of_one_byte_repeated_do_not_stall() {
    let mut target = vec![0; 300_000];
    target.iter_mut().step_by(7_000).for_each(|byte| *byte = 1);
    check(Some(&vec![0; 200_000]), &target, Profile::Kib64);
    check(Some(&target), &vec![0; 200_000], Profile::Kib64);
}

#[test]
fn a_base_of_no_use_gives_the_full_image() {
    let [base, target] = [Seed(7).image(50_000), Seed(8).image(50_000)];
    let artifact = check(Some(&base), &target, Profile::Kib64);
    assert!(Header::read(&mut artifact.as_slice()).unwrap().is_full());
    assert_eq!(artifact, made(None, &target, Profile::Kib64));
}

#[test]
fn code_that_only_moved_costs_next_to_nothing_on_every_machine() {
    for machine in [Machine::X86_64, Machine::Aarch64, Machine::A32, Machine::Thumb2] {
        let mut program = Program::new(&mut Seed(9), 800);
        let base = program.linked(machine);
        program.grow(100, 7);
        program.grow(500, 8);
        let target = program.linked(machine);
        let differing = base.iter().zip(&target).filter(|(a, b)| a != b).count();
        for profile in PROFILES {
            let artifact = check(Some(&base), &target, profile);
            assert!(artifact.len() < 500, "{machine:?}: {} of {differing} bytes", artifact.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_edits_come_back(seed: u64, length in 0usize..20_000, edits in 0usize..60) {
        let mut seed = Seed(seed);
        let base = seed.image(length);
        let target = seed.edited(&base, edits);
        check(Some(&base), &target, Profile::Kib64);
    }

    #[test]
    fn any_two_images_come_back(base: Vec<u8>, target: Vec<u8>) {
        check(Some(&base), &target, Profile::Kib64);
    }
}

#[test]
fn references_of_programs_in_an_archive_are_followed_too() {
    let mut program = Program::new(&mut Seed(29), 300);
    let base = program.linked(Machine::Aarch64);
    (0..12).for_each(|function| program.grow(function * 23, function as u32));
    let target = program.linked(Machine::Aarch64);
    let [alone, held] = [0, 4096].map(|head_bytes| {
        let [base, target] = [&base, &target].map(|image| [&vec![b' '; head_bytes], &image[..]].concat());
        check(Some(&base), &target, Profile::Kib64).len()
    });
    assert!(held < alone * 3 / 2, "{alone} bytes alone, {held} in an archive");
}
