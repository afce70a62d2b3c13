//! The legal course of a request, the same for every right.
//!
#![doc = include_str!("../../docs/machines/lifecycle.md")]

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::law::{ClockError, ClockEventKind, GroundUse};
use crate::model::{Actor, End, Failure, Fee, Ground, IdentifierKind, Outcome, Pending};

use super::decision::{Draft, Rejection};
use super::effect::{Effect, Letter, Timer};
use super::event::{Envelope, Event, PartRef};
use super::fulfilment;
use super::policy::Review;
use super::table::{Table, table};

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// It came in; nobody knows yet whether it is the person.
    Received,
    /// The person was asked who they are.
    Identity,
    /// Somebody decides whether it is carried out.
    Assessment,
    /// The person was asked what exactly they want.
    Clarification,
    /// The person was asked for a fee.
    Fee,
    /// It is carried out.
    Fulfilment,
    /// Somebody looks at the outcome before it goes out.
    Review,
    /// The answer is on its way.
    Response,
    /// The person has the answer, and may appeal.
    Answered,
    /// An appeal is being decided.
    Appeal,
    /// It came to its end.
    Closed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 11] = [
        Self::Received,
        Self::Identity,
        Self::Assessment,
        Self::Clarification,
        Self::Fee,
        Self::Fulfilment,
        Self::Review,
        Self::Response,
        Self::Answered,
        Self::Appeal,
        Self::Closed,
    ];
}

/// The kinds of commands that this machine knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum On {
    /// Ask the person who they are.
    RequestIdentity,
    /// Count an answer to that, before it is checked.
    AttemptIdentity,
    /// The answer was not good enough.
    RejectIdentity,
    /// The person is who they say.
    ConfirmIdentity,
    /// Add what else identifies the person.
    AddIdentifiers,
    /// Ask what exactly is wanted.
    AskClarification,
    /// Say so.
    Clarify,
    /// Charge a fee.
    ChargeFee,
    /// It was paid.
    PayFee,
    /// Do without it.
    WaiveFee,
    /// Announce that the answer takes longer.
    Extend,
    /// Carry it out.
    Approve,
    /// Do not carry it out.
    Refuse,
    /// Take the work up again.
    Rework,
    /// Let the answer go out.
    Release,
    /// Send a letter again that could not be sent.
    Resend,
    /// A letter went out, or did not.
    LetterAnswered,
    /// Appeal against the answer.
    Appeal,
    /// Decide the appeal.
    DecideAppeal,
    /// Take the request back.
    Withdraw,
    /// Carry it on in an open request for the same.
    Join,
    /// The work came to an outcome, or begins to wait (from the fulfilment).
    Report,
    /// What was held was swept (from the engine).
    Sweep,
    /// A timer fired.
    Fire,
}

impl On {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::RequestIdentity,
        Self::AttemptIdentity,
        Self::RejectIdentity,
        Self::ConfirmIdentity,
        Self::AddIdentifiers,
        Self::AskClarification,
        Self::Clarify,
        Self::ChargeFee,
        Self::PayFee,
        Self::WaiveFee,
        Self::Extend,
        Self::Approve,
        Self::Refuse,
        Self::Rework,
        Self::Release,
        Self::Resend,
        Self::LetterAnswered,
        Self::Appeal,
        Self::DecideAppeal,
        Self::Withdraw,
        Self::Join,
        Self::Report,
        Self::Sweep,
        Self::Fire,
    ];

    /// Whether somebody can command it, rather than the work, a timer or the engine.
    pub const fn is_command(self) -> bool {
        !matches!(self, Self::Report | Self::Sweep | Self::Fire)
    }
}

