//! The work for a request: one machine per right, all built of the same phases and steps.
//!
//! A phase opens steps (one per source or recipient); each is carried out by an effect and comes
//! back as a [`Command::Answer`]. When the last is settled, the right's machine names what
//! follows. The lifecycle sees only that the work runs, or how it ended.

pub mod access;
mod answer;
pub mod erasure;
pub mod export;
mod flow;
pub mod human_review;
mod machine;
mod moves;
pub(super) mod phase;
pub mod rectification;
pub mod restriction;
mod source;
mod state;
pub mod stop;

pub use machine::Machine;
pub use phase::{On, Phase};
pub use source::{RecipientWork, SourceWork};
pub use state::{Fulfilment, Step, StepState};

use crate::model::{Actor, Digest, Right};

use super::draft::{Draft, Landscape};
use super::effect::{Target, Task, Timer};
use super::event::{Event, SourceInfo, StepResult};
use super::lifecycle;
use super::policy::Approval;
use super::rejection::Rejection;
use super::table::snake;

use flow::{advance, end, enter, goes_on_alone, withhold};

/// What follows a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Enter(Phase),
    End,
}

/// Something in the work is to happen.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Command {
    /// A step was answered: by its port through the engine, or by hand.
    Answer {
        /// What the step does.
        task: Task,
        /// For whom.
        target: Target,
        /// How it ended, or goes on.
        result: Box<StepResult>,
    },
    /// Approve the plan with this digest: the one that was shown.
    ApprovePlan {
        /// The digest of the plan that was shown.
        digest: Digest,
    },
    /// The person confirms the erasure once more.
    Confirm,
    /// Undo the erasure before its grace ends.
    Undo,
    /// A legal hold was lifted, or a condition has ended: looks now at what is withheld.
    LiftHold,
    /// Lift the restriction, once the person was told.
    Lift,
}

impl Command {
    /// Its kind, as the tables know it.
    pub const fn on(&self) -> On {
        match self {
            Self::Answer { .. } => On::Answer,
            Self::ApprovePlan { .. } => On::ApprovePlan,
            Self::Confirm => On::Confirm,
            Self::Undo => On::Undo,
            Self::LiftHold => On::LiftHold,
            Self::Lift => On::Lift,
        }
    }

    fn permits(&self, actor: &Actor) -> bool {
        use Actor::{Agent, Engine, Host, Person, Processor, Staff};
        match self {
            // A review is a human's.
            Self::Answer {
                task: Task::Review,
                result,
                ..
            } => match actor {
                Staff(_) => true,
                Engine => matches!(**result, StepResult::Pending(_)),
                _ => false,
            },
            // Locks and packages are the engine's own; a processor speaks for itself alone.
            Self::Answer { target, .. } => match (target, actor) {
                (_, Engine) | (Target::Source(_) | Target::Recipient(_), Staff(_)) => true,
                (Target::Recipient(to), Processor(from)) => to == from,
                _ => false,
            },
            Self::ApprovePlan { .. } => matches!(actor, Staff(_)),
            Self::Confirm => matches!(actor, Person | Agent(_)),
            Self::Undo => matches!(actor, Person | Agent(_) | Staff(_) | Host),
            Self::LiftHold | Self::Lift => matches!(actor, Staff(_) | Host),
        }
    }
}

/// Whether a machine exists for this right.
pub fn is_supported(right: &Right) -> bool {
    Machine::of(right).is_some()
}

/// Whether the work has begun to change data.
pub(super) fn has_written(draft: &Draft<'_>) -> bool {
    let work = draft.request().fulfilment.as_ref();
    work.is_some_and(Fulfilment::has_written)
}

fn work<'d>(draft: &'d Draft<'_>, on: On) -> Result<&'d Fulfilment, Rejection> {
    let work = draft.request().fulfilment.as_ref();
    let work = work.ok_or_else(|| Rejection::NotNow {
        command: snake(&format!("{on:?}")),
        phase: snake(&format!("{:?}", draft.request().lifecycle.phase)),
        open: "approve, first".to_owned(),
    })?;
    let phase = work.phase;
    draft.check_open(work.machine.table(), on, phase, On::is_command)?;
    Ok(work)
}

pub(super) fn decide(draft: &mut Draft<'_>, command: &Command) -> Result<(), Rejection> {
    let work = work(draft, command.on())?;
    if !command.permits(draft.actor()) {
        return Err(Rejection::WrongActor {
            command: snake(&format!("{:?}", command.on())),
        });
    }
    match command {
        Command::Answer {
            task,
            target,
            result,
        } => answer::answer(draft, *task, target, result),
        Command::ApprovePlan { digest } => {
            let current = work.plan_digest();
            if *digest != current {
                return Err(Rejection::PlanChanged { current });
            }
            let same = draft.request().lifecycle.approved_by.as_ref() == Some(draft.actor());
            if draft.policy().plan_approval == Approval::FourEyes && same {
                return Err(Rejection::FourEyes);
            }
            draft.emit(Event::PlanApproved { digest: current });
            advance(draft);
            Ok(())
        }
        Command::Confirm => {
            draft.emit(Event::Confirmed);
            draft.clear(Timer::Expiry);
            advance(draft);
            Ok(())
        }
        Command::Undo => {
            if work.grace_until.is_none_or(|until| draft.now() >= until) {
                return Err(Rejection::TooLate {
                    done: "the time in which it can be undone is over",
                });
            }
            break_off(draft)
        }
        Command::LiftHold => {
            draft.emit(Event::HoldLifted);
            draft.clear(Timer::Tail);
            advance(draft);
            Ok(())
        }
        Command::Lift => restriction::lift(draft),
    }
}

