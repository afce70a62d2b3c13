//! Free text that names the person: found and replaced in everybody's rows.

use std::ops::Range;
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Class};
use crate::model::{IdentifierKind, RowCount};
use crate::ports::PortError;

use super::clue::Person;
use super::dialect::{PHONE_MARKS, SET};
use super::escapes::{self, without_places};
use super::found::{Found, go_on};
use super::layout::Laid;
use super::rewrite::Clean;
use super::session::Scalar;
use super::statement::{Param, Sql};

/// What stands where somebody was named.
pub(super) const REMOVED: &str = "[removed]";
/// How many texts are in memory at a time.
const PAGE: usize = 50;
/// Bytes of new values that are written at once, if it is more than one.
const PAGE_BYTES: usize = 1024 * 1024;
/// Fewer digits stand somewhere by chance.
const FEWEST_DIGITS: usize = 7;
/// Fewer characters stand somewhere by chance.
pub(super) const FEWEST: usize = 5;

/// How many rows are replaced of those that are found; all of them are counted, or so many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    None,
    Some(u64),
    All,
}

impl Replace {
    /// What may be replaced yet, after so many.
    const fn less(self, rows: u64) -> Self {
        match self {
            Self::Some(most) => Self::Some(most.saturating_sub(rows)),
            other => other,
        }
    }
}

/// What names a person in a text.
#[derive(Default)]
pub(super) struct Marks {
    /// As they stand there, in whatever case.
    pub(super) words: Vec<String>,
    /// Digits of phone numbers, however they are written.
    pub(super) phones: Vec<String>,
    /// Whether a code counts that is joined to something: enough to be found, not to be replaced.
    pub(super) joined: bool,
}

impl Marks {
    /// All that names a person and nobody else; the longest first, for a name may stand inside
    /// another.
    fn of(person: &Person) -> Self {
        let mails = person.values(&IdentifierKind::Mail);
        let words = person.names().chain(mails);
        let mut words: Vec<String> = words.map(str::to_owned).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let phones = person.values(&IdentifierKind::Phone);
        let phones = phones.into_iter().filter_map(told_digits);
        Self {
            words,
            phones: phones.map(str::to_owned).collect(),
            joined: false,
        }
    }

    const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phones.is_empty()
    }

    /// Writes whether a column may hold any of them: what is found so may be none.
    pub(super) fn may_stand_in(&self, sql: &mut Sql, value: &str, class: Class) {
        let dialect = sql.dialect;
        let text = dialect.as_text(value, class);
        let (searched, as_class) = match class {
            Class::Text | Class::Bytes => (value, class),
            _ => (text.as_str(), Class::Text),
        };
        let mut or = "(";
        for word in &self.words {
            sql.push(std::mem::replace(&mut or, " OR "));
            let held = sql.hold(Param::Text(plain_part(word).to_owned()));
            let holds = dialect.contains(searched, as_class, &held);
            sql.push(&holds);
        }
        let bare = PHONE_MARKS.iter().fold(text.clone(), |text, mark| {
            format!("replace({text}, '{mark}', '')")
        });
        for digits in &self.phones {
            sql.push(std::mem::replace(&mut or, " OR "));
            let held = sql.hold(Param::Text(digits.clone()));
            let holds = dialect.contains(&bare, Class::Text, &held);
            sql.push(&holds);
        }
        sql.push(")");
    }

    /// The text without the person; `None` when it does not name them. A mark counts where it stands
    /// as a word of its own: `anna@…` is no part of `joanna@…`. What JSON escapes is read.
    pub(super) fn taken_out(&self, text: &str) -> Option<String> {
        let cleaned = escapes::cleaned(self, text);
        (cleaned != text).then_some(cleaned)
    }

    /// The same for a text as it is.
    pub(super) fn without(&self, text: &str) -> String {
        self.each().fold(text.to_owned(), |text, mark| {
            without_places(&text, mark.places(&text).into_iter())
        })
    }

    /// One by one.
    pub(super) fn each(&self) -> impl Iterator<Item = Mark<'_>> {
        let phones = self.phones.iter().map(|digits| Mark::Phone(digits));
        let words = self.words.iter().map(|word| match self.joined {
            true => Mark::Joined(word),
            false => Mark::Word(word),
        });
        words.chain(phones)
    }
}

