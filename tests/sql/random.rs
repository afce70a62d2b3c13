//! Schemas, maps and rows by chance, and a brute-force search that shares no code with the source:
//! what it says is a person's goes, what leads to that is unlinked, every other cell stays.
//!
//! `SQL_CASES` sets how many are tried; the seeds are the first so many numbers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use datarights::adapters::SqlSource;
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{Category, Ground, IdentifierKind};
use rusqlite::Connection;

use crate::{clock, erase, locate, options, pool};

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Whose {
    Owned,
    Shared,
    Mentioned,
}

struct RandomLink {
    to: usize,
    whose: Whose,
    /// Whether the database knows of it.
    declared: bool,
}

struct RandomTable {
    /// Of one or two columns.
    key: usize,
    links: Vec<RandomLink>,
    /// The key, and for each link the key that it names, if it names one.
    rows: Vec<RandomRow>,
}

type RandomRow = (Vec<i64>, Vec<Option<Vec<i64>>>);

/// Table 0 holds people.
fn tables(chance: &mut Chance) -> Vec<RandomTable> {
    let count = 2 + chance.below(5);
    let keys: Vec<usize> = (0..count)
        .map(|n| if n == 0 { 1 } else { 1 + chance.below(2) })
        .collect();
    let mut tables: Vec<RandomTable> = keys
        .iter()
        .map(|&key| {
            let links = (0..chance.below(4)).map(|_| RandomLink {
                to: chance.below(count),
                whose: [
                    Whose::Owned,
                    Whose::Owned,
                    Whose::Owned,
                    Whose::Shared,
                    Whose::Mentioned,
                ][chance.below(5)],
                declared: !chance.one_in(3),
            });
            let links = links.collect();
            let ids = 2 + chance.below(7);
            let rows = (0..ids)
                .map(|id| {
                    let id = i64::try_from(id).unwrap();
                    let key = if key == 1 { vec![id] } else { vec![id % 2, id] };
                    (key, Vec::new())
                })
                .collect();
            RandomTable { key, links, rows }
        })
        .collect();
    let known: Vec<Vec<Vec<i64>>> = tables
        .iter()
        .map(|table| table.rows.iter().map(|(key, _)| key.clone()).collect())
        .collect();
    for table in &mut tables {
        for (_, named) in &mut table.rows {
            for link in &table.links {
                let there = &known[link.to];
                let key = there[chance.below(there.len())].clone();
                named.push(match chance.below(5) {
                    0 => None,
                    // A key that leads nowhere, where nothing forbids it.
                    1 if !link.declared => Some(vec![99; key.len()]),
                    _ => Some(key),
                });
            }
        }
    }
    // Only owned rows lead on: other links are left out of the map, and so of the schema.
    let owned = owned_tables(&tables);
    for table in &mut tables {
        let keep: Vec<bool> = table
            .links
            .iter()
            .map(|link| owned.contains(&link.to))
            .collect();
        let mut kept = keep.iter();
        table.links.retain(|_| *kept.next().unwrap());
        for (_, named) in &mut table.rows {
            let mut kept = keep.iter();
            named.retain(|_| *kept.next().unwrap());
        }
    }
    tables
}

fn owned_tables(tables: &[RandomTable]) -> BTreeSet<usize> {
    let mut owned = BTreeSet::from([0]);
    loop {
        let before = owned.len();
        for (number, table) in tables.iter().enumerate() {
            let leads = |l: &RandomLink| l.whose == Whose::Owned && owned.contains(&l.to);
            if table.links.iter().any(leads) {
                owned.insert(number);
            }
        }
        if owned.len() == before {
            return owned;
        }
    }
}

fn key_columns(key: usize) -> Vec<String> {
    (0..key).map(|n| format!("key{n}")).collect()
}

fn link_columns(tables: &[RandomTable], table: usize, link: usize) -> Vec<String> {
    let to = tables[table].links[link].to;
    (0..tables[to].key)
        .map(|n| format!("link{link}_{n}"))
        .collect()
}

fn schema(tables: &[RandomTable]) -> String {
    let mut sql = "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;\n".to_owned();
    for (number, table) in tables.iter().enumerate() {
        let mut columns: Vec<String> = key_columns(table.key)
            .iter()
            .map(|column| format!("{column} INTEGER NOT NULL"))
            .collect();
        if number == 0 {
            columns.push("mail TEXT".to_owned());
        }
        let mut keys = vec![format!(
            "PRIMARY KEY ({})",
            key_columns(table.key).join(", ")
        )];
        for (nth, link) in table.links.iter().enumerate() {
            let here = link_columns(tables, number, nth);
            columns.extend(here.iter().map(|column| format!("{column} INTEGER")));
            if link.declared {
                let there = key_columns(tables[link.to].key).join(", ");
                let to = link.to;
                let here = here.join(", ");
                keys.push(format!("FOREIGN KEY ({here}) REFERENCES t{to} ({there})"));
            }
        }
        columns.extend(keys);
        writeln!(sql, "CREATE TABLE t{number} ({});", columns.join(", ")).unwrap();
        for row in stored(tables, number, &table.rows) {
            writeln!(sql, "INSERT INTO t{number} VALUES ({});", row.join(", ")).unwrap();
        }
    }
    sql
}

/// Rows as SQL has them.
fn stored(tables: &[RandomTable], number: usize, rows: &[RandomRow]) -> Vec<Vec<String>> {
    let table = &tables[number];
    let of = |(key, named): &RandomRow| {
        let mut cells: Vec<String> = key.iter().map(ToString::to_string).collect();
        if number == 0 {
            cells.push(format!("'{}@example.org'", key[0]));
        }
        for (link, named) in table.links.iter().zip(named) {
            match named {
                Some(key) => cells.extend(key.iter().map(ToString::to_string)),
                None => cells.extend(vec!["NULL".to_owned(); tables[link.to].key]),
            }
        }
        cells
    };
    rows.iter().map(of).collect()
}

