//! One thread that writes, a few connections that read.
//!
//! Touches: an engine, threads. Never: holds a transaction open while it waits for work.

use super::{Place, Sql, StoreError, schema};
use crate::limits::{READERS_MAX, WRITE_BATCH_MAX, WRITE_QUEUE_MAX};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Runs inside a savepoint, unless there is none, and returns what tells the caller once the commit is known.
type Job = Box<dyn FnOnce(Result<&Sql, Undone>) -> (bool, Reply) + Send>;
type Reply = Box<dyn FnOnce(Result<(), Undone>) + Send>;

/// Why a job that went well was undone all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// No room is left on the disk.
    Full,
    /// The database is not there.
    Away,
    /// The store cannot be written.
    Failed,
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Away => Self::Away,
            _ => Self::Failed,
        }
    }
}

impl From<Undone> for StoreError {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Full => Self::Full,
            Undone::Away => Self::Away,
            Undone::Failed => Self::Closed,
        }
    }
}

/// The handle to the store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
    readers: Arc<Readers>,
    writes: Arc<AtomicU64>,
    /// How the last commit ended.
    last: watch::Receiver<Result<(), Undone>>,
}

struct Readers {
    connections: Mutex<Vec<Sql>>,
    free: Semaphore,
}

impl Store {
    /// Opens the store, brings its tables up to date, and starts the writer. The thread ends when the
    /// last handle is gone.
    pub(crate) fn open(place: &Place) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        let mut engine = place.writer()?;
        schema::migrate(engine.as_mut())?;
        let writer = Sql::new(engine);
        let reader = || Ok::<_, StoreError>(Sql::new(place.reader()?));
        let connections = (0..READERS_MAX).map(|_| reader()).collect::<Result<_, _>>()?;
        let readers = Readers { connections: Mutex::new(connections), free: Semaphore::new(READERS_MAX) };
        let (jobs, inbox) = mpsc::channel(WRITE_QUEUE_MAX);
        let (ended, last) = watch::channel(Ok(()));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_closed(&writer, inbox, &ended))?;
        Ok((Self { jobs, readers: Arc::new(readers), writes: Arc::default(), last }, thread))
    }

    /// Runs `job` in a transaction; what it did is durable when this returns `Ok`, undone otherwise.
    pub(crate) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Sql) -> Result<T, E> + Send + 'static,
    {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |sql| {
            let result = sql.map_err(|undone| E::from(undone.into())).and_then(job);
            let keep = result.is_ok();
            let reply: Reply = Box::new(move |committed| {
                let undone = |undone: Undone| E::from(undone.into());
                let outcome = result.and_then(|done| committed.map(|()| done).map_err(undone));
                drop(answer.send(outcome));
            });
            (keep, reply)
        });
        self.jobs.send(boxed).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `query` on a connection that can only read.
    pub(crate) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Sql) -> Result<T, StoreError> + Send + 'static,
    {
        let _permit = self.readers.free.acquire().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(&self.readers);
        let run = move || {
            let pool = || readers.connections.lock().unwrap_or_else(PoisonError::into_inner);
            let sql = pool().pop().ok_or(StoreError::Closed)?;
            let result = query(&sql);
            pool().push(sql);
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| StoreError::Closed)?
    }

    /// Changes with every commit.
    pub(crate) fn commits(&self) -> watch::Receiver<Result<(), Undone>> {
        self.last.clone()
    }

    /// How the last commit ended.
    pub(crate) fn last_commit(&self) -> Result<(), Undone> {
        *self.last.borrow()
    }

    /// Write jobs asked for so far.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}

fn write_until_closed(sql: &Sql, mut inbox: mpsc::Receiver<Job>, last: &watch::Sender<Result<(), Undone>>) {
    while let Some(first) = inbox.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < WRITE_BATCH_MAX {
            match inbox.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        let (mut jobs, mut ended) = (batch.into_iter(), Ok(()));
        while jobs.len() > 0 {
            ended = run_batch(sql, &mut jobs);
        }
        // Said when it changes, not for every job that meets the same full disk.
        if last.send_replace(ended) != ended {
            match ended {
                Ok(()) => tracing::info!("the store takes writes again"),
                Err(Undone::Full) => {
                    tracing::error!("the disk is full: nothing is written until there is room")
                }
                Err(Undone::Away) => {
                    tracing::error!("the database is away: nothing is written until it is back")
                }
                Err(Undone::Failed) => tracing::error!("a commit to the store failed"),
            }
        }
    }
}

