//! One thread that writes, a few connections that read.
//!
//! Touches: `rusqlite`, threads. Never: holds a transaction open while it waits for work.

use super::{StoreError, schema};
use crate::limits::{READERS_MAX, WRITE_BATCH_MAX, WRITE_QUEUE_MAX};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Runs inside a savepoint, and returns what tells the caller once the commit is known.
type Job = Box<dyn FnOnce(&Connection) -> (bool, Reply) + Send>;
type Reply = Box<dyn FnOnce(bool) + Send>;

/// The handle to the store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
    readers: Arc<Readers>,
    writes: Arc<AtomicU64>,
}

struct Readers {
    connections: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Store {
    /// Opens the store, brings its tables up to date, and starts the writer. The thread ends when the
    /// last handle is gone.
    pub(crate) fn open(path: &Path) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::migrate(&mut connection)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let readers: Result<Vec<_>, _> =
            (0..READERS_MAX).map(|_| Connection::open_with_flags(path, flags)).collect();
        let (jobs, inbox) = mpsc::channel(WRITE_QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_closed(&connection, inbox))?;
        let readers = Readers { connections: Mutex::new(readers?), free: Semaphore::new(READERS_MAX) };
        Ok((Self { jobs, readers: Arc::new(readers), writes: Arc::default() }, thread))
    }

    /// Runs `job` in a transaction; what it did is durable when this returns `Ok`, undone otherwise.
    pub(crate) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |connection| {
            let result = job(connection);
            let keep = result.is_ok();
            let reply: Reply = Box::new(move |committed| {
                let closed = || E::from(StoreError::Closed);
                let outcome = if committed { result } else { result.and_then(|_| Err(closed())) };
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
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let _permit = self.readers.free.acquire().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(&self.readers);
        let run = move || {
            let pool = || readers.connections.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = pool().pop().ok_or(StoreError::Closed)?;
            let result = query(&connection);
            pool().push(connection);
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| StoreError::Closed)?
    }

    /// Write jobs asked for so far.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}

fn write_until_closed(connection: &Connection, mut inbox: mpsc::Receiver<Job>) {
    while let Some(first) = inbox.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < WRITE_BATCH_MAX {
            match inbox.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        run_batch(connection, batch);
    }
}

/// All jobs in one transaction; a job that fails is undone alone.
fn run_batch(connection: &Connection, batch: Vec<Job>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let mut replies = Vec::with_capacity(batch.len());
    for job in batch {
        let saved = begun.is_ok() && connection.execute_batch("SAVEPOINT job").is_ok();
        let (keep, reply) = job(connection);
        let end = if keep { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        let ended = saved && connection.execute_batch(end).is_ok();
        replies.push((ended, reply));
    }
    let committed = begun.is_ok() && connection.execute_batch("COMMIT").is_ok();
    if !committed {
        tracing::error!("a commit to the store failed");
        drop(connection.execute_batch("ROLLBACK"));
    }
    for (ended, reply) in replies {
        reply(committed && ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_fails_is_undone_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (store, thread) = Store::open(&dir.path().join("db")).unwrap();
        let put = |name: &'static str, fail: bool| {
            let store = store.clone();
            async move {
                store
                    .write(move |connection| {
                        connection.execute("INSERT INTO settings VALUES (?1, 1)", [name])?;
                        if fail { Err(StoreError::Corrupt("test")) } else { Ok(()) }
                    })
                    .await
            }
        };
        let (good, bad, other) = tokio::join!(put("a", false), put("b", true), put("c", false));
        assert!(good.is_ok() && bad.is_err() && other.is_ok());
        let rows = store
            .read(|c| {
                Ok(c.query_row("SELECT group_concat(name) FROM settings", [], |r| r.get::<_, String>(0))?)
            })
            .await;
        assert_eq!(rows.unwrap(), "a,c");
        drop(store);
        thread.join().unwrap();
        assert!(Store::open(&dir.path().join("db")).is_ok(), "opens again");
    }
}
