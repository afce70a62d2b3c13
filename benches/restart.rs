//! How soon work goes on after every worker died with all that they had in hand: 1,000 and 100,000
//! open requests in the middle of their work, each under a lease of the dead, on SQLite and on
//! PostgreSQL. Each is a withdrawal of consent that one source has answered; the other one was being
//! asked. The store is left as a kill leaves it: a copy of the file and its log without a
//! checkpoint, connections that broke off, nothing vacuumed. Then a new process is timed: the store
//! opened, the engine built, eight workers started, until answers are recorded, and until the first
//! newcomer's request is taken.
//!
//! The leases have run out when it starts. One that has not is waited for, for no longer than
//! `Settings::lease`: whether its holder died or is slow, nobody can tell. The vault is in memory on
//! both sides, and the sources answer at once.
//!
//! Makes a schema on the server and drops it. Writes 1 GB; takes some minutes.
//!
//! `cargo bench --no-default-features --features postgres,sqlite,testkit,tokio --bench restart`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use datarights::adapters::{
    MemoryArtifacts, MemorySource, MemoryVault, PostgresStore, SqliteStore, SystemClock,
    SystemEntropy,
};
use datarights::engine::{Controller, Engine, Intake, Ports, Settings, Step};
use datarights::law::{Calendar, ProcessingRecord};
use datarights::model::{
    Actor, Channel, ControllerId, Identifier, IdentifierKind, Right, SourceId, Wish,
};
use datarights::ports::{
    AccessPolicy, Clock, Denied, Grant, PersonalDataSource, Query, RequestStore, WorkerId,
};
use datarights::testkit::{Codes, Fault, Faulty, Method, Outbox, TestClock};
use datarights::workflow::Policy;
use futures::StreamExt;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::runtime::Runtime;

const SIZES: [usize; 2] = [1_000, 100_000];
const WORKERS: usize = 8;
/// How many requests one of the dead had in hand.
const HANDFUL: usize = 500;
const SCHEMA: &str = "datarights_bench_restart";
/// When how many requests have gone on is told.
const MILESTONES: [usize; 3] = [1, 100, 500];

struct Anyone;

#[async_trait]
impl AccessPolicy for Anyone {
    async fn allow(&self, _: &Query<'_>) -> Result<Grant, Denied> {
        Ok(Grant::agreed())
    }
}

/// Where the requests are.
enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Place {
    async fn pool(&self, options: &[(&str, &str)]) -> Option<PgPool> {
        let Self::Postgres(connect) = self else {
            return None;
        };
        let connect = PgConnectOptions::clone(connect).options(options.iter().copied());
        let pool = PgPoolOptions::new().max_connections(WORKERS as u32);
        pool.connect_with(connect).await.ok()
    }

    async fn open(&self, options: &[(&str, &str)]) -> Arc<dyn RequestStore> {
        match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path).unwrap()),
            Self::Postgres(_) => {
                let pool = self.pool(options).await.unwrap();
                Arc::new(PostgresStore::in_schema(pool, SCHEMA).await.unwrap())
            }
        }
    }

    /// How many requests somebody holds, and how often all were written.
    async fn seen(&self) -> (i64, i64) {
        const SQL: &str = "SELECT count(fence), CAST(sum(version) AS BIGINT) FROM";
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                let sql = format!("{SQL} request");
                let row = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
                row.unwrap()
            }
            Self::Postgres(_) => {
                let pool = self.pool(&[]).await.unwrap();
                let sql = AssertSqlSafe(format!("{SQL} {SCHEMA}.request"));
                sqlx::query_as(sql).fetch_one(&pool).await.unwrap()
            }
        }
    }

    /// The same as a kill leaves it to the next process.
    fn left(&self, folder: &Path) -> Self {
        match self {
            Self::Sqlite(path) => {
                let left = folder.join("left.sqlite");
                for end in ["", "-wal"] {
                    let name = |path: &Path| format!("{}{end}", path.display());
                    std::fs::copy(name(path), name(&left)).unwrap();
                }
                Self::Sqlite(left)
            }
            Self::Postgres(connect) => Self::Postgres(connect.clone()),
        }
    }

    async fn clear(&self) {
        if let Some(pool) = self.pool(&[]).await {
            let sql = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE");
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
    }
}