/// The transition table.
pub const TABLE: Table<Phase, On> = table!(Phase, On;
    Received {
        RequestIdentity => Identity;
        AddIdentifiers => Received;
        ConfirmIdentity => Assessment | Fulfilment | Review;
        Extend => Received;
        Refuse => Response;
        Resend => Received;
        LetterAnswered => Received;
        Withdraw => Closed;
        Join => Closed;
        Fire => Received;
    }
    Identity {
        AttemptIdentity => Identity;
        AddIdentifiers => Identity;
        RejectIdentity => Identity;
        ConfirmIdentity => Assessment | Fulfilment | Review;
        Extend => Identity;
        Refuse => Response;
        Resend => Identity;
        LetterAnswered => Identity;
        Withdraw => Closed;
        Fire => Identity | Closed;
    }
    Assessment {
        AskClarification => Clarification;
        AddIdentifiers => Assessment;
        ChargeFee => Fee;
        Extend => Assessment;
        Approve => Fulfilment | Review;
        Refuse => Response;
        Resend => Assessment;
        LetterAnswered => Assessment;
        Withdraw => Closed;
        Report => Assessment;
        Fire => Assessment;
    }
    Clarification {
        Clarify => Assessment;
        AddIdentifiers => Clarification;
        Extend => Clarification;
        Refuse => Response;
        Resend => Clarification;
        LetterAnswered => Clarification;
        Withdraw => Closed;
        Report => Clarification;
        Fire => Clarification | Closed;
    }
    Fee {
        PayFee => Assessment;
        AddIdentifiers => Fee;
        WaiveFee => Assessment;
        Extend => Fee;
        Refuse => Response;
        Resend => Fee;
        LetterAnswered => Fee;
        Withdraw => Closed;
        Report => Fee;
        Fire => Fee | Closed;
    }
    Fulfilment {
        Extend => Fulfilment;
        Refuse => Response;
        Resend => Fulfilment;
        LetterAnswered => Fulfilment;
        Withdraw => Closed;
        Report => Review | Response;
        Fire => Fulfilment | Closed;
    }
    Review {
        Extend => Review;
        Rework => Fulfilment | Review;
        Release => Response;
        Refuse => Response;
        Resend => Review;
        LetterAnswered => Review;
        Withdraw => Closed;
        Report => Review | Response;
        Fire => Review;
    }
    Response {
        Resend => Response;
        LetterAnswered => Response | Answered;
        Report => Response;
        Fire => Response;
    }
    Answered {
        Rework => Fulfilment;
        Appeal => Appeal;
        Resend => Answered;
        LetterAnswered => Answered;
        Report => Answered;
        Fire => Answered | Closed;
    }
    Appeal {
        DecideAppeal => Assessment | Answered;
        Resend => Appeal;
        LetterAnswered => Appeal;
        Report => Appeal;
        Fire => Appeal;
    }
    Closed {
        Resend => Closed;
        LetterAnswered => Closed;
        Report => Closed;
        Sweep => Closed;
        Fire => Closed;
    }
);

/// The state of the legal course.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lifecycle {
    /// Where it stands.
    pub phase: Phase,
    /// Whether the person is who they say.
    pub identified: bool,
    /// How often they tried to show it.
    pub attempts: u32,
    /// Who approved the request: another one approves its plan.
    pub approved_by: Option<Actor>,
    /// Whether the deadline was extended.
    pub extended: bool,
    /// Whether the deadline passed without an answer.
    pub overdue: bool,
    /// How many reminders were recorded.
    pub reminders: u32,
    /// The ground of a refusal.
    pub refusal: Option<Ground>,
    /// How the work ended, once it did.
    pub outcome: Option<Outcome>,
    /// The letters that did not go out, and why.
    pub stuck_letters: Vec<(Letter, Failure)>,
    /// The letters that somebody sends by hand.
    #[serde(rename = "pending_letter", with = "pending")]
    pub pending_letters: Vec<(Letter, Pending)>,
    /// Since when it waits for the person, when it does.
    pub waiting_since: Option<DateTime<Utc>>,
    /// When the answer went out.
    pub answered_at: Option<DateTime<Utc>>,
    /// Whether the person appealed; they can once.
    pub appealed: bool,
    /// How it ended.
    pub end: Option<End>,
    /// Whether the package was deleted.
    pub package_deleted: bool,
    /// Whether what was personal in it is gone.
    pub shredded: bool,
    /// The letters that went out, each kind once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Letter>,
    /// The letters whose last day passed without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_letters: Vec<Letter>,
    /// The ground of the extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Ground>,
    /// The fee that was charged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    /// How the appeal was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_granted: Option<bool>,
}

