//! What the agent does for each effect of the brain, and the event that comes of it.
//!
//! Touches: every adapter. Entered from: `run`. Source: `lapwing_device::Effect`.
//! Never: decides; one effect, one action, one result.

use crate::adapters::artifact_file::{self, ArtifactFile};
use crate::adapters::running_mark::RunningMark;
use crate::adapters::slots_app::AppSlots;
use crate::adapters::{record_file, trust_files};
use crate::config::AgentSettings;
use crate::device_dir::DeviceDir;
use crate::durable;
use crate::pace::Pace;
use crate::restart::{After, Restarting};
use crate::talking::Talking;
use lapwing_core::Uptime;
use lapwing_delta::Profile;
use lapwing_device::limits::RECORD_BYTES_MAX;
use lapwing_device::{Device, Effect, Event, Install, Transfer, Trouble, TrustDocument};
use std::io;

/// Everything an effect can touch in one boot.
pub(crate) struct Body {
    pub(crate) dir: DeviceDir,
    pub(crate) slots: AppSlots,
    pub(crate) talking: Talking,
    pub(crate) mark: RunningMark,
    profile: Profile,
    checkpoint_bytes: u64,
    /// Asked for, and begun when its time comes.
    fetching: Option<Transfer>,
    pub(crate) pace: Pace,
}

/// An event with its bytes.
#[derive(Debug)]
pub(crate) enum Happened {
    Plain(Event<'static>),
    Answered(Vec<u8>),
    TrustFetched(TrustDocument, Vec<u8>),
}

impl Happened {
    pub(crate) fn event(&self) -> Event<'_> {
        match self {
            Self::Plain(event) => *event,
            Self::Answered(bytes) => Event::Answered(bytes),
            Self::TrustFetched(document, bytes) => Event::TrustFetched(*document, bytes),
        }
    }
}

/// What came of an effect.
#[derive(Debug)]
pub(crate) enum Done {
    Quietly,
    With(Happened),
    Restarted(After),
}

impl Body {
    pub(crate) fn new(
        dir: DeviceDir,
        slots: AppSlots,
        talking: Talking,
        mark: RunningMark,
        settings: &AgentSettings,
    ) -> Self {
        let profiles = [Profile::Kib64, Profile::Kib256, Profile::Mib1, Profile::Free];
        let number = settings.brain.identity.profile;
        let profile = profiles.into_iter().find(|profile| *profile as u8 == number);
        let profile = profile.unwrap_or(Profile::Kib64);
        let checkpoint_bytes = settings.checkpoint_bytes;
        let pace = Pace::new(settings.transfer_bytes_per_s_max);
        Self { dir, slots, talking, mark, profile, checkpoint_bytes, fetching: None, pace }
    }

    /// Does it. `given` is the event that the brain answered with this effect.
    pub(crate) fn perform(
        &mut self,
        device: &Device,
        effect: Effect,
        given: &Happened,
        restarting: &mut Restarting,
    ) -> Result<Done, Trouble> {
        let plain = |event| Done::With(Happened::Plain(event));
        let table = |table| Done::With(Happened::Plain(Event::SlotTable(table)));
        match effect {
            Effect::Save => self.save(device).map(|()| Done::Quietly),
            Effect::CheckIn => {
                self.talking.check_in(device).map(|answer| Done::With(Happened::Answered(answer)))
            }
            Effect::Report { up_to } => {
                self.talking.report(device).map(|()| plain(Event::Reported { up_to }))
            }
            Effect::FetchTrust(document) => self
                .talking
                .fetch_trust(device, document)
                .map(|bytes| Done::With(Happened::TrustFetched(document, bytes))),
            Effect::KeepTrust(document) => self.keep_trust(device, document, given).map(|()| Done::Quietly),
            Effect::Fetch(transfer) => {
                self.fetching = Some(transfer);
                Ok(Done::Quietly)
            }
            Effect::Apply(install) => self.apply(&install),
            Effect::DropArtifact => {
                self.fetching = None;
                self.talking.drop_artifact().map(|()| Done::Quietly)
            }
            Effect::SignOfLife => self.slots.sign_of_life().map(table),
            Effect::Switch { image, limits } => self.slots.switch(&image, limits).map(table),
            Effect::Restart => self.restart(restarting).map(Done::Restarted),
            Effect::Confirm => self.slots.confirm().map(table),
            Effect::Settle(old) => self.slots.settle(old).map(table),
            Effect::RollBack(old) => self.slots.roll_back(old).map(table),
        }
    }

    /// When the transfer that was asked for may go on.
    pub(crate) fn fetch_due(&self) -> Option<Uptime> {
        self.fetching.and_then(|_| self.pace.free_at())
    }

    /// Gets on with it for one turn of the loop.
    pub(crate) fn fetch(&mut self, device: &Device, now: Uptime) -> Option<Happened> {
        let transfer = self.fetching.take()?;
        let anchors = &device.anchor().root().tls_anchors;
        let before_bytes = self.talking.moved_bytes();
        self.talking.allow(device.transfer_bytes_left(), device.awake_left_ms(now));
        let fetched = self.talking.fetch(anchors, transfer, self.pace.turn_bytes());
        self.pace.spend(now, self.talking.moved_bytes() - before_bytes);
        Some(Happened::Plain(match fetched {
            Ok(fetched) => Event::Fetched(fetched),
            Err(trouble) => Event::Failed(Effect::Fetch(transfer), trouble),
        }))
    }

    /// Bytes that an update would find beside the free space: what it replaces, and what it has.
    pub(crate) fn reusable_bytes(&self) -> u64 {
        self.slots.spare_bytes().saturating_add(artifact_file::stored_bytes(&self.dir.artifact()))
    }

    fn save(&self, device: &Device) -> Result<(), Trouble> {
        let mut buffer = vec![0; RECORD_BYTES_MAX];
        let record = device.encode_record(&mut buffer).map_err(|_| {
            log::error!("failed to spell the record: it is longer than its limit");
            Trouble::Storage
        })?;
        record_file::save(&self.dir.record(), record).map_err(|error| storage("save the record", &error))
    }

    fn keep_trust(&self, device: &Device, document: TrustDocument, given: &Happened) -> Result<(), Trouble> {
        match given {
            Happened::TrustFetched(fetched, bytes) if *fetched == document => {
                trust_files::keep(&self.dir, device.anchor(), document, bytes)
                    .map_err(|error| storage("keep a trust document", &error))
            }
            // Nothing else brings a document, so there is nothing to keep.
            _ => Err(Trouble::Storage),
        }
    }

    fn apply(&mut self, install: &Install) -> Result<Done, Trouble> {
        self.talking.rest();
        let Transfer { artifact, artifact_size_bytes } = install.transfer;
        log::info!("applying {artifact_size_bytes} bytes of artifact {}", artifact.short());
        let stored = ArtifactFile::open(&self.dir.artifact(), install.transfer, self.checkpoint_bytes)
            .map_err(|error| storage("open the artifact", &error))?;
        if stored.missing().is_some() {
            log::error!("the artifact was whole a moment ago and is not now");
            return Err(Trouble::Storage);
        }
        let applied = self.slots.apply(install, &stored, self.profile)?;
        Ok(Done::With(Happened::Plain(Event::Applied(applied))))
    }

    fn restart(&self, restarting: &mut Restarting) -> Result<After, Trouble> {
        restarting.restart(self.dir.root(), &self.mark).map_err(|error| storage("restart", &error))
    }
}

fn storage(what: &str, error: &io::Error) -> Trouble {
    log::error!("failed to {what}: {error}");
    durable::trouble(error)
}
