//! Holidays and working days from an iCalendar file, as public authorities publish them.

use chrono::{
    DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use icalendar::{
    Calendar, CalendarComponent, CalendarDateTime, Component, DatePerhapsTime, Event, EventStatus,
    Property,
};

use rrule::RRuleSet;

use super::NamedHolidays;
use super::calendar::date_in;

/// The longest single event that counts as a holiday, in days. A longer one is a season or
/// a mistake.
const LONGEST: i64 = 31;

/// How many occurrences of one event are taken: those of more than a lifetime.
const MOST: u16 = 400;

/// What an event of a file is to the calendar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum EntryKind {
    /// A day off.
    Holiday,
    /// A day on which people work although its weekday is off.
    Working,
    /// Neither: a school holiday, a remembrance day.
    Neither,
}

/// An event of a file, for whoever tells what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CalendarEntry<'a> {
    /// Its title; empty when it has none.
    pub summary: &'a str,
    /// Its `CATEGORIES`.
    pub categories: Vec<&'a str>,
}

/// Why a file gives no holidays.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarFileError {
    /// It is not an iCalendar file, or one of the calendars in it is none.
    #[error("calendar {calendar} of the file is no whole iCalendar object (RFC 5545)")]
    Unreadable {
        /// Which one, the first being 1.
        calendar: usize,
    },
    /// It lists no day.
    #[error("the calendar lists no event with a date")]
    Empty,
    /// The list of days on which an event repeats, or does not, cannot be read.
    #[error(
        "the event `{summary}` has a list of days ({property}) that cannot be read; accepted: at most {MOST} dates, or times in UTC, in a zone of the IANA database, or in none"
    )]
    List {
        /// Its title.
        summary: String,
        /// `RDATE` or `EXDATE`.
        property: &'static str,
    },
    /// An event repeats without an end, and nobody said how far the calendar reaches.
    #[error("the event `{0}` repeats without an end; say with `complete_until` how far to go")]
    Endless(String),
    /// An event repeats by a rule that cannot be followed.
    #[error(
        "the event `{summary}` repeats by the rule `{rule}`, which cannot be followed; accepted: a rule of RFC 5545 that gives at most {MOST} days up to the end of the calendar"
    )]
    Rule {
        /// Its title.
        summary: String,
        /// The rule.
        rule: String,
    },
    /// The start, end or duration of an event is missing or cannot be read.
    #[error("the event `{summary}` has no readable {property}; accepted: {accepted}")]
    Time {
        /// Its title.
        summary: String,
        /// `DTSTART`, `DTEND` or `DURATION`.
        property: &'static str,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// An event lasts too long or ends before it starts.
    #[error("the event `{summary}` lasts {days} days; accepted: 1 to {LONGEST}")]
    Length {
        /// Its title.
        summary: String,
        /// How many days it lasts.
        days: i64,
    },
}

/// Reads the holidays of an iCalendar file; it may hold several calendars.
///
/// Times of day are taken to the dates they have in `zone`, the place where the holidays hold;
/// a time without a zone of its own is one of that place. Cancelled events are left out; an
/// event of several days is a holiday on each. Every other event is a day off; for a file that
/// also lists working days see [`read_icalendar_with`].
///
/// The calendar is taken to be complete up to `complete_until`; without it, up to the last
/// day that it lists, so that any later deadline is marked provisional. Events that repeat by a
/// rule (`RRULE`) are followed up to there, from the date that they have in `zone`; days that a list
/// adds (`RDATE`) or takes away (`EXDATE`) are added and taken away.
///
/// ```
/// use chrono::NaiveDate;
/// use datarights::law::{Day, Holidays, read_icalendar};
/// let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//gov\r\nBEGIN:VEVENT\r\n\
///     UID:1\r\nDTSTART;VALUE=DATE:20260406\r\nDTEND;VALUE=DATE:20260407\r\n\
///     SUMMARY:Easter Monday\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let holidays = read_icalendar(file, chrono_tz::Europe::Paris, None)?;
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
    zone: Tz,
    complete_until: Option<NaiveDate>,
) -> Result<NamedHolidays, CalendarFileError> {
    read_icalendar_with(file, zone, complete_until, |_| EntryKind::Holiday)
}

