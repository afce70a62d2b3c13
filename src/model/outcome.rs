//! How things end: outcomes, what was withheld, what is missing, and how sure an erasure is.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{RequestId, SourceId};

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

/// Rows that were kept back, and why. Counts only; never a value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Withheld {
    /// Where they are.
    pub source: SourceId,
    /// The collection, as the source names it.
    pub collection: String,
    /// How many rows.
    pub rows: u64,
    /// On which ground.
    pub ground: Ground,
    /// Until when.
    pub until: Until,
}

/// Something that could not be done, and why. Counts and codes only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Missing {
    /// The source or recipient it concerns.
    pub source: SourceId,
    /// The collection, where it is only one.
    pub collection: Option<String>,
    /// How many rows, where that is known.
    pub rows: Option<u64>,
    /// Why.
    pub failure: Failure,
}

/// Why something was not done: a code, never a text with values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Rows were still found after the erasure.
    Residue,
    /// A code of the adapter's own, in snake case.
    Code(Cow<'static, str>),
}

/// How many rows of one collection were found, read, changed or erased.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Where.
    pub source: SourceId,
    /// The collection, as the source names it.
    pub collection: String,
    /// How many rows.
    pub rows: u64,
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
