//! The state of the legal course: the fold of its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{Actor, End, Failure, Fee, Ground, Outcome, Pending, RequestId};
use crate::workflow::effect::Letter;
use crate::workflow::event::{Envelope, Event};

use super::phase::Phase;

/// The state of the legal course.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Whether the deadline is extended. An extension whose letter does not go out in time is none.
    pub extended: bool,
    /// Whether the deadline passed without an answer; after a granted appeal, that of the new one.
    pub overdue: bool,
    /// How many reminders were recorded.
    pub reminders: u32,
    /// The ground of a refusal.
    pub refusal: Option<Ground>,
    /// How the work ended, once it did.
    pub outcome: Option<Outcome>,
    /// The letters that did not go out, and why.
    pub stuck_letters: Vec<(Letter, Failure)>,
    /// Why the person could not be asked for evidence of who they are, until they are asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck_challenge: Option<Failure>,
    /// The letters that somebody sends by hand.
    #[serde(rename = "pending_letter", with = "pending")]
    pub pending_letters: Vec<(Letter, Pending)>,
    /// Since when it waits for the person: since the letter that asks them went out.
    pub waiting_since: Option<DateTime<Utc>>,
    /// When the answer went out.
    pub answered_at: Option<DateTime<Utc>>,
    /// Whether it waits for the person longer than they were given: staff decides what follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Whether the person appealed; they can once.
    pub appealed: bool,
    /// The last request that is carried on in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_by: Option<RequestId>,
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
    /// Whether the decision on the appeal was put off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub appeal_extended: bool,
    /// Who refused it: another one reviews that, where the law wants it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<Actor>,
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

    pub(in crate::workflow) fn serialize<S: Serializer>(
        letters: &[(Letter, Pending)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (!letters.is_empty())
            .then_some(letters)
            .serialize(serializer)
    }

    pub(in crate::workflow) fn deserialize<'de, D: Deserializer<'de>>(
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
    pub(in crate::workflow) const fn new() -> Self {
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
            stuck_challenge: None,
            pending_letters: Vec::new(),
            waiting_since: None,
            answered_at: None,
            unanswered: false,
            appealed: false,
            joined_by: None,
            end: None,
            package_deleted: false,
            shredded: false,
            sent: Vec::new(),
            late_letters: Vec::new(),
            extension: None,
            fee: None,
            appeal_granted: None,
            appeal_extended: false,
            refused_by: None,
        }
    }

    /// Whether it came to its end.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether somebody looks at what the work comes to.
    pub(in crate::workflow) const fn is_looked_at(&self) -> bool {
        matches!(self.phase, Phase::Fulfilment | Phase::Review)
    }

    /// Whether the outcome of the work may be seen by the person: it was let out, and the request
    /// did not end otherwise.
    pub const fn is_released(&self) -> bool {
        if self.refusal.is_some() {
            return false;
        }
        match self.phase {
            Phase::Response | Phase::Answered | Phase::Appeal => true,
            Phase::Closed => matches!(self.end, Some(End::Answered(_))),
            _ => false,
        }
    }

    /// The letter that asks the person what this phase waits for.
    pub const fn question(&self) -> Option<Letter> {
        match self.phase {
            Phase::Identity => Some(Letter::IdentityRequest),
            Phase::Clarification => Some(Letter::ClarificationRequest),
            Phase::Fee => Some(Letter::FeeRequest),
            _ => None,
        }
    }

    /// Whether the person is asked by this letter, once it is out. Before that nothing waits for
    /// them: no clock stands still, and no time for their answer runs.
    pub(in crate::workflow) fn is_asking(&self, letter: Letter) -> bool {
        self.question() == Some(letter) && self.waiting_since.is_none()
    }

    /// Whether it is the person's turn: they were asked, in a letter that is out and, where they must
    /// show who they are, by a challenge that has not failed.
    pub const fn waits_for_person(&self) -> bool {
        self.waiting_since.is_some() && self.stuck_challenge.is_none()
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
    pub(in crate::workflow) fn is_answered_by(&self, letter: Letter) -> bool {
        self.phase == Phase::Response && letter == self.answer()
    }

    /// Whether its answer should be on its way and could not be sent: it can still be another one.
    pub(in crate::workflow) fn is_answer_stuck(&self) -> bool {
        let answer = self.answer();
        self.stuck_letters.iter().any(|(stuck, _)| *stuck == answer)
    }

    /// Whether the deadline of the answer is behind it: answered, or ended otherwise.
    pub fn is_answered(&self) -> bool {
        matches!(self.phase, Phase::Answered | Phase::Appeal | Phase::Closed)
    }

    pub(in crate::workflow) fn apply(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::IdentityRequested => self.go(Phase::Identity),
            Event::ChallengeFailed { failure } => self.stuck_challenge = Some(failure.clone()),
            Event::ChallengedAgain => self.stuck_challenge = None,
            Event::IdentityAttempted => self.attempts += 1,
            Event::IdentityConfirmed => {
                self.identified = true;
                self.go(Phase::Assessment);
            }
            Event::Granted => {
                self.outcome = None;
                self.go(Phase::Fulfilment);
            }
            Event::ClarificationRequested => self.go(Phase::Clarification),
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
                self.go(Phase::Fee);
            }
            Event::ClarificationReceived | Event::FeePaid | Event::FeeWaived => {
                self.go(Phase::Assessment);
            }
            Event::Extended { ground, .. } => {
                self.extended = true;
                self.extend(ground);
            }
            Event::AppealExtended { ground } => {
                self.appeal_extended = true;
                self.extend(ground);
            }
            // The work begins anew, and with it what it reads.
            Event::Started { .. } => self.package_deleted = false,
            Event::Approved => {
                self.approved_by = Some(envelope.actor.clone());
                self.outcome = None;
                self.refusal = None;
                self.go(Phase::Fulfilment);
            }
            Event::Refused { ground } => {
                // Another answer stands in the place of one that could not be sent.
                self.settle(self.answer());
                self.refusal = Some(ground.clone());
                self.refused_by = Some(envelope.actor.clone());
                self.outcome = None;
                self.go(Phase::Response);
            }
            Event::Ended { outcome } | Event::Restricted { outcome } => {
                self.report(outcome.clone());
            }
            Event::Withholding { .. } => self.report(Outcome::Partly),
            Event::Reworked => {
                self.settle(Letter::Response);
                self.outcome = None;
                self.go(Phase::Fulfilment);
            }
            Event::Released => self.go(Phase::Response),
            Event::LetterSent { letter } => {
                self.settle(*letter);
                if self.is_asking(*letter) {
                    self.waiting_since = Some(envelope.at);
                }
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
                if *granted {
                    // The answer does not stand any more.
                    self.answered_at = None;
                }
                self.go(if *granted {
                    Phase::Assessment
                } else {
                    Phase::Answered
                });
            }
            Event::DeadlineNear => self.reminders += 1,
            Event::DeadlinePassed { .. } => self.overdue = true,
            Event::ClockMoved(clock) => {
                self.extended = clock.is_extended();
                self.appeal_extended = clock.is_appeal_extended();
            }
            Event::LetterOverdue { letter, .. } => {
                self.late_letters.push(*letter);
                if *letter == Letter::Extension {
                    // It says what is not so any more.
                    self.settle(*letter);
                }
            }
            Event::JoinedBy { request } => self.joined_by = Some(*request),
            Event::Closed { end } => {
                self.end = Some(end.clone());
                self.go(Phase::Closed);
            }
            Event::Unanswered => self.unanswered = true,
            Event::Confirmed => {
                self.settle(Letter::ConfirmationRequest);
                self.unanswered = false;
            }
            Event::Cancelled => self.settle(Letter::ConfirmationRequest),
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

    /// A longer time was announced: its letter has still to go out.
    fn extend(&mut self, ground: &Ground) {
        self.sent.retain(|sent| *sent != Letter::Extension);
        self.late_letters.retain(|late| *late != Letter::Extension);
        self.extension = Some(ground.clone());
    }

    fn go(&mut self, phase: Phase) {
        // What was asked there is not asked any more.
        if let Some(question) = self.question() {
            self.settle(question);
        }
        self.stuck_challenge = None;
        self.phase = phase;
        self.waiting_since = None;
        self.unanswered = false;
    }

    fn settle(&mut self, letter: Letter) {
        self.stuck_letters.retain(|(stuck, _)| *stuck != letter);
        self.pending_letters
            .retain(|(waiting, _)| *waiting != letter);
    }
}
