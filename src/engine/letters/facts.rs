//! What is so of a request and is said in its letters: days, grounds, what was left out and why.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::law::{Due, DueOn, GroundUse, Regime};
use crate::model::{
    Failure, Ground, MissingRows, Outcome, Right, SearchDepth, Until, Verdict, WithheldRows,
};
use crate::workflow::fulfilment::Fulfilment;
use crate::workflow::{Letter, Request, Target};

use super::super::controller::Controller;
use super::super::words::{Facts, outcome_name};
use super::Titles;

impl Controller {
    pub(super) fn facts(
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
    pub(super) fn general(&self, regime: &Regime) -> Facts {
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

    /// A ground in words, with its article.
    pub(super) fn ground(
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

/// The latest instant from before which some source holds nothing.
pub(in crate::engine) fn horizon(request: &Request) -> Option<DateTime<Utc>> {
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
pub(super) fn nothing_held(request: &Request) -> bool {
    request.lifecycle.outcome == Some(Outcome::NothingFound)
}

/// What was done, without how it was searched.
fn bare(pattern: &str) -> String {
    pattern.replace("{horizon}", "").replace("{searched}", "")
}