/// One of what names a person.
pub(super) enum Mark<'a> {
    Word(&'a str),
    /// The same, also where something is joined to it.
    Joined(&'a str),
    Phone(&'a str),
}

impl Mark<'_> {
    /// Where it stands in a text.
    pub(super) fn places(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Word(mark) => places_of(text, mark, joins(mark)),
            Self::Joined(mark) if !mark.contains('@') => places_of(text, mark, |_| false),
            Self::Joined(mark) => places_of(text, mark, joins(mark)),
            Self::Phone(digits) => places_of_number(text, digits),
        }
    }
}

/// The digits of a phone number in its normal form, unless they are so few that they stand
/// somewhere by chance.
pub(super) fn told_digits(number: &str) -> Option<&str> {
    let digits = number.trim_start_matches('+');
    (digits.len() >= FEWEST_DIGITS).then_some(digits)
}

/// Whether identifiers of a kind are codes: one word, as it is.
pub(super) const fn is_code(kind: &IdentifierKind) -> bool {
    matches!(
        kind,
        IdentifierKind::Account | IdentifierKind::Device | IdentifierKind::Custom(_)
    )
}

/// Whether a value is more than what stands anywhere by chance: neither one word, nor a number, nor
/// an amount, a time or a date.
pub(super) fn is_told_apart(value: &str) -> bool {
    let any = |of: fn(char) -> bool| value.chars().any(of);
    let letter = any(char::is_alphabetic);
    let digit = any(|c| c.is_ascii_digit());
    let mark = any(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let length = value.chars().count();
    match letter {
        true => length >= FEWEST && (digit || mark),
        false => length >= FEWEST_DIGITS && digit && mark && !is_number_or_date(value),
    }
}

fn is_number_or_date(value: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || c.is_whitespace() || ".,:'+".contains(c);
    let groups = value.split(|c: char| !c.is_ascii_digit()).map(str::len);
    let groups: Vec<usize> = groups.collect();
    value.chars().all(number)
        || value.contains(char::is_whitespace)
        || matches!(
            groups[..],
            [4, 1 | 2] | [1 | 2, 4] | [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 2 | 4]
        )
}

impl Found {
    /// Counts the texts that name the person, outside their own rows that go and those that are
    /// kept; replaces what names them, if asked to.
    pub(super) async fn replace_marks(
        &mut self,
        person: &Person,
        replace: bool,
    ) -> Result<Vec<RowCount>, PortError> {
        let most = if replace { Replace::All } else { Replace::None };
        self.replace_in_all(person, most, |_| true).await
    }

    /// The same in some columns, told by their places, as far as so many rows.
    pub(super) async fn replace_in_all(
        &mut self,
        person: &Person,
        mut replace: Replace,
        which: impl Fn(&str) -> bool,
    ) -> Result<Vec<RowCount>, PortError> {
        let marks = Marks::of(person);
        let mut counts = Vec::new();
        if marks.is_empty() {
            return Ok(counts);
        }
        let layout = Arc::clone(&self.layout);
        for table in &layout.tables {
            for (column, described) in table.columns() {
                let place = table.place(&column.name);
                let frozen = self.frozen.contains_key(&table.name);
                if described.free_text && !frozen && which(&place) {
                    let rows = self.replace_in(table, column, &marks, replace, None);
                    let rows = rows.await?;
                    replace = replace.less(rows);
                    counts.push(RowCount::new(place, rows));
                }
            }
        }
        counts.retain(|count| count.rows > 0);
        Ok(counts)
    }

    /// Counts the texts of one table, or those of its rows that are held, that name the person.
    pub(super) async fn named_in(
        &mut self,
        person: &Person,
        table: &Laid,
        held: bool,
    ) -> Result<Vec<RowCount>, PortError> {
        let marks = Marks::of(person);
        let mut counts = Vec::new();
        if marks.is_empty() {
            return Ok(counts);
        }
        for (column, described) in table.columns() {
            if described.free_text {
                let none = Replace::None;
                let held = self.is_held(table, None).filter(|_| held);
                let rows = self.replace_in(table, column, &marks, none, held).await?;
                if rows > 0 {
                    counts.push(RowCount::new(table.place(&column.name), rows));
                }
            }
        }
        Ok(counts)
    }

    /// The same in one column; in rows `t` that fulfil a condition, or that are not held.
    async fn replace_in(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        marks: &Marks,
        replace: Replace,
        only: Option<String>,
    ) -> Result<u64, PortError> {
        let dialect = self.layout.dialect;
        let place = table.place(&column.name);
        let set = format!("{SET}text");
        self.make_set(table, &set).await?;
        let name = format!("t.{}", dialect.quote(&column.name));
        let (before, _) = dialect.insert_new();
        let mut sql = self.sql(format!(
            "{before} {set} ({}) SELECT {} FROM {} AS t WHERE ",
            table.key.in_set(""),
            table.key.under("t").join(", "),
            table.quoted
        ));
        let readable = dialect.readable(&name, column);
        marks.may_stand_in(&mut sql, &readable, column.class);
        match (only, self.is_held(table, None)) {
            (Some(only), _) => drop(sql.push(" AND ").push(&only)),
            (None, Some(held)) => drop(sql.push(" AND NOT ").push(&held)),
            (None, None) => {}
        }
        if table.is_deleted() {
            let own = table.key.joins(dialect, "t", "o");
            let exists = format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS o WHERE {own})",
                table.set
            );
            sql.push(&exists);
        }
        if self.kept_in.contains(&table.name) {
            let kept = table.key.joins(dialect, "t", "y");
            let exists = format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS y WHERE {kept})",
                table.kept
            );
            sql.push(&exists);
        }
        self.run(sql, &place).await?;
        let clean = |text: &str| Ok(marks.taken_out(text));
        let rows = self
            .replace_found(table, column, &set, &clean, (replace, true))
            .await?;
        self.run(self.sql(dialect.drop_set(&set)), &place).await?;
        Ok(rows)
    }

    /// Replaces texts of a numbered set, row by row; answers how many there are to replace. `readable`
    /// says that what is not UTF-8 stays.
    pub(super) async fn replace_found(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        set: &str,
        clean: &Clean<'_>,
        (replace, readable): (Replace, bool),
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
                dialect.fetched(&format!("t.{name}"), column),
                dialect.join(),
                table.quoted
            ));
            let page = self.session.fetch(page, &place).await?;
            let Some(Scalar::Int(end)) = page.last().and_then(|row| row.first()).cloned() else {
                return Ok(rows);
            };
            last = end;
            let (mut changed, mut bytes) = (Vec::new(), 0);
            for row in &page {
                let [Scalar::Int(number_here), cell] = row.as_slice() else {
                    continue;
                };
                let cleaned = match cell {
                    // Bytes that nobody can read are not written anew.
                    Scalar::Text(text)
                        if readable
                            && text.contains(char::REPLACEMENT_CHARACTER)
                            && !self.is_utf8(table, column, set, *number_here).await? =>
                    {
                        None
                    }
                    Scalar::Text(text) => clean(text)?.map(Param::Text),
                    Scalar::Bytes(bytes) => match std::str::from_utf8(bytes) {
                        Ok(text) => clean(text)?.map(|text| Param::Bytes(text.into_bytes())),
                        Err(_) => None,
                    },
                    Scalar::Int(number) => clean(&number.to_string())?.map(Param::Text),
                    _ => None,
                };
                let Some(cleaned) = cleaned else { continue };
                if replace == Replace::Some(rows) {
                    break;
                }
                rows += 1;
                if replace == Replace::None {
                    continue;
                }
                bytes += match &cleaned {
                    Param::Text(text) => text.len(),
                    Param::Bytes(bytes) => bytes.len(),
                    Param::Int(_) => 0,
                };
                changed.push((*number_here, cleaned));
                if bytes > PAGE_BYTES {
                    let changed = std::mem::take(&mut changed);
                    self.write_values(table, column, set, changed).await?;
                    bytes = 0;
                }
            }
            if !changed.is_empty() {
                self.write_values(table, column, set, changed).await?;
            }
            if replace == Replace::Some(rows) {
                return Ok(rows);
            }
        }
    }

    /// Gives rows of a numbered set a value each, in one round.
    async fn write_values(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        set: &str,
        values: Vec<(i64, Param)>,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let number = dialect.number();
        // Of the set, those rows alone. Numbers are bound, so that the text is prepared once.
        let mut some = self.sql(format!(
            "(SELECT {number} AS nth, r.* FROM {set} AS r WHERE "
        ));
        some.one_of(number, values.iter().map(|(nth, _)| Param::Int(*nth)));
        some.push(")");
        let on = table.key.joins(dialect, "t", "s");
        let (before, after) = dialect.update_each(&table.quoted, &some.text, &on);
        let mut sql = Sql {
            text: before,
            ..some
        };
        let name = dialect.quote(&column.name);
        sql.push(&name).push(" = CASE s.nth");
        for (nth, value) in values {
            sql.push(" WHEN ").bind(Param::Int(nth)).push(" THEN ");
            match value {
                // As it is, where a column of numbers holds a text.
                Param::Text(text) if !dialect.numbers_may_be_texts() => sql.bind_for(column, text),
                other => sql.bind(other),
            };
        }
        sql.push(" END").push(&after);
        self.run(sql, &table.place(&column.name)).await.map(drop)
    }

    /// Whether a text in a row of a numbered set is what it was read as.
    async fn is_utf8(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        set: &str,
        number: i64,
    ) -> Result<bool, PortError> {
        let dialect = self.layout.dialect;
        if dialect.texts_are_utf8() {
            return Ok(true);
        }
        let mut sql = self.sql(format!(
            "SELECT CAST(t.{} AS BLOB) FROM {set} AS s {} {} AS t ON {} WHERE s.{} = ",
            dialect.quote(&column.name),
            dialect.join(),
            table.quoted,
            table.key.joins(dialect, "t", "s"),
            dialect.number()
        ));
        sql.bind(Param::Int(number));
        let rows = self.session.fetch(sql, &table.place(&column.name)).await?;
        let readable = |row: &Vec<Scalar>| match row.first() {
            Some(Scalar::Bytes(bytes)) => std::str::from_utf8(bytes).is_ok(),
            _ => true,
        };
        Ok(rows.iter().all(readable))
    }
}

