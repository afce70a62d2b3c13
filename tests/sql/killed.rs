//! Processes die: a child that erases a person of a described database is killed with SIGKILL, in
//! one transaction and in chunks, at its rows and commits on SQLite, while it waits for a row and
//! between its steps on the servers. Nothing is reported as done while a row is left; who asks anew
//! comes to the end of an erasure that nobody disturbed, cell by cell, and is answered the sum.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datarights::adapters::{SqlPool, SqlSource, SqlSourceOptions};
use datarights::model::RowCount;
use datarights::ports::{
    Clock, Erased, Locator, PersonalDataSource as _, PortError, SourcePlan, Work,
};
use sqlx::ConnectOptions as _;

use crate::chunks::{ADA, HERS, SCHEMA, TABLES, map};
use crate::trouble::{Fresh, fetch, on_sqlite, run, who_waits};
use crate::{clock, context, done, locate, options};

/// What the child reads from its environment.
const PLACE: &str = "DATARIGHTS_SQL_KILL_PLACE";
const SEARCH_PATH: &str = "DATARIGHTS_SQL_KILL_SCHEMA";
const CHUNK: &str = "DATARIGHTS_SQL_KILL_CHUNK";
const POINT: &str = "DATARIGHTS_SQL_KILL_POINT";
const LOCATORS: &str = "DATARIGHTS_SQL_KILL_LOCATORS";
const PLAN: &str = "DATARIGHTS_SQL_KILL_PLAN";

const SIGKILL: i32 = 9;
/// A child that did not come to a row by then does not wait for it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(45);
/// How many rows a chunk has.
const MOST: u64 = 5;
/// More points than any erasure here has.
const POINTS: usize = 400;

/// Where the child dies.
struct Trigger {
    passed: AtomicUsize,
    point: Option<usize>,
}

impl Trigger {
    /// At the point that it was made for, nothing is flushed and nothing is dropped.
    fn pass(&self) {
        if self.point == Some(self.passed.fetch_add(1, Ordering::Relaxed)) {
            let me = std::process::id().to_string();
            let kill = ["-c", "kill -9 \"$1\"", "sh", &me];
            let _ = Command::new("sh").args(kill).status();
            loop {
                std::thread::park();
            }
        }
    }
}

/// The source asks for the time once before it looks at what must be kept, and after each chunk.
struct Passing(Arc<Trigger>);

#[async_trait]
impl Clock for Passing {
    fn now(&self) -> DateTime<Utc> {
        self.0.pass();
        crate::NOW.parse().unwrap()
    }

    async fn sleep_until(&self, _: DateTime<Utc>) {}
}

/// Not a test of its own: what the others start, and kill.
#[tokio::test]
async fn child() {
    let told = |name| std::env::var(name).ok();
    let Some(place) = told(PLACE) else {
        return;
    };
    let trigger = Arc::new(Trigger {
        passed: AtomicUsize::new(0),
        point: told(POINT).map(|point| point.parse().unwrap()),
    });
    let pool = connect(&place, &trigger).await;
    let most = told(CHUNK).map(|most| most.parse().unwrap());
    let clock = Arc::new(Passing(trigger));
    let source = SqlSource::open(pool, &map(), clock, chunked(most)).await;
    let locators: Vec<Locator> = serde_json::from_str(&told(LOCATORS).unwrap()).unwrap();
    let plan: SourcePlan = serde_json::from_str(&told(PLAN).unwrap()).unwrap();
    let erased = source.unwrap().erase(&context("e"), &locators, &plan).await;
    done(erased.unwrap());
}

async fn connect(place: &str, trigger: &Arc<Trigger>) -> SqlPool {
    if place.starts_with("postgres") {
        let options: sqlx::postgres::PgConnectOptions = place.parse().unwrap();
        let schema = std::env::var(SEARCH_PATH).unwrap();
        let options = options.options([("search_path", schema)]);
        return sqlx::PgPool::connect_lazy_with(options).into();
    }
    if place.starts_with("mysql") {
        return sqlx::MySqlPool::connect_lazy(place).unwrap().into();
    }
    let options = place.parse::<sqlx::sqlite::SqliteConnectOptions>();
    let trigger = Arc::clone(trigger);
    // Each row that is written is a point, and each commit.
    let pool = sqlx::sqlite::SqlitePoolOptions::new().after_connect(move |connection, _| {
        let (row, commit) = (Arc::clone(&trigger), Arc::clone(&trigger));
        Box::pin(async move {
            let mut handle = connection.lock_handle().await?;
            handle.set_update_hook(move |change| {
                if change.database == "main" {
                    row.pass();
                }
            });
            handle.set_commit_hook(move || {
                commit.pass();
                true
            });
            Ok(())
        })
    });
    pool.connect_lazy_with(options.unwrap()).into()
}

