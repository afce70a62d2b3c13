//! What writing at the same time costs on SQLite: sixteen submitters of durable commands through
//! the store, against the same statements by hand on bare rusqlite, once with a commit for each
//! command and once with one for all that wait.
//!
//! `cargo bench --no-default-features --features sqlite --bench store_group`
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "store/by_hand.rs"]
mod by_hand;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use by_hand::{bare, by_hand, command};
use datarights::adapters::SqliteStore;
use datarights::model::{ControllerId, RequestId};
use datarights::ports::{Commit, RequestStore};
use futures::executor::block_on;
use rusqlite::TransactionBehavior;
use uuid::Uuid;

const SUBMITTERS: u64 = 16;
const ROUNDS: usize = 5;
const COMMANDS: u64 = 500;

/// The request of a submitter.
fn of(submitter: u64) -> RequestId {
    RequestId::new(Uuid::from_u128(u128::from(submitter) + 1))
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
                    submit(command(of(submitter), version));
                }
            });
        }
    });
    (SUBMITTERS * COMMANDS) as f64 / start.elapsed().as_secs_f64()
}

type Asked = (Commit, mpsc::SyncSender<()>);

/// A thread that writes by hand, so many commands in a commit at most.
fn writer(path: &Path, controller: ControllerId, most: usize) -> mpsc::Sender<Asked> {
    let mut connection = bare(path, true);
    let (sender, receiver) = mpsc::channel::<Asked>();
    thread::spawn(move || {
        while let Ok(first) = receiver.recv() {
            let waiting = receiver.try_iter().take(most - 1);
            let group: Vec<Asked> = std::iter::once(first).chain(waiting).collect();
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            for (commit, _) in &group {
                by_hand(&transaction, &controller, commit);
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
            block_on(store.create(&controller, command(of(submitter), 0))).unwrap();
        }
    }
    let store = SqliteStore::open(&paths[0]).unwrap();
    let alone = writer(&paths[1], controller.clone(), 1);
    let together = writer(&paths[2], controller.clone(), 64);
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
