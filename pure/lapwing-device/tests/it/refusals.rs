//! Offers that a device must refuse before a byte of downlink, one folder an attack:
//! `formats/vectors/hostile/device/NAME`, each with its own cause.
//!
//! `answer.cbor` is what comes back to a check-in with the vectors' nonce; `case.txt` says what the device is
//! and which cause it must report. Touches: those folders. Never: trusts its own list; the folders are walked.

use crate::fleet::{
    DAY_S, NOW, START, answered, at_large, device, key, sign, sign1, small_delegation, small_offer,
    small_release, small_root, spell,
};
use crate::kept::{keep, keep_only, path, read};
use crate::kit::{Bench, base, first_table, installed, offer_answer, settings};
use lapwing_core::cbor::decode;
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::trust::Delegation;
use lapwing_core::wire::answer::{Answer, Offer};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{
    AttemptId, BootId, Digest, KeyId, Release, Requirement, Semver, Slot, TrustAnchor, UnixSeconds,
    VersionRange,
};
use lapwing_device::{
    Boot, Device, Effect, Event, Floor, Record, Refusal, ResetCause, Settings, StoredRecord,
};
use std::collections::BTreeMap;
use std::str::FromStr;

const FOLDER: &str = "hostile/device";

struct Attack {
    name: &'static str,
    story: &'static str,
    /// What differs from the usual device.
    device: &'static [(&'static str, &'static str)],
    delegation: Option<Vec<u8>>,
    answer: Vec<u8>,
    cause: Cause,
}

/// The usual device, as `case.txt` spells it.
const DEVICE: [(&str, &str); 9] = [
    ("confirmed", "1.4.1 seq 41 security 3"),
    ("blamed", "0"),
    ("floor", "3"),
    ("time-floor", "0"),
    ("running", "base"),
    ("bootloader", "4"),
    ("profile", "1"),
    ("slot-bytes", "1000000"),
    ("refused-artifact", "none"),
];

/// An attack by a signed release or offer that says something else than the usual.
fn says(
    name: &'static str,
    story: &'static str,
    cause: Cause,
    change: impl FnOnce(&mut Release, &mut Offer),
) -> Attack {
    Attack { name, story, device: &[], delegation: None, answer: offer_answer(change), cause }
}

/// The usual offer, to a device that is not the usual one.
fn meets(
    name: &'static str,
    story: &'static str,
    cause: Cause,
    device: &'static [(&'static str, &'static str)],
) -> Attack {
    Attack { device, ..says(name, story, cause, |_, _| {}) }
}

/// An answer put together by hand.
fn brings(name: &'static str, story: &'static str, cause: Cause, answer: Vec<u8>) -> Attack {
    Attack { name, story, device: &[], delegation: None, answer, cause }
}

fn with(offer: &[u8], release: Option<&[u8]>) -> Vec<u8> {
    spell(&Answer::Offer { offer, release })
}

fn release_by(signer: &str) -> Vec<u8> {
    sign1(&at_large(Kind::Release), &small_release(), signer)
}

fn offer_of(release: &[u8], signer: &str) -> Vec<u8> {
    let offer = Offer { attempt: AttemptId(7), ..small_offer(release) };
    sign1(&answered(Kind::Offer, &device()), &offer, signer)
}

fn spoilt(mut bytes: Vec<u8>) -> Vec<u8> {
    // Well inside the payload, so that the envelope still decodes.
    bytes[40] ^= 1;
    bytes
}

