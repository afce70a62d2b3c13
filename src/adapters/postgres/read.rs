//! The reads, and the leases.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Decode, PgConnection, Postgres, Row as _, Type};

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Counted, Due, Fence, Mark, Snapshot, StoreError, StoredEvent, StoredRequest, WorkerId,
};

use super::error::store_error;
use super::sql::Statements;
use super::write::{count, numbered, shown};
use super::{Answer, micros};

/// For how many rows there are statements of their own.
const FEW: usize = 16;

fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(row: &'r PgRow, column: usize) -> Answer<T> {
    row.try_get(column).map_err(|error| store_error(&error))
}

fn optional_instant(row: &PgRow, column: usize) -> Answer<Option<DateTime<Utc>>> {
    let micros: Option<i64> = get(row, column)?;
    micros.map(instant).transpose()
}

fn mark(row: &PgRow, column: usize) -> Answer<Option<Mark>> {
    let number: Option<i16> = get(row, column)?;
    number
        .map(|number| Mark::numbered(u8::try_from(number).unwrap_or(0)))
        .transpose()
}

fn instant(micros: i64) -> Answer<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(StoreError::Corrupt("an instant is out of range"))
}

/// A limit as PostgreSQL counts.
fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) async fn load(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    request: RequestId,
) -> Answer<Option<StoredRequest>> {
    let row = sqlx::query(sql.load.clone())
        .bind(controller.as_str())
        .bind(request.as_uuid())
        .fetch_optional(connection)
        .await
        .map_err(|error| store_error(&error))?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(StoredRequest {
        version: count(&row, 0)?,
        sequence: count(&row, 1)?,
        head: Digest::from_bytes(get(&row, 2)?),
        snapshot: Snapshot {
            wake_at: optional_instant(&row, 3)?,
            due_at: optional_instant(&row, 4)?,
            open: get(&row, 5)?,
            agenda: get(&row, 6)?,
            state: get(&row, 7)?,
            mark: mark(&row, 8)?,
        },
    }))
}

pub(super) async fn history(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    request: RequestId,
    after: u64,
    limit: usize,
) -> Answer<Vec<StoredEvent>> {
    let rows = sqlx::query(sql.history.clone())
        .bind(controller.as_str())
        .bind(request.as_uuid())
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(bound(limit))
        .fetch_all(connection)
        .await
        .map_err(|error| store_error(&error))?;
    let event = |row: &PgRow| {
        Ok(StoredEvent {
            sequence: count(row, 0)?,
            digest: Digest::from_bytes(get(row, 1)?),
            bytes: get(row, 2)?,
        })
    };
    rows.iter().map(event).collect()
}

/// The requests that a query tells of; one that goes on after a request takes that one last.
async fn requests_after(
    connection: &mut PgConnection,
    mut query: sqlx::query::Query<'_, Postgres, PgArguments>,
    after: Option<RequestId>,
) -> Answer<Vec<RequestId>> {
    if let Some(after) = after {
        query = query.bind(after.as_uuid());
    }
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| store_error(&error))?;
    rows.iter()
        .map(|row| Ok(RequestId::new(get(row, 0)?)))
        .collect()
}

pub(super) async fn find(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    person: &KeyedDigest,
) -> Answer<Vec<RequestId>> {
    let query = sqlx::query(sql.find.clone())
        .bind(controller.as_str())
        .bind(&person.as_bytes()[..]);
    requests_after(connection, query, None).await
}

