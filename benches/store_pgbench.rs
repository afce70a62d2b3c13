//! What eight workers reach with the PostgreSQL store, against what PostgreSQL's own `pgbench`
//! reaches with the store's statements and eight clients: commits, and whole rounds of a worker
//! (claim, load, commit, release). The statements are taken from the store's source, so they are
//! the same; the values are as large. Nothing is announced (`NOTIFY`). The two take turns.
//! Makes a schema on the server and drops it. Needs `pgbench` (Debian: `postgresql`), in the path or
//! named by `PGBENCH`.
//!
//! `cargo bench --no-default-features --features postgres --bench store_pgbench`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::PostgresStore;
use datarights::model::{ControllerId, Digest, RequestId};
use datarights::ports::{Commit, Fence, LockChange, RequestStore, Snapshot, StoredEvent, WorkerId};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

const WORKERS: u64 = 8;
const TURNS: usize = 3;
const SECONDS: u64 = 5;
/// How many requests wait for a worker.
const WAITING: u64 = 5_000;
const SCHEMA: &str = "datarights_bench_pgbench";
const STATEMENTS: &str = include_str!("../src/adapters/postgres/sql.rs");

const EVENT: usize = 400;
const STATE: usize = 2_048;
const AGENDA: usize = 500;

fn controller() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

fn instant(seconds: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + seconds as i64)
}

/// A command as the engine commits it: one event, state, agenda.
fn command(request: u128, version: u64, fence: Option<Fence>, wake: u64) -> Commit {
    Commit {
        request: RequestId::new(Uuid::from_u128(request)),
        expected: version,
        fence,
        events: vec![StoredEvent {
            sequence: version + 1,
            digest: Digest::of(b"one"),
            bytes: vec![1; EVENT],
        }],
        snapshot: Snapshot {
            state: vec![1; STATE],
            agenda: vec![1; AGENDA],
            wake_at: Some(instant(wake)),
            due_at: Some(instant(1_000)),
            open: true,
            ..Snapshot::default()
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

/// What is done over and over.
#[derive(Clone, Copy)]
enum Work {
    Commit,
    Round,
}

/// The requests to which workers commit, one each.
fn own(worker: u64) -> u128 {
    u128::from(worker) + 1
}

/// Makes the tables and the requests anew, so that each turn finds the same.
async fn prepare(pool: &PgPool) -> PostgresStore {
    let drop = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop))
        .execute(pool)
        .await
        .unwrap();
    let store = PostgresStore::in_schema(pool.clone(), SCHEMA)
        .await
        .unwrap();
    for worker in 0..WORKERS {
        let mut born = command(own(worker), 0, None, 0);
        born.snapshot.wake_at = None;
        store.create(&controller(), born).await.unwrap();
    }
    for n in 0..WAITING {
        let born = command(1_000 + u128::from(n), 0, None, n);
        store.create(&controller(), born).await.unwrap();
    }
    let analyze = format!("VACUUM ANALYZE {SCHEMA}.request; CHECKPOINT");
    for statement in analyze.split(';') {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(pool).await.unwrap();
    }
    store
}

/// How many a second through the store.
async fn through_the_store(store: PostgresStore, work: Work) -> f64 {
    let store = Arc::new(store);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(SECONDS);
    let workers = (0..WORKERS).map(|worker| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (controller, id) = (controller(), WorkerId(format!("w{worker}")));
            let mut done = 0;
            while Instant::now() < end {
                match work {
                    Work::Commit => {
                        let commit = command(own(worker), done + 1, None, done);
                        store.commit(&controller, commit).await.unwrap();
                    }
                    Work::Round => round(&store, &controller, &id, done).await,
                }
                done += 1;
            }
            done
        })
    });
    let mut done = 0;
    for worker in workers.collect::<Vec<_>>() {
        done += worker.await.unwrap();
    }
    done as f64 / begin.elapsed().as_secs_f64()
}

async fn round(store: &PostgresStore, controller: &ControllerId, worker: &WorkerId, done: u64) {
    let (now, until) = (instant(100_000_000), instant(200_000_000));
    let claims = store.claim(Some(controller), worker, now, until, 1).await;
    let claim = claims.unwrap().pop().expect("requests wait");
    let loaded = store.load(controller, claim.request).await.unwrap();
    let version = loaded.expect("it is there").version;
    let request = claim.request.as_uuid().as_u128();
    let commit = command(request, version, Some(claim.fence), WAITING + done);
    store.commit(controller, commit).await.unwrap();
    store.release(&claim).await.unwrap();
}

/// What stands there behind this up to the end of the text.
fn text_after(begin: &str) -> &'static str {
    let text = STATEMENTS.split_once(begin).expect("the statement").1;
    text.split_once("\";").expect("its end").0
}

