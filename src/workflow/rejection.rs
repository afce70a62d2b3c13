//! Why a command is not carried out.

use chrono::{DateTime, Utc};

use crate::law::{ClockError, GroundError};
use crate::model::{Digest, RequestId, Right};

/// Why a command is not carried out. The request stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The command is not open in this phase.
    #[error("`{command}` is not open in phase `{phase}`; open are: {open}")]
    NotNow {
        /// What was asked.
        command: String,
        /// Where it stands.
        phase: String,
        /// What is open, separated by commas.
        open: String,
    },
    /// The actor may never give this command.
    #[error("this actor may not `{command}`")]
    WrongActor {
        /// What was asked.
        command: String,
    },
    /// The plan must be approved by somebody other than who approved the request.
    #[error("the plan must be approved by a second member of staff")]
    FourEyes,
    /// The person has tried too often to show who they are.
    #[error("{limit} attempts are accepted; staff can still confirm the identity by other means")]
    TooManyAttempts {
        /// How many are accepted.
        limit: u32,
    },
    /// Nothing is carried out before the person is known.
    #[error("the person's identity is not confirmed; confirm it first")]
    NotIdentified,
    /// The plan shown is not the plan now.
    #[error("the plan has changed since it was shown: approve {current}")]
    PlanChanged {
        /// The digest of the plan now.
        current: Digest,
    },
    /// It can be done once only.
    #[error("a request can `{what}` once only")]
    Once {
        /// What was asked.
        what: &'static str,
    },
    /// The law of this request knows no extension.
    #[error("the law of this request knows no extension of this deadline")]
    NoExtension,
    /// The law of this request has no clock that this would move.
    #[error("the law of this request knows no clock that {what} moves")]
    MovesNothing {
        /// What was said.
        what: &'static str,
    },
    /// The law wants this refusal reviewed by somebody who did not decide it.
    #[error("this refusal is reviewed by somebody other than who decided it")]
    SameReviewer,
    /// The extension would have had to be announced earlier.
    #[error("an extension had to be announced before {until}")]
    ExtensionTooLate {
        /// The first instant that was late.
        until: DateTime<Utc>,
    },
    /// The person was not told of the extension before it.
    #[error("the letter of the extension before this one must be out first")]
    ExtensionUntold,
    /// Too much has been done already.
    #[error("too late: {done}")]
    TooLate {
        /// What has been done.
        done: &'static str,
    },
    /// Another request is carried on in this one: without it, nobody would answer that one.
    #[error("request {by} is carried on in this one; only staff can withdraw both")]
    Joined {
        /// The other request.
        by: RequestId,
    },
    /// The work does not wait for this step.
    #[error("the work does not wait for `{step}`")]
    NoSuchStep {
        /// Which step was named.
        step: String,
    },
    /// The result is of another kind than the step.
    #[error("`{step}` cannot be answered with that kind of result")]
    WrongResult {
        /// Which step.
        step: String,
    },
    /// A value is not of the accepted form.
    #[error("{what} is not of the accepted form: {accepted}")]
    Malformed {
        /// What it is.
        what: &'static str,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// The law of this request does not give that ground for that.
    #[error(transparent)]
    UnknownGround(#[from] GroundError),
    /// A fee without a ground, under a law that lists on which one may be charged.
    #[error("a fee needs a ground; the law gives: {known}")]
    NoGround {
        /// The grounds that would be accepted, separated by commas.
        known: String,
    },
    /// Received later than now.
    #[error("received at {received_at}, which is later than now ({now})")]
    InTheFuture {
        /// When it is said to have been received.
        received_at: DateTime<Utc>,
        /// The present instant.
        now: DateTime<Utc>,
    },
    /// No machine carries out this right.
    #[error("`{right}` cannot be carried out; it is none of the rights that are built in")]
    UnsupportedRight {
        /// Which right.
        right: Right,
    },
    /// The law gives no answer.
    #[error(transparent)]
    Law(#[from] ClockError),
}
