//! Embeddable data-subject-rights workflows.
//!
//! A person asks *what do you hold about me, correct it, delete it, give it to me*;
//! this crate carries the request from intake to proof.
//!
//! A host puts an [`engine::Engine`] together from its own implementations of the [`ports`], or
//! from [`adapters`] that come with the crate, and gives it the [`law`] and calendar of each
//! controller it serves. Commands write down what was decided; workers do what follows.
//! `README.md` has an erasure on one page, `docs/getting-started.md` goes on from there.
//!
//! # Floors
//! A floor may use those below it, never one above.
//!
//! | floor | what is there |
//! | --- | --- |
//! | `testkit` | conformance suites, fault injection, a settable clock (feature `testkit`) |
//! | [`engine`], [`adapters`] | drives requests to their end; implementations of ports. Neither knows the other |
//! | `package` | the ZIP that a person can open, made of sealed spools (feature `package`) |
//! | [`ports`] | the traits a host implements, each with its contract |
//! | [`evidence`] | what proves that things happened as they are told |
//! | `datamap` | a database described once: whose its rows are, and what becomes of them (feature `datamap`) |
//! | [`workflow`] | pure state machines: the legal course, and the work for each right |
//! | [`law`] | regimes, clocks, calendars, grounds, notices |
//! | [`model`] | the words: parties, identifiers, rights, outcomes, sealed values |
//!
//! `model`, `law` and `workflow` do no I/O, read no clock and know no async: time and settings
//! come in as arguments. Who wants only the state machines can use only them, with
//! [`workflow::receive`], [`workflow::decide`] and [`workflow::Request::fold`].
//!
//! # Words
//! A *request* is what a person makes: one right, one controller, one version of a regime, one
//! person. Its *lifecycle* is its legal course, its *fulfilment* the work for it. A *source* is a
//! place where personal data lives, a *locator* what a source needs to find a person's rows again.
//! What is kept back is *withheld*, with a ground and an end; what a search finds after an erasure
//! is *residue*.
//!
//! Nothing here is legal advice.

pub mod adapters;
#[cfg(feature = "datamap")]
pub mod datamap;
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

#[cfg(all(doctest, feature = "testkit"))]
#[doc = include_str!("../docs/write-a-gateway.md")]
mod write_a_gateway {}

#[cfg(all(doctest, feature = "package", feature = "tokio", feature = "vault"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(
    doctest,
    feature = "package",
    feature = "sqlite",
    feature = "tokio",
    feature = "vault"
))]
#[doc = include_str!("../docs/getting-started.md")]
mod getting_started {}

#[cfg(all(doctest, feature = "sql-sqlite"))]
#[doc = include_str!("../docs/describe-a-database.md")]
mod describe_a_database {}

#[cfg(all(doctest, feature = "testkit"))]
#[doc = include_str!("../docs/testing.md")]
mod testing {}
