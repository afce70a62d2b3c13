//! What a map must satisfy by itself, before any database is looked at.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::law::{Period, RetentionDuty, RetentionStart};
use crate::model::IdentifierKind;

use super::map::{
    Column, DataMap, JsonPath, Link, Retention, RetentionRule, RowErasure, SCHEMA, Table, Target,
    Whose,
};
use super::{MapProblem, MapProblems, Problem, Strategy};

impl DataMap {
    /// Whether the map says something that can be meant.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn validate(&self) -> Result<(), MapProblems> {
        let mut problems = Vec::new();
        if self.schema != SCHEMA {
            problems.push(MapProblem::table("", Problem::UnknownSchema(self.schema)));
        }
        let owned = self.owned_tables();
        let reached = self.reached(&owned);
        for (name, table) in &self.tables {
            if name.is_empty() {
                problems.push(MapProblem::table(name, Problem::EmptyName));
            }
            self.table_itself(name, table, &mut problems);
            // A table that only names people in free text needs no way to them.
            let named = table.columns.values().any(|column| column.free_text);
            let by_text = table.links.is_empty() && named;
            if !by_text && !reached.contains(name.as_str()) {
                problems.push(MapProblem::table(name, Problem::NoWay));
            }
            for (link_name, link) in &table.links {
                let problem = |problem| MapProblem::member(name, link_name, problem);
                problems.extend(self.link(link, &owned).into_iter().map(problem));
            }
            for (column_name, column) in &table.columns {
                let problem = |problem| MapProblem::member(name, column_name, problem);
                problems.extend(self.column(table, column).into_iter().map(problem));
                let kept = owned.contains(name.as_str()) && table.erase != RowErasure::Columns;
                if column.minimise.is_some() && !kept {
                    problems.push(problem(Problem::NeverKept));
                }
            }
        }
        self.clashes(&mut problems);
        self.exemptions(&mut problems);
        MapProblems::of(problems)
    }

    /// Tables whose rows can be a person's own: the people, and what owned links hang on them.
    pub fn owned_tables(&self) -> BTreeSet<&str> {
        let mut owned: BTreeSet<&str> = BTreeSet::new();
        let mut hanging: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut found: Vec<&str> = Vec::new();
        for (name, table) in &self.tables {
            let owning = || table.links.values().filter(|l| l.whose == Whose::Owned);
            for link in owning() {
                if let Target::Rows { table, .. } = &link.to {
                    hanging.entry(table).or_default().push(name);
                }
            }
            let by_identifier = |link: &Link| matches!(link.to, Target::Identifier { .. });
            if table.person || owning().any(by_identifier) {
                found.push(name);
            }
        }
        while let Some(name) = found.pop() {
            if owned.insert(name) {
                found.extend(hanging.get(name).into_iter().flatten());
            }
        }
        owned
    }

    /// Tables with at least one link that arrives at a person.
    fn reached(&self, owned: &BTreeSet<&str>) -> BTreeSet<&str> {
        let leads = |link: &Link| match &link.to {
            Target::Identifier { .. } => true,
            Target::Rows { table, .. } => owned.contains(table.as_str()),
        };
        self.tables
            .iter()
            .filter(|(_, table)| table.person || table.links.values().any(leads))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn table_itself(&self, name: &str, table: &Table, problems: &mut Vec<MapProblem>) {
        let identified = table.columns.values().any(|c| !c.identifiers.is_empty());
        if table.person && !identified && table.links.is_empty() {
            problems.push(MapProblem::table(name, Problem::NoIdentifier));
        }
        if let Some(retention) = &table.retention {
            if table.erase != RowErasure::Delete {
                problems.push(MapProblem::table(name, Problem::UselessRetention));
            }
            if let Err(problem) = retention
                .duty()
                .map(|_| ())
                .and(retention.closing().map(|_| ()))
            {
                problems.push(MapProblem::member(name, &retention.from, problem));
            }
        }
        let keeping = !table.kept_while.is_empty() || table.soft_delete.is_some();
        if keeping && table.erase != RowErasure::Delete {
            problems.push(MapProblem::table(name, Problem::UselessRetention));
        }
        let of = table
            .retention
            .iter()
            .filter_map(|retention| retention.of.as_ref());
        for via in of.chain(table.kept_while.iter().filter_map(|kept| kept.of.as_ref())) {
            let link = self
                .tables
                .get(&via.table)
                .and_then(|there| there.links.get(&via.link));
            let here =
                |link: &Link| matches!(&link.to, Target::Rows { table, .. } if table == name);
            if !link.is_some_and(here) {
                problems.push(MapProblem::member(name, &via.link, Problem::NoSuchWay));
            }
        }
        if let Some(with) = &table.kept_with {
            let link = table.links.get(with);
            if !link.is_some_and(|link| matches!(link.to, Target::Rows { .. })) {
                problems.push(MapProblem::member(name, with, Problem::KeptWithNothing));
            }
            if table.erase != RowErasure::Delete {
                problems.push(MapProblem::table(name, Problem::UselessRetention));
            }
        }
        let mut strategies: BTreeMap<&str, &Strategy> = BTreeMap::new();
        for link in table.links.values() {
            for (column, strategy) in &link.erase {
                if *strategies.entry(column).or_insert(strategy) != strategy {
                    problems.push(MapProblem::member(name, column, Problem::TwoStrategies));
                }
            }
        }
    }

    fn link(&self, link: &Link, owned: &BTreeSet<&str>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if link.columns.is_empty() {
            problems.push(Problem::NoColumns);
        }
        if link.whose == Whose::Owned && !link.erase.is_empty() {
            problems.push(Problem::UselessStrategy);
        }
        let by_value = matches!(link.to, Target::Identifier { .. });
        let written = by_value && is_path(&link.path);
        if !link.path.is_empty() && !written {
            problems.push(Problem::BadPath);
        }
        match &link.to {
            Target::Identifier { kind, at, .. } => {
                if link.columns.len() > 1 {
                    problems.push(Problem::ManyColumns(link.columns.len()));
                }
                if has_window(kind) != at.is_some() {
                    problems.push(Problem::Window);
                }
                if !stands_alone(kind) && !has_window(kind) {
                    problems.push(Problem::UnsupportedKind);
                }
            }
            Target::Rows { table, columns } => {
                if !columns.is_empty() && columns.len() != link.columns.len() {
                    problems.push(Problem::Arity {
                        here: link.columns.len(),
                        there: columns.len(),
                    });
                }
                if !self.tables.contains_key(table) {
                    problems.push(Problem::UnknownTarget(table.clone()));
                } else if !owned.contains(table.as_str()) {
                    problems.push(Problem::LeadsToNobody(table.clone()));
                }
            }
        }
        problems
    }

    fn column(&self, table: &Table, column: &Column) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !column.identifiers.is_empty() && !table.person {
            problems.push(Problem::StrayIdentifier);
        }
        if !column.identifiers.iter().all(stands_alone) {
            problems.push(Problem::UnsupportedKind);
        }
        let in_parts = column.paths.iter().any(|part| part.erase.is_some());
        match &table.erase {
            RowErasure::Columns if column.erase.is_none() && !in_parts => {
                problems.push(Problem::NoStrategy);
            }
            RowErasure::Columns => {}
            RowErasure::Delete | RowErasure::Keep { .. } => {
                if column.erase.is_some() || in_parts {
                    problems.push(Problem::UselessStrategy);
                }
            }
        }
        problems.extend(parts(column));
        if !column.rectify && !column.copies.is_empty() {
            problems.push(Problem::UselessCopies);
        }
        for copy in &column.copies {
            if !self.tables.contains_key(&copy.table) {
                problems.push(Problem::UnknownTarget(copy.table.clone()));
            }
        }
        problems
    }

    fn exemptions(&self, problems: &mut Vec<MapProblem>) {
        let mut seen = BTreeSet::new();
        for exemption in &self.exempt {
            let table = exemption.table.as_str();
            if exemption.reason.trim().is_empty() {
                problems.push(MapProblem::table(table, Problem::NoReason));
            }
            let described = self.tables.get(table);
            if exemption.columns.is_empty() {
                if described.is_some() {
                    problems.push(MapProblem::table(table, Problem::DescribedAndExempt));
                }
                if !seen.insert((table, None)) {
                    problems.push(MapProblem::table(table, Problem::ExemptTwice));
                }
            }
            for column in &exemption.columns {
                if described.is_some_and(|table| table.columns.contains_key(column)) {
                    let problem = Problem::DescribedAndExempt;
                    problems.push(MapProblem::member(table, column, problem));
                }
                if !seen.insert((table, Some(column))) {
                    problems.push(MapProblem::member(table, column, Problem::ExemptTwice));
                }
            }
        }
    }
}

