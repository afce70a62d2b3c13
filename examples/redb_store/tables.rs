//! The tables, and what can go wrong with them.

use std::io::ErrorKind;
use std::path::Path;

use chrono::{DateTime, Utc};
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Mark, Snapshot, StoreError, StoredRequest};
use redb::{Database, ReadableTable, Table, TableDefinition, WriteTransaction};

/// A request's place: its controller comes first in every key, so no range leaves the tenant.
pub(crate) type Place<'a> = (&'a str, u128);

/// Version, sequence, head, wake_at, due_at, open, state, agenda, the number of the mark or 0.
type Row<'a> = (
    u64,
    u64,
    &'a [u8; 32],
    Option<i64>,
    Option<i64>,
    bool,
    &'a [u8],
    &'a [u8],
    u8,
);

pub(crate) const REQUESTS: TableDefinition<Place, Row> = TableDefinition::new("requests");
/// Digest and bytes, by sequence.
type Event<'a> = (&'a [u8; 32], &'a [u8]);

pub(crate) const EVENTS: TableDefinition<(&str, u128, u64), Event> = TableDefinition::new("events");
/// Bytes, by part and chunk.
pub(crate) const PARTS: TableDefinition<(&str, u128, &str, u32), &[u8]> =
    TableDefinition::new("parts");
/// The newest fence of a request, the end of that lease, and whether it is still out.
pub(crate) const LEASES: TableDefinition<Place, (u64, i64, bool)> = TableDefinition::new("leases");
/// Whether a lock is exclusive, by what is locked and who holds it; and the other way round.
pub(crate) const LOCKS: TableDefinition<(&str, &[u8; 32], u128), bool> =
    TableDefinition::new("locks");
pub(crate) const HELD: TableDefinition<(&str, u128, &[u8; 32]), ()> = TableDefinition::new("held");
/// The requests of a person in the order of their creation; and the other way round.
pub(crate) const PEOPLE: TableDefinition<(&str, &[u8; 32], u64), u128> =
    TableDefinition::new("people");
pub(crate) const NAMED: TableDefinition<(&str, u128, &[u8; 32]), u64> =
    TableDefinition::new("named");
/// What waits, by the instant from which it may be claimed: of all controllers, and of each.
pub(crate) const READY: TableDefinition<(i64, &str, u128), ()> = TableDefinition::new("ready");
pub(crate) const READY_OF: TableDefinition<(&str, i64, u128), ()> =
    TableDefinition::new("ready_of");
/// Open requests: by deadline, and by id.
pub(crate) const DUE: TableDefinition<(&str, i64, u128), ()> = TableDefinition::new("due");
pub(crate) const OPEN: TableDefinition<Place, ()> = TableDefinition::new("open");
/// Requests with a mark, by its number.
pub(crate) const MARKED: TableDefinition<(&str, u8, u128), ()> = TableDefinition::new("marked");
/// Numbers of the whole store: its schema, the last fence, the last birth.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

/// The layout of the tables above; a later one gets the next number.
const SCHEMA: u32 = 1;

/// Opens the file, or makes it.
pub(crate) fn open(path: &Path) -> Result<Database, Failed> {
    let database = Database::create(path).map_err(|error| match redb::Error::from(error) {
        redb::Error::Io(io) => Failed(StoreError::NotOpened {
            place: path.display().to_string(),
            code: format!("{:?}", io.kind()),
        }),
        other => Failed::from(other),
    })?;
    let write = database.begin_write()?;
    let found = write.open_table(NUMBERS)?.get("schema")?.map(|n| n.value());
    match found {
        Some(found) if found == u64::from(SCHEMA) => return Ok(database),
        Some(found) => {
            return Err(Failed(StoreError::UnknownSchema {
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: SCHEMA,
            }));
        }
        // A file that is no store of ours is left as it is.
        None if write.list_tables()?.count() > 1 => {
            return Err(Failed(StoreError::Corrupt(
                "the file is another application's",
            )));
        }
        None => drop(
            write
                .open_table(NUMBERS)?
                .insert("schema", u64::from(SCHEMA))?,
        ),
    }
    // A table is there once it was opened for writing; readers need them all.
    write.open_table(REQUESTS)?;
    write.open_table(EVENTS)?;
    write.open_table(PARTS)?;
    write.open_table(LEASES)?;
    write.open_table(LOCKS)?;
    write.open_table(HELD)?;
    write.open_table(PEOPLE)?;
    write.open_table(NAMED)?;
    write.open_table(READY)?;
    write.open_table(READY_OF)?;
    write.open_table(DUE)?;
    write.open_table(OPEN)?;
    write.open_table(MARKED)?;
    write.commit()?;
    Ok(database)
}

