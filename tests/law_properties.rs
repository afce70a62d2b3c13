//! What holds for every deadline, whatever the law, the zone and the calendar.
//!
//! Seeds are fixed; a failing case prints what it was made of.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may")]

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use datarights::law::{
    Calendar, Clock, ClockError, ClockEvent, ClockEventKind, ClockHistory, Day, Due, DueOn,
    HolidayList, Holidays, Period, Question, Readings, Regime, Regimes, Setting, Verified,
    Weekdays, deadline,
};
use datarights::model::Right;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Zones with changes at midnight, with whole days skipped, with half hours, and plain ones.
const ZONES: &[&str] = &[
    "Europe/Paris",
    "Europe/London",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "Antarctica/Troll",
];

fn zones() -> impl Strategy<Value = Tz> {
    prop::sample::select(ZONES).prop_map(|name| name.parse().unwrap())
}

/// Instants from 2005 to 2035, when rules of the tables are asked; earlier for the calendar.
fn instants(from: i32) -> impl Strategy<Value = DateTime<Utc>> {
    let start = Utc.with_ymd_and_hms(from, 1, 1, 0, 0, 0).unwrap();
    let end = Utc.with_ymd_and_hms(2035, 1, 1, 0, 0, 0).unwrap();
    (0..(end - start).num_seconds()).prop_map(move |s| start + TimeDelta::seconds(s))
}

prop_compose! {
    fn calendars()(
        zone in zones(),
        holidays in prop::collection::btree_set(0u64..11_000, 0..120),
        working in prop::collection::btree_set(0u64..11_000, 0..10),
    ) -> (Calendar, HolidayList) {
        let start = NaiveDate::from_ymd_opt(2005, 1, 1).unwrap();
        let day = |n: u64| start + Days::new(n);
        let list = HolidayList::new(holidays.into_iter().map(day))
            .with_working(working.into_iter().map(day));
        (Calendar::new(zone).with_holidays(list.clone()), list)
    }
}

/// A regime without dates of its own, so that any instant can be asked about.
fn timeless(id: &str) -> Regime {
    let mut regime = Regime::clone(&Regimes::builtin().get(id).unwrap());
    regime.in_force.from = None;
    for rule in &mut regime.rights {
        rule.from = None;
    }
    for clock in &mut regime.clocks {
        clock.from = None;
    }
    regime
}

fn regimes() -> impl Strategy<Value = Regime> {
    let ids: Vec<String> = Regimes::builtin()
        .ids()
        .map(|id| id.as_str().to_owned())
        .collect();
    prop::sample::select(ids).prop_map(|id| timeless(&id))
}

fn rights() -> impl Strategy<Value = Right> {
    prop::sample::select(vec![
        Right::Access,
        Right::Rectification,
        Right::Erasure,
        Right::Export,
        Right::Restriction,
        Right::Objection,
        Right::HumanReview,
        Right::OptOut,
        Right::ConsentWithdrawal,
    ])
}

/// The seed of every property.
const SEED: &[u8; 32] = b"datarights: deadlines, first set";

fn check<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, SEED);
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, test);
    if let Err(failure) = result {
        panic!("seed {}: {failure}", String::from_utf8_lossy(SEED));
    }
}

fn ask(
    regime: &Regime,
    right: &Right,
    calendar: &Calendar,
    question: Question,
    history: &ClockHistory,
) -> Option<Due> {
    let setting = Setting {
        regime,
        right,
        calendar,
        readings: &Readings::default(),
    };
    deadline(&setting, question, history).ok()
}

#[test]
fn never_due_before_receipt() {
    let forward = |question: &Question| *question != Question::LookbackStartDefault;
    let questions: Vec<_> = Question::ALL.into_iter().filter(forward).collect();
    let all = (
        regimes(),
        rights(),
        calendars(),
        instants(2005),
        prop::sample::select(questions),
    );
    check(all, |(regime, right, (calendar, _), received, question)| {
        let history = ClockHistory::received(received);
        if let Some(Due::Due { on, late_from, .. }) =
            ask(&regime, &right, &calendar, question, &history)
        {
            prop_assert!(late_from > received);
            if let DueOn::Date(date) = on {
                prop_assert!(date >= calendar.date_of(received));
            }
        }
        Ok(())
    });
}

