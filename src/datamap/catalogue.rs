//! What a database says of itself, as a value: tables, columns, keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The tables of a database.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalogue {
    /// By name.
    pub tables: BTreeMap<String, CatalogueTable>,
}

/// A table as the database has it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueTable {
    /// The columns, in their order.
    pub columns: Vec<CatalogueColumn>,
    /// The columns of the primary key, in its order; empty without one.
    pub key: Vec<String>,
    /// Sets of columns whose values together occur once, the primary key left out.
    pub unique: Vec<Vec<String>>,
    /// Declared foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Whether the database keeps every version of its rows, the deleted ones too (MariaDB's system
    /// versioning).
    #[serde(default)]
    pub versioned: bool,
    /// Whether what was written to it stays when a transaction is taken back (MariaDB's MyISAM, Aria).
    #[serde(default)]
    pub no_transactions: bool,
    /// Whether policies hide rows of it from whoever reads the catalogue (PostgreSQL's row level
    /// security).
    #[serde(default)]
    pub hides_rows: bool,
    /// Tables elsewhere, in a schema or a partition that is not listed here, whose rows the database
    /// deletes along with those of this one.
    #[serde(default)]
    pub cascades_to: Vec<String>,
}

/// A column as the database has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueColumn {
    /// Its name.
    pub name: String,
    /// What kind of values it takes.
    pub class: Class,
    /// The type as the database calls it.
    pub declared: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// How many characters it takes, where the database limits that.
    pub length: Option<u32>,
    /// Whether the database computes it.
    pub generated: bool,
    /// The rules by which the database compares its texts, where they are not those of the database
    /// itself.
    #[serde(default)]
    pub collation: Option<String>,
}

/// What kind of values a column takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Class {
    /// True or false.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers with digits after the point.
    Decimal,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Calendar dates.
    Date,
    /// Instants, with or without a zone.
    Time,
    /// Any other type; read as the text that the database writes for it.
    Other,
}

/// A declared foreign key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The columns.
    pub columns: Vec<String>,
    /// The table that it leads to.
    pub table: String,
    /// The columns there.
    pub references: Vec<String>,
    /// What happens to the row when that one is deleted.
    pub on_delete: DeleteRule,
}

/// What happens to a row when the one it refers to is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeleteRule {
    /// The deletion is refused.
    Refuse,
    /// It is deleted too.
    Cascade,
    /// The key is set to NULL, or to its default.
    Release,
}

impl Catalogue {
    /// A database without tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a table.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>, table: CatalogueTable) -> Self {
        self.tables.insert(name.into(), table);
        self
    }
}

impl CatalogueTable {
    /// A table of these columns without keys.
    pub fn new(columns: impl IntoIterator<Item = CatalogueColumn>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            ..Self::default()
        }
    }

    /// With this primary key.
    #[must_use]
    pub fn keyed<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.key = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With columns whose values together occur once.
    #[must_use]
    pub fn unique<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.unique
            .push(columns.into_iter().map(Into::into).collect());
        self
    }

    /// With a foreign key.
    #[must_use]
    pub fn foreign_key(mut self, key: ForeignKey) -> Self {
        self.foreign_keys.push(key);
        self
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&CatalogueColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl CatalogueColumn {
    /// A column that may be NULL.
    pub fn new(name: impl Into<String>, class: Class, declared: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            class,
            declared: declared.into(),
            nullable: true,
            length: None,
            generated: false,
            collation: None,
        }
    }

    /// That may not be NULL.
    #[must_use]
    pub const fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// That takes so many characters.
    #[must_use]
    pub const fn of_length(mut self, length: u32) -> Self {
        self.length = Some(length);
        self
    }

    /// Whose texts are compared by these rules.
    #[must_use]
    pub fn collated(mut self, collation: impl Into<String>) -> Self {
        self.collation = Some(collation.into());
        self
    }

    /// That the database computes.
    #[must_use]
    pub const fn computed(mut self) -> Self {
        self.generated = true;
        self
    }
}

impl ForeignKey {
    /// A key that refuses the deletion of what it refers to.
    pub fn new<C: Into<String>, R: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        table: impl Into<String>,
        references: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            table: table.into(),
            references: references.into_iter().map(Into::into).collect(),
            on_delete: DeleteRule::Refuse,
        }
    }

    /// With what happens on deletion.
    #[must_use]
    pub const fn on_delete(mut self, rule: DeleteRule) -> Self {
        self.on_delete = rule;
        self
    }
}
