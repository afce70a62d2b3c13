//! The SQLite store keeps the contract, over several handles and reopened files too, and tells
//! what is wrong with a file.
#![cfg(all(feature = "sqlite", feature = "testkit"))]
#![allow(clippy::expect_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datarights::adapters::{SqliteOptions, SqliteStore};
use datarights::model::{ControllerId, Digest, KeyedDigest, RequestId};
use datarights::ports::{Commit, LockChange, RequestStore, Snapshot, StoreError, StoredEvent};
use datarights::testkit::store_suite::{Fixture, Suite};
use futures::executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

fn suite() -> Suite {
    Suite::new(|| async {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let path = directory.path().join("requests.db");
        let open = move || {
            // Kept as long as the suite may open it again.
            let _directory = &directory;
            SqliteStore::open(&path).expect("opens")
        };
        let first = open();
        Fixture::new(first.clone())
            .handle(first)
            .handle(open())
            .reopen(move || std::future::ready(open()))
    })
    .random(23, 500)
}

#[test]
fn it_conforms() {
    assert_eq!(suite().run(), Ok(()));
}

fn acme() -> ControllerId {
    ControllerId::new("acme").expect("a name")
}

fn born(n: u128) -> Commit {
    Commit {
        request: RequestId::new(Uuid::from_u128(n)),
        expected: 0,
        fence: None,
        events: vec![StoredEvent {
            sequence: 1,
            digest: Digest::of(b"x"),
            bytes: vec![7; 400],
        }],
        snapshot: Snapshot {
            state: vec![8; 2_000],
            open: true,
            ..Snapshot::default()
        },
        locks: LockChange::Keep,
        people: vec![KeyedDigest::from_bytes([1; 32])],
        parts: Vec::new(),
    }
}

/// A closed store with 50 requests.
fn written() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("requests.db");
    let store = SqliteStore::open(&path).expect("opens");
    for n in 0..50 {
        block_on(store.create(&acme(), born(n))).expect("creates");
    }
    (directory, path)
}

fn refused(path: &Path) -> StoreError {
    SqliteStore::open(path).expect_err("must not open")
}

fn backend(code: &str, temporary: bool) -> StoreError {
    StoreError::Backend {
        code: code.to_owned(),
        temporary,
    }
}

#[test]
fn another_file_is_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let garbage = directory.path().join("garbage");
    let bytes: Vec<u8> = (0..9_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&garbage, &bytes).expect("writes");
    let not_a_database = StoreError::Corrupt("SQLITE_NOTADB");
    assert_eq!(refused(&garbage), not_a_database);
    assert_eq!(std::fs::read(&garbage).expect("reads"), bytes);

    let other = directory.path().join("other.db");
    let connection = Connection::open(&other).expect("opens");
    connection
        .execute_batch("CREATE TABLE theirs (x)")
        .expect("creates");
    drop(connection);
    let bytes = std::fs::read(&other).expect("reads");
    let foreign = StoreError::Corrupt("the file is another application's");
    assert_eq!(refused(&other), foreign);
    assert_eq!(std::fs::read(&other).expect("reads"), bytes);
}

#[test]
fn a_newer_schema_is_told_and_left_as_it_is() {
    let (_directory, path) = written();
    let connection = Connection::open(&path).expect("opens");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("updates");
    drop(connection);
    let newer = StoreError::UnknownSchema {
        found: 99,
        known: 2,
    };
    assert_eq!(refused(&path), newer);
    let version: u32 = Connection::open(&path)
        .and_then(|c| c.pragma_query_value(None, "user_version", |row| row.get(0)))
        .expect("reads");
    assert_eq!(version, 99);
}

#[test]
fn places_that_are_none_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing").join("requests.db");
    for place in [missing.as_path(), directory.path()] {
        let error = refused(place);
        let text = error.to_string();
        let StoreError::NotOpened { place: told, code } = error else {
            panic!("{} is no file: {error:?}", place.display())
        };
        assert_eq!(told, place.display().to_string());
        assert!(code.starts_with("SQLITE_CANTOPEN"), "{code}");
        assert!(text.contains(&told) && text.contains("a folder that exists"));
    }
}

#[test]
fn damaged_pages_are_told() {
    let (_directory, path) = written();
    let mut bytes = std::fs::read(&path).expect("reads");
    // Everything but the first page, which holds the header and the schema.
    for (n, byte) in bytes.iter_mut().enumerate().skip(4_096) {
        *byte = (n % 253) as u8;
    }
    std::fs::write(&path, bytes).expect("writes");
    let store = SqliteStore::open(&path).expect("the header is whole");
    let acme = acme();
    let corrupt = |answer: Result<(), StoreError>| {
        assert!(
            matches!(answer, Err(StoreError::Corrupt(_))),
            "saw {answer:?}"
        );
    };
    block_on(async {
        let request = born(1).request;
        corrupt(store.load(&acme, request).await.map(drop));
        corrupt(store.history(&acme, request, 0, 9).await.map(drop));
        corrupt(store.create(&acme, born(99)).await);
        corrupt(store.next_wake(None).await.map(drop));
    });
}

