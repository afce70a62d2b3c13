//! Erasing: the steps, in an order that loses no path. A plan is the same steps, rolled back.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::datamap::{
    CatalogueColumn, Class, Column, DeleteRule, PSEUDONYM_LENGTH, Plain, RowErasure, Strategy,
};
use crate::model::{Assurance, RowCount, WithheldRows};
use crate::ports::{Erased, PlannedAction, PlannedRows, PortError};

use super::clue::Person;
use super::fault::SqlFault;
use super::found::{Found, go_on, others};
use super::held::under_hold;
use super::json;
use super::layout::{Laid, LaidLink};
use super::minimise::Minimise;
use super::statement::{Param, Sql};

/// How a pseudonym begins.
const PSEUDONYM: &str = "anon-";
/// On how many rows of a table a plan tries out what leaves the rows, where it may be refused.
const TRIED: u64 = 1000;
/// How many values are replaced one by one: each goes through all rows.
const PAGE: usize = 200;

/// The key of pseudonyms.
pub(super) type PseudonymKey = crate::model::Personal<Vec<u8>>;

/// What an erasure did, or would do.
#[derive(Default)]
pub(super) struct Performed {
    pub(super) lines: Vec<PlannedRows>,
    pub(super) withheld: Vec<WithheldRows>,
}

impl Performed {
    pub(super) fn note(&mut self, collection: String, action: PlannedAction, rows: u64) {
        if rows > 0 {
            self.lines.push(PlannedRows {
                collection,
                action,
                rows,
            });
        }
    }

    /// With as many rows deleted as were counted before.
    fn correct(&mut self, counted: &[RowCount]) {
        for count in counted {
            let line = self.lines.iter_mut().find(|line| {
                line.collection == count.collection && line.action == PlannedAction::Delete
            });
            match line {
                Some(line) => line.rows = count.rows,
                None => self.note(count.collection.clone(), PlannedAction::Delete, count.rows),
            }
        }
    }

    /// The rows by collection.
    fn rows(&self) -> Vec<RowCount> {
        self.lines
            .iter()
            .map(|line| RowCount::new(&line.collection, line.rows))
            .collect()
    }

    /// As a source answers it.
    pub(super) fn erased(self) -> Erased {
        Erased {
            rows: self.rows(),
            assurance: if self.anonymised() {
                Assurance::Anonymised
            } else {
                Assurance::Deleted
            },
            withheld: self.withheld,
        }
    }

    /// Whether any row that was somebody's stays without them.
    fn anonymised(&self) -> bool {
        let stays = |line: &PlannedRows| line.action == PlannedAction::Anonymise;
        self.lines.iter().any(stays)
    }
}

impl Found {
    /// All steps of an erasure, on sets that are filled and from which the kept rows are taken.
    pub(super) async fn erase(
        &mut self,
        person: &Person,
        withheld: Vec<WithheldRows>,
        key: Option<&PseudonymKey>,
        rehearsal: bool,
    ) -> Result<Performed, PortError> {
        let layout = Arc::clone(&self.layout);
        let deferred = self.watch_deferred().await?;
        let mut done = Performed {
            withheld,
            ..Performed::default()
        };
        done.withheld.extend(self.held_elsewhere(person).await?);
        for count in self.replace_marks(person, true).await? {
            done.note(count.collection, PlannedAction::Anonymise, count.rows);
        }
        for table in &layout.tables {
            if self.frozen.contains_key(&table.name) {
                continue;
            }
            for link in others(table) {
                let strategies = taken_out(table, link);
                let rows = self
                    .change(table, &link.set, &strategies, key, false)
                    .await?;
                done.note(table_link(table, link), PlannedAction::Anonymise, rows);
            }
        }
        for (number, column) in &layout.released {
            let table = &layout.tables[*number];
            let strategies = [Change::whole(column.clone(), Strategy::Null)];
            self.change(table, &table.set, &strategies, key, false)
                .await?;
        }
        let mut going = Vec::new();
        let cascaded = self.count_cascaded().await?;
        for &number in &layout.order {
            let table = &layout.tables[number];
            if !table.owned {
                continue;
            }
            match table.described.erase {
                RowErasure::Delete => {
                    self.forget_restrictions(table, &table.set).await?;
                    going.push((self.deleted(table, &table.set), table.name.as_str()));
                }
                RowErasure::Columns => {
                    self.delete_each(&mut going, &mut done).await?;
                    let strategies = column_strategies(table);
                    // What nothing else changes can be counted, and tried out on some rows.
                    let free_text = |column: &Column| column.free_text;
                    let in_part = rehearsal
                        && others(table).next().is_none()
                        && !table.described.columns.values().any(free_text);
                    let rows = self
                        .change(table, &table.set, &strategies, key, in_part)
                        .await?;
                    done.note(table.name.clone(), PlannedAction::Anonymise, rows);
                }
                _ => {} // kept, and taken out of the set before
            }
        }
        self.delete_each(&mut going, &mut done).await?;
        done.correct(&cascaded);
        let how = if rehearsal {
            Minimise::Rehearse
        } else {
            Minimise::All
        };
        self.minimise(key, how, &mut done).await?;
        self.settle_deferred(deferred).await?;
        Ok(done)
    }