fn acme() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

fn source(id: &str) -> MemorySource {
    let id = SourceId::new(id.to_owned()).unwrap();
    MemorySource::new(id, "A source").with(
        datarights::adapters::MemoryCollection::new("users", ["mail"])
            .found_by("mail", IdentifierKind::Mail),
    )
}

fn engine(
    store: Arc<dyn RequestStore>,
    vault: &MemoryVault,
    clock: Arc<dyn Clock>,
    second: Arc<dyn PersonalDataSource>,
    settings: Settings,
) -> Engine {
    let record = ProcessingRecord {
        purposes: vec!["newsletter".to_owned()],
        categories: vec!["contact data".to_owned()],
        recipients: vec!["nobody".to_owned()],
        period: "until consent is withdrawn".to_owned(),
        ..ProcessingRecord::default()
    };
    let calendar = Calendar::in_zone("Europe/Paris").unwrap();
    // Only the work itself: no letter confirms receipt.
    let mut policy = Policy::default();
    policy.acknowledge = false;
    let controller = Controller::new(acme(), "Acme", "eu_gdpr", calendar)
        .with_record(record)
        .with_policy(policy);
    let ports = Ports {
        store,
        vault: Arc::new(vault.clone()),
        clock,
        entropy: Arc::new(SystemEntropy::new().unwrap()),
        artifacts: Arc::new(MemoryArtifacts::new()),
        notifier: Arc::new(Outbox::default()),
        verifier: Arc::new(Codes::new(7)),
        access: Arc::new(Anyone),
    };
    Engine::builder(ports)
        .controller(controller)
        .source(Arc::new(source("desk")))
        .source(second)
        .settings(settings)
        .build()
}

async fn submit(engine: &Engine, n: usize) {
    let identifiers = vec![Identifier::mail(format!("person-{n}@example.org")).unwrap()];
    let wish = Wish::of(Right::ConsentWithdrawal);
    let intake = Intake::new(Channel::Form, identifiers, [wish]);
    engine
        .submit(&acme(), &Actor::Person, intake)
        .await
        .unwrap();
}

/// Has so many requests taken in and begun, and lets all who work on them die. What is left.
fn die(place: &Place, folder: &Path, vault: &MemoryVault, many: usize) -> Place {
    let runtime = Runtime::new().unwrap();
    let left = runtime.block_on(async {
        place.clear().await;
        // Only for filling; what died did not wait for the disk either way.
        let store = place.open(&[("synchronous_commit", "off")]).await;
        // The time of those who die: an hour ago, and never later.
        let clock: Arc<dyn Clock> = Arc::new(TestClock::at(Utc::now() - TimeDelta::hours(1)));
        let stuck = Faulty::new("list", source("list"), Arc::clone(&clock));
        let stuck = stuck.always(Method::Stop, Fault::Never);
        let mut settings = Settings::default();
        settings.claims = HANDFUL;
        settings.calls = usize::MAX;
        let engine = engine(store, vault, clock, Arc::new(stuck), settings);
        let askers = (0..2 * WORKERS).map(|first| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for n in (first..many).step_by(2 * WORKERS) {
                    submit(&engine, n).await;
                }
            })
        });
        for asker in askers.collect::<Vec<_>>() {
            asker.await.unwrap();
        }
        for n in 0..many.div_ceil(HANDFUL) {
            let engine = engine.clone();
            let worker = WorkerId(format!("dead-{n}"));
            tokio::spawn(async move { engine.tick(&worker, None).await });
        }
        // All are held, and nobody writes any more.
        let mut before = (0, 0);
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let seen = place.seen().await;
            if seen == before && seen.0 == many as i64 {
                break;
            }
            before = seen;
        }
        place.left(folder)
    });
    runtime.shutdown_background();
    left
}