pub(super) async fn read_part(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    request: RequestId,
    part: &str,
    chunk: u32,
) -> Answer<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> = sqlx::query_scalar(sql.read_part.clone())
        .bind(controller.as_str())
        .bind(request.as_uuid())
        .bind(part.as_bytes())
        .bind(i64::from(chunk))
        .fetch_optional(connection)
        .await
        .map_err(|error| store_error(&error))?;
    Ok(found.flatten())
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: Option<&ControllerId>,
    worker: &WorkerId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: usize,
) -> Answer<Vec<Claim>> {
    let claim = match controller {
        Some(_) if limit <= FEW => &sql.claim_of_few,
        Some(_) => &sql.claim_of,
        None if limit <= FEW => &sql.claim_few,
        None => &sql.claim,
    };
    let mut query = sqlx::query(claim.clone())
        .bind(micros(now))
        .bind(bound(limit))
        .bind(micros(until))
        // A text of PostgreSQL holds no zero byte.
        .bind(worker.0.replace('\0', "\u{FFFD}"));
    if let Some(controller) = controller {
        query = query.bind(controller.as_str());
    }
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| store_error(&error))?;
    let claim = |row: &PgRow| {
        Ok(Claim {
            controller: ControllerId::new(get::<String>(row, 0)?)
                .map_err(|_| StoreError::Corrupt("a controller's name is not one"))?,
            request: RequestId::new(get(row, 1)?),
            fence: Fence(count(row, 2)?),
            until,
        })
    };
    rows.iter().map(claim).collect()
}

pub(super) async fn release(
    connection: &mut PgConnection,
    sql: &Statements,
    claim: &Claim,
) -> Answer<()> {
    sqlx::query(sql.release.clone())
        .bind(claim.controller.as_str())
        .bind(claim.request.as_uuid())
        .bind(shown(claim.fence))
        .execute(connection)
        .await
        .map_err(|error| store_error(&error))?;
    Ok(())
}

pub(super) async fn next_wake(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: Option<&ControllerId>,
) -> Answer<Option<DateTime<Utc>>> {
    let query = match controller {
        Some(controller) => sqlx::query_scalar(sql.next_wake_of.clone()).bind(controller.as_str()),
        None => sqlx::query_scalar(sql.next_wake.clone()),
    };
    let found: Option<i64> = query
        .fetch_optional(connection)
        .await
        .map_err(|error| store_error(&error))?;
    found.map(instant).transpose()
}

pub(super) async fn due(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    before: DateTime<Utc>,
    limit: usize,
) -> Answer<Vec<Due>> {
    let due = if limit <= FEW { &sql.due_few } else { &sql.due };
    let rows = sqlx::query(due.clone())
        .bind(controller.as_str())
        .bind(micros(before))
        .bind(bound(limit))
        .fetch_all(connection)
        .await
        .map_err(|error| store_error(&error))?;
    let due = |row: &PgRow| {
        Ok(Due {
            request: RequestId::new(get(row, 0)?),
            at: instant(get(row, 1)?)?,
        })
    };
    rows.iter().map(due).collect()
}

pub(super) async fn open(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    after: Option<RequestId>,
    limit: usize,
) -> Answer<Vec<RequestId>> {
    let query = match after {
        Some(_) => &sql.open_after,
        None => &sql.open,
    };
    let query = sqlx::query(query.clone())
        .bind(controller.as_str())
        .bind(bound(limit));
    requests_after(connection, query, after).await
}

pub(super) async fn marked(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    mark: Mark,
    after: Option<RequestId>,
    limit: usize,
) -> Answer<Vec<RequestId>> {
    let query = match after {
        Some(_) => &sql.marked_after,
        None => &sql.marked,
    };
    let query = sqlx::query(query.clone())
        .bind(controller.as_str())
        .bind(bound(limit))
        .bind(numbered(mark));
    requests_after(connection, query, after).await
}

pub(super) async fn counted(
    connection: &mut PgConnection,
    sql: &Statements,
    controller: &ControllerId,
    what: Counted,
) -> Answer<u64> {
    let of = controller.as_str();
    let query = match what {
        Counted::Open => sqlx::query(sql.count_open.clone()).bind(of),
        Counted::DueBefore(before) => sqlx::query(sql.count_due.clone())
            .bind(of)
            .bind(micros(before)),
        Counted::Marked(mark) => sqlx::query(sql.count_marked.clone())
            .bind(of)
            .bind(numbered(mark)),
    };
    let row = query
        .fetch_one(connection)
        .await
        .map_err(|error| store_error(&error))?;
    count(&row, 0)
}
