//! What letters will have to say and nobody has given yet: told before anybody asks.

use std::collections::BTreeSet;

use crate::law::{Regime, Removed, Step, Verified};
use crate::model::{Outcome, Right};
use crate::workflow::Letter;

use super::super::controller::Controller;
use super::super::error::EngineError;
use super::super::words::{Facts, outcome_name};
use super::{article, change};

/// Something that a letter will have to say and that nobody has given yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub struct MissingWords {
    /// In requests for which right.
    pub right: Right,
    /// In which letter; for what recipients are told, the response.
    pub letter: Letter,
    /// Under which key they are given to [`Controller::with_words`], unless the record of
    /// processing fills it ([`Controller::with_record`]); or the place in braces that words of the
    /// host's name, and that is not known of every such request.
    pub key: String,
    /// What the law wants said.
    pub about: String,
    /// Where.
    pub article: String,
    /// How well the notice was checked, if it was left out for that: no words help, and requests
    /// for this right are not served under what is taken of the law
    /// ([`Regimes::verified_only`](crate::law::Regimes::verified_only)). The key is its step.
    pub left_out: Option<Verified>,
}

impl Controller {
    /// What letters under a regime will have to say, for requests for these rights, and nobody
    /// has given yet. Empty: every letter can be written. For a host's own tests.
    ///
    /// The words of grounds of the host's own, and of those that sources name when they withhold,
    /// are not known beforehand: give them as `ground.<code>`.
    ///
    /// ```
    /// use datarights::engine::Controller;
    /// use datarights::law::{Calendar, ProcessingRecord};
    /// use datarights::model::{ControllerId, Right};
    /// let calendar = Calendar::in_zone("Europe/Paris")?;
    /// let acme = Controller::new(ControllerId::new("acme")?, "Acme", "eu_gdpr", calendar);
    /// // An answer under Art. 15 needs what only the controller knows.
    /// let missing = acme.missing_words("eu_gdpr", &[Right::Access, Right::Erasure])?;
    /// assert_eq!(missing[0].right, Right::Access);
    /// assert!(missing.iter().any(|missing| missing.key == "purposes"));
    ///
    /// let acme = acme.with_record(ProcessingRecord {
    ///     purposes: vec!["support".into()],
    ///     categories: vec!["tickets".into(), "contact data".into()],
    ///     recipients: vec!["Mail Ltd (Ireland), sends our mail".into()],
    ///     period: "until one year after the contract ends".into(),
    ///     ..ProcessingRecord::default()
    /// });
    /// assert!(acme.missing_words("eu_gdpr", &[Right::Access, Right::Erasure])?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EngineError::UnknownRegime`].
    pub fn missing_words(
        &self,
        regime: &str,
        rights: &[Right],
    ) -> Result<Vec<MissingWords>, EngineError> {
        let regime = self.regimes.get(regime);
        let regime = regime.map_err(|error| EngineError::UnknownRegime(error.to_string()))?;
        let mut all = BTreeSet::new();
        for right in rights {
            for removed in regime.lacks_for(right, &self.readings) {
                let Removed::Notice(notice) = removed else {
                    continue;
                };
                all.insert(MissingWords {
                    right: right.clone(),
                    letter: Letter::at(notice.step).unwrap_or(Letter::Response),
                    key: notice.step.name().to_owned(),
                    about: removed.describe(),
                    article: notice.article.to_string(),
                    left_out: Some(notice.verified),
                });
            }
            for notice in regime.notices_for(right) {
                let told = notice.step == Step::RecipientNotice;
                let Some(letter) = Letter::at(notice.step).or(told.then_some(Letter::Response))
                else {
                    continue;
                };
                for mut facts in self.examples(&regime, letter) {
                    if told {
                        facts.so = vec![change(right, false)];
                        facts.fell_short = false;
                    }
                    for item in &notice.items {
                        let Err(key) = self.said(item, notice.step, letter, &facts) else {
                            continue;
                        };
                        let key = match key.as_str() {
                            "due" => format!("{}.undated", item.id),
                            _ => key,
                        };
                        all.insert(MissingWords {
                            right: right.clone(),
                            letter,
                            key,
                            about: item.says.to_string(),
                            article: article(item, notice),
                            left_out: None,
                        });
                    }
                }
            }
        }
        Ok(all.into_iter().collect())
    }

    /// Requests of every outcome, with and without a date, to see what words are missing for a
    /// letter. In each stands what is known of every request of that kind, and nothing else.
    fn examples(&self, regime: &Regime, letter: Letter) -> Vec<Facts> {
        let mut always = vec![
            "request",
            "received",
            "recipients",
            "because",
            "left_out",
            "horizon",
            "searched",
        ];
        match letter {
            Letter::Extension | Letter::Refusal => always.push("ground"),
            Letter::FeeRequest => always.extend(["ground", "amount"]),
            _ => {}
        }
        let mut examples = Vec::new();
        for outcome in [
            Outcome::Done,
            Outcome::Partly,
            Outcome::NothingFound,
            Outcome::Unsupported,
            Outcome::Failed,
        ] {
            for dated in [true, false] {
                let mut facts = self.general(regime);
                for place in &always {
                    facts.put(place, Ok((*place).to_owned()));
                }
                if dated {
                    facts.put("due", Ok("due".to_owned()));
                } else {
                    facts.so.push("undated");
                }
                facts.so.push(outcome_name(&outcome));
                facts.fell_short = outcome != Outcome::Done;
                examples.push(facts);
            }
        }
        examples
    }
}
