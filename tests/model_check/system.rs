//! Two workers, a store with leases, people and clocks around the real transition functions, as a
//! model checker walks them.
//!
//! The request moves by `workflow::decide` alone. Beside it stands what an engine and a store keep:
//! the agenda of effects and timers, and the newest lease. A commit is one step, because a worker
//! that meets a conflict decides anew on what is stored then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::model::{Actor, Failure, Outcome, Until};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Command, Effect, EffectKey, Request, StepResult, Target, Task, Timer, lifecycle,
};
use stateright::{Model, Property};

use crate::broken::Broken;
use crate::world::{self, Situation, World};

/// What may go wrong, so often in one course.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Budget {
    pub(crate) crashes: u8,
    /// Leases that are taken over while their worker goes on.
    pub(crate) takeovers: u8,
    /// Answers that arrive once more.
    pub(crate) duplicates: u8,
    /// Steps that are answered otherwise than with success.
    pub(crate) misfortunes: u8,
    /// Clocks that go back.
    pub(crate) setbacks: u8,
}

/// A request in its surroundings, and what its people may do.
pub(crate) struct System {
    pub(crate) world: World,
    pub(crate) budget: Budget,
    /// Each of these is given once at most, at any time.
    pub(crate) commands: Vec<Command>,
    pub(crate) broken: Broken,
}

/// One worker.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Worker {
    /// Its lease; 0 for none.
    fence: u8,
    /// What it believes is to be done, once its lease is lost.
    stale: Option<Vec<(EffectKey, Effect)>>,
    /// Answers it heard and has not written down: which, and the how-manieth possible one.
    hand: BTreeSet<(EffectKey, Effect, usize)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub(crate) request: Request,
    timers: BTreeMap<Timer, DateTime<Utc>>,
    agenda: Vec<(EffectKey, Effect)>,
    now: DateTime<Utc>,
    newest: u8,
    workers: [Worker; 2],
    left: Budget,
    given: BTreeSet<usize>,
    /// What happened outside: it is not undone by anything.
    pub(crate) ghost: Ghost,
}

/// What the properties look at beside the request.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ghost {
    /// Something was erased for somebody unknown, undecided, or whose rows are under a hold.
    pub(crate) wrongly_erased: bool,
    /// Everything that is left is under a hold that nobody lifted.
    held: bool,
    /// Which steps were answered with all of it done.
    done: BTreeSet<(Task, Target)>,
    /// Which sources said that nothing is there.
    empty: BTreeSet<Target>,
    /// The first end, and whether another one came after it.
    end: Option<datarights::model::End>,
    pub(crate) ended_again: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Claim(usize),
    /// A worker has a port perform an effect, and hears this answer.
    Perform(usize, EffectKey, usize),
    /// It writes an answer down; `true`: and brings it once more.
    Settle(usize, EffectKey, bool),
    Crash(usize),
    Fire(usize, Timer),
    /// The clock comes to the next timer.
    Pass,
    /// The clock goes back by two days.
    Setback,
    /// Somebody gives a command.
    Give(usize),
}

/// The answers that an effect may have; the first one is that all is done.
fn answers(effect: &Effect) -> Vec<Command> {
    match effect {
        Effect::Step { task, target, .. } => {
            let mut results = vec![world::success(*task, target)];
            match task {
                Task::Locate => results.push(StepResult::done(world::located("crm", 0, None))),
                Task::Erase => {
                    let held = vec![world::withheld(Until::HoldLifted)];
                    results.push(StepResult::done(world::erased(1, held)));
                }
                _ => {}
            }
            results.push(StepResult::Failed(Failure::Unavailable));
            let answer = |result| world::answer(*task, target, result).into();
            results.into_iter().map(answer).collect()
        }
        Effect::Notify(letter) => vec![
            lifecycle::Command::LetterSent { letter: *letter }.into(),
            lifecycle::Command::LetterFailed {
                letter: *letter,
                failure: Failure::Unavailable,
            }
            .into(),
        ],
        _ => Vec::new(),
    }
}

impl System {
    fn decide(&self, state: &State, actor: &Actor, command: &Command) -> Option<State> {
        let request = &state.request;
        let decided = self.world.decide(request, state.now, actor, command).ok();
        let decision = self.broken.decide(request, command, decided)?;
        let mut next = state.clone();
        world::absorb(&mut next.timers, &decision.timers);
        next.agenda.extend(decision.effects);
        // As the engine does: what the request no longer waits for is dropped.
        next.agenda.retain(|(_, effect)| match effect {
            Effect::Step {
                task,
                target,
                round,
            } => {
                let work = decision.next.fulfilment.as_ref();
                work.is_some_and(|work| work.waits_for(*task, target, *round))
                    || self.broken == Broken::ErasesBeforeDecision
                    || self.broken == Broken::ErasesUnderHold
            }
            _ => true,
        });
        next.request = decision.next;
        next.note(command);
        Some(next)
    }

