//! Lengths of time as laws state them.

use std::fmt;

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A length of time as a law states it: thirty days are not a month.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "unit", content = "value")]
#[non_exhaustive]
pub enum Period {
    /// Elapsed hours, counted from the instant. Never rolled over a weekend.
    Hours(u32),
    /// Calendar days.
    Days(u32),
    /// Days on which the controller's calendar says that people work.
    BusinessDays(u32),
    /// Weeks.
    Weeks(u32),
    /// Calendar months: the same number in a later month, or that month's last day.
    Months(u32),
    /// Calendar years: the same date, or 28 February.
    Years(u32),
    /// On the same day.
    AtOnce,
    /// The law sets a standard ("without delay") and no number.
    Unnumbered,
}

impl Period {
    /// This period and `times` another of the same unit: an extension counts from the
    /// original start, so that one month and two are three months.
    ///
    /// `None` when the units differ or the sum cannot be written.
    pub fn plus(self, other: Self, times: u32) -> Option<Self> {
        let sum = |a: u32, b: u32| b.checked_mul(times)?.checked_add(a);
        match (self, other) {
            (Self::Hours(a), Self::Hours(b)) => sum(a, b).map(Self::Hours),
            (Self::Days(a), Self::Days(b)) => sum(a, b).map(Self::Days),
            (Self::BusinessDays(a), Self::BusinessDays(b)) => sum(a, b).map(Self::BusinessDays),
            (Self::Weeks(a), Self::Weeks(b)) => sum(a, b).map(Self::Weeks),
            (Self::Months(a), Self::Months(b)) => sum(a, b).map(Self::Months),
            (Self::Years(a), Self::Years(b)) => sum(a, b).map(Self::Years),
            _ => None,
        }
    }

    /// The last day of this period when `start` itself is not counted.
    ///
    /// `None` for hours, business days and unnumbered periods, which need more than a
    /// date, and beyond the calendar's range.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use datarights::law::Period;
    /// let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d);
    /// assert_eq!(Period::Months(1).after(day(2026, 1, 31).unwrap()), day(2026, 2, 28));
    /// assert_eq!(Period::Months(1).after(day(2028, 2, 29).unwrap()), day(2028, 3, 29));
    /// assert_eq!(Period::Days(30).after(day(2026, 1, 31).unwrap()), day(2026, 3, 2));
    /// ```
    pub fn after(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days(n) => start.checked_add_days(Days::new(n.into())),
            Self::Weeks(n) => start.checked_add_days(Days::new(u64::from(n) * 7)),
            Self::Months(n) => start.checked_add_months(Months::new(n)),
            Self::Years(n) => start.checked_add_months(Months::new(n.checked_mul(12)?)),
            Self::AtOnce => Some(start),
            Self::Hours(_) | Self::BusinessDays(_) | Self::Unnumbered => None,
        }
    }

    /// The first day of this period when it is counted back from `end`. Such a period is
    /// never rolled (Reg. 1182/71 Art. 3(4)).
    pub fn before(self, end: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days(n) => end.checked_sub_days(Days::new(n.into())),
            Self::Weeks(n) => end.checked_sub_days(Days::new(u64::from(n) * 7)),
            Self::Months(n) => end.checked_sub_months(Months::new(n)),
            Self::Years(n) => end.checked_sub_months(Months::new(n.checked_mul(12)?)),
            Self::AtOnce => Some(end),
            Self::Hours(_) | Self::BusinessDays(_) | Self::Unnumbered => None,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, unit) = match *self {
            Self::Hours(n) => (n, "hour"),
            Self::Days(n) => (n, "day"),
            Self::BusinessDays(n) => (n, "business day"),
            Self::Weeks(n) => (n, "week"),
            Self::Months(n) => (n, "month"),
            Self::Years(n) => (n, "year"),
            Self::AtOnce => return f.write_str("at once"),
            Self::Unnumbered => return f.write_str("no number"),
        };
        write!(f, "{n} {unit}{}", if n == 1 { "" } else { "s" })
    }
}
