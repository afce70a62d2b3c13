//! The controller's calendar: its time zone, its weekend, its holidays.

use std::fmt;
use std::sync::Arc;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone,
    Utc, Weekday,
};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

use super::{Day, HolidayList, Holidays};

/// A set of weekdays.
///
/// ```
/// use chrono::Weekday;
/// use datarights::law::Weekdays;
/// let weekend = Weekdays::of([Weekday::Fri, Weekday::Sat]);
/// assert!(weekend.has(Weekday::Fri) && !weekend.has(Weekday::Sun));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Weekday>", into = "Vec<Weekday>")]
pub struct Weekdays(u8);

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

impl Weekdays {
    /// No day.
    pub const NONE: Self = Self(0);
    /// Saturday and Sunday.
    pub const SATURDAY_SUNDAY: Self = Self(0b110_0000);
    /// Sunday.
    pub const SUNDAY: Self = Self(0b100_0000);

    /// These days.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Self {
        Self(
            days.into_iter()
                .fold(0, |bits, day| bits | 1 << day.num_days_from_monday()),
        )
    }

    /// Whether `day` is one of them.
    pub const fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }
}

impl From<Vec<Weekday>> for Weekdays {
    fn from(days: Vec<Weekday>) -> Self {
        Self::of(days)
    }
}

impl From<Weekdays> for Vec<Weekday> {
    fn from(days: Weekdays) -> Self {
        WEEK.into_iter().filter(|day| days.has(*day)).collect()
    }
}

/// A name that the time-zone database does not know.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no time zone is called `{0}`; give an IANA name such as `Europe/Paris`")]
pub struct UnknownZone(pub String);

/// On what calendar a controller counts: its time zone, its weekend and its holidays.
///
/// ```
/// use datarights::law::Calendar;
/// let paris = Calendar::in_zone("Europe/Paris")?;
/// assert!(Calendar::in_zone("Europe/Atlantis").is_err());
/// # Ok::<(), datarights::law::UnknownZone>(())
/// ```
#[derive(Clone)]
pub struct Calendar {
    zone: Tz,
    weekend: Weekdays,
    holidays: Arc<dyn Holidays>,
}

impl Calendar {
    /// Saturday and Sunday off, no holidays.
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            weekend: Weekdays::SATURDAY_SUNDAY,
            holidays: Arc::new(HolidayList::default()),
        }
    }

    /// The same, for the zone of that IANA name.
    ///
    /// # Errors
    /// [`UnknownZone`] if the time-zone database has no such zone.
    pub fn in_zone(name: &str) -> Result<Self, UnknownZone> {
        name.parse()
            .map(Self::new)
            .map_err(|_| UnknownZone(name.to_owned()))
    }

    /// The same with another weekend. It decides what a business day is; over which
    /// weekdays a deadline rolls is the law's own rule.
    #[must_use]
    pub fn with_weekend(mut self, weekend: Weekdays) -> Self {
        self.weekend = weekend;
        self
    }

    /// The same with holidays.
    #[must_use]
    pub fn with_holidays(mut self, holidays: impl Holidays + 'static) -> Self {
        self.holidays = Arc::new(holidays);
        self
    }

    /// The time zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The weekend.
    pub fn weekend(&self) -> Weekdays {
        self.weekend
    }

    /// The last date whose holidays are known; `None` if all are.
    pub fn known_until(&self) -> Option<NaiveDate> {
        self.holidays.known_until()
    }

    /// What the holidays say of `date`.
    pub fn day(&self, date: NaiveDate) -> Day {
        self.holidays.day(date)
    }

    /// Whether people work on `date`.
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        match self.holidays.day(date) {
            Day::Working => true,
            Day::Holiday => false,
            Day::Ordinary => !self.weekend.has(date.weekday()),
        }
    }

    /// The date at this place at that instant; within a day of the ends of time, where a place may
    /// have none, that of UTC.
    pub fn date_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        date_in(self.zone, instant)
    }

    /// The first instant after the end of `date` at this place.
    ///
    /// Usually the next midnight. Where that midnight does not exist it is the moment at
    /// which the clocks jump; where clocks are set back across midnight it is the second
    /// midnight, because until then the date still is, or is again, `date`.
    ///
    /// `None` beyond the calendar's range.
    pub fn end_of(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let midnight = date
            .checked_add_days(Days::new(1))?
            .and_time(NaiveTime::MIN);
        let instant = match self.zone.from_local_datetime(&midnight) {
            MappedLocalTime::Single(instant) => instant.to_utc(),
            MappedLocalTime::Ambiguous(first, second) => {
                let just_before = second.to_utc() - TimeDelta::nanoseconds(1);
                if self.date_of(just_before) <= date {
                    second.to_utc()
                } else {
                    first.to_utc()
                }
            }
            MappedLocalTime::None => GapInfo::new(&midnight, &self.zone)?.end?.to_utc(),
        };
        Some(instant)
    }
}

/// As [`Calendar::date_of`].
pub(super) fn date_in(zone: Tz, instant: DateTime<Utc>) -> NaiveDate {
    let universal = instant.naive_utc();
    let offset = zone.offset_from_utc_datetime(&universal).fix();
    let local = universal.checked_add_offset(offset);
    local.unwrap_or(universal).date()
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("zone", &self.zone)
            .field("weekend", &self.weekend)
            .field("known_until", &self.known_until())
            .finish_non_exhaustive()
    }
}
