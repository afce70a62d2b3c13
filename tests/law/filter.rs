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
