//! What can be commanded in the legal course, and by whom.

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::{Actor, Failure, Ground, IdentifierKind, Pending};
use crate::workflow::effect::Letter;
use crate::workflow::event::PartRef;

use super::phase::On;

/// Something in the legal course is to happen. See [`On`] for what each means.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // every variant is described at `On`
pub enum Command {
    RequestIdentity,
    Challenge,
    ChallengeFailed {
        /// Why.
        failure: Failure,
    },
    AttemptIdentity,
    RejectIdentity,
    ConfirmIdentity,
    AddIdentifiers {
        /// All that are known now, sealed.
        identifiers: PartRef,
        /// The kinds of the new ones.
        kinds: Vec<IdentifierKind>,
    },
    AskClarification,
    Clarify,
    ChargeFee {
        /// The amount in the currency's smallest unit.
        minor_units: u64,
        /// ISO 4217 code.
        currency: String,
        /// Why: needed where the law lists the grounds for it.
        ground: Option<Ground>,
    },
    PayFee,
    WaiveFee,
    Extend {
        /// Why.
        ground: Ground,
        /// Until when: the date that the letter promises, under laws that set no length.
        until: Option<NaiveDate>,
    },
    Approve,
    Refuse {
        /// Why.
        ground: Ground,
    },
    Rework,
    Leave,
    Release,
    Resend {
        /// Which letter.
        letter: Letter,
    },
    LetterSent {
        /// Which letter.
        letter: Letter,
    },
    LetterFailed {
        /// Which letter.
        letter: Letter,
        /// Why.
        failure: Failure,
    },
    LetterPending {
        /// Which letter.
        letter: Letter,
        /// When to look again.
        pending: Pending,
    },
    Appeal,
    DecideAppeal {
        /// In the person's favour.
        granted: bool,
    },
    ExtendAppeal {
        /// Why.
        ground: Ground,
    },
    SuspectFraud,
    AnnounceResults {
        /// When they were announced.
        at: DateTime<Utc>,
    },
    Withdraw,
    Join {
        /// The open request.
        into: crate::model::RequestId,
    },
    JoinedBy {
        /// The request that is carried on here.
        request: crate::model::RequestId,
    },
    /// The package and its spools were deleted.
    PackageDeleted,
    /// The key was destroyed.
    Shredded,
}

impl Command {
    /// Its kind, as the table knows it.
    pub const fn on(&self) -> On {
        match self {
            Self::RequestIdentity => On::RequestIdentity,
            Self::Challenge => On::Challenge,
            Self::ChallengeFailed { .. } => On::ChallengeFailed,
            Self::AttemptIdentity => On::AttemptIdentity,
            Self::RejectIdentity => On::RejectIdentity,
            Self::ConfirmIdentity => On::ConfirmIdentity,
            Self::AddIdentifiers { .. } => On::AddIdentifiers,
            Self::AskClarification => On::AskClarification,
            Self::Clarify => On::Clarify,
            Self::ChargeFee { .. } => On::ChargeFee,
            Self::PayFee => On::PayFee,
            Self::WaiveFee => On::WaiveFee,
            Self::Extend { .. } => On::Extend,
            Self::Approve => On::Approve,
            Self::Refuse { .. } => On::Refuse,
            Self::Rework => On::Rework,
            Self::Leave => On::Leave,
            Self::Release => On::Release,
            Self::Resend { .. } => On::Resend,
            Self::LetterSent { .. } | Self::LetterFailed { .. } | Self::LetterPending { .. } => {
                On::LetterAnswered
            }
            Self::Appeal => On::Appeal,
            Self::DecideAppeal { .. } => On::DecideAppeal,
            Self::ExtendAppeal { .. } => On::ExtendAppeal,
            Self::SuspectFraud => On::SuspectFraud,
            Self::AnnounceResults { .. } => On::AnnounceResults,
            Self::Withdraw => On::Withdraw,
            Self::Join { .. } => On::Join,
            Self::JoinedBy { .. } => On::JoinedBy,
            Self::PackageDeleted | Self::Shredded => On::Sweep,
        }
    }

    /// Who may give it, whatever the host's policy adds.
    pub(super) fn permits(&self, actor: &Actor) -> bool {
        use Actor::{Agent, Controller, Engine, Host, Person, Staff};
        match self.on() {
            On::AddIdentifiers | On::Clarify | On::Withdraw => {
                matches!(actor, Person | Agent(_) | Staff(_) | Host)
            }
            On::Appeal => matches!(actor, Person | Agent(_) | Staff(_)),
            On::AttemptIdentity => matches!(actor, Person | Agent(_)),
            On::RejectIdentity => matches!(actor, Engine | Staff(_)),
            On::ConfirmIdentity => matches!(actor, Engine | Staff(_) | Host),
            On::Join => matches!(actor, Engine | Staff(_)),
            On::LetterAnswered => matches!(actor, Engine | Staff(_)),
            On::Rework => matches!(actor, Staff(_) | Host | Controller(_) | Engine),
            On::JoinedBy | On::ChallengeFailed | On::Report | On::Fire | On::Sweep => {
                matches!(actor, Engine)
            }
            On::PayFee | On::RequestIdentity | On::Challenge => matches!(actor, Staff(_) | Host),
            On::AskClarification
            | On::ChargeFee
            | On::WaiveFee
            | On::Extend
            | On::ExtendAppeal
            | On::SuspectFraud
            | On::AnnounceResults
            | On::Approve
            | On::Refuse
            | On::Leave
            | On::Release
            | On::Resend
            | On::DecideAppeal => matches!(actor, Staff(_) | Host | Controller(_)),
        }
    }
}
