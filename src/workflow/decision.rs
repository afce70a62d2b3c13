//! Deciding: may this actor do this now, and what follows from it.

use std::borrow::Cow;
use std::fmt::Debug;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::law::{
    self, ClockError, ClockEvent, ClockEventKind, GroundError, GroundUse, RegimePin, Setting,
    Start, Step,
};
use crate::model::{
    Actor, Channel, ControllerId, Digest, End, Ground, IdentifierKind, IntakeId, KeyedDigest,
    PartyId, RequestId, Right, Use,
};

use super::clock::Clock;
use super::effect::{Effect, EffectKey, Letter, Locks, Timer, TimerChange};
use super::event::{Cause, Envelope, Event, PartRef, Received, SCHEMA, SourceInfo};
use super::letters::WATCHED;
use super::policy::Policy;
use super::request::Request;
use super::table::{Table, snake};
use super::{fulfilment, lifecycle};

/// What is to happen to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Something in its legal course.
    Lifecycle(lifecycle::Command),
    /// Something in the work for it.
    Work(fulfilment::Command),
    /// A timer fired.
    Fire(Timer),
}

impl Command {
    /// Its name in snake case, as access policies see it.
    pub fn name(&self) -> String {
        match self {
            Self::Lifecycle(command) => snake(&format!("{:?}", command.on())),
            Self::Work(command) => snake(&format!("{:?}", command.on())),
            Self::Fire(_) => "fire".to_owned(),
        }
    }
}

impl From<lifecycle::Command> for Command {
    fn from(command: lifecycle::Command) -> Self {
        Self::Lifecycle(command)
    }
}

impl From<fulfilment::Command> for Command {
    fn from(command: fulfilment::Command) -> Self {
        Self::Work(command)
    }
}

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

/// To whom an export goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// The person downloads it.
    #[default]
    Download,
    /// It is transmitted to another controller (GDPR Art. 20(2)).
    Transmit(PartyId),
}

/// A request as it comes in, its personal parts sealed already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intake {
    /// Whose request.
    pub controller: ControllerId,
    /// Its id.
    pub request: RequestId,
    /// The letter, form or call it was part of.
    pub intake: IntakeId,
    /// On which channel it came.
    pub channel: Channel,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// By what the person is recognised.
    pub person: Vec<KeyedDigest>,
    /// The kinds of identifiers that were given.
    pub kinds: Vec<IdentifierKind>,
    /// The sealed identifiers.
    pub identifiers: PartRef,
    /// The sealed corrections, for a rectification.
    pub corrections: Option<PartRef>,
    /// To whom an export goes.
    pub delivery: Delivery,
    /// Which uses should end; without any, those that the right is about.
    pub uses: Vec<Use>,
    /// The open request for the same by the same person, in which this one is carried on: it is
    /// acknowledged, and closed with [`End::Joined`]. What begins at once is carried on by itself.
    pub joins: Option<RequestId>,
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

