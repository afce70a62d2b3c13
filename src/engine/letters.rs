//! What a letter says: each item that the law demands, from what happened to the request, the
//! controller's record of processing, and words.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::law::{
    Content, Due, DueOn, GroundUse, Item, Letter as Complete, Notice, Regime, Removed, Step,
    Verified,
};
use crate::model::{
    Failure, Ground, MissingRows, Outcome, Right, SearchDepth, Until, Verdict, WithheldRows,
};
use crate::ports::Statement;
use crate::workflow::fulfilment::Fulfilment;
use crate::workflow::{Letter, Request, Target};

use super::controller::Controller;
use super::error::{EngineError, Unsaid};
use super::words::{Facts, Keys, Language, outcome_name};

/// Items that are said only where there is something to say.
const ONLY_IF_SAID: [&str; 2] = ["absence", "what_would_help"];

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

    fn facts(
        &self,
        request: &Request,
        letter: Letter,
        regime: &Regime,
        titles: &dyn Titles,
    ) -> Facts {
        let life = &request.lifecycle;
        let mut facts = self.general(regime);
        facts.put("request", Ok(request.facts.id.to_string()));
        facts.put("received", Ok(self.day_of(request.facts.received_at)));
        match request.answer_clock().and_then(|due| self.last_day(due)) {
            Some(day) => facts.put("due", Ok(day)),
            None => facts.so.push("undated"),
        }
        if nothing_held(request) {
            facts.so.push("nothing_found");
        }
        match request.fulfilment.as_ref().and_then(|work| work.verdict) {
            Some(Verdict::Upheld) => facts.so.push("upheld"),
            Some(Verdict::Changed) => facts.so.push("changed"),
            None => {}
        }
        if let Some(outcome) = &life.outcome {
            facts.so.push(outcome_name(outcome));
            facts.fell_short = !matches!(outcome, Outcome::Done);
            facts.so.extend(not_given(request, outcome));
        }
        facts.put("horizon", self.horizon(request));
        facts.put("searched", Ok(self.searched(request)));
        let fee_ground = life.fee.as_ref().and_then(|fee| fee.ground.as_ref());
        let (ground, usage) = match letter {
            Letter::Extension => (life.extension.as_ref(), GroundUse::Extend),
            Letter::FeeRequest => (fee_ground, GroundUse::Charge),
            _ => (life.refusal.as_ref(), GroundUse::Refuse),
        };
        let right = &request.facts.right;
        match ground {
            Some(ground) => facts.put("ground", self.ground(regime, right, ground, usage)),
            // A fee without a ground: the law lists none, and the amount says it all.
            None if letter == Letter::FeeRequest => facts.put("ground", Ok(String::new())),
            None => {}
        }
        if let Some(fee) = &life.fee {
            facts.put("amount", Ok(self.speaks().amount(fee)));
        }
        let told = request.recipients_told();
        let told: Vec<_> = told
            .map(|id| titles.title(&Target::Recipient(id.clone())))
            .collect();
        facts.put("recipients", Ok(told.join(", ")));
        let left_out = self.left_out(request, regime, titles);
        let because = match &life.refusal {
            Some(ground) => self.ground(regime, right, ground, GroundUse::Refuse),
            None => left_out.clone(),
        };
        facts.put("because", because);
        facts.put("left_out", left_out);
        facts
    }

    /// Until how far back was searched, as a sentence of its own; nothing where it was without end.
    fn horizon(&self, request: &Request) -> Result<String, String> {
        let Some(at) = horizon(request) else {
            return Ok(String::new());
        };
        let mut facts = Facts::default();
        facts.put("day", Ok(self.day_of(at)));
        facts.fill(self.words("horizon").unwrap_or_default())
    }

    /// How deep was searched for what an erasure left, as a sentence of its own; nothing where
    /// some source did not answer, which is named as missing then.
    fn searched(&self, request: &Request) -> String {
        let answered = |work: &&Fulfilment| {
            work.missing().all(|(target, rows)| {
                matches!(target, Target::Recipient(_)) || rows.failure == Failure::Residue
            })
        };
        let work = request.fulfilment.as_ref().filter(answered);
        let words = work.and_then(Fulfilment::search_depth);
        let words = words.and_then(|depth| match depth {
            SearchDepth::ByPath => self.words("searched.by_path"),
            SearchDepth::ByValue => self.words("searched.by_value"),
        });
        words.unwrap_or_default().to_owned()
    }

    /// What is so of every request under a regime.
    fn general(&self, regime: &Regime) -> Facts {
        let mut facts = Facts::default();
        let own = self.words.get("authority");
        facts.put(
            "reachable_authority",
            own.cloned().ok_or_else(|| "authority".to_owned()),
        );
        let named = self.speaks().authority(&regime.words.authority);
        facts.put("authority", Ok(own.cloned().unwrap_or(named)));
        let external = &regime.appeal.external;
        facts.put(
            "external",
            if external.is_empty() {
                Err(String::new())
            } else {
                Ok(self.speaks().remedy(external).to_owned())
            },
        );
        if !regime.appeal.internal {
            facts.so.push("no_appeal");
        }
        let record = self.record.as_ref();
        if record.is_some_and(|record| record.source.is_none()) {
            facts.so.push("from_person");
        }
        facts
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

    /// A ground in words, with its article.
    fn ground(
        &self,
        regime: &Regime,
        right: &Right,
        ground: &Ground,
        usage: GroundUse,
    ) -> Result<String, String> {
        let key = format!("ground.{}", ground.id());
        let known = regime.ground(ground.id(), right, usage).ok().or_else(|| {
            // What a source withheld may be what the law gives for another right.
            regime
                .grounds
                .iter()
                .find(|known| known.code == ground.id())
        });
        let words = self.words.get(&key).map(String::as_str);
        let language = self.speaks();
        let words = words.or(known.map(|known| language.ground(&known.letter)));
        let words = words.ok_or(key)?;
        let Some(known) = known else {
            return Ok(words.to_owned());
        };
        let mut said = words.to_owned();
        if !known.article.is_empty() {
            said = format!(
                "{said} ({}, {})",
                known.article,
                language.name(&regime.name)
            );
        }
        // What the law adds to a ground: no choice, or a second look.
        let added = [
            (known.mandatory, "mandatory"),
            (known.reviewable, "reviewable"),
        ];
        for (_, key) in added.into_iter().filter(|(so, _)| *so) {
            said.push(' ');
            said.push_str(self.words(key).unwrap_or_default());
        }
        Ok(said)
    }

    /// What an answer leaves out, and why: a line for each.
    fn left_out(
        &self,
        request: &Request,
        regime: &Regime,
        titles: &dyn Titles,
    ) -> Result<String, String> {
        let mut lines = Vec::new();
        if let Some(work) = &request.fulfilment {
            for (source, rows) in work.withheld() {
                let title = titles.title(&Target::Source(source.clone()));
                lines.push(self.withheld(request, regime, &title, rows)?);
            }
            for (target, rows) in work.missing() {
                lines.push(self.missing(&titles.title(&target), &rows)?);
            }
        }
        if lines.is_empty() {
            let outcome = request.lifecycle.outcome.as_ref();
            let key = outcome.map(|outcome| format!("action_taken.{}", outcome_name(outcome)));
            let words = key.and_then(|key| Some(bare(self.words(&key)?)));
            lines.extend(words);
        }
        Ok(lines.join("\n"))
    }

    fn withheld(
        &self,
        request: &Request,
        regime: &Regime,
        title: &str,
        rows: &WithheldRows,
    ) -> Result<String, String> {
        let right = &request.facts.right;
        let ground = self.ground(regime, right, &rows.ground, GroundUse::Withhold)?;
        let mut facts = Facts::default();
        facts.put("where", Ok(format!("{title}, {}", rows.collection)));
        facts.put("rows", Ok(rows.rows.to_string()));
        facts.put("ground", Ok(ground));
        let key = match rows.until {
            Until::Date(day) => {
                facts.put("until", Ok(self.day(day)));
                "withheld.date"
            }
            Until::HoldLifted => "withheld.hold",
            Until::Always => "withheld",
        };
        let mut said = facts.fill(self.words(key).unwrap_or_default())?;
        if rows.restricted {
            said.push(' ');
            said.push_str(self.words("withheld.restricted").unwrap_or_default());
        }
        Ok(said)
    }

    fn missing(&self, title: &str, rows: &MissingRows) -> Result<String, String> {
        let place = match &rows.collection {
            Some(collection) => format!("{title}, {collection}"),
            None => title.to_owned(),
        };
        let failure = self.words(&format!("failure.{}", rows.failure.code()));
        let failure = failure
            .or_else(|| self.words("failure"))
            .unwrap_or_default();
        let mut facts = Facts::default();
        facts.put("where", Ok(place));
        facts.put("failure", Ok(failure.to_owned()));
        facts.fill(self.words("missing").unwrap_or_default())
    }

    fn last_day(&self, due: &Due) -> Option<String> {
        match due {
            Due::Due { on, .. } => Some(match on {
                DueOn::Date(day) => self.day(*day),
                DueOn::Instant(at) => self.day_of(*at),
            }),
            Due::Paused { .. } => None,
        }
    }

    fn day_of(&self, at: DateTime<Utc>) -> String {
        self.day(self.calendar.date_of(at))
    }

    fn day(&self, day: NaiveDate) -> String {
        let months = self.words("months").unwrap_or_default();
        let month = months.split(',').nth(day.month0() as usize);
        let mut facts = Facts::default();
        facts.put("day", Ok(self.speaks().day(day.day())));
        facts.put("month", month.map(str::to_owned).ok_or_else(String::new));
        facts.put("year", Ok(day.year().to_string()));
        let words = facts.fill(self.words("date").unwrap_or_default());
        words.unwrap_or_else(|_| day.to_string())
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

/// The latest instant from before which some source holds nothing.
pub(super) fn horizon(request: &Request) -> Option<DateTime<Utc>> {
    let work = request.fulfilment.as_ref()?;
    work.sources
        .iter()
        .filter_map(|source| source.horizon)
        .max()
}

/// What an answer to a request that fell short does not give: a copy, or even whether there is
/// anything.
fn not_given(request: &Request, outcome: &Outcome) -> Vec<&'static str> {
    let mut so = Vec::new();
    let (false, Some(work)) = (
        matches!(outcome, Outcome::Done | Outcome::NothingFound),
        &request.fulfilment,
    ) else {
        return so;
    };
    if work.package.is_none() || !work.sources.iter().any(|source| source.worked) {
        so.push("no_copy");
    }
    if !work.sources.iter().any(|source| source.locators.is_some()) {
        so.push("not_established");
    }
    so
}

/// Whether every search was made, and found nothing.
fn nothing_held(request: &Request) -> bool {
    request.lifecycle.outcome == Some(Outcome::NothingFound)
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

/// What was done, without how it was searched.
fn bare(pattern: &str) -> String {
    pattern.replace("{horizon}", "").replace("{searched}", "")
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
