//! Rows of groups, plans and rollouts, and the attempts that a rollout is judged by.
//!
//! Touches: their tables. A rollout is saved only over the revision it was made from, and a place in it is
//! taken only at that revision: of two servers one is first, and the other looks again.
//! Never: decides.

use super::{Row, Sql, StoreError, downloads_in};
use crate::orchestrator::Place;
use lapwing_core::UnixSeconds;
use lapwing_core::wire::cause::Cause;
use lapwing_fleet::filter::Filter;
use lapwing_fleet::limits::DOWNLOADS_PER_RADIO_CELL;
use lapwing_fleet::rollout::{Cell, PlanName, Rollout, RolloutId, SavedError, Try};
use lapwing_fleet::{AttemptState, Group, GroupName, Members, Outcome, Purpose};

/// A rollout as it was saved.
#[derive(Debug, Clone)]
pub(crate) struct RolloutRow {
    pub(crate) id: RolloutId,
    saved: String,
    /// Offers made so far.
    pub(crate) granted: u64,
    pub(crate) made: UnixSeconds,
}

impl RolloutRow {
    /// The rollout, if this version of the program understands it whole.
    pub(crate) fn rollout(&self) -> Result<Rollout, SavedError> {
        Rollout::from_saved(&self.saved)
    }
}

/// Something that happens to a rollout.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) time: UnixSeconds,
    pub(crate) name: &'static str,
    pub(crate) words: String,
    /// JSON, for halts.
    pub(crate) evidence: Option<String>,
}

/// Something that happened to a rollout, as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct HistoryRow {
    pub(crate) time: UnixSeconds,
    pub(crate) name: String,
    pub(crate) words: String,
    /// JSON, for halts.
    pub(crate) evidence: Option<String>,
}

/// Keeps a new rollout, and returns its id, which is never used again.
pub(crate) fn new_rollout(sql: &Sql, rollout: &Rollout, now: UnixSeconds) -> Result<RolloutId, StoreError> {
    let statement = "INSERT INTO rollouts (state, revision, granted, saved, made) VALUES ($1, $2, 0, $3, $4)
        RETURNING id";
    let saved = saved(rollout)?;
    let row = sql.row(statement, &[&rollout.state.label(), &rollout.revision, &saved, &now])?;
    row.ok_or(StoreError::Corrupt("rollouts"))?.get("id")
}

/// Saves a rollout over the revision it was made from; false if another server was faster.
pub(crate) fn put_rollout(
    sql: &Sql,
    id: RolloutId,
    before: u64,
    rollout: &Rollout,
) -> Result<bool, StoreError> {
    let statement =
        "UPDATE rollouts SET state = $3, revision = $4, saved = $5 WHERE id = $1 AND revision = $2";
    let saved = saved(rollout)?;
    Ok(sql.execute(statement, &[&id, &before, &rollout.state.label(), &rollout.revision, &saved])? == 1)
}

fn saved(rollout: &Rollout) -> Result<String, StoreError> {
    rollout.to_saved().map_err(|_| StoreError::Corrupt("rollouts"))
}

/// Takes a place in a rollout at its revision, of so many in all and in its radio cell; false if there is none.
pub(crate) fn take_place(sql: &Sql, place: &Place) -> Result<bool, StoreError> {
    let downloads = place.radio_cell.map_or(Ok(0), |cell| downloads_in(sql, cell))?;
    if downloads >= DOWNLOADS_PER_RADIO_CELL {
        return Ok(false);
    }
    let statement = "UPDATE rollouts SET granted = granted + 1
        WHERE id = $1 AND revision = $2 AND granted < $3";
    Ok(sql.execute(statement, &[&place.id, &place.revision, &place.granted_max])? == 1)
}

/// One rollout.
pub(crate) fn rollout(sql: &Sql, id: RolloutId) -> Result<Option<RolloutRow>, StoreError> {
    let row = sql.row("SELECT id, saved, granted, made FROM rollouts WHERE id = $1", &[&id])?;
    row.as_ref().map(rollout_from).transpose()
}

/// So many rollouts before `before`, newest first.
pub(crate) fn rollouts_before(sql: &Sql, before: u64, limit: u32) -> Result<Vec<RolloutRow>, StoreError> {
    let statement = "SELECT id, saved, granted, made FROM rollouts WHERE id < $1 ORDER BY id DESC LIMIT $2";
    sql.rows(statement, &[&before, &limit])?.iter().map(rollout_from).collect()
}

