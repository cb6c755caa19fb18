//! Whether an offer may be acted on, asked in the order of the protocol, before a byte of downlink.
//!
//! Touches: `lapwing_core::TrustAnchor`, the record's floors. Each refusal has its own cause.
//! Never: fetches, stores or changes anything. Gates come after, in `policy.rs`.

use crate::limits::ARTIFACT_SLACK_BYTES;
use crate::record::{Candidate, Floor, Installed, Record};
use crate::settings::Identity;
use lapwing_core::wire::answer::{Offer, SwitchWindow, Travel, Urgency};
use lapwing_core::wire::cause::Cause;
use lapwing_core::{
    AttemptId, Bump, Digest, KeyId, Nonce, OpenError, Release, ReleaseFlags, Semver, TrustAnchor,
    UnixSeconds, Verified, VersionRange,
};

/// What an offer is held against.
pub(crate) struct Standing<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) anchor: &'a TrustAnchor,
    pub(crate) record: &'a Record,
    /// The bytes that run.
    pub(crate) running: Digest,
    /// The bytes that should.
    pub(crate) expected: Digest,
}

/// An offer that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) attempt: AttemptId,
    pub(crate) candidate: Candidate,
    pub(crate) travel: Travel,
    pub(crate) forced: bool,
    pub(crate) urgency: Urgency,
    pub(crate) ttl_s: u32,
    pub(crate) switch_window: Option<SwitchWindow>,
    pub(crate) stated: Floor,
}

/// An offer that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Which attempt it was for, if the offer itself was genuine.
    pub(crate) attempt: AttemptId,
    /// Which release it named, if the offer itself was genuine.
    pub(crate) release: Option<Digest>,
    /// The time that it stated, if the offer itself was genuine.
    pub(crate) stated: Option<Floor>,
    pub(crate) cause: Cause,
}

/// The offer, if everything about it is right.
pub(crate) fn verify(
    standing: &Standing<'_>,
    offer: &[u8],
    release: Option<&[u8]>,
    nonce: Nonce,
) -> Result<Accepted, Refused> {
    let (offer, key) = open_offer(standing, offer, nonce).map_err(|cause| Refused {
        attempt: AttemptId::NONE,
        release: None,
        stated: None,
        cause,
    })?;
    let stated = Floor { time: offer.now, key };
    let refused =
        |cause| Refused { attempt: offer.attempt, release: Some(offer.release), stated: Some(stated), cause };
    let release = open_release(standing.anchor, &offer, release).map_err(refused)?;
    check_release(standing, &release, offer.now).map_err(refused)?;
    check_travel(standing, &release, &offer).map_err(refused)?;
    Ok(Accepted {
        attempt: offer.attempt,
        forced: release.flags.has(ReleaseFlags::FORCED),
        candidate: candidate(&release),
        travel: offer.travel,
        urgency: offer.urgency,
        ttl_s: offer.ttl_s,
        switch_window: offer.switch_window,
        stated,
    })
}

fn open_offer(
    standing: &Standing<'_>,
    offer: &[u8],
    nonce: Nonce,
) -> Result<(Verified<Offer>, KeyId), Cause> {
    let opened = standing.anchor.open_offer(offer, &standing.identity.device, nonce);
    let (offer, key) = opened.map_err(|error| match error {
        OpenError::OutsideWindow => Cause::OfferStale,
        _ => Cause::OfferUntrusted,
    })?;
    let above_floor = standing.record.floor.is_none_or(|floor| offer.now >= floor.time);
    above_floor.then_some((offer, key)).ok_or(Cause::OfferStale)
}

fn open_release(
    anchor: &TrustAnchor,
    offer: &Offer,
    release: Option<&[u8]>,
) -> Result<Verified<Release>, Cause> {
    let bytes = release.ok_or(Cause::ReleaseMissing)?;
    if Digest::of(bytes) != offer.release {
        return Err(Cause::ReleaseMismatch);
    }
    anchor.open_release(bytes).map_err(|error| match error {
        OpenError::Decode(_) => Cause::ReleaseUndecodable,
        _ => Cause::ReleaseUntrusted,
    })
}