#[test]
fn an_extension_never_shortens() {
    let all = (regimes(), rights(), calendars(), instants(2005), 0i64..120);
    check(all, |(regime, right, (calendar, _), received, after)| {
        let plain = ClockHistory::received(received);
        let notice = received + TimeDelta::days(after);
        let extended = plain
            .clone()
            .with(ClockEventKind::ExtensionNotified, notice);
        let before = ask(&regime, &right, &calendar, Question::Response, &plain);
        let after = ask(&regime, &right, &calendar, Question::Response, &extended);
        if let (Some(before), Some(after)) = (before, after) {
            prop_assert!(after.late_from() >= before.late_from());
        }
        Ok(())
    });
}

#[test]
fn a_promised_date_gives_more_time_or_is_refused() {
    let all = (
        regimes(),
        rights(),
        calendars(),
        instants(2005),
        0i64..60,
        -40i64..200,
    );
    check(
        all,
        |(regime, right, (calendar, _), received, after, promised)| {
            let plain = ClockHistory::received(received);
            let until = calendar.date_of(received) + TimeDelta::days(promised);
            let notice = received + TimeDelta::days(after);
            let mut extended = plain.clone();
            extended.push(ClockEvent {
                at: notice,
                kind: ClockEventKind::ExtensionNotified,
                until: Some(until),
            });
            let asked = |history| {
                let setting = Setting {
                    regime: &regime,
                    right: &right,
                    calendar: &calendar,
                    readings: &Readings::default(),
                };
                deadline(&setting, Question::Response, history)
            };
            let Ok(before) = asked(&plain) else {
                return Ok(());
            };
            let after = asked(&extended);
            let in_time = ask(
                &regime,
                &right,
                &calendar,
                Question::ExtensionNoticeCutoff,
                &plain,
            )
            .and_then(|due| due.late_from())
            .is_some_and(|cutoff| notice < cutoff);
            let clock = regime
                .clocks
                .iter()
                .find(|clock| clock.question == Question::Response && clock.extension.is_some());
            let open = clock
                .and_then(|clock| clock.extension.as_ref())
                .is_some_and(|extension| extension.by == Period::Unnumbered);
            match after {
                Ok(after) if after == before => prop_assert!(!in_time),
                Ok(Due::Due { on, late_from, .. }) => {
                    prop_assert!(open && in_time);
                    prop_assert_eq!(on, DueOn::Date(until));
                    prop_assert!(Some(late_from) > before.late_from());
                }
                Ok(paused) => prop_assert!(false, "{paused:?}"),
                Err(ClockError::ExtensionShortens { .. }) => {
                    prop_assert!(open && in_time);
                    prop_assert!(calendar.end_of(until) <= before.late_from());
                }
                Err(ClockError::ExtensionLengthFixed { .. }) => prop_assert!(!open && in_time),
                Err(other) => prop_assert!(false, "{other}"),
            }
            Ok(())
        },
    );
}

#[test]
fn a_late_extension_changes_nothing() {
    let all = (regimes(), rights(), calendars(), instants(2005), 0i64..400);
    check(all, |(regime, right, (calendar, _), received, minutes)| {
        let plain = ClockHistory::received(received);
        let cutoff = ask(
            &regime,
            &right,
            &calendar,
            Question::ExtensionNoticeCutoff,
            &plain,
        );
        if let Some(late) = cutoff.and_then(|due| due.late_from()) {
            let notice = late + TimeDelta::minutes(minutes);
            let history = plain
                .clone()
                .with(ClockEventKind::ExtensionNotified, notice);
            let asked = |history| ask(&regime, &right, &calendar, Question::Response, history);
            prop_assert_eq!(asked(&history), asked(&plain));
        }
        Ok(())
    });
}

