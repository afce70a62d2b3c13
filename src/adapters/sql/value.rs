//! The search by value: what identifies the person, looked for wherever text can stand, in every
//! table that the catalogue shows, described or not. The database finds where it may stand; whether
//! it does is decided here, cell by cell, as rows stream by.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::datamap::{Catalogue, CatalogueColumn};
use crate::model::{IdentifierKind, RowCount};
use crate::ports::{CallContext, Locator, PortError, Residue};

use super::again::persistently;
use super::clue::Person;
use super::found::{Found, go_on};
use super::layout::Laid;
use super::session::{Purpose, Scalar};
use super::source::SqlSource;
use super::text::{FEWEST, Marks, is_code, is_told_apart, told_digits};

/// Columns that are looked through by one statement.
const TOGETHER: usize = 50;
/// Bytes of a cell up to which it is fetched and looked at as words. What is longer counts where
/// the database finds the value in it at all.
const WHOLE: u64 = 64 * 1024;

/// What a search by value found: places and counts, no value.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct FoundByValue {
    /// In how many rows, by `table.column`.
    pub rows: Vec<RowCount>,
    /// Through how many tables it went.
    pub tables: usize,
    /// Kinds of identifiers that were looked for. Names were too, where a map gives them, nobody
    /// else has them, and they are more than one word.
    pub looked_for: Vec<IdentifierKind>,
    /// Kinds of which no identifier could be told from chance: a word, a number, an amount, a time or a
    /// date as an account, an address with a time, less than 5 characters, a phone number of less than
    /// 7 digits.
    pub not_looked_for: Vec<IdentifierKind>,
}

impl FoundByValue {
    /// Whether anything was looked for at all.
    pub fn was_made(&self) -> bool {
        !self.looked_for.is_empty()
    }
}

/// What is looked for.
struct Needles {
    marks: Marks,
    looked_for: Vec<IdentifierKind>,
    not_looked_for: Vec<IdentifierKind>,
}

impl Needles {
    fn of(person: &Person) -> Self {
        let mut needles = Self {
            marks: Marks {
                joined: true,
                ..Marks::default()
            },
            looked_for: Vec::new(),
            not_looked_for: Vec::new(),
        };
        let mut missed = Vec::new();
        for (kind, value) in person.identifiers() {
            let usable = match kind {
                kind if *kind == IdentifierKind::Mail || is_code(kind) => {
                    let told = is_told_apart(value);
                    needles.marks.words.extend(told.then(|| value.to_owned()));
                    told
                }
                IdentifierKind::Phone => {
                    let digits = told_digits(value);
                    needles.marks.phones.extend(digits.map(str::to_owned));
                    digits.is_some()
                }
                _ => false,
            };
            let list = match usable {
                true => &mut needles.looked_for,
                false => &mut missed,
            };
            if !list.contains(kind) {
                list.push(kind.clone());
            }
        }
        let names = person.names();
        let names = names.filter(|name| name.chars().count() >= FEWEST && name.contains(' '));
        let names = names.filter(|name| name.contains(char::is_alphabetic));
        needles.marks.words.extend(names.map(str::to_owned));
        needles.marks.words.sort_unstable();
        needles.marks.words.dedup();
        needles.not_looked_for = missed;
        needles
    }

    /// Whether any of them stands in a text. Where it may be JSON, what is escaped is read.
    fn stand_in(&self, text: &str) -> bool {
        self.marks.taken_out(text).is_some()
    }
}

impl Found {
    /// In how many rows, by table and column, what identifies the person stands. Rows that are kept
    /// are left out, where that was asked for before.
    pub(super) async fn by_values(
        &mut self,
        person: &Person,
        catalogue: &Catalogue,
    ) -> Result<FoundByValue, PortError> {
        let needles = Needles::of(person);
        let mut found = FoundByValue::default();
        if !needles.looked_for.is_empty() {
            let layout = std::sync::Arc::clone(&self.layout);
            for (name, table) in &catalogue.tables {
                let laid = layout.tables.iter().find(|laid| laid.name == *name);
                let columns: Vec<&CatalogueColumn> = table
                    .columns
                    .iter()
                    .filter(|column| self.is_searched(laid, column))
                    .collect();
                for columns in columns.chunks(TOGETHER) {
                    let rows = self.in_table(name, laid, columns, &needles).await?;
                    found.rows.extend(rows);
                }
                found.tables += 1;
            }
        }
        found.looked_for = needles.looked_for;
        found.not_looked_for = needles.not_looked_for;
        Ok(found)
    }

