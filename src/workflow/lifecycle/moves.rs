//! How the legal course moves: commands, and what the work reports.

use chrono::{DateTime, NaiveDate, Utc};

use crate::law::{ClockError, ClockEventKind, GroundUse};
use crate::model::{Actor, End, Ground, Outcome, RequestId};
use crate::workflow::draft::{Draft, later};
use crate::workflow::effect::{Effect, Letter, Timer};
use crate::workflow::event::Event;
use crate::workflow::fulfilment;
use crate::workflow::policy::Review;
use crate::workflow::rejection::Rejection;
use crate::workflow::table::snake;

use super::TABLE;
use super::command::Command;
use super::phase::{On, Phase};
use super::time::{close, give_up_package};

/// Decides a command of the legal course.
pub(in crate::workflow) fn decide(
    draft: &mut Draft<'_>,
    command: &Command,
) -> Result<(), Rejection> {
    let phase = draft.request().lifecycle.phase;
    draft.check_open(&TABLE, command.on(), phase, On::is_command)?;
    if !command.permits(draft.actor()) {
        return Err(Rejection::WrongActor {
            command: snake(&format!("{:?}", command.on())),
        });
    }
    if phase == Phase::Response
        && matches!(command.on(), On::Refuse | On::Rework | On::Withdraw)
        && !draft.request().lifecycle.is_answer_stuck()
    {
        return Err(Rejection::TooLate {
            done: "the answer is on its way",
        });
    }
    if let Command::Resend { letter }
    | Command::LetterSent { letter }
    | Command::LetterFailed { letter, .. }
    | Command::LetterPending { letter, .. } = command
        && is_unasked(draft, *letter)
    {
        return Err(Rejection::NoSuchStep {
            step: letter.name().to_owned(),
        });
    }
    match command {
        Command::RequestIdentity => {
            // After a granted appeal it may still be unknown.
            if draft.request().lifecycle.identified {
                return Err(Rejection::TooLate {
                    done: "it is known who the person is",
                });
            }
            draft.emit(Event::IdentityRequested);
            draft.effect(Effect::Notify(Letter::IdentityRequest));
            draft.effect(Effect::Challenge);
        }
        Command::Challenge => {
            let waited_in_vain = draft.request().lifecycle.stuck_challenge.is_some();
            draft.emit(Event::ChallengedAgain);
            draft.effect(Effect::Challenge);
            if draft.request().lifecycle.waits_for_person() {
                draft.expire_later();
                if waited_in_vain && let Some(kind) = draft.asked_by(Letter::IdentityRequest) {
                    draft.move_clock(kind)?;
                }
            }
        }
        Command::ChallengeFailed { failure } => {
            let waited = draft.request().lifecycle.waits_for_person();
            draft.emit(Event::ChallengeFailed {
                failure: failure.clone(),
            });
            // Who was not asked cannot answer: no time runs for that, and no clock stands still.
            draft.clear(Timer::Expiry);
            if waited {
                draft.move_clock(ClockEventKind::WaitingEnded)?;
            }
        }
        Command::AttemptIdentity => {
            let limit = draft.policy().identity_attempts;
            if draft.request().lifecycle.attempts >= limit {
                return Err(Rejection::TooManyAttempts { limit });
            }
            draft.emit(Event::IdentityAttempted);
        }
        Command::RejectIdentity => draft.emit(Event::IdentityRejected),
        Command::ConfirmIdentity => {
            answered(
                draft,
                Event::IdentityConfirmed,
                ClockEventKind::IdentityConfirmed,
            )?;
            fulfilment::stop::grant(draft)?;
        }
        Command::AddIdentifiers { identifiers, kinds } => {
            // Who is being asked who they are, or is known already, could name somebody else: from
            // then on staff answers for it.
            let asked = draft.request().lifecycle.phase != Phase::Received;
            if asked && matches!(draft.actor(), Actor::Person | Actor::Agent(_)) {
                return Err(Rejection::WrongActor {
                    command: "add_identifiers".to_owned(),
                });
            }
            if fulfilment::has_written(draft) {
                return Err(Rejection::TooLate {
                    done: "the work has begun to change data; more identifiers take a new request",
                });
            }
            draft.emit(Event::IdentifiersAdded {
                identifiers: identifiers.clone(),
                kinds: kinds.clone(),
            });
        }
        Command::AskClarification => {
            draft.emit(Event::ClarificationRequested);
            draft.effect(Effect::Notify(Letter::ClarificationRequest));
        }
        Command::Clarify => answered(
            draft,
            Event::ClarificationReceived,
            ClockEventKind::ClarificationReceived,
        )?,
        Command::ChargeFee {
            minor_units,
            currency,
            ground,
        } => {
            draft.check_fee_ground(ground.as_ref())?;
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(Rejection::Malformed {
                    what: "a currency",
                    accepted: "three capital letters (ISO 4217)",
                });
            }
            draft.emit(Event::FeeRequested {
                minor_units: *minor_units,
                currency: currency.clone(),
                ground: ground.clone(),
            });
            draft.effect(Effect::Notify(Letter::FeeRequest));
        }
        Command::PayFee => answered(draft, Event::FeePaid, draft.fee_settled())?,
        Command::WaiveFee => answered(draft, Event::FeeWaived, ClockEventKind::FeeWaived)?,
        Command::Extend { ground, until } => extend(draft, ground, *until)?,
        Command::Approve => {
            if !draft.request().lifecycle.identified && fulfilment::stop::needs_identity(draft) {
                return Err(Rejection::NotIdentified);
            }
            draft.emit(Event::Approved);
            fulfilment::start(draft)?;
        }
        Command::Refuse { ground } => {
            draft.check_ground(ground, GroundUse::Refuse)?;
            let waited = draft.request().lifecycle.waits_for_person();
            fulfilment::cancel(draft)?;
            draft.emit(Event::Refused {
                ground: ground.clone(),
            });
            // It is the controller's turn again: the refusal has a last day.
            if waited {
                draft.move_clock(ClockEventKind::WaitingEnded)?;
            }
            give_up_package(draft);
            draft.clear(Timer::Expiry);
            draft.effect(Effect::Notify(Letter::Refusal));
            draft.time_letters();
        }
        Command::Rework => {
            if draft.request().lifecycle.refusal.is_some() && phase == Phase::Response {
                return Err(Rejection::TooLate {
                    done: "it was refused; refuse on another ground, or send the letter again",
                });
            }
            take_up_again(draft)?;
        }
        Command::Leave => fulfilment::leave(draft)?,
        Command::Release => release(draft),
        Command::Resend { letter } => {
            let stuck = &draft.request().lifecycle.stuck_letters;
            if !stuck.iter().any(|(stuck, _)| stuck == letter) {
                return Err(Rejection::NoSuchStep {
                    step: letter.name().to_owned(),
                });
            }
            draft.emit(Event::LetterResent { letter: *letter });
            draft.effect(Effect::Notify(*letter));
        }
        Command::LetterSent { letter } => {
            let answers = draft.request().lifecycle.is_answered_by(*letter);
            let asks = draft.request().lifecycle.is_asking(*letter);
            let asks = draft.asked_by(*letter).filter(|_| asks);
            draft.emit(Event::LetterSent { letter: *letter });
            draft.time_letters();
            // Who could not be asked for evidence cannot answer.
            if let Some(kind) = asks
                && draft.request().lifecycle.waits_for_person()
            {
                draft.expire_later();
                draft.move_clock(kind)?;
                // Where the law itself says how long a fee can be accepted, that counts.
                if let Some(at) = draft.request().fee_lapses_at() {
                    draft.set(Timer::Expiry, at);
                }
            }
            if *letter == Letter::ConfirmationRequest && !draft.request().is_moot(*letter) {
                draft.expire_later();
            }
            if answers {
                draft.clear(Timer::Deadline);
                draft.clear(Timer::Reminder);
                draft.set(Timer::Appeal, draft.later(draft.policy().appeal_within));
            }
            if *letter == Letter::RestrictionLifted {
                fulfilment::restriction::announced(draft)?;
            }
        }
        Command::LetterFailed { letter, failure } => draft.emit(Event::LetterFailed {
            letter: *letter,
            failure: failure.clone(),
        }),
        Command::LetterPending { letter, pending } => draft.emit(Event::LetterPending {
            letter: *letter,
            pending: pending.clone(),
        }),
        Command::Appeal => {
            if draft.request().lifecycle.appealed {
                return Err(Rejection::Once { what: "appeal" });
            }
            draft.emit(Event::Appealed);
            draft.clear(Timer::Appeal);
            draft.start_appeal_clock()?;
        }
        Command::ExtendAppeal { ground } => extend_appeal(draft, ground)?,
        Command::SuspectFraud => {
            let kind = ClockEventKind::FraudSuspected;
            if !draft.is_moved_by(kind) {
                let what = "a suspicion of fraud";
                return Err(Rejection::MovesNothing { what });
            }
            if draft.request().clock.history.first(kind).is_some() {
                return Err(Rejection::Once {
                    what: "suspect_fraud",
                });
            }
            draft.emit(Event::FraudSuspected);
            draft.move_clock(kind)?;
        }
        Command::AnnounceResults { at } => announce_results(draft, *at)?,
        Command::DecideAppeal { granted } => {
            check_reviewer(draft)?;
            draft.emit(Event::AppealDecided { granted: *granted });
            draft.effect(Effect::Notify(Letter::AppealDecision));
            if *granted {
                draft.time_clock();
            } else {
                draft.set(Timer::Appeal, draft.later(draft.policy().appeal_within));
            }
        }
        Command::Withdraw => {
            if let Some(by) = draft.request().lifecycle.joined_by
                && !matches!(draft.actor(), Actor::Staff(_))
            {
                return Err(Rejection::Joined { by });
            }
            fulfilment::cancel(draft)?;
            close(draft, End::Withdrawn);
            give_up_package(draft);
        }
        Command::Join { into } => {
            if *into == draft.request().facts.id {
                return Err(Rejection::Malformed {
                    what: "the request to join",
                    accepted: "another open request of the same person",
                });
            }
            close(draft, End::Joined(*into));
        }
        Command::JoinedBy { request } => joined_by(draft, *request)?,
        Command::PackageDeleted | Command::Shredded => swept(draft, command)?,
    }
    Ok(())
}

