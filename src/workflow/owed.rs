//! What is still to do for a request, told again from its history: for whoever lost what was kept
//! beside its state.
//!
//! What a decision asks for follows an event, and is named by its sequence; what was done is an event
//! again. A few things leave none (a challenge that went out, a timer that fired): they are told once
//! more, under the same key, which every port bears. Spans of the policy are those of now.

use chrono::{DateTime, Utc};

use crate::law::Step;
use crate::model::{End, Pending};

use super::draft::{Context, Draft, later};
use super::effect::{Effect, EffectKey, Letter, Timer, TimerChange};
use super::event::{Cause, Envelope, Event};
use super::fulfilment::{Fulfilment, Phase, StepState};
use super::lifecycle;
use super::request::{FoldError, Request};

/// What is still to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Owed {
    /// What must be done outside; with what was *pending*, where it goes on there.
    pub effects: Vec<(EffectKey, Effect, Option<Pending>)>,
    /// When to look again. What is past was due meanwhile, or was looked at and left no trace.
    pub timers: Vec<(Timer, DateTime<Utc>)>,
}

impl Request {
    /// Whether an effect is still waited for.
    pub fn awaits(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Step {
                task,
                target,
                round,
            } => self
                .fulfilment
                .as_ref()
                .is_some_and(|work| work.waits_for(*task, target, *round)),
            Effect::Notify(letter) => !self.is_moot(*letter),
            Effect::Challenge => self.lifecycle.phase == lifecycle::Phase::Identity,
            // An appeal was granted: what is read from now on is wanted.
            Effect::DeletePackage => self.lifecycle.is_closed() || self.lifecycle.refusal.is_some(),
            Effect::Shred | Effect::Delete => true,
        }
    }
}

/// Tells from its whole history what is still to do for a request.
///
/// # Errors
/// Those of [`Request::fold`].
pub fn owed(history: &[Envelope], context: &Context<'_>) -> Result<Owed, FoldError> {
    let (first, rest) = history.split_first().ok_or(FoldError::Empty)?;
    let mut walk = Walk {
        request: Request::begin(first)?,
        context,
        asked: Vec::new(),
        expiry: None,
        appeal: None,
        settled: None,
        swept: None,
    };
    walk.received(first.sequence);
    for (place, envelope) in rest.iter().enumerate() {
        let next = rest.get(place + 1);
        walk.step(envelope, next);
    }
    Ok(walk.end())
}

struct Walk<'a> {
    request: Request,
    context: &'a Context<'a>,
    asked: Vec<(EffectKey, Effect, Option<Pending>)>,
    /// When the person's time to answer is over.
    expiry: Option<DateTime<Utc>>,
    /// When their time to appeal is.
    appeal: Option<DateTime<Utc>>,
    /// Since when nothing is to come any more.
    settled: Option<DateTime<Utc>>,
    /// When the package was deleted last.
    swept: Option<DateTime<Utc>>,
}