fn map(tables: &[RandomTable]) -> DataMap {
    let mut map = DataMap::new();
    for (number, table) in tables.iter().enumerate() {
        if number > 0 && table.links.is_empty() {
            map = map.exempt(format!("t{number}"), "nobody's");
            continue;
        }
        let mut described = Table::new();
        if number == 0 {
            let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
            described = Table::people().column("mail", mail);
        }
        for (nth, link) in table.links.iter().enumerate() {
            let columns = link_columns(tables, number, nth);
            let made = Link::rows(columns, format!("t{}", link.to));
            let made = match link.whose {
                Whose::Owned => made,
                Whose::Shared => made.shared(),
                Whose::Mentioned => made.mentioned(Ground::new("rights_of_others")),
            };
            described = described.link(format!("link{nth}"), made);
        }
        map = map.table(format!("t{number}"), described);
    }
    let composite = tables.iter().any(|table| table.key > 1);
    let columns = if composite {
        &["key0", "key1"][..]
    } else {
        &["key0"]
    };
    map.exempt_columns("*", columns.iter().copied(), "numbers of ours")
}

/// The rows that are the person's, one after the other until none is new.
fn theirs(tables: &[RandomTable], person: i64) -> BTreeSet<(usize, Vec<i64>)> {
    let mut theirs = BTreeSet::from([(0, vec![person])]);
    loop {
        let before = theirs.len();
        for (number, table) in tables.iter().enumerate() {
            for (key, named) in &table.rows {
                for (link, named) in table.links.iter().zip(named) {
                    let Some(named) = named else { continue };
                    if link.whose == Whose::Owned && theirs.contains(&(link.to, named.clone())) {
                        theirs.insert((number, key.clone()));
                    }
                }
            }
        }
        if theirs.len() == before {
            return theirs;
        }
    }
}

fn read_all(connection: &Connection, tables: usize) -> Vec<BTreeSet<Vec<String>>> {
    let table = |number| {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM t{number}"))
            .unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let cell = |n| match row.get_unwrap::<_, rusqlite::types::Value>(n) {
                rusqlite::types::Value::Null => "NULL".to_owned(),
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => format!("'{text}'"),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(cell).collect())
        };
        let rows = statement.query_map([], row).unwrap();
        rows.map(Result::unwrap).collect()
    };
    (0..tables).map(table).collect()
}

#[tokio::test]
async fn what_is_found_and_erased_is_what_a_search_by_brute_force_finds() {
    let cases = std::env::var("SQL_CASES").ok().and_then(|n| n.parse().ok());
    let (mut cycles, mut largest) = (0, 0);
    for seed in 0..cases.unwrap_or(150) {
        let mut chance = Chance(seed);
        let tables = tables(&mut chance);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("random.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&schema(&tables)).unwrap();
        let map = map(&tables);
        let source = SqlSource::open(pool(&path).await, &map, clock(), options())
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", schema(&tables)));

        let theirs = theirs(&tables, 1);
        let found = locate(&source, "1@example.org").await;
        for (number, table) in tables.iter().enumerate() {
            let name = format!("t{number}");
            let told = found.rows.iter().find(|count| count.collection == name);
            let told = told.map_or(0, |count| count.rows);
            let expected = theirs.iter().filter(|(of, _)| *of == number).count() as u64;
            assert_eq!(told, expected, "seed {seed}, {name}\n{}", schema(&tables));
            for (nth, link) in table.links.iter().enumerate() {
                if link.whose == Whose::Owned {
                    continue;
                }
                let mentions = |(key, named): &&RandomRow| {
                    let leads = |key: &Vec<i64>| theirs.contains(&(link.to, key.clone()));
                    !theirs.contains(&(number, key.clone()))
                        && named[nth].as_ref().is_some_and(leads)
                };
                let name = format!("t{number}.link{nth}");
                let told = found.rows.iter().find(|count| count.collection == name);
                let told = told.map_or(0, |count| count.rows);
                let expected = table.rows.iter().filter(mentions).count() as u64;
                assert_eq!(told, expected, "seed {seed}, {name}\n{}", schema(&tables));
            }
            cycles += usize::from(table.links.iter().any(|link| link.to >= number));
        }
        largest = largest.max(theirs.len());
        let mut expected = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let mut rows = table.rows.clone();
            rows.retain(|(key, _)| !theirs.contains(&(number, key.clone())));
            for (_, named) in &mut rows {
                for (link, named) in table.links.iter().zip(named) {
                    let leads = |key: &Vec<i64>| theirs.contains(&(link.to, key.clone()));
                    if named.as_ref().is_some_and(leads) {
                        assert_ne!(link.whose, Whose::Owned);
                        *named = None;
                    }
                }
            }
            expected.push(stored(&tables, number, &rows).into_iter().collect());
        }
        erase(&source, "1@example.org").await;
        let now: Vec<BTreeSet<Vec<String>>> = read_all(&connection, tables.len());
        assert_eq!(now, expected, "seed {seed}\n{}", schema(&tables));
        let broken = connection
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .exists([]);
        assert!(!broken.unwrap(), "seed {seed}: keys lead nowhere");
    }
    assert!(
        cycles > 50 && largest > 8,
        "the schemas are too simple: {cycles}, {largest}"
    );
}
