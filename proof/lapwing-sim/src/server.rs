//! A made-up fleet server: it signs for real, offers one target, and remembers what devices say.
//!
//! Touches: `crate::maker`. Its rule: offer the target until the attempt has an outcome; try again, up to a
//! limit, if that outcome blames nobody. Never: shares code with the real server; it is what a device may meet.

use crate::maker::{self, DAY_S, Image, Key, START, artifact, spell};
use lapwing_core::cbor::decode;
use lapwing_core::envelope::Kind;
use lapwing_core::wire::answer::{Answer, Ask, Offer, Status, SwitchWindow, Travel, Urgency, WaitReason};
use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{AttemptId, DeviceId, Digest, Release, ShortDigest, UnixSeconds};
use lapwing_device::TrustDocument;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Something a device asks.
#[derive(Debug, Clone)]
pub enum Request {
    /// A check-in.
    CheckIn(Vec<u8>),
    /// A report.
    Report(Vec<u8>),
    /// A trust document.
    Trust(TrustDocument),
    /// A part of an artifact.
    Range {
        /// Which.
        artifact: Digest,
        /// From which byte.
        from: u64,
        /// How many bytes at most.
        len: u64,
    },
}

/// What it gets.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer to a check-in.
    Answer(Vec<u8>),
    /// The report was taken.
    Acknowledged,
    /// A trust document.
    Trust(TrustDocument, Vec<u8>),
    /// Bytes of an artifact, from this byte on.
    Bytes(u64, Vec<u8>),
    /// No.
    Refused,
    /// Not now, but after so many milliseconds.
    Busy(u64),
}

/// A release and everything that travels for it.
#[derive(Debug, Clone)]
pub struct Published {
    /// What it says.
    pub release: Release,
    /// Its signed bytes.
    pub envelope: Vec<u8>,
    /// The full image.
    pub full: Vec<u8>,
    /// Deltas by the image they start from.
    pub deltas: BTreeMap<ShortDigest, Vec<u8>>,
    /// Somebody sends other bytes in their place.
    pub is_false: bool,
}

impl Published {
    /// Signed by the release key, with a delta from each of `bases`.
    #[must_use]
    pub fn new(release: Release, image: &Image, bases: &[&Image]) -> Self {
        Self::signed_by("release-a", release, image, bases)
    }

    /// The same, signed by the key of this name.
    #[must_use]
    pub fn signed_by(signer: &str, release: Release, image: &Image, bases: &[&Image]) -> Self {
        let envelope = Key::named(signer).sign(Kind::Release, None, &release);
        let delta = |base: &&Image| (base.digest().short(), artifact::delta(&base.bytes, &image.bytes));
        let deltas = bases.iter().map(delta).collect();
        Self { release, envelope, full: artifact::full(&image.bytes), deltas, is_false: false }
    }
}

/// One device trying one release, as the server knows it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Which release.
    pub release: usize,
    /// Events that came.
    pub marks: u32,
    /// Outcomes that came, in order.
    pub outcomes: Vec<(EventKind, Option<Cause>)>,
    /// A delta was of no use.
    delta_failed: bool,
}

/// The server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Who it talks to.
    pub device: DeviceId,
    /// What was published.
    pub releases: Vec<Published>,
    /// What devices shall run.
    pub target: Option<usize>,
    /// Root documents, the first one first.
    pub roots: Vec<Vec<u8>>,
    /// The newest delegation and its version.
    pub delegation: (u32, Vec<u8>),
    /// The key it signs with.
    pub online: &'static str,
    /// The key that releases are signed with.
    pub release_key: &'static str,
    /// It goes on offering whatever the outcome.
    pub stubborn: bool,
    /// How wrong its clock is.
    pub clock_off_s: i64,
    /// How long offers may be acted on.
    pub ttl_s: u32,
    /// When to switch, on every day, milliseconds since the first began.
    pub switch_window_ms: Option<Range<u64>>,
    /// Whether offers wait for the follow-ups of the last update.
    pub urgency: Urgency,
    /// How often devices shall ask.
    pub next_check_in_s: u32,
    /// Until when it has no time for anybody.
    pub busy_until_ms: u64,
    /// Whether it offers deltas.
    pub deltas: bool,
    /// Attempts after the first that it grants.
    pub retries: usize,
    /// So many ranges come out wrong.
    pub spoil_ranges: u32,
    /// Attempts so far.
    pub attempts: Vec<Attempt>,
    /// Everything devices said, and when.
    pub events: Vec<(u64, Event)>,
    seen: BTreeSet<(AttemptId, u32)>,
    /// Events that came under a number that another event had.
    pub confused: Vec<(Event, Event)>,
    /// Artifact bytes sent.
    pub sent_bytes: u64,
    /// What the device ran when it last asked.
    pub running: Option<ShortDigest>,
    /// The last check-in was told that there is nothing for it.
    pub idle: bool,
}