/// How the letters that wait are written: nothing for none, as ever. Once it was one at most, and
/// written without a list.
mod pending {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Letter, Pending};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Many(Vec<(Letter, Pending)>),
        One((Letter, Pending)),
    }

    pub(super) fn serialize<S: Serializer>(
        letters: &[(Letter, Pending)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (!letters.is_empty())
            .then_some(letters)
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Letter, Pending)>, D::Error> {
        Ok(match Option::<Written>::deserialize(deserializer)? {
            None => Vec::new(),
            Some(Written::One(letter)) => vec![letter],
            Some(Written::Many(letters)) => letters,
        })
    }
}

impl Lifecycle {
    pub(super) const fn new() -> Self {
        Self {
            phase: Phase::Received,
            identified: false,
            attempts: 0,
            approved_by: None,
            extended: false,
            overdue: false,
            reminders: 0,
            refusal: None,
            outcome: None,
            stuck_letters: Vec::new(),
            pending_letters: Vec::new(),
            waiting_since: None,
            answered_at: None,
            appealed: false,
            end: None,
            package_deleted: false,
            shredded: false,
            sent: Vec::new(),
            late_letters: Vec::new(),
            extension: None,
            fee: None,
            appeal_granted: None,
        }
    }

    /// Whether it came to its end.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether somebody looks at what the work comes to.
    pub(super) const fn is_looked_at(&self) -> bool {
        matches!(self.phase, Phase::Fulfilment | Phase::Review)
    }

    /// The letter that answers it.
    pub const fn answer(&self) -> Letter {
        if self.refusal.is_some() {
            Letter::Refusal
        } else {
            Letter::Response
        }
    }

    /// Whether this letter, once it is out, answers the request.
    fn is_answered_by(&self, letter: Letter) -> bool {
        self.phase == Phase::Response && letter == self.answer()
    }

    /// Whether the deadline of the answer is behind it: answered, or ended otherwise.
    pub fn is_answered(&self) -> bool {
        matches!(self.phase, Phase::Answered | Phase::Appeal | Phase::Closed)
    }

