//! One command as the engine commits it, and the same statements by hand on bare rusqlite.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Commit, LockChange, Snapshot, StoredEvent};
use rusqlite::{Connection, params};

fn instant(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + n as i64)
}

/// A command as the engine commits it: 1 event of 400 bytes, 2 KiB of state, 500 bytes of agenda.
pub(crate) fn command(request: RequestId, version: u64) -> Commit {
    Commit {
        request,
        expected: version,
        fence: None,
        events: vec![StoredEvent {
            sequence: version + 1,
            digest: Digest::of(&version.to_le_bytes()),
            bytes: vec![version as u8; 400],
        }],
        snapshot: Snapshot {
            state: vec![version as u8; 2_048],
            agenda: vec![version as u8; 500],
            wake_at: Some(instant(version)),
            due_at: Some(instant(version + 1_000)),
            open: true,
            mark: None,
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

/// The statements of one command, within a transaction.
pub(crate) fn by_hand(connection: &Connection, controller: &ControllerId, commit: &Commit) {
    let mut guard = connection
        .prepare_cached(
            "SELECT id, version, sequence, fence, open FROM request
             WHERE controller = ?1 AND request = ?2",
        )
        .unwrap();
    let request = commit.request.as_uuid().into_bytes();
    let (id, version): (i64, u64) = guard
        .query_row(params![controller.as_str(), request], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(version, commit.expected);
    let (event, snapshot) = (&commit.events[0], &commit.snapshot);
    let mut update = connection
        .prepare_cached(
            "UPDATE request SET version = version + 1, sequence = ?2, head = ifnull(?3, head),
             wake_at = ?4, due_at = ?5, agenda = ?6, state = ?7 WHERE id = ?1",
        )
        .unwrap();
    let digest = event.digest.as_bytes();
    update
        .execute(params![
            id,
            event.sequence,
            digest,
            snapshot.wake_at.map(|at| at.timestamp_micros()),
            snapshot.due_at.map(|at| at.timestamp_micros()),
            snapshot.agenda,
            snapshot.state,
        ])
        .unwrap();
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO event (request, sequence, digest, bytes) VALUES (?1, ?2, ?3, ?4)",
        )
        .unwrap();
    insert
        .execute(params![id, event.sequence, digest, event.bytes])
        .unwrap();
}

/// A bare connection with the store's settings, or forgetting what it deletes.
pub(crate) fn bare(path: &Path, secure_delete: bool) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = {secure_delete}; PRAGMA cell_size_check = ON;
             PRAGMA trusted_schema = OFF;"
        ))
        .unwrap();
    connection
}