fn chunked(most: Option<u64>) -> SqlSourceOptions {
    match most {
        Some(most) => options().in_chunks_of(most.try_into().unwrap()),
        None => options(),
    }
}

/// One erasure, in a place of its own.
struct Trial {
    pool: SqlPool,
    most: Option<u64>,
    source: SqlSource,
    locators: Vec<Locator>,
    plan: SourcePlan,
}

/// Every cell, and the answer.
#[derive(PartialEq, Debug)]
struct End {
    rows: Vec<Vec<String>>,
    erased: Vec<RowCount>,
}

impl Trial {
    async fn new(fresh: Fresh<'_>, most: Option<u64>) -> Self {
        let pool = fresh().await;
        for statement in SCHEMA {
            run(&pool, statement).await;
        }
        let source = SqlSource::open(pool.clone(), &map(), clock(), chunked(most))
            .await
            .unwrap();
        let locators = locate(&source, ADA).await.locators;
        let plan = source.plan(&context("p"), &locators, &Work::Erase).await;
        Self {
            plan: done(plan.unwrap()),
            pool,
            most,
            source,
            locators,
        }
    }

    async fn start(&self, point: Option<usize>) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "killed::child", "--test-threads=1"])
            .env(LOCATORS, serde_json::to_string(&self.locators).unwrap())
            .env(PLAN, serde_json::to_string(&self.plan).unwrap())
            .stdout(Stdio::null());
        let place = match &self.pool {
            SqlPool::Sqlite(pool) => pool.connect_options().to_url_lossy(),
            SqlPool::MySql(pool) => pool.connect_options().to_url_lossy(),
            SqlPool::Postgres(pool) => {
                let schema = fetch(&self.pool, "SELECT current_schema()::text").await;
                child.env(SEARCH_PATH, &schema[0]);
                pool.connect_options().to_url_lossy()
            }
            _ => panic!("another database"),
        };
        child.env(PLACE, place.as_str());
        if let Some(most) = self.most {
            child.env(CHUNK, most.to_string());
        }
        if let Some(point) = point {
            child.env(POINT, point.to_string());
        }
        child.spawn().unwrap()
    }

    /// Whether a child was killed; one that failed by itself fails the test.
    fn was_killed(mut child: Child) -> bool {
        let status = child.wait().unwrap();
        let killed = status.signal() == Some(SIGKILL);
        assert!(killed || status.success(), "{status}");
        killed
    }

    async fn rows(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for (table, columns) in TABLES {
            let cells = columns.split(", ").map(|column| match &self.pool {
                SqlPool::MySql(_) => format!("coalesce(CAST({column} AS CHAR), '-')"),
                _ => format!("coalesce(CAST({column} AS TEXT), '-')"),
            });
            let cells: Vec<String> = cells.collect();
            let cells = cells.join(", ");
            let sql = format!("SELECT concat_ws('|', {cells}) FROM {table}");
            let mut rows = fetch(&self.pool, &sql).await;
            rows.sort();
            all.push(rows);
        }
        all
    }

    /// Asks anew; what a dying connection still holds may have to be waited for.
    async fn ask(&self) -> Erased {
        for _ in 0..50 {
            let erased: Result<_, PortError> = self
                .source
                .erase(&context("e"), &self.locators, &self.plan)
                .await;
            match erased {
                Ok(erased) => return done(erased),
                Err(error) if error.kind.is_temporary() => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("it comes to no end");
    }

    async fn left(&self) -> Vec<RowCount> {
        let left = self.source.residue(&context("r"), &self.locators).await;
        done(left.unwrap()).rows
    }

    /// What was killed is not done, and comes to its end.
    async fn finish(self, whole: Option<&End>, when: &str) -> End {
        let before = self.rows().await;
        if let Some(whole) = whole {
            let is_done = before == whole.rows;
            assert_eq!(self.left().await.is_empty(), is_done, "{when}");
        }
        let mut erased = self.ask().await.rows;
        erased.sort();
        let end = End {
            rows: self.rows().await,
            erased,
        };
        assert_eq!(self.left().await, [], "{when}");
        if let Some(whole) = whole {
            assert_eq!(end, *whole, "{when}");
        }
        match self.pool {
            SqlPool::Sqlite(pool) => pool.close().await,
            SqlPool::Postgres(pool) => pool.close().await,
            SqlPool::MySql(pool) => pool.close().await,
            _ => {}
        }
        end
    }
}

/// Nobody is killed.
async fn undisturbed(fresh: Fresh<'_>, most: Option<u64>) -> End {
    let end = Trial::new(fresh, most).await.finish(None, "whole").await;
    let told: u64 = end.erased.iter().map(|count| count.rows).sum();
    assert_eq!(told, HERS);
    end
}

/// Kills at every so many points, until there are no more. Answers how many there were.
async fn kill_at_points(fresh: Fresh<'_>, most: Option<u64>, step: usize) -> usize {
    let whole = undisturbed(fresh, most).await;
    let mut point = 0;
    while point < POINTS {
        let trial = Trial::new(fresh, most).await;
        let begin = trial.rows().await;
        let killed = Trial::was_killed(trial.start(Some(point)).await);
        let now = trial.rows().await;
        if most.is_none() {
            // Nothing is half-written.
            assert!(now == begin || now == whole.rows, "killed at {point}");
        }
        let when = format!("{most:?}, killed at {point}");
        trial.finish(Some(&whole), &when).await;
        if !killed {
            break;
        }
        point += step;
    }
    point
}

/// Kills one child after the other, each a little further, until one comes to the end.
async fn kill_again_and_again(fresh: Fresh<'_>, most: Option<u64>, each: usize) {
    let whole = undisturbed(fresh, most).await;
    let trial = Trial::new(fresh, most).await;
    let mut runs = 0;
    while Trial::was_killed(trial.start(Some(each)).await) {
        runs += 1;
        assert!(runs < 40, "it comes to no end");
    }
    assert!(runs > 2, "{runs} were killed");
    trial.finish(Some(&whole), "killed again and again").await;
}

/// Kills a child that waits for a row.
async fn kill_at_rows(fresh: Fresh<'_>, most: Option<u64>, rows: &[(&str, u32)]) {
    let whole = undisturbed(fresh, most).await;
    for (table, id) in rows {
        let trial = Trial::new(fresh, most).await;
        let hold = format!("BEGIN; UPDATE {table} SET id = id WHERE id = {id}");
        kill_waiting(&trial, &hold).await;
        let when = format!("{most:?}, killed while it waits for {table} {id}");
        trial.finish(Some(&whole), &when).await;
    }
}

/// Starts a child while a row is held, and kills it when it waits for the row.
async fn kill_waiting(trial: &Trial, hold: &str) {
    macro_rules! held {
        ($pool:expr) => {{
            let mut holder = $pool.acquire().await.unwrap();
            let sql = sqlx::AssertSqlSafe(hold.to_owned());
            sqlx::raw_sql(sql).execute(&mut *holder).await.unwrap();
            let mut child = trial.start(None).await;
            let waits = tokio::time::timeout(PATIENCE, who_waits(&trial.pool));
            waits.await.expect("it did not wait");
            child.kill().unwrap();
            assert!(Trial::was_killed(child));
            let end = sqlx::raw_sql("ROLLBACK").execute(&mut *holder);
            end.await.unwrap();
        }};
    }
    match &trial.pool {
        SqlPool::Postgres(pool) => held!(pool),
        SqlPool::MySql(pool) => held!(pool),
        _ => panic!("another database"),
    }
}

/// One row of each table, late in it.
const ROWS: [(&str, u32); 5] = [
    ("tickets", 4),
    ("items", 9),
    ("orders", 4),
    ("visits", 3),
    ("people", 1),
];

async fn on_a_server(fresh: Fresh<'_>) {
    kill_at_rows(fresh, None, &ROWS[..2]).await;
    kill_at_rows(fresh, Some(MOST), &ROWS[1..]).await;
    kill_at_points(fresh, Some(MOST), 5).await;
    kill_again_and_again(fresh, Some(MOST), 4).await;
}

async fn at_every_point(fresh: Fresh<'_>) {
    for most in [None, Some(1), Some(MOST)] {
        kill_at_points(fresh, most, 1).await;
        if !matches!(fresh().await, SqlPool::Sqlite(_)) {
            kill_at_rows(fresh, most, &ROWS).await;
        }
    }
}

#[tokio::test]
async fn whoever_is_killed_on_sqlite_comes_to_the_same_end() {
    on_sqlite(async |fresh| {
        assert!(kill_at_points(fresh, None, 7).await > HERS as usize);
        assert!(kill_at_points(fresh, Some(MOST), 6).await > HERS as usize + 10);
        kill_again_and_again(fresh, Some(MOST), 16).await;
    })
    .await;
}

#[tokio::test]
async fn whoever_is_killed_on_postgres_comes_to_the_same_end() {
    crate::server_suite::on_postgres(on_a_server).await;
}

#[tokio::test]
async fn whoever_is_killed_on_mariadb_comes_to_the_same_end() {
    crate::server_suite::on_mariadb(on_a_server).await;
}

#[tokio::test]
#[ignore = "takes minutes: every point"]
async fn whoever_is_killed_at_any_point_comes_to_the_same_end() {
    on_sqlite(at_every_point).await;
    crate::server_suite::on_postgres(at_every_point).await;
    crate::server_suite::on_mariadb(at_every_point).await;
}
