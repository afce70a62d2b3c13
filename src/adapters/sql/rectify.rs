//! Correcting fields, and the copies of them that the map names.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::datamap::{CatalogueColumn, Class};
use crate::model::{Correction, Identifier, IdentifierKind, Personal, RowCount};
use crate::ports::{PlannedAction, PlannedRows, PortError, SourcePlan};

use super::dialect::spellings;
use super::fault::SqlFault;
use super::found::Found;
use super::layout::{Laid, Layout};
use super::session::Scalar;
use super::statement::{Param, Sql};

/// How many different current values of one field are told.
const MANY: usize = 100;

/// One correction, beside the catalogue.
struct Wish<'a> {
    table: &'a Laid,
    column: &'a CatalogueColumn,
    correction: &'a Correction,
    value: &'a str,
}

/// One column that is written for a wish: its own, or a copy.
struct Step<'a> {
    /// The number of the wish.
    nth: usize,
    table: &'a Laid,
    column: &'a CatalogueColumn,
    rank: u8,
}

/// What is written, in this order: in each table, what names its rows comes last, for they are not found
/// again after it; originals come before copies that refer to them.
fn steps<'a>(wishes: &[Wish<'a>], layout: &'a Layout) -> Result<Vec<Step<'a>>, PortError> {
    let mut steps = Vec::new();
    for (nth, wish) in wishes.iter().enumerate() {
        let own = (wish.table, wish.column, false);
        let copies = wish.copies(layout).into_iter();
        let copies = copies.map(|(table, column)| (table, column, true));
        steps.extend(copies.chain([own]).map(|(table, column, copy)| Step {
            nth,
            table,
            column,
            rank: match (table.key.columns.contains(column), copy) {
                (false, false) => 0,
                (false, true) if table.name == wish.table.name => 1,
                (true, false) => 2,
                (false, true) => 3,
                (true, true) => 4,
            },
        }));
    }
    steps.sort_by_key(|step| step.rank);
    let mut renamed = BTreeSet::new();
    for step in &steps {
        if renamed.contains(&step.table.name) {
            return Err(SqlFault::NotCorrectable.at(step.table.place(&step.column.name)));
        }
        if matches!(step.rank, 2 | 4) {
            renamed.insert(&step.table.name);
        }
    }
    Ok(steps)
}

impl<'a> Wish<'a> {
    /// The columns in which copies stand.
    fn copies(&self, layout: &'a Layout) -> Vec<(&'a Laid, &'a CatalogueColumn)> {
        let described = &self.table.described.columns[&self.column.name];
        let copies = described.copies.iter().filter_map(|copy| {
            let table = layout.tables.iter().find(|t| t.name == copy.table)?;
            Some((table, table.table.column(&copy.column)?))
        });
        copies.collect()
    }
}

/// The corrections of collections that are ours; the first that cannot be is refused.
fn wishes<'a>(
    layout: &'a Layout,
    corrections: &'a [Correction],
) -> Result<Vec<Wish<'a>>, PortError> {
    let mut wishes = Vec::new();
    for correction in corrections {
        let Some(table) = layout
            .tables
            .iter()
            .find(|table| table.name == correction.collection)
        else {
            continue; // another source's business
        };
        let described = table.described.columns.get(&correction.field);
        let (Some(described), Some(column)) = (described, table.table.column(&correction.field))
        else {
            // The field's name came from outside: only the table is told.
            return Err(SqlFault::NotCorrectable.at(&table.name));
        };
        let place = || table.place(&column.name);
        if !described.rectify || column.generated {
            return Err(SqlFault::NotCorrectable.at(place()));
        }
        let value = correction.value.expose();
        let well_formed = described.identifiers.iter().any(|kind| is_of(kind, value));
        if !described.identifiers.is_empty() && !well_formed {
            return Err(SqlFault::MalformedIdentifier.at(place()));
        }
        if !takes(column, value, layout.dialect.takes_zones()) {
            return Err(SqlFault::WrongType.at(place()));
        }
        let length = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
        if column.length.is_some_and(|longest| length > longest) {
            return Err(SqlFault::TooLong.at(place()));
        }
        if value.trim().is_empty() {
            return Err(SqlFault::Empty.at(place()));
        }
        wishes.push(Wish {
            table,
            column,
            correction,
            value,
        });
    }
    Ok(wishes)
}

