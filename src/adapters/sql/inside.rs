//! Sets that are no tables: they stand inside the statement (`WITH`), which finds and counts, or
//! finds and changes, on one state of the database.
//!
//! That saves most of the work where it can be said so: no link leads round in a circle, nothing is
//! kept, no value is replaced one by one; and, for an erasure, rows stay, and nothing can refuse what
//! is written to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::datamap::{RowErasure, Target};
use crate::model::RowCount;
use crate::ports::{PlannedAction, PortError};

use super::clue::Person;
use super::dialect::{Inside, named};
use super::erase::{Change, Performed, column_strategies, table_link, taken_out};
use super::fault::SqlFault;
use super::found::{Found, fits, go_on, others, own};
use super::layout::{Laid, LaidLink, LaidTarget, Layout};
use super::session::Scalar;
use super::statement::Sql;

/// How many sets and clues stand inside one statement, at most.
const MOST: usize = 60;
/// The place of errors of a statement over all tables.
const ALL: &str = "transaction";

/// A set, and what there is to do in its rows.
struct Set<'a> {
    table: &'a Laid,
    /// The link that finds rows which are not the person's own.
    link: Option<&'a LaidLink>,
    name: &'a str,
    /// What is done to the rows; nothing, where they go.
    changes: Option<Vec<Change>>,
}

/// What stands in a set beside the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// `p`: whether something is still to be done to the row.
    Pending,
    /// The same, and `c`: what the database names the row by.
    Place,
}

/// Whether a statement over all tables failed in one of them, and smaller ones may say in which.
pub(super) fn names_no_table(error: &PortError) -> bool {
    error.place.as_deref() == Some(ALL)
        && matches!(
            SqlFault::of(error),
            Some(
                SqlFault::NotPermitted
                    | SqlFault::SchemaChanged
                    | SqlFault::TimedOut
                    | SqlFault::TooLarge
                    | SqlFault::TriggerRefused
                    | SqlFault::Unreadable
            )
        )
}

impl Layout {
    /// Whether sets can stand inside a statement, whoever is looked for.
    fn holds_sets_inside(&self) -> bool {
        let links: usize = self.tables.iter().map(|table| table.links.len()).sum();
        self.dialect.sets_inside() != Inside::Nothing
            && self.tables.len() + links <= MOST
            && !self.has_circles()
            && !self.tables.iter().any(|table| table.key.loose)
    }

    /// Whether what is left can be counted so.
    fn finds_inside(&self) -> bool {
        self.holds_sets_inside()
            && !self.tables.iter().any(Laid::keeps)
            && !self.tables.iter().any(replaces_row_by_row)
    }

    /// Whether an owned link leads to a table that is not found before.
    fn has_circles(&self) -> bool {
        let mut seen = BTreeSet::new();
        for &number in self.order.iter().rev() {
            for link in own(&self.tables[number]) {
                if let LaidTarget::Rows(to, _) = link.to
                    && self.tables[to].owned
                    && !seen.contains(&to)
                {
                    return true;
                }
            }
            seen.insert(number);
        }
        false
    }

    /// The columns by which rows are found.
    pub(super) fn found_by(&self) -> BTreeSet<(&str, &str)> {
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

    fn sets(&self) -> Vec<Set<'_>> {
        let mut sets = Vec::new();
        // What is referred to comes first.
        for &number in self.order.iter().rev() {
            let table = &self.tables[number];
            let stays = table.described.erase == RowErasure::Columns;
            if table.owned {
                sets.push(Set {
                    table,
                    link: None,
                    name: &table.set,
                    changes: stays.then(|| column_strategies(table)),
                });
            }
        }
        for table in &self.tables {
            sets.extend(others(table).map(|link| Set {
                table,
                link: Some(link),
                name: &link.set,
                changes: Some(taken_out(table, link)),
            }));
        }
        sets
    }
}

