//! The writes, each on a connection that is given: the store's own, or in a host's transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row as _};

use crate::model::{ControllerId, RequestId};
use crate::ports::{Commit, Fence, Lock, LockChange, Mark, Snapshot, StoreError, check_chunk};

use super::error::{backend, store_error};
use super::schema::SchemaName;
use super::sql::Statements;
use super::{Answer, micros};

/// How often a write is tried that met no row although everything fits now: each time somebody
/// else must have written in between.
const TRIES: usize = 8;

/// One request as a write names it.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) sql: &'a Statements,
    pub(super) controller: &'a ControllerId,
    pub(super) request: RequestId,
    pub(super) fence: Option<Fence>,
}

/// What guards a request.
struct Guarded {
    version: u64,
    sequence: u64,
}

impl Target<'_> {
    /// The request as it is, or why the fence may not write to it.
    async fn guarded(&self, connection: &mut PgConnection) -> Answer<Guarded> {
        let row = sqlx::query(self.sql.guard.clone())
            .bind(self.controller.as_str())
            .bind(self.request.as_uuid())
            .fetch_optional(connection)
            .await
            .map_err(|error| store_error(&error))?;
        let request = self.request;
        let row = row.ok_or(StoreError::Unknown(request))?;
        let held: Option<i64> = row.try_get(2).map_err(|error| store_error(&error))?;
        if let Some(fence) = self.fence
            && held != Some(shown(fence))
        {
            return Err(StoreError::LostLease { request, fence });
        }
        Ok(Guarded {
            version: count(&row, 0)?,
            sequence: count(&row, 1)?,
        })
    }

    async fn at_version(&self, connection: &mut PgConnection, expected: u64) -> Answer<Guarded> {
        let found = self.guarded(connection).await?;
        if found.version == expected {
            return Ok(found);
        }
        Err(StoreError::Conflict {
            request: self.request,
            expected,
            actual: found.version,
        })
    }

    fn fence(&self) -> Option<i64> {
        self.fence.map(shown)
    }
}

/// A fence as it is stored; none of ours is larger than an `i64` or negative.
pub(super) fn shown(fence: Fence) -> i64 {
    i64::try_from(fence.0).unwrap_or(-1)
}

pub(super) fn count(row: &sqlx::postgres::PgRow, column: usize) -> Answer<u64> {
    let number: i64 = row.try_get(column).map_err(|error| store_error(&error))?;
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a number is negative"))
}

/// A mark as it is stored.
pub(super) fn numbered(mark: Mark) -> i16 {
    i16::from(mark.number())
}

fn contended() -> StoreError {
    backend("contended", true)
}

