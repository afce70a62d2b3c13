//! The words of letters, in English. A host may give its own for any of them, by the same keys.
//!
//! In braces stands what the engine fills in. An item of a letter is looked up as
//! `letter.step.item`, then `step.item`, then `item`; first of all with what is so of the request
//! behind it (`action_taken.partly`). Of a request that was not carried out in full, ours of that
//! kind go before a host's that are for every request: those would say what is not so.

use std::collections::BTreeMap;

use crate::law::{Item, Step};
use crate::model::{Fee, Outcome};
use crate::workflow::Letter;

/// The words for a key; `None` where only the host can know them.
#[rustfmt::skip] // one line for one key
pub(super) fn english(key: &str) -> Option<&'static str> {
    Some(match key {
        // Receipt.
        "receipt" => "We received your request on {received}. Its number is {request}.",
        "process" => "We check that the request comes from you, decide on it, carry it out in all our systems and tell you the outcome.",
        "verification" => "We compare what you give us with what we already hold about you; where that is not enough, we ask you for more.",
        "when" => "You can expect our answer by {due}.",
        "when.undated" => "You can expect our answer without undue delay.",

        // Questions to the person.
        "needed" => "Please answer the identity check that goes with this letter.",
        "doubt" => "Your request does not yet show that it comes from you, and nobody else may have your data.",
        "charge" => "We charge a fee. {ground}",
        "amount" => "The fee is {amount}.",
        "withdraw" => "You can withdraw your request; then you pay nothing.",
        "confirm" => "If you do not accept the fee within ten days, your request counts as withdrawn.",

        // Taking longer.
        "extension" | "new_date" | "completion" => "Our answer takes longer: you will have it by {due}.",
        "extension.undated" | "new_date.undated" | "completion.undated" => "Our answer takes longer; the time does not run while we wait for you.",
        "reasons" | "ground" => "{ground}",

        // Refusing, in whole or in part.
        "refusal" => "We do not carry out your request.",
        "response.refusal.reasons" => "{left_out}",
        "appeal_denied.reasons" => "We looked at our decision again, and it stands. {because}",
        "cannot_identify" => "We cannot tell which data are yours.",
        "cannot_verify" => "We could not verify your identity.",
        "cannot_identify.categories" => "We treat your request as one for the categories of information.",
        "complaint" => "You can lodge a complaint with {authority}.",
        "complain" => "You can complain to {reachable_authority}.",
        "complaint_controller" => "You can complain to us about how your request was handled.",
        "judicial_remedy" => "You can also go to court.",
        "remedy" | "remedies" | "recourse" => "You can turn to: {external}.",
        "appeal.no_appeal" => "There is no appeal to us; you can complain to {authority}.",
        "help" => "If anything in this letter is not clear to you, we help you to understand it.",

        "mandatory" => "The law leaves us no choice in this.",
        "reviewable" => "You can have this decision reviewed by somebody who did not take part in it.",

        // Recipients.
        "recipient_notice.change.rectified" => "Data about this person were corrected; correct them too.",
        "recipient_notice.change.erased" => "Data about this person were erased; erase them too, with every copy and every link to them.",
        "recipient_notice.change.restricted" => "The processing of data about this person is restricted; restrict it too.",
        "recipient_notice.change.lifted" => "The processing of data about this person is not restricted any more.",
        "recipient_notice.change.ended" => "Uses of data about this person have ended; end them too.",

        // The answer.
        "action_taken.upheld" => "A person looked at the decision again, and it stands.",
        "action_taken.changed" => "A person looked at the decision again, and it was changed.",
        "action_taken.done" => "Your request was carried out in full.{horizon}",
        "action_taken.partly" => "Your request was carried out in part; what was left out is named.{horizon}",
        "action_taken.nothing_found" => "We searched for data about you and found none.{horizon}",
        "horizon" => " We hold nothing from before {day}.",
        "action_taken.unsupported" => "None of our systems can do what you asked for.",
        "action_taken.failed" => "Your request could not be carried out.",
        "action_taken.cancelled" => "Your request was stopped before anything was changed.",
        "confirmation" => "We process data about you.",
        "confirmation.nothing_found" | "data.nothing_found" => "We searched for data about you and found none.",
        "rights" => "You can ask us to correct or erase the data or to restrict their processing, and you can object to it.",
        "confirmation.not_established" => "We could not establish whether we process data about you.",
        "copy.no_copy" | "data.no_copy" => "No copy of the data goes with this answer.",
        "copy" | "data" => "A copy of the data goes with this answer.",
        "origin.from_person" => "The data come from you.",
        "absence.nothing_found" => "We hold no data about you.",
        "record_kept" => "We keep a record of your request, as the law demands.",
        "recipients_named.recipients" => "They were told: {recipients}.",
        "status" => "Your opt-out was carried out.",
        "intervention" => "You can have a human look at the decision.",
        "point_of_view" => "You can tell us your point of view.",
        "contest" => "You can contest the decision.",
        "lifted" => "The restriction of your data is about to be lifted.",

        // What was left out.
        "withheld" => "{where} ({rows}): kept. {ground}",
        "withheld.date" => "{where} ({rows}): kept until {until}. {ground}",
        "withheld.hold" => "{where} ({rows}): kept until a legal hold is lifted. {ground}",
        "missing" => "{where}: {failure}.",
        "failure.unsupported" => "the system cannot do this",
        "failure.unavailable" => "the system did not answer in time",
        "failure.refused" => "the system refused",
        "failure.nonsense" => "the system answered what cannot be",
        "failure.broke" => "the system stopped in the middle of its work",
        "failure.no_identifier" => "nothing we know of you can be searched for there",
        "failure.no_such_field" => "we hold no such data about you that could be corrected",
        "failure.blocked" => "something that must come first failed",
        "failure.residue" => "data was still there after the erasure",
        "failure" => "it could not be done",

        // Sections of the package's page.
        "title.purposes" | "title.purpose" => "What we use the data for",
        "title.categories" => "Which kinds of data",
        "title.recipients" => "Who receives them",
        "title.period" => "How long we keep them",
        "title.rights" => "Your rights",
        "title.complaint" => "Where you can complain",
        "title.source" | "title.origin" => "Where the data come from",
        "title.automated_decisions" => "Automated decisions",
        "title.transfer_safeguards" => "Transfers to other countries",
        "title.criteria" => "How the data are used",
        "title.controller" => "Who we are",

        "date" => "{day} {month} {year}",
        "months" => "January,February,March,April,May,June,July,August,September,October,November,December",
        _ => return None,
    })
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

/// A fee in the currency's own unit: `12.50 EUR`. The decimals are those of ISO 4217.
pub(super) fn amount(fee: &Fee) -> String {
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
