//! Map and catalogue side by side: what statements are written from.

use std::collections::{BTreeMap, BTreeSet};

use crate::datamap::{
    Catalogue, CatalogueColumn, CatalogueTable, Class, Column, DataMap, DeleteRule, Link,
    RowErasure, Strategy, Table, Target, Via, Whose,
};
use crate::model::{IdentifierKind, Use};

use super::dialect::{Dialect, SET};

/// How a row of a table is named.
#[derive(Clone)]
pub(super) struct Key {
    /// Quoted names, or what the database names rows by.
    names: Vec<String>,
    /// The columns, where it is made of columns.
    pub(super) columns: Vec<CatalogueColumn>,
    /// No key at all: rows are named by all that decides whose they are, and several can have
    /// one name.
    pub(super) loose: bool,
}

/// A link beside the catalogue.
pub(super) struct LaidLink {
    pub(super) name: String,
    pub(super) link: Link,
    pub(super) columns: Vec<CatalogueColumn>,
    pub(super) to: LaidTarget,
    /// The set of rows that it finds, where they are not the person's own.
    pub(super) set: String,
}

/// Where a link leads.
pub(super) enum LaidTarget {
    /// To a table, by its number, and to these columns.
    Rows(usize, Vec<CatalogueColumn>),
    /// A kind, and whether it stands there in its normal form.
    Identifier(IdentifierKind, bool),
}

/// A table beside the catalogue.
pub(super) struct Laid {
    pub(super) name: String,
    pub(super) quoted: String,
    pub(super) described: Table,
    pub(super) table: CatalogueTable,
    pub(super) key: Key,
    /// Whether rows can be a person's own.
    pub(super) owned: bool,
    /// The set of the person's own rows.
    pub(super) set: String,
    /// The set of those that are kept, with the reason.
    pub(super) kept: String,
    pub(super) links: Vec<LaidLink>,
}

/// All described tables.
pub(super) struct Layout {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) tables: Vec<Laid>,
    /// The order of erasure: what refers before what it refers to, people last.
    pub(super) order: Vec<usize>,
    /// Columns to be released before rows are deleted: keys that lead from a row to another that
    /// goes before it.
    pub(super) released: Vec<(usize, CatalogueColumn)>,
    /// Tables with rows on which others hang without a declared key.
    pub(super) loosely_hung_on: Vec<usize>,
    /// Uses to which the data is never put.
    pub(super) unused: Vec<Use>,
}

/// A described table that statements cannot be written for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Keyless(pub(super) String);

impl Key {
    fn of(described: &Table, table: &CatalogueTable, dialect: &dyn Dialect) -> Self {
        let quoted = |column: &CatalogueColumn| dialect.quote(&column.name);
        let columns: Vec<CatalogueColumn> = table
            .key
            .iter()
            .filter_map(|name| table.column(name).cloned())
            .collect();
        if !columns.is_empty() {
            return Self {
                names: columns.iter().map(quoted).collect(),
                columns,
                loose: false,
            };
        }
        let names = dialect.row_names(table);
        if !names.is_empty() {
            return Self {
                names: names.iter().map(|&name| name.to_owned()).collect(),
                columns,
                loose: false,
            };
        }
        let mut deciding: BTreeSet<&String> = BTreeSet::new();
        for retention in described.retention.iter() {
            deciding.extend(
                [&retention.from]
                    .into_iter()
                    .filter(|_| retention.of.is_none()),
            );
            deciding.extend(&retention.or);
        }
        let own = described.kept_while.iter().filter(|kept| kept.of.is_none());
        deciding.extend(own.map(|kept| &kept.column));
        deciding.extend(described.soft_delete.iter().map(|soft| &soft.column));
        for link in described.links.values() {
            deciding.extend(&link.columns);
            if let Target::Identifier { at: Some(at), .. } = &link.to {
                deciding.insert(at);
            }
            deciding.extend(link.when.iter().map(|when| &when.column));
        }
        let columns: Vec<CatalogueColumn> = deciding
            .into_iter()
            .filter_map(|name| table.column(name).cloned())
            .collect();
        Self {
            names: columns.iter().map(quoted).collect(),
            columns,
            loose: true,
        }
    }

