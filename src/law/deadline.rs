//! The clock engine: from a regime, a question and what happened, to a date.
//!
//! One function, [`deadline`]. It reads no clock and knows no "now": the same arguments
//! always give the same answer.

use chrono::{DateTime, Datelike, Days, DurationRound, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Awaiting, Calendar, Clock, ClockError, ClockEvent, ClockEventKind, ClockHistory, Day,
    Extension, HourReading, IdentityReading, PauseBasis, PauseReading, Period, Question, Readings,
    ReceiptReading, Regime, Roll, Start,
};
use crate::model::Right;

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
#[serde(rename_all = "snake_case", tag = "state")]
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

/// Where a clock starts, and what it needs to run from there.
enum Started {
    At {
        date: NaiveDate,
        instant: DateTime<Utc>,
    },
    Waiting(Awaiting),
}

/// A pause in days: both inclusive; open while unanswered.
struct Stop {
    awaiting: Awaiting,
    from: NaiveDate,
    until: Option<NaiveDate>,
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

    /// What happened since may have moved the original date beyond the promised one.
    fn no_sooner_than(&self, original: Due, date: NaiveDate) -> Result<Due, ClockError> {
        let promised = self.due_on(date, false)?;
        Ok(if original.late_from() > promised.late_from() {
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

    fn start(&self) -> Result<Started, ClockError> {
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

    fn started_at(&self, instant: DateTime<Utc>) -> Started {
        Started::At {
            date: self.setting.calendar.date_of(instant),
            instant,
        }
    }

    /// The history without what moves nothing: a fee that was waived, and, where the clock
    /// starts with what was asked for, what was asked for when its last day had come.
    fn what_counts(&self) -> Result<ClockHistory, ClockError> {
        let events = self.history.events();
        let mut counted = self.history.unmoved();
        for (at, event) in events.iter().enumerate() {
            let later = &events[at + 1..];
            let is_moot = match event.kind {
                ClockEventKind::FeeWaived => true,
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
    /// by then, has come: a period that has run out is not revived.
    fn comes_too_late(&self, event: ClockEvent, before: &ClockHistory) -> Result<bool, ClockError> {
        let may_start = matches!(
            self.clock.start,
            Start::RelevantTime | Start::DayAfterRelevantTime
        );
        let conditions = [Awaiting::Identity, Awaiting::Fee].map(Awaiting::events);
        let is_condition = conditions
            .iter()
            .any(|(asked, answered)| event.kind == *asked || Some(event.kind) == *answered);
        if !may_start || !is_condition {
            return Ok(false);
        }
        let stood = Engine {
            history: before,
            ..*self
        };
        match stood.as_things_stand() {
            Ok(Due::Due { on, .. }) => {
                Ok(self.setting.calendar.date_of(event.at) >= self.day_of(on))
            }
            Ok(Due::Paused { .. }) => Ok(false),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The latest of receipt and of what was asked for; waiting if something still lacks.
    fn latest_of(&self, awaited: &[Awaiting]) -> Result<Started, ClockError> {
        let mut latest = self.history.received_at();
        for &awaiting in awaited {
            let (asked, answered) = awaiting.events();
            let answer = answered.and_then(|kind| self.history.last(kind));
            match (self.history.last(asked), answer) {
                (Some(asked), Some(answer)) if answer.at < asked.at => {
                    return Ok(Started::Waiting(awaiting));
                }
                (_, Some(answer)) => latest = latest.max(answer.at),
                (Some(_), None) => return Ok(Started::Waiting(awaiting)),
                (None, None) => {}
            }
        }
        Ok(self.started_at(latest))
    }

    fn after_fee_reflection(&self, days: u32, receipt: Started) -> Result<Started, ClockError> {
        let Some(notice) = self.history.first(ClockEventKind::FeeNotified) else {
            return Ok(receipt);
        };
        let announced = self.setting.calendar.date_of(notice.at);
        let reflect_until = Period::Days(days)
            .after(announced)
            .ok_or(ClockError::OutOfRange)?;
        let Some(accepted) = self.history.first(ClockEventKind::FeeConfirmed) else {
            return Ok(Started::Waiting(Awaiting::Fee));
        };
        if self.setting.calendar.date_of(accepted.at) > reflect_until {
            return Err(ClockError::Withdrawn { by: reflect_until });
        }
        Ok(Started::At {
            date: reflect_until,
            instant: notice.at,
        })
    }

    /// Whether this clock starts again once identity is confirmed.
    fn restarts_on_identity(&self) -> bool {
        self.setting.readings.eu_identity == IdentityReading::Restart
            && self.clock.pausable
            && self.setting.regime.pauses.iter().any(|pause| {
                pause.basis == PauseBasis::Reading && pause.awaiting == Awaiting::Identity
            })
            && self
                .history
                .first(ClockEventKind::IdentityRequested)
                .is_some_and(|asked| self.asked_promptly(asked.at))
    }

    fn asked_promptly(&self, asked: DateTime<Utc>) -> bool {
        let days = self.setting.calendar.date_of(asked) - self.received;
        days.num_days() <= i64::from(self.setting.readings.eu_identity_asked_within)
    }

    fn waiting_for_fraud(&self) -> Option<Started> {
        let mut pauses = self.setting.regime.pauses.iter();
        let lifts = pauses.any(|pause| pause.awaiting == Awaiting::Fraud);
        (lifts
            && self.clock.pausable
            && self.history.first(ClockEventKind::FraudSuspected).is_some()
            && self
                .history
                .first(ClockEventKind::IdentityConfirmed)
                .is_none())
        .then_some(Started::Waiting(Awaiting::Fraud))
    }

    /// The pauses of this clock, in order of time.
    fn stops(&self) -> Result<Vec<Stop>, ClockError> {
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

    fn stops_while(
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
            } else if event.kind == answering {
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

    /// The last day before any pause and roll.
    fn last_day(&self, period: Period, start: NaiveDate) -> Result<NaiveDate, ClockError> {
        let day = match period {
            Period::BusinessDays(count) => self.business_days(count, start)?,
            Period::Unnumbered => return Err(self.unnumbered()),
            other => other.after(start).ok_or(ClockError::OutOfRange)?,
        };
        Ok(day)
    }

    fn business_days(&self, count: u32, start: NaiveDate) -> Result<NaiveDate, ClockError> {
        let mut day = start;
        let mut counted = 0;
        let mut idle = 0;
        while counted < count {
            day = day.succ_opt().ok_or(ClockError::OutOfRange)?;
            if self.setting.calendar.is_business_day(day) {
                counted += 1;
                idle = 0;
            } else {
                idle += 1;
                if idle > LONGEST_ROLL {
                    return Err(ClockError::NoWorkingDay(start));
                }
            }
        }
        Ok(day)
    }

    /// The rolled day, and whether the calendar knew enough to say so.
    fn rolled(&self, last: NaiveDate) -> Result<(NaiveDate, bool), ClockError> {
        let calendar = self.setting.calendar;
        let mut day = last;
        let mut moved = 0;
        while self.must_move(day, moved > 0) {
            day = day.succ_opt().ok_or(ClockError::OutOfRange)?;
            moved += 1;
            if moved > LONGEST_ROLL {
                return Err(ClockError::NoWorkingDay(last));
            }
        }
        let consulted = self.roll.holidays || matches!(self.clock.period, Period::BusinessDays(_));
        let provisional = consulted && calendar.known_until().is_some_and(|known| day > known);
        Ok((day, provisional))
    }

    fn must_move(&self, day: NaiveDate, moved: bool) -> bool {
        if self.roll == Roll::NONE {
            return false;
        }
        if moved && self.roll.to_business_day {
            return !self.setting.calendar.is_business_day(day);
        }
        if !self.roll.holidays {
            return self.roll.weekdays.has(day.weekday());
        }
        match self.setting.calendar.day(day) {
            Day::Working => false,
            Day::Holiday => true,
            Day::Ordinary => self.roll.weekdays.has(day.weekday()),
        }
    }

    fn finish(&self, last: NaiveDate) -> Result<Due, ClockError> {
        let last = match self.setting.readings.us_ca_receipt {
            ReceiptReading::DayOne if self.clock.receipt_may_count => {
                last.pred_opt().ok_or(ClockError::OutOfRange)?
            }
            _ => last,
        };
        let (day, provisional) = self.rolled(last)?;
        self.due_on(day, provisional)
    }

    fn due_on(&self, day: NaiveDate, provisional: bool) -> Result<Due, ClockError> {
        let late_from = self.setting.calendar.end_of(day);
        Ok(Due::Due {
            on: DueOn::Date(day),
            late_from: late_from.ok_or(ClockError::OutOfRange)?,
            provisional,
        })
    }

    fn hours(&self, hours: u32, from: DateTime<Utc>) -> Result<Due, ClockError> {
        let is_breach = self.clock.question == Question::BreachAuthority;
        let reading = self.setting.readings.breach_hours;
        let from = if is_breach && reading != HourReading::Elapsed {
            next_full_hour(from)?
        } else {
            from
        };
        let mut end = from
            .checked_add_signed(TimeDelta::hours(hours.into()))
            .ok_or(ClockError::OutOfRange)?;
        if is_breach && reading == HourReading::TwoWorkingDays {
            let start = self.setting.calendar.date_of(from);
            let second = self.business_days(2, start)?;
            let whole = self.setting.calendar.end_of(second);
            end = end.max(whole.ok_or(ClockError::OutOfRange)?);
        }
        Ok(Due::Due {
            on: DueOn::Instant(end),
            late_from: end,
            provisional: false,
        })
    }
}

/// Whether a fee is waived before anything else settles it.
fn is_waived(later: &[ClockEvent], settled: ClockEventKind) -> bool {
    later
        .iter()
        .find(|event| event.kind == settled || event.kind == ClockEventKind::FeeWaived)
        .is_some_and(|event| event.kind == ClockEventKind::FeeWaived)
}

fn next_full_hour(instant: DateTime<Utc>) -> Result<DateTime<Utc>, ClockError> {
    let hour = TimeDelta::hours(1);
    instant
        .duration_trunc(hour)
        .ok()
        .and_then(|begun| begun.checked_add_signed(hour))
        .ok_or(ClockError::OutOfRange)
}

fn find_clock<'a>(
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

fn find_roll(setting: &Setting<'_>, clock: &Clock) -> Result<Roll, ClockError> {
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
pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}
