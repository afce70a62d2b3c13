//! Foreign keys that the database checks only at the commit, which a rehearsal never reaches.
//!
//! PostgreSQL checks them when it is told to. SQLite tells only which rows are broken now: those
//! that were broken before are noted first, so that they are not taken for the erasure's work.

use std::sync::Arc;

use crate::ports::PortError;

use super::dialect::SET;
use super::fault::SqlFault;
use super::found::Found;

/// What stands where an error has no table.
const TRANSACTION: &str = "transaction";

impl Found {
    /// Begins to watch them. Answers the tables that are looked at once more in the end.
    pub(super) async fn watch_deferred(&mut self) -> Result<Vec<String>, PortError> {
        let dialect = self.layout.dialect;
        let Some(asked) = dialect.deferred_tables() else {
            return Ok(Vec::new());
        };
        let rows = self.session.fetch(self.sql(asked), TRANSACTION).await?;
        let tables: Vec<String> = rows.iter().filter_map(|row| row.first()?.text()).collect();
        for (nth, table) in tables.iter().enumerate() {
            let noted = broken(nth);
            self.run(self.sql(dialect.drop_set(&noted)), table).await?;
            let rows = broken_rows(table);
            let text = format!("CREATE TEMPORARY TABLE {noted} AS {rows}");
            self.run(self.sql(text), table).await?;
        }
        Ok(tables)
    }

    /// Refuses what the commit would refuse.
    pub(super) async fn settle_deferred(&mut self, watched: Vec<String>) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let dialect = layout.dialect;
        if let Some(text) = dialect.settle_keys() {
            self.run(self.sql(text), TRANSACTION).await?;
        }
        for (nth, table) in watched.iter().enumerate() {
            let noted = broken(nth);
            let new = self.sql(format!(
                "SELECT count(*) FROM ({} EXCEPT SELECT * FROM {noted})",
                broken_rows(table)
            ));
            if self.session.count(new, table).await? > 0 {
                return Err(SqlFault::ForeignKeyViolation.at(table));
            }
            self.run(self.sql(dialect.drop_set(&noted)), table).await?;
        }
        Ok(())
    }
}

fn broken(nth: usize) -> String {
    format!("{SET}broken_{nth}")
}

/// Rows whose keys lead nowhere. The name stands in a text there, not as a name.
fn broken_rows(table: &str) -> String {
    let name = table.replace('\'', "''");
    format!("SELECT \"table\", rowid, parent, fkid FROM pragma_foreign_key_check('{name}')")
}
