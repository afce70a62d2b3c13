//! Transitions that are broken on purpose: each must be caught by the property it breaks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datarights::model::{End, Outcome, Until};
use datarights::workflow::fulfilment::Phase;
use datarights::workflow::{
    Command, Decision, Effect, EffectKey, Request, Target, Task, Timer, TimerChange, lifecycle,
};

use crate::system::{ENDS, ERASED, FINAL, FULFILLED};
use crate::world::source_id;

/// What follows from a command: of a decision, what a model looks at.
pub(crate) struct Moved {
    pub(crate) effects: Vec<(EffectKey, Effect)>,
    pub(crate) timers: Vec<TimerChange>,
    pub(crate) next: Request,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Broken {
    Nothing,
    /// Erases as soon as the identity is known.
    ErasesBeforeDecision,
    /// Erases again while a hold is on what is left.
    ErasesUnderHold,
    /// What failed counts as done.
    CallsFailureDone,
    /// Who takes the request back after its end changes the end.
    EndsAgain,
    /// Nobody watches the deadline.
    ForgetsDeadline,
}

impl Broken {
    pub(crate) const ALL: [(Self, &str); 5] = [
        (Self::ErasesBeforeDecision, ERASED),
        (Self::ErasesUnderHold, ERASED),
        (Self::CallsFailureDone, FULFILLED),
        (Self::EndsAgain, FINAL),
        (Self::ForgetsDeadline, ENDS),
    ];

    /// What comes of a command where this is broken; `None` where it is rejected.
    pub(crate) fn decide(
        self,
        request: &Request,
        command: &Command,
        decided: Option<Decision>,
    ) -> Option<Moved> {
        let erase = |moved: &mut Moved| {
            let effect = Effect::Step {
                task: Task::Erase,
                target: Target::Source(source_id("crm")),
                round: 99,
            };
            let key = EffectKey("erase/broken".to_owned());
            moved.effects.push((key, effect));
        };
        let confirms = *command == Command::Lifecycle(lifecycle::Command::ConfirmIdentity);
        let withdraws = *command == Command::Lifecycle(lifecycle::Command::Withdraw);
        if self == Self::EndsAgain && withdraws && request.lifecycle.end.is_some() {
            let mut next = request.clone();
            next.lifecycle.end = Some(End::Withdrawn);
            let (effects, timers) = (Vec::new(), Vec::new());
            return Some(Moved {
                effects,
                timers,
                next,
            });
        }
        let decision = decided?;
        let mut moved = Moved {
            effects: decision.effects,
            timers: decision.timers,
            next: decision.next,
        };
        let next = &mut moved.next;
        match self {
            Self::ErasesBeforeDecision if confirms => erase(&mut moved),
            Self::ErasesUnderHold => {
                let held = next.fulfilment.as_ref().is_some_and(|work| {
                    work.phase == Phase::Withholding
                        && work
                            .withheld()
                            .any(|(_, rows)| rows.until == Until::HoldLifted)
                });
                if held {
                    erase(&mut moved);
                }
            }
            Self::CallsFailureDone => {
                let outcome = &mut next.lifecycle.outcome;
                *outcome = outcome.take().map(|_| Outcome::Done);
            }
            _ => {}
        }
        Some(moved)
    }

    pub(crate) fn forget(self, timers: &mut BTreeMap<Timer, DateTime<Utc>>) {
        if self == Self::ForgetsDeadline {
            timers.remove(&Timer::Deadline);
        }
    }
}