/// A statement of the store as a script of pgbench has it: `values` in place of `$1`, `$2`, …
fn statement(name: &str, values: &[&str]) -> String {
    let text = text_after(&format!("\n    {name} = \""));
    let text = text.replace("{lease}", text_after("const LEASE: &str = \""));
    let mut text = text.replace("{s}", SCHEMA);
    let next = format!("${}", values.len() + 1);
    assert!(
        !text.contains(&next),
        "{name} has more values than are given here"
    );
    for (n, value) in values.iter().enumerate().rev() {
        text = text.replace(&format!("${}", n + 1), value);
    }
    text
}

fn script(work: Work) -> String {
    let micros = |seconds| instant(seconds).timestamp_micros().to_string();
    let (now, until, due) = (micros(100_000_000), micros(200_000_000), micros(1_000));
    let commit = |request: &str, version: &str, fence: &str| {
        let values = [
            ":controller",
            request,
            version,
            fence,
            version,
            ":next",
            ":digest",
            ":wake",
            &due,
            ":open",
            ":agenda",
            ":state",
            "ARRAY[:next]",
            "ARRAY[:digest]",
            "ARRAY[:event]",
            ":unlock",
            "NULL",
        ];
        format!(
            "\\set next :{v} + 1\n{};\n",
            statement("commit", &values),
            v = &version[1..]
        )
    };
    match work {
        Work::Commit => format!(
            "\\set version :version + 1\n\\set wake {} + :version * 1000000\n{}",
            micros(0),
            commit(
                "('00000000-0000-0000-0000-' || lpad(to_hex(:client_id + 1), 12, '0'))::uuid",
                ":version",
                "NULL"
            )
        ),
        Work::Round => {
            let claim = [&now, "1", &until, ":worker", ":controller"];
            let one = [":controller", ":request", ":fence"];
            format!(
                "\\set done :done + 1\n\\set wake {} + :done * 1000000\n{}\n\\gset\n{}\n\\gset\n{}{};\n",
                micros(WAITING),
                statement("claim_of_few", &claim),
                statement("load", &one),
                commit(":request", ":version", ":fence"),
                statement("release", &one),
            )
        }
    }
}

/// How many a second with pgbench.
fn with_pgbench(place: &str, work: Work) -> Option<f64> {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("datarights-pgbench-{}.sql", std::process::id()));
    std::fs::write(&file, script(work)).unwrap();
    let hex = |bytes: &[u8]| -> String {
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        format!("\\x{}", digits.collect::<String>())
    };
    let program = std::env::var("PGBENCH").unwrap_or_else(|_| "pgbench".to_owned());
    let values = [
        ("controller", "acme".to_owned()),
        ("worker", "w".to_owned()),
        ("version", "0".to_owned()),
        ("done", "0".to_owned()),
        ("open", "true".to_owned()),
        ("unlock", "false".to_owned()),
        ("digest", hex(Digest::of(b"one").as_bytes())),
        ("event", hex(&[1; EVENT])),
        ("agenda", hex(&[1; AGENDA])),
        ("state", hex(&[1; STATE])),
    ];
    let mut command = Command::new(program);
    command
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &WORKERS.to_string(),
        ])
        .args(["-T", &SECONDS.to_string(), "-f"])
        .arg(&file)
        .args(
            values
                .iter()
                .map(|(name, value)| format!("-D{name}={value}")),
        )
        .arg(place);
    let output = command.output();
    let _ = std::fs::remove_file(&file);
    let output = output.ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let tps = said.lines().find_map(|line| {
        let rest = line.strip_prefix("tps = ")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pgbench: {errors}");
    tps
}

/// How often all requests were written to.
async fn versions(pool: &PgPool) -> f64 {
    let sum = format!("SELECT sum(version)::float8 FROM {SCHEMA}.request");
    let sum = sqlx::query_scalar(AssertSqlSafe(sum)).fetch_one(pool);
    sum.await.unwrap()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

#[tokio::main]
async fn main() {
    let place = std::env::var("DATARIGHTS_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let pool = PgPoolOptions::new().max_connections(WORKERS as u32);
    let Ok(pool) = pool.connect(&place).await else {
        println!("no PostgreSQL answers (set DATARIGHTS_TEST_POSTGRES to one)");
        return;
    };
    println!("{WORKERS} workers or clients, median of {TURNS} turns of {SECONDS} s each:");
    for (name, work) in [("commits", Work::Commit), ("rounds", Work::Round)] {
        let (mut store, mut bench) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let fresh = prepare(&pool).await;
            store.push(through_the_store(fresh, work).await);
            prepare(&pool).await;
            let Some(tps) = with_pgbench(&place, work) else {
                println!("no pgbench (set PGBENCH to one)");
                return;
            };
            let written = versions(&pool).await - (WORKERS + WAITING) as f64;
            assert!(written >= 0.9 * tps * SECONDS as f64, "pgbench met no rows");
            bench.push(tps);
        }
        let (store, bench) = (median(store), median(bench));
        println!("  {name:<8} store {store:>8.0} /s   pgbench {bench:>8.0} /s");
        println!(
            "{name}: store / pgbench {:.2} (at least 0.80 wanted)",
            store / bench
        );
    }
    let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop))
        .execute(&pool)
        .await
        .unwrap();
}
