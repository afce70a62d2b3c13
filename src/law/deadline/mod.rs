//! The clock engine: from a regime, a question and what happened, to a date.
//!
//! One function, [`deadline`]. It reads no clock and knows no "now": the same arguments
//! always give the same answer.

mod last_day;
mod lookup;
mod pauses;
mod start;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Awaiting, Calendar, Clock, ClockError, ClockEvent, ClockEventKind, ClockHistory, Extension,
    Period, Question, Readings, Regime, Roll,
};
use crate::model::Right;

pub(super) use lookup::listed;
use lookup::{find_clock, find_roll};
use start::Started;

/// Days for which a last day is looked for before a calendar counts as broken.
pub(super) const LONGEST_ROLL: u32 = 366;

/// What stays the same for all deadlines of one request.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The law it runs under.
    pub regime: &'a Regime,
    /// The right that was exercised.
    pub right: &'a Right,
    /// The controller's calendar.
    pub calendar: &'a Calendar,
    /// The readings the controller follows.
    pub readings: &'a Readings,
}

/// A day or an instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueOn {
    /// That day, to its end, at the controller's place.
    Date(NaiveDate),
    /// That instant: a clock in hours.
    Instant(DateTime<Utc>),
}

/// When something is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", deny_unknown_fields)]
pub enum Due {
    /// It is due.
    Due {
        /// The last day or instant on which it is in time. For the questions that ask
        /// from when on something may or must be done, the first.
        on: DueOn,
        /// The first instant that is late: the end of that day.
        late_from: DateTime<Utc>,
        /// The answer depends on days that the holiday calendar does not know yet.
        provisional: bool,
    },
    /// The clock stands still, or has not started: there is no date.
    Paused {
        /// What it waits for.
        awaiting: Awaiting,
    },
}

impl Due {
    /// The first instant that is late, if there is one yet.
    pub const fn late_from(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Due { late_from, .. } => Some(*late_from),
            Self::Paused { .. } => None,
        }
    }
}

/// Which form of a clock is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    AsThingsStand,
    Extended,
    NoticeCutoff,
}

/// When `question` falls due.
///
/// `history` holds the receipt and what has happened since; call again after each event.
///
/// ```
/// use chrono::{DateTime, NaiveDate};
/// use datarights::law::{
///     Calendar, ClockHistory, Due, DueOn, Question, Readings, Regimes, Setting, deadline,
/// };
/// use datarights::model::Right;
///
/// let regime = Regimes::builtin().get("eu_gdpr")?;
/// let calendar = Calendar::in_zone("Europe/Paris")?;
/// let setting = Setting {
///     regime: &regime,
///     right: &Right::Access,
///     calendar: &calendar,
///     readings: &Readings::default(),
/// };
/// let received = DateTime::parse_from_rfc3339("2026-01-31T09:00:00+01:00")?.to_utc();
/// let due = deadline(&setting, Question::Response, &ClockHistory::received(received))?;
/// // One month ends on Saturday 28 February, and moves to Monday.
/// let monday = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
/// assert!(matches!(due, Due::Due { on: DueOn::Date(day), .. } if day == monday));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ClockError`], whenever the law or the history gives no certain answer.
pub fn deadline(
    setting: &Setting<'_>,
    question: Question,
    history: &ClockHistory,
) -> Result<Due, ClockError> {
    let asked = Engine::new(setting, question, history)?;
    let counted = asked.what_counts()?;
    Engine {
        history: &counted,
        ..asked
    }
    .answer()
}

/// One computation.
#[derive(Clone, Copy)]
struct Engine<'a> {
    setting: &'a Setting<'a>,
    /// What counts of what happened.
    history: &'a ClockHistory,
    clock: &'a Clock,
    form: Form,
    roll: Roll,
    received: NaiveDate,
}

