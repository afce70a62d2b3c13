//! The request store for many workers: tables in a PostgreSQL schema of their own, on the host's
//! pool.
//!
//! `schema` knows the tables, `sql` the statements, `write` and `read` carry them out, `wake`
//! carries word between processes, `error` turns codes into errors. This file is the public face.

mod error;
mod read;
mod schema;
mod sql;
#[cfg(test)]
mod tests;
mod wake;
mod write;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::Stream;
use sqlx::{Connection as _, PgConnection, PgPool, PgTransaction, Postgres, pool::PoolConnection};

use crate::model::{ControllerId, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Counted, Due, Fence, LockChange, Mark, RequestStore, StoreError, StoredEvent,
    StoredRequest, WorkerId,
};

use error::{asks_again, store_error};
use schema::SchemaName;
use sql::Statements;
use wake::Bell;
use write::{Target, Wanted};

type Answer<T> = Result<T, StoreError>;

/// The schema's name unless the host gives another.
const SCHEMA: &str = "datarights";

/// How often what the database undid to end a deadlock or to keep its isolation is done again.
const AGAIN: usize = 5;

/// Does it on a connection of the pool. Where the database undid it (it may do so to any statement
/// under the stricter isolation that a host made its default), it is done again in a transaction
/// of the isolation that is enough.
macro_rules! on {
    ($store:expr, $connection:ident => $work:expr) => {{
        let mut $connection = $store.connection().await?;
        let mut answer = $work.await;
        let mut again = 0;
        while again < AGAIN && answer.as_ref().is_err_and(asks_again) {
            let mut $connection = begin(&mut $connection).await?;
            answer = $work.await;
            answer = end($connection, answer).await;
            again += 1;
        }
        answer
    }};
}

/// Begins a transaction whose every statement sees what others have committed before it.
async fn begin(connection: &mut PgConnection) -> Answer<PgTransaction<'_>> {
    let begun = connection
        .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
        .await;
    begun.map_err(|error| store_error(&error))
}

