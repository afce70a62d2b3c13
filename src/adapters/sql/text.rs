//! Free text that names the person: found and replaced in everybody's rows.

use std::sync::Arc;

use crate::datamap::CatalogueColumn;
use crate::model::RowCount;
use crate::ports::PortError;

use super::clue::Person;
use super::dialect::SET;
use super::found::{Found, go_on};
use super::layout::Laid;
use super::rewrite::Clean;
use super::session::Scalar;
use super::statement::Param;

/// What stands where somebody was named.
const REMOVED: &str = "[removed]";
/// How many texts are in memory at a time.
const PAGE: usize = 50;

impl Found {
    /// Counts the texts that name the person, outside their own rows that go and those that are
    /// kept; replaces what names them, if asked to.
    pub(super) async fn replace_marks(
        &mut self,
        person: &Person,
        replace: bool,
    ) -> Result<Vec<RowCount>, PortError> {
        let marks = person.marks();
        let mut counts = Vec::new();
        if marks.is_empty() {
            return Ok(counts);
        }
        let layout = Arc::clone(&self.layout);
        for table in &layout.tables {
            for (column, described) in table.columns() {
                if described.free_text && !self.frozen.contains_key(&table.name) {
                    let rows = self.replace_in(table, column, &marks, replace).await?;
                    counts.push(RowCount::new(table.place(&column.name), rows));
                }
            }
        }
        counts.retain(|count| count.rows > 0);
        Ok(counts)
    }

    /// Counts the texts of one table that name the person.
    pub(super) async fn named_in(
        &mut self,
        person: &Person,
        table: &Laid,
    ) -> Result<Vec<RowCount>, PortError> {
        let marks = person.marks();
        let mut counts = Vec::new();
        if marks.is_empty() {
            return Ok(counts);
        }
        for (column, described) in table.columns() {
            if described.free_text {
                let rows = self.replace_in(table, column, &marks, false).await?;
                counts.push(RowCount::new(table.place(&column.name), rows));
            }
        }
        Ok(counts)
    }

    async fn replace_in(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        marks: &[&str],
        replace: bool,
    ) -> Result<u64, PortError> {
        let dialect = self.layout.dialect;
        let place = table.place(&column.name);
        let set = format!("{SET}text");
        self.make_set(table, &set).await?;
        let name = format!("t.{}", dialect.quote(&column.name));
        let (before, _) = dialect.insert_new();
        let mut sql = self.sql(format!(
            "{before} {set} ({}) SELECT {} FROM {} AS t WHERE (",
            table.key.in_set(""),
            table.key.under("t").join(", "),
            table.quoted
        ));
        for (n, mark) in marks.iter().enumerate() {
            sql.push(if n > 0 { " OR " } else { "" });
            let held = sql.hold(Param::Text(ascii_part(mark).to_owned()));
            let contains = dialect.contains(&name, column.class, &held);
            sql.push(&contains);
        }
        sql.push(")");
        if table.is_deleted() {
            let own = table.key.joins(dialect, "t", "o");
            let exists = format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS o WHERE {own})",
                table.set
            );
            sql.push(&exists);
        }
        if table.owned && self.keeping {
            let kept = table.key.joins(dialect, "t", "y");
            let exists = format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS y WHERE {kept})",
                table.kept
            );
            sql.push(&exists);
        }
        self.run(sql, &place).await?;
        let clean = |text: &str| Ok(without(text, marks));
        let rows = self
            .replace_found(table, column, &set, &clean, replace)
            .await?;
        self.run(self.sql(dialect.drop_set(&set)), &place).await?;
        Ok(rows)
    }

    /// Replaces texts of a numbered set, row by row; answers how many there are to replace.
    pub(super) async fn replace_found(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        set: &str,
        clean: &Clean<'_>,
        replace: bool,
    ) -> Result<u64, PortError> {
        let dialect = self.layout.dialect;
        let place = table.place(&column.name);
        let name = dialect.quote(&column.name);
        let number = dialect.number();
        let on = table.key.joins(dialect, "t", "s");
        let (mut last, mut rows) = (0, 0);
        loop {
            go_on(&self.cancel)?;
            let page = self.sql(format!(
                "SELECT s.{number}, {} FROM {set} AS s {} {} AS t ON {on} WHERE s.{number} > \
                 {last} ORDER BY s.{number} LIMIT {PAGE}",
                dialect.fetched(&format!("t.{name}"), column.class),
                dialect.join(),
                table.quoted
            ));
            let page = self.session.fetch(page, &place).await?;
            let Some(Scalar::Int(end)) = page.last().and_then(|row| row.first()).cloned() else {
                return Ok(rows);
            };
            last = end;
            for row in &page {
                let [Scalar::Int(number_here), cell] = row.as_slice() else {
                    continue;
                };
                let cleaned = match cell {
                    Scalar::Text(text) => clean(text)?.map(Param::Text),
                    Scalar::Bytes(bytes) => match std::str::from_utf8(bytes) {
                        Ok(text) => clean(text)?.map(|text| Param::Bytes(text.into_bytes())),
                        Err(_) => None,
                    },
                    Scalar::Int(number) => clean(&number.to_string())?.map(Param::Text),
                    _ => None,
                };
                let Some(cleaned) = cleaned else { continue };
                rows += 1;
                if replace {
                    let keys = table.key.under("t");
                    let (before, after) = dialect.update(&table.quoted, set, &keys, &on);
                    let mut sql = self.sql(before);
                    sql.push(&name).push(" = ");
                    match cleaned {
                        Param::Text(text) => sql.bind_for(column, text),
                        other => sql.bind(other),
                    };
                    let names = table.key.in_set("n.");
                    let keys = table.key.under("t").join(", ");
                    sql.push(&after).push(&format!(
                        " AND ({keys}) IN (SELECT {names} FROM {set} AS n WHERE n.{number} = \
                         {number_here})"
                    ));
                    self.run(sql, &place).await?;
                }
            }
        }
    }
}