/// The longest part of a mark whose case every database can fold, and that no writer of JSON
/// escapes. What holds the mark holds its part; what holds only the part is sorted out afterwards.
fn plain_part(mark: &str) -> &str {
    let parts = mark.split(|c: char| !c.is_ascii_alphanumeric() && c != ' ');
    parts.max_by_key(|part| part.len()).unwrap_or(mark)
}

/// What joins a part to a mark, so that both are another word: `anna@…` is no part of `jo.anna@…`, nor
/// `AB-17` of `AB-17-2`, nor `anna_k` of `anna_k@…`. Beside a name stands what will.
fn joins(mark: &str) -> fn(char) -> bool {
    let name = mark.chars().all(char::is_alphabetic) || mark.contains(char::is_whitespace);
    match name {
        true => |_| false,
        false if mark.contains(['.', '@']) => |c| matches!(c, '.' | '-' | '_' | '+' | '@'),
        false => |c| matches!(c, '-' | '_' | '+' | '@'),
    }
}

fn places_of(text: &str, mark: &str, joins: fn(char) -> bool) -> Vec<Range<usize>> {
    let alnum = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let belongs =
        |before: Option<char>, last: char| last.is_alphanumeric() || joins(last) && alnum(before);
    let here = |rest: &str| {
        let length = begins_with(rest, mark)?;
        let mut after = rest[length..].chars();
        let goes_on = match after.next() {
            Some(c) if joins(c) => alnum(after.next()),
            next => alnum(next),
        };
        (!goes_on).then_some(length)
    };
    places(text, belongs, here)
}

