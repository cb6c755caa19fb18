//! Whether the next root document may let go of keys and TLS anchors that this one holds.
//!
//! Touches: `crate::trust`. Tool and server ask the same question here, so that they give one answer.
//! Never: checks signatures; `anchor.rs` does.

use crate::trust::{PublicKey, RoleName, Root, TlsAnchor};

/// How long old and new must be believed side by side, days.
pub const OVERLAP_DAYS: u64 = 90;
const OVERLAP_S: u64 = OVERLAP_DAYS * 86_400;

/// Why a root document must not follow the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A release key goes, and too few of those that stay are old enough to be known everywhere.
    #[error("a release key is dropped before its successors overlapped it for {OVERLAP_DAYS} days")]
    ReleaseKeys,
    /// A TLS anchor goes, and none of those that stay is old enough to be known everywhere.
    #[error("a TLS anchor is dropped before its successors overlapped it for {OVERLAP_DAYS} days")]
    TlsAnchors,
}

/// Checks that a device which slept through the overlap can still be reached and updated.
///
/// `chain` holds the documents so far, oldest first. An emergency document waives the rule and says so
/// in its limits, where everybody can read it.
/// # Errors
/// See [`RotationError`].
pub fn may_follow(chain: &[Root], next: &Root) -> Result<(), RotationError> {
    let Some(last) = chain.last() else { return Ok(()) };
    if next.limits.emergency {
        return Ok(());
    }
    let held = |root: &Root, key: &PublicKey| root.keys_of(RoleName::Release).any(|held| held == key);
    let drops_key = last.keys_of(RoleName::Release).any(|key| !held(next, key));
    let old_keys = next
        .keys_of(RoleName::Release)
        .filter(|key| is_established(chain, next, |root| held(root, key)))
        .count();
    if drops_key && old_keys < usize::from(next.release.threshold) {
        return Err(RotationError::ReleaseKeys);
    }
    let held = |root: &Root, anchor: &TlsAnchor| root.tls_anchors.contains(anchor);
    let drops_anchor = last.tls_anchors.iter().any(|anchor| !held(next, anchor));
    let old_anchor =
        next.tls_anchors.iter().any(|anchor| is_established(chain, next, |root| held(root, anchor)));
    if drops_anchor && !old_anchor {
        return Err(RotationError::TlsAnchors);
    }
    Ok(())
}

/// Whether something was in every document that was issued within the overlap before `next`.
fn is_established(chain: &[Root], next: &Root, holds: impl Fn(&Root) -> bool) -> bool {
    let since = chain.iter().rev().take_while(|root| holds(root)).last();
    since.is_some_and(|root| next.issued.since(root.issued) >= OVERLAP_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::FleetId;
    use crate::time::UnixSeconds;
    use crate::trust::{Limits, Role};

    const DAY: u64 = 86_400;

    fn root(version: u32, day: u64, release_keys: &[u8], anchors: &[u8]) -> Root {
        let keys = release_keys.iter().map(|byte| PublicKey::ed25519(&[*byte; 32])).collect();
        let all = || (0..u8::try_from(release_keys.len()).unwrap()).collect();
        Root {
            fleet: FleetId([1; 16]),
            version,
            issued: UnixSeconds(day * DAY),
            not_after: UnixSeconds(10_000 * DAY),
            keys,
            root: Role { threshold: 1, keys: all() },
            release: Role { threshold: 1, keys: all() },
            delegator: Role { threshold: 1, keys: all() },
            limits: Limits { delegation_days_max: 100, security_ceiling: 9, emergency: false },
            revoked: heapless::Vec::new(),
            tls_anchors: anchors.iter().map(|b| TlsAnchor::Server(Digest::from_bytes([*b; 32]))).collect(),
        }
    }

    #[test]
    fn old_goes_only_after_ninety_days_beside_the_new() {
        let check = |chain: &[Root], next: &Root, expected| assert_eq!(may_follow(chain, next), expected);
        let chain = [root(1, 0, &[1], &[1]), root(2, 200, &[1, 2], &[1, 2])];
        check(&chain, &root(3, 289, &[2], &[1, 2]), Err(RotationError::ReleaseKeys));
        check(&chain, &root(3, 290, &[2], &[1, 2]), Ok(()));
        check(&chain, &root(3, 289, &[1, 2], &[2]), Err(RotationError::TlsAnchors));
        check(&chain, &root(3, 290, &[1, 2], &[2]), Ok(()));
        check(&chain, &root(3, 201, &[1], &[1]), Ok(()));
        check(&chain, &root(3, 201, &[1, 2, 3], &[1, 2]), Ok(()));
        check(&[], &root(1, 0, &[1], &[1]), Ok(()));
    }

    #[test]
    fn an_absence_in_between_starts_the_overlap_anew() {
        let chain = [root(1, 0, &[1, 2], &[1]), root(2, 100, &[1], &[1]), root(3, 110, &[1, 2], &[1])];
        assert_eq!(may_follow(&chain, &root(4, 199, &[2], &[1])), Err(RotationError::ReleaseKeys));
        assert_eq!(may_follow(&chain, &root(4, 200, &[2], &[1])), Ok(()));
    }

    #[test]
    fn an_emergency_waives_the_overlap_in_plain_sight() {
        let mut next = root(2, 1, &[2], &[2]);
        next.limits.emergency = true;
        assert_eq!(may_follow(&[root(1, 0, &[1], &[1])], &next), Ok(()));
    }
}
