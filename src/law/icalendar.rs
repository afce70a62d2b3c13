//! Holidays from an iCalendar file, as public authorities publish them.

use chrono::{Days, NaiveDate};
use icalendar::{Calendar, CalendarComponent, Component, DatePerhapsTime, EventStatus};

use super::NamedHolidays;

/// The longest single event that counts as a holiday, in days. A longer one is a season or
/// a mistake.
const LONGEST: i64 = 31;

/// Why a file gives no holidays.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarFileError {
    /// It is not an iCalendar file.
    #[error("this is no iCalendar file (RFC 5545): {0}")]
    Unreadable(String),
    /// It lists no day.
    #[error("the calendar lists no event with a date")]
    Empty,
    /// An event repeats by a rule; which years it covers cannot be told.
    #[error(
        "the event `{0}` repeats by a rule; use a file that lists every date, or a `HolidayRule`"
    )]
    Recurring(String),
    /// An event lasts too long or ends before it starts.
    #[error("the event `{summary}` lasts {days} days; accepted: 1 to {LONGEST}")]
    Length {
        /// Its title.
        summary: String,
        /// How many days it lasts.
        days: i64,
    },
}

/// Reads the holidays of an iCalendar file.
///
/// The calendar is taken to be complete up to `complete_until`; without it, up to the last
/// day that it lists, so that any later deadline is marked provisional. Cancelled events
/// are left out; an event of several days is a holiday on each.
///
/// ```
/// use chrono::NaiveDate;
/// use datarights::law::{Day, Holidays, read_icalendar};
/// let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//gov\r\nBEGIN:VEVENT\r\n\
///     UID:1\r\nDTSTART;VALUE=DATE:20260406\r\nDTEND;VALUE=DATE:20260407\r\n\
///     SUMMARY:Easter Monday\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let holidays = read_icalendar(file, None)?;
/// let monday = NaiveDate::from_ymd_opt(2026, 4, 6).unwrap();
/// assert_eq!(holidays.day(monday), Day::Holiday);
/// assert_eq!(holidays.name(monday), Some("Easter Monday"));
/// # Ok::<(), datarights::law::CalendarFileError>(())
/// ```
///
/// # Errors
/// [`CalendarFileError`].
pub fn read_icalendar(
    file: &str,
    complete_until: Option<NaiveDate>,
) -> Result<NamedHolidays, CalendarFileError> {
    let calendar: Calendar = file.parse().map_err(CalendarFileError::Unreadable)?;
    let mut days = Vec::new();
    for component in &calendar.components {
        let CalendarComponent::Event(event) = component else {
            continue;
        };
        let Some(first) = event.get_start().map(day_of) else {
            continue;
        };
        if event.get_status() == Some(EventStatus::Cancelled) {
            continue;
        }
        let summary = event.get_summary().unwrap_or_default();
        if event.property_value("RRULE").is_some() {
            return Err(CalendarFileError::Recurring(summary.to_owned()));
        }
        // The end of an all-day event is not part of it.
        let length = match event.get_end().map(day_of) {
            Some(end) if end != first => (end - first).num_days(),
            _ => 1,
        };
        if !(1..=LONGEST).contains(&length) {
            return Err(CalendarFileError::Length {
                summary: summary.to_owned(),
                days: length,
            });
        }
        let length = u64::try_from(length).unwrap_or(1);
        days.extend(
            (0..length)
                .filter_map(|n| first.checked_add_days(Days::new(n)))
                .map(|day| (day, summary.to_owned())),
        );
    }
    let last = days.iter().map(|(day, _)| *day).max();
    let last = last.ok_or(CalendarFileError::Empty)?;
    Ok(NamedHolidays::new(days, complete_until.or(Some(last))))
}

fn day_of(date: DatePerhapsTime) -> NaiveDate {
    date.date_naive()
}
