//! A map beside the catalogue of a database: what one has and the other does not know.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, CatalogueColumn, CatalogueTable, Class, DeleteRule};
use super::map::{DataMap, Link, RowErasure, Table, Target, Via, Whose};
use super::{Generalise, MapProblem, MapProblems, Plain, Problem, Strategy};

/// In an exemption: columns of this name in every table.
pub(super) const EVERY_TABLE: &str = "*";

/// How long an instant is as text, in characters.
const INSTANT_LENGTH: u32 = 19;
/// How long a pseudonym is, in characters.
pub const PSEUDONYM_LENGTH: u32 = 37;

impl DataMap {
    /// Compares the map with a database. One line in a host's tests, and they fail on the day
    /// on which somebody adds a column that no request would reach.
    ///
    /// Not decided here, because only the database can: CHECK constraints and triggers. A plan
    /// finds those.
    ///
    /// # Errors
    /// All that is wrong with the map, by itself or beside the database.
    pub fn check(&self, catalogue: &Catalogue) -> Result<(), MapProblems> {
        self.validate()?;
        let mut problems = Vec::new();
        let owned = self.owned_tables();
        for (name, table) in &catalogue.tables {
            match self.tables.get(name) {
                None if self.is_exempt(name) => {}
                None => problems.push(MapProblem::table(name, Problem::TableUndescribed)),
                Some(described) => {
                    let known = self.known_columns(name, described);
                    let unknown = table.columns.iter().filter(|c| !known.contains(&*c.name));
                    problems.extend(unknown.map(|column| {
                        MapProblem::member(name, &column.name, Problem::ColumnUndescribed)
                    }));
                }
            }
            problems.extend(self.keys_not_followed(name, table, catalogue, &owned));
        }
        for (name, described) in &self.tables {
            match catalogue.tables.get(name) {
                None => problems.push(MapProblem::table(name, Problem::TableGone)),
                Some(table) => {
                    let beside = Beside {
                        map: self,
                        owned: &owned,
                        catalogue,
                        name,
                        described,
                        table,
                    };
                    let whole = [
                        (table.versioned, Problem::Versioned),
                        (table.no_transactions, Problem::NoTransactions),
                        (table.hides_rows, Problem::HidesRows),
                        (
                            described.person && table.key.is_empty(),
                            Problem::PeopleWithoutKey,
                        ),
                    ];
                    let whole = whole.into_iter().filter(|(wrong, _)| *wrong);
                    problems.extend(whole.map(|(_, problem)| MapProblem::table(name, problem)));
                    if self.is_deleted(name, &owned) {
                        let elsewhere = table.cascades_to.iter().cloned();
                        let elsewhere = elsewhere.map(Problem::CascadesElsewhere);
                        problems.extend(elsewhere.map(|p| MapProblem::table(name, p)));
                    }
                    beside.columns_gone(&mut problems);
                    beside.links(&mut problems);
                    beside.conditions(&mut problems);
                    beside.soft_delete(&mut problems);
                    beside.retention(&mut problems);
                    beside.changed_keys(&mut problems);
                    beside.strategies(&mut problems);
                }
            }
        }
        self.stale_exemptions(catalogue, &mut problems);
        MapProblems::of(problems)
    }

    fn is_exempt(&self, table: &str) -> bool {
        self.exempt
            .iter()
            .any(|exempt| exempt.table == table && exempt.columns.is_empty())
    }

    fn columns_exempt(&self, table: &str) -> BTreeSet<&str> {
        self.exempt
            .iter()
            .filter(|exempt| exempt.table == table || exempt.table == EVERY_TABLE)
            .flat_map(|exempt| exempt.columns.iter().map(String::as_str))
            .collect()
    }

