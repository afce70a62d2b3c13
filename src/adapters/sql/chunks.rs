//! A very large person, erased in several transactions of so many rows at most.
//!
//! Each transaction finds everything anew, asks anew what must be kept, and does the steps of an
//! erasure as far as its rows go: free text, links of others, then the rows, what refers before what
//! it refers to. The last one does all steps on what is left. What may lead to others, or decides
//! how long others are kept, is left to it.
//!
//! What was done so far stands in the table of effects, under the request: no answer counts it before
//! the last transaction, which answers the sum.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::datamap::{RowErasure, Strategy, Target};
use crate::model::{Digest, Handle, Pending};
use crate::ports::{
    CallContext, Erased, ErrorKind, PlannedAction, PlannedRows, PortError, SourcePlan,
};

use super::clue::Person;
use super::dialect::{EFFECTS, SET};
use super::erase::{Change, Performed, PseudonymKey, column_strategies, table_link, taken_out};
use super::fault::SqlFault;
use super::found::{Found, append, go_on, others};
use super::layout::{Laid, LaidLink, LaidTarget, Layout};
use super::plan::covers;
use super::session::{Purpose, Scalar};
use super::source::SqlSource;
use super::statement::Param;
use super::text::Replace;

/// By what the engine asks for the next chunks.
const NEXT: &str = "chunks";

/// What an erasure did that has not come to its end.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    /// Whether the free text was gone through.
    texts: bool,
    /// What was done, by the effect that did it: each is held to its own plan.
    done: BTreeMap<String, Vec<PlannedRows>>,
}

impl Begun {
    /// What an effect did before, and more.
    fn with(&self, effect: &str, more: &[PlannedRows]) -> Performed {
        let before = self.done.get(effect).into_iter().flatten();
        Performed {
            lines: before.chain(more).cloned().collect(),
            ..Performed::default()
        }
    }

    fn add(&mut self, effect: &str, more: Vec<PlannedRows>) {
        self.done.entry(effect.to_owned()).or_default().extend(more);
        for lines in self.done.values_mut() {
            *lines = sum(lines);
        }
    }

    /// What all of them did, and the last transaction.
    fn and(&self, last: Vec<PlannedRows>) -> Vec<PlannedRows> {
        let all: Vec<PlannedRows> = self.done.values().flatten().cloned().chain(last).collect();
        sum(&all)
    }
}

/// Lines of one collection and action as one.
fn sum(lines: &[PlannedRows]) -> Vec<PlannedRows> {
    let mut sums: Vec<PlannedRows> = Vec::new();
    for line in lines {
        let same = |known: &&mut PlannedRows| {
            known.collection == line.collection && known.action == line.action
        };
        match sums.iter_mut().find(same) {
            Some(known) => known.rows = known.rows.saturating_add(line.rows),
            None => sums.push(line.clone()),
        }
    }
    sums
}

/// What need not wait for the last transaction.
struct Early {
    /// Tables, what refers before what it refers to.
    tables: Vec<usize>,
    /// Links that find rows of others, by their sets.
    links: BTreeSet<String>,
    /// Columns with free text, by their places.
    texts: BTreeSet<String>,
    /// For each table those with rows of the person that may refer to its rows.
    referring: Vec<BTreeSet<usize>>,
}

impl Layout {
    fn early(&self) -> Early {
        let (found_by, telling) = (self.found_by(), self.telling_of_others());
        let (mut texts, mut links) = (BTreeSet::new(), BTreeSet::new());
        // Tables to which links lead that wait.
        let mut waiting = BTreeSet::new();
        for table in &self.tables {
            let tells = telling.contains(table.name.as_str());
            let leads = |column: &str| found_by.contains(&(table.name.as_str(), column));
            for (column, described) in table.columns() {
                let name = &column.name;
                if described.free_text && !tells && !leads(name) && !decides(table, name) {
                    texts.insert(table.place(name));
                }
            }
            for link in others(table) {
                if !tells && is_early(table, link) {
                    links.insert(link.set.clone());
                } else if let LaidTarget::Rows(to, _) = link.to {
                    waiting.insert(to);
                }
            }
        }
        let referring = self.referring();
        let mut tables = Vec::new();
        // Nothing goes from there, or it has gone before.
        let stays = |table: &Laid| matches!(table.described.erase, RowErasure::Keep { .. });
        let nothing_goes = |&number: &usize| {
            let table = &self.tables[number];
            !table.owned || stays(table)
        };
        let mut settled: BTreeSet<usize> =
            self.order.iter().copied().filter(nothing_goes).collect();
        for &number in &self.order {
            let tells = telling.contains(self.tables[number].name.as_str());
            let early = !tells && !waiting.contains(&number) && self.may_go_early(number);
            // A table that refers to itself, or in a circle, is not settled before itself.
            if early && referring[number].is_subset(&settled) && settled.insert(number) {
                tables.push(number);
            }
        }
        Early {
            tables,
            links,
            texts,
            referring,
        }
    }

