//! Schemas, maps and rows by chance, and a brute-force search that shares no code with the source:
//! what it says is a person's goes, what leads to that is unlinked, every other cell stays.
//!
//! `SQL_CASES` sets how many are tried; the seeds are the first so many numbers.

use std::collections::BTreeSet;

#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
use datarights::adapters::SqlPool;
use datarights::adapters::{SqlSource, SqlSourceOptions};
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{Category, Ground, IdentifierKind, RowCount};

#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
use futures::future::BoxFuture;

use crate::engines::Place;
use crate::{clock, erase, locate, options, pool, read};

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

impl Whose {
    fn of(self, link: Link) -> Link {
        match self {
            Self::Owned => link,
            Self::Shared => link.shared(),
            Self::Mentioned => link.mentioned(Ground::new("rights_of_others")),
        }
    }
}

/// What a column of words calls equal.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rules {
    Exact,
    AnyCase,
    NoBlanks,
}

impl Rules {
    const ALL: [Self; 3] = [Self::Exact, Self::AnyCase, Self::NoBlanks];

    /// The type of a column with them. PostgreSQL has none for any case without an extension.
    const fn column(self, engine: &str) -> &'static str {
        match (engine.as_bytes(), self) {
            (b"sqlite", Self::Exact) => "TEXT",
            (b"sqlite", Self::AnyCase) => "TEXT COLLATE NOCASE",
            (b"sqlite", Self::NoBlanks) => "VARCHAR(9) COLLATE RTRIM",
            (b"postgres", Self::Exact) => "TEXT",
            (b"postgres", Self::AnyCase) => "VARCHAR(9) COLLATE \"C\"",
            (b"postgres", Self::NoBlanks) => "CHAR(9)",
            (_, Self::AnyCase) => "VARCHAR(9) COLLATE utf8mb4_general_ci",
            (_, Self::Exact) => "VARCHAR(9) COLLATE utf8mb4_bin",
            (_, Self::NoBlanks) => "VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin",
        }
    }

    /// Whether a key under these rules equals a word that is written so in a column of others.
    fn takes(self, engine: &str, spelling: Spelling, column: Self) -> bool {
        match spelling {
            Spelling::Exact => true,
            Spelling::Upper => self == Self::AnyCase && engine != "postgres",
            Spelling::Blank if engine == "mariadb" => true, // whatever its rules
            // PostgreSQL takes the blanks off when it makes a text of a CHAR.
            Spelling::Blank => {
                let padded = engine == "postgres" && column == Self::NoBlanks;
                self == Self::NoBlanks || padded
            }
        }
    }
}

/// How a word is written where it refers to a key.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Spelling {
    Exact,
    Upper,
    Blank,
}

impl Spelling {
    fn of(self, key: i64) -> String {
        match self {
            Self::Exact => format!("'k{key}'"),
            Self::Upper => format!("'K{key}'"),
            Self::Blank => format!("'k{key} '"),
        }
    }
}

/// The type of the last column of a key, and of what refers to it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Type {
    Number,
    /// A number as text.
    Digits,
    Word(Rules),
}

impl Type {
    const fn column(self, engine: &str) -> &'static str {
        match self {
            Self::Number => "INTEGER",
            Self::Digits => "VARCHAR(20)",
            Self::Word(rules) => rules.column(engine),
        }
    }

    fn cell(self, key: i64, spelling: Spelling) -> String {
        match self {
            Self::Number => key.to_string(),
            Self::Digits => format!("'{key}'"),
            Self::Word(_) => spelling.of(key),
        }
    }
}

struct RandomLink {
    to: usize,
    /// Of the last column.
    column: Type,
    whose: Whose,
    /// Whether the database knows of it.
    declared: bool,
    /// Whether it leads there only where the row says so.
    sometimes: bool,
    /// Whether it must always lead somewhere.
    not_null: bool,
}

/// A mail address that stands in the rows, as a column or in a JSON document.
#[derive(Clone, Copy)]
struct RandomValue {
    in_document: bool,
    whose: Whose,
}

struct RandomTable {
    /// Of one or two columns.
    key: usize,
    /// Of the last of them.
    last: Type,
    links: Vec<RandomLink>,
    value: Option<RandomValue>,
    rows: Vec<RandomRow>,
}

#[derive(Clone)]
struct RandomRow {
    key: Vec<i64>,
    /// For each link the key that it names, if it names one.
    named: Vec<Option<Vec<i64>>>,
    /// For each link, whether it leads there.
    holds: Vec<bool>,
    /// For each link, how the key is written, and whether that is the key at all.
    spelt: Vec<(Spelling, bool)>,
    /// Whose mail address stands in it.
    mail: Option<i64>,
}