    /// Columns of a described table of which the map says something: by itself a link to a row
    /// says all there is to say of a column, one to an identifier does not.
    fn known_columns<'a>(&'a self, name: &str, described: &'a Table) -> BTreeSet<&'a str> {
        let mut known = self.columns_exempt(name);
        known.extend(described.restrict.iter().map(|mark| mark.column.as_str()));
        known.extend(described.ends.iter().map(|end| end.column.as_str()));
        known.extend(described.columns.keys().map(String::as_str));
        for link in described.links.values() {
            if matches!(link.to, Target::Rows { .. }) {
                known.extend(link.columns.iter().map(String::as_str));
            }
            known.extend(link.erase.keys().map(String::as_str));
            known.extend(link.when.iter().map(|when| when.column.as_str()));
        }
        known.extend(
            described
                .soft_delete
                .iter()
                .map(|soft| soft.column.as_str()),
        );
        known
    }

    fn keys_not_followed<'a>(
        &'a self,
        name: &'a str,
        table: &'a CatalogueTable,
        catalogue: &'a Catalogue,
        owned: &'a BTreeSet<&str>,
    ) -> impl Iterator<Item = MapProblem> + 'a {
        let exempt = self.columns_exempt(name);
        let described = self.tables.get(name);
        table.foreign_keys.iter().filter_map(move |key| {
            let follows = |link: &Link| {
                let Target::Rows { table, columns } = &link.to else {
                    return false;
                };
                let there = catalogue.tables.get(table).map(|there| &there.key);
                let columns = match columns.is_empty() {
                    true => there.unwrap_or(columns),
                    false => columns,
                };
                let leads = |link: &[String], to: &[String]| -> BTreeSet<(String, String)> {
                    link.iter().cloned().zip(to.iter().cloned()).collect()
                };
                *table == key.table
                    && leads(&link.columns, columns) == leads(&key.columns, &key.references)
            };
            let links = || described.into_iter().flat_map(|table| table.links.values());
            let mut ways = links().filter(|link| follows(link)).peekable();
            let followed = ways.peek().is_some();
            let in_part = followed && ways.all(|link| link.when.is_some());
            let exempt = key.columns.iter().all(|column| exempt.contains(&**column));
            let goes = self.is_deleted(&key.table, owned);
            if in_part && goes && key.on_delete == DeleteRule::Cascade {
                let problem = Problem::Cascades(key.table.clone());
                return Some(MapProblem::member(name, &key.columns.join(","), problem));
            }
            if followed || !owned.contains(key.table.as_str()) {
                return None;
            }
            let problem = if !exempt {
                Problem::KeyNotFollowed(key.table.clone())
            } else if goes && key.on_delete == DeleteRule::Cascade {
                Problem::Cascades(key.table.clone())
            } else {
                return None;
            };
            Some(MapProblem::member(name, &key.columns.join(","), problem))
        })
    }

    /// Whether an erasure deletes rows of this table.
    fn is_deleted(&self, name: &str, owned: &BTreeSet<&str>) -> bool {
        let described = self.tables.get(name);
        described.is_some_and(|table| table.erase == RowErasure::Delete) && owned.contains(name)
    }

    fn stale_exemptions(&self, catalogue: &Catalogue, problems: &mut Vec<MapProblem>) {
        for exempt in &self.exempt {
            let tables: Vec<&CatalogueTable> = catalogue
                .tables
                .iter()
                .filter(|(name, _)| **name == exempt.table || exempt.table == EVERY_TABLE)
                .map(|(_, table)| table)
                .collect();
            if tables.is_empty() {
                problems.push(MapProblem::table(&exempt.table, Problem::StaleExemption));
                continue;
            }
            for column in &exempt.columns {
                if !tables.iter().any(|table| table.column(column).is_some()) {
                    let problem = Problem::StaleExemption;
                    problems.push(MapProblem::member(&exempt.table, column, problem));
                }
            }
        }
    }
}

fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

