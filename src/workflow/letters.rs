//! Which letter of a request is which notice of the law, and until when it is in time.

use chrono::{DateTime, Utc};

use crate::law::{Due, GroundUse, Notice, Regime, Step};
use crate::model::Outcome;

use super::clock::Clock;
use super::effect::{Letter, Timer};
use super::fulfilment::{Fulfilment, stop::is_at_once};
use super::lifecycle::{Lifecycle, Phase};
use super::request::Request;

/// The letters that have a last day of their own. That of the answer is the deadline.
pub(super) const WATCHED: [Letter; 4] = [
    Letter::Acknowledgement,
    Letter::Refusal,
    Letter::Extension,
    Letter::AppealDecision,
];

impl Letter {
    /// The timer of its last day.
    pub(super) const fn timer(self) -> Option<Timer> {
        match self {
            Self::Acknowledgement => Some(Timer::Acknowledgement),
            Self::Refusal => Some(Timer::Refusal),
            Self::Extension => Some(Timer::Extension),
            Self::AppealDecision => Some(Timer::AppealDecision),
            _ => None,
        }
    }

    /// The letter whose last day a timer watches.
    pub(super) fn of_timer(timer: Timer) -> Option<Self> {
        WATCHED
            .into_iter()
            .find(|letter| letter.timer() == Some(timer))
    }

    /// The letter in which the law's words at a step are said; `None` for what is no letter about
    /// a request to the person (breaches, complaints, collection), and for the notice to
    /// recipients, which is the order that each of them is sent.
    pub const fn at(step: Step) -> Option<Self> {
        Some(match step {
            Step::Acknowledgement => Self::Acknowledgement,
            Step::IdentityRequest => Self::IdentityRequest,
            Step::ClarificationRequest => Self::ClarificationRequest,
            Step::Fee => Self::FeeRequest,
            Step::Extension => Self::Extension,
            Step::Refusal | Step::AppealInformation | Step::CannotIdentify => Self::Refusal,
            Step::Response | Step::OptOutDone | Step::HumanReview | Step::RecipientsNamed => {
                Self::Response
            }
            Step::RestrictionLifted => Self::RestrictionLifted,
            Step::AppealDenied => Self::AppealDecision,
            _ => return None,
        })
    }
}

impl Clock {
    /// Until when a letter is in time, where the law has a clock for it.
    pub(super) fn letter_due(&self, letter: Letter) -> Option<&Due> {
        match letter {
            Letter::Acknowledgement => self.acknowledgement.as_ref(),
            Letter::Refusal => self.refusal.as_ref().or(self.response.as_ref()),
            Letter::Response => self.response.as_ref(),
            Letter::Extension => self.extension_notice.as_ref(),
            Letter::AppealDecision => self.appeal.as_ref(),
            _ => None,
        }
    }
}

impl Lifecycle {
    /// Whether a letter of this kind went out.
    pub fn is_sent(&self, letter: Letter) -> bool {
        self.sent.contains(&letter)
    }
}