/// Whether a letter says what is not decided: one that went out by mistake does not count as the one
/// that will be owed.
fn is_unasked(draft: &Draft<'_>, letter: Letter) -> bool {
    let lifecycle = &draft.request().lifecycle;
    match letter {
        Letter::RestrictionLifted => !fulfilment::restriction::is_announcing(draft),
        Letter::Refusal => lifecycle.refusal.is_none(),
        Letter::AppealDecision => lifecycle.appeal_granted.is_none(),
        _ => false,
    }
}

/// The work is taken up again; after an answer, if it left something undone.
fn take_up_again(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let work = draft.request().fulfilment.as_ref();
    if draft.request().lifecycle.phase == Phase::Answered
        && !work.is_some_and(fulfilment::Fulfilment::is_unfinished)
    {
        return Err(Rejection::TooLate {
            done: "the answer went out, and nothing is left to do",
        });
    }
    draft.emit(Event::Reworked);
    draft.clear(Timer::Appeal);
    draft.time_clock();
    fulfilment::retry(draft)
}

/// Another request for the same is carried on in this one. What was answered is taken up again; what
/// is refused, or answered in full, carries on nothing.
fn joined_by(draft: &mut Draft<'_>, request: RequestId) -> Result<(), Rejection> {
    let lifecycle = &draft.request().lifecycle;
    let phase = lifecycle.phase;
    let work = draft.request().fulfilment.as_ref();
    let unfinished = work.is_some_and(fulfilment::Fulfilment::is_unfinished);
    if lifecycle.refusal.is_some() || (lifecycle.is_answered() && !unfinished) {
        return Err(Rejection::TooLate {
            done: "it was answered, and carries on no other request",
        });
    }
    draft.emit(Event::JoinedBy { request });
    match phase {
        Phase::Answered => take_up_again(draft),
        _ => Ok(()),
    }
}

