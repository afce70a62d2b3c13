//! The law floor against the facts: given cases, figures, documentation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may")]

#[path = "law/cases.rs"]
mod cases;
#[path = "law/docs.rs"]
mod docs;
#[path = "law/extensions.rs"]
mod extensions;
#[path = "law/figures.rs"]
mod figures;
#[path = "law/filter.rs"]
mod filter;
#[path = "law/holidays.rs"]
mod holidays;
#[path = "law/input.rs"]
mod input;
#[path = "law/pieces.rs"]
mod pieces;
#[path = "law/rolls.rs"]
mod rolls;
#[path = "law/sets.rs"]
mod sets;
#[path = "law/starts.rs"]
mod starts;
