//! How a request moves: pure state machines, decided by commands, moved by events.
//!
//! No I/O, no clock, no async, no randomness: time, policy and law come in with the [`Context`].
//! May use `model` and `law`.
//!
//! Two machines are stacked. The [`lifecycle`] is the legal course of every request; a
//! [`fulfilment`] is the work for one right. [`decide`] answers a command with a [`Decision`]
//! (events, effects, timers) or a [`Rejection`]; [`Request::apply`] moves the state by an event,
//! total and without asking anybody.

pub(crate) mod clock;
mod decision;
mod draft;
mod effect;
mod event;
pub mod fulfilment;
mod letters;
pub mod lifecycle;
mod owed;
mod policy;
mod rejection;
mod request;
mod table;

pub use clock::Clock;
pub use decision::{Command, Delivery, Intake, decide, receive, resume};
pub use draft::{Context, Decision, Landscape};
pub use effect::{Effect, EffectKey, Letter, Locks, Target, Task, Timer, TimerChange};
pub use event::{
    Cause, CodecError, Encoded, Envelope, Event, Finding, MAX_EVENT, PartRef, Received, SCHEMA,
    SourceInfo, StepResult, chain,
};
pub use owed::{Owed, owed};
pub use policy::{Approval, Policy, Review};
pub use rejection::Rejection;
pub use request::{Facts, FoldError, Request};
pub use table::{Table, Transition};