    /// What kind of values a part takes.
    pub(super) fn class(&self, part: usize) -> Class {
        self.columns
            .get(part)
            .map_or(Class::Other, |column| column.class)
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Its parts, of a table under an alias.
    pub(super) fn under(&self, alias: &str) -> Vec<String> {
        self.names
            .iter()
            .map(|name| format!("{alias}.{name}"))
            .collect()
    }

    /// Its parts as a set takes them.
    pub(super) fn selected(&self, dialect: &dyn Dialect, alias: &str) -> Vec<String> {
        let parts = self.under(alias).into_iter().enumerate();
        parts
            .map(|(n, part)| match self.loose {
                true => dialect.told_apart(&part, self.class(n)),
                false => part,
            })
            .collect()
    }

    /// The names of its parts in a set.
    pub(super) fn in_set(&self, prefix: &str) -> String {
        let names: Vec<String> = (0..self.len()).map(|n| format!("{prefix}k{n}")).collect();
        names.join(", ")
    }

    /// Two sets name the same row.
    pub(super) fn same_in(&self, dialect: &dyn Dialect, one: &str, other: &str) -> String {
        let part = |n| {
            let (one, other) = (format!("{one}.k{n}"), format!("{other}.k{n}"));
            match self.loose {
                true => dialect.same(&one, &other, self.class(n)),
                false => format!("{one} = {other}"),
            }
        };
        let parts: Vec<String> = (0..self.len()).map(part).collect();
        parts.join(" AND ")
    }

    /// A row under one alias is named by a set under the other.
    pub(super) fn joins(&self, dialect: &dyn Dialect, alias: &str, set: &str) -> String {
        let parts = self.under(alias).into_iter().enumerate();
        let parts: Vec<String> = parts
            .map(|(n, part)| {
                if self.loose {
                    dialect.same(&part, &format!("{set}.k{n}"), self.class(n))
                } else {
                    format!("{part} = {set}.k{n}")
                }
            })
            .collect();
        parts.join(" AND ")
    }
}

impl Laid {
    /// Places of errors: a table, a column.
    pub(super) fn place(&self, column: &str) -> String {
        format!("{}.{column}", self.name)
    }

    /// The columns of the catalogue that the map describes, in the database's order.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&CatalogueColumn, &Column)> {
        self.table.columns.iter().filter_map(|column| {
            let described = self.described.columns.get(&column.name)?;
            Some((column, described))
        })
    }

    /// Whether rows of it may be kept, by what the map says.
    pub(super) fn keeps(&self) -> bool {
        self.described.retention.is_some()
            || self.described.soft_delete.is_some()
            || !self.described.kept_while.is_empty()
            || matches!(self.described.erase, RowErasure::Keep { .. })
    }

    /// Whether the person's own rows are deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.owned && self.described.erase == RowErasure::Delete
    }

    /// The collection of what a link finds.
    pub(super) fn collection_of(&self, link: &LaidLink) -> String {
        format!("{}.{}", self.name, link.name)
    }
}

impl Layout {
    /// Whether people may be named in any text.
    pub(super) fn has_free_text(&self) -> bool {
        let free_text = |table: &Laid| table.columns().any(|(_, described)| described.free_text);
        self.tables.iter().any(free_text)
    }