    pub(super) fn apply(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::IdentityRequested => self.wait(Phase::Identity, envelope.at),
            Event::IdentityAttempted => self.attempts += 1,
            Event::IdentityConfirmed => {
                self.identified = true;
                self.go(Phase::Assessment);
            }
            Event::Granted => {
                self.outcome = None;
                self.go(Phase::Fulfilment);
            }
            Event::ClarificationRequested => self.wait(Phase::Clarification, envelope.at),
            Event::FeeRequested {
                minor_units,
                currency,
                ground,
            } => {
                self.fee = Some(Fee {
                    minor_units: *minor_units,
                    currency: currency.clone(),
                    ground: ground.clone(),
                });
                self.wait(Phase::Fee, envelope.at);
            }
            Event::ClarificationReceived | Event::FeePaid | Event::FeeWaived => {
                self.go(Phase::Assessment);
            }
            Event::Extended { ground, .. } => {
                self.extended = true;
                self.extension = Some(ground.clone());
            }
            Event::Approved => {
                self.approved_by = Some(envelope.actor.clone());
                self.outcome = None;
                self.refusal = None;
                self.go(Phase::Fulfilment);
            }
            Event::Refused { ground } => {
                self.refusal = Some(ground.clone());
                self.outcome = None;
                self.go(Phase::Response);
            }
            Event::Ended { outcome } | Event::Restricted { outcome } => {
                self.report(outcome.clone());
            }
            Event::Withholding { .. } => self.report(Outcome::Partly),
            Event::Reworked => {
                self.outcome = None;
                self.go(Phase::Fulfilment);
            }
            Event::Released => self.go(Phase::Response),
            Event::LetterSent { letter } => {
                self.settle(*letter);
                if !self.is_sent(*letter) {
                    self.sent.push(*letter);
                }
                if self.is_answered_by(*letter) {
                    self.answered_at = Some(envelope.at);
                    self.go(Phase::Answered);
                }
            }
            Event::LetterFailed { letter, failure } => {
                self.settle(*letter);
                self.stuck_letters.push((*letter, failure.clone()));
            }
            Event::LetterResent { letter } => self.settle(*letter),
            Event::LetterPending { letter, pending } => {
                self.pending_letters
                    .retain(|(waiting, _)| waiting != letter);
                self.pending_letters.push((*letter, pending.clone()));
            }
            Event::Appealed => {
                self.appealed = true;
                self.go(Phase::Appeal);
            }
            Event::AppealDecided { granted } => {
                self.appeal_granted = Some(*granted);
                self.go(if *granted {
                    Phase::Assessment
                } else {
                    Phase::Answered
                });
            }
            Event::DeadlineNear => self.reminders += 1,
            Event::DeadlinePassed { .. } => self.overdue = true,
            Event::LetterOverdue { letter, .. } => self.late_letters.push(*letter),
            Event::Closed { end } => {
                self.end = Some(end.clone());
                self.go(Phase::Closed);
            }
            Event::PackageDeleted => self.package_deleted = true,
            Event::Shredded => self.shredded = true,
            _ => {}
        }
    }

    /// The work came to an outcome, or to wait for a date. Once the answer went out, what the
    /// work still does (erase what was withheld) does not change it.
    fn report(&mut self, outcome: Outcome) {
        let is_refused = self.refusal.is_some();
        match self.phase {
            Phase::Fulfilment => {
                self.outcome = Some(outcome);
                self.go(Phase::Review);
            }
            Phase::Review | Phase::Response if !is_refused => self.outcome = Some(outcome),
            _ => {}
        }
    }

    fn go(&mut self, phase: Phase) {
        self.phase = phase;
        self.waiting_since = None;
    }

    fn wait(&mut self, phase: Phase, since: DateTime<Utc>) {
        self.phase = phase;
        self.waiting_since = Some(since);
    }

    fn settle(&mut self, letter: Letter) {
        self.stuck_letters.retain(|(stuck, _)| *stuck != letter);
        self.pending_letters
            .retain(|(waiting, _)| *waiting != letter);
    }
}

/// Something in the legal course is to happen. See [`On`] for what each means.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // every variant is described at `On`
pub enum Command {
    RequestIdentity,
    AttemptIdentity,
    RejectIdentity,
    ConfirmIdentity,
    AddIdentifiers {
        /// All that are known now, sealed.
        identifiers: PartRef,
        /// The kinds of the new ones.
        kinds: Vec<IdentifierKind>,
    },
    AskClarification,
    Clarify,
    ChargeFee {
        /// The amount in the currency's smallest unit.
        minor_units: u64,
        /// ISO 4217 code.
        currency: String,
        /// Why: needed where the law lists the grounds for it.
        ground: Option<Ground>,
    },
    PayFee,
    WaiveFee,
    Extend {
        /// Why.
        ground: Ground,
        /// Until when: the date that the letter promises, under laws that set no length.
        until: Option<NaiveDate>,
    },
    Approve,
    Refuse {
        /// Why.
        ground: Ground,
    },
    Rework,
    Release,
    Resend {
        /// Which letter.
        letter: Letter,
    },
    LetterSent {
        /// Which letter.
        letter: Letter,
    },
    LetterFailed {
        /// Which letter.
        letter: Letter,
        /// Why.
        failure: Failure,
    },
    LetterPending {
        /// Which letter.
        letter: Letter,
        /// When to look again.
        pending: Pending,
    },
    Appeal,
    DecideAppeal {
        /// In the person's favour.
        granted: bool,
    },
    Withdraw,
    Join {
        /// The open request.
        into: crate::model::RequestId,
    },
    /// The package and its spools were deleted.
    PackageDeleted,
    /// The key was destroyed.
    Shredded,
}

