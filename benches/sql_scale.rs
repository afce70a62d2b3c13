//! Databases with very many tables: `check` on 1,000 of them, and plans along a chain of 5,000
//! without the database's own time.
//!
//! `cargo bench --features sql-sqlite --bench sql_scale`
//!
//! SQLite works in a thread of its own; the time of a plan is what all other threads of the process
//! spent on the processor, which Linux tells.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use datarights::adapters::{SqlPool, SqlSource, SqlSourceOptions, SystemClock};
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{Category, ControllerId, Identifier, IdentifierKind, RequestId, SourceId};
use datarights::ports::{
    Answer, CallContext, Fence, IdempotencyKey, PersonalDataSource as _, Work,
};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

/// How often each is measured.
const TURNS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    for tables in [1_000, 5_000] {
        let path = folder.path().join(format!("{tables}.sqlite"));
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let one = SqlitePoolOptions::new().max_connections(1);
        let pool = SqlPool::from(one.connect_with(options).await.unwrap());
        chain(&pool, tables).await;
        checking(&pool, tables).await;
        planning(&pool, tables).await;
    }
}

/// Each table refers to the one before it, and has one row of the person.
async fn chain(pool: &SqlPool, tables: usize) {
    let SqlPool::Sqlite(pool) = pool else {
        unreachable!()
    };
    let mut transaction = pool.begin().await.unwrap();
    for n in 0..tables {
        let refers = match n {
            0 => "mail TEXT".to_owned(),
            _ => format!("up INTEGER REFERENCES {} (id), note TEXT", name(n - 1)),
        };
        let rows = match n {
            0 => "(1, 'anna@example.org')",
            _ => "(1, 1, 'a note')",
        };
        let table = name(n);
        let index = match n {
            0 => String::new(),
            _ => format!("CREATE INDEX up_{n} ON {table} (up);"),
        };
        let sql = format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, {refers}); {index} INSERT INTO {table} \
             VALUES {rows}"
        );
        let made = sqlx::raw_sql(AssertSqlSafe(sql));
        made.execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn name(n: usize) -> String {
    // Later ones come first in the order of their names: nothing is found by luck.
    format!("t{:04}", 9_999 - n)
}

fn map(tables: usize) -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let first = DataMap::new().table(name(0), Table::people().column("mail", mail));
    let map = (1..tables).fold(first, |map, n| {
        let up = Link::rows(["up"], name(n - 1));
        let note = Column::of(Category::Correspondence);
        map.table(name(n), Table::new().link("up", up).column("note", note))
    });
    map.exempt_columns("*", ["id"], "a number of ours")
}

async fn checking(pool: &SqlPool, tables: usize) {
    let map = map(tables);
    let (mut read, mut check) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let begun = Instant::now();
        let catalogue = pool.catalogue().await.unwrap();
        read.push(begun.elapsed());
        let begun = Instant::now();
        map.check(&catalogue).unwrap();
        check.push(begun.elapsed());
    }
    println!(
        "{tables} tables: catalogue {:.1} ms, check {:.1} ms",
        median(read),
        median(check)
    );
}

async fn planning(pool: &SqlPool, tables: usize) {
    let id = SourceId::new("bench").unwrap();
    let options = SqlSourceOptions::new(id, "Bench");
    let clock = Arc::new(SystemClock);
    let before = ours();
    let source = SqlSource::open(pool.clone(), &map(tables), clock, options).await;
    let source = source.unwrap();
    println!(
        "{tables} tables: opened, {:.1} ms without the database",
        ms(ours() - before)
    );
    let anna = Identifier::mail("anna@example.org").unwrap();
    let found = done(source.locate(&context(), &[anna]).await.unwrap());
    let (mut whole, mut own) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (begun, before) = (Instant::now(), ours());
        let plan = source.plan(&context(), &found.locators, &Work::Erase).await;
        own.push(ours() - before);
        whole.push(begun.elapsed());
        assert_eq!(done(plan.unwrap()).rows.len(), tables);
    }
    println!(
        "{tables} tables: plan {:.1} ms, {:.1} ms of it without the database",
        median(whole),
        median(own)
    );
}

/// What the threads of this process spent on the processor, SQLite's left out.
fn ours() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.filter_map(|thread| {
        let thread = thread.ok()?.path();
        let name = std::fs::read_to_string(thread.join("comm")).ok()?;
        let spent = std::fs::read_to_string(thread.join("schedstat")).ok()?;
        let spent: u64 = spent.split(' ').next()?.parse().ok()?;
        (!name.starts_with("sqlx-sqlite")).then_some(spent)
    });
    Duration::from_nanos(nanoseconds.sum())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    ms(times[times.len() / 2])
}

fn context() -> CallContext {
    CallContext::new(
        ControllerId::new("host").unwrap(),
        RequestId::new(uuid::Uuid::from_u128(7)),
        IdempotencyKey("bench".to_owned()),
        Fence(1),
        chrono::DateTime::UNIX_EPOCH,
    )
}

fn done<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Done(done) => done,
        _ => unreachable!("the source answers at once"),
    }
}
