//! Restricting rows, and lifting it: the column that the map names holds what the map says, as long
//! as any request restricts the row. Which do, and what stood there before the first, is kept in a
//! table of the source's own, `datarights_restrictions`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Strategy, When, Whose};
use crate::model::{Failure, MissingRows, RowCount};
use crate::ports::PortError;

use super::dialect::{RESTRICTIONS, SET};
use super::erase::Change;
use super::fault::SqlFault;
use super::found::{Found, go_on, own};
use super::kept::{ON_HOLD, RESTORABLE};
use super::layout::{Laid, LaidTarget, Layout};
use super::session::Scalar;
use super::statement::{Param, Sql};

/// Rows that are noted by one statement.
const PAGE: usize = 100;

/// Bytes of a key, and of what a column held before, that can be noted.
const LONGEST: usize = 1024;

/// A row's key, and what its column held before.
type Before = (Vec<String>, Option<String>);

/// What restricts the rows of a table by themselves, and where.
fn mark_of(table: &Laid) -> Option<(&When, &CatalogueColumn)> {
    let mark = table.described.restrict.as_ref()?;
    Some((mark, table.table.column(&mark.column)?))
}

impl Layout {
    /// Whether any row can be restricted.
    pub(super) fn restricts(&self) -> bool {
        self.tables
            .iter()
            .any(|table| table.described.restrict.is_some())
    }

    /// The tables whose rows are restricted: by themselves, or with all that they hang on.
    pub(super) fn restricted(&self) -> BTreeSet<usize> {
        let mut covered = BTreeSet::new();
        loop {
            let before = covered.len();
            for (number, table) in self.tables.iter().enumerate() {
                let hangs = own(table).all(|link| match link.to {
                    LaidTarget::Rows(to, _) => covered.contains(&to),
                    LaidTarget::Identifier(..) => false,
                });
                let by_others = !table.described.person && own(table).next().is_some() && hangs;
                if mark_of(table).is_some() || by_others {
                    covered.insert(number);
                }
            }
            if covered.len() == before {
                return covered;
            }
        }
    }
}

impl Found {
    /// Restricts the rows of the sets for a request, or lifts what it restricted. Answers how many
    /// rows, and those that cannot be.
    pub(super) async fn restrict(
        &mut self,
        request: &str,
        restricted: bool,
    ) -> Result<(Vec<RowCount>, Vec<MissingRows>), PortError> {
        let layout = Arc::clone(&self.layout);
        let covered = layout.restricted();
        let (mut counts, mut missing) = (Vec::new(), Vec::new());
        for (number, table) in layout.tables.iter().enumerate() {
            if let Some((mark, column)) = mark_of(table) {
                if restricted {
                    self.note_restriction(request, table, column, &table.set)
                        .await?;
                    let strategy = Strategy::Fixed(mark.equals.clone());
                    let strategy = [Change::whole(column.clone(), strategy)];
                    self.change(table, &table.set, &strategy, None, false)
                        .await?;
                } else {
                    self.lift(request, table, column, mark).await?;
                }
            }
            let shared = |link: &&super::layout::LaidLink| link.link.whose == Whose::Shared;
            let mut sets: Vec<(String, &str, bool)> = Vec::new();
            if table.owned {
                sets.push((table.name.clone(), &table.set, covered.contains(&number)));
            }
            for link in table.links.iter().filter(shared) {
                sets.push((table.collection_of(link), &link.set, false));
            }
            for (collection, set, covered) in sets {
                let rows = self.count(table, set, None).await?;
                if rows > 0 && covered {
                    counts.push(RowCount::new(&collection, rows));
                } else if rows > 0 {
                    missing.push(MissingRows {
                        collection: Some(collection),
                        rows: Some(rows),
                        failure: Failure::Unsupported,
                    });
                }
            }
        }
        Ok((counts, missing))
    }

