//! The golden artifacts of `formats/vectors/delta` make the images beside them.
//!
//! Touches: those files. `cargo test -p lapwing-delta -- --ignored write_the_vectors` makes them anew.
//! Never: asks the encoder for the same bytes; a better encoder is welcome.

use crate::support::{Seed, applied, made};
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

const VECTORS: [Vector; 5] =
    [vector!("empty"), vector!("full"), vector!("wrap"), vector!("edit"), vector!("moves")];

#[test]
fn golden_artifacts_make_their_images() {
    for Vector { name, base, target, artifact } in VECTORS {
        let header = Header::read(&mut &*artifact).unwrap();
        assert_eq!(header.is_full(), base.is_empty(), "{name}");
        assert_eq!(header.artifact_bytes(), artifact.len() as u64, "{name}");
        assert_eq!(applied(base, artifact, 0).as_deref(), Ok(target), "{name}");
    }
}

#[test]
#[ignore = "writes into the source tree"]
#[allow(clippy::disallowed_methods, reason = "the vectors are files")]
fn write_the_vectors() {
    let text = b"A bird of the open field, two wings, always comes home. ".repeat(20);
    let base = Seed(30).image(2_000);
    let moved = Seed(31).image(12_000);
    let contents = [
        ("empty", vec![], vec![]),
        ("full", vec![], text),
        ("wrap", vec![], Seed(32).image(300).repeat(150)),
        ("edit", base.clone(), Seed(33).edited(&base, 6)),
        ("moves", moved.clone(), (0..120).flat_map(|n| moved[n * 7919 % 11_900..][..100].to_vec()).collect()),
    ];
    for (name, base, target) in contents {
        let artifact = made((!base.is_empty()).then_some(&base), &target, Profile::Kib64);
        for (kind, bytes) in [("old", base), ("new", target), ("delta", artifact)] {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../formats/vectors/delta");
            std::fs::write(format!("{root}/{name}.{kind}"), bytes).unwrap();
        }
    }
}