/// What a new process does, by the time since it began.
struct Restarted {
    opened: Duration,
    milestones: [Duration; MILESTONES.len()],
    newcomer: Duration,
    first_second: usize,
}

fn restart(place: &Place, vault: &MemoryVault) -> Restarted {
    let begin = Instant::now();
    let runtime = Runtime::new().unwrap();
    let restarted = runtime.block_on(async {
        let store = place.open(&[]).await;
        let clock = Arc::new(SystemClock);
        let second = Arc::new(source("list"));
        let engine = engine(store, vault, clock, second, Settings::default());
        let opened = begin.elapsed();
        let mut progress = engine.progress();
        let workers = (0..WORKERS).map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let worker = WorkerId(format!("new-{n}"));
                let report = |error: &_| panic!("{error}");
                let never = std::future::pending();
                engine.run(&worker, None, never, report).await;
            })
        });
        let workers: Vec<_> = workers.collect();
        let newcomer = tokio::spawn({
            let engine = engine.clone();
            async move {
                submit(&engine, usize::MAX).await;
                begin.elapsed()
            }
        });
        let mut gone_on = BTreeSet::new();
        let mut milestones = [Duration::ZERO; MILESTONES.len()];
        let mut first_second = 0;
        while milestones.contains(&Duration::ZERO) || begin.elapsed() < Duration::from_secs(1) {
            let Ok(step) = tokio::time::timeout(Duration::from_secs(1), progress.next()).await
            else {
                break;
            };
            let step = step.unwrap();
            if let Step::Recorded(_) = step.what {
                gone_on.insert(step.request);
            }
            for (time, count) in milestones.iter_mut().zip(MILESTONES) {
                if time.is_zero() && gone_on.len() >= count {
                    *time = begin.elapsed();
                }
            }
            if begin.elapsed() < Duration::from_secs(1) {
                first_second = gone_on.len();
            }
        }
        assert!(!milestones.contains(&Duration::ZERO), "work does not go on");
        let newcomer = newcomer.await.unwrap();
        for worker in workers {
            worker.abort();
            assert!(worker.await.unwrap_err().is_cancelled());
        }
        Restarted {
            opened,
            milestones,
            newcomer,
            first_second,
        }
    });
    runtime.shutdown_background();
    restarted
}

fn main() {
    let server = std::env::var("DATARIGHTS_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let runtime = Runtime::new().unwrap();
    for store in ["SQLite", "PostgreSQL"] {
        for many in SIZES {
            let folder = tempfile::tempdir().unwrap();
            let place = match store {
                "SQLite" => Place::Sqlite(folder.path().join("requests.sqlite")),
                _ => Place::Postgres(Box::new(server.parse().unwrap())),
            };
            if store != "SQLite" && runtime.block_on(place.pool(&[])).is_none() {
                println!("no PostgreSQL answers (set DATARIGHTS_TEST_POSTGRES to one)");
                return;
            }
            let vault = MemoryVault::new();
            let begin = Instant::now();
            let left = die(&place, folder.path(), &vault, many);
            let made = begin.elapsed();
            let seen = restart(&left, &vault);
            println!("{store}, {many} requests in flight (made in {made:.0?}):");
            println!("  store opened, engine built    {:>10.1?}", seen.opened);
            for (count, time) in MILESTONES.iter().zip(seen.milestones) {
                println!("  requests that went on: {count:>4}   {time:>10.1?}");
            }
            println!("  a newcomer's request taken    {:>10.1?}", seen.newcomer);
            println!("  went on in the first second   {:>6}", seen.first_second);
            runtime.block_on(place.clear());
        }
    }
}
