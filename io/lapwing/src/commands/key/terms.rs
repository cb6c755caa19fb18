//! The terms of a root document, as `key root create` and `key root rotate` take them.
//!
//! Touches: the clock, when nobody says the time.

use super::draft::RootDraft;
use crate::calendar;
use clap::Args;
use lapwing_core::trust::TlsAnchor;
use lapwing_core::{Digest, UnixSeconds};

/// Days until a root document blocks installing, when nobody says otherwise.
pub(super) const VALID_DAYS: u32 = 3650;

/// What both new documents are told.
#[derive(Args)]
pub(crate) struct TermsArgs {
    /// When it is signed; now without it.
    #[arg(long, value_name = "WHEN", value_parser = calendar::parse)]
    issued: Option<UnixSeconds>,
    /// Days until it blocks installing. It never blocks fetching the next one.
    #[arg(long, value_name = "DAYS", default_value_t = VALID_DAYS)]
    valid_days: u32,
    /// How many root keys must agree.
    #[arg(long, value_name = "N")]
    root_threshold: Option<u8>,
    /// How many release keys must agree.
    #[arg(long, value_name = "N")]
    release_threshold: Option<u8>,
    /// How many delegator keys must agree.
    #[arg(long, value_name = "N")]
    delegator_threshold: Option<u8>,
    /// Longest delegation, days, at most 100.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=100))]
    delegation_days_max: Option<u32>,
    /// Highest security floor that devices will take over.
    #[arg(long, value_name = "N")]
    security_ceiling: Option<u32>,
    /// Devices may talk to a server with this TLS key (SHA-256 of its SubjectPublicKeyInfo).
    #[arg(long, value_name = "HEX")]
    tls_server: Vec<Digest>,
    /// Devices may talk to servers whose certificate this authority's key signed.
    #[arg(long, value_name = "HEX")]
    tls_authority: Vec<Digest>,
}

impl TermsArgs {
    /// When the document is issued.
    pub(super) fn issued(&self) -> UnixSeconds {
        self.issued.unwrap_or_else(calendar::now)
    }

    /// When it blocks installing.
    pub(super) fn not_after(&self) -> UnixSeconds {
        self.issued().after(u64::from(self.valid_days) * calendar::DAY_S)
    }

    /// Puts them into a draft.
    pub(super) fn apply(&self, draft: &mut RootDraft) {
        let terms = [
            (&mut draft.root, self.root_threshold),
            (&mut draft.release, self.release_threshold),
            (&mut draft.delegator, self.delegator_threshold),
        ];
        for (role, threshold) in terms {
            role.threshold = threshold.unwrap_or(role.threshold);
        }
        draft.limits.delegation_days_max =
            self.delegation_days_max.unwrap_or(draft.limits.delegation_days_max);
        draft.limits.security_ceiling = self.security_ceiling.unwrap_or(draft.limits.security_ceiling);
        let servers = self.tls_server.iter().copied().map(TlsAnchor::Server);
        let anchors = servers.chain(self.tls_authority.iter().copied().map(TlsAnchor::Authority));
        for anchor in anchors {
            if !draft.tls_anchors.contains(&anchor) {
                draft.tls_anchors.push(anchor);
            }
        }
    }
}
