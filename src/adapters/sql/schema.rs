//! The schema that a map was checked beside: whether it is still the same, and where more than the
//! types and keys of a catalogue may refuse what is written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::datamap::Catalogue;
use crate::ports::PortError;

use super::dialect::{Dialect, EFFECTS, RESTRICTIONS, STOPS};
use super::fault::SqlFault;
use super::holds::HOLDS;
use super::session::Session;
use super::statement::Sql;

/// The tables in which checks, triggers, rules, computed columns or special indexes may refuse a
/// write, or change it. `None`: any of them.
pub(super) type Guarded = Option<Arc<BTreeSet<String>>>;

/// A catalogue, and the mark that the database gave its state. While the mark is the same, nothing
/// is read again.
pub(super) struct Schema {
    catalogue: Catalogue,
    known: Mutex<(Option<String>, Guarded)>,
}

impl Schema {
    /// The schema as a transaction sees it.
    pub(super) async fn read(
        dialect: &'static dyn Dialect,
        session: &mut Session,
    ) -> Result<Self, PortError> {
        let (mark, _) = mark(dialect, session, None).await?;
        let guarded = dialect.guarded(session).await?.map(Arc::new);
        let mut catalogue = catalogue(dialect, session).await?;
        dialect.elsewhere(session, &mut catalogue).await?;
        Ok(Self {
            catalogue,
            known: Mutex::new((mark, guarded)),
        })
    }

    pub(super) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Refuses to go on when the schema is another one; answers which tables are guarded, and
    /// whether anything is held.
    pub(super) async fn same(
        &self,
        dialect: &'static dyn Dialect,
        session: &mut Session,
    ) -> Result<(Guarded, bool), PortError> {
        let (mark, held) = mark(dialect, session, Some(HOLDS)).await?;
        let (known, guarded) = self.known().clone();
        if mark.is_some() && mark == known {
            return Ok((guarded, held));
        }
        let mut now = catalogue(dialect, session).await?;
        for (name, table) in &mut now.tables {
            // What was read once.
            let known = self.catalogue.tables.get(name);
            if let Some(known) = known.filter(|_| table.cascades_to.is_empty()) {
                table.cascades_to.clone_from(&known.cascades_to);
            }
        }
        if now != self.catalogue {
            return Err(SqlFault::SchemaChanged.at(changed(&self.catalogue, &now)));
        }
        // What changed is nothing that the map tells of.
        let guarded = dialect.guarded(session).await?.map(Arc::new);
        *self.known() = (mark, guarded.clone());
        Ok((guarded, held))
    }

    fn known(&self) -> MutexGuard<'_, (Option<String>, Guarded)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The mark of the schema; and whether a table of holds has rows, asked in the same round.
async fn mark(
    dialect: &'static dyn Dialect,
    session: &mut Session,
    holds: Option<&str>,
) -> Result<(Option<String>, bool), PortError> {
    let mark = dialect.schema_mark();
    let mark = mark.as_deref().unwrap_or("NULL");
    let held = holds.map(|holds| format!(", (SELECT count(*) FROM {holds})"));
    let asked = format!("SELECT {mark}{}", held.unwrap_or_default());
    let place = holds.unwrap_or("catalogue");
    let answer = session
        .fetch(Sql::new(dialect, asked).kept(), place)
        .await?;
    let mut cells = answer.into_iter().flatten();
    let mark = cells.next().and_then(|mark| mark.text());
    Ok((mark, cells.next().is_some_and(|held| held.count() > 0)))
}

/// Reads what the database says of itself, but for the source's own tables.
pub(super) async fn catalogue(
    dialect: &dyn Dialect,
    session: &mut Session,
) -> Result<Catalogue, PortError> {
    let mut catalogue = dialect.catalogue(session).await?;
    let own = [EFFECTS, RESTRICTIONS, STOPS, HOLDS];
    catalogue
        .tables
        .retain(|name, _| !own.contains(&name.as_str()));
    Ok(catalogue)
}

/// The first table, or column, that is not as it was.
fn changed(before: &Catalogue, now: &Catalogue) -> String {
    let mut names = now.tables.keys().chain(before.tables.keys());
    let Some(name) = names.find(|name| now.tables.get(*name) != before.tables.get(*name)) else {
        return "catalogue".to_owned();
    };
    let (Some(was), Some(is)) = (before.tables.get(name), now.tables.get(name)) else {
        return name.clone(); // a table that came or went
    };
    let mut columns = was.columns.iter().chain(&is.columns);
    let differs = columns.find(|column| was.column(&column.name) != is.column(&column.name));
    match differs {
        Some(column) => format!("{name}.{}", column.name),
        None => name.clone(), // a key
    }
}
