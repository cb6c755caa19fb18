//! The network side of the body: claim, exchanges, and the artifact as it arrives.
//!
//! Touches: `lapwing-transport`, the artifact file, the identity files. A transfer stays open from one
//! turn of the loop to the next, and is closed when the loop goes to sleep.
//! Never: retries; it says what went wrong, and the brain decides.

#[cfg(test)]
mod tests;

use crate::adapters::artifact_file::{self, ArtifactFile};
use crate::adapters::identity_files;
use crate::device_dir::DeviceDir;
use crate::durable;
use crate::limits::{FETCH_TURN_MS, PIECE_BYTES};
use crate::os;
use lapwing_core::cbor::{NoRoom, encode};
use lapwing_core::limits::{CHECK_IN_BYTES_MAX, REPORT_BYTES_MAX};
use lapwing_core::trust::TlsAnchor;
use lapwing_core::wire::check_in::{Facts, NamedFacts};
use lapwing_core::wire::claim::Claim;
use lapwing_device::{Device, Fetched, Identity, Transfer, Trouble, TrustDocument};
use lapwing_transport::client::{
    ArtifactBytes, Client, Credentials, ExchangeError, Listening, Piece, Wanted,
};
#[cfg(feature = "wake-mqtt")]
use lapwing_transport::client::{BrokerUrl, Subscription};
use std::io;

/// All that talks.
pub(crate) struct Talking {
    client: Client,
    dir: DeviceDir,
    identity: Identity,
    /// Named facts, sorted as the wire wants them.
    facts: Vec<(String, String)>,
    checkpoint_bytes: u64,
    credentials: Option<Credentials>,
    arriving: Option<Arriving>,
    moved_bytes: u64,
    /// Bytes on the link that the brain was told of.
    told_bytes: u64,
}

/// A transfer in the middle.
struct Arriving {
    file: ArtifactFile,
    /// The open answer; none before the first request and after a failure.
    bytes: Option<ArtifactBytes>,
}

impl Talking {
    pub(crate) fn new(
        client: Client,
        dir: DeviceDir,
        identity: Identity,
        mut facts: Vec<(String, String)>,
        checkpoint_bytes: u64,
    ) -> Self {
        facts.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        facts.dedup_by(|(a, _), (b, _)| a == b);
        Self {
            client,
            dir,
            identity,
            facts,
            checkpoint_bytes,
            credentials: None,
            arriving: None,
            moved_bytes: 0,
            told_bytes: 0,
        }
    }

    pub(crate) fn check_in(&mut self, device: &Device) -> Result<Vec<u8>, Trouble> {
        let (mut facts, mut buffer) = (vec![0; CHECK_IN_BYTES_MAX], vec![0; CHECK_IN_BYTES_MAX]);
        let check_in = device.encode_check_in(self.named_facts(&mut facts), &mut buffer);
        let check_in = check_in.map_err(too_long)?;
        let anchors = &device.anchor().root().tls_anchors;
        let who = self.introduce(anchors)?;
        self.client.check_in(anchors, &who, check_in).map_err(|error| exchange_trouble("check in", &error))
    }

    /// Has the server call when it wants a check-in.
    pub(crate) fn listen(&self) -> Result<Listening, ExchangeError> {
        self.client.listen()
    }

    /// Waits at a broker for somebody to call.
    #[cfg(feature = "wake-mqtt")]
    pub(crate) fn subscribe(
        &self,
        broker: &BrokerUrl,
        anchors: &[TlsAnchor],
    ) -> Result<Subscription, ExchangeError> {
        let login = identity_files::broker_login(&self.dir);
        let login = login.map_err(|error| ExchangeError::Connection(error.kind()))?;
        self.client.subscribe(broker, &self.identity.device, login.as_deref(), anchors)
    }

    pub(crate) fn report(&mut self, device: &Device) -> Result<(), Trouble> {
        let mut buffer = vec![0; REPORT_BYTES_MAX];
        let report = device.encode_report(&mut buffer).map_err(too_long)?;
        let anchors = &device.anchor().root().tls_anchors;
        let who = self.introduce(anchors)?;
        self.client.report(anchors, &who, report).map_err(|error| exchange_trouble("report", &error))
    }

