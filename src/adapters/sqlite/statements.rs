//! The statements: what each method of the port does on a connection.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Counted, Due, Fence, Lock, LockChange, Mark, Snapshot, StoreError, StoredEvent,
    StoredRequest, WorkerId, check_chunk,
};

use super::error::{backend, store_error};

const GUARD: &str = "SELECT id, version, sequence, fence, open, mark FROM request
    WHERE controller = ?1 AND request = ?2";
const CREATE: &str = "INSERT INTO request
    (controller, request, version, sequence, head, wake_at, due_at, open, agenda, state, mark)
    VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const UPDATE: &str = "UPDATE request SET version = version + 1, sequence = ?2,
    head = ifnull(?3, head), wake_at = ?4, due_at = ?5, agenda = ?6, state = ?7
    WHERE id = ?1";
// Apart, because a column named in an UPDATE has its indexes written, changed or not.
const OPEN: &str = "UPDATE request SET open = ?2 WHERE id = ?1";
const MARK: &str = "UPDATE request SET mark = ?2 WHERE id = ?1";
const EVENT: &str = "INSERT INTO event (request, sequence, digest, bytes) VALUES (?1, ?2, ?3, ?4)";
const PERSON: &str = "INSERT OR IGNORE INTO person (digest, request) VALUES (?1, ?2)";
const BLOCKING: &str = "SELECT r.request FROM lock l CROSS JOIN request r ON r.id = l.request
    WHERE l.controller = ?1 AND l.key = ?2 AND l.request <> ?3 AND (l.exclusive OR ?4) LIMIT 1";
const LOCK: &str = "INSERT INTO lock (controller, key, request, exclusive) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET exclusive = max(exclusive, excluded.exclusive)";
const UNLOCK: &str = "DELETE FROM lock WHERE request = ?1";
const LOAD: &str = "SELECT version, sequence, head, wake_at, due_at, open, agenda, state, mark
    FROM request WHERE controller = ?1 AND request = ?2";
const HISTORY: &str = "SELECT e.sequence, e.digest, e.bytes
    FROM request r CROSS JOIN event e ON e.request = r.id
    WHERE r.controller = ?1 AND r.request = ?2 AND e.sequence > ?3
    ORDER BY e.sequence LIMIT ?4";
const FIND: &str = "SELECT r.request FROM person p CROSS JOIN request r ON r.id = p.request
    WHERE p.digest = ?2 AND r.controller = ?1 AND r.open = 1 ORDER BY p.request";
const PUT_PART: &str = "INSERT INTO part (request, part, chunk, bytes) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes";
const READ_PART: &str = "SELECT p.bytes FROM request r CROSS JOIN part p ON p.request = r.id
    WHERE r.controller = ?1 AND r.request = ?2 AND p.part = ?3 AND p.chunk = ?4";
const DELETE_PART: &str = "DELETE FROM part WHERE request = ?1 AND part = ?2";
const DELETE_PARTS: &str = "DELETE FROM part WHERE request = ?1";
const CLAIMABLE: &str = "SELECT id, controller, request FROM request
    WHERE claim_at <= ?1 ORDER BY claim_at LIMIT ?2";
const CLAIMABLE_OF: &str = "SELECT id, controller, request FROM request
    WHERE controller = ?3 AND claim_at <= ?1 ORDER BY claim_at LIMIT ?2";
const FENCES: &str = "UPDATE fence SET newest = newest + ?1 RETURNING newest";
const LEASE: &str = "UPDATE request SET fence = ?2, lease_until = ?3, worker = ?4 WHERE id = ?1";
const RENEW: &str = "UPDATE request SET lease_until = ?2 WHERE id = ?1";
const RELEASE: &str = "UPDATE request SET fence = NULL, lease_until = NULL, worker = NULL
    WHERE controller = ?1 AND request = ?2 AND fence = ?3";
const NEXT_WAKE: &str = "SELECT claim_at FROM request
    WHERE claim_at IS NOT NULL ORDER BY claim_at LIMIT 1";
const NEXT_WAKE_OF: &str = "SELECT claim_at FROM request
    WHERE controller = ?1 AND claim_at IS NOT NULL ORDER BY claim_at LIMIT 1";
