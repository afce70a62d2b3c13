//! What differs between the databases, and one way to say it for each.

use std::collections::BTreeSet;

use crate::datamap::{Catalogue, CatalogueColumn, CatalogueTable, Class, Generalise};
use crate::model::IdentifierKind;
use crate::ports::PortError;

use super::json::Part;
use super::layout::Key;
use super::session::Session;

/// How one database says things. Expressions come in as SQL, quoted and bound already.
#[async_trait::async_trait]
pub(super) trait Dialect: Send + Sync {
    /// A name, quoted.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
    /// What stands for the nth value, from 1.
    fn placeholder(&self, nth: usize) -> String;
    /// A bound text as a value of a column's type.
    fn typed(&self, place: &str, column: &CatalogueColumn) -> String;
    /// True or false, for a column that holds it as a number or as such.
    fn boolean(&self, value: bool, column: &CatalogueColumn) -> &'static str;
    /// A value as text.
    fn text(&self, expression: &str) -> String;
    /// A value as text can be compared with it, and looked into.
    fn readable(&self, expression: &str, _: &CatalogueColumn) -> String {
        expression.to_owned()
    }
    /// A part of a key as text, from which it can be bound again.
    fn key_text(&self, expression: &str, class: Class) -> String {
        match class {
            Class::Bytes => format!("hex({expression})"),
            _ => self.text(expression),
        }
    }
    /// A value as it is fetched.
    fn fetched(&self, expression: &str, column: &CatalogueColumn) -> String {
        match column.class {
            Class::Bytes => expression.to_owned(),
            _ => self.text(expression),
        }
    }
    /// Equal, or both NULL; texts are compared byte by byte.
    fn same(&self, one: &str, other: &str, class: Class) -> String;
    /// A text that is equal only to the same bytes, where the column's own rules may call others equal.
    fn exactly(&self, _name: &str, _column: &CatalogueColumn) -> Option<String> {
        None
    }
    /// A column equals the one that its link leads to, in what that one calls equal.
    fn linked(&self, column: Side<'_>, key: Side<'_>) -> String;
    /// A truth value that a column of that class may hold as another one.
    fn truth(&self, expression: &str, _: &CatalogueColumn) -> String {
        expression.to_owned()
    }
    /// Whether a value is a JSON document, where a column may hold others.
    fn is_document(&self, _expression: &str) -> Option<String> {
        None
    }
    /// A column's value in the normal form of identifiers of this kind.
    fn normal(&self, expression: &str, kind: &IdentifierKind) -> String {
        normal_form(expression, kind)
    }
    /// What names a row of a table without a key, where the database has something; nothing, where a
    /// column of the table hides it.
    fn row_names(&self, _table: &CatalogueTable) -> &'static [&'static str] {
        &[]
    }
    /// Whether these names change with each write to the row.
    fn renames_rows(&self) -> bool {
        false
    }
    /// Whether texts are UTF-8, whoever wrote them.
    fn texts_are_utf8(&self) -> bool {
        true
    }
    /// Makes a temporary table for keys of the rows of `from`, whose parts are called `k0`, `k1`, …;
    /// `numbered` says that its rows have a number.
    fn create_set(&self, set: &str, key: &Key, from: &str, numbered: bool) -> Vec<String>;
    /// Makes a temporary table like a set, with a text `why` beside each key, and repetitions.
    fn create_kept(&self, set: &str, key: &Key, from: &str) -> Vec<String>;
    /// A value by which rows without a key are told apart: what the column's own rules call equal
    /// may differ.
    fn told_apart(&self, expression: &str, _: Class) -> String {
        expression.to_owned()
    }
    /// Whether a statement may name a temporary table twice.
    fn reads_sets_twice(&self) -> bool {
        true
    }
    /// Looks at how large a set is, where the database does not by itself.
    fn look_at(&self, _set: &str) -> Option<String> {
        None
    }
    /// Removes a temporary table that may not be there.
    fn drop_set(&self, set: &str) -> String;
    /// How long temporary tables stay.
    fn sets_stay(&self) -> Stay {
        Stay::Always
    }
    /// What of a set can stand inside a statement.
    fn sets_inside(&self) -> Inside {
        Inside::Nothing
    }
    /// Whether it may be refused to somebody to write.
    fn has_rights(&self) -> bool {
        true
    }
    /// The column by which a set is numbered.
    fn number(&self) -> &'static str;
    /// Before and after an `INSERT … SELECT` that leaves out what is there already.
    fn insert_new(&self) -> (&'static str, &'static str);
    /// After an `INSERT … SELECT` into a set: leaves out the keys that stand in it already.
    fn unless_known(&self, _set: &str, _key: &Key) -> String {
        self.insert_new().1.to_owned()
    }
    /// Joins a table to those that were named before it: sets are small, and go first.
    fn join(&self) -> &'static str {
        "JOIN"
    }
    /// How a write begins that must be refused, where it would leave two values alike.
    fn update_word(&self) -> &'static str {
        "UPDATE"
    }
    /// Deletes the rows of `table` (as `t`) that stand in `set` (as `s`), where `on` joins them.
    fn delete(&self, table: &str, set: &str, keys: &[String], _on: &str) -> String {
        let condition = in_set(set, keys);
        format!("DELETE FROM {table} AS t WHERE {condition}")
    }
    /// The same for an update: before and after the assignments.
    fn update(&self, table: &str, set: &str, keys: &[String], _on: &str) -> (String, String) {
        let condition = in_set(set, keys);
        (
            format!("{} {table} AS t SET ", self.update_word()),
            format!(" WHERE {condition}"),
        )
    }
    /// The same where each row takes a value that the set `s` tells.
    fn update_each(&self, table: &str, set: &str, on: &str) -> (String, String) {
        (
            format!("{} {table} AS t SET ", self.update_word()),
            format!(" FROM {set} AS s WHERE {on}"),
        )
    }
    /// The first so many characters, and `*` for each other one.
    fn masked(&self, expression: &str, first: u32) -> String;
    /// A coarser value.
    fn coarser(&self, expression: &str, class: Class, to: Generalise) -> String;
    /// A part of a JSON document as text; no value where there is none, or no document.
    fn part(&self, expression: &str, path: &[String]) -> String;
    /// A column as a document that can be changed.
    fn document(&self, expression: &str) -> String {
        expression.to_owned()
    }
    /// A document with a part in place of the one that is there; without it, where there is none.
    /// The whole document is what it was before other parts were changed.
    fn with_part(&self, document: &str, path: &[String], part: &Part, whole: &str) -> String;
    /// A document without a part, and the whole of it as for `with_part`.
    fn without_part(&self, document: &str, path: &[String], whole: &str) -> String;
    /// A document as a value of its column.
    fn written(&self, document: &str, _: &CatalogueColumn) -> String {
        document.to_owned()
    }
    /// What `part` says of true and false.
    fn part_bool(&self, value: bool) -> &'static str {
        if value { "true" } else { "false" }
    }
    /// The address in a column, as text.
    fn address(&self, expression: &str, _: &CatalogueColumn) -> String {
        expression.to_owned()
    }
    /// An instant of a column, and a bound one beside it, so that they can be compared. Bound
    /// instants are `2026-11-22 09:00:00.000000` in UTC.
    fn instant(&self, expression: &str, place: &str, _: &CatalogueColumn) -> (String, String) {
        (expression.to_owned(), place.to_owned())
    }
    /// Whether a text or binary column holds a text, in whatever case.
    fn contains(&self, expression: &str, class: Class, place: &str) -> String;
    /// A column of any class as text that can be searched.
    fn as_text(&self, expression: &str, _: Class) -> String {
        self.text(expression)
    }
    /// Whether text can stand in a column.
    fn holds_text(&self, column: &CatalogueColumn) -> bool {
        matches!(column.class, Class::Text | Class::Bytes | Class::Other)
    }
    /// Whether a column of numbers may hold texts that are none.
    fn numbers_may_be_texts(&self) -> bool {
        false
    }
    /// Whether an instant may have an offset behind it.
    fn takes_zones(&self) -> bool {
        true
    }
    /// How many bytes a value has.
    fn bytes(&self, expression: &str, class: Class) -> String {
        match class {
            Class::Other => format!("octet_length({})", self.text(expression)),
            _ => format!("octet_length({expression})"),
        }
    }
    /// A piece of a binary value, from 1.
    fn piece(&self, expression: &str, class: Class, from: u64, length: u64) -> String;
    /// Makes the table of effects, if it is not there.
    fn create_effects(&self) -> &'static str;
    /// Makes the table of restrictions, if it is not there.
    fn create_restrictions(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS datarights_restrictions (request VARCHAR(64) NOT NULL, collection \
         VARCHAR(255) NOT NULL, row_key TEXT NOT NULL, was TEXT, PRIMARY KEY (request, collection, \
         row_key))"
    }
    /// Makes the table of uses that ended, if it is not there.
    fn create_stops(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS datarights_stops (form VARCHAR(64) PRIMARY KEY)"
    }
    /// Notes a key in it, once; then the values of `effect` and `answer` are bound.
    fn note_effect(&self) -> &'static str;
    /// Makes deferred keys fail now.
    fn settle_keys(&self) -> Option<&'static str> {
        None
    }
    /// Asks for the tables with deferred keys, where the database can only be asked what is broken.
    fn deferred_tables(&self) -> Option<&'static str> {
        None
    }
    /// Whether a row may not be deleted before those of the same table that refer to it.
    fn checks_row_by_row(&self) -> bool {
        false
    }
    /// An expression for what is another value after every change of the schema, and cheaper to read
    /// than the catalogue; nothing, where the database has no such thing.
    fn schema_mark(&self) -> Option<String> {
        None
    }
    /// The tables in which more than types, `NOT NULL` and keys may refuse a write; nothing, where
    /// that is not looked at.
    async fn guarded(&self, _session: &mut Session) -> Result<Option<BTreeSet<String>>, PortError> {
        Ok(None)
    }
    /// Reads what of the catalogue stands elsewhere and takes long: once, when a source is opened.
    async fn elsewhere(
        &self,
        _session: &mut Session,
        _catalogue: &mut Catalogue,
    ) -> Result<(), PortError> {
        Ok(())
    }
    /// Reads the catalogue.
    async fn catalogue(&self, session: &mut Session) -> Result<Catalogue, PortError>;
}

