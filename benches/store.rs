//! What the SQLite store costs over SQLite: one durable commit of a command through it, against
//! the same statements by hand on bare rusqlite, in turns, on the same schema and pragmas.
//!
//! `cargo bench --no-default-features --features sqlite --bench store`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::SqliteStore;
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Commit, LockChange, RequestStore, Snapshot, StoredEvent};
use futures::executor::block_on;
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

const ROUNDS: u64 = 3_000;
const WARM_UP: u64 = 200;

fn instant(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + n as i64)
}

/// A command as the engine commits it: 1 event of 400 bytes, 2 KiB of state, 500 bytes of agenda.
fn command(request: RequestId, version: u64) -> Commit {
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
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

/// The same by hand.
fn by_hand(connection: &mut Connection, controller: &ControllerId, commit: &Commit) {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let id: i64 = {
        let mut select = transaction
            .prepare_cached(
                "SELECT id, version, sequence, fence, open FROM request
                 WHERE controller = ?1 AND request = ?2",
            )
            .unwrap();
        let request = commit.request.as_uuid().into_bytes();
        let (id, version) = select
            .query_row(params![controller.as_str(), request], |row| {
                Ok((row.get(0)?, row.get::<_, u64>(1)?))
            })
            .unwrap();
        assert_eq!(version, commit.expected);
        id
    };
    let event = &commit.events[0];
    let snapshot = &commit.snapshot;
    transaction
        .prepare_cached(
            "UPDATE request SET version = version + 1, sequence = ?2, head = ifnull(?3, head),
             wake_at = ?4, due_at = ?5, agenda = ?6, state = ?7 WHERE id = ?1",
        )
        .unwrap()
        .execute(params![
            id,
            event.sequence,
            event.digest.as_bytes(),
            snapshot.wake_at.map(|at| at.timestamp_micros()),
            snapshot.due_at.map(|at| at.timestamp_micros()),
            snapshot.agenda,
            snapshot.state,
        ])
        .unwrap();
    transaction
        .prepare_cached(
            "INSERT INTO event (request, sequence, digest, bytes) VALUES (?1, ?2, ?3, ?4)",
        )
        .unwrap()
        .execute(params![
            id,
            event.sequence,
            event.digest.as_bytes(),
            event.bytes
        ])
        .unwrap();
    transaction.commit().unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn bare(path: &Path, secure_delete: bool) -> Connection {
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

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let controller = ControllerId::new("acme").unwrap();
    let request = RequestId::new(Uuid::from_u128(1));
    let born = command(request, 0);
    let paths = ["store", "hand", "forgetful"].map(|name| directory.path().join(name));
    for path in &paths {
        // The store makes every file, so that the schema is the same.
        let store = SqliteStore::open(path).unwrap();
        block_on(store.create(&controller, born.clone())).unwrap();
    }
    let store = SqliteStore::open(&paths[0]).unwrap();
    let mut hand = bare(&paths[1], true);
    let mut forgetful = bare(&paths[2], false);
    let mut times = [const { Vec::new() }; 3];
    for version in 1..=ROUNDS + WARM_UP {
        let commit = command(request, version);
        let copy = commit.clone();
        let start = Instant::now();
        block_on(store.commit(&controller, black_box(copy))).unwrap();
        let through_store = start.elapsed();
        let start = Instant::now();
        by_hand(&mut hand, &controller, black_box(&commit));
        let through_hand = start.elapsed();
        let start = Instant::now();
        by_hand(&mut forgetful, &controller, black_box(&commit));
        let without = start.elapsed();
        if version > WARM_UP {
            times[0].push(through_store);
            times[1].push(through_hand);
            times[2].push(without);
        }
    }
    let [store, hand, forgetful] = times.map(median);
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!("one durable commit of a command, median of {ROUNDS} in turns:");
    println!("  through SqliteStore      {store:>10.1?}");
    println!("  by hand, same pragmas    {hand:>10.1?}");
    println!("  by hand, no secure_delete{forgetful:>10.1?}");
    println!(
        "store / hand          {:.2} (at most 1.25 wanted)",
        ratio(store, hand)
    );
    println!("secure_delete on / off {:.2}", ratio(hand, forgetful));
}