impl RandomRow {
    /// The key that a link leads to, if it does.
    fn leads(&self, nth: usize) -> Option<&Vec<i64>> {
        let leads = self.holds[nth] && self.spelt[nth].1;
        self.named[nth].as_ref().filter(|_| leads)
    }
}

/// Table 0 holds people.
fn tables(chance: &mut Chance, engine: &str) -> Vec<RandomTable> {
    const OWNED_MOSTLY: [Whose; 5] = [
        Whose::Owned,
        Whose::Owned,
        Whose::Owned,
        Whose::Shared,
        Whose::Mentioned,
    ];
    let count = 2 + chance.below(5);
    let keys: Vec<usize> = (0..count)
        .map(|n| if n == 0 { 1 } else { 1 + chance.below(2) })
        .collect();
    let lasts: Vec<Type> = (0..count)
        .map(|_| match chance.below(3) {
            0 => Type::Number,
            _ => Type::Word(Rules::ALL[chance.below(3)]),
        })
        .collect();
    let mut tables: Vec<RandomTable> = keys
        .iter()
        .enumerate()
        .map(|(number, &key)| {
            let links = (0..chance.below(4)).map(|_| {
                let whose = OWNED_MOSTLY[chance.below(5)];
                let (to, sometimes) = (chance.below(count), chance.one_in(4));
                let column = match (lasts[to], chance.one_in(2)) {
                    (Type::Number, true) => Type::Digits,
                    (Type::Word(_), true) => Type::Word(Rules::ALL[chance.below(3)]),
                    (same, _) => same,
                };
                // Servers want the type of the key.
                let may_be = column == lasts[to] || engine == "sqlite";
                RandomLink {
                    to,
                    column,
                    whose,
                    // A declared key that sometimes means nothing would keep the row it names.
                    declared: may_be && !sometimes && !chance.one_in(3),
                    sometimes,
                    // What may not be NULL cannot be taken out, nor released in a cycle.
                    not_null: whose == Whose::Owned && to < number && chance.one_in(3),
                }
            });
            let links: Vec<RandomLink> = links.collect();
            let value = (number > 0 && chance.one_in(3)).then(|| RandomValue {
                in_document: chance.one_in(2),
                whose: OWNED_MOSTLY[chance.below(5)],
            });
            let ids = 2 + chance.below(7);
            let row = |id: usize| {
                let id = i64::try_from(id).unwrap();
                RandomRow {
                    key: if key == 1 { vec![id] } else { vec![id % 2, id] },
                    named: Vec::new(),
                    holds: Vec::new(),
                    spelt: Vec::new(),
                    mail: None,
                }
            };
            RandomTable {
                key,
                last: lasts[number],
                value,
                rows: (0..ids).map(row).collect(),
                links,
            }
        })
        .collect();
    let known: Vec<Vec<Vec<i64>>> = tables
        .iter()
        .map(|table| table.rows.iter().map(|row| row.key.clone()).collect())
        .collect();
    for table in &mut tables {
        for row in &mut table.rows {
            for link in &table.links {
                let there = &known[link.to];
                let key = there[chance.below(there.len())].clone();
                row.named.push(match chance.below(5) {
                    0 if !link.not_null => None,
                    // A key that leads nowhere, where nothing forbids it.
                    1 if !link.declared => Some(vec![99; key.len()]),
                    _ => Some(key),
                });
                row.holds.push(!link.sometimes || chance.one_in(2));
                let spelling = match chance.below(3) {
                    0 => Spelling::Upper,
                    1 => Spelling::Blank,
                    _ => Spelling::Exact,
                };
                let taken = match (lasts[link.to], link.column) {
                    (Type::Word(key), Type::Word(here)) => key.takes(engine, spelling, here),
                    _ => true, // a number is written in one way
                };
                row.spelt.push(match link.declared && !taken {
                    true => (Spelling::Exact, true),
                    false => (spelling, taken),
                });
            }
            if table.value.is_some() && !chance.one_in(3) {
                row.mail = Some(i64::try_from(chance.below(4)).unwrap());
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
        for row in &mut table.rows {
            let mut kept = keep.iter();
            row.named.retain(|_| *kept.next().unwrap());
            let mut kept = keep.iter();
            row.holds.retain(|_| *kept.next().unwrap());
            let mut kept = keep.iter();
            row.spelt.retain(|_| *kept.next().unwrap());
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
            let by_value = table.value.is_some_and(|value| value.whose == Whose::Owned);
            if by_value || table.links.iter().any(leads) {
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

/// Columns with their types: that of the last, and numbers.
fn typed(names: &[String], last: Type, engine: &str) -> Vec<String> {
    let last_one = names.len() - 1;
    let column = |(n, name): (usize, &String)| match n == last_one {
        true => format!("{name} {}", last.column(engine)),
        false => format!("{name} INTEGER"),
    };
    names.iter().enumerate().map(column).collect()
}

/// The cells of a key.
fn cells_of(key: &[i64], last: Type, spelling: Spelling) -> Vec<String> {
    let last_one = key.len() - 1;
    let cell = |(n, part): (usize, &i64)| match n == last_one {
        true => last.cell(*part, spelling),
        false => part.to_string(),
    };
    key.iter().enumerate().map(cell).collect()
}

/// The schema and its rows; the keys in the end, because rows lead to rows that come later.
fn schema(tables: &[RandomTable], engine: &str) -> Vec<String> {
    let sqlite = engine == "sqlite";
    let (mut made, mut filled, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
    for (number, table) in tables.iter().enumerate() {
        let mut columns: Vec<String> = typed(&key_columns(table.key), table.last, engine)
            .iter()
            .map(|column| format!("{column} NOT NULL"))
            .collect();
        if number == 0 {
            columns.push("mail VARCHAR(80)".to_owned());
        }
        let mut keys = vec![format!(
            "PRIMARY KEY ({})",
            key_columns(table.key).join(", ")
        )];
        for (nth, link) in table.links.iter().enumerate() {
            let here = link_columns(tables, number, nth);
            let null = if link.not_null { " NOT NULL" } else { "" };
            let typed = typed(&here, link.column, engine);
            columns.extend(typed.iter().map(|column| format!("{column}{null}")));
            if link.sometimes {
                columns.push(format!("model{nth} VARCHAR(9)"));
            }
            if link.declared {
                let there = key_columns(tables[link.to].key).join(", ");
                let to = link.to;
                let here = here.join(", ");
                let key = format!("FOREIGN KEY ({here}) REFERENCES t{to} ({there})");
                if sqlite {
                    keys.push(key);
                } else {
                    keyed.push(format!("ALTER TABLE t{number} ADD {key}"));
                }
            }
        }
        match table.value {
            Some(value) if value.in_document && engine == "postgres" => {
                columns.push("who JSONB".to_owned());
            }
            Some(_) => columns.push("who VARCHAR(200)".to_owned()),
            None => {}
        }
        columns.extend(keys);
        made.push(format!("CREATE TABLE t{number} ({})", columns.join(", ")));
        for row in stored(tables, number, &table.rows) {
            filled.push(format!("INSERT INTO t{number} VALUES ({})", row.join(", ")));
        }
    }
    let before = sqlite.then(|| "PRAGMA foreign_keys = OFF".to_owned());
    let after = sqlite.then(|| "PRAGMA foreign_keys = ON".to_owned());
    let statements = before.into_iter().chain(made).chain(filled);
    statements.chain(keyed).chain(after).collect()
}

/// Rows as SQL has them.
fn stored(tables: &[RandomTable], number: usize, rows: &[RandomRow]) -> Vec<Vec<String>> {
    let table = &tables[number];
    let of = |row: &RandomRow| {
        let mut cells = cells_of(&row.key, table.last, Spelling::Exact);
        if number == 0 {
            cells.push(format!("'{}@example.org'", row.key[0]));
        }
        for (nth, (link, named)) in table.links.iter().zip(&row.named).enumerate() {
            match named {
                Some(key) => cells.extend(cells_of(key, link.column, row.spelt[nth].0)),
                None => cells.extend(vec!["NULL".to_owned(); tables[link.to].key]),
            }
            if link.sometimes {
                let model = if row.holds[nth] { "'this'" } else { "'that'" };
                cells.push(model.to_owned());
            }
        }
        if let Some(value) = table.value {
            cells.push(match (row.mail, value.in_document) {
                (Some(mail), true) => format!("'{{\"a\": [{{\"b\": \"{mail}@Example.org\"}}]}}'"),
                (None, true) => "'{\"a\": [{\"b\": null}]}'".to_owned(),
                (Some(mail), false) => format!("' {mail}@EXAMPLE.org '"),
                (None, false) => "NULL".to_owned(),
            });
        }
        cells
    };
    rows.iter().map(of).collect()
}

fn map(tables: &[RandomTable]) -> DataMap {
    let mut map = DataMap::new();
    for (number, table) in tables.iter().enumerate() {
        if number > 0 && table.links.is_empty() && table.value.is_none() {
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
            let made = match link.sometimes {
                true => made.when(format!("model{nth}"), "this"),
                false => made,
            };
            described = described.link(format!("link{nth}"), link.whose.of(made));
        }
        if let Some(value) = table.value {
            let link = Link::identifier("who", IdentifierKind::Mail);
            let link = match value.in_document {
                true => link.at_path(["a", "0", "b"]),
                false => link,
            };
            described = described
                .link("value", value.whose.of(link))
                .column("who", Column::of(Category::Contact));
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

/// Whether a mail address in a row is one of the person's: of any of their rows of people.
fn is_theirs(theirs: &BTreeSet<(usize, Vec<i64>)>, row: &RandomRow) -> bool {
    row.mail
        .is_some_and(|mail| theirs.contains(&(0, vec![mail])))
}

/// The rows that are the person's, one after the other until none is new.
fn theirs(tables: &[RandomTable], person: i64) -> BTreeSet<(usize, Vec<i64>)> {
    let mut theirs = BTreeSet::from([(0, vec![person])]);
    loop {
        let before = theirs.len();
        for (number, table) in tables.iter().enumerate() {
            for row in &table.rows {
                let by_value = table.value.is_some_and(|value| value.whose == Whose::Owned);
                if by_value && is_theirs(&theirs, row) {
                    theirs.insert((number, row.key.clone()));
                }
                for (nth, link) in table.links.iter().enumerate() {
                    let Some(named) = row.leads(nth) else {
                        continue;
                    };
                    if link.whose == Whose::Owned && theirs.contains(&(link.to, named.clone())) {
                        theirs.insert((number, row.key.clone()));
                    }
                }
            }
        }
        if theirs.len() == before {
            return theirs;
        }
    }
}

/// All rows as the database has them, each cell as text.
async fn read_all(place: &Place, tables: &[RandomTable]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        all.push(
            place
                .rows(&format!("t{number}"), &columns(tables, number, table))
                .await,
        );
    }
    all
}

fn columns(tables: &[RandomTable], number: usize, table: &RandomTable) -> String {
    let mut columns = key_columns(table.key);
    if number == 0 {
        columns.push("mail".to_owned());
    }
    for (nth, link) in table.links.iter().enumerate() {
        columns.extend(link_columns(tables, number, nth));
        if link.sometimes {
            columns.push(format!("model{nth}"));
        }
    }
    columns.extend(table.value.map(|_| "who".to_owned()));
    columns.join(", ")
}

/// What `Place::rows` gives for these rows.
fn shown(tables: &[RandomTable], number: usize, rows: &[RandomRow]) -> Vec<String> {
    let cell = |cell: &String| match cell.as_str() {
        "NULL" => "-".to_owned(),
        text => text.trim_matches('\'').replace(' ', ""),
    };
    let rows = stored(tables, number, rows);
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|"))
        .collect();
    rows.sort();
    rows
}

/// Whether the schemas are of any interest.
#[derive(Default)]
struct Seen {
    cycles: usize,
    largest: usize,
    documents: usize,
    /// Rows that refer to a key by another spelling.
    strange: usize,
}

async fn try_out(
    place: &Place,
    seed: u64,
    options: SqlSourceOptions,
    seen: &mut Seen,
) -> Vec<RowCount> {
    let tables = tables(&mut Chance(seed), place.name);
    let statements = schema(&tables, place.name);
    let told_schema = statements.join(";\n");
    for (number, table) in tables.iter().enumerate() {
        for (nth, link) in table.links.iter().enumerate() {
            let strange = |row: &&RandomRow| row.spelt[nth].0 != Spelling::Exact;
            let words = matches!(link.column, Type::Word(_)) && number != link.to;
            seen.strange += table.rows.iter().filter(strange).count() * usize::from(words);
        }
    }
    // At once: it is one connection that does not look at keys meanwhile.
    place.run(&[&told_schema]).await;
    let source = SqlSource::open(place.pool.clone(), &map(&tables), clock(), options).await;
    let source = source.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{told_schema}"));

    let theirs = theirs(&tables, 1);
    let found = locate(&source, "1@example.org").await;
    let told = |name: &str| {
        let count = found.rows.iter().find(|count| count.collection == name);
        count.map_or(0, |count| count.rows)
    };
    let (given, _) = read(&source, "1@example.org").await;
    let mut expected = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let name = format!("t{number}");
        let rows = theirs.iter().filter(|(of, _)| *of == number).count();
        assert_eq!(
            told(&name),
            rows as u64,
            "seed {seed}, {name}\n{told_schema}"
        );
        let read = given.iter().filter(|(of, _)| *of == name).count();
        assert_eq!(read, rows, "seed {seed}, {name} read\n{told_schema}");
        let mut others = table.rows.clone();
        others.retain(|row| !theirs.contains(&(number, row.key.clone())));
        for (nth, link) in table.links.iter().enumerate() {
            seen.cycles += usize::from(link.to >= number);
            let mut mentions = 0;
            for row in &mut others {
                if row
                    .leads(nth)
                    .is_some_and(|key| theirs.contains(&(link.to, key.clone())))
                {
                    mentions += 1;
                    row.named[nth] = None;
                }
            }
            let name = format!("t{number}.link{nth}");
            if link.whose == Whose::Owned {
                assert_eq!(mentions, 0);
            } else {
                assert_eq!(told(&name), mentions, "seed {seed}, {name}\n{told_schema}");
            }
        }
        if let Some(value) = table.value {
            seen.documents += usize::from(value.in_document);
            let mut mentions = 0;
            for row in others.iter_mut().filter(|row| is_theirs(&theirs, row)) {
                mentions += 1;
                row.mail = None;
            }
            let name = format!("t{number}.value");
            if value.whose == Whose::Owned {
                assert_eq!(mentions, 0);
            } else {
                assert_eq!(told(&name), mentions, "seed {seed}, {name}\n{told_schema}");
            }
        }
        expected.push(shown(&tables, number, &others));
    }
    seen.largest = seen.largest.max(theirs.len());
    let mut erased = erase(&source, "1@example.org").await.rows;
    erased.sort();
    let now = read_all(place, &tables).await;
    let now: Vec<Vec<String>> = now
        .into_iter()
        .map(|rows| {
            let mut rows: Vec<String> = rows.iter().map(|row| row.replace(' ', "")).collect();
            rows.sort();
            rows
        })
        .collect();
    assert_eq!(now, expected, "seed {seed}\n{told_schema}");
    if place.name == "sqlite" {
        let broken = place.rows("pragma_foreign_key_check", "parent").await;
        assert_eq!(broken, [""; 0], "seed {seed}: keys lead nowhere");
    }
    erased
}

/// Whole, and in chunks of 1 to 5 rows.
fn both(seed: u64) -> [SqlSourceOptions; 2] {
    let most = std::num::NonZeroU64::MIN.saturating_add(seed % 5);
    [options(), options().in_chunks_of(most)]
}

fn cases(usual: u64) -> u64 {
    let cases = std::env::var("SQL_CASES").ok().and_then(|n| n.parse().ok());
    cases.unwrap_or(usual)
}

#[tokio::test]
async fn what_is_found_read_and_erased_is_what_a_search_by_brute_force_finds() {
    let mut seen = Seen::default();
    for seed in 0..cases(150) {
        let mut told = Vec::new();
        for options in both(seed) {
            let folder = tempfile::tempdir().unwrap();
            let pool = pool(&folder.path().join("random.sqlite")).await;
            let place = Place {
                pool: pool.clone().into(),
                name: "sqlite",
            };
            told.push(try_out(&place, seed, options, &mut seen).await);
            pool.close().await;
        }
        assert_eq!(told[0], told[1], "seed {seed}: in chunks");
    }
    assert!(
        seen.cycles > 50 && seen.largest > 8 && seen.documents > 20 && seen.strange > 500,
        "the schemas are too simple: {}, {}, {}, {}",
        seen.cycles,
        seen.largest,
        seen.documents,
        seen.strange
    );
}

/// The same on a server.
#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
async fn on_server(
    name: &'static str,
    usual: u64,
    fresh: &dyn Fn() -> BoxFuture<'static, SqlPool>,
) {
    let mut seen = Seen::default();
    for seed in 0..cases(usual) {
        let mut told = Vec::new();
        for options in both(seed) {
            let pool = fresh().await;
            let place = Place { pool, name };
            told.push(try_out(&place, seed, options, &mut seen).await);
            match &place.pool {
                SqlPool::Postgres(pool) => pool.close().await,
                SqlPool::MySql(pool) => pool.close().await,
                _ => {}
            }
        }
        assert_eq!(told[0], told[1], "seed {seed}: in chunks");
    }
}

#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
#[tokio::test]
async fn postgres_finds_reads_and_erases_the_same() {
    crate::server_suite::on_postgres(async |fresh| on_server("postgres", 25, fresh).await).await;
}

#[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
#[tokio::test]
async fn mariadb_finds_reads_and_erases_the_same() {
    crate::server_suite::on_mariadb(async |fresh| on_server("mariadb", 10, fresh).await).await;
}
