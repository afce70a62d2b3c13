//! A request's deadlines: computed by the law when something moves them, then frozen.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::Right;

use crate::law::{
    self, ClockError, ClockEvent, ClockEventKind, ClockHistory, Due, Question, Regime, RegimePin,
    Setting, Start,
};

use super::effect::Letter;

/// The law a request runs under, what moved its clocks so far, and its deadlines as they were
/// computed then. A replay years later says the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The regime, pinned at receipt.
    pub regime: RegimePin,
    /// When the request was received, and what moved its clocks.
    pub history: ClockHistory,
    /// When the answer is due; `None` where the law sets no number.
    pub response: Option<Due>,
    /// Until when a refusal must be sent, where the law has a clock of its own for it.
    pub refusal: Option<Due>,
    /// Until when receipt must be confirmed, where the law demands it.
    pub acknowledgement: Option<Due>,
    /// Until when an extension can be announced, where there is one; of a further one, until when
    /// its letter must be out.
    pub extension_notice: Option<Due>,
    /// Until when an appeal must be decided, once there is one and the law has a clock for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Due>,
    /// When the appeal came in, and what moved its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_history: Option<ClockHistory>,
    /// Until when an extension of the appeal can be announced, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_extension_notice: Option<Due>,
    /// Until when a fee that was announced must be accepted, where the law takes the request for
    /// withdrawn otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Due>,
}

impl Clock {
    /// Starts the clocks of a request.
    ///
    /// # Errors
    /// What keeps the law from giving an answer at all; a law without a number for a question
    /// is none.
    pub fn start(
        setting: Setting<'_>,
        regime: RegimePin,
        received: ClockHistory,
    ) -> Result<Self, ClockError> {
        Self::compute(setting, regime, received)
    }

    /// The clocks after one more event.
    ///
    /// # Errors
    /// As for [`Clock::start`].
    pub fn after(&self, setting: Setting<'_>, event: ClockEvent) -> Result<Self, ClockError> {
        let mut history = self.history.clone();
        history.push(event);
        self.recomputed(setting, history)
    }

    /// The clocks of another history; those of an appeal stay as they are.
    fn recomputed(&self, setting: Setting<'_>, history: ClockHistory) -> Result<Self, ClockError> {
        Ok(Self {
            appeal: self.appeal,
            appeal_history: self.appeal_history.clone(),
            appeal_extension_notice: self.appeal_extension_notice,
            ..Self::compute(setting, self.regime.clone(), history)?
        })
    }

    /// The clocks without the extension that was decided last: its letter did not go out in time,
    /// so it never took effect.
    ///
    /// # Errors
    /// As for [`Clock::start`].
    pub fn without_extension(&self, setting: Setting<'_>) -> Result<Self, ClockError> {
        self.recomputed(setting, without_last_extension(&self.history))
    }

    /// Whether an extension is in it.
    pub fn is_extended(&self) -> bool {
        self.history
            .first(ClockEventKind::ExtensionNotified)
            .is_some()
    }

    /// The clocks after an appeal came in.
    ///
    /// # Errors
    /// As for [`Clock::start`].
    pub fn appealed(&self, setting: Setting<'_>, at: DateTime<Utc>) -> Result<Self, ClockError> {
        let history = ClockHistory::received(at);
        let ask = |question| match law::deadline(&setting, question, &history) {
            Ok(due) => Ok(Some(due)),
            // The request keeps its version of the law, though another one is in force by now.
            Err(ClockError::NotInForce { .. }) => Ok(None),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        };
        let appeal = ask(Question::AppealResponse)?;
        let can_be_extended = ask(Question::AppealExtended)?.is_some();
        let mut clock = self.clone();
        clock.appeal = appeal;
        clock.appeal_history = Some(history);
        // It is announced while the appeal's own period runs.
        clock.appeal_extension_notice = appeal.filter(|_| can_be_extended);
        Ok(clock)
    }

    /// The clocks after the decision on the appeal was put off.
    ///
    /// # Errors
    /// As for [`Clock::start`].
    pub fn appeal_extended(
        &self,
        setting: Setting<'_>,
        at: DateTime<Utc>,
    ) -> Result<Self, ClockError> {
        let mut clock = self.clone();
        if let Some(history) = &self.appeal_history {
            let history = history.clone().with(ClockEventKind::ExtensionNotified, at);
            clock.appeal = Some(law::deadline(&setting, Question::AppealResponse, &history)?);
            clock.appeal_history = Some(history);
        }
        Ok(clock)
    }

