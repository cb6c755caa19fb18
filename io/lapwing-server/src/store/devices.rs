//! Rows of devices and of their attempts.
//!
//! Touches: their tables. What a device said last is kept as the check-in that would say it again.
//! Never: holds a secret, only its hash.

use super::changes::{What, count_change};
use super::{Row, Sql, StoreError};
use lapwing_core::cbor::{decode, encode};
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{CheckIn, Facts};
use lapwing_core::{AttemptId, BootId, DeviceId, Digest, ShortDigest, UnixSeconds, Version};
use lapwing_fleet::limits::PAST_ATTEMPTS_MAX;
use lapwing_fleet::rollout::{Cell, RolloutId, Site};
use lapwing_fleet::{AttemptState, Noted, Outcome, PastAttempt};
use std::collections::HashMap;

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
    /// What people set of it.
    pub(crate) noted: Noted,
    /// Its next claim may bring another secret.
    pub(crate) replaceable: bool,
    pub(crate) first_seen: UnixSeconds,
    pub(crate) last_seen: UnixSeconds,
    /// How often it was written. A write that another one overtook meets [`StoreError::Stale`].
    pub(crate) generation: u64,
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
            noted: Noted::default(),
            replaceable: false,
            first_seen: now,
            last_seen: now,
            generation: 0,
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
    /// The rollout that brought it and the cell it counts in; none if it was pushed to everyone.
    pub(crate) brought: Option<(RolloutId, Cell)>,
    /// Where the device stands, if it says so.
    pub(crate) site: Option<Site>,
    /// The radio cell that the device is in, if it says so.
    pub(crate) radio_cell: Option<Site>,
    /// When the device last asked before it switched.
    pub(crate) switched: Option<UnixSeconds>,
    /// When its present state was heard.
    pub(crate) heard: UnixSeconds,
}

impl AttemptRow {
    /// As decisions see it.
    pub(crate) fn past(&self) -> PastAttempt {
        let at = self.ended.unwrap_or(self.opened);
        PastAttempt {
            release: self.release,
            outcome: self.outcome,
            brought: self.brought,
            at,
            forgiven: self.forgiven,
        }
    }
}

/// Writes a device, but not its attempts, if it stands as it was read: its next generation. Whoever writes
/// an attempt writes its device first.
pub(crate) fn put_device(sql: &Sql, device: &Device) -> Result<(), StoreError> {
    let statement = "INSERT INTO devices (id, secret, said, boot_before, quarantine, pinned, update_now,
        replaceable, first_seen, last_seen, generation, changed, noted)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, said = excluded.said,
        boot_before = excluded.boot_before, quarantine = excluded.quarantine, pinned = excluded.pinned,
        update_now = excluded.update_now, replaceable = excluded.replaceable,
        last_seen = CASE WHEN excluded.last_seen > devices.last_seen
            THEN excluded.last_seen ELSE devices.last_seen END,
        generation = excluded.generation, changed = excluded.changed, noted = excluded.noted
        WHERE devices.generation + 1 = excluded.generation";
    let changed = count_change(sql, What::Devices)?;
    let noted = serde_json::to_string(&device.noted).map_err(|_| StoreError::Corrupt("noted"))?;
    let rows = sql.execute(
        statement,
        &[
            &device.id,
            &device.secret,
            &device.said,
            &device.boot_before,
            &device.quarantine,
            &device.pinned,
            &device.update_now,
            &device.replaceable,
            &device.first_seen,
            &device.last_seen,
            &device.generation.saturating_add(1),
            &changed,
            &noted,
        ],
    )?;
    if rows == 0 {
        return Err(StoreError::Stale);
    }
    sql.execute("DELETE FROM running WHERE device = $1", &[&device.id])?;
    let said = device.said()?;
    let profile = said.facts.as_ref().map_or(0, |facts| facts.profile);
    for component in &said.components {
        let statement = "INSERT INTO running (device, component, image, profile) VALUES ($1, $2, $3, $4)
            ON CONFLICT (device, component) DO UPDATE SET image = excluded.image";
        sql.execute(statement, &[&device.id, &component.name.as_str(), &component.running, &profile])?;
    }
    Ok(())
}

