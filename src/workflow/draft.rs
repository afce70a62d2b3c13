//! A decision in the making, and all that it may depend on.

use std::borrow::Cow;
use std::fmt::Debug;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::law::{ClockEvent, ClockEventKind, GroundUse, Setting, Step};
use crate::model::{Actor, Ground, PartyId};

use super::clock::{Clock, asked_by, fee_is_reflected};
use super::effect::{Effect, EffectKey, Letter, Locks, Timer, TimerChange};
use super::event::{Cause, Envelope, Event, SourceInfo};
use super::letters::WATCHED;
use super::policy::Policy;
use super::rejection::Rejection;
use super::request::Request;
use super::table::{Table, snake};

/// The sources and recipients that exist now. A request keeps those it began with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Landscape {
    /// Every source that must answer.
    pub sources: Vec<SourceInfo>,
    /// Every recipient that is told of changes.
    pub recipients: Vec<PartyId>,
}

/// What a decision depends on besides the request: nothing else is asked.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The present instant.
    pub now: DateTime<Utc>,
    /// Who commands.
    pub actor: &'a Actor,
    /// Why.
    pub cause: &'a Cause,
    /// The law, the right and the controller's calendar.
    pub setting: Setting<'a>,
    /// The controller's settings.
    pub policy: &'a Policy,
    /// The sources and recipients.
    pub landscape: &'a Landscape,
}

/// What follows from a command: to be committed as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// What happened, in order; not yet chained.
    pub events: Vec<Envelope>,
    /// What must be done outside.
    pub effects: Vec<(EffectKey, Effect)>,
    /// When to look again.
    pub timers: Vec<TimerChange>,
    /// What happens to the locks.
    pub locks: Locks,
    /// The request afterwards: the fold of the events.
    pub next: Request,
}

/// A decision in the making: events move a working copy, so that what follows sees them.
pub(super) struct Draft<'a> {
    request: Cow<'a, Request>,
    context: Context<'a>,
    decision: Parts,
}

#[derive(Default)]
struct Parts {
    events: Vec<Envelope>,
    effects: Vec<(EffectKey, Effect)>,
    timers: Vec<TimerChange>,
    locks: Locks,
}

impl<'a> Draft<'a> {
    /// On a request as it stands.
    pub(super) fn new(request: &'a Request, context: Context<'a>) -> Self {
        Self {
            request: Cow::Borrowed(request),
            context,
            decision: Parts::default(),
        }
    }

    /// On a request that begins with this event.
    pub(super) fn begun(request: Request, first: Envelope, context: Context<'a>) -> Self {
        Self {
            request: Cow::Owned(request),
            context,
            decision: Parts {
                events: vec![first],
                ..Parts::default()
            },
        }
    }

    pub(super) fn finish(self) -> Decision {
        Decision {
            events: self.decision.events,
            effects: self.decision.effects,
            timers: self.decision.timers,
            locks: self.decision.locks,
            next: self.request.into_owned(),
        }
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) const fn now(&self) -> DateTime<Utc> {
        self.context.now
    }