/// The same for a file that lists more than days off: `kind` tells of each event what it is. A
/// day that is listed as worked and as off is worked: the decree that swaps two days lists both.
///
/// ```
/// use chrono::NaiveDate;
/// use datarights::law::{Day, EntryKind, Holidays, read_icalendar_with};
/// let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//gov\r\nBEGIN:VEVENT\r\n\
///     UID:1\r\nDTSTART;VALUE=DATE:20261010\r\nSUMMARY:National Day\r\nCATEGORIES:WORKDAY\r\n\
///     END:VEVENT\r\nEND:VCALENDAR\r\n";
/// let days = read_icalendar_with(file, chrono_tz::Asia::Shanghai, None, |entry| {
///     if entry.categories.contains(&"WORKDAY") { EntryKind::Working } else { EntryKind::Holiday }
/// })?;
/// assert_eq!(days.day(NaiveDate::from_ymd_opt(2026, 10, 10).unwrap()), Day::Working);
/// # Ok::<(), datarights::law::CalendarFileError>(())
/// ```
///
/// # Errors
/// [`CalendarFileError`].
pub fn read_icalendar_with(
    file: &str,
    zone: Tz,
    complete_until: Option<NaiveDate>,
    kind: impl Fn(&CalendarEntry<'_>) -> EntryKind,
) -> Result<NamedHolidays, CalendarFileError> {
    let (mut days, mut working) = (Vec::new(), Vec::new());
    for (at, text) in parted(file).iter().enumerate() {
        let unreadable = CalendarFileError::Unreadable { calendar: at + 1 };
        let calendar: Calendar = text.parse().map_err(|_: String| unreadable)?;
        for component in &calendar.components {
            let CalendarComponent::Event(event) = component else {
                continue;
            };
            if event.get_status() == Some(EventStatus::Cancelled) {
                continue;
            }
            let summary = event.get_summary().unwrap_or_default();
            let entry = CalendarEntry {
                summary,
                categories: categories(event),
            };
            let list = match kind(&entry) {
                EntryKind::Holiday => &mut days,
                EntryKind::Working => &mut working,
                EntryKind::Neither => continue,
            };
            for day in days_of(event, summary, zone, complete_until)? {
                list.push((day, summary.to_owned()));
            }
        }
    }
    let listed = days.iter().chain(&working).map(|(day, _)| *day);
    let last = listed.max().ok_or(CalendarFileError::Empty)?;
    Ok(NamedHolidays::new(days, complete_until.or(Some(last))).with_working(working))
}

/// A property each time that it stands there.
fn properties<'a>(event: &'a Event, name: &str) -> impl Iterator<Item = &'a Property> {
    let many = event.multi_properties().get(name).into_iter().flatten();
    event.properties().get(name).into_iter().chain(many)
}

fn categories(event: &Event) -> Vec<&str> {
    properties(event, "CATEGORIES")
        .flat_map(|property| property.value().split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .collect()
}

/// The calendars of a file one by one: the parser reads the first alone. What follows the last
/// is a part of its own, which the parser refuses.
fn parted(file: &str) -> Vec<String> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let mut parts = vec![String::new()];
    for line in file.lines() {
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push_str("\r\n");
        }
        if line.trim_end().eq_ignore_ascii_case("END:VCALENDAR") {
            parts.push(String::new());
        }
    }
    let is_first = parts.len() == 1;
    parts.retain(|part| is_first || !part.trim().is_empty());
    parts
}

fn days_of(
    event: &Event,
    summary: &str,
    zone: Tz,
    complete_until: Option<NaiveDate>,
) -> Result<Vec<NaiveDate>, CalendarFileError> {
    let has = |name: &str| {
        event.property_value(name).is_some() || event.multi_properties().contains_key(name)
    };
    let unreadable = |property, accepted| CalendarFileError::Time {
        summary: summary.to_owned(),
        property,
        accepted,
    };
    let start = || {
        unreadable(
            "DTSTART",
            "a date, or a time in UTC, in a zone of the IANA database, or in none",
        )
    };
    let (first, begins) = placed(event.get_start().ok_or_else(start)?, zone).ok_or_else(start)?;
    // An end is not part of the event: neither the day of a date nor the instant of a time.
    let last = if has("DTEND") {
        let end = || unreadable("DTEND", "as DTSTART");
        let (day, ends) = placed(event.get_end().ok_or_else(end)?, zone).ok_or_else(end)?;
        match ends {
            _ if day == first && ends == begins => Some(first),
            Some(instant) => last_before(instant, zone),
            None => day.pred_opt(),
        }
    } else if let Some(length) = event.property_value("DURATION") {
        let length = whole_days(length)
            .ok_or_else(|| unreadable("DURATION", "whole days or weeks: P2D, P1W"))?;
        match begins {
            Some(instant) => instant
                .checked_add_signed(TimeDelta::days(length.into()))
                .and_then(|end| last_before(end, zone)),
            None => first
                .checked_add_days(Days::new(length.into()))
                .and_then(|day| day.pred_opt()),
        }
    } else {
        Some(first)
    };
    let days = last.map_or(0, |last| (last - first).num_days() + 1);
    if !(1..=LONGEST).contains(&days) {
        let summary = summary.to_owned();
        return Err(CalendarFileError::Length { summary, days });
    }
    let mut firsts = match event.property_value("RRULE") {
        None => vec![first],
        Some(rule) => occurrences(summary, rule, (first, zone), complete_until)?,
    };
    let list = |property| {
        let unreadable = || CalendarFileError::List {
            summary: summary.to_owned(),
            property,
        };
        let days = days_listed(event, property, zone).ok_or_else(unreadable)?;
        match days.len() <= usize::from(MOST) {
            true => Ok(days),
            false => Err(unreadable()),
        }
    };
    firsts.extend(list("RDATE")?);
    let left_out = list("EXDATE")?;
    firsts.retain(|day| !left_out.contains(day));
    let days = usize::try_from(days).unwrap_or(0);
    let each = firsts
        .into_iter()
        .flat_map(|first| first.iter_days().take(days));
    Ok(each.collect())
}

