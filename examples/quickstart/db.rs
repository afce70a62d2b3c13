//! SQLite as asynchronous code uses it: off the executor, with errors that carry no values, and
//! with writes that happen once.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datarights::ports::{ByteStream, CallContext, ErrorKind, IdempotencyKey, PortError};
use futures::stream;
use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OptionalExtension, Params, Row, Transaction,
    TransactionBehavior,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many bytes of an attachment are read at a time.
const PIECE: usize = 64 * 1024;

/// A connection that many tasks share.
#[derive(Clone)]
pub(crate) struct Db(Arc<Mutex<Connection>>);

impl Db {
    /// Opens a database as the application does.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        // What is deleted is overwritten in the file, not only taken out of its lists.
        connection.execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
             CREATE TABLE IF NOT EXISTS performed (key TEXT PRIMARY KEY, answer TEXT NOT NULL);",
        )?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs blocking work on a thread of its own: the executor goes on with other requests.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let shared = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            // A panic under the lock has rolled its transaction back: the connection is sound.
            work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
        });
        task.await
            .unwrap_or_else(|_| Err(PortError::unavailable("panicked")))
    }

    /// Writes once per idempotency key. The key and the answer are stored in the transaction that
    /// does the work, so a second call, even after a crash, changes nothing and says the same.
    pub(crate) async fn once<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        context: &CallContext,
        place: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        not_cancelled(context)?;
        let key = context.key.clone();
        let waiter = Waiter::default();
        let still = waiter.0.clone();
        self.call(move |connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(at(place))?;
            if let Some(answer) = performed(&transaction, &key)? {
                return Ok(answer);
            }
            let answer = work(&transaction)?;
            note_performed(&transaction, &key, &answer)?;
            commit(transaction, &still, place)?;
            Ok(answer)
        })
        .await
    }

    /// The content of one BLOB, piece by piece: an attachment of any size in constant memory.
    pub(crate) fn blob(&self, table: &'static str, column: &'static str, row: i64) -> ByteStream {
        let db = self.clone();
        Box::pin(stream::try_unfold(0, move |offset| {
            let db = db.clone();
            async move {
                let piece = db
                    .call(move |connection| {
                        let blob = connection
                            .blob_open(MAIN_DB, table, column, row, true)
                            .map_err(at(table))?;
                        let mut piece = vec![0; PIECE.min(blob.len().saturating_sub(offset))];
                        blob.read_at_exact(&mut piece, offset).map_err(at(table))?;
                        Ok(piece)
                    })
                    .await?;
                let next = offset + piece.len();
                Ok((!piece.is_empty()).then_some((piece, next)))
            }
        }))
    }
}

/// Somebody who waits for a write. Blocking work cannot be dropped with its future; but once nobody
/// waits it does not commit any more, so that nothing changes behind anybody's back.
#[derive(Default)]
struct Waiter(Arc<Mutex<Waiting>>);

#[derive(Default, PartialEq, Eq)]
enum Waiting {
    #[default]
    Yes,
    NoLonger,
}

impl Drop for Waiter {
    /// Waits for a commit that has begun: afterwards it has happened, or it never will.
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Waiting::NoLonger;
    }
}

fn commit(
    transaction: Transaction<'_>,
    waiting: &Mutex<Waiting>,
    place: &'static str,
) -> Result<(), PortError> {
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    match *waiting {
        Waiting::Yes => transaction.commit().map_err(at(place)),
        Waiting::NoLonger => Err(cancelled()),
    }
}

fn performed<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    key: &IdempotencyKey,
) -> Result<Option<T>, PortError> {
    let answer: Option<String> = transaction
        .query_row(
            "SELECT answer FROM performed WHERE key = ?1",
            [&key.0],
            |row| row.get(0),
        )
        .optional()
        .map_err(at("performed"))?;
    let parse = |text: String| serde_json::from_str(&text);
    answer.map(parse).transpose().map_err(|_| unreadable())
}

fn note_performed<T: Serialize>(
    transaction: &Transaction<'_>,
    key: &IdempotencyKey,
    answer: &T,
) -> Result<(), PortError> {
    let answer = serde_json::to_string(answer).map_err(|_| unreadable())?;
    transaction
        .execute("INSERT INTO performed VALUES (?1, ?2)", [&key.0, &answer])
        .map_err(at("performed"))?;
    Ok(())
}

fn unreadable() -> PortError {
    PortError::new(ErrorKind::Nonsense, "unreadable").at("performed.answer")
}

/// All rows of a small answer.
pub(crate) fn rows<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map(parameters, read)?
        .collect()
}

/// Work that nobody waits for any more changes nothing.
pub(crate) fn not_cancelled(context: &CallContext) -> Result<(), PortError> {
    if context.cancel.is_cancelled() {
        return Err(cancelled());
    }
    Ok(())
}

fn cancelled() -> PortError {
    PortError::new(ErrorKind::Cancelled, "cancelled")
}

/// Names an error by code and place. SQLite's own text stays here: it may quote a value.
pub(crate) fn at(place: &'static str) -> impl Fn(rusqlite::Error) -> PortError {
    move |error| {
        let (kind, code) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (ErrorKind::Busy, "busy"),
            Some(ErrorCode::DiskFull) => (ErrorKind::Unavailable, "disk_full"),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                (ErrorKind::Unavailable, "not_reachable")
            }
            Some(ErrorCode::ConstraintViolation) => (ErrorKind::Refused, "constraint_violation"),
            _ => (ErrorKind::Refused, "database_error"),
        };
        PortError::new(kind, code).at(place)
    }
}
