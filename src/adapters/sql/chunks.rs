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

use crate::datamap::RowErasure;
use crate::model::{Digest, Handle, Pending, WithheldRows};
use crate::ports::{
    Answer, CallContext, Erased, ErrorKind, PlannedAction, PlannedRows, PortError, SourcePlan,
};

use super::again::{inside_or_not, persistently};
use super::clue::Person;
use super::dialect::{EFFECTS, SET};
use super::early::Early;
use super::erase::{Change, Performed, PseudonymKey, column_strategies, table_link, taken_out};
use super::fault::SqlFault;
use super::found::{Found, go_on, others};
use super::layout::{Laid, LaidLink, LaidTarget};
use super::minimise::Minimise;
use super::plan::covers;
use super::session::{Purpose, Scalar};
use super::source::{SqlSource, request_mark};
use super::statement::Param;
use super::text::Replace;

/// By what the engine asks for the next chunks.
const NEXT: &str = "chunks";

/// What an erasure did that has not come to its end.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
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

impl SqlSource {
    /// Under which name stands what a request's erasure did so far.
    fn begun_name(&self, context: &CallContext) -> String {
        let (controller, request) = (&context.controller, &context.request);
        let name = format!("begun\0{controller}\0{request}\0{}", self.options.id);
        Digest::of(name.as_bytes()).to_string()
    }

    /// Erases a person chunk by chunk, as long as the caller waits for the next: then it is asked for
    /// anew.
    pub(super) async fn erase_in_chunks(
        &self,
        context: &CallContext,
        person: &Person,
        plan: &SourcePlan,
        most: u64,
    ) -> Result<Answer<Erased>, PortError> {
        let erase = async |inside| self.erase_chunk(context, person, plan, most, inside).await;
        let (mut pace, mut seen) = (Pace::from(self.clock.now()), None);
        loop {
            match persistently!(inside_or_not!(erase)) {
                Ok(Some(erased)) => return Ok(Answer::Done(erased)),
                Ok(None) => {
                    let now = self.clock.now();
                    if !pace.leaves_time(now, context.deadline) {
                        return Ok(Answer::Pending(Pending {
                            handle: Handle(NEXT.to_owned()),
                            look_again: now,
                            task: None,
                        }));
                    }
                }
                // Somebody else may be getting on with it.
                Err(error) if error.kind == ErrorKind::Busy => {
                    let now = Some(self.begun(context).await?);
                    if now == seen {
                        return Err(error);
                    }
                    seen = now;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What a request's erasure did so far, to see whether anybody gets on with it.
    async fn begun(&self, context: &CallContext) -> Result<Begun, PortError> {
        let mut found = self.begin(context, Purpose::Read).await?;
        let begun = found.read_begun(&self.begun_name(context)).await?;
        found.session.rollback().await?;
        Ok(begun.unwrap_or_default())
    }

    /// Erases some rows of a person, or all that is left; `None`, where more are left.
    async fn erase_chunk(
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
        found.restrict_kept(&request_mark(context)).await?;
        found.try_some(person, &early, key, most.get()).await?;
        let mut tried = Performed::default();
        found.minimise(key, Minimise::Rehearse, &mut tried).await?;
        Ok(Performed {
            lines: rest.lines,
            withheld: withheld
                .into_iter()
                .chain(held)
                .chain(rest.spared)
                .collect(),
        })
    }
}

/// How long chunks take.
struct Pace {
    began: DateTime<Utc>,
    last: DateTime<Utc>,
    longest: TimeDelta,
}

impl Pace {
    const fn from(now: DateTime<Utc>) -> Self {
        Self {
            began: now,
            last: now,
            longest: TimeDelta::zero(),
        }
    }

    /// Whether there is time for another one. A deadline that was over before the work began is none.
    fn leaves_time(&mut self, now: DateTime<Utc>, deadline: DateTime<Utc>) -> bool {
        self.longest = self.longest.max(now - self.last);
        self.last = now;
        self.began >= deadline || now + self.longest + self.longest < deadline
    }
}

/// What is left of an erasure.
struct Rest {
    /// In the order in which it is done.
    lines: Vec<PlannedRows>,
    /// What kept rows hold for now that need not be kept.
    spared: Vec<WithheldRows>,
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
        self.minimise(None, Minimise::Foresee, &mut rest).await?;
        Ok(Rest {
            lines: rest.lines,
            spared: rest.withheld,
            early: sum,
        })
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
        sql.append("(", pending, &format!(") LIMIT {most}"));
        let taken = self.run(sql, &table.name).await?;
        if taken > 0 {
            self.look_at(&some);
        }
        Ok(taken)
    }

    /// Whether there are few rows, as one statement tells.
    async fn few_inside(&mut self, person: &Person, most: u64) -> Result<bool, PortError> {
        let left = self.left_inside(person).await?;
        Ok(left.iter().map(|count| count.rows).sum::<u64>() <= most)
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

fn unreadable() -> PortError {
    SqlFault::UnreadableNote.at(EFFECTS)
}
