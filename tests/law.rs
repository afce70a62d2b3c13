//! The law floor against the facts: given cases, figures, documentation.

#[path = "law/cases.rs"]
mod cases;
#[path = "law/figures.rs"]
mod figures;
