//! Where a clock starts when something was asked of the person: a fee, who they are; and what of that
//! moves nothing. A made-up law of ten days from 2 March, against dates counted by hand.

use chrono::{DateTime, NaiveDate, Utc};
use datarights::law::{
    Awaiting, Calendar, ClockError, ClockEventKind, ClockHistory, Due, DueOn, Question, Readings,
    Setting, deadline,
};
use datarights::model::Right;

use crate::pieces::host_table;

use ClockEventKind::{
    ClarificationRequested, FeeNotified, FeePaid, FeeRequested, FeeWaived, IdentityConfirmed,
    IdentityRequested, WaitingEnded,
};

fn march(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn noon(day: u32) -> DateTime<Utc> {
    march(day).and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// A law with this clock of the answer, and these pauses; what is asked of it after these events.
fn asked(
    (clock, pauses): (&str, &str),
    readings: &str,
    question: Question,
    events: &[(ClockEventKind, u32)],
) -> Result<Due, ClockError> {
    let mut law = host_table(&format!(r#", "any_right": true, "pauses": [{pauses}]"#));
    law.clocks =
        serde_json::from_str(&format!(r#"[{{"question": "response", {clock}}}]"#)).unwrap();
    let setting = Setting {
        regime: &law,
        right: &Right::Access,
        calendar: &Calendar::in_zone("UTC").unwrap(),
        readings: &readings.parse::<Readings>().unwrap(),
    };
    let received = ClockHistory::received(noon(2));
    let history = (events.iter()).fold(received, |history, (kind, day)| {
        history.with(*kind, noon(*day))
    });
    deadline(&setting, question, &history)
}

fn on(due: Result<Due, ClockError>) -> NaiveDate {
    match due {
        Ok(Due::Due {
            on: DueOn::Date(day),
            ..
        }) => day,
        other => panic!("{other:?}"),
    }
}

const WHEN_ASKED: (&str, &str) = (
    r#""period": {"unit": "days", "value": 10}, "start": "relevant_time""#,
    "",
);

#[test]
fn a_fee_that_is_waived_was_never_asked_whatever_happened_in_between() {
    let asked = |events: &[_]| asked(WHEN_ASKED, "", Question::Response, events);
    let waits = |awaiting| Ok(Due::Paused { awaiting });
    assert_eq!(asked(&[(FeeRequested, 4)]), waits(Awaiting::Fee));
    assert_eq!(on(asked(&[(FeeRequested, 4), (FeePaid, 6)])), march(16));
    assert_eq!(on(asked(&[(FeeRequested, 4), (FeeWaived, 6)])), march(12));
    let between = [
        (FeeRequested, 4),
        (ClarificationRequested, 5),
        (FeeWaived, 6),
    ];
    assert_eq!(on(asked(&between)), march(12));
    // What was paid is not waived by what is waived later.
    let second = [
        (FeeRequested, 4),
        (FeePaid, 6),
        (FeeRequested, 7),
        (FeeWaived, 8),
    ];
    assert_eq!(on(asked(&second)), march(16));
}

#[test]
fn a_fee_that_is_waited_for_no_longer_leaves_the_days_to_think_about_it() {
    let reflect = (
        r#""period": {"unit": "days", "value": 10}, "start": {"fee_reflection_end": {"days": 5}}"#,
        "",
    );
    let asked = |events: &[_]| asked(reflect, "", Question::Response, events);
    let waits = Ok(Due::Paused {
        awaiting: Awaiting::Fee,
    });
    assert_eq!(asked(&[(FeeNotified, 4)]), waits);
    // To the ninth, and ten days more.
    assert_eq!(on(asked(&[(FeeNotified, 4), (WaitingEnded, 6)])), march(19));
}

#[test]
fn the_reading_that_identity_starts_the_clock_again_is_none_where_the_statute_has_a_pause_for_it() {
    let clock = r#""period": {"unit": "days", "value": 10}, "pausable": true"#;
    let pause = |basis| format!(r#"{{"awaiting": "identity", "basis": "{basis}"}}"#);
    let events = [(IdentityRequested, 4), (IdentityConfirmed, 6)];
    let asked = |basis| {
        let pauses = pause(basis);
        let readings = "eu_identity=restart";
        on(asked(
            (clock, &pauses),
            readings,
            Question::Response,
            &events,
        ))
    };
    assert_eq!(asked("reading"), march(16));
    // The fourth to the sixth are three days.
    assert_eq!(asked("statute"), march(15));
}

#[test]
fn the_last_day_for_a_notice_is_known_though_the_answer_has_none_and_identity_was_asked_for() {
    let unnumbered = (
        r#""period": {"unit": "unnumbered"}, "start": "relevant_time",
            "extension": {"by": {"unit": "unnumbered"}, "notice_within": {"unit": "days", "value": 5}}"#,
        "",
    );
    let events = [(IdentityRequested, 4), (IdentityConfirmed, 6)];
    let cutoff = asked(unnumbered, "", Question::ExtensionNoticeCutoff, &events);
    assert_eq!(on(cutoff), march(11));
}
