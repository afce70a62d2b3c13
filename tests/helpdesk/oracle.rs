//! Looks at a database from outside, row by row and cell by cell. Shares no code with the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// The bookkeeping of the sources themselves.
const OURS: &str = "performed";

/// A whole database: table, row, cells.
pub(crate) struct Snapshot {
    columns: BTreeMap<String, Vec<String>>,
    rows: BTreeMap<String, BTreeMap<i64, Vec<Value>>>,
}

/// A cell: table, column, row.
pub(crate) type Place = (String, String, i64);

/// What differs between two snapshots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) deleted: BTreeSet<(String, i64)>,
    pub(crate) changed: BTreeSet<Place>,
    pub(crate) added: BTreeSet<(String, i64)>,
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

impl Snapshot {
    pub(crate) fn of(path: &Path) -> Self {
        let connection = open(path);
        let mut snapshot = Self {
            columns: BTreeMap::new(),
            rows: BTreeMap::new(),
        };
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql).unwrap();
        let tables = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        for table in tables.map(Result::unwrap).filter(|table| table != OURS) {
            let mut statement = connection
                .prepare(&format!("SELECT rowid, * FROM \"{table}\""))
                .unwrap();
            let names: Vec<String> = statement
                .column_names()
                .iter()
                .skip(1)
                .map(|name| (*name).to_owned())
                .collect();
            let cells = names.len();
            let rows = statement
                .query_map([], |row| {
                    let cells: rusqlite::Result<Vec<Value>> =
                        (1..=cells).map(|n| row.get(n)).collect();
                    Ok((row.get(0)?, cells?))
                })
                .unwrap();
            snapshot
                .rows
                .insert(table.clone(), rows.map(Result::unwrap).collect());
            snapshot.columns.insert(table, names);
        }
        snapshot
    }

    /// Every cell in which one of these texts stands, and not as a part of a longer word.
    pub(crate) fn naming(
        &self,
        marks: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> BTreeSet<Place> {
        let lower = |mark: &str| mark.to_lowercase();
        let marks: Vec<String> = marks.into_iter().map(|mark| lower(mark.as_ref())).collect();
        self.cells()
            .filter(|(_, _, _, value)| {
                let text = lower(&text(value));
                marks.iter().any(|mark| stands_in(&text, mark))
            })
            .map(|(table, column, row, _)| (table.to_owned(), column.to_owned(), row))
            .collect()
    }

    fn cells(&self) -> impl Iterator<Item = (&str, &str, i64, &Value)> {
        self.rows.iter().flat_map(move |(table, rows)| {
            rows.iter().flat_map(move |(row, cells)| {
                let named = self.columns[table].iter().zip(cells);
                named.map(move |(column, value)| (table.as_str(), column.as_str(), *row, value))
            })
        })
    }

    /// One cell.
    pub(crate) fn cell(&self, table: &str, column: &str, row: i64) -> &Value {
        let place = self.columns[table]
            .iter()
            .position(|name| name == column)
            .unwrap();
        &self.rows[table][&row][place]
    }

    /// Everything that is otherwise there.
    pub(crate) fn difference(&self, after: &Self) -> Difference {
        assert_eq!(self.columns, after.columns, "the schema is the host's");
        let mut difference = Difference::default();
        for (table, rows) in &self.rows {
            let now = &after.rows[table];
            for (row, cells) in rows {
                let Some(other) = now.get(row) else {
                    difference.deleted.insert((table.clone(), *row));
                    continue;
                };
                for (column, (was, is)) in self.columns[table].iter().zip(cells.iter().zip(other)) {
                    if was != is {
                        difference
                            .changed
                            .insert((table.clone(), column.clone(), *row));
                    }
                }
            }
            let added = now.keys().filter(|row| !rows.contains_key(row));
            difference
                .added
                .extend(added.map(|row| (table.clone(), *row)));
        }
        difference
    }
}

fn stands_in(text: &str, mark: &str) -> bool {
    let part = |c: char| c.is_alphanumeric();
    text.match_indices(mark).any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let after = text[place + mark.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Cells with a declared key that leads to this row.
pub(crate) fn leading_to(path: &Path, target: &str, id: i64) -> BTreeSet<Place> {
    let connection = open(path);
    let keys = "SELECT t.name, k.\"from\" FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS k \
         WHERE t.type = 'table' AND k.\"table\" = ?1";
    let mut statement = connection.prepare(keys).unwrap();
    let keys = statement.query_map([target], |row| Ok((row.get(0)?, row.get(1)?)));
    let keys: Vec<(String, String)> = keys.unwrap().map(Result::unwrap).collect();
    let mut places = BTreeSet::new();
    for (table, column) in keys {
        let sql = format!("SELECT rowid FROM \"{table}\" WHERE \"{column}\" = {id}");
        let found = rows(path, &sql).into_iter();
        places.extend(found.map(|row| (table.clone(), column.clone(), row)));
    }
    places
}

/// The texts that a query answers with.
pub(crate) fn texts(path: &Path, sql: &str) -> Vec<String> {
    let connection = open(path);
    let mut statement = connection.prepare(sql).unwrap();
    let texts = statement.query_map([], |row| row.get::<_, Option<String>>(0));
    texts.unwrap().filter_map(Result::unwrap).collect()
}

/// What a value says, as text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Integer(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The rows that a query names.
pub(crate) fn rows(path: &Path, sql: &str) -> BTreeSet<i64> {
    let connection = open(path);
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Foreign keys that lead nowhere.
pub(crate) fn orphans(path: &Path) -> usize {
    let connection = open(path);
    let mut statement = connection.prepare("PRAGMA foreign_key_check").unwrap();
    statement.query_map([], |_| Ok(())).unwrap().count()
}
