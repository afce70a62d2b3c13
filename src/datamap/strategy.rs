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
    /// An IPv4 address to its /24 network, an IPv6 address to its /64; no value where there is no
    /// address.
    Network,
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
    /// Another value of the same form, by chance: a digit for each digit, a letter for each letter,
    /// all else as it is. A search afterwards cannot tell it from one that was there before.
    Random,
    /// What the host does, by the name under which it gave it to the source.
    Own(String),
}

impl Strategy {
    /// Whether each row is read and written by itself, outside the database.
    pub const fn is_row_by_row(&self) -> bool {
        matches!(
            self,
            Self::Random | Self::Own(_) | Self::Generalise(Generalise::Network)
        )
    }

    /// Whether values are replaced one by one, outside the database.
    pub const fn is_one_by_one(&self) -> bool {
        self.is_row_by_row() || matches!(self, Self::Pseudonym)
    }
}