fn is_of(kind: &IdentifierKind, value: &str) -> bool {
    match kind {
        IdentifierKind::Mail => Identifier::mail(value).is_ok(),
        IdentifierKind::Phone => Identifier::phone(value).is_ok(),
        _ => Identifier::account(value).is_ok(),
    }
}

fn takes(column: &CatalogueColumn, value: &str, zones: bool) -> bool {
    match column.class {
        // A number in front of which nothing is lost.
        Class::Int => value.parse::<i64>().is_ok_and(|n| n.to_string() == value),
        Class::Decimal => value.parse::<f64>().is_ok_and(f64::is_finite),
        Class::Bool => matches!(value, "true" | "false"),
        Class::Date => is_date(value),
        Class::Time => is_time(value, zones),
        Class::Bytes => false,
        Class::Text | Class::Other => true,
    }
}

/// A date as 2026-11-28: SQLite takes anything, and what sorts otherwise is found no more.
fn is_date(value: &str) -> bool {
    let date = value.parse::<NaiveDate>();
    date.is_ok_and(|date| date.to_string() == value)
}

/// A date, and a time of day with or without a zone behind it.
fn is_time(value: &str, zones: bool) -> bool {
    let Some((date, time)) = value.split_once([' ', 'T']) else {
        return is_date(value);
    };
    let zoned = ["%H:%M%#z", "%H:%M:%S%.f%#z"];
    let zoned = zoned.map(|form| format!("%Y-%m-%d {form}"));
    let at = format!("{date} {time}");
    let with_zone = zones
        && zoned
            .iter()
            .any(|form| DateTime::parse_from_str(&at, form).is_ok());
    let plain = ["%H:%M", "%H:%M:%S%.f"];
    let plain = plain
        .iter()
        .any(|form| NaiveTime::parse_from_str(time, form).is_ok());
    is_date(date) && (plain || with_zone)
}

impl Found {
    /// What would be corrected, and what stands there now.
    pub(super) async fn plan_corrections(
        &mut self,
        corrections: &[Correction],
    ) -> Result<SourcePlan, PortError> {
        let layout = Arc::clone(&self.layout);
        let (mut lines, mut current) = (Vec::new(), Vec::new());
        let wishes = wishes(&layout, corrections)?;
        steps(&wishes, &layout)?;
        for wish in wishes {
            self.not_taken(&wish).await?;
            let rows = self.count(wish.table, &wish.table.set, None).await?;
            if rows == 0 {
                continue;
            }
            lines.push(PlannedRows {
                collection: wish.table.name.clone(),
                action: PlannedAction::Correct {
                    field: wish.column.name.clone(),
                },
                rows,
            });
            let before = self.current(&wish).await?;
            for (table, column) in wish.copies(&layout) {
                let rows = self.copies(&wish, table, column, &before).await?;
                if rows > 0 {
                    lines.push(PlannedRows {
                        collection: table.name.clone(),
                        action: PlannedAction::Correct {
                            field: column.name.clone(),
                        },
                        rows,
                    });
                }
            }
            for value in before.into_iter().take(MANY) {
                current.push(Correction {
                    value: Personal::new(value),
                    ..wish.correction.clone()
                });
            }
        }
        let mut plan = SourcePlan::new(lines);
        plan.current = current;
        Ok(plan)
    }

    /// The different values of a field in the person's rows.
    async fn current(&mut self, wish: &Wish<'_>) -> Result<Vec<String>, PortError> {
        let dialect = self.layout.dialect;
        let name = format!("t.{}", dialect.quote(&wish.column.name));
        let sql = self.sql(format!(
            "SELECT DISTINCT {} FROM {} AS s {} {} AS t ON {} WHERE {name} IS NOT NULL",
            dialect.fetched(&name, wish.column),
            wish.table.set,
            dialect.join(),
            wish.table.quoted,
            wish.table.key.joins(dialect, "t", "s")
        ));
        let place = wish.table.place(&wish.column.name);
        let rows = self.session.fetch(sql, &place).await?;
        let mut values: Vec<String> = rows
            .iter()
            .filter_map(|row| told(wish.column.class, row.first()?))
            .collect();
        values.sort();
        Ok(values)
    }