    pub(super) const fn actor(&self) -> &'a Actor {
        self.context.actor
    }

    pub(super) const fn policy(&self) -> &'a Policy {
        self.context.policy
    }

    pub(super) const fn landscape(&self) -> &'a Landscape {
        self.context.landscape
    }

    /// Whether the law of this request lets its right be exercised without proof of identity.
    pub(super) fn is_unverified(&self) -> bool {
        let rights = &self.context.setting.regime.unverified_rights;
        rights.contains(&self.request.facts.right)
    }

    /// Refuses a command that the table does not open in a phase, and names those it opens.
    pub(super) fn check_open<P, C>(
        &self,
        table: &Table<P, C>,
        on: C,
        from: P,
        is_command: impl Fn(C) -> bool,
    ) -> Result<(), Rejection>
    where
        P: Copy + Eq + Debug,
        C: Copy + Eq + Debug,
    {
        if table.targets(from, on).is_some() {
            return Ok(());
        }
        Err(Rejection::NotNow {
            command: snake(&format!("{on:?}")),
            phase: snake(&format!("{from:?}")),
            open: table
                .open_in(from)
                .filter(|on| is_command(*on))
                .map(|on| snake(&format!("{on:?}")))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Refuses a ground that cannot be one, or that the law does not give for that. Where its
    /// table lists none for that use, any ground will do.
    pub(super) fn check_ground(&self, ground: &Ground, usage: GroundUse) -> Result<(), Rejection> {
        if !crate::model::is_name(ground.id()) {
            return Err(Rejection::Malformed {
                what: "the ground",
                accepted: "1 to 128 characters of a-z A-Z 0-9 . _ -",
            });
        }
        let Setting { regime, right, .. } = self.context.setting;
        regime.accepts(ground.id(), right, usage)?;
        Ok(())
    }

    /// The ground of a fee: needed where the law lists on which one may be charged.
    pub(super) fn check_fee_ground(&self, ground: Option<&Ground>) -> Result<(), Rejection> {
        let Setting { regime, right, .. } = self.context.setting;
        match ground {
            Some(ground) => self.check_ground(ground, GroundUse::Charge),
            None if !regime.lists_grounds_to(GroundUse::Charge) => Ok(()),
            None => {
                let known = regime.grounds_for(right, GroundUse::Charge);
                let known: Vec<_> = known.map(|ground| ground.code.as_ref()).collect();
                Err(Rejection::NoGround {
                    known: known.join(", "),
                })
            }
        }
    }

    /// What it is to the clocks that a letter asks the person something; `None` for other letters.
    pub(super) fn asked_by(&self, letter: Letter) -> Option<ClockEventKind> {
        asked_by(letter, self.context.setting.regime)
    }

    /// What it is to the clocks that a fee is settled.
    pub(super) fn fee_settled(&self) -> ClockEventKind {
        match fee_is_reflected(self.context.setting.regime) {
            true => ClockEventKind::FeeConfirmed,
            false => ClockEventKind::FeePaid,
        }
    }

    /// Whether the law makes a letter mandatory at that step of this request.
    pub(super) fn law_demands(&self, step: Step) -> bool {
        let Setting { regime, right, .. } = self.context.setting;
        regime
            .notices_for(right)
            .any(|notice| notice.step == step && notice.mandatory)
    }

    /// Whether the law leaves nobody with nothing unless it is refused: it lists on which grounds,
    /// or what must be said with it.
    pub(super) fn law_wants_grounds(&self) -> bool {
        let said = [Step::Refusal, Step::AppealInformation, Step::CannotIdentify];
        let regime = self.context.setting.regime;
        regime.lists_grounds_to(GroundUse::Refuse)
            || said.iter().any(|step| self.law_demands(*step))
    }

    /// Records an event and moves the working copy by it.
    pub(super) fn emit(&mut self, event: Event) {
        let (actor, cause) = (self.context.actor.clone(), self.context.cause.clone());
        self.record(event, actor, cause);
    }

    /// Records what came with time alone, whoever commands now.
    pub(super) fn emit_by_time(&mut self, event: Event, timer: Timer) {
        self.record(event, Actor::Engine, Cause::Timer(timer));
        self.clear(timer);
    }

    fn record(&mut self, event: Event, actor: Actor, cause: Cause) {
        let envelope = self.request.event(self.context.now, actor, cause, event);
        self.request.to_mut().advance(&envelope);
        self.decision.events.push(envelope);
    }

    /// Asks for an effect, under the sequence of the event before it.
    pub(super) fn effect(&mut self, effect: Effect) {
        let key = effect.key(self.request.sequence);
        self.decision.effects.push((key, effect));
    }

    pub(super) fn set(&mut self, timer: Timer, at: DateTime<Utc>) {
        self.decision.timers.push(TimerChange::Set(timer, at));
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.decision.timers.push(TimerChange::Clear(timer));
    }

    pub(super) fn lock(&mut self, locks: Locks) {
        self.decision.locks = locks;
    }

    /// The end of a day on the controller's calendar.
    pub(super) fn end_of(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        self.context.setting.calendar.end_of(date)
    }

    /// The instant after a span from now.
    pub(super) fn later(&self, span: TimeDelta) -> DateTime<Utc> {
        later(self.context.now, span)
    }

    /// Lets something follow when the person does not answer.
    pub(super) fn expire_later(&mut self) {
        self.set(Timer::Expiry, self.later(self.context.policy.answer_within));
    }

    /// Computes the deadlines anew after something that may move them.
    pub(super) fn move_clock(&mut self, kind: ClockEventKind) -> Result<(), Rejection> {
        self.move_clock_until(kind, None)
    }

    /// The same, with the date that the notice of an extension promises.
    pub(super) fn move_clock_until(
        &mut self,
        kind: ClockEventKind,
        until: Option<NaiveDate>,
    ) -> Result<(), Rejection> {
        let at = self.context.now;
        self.move_clock_by(ClockEvent { at, kind, until })
    }

    /// The same for what happened earlier.
    pub(super) fn move_clock_at(
        &mut self,
        kind: ClockEventKind,
        at: DateTime<Utc>,
    ) -> Result<(), Rejection> {
        let until = None;
        self.move_clock_by(ClockEvent { at, kind, until })
    }

    fn move_clock_by(&mut self, event: ClockEvent) -> Result<(), Rejection> {
        let clock = self.request.clock.after(self.context.setting, event)?;
        self.replace_clock(clock);
        Ok(())
    }

    /// Takes the last extension back: the deadlines are those that it was to move.
    pub(super) fn lapse_extension(&mut self) -> Result<(), Rejection> {
        let clock = if self.request.lifecycle.appealed {
            self.request.clock.without_appeal_extension()
        } else {
            self.request.clock.without_extension(self.context.setting)?
        };
        if clock != self.request.clock {
            self.emit_by_time(Event::ClockMoved(Box::new(clock)), Timer::Extension);
            self.time_clock();
        }
        Ok(())
    }

    /// Computes until when an appeal that came in now must be decided.
    pub(super) fn start_appeal_clock(&mut self) -> Result<(), Rejection> {
        let (setting, now) = (self.context.setting, self.context.now);
        let clock = self.request.clock.appealed(setting, now)?;
        self.replace_clock(clock);
        Ok(())
    }

    /// Computes it anew once its extension is announced.
    pub(super) fn extend_appeal_clock(&mut self) -> Result<(), Rejection> {
        let (setting, now) = (self.context.setting, self.context.now);
        let clock = self.request.clock.appeal_extended(setting, now)?;
        self.replace_clock(clock);
        Ok(())
    }

    /// Whether what happened can move the clock of the answer under the law of this request.
    pub(super) fn is_moved_by(&self, kind: ClockEventKind) -> bool {
        let history = &self.request.clock.history;
        self.context.setting.is_moved_by(kind, history)
    }

    /// Whether the law wants a refusal on one of these grounds reviewed by somebody else.
    pub(super) fn wants_other_reviewer<'g>(
        &self,
        grounds: impl IntoIterator<Item = &'g Ground>,
    ) -> bool {
        let regime = self.context.setting.regime;
        grounds.into_iter().any(|ground| {
            let mut known = regime.grounds.iter();
            known.any(|known| known.code == ground.id() && known.reviewable)
        })
    }

    fn replace_clock(&mut self, clock: Clock) {
        if clock != self.request.clock {
            self.emit(Event::ClockMoved(Box::new(clock)));
            self.time_clock();
        }
    }

    /// Sets the timers of the deadlines that are in force now.
    pub(super) fn time_clock(&mut self) {
        match self.request.answer_due() {
            // One that is past and recorded is not watched any more.
            Some(due) if due > self.now() || !self.request.lifecycle.overdue => {
                self.set(Timer::Deadline, due);
                self.remind_later();
            }
            _ => {
                self.clear(Timer::Deadline);
                self.clear(Timer::Reminder);
            }
        }
        self.time_letters();
    }

    /// Sets the timers of the letters that have a last day of their own.
    pub(super) fn time_letters(&mut self) {
        for letter in WATCHED {
            let Some(timer) = letter.timer() else {
                continue;
            };
            match self.request.letter_watched(letter) {
                Some(due) => self.set(timer, due),
                None => self.clear(timer),
            }
        }
    }

    /// Sets the next reminder that is still to come.
    pub(super) fn remind_later(&mut self) {
        let Some(due) = self.request.answer_due() else {
            return;
        };
        let next = self
            .context
            .policy
            .remind_before
            .iter()
            .filter_map(|before| due.checked_sub_signed(*before))
            .filter(|at| *at > self.context.now)
            .min();
        match next {
            Some(at) => self.set(Timer::Reminder, at),
            None => self.clear(Timer::Reminder),
        }
    }
}

/// The instant after a span; the last there is, where that would be beyond it.
pub(super) fn later(at: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    let at = at.checked_add_signed(span);
    at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}