    pub(crate) fn fetch_trust(&self, device: &Device, which: TrustDocument) -> Result<Vec<u8>, Trouble> {
        let anchors = &device.anchor().root().tls_anchors;
        let fetched = match which {
            TrustDocument::Root(version) => self.client.root(anchors, version),
            TrustDocument::Delegation => self.client.delegation(anchors),
        };
        fetched.map_err(|error| exchange_trouble("fetch a trust document", &error))
    }

    /// Bytes that crossed the link since this was last asked, at the IP layer, both ways.
    pub(crate) fn spent_bytes(&mut self) -> u64 {
        let crossed_bytes = self.client.crossed_bytes();
        crossed_bytes - std::mem::replace(&mut self.told_bytes, crossed_bytes)
    }

    /// Lets transfers cost so many bytes, counted in the same way, and come for so long from now on.
    pub(crate) fn allow(&self, bytes: u64, ms: u64) {
        self.client.allow(bytes, ms);
    }

    /// Gets on with the transfer for one turn of the loop, which may bring so many bytes.
    pub(crate) fn fetch(
        &mut self,
        anchors: &[TlsAnchor],
        transfer: Transfer,
        turn_bytes: u64,
    ) -> Result<Fetched, Trouble> {
        let mut arriving = match self.arriving.take() {
            Some(arriving) if arriving.file.transfer() == transfer => arriving,
            _ => {
                let dir = self.dir.artifact();
                let file = ArtifactFile::open(&dir, transfer, self.checkpoint_bytes).map_err(storage)?;
                Arriving { file, bytes: None }
            }
        };
        let before_bytes = arriving.file.have_bytes();
        match self.get_on(anchors, &mut arriving, turn_bytes) {
            // What came is safe. A link that breaks again and again and gets on each time is not one that
            // brings nothing.
            Err(Trouble::Link { .. }) if arriving.file.have_bytes() > before_bytes => arriving.bytes = None,
            other => other?,
        }
        if arriving.file.missing().is_some() {
            let have_bytes = arriving.file.arrived_bytes();
            self.arriving = Some(arriving);
            return Ok(Fetched::Part { have_bytes });
        }
        let digest = arriving.file.digest().map_err(storage)?;
        if digest == transfer.artifact {
            return Ok(Fetched::Whole);
        }
        log::warn!("the artifact arrived with a wrong digest");
        self.drop_artifact()?;
        Ok(Fetched::WrongDigest)
    }

    /// Bytes of artifacts that came since this boot, those that had to come again included.
    pub(crate) fn moved_bytes(&self) -> u64 {
        self.moved_bytes
    }

    /// Closes what is open; what has arrived stays.
    pub(crate) fn rest(&mut self) {
        if let Some(mut arriving) = self.arriving.take()
            && let Err(error) = arriving.file.checkpoint()
        {
            log::warn!("failed to flush the artifact: {error}");
        }
    }

    pub(crate) fn drop_artifact(&mut self) -> Result<(), Trouble> {
        self.arriving = None;
        artifact_file::discard(&self.dir.artifact()).map_err(storage)
    }