/// Writes times of last contact, many at once.
pub(crate) fn put_seen(sql: &Sql, seen: &[(DeviceId, UnixSeconds)]) -> Result<(), StoreError> {
    for (id, time) in seen {
        sql.execute("UPDATE devices SET last_seen = $2 WHERE id = $1 AND last_seen < $2", &[id, time])?;
    }
    Ok(())
}

/// A device with its newest attempts.
pub(crate) fn device(sql: &Sql, id: &DeviceId) -> Result<Option<Device>, StoreError> {
    let Some(row) = sql.row("SELECT * FROM devices WHERE id = $1", &[id])? else { return Ok(None) };
    let statement = "SELECT * FROM attempts WHERE device = $1 ORDER BY id DESC LIMIT $2";
    let attempts = sql.rows(statement, &[id, &(PAST_ATTEMPTS_MAX as u64)])?;
    let attempts = attempts.iter().map(attempt_from).collect::<Result<_, _>>()?;
    device_from(&row, attempts).map(Some)
}

/// Devices after `cursor`, in order of their ids, each with its newest attempts: two questions, however many.
pub(crate) fn devices_page(sql: &Sql, cursor: &str, limit: u32) -> Result<Vec<Device>, StoreError> {
    let rows = sql.rows("SELECT * FROM devices WHERE id > $1 ORDER BY id LIMIT $2", &[&cursor, &limit])?;
    let Some(last) = rows.last() else { return Ok(Vec::new()) };
    let last: DeviceId = last.get("id")?;
    let statement =
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY device ORDER BY id DESC) AS place
        FROM attempts WHERE device > $1 AND device <= $2) AS newest WHERE place <= $3 ORDER BY id DESC";
    let mut attempts: HashMap<DeviceId, Vec<AttemptRow>> = HashMap::new();
    for row in sql.rows(statement, &[&cursor, &last, &(PAST_ATTEMPTS_MAX as u64)])? {
        attempts.entry(row.get("device")?).or_default().push(attempt_from(&row)?);
    }
    let device = |row: &Row| device_from(row, attempts.remove(&row.get("id")?).unwrap_or_default());
    rows.iter().map(device).collect()
}

fn device_from(row: &Row, attempts: Vec<AttemptRow>) -> Result<Device, StoreError> {
    let noted: String = row.get("noted")?;
    Ok(Device {
        id: row.get("id")?,
        secret: row.get("secret")?,
        said: row.get("said")?,
        boot_before: row.get("boot_before")?,
        quarantine: row.get("quarantine")?,
        pinned: row.get("pinned")?,
        update_now: row.get("update_now")?,
        replaceable: row.get("replaceable")?,
        first_seen: row.get("first_seen")?,
        last_seen: row.get("last_seen")?,
        generation: row.get("generation")?,
        noted: serde_json::from_str(&noted).map_err(|_| StoreError::Corrupt("noted"))?,
        attempts,
    })
}

fn attempt_from(row: &Row) -> Result<AttemptRow, StoreError> {
    let state: String = row.get("state")?;
    let state = AttemptState::from_label(&state).ok_or(StoreError::Corrupt("state"))?;
    let cause = row.get::<Option<u16>>("cause")?.map(Cause::from_code);
    let cell = |index: u32| Cell::at(usize::try_from(index).unwrap_or(usize::MAX));
    let rollout: Option<RolloutId> = row.get("rollout")?;
    Ok(AttemptRow {
        id: row.get("id")?,
        release: row.get("release")?,
        base: row.get("base")?,
        codec: row.get("codec")?,
        profile: row.get("profile")?,
        delta_from: row.get("delta_from")?,
        artifact: row.get("artifact")?,
        artifact_size_bytes: row.get("artifact_size")?,
        outcome: Outcome { state, cause },
        percent: row.get("percent")?,
        opened: row.get("opened")?,
        deadline: row.get("deadline")?,
        ended: row.get("ended")?,
        forgiven: row.get("forgiven")?,
        full_image: row.get("full_image")?,
        brought: rollout.zip(row.get::<Option<u32>>("cell")?.map(cell)),
        site: row.get("site")?,
        radio_cell: row.get("radio_cell")?,
        switched: row.get("switched")?,
        heard: row.get("heard")?,
    })
}

