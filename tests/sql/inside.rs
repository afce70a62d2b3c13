//! Where a statement holds its sets inside, it does what the steps with temporary tables do: planned,
//! erased and left are the same, and so is every cell. A hold on a row that is not there makes the
//! other one of two equal databases take the steps.

use datarights::adapters::{Hold, SqlPool, SqlSource};
use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, Ground, IdentifierKind, RowCount};
use datarights::ports::{Located, PersonalDataSource as _, PlannedRows, Work};

use crate::trouble::{Fresh, fetch, on_sqlite, run};
use crate::{clock, context, done, locate, options};

/// Two ways to one table, keys of two columns, a reference to what is no key, rows that know a mail
/// address only.
const SCHEMA: [&str; 6] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), code INTEGER, name VARCHAR(80))",
    "CREATE TABLE orders (shop INTEGER NOT NULL, number INTEGER NOT NULL, person INTEGER, receiver \
     INTEGER, name VARCHAR(80), note VARCHAR(80), PRIMARY KEY (shop, number))",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, shop INTEGER, number INTEGER, mail VARCHAR(80), what \
     VARCHAR(80), told VARCHAR(80))",
    "CREATE TABLE parcels (id INTEGER PRIMARY KEY, item INTEGER NOT NULL, name VARCHAR(80))",
    "CREATE TABLE labels (id INTEGER PRIMARY KEY, code INTEGER, kind VARCHAR(8), name VARCHAR(80))",
    "CREATE INDEX labels_code ON labels (code)",
];
/// Every cell, by table.
const CELLS: [(&str, &str); 5] = [
    ("people", "id, mail, code, name"),
    ("orders", "shop, number, person, receiver, name, note"),
    ("items", "id, shop, number, mail, what, told"),
    ("parcels", "id, item, name"),
    ("labels", "id, code, kind, name"),
];
const PEOPLE: u64 = 4;

/// Numbers by chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, many: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % many
    }

    /// A number below, or none.
    fn some(&mut self, many: u64) -> String {
        match self.below(many + 1) {
            0 => "NULL".to_owned(),
            number => number.to_string(),
        }
    }

    fn text(&mut self) -> &'static str {
        ["NULL", "'gone'", "'a'", "'b'"][usize::try_from(self.below(4)).unwrap()]
    }
}

fn rows(seed: u64) -> Vec<String> {
    let chance = &mut Chance(seed);
    let mut all = Vec::new();
    for id in 1..=PEOPLE {
        let (code, name) = (chance.some(3), chance.text());
        all.push(format!(
            "people VALUES ({id}, 'p{id}@example.org', {code}, {name})"
        ));
    }
    for number in 0..12 {
        let (person, receiver) = (chance.some(PEOPLE), chance.some(PEOPLE));
        let (shop, name, note) = (number % 2, chance.text(), chance.text());
        all.push(format!(
            "orders VALUES ({shop}, {number}, {person}, {receiver}, {name}, {note})"
        ));
    }
    for id in 0..20 {
        let (number, mail) = (chance.below(14), chance.below(PEOPLE + 3));
        let (shop, what, told) = (number % 2, chance.text(), chance.text());
        all.push(format!(
            "items VALUES ({id}, {shop}, {number}, 'P{mail}@example.org', {what}, {told})"
        ));
        let (item, name) = (chance.below(22), chance.text());
        all.push(format!("parcels VALUES ({id}, {item}, {name})"));
        let (code, name) = (chance.some(3), chance.text());
        let kind = ["a", "b"][usize::try_from(chance.below(2)).unwrap()];
        all.push(format!("labels VALUES ({id}, {code}, '{kind}', {name})"));
    }
    all
}

/// What differs between the maps.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    /// Rows of some tables go.
    goes: bool,
    /// The person is mentioned.
    mentions: bool,
    /// What leads to rows is emptied.
    detaches: bool,
}

