//! The words of a data map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::law::RetentionDuty;
use crate::model::{Category, Ground, IdentifierKind, Purpose, Use};

use super::{Plain, Strategy};

/// The version of the file form that is written.
pub const SCHEMA: u32 = 1;

/// A database, described once. Equal in Rust, TOML and JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DataMap {
    /// The version of this form.
    pub schema: u32,
    /// The tables that hold something of a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Table>,
    /// Tables and columns that hold nothing of a person, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Exemption>,
    /// Uses to which the data of this database is never put: whoever asks for their end is told
    /// that it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<Use>,
}

/// What was looked at and holds nothing of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exemption {
    /// The table.
    pub table: String,
    /// These columns of it; all of it, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Why.
    pub reason: String,
}

/// A table with rows of people.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Table {
    /// What a person would call it; the table's name, where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the rows are used for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
    /// Each row is a person. They are found by the columns with an identifier, and erased last.
    #[serde(default, skip_serializing_if = "is_false")]
    pub person: bool,
    /// Columns that together name the person in free text, e.g. first and last name. A name that
    /// several people have names nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Vec<String>>,
    /// What an erasure does to the rows that are the person's own.
    #[serde(default, skip_serializing_if = "RowErasure::is_delete")]
    pub erase: RowErasure,
    /// What must be kept for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Conditions that keep a row as long as they hold, e.g. a claim that is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_while: Vec<KeptWhile>,
    /// An erasure hides the rows first, and deletes them when the days are over. Until then they
    /// can be brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete: Option<SoftDelete>,
    /// The link to rows with which these are kept: the lines of an invoice that must be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_with: Option<String>,
    /// How rows lead to a person, by a name for each way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, Link>,
    /// The columns that hold something of the person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Column>,
    /// What a column of a restricted row holds. Rows that hang on restricted rows alone are
    /// restricted with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrict: Option<When>,
    /// What is set in the person's rows when a use ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<UseEnd>,
}

/// What is set when a use of the person's data ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UseEnd {
    /// The use.
    pub of: Use,
    /// The column that tells of it.
    pub column: String,
    /// What it holds once the use has ended.
    pub set: Plain,
}

/// What an erasure does to the rows that are the person's own.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RowErasure {
    /// They are deleted.
    #[default]
    Delete,
    /// They stay; each column has its strategy.
    Columns,
    /// They stay, and the answer names them.
    Keep {
        /// On which ground.
        ground: Ground,
    },
}

impl RowErasure {
    fn is_delete(&self) -> bool {
        *self == Self::Delete
    }
}

/// Whose a row is that a link leads to.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Whose {
    /// The person's alone: handed over whole, and erased as the table says. What hangs on it is
    /// the person's too.
    #[default]
    Owned,
    /// The person's and others': handed over, and on erasure only what the link names is taken
    /// out of it.
    Shared,
    /// Somebody else's, and the person is mentioned in it: not handed over but counted, and on
    /// erasure what the link names is taken out of it.
    Mentioned,
}

impl Whose {
    fn is_owned(&self) -> bool {
        *self == Self::Owned
    }
}

/// How rows lead to a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// The columns that lead there.
    pub columns: Vec<String>,
    /// Where in the one column, a JSON document, the value stands: names, and places in lists as
    /// digits. For links to an identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Where they lead.
    pub to: Target,
    /// Only where this holds: a link that leads to several tables says here which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Whose the rows are.
    #[serde(default, skip_serializing_if = "Whose::is_owned")]
    pub whose: Whose,
    /// On which ground mentions are not handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    /// What an erasure changes in rows that are not the person's alone. A column of the link that
    /// is not named here becomes NULL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub erase: BTreeMap<String, Strategy>,
}

impl Table {
    /// The columns of each write that an erasure may make to a row, one after the other; none for a
    /// deletion.
    pub(crate) fn writes(&self) -> Vec<Vec<&str>> {
        let mut writes: Vec<Vec<&str>> = Vec::new();
        for link in self.links.values().filter(|l| l.whose != Whose::Owned) {
            let said = link.erase.iter().filter(|(_, s)| **s != Strategy::Keep);
            let unsaid = link.columns.iter().filter(|c| !link.erase.contains_key(*c));
            let columns = said.map(|(name, _)| name).chain(unsaid);
            writes.push(columns.map(String::as_str).collect());
        }
        for (name, column) in &self.columns {
            writes.extend(column.free_text.then(|| vec![name.as_str()]));
        }
        let columns = || self.columns.iter();
        let parts = columns().flat_map(|(name, column)| {
            let erased = column.paths.iter().filter_map(|part| part.erase.as_ref());
            erased.map(move |strategy| (name, strategy))
        });
        let erased = columns().filter_map(|(name, column)| Some((name, column.erase.as_ref()?)));
        let minimised =
            columns().filter_map(|(name, column)| Some((name, column.minimise.as_ref()?)));
        for strategies in [erased.chain(parts).collect(), minimised.collect::<Vec<_>>()] {
            // Each value that is replaced outside the database is a write, all others are one.
            let mut at_once = Vec::new();
            for (name, strategy) in strategies {
                match strategy {
                    Strategy::Keep => {}
                    one if one.is_one_by_one() => writes.push(vec![name.as_str()]),
                    _ => at_once.push(name.as_str()),
                }
            }
            writes.extend((!at_once.is_empty()).then_some(at_once));
        }
        if let Some(soft) = &self.soft_delete {
            // Hidden, and then deleted.
            writes.extend([vec![soft.column.as_str()], Vec::new()]);
        }
        writes
    }
}

