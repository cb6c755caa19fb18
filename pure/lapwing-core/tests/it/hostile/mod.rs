//! Everything the core must refuse, one folder an attack: `formats/vectors/hostile/NAME`.
//!
//! `object.cbor` holds the bytes; `case.txt` says what a device holds, how it opens them and which
//! error it must give. Touches: those folders. Never: trusts its own list; the folders are walked.

mod bindings;
mod case;
mod edges;
mod limits;
mod signatures;
mod spelling;
mod trust;
mod values;

use crate::kept::{keep, keep_only, path};
use case::{Attack, Case};
pub(crate) use edges::small_order_key;

/// Beside the attacks: their list, and what only a device can refuse (`lapwing-device`).
const OTHERS: [&str; 2] = ["device", "index.txt"];

fn attacks() -> Vec<Attack> {
    let rooms = [
        signatures::attacks,
        bindings::attacks,
        trust::attacks,
        edges::attacks,
        spelling::attacks,
        values::attacks,
        limits::attacks,
    ];
    rooms.into_iter().flat_map(|room| room()).collect()
}

#[test]
fn attacks_are_kept_as_they_are_made() {
    let attacks = attacks();
    for attack in &attacks {
        keep(&format!("hostile/{}/object.cbor", attack.name), &attack.bytes);
        keep(&format!("hostile/{}/case.txt", attack.name), attack.case().as_bytes());
        keep_only(&format!("hostile/{}", attack.name), ["case.txt".into(), "object.cbor".into()]);
    }
    let names: Vec<_> = attacks.iter().map(|attack| attack.name.to_string()).collect();
    keep("hostile/index.txt", format!("{}\n", names.join("\n")).as_bytes());
    keep_only("hostile", names.into_iter().chain(OTHERS.map(String::from)));
}

#[test]
fn every_attack_is_refused_with_its_own_error() {
    let folders = std::fs::read_dir(path("hostile")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cases: Vec<_> =
        names.filter(|name| !OTHERS.contains(&name.as_str())).map(|name| (Case::read(&name), name)).collect();
    let opened: Vec<_> = cases.iter().map(|(case, name)| format!("{name}: {}", case.open())).collect();
    let expected: Vec<_> = cases.iter().map(|(case, name)| format!("{name}: {}", case.expected)).collect();
    assert_eq!(opened, expected);
    assert_eq!(cases.len(), attacks().len());
}
