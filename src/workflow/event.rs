//! What happened to a request: events, their envelope, and how they are written for ever.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    Actor, Assurance, Channel, ControllerId, Digest, End, Ground, IdentifierKind, IntakeId,
    KeyedDigest, MissingRows, Outcome, PartyId, Pending, RequestId, Right, RowCount, SearchDepth,
    SourceId, Use, Verdict, WithheldRows,
};

use super::clock::Clock;
use super::effect::{EffectKey, Letter, Target, Task, Timer};
use super::fulfilment::phase::Phase;

/// The schema that this release writes. Older ones are read forward, newer ones refused.
pub const SCHEMA: u16 = 1;

/// The largest encoded event, in bytes: what is larger belongs into a part.
pub const MAX_EVENT: usize = 64 * 1024;

/// A large thing that lies beside the events, sealed: located keys, a plan, identifiers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRef {
    /// Its name within the request.
    pub name: String,
    /// In how many chunks it is stored.
    pub chunks: u32,
    /// SHA-256 of its clear content.
    pub digest: Digest,
}

/// A source as it was when the work began.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// Which source.
    pub id: SourceId,
    /// By what it can search.
    pub accepts: Vec<IdentifierKind>,
    /// Whose erasure must be finished before this one's begins.
    pub erase_after: Vec<SourceId>,
}

/// What a step of the work found or did. Counts, digests and codes only.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Finding {
    /// The locks were taken, a recipient confirmed: there is nothing more to say.
    Nothing,
    /// A person was searched.
    Located {
        /// How many rows each collection holds.
        rows: Vec<RowCount>,
        /// The sealed locators; `None` when nothing was found.
        locators: Option<PartRef>,
        /// Digests over source and locator, for the locks.
        keys: Vec<KeyedDigest>,
        /// All identifiers known now and the kinds of the new ones, when there are any.
        identified: Option<(PartRef, Vec<IdentifierKind>)>,
        /// Until how far back was searched.
        horizon: Option<DateTime<Utc>>,
    },
    /// A plan was made.
    Planned {
        /// The sealed plan.
        part: PartRef,
        /// What an approval relies on.
        digest: Digest,
        /// How many rows will change.
        rows: Vec<RowCount>,
        /// How many will be kept, and why.
        withheld: Vec<WithheldRows>,
        /// Which of the wished corrections find no place there, counted from 0.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        untaken: Vec<u32>,
    },
    /// A source was read into its spool.
    Read {
        /// The sealed report of the spool.
        spool: PartRef,
        /// How many rows.
        rows: Vec<RowCount>,
        /// What was kept back.
        withheld: Vec<WithheldRows>,
    },
    /// The package was written.
    Packed {
        /// Its size in bytes.
        bytes: u64,
        /// Its SHA-256.
        digest: Digest,
        /// The artifact's name within the request. Events written before there were names have
        /// none: theirs is `package.zip`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Rows were corrected or restricted.
    Changed {
        /// How many.
        rows: Vec<RowCount>,
    },
    /// Rows were erased.
    Erased {
        /// How many.
        rows: Vec<RowCount>,
        /// What was kept back.
        withheld: Vec<WithheldRows>,
        /// How sure it is.
        assurance: Assurance,
    },
    /// A search or a check after the work: what is not as it should be.
    Left {
        /// How many rows.
        rows: Vec<RowCount>,
        /// How deep was searched.
        #[serde(default, skip_serializing_if = "SearchDepth::is_by_path")]
        depth: SearchDepth,
    },
    /// Uses ended, for what is there and for what may come.
    Stopped {
        /// How many rows there are.
        rows: Vec<RowCount>,
        /// All identifiers known now and the kinds of the new ones, when there are any.
        identified: Option<(PartRef, Vec<IdentifierKind>)>,
    },
    /// A human reviewed the decision.
    Reviewed {
        /// What it came to.
        verdict: Verdict,
    },
}

impl Finding {
    /// What else identifies the person came to light with it.
    pub(super) const fn identified(&self) -> Option<&(PartRef, Vec<IdentifierKind>)> {
        match self {
            Self::Located { identified, .. } | Self::Stopped { identified, .. } => {
                identified.as_ref()
            }
            _ => None,
        }
    }
}

/// How a step ended, or goes on.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum StepResult {
    /// It was done; what is missing is named.
    Done {
        /// What was found or done.
        finding: Finding,
        /// What was not.
        missing: Vec<MissingRows>,
    },
    /// The target cannot do this.
    Unsupported,
    /// It goes on outside.
    Pending(Pending),
    /// It failed for good.
    Failed(crate::model::Failure),
}

impl StepResult {
    /// A step that did all of it.
    pub const fn done(finding: Finding) -> Self {
        Self::Done {
            finding,
            missing: Vec::new(),
        }
    }
}