/// Where a phone number stands: the digits alone, or after a plus or two zeros, with marks between
/// them, and no further digit beside them.
fn places_of_number(text: &str, digits: &str) -> Vec<Range<usize>> {
    let part_of_number = |_, c: char| c.is_ascii_digit() || c == '+';
    places(text, part_of_number, |rest| {
        begins_with_number(rest, digits)
    })
}

/// Where something stands in a text, unless the two characters before it belong to it.
fn places(
    text: &str,
    belongs: impl Fn(Option<char>, char) -> bool,
    here: impl Fn(&str) -> Option<usize>,
) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let (mut place, mut before, mut last) = (0, None, None);
    while let Some(first) = text[place..].chars().next() {
        match here(&text[place..]) {
            Some(length) if !last.is_some_and(|last| belongs(before, last)) => {
                places.push(place..place + length);
                place += length;
                (before, last) = (None, None);
            }
            _ => {
                place += first.len_utf8();
                (before, last) = (last, Some(first));
            }
        }
    }
    places
}

/// How many bytes of a text are the number.
fn begins_with_number(text: &str, digits: &str) -> Option<usize> {
    let after_plus = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
    let whole = |rest: &str| {
        let mut wanted = digits.chars().peekable();
        let mut here = rest.char_indices();
        while let Some(digit) = wanted.peek() {
            let (place, c) = here.next()?;
            if c == *digit {
                wanted.next();
            } else if place == 0 || !PHONE_MARKS.iter().any(|mark| mark.starts_with(c)) {
                return None;
            }
        }
        let (place, next) = here.next().unwrap_or((rest.len(), ' '));
        (!next.is_ascii_digit()).then_some(text.len() - rest.len() + place)
    };
    whole(text).or_else(|| after_plus.and_then(whole))
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
    use super::{Marks, is_told_apart};

    fn marks(words: &[&str], phones: &[&str]) -> Marks {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Marks {
            words: owned(words),
            phones: owned(phones),
            joined: false,
        }
    }

    #[test]
    fn a_person_is_taken_out_of_a_text_and_nobody_else() {
        let marks = marks(&["anna@example.org", "Anna Šustr", "+33 1"], &[]);
        let cases = [
            ("From: ANNA@example.org.", Some("From: [removed].")),
            ("<anna@example.org>", Some("<[removed]>")),
            ("joanna@example.org", None),
            ("anna@example.organic", None),
            ("anna@example.org.uk", None),
            ("anna@example.org-", Some("[removed]-")),
            ("dear anna šustr, hello", Some("dear [removed], hello")),
            ("Call +33 1!", Some("Call [removed]!")),
            ("Call +33 12", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(marks.taken_out(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_code_is_found_as_a_whole() {
        let marks = marks(&["AB-1702", "c0ffee"], &[]);
        for (text, expected) in [
            ("account ab-1702, closed", Some("account [removed], closed")),
            ("AB-1702.", Some("[removed].")),
            ("AB-1702-3 and AB-1702_3", None),
            ("XAB-1702, X-AB-1702", None),
            ("ab-1702@example.org, x@AB-1702", None),
            (
                "AB-1702.pdf; - -AB-1702-",
                Some("[removed].pdf; - -[removed]-"),
            ),
            ("_c0ffee_", Some("_[removed]_")),
            ("AB-17021", None),
            ("cookie=C0FFEE; c0ffee1", Some("cookie=[removed]; c0ffee1")),
        ] {
            assert_eq!(marks.taken_out(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_may_be_anything_is_told_from_what_is_the_persons_alone() {
        for value in [
            "AB-17",
            "anna.s",
            "an42x",
            "a@b.c",
            "123-45-6789",
            "010190-1234",
        ] {
            assert!(is_told_apart(value), "{value}");
        }
        for value in [
            "",
            "martin",
            "10234567890123",
            "12.50",
            "1,000,000.00",
            "2026-11-28",
            "28.11.2026",
            "2026-11-28 10:15",
            "10:15:00",
            "A-1",
            "Lea Martin",
            "été",
        ] {
            assert!(!is_told_apart(value), "{value}");
        }
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        let marks = marks(&[], &["33123456789"]);
        for (text, expected) in [
            ("33123456789", Some("[removed]")),
            ("+33 1 23 45 67 89", Some("[removed]")),
            ("call 0033 (1) 23.45-67/89!", Some("call [removed]!")),
            ("+33\u{a0}123456789, ", Some("[removed], ")),
            ("7 33123456789 ", Some("7 [removed] ")),
            ("133123456789", None),
            ("+331234567890", None),
            ("01 23 45 67 89", None),
            ("+", None),
            ("00", None),
            ("", None),
        ] {
            assert_eq!(marks.taken_out(text).as_deref(), expected, "{text}");
        }
    }
}
