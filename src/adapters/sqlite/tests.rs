//! What needs the inside of the store: query plans, a full disk, a panic, its threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::future::BoxFuture;
use rusqlite::Connection;

use super::*;
use crate::model::Digest;
use crate::ports::{LockChange, Snapshot};

fn acme() -> ControllerId {
    ControllerId::new("acme").expect("a name")
}

fn commit(request: u128, version: u64, bytes: usize) -> Commit {
    Commit {
        request: RequestId::new(uuid::Uuid::from_u128(request)),
        expected: version,
        fence: None,
        events: vec![StoredEvent {
            sequence: version + 1,
            digest: Digest::of(b"x"),
            bytes: vec![7; bytes],
        }],
        snapshot: Snapshot {
            open: true,
            ..Snapshot::default()
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

fn fresh() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path().join("requests.db")).expect("opens");
    (directory, store)
}

#[test]
fn no_statement_scans_or_sorts() {
    let (_directory, store) = fresh();
    let plans = store.shared.writer.call(|connection| {
        Ok(statements::ALL
            .iter()
            .map(|sql| (*sql, plan(connection, sql)))
            .collect::<Vec<_>>())
    });
    for (sql, plan) in block_on(plans).expect("plans") {
        for step in &plan {
            // The first entry of an index in order, and no further, is not a scan.
            let first = sql.ends_with("LIMIT 1") && step.contains("INDEX request_claim");
            let bad = step.contains("SCAN") && !first || step.contains("TEMP B-TREE");
            assert!(!bad, "{sql}\n{plan:?}");
        }
        assert!(!plan.is_empty(), "{sql}");
    }
}

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .expect("prepares");
    // Parameters left unbound are NULL: the plan does not look at them.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("a plan") {
        steps.push(row.get("detail").expect("text"));
    }
    steps
}

/// Leaves room for so many pages more.
async fn limit(store: &SqliteStore, more: i64) {
    let limited = store.shared.writer.call(move |connection| {
        let pages: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .expect("a number");
        connection
            .pragma_update_and_check(None, "max_page_count", pages + more, |_| Ok(()))
            .expect("a limit");
        Ok(())
    });
    limited.await.expect("a limit");
}

#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let (_directory, store) = fresh();
    let acme = acme();
    block_on(async {
        store.create(&acme, commit(1, 0, 10)).await.expect("room");
        let before = store.load(&acme, commit(1, 0, 0).request).await;
        limit(&store, 2).await;
        let full = Err(StoreError::NotWritable("SQLITE_FULL"));
        assert_eq!(store.commit(&acme, commit(1, 1, 60_000)).await, full);
        assert_eq!(store.create(&acme, commit(2, 0, 60_000)).await, full);
        let request = commit(1, 0, 0).request;
        let part = store.put_part(&acme, request, None, "a", 0, vec![1; 60_000]);
        assert_eq!(part.await, full);
        assert_eq!(store.load(&acme, request).await, before);
        let history = store.history(&acme, request, 0, 9).await.expect("reads");
        assert_eq!(history.len(), 1);
        let second = store.load(&acme, commit(2, 0, 0).request).await;
        assert_eq!(second, Ok(None));
        // What fits is still written.
        assert_eq!(store.commit(&acme, commit(1, 1, 10)).await, Ok(()));
    });
}

#[test]
fn a_panic_is_an_error_and_undoes_its_work() {
    let (_directory, store) = fresh();
    let acme = acme();
    let panicked = Err(backend("panicked", false));
    block_on(async {
        let of = acme.clone();
        let work = store.shared.writer.call(move |connection| {
            statements::create(connection, &of, &commit(1, 0, 10))?;
            panic!("in the middle of a write")
        });
        assert_eq!(work.await as Result<(), _>, panicked);
        let work = store.shared.reader.call(|_| panic!("while reading"));
        assert_eq!(work.await as Result<(), _>, panicked);
        let request = commit(1, 0, 0).request;
        assert_eq!(store.load(&acme, request).await, Ok(None));
        assert_eq!(store.create(&acme, commit(1, 0, 10)).await, Ok(()));
    });
}

type Answer<T> = Result<T, StoreError>;

/// Holds the writer, so that what is asked meanwhile is done together.
struct Held {
    go_on: mpsc::Sender<()>,
    answer: BoxFuture<'static, Answer<()>>,
}

impl Held {
    async fn release(self) {
        drop(self.go_on);
        assert_eq!(self.answer.await, Ok(()));
    }
}

fn hold(store: &SqliteStore) -> Held {
    let (begun, begins) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let store = store.clone();
    let work = async move {
        let work = move |_: &Connection| {
            begun.send(()).expect("somebody waits");
            waits.recv().expect_err("the other end is only dropped");
            Ok(())
        };
        store.shared.writer.call(work).await
    };
    let mut answer = work.boxed();
    assert!((&mut answer).now_or_never().is_none());
    begins.recv().expect("the writer is held");
    Held { go_on, answer }
}

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM request", [], |row| row.get(0))
        .expect("a number")
}