impl Request {
    /// The notices of the law that a letter must satisfy, as the request stands: all of them for
    /// its steps. An answer that leaves something out is a refusal in part, and says what that
    /// one must.
    pub fn notices<'a>(&self, letter: Letter, regime: &'a Regime) -> Vec<&'a Notice> {
        let steps = self.steps(letter, regime);
        regime
            .notices_for(&self.facts.right)
            .filter(|notice| steps.contains(&notice.step))
            .collect()
    }

    fn steps(&self, letter: Letter, regime: &Regime) -> Vec<Step> {
        let life = &self.lifecycle;
        match letter {
            Letter::Acknowledgement => vec![Step::Acknowledgement],
            Letter::IdentityRequest => vec![Step::IdentityRequest],
            Letter::ClarificationRequest => vec![Step::ClarificationRequest],
            Letter::FeeRequest => vec![Step::Fee],
            Letter::Extension => vec![Step::Extension],
            Letter::RestrictionLifted => vec![Step::RestrictionLifted],
            Letter::Refusal => {
                let mut steps = vec![Step::Refusal, Step::AppealInformation];
                let ground = life.refusal.as_ref().and_then(|ground| {
                    let right = &self.facts.right;
                    regime.ground(ground.id(), right, GroundUse::Refuse).ok()
                });
                if ground.is_some_and(|ground| ground.unidentified) {
                    steps.push(Step::CannotIdentify);
                }
                steps
            }
            Letter::Response => {
                let mut steps = vec![Step::Response, Step::HumanReview];
                if life.outcome == Some(Outcome::Done) {
                    steps.push(Step::OptOutDone);
                }
                if self.is_refused_in_part() {
                    steps.extend([Step::Refusal, Step::AppealInformation]);
                }
                if self.recipients_told().next().is_some() {
                    steps.push(Step::RecipientsNamed);
                }
                steps
            }
            Letter::AppealDecision if life.appeal_granted == Some(false) => {
                vec![Step::AppealDenied]
            }
            Letter::AppealDecision | Letter::ConfirmationRequest | Letter::Expiry => Vec::new(),
        }
    }

    /// Whether the answer leaves out something that was asked for.
    fn is_refused_in_part(&self) -> bool {
        match &self.lifecycle.outcome {
            None | Some(Outcome::Done | Outcome::NothingFound) => false,
            Some(_) => true,
        }
    }

    /// The conditions under which the law grants the right, where somebody decides on the request.
    pub fn conditions(&self, regime: &Regime) -> Vec<String> {
        if is_at_once(&self.facts) {
            return Vec::new();
        }
        let rule = regime.right(&self.facts.right);
        let conditions = rule.into_iter().flat_map(|rule| &rule.only_if);
        conditions.map(ToString::to_string).collect()
    }

    /// The recipients that confirmed what they were told.
    pub fn recipients_told(&self) -> impl Iterator<Item = &crate::model::PartyId> {
        let work = self.fulfilment.as_ref();
        work.into_iter()
            .flat_map(|work| &work.recipients)
            .filter(|recipient| recipient.confirmed)
            .map(|recipient| &recipient.id)
    }

    /// Until when a letter about this request is in time: the first instant that is late. `None`
    /// where the law sets no number, or while its clock stands still.
    pub fn letter_due(&self, letter: Letter) -> Option<DateTime<Utc>> {
        let due = match letter {
            Letter::Refusal | Letter::Response if self.lifecycle.appealed => self.answer_clock(),
            Letter::Extension if self.lifecycle.appealed => {
                self.clock.appeal_extension_notice.as_ref()
            }
            _ => self.clock.letter_due(letter),
        };
        due.and_then(Due::late_from)
    }

    /// When the answer is due, or why its clock stands still. What an appeal changed is answered
    /// anew by the day on which the appeal is due. Under a law without one it is the day that the
    /// first answer had: what came in time was not what was owed.
    pub fn answer_clock(&self) -> Option<&Due> {
        let appeal = self.clock.appeal.as_ref();
        let appeal = appeal.filter(|_| self.lifecycle.appealed);
        appeal.or(self.clock.response.as_ref())
    }

    /// The instant at which a letter that has not gone out becomes late, while it still can. What
    /// is not before the deadline of the answer is not watched apart from it.
    pub(super) fn letter_watched(&self, letter: Letter) -> Option<DateTime<Utc>> {
        let life = &self.lifecycle;
        let due = self.letter_due(letter)?;
        let apart = match letter {
            Letter::Refusal => self.answer_due().is_none_or(|last| due < last),
            _ => true,
        };
        let late = life.late_letters.contains(&letter);
        (self.is_awaited(letter) && apart && !late).then_some(due)
    }

    /// Whether the law waits for a letter with a last day of its own: it is to go out, and has not.
    fn is_awaited(&self, letter: Letter) -> bool {
        let life = &self.lifecycle;
        let open = match letter {
            Letter::Acknowledgement => !life.is_answered(),
            Letter::Extension if life.phase == Phase::Appeal => life.appeal_extended,
            Letter::Extension => life.extended && !life.appealed && !life.is_answered(),
            Letter::Refusal => life.is_answered_by(letter),
            Letter::AppealDecision => life.appealed && !life.is_closed(),
            _ => false,
        };
        open && !life.is_sent(letter)
    }

    /// Whether the letter of an extension that counts is still to go out.
    pub(super) fn is_extension_untold(&self) -> bool {
        let late = self.lifecycle.late_letters.contains(&Letter::Extension);
        self.is_awaited(Letter::Extension) && !late
    }

    /// The deadline of the answer, as the first instant that is late; `None` once it was met or the
    /// request is answered, while its clock stands still, or where the law sets no number.
    pub fn answer_due(&self) -> Option<DateTime<Utc>> {
        let life = &self.lifecycle;
        if life.is_answered() {
            return None;
        }
        let due = self.answer_clock().and_then(Due::late_from)?;
        // Work that is taken up again after an answer in time does not make it late.
        life.answered_at.is_none_or(|at| at >= due).then_some(due)
    }

    /// The instant from which on the request counts as withdrawn, because the person did not accept
    /// the fee that they were told of, under laws that take it so.
    pub(super) fn fee_lapses_at(&self) -> Option<DateTime<Utc>> {
        let life = &self.lifecycle;
        let waits = life.phase == Phase::Fee && life.waiting_since.is_some();
        let begun = self
            .fulfilment
            .as_ref()
            .is_some_and(Fulfilment::has_written);
        let due = self.clock.fee.filter(|_| waits && !begun)?;
        due.late_from()
    }

    /// When the next thing that the law waits for is late, or was: the answer, an acknowledgement,
    /// the letter of an extension or a refusal that has not gone out, the decision on an appeal.
    /// What staff sees as due.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        let letters = WATCHED
            .into_iter()
            .filter(|letter| self.is_awaited(*letter));
        letters
            .filter_map(|letter| self.letter_due(letter))
            .chain(self.answer_due())
            .min()
    }
}
