//! The law floor against the facts: given cases, figures, documentation.

#[path = "law/cases.rs"]
mod cases;
#[path = "law/docs.rs"]
mod docs;
#[path = "law/figures.rs"]
mod figures;
#[path = "law/input.rs"]
mod input;