/// Whether the values of one kind of column are written as those of the other, where they are the same.
fn comparable(here: Class, there: Class) -> bool {
    let written = |class| matches!(class, Class::Int | Class::Text | Class::Other);
    let number = |class| matches!(class, Class::Int | Class::Decimal);
    here == there || written(here) && written(there) || number(here) && number(there)
}

/// A table as it is described, beside what it is.
struct Beside<'a> {
    map: &'a DataMap,
    owned: &'a BTreeSet<&'a str>,
    catalogue: &'a Catalogue,
    name: &'a str,
    described: &'a Table,
    table: &'a CatalogueTable,
}

impl Beside<'_> {
    fn columns_gone(&self, problems: &mut Vec<MapProblem>) {
        let here = self.described;
        let mut named: BTreeSet<&String> = here.columns.keys().collect();
        named.extend(here.names.iter().flatten());
        named.extend(here.restrict.iter().map(|mark| &mark.column));
        named.extend(here.ends.iter().map(|end| &end.column));
        if let Some(retention) = &here.retention {
            self.named_there(retention.of.as_ref(), &retention.from, &mut named, problems);
            named.extend(&retention.or);
        }
        for kept in &here.kept_while {
            self.named_there(kept.of.as_ref(), &kept.column, &mut named, problems);
        }
        named.extend(here.soft_delete.iter().map(|soft| &soft.column));
        for file in here.columns.values().filter_map(|c| c.file.as_ref()) {
            named.insert(&file.name);
            named.extend(&file.media_type);
        }
        for link in here.links.values() {
            if let Target::Identifier { at, .. } = &link.to {
                named.extend(at);
            }
            named.extend(&link.columns);
            named.extend(link.erase.keys());
            named.extend(link.when.iter().map(|when| &when.column));
        }
        for column in named {
            if self.table.column(column).is_none() {
                problems.push(MapProblem::member(self.name, column, Problem::ColumnGone));
            }
        }
        for copy in here.columns.values().flat_map(|column| &column.copies) {
            let there = self.catalogue.tables.get(&copy.table);
            if there.is_some_and(|table| table.column(&copy.column).is_none()) {
                let problem = Problem::ColumnGone;
                problems.push(MapProblem::member(&copy.table, &copy.column, problem));
            }
        }
    }

    /// A column of this table, or of the one that is named beside it.
    fn named_there<'a>(
        &self,
        via: Option<&Via>,
        column: &'a String,
        named: &mut BTreeSet<&'a String>,
        problems: &mut Vec<MapProblem>,
    ) {
        let Some(via) = via else {
            named.insert(column);
            return;
        };
        let there = self.catalogue.tables.get(&via.table);
        if there.is_some_and(|table| table.column(column).is_none()) {
            problems.push(MapProblem::member(&via.table, column, Problem::ColumnGone));
        }
    }

    /// A row is hidden by a date, and shown again by NULL.
    fn soft_delete(&self, problems: &mut Vec<MapProblem>) {
        let Some(soft) = &self.described.soft_delete else {
            return;
        };
        let Some(column) = self.table.column(&soft.column) else {
            return; // said with the columns that are gone
        };
        let mut problem = |problem| {
            problems.push(MapProblem::member(self.name, &column.name, problem));
        };
        if !column.nullable {
            problem(Problem::NotNull);
        }
        if column.generated {
            problem(Problem::Generated);
        }
        if !matches!(column.class, Class::Date | Class::Time | Class::Text) {
            problem(Problem::Type(column.declared.clone()));
        }
        if let Some(has) = column.length.filter(|&has| has < INSTANT_LENGTH) {
            let needs = INSTANT_LENGTH;
            problem(Problem::Length { needs, has });
        }
    }

    /// A duty runs from a date.
    fn retention(&self, problems: &mut Vec<MapProblem>) {
        if let Some(retention) = &self.described.retention {
            let of = retention.of.as_ref().map_or(self.name, |via| &via.table);
            let dates = [
                (of, Some(&retention.from)),
                (self.name, retention.or.as_ref()),
            ];
            for (table, column) in dates {
                let there = self.catalogue.tables.get(table);
                let found = column.and_then(|column| there?.column(column));
                let Some(column) = found else {
                    continue; // said with the columns that are gone
                };
                let dated = [Class::Date, Class::Time, Class::Text, Class::Other];
                if !dated.contains(&column.class) {
                    let problem = Problem::Type(column.declared.clone());
                    problems.push(MapProblem::member(table, &column.name, problem));
                }
            }
        }
    }

    /// A row that is written twice keeps its name.
    fn changed_keys(&self, problems: &mut Vec<MapProblem>) {
        let writes = self.described.writes();
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        if writes.len() > 1 {
            changed.extend(writes.into_iter().flatten());
        }
        changed.extend(self.described.restrict.iter().map(|mark| &*mark.column));
        for name in self
            .table
            .key
            .iter()
            .filter(|name| changed.contains(&***name))
        {
            problems.push(MapProblem::member(self.name, name, Problem::KeyChanges));
        }
    }

    /// Columns that lead to several tables, and nothing says when to which: no condition tells the
    /// links apart, and they are not keys of the database, which hold both.
    fn ambiguous(&self, problems: &mut Vec<MapProblem>) {
        let declared = |link: &Link, table: &String| {
            let keys = &mut self.table.foreign_keys.iter();
            keys.any(|key| key.table == *table && same(&key.columns, &link.columns))
        };
        for (n, (name, link)) in self.described.links.iter().enumerate() {
            let Target::Rows { table, .. } = &link.to else {
                continue;
            };
            for other in self.described.links.values().take(n) {
                let Target::Rows { table: to, .. } = &other.to else {
                    continue;
                };
                let both = declared(link, table) && declared(other, to);
                if same(&link.columns, &other.columns)
                    && table != to
                    && !link.excludes(other)
                    && !both
                {
                    let problem = Problem::AmbiguousLink(to.clone());
                    problems.push(MapProblem::member(self.name, name, problem));
                }
            }
        }
    }

    fn links(&self, problems: &mut Vec<MapProblem>) {
        self.ambiguous(problems);
        for (name, link) in &self.described.links {
            let Target::Rows { table, columns } = &link.to else {
                continue;
            };
            let Some(there) = self.catalogue.tables.get(table) else {
                continue; // said where the table itself is missing
            };
            for column in columns.iter().filter(|c| there.column(c).is_none()) {
                problems.push(MapProblem::member(table, column, Problem::ColumnGone));
            }
            let references = match columns.is_empty() {
                true => &there.key,
                false => columns,
            };
            for (here, there) in link
                .columns
                .iter()
                .zip(references)
                .filter_map(|(here, to)| {
                    let pair = (self.table.column(here)?, there.column(to)?);
                    (!comparable(pair.0.class, pair.1.class)).then_some(pair)
                })
            {
                let problem = Problem::Incomparable {
                    here: here.declared.clone(),
                    there: there.declared.clone(),
                };
                problems.push(MapProblem::member(self.name, &here.name, problem));
            }
            let problem = match there.key.len() {
                _ if !columns.is_empty() => continue,
                0 => Problem::NoKey,
                keys if keys != link.columns.len() => Problem::Arity {
                    here: link.columns.len(),
                    there: keys,
                },
                _ => continue,
            };
            problems.push(MapProblem::member(self.name, name, problem));
        }
    }

    /// A condition compares a column with a value of its kind.
    fn conditions(&self, problems: &mut Vec<MapProblem>) {
        let mut compared: Vec<(&str, &str, &Plain)> = Vec::new();
        for when in self
            .described
            .links
            .values()
            .filter_map(|l| l.when.as_ref())
        {
            compared.push((self.name, &when.column, &when.equals));
        }
        for kept in &self.described.kept_while {
            let table = kept.of.as_ref().map_or(self.name, |via| via.table.as_str());
            compared.push((table, &kept.column, &kept.equals));
        }
        for (table, column, plain) in compared {
            let there = self.catalogue.tables.get(table);
            let Some(there) = there.and_then(|there| there.column(column)) else {
                continue; // said with the columns that are gone
            };
            let strategy = Strategy::Fixed(plain.clone());
            if there.class != Class::Other && !fits(there.class, &strategy) {
                let problem = Problem::NotComparable(there.declared.clone());
                problems.push(MapProblem::member(table, column, problem));
            }
        }
    }

    fn strategies(&self, problems: &mut Vec<MapProblem>) {
        let null = Strategy::Null;
        let mut all: Vec<(&String, &Strategy)> = Vec::new();
        for (name, column) in &self.described.columns {
            all.extend(column.erase.as_ref().map(|strategy| (name, strategy)));
            let Some(strategy) = &column.minimise else {
                continue;
            };
            all.push((name, strategy));
            if *strategy != Strategy::Keep && self.table.key.contains(name) {
                problems.push(MapProblem::member(
                    self.name,
                    name,
                    Problem::NeededWhileKept,
                ));
            }
        }
        for link in self.described.links.values() {
            all.extend(&link.erase);
            if link.whose != Whose::Owned {
                let whole = link.columns.iter().filter(|_| link.path.is_empty());
                let unsaid = whole.filter(|c| !link.erase.contains_key(*c));
                all.extend(unsaid.map(|column| (column, &null)));
            }
        }
        let restrict = self.described.restrict.iter();
        let marks = restrict.map(|mark| (&mark.column, &mark.equals));
        let ends = self
            .described
            .ends
            .iter()
            .map(|end| (&end.column, &end.set));
        for (name, plain) in marks.chain(ends) {
            if let Some(column) = self.table.column(name) {
                let strategy = Strategy::Fixed(plain.clone());
                let found: Vec<Problem> = misfits(self.table, column, &strategy).collect();
                let found = found.into_iter();
                problems.extend(found.map(|p| MapProblem::member(self.name, name, p)));
            }
        }
        if self.described.restrict.is_some() && self.table.key.is_empty() {
            problems.push(MapProblem::table(self.name, Problem::NoKeyToRestrict));
        }
        self.documents(problems);
        let texts = self.described.columns.iter().filter(|(_, c)| c.free_text);
        for column in texts.filter_map(|(name, _)| self.table.column(name)) {
            if column.generated {
                let problem = Problem::Generated;
                problems.push(MapProblem::member(self.name, &column.name, problem));
            }
        }
        for (name, strategy) in all {
            if let Some(column) = self.table.column(name) {
                let found = misfits(self.table, column, strategy);
                problems.extend(found.map(|p| MapProblem::member(self.name, name, p)));
            }
        }
        self.keys_left_behind(problems);
    }

    /// Columns with parts must be able to hold a document.
    fn documents(&self, problems: &mut Vec<MapProblem>) {
        let parted = self
            .described
            .columns
            .iter()
            .filter(|(_, c)| !c.paths.is_empty());
        let linked = self
            .described
            .links
            .values()
            .filter(|link| !link.path.is_empty());
        let names = parted
            .map(|(name, _)| name)
            .chain(linked.flat_map(|link| &link.columns));
        for column in names.filter_map(|name| self.table.column(name)) {
            if !matches!(column.class, Class::Text | Class::Other) {
                let problem = Problem::Type(column.declared.clone());
                problems.push(MapProblem::member(self.name, &column.name, problem));
            }
        }
    }

    /// Rows that stay while those go that they refer to: with a key that leads nowhere, the
    /// database refuses the deletion, or deletes what should stay.
    fn keys_left_behind(&self, problems: &mut Vec<MapProblem>) {
        for key in &self.table.foreign_keys {
            let leads =
                |link: &Link| link.whose == Whose::Owned && same(&link.columns, &key.columns);
            let stays = match self.described.erase {
                RowErasure::Delete => false,
                RowErasure::Columns => true,
                // What is kept keeps what its links lead to.
                RowErasure::Keep { .. } => !self.described.links.values().any(leads),
            };
            let goes = self.map.is_deleted(&key.table, self.owned);
            if key.on_delete == DeleteRule::Release || !goes {
                continue;
            }
            let changed =
                |strategy: Option<&Strategy>| strategy.is_some_and(|s| *s != Strategy::Keep);
            let erased = |column: &String| {
                let column = self.described.columns.get(column);
                changed(column.and_then(|column| column.erase.as_ref()))
            };
            let of_others = |link: &&Link| {
                link.whose != Whose::Owned && link.columns.iter().any(|c| key.columns.contains(c))
            };
            let mut others = self.described.links.values().filter(of_others);
            // Nothing said of a column of such a link makes it NULL.
            let kept = others.any(|link| {
                let said =
                    |column: &String| link.erase.get(column).is_some_and(|s| *s == Strategy::Keep);
                key.columns.iter().all(said)
            });
            if stays && !key.columns.iter().any(erased) || kept {
                let problem = Problem::KeyLeftBehind(key.table.clone());
                let columns = key.columns.join(",");
                problems.push(MapProblem::member(self.name, &columns, problem));
            }
        }
    }
}

