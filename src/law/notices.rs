//! Notices: which letter a law demands at which step, until when, and what it must say.
//!
//! A [`Letter`] holds what is said on every item that the law demands; it cannot be built
//! without one of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClockError, ClockHistory, Due, Question, Regime, Setting, Text, Verified, deadline};
use crate::model::Right;

/// At which step of a request a letter is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Receipt is confirmed.
    Acknowledgement,
    /// The controller cannot tell who is asking.
    CannotIdentify,
    /// Proof of identity is asked for.
    IdentityRequest,
    /// The controller asks what exactly is wanted.
    ClarificationRequest,
    /// The answer will take longer.
    Extension,
    /// A fee is announced.
    Fee,
    /// The request is refused, in whole or in part.
    Refusal,
    /// The answer itself.
    Response,
    /// A restriction is about to be lifted.
    RestrictionLifted,
    /// Recipients are told what was corrected, erased or restricted.
    RecipientNotice,
    /// The person asked who was told.
    RecipientsNamed,
    /// How to appeal or complain.
    AppealInformation,
    /// An appeal is refused.
    AppealDenied,
    /// A complaint is acknowledged.
    ComplaintAcknowledgement,
    /// A complaint is decided.
    ComplaintOutcome,
    /// An opt-out was carried out.
    OptOutDone,
    /// The right to object is brought to attention.
    ObjectionRight,
    /// The safeguards of an automated decision.
    HumanReview,
    /// Data was obtained from someone else.
    IndirectCollection,
    /// A breach is reported to the authority.
    BreachAuthority,
    /// A breach is told to the persons concerned.
    BreachSubject,
    /// An account will be erased because it is not used.
    ErasureWarning,
}

impl Step {
    /// Whether its letter belongs to a request; others belong to a breach, a complaint, a
    /// collection or an account.
    pub(super) const fn is_of_requests(self) -> bool {
        !matches!(
            self,
            Self::ComplaintAcknowledgement
                | Self::ComplaintOutcome
                | Self::ObjectionRight
                | Self::IndirectCollection
                | Self::BreachAuthority
                | Self::BreachSubject
                | Self::ErasureWarning
        )
    }

    /// The snake-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::CannotIdentify => "cannot_identify",
            Self::IdentityRequest => "identity_request",
            Self::ClarificationRequest => "clarification_request",
            Self::Extension => "extension",
            Self::Fee => "fee",
            Self::Refusal => "refusal",
            Self::Response => "response",
            Self::RestrictionLifted => "restriction_lifted",
            Self::RecipientNotice => "recipient_notice",
            Self::RecipientsNamed => "recipients_named",
            Self::AppealInformation => "appeal_information",
            Self::AppealDenied => "appeal_denied",
            Self::ComplaintAcknowledgement => "complaint_acknowledgement",
            Self::ComplaintOutcome => "complaint_outcome",
            Self::OptOutDone => "opt_out_done",
            Self::ObjectionRight => "objection_right",
            Self::HumanReview => "human_review",
            Self::IndirectCollection => "indirect_collection",
            Self::BreachAuthority => "breach_authority",
            Self::BreachSubject => "breach_subject",
            Self::ErasureWarning => "erasure_warning",
        }
    }
}

/// One thing a letter must say.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Item {
    /// Its name, in snake case: `reasons`.
    pub id: Text,
    /// What is to be said.
    pub says: Text,
    /// Where this item is demanded, if more precise than its notice.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// It may be answered with [`Content::NotApplicable`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_applicable: bool,
    /// It is demanded only where data about the person are held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_held: bool,
}

impl Item {
    /// An item that always applies.
    pub fn new(id: impl Into<Text>, says: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            says: says.into(),
            article: Text::Borrowed(""),
            if_applicable: false,
            if_held: false,
        }
    }

    /// The same, with its article.
    #[must_use]
    pub fn at(mut self, article: impl Into<Text>) -> Self {
        self.article = article.into();
        self
    }

    /// The same, where it may not apply.
    #[must_use]
    pub fn if_applicable(mut self) -> Self {
        self.if_applicable = true;
        self
    }

    /// The same, demanded only where data about the person are held.
    #[must_use]
    pub fn if_held(mut self) -> Self {
        self.if_held = true;
        self
    }
}

/// A letter that a law demands.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Notice {
    /// At which step.
    pub step: Step,
    /// For which rights; empty: for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Right>,
    /// Whether it must be sent. Otherwise it is good practice.
    pub mandatory: bool,
    /// Which clock says until when, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Question>,
    /// The standard, besides or instead of a number: `without undue delay`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub standard: Text,
    /// What it must say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Where the law demands it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub article: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl Notice {
    /// A mandatory letter for every right.
    pub fn new(
        step: Step,
        items: impl IntoIterator<Item = Item>,
        article: impl Into<Text>,
        verified: Verified,
    ) -> Self {
        Self {
            step,
            rights: Vec::new(),
            mandatory: true,
            until: None,
            standard: Text::Borrowed(""),
            items: items.into_iter().collect(),
            article: article.into(),
            verified,
        }
    }

    /// The same, for these rights only.
    #[must_use]
    pub fn only_for(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.rights = rights.into_iter().collect();
        self
    }

    /// The same, as good practice.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.mandatory = false;
        self
    }

    /// The same as it is for somebody of whom nothing is held.
    #[must_use]
    pub fn where_nothing_is_held(mut self) -> Self {
        self.items.retain(|item| !item.if_held);
        self
    }

    /// The same, due when that clock says.
    #[must_use]
    pub fn until(mut self, question: Question) -> Self {
        self.until = Some(question);
        self
    }

    /// The same, with the words of its standard.
    #[must_use]
    pub fn standard(mut self, standard: impl Into<Text>) -> Self {
        self.standard = standard.into();
        self
    }
}