    /// The rows of tables of which some may be gone, with others, before they are deleted: the
    /// database does not count those.
    async fn count_cascaded(&mut self) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let place = |name: &str| {
            let named = |&number: &usize| layout.tables[number].name == name;
            layout.order.iter().position(named)
        };
        let mut counts = Vec::new();
        for (here, &number) in layout.order.iter().enumerate() {
            let table = &layout.tables[number];
            let cascades = table.table.foreign_keys.iter().any(|key| {
                key.on_delete == DeleteRule::Cascade && place(&key.table).is_some_and(|p| p <= here)
            });
            if cascades && table.is_deleted() {
                let rows = self.count(table, &table.set, None).await?;
                counts.push(RowCount::new(&table.name, rows));
            }
        }
        Ok(counts)
    }

    /// Writes that the rows of a set go.
    pub(super) fn deleted(&self, table: &Laid, set: &str) -> String {
        let dialect = self.layout.dialect;
        let on = table.key.joins(dialect, "t", "s");
        dialect.delete(&table.quoted, set, &table.key.under("t"), &on)
    }

    /// Deletes from these tables, one after the other.
    async fn delete_each(
        &mut self,
        going: &mut Vec<(String, &str)>,
        done: &mut Performed,
    ) -> Result<(), PortError> {
        let rows = self.run_each(going).await?;
        for ((_, table), rows) in going.drain(..).zip(rows) {
            done.note(table.to_owned(), PlannedAction::Delete, rows);
        }
        Ok(())
    }

    /// What names the person in rows of others that are under a hold.
    pub(super) async fn held_elsewhere(
        &mut self,
        person: &Person,
    ) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut held = Vec::new();
        for table in &layout.tables {
            let Some(ground) = self.frozen.get(&table.name).cloned() else {
                continue;
            };
            let mut counts = self.named_in(person, table, false).await?;
            for link in others(table) {
                let strategies = taken_out(table, link);
                let rows = self.count_pending(table, &link.set, &strategies).await?;
                counts.push(RowCount::new(table_link(table, link), rows));
            }
            held.extend(under_hold(counts, &ground));
        }
        Ok(held)
    }

    /// What is still there and not kept.
    pub(super) async fn left(&mut self, person: &Person) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut left = self.replace_marks(person, false).await?;
        for table in &layout.tables {
            let frozen = self.frozen.contains_key(&table.name);
            for link in others(table).filter(|_| !frozen) {
                let strategies = taken_out(table, link);
                let rows = self.count_pending(table, &link.set, &strategies).await?;
                left.push(RowCount::new(table_link(table, link), rows));
            }
            if table.owned {
                let rows = match table.described.erase {
                    RowErasure::Columns => {
                        let strategies = column_strategies(table);
                        self.count_pending(table, &table.set, &strategies).await?
                    }
                    _ => self.count(table, &table.set, None).await?,
                };
                left.push(RowCount::new(&table.name, rows));
            }
        }
        let mut unneeded = Performed::default();
        self.minimise(None, Minimise::Left, &mut unneeded).await?;
        left.extend(unneeded.rows());
        left.retain(|count| count.rows > 0);
        Ok(left)
    }

    pub(super) async fn count_pending(
        &mut self,
        table: &Laid,
        set: &str,
        strategies: &[Change],
    ) -> Result<u64, PortError> {
        let mut pending = self.sql("");
        let mut rows = match Self::pending(&mut pending, strategies) {
            true => self.count(table, set, Some(pending)).await?,
            false => 0,
        };
        for change in strategies.iter().filter(|c| c.strategy.is_row_by_row()) {
            // Nobody can see what chance has changed.
            if change.strategy != Strategy::Random {
                rows = rows.max(self.rewrite(table, set, change, false).await?);
            }
        }
        Ok(rows)
    }

    /// How many rows of a set need changes, those by chance among them.
    pub(super) async fn count_changes(
        &mut self,
        table: &Laid,
        set: &str,
        changes: &[Change],
    ) -> Result<u64, PortError> {
        let mut rows = self.count_pending(table, set, changes).await?;
        for change in changes.iter().filter(|c| c.strategy == Strategy::Random) {
            rows = rows.max(self.rewrite(table, set, change, false).await?);
        }
        Ok(rows)
    }

    /// Applies strategies to the rows of a set that need it; answers how many did. `in_part` tries
    /// them out on some rows, and counts the others.
    pub(super) async fn change(
        &mut self,
        table: &Laid,
        set: &str,
        strategies: &[Change],
        key: Option<&PseudonymKey>,
        in_part: bool,
    ) -> Result<u64, PortError> {
        let changing = strategies.iter().filter(|c| c.strategy != Strategy::Keep);
        let (one_by_one, at_once): (Vec<Change>, Vec<Change>) =
            changing.cloned().partition(|c| c.strategy.is_one_by_one());
        let by_chance = one_by_one.iter().any(|c| c.strategy == Strategy::Random);
        let mut counted = None;
        if in_part || !one_by_one.is_empty() {
            let rows = self.count_pending(table, set, strategies).await?;
            if rows == 0 && !by_chance {
                return Ok(0);
            }
            counted = Some(rows);
        }
        // Where nothing can refuse, the right to write is asked for, and no row is written.
        let tried = if self.may_refuse(table, strategies) {
            TRIED
        } else {
            0
        };
        let some = format!("(SELECT * FROM {set} LIMIT {tried})");
        let set = match counted {
            Some(rows) if in_part && rows > tried => &some,
            _ => set,
        };
        for change in one_by_one {
            if change.strategy.is_row_by_row() {
                let rows = self.rewrite(table, set, &change, true).await?;
                counted = counted.max(Some(rows));
                continue;
            }
            let key = key.ok_or_else(|| SqlFault::NoPseudonymKey.at(&table.name))?;
            self.pseudonymise(table, set, &change.column, key).await?;
        }
        if at_once.is_empty() {
            return Ok(counted.unwrap_or(0));
        }
        let dialect = self.layout.dialect;
        let on = table.key.joins(dialect, "t", "s");
        let (before, after) = dialect.update(&table.quoted, set, &table.key.under("t"), &on);
        let mut sql = self.sql(before);
        self.assign(&mut sql, &at_once);
        sql.push(&after).push(" AND (");
        if !Self::pending(&mut sql, &at_once) {
            return Ok(counted.unwrap_or(0));
        }
        sql.push(")");
        let changed = self.run(sql, &table.name).await?;
        Ok(counted.unwrap_or(changed))
    }

    /// Writes what the columns become.
    pub(super) fn assign(&self, sql: &mut Sql, at_once: &[Change]) {
        let dialect = self.layout.dialect;
        let mut set_already: Vec<&str> = Vec::new();
        for change in at_once {
            let (column, strategy) = (&change.column, &change.strategy);
            if set_already.contains(&column.name.as_str()) {
                continue; // a part of a document that was written with the first
            }
            let name = dialect.quote(&column.name);
            sql.push(if set_already.is_empty() { "" } else { ", " })
                .push(&name)
                .push(" = ");
            set_already.push(&column.name);
            if !change.path.is_empty() {
                let of_column = at_once
                    .iter()
                    .filter(|other| other.column.name == column.name);
                let parts: Vec<(&[String], &Strategy)> = of_column
                    .map(|other| (other.path.as_slice(), &other.strategy))
                    .collect();
                json::changed(sql, column, &parts);
                continue;
            }
            let value = format!("t.{name}");
            match strategy {
                Strategy::Fixed(plain) => {
                    sql.bind_plain(column, plain);
                }
                Strategy::Mask(first) => {
                    sql.push(&dialect.masked(&dialect.readable(&value, column), *first));
                }
                Strategy::Generalise(to) => {
                    let value = dialect.readable(&value, column);
                    sql.push(&dialect.coarser(&value, column.class, *to));
                }
                _ => {
                    sql.push("NULL");
                }
            }
        }
    }

    /// Whether the database may refuse what the catalogue allows.
    pub(super) fn may_refuse(&self, table: &Laid, changes: &[Change]) -> bool {
        let guarded = self
            .guarded
            .as_ref()
            .is_none_or(|g| g.contains(&table.name));
        let catalogue = &table.table;
        let keys = catalogue.foreign_keys.iter().map(|key| &key.columns);
        let keys: Vec<_> = keys
            .chain(&catalogue.unique)
            .chain([&catalogue.key])
            .collect();
        let sure = |change: &Change| {
            let column = &change.column;
            let fits = match &change.strategy {
                Strategy::Keep => return true, // nothing is written
                _ if !change.path.is_empty() => false,
                Strategy::Null => column.nullable,
                Strategy::Fixed(Plain::Text(_)) => column.class == Class::Text,
                Strategy::Fixed(Plain::Bool(_)) => column.class == Class::Bool,
                _ => false,
            };
            fits && !keys.iter().any(|key| key.contains(&column.name))
        };
        guarded || !changes.iter().all(sure)
    }

    /// Replaces value by value: equal ones stay equal.
    async fn pseudonymise(
        &mut self,
        table: &Laid,
        set: &str,
        column: &CatalogueColumn,
        key: &PseudonymKey,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let place = table.place(&column.name);
        let name = format!("t.{}", dialect.quote(&column.name));
        let on = table.key.joins(dialect, "t", "s");
        let strategy = [Change::whole(column.clone(), Strategy::Pseudonym)];
        loop {
            go_on(&self.cancel)?;
            let mut sql = self.sql(format!(
                "SELECT DISTINCT {} FROM {set} AS s {} {} AS t ON {on} WHERE ",
                dialect.fetched(&name, column),
                dialect.join(),
                table.quoted
            ));
            Self::pending(&mut sql, &strategy);
            sql.push(&format!(" LIMIT {PAGE}"));
            let values = self.session.fetch(sql, &place).await?;
            if values.is_empty() {
                return Ok(());
            }
            // Where there are more, row by row is less work: what is one already stays.
            if values.len() == PAGE && !table.key.loose {
                let clean = |text: &str| match is_pseudonym(text) {
                    true => Ok(None),
                    false => pseudonym(key, text).map(Some),
                };
                let rewritten = self.rewrite_by(table, set, column, &clean, true);
                return rewritten.await.map(drop);
            }
            let mut changed = 0;
            for value in values.iter().filter_map(|row| row.first()?.text()) {
                let keys = table.key.under("t");
                let (before, after) = dialect.update(&table.quoted, set, &keys, &on);
                let mut sql = self.sql(before);
                sql.push(&dialect.quote(&column.name)).push(" = ");
                sql.bind_text(pseudonym(key, &value)?);
                sql.push(&after).push(" AND ");
                let held = sql.hold(Param::Text(value));
                let same = dialect.same(&name, &held, column.class);
                sql.push(&same);
                changed += self.run(sql, &place).await?;
            }
            if changed == 0 {
                return Err(SqlFault::NotReplaced.at(place));
            }
        }
    }

    /// Writes of `t` that a strategy has not been applied to it yet; nothing, if there is none.
    pub(super) fn pending(sql: &mut Sql, strategies: &[Change]) -> bool {
        let dialect = sql.dialect;
        let mut any = false;
        for change in strategies {
            let (column, strategy) = (&change.column, &change.strategy);
            if *strategy == Strategy::Keep || strategy.is_row_by_row() {
                continue;
            }
            sql.push(if std::mem::replace(&mut any, true) {
                " OR "
            } else {
                ""
            });
            if !change.path.is_empty() {
                json::pending(sql, column, &change.path, strategy);
                continue;
            }
            let name = format!("t.{}", dialect.quote(&column.name));
            match strategy {
                Strategy::Fixed(plain) => {
                    // Written apart, because a value must be bound where it is written.
                    let mut right = Sql {
                        text: String::new(),
                        ..sql.clone()
                    };
                    right.bind_plain(column, plain);
                    sql.params = right.params;
                    let same = dialect.same(&name, &right.text, column.class);
                    sql.push(&format!("NOT ({same})"));
                }
                Strategy::Mask(first) => {
                    let name = dialect.readable(&name, column);
                    let same = dialect.same(&name, &dialect.masked(&name, *first), column.class);
                    sql.push(&format!("({name} IS NOT NULL AND NOT ({same}))"));
                }
                Strategy::Generalise(to) => {
                    let name = dialect.readable(&name, column);
                    let coarser = dialect.coarser(&name, column.class, *to);
                    let same = dialect.same(&name, &coarser, column.class);
                    sql.push(&format!("({name} IS NOT NULL AND NOT ({same}))"));
                }
                Strategy::Pseudonym => {
                    sql.push(&format!(
                        "NOT (length({name}) = {PSEUDONYM_LENGTH} AND substr({name}, 1, 5) = \
                         '{PSEUDONYM}')"
                    ));
                }
                _ => {
                    sql.push(&format!("{name} IS NOT NULL"));
                }
            }
        }
        any
    }
}

