//! What a map may not say at once: each of it can be meant, both together cannot.

use std::collections::{BTreeMap, BTreeSet};

use super::map::{DataMap, Link, Place, Table, Target, Via, Whose};
use super::{MapProblem, Plain, Problem, Strategy};

impl DataMap {
    pub(super) fn clashes(&self, problems: &mut Vec<MapProblem>) {
        let mut deciding_of = self.deciding();
        for (name, table) in &self.tables {
            let mut problem = |column: &str, problem| {
                problems.push(MapProblem::member(name, column, problem));
            };
            let Deciding {
                columns: deciding,
                ways,
            } = deciding_of.remove(name.as_str()).unwrap_or_default();
            let changed = changed_in_others(table);
            for column in deciding.union(&ways).filter(|c| changed.contains(*c)) {
                problem(column, Problem::DecidingErased);
            }
            for (column, described) in table.columns.iter().filter(|(_, c)| c.rectify) {
                for (other, here) in self.standing_on(name, column) {
                    let follows = |copy: &Place| copy.table == *other && copy.column == *here;
                    if !described.copies.iter().any(follows) {
                        problem(column, Problem::CutOff(other.clone()));
                    }
                }
            }
            let leading = self.leading(name, table);
            let marks_of = || marks(table).map(|(column, _)| column);
            for (column, described) in &table.columns {
                let column = column.as_str();
                let bound = deciding.contains(column)
                    || ways.contains(column)
                    || leading.contains(column)
                    || marks_of().any(|mark| mark == column);
                let kept = |strategy: &Strategy| *strategy == Strategy::Keep;
                if bound && described.minimise.as_ref().is_some_and(|s| !kept(s)) {
                    problem(column, Problem::NeededWhileKept);
                }
            }
            let finding = finding(table);
            let mut set: BTreeMap<&str, &Plain> = BTreeMap::new();
            for (column, value) in marks(table) {
                if deciding.contains(column) {
                    problem(column, Problem::MarkDecides);
                }
                if finding.contains(column) {
                    problem(column, Problem::MarkFinds);
                }
                if *set.entry(column).or_insert(value) != value {
                    problem(column, Problem::TwoMarks);
                }
            }
            if let Some(mark) = &table.restrict {
                let column = mark.column.as_str();
                if table.ends.iter().any(|end| end.column == column) {
                    problem(column, Problem::TwoMarks);
                }
                let described = table.columns.get(column);
                let strategy = described.and_then(|described| described.erase.as_ref());
                let own = strategy.is_some_and(|strategy| *strategy != Strategy::Keep);
                if own || changed.contains(column) {
                    problem(column, Problem::MarkErased);
                }
            }
            if let (Some(soft), Some(retention)) = (&table.soft_delete, &table.retention) {
                let from = Some(&retention.from).filter(|_| retention.of.is_none());
                if from == Some(&soft.column) || retention.or.as_ref() == Some(&soft.column) {
                    problem(&soft.column, Problem::NeverHidden);
                }
            }
            for column in two_ways(table) {
                problem(column, Problem::TwoStrategies);
            }
            for link in twice(table) {
                problem(link, Problem::LinkTwice);
            }
        }
    }

