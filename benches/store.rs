//! What the SQLite store costs over SQLite: one durable commit of a command through it, against
//! the same statements by hand on bare rusqlite, in turns, on the same schema and pragmas.
//!
//! `cargo bench --no-default-features --features sqlite --bench store`
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "store/by_hand.rs"]
mod by_hand;

use std::hint::black_box;
use std::time::{Duration, Instant};

use by_hand::{bare, by_hand, command};
use datarights::adapters::SqliteStore;
use datarights::model::{ControllerId, RequestId};
use datarights::ports::{Commit, RequestStore};
use futures::executor::block_on;
use rusqlite::{Connection, TransactionBehavior};
use uuid::Uuid;

const ROUNDS: u64 = 3_000;
const WARM_UP: u64 = 200;

/// The same by hand, as a transaction of its own.
fn commit_by_hand(connection: &mut Connection, controller: &ControllerId, commit: &Commit) {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    by_hand(&transaction, controller, commit);
    transaction.commit().unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
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
        commit_by_hand(&mut hand, &controller, black_box(&commit));
        let through_hand = start.elapsed();
        let start = Instant::now();
        commit_by_hand(&mut forgetful, &controller, black_box(&commit));
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