/// What is known when a request comes in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The intake it was part of.
    pub intake: IntakeId,
    /// The right that is exercised.
    pub right: Right,
    /// On which channel it came.
    pub channel: Channel,
    /// When it was received: the clock starts from it. Not after the event's own instant.
    pub received_at: DateTime<Utc>,
    /// By what the person is recognised.
    pub person: Vec<KeyedDigest>,
    /// Which kinds of identifiers were given.
    pub kinds: Vec<IdentifierKind>,
    /// The sealed identifiers.
    pub identifiers: PartRef,
    /// The sealed corrections, for a rectification.
    pub corrections: Option<PartRef>,
    /// To whom an export is handed over, when not to the person.
    pub deliver_to: Option<PartyId>,
    /// Which uses should end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// Another erasure of this person that was open then, and knew less of who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<RequestId>,
    /// The law it runs under, and its deadlines.
    pub clock: Clock,
}

/// What happened. Written as `{"name": …}`; names and fields stay for ever.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Event {
    /// A request came in.
    Received(Box<Received>),
    /// The person was asked who they are.
    IdentityRequested,
    /// An answer to that is about to be checked; counted before it is.
    IdentityAttempted,
    /// It was not good enough.
    IdentityRejected,
    /// The person is who they say.
    IdentityConfirmed,
    /// More is known of who the person is.
    IdentifiersAdded {
        /// All that identifies them now, sealed.
        identifiers: PartRef,
        /// The kinds of the new ones.
        kinds: Vec<IdentifierKind>,
    },
    /// The person was asked what exactly they want.
    ClarificationRequested,
    /// They said so.
    ClarificationReceived,
    /// A fee was charged.
    FeeRequested {
        /// The amount in the currency's smallest unit.
        minor_units: u64,
        /// ISO 4217 code.
        currency: String,
        /// Why, where the law lists grounds for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ground: Option<Ground>,
    },
    /// It was paid.
    FeePaid,
    /// It was waived.
    FeeWaived,
    /// The deadline was extended.
    Extended {
        /// Why.
        ground: Ground,
        /// The date that was promised, where the law sets no length.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    /// The deadlines are these from now on.
    ClockMoved(Box<Clock>),
    /// The request will be carried out.
    Approved,
    /// The request is carried out at once: the law leaves nothing to decide.
    Granted,
    /// The request will not be carried out.
    Refused {
        /// Why.
        ground: Ground,
    },
    /// The work began.
    Started {
        /// The sources that must answer.
        sources: Vec<SourceInfo>,
        /// The recipients that must be told.
        recipients: Vec<PartyId>,
    },
    /// The work entered a phase; its steps are open.
    Entered {
        /// Which one.
        phase: Phase,
    },
    /// A step was answered.
    StepAnswered {
        /// Which kind of step.
        task: Task,
        /// Whose.
        target: Target,
        /// How it ended, or goes on.
        result: StepResult,
    },
    /// A step is open again: more identifiers are known.
    StepReopened {
        /// Whose.
        target: Target,
    },
    /// A step cannot begin, because another it depends on failed.
    StepBlocked {
        /// Whose.
        target: Target,
    },
    /// The plan was approved.
    PlanApproved {
        /// What the approval relies on.
        digest: Digest,
    },
    /// The plan does not hold any more; it must be approved anew.
    PlanChanged,
    /// The person confirmed the erasure once more.
    Confirmed,
    /// The erasure can be undone until then.
    GraceGranted {
        /// The fixed instant.
        until: DateTime<Utc>,
    },
    /// Something is withheld until then; with `None`, until a hold is lifted or for good.
    Withholding {
        /// The instant from which something may go, or at which it is tried again.
        until: Option<DateTime<Utc>>,
        /// Whether it only rests, to try again what did not work.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// The data is restricted, and stays so until somebody lifts it.
    Restricted {
        /// How far that succeeded.
        outcome: Outcome,
    },
    /// The work was stopped before it changed anything.
    Cancelled,
    /// A legal hold was lifted: what it kept may go.
    HoldLifted,
    /// Somebody left what is missing as it is.
    LeftAsItIs,
    /// The work ended.
    Ended {
        /// How.
        outcome: Outcome,
    },
    /// The outcome was looked at, and the work is taken up again.
    Reworked,
    /// The answer may go out.
    Released,
    /// A letter went out.
    LetterSent {
        /// Which one.
        letter: Letter,
    },
    /// A letter could not be sent.
    LetterFailed {
        /// Which one.
        letter: Letter,
        /// Why.
        failure: crate::model::Failure,
    },
    /// A letter is on its way, by hand.
    LetterPending {
        /// Which one.
        letter: Letter,
        /// When to look again.
        pending: Pending,
    },
    /// A letter that could not be sent is tried again.
    LetterResent {
        /// Which one.
        letter: Letter,
    },
    /// The person appealed.
    Appealed,
    /// The appeal was decided.
    AppealDecided {
        /// In the person's favour.
        granted: bool,
    },
    /// The deadline comes near.
    DeadlineNear,
    /// The deadline passed without an answer.
    DeadlinePassed {
        /// The first instant that was late.
        at: DateTime<Utc>,
    },
    /// The last day of a letter passed without it: a confirmation of receipt, a refusal that was
    /// decided or a decision on an appeal is late; an extension that was decided never took effect.
    LetterOverdue {
        /// Which one.
        letter: Letter,
        /// The first instant that was late.
        at: DateTime<Utc>,
    },
    /// The request came to its end.
    Closed {
        /// Which one.
        end: End,
    },
    /// The package was deleted.
    PackageDeleted,
    /// What was personal in the request is gone: its key was destroyed.
    Shredded,
    /// The person did not answer in the time they were given. Staff decides what follows.
    Unanswered,
    /// The person could not be asked for evidence of who they are.
    ChallengeFailed {
        /// Why.
        failure: crate::model::Failure,
    },
    /// They are asked for it once more.
    ChallengedAgain,
    /// Another request for the same is carried on in this one.
    JoinedBy {
        /// That request.
        request: RequestId,
    },
    /// Fraud is suspected, and nobody can tell who asks: under some laws the clock stands still.
    FraudSuspected,
    /// The results of an examination were announced: under some laws the clock starts with that.
    ResultsAnnounced {
        /// When.
        at: DateTime<Utc>,
    },
    /// The decision on the appeal takes longer.
    AppealExtended {
        /// Why.
        ground: Ground,
    },
    /// Somebody lets what was set aside be tried again.
    Resumed,
    /// The same, after what was stored of the request was made anew from its events.
    Repaired,
}

/// Why something happened.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Somebody's command.
    Command,
    /// A timer that fired.
    Timer(Timer),
    /// An effect that was performed.
    Effect(EffectKey),
}