#[test]
fn a_row_that_was_never_written_so_is_told() {
    let (_directory, path) = written();
    let connection = Connection::open(&path).expect("opens");
    connection
        .execute_batch("UPDATE request SET head = x'00'")
        .expect("updates");
    let store = SqliteStore::open(&path).expect("opens");
    let answer = block_on(store.load(&acme(), born(1).request));
    assert_eq!(answer, Err(StoreError::Corrupt("a row is not as written")));
}

#[test]
fn a_file_that_another_process_holds_is_busy() {
    let (_directory, path) = written();
    let mut options = SqliteOptions::default();
    options.busy_timeout = Duration::ZERO;
    let store = SqliteStore::open_with(&path, &options).expect("opens");
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    let acme = acme();
    block_on(async {
        let busy = Err(backend("SQLITE_BUSY", true));
        assert_eq!(store.create(&acme, born(99)).await, busy);
        // Readers are not held up.
        assert_eq!(store.load(&acme, born(99).request).await, Ok(None));
        other.execute_batch("COMMIT").expect("commits");
        assert_eq!(store.create(&acme, born(99)).await, Ok(()));
    });
}

#[cfg(unix)]
#[test]
fn a_file_that_was_deleted_is_told() {
    let (directory, path) = written();
    let store = SqliteStore::open(&path).expect("opens");
    drop(directory);
    let moved = backend("file_moved", false);
    block_on(async {
        let answer = store.create(&acme(), born(99)).await;
        assert_eq!(answer, Err(moved.clone()));
        let answer = store.load(&acme(), born(1).request).await;
        assert_eq!(answer, Err(moved));
    });
}

/// As root nothing is read-only: the check runs in a child without that privilege.
#[cfg(unix)]
#[test]
fn a_read_only_file_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    const PLACE: &str = "DATARIGHTS_TEST_READ_ONLY";
    if let Some(path) = std::env::var_os(PLACE) {
        let answer = refused(Path::new(&path));
        assert!(matches!(answer, StoreError::NotWritable(_)), "{answer:?}");
        return;
    }
    let (directory, path) = written();
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("chmod");
    };
    allow(&path, 0o444);
    allow(directory.path(), 0o555);
    let before = std::fs::read(&path).expect("reads");
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| {
        use std::os::unix::fs::MetadataExt as _;
        me.uid() == 0
    });
    let copy = tempfile::tempdir().expect("a directory");
    let program = copy.path().join("test");
    std::fs::copy(std::env::current_exe().expect("a path"), &program).expect("copies");
    allow(copy.path(), 0o755);
    let mut child = std::process::Command::new(&program);
    child
        .args(["--exact", "a_read_only_file_is_told"])
        .env(PLACE, &path);
    if root {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().expect("runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);
    allow(directory.path(), 0o755);
}

#[test]
fn many_open_a_new_file_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    for round in 0..8 {
        let path = directory.path().join(format!("{round}.db"));
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for n in 0..8_u128 {
                let (start, path) = (&start, &path);
                scope.spawn(move || {
                    start.wait();
                    let store = SqliteStore::open(path).expect("opens");
                    block_on(store.create(&acme(), born(n))).expect("creates");
                });
            }
        });
        let store = SqliteStore::open(&path).expect("opens");
        let all = block_on(store.find(&acme(), &KeyedDigest::from_bytes([1; 32])));
        assert_eq!(all.map(|all| all.len()), Ok(8));
    }
}

/// Deleting is also from the file: no byte pattern of a part is left once the log was folded in.
#[test]
fn what_is_deleted_leaves_the_file() {
    let (_directory, path) = written();
    let store = SqliteStore::open(&path).expect("opens");
    let acme = acme();
    let mark = b"sealed-but-recognisable".repeat(400);
    block_on(async {
        let request = born(1).request;
        store
            .put_part(&acme, request, None, "a", 0, mark)
            .await
            .expect("puts");
        store
            .delete(&acme, request, 1, None)
            .await
            .expect("deletes");
    });
    drop(store);
    let bytes = std::fs::read(&path).expect("reads");
    let mark = b"sealed-but-recognisable";
    assert!(!bytes.windows(mark.len()).any(|window| window == mark));
}
