//! How far a last day moves, from when on a clock runs, and how far a calendar must know: both sides of
//! each boundary.

use chrono::{Days, NaiveDate};
use datarights::law::{
    Calendar, Clock, ClockError, ClockHistory, Due, DueOn, HolidayList, HolidayRule, Period,
    Question, Readings, ReceiptReading, Roll, Setting, Verified, Weekdays, deadline,
};
use datarights::model::Right;

use crate::pieces::host_table;

/// The most that a day moves, or that counting waits for a working day.
const LONGEST: u64 = 366;

/// The day of receipt.
fn receipt() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()
}

fn after(days: u64) -> NaiveDate {
    receipt() + Days::new(days)
}

fn clock(period: Period) -> Clock {
    Clock::new(Question::Response, period, "1", Verified::default())
}

/// The last day, and whether it is provisional.
fn last_day(
    clock: Clock,
    calendar: &Calendar,
    readings: &Readings,
) -> Result<(NaiveDate, bool), ClockError> {
    let rights = r#", "rights": [{"id": "access", "rights": ["access"], "article": "4"}]"#;
    let mut law = host_table(rights);
    law.clocks.push(clock);
    let setting = Setting {
        regime: &law,
        right: &Right::Access,
        calendar,
        readings,
    };
    let noon = receipt().and_hms_opt(12, 0, 0).unwrap().and_utc();
    match deadline(&setting, Question::Response, &ClockHistory::received(noon))? {
        Due::Due {
            on: DueOn::Date(day),
            provisional,
            ..
        } => Ok((day, provisional)),
        other => panic!("{other:?}"),
    }
}

fn without_weekend() -> Calendar {
    Calendar::in_zone("UTC")
        .unwrap()
        .with_weekend(Weekdays::NONE)
}

/// Each of the first so many days after receipt is a holiday.
fn closed_for(days: u64) -> Calendar {
    let (first, last) = (after(1), after(days));
    without_weekend().with_holidays(HolidayRule::new(move |day| (first..=last).contains(&day)))
}

fn on_holidays() -> Roll {
    let mut roll = Roll::NONE;
    roll.holidays = true;
    roll
}

#[test]
fn counting_waits_for_a_working_day_as_long_as_a_year() {
    let readings = Readings::default();
    let one = || clock(Period::BusinessDays(1));
    let waited = last_day(one(), &closed_for(LONGEST), &readings);
    assert_eq!(waited, Ok((after(LONGEST + 1), false)));
    let given_up = last_day(one(), &closed_for(LONGEST + 1), &readings);
    assert_eq!(given_up, Err(ClockError::NoWorkingDay(receipt())));
    // The days that were waited for do not add up over several working days.
    let halves = HolidayRule::new(|day| day != after(200) && day != after(400) && day < after(500));
    let halves = without_weekend().with_holidays(halves);
    let waited = last_day(clock(Period::BusinessDays(2)), &halves, &readings);
    assert_eq!(waited, Ok((after(400), false)));
}

#[test]
fn a_last_day_moves_by_a_year_at_most() {
    let readings = Readings::default();
    let one = || clock(Period::Days(1)).rolling(on_holidays());
    let moved = last_day(one(), &closed_for(LONGEST), &readings);
    assert_eq!(moved, Ok((after(LONGEST + 1), false)));
    let given_up = last_day(one(), &closed_for(LONGEST + 1), &readings);
    assert_eq!(given_up, Err(ClockError::NoWorkingDay(after(1))));
}

#[test]
fn an_answer_is_provisional_beyond_what_the_calendar_knows_and_only_where_it_was_asked() {
    let readings = Readings::default();
    let known = HolidayList::new([]).complete_until(after(2));
    let calendar = without_weekend().with_holidays(known);
    for (period, provisional) in [(1, false), (2, false), (3, true)] {
        let rolling = clock(Period::Days(period)).rolling(on_holidays());
        let counting = clock(Period::BusinessDays(period));
        for asked in [rolling, counting] {
            let last = last_day(asked, &calendar, &readings);
            assert_eq!(last, Ok((after(u64::from(period)), provisional)));
        }
        let plain = last_day(clock(Period::Days(period)), &calendar, &readings);
        assert_eq!(plain, Ok((after(u64::from(period)), false)));
    }
}

#[test]
fn the_day_of_receipt_counts_where_the_clock_and_the_reading_say_so() {
    let calendar = without_weekend();
    let mut day_one = Readings::default();
    day_one.us_ca_receipt = ReceiptReading::DayOne;
    for (readings, may, days) in [
        (&Readings::default(), false, 10),
        (&Readings::default(), true, 10),
        (&day_one, false, 10),
        (&day_one, true, 9),
    ] {
        let ten = clock(Period::Days(10));
        let ten = if may { ten.receipt_may_count() } else { ten };
        let last = last_day(ten, &calendar, readings);
        assert_eq!(last, Ok((after(days), false)), "{may}");
    }
}

#[test]
fn a_clock_runs_for_what_came_on_its_first_day() {
    let (calendar, readings) = (without_weekend(), Readings::default());
    let from = |first| {
        last_day(
            clock(Period::Days(1)).from(Some(first)),
            &calendar,
            &readings,
        )
    };
    assert_eq!(from(receipt().pred_opt().unwrap()), Ok((after(1), false)));
    assert_eq!(from(receipt()), Ok((after(1), false)));
    assert!(from(after(1)).is_err());
}
