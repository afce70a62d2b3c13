//! The worked cases, with their dates and their first late instant.

use chrono::{DateTime, NaiveDate, Utc, Weekday};
use datarights::law::{
    Calendar, ClockEvent, ClockEventKind, ClockHistory, Due, DueOn, HolidayList, Question,
    Readings, Regimes, Setting, Weekdays, deadline, neutral_right,
};
use datarights::model::Right;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    regime: String,
    right: String,
    compute: String,
    received: DateTime<Utc>,
    timezone: String,
    events: Vec<Event>,
    weekend: Vec<Weekday>,
    holidays: Vec<NaiveDate>,
    extra_workdays: Vec<NaiveDate>,
    policy: String,
    expect_due: Option<String>,
    expect_state: String,
    due_end_exclusive_utc: Option<DateTime<Utc>>,
    due_instant_utc: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: ClockEventKind,
    at: DateTime<Utc>,
}

fn given() -> Vec<Case> {
    serde_json::from_str(include_str!("deadline_vectors.json")).unwrap()
}

#[test]
fn every_given_case_falls_due_as_it_says() {
    let regimes = Regimes::builtin();
    for case in given() {
        if case.regime == "retention_conflicts" {
            continue;
        }
        let calendar = Calendar::in_zone(&case.timezone)
            .unwrap()
            .with_weekend(Weekdays::of(case.weekend))
            .with_holidays(HolidayList::new(case.holidays).with_working(case.extra_workdays));
        let regime = regimes
            .in_force(&case.regime, calendar.date_of(case.received))
            .unwrap();
        let named = Right::from(case.right.as_str());
        let right = match regime.right(&named) {
            Some(_) => named,
            None => neutral_right(&case.right),
        };
        let readings: Readings = case.policy.parse().unwrap();
        let question: Question = case.compute.parse().unwrap();
        let mut history = ClockHistory::received(case.received);
        for event in case.events {
            history.push(ClockEvent {
                at: event.at,
                kind: event.kind,
                until: None,
            });
        }
        let setting = Setting {
            regime: &regime,
            right: &right,
            calendar: &calendar,
            readings: &readings,
        };
        let due = deadline(&setting, question, &history)
            .unwrap_or_else(|error| panic!("{}: {error}", case.id));
        match due {
            Due::Paused { .. } => assert_eq!(case.expect_state, "paused", "{}", case.id),
            Due::Due { on, late_from, .. } => {
                assert_eq!(case.expect_state, "due", "{}", case.id);
                let printed = match on {
                    DueOn::Date(date) => date.to_string(),
                    DueOn::Instant(at) => at.with_timezone(&calendar.zone()).to_rfc3339(),
                };
                assert_eq!(Some(printed), case.expect_due, "{}", case.id);
                let late = case.due_end_exclusive_utc.or(case.due_instant_utc);
                assert_eq!(Some(late_from), late, "{}", case.id);
            }
        }
    }
}
