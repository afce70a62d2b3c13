//! Calendars of holidays: lists, rules, several together, and files.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Weekday};
use datarights::law::{Calendar, Day, HolidayList, HolidayRule, Holidays, JoinedHolidays};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn several_calendars_are_known_as_far_as_the_shortest() {
    let rule = Arc::new(HolidayRule::new(|date| {
        date.month() == 5 && date.day() == 1
    }));
    let swapped = Arc::new(
        HolidayList::new([day("2026-10-01")])
            .with_working([day("2026-10-10")])
            .complete_until(day("2026-12-31")),
    );
    let joined = JoinedHolidays::new([swapped as Arc<dyn Holidays>, rule]);
    assert_eq!(joined.day(day("2027-05-01")), Day::Holiday);
    assert_eq!(joined.day(day("2026-10-01")), Day::Holiday);
    assert_eq!(joined.known_until(), Some(day("2026-12-31")));

    let calendar = Calendar::in_zone("Asia/Shanghai")
        .unwrap()
        .with_holidays(joined);
    assert_eq!(day("2026-10-10").weekday(), Weekday::Sat);
    assert!(calendar.is_business_day(day("2026-10-10")));
    assert!(!calendar.is_business_day(day("2026-10-11")));
}

#[cfg(feature = "icalendar")]
mod files {
    use datarights::law::{CalendarFileError, Day, Holidays, NamedHolidays, read_icalendar};

    use super::day;

    fn read(events: &str) -> Result<NamedHolidays, CalendarFileError> {
        let file = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test\r\n{events}END:VCALENDAR\r\n"
        );
        read_icalendar(&file, None)
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A day off\r\n{lines}END:VEVENT\r\n")
    }

    #[test]
    fn an_event_of_several_days_is_a_holiday_on_each() {
        let week = event("DTSTART;VALUE=DATE:20261001\r\nDTEND;VALUE=DATE:20261004\r\n");
        let single = event("DTSTART;VALUE=DATE:20261225\r\n");
        let cancelled = event("DTSTART;VALUE=DATE:20261231\r\nSTATUS:CANCELLED\r\n");
        let holidays = read(&(week + &single + &cancelled)).unwrap();
        assert_eq!(holidays.day(day("2026-10-03")), Day::Holiday);
        assert_eq!(holidays.day(day("2026-10-04")), Day::Ordinary);
        assert_eq!(holidays.iter().count(), 4);
        assert_eq!(holidays.known_until(), Some(day("2026-12-25")));
    }

    #[test]
    fn bad_files_are_refused() {
        assert!(matches!(
            read_icalendar("not a calendar", None),
            Err(CalendarFileError::Unreadable(_) | CalendarFileError::Empty)
        ));
        assert!(matches!(read(""), Err(CalendarFileError::Empty)));
        let yearly = event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\n");
        assert!(matches!(
            read(&yearly),
            Err(CalendarFileError::Recurring(_))
        ));
        let backwards = event("DTSTART;VALUE=DATE:20260105\r\nDTEND;VALUE=DATE:20260101\r\n");
        assert!(matches!(
            read(&backwards),
            Err(CalendarFileError::Length { days: -4, .. })
        ));
    }
}
