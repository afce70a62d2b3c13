//! What the PostgreSQL store costs over PostgreSQL: one durable commit of a command through it,
//! against the same statement by hand on the same pool, and against the same change in a transaction
//! of five round trips, in turns; and whether finding work costs more when more requests are open.
//! Makes two schemas on the server and drops them.
//!
//! `cargo bench --no-default-features --features postgres --bench store_postgres`
//!
//! With `-- 10000000` the second schema holds so many requests, all but a million of them closed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::PostgresStore;
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Commit, LockChange, RequestStore, Snapshot, StoredEvent, WorkerId};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

const COMMITS: u64 = 2_000;
const WARM_UP: u64 = 200;
const SCHEMAS: [&str; 2] = ["datarights_bench_few", "datarights_bench_many"];
const SIZES: [i64; 2] = [1_000, 1_000_000];
const LOOKS: usize = 300;

fn instant(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + n)
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
            wake_at: Some(instant(version as i64)),
            due_at: Some(instant(version as i64 + 1_000)),
            open: true,
            mark: None,
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

/// The store's statement, by hand.
async fn one_statement(pool: &PgPool, controller: &ControllerId, commit: &Commit) {
    let event = &commit.events[0];
    let snapshot = &commit.snapshot;
    let changed: i64 = sqlx::query_scalar(
        "WITH changed AS (
            UPDATE datarights_bench_few.request SET version = version + 1,
                sequence = coalesce($6, sequence), head = coalesce($7, head), wake_at = $8,
                due_at = $9, open = $10, agenda = $11, state = $12
            WHERE controller = $1 AND request = $2 AND version = $3
                AND ($4::bigint IS NULL OR fence = $4) AND ($5::bigint IS NULL OR sequence = $5)
            RETURNING id
        ), events AS (
            INSERT INTO datarights_bench_few.event (request, sequence, digest, bytes)
            SELECT changed.id, e.sequence, e.digest, e.bytes FROM changed,
                unnest($13::bigint[], $14::bytea[], $15::bytea[]) AS e (sequence, digest, bytes)
        ), unlocked AS (
            DELETE FROM datarights_bench_few.lock l USING changed
            WHERE $16 AND l.request = changed.id
        )
        SELECT id FROM changed",
    )
    .bind(controller.as_str())
    .bind(commit.request.as_uuid())
    .bind(commit.expected as i64)
    .bind(None::<i64>)
    .bind(commit.expected as i64)
    .bind(event.sequence as i64)
    .bind(&event.digest.as_bytes()[..])
    .bind(snapshot.wake_at.map(|at| at.timestamp_micros()))
    .bind(snapshot.due_at.map(|at| at.timestamp_micros()))
    .bind(snapshot.open)
    .bind(&snapshot.agenda)
    .bind(&snapshot.state)
    .bind(vec![event.sequence as i64])
    .bind(vec![&event.digest.as_bytes()[..]])
    .bind(vec![&event.bytes[..]])
    .bind(false)
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(changed > 0);
}