/// Why a column cannot take a strategy.
fn misfits<'a>(
    table: &'a CatalogueTable,
    column: &'a CatalogueColumn,
    strategy: &'a Strategy,
) -> impl Iterator<Item = Problem> + 'a {
    let kept = *strategy == Strategy::Keep;
    let generated = (column.generated && !kept).then_some(Problem::Generated);
    let not_null = (*strategy == Strategy::Null && !column.nullable).then_some(Problem::NotNull);
    let alone = |columns: &Vec<String>| *columns == [column.name.clone()];
    let unique = alone(&table.key) || table.unique.iter().any(alone);
    let merges = matches!(
        strategy,
        Strategy::Fixed(_) | Strategy::Mask(_) | Strategy::Generalise(_)
    );
    let unique = (unique && merges).then_some(Problem::Unique);
    let fits = fits(column.class, strategy);
    let class = (!fits).then(|| Problem::Type(column.declared.clone()));
    let needs = match strategy {
        Strategy::Fixed(Plain::Text(text)) => u32::try_from(text.chars().count()).ok(),
        Strategy::Pseudonym => Some(PSEUDONYM_LENGTH),
        _ => None,
    };
    let length = needs.zip(column.length).filter(|(needs, has)| needs > has);
    let length = length.map(|(needs, has)| Problem::Length { needs, has });
    [generated, not_null, unique, class, length]
        .into_iter()
        .flatten()
}

const fn fits(class: Class, strategy: &Strategy) -> bool {
    match strategy {
        Strategy::Keep | Strategy::Null => true,
        Strategy::Fixed(Plain::Bool(_)) => matches!(class, Class::Bool | Class::Int),
        Strategy::Fixed(Plain::Int(_)) => matches!(class, Class::Int | Class::Decimal),
        // Databases write dates and other types as text.
        Strategy::Fixed(Plain::Text(_)) => !matches!(class, Class::Bool | Class::Int),
        Strategy::Mask(_) | Strategy::Pseudonym | Strategy::Random => matches!(class, Class::Text),
        Strategy::Generalise(Generalise::Network) => matches!(class, Class::Text | Class::Other),
        // The host knows.
        Strategy::Own(_) => !matches!(class, Class::Bytes),
        Strategy::Generalise(Generalise::Prefix(_)) => matches!(class, Class::Text),
        // One map serves databases that keep dates as text.
        Strategy::Generalise(Generalise::Year | Generalise::Month) => {
            matches!(class, Class::Date | Class::Time | Class::Text)
        }
    }
}
