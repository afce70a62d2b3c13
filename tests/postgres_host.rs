//! The PostgreSQL store in a host: requests in the host's own transactions, word between
//! processes, and an erasure from intake to answer.
#![cfg(all(feature = "postgres", feature = "testkit"))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;
mod postgres_support;

use std::sync::Arc;

use common::{World, staff};
use datarights::adapters::PostgresStore;
use datarights::engine::{Engine, Intake, Prepared};
use datarights::model::{
    Actor, Channel, Identifier, KeyId, KeyedDigest, Outcome, RequestId, Right, Wish,
};
use datarights::ports::{Lock, LockChange, RequestStore, StoreError, Vault, WorkerId};
use datarights::workflow::{fulfilment, lifecycle};
use futures::StreamExt;
use postgres_support::{Database, with_database};
use sqlx::PgPool;
use sqlx::postgres::PgListener;

/// A host with a table of its own beside our schema.
async fn host(database: &Database) -> (World, PgPool, PostgresStore) {
    database.run("CREATE TABLE ticket (request UUID)").await;
    let pool = database.pool().await;
    let store = PostgresStore::open(pool.clone()).await.unwrap();
    let mut world = World::new();
    world.store = Arc::new(store.clone());
    (world, pool, store)
}

async fn prepare(world: &World, engine: &Engine, right: Right) -> Prepared {
    let ada = Identifier::mail("Ada@Example.org").unwrap();
    let intake = Intake::new(Channel::Form, vec![ada], [Wish::of(right)]);
    let prepared = engine.prepare_submit(&world.acme, &Actor::Person, intake);
    prepared.await.unwrap()
}

async fn tickets(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM ticket");
    count.fetch_one(pool).await.unwrap()
}

async fn has_key(world: &World, request: RequestId) -> bool {
    let key = KeyId::of_request(&world.acme, request);
    world.vault.seal(&key, "place", b"clear").await.is_ok()
}

#[test]
fn a_request_is_there_exactly_when_the_hosts_own_row_is() {
    with_database(async |database| {
        let (world, pool, store) = host(&database).await;
        let engine = world.engine();
        for commits in [false, true] {
            let prepared = prepare(&world, &engine, Right::Access).await;
            let request = prepared.requests()[0].request;
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO ticket VALUES ($1)")
                .bind(request.as_uuid())
                .execute(&mut *transaction)
                .await
                .unwrap();
            for commit in prepared.commits() {
                let written = store.write_in(&mut transaction, &world.acme, commit);
                written.await.unwrap();
            }
            // Not yet, for anybody else.
            assert_eq!(store.load(&world.acme, request).await, Ok(None));
            assert_eq!(store.next_wake(None).await, Ok(None));
            if commits {
                transaction.commit().await.unwrap();
                engine.submitted(&prepared);
            } else {
                transaction.rollback().await.unwrap();
                engine.abandon(prepared).await.unwrap();
            }
            let loaded = store.load(&world.acme, request).await.unwrap();
            assert_eq!(loaded.is_some(), commits);
            assert_eq!(has_key(&world, request).await, commits);
            assert_eq!(tickets(&pool).await, i64::from(commits));
            let wake = store.next_wake(None).await.unwrap();
            assert_eq!(wake.is_some(), commits);
        }
    });
}

#[test]
fn what_a_hosts_transaction_cannot_write_is_told() {
    with_database(async |database| {
        let (world, pool, store) = host(&database).await;
        let engine = world.engine();
        let prepared = prepare(&world, &engine, Right::Access).await;
        let mut commit = prepared.commits()[0].clone();
        let mut transaction = pool.begin().await.unwrap();
        for answer in [Ok(()), Err(StoreError::Exists(commit.request))] {
            let written = store.write_in(&mut transaction, &world.acme, &commit);
            assert_eq!(written.await, answer);
        }
        commit.expected = 7;
        let stale = store
            .write_in(&mut transaction, &world.acme, &commit)
            .await
            .unwrap_err();
        assert!(matches!(stale, StoreError::Conflict { actual: 1, .. }));
        commit.locks = LockChange::Take(vec![Lock {
            key: KeyedDigest::from_bytes([1; 32]),
            exclusive: true,
        }]);
        let locks = store.write_in(&mut transaction, &world.acme, &commit).await;
        assert!(matches!(locks, Err(StoreError::Malformed(_))), "{locks:?}");
        transaction.rollback().await.unwrap();
        engine.abandon(prepared).await.unwrap();
    });
}