impl Command {
    /// Its kind, as the table knows it.
    pub const fn on(&self) -> On {
        match self {
            Self::RequestIdentity => On::RequestIdentity,
            Self::AttemptIdentity => On::AttemptIdentity,
            Self::RejectIdentity => On::RejectIdentity,
            Self::ConfirmIdentity => On::ConfirmIdentity,
            Self::AddIdentifiers { .. } => On::AddIdentifiers,
            Self::AskClarification => On::AskClarification,
            Self::Clarify => On::Clarify,
            Self::ChargeFee { .. } => On::ChargeFee,
            Self::PayFee => On::PayFee,
            Self::WaiveFee => On::WaiveFee,
            Self::Extend { .. } => On::Extend,
            Self::Approve => On::Approve,
            Self::Refuse { .. } => On::Refuse,
            Self::Rework => On::Rework,
            Self::Release => On::Release,
            Self::Resend { .. } => On::Resend,
            Self::LetterSent { .. } | Self::LetterFailed { .. } | Self::LetterPending { .. } => {
                On::LetterAnswered
            }
            Self::Appeal => On::Appeal,
            Self::DecideAppeal { .. } => On::DecideAppeal,
            Self::Withdraw => On::Withdraw,
            Self::Join { .. } => On::Join,
            Self::PackageDeleted | Self::Shredded => On::Sweep,
        }
    }

    /// Who may give it, whatever the host's policy adds.
    fn permits(&self, actor: &Actor) -> bool {
        use Actor::{Agent, Controller, Engine, Host, Person, Staff};
        match self.on() {
            On::AddIdentifiers | On::Clarify | On::Withdraw => {
                matches!(actor, Person | Agent(_) | Staff(_) | Host)
            }
            On::Appeal => matches!(actor, Person | Agent(_) | Staff(_)),
            On::AttemptIdentity => matches!(actor, Person | Agent(_)),
            On::RejectIdentity => matches!(actor, Engine | Staff(_)),
            On::ConfirmIdentity => matches!(actor, Engine | Staff(_) | Host),
            On::Join => matches!(actor, Engine | Staff(_)),
            On::LetterAnswered => matches!(actor, Engine | Staff(_)),
            On::Rework => matches!(actor, Staff(_) | Host | Controller(_) | Engine),
            On::Report | On::Fire | On::Sweep => matches!(actor, Engine),
            On::PayFee | On::RequestIdentity => matches!(actor, Staff(_) | Host),
            On::AskClarification
            | On::ChargeFee
            | On::WaiveFee
            | On::Extend
            | On::Approve
            | On::Refuse
            | On::Release
            | On::Resend
            | On::DecideAppeal => matches!(actor, Staff(_) | Host | Controller(_)),
        }
    }
}