impl Retention {
    /// The duty that the rule names.
    ///
    /// # Errors
    /// [`Problem::UnknownDuty`], [`Problem::OpenEnded`].
    pub fn duty(&self) -> Result<RetentionDuty, Problem> {
        let duty = match &self.rule {
            RetentionRule::Own(duty) => duty.clone(),
            RetentionRule::Named(id) => {
                RetentionDuty::named(id).map_err(|_| Problem::UnknownDuty(id.clone()))?
            }
        };
        if duty.id.trim().is_empty() {
            return Err(Problem::EmptyName);
        }
        if duty.period == Period::Unnumbered {
            return Err(Problem::OpenEnded);
        }
        Ok(duty)
    }

    /// Month and day on which the financial year is closed.
    ///
    /// # Errors
    /// [`Problem::YearClose`].
    fn closing(&self) -> Result<(u32, u32), Problem> {
        let text = self.year_close.as_deref().unwrap_or("12-31");
        let (month, day) = text.split_once('-').ok_or(Problem::YearClose)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| Problem::YearClose);
        let (month, day) = (number(month)?, number(day)?);
        // In a year without 29 February too.
        NaiveDate::from_ymd_opt(2001, month, day).ok_or(Problem::YearClose)?;
        Ok((month, day))
    }

    /// The last day on which a row of that date is kept. `None` where no day can be told.
    pub fn until(&self, from: NaiveDate) -> Option<NaiveDate> {
        use chrono::Datelike;
        let duty = self.duty().ok()?;
        let (month, day) = self.closing().ok()?;
        let mut facts = crate::law::RetentionFacts::on(from);
        if duty.start == RetentionStart::FiscalYearClose {
            let this_year = NaiveDate::from_ymd_opt(from.year(), month, day)?;
            let close = if from <= this_year {
                this_year
            } else {
                NaiveDate::from_ymd_opt(from.year() + 1, month, day)?
            };
            facts.fiscal_year_close = Some(close);
        }
        duty.until(facts).ok()
    }
}