#[test]
fn word_of_work_reaches_other_processes_after_the_commit_and_only_then() {
    with_database(async |database| {
        let (world, pool, store) = host(&database).await;
        let announcing = store.clone().announcing();
        let mut heard = store.listen().await.unwrap();
        let mut words = PgListener::connect_with(&pool).await.unwrap();
        words.listen("datarights").await.unwrap();
        let mut one = prepare(&world, &world.engine(), Right::Access).await;
        let commit = one.commits()[0].clone();
        announcing
            .create(&world.acme, commit.clone())
            .await
            .unwrap();
        heard.next().await.expect("the create is announced");
        let loaded = store.load(&world.acme, commit.request).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(words_until_now(&pool, &mut words).await, 1);
        // One that failed is not, nor is that of a store that does not announce.
        let exists = announcing.create(&world.acme, commit.clone()).await;
        assert_eq!(exists, Err(StoreError::Exists(commit.request)));
        one = prepare(&world, &world.engine(), Right::Access).await;
        for commit in one.commits() {
            let silent = match commit.expected {
                0 => store.create(&world.acme, commit.clone()),
                _ => store.commit(&world.acme, commit.clone()),
            };
            silent.await.unwrap();
        }
        assert_eq!(words_until_now(&pool, &mut words).await, 0);
        // Many at once are few words.
        for _ in 0..200 {
            announcing.announce();
        }
        words.recv().await.unwrap();
        let few = words_until_now(&pool, &mut words).await;
        assert!(few < 10, "{few} words for 200 at once");
    });
}

/// How many words came before one that is sent now; the pool serves in turn, so this one goes out
/// after those that wait for a connection.
async fn words_until_now(pool: &PgPool, words: &mut PgListener) -> usize {
    let marker = sqlx::query("SELECT pg_notify('datarights', 'marker')");
    marker.execute(pool).await.unwrap();
    let mut count = 0;
    while words.recv().await.unwrap().payload() != "marker" {
        count += 1;
    }
    count
}

/// A server that says no has written nothing, and the key goes; one that was cut off may still
/// write, and a request without its key could never be read.
#[test]
fn a_key_goes_only_where_it_is_known_that_no_request_comes() {
    with_database(async |database| {
        let (mut world, pool, _) = host(&database).await;
        let submit = async |world: &World| {
            let ada = Identifier::mail("Ada@Example.org").unwrap();
            let intake = Intake::new(Channel::Form, vec![ada], [Wish::of(Right::Access)]);
            let engine = world.engine();
            engine.submit(&world.acme, &Actor::Person, intake).await
        };
        // The same world gives the same ids.
        let twin = World::new();
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(submit(&twin).await.unwrap()[0].request);
        }
        let impatient = database.pool_with(|options| options.options([("lock_timeout", "20ms")]));
        let store = PostgresStore::open(impatient.await).await.unwrap();
        world.store = Arc::new(store);
        let mut other = pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE datarights.event IN EXCLUSIVE MODE")
            .execute(&mut *other)
            .await
            .unwrap();
        submit(&world).await.unwrap_err();
        assert!(has_key(&world, ids[0]).await);
        other.rollback().await.unwrap();
        database.run("DROP TABLE datarights.event").await;
        submit(&world).await.unwrap_err();
        assert!(!has_key(&world, ids[1]).await);
    });
}

/// Works until nothing is due any more at this instant.
async fn work(engine: &Engine, worker: &str) {
    let worker = WorkerId(worker.to_owned());
    while engine.tick(&worker, None).await.unwrap().worked > 0 {}
}

#[test]
fn an_erasure_goes_from_intake_to_answer_with_two_workers() {
    with_database(async |database| {
        let (mut world, _, _) = host(&database).await;
        let engines = [world.engine(), {
            let other = PostgresStore::open(database.pool().await).await.unwrap();
            world.store = Arc::new(other);
            world.engine()
        }];
        let ada = Identifier::mail("Ada@Example.org").unwrap();
        let intake = Intake::new(Channel::Form, vec![ada], [Wish::of(Right::Erasure)]);
        let submitted = engines[0].submit(&world.acme, &Actor::Person, intake).await;
        let request = submitted.unwrap()[0].request;
        let alice = staff("alice");
        for command in [
            lifecycle::Command::ConfirmIdentity,
            lifecycle::Command::Approve,
        ] {
            let done = engines[1].command(&world.acme, request, &alice, command);
            done.await.unwrap();
        }
        let both = || futures::future::join(work(&engines[0], "w0"), work(&engines[1], "w1"));
        both().await;
        let bob = staff("bob");
        let plan = engines[0].plan(&world.acme, request, &bob).await.unwrap();
        let digest = plan.digest;
        let approve = fulfilment::Command::ApprovePlan { digest };
        let approved = engines[0]
            .command(&world.acme, request, &bob, approve)
            .await;
        approved.unwrap();
        both().await;
        let seen = engines[1]
            .request(&world.acme, request, &bob)
            .await
            .unwrap();
        assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
        assert_eq!(seen.lifecycle.phase, lifecycle::Phase::Answered);
        assert_eq!(world.desk.rows_of("1").len(), 1, "the invoice is kept");
        assert_eq!(world.log.rows_of("1").len(), 0);
    });
}
