//! What every engine must keep, tried on each that is there: SQLite always, PostgreSQL when a cluster is named.
//!
//! Touches: temporary stores. Never: looks at an engine from inside; only at what rooms and files see.

use super::engine::Sql;
use super::schema::{define_up_to, migrate, newest_format, tables};
use super::transfer::{Purpose, TransferError, export, import};
use super::{
    AttemptRow, Device, Place, Said, Setting, Store, StoreError, artifacts, changed_devices, claim, device,
    devices_page, downloads, events_after, forget_device, forgotten, get_setting, log_event, new_attempt,
    new_context, put_device, put_seen, put_setting, reserve_numbers, running_counts, tokens, version_sets,
};
use crate::store::value::{Bind, Value};
use lapwing_core::cbor::encode;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::{AttemptId, Digest, UnixSeconds};
use lapwing_fleet::rollout::Site;
use std::path::Path;
use tempfile::TempDir;

/// Rows that a store of each format held.
const ROWS: &[&str] = &[
    include_str!("migrations/rows/0001.sql"),
    include_str!("migrations/rows/0002.sql"),
    include_str!("migrations/rows/0003.sql"),
    include_str!("migrations/rows/0004.sql"),
    include_str!("migrations/rows/0005.sql"),
    include_str!("migrations/rows/0006.sql"),
    include_str!("migrations/rows/0007.sql"),
    include_str!("migrations/rows/0008.sql"),
    include_str!("migrations/rows/0009.sql"),
];

