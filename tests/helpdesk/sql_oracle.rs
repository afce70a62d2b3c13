//! Looks at rows past a source, for the conformance suite.

use std::path::PathBuf;

use async_trait::async_trait;
use datarights::testkit::source_suite::{Oracle, OracleRow, Whose};
use rusqlite::Connection;
use rusqlite::types::Value;

/// A database, and which rows of it are the person's.
pub(crate) struct SqlOracle {
    pub(crate) path: PathBuf,
    /// Collections, each named like its table, and the SQL that finds the person's rows in it.
    pub(crate) person: Vec<(&'static str, String)>,
    /// Columns that an erasure may change in rows that stay, and that a comparison leaves out.
    pub(crate) ignored: &'static [&'static str],
}

impl SqlOracle {
    fn select(&self, connection: &Connection, table: &str, condition: &str) -> Vec<OracleRow> {
        let sql = format!("SELECT * FROM {table} WHERE {condition} ORDER BY rowid");
        let mut statement = connection.prepare(&sql).unwrap();
        let columns: Vec<usize> = (0..statement.column_count())
            .filter(|n| !self.ignored.contains(&statement.column_name(*n).unwrap()))
            .collect();
        let rows = statement
            .query_map([], |row| {
                let cells: rusqlite::Result<Vec<Value>> =
                    columns.iter().map(|column| row.get(*column)).collect();
                Ok(OracleRow::new(table, format!("{:?}", cells?)))
            })
            .unwrap();
        rows.map(Result::unwrap).collect()
    }
}

#[async_trait]
impl Oracle for SqlOracle {
    async fn rows(&self, whose: Whose) -> Vec<OracleRow> {
        let connection = Connection::open(&self.path).unwrap();
        let rows = self.person.iter().flat_map(|(table, theirs)| {
            let condition = match whose {
                Whose::Person => theirs.clone(),
                Whose::Others => format!("NOT ({theirs})"),
            };
            self.select(&connection, table, &condition)
        });
        rows.collect()
    }

    async fn lose(&self, collection: &str) -> bool {
        let connection = Connection::open(&self.path).unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        let Some((table, theirs)) = self.person.iter().find(|(table, _)| *table == collection)
        else {
            return false;
        };
        connection
            .execute(&format!("DELETE FROM {table} WHERE {theirs}"), [])
            .is_ok()
    }
}
