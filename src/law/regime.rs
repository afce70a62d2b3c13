//! A regime: one privacy law as data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Clock, Fact, Ground, GroundUse, Notice, Pause, Removed, Roll, Text, Verified};
use crate::model::{Digest, Right};

/// The name of a regime, in snake case: `eu_gdpr`, `us_ca_ccpa`, or a host's own.
///
/// ```
/// use datarights::law::RegimeId;
/// assert_eq!(RegimeId::from("eu_gdpr").as_str(), "eu_gdpr");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegimeId(Text);

impl RegimeId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) const fn shipped(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl From<&str> for RegimeId {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

impl fmt::Display for RegimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a regime's canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RegimeDigest(Digest);

impl RegimeDigest {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for RegimeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RegimeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegimeDigest({self})")
    }
}

impl<'de> Deserialize<'de> for RegimeDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        // One spelling: digests are compared as they are stored, too.
        let digest = Digest::from_hex(&text).filter(|digest| digest.to_string() == *text);
        let invalid =
            || serde::de::Error::custom("a digest is written as 64 small hexadecimal digits");
        digest.map(Self).ok_or_else(invalid)
    }
}

/// The law a request was received under: later decisions use this one, however the law
/// or our tables change meanwhile.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimePin {
    /// Which regime.
    pub id: RegimeId,
    /// Which version of it.
    pub version: Text,
    /// The digest of its canonical form, with all that was left out.
    pub digest: RegimeDigest,
    /// How well what is taken of it was checked at least.
    #[serde(default, skip_serializing_if = "Verified::is_any")]
    pub least: Verified,
}

/// A right as one law grants it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RightRule {
    /// The law's own name for it, in snake case: `know_specific_pieces`.
    pub id: Text,
    /// What it is in neutral words; several where one right of this law is two elsewhere.
    pub rights: Vec<Right>,
    /// Where it is granted.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// Whether it knows no exception.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absolute: bool,
    /// Under which conditions it exists; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<Text>,
    /// From which day on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// How far it reaches.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub scope: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl RightRule {
    /// A right without conditions.
    pub fn new(
        id: impl Into<Text>,
        rights: impl IntoIterator<Item = Right>,
        article: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            id: id.into(),
            rights: rights.into_iter().collect(),
            article: article.into(),
            absolute: false,
            only_if: Vec::new(),
            from: None,
            scope: Text::Borrowed(""),
            verified,
        }
    }

    pub(crate) fn absolute(mut self) -> Self {
        self.absolute = true;
        self
    }

    pub(crate) fn only_if(mut self, conditions: &[&'static str]) -> Self {
        self.only_if = conditions.iter().map(|c| Text::Borrowed(c)).collect();
        self
    }

    pub(crate) fn from(mut self, day: Option<NaiveDate>) -> Self {
        self.from = day;
        self
    }

    pub(crate) fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Text::Borrowed(scope);
        self
    }
}

/// What a fact is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// To whom the law applies.
    Scope,
    /// Who may ask: agents, parents, heirs, representatives.
    WhoMayAsk,
    /// When a request counts as received.
    Receipt,
    /// How time is counted.
    Counting,
    /// Whether and how receipt is acknowledged.
    Acknowledgement,
    /// What may be charged.
    Fees,
    /// How identity is checked, and what that does to the clock.
    Identity,
    /// What an access answer contains.
    AccessContents,
    /// What an access answer must not disclose.
    NeverDisclose,
    /// When data must be erased.
    ErasureGrounds,
    /// How erasure is done, and what it reaches.
    Erasure,
    /// How correction is done.
    Rectification,
    /// When data is restricted, and what remains allowed.
    Restriction,
    /// Who else must be told.
    Recipients,
    /// Appeals, complaints and courts.
    Appeal,
    /// How far back an answer reaches.
    Lookback,
    /// How often a person may ask.
    Frequency,
    /// What must be recorded, and for how long.
    Records,
    /// Figures that must be published.
    Metrics,
    /// Signals that opt out automatically.
    OptOutSignal,
    /// Children.
    Age,
    /// Automated decisions.
    AutomatedDecisions,
    /// What must be kept after a refusal.
    Preserve,
    /// The form of requests and answers.
    Form,
    /// Penalties.
    Penalties,
    /// What is enacted or proposed and not yet in force.
    Pending,
    /// Where two sources disagree.
    Conflict,
    /// What was read.
    Sources,
}

/// How a regime hears those who are not content with an answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Appeal {
    /// Whether the controller itself must hear an appeal.
    pub internal: bool,
    /// Where else the person can go.
    pub external: Text,
    /// How well that was checked.
    pub verified: Verified,
}

/// The words this law uses for the parties.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Words {
    /// The person: `data subject`, `consumer`, `titular`.
    pub subject: Text,
    /// Who decides: `controller`, `business`, `controlador`.
    pub controller: Text,
    /// Who processes on instructions: `processor`, `service provider`, `operador`.
    pub processor: Text,
    /// The authority: `supervisory authority`, `Attorney General`, `ANPD`.
    pub authority: Text,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            subject: Text::Borrowed("data subject"),
            controller: Text::Borrowed("controller"),
            processor: Text::Borrowed("processor"),
            authority: Text::Borrowed("supervisory authority"),
        }
    }
}

/// Between which days a version of a regime is in force.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InForce {
    /// From this day on; unset: since before anything recorded here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// Up to, and not including, this day; unset: no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// How well that was checked.
    pub verified: Verified,
}