    fn settle(&self, state: &State, nth: usize, key: &EffectKey, again: bool) -> Option<State> {
        let worker = &state.workers[nth];
        let held = worker.hand.iter().find(|(held, ..)| held == key)?;
        let (_, effect, number) = held.clone();
        let mut next = state.clone();
        if worker.fence != state.newest {
            // The store refuses; the worker goes.
            next.workers[nth] = Worker::default();
            return Some(next);
        }
        let waits = state.agenda.iter().any(|(known, _)| known == key);
        if waits && let Some(command) = answers(&effect).get(number) {
            let settled = |state: &mut State| state.agenda.retain(|(known, _)| known != key);
            settled(&mut next);
            // What is rejected no longer matters: it is dropped.
            next = self.decide(&next, &Actor::Engine, command).unwrap_or(next);
        }
        if again {
            next.left.duplicates -= 1;
        } else {
            next.workers[nth]
                .hand
                .remove(&(key.clone(), effect, number));
        }
        Some(next)
    }
}

impl State {
    /// What an accepted command means to the properties.
    fn note(&mut self, command: &Command) {
        let request = &self.request;
        if let Command::Work(fulfilment::Command::Answer {
            task,
            target,
            result,
        }) = command
        {
            if **result == world::success(*task, target) {
                self.ghost.done.insert((*task, target.clone()));
            }
            if **result == StepResult::done(world::located("crm", 0, None)) {
                self.ghost.empty.insert(target.clone());
            }
        }
        let withholds = |work: &fulfilment::Fulfilment| {
            work.phase == Phase::Withholding
                && work
                    .withheld()
                    .any(|(_, rows)| rows.until == Until::HoldLifted)
        };
        self.ghost.held = request.fulfilment.as_ref().is_some_and(withholds);
        let end = &request.lifecycle.end;
        if self.ghost.end.is_some() && self.ghost.end != *end {
            self.ghost.ended_again = true;
        }
        if self.ghost.end.is_none() {
            self.ghost.end.clone_from(end);
        }
    }

    fn holder(&self) -> Option<usize> {
        self.workers
            .iter()
            .position(|worker| worker.fence == self.newest)
    }

    fn is_over(&self) -> bool {
        !self.request.is_open()
    }

