//! A request's deadlines: computed by the law when something moves them, then frozen.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::law::{
    self, ClockError, ClockEventKind, ClockHistory, Due, Question, RegimePin, Setting,
};

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
    /// Until when an extension can be announced, where there is one.
    pub extension_notice: Option<Due>,
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
        received_at: DateTime<Utc>,
    ) -> Result<Self, ClockError> {
        Self::compute(setting, regime, ClockHistory::received(received_at))
    }

    /// The clocks after one more event.
    ///
    /// # Errors
    /// As for [`Clock::start`].
    pub fn after(
        &self,
        setting: Setting<'_>,
        kind: ClockEventKind,
        at: DateTime<Utc>,
    ) -> Result<Self, ClockError> {
        Self::compute(
            setting,
            self.regime.clone(),
            self.history.clone().with(kind, at),
        )
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
        Ok(Self {
            response: ask(Question::Response)?,
            refusal: ask(Question::RefusalNotice)?,
            acknowledgement: ask(Question::Ack)?,
            extension_notice: ask(Question::ExtensionNoticeCutoff)?,
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
