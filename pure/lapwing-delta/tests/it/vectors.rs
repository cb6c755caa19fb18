//! The golden artifacts of `formats/vectors/delta` make the images beside them.
//!
//! Touches: those files. `cargo test -p lapwing-delta -- --ignored write_the_vectors` makes them anew.
//! Never: asks the encoder for the same bytes; a better encoder is welcome.

use crate::support::{Machine, Program, Seed, applied, made};
use lapwing_delta::{Header, Profile};

struct Vector {
    name: &'static str,
    base: &'static [u8],
    target: &'static [u8],
    artifact: &'static [u8],
}

macro_rules! vector {
    ($name:literal) => {
        Vector {
            name: $name,
            base: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, ".old")),
            target: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, ".new")),
            artifact: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, ".delta")),
        }
    };
}

const VECTORS: [Vector; 9] = [
    vector!("empty"),
    vector!("full"),
    vector!("wrap"),
    vector!("edit"),
    vector!("moves"),
    vector!("x86-64"),
    vector!("aarch64"),
    vector!("a32"),
    vector!("thumb-2"),
];

#[test]
fn golden_artifacts_make_their_images() {
    for Vector { name, base, target, artifact } in VECTORS {
        let header = Header::read(&mut &*artifact).unwrap();
        assert_eq!(header.is_full(), base.is_empty(), "{name}");
        assert_eq!(header.artifact_bytes(), artifact.len() as u64, "{name}");
        assert!(applied(base, artifact, 0).as_deref() == Ok(target), "{name}");
    }
}

#[test]
fn there_is_a_vector_of_every_codec_profile_and_architecture() {
    let has = |at: usize, part: fn(u8) -> u8, value| VECTORS.iter().any(|v| part(v.artifact[at]) == value);
    assert!([1, 2].into_iter().all(|codec| has(5, |byte| byte, codec)));
    assert!((0..=4).all(|architecture| has(6, |byte| byte >> 4, architecture)));
    assert!((1..=4).all(|profile| has(6, |byte| byte & 15, profile)));
}

#[test]
#[ignore = "writes into the source tree"]
#[allow(clippy::disallowed_methods, reason = "the vectors are files")]
fn write_the_vectors() {
    let text = b"A bird of the open field, two wings, always comes home. ".repeat(20);
    let base = Seed(30).image(2_000);
    let moved = Seed(31).image(12_000);
    let linked = |machine| {
        let mut program = Program::new(&mut Seed(34), 60);
        let base = program.linked(machine);
        program.grow(20, 0x1234_5678);
        (base, program.linked(machine))
    };
    let [x86_64, aarch64, a32, thumb_2] =
        [Machine::X86_64, Machine::Aarch64, Machine::A32, Machine::Thumb2].map(linked);
    let moves = (0..120).flat_map(|n| moved[n * 7919 % 11_900..][..100].to_vec()).collect();
    let contents = [
        ("empty", Profile::Kib64, (vec![], vec![])),
        ("full", Profile::Kib64, (vec![], text)),
        ("wrap", Profile::Kib64, (vec![], Seed(32).image(300).repeat(150))),
        ("edit", Profile::Kib64, (base.clone(), Seed(33).edited(&base, 6))),
        ("moves", Profile::Kib64, (moved, moves)),
        ("x86-64", Profile::Kib256, x86_64),
        ("aarch64", Profile::Mib1, aarch64),
        ("a32", Profile::Free, a32),
        ("thumb-2", Profile::Kib64, thumb_2),
    ];
    for (name, profile, (base, target)) in contents {
        let artifact = made((!base.is_empty()).then_some(&base), &target, profile);
        for (kind, bytes) in [("old", base), ("new", target), ("delta", artifact)] {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../formats/vectors/delta");
            std::fs::write(format!("{root}/{name}.{kind}"), bytes).unwrap();
        }
    }
}
