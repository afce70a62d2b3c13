//! Leaving out of a regime what was checked too little, and what then cannot be served.
//!
//! Leaving out must never make a law more permissive: what it forbids by listing stays
//! forbidden ([`Regime::any_right`], [`Regime::any_ground`]), and a right that has lost
//! something a request needs is not served.

use serde::{Deserialize, Serialize};

use super::{
    Clock, Extension, Ground, Notice, Pause, Question, Readings, Regime, RightRule, Verified,
};
use crate::model::Right;

/// Something that was left out of a regime because it was checked too little.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Removed {
    /// A right.
    Right(RightRule),
    /// A clock, with its extension.
    Clock(Box<Clock>),
    /// The extension of a clock that stays.
    Extension {
        /// What that clock answers.
        question: Question,
        /// The extension.
        extension: Extension,
    },
    /// A pause.
    Pause(Pause),
    /// A ground.
    Ground(Ground),
    /// A notice.
    Notice(Notice),
}

impl Removed {
    /// What it is, for messages: ``the clock `response` (12(3))``.
    pub fn describe(&self) -> String {
        match self {
            Self::Right(rule) => format!("the right `{}` ({})", rule.id, rule.article),
            Self::Clock(clock) => format!("the clock `{}` ({})", clock.question, clock.article),
            Self::Extension {
                question,
                extension,
            } => format!("the extension of `{question}` ({})", extension.article),
            Self::Pause(pause) => format!("a pause ({})", pause.article),
            Self::Ground(ground) => format!("the ground `{}` ({})", ground.code, ground.article),
            Self::Notice(notice) => {
                format!("the notice `{}` ({})", notice.step.name(), notice.article)
            }
        }
    }
}

impl Regime {
    /// The same without what was checked less well than `least`: clocks, extensions, pauses,
    /// rights, grounds, notices and facts. [`removed`](Self::removed) lists all but the facts.
    ///
    /// A request that is received under it pins the whole law and `least`.
    #[must_use]
    pub fn verified_at_least(mut self, least: Verified) -> Self {
        if self.whole.is_none() {
            self.whole = self.digest().ok();
        }
        self.least = self.least.max(least);
        let sure = |verified: Verified| verified >= least;
        let mut removed = std::mem::take(&mut self.removed);
        let gone = self.rights.extract_if(.., |rule| !sure(rule.verified));
        removed.extend(gone.map(Removed::Right));
        let gone = self.clocks.extract_if(.., |clock| !sure(clock.verified));
        removed.extend(gone.map(Box::new).map(Removed::Clock));
        for clock in &mut self.clocks {
            let unsure = |extension: &mut Extension| !sure(extension.verified);
            if let Some(extension) = clock.extension.take_if(unsure) {
                let question = clock.question;
                removed.push(Removed::Extension {
                    question,
                    extension,
                });
            }
        }
        let gone = self.pauses.extract_if(.., |pause| !sure(pause.verified));
        removed.extend(gone.map(Removed::Pause));
        let gone = self.grounds.extract_if(.., |ground| !sure(ground.verified));
        removed.extend(gone.map(Removed::Ground));
        let gone = self.notices.extract_if(.., |notice| !sure(notice.verified));
        removed.extend(gone.map(Removed::Notice));
        self.removed = removed;
        for facts in self.facts.values_mut() {
            facts.retain(|fact| sure(fact.verified));
        }
        self.facts.retain(|_, facts| !facts.is_empty());
        self
    }

    /// What was left out and without which a request for `right` cannot be served: the right
    /// itself, a clock that a request asks, or a letter that must be sent.
    pub fn lacks_for<'a>(
        &'a self,
        right: &'a Right,
        readings: &'a Readings,
    ) -> impl Iterator<Item = &'a Removed> {
        self.removed.iter().filter(move |removed| match removed {
            Removed::Right(rule) => {
                self.right(right).is_none()
                    && (rule.id == right.name() || rule.rights.contains(right))
            }
            Removed::Clock(clock) => {
                clock.question.is_of_every_request()
                    && self.concerns(&clock.rights, right)
                    && clock
                        .when
                        .as_deref()
                        .is_none_or(|when| readings.states(when))
            }
            Removed::Notice(notice) => {
                notice.mandatory
                    && notice.step.is_of_requests()
                    && self.concerns(&notice.rights, right)
            }
            Removed::Extension { .. } | Removed::Pause(_) | Removed::Ground(_) => false,
        })
    }
}
