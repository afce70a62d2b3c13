//! Restriction: find, restrict, tell the recipients; it stays until somebody lifts it. Before that
//! the person is told (GDPR Art. 18(3)): a restriction whose end could not be told is not lifted.
//!
#![doc = include_str!("../../../docs/machines/restriction.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let alice = Actor::staff("alice")?;
//! let mut restriction = Course::approved(Right::Restriction)?;
//! restriction.answer(located(3))?;
//! restriction.answer(Finding::Nothing)?; // the locks are taken
//! restriction.answer(changed(3))?;
//! assert_eq!(restriction.phase(), Phase::Restricted); // until somebody lifts it
//! restriction.sent(Letter::Response)?;
//! restriction.give(&alice, fulfilment::Command::Lift)?;
//! assert_eq!(restriction.phase(), Phase::Announcing); // the person is told first (Art. 18(3))
//! restriction.sent(Letter::RestrictionLifted)?;
//! restriction.answer(Finding::Nothing)?;
//! restriction.answer(changed(3))?;
//! assert_eq!(restriction.phase(), Phase::Ended);
//! # Ok(()) }
//! ```

use crate::workflow::draft::Draft;
use crate::workflow::rejection::Rejection;
use crate::workflow::table::{Table, snake, table};

use super::{Fulfilment, Next, On, Phase, advance, enter, work};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Locating {
        Answer => Locating | Queued | Informing | Restricted | Ended;
        Cancel => Ended;
    }
    Queued {
        Answer => Restricting | Lifting | Informing | Restricted | Ended;
        Cancel => Ended;
    }
    Restricting {
        Answer => Restricting | Informing | Restricted | Ended;
    }
    Informing {
        Answer => Informing | Restricted | Ended;
    }
    Restricted {
        Lift => Announcing | Queued;
        Retry => Locating | Queued | Informing | Restricted;
        Leave => Restricted;
    }
    Announcing {
        Announce => Queued;
    }
    Lifting {
        Answer => Lifting | Informing | Restricted | Ended;
    }
    Ended {
        Retry => Locating | Queued | Informing | Ended;
        Leave => Ended;
    }
);

pub(super) fn after(phase: Phase, work: &Fulfilment) -> Next {
    Next::Enter(match phase {
        // What was found is restricted, whatever else could not be searched.
        Phase::Locating if work.any_found() => Phase::Queued,
        // A recipient may hold what no source holds.
        Phase::Locating if !work.any_failed() && !work.recipients.is_empty() => Phase::Informing,
        Phase::Queued if work.announced => Phase::Lifting,
        Phase::Queued => Phase::Restricting,
        Phase::Restricting if work.any_restricted() => Phase::Informing,
        Phase::Announcing => Phase::Queued,
        // It is lifted everywhere, or still in force.
        Phase::Lifting | Phase::Informing if work.announced && work.is_unfinished() => {
            Phase::Restricted
        }
        Phase::Lifting => Phase::Informing,
        Phase::Informing
            if !work.announced
                && (work.any_restricted() || work.recipients.iter().any(|r| r.confirmed)) =>
        {
            Phase::Restricted
        }
        _ => return Next::End,
    })
}

/// Begins to lift it: the person is told first, once.
pub(super) fn lift(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let told = work(draft, On::Lift)?.announced;
    let lifecycle = &draft.request().lifecycle;
    if !lifecycle.is_answered() {
        // Whoever was not told that it is restricted cannot be told that it ends.
        return Err(Rejection::NotNow {
            command: snake("Lift"),
            phase: snake(&format!("{:?}", lifecycle.phase)),
            open: "answer, first".to_owned(),
        });
    }
    let next = if told {
        Phase::Queued
    } else {
        Phase::Announcing
    };
    enter(draft, next);
    Ok(())
}

/// Whether the person is being told that it ends: no other letter about it counts.
pub(in crate::workflow) fn is_announcing(draft: &Draft<'_>) -> bool {
    let work = draft.request().fulfilment.as_ref();
    work.is_some_and(|work| work.phase == Phase::Announcing)
}

/// The letter about its end went out.
pub(in crate::workflow) fn announced(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    work(draft, On::Announce)?;
    advance(draft);
    Ok(())
}