impl Server {
    /// A server with nothing to offer.
    #[must_use]
    pub fn new(device: DeviceId) -> Self {
        Self {
            device,
            releases: Vec::new(),
            target: None,
            roots: vec![maker::trust::signed_root(&maker::trust::root(), &["root-a"])],
            delegation: (1, maker::trust::delegation(1, 0, "online-a", "delegator-a")),
            online: "online-a",
            release_key: "release-a",
            stubborn: false,
            clock_off_s: 0,
            ttl_s: 3600,
            switch_window_ms: None,
            urgency: Urgency::Routine,
            next_check_in_s: 300,
            busy_until_ms: 0,
            deltas: true,
            retries: 3,
            spoil_ranges: 0,
            attempts: Vec::new(),
            events: Vec::new(),
            seen: BTreeSet::new(),
            confused: Vec::new(),
            sent_bytes: 0,
            running: None,
            idle: false,
        }
    }

    /// Publishes a release and makes it the target.
    pub fn ship(&mut self, published: Published) {
        self.releases.push(published);
        self.target = Some(self.releases.len() - 1);
        self.idle = false;
    }

    /// Its clock.
    #[must_use]
    pub const fn now(&self, now_ms: u64) -> UnixSeconds {
        UnixSeconds(START.after(10 * DAY_S + now_ms / 1000).0.saturating_add_signed(self.clock_off_s))
    }

    /// Answers.
    pub fn answer(&mut self, now_ms: u64, request: &Request) -> Reply {
        if now_ms < self.busy_until_ms {
            return self.busy(request);
        }
        match request {
            Request::CheckIn(bytes) => self.check_in(now_ms, bytes),
            Request::Report(bytes) => self.report(now_ms, bytes),
            Request::Trust(document) => self.trust(*document),
            Request::Range { artifact, from, len } => self.range(artifact, *from, *len),
        }
    }

    /// The window of today, or of tomorrow if that one has closed.
    fn switch_window(&self, now_ms: u64) -> Option<SwitchWindow> {
        let window = self.switch_window_ms.as_ref()?;
        let day_ms = DAY_S * 1_000;
        let days = now_ms.saturating_sub(window.end).div_ceil(day_ms);
        let in_s = |at_ms: u64| (at_ms + days * day_ms).saturating_sub(now_ms).div_ceil(1_000);
        let (opens, closes) = (in_s(window.start), in_s(window.end));
        Some(SwitchWindow {
            opens_in_s: u32::try_from(opens).unwrap_or(u32::MAX),
            closes_in_s: u32::try_from(closes).unwrap_or(u32::MAX),
        })
    }

    /// A check-in is answered in the protocol's words, everything else in those of the transport.
    fn busy(&self, request: &Request) -> Reply {
        let after_s = self.next_check_in_s;
        match request {
            Request::CheckIn(_) => Reply::Answer(spell(&Answer::Wait { after_s, reason: WaitReason::Busy })),
            _ => Reply::Busy(u64::from(after_s) * 1_000),
        }
    }

    fn check_in(&mut self, now_ms: u64, bytes: &[u8]) -> Reply {
        let Ok(check_in) = decode::<CheckIn<'_>>(bytes) else { return Reply::Refused };
        let newest = u32::try_from(self.roots.len()).unwrap_or(u32::MAX);
        if check_in.root_version < newest || check_in.delegation_version < self.delegation.0 {
            let hint = Answer::CatchUp { root: newest, delegation: self.delegation.0 };
            return Reply::Answer(spell(&hint));
        }
        let Some(nonce) = check_in.nonce else {
            return Reply::Answer(spell(&Answer::Ask(Ask { nonce: true, facts: false })));
        };
        let running = check_in.components.first().map(|component| component.running);
        self.running = running;
        let offer = running.and_then(|running| self.choose(running));
        self.idle = offer.is_none();
        let key = Key::named(self.online);
        let session = Some((&self.device, nonce));
        let now = self.now(now_ms);
        let Some((attempt, at, travel)) = offer else {
            let status = Status { now, next_check_in_s: self.next_check_in_s };
            let envelope = key.sign(Kind::Status, session, &status);
            return Reply::Answer(spell(&Answer::Status(&envelope)));
        };
        let published = &self.releases[at];
        let offer = Offer {
            attempt,
            now,
            release: Digest::of(&published.envelope),
            travel,
            ttl_s: self.ttl_s,
            deadline_s: 86_400,
            switch_window: self.switch_window(now_ms),
            urgency: self.urgency,
        };
        let envelope = key.sign(Kind::Offer, session, &offer);
        let answer = Answer::Offer { offer: &envelope, release: Some(&published.envelope) };
        Reply::Answer(spell(&answer))
    }

