//! A plan tries a write out where something besides types and keys may refuse it, also when that
//! came after the source was opened; what is planned is the same either way.

use datarights::adapters::{SqlFault, SqlPool, SqlSource};
use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, IdentifierKind};
use datarights::ports::{PersonalDataSource as _, Work};

use crate::trouble::{Fresh, everywhere, run};
use crate::{clock, context, done, locate, options};

const SCHEMA: [&str; 4] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body VARCHAR(80))",
    "INSERT INTO people VALUES (1, 'anna@example.org'), (2, 'bert@example.org')",
    "INSERT INTO notes VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three'), (4, 1, NULL)",
];

fn map(strategy: Strategy) -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let kept = Column::default().erased_by(Strategy::Keep);
    let body = Column::of(Category::Correspondence).erased_by(strategy);
    let people = Table::people()
        .erased_by(RowErasure::Columns)
        .column("mail", mail.erased_by(Strategy::Keep));
    let notes = Table::new()
        .erased_by(RowErasure::Columns)
        .link("person", Link::rows(["person"], "people"))
        .column("person", kept)
        .column("body", body);
    DataMap::new()
        .table("people", people)
        .table("notes", notes)
        .exempt_columns("*", ["id"], "a number of ours")
}

/// How many rows are planned, or why it cannot be done.
async fn planned(source: &SqlSource) -> Result<Vec<u64>, Option<SqlFault>> {
    let found = locate(source, "anna@example.org").await;
    let context = context("plan");
    let plan = source.plan(&context, &found.locators, &Work::Erase);
    let plan = plan.await.map_err(|error| SqlFault::of(&error))?;
    Ok(done(plan).rows.iter().map(|line| line.rows).collect())
}

async fn opened(pool: &SqlPool, strategy: Strategy) -> SqlSource {
    let source = SqlSource::open(pool.clone(), &map(strategy), clock(), options()).await;
    source.unwrap_or_else(|error| panic!("{error}"))
}

async fn a_trigger_that_came_later(fresh: Fresh<'_>) {
    let pool = fresh().await;
    for statement in SCHEMA {
        run(&pool, statement).await;
    }
    let source = opened(&pool, Strategy::Null).await;
    assert_eq!(planned(&source).await, Ok(vec![2]));
    let (made, gone) = match &pool {
        SqlPool::Sqlite(_) => (
            "CREATE TRIGGER no BEFORE UPDATE ON notes BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER no",
        ),
        SqlPool::MySql(_) => (
            "CREATE TRIGGER no BEFORE UPDATE ON notes FOR EACH ROW SIGNAL SQLSTATE '45000' SET \
             MESSAGE_TEXT = 'no'",
            "DROP TRIGGER no",
        ),
        _ => (
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE TRIGGER no BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION no()",
            "DROP TRIGGER no ON notes",
        ),
    };
    run(&pool, made).await;
    let refused = Err(Some(SqlFault::TriggerRefused));
    assert_eq!(planned(&source).await, refused);
    assert_eq!(planned(&opened(&pool, Strategy::Null).await).await, refused);
    run(&pool, gone).await;
    assert_eq!(planned(&source).await, Ok(vec![2]));
}

async fn a_check_that_came_later(fresh: Fresh<'_>) {
    let pool = fresh().await;
    if matches!(pool, SqlPool::Sqlite(_)) {
        return; // it adds none to a table that is there; `large.rs` has one from the beginning
    }
    for statement in SCHEMA {
        run(&pool, statement).await;
    }
    let source = opened(&pool, Strategy::Fixed("gone".into())).await;
    assert_eq!(planned(&source).await, Ok(vec![3]));
    run(
        &pool,
        "ALTER TABLE notes ADD CONSTRAINT no CHECK (body <> 'gone')",
    )
    .await;
    let refused = Err(Some(SqlFault::CheckViolation));
    assert_eq!(planned(&source).await, refused);
    run(&pool, "ALTER TABLE notes DROP CONSTRAINT no").await;
    assert_eq!(planned(&source).await, Ok(vec![3]));
}

/// An index on an expression refuses too.
async fn two_alike_under_an_expression(fresh: Fresh<'_>) {
    let pool = fresh().await;
    if matches!(pool, SqlPool::MySql(_)) {
        return; // it knows no such index; every write is tried out there
    }
    for statement in SCHEMA {
        run(&pool, statement).await;
    }
    let source = opened(&pool, Strategy::Fixed("gone".into())).await;
    assert_eq!(planned(&source).await, Ok(vec![3]));
    run(&pool, "CREATE UNIQUE INDEX alike ON notes (lower(body))").await;
    // SQLite's catalogue tells of it.
    let source = opened(&pool, Strategy::Fixed("gone".into())).await;
    assert_eq!(planned(&source).await, Err(Some(SqlFault::UniqueViolation)));
}

everywhere!(
    a_trigger_that_came_later,
    a_check_that_came_later,
    two_alike_under_an_expression
);
