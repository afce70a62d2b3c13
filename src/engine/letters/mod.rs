//! What a letter says: each item that the law demands, from what happened to the request, the
//! controller's record of processing, and words.

mod facts;
mod lacking;

pub(super) use facts::horizon;
pub use lacking::MissingWords;

use crate::law::{Content, Item, Letter as Complete, Notice, Regime, Step};
use crate::model::Right;
use crate::ports::Statement;
use crate::workflow::{Letter, Request, Target};

use super::controller::Controller;
use super::error::{EngineError, Unsaid};
use super::words::{Facts, Keys, Language};
use facts::nothing_held;

/// Items that are said only where there is something to say.
const ONLY_IF_SAID: [&str; 2] = ["absence", "what_would_help"];

/// What is said of an item, or what is missing for it.
type Said = Result<Content, String>;

/// What sources and recipients are called.
pub(super) trait Titles {
    fn title(&self, target: &Target) -> String;
}

/// By their ids.
struct Ids;

impl Titles for Ids {
    fn title(&self, target: &Target) -> String {
        target.to_string()
    }
}

impl Controller {
    /// What a letter about a request says, item by item: what the law of the request demands, in
    /// its order. Empty for letters of which the law demands nothing.
    ///
    /// # Errors
    /// [`EngineError::Unsaid`] names what nobody has given yet; such a letter is not sent.
    /// [`EngineError::UnknownRegime`] when the law of the request is not here any more.
    pub fn says(&self, request: &Request, letter: Letter) -> Result<Vec<Statement>, EngineError> {
        self.say(&*self.once_out(request, letter)?, letter, &Ids)
    }

    pub(super) fn say(
        &self,
        request: &Request,
        letter: Letter,
        titles: &dyn Titles,
    ) -> Result<Vec<Statement>, EngineError> {
        let regime = self.law_of(request)?;
        let facts = self.facts(request, letter, &regime, titles);
        let mut statements: Vec<Statement> = Vec::new();
        let mut missing = Vec::new();
        if letter == Letter::Refusal && demanded(request, letter, &regime).is_empty() {
            statements = self.plain_refusal(&facts);
        }
        for notice in demanded(request, letter, &regime) {
            let mut contents = Vec::new();
            for item in &notice.items {
                match self.said(item, notice.step, letter, &facts) {
                    Ok(content) => contents.push((item.id.as_ref(), content)),
                    Err(key) => missing.push(key),
                }
            }
            if contents.len() < notice.items.len() {
                continue;
            }
            match Complete::new(&notice, contents) {
                Ok(complete) => add(&mut statements, &complete),
                Err(_) => missing.push(notice.step.name().to_owned()),
            }
        }
        if missing.is_empty() {
            return Ok(statements);
        }
        missing.sort();
        missing.dedup();
        Err(Unsaid { letter, missing }.into())
    }

    /// What a refusal says under a law that demands nothing of it: that it is one, on which ground
    /// as far as words for it are known, and where else the person can turn.
    fn plain_refusal(&self, facts: &Facts) -> Vec<Statement> {
        let items = [
            ("refusal", "that the request is refused"),
            ("reasons", "why"),
            ("remedies", "where the person can turn"),
        ];
        let said = items.into_iter().filter_map(|(item, about)| {
            let words = facts.fill(self.words(item)?).ok()?;
            (!words.trim().is_empty()).then(|| Statement {
                item: item.to_owned(),
                article: String::new(),
                about: about.to_owned(),
                words: Some(words),
            })
        });
        said.collect()
    }

    /// What the answer to a request says beside the data, with headings: for the package's page.
    /// What is missing there is missing from the letter too, which then is not sent.
    #[cfg(feature = "package")]
    pub(super) fn sections(
        &self,
        request: &Request,
    ) -> Result<Vec<crate::package::Statement>, EngineError> {
        let letter = Letter::Response;
        let regime = self.law_of(request)?;
        let facts = self.facts(request, letter, &regime, &Ids);
        let mut sections = Vec::new();
        for notice in demanded(request, letter, &regime) {
            for item in &notice.items {
                let title = self.words(&format!("title.{}", item.id));
                let said = self.said(item, notice.step, letter, &facts);
                if let (Some(title), Ok(Content::Says(words))) = (title, said) {
                    sections.push(crate::package::Statement::new(title, [words]));
                }
            }
        }
        Ok(sections)
    }

    /// The grounds of the law of a request, and the controller's own, in words.
    #[cfg(feature = "package")]
    pub(super) fn grounds(&self, request: &Request) -> Result<Vec<(String, String)>, EngineError> {
        use std::collections::BTreeSet;

        use crate::law::GroundUse;
        use crate::model::Ground;

        let regime = self.law_of(request)?;
        let right = &request.facts.right;
        let own = self
            .words
            .keys()
            .filter_map(|key| key.strip_prefix("ground."));
        let codes: BTreeSet<_> = regime
            .grounds
            .iter()
            .map(|known| known.code.as_ref())
            .chain(own)
            .collect();
        let words = |code: &str| {
            let ground = Ground::new(code.to_owned());
            let words = self
                .ground(&regime, right, &ground, GroundUse::Withhold)
                .ok()?;
            Some((code.to_owned(), words))
        };
        Ok(codes.into_iter().filter_map(words).collect())
    }

    /// The conditions under which the law of a request grants its right, in the words of its table:
    /// whoever approves it says that they hold. Empty where there are none, and for what begins
    /// without a decision.
    ///
    /// # Errors
    /// [`EngineError::UnknownRegime`] when the law of the request is not here any more.
    pub fn conditions(&self, request: &Request) -> Result<Vec<String>, EngineError> {
        let regime = self.law_of(request)?;
        Ok(request.conditions(&regime))
    }

