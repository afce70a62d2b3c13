//! What a fact is, and how well it was checked.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Text of a regime: borrowed in the tables that we ship, owned in a host's own.
pub type Text = Cow<'static, str>;

/// How well a fact was checked. A fact that says nothing counts as [`Verified::Memory`].
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verified {
    /// Not checked.
    #[default]
    Memory,
    /// An authority or a commentary that quotes the text was read.
    Secondary,
    /// The legal text was read.
    Primary,
}

impl Verified {
    /// Whether it is the lowest, which takes everything.
    pub(crate) fn is_any(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Secondary => "secondary",
            Self::Primary => "primary",
        })
    }
}

/// One thing a law says, where it says it, and how well that was checked.
///
/// ```
/// use datarights::law::{Fact, Verified};
/// let fact = Fact::new("recipients are told of an erasure", "19", Verified::Primary);
/// assert_eq!(fact.article, "19");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fact {
    /// What it says, in our words.
    pub text: Text,
    /// Where: article, section or rule. Empty when none is recorded.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// How well it was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl Fact {
    /// A fact.
    pub fn new(text: impl Into<Text>, article: impl Into<Text>, verified: Verified) -> Self {
        Self {
            text: text.into(),
            article: article.into(),
            verified,
        }
    }
}
