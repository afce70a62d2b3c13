//! The PostgreSQL store keeps the contract, over several pools, whatever isolation the host's pool
//! asks for, and tells what is wrong with a schema.
#![cfg(all(feature = "postgres", feature = "testkit"))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod postgres_support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::PostgresStore;
use datarights::model::{ControllerId, Digest, KeyedDigest, RequestId};
use datarights::ports::{
    Commit, Lock, LockChange, PartChunk, RequestStore, Snapshot, StoreError, StoredEvent, WorkerId,
};
use datarights::testkit::store_suite::{Fixture, Suite};
use postgres_support::{Database, with_database};
use sqlx::PgPool;
use uuid::Uuid;

/// Archives whatever is closed, again and again, until the next store is made.
type Archiver = Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>;

fn archiving(store: PostgresStore, archiver: &Archiver) {
    let task = tokio::spawn(async move {
        // Ends with its task, or with its tables.
        while store.archive(DateTime::<Utc>::MAX_UTC, 2).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    if let Some(before) = archiver.lock().unwrap().replace(task) {
        before.abort();
    }
}

async fn conforms(
    database: Database,
    isolation: &'static str,
    handles: usize,
    archiver: Option<Archiver>,
) {
    let mut pools = Vec::new();
    for _ in 0..handles {
        let set = [("default_transaction_isolation", isolation)];
        pools.push(database.pool_with(|options| options.options(set)).await);
    }
    let pools: Arc<[PgPool]> = pools.into();
    let number = AtomicU32::new(0);
    let suite = Suite::new(move || {
        let schema = format!("store_{}", number.fetch_add(1, Ordering::Relaxed));
        let (pools, archiver) = (Arc::clone(&pools), archiver.clone());
        async move {
            let open = move |n: usize| {
                let (pool, schema) = (pools[n].clone(), schema.clone());
                async move {
                    PostgresStore::in_schema(pool, &schema)
                        .await
                        .expect("opens")
                }
            };
            let store = open(0).await;
            if let Some(archiver) = &archiver {
                archiving(store.clone(), archiver);
            }
            let mut fixture = Fixture::new(store);
            for n in 1..handles {
                fixture = fixture.handle(open(n).await);
            }
            fixture.reopen(move || open(handles - 1))
        }
    })
    .random(29, 400);
    let runtime = tokio::runtime::Handle::current();
    let suite = suite.runner(move |future| runtime.block_on(future));
    let ran = tokio::task::spawn_blocking(move || suite.run()).await;
    assert_eq!(ran.unwrap(), Ok(()));
}

#[test]
fn it_conforms() {
    with_database(|database| conforms(database, "read committed", 3, None));
}

#[test]
fn it_conforms_under_stricter_defaults_of_the_host() {
    with_database(|database| conforms(database, "serializable", 2, None));
}

#[test]
fn it_conforms_while_what_is_closed_is_archived() {
    let archiver = Some(Archiver::default());
    with_database(|database| conforms(database, "read committed", 2, archiver));
}

fn acme() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

fn id(n: u128) -> RequestId {
    RequestId::new(Uuid::from_u128(n))
}

fn commit(n: u128, version: u64) -> Commit {
    Commit {
        request: id(n),
        expected: version,
        fence: None,
        events: vec![StoredEvent {
            sequence: version + 1,
            digest: Digest::of(b"x"),
            bytes: vec![7; 400],
        }],
        snapshot: Snapshot {
            state: vec![8; 2_000],
            open: true,
            ..Snapshot::default()
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

fn taking(n: u128, version: u64, keys: impl IntoIterator<Item = u8>) -> Commit {
    let lock = |key| Lock {
        key: KeyedDigest::from_bytes([key; 32]),
        exclusive: true,
    };
    let mut commit = commit(n, version);
    commit.locks = LockChange::Take(keys.into_iter().map(lock).collect());
    commit
}

fn backend(code: &str, temporary: bool) -> StoreError {
    StoreError::Backend {
        code: code.to_owned(),
        temporary,
    }
}

async fn refused(pool: &PgPool, schema: &str) -> StoreError {
    let opened = PostgresStore::in_schema(pool.clone(), schema).await;
    opened.expect_err("must not open")
}

#[test]
fn what_is_not_ours_or_newer_is_left_as_it_is() {
    with_database(async |database| {
        let pool = database.pool().await;
        database
            .run("CREATE SCHEMA theirs; CREATE TABLE theirs.request (x INT); CREATE SCHEMA empty")
            .await;
        let foreign = StoreError::Corrupt("the schema is another application's");
        assert_eq!(refused(&pool, "theirs").await, foreign);
        PostgresStore::in_schema(pool.clone(), "empty")
            .await
            .expect("is free");

        PostgresStore::open(pool.clone()).await.expect("opens");
        database
            .run("UPDATE datarights.schema_version SET version = 99")
            .await;
        let newer = StoreError::UnknownSchema {
            found: 99,
            known: 3,
        };
        assert_eq!(refused(&pool, "datarights").await, newer);
        for name in [
            "",
            "Upper",
            "a b",
            "a\"; DROP SCHEMA theirs --",
            "pg_mine",
            "1st",
        ] {
            let answer = refused(&pool, name).await;
            assert!(matches!(answer, StoreError::Malformed(_)), "{name}");
        }
    });
}

/// A role without any right to make tables works in those that somebody else has made.
#[test]
fn hosts_may_run_the_migrations_themselves() {
    with_database(async |database| {
        let role = format!("{}_app", database.name());
        for step in PostgresStore::migrations("privacy").unwrap() {
            database.run(&step).await;
        }
        database
            .run(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA privacy TO {role};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA privacy TO {role};
                 GRANT USAGE ON ALL SEQUENCES IN SCHEMA privacy TO {role}"
            ))
            .await;
        let pool = database.pool_with(|options| options.username(&role)).await;
        let store = PostgresStore::in_schema(pool.clone(), "privacy")
            .await
            .unwrap();
        store.create(&acme(), commit(1, 0)).await.unwrap();
        assert!(store.load(&acme(), id(1)).await.unwrap().is_some());
        // And makes none of its own.
        assert_eq!(refused(&pool, "other").await, backend("42501", false));
        pool.close().await;
        database
            .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}

#[test]
fn many_open_a_new_schema_at_once() {
    with_database(async |database| {
        let pool = database.pool().await;
        let opens = (0..8).map(|_| tokio::spawn(PostgresStore::open(pool.clone())));
        for opened in futures::future::join_all(opens).await {
            opened.unwrap().expect("opens");
        }
    });
}

/// A write that is refused, and one that the database ends, leave nothing behind that others would
/// wait for: neither row locks nor advisory ones.
#[test]
fn a_refused_write_keeps_no_lock() {
    with_database(async |database| {
        let store = PostgresStore::open(database.pool().await).await.unwrap();
        let acme = acme();
        for n in 1..=2 {
            store.create(&acme, commit(n, 0)).await.unwrap();
        }
        store.commit(&acme, taking(1, 1, [1, 2])).await.unwrap();
        let other = database.pool().await;
        let locked = Err(StoreError::Locked { by: id(1) });
        assert_eq!(store.commit(&acme, taking(2, 1, [2, 3])).await, locked);
        let stale = store.commit(&acme, taking(1, 1, [4])).await;
        assert!(
            matches!(stale, Err(StoreError::Conflict { .. })),
            "{stale:?}"
        );
        let held: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid()
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .fetch_one(&other)
        .await
        .unwrap();
        assert_eq!(held, 0, "locks of the server");
        // Nothing of the refused commit is there either.
        let second = store.load(&acme, id(2)).await.unwrap().unwrap();
        assert_eq!((second.version, second.sequence), (1, 1));
        store.commit(&acme, taking(2, 1, [3])).await.expect("free");
    });
}

/// Everybody wants the same locks in another order, again and again; nobody waits for ever, and
/// nobody is told of a deadlock.
#[test]
fn locks_in_any_order_make_no_deadlock() {
    with_database(async |database| {
        let store = PostgresStore::open(database.pool().await).await.unwrap();
        let acme = acme();
        let racers = (0..6_u8).map(|racer| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let n = u128::from(racer);
                store.create(&acme, commit(n, 0)).await.unwrap();
                let mut version = 1;
                for round in 0..30 {
                    let keys = (0..5).map(|key| (key * (racer + 1) + round) % 7);
                    match store.commit(&acme, taking(n, version, keys)).await {
                        Ok(()) => {
                            let mut release = commit(n, version + 1);
                            release.locks = LockChange::Release;
                            store.commit(&acme, release).await.unwrap();
                            version += 2;
                        }
                        Err(StoreError::Locked { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                version
            })
        });
        let versions = futures::future::join_all(racers).await;
        let most = versions.into_iter().map(Result::unwrap).max();
        assert!(most > Some(1), "nobody ever got a lock");
    });
}

/// Until somebody waits for a lock of the server.
async fn somebody_waits(database: &Database) {
    let pool = database.pool().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&pool)
        .await
        .unwrap()
        == 0
    {}
}

/// Nobody takes a request from a worker in the middle of what it writes beside it: what comes after
/// the claim would be written over what the next worker reads.
#[test]
fn a_request_is_not_leased_while_a_part_is_written() {
    with_database(async |database| {
        let pool = database.pool().await;
        let store = PostgresStore::open(pool.clone()).await.unwrap();
        let acme = acme();
        let mut born = commit(1, 0);
        born.snapshot.wake_at = Some(DateTime::UNIX_EPOCH);
        store.create(&acme, born).await.unwrap();
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w".to_owned()));
        let claims = store.claim(None, &worker, now, now, 9).await.unwrap();
        let fence = Some(claims[0].fence);
        store
            .put_part(&acme, id(1), fence, "a", 0, vec![1])
            .await
            .unwrap();

        for deletes in [false, true] {
            // Something outside holds the part up.
            let mut other = pool.begin().await.unwrap();
            sqlx::query("SELECT FROM datarights.part FOR UPDATE")
                .execute(&mut *other)
                .await
                .unwrap();
            let (slow, of) = (store.clone(), acme.clone());
            let write = tokio::spawn(async move {
                if deletes {
                    slow.delete_parts(&of, id(1), fence, Some("a")).await
                } else {
                    slow.put_part(&of, id(1), fence, "a", 0, vec![2]).await
                }
            });
            somebody_waits(&database).await;
            let claims = store.claim(None, &worker, now, now, 9).await;
            assert_eq!(claims, Ok(Vec::new()));
            other.rollback().await.unwrap();
            assert_eq!(write.await.unwrap(), Ok(()));
        }
        let part = store.read_part(&acme, id(1), "a", 0).await;
        assert_eq!(part, Ok(None));
        let claims = store.claim(None, &worker, now, now, 9).await.unwrap();
        assert_eq!(claims.len(), 1);
    });
}

/// Part names are any text; names of workers too.
#[test]
fn names_may_hold_what_a_text_of_the_database_cannot() {
    with_database(async |database| {
        let store = PostgresStore::open(database.pool().await).await.unwrap();
        let acme = acme();
        let mut born = commit(1, 0);
        born.snapshot.wake_at = Some(DateTime::UNIX_EPOCH);
        store.create(&acme, born).await.unwrap();
        let put = store.put_part(&acme, id(1), None, "a\0b", 0, vec![1]);
        put.await.unwrap();
        let read = store.read_part(&acme, id(1), "a\0b", 0).await;
        assert_eq!(read, Ok(Some(vec![1])));
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w\0".to_owned()));
        let claims = store.claim(None, &worker, now, now, 9).await.unwrap();
        assert_eq!(claims.len(), 1);
    });
}

#[test]
fn failures_are_told_by_code() {
    with_database(async |database| {
        let acme = acme();
        let made = PostgresStore::open(database.pool().await).await.unwrap();
        made.create(&acme, commit(1, 0)).await.unwrap();

        // A standby, or a server that was set so.
        let set = [("default_transaction_read_only", "on")];
        let pool = database.pool_with(|options| options.options(set)).await;
        let store = PostgresStore::open(pool).await.expect("reads");
        let answer = store.create(&acme, commit(2, 0)).await;
        assert_eq!(answer, Err(StoreError::NotWritable("25006")));

        // Somebody holds the row for longer than the host waits.
        let pool = database
            .pool_with(|options| options.options([("lock_timeout", "20ms")]))
            .await;
        let store = PostgresStore::open(pool.clone()).await.unwrap();
        let mut waiting = commit(2, 0);
        waiting.snapshot.wake_at = Some(DateTime::UNIX_EPOCH);
        store.create(&acme, waiting).await.unwrap();
        let mut other = database.pool().await.begin().await.unwrap();
        sqlx::query("SELECT FROM datarights.request FOR UPDATE")
            .execute(&mut *other)
            .await
            .unwrap();
        let answer = store.commit(&acme, commit(1, 1)).await;
        assert_eq!(answer, Err(backend("55P03", true)));
        // Claims pass it by.
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w".to_owned()));
        assert_eq!(
            store.claim(None, &worker, now, now, 9).await,
            Ok(Vec::new())
        );
        other.rollback().await.unwrap();
        assert_eq!(store.commit(&acme, commit(1, 1)).await, Ok(()));

        // A row that was never written so.
        database
            .run("UPDATE datarights.request SET head = '\\x00'")
            .await;
        let answer = store.load(&acme, id(1)).await;
        assert_eq!(answer, Err(StoreError::Corrupt("a row is not as written")));

        database.run("DROP TABLE datarights.event").await;
        let answer = store.history(&acme, id(1), 0, 9).await;
        assert_eq!(answer, Err(backend("42P01", false)));

        pool.close().await;
        let answer = store.load(&acme, id(1)).await;
        assert_eq!(answer, Err(backend("pool_closed", false)));
    });
}

/// How many rows a table has.
async fn rows(pool: &PgPool, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM datarights.{table}");
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count));
    count.fetch_one(pool).await.unwrap()
}

/// What is closed leaves the tables that are in use, in pieces, and is found as before; what is
/// written to it again is written there. What is open, new, worked on or due stays.
#[test]
fn what_is_closed_is_archived_and_found_as_before() {
    with_database(async |database| {
        let pool = database.pool().await;
        let store = PostgresStore::open(pool.clone()).await.unwrap();
        let (acme, later) = (acme(), DateTime::<Utc>::MAX_UTC);
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w".to_owned()));
        // Later than any server's clock.
        let wake = now + TimeDelta::days(365 * 1_000);
        for n in 1..=5 {
            let mut born = commit(n, 0);
            born.people = vec![KeyedDigest::from_bytes([7; 32])];
            store.create(&acme, born).await.unwrap();
            let part = store.put_part(&acme, id(n), None, "a", 0, vec![n as u8]);
            part.await.unwrap();
            if n > 1 {
                let mut closed = commit(n, 1);
                closed.snapshot.open = false;
                closed.snapshot.wake_at = Some(wake);
                store.commit(&acme, closed).await.unwrap();
            }
        }
        let mut seen = Vec::new();
        for n in 1..=5 {
            let part = store.read_part(&acme, id(n), "a", 0).await;
            let history = store.history(&acme, id(n), 0, 99).await;
            seen.push((store.load(&acme, id(n)).await, history, part));
        }
        // One of the four closed ones is worked on, and none is older than this.
        let held = store.claim(None, &worker, wake, later, 1).await.unwrap();
        assert_eq!(store.archive(now, 99).await, Ok(0));
        // A worker may claim this one at any time, and finds it unlocked.
        let mut due = commit(6, 0);
        due.snapshot.open = false;
        due.snapshot.wake_at = Some(now);
        store.create(&acme, due).await.unwrap();
        assert_eq!(store.archive(later, 2).await, Ok(2));
        assert_eq!(store.archive(later, 2).await, Ok(1));
        assert_eq!(store.archive(later, 2).await, Ok(0));
        assert_eq!(held[0].request, id(2));
        store.delete(&acme, id(6), 1, None).await.unwrap();
        for (table, left) in [("event", 1 + 2), ("part", 2), ("archived_event", 3 * 2)] {
            assert_eq!(rows(&pool, table).await, left, "{table}");
        }
        for (n, (loaded, history, part)) in (1..=5).zip(&seen) {
            assert_eq!(&store.load(&acme, id(n)).await, loaded, "{n}");
            assert_eq!(&store.history(&acme, id(n), 0, 99).await, history, "{n}");
            let page = store.history(&acme, id(n), 1, 1).await.unwrap();
            assert_eq!(page, history.as_ref().unwrap()[1..], "{n}");
            assert_eq!(&store.read_part(&acme, id(n), "a", 0).await, part, "{n}");
        }
        // Its time comes: a worker goes on with it, and it opens again.
        let claims = store.claim(None, &worker, wake, later, 9).await.unwrap();
        let claimed: Vec<_> = claims.iter().map(|claim| claim.request).collect();
        assert_eq!(claimed, [id(3), id(4), id(5)]);
        let mut opened = commit(3, 2);
        opened.fence = Some(claims[0].fence);
        opened.snapshot.state = vec![9];
        store.commit(&acme, opened).await.unwrap();
        let loaded = store.load(&acme, id(3)).await.unwrap().unwrap();
        assert_eq!(
            (loaded.version, &loaded.snapshot.state[..]),
            (3, &[9_u8][..])
        );
        assert_eq!(store.history(&acme, id(3), 0, 99).await.unwrap().len(), 3);
        let found = store.find(&acme, &KeyedDigest::from_bytes([7; 32])).await;
        assert_eq!(found, Ok(vec![id(1), id(3)]));
        let fence = Some(claims[0].fence);
        let part = store.put_part(&acme, id(3), fence, "a", 0, vec![77]);
        part.await.unwrap();
        let read = store.read_part(&acme, id(3), "a", 0).await;
        assert_eq!(read, Ok(Some(vec![77])));
        // Closed once more, all of it goes where the rest is.
        let mut closed = commit(3, 3);
        closed.snapshot.open = false;
        store.commit(&acme, closed).await.unwrap();
        store.release(&claims[0]).await.unwrap();
        assert_eq!(store.archive(later, 9).await, Ok(1));
        let read = store.read_part(&acme, id(3), "a", 0).await;
        assert_eq!(read, Ok(Some(vec![77])));
        assert_eq!(store.history(&acme, id(3), 0, 99).await.unwrap().len(), 4);
        let gone = store.delete_parts(&acme, id(4), None, None).await;
        assert_eq!(gone, Ok(()));
        assert_eq!(store.read_part(&acme, id(4), "a", 0).await, Ok(None));
        for (n, version) in [(3, 4), (4, 2), (5, 2)] {
            store.delete(&acme, id(n), version, None).await.unwrap();
        }
        for table in ["archived_request", "archived_event", "archived_part"] {
            assert_eq!(rows(&pool, table).await, 0, "{table}");
        }
    });
}

/// Where the host wants it, the database keeps controllers apart by itself: a session sees and
/// writes the rows of the controller it names, whatever the statement says.
#[test]
fn row_level_security_keeps_controllers_apart() {
    with_database(async |database| {
        let role = format!("{}_app", database.name());
        let owner = PostgresStore::open(database.pool().await).await.unwrap();
        let security = PostgresStore::row_level_security("datarights").unwrap();
        database.run(&security).await;
        database
            .run(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA datarights TO {role};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA datarights TO {role};
                 GRANT USAGE ON ALL SEQUENCES IN SCHEMA datarights TO {role}"
            ))
            .await;
        let (acme, other) = (acme(), ControllerId::new("other").unwrap());
        let set = |name: &'static str| [("datarights.controller", name)];
        let pool = database
            .pool_with(|options| options.username(&role).options(set("acme")))
            .await;
        let store = PostgresStore::open(pool.clone()).await.unwrap();
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w".to_owned()));
        let born = |n| {
            let mut born = commit(n, 0);
            born.snapshot.wake_at = Some(now);
            born.people = vec![KeyedDigest::from_bytes([7; 32])];
            born.parts = vec![PartChunk {
                part: "b".to_owned(),
                chunk: 0,
                bytes: vec![1],
            }];
            born
        };
        owner.create(&other, born(1)).await.unwrap();
        // All that a request's life needs works within one's own.
        store.create(&acme, born(2)).await.unwrap();
        let claims = store.claim(None, &worker, now, now, 9).await.unwrap();
        let claimed: Vec<_> = claims.iter().map(|claim| claim.request).collect();
        assert_eq!(claimed, [id(2)], "of all that it sees");
        let mut next = taking(2, 1, [1, 2]);
        next.fence = Some(claims[0].fence);
        store.commit(&acme, next).await.unwrap();
        let part = store.put_part(&acme, id(2), None, "a", 0, vec![1]);
        part.await.unwrap();
        assert_eq!(store.history(&acme, id(2), 0, 9).await.unwrap().len(), 2);
        let mut closed = commit(2, 2);
        closed.snapshot.open = false;
        store.release(&claims[0]).await.unwrap();
        store.commit(&acme, closed).await.unwrap();
        assert_eq!(store.archive(DateTime::<Utc>::MAX_UTC, 9).await, Ok(1));
        assert_eq!(store.history(&acme, id(2), 0, 9).await.unwrap().len(), 3);
        // Nothing of another's is seen or written, whoever asks for it by name.
        assert_eq!(store.load(&other, id(1)).await, Ok(None));
        let unknown = Err(StoreError::Unknown(id(1)));
        assert_eq!(store.commit(&other, commit(1, 1)).await, unknown);
        assert_eq!(
            store.create(&other, born(3)).await,
            Err(backend("42501", false))
        );
        for table in [
            "request",
            "event",
            "person",
            "part",
            "lock",
            "archived_event",
        ] {
            let all = rows(&database.pool().await, table).await;
            let seen = rows(&pool, table).await;
            let theirs = i64::from(!matches!(table, "lock" | "archived_event"));
            assert_eq!(all - seen, theirs, "{table}");
        }
        let smuggled = sqlx::query("INSERT INTO datarights.event VALUES ($1, 2, '\\x00', '\\x00')");
        let theirs: i64 =
            sqlx::query_scalar("SELECT id FROM datarights.request WHERE controller = 'other'")
                .fetch_one(&database.pool().await)
                .await
                .unwrap();
        let smuggled = smuggled.bind(theirs).execute(&pool).await;
        let code = smuggled.unwrap_err().into_database_error().unwrap();
        assert_eq!(code.code().as_deref(), Some("42501"));
        pool.close().await;
        // Without a name there is nothing.
        let pool = database.pool_with(|options| options.username(&role)).await;
        assert_eq!(rows(&pool, "request").await, 0);
        pool.close().await;
        database
            .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}