/// Commits what went well, and takes back what did not, now: a transaction that is only dropped
/// keeps its locks until its connection is used again.
async fn end<T>(transaction: PgTransaction<'_>, answer: Answer<T>) -> Answer<T> {
    match answer {
        Ok(value) => {
            let committed = transaction.commit().await;
            committed.map_err(|error| store_error(&error))?;
            Ok(value)
        }
        Err(error) => {
            // The error is told already; a server that cannot be told has forgotten by itself.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}

/// Requests in a schema of a PostgreSQL database, on a pool of the host: its address, certificates,
/// time limits and size are the host's. A clone is another handle; any number of processes may
/// work on one schema.
///
/// - Every write is one statement and one round trip, but for the commits that take locks. What
///   returned is as durable as the database's `synchronous_commit` makes it.
/// - Workers take requests with `SKIP LOCKED`: they never wait for one another.
/// - Every statement names the controller, but `claim` and `next_wake` for all.
/// - Indexes for finding work, deadlines and open requests hold only such requests.
/// - A call whose future is dropped may or may not have happened, like one cut off by a crash.
///
/// It needs a runtime of tokio and PostgreSQL 12 or newer; `ARCHITECTURE.md` names the features it
/// uses. Where a pooler hands each transaction to another connection, it must know prepared
/// statements.
///
/// # Errors
/// Beside those of the port: [`StoreError::Backend`] with an SQLSTATE, or `io`, `pool_timed_out`,
/// `pool_closed`, `worker_crashed`, `begin_failed`, `tls`, `protocol`, `sqlx`, `no_sqlstate`,
/// `contended` (others wrote again and again). After `io`, `protocol` and `worker_crashed` it is
/// not known whether a write happened.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use datarights::adapters::PostgresStore;
/// use datarights::ports::RequestStore;
///
/// let pool = sqlx::PgPool::connect("postgres://app@localhost/app").await?;
/// let store = PostgresStore::open(pool).await?;
/// assert_eq!(store.next_wake(None).await?, None); // nothing to do yet
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    schema: SchemaName,
    sql: Arc<Statements>,
    bell: Option<Bell>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema.as_str())
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the schema `datarights`, and makes or updates its tables.
    ///
    /// # Errors
    /// Those of [`in_schema`](Self::in_schema).
    pub async fn open(pool: PgPool) -> Result<Self, StoreError> {
        Self::in_schema(pool, SCHEMA).await
    }

    /// Opens a schema of that name, and makes or updates its tables. Where they are up to date
    /// nothing is written, and the role needs no right to make any.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for a name with other characters than `a-z 0-9 _`,
    /// [`StoreError::UnknownSchema`] for tables of a newer release, [`StoreError::Corrupt`] for a
    /// schema that is not ours (it is left as it is), [`StoreError::Backend`] for others.
    pub async fn in_schema(pool: PgPool, schema: &str) -> Result<Self, StoreError> {
        let schema = SchemaName::new(schema)?;
        schema::open(&pool, &schema).await?;
        Ok(Self {
            sql: Arc::new(Statements::of(&schema)),
            pool,
            schema,
            bell: None,
        })
    }

    /// What makes the tables, one SQL text for each version from nothing on: for hosts that run
    /// their migrations themselves, each in a transaction of its own. What such a host has run,
    /// [`in_schema`](Self::in_schema) finds done.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for a name that is none.
    pub fn migrations(schema: &str) -> Result<Vec<String>, StoreError> {
        Ok(schema::migrations(&SchemaName::new(schema)?))
    }

    /// The same store, which tells [`listen`](Self::listen)ers of other processes after the commits
    /// of people's commands that there may be work: with `NOTIFY`, in a transaction of its own, one
    /// for all that was committed while the last one was sent. What is lost costs time only, for
    /// workers look by themselves too.
    #[must_use]
    pub fn announcing(mut self) -> Self {
        self.bell = Some(Bell::default());
        self
    }

    /// Tells listeners now, where the store is [`announcing`](Self::announcing): after a
    /// transaction of the host's own that wrote with [`write_in`](Self::write_in).
    pub fn announce(&self) {
        if let Some(bell) = &self.bell {
            bell.ring(&self.pool, &self.schema);
        }
    }

    /// Yields whenever somebody announced that there may be work, to be passed on to
    /// `Engine::ring`. Keeps a connection of the pool. Ends when the connection is lost and no
    /// other can be made.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when there is no connection.
    pub async fn listen(
        &self,
    ) -> Result<impl Stream<Item = ()> + Send + Unpin + 'static, StoreError> {
        wake::listen(&self.pool, &self.schema).await
    }

    /// Writes a commit in a transaction of the host's own: it counts when that one commits. One
    /// with `expected` 0 creates a request, any other changes one. `Engine::prepare_submit` makes
    /// them.
    ///
    /// Where it fails the transaction must be rolled back.
    ///
    /// # Errors
    /// Those of the port. [`StoreError::Malformed`] for a commit that takes locks: those are taken
    /// by workers only, and would outlast what they wait for here.
    pub async fn write_in(
        &self,
        transaction: &mut PgTransaction<'_>,
        controller: &ControllerId,
        commit: &Commit,
    ) -> Result<(), StoreError> {
        if matches!(commit.locks, LockChange::Take(_)) {
            return Err(StoreError::Malformed(
                "locks are taken in no transaction of a host",
            ));
        }
        let creates = commit.expected == 0;
        self.write(transaction, controller, commit, creates).await?;
        Ok(())
    }

    /// Moves what closed requests weigh (state, events, parts) into tables beside, `archived_…`, of
    /// requests that were written last before an instant, by the server's clock: `limit` at most and
    /// no more than 256, in one transaction. Answers of how many; call it again until that is 0.
    /// Everything is found as before, also by workers when its time comes, and what is written to
    /// such a request again is written where it was. Requests that somebody works on, or whose time
    /// comes within a minute by the server's clock, are left out: a worker whose clock is near that
    /// one passes over none because of this.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::NotWritable`].
    pub async fn archive(&self, before: DateTime<Utc>, limit: usize) -> Result<usize, StoreError> {
        on!(self, c => write::archive(&mut c, &self.sql, before, limit))
    }

    /// SQL after which the database itself keeps controllers apart (row-level security): for hosts
    /// that want it, run once by the owner of the tables after [`migrations`](Self::migrations). A
    /// role that neither owns them nor bypasses row security sees and writes the rows of the
    /// controller that its session names with `SET datarights.controller = '…'`, and none without.
    /// Workers for all controllers need a role that bypasses it.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for a name that is none.
    pub fn row_level_security(schema: &str) -> Result<String, StoreError> {
        Ok(schema::row_level_security(&SchemaName::new(schema)?))
    }

    async fn connection(&self) -> Answer<PoolConnection<Postgres>> {
        self.pool
            .acquire()
            .await
            .map_err(|error| store_error(&error))
    }

    fn target<'a>(
        &'a self,
        controller: &'a ControllerId,
        request: RequestId,
        fence: Option<Fence>,
    ) -> Target<'a> {
        Target {
            sql: &self.sql,
            controller,
            request,
            fence,
        }
    }

    /// Writes all of a commit but the locks it takes; answers the request's row.
    async fn write(
        &self,
        connection: &mut PgConnection,
        controller: &ControllerId,
        commit: &Commit,
        creates: bool,
    ) -> Answer<i64> {
        let target = self.target(controller, commit.request, commit.fence);
        if creates {
            write::create(connection, target, commit).await
        } else {
            write::commit(connection, target, commit).await
        }
    }

    async fn write_and_announce(
        &self,
        controller: &ControllerId,
        commit: &Commit,
        creates: bool,
    ) -> Answer<()> {
        if let Some(wanted) = Wanted::of(&self.schema, controller, &commit.locks) {
            let mut connection = self.connection().await?;
            let mut again = 0;
            loop {
                let mut transaction = begin(&mut connection).await?;
                let answer = async {
                    wanted.serialise(&mut transaction, &self.sql).await?;
                    let row = self
                        .write(&mut transaction, controller, commit, creates)
                        .await?;
                    wanted
                        .take(&mut transaction, &self.sql, controller, row)
                        .await
                };
                let answer = answer.await;
                match end(transaction, answer).await {
                    Err(error) if again < AGAIN && asks_again(&error) => again += 1,
                    answer => break answer?,
                }
            }
        } else {
            on!(self, c => self.write(&mut c, controller, commit, creates))?;
        }
        if commit.fence.is_none() {
            self.announce();
        }
        Ok(())
    }
}