    /// Refuses a value that somebody else has, where it may stand once.
    async fn not_taken(&mut self, wish: &Wish<'_>) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let alone = |columns: &Vec<String>| *columns == [wish.column.name.clone()];
        let unique = wish.table.table.unique.iter().any(alone) || alone(&wish.table.table.key);
        if !unique {
            return Ok(());
        }
        let place = wish.table.place(&wish.column.name);
        let mut sql = self.sql(format!(
            "SELECT count(*) FROM {} AS t WHERE t.{} = ",
            wish.table.quoted,
            dialect.quote(&wish.column.name)
        ));
        sql.bind_for(wish.column, wish.value.to_owned());
        sql.push(&format!(
            " AND NOT EXISTS (SELECT 1 FROM {} AS s WHERE {})",
            wish.table.set,
            wish.table.key.joins(dialect, "t", "s")
        ));
        if self.session.count(sql, &place).await? > 0 {
            return Err(SqlFault::NotUnique.at(place));
        }
        // Nor one by which somebody else is found, however it is written there.
        let described = &wish.table.described.columns[&wish.column.name];
        for kind in &described.identifiers {
            let Some(form) = normal(kind, wish.value) else {
                continue;
            };
            let mut sql = self.sql(format!(
                "SELECT count(*) FROM {} AS t WHERE ",
                wish.table.quoted
            ));
            if !self.one_of(&mut sql, wish.column, kind, false, &[&form]) {
                continue;
            }
            sql.push(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS s WHERE {})",
                wish.table.set,
                wish.table.key.joins(dialect, "t", "s")
            ));
            if self.session.count(sql, &place).await? > 0 {
                return Err(SqlFault::NotUnique.at(place));
            }
        }
        Ok(())
    }

    /// Corrects, and counts the rows.
    pub(super) async fn correct(
        &mut self,
        corrections: &[Correction],
    ) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut counts: Vec<RowCount> = Vec::new();
        let mut note = |collection: &str, rows: u64| match counts
            .iter_mut()
            .find(|c| c.collection == collection)
        {
            Some(count) => count.rows = count.rows.max(rows),
            None if rows > 0 => counts.push(RowCount::new(collection, rows)),
            None => {}
        };
        let wishes = wishes(&layout, corrections)?;
        let steps = steps(&wishes, &layout)?;
        let mut before = Vec::new();
        for wish in &wishes {
            self.not_taken(wish).await?;
            let old = self.current(wish).await?;
            // The database may hand the new value on by a key: what it does is counted before.
            for (table, column) in wish.copies(&layout) {
                let rows = self.copies(wish, table, column, &old).await?;
                note(&table.name, rows);
            }
            before.push(old);
        }
        for Step {
            nth, table, column, ..
        } in steps
        {
            let (wish, place) = (&wishes[nth], table.place(&column.name));
            if (&table.name, column) == (&wish.table.name, wish.column) {
                let sql = self.set_value(wish, table, column);
                note(&table.name, self.run(sql, &place).await?);
                if self.keeps_another(wish).await? {
                    return Err(SqlFault::NotReplaced.at(place));
                }
                continue;
            }
            for (left, values) in self.old_values(wish, column, &before[nth]) {
                let mut sql = self.set_value(wish, table, column);
                sql.push(" AND ").one_of(&left, values);
                self.run(sql, &place).await?;
            }
        }
        Ok(counts)
    }

    /// Whether a row has another value than it was given: rounded, or put back by a trigger.
    async fn keeps_another(&mut self, wish: &Wish<'_>) -> Result<bool, PortError> {
        if wish.column.declared.starts_with("float") {
            return Ok(false); // MariaDB compares it with more digits than it has
        }
        let dialect = self.layout.dialect;
        let name = format!("t.{}", dialect.quote(&wish.column.name));
        let mut other = self.sql("");
        let place = other.hold(Param::Text(wish.value.to_owned()));
        let given = dialect.typed(&place, wish.column);
        let same = dialect.same(&name, &given, wish.column.class);
        other.push(&format!("NOT ({same})"));
        let rows = self.count(wish.table, &wish.table.set, Some(other)).await?;
        Ok(rows > 0)
    }

    /// An update of a column in the rows of a set, up to its value, and what follows.
    pub(super) fn set_in(&self, table: &Laid, column: &CatalogueColumn) -> (Sql, String) {
        let dialect = self.layout.dialect;
        let on = table.key.joins(dialect, "t", "s");
        let keys = table.key.under("t");
        let (before, after) = dialect.update(&table.quoted, &table.set, &keys, &on);
        let mut sql = self.sql(before);
        sql.push(&dialect.quote(&column.name)).push(" = ");
        (sql, after)
    }

    /// Writes the wished value into the person's rows of a table.
    fn set_value(&self, wish: &Wish<'_>, table: &Laid, column: &CatalogueColumn) -> Sql {
        let (mut sql, after) = self.set_in(table, column);
        sql.bind_for(column, wish.value.to_owned()).push(&after);
        sql
    }

    /// In how many of the person's rows a copy of the old value stands.
    async fn copies(
        &mut self,
        wish: &Wish<'_>,
        table: &Laid,
        column: &CatalogueColumn,
        before: &[String],
    ) -> Result<u64, PortError> {
        let mut rows = 0;
        for (left, values) in self.old_values(wish, column, before) {
            let mut condition = self.sql("");
            condition.one_of(&left, values);
            rows += self.count(table, &table.set, Some(condition)).await?;
        }
        Ok(rows)
    }

    /// The old values as a copy may hold them, some at a time, and what of the copy is compared.
    fn old_values(
        &self,
        wish: &Wish<'_>,
        column: &CatalogueColumn,
        before: &[String],
    ) -> Vec<(String, Vec<Param>)> {
        let dialect = self.layout.dialect;
        let described = &wish.table.described.columns[&wish.column.name];
        let kind = described.identifiers.first();
        let name = format!("t.{}", dialect.quote(&column.name));
        let left = match kind {
            Some(kind) => dialect.normal(&dialect.text(&name), kind),
            None => dialect.text(&name),
        };
        let spelt = before.iter().flat_map(|value| {
            let normal = kind.and_then(|kind| normal(kind, value));
            match (kind, normal) {
                (Some(IdentifierKind::Mail), Some(mail)) => spellings(&mail),
                (_, normal) => vec![normal.unwrap_or_else(|| value.clone())],
            }
        });
        let spelt: Vec<String> = spelt.collect();
        let some = |spelt: &[String]| {
            let values = spelt.iter().cloned().map(Param::Text);
            (left.clone(), values.collect())
        };
        spelt.chunks(MANY).map(some).collect()
    }
}