/// An expression, and the column that it has its value from.
pub(super) type Side<'a> = (&'a str, &'a CatalogueColumn);

/// How long temporary tables stay on the connection that made them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// As long as the transaction.
    Never,
    /// Past a commit; what is rolled back takes them along.
    #[cfg_attr(
        not(feature = "sql-sqlite"),
        expect(dead_code, reason = "no other has it")
    )]
    Committed,
    /// Whatever becomes of the transaction.
    Always,
}

/// What can stand inside a statement (`WITH`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    Nothing,
    /// Sets that are counted and changed.
    #[cfg_attr(
        not(feature = "sql-sqlite"),
        expect(dead_code, reason = "no other has it")
    )]
    Sets,
    /// The same, and read with a cursor.
    Cursors,
}

/// The source's own table.
pub(super) const EFFECTS: &str = "datarights_effects";
/// Which request restricts which row, and what stood there before.
pub(super) const RESTRICTIONS: &str = "datarights_restrictions";
/// For whom which use ended.
pub(super) const STOPS: &str = "datarights_stops";
/// How the source's temporary tables begin.
pub(super) const SET: &str = "datarights_set_";

/// Expressions for the keys of a row, called `k0`, `k1`, ….
pub(super) fn named(keys: &[String]) -> String {
    let named: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(n, key)| format!("{key} AS k{n}"))
        .collect();
    named.join(", ")
}