fn replaces_row_by_row(table: &Laid) -> bool {
    let own = column_strategies(table);
    let linked = others(table).flat_map(|link| taken_out(table, link));
    let mut all = own.into_iter().chain(linked);
    all.any(|change| change.strategy.is_row_by_row())
}

impl Found {
    /// Whether this person's rows can be read so.
    pub(super) fn reads_inside(&self, person: &Person) -> bool {
        self.layout.dialect.sets_inside() == Inside::Changes
            && person.len() <= MOST
            && self.layout.holds_sets_inside()
    }

    /// Whether this person's rows can be found so, where nothing is held.
    pub(super) fn finds_inside(&self, person: &Person) -> bool {
        let free_text = |table: &Laid| table.columns().any(|(_, described)| described.free_text);
        person.len() <= MOST
            && self.layout.finds_inside()
            && (person.marks().is_empty() || !self.layout.tables.iter().any(free_text))
    }

    /// Whether they can be erased so: rows stay, nothing can refuse, and what changes leads nowhere.
    pub(super) fn erases_inside(&self, person: &Person) -> bool {
        let layout = &self.layout;
        if !self.finds_inside(person) {
            return false;
        }
        let found_by = match layout.dialect.sets_inside() {
            // One statement sees one state.
            Inside::Changes => BTreeSet::new(),
            _ => layout.found_by(),
        };
        let sure = |table: &Laid| {
            let changes = column_strategies(table);
            let leads = |change: &Change| {
                !change.keeps() && found_by.contains(&(&*table.name, &*change.column.name))
            };
            table.described.erase == RowErasure::Columns
                && !self.may_refuse(table, &changes)
                && !changes.iter().any(leads)
        };
        layout.tables.iter().all(|t| others(t).next().is_none())
            && layout.tables.iter().filter(|t| t.owned).all(sure)
    }

    /// Writes where the rows `t` of a set are: the table's own, or what a link finds.
    pub(super) fn rows_of(
        &self,
        person: &Person,
        table: &Laid,
        link: Option<&LaidLink>,
        selected: &str,
    ) -> Sql {
        let mut sql = self.with_sets(person, Beside::Nothing);
        sql.push(&format!(" SELECT {selected} FROM "));
        let sets = self.layout.sets();
        let name = link.map_or(&table.set, |link| &link.set);
        let mut way = sql.clone();
        let set = sets.iter().find(|set| set.name == name);
        if set.is_some_and(|set| self.by_one_way(&mut way, set, person)) {
            return way;
        }
        let on = table.key.joins(self.layout.dialect, "t", "s");
        sql.push(&format!("{name} AS s JOIN {} AS t ON {on}", table.quoted));
        sql
    }