fn envelopes() -> Vec<Attack> {
    let release = release_by("release-a");
    let offer = offer_of(&release, "online-a");
    let by = |signer: &str| {
        let release = release_by(signer);
        with(&offer_of(&release, "online-a"), Some(&release))
    };
    let other = sign1(&at_large(Kind::Release), &Release { seq: 99, ..small_release() }, "release-a");
    let future = {
        let mut payload = spell(&small_release());
        payload[2] = 9;
        let bytes = sign(&at_large(Kind::Release), Form::Single, &payload, &["release-a"]);
        with(&offer_of(&bytes, "online-a"), Some(&bytes))
    };
    use Cause::{OfferUntrusted, ReleaseMismatch, ReleaseMissing, ReleaseUndecodable, ReleaseUntrusted};
    vec![
        brings(
            "offer-by-stranger",
            "A stranger offers a genuine release.",
            OfferUntrusted,
            with(&offer_of(&release, "stranger"), Some(&release)),
        ),
        brings(
            "offer-by-release-key",
            "The release key offers what it signed.",
            OfferUntrusted,
            with(&offer_of(&release, "release-a"), Some(&release)),
        ),
        brings(
            "offer-tampered",
            "One bit of the offer is another.",
            OfferUntrusted,
            with(&spoilt(offer.clone()), Some(&release)),
        ),
        brings(
            "release-by-server",
            "A stolen server signs a release itself.",
            ReleaseUntrusted,
            by("online-a"),
        ),
        brings("release-by-stranger", "A stranger's release.", ReleaseUntrusted, by("stranger")),
        brings(
            "release-tampered",
            "One bit of the release is another; the server's offer names it as it is.",
            ReleaseUntrusted,
            {
                let release = spoilt(release.clone());
                with(&offer_of(&release, "online-a"), Some(&release))
            },
        ),
        brings("release-of-the-future", "A format that nobody knows yet.", ReleaseUndecodable, future),
        brings(
            "release-swapped",
            "A genuine release, but not the one that the offer names.",
            ReleaseMismatch,
            with(&offer, Some(&other)),
        ),
        brings(
            "release-missing",
            "An offer of a release that does not come.",
            ReleaseMissing,
            with(&offer, None),
        ),
    ]
}

fn releases() -> Vec<Attack> {
    use Cause::{
        BootloaderTooOld, ComponentUnknown, DowngradeNotAllowed, EncryptionUnsupported, HardwareClass,
        ImageTooLarge, NotInstallableFrom, ReleaseExpired, SecurityVersionTooLow, SeqNotNewer,
    };
    let range = |from: [u32; 3], below: [u32; 3]| {
        let at = |[major, minor, patch]: [u32; 3]| Semver { major, minor, patch };
        VersionRange { from: at(from), below: at(below) }
    };
    vec![
        says("other-component", "For the system, not for the app.", ComponentUnknown, |release, _| {
            release.component = "system".parse().unwrap();
        }),
        says("other-hardware", "For another hardware class.", HardwareClass, |release, _| {
            release.hardware[0].class = [0xcc; 16];
        }),
        says("other-vendor", "The same class of another vendor.", HardwareClass, |release, _| {
            release.hardware[0].vendor = [0xcc; 16];
        }),
        says(
            "newer-bootloader",
            "It needs a bootloader that is not there.",
            BootloaderTooOld,
            |release, _| {
                release.bootloader_min = 5;
            },
        ),
        says("older-seq", "An old release again.", SeqNotNewer, |release, _| release.seq = 40),
        says("same-seq", "The seq that is confirmed.", SeqNotNewer, |release, _| release.seq = 41),
        meets("blamed-seq", "It failed here before.", SeqNotNewer, &[("blamed", "42")]),
        says(
            "lower-security-version",
            "Newer by seq, with an old hole.",
            SecurityVersionTooLow,
            |release, _| {
                release.security_version = 2;
            },
        ),
        meets("below-the-floor", "The floor was raised since.", SecurityVersionTooLow, &[("floor", "4")]),
        says("not-installable-from-here", "Only from 1.0 to 1.4.0.", NotInstallableFrom, |release, _| {
            release.installable_from = [range([1, 0, 0], [1, 4, 1])].into_iter().collect();
        }),
        meets(
            "not-installable-from-a-nickname",
            "A version without numbers is in no range.",
            NotInstallableFrom,
            &[("confirmed", "nightly seq 41 security 3")],
        )
        .from(|release| release.installable_from = [range([1, 0, 0], [2, 0, 0])].into_iter().collect()),
        says(
            "downgrade",
            "1.3.0 after 1.4.1, which its maker did not allow.",
            DowngradeNotAllowed,
            |release, _| {
                release.version = "1.3.0".parse().unwrap();
            },
        ),
        says("expired", "It could be installed until yesterday.", ReleaseExpired, |release, _| {
            release.not_after = Some(UnixSeconds(NOW.0 - DAY_S));
        }),
        meets("image-oversize", "It does not fit the slot.", ImageTooLarge, &[("slot-bytes", "524287")]),
        says("encrypted", "In a way that this device cannot undo.", EncryptionUnsupported, |release, _| {
            release.encryption = Some(heapless::Vec::from_slice(&[1]).unwrap());
        }),
    ]
}

fn requirements() -> Vec<Attack> {
    use Cause::RequiresUnmet;
    vec![
        says("requires-another", "It needs a system that is not there.", RequiresUnmet, |release, _| {
            let needed = Requirement { component: "system".parse().unwrap(), seq_min: 1 };
            release.requires = [needed].into_iter().collect();
        }),
        says("requires-a-step-between", "It needs seq 42 first.", RequiresUnmet, |release, _| {
            let needed = Requirement { component: "app".parse().unwrap(), seq_min: 42 };
            (release.seq, release.requires) = (43, [needed].into_iter().collect());
        }),
    ]
}

