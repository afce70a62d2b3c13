//! The last day of a period: counted, moved over days off, taken to its end.

use chrono::{DateTime, Datelike, DurationRound, NaiveDate, TimeDelta, Utc};

use super::{Due, DueOn, Engine, LONGEST_ROLL};
use crate::law::{ClockError, Day, HourReading, Period, Question, ReceiptReading, Roll};

impl Engine<'_> {
    /// The last day before any pause and roll.
    pub(super) fn last_day(
        &self,
        period: Period,
        start: NaiveDate,
    ) -> Result<NaiveDate, ClockError> {
        let day = match period {
            Period::BusinessDays(count) => self.business_days(count, start)?,
            Period::Unnumbered => return Err(self.unnumbered()),
            other => other.after(start).ok_or(ClockError::OutOfRange)?,
        };
        Ok(day)
    }

    pub(super) fn business_days(
        &self,
        count: u32,
        start: NaiveDate,
    ) -> Result<NaiveDate, ClockError> {
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
    pub(super) fn rolled(&self, last: NaiveDate) -> Result<(NaiveDate, bool), ClockError> {
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

    pub(super) fn must_move(&self, day: NaiveDate, moved: bool) -> bool {
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

    pub(super) fn finish(&self, last: NaiveDate) -> Result<Due, ClockError> {
        let last = match self.setting.readings.us_ca_receipt {
            ReceiptReading::DayOne if self.clock.receipt_may_count => {
                last.pred_opt().ok_or(ClockError::OutOfRange)?
            }
            _ => last,
        };
        let (day, provisional) = self.rolled(last)?;
        self.due_on(day, provisional)
    }

    pub(super) fn due_on(&self, day: NaiveDate, provisional: bool) -> Result<Due, ClockError> {
        let late_from = self.setting.calendar.end_of(day);
        Ok(Due::Due {
            on: DueOn::Date(day),
            late_from: late_from.ok_or(ClockError::OutOfRange)?,
            provisional,
        })
    }

    pub(super) fn hours(&self, hours: u32, from: DateTime<Utc>) -> Result<Due, ClockError> {
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

fn next_full_hour(instant: DateTime<Utc>) -> Result<DateTime<Utc>, ClockError> {
    let hour = TimeDelta::hours(1);
    instant
        .duration_trunc(hour)
        .ok()
        .and_then(|begun| begun.checked_add_signed(hour))
        .ok_or(ClockError::OutOfRange)
}