/// A store of each engine that is there, empty.
struct Empty {
    places: Vec<(&'static str, Place)>,
    _dir: TempDir,
}

fn empty() -> Empty {
    let dir = TempDir::new().unwrap();
    let mut places = vec![("sqlite", Place::File(dir.path().join("store.sqlite")))];
    if let Some(socket) = std::env::var_os("LAPWING_TEST_POSTGRES") {
        places.push(("postgres", schema_in(Path::new(&socket), dir.path())));
    }
    Empty { places, _dir: dir }
}

fn schema_in(socket: &Path, dir: &Path) -> Place {
    let name = dir.file_name().unwrap().as_encoded_bytes().iter();
    let schema: String = name.fold("c".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    let made = std::process::Command::new("psql")
        .args(["-X", "-q", "-U", "lapwing", "-d", "postgres", "-c", &format!("CREATE SCHEMA {schema}"), "-h"])
        .arg(socket)
        .status();
    assert!(made.unwrap().success());
    let host = socket.display();
    Place::database(
        &format!("host={host} user=lapwing dbname=postgres options='-c search_path={schema}'"),
        None,
        None,
    )
    .unwrap()
}

/// Runs where an engine may wait.
fn check(checks: impl Fn(&'static str, &Place)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    for (name, place) in empty().places {
        checks(name, &place);
    }
}

/// A connection that writes, with today's tables.
fn open(place: &Place) -> Sql {
    let mut engine = place.writer().unwrap();
    migrate(engine.as_mut()).unwrap();
    Sql::new(engine)
}

fn within<T>(sql: &Sql, job: impl FnOnce(&Sql) -> T) -> T {
    sql.engine().begin().unwrap();
    let done = job(sql);
    sql.engine().batch("COMMIT").unwrap();
    done
}

/// A store that began with the first format, had rows in each, and was brought up to date.
fn long_used(name: &str, place: &Place) -> Sql {
    let mut engine = place.writer().unwrap();
    for (format, rows) in (1..).zip(ROWS) {
        engine.begin().unwrap();
        define_up_to(engine.as_mut(), format).unwrap();
        let mut buffer = [0; 256];
        let said: String =
            encode(&nothing_said(), &mut buffer).unwrap().iter().map(|b| format!("{b:02x}")).collect();
        let rows = rows.replace("SAID", &said);
        let rows = if name == "postgres" { rows.replace("X'", "'\\x") } else { rows };
        engine.batch(&rows).unwrap();
        engine.batch("COMMIT").unwrap();
    }
    migrate(engine.as_mut()).unwrap();
    Sql::new(engine)
}

fn nothing_said() -> CheckIn<'static> {
    CheckIn {
        root_version: 0,
        delegation_version: 0,
        components: Default::default(),
        nonce: None,
        facts: None,
        health: Default::default(),
        gates: Default::default(),
        boot: None,
    }
}

#[test]
fn a_store_of_every_earlier_format_is_read_today() {
    check(|name, place| {
        let sql = long_used(name, place);
        let found = devices_page(&sql, "", 10).unwrap();
        let [zulu, alpha] = found.as_slice() else { panic!("{name}: {found:?}") };
        assert_eq!((zulu.id.as_str(), alpha.id.as_str()), ("Zulu", "alpha"), "{name} sorts by bytes");
        assert_eq!(zulu.quarantine.as_deref(), Some("a clone"));
        assert_eq!(zulu.pinned.as_ref().unwrap().as_str(), "1.0.0");
        assert!(zulu.update_now && alpha.replaceable && !alpha.update_now);
        let attempts: Vec<_> =
            alpha.attempts.iter().map(|attempt| (attempt.id.0, attempt.full_image)).collect();
        assert_eq!(attempts, [(2, true), (1, false)], "{name}: the newest first");
        assert_eq!(alpha.noted.iter().collect::<Vec<_>>(), [("tier", "pilot")], "{name}");
        assert_eq!(
            alpha.attempts.iter().map(|one| one.radio_cell).collect::<Vec<_>>(),
            [Some(Site(75)), None]
        );
        assert_eq!(alpha.attempts[0].delta_from, Some(Digest::from_bytes([0x77; 32])));
        assert_eq!(events_after(&sql, 0, None, 10).unwrap().len(), 2);
        assert_eq!(events_after(&sql, 0, Some("alpha"), 10).unwrap().len(), 1);
        let notes: Vec<_> = version_sets(&sql).unwrap().into_iter().map(|set| set.note).collect();
        assert_eq!(notes, ["the first", "naïve 版"]);
        assert_eq!(artifacts(&sql).unwrap()[0].0.base, None);
        let token = tokens(&sql).unwrap()[0];
        assert_eq!((token.count, token.remaining, token.made.0), (5, 3, 8));
        assert!(forgotten(&sql, &"gone".parse().unwrap()).unwrap().is_some());
        assert_eq!(get_setting(&sql, Setting::SignedTime).unwrap(), Some(77));
        assert_eq!(running_counts(&sql).unwrap().len(), 2);
        assert_eq!(downloads(&sql).unwrap(), (1, 0));
        // What was made before generations were counted can be written.
        within(&sql, |sql| put_device(sql, alpha).unwrap());
        assert_eq!(device(&sql, &alpha.id).unwrap().unwrap().generation, alpha.generation + 1);
    });
}

#[test]
fn every_table_has_rows_in_the_store_of_every_format() {
    check(|name, place| {
        let sql = long_used(name, place);
        for table in tables(newest_format()) {
            let mut rows = 0;
            let count = format!("SELECT count(*) AS count FROM {}", table.name);
            let mut take = |row: super::Row| {
                rows = row.get::<u64>("count")?;
                Ok(())
            };
            sql.engine().each(&count, &[], &mut take).unwrap();
            assert!(rows > 0, "{name}: add a row of {} to migrations/rows", table.name);
        }
    });
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    check(|_, place| {
        let mut engine = place.writer().unwrap();
        migrate(engine.as_mut()).unwrap();
        engine.define("CREATE TABLE of_the_future (x INTEGER)", newest_format() + 1).unwrap();
        assert!(matches!(migrate(engine.as_mut()), Err(StoreError::TooNew(_))));
    });
}

#[test]
fn values_come_back_as_they_were_and_parameters_go_by_their_numbers() {
    check(|name, place| {
        let sql = open(place);
        sql.engine().batch("CREATE TABLE t (a BIGINT, b TEXT, c BYTEA)").unwrap();
        for number in [i64::MIN, -1, 0, i64::MAX] {
            let text = "a\0b ' \" \\ é 版";
            sql.execute("INSERT INTO t (c, b, a) VALUES ($3, $2, $1)", &[&number, &text, &vec![0_u8, 255]])
                .unwrap();
            let row = sql.row("SELECT * FROM t", &[]).unwrap().unwrap();
            assert_eq!(row.get::<i64>("a").unwrap(), number, "{name}");
            assert_eq!(row.get::<String>("b").unwrap(), text.replace('\0', "\u{FFFD}"));
            assert_eq!(row.get::<Vec<u8>>("c").unwrap(), [0, 255]);
            assert!(
                row.get::<String>("a").is_err() && row.get::<u8>("b").is_err() && row.get::<u8>("d").is_err()
            );
            assert_eq!(sql.execute("DELETE FROM t WHERE b = $2 AND a = $1", &[&number, &text]).unwrap(), 1);
        }
        let nothing: [&dyn Bind; 3] = [&None::<i64>, &None::<String>, &None::<Digest>];
        sql.execute("INSERT INTO t (a, b, c) VALUES ($1, $2, $3)", &nothing).unwrap();
        let row = sql.row("SELECT * FROM t", &[]).unwrap().unwrap();
        assert_eq!(row.values, [Value::Null, Value::Null, Value::Null]);
    });
}

fn some_device(id: &str) -> Device {
    Device::new(id.parse().unwrap(), Digest::of(b"secret"), None, UnixSeconds(5)).unwrap()
}

fn some_attempt() -> AttemptRow {
    let digest = Digest::of(b"any");
    AttemptRow {
        id: AttemptId::NONE,
        release: digest,
        base: digest.short(),
        codec: 1,
        profile: 2,
        delta_from: None,
        artifact: digest,
        artifact_size_bytes: 9,
        outcome: lapwing_fleet::Outcome::OFFERED,
        percent: 0,
        opened: UnixSeconds(6),
        deadline: UnixSeconds(7),
        ended: None,
        forgiven: false,
        full_image: false,
        brought: None,
        site: None,
        radio_cell: None,
        switched: None,
        heard: UnixSeconds(6),
    }
}

#[test]
fn a_write_that_was_overtaken_is_refused_and_changes_nothing() {
    check(|name, place| {
        let sql = open(place);
        let first = some_device("d1");
        within(&sql, |sql| put_device(sql, &first).unwrap());
        assert!(matches!(put_device(&sql, &first), Err(StoreError::Stale)), "{name}: made twice");
        let held = device(&sql, &first.id).unwrap().unwrap();
        within(&sql, |sql| put_device(sql, &Device { update_now: true, ..held.clone() }).unwrap());
        let late = Device { replaceable: true, ..held };
        assert!(matches!(put_device(&sql, &late), Err(StoreError::Stale)), "{name}");
        let after = device(&sql, &first.id).unwrap().unwrap();
        assert!(after.update_now && !after.replaceable);
        let changed = changed_devices(&sql, 0).unwrap();
        assert_eq!(
            changed.iter().map(|changed| changed.generation).collect::<Vec<_>>(),
            [Some(after.generation)]
        );
        forget_device(&sql, &first.id, UnixSeconds(9)).unwrap();
        let changed = changed_devices(&sql, changed[0].number).unwrap();
        assert_eq!(
            changed.iter().map(|changed| changed.generation).collect::<Vec<_>>(),
            [None],
            "{name}: gone"
        );
    });
}

#[test]
fn no_id_is_given_twice_and_an_event_said_twice_is_kept_once() {
    check(|name, place| {
        let sql = open(place);
        put_device(&sql, &some_device("d1")).unwrap();
        let first = new_attempt(&sql, &"d1".parse().unwrap(), &some_attempt()).unwrap();
        forget_device(&sql, &"d1".parse().unwrap(), UnixSeconds(9)).unwrap();
        put_device(&sql, &some_device("d1")).unwrap();
        let second = new_attempt(&sql, &"d1".parse().unwrap(), &some_attempt()).unwrap();
        assert!(second.0 > first.0, "{name}: {second:?} after {first:?}");
        let said =
            Said { attempt: Some(second), number: Some(1), ..Said::of_device(UnixSeconds(9), "d1", "x") };
        assert!(log_event(&sql, &said).unwrap() && !log_event(&sql, &said).unwrap(), "{name}");
        put_seen(
            &sql,
            &[("d1".parse().unwrap(), UnixSeconds(100)), ("d1".parse().unwrap(), UnixSeconds(50))],
        )
        .unwrap();
        assert_eq!(
            device(&sql, &"d1".parse().unwrap()).unwrap().unwrap().last_seen.0,
            100,
            "{name}: never back"
        );
        let token = Digest::of(b"token");
        assert!(claim(&sql, token, &some_device("d2")).is_err(), "{name}: no such token");
    });
}

/// The rows of a store as a file.
fn exported(place: &Place) -> Vec<u8> {
    let mut file = Vec::new();
    export(place, &mut file).unwrap();
    file
}

#[test]
fn a_store_moves_from_any_engine_to_any_other_without_loss() {
    check(|from, source| {
        drop(long_used(from, source));
        let file = exported(source);
        for (to, target) in empty().places {
            import(&target, &mut file.as_slice(), Purpose::Move).unwrap();
            assert!(exported(&target) == file, "{from} to {to}");
            let again = import(&target, &mut file.as_slice(), Purpose::Move);
            assert!(matches!(again, Err(TransferError::NotEmpty)), "{to} had rows");
            let sql = open(&target);
            let next = new_attempt(&sql, &"alpha".parse().unwrap(), &some_attempt()).unwrap();
            assert_eq!(next.0, 3, "{from} to {to}: ids go on");
        }
    });
}

#[test]
fn a_restored_store_gives_no_id_and_takes_no_token_of_the_time_that_was_lost() {
    check(|name, place| {
        let sql = long_used(name, place);
        let last_number = reserve_numbers(&sql, 10).unwrap() + 10;
        let file = exported(place);
        let lost = new_attempt(&sql, &"alpha".parse().unwrap(), &some_attempt()).unwrap();
        for (to, target) in empty().places {
            import(&target, &mut file.as_slice(), Purpose::Restore).unwrap();
            let sql = open(&target);
            let next = new_attempt(&sql, &"alpha".parse().unwrap(), &some_attempt()).unwrap();
            assert!(next.0 > lost.0 + 1_000_000, "{name} to {to}");
            assert!(tokens(&sql).unwrap().iter().all(|token| token.remaining == 0), "{name} to {to}");
            let context = new_context(&sql, &"alpha".parse().unwrap()).unwrap();
            assert!(context > 1_000_000, "{name} to {to}: contexts go on behind those that were lost");
            let number = reserve_numbers(&sql, 10).unwrap();
            assert!(number >= last_number + 1_000_000, "{name} to {to}: so do their numbers");
        }
    });
}

#[test]
fn a_file_that_is_cut_or_changed_fills_nothing() {
    check(|name, place| {
        drop(long_used(name, place));
        let file = exported(place);
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let mut broken: Vec<Vec<u8>> = (0..lines.len()).map(|kept| lines[..kept].concat()).collect();
        broken
            .extend((0..lines.len() - 1).map(|gone| [&lines[..gone], &lines[gone + 1..]].concat().concat()));
        let mut other = file.clone();
        let at = file.windows(7).position(|bytes| bytes == b"a clone").unwrap();
        other[at] = b'A';
        broken.push(other);
        for (to, target) in empty().places {
            for file in &broken {
                assert!(import(&target, &mut file.as_slice(), Purpose::Move).is_err(), "{name} to {to}");
            }
            import(&target, &mut file.as_slice(), Purpose::Move).unwrap();
        }
    });
}

#[test]
fn writers_on_one_database_take_turns() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, place) in empty().places.into_iter().filter(|(_, place)| place.is_shared()) {
        let (stores, threads): (Vec<_>, Vec<_>) = {
            let _entered = runtime.enter();
            (0..3).map(|_| Store::open(&place).unwrap()).unzip()
        };
        let count = |store: Store| async move {
            for _ in 0..100 {
                let one_more = |sql: &Sql| {
                    let number = get_setting(sql, Setting::SignedTime)?.unwrap_or(0);
                    put_setting(sql, Setting::SignedTime, number + 1)
                };
                store.write(one_more).await.unwrap();
            }
        };
        runtime.block_on(async {
            let tasks: Vec<_> = stores.iter().cloned().map(|store| tokio::spawn(count(store))).collect();
            for task in tasks {
                task.await.unwrap();
            }
            let counted = stores[0].read(|sql| get_setting(sql, Setting::SignedTime)).await;
            assert_eq!(counted.unwrap(), Some(300), "{name}");
        });
        drop(stores);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
