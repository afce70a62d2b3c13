//! Looks into the databases from outside: what is there, and where a person still is.
//!
//! Shares no code with the sources, so that it can find what they forgot.

use std::collections::BTreeMap;

use datarights::ports::PortError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::db::{Db, at, rows};
use crate::desk::NORA;
use crate::office::{Folder, Outcome};
use crate::show;

const DATABASES: [&str; 2] = ["helpdesk.sqlite", "mail.sqlite"];

/// Tables that are the host's own bookkeeping.
const OURS: [&str; 1] = ["performed"];

/// How many rows each table has, and in how many of them the person is named.
pub(crate) struct Census(BTreeMap<String, (u64, u64)>);

impl Census {
    /// Reads every cell of every table.
    pub(crate) fn take(folder: &Folder) -> Outcome<Self> {
        let mut tables = BTreeMap::new();
        for database in DATABASES {
            let path = folder.path(database);
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            for table in names(&connection)? {
                tables.insert(table.clone(), count(&connection, &table)?);
            }
        }
        Ok(Self(tables))
    }

    /// One line of numbers.
    pub(crate) fn overview(&self) {
        let counts = self
            .0
            .iter()
            .map(|(table, (rows, _))| format!("{rows} {table}"));
        show::line("holds", counts.collect::<Vec<_>>().join(", "));
        let hers: u64 = self.0.values().map(|(_, hers)| hers).sum();
        show::line("person", format!("{} is named in {hers} rows", NORA.name));
    }

    /// What has changed since.
    pub(crate) fn compare(&self, now: &Self) {
        show::chapter("5 · What is left in the databases");
        println!(
            "\n  {:<12} {:>8} {:>8} {:>8}   naming her: before, now",
            "table", "before", "now", "gone"
        );
        println!("  {}", "─".repeat(68));
        for (table, (rows, hers)) in &self.0 {
            let (left, still) = now.0.get(table).copied().unwrap_or_default();
            let note = if still > 0 {
                "  ← withheld, as named above"
            } else {
                ""
            };
            println!(
                "  {table:<12} {rows:>8} {left:>8} {:>8}   {hers:>10}, {still}{note}",
                rows - left
            );
        }
    }
}

fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names: Vec<String> = rows(connection, sql, [], |row| row.get(0))?;
    Ok(names
        .into_iter()
        .filter(|name| !OURS.contains(&name.as_str()))
        .collect())
}

/// All rows of a table, and those in which a cell holds something that points to the person.
fn count(connection: &Connection, table: &str) -> rusqlite::Result<(u64, u64)> {
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns = statement.column_count();
    let mut cursor = statement.query([])?;
    let (mut all, mut hers) = (0, 0);
    while let Some(row) = cursor.next()? {
        all += 1;
        let named =
            (0..columns).any(|column| row.get_ref(column).is_ok_and(|cell| names_her(cell)));
        hers += u64::from(named);
    }
    Ok((all, hers))
}

fn names_her(cell: ValueRef<'_>) -> bool {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = cell else {
        return false;
    };
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    [NORA.name, NORA.mail, NORA.former_mail, NORA.phone]
        .iter()
        .any(|mark| text.contains(&mark.to_lowercase()))
}

/// Whether the account's data is restricted: stored, but not otherwise used.
pub(crate) async fn restriction(desk: &Db) -> Result<&'static str, PortError> {
    let restricted = desk
        .call(|desk| {
            let sql = "SELECT EXISTS (SELECT 1 FROM restrictions WHERE client_id = ?1)";
            desk.query_row(sql, [NORA.id], |row| row.get(0))
                .map_err(at("restrictions"))
        })
        .await?;
    Ok(if restricted {
        "the disputed data is restricted"
    } else {
        "the data is in use again"
    })
}
