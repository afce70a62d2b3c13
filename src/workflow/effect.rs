//! What the engine must do for a request, and when it must look again.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{KeyedDigest, PartyId, SourceId};

/// Who a step of the work is for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A source of personal data.
    Source(SourceId),
    /// A processor or another recipient.
    Recipient(PartyId),
    /// The request itself: its locks, its package, its review.
    Request,
}

impl Target {
    /// Its kind and its name, e.g. `source/crm`: a source and a recipient may be called the same.
    pub fn name(&self) -> String {
        match self {
            Self::Source(id) => format!("source/{id}"),
            Self::Recipient(id) => format!("recipient/{id}"),
            Self::Request => "request".to_owned(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(id) => id.fmt(f),
            Self::Recipient(id) => id.fmt(f),
            Self::Request => f.write_str("request"),
        }
    }
}

impl Task {
    /// The snake-case name, as policies see it.
    pub fn name(self) -> String {
        super::table::snake(&format!("{self:?}"))
    }
}

/// What a step does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Task {
    /// Find the person in a source.
    Locate,
    /// Say what would be done in a source, and write nothing.
    Plan,
    /// Take the locks that reading needs.
    LockToRead,
    /// Take the locks that writing needs.
    LockToWrite,
    /// Read a source out into its spool.
    Read,
    /// Make the package of the spools.
    Pack,
    /// Hand the package to another controller.
    Transmit,
    /// Restrict the rows of a source.
    Restrict,
    /// Lift that restriction.
    Unrestrict,
    /// Correct a source.
    Rectify,
    /// Check that a source is corrected.
    Verify,
    /// Erase from a source.
    Erase,
    /// Search a source for what is left.
    Search,
    /// Tell a recipient.
    Inform,
    /// End uses of the person's data, in a source or at a recipient.
    Stop,
    /// Have a human review an automated decision.
    Review,
}

/// A letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Letter {
    /// The request was received.
    Acknowledgement,
    /// Who are you?
    IdentityRequest,
    /// What exactly do you want?
    ClarificationRequest,
    /// A fee is due.
    FeeRequest,
    /// The answer takes longer, and why.
    Extension,
    /// Please confirm the erasure.
    ConfirmationRequest,
    /// We do not do it, and why.
    Refusal,
    /// The answer.
    Response,
    /// The outcome of an appeal.
    AppealDecision,
    /// The request ended because nothing was heard.
    Expiry,
    /// The restriction is about to be lifted (GDPR Art. 18(3)).
    RestrictionLifted,
}

impl Letter {
    /// The snake-case name, as notifiers see it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::IdentityRequest => "identity_request",
            Self::ClarificationRequest => "clarification_request",
            Self::FeeRequest => "fee_request",
            Self::Extension => "extension",
            Self::ConfirmationRequest => "confirmation_request",
            Self::Refusal => "refusal",
            Self::Response => "response",
            Self::AppealDecision => "appeal_decision",
            Self::Expiry => "expiry",
            Self::RestrictionLifted => "restriction_lifted",
        }
    }
}

/// Something to be done outside, through a port. Committed with the events that cause it and
/// performed at least once, under its key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Effect {
    /// Send a letter.
    Notify(Letter),
    /// Ask the person for evidence of who they are.
    Challenge,
    /// A step of the work. `round` grows each time the same step is done anew.
    Step {
        /// What to do.
        task: Task,
        /// For whom.
        target: Target,
        /// How often this task was begun for the request.
        round: u32,
    },
    /// Delete the package and its spools.
    DeletePackage,
    /// Destroy the request's key and its parts.
    Shred,
    /// Delete the request.
    Delete,
}

/// Names an effect of a request for ever, e.g. `erase/source/crm/1`: the request's id is put before it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectKey(pub String);

impl Effect {
    /// The key of this effect when it is committed with the event of that sequence.
    pub(crate) fn key(&self, sequence: u64) -> EffectKey {
        let name = |value: &dyn fmt::Debug| super::table::snake(&format!("{value:?}"));
        EffectKey(match self {
            Self::Notify(letter) => format!("notify/{}/{sequence}", name(letter)),
            Self::Step {
                task,
                target,
                round,
            } => format!("{}/{}/{round}", task.name(), target.name()),
            Self::Challenge => format!("challenge/{sequence}"),
            // Once when it is refused, and once when its period ends.
            Self::DeletePackage => format!("delete_package/{sequence}"),
            other => name(other),
        })
    }
}

/// An instant at which a request must be looked at again. One of each kind can be set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Timer {
    /// The deadline of the answer passes.
    Deadline,
    /// A reminder before it falls due.
    Reminder,
    /// The person has not answered.
    Expiry,
    /// The erasure can no longer be undone.
    Grace,
    /// Something withheld may go.
    Tail,
    /// The time for an appeal is over.
    Appeal,
    /// The package is no longer kept.
    Package,
    /// What is personal in the request is no longer kept.
    Personal,
    /// The request is no longer kept.
    Request,
    /// The last day to confirm receipt is over.
    Acknowledgement,
    /// The last day to refuse is over.
    Refusal,
    /// The last day to announce an extension is over.
    Extension,
    /// The last day to decide an appeal is over.
    AppealDecision,
}

/// What a decision does to a timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimerChange {
    /// Sets it, replacing an earlier one.
    Set(Timer, DateTime<Utc>),
    /// Clears it.
    Clear(Timer),
}

/// What a decision does to the locks on the person's rows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Locks {
    /// Nothing.
    #[default]
    Keep,
    /// Takes them, or the decision must not be committed.
    Take {
        /// What is locked: digests over source and locator, sorted.
        keys: Vec<KeyedDigest>,
        /// Whether it is to write.
        exclusive: bool,
    },
    /// Gives all of them back.
    Release,
}