    /// A map that was checked, beside its catalogue.
    pub(super) fn new(
        map: &DataMap,
        catalogue: &Catalogue,
        dialect: &'static dyn Dialect,
    ) -> Result<Self, Keyless> {
        let owned = map.owned_tables();
        let present = || {
            map.tables
                .iter()
                .filter_map(|(name, table)| Some((name, table, catalogue.tables.get(name)?)))
        };
        let numbers: BTreeMap<&str, usize> = present()
            .enumerate()
            .map(|(number, (name, _, _))| (name.as_str(), number))
            .collect();
        let mut tables = Vec::new();
        for (number, (name, described, table)) in present().enumerate() {
            let key = Key::of(described, table, dialect);
            let one_by_one = |column: &Column| {
                let mut strategies = column.erase.iter().chain(&column.minimise);
                column.free_text || column.file.is_some() || strategies.any(Strategy::is_row_by_row)
            };
            let linked = described
                .links
                .values()
                .flat_map(|link| link.erase.values());
            let one_by_one = described.columns.values().any(one_by_one)
                || linked.into_iter().any(Strategy::is_row_by_row);
            // What has no key cannot be named by a locator, nor changed row by row.
            if described.person && key.columns.is_empty() || key.loose && one_by_one {
                return Err(Keyless(name.clone()));
            }
            // Nor be followed to others of its own.
            let to_itself = |link: &Link| {
                link.whose == Whose::Owned
                    && matches!(&link.to, Target::Rows { table, .. } if table == name)
            };
            if key.loose && described.links.values().any(to_itself) {
                return Err(Keyless(name.clone()));
            }
            // Nor written twice, where the first write gives its rows other names.
            let columns = map.tables.values().flat_map(|table| table.columns.values());
            let copied = columns.flat_map(|column| &column.copies);
            let copied = copied.filter(|place| place.table == *name).count();
            let rectified = described.columns.values().filter(|column| column.rectify);
            let writes = described.writes();
            let most = writes.len().max(rectified.count() + copied);
            if key.columns.is_empty() && dialect.renames_rows() && most > 1 {
                return Err(Keyless(name.clone()));
            }
            // Nor changed in what tells its rows apart, and looked for again.
            let names = |column: &&str| key.columns.iter().any(|c| c.name == **column);
            let told_apart_anew = key.loose && writes.iter().flatten().any(names);
            if told_apart_anew && writes.len() > 1 {
                return Err(Keyless(name.clone()));
            }
            let found = |columns: &[String], table: &CatalogueTable| -> Vec<CatalogueColumn> {
                let column = |name: &String| table.column(name).cloned();
                columns.iter().filter_map(column).collect()
            };
            let links = described
                .links
                .iter()
                .enumerate()
                .filter_map(|(nth, (name, link))| {
                    let to = match &link.to {
                        Target::Identifier { kind, normal, .. } => {
                            LaidTarget::Identifier(kind.clone(), *normal)
                        }
                        Target::Rows { table, columns } => {
                            let there = catalogue.tables.get(table)?;
                            let columns = if columns.is_empty() {
                                &there.key
                            } else {
                                columns
                            };
                            LaidTarget::Rows(*numbers.get(table.as_str())?, found(columns, there))
                        }
                    };
                    Some(LaidLink {
                        name: name.clone(),
                        link: link.clone(),
                        columns: found(&link.columns, table),
                        to,
                        set: format!("{SET}{number}_{nth}"),
                    })
                });
            tables.push(Laid {
                name: name.clone(),
                quoted: dialect.quote(name),
                described: described.clone(),
                table: table.clone(),
                owned: owned.contains(name.as_str()),
                set: format!("{SET}{number}"),
                kept: format!("{SET}{number}_kept"),
                links: links.collect(),
                key,
            });
        }
        let order = order(&tables, &numbers);
        let released = released(&tables, &order, &numbers, dialect);
        for (number, column) in &released {
            let table = &tables[*number];
            let in_place = table.key.columns.is_empty() && dialect.renames_rows();
            if in_place || table.key.loose && table.key.columns.contains(column) {
                return Err(Keyless(table.name.clone())); // released, it has another name
            }
        }
        Ok(Self {
            dialect,
            released,
            loosely_hung_on: loosely_hung_on(&tables),
            tables,
            order,
            unused: map.unused.clone(),
        })
    }

    /// A table of that name, with its link of that name and what it leads to.
    pub(super) fn via(&self, via: &Via) -> Option<(&Laid, &LaidLink, &[CatalogueColumn])> {
        let table = self.tables.iter().find(|table| table.name == via.table)?;
        let link = table.links.iter().find(|link| link.name == via.link)?;
        match &link.to {
            LaidTarget::Rows(_, references) => Some((table, link, references)),
            LaidTarget::Identifier(..) => None,
        }
    }
}

fn released(
    tables: &[Laid],
    order: &[usize],
    numbers: &BTreeMap<&str, usize>,
    dialect: &dyn Dialect,
) -> Vec<(usize, CatalogueColumn)> {
    let mut place = vec![0; tables.len()];
    for (at, &number) in order.iter().enumerate() {
        place[number] = at;
    }
    let mut released = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        for key in &table.table.foreign_keys {
            let to = numbers.get(key.table.as_str()).copied();
            let Some(to) = to.filter(|&to| tables[to].is_deleted()) else {
                continue;
            };
            let itself = to == number && dialect.checks_row_by_row();
            let early = place[to] < place[number] || itself;
            // How far a cascade goes from row to row has its limits, too.
            let hangs = key.on_delete == DeleteRule::Refuse
                || itself && key.on_delete == DeleteRule::Cascade;
            if table.is_deleted() && early && hangs {
                let column = |name: &String| table.table.column(name).cloned();
                let mut columns = key.columns.iter().filter_map(column);
                // One NULL releases a key of several columns. Where none may be NULL, the
                // database refuses when the plan is rehearsed.
                let nullable = columns.find(|column| column.nullable);
                released.extend(nullable.map(|column| (number, column)));
            }
        }
    }
    released
}

