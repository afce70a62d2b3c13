//! The words of letters, in English and French. A host may give its own for any of them, by the same keys.
//!
//! In braces stands what the engine fills in. An item of a letter is looked up as
//! `letter.step.item`, then `step.item`, then `item`; first of all with what is so of the request
//! behind it (`action_taken.partly`). Of a request that was not carried out in full, ours of that
//! kind go before a host's that are for every request: those would say what is not so.

mod law;
mod table;

use std::collections::BTreeMap;

use crate::law::{Item, Step};
use crate::model::{Fee, Outcome};
use crate::workflow::Letter;

use table::WORDS;

/// A language in which we have words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    English,
    French,
}

impl Language {
    /// French for `fr` and its regions (BCP 47), else English.
    pub(super) fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.eq_ignore_ascii_case("fr") {
            true => Self::French,
            false => Self::English,
        }
    }

    /// The words for a key; `None` where only the host can know them.
    pub(super) fn says(self, key: &str) -> Option<&'static str> {
        let row = WORDS.iter().find(|(known, _, _)| *known == key);
        row.map(|(_, english, french)| match self {
            Self::English => *english,
            Self::French => *french,
        })
    }

    /// The sentence of a ground. What is not of our tables is in the host's own language.
    pub(super) fn ground(self, letter: &str) -> &str {
        self.of_law(law::GROUNDS, letter)
    }

    /// What a law is called.
    pub(super) fn name(self, law: &str) -> &str {
        self.of_law(law::NAMES, law)
    }

    /// Where else a person can turn.
    pub(super) fn remedy(self, external: &str) -> &str {
        self.of_law(law::REMEDIES, external)
    }

    /// An authority in a sentence.
    pub(super) fn authority(self, name: &str) -> String {
        match (self, name) {
            (Self::English, "supervisory authority") => "a supervisory authority".to_owned(),
            (Self::English, name) => format!("the {name}"),
            (Self::French, name) => self.of_law(law::AUTHORITIES, name).to_owned(),
        }
    }

    /// The number of a day in a date.
    pub(super) fn day(self, number: u32) -> String {
        match (self, number) {
            (Self::French, 1) => "1er".to_owned(),
            _ => number.to_string(),
        }
    }

    /// A fee in the currency's own unit: `12.50 EUR`.
    pub(super) fn amount(self, fee: &Fee) -> String {
        let amount = amount(fee);
        match self {
            Self::English => amount,
            Self::French => amount.replace('.', ","),
        }
    }

    fn of_law<'t>(self, list: &[(&str, &'static str)], text: &'t str) -> &'t str {
        match self {
            Self::English => text,
            Self::French => {
                let row = list.iter().find(|(english, _)| *english == text);
                row.map_or(text, |(_, french)| *french)
            }
        }
    }
}

/// What is so of a request and can be said of it; `Err` names what is missing instead.
#[derive(Default)]
pub(super) struct Facts {
    places: BTreeMap<&'static str, Result<String, String>>,
    /// What is so, for words that depend on it.
    pub(super) so: Vec<&'static str>,
    /// Whether it came to an outcome, and was not carried out in full.
    pub(super) fell_short: bool,
}

impl Facts {
    pub(super) fn put(&mut self, place: &'static str, value: Result<String, String>) {
        self.places.insert(place, value);
    }

    pub(super) fn fill(&self, pattern: &str) -> Result<String, String> {
        fill(pattern, |place| match self.places.get(place) {
            Some(value) => value.clone(),
            None => Err(place.to_owned()),
        })
    }
}

/// Fills `{name}` places in one pass, so that what is filled in is never itself filled.
fn fill(pattern: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((place, behind)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        text.push_str(&value(place)?);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

/// Under which keys the words of an item are looked up, the most precise first: those for what is
/// so of the request, and those for every request.
pub(super) struct Keys {
    pub(super) so: Vec<String>,
    pub(super) plain: Vec<String>,
}

impl Keys {
    pub(super) fn of(item: &Item, step: Step, letter: Letter, so: &[&str]) -> Self {
        let (letter, step, item) = (letter.name(), step.name(), item.id.as_ref());
        let plain = vec![
            format!("{letter}.{step}.{item}"),
            format!("{step}.{item}"),
            item.to_owned(),
        ];
        let with = |place: &String| {
            let so = so.iter().map(|so| format!("{place}.{so}"));
            so.collect::<Vec<_>>()
        };
        Self {
            so: plain.iter().flat_map(with).collect(),
            plain,
        }
    }
}

pub(super) const fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Partly => "partly",
        Outcome::NothingFound => "nothing_found",
        Outcome::Unsupported => "unsupported",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "cancelled",
    }
}

/// A fee in the currency's own unit. The decimals are those of ISO 4217.
fn amount(fee: &Fee) -> String {
    let decimals = match fee.currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(decimals);
    let (whole, part) = (fee.minor_units / unit, fee.minor_units % unit);
    match decimals {
        0 => format!("{whole} {}", fee.currency),
        width => format!(
            "{whole}.{part:0width$} {}",
            fee.currency,
            width = width as usize
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::{Language, WORDS, law};
    use crate::law::Regimes;

    /// The places in braces of a sentence.
    fn places(text: &str) -> BTreeSet<&str> {
        let behind = text.split('{').skip(1);
        behind.filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_key_has_one_row_and_both_languages_name_the_same_places() {
        let mut keys = BTreeSet::new();
        for (key, english, french) in WORDS {
            assert!(keys.insert(key), "{key} twice");
            assert_eq!(places(english), places(french), "{key}");
            let said = places(english).is_empty();
            assert!(!said || english != french, "{key} is in one language");
        }
        let months = |language: Language| language.says("months").unwrap().split(',').count();
        assert_eq!(
            (months(Language::English), months(Language::French)),
            (12, 12)
        );
    }

    /// What a letter takes from our tables is there in French, and nothing that no table says.
    #[test]
    fn all_that_our_laws_say_in_letters_is_there_in_french() {
        let regimes = Regimes::builtin();
        let mut said = [const { BTreeSet::new() }; 4];
        for id in regimes.ids() {
            for regime in regimes.versions(id.as_str()).unwrap() {
                said[0].extend(regime.grounds.iter().map(|known| known.letter.to_string()));
                said[1].insert(regime.words.authority.to_string());
                said[2].insert(regime.appeal.external.to_string());
                said[3].insert(regime.name.to_string());
            }
        }
        said[2].remove("");
        let french = [law::GROUNDS, law::AUTHORITIES, law::REMEDIES, law::NAMES];
        for (at, (said, french)) in said.iter().zip(french).enumerate() {
            let known: BTreeSet<_> = french.iter().map(|(text, _)| (*text).to_owned()).collect();
            assert_eq!(known.len(), french.len(), "one row each");
            assert_eq!(known.difference(said).next(), None, "no table says that");
            // Most laws are called as they are at home.
            if at < 3 {
                assert_eq!(said.difference(&known).next(), None, "not in French");
            }
        }
    }

    #[test]
    fn a_language_is_known_by_its_tag() {
        for tag in ["fr", "FR", "fr-CA", "fr_CH"] {
            assert_eq!(Language::of(tag), Language::French, "{tag}");
        }
        for tag in ["en", "", "frr", "de-CH"] {
            assert_eq!(Language::of(tag), Language::English, "{tag}");
        }
    }
}