    /// The columns by which rows are found.
    fn found_by(&self) -> BTreeSet<(&str, &str)> {
        let mut names = BTreeSet::new();
        for table in &self.tables {
            for link in &table.links {
                names.extend(link.columns.iter().map(|c| (&*table.name, &*c.name)));
                names.extend(link.link.when.iter().map(|w| (&*table.name, &*w.column)));
                if let Target::Identifier { at: Some(at), .. } = &link.link.to {
                    names.insert((&table.name, at));
                }
                if let LaidTarget::Rows(to, references) = &link.to {
                    let there = &*self.tables[*to].name;
                    names.extend(references.iter().map(|c| (there, &*c.name)));
                }
            }
        }
        names
    }

    /// For each table those with rows of the person that may refer to its rows.
    fn referring(&self) -> Vec<BTreeSet<usize>> {
        let numbers: BTreeMap<&str, usize> = self
            .tables
            .iter()
            .enumerate()
            .map(|(number, table)| (table.name.as_str(), number))
            .collect();
        let mut referring = vec![BTreeSet::new(); self.tables.len()];
        for (number, table) in self.tables.iter().enumerate().filter(|(_, t)| t.owned) {
            let keys = table.table.foreign_keys.iter();
            let declared = keys.filter_map(|key| numbers.get(key.table.as_str()).copied());
            let followed = table.links.iter().filter_map(|link| match link.to {
                LaidTarget::Rows(to, _) => Some(to),
                LaidTarget::Identifier(..) => None,
            });
            for to in declared.chain(followed) {
                referring[to].insert(number);
            }
        }
        referring
    }

    /// The tables in which stands how long rows of others are kept.
    fn telling_of_others(&self) -> BTreeSet<&str> {
        let mut telling = BTreeSet::new();
        for table in &self.tables {
            let retention = table.described.retention.iter();
            let retention = retention.filter_map(|retention| retention.of.as_ref());
            let conditions = table.described.kept_while.iter();
            let conditions = conditions.filter_map(|condition| condition.of.as_ref());
            telling.extend(retention.chain(conditions).map(|via| via.table.as_str()));
        }
        telling
    }

    /// Whether some rows of a table can go before others of it.
    fn may_go_early(&self, number: usize) -> bool {
        let table = &self.tables[number];
        let released = self.released.iter().any(|(other, _)| *other == number);
        let changed_whole = match table.described.erase {
            RowErasure::Delete => true,
            // What was changed must be told from what was not, and not be found in another way.
            RowErasure::Columns => {
                let mut changes = column_strategies(table).into_iter();
                !table.keeps()
                    && table.described.restrict.is_none()
                    && others(table).next().is_none()
                    && !changes.any(|change| change.strategy.is_row_by_row())
            }
            _ => false,
        };
        table.owned && changed_whole && !released && !table.described.person && !table.key.loose
    }
}

