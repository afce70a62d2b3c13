//! A clock as data: what it asks, how long, from when, and how its last day is found.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{ClockEventKind, Period, Question, Text, Verified, Weekdays};
use crate::model::Right;

/// Over which days the last day of a period moves forward.
///
/// The rolled date is the first later day on which the period may end: under most laws
/// the next day that is not itself such a day, under others the next business day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Roll {
    /// A last day on one of these moves.
    pub weekdays: Weekdays,
    /// A last day on a holiday moves.
    pub holidays: bool,
    /// Once it moves, it moves to a business day.
    pub to_business_day: bool,
}

impl Roll {
    /// It stays where it falls.
    pub const NONE: Self = Self {
        weekdays: Weekdays::NONE,
        holidays: false,
        to_business_day: false,
    };
    /// Saturday, Sunday and holidays (Reg. 1182/71 Art. 3(4); BGB 193; Korea).
    pub const WEEKEND_AND_HOLIDAYS: Self = Self {
        weekdays: Weekdays::SATURDAY_SUNDAY,
        holidays: true,
        to_business_day: false,
    };
    /// Sunday and holidays (South Africa; California's and Canada's codes; Singapore).
    pub const SUNDAY_AND_HOLIDAYS: Self = Self {
        weekdays: Weekdays::SUNDAY,
        holidays: true,
        to_business_day: false,
    };
    /// Holidays only, to the next business day (Brazil's Civil Code 132).
    pub const HOLIDAYS: Self = Self {
        weekdays: Weekdays::NONE,
        holidays: true,
        to_business_day: true,
    };
    /// Any day that is no business day.
    pub const BUSINESS_DAY: Self = Self {
        weekdays: Weekdays::SATURDAY_SUNDAY,
        holidays: true,
        to_business_day: true,
    };
}

/// From when a clock runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Start {
    /// From receipt.
    #[default]
    Receipt,
    /// From the latest of receipt, of the identity information that was asked for and of
    /// the fee that was charged (UK GDPR 12A(2)).
    RelevantTime,
    /// The same, but counting from the beginning of the next day, whose own number is the
    /// one sought (UK DPA 2018 s. 54 as the ICO counts it).
    DayAfterRelevantTime,
    /// From receipt; once a fee was announced, from the end of the days that the person
    /// has to accept it, even if they accept earlier (Swiss DPO 19).
    FeeReflectionEnd {
        /// How many days they have.
        days: u32,
    },
    /// From that event; without it the clock has not started.
    Event(ClockEventKind),
}

/// How a period may be made longer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Extension {
    /// By how much. [`Period::Unnumbered`]: until the date that the notice names.
    pub by: Period,
    /// How often.
    #[serde(default = "once")]
    pub times: u32,
    /// Until when it must have been announced, from the start of the period; without it,
    /// while the period itself runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_within: Option<Period>,
    /// Whether the notice period runs from the date the request bears, not from its receipt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice_from_request_date: bool,
    /// On which grounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Text>,
    /// What the notice says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notice_contains: Vec<Text>,
    /// Where the law says so.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

const fn once() -> u32 {
    1
}

impl Extension {
    /// An extension by that much, once, announced while the period runs.
    pub fn by(by: Period, article: impl Into<Text>, verified: Verified) -> Self {
        Self {
            by,
            times: 1,
            notice_within: None,
            notice_from_request_date: false,
            grounds: Vec::new(),
            notice_contains: Vec::new(),
            article: article.into(),
            verified,
        }
    }

