//! What of an erasure need not wait for its last transaction: rows, links and texts that lead to no
//! others, and do not decide how long others are kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::datamap::RowErasure;

use super::erase::{Change, column_strategies, taken_out};
use super::found::others;
use super::layout::{Laid, LaidLink, LaidTarget, Layout};

/// What need not wait for the last transaction.
pub(super) struct Early {
    /// Tables, what refers before what it refers to.
    pub(super) tables: Vec<usize>,
    /// Links that find rows of others, by their sets.
    pub(super) links: BTreeSet<String>,
    /// Columns with free text, by their places.
    pub(super) texts: BTreeSet<String>,
    /// For each table those with rows of the person that may refer to its rows.
    pub(super) referring: Vec<BTreeSet<usize>>,
}

impl Layout {
    pub(super) fn early(&self) -> Early {
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
                names.extend(link.link.looks_at().map(|c| (&*table.name, c)));
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
    let leads_elsewhere = |change: &Change| {
        let name = &change.column.name;
        let mut elsewhere = table.links.iter().filter(|other| other.name != link.name);
        let differs = |other: &LaidLink| !link.link.excludes(&other.link);
        !change.keeps() && elsewhere.any(|other| differs(other) && stands_on(other, name))
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
    link.link.looks_at().any(|name| name == column)
}

impl Early {
    /// The links, with their tables.
    pub(super) fn links<'a>(
        &'a self,
        layout: &'a Layout,
    ) -> impl Iterator<Item = (&'a Laid, &'a LaidLink)> {
        let of = |table: &'a Laid| others(table).map(move |link| (table, link));
        let all = layout.tables.iter().flat_map(of);
        all.filter(|(_, link)| self.links.contains(&link.set))
    }
}