/// Jobs in one transaction; one that fails is undone alone. When the engine gives up the whole transaction
/// in the midst, this batch ends there, and the jobs behind it get one of their own.
fn run_batch(sql: &Sql, jobs: &mut impl Iterator<Item = Job>) -> Result<(), Undone> {
    let batch = |statements| sql.engine().batch(statements).map_err(Undone::from);
    let begun = sql.engine().begin().map_err(Undone::from);
    let mut replies = Vec::new();
    let mut given_up = None;
    for job in jobs {
        let saved = begun.and_then(|()| batch("SAVEPOINT job"));
        let (keep, reply) = job(saved.map(|()| sql));
        given_up = begun.ok().and_then(|()| sql.engine().gave_up());
        let end = if keep { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        let ended = saved.and_then(|()| batch(end));
        replies.push((ended, reply));
        if given_up.is_some() {
            break;
        }
    }
    let committed = begun.and(given_up.map_or(Ok(()), Err)).and_then(|()| batch("COMMIT"));
    if committed.is_err() {
        let _ = batch("ROLLBACK");
    }
    for (ended, reply) in replies {
        reply(committed.and(ended));
    }
    committed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Sqlite;
    use crate::store::{Setting, get_setting, put_setting};

    #[tokio::test]
    async fn a_job_that_fails_is_undone_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::File(dir.path().join("db"));
        let (store, thread) = Store::open(&place).unwrap();
        let put = |setting, fail: bool| {
            let store = store.clone();
            async move {
                store
                    .write(move |sql| {
                        put_setting(sql, setting, 1)?;
                        if fail { Err(StoreError::Corrupt("test")) } else { Ok(()) }
                    })
                    .await
            }
        };
        let all = [Setting::SignedTime, Setting::SteadyTime, Setting::MachineRun];
        let (good, bad, other) = tokio::join!(put(all[0], false), put(all[1], true), put(all[2], false));
        assert!(good.is_ok() && bad.is_err() && other.is_ok());
        let kept = |setting| store.read(move |sql| get_setting(sql, setting));
        for (setting, expected) in all.into_iter().zip([Some(1), None, Some(1)]) {
            assert_eq!(kept(setting).await.unwrap(), expected);
        }
        drop(store);
        thread.join().unwrap();
        assert!(Store::open(&place).is_ok(), "opens again");
    }

    #[test]
    fn a_full_disk_is_told_apart_undoes_all_it_must_and_is_over_when_there_is_room() {
        let sql = Sql::new(Box::new(Sqlite::of(rusqlite::Connection::open_in_memory().unwrap())));
        sql.engine().batch("CREATE TABLE t (x BLOB); PRAGMA max_page_count = 8").unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let job = |number: usize, bytes: usize| -> Job {
            let said = Arc::clone(&said);
            Box::new(move |sql| {
                let done = sql.unwrap().execute("INSERT INTO t VALUES ($1)", &[&vec![0_u8; bytes]]);
                let full = matches!(done, Err(StoreError::Full));
                (!full, Box::new(move |committed| said.lock().unwrap().push((number, full, committed))))
            })
        };
        let run = |jobs: Vec<Job>| {
            let (mut jobs, mut ended) = (jobs.into_iter(), Vec::new());
            while jobs.len() > 0 {
                ended.push(run_batch(&sql, &mut jobs));
            }
            ended
        };
        let ended = run(vec![job(0, 10), job(1, 100_000), job(2, 10)]);
        let kept: usize = sql.rows("SELECT x FROM t", &[]).unwrap().len();
        let acknowledged =
            said.lock().unwrap().iter().filter(|(_, full, said)| !full && said.is_ok()).count();
        assert_eq!(kept, acknowledged, "what is kept is what was acknowledged");
        assert_eq!(ended.last(), Some(&Ok(())), "the job behind it went well");
        assert!(said.lock().unwrap().contains(&(1, true, ended[0])), "the job itself met the full disk");
        sql.engine().batch("PRAGMA max_page_count = 1000").unwrap();
        assert_eq!(run(vec![job(3, 100_000)]), [Ok(())]);
    }
}