fn loosely_hung_on(tables: &[Laid]) -> Vec<usize> {
    let mut hung_on = BTreeSet::new();
    for table in tables {
        for link in &table.links {
            let LaidTarget::Rows(to, _) = link.to else {
                continue;
            };
            let mut keys = table.table.foreign_keys.iter();
            let declared =
                keys.any(|key| key.table == tables[to].name && key.columns == link.link.columns);
            if !declared {
                hung_on.insert(to);
            }
        }
    }
    hung_on.into_iter().collect()
}

/// What refers before what it refers to, as far as there are no cycles, and people last.
fn order(tables: &[Laid], numbers: &BTreeMap<&str, usize>) -> Vec<usize> {
    let mut referring: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); tables.len()];
    for (number, table) in tables.iter().enumerate() {
        let keys = table.table.foreign_keys.iter();
        let declared = keys.filter_map(|key| numbers.get(key.table.as_str()).copied());
        let followed = table.links.iter().filter_map(|link| match link.to {
            LaidTarget::Rows(to, _) if link.link.whose == Whose::Owned => Some(to),
            _ => None,
        });
        for to in declared.chain(followed).filter(|&to| to != number) {
            referring[to].insert(number);
        }
    }
    let mut order = Vec::new();
    let mut seen = vec![false; tables.len()];
    let people = (0..tables.len()).filter(|&n| tables[n].described.person);
    let others = (0..tables.len()).filter(|&n| !tables[n].described.person);
    for start in people.chain(others) {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path: Vec<(usize, Vec<usize>)> =
            vec![(start, referring[start].iter().copied().collect())];
        while let Some((number, rest)) = path.last_mut() {
            match rest.pop() {
                Some(next) if !std::mem::replace(&mut seen[next], true) => {
                    path.push((next, referring[next].iter().copied().collect()));
                }
                Some(_) => {}
                None => {
                    order.push(*number);
                    path.pop();
                }
            }
        }
    }
    // People go last, whatever else hangs together.
    order.sort_by_key(|&number| tables[number].described.person);
    release_last(tables, numbers, &order)
}

/// The same order, but for rows that cannot be released from what they refer to, or stay when it goes:
/// they come before it, whatever else would be better.
fn release_last(tables: &[Laid], numbers: &BTreeMap<&str, usize>, order: &[usize]) -> Vec<usize> {
    let mut place = vec![0; tables.len()];
    for (at, &number) in order.iter().enumerate() {
        place[number] = at;
    }
    let mut bound_to: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); tables.len()];
    let mut waits_for = vec![0_usize; tables.len()];
    for (number, table) in tables.iter().enumerate() {
        for key in &table.table.foreign_keys {
            let nullable = |name: &String| table.table.column(name).is_none_or(|c| c.nullable);
            let bound = key.on_delete == DeleteRule::Refuse && !key.columns.iter().any(nullable);
            // What stays is taken out of its rows before the database would delete them, too.
            let stays = table.owned && !table.is_deleted();
            if let Some(&to) = numbers.get(key.table.as_str())
                && (bound || stays)
                && tables[to].is_deleted()
                && to != number
                && bound_to[number].insert(to)
            {
                waits_for[to] += 1;
            }
        }
    }
    let free = (0..tables.len()).filter(|&number| waits_for[number] == 0);
    let mut ready: BTreeSet<usize> = free.map(|number| place[number]).collect();
    let mut sorted = Vec::with_capacity(order.len());
    while let Some(at) = ready.pop_first() {
        sorted.push(order[at]);
        for &to in &bound_to[order[at]] {
            waits_for[to] -= 1;
            if waits_for[to] == 0 {
                ready.insert(place[to]);
            }
        }
    }
    // Bound in a circle: the database refuses when the plan is rehearsed.
    sorted.extend(order.iter().filter(|&&number| waits_for[number] > 0));
    sorted
}
