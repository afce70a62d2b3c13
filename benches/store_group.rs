//! What writing at the same time costs on SQLite: sixteen submitters of durable commands through
//! the store, against the same statements by hand on bare rusqlite, once with a commit for each
//! command and once with one for all that wait.
//!
//! `cargo bench --no-default-features --features sqlite --bench store_group`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::SqliteStore;
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Commit, LockChange, RequestStore, Snapshot, StoredEvent};
use futures::executor::block_on;
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

const SUBMITTERS: u64 = 16;
const ROUNDS: usize = 5;
const COMMANDS: u64 = 500;

fn instant(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + n as i64)
}

/// A command as the engine commits it: 1 event of 400 bytes, 2 KiB of state, 500 bytes of agenda.
fn command(submitter: u64, version: u64) -> Commit {
    Commit {
        request: RequestId::new(Uuid::from_u128(u128::from(submitter) + 1)),
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

/// The statements of one command, within a transaction.
fn by_hand(connection: &Connection, commit: &Commit) {
    let mut guard = connection
        .prepare_cached(
            "SELECT id, version, sequence, fence, open FROM request
             WHERE controller = ?1 AND request = ?2",
        )
        .unwrap();
    let request = commit.request.as_uuid().into_bytes();
    let (id, version): (i64, u64) = guard
        .query_row(params!["acme", request], |row| {
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

/// A bare connection with the store's settings.
fn bare(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;",
        )
        .unwrap();
    connection
}

/// Has every submitter send its commands of this round, each after the answer to the one before;
/// commands per second.
fn rate(round: usize, submit: impl Fn(Commit) + Sync) -> f64 {
    let first = 1 + round as u64 * COMMANDS;
    let start = Instant::now();
    thread::scope(|scope| {
        for submitter in 0..SUBMITTERS {
            let submit = &submit;
            scope.spawn(move || {
                for version in first..first + COMMANDS {
                    submit(command(submitter, version));
                }
            });
        }
    });
    (SUBMITTERS * COMMANDS) as f64 / start.elapsed().as_secs_f64()
}

type Asked = (Commit, mpsc::SyncSender<()>);

/// A thread that writes by hand, so many commands in a commit at most.
fn writer(path: &Path, most: usize) -> mpsc::Sender<Asked> {
    let mut connection = bare(path);
    let (sender, receiver) = mpsc::channel::<Asked>();
    thread::spawn(move || {
        while let Ok(first) = receiver.recv() {
            let waiting = receiver.try_iter().take(most - 1);
            let group: Vec<Asked> = std::iter::once(first).chain(waiting).collect();
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            for (commit, _) in &group {
                by_hand(&transaction, commit);
            }
            transaction.commit().unwrap();
            for (_, answer) in group {
                answer.send(()).unwrap();
            }
        }
    });
    sender
}

fn ask(writer: &mpsc::Sender<Asked>, commit: Commit) {
    let (answer, answered) = mpsc::sync_channel(1);
    writer.send((commit, answer)).unwrap();
    answered.recv().unwrap();
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let controller = ControllerId::new("acme").unwrap();
    let paths = ["store", "alone", "together"].map(|name| directory.path().join(name));
    for path in &paths {
        // The store makes every file, so that the schema is the same.
        let store = SqliteStore::open(path).unwrap();
        for submitter in 0..SUBMITTERS {
            block_on(store.create(&controller, command(submitter, 0))).unwrap();
        }
    }
    let store = SqliteStore::open(&paths[0]).unwrap();
    let (alone, together) = (writer(&paths[1], 1), writer(&paths[2], 64));
    let mut rates = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        let through_store = |commit| block_on(store.commit(&controller, commit)).unwrap();
        rates[0].push(rate(round, through_store));
        rates[1].push(rate(round, |commit| ask(&alone, commit)));
        rates[2].push(rate(round, |commit| ask(&together, commit)));
    }
    let [store, alone, together] = rates.map(median);
    println!("durable commands per second, {SUBMITTERS} submitters, median of {ROUNDS} in turns:");
    println!("  through SqliteStore           {store:>8.0}");
    println!(
        "  by hand, a commit for each    {alone:>8.0}  ({:.0} µs each)",
        1e6 / alone
    );
    println!("  by hand, all that wait in one {together:>8.0}");
    println!("store / all that wait in one    {:>8.2}", store / together);
}