fn travels() -> Vec<Attack> {
    use Cause::{BaseUnknown, DeltaUndecodable, ProfileTooLarge, TransferOversize};
    vec![
        says("artifact-oversize", "More bytes than the image can justify.", TransferOversize, |_, offer| {
            offer.travel.artifact_size_bytes = 551_527;
        }),
        says("artifact-endless", "As many bytes as a number can say.", TransferOversize, |_, offer| {
            offer.travel.artifact_size_bytes = u64::MAX;
        }),
        says("profile-too-large", "It needs more memory than there is.", ProfileTooLarge, |_, offer| {
            offer.travel.profile = 2;
        }),
        says("base-unknown", "A delta from an image that does not run here.", BaseUnknown, |_, offer| {
            offer.travel.from = Some(Digest::of(b"other base").short());
        }),
        meets(
            "base-modified-in-place",
            "A delta from an image that somebody changed.",
            BaseUnknown,
            &[("running", "modified")],
        ),
        meets(
            "artifact-refused-before",
            "The same false artifact once more in the same attempt.",
            DeltaUndecodable,
            &[("refused-artifact", "attempt 7")],
        ),
    ]
}

fn times() -> Vec<Attack> {
    let far = START.after(370 * DAY_S);
    let late = Delegation {
        version: 9,
        not_before: START.after(300 * DAY_S),
        not_after: START.after(400 * DAY_S),
        ..small_delegation()
    };
    let late = sign1(&at_large(Kind::Delegation), &late, "delegator-a");
    assert!(far > small_root().not_after);
    vec![
        says("delegation-expired", "The online key's window is over.", Cause::OfferStale, |_, offer| {
            offer.now = START.after(101 * DAY_S);
        }),
        says("delegation-not-yet", "Its window has not begun.", Cause::OfferStale, |_, offer| {
            offer.now = UnixSeconds(START.0 - 1);
        }),
        meets(
            "time-below-the-floor",
            "A signed answer of last week, or a server whose clock was turned back.",
            Cause::OfferStale,
            // Ten days after the root was signed, and one second.
            &[("time-floor", "1796083201")],
        ),
        Attack {
            delegation: Some(late),
            ..says(
                "root-expired",
                "Nothing installs under an expired root.",
                Cause::RootExpired,
                |_, offer| {
                    offer.now = far;
                },
            )
        },
    ]
}

impl Attack {
    /// The same with another release.
    fn from(self, change: impl FnOnce(&mut Release)) -> Self {
        Self { answer: offer_answer(|release, _| change(release)), ..self }
    }

    fn case(&self) -> String {
        let said = |(name, usual): (&str, &str)| {
            let other = self.device.iter().find(|(said, _)| *said == name).map(|(_, value)| *value);
            format!("{name}: {}\n", other.unwrap_or(usual))
        };
        let device: String = DEVICE.into_iter().map(said).collect();
        let delegation = if self.delegation.is_some() { "delegation.cbor" } else { "delegation/small" };
        format!(
            "# {}\nroot: root/small\ndelegation: {delegation}\n{device}refused: {}\n",
            self.story,
            self.cause.label()
        )
    }
}

fn attacks() -> Vec<Attack> {
    [envelopes(), releases(), requirements(), travels(), times()].into_iter().flatten().collect()
}

#[test]
fn attacks_are_kept_as_they_are_made() {
    let attacks = attacks();
    for attack in &attacks {
        let folder = format!("{FOLDER}/{}", attack.name);
        keep(&format!("{folder}/answer.cbor"), &attack.answer);
        keep(&format!("{folder}/case.txt"), attack.case().as_bytes());
        let mut files = vec!["answer.cbor".to_string(), "case.txt".into()];
        if let Some(delegation) = &attack.delegation {
            keep(&format!("{folder}/delegation.cbor"), delegation);
            files.push("delegation.cbor".into());
        }
        keep_only(&folder, files);
    }
    keep_only(FOLDER, attacks.iter().map(|attack| attack.name.to_string()));
}

/// A device as a `case.txt` describes it.
struct Case {
    lines: BTreeMap<String, String>,
    folder: String,
}

impl Case {
    fn read(name: &str) -> Self {
        let folder = format!("{FOLDER}/{name}");
        let text = String::from_utf8(read(&format!("{folder}/case.txt"))).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.map(|line| line.split_once(": ").unwrap());
        Self { lines: lines.map(|(name, value)| (name.into(), value.into())).collect(), folder }
    }