/// What so many keys are called.
pub(super) fn names(keys: &[String]) -> String {
    let names: Vec<String> = (0..keys.len()).map(|n| format!("k{n}")).collect();
    names.join(", ")
}

/// Whether a row's keys stand in a set.
fn in_set(set: &str, keys: &[String]) -> String {
    format!(
        "({}) IN (SELECT {} FROM {set} AS s)",
        keys.join(", "),
        names(keys)
    )
}

/// Whether two columns are compared as they are: both are of one kind, or numbers.
pub(super) fn as_they_are(one: &CatalogueColumn, other: &CatalogueColumn) -> bool {
    let number = |column: &CatalogueColumn| matches!(column.class, Class::Int | Class::Decimal);
    one.class == other.class || number(one) && number(other)
}

/// What a phone number is written with besides digits and the plus.
pub(super) const PHONE_MARKS: [&str; 7] = [" ", "\u{a0}", ".", "-", "(", ")", "/"];

/// How many spellings of one value are tried.
const SPELLINGS: usize = 64;

/// All that a text in lower case may be after a database has put it in lower case, as far as there is
/// room: SQLite's `lower`, and PostgreSQL's under the locale or collation `C`, know ASCII only.
pub(super) fn spellings(lower: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for c in lower.chars() {
        let upper: String = c.to_uppercase().collect();
        let both = !c.is_ascii() && upper != c.to_string() && all.len() < SPELLINGS;
        let raised: Vec<String> = if both {
            all.iter().map(|text| format!("{text}{upper}")).collect()
        } else {
            Vec::new()
        };
        all.iter_mut().for_each(|text| text.push(c));
        all.extend(raised);
    }
    all
}

/// The normal form in SQL that all of them understand.
pub(super) fn normal_form(text: &str, kind: &IdentifierKind) -> String {
    match kind {
        IdentifierKind::Mail => format!("lower(trim({text}))"),
        IdentifierKind::IpDuring => format!("lower(trim({text}))"),
        IdentifierKind::Phone | IdentifierKind::PhoneDuring => {
            let bare = PHONE_MARKS.iter().fold(text.to_owned(), |text, mark| {
                format!("replace({text}, '{mark}', '')")
            });
            format!(
                "CASE WHEN substr({bare}, 1, 2) = '00' THEN concat('+', substr({bare}, 3)) ELSE \
                 {bare} END"
            )
        }
        _ => format!("trim({text})"),
    }
}

/// A date as text, coarser; no value where there is no date.
pub(super) fn coarser_text(text: &str, is_date: &str, to: Generalise) -> String {
    match to {
        Generalise::Prefix(length) => format!("substr({text}, 1, {length})"),
        _ => {
            let (length, rest) = match to {
                Generalise::Year => (4, "-01-01"),
                _ => (7, "-01"),
            };
            format!(
                "CASE WHEN {is_date} THEN concat(substr({text}, 1, {length}), '{rest}', CASE WHEN \
                 length({text}) > 10 THEN ' 00:00:00' ELSE '' END) END"
            )
        }
    }
}
