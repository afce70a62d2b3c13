//! Where a request stands in its legal course, and what can happen to it there.

use serde::{Deserialize, Serialize};

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// It came in; nobody knows yet whether it is the person.
    Received,
    /// The person was asked who they are.
    Identity,
    /// Somebody decides whether it is carried out.
    Assessment,
    /// The person was asked what exactly they want.
    Clarification,
    /// The person was asked for a fee.
    Fee,
    /// It is carried out.
    Fulfilment,
    /// Somebody looks at the outcome before it goes out.
    Review,
    /// The answer is on its way.
    Response,
    /// The person has the answer, and may appeal.
    Answered,
    /// An appeal is being decided.
    Appeal,
    /// It came to its end.
    Closed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 11] = [
        Self::Received,
        Self::Identity,
        Self::Assessment,
        Self::Clarification,
        Self::Fee,
        Self::Fulfilment,
        Self::Review,
        Self::Response,
        Self::Answered,
        Self::Appeal,
        Self::Closed,
    ];
}

/// The kinds of commands that this machine knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum On {
    /// Ask the person who they are.
    RequestIdentity,
    /// Ask them for evidence once more.
    Challenge,
    /// They could not be asked for it (from the engine).
    ChallengeFailed,
    /// Count an answer to that, before it is checked.
    AttemptIdentity,
    /// The answer was not good enough.
    RejectIdentity,
    /// The person is who they say.
    ConfirmIdentity,
    /// Add what else identifies the person.
    AddIdentifiers,
    /// Ask what exactly is wanted.
    AskClarification,
    /// Say so.
    Clarify,
    /// Charge a fee.
    ChargeFee,
    /// It was paid.
    PayFee,
    /// Do without it.
    WaiveFee,
    /// Announce that the answer takes longer.
    Extend,
    /// Carry it out.
    Approve,
    /// Do not carry it out.
    Refuse,
    /// Take the work up again.
    Rework,
    /// Leave what is missing as it is, after the answer.
    Leave,
    /// Let the answer go out.
    Release,
    /// Send a letter again that could not be sent.
    Resend,
    /// A letter went out, or did not.
    LetterAnswered,
    /// Appeal against the answer.
    Appeal,
    /// Decide the appeal.
    DecideAppeal,
    /// Announce that the decision on the appeal takes longer.
    ExtendAppeal,
    /// Say that fraud is suspected and nobody can tell who asks.
    SuspectFraud,
    /// Say that the results of an examination were announced.
    AnnounceResults,
    /// Take the request back.
    Withdraw,
    /// Carry it on in an open request for the same.
    Join,
    /// Another one is carried on in it (from the engine).
    JoinedBy,
    /// The work came to an outcome, or begins to wait (from the fulfilment).
    Report,
    /// What was held was swept (from the engine).
    Sweep,
    /// A timer fired.
    Fire,
}

impl On {
    /// Every kind.
    pub const ALL: [Self; 31] = [
        Self::RequestIdentity,
        Self::Challenge,
        Self::ChallengeFailed,
        Self::AttemptIdentity,
        Self::RejectIdentity,
        Self::ConfirmIdentity,
        Self::AddIdentifiers,
        Self::AskClarification,
        Self::Clarify,
        Self::ChargeFee,
        Self::PayFee,
        Self::WaiveFee,
        Self::Extend,
        Self::Approve,
        Self::Refuse,
        Self::Rework,
        Self::Leave,
        Self::Release,
        Self::Resend,
        Self::LetterAnswered,
        Self::Appeal,
        Self::DecideAppeal,
        Self::ExtendAppeal,
        Self::SuspectFraud,
        Self::AnnounceResults,
        Self::Withdraw,
        Self::Join,
        Self::JoinedBy,
        Self::Report,
        Self::Sweep,
        Self::Fire,
    ];

    /// Whether somebody can command it, rather than the work, a timer or the engine.
    pub const fn is_command(self) -> bool {
        !matches!(
            self,
            Self::ChallengeFailed | Self::JoinedBy | Self::Report | Self::Sweep | Self::Fire
        )
    }
}