/// Opens an attempt and returns its id, which is never used again.
pub(crate) fn new_attempt(sql: &Sql, device: &DeviceId, row: &AttemptRow) -> Result<AttemptId, StoreError> {
    let statement = "INSERT INTO attempts (device, release, base, codec, profile, delta_from, artifact,
        artifact_size, state, percent, opened, deadline, forgiven, full_image, rollout, cell, site, radio_cell, heard)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, 0, $12, $13, $14, $15, $16, $10) RETURNING id";
    let opened = sql.row(
        statement,
        &[
            device,
            &row.release,
            &row.base,
            &row.codec,
            &row.profile,
            &row.delta_from,
            &row.artifact,
            &row.artifact_size_bytes,
            &row.outcome.state.label(),
            &row.opened,
            &row.deadline,
            &row.full_image,
            &row.brought.map(|(rollout, _)| rollout),
            &row.brought.map(|(_, cell)| cell.index() as u64),
            &row.site,
            &row.radio_cell,
        ],
    )?;
    opened.ok_or(StoreError::Corrupt("attempts"))?.get("id")
}

/// Writes what became of an attempt.
pub(crate) fn put_attempt(sql: &Sql, row: &AttemptRow) -> Result<(), StoreError> {
    let statement = "UPDATE attempts SET codec = $2, profile = $3, delta_from = $4, artifact = $5,
        artifact_size = $6, state = $7, cause = $8, percent = $9, ended = $10, forgiven = $11,
        full_image = $12, switched = $13, heard = $14 WHERE id = $1";
    sql.execute(
        statement,
        &[
            &row.id,
            &row.codec,
            &row.profile,
            &row.delta_from,
            &row.artifact,
            &row.artifact_size_bytes,
            &row.outcome.state.label(),
            &row.outcome.cause.map(Cause::code),
            &row.percent,
            &row.ended,
            &row.forgiven,
            &row.full_image,
            &row.switched,
            &row.heard,
        ],
    )
    .map(drop)
}

/// Devices with an attempt that may have to be ended: its deadline has passed in silence, or its version
/// was withdrawn or its rollout stopped before the switch.
pub(crate) fn to_be_ended(sql: &Sql, now: UnixSeconds, limit: u32) -> Result<Vec<DeviceId>, StoreError> {
    let statement = "SELECT DISTINCT device FROM attempts
        JOIN releases ON releases.digest = attempts.release JOIN version_sets USING (version)
        LEFT JOIN rollouts ON rollouts.id = attempts.rollout
        WHERE ended IS NULL AND (deadline < $1
            OR ((shelf = 'withdrawn' OR rollouts.state IN ('halted', 'cancelled', 'superseded', 'recalled'))
                AND attempts.state NOT IN ('rebooting', 'trial'))) ORDER BY device LIMIT $2";
    sql.rows(statement, &[&now, &limit])?.iter().map(|row| row.get("device")).collect()
}

/// Downloads that may be going on in a radio cell: what was offered there and is not whole yet.
pub(crate) fn downloads_in(sql: &Sql, radio_cell: Site) -> Result<u32, StoreError> {
    let statement = "SELECT count(*) AS count FROM attempts WHERE radio_cell = $1 AND ended IS NULL
        AND state IN ('offered', 'downloading')";
    sql.row(statement, &[&radio_cell])?.map_or(Ok(0), |row| row.get("count"))
}

/// The same for every radio cell in which there are any.
pub(crate) fn downloads_by_cell(sql: &Sql) -> Result<HashMap<Site, u32>, StoreError> {
    let statement = "SELECT radio_cell, count(*) AS count FROM attempts WHERE radio_cell IS NOT NULL
        AND ended IS NULL AND state IN ('offered', 'downloading') GROUP BY radio_cell";
    sql.rows(statement, &[])?.iter().map(|row| Ok((row.get("radio_cell")?, row.get("count")?))).collect()
}

/// How many devices run each image, by the number of their profile.
pub(crate) fn running_counts(sql: &Sql) -> Result<Vec<(ShortDigest, u8, u64)>, StoreError> {
    let statement = "SELECT image, profile, count(*) AS count FROM running GROUP BY image, profile";
    let rows = sql.rows(statement, &[])?;
    rows.iter().map(|row| Ok((row.get("image")?, row.get("profile")?, row.get("count")?))).collect()
}