impl Link {
    /// The columns of its table that it looks at.
    pub(crate) fn looks_at(&self) -> impl Iterator<Item = &str> {
        let at = match &self.to {
            Target::Identifier { at, .. } => at.as_deref(),
            Target::Rows { .. } => None,
        };
        let when = self.when.as_ref().map(|when| when.column.as_str());
        let columns = self.columns.iter().map(String::as_str);
        columns.chain(at).chain(when)
    }

    /// Whether no row can be found by both: they want different things of one column.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        match (&self.when, &other.when) {
            (Some(one), Some(other)) => one.column == other.column && one.equals != other.equals,
            _ => false,
        }
    }
}

/// Where a link leads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Target {
    /// To rows of a described table, also its own. Whether the database declares a key does not
    /// matter.
    Rows {
        /// The table.
        table: String,
        /// Its columns; its primary key, where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
    },
    /// To nobody's row: the one column holds an identifier of the person, compared in its normal
    /// form.
    Identifier {
        /// Of which kind.
        kind: IdentifierKind,
        /// The values stand there in their normal form already, so that an index serves.
        #[serde(default, skip_serializing_if = "is_false")]
        normal: bool,
        /// The column with the instant that must lie in the identifier's window, in UTC. For kinds
        /// with a window: whose was the address then?
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
}

/// A condition on the row itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct When {
    /// A column of the same row.
    pub column: String,
    /// What it holds.
    pub equals: Plain,
}

/// A column that holds something of the person.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Column {
    /// What kind of data it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// In a table of people: they are found by it, as identifiers of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<IdentifierKind>,
    /// Never handed over; only named.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secret: bool,
    /// Somebody else's data, or the business's: left out of what is handed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub others: bool,
    /// People are named in it: an erasure replaces the person in everybody's rows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub free_text: bool,
    /// Binary, and text all the same.
    #[serde(default, skip_serializing_if = "is_false")]
    pub text: bool,
    /// A file, handed over as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileOf>,
    /// What an erasure does to it in rows that stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erase: Option<Strategy>,
    /// What an erasure does to it at once in rows that must be kept: what the duty does not need
    /// goes, and the row stays until its time comes (data minimisation, GDPR Art. 5(1)(c)). In rows of
    /// the person's own that would be deleted, or are kept for good ([`Problem::NeverKept`]); not in
    /// keys, links, marks and what decides how long rows are kept ([`Problem::NeededWhileKept`]). A row
    /// under a legal hold, or that can be brought back, stays as it is for that time. It cannot be
    /// undone, and nobody is found by it any more but by the erasure itself.
    ///
    /// [`Problem::NeverKept`]: super::Problem::NeverKept
    /// [`Problem::NeededWhileKept`]: super::Problem::NeededWhileKept
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimise: Option<Strategy>,
    /// Parts of it, a JSON document. Of a column that is left out as somebody else's, the parts are
    /// handed over; of any other, all but the parts that are secret or somebody else's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<JsonPath>,
    /// A person may have it corrected.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rectify: bool,
    /// Where the same value stands too: in the person's rows there, a correction follows where the
    /// old value stood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Place>,
}

/// A part of a JSON document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonPath {
    /// Where: names, and places in lists as digits.
    pub path: Vec<String>,
    /// What kind of data it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Never handed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secret: bool,
    /// Somebody else's data: left out of what is handed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub others: bool,
    /// What an erasure does to it in rows that stay. Where there is nothing, nothing is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erase: Option<Strategy>,
}

/// What a file is called, and what it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileOf {
    /// The column with its name.
    pub name: String,
    /// The column with its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Place {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// What must be kept for a time, row by row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Retention {
    /// The column with the date from which the duty runs. A row without one is kept for good.
    pub from: String,
    /// That column stands in these rows, and the latest of its dates counts: the last contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Via>,
    /// A date column of the row itself, for a row that has no date by `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or: Option<String>,
    /// The duty.
    pub rule: RetentionRule,
    /// Month and day on which the financial year is closed, `12-31` where none is given. For duties
    /// that run from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_close: Option<String>,
}

/// The rows of another table that a link of theirs leads from, seen from where it leads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Via {
    /// The other table.
    pub table: String,
    /// Its link.
    pub link: String,
}

/// A condition that keeps a row. Nobody can say beforehand when it ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KeptWhile {
    /// Any of these rows must satisfy it; the row itself, where none are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Via>,
    /// A column there.
    pub column: String,
    /// What it holds meanwhile.
    pub equals: Plain,
    /// On which ground the row is kept.
    pub ground: Ground,
}

/// How rows are hidden before they are deleted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SoftDelete {
    /// The column with the date on which the row was hidden; NULL while it is not.
    pub column: String,
    /// For how many days it can be brought back.
    pub days: u32,
}

/// A duty to keep data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionRule {
    /// One of [`RetentionDuty::all`], by its id.
    Named(String),
    /// The host's own.
    Own(RetentionDuty),
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
