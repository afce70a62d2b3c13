//! The phases of the work, and the kinds of commands that move it.

use serde::{Deserialize, Serialize};

use crate::workflow::effect::Task;

use super::Machine;

/// Where the work stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Sources search for the person.
    Locating,
    /// Sources say what they would do.
    Planning,
    /// The plan waits for approval.
    Approval,
    /// The person is asked once more.
    Confirmation,
    /// The erasure can still be undone.
    Grace,
    /// Waiting for other work about the same person to end.
    Queued,
    /// Sources say again what they would do: it must be what was approved.
    Checking,
    /// Disputed data is being restricted.
    Restricting,
    /// Sources are being read.
    Reading,
    /// The package is being made.
    Packing,
    /// The package is being handed to another controller.
    Sending,
    /// Sources are being corrected.
    Rectifying,
    /// Sources are asked whether they are as they should be.
    Verifying,
    /// The restriction is being lifted.
    Lifting,
    /// Sources are being erased.
    Erasing,
    /// Sources are searched for what is left.
    Searching,
    /// Recipients are being told.
    Informing,
    /// Something is kept until a date comes or a hold is lifted, or is tried again later.
    Withholding,
    /// The data is restricted, until somebody lifts it.
    Restricted,
    /// The person is being told that the restriction ends.
    Announcing,
    /// Uses of the data are being ended.
    Stopping,
    /// A human reviews a decision.
    Reviewing,
    /// It is over.
    Ended,
}

impl Phase {
    /// What the steps of this phase do; `None` for phases that wait for a person or a date.
    pub const fn task(self, machine: Machine) -> Option<Task> {
        Some(match self {
            Self::Locating => Task::Locate,
            Self::Planning | Self::Checking => Task::Plan,
            Self::Queued => match machine {
                Machine::Access | Machine::Export => Task::LockToRead,
                _ => Task::LockToWrite,
            },
            Self::Restricting => Task::Restrict,
            Self::Reading => Task::Read,
            Self::Packing => Task::Pack,
            Self::Sending => Task::Transmit,
            Self::Rectifying => Task::Rectify,
            Self::Verifying => Task::Verify,
            Self::Lifting => Task::Unrestrict,
            Self::Erasing => Task::Erase,
            Self::Searching => Task::Search,
            Self::Informing => Task::Inform,
            Self::Stopping => Task::Stop,
            Self::Reviewing => Task::Review,
            Self::Approval
            | Self::Confirmation
            | Self::Grace
            | Self::Withholding
            | Self::Restricted
            | Self::Announcing
            | Self::Ended => return None,
        })
    }

    /// Whether sources are asked with the identifiers that are known, and again when more are.
    pub(super) const fn searches(self) -> bool {
        matches!(self, Self::Locating | Self::Stopping)
    }

    /// Whether the work has come to a rest, from which it can be taken up again.
    pub(super) const fn rests(self) -> bool {
        matches!(self, Self::Ended | Self::Withholding | Self::Restricted)
    }

    /// Whether the person's rows are locked in this phase.
    pub(super) const fn is_locked(self) -> bool {
        matches!(
            self,
            Self::Checking
                | Self::Restricting
                | Self::Reading
                | Self::Rectifying
                | Self::Verifying
                | Self::Lifting
                | Self::Erasing
                | Self::Searching
        )
    }
}

/// The kinds of commands that the work knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum On {
    /// A step was answered.
    Answer,
    /// The plan is approved.
    ApprovePlan,
    /// The person confirms.
    Confirm,
    /// The erasure is undone, before its grace ends.
    Undo,
    /// A legal hold was lifted.
    LiftHold,
    /// Lift the restriction.
    Lift,
    /// The person was told that it ends (from the lifecycle).
    Announce,
    /// The grace is over, or something withheld may go (from a timer).
    Lapse,
    /// The request was withdrawn, refused, or has expired (from the lifecycle).
    Cancel,
    /// The work is taken up again (from the lifecycle: a rework, or an appeal that was granted).
    Retry,
    /// What is missing is left as it is (from the lifecycle).
    Leave,
}

impl On {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Answer,
        Self::ApprovePlan,
        Self::Confirm,
        Self::Undo,
        Self::LiftHold,
        Self::Lift,
        Self::Announce,
        Self::Lapse,
        Self::Cancel,
        Self::Retry,
        Self::Leave,
    ];

    /// Whether somebody can command it, rather than a timer or the lifecycle.
    pub const fn is_command(self) -> bool {
        !matches!(
            self,
            Self::Announce | Self::Lapse | Self::Cancel | Self::Retry | Self::Leave
        )
    }
}
