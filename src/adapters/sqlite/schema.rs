//! The file: what it must look like, how an older one is brought up to date, how it is opened.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::ports::StoreError;

use super::error::{backend, store_error};

/// Marks a file as ours (`PRAGMA application_id`): "drst".
const APPLICATION: i32 = 0x6472_7374;

/// Every step from nothing to the present schema. Steps are never changed, only added.
///
/// Instants are microseconds since 1970, ids 16 bytes, digests 32. `request.claim_at` is the
/// instant from which a request may be claimed: its index makes `claim` and `next_wake` one look
/// into a tree, leases included, and holds only requests with something to do.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE request (
        id INTEGER PRIMARY KEY,               -- also the order of creation
        controller TEXT NOT NULL,
        request BLOB NOT NULL,
        version INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        head BLOB NOT NULL,
        wake_at INTEGER,
        due_at INTEGER,
        open INTEGER NOT NULL,
        fence INTEGER,                        -- NULL when no lease is held
        lease_until INTEGER,
        worker TEXT,
        claim_at INTEGER AS (max(wake_at, ifnull(lease_until, wake_at))) VIRTUAL,
        agenda BLOB NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (controller, request)
    ) STRICT;
    CREATE INDEX request_claim ON request (claim_at) WHERE claim_at IS NOT NULL;
    CREATE INDEX request_claim_of ON request (controller, claim_at) WHERE claim_at IS NOT NULL;
    CREATE INDEX request_due ON request (controller, due_at, request)
        WHERE open = 1 AND due_at IS NOT NULL;
    CREATE INDEX request_open ON request (controller, request) WHERE open = 1;

    CREATE TABLE event (
        request INTEGER NOT NULL REFERENCES request ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        digest BLOB NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (request, sequence)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE person (
        digest BLOB NOT NULL,
        request INTEGER NOT NULL REFERENCES request ON DELETE CASCADE,
        PRIMARY KEY (digest, request)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX person_of ON person (request);

    CREATE TABLE part (
        request INTEGER NOT NULL REFERENCES request ON DELETE CASCADE,
        part TEXT NOT NULL,
        chunk INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        UNIQUE (request, part, chunk)
    ) STRICT;                                 -- with rowid: chunks are large

    CREATE TABLE lock (
        controller TEXT NOT NULL,
        key BLOB NOT NULL,
        request INTEGER NOT NULL REFERENCES request ON DELETE CASCADE,
        exclusive INTEGER NOT NULL,
        PRIMARY KEY (controller, key, request)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lock_of ON lock (request);

    -- One row for all requests: a fence never comes twice, not even for an id used again.
    CREATE TABLE fence (newest INTEGER NOT NULL) STRICT;
    INSERT INTO fence VALUES (0);
",
    "
    ALTER TABLE request ADD COLUMN mark INTEGER; -- NULL when there is nothing to know
    CREATE INDEX request_marked ON request (controller, mark, request) WHERE mark IS NOT NULL;
",
];

/// The schema this release writes.
pub(super) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Opens the file for writing, makes or migrates its tables.
pub(super) fn open_writer(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_CREATE, busy)?;
    migrate(&mut connection).map_err(|error| error.into_inner())?;
    Ok(connection)
}

/// Opens the file, made by [`open_writer`], for reading.
pub(super) fn open_reader(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::empty(), busy)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| store_error(&error))?;
    Ok(connection)
}

fn open(path: &Path, more: OpenFlags, busy: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| store_error(&e))?;
    // Judged before anything is set: a file that is not ours keeps even its journal mode.
    connection
        .busy_timeout(busy)
        .and_then(|()| judge_at_once(&connection))
        .map_err(|error| store_error(&error))??;
    write_ahead(&connection, busy)?;
    configure(&connection).map_err(|error| store_error(&error))?;
    Ok(connection)
}

/// [`judge`] of one state of the file, while another process may be making its tables.
fn judge_at_once(connection: &Connection) -> rusqlite::Result<Result<u32, StoreError>> {
    let transaction = connection.unchecked_transaction()?;
    let schema = judge(&transaction)?;
    transaction.commit()?;
    Ok(schema)
}

/// Turns the write-ahead log on. SQLite does not wait when another process turns it on at the same
/// time, so this does.
fn write_ahead(connection: &Connection, busy: Duration) -> Result<(), StoreError> {
    if connection
        .is_readonly("main")
        .map_err(|error| store_error(&error))?
    {
        return Err(StoreError::NotWritable("SQLITE_READONLY"));
    }
    let give_up = Instant::now() + busy;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(|error| store_error(&error)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(backend("no_write_ahead_log", false)),
            Err(StoreError::Backend { temporary, .. }) if temporary && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The file's schema, 0 for an empty one; the inner error says why it is none of ours.
fn judge(connection: &Connection) -> rusqlite::Result<Result<u32, StoreError>> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION {
        let Ok(found) = u32::try_from(version) else {
            return Ok(Err(StoreError::Corrupt("the schema's number is negative")));
        };
        if found > KNOWN {
            let known = KNOWN;
            return Ok(Err(StoreError::UnknownSchema { found, known }));
        }
        return Ok(Ok(found));
    }
    let things: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && version == 0 && things == 0 {
        return Ok(Ok(0));
    }
    Ok(Err(StoreError::Corrupt(
        "the file is another application's",
    )))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // secure_delete: what retention deletes is overwritten in the file, not only forgotten.
    // cell_size_check: a damaged page is told as such before it is used.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Carries an error of either kind through a closure of rusqlite's.
struct Failed(StoreError);

impl Failed {
    fn into_inner(self) -> StoreError {
        self.0
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self(store_error(&error))
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

fn migrate(connection: &mut Connection) -> Result<(), Failed> {
    if judge_at_once(connection)?? == KNOWN {
        return Ok(());
    }
    // Under the write lock, and judged again: another process may have migrated meanwhile.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = judge(&transaction)??;
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", KNOWN)?;
    transaction.commit()?;
    Ok(())
}