/// Creates a request, but for the locks it takes; answers its row.
pub(super) async fn create(
    connection: &mut PgConnection,
    target: Target<'_>,
    commit: &Commit,
) -> Answer<i64> {
    if let Err(malformed) = commit.check(None) {
        return match target.guarded(connection).await {
            Ok(_) | Err(StoreError::LostLease { .. }) => Err(StoreError::Exists(commit.request)),
            Err(StoreError::Unknown(_)) => Err(malformed),
            Err(error) => Err(error),
        };
    }
    let Snapshot {
        state,
        agenda,
        wake_at,
        due_at,
        open,
        mark,
    } = &commit.snapshot;
    let events = Events::of(commit)?;
    let people: Vec<&[u8]> = commit.people.iter().map(|p| &p.as_bytes()[..]).collect();
    // Of two chunks in one place the later one counts, as if they were put one by one.
    let parts: BTreeMap<(&[u8], i64), &[u8]> = commit
        .parts
        .iter()
        .map(|chunk| {
            (
                (chunk.part.as_bytes(), i64::from(chunk.chunk)),
                &chunk.bytes[..],
            )
        })
        .collect();
    let (places, bytes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let (names, chunks): (Vec<&[u8]>, Vec<i64>) = places.into_iter().unzip();
    sqlx::query_scalar(target.sql.create.clone())
        .bind(target.controller.as_str())
        .bind(target.request.as_uuid())
        .bind(events.sequences.last().copied())
        .bind(events.digests.last().copied())
        .bind(wake_at.map(micros))
        .bind(due_at.map(micros))
        .bind(open)
        .bind(agenda)
        .bind(state)
        .bind(&events.sequences)
        .bind(&events.digests)
        .bind(&events.bytes)
        .bind(people)
        .bind(names)
        .bind(chunks)
        .bind(bytes)
        .bind(mark.map(numbered))
        .fetch_optional(connection)
        .await
        .map_err(|error| store_error(&error))?
        .ok_or(StoreError::Exists(commit.request))
}

/// Changes a request, but for the locks it takes; answers its row.
pub(super) async fn commit(
    connection: &mut PgConnection,
    target: Target<'_>,
    commit: &Commit,
) -> Answer<i64> {
    let Snapshot {
        state,
        agenda,
        wake_at,
        due_at,
        open,
        mark,
    } = &commit.snapshot;
    // Well formed, but for what is stored: that is asked in the statement.
    let after = commit
        .events
        .first()
        .map(|event| event.sequence.checked_sub(1));
    let fits = after != Some(None) && commit.check(Some(after.flatten().unwrap_or(0))).is_ok();
    for _ in 0..TRIES {
        if fits && let (Ok(events), Ok(expected)) = (Events::of(commit), stored(commit.expected)) {
            let changed = sqlx::query_scalar(target.sql.commit.clone())
                .bind(target.controller.as_str())
                .bind(target.request.as_uuid())
                .bind(expected)
                .bind(target.fence())
                .bind(events.sequences.first().map(|first| first - 1))
                .bind(events.sequences.last().copied())
                .bind(events.digests.last().copied())
                .bind(wake_at.map(micros))
                .bind(due_at.map(micros))
                .bind(open)
                .bind(agenda)
                .bind(state)
                .bind(&events.sequences)
                .bind(&events.digests)
                .bind(&events.bytes)
                .bind(commit.locks == LockChange::Release)
                .bind(mark.map(numbered))
                .fetch_optional(&mut *connection)
                .await
                .map_err(|error| store_error(&error))?;
            if let Some(row) = changed {
                return Ok(row);
            }
        }
        let found = target.at_version(connection, commit.expected).await?;
        commit.check(Some(found.sequence))?;
    }
    Err(contended())
}

/// The events of a commit, by column.
struct Events<'a> {
    sequences: Vec<i64>,
    digests: Vec<&'a [u8]>,
    bytes: Vec<&'a [u8]>,
}

impl<'a> Events<'a> {
    fn of(commit: &'a Commit) -> Answer<Self> {
        let events = &commit.events;
        Ok(Self {
            sequences: events
                .iter()
                .map(|e| stored(e.sequence))
                .collect::<Answer<_>>()?,
            digests: events.iter().map(|e| &e.digest.as_bytes()[..]).collect(),
            bytes: events.iter().map(|e| &e.bytes[..]).collect(),
        })
    }
}

fn stored(number: u64) -> Answer<i64> {
    i64::try_from(number).map_err(|_| StoreError::Malformed("a number has more than 63 bits"))
}

/// What a commit wants to lock, each key once, in order.
pub(super) struct Wanted {
    keys: Vec<Vec<u8>>,
    exclusive: Vec<bool>,
    serial: Vec<i64>,
}

impl Wanted {
    /// `None` where it takes none.
    pub(super) fn of(
        schema: &SchemaName,
        controller: &ControllerId,
        change: &LockChange,
    ) -> Option<Self> {
        let LockChange::Take(locks) = change else {
            return None;
        };
        let mut wanted: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
        for Lock { key, exclusive } in locks {
            *wanted.entry(key.as_bytes().to_vec()).or_default() |= exclusive;
        }
        let serial = |key: &Vec<u8>| schema.lock_key(&[controller.as_str().as_bytes(), key]);
        let mut serial: Vec<i64> = wanted.keys().map(serial).collect();
        serial.sort_unstable();
        let (keys, exclusive) = wanted.into_iter().unzip();
        Some(Self {
            keys,
            exclusive,
            serial,
        })
    }

    /// Waits until nobody else is between asking and taking for one of these. What follows must be
    /// another statement under READ COMMITTED, so that it sees what the one before has written.
    pub(super) async fn serialise(
        &self,
        connection: &mut PgConnection,
        sql: &Statements,
    ) -> Answer<()> {
        sqlx::query(sql.serialise.clone())
            .bind(&self.serial)
            .execute(connection)
            .await
            .map_err(|error| store_error(&error))?;
        Ok(())
    }