/// Decides a command of the legal course.
pub(super) fn decide(draft: &mut Draft<'_>, command: &Command) -> Result<(), Rejection> {
    let phase = draft.request().lifecycle.phase;
    draft.check_open(&TABLE, command.on(), phase, On::is_command)?;
    if !command.permits(draft.actor()) {
        return Err(Rejection::WrongActor {
            command: super::table::snake(&format!("{:?}", command.on())),
        });
    }
    if let Command::Resend { letter }
    | Command::LetterSent { letter }
    | Command::LetterFailed { letter, .. }
    | Command::LetterPending { letter, .. } = command
        && *letter == Letter::RestrictionLifted
        && !fulfilment::restriction::is_announcing(draft)
    {
        return Err(Rejection::NoSuchStep {
            step: letter.name().to_owned(),
        });
    }
    match command {
        Command::RequestIdentity => {
            draft.emit(Event::IdentityRequested);
            draft.effect(Effect::Notify(Letter::IdentityRequest));
            draft.effect(Effect::Challenge);
            draft.expire_later();
            draft.move_clock(ClockEventKind::IdentityRequested)?;
        }
        Command::AttemptIdentity => {
            let limit = draft.policy().identity_attempts;
            if draft.request().lifecycle.attempts >= limit {
                return Err(Rejection::TooManyAttempts { limit });
            }
            draft.emit(Event::IdentityAttempted);
        }
        Command::RejectIdentity => draft.emit(Event::IdentityRejected),
        Command::ConfirmIdentity => {
            let asked = draft.request().lifecycle.phase == Phase::Identity;
            draft.emit(Event::IdentityConfirmed);
            if asked {
                draft.clear(Timer::Expiry);
                draft.move_clock(ClockEventKind::IdentityConfirmed)?;
            }
            fulfilment::grant(draft)?;
        }
        Command::AddIdentifiers { identifiers, kinds } => {
            // Who is known already could name somebody else: from then on staff answers for it.
            let identified = draft.request().lifecycle.identified;
            if identified && matches!(draft.actor(), Actor::Person | Actor::Agent(_)) {
                return Err(Rejection::WrongActor {
                    command: "add_identifiers".to_owned(),
                });
            }
            if fulfilment::has_written(draft) {
                return Err(Rejection::TooLate {
                    done: "the work has begun to change data; more identifiers take a new request",
                });
            }
            draft.emit(Event::IdentifiersAdded {
                identifiers: identifiers.clone(),
                kinds: kinds.clone(),
            });
        }
        Command::AskClarification => {
            draft.emit(Event::ClarificationRequested);
            draft.effect(Effect::Notify(Letter::ClarificationRequest));
            draft.expire_later();
            draft.move_clock(ClockEventKind::ClarificationRequested)?;
        }
        Command::Clarify => {
            draft.emit(Event::ClarificationReceived);
            draft.clear(Timer::Expiry);
            draft.move_clock(ClockEventKind::ClarificationReceived)?;
        }
        Command::ChargeFee {
            minor_units,
            currency,
            ground,
        } => {
            draft.check_fee_ground(ground.as_ref())?;
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(Rejection::Malformed {
                    what: "a currency",
                    accepted: "three capital letters (ISO 4217)",
                });
            }
            draft.emit(Event::FeeRequested {
                minor_units: *minor_units,
                currency: currency.clone(),
                ground: ground.clone(),
            });
            draft.effect(Effect::Notify(Letter::FeeRequest));
            draft.expire_later();
            draft.move_clock(draft.fee_events().0)?;
        }
        Command::PayFee => {
            draft.emit(Event::FeePaid);
            draft.clear(Timer::Expiry);
            draft.move_clock(draft.fee_events().1)?;
        }
        Command::WaiveFee => {
            draft.emit(Event::FeeWaived);
            draft.clear(Timer::Expiry);
            draft.move_clock(draft.fee_events().1)?;
        }
        Command::Extend { ground, until } => extend(draft, ground, *until)?,
        Command::Approve => {
            if !draft.request().lifecycle.identified && fulfilment::needs_identity(draft) {
                return Err(Rejection::NotIdentified);
            }
            draft.emit(Event::Approved);
            fulfilment::start(draft)?;
        }
        Command::Refuse { ground } => {
            draft.check_ground(ground, GroundUse::Refuse)?;
            fulfilment::cancel(draft)?;
            draft.emit(Event::Refused {
                ground: ground.clone(),
            });
            draft.clear(Timer::Expiry);
            draft.effect(Effect::Notify(Letter::Refusal));
        }
        Command::Rework => {
            let work = draft.request().fulfilment.as_ref();
            if draft.request().lifecycle.phase == Phase::Answered
                && !work.is_some_and(fulfilment::Fulfilment::is_unfinished)
            {
                return Err(Rejection::TooLate {
                    done: "the answer went out, and nothing is left to do",
                });
            }
            draft.emit(Event::Reworked);
            draft.clear(Timer::Appeal);
            draft.resume_clock();
            fulfilment::retry(draft)?;
        }
        Command::Release => release(draft),
        Command::Resend { letter } => {
            let stuck = &draft.request().lifecycle.stuck_letters;
            if !stuck.iter().any(|(stuck, _)| stuck == letter) {
                return Err(Rejection::NoSuchStep {
                    step: letter.name().to_owned(),
                });
            }
            draft.emit(Event::LetterResent { letter: *letter });
            draft.effect(Effect::Notify(*letter));
            if *letter == Letter::IdentityRequest {
                draft.effect(Effect::Challenge);
            }
        }
        Command::LetterSent { letter } => {
            let answers = draft.request().lifecycle.is_answered_by(*letter);
            draft.emit(Event::LetterSent { letter: *letter });
            draft.time_letters();
            if answers {
                draft.clear(Timer::Deadline);
                draft.clear(Timer::Reminder);
                draft.set(Timer::Appeal, draft.later(draft.policy().appeal_within));
            }
            if *letter == Letter::RestrictionLifted {
                fulfilment::restriction::announced(draft)?;
            }
        }
        Command::LetterFailed { letter, failure } => draft.emit(Event::LetterFailed {
            letter: *letter,
            failure: failure.clone(),
        }),
        Command::LetterPending { letter, pending } => draft.emit(Event::LetterPending {
            letter: *letter,
            pending: pending.clone(),
        }),
        Command::Appeal => {
            if draft.request().lifecycle.appealed {
                return Err(Rejection::Once { what: "appeal" });
            }
            draft.emit(Event::Appealed);
            draft.clear(Timer::Appeal);
            draft.start_appeal_clock()?;
        }
        Command::DecideAppeal { granted } => {
            draft.emit(Event::AppealDecided { granted: *granted });
            draft.effect(Effect::Notify(Letter::AppealDecision));
            if *granted {
                draft.resume_clock();
            } else {
                draft.set(Timer::Appeal, draft.later(draft.policy().appeal_within));
            }
        }
        Command::Withdraw => {
            fulfilment::cancel(draft)?;
            close(draft, End::Withdrawn);
        }
        Command::Join { into } => {
            if *into == draft.request().facts.id {
                return Err(Rejection::Malformed {
                    what: "the request to join",
                    accepted: "another open request of the same person",
                });
            }
            close(draft, End::Joined(*into));
        }
        Command::PackageDeleted => draft.emit(Event::PackageDeleted),
        Command::Shredded => draft.emit(Event::Shredded),
    }
    Ok(())
}

