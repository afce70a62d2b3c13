//! What an engine keeps of what is still to do, as it is asked for and done, beside what the history
//! tells of it.

use chrono::{DateTime, Utc};
use datarights::model::Actor;
use datarights::workflow::{
    Cause, Command, Decision, Effect, EffectKey, Envelope, Event, Letter, StepResult, Timer,
    fulfilment, lifecycle, owed,
};

use crate::world::{Situation, World};

/// The history, and what is still to do: with what was handed out.
#[derive(Default)]
pub(crate) struct Kept {
    history: Vec<Envelope>,
    effects: Vec<(EffectKey, Effect, bool)>,
}

impl Kept {
    /// Why a command is given: what the engine reports came of an effect.
    pub(crate) fn cause(&self, actor: &Actor, command: &Command) -> Cause {
        use lifecycle::Command as Life;
        let is_of = |effect: &Effect| match (command, effect) {
            (
                Command::Work(fulfilment::Command::Answer { task, target, .. }),
                Effect::Step {
                    task: other,
                    target: to,
                    ..
                },
            ) => (task, target) == (other, to),
            (
                Command::Lifecycle(
                    Life::LetterSent { letter }
                    | Life::LetterFailed { letter, .. }
                    | Life::LetterPending { letter, .. },
                ),
                Effect::Notify(other),
            ) => letter == other,
            (Command::Lifecycle(Life::ChallengeFailed { .. }), Effect::Challenge)
            | (Command::Lifecycle(Life::PackageDeleted), Effect::DeletePackage)
            | (Command::Lifecycle(Life::Shredded), Effect::Shred) => true,
            _ => false,
        };
        let mut effects = self.effects.iter();
        match (command, effects.find(|(_, effect, _)| is_of(effect))) {
            (Command::Fire(timer), _) => Cause::Timer(*timer),
            (_, Some((key, ..))) if *actor == Actor::Engine => Cause::Effect(key.clone()),
            _ => Cause::Command,
        }
    }

    /// Takes in what was decided.
    pub(crate) fn absorb(&mut self, cause: &Cause, decision: &Decision) {
        self.history.extend(decision.events.iter().cloned());
        let goes_on = |effect: &Effect, event: &Event| match (effect, event) {
            (Effect::Notify(letter), Event::LetterPending { letter: other, .. }) => letter == other,
            (
                Effect::Step { task, target, .. },
                Event::StepAnswered {
                    task: other,
                    target: of,
                    result: StepResult::Pending(_),
                },
            ) => (task, target) == (other, of),
            _ => false,
        };
        self.effects.retain_mut(|(key, effect, pending)| {
            let is_cause = *cause == Cause::Effect(key.clone());
            let by_hand = matches!(effect, Effect::Step { .. });
            let mut events = decision.events.iter();
            let goes_on = events.any(|envelope| goes_on(effect, &envelope.event));
            *pending |= goes_on && (is_cause || by_hand);
            goes_on || !is_cause
        });
        for envelope in &decision.events {
            self.effects
                .retain(|(_, effect, pending)| match &envelope.event {
                    Event::LetterSent { letter } | Event::LetterFailed { letter, .. } => {
                        *effect != Effect::Notify(*letter) || !pending
                    }
                    Event::ChallengedAgain => *effect != Effect::Challenge,
                    Event::LetterOverdue {
                        letter: Letter::Extension,
                        ..
                    } => *effect != Effect::Notify(Letter::Extension),
                    _ => true,
                });
        }
        for (key, effect) in &decision.effects {
            if !self.effects.iter().any(|(known, ..)| known == key) {
                self.effects.push((key.clone(), effect.clone(), false));
            }
        }
        self.effects
            .retain(|(_, effect, _)| decision.next.awaits(effect));
    }

    /// What happened.
    pub(crate) fn history(&self) -> &[Envelope] {
        &self.history
    }

    /// The history tells all that is kept, and nothing beside it but timers that are past.
    pub(crate) fn must_be_told(&self, world: &World, now: &Situation) {
        let context = world.context(now.now, &Actor::Engine, &Cause::Command);
        let told = owed(&self.history, &context).unwrap();
        let past = |timer: Timer| {
            let mut timers = told.timers.iter();
            timers.any(|(other, at)| *other == timer && *at <= now.now)
        };
        for (key, effect, pending) in &self.effects {
            let mut all = told.effects.iter();
            let found = all.find(|(other, ..)| other == key);
            // What a timer asked for that left no event comes again with the timer; a package that was
            // deleted after its period is not deleted once more.
            let again = match effect {
                Effect::DeletePackage => {
                    past(Timer::Package) || now.request.lifecycle.package_deleted
                }
                Effect::Shred => past(Timer::Personal),
                Effect::Delete => past(Timer::Request),
                _ => false,
            };
            match found {
                Some((_, other, waits)) => assert_eq!((other, waits.is_some()), (effect, *pending)),
                None => assert!(again, "{key:?} is not told: {told:?}"),
            }
        }
        for (key, ..) in &told.effects {
            let mut kept = self.effects.iter();
            assert!(kept.any(|(other, ..)| other == key), "{key:?} is over");
        }
        let is_past = |at: &DateTime<Utc>| *at <= now.now;
        for (timer, at) in &now.timers {
            // A reminder that nobody gave in time is not given any more; what was destroyed before its
            // time is not destroyed again.
            let over = match timer {
                Timer::Reminder => is_past(at),
                Timer::Personal => now.request.lifecycle.shredded,
                Timer::Package => is_past(at) && now.request.lifecycle.package_deleted,
                _ => false,
            };
            let found = told.timers.contains(&(*timer, *at));
            assert!(found || over, "{timer:?} at {at} is not told: {told:?}");
        }
        for (timer, at) in &told.timers {
            let kept = now.timers.get(timer) == Some(at);
            // Reminders are counted from the deadline of now, and one more does no harm.
            let more = is_past(at) || *timer == Timer::Reminder;
            assert!(kept || more, "{timer:?} at {at} is not kept");
        }
    }
}