/// A stored value in the normal form of its kind.
pub(super) fn normal(kind: &IdentifierKind, value: &str) -> Option<String> {
    let identifier = match kind {
        IdentifierKind::Mail => Identifier::mail(value),
        IdentifierKind::Phone => Identifier::phone(value),
        IdentifierKind::Account => Identifier::account(value),
        IdentifierKind::Device => Identifier::device(value),
        IdentifierKind::Custom(name) => Identifier::custom(name.clone(), value),
        _ => return None,
    };
    let normal = identifier.and_then(|identifier| identifier.normal()).ok()?;
    Some(normal.expose().to_owned())
}

/// A current value in the words of a correction.
fn told(class: Class, scalar: &Scalar) -> Option<String> {
    match (class, scalar) {
        (Class::Bool, Scalar::Int(number)) => Some((*number != 0).to_string()),
        _ => scalar.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_date, is_time};

    #[test]
    fn a_date_or_a_time_is_written_in_one_way() {
        for date in ["2026-11-28", "2024-02-29"] {
            assert!(is_date(date) && is_time(date, false), "{date}");
        }
        for other in ["2026-1-1", "2026-02-30", "28.11.2026", "2026-11-28 ", ""] {
            assert!(!is_date(other) && !is_time(other, true), "{other}");
        }
        for time in [
            "2026-11-28 23:59",
            "2026-11-28T23:59:59",
            "2026-11-28 23:59:59.123456",
            "2026-11-28T23:59:59Z",
            "2026-11-28 23:59:59+01:00",
            "2026-11-28 23:59:59+01",
        ] {
            assert!(is_time(time, true), "{time}");
            let zoned = time.ends_with('Z') || time.contains('+');
            assert_eq!(is_time(time, false), !zoned, "{time}");
        }
        for other in [
            "2026-11-28 25:00",
            "2026-1-1 10:00",
            "10:00",
            "2026-11-28 noon",
        ] {
            assert!(!is_time(other, true), "{other}");
        }
    }
}