/// An event with all that is the same for every event.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The schema it was written in.
    pub schema: u16,
    /// Whose request.
    pub controller: ControllerId,
    /// Which request.
    pub request: RequestId,
    /// Its place in the request's history, from 1.
    pub sequence: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who caused it.
    pub actor: Actor,
    /// What caused it.
    pub cause: Cause,
    /// The digest of the event before it; zeros for the first.
    pub previous: Digest,
    /// What happened.
    pub event: Event,
}

/// Why an event cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Larger than [`MAX_EVENT`].
    #[error("an event of {bytes} bytes; {MAX_EVENT} are accepted, the rest belongs into a part")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Written by a newer release.
    #[error("an event of schema {found}; this release reads up to {SCHEMA}")]
    UnknownSchema {
        /// What it says.
        found: u16,
    },
    /// Not an event of its schema: damaged, or of an unknown type.
    #[error("a stored event cannot be read (at byte {at})")]
    Malformed {
        /// Where reading stopped.
        at: usize,
    },
    /// The events do not follow each other: one is missing, altered or moved.
    #[error("the history is broken at event {sequence}")]
    Broken {
        /// The first that does not fit.
        sequence: u64,
    },
}

impl Envelope {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let bytes = serde_json::to_vec(self).map_err(|_| CodecError::Malformed { at: 0 })?;
        if bytes.len() > MAX_EVENT {
            return Err(CodecError::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads what `encode` wrote, in this release or an earlier one.
    ///
    /// # Errors
    /// [`CodecError::UnknownSchema`] and [`CodecError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: u16,
        }
        match serde_json::from_slice::<Self>(bytes) {
            Ok(envelope) if envelope.schema == SCHEMA => Ok(envelope),
            read => match serde_json::from_slice::<Schema>(bytes) {
                Ok(Schema { schema }) if schema != SCHEMA => {
                    Err(CodecError::UnknownSchema { found: schema })
                }
                _ => Err(CodecError::Malformed {
                    at: read.err().map_or(0, |error| error.column()),
                }),
            },
        }
    }
}

/// An encoded event and its digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// Its place in the history.
    pub sequence: u64,
    /// SHA-256 of `bytes`.
    pub digest: Digest,
    /// What is stored.
    pub bytes: Vec<u8>,
}

/// Chains new events to the last stored one (`head`) and encodes them.
///
/// # Errors
/// Those of [`Envelope::encode`].
pub fn chain(envelopes: &mut [Envelope], mut head: Digest) -> Result<Vec<Encoded>, CodecError> {
    envelopes
        .iter_mut()
        .map(|envelope| {
            envelope.previous = head;
            let bytes = envelope.encode()?;
            head = Digest::of(&bytes);
            Ok(Encoded {
                sequence: envelope.sequence,
                digest: head,
                bytes,
            })
        })
        .collect()
}
