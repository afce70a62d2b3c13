//! Sources over SQL databases, looked at from outside: what must be true afterwards is said in
//! plain SQL of the tests' own, and compared cell by cell.
#![cfg(all(feature = "sql-sqlite", feature = "sqlite", feature = "testkit"))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod alike;
mod chinook;
mod chunks;
#[path = "../common/mod.rs"]
mod common;
mod desk;
mod engines;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod guarded;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod inside;
mod kept;
mod kept_restricted;
#[cfg(all(unix, feature = "sql-postgres", feature = "sql-mysql"))]
mod killed;
mod large;
mod lost;
mod minimised;
mod named;
mod odd;
#[path = "../helpdesk/oracle.rs"]
mod oracle;
mod parts;
#[path = "../helpdesk/people.rs"]
mod people;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod places;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod planted;
mod purge;
mod random;
mod refused;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod server_suite;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod servers;
mod several;
mod shop;
#[path = "../helpdesk/sql_oracle.rs"]
mod sql_oracle;
mod tail;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod trouble;
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
mod uses;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;
use datarights::adapters::{SqlSource, SqlSourceOptions};
use datarights::datamap::DataMap;
use datarights::model::{ControllerId, Correction, Identifier, Personal, RequestId, SourceId};
use datarights::ports::{
    Answer, CallContext, Cell, Erased, Fence, IdempotencyKey, Item, Located, PersonalDataSource,
    Work,
};
use datarights::testkit::TestClock;
use futures::{StreamExt, TryStreamExt};

/// When all of this happens.
pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";

/// A pool on a file, as a host makes one.
pub(crate) async fn pool(path: &Path) -> sqlx::SqlitePool {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // What is on the disk after a power cut is not looked at here.
        .synchronous(sqlx::sqlite::SqliteSynchronous::Off);
    sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options)
        .await
        .unwrap()
}

pub(crate) fn options() -> SqlSourceOptions {
    SqlSourceOptions::new(SourceId::new("database").unwrap(), "Database")
        .with_pseudonym_key(*b"a key of the tests, and no other")
}

pub(crate) fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(NOW.parse().unwrap()))
}

/// A source on a file.
pub(crate) async fn open(path: &Path, map: &DataMap) -> SqlSource {
    SqlSource::open(pool(path).await, map, clock(), options())
        .await
        .unwrap()
}

pub(crate) fn context(key: &str) -> CallContext {
    CallContext::new(
        ControllerId::new("host").unwrap(),
        RequestId::new(uuid::Uuid::from_u128(7)),
        IdempotencyKey(key.to_owned()),
        Fence(1),
        DateTime::UNIX_EPOCH,
    )
}

pub(crate) fn done<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Done(done) => done,
        _ => panic!("not done"),
    }
}

pub(crate) async fn locate(source: &dyn PersonalDataSource, mail: &str) -> Located {
    let identifier = Identifier::mail(mail).unwrap();
    done(
        source
            .locate(&context("locate"), &[identifier])
            .await
            .unwrap(),
    )
}

/// Finds, plans and erases; the plan said what the erasure did.
pub(crate) async fn erase(source: &dyn PersonalDataSource, mail: &str) -> Erased {
    let found = locate(source, mail).await;
    let plan = source
        .plan(&context("plan"), &found.locators, &Work::Erase)
        .await;
    let plan = done(plan.unwrap());
    let erased = source
        .erase(&context(&format!("erase {mail}")), &found.locators, &plan)
        .await;
    let erased = done(erased.unwrap());
    let planned: u64 = plan.rows.iter().map(|line| line.rows).sum();
    let told: u64 = erased.rows.iter().map(|count| count.rows).sum();
    let kept: u64 = erased.withheld.iter().map(|kept| kept.rows).sum();
    assert_eq!(planned, told + kept, "the plan said what was done");
    let left = source.residue(&context("residue"), &found.locators).await;
    assert_eq!(done(left.unwrap()).rows, [], "nothing is left");
    erased
}

/// Everything that is read: collection, columns, cells; files as text.
pub(crate) async fn read(
    source: &dyn PersonalDataSource,
    mail: &str,
) -> (Vec<(String, Vec<(String, String)>)>, Vec<(String, u64)>) {
    let found = locate(source, mail).await;
    let mut items = done(
        source
            .read(&context("read"), &found.locators)
            .await
            .unwrap(),
    );
    let (mut rows, mut withheld) = (Vec::new(), Vec::new());
    let (mut name, mut columns) = (String::new(), Vec::new());
    while let Some(item) = items.next().await {
        match item.unwrap() {
            Item::Collection(collection) => {
                name = collection.name;
                columns = collection.columns.into_iter().map(|c| c.name).collect();
            }
            Item::Row(cells) => {
                let mut row = Vec::new();
                for (column, cell) in columns.iter().cloned().zip(cells) {
                    let text = match cell {
                        Cell::Value(value) => serde_json::to_string(&value).unwrap(),
                        Cell::File(file) => {
                            let bytes: Vec<u8> = file.content.try_concat().await.unwrap();
                            format!("{} {:?} {}", file.name, file.media_type, bytes.len())
                        }
                    };
                    row.push((column, text));
                }
                rows.push((name.clone(), row));
            }
            Item::Withheld(kept) => withheld.push((kept.collection, kept.rows)),
        }
    }
    (rows, withheld)
}

pub(crate) fn correction(collection: &str, field: &str, value: &str) -> Correction {
    Correction {
        collection: collection.to_owned(),
        field: field.to_owned(),
        value: Personal::new(value.to_owned()),
    }
}

/// Says why a test is skipped; with `CI=true` it fails instead.
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    println!("skipped: {why}");
}

/// A real database that lies beside the crate on some machines.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    for place in ["../shared/data", "../../shared/data"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(place).join(name);
        if path.exists() {
            return Some(path);
        }
    }
    skipped(&format!("there is no {name}"));
    None
}