fn check_release(
    standing: &Standing<'_>,
    release: &Verified<Release>,
    now: UnixSeconds,
) -> Result<(), Cause> {
    let Standing { identity, anchor, record, .. } = standing;
    let confirmed = &record.confirmed;
    let checks = [
        (release.component == identity.component, Cause::ComponentUnknown),
        (release.hardware.contains(&identity.hardware), Cause::HardwareClass),
        (release.bootloader_min <= identity.bootloader, Cause::BootloaderTooOld),
        (seq_accepted(standing, release), Cause::SeqNotNewer),
        (release.security_version >= record.security_floor, Cause::SecurityVersionTooLow),
        (installable_from(release, confirmed), Cause::NotInstallableFrom),
        (downgrade_allowed(release, confirmed), Cause::DowngradeNotAllowed),
        (requirements_met(release, standing), Cause::RequiresUnmet),
        (release.not_after.is_none_or(|end| now <= end), Cause::ReleaseExpired),
        (now <= anchor.root().not_after, Cause::RootExpired),
        (release.image_size_bytes <= identity.slot_bytes_max, Cause::ImageTooLarge),
        (release.encryption.is_none(), Cause::EncryptionUnsupported),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, cause)| Err(cause))
}

/// Above everything confirmed, failed with blame, or revoked; or the very image that should be running
/// and is not, which is a repair; or what is being tried already.
fn seq_accepted(standing: &Standing<'_>, release: &Verified<Release>) -> bool {
    let Standing { anchor, record, running, expected, .. } = standing;
    let newer = release.seq > record.seq_floor().max(anchor.root().seq_base());
    let repair = running != expected && release.image == *expected && release.seq == record.confirmed.seq;
    let tried = record.attempt.as_ref();
    newer || repair || tried.is_some_and(|attempt| attempt.candidate.release == release.envelope())
}

fn installable_from(release: &Release, confirmed: &Installed) -> bool {
    release.installable_from.is_empty() || within(&release.installable_from, confirmed)
}

fn downgrade_allowed(release: &Release, confirmed: &Installed) -> bool {
    match (Semver::of(&confirmed.version), Semver::of(&release.version)) {
        (Some(from), Some(to)) if to < from => {
            from.bump_to(to) == Bump::Patch || within(&release.downgrade_from, confirmed)
        }
        _ => true,
    }
}

fn within(ranges: &[VersionRange], confirmed: &Installed) -> bool {
    Semver::of(&confirmed.version).is_some_and(|version| ranges.iter().any(|range| range.contains(version)))
}

/// This brain knows one component; what it cannot see counts as unmet.
fn requirements_met(release: &Release, standing: &Standing<'_>) -> bool {
    let Standing { identity, record, .. } = standing;
    let met = |component, seq_min| component == &identity.component && record.confirmed.seq >= seq_min;
    release.requires.iter().all(|needed| met(&needed.component, needed.seq_min))
}

fn check_travel(standing: &Standing<'_>, release: &Release, offer: &Offer) -> Result<(), Cause> {
    let Standing { identity, record, running, .. } = standing;
    let travel = &offer.travel;
    let false_before = if travel.from.is_some() { Cause::DeltaUndecodable } else { Cause::TransferDigest };
    let justified = release
        .image_size_bytes
        .saturating_add(release.image_size_bytes / 20)
        .saturating_add(ARTIFACT_SLACK_BYTES);
    let checks = [
        (travel.artifact_size_bytes <= justified, Cause::TransferOversize),
        (travel.profile <= identity.profile, Cause::ProfileTooLarge),
        (travel.from.is_none_or(|from| from == running.short()), Cause::BaseUnknown),
        (!record.has_refused(offer.attempt, &travel.artifact), false_before),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, cause)| Err(cause))
}

fn candidate(release: &Verified<Release>) -> Candidate {
    Candidate {
        release: release.envelope(),
        installed: Installed {
            version: release.version.clone(),
            seq: release.seq,
            security_version: release.security_version,
        },
        raise_to: release.raise_to,
        image: release.image,
        image_size_bytes: release.image_size_bytes,
        trial_s_max: release.trial_s_max,
    }
}