    pub(crate) fn grounds(mut self, grounds: &[&'static str]) -> Self {
        self.grounds = grounds.iter().map(|text| Text::Borrowed(text)).collect();
        self
    }

    pub(crate) fn says(mut self, contents: &[&'static str]) -> Self {
        self.notice_contains = contents.iter().map(|text| Text::Borrowed(text)).collect();
        self
    }

    pub(crate) fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// One clock of a regime.
///
/// ```
/// use datarights::law::{Clock, Extension, Period, Question, Verified};
/// let clock = Clock::new(Question::Response, Period::Days(45), "59.1-577(B)", Verified::Primary)
///     .extended(Extension::by(Period::Days(45), "59.1-577(B)", Verified::Primary));
/// assert_eq!(clock.period, Period::Days(45));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Clock {
    /// What it answers.
    pub question: Question,
    /// How long.
    pub period: Period,
    /// From when.
    #[serde(default)]
    pub start: Start,
    /// For which rights; empty: for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Right>,
    /// Only when this was stated of the controller or the data ([`Readings::circumstances`](super::Readings::circumstances)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Text>,
    /// Only for requests received from this day on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// Over which days its last day moves.
    #[serde(default)]
    pub roll: Roll,
    /// Whether it stands still during the regime's pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pausable: bool,
    /// Whether it is counted back from `received`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backwards: bool,
    /// Whether the law can be read to count the day of receipt as day one
    /// ([`ReceiptReading`](super::ReceiptReading)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipt_may_count: bool,
    /// Never later than this long after receipt, whatever it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Period>,
    /// How it can be extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// The standard the law sets, besides or instead of a number.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub standard: Text,
    /// Where the law says so.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl Clock {
    /// A clock from receipt, for every right, without roll or extension.
    pub fn new(
        question: Question,
        period: Period,
        article: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            question,
            period,
            start: Start::Receipt,
            rights: Vec::new(),
            when: None,
            from: None,
            roll: Roll::NONE,
            pausable: false,
            backwards: false,
            receipt_may_count: false,
            at_most: None,
            extension: None,
            standard: Text::Borrowed(""),
            article: article.into(),
            verified,
        }
    }

    /// The same, from another start.
    #[must_use]
    pub fn starting(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The same, for these rights only.
    #[must_use]
    pub fn only_for(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.rights = rights.into_iter().collect();
        self
    }

    /// The same, only in that circumstance.
    #[must_use]
    pub fn when(mut self, circumstance: impl Into<Text>) -> Self {
        self.when = Some(circumstance.into());
        self
    }

    /// The same, only for requests received from that day on.
    #[must_use]
    pub fn from(mut self, day: Option<NaiveDate>) -> Self {
        self.from = day;
        self
    }

    /// The same, with a last day that moves.
    #[must_use]
    pub fn rolling(mut self, roll: Roll) -> Self {
        self.roll = roll;
        self
    }

    /// The same, standing still during the regime's pauses.
    #[must_use]
    pub fn pausable(mut self) -> Self {
        self.pausable = true;
        self
    }

    /// The same, counted back.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// The same, with a day of receipt that may count.
    #[must_use]
    pub fn receipt_may_count(mut self) -> Self {
        self.receipt_may_count = true;
        self
    }

    /// The same, ending at the latest that long after receipt.
    #[must_use]
    pub fn at_most(mut self, period: Period) -> Self {
        self.at_most = Some(period);
        self
    }

    /// The same, with an extension.
    #[must_use]
    pub fn extended(mut self, extension: Extension) -> Self {
        self.extension = Some(extension);
        self
    }

    /// The same, with the words of its standard.
    #[must_use]
    pub fn standard(mut self, standard: impl Into<Text>) -> Self {
        self.standard = standard.into();
        self
    }
}

/// What a clock waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Awaiting {
    /// Information that identifies the person.
    Identity,
    /// What exactly the person wants.
    Clarification,
    /// A fee, or its acceptance.
    Fee,
    /// The end of a suspicion of fraud.
    Fraud,
}

impl Awaiting {
    /// The event that asks for it and the event that brings it.
    pub const fn events(self) -> (ClockEventKind, Option<ClockEventKind>) {
        match self {
            Self::Identity => (
                ClockEventKind::IdentityRequested,
                Some(ClockEventKind::IdentityConfirmed),
            ),
            Self::Clarification => (
                ClockEventKind::ClarificationRequested,
                Some(ClockEventKind::ClarificationReceived),
            ),
            Self::Fee => (ClockEventKind::FeeRequested, Some(ClockEventKind::FeePaid)),
            Self::Fraud => (
                ClockEventKind::FraudSuspected,
                Some(ClockEventKind::IdentityConfirmed),
            ),
        }
    }
}

/// On what authority a pause rests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PauseBasis {
    /// The statute itself.
    Statute,
    /// A reading that the controller must choose (`eu_identity`).
    Reading,
}

/// When a regime's clocks stand still.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pause {
    /// While waiting for what.
    pub awaiting: Awaiting,
    /// For which rights; empty: for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Right>,
    /// On what authority.
    pub basis: PauseBasis,
    /// What it says, in our words.
    #[serde(default)]
    pub rule: Text,
    /// Where.
    #[serde(default)]
    pub article: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl Pause {
    /// A pause for every right.
    pub fn new(
        awaiting: Awaiting,
        basis: PauseBasis,
        rule: impl Into<Text>,
        article: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            awaiting,
            rights: Vec::new(),
            basis,
            rule: rule.into(),
            article: article.into(),
            verified,
        }
    }

    /// The same, for these rights only.
    #[must_use]
    pub fn only_for(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.rights = rights.into_iter().collect();
        self
    }
}
