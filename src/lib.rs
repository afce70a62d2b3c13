//! Embeddable data-subject-rights workflows.
//!
//! A person asks *what do you hold about me, correct it, delete it, give it to me*;
//! this crate carries the request from intake to proof.

pub mod adapters;
pub mod engine;
pub mod evidence;
pub mod law;
pub mod model;
#[cfg(feature = "package")]
pub mod package;
pub mod ports;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod workflow;

/// The guides: their code is compiled and run with the tests.
#[cfg(all(doctest, feature = "testkit"))]
#[doc = include_str!("../docs/write-a-source.md")]
mod write_a_source {}
