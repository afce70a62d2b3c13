//! What the answer of a step does: what fits it, what must be searched again, and what follows.

use crate::model::Actor;
use crate::workflow::draft::Draft;
use crate::workflow::effect::{Locks, Target, Task};
use crate::workflow::event::{Event, Finding, StepResult};
use crate::workflow::rejection::Rejection;
use crate::workflow::table::snake;

use super::flow::{advance, begin, block, ready};
use super::{Fulfilment, On, StepState};

pub(super) fn answer(
    draft: &mut Draft<'_>,
    task: Task,
    target: &Target,
    result: &StepResult,
) -> Result<(), Rejection> {
    let work = super::work(draft, On::Answer)?;
    let no_step = || Rejection::NoSuchStep {
        step: format!("{} {target}", snake(&format!("{task:?}"))),
    };
    let step = work.step(target).ok_or_else(no_step)?;
    // What was begun is the engine's to answer; what was handed out, also others'.
    let is_asked = matches!(step.state, StepState::Waiting(_))
        || (*draft.actor() == Actor::Engine && work.is_ready(step));
    if work.phase.task(work.machine) != Some(task) || !is_asked {
        return Err(no_step());
    }
    if !fits(task, result) {
        return Err(Rejection::WrongResult {
            step: snake(&format!("{task:?}")),
        });
    }
    let stale = step.stale;
    let ready_before = ready(work);
    draft.emit(Event::StepAnswered {
        task,
        target: target.clone(),
        result: result.clone(),
    });
    if matches!(result, StepResult::Pending(_)) {
        return Ok(());
    }
    match task {
        Task::LockToRead | Task::LockToWrite => {
            let work = draft.request().fulfilment.as_ref();
            let keys = work.map(Fulfilment::lock_keys).unwrap_or_default();
            draft.lock(Locks::Take {
                keys,
                exclusive: task == Task::LockToWrite,
            });
        }
        Task::Locate | Task::Stop => reopen(draft, target, stale, result),
        _ => {}
    }
    block(draft);
    let Some(work) = &draft.request().fulfilment else {
        return Ok(());
    };
    if work.is_settled() {
        advance(draft);
    } else {
        let mut steps = ready(work);
        steps.retain(|step| !ready_before.contains(step));
        begin(draft, steps);
    }
    Ok(())
}

/// Whether a result is of the kind that a step of this task has.
const fn fits(task: Task, result: &StepResult) -> bool {
    let StepResult::Done { finding, .. } = result else {
        return match task {
            // Locks are taken, or waited for.
            Task::LockToRead | Task::LockToWrite => false,
            // So is a review: who cannot do it refuses the request, with a ground.
            Task::Review => matches!(result, StepResult::Pending(_)),
            _ => true,
        };
    };
    matches!(
        (task, finding),
        (Task::Locate, Finding::Located { .. })
            | (Task::Plan, Finding::Planned { .. })
            | (Task::Read, Finding::Read { .. })
            | (Task::Pack, Finding::Packed { .. })
            | (
                Task::Rectify | Task::Restrict | Task::Unrestrict,
                Finding::Changed { .. }
            )
            | (Task::Erase, Finding::Erased { .. })
            | (Task::Search | Task::Verify, Finding::Left { .. })
            | (Task::Stop, Finding::Stopped { .. })
            | (Task::Review, Finding::Reviewed { .. })
            | (
                Task::LockToRead | Task::LockToWrite | Task::Transmit | Task::Inform | Task::Stop,
                Finding::Nothing
            )
    )
}

/// Opens again what must be searched with identifiers that came to light since.
fn reopen(draft: &mut Draft<'_>, answered: &Target, stale: bool, result: &StepResult) {
    let Some(work) = &draft.request().fulfilment else {
        return;
    };
    let mut targets = Vec::new();
    if let StepResult::Done { finding, .. } = result
        && let Some((_, kinds)) = finding.identified()
    {
        // The source that told them too: what it found by the phone it may hold more of by the
        // mail that stood there.
        targets = work.concerned_by(kinds);
        targets.retain(|target| work.step(target).is_none_or(|step| !step.is_unsettled()));
    }
    if stale && !targets.contains(answered) {
        targets.push(answered.clone());
    }
    for target in targets {
        draft.emit(Event::StepReopened { target });
    }
}