fn extend(
    draft: &mut Draft<'_>,
    ground: &Ground,
    until: Option<NaiveDate>,
) -> Result<(), Rejection> {
    draft.check_ground(ground, GroundUse::Extend)?;
    let clock = &draft.request().clock;
    let cutoff = match (&clock.extension_notice, draft.request().lifecycle.extended) {
        (None, _) => return Err(Rejection::NoExtension),
        (Some(cutoff), false) => cutoff,
        // A further one, where the law allows it, is announced while the one before it runs.
        (Some(cutoff), true) => clock.response.as_ref().unwrap_or(cutoff),
    };
    if let Some(until) = cutoff.late_from()
        && draft.now() >= until
    {
        return Err(Rejection::ExtensionTooLate { until });
    }
    draft.emit(Event::Extended {
        ground: ground.clone(),
        until,
    });
    draft.effect(Effect::Notify(Letter::Extension));
    let moved = draft.move_clock_until(ClockEventKind::ExtensionNotified, until);
    moved.map_err(|rejection| match rejection {
        Rejection::Law(ClockError::ExtendedTooOften { .. }) => Rejection::Once { what: "extend" },
        other => other,
    })
}

/// The work came to an outcome: the answer goes out, or somebody looks at it first. Work that
/// comes to it after the answer lets the request close, when it could not before.
pub(super) fn reported(draft: &mut Draft<'_>) {
    let lifecycle = &draft.request().lifecycle;
    match lifecycle.phase {
        Phase::Review => {}
        Phase::Answered => {
            let answered_at = lifecycle.answered_at.unwrap_or(draft.now());
            let until = answered_at.checked_add_signed(draft.policy().appeal_within);
            let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC).max(draft.now());
            draft.set(Timer::Appeal, until);
            return;
        }
        _ => return,
    }
    let complete = match lifecycle.outcome {
        Some(Outcome::Done | Outcome::NothingFound) => true,
        Some(Outcome::Partly) => draft
            .request()
            .fulfilment
            .as_ref()
            .is_some_and(|work| work.missing().next().is_none()),
        _ => false,
    };
    if complete && draft.policy().review == Review::WhenIncomplete {
        release(draft);
    }
}

