//! A shop that was made for these tests: keys of every shape, every strategy, retention, names that
//! need quoting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datarights::adapters::{SqlOpenError, SqlSource, SqlSourceOptions};
use datarights::datamap::{
    Column, DataMap, Generalise, Link, Plain, Retention, RetentionRule, RowErasure, Strategy, Table,
};
use datarights::law::{Meanwhile, Period, RetentionDuty, RetentionStart};
use datarights::model::{Assurance, Category, Ground, Identifier, IdentifierKind, SourceId, Until};
use datarights::ports::{ErrorKind, PersonalDataSource, Work};
use datarights::testkit::source_suite::{Specimen, assert_conforms};
use rusqlite::Connection;

use crate::sql_oracle::SqlOracle;
use crate::{clock, context, correction, done, erase, locate, open, options, pool, read};

/// Two people, 1 and 2, with the same rows each, numbered n0, n1, …; and 3, who has nothing.
const SCHEMA: &str = r#"
CREATE TABLE accounts (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, name TEXT NOT NULL CHECK (name <> ''),
  secret TEXT, main_address INTEGER REFERENCES addresses);
CREATE TABLE addresses (id INTEGER PRIMARY KEY, account INTEGER REFERENCES accounts, city TEXT);
CREATE TABLE "order" ("group" INTEGER, "select" INTEGER, account INTEGER NOT NULL REFERENCES accounts,
  PRIMARY KEY ("group", "select")) WITHOUT ROWID;
CREATE TABLE "we""ird; DROP TABLE x" ("a.b" INTEGER, "c'd" INTEGER, note TEXT,
  FOREIGN KEY ("a.b", "c'd") REFERENCES "order" ("group", "select"));
CREATE TABLE messages (id INTEGER PRIMARY KEY, account INTEGER, parent INTEGER REFERENCES messages, body TEXT);
CREATE TABLE tags (model TEXT, model_id TEXT, tag TEXT);
CREATE TABLE cards (number TEXT NOT NULL UNIQUE, account INTEGER REFERENCES accounts);
CREATE TABLE swipes (card TEXT REFERENCES cards (number), place TEXT);
CREATE TABLE visits (mail TEXT, page TEXT);
CREATE TABLE lists (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES accounts, title TEXT);
CREATE TABLE tasks (id INTEGER PRIMARY KEY, done_by INTEGER NOT NULL, signed TEXT NOT NULL);
CREATE TABLE countries (code TEXT PRIMARY KEY);
PRAGMA foreign_keys = OFF;
INSERT INTO accounts VALUES (1, ' Émile@Example.ORG', 'Émile Zola', 'hunter2', 10),
  (2, 'george@example.org', 'George Sand', 'swordfish', 20), (3, 'nobody@example.org', 'Nobody', NULL, NULL);
INSERT INTO addresses VALUES (10, 1, 'Paris'), (11, 1, 'Médan'), (20, 2, 'Nohant'), (21, NULL, 'Nowhere');
INSERT INTO "order" VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2);
INSERT INTO "we""ird; DROP TABLE x" VALUES (1, 1, 'his'), (1, 2, 'hers'), (2, 1, 'his'), (NULL, 1, 'whose');
INSERT INTO messages VALUES (1, 1, NULL, 'a'), (2, NULL, 1, 'b'), (3, NULL, 2, 'c'), (4, 2, NULL, 'd'), (5, NULL, 4, 'e'), (6, NULL, 6, 'f');
INSERT INTO tags VALUES ('account', '1', 'vip'), ('account', '2', 'vip'), ('message', '3', 'x'), ('message', '1', 'y'), ('message', '5', 'z'), ('city', '1', 'w');
INSERT INTO cards VALUES ('4711', 1), ('4712', 2);
INSERT INTO swipes VALUES ('4711', 'gate'), ('4711', 'gate'), ('4712', 'gate'), (NULL, 'gate');
INSERT INTO visits VALUES ('ÉMILE@example.org', '/'), ('émile@example.org ', '/a'), ('george@example.org', '/'), ('xémile@example.org', '/');
INSERT INTO lists VALUES (1, 1, 'party'), (2, 2, 'picnic');
INSERT INTO tasks VALUES (1, 1, 'E. Zola'), (2, 2, 'G. Sand'), (3, 1, 'E. Zola');
"#;