    /// Whether what is said to be done was done, everywhere.
    fn is_whole(&self, system: &System) -> bool {
        let sources = &system.world.landscape.sources;
        sources.iter().all(|source| {
            let target = Target::Source(source.id.clone());
            let done = |task| self.ghost.done.contains(&(task, target.clone()));
            match self.request.facts.right {
                datarights::model::Right::Erasure => {
                    done(Task::Erase) || self.ghost.empty.contains(&target)
                }
                _ => done(Task::Read) || self.ghost.empty.contains(&target),
            }
        })
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let received = self.world.receive();
        let Situation {
            request,
            timers,
            now,
        } = Situation::after(received.clone());
        let mut state = State {
            request,
            timers,
            agenda: received.effects,
            now,
            newest: 0,
            workers: Default::default(),
            left: self.budget,
            given: BTreeSet::new(),
            ghost: Ghost::default(),
        };
        self.broken.forget(&mut state.timers);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // Once all is over, only what still comes in can change anything.
        if !state.is_over() {
            let free = state.newest == 0 || state.holder().is_none();
            for (nth, worker) in state.workers.iter().enumerate() {
                if worker.fence != state.newest || worker.fence == 0 {
                    // Two who hold nothing are the same.
                    let first = nth == 0 || state.workers[0] != state.workers[1];
                    if worker.fence == 0 && first && (free || state.left.takeovers > 0) {
                        actions.push(Action::Claim(nth));
                    }
                }
                if worker.fence == 0 {
                    continue;
                }
                let due = worker.stale.as_ref().unwrap_or(&state.agenda);
                for (key, effect) in due {
                    if worker.hand.iter().any(|(held, ..)| held == key) {
                        continue;
                    }
                    let possible = match state.left.misfortunes {
                        0 => 1,
                        _ => answers(effect).len(),
                    };
                    for answer in 0..possible.min(answers(effect).len()) {
                        actions.push(Action::Perform(nth, key.clone(), answer));
                    }
                }
                if worker.fence == state.newest {
                    let due = state.timers.iter().filter(|(_, at)| **at <= state.now);
                    let first = due.min_by_key(|(timer, at)| (**at, **timer));
                    actions.extend(first.map(|(timer, _)| Action::Fire(nth, *timer)));
                }
                if state.left.crashes > 0 {
                    actions.push(Action::Crash(nth));
                }
            }
            let later = state.timers.values().any(|at| *at > state.now);
            if later && state.timers.values().all(|at| *at > state.now) {
                actions.push(Action::Pass);
            }
            if state.left.setbacks > 0 {
                actions.push(Action::Setback);
            }
        }
        for (nth, worker) in state.workers.iter().enumerate() {
            for (key, ..) in &worker.hand {
                actions.push(Action::Settle(nth, key.clone(), false));
                if state.left.duplicates > 0 {
                    actions.push(Action::Settle(nth, key.clone(), true));
                }
            }
        }
        for nth in 0..self.commands.len() {
            if !state.given.contains(&nth) {
                actions.push(Action::Give(nth));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Claim(nth) => {
                if let Some(holder) = state.holder().filter(|_| state.newest > 0) {
                    next.left.takeovers -= 1;
                    next.workers[holder].stale = Some(state.agenda.clone());
                }
                next.newest += 1;
                next.workers[nth] = Worker {
                    fence: next.newest,
                    ..Worker::default()
                };
            }
            Action::Perform(nth, key, answer) => {
                let worker = &state.workers[nth];
                let due = worker.stale.as_ref().unwrap_or(&state.agenda);
                let (_, effect) = due.iter().find(|(known, _)| *known == key)?.clone();
                if answer > 0 {
                    next.left.misfortunes -= 1;
                }
                if matches!(
                    effect,
                    Effect::Step {
                        task: Task::Erase,
                        ..
                    }
                ) {
                    let life = &state.request.lifecycle;
                    let decided = life.identified && life.approved_by.is_some();
                    // A worker that lost its lease does what it was told before that.
                    let told_then = worker.stale.is_some();
                    if !decided || (state.ghost.held && !told_then) {
                        next.ghost.wrongly_erased = true;
                    }
                }
                next.workers[nth].hand.insert((key, effect, answer));
            }
            Action::Settle(nth, key, again) => return self.settle(state, nth, &key, again),
            Action::Crash(nth) => {
                next.left.crashes -= 1;
                next.workers[nth] = Worker::default();
            }
            Action::Fire(_, timer) => {
                let due = next.timers.remove(&timer);
                match self.decide(&next, &Actor::Engine, &Command::Fire(timer)) {
                    Some(fired) => next = fired,
                    // The engine would report it and try again later: nothing changes.
                    None => {
                        next.timers.extend(due.map(|at| (timer, at)));
                        return None;
                    }
                }
            }
            Action::Pass => {
                next.now = *state.timers.values().filter(|at| **at > state.now).min()?
            }
            Action::Setback => {
                next.left.setbacks -= 1;
                next.now -= TimeDelta::days(2);
            }
            Action::Give(nth) => {
                let command = match &self.commands[nth] {
                    // The plan that is shown.
                    Command::Work(fulfilment::Command::ApprovePlan { .. }) => {
                        let digest = state.request.fulfilment.as_ref()?.plan_digest();
                        fulfilment::Command::ApprovePlan { digest }.into()
                    }
                    other => other.clone(),
                };
                next = self.decide(state, &world::somebody_for(&command), &command)?;
                next.given.insert(nth);
            }
        }
        self.broken.forget(&mut next.timers);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ERASED, |_, state: &State| !state.ghost.wrongly_erased),
            Property::always(FULFILLED, |system: &Self, state: &State| {
                let done = state.request.lifecycle.outcome == Some(Outcome::Done);
                !done || state.is_whole(system)
            }),
            Property::always(FINAL, |_, state: &State| !state.ghost.ended_again),
            Property::eventually(ENDS, |_, state: &State| {
                let life = &state.request.lifecycle;
                life.end.is_some() || life.overdue || life.answered_at.is_some()
            }),
            Property::sometimes(
                "somebody is answered that all is done",
                |_, state: &State| {
                    let life = &state.request.lifecycle;
                    life.answered_at.is_some() && life.outcome == Some(Outcome::Done)
                },
            ),
            Property::sometimes("something is late", |_, state: &State| {
                state.request.lifecycle.overdue
            }),
        ]
    }
}

pub(crate) const ERASED: &str = "nothing is erased before identity and decision, or under a hold";
pub(crate) const FULFILLED: &str = "nothing is fulfilled without the answer of every source";
pub(crate) const FINAL: &str = "an end is final";
pub(crate) const ENDS: &str = "every request ends or is overdue";
