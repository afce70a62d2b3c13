//! A statement that is being written: names are quoted, values are bound.

use crate::datamap::{CatalogueColumn, Class, Plain};

use super::dialect::Dialect;

/// A bound value.
#[derive(Clone)]
pub(super) enum Param {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A statement and its values.
#[derive(Clone)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Param>,
    /// Whether the connection may keep it prepared: it names no temporary table, and comes again.
    pub(super) kept: bool,
    pub(super) dialect: &'static dyn Dialect,
}

impl Sql {
    pub(super) fn new(dialect: &'static dyn Dialect, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            params: Vec::new(),
            kept: false,
            dialect,
        }
    }

    /// Lets the connection keep it prepared.
    pub(super) const fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Writes SQL, which never holds a value.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Binds a value, and answers what stands for it. It must be written next: some databases
    /// count by place.
    pub(super) fn hold(&mut self, param: Param) -> String {
        self.params.push(param);
        self.dialect.placeholder(self.params.len())
    }

    /// Binds and writes a value.
    pub(super) fn bind(&mut self, param: Param) -> &mut Self {
        let place = self.hold(param);
        self.push(&place)
    }

    /// Binds and writes a text.
    pub(super) fn bind_text(&mut self, text: impl Into<String>) -> &mut Self {
        self.bind(Param::Text(text.into()))
    }

    /// Binds and writes a text as a value of a column's type.
    pub(super) fn bind_for(&mut self, column: &CatalogueColumn, text: String) -> &mut Self {
        let place = self.hold(Param::Text(text));
        let typed = self.dialect.typed(&place, column);
        self.push(&typed)
    }

    /// Binds and writes a part of a key, of the text that [`Dialect::key_text`] gives.
    pub(super) fn bind_key(&mut self, column: &CatalogueColumn, text: &str) -> &mut Self {
        match column.class {
            Class::Bytes => self.bind(Param::Bytes(bytes(text).unwrap_or_default())),
            // Beyond the largest number with a sign: compared as it is, not as a fraction.
            Class::Int if text.parse::<i64>().is_err() => {
                self.push("CAST(");
                self.bind_text(text).push(" AS DECIMAL(20, 0))")
            }
            _ => self.bind_for(column, text.to_owned()),
        }
    }

    /// Binds and writes what a map states, as a value of a column's type.
    pub(super) fn bind_plain(&mut self, column: &CatalogueColumn, plain: &Plain) -> &mut Self {
        match plain {
            Plain::Text(text) => self.bind_for(column, text.clone()),
            Plain::Int(number) => {
                let literal = number.to_string();
                self.push(&literal)
            }
            Plain::Bool(value) => {
                let literal = self.dialect.boolean(*value, column);
                self.push(literal)
            }
        }
    }

    /// Writes that a column under an alias has the value that a map states.
    pub(super) fn equals_plain(&mut self, alias: &str, column: &CatalogueColumn, plain: &Plain) {
        let name = format!("{alias}.{}", self.dialect.quote(&column.name));
        let left = match plain {
            Plain::Bool(_) => self.dialect.truth(&name, column),
            _ => name,
        };
        self.push(&left).push(" = ").bind_plain(column, plain);
    }

    /// Writes that an expression is one of these values; nothing, where there are none.
    pub(super) fn one_of(&mut self, left: &str, params: impl IntoIterator<Item = Param>) -> bool {
        let mut any = false;
        for param in params {
            let written = std::mem::replace(&mut any, true);
            if !written {
                self.push(left).push(" IN (");
            }
            self.push(if written { ", " } else { "" }).bind(param);
        }
        self.push(if any { ")" } else { "" });
        any
    }

    /// Writes that a column is one of these values of its type; nothing, where there are none.
    pub(super) fn one_for(
        &mut self,
        left: &str,
        column: &CatalogueColumn,
        values: impl IntoIterator<Item = String>,
    ) -> bool {
        let mut any = false;
        for value in values {
            match std::mem::replace(&mut any, true) {
                true => self.push(", "),
                false => self.push(left).push(" IN ("),
            };
            self.bind_for(column, value);
        }
        self.push(if any { ")" } else { "" });
        any
    }

    /// Writes a piece with its values. The pieces before it hold none, or places are counted by `?`
    /// and `$n` alike from the beginning.
    pub(super) fn append(&mut self, before: &str, piece: Self, after: &str) {
        debug_assert!(
            self.params.is_empty(),
            "a piece is written before its own values only"
        );
        self.push(before).push(&piece.text).push(after);
        self.params.extend(piece.params);
    }
}

/// The bytes that hexadecimal digits stand for.
pub(super) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}