    /// Restricts what an erasure keeps, and lifts what it no longer does. What is kept because it can
    /// be brought back is only hidden, and nothing under a hold is changed.
    pub(super) async fn restrict_kept(&mut self, request: &str) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let set = format!("{SET}restricted");
        for table in &layout.tables {
            let Some((mark, column)) = mark_of(table) else {
                continue;
            };
            if !table.is_deleted() && !self.frozen.contains_key(&table.name) {
                self.lift(request, table, column, mark).await?;
            }
            if !self.kept_in.contains(&table.name) {
                continue;
            }
            self.make_set(table, &set).await?;
            let keys = table.key.in_set("");
            let kept = self.sql(format!(
                "INSERT INTO {set} ({keys}) SELECT {keys} FROM {} GROUP BY {keys} HAVING max(why) NOT \
                 LIKE '% {RESTORABLE}' AND max(why) NOT LIKE '{ON_HOLD} %'",
                table.kept
            ));
            if self.run(kept, &table.name).await? > 0 {
                self.note_restriction(request, table, column, &set).await?;
                let strategy = Strategy::Fixed(mark.equals.clone());
                let strategy = [Change::whole(column.clone(), strategy)];
                self.change(table, &set, &strategy, None, false).await?;
            }
            let dropped = self.sql(layout.dialect.drop_set(&set));
            self.run(dropped, &table.name).await?;
        }
        Ok(())
    }

    /// Notes which rows a request restricts, with what stood there before anybody did.
    async fn note_restriction(
        &mut self,
        request: &str,
        table: &Laid,
        column: &CatalogueColumn,
        set: &str,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let number = dialect.number();
        let mut after = i64::MIN;
        loop {
            go_on(&self.cancel)?;
            let name = format!("t.{}", dialect.quote(&column.name));
            let sql = self.sql(format!(
                "SELECT s.{number}, {}, {} FROM {set} AS s {} {} AS t ON {} WHERE s.{number} > {after} \
                 ORDER BY s.{number} LIMIT {PAGE}",
                dialect.fetched(&name, column),
                key_texts(table, self).join(", "),
                dialect.join(),
                table.quoted,
                table.key.joins(dialect, "t", "s"),
            ));
            let rows = self.session.fetch(sql, &table.name).await?;
            let Some(Scalar::Int(last)) = rows.last().and_then(|row| row.first()) else {
                return Ok(());
            };
            after = *last;
            let mut page: BTreeMap<String, Option<String>> = BTreeMap::new();
            for row in &rows {
                let key: Vec<String> = row.iter().skip(2).filter_map(Scalar::text).collect();
                page.insert(written(&key), row.get(1).and_then(Scalar::text));
            }
            let mut sql = self.sql(format!("SELECT row_key, was FROM {RESTRICTIONS}"));
            of_rows(&mut sql, &table.name, page.keys());
            for row in self.session.fetch(sql, RESTRICTIONS).await? {
                if let Some(key) = row.first().and_then(Scalar::text) {
                    page.insert(key, row.get(1).and_then(Scalar::text));
                }
            }
            let (before, then) = dialect.insert_new();
            let mut sql = self.sql(format!(
                "{before} {RESTRICTIONS} (request, collection, row_key, was) VALUES "
            ));
            for (n, (key, was)) in page.into_iter().enumerate() {
                // MariaDB would cut them off, and give back what never stood there.
                if key.len().max(was.as_ref().map_or(0, String::len)) > LONGEST {
                    return Err(SqlFault::TooLong.at(table.place(&column.name)));
                }
                sql.push(if n > 0 { ", (" } else { "(" });
                sql.bind_text(request).push(", ").bind_text(&table.name);
                sql.push(", ").bind_text(key).push(", ");
                match was {
                    Some(was) => sql.bind_text(was).push(")"),
                    None => sql.push("NULL)"),
                };
            }
            sql.push(" ").push(then);
            self.run(sql, RESTRICTIONS).await?;
        }
    }

    /// Forgets a request's restriction; rows that nobody else restricts are as they were.
    async fn lift(
        &mut self,
        request: &str,
        table: &Laid,
        column: &CatalogueColumn,
        mark: &When,
    ) -> Result<(), PortError> {
        loop {
            go_on(&self.cancel)?;
            let mut sql = self.sql(format!(
                "SELECT row_key, was FROM {RESTRICTIONS} WHERE request = "
            ));
            sql.bind_text(request).push(" AND collection = ");
            sql.bind_text(&table.name).push(&format!(" LIMIT {PAGE}"));
            let rows = self.session.fetch(sql, RESTRICTIONS).await?;
            let page: BTreeMap<String, Option<String>> = rows
                .iter()
                .filter_map(|row| Some((row.first()?.text()?, row.get(1)?.text())))
                .collect();
            if page.is_empty() {
                return Ok(());
            }
            let mut sql = self.sql(format!("SELECT DISTINCT row_key FROM {RESTRICTIONS}"));
            of_rows(&mut sql, &table.name, page.keys());
            sql.push(" AND request <> ").bind_text(request);
            let held = self.session.fetch(sql, RESTRICTIONS).await?;
            let held: BTreeSet<String> =
                held.iter().filter_map(|row| row.first()?.text()).collect();
            let free = page.iter().filter(|(key, _)| !held.contains(*key));
            let mut before: Vec<Before> = Vec::new();
            for (key, was) in free {
                let unreadable = |_| SqlFault::UnreadableNote.at(RESTRICTIONS);
                before.push((serde_json::from_str(key).map_err(unreadable)?, was.clone()));
            }
            for (key, was) in before {
                self.give_back(table, column, mark, key, was).await?;
            }
            let mut sql = self.sql(format!("DELETE FROM {RESTRICTIONS}"));
            of_rows(&mut sql, &table.name, page.keys());
            sql.push(" AND request = ").bind_text(request);
            self.run(sql, RESTRICTIONS).await?;
        }
    }

    async fn give_back(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        mark: &When,
        key: Vec<String>,
        was: Option<String>,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let name = dialect.quote(&column.name);
        let mut sql = self.sql(format!("UPDATE {} SET {name} = ", table.quoted));
        match was {
            Some(was) => sql.bind_for(column, was),
            None => sql.push("NULL"),
        };
        sql.push(" WHERE ");
        for (part, value) in table.key.columns.iter().zip(key) {
            sql.push(&dialect.quote(&part.name)).push(" = ");
            sql.bind_key(part, &value).push(" AND ");
        }
        // What the host wrote there meanwhile stays.
        sql.push(&name).push(" = ").bind_plain(column, &mark.equals);
        self.run(sql, &table.place(&column.name)).await.map(drop)
    }

    /// Forgets who restricted the rows of a set: they go, and their keys with them.
    pub(super) async fn forget_restrictions(
        &mut self,
        table: &Laid,
        set: &str,
    ) -> Result<(), PortError> {
        if table.described.restrict.is_none() {
            return Ok(());
        }
        let sql = self.sql(format!(
            "SELECT {} FROM {set} AS s {} {} AS t ON {}",
            key_texts(table, self).join(", "),
            self.layout.dialect.join(),
            table.quoted,
            table.key.joins(self.layout.dialect, "t", "s")
        ));
        let rows = self.session.fetch(sql, &table.name).await?;
        for rows in rows.chunks(PAGE) {
            let keys = rows.iter().map(|row| {
                let key: Vec<String> = row.iter().filter_map(Scalar::text).collect();
                written(&key)
            });
            let keys: BTreeSet<String> = keys.collect();
            let mut sql = self.sql(format!("DELETE FROM {RESTRICTIONS}"));
            of_rows(&mut sql, &table.name, keys.iter());
            self.run(sql, RESTRICTIONS).await?;
        }
        Ok(())
    }
}

fn key_texts(table: &Laid, found: &Found) -> Vec<String> {
    let keys = table.key.under("t").into_iter().enumerate();
    let dialect = found.layout.dialect;
    keys.map(|(n, key)| dialect.key_text(&key, table.key.class(n)))
        .collect()
}

/// A row's key as it is noted.
fn written(key: &[String]) -> String {
    serde_json::Value::from(key.to_vec()).to_string()
}

/// Writes the condition of these rows of a table.
fn of_rows<'a>(sql: &mut Sql, collection: &str, keys: impl Iterator<Item = &'a String>) {
    sql.push(" WHERE collection = ").bind_text(collection);
    sql.push(" AND row_key IN (");
    for (n, key) in keys.enumerate() {
        sql.push(if n > 0 { ", " } else { "" });
        sql.bind(Param::Text(key.clone()));
    }
    sql.push(")");
}