const HIM: &str = "émile@example.org";
const HER: &str = "george@example.org";

fn described(category: Category) -> Column {
    Column::of(category)
}

fn people() -> Table {
    Table::people()
        .column(
            "mail",
            described(Category::Contact)
                .identifies(IdentifierKind::Mail)
                .rectifiable()
                .copied_to("visits", "mail"),
        )
        .column("name", described(Category::Identity).rectifiable())
        .column("secret", described(Category::Credentials).secret())
        .link("main", Link::rows(["main_address"], "addresses"))
}

fn map() -> DataMap {
    let account = || Link::rows(["account"], "accounts");
    DataMap::new()
        .table("accounts", people())
        .table(
            "addresses",
            Table::new()
                .link("account", account())
                .column("city", described(Category::Contact)),
        )
        .table("order", Table::new().link("account", account()))
        .table(
            "we\"ird; DROP TABLE x",
            Table::new()
                .link("order", Link::rows(["a.b", "c'd"], "order"))
                .column("note", described(Category::Contract)),
        )
        .table(
            "messages",
            Table::new()
                .link("author", account())
                .link("answers", Link::rows(["parent"], "messages"))
                .column("body", described(Category::Correspondence)),
        )
        .table(
            "tags",
            Table::new()
                .link(
                    "account",
                    Link::rows(["model_id"], "accounts").when("model", "account"),
                )
                .link(
                    "message",
                    Link::rows(["model_id"], "messages").when("model", "message"),
                )
                .column("tag", described(Category::Inferred)),
        )
        .table(
            "cards",
            Table::new()
                .link("account", account())
                .column("number", described(Category::Financial)),
        )
        .table(
            "swipes",
            Table::new()
                .link(
                    "card",
                    Link::rows(["card"], "cards").referencing(["number"]),
                )
                .column("place", described(Category::Location)),
        )
        .table(
            "visits",
            Table::new()
                .link("visitor", Link::identifier("mail", IdentifierKind::Mail))
                .column("mail", described(Category::Contact))
                .column("page", described(Category::Usage)),
        )
        .table(
            "lists",
            Table::new()
                .link("owner", Link::rows(["owner"], "accounts").shared())
                .column("title", described(Category::Usage)),
        )
        .table(
            "tasks",
            Table::new().link(
                "done_by",
                Link::rows(["done_by"], "accounts")
                    .mentioned(Ground::new("rights_of_others"))
                    .erasing("done_by", Strategy::Fixed(Plain::Int(0)))
                    .erasing("signed", Strategy::Mask(1)),
            ),
        )
        .exempt("countries", "a list")
        .exempt_columns("*", ["id"], "a number of ours")
        .exempt_columns("order", ["group", "select"], "numbers of ours")
}

fn made(folder: &Path, schema: &str) -> PathBuf {
    let path = folder.join(format!("{}.sqlite", uuid::Uuid::from_u128(1)));
    let connection = Connection::open(&path).unwrap();
    // What is on the disk after a power cut is not looked at here.
    let fast = "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;";
    connection.execute_batch(fast).unwrap();
    connection.execute_batch(schema).unwrap();
    path
}

