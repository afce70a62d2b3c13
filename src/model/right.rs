//! The rights a person may exercise.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A right of a person over their data. Open: a host may name its own.
///
/// Written as its snake-case name, so that stored requests stay readable.
///
/// ```
/// use datarights::model::Right;
/// assert_eq!(Right::from("erasure"), Right::Erasure);
/// assert_eq!(Right::from("works_council_access").name(), "works_council_access");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Right {
    /// To know what is held and have a copy (GDPR Art. 15).
    Access,
    /// To have wrong data corrected or completed (GDPR Art. 16).
    Rectification,
    /// To have data erased (GDPR Art. 17).
    Erasure,
    /// To receive one's data, or have it sent to another controller (GDPR Art. 20).
    Export,
    /// To have data stored but not otherwise used (GDPR Art. 18).
    Restriction,
    /// To object to processing (GDPR Art. 21).
    Objection,
    /// To withdraw consent (GDPR Art. 7(3)).
    ConsentWithdrawal,
    /// To have an automated decision reviewed by a human (GDPR Art. 22(3)).
    HumanReview,
    /// To opt out of sale, sharing or targeted advertising (e.g. CCPA 1798.120).
    OptOut,
    /// To limit the use of sensitive data (e.g. CCPA 1798.121).
    LimitSensitive,
    /// A right of the host's own, or of a regime we do not ship, in snake case.
    Custom(Cow<'static, str>),
}

impl Right {
    /// The snake-case name, as stored and as used in files.
    pub fn name(&self) -> &str {
        match self {
            Self::Access => "access",
            Self::Rectification => "rectification",
            Self::Erasure => "erasure",
            Self::Export => "export",
            Self::Restriction => "restriction",
            Self::Objection => "objection",
            Self::ConsentWithdrawal => "consent_withdrawal",
            Self::HumanReview => "human_review",
            Self::OptOut => "opt_out",
            Self::LimitSensitive => "limit_sensitive",
            Self::Custom(name) => name,
        }
    }
}

impl From<&str> for Right {
    fn from(name: &str) -> Self {
        match name {
            "access" => Self::Access,
            "rectification" => Self::Rectification,
            "erasure" => Self::Erasure,
            "export" => Self::Export,
            "restriction" => Self::Restriction,
            "objection" => Self::Objection,
            "consent_withdrawal" => Self::ConsentWithdrawal,
            "human_review" => Self::HumanReview,
            "opt_out" => Self::OptOut,
            "limit_sensitive" => Self::LimitSensitive,
            other => Self::Custom(Cow::Owned(other.to_owned())),
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Right {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Right {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(Cow::<str>::deserialize(deserializer)?.as_ref()))
    }
}
