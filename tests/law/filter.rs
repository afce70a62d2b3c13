//! Taking only what was checked well enough: it makes no law more permissive, it is reported,
//! and open requests go on.

use std::collections::BTreeSet;

use datarights::law::{
    Calendar, ClockError, ClockHistory, GroundUse, Question, Readings, Regime, Regimes, Removed,
    Setting, Step, Verified, deadline,
};
use datarights::model::Right;

/// Letters that belong to no request.
const ELSEWHERE: &[Step] = &[
    Step::ComplaintAcknowledgement,
    Step::ComplaintOutcome,
    Step::ObjectionRight,
    Step::IndirectCollection,
    Step::BreachAuthority,
    Step::BreachSubject,
    Step::ErasureWarning,
];

fn each(mut look: impl FnMut(&Regime, &Regime)) {
    let all = Regimes::builtin();
    for least in [Verified::Secondary, Verified::Primary] {
        let sure = all.clone().verified_only(least);
        for id in all.ids() {
            let whole = all.versions(id.as_str()).unwrap();
            let rest = sure.versions(id.as_str()).unwrap();
            for (whole, rest) in whole.iter().zip(&rest) {
                look(whole, rest);
            }
        }
    }
}

fn rights(regime: &Regime) -> BTreeSet<Right> {
    let named = regime.rights.iter().flat_map(|rule| {
        let own = Right::from(rule.id.as_ref());
        rule.rights.iter().cloned().chain([own])
    });
    named.chain([Right::Access, Right::from("foo")]).collect()
}

fn ask(
    regime: &Regime,
    right: &Right,
    question: Question,
) -> Result<datarights::law::Due, ClockError> {
    let setting = Setting {
        regime,
        right,
        calendar: &Calendar::in_zone("Europe/Paris").unwrap(),
        readings: &Readings::default(),
    };
    let received = "2027-06-02T09:00:00Z".parse().unwrap();
    deadline(&setting, question, &ClockHistory::received(received))
}

#[test]
fn leaving_out_opens_nothing_and_moves_no_day() {
    let mut unsure = 0;
    each(|whole, rest| {
        for right in rights(whole) {
            for usage in GroundUse::ALL {
                let before = whole.accepts("because_we_say_so", &right, usage).is_err();
                let after = rest.accepts("because_we_say_so", &right, usage).is_err();
                assert_eq!(before, after, "{} {right} {usage:?}", whole.id);
            }
            for question in Question::ALL {
                let (before, after) = (ask(whole, &right, question), ask(rest, &right, question));
                if after.is_ok() {
                    assert_eq!(before, after, "{} {right} {question}", whole.id);
                }
                unsure += u32::from(matches!(after, Err(ClockError::Unsure { .. })));
            }
        }
    });
    assert!(unsure > 100, "{unsure}");
}

#[test]
fn a_right_is_served_with_every_letter_and_clock_or_not_at_all() {
    let mut served = 0;
    each(|whole, rest| {
        for right in rights(whole) {
            let answer = ask(rest, &right, Question::Response);
            if !matches!(&answer, Err(error) if !error.is_absent()) {
                served += 1;
                assert_eq!(
                    answer.is_ok(),
                    ask(whole, &right, Question::Response).is_ok()
                );
                let lost = whole.notices_for(&right).find(|notice| {
                    notice.mandatory
                        && !ELSEWHERE.contains(&notice.step)
                        && !rest.notices.contains(notice)
                });
                assert_eq!(lost, None, "{} {right}", whole.id);
            }
        }
    });
    assert!(served > 20, "{served}");
}

#[test]
fn what_was_left_out_is_reported() {
    each(|whole, rest| {
        let parts = |regime: &Regime| {
            regime.rights.len()
                + regime.clocks.len()
                + regime.pauses.len()
                + regime.grounds.len()
                + regime.notices.len()
        };
        let counted = |removed: &&Removed| !matches!(removed, Removed::Extension { .. });
        let removed = rest.removed.iter().filter(counted).count();
        assert_eq!(parts(whole), parts(rest) + removed, "{}", whole.id);
        assert_eq!(whole.removed, []);
    });
}

#[test]
fn a_pin_finds_what_was_taken_whatever_is_taken_now() {
    let all = Regimes::builtin();
    let sure = all.clone().verified_only(Verified::Secondary);
    for id in all.ids().map(|id| id.as_str()) {
        let (whole, rest) = (all.get(id).unwrap(), sure.get(id).unwrap());
        let (open, strict) = (whole.pin().unwrap(), rest.pin().unwrap());
        assert_eq!(open.digest, strict.digest, "{id}");
        for now in [&all, &sure] {
            assert_eq!(now.by_pin(&open).unwrap(), whole, "{id}");
            assert_eq!(now.by_pin(&strict).unwrap(), rest, "{id}");
        }
    }
}