impl InForce {
    /// Whether `date` lies within.
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date < until)
    }
}

/// A named reading of where a last day moves, for [`Readings::roll`](super::Readings::roll).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RollReading {
    /// Its name.
    pub name: Text,
    /// What it does.
    pub roll: Roll,
    /// On what it rests.
    #[serde(default)]
    pub article: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl RollReading {
    /// A reading.
    pub fn new(
        name: impl Into<Text>,
        roll: Roll,
        article: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            name: name.into(),
            roll,
            article: article.into(),
            verified,
        }
    }
}

/// One privacy law as data, in one version.
///
/// Everything a request needs to know of its law is here, and a host may write its own
/// in any format that serde reads; unknown fields are refused.
///
/// ```
/// use datarights::law::Regime;
/// let own: Regime = serde_json::from_str(r#"{
///     "id": "acme_works_agreement", "version": "1", "name": "Works agreement on staff data",
///     "jurisdiction": "ACME", "as_of": "2026-11-21",
///     "rights": [{"id": "access", "rights": ["access"], "article": "4"}],
///     "clocks": [{"question": "response", "period": {"unit": "business_days", "value": 10}}]
/// }"#)?;
/// assert_eq!(own.clocks.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Regime {
    /// Its id.
    pub id: RegimeId,
    /// Which version of it this is.
    pub version: Text,
    /// Its name.
    pub name: Text,
    /// Where it holds.
    pub jurisdiction: Text,
    /// The day on which this table was true.
    pub as_of: NaiveDate,
    /// When it is in force.
    #[serde(default)]
    pub in_force: InForce,
    /// The overlays laid on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<RegimeId>,
    /// The texts it consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<Text>,
    /// The words it uses.
    #[serde(default)]
    pub words: Words,
    /// The rights it grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<RightRule>,
    /// Whether a right that it does not list may be asked for too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_right: bool,
    /// Rights that may be exercised without proof of identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified_rights: Vec<Right>,
    /// Its clocks; the first that fits a question decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// When they stand still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// Other readings of where a last day moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roll_readings: Vec<RollReading>,
    /// The grounds it knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// For what any ground will do: in the shipped tables, every use that none is listed for. That
    /// is no word of the law that it is open. Give an overlay with grounds, and it is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_ground: Vec<GroundUse>,
    /// The letters it demands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// How it hears those who are not content.
    #[serde(default)]
    pub appeal: Appeal,
    /// Everything else, by topic.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Topic, Vec<Fact>>,
    /// What was left out of it because it was checked too little
    /// ([`verified_at_least`](Self::verified_at_least)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removed>,
    /// The digest it had before anything was left out.
    #[serde(skip)]
    pub(super) whole: Option<RegimeDigest>,
    /// How well what is left was checked at least.
    #[serde(skip)]
    pub(super) least: Verified,
}

impl Regime {
    /// A regime that knows nothing yet.
    pub fn new(
        id: RegimeId,
        version: impl Into<Text>,
        name: impl Into<Text>,
        jurisdiction: impl Into<Text>,
        as_of: NaiveDate,
    ) -> Self {
        Self {
            id,
            version: version.into(),
            name: name.into(),
            jurisdiction: jurisdiction.into(),
            as_of,
            in_force: InForce::default(),
            overlays: Vec::new(),
            instruments: Vec::new(),
            words: Words::default(),
            rights: Vec::new(),
            any_right: false,
            unverified_rights: Vec::new(),
            clocks: Vec::new(),
            pauses: Vec::new(),
            roll_readings: Vec::new(),
            grounds: Vec::new(),
            any_ground: Vec::new(),
            notices: Vec::new(),
            appeal: Appeal::default(),
            facts: BTreeMap::new(),
            removed: Vec::new(),
            whole: None,
            least: Verified::default(),
        }
    }

    /// How this law grants `right`: by its own name for it, else by the neutral one.
    pub fn right(&self, right: &Right) -> Option<&RightRule> {
        self.rights
            .iter()
            .find(|rule| rule.id == right.name())
            .or_else(|| self.rights.iter().find(|rule| rule.rights.contains(right)))
    }

    /// Whether a rule for `rights` (empty: all) concerns `right`, by this law's name for it or
    /// by the neutral one.
    pub(super) fn concerns(&self, rights: &[Right], right: &Right) -> bool {
        rights.is_empty()
            || rights.contains(right)
            || self.right(right).is_some_and(|rule| {
                let named = |named: &Right| rule.rights.contains(named) || rule.id == named.name();
                rights.iter().any(named)
            })
    }

    /// What it says on a topic.
    pub fn facts_on(&self, topic: Topic) -> &[Fact] {
        self.facts.get(&topic).map_or(&[], Vec::as_slice)
    }

    /// The digest of its canonical form: the fields in their order, as JSON.
    ///
    /// # Errors
    /// None in practice: every field can be written as JSON.
    pub fn digest(&self) -> Result<RegimeDigest, serde_json::Error> {
        let canonical = serde_json::to_vec(self)?;
        Ok(RegimeDigest(Digest::of(&canonical)))
    }

    /// What a request pins when it is received: the whole law, and how much of it is taken.
    ///
    /// # Errors
    /// As [`digest`](Self::digest).
    pub fn pin(&self) -> Result<RegimePin, serde_json::Error> {
        Ok(RegimePin {
            id: self.id.clone(),
            version: self.version.clone(),
            digest: self.whole.map_or_else(|| self.digest(), Ok)?,
            least: self.least,
        })
    }
}