/// The longest part of a mark whose case every database can fold. What holds the mark holds its
/// part; what holds only the part is sorted out afterwards.
fn ascii_part(mark: &str) -> &str {
    let parts = mark.split(|c: char| !c.is_ascii());
    parts.max_by_key(|part| part.len()).unwrap_or(mark)
}

/// The text without the person; `None` when it does not name them. A mark counts where it stands
/// as a word of its own: `anna@…` is no part of `joanna@…`.
fn without(text: &str, marks: &[&str]) -> Option<String> {
    let cleaned = marks
        .iter()
        .fold(text.to_owned(), |text, mark| without_one(&text, mark));
    (cleaned != text).then_some(cleaned)
}

fn without_one(text: &str, mark: &str) -> String {
    let address = mark.contains('@');
    let part_of_word =
        |c: char| c.is_alphanumeric() || address && matches!(c, '_' | '-' | '+' | '.');
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = cleaned.chars().next_back();
        if !before.is_some_and(part_of_word)
            && let Some(length) = begins_with(rest, mark)
            && !rest[length..]
                .chars()
                .next()
                .is_some_and(char::is_alphanumeric)
        {
            cleaned.push_str(REMOVED);
            rest = &rest[length..];
        } else {
            cleaned.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    cleaned
}

/// How many bytes of a text are the mark, in whatever case.
fn begins_with(text: &str, mark: &str) -> Option<usize> {
    let mut here = text.char_indices();
    for wanted in mark.chars() {
        let (_, c) = here.next()?;
        if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(here.next().map_or(text.len(), |(place, _)| place))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_person_is_taken_out_of_a_text_and_nobody_else() {
        let marks = ["anna@example.org", "Anna Šustr", "+33 1"];
        let cases = [
            ("From: ANNA@example.org.", Some("From: [removed].")),
            ("<anna@example.org>", Some("<[removed]>")),
            ("joanna@example.org", None),
            ("anna@example.organic", None),
            ("dear anna šustr, hello", Some("dear [removed], hello")),
            ("Call +33 1!", Some("Call [removed]!")),
            ("Call +33 12", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(without(text, &marks).as_deref(), expected, "{text}");
        }
    }
}