#[test]
fn a_rolled_date_is_never_a_day_off() {
    let rolling =
        prop::sample::select(vec!["eu_gdpr", "uk_gdpr", "kr_pipa", "za_popia", "br_lgpd"]);
    let all = (rolling, calendars(), instants(2005));
    check(all, |(id, (calendar, list), received)| {
        let regime = timeless(id);
        let history = ClockHistory::received(received);
        let due = ask(
            &regime,
            &Right::Access,
            &calendar,
            Question::Response,
            &history,
        );
        let Some(Due::Due {
            on: DueOn::Date(date),
            ..
        }) = due
        else {
            return Err(TestCaseError::fail("every one of them answers"));
        };
        let sunday_off = id != "br_lgpd" && date.weekday() == Weekday::Sun;
        let saturday_off = !["br_lgpd", "za_popia"].contains(&id) && date.weekday() == Weekday::Sat;
        match list.day(date) {
            Day::Holiday => prop_assert!(false, "{date} is a holiday"),
            Day::Ordinary => prop_assert!(!sunday_off && !saturday_off, "{date} is off"),
            _ => {}
        }
        Ok(())
    });
}

#[test]
fn business_days_end_on_one() {
    let all = (calendars(), instants(2005), 1u32..40);
    check(all, |((calendar, _), received, days)| {
        let mut regime = timeless("cn_pipl");
        regime.clocks = vec![Clock::new(
            Question::Ack,
            Period::BusinessDays(days),
            "",
            Verified::Memory,
        )];
        let history = ClockHistory::received(received);
        let due = ask(&regime, &Right::Access, &calendar, Question::Ack, &history);
        let Some(Due::Due {
            on: DueOn::Date(date),
            ..
        }) = due
        else {
            return Err(TestCaseError::fail("it answers"));
        };
        let start = calendar.date_of(received);
        let between = start.iter_days().skip(1).take_while(|day| *day <= date);
        prop_assert!(calendar.is_business_day(date));
        prop_assert_eq!(
            between.filter(|day| calendar.is_business_day(*day)).count(),
            days as usize
        );
        Ok(())
    });
}

#[test]
fn pausing_longer_never_makes_it_earlier() {
    let policies = prop::sample::select(vec![
        "default",
        "uk_pause=published_example",
        "eu_identity=suspend_days",
        "eu_identity=restart",
    ]);
    let pauses = prop::sample::select(vec![
        (
            ClockEventKind::ClarificationRequested,
            ClockEventKind::ClarificationReceived,
        ),
        (
            ClockEventKind::IdentityRequested,
            ClockEventKind::IdentityConfirmed,
        ),
        (ClockEventKind::FeeRequested, ClockEventKind::FeePaid),
    ]);
    let laws = prop::sample::select(vec!["eu_gdpr", "uk_gdpr", "uk_dpa2018_part3", "fr_overlay"]);
    let all = (
        laws,
        calendars(),
        instants(2005),
        policies,
        pauses,
        0i64..40,
        0i64..40,
        0i64..40,
    );
    check(
        all,
        |(id, (calendar, _), received, policy, (ask, answer), asked, took, longer)| {
            let regime = timeless(id);
            let readings: Readings = policy.parse().unwrap();
            let setting = Setting {
                regime: &regime,
                right: &Right::Access,
                calendar: &calendar,
                readings: &readings,
            };
            let late = |took| {
                let asked = received + TimeDelta::days(asked);
                let history = ClockHistory::received(received)
                    .with(ask, asked)
                    .with(answer, asked + TimeDelta::days(took));
                deadline(&setting, Question::Response, &history)
                    .ok()
                    .and_then(|due| due.late_from())
            };
            let plain = deadline(
                &setting,
                Question::Response,
                &ClockHistory::received(received),
            );
            let plain = plain.ok().and_then(|due| due.late_from());
            prop_assert!(late(took) >= plain);
            prop_assert!(late(took + longer) >= late(took));
            Ok(())
        },
    );
}