    /// In how many texts of the map these identifiers stand, by column. Nothing is locked.
    pub(super) async fn named_by(&mut self, person: &Person) -> Result<Vec<RowCount>, PortError> {
        let mut needles = Needles::of(person);
        needles.marks.joined = false;
        let mut found = Vec::new();
        if needles.looked_for.is_empty() {
            return Ok(found);
        }
        let layout = std::sync::Arc::clone(&self.layout);
        for table in &layout.tables {
            let texts = table.columns().filter(|(_, described)| described.free_text);
            let texts: Vec<&CatalogueColumn> = texts.map(|(column, _)| column).collect();
            for texts in texts.chunks(TOGETHER) {
                let rows = self.in_table(&table.name, Some(table), texts, &needles);
                found.extend(rows.await?);
            }
        }
        Ok(found)
    }

    /// Whether text can stand there, and nothing is told of it otherwise.
    fn is_searched(&self, laid: Option<&Laid>, column: &CatalogueColumn) -> bool {
        // What names the person in a text under a hold is told as withheld.
        let held = laid.is_some_and(|laid| {
            let described = laid.described.columns.get(&column.name);
            self.frozen.contains_key(&laid.name) && described.is_some_and(|d| d.free_text)
        });
        self.layout.dialect.holds_text(column) && !held
    }

    async fn in_table(
        &mut self,
        name: &str,
        laid: Option<&Laid>,
        columns: &[&CatalogueColumn],
        needles: &Needles,
    ) -> Result<Vec<RowCount>, PortError> {
        let dialect = self.layout.dialect;
        let mut sql = self.sql("SELECT * FROM (SELECT ");
        for (n, column) in columns.iter().enumerate() {
            let value = format!("t.{}", dialect.quote(&column.name));
            sql.push(if n > 0 { ", " } else { "" });
            sql.push("CASE WHEN ");
            let readable = dialect.readable(&value, column);
            needles
                .marks
                .may_stand_in(&mut sql, &readable, column.class);
            sql.push(&format!(
                " THEN CASE WHEN {} <= {WHOLE} THEN {} ELSE '' END END AS v{n}",
                dialect.bytes(&value, column.class),
                dialect.fetched(&value, column),
            ));
        }
        sql.push(&format!(" FROM {} AS t", dialect.quote(name)));
        sql.push(" WHERE 1 = 1");
        if let Some(laid) = laid.filter(|laid| self.kept_in.contains(&laid.name)) {
            let kept = laid.key.joins(dialect, "t", "y");
            sql.push(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS y WHERE {kept})",
                laid.kept
            ));
        }
        if let Some(held) = laid.and_then(|laid| self.is_held(laid, None)) {
            sql.push(" AND NOT ").push(&held);
        }
        let any: Vec<String> = (0..columns.len())
            .map(|n| format!("v{n} IS NOT NULL"))
            .collect();
        sql.push(&format!(") AS x WHERE {}", any.join(" OR ")));
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        let cancel = self.cancel.clone();
        let look = |row: Vec<Scalar>| {
            for (n, cell) in row.iter().enumerate() {
                let stands = match cell {
                    Scalar::Null => false,
                    Scalar::Bytes(bytes) if bytes.is_empty() => true,
                    Scalar::Bytes(bytes) => needles.stand_in(&String::from_utf8_lossy(bytes)),
                    Scalar::Text(text) => text.is_empty() || needles.stand_in(text),
                    other => other.text().is_some_and(|text| needles.stand_in(&text)),
                };
                *counts.entry(n).or_default() += u64::from(stands);
            }
            go_on(&cancel)
        };
        go_on(&self.cancel)?;
        self.session.each(sql, name, look).await?;
        let count = |(n, rows): (usize, u64)| {
            let place = format!("{name}.{}", columns.get(n)?.name);
            (rows > 0).then(|| RowCount::new(place, rows))
        };
        Ok(counts.into_iter().filter_map(count).collect())
    }
}

