//! A release as a file: the signed envelope, and what it says in words.
//!
//! Touches: the file. Never: believes it; `lapwing release verify` does.

use crate::calendar;
use crate::durable;
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::trust_chain::context;
use anyhow::Result;
use lapwing_core::envelope::{Envelope, Kind};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{RoleName, Root};
use lapwing_core::{Digest, Release, ReleaseFlags, Semver, VersionRange, cbor};
use serde_json::{Value, json};
use std::path::Path;

/// The bytes and what they say.
pub(crate) struct ReleaseFile {
    pub(crate) bytes: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) release: Release,
}

impl ReleaseFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            let what = format!("find the release {}", path.display());
            return Err(Refusal::new(Code::NotFound, what)
                .advice("`lapwing release create` makes it and says where it is")
                .into());
        }
        Self::parse(durable::read_at_most(path, ENVELOPE_BYTES_MAX)?).map_err(|error| {
            Refusal::new(Code::Verification, format!("read the release {}: {error}", path.display()))
                .advice("the file is damaged or no release: copy it again, whole")
                .into()
        })
    }

    /// Takes the bytes apart.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, cbor::DecodeError> {
        let envelope = Envelope::parse(&bytes)?;
        let release = cbor::decode(envelope.payload)?;
        Ok(Self { payload: envelope.payload.to_vec(), release, bytes })
    }

    /// The name that offers refer to it by.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Who signed, and whether `root` makes that signature count: `None` without a root.
    pub(crate) fn signatures(&self, root: Option<&Root>) -> Vec<(String, Option<bool>)> {
        let Ok(envelope) = Envelope::parse(&self.bytes) else { return Vec::new() };
        let counts = |id| {
            root.map(|root| {
                let signed_for = context(Kind::Release, root.fleet);
                let mut keys = root.keys_of(RoleName::Release).filter(|key| key.id() == id);
                keys.any(|key| envelope.is_signed_by(key, &signed_for))
            })
        };
        envelope.signatures.iter().map(|entry| (entry.key.to_string(), counts(entry.key))).collect()
    }

    /// What it says, in words, with the names of its hardware classes that are known.
    pub(crate) fn in_words(&self, known: &[Hardware]) -> String {
        let release = &self.release;
        let mut words = format!("{} {} (seq {})\n", release.component, release.version, release.seq);
        let mut line = |name: &str, value: String| words += &format!("  {name:<20}{value}\n");
        for class in &release.hardware {
            let name = known.iter().find(|hardware| hardware.class == *class && hardware.name.is_some());
            line("hardware", name.map_or(String::new(), |name| format!("{name} = ")) + &class.to_string());
        }
        line("image", format!("{} ({} bytes)", release.image, release.image_size_bytes));
        line("security version", counter(release.security_version, release.raise_to));
        line("compatibility", format!("{:?}", release.compatibility).to_lowercase());
        line("installable from", ranges(&release.installable_from, "any version"));
        line("may downgrade from", ranges(&release.downgrade_from, "its own patch level"));
        line("issued", calendar::in_words(release.issued));
        line("not after", release.not_after.map_or("never ends".to_owned(), calendar::in_words));
        let optional = [
            (
                "bootloader",
                (release.bootloader_min > 0).then(|| format!("{} or later", release.bootloader_min)),
            ),
            ("data version", (release.data_version > 0).then(|| release.data_version.to_string())),
            ("build", release.build.as_ref().map(ToString::to_string)),
            ("variant", release.variant.as_ref().map(ToString::to_string)),
            ("sbom", release.sbom.map(|digest| digest.to_string())),
            ("notes", release.notes.map(|digest| digest.to_string())),
            ("longest trial", release.trial_s_max.map(|seconds| format!("{seconds} s"))),
            ("flags", (!flags(release.flags).is_empty()).then(|| flags(release.flags).join(", "))),
        ];
        optional.into_iter().for_each(|(name, value)| value.into_iter().for_each(|value| line(name, value)));
        for needs in &release.requires {
            line("requires", format!("{} at seq {} or later", needs.component, needs.seq_min));
        }
        line("release", self.digest().to_string());
        let signers: Vec<String> = self.signatures(None).into_iter().map(|(key, _)| key).collect();
        line("signed by", if signers.is_empty() { "nobody yet".to_owned() } else { signers.join(", ") });
        words
    }

    /// What it says, as JSON.
    pub(crate) fn as_json(&self) -> Value {
        let release = &self.release;
        let hex = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        json!({
            "digest": self.digest().to_string(),
            "payload_sha256": Digest::of(&self.payload).to_string(),
            "component": release.component.to_string(),
            "hardware": release.hardware.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "seq": release.seq,
            "version": release.version.to_string(),
            "security_version": release.security_version,
            "raise_to": release.raise_to,
            "bootloader_min": release.bootloader_min,
            "installable_from": release.installable_from.iter().map(range).collect::<Vec<_>>(),
            "downgrade_from": release.downgrade_from.iter().map(range).collect::<Vec<_>>(),
            "compatibility": format!("{:?}", release.compatibility).to_lowercase(),
            "data_version": release.data_version,
            "image": release.image.to_string(),
            "image_size_bytes": release.image_size_bytes,
            "issued": release.issued.0,
            "not_after": release.not_after.map(|end| end.0),
            "build": release.build.as_ref().map(ToString::to_string),
            "variant": release.variant.as_ref().map(ToString::to_string),
            "requires": release.requires.iter()
                .map(|needs| json!({ "component": needs.component.to_string(), "seq_min": needs.seq_min }))
                .collect::<Vec<_>>(),
            "sbom": hex(release.sbom),
            "notes": hex(release.notes),
            "flags": flags(release.flags),
            "trial_s_max": release.trial_s_max,
            "encryption": release.encryption.as_ref().map(|info| crate::hex::encode(info)),
            "signatures": self.signatures(None).into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
        })
    }
}

fn counter(version: u32, raise_to: u32) -> String {
    match raise_to {
        0 => format!("{version}, raises no floor"),
        floor => format!("{version}, raises the floor to {floor} once confirmed"),
    }
}

fn range(range: &VersionRange) -> String {
    let semver = |version: Semver| format!("{}.{}.{}", version.major, version.minor, version.patch);
    format!("{}..{}", semver(range.from), semver(range.below))
}

fn ranges(list: &[VersionRange], empty: &str) -> String {
    let words: Vec<String> = list.iter().map(range).collect();
    if words.is_empty() { empty.to_owned() } else { words.join(", ") }
}

fn flags(flags: ReleaseFlags) -> Vec<&'static str> {
    let all = [
        ("security-only", ReleaseFlags::SECURITY_ONLY),
        ("forced", ReleaseFlags::FORCED),
        ("data-migration", ReleaseFlags::DATA_MIGRATION),
    ];
    all.into_iter().filter(|(_, flag)| flags.has(*flag)).map(|(name, _)| name).collect()
}
