//! What a person asks for, as it comes in.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Right;
use super::record::Correction;

/// How a request came in.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channel {
    /// A form of the host's.
    Form,
    /// A mail.
    Mail,
    /// A letter.
    Letter,
    /// A phone call.
    Phone,
    /// A support ticket.
    Ticket,
    /// Another controller's or an agent's interface.
    Api,
    /// In person.
    InPerson,
    /// A channel of the host's own.
    Custom(Cow<'static, str>),
}

/// One wish of an intake: a right, and what it needs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Wish {
    /// The right.
    pub right: Right,
    /// What should be corrected (rectification only).
    pub corrections: Vec<Correction>,
}

impl Wish {
    /// A right that needs nothing more to be said.
    pub const fn of(right: Right) -> Self {
        Self {
            right,
            corrections: Vec::new(),
        }
    }

    /// A rectification of these fields.
    pub const fn rectify(corrections: Vec<Correction>) -> Self {
        Self {
            right: Right::Rectification,
            corrections,
        }
    }
}