/// What the person was asked for is there, or not needed any more. A question that never went out
/// moved no clock, and its answer moves none; but who was suspected of fraud need not be asked.
fn answered(draft: &mut Draft<'_>, event: Event, kind: ClockEventKind) -> Result<(), Rejection> {
    let was_asked = draft.request().lifecycle.waits_for_person();
    let suspicion = ClockEventKind::FraudSuspected;
    let was_suspected = kind == ClockEventKind::IdentityConfirmed
        && draft.request().clock.history.first(suspicion).is_some();
    draft.emit(event);
    draft.clear(Timer::Expiry);
    if was_asked || was_suspected {
        draft.move_clock(kind)?;
    }
    Ok(())
}

/// A package goes early where nobody gets it; all else only after the end.
fn swept(draft: &mut Draft<'_>, command: &Command) -> Result<(), Rejection> {
    let lifecycle = &draft.request().lifecycle;
    let (event, early) = match command {
        Command::PackageDeleted => (Event::PackageDeleted, lifecycle.refusal.is_some()),
        _ => (Event::Shredded, false),
    };
    if !early && !lifecycle.is_closed() {
        return Err(Rejection::NoSuchStep {
            step: snake(&format!("{command:?}")),
        });
    }
    draft.emit(event);
    Ok(())
}