impl Laid {
    /// Whether a value in a column looks as an erasure leaves it: it may be anybody's.
    pub(super) fn puts(&self, column: &str, value: &str) -> bool {
        let described = self.described.columns.get(column);
        let mut strategies = described
            .into_iter()
            .flat_map(|described| described.erase.iter().chain(&described.minimise));
        strategies.any(|strategy| match strategy {
            Strategy::Fixed(Plain::Text(text)) => text == value,
            Strategy::Pseudonym => is_pseudonym(value),
            Strategy::Mask(first) => {
                let mut rest = value.chars().skip(*first as usize).peekable();
                let all = !value.is_empty() && value.chars().all(|c| c == '*');
                all || rest.peek().is_some() && rest.all(|c| c == '*')
            }
            _ => false,
        })
    }
}

/// Whether a text has the form of a pseudonym, as [`Found::pending`] tells it.
fn is_pseudonym(text: &str) -> bool {
    u32::try_from(text.chars().count()) == Ok(PSEUDONYM_LENGTH) && text.starts_with(PSEUDONYM)
}

fn pseudonym(key: &PseudonymKey, value: &str) -> Result<String, PortError> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose());
    let mut mac = mac.map_err(|_| SqlFault::NoPseudonymKey.anywhere())?;
    mac.update(value.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let digits: String = bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("{PSEUDONYM}{digits}"))
}

