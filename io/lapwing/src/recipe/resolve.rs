//! From a recipe and an image to the release itself, defaults filled in.
//!
//! Touches: the image, to hash it. Refuses what devices would refuse, before anybody signs it.

use super::{Compatibility, Needs, Range, Recipe};
use crate::calendar;
use crate::commands::release::Published;
use crate::exit::{Code, Refusal};
use crate::signed_log::{SignedLog, SignedRelease};
use anyhow::{Context, Result, anyhow};
use lapwing_core::limits::PAYLOAD_BYTES_MAX;
use lapwing_core::{
    Compatibility as CoreCompatibility, ComponentName, Digest, HardwareClass, Hasher, Release, ReleaseFlags,
    UnixSeconds, cbor,
};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The component of a program that has only one.
pub(crate) const DEFAULT_COMPONENT: &str = "app";
const HASH_CHUNK_BYTES: usize = 64 * 1024;

/// An image as found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) modified: UnixSeconds,
}

impl Image {
    /// Reads the whole file once.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let missing = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Refusal::new(Code::NotFound, format!("find the image {}", path.display()))
                    .advice("name the built file with --image")
                    .into()
            }
            _ => anyhow!(error).context(format!("read the image {}", path.display())),
        };
        let mut file = File::open(path).map_err(missing)?;
        let modified = file.metadata()?.modified()?;
        let (mut hasher, mut size_bytes) = (Hasher::new(), 0);
        let mut chunk = vec![0; HASH_CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).with_context(|| format!("read the image {}", path.display()))?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            size_bytes += bytes.len() as u64;
        }
        let modified = UnixSeconds(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
        Ok(Self { digest: hasher.finish(), size_bytes, modified })
    }
}

/// What is known of earlier releases.
pub(crate) struct Known<'a> {
    /// What was signed here, if there is a signing directory.
    pub(crate) log: Option<&'a SignedLog>,
    /// What the server has; nothing if it was not asked.
    pub(crate) published: &'a Published,
    /// The highest security floor that the root document allows, if there is one.
    pub(crate) security_ceiling: Option<u32>,
}

/// Makes the release and its payload.
///
/// # Errors
/// A refusal with code `Policy` where every device would refuse the release, or could never take another.
pub(crate) fn resolve(recipe: Recipe, image: Image, known: &Known<'_>) -> Result<(Release, Vec<u8>)> {
    let component = recipe.component.clone().map_or_else(|| DEFAULT_COMPONENT.parse(), Ok)?;
    let hardware: Vec<HardwareClass> = recipe.hardware.iter().map(|hardware| hardware.class).collect();
    if hardware.is_empty() {
        return Err(incomplete("a hardware class", "--hardware vendor.example/class-name"));
    }
    let before = Before::of(known, &component, &hardware);
    let seq = recipe.seq;
    let mut release = fill(recipe, image, &before, component, &hardware)?;
    check_counters(&release, &before, known)?;
    release.seq = match seq {
        Some(seq) => seq,
        None => before.next_seq(&release)?,
    };
    let payload = encode(&release)?;
    check_taken(&release, &payload, &before, known.published)?;
    cbor::decode::<Release>(&payload).context("make the release: it contradicts itself")?;
    Ok((release, payload))
}

/// The payload of a release.
pub(crate) fn encode(release: &Release) -> Result<Vec<u8>> {
    let mut buffer = [0; PAYLOAD_BYTES_MAX];
    let payload = cbor::encode(release, &mut buffer);
    payload.map(<[u8]>::to_vec).map_err(|_| anyhow!("make the release: it is too large"))
}

fn incomplete(what: &str, argument: &str) -> anyhow::Error {
    let advice = format!("give {argument}, or write it into the recipe");
    Refusal::new(Code::Policy, format!("make the release: it lacks {what}")).advice(advice).into()
}

