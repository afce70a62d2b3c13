//! What comes with time alone: last days that passed, timers that fired, the end of a request, and
//! what is swept after it.

use crate::model::{End, Outcome};
use crate::workflow::draft::Draft;
use crate::workflow::effect::{Effect, Letter, Timer};
use crate::workflow::event::Event;
use crate::workflow::fulfilment;
use crate::workflow::letters::WATCHED;
use crate::workflow::rejection::Rejection;

use super::phase::Phase;

/// What was read for a request that the person does not get an answer to is deleted at once.
pub(super) fn give_up_package(draft: &mut Draft<'_>) {
    let work = draft.request().fulfilment.as_ref();
    if work.is_some_and(fulfilment::Fulfilment::has_read)
        && !draft.request().lifecycle.package_deleted
    {
        draft.effect(Effect::DeletePackage);
    }
}

/// Ends the legal course; what the request holds is swept after its periods.
pub(in crate::workflow) fn close(draft: &mut Draft<'_>, end: End) {
    draft.emit(Event::Closed { end });
    settle(draft);
}

/// Nothing of the legal course is watched any more.
fn settle(draft: &mut Draft<'_>) {
    for timer in [
        Timer::Deadline,
        Timer::Reminder,
        Timer::Expiry,
        Timer::Appeal,
    ] {
        draft.clear(timer);
    }
    draft.time_letters();
    keep_for_now(draft);
}

/// Once nothing is to come any more, sets the timers that sweep what the request holds.
pub(in crate::workflow) fn keep_for_now(draft: &mut Draft<'_>) {
    if draft.request().is_open() {
        return;
    }
    let policy = draft.policy();
    // The request goes last: what leads to its package and its key goes with it.
    let last = policy
        .keep_request
        .max(policy.keep_personal)
        .max(policy.keep_package);
    let spans = [
        (Timer::Package, policy.keep_package),
        (Timer::Personal, policy.keep_personal),
        (Timer::Request, last),
    ];
    for (timer, span) in spans {
        draft.set(timer, draft.later(span));
    }
}

/// Records every last day that is behind us. It comes before all that is commanded: a command may
/// end what is watched, and come before the worker that would have seen it pass.
///
/// An extension counts only if its letter is out in time: else the deadline is again the one before.
pub(in crate::workflow) fn record_passed(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let now = draft.now();
    for letter in WATCHED {
        if let Some(timer) = letter.timer()
            && let Some(at) = draft.request().letter_watched(letter)
            && at <= now
        {
            draft.emit_by_time(Event::LetterOverdue { letter, at }, timer);
            if letter == Letter::Extension {
                draft.lapse_extension()?;
            }
        }
    }
    if let Some(at) = draft.request().answer_due()
        && at <= now
        && !draft.request().lifecycle.overdue
    {
        draft.emit_by_time(Event::DeadlinePassed { at }, Timer::Deadline);
    }
    if draft.request().fee_lapses_at().is_some_and(|at| at <= now) {
        // What the law says of silence here: the person took the request back.
        fulfilment::cancel(draft)?;
        draft.effect(Effect::Notify(Letter::Expiry));
        let end = End::Withdrawn;
        draft.emit_by_time(Event::Closed { end }, Timer::Expiry);
        settle(draft);
        give_up_package(draft);
    }
    Ok(())
}

/// A timer of the legal course fired; what passed with it is recorded already. One that no longer
/// means anything changes nothing.
pub(in crate::workflow) fn fire(draft: &mut Draft<'_>, timer: Timer) -> Result<(), Rejection> {
    let lifecycle = &draft.request().lifecycle;
    match timer {
        Timer::Deadline => {
            if let Some(at) = draft.request().answer_due()
                && !lifecycle.overdue
            {
                draft.set(Timer::Deadline, at);
            }
        }
        Timer::Reminder => {
            if draft.request().answer_due().is_some() && !lifecycle.overdue {
                draft.emit(Event::DeadlineNear);
                draft.remind_later();
            }
        }
        Timer::Expiry => {
            let work = draft.request().fulfilment.as_ref();
            // What has begun to change data is carried to its end, whoever is silent.
            let begun = work.is_some_and(fulfilment::Fulfilment::has_written);
            let unanswered = lifecycle.waiting_since.is_some() && !begun;
            let unconfirmed = lifecycle.phase == Phase::Fulfilment
                && work.is_some_and(fulfilment::Fulfilment::awaits_confirmation);
            if !(unanswered || unconfirmed) {
                return Ok(());
            }
            // Silence is no ground: somebody refuses on one, or goes on.
            if draft.law_wants_grounds() {
                draft.emit(Event::Unanswered);
            } else {
                if unconfirmed {
                    fulfilment::cancel(draft)?;
                }
                draft.effect(Effect::Notify(Letter::Expiry));
                close(draft, End::Expired);
            }
        }
        Timer::Appeal => {
            // An unfinished erasure is answered, but not over: it is taken up again.
            let unfinished = (draft.request().fulfilment.as_ref())
                .is_some_and(fulfilment::Fulfilment::is_unfinished);
            if lifecycle.phase == Phase::Answered && !unfinished {
                let end = match (&lifecycle.refusal, &lifecycle.outcome) {
                    (Some(ground), _) => End::Refused(ground.clone()),
                    (None, outcome) => End::Answered(outcome.clone().unwrap_or(Outcome::Failed)),
                };
                close(draft, end);
            }
        }
        // Whether or not it was deleted before: an attempt that was given up may have left some.
        Timer::Package => draft.effect(Effect::DeletePackage),
        Timer::Personal => {
            if !lifecycle.shredded {
                draft.effect(Effect::Shred);
            }
        }
        Timer::Request => draft.effect(Effect::Delete),
        Timer::Acknowledgement | Timer::Refusal | Timer::Extension | Timer::AppealDecision => {
            let letter = Letter::of_timer(timer);
            if let Some(at) = letter.and_then(|letter| draft.request().letter_watched(letter)) {
                draft.set(timer, at);
            }
        }
        Timer::Grace | Timer::Tail => {}
    }
    Ok(())
}