    /// The same without that: its letter did not go out in time.
    #[must_use]
    pub fn without_appeal_extension(&self) -> Self {
        let mut clock = self.clone();
        clock.appeal = self.appeal_extension_notice.or(self.appeal);
        clock.appeal_history = self.appeal_history.as_ref().map(without_last_extension);
        clock
    }

    /// Whether an extension of the appeal is in it.
    pub fn is_appeal_extended(&self) -> bool {
        self.appeal_history
            .as_ref()
            .is_some_and(|history| history.first(ClockEventKind::ExtensionNotified).is_some())
    }

    fn compute(
        setting: Setting<'_>,
        regime: RegimePin,
        history: ClockHistory,
    ) -> Result<Self, ClockError> {
        let ask = |question| match law::deadline(&setting, question, &history) {
            Ok(due) => Ok(Some(due)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        };
        // A further extension is announced while the one before it runs.
        let extension_notice = if history.all(ClockEventKind::ExtensionNotified).count() > 1 {
            let before = without_last_extension(&history);
            Some(law::deadline(&setting, Question::Response, &before)?)
        } else {
            ask(Question::ExtensionNoticeCutoff)?
        };
        let mut response = ask(Question::Response)?;
        // Processing ends with the withdrawal of consent; under some laws by a day of its own.
        if *setting.right == Right::ConsentWithdrawal
            && let Some(revocation) = ask(Question::ConsentRevocation)?
        {
            let earlier = |response: Due| response.late_from() < revocation.late_from();
            response = response.filter(|due| earlier(*due)).or(Some(revocation));
        }
        let fee = match announced_fee(&history) {
            Some(at) => {
                let alone = ClockHistory::received(history.received_at());
                let alone = alone.with(ClockEventKind::FeeNotified, at);
                match law::deadline(&setting, Question::FeeConfirmDeadline, &alone) {
                    Ok(due) => Some(due),
                    Err(error) if error.is_absent() => None,
                    Err(error) => return Err(error),
                }
            }
            None => None,
        };
        Ok(Self {
            fee,
            response,
            refusal: ask(Question::RefusalNotice)?,
            acknowledgement: ask(Question::Ack)?,
            extension_notice,
            appeal: None,
            appeal_history: None,
            appeal_extension_notice: None,
            regime,
            history,
        })
    }

    /// The first instant at which the answer is late; `None` while the clock stands still, or
    /// where the law sets no number.
    pub fn late_from(&self) -> Option<DateTime<Utc>> {
        self.response.as_ref().and_then(Due::late_from)
    }
}

/// Whether a fee must be accepted under a law, and the person has days to think about that.
pub(super) fn fee_is_reflected(regime: &Regime) -> bool {
    let reflects = |clock: &law::Clock| matches!(clock.start, Start::FeeReflectionEnd { .. });
    regime.clocks.iter().any(reflects)
}

/// What it is to the clocks of a law that a letter asks the person something; `None` for letters
/// that ask nothing which could move one.
pub(super) fn asked_by(letter: Letter, regime: &Regime) -> Option<ClockEventKind> {
    Some(match letter {
        Letter::IdentityRequest => ClockEventKind::IdentityRequested,
        Letter::ClarificationRequest => ClockEventKind::ClarificationRequested,
        Letter::FeeRequest if fee_is_reflected(regime) => ClockEventKind::FeeNotified,
        Letter::FeeRequest => ClockEventKind::FeeRequested,
        _ => return None,
    })
}

/// When the fee was announced that the person has neither accepted nor been spared.
fn announced_fee(history: &ClockHistory) -> Option<DateTime<Utc>> {
    let settles = [ClockEventKind::FeeConfirmed, ClockEventKind::FeeWaived];
    let mut open = None;
    for event in history.events() {
        if event.kind == ClockEventKind::FeeNotified {
            open = Some(event.at);
        } else if settles.contains(&event.kind) {
            open = None;
        }
    }
    open
}

fn without_last_extension(history: &ClockHistory) -> ClockHistory {
    let last = history.last(ClockEventKind::ExtensionNotified);
    let mut rest = ClockHistory::received(history.received_at());
    if let Some(date) = history.date_of_request() {
        rest = rest.requested_on(date);
    }
    let of_last = |event: &ClockEvent| Some(*event) == last;
    let skipped = history.events().iter().rposition(of_last);
    for (place, event) in history.events().iter().enumerate() {
        if Some(place) != skipped {
            rest.push(*event);
        }
    }
    rest
}
