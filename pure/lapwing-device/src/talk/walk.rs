//! The walk along the trust chain, when the fleet holds newer documents: each is kept before the next is fetched.
//!
//! Touches: the trust anchor, the record's floor. Never: believes a hint; documents carry their own proof.

use super::Phase;
use crate::device::{Device, Ignored};
use crate::effect::{Effect, Effects};
use crate::event::{Now, TrustDocument};
use crate::limits::ROOT_STEPS_MAX;
use crate::record::Floor;
use lapwing_core::AttemptId;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};

impl Device {
    pub(super) fn catch_up(
        &mut self,
        now: Now,
        root_to: u32,
        delegation_to: u32,
        effects: &mut Effects,
    ) -> Option<Ignored> {
        let root = self.anchor.root().version;
        if root_to <= root && delegation_to <= self.anchor.delegation_version() {
            // The hint is not signed; one that leads nowhere counts as no answer.
            return self.no_answer(now);
        }
        self.talk.enter(Phase::Walking { root_to, steps: 0 }, now);
        effects.ask(Effect::FetchTrust(self.next_document(root_to)));
        None
    }

    pub(super) fn next_document(&self, root_to: u32) -> TrustDocument {
        let root = self.anchor.root().version;
        if root < root_to { TrustDocument::Root(root.saturating_add(1)) } else { TrustDocument::Delegation }
    }

    pub(crate) fn trust_fetched(
        &mut self,
        now: Now,
        document: TrustDocument,
        bytes: &[u8],
        effects: &mut Effects,
    ) -> Option<Ignored> {
        let Phase::Walking { root_to, steps } = self.talk.phase else { return Some(Ignored::Unexpected) };
        let held = self.anchor.delegation().cloned();
        let advanced = match document {
            TrustDocument::Root(_) => self.anchor.advance(bytes),
            TrustDocument::Delegation => self.anchor.delegate(bytes),
        };
        let Ok(anchor) = advanced else {
            let said = Some((AttemptId::NONE, Cause::TrustChain));
            if core::mem::replace(&mut self.world.refusal_said, said) != said {
                self.note_for(AttemptId::NONE, EventKind::VerifyFailed, Detail::Cause(Cause::TrustChain));
            }
            return self.no_answer(now);
        };
        self.anchor = anchor;
        if document == TrustDocument::Delegation && steps == 0 && self.anchor.delegation() == held.as_ref() {
            // The hint promised a newer one.
            return self.no_answer(now);
        }
        effects.ask(Effect::KeepTrust(document));
        match document {
            TrustDocument::Root(_) if steps < ROOT_STEPS_MAX => {
                self.talk.enter(Phase::Walking { root_to, steps: steps.saturating_add(1) }, now);
                effects.ask(Effect::FetchTrust(self.next_document(root_to)));
            }
            TrustDocument::Root(_) => self.talk.failed(&self.settings, now, 0),
            TrustDocument::Delegation => {
                self.reset_floor(effects);
                self.talk.phase = Phase::Quiet;
                self.talk.at(now.uptime);
            }
        }
        None
    }

    /// The floor belongs to the online key that set it: a delegation without that key resets it, so that
    /// one wrong server clock cannot freeze a device for ever.
    fn reset_floor(&mut self, effects: &mut Effects) {
        let (Some(floor), Some(delegation)) = (self.record.floor, self.anchor.delegation()) else { return };
        if delegation.keys.iter().any(|online| online.key.id() == floor.key) {
            return;
        }
        let Some(first) = delegation.keys.first() else { return };
        let time = delegation.not_before.max(self.anchor.root().issued);
        self.record.floor = Some(Floor { time, key: first.key.id() });
        effects.ask(Effect::Save);
    }
}
