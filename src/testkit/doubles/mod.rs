//! Simple stand-ins for the people and companies at the other end: they do what they should,
//! and remember it.

mod codes;
mod outbox;
mod recipient;

pub use codes::Codes;
pub use outbox::{Letter, Outbox};
pub use recipient::{Received, Recipient};