/// Begins the work, or takes it up again where it has begun to change data and is not through.
pub(super) fn start(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    if let Some(work) = &draft.request().fulfilment {
        if work.written && (!work.is_ended() || work.is_incomplete()) {
            return retry(draft);
        }
        // What was cancelled may be lifting its restrictions at this moment.
        self::work(draft, On::Retry)?;
    }
    let none = Landscape::default();
    let machine = Machine::of(&draft.request().facts.right);
    let landscape = match machine {
        // A decision is reviewed, not data.
        Some(Machine::HumanReview) => &none,
        _ => draft.landscape(),
    };
    if machine == Some(Machine::Erasure) && goes_in_circles(&landscape.sources) {
        return Err(Rejection::Malformed {
            what: "the order in which sources are erased",
            accepted: "an order without circles",
        });
    }
    draft.clear(Timer::Tail);
    draft.emit(Event::Started {
        sources: landscape.sources.clone(),
        recipients: landscape.recipients.clone(),
    });
    enter(draft, machine.map_or(Phase::Locating, Machine::first));
    Ok(())
}

/// Whether some sources wait for each other, and none could begin.
fn goes_in_circles(sources: &[SourceInfo]) -> bool {
    let mut waiting: Vec<&SourceInfo> = sources.iter().collect();
    loop {
        let before = waiting.len();
        let ids: Vec<_> = waiting.iter().map(|source| &source.id).collect();
        waiting.retain(|source| source.erase_after.iter().any(|id| ids.contains(&id)));
        if waiting.len() == before {
            return !waiting.is_empty();
        }
    }
}

/// Takes the work up again: what it has not changed yet from the beginning, what it has begun to
/// change from there. What runs already (a tail) runs on, and reports when it ends.
pub(super) fn retry(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    if let Some(work) = &draft.request().fulfilment
        && work.written
        && !work.phase.rests()
    {
        return Ok(());
    }
    let work = work(draft, On::Retry)?;
    if work.cancelled {
        return Err(Rejection::TooLate {
            done: "the work was stopped for good; it takes a new request",
        });
    }
    let phase = match work.machine {
        Machine::Restriction if !work.announced => Phase::Locating,
        Machine::Stop | Machine::HumanReview => work.machine.first(),
        _ if work.written => Phase::Queued,
        _ => Phase::Locating,
    };
    draft.clear(Timer::Tail);
    enter(draft, phase);
    Ok(())
}

/// Leaves what is missing as it is: it is not tried again, and keeps nothing open. What is withheld
/// until a date still goes when the date comes, and what a rectification restricted is freed.
pub(super) fn leave(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let work = draft.request().fulfilment.as_ref();
    if !work.is_some_and(Fulfilment::is_unfinished) {
        return Err(Rejection::TooLate {
            done: "nothing is missing that could be tried again",
        });
    }
    if work.is_some_and(|work| !work.phase.rests()) {
        return Err(Rejection::TooLate {
            done: "the work goes on already; what it comes to is not known yet",
        });
    }
    self::work(draft, On::Leave)?;
    draft.emit(Event::LeftAsItIs);
    let Some(work) = &draft.request().fulfilment else {
        return Ok(());
    };
    match work.phase {
        Phase::Withholding if erasure::waits(work) => withhold(draft),
        Phase::Withholding => {
            draft.clear(Timer::Tail);
            end(draft);
        }
        _ if goes_on_alone(draft) => enter(draft, Phase::Withholding),
        _ => lifecycle::reported(draft),
    }
    Ok(())
}

/// Stops the work, if it has not begun to change data. What came to its end is stopped too where a
/// restriction stayed: nobody would look at it any more.
pub(super) fn cancel(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    match &draft.request().fulfilment {
        None => Ok(()),
        Some(work) if work.written => Err(Rejection::TooLate {
            done: "the work has begun to change data",
        }),
        Some(work) if work.cancelled || (work.is_ended() && !must_lift(work)) => Ok(()),
        Some(_) => break_off(draft),
    }
}

/// Whether rows are restricted only until it is through.
fn must_lift(work: &Fulfilment) -> bool {
    work.machine == Machine::Rectification && work.any_restricted()
}

fn break_off(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let work = work(draft, On::Cancel)?;
    let phase = work.phase;
    let restricted = must_lift(work);
    draft.emit(Event::Cancelled);
    draft.clear(Timer::Grace);
    draft.clear(Timer::Expiry);
    match phase {
        // What is being restricted now must have come to its end before it can be lifted.
        Phase::Restricting => {}
        // Lifting writes: it needs the locks.
        Phase::Queued if restricted => {}
        _ if restricted => enter(draft, Phase::Queued),
        _ => end(draft),
    }
    Ok(())
}

/// A timer of the work fired. One that no longer means anything changes nothing.
pub(super) fn fire(draft: &mut Draft<'_>, timer: Timer) -> Result<(), Rejection> {
    let Some(work) = &draft.request().fulfilment else {
        return Ok(());
    };
    let until = match (timer, work.phase) {
        (Timer::Grace, Phase::Grace) => work.grace_until,
        (Timer::Tail, Phase::Withholding) => work.withheld_until,
        _ => None,
    };
    let Some(until) = until else {
        return Ok(());
    };
    if draft.now() < until {
        draft.set(timer, until);
        return Ok(());
    }
    self::work(draft, On::Lapse)?;
    advance(draft);
    Ok(())
}
