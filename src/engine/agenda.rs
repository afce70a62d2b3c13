//! What is still to do for a request: its effects and timers, kept beside its state.
//!
//! The agenda is committed with the events that fill it, as one value: no effect can be lost, and
//! reading a request performs nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::stored::SCHEMA;
use crate::ports::{Handle, Mark, Pending};
use crate::workflow::{Decision, Effect, EffectKey, Event, Letter, Owed, Task, Timer, TimerChange};

/// An effect that is still to be performed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) key: EffectKey,
    pub(super) effect: Effect,
    /// Not before this instant.
    pub(super) at: DateTime<Utc>,
    /// Which attempt comes next, from 1.
    pub(super) attempt: u32,
    /// The handle of an earlier *pending* answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resume: Option<Handle>,
    /// How often it panicked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) panics: u32,
    /// Since when it is put off because who it needs is down; trials in vain do not end that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) down_since: Option<DateTime<Utc>>,
    /// Why it waits for a person to decide; nobody performs it meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aside: Option<Aside>,
}

/// Why something was set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Aside {
    pub(super) at: DateTime<Utc>,
    pub(super) code: String,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Item {
    /// To be performed for the first time.
    const fn new(key: EffectKey, effect: Effect, at: DateTime<Utc>) -> Self {
        Self {
            key,
            effect,
            at,
            attempt: 1,
            resume: None,
            panics: 0,
            down_since: None,
            aside: None,
        }
    }

    /// Whether it sweeps: what must go must go.
    pub(super) const fn sweeps(&self) -> bool {
        matches!(
            self.effect,
            Effect::DeletePackage | Effect::Shred | Effect::Delete
        )
    }

    /// Whether it is performed again because it failed, or waits for what is down: waiting for a
    /// lock is none.
    fn is_retried(&self) -> bool {
        let waits = matches!(
            self.effect,
            Effect::Step {
                task: Task::LockToRead | Task::LockToWrite,
                ..
            }
        );
        self.down_since.is_some() || (self.attempt > 1 && !waits)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agenda {
    schema: u16,
    pub(super) effects: Vec<Item>,
    pub(super) timers: BTreeMap<Timer, DateTime<Utc>>,
}

impl Agenda {
    pub(super) const fn new() -> Self {
        Self {
            schema: SCHEMA,
            effects: Vec::new(),
            timers: BTreeMap::new(),
        }
    }

    /// What a history says is still to do. How often it was tried before is not known any more.
    pub(super) fn of(owed: Owed, now: DateTime<Utc>) -> Self {
        let item = |(key, effect, pending): (EffectKey, Effect, Option<Pending>)| {
            let mut item = Item::new(key, effect, now);
            if let Some(pending) = pending {
                (item.at, item.resume) = (pending.look_again, Some(pending.handle));
            }
            item
        };
        Self {
            schema: SCHEMA,
            effects: owed.effects.into_iter().map(item).collect(),
            timers: owed.timers.into_iter().collect(),
        }
    }

    pub(super) const fn schema(&self) -> u16 {
        self.schema
    }

    /// Takes in what was decided, and drops what the request no longer waits for.
    pub(super) fn absorb(&mut self, decision: &Decision, now: DateTime<Utc>) {
        for change in &decision.timers {
            match *change {
                TimerChange::Set(timer, at) => {
                    self.timers.insert(timer, at);
                }
                TimerChange::Clear(timer) => {
                    self.timers.remove(&timer);
                }
            }
        }
        for envelope in &decision.events {
            match envelope.event {
                // By hand or by the notifier: it is not to be sent again.
                Event::LetterSent { letter } => self
                    .effects
                    .retain(|item| item.effect != Effect::Notify(letter) || item.resume.is_none()),
                // The newest challenge counts; what becomes of those before it does not.
                Event::ChallengedAgain => {
                    self.effects.retain(|item| item.effect != Effect::Challenge)
                }
                // The extension never took effect: nobody is told of it any more.
                Event::LetterOverdue {
                    letter: letter @ Letter::Extension,
                    ..
                } => self
                    .effects
                    .retain(|item| item.effect != Effect::Notify(letter)),
                _ => {}
            }
        }
        for (key, effect) in &decision.effects {
            if !self.effects.iter().any(|item| item.key == *key) {
                self.effects
                    .push(Item::new(key.clone(), effect.clone(), now));
            }
        }
        self.effects
            .retain(|item| decision.next.awaits(&item.effect));
    }

    /// Whether a package or a key is still to go.
    pub(super) fn sweeps(&self) -> bool {
        let mut effects = self.effects.iter().map(|item| &item.effect);
        effects.any(|effect| matches!(effect, Effect::DeletePackage | Effect::Shred))
    }

    pub(super) fn remove(&mut self, key: &EffectKey) {
        self.effects.retain(|item| item.key != *key);
    }

    pub(super) fn item_mut(&mut self, key: &EffectKey) -> Option<&mut Item> {
        self.effects.iter_mut().find(|item| item.key == *key)
    }

    /// The timer that fires next, and when.
    pub(super) fn next_timer(&self) -> Option<(Timer, DateTime<Utc>)> {
        self.timers
            .iter()
            .map(|(timer, at)| (*timer, *at))
            .min_by_key(|(timer, at)| (*at, *timer))
    }

    /// Lets what was set aside be tried again, from the first attempt.
    pub(super) fn put_back(&mut self, now: DateTime<Utc>) {
        for item in &mut self.effects {
            if item.aside.take().is_some() {
                (item.at, item.attempt, item.panics) = (now, 1, 0);
                item.down_since = None;
            }
        }
    }

    /// The effects that are to be performed, now or later.
    pub(super) fn active(&self) -> impl Iterator<Item = &Item> {
        self.effects.iter().filter(|item| item.aside.is_none())
    }

    /// What an operator should know of the request.
    pub(super) fn mark(&self) -> Option<Mark> {
        let aside = self.effects.iter().any(|item| item.aside.is_some());
        let retried = self.effects.iter().any(Item::is_retried);
        aside
            .then_some(Mark::Aside)
            .or(retried.then_some(Mark::Retrying))
    }

    /// The next instant after `now` at which something else comes to be due.
    pub(super) fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let effects = self.active().map(|item| item.at);
        let all = effects.chain(self.timers.values().copied());
        all.filter(|at| *at > now).min()
    }

    /// When something is to be swept next.
    pub(super) fn next_sweep(&self) -> Option<DateTime<Utc>> {
        let sweeps =
            |timer: &Timer| matches!(timer, Timer::Package | Timer::Personal | Timer::Request);
        let timers = self.timers.iter().filter(|(timer, _)| sweeps(timer));
        let effects = self.active().filter(|item| item.sweeps());
        let effects = effects.map(|item| item.at);
        effects.chain(timers.map(|(_, at)| *at)).min()
    }

    /// When there is something to do again.
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.active()
            .map(|item| item.at)
            .chain(self.timers.values().copied())
            .min()
    }
}