fn release(draft: &mut Draft<'_>) {
    draft.emit(Event::Released);
    draft.effect(Effect::Notify(Letter::Response));
}

/// Ends the legal course; what the request holds is swept after its periods.
pub(super) fn close(draft: &mut Draft<'_>, end: End) {
    draft.emit(Event::Closed { end });
    for timer in [
        Timer::Deadline,
        Timer::Reminder,
        Timer::Expiry,
        Timer::Appeal,
    ] {
        draft.clear(timer);
    }
    draft.time_letters();
    keep_for_now(draft);
}

/// Once nothing is to come any more, sets the timers that sweep what the request holds.
pub(super) fn keep_for_now(draft: &mut Draft<'_>) {
    if draft.request().is_open() {
        return;
    }
    let policy = draft.policy();
    // The request goes last: what leads to its package and its key goes with it.
    let last = policy
        .keep_request
        .max(policy.keep_personal)
        .max(policy.keep_package);
    let spans = [
        (Timer::Package, policy.keep_package),
        (Timer::Personal, policy.keep_personal),
        (Timer::Request, last),
    ];
    for (timer, span) in spans {
        draft.set(timer, draft.later(span));
    }
}

/// A timer of the legal course fired. One that no longer means anything changes nothing.
pub(super) fn fire(draft: &mut Draft<'_>, timer: Timer) -> Result<(), Rejection> {
    let lifecycle = &draft.request().lifecycle;
    match timer {
        Timer::Deadline => {
            if let Some(at) = draft.request().answer_due()
                && !lifecycle.overdue
            {
                if draft.now() < at {
                    draft.set(Timer::Deadline, at);
                } else {
                    draft.emit(Event::DeadlinePassed { at });
                }
            }
        }
        Timer::Reminder => {
            if draft.request().answer_due().is_some() && !lifecycle.overdue {
                draft.emit(Event::DeadlineNear);
                draft.remind_later();
            }
        }
        Timer::Expiry => {
            let work = draft.request().fulfilment.as_ref();
            // What has begun to change data is carried to its end, whoever is silent.
            let begun = work.is_some_and(fulfilment::Fulfilment::has_written);
            let unanswered = lifecycle.waiting_since.is_some() && !begun;
            let unconfirmed = lifecycle.phase == Phase::Fulfilment
                && work.is_some_and(fulfilment::awaits_confirmation);
            if unconfirmed {
                fulfilment::cancel(draft)?;
            }
            if unanswered || unconfirmed {
                draft.effect(Effect::Notify(Letter::Expiry));
                close(draft, End::Expired);
            }
        }
        Timer::Appeal => {
            // An unfinished erasure is answered, but not over: it is taken up again.
            let unfinished = (draft.request().fulfilment.as_ref())
                .is_some_and(fulfilment::Fulfilment::is_unfinished);
            if lifecycle.phase == Phase::Answered && !unfinished {
                let end = match (&lifecycle.refusal, &lifecycle.outcome) {
                    (Some(ground), _) => End::Refused(ground.clone()),
                    (None, outcome) => End::Answered(outcome.clone().unwrap_or(Outcome::Failed)),
                };
                close(draft, end);
            }
        }
        Timer::Package => {
            if !lifecycle.package_deleted {
                draft.effect(Effect::DeletePackage);
            }
        }
        Timer::Personal => {
            if !lifecycle.shredded {
                draft.effect(Effect::Shred);
            }
        }
        Timer::Request => draft.effect(Effect::Delete),
        Timer::Acknowledgement | Timer::Refusal | Timer::Extension | Timer::AppealDecision => {
            let letter = Letter::of_timer(timer);
            let watched = letter.and_then(|letter| {
                let at = draft.request().letter_watched(letter)?;
                Some((letter, at))
            });
            if let Some((letter, at)) = watched {
                if draft.now() < at {
                    draft.set(timer, at);
                } else {
                    draft.emit(Event::LetterOverdue { letter, at });
                }
            }
        }
        Timer::Grace | Timer::Tail => {}
    }
    Ok(())
}