/// Whether a link can be taken out of some rows before others: what is changed with it leads by no
/// other link of the table, and can be told from what is not.
fn is_early(table: &Laid, link: &LaidLink) -> bool {
    let free_text = |name: &String| {
        let described = table.described.columns.get(name);
        described.is_some_and(|column| column.free_text)
    };
    let apart = |other: &LaidLink| match (&link.link.when, &other.link.when) {
        (Some(one), Some(other)) => one.column == other.column && one.equals != other.equals,
        _ => false,
    };
    let leads_elsewhere = |change: &Change| {
        let name = &change.column.name;
        let mut elsewhere = table.links.iter().filter(|other| other.name != link.name);
        !change.keeps() && elsewhere.any(|other| !apart(other) && stands_on(other, name))
    };
    let changes = taken_out(table, link);
    let unsure = |change: &Change| change.strategy.is_row_by_row() || leads_elsewhere(change);
    !table.key.loose && !changes.iter().any(unsure) && !link.link.columns.iter().any(free_text)
}

/// Whether a column decides how long rows of its table are kept.
fn decides(table: &Laid, column: &str) -> bool {
    let described = &table.described;
    let dates = described.retention.iter();
    let mut dates = dates.flat_map(|retention| [Some(&retention.from), retention.or.as_ref()]);
    let mut conditions = described.kept_while.iter();
    let mut hidden = described.soft_delete.iter();
    dates.any(|date| date.is_some_and(|date| date == column))
        || conditions.any(|condition| condition.column == column)
        || hidden.any(|soft| soft.column == column)
}

/// Whether a link looks at a column.
fn stands_on(link: &LaidLink, column: &str) -> bool {
    let link = &link.link;
    let at = match &link.to {
        Target::Identifier { at, .. } => at.as_deref(),
        Target::Rows { .. } => None,
    };
    let when = link.when.as_ref().map(|when| when.column.as_str());
    let columns = link.columns.iter().map(String::as_str);
    columns.chain(at).chain(when).any(|name| name == column)
}

impl SqlSource {
    /// Under which name stands what a request's erasure did so far.
    fn begun_name(&self, context: &CallContext) -> String {
        let (controller, request) = (&context.controller, &context.request);
        let name = format!("begun\0{controller}\0{request}\0{}", self.options.id);
        Digest::of(name.as_bytes()).to_string()
    }

    /// What a request's erasure did so far, to see whether anybody gets on with it.
    pub(super) async fn begun(&self, context: &CallContext) -> Result<Begun, PortError> {
        let mut found = self.begin(context, Purpose::Read).await?;
        let begun = found.read_begun(&self.begun_name(context)).await?;
        found.session.rollback().await?;
        Ok(begun.unwrap_or_default())
    }

