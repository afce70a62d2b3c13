//! Grounds: on what a controller may refuse, withhold, restrict instead of erase, extend
//! or charge, with the article and the words for the letter.

use serde::{Deserialize, Serialize};

use super::{Regime, RegimeId, Text, Verified};
use crate::model::Right;

/// What a ground allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroundUse {
    /// To refuse the request as a whole.
    Refuse,
    /// To withhold single items and grant the rest.
    Withhold,
    /// To restrict data instead of erasing it.
    Restrict,
    /// To take longer.
    Extend,
    /// To charge a fee.
    Charge,
}

impl GroundUse {
    /// Every use.
    pub const ALL: [Self; 5] = [
        Self::Refuse,
        Self::Withhold,
        Self::Restrict,
        Self::Extend,
        Self::Charge,
    ];

    /// The word for it, as in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Withhold => "withhold",
            Self::Restrict => "restrict",
            Self::Extend => "extend",
            Self::Charge => "charge",
        }
    }
}

/// A ground that a law gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ground {
    /// Its name, in snake case: `manifestly_unfounded`.
    pub code: Text,
    /// What it allows.
    pub uses: Vec<GroundUse>,
    /// For which rights; empty: for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Right>,
    /// Where the law gives it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// The sentence for the letter to the person.
    pub letter: Text,
    /// Whether it is that nobody knows who asks: a refusal on it also says what the law wants said
    /// at [`Step::CannotIdentify`](super::Step::CannotIdentify).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unidentified: bool,
    /// Whether the law leaves no choice where it applies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Whether the person can have a refusal on it reviewed by somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reviewable: bool,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl Ground {
    /// A ground for every right.
    pub fn new(
        code: impl Into<Text>,
        uses: impl IntoIterator<Item = GroundUse>,
        article: impl Into<Text>,
        letter: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            code: code.into(),
            uses: uses.into_iter().collect(),
            rights: Vec::new(),
            article: article.into(),
            letter: letter.into(),
            unidentified: false,
            mandatory: false,
            reviewable: false,
            verified,
        }
    }

    /// The same, where the law leaves no choice.
    #[must_use]
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// The same, open to a review.
    #[must_use]
    pub fn reviewable(mut self) -> Self {
        self.reviewable = true;
        self
    }

    /// The same, because nobody knows who asks.
    #[must_use]
    pub fn unidentified(mut self) -> Self {
        self.unidentified = true;
        self
    }

    /// The same, for these rights only.
    #[must_use]
    pub fn only_for(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.rights = rights.into_iter().collect();
        self
    }
}

/// A ground that this law does not give for that.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{regime} gives no ground `{code}` to {} a request for `{right}`; it gives: {known}", .usage.name())]
pub struct GroundError {
    /// Which regime.
    pub regime: RegimeId,
    /// The ground that was named.
    pub code: String,
    /// For what.
    pub usage: GroundUse,
    /// For which right.
    pub right: Right,
    /// The grounds it gives for that, separated by commas.
    pub known: String,
}

impl Regime {
    /// The grounds this law gives to do that with a request for `right`.
    pub fn grounds_for<'a>(
        &'a self,
        right: &Right,
        usage: GroundUse,
    ) -> impl Iterator<Item = &'a Ground> {
        let rule = self.right(right);
        self.grounds.iter().filter(move |ground| {
            ground.uses.contains(&usage)
                && (ground.rights.is_empty()
                    || ground.rights.iter().any(|open| {
                        open == right
                            || rule.is_some_and(|rule| {
                                rule.id == open.name() || rule.rights.contains(open)
                            })
                    }))
        })
    }

    /// The ground of that name; `None` where no ground is listed for that use, so that any will do
    /// ([`any_ground`](Self::any_ground)).
    ///
    /// ```
    /// use datarights::law::{GroundUse, Regimes};
    /// use datarights::model::Right;
    /// let regimes = Regimes::builtin();
    /// let hipaa = regimes.get("us_hipaa")?;
    /// assert!(matches!(hipaa.accepts("staff_absent", &Right::Access, GroundUse::Extend), Ok(None)));
    /// assert!(hipaa.accepts("staff_absent", &Right::Access, GroundUse::Refuse).is_err());
    /// # Ok::<(), datarights::law::RegimeError>(())
    /// ```
    ///
    /// # Errors
    /// [`GroundError`], with the grounds that would be accepted.
    pub fn accepts(
        &self,
        code: &str,
        right: &Right,
        usage: GroundUse,
    ) -> Result<Option<&Ground>, GroundError> {
        if self.any_ground.contains(&usage) {
            Ok(None)
        } else {
            self.ground(code, right, usage).map(Some)
        }
    }

    /// Whether only the grounds that this law lists will do for that use.
    pub fn lists_grounds_to(&self, usage: GroundUse) -> bool {
        !self.any_ground.contains(&usage)
    }

    /// The ground of that name, if this law gives it for that.
    ///
    /// ```
    /// use datarights::law::{GroundUse, Regimes};
    /// use datarights::model::Right;
    /// let gdpr = Regimes::builtin().get("eu_gdpr")?;
    /// assert!(gdpr.ground("manifestly_unfounded", &Right::Access, GroundUse::Refuse).is_ok());
    /// assert!(gdpr.ground("trade_secret", &Right::Access, GroundUse::Refuse).is_err());
    /// # Ok::<(), datarights::law::RegimeError>(())
    /// ```
    ///
    /// # Errors
    /// [`GroundError`], with the grounds that would be accepted.
    pub fn ground(
        &self,
        code: &str,
        right: &Right,
        usage: GroundUse,
    ) -> Result<&Ground, GroundError> {
        self.grounds_for(right, usage)
            .find(|ground| ground.code == code)
            .ok_or_else(|| GroundError {
                regime: self.id.clone(),
                code: code.to_owned(),
                usage,
                right: right.clone(),
                known: super::deadline::listed(
                    self.grounds_for(right, usage)
                        .map(|ground| ground.code.to_string()),
                ),
            })
    }
}
