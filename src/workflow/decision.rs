//! Deciding: may this actor do this now, and what follows from it.

use chrono::{DateTime, NaiveDate, Utc};

use crate::law::{ClockHistory, RegimePin, Step};
use crate::model::{
    Actor, Channel, ControllerId, Digest, End, IdentifierKind, IntakeId, KeyedDigest, PartyId,
    RequestId, Right, Use,
};

use super::clock::Clock;
use super::draft::{Context, Decision, Draft};
use super::effect::{Effect, Letter, Locks, Timer};
use super::event::{Cause, Envelope, Event, PartRef, Received, SCHEMA};
use super::rejection::Rejection;
use super::request::Request;
use super::table::snake;
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

impl Delivery {
    /// The other controller, where it goes to one.
    pub const fn to(&self) -> Option<&PartyId> {
        match self {
            Self::Download => None,
            Self::Transmit(to) => Some(to),
        }
    }
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
    /// The date that the letter bears, where it bears one: some laws count from it (PIPEDA 8(4)).
    pub dated: Option<NaiveDate>,
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
    /// Another open erasure of the person that this one cannot join, because it knows less of who
    /// they are.
    pub beside: Option<RequestId>,
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
    let mut draft = Draft::new(request, *context);
    lifecycle::record_passed(&mut draft)?;
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
    // A fee that is waived, or a question that is out, can leave a last day behind us.
    if draft.request().clock != request.clock {
        lifecycle::record_passed(&mut draft)?;
    }
    Ok(draft.finish())
}

/// Records that somebody lets what was set aside be tried again; with `repaired`, on a state that was
/// made anew from the events. Nothing moves by it and no table names it; neither law nor policy is
/// asked, because what keeps a request from being decided must not keep it from being resumed.
pub fn resume(request: &Request, repaired: bool, actor: &Actor, now: DateTime<Utc>) -> Decision {
    let event = match repaired {
        true => Event::Repaired,
        false => Event::Resumed,
    };
    let envelope = request.event(now, actor.clone(), Cause::Command, event);
    Decision {
        next: request.clone().apply(&envelope),
        events: vec![envelope],
        effects: Vec::new(),
        timers: Vec::new(),
        locks: Locks::Keep,
    }
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
    let mut history = ClockHistory::received(intake.received_at);
    if let Some(dated) = intake.dated {
        if dated > context.setting.calendar.date_of(intake.received_at) {
            return Err(Rejection::Malformed {
                what: "the date of the letter",
                accepted: "a day no later than that of its receipt",
            });
        }
        history = history.requested_on(dated);
    }
    let clock = Clock::start(context.setting, regime, history)?;
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
            deliver_to: intake.delivery.to().cloned(),
            uses,
            beside: intake.beside,
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
    let mut draft = Draft::begun(request, first, *context);
    if context.policy.acknowledge || draft.law_demands(Step::Acknowledgement) {
        draft.effect(Effect::Notify(Letter::Acknowledgement));
    }
    draft.time_clock();
    lifecycle::record_passed(&mut draft)?;
    if !fulfilment::stop::needs_identity(&draft) {
        // What ends at once waits for no other request.
        fulfilment::stop::grant(&mut draft)?;
    } else if let Some(into) = intake.joins {
        lifecycle::close(&mut draft, End::Joined(into));
    }
    Ok(draft.finish())
}