    /// Erases some rows of a person, or all that is left; `None`, where more are left.
    pub(super) async fn erase_chunk(
        &self,
        context: &CallContext,
        person: &Person,
        plan: &SourcePlan,
        most: u64,
        inside: bool,
    ) -> Result<Option<Erased>, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(erased) => return Ok(Some(erased)),
            Err(begun) => begun,
        };
        let name = self.begun_name(context);
        let before = found.take_begun(&name).await?;
        let mut begun = before.clone().unwrap_or_default();
        let held = self.same_schema(&mut found).await?;
        let inside = inside && !held && self.goes_inside(&found, person);
        let done = if inside && found.few_inside(person, most).await? {
            found.erase_inside(person, false).await?
        } else {
            let withheld = self.find_all(&mut found, person).await?;
            let early = self.layout.early();
            let rest = found.rest(person, &early, !begun.texts).await?;
            // Before anything is done that a transaction cannot take back.
            covers(plan, &begun.with(&effect, &rest.lines))?;
            if !rest.is_last(most) {
                let key = self.options.pseudonym_key.as_ref();
                let chunk = found
                    .erase_some(person, &early, key, most, &mut begun)
                    .await?;
                if !chunk.lines.is_empty() {
                    begun.add(&effect, chunk.lines);
                    found.forget_effect(&effect).await?;
                    found.write_begun(&name, before.is_some(), &begun).await?;
                    found.clear().await?;
                    go_on(&found.cancel)?;
                    found.session.commit().await?;
                    return Ok(None);
                }
            }
            self.erase_found(&mut found, context, person, withheld, false)
                .await?
        };
        covers(plan, &begun.with(&effect, &done.lines))?;
        if before.is_some() {
            found.forget_effect(&name).await?;
        }
        let all = Performed {
            lines: begun.and(done.lines),
            withheld: done.withheld,
        };
        let erased = all.erased();
        self.done(found, effect, &erased).await?;
        Ok(Some(erased))
    }

    /// Says what an erasure would do. Of a very large person, so many rows of each table are tried
    /// out, as long as nothing is left that refers to them; the others are counted.
    pub(super) async fn rehearse(
        &self,
        found: &mut Found,
        context: &CallContext,
        person: &Person,
        inside: bool,
    ) -> Result<Performed, PortError> {
        let Some(most) = self.options.chunk else {
            return self.perform(found, context, person, true, inside).await;
        };
        let held = self.same_schema(found).await?;
        if inside && !held && self.goes_inside(found, person) {
            return found.erase_inside(person, true).await; // which only counts
        }
        let withheld = self.find_all(found, person).await?;
        let early = self.layout.early();
        let rest = found.rest(person, &early, true).await?;
        if rest.is_last(most.get()) {
            return self
                .erase_found(found, context, person, withheld, true)
                .await;
        }
        let held = found.held_elsewhere(person).await?;
        let key = self.options.pseudonym_key.as_ref();
        found.try_some(person, &early, key, most.get()).await?;
        Ok(Performed {
            lines: rest.lines,
            withheld: withheld.into_iter().chain(held).collect(),
        })
    }

    /// Answers that there is more to do, where the caller will not wait for the next chunk: it is
    /// asked for anew. A deadline that was over before the work began is none.
    pub(super) fn later(&self, context: &CallContext, watch: &mut Watch) -> Option<Pending> {
        let now = self.clock.now();
        let longest = watch.longest.max(now - watch.last);
        *watch = Watch {
            last: now,
            longest,
            ..*watch
        };
        let in_time = now + longest + longest < context.deadline;
        (watch.began < context.deadline && !in_time).then(|| Pending {
            handle: Handle(NEXT.to_owned()),
            look_again: now,
            task: None,
        })
    }

    pub(super) fn watch(&self) -> Watch {
        let now = self.clock.now();
        Watch {
            began: now,
            last: now,
            longest: TimeDelta::zero(),
        }
    }
}

/// How long chunks take.
pub(super) struct Watch {
    began: DateTime<Utc>,
    last: DateTime<Utc>,
    longest: TimeDelta,
}

/// What is left of an erasure.
struct Rest {
    /// In the order in which it is done.
    lines: Vec<PlannedRows>,
    /// How many rows of it need not wait for the last transaction.
    early: u64,
}

impl Rest {
    /// Whether one transaction does it.
    fn is_last(&self, most: u64) -> bool {
        let all: u64 = self.lines.iter().map(|line| line.rows).sum();
        self.early == 0 || all <= most
    }
}

