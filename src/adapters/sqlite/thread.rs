//! The threads that own the connections: one writes, one reads.
//!
//! The writer takes all that is waiting for it into one transaction, each piece of work within a
//! savepoint of its own, and answers only after the commit: whoever writes at the same time shares
//! one wait for the disk, and is as safe as if it had written alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use futures::channel::oneshot;
use rusqlite::Connection;

use crate::ports::StoreError;

use super::error::{backend, store_error};

/// So many pieces of work share a commit at most: what is in one is held in memory until it ends.
const GROUP: usize = 64;

/// A piece of work, waiting in the channel.
trait Job: Send {
    /// Does it, perhaps anew; whether what it wrote may be committed.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers whoever waits, with the outcome or with why there is none.
    fn answer(self: Box<Self>, ended: Result<(), StoreError>);
}

type Jobs = Vec<Box<dyn Job>>;

struct Work<F, T> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Work<F, T>
where
    F: Fn(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        // Before the work: should it panic, the outcome of an earlier run must not stand.
        self.outcome = None;
        self.outcome = Some((self.work)(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, ended: Result<(), StoreError>) {
        let outcome = match (ended, self.outcome) {
            // What the work itself says comes before what became of its transaction.
            (_, Some(Err(error))) | (Err(error), _) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(ended_early()),
        };
        // Whoever asked may have gone; the work is done all the same.
        drop(self.answer.send(outcome));
    }
}

fn ended_early() -> StoreError {
    backend("store_thread_ended", false)
}

/// A thread that owns a connection and works through a channel.
pub(super) struct Thread {
    jobs: Option<Sender<Box<dyn Job>>>,
    handle: Option<JoinHandle<()>>,
}

impl Thread {
    /// Starts a thread that writes.
    pub(super) fn writer(connection: Connection, file: File) -> Result<Self, StoreError> {
        Self::start("datarights-write", move |jobs| {
            while let Ok(first) = jobs.recv() {
                let waiting = jobs.try_iter().take(GROUP - 1);
                let group: Jobs = std::iter::once(first).chain(waiting).collect();
                if let Err(moved) = file.check() {
                    group
                        .into_iter()
                        .for_each(|job| job.answer(Err(moved.clone())));
                    continue;
                }
                for mut job in write_together(&connection, group) {
                    let ended = transaction(&connection, || guarded(&connection, &mut *job));
                    job.answer(ended);
                }
            }
        })
    }

    /// Starts a thread that reads.
    pub(super) fn reader(connection: Connection, file: File) -> Result<Self, StoreError> {
        Self::start("datarights-read", move |jobs| {
            for mut job in jobs {
                let ended = file.check().and_then(|()| guarded(&connection, &mut *job));
                job.answer(ended.map(|_| ()));
            }
        })
    }

    fn start(
        name: &str,
        work: impl FnOnce(Receiver<Box<dyn Job>>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (jobs, receiver) = mpsc::channel();
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(receiver))
            .map_err(|_| backend("no_thread", true))?;
        Ok(Self {
            jobs: Some(jobs),
            handle: Some(handle),
        })
    }

    /// Has work done there, and waits for its outcome. A writer may do it more than once, of which
    /// the last time counts.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, outcome) = oneshot::channel();
        let job = Box::new(Work {
            work,
            outcome: None,
            answer,
        });
        let jobs = self.jobs.as_ref().ok_or_else(ended_early)?;
        jobs.send(job).map_err(|_| ended_early())?;
        outcome.await.map_err(|_| ended_early())?
    }
}

impl Drop for Thread {
    /// Waits for the thread, so that the file is closed when the last handle is gone.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(handle) = self.handle.take() {
            // Work cannot unwind it (`guarded`), and what is left to tell is told to nobody.
            drop(handle.join());
        }
    }
}

/// Runs work; a panic within is its error, and the thread lives on.
fn guarded(connection: &Connection, job: &mut dyn Job) -> Result<bool, StoreError> {
    catch_unwind(AssertUnwindSafe(|| job.run(connection))).map_err(|_| backend("panicked", false))
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(|_| ())
        .map_err(|error| store_error(&error))
}

/// Does work between `BEGIN IMMEDIATE` and `COMMIT`, or `ROLLBACK` when it may not be committed.
fn transaction(
    connection: &Connection,
    work: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    begin(connection)?;
    begun(connection, work)
}

fn begin(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "BEGIN IMMEDIATE")
}

/// Does work in a transaction that has begun, and ends it.
fn begun(
    connection: &Connection,
    work: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let ended = match work() {
        Ok(true) => run(connection, "COMMIT"),
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    // Some failures have rolled back already. One that cannot be fails the next BEGIN.
    if !connection.is_autocommit() {
        run(connection, "ROLLBACK")?;
    }
    ended
}

/// Does several pieces of work in one transaction and answers them. Returns those that must be
/// done one by one: one alone, and all of a transaction that came to nothing, be it by one of them
/// (a full disk undoes all, not only what was too much).
fn write_together(connection: &Connection, mut group: Jobs) -> Jobs {
    if group.len() < 2 {
        return group;
    }
    // Who holds the file keeps out all of them: they wait for it once, not one after the other.
    if let Err(error) = begin(connection) {
        for job in group {
            job.answer(Err(error.clone()));
        }
        return Vec::new();
    }
    let mut ended = Vec::with_capacity(group.len());
    let together = begun(connection, || {
        for job in &mut group {
            ended.push(within_savepoint(connection, &mut **job)?);
        }
        Ok(true)
    });
    if together.is_err() {
        return group;
    }
    for (job, ended) in group.into_iter().zip(ended) {
        job.answer(ended);
    }
    Vec::new()
}

/// Does work of which nothing stays when it fails; how it ended. An error where the transaction
/// around it is lost.
fn within_savepoint(
    connection: &Connection,
    job: &mut dyn Job,
) -> Result<Result<(), StoreError>, StoreError> {
    run(connection, "SAVEPOINT work")?;
    let ended = guarded(connection, job);
    if connection.is_autocommit() {
        return Err(backend("rolled_back", false));
    }
    if !matches!(ended, Ok(true)) {
        run(connection, "ROLLBACK TO work")?;
    }
    run(connection, "RELEASE work")?;
    Ok(ended.map(|_| ()))
}

/// The file a store was opened on, to notice that it was moved, replaced or deleted: SQLite would
/// go on writing into a file that nobody can open again.
#[derive(Clone)]
pub(super) struct File {
    path: PathBuf,
    identity: Identity,
}

#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = (); // an open file cannot be deleted there

impl File {
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path)? == self.identity {
            return Ok(());
        }
        Err(moved())
    }
}

fn moved() -> StoreError {
    backend("file_moved", false)
}

#[cfg(unix)]
fn identity(path: &Path) -> Result<Identity, StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|_| moved())?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Result<Identity, StoreError> {
    std::fs::metadata(path).map(|_| ()).map_err(|_| moved())
}