#[test]
fn what_is_asked_for_too_late_and_what_is_waived_move_nothing() {
    let conditions = prop::sample::select(vec![
        (
            ClockEventKind::IdentityRequested,
            ClockEventKind::IdentityConfirmed,
        ),
        (ClockEventKind::FeeRequested, ClockEventKind::FeePaid),
    ]);
    let all = (
        regimes(),
        rights(),
        calendars(),
        instants(2005),
        conditions,
        0i64..90,
        0i64..90,
    );
    check(
        all,
        |(regime, right, (calendar, _), received, (ask_for, answer), gap, took)| {
            let plain = ClockHistory::received(received);
            for question in [Question::Response, Question::RefusalNotice] {
                let of =
                    |history: &ClockHistory| ask(&regime, &right, &calendar, question, history);
                let Some(due) = of(&plain) else {
                    continue;
                };
                for fee in [ClockEventKind::FeeRequested, ClockEventKind::FeeNotified] {
                    let asked = received + TimeDelta::days(gap);
                    let waived = plain
                        .clone()
                        .with(fee, asked)
                        .with(ClockEventKind::FeeWaived, asked + TimeDelta::days(took));
                    prop_assert_eq!(of(&waived), Some(due));
                }
                if let Some(over) = due.late_from() {
                    let asked = over + TimeDelta::days(gap);
                    let late = plain.clone().with(ask_for, asked);
                    prop_assert_eq!(of(&late), Some(due));
                    let answered = late.with(answer, asked + TimeDelta::days(took));
                    prop_assert_eq!(of(&answered), Some(due));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn local_calendar_and_instant_agree() {
    let all = (zones(), instants(1990));
    check(all, |(zone, instant)| {
        let calendar = Calendar::new(zone);
        let date = instant.with_timezone(&zone).date_naive();
        prop_assert_eq!(calendar.date_of(instant), date);
        let end = calendar.end_of(date).unwrap();
        prop_assert!(instant < end, "{instant} is on {date}, which ends at {end}");
        let last = end - TimeDelta::nanoseconds(1);
        prop_assert!(calendar.date_of(last) <= date);
        prop_assert!(calendar.date_of(end) > date);
        Ok(())
    });
}

#[test]
fn midnights_that_do_not_exist_and_zones_that_moved() {
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    let ends = [
        // The clocks jump from midnight to one o'clock.
        (
            "America/Sao_Paulo",
            day(2018, 11, 3),
            "2018-11-04T03:00:00Z",
        ),
        ("Africa/Cairo", day(2026, 4, 23), "2026-04-23T22:00:00Z"),
        ("Asia/Beirut", day(2023, 3, 25), "2023-03-25T22:00:00Z"),
        // They are set back from midnight to eleven: the day ends twice, the second time counts.
        (
            "America/Sao_Paulo",
            day(2018, 2, 17),
            "2018-02-18T03:00:00Z",
        ),
        // Samoa crossed the date line: 30 December 2011 did not exist.
        ("Pacific/Apia", day(2011, 12, 29), "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", day(2011, 12, 30), "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", day(2011, 12, 31), "2011-12-31T10:00:00Z"),
    ];
    for (zone, date, end) in ends {
        let calendar = Calendar::in_zone(zone).unwrap();
        assert_eq!(calendar.end_of(date), Some(at(end)), "{zone} {date}");
    }
}

#[test]
fn a_calendar_that_ends_too_early_gives_a_provisional_answer() {
    let known = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
    let calendar = Calendar::in_zone("Europe/Paris")
        .unwrap()
        .with_holidays(HolidayList::new([]).complete_until(known));
    let provisional = |id, received: &str| {
        let received = DateTime::parse_from_rfc3339(received).unwrap().to_utc();
        let regime = timeless(id);
        let history = ClockHistory::received(received);
        match ask(
            &regime,
            &Right::Access,
            &calendar,
            Question::Response,
            &history,
        ) {
            Some(Due::Due { provisional, .. }) => provisional,
            other => panic!("{other:?}"),
        }
    };
    assert!(!provisional("eu_gdpr", "2026-11-20T09:00:00+01:00"));
    assert!(provisional("eu_gdpr", "2026-12-20T09:00:00+01:00"));
    // A law that looks at no holiday is sure however short the calendar is.
    assert!(!provisional("us_va", "2026-12-20T09:00:00+01:00"));
}

#[test]
fn a_calendar_without_working_days_is_an_error() {
    let calendar = Calendar::new(Tz::UTC).with_weekend(Weekdays::of([
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ]));
    let regime = timeless("vn_pdpl");
    let history = ClockHistory::received(Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap());
    assert_eq!(
        ask(&regime, &Right::Access, &calendar, Question::Ack, &history),
        None
    );
}
