//! Erasure: find, plan, have the plan approved (and confirmed, and left undoable for a while),
//! erase, search for what is left, tell the recipients, and later erase what was withheld.
//!
#![doc = include_str!("../../../docs/machines/erasure.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let (alice, bob) = (Actor::staff("alice")?, Actor::staff("bob")?);
//! let kept = [invoice()?];
//! let mut erasure = Course::approved(Right::Erasure)?; // by alice
//! erasure.answer(located(4))?;
//! erasure.answer(planned(3, &kept))?;
//! assert_eq!(erasure.phase(), Phase::Approval); // nothing is written before somebody else agrees
//! let approve = fulfilment::Command::ApprovePlan { digest: erasure.work().plan_digest() };
//! assert_eq!(erasure.give(&alice, approve.clone()), Err(Rejection::FourEyes));
//! erasure.give(&bob, approve)?;
//! erasure.answer(Finding::Nothing)?; // the locks are taken
//! erasure.answer(planned(3, &kept))?; // under them, the plan is still the one that was shown
//! erasure.answer(erased(3, &kept))?;
//! erasure.answer(left(0))?; // searched again
//! assert_eq!(erasure.outcome(), Some(&Outcome::Partly)); // the answer names the invoice
//! assert_eq!(erasure.phase(), Phase::Withholding);
//!
//! // When 2035 is over, the rest goes by itself.
//! let over = "2036-01-01T00:00:00Z".parse()?;
//! erasure.now = over;
//! erasure.give(&Actor::Engine, Command::Fire(Timer::Tail))?;
//! assert_eq!(erasure.phase(), Phase::Queued);
//! # Ok(()) }
//! ```

use crate::model::Until;
use crate::workflow::policy::{Approval, Policy};
use crate::workflow::table::{Table, table};

use super::{Fulfilment, Next, On, Phase};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Locating {
        Answer => Locating | Planning | Confirmation | Grace | Queued | Ended;
        Cancel => Ended;
    }
    Planning {
        Answer => Planning | Approval | Confirmation | Grace | Queued | Ended;
        Cancel => Ended;
    }
    Approval {
        ApprovePlan => Confirmation | Grace | Queued;
        Cancel => Ended;
    }
    Confirmation {
        Confirm => Grace | Queued;
        Cancel => Ended;
    }
    Grace {
        Undo => Ended;
        Lapse => Queued;
        Cancel => Ended;
    }
    Queued {
        Answer => Checking | Informing | Ended;
        Cancel => Ended;
    }
    Checking {
        Answer => Checking | Approval | Erasing | Searching | Withholding | Ended;
        Cancel => Ended;
    }
    Erasing {
        Answer => Erasing | Searching | Informing | Withholding | Ended;
    }
    Searching {
        Answer => Searching | Erasing | Informing | Withholding | Ended;
    }
    Informing {
        Answer => Informing | Withholding | Ended;
    }
    Withholding {
        Lapse => Queued;
        LiftHold => Queued;
        Retry => Queued;
        Leave => Withholding | Ended;
    }
    Ended {
        Retry => Locating | Confirmation | Grace | Queued | Ended;
        Leave => Ended;
    }
);

pub(super) fn after(phase: Phase, work: &Fulfilment, policy: &Policy) -> Next {
    Next::Enter(match phase {
        // Nothing is forgotten unless everything was found.
        Phase::Locating | Phase::Planning if work.any_failed() => return Next::End,
        // A recipient may hold what no source holds.
        Phase::Locating if !work.any_found() && work.recipients.is_empty() => return Next::End,
        Phase::Locating => Phase::Planning,
        // Where the plan is empty, the person's own gates stay.
        Phase::Planning if is_approved_by_somebody(work, policy) => Phase::Approval,
        Phase::Planning | Phase::Approval if policy.confirm_erasure && !work.confirmed => {
            Phase::Confirmation
        }
        Phase::Planning | Phase::Approval | Phase::Confirmation
            if policy.grace.is_some() && !work.grace_given =>
        {
            Phase::Grace
        }
        Phase::Planning
        | Phase::Approval
        | Phase::Confirmation
        | Phase::Grace
        | Phase::Withholding => Phase::Queued,
        // However long it waited: what is carried out is planned under the locks.
        Phase::Queued => Phase::Checking,
        Phase::Checking if work.any_failed() && waits(work) => Phase::Withholding,
        Phase::Checking if work.any_failed() => return Next::End,
        // Once it has begun, no plan can be compared with what is half gone: what was approved
        // is carried to its end, and what was withheld then may go now. Where nobody approves a
        // plan, the new one is simply taken.
        Phase::Checking
            if !work.written
                && (work.approved.is_some() || is_approved_by_somebody(work, policy))
                && work.approved != Some(work.plan_digest()) =>
        {
            Phase::Approval
        }
        Phase::Checking => Phase::Erasing,
        Phase::Erasing => Phase::Searching,
        Phase::Searching
            if work.erasures < policy.erasure_rounds
                && work.sources.iter().any(|source| !source.left.is_empty()) =>
        {
            Phase::Erasing
        }
        Phase::Searching => Phase::Informing,
        Phase::Informing if waits(work) => Phase::Withholding,
        _ => return Next::End,
    })
}

/// Whether somebody has to approve the plan. An empty one says nothing that could be approved.
fn is_approved_by_somebody(work: &Fulfilment, policy: &Policy) -> bool {
    policy.plan_approval != Approval::None && work.any_found()
}

/// Whether something withheld may go one day.
pub(super) fn waits(work: &Fulfilment) -> bool {
    work.written && work.withheld().any(|(_, rows)| rows.until != Until::Always)
}
