//! What can go wrong with a call to the engine.

use crate::law::ClockError;
use crate::model::{ControllerId, Failure, IdentifierError, RequestId};
use crate::ports::{Denied, PortError, StoreError, VaultError};
use crate::workflow::{CodecError, FoldError, Letter, Rejection};

/// Why the engine did not do what it was asked. Nothing is half-written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No such request for this controller.
    #[error("there is no request {0} for this controller")]
    UnknownRequest(RequestId),
    /// The engine was not told of this controller.
    #[error("the engine does not serve controller {0}; add it when the engine is built")]
    UnknownController(ControllerId),
    /// The controller's law has no table, or not at that time.
    #[error("no regime `{0}` is in force for this request; add it to the controller's regimes")]
    UnknownRegime(String),
    /// The workflow refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The host's policy refused.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// An identifier cannot identify.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// There is nothing to ask for, or nobody to ask about.
    #[error("an intake needs {0}")]
    EmptyIntake(&'static str),
    /// More identifiers than one person can have.
    #[error("more identifiers than one person has; {accepted} are accepted")]
    TooManyIdentifiers {
        /// How many are accepted.
        accepted: usize,
    },
    /// An export is to go to somebody to whom no gateway leads.
    #[error("no gateway leads to `{0}`; add it when the engine is built")]
    UnknownRecipient(crate::model::PartyId),
    /// Something panicked where only the request could be left alone: the clock, or our own code.
    #[error("a port panicked; the request rests until its lease runs out")]
    Panicked,
    /// The store failed, or somebody else was faster too often.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The law cannot compute a deadline.
    #[error(transparent)]
    Law(#[from] ClockError),
    /// A letter leaves out what the law demands.
    #[error(transparent)]
    Unsaid(#[from] Unsaid),
    /// What is stored cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// What is stored is no history.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// What is stored of a request was written by a newer release: it is left as it is.
    #[error("the {what} of request {request} has schema {found}; this release reads up to {known}")]
    UnknownSchema {
        /// Which piece.
        what: &'static str,
        /// Of which request.
        request: RequestId,
        /// What it says.
        found: u16,
        /// The newest that is read.
        known: u16,
    },
    /// What is stored of a request is whole, with the schema of this release, and has something in it
    /// that is not known here: a newer release may have written it. It is left as it is.
    #[error(
        "the stored {what} of request {request} has something in it that this release does not know"
    )]
    Unfamiliar {
        /// Which piece.
        what: &'static str,
        /// Of which request.
        request: RequestId,
    },
    /// What is stored of a request is damaged.
    #[error("the stored {what} of request {request} cannot be read")]
    Unreadable {
        /// Which piece.
        what: &'static str,
        /// Of which request.
        request: RequestId,
    },
    /// The request has no such thing (yet).
    #[error("request {request} has no {what}")]
    Nothing {
        /// What was asked for.
        what: &'static str,
        /// Of which request.
        request: RequestId,
    },
}

impl EngineError {
    /// Whether somebody else changed the request in between: load it and decide again.
    pub(super) const fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict { .. }))
    }
}

/// A letter that leaves out what the law demands. It is not sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the letter `{}` must also say: {}; give it with `Controller::with_record` or `Controller::with_words`",
    .letter.name(), .missing.join(", ")
)]
#[non_exhaustive]
pub struct Unsaid {
    /// Which letter.
    pub letter: Letter,
    /// The items, or the words (`ground.<code>`), that are missing.
    pub missing: Vec<String>,
}

/// Why a letter was not sent: what it leaves out.
impl From<Unsaid> for Failure {
    fn from(unsaid: Unsaid) -> Self {
        Self::Unsaid(unsaid.missing)
    }
}