const DUE: &str = "SELECT request, due_at FROM request
    WHERE controller = ?1 AND open = 1 AND due_at < ?2 ORDER BY due_at LIMIT ?3";
const LIST: &str = "SELECT request FROM request
    WHERE controller = ?1 AND open = 1 AND request > ?2 ORDER BY request LIMIT ?3";
const MARKED: &str = "SELECT request FROM request
    WHERE controller = ?1 AND mark = ?2 AND request > ?3 ORDER BY request LIMIT ?4";
const COUNT_OPEN: &str = "SELECT count(*) FROM request WHERE controller = ?1 AND open = 1";
const COUNT_DUE: &str = "SELECT count(*) FROM request
    WHERE controller = ?1 AND open = 1 AND due_at < ?2";
const COUNT_MARKED: &str = "SELECT count(*) FROM request WHERE controller = ?1 AND mark = ?2";
const DELETE: &str = "DELETE FROM request WHERE id = ?1";

/// All that search, for the test of their plans.
#[cfg(test)]
pub(super) const ALL: &[&str] = &[
    GUARD,
    UPDATE,
    OPEN,
    LIST,
    MARK,
    MARKED,
    COUNT_OPEN,
    COUNT_DUE,
    COUNT_MARKED,
    BLOCKING,
    UNLOCK,
    LOAD,
    HISTORY,
    FIND,
    READ_PART,
    DELETE_PART,
    DELETE_PARTS,
    CLAIMABLE,
    CLAIMABLE_OF,
    LEASE,
    RENEW,
    RELEASE,
    NEXT_WAKE,
    NEXT_WAKE_OF,
    DUE,
    DELETE,
];

type Answer<T> = Result<T, StoreError>;

/// Either kind of error, until it leaves this file.
struct Failed(StoreError);

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

fn answer<T>(work: impl FnOnce() -> Result<T, Failed>) -> Answer<T> {
    work().map_err(|failed| failed.0)
}

/// What guards a write to a request.
struct Guarded {
    row: i64,
    version: u64,
    sequence: u64,
    fence: Option<u64>,
    open: bool,
    mark: Option<u8>,
}

impl Guarded {
    fn find(
        connection: &Connection,
        controller: &ControllerId,
        request: RequestId,
    ) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(GUARD)?
            .query_row(params![controller.as_str(), blob(&request)], |row| {
                Ok(Self {
                    row: row.get(0)?,
                    version: row.get(1)?,
                    sequence: row.get(2)?,
                    fence: row.get(3)?,
                    open: row.get(4)?,
                    mark: row.get(5)?,
                })
            })
            .optional()
    }

    /// The request, if it is there and the fence may write to it.
    fn fenced(
        connection: &Connection,
        controller: &ControllerId,
        request: RequestId,
        shown: Option<Fence>,
    ) -> Result<Self, Failed> {
        let found =
            Self::find(connection, controller, request)?.ok_or(StoreError::Unknown(request))?;
        match shown {
            Some(fence) if found.fence != Some(fence.0) => {
                Err(StoreError::LostLease { request, fence }.into())
            }
            _ => Ok(found),
        }
    }

    fn at_version(self, request: RequestId, expected: u64) -> Result<Self, Failed> {
        if self.version == expected {
            return Ok(self);
        }
        Err(StoreError::Conflict {
            request,
            expected,
            actual: self.version,
        }
        .into())
    }
}

pub(super) fn create(
    connection: &Connection,
    controller: &ControllerId,
    commit: &Commit,
) -> Answer<()> {
    answer(|| {
        if Guarded::find(connection, controller, commit.request)?.is_some() {
            return Err(StoreError::Exists(commit.request).into());
        }
        commit.check(None)?;
        let last = commit.events.last();
        let Snapshot {
            state,
            agenda,
            wake_at,
            due_at,
            open,
            mark,
        } = &commit.snapshot;
        connection.prepare_cached(CREATE)?.execute(params![
            controller.as_str(),
            blob(&commit.request),
            last.map(|event| event.sequence),
            last.map(|event| event.digest.as_bytes()),
            wake_at.map(micros),
            due_at.map(micros),
            open,
            agenda,
            state,
            mark.map(Mark::number),
        ])?;
        let row = connection.last_insert_rowid();
        for person in &commit.people {
            let mut statement = connection.prepare_cached(PERSON)?;
            statement.execute(params![person.as_bytes(), row])?;
        }
        for chunk in &commit.parts {
            let mut statement = connection.prepare_cached(PUT_PART)?;
            statement.execute(params![row, chunk.part, chunk.chunk, chunk.bytes])?;
        }
        insert_events(connection, row, &commit.events)?;
        change_locks(connection, controller, row, &commit.locks)
    })
}