/// All rows of a table, as text.
fn all(path: &Path, table: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""));
    let mut statement = connection.prepare(&sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cell = |n| match row.get_unwrap::<_, rusqlite::types::Value>(n) {
            rusqlite::types::Value::Null => "-".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        };
        Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
    };
    let mut rows: Vec<String> = statement
        .query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn keys_of_every_shape_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), SCHEMA);
    let source = open(&path, &map()).await;
    // Written as nobody wrote it in the database.
    let found = locate(&source, "ÉMILE@EXAMPLE.org").await;
    let counts: BTreeMap<&str, u64> = found
        .rows
        .iter()
        .map(|count| (count.collection.as_str(), count.rows))
        .collect();
    let expected = [
        ("accounts", 1),
        ("addresses", 2),
        ("cards", 1),
        ("lists.owner", 1),
        ("messages", 3),
        ("order", 2),
        ("swipes", 2),
        ("tags", 3),
        ("tasks.done_by", 2),
        ("visits", 2),
        ("we\"ird; DROP TABLE x", 2),
    ];
    assert_eq!(counts, BTreeMap::from(expected));

    let erased = erase(&source, HIM).await;
    assert_eq!(erased.assurance, Assurance::Anonymised);
    assert_eq!(
        all(&path, "accounts"),
        [
            "2|george@example.org|George Sand|swordfish|20",
            "3|nobody@example.org|Nobody|-|-"
        ]
    );
    assert_eq!(all(&path, "addresses"), ["20|2|Nohant", "21|-|Nowhere"]);
    assert_eq!(all(&path, "order"), ["1|2|2", "2|2|2"]);
    assert_eq!(
        all(&path, "we\"ird; DROP TABLE x"),
        ["-|1|whose", "1|2|hers"]
    );
    assert_eq!(all(&path, "messages"), ["4|2|-|d", "5|-|4|e", "6|-|6|f"]);
    assert_eq!(
        all(&path, "tags"),
        ["account|2|vip", "city|1|w", "message|5|z"]
    );
    assert_eq!(all(&path, "cards"), ["4712|2"]);
    assert_eq!(all(&path, "swipes"), ["-|gate", "4712|gate"]);
    assert_eq!(
        all(&path, "visits"),
        ["george@example.org|/", "xémile@example.org|/"]
    );
    assert_eq!(all(&path, "lists"), ["1|-|party", "2|2|picnic"]);
    assert_eq!(
        all(&path, "tasks"),
        ["1|0|E******", "2|2|G. Sand", "3|0|E******"]
    );
    assert!(locate(&source, HIM).await.locators.is_empty());
}

#[tokio::test]
async fn shared_rows_are_given_and_mentions_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), SCHEMA);
    let source = open(&path, &map()).await;
    let (rows, withheld) = read(&source, HIM).await;
    let of = |name: &str| {
        let rows = rows.iter().filter(|(collection, _)| collection == name);
        rows.map(|(_, cells)| cells.clone()).collect::<Vec<_>>()
    };
    let cell = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        of("accounts"),
        [[
            cell("mail", "{\"Text\":\" Émile@Example.ORG\"}"),
            cell("name", "{\"Text\":\"Émile Zola\"}"),
            cell("secret", "\"Secret\""),
        ]]
    );
    assert_eq!(of("lists.owner"), [[cell("title", "{\"Text\":\"party\"}")]]);
    assert_eq!(withheld, [("tasks.done_by".to_owned(), 2)]);
}

/// Everything is somebody's alone: nothing of anybody else changes.
#[tokio::test]
async fn the_source_keeps_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    let (mut schema, mut map) = (SCHEMA.to_owned(), map());
    map.tables.remove("lists");
    map.tables.remove("tasks");
    // The oracle of this suite does not quote names.
    map.tables.remove("order");
    map.tables.remove("we\"ird; DROP TABLE x");
    map.exempt.retain(|exempt| exempt.table != "order");
    // A retention of which the end is near, and one that is past.
    schema += "CREATE TABLE invoices (id INTEGER PRIMARY KEY, account INTEGER REFERENCES accounts,
                 day TEXT, total INTEGER);
               INSERT INTO invoices VALUES (1, 1, '2024-01-31', 1), (2, 1, '2025-02-01', 2),
                 (3, 2, '2024-01-31', 3);
               DROP TABLE lists; DROP TABLE tasks; DROP TABLE \"we\"\"ird; DROP TABLE x\"; DROP TABLE \"order\";";
    let map = map.table("invoices", invoices());
    assert_conforms(async || {
        let own = tempfile::tempdir_in(folder.path()).unwrap().keep();
        let path = made(&own, &schema);
        let source: Arc<dyn PersonalDataSource> = Arc::new(open(&path, &map).await);
        let messages = "id IN (1, 2, 3)";
        let person = [
            ("accounts", "id = 1"),
            ("addresses", "account IS 1"),
            (
                "tags",
                "model = 'account' AND model_id = '1' OR model = 'message' AND model_id IN ('1', '3')",
            ),
            ("messages", messages),
            ("cards", "account = 1"),
            ("swipes", "card IS '4711'"),
            (
                "visits",
                "page <> 'x' AND mail IN ('ÉMILE@example.org', 'émile@example.org ')",
            ),
            ("invoices", "account = 1"),
        ];
        let person = person
            .into_iter()
            .map(|(table, theirs)| (table, theirs.to_owned()))
            .collect();
        let oracle = Arc::new(SqlOracle {
            path,
            person,
            ignored: &[],
        });
        let mail = |address: &str| vec![Identifier::mail(address).unwrap()];
        Specimen::new(source, oracle, mail(HIM), mail(HER))
            .correcting(
                correction("accounts", "name", "Émile Édouard Zola"),
                correction("accounts", "secret", "hunter3"),
            )
            .hiding("hunter2")
            .withholding("invoices")
            .withholding("accounts")
            .withholding("addresses")
    })
    .await;
}

