//! What an erasure does to a single value that stays in its row.

use serde::{Deserialize, Serialize};

/// A value that a map can state: the same for everybody, never personal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Plain {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
}

impl From<bool> for Plain {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Plain {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Plain {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// To what a value is coarsened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Generalise {
    /// A date or a time to the first day of its year.
    Year,
    /// A date or a time to the first day of its month.
    Month,
    /// Text to its first so many characters, e.g. of a postcode.
    Prefix(u32),
}

/// What an erasure does to a value that stays in its row.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// Nothing: what stands here does not identify anybody once the rest is gone.
    Keep,
    /// No value any more.
    Null,
    /// The same value for everybody.
    Fixed(Plain),
    /// So many first characters stay; each other one becomes `*`.
    Mask(u32),
    /// A coarser value.
    Generalise(Generalise),
    /// A keyed digest: equal values stay equal, and nobody without the key can tell which they
    /// were. The key is the source's.
    Pseudonym,
}
