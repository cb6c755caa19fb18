//! A whole update of a provisioned device by hand, through the real launcher, cut everywhere.
//!
//! Touches: strace, `lapwing`, `lapwing-launcher`, `hand-made-update`, temporary folders.

use crate::counts::{both_models, nothing_traced};
use lapwing_core::Digest;
use lapwing_e2e::{Binaries, Crash, Findings, LapwingJudge, Recording, Tree, trace};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const HAND_MADE: &str = env!("CARGO_BIN_EXE_hand-made-update");
const STATES_PER_CUT: usize = 4000;

struct Workshop {
    folder: TempDir,
    binaries: Binaries,
}

impl Workshop {
    fn new() -> Self {
        let binaries = Binaries::find().unwrap();
        let workshop = Self { folder: TempDir::new().unwrap(), binaries };
        for (name, version) in [("old", 1), ("new", 2)] {
            let path = workshop.path(name);
            // What launches it says what it shall do; the rest of the image is ballast.
            let text = format!("#!/bin/sh\n# version {version}\nexec {HAND_MADE} \"$LAPWING_ROOT\" \"$@\"\n");
            fs::write(&path, [text.as_bytes(), &[b'#'; 9000]].concat()).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn digest(&self, name: &str) -> Digest {
        Digest::of(&fs::read(self.path(name)).unwrap())
    }

    /// A device as it leaves the factory.
    fn provision(&self) -> TempDir {
        let device = TempDir::new().unwrap();
        if !self.path("keys").exists() {
            let (server, online) = ("11".repeat(32), "22".repeat(32));
            self.lapwing("key init --dir keys");
            self.lapwing(&format!("key root create --dir keys --tls-server {server}"));
            self.lapwing(&format!("key delegate --dir keys --online {online}"));
        }
        let (out, token) = (device.path().display(), "00".repeat(16));
        self.lapwing(&format!(
            "device provision --dir keys --out {out} --id device-1 --hardware acme.example/beacon \
             --server https://127.0.0.1:1 --image old --image-version 1.0.0 --claim-token {token}"
        ));
        device
    }

    fn lapwing(&self, line: &str) {
        let mut command = Command::new(self.binaries.program("lapwing"));
        let output = command.args(line.split_whitespace()).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Traces the whole update with one step left out.
    fn update(&self, omit: &str) -> Recording {
        let device = self.provision();
        let mut command = Command::new(self.binaries.program("lapwing-launcher"));
        command.arg("run").arg("--root").arg(device.path()).arg("--");
        command.arg(self.binaries.program("lapwing-launcher")).arg(self.path("new")).args([omit, "install"]);
        trace(device.path(), &command).unwrap()
    }

    fn findings(&self, omit: &str, ends_with: &'static str) -> [Findings; 2] {
        let recording = self.update(omit);
        let end = recording.operations.len();
        let images = [("old", self.digest("old")), ("new", self.digest("new"))];
        let judge = LapwingJudge::new(&recording, &images).reported(end, ends_with);
        let mut promises = recording.spoken();
        promises.push(end);
        let name = match omit {
            "nothing" => "an update by hand".to_owned(),
            "roll-back" => "a rollback by hand".to_owned(),
            omit => format!("an update by hand, wrong in {omit}"),
        };
        both_models(&name, &recording, &promises, STATES_PER_CUT, &|crash| judge.judge(crash))
    }
}

#[test]
fn a_right_update_and_a_right_rollback_have_no_bad_state() {
    if nothing_traced("an update by hand") {
        return;
    }
    let workshop = Workshop::new();
    for (omit, ends_with) in [("nothing", "new"), ("roll-back", "old")] {
        for findings in workshop.findings(omit, ends_with) {
            assert_eq!(findings.bad, 0, "{omit}: {findings}");
            assert!(findings.good.contains_key("old") && findings.good.contains_key("new"), "{findings}");
        }
    }
}

#[test]
fn a_damaged_folder_is_refused() {
    let workshop = Workshop::new();
    let images = [("old", workshop.digest("old"))];
    let verdict = |damage: &dyn Fn(&Path)| {
        let device = workshop.provision();
        let recording = Recording { before: Tree::read(device.path()).unwrap(), operations: Vec::new() };
        damage(device.path());
        let tree = Tree::read(device.path()).unwrap();
        let crash = Crash { tree: &tree, cut: 0, promised: None };
        LapwingJudge::new(&recording, &images).judge(&crash)
    };
    assert_eq!(verdict(&|_| {}), Ok("old".into()));
    let remove = |name: &'static str| move |root: &Path| fs::remove_file(root.join(name)).unwrap();
    let put = |name: &'static str, bytes: &'static [u8]| {
        move |root: &Path| fs::write(root.join(name), bytes).unwrap()
    };
    let count = |root: &Path| {
        fs::create_dir_all(root.join("artifact")).unwrap();
        let (digest, number) = ([7; 32], 10_u64.to_be_bytes());
        let sum = Digest::of(&[number.as_slice(), &digest].concat()).short().0;
        let blocks = [b"LWPART01".as_slice(), &digest, &[0; 8], &number, &sum].concat();
        fs::write(root.join("artifact/blocks"), blocks).unwrap();
    };
    let shorten = |name: &'static str| {
        move |root: &Path| {
            let bytes = fs::read(root.join(name)).unwrap();
            fs::write(root.join(name), &bytes[..bytes.len() - 1]).unwrap();
        }
    };
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let damages: &[Damage<'_>] = &[
        ("there is no slot table", &remove("slot-table")),
        ("the slot table is 8191 bytes long", &shorten("slot-table")),
        ("neither record of the slot table is valid", &put("slot-table", &[0; 8192])),
        ("slot a has no image", &remove("slots/a/image")),
        ("slot a is Confirmed and holds other bytes", &shorten("slots/a/image")),
        ("10 bytes of an image are counted that are not in slot b", &count),
        ("there is no root document", &remove("trust/root-1.cbor")),
        ("root document 1:", &shorten("trust/root-1.cbor")),
        ("root document 2:", &put("trust/root-2.cbor", b"another")),
        ("there is no delegation", &remove("trust/delegation.cbor")),
        ("no root document believes the delegation", &shorten("trust/delegation.cbor")),
        ("neither secret nor claim token", &remove("claim-token")),
        ("others may read the secret", &put("secret", b"secret")),
        ("the configuration has changed", &shorten("agent.toml")),
        ("the record is cut short", &put("record", b"short")),
        ("the record is not the one that was summed up", &put("record", b"as long as a sum")),
    ];
    for (complaint, damage) in damages {
        let said = verdict(damage).expect_err(complaint);
        assert!(said.starts_with(complaint), "{complaint}: {said}");
    }
}

#[test]
fn each_step_left_out_is_found() {
    if nothing_traced("steps left out") {
        return;
    }
    let workshop = Workshop::new();
    for omit in [
        "image-flush",
        "image-folder-flush",
        "table-flush",
        "table-place",
        "staged-late",
        "mode",
        "record-flush",
        "record-folder-flush",
        "record-rename",
        "secret-flush",
        "secret-folder-flush",
    ] {
        let [_, posix] = workshop.findings(omit, "new");
        assert!(posix.bad > 0, "{omit}: {posix}");
    }
}