fn extend(
    draft: &mut Draft<'_>,
    ground: &Ground,
    until: Option<NaiveDate>,
) -> Result<(), Rejection> {
    draft.check_ground(ground, GroundUse::Extend)?;
    let clock = &draft.request().clock;
    let cutoff = match (&clock.extension_notice, draft.request().lifecycle.extended) {
        (None, _) => return Err(Rejection::NoExtension),
        (Some(cutoff), false) => cutoff,
        // A further one, where the law allows it, is announced while the one before it runs.
        (Some(cutoff), true) => clock.response.as_ref().unwrap_or(cutoff),
    };
    if let Some(until) = cutoff.late_from()
        && draft.now() >= until
    {
        return Err(Rejection::ExtensionTooLate { until });
    }
    let untold = draft.request().is_extension_untold();
    draft.emit(Event::Extended {
        ground: ground.clone(),
        until,
    });
    draft.effect(Effect::Notify(Letter::Extension));
    let moved = draft.move_clock_until(ClockEventKind::ExtensionNotified, until);
    moved.map_err(|rejection| match rejection {
        Rejection::Law(ClockError::ExtendedTooOften { .. }) => Rejection::Once { what: "extend" },
        other => other,
    })?;
    // Of each it must be known whether the person heard of it in time: one letter for two would
    // leave the first one standing that nobody heard of.
    match untold {
        true => Err(Rejection::ExtensionUntold),
        false => Ok(()),
    }
}

fn extend_appeal(draft: &mut Draft<'_>, ground: &Ground) -> Result<(), Rejection> {
    draft.check_ground(ground, GroundUse::Extend)?;
    if draft.request().lifecycle.appeal_extended {
        return Err(Rejection::Once {
            what: "extend_appeal",
        });
    }
    let cutoff = &draft.request().clock.appeal_extension_notice;
    let cutoff = cutoff.as_ref().ok_or(Rejection::NoExtension)?;
    if let Some(until) = cutoff.late_from()
        && draft.now() >= until
    {
        return Err(Rejection::ExtensionTooLate { until });
    }
    draft.emit(Event::AppealExtended {
        ground: ground.clone(),
    });
    draft.effect(Effect::Notify(Letter::Extension));
    draft.extend_appeal_clock()
}

fn announce_results(draft: &mut Draft<'_>, at: DateTime<Utc>) -> Result<(), Rejection> {
    let kind = ClockEventKind::ResultsAnnounced;
    if !draft.is_moved_by(kind) {
        let what = "an announcement of results";
        return Err(Rejection::MovesNothing { what });
    }
    let history = &draft.request().clock.history;
    if history.first(kind).is_some() {
        return Err(Rejection::Once {
            what: "announce_results",
        });
    }
    if at > draft.now() || at < history.received_at() {
        return Err(Rejection::Malformed {
            what: "the instant of the announcement",
            accepted: "one from the receipt of the request to now",
        });
    }
    draft.emit(Event::ResultsAnnounced { at });
    draft.move_clock_at(kind, at)
}

/// Refuses to let whoever refused, in whole or in part, decide alone whether that was right, where
/// the law wants somebody else.
fn check_reviewer(draft: &Draft<'_>) -> Result<(), Rejection> {
    let life = &draft.request().lifecycle;
    let work = draft.request().fulfilment.as_ref();
    let withheld = work.into_iter().flat_map(fulfilment::Fulfilment::withheld);
    let in_part = withheld.map(|(_, rows)| &rows.ground);
    let (by, reviewed) = match &life.refusal {
        Some(ground) => (&life.refused_by, draft.wants_other_reviewer([ground])),
        None => (&life.approved_by, draft.wants_other_reviewer(in_part)),
    };
    if reviewed && by.as_ref() == Some(draft.actor()) {
        return Err(Rejection::SameReviewer);
    }
    Ok(())
}

/// The work came to an outcome: the answer goes out, or somebody looks at it first. Work that
/// comes to it after the answer lets the request close, when it could not before.
pub(in crate::workflow) fn reported(draft: &mut Draft<'_>) {
    let lifecycle = &draft.request().lifecycle;
    match lifecycle.phase {
        Phase::Review => {}
        Phase::Answered => {
            let answered_at = lifecycle.answered_at.unwrap_or(draft.now());
            let until = later(answered_at, draft.policy().appeal_within);
            draft.set(Timer::Appeal, until.max(draft.now()));
            return;
        }
        _ => return,
    }
    let complete = match lifecycle.outcome {
        Some(Outcome::Done | Outcome::NothingFound) => true,
        Some(Outcome::Partly) => draft
            .request()
            .fulfilment
            .as_ref()
            .is_some_and(|work| work.missing().next().is_none()),
        _ => false,
    };
    // What another erasure left half done may not be found any more by this one.
    let alone = draft.request().facts.beside.is_none();
    if complete && alone && draft.policy().review == Review::WhenIncomplete {
        release(draft);
    }
}

fn release(draft: &mut Draft<'_>) {
    draft.emit(Event::Released);
    draft.effect(Effect::Notify(Letter::Response));
}