impl Notice {
    /// Until when this letter must be sent, as things stand; `None` where the law sets a
    /// standard only.
    ///
    /// # Errors
    /// [`ClockError`](super::ClockError), as [`deadline`](super::deadline).
    pub fn due(
        &self,
        setting: &Setting<'_>,
        history: &ClockHistory,
    ) -> Result<Option<Due>, ClockError> {
        self.until
            .map(|question| deadline(setting, question, history))
            .transpose()
    }
}

/// What a letter says on one item.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The words, never blank.
    Says(String),
    /// Looked at, and found not to apply: said on purpose, so that nothing is forgotten.
    NotApplicable,
}

/// Why a letter cannot be built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LetterError {
    /// Something that the law demands is not said.
    #[error("the notice `{step:?}` ({article}) must also say: {missing}")]
    Incomplete {
        /// Which notice.
        step: Step,
        /// Where it is demanded.
        article: String,
        /// The items that are missing or blank, separated by commas.
        missing: String,
    },
    /// An item that always applies was called not applicable.
    #[error("the item `{item}` of the notice `{step:?}` always applies")]
    Applies {
        /// Which notice.
        step: Step,
        /// Which item.
        item: String,
    },
    /// The notice has no such item.
    #[error("the notice `{step:?}` has no item `{item}`; it has: {known}")]
    UnknownItem {
        /// Which notice.
        step: Step,
        /// What was given.
        item: String,
        /// What it has, separated by commas.
        known: String,
    },
}

/// The contents of a letter: complete, or it does not exist.
///
/// ```
/// use datarights::law::{Content, Letter, Regimes, Step};
/// use datarights::model::Right;
/// let gdpr = Regimes::builtin().get("eu_gdpr")?;
/// let notice = gdpr.notice(Step::Extension, &Right::Access).unwrap();
///
/// let half = [("extension", Content::Says("until 5 June".into()))];
/// assert!(Letter::new(notice, half).is_err());
///
/// let whole = [
///     ("extension", Content::Says("until 5 June".into())),
///     ("reasons", Content::Says("the request covers eleven systems".into())),
/// ];
/// assert!(Letter::new(notice, whole).is_ok());
/// # Ok::<(), datarights::law::RegimeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Letter {
    step: Step,
    article: Text,
    contents: Vec<(Item, Content)>,
}

impl Letter {
    /// The letter that `notice` demands, from what is said on each of its items.
    ///
    /// # Errors
    /// [`LetterError`] if an item is missing, blank, unknown or wrongly left out.
    pub fn new<'a>(
        notice: &Notice,
        contents: impl IntoIterator<Item = (&'a str, Content)>,
    ) -> Result<Self, LetterError> {
        let mut given: BTreeMap<&str, Content> = contents.into_iter().collect();
        let mut said = Vec::with_capacity(notice.items.len());
        let mut missing = Vec::new();
        for item in &notice.items {
            match given.remove(item.id.as_ref()) {
                Some(Content::NotApplicable) if !item.if_applicable => {
                    return Err(LetterError::Applies {
                        step: notice.step,
                        item: item.id.to_string(),
                    });
                }
                Some(Content::Says(words)) if words.trim().is_empty() => {
                    missing.push(item.id.as_ref());
                }
                Some(content) => said.push((item.clone(), content)),
                None => missing.push(item.id.as_ref()),
            }
        }
        if let Some((unknown, _)) = given.first_key_value() {
            let known: Vec<_> = notice.items.iter().map(|item| item.id.as_ref()).collect();
            return Err(LetterError::UnknownItem {
                step: notice.step,
                item: (*unknown).to_owned(),
                known: known.join(", "),
            });
        }
        if !missing.is_empty() {
            return Err(LetterError::Incomplete {
                step: notice.step,
                article: notice.article.to_string(),
                missing: missing.join(", "),
            });
        }
        Ok(Self {
            step: notice.step,
            article: notice.article.clone(),
            contents: said,
        })
    }

    /// At which step it is sent.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Where it is demanded.
    pub fn article(&self) -> &str {
        &self.article
    }

    /// Each item and what is said on it, in the law's order.
    pub fn contents(&self) -> &[(Item, Content)] {
        &self.contents
    }

    /// What is said on one item.
    pub fn content(&self, item: &str) -> Option<&Content> {
        self.contents
            .iter()
            .find(|(known, _)| known.id == item)
            .map(|(_, content)| content)
    }
}

impl Regime {
    /// The letters this law demands, or advises, for a request for `right`.
    pub fn notices_for<'a, 'r>(
        &'a self,
        right: &'r Right,
    ) -> impl Iterator<Item = &'a Notice> + use<'a, 'r> {
        self.notices.iter().filter(move |notice| {
            notice.rights.is_empty()
                || notice.rights.iter().any(|named| {
                    named == right
                        || self
                            .right(right)
                            .is_some_and(|rule| rule.rights.contains(named))
                })
        })
    }

    /// The letter due at that step of a request for `right`, if this law has one.
    pub fn notice(&self, step: Step, right: &Right) -> Option<&Notice> {
        self.notices_for(right).find(|notice| notice.step == step)
    }
}
