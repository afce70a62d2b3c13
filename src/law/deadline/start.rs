//! Where a clock starts, and what of what happened counts for it.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Due, Engine};
use crate::law::{
    Awaiting, ClockError, ClockEvent, ClockEventKind, ClockHistory, IdentityReading, PauseBasis,
    Period, Start,
};

/// Where a clock starts, and what it needs to run from there.
pub(super) enum Started {
    At {
        date: NaiveDate,
        instant: DateTime<Utc>,
    },
    Waiting(Awaiting),
}

impl Engine<'_> {
    pub(super) fn start(&self) -> Result<Started, ClockError> {
        let receipt = self.started_at(self.history.received_at());
        match self.clock.start {
            Start::Receipt if self.restarts_on_identity() => self.latest_of(&[Awaiting::Identity]),
            Start::Receipt => Ok(self.waiting_for_fraud().unwrap_or(receipt)),
            Start::RelevantTime => self.latest_of(&[Awaiting::Identity, Awaiting::Fee]),
            Start::DayAfterRelevantTime => Ok(
                match self.latest_of(&[Awaiting::Identity, Awaiting::Fee])? {
                    Started::At { date, instant } => Started::At {
                        date: date.succ_opt().ok_or(ClockError::OutOfRange)?,
                        instant,
                    },
                    waiting @ Started::Waiting(_) => waiting,
                },
            ),
            Start::FeeReflectionEnd { days } => self.after_fee_reflection(days, receipt),
            Start::Event(kind) => match (self.history.first(kind), self.clock.at_most) {
                (Some(event), _) => Ok(self.started_at(event.at)),
                // Without the event only the outer limit runs, and it runs from receipt.
                (None, Some(longest)) => Ok(Started::At {
                    date: self.last_day(longest, self.received)?,
                    instant: self.history.received_at(),
                }),
                (None, None) => Err(ClockError::NotStarted(kind)),
            },
        }
    }

    pub(super) fn started_at(&self, instant: DateTime<Utc>) -> Started {
        Started::At {
            date: self.setting.calendar.date_of(instant),
            instant,
        }
    }

    /// The history without what moves nothing: a fee that was waived, and, where the clock
    /// starts with what was asked for, what was asked for when its last day had passed.
    pub(super) fn what_counts(&self) -> Result<ClockHistory, ClockError> {
        let events = self.history.events();
        let mut counted = self.history.unmoved();
        for (at, event) in events.iter().enumerate() {
            let later = &events[at + 1..];
            let is_moot = match event.kind {
                ClockEventKind::FeeRequested => is_waived(later, ClockEventKind::FeePaid),
                ClockEventKind::FeeNotified => is_waived(later, ClockEventKind::FeeConfirmed),
                _ => false,
            };
            if !is_moot && !self.comes_too_late(*event, &counted)? {
                counted.push(*event);
            }
        }
        Ok(counted)
    }

    /// Whether an event that could start this clock again comes when its last day, as it stood
    /// by then, has passed: a period that has run out is not revived. On its last day it still
    /// runs.
    pub(super) fn comes_too_late(
        &self,
        event: ClockEvent,
        before: &ClockHistory,
    ) -> Result<bool, ClockError> {
        let conditions = [Awaiting::Identity, Awaiting::Fee].map(Awaiting::events);
        let is_condition = || {
            conditions
                .iter()
                .any(|(asked, answered)| event.kind == *asked || Some(event.kind) == *answered)
        };
        let starts_again = match self.clock.start {
            Start::RelevantTime | Start::DayAfterRelevantTime => is_condition(),
            Start::FeeReflectionEnd { .. } => event.kind == ClockEventKind::FeeNotified,
            Start::Receipt => {
                event.kind == ClockEventKind::FraudSuspected && self.is_lifted_by_fraud()
                    || event.kind == ClockEventKind::IdentityRequested
                        && self.may_restart_on_identity()
            }
            Start::Event(_) => false,
        };
        if !starts_again {
            return Ok(false);
        }
        let stood = Engine {
            history: before,
            ..*self
        };
        match stood.as_things_stand() {
            Ok(Due::Due { late_from, .. }) => Ok(event.at >= late_from),
            Ok(Due::Paused { .. }) => Ok(false),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The latest of receipt and of what was asked for; waiting if something still lacks.
    pub(super) fn latest_of(&self, awaited: &[Awaiting]) -> Result<Started, ClockError> {
        let mut latest = self.history.received_at();
        for &awaiting in awaited {
            let (asked, answered) = awaiting.events();
            let asked = self.history.last(asked);
            let since = |event: &ClockEvent| asked.is_none_or(|asked| event.at >= asked.at);
            let answer = answered.and_then(|kind| self.history.last(kind));
            let answer = answer.filter(since);
            let ended = self.history.last(ClockEventKind::WaitingEnded);
            match (asked, answer, ended.filter(since)) {
                (_, Some(answer), _) => latest = latest.max(answer.at),
                (Some(_), None, Some(ended)) => latest = latest.max(ended.at),
                (Some(_), None, None) => return Ok(Started::Waiting(awaiting)),
                (None, None, _) => {}
            }
        }
        Ok(self.started_at(latest))
    }

    pub(super) fn after_fee_reflection(
        &self,
        days: u32,
        receipt: Started,
    ) -> Result<Started, ClockError> {
        let Some(notice) = self.history.first(ClockEventKind::FeeNotified) else {
            return Ok(receipt);
        };
        let announced = self.setting.calendar.date_of(notice.at);
        let reflect_until = Period::Days(days)
            .after(announced)
            .ok_or(ClockError::OutOfRange)?;
        let accepted = self.history.first(ClockEventKind::FeeConfirmed);
        let ended = self.history.first(ClockEventKind::WaitingEnded);
        match accepted {
            Some(accepted) if self.setting.calendar.date_of(accepted.at) > reflect_until => {
                return Err(ClockError::Withdrawn { by: reflect_until });
            }
            None if ended.is_none() => return Ok(Started::Waiting(Awaiting::Fee)),
            _ => {}
        }
        Ok(Started::At {
            date: reflect_until,
            instant: notice.at,
        })
    }

    /// Whether this clock starts again once identity is confirmed.
    pub(super) fn restarts_on_identity(&self) -> bool {
        self.may_restart_on_identity()
            && self
                .history
                .first(ClockEventKind::IdentityRequested)
                .is_some_and(|asked| self.asked_promptly(asked.at))
    }

    fn may_restart_on_identity(&self) -> bool {
        self.setting.readings.eu_identity == IdentityReading::Restart
            && self.clock.pausable
            && self.setting.regime.pauses.iter().any(|pause| {
                pause.basis == PauseBasis::Reading && pause.awaiting == Awaiting::Identity
            })
    }

    pub(super) fn asked_promptly(&self, asked: DateTime<Utc>) -> bool {
        let days = self.setting.calendar.date_of(asked) - self.received;
        days.num_days() <= i64::from(self.setting.readings.eu_identity_asked_within)
    }

    /// Whether a suspicion of fraud lifts this clock.
    fn is_lifted_by_fraud(&self) -> bool {
        let mut pauses = self.setting.regime.pauses.iter();
        self.clock.pausable && pauses.any(|pause| pause.awaiting == Awaiting::Fraud)
    }

    fn waiting_for_fraud(&self) -> Option<Started> {
        let happened = |kind| self.history.first(kind).is_some();
        (self.is_lifted_by_fraud()
            && happened(ClockEventKind::FraudSuspected)
            && !happened(ClockEventKind::IdentityConfirmed))
        .then_some(Started::Waiting(Awaiting::Fraud))
    }
}

/// Whether a fee is waived before anything else settles it.
fn is_waived(later: &[ClockEvent], settled: ClockEventKind) -> bool {
    later
        .iter()
        .find(|event| event.kind == settled || event.kind == ClockEventKind::FeeWaived)
        .is_some_and(|event| event.kind == ClockEventKind::FeeWaived)
}