    fn line(&self, name: &str) -> &str {
        &self.lines[name]
    }

    fn number<T: FromStr<Err: core::fmt::Debug>>(&self, name: &str) -> T {
        self.line(name).parse().unwrap()
    }

    fn anchor(&self) -> TrustAnchor {
        let delegation = match self.line("delegation") {
            "delegation.cbor" => read(&format!("{}/delegation.cbor", self.folder)),
            name => read(&format!("{name}.cbor")),
        };
        let root = read(&format!("{}.cbor", self.line("root")));
        TrustAnchor::provisioned(&root).unwrap().delegate(&delegation).unwrap()
    }

    fn settings(&self) -> Settings {
        let mut settings = settings();
        settings.identity.bootloader = self.number("bootloader");
        settings.identity.profile = self.number("profile");
        settings.identity.slot_bytes_max = self.number("slot-bytes");
        settings
    }

    fn record(&self) -> Record {
        let confirmed: Vec<&str> = self.line("confirmed").split(' ').collect();
        let [version, "seq", seq, "security", security] = confirmed[..] else { panic!("{confirmed:?}") };
        let mut record = Record::new(installed(version, seq.parse().unwrap()));
        record.confirmed.security_version = security.parse().unwrap();
        record.seq_blamed = self.number("blamed");
        record.security_floor = self.number("floor");
        let time = UnixSeconds(self.number("time-floor"));
        record.floor = (time.0 > 0).then_some(Floor { time, key: KeyId([0; 4]) });
        if let Some(attempt) = self.line("refused-artifact").strip_prefix("attempt ") {
            let attempt = AttemptId(attempt.parse().unwrap());
            let digest = Digest::of(b"artifact");
            record.refused.push(Refusal { attempt, digest }).unwrap();
        }
        record
    }

    /// A device that is about to hear the answer.
    fn bench(&self) -> Bench {
        let mut bench = Bench::new(self.settings(), None);
        let mut buffer = [0; 2048];
        let record = self.record();
        let stored = StoredRecord::Bytes(record.encode(&mut buffer).unwrap());
        bench.device = Device::new(self.settings(), self.anchor(), stored);
        let running = match self.line("running") {
            "base" => base(),
            _ => Digest::of(b"modified"),
        };
        let (id, table) = (BootId([1; 8]), first_table());
        let boot = Boot { id, table, slot: Slot::A, running, reset: ResetCause::PowerOn, crashed: false };
        bench.step(Event::Booted(boot));
        bench
    }
}

#[test]
fn every_attack_is_refused_with_its_own_cause_before_any_downlink() {
    let folders = std::fs::read_dir(path(FOLDER)).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut tried = 0;
    for name in names {
        let case = Case::read(&name);
        let mut bench = case.bench();
        bench.until_check_in();
        let before = bench.device.record().clone();
        bench.step(Event::Answered(&read(&format!("{}/answer.cbor", case.folder))));
        let allowed =
            |effect: &Effect| matches!(effect, Effect::Save | Effect::Report { .. } | Effect::CheckIn);
        assert!(bench.effects.iter().all(allowed), "{name}: {:?}", bench.effects);
        assert_eq!(bench.doing(), "idle", "{name}");
        let record = bench.device.record();
        assert!(record.attempt.is_none(), "{name}");
        assert_eq!(record.seq_blamed, before.seq_blamed, "{name}: a server can burn a seq");
        let told: Vec<_> = record.events.iter().map(|event| (event.kind, event.detail)).collect();
        let cause = Cause::ALL.iter().find(|cause| cause.label() == case.line("refused")).unwrap();
        let detail = Detail::Cause(*cause);
        let mut expected = vec![(EventKind::VerifyFailed, detail)];
        if !matches!(cause, Cause::OfferUntrusted | Cause::OfferStale) {
            expected.push((EventKind::AttemptFailed, detail));
        }
        assert_eq!(told, expected, "{name}");
        tried += 1;
    }
    assert_eq!(tried, attacks().len());
}

#[test]
fn what_the_attacks_change_is_accepted_unchanged() {
    let answer = offer_answer(|_, _| {});
    assert!(matches!(decode(&answer), Ok(Answer::Offer { .. })));
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.answer(&answer);
    assert!(bench.fetches(), "{:?}", bench.effects);
    assert_eq!(key("online-a").public.id(), bench.device.record().floor.unwrap().key);
}