impl SqlSource {
    /// Looks for what identifies the person by value, as the database is now: through every column
    /// of every table that can hold text, described, exempted or neither. Rows that must be kept are
    /// left out. It reads all of these tables.
    ///
    /// # Errors
    /// Those of the database: `not_permitted`, with the table, where one may not be read.
    pub async fn search_by_value(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<FoundByValue, PortError> {
        let person = Person::of(locators);
        let mut found = self.begin(context, Purpose::Read).await?;
        found.find_held(&person).await?;
        found.make_sets().await?;
        found.fill(&person).await?;
        found.find_others(&person).await?;
        found.keep(&person, self.today(), None).await?;
        self.end_search(found, &person).await
    }

    /// Erases the person, looks by value for what that left, and takes it all back: what no path of
    /// the map reaches is told before anything is lost. It locks what an erasure locks.
    ///
    /// # Errors
    /// As [`SqlSource::search_by_value`], and those of an erasure.
    pub async fn foresee_by_value(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<FoundByValue, PortError> {
        let person = Person::of(locators);
        persistently!(self.foresee(context, &person).await)
    }

    async fn foresee(
        &self,
        context: &CallContext,
        person: &Person,
    ) -> Result<FoundByValue, PortError> {
        let mut found = self.begin(context, Purpose::Write).await?;
        self.perform(&mut found, context, person, false, false)
            .await?;
        self.end_search(found, person).await
    }

    async fn end_search(
        &self,
        mut found: Found,
        person: &Person,
    ) -> Result<FoundByValue, PortError> {
        let searched = self.search_all(&mut found, person).await?;
        found.take_back().await?;
        Ok(searched)
    }

    /// Looks through what the catalogue shows now, not when the source was opened.
    async fn search_all(
        &self,
        found: &mut Found,
        person: &Person,
    ) -> Result<FoundByValue, PortError> {
        let dialect = self.pool.dialect();
        let catalogue = super::schema::catalogue(dialect, &mut found.session).await?;
        found.by_values(person, &catalogue).await
    }

    /// What is left by path, and by value where that was asked for and could be done.
    pub(super) async fn residue_of(
        &self,
        found: &mut Found,
        person: &Person,
        mut left: Vec<RowCount>,
    ) -> Result<Residue, PortError> {
        if !self.options.by_value {
            return Ok(left.into());
        }
        let values = self.search_all(found, person).await?;
        let told = |count: &RowCount| left.iter().any(|left| left.collection == count.collection);
        let more: Vec<RowCount> = values.rows.iter().filter(|c| !told(c)).cloned().collect();
        left.extend(more);
        Ok(match values.was_made() {
            true => Residue::by_value(left),
            false => left.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Marks;
    use super::Needles;

    #[test]
    fn what_json_escapes_is_read() {
        let words = ["Małgorzata Wójcik", "a/b@example.org"];
        let needles = Needles {
            marks: Marks {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                phones: Vec::new(),
                joined: true,
            },
            looked_for: Vec::new(),
            not_looked_for: Vec::new(),
        };
        for (text, expected) in [
            (r#"{"who":"Ma\u0142gorzata W\u00f3jcik"}"#, true),
            (r#"{"mail":"A\/b@example.org"}"#, true),
            (r#""{\"mail\":\"a\\\/b@example.org\"}""#, true),
            (r#"{"mail":"ba\/b@example.org"}"#, false),
            ("Małgorzata Wójcikowa", false),
            (r"\", false),
            (r"\u12", false),
            (r"\ud800\u0041", false),
        ] {
            assert_eq!(needles.stand_in(text), expected, "{text}");
        }
    }
}
