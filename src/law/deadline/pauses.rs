//! When a clock stands still: the days between a question and its answer.

use chrono::{Days, NaiveDate};

use super::Engine;
use crate::law::{
    Awaiting, ClockError, ClockEvent, ClockEventKind, IdentityReading, PauseBasis, PauseReading,
};

/// A pause in days: both inclusive; open while unanswered.
pub(super) struct Stop {
    pub(super) awaiting: Awaiting,
    pub(super) from: NaiveDate,
    pub(super) until: Option<NaiveDate>,
}

impl Engine<'_> {
    /// The pauses of this clock, in order of time.
    pub(super) fn stops(&self) -> Result<Vec<Stop>, ClockError> {
        let mut stops = Vec::new();
        if !self.clock.pausable || self.history.events().is_empty() {
            return Ok(stops);
        }
        for pause in &self.setting.regime.pauses {
            if !self
                .setting
                .regime
                .concerns(&pause.rights, self.setting.right)
            {
                continue;
            }
            let suspends = self.setting.readings.eu_identity == IdentityReading::SuspendDays;
            // Which of the two days at its ends a pause excludes.
            let shorter_by = match pause.basis {
                PauseBasis::Statute => match self.setting.readings.uk_pause {
                    PauseReading::StatutoryInclusive => 0,
                    PauseReading::PublishedExample => 1,
                },
                PauseBasis::Reading if suspends => 1,
                PauseBasis::Reading => continue,
            };
            self.stops_while(pause.awaiting, pause.basis, shorter_by, &mut stops)?;
        }
        stops.sort_by_key(|stop| stop.from);
        Ok(stops)
    }

    pub(super) fn stops_while(
        &self,
        awaiting: Awaiting,
        basis: PauseBasis,
        shorter_by: u64,
        stops: &mut Vec<Stop>,
    ) -> Result<(), ClockError> {
        let (asking, Some(answering)) = awaiting.events() else {
            return Ok(());
        };
        if awaiting == Awaiting::Fraud {
            return Ok(());
        }
        let mut asked: Option<ClockEvent> = None;
        for event in self.history.events() {
            if event.kind == asking && asked.is_none() {
                if basis == PauseBasis::Statute || self.asked_promptly(event.at) {
                    asked = Some(*event);
                }
            } else if event.kind == answering || event.kind == ClockEventKind::WaitingEnded {
                let Some(question) = asked.take() else {
                    continue;
                };
                let last = self.setting.calendar.date_of(event.at);
                stops.push(Stop {
                    awaiting,
                    from: self.setting.calendar.date_of(question.at),
                    until: Some(
                        last.checked_sub_days(Days::new(shorter_by))
                            .ok_or(ClockError::OutOfRange)?,
                    ),
                });
            }
        }
        if let Some(question) = asked {
            stops.push(Stop {
                awaiting,
                from: self.setting.calendar.date_of(question.at),
                until: None,
            });
        }
        Ok(())
    }
}