    /// What to offer a device that runs this, if anything.
    fn choose(&mut self, running: ShortDigest) -> Option<(AttemptId, usize, Travel)> {
        let target = self.target?;
        let image = self.releases[target].release.image.short();
        let mine = || self.attempts.iter().enumerate().filter(|(_, attempt)| attempt.release == target);
        let tries = mine().count();
        let last = mine().next_back().map(|(at, attempt)| (at, attempt.outcomes.last().copied()));
        let at = match last {
            Some((_, Some(_))) if running == image => return None,
            Some((_, Some((_, Some(cause))))) if cause.blame() == Blame::Image && !self.stubborn => {
                return None;
            }
            Some((_, Some(_))) if tries > self.retries => return None,
            Some((at, None)) => at,
            None if running == image => return None,
            _ => {
                let id = AttemptId(self.attempts.len() as u64 + 1);
                let fresh =
                    Attempt { id, release: target, marks: 0, outcomes: Vec::new(), delta_failed: false };
                self.attempts.push(fresh);
                self.attempts.len() - 1
            }
        };
        let (attempt, published) = (&self.attempts[at], &self.releases[target]);
        let delta = published.deltas.get(&running).filter(|_| self.deltas && !attempt.delta_failed);
        let travel = match delta {
            Some(delta) => artifact::travel(delta, Some(running)),
            None => artifact::travel(&published.full, None),
        };
        Some((attempt.id, target, travel))
    }

    fn report(&mut self, now_ms: u64, bytes: &[u8]) -> Reply {
        let Ok(report) = decode::<Report>(bytes) else { return Reply::Refused };
        for event in report.events {
            if self.seen.insert((event.attempt, event.number)) {
                self.events.push((now_ms, event));
                self.take(&event);
                continue;
            }
            let same =
                |known: &&(u64, Event)| (known.1.attempt, known.1.number) == (event.attempt, event.number);
            if let Some((_, known)) = self.events.iter().find(same)
                && known.kind != event.kind
            {
                self.confused.push((*known, event));
            }
        }
        Reply::Acknowledged
    }

    fn take(&mut self, event: &Event) {
        let cause = match event.detail {
            Detail::Cause(cause) => Some(cause),
            _ => None,
        };
        if event.attempt == AttemptId::NONE && cause == Some(Cause::RecordUnreadable) {
            // The device forgot what it was trying: whatever was open has ended.
            for attempt in self.attempts.iter_mut().filter(|attempt| attempt.outcomes.is_empty()) {
                attempt.outcomes.push((event.kind, cause));
            }
        }
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.id == event.attempt) else {
            return;
        };
        // An offer that a gate holds back was never begun, and nobody owes it an outcome.
        attempt.marks += u32::from(event.kind != EventKind::Deferred);
        attempt.delta_failed |= event.kind == EventKind::VerifyFailed
            && matches!(cause, Some(Cause::DeltaUndecodable | Cause::ImageDigest));
        if event.kind.is_outcome() {
            attempt.outcomes.push((event.kind, cause));
        }
    }

    fn trust(&self, document: TrustDocument) -> Reply {
        let bytes = match document {
            TrustDocument::Delegation => Some(&self.delegation.1),
            TrustDocument::Root(version) => version
                .checked_sub(1)
                .and_then(|at| usize::try_from(at).ok())
                .and_then(|at| self.roots.get(at)),
        };
        bytes.map_or(Reply::Refused, |bytes| Reply::Trust(document, bytes.clone()))
    }

    fn range(&mut self, artifact: &Digest, from: u64, len: u64) -> Reply {
        let all = self.releases.iter().flat_map(|known| {
            known.deltas.values().chain([&known.full]).map(|bytes| (bytes, known.is_false))
        });
        let Some((bytes, is_false)) = all.into_iter().find(|(bytes, _)| Digest::of(bytes) == *artifact)
        else {
            return Reply::Refused;
        };
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let mut part = bytes[at(from)..at(from.saturating_add(len))].to_vec();
        self.sent_bytes += part.len() as u64;
        if (self.spoil_ranges > 0 || is_false)
            && let Some(byte) = part.last_mut()
        {
            self.spoil_ranges = self.spoil_ranges.saturating_sub(1);
            *byte ^= 0x40;
        }
        Reply::Bytes(from, part)
    }
}
