//! The data itself as a source hands it over: collections, columns, values.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Category, Personal, Purpose};

/// A set of rows of one shape: a table, a mailbox, a folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Collection {
    /// Its name inside the source, e.g. the table's.
    pub name: String,
    /// What a person would call it.
    pub title: String,
    /// What the rows are used for.
    pub purposes: Vec<Purpose>,
    /// The columns, in the order of every row's values.
    pub columns: Vec<Column>,
}

impl Collection {
    /// A collection with columns that are not classified further.
    pub fn new(name: impl Into<String>, columns: impl IntoIterator<Item = Column>) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            name,
            purposes: Vec::new(),
            columns: columns.into_iter().collect(),
        }
    }

    /// The same collection under a title for people.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }
}

/// A column of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// Its name inside the source.
    pub name: String,
    /// What kind of data it holds.
    pub category: Option<Category>,
}

impl Column {
    /// A column without a category.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            category: None,
        }
    }

    /// The same column with a category.
    #[must_use]
    pub fn holding(mut self, category: Category) -> Self {
        self.category = Some(category);
        self
    }
}

/// One value of a person's data. Closed to printing; `serde` writes it in clear, because
/// only the sealed spool and the package serialise it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with digits after the point, exactly as the source writes it.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes small enough to stand in a row; larger ones are streamed.
    Bytes(Vec<u8>),
    /// A calendar date.
    Date(NaiveDate),
    /// An instant.
    Time(DateTime<Utc>),
    /// A secret that no export may hand over: named, not shown.
    Secret,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Value(Null)",
            Self::Secret => "Value(Secret)",
            _ => "Value(..)",
        })
    }
}

/// One field to correct: where it stands and what it should say.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Correction {
    /// The collection, as the source names it.
    pub collection: String,
    /// The field.
    pub field: String,
    /// The value the person asks for, in clear inside this type only.
    #[serde(with = "super::exposed")]
    pub value: Personal<String>,
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),+) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

value_from!(bool => Bool, i64 => Int, String => Text, &str => Text, Vec<u8> => Bytes,
    NaiveDate => Date, DateTime<Utc> => Time);

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
