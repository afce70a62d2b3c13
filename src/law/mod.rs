//! The law a request runs under: regimes, clocks, calendars, grounds, notices.
//!
//! Pure: no I/O, no clock, no async, no randomness. Time comes in as an argument.
//! Knows `model` only; nothing here knows of workflows, ports or engines.