pub(super) fn commit(
    connection: &Connection,
    controller: &ControllerId,
    commit: &Commit,
) -> Answer<()> {
    answer(|| {
        let request = commit.request;
        let found = Guarded::fenced(connection, controller, request, commit.fence)?
            .at_version(request, commit.expected)?;
        commit.check(Some(found.sequence))?;
        let last = commit.events.last();
        let Snapshot {
            state,
            agenda,
            wake_at,
            due_at,
            open,
            mark,
        } = &commit.snapshot;
        connection.prepare_cached(UPDATE)?.execute(params![
            found.row,
            last.map_or(found.sequence, |event| event.sequence),
            last.map(|event| event.digest.as_bytes()),
            wake_at.map(micros),
            due_at.map(micros),
            agenda,
            state,
        ])?;
        if found.open != *open {
            let mut statement = connection.prepare_cached(OPEN)?;
            statement.execute(params![found.row, open])?;
        }
        let mark = mark.map(Mark::number);
        if found.mark != mark {
            let mut statement = connection.prepare_cached(MARK)?;
            statement.execute(params![found.row, mark])?;
        }
        insert_events(connection, found.row, &commit.events)?;
        change_locks(connection, controller, found.row, &commit.locks)
    })
}

fn insert_events(connection: &Connection, row: i64, events: &[StoredEvent]) -> Result<(), Failed> {
    let mut statement = connection.prepare_cached(EVENT)?;
    for event in events {
        let digest = event.digest.as_bytes();
        statement.execute(params![row, event.sequence, digest, event.bytes])?;
    }
    Ok(())
}

fn change_locks(
    connection: &Connection,
    controller: &ControllerId,
    row: i64,
    change: &LockChange,
) -> Result<(), Failed> {
    match change {
        LockChange::Keep => {}
        LockChange::Release => {
            connection.prepare_cached(UNLOCK)?.execute([row])?;
        }
        LockChange::Take(wanted) => {
            let mut blocking = connection.prepare_cached(BLOCKING)?;
            let mut take = connection.prepare_cached(LOCK)?;
            for Lock { key, exclusive } in wanted {
                let key = key.as_bytes();
                let holder = blocking
                    .query_row(params![controller.as_str(), key, row, exclusive], |row| {
                        request_id(row, 0)
                    })
                    .optional()?;
                if let Some(by) = holder {
                    return Err(StoreError::Locked { by }.into());
                }
                take.execute(params![controller.as_str(), key, row, exclusive])?;
            }
        }
    }
    Ok(())
}

pub(super) fn load(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
) -> Answer<Option<StoredRequest>> {
    answer(|| {
        let mut statement = connection.prepare_cached(LOAD)?;
        let found = statement.query_row(params![controller.as_str(), blob(&request)], |row| {
            let mark: Option<u8> = row.get(8)?;
            let stored = StoredRequest {
                version: row.get(0)?,
                sequence: row.get(1)?,
                head: Digest::from_bytes(row.get(2)?),
                snapshot: Snapshot {
                    wake_at: optional_instant(row, 3)?,
                    due_at: optional_instant(row, 4)?,
                    open: row.get(5)?,
                    agenda: row.get(6)?,
                    state: row.get(7)?,
                    mark: None,
                },
            };
            Ok((stored, mark))
        });
        let Some((mut stored, mark)) = found.optional()? else {
            return Ok(None);
        };
        stored.snapshot.mark = mark.map(Mark::numbered).transpose()?;
        Ok(Some(stored))
    })
}