#[async_trait]
impl RequestStore for PostgresStore {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.write_and_announce(controller, &commit, true).await
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        on!(self, c => read::load(&mut c, &self.sql, controller, request))
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.write_and_announce(controller, &commit, false).await
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        on!(self, c => read::history(&mut c, &self.sql, controller, request, after, limit))
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        on!(self, c => read::find(&mut c, &self.sql, controller, person))
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
        let target = self.target(controller, request, fence);
        on!(self, c => write::put_part(&mut c, target, part, chunk, &bytes))
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        on!(self, c => read::read_part(&mut c, &self.sql, controller, request, part, chunk))
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let target = self.target(controller, request, fence);
        on!(self, c => write::delete_parts(&mut c, target, part))
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        on!(self, c => read::claim(&mut c, &self.sql, controller, worker, now, until, limit))
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let target = self.target(&claim.controller, claim.request, Some(claim.fence));
        on!(self, c => write::renew(&mut c, target, until))
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        on!(self, c => read::release(&mut c, &self.sql, claim))
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        on!(self, c => read::next_wake(&mut c, &self.sql, controller))
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        on!(self, c => read::due(&mut c, &self.sql, controller, before, limit))
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        on!(self, c => read::open(&mut c, &self.sql, controller, after, limit))
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        on!(self, c => read::marked(&mut c, &self.sql, controller, mark, after, limit))
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        on!(self, c => read::counted(&mut c, &self.sql, controller, what))
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let target = self.target(controller, request, fence);
        on!(self, c => write::delete(&mut c, target, expected))
    }
}

/// Microseconds since 1970; every instant that chrono knows fits.
fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}
