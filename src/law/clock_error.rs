//! Why a deadline cannot be computed.

use chrono::{DateTime, NaiveDate, Utc};

use super::deadline::LONGEST_ROLL;
use super::{ClockEventKind, Period, Question, RegimeId, Verified};
use crate::model::Right;

/// Why a deadline cannot be computed. Never a guess instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The regime's clocks do not answer this question for this right.
    #[error(
        "{regime} sets no clock for `{question}` and the right `{right}`; its clocks answer: {known}"
    )]
    NoClock {
        /// Which regime.
        regime: RegimeId,
        /// What was asked.
        question: Question,
        /// For which right.
        right: Right,
        /// The questions that have an answer, separated by commas.
        known: String,
    },
    /// The law sets a standard and no number.
    #[error("{regime} sets no number for `{question}`, only a standard: {standard}")]
    Unnumbered {
        /// Which regime.
        regime: RegimeId,
        /// What was asked.
        question: Question,
        /// The standard in the law's sense.
        standard: String,
    },
    /// The regime does not grant this right.
    #[error("{regime} does not grant the right `{right}`; it grants: {known}")]
    UnknownRight {
        /// Which regime.
        regime: RegimeId,
        /// Which right.
        right: Right,
        /// Those it grants, separated by commas.
        known: String,
    },
    /// What was left out as checked too little is needed to serve this right.
    #[error(
        "under {regime} the right `{right}` needs {missing}, which was checked less well than is taken here ({least} or better)"
    )]
    Unsure {
        /// Which regime.
        regime: RegimeId,
        /// For which right.
        right: Right,
        /// What was left out first.
        missing: String,
        /// How well what is taken was checked at least.
        least: Verified,
    },
    /// Right or clock start later than the request.
    #[error(
        "under {regime} this holds for requests from {from} on; this one was received on {received}"
    )]
    NotYet {
        /// Which regime.
        regime: RegimeId,
        /// From when on.
        from: NaiveDate,
        /// When the request was received, on the controller's calendar.
        received: NaiveDate,
    },
    /// This version of the regime is not in force on the day of receipt.
    #[error(
        "version {version} of {regime} was not in force on {received}; take the version that `Regimes::in_force` gives for that day"
    )]
    NotInForce {
        /// Which regime.
        regime: RegimeId,
        /// Which version.
        version: String,
        /// When the request was received, on the controller's calendar.
        received: NaiveDate,
    },
    /// There is no extension to ask about.
    #[error("{regime} knows no extension here")]
    NoExtension {
        /// Which regime.
        regime: RegimeId,
    },
    /// The extension was announced too late and has no effect.
    #[error(
        "the extension announced at {at} came too late: it had to be announced before {cutoff}"
    )]
    ExtensionVoid {
        /// When it was announced.
        at: DateTime<Utc>,
        /// The first instant that was too late.
        cutoff: DateTime<Utc>,
    },
    /// The law allows fewer extensions than were announced.
    #[error("{regime} allows {allowed} extension(s); another one was announced at {at}")]
    ExtendedTooOften {
        /// Which regime.
        regime: RegimeId,
        /// How many it allows.
        allowed: u32,
        /// When the one too many was announced.
        at: DateTime<Utc>,
    },
    /// The law sets no length for the extension and the notice named no date.
    #[error(
        "{regime} sets no length for an extension; the event must carry the date that the notice promised (`until`)"
    )]
    ExtensionWithoutDate {
        /// Which regime.
        regime: RegimeId,
    },
    /// The law leaves the length of the extension to the notice, and the date it names gives
    /// no more time.
    #[error("the extension names {until}; accepted: a date from {earliest} on")]
    ExtensionShortens {
        /// The date that the notice promised.
        until: NaiveDate,
        /// The first day that would have been accepted.
        earliest: NaiveDate,
    },
    /// The law sets the length of the extension, and the notice names a date of its own.
    #[error("{regime} sets the length of an extension ({by}); accepted: no date of one's own")]
    ExtensionLengthFixed {
        /// Which regime.
        regime: RegimeId,
        /// By how much it extends.
        by: Period,
    },
    /// The clock starts with an event that has not happened.
    #[error("this clock starts with `{0:?}`, which is not in the history")]
    NotStarted(ClockEventKind),
    /// Something happened to the request before it was received.
    #[error(
        "the event `{kind:?}` at {at} lies before the receipt of the request; accepted: from its receipt on"
    )]
    OutOfOrder {
        /// What.
        kind: ClockEventKind,
        /// When.
        at: DateTime<Utc>,
    },
    /// The person did not accept the announced fee in time: the request is withdrawn.
    #[error("the fee announced was not accepted by {by}: the request counts as withdrawn")]
    Withdrawn {
        /// Until when it could be accepted.
        by: NaiveDate,
    },
    /// A reading that the regime does not know.
    #[error("{regime} knows no reading `roll={found}`; accepted: none{known}")]
    UnknownRoll {
        /// Which regime.
        regime: RegimeId,
        /// What was asked for.
        found: String,
        /// What it knows, each after a comma.
        known: String,
    },
    /// The calendar says that nobody works for a year.
    #[error("the holiday calendar has no working day within {LONGEST_ROLL} days of {0}")]
    NoWorkingDay(NaiveDate),
    /// A date beyond the calendar's range.
    #[error("a date lies beyond the range of the calendar")]
    OutOfRange,
}

impl ClockError {
    /// Whether the law simply has no such date: no clock for the question, no number, or
    /// no extension. Everything else is a fault of the question or of the history.
    pub const fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::NoClock { .. } | Self::Unnumbered { .. } | Self::NoExtension { .. }
        )
    }
}
