//! Sets that are no tables: they stand inside the statement (`WITH`), which finds and counts, or
//! finds and changes.
//!
//! That saves most of the work where it can be said so: no link leads round in a circle, nothing is
//! kept, no value is replaced one by one; and, for an erasure, rows stay, and nothing can refuse what
//! is written to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::datamap::RowErasure;
use crate::model::RowCount;
use crate::ports::{PlannedAction, PortError};

use super::clue::Person;
use super::dialect::{Inside, named};
use super::erase::{Change, Performed, column_strategies, table_link, taken_out};
use super::fault::SqlFault;
use super::fill::fits;
use super::found::{Found, go_on, others, own};
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
}

/// What alone leads to the rows of a set.
enum Only<'a> {
    Key(&'a [String]),
    Link(&'a LaidLink),
}

/// What tells whether a row stands in a set.
enum Way<'a> {
    /// Its key.
    Key(&'a [String]),
    /// What it refers to, by its only link: its columns, and those of the set of this name.
    Reference(&'a LaidLink, String, String, &'a str),
    /// The set alone.
    Set,
}

/// What stands in a set beside the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// `p`: whether something is still to be done to the row.
    Pending,
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
            && self.tables.iter().any(|table| table.owned)
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

    fn sets(&self) -> Vec<Set<'_>> {
        let mut sets = Vec::new();
        // What is referred to comes first.
        for &number in self.order.iter().rev() {
            let table = &self.tables[number];
            if table.owned {
                let (link, name) = (None, table.set.as_str());
                sets.push(Set { table, link, name });
            }
        }
        for table in &self.tables {
            sets.extend(others(table).map(|link| Set {
                table,
                link: Some(link),
                name: &link.set,
            }));
        }
        sets
    }

    /// The names of the sets by which the rows of a set are found.
    fn leading_to<'a>(&'a self, set: &Set<'a>) -> Vec<&'a str> {
        let mut names = Vec::new();
        for link in set.links() {
            if let LaidTarget::Rows(to, _) = link.to
                && self.tables[to].owned
            {
                names.push(self.tables[to].set.as_str());
            }
        }
        // A row that is the person's own is not also somebody else's.
        if set.link.is_some() && set.table.owned {
            names.push(&set.table.set);
        }
        names
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
        self.layout.dialect.sets_inside() == Inside::Cursors
            && person.len() <= MOST
            && self.layout.holds_sets_inside()
    }

    /// Whether this person's rows can be found so, where nothing is held.
    pub(super) fn finds_inside(&self, person: &Person) -> bool {
        person.len() <= MOST && self.layout.finds_inside() && !self.layout.has_free_text()
    }

    /// Whether they can be erased so: rows stay, and nothing can refuse.
    pub(super) fn erases_inside(&self, person: &Person) -> bool {
        let layout = &self.layout;
        if !self.finds_inside(person) {
            return false;
        }
        let sure = |table: &Laid| {
            table.described.erase == RowErasure::Columns
                && !self.may_refuse(table, &column_strategies(table))
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
        let name = link.map_or(table.set.as_str(), |link| &link.set);
        let mut sql = self.with_sets(person, [name]);
        sql.push(&format!(" SELECT {selected} FROM "));
        let mut way = sql.clone();
        if self.by_one_way(&mut way, &Set { table, link, name }, person) {
            return way;
        }
        let on = table.key.joins(self.layout.dialect, "t", "s");
        sql.push(&format!("{name} AS s JOIN {} AS t ON {on}", table.quoted));
        sql
    }

    /// What is still there, where nothing is kept or held.
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
        let sql = self.counting(person, &sets);
        let mut counts = self.counted(sql, &sets).await?;
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
        let counts = if rehearsal {
            if layout.dialect.has_rights() {
                self.ask_for_rights(&sets).await?;
            }
            let counting = self.counting(person, &sets);
            self.counted(counting, &sets).await?
        } else {
            self.change_each(person, &sets).await?
        };
        let mut done = Performed::default();
        for count in counts {
            done.note(count.collection, PlannedAction::Anonymise, count.rows);
        }
        Ok(done)
    }

    /// Counts the rows of each set to which something is still to be done.
    fn counting(&self, person: &Person, sets: &[Set<'_>]) -> Sql {
        let leading = sets.iter().flat_map(|set| self.layout.leading_to(set));
        let mut sql = self.with_sets(person, leading);
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
        sql
    }

    /// The counts of these sets.
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
                .iter()
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

    /// Changes the rows of each set by a statement of its own. What leads to a set is changed after
    /// it, so each finds what the first would have found.
    async fn change_each(
        &mut self,
        person: &Person,
        sets: &[Set<'_>],
    ) -> Result<Vec<RowCount>, PortError> {
        let mut counts = Vec::new();
        for set in sets {
            let changes = set.changed();
            let mut rows = 0;
            if !changes.is_empty() {
                let mut sql = self.with_sets(person, self.told_by(set, person));
                sql.push(" ");
                self.change_set(&mut sql, set, &changes, person);
                rows = self.run(sql.kept(), &set.table.name).await?;
            }
            counts.push(RowCount::new(set.collection(), rows));
        }
        Ok(counts)
    }

    /// Writes the change of the rows of a set to which something is still to be done.
    fn change_set(&self, sql: &mut Sql, set: &Set<'_>, changes: &[Change], person: &Person) {
        let update = self.layout.dialect.update_word();
        sql.push(&format!("{update} {} AS t SET ", set.table.quoted));
        self.assign(sql, changes);
        sql.push(" WHERE ");
        self.stands_in(sql, set, person);
        sql.push(" AND (");
        Self::pending(sql, changes);
        sql.push(")");
    }

    /// Writes that a row `t` stands in a set.
    fn stands_in(&self, sql: &mut Sql, set: &Set<'_>, person: &Person) {
        match self.way(set, person) {
            Way::Key(key) => self.has_key(sql, set, key),
            Way::Reference(link, here, there, name) => {
                sql.push(&format!("({here}) IN (SELECT {there} FROM {name} AS s)"));
                self.only(sql, set.table, link, set.name);
            }
            Way::Set => {
                let keys = set.table.key.under("t").join(", ");
                let (names, name) = (set.table.key.in_set(""), set.name);
                sql.push(&format!("({keys}) IN (SELECT {names} FROM {name} AS s)"));
            }
        }
    }

    /// What tells whether a row stands in a set, and as directly as can be.
    fn way<'a>(&'a self, set: &'a Set<'a>, person: &'a Person) -> Way<'a> {
        match set.only(person) {
            Some(Only::Key(key)) => Way::Key(key),
            Some(Only::Link(link)) => match &link.to {
                LaidTarget::Rows(to, references) => {
                    let columns = self.refers_to_set(link, *to, references);
                    columns.map_or(Way::Set, |(here, there)| {
                        Way::Reference(link, here, there, &self.layout.tables[*to].set)
                    })
                }
                LaidTarget::Identifier(..) => Way::Set,
            },
            None => Way::Set,
        }
    }

    /// The names of the sets that tell whether a row stands in a set.
    fn told_by<'a>(&'a self, set: &'a Set<'a>, person: &'a Person) -> Vec<&'a str> {
        match self.way(set, person) {
            Way::Key(_) => Vec::new(),
            Way::Reference(..) => self.layout.leading_to(set),
            Way::Set => vec![set.name],
        }
    }

    /// Writes that a row `t` has a key.
    fn has_key(&self, sql: &mut Sql, set: &Set<'_>, key: &[String]) {
        let names = set.table.key.under("t");
        let columns = set.table.key.columns.iter().zip(key).zip(names);
        for (n, ((column, part), name)) in columns.enumerate() {
            sql.push(if n > 0 { " AND " } else { "" });
            sql.push(&name).push(" = ").bind_key(column, part);
        }
    }

    /// `WITH` these sets and those by which they are found; nothing, where there are none.
    fn with_sets<'a>(&self, person: &Person, names: impl IntoIterator<Item = &'a str>) -> Sql {
        let sets = self.layout.sets();
        let mut needed: BTreeSet<&str> = names.into_iter().collect();
        // What leads to a set stands before it.
        for set in sets.iter().rev() {
            if needed.contains(set.name) {
                needed.extend(self.layout.leading_to(set));
            }
        }
        let mut sql = self.sql("");
        for set in sets.iter().filter(|set| needed.contains(set.name)) {
            sql.push(if sql.text.is_empty() { "WITH " } else { ", " });
            sql.push(&format!("{} ({}) AS (", set.name, set.table.key.in_set("")));
            self.union(&mut sql, set, person, Beside::Nothing);
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
        match set.only(person) {
            Some(Only::Key(key)) => {
                sql.push(&format!("{} AS t WHERE ", set.table.quoted));
                self.has_key(sql, set, key);
                true
            }
            Some(Only::Link(link)) => self.leads_once(link) && self.by_link(sql, set, link, person),
            None => false,
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
        sql.push(" FROM (SELECT ");
        for (n, (column, part)) in table.key.columns.iter().zip(key).enumerate() {
            sql.push(if n > 0 { ", " } else { "" });
            sql.bind_key(column, part);
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
                let from = &self.layout.tables[*to].set;
                self.rows_referring(sql, set.table, link, from);
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
    }
}

impl<'a> Set<'a> {
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
    fn links(&self) -> impl Iterator<Item = &'a LaidLink> + use<'a> {
        let own_rows = self.link.is_none();
        let all = own(self.table).filter(move |_| own_rows);
        all.chain(self.link)
    }

    /// What leads to its rows, where it is one key or one link.
    fn only<'p>(&'p self, person: &'p Person) -> Option<Only<'p>> {
        let (mut keys, mut links) = (self.keys(person), self.links());
        match (keys.next(), links.next(), keys.next(), links.next()) {
            (Some(key), None, None, None) => Some(Only::Key(key)),
            (None, Some(link), None, None) => Some(Only::Link(link)),
            _ => None,
        }
    }

    /// What is done to its rows; nothing, where they go.
    fn changes(&self) -> Option<Vec<Change>> {
        let stays = self.table.described.erase == RowErasure::Columns;
        match self.link {
            Some(link) => Some(taken_out(self.table, link)),
            None => stays.then(|| column_strategies(self.table)),
        }
    }

    /// What is changed in its rows.
    fn changed(&self) -> Vec<Change> {
        let changes = self.changes().unwrap_or_default();
        changes
            .into_iter()
            .filter(|change| !change.keeps())
            .collect()
    }

    /// Writes whether something is still to be done to a row `t`.
    fn pending(&self, sql: &mut Sql) {
        sql.push("(");
        let written = match self.changes() {
            Some(changes) => Found::pending(sql, &changes),
            None => {
                sql.push("1 = 1");
                true
            }
        };
        sql.push(if written { ")" } else { "1 = 0)" });
    }
}