/// What is wrong with the parts of a document.
fn parts(column: &Column) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (n, part) in column.paths.iter().enumerate() {
        if !is_path(&part.path) {
            problems.push(Problem::BadPath);
        }
        let Some(strategy) = &part.erase else {
            continue;
        };
        if strategy.is_one_by_one() {
            problems.push(Problem::NotOnPath);
        }
        let around = |other: &JsonPath| {
            let (one, other) = (&part.path, &other.path);
            one.starts_with(other) || other.starts_with(one)
        };
        let mut before = column.paths[..n]
            .iter()
            .filter(|other| other.erase.is_some());
        if column.erase.is_some() || before.any(around) {
            problems.push(Problem::TwoStrategies);
        }
    }
    problems
}

/// Whether all databases can write it.
fn is_path(path: &[String]) -> bool {
    let name = |name: &String| !name.is_empty() && !name.contains(['"', '\\']);
    !path.is_empty() && path.iter().all(name)
}

/// Whether a kind says when the value was the person's.
const fn has_window(kind: &IdentifierKind) -> bool {
    matches!(kind, IdentifierKind::PhoneDuring | IdentifierKind::IpDuring)
}

/// Whether a value of one column says it all.
const fn stands_alone(kind: &IdentifierKind) -> bool {
    !matches!(
        kind,
        IdentifierKind::PhoneDuring | IdentifierKind::IpDuring | IdentifierKind::NameAndBirth
    )
}