fn fill(
    recipe: Recipe,
    image: Image,
    before: &Before,
    component: ComponentName,
    hardware: &[HardwareClass],
) -> Result<Release> {
    let Recipe {
        component: _,
        hardware: _,
        version,
        seq: _,
        security_version,
        raise_to,
        bootloader_min,
        installable_from,
        downgrade_from,
        compatibility,
        data_version,
        issued,
        not_after,
        build,
        variant,
        requires,
        sbom,
        notes,
        security_only,
        forced,
        data_migration,
        trial_s_max,
    } = recipe;
    let issued = issued.map(|moment| moment.0).or_else(calendar::source_date_epoch);
    let chosen = [
        (security_only, ReleaseFlags::SECURITY_ONLY),
        (forced, ReleaseFlags::FORCED),
        (data_migration, ReleaseFlags::DATA_MIGRATION),
    ];
    let flags = chosen.into_iter().filter(|(set, _)| *set);
    Ok(Release {
        component,
        hardware: bounded("hardware classes", hardware.iter().copied())?,
        seq: 0,
        version: version.ok_or_else(|| incomplete("a version", "--release-version 1.2.3"))?,
        security_version: security_version.unwrap_or(before.security_version),
        raise_to: raise_to.unwrap_or(0),
        bootloader_min: bootloader_min.unwrap_or(0),
        installable_from: bounded("ranges", installable_from.into_iter().map(|Range(range)| range))?,
        downgrade_from: bounded("ranges", downgrade_from.into_iter().map(|Range(range)| range))?,
        compatibility: match compatibility.unwrap_or(Compatibility::Compatible) {
            Compatibility::Patch => CoreCompatibility::Patch,
            Compatibility::Compatible => CoreCompatibility::Compatible,
            Compatibility::Breaking => CoreCompatibility::Breaking,
        },
        data_version: data_version.unwrap_or(0),
        image: image.digest,
        image_size_bytes: image.size_bytes,
        issued: issued.unwrap_or(image.modified),
        not_after: not_after.map(|moment| moment.0),
        build,
        variant,
        requires: bounded("required components", requires.into_iter().map(|Needs(requirement)| requirement))?,
        sbom: digest_of(sbom)?,
        notes: digest_of(notes)?,
        flags: flags.fold(ReleaseFlags::default(), |flags, (_, flag)| flags.with(flag)),
        trial_s_max: trial_s_max.filter(|seconds| *seconds > 0),
        encryption: None,
    })
}

fn digest_of(file: Option<PathBuf>) -> Result<Option<Digest>> {
    file.map(|path| Image::read(&path).map(|image| image.digest)).transpose()
}

fn bounded<T, const N: usize>(what: &str, list: impl Iterator<Item = T>) -> Result<heapless::Vec<T, N>> {
    let mut bounded = heapless::Vec::new();
    for item in list {
        bounded.push(item).map_err(|_| anyhow!("make the release: more than {N} {what}"))?;
    }
    Ok(bounded)
}

/// The earlier releases for the same component and a shared hardware class.
struct Before {
    /// As they were signed, newest last.
    signed: Vec<SignedRelease>,
    seq: u64,
    security_version: u32,
    floor: u32,
}

impl Before {
    fn of(known: &Known<'_>, component: &ComponentName, hardware: &[HardwareClass]) -> Self {
        let lines: Vec<_> = known.log.iter().flat_map(|log| log.of(component, hardware)).collect();
        let highest = lines.iter().map(|line| line.seq).max();
        Self {
            signed: lines.iter().map(|line| (*line).clone()).collect(),
            seq: highest.max(known.published.highest_seq).unwrap_or(0),
            security_version: lines.iter().map(|line| line.security_version).max().unwrap_or(1),
            floor: lines.iter().map(|line| line.raise_to).max().unwrap_or(0),
        }
    }

    /// The seq that comes next, unless this very release was signed before: then it keeps its seq, so
    /// that the same inputs give the same bytes however often they are asked for.
    fn next_seq(&self, release: &Release) -> Result<u64> {
        for line in self.signed.iter().rev() {
            let again = encode(&Release { seq: line.seq, ..release.clone() })?;
            if Digest::of(&again).to_string() == line.payload {
                return Ok(line.seq);
            }
        }
        self.seq.checked_add(1).context("make the release: no seq is left")
    }
}

/// A seq or version that something else has would only be refused later, by the server.
fn check_taken(release: &Release, payload: &[u8], before: &Before, published: &Published) -> Result<()> {
    if before.signed.contains(&SignedRelease::of(release, payload)) {
        return Ok(());
    }
    before.signed.iter().try_for_each(|line| line.refuse_twice(release))?;
    let version = release.version.as_str();
    if published.versions.iter().any(|taken| taken == version) {
        let what = format!("make the release: version {version} is published already");
        return Err(Refusal::new(Code::Conflict, what).advice("give it a higher --release-version").into());
    }
    if published.highest_seq.is_some_and(|highest| release.seq <= highest) {
        let what =
            format!("make the release: seq {} is not above the highest that is published", release.seq);
        return Err(Refusal::new(Code::Conflict, what).advice("leave --seq out").into());
    }
    Ok(())
}

fn check_counters(release: &Release, before: &Before, known: &Known<'_>) -> Result<()> {
    let refuse = |what: String| Err(Refusal::new(Code::Policy, format!("make the release: {what}")).into());
    let (version, raise_to) = (release.security_version, release.raise_to);
    if raise_to > version {
        return refuse(format!(
            "it raises the floor to {raise_to}, above its own security version {version}"
        ));
    }
    if known.security_ceiling.is_some_and(|ceiling| raise_to > ceiling) {
        return refuse(format!("it raises the floor to {raise_to}, above the ceiling of the root document"));
    }
    if version < before.floor {
        let floor = before.floor;
        return refuse(format!(
            "security version {version} is below the floor {floor} that devices may hold"
        ));
    }
    if release.not_after.is_some_and(|end| end <= release.issued) {
        return refuse("it ends before it is issued".to_owned());
    }
    if release.image_size_bytes == 0 {
        return refuse("the image is empty".to_owned());
    }
    Ok(())
}