impl Found {
    /// What is left to do on sets that are filled.
    async fn rest(
        &mut self,
        person: &Person,
        early: &Early,
        texts: bool,
    ) -> Result<Rest, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut rest = Performed::default();
        let mut sum = 0;
        if texts {
            for count in self.replace_marks(person, false).await? {
                if early.texts.contains(&count.collection) {
                    sum += count.rows;
                }
                rest.note(count.collection, PlannedAction::Anonymise, count.rows);
            }
        }
        for table in &layout.tables {
            let frozen = self.frozen.contains_key(&table.name);
            for link in others(table).filter(|_| !frozen) {
                let changes = taken_out(table, link);
                let rows = self.count_changes(table, &link.set, &changes).await?;
                if early.links.contains(&link.set) {
                    sum += rows;
                }
                rest.note(table_link(table, link), PlannedAction::Anonymise, rows);
            }
        }
        for &number in &layout.order {
            let table = &layout.tables[number];
            if !table.owned {
                continue;
            }
            let (action, rows) = match table.described.erase {
                RowErasure::Columns => {
                    let changes = column_strategies(table);
                    let rows = self.count_changes(table, &table.set, &changes).await?;
                    (PlannedAction::Anonymise, rows)
                }
                _ => {
                    let rows = self.count(table, &table.set, None).await?;
                    (PlannedAction::Delete, rows)
                }
            };
            if early.tables.contains(&number) {
                sum += rows;
            }
            rest.note(table.name.clone(), action, rows);
        }
        Ok(Rest {
            lines: rest.lines,
            early: sum,
        })
    }

    /// How many rows of a set need changes, those by chance among them.
    async fn count_changes(
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

    /// Does the steps of an erasure on so many rows.
    async fn erase_some(
        &mut self,
        person: &Person,
        early: &Early,
        key: Option<&PseudonymKey>,
        most: u64,
        begun: &mut Begun,
    ) -> Result<Performed, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut done = Performed::default();
        let mut room = most;
        if !begun.texts {
            room -= self.clean_some(person, early, room, &mut done).await?;
            // One more may be left where there is no room for it.
            begun.texts = room > 0;
        }
        for (table, link) in early.links(&layout) {
            if room > 0 && !self.frozen.contains_key(&table.name) {
                let link = (table, link);
                room -= self.unlink_some(link, key, room, &mut done).await?;
            }
        }
        // A table comes when nothing is left before it.
        for &number in &early.tables {
            if room > 0 {
                let table = &layout.tables[number];
                room -= self.remove_some(table, key, room, &mut done).await?;
            }
        }
        Ok(done)
    }

    /// Tries out on so many rows of each table what the database may refuse.
    async fn try_some(
        &mut self,
        person: &Person,
        early: &Early,
        key: Option<&PseudonymKey>,
        most: u64,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let deferred = self.watch_deferred().await?;
        let mut tried = Performed::default();
        self.clean_some(person, early, most, &mut tried).await?;
        // Tables of which not all rows were taken out of the way, or on which such rows hang.
        let mut full = BTreeSet::new();
        for link in early.links(&layout) {
            let frozen = self.frozen.contains_key(&link.0.name);
            let whole = !frozen && self.unlink_some(link, key, most, &mut tried).await? < most;
            if let LaidTarget::Rows(to, _) = link.1.to
                && !whole
            {
                full.insert(to);
            }
        }
        for &number in &early.tables {
            let table = &layout.tables[number];
            let waits = full.contains(&number) || !full.is_disjoint(&early.referring[number]);
            if waits || self.remove_some(table, key, most, &mut tried).await? == most {
                full.insert(number);
            }
        }
        self.settle_deferred(deferred).await
    }

    /// Takes the person out of so many texts.
    async fn clean_some(
        &mut self,
        person: &Person,
        early: &Early,
        most: u64,
        done: &mut Performed,
    ) -> Result<u64, PortError> {
        let which = |place: &str| early.texts.contains(place);
        let counts = self
            .replace_in_all(person, Replace::Some(most), which)
            .await?;
        let rows = counts.iter().map(|count| count.rows).sum();
        for count in counts {
            done.note(count.collection, PlannedAction::Anonymise, count.rows);
        }
        Ok(rows)
    }

    /// Takes the person out of so many rows that a link finds.
    async fn unlink_some(
        &mut self,
        (table, link): (&Laid, &LaidLink),
        key: Option<&PseudonymKey>,
        most: u64,
        done: &mut Performed,
    ) -> Result<u64, PortError> {
        let changes = taken_out(table, link);
        let some = format!("{SET}some");
        let taken = self
            .take_some(table, &link.set, Some(&changes), most)
            .await?;
        if taken > 0 {
            let rows = self.change(table, &some, &changes, key, false).await?;
            done.note(table_link(table, link), PlannedAction::Anonymise, rows);
        }
        Ok(taken)
    }

    /// Deletes so many of the person's own rows of a table, or changes them.
    async fn remove_some(
        &mut self,
        table: &Laid,
        key: Option<&PseudonymKey>,
        most: u64,
        done: &mut Performed,
    ) -> Result<u64, PortError> {
        let stays = table.described.erase == RowErasure::Columns;
        let changes = stays.then(|| column_strategies(table));
        let some = format!("{SET}some");
        let taken = self
            .take_some(table, &table.set, changes.as_deref(), most)
            .await?;
        if taken == 0 {
            return Ok(0);
        }
        if let Some(changes) = changes {
            let rows = self.change(table, &some, &changes, key, false).await?;
            done.note(table.name.clone(), PlannedAction::Anonymise, rows);
        } else {
            self.forget_restrictions(table, &some).await?;
            let deleted = self.sql(self.deleted(table, &some));
            let rows = self.run(deleted, &table.name).await?;
            done.note(table.name.clone(), PlannedAction::Delete, rows);
        }
        Ok(taken)
    }

    /// Puts so many rows of a set into a set of their own, of those to which something is to be done.
    async fn take_some(
        &mut self,
        table: &Laid,
        set: &str,
        changes: Option<&[Change]>,
        most: u64,
    ) -> Result<u64, PortError> {
        let some = format!("{SET}some");
        self.make_set(table, &some).await?;
        let mut pending = self.sql("");
        if let Some(changes) = changes
            && !Self::pending(&mut pending, changes)
        {
            return Ok(0);
        }
        if changes.is_none() {
            pending.push("1 = 1");
        }
        let mut sql = self.sql(format!(
            "INSERT INTO {some} ({}) SELECT {} FROM {set} AS s {} {} AS t ON {} WHERE ",
            table.key.in_set(""),
            table.key.in_set("s."),
            self.layout.dialect.join(),
            table.quoted,
            table.key.joins(self.layout.dialect, "t", "s"),
        ));
        append(&mut sql, "(", pending, &format!(") LIMIT {most}"));
        let taken = self.run(sql, &table.name).await?;
        if taken > 0 {
            self.look_at(&some);
        }
        Ok(taken)
    }

    /// Whether there are few rows, as one statement tells.
    async fn few_inside(&mut self, person: &Person, most: u64) -> Result<bool, PortError> {
        let left = self.left_inside(person).await?;
        Ok(left.is_some_and(|left| left.iter().map(|count| count.rows).sum::<u64>() <= most))
    }

    /// What was done so far; nobody else goes on from there before this transaction has ended.
    async fn take_begun(&mut self, name: &str) -> Result<Option<Begun>, PortError> {
        let mut sql = self.sql(format!(
            "UPDATE {EFFECTS} SET answer = answer WHERE effect = "
        ));
        sql.bind_text(name);
        match self.run(sql.kept(), EFFECTS).await? {
            0 => Ok(None),
            _ => self.read_begun(name).await,
        }
    }

    async fn read_begun(&mut self, name: &str) -> Result<Option<Begun>, PortError> {
        let mut sql = self.sql(format!("SELECT answer FROM {EFFECTS} WHERE effect = "));
        sql.bind_text(name);
        let rows = self.session.fetch(sql.kept(), EFFECTS).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let text = row.first().and_then(Scalar::text).unwrap_or_default();
        let begun = serde_json::from_str(&text);
        begun.map(Some).map_err(|_| unreadable())
    }

    async fn write_begun(
        &mut self,
        name: &str,
        known: bool,
        begun: &Begun,
    ) -> Result<(), PortError> {
        let text = serde_json::to_string(begun).map_err(|_| unreadable())?;
        let sql = if known {
            let mut sql = self.sql(format!("UPDATE {EFFECTS} SET answer = "));
            sql.bind_text(text).push(" WHERE effect = ").bind_text(name);
            sql
        } else {
            let mut sql = self.sql(self.layout.dialect.note_effect());
            sql.params = vec![Param::Text(name.to_owned()), Param::Text(text)];
            sql
        };
        match self.run(sql.kept(), EFFECTS).await? {
            // Somebody else began at the same time.
            0 => Err(SqlFault::Busy.at(EFFECTS)),
            _ => Ok(()),
        }
    }

    async fn forget_effect(&mut self, name: &str) -> Result<(), PortError> {
        let mut sql = self.sql(format!("DELETE FROM {EFFECTS} WHERE effect = "));
        sql.bind_text(name);
        self.run(sql.kept(), EFFECTS).await.map(drop)
    }
}

impl Early {
    /// The links, with their tables.
    fn links<'a>(&'a self, layout: &'a Layout) -> impl Iterator<Item = (&'a Laid, &'a LaidLink)> {
        let of = |table: &'a Laid| others(table).map(move |link| (table, link));
        let all = layout.tables.iter().flat_map(of);
        all.filter(|(_, link)| self.links.contains(&link.set))
    }
}

fn unreadable() -> PortError {
    PortError::new(ErrorKind::Nonsense, "unreadable").at(EFFECTS)
}