/// The same change, as one writes it without thinking of round trips.
async fn five_round_trips(pool: &PgPool, controller: &ControllerId, commit: &Commit) {
    let event = &commit.events[0];
    let snapshot = &commit.snapshot;
    let mut transaction = pool.begin().await.unwrap();
    let (id, version): (i64, i64) = sqlx::query_as(
        "SELECT id, version FROM datarights_bench_few.request
         WHERE controller = $1 AND request = $2 FOR UPDATE",
    )
    .bind(controller.as_str())
    .bind(commit.request.as_uuid())
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(version, commit.expected as i64);
    sqlx::query(
        "UPDATE datarights_bench_few.request SET version = version + 1, sequence = $2, head = $3,
         wake_at = $4, due_at = $5, agenda = $6, state = $7 WHERE id = $1",
    )
    .bind(id)
    .bind(event.sequence as i64)
    .bind(&event.digest.as_bytes()[..])
    .bind(snapshot.wake_at.map(|at| at.timestamp_micros()))
    .bind(snapshot.due_at.map(|at| at.timestamp_micros()))
    .bind(&snapshot.agenda)
    .bind(&snapshot.state)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query("INSERT INTO datarights_bench_few.event VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(event.sequence as i64)
        .bind(&event.digest.as_bytes()[..])
        .bind(&event.bytes)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

async fn commits(pool: &PgPool, store: &PostgresStore) {
    let controller = ControllerId::new("acme").unwrap();
    let requests = [1, 2, 3].map(|n| RequestId::new(Uuid::from_u128(n)));
    for request in requests {
        let born = command(request, 0);
        store.create(&controller, born).await.unwrap();
    }
    let mut times = [const { Vec::new() }; 3];
    for version in 1..=COMMITS + WARM_UP {
        let [through, by_hand, trips] = requests.map(|request| command(request, version));
        let start = Instant::now();
        store.commit(&controller, through).await.unwrap();
        let first = start.elapsed();
        let start = Instant::now();
        one_statement(pool, &controller, &by_hand).await;
        let second = start.elapsed();
        let start = Instant::now();
        five_round_trips(pool, &controller, &trips).await;
        let third = start.elapsed();
        if version > WARM_UP {
            for (times, time) in times.iter_mut().zip([first, second, third]) {
                times.push(time);
            }
        }
    }
    let [through, by_hand, trips] = times.map(|mut times| median(&mut times));
    println!("one durable commit of a command, median of {COMMITS} in turns:");
    println!("  through PostgresStore     {through:>10.1?}");
    println!("  the same statement by hand{by_hand:>10.1?}");
    println!("  five round trips by hand  {trips:>10.1?}");
    let against = ratio(through, by_hand);
    println!("store / same statement  {against:.2} (at most 1.25 wanted)");
    println!("store / five round trips {:.2}", ratio(through, trips));
}

/// Writes so many open requests of 10 controllers, all waiting to be claimed and with a deadline, and
/// between them the rest of so many in all, closed, whose own retention wakes them in ten years.
async fn fill(pool: &PgPool, schema: &str, open: i64, stored: i64) {
    let sql = format!(
        "INSERT INTO {schema}.request (controller, request, version, sequence, head, wake_at,
            due_at, open, agenda, state)
         SELECT 'controller-' || n / {step} % 10, md5(n::text)::uuid, 1, 1, '\\x00',
            CASE WHEN n % {step} = 0 THEN at ELSE at + {years} END,
            CASE WHEN n % {step} = 0 THEN at END, n % {step} = 0,
            decode(repeat('00', 50), 'hex'), decode(repeat('01', 300), 'hex')
         FROM (SELECT n, {start} + (n / {step} * 2654435769 % 1048576) * 1000000 AS at
            FROM generate_series({step}, {stored} + {step} - 1) n) spread;
         VACUUM ANALYZE {schema}.request",
        step = (stored / open).max(1),
        start = instant(0).timestamp_micros(),
        years = TimeDelta::days(3_650).num_microseconds().unwrap(),
    );
    for statement in sql.split(';') {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(pool).await.unwrap();
    }
}

async fn looks(stores: &[PostgresStore; 2], stored: [i64; 2]) {
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
    for _ in 0..LOOKS {
        for (n, store) in stores.iter().enumerate() {
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
        }
    }
    println!("median of {LOOKS} in turns, with {SIZES:?} open of {stored:?} requests:");
    for (name, [few, many]) in names.iter().zip(&mut times) {
        let (few, many) = (median(few), median(many));
        let ratio = ratio(many, few);
        println!("  {name:<28}{few:>10.1?} {many:>10.1?}   ratio {ratio:.2}");
    }
}

async fn drop_schemas(pool: &PgPool) {
    for schema in SCHEMAS {
        let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        let drop = sqlx::query(AssertSqlSafe(sql));
        drop.execute(pool).await.unwrap();
    }
}

#[tokio::main]
async fn main() {
    let place = std::env::var("DATARIGHTS_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let Ok(pool) = PgPool::connect(&place).await else {
        println!("no PostgreSQL answers (set DATARIGHTS_TEST_POSTGRES to one)");
        return;
    };
    drop_schemas(&pool).await;
    let open = |n: usize| PostgresStore::in_schema(pool.clone(), SCHEMAS[n]);
    let stores = [open(0).await.unwrap(), open(1).await.unwrap()];
    commits(&pool, &stores[0]).await;
    // `cargo bench` adds a word of its own.
    let many = std::env::args().find_map(|word| word.parse().ok());
    let stored = [SIZES[0], many.unwrap_or(SIZES[1]).max(SIZES[1])];
    for (n, schema) in SCHEMAS.into_iter().enumerate() {
        let begin = Instant::now();
        fill(&pool, schema, SIZES[n], stored[n]).await;
        println!("{} requests stored in {:.0?}", stored[n], begin.elapsed());
    }
    looks(&stores, stored).await;
    drop_schemas(&pool).await;
}
