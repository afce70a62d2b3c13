//! Extensions whose length the notice names, the last day for a notice, and what a question asked on the
//! last day does: a made-up law of ten days against dates counted by hand.

use chrono::{DateTime, NaiveDate, Utc};
use datarights::law::{
    Calendar, ClockError, ClockEvent, ClockEventKind, ClockHistory, Due, DueOn, HolidayList,
    Question, Readings, Regime, Setting, deadline,
};
use datarights::model::Right;

use crate::pieces::host_table;

use ClockEventKind::{ClarificationReceived, ClarificationRequested, ExtensionNotified};

fn march(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn noon(day: u32) -> DateTime<Utc> {
    march(day).and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// Received on 2 March: ten days end on the twelfth.
fn received() -> ClockHistory {
    ClockHistory::received(noon(2))
}

fn promising(history: &ClockHistory, at: u32, until: u32) -> ClockHistory {
    let mut history = history.clone();
    history.push(ClockEvent {
        at: noon(at),
        kind: ExtensionNotified,
        until: Some(march(until)),
    });
    history
}

/// The clock stands still while the person is asked what they mean, both days included.
fn law(period: &str, extension: &str) -> Regime {
    let mut law = host_table(
        r#", "any_right": true, "pauses": [{"awaiting": "clarification", "basis": "statute"}]"#,
    );
    let clock = format!(
        r#"[{{"question": "response", "period": {period}, "pausable": true,
            "roll": {{"weekdays": [], "holidays": true}}, "extension": {extension}}}]"#
    );
    law.clocks = serde_json::from_str(&clock).unwrap();
    law
}

const TEN_DAYS: &str = r#"{"unit": "days", "value": 10}"#;
const NO_NUMBER: &str = r#"{"unit": "unnumbered"}"#;

/// The last day, and whether it is provisional. No holiday is known after that day.
fn answer(
    law: &Regime,
    question: Question,
    history: &ClockHistory,
    known: u32,
) -> Result<(NaiveDate, bool), ClockError> {
    let holidays = HolidayList::new([]).complete_until(march(known));
    let calendar = Calendar::in_zone("UTC").unwrap().with_holidays(holidays);
    let setting = Setting {
        regime: law,
        right: &Right::Access,
        calendar: &calendar,
        readings: &Readings::default(),
    };
    match deadline(&setting, question, history)? {
        Due::Due {
            on: DueOn::Date(day),
            provisional,
            ..
        } => Ok((day, provisional)),
        other => panic!("{other:?}"),
    }
}

fn promised() -> Regime {
    law(TEN_DAYS, &format!(r#"{{"by": {NO_NUMBER}}}"#))
}

#[test]
fn a_promise_must_give_more_time_than_there_was_when_it_was_given() {
    // The twelfth, and the three days on which the person was asked before.
    let asked = received()
        .with(ClarificationRequested, noon(4))
        .with(ClarificationReceived, noon(6));
    let until = |day| {
        let history = promising(&asked, 7, day);
        answer(&promised(), Question::Response, &history, 31)
    };
    let shortens = ClockError::ExtensionShortens {
        until: march(15),
        earliest: march(16),
    };
    assert_eq!(until(15), Err(shortens));
    assert_eq!(until(16), Ok((march(16), false)));
}

#[test]
fn what_stands_still_after_a_promise_moves_the_law_s_own_day_and_perhaps_beyond_it() {
    let promised = promised();
    let until_14 = promising(&received(), 5, 14);
    let asked_from_6_to = |day| {
        let history = until_14
            .clone()
            .with(ClarificationRequested, noon(6))
            .with(ClarificationReceived, noon(day));
        answer(&promised, Question::Response, &history, 13)
    };
    // One day: the law's own day is the thirteenth, and the promise is kept.
    assert_eq!(asked_from_6_to(6), Ok((march(14), false)));
    // Two: it is the day that was promised, and would move if that were a holiday.
    assert_eq!(asked_from_6_to(7), Ok((march(14), true)));
    assert_eq!(asked_from_6_to(9), Ok((march(16), true)));
}

#[test]
fn the_last_day_for_a_notice_counts_from_the_date_of_the_letter_where_the_law_says_so() {
    let within =
        r#""by": {"unit": "days", "value": 30}, "notice_within": {"unit": "days", "value": 5}"#;
    let from_receipt = law(TEN_DAYS, &format!("{{{within}}}"));
    let from_letter = law(
        TEN_DAYS,
        &format!(r#"{{{within}, "notice_from_request_date": true}}"#),
    );
    let dated = received().requested_on(march(1));
    for (law, history, last) in [
        (&from_receipt, &dated, 7),
        (&from_letter, &dated, 6),
        (&from_letter, &received(), 7),
    ] {
        let cutoff = answer(law, Question::ExtensionNoticeCutoff, history, 31);
        assert_eq!(cutoff, Ok((march(last), false)));
    }
}

#[test]
fn a_notice_can_have_a_last_day_where_the_answer_has_none() {
    let within = r#"{"unit": "days", "value": 5}"#;
    let law = law(
        NO_NUMBER,
        &format!(r#"{{"by": {NO_NUMBER}, "notice_within": {within}}}"#),
    );
    let ask = |question| answer(&law, question, &received(), 31);
    assert_eq!(ask(Question::ExtensionNoticeCutoff), Ok((march(7), false)));
    for question in [Question::Response, Question::ExtendedResponse] {
        let none = ask(question);
        assert!(
            matches!(none, Err(ClockError::Unnumbered { .. })),
            "{none:?}"
        );
    }
}

#[test]
fn what_is_asked_on_the_last_day_still_stops_the_clock_and_a_day_later_no_more() {
    let law = promised();
    let asked_on = |day| {
        let history = received()
            .with(ClarificationRequested, noon(day))
            .with(ClarificationReceived, noon(14));
        answer(&law, Question::Response, &history, 31)
    };
    // The twelfth to the fourteenth are three days.
    assert_eq!(asked_on(12), Ok((march(15), false)));
    assert_eq!(asked_on(13), Ok((march(12), false)));
}

#[test]
fn a_history_is_read_back_with_all_that_is_in_it() {
    let history =
        promising(&received().requested_on(march(1)), 5, 14).with(ClarificationRequested, noon(6));
    let written = serde_json::to_string(&history).unwrap();
    assert_eq!(
        serde_json::from_str::<ClockHistory>(&written).unwrap(),
        history
    );
}