/// Two years from the date of the document.
fn invoices() -> Table {
    let duty = RetentionDuty::new(
        "books",
        "an article",
        "invoices",
        Period::Years(2),
        RetentionStart::Document,
        Meanwhile::Restrict,
    );
    Table::new()
        .link("account", Link::rows(["account"], "accounts"))
        .column("total", Column::of(Category::Financial))
        .column("day", Column::of(Category::Financial))
        .retained(Retention::new("day", RetentionRule::Own(duty)))
}

#[tokio::test]
async fn what_must_be_kept_is_kept_row_by_row_with_what_it_hangs_on() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, mail TEXT);
        CREATE TABLE contracts (id INTEGER PRIMARY KEY, account INTEGER REFERENCES accounts);
        CREATE TABLE invoices (id INTEGER PRIMARY KEY, account INTEGER REFERENCES contracts, day TEXT, total INTEGER);
        CREATE TABLE logins (account INTEGER REFERENCES accounts);
        INSERT INTO accounts VALUES (1, 'émile@example.org'), (2, 'george@example.org'), (3, 'third@example.org');
        INSERT INTO contracts VALUES (1, 1), (2, 1), (3, 2), (4, 3);
        INSERT INTO logins VALUES (1), (1), (2), (3);
        INSERT INTO invoices VALUES (1, 1, '2024-11-21', 1), (2, 1, '2024-11-22', 1),
          (3, 1, '2026-02-28 10:00:00', 1), (4, 2, '2020-01-01', 1), (5, 3, '2019-01-01', 1), (6, 4, NULL, 1);";
    let path = made(folder.path(), schema);
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let mut invoices = invoices();
    invoices = invoices.link("account", Link::rows(["account"], "contracts"));
    let map = DataMap::new()
        .table("accounts", Table::people().column("mail", mail))
        .table(
            "contracts",
            Table::new().link("account", Link::rows(["account"], "accounts")),
        )
        .table(
            "logins",
            Table::new().link("account", Link::rows(["account"], "accounts")),
        )
        .table("invoices", invoices)
        .exempt_columns("*", ["id"], "a number of ours");
    let source = open(&path, &map).await;

    let erased = erase(&source, HIM).await;
    let kept: Vec<(&str, u64, &str, Until)> = erased
        .withheld
        .iter()
        .map(|k| (k.collection.as_str(), k.rows, k.ground.id(), k.until))
        .collect();
    let until = |day: &str| Until::Date(day.parse().unwrap());
    assert_eq!(
        kept,
        [
            ("accounts", 1, "books", until("2028-02-28")),
            ("contracts", 1, "books", until("2028-02-28")),
            ("invoices", 1, "books", until("2026-11-22")),
            ("invoices", 1, "books", until("2028-02-28")),
        ]
    );
    assert_eq!(all(&path, "contracts"), ["1|1", "3|2", "4|3"]);
    assert_eq!(all(&path, "logins"), ["2", "3"]);
    assert_eq!(all(&path, "invoices").len(), 4);

    // All of hers is past; of the third, nobody knows the day.
    let erased = erase(&source, HER).await;
    assert_eq!(erased.withheld, []);
    assert_eq!(all(&path, "invoices").len(), 3);
    let erased = erase(&source, "third@example.org").await;
    assert!(
        erased
            .withheld
            .iter()
            .all(|kept| kept.until == Until::Always)
    );
    assert_eq!(erased.withheld.len(), 3);

    // When the time has come, the rest goes, found by what was located then.
    let found = locate(&source, HIM).await;
    let later = Arc::new(datarights::testkit::TestClock::at(
        "2028-02-29T00:00:00Z".parse().unwrap(),
    ));
    let source = SqlSource::open(pool(&path).await, &map, later, options())
        .await
        .unwrap();
    let plan = source
        .plan(&context("p"), &found.locators, &Work::Erase)
        .await;
    let plan = done(plan.unwrap());
    let again = source
        .erase(&context("later"), &found.locators, &plan)
        .await;
    assert_eq!(done(again.unwrap()).withheld, []);
    assert_eq!(all(&path, "accounts"), ["3|third@example.org"]);
}