impl<'a> Engine<'a> {
    fn new(
        setting: &'a Setting<'a>,
        question: Question,
        history: &'a ClockHistory,
    ) -> Result<Self, ClockError> {
        let regime = setting.regime;
        let received = setting.calendar.date_of(history.received_at());
        if !regime.in_force.contains(received) {
            return Err(ClockError::NotInForce {
                regime: regime.id.clone(),
                version: regime.version.to_string(),
                received,
            });
        }
        // Events are in order of time: the first one tells.
        if let Some(early) = history.events().first()
            && early.at < history.received_at()
            && early.kind != ClockEventKind::FiscalYearClose
        {
            return Err(ClockError::OutOfOrder {
                kind: early.kind,
                at: early.at,
            });
        }
        let (asked, form) = match question {
            Question::ExtendedResponse => (Question::Response, Form::Extended),
            Question::AppealExtended => (Question::AppealResponse, Form::Extended),
            Question::ExtensionNoticeCutoff => (Question::Response, Form::NoticeCutoff),
            other => (other, Form::AsThingsStand),
        };
        let clock = find_clock(setting, question, asked, received)?;
        let roll = find_roll(setting, clock)?;
        Ok(Self {
            setting,
            history,
            clock,
            form,
            roll,
            received,
        })
    }

    fn answer(&self) -> Result<Due, ClockError> {
        if self.clock.period == Period::Unnumbered && self.form != Form::NoticeCutoff {
            return Err(self.unnumbered());
        }
        match self.form {
            Form::AsThingsStand => self.as_things_stand(),
            Form::Extended => self.extended(),
            Form::NoticeCutoff => self.notice_cutoff(self.extension()?),
        }
    }

    fn as_things_stand(&self) -> Result<Due, ClockError> {
        let original = self.run(self.clock.period)?;
        let Some(extension) = &self.clock.extension else {
            return Ok(original);
        };
        self.with_extensions(extension, original)
    }

    /// The original date, or the one that the announced extensions give. A notice that
    /// came too late moves nothing.
    fn with_extensions(&self, extension: &Extension, original: Due) -> Result<Due, ClockError> {
        let mut due = original;
        let mut promised = None;
        let mut count = 0;
        for notice in self.history.all(ClockEventKind::ExtensionNotified) {
            let cutoff = if count == 0 {
                self.notice_cutoff(extension)?
            } else {
                due
            };
            let Some(cutoff) = cutoff.late_from() else {
                return Ok(cutoff);
            };
            if notice.at >= cutoff {
                continue;
            }
            if count == extension.times {
                return Err(ClockError::ExtendedTooOften {
                    regime: self.setting.regime.id.clone(),
                    allowed: extension.times,
                    at: notice.at,
                });
            }
            count += 1;
            if extension.by == Period::Unnumbered {
                promised = Some(self.promise(notice, promised)?);
                due = promised.map_or(Ok(original), |date| self.no_sooner_than(original, date))?;
            } else if notice.until.is_some() {
                return Err(ClockError::ExtensionLengthFixed {
                    regime: self.setting.regime.id.clone(),
                    by: extension.by,
                });
            } else {
                due = self.extended_by(extension, count)?;
            }
        }
        Ok(due)
    }

    /// The date with a valid extension, announced already or not.
    fn extended(&self) -> Result<Due, ClockError> {
        let extension = self.extension()?;
        let original = self.run(self.clock.period)?;
        if matches!(original, Due::Paused { .. }) {
            return Ok(original);
        }
        let Some(notice) = self.history.first(ClockEventKind::ExtensionNotified) else {
            return self.extended_by(extension, 1);
        };
        let due = self.with_extensions(extension, original)?;
        match self.notice_cutoff(extension)?.late_from() {
            Some(cutoff) if notice.at >= cutoff => Err(ClockError::ExtensionVoid {
                at: notice.at,
                cutoff,
            }),
            _ => Ok(due),
        }
    }

    fn extended_by(&self, extension: &Extension, times: u32) -> Result<Due, ClockError> {
        if extension.by == Period::Unnumbered {
            return Err(self.without_date());
        }
        let total = self.clock.period.plus(extension.by, times);
        self.run(total.ok_or(ClockError::OutOfRange)?)
    }