/// The first days of an event that repeats by a rule.
fn occurrences(
    summary: &str,
    rule: &str,
    (first, zone): (NaiveDate, Tz),
    complete_until: Option<NaiveDate>,
) -> Result<Vec<NaiveDate>, CalendarFileError> {
    let refused = || CalendarFileError::Rule {
        summary: summary.to_owned(),
        rule: rule.to_owned(),
    };
    // `rrule` cuts a day's name in bytes and panics inside a letter.
    if !rule.is_ascii() {
        return Err(refused());
    }
    let mut parts = Vec::new();
    let mut ends = false;
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(refused)?;
        let name = name.to_ascii_uppercase();
        ends |= name == "COUNT" || name == "UNTIL";
        // Days alone are followed: the end counts as a day too.
        parts.push(match name.as_str() {
            "UNTIL" => {
                let day = day_of(value, zone, zone).ok_or_else(refused)?;
                format!("UNTIL={}", day.format("%Y%m%dT000000Z"))
            }
            _ => format!("{name}={value}"),
        });
    }
    if !ends && complete_until.is_none() {
        return Err(CalendarFileError::Endless(summary.to_owned()));
    }
    let set = format!(
        "DTSTART:{}\nRRULE:{}",
        first.format("%Y%m%dT000000Z"),
        parts.join(";")
    );
    let mut set: RRuleSet = set.parse().map_err(|_| refused())?;
    if let Some(until) = complete_until {
        let midnight = until.and_time(NaiveTime::MIN).and_utc();
        set = set.before(midnight.with_timezone(&rrule::Tz::UTC));
    }
    let found = set.all(MOST);
    if found.limited {
        return Err(refused());
    }
    Ok(found.dates.iter().map(DateTime::date_naive).collect())
}

/// The days of a property that may stand in a list, and several times; `None` if one of them cannot
/// be read.
fn days_listed(event: &Event, name: &str, zone: Tz) -> Option<Vec<NaiveDate>> {
    let mut days = Vec::new();
    for property in properties(event, name) {
        let of = match property.params().get("TZID") {
            Some(of) => of.value().parse().ok()?,
            None => zone,
        };
        for value in property.value().split(',') {
            days.push(day_of(value, of, zone)?);
        }
    }
    Some(days)
}

/// The date in `zone` of `20260501`, `20260501T120000` (a time in `of`) or `20260501T120000Z`.
fn day_of(value: &str, of: Tz, zone: Tz) -> Option<NaiveDate> {
    let value = value.trim();
    if let Ok(day) = NaiveDate::parse_from_str(value, "%Y%m%d") {
        return Some(day);
    }
    let form = "%Y%m%dT%H%M%S";
    match value.strip_suffix('Z') {
        Some(time) => {
            let time = NaiveDateTime::parse_from_str(time, form).ok()?;
            Some(date_in(zone, time.and_utc()))
        }
        None => {
            let time = NaiveDateTime::parse_from_str(value, form).ok()?;
            Some(date_in(zone, instant_of(time, of)?))
        }
    }
}

/// The date of a start or an end in `zone`, and its instant if it has a time.
fn placed(date: DatePerhapsTime, zone: Tz) -> Option<(NaiveDate, Option<DateTime<Utc>>)> {
    let instant = match date {
        DatePerhapsTime::Date(date) => return Some((date, None)),
        DatePerhapsTime::DateTime(CalendarDateTime::Utc(instant)) => instant,
        DatePerhapsTime::DateTime(CalendarDateTime::Floating(time)) => instant_of(time, zone)?,
        DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid }) => {
            instant_of(date_time, tzid.parse().ok()?)?
        }
    };
    Some((date_in(zone, instant), Some(instant)))
}

/// A local time as an instant. One that the clocks skipped stands for the first one after.
fn instant_of(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&time) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        LocalResult::None => {
            let later = time.checked_add_signed(TimeDelta::hours(1))?;
            zone.from_local_datetime(&later)
                .earliest()
                .map(|at| at.to_utc())
        }
    }
}

fn last_before(end: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
    let last = end.checked_sub_signed(TimeDelta::nanoseconds(1))?;
    Some(date_in(zone, last))
}

/// How many days `P2D` or `P1W` are.
fn whole_days(duration: &str) -> Option<u32> {
    let length = duration.trim().trim_start_matches('+').strip_prefix('P')?;
    match (length.strip_suffix('D'), length.strip_suffix('W')) {
        (Some(days), _) => days.parse().ok(),
        (_, Some(weeks)) => weeks.parse::<u32>().ok()?.checked_mul(7),
        _ => None,
    }
}