/// The collection of what a link finds.
pub(super) fn table_link(table: &Laid, link: &LaidLink) -> String {
    table.collection_of(link)
}

/// What a strategy does, and where: to a column, or to a part of the document in it.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) column: CatalogueColumn,
    path: Vec<String>,
    pub(super) strategy: Strategy,
}

impl Change {
    pub(super) const fn whole(column: CatalogueColumn, strategy: Strategy) -> Self {
        Self {
            column,
            path: Vec::new(),
            strategy,
        }
    }

    /// Whether nothing is done.
    pub(super) fn keeps(&self) -> bool {
        self.strategy == Strategy::Keep
    }
}

/// What is taken out of a row that is not the person's alone: what the link says, and the link.
pub(super) fn taken_out(table: &Laid, link: &LaidLink) -> Vec<Change> {
    let said = link.link.erase.iter().filter_map(|(name, strategy)| {
        Some(Change::whole(
            table.table.column(name)?.clone(),
            strategy.clone(),
        ))
    });
    let unsaid = link
        .columns
        .iter()
        .filter(|column| !link.link.erase.contains_key(&column.name))
        .map(|column| Change {
            path: link.link.path.clone(),
            ..Change::whole(column.clone(), Strategy::Null)
        });
    said.chain(unsaid).collect()
}

/// The strategies of a table whose rows stay.
pub(super) fn column_strategies(table: &Laid) -> Vec<Change> {
    let mut changes = Vec::new();
    for (column, described) in table.columns() {
        let whole = described.erase.iter();
        changes.extend(whole.map(|strategy| Change::whole(column.clone(), strategy.clone())));
        for part in &described.paths {
            changes.extend(part.erase.iter().map(|strategy| Change {
                path: part.path.clone(),
                ..Change::whole(column.clone(), strategy.clone())
            }));
        }
    }
    changes
}