/// A credit note is kept, and with it the invoices that it corrects, however old they are.
#[tokio::test]
async fn what_is_kept_keeps_what_it_refers_to_through_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, mail TEXT);
        CREATE TABLE invoices (id INTEGER PRIMARY KEY, account INTEGER REFERENCES accounts, day TEXT,
          total INTEGER, corrects INTEGER REFERENCES invoices);
        INSERT INTO accounts VALUES (1, 'émile@example.org');
        INSERT INTO invoices VALUES (1, 1, '2001-01-01', 1, NULL), (2, 1, '2002-01-01', 1, 1),
          (3, 1, '2026-01-01', 1, 2), (4, 1, '2003-01-01', 1, 1);";
    let path = made(folder.path(), schema);
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let map = DataMap::new()
        .table("accounts", Table::people().column("mail", mail))
        .table(
            "invoices",
            invoices().link("corrects", Link::rows(["corrects"], "invoices")),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    let source = open(&path, &map).await;
    let erased = erase(&source, HIM).await;
    let kept: Vec<(&str, u64)> = erased
        .withheld
        .iter()
        .map(|kept| (kept.collection.as_str(), kept.rows))
        .collect();
    assert_eq!(kept, [("accounts", 1), ("invoices", 3)]);
    assert_eq!(all(&path, "invoices").len(), 3);
}

#[tokio::test]
async fn every_strategy_leaves_what_it_says_and_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "
        CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, kept TEXT, nulled TEXT, fixed TEXT,
          yes BOOLEAN, masked TEXT, year TEXT, month TEXT, postcode TEXT, pseudonym TEXT);
        INSERT INTO people VALUES
          (1, 'émile@example.org', 'k', 'n', 'f', 0, 'Zola', '1840-04-02', '1902-09-29 03:04:05', '75009', 'Émile'),
          (2, 'george@example.org', 'k', 'n', 'f', 0, NULL, '1804-07-01', '1876-06-08', '36400', 'Émile'),
          (3, NULL, 'k', 'n', 'f', 0, 'Sand', '1804-07-01', '1876-06-08', '36400', 'Other');";
    let path = made(folder.path(), schema);
    let by = |strategy| Column::default().erased_by(strategy);
    let map = DataMap::new()
        .table(
            "people",
            Table::people()
                .erased_by(RowErasure::Columns)
                .column(
                    "mail",
                    Column::of(Category::Contact)
                        .identifies(IdentifierKind::Mail)
                        .erased_by(Strategy::Null),
                )
                .column("kept", by(Strategy::Keep))
                .column("nulled", by(Strategy::Null))
                .column("fixed", by(Strategy::Fixed("x".into())))
                .column("yes", by(Strategy::Fixed(true.into())))
                .column("masked", by(Strategy::Mask(1)))
                .column("year", by(Strategy::Generalise(Generalise::Year)))
                .column("month", by(Strategy::Generalise(Generalise::Month)))
                .column("postcode", by(Strategy::Generalise(Generalise::Prefix(2))))
                .column("pseudonym", by(Strategy::Pseudonym)),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    let source = open(&path, &map).await;
    let erased = erase(&source, HIM).await;
    assert_eq!(erased.assurance, Assurance::Anonymised);
    assert_eq!(erased.rows.len(), 1);
    erase(&source, HER).await;
    let rows = all(&path, "people");
    let pseudonym = rows[0].rsplit('|').next().unwrap().to_owned();
    assert!(pseudonym.starts_with("anon-") && pseudonym.len() == 37);
    assert_eq!(
        rows,
        [
            format!("1|-|k|-|x|1|Z***|1840-01-01|1902-09-01 00:00:00|75|{pseudonym}"),
            format!("2|-|k|-|x|1|-|1804-01-01|1876-06-01|36|{pseudonym}"),
            "3|-|k|n|f|0|Sand|1804-07-01|1876-06-08|36400|Other".to_owned(),
        ]
    );
    let no_key = SqlSourceOptions::new(SourceId::new("s").unwrap(), "S");
    let refused = SqlSource::open(pool(&path).await, &map, clock(), no_key).await;
    assert!(matches!(refused, Err(SqlOpenError::NoPseudonymKey)));
}

