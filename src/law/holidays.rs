//! Days off, as the host knows them: a list, a rule, or several calendars together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;

/// What a calendar says of one date.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Day {
    /// Nothing special: the weekday decides.
    Ordinary,
    /// A public holiday.
    Holiday,
    /// A working day although the weekday says otherwise (China's working weekends).
    Working,
}

/// Public holidays of the place where a controller is established. They are regional
/// and change by decree, so the host supplies them.
///
/// # A correct implementation
/// - answers [`day`](Self::day) from memory, the same for the same date, without panicking;
/// - answers [`Day::Ordinary`] for dates that it does not know;
/// - says with [`known_until`](Self::known_until) up to which date it knows: a deadline
///   that needs a later one is marked provisional.
pub trait Holidays: Send + Sync {
    /// What is known of `date`.
    fn day(&self, date: NaiveDate) -> Day;

    /// The last date this calendar knows; `None` if it knows every date.
    fn known_until(&self) -> Option<NaiveDate>;
}

/// Holidays and working weekends one by one.
///
/// ```
/// use chrono::NaiveDate;
/// use datarights::law::{Day, HolidayList, Holidays};
/// let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
/// let list = HolidayList::new([day(5, 1)]).with_working([day(5, 9)]).complete_until(day(12, 31));
/// assert_eq!(list.day(day(5, 1)), Day::Holiday);
/// assert_eq!(list.day(day(5, 9)), Day::Working);
/// assert_eq!(list.day(day(5, 2)), Day::Ordinary);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct HolidayList {
    holidays: Vec<NaiveDate>,
    working: Vec<NaiveDate>,
    until: Option<NaiveDate>,
}

impl HolidayList {
    /// These holidays, complete for ever: see [`complete_until`](Self::complete_until).
    pub fn new(holidays: impl IntoIterator<Item = NaiveDate>) -> Self {
        Self {
            holidays: sorted(holidays),
            ..Self::default()
        }
    }

    /// The same, with days that are worked although their weekday is off.
    #[must_use]
    pub fn with_working(mut self, days: impl IntoIterator<Item = NaiveDate>) -> Self {
        self.working = sorted(days);
        self
    }

    /// The same, complete up to and including `date` only.
    #[must_use]
    pub fn complete_until(mut self, date: NaiveDate) -> Self {
        self.until = Some(date);
        self
    }
}

fn sorted(days: impl IntoIterator<Item = NaiveDate>) -> Vec<NaiveDate> {
    let mut days: Vec<_> = days.into_iter().collect();
    days.sort_unstable();
    days.dedup();
    days
}

impl Holidays for HolidayList {
    fn day(&self, date: NaiveDate) -> Day {
        // A working day wins: the decree that swaps two days lists both.
        if self.working.binary_search(&date).is_ok() {
            Day::Working
        } else if self.holidays.binary_search(&date).is_ok() {
            Day::Holiday
        } else {
            Day::Ordinary
        }
    }

    fn known_until(&self) -> Option<NaiveDate> {
        self.until
    }
}

/// Holidays by a rule: a function that knows every year.
///
/// ```
/// use chrono::{Datelike, NaiveDate};
/// use datarights::law::{Day, HolidayRule, Holidays};
/// let new_year = HolidayRule::new(|date| date.ordinal() == 1);
/// assert_eq!(new_year.day(NaiveDate::from_ymd_opt(2031, 1, 1).unwrap()), Day::Holiday);
/// ```
pub struct HolidayRule<F>(F);

impl<F: Fn(NaiveDate) -> bool + Send + Sync> HolidayRule<F> {
    /// A day is a holiday when `rule` says so.
    pub fn new(rule: F) -> Self {
        Self(rule)
    }
}

impl<F> fmt::Debug for HolidayRule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolidayRule").finish_non_exhaustive()
    }
}

impl<F: Fn(NaiveDate) -> bool + Send + Sync> Holidays for HolidayRule<F> {
    fn day(&self, date: NaiveDate) -> Day {
        if (self.0)(date) {
            Day::Holiday
        } else {
            Day::Ordinary
        }
    }

    fn known_until(&self) -> Option<NaiveDate> {
        None
    }
}

/// Several calendars as one: national and regional days, or a rule and its exceptions.
///
/// The first calendar that knows something special of a date decides; the whole is known
/// as far as the shortest of them.
#[derive(Clone, Default)]
pub struct JoinedHolidays(Vec<Arc<dyn Holidays>>);

impl JoinedHolidays {
    /// These calendars, the more particular ones first.
    pub fn new(calendars: impl IntoIterator<Item = Arc<dyn Holidays>>) -> Self {
        Self(calendars.into_iter().collect())
    }
}

impl fmt::Debug for JoinedHolidays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinedHolidays({} calendars)", self.0.len())
    }
}

impl Holidays for JoinedHolidays {
    fn day(&self, date: NaiveDate) -> Day {
        self.0
            .iter()
            .map(|calendar| calendar.day(date))
            .find(|day| *day != Day::Ordinary)
            .unwrap_or(Day::Ordinary)
    }

    fn known_until(&self) -> Option<NaiveDate> {
        self.0.iter().filter_map(|c| c.known_until()).min()
    }
}

/// Holidays with their names, for screens that show why a date moved.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NamedHolidays {
    days: BTreeMap<NaiveDate, String>,
    working: BTreeMap<NaiveDate, String>,
    until: Option<NaiveDate>,
}

impl NamedHolidays {
    /// These days, complete up to and including `until`; `None` for ever.
    pub fn new(
        days: impl IntoIterator<Item = (NaiveDate, String)>,
        until: Option<NaiveDate>,
    ) -> Self {
        Self {
            days: days.into_iter().collect(),
            working: BTreeMap::new(),
            until,
        }
    }

    /// The same, with days that are worked although their weekday is off.
    #[must_use]
    pub fn with_working(mut self, days: impl IntoIterator<Item = (NaiveDate, String)>) -> Self {
        self.working.extend(days);
        self
    }

    /// The name of the holiday on `date`, or of the day that is worked.
    pub fn name(&self, date: NaiveDate) -> Option<&str> {
        let name = self.working.get(&date).or_else(|| self.days.get(&date));
        name.map(String::as_str)
    }

    /// Every holiday, in order.
    pub fn iter(&self) -> impl Iterator<Item = (NaiveDate, &str)> {
        self.days.iter().map(|(date, name)| (*date, name.as_str()))
    }
}

impl Holidays for NamedHolidays {
    fn day(&self, date: NaiveDate) -> Day {
        if self.working.contains_key(&date) {
            Day::Working
        } else if self.days.contains_key(&date) {
            Day::Holiday
        } else {
            Day::Ordinary
        }
    }

    fn known_until(&self) -> Option<NaiveDate> {
        self.until
    }
}