    /// What is still there, where nothing is kept.
    pub(super) async fn left_inside(
        &mut self,
        person: &Person,
    ) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut sets = layout.sets();
        // As the steps tell of it: table by table, what links find first.
        let place = |set: &Set<'_>| {
            let table = layout
                .tables
                .iter()
                .position(|table| table.name == set.table.name);
            (table, set.link.is_none())
        };
        sets.sort_by_key(place);
        let mut counts = self.count_inside(person, &sets).await?;
        counts.retain(|count| count.rows > 0);
        Ok(counts)
    }

    /// Erases, or tells what an erasure would do.
    pub(super) async fn erase_inside(
        &mut self,
        person: &Person,
        rehearsal: bool,
    ) -> Result<Performed, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut sets = layout.sets();
        sets.reverse(); // as an erasure goes
        let counts = match (rehearsal, layout.dialect.sets_inside()) {
            (true, inside) => {
                if inside == Inside::Changes {
                    self.ask_for_rights(&sets).await?;
                }
                self.count_inside(person, &sets).await?
            }
            (false, Inside::Changes) => self.change_inside(person, &sets).await?,
            (false, _) => self.change_each(person, &sets).await?,
        };
        let mut done = Performed::default();
        for count in counts {
            done.note(count.collection, PlannedAction::Anonymise, count.rows);
        }
        Ok(done)
    }

    /// Counts the rows of each set to which something is still to be done.
    async fn count_inside(
        &mut self,
        person: &Person,
        sets: &[Set<'_>],
    ) -> Result<Vec<RowCount>, PortError> {
        let mut sql = self.with_sets(person, Beside::Nothing);
        for (n, set) in sets.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { " SELECT " });
            sql.push("(SELECT count(*) FROM ");
            let mut only = sql.clone();
            if self.by_one_way(&mut only, set, person) {
                only.push(" AND ");
                set.pending(&mut only);
                sql = only;
                sql.push(")");
            } else {
                sql.push("(");
                self.union(&mut sql, set, person, Beside::Pending);
                sql.push(") AS x WHERE p)");
            }
        }
        self.counted(sql, sets).await
    }

    async fn counted(&mut self, sql: Sql, sets: &[Set<'_>]) -> Result<Vec<RowCount>, PortError> {
        go_on(&self.cancel)?;
        let rows = self.session.fetch(sql.kept(), ALL).await?;
        let counts = rows.into_iter().next().unwrap_or_default();
        let of = |(set, count): (&Set<'_>, &Scalar)| RowCount::new(set.collection(), count.count());
        Ok(sets.iter().zip(&counts).map(of).collect())
    }

    /// The right to write is asked for; no row is written.
    async fn ask_for_rights(&mut self, sets: &[Set<'_>]) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let mut asked = Vec::new();
        for set in sets {
            let names: Vec<String> = set
                .changed()
                .map(|change| format!("{} = NULL", dialect.quote(&change.column.name)))
                .collect();
            if !names.is_empty() {
                let (table, names) = (&set.table.quoted, names.join(", "));
                let ask = format!("UPDATE {table} SET {names} WHERE FALSE");
                asked.push((ask, set.table.name.as_str()));
            }
        }
        self.run_each(&asked).await.map(drop)
    }

    /// Changes the rows of all sets by one statement.
    async fn change_inside(
        &mut self,
        person: &Person,
        sets: &[Set<'_>],
    ) -> Result<Vec<RowCount>, PortError> {
        let place = self.layout.dialect.row_name().unwrap_or_default();
        let mut sql = self.with_sets(person, Beside::Place);
        let mut counts = Vec::new();
        for (n, set) in sets.iter().enumerate() {
            let changes: Vec<Change> = set.changed().cloned().collect();
            if changes.is_empty() {
                counts.push("0::int8".to_owned());
                continue;
            }
            sql.push(&format!(", u{n} AS (UPDATE {} AS t SET ", set.table.quoted));
            self.assign(&mut sql, &changes);
            // The key beside the place: tables that inherit from this one have the same places.
            let on = set.table.key.joins(self.layout.dialect, "t", "s");
            sql.push(&format!(
                " FROM {} AS s WHERE s.p AND t.{place} = s.c AND {on} RETURNING 1)",
                set.name
            ));
            counts.push(format!("(SELECT count(*) FROM u{n})"));
        }
        sql.push(&format!(" SELECT {}", counts.join(", ")));
        self.counted(sql, sets).await
    }

    /// Changes the rows of each set by a statement of its own: what changes leads nowhere, so each
    /// finds what the first would have found.
    async fn change_each(
        &mut self,
        person: &Person,
        sets: &[Set<'_>],
    ) -> Result<Vec<RowCount>, PortError> {
        let mut counts = Vec::new();
        for set in sets {
            let changes: Vec<Change> = set.changed().cloned().collect();
            let mut rows = 0;
            if !changes.is_empty() {
                let mut sql = self.with_sets(person, Beside::Nothing);
                sql.push(&format!(" UPDATE {} AS t SET ", set.table.quoted));
                self.assign(&mut sql, &changes);
                sql.push(" WHERE ");
                self.stands_in(&mut sql, set, person);
                sql.push(" AND (");
                Self::pending(&mut sql, &changes);
                sql.push(")");
                rows = self.run(sql.kept(), &set.table.name).await?;
            }
            counts.push(RowCount::new(set.collection(), rows));
        }
        Ok(counts)
    }

    /// Writes that a row `t` stands in a set: by what it refers to, where that alone decides.
    fn stands_in(&self, sql: &mut Sql, set: &Set<'_>, person: &Person) {
        let (key, mut links) = (set.keys(person).next(), set.links());
        if let (None, Some(link), None) = (key, links.next(), links.next())
            && let LaidTarget::Rows(to, references) = &link.to
            && let Some((here, there)) = self.refers_to_set(link, *to, references)
        {
            let name = &self.layout.tables[*to].set;
            sql.push(&format!("({here}) IN (SELECT {there} FROM {name} AS s)"));
            self.only(sql, set.table, link, set.name);
            return;
        }
        let (keys, names) = (
            &set.table.key.under("t").join(", "),
            set.table.key.in_set(""),
        );
        sql.push(&format!(
            "({keys}) IN (SELECT {names} FROM {} AS s)",
            set.name
        ));
    }

    /// `WITH` all sets.
    fn with_sets(&self, person: &Person, beside: Beside) -> Sql {
        let mut sql = self.sql("WITH ");
        for (n, set) in self.layout.sets().iter().enumerate() {
            let columns = match beside {
                Beside::Nothing => "",
                Beside::Pending => ", p",
                Beside::Place => ", p, c",
            };
            sql.push(if n > 0 { ", " } else { "" }).push(set.name);
            sql.push(&format!(" ({}{columns}) AS (", set.table.key.in_set("")));
            self.union(&mut sql, set, person, beside);
            sql.push(")");
        }
        sql
    }

    /// Writes the rows of a set, whatever leads to them.
    fn union(&self, sql: &mut Sql, set: &Set<'_>, person: &Person, beside: Beside) {
        let mut ways = 0;
        for key in set.keys(person) {
            sql.push(if ways > 0 { " UNION " } else { "" });
            self.by_key(sql, set, key, beside);
            ways += 1;
        }
        for link in set.links() {
            let mut way = sql.clone();
            way.push(if ways > 0 {
                " UNION SELECT "
            } else {
                "SELECT "
            });
            if !self.leads_once(link) {
                way.push("DISTINCT ");
            }
            self.select(&mut way, set, beside);
            way.push(" FROM ");
            if self.by_link(&mut way, set, link, person) {
                *sql = way;
                ways += 1;
            }
        }
        if ways == 0 {
            sql.push("SELECT ");
            self.select(sql, set, beside);
            sql.push(&format!(" FROM {} AS t WHERE 1 = 0", set.table.quoted));
        }
    }

    /// Writes where the rows `t` of a set are, where one way leads to them, and to each once.
    fn by_one_way(&self, sql: &mut Sql, set: &Set<'_>, person: &Person) -> bool {
        let (mut keys, mut links) = (set.keys(person), set.links());
        match (keys.next(), links.next(), keys.next(), links.next()) {
            (Some(key), None, None, None) => {
                sql.push(&format!("{} AS t WHERE ", set.table.quoted));
                let names = set.table.key.under("t");
                let columns = set.table.key.columns.iter().zip(key).zip(names);
                for (n, ((column, part), name)) in columns.enumerate() {
                    sql.push(if n > 0 { " AND " } else { "" });
                    sql.push(&name).push(" = ").bind_for(column, part.clone());
                }
                true
            }
            (None, Some(link), None, None) => {
                self.leads_once(link) && self.by_link(sql, set, link, person)
            }
            _ => false,
        }
    }

    /// Whether a link leads from a row to one row at most.
    fn leads_once(&self, link: &LaidLink) -> bool {
        match &link.to {
            LaidTarget::Rows(to, references) => {
                self.leads_to_key(link, &self.layout.tables[*to], references)
            }
            LaidTarget::Identifier(..) => true,
        }
    }

    /// Writes a row that is known by its key, also if it is gone: others may hang on it.
    fn by_key(&self, sql: &mut Sql, set: &Set<'_>, key: &[String], beside: Beside) {
        let table = set.table;
        let held: Vec<String> = (0..table.key.len()).map(|n| format!("v.k{n}")).collect();
        sql.push("SELECT ").push(&named(&held));
        if beside != Beside::Nothing {
            let there = table.key.under("t").join(" IS NOT NULL AND ");
            sql.push(&format!(", ({there} IS NOT NULL AND "));
            set.pending(sql);
            sql.push(") AS p");
        }
        self.place(sql, beside);
        sql.push(" FROM (SELECT ");
        for (n, (column, part)) in table.key.columns.iter().zip(key).enumerate() {
            sql.push(if n > 0 { ", " } else { "" });
            sql.bind_for(column, part.clone());
            sql.push(&format!(" AS k{n}"));
        }
        sql.push(") AS v");
        if beside != Beside::Nothing {
            let on = table.key.joins(self.layout.dialect, "t", "v");
            sql.push(&format!(" LEFT JOIN {} AS t ON {on}", table.quoted));
        }
    }

    /// Writes where the rows `t` are that a link finds; `false`, if there can be none.
    fn by_link(&self, sql: &mut Sql, set: &Set<'_>, link: &LaidLink, person: &Person) -> bool {
        match &link.to {
            LaidTarget::Rows(to, _) if self.layout.tables[*to].owned => {
                self.rows_referring(sql, set.table, link);
            }
            LaidTarget::Rows(..) => return false,
            LaidTarget::Identifier(kind, _) => {
                if !self.rows_with_value(sql, set.table, link, &person.values(kind)) {
                    return false;
                }
            }
        }
        self.only(sql, set.table, link, set.name);
        true
    }

    /// Writes what is told of a row `t`.
    fn select(&self, sql: &mut Sql, set: &Set<'_>, beside: Beside) {
        sql.push(&named(&set.table.key.under("t")));
        if beside != Beside::Nothing {
            sql.push(", ");
            set.pending(sql);
            sql.push(" AS p");
        }
        self.place(sql, beside);
    }

    fn place(&self, sql: &mut Sql, beside: Beside) {
        if let Some(place) = self.layout.dialect.row_name()
            && beside == Beside::Place
        {
            sql.push(&format!(", t.{place} AS c"));
        }
    }
}

impl Set<'_> {
    fn collection(&self) -> String {
        match self.link {
            Some(link) => table_link(self.table, link),
            None => self.table.name.clone(),
        }
    }

    /// The keys by which rows of it are known.
    fn keys<'p>(&'p self, person: &'p Person) -> impl Iterator<Item = &'p [String]> {
        let fits = |key: &&[String]| self.link.is_none() && fits(&self.table.key.columns, key);
        person.rows(&self.table.name).filter(fits)
    }

    /// The links that find its rows.
    fn links(&self) -> impl Iterator<Item = &LaidLink> {
        let all = own(self.table).filter(|_| self.link.is_none());
        all.chain(self.link)
    }

    /// What is changed in its rows.
    fn changed(&self) -> impl Iterator<Item = &Change> {
        let changes = self.changes.iter().flatten();
        changes.filter(|change| !change.keeps())
    }

    /// Writes whether something is still to be done to a row `t`.
    fn pending(&self, sql: &mut Sql) {
        sql.push("(");
        let written = match &self.changes {
            Some(changes) => Found::pending(sql, changes),
            None => {
                sql.push("1 = 1");
                true
            }
        };
        sql.push(if written { ")" } else { "1 = 0)" });
    }
}