/// Why a command is not carried out. The request stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The command is not open in this phase.
    #[error("`{command}` is not open in phase `{phase}`; open are: {open}")]
    NotNow {
        /// What was asked.
        command: String,
        /// Where it stands.
        phase: String,
        /// What is open, separated by commas.
        open: String,
    },
    /// The actor may never give this command.
    #[error("this actor may not `{command}`")]
    WrongActor {
        /// What was asked.
        command: String,
    },
    /// The plan must be approved by somebody other than who approved the request.
    #[error("the plan must be approved by a second member of staff")]
    FourEyes,
    /// The person has tried too often to show who they are.
    #[error("{limit} attempts are accepted; staff can still confirm the identity by other means")]
    TooManyAttempts {
        /// How many are accepted.
        limit: u32,
    },
    /// Nothing is carried out before the person is known.
    #[error("the person's identity is not confirmed; confirm it first")]
    NotIdentified,
    /// The plan shown is not the plan now.
    #[error("the plan has changed since it was shown: approve {current}")]
    PlanChanged {
        /// The digest of the plan now.
        current: Digest,
    },
    /// It can be done once only.
    #[error("a request can `{what}` once only")]
    Once {
        /// What was asked.
        what: &'static str,
    },
    /// The law of this request knows no extension.
    #[error("the law of this request knows no extension of this deadline")]
    NoExtension,
    /// The extension would have had to be announced earlier.
    #[error("an extension had to be announced before {until}")]
    ExtensionTooLate {
        /// The first instant that was late.
        until: DateTime<Utc>,
    },
    /// Too much has been done already.
    #[error("too late: {done}")]
    TooLate {
        /// What has been done.
        done: &'static str,
    },
    /// The work does not wait for this step.
    #[error("the work does not wait for `{step}`")]
    NoSuchStep {
        /// Which step was named.
        step: String,
    },
    /// The result is of another kind than the step.
    #[error("`{step}` cannot be answered with that kind of result")]
    WrongResult {
        /// Which step.
        step: String,
    },
    /// A value is not of the accepted form.
    #[error("{what} is not of the accepted form: {accepted}")]
    Malformed {
        /// What it is.
        what: &'static str,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// The law of this request does not give that ground for that.
    #[error(transparent)]
    UnknownGround(#[from] GroundError),
    /// A fee without a ground, under a law that lists on which one may be charged.
    #[error("a fee needs a ground; the law gives: {known}")]
    NoGround {
        /// The grounds that would be accepted, separated by commas.
        known: String,
    },
    /// Received later than now.
    #[error("received at {received_at}, which is later than now ({now})")]
    InTheFuture {
        /// When it is said to have been received.
        received_at: DateTime<Utc>,
        /// The present instant.
        now: DateTime<Utc>,
    },
    /// No machine carries out this right.
    #[error("`{right}` cannot be carried out; it is none of the rights that are built in")]
    UnsupportedRight {
        /// Which right.
        right: Right,
    },
    /// The law gives no answer.
    #[error(transparent)]
    Law(#[from] ClockError),
}

/// Decides a command: the one function through which a request moves.
///
/// # Errors
/// A [`Rejection`] that says what was wrong and what would be accepted; the request stays as it
/// was.
pub fn decide(
    request: &Request,
    command: &Command,
    context: &Context<'_>,
) -> Result<Decision, Rejection> {
    let mut draft = Draft::new(Cow::Borrowed(request), *context);
    match command {
        Command::Lifecycle(command) => lifecycle::decide(&mut draft, command)?,
        Command::Work(command) => fulfilment::decide(&mut draft, command)?,
        Command::Fire(timer) => {
            if *context.actor != Actor::Engine {
                return Err(Rejection::WrongActor {
                    command: "fire".to_owned(),
                });
            }
            draft.clear(*timer);
            match timer {
                Timer::Grace | Timer::Tail => fulfilment::fire(&mut draft, *timer)?,
                _ => lifecycle::fire(&mut draft, *timer)?,
            }
        }
    }
    Ok(draft.finish())
}

/// Receives a request: starts its clocks and confirms receipt. Where nothing has to be decided and
/// the person need not be known better, the work begins with it.
///
/// # Errors
/// [`Rejection::InTheFuture`], [`Rejection::UnsupportedRight`], [`Rejection::Malformed`], and
/// what the law says against it.
pub fn receive(
    intake: Intake,
    regime: RegimePin,
    context: &Context<'_>,
) -> Result<Decision, Rejection> {
    let right = context.setting.right;
    if intake.received_at > context.now {
        return Err(Rejection::InTheFuture {
            received_at: intake.received_at,
            now: context.now,
        });
    }
    if !fulfilment::is_supported(right) {
        return Err(Rejection::UnsupportedRight {
            right: right.clone(),
        });
    }
    if intake.delivery != Delivery::Download && *right != Right::Export {
        return Err(Rejection::Malformed {
            what: "the delivery",
            accepted: "to another controller for an export; a download for every other right",
        });
    }
    if intake.corrections.is_none() && *right == Right::Rectification {
        return Err(Rejection::Malformed {
            what: "a rectification",
            accepted: "one correction or more",
        });
    }
    let uses = fulfilment::stop::uses(right, intake.uses)?;
    let clock = Clock::start(context.setting, regime, intake.received_at)?;
    let first = Envelope {
        schema: SCHEMA,
        controller: intake.controller,
        request: intake.request,
        sequence: 1,
        at: context.now,
        actor: context.actor.clone(),
        cause: context.cause.clone(),
        previous: Digest::default(),
        event: Event::Received(Box::new(Received {
            intake: intake.intake,
            right: right.clone(),
            channel: intake.channel,
            received_at: intake.received_at,
            person: intake.person,
            kinds: intake.kinds,
            identifiers: intake.identifiers,
            corrections: intake.corrections,
            deliver_to: match intake.delivery {
                Delivery::Download => None,
                Delivery::Transmit(to) => Some(to),
            },
            uses,
            clock,
        })),
    };
    // `begin` fails only for another event than `Received`.
    let Ok(request) = Request::begin(&first) else {
        return Err(Rejection::Malformed {
            what: "the first event",
            accepted: "received",
        });
    };
    let mut draft = Draft::new(Cow::Owned(request), *context);
    draft.decision.events.push(first);
    if context.policy.acknowledge || draft.law_demands(Step::Acknowledgement) {
        draft.effect(Effect::Notify(Letter::Acknowledgement));
    }
    draft.time_clock();
    if !fulfilment::needs_identity(&draft) {
        // What ends at once waits for no other request.
        fulfilment::grant(&mut draft)?;
    } else if let Some(into) = intake.joins {
        lifecycle::close(&mut draft, End::Joined(into));
    }
    Ok(draft.finish())
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
    fn new(request: Cow<'a, Request>, context: Context<'a>) -> Self {
        Self {
            request,
            context,
            decision: Parts::default(),
        }
    }

    fn finish(self) -> Decision {
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

    /// Refuses a ground that cannot be one, or that the law does not give for that. Where the law
    /// lists none for that use, it leaves it open, and any ground will do.
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

    /// What a fee that is charged, and one that is settled, are to the clocks of this law: under
    /// some the person must accept it, and has days to think about that.
    pub(super) fn fee_events(&self) -> (ClockEventKind, ClockEventKind) {
        let reflects = |clock: &law::Clock| matches!(clock.start, Start::FeeReflectionEnd { .. });
        if self.context.setting.regime.clocks.iter().any(reflects) {
            (ClockEventKind::FeeNotified, ClockEventKind::FeeConfirmed)
        } else {
            (ClockEventKind::FeeRequested, ClockEventKind::FeePaid)
        }
    }

    /// Whether the law makes a letter mandatory at that step of this request.
    pub(super) fn law_demands(&self, step: Step) -> bool {
        let Setting { regime, right, .. } = self.context.setting;
        regime
            .notices_for(right)
            .any(|notice| notice.step == step && notice.mandatory)
    }

    /// Records an event and moves the working copy by it.
    pub(super) fn emit(&mut self, event: Event) {
        let envelope = Envelope {
            schema: SCHEMA,
            controller: self.request.facts.controller.clone(),
            request: self.request.facts.id,
            sequence: self.request.sequence + 1,
            at: self.context.now,
            actor: self.context.actor.clone(),
            cause: self.context.cause.clone(),
            previous: Digest::default(),
            event,
        };
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

    /// The instant after a span; the last there is, where that would be beyond it.
    pub(super) fn later(&self, span: TimeDelta) -> DateTime<Utc> {
        let at = self.context.now.checked_add_signed(span);
        at.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Lets the request expire when the person does not answer.
    pub(super) fn expire_later(&mut self) {
        self.set(Timer::Expiry, self.later(self.context.policy.answer_within));
    }

    /// Times the deadline again, if it is still to come, for a request that was answered already.
    pub(super) fn resume_clock(&mut self) {
        if self
            .request
            .answer_due()
            .is_some_and(|due| due > self.now())
        {
            self.time_clock();
        }
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
        let event = ClockEvent { at, kind, until };
        let clock = self.request.clock.after(self.context.setting, event)?;
        self.replace_clock(clock);
        Ok(())
    }

    /// Computes until when an appeal that came in now must be decided.
    pub(super) fn start_appeal_clock(&mut self) -> Result<(), Rejection> {
        let (setting, now) = (self.context.setting, self.context.now);
        let clock = self.request.clock.appealed(setting, now)?;
        self.replace_clock(clock);
        Ok(())
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
            Some(due) => {
                self.set(Timer::Deadline, due);
                self.remind_later();
            }
            None => {
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