/// The rollouts that may bring something, newest first.
pub(crate) fn live_rollouts(sql: &Sql, limit: u32) -> Result<Vec<RolloutRow>, StoreError> {
    let statement = "SELECT id, saved, granted, made FROM rollouts
        WHERE state NOT IN ('draft', 'cancelled', 'superseded') ORDER BY id DESC LIMIT $1";
    sql.rows(statement, &[&limit])?.iter().map(rollout_from).collect()
}

/// The newest rollouts that reached everyone.
pub(crate) fn completed_rollouts(sql: &Sql, limit: u32) -> Result<Vec<RolloutRow>, StoreError> {
    let statement = "SELECT id, saved, granted, made FROM rollouts WHERE state = 'completed'
        ORDER BY id DESC LIMIT $1";
    sql.rows(statement, &[&limit])?.iter().map(rollout_from).collect()
}

fn rollout_from(row: &Row) -> Result<RolloutRow, StoreError> {
    Ok(RolloutRow {
        id: row.get("id")?,
        saved: row.get("saved")?,
        granted: row.get("granted")?,
        made: row.get("made")?,
    })
}

/// Notes what happened to a rollout.
pub(crate) fn put_history(sql: &Sql, id: RolloutId, row: &Told) -> Result<(), StoreError> {
    let statement = "INSERT INTO rollout_history (rollout, time, name, words, evidence)
        VALUES ($1, $2, $3, $4, $5)";
    sql.execute(statement, &[&id, &row.time, &row.name, &row.words, &row.evidence]).map(drop)
}

/// What happened to a rollout, newest first, at most so much.
pub(crate) fn history(sql: &Sql, id: RolloutId, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
    let statement = "SELECT time, name, words, evidence FROM rollout_history WHERE rollout = $1
        ORDER BY id DESC LIMIT $2";
    let row = |row: &Row| {
        Ok(HistoryRow {
            time: row.get("time")?,
            name: row.get("name")?,
            words: row.get("words")?,
            evidence: row.get("evidence")?,
        })
    };
    sql.rows(statement, &[&id, &limit])?.iter().map(row).collect()
}

/// The newest attempt of each device in a rollout.
pub(crate) fn tries(sql: &Sql, id: RolloutId) -> Result<Vec<Try>, StoreError> {
    let statement = "SELECT id, cell, site, state, cause, opened, switched, heard FROM attempts
        WHERE id IN (SELECT max(id) FROM attempts WHERE rollout = $1 GROUP BY device) ORDER BY id";
    let one = |row: &Row| {
        let state: String = row.get("state")?;
        let state = AttemptState::from_label(&state).ok_or(StoreError::Corrupt("state"))?;
        let cause = row.get::<Option<u16>>("cause")?.map(Cause::from_code);
        let cell: u32 = row.get("cell")?;
        Ok(Try {
            attempt: row.get("id")?,
            cell: Cell::at(usize::try_from(cell).unwrap_or(usize::MAX)),
            site: row.get("site")?,
            outcome: Outcome { state, cause },
            granted_at: row.get("opened")?,
            switched_at: row.get("switched")?,
            heard_at: row.get("heard")?,
        })
    };
    sql.rows(statement, &[&id])?.iter().map(one).collect()
}

/// All groups, by name.
pub(crate) fn groups(sql: &Sql) -> Result<Vec<(Group, u64)>, StoreError> {
    let rows = sql.rows("SELECT name, filter, purpose, revision FROM groups ORDER BY name", &[])?;
    let listed = "SELECT device FROM group_devices WHERE group_name = $1 ORDER BY device";
    let group = |row: &Row| {
        let name: GroupName = row.get("name")?;
        let members = match row.get::<Option<String>>("filter")? {
            Some(filter) => {
                Members::Meant(Filter::parse(&filter).map_err(|_| StoreError::Corrupt("filter"))?)
            }
            None => {
                let devices = sql.rows(listed, &[&name])?;
                Members::Listed(devices.iter().map(|row| row.get("device")).collect::<Result<_, _>>()?)
            }
        };
        let purpose: String = row.get("purpose")?;
        let purpose = Purpose::from_label(&purpose).ok_or(StoreError::Corrupt("purpose"))?;
        Ok((Group { name, members, purpose }, row.get("revision")?))
    };
    rows.iter().map(group).collect()
}

