//! How things end: outcomes, what was withheld, what is missing, and how sure an erasure is.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::RequestId;

/// Why a request is refused, or an item withheld, restricted or extended. The id names a ground
/// of the request's regime, or one of the host's own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ground(pub Cow<'static, str>);

impl Ground {
    /// A ground by its id.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Self {
        Self(id.into())
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.0
    }
}

/// What a person is charged before their request is carried out.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// The amount in the currency's smallest unit.
    pub minor_units: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// Why, where the law lists grounds for that.
    pub ground: Option<Ground>,
}

/// Until when something is withheld.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Until {
    /// The last day it is kept; what was withheld is erased on the day after.
    Date(NaiveDate),
    /// Until a legal hold is lifted.
    HoldLifted,
    /// For good: the ground does not end.
    Always,
}

/// Why something was not done: a code, never a text with values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Failure {
    /// The source cannot do this at all.
    Unsupported,
    /// The source did not answer in time, though it was asked again.
    Unavailable,
    /// The source refused: a constraint, a permission.
    Refused,
    /// The source answered what cannot be.
    Nonsense,
    /// The source stopped in the middle of its work (a panic).
    Broke,
    /// No identifier that is known fits it: it could not be searched.
    NoIdentifier,
    /// A wished correction of which no source holds the field, for this person.
    NoSuchField,
    /// Not begun, because what must come first failed.
    Blocked,
    /// Rows were still found after the erasure.
    Residue,
    /// A letter leaves out what the law demands: the names of these items.
    Unsaid(Vec<String>),
    /// A code of the adapter's own, in snake case.
    Code(Cow<'static, str>),
    /// The same, and where: a constraint on a column, a field that cannot hold the value.
    At {
        /// The adapter's own code, in snake case.
        code: Cow<'static, str>,
        /// Names of tables and columns only, e.g. `users.email`.
        place: String,
    },
}

impl Failure {
    /// The code, in snake case.
    pub fn code(&self) -> &str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Nonsense => "nonsense",
            Self::Broke => "broke",
            Self::NoIdentifier => "no_identifier",
            Self::NoSuchField => "no_such_field",
            Self::Blocked => "blocked",
            Self::Residue => "residue",
            Self::Unsaid(_) => "unsaid",
            Self::Code(code) | Self::At { code, .. } => code,
        }
    }
}

/// How a fulfilment ended. What was done, withheld and missed stands beside it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Some was done; what is withheld or missing is named.
    Partly,
    /// Every source answered, and none holds anything.
    NothingFound,
    /// No source can do this.
    Unsupported,
    /// Nothing was done, because sources failed.
    Failed,
    /// Stopped before anything was changed.
    Cancelled,
}

/// What a human's review of an automated decision came to (GDPR Art. 22(3)).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The decision stands.
    Upheld,
    /// The decision was changed.
    Changed,
}

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// Answered, with this outcome of the work.
    Answered(Outcome),
    /// Refused on a ground.
    Refused(Ground),
    /// Taken back by the person.
    Withdrawn,
    /// The person did not answer what was needed, in the time set for it.
    Expired,
    /// The same as an open request, and carried on there.
    Joined(RequestId),
}

/// How sure an erasure is, from weak to strong. Nothing claims a higher level than it has shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Assurance {
    /// Soft-deleted: restorable until a fixed instant.
    Hidden,
    /// What is left no longer relates to a person.
    Anonymised,
    /// The rows are gone for every query.
    Deleted,
    /// Also gone from the file: free pages, write-ahead log, dead rows.
    Purged,
    /// The key is destroyed, copies and backups included.
    Shredded,
    /// Backups that hold it expire on a date.
    AgedOut,
}

/// How deep was searched for what an erasure left, from shallow to deep.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SearchDepth {
    /// By all that is known to lead to the person's rows.
    #[default]
    ByPath,
    /// Also by value: what identifies the person was looked for wherever text can stand.
    ByValue,
}

impl SearchDepth {
    /// Whether no values were looked for.
    pub fn is_by_path(&self) -> bool {
        *self == Self::ByPath
    }
}

/// A number of rows in a collection.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCount {
    /// The collection, as the source names it.
    pub collection: String,
    /// How many rows.
    pub rows: u64,
}

impl RowCount {
    /// So many rows of a collection.
    pub fn new(collection: impl Into<String>, rows: u64) -> Self {
        Self {
            collection: collection.into(),
            rows,
        }
    }
}

/// Rows that could not be served.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingRows {
    /// The collection, where it is only one.
    pub collection: Option<String>,
    /// How many rows, where that is known.
    pub rows: Option<u64>,
    /// Why.
    pub failure: Failure,
}

/// Rows that must be kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithheldRows {
    /// The collection, as the source names it.
    pub collection: String,
    /// How many rows.
    pub rows: u64,
    /// On which ground.
    pub ground: Ground,
    /// Until when.
    pub until: Until,
    /// Whether they are restricted meanwhile: kept, and not otherwise used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
}

/// By what a port recognises work it answered *pending* to. Chosen by the port; not personal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub String);

/// Work that goes on outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// By what the port recognises the work when it is asked again.
    pub handle: Handle,
    /// When to ask again.
    pub look_again: DateTime<Utc>,
    /// What a person has to do, where a person does it.
    pub task: Option<Task>,
}

/// A task for a person, for systems without an interface. Says where and what, never who it is
/// about: the host shows the sealed identifiers beside it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What to do, in the host's words.
    pub title: String,
}
