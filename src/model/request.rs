//! What a person asks for, as it comes in.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::record::Correction;
use super::{Purpose, Right};

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

/// A use of a person's data that can be made to end while the data stays.
///
/// ```
/// use datarights::model::{Purpose, Use};
/// let newsletter = Use::Purpose(Purpose("newsletter".into()));
/// assert_ne!(newsletter, Use::DirectMarketing);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Use {
    /// Direct marketing, and profiling for it (GDPR Art. 21(2)).
    DirectMarketing,
    /// Whatever rests on the person's consent (GDPR Art. 7(3)).
    Consent,
    /// Sale, sharing and targeted advertising (e.g. CCPA 1798.120).
    SaleOrSharing,
    /// Sensitive data, beyond what the person asked for needs (e.g. CCPA 1798.121).
    SensitiveBeyondNeeds,
    /// One purpose, by the host's name for it (`a-z A-Z 0-9 . _ -`): never a text of a person's.
    Purpose(Purpose),
}

/// One wish of an intake: a right, and what it needs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Wish {
    /// The right.
    pub right: Right,
    /// What should be corrected (rectification only).
    pub corrections: Vec<Correction>,
    /// Which uses should end (objection, consent withdrawal, opt-out, limiting sensitive data).
    /// Without any, those that the right is about; an objection must name them.
    pub uses: Vec<Use>,
}

impl Wish {
    /// A right that needs nothing more to be said.
    pub const fn of(right: Right) -> Self {
        Self {
            right,
            corrections: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// The end of these uses, by one of the rights that can end them: an objection, a withdrawal
    /// of consent, an opt-out, a limit on sensitive data.
    ///
    /// A withdrawal of consent is carried out at once: name only purposes that rest on consent.
    /// Which those are, the host alone knows; for others there is the objection.
    pub const fn stop(right: Right, uses: Vec<Use>) -> Self {
        Self {
            right,
            corrections: Vec::new(),
            uses,
        }
    }

    /// A rectification of these fields.
    pub const fn rectify(corrections: Vec<Correction>) -> Self {
        Self {
            right: Right::Rectification,
            corrections,
            uses: Vec::new(),
        }
    }
}