    /// Takes them all for the request of a row, or says who holds one.
    pub(super) async fn take(
        &self,
        connection: &mut PgConnection,
        sql: &Statements,
        controller: &ControllerId,
        row: i64,
    ) -> Answer<()> {
        let alone = self.keys.iter().zip(&self.exclusive);
        let alone: Vec<&[u8]> = alone
            .filter(|(_, exclusive)| **exclusive)
            .map(|(key, _)| &key[..])
            .collect();
        let holder = sqlx::query_scalar(sql.blocking.clone())
            .bind(controller.as_str())
            .bind(&self.keys)
            .bind(alone)
            .bind(row)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| store_error(&error))?;
        if let Some(by) = holder {
            let by = RequestId::new(by);
            return Err(StoreError::Locked { by });
        }
        sqlx::query(sql.lock.clone())
            .bind(controller.as_str())
            .bind(&self.keys)
            .bind(&self.exclusive)
            .bind(row)
            .execute(connection)
            .await
            .map_err(|error| store_error(&error))?;
        Ok(())
    }
}

pub(super) async fn put_part(
    connection: &mut PgConnection,
    target: Target<'_>,
    part: &str,
    chunk: u32,
    bytes: &[u8],
) -> Answer<()> {
    let well_formed = check_chunk(part, bytes);
    for _ in 0..TRIES {
        if well_formed.is_ok() {
            let done = sqlx::query(target.sql.put_part.clone())
                .bind(target.controller.as_str())
                .bind(target.request.as_uuid())
                .bind(target.fence())
                .bind(part.as_bytes())
                .bind(i64::from(chunk))
                .bind(bytes)
                .execute(&mut *connection)
                .await
                .map_err(|error| store_error(&error))?;
            if done.rows_affected() > 0 {
                return Ok(());
            }
        }
        target.guarded(connection).await?;
        well_formed.clone()?;
    }
    Err(contended())
}

pub(super) async fn delete_parts(
    connection: &mut PgConnection,
    target: Target<'_>,
    part: Option<&str>,
) -> Answer<()> {
    for _ in 0..TRIES {
        let sql = match part {
            Some(_) => &target.sql.delete_part,
            None => &target.sql.delete_parts,
        };
        let mut query = sqlx::query(sql.clone())
            .bind(target.controller.as_str())
            .bind(target.request.as_uuid())
            .bind(target.fence());
        if let Some(part) = part {
            query = query.bind(part.as_bytes());
        }
        let guarded = query
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| store_error(&error))?;
        if guarded.is_some() {
            return Ok(());
        }
        target.guarded(connection).await?;
    }
    Err(contended())
}

pub(super) async fn renew(
    connection: &mut PgConnection,
    target: Target<'_>,
    until: DateTime<Utc>,
) -> Answer<()> {
    for _ in 0..TRIES {
        let done = sqlx::query(target.sql.renew.clone())
            .bind(target.controller.as_str())
            .bind(target.request.as_uuid())
            .bind(target.fence())
            .bind(micros(until))
            .execute(&mut *connection)
            .await
            .map_err(|error| store_error(&error))?;
        if done.rows_affected() > 0 {
            return Ok(());
        }
        target.guarded(connection).await?;
    }
    Err(contended())
}

pub(super) async fn delete(
    connection: &mut PgConnection,
    target: Target<'_>,
    expected: u64,
) -> Answer<()> {
    for _ in 0..TRIES {
        if let Ok(version) = stored(expected) {
            let done = sqlx::query(target.sql.delete.clone())
                .bind(target.controller.as_str())
                .bind(target.request.as_uuid())
                .bind(version)
                .bind(target.fence())
                .execute(&mut *connection)
                .await
                .map_err(|error| store_error(&error))?;
            if done.rows_affected() > 0 {
                return Ok(());
            }
        }
        target.at_version(connection, expected).await?;
    }
    Err(contended())
}

/// Moves what closed requests weigh into the archive; answers of how many.
pub(super) async fn archive(
    connection: &mut PgConnection,
    sql: &Statements,
    before: DateTime<Utc>,
    limit: usize,
) -> Answer<usize> {
    let done = sqlx::query(sql.archive.clone())
        .bind(micros(before))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(connection)
        .await
        .map_err(|error| store_error(&error))?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}
