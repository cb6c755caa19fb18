//! Rows of devices and of their attempts.
//!
//! Touches: their tables. What a device said last is kept as the check-in that would say it again.
//! Never: holds a secret, only its hash.

use super::StoreError;
use super::publishing::{digest_from, number, seconds};
use lapwing_core::cbor::{decode, encode};
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{CheckIn, Facts};
use lapwing_core::{AttemptId, BootId, DeviceId, Digest, ShortDigest, UnixSeconds, Version};
use lapwing_fleet::limits::PAST_ATTEMPTS_MAX;
use lapwing_fleet::{AttemptState, Outcome, PastAttempt};
use rusqlite::{Connection, OptionalExtension, Row};

/// A device as the fleet knows it.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    /// SHA-256 of its secret: 256 random bits need no slow hash.
    pub(crate) secret: Digest,
    /// What it said last, as a check-in without nonce.
    pub(crate) said: Vec<u8>,
    /// The boot before the one it said last.
    pub(crate) boot_before: Option<BootId>,
    /// Why it is in quarantine, if it is.
    pub(crate) quarantine: Option<String>,
    pub(crate) pinned: Option<Version>,
    pub(crate) update_now: bool,
    /// Its next claim may bring another secret.
    pub(crate) replaceable: bool,
    pub(crate) first_seen: UnixSeconds,
    pub(crate) last_seen: UnixSeconds,
    /// Newest first, at most [`PAST_ATTEMPTS_MAX`].
    pub(crate) attempts: Vec<AttemptRow>,
}

impl Device {
    /// A device that has said no more than `facts`.
    pub(crate) fn new(
        id: DeviceId,
        secret: Digest,
        facts: Option<Facts<'_>>,
        now: UnixSeconds,
    ) -> Result<Self, StoreError> {
        let said = CheckIn {
            root_version: 0,
            delegation_version: 0,
            components: Default::default(),
            nonce: None,
            facts,
            health: Default::default(),
            gates: Default::default(),
            boot: None,
        };
        let mut buffer = [0; CHECK_IN_BYTES_MAX];
        let said = encode(&said, &mut buffer).map_err(|_| StoreError::Corrupt("devices"))?.to_vec();
        Ok(Self {
            id,
            secret,
            said,
            boot_before: None,
            quarantine: None,
            pinned: None,
            update_now: false,
            replaceable: false,
            first_seen: now,
            last_seen: now,
            attempts: Vec::new(),
        })
    }

    /// What it said last.
    pub(crate) fn said(&self) -> Result<CheckIn<'_>, StoreError> {
        decode(&self.said).map_err(|_| StoreError::Corrupt("devices"))
    }

    /// Its attempts as decisions see them.
    pub(crate) fn past(&self) -> Vec<PastAttempt> {
        self.attempts.iter().map(AttemptRow::past).collect()
    }
}

/// One device trying one release.
#[derive(Debug, Clone)]
pub(crate) struct AttemptRow {
    pub(crate) id: AttemptId,
    pub(crate) release: Digest,
    /// What ran when it was opened.
    pub(crate) base: ShortDigest,
    pub(crate) codec: u8,
    pub(crate) profile: u8,
    /// The base of the delta that is offered; none for a full image.
    pub(crate) delta_from: Option<Digest>,
    pub(crate) artifact: Digest,
    pub(crate) artifact_size_bytes: u64,
    pub(crate) outcome: Outcome,
    pub(crate) percent: u8,
    pub(crate) opened: UnixSeconds,
    pub(crate) deadline: UnixSeconds,
    pub(crate) ended: Option<UnixSeconds>,
    pub(crate) forgiven: bool,
    /// Its delta failed: the full image from now on.
    pub(crate) full_image: bool,
}

impl AttemptRow {
    fn past(&self) -> PastAttempt {
        let at = self.ended.unwrap_or(self.opened);
        PastAttempt { release: self.release, outcome: self.outcome, at, forgiven: self.forgiven }
    }
}

