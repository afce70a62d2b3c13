//! Many rows and large ones: what is planned in part and read in pages is the whole all the same.

use datarights::adapters::{SqlFault, SqlPool, SqlSource};
use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, IdentifierKind};
use datarights::ports::{PersonalDataSource as _, Work};
use futures::TryStreamExt as _;

use crate::{clock, context, done, erase, locate, options, pool, read};

const MAIL: &str = "anna@example.org";

/// Anna has 2,500 notes, and Bert as many.
const SCHEMA: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body TEXT CHECK (body <> 'sealed'));
    CREATE INDEX noted ON notes (person);
    INSERT INTO people VALUES (1, 'anna@example.org'), (2, 'bert@example.org');
    WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
    INSERT INTO notes SELECT n, n % 2 + 1, 'note ' || n FROM n;";

async fn notes(strategy: Strategy) -> (tempfile::TempDir, sqlx::SqlitePool, SqlSource) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.sqlite");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(SCHEMA)
        .unwrap();
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let body = Column::of(Category::Correspondence).erased_by(strategy);
    let kept = Column::default().erased_by(Strategy::Keep);
    let map = DataMap::new()
        .table(
            "people",
            Table::people()
                .erased_by(RowErasure::Columns)
                .column("mail", mail.erased_by(Strategy::Keep)),
        )
        .table(
            "notes",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link("person", Link::rows(["person"], "people"))
                .column("person", kept)
                .column("body", body),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    let pool = pool(&path).await;
    let source = SqlSource::open(SqlPool::from(pool.clone()), &map, clock(), options()).await;
    (folder, pool, source.unwrap())
}

async fn count(pool: &sqlx::SqlitePool, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM notes WHERE {condition}");
    let sql = sqlx::AssertSqlSafe(sql);
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_plan_of_many_rows_counts_them_all_and_writes_none() {
    let (_folder, pool, source) = notes(Strategy::Null).await;
    let found = locate(&source, MAIL).await;
    let plan = source
        .plan(&context("p"), &found.locators, &Work::Erase)
        .await;
    let planned: Vec<u64> = done(plan.unwrap())
        .rows
        .iter()
        .map(|line| line.rows)
        .collect();
    assert_eq!(planned, [2500]);
    assert_eq!(count(&pool, "body IS NULL").await, 0);
    erase(&source, MAIL).await;
    assert_eq!(count(&pool, "person = 1 AND body IS NULL").await, 2500);
    assert_eq!(
        count(&pool, "person = 2 AND body LIKE 'note %'").await,
        2500
    );
}

#[tokio::test]
async fn what_the_database_refuses_is_found_by_the_plan_and_writes_nothing() {
    let (_folder, pool, source) = notes(Strategy::Fixed("sealed".into())).await;
    let found = locate(&source, MAIL).await;
    let plan = source
        .plan(&context("p"), &found.locators, &Work::Erase)
        .await;
    let refused = plan.unwrap_err();
    assert_eq!(SqlFault::of(&refused), Some(SqlFault::CheckViolation));
    assert_eq!(refused.place.as_deref(), Some("notes"));
    assert_eq!(count(&pool, "body LIKE 'note %'").await, 5000);
}

#[tokio::test]
async fn pages_hold_every_row_whatever_its_size() {
    let (_folder, pool, source) = notes(Strategy::Null).await;
    let larger =
        "UPDATE notes SET body = printf('%.*c', 3000000, 'x') WHERE id IN (2, 1000, 1002, 5000)";
    sqlx::raw_sql(larger).execute(&pool).await.unwrap();
    let (rows, _) = read(&source, MAIL).await;
    assert_eq!(rows.len(), 2501);
    let unlike: std::collections::BTreeSet<_> = rows.iter().collect();
    assert_eq!(unlike.len(), 2498, "four notes have one text");
    let largest = rows
        .iter()
        .flat_map(|(_, cells)| cells)
        .map(|(_, text)| text.len());
    assert!(largest.max() > Some(3_000_000));
}

#[tokio::test]
async fn a_row_that_is_too_large_is_refused_before_it_is_read() {
    let (_folder, pool, source) = notes(Strategy::Null).await;
    let larger = "UPDATE notes SET body = printf('%.*c', 17000000, 'x') WHERE id = 1000";
    sqlx::raw_sql(larger).execute(&pool).await.unwrap();
    let found = locate(&source, MAIL).await;
    let items = source.read(&context("r"), &found.locators).await.unwrap();
    let refused = done(items).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(SqlFault::of(&refused), Some(SqlFault::TooLarge));
    assert_eq!(refused.place.as_deref(), Some("notes"));
}

/// More than two pages of narrow rows: where the next page is asked for beforehand, none is lost, and
/// who stops reading in between leaves a connection that works.
#[tokio::test]
async fn narrow_rows_come_page_after_page() {
    crate::engines::everywhere(async |place| {
        let digits: Vec<String> = (0..10).map(|d| format!("({d})")).collect();
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body VARCHAR(80))",
                "CREATE TABLE digits (d INTEGER PRIMARY KEY)",
                "INSERT INTO people VALUES (1, 'anna@example.org'), (2, 'bert@example.org')",
                &format!("INSERT INTO digits VALUES {}", digits.join(", ")),
                "INSERT INTO notes SELECT x.n, 1 + x.n % 2, concat('note ', x.n) FROM (SELECT a.d + 10 * b.d \
                 + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM digits AS a, digits AS b, digits AS c, \
                 digits AS e, digits AS f WHERE f.d < 2) AS x",
            ])
            .await;
        let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
        let body = Column::of(Category::Correspondence);
        let notes = Table::new().link("person", Link::rows(["person"], "people"));
        let map = DataMap::new()
            .table("people", Table::people().column("mail", mail))
            .table("notes", notes.column("body", body))
            .exempt("digits", "numbers")
            .exempt_columns("*", ["id"], "a number of ours");
        let source = place.open(&map).await;
        let (rows, _) = read(&source, MAIL).await;
        let told: std::collections::BTreeSet<_> = rows.iter().collect();
        assert_eq!((rows.len(), told.len()), (10_001, 10_001), "{}", place.name);

        let found = locate(&source, MAIL).await;
        for (read_before, cancelled) in [(4_500, false), (100, true)] {
            let context = context("r");
            let items = source.read(&context, &found.locators).await.unwrap();
            let mut items = done(items);
            for _ in 0..read_before {
                items.try_next().await.unwrap().unwrap();
            }
            if cancelled {
                context.cancel.cancel();
                assert!(items.try_next().await.is_err(), "{}", place.name);
            }
        }
        let (again, _) = read(&source, MAIL).await;
        assert_eq!(again, rows, "{}", place.name);
    })
    .await;
}
