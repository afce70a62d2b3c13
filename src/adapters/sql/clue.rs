//! What leads to a person's rows again: the form of this source's locators.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::IdentifierKind;
use crate::ports::Locator;

/// One locator. Holds values of the person: it is sealed by the engine, and never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clue {
    /// A row, by its key, each part as text.
    Row(String, Vec<String>),
    /// An identifier in its normal form, for rows that know nothing else.
    Value(IdentifierKind, String),
    /// A name of theirs alone, or a number as they write it.
    Name(String),
}

/// One person, as far as rows can be found by it.
#[derive(Clone, Default)]
pub(super) struct Person {
    clues: BTreeSet<Clue>,
}

impl Person {
    /// A locator of another form leads nowhere.
    pub(super) fn of(locators: &[Locator]) -> Self {
        let clue = |locator: &Locator| serde_json::from_str(locator.expose()).ok();
        Self {
            clues: locators.iter().filter_map(clue).collect(),
        }
    }

    /// Whether two have something in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.clues.intersection(&other.clues).next().is_some()
    }

    /// A table of which two rows are known.
    pub(super) fn several(&self) -> Option<&str> {
        let mut tables = self.clues.iter().filter_map(|clue| match clue {
            Clue::Row(table, _) => Some(table.as_str()),
            _ => None,
        });
        let mut seen = BTreeSet::new();
        tables.find(|table| !seen.insert(*table))
    }

    /// The rows of people; without any, the identifiers.
    pub(super) fn essence(&self) -> Self {
        let rows = |clue: &&Clue| matches!(clue, Clue::Row(..));
        let values = |clue: &&Clue| matches!(clue, Clue::Value(..));
        let mut clues: BTreeSet<Clue> = self.clues.iter().filter(rows).cloned().collect();
        if clues.is_empty() {
            clues = self.clues.iter().filter(values).cloned().collect();
        }
        Self { clues }
    }

    pub(super) fn add(&mut self, clue: Clue) {
        self.clues.insert(clue);
    }

    pub(super) fn knows(&self, clue: &Clue) -> bool {
        self.clues.contains(clue)
    }

    pub(super) fn len(&self) -> usize {
        self.clues.len()
    }

    pub(super) fn locators(&self) -> Vec<Locator> {
        self.clues
            .iter()
            .filter_map(|clue| serde_json::to_string(clue).ok().map(Locator::new))
            .collect()
    }

    /// The keys of known rows of a table.
    pub(super) fn rows<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a [String]> {
        self.clues.iter().filter_map(move |clue| match clue {
            Clue::Row(name, key) if name == table => Some(key.as_slice()),
            _ => None,
        })
    }

    /// The identifiers of a kind.
    pub(super) fn values<'a>(&'a self, kind: &'a IdentifierKind) -> Vec<&'a str> {
        let of_kind = |clue: &'a Clue| match clue {
            Clue::Value(other, value) if other == kind => Some(value.as_str()),
            _ => None,
        };
        self.clues.iter().filter_map(of_kind).collect()
    }

    /// All identifiers.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = (&IdentifierKind, &str)> {
        self.clues.iter().filter_map(|clue| match clue {
            Clue::Value(kind, value) => Some((kind, value.as_str())),
            _ => None,
        })
    }

    /// What names them in free text beside their identifiers.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.clues.iter().filter_map(|clue| match clue {
            Clue::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }
}
