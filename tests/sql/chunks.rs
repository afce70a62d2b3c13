//! A very large person, erased in chunks: end and answer are those of one transaction, no
//! transaction changes more rows than it may, and whatever happens between two chunks is seen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::{Hold, SqlFault, SqlPool, SqlSource, SqlSourceOptions};
use datarights::datamap::{
    Column, DataMap, KeptWhile, Link, Retention, RowErasure, Strategy, Table,
};
use datarights::model::{Category, Ground, IdentifierKind, RowCount, Until};
use datarights::ports::{
    Answer, CallContext, Clock, Erased, Locator, PersonalDataSource as _, PortError, SourcePlan,
    Work,
};

use crate::engines::{Place, everywhere};
use crate::{context, done, locate, options};

/// Who it is about.
pub(crate) const ADA: &str = "ada@example.org";

/// What was written for Ada, and for Bob. `visits` stay without her, `tickets` are Bob's, `threads`
/// refer to themselves.
pub(crate) const SCHEMA: [&str; 14] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), made DATE)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (person) REFERENCES people (id))",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, buy INTEGER NOT NULL, FOREIGN KEY (buy) REFERENCES orders (id))",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, page VARCHAR(80), device VARCHAR(80))",
    "CREATE TABLE tickets (id INTEGER PRIMARY KEY, owner INTEGER, agent INTEGER)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body VARCHAR(80))",
    "CREATE TABLE threads (id INTEGER PRIMARY KEY, person INTEGER, parent INTEGER, FOREIGN KEY (parent) REFERENCES threads (id))",
    "INSERT INTO people VALUES (1, 'ada@example.org', '2026-06-01'), (2, 'bob@example.org', '2026-06-01')",
    "INSERT INTO orders VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2)",
    "INSERT INTO items VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 1), (7, 1), (8, 5), (9, 4), (10, 6)",
    "INSERT INTO visits VALUES (1, 1, 'a', 'abc'), (2, 1, 'b', 'def'), (3, 1, 'c', NULL), (4, 1, NULL, NULL), (5, 1, 'd', 'ghi'), (6, 2, 'e', 'abc')",
    "INSERT INTO tickets VALUES (1, 2, 1), (2, 2, 1), (3, 2, 1), (4, 2, 1), (5, 2, 1), (6, 2, 2)",
    "INSERT INTO notes VALUES (1, 2, 'ask ada@example.org'), (2, 2, 'ADA@example.org'), (3, 2, 'nobody'), (4, 2, 'ada@example.org?')",
    "INSERT INTO threads VALUES (1, 1, NULL), (2, 1, 1), (3, NULL, 2)",
];

/// The tables, and their columns.
pub(crate) const TABLES: [(&str, &str); 7] = [
    ("people", "id, mail, made"),
    ("orders", "id, person"),
    ("items", "id, buy"),
    ("visits", "id, person, page, device"),
    ("tickets", "id, owner, agent"),
    ("notes", "id, person, body"),
    ("threads", "id, person, parent"),
];

/// How many rows are hers, or name her, and need a change: one visit tells nothing.
pub(crate) const HERS: u64 = 1 + 5 + 9 + 4 + 5 + 3 + 3;

fn by_person() -> Link {
    Link::rows(["person"], "people")
}

pub(crate) fn map() -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let by = |strategy| Column::of(Category::Usage).erased_by(strategy);
    let named = Ground::new("rights_of_others");
    DataMap::new()
        .table(
            "people",
            Table::people()
                .column("mail", mail)
                .column("made", Column::default()),
        )
        .table("orders", Table::new().link("person", by_person()))
        .table(
            "items",
            Table::new().link("order", Link::rows(["buy"], "orders")),
        )
        .table(
            "visits",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link("person", by_person())
                .column("person", by(Strategy::Keep))
                .column("page", by(Strategy::Null))
                .column("device", by(Strategy::Pseudonym)),
        )
        .table(
            "tickets",
            Table::new()
                .link("owner", Link::rows(["owner"], "people"))
                .link("agent", Link::rows(["agent"], "people").mentioned(named)),
        )
        .table(
            "notes",
            Table::new()
                .link("person", by_person())
                .column("body", Column::of(Category::Correspondence).free_text()),
        )
        .table(
            "threads",
            Table::new()
                .link("person", by_person())
                .link("parent", Link::rows(["parent"], "threads")),
        )
        .exempt_columns("*", ["id"], "a number of ours")
}

