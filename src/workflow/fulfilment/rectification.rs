//! Rectification: find, plan with old and new value, restrict what is disputed, have it approved,
//! correct it, check it, lift the restriction, tell the recipients.
//!
#![doc = include_str!("../../../docs/machines/rectification.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let bob = Actor::staff("bob")?;
//! let mut correction = Course::approved(Right::Rectification)?;
//! correction.answer(located(1))?;
//! correction.answer(planned(1, &[]))?; // the plan holds the old value, the request the new one
//! correction.answer(Finding::Nothing)?; // the locks are taken
//! assert_eq!(correction.phase(), Phase::Restricting);
//! correction.answer(changed(1))?; // what is disputed is not used meanwhile
//! assert_eq!(correction.phase(), Phase::Approval);
//! let digest = correction.work().plan_digest();
//! correction.give(&bob, fulfilment::Command::ApprovePlan { digest })?;
//! correction.answer(Finding::Nothing)?; // the locks again: they were not held while people thought
//! correction.answer(changed(1))?; // corrected
//! correction.answer(left(0))?; // and it says what it should
//! correction.answer(changed(1))?; // the restriction is lifted
//! assert_eq!(correction.outcome(), Some(&Outcome::Done));
//! # Ok(()) }
//! ```

use crate::workflow::policy::{Approval, Policy};
use crate::workflow::table::{Table, table};

use super::{Fulfilment, Next, On, Phase};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Locating {
        Answer => Locating | Planning | Ended;
        Cancel => Queued | Ended;
    }
    Planning {
        Answer => Planning | Queued | Ended;
        Cancel => Queued | Ended;
    }
    Queued {
        Answer => Restricting | Rectifying | Lifting;
        Cancel => Queued | Ended;
    }
    Restricting {
        Answer => Restricting | Approval | Rectifying | Lifting | Ended;
        Cancel => Restricting;
    }
    Approval {
        ApprovePlan => Queued;
        Cancel => Queued | Ended;
    }
    Rectifying {
        Answer => Rectifying | Verifying | Lifting | Informing | Ended;
    }
    Verifying {
        Answer => Verifying | Lifting | Informing | Ended;
    }
    Lifting {
        Answer => Lifting | Informing | Withholding | Ended;
    }
    Withholding {
        Lapse => Queued;
        Retry => Locating | Queued;
    }
    Informing {
        Answer => Informing | Ended;
    }
    Ended {
        Cancel => Queued;
        Retry => Locating | Queued | Ended;
        Leave => Withholding | Ended;
    }
);

pub(super) fn after(phase: Phase, work: &Fulfilment, policy: &Policy) -> Next {
    Next::Enter(match phase {
        // What is disputed is nowhere changed unless everything was found.
        Phase::Locating if work.any_failed() || !work.any_found() => return Next::End,
        Phase::Locating => Phase::Planning,
        Phase::Planning if work.any_failed() || !work.sources.iter().any(|s| s.is_planned()) => {
            return Next::End;
        }
        Phase::Planning => Phase::Queued,
        // What was restricted before it was cancelled, or stayed so when the rest was left as it
        // is, is lifted, and no more.
        Phase::Queued | Phase::Restricting if work.only_lifts() => Phase::Lifting,
        Phase::Queued if work.approved.is_some() || work.written => Phase::Rectifying,
        Phase::Queued => Phase::Restricting,
        Phase::Restricting if policy.plan_approval == Approval::None => Phase::Rectifying,
        Phase::Restricting => Phase::Approval,
        Phase::Approval | Phase::Withholding => Phase::Queued,
        Phase::Rectifying => Phase::Verifying,
        Phase::Verifying => Phase::Lifting,
        Phase::Lifting if work.only_lifts() => return Next::End,
        Phase::Lifting => Phase::Informing,
        _ => return Next::End,
    })
}
