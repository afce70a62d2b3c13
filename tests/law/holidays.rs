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
    use chrono_tz::{Europe::Paris, Tz};
    use datarights::law::{CalendarFileError, Day, Holidays, NamedHolidays, read_icalendar};

    use super::day;

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test\r\n{events}END:VCALENDAR\r\n")
    }

    fn read(events: &str) -> Result<NamedHolidays, CalendarFileError> {
        read_icalendar(&calendar(events), Paris, None)
    }

    fn listed(holidays: &NamedHolidays) -> Vec<String> {
        holidays.iter().map(|(day, _)| day.to_string()).collect()
    }

    #[test]
    fn times_are_taken_to_the_dates_of_the_place() {
        let days = |zone: Tz, lines: &str| {
            listed(&read_icalendar(&calendar(&event(lines)), zone, None).unwrap())
        };
        let first_of_may = "DTSTART:20260430T220000Z\r\nDTEND:20260501T220000Z\r\n";
        assert_eq!(days(Paris, first_of_may), ["2026-05-01"]);
        let tokyo =
            "DTSTART;TZID=Asia/Tokyo:20260501T000000\r\nDTEND;TZID=Asia/Tokyo:20260502T000000\r\n";
        assert_eq!(days(chrono_tz::Asia::Tokyo, tokyo), ["2026-05-01"]);
        assert_eq!(days(Paris, tokyo), ["2026-04-30", "2026-05-01"]);
        let floating = "DTSTART:20260501T000000\r\nDTEND:20260503T000000\r\n";
        assert_eq!(days(Paris, floating), ["2026-05-01", "2026-05-02"]);
        assert_eq!(days(Paris, "DTSTART:20260501\r\n"), ["2026-05-01"]);
        // Midnight does not exist on the day on which the clocks jump over it.
        let skipped = "DTSTART:20181104T000000\r\nDTEND:20181105T000000\r\n";
        assert_eq!(days(chrono_tz::America::Sao_Paulo, skipped), ["2018-11-04"]);
    }

    #[test]
    fn a_duration_counts_and_what_cannot_be_read_is_named() {
        let three = event("DTSTART;VALUE=DATE:20260501\r\nDURATION:P3D\r\n");
        assert_eq!(
            listed(&read(&three).unwrap()),
            ["2026-05-01", "2026-05-02", "2026-05-03"]
        );
        let week = event("DTSTART:20260430T220000Z\r\nDURATION:P1W\r\n");
        assert_eq!(listed(&read(&week).unwrap()).len(), 7);
        let fine = event("DTSTART;VALUE=DATE:20260501\r\n");
        for (lines, named) in [
            (
                "DTSTART;VALUE=DATE:20260501\r\nDURATION:PT5H\r\n",
                "DURATION",
            ),
            ("", "DTSTART"),
            ("DTSTART;VALUE=DATE:2026-05-01\r\n", "DTSTART"),
            ("DTSTART;TZID=Paris Time:20260501T000000\r\n", "DTSTART"),
            ("DTSTART;VALUE=DATE:20260501\r\nDTEND:soon\r\n", "DTEND"),
        ] {
            let error = read(&(fine.clone() + &event(lines))).unwrap_err();
            assert!(
                matches!(&error, CalendarFileError::Time { property, .. } if *property == named),
                "{lines}: {error}"
            );
            assert!(error.to_string().contains("A day off"));
        }
    }

    #[test]
    fn a_file_may_begin_with_a_mark_and_hold_several_calendars() {
        let one = calendar(&event("DTSTART;VALUE=DATE:20260101\r\n"));
        let two = calendar(&event("DTSTART;VALUE=DATE:20260501\r\n"));
        let read = |file: &str| read_icalendar(file, Paris, None);
        let both = format!("\u{feff}{one}{two}\r\n").replace("\r\n", "\n");
        assert_eq!(listed(&read(&both).unwrap()), ["2026-01-01", "2026-05-01"]);
        let cut = &two[..two.len() - 40];
        assert_eq!(
            read(&(one + cut)),
            Err(CalendarFileError::Unreadable { calendar: 2 })
        );
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
            read_icalendar("not a calendar", Paris, None),
            Err(CalendarFileError::Unreadable { calendar: 1 } | CalendarFileError::Empty)
        ));
        assert!(matches!(read(""), Err(CalendarFileError::Empty)));
        let yearly = event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\n");
        assert!(matches!(
            read(&yearly),
            Err(CalendarFileError::Recurring(_))
        ));
        let listed = event("DTSTART;VALUE=DATE:20260101\r\nRDATE;VALUE=DATE:20270101\r\n");
        assert!(matches!(
            read(&listed),
            Err(CalendarFileError::Recurring(_))
        ));
        let backwards = event("DTSTART;VALUE=DATE:20260105\r\nDTEND;VALUE=DATE:20260101\r\n");
        assert!(matches!(
            read(&backwards),
            Err(CalendarFileError::Length { days: -4, .. })
        ));
    }
}
