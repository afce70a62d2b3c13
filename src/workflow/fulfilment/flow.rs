//! How the work goes from phase to phase: what it enters, what it begins there, when it rests, and
//! how it ends.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Outcome, Until};
use crate::workflow::draft::Draft;
use crate::workflow::effect::{Effect, Letter, Locks, Target, Timer};
use crate::workflow::event::Event;
use crate::workflow::lifecycle;

use super::{Fulfilment, Machine, Next, Phase};

/// Goes on to what follows the present phase, through phases without steps.
pub(super) fn advance(draft: &mut Draft<'_>) {
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    match work.machine.after(work.phase, work, draft.policy()) {
        Next::Enter(phase) => enter(draft, phase),
        Next::End if goes_on_alone(draft) => enter(draft, Phase::Withholding),
        Next::End => end(draft),
    }
}

/// Whether the work must go on though nobody looks at it: what was withheld could not be erased
/// when its time came, after the answer, or rows of a rectification that was stopped, or left as it
/// is, could not be freed from their restriction.
pub(super) fn goes_on_alone(draft: &Draft<'_>) -> bool {
    let request = draft.request();
    let Some(work) = &request.fulfilment else {
        return false;
    };
    let is_left = match work.machine {
        Machine::Erasure => work.is_unfinished(),
        Machine::Rectification => work.only_lifts() && work.any_restricted(),
        _ => false,
    };
    is_left && !request.lifecycle.is_looked_at()
}

pub(super) fn enter(draft: &mut Draft<'_>, phase: Phase) {
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    if work.phase == Phase::Checking && phase == Phase::Approval {
        draft.emit(Event::PlanChanged);
    }
    unlock(draft, phase);
    draft.emit(Event::Entered { phase });
    match phase {
        Phase::Confirmation => {
            draft.effect(Effect::Notify(Letter::ConfirmationRequest));
            return;
        }
        Phase::Grace => {
            let until = draft.later(draft.policy().grace.unwrap_or_default());
            draft.emit(Event::GraceGranted { until });
            draft.set(Timer::Grace, until);
            return;
        }
        Phase::Announcing => {
            draft.effect(Effect::Notify(Letter::RestrictionLifted));
            return;
        }
        Phase::Restricted => {
            if let Some(work) = &draft.request().fulfilment {
                let outcome = work.outcome();
                draft.emit(Event::Restricted { outcome });
            }
            lifecycle::reported(draft);
            return;
        }
        Phase::Withholding => {
            withhold(draft);
            return;
        }
        _ => {}
    }
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    if phase.task(work.machine).is_none() {
        return;
    }
    let ready = ready(work);
    begin(draft, ready);
    block(draft);
    let settled = draft.request().fulfilment.as_ref();
    if settled.is_some_and(Fulfilment::is_settled) {
        advance(draft);
    }
}

/// Waits for the next of what is withheld, or to try again.
pub(super) fn withhold(draft: &mut Draft<'_>) {
    let (until, again) = next_release(draft);
    draft.emit(Event::Withholding { until, again });
    match until {
        Some(until) => draft.set(Timer::Tail, until),
        None => draft.clear(Timer::Tail),
    }
    lifecycle::reported(draft);
}

pub(super) fn end(draft: &mut Draft<'_>) {
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    let outcome: Outcome = work.outcome();
    unlock(draft, Phase::Ended);
    draft.emit(Event::Ended { outcome });
    lifecycle::reported(draft);
    lifecycle::keep_for_now(draft);
}

fn unlock(draft: &mut Draft<'_>, next: Phase) {
    let locked = draft
        .request()
        .fulfilment
        .as_ref()
        .is_some_and(|work| work.phase.is_locked());
    if locked && !next.is_locked() {
        draft.lock(Locks::Release);
    }
}

/// The first instant at which something withheld may go: the day after the last it is kept, or the
/// next look at what is kept without a date. What is still kept then, or failed, is tried again
/// earlier: then with `true`.
fn next_release(draft: &Draft<'_>) -> (Option<DateTime<Utc>>, bool) {
    let Some(work) = draft.request().fulfilment.as_ref() else {
        return (None, false);
    };
    let dates = work.withheld().filter_map(|(_, rows)| match rows.until {
        Until::Date(date) => draft.end_of(date),
        Until::HoldLifted | Until::Always => None,
    });
    let first = dates.min();
    let is_over = first.is_some_and(|first| first <= draft.now());
    let mut withheld = work.withheld();
    let held = withheld.any(|(_, rows)| rows.until == Until::HoldLifted);
    let look = draft.policy().look_at_held.filter(|_| held);
    let look = look.map(|after| draft.later(after));
    if !is_over && !goes_on_alone(draft) {
        return (first.into_iter().chain(look).min(), false);
    }
    let next = draft.later(distance(work.rests));
    match first {
        Some(first) if !is_over && first <= next => (Some(first), false),
        _ => (Some(next), true),
    }
}

/// How long it rests after so many tries: a day, then ever longer, so that what never works does
/// not fill the history.
fn distance(rests: u32) -> TimeDelta {
    TimeDelta::days((1_i64 << rests.min(5)).min(30))
}

/// Steps whose predecessors failed cannot begin: what leads to the others must stay.
pub(super) fn block(draft: &mut Draft<'_>) {
    while let Some(target) = draft
        .request()
        .fulfilment
        .as_ref()
        .and_then(Fulfilment::blocked)
    {
        draft.emit(Event::StepBlocked { target });
    }
}

/// Steps that can begin: open, and what must come before them is done.
pub(super) fn ready(work: &Fulfilment) -> Vec<(Target, u32)> {
    work.steps
        .iter()
        .filter(|step| work.is_ready(step))
        .map(|step| (step.target.clone(), step.round))
        .collect()
}

pub(super) fn begin(draft: &mut Draft<'_>, steps: Vec<(Target, u32)>) {
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    let Some(task) = work.phase.task(work.machine) else {
        return;
    };
    for (target, round) in steps {
        draft.effect(Effect::Step {
            task,
            target,
            round,
        });
    }
}
