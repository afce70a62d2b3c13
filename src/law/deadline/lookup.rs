//! Which clock of a law answers a question, and over which days its last day moves.

use chrono::NaiveDate;

use super::Setting;
use crate::law::{Clock, ClockError, ClockEventKind, ClockHistory, Question, Roll, Start};

impl Setting<'_> {
    /// Whether the clock of the answer starts with such an event, or stands still after it.
    pub(crate) fn is_moved_by(&self, kind: ClockEventKind, history: &ClockHistory) -> bool {
        let received = self.calendar.date_of(history.received_at());
        let Ok(clock) = find_clock(self, Question::Response, Question::Response, received) else {
            return false;
        };
        let mut pauses = self.regime.pauses.iter();
        let pauses = clock.pausable
            && pauses.any(|pause| {
                pause.awaiting.events().0 == kind && self.regime.concerns(&pause.rights, self.right)
            });
        clock.start == Start::Event(kind) || pauses
    }
}

pub(super) fn find_clock<'a>(
    setting: &Setting<'a>,
    question: Question,
    asked: Question,
    received: NaiveDate,
) -> Result<&'a Clock, ClockError> {
    let regime = setting.regime;
    let rule = regime.right(setting.right);
    if question.concerns_right() {
        let mut lacking = regime.lacks_for(setting.right, setting.readings);
        if let Some(removed) = lacking.next() {
            return Err(ClockError::Unsure {
                regime: regime.id.clone(),
                right: setting.right.clone(),
                missing: removed.describe(),
                least: regime.least,
            });
        }
    }
    let is_appeal = question.concerns_appeal() && setting.right.name() == "appeal";
    if question.concerns_right() && rule.is_none() && !regime.any_right && !is_appeal {
        return Err(ClockError::UnknownRight {
            regime: regime.id.clone(),
            right: setting.right.clone(),
            known: listed(regime.rights.iter().map(|rule| rule.id.to_string())),
        });
    }
    let not_yet = |from: NaiveDate| ClockError::NotYet {
        regime: regime.id.clone(),
        from,
        received,
    };
    if let Some(from) = rule
        .and_then(|rule| rule.from)
        .filter(|from| received < *from)
    {
        return Err(not_yet(from));
    }
    let fits = |clock: &&Clock| {
        clock.question == asked
            && regime.concerns(&clock.rights, setting.right)
            && clock
                .when
                .as_deref()
                .is_none_or(|circumstance| setting.readings.states(circumstance))
    };
    let clock = regime
        .clocks
        .iter()
        .find(fits)
        .ok_or_else(|| ClockError::NoClock {
            regime: regime.id.clone(),
            question,
            right: setting.right.clone(),
            known: listed(regime.clocks.iter().map(|clock| clock.question.to_string())),
        })?;
    match clock.from.filter(|from| received < *from) {
        Some(from) => Err(not_yet(from)),
        None => Ok(clock),
    }
}

pub(super) fn find_roll(setting: &Setting<'_>, clock: &Clock) -> Result<Roll, ClockError> {
    let Some(name) = setting.readings.roll.as_deref() else {
        return Ok(clock.roll);
    };
    if name == "none" {
        return Ok(Roll::NONE);
    }
    let readings = &setting.regime.roll_readings;
    readings
        .iter()
        .find(|reading| reading.name == name)
        .map(|reading| reading.roll)
        .ok_or_else(|| ClockError::UnknownRoll {
            regime: setting.regime.id.clone(),
            found: name.to_owned(),
            known: readings
                .iter()
                .fold(String::new(), |text, reading| text + ", " + &reading.name),
        })
}

/// Names for a message, separated by commas.
pub(in crate::law) fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}