/// Writes a group over the revision it was made from, zero for a new one; false if it has another.
pub(crate) fn put_group(sql: &Sql, group: &Group, before: u64) -> Result<bool, StoreError> {
    let filter = match &group.members {
        Members::Meant(filter) => Some(filter.to_string()),
        Members::Listed(_) => None,
    };
    let (name, purpose) = (&group.name, group.purpose.label());
    let changed = match before {
        0 => sql.execute(
            "INSERT INTO groups (name, filter, purpose, revision) VALUES ($1, $2, $3, 1)
                ON CONFLICT (name) DO NOTHING",
            &[name, &filter, &purpose],
        )?,
        before => sql.execute(
            "UPDATE groups SET filter = $2, purpose = $3, revision = revision + 1
                WHERE name = $1 AND revision = $4",
            &[name, &filter, &purpose, &before],
        )?,
    };
    if changed == 0 {
        return Ok(false);
    }
    sql.execute("DELETE FROM group_devices WHERE group_name = $1", &[name])?;
    if let Members::Listed(devices) = &group.members {
        for device in devices {
            let statement = "INSERT INTO group_devices (group_name, device) VALUES ($1, $2)";
            sql.execute(statement, &[name, device])?;
        }
    }
    Ok(true)
}

/// Lets a group go; false if there was none.
pub(crate) fn drop_group(sql: &Sql, name: &GroupName) -> Result<bool, StoreError> {
    Ok(sql.execute("DELETE FROM groups WHERE name = $1", &[name])? == 1)
}

/// The newest revision of every plan, by name.
pub(crate) fn plans(sql: &Sql) -> Result<Vec<String>, StoreError> {
    let statement = "SELECT plan FROM plans WHERE revision =
        (SELECT max(revision) FROM plans AS newer WHERE newer.name = plans.name) ORDER BY name";
    sql.rows(statement, &[])?.iter().map(|row| row.get("plan")).collect()
}

/// The newest revision of one plan.
pub(crate) fn plan(sql: &Sql, name: &PlanName) -> Result<Option<String>, StoreError> {
    let statement = "SELECT plan FROM plans WHERE name = $1 ORDER BY revision DESC LIMIT 1";
    sql.row(statement, &[name])?.map(|row| row.get("plan")).transpose()
}

/// Keeps a new revision of a plan; false if it is there already.
pub(crate) fn put_plan(
    sql: &Sql,
    (name, revision): (&PlanName, u32),
    plan: &str,
    now: UnixSeconds,
) -> Result<bool, StoreError> {
    let statement = "INSERT INTO plans (name, revision, plan, made) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name, revision) DO NOTHING";
    Ok(sql.execute(statement, &[name, &revision, &plan, &now])? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Place as Where, Store};
    use lapwing_fleet::rollout::{
        Approved, BuiltIn, Census, Charter, Command, Event, History, Order, Preflight, Salt,
    };
    use std::collections::BTreeMap;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn draft() -> Rollout {
        Rollout::new(Charter {
            version: "2.0.0".parse().unwrap(),
            group: "everyone".parse().unwrap(),
            recall: None,
            approved: Approved::default(),
            author: String::new(),
            plan: BuiltIn::Gentle.plan(),
            salt: Salt([1; 16]),
            census: Census::new(Vec::new(), &BTreeMap::new()),
            history: History::NONE,
            deadline_s: 3_600,
        })
    }

    fn submitted(draft: &Rollout) -> Rollout {
        let submit = Event::Command(Command { expected: 0, order: Order::Submit });
        draft.clone().step(NOW, submit).next.step(NOW, Event::Checked(Preflight::Clear(NOW))).next
    }

    #[tokio::test]
    async fn of_two_servers_that_saw_the_same_one_saves_and_places_go_with_the_revision() {
        let dir = tempfile::tempdir().unwrap();
        let (store, thread) = Store::open(&Where::File(dir.path().join("db"))).unwrap();
        let done = store
            .write(|c| -> Result<(), StoreError> {
                let before = draft();
                let id = new_rollout(c, &before, NOW)?;
                let next = submitted(&before);
                assert!(put_rollout(c, id, before.revision, &next)?, "the first");
                assert!(!put_rollout(c, id, before.revision, &next)?, "the second looks again");
                let held = rollout(c, id)?.unwrap();
                assert_eq!(held.rollout().unwrap(), next);
                let place = Place { id, revision: before.revision, granted_max: 10, radio_cell: None };
                assert!(!take_place(c, &place)?, "not by what was true before");
                let place = Place { revision: next.revision, granted_max: 3, ..place };
                let taken = (0..5).filter(|_| take_place(c, &place).unwrap()).count();
                assert_eq!((taken, rollout(c, id)?.unwrap().granted), (3, 3), "no place twice");
                Ok(())
            })
            .await;
        done.unwrap();
        drop(store);
        thread.join().unwrap();
    }
}
