//! The words: parties, identifiers, categories, rights, requests, outcomes, sealed values.
//!
//! Types with serde and nothing else: no I/O, no clock, no rules of any law.
//! May use nothing else of this crate.

mod right;

pub use right::Right;
