//! The law a request runs under: regimes, clocks, calendars, grounds, notices.
//!
//! Pure: no I/O, no clock, no async, no randomness. Time comes in as an argument.
//! Knows `model` only; nothing here knows of workflows, ports or engines.
//!
//! The tables say what we read, where, and how well it was checked ([`Verified`]); they
//! are no legal advice. Each carries the day on which it was true ([`Regime::as_of`]).

mod calendar;
mod clock;
mod clock_error;
mod deadline;
mod fact;
mod filter;
mod glossary;
mod grounds;
mod history;
mod holidays;
#[cfg(feature = "icalendar")]
mod icalendar;
mod notices;
mod period;
mod processing;
mod question;
mod readings;
mod regime;
mod regimes;
mod registry;
mod retention;

pub use calendar::{Calendar, UnknownZone, Weekdays};
pub use clock::{Awaiting, Clock, Extension, Pause, PauseBasis, Roll, Start};
pub use clock_error::ClockError;
pub use deadline::{Due, DueOn, Setting, deadline};
pub use fact::{Fact, Text, Verified};
pub use filter::Removed;
pub use glossary::{FRENCH, Term, neutral_right};
pub use grounds::{Ground, GroundError, GroundUse};
pub use history::{ClockEvent, ClockEventKind, ClockHistory};
pub use holidays::{Day, HolidayList, HolidayRule, Holidays, JoinedHolidays, NamedHolidays};
#[cfg(feature = "icalendar")]
pub use icalendar::{
    CalendarEntry, CalendarFileError, EntryKind, read_icalendar, read_icalendar_with,
};
pub use notices::{Content, Item, Letter, LetterError, Notice, Step};
pub use period::Period;
pub use processing::ProcessingRecord;
pub use question::{Question, UnknownQuestion};
pub use readings::{
    HourReading, IdentityReading, PauseReading, Readings, ReceiptReading, UnknownReading,
};
pub use regime::{
    Appeal, InForce, Regime, RegimeDigest, RegimeId, RegimePin, RightRule, RollReading, Topic,
    Words,
};
pub use registry::{Overlay, RegimeError, Regimes};
pub use retention::{
    Meanwhile, Reform, RetentionDuty, RetentionError, RetentionFacts, RetentionStart,
};
