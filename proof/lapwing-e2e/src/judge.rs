//! Whether a device comes home from a folder that a power cut left: the promises of the design.
//!
//! Touches: core's slot table and trust chain, the device's record and brain; a folder in memory.
//! Never: repeats what the agent does; it knows the files' formats and what was promised to whom.

use crate::changes::Recording;
use crate::crash_states::Crash;
use crate::tree::{Content, Tree};
use lapwing_core::{
    BootId, Digest, HardwareClass, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, ShortDigest, Slot,
    SlotState, SlotTable, TrustAnchor, Uptime,
};
use lapwing_device::{
    Boot, DataBudget, Device, Event, Identity, Now, Provisioned, Record, ResetCause, Settings, StoredRecord,
    Talking, Trial, Tries, VersionPolicy,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What only its owner may read.
const SECRET: &str = "secret";
const RECORD: &str = "record";
const TABLE: &str = "slot-table";
/// Once somebody outside may have acted on them, they must not be forgotten.
const PROMISED: [&str; 2] = [SECRET, RECORD];

type History = Vec<(usize, Option<Arc<Content>>)>;

/// The files of `trust/`.
type Documents = Vec<(String, Digest)>;

/// Judges folders of an `app` device.
#[derive(Debug)]
pub struct LapwingJudge {
    images: Vec<(&'static str, Digest)>,
    reported: Option<(usize, &'static str)>,
    /// Generation of the table, and from how many operations on.
    generations: Vec<(usize, u64)>,
    histories: Vec<(&'static str, History)>,
    /// Every whole image that lay in a slot.
    whole: Vec<Arc<Content>>,
    config: Option<Arc<Content>>,
    /// What documents make: signatures take their time.
    anchors: RefCell<HashMap<Documents, Result<TrustAnchor, String>>>,
}

impl LapwingJudge {
    /// Nothing but these images may ever start.
    #[must_use]
    pub fn new(recording: &Recording, images: &[(&'static str, Digest)]) -> Self {
        let tables = recording.history(TABLE).into_iter();
        let generations = tables.filter_map(|(since, content)| {
            Some((since, decode(content.as_deref()?.bytes()).ok()?.generation()))
        });
        Self {
            images: images.to_vec(),
            reported: None,
            generations: generations.collect(),
            whole: whole_images(recording, images),
            histories: PROMISED.map(|path| (path, recording.history(path))).to_vec(),
            config: recording.before.content("agent.toml").cloned(),
            anchors: RefCell::default(),
        }
    }

    /// From so many operations on, the outside holds that this image is what starts.
    #[must_use]
    pub fn reported(self, since: usize, image: &'static str) -> Self {
        Self { reported: Some((since, image)), ..self }
    }

    /// The name of the image that starts.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn judge(&self, crash: &Crash<'_>) -> Result<String, String> {
        let tree = crash.tree;
        let table = tree.content(TABLE).ok_or("there is no slot table")?;
        let table = decode(table.bytes())?;
        self.slots(tree, &table)?;
        self.output_counter(tree, table.active.other())?;
        let start = table.start();
        let named = [start.slot, table.fallback()].map(|slot| self.startable(&table, slot));
        let [starts, falls_back] = named;
        let (image, _) = (starts?, falls_back?);
        let anchor = self.anchor(tree)?;
        let record = stored_record(tree)?;
        answers(&anchor, record, start.store.unwrap_or(table), start.slot)?;
        answers(&anchor, record, table, table.fallback())?;
        self.private(tree)?;
        self.promises(crash, &table)?;
        match self.reported {
            Some((since, reported)) if since <= crash.cut && reported != image => {
                Err(format!("{reported} was reported and {image} starts"))
            }
            _ => Ok(image.to_owned()),
        }
    }

    /// Whatever the table calls whole is whole, one of the images, and can be executed.
    fn slots(&self, tree: &Tree, table: &SlotTable) -> Result<(), String> {
        for slot in Slot::ALL {
            let entry = table.slot(slot);
            if !matches!(entry.state, SlotState::Staged | SlotState::Trial | SlotState::Confirmed) {
                continue;
            }
            let name = slot.name();
            let path = format!("slots/{name}/image");
            let content = tree.content(&path).ok_or_else(|| format!("slot {name} has no image"))?;
            let digest = content.digest();
            let size = content.bytes().len() as u64;
            if (digest, size) != (entry.image, entry.image_size_bytes) {
                let state = entry.state;
                return Err(format!("slot {name} is {state:?} and holds other bytes ({size} of them)"));
            }
            if self.name(&digest).is_none() {
                return Err(format!("slot {name} holds an image that nobody made"));
            }
            if tree.node(&path).is_none_or(|node| node.mode & 0o111 == 0) {
                return Err(format!("slot {name} cannot be executed"));
            }
        }
        Ok(())
    }

    /// What the output counter counts is in the spare slot: the next apply goes on behind it.
    fn output_counter(&self, tree: &Tree, spare: Slot) -> Result<(), String> {
        let blocks = tree.content("artifact/blocks").map_or(&[][..], |content| content.bytes());
        let counted =
            usize::try_from(applied_bytes(blocks)).map_err(|_| "the counter is beyond all bounds")?;
        let image = tree.content(&format!("slots/{}/image", spare.name()));
        let there = image.map_or(&[][..], |image| image.bytes()).get(..counted);
        let made = |there: &[u8]| self.whole.iter().any(|image| image.bytes().starts_with(there));
        match there {
            Some(there) if made(there) => Ok(()),
            _ => {
                Err(format!("{counted} bytes of an image are counted that are not in slot {}", spare.name()))
            }
        }
    }

    fn startable(&self, table: &SlotTable, slot: Slot) -> Result<&'static str, String> {
        let entry = table.slot(slot);
        match (entry.state, self.name(&entry.image)) {
            (SlotState::Trial | SlotState::Confirmed, Some(image)) => Ok(image),
            (state, _) => Err(format!("slot {} would start and is {state:?}", slot.name())),
        }
    }

    fn name(&self, digest: &Digest) -> Option<&'static str> {
        self.images.iter().find(|(_, image)| image == digest).map(|(name, _)| *name)
    }

    fn anchor(&self, tree: &Tree) -> Result<TrustAnchor, String> {
        let digest = |name: &str| Some((name.to_owned(), tree.content(&format!("trust/{name}"))?.digest()));
        let documents = tree.names("trust").filter_map(digest).collect();
        self.anchors.borrow_mut().entry(documents).or_insert_with(|| trust(tree)).clone()
    }

    fn private(&self, tree: &Tree) -> Result<(), String> {
        if tree.node(SECRET).is_some_and(|node| node.mode & 0o077 != 0) {
            return Err("others may read the secret".into());
        }
        if tree.node(SECRET).is_none() && tree.node("claim-token").is_none() {
            return Err("neither secret nor claim token: no server will know it".into());
        }
        let config = |content: Option<&Arc<Content>>| content.map(|content| content.digest());
        if config(tree.content("agent.toml")) != config(self.config.as_ref()) {
            return Err("the configuration has changed".into());
        }
        Ok(())
    }

    /// What somebody outside may have acted on is still there, or something later.
    fn promises(&self, crash: &Crash<'_>, table: &SlotTable) -> Result<(), String> {
        let Some(promised) = crash.promised else { return Ok(()) };
        let until = |since: &usize| *since <= promised;
        let generation = self.generations.iter().take_while(|(since, _)| until(since)).last();
        if generation.is_some_and(|(_, generation)| table.generation() < *generation) {
            return Err("the slot table forgot a change that was acted on".into());
        }
        for (path, history) in &self.histories {
            let now = crash.tree.content(path).map(|content| content.bytes());
            let superseded = history.partition_point(|(since, _)| until(since)).saturating_sub(1);
            let allowed = history.iter().skip(superseded).take_while(|(since, _)| *since <= crash.cut);
            let is_kept = allowed
                .map(|(_, content)| content.as_deref())
                .any(|content| content.map(Content::bytes) == now);
            if !is_kept {
                return Err(format!("the {path} is not the one that was acted on, nor a later one"));
            }
        }
        Ok(())
    }
}

fn whole_images(recording: &Recording, images: &[(&'static str, Digest)]) -> Vec<Arc<Content>> {
    let paths = Slot::ALL.map(|slot| format!("slots/{}/image", slot.name()));
    let contents = paths.iter().flat_map(|path| recording.history(path)).filter_map(|(_, content)| content);
    let mut whole: Vec<Arc<Content>> = Vec::new();
    for content in contents {
        let digest = content.digest();
        let is_image = images.iter().any(|(_, image)| *image == digest);
        if is_image && whole.iter().all(|known| known.digest() != digest) {
            whole.push(content);
        }
    }
    whole
}

/// What the agent counts as applied in `artifact/blocks`; nothing if the sum is wrong.
fn applied_bytes(blocks: &[u8]) -> u64 {
    const BLOCK_BYTES: u64 = 1024;
    let counted = || {
        let (head, rest) = blocks.strip_prefix(b"LWPART01")?.split_at_checked(40)?;
        let (digest, size) = head.split_at_checked(Digest::LEN)?;
        let size_bytes = u64::from_be_bytes(size.try_into().ok()?);
        let bitmap_bytes = usize::try_from(size_bytes.div_ceil(BLOCK_BYTES).div_ceil(8)).ok()?;
        let (number, sum) = rest.get(bitmap_bytes..)?.split_at_checked(8)?;
        let is_whole = Digest::of(&[number, digest].concat()).short().0 == *sum;
        is_whole.then_some(u64::from_be_bytes(number.try_into().ok()?))
    };
    counted().unwrap_or(0)
}

/// The slot table in these bytes, as the launcher would read it.
pub(crate) fn decode(area: &[u8]) -> Result<SlotTable, String> {
    if area.len() as u64 != SLOT_TABLE_LEN {
        return Err(format!("the slot table is {} bytes long", area.len()));
    }
    let records = SLOT_RECORD_OFFSETS.map(|offset| {
        let start = offset as usize;
        let record = area.get(start..start + SLOT_RECORD_LEN).unwrap_or_default();
        <[u8; SLOT_RECORD_LEN]>::try_from(record).unwrap_or([0; SLOT_RECORD_LEN])
    });
    SlotTable::decode(&records).map_err(|error| error.to_string())
}

/// The root documents follow one another, and one of them believes the delegation.
fn trust(tree: &Tree) -> Result<TrustAnchor, String> {
    let numbered = |name: &str| name.strip_prefix("root-")?.strip_suffix(".cbor")?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = tree.names("trust").filter_map(numbered).collect();
    numbers.sort_unstable();
    let mut anchors: Vec<TrustAnchor> = Vec::new();
    for number in numbers {
        let bytes = tree.content(&format!("trust/root-{number}.cbor")).ok_or("a root document is no file")?;
        let next = match anchors.last() {
            None => TrustAnchor::provisioned(bytes.bytes()),
            Some(anchor) => anchor.advance(bytes.bytes()),
        };
        anchors.push(next.map_err(|error| format!("root document {number}: {error}"))?);
    }
    let newest = anchors.last().ok_or("there is no root document")?;
    let delegation = tree.content("trust/delegation.cbor").ok_or("there is no delegation")?;
    // One that an older root believed is replaced at the next check-in.
    let believed = anchors.iter().rev().find_map(|anchor| anchor.delegate(delegation.bytes()).ok());
    let believed = believed.ok_or("no root document believes the delegation")?;
    Ok(if believed.root().version == newest.root().version { believed } else { newest.clone() })
}

/// The record behind its sum, or what its absence means: a device that has a secret has talked.
fn stored_record(tree: &Tree) -> Result<StoredRecord<'_>, String> {
    let Some(content) = tree.content(RECORD) else {
        let has_talked = tree.node(SECRET).is_some();
        return Ok(if has_talked { StoredRecord::Unreadable } else { StoredRecord::Fresh });
    };
    let (sum, record) =
        content.bytes().split_at_checked(ShortDigest::LEN).ok_or("the record is cut short")?;
    if Digest::of(record).short().0 != *sum {
        return Err("the record is not the one that was summed up".into());
    }
    match Record::decode(record) {
        Ok(_) => Ok(StoredRecord::Bytes(record)),
        Err(error) => Err(format!("the record does not decode: {error}")),
    }
}

/// The brain that wakes up in this folder does something, now or later.
fn answers(
    anchor: &TrustAnchor,
    record: StoredRecord<'_>,
    table: SlotTable,
    slot: Slot,
) -> Result<(), String> {
    let device = Device::new(settings()?, anchor.clone(), record);
    let running = table.slot(slot).image;
    let boot = Boot { id: BootId([1; 8]), table, slot, running, reset: ResetCause::PowerOn, crashed: false };
    let now = Now { uptime: Uptime::default(), entropy: 1 };
    let step = device.step(now, Event::Booted(boot));
    let asleep = step.effects.is_empty() && step.next.wake_at(now.uptime).is_none();
    if asleep { Err(format!("the brain falls asleep for ever in slot {}", slot.name())) } else { Ok(()) }
}

/// Who the device is does not matter for whether it answers.
fn settings() -> Result<Settings, String> {
    let name = |_| "a name is too long".to_owned();
    Ok(Settings {
        identity: Identity {
            device: "device".parse().map_err(name)?,
            hardware: HardwareClass { vendor: [0; 16], class: [0; 16] },
            bootloader: 0,
            component: "app".parse().map_err(name)?,
            profile: 1,
            slot_bytes_max: u64::MAX,
            provisioned: Provisioned { version: "0.0.0".parse().map_err(name)?, seq: 0, security_version: 0 },
        },
        talking: Talking::default(),
        tries: Tries::default(),
        trial: Trial::default(),
        versions: VersionPolicy::default(),
        budget: DataBudget::default(),
        battery_floor_mv: 0,
    })
}