fn map(kind: Kind) -> DataMap {
    let Kind {
        goes,
        mentions,
        detaches,
    } = kind;
    fn kept() -> Column {
        Column::of(Category::Contract).erased_by(Strategy::Keep)
    }
    fn null() -> Column {
        Column::of(Category::Identity).erased_by(Strategy::Null)
    }
    fn gone() -> Column {
        Column::of(Category::Contract).erased_by(Strategy::Fixed("gone".into()))
    }
    let stays = |table: Table| match goes {
        true => table,
        false => table.erased_by(RowErasure::Columns),
    };
    // What goes has no strategies.
    let of = |column: fn() -> Column| match goes {
        true => Column::of(Category::Contract),
        false => column(),
    };
    let receiver = Link::rows(["receiver"], "people");
    let receiver = match mentions {
        true => receiver.mentioned(Ground::new("rights_of_others")),
        false => receiver,
    };
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    DataMap::new()
        .table(
            "people",
            Table::people()
                .erased_by(RowErasure::Columns)
                .column("mail", mail.erased_by(Strategy::Keep))
                .column("code", kept())
                .column("name", null()),
        )
        .table(
            "orders",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link("person", Link::rows(["person"], "people"))
                .link("receiver", receiver)
                .column("shop", kept())
                .column("number", kept())
                .column("person", if detaches { null() } else { kept() })
                .column("receiver", kept())
                .column("name", null())
                .column("note", gone()),
        )
        .table(
            "items",
            stays(Table::new())
                .link("order", Link::rows(["shop", "number"], "orders"))
                .link("mail", Link::identifier("mail", IdentifierKind::Mail))
                .column("shop", of(kept))
                .column("number", of(kept))
                .column("mail", of(kept))
                .column("what", of(gone))
                .column("told", of(null)),
        )
        .table(
            "parcels",
            stays(Table::new())
                .link("item", Link::rows(["item"], "items"))
                .column("item", of(kept))
                .column("name", of(null)),
        )
        .table(
            "labels",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link(
                    "code",
                    Link::rows(["code"], "people")
                        .referencing(["code"])
                        .when("kind", "a"),
                )
                .column("code", kept())
                .column("kind", kept())
                .column("name", null()),
        )
        .exempt_columns("*", ["id"], "a number of ours")
}

async fn opened(pool: &SqlPool, map: &DataMap, seed: u64) -> SqlSource {
    let rows = rows(seed)
        .into_iter()
        .map(|row| format!("INSERT INTO {row}"));
    let made: Vec<String> = SCHEMA.map(str::to_owned).into_iter().chain(rows).collect();
    run(pool, &made.join(";\n")).await;
    let source = SqlSource::open(pool.clone(), map, clock(), options()).await;
    source.unwrap_or_else(|error| panic!("{error}"))
}

async fn cells(pool: &SqlPool) -> Vec<String> {
    let mut all = Vec::new();
    for (table, columns) in CELLS {
        let columns: Vec<String> = columns
            .split(", ")
            .map(|column| format!("coalesce(CAST({column} AS CHAR(80)), '-')"))
            .collect();
        let columns = columns.join(", '|', ");
        let mut rows = fetch(
            pool,
            &format!("SELECT concat('{table}|', {columns}) FROM {table}"),
        )
        .await;
        rows.sort();
        all.extend(rows);
    }
    all
}

async fn left(source: &SqlSource, found: &Located) -> Vec<RowCount> {
    let left = source.residue(&context("residue"), &found.locators).await;
    done(left.unwrap_or_else(|error| panic!("{error}"))).rows
}

/// What is left, what is planned, what was done, what is left then.
async fn erased(
    source: &SqlSource,
    person: u64,
) -> (
    Vec<RowCount>,
    Vec<PlannedRows>,
    Vec<RowCount>,
    Vec<RowCount>,
) {
    let found = locate(source, &format!("p{person}@example.org")).await;
    let before = left(source, &found).await;
    let plan = source
        .plan(&context("plan"), &found.locators, &Work::Erase)
        .await;
    let plan = done(plan.unwrap_or_else(|error| panic!("{error}")));
    let key = format!("erase {person}");
    let erasure = source.erase(&context(&key), &found.locators, &plan).await;
    let rows = done(erasure.unwrap_or_else(|error| panic!("{error}"))).rows;
    (before, plan.rows, rows, left(source, &found).await)
}

async fn the_same_as_the_steps(fresh: Fresh<'_>) {
    let mut changed = 0;
    for seed in 0..2 {
        let none = Kind::default();
        let kinds = [
            none,
            Kind {
                mentions: true,
                ..none
            },
            Kind { goes: true, ..none },
            Kind {
                detaches: true,
                ..none
            },
        ];
        for kind in kinds {
            let map = map(kind);
            let (inside, steps) = (fresh().await, fresh().await);
            let one = opened(&inside, &map, seed).await;
            let other = opened(&steps, &map, seed).await;
            let hold = Hold::on_rows("none", Ground::new("claim"), "parcels", [vec!["-1".into()]]);
            other.place_hold(&context("hold"), &hold).await.unwrap();
            for person in 1..=PEOPLE {
                let (here, there) = (erased(&one, person).await, erased(&other, person).await);
                assert_eq!(here, there, "seed {seed}, {kind:?}, person {person}");
                assert_eq!(here.3, []);
                changed += here.2.iter().map(|count| count.rows).sum::<u64>();
                assert_eq!(cells(&inside).await, cells(&steps).await);
            }
        }
    }
    assert!(changed > 0, "something was erased");
}

#[tokio::test]
async fn sqlite_does_the_same_as_in_steps() {
    on_sqlite(the_same_as_the_steps).await;
}

#[tokio::test]
async fn postgres_does_the_same_as_in_steps() {
    crate::server_suite::on_postgres(the_same_as_the_steps).await;
}