#[test]
fn a_host_s_table_is_closed_unless_it_says_otherwise() {
    let table = |more: &str| -> Regime {
        let text = format!(
            r#"{{"id": "acme", "version": "1", "name": "", "jurisdiction": "", "as_of": "2026-11-21",
                "clocks": [{{"question": "response", "period": {{"unit": "days", "value": 10}}}}]{more}}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    let closed = table("");
    let refused = closed.accepts("any", &Right::Access, GroundUse::Refuse);
    assert!(refused.unwrap_err().to_string().ends_with("it gives: none"));
    assert!(matches!(
        ask(&closed, &Right::Access, Question::Response),
        Err(ClockError::UnknownRight { .. })
    ));
    let open = table(r#", "any_right": true, "any_ground": ["refuse"]"#);
    assert_eq!(
        open.accepts("any", &Right::Access, GroundUse::Refuse),
        Ok(None)
    );
    assert!(
        open.accepts("any", &Right::Access, GroundUse::Extend)
            .is_err()
    );
    assert!(ask(&open, &Right::Access, Question::Response).is_ok());
}

/// A law with two of everything: one that was looked up, and one out of memory.
fn half_checked() -> Regime {
    let text = r#"{
        "id": "acme", "version": "1", "name": "", "jurisdiction": "", "as_of": "2026-11-21",
        "rights": [
            {"id": "know", "rights": ["access"], "article": "1", "verified": "primary"},
            {"id": "drop", "rights": ["erasure"], "article": "2", "verified": "memory"}],
        "clocks": [
            {"question": "response", "period": {"unit": "days", "value": 10}, "article": "3",
                "verified": "primary",
                "extension": {"by": {"unit": "days", "value": 10}, "article": "4", "verified": "memory"}},
            {"question": "ack", "period": {"unit": "days", "value": 2}, "article": "5",
                "rights": ["access"], "verified": "memory"},
            {"question": "refusal_notice", "period": {"unit": "days", "value": 2}, "article": "6",
                "when": "acme_size=large", "verified": "memory"},
            {"question": "breach_authority", "period": {"unit": "hours", "value": 72}, "article": "7",
                "verified": "memory"}],
        "pauses": [
            {"awaiting": "identity", "basis": "statute", "article": "8", "verified": "memory"},
            {"awaiting": "fee", "basis": "statute", "article": "9", "verified": "primary"}],
        "grounds": [
            {"code": "kept", "uses": ["refuse"], "letter": "l", "article": "10", "verified": "primary"},
            {"code": "gone", "uses": ["refuse"], "letter": "l", "article": "11", "verified": "memory"}],
        "notices": [
            {"step": "response", "mandatory": true, "article": "12", "verified": "primary"},
            {"step": "fee", "mandatory": true, "rights": ["export"], "article": "13", "verified": "memory"},
            {"step": "refusal", "mandatory": false, "article": "14", "verified": "memory"},
            {"step": "breach_authority", "mandatory": true, "article": "15", "verified": "memory"}],
        "facts": {}}"#;
    serde_json::from_str(text).unwrap()
}

fn described<'a>(removed: impl IntoIterator<Item = &'a Removed>) -> Vec<String> {
    removed.into_iter().map(Removed::describe).collect()
}

#[test]
fn what_stays_was_checked_and_what_went_was_not() {
    let rest = half_checked().verified_at_least(Verified::Secondary);
    assert_eq!(
        described(&rest.removed),
        [
            "the right `drop` (2)",
            "the clock `ack` (5)",
            "the clock `refusal_notice` (6)",
            "the clock `breach_authority` (7)",
            "the extension of `response` (4)",
            "a pause (8)",
            "the ground `gone` (11)",
            "the notice `fee` (13)",
            "the notice `refusal` (14)",
            "the notice `breach_authority` (15)",
        ]
    );
    let stays: Vec<&str> = (rest.rights.iter().map(|right| &*right.article))
        .chain(rest.clocks.iter().map(|clock| &*clock.article))
        .chain(rest.pauses.iter().map(|pause| &*pause.article))
        .chain(rest.grounds.iter().map(|ground| &*ground.article))
        .chain(rest.notices.iter().map(|notice| &*notice.article))
        .collect();
    assert_eq!(stays, ["1", "3", "9", "10", "12"]);
    assert_eq!(rest.clocks[0].extension, None);
    each(|whole, rest| {
        let least = rest.pin().unwrap().least;
        let sure = |fact: &&datarights::law::Fact| fact.verified >= least;
        for (topic, facts) in &whole.facts {
            let kept: Vec<_> = facts.iter().filter(sure).collect();
            assert_eq!(rest.facts_on(*topic).iter().collect::<Vec<_>>(), kept);
            assert_eq!(rest.facts.contains_key(topic), !kept.is_empty());
        }
    });
}

#[test]
fn a_request_lacks_what_its_own_right_needs_and_nothing_else() {
    let rest = half_checked().verified_at_least(Verified::Secondary);
    let lacks = |right: &str, readings: &Readings| {
        let right = Right::from(right);
        let lacks: Vec<Removed> = rest.lacks_for(&right, readings).cloned().collect();
        described(&lacks)
    };
    let (small, large) = (
        Readings::default(),
        Readings::default().with_circumstance("acme_size=large"),
    );
    assert_eq!(lacks("access", &small), ["the clock `ack` (5)"]);
    assert_eq!(lacks("know", &small), ["the clock `ack` (5)"]);
    assert_eq!(
        lacks("access", &large),
        ["the clock `ack` (5)", "the clock `refusal_notice` (6)"]
    );
    for erasure in ["erasure", "drop"] {
        assert_eq!(lacks(erasure, &small), ["the right `drop` (2)"]);
    }
    assert_eq!(lacks("export", &small), ["the notice `fee` (13)"]);
    assert_eq!(lacks("objection", &small), Vec::<String>::new());
}