pub(super) fn history(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
    after: u64,
    limit: usize,
) -> Answer<Vec<StoredEvent>> {
    answer(|| {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut statement = connection.prepare_cached(HISTORY)?;
        let place = params![controller.as_str(), blob(&request), after, bound(limit)];
        let events = statement.query_map(place, |row| {
            Ok(StoredEvent {
                sequence: row.get(0)?,
                digest: Digest::from_bytes(row.get(1)?),
                bytes: row.get(2)?,
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    })
}

pub(super) fn find(
    connection: &Connection,
    controller: &ControllerId,
    person: &KeyedDigest,
) -> Answer<Vec<RequestId>> {
    answer(|| {
        let mut statement = connection.prepare_cached(FIND)?;
        let place = params![controller.as_str(), person.as_bytes()];
        let requests = statement.query_map(place, |row| request_id(row, 0))?;
        Ok(requests.collect::<Result<_, _>>()?)
    })
}

pub(super) fn put_part(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
    fence: Option<Fence>,
    part: &str,
    chunk: u32,
    bytes: &[u8],
) -> Answer<()> {
    answer(|| {
        let found = Guarded::fenced(connection, controller, request, fence)?;
        check_chunk(part, bytes)?;
        connection
            .prepare_cached(PUT_PART)?
            .execute(params![found.row, part, chunk, bytes])?;
        Ok(())
    })
}

pub(super) fn read_part(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
    part: &str,
    chunk: u32,
) -> Answer<Option<Vec<u8>>> {
    answer(|| {
        let mut statement = connection.prepare_cached(READ_PART)?;
        let place = params![controller.as_str(), blob(&request), part, chunk];
        Ok(statement.query_row(place, |row| row.get(0)).optional()?)
    })
}

pub(super) fn delete_parts(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
    fence: Option<Fence>,
    part: Option<&str>,
) -> Answer<()> {
    answer(|| {
        let found = Guarded::fenced(connection, controller, request, fence)?;
        match part {
            Some(part) => connection
                .prepare_cached(DELETE_PART)?
                .execute(params![found.row, part])?,
            None => connection
                .prepare_cached(DELETE_PARTS)?
                .execute([found.row])?,
        };
        Ok(())
    })
}

pub(super) fn claim(
    connection: &Connection,
    controller: Option<&ControllerId>,
    worker: &WorkerId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: usize,
) -> Answer<Vec<Claim>> {
    answer(|| {
        let found = claimable(connection, controller, now, limit)?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut fences = connection.prepare_cached(FENCES)?;
        let newest: u64 = fences.query_row([found.len()], |row| row.get(0))?;
        let first = newest
            .checked_sub(found.len() as u64)
            .ok_or(StoreError::Corrupt("the newest fence is too small"))?
            + 1;
        let mut lease = connection.prepare_cached(LEASE)?;
        let mut claims = Vec::with_capacity(found.len());
        for (fence, (row, controller, request)) in (first..).zip(found) {
            lease.execute(params![row, fence, micros(until), worker.0])?;
            claims.push(Claim {
                controller: ControllerId::new(controller)
                    .map_err(|_| StoreError::Corrupt("a controller's name is not one"))?,
                request,
                fence: Fence(fence),
                until,
            });
        }
        Ok(claims)
    })
}

fn claimable(
    connection: &Connection,
    controller: Option<&ControllerId>,
    now: DateTime<Utc>,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, String, RequestId)>> {
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, request_id(row, 2)?));
    let (now, limit) = (micros(now), bound(limit));
    match controller {
        Some(controller) => connection
            .prepare_cached(CLAIMABLE_OF)?
            .query_map(params![now, limit, controller.as_str()], columns)?
            .collect(),
        None => connection
            .prepare_cached(CLAIMABLE)?
            .query_map(params![now, limit], columns)?
            .collect(),
    }
}

pub(super) fn renew(connection: &Connection, claim: &Claim, until: DateTime<Utc>) -> Answer<()> {
    answer(|| {
        let Claim {
            controller,
            request,
            fence,
            ..
        } = claim;
        let found = Guarded::fenced(connection, controller, *request, Some(*fence))?;
        connection
            .prepare_cached(RENEW)?
            .execute(params![found.row, micros(until)])?;
        Ok(())
    })
}

pub(super) fn release(connection: &Connection, claim: &Claim) -> Answer<()> {
    answer(|| {
        let Ok(fence) = i64::try_from(claim.fence.0) else {
            return Ok(()); // never given by this store
        };
        let place = params![claim.controller.as_str(), blob(&claim.request), fence];
        connection.prepare_cached(RELEASE)?.execute(place)?;
        Ok(())
    })
}

pub(super) fn next_wake(
    connection: &Connection,
    controller: Option<&ControllerId>,
) -> Answer<Option<DateTime<Utc>>> {
    answer(|| {
        let found = match controller {
            Some(controller) => connection
                .prepare_cached(NEXT_WAKE_OF)?
                .query_row([controller.as_str()], |row| instant(row, 0))
                .optional()?,
            None => connection
                .prepare_cached(NEXT_WAKE)?
                .query_row([], |row| instant(row, 0))
                .optional()?,
        };
        Ok(found)
    })
}

pub(super) fn due(
    connection: &Connection,
    controller: &ControllerId,
    before: DateTime<Utc>,
    limit: usize,
) -> Answer<Vec<Due>> {
    answer(|| {
        let mut statement = connection.prepare_cached(DUE)?;
        let place = params![controller.as_str(), micros(before), bound(limit)];
        let due = statement.query_map(place, |row| {
            Ok(Due {
                request: request_id(row, 0)?,
                at: instant(row, 1)?,
            })
        })?;
        Ok(due.collect::<Result<_, _>>()?)
    })
}

pub(super) fn open(
    connection: &Connection,
    controller: &ControllerId,
    after: Option<RequestId>,
    limit: usize,
) -> Answer<Vec<RequestId>> {
    answer(|| {
        // Every id comes after the empty one.
        let after = after.as_ref().map_or_else(Vec::new, |id| blob(id).to_vec());
        let mut statement = connection.prepare_cached(LIST)?;
        let place = params![controller.as_str(), after, bound(limit)];
        let requests = statement.query_map(place, |row| request_id(row, 0))?;
        Ok(requests.collect::<Result<_, _>>()?)
    })
}

pub(super) fn marked(
    connection: &Connection,
    controller: &ControllerId,
    mark: Mark,
    after: Option<RequestId>,
    limit: usize,
) -> Answer<Vec<RequestId>> {
    answer(|| {
        let after = after.as_ref().map_or_else(Vec::new, |id| blob(id).to_vec());
        let mut statement = connection.prepare_cached(MARKED)?;
        let place = params![controller.as_str(), mark.number(), after, bound(limit)];
        let requests = statement.query_map(place, |row| request_id(row, 0))?;
        Ok(requests.collect::<Result<_, _>>()?)
    })
}

pub(super) fn count(
    connection: &Connection,
    controller: &ControllerId,
    what: Counted,
) -> Answer<u64> {
    answer(|| {
        let of = controller.as_str();
        Ok(match what {
            Counted::Open => {
                let mut statement = connection.prepare_cached(COUNT_OPEN)?;
                statement.query_row([of], |row| row.get(0))?
            }
            Counted::DueBefore(before) => {
                let mut statement = connection.prepare_cached(COUNT_DUE)?;
                statement.query_row(params![of, micros(before)], |row| row.get(0))?
            }
            Counted::Marked(mark) => {
                let mut statement = connection.prepare_cached(COUNT_MARKED)?;
                statement.query_row(params![of, mark.number()], |row| row.get(0))?
            }
        })
    })
}

pub(super) fn delete(
    connection: &Connection,
    controller: &ControllerId,
    request: RequestId,
    expected: u64,
    fence: Option<Fence>,
) -> Answer<()> {
    answer(|| {
        let found = Guarded::fenced(connection, controller, request, fence)?
            .at_version(request, expected)?;
        match connection.prepare_cached(DELETE)?.execute([found.row])? {
            1 => Ok(()),
            _ => Err(backend("delete_missed", false).into()),
        }
    })
}

fn blob(request: &RequestId) -> [u8; 16] {
    request.as_uuid().into_bytes()
}

fn request_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RequestId> {
    Ok(RequestId::new(Uuid::from_bytes(row.get(column)?)))
}

/// Microseconds since 1970; every instant that chrono knows fits.
fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

fn optional_instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let Some(micros) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    DateTime::from_timestamp_micros(micros)
        .map(Some)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<DateTime<Utc>> {
    optional_instant(row, column)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// A limit as SQLite counts.
fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
