//! How long a due date takes: 1 µs or less without holidays, 5 µs with a calendar of 200.
//!
//! `cargo bench --no-default-features --bench deadlines`

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may")]

use chrono::{DateTime, Days, NaiveDate, Utc};
use datarights::law::{
    Calendar, ClockEventKind, ClockHistory, HolidayList, Question, Readings, Regimes, Setting,
    deadline,
};
use datarights::model::Right;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn plain() -> Calendar {
    Calendar::in_zone("Europe/Paris").unwrap()
}

/// Two hundred holidays over ten years.
fn with_holidays() -> Calendar {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let days = (0..200u64).map(|n| first + Days::new(n * 18));
    plain().with_holidays(HolidayList::new(days))
}

fn bench(
    bencher: Bencher,
    id: &str,
    question: Question,
    calendar: &Calendar,
    history: &ClockHistory,
) {
    let day = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
    let regime = Regimes::builtin().in_force(id, day).unwrap();
    let readings = Readings::default();
    let setting = Setting {
        regime: &regime,
        right: &Right::Access,
        calendar,
        readings: &readings,
    };
    // A question that has no answer would be quick, and measure nothing.
    deadline(&setting, question, history).unwrap();
    bencher.bench_local(|| deadline(black_box(&setting), question, black_box(history)));
}

fn received() -> ClockHistory {
    ClockHistory::received(at("2026-01-31T09:00:00+01:00"))
}

#[divan::bench]
fn a_month_without_holidays(bencher: Bencher) {
    bench(
        bencher,
        "eu_gdpr",
        Question::Response,
        &plain(),
        &received(),
    );
}

#[divan::bench]
fn forty_five_days_without_holidays(bencher: Bencher) {
    bench(
        bencher,
        "us_ca_ccpa",
        Question::Response,
        &plain(),
        &received(),
    );
}

#[divan::bench]
fn a_month_with_200_holidays(bencher: Bencher) {
    bench(
        bencher,
        "eu_gdpr",
        Question::Response,
        &with_holidays(),
        &received(),
    );
}

#[divan::bench]
fn ten_business_days_with_200_holidays(bencher: Bencher) {
    bench(
        bencher,
        "us_ca_ccpa",
        Question::Ack,
        &with_holidays(),
        &received(),
    );
}

#[divan::bench]
fn paused_and_extended_with_200_holidays(bencher: Bencher) {
    let history = received()
        .with(
            ClockEventKind::ClarificationRequested,
            at("2026-02-05T09:00:00Z"),
        )
        .with(
            ClockEventKind::ClarificationReceived,
            at("2026-02-12T09:00:00Z"),
        )
        .with(
            ClockEventKind::ExtensionNotified,
            at("2026-02-20T09:00:00Z"),
        );
    bench(
        bencher,
        "uk_gdpr",
        Question::Response,
        &with_holidays(),
        &history,
    );
}

/// What a program pays at its start.
#[divan::bench]
fn builtin_regimes() -> Regimes {
    Regimes::builtin()
}

/// What it pays when a law is first asked for.
#[divan::bench]
fn first_use_of_the_gdpr(bencher: Bencher) {
    bencher
        .with_inputs(Regimes::builtin)
        .bench_local_values(|regimes| regimes.get("eu_gdpr"));
}
