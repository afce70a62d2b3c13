//! Makes a catalogue of the rows in which a database tells of its tables.
//!
//! Each database is asked in its own words; the rows come back in one shape. Those of one index or
//! one foreign key follow each other, in the order of its columns.

#[cfg(any(feature = "sql-postgres", feature = "sql-sqlite"))]
use std::collections::BTreeSet;

use crate::datamap::{Catalogue, DeleteRule, ForeignKey};
#[cfg(any(feature = "sql-postgres", feature = "sql-mysql"))]
use crate::datamap::{CatalogueColumn, Class};

use super::session::Row;
#[cfg(any(feature = "sql-postgres", feature = "sql-mysql"))]
use super::session::Scalar;

/// Names of tables.
#[cfg(any(feature = "sql-postgres", feature = "sql-sqlite"))]
pub(super) fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.first()?.text()).collect()
}

/// Columns: table, name, declared type, 1 if it is NOT NULL, 1 if the database computes it,
/// how many characters it takes, or NULL, and its collation, or NULL.
#[cfg(any(feature = "sql-postgres", feature = "sql-mysql"))]
pub(super) fn columns(catalogue: &mut Catalogue, rows: &[Row], class: impl Fn(&str) -> Class) {
    for row in rows {
        let [
            table,
            name,
            declared,
            not_null,
            generated,
            length,
            collation,
        ] = row.as_slice()
        else {
            continue;
        };
        let (Some(table), Some(name)) = (table.text(), name.text()) else {
            continue;
        };
        let declared = declared.text().unwrap_or_default();
        let mut column = CatalogueColumn::new(name, class(&declared), declared);
        column.nullable = not_null.count() == 0;
        column.generated = generated.count() > 0;
        column.collation = collation.text();
        column.length = match length {
            Scalar::Null => None,
            length => u32::try_from(length.count()).ok(),
        };
        let described = catalogue.tables.entry(table).or_default();
        described.columns.push(column);
    }
}

/// Columns of unique indexes: table, index, name, and 1 if the index is the primary key's. An
/// expression has no name; it is no column that a strategy could set.
pub(super) fn unique_sets(catalogue: &mut Catalogue, rows: &[Row]) {
    let mut last = None;
    for row in rows {
        let [table, index, column, primary] = row.as_slice() else {
            continue;
        };
        let (Some(table), Some(index)) = (table.text(), index.text()) else {
            continue;
        };
        let Some(described) = catalogue.tables.get_mut(&table) else {
            continue;
        };
        let column = column.text().unwrap_or_default();
        if primary.count() > 0 {
            described.key.push(column);
            continue;
        }
        let this = Some((table, index));
        if last != this {
            described.unique.push(Vec::new());
            last = this;
        }
        if let Some(set) = described.unique.last_mut() {
            set.push(column);
        }
    }
}

/// What else goes with the rows of a table: table, and the table elsewhere.
#[cfg(any(feature = "sql-postgres", feature = "sql-mysql"))]
pub(super) fn cascades(catalogue: &mut Catalogue, rows: &[Row]) {
    for row in rows {
        let [table, elsewhere] = row.as_slice() else {
            continue;
        };
        if let (Some(table), Some(elsewhere)) = (table.text(), elsewhere.text())
            && let Some(described) = catalogue.tables.get_mut(&table)
        {
            described.cascades_to.push(elsewhere);
        }
    }
}

/// Columns of foreign keys: table, key, the table that it leads to, name, name there, and what
/// happens to the row when that one is deleted, in the words of the SQL standard.
pub(super) fn foreign_keys(catalogue: &mut Catalogue, rows: &[Row]) {
    let mut last = None;
    for row in rows {
        let [table, key, to, from, references, rule] = row.as_slice() else {
            continue;
        };
        let (Some(table), Some(key), Some(to), Some(from), Some(references)) = (
            table.text(),
            key.text(),
            to.text(),
            from.text(),
            references.text(),
        ) else {
            continue;
        };
        let Some(described) = catalogue.tables.get_mut(&table) else {
            continue;
        };
        let this = Some((table, key));
        if last != this {
            let rule = match rule.text().as_deref() {
                Some("CASCADE") => DeleteRule::Cascade,
                Some("SET NULL" | "SET DEFAULT") => DeleteRule::Release,
                _ => DeleteRule::Refuse,
            };
            let key = ForeignKey::new([""; 0], to, [""; 0]).on_delete(rule);
            described.foreign_keys.push(key);
            last = this;
        }
        if let Some(key) = described.foreign_keys.last_mut() {
            key.columns.push(from);
            key.references.push(references);
        }
    }
}