    fn without_date(&self) -> ClockError {
        ClockError::ExtensionWithoutDate {
            regime: self.setting.regime.id.clone(),
        }
    }

    /// The date that a notice promises where the law leaves the length to it. It must give more
    /// time than there was when the notice was given.
    fn promise(
        &self,
        notice: ClockEvent,
        before: Option<NaiveDate>,
    ) -> Result<NaiveDate, ClockError> {
        let until = notice.until.ok_or_else(|| self.without_date())?;
        let then = self.history.up_to(notice.at);
        let stood = Engine {
            history: &then,
            ..*self
        };
        let last = match stood.run(self.clock.period)? {
            Due::Due { on, .. } => Some(self.day_of(on)),
            Due::Paused { .. } => None,
        };
        let given = self.setting.calendar.date_of(notice.at);
        let earliest = last
            .max(before)
            .and_then(|day| day.succ_opt())
            .map_or(given, |day| day.max(given));
        if until < earliest {
            return Err(ClockError::ExtensionShortens { until, earliest });
        }
        Ok(until)
    }

    /// What happened since may have moved the original date to the promised one or beyond it.
    fn no_sooner_than(&self, original: Due, date: NaiveDate) -> Result<Due, ClockError> {
        let promised = self.due_on(date, false)?;
        Ok(if original.late_from() >= promised.late_from() {
            original
        } else {
            promised
        })
    }

    fn day_of(&self, on: DueOn) -> NaiveDate {
        match on {
            DueOn::Date(date) => date,
            DueOn::Instant(instant) => self.setting.calendar.date_of(instant),
        }
    }

    fn notice_cutoff(&self, extension: &Extension) -> Result<Due, ClockError> {
        let period = extension.notice_within.unwrap_or(self.clock.period);
        if period == Period::Unnumbered {
            return Err(self.unnumbered());
        }
        match self.history.date_of_request() {
            Some(date) if extension.notice_from_request_date => {
                self.finish(self.last_day(period, date)?)
            }
            _ => self.run(period),
        }
    }

    fn extension(&self) -> Result<&'a Extension, ClockError> {
        self.clock
            .extension
            .as_ref()
            .ok_or_else(|| ClockError::NoExtension {
                regime: self.setting.regime.id.clone(),
            })
    }

    fn unnumbered(&self) -> ClockError {
        ClockError::Unnumbered {
            regime: self.setting.regime.id.clone(),
            question: self.clock.question,
            standard: self.clock.standard.to_string(),
        }
    }

    /// Runs `period` from the clock's start, over its pauses, to its rolled last day.
    fn run(&self, period: Period) -> Result<Due, ClockError> {
        let (date, instant) = match self.start()? {
            Started::At { date, instant } => (date, instant),
            Started::Waiting(awaiting) => return Ok(Due::Paused { awaiting }),
        };
        if let Period::Hours(hours) = period {
            return self.hours(hours, instant);
        }
        if self.clock.backwards {
            let first = period.before(date).ok_or(ClockError::OutOfRange)?;
            return self.due_on(first, false);
        }
        let mut last = self.last_day(period, date)?;
        if let Some(longest) = self.clock.at_most {
            last = last.min(self.last_day(longest, self.received)?);
        }
        // Days already excluded, so that pauses that overlap count once.
        let mut excluded_until = date.pred_opt();
        for stop in self.stops()? {
            let running_until = self.rolled(last)?.0;
            if stop.from > running_until {
                continue;
            }
            let Some(until) = stop.until else {
                return Ok(Due::Paused {
                    awaiting: stop.awaiting,
                });
            };
            let from = match excluded_until {
                Some(done) if done >= stop.from => done.succ_opt().ok_or(ClockError::OutOfRange)?,
                _ => stop.from,
            };
            let days = u64::try_from((until - from).num_days() + 1).unwrap_or(0);
            last = last
                .checked_add_days(Days::new(days))
                .ok_or(ClockError::OutOfRange)?;
            excluded_until = excluded_until.max(Some(until));
        }
        self.finish(last)
    }
}
