//! A person with very much data in a database is read and packed within a fixed amount of memory.
//!
//! Alone in its binary, because the peak that Linux keeps (`VmHWM`) is the whole process's.
//! With 1 GB, by hand:
//! `cargo test --release --features sql-sqlite --test sql_memory -- --ignored --nocapture`
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers of tests, too

mod package_support;

use std::sync::Arc;

use datarights::adapters::{MemoryVault, SqlSource, SqlSourceOptions, SystemClock};
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{Category, Identifier, IdentifierKind, SourceId};
use datarights::package::{self, Limits};
use datarights::ports::{
    Answer, CallContext, Cancel, Fence, IdempotencyKey, PersonalDataSource as _, Vault,
};
use package_support::*;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

const MEGABYTE: u64 = 1_000_000;
/// What the issue allows, in kB.
const LIMIT: u64 = 64 * 1024;
/// How many rows are large, for rows.
const LARGE: u64 = 4;

/// The largest resident size so far, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes = line.split_ascii_whitespace().nth(1).unwrap();
    kilobytes.parse().unwrap()
}

fn map() -> DataMap {
    let of = |category| Column::of(category);
    DataMap::new()
        .table(
            "people",
            Table::people().column(
                "mail",
                of(Category::Contact).identifies(IdentifierKind::Mail),
            ),
        )
        .table(
            "messages",
            Table::new()
                .link("person", Link::rows(["person"], "people"))
                .column("body", of(Category::Correspondence)),
        )
        .table(
            "attachments",
            Table::new()
                .link("person", Link::rows(["person"], "people"))
                .column("name", of(Category::Correspondence))
                .column("content", of(Category::Correspondence).file("name", None)),
        )
        .exempt_columns("*", ["id"], "a number of ours")
}

/// Half of it messages of 1 kB, half of it attachments of 1 MB, and a few messages of 2 MB: bytes
/// by chance, which compress badly.
async fn filled(path: &std::path::Path, bytes: u64) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n <";
    let (messages, attachments) = (bytes / 2 / 1_000, bytes / 2 / MEGABYTE);
    for statement in [
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)".to_owned(),
        "INSERT INTO people VALUES (1, 'anna@example.org')".to_owned(),
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, person INTEGER, body TEXT)".to_owned(),
        "CREATE TABLE attachments (id INTEGER PRIMARY KEY, person INTEGER, name TEXT, content BLOB)"
            .to_owned(),
        format!(
            "{numbers} {messages}) INSERT INTO messages SELECT n, 1, hex(randomblob(500)) FROM n"
        ),
        format!(
            "{numbers} {attachments}) INSERT INTO attachments SELECT n, 1, 'scan ' || n, \
             randomblob(1000000) FROM n"
        ),
        format!(
            "{numbers} {LARGE}) INSERT INTO messages SELECT {messages} + n, 1, \
             hex(randomblob(1000000)) FROM n"
        ),
        "CREATE INDEX written ON messages (person)".to_owned(),
        "CREATE INDEX attached ON attachments (person)".to_owned(),
    ] {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        statement.execute(&pool).await.unwrap();
    }
    pool
}

fn context() -> CallContext {
    let key = IdempotencyKey("read".to_owned());
    let now = chrono::DateTime::UNIX_EPOCH;
    CallContext::new(controller(), request(), key, Fence(1), now)
}

fn done<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Done(done) => done,
        _ => panic!("not done"),
    }
}

async fn reads_within_memory(bytes: u64, vault: &dyn Vault) {
    let folder = tempfile::tempdir().unwrap();
    let pool = filled(&folder.path().join("large.sqlite"), bytes).await;
    let id = SourceId::new("large").unwrap();
    let options = SqlSourceOptions::new(id, "A large database");
    let source = SqlSource::open(pool, &map(), Arc::new(SystemClock), options).await;
    let source = source.unwrap();
    let (store, cancel) = (Folder(folder.path().to_owned()), Cancel::default());
    let spool = spool_of("large", "A large database");
    vault.create_key(&spool.key).await.unwrap();

    let before = peak();
    let anna = Identifier::mail("anna@example.org").unwrap();
    let found = done(source.locate(&context(), &[anna]).await.unwrap());
    let reading = done(source.read(&context(), &found.locators).await.unwrap());
    let limits = Limits::default();
    let spooled = package::spool(&spool, reading, &store, vault, &limits, &cancel).await;
    let after_spool = peak();
    let (cover, target) = (cover(), target());
    let spools = [(spool, spooled.unwrap())];
    let written = package::write(&target, &cover, &spools, &store, vault, &cancel).await;
    let written = written.unwrap();
    let after = peak();
    println!(
        "{} MB of rows, package of {} MB: peak {before} kB before, {after_spool} kB after reading, \
         {after} kB after packing",
        bytes / MEGABYTE,
        written.bytes / MEGABYTE
    );
    let attachments = bytes / 2 / MEGABYTE;
    assert_eq!(written.rows, 1 + bytes / 2 / 1_000 + LARGE + attachments);
    assert_eq!(written.files, attachments);
    assert!(after < LIMIT, "{after} kB");
}

#[tokio::test]
async fn sixty_four_megabytes_are_read_within_memory() {
    // real ciphers take minutes when they are not optimised
    reads_within_memory(64 * MEGABYTE, &Toy::default()).await;
}

#[tokio::test]
#[ignore = "writes 5 GB to the disk; run it alone, by hand, with --release"]
async fn a_gigabyte_is_read_within_memory() {
    reads_within_memory(1_000 * MEGABYTE, &MemoryVault::new()).await;
}