/// The next number of a row of the whole store. It never goes back, whatever is deleted.
pub(crate) fn next(write: &WriteTransaction, row: &str) -> Result<u64, Failed> {
    let mut numbers = write.open_table(NUMBERS)?;
    let last = numbers.get(row)?.map_or(0, |number| number.value());
    let next = last
        .checked_add(1)
        .ok_or(StoreError::Corrupt("a number ran out"))?;
    numbers.insert(row, next)?;
    Ok(next)
}

pub(crate) fn place(controller: &ControllerId, request: RequestId) -> Place<'_> {
    (controller.as_str(), request.as_uuid().as_u128())
}

pub(crate) fn request(id: u128) -> RequestId {
    RequestId::new(uuid::Uuid::from_u128(id))
}

/// Instants are kept as microseconds since 1970.
pub(crate) fn instant(micros: i64) -> Result<DateTime<Utc>, Failed> {
    DateTime::from_timestamp_micros(micros)
        .ok_or(Failed(StoreError::Corrupt("an instant is out of range")))
}

/// A request as it is now.
pub(crate) fn read(
    table: &impl ReadableTable<Place<'static>, Row<'static>>,
    at: Place,
) -> Result<Option<StoredRequest>, Failed> {
    let Some(row) = table.get(at)? else {
        return Ok(None);
    };
    let (version, sequence, head, wake_at, due_at, open, state, agenda, mark) = row.value();
    Ok(Some(StoredRequest {
        version,
        sequence,
        head: Digest::from_bytes(*head),
        snapshot: Snapshot {
            state: state.to_vec(),
            agenda: agenda.to_vec(),
            wake_at: wake_at.map(instant).transpose()?,
            due_at: due_at.map(instant).transpose()?,
            open,
            mark: match mark {
                0 => None,
                number => Some(Mark::numbered(number)?),
            },
        },
    }))
}

pub(crate) fn put(
    table: &mut Table<Place<'static>, Row<'static>>,
    at: Place,
    stored: &StoredRequest,
) -> Result<(), Failed> {
    let now = &stored.snapshot;
    let row = (
        stored.version,
        stored.sequence,
        stored.head.as_bytes(),
        now.wake_at.map(|at| at.timestamp_micros()),
        now.due_at.map(|at| at.timestamp_micros()),
        now.open,
        now.state.as_slice(),
        now.agenda.as_slice(),
        now.mark.map_or(0, Mark::number),
    );
    table.insert(at, row)?;
    Ok(())
}

/// A failure of the store, from ours or from redb's: of the latter a code, never the text.
pub(crate) struct Failed(pub(crate) StoreError);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<redb::Error> for Failed {
    fn from(error: redb::Error) -> Self {
        let backend = |code: String, temporary| StoreError::Backend { code, temporary };
        Self(match error {
            redb::Error::Corrupted(_) => StoreError::Corrupt("redb finds it damaged"),
            redb::Error::UpgradeRequired(_) => StoreError::Corrupt("an older redb wrote it"),
            redb::Error::Io(io) => match io.kind() {
                ErrorKind::StorageFull => StoreError::NotWritable("the disk is full"),
                ErrorKind::ReadOnlyFilesystem => StoreError::NotWritable("the disk is read-only"),
                ErrorKind::InvalidData => StoreError::Corrupt("it is no file of redb"),
                kind => backend(format!("io_{kind:?}"), true),
            },
            redb::Error::DatabaseAlreadyOpen => backend("already_open".to_owned(), true),
            // After a failed write redb wants to be opened again.
            redb::Error::PreviousIo => backend("previous_io".to_owned(), false),
            _ => backend("redb".to_owned(), false),
        })
    }
}

macro_rules! from_redb {
    ($($error:ident)+) => {$(
        impl From<redb::$error> for Failed {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )+};
}

from_redb!(CommitError DatabaseError StorageError TableError TransactionError);
