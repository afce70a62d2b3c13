//! The machines: which right each one serves, where it begins, and what follows what.

use serde::{Deserialize, Serialize};

use crate::model::Right;
use crate::workflow::policy::Policy;
use crate::workflow::table::Table;

use super::{
    Fulfilment, Next, On, Phase, access, erasure, export, human_review, rectification, restriction,
    stop,
};

/// Which machine does the work.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Machine {
    /// Read everything into a package.
    Access,
    /// The same, and hand it over.
    Export,
    /// Correct, with old and new value.
    Rectification,
    /// Erase, and search for what is left.
    Erasure,
    /// Restrict, and lift it one day.
    Restriction,
    /// End uses of the data: objection, consent withdrawal, opt-out, limiting sensitive data.
    Stop,
    /// Have a human review an automated decision.
    HumanReview,
}

impl Machine {
    /// Every machine.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::Export,
        Self::Rectification,
        Self::Erasure,
        Self::Restriction,
        Self::Stop,
        Self::HumanReview,
    ];

    /// The machine of a right.
    pub const fn of(right: &Right) -> Option<Self> {
        Some(match right {
            Right::Access => Self::Access,
            Right::Export => Self::Export,
            Right::Rectification => Self::Rectification,
            Right::Erasure => Self::Erasure,
            Right::Restriction => Self::Restriction,
            Right::Objection | Right::ConsentWithdrawal | Right::OptOut | Right::LimitSensitive => {
                Self::Stop
            }
            Right::HumanReview => Self::HumanReview,
            Right::Custom(_) => return None,
        })
    }

    /// Its transition table.
    pub const fn table(self) -> &'static Table<Phase, On> {
        match self {
            Self::Access => &access::TABLE,
            Self::Export => &export::TABLE,
            Self::Rectification => &rectification::TABLE,
            Self::Erasure => &erasure::TABLE,
            Self::Restriction => &restriction::TABLE,
            Self::Stop => &stop::TABLE,
            Self::HumanReview => &human_review::TABLE,
        }
    }

    /// The phase in which it begins.
    pub const fn first(self) -> Phase {
        match self {
            Self::Stop => Phase::Stopping,
            Self::HumanReview => Phase::Reviewing,
            _ => Phase::Locating,
        }
    }

    /// What follows when a phase is through.
    pub(super) fn after(self, phase: Phase, work: &Fulfilment, policy: &Policy) -> Next {
        match self {
            Self::Access => access::after(phase, work),
            Self::Export => export::after(phase, work),
            Self::Rectification => rectification::after(phase, work, policy),
            Self::Erasure => erasure::after(phase, work, policy),
            Self::Restriction => restriction::after(phase, work),
            // One phase is all of it.
            Self::Stop | Self::HumanReview => Next::End,
        }
    }
}
