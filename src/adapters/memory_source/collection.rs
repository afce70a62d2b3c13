//! What a memory source is made of: collections, rows, cells, and what happens to them.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};

use crate::model::{Collection, Column, Ground, Identifier, IdentifierKind, Until, Value};

/// A collection of a [`MemorySource`](super::MemorySource), and the rules for its rows.
#[derive(Clone, Debug)]
pub struct MemoryCollection {
    pub(super) shape: Collection,
    pub(super) identifying: Vec<Identifying>,
    pub(super) withheld: Option<(Ground, Until)>,
    pub(super) anonymised: Option<Vec<String>>,
    pub(super) not_handed_over: Option<Ground>,
    pub(super) secret: Vec<String>,
}

/// A column whose value identifies the person.
#[derive(Clone, Debug)]
pub(super) struct Identifying {
    pub(super) column: String,
    pub(super) kind: IdentifierKind,
    /// Whether rows are searched by it; else it only leads to other sources.
    pub(super) searched: bool,
}

impl From<Collection> for MemoryCollection {
    fn from(shape: Collection) -> Self {
        Self {
            shape,
            identifying: Vec::new(),
            withheld: None,
            anonymised: None,
            not_handed_over: None,
            secret: Vec::new(),
        }
    }
}

impl MemoryCollection {
    /// A collection whose rows go when the person is erased. For categories and titles, make it
    /// from a [`Collection`].
    pub fn new<'a>(name: &str, columns: impl IntoIterator<Item = &'a str>) -> Self {
        Collection::new(name, columns.into_iter().map(Column::new)).into()
    }

    /// People are found by this column. Such a collection is erased after the others. Kinds with
    /// a window or two parts cannot stand in one column and are never found.
    #[must_use]
    pub fn found_by(mut self, column: &str, kind: IdentifierKind) -> Self {
        self.identifying.push(Identifying {
            column: column.to_owned(),
            kind,
            searched: true,
        });
        self
    }

    /// This column holds an identifier that leads to other sources; it is not searched.
    #[must_use]
    pub fn leading_on(mut self, column: &str, kind: IdentifierKind) -> Self {
        self.identifying.push(Identifying {
            column: column.to_owned(),
            kind,
            searched: false,
        });
        self
    }

    /// Every row is kept back on a ground; a row may have a rule of its own.
    #[must_use]
    pub fn withheld(mut self, ground: Ground, until: Until) -> Self {
        self.withheld = Some((ground, until));
        self
    }

    /// An erasure empties the rows and leaves them without an owner, but for these columns.
    #[must_use]
    pub fn anonymised<'a>(mut self, keeping: impl IntoIterator<Item = &'a str>) -> Self {
        self.anonymised = Some(keeping.into_iter().map(str::to_owned).collect());
        self
    }

    /// Reading names the rows and does not show them.
    #[must_use]
    pub fn not_handed_over(mut self, ground: Ground) -> Self {
        self.not_handed_over = Some(ground);
        self
    }

    /// This column holds secrets: reading names them and does not show them, and no correction
    /// sets them.
    #[must_use]
    pub fn secret(mut self, column: &str) -> Self {
        self.secret.push(column.to_owned());
        self
    }

    /// A column that the rules name and that does not exist.
    pub(super) fn missing_column(&self) -> Option<&str> {
        self.identifying
            .iter()
            .map(|identifying| &identifying.column)
            .chain(self.anonymised.iter().flatten())
            .chain(&self.secret)
            .find(|column| self.index(column).is_none())
            .map(String::as_str)
    }

    pub(super) fn index(&self, column: &str) -> Option<usize> {
        self.shape.columns.iter().position(|c| c.name == column)
    }

    /// Whether people are found by its rows.
    pub(super) fn identifies(&self) -> bool {
        self.identifying.iter().any(|column| column.searched)
    }
}

/// One field of a row. Closed to `Debug`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum MemoryCell {
    /// A value.
    Value(Value),
    /// A file.
    File {
        /// Its name.
        name: String,
        /// Its media type, where known.
        media_type: Option<String>,
        /// Its content.
        bytes: Arc<[u8]>,
    },
}

impl MemoryCell {
    /// A file without a media type.
    pub fn file(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::File {
            name: name.into(),
            media_type: None,
            bytes: bytes.into(),
        }
    }
}

impl<V: Into<Value>> From<V> for MemoryCell {
    fn from(value: V) -> Self {
        Self::Value(value.into())
    }
}

impl fmt::Debug for MemoryCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryCell(..)")
    }
}

/// A row to be put into a [`MemorySource`](super::MemorySource).
#[derive(Clone, PartialEq, Debug)]
pub struct MemoryRow {
    pub(super) cells: Vec<MemoryCell>,
    pub(super) withheld: Option<(Ground, Until)>,
}

impl MemoryRow {
    /// A row of these cells, in the order of the columns.
    pub fn new<C: Into<MemoryCell>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            cells: cells.into_iter().map(Into::into).collect(),
            withheld: None,
        }
    }

    /// The same row, kept back on a ground.
    #[must_use]
    pub fn withheld(mut self, ground: Ground, until: Until) -> Self {
        self.withheld = Some((ground, until));
        self
    }
}

impl<C: Into<MemoryCell>, const N: usize> From<[C; N]> for MemoryRow {
    fn from(cells: [C; N]) -> Self {
        Self::new(cells)
    }
}

/// The identifier that a cell holds, if it holds one of that kind.
pub(super) fn identifier(kind: &IdentifierKind, cell: &MemoryCell) -> Option<Identifier> {
    let MemoryCell::Value(value) = cell else {
        return None;
    };
    let text = text(value)?;
    match kind {
        IdentifierKind::Mail => Identifier::mail(text),
        IdentifierKind::Phone => Identifier::phone(text),
        IdentifierKind::Account => Identifier::account(text),
        IdentifierKind::Device => Identifier::device(text),
        IdentifierKind::Custom(kind) => Identifier::custom(kind.clone(), text),
        _ => return None,
    }
    .ok()
}

/// A value as a person would write it; `None` where it cannot be written.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Decimal(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Date(date) => Some(date.to_string()),
        Value::Time(time) => Some(time.to_rfc3339()),
        Value::Null | Value::Bytes(_) | Value::Secret => None,
    }
}

/// What a cell would hold after a correction: the text read as the type that is there now;
/// `None` where it does not fit.
pub(super) fn corrected(cell: &MemoryCell, wish: &str) -> Option<Value> {
    let MemoryCell::Value(now) = cell else {
        return None;
    };
    match now {
        Value::Null | Value::Text(_) => Some(Value::Text(wish.to_owned())),
        Value::Int(_) => wish.parse().ok().map(Value::Int),
        Value::Bool(_) => wish.parse().ok().map(Value::Bool),
        Value::Date(_) => wish.parse::<NaiveDate>().ok().map(Value::Date),
        Value::Time(_) => DateTime::parse_from_rfc3339(wish)
            .ok()
            .map(|time| Value::Time(time.to_utc())),
        Value::Decimal(_) => {
            let number = wish.strip_prefix('-').unwrap_or(wish);
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
            (digits(whole) && digits(rest)).then(|| Value::Decimal(wish.to_owned()))
        }
        Value::Bytes(_) | Value::Secret => None,
    }
}