#[tokio::test]
async fn what_the_database_will_refuse_is_found_by_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let traps = [
        (
            "CREATE TRIGGER no BEFORE DELETE ON cards BEGIN SELECT RAISE(ABORT, 'Émile Zola'); END",
            "cards",
        ),
        (
            "CREATE TABLE holds (card TEXT NOT NULL REFERENCES cards (number));
             INSERT INTO holds VALUES ('4711')",
            "cards",
        ),
    ];
    for (nth, (trap, place)) in traps.into_iter().enumerate() {
        let own = folder.path().join(nth.to_string());
        std::fs::create_dir(&own).unwrap();
        let path = made(&own, SCHEMA);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(trap).unwrap();
        // The host says that the holds are nobody's; the database does not let it.
        let map = if nth == 1 {
            map().exempt("holds", "nothing, it says").exempt_columns(
                "holds",
                ["card"],
                "nothing, it says",
            )
        } else {
            map()
        };
        let source = open(&path, &map).await;
        let before = all(&path, "accounts");
        let found = locate(&source, HIM).await;
        let plan = source
            .plan(&context("p"), &found.locators, &Work::Erase)
            .await;
        let error = plan.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert_eq!(error.place.as_deref(), Some(place));
        assert!(!format!("{error:?}").contains("Zola"));
        assert_eq!(all(&path, "accounts"), before);

        // A CHECK that a correction would break.
        let work = Work::Rectify(vec![correction("accounts", "mail", HER)]);
        let plan = source.plan(&context("p"), &found.locators, &work).await;
        assert_eq!(plan.unwrap_err().to_string(), "not_unique at accounts.mail");
    }
}

#[tokio::test]
async fn an_erasure_that_fails_half_way_leaves_everything_and_is_done_when_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), SCHEMA);
    let source = open(&path, &map()).await;
    let found = locate(&source, HIM).await;
    let plan = source
        .plan(&context("p"), &found.locators, &Work::Erase)
        .await;
    let plan = done(plan.unwrap());
    let connection = Connection::open(&path).unwrap();
    let trap = "CREATE TRIGGER no BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'no'); END";
    connection.execute_batch(trap).unwrap();
    let tables = [
        "accounts",
        "addresses",
        "order",
        "messages",
        "tags",
        "visits",
    ];
    let before: Vec<_> = tables.iter().map(|table| all(&path, table)).collect();
    let failed = source.erase(&context("e"), &found.locators, &plan).await;
    assert_eq!(failed.unwrap_err().kind, ErrorKind::Refused);
    let after: Vec<_> = tables.iter().map(|table| all(&path, table)).collect();
    assert_eq!(before, after);
    let left = source.residue(&context("r"), &found.locators).await;
    assert!(!done(left.unwrap()).rows.is_empty());
    connection.execute_batch("DROP TRIGGER no").unwrap();
    let erased = done(
        source
            .erase(&context("e"), &found.locators, &plan)
            .await
            .unwrap(),
    );
    let again = source.erase(&context("e"), &found.locators, &plan).await;
    assert_eq!(
        done(again.unwrap()),
        erased,
        "the same effect answers the same"
    );
    let left = source.residue(&context("r"), &found.locators).await;
    assert_eq!(done(left.unwrap()).rows, []);
}

#[tokio::test]
async fn a_map_that_does_not_fit_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), SCHEMA);
    let mut map = map();
    map.tables.remove("visits");
    let refused = SqlSource::open(pool(&path).await, &map, clock(), options()).await;
    let Err(SqlOpenError::Map(problems)) = refused else {
        panic!("it was opened")
    };
    assert_eq!(problems.all()[0].table, "accounts"); // the copy leads nowhere
}
