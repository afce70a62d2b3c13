//! What kind of data it is, what it is used for, and on which legal basis.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A category of personal data. Open: a host may name its own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Category {
    /// Name, birth date, official numbers.
    Identity,
    /// Addresses, phone numbers, mail addresses.
    Contact,
    /// Accounts, settings, roles.
    Account,
    /// Passwords, tokens, keys: never handed over, only named.
    Credentials,
    /// Messages, tickets, comments and their attachments.
    Correspondence,
    /// Orders, contracts, subscriptions.
    Contract,
    /// Invoices, payments, bank details.
    Financial,
    /// Logs of use, visits, connections.
    Usage,
    /// Devices, IP addresses, cookies.
    Device,
    /// Where somebody was.
    Location,
    /// Work, training, evaluations.
    Employment,
    /// What was concluded about a person.
    Inferred,
    /// Health data (special category, GDPR Art. 9).
    Health,
    /// Biometric data (special category, GDPR Art. 9).
    Biometric,
    /// Another special category of GDPR Art. 9(1), by name.
    Special(Cow<'static, str>),
    /// Criminal convictions and offences (GDPR Art. 10).
    Criminal,
    /// A category of the host's own.
    Custom(Cow<'static, str>),
}

impl Category {
    /// Whether GDPR Art. 9 protects it specially.
    pub const fn is_special(&self) -> bool {
        matches!(self, Self::Health | Self::Biometric | Self::Special(_))
    }
}

/// What data is used for, in the host's words.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purpose(pub Cow<'static, str>);

/// Why processing is lawful (GDPR Art. 6(1)). Open for other laws' bases.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LegalBasis {
    /// Art. 6(1)(a).
    Consent,
    /// Art. 6(1)(b).
    Contract,
    /// Art. 6(1)(c).
    LegalObligation,
    /// Art. 6(1)(d).
    VitalInterests,
    /// Art. 6(1)(e).
    PublicTask,
    /// Art. 6(1)(f).
    LegitimateInterests,
    /// A basis of another law.
    Custom(Cow<'static, str>),
}