impl Walk<'_> {
    fn ask(&mut self, effect: Effect, sequence: u64) {
        let key = effect.key(sequence);
        if !self.asked.iter().any(|(known, ..)| *known == key) {
            self.asked.push((key, effect, None));
        }
    }

    fn received(&mut self, sequence: u64) {
        let draft = Draft::new(&self.request, *self.context);
        if self.context.policy.acknowledge || draft.law_demands(Step::Acknowledgement) {
            self.ask(Effect::Notify(Letter::Acknowledgement), sequence);
        }
    }

    fn step(&mut self, envelope: &Envelope, next: Option<&Envelope>) {
        let life = &self.request.lifecycle;
        let was_answered = life.phase == lifecycle::Phase::Answered;
        let asked = match &envelope.event {
            Event::LetterSent { letter } => life.is_asking(*letter),
            _ => false,
        };
        self.request.advance(envelope);
        let (at, sequence) = (envelope.at, envelope.sequence);
        let policy = self.context.policy;
        let notify = |letter| Effect::Notify(letter);
        match &envelope.event {
            Event::IdentityRequested => {
                self.ask(notify(Letter::IdentityRequest), sequence);
                self.ask(Effect::Challenge, sequence);
            }
            Event::ChallengedAgain => {
                self.asked
                    .retain(|(_, effect, _)| *effect != Effect::Challenge);
                self.ask(Effect::Challenge, sequence);
                if self.request.lifecycle.waits_for_person() {
                    self.expiry = Some(later(at, policy.answer_within));
                }
            }
            Event::ClarificationRequested => {
                self.ask(notify(Letter::ClarificationRequest), sequence);
            }
            Event::FeeRequested { .. } => self.ask(notify(Letter::FeeRequest), sequence),
            Event::Extended { .. } | Event::AppealExtended { .. } => {
                self.ask(notify(Letter::Extension), sequence);
            }
            Event::IdentityConfirmed
            | Event::ClarificationReceived
            | Event::FeePaid
            | Event::FeeWaived
            | Event::Confirmed
            | Event::Unanswered
            | Event::Cancelled => self.expiry = None,
            Event::Refused { .. } => {
                self.expiry = None;
                // The clock that runs on with it comes before its letter.
                let moved = next.is_some_and(|next| {
                    matches!(next.event, Event::ClockMoved(_))
                        && (next.at, &next.actor, &next.cause)
                            == (at, &envelope.actor, &envelope.cause)
                });
                let sequence = sequence + u64::from(moved);
                self.give_up_package(sequence);
                self.ask(notify(Letter::Refusal), sequence);
            }
            Event::LetterResent { letter } => self.ask(notify(*letter), sequence),
            Event::AppealDecided { granted } => {
                self.ask(notify(Letter::AppealDecision), sequence);
                self.appeal = match granted {
                    true => None,
                    false => Some(later(at, policy.appeal_within)),
                };
            }
            Event::Released => self.ask(notify(Letter::Response), sequence),
            Event::Entered { phase } => match phase {
                Phase::Confirmation => self.ask(notify(Letter::ConfirmationRequest), sequence),
                Phase::Announcing => self.ask(notify(Letter::RestrictionLifted), sequence),
                _ => {}
            },
            Event::LetterSent { letter } => {
                self.done(envelope, Some(*letter));
                let life = &self.request.lifecycle;
                if (asked && life.waits_for_person())
                    || (*letter == Letter::ConfirmationRequest && !self.request.is_moot(*letter))
                {
                    self.expiry = Some(later(at, policy.answer_within));
                }
                if !was_answered && life.phase == lifecycle::Phase::Answered {
                    self.appeal = Some(later(at, policy.appeal_within));
                }
            }
            Event::LetterFailed { letter, .. } => self.done(envelope, Some(*letter)),
            Event::LetterPending { letter, pending } => self.wait(envelope, *letter, pending),
            // The extension never took effect: nobody is told of it any more.
            Event::LetterOverdue {
                letter: letter @ Letter::Extension,
                ..
            } => self
                .asked
                .retain(|(_, effect, _)| *effect != notify(*letter)),
            Event::ChallengeFailed { .. } => {
                self.done(envelope, None);
                self.expiry = None;
            }
            Event::PackageDeleted => {
                self.done(envelope, None);
                if let Cause::Effect(_) = envelope.cause {
                    self.swept = Some(at);
                }
            }
            Event::Ended { .. }
            | Event::Restricted { .. }
            | Event::Withholding { .. }
            | Event::LeftAsItIs => {
                if self.request.lifecycle.phase == lifecycle::Phase::Answered {
                    let answered = self.request.lifecycle.answered_at.unwrap_or(at);
                    self.appeal = Some(later(answered, policy.appeal_within).max(at));
                }
                self.settle(at);
            }
            Event::Closed { end } => {
                let by_silence = envelope.cause == Cause::Timer(Timer::Expiry);
                if *end == End::Expired || (*end == End::Withdrawn && by_silence) {
                    self.ask(notify(Letter::Expiry), sequence - 1);
                }
                if *end == End::Withdrawn {
                    self.give_up_package(sequence);
                }
                self.settle(at);
            }
            _ => {}
        }
        let request = &self.request;
        self.asked.retain(|(_, effect, _)| request.awaits(effect));
    }

    fn settle(&mut self, at: DateTime<Utc>) {
        if !self.request.is_open() {
            self.settled = Some(at);
        }
    }

    fn give_up_package(&mut self, sequence: u64) {
        let work = self.request.fulfilment.as_ref();
        if work.is_some_and(Fulfilment::has_read) && !self.request.lifecycle.package_deleted {
            self.ask(Effect::DeletePackage, sequence);
        }
    }

    /// An effect came to its end. What somebody did by hand ends what was handed to them.
    fn done(&mut self, envelope: &Envelope, letter: Option<Letter>) {
        self.asked.retain(|(key, effect, pending)| {
            let by_hand = pending.is_some() && letter.map(Effect::Notify).as_ref() == Some(effect);
            envelope.cause != Cause::Effect(key.clone()) && !by_hand
        });
    }

    fn wait(&mut self, envelope: &Envelope, letter: Letter, pending: &Pending) {
        for (key, effect, waits) in &mut self.asked {
            if *effect == Effect::Notify(letter) && envelope.cause == Cause::Effect(key.clone()) {
                *waits = Some(pending.clone());
            }
        }
    }

    fn end(mut self) -> Owed {
        let timers = self.timers();
        if let Some(work) = &self.request.fulfilment
            && let Some(task) = work.phase.task(work.machine)
        {
            for step in &work.steps {
                let pending = match &step.state {
                    StepState::Waiting(pending) => Some(pending.clone()),
                    StepState::Open if work.is_ready(step) => None,
                    _ => continue,
                };
                let effect = Effect::Step {
                    task,
                    target: step.target.clone(),
                    round: step.round,
                };
                self.asked.push((effect.key(0), effect, pending));
            }
        }
        Owed {
            effects: self.asked,
            timers,
        }
    }

    fn timers(&self) -> Vec<(Timer, DateTime<Utc>)> {
        let request = &self.request;
        let life = &request.lifecycle;
        let mut draft = Draft::new(request, *self.context);
        draft.time_clock();
        let mut all: Vec<_> = draft
            .finish()
            .timers
            .into_iter()
            .filter_map(|change| match change {
                TimerChange::Set(timer, at) => Some((timer, at)),
                TimerChange::Clear(_) => None,
            })
            .collect();
        let mut set = |timer, at: Option<DateTime<Utc>>| all.extend(at.map(|at| (timer, at)));
        let work = request.fulfilment.as_ref();
        let asks = life.waits_for_person() || work.is_some_and(Fulfilment::awaits_confirmation);
        if asks && !life.is_closed() {
            set(Timer::Expiry, request.fee_lapses_at().or(self.expiry));
        }
        if life.phase == lifecycle::Phase::Answered {
            set(Timer::Appeal, self.appeal);
        }
        match work.map(|work| (work.phase, work)) {
            Some((Phase::Grace, work)) => set(Timer::Grace, work.grace_until),
            Some((Phase::Withholding, work)) => set(Timer::Tail, work.withheld_until),
            _ => {}
        }
        if let Some(settled) = self.settled.filter(|_| !request.is_open()) {
            let policy = self.context.policy;
            let package = later(settled, policy.keep_package);
            if self.swept < Some(package) {
                set(Timer::Package, Some(package));
            }
            let personal = later(settled, policy.keep_personal);
            if !life.shredded {
                set(Timer::Personal, Some(personal));
            }
            let last = later(settled, policy.keep_request);
            set(Timer::Request, Some(last.max(personal).max(package)));
        }
        all
    }
}
