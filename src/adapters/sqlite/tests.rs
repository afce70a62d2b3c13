//! What needs the inside of the store: query plans, a full disk, a panic, its threads.

use futures::executor::block_on;
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

#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let (_directory, store) = fresh();
    let acme = acme();
    block_on(async {
        store.create(&acme, commit(1, 0, 10)).await.expect("room");
        let before = store.load(&acme, commit(1, 0, 0).request).await;
        let limit = store.shared.writer.call(|connection| {
            let pages: i64 = connection
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .expect("a number");
            connection
                .pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))
                .expect("a limit");
            Ok(())
        });
        limit.await.expect("a limit");
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
