//! Tables of PostgreSQL that hang together: partitions of one table, and tables that inherit from
//! another. They have rows at the same places, and somebody else's is not even looked at.

use datarights::adapters::SqlPool;
use datarights::datamap::{Column, DataMap, JsonPath, Link, Table};
use datarights::model::{Category, IdentifierKind};

use crate::server_suite::on_postgres;
use crate::trouble::run;
use crate::{clock, options, read};

/// In each pair of tables the other person's row stands at the place of Ada's, and holds what is no
/// document: whoever looks at it fails.
const SCHEMA: &str = r#"
    CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80));
    INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org');

    CREATE TABLE events (id INTEGER, region VARCHAR(8), person INTEGER, doc TEXT, PRIMARY KEY (id, region))
        PARTITION BY LIST (region);
    CREATE TABLE events_north PARTITION OF events FOR VALUES IN ('north');
    CREATE TABLE events_south PARTITION OF events FOR VALUES IN ('south');
    INSERT INTO events VALUES
        (1, 'north', 1, '{"said": "ice"}'), (2, 'south', 2, 'no document'),
        (3, 'north', 2, 'no document'), (4, 'south', 1, '{"said": "sun"}');

    CREATE TABLE letters (id INTEGER PRIMARY KEY, person INTEGER, doc TEXT);
    CREATE TABLE old_letters (PRIMARY KEY (id)) INHERITS (letters);
    INSERT INTO letters VALUES (1, 1, '{"said": "new"}'), (3, 2, 'no document');
    INSERT INTO old_letters VALUES (2, 2, 'no document'), (4, 1, '{"said": "old"}');
"#;

fn map() -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let said = || {
        let said = JsonPath::at(["said"]).holding(Category::Correspondence);
        let doc = Column::of(Category::Correspondence).of_others().part(said);
        let person = Link::rows(["person"], "people");
        Table::new().link("person", person).column("doc", doc)
    };
    DataMap::new()
        .table("people", Table::people().column("mail", mail))
        .table("events", said())
        .table("letters", said())
        .exempt("old_letters", "a part of the letters")
        .exempt_columns("*", ["id", "region"], "a number of ours")
}

#[tokio::test]
async fn rows_of_others_at_the_same_place_are_not_looked_at() {
    on_postgres(async |fresh| {
        let pool: SqlPool = fresh().await;
        run(&pool, SCHEMA).await;
        let source = datarights::adapters::SqlSource::open(pool, &map(), clock(), options()).await;
        let source = source.unwrap_or_else(|error| panic!("{error}"));
        let (rows, _) = read(&source, "ada@example.org").await;
        let mut said: Vec<(String, String)> = rows
            .into_iter()
            .filter(|(table, _)| table != "people")
            .flat_map(|(table, cells)| {
                cells
                    .into_iter()
                    .map(move |(_, cell)| (table.clone(), cell))
            })
            .collect();
        said.sort();
        let told = |table: &str, text: &str| (table.to_owned(), format!("{{\"Text\":\"{text}\"}}"));
        assert_eq!(
            said,
            [
                told("events", "ice"),
                told("events", "sun"),
                told("letters", "new"),
                told("letters", "old"),
            ]
        );
    })
    .await;
}
