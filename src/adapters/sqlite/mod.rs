//! The embedded request store: one SQLite file.
//!
//! `schema` knows the file, `thread` owns the connections, `statements` does the work, `error`
//! turns codes into errors. This file is the public face.

mod error;
mod schema;
mod statements;
#[cfg(test)]
mod tests;
mod thread;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::{ControllerId, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Counted, Due, Fence, Mark, RequestStore, StoreError, StoredEvent, StoredRequest,
    WorkerId,
};

use error::backend;
use thread::{File, Thread};

/// How a [`SqliteStore`] is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a write waits for another process that writes, before it is a temporary
    /// `SQLITE_BUSY`. Five seconds unless said otherwise.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// Requests in one SQLite file. A clone is another handle on the same connections; several stores,
/// also of several processes, may be open on one file (not over a network file system).
///
/// - A commit is on the disk before it returns (write-ahead log, `synchronous=FULL`). Those that
///   wait at the same time go to the disk together.
/// - Two threads own the connections, so that the caller's executor never blocks; no runtime is
///   needed. When the last handle is dropped, what is under way is finished and the file closed.
/// - A call whose future is dropped may or may not have happened, like one cut off by a crash.
/// - Personal data reaches it sealed. What is deleted is overwritten in the file
///   (`secure_delete`), so that ciphertext does not linger in free pages; the write-ahead log
///   holds older pages until it is written over.
///
/// # Errors
/// Beside those of the port: [`StoreError::Backend`] with the name of SQLite's extended result
/// code, or `file_moved` (the file is no longer where it was opened), `panicked`,
/// `store_thread_ended`, `no_thread`, `no_write_ahead_log`.
///
/// ```
/// use datarights::adapters::SqliteStore;
/// use datarights::ports::RequestStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// let store = SqliteStore::open(directory.path().join("requests.db"))?;
/// # futures::executor::block_on(async {
/// assert_eq!(store.next_wake(None).await?, None); // nothing to do yet
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    // Dropped in this order: the writer closes last and folds the log into the file.
    reader: Thread,
    writer: Thread,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a file, or makes it, and brings its schema up to date. Blocks meanwhile.
    ///
    /// # Errors
    /// [`StoreError::UnknownSchema`] for a file of a newer release, [`StoreError::Corrupt`] for
    /// one that is damaged or not ours (it is left as it is), [`StoreError::NotWritable`] for one
    /// that is read-only, [`StoreError::NotOpened`] for a place where there is no file and none can
    /// be made, [`StoreError::Backend`] for others.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens a file in another way than the usual.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, StoreError> {
        // The working directory may change; the file must not change with it.
        let path = std::path::absolute(path).map_err(|_| backend("no_path", false))?;
        let told = |error| at_place(&path, error);
        let writer = schema::open_writer(&path, options.busy_timeout).map_err(told)?;
        let reader = schema::open_reader(&path, options.busy_timeout).map_err(told)?;
        let file = File::at(&path)?;
        Ok(Self {
            shared: Arc::new(Shared {
                reader: Thread::reader(reader, file.clone())?,
                writer: Thread::writer(writer, file)?,
                path,
            }),
        })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }
}

/// Names the place that could not be opened: the host gave it, and it is nobody's data.
fn at_place(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Backend { code, .. } if code.starts_with("SQLITE_CANTOPEN") => {
            StoreError::NotOpened {
                place: path.display().to_string(),
                code,
            }
        }
        other => other,
    }
}

#[async_trait]
impl RequestStore for SqliteStore {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let controller = controller.clone();
        let writer = &self.shared.writer;
        writer
            .call(move |connection| statements::create(connection, &controller, &commit))
            .await
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::load(connection, &controller, request))
            .await
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let controller = controller.clone();
        let writer = &self.shared.writer;
        writer
            .call(move |connection| statements::commit(connection, &controller, &commit))
            .await
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| {
                statements::history(connection, &controller, request, after, limit)
            })
            .await
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        let (controller, person) = (controller.clone(), *person);
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::find(connection, &controller, &person))
            .await
    }

    async fn put_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: &str,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (controller, part) = (controller.clone(), part.to_owned());
        let writer = &self.shared.writer;
        writer
            .call(move |connection| {
                statements::put_part(
                    connection,
                    &controller,
                    request,
                    fence,
                    &part,
                    chunk,
                    &bytes,
                )
            })
            .await
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (controller, part) = (controller.clone(), part.to_owned());
        let reader = &self.shared.reader;
        reader
            .call(move |connection| {
                statements::read_part(connection, &controller, request, &part, chunk)
            })
            .await
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let (controller, part) = (controller.clone(), part.map(str::to_owned));
        let writer = &self.shared.writer;
        writer
            .call(move |connection| {
                statements::delete_parts(connection, &controller, request, fence, part.as_deref())
            })
            .await
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let (controller, worker) = (controller.cloned(), worker.clone());
        let writer = &self.shared.writer;
        writer
            .call(move |connection| {
                statements::claim(connection, controller.as_ref(), &worker, now, until, limit)
            })
            .await
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let claim = claim.clone();
        let writer = &self.shared.writer;
        writer
            .call(move |connection| statements::renew(connection, &claim, until))
            .await
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let claim = claim.clone();
        let writer = &self.shared.writer;
        writer
            .call(move |connection| statements::release(connection, &claim))
            .await
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let controller = controller.cloned();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::next_wake(connection, controller.as_ref()))
            .await
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::due(connection, &controller, before, limit))
            .await
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::open(connection, &controller, after, limit))
            .await
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::marked(connection, &controller, mark, after, limit))
            .await
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        let controller = controller.clone();
        let reader = &self.shared.reader;
        reader
            .call(move |connection| statements::count(connection, &controller, what))
            .await
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let controller = controller.clone();
        let writer = &self.shared.writer;
        writer
            .call(move |connection| {
                statements::delete(connection, &controller, request, expected, fence)
            })
            .await
    }
}
