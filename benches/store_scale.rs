//! Whether finding work costs more when more requests are open: claim, next wake and due of the
//! SQLite store with 1,000 and with 1,000,000 open requests, in turns.
//!
//! `cargo bench --no-default-features --features sqlite --bench store_scale`
//!
//! With `-- 10000000` the second store holds so many requests, all but a million of them closed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::SqliteStore;
use datarights::model::ControllerId;
use datarights::ports::{RequestStore, WorkerId};
use futures::executor::block_on;
use rusqlite::{Connection, params};

const SIZES: [i64; 2] = [1_000, 1_000_000];
const ROUNDS: usize = 500;

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + seconds)
}

/// Writes so many open requests of 10 controllers, all waiting to be claimed and with a deadline, and
/// between them the rest of so many in all, closed, whose own retention wakes them in ten years.
/// By hand in one transaction: through the store a million would take minutes.
fn fill(path: &Path, open: i64, stored: i64) {
    let step = stored / open;
    let mut connection = Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut insert = transaction
        .prepare(
            "INSERT INTO request (controller, request, version, sequence, head, wake_at, due_at,
             open, agenda, state) VALUES (?1, ?2, 1, 1, zeroblob(32), ?3, ?4, ?5, zeroblob(50), ?6)",
        )
        .unwrap();
    for n in 0..stored {
        let is_open = n % step == 0;
        // Spread over the index instead of in a row: ids and instants of a million people.
        let spread = n.wrapping_mul(0x9E37_79B9) & 0xF_FFFF;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&spread.to_be_bytes());
        id[8..].copy_from_slice(&n.to_be_bytes());
        let at = instant((n / step).wrapping_mul(0x9E37_79B9) & 0xF_FFFF).timestamp_micros();
        let years = TimeDelta::days(3_650).num_microseconds().unwrap();
        let controller = format!("controller-{}", n / step % 10);
        let (wake, due) = match is_open {
            true => (at, Some(at)),
            false => (at + years, None),
        };
        insert
            .execute(params![controller, id, wake, due, is_open, vec![1_u8; 300]])
            .unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    // `cargo bench` adds a word of its own.
    let many = std::env::args().find_map(|word| word.parse().ok());
    let stored = [SIZES[0], many.unwrap_or(SIZES[1]).max(SIZES[1])];
    let stores = [0, 1].map(|n| {
        let path = directory.path().join(n.to_string());
        drop(SqliteStore::open(&path).unwrap());
        let begin = Instant::now();
        fill(&path, SIZES[n], stored[n]);
        println!("{} requests stored in {:.0?}", stored[n], begin.elapsed());
        SqliteStore::open(&path).unwrap()
    });
    let controller = ControllerId::new("controller-3").unwrap();
    let worker = WorkerId("bench".to_owned());
    let names = [
        "claim 10 of one controller",
        "claim 10 of all",
        "next wake",
        "due 10",
    ];
    let mut times = [const { [const { Vec::new() }; 2] }; 4];
    let (now, until) = (instant(2_000_000), instant(2_000_100));
    for _ in 0..ROUNDS {
        for (n, store) in stores.iter().enumerate() {
            block_on(async {
                for (what, of) in [(0, Some(&controller)), (1, None)] {
                    let start = Instant::now();
                    let claims = store.claim(of, &worker, now, until, 10).await.unwrap();
                    times[what][n].push(start.elapsed());
                    assert_eq!(claims.len(), 10);
                    for claim in claims {
                        store.release(&claim).await.unwrap();
                    }
                }
                let start = Instant::now();
                store.next_wake(Some(&controller)).await.unwrap().unwrap();
                times[2][n].push(start.elapsed());
                let start = Instant::now();
                assert_eq!(store.due(&controller, now, 10).await.unwrap().len(), 10);
                times[3][n].push(start.elapsed());
            });
        }
    }
    println!("median of {ROUNDS} in turns, with {SIZES:?} open of {stored:?} requests:",);
    for (name, [few, many]) in names.iter().zip(&mut times) {
        let (few, many) = (median(few), median(many));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("  {name:<28}{few:>10.1?} {many:>10.1?}   ratio {ratio:.2}");
    }
}