/// Writes a device, but not its attempts.
pub(crate) fn put_device(connection: &Connection, device: &Device) -> Result<(), StoreError> {
    let sql = "INSERT INTO devices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id) DO UPDATE SET secret = ?2, said = ?3, boot_before = ?4, quarantine = ?5,
        pinned = ?6, update_now = ?7, replaceable = ?8, last_seen = max(last_seen, ?10)";
    connection.prepare_cached(sql)?.execute((
        device.id.as_str(),
        device.secret.as_bytes(),
        &device.said,
        device.boot_before.as_ref().map(|boot| boot.0),
        &device.quarantine,
        device.pinned.as_ref().map(Version::as_str),
        device.update_now,
        device.replaceable,
        number(device.first_seen.0),
        number(device.last_seen.0),
    ))?;
    connection.prepare_cached("DELETE FROM running WHERE device = ?1")?.execute([device.id.as_str()])?;
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO running VALUES (?1, ?2, ?3, ?4)")?;
    let said = device.said()?;
    let profile = said.facts.as_ref().map_or(0, |facts| facts.profile);
    for component in &said.components {
        insert.execute((device.id.as_str(), component.name.as_str(), component.running.0, profile))?;
    }
    Ok(())
}

/// Writes times of last contact, many at once.
pub(crate) fn put_seen(connection: &Connection, seen: &[(DeviceId, UnixSeconds)]) -> Result<(), StoreError> {
    let sql = "UPDATE devices SET last_seen = max(last_seen, ?2) WHERE id = ?1";
    let mut update = connection.prepare_cached(sql)?;
    for (id, time) in seen {
        update.execute((id.as_str(), number(time.0)))?;
    }
    Ok(())
}

/// A device with its newest attempts.
pub(crate) fn device(connection: &Connection, id: &DeviceId) -> Result<Option<Device>, StoreError> {
    let sql = "SELECT * FROM devices WHERE id = ?1";
    let raw = connection.prepare_cached(sql)?.query_row([id.as_str()], raw_device).optional()?;
    raw.map(|raw| whole_device(connection, raw)).transpose()
}

/// Devices after `cursor`, in order of their ids.
pub(crate) fn devices_page(
    connection: &Connection,
    cursor: &str,
    limit: u32,
) -> Result<Vec<Device>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM devices WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let rows: Vec<RawDevice> = statement.query_map((cursor, limit), raw_device)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|raw| whole_device(connection, raw)).collect()
}

struct RawDevice {
    id: String,
    secret: Vec<u8>,
    pinned: Option<String>,
    device: Device,
}

fn raw_device(row: &Row<'_>) -> Result<RawDevice, rusqlite::Error> {
    let placeholder = || rusqlite::Error::InvalidQuery;
    Ok(RawDevice {
        id: row.get("id")?,
        secret: row.get("secret")?,
        pinned: row.get("pinned")?,
        device: Device {
            id: row.get::<_, String>("id")?.parse().map_err(|_| placeholder())?,
            secret: Digest::from_bytes([0; Digest::LEN]),
            said: row.get("said")?,
            boot_before: row.get::<_, Option<[u8; 8]>>("boot_before")?.map(BootId),
            quarantine: row.get("quarantine")?,
            pinned: None,
            update_now: row.get("update_now")?,
            replaceable: row.get("replaceable")?,
            first_seen: seconds(row, 8)?,
            last_seen: seconds(row, 9)?,
            attempts: Vec::new(),
        },
    })
}

fn whole_device(connection: &Connection, raw: RawDevice) -> Result<Device, StoreError> {
    let corrupt = || StoreError::Corrupt("devices");
    let pinned = raw.pinned.map(|version| version.parse()).transpose().map_err(|_| corrupt())?;
    let attempts = attempts_of(connection, &raw.id)?;
    let secret = digest_from(&raw.secret, "devices")?;
    Ok(Device { secret, pinned, attempts, ..raw.device })
}

fn attempts_of(connection: &Connection, device: &str) -> Result<Vec<AttemptRow>, StoreError> {
    let sql = "SELECT * FROM attempts WHERE device = ?1 ORDER BY id DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(PAST_ATTEMPTS_MAX).unwrap_or(i64::MAX);
    let rows = statement.query_map((device, limit), raw_attempt)?;
    rows.map(|row| row?.ok_or(StoreError::Corrupt("attempts"))).collect()
}

