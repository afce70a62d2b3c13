//! What is known of a package once its data is written: counts, paths, and the first rows of each
//! collection for the page.

use crate::model::{Collection, Purpose, SourceId, WithheldRows};

use super::cover::Of;
use super::format::Head;
use super::names;
use super::record::{Field, Value};

/// How many rows of a collection the page shows.
const ROWS: usize = 20;
/// How many columns of them.
const COLUMNS: usize = 40;
/// How many characters of a value.
const CHARACTERS: usize = 200;
/// How many bytes of values the page shows in all, so that it opens whatever there is.
const BYTES: usize = 1024 * 1024;

/// Everything but the data.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) sources: Vec<SourcePart>,
    pub(super) withheld: Vec<Of<WithheldRows>>,
}

impl Contents {
    pub(super) fn rows(&self) -> u64 {
        let collections = self.sources.iter().flat_map(|source| &source.collections);
        collections.map(|collection| collection.rows).sum()
    }

    pub(super) fn files(&self) -> u64 {
        self.sources.iter().map(|source| source.files).sum()
    }

    pub(super) fn collections(&self) -> u64 {
        self.sources
            .iter()
            .map(|source| source.collections.len() as u64)
            .sum()
    }
}

/// One source.
pub(super) struct SourcePart {
    pub(super) source: SourceId,
    pub(super) title: String,
    pub(super) collections: Vec<CollectionPart>,
    pub(super) files: u64,
    pub(super) file_bytes: u64,
}

/// One collection.
pub(super) struct CollectionPart {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) purposes: Vec<Purpose>,
    pub(super) rows: u64,
    /// Paths in the archive.
    pub(super) json: String,
    pub(super) csv: String,
    pub(super) preview: Preview,
}

impl CollectionPart {
    /// A collection whose data stands in `<stem>.json` and `<stem>.csv`.
    pub(super) fn new(collection: &Collection, rows: u64, stem: &str) -> Self {
        let columns = collection.columns.iter().take(COLUMNS);
        Self {
            name: collection.name.clone(),
            title: collection.title.clone(),
            purposes: collection.purposes.clone(),
            rows,
            json: format!("{stem}.json"),
            csv: format!("{stem}.csv"),
            preview: Preview {
                columns: columns.map(|column| shorten(&column.name)).collect(),
                more_columns: collection.columns.len().saturating_sub(COLUMNS),
                rows: Vec::new(),
            },
        }
    }
}

/// The first rows of a collection.
pub(super) struct Preview {
    pub(super) columns: Vec<String>,
    /// How many columns are not among them.
    pub(super) more_columns: usize,
    pub(super) rows: Vec<Vec<Shown>>,
}

/// What the page may still show.
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(BYTES)
    }
}

/// A field as the page shows it.
pub(super) enum Shown {
    Null,
    Bool(bool),
    /// A number, a date, an instant: never broken over lines.
    Fixed(String),
    Text(String),
    Bytes(u64),
    Secret,
    File {
        path: String,
        name: String,
        bytes: u64,
    },
}

impl Preview {
    /// Adds a row, as long as there is room.
    pub(super) fn add(&mut self, head: &Head<'_>, row: &[Field<'_>], budget: &mut Budget) {
        if self.rows.len() >= ROWS {
            return;
        }
        let row: Vec<Shown> = row
            .iter()
            .take(COLUMNS)
            .map(|field| shown(head, field))
            .collect();
        let bytes: usize = row.iter().map(Shown::bytes).sum();
        if let Some(rest) = budget.0.checked_sub(bytes) {
            budget.0 = rest;
            self.rows.push(row);
        } else {
            budget.0 = 0; // no gaps: nothing smaller is shown after it
        }
    }
}

impl Shown {
    /// About how many bytes it takes on the page.
    fn bytes(&self) -> usize {
        16 + match self {
            Self::Fixed(text) | Self::Text(text) => text.len(),
            Self::File { path, name, .. } => path.len() + name.len(),
            _ => 16,
        }
    }
}

fn shown(head: &Head<'_>, field: &Field<'_>) -> Shown {
    match field {
        Field::Value(Value::Null) => Shown::Null,
        Field::Value(Value::Bool(value)) => Shown::Bool(*value),
        Field::Value(Value::Int(value)) => Shown::Fixed(value.to_string()),
        Field::Value(Value::Decimal(value)) => Shown::Fixed(shorten(value)),
        Field::Value(Value::Text(value)) => Shown::Text(shorten(value)),
        Field::Value(Value::Bytes(bytes)) => Shown::Bytes(bytes.0.len() as u64),
        Field::Value(Value::Date(date)) => Shown::Fixed(date.to_string()),
        Field::Value(Value::Time(time)) => {
            Shown::Fixed(time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
        }
        Field::Value(Value::Secret) => Shown::Secret,
        Field::File(note) => Shown::File {
            path: names::href(&head.path(note)),
            name: shorten(&note.name),
            bytes: note.bytes,
        },
    }
}

/// The beginning of a text, without characters that HTML has no place for.
fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(CHARACTERS)
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(CHARACTERS).is_some() {
        short.push('…');
    }
    short
}