    fn get_on(
        &mut self,
        anchors: &[TlsAnchor],
        arriving: &mut Arriving,
        turn_bytes: u64,
    ) -> Result<(), Trouble> {
        let until_ms = os::boot_time_ms().saturating_add(FETCH_TURN_MS);
        let (mut piece, mut left_bytes) = (vec![0; PIECE_BYTES], turn_bytes);
        let failed = loop {
            let Some(missing) = arriving.file.missing() else { return Ok(()) };
            let bytes = match arriving.bytes.take() {
                Some(bytes) if bytes.wastes_nothing(missing.start) => bytes,
                _ => match self.open(anchors, &arriving.file) {
                    Ok(bytes) => bytes,
                    Err(trouble) => break trouble,
                },
            };
            let bytes = arriving.bytes.insert(bytes);
            let most = usize::try_from(left_bytes).unwrap_or(usize::MAX).min(PIECE_BYTES);
            match bytes.read(piece.get_mut(..most).unwrap_or_default()) {
                Ok(Piece { bytes: 0, .. }) => {
                    arriving.bytes = None;
                    arriving.file.checkpoint().map_err(storage)?;
                    if self.client.is_limited() {
                        // It may be over for today.
                        return Ok(());
                    }
                }
                Ok(Piece { offset, bytes }) => {
                    let piece = piece.get(..bytes).unwrap_or_default();
                    arriving.file.write_at(offset, piece).map_err(storage)?;
                    left_bytes -= bytes as u64;
                    self.moved_bytes += bytes as u64;
                    if left_bytes == 0 || os::boot_time_ms() >= until_ms {
                        return Ok(());
                    }
                }
                Err(error) => {
                    if !bytes.brought_any() {
                        self.client.pass_over();
                    }
                    break exchange_trouble("fetch the artifact", &error);
                }
            }
        };
        arriving.file.checkpoint().map_err(storage)?;
        Err(failed)
    }

    fn open(&mut self, anchors: &[TlsAnchor], file: &ArtifactFile) -> Result<ArtifactBytes, Trouble> {
        let who = self.introduce(anchors)?;
        let Transfer { artifact, artifact_size_bytes: size_bytes } = file.transfer();
        let wanted = Wanted { artifact, size_bytes, have: file.bitmap() };
        let opened = self.client.artifact(anchors, &who, &wanted);
        opened.map_err(|error| exchange_trouble("fetch the artifact", &error))
    }

    /// Who this device is; claims its place first if it still has to.
    fn introduce(&mut self, anchors: &[TlsAnchor]) -> Result<Credentials, Trouble> {
        if let Some(known) = &self.credentials {
            return Ok(known.clone());
        }
        let secret = identity_files::secret(&self.dir).map_err(storage)?;
        let who = Credentials { device: self.identity.device.clone(), secret };
        if let Some(token) = identity_files::claim_token(&self.dir).map_err(storage)? {
            let (mut facts, mut buffer) = (vec![0; CHECK_IN_BYTES_MAX], vec![0; CHECK_IN_BYTES_MAX]);
            let facts = Facts {
                hardware: self.identity.hardware,
                bootloader: self.identity.bootloader,
                profile: self.identity.profile,
                named: self.named_facts(&mut facts),
            };
            let claim = Claim { device: who.device.clone(), token, secret: who.secret.clone(), facts };
            let claim = encode(&claim, &mut buffer).map_err(too_long)?;
            self.client.claim(anchors, claim).map_err(|error| exchange_trouble("claim", &error))?;
            log::info!("claimed a place in the fleet");
            if let Err(error) = identity_files::forget_claim_token(&self.dir) {
                log::warn!("failed to remove the claim token: {error}");
            }
        }
        self.credentials = Some(who.clone());
        Ok(who)
    }

    fn named_facts<'a>(&self, buffer: &'a mut [u8]) -> NamedFacts<'a> {
        let facts: Vec<_> = self.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        NamedFacts::spell(&facts, buffer).unwrap_or_else(|_| {
            log::error!("the facts do not fit a check-in and are left out");
            NamedFacts::NONE
        })
    }
}

fn exchange_trouble(what: &str, error: &ExchangeError) -> Trouble {
    log::warn!("failed to {what}: {error}");
    if error.is_refusal() {
        return Trouble::Refused;
    }
    let retry_after_ms = error.retry_after().and_then(|wait| u64::try_from(wait.as_millis()).ok());
    Trouble::Link { retry_after_ms }
}

fn storage(error: io::Error) -> Trouble {
    log::error!("failed to use the device directory: {error}");
    durable::trouble(&error)
}

fn too_long(_: NoRoom) -> Trouble {
    log::error!("failed to spell a message: it is longer than the protocol allows");
    Trouble::Storage
}
