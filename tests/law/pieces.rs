//! The small pieces that laws are told with, each against what is written by hand: periods, days,
//! duties, notices, names.

use chrono::{NaiveDate, Weekday};
use datarights::law::{
    Calendar, ClockHistory, Content, GroundUse, HolidayList, HolidayRule, Holidays, InForce, Item,
    JoinedHolidays, Letter, Meanwhile, Notice, Period, Readings, Regime, RegimeDigest, Regimes,
    RetentionDuty, RetentionFacts, RetentionStart, Setting, Step, Verified, Weekdays,
};
use datarights::model::Right;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

pub(crate) fn host_table(more: &str) -> Regime {
    let text = format!(
        r#"{{"id": "acme", "version": "1", "name": "", "jurisdiction": "", "as_of": "2026-11-21",
            "clocks": []{more}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn periods_of_one_unit_add_up_and_others_do_not() {
    use Period::{AtOnce, BusinessDays, Days, Hours, Months, Unnumbered, Weeks, Years};
    for unit in [Hours, Days, BusinessDays, Weeks, Months, Years] {
        assert_eq!(unit(1).plus(unit(2), 3), Some(unit(7)));
        assert_eq!(unit(u32::MAX).plus(unit(1), 1), None);
        for other in [
            Hours(1),
            Days(1),
            BusinessDays(1),
            Weeks(1),
            Months(1),
            Years(1),
        ] {
            let same = std::mem::discriminant(&unit(1)) == std::mem::discriminant(&other);
            assert_eq!(unit(1).plus(other, 1).is_some(), same, "{other}");
        }
    }
    for without in [AtOnce, Unnumbered] {
        assert_eq!(without.plus(without, 1), None);
    }
}

#[test]
fn a_period_is_counted_back_as_far_as_it_says() {
    use Period::{AtOnce, BusinessDays, Days, Hours, Months, Unnumbered, Weeks, Years};
    let end = day("2028-03-31");
    let back = [
        (Days(31), "2028-02-29"),
        (Weeks(3), "2028-03-10"),
        (Months(1), "2028-02-29"),
        (Years(3), "2025-03-31"),
        (AtOnce, "2028-03-31"),
    ];
    for (period, first) in back {
        assert_eq!(period.before(end), Some(day(first)), "{period}");
    }
    for period in [Hours(1), BusinessDays(1), Unnumbered] {
        assert_eq!(period.before(end), None);
    }
}

#[test]
fn a_version_is_in_force_from_its_first_day_to_the_day_before_its_end() {
    let text = r#"{"from": "2026-01-01", "until": "2027-01-01", "verified": "primary"}"#;
    let force: InForce = serde_json::from_str(text).unwrap();
    let within = ["2026-01-01", "2026-12-31"].map(day);
    let without = ["2025-12-31", "2027-01-01"].map(day);
    assert!(within.into_iter().all(|date| force.contains(date)));
    assert!(!without.into_iter().any(|date| force.contains(date)));
    assert!(InForce::default().contains(day("1900-01-01")));
}

#[test]
fn the_duty_that_holds_longest_is_named_and_the_first_of_equals() {
    let duty = |id: &'static str, years| {
        let (kept, from) = (Meanwhile::Restrict, RetentionStart::Document);
        RetentionDuty::new(id, "", "", Period::Years(years), from, kept)
    };
    let (short, long, too) = (duty("short", 3), duty("long", 10), duty("too", 10));
    let facts = RetentionFacts::on(day("2020-05-04"));
    for duties in [
        [&short, &long, &too],
        [&long, &short, &too],
        [&long, &too, &short],
    ] {
        let (until, named) = RetentionDuty::latest(duties, facts).unwrap();
        assert_eq!((until, &*named.id), (day("2030-05-04"), "long"));
    }
    let (until, named) = RetentionDuty::latest([&short], facts).unwrap();
    assert_eq!((until, &*named.id), (day("2023-05-04"), "short"));
}

#[test]
fn a_day_that_is_set_back_across_midnight_ends_when_it_is_over_for_good() {
    // At 00:01 clocks went back to 23:01 of the day before: that day was not over yet.
    let twice = Calendar::in_zone("America/St_Johns").unwrap();
    assert_eq!(
        twice.end_of(day("2010-11-06")),
        Some(instant("2010-11-07T03:30:00Z"))
    );
    // Clocks go back from 01:00 to 00:00: the first midnight is the one that ends the day.
    let once = Calendar::in_zone("America/Havana").unwrap();
    assert_eq!(
        once.end_of(day("2024-11-02")),
        Some(instant("2024-11-03T04:00:00Z"))
    );
}

#[test]
fn a_calendar_says_what_it_was_given() {
    let holidays = HolidayList::new([day("2026-05-01")]).complete_until(day("2026-12-31"));
    let weekend = Weekdays::of([Weekday::Fri, Weekday::Sat]);
    let calendar = Calendar::in_zone("Asia/Riyadh").unwrap();
    let calendar = calendar.with_weekend(weekend).with_holidays(holidays);
    assert_eq!(calendar.weekend(), weekend);
    assert_ne!(calendar.weekend(), Weekdays::SATURDAY_SUNDAY);
    assert_eq!(calendar.known_until(), Some(day("2026-12-31")));
    let shown = format!("{calendar:?}");
    for said in ["Asia/Riyadh", "2026-12-31"] {
        assert!(shown.contains(said), "{shown}");
    }
    let rule = HolidayRule::new(|_| false);
    assert!(format!("{rule:?}").contains("HolidayRule"));
    let joined = JoinedHolidays::new([std::sync::Arc::new(rule) as std::sync::Arc<dyn Holidays>]);
    assert!(format!("{joined:?}").contains("1 calendars"));
}

#[test]
fn how_well_a_thing_was_checked_is_written_as_it_is_read() {
    for verified in [Verified::Memory, Verified::Secondary, Verified::Primary] {
        let read: Verified = serde_json::from_str(&format!("\"{verified}\"")).unwrap();
        assert_eq!(read, verified);
    }
}

#[test]
fn each_step_is_named_as_it_is_written() {
    let mut steps = 0;
    for regime in Regimes::builtin().ids() {
        for version in Regimes::builtin().versions(regime.as_str()).unwrap() {
            for notice in &version.notices {
                steps += 1;
                let written = serde_json::to_string(&notice.step).unwrap();
                assert_eq!(written, format!("\"{}\"", notice.step.name()));
            }
        }
    }
    assert!(steps > 100, "{steps}");
}

#[test]
fn the_readings_of_a_breach_s_hours_and_of_the_day_of_receipt_can_be_set_and_set_back() {
    let read = |text: &str| text.parse::<Readings>().unwrap();
    let default = Readings::default();
    let others = [
        "breach_hours=first_hour_excluded",
        "breach_hours=two_working_days",
    ];
    for other in others {
        assert_ne!(
            read(other).breach_hours,
            read("breach_hours=elapsed").breach_hours
        );
    }
    assert_ne!(
        read("us_ca_receipt=day_one").us_ca_receipt,
        read("us_ca_receipt=excluded").us_ca_receipt
    );
    let back = read("us_ca_receipt=day_one,us_ca_receipt=excluded");
    assert_eq!(back.us_ca_receipt, default.us_ca_receipt);
    for identity in ["no_suspension", "suspend_days", "restart"] {
        let name = format!("eu_identity={identity}");
        assert_eq!(read(&name).eu_identity.to_string(), identity);
    }
}

#[test]
fn a_digest_is_read_and_shown_as_its_bytes() {
    let text = "0123456789abcdef".repeat(4);
    let digest: RegimeDigest = serde_json::from_str(&format!("\"{text}\"")).unwrap();
    let shown: String = digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(shown, text);
    assert_eq!(format!("{digest:?}"), format!("RegimeDigest({text})"));
    let wrong = [
        "0".repeat(63),
        "0".repeat(66),
        "é".repeat(32),
        format!("{}g", "0".repeat(63)),
    ];
    for wrong in wrong {
        let read = serde_json::from_str::<RegimeDigest>(&format!("\"{wrong}\""));
        assert!(read.is_err(), "{wrong}");
    }
}

#[test]
fn a_law_says_on_a_topic_what_stands_there() {
    let gdpr = Regimes::builtin().get("eu_gdpr").unwrap();
    let mut said = 0;
    for (topic, facts) in &gdpr.facts {
        said += facts.len();
        assert_eq!(gdpr.facts_on(*topic), facts.as_slice());
    }
    assert!(said > 10, "{said}");
    assert_eq!(
        host_table("").facts_on(*gdpr.facts.keys().next().unwrap()),
        []
    );
}

#[test]
fn a_letter_says_item_by_item_what_was_given_and_where_it_is_demanded() {
    let items = [Item::new("reasons", "why"), Item::new("appeal", "where to")];
    let notice = Notice::new(Step::Refusal, items, "12(4)", Verified::Primary);
    let says = |text: &str| Content::Says(text.to_owned());
    let given = [
        ("reasons", says("none held")),
        ("appeal", says("the court")),
    ];
    let letter = Letter::new(&notice, given.clone()).unwrap();
    assert_eq!(letter.article(), "12(4)");
    for (item, content) in &given {
        assert_eq!(letter.content(item), Some(content));
    }
    assert_eq!(letter.content("period"), None);
}

#[test]
fn where_nothing_is_held_what_is_said_of_held_data_falls_away() {
    let held: Item = serde_json::from_str(r#"{"id": "a", "says": "", "if_held": true}"#).unwrap();
    let always = Item::new("b", "");
    let notice = Notice::new(
        Step::Response,
        [held, always.clone()],
        "",
        Verified::Primary,
    );
    assert_eq!(notice.where_nothing_is_held().items, [always]);
}

#[test]
fn a_letter_is_due_when_its_clock_says() {
    let regime = host_table(
        r#", "any_right": true, "notices": [
            {"step": "response", "mandatory": true, "until": "response"},
            {"step": "fee", "mandatory": true}]"#,
    );
    let mut regime = regime;
    regime.clocks = serde_json::from_str(
        r#"[{"question": "response", "period": {"unit": "days", "value": 10}}]"#,
    )
    .unwrap();
    let setting = Setting {
        regime: &regime,
        right: &Right::Access,
        calendar: &Calendar::in_zone("UTC").unwrap(),
        readings: &Readings::default(),
    };
    let history = ClockHistory::received(instant("2026-03-02T09:00:00Z"));
    let due = |step| {
        regime
            .notice(step, &Right::Access)
            .unwrap()
            .due(&setting, &history)
    };
    let until = due(Step::Response).unwrap().unwrap().late_from();
    assert_eq!(until, Some(instant("2026-03-13T00:00:00Z")));
    assert_eq!(due(Step::Fee), Ok(None));
}

#[test]
fn what_is_for_one_right_is_not_for_another() {
    let regime = host_table(
        r#", "rights": [{"id": "know", "rights": ["access"]}, {"id": "delete", "rights": ["erasure"]}],
            "grounds": [
                {"code": "all", "uses": ["refuse"], "letter": "l"},
                {"code": "neutral", "uses": ["refuse"], "rights": ["access"], "letter": "l"},
                {"code": "own", "uses": ["refuse"], "rights": ["know"], "letter": "l"},
                {"code": "other", "uses": ["refuse"], "rights": ["erasure"], "letter": "l"},
                {"code": "unused", "uses": ["extend"], "letter": "l"}],
            "notices": [
                {"step": "fee", "mandatory": true},
                {"step": "response", "mandatory": true, "rights": ["access"]},
                {"step": "refusal", "mandatory": true, "rights": ["erasure"]}]"#,
    );
    let grounds = |right: &Right| -> Vec<&str> {
        let open = regime.grounds_for(right, GroundUse::Refuse);
        open.map(|ground| &*ground.code).collect()
    };
    let know = Right::from("know");
    assert_eq!(grounds(&Right::Access), ["all", "neutral", "own"]);
    assert_eq!(grounds(&know), ["all", "neutral", "own"]);
    assert_eq!(grounds(&Right::Erasure), ["all", "other"]);
    assert_eq!(grounds(&Right::Export), ["all"]);
    let steps = |right: &Right| -> Vec<Step> {
        regime
            .notices_for(right)
            .map(|notice| notice.step)
            .collect()
    };
    assert_eq!(steps(&Right::Access), [Step::Fee, Step::Response]);
    assert_eq!(steps(&know), [Step::Fee, Step::Response]);
    assert_eq!(steps(&Right::Erasure), [Step::Fee, Step::Refusal]);
    assert_eq!(steps(&Right::Export), [Step::Fee]);
}

#[test]
fn an_extension_is_granted_once_unless_the_law_says_how_often() {
    let read = |more: &str| -> u32 {
        let text = format!(r#"{{"by": {{"unit": "months", "value": 2}}{more}}}"#);
        serde_json::from_str::<datarights::law::Extension>(&text)
            .unwrap()
            .times
    };
    assert_eq!(read(""), 1);
    assert_eq!(read(r#", "times": 3"#), 3);
}

#[test]
fn what_no_regime_is_in_is_empty_and_shows_what_is_in_it() {
    assert_eq!(Regimes::empty().ids().count(), 0);
    assert!(format!("{:?}", Regimes::builtin()).contains("eu_gdpr"));
}