    /// The tables and columns that lead to a column of a table.
    fn standing_on<'a>(
        &'a self,
        name: &'a str,
        column: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a String)> {
        let links = |(other, table): (&'a String, &'a Table)| {
            table.links.values().map(move |link| (other, link))
        };
        let links = self.tables.iter().flat_map(links);
        links.flat_map(move |(other, link)| {
            let to: &[String] = match &link.to {
                Target::Rows { table, columns } if table == name => columns,
                _ => &[],
            };
            let pairs = link.columns.iter().zip(to);
            let on = pairs.filter(move |(_, there)| *there == column);
            on.map(move |(here, _)| (other, here))
        })
    }

    /// The columns by which links lead, from this table and to it.
    fn leading<'a>(&'a self, name: &str, table: &'a Table) -> BTreeSet<&'a str> {
        let from_here = table.links.values().flat_map(Link::looks_at);
        let links = self.tables.values().flat_map(|other| other.links.values());
        let to_here = links.filter_map(|link| match &link.to {
            Target::Rows { table, columns } if table == name => Some(columns),
            _ => None,
        });
        let to_here = to_here.flatten().map(String::as_str);
        from_here.chain(to_here).collect()
    }

    /// What decides how long rows are kept, by table.
    fn deciding(&self) -> BTreeMap<&str, Deciding<'_>> {
        let mut deciding: BTreeMap<&str, Deciding<'_>> = BTreeMap::new();
        for (name, table) in &self.tables {
            let mut from = |via: Option<&Via>, column| {
                let Some(via) = via else {
                    deciding.entry(name).or_default().columns.insert(column);
                    return;
                };
                let there = self.tables.get(&via.table);
                let link = there.and_then(|there| there.links.get(&via.link));
                let link = link.into_iter().flat_map(|link| &link.columns);
                if let Some((name, _)) = self.tables.get_key_value(&via.table) {
                    let there = deciding.entry(name).or_default();
                    there.columns.insert(column);
                    there.ways.extend(link.map(String::as_str));
                }
            };
            if let Some(retention) = &table.retention {
                from(retention.of.as_ref(), retention.from.as_str());
                if let Some(or) = &retention.or {
                    from(None, or);
                }
            }
            for kept in &table.kept_while {
                from(kept.of.as_ref(), &kept.column);
            }
            if let Some(soft) = &table.soft_delete {
                from(None, &soft.column);
            }
        }
        deciding
    }
}

/// What decides in a table how long rows are kept, in it or elsewhere.
#[derive(Default)]
struct Deciding<'a> {
    columns: BTreeSet<&'a str>,
    /// By which its rows lead to rows that they keep.
    ways: BTreeSet<&'a str>,
}

/// What is set in rows that are restricted, or of which a use has ended.
fn marks(table: &Table) -> impl Iterator<Item = (&str, &Plain)> {
    let restrict = table.restrict.iter();
    let restrict = restrict.map(|mark| (mark.column.as_str(), &mark.equals));
    let ends = table.ends.iter().map(|end| (end.column.as_str(), &end.set));
    restrict.chain(ends)
}

/// The columns by which rows, and who is named elsewhere, are found.
fn finding(table: &Table) -> BTreeSet<&str> {
    let columns = table.columns.iter();
    let identifying = columns.filter(|(_, column)| !column.identifiers.is_empty());
    let named = table.names.iter().flatten();
    let named = named.chain(identifying.map(|(name, _)| name));
    let linked = table.links.values().flat_map(Link::looks_at);
    named.map(String::as_str).chain(linked).collect()
}

/// The columns that an erasure changes in rows that are not the person's alone.
fn changed_in_others(table: &Table) -> BTreeSet<&str> {
    let others = table.links.values().filter(|l| l.whose != Whose::Owned);
    let mut changed = BTreeSet::new();
    for link in others {
        let unsaid = link.columns.iter();
        let unsaid = unsaid.filter(|column| !link.erase.contains_key(*column));
        let said = link.erase.iter();
        let said = said.filter(|(_, strategy)| **strategy != Strategy::Keep);
        changed.extend(unsaid.chain(said.map(|(column, _)| column)));
    }
    changed.into_iter().map(String::as_str).collect()
}

/// The columns to which two links of a table do different things, for a row of others that both
/// find: what one names, and another empties, or empties a part of.
fn two_ways(table: &Table) -> BTreeSet<&str> {
    let others = || table.links.values().filter(|l| l.whose != Whose::Owned);
    let emptied = |column: &String, strategy: &Strategy| {
        others().any(|link| {
            let here = link.columns.contains(column) && !link.erase.contains_key(column);
            here && !(*strategy == Strategy::Null && link.path.is_empty())
        })
    };
    let said = others().flat_map(|link| &link.erase);
    let twice = said.filter(|(column, strategy)| emptied(column, strategy));
    twice.map(|(column, _)| column.as_str()).collect()
}

/// Links that say of the same rows what another one says otherwise.
fn twice(table: &Table) -> BTreeSet<&str> {
    let mut twice = BTreeSet::new();
    for (n, (name, link)) in table.links.iter().enumerate() {
        let ways = |link: &Link| (link.columns.clone(), link.path.clone(), link.to.clone());
        let same = |other: &Link| ways(link) == ways(other) && link.when == other.when;
        if table.links.values().take(n).any(same) {
            twice.insert(name.as_str());
        }
    }
    twice
}