/// The end of an erasure: every cell, and the answer.
#[derive(PartialEq, Debug)]
struct End {
    rows: Vec<(&'static str, Vec<String>)>,
    erased: Vec<RowCount>,
    withheld: Vec<String>,
}

async fn rows(place: &Place, tables: &[(&'static str, &str)]) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for (table, columns) in tables {
        all.push((*table, place.rows(table, columns).await));
    }
    all
}

/// Makes the tables anew, and erases Ada.
async fn end(
    place: &Place,
    schema: &[&str],
    tables: &[(&'static str, &str)],
    map: &DataMap,
    options: SqlSourceOptions,
) -> End {
    let names = tables.iter().rev().map(|(table, _)| *table);
    for table in names.chain(["datarights_effects"]) {
        place.run(&[&format!("DROP TABLE IF EXISTS {table}")]).await;
    }
    place.run(schema).await;
    let source = place.open_with(map, options).await;
    let answer = crate::erase(&source, ADA).await;
    let mut withheld = answer.withheld;
    withheld.sort();
    // A link and a text may have one name.
    let mut erased: Vec<RowCount> = Vec::new();
    for count in answer.rows {
        match erased
            .iter_mut()
            .find(|known| known.collection == count.collection)
        {
            Some(known) => known.rows += count.rows,
            None => erased.push(count),
        }
    }
    erased.sort();
    let rows = rows(place, tables).await;
    let withheld = withheld.iter().map(|kept| format!("{kept:?}")).collect();
    End {
        rows,
        erased,
        withheld,
    }
}

fn chunks_of(rows: u64) -> SqlSourceOptions {
    options().in_chunks_of(rows.try_into().unwrap())
}

async fn same_in_chunks(
    schema: &[&str],
    tables: &[(&'static str, &str)],
    map: &DataMap,
    check: impl Fn(&End),
) {
    everywhere(async |place| {
        let whole = end(place, schema, tables, map, options()).await;
        check(&whole);
        for most in [1, 2, 3, 7, 1000] {
            let chunked = end(place, schema, tables, map, chunks_of(most)).await;
            assert_eq!(chunked, whole, "{} in chunks of {most}", place.name);
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_is_that_of_one_transaction() {
    same_in_chunks(&SCHEMA, &TABLES, &map(), |end| {
        let told: u64 = end.erased.iter().map(|count| count.rows).sum();
        assert_eq!(told, HERS, "{end:?}");
    })
    .await;
}

/// What decides how long others are kept is not gone before it has decided.
#[tokio::test]
async fn what_is_kept_is_that_of_one_transaction() {
    const KEPT: [&str; 11] = [
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), made DATE)",
        "CREATE TABLE letters (id INTEGER PRIMARY KEY, person INTEGER, sent DATE)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (person) REFERENCES people (id))",
        "CREATE TABLE items (id INTEGER PRIMARY KEY, buy INTEGER NOT NULL, FOREIGN KEY (buy) REFERENCES orders (id))",
        "CREATE TABLE claims (id INTEGER PRIMARY KEY, about INTEGER, state VARCHAR(9))",
        "CREATE TABLE invoices (id INTEGER PRIMARY KEY, buy INTEGER, issued DATE, FOREIGN KEY (buy) REFERENCES orders (id))",
        "INSERT INTO orders VALUES (1, NULL), (2, NULL), (3, NULL), (4, NULL), (5, NULL)",
        "INSERT INTO items VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 1), (7, 2)",
        "INSERT INTO claims VALUES (1, 2, 'open'), (2, 3, 'closed'), (3, 3, 'closed')",
        "INSERT INTO invoices VALUES (1, 1, '2024-05-05'), (2, 4, '2001-05-05'), (3, 5, '2002-05-05')",
        "INSERT INTO letters VALUES (1, 1, '2001-05-05'), (2, 1, '2002-05-05'), (3, 1, '2003-05-05'), (4, 2, '2026-05-05')",
    ];
    const TABLES: [(&str, &str); 6] = [
        ("people", "id, mail, made"),
        ("letters", "id, person, sent"),
        ("orders", "id, person"),
        ("items", "id, buy"),
        ("claims", "id, about, state"),
        ("invoices", "id, buy, issued"),
    ];
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    // Without any letter, she would be kept by the day on which she came.
    let contact = Retention::new("sent", "fr_prospect".into())
        .latest_of("letters", "from")
        .or("made");
    let by_order = || Link::rows(["buy"], "orders");
    let claimed =
        KeptWhile::new("state", "open", Ground::new("legal_claims")).any_of("claims", "about");
    let map = DataMap::new()
        .table(
            "people",
            Table::people()
                .column("mail", mail)
                .column("made", Column::default())
                .retained(contact),
        )
        .table(
            "letters",
            Table::new()
                .link("from", by_person())
                .column("sent", Column::default()),
        )
        .table(
            "orders",
            Table::new().link("person", by_person()).kept_while(claimed),
        )
        .table("items", Table::new().link("order", by_order()))
        .table(
            "claims",
            Table::new()
                .link("about", Link::rows(["about"], "orders"))
                .column("state", Column::default()),
        )
        .table(
            "invoices",
            Table::new()
                .link("order", by_order())
                .column("issued", Column::default())
                .retained(Retention::new("issued", "fr_com_l123_22".into())),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    // One who goes whole, and one of whom an order is kept by a claim and one by its invoice.
    for kept in [false, true] {
        let mut schema = KEPT.to_vec();
        schema.insert(
            6,
            "INSERT INTO people VALUES (1, 'ada@example.org', '2026-06-01'), (2, 'bob@example.org', '2026-06-01')",
        );
        schema.push(if kept {
            "UPDATE orders SET person = 1"
        } else {
            "UPDATE orders SET person = CASE WHEN id > 2 THEN 1 ELSE 2 END"
        });
        same_in_chunks(&schema, &TABLES, &map, |end| {
            assert_eq!(!end.withheld.is_empty(), kept, "{end:?}");
        })
        .await;
    }
}

/// A column that leads by two links, free text that leads, and what is hidden before it goes.
#[tokio::test]
async fn no_way_to_a_row_is_lost() {
    const SCHEMA: [&str; 6] = [
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), deleted_at TIMESTAMP NULL)",
        "CREATE TABLE talks (id INTEGER PRIMARY KEY, host INTEGER, mail VARCHAR(80), body VARCHAR(80))",
        "CREATE TABLE comments (id INTEGER PRIMARY KEY, mail VARCHAR(80), talk INTEGER)",
        "INSERT INTO people VALUES (1, 'ada@example.org', NULL), (2, 'bob@example.org', NULL)",
        "INSERT INTO talks VALUES (1, 1, 'ada@example.org', 'x'), (2, 1, 'ada@example.org', 'y'), (3, 2, 'ada@example.org', 'z'), (4, 1, 'bob@example.org', 'a')",
        "INSERT INTO comments VALUES (1, 'ada@example.org', 1), (2, 'ada@example.org', 2), (3, 'Ada@example.org', 3), (4, 'bob@example.org', 3)",
    ];
    const TABLES: [(&str, &str); 3] = [
        ("people", "id, mail"),
        ("talks", "id, host, mail, body"),
        ("comments", "id, mail, talk"),
    ];
    let named = || Ground::new("rights_of_others");
    let mail = || Column::of(Category::Contact);
    let by_mail = || Link::identifier("mail", IdentifierKind::Mail).mentioned(named());
    let map = DataMap::new()
        .table(
            "people",
            Table::people()
                .column("mail", mail().identifies(IdentifierKind::Mail))
                .soft_deleted("deleted_at", 30),
        )
        .table(
            "talks",
            Table::new()
                .link(
                    "host",
                    Link::rows(["host"], "people")
                        .mentioned(named())
                        .erasing("mail", Strategy::Null),
                )
                .link(
                    "mail",
                    by_mail().erasing("body", Strategy::Fixed("-".into())),
                )
                .column("mail", mail())
                .column("body", mail()),
        )
        .table(
            "comments",
            Table::new()
                .link("mail", by_mail())
                .column("mail", mail().free_text())
                .column("talk", Column::default()),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    same_in_chunks(&SCHEMA, &TABLES, &map, |end| {
        assert_eq!(end.rows[1].1[2], "3|2|-|-", "{end:?}");
        assert_eq!(end.withheld.len(), 1, "she is hidden: {end:?}");
    })
    .await;
}

/// A clock that goes on with each look at it.
struct Ticking(AtomicI64);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = crate::NOW.parse().unwrap();
        start + TimeDelta::seconds(self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep_until(&self, _: DateTime<Utc>) {}
}

/// Ada in a source that erases in chunks, chunk by chunk.
struct Slowly<'a> {
    place: &'a Place,
    clock: Arc<Ticking>,
    source: SqlSource,
    locators: Vec<Locator>,
}

impl<'a> Slowly<'a> {
    async fn new(place: &'a Place, most: u64) -> Self {
        place.run(&SCHEMA).await;
        let clock = Arc::new(Ticking(AtomicI64::new(0)));
        let source = SqlSource::open(place.pool.clone(), &map(), clock.clone(), chunks_of(most))
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", place.name));
        let locators = locate(&source, ADA).await.locators;
        Self {
            place,
            clock,
            source,
            locators,
        }
    }

    /// A caller who waits for one chunk, or for the end.
    fn context(&self, key: &str, patient: bool) -> CallContext {
        let mut context = context(key);
        let wait = if patient {
            TimeDelta::days(1)
        } else {
            TimeDelta::milliseconds(1500)
        };
        context.deadline = self.clock.now() + wait;
        context
    }

    async fn plan(&self) -> SourcePlan {
        let plan = self
            .source
            .plan(&context("plan"), &self.locators, &Work::Erase)
            .await;
        done(plan.unwrap())
    }

    /// One chunk: `None`, where more is left.
    async fn chunk(&self, key: &str, plan: &SourcePlan) -> Result<Option<Erased>, PortError> {
        let context = self.context(key, false);
        match self.source.erase(&context, &self.locators, plan).await? {
            Answer::Done(erased) => Ok(Some(erased)),
            Answer::Pending(pending) => {
                assert!(pending.task.is_none() && pending.look_again <= self.clock.now());
                Ok(None)
            }
            _ => panic!("not done"),
        }
    }

    async fn all(&self, key: &str, plan: &SourcePlan) -> Result<Erased, PortError> {
        let context = self.context(key, true);
        let erased = self.source.erase(&context, &self.locators, plan).await;
        erased.map(done)
    }

    async fn left(&self) -> u64 {
        let left = self.source.residue(&context("left"), &self.locators).await;
        done(left.unwrap())
            .rows
            .iter()
            .map(|count| count.rows)
            .sum()
    }

    async fn count(&self, table: &str) -> usize {
        self.place.rows(table, "id").await.len()
    }
}

fn told(erased: &Erased) -> u64 {
    erased.rows.iter().map(|count| count.rows).sum()
}

/// Each call does a chunk, and none calls that done.
#[tokio::test]
async fn a_caller_who_does_not_wait_is_told_that_there_is_more() {
    everywhere(async |place| {
        let ada = Slowly::new(place, 4).await;
        let plan = ada.plan().await;
        let mut left = ada.left().await;
        assert_eq!(left, HERS);
        let mut chunks = 1;
        let erased = loop {
            if let Some(erased) = ada.chunk("e", &plan).await.unwrap() {
                break erased;
            }
            let now = ada.left().await;
            assert!(now < left && left - now <= 4, "{}", place.name);
            left = now;
            chunks += 1;
        };
        assert_eq!((chunks, told(&erased)), (HERS.div_ceil(4), HERS));
        assert_eq!(ada.left().await, 0);
        // Who asks again is told the same.
        assert_eq!(ada.chunk("e", &plan).await.unwrap(), Some(erased));
        assert_eq!(place.rows("datarights_effects", "effect").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_is_placed_between_two_chunks_holds() {
    everywhere(async |place| {
        let ada = Slowly::new(place, 3).await;
        let plan = ada.plan().await;
        while ada.count("items").await > 7 {
            assert_eq!(ada.chunk("e", &plan).await.unwrap(), None);
        }
        let held = ada.count("items").await as u64 - 1; // one is Bob's
        let hold = Hold::on_table("case 7", Ground::new("litigation"), "items");
        ada.source.place_hold(&context("h"), &hold).await.unwrap();
        let erased = ada.all("e", &plan).await.unwrap();
        let mut kept = erased.withheld.iter();
        let kept = kept.find(|kept| kept.collection == "items").unwrap();
        assert_eq!((kept.rows, &kept.until), (held, &Until::HoldLifted));
        assert_eq!(ada.count("items").await as u64, held + 1);
        let withheld: u64 = erased.withheld.iter().map(|kept| kept.rows).sum();
        assert_eq!(told(&erased) + withheld, HERS, "{}", place.name);
        // Lifted, the rest goes, and is counted once.
        assert!(ada.source.lift_hold(&context("l"), "case 7").await.unwrap());
        let plan = ada.plan().await;
        let rest = ada.all("later", &plan).await.unwrap();
        assert_eq!((told(&rest), rest.withheld.len()), (withheld, 0));
        assert_eq!(ada.left().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_added_between_two_chunks_needs_a_new_plan_and_the_sum_is_kept() {
    everywhere(async |place| {
        let ada = Slowly::new(place, 5).await;
        let plan = ada.plan().await;
        while ada.count("items").await > 6 {
            assert_eq!(ada.chunk("e", &plan).await.unwrap(), None);
        }
        let before = ada.left().await;
        place
            .run(&["INSERT INTO items VALUES (90, 5), (91, 5), (92, 5), (93, 5), (94, 5), (95, 5)"])
            .await;
        let refused = ada.all("e", &plan).await.unwrap_err();
        assert_eq!(SqlFault::of(&refused), Some(SqlFault::PlanChanged));
        assert_eq!(refused.place.as_deref(), Some("items"));
        assert_eq!(ada.left().await, before + 6, "nothing more was done");
        // Approved anew, and executed under another key.
        let again = ada.plan().await;
        assert_eq!(
            again.rows.iter().map(|line| line.rows).sum::<u64>(),
            before + 6
        );
        assert_eq!(ada.chunk("again", &again).await.unwrap(), None);
        let erased = ada.all("again", &again).await.unwrap();
        assert_eq!(told(&erased), HERS + 6, "{}", place.name);
        assert_eq!(ada.left().await, 0);
        assert_eq!(ada.all("again", &again).await.unwrap(), erased);
        // What is told once is told by no other effect.
        assert_eq!(told(&ada.all("e", &plan).await.unwrap()), 0);
    })
    .await;
}

#[tokio::test]
async fn what_fails_in_the_middle_goes_on_where_it_failed() {
    everywhere(async |place| {
        let ada = Slowly::new(place, 4).await;
        let plan = ada.plan().await;
        let (made, gone) = match &place.pool {
            SqlPool::Sqlite(_) => (
                "CREATE TRIGGER no BEFORE DELETE ON orders WHEN old.id = 4 BEGIN SELECT RAISE(ABORT, 'ada@example.org'); END",
                "DROP TRIGGER no",
            ),
            SqlPool::MySql(_) => (
                "CREATE TRIGGER no BEFORE DELETE ON orders FOR EACH ROW BEGIN IF old.id = 4 THEN SIGNAL SQLSTATE '45000'; END IF; END",
                "DROP TRIGGER no",
            ),
            _ => (
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ada@example.org'; END $$;
                 CREATE TRIGGER no BEFORE DELETE ON orders FOR EACH ROW WHEN (old.id = 4) EXECUTE FUNCTION no()",
                "DROP TRIGGER no ON orders",
            ),
        };
        place.run(&[made]).await;
        let refused = ada.all("e", &plan).await.unwrap_err();
        assert_eq!(SqlFault::of(&refused), Some(SqlFault::TriggerRefused), "{refused}");
        assert_eq!(refused.place.as_deref(), Some("orders"));
        assert_eq!(ada.count("items").await, 1, "{}", place.name);
        assert_ne!(ada.left().await, 0);
        let context = ada.context("e", true);
        context.cancel.cancel();
        assert!(ada.source.erase(&context, &ada.locators, &plan).await.is_err());
        place.run(&[gone]).await;
        let erased = ada.all("e", &plan).await.unwrap();
        assert_eq!((told(&erased), ada.left().await), (HERS, 0));
    })
    .await;
}

/// What each transaction changed, as the database's own hooks tell.
#[tokio::test]
async fn no_transaction_of_sqlite_changes_more_rows() {
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (counted, noted) = (Arc::clone(&now), Arc::clone(&told));
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(folder.path().join("place.sqlite"))
        .create_if_missing(true);
    let pool = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            let (counted, noted) = (Arc::clone(&counted), Arc::clone(&noted));
            Box::pin(async move {
                let mut handle = connection.lock_handle().await?;
                let (at_end, back) = (Arc::clone(&counted), Arc::clone(&counted));
                handle.set_update_hook(move |change| {
                    if change.database == "main" && !change.table.starts_with("datarights") {
                        let row = (change.table.to_owned(), change.rowid);
                        counted.lock().unwrap().insert(row);
                    }
                });
                handle.set_commit_hook(move || {
                    let rows = std::mem::take(&mut *at_end.lock().unwrap());
                    noted.lock().unwrap().push(rows.len() as u64);
                    true
                });
                handle.set_rollback_hook(move || back.lock().unwrap().clear());
                Ok(())
            })
        });
    let place = Place {
        pool: pool.connect_with(options).await.unwrap().into(),
        name: "sqlite",
    };
    place.run(&SCHEMA).await;
    let source = place.open_with(&map(), chunks_of(4)).await;
    told.lock().unwrap().clear();
    crate::erase(&source, ADA).await;
    let told = told.lock().unwrap().clone();
    check_sizes(told.into_iter().filter(|rows| *rows > 0).collect());
}

/// The same in PostgreSQL, as triggers tell.
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
#[tokio::test]
async fn no_transaction_of_postgres_changes_more_rows() {
    crate::server_suite::on_postgres(async |fresh| {
        let place = Place {
            pool: fresh().await,
            name: "postgres",
        };
        place.run(&SCHEMA).await;
        let noting = "CREATE TABLE noted (tx bigint, place text, nth int);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted VALUES
              (txid_current(), tg_table_name, old.id); RETURN NULL; END $$";
        place.run(&[noting]).await;
        for (table, _) in TABLES {
            let trigger = format!(
                "CREATE TRIGGER note AFTER UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION note()"
            );
            place.run(&[&trigger]).await;
        }
        let map = map().exempt("noted", "a log of the test");
        let source = place.open_with(&map, chunks_of(4)).await;
        crate::erase(&source, ADA).await;
        let sizes = "(SELECT count(DISTINCT (place, nth)) AS size FROM noted GROUP BY tx) AS g";
        let sizes = place.rows(sizes, "size").await;
        check_sizes(sizes.iter().map(|size| size.parse().unwrap()).collect());
    })
    .await;
}

fn check_sizes(sizes: Vec<u64>) {
    assert_eq!(sizes.iter().sum::<u64>(), HERS, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 4), "{sizes:?}");
    assert_eq!(sizes.len() as u64, HERS.div_ceil(4), "{sizes:?}");
}