fn raw_attempt(row: &Row<'_>) -> Result<Option<AttemptRow>, rusqlite::Error> {
    let digest = |name: &str| row.get::<_, [u8; 32]>(name).map(Digest::from_bytes);
    let time = |name: &str| row.get::<_, i64>(name).map(|s| UnixSeconds(u64::try_from(s).unwrap_or(0)));
    let state: String = row.get("state")?;
    let Some(state) = AttemptState::from_label(&state) else { return Ok(None) };
    let cause = row.get::<_, Option<u16>>("cause")?.map(Cause::from_code);
    let ended = row.get::<_, Option<i64>>("ended")?;
    Ok(Some(AttemptRow {
        id: AttemptId(u64::try_from(row.get::<_, i64>("id")?).unwrap_or(0)),
        release: digest("release")?,
        base: ShortDigest(row.get("base")?),
        codec: row.get("codec")?,
        profile: row.get("profile")?,
        delta_from: row.get::<_, Option<[u8; 32]>>("delta_from")?.map(Digest::from_bytes),
        artifact: digest("artifact")?,
        artifact_size_bytes: u64::try_from(row.get::<_, i64>("artifact_size")?).unwrap_or(0),
        outcome: Outcome { state, cause },
        percent: row.get("percent")?,
        opened: time("opened")?,
        deadline: time("deadline")?,
        ended: ended.map(|s| UnixSeconds(u64::try_from(s).unwrap_or(0))),
        forgiven: row.get("forgiven")?,
        full_image: row.get("full_image")?,
    }))
}

/// Opens an attempt and returns its id, which is never used again.
pub(crate) fn new_attempt(
    connection: &Connection,
    device: &DeviceId,
    row: &AttemptRow,
) -> Result<AttemptId, StoreError> {
    let sql = "INSERT INTO attempts (device, release, base, codec, profile, delta_from, artifact,
        artifact_size, state, percent, opened, deadline, forgiven, full_image)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, 0, ?12)";
    connection.prepare_cached(sql)?.execute((
        device.as_str(),
        row.release.as_bytes(),
        row.base.0,
        row.codec,
        row.profile,
        row.delta_from.as_ref().map(Digest::as_bytes),
        row.artifact.as_bytes(),
        number(row.artifact_size_bytes),
        row.outcome.state.label(),
        number(row.opened.0),
        number(row.deadline.0),
        row.full_image,
    ))?;
    Ok(AttemptId(u64::try_from(connection.last_insert_rowid()).unwrap_or(0)))
}

/// Writes what became of an attempt.
pub(crate) fn put_attempt(connection: &Connection, row: &AttemptRow) -> Result<(), StoreError> {
    let sql = "UPDATE attempts SET codec = ?2, profile = ?3, delta_from = ?4, artifact = ?5,
        artifact_size = ?6, state = ?7, cause = ?8, percent = ?9, ended = ?10, forgiven = ?11,
        full_image = ?12 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((
        number(row.id.0),
        row.codec,
        row.profile,
        row.delta_from.as_ref().map(Digest::as_bytes),
        row.artifact.as_bytes(),
        number(row.artifact_size_bytes),
        row.outcome.state.label(),
        row.outcome.cause.map(Cause::code),
        row.percent,
        row.ended.map(|time| number(time.0)),
        row.forgiven,
        row.full_image,
    ))?;
    Ok(())
}

/// Devices with an attempt that may have to be ended: its deadline has passed in silence, or its version
/// was withdrawn before the switch.
pub(crate) fn to_be_ended(
    connection: &Connection,
    now: UnixSeconds,
    limit: u32,
) -> Result<Vec<DeviceId>, StoreError> {
    let sql = "SELECT DISTINCT device FROM attempts
        JOIN releases ON releases.digest = attempts.release JOIN version_sets USING (version)
        WHERE ended IS NULL AND (deadline < ?1
            OR (shelf = 'withdrawn' AND state NOT IN ('rebooting', 'trial'))) LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map((number(now.0), limit), |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse().map_err(|_| StoreError::Corrupt("attempts"))).collect()
}

/// How many devices run each image, by the number of their profile.
pub(crate) fn running_counts(connection: &Connection) -> Result<Vec<(ShortDigest, u8, u64)>, StoreError> {
    let sql = "SELECT image, profile, count(*) FROM running GROUP BY image, profile";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((ShortDigest(row.get(0)?), row.get(1)?, u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