#[test]
fn who_writes_at_the_same_time_shares_a_commit_and_is_answered_after_it() {
    let (_directory, store) = fresh();
    let acme = acme();
    let held = hold(&store);
    let path = store.path().to_owned();
    let seen = store.shared.writer.call(move |connection| {
        let other = Connection::open(&path).expect("opens");
        Ok((count(connection), count(&other)))
    });
    let create = |n| {
        let (store, acme) = (&store, &acme);
        async move {
            store.create(acme, commit(n, 0, 10)).await.expect("created");
            let loaded = store.load(acme, commit(n, 0, 0).request).await;
            assert!(
                loaded.expect("reads").is_some(),
                "answered before it was there"
            );
        }
    };
    let (.., seen, ()) =
        block_on(async { futures::join!(create(1), create(2), create(3), seen, held.release()) });
    assert_eq!(seen, Ok((3, 0)), "(in the transaction, outside of it)");
}

#[test]
fn one_that_fails_takes_nothing_from_those_it_shares_a_commit_with() {
    let (_directory, store) = fresh();
    let acme = acme();
    let held = hold(&store);
    let of = acme.clone();
    let panics = store.shared.writer.call(move |connection| {
        statements::create(connection, &of, &commit(4, 0, 10))?;
        panic!("in the middle of a write")
    });
    let create = |n| store.create(&acme, commit(n, 0, 10));
    let (first, again, panicked, last, ()): (_, _, Answer<()>, _, _) =
        block_on(async { futures::join!(create(1), create(1), panics, create(2), held.release()) });
    let exists = StoreError::Exists(commit(1, 0, 0).request);
    assert_eq!((first, again, last), (Ok(()), Err(exists), Ok(())));
    assert_eq!(panicked, Err(backend("panicked", false)));
    let open = block_on(store.open(&acme, None, 9)).expect("reads");
    assert_eq!(open, [1, 2].map(|n| commit(n, 0, 0).request));
}

#[test]
fn a_disk_that_is_full_for_one_is_not_full_for_all() {
    let (_directory, store) = fresh();
    let acme = acme();
    block_on(limit(&store, 3));
    let held = hold(&store);
    let create = |n, bytes| store.create(&acme, commit(n, 0, bytes));
    let (small, large, last, ()) = block_on(async {
        futures::join!(
            create(1, 10),
            create(2, 60_000),
            create(3, 10),
            held.release()
        )
    });
    let full = StoreError::NotWritable("SQLITE_FULL");
    assert_eq!((small, large, last), (Ok(()), Err(full), Ok(())));
}

/// What stands at the gate of `wait_at_the_gate`: who says that somebody came, and who lets them go.
static GATE: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>> = Mutex::new(None);
static WAITED: AtomicUsize = AtomicUsize::new(0);

/// In the place of the time for which a write waits for another process: gives up at once, but the
/// first one when it is told to.
fn wait_at_the_gate(_: i32) -> bool {
    WAITED.fetch_add(1, Ordering::Relaxed);
    if let Some((came, go)) = GATE.lock().expect("a gate").take() {
        came.send(()).expect("somebody waits");
        go.recv().expect_err("the other end is only dropped");
    }
    false
}

#[test]
fn all_that_wait_for_another_process_wait_once() {
    let (_directory, store) = fresh();
    let acme = acme();
    let (came, comes) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    *GATE.lock().expect("a gate") = Some((came, goes));
    let gate = store.shared.writer.call(|connection| {
        connection
            .busy_handler(Some(wait_at_the_gate))
            .expect("a handler");
        Ok(())
    });
    block_on(gate).expect("a handler");
    let other = Connection::open(store.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    let mut writes: Vec<_> = (1..=4)
        .map(|n| store.create(&acme, commit(n, 0, 10)))
        .collect();
    assert!((&mut writes[0]).now_or_never().is_none());
    comes.recv().expect("the first one waits");
    for write in &mut writes[1..] {
        assert!(write.now_or_never().is_none());
    }
    drop(go);
    for answer in block_on(futures::future::join_all(writes)) {
        assert_eq!(answer, Err(backend("SQLITE_BUSY", true)));
    }
    assert_eq!(WAITED.load(Ordering::Relaxed), 2, "the first, and the rest");
    drop(other);
    assert_eq!(block_on(store.create(&acme, commit(1, 0, 10))), Ok(()));
}

#[test]
fn the_last_handle_closes_the_file() {
    let (directory, store) = fresh();
    let log = directory.path().join("requests.db-wal");
    let clone = store.clone();
    let weak = Arc::downgrade(&store.shared);
    drop(store);
    assert!(weak.upgrade().is_some() && log.exists());
    drop(clone);
    // The last connection folds the log into the file and removes it.
    assert!(weak.upgrade().is_none() && !log.exists());
}

#[test]
fn durable_means_what_it_says() {
    let (_directory, store) = fresh();
    let pragmas = [
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("cell_size_check", 1),
    ];
    let settings = store.shared.writer.call(move |connection| {
        Ok(pragmas.map(|(name, _)| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .expect("a number")
        }))
    });
    let settings = block_on(settings).expect("settings");
    assert_eq!(settings, pragmas.map(|(_, wanted)| wanted));
}