    /// What a recipient is told of a change beside the order itself: what the law demands, item by
    /// item.
    ///
    /// # Errors
    /// [`EngineError::Unsaid`] names what nobody has given yet;
    /// [`EngineError::UnknownRegime`] when the law of the request is not here any more.
    pub fn tells(&self, request: &Request) -> Result<Vec<Statement>, EngineError> {
        let regime = self.law_of(request)?;
        let mut facts = self.general(&regime);
        let lifted = request.fulfilment.as_ref();
        let lifted = lifted.is_some_and(|work| work.announced);
        facts.so.push(change(&request.facts.right, lifted));
        let mut statements = Vec::new();
        let mut missing = Vec::new();
        let notices = regime.notices_for(&request.facts.right);
        for notice in notices.filter(|notice| notice.step == Step::RecipientNotice) {
            let said = notice.items.iter().map(|item| {
                let said = self.said(item, notice.step, Letter::Response, &facts);
                said.map(|content| (item.id.as_ref(), content))
            });
            match said.collect::<Result<Vec<_>, _>>() {
                Ok(contents) => match Complete::new(notice, contents) {
                    Ok(complete) => add(&mut statements, &complete),
                    Err(_) => missing.push(notice.step.name().to_owned()),
                },
                Err(key) => missing.push(key),
            }
        }
        if missing.is_empty() {
            return Ok(statements);
        }
        let letter = Letter::Response;
        Err(Unsaid { letter, missing }.into())
    }

    pub(super) fn law_of(&self, request: &Request) -> Result<std::sync::Arc<Regime>, EngineError> {
        let pin = &request.clock.regime;
        let regime = self.regimes.by_pin(pin);
        regime.map_err(|_| EngineError::UnknownRegime(pin.id.to_string()))
    }

    /// The words for a key: the host's, else ours.
    fn words(&self, key: &str) -> Option<&str> {
        let own = self.words.get(key).map(String::as_str);
        own.or_else(|| self.speaks().says(key))
    }

    /// What a law is called in its letters.
    pub(super) fn law_called(&self, regime: &Regime) -> String {
        self.speaks().name(&regime.name).to_owned()
    }

    /// The language of its letters.
    fn speaks(&self) -> Language {
        Language::of(&self.language)
    }

    fn said(&self, item: &Item, step: Step, letter: Letter, facts: &Facts) -> Said {
        let Keys { so, plain } = Keys::of(item, step, letter, &facts.so);
        let host = |keys: &[String]| keys.iter().find_map(|key| self.words.get(key).cloned());
        let language = self.speaks();
        let ours = |keys: &[String]| {
            let said = keys.iter().find_map(|key| language.says(key));
            said.map(str::to_owned)
        };
        let first = if facts.fell_short {
            host(&so).or_else(|| ours(&so)).or_else(|| host(&plain))
        } else {
            host(&so).or_else(|| host(&plain)).or_else(|| ours(&so))
        };
        if let Some(pattern) = first {
            return say(item, facts, &pattern);
        }
        let recorded = match step {
            Step::Response => self.recorded(&item.id),
            _ => None,
        };
        match recorded {
            Some(content @ Content::NotApplicable) if item.if_applicable => return Ok(content),
            Some(Content::Says(words)) if !words.trim().is_empty() => {
                return Ok(Content::Says(words));
            }
            _ => {}
        }
        match ours(&plain) {
            Some(pattern) => say(item, facts, &pattern),
            None if item.if_applicable && ONLY_IF_SAID.contains(&item.id.as_ref()) => {
                Ok(Content::NotApplicable)
            }
            None => Err(item.id.to_string()),
        }
    }

    /// What the record of processing says on an item, by the names that laws give it.
    fn recorded(&self, item: &str) -> Option<Content> {
        let name = match item {
            "purpose" => "purposes",
            "origin" => "source",
            other => other,
        };
        let contents = self.record.as_ref()?.contents();
        contents
            .into_iter()
            .find_map(|(known, content)| (known == name).then_some(content))
    }
}

/// The notices of a letter as the request stands: without what concerns data, where none is held.
fn demanded(request: &Request, letter: Letter, regime: &Regime) -> Vec<Notice> {
    let notices = request.notices(letter, regime).into_iter().cloned();
    if nothing_held(request) {
        notices.map(Notice::where_nothing_is_held).collect()
    } else {
        notices.collect()
    }
}

/// What is changed at recipients, as the word on which the words depend.
fn change(right: &Right, lifted: bool) -> &'static str {
    match right {
        Right::Rectification => "rectified",
        Right::Restriction if lifted => "lifted",
        Right::Restriction => "restricted",
        Right::Erasure => "erased",
        _ => "ended",
    }
}

/// The words of an item. What has no name of its own is missing under the item's.
fn say(item: &Item, facts: &Facts, pattern: &str) -> Said {
    let words = facts.fill(pattern).map(Content::Says);
    words.map_err(|missing| match missing.is_empty() {
        true => item.id.to_string(),
        false => missing,
    })
}

fn article(item: &Item, notice: &Notice) -> String {
    let article = if item.article.is_empty() {
        &notice.article
    } else {
        &item.article
    };
    article.to_string()
}

/// Adds what a notice wants said, unless another one wanted the same.
fn add(statements: &mut Vec<Statement>, complete: &Complete) {
    for (item, content) in complete.contents() {
        if statements.iter().any(|known| known.item == item.id) {
            continue;
        }
        let article = if item.article.is_empty() {
            complete.article()
        } else {
            &item.article
        };
        statements.push(Statement {
            item: item.id.to_string(),
            article: article.to_owned(),
            about: item.says.to_string(),
            words: match content {
                Content::Says(words) => Some(words.clone()),
                Content::NotApplicable => None,
            },
        });
    }
}
