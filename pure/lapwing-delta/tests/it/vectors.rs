//! The golden artifacts of `formats/vectors/delta` make the images beside them.
//!
//! Touches: those files. `cargo test -p lapwing-delta -- --ignored write_the_vectors` makes them anew.
//! Never: asks the encoder for the same bytes; a better encoder is welcome.

use crate::support::{Machine, Program, Seed, applied, made};
use lapwing_delta::{Header, Profile, make_by_codec};
use std::collections::BTreeSet;

struct Vector {
    name: &'static str,
    base: &'static [u8],
    target: &'static [u8],
    artifact: &'static [u8],
}

macro_rules! vector {
    ($name:literal, $way:literal) => {
        Vector {
            name: concat!($name, $way),
            base: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, ".old")),
            target: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, ".new")),
            artifact: include_bytes!(concat!("../../../../formats/vectors/delta/", $name, $way, ".delta")),
        }
    };
    ($name:literal) => {
        vector!($name, "")
    };
}

macro_rules! in_every_way {
    ($name:literal) => {
        [
            vector!($name, ".lzma-64KiB"),
            vector!($name, ".lzma-256KiB"),
            vector!($name, ".lzma-1MiB"),
            vector!($name, ".lzma-free"),
            vector!($name, ".mixing-64KiB"),
            vector!($name, ".mixing-256KiB"),
            vector!($name, ".mixing-1MiB"),
            vector!($name, ".mixing-free"),
        ]
    };
}

const IN_EVERY_WAY: [[Vector; 8]; 5] = [
    in_every_way!("edit"),
    in_every_way!("x86-64"),
    in_every_way!("aarch64"),
    in_every_way!("a32"),
    in_every_way!("thumb-2"),
];

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
    for Vector { name, base, target, artifact } in
        VECTORS.into_iter().chain(IN_EVERY_WAY.into_iter().flatten())
    {
        let header = Header::read(&mut &*artifact).unwrap();
        assert_eq!(header.is_full(), base.is_empty(), "{name}");
        assert_eq!(header.artifact_bytes(), artifact.len() as u64, "{name}");
        assert!(applied(base, artifact, 0).as_deref() == Ok(target), "{name}");
    }
}

#[test]
fn there_is_a_vector_of_every_codec_profile_and_architecture() {
    let kind = |vector: &Vector| [vector.artifact[5], vector.artifact[6] >> 4, vector.artifact[6] & 15];
    let kinds: BTreeSet<_> = IN_EVERY_WAY.as_flattened().iter().map(kind).collect();
    let all = (1..=2).flat_map(|codec| (0..=4).flat_map(move |a| (1..=4).map(move |p| [codec, a, p])));
    assert_eq!(kinds, all.collect());
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
    let write = |name: String, bytes: &[u8]| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../formats/vectors/delta");
        std::fs::write(format!("{root}/{name}"), bytes).unwrap();
    };
    for (name, profile, (base, target)) in contents {
        let artifact = made((!base.is_empty()).then_some(&base), &target, profile);
        for (kind, bytes) in [("old", base), ("new", target), ("delta", artifact)] {
            write(format!("{name}.{kind}"), &bytes);
        }
    }
    let profiles = [Profile::Kib64, Profile::Kib256, Profile::Mib1, Profile::Free];
    for vector in IN_EVERY_WAY.as_flattened().iter().step_by(2 * profiles.len()) {
        let name = vector.name.split('.').next().unwrap();
        for (codec, is_mixed) in [("lzma", false), ("mixing", true)] {
            for (profile, size) in profiles.into_iter().zip(["64KiB", "256KiB", "1MiB", "free"]) {
                let (mut base, mut target) = (vector.base, vector.target);
                let artifact = make_by_codec(is_mixed, &mut base, &mut target, profile).unwrap();
                write(format!("{name}.{codec}-{size}.delta"), &artifact);
            }
        }
    }
}
