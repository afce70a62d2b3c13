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
    use datarights::law::{
        Calendar, CalendarFileError, Day, EntryKind, Holidays, NamedHolidays, read_icalendar,
        read_icalendar_with,
    };

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
        // What ends where it begins is still that day.
        for nothing in [
            "DTSTART;VALUE=DATE:20260501\r\nDTEND;VALUE=DATE:20260501\r\n",
            "DTSTART:20260430T220000Z\r\nDTEND:20260430T220000Z\r\n",
        ] {
            assert_eq!(days(Paris, nothing), ["2026-05-01"]);
        }
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
    fn a_yearly_event_is_followed_as_far_as_the_calendar_reaches() {
        let until = Some(day("2029-12-31"));
        let followed = |lines: &str| {
            let file = calendar(&event(lines));
            listed(&read_icalendar(&file, Paris, until).unwrap())
        };
        let new_year = "DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\n";
        let years = ["2026-01-01", "2027-01-01", "2028-01-01", "2029-01-01"];
        assert_eq!(followed(new_year), years);
        let without = format!("{new_year}EXDATE;VALUE=DATE:20270101,20290101\r\n");
        assert_eq!(followed(&without), ["2026-01-01", "2028-01-01"]);
        // The fourth Thursday of November, and the day after.
        let thursday = "DTSTART;VALUE=DATE:20261126\r\nDTEND;VALUE=DATE:20261128\r\n\
            RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231\r\n";
        let days = ["2026-11-26", "2026-11-27", "2027-11-25", "2027-11-26"];
        assert_eq!(followed(thursday), days);
        // An instant: its date at the place of the calendar, and an end that is an instant too.
        let may = "DTSTART:20260430T220000Z\r\nDTEND:20260501T220000Z\r\n\
            RRULE:FREQ=YEARLY;UNTIL=20280430T220000Z\r\n";
        assert_eq!(followed(may), ["2026-05-01", "2027-05-01", "2028-05-01"]);
        // A rule that ends by itself needs no word on how far the calendar reaches.
        let twice = event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n");
        assert_eq!(read(&twice).unwrap().known_until(), Some(day("2027-01-01")));
    }

    #[test]
    fn an_event_may_list_its_days() {
        // Easter Monday, as calendars with one event for each feast write it.
        let easter = event(
            "DTSTART;VALUE=DATE:20260406\r\nRDATE;VALUE=DATE:20270329,20280417\r\n\
             RDATE;VALUE=DATE:20290402\r\nEXDATE;VALUE=DATE:20280417\r\n",
        );
        let days = read(&easter).unwrap();
        for (listed, kind) in [
            ("2026-04-06", Day::Holiday),
            ("2027-03-29", Day::Holiday),
            ("2028-04-17", Day::Ordinary),
            ("2029-04-02", Day::Holiday),
        ] {
            assert_eq!(days.day(day(listed)), kind, "{listed}");
        }
        assert_eq!(days.known_until(), Some(day("2029-04-02")));
        // Times: the date that they have here, wherever they are told.
        let far = event(
            "DTSTART;VALUE=DATE:20260406\r\nRDATE;TZID=Pacific/Kiritimati:20260601T000000\r\n\
             RDATE:20260701T230000Z\r\n",
        );
        let days = read(&far).unwrap();
        assert_eq!(days.day(day("2026-05-31")), Day::Holiday);
        assert_eq!(days.day(day("2026-07-02")), Day::Holiday);
        // Beside a rule.
        let both = event(
            "DTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n\
             RDATE;VALUE=DATE:20261224\r\nEXDATE;VALUE=DATE:20270501\r\n",
        );
        let days = read(&both).unwrap();
        assert_eq!(days.day(day("2026-12-24")), Day::Holiday);
        assert_eq!(days.day(day("2027-05-01")), Day::Ordinary);
        assert_eq!(days.known_until(), Some(day("2026-12-24")));
    }

    #[test]
    fn a_file_may_list_days_that_are_worked() {
        let entry = |start: &str, lines: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{start}\r\nDTSTART;VALUE=DATE:{start}\r\n{lines}END:VEVENT\r\n"
            )
        };
        let file = calendar(
            &(entry("20261001", "SUMMARY:National Day\r\n")
                + &entry(
                    "20261010",
                    "SUMMARY:National Day (work)\r\nCATEGORIES:Holidays,Workday\r\n",
                )
                + &entry("20260901", "SUMMARY:School begins\r\nCATEGORIES:School\r\n")),
        );
        let shanghai = chrono_tz::Asia::Shanghai;
        let days = read_icalendar_with(&file, shanghai, None, |entry| {
            if entry.categories.contains(&"Workday") {
                EntryKind::Working
            } else if entry.categories.contains(&"School") {
                EntryKind::Neither
            } else {
                EntryKind::Holiday
            }
        })
        .unwrap();
        assert_eq!(days.day(day("2026-10-01")), Day::Holiday);
        assert_eq!(days.day(day("2026-10-10")), Day::Working);
        assert_eq!(days.day(day("2026-09-01")), Day::Ordinary);
        assert_eq!(days.name(day("2026-10-10")), Some("National Day (work)"));
        let calendar = Calendar::new(shanghai).with_holidays(days);
        assert!(calendar.is_business_day(day("2026-10-10")), "a Saturday");
    }

    #[test]
    fn bad_files_are_refused() {
        assert!(matches!(
            read_icalendar("not a calendar", Paris, None),
            Err(CalendarFileError::Unreadable { calendar: 1 } | CalendarFileError::Empty)
        ));
        assert!(matches!(read(""), Err(CalendarFileError::Empty)));
        let yearly = event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\n");
        assert!(matches!(read(&yearly), Err(CalendarFileError::Endless(_))));
        for rule in [
            "FREQ=FORTNIGHTLY;COUNT=2",
            "COUNT=2",
            "FREQ",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=YEARLY;BYMONTH=13;COUNT=2",
            "FREQ=DAILY;COUNT=4000",
        ] {
            let odd = event(&format!("DTSTART;VALUE=DATE:20260101\r\nRRULE:{rule}\r\n"));
            let refused = read(&odd);
            assert!(
                matches!(refused, Err(CalendarFileError::Rule { .. })),
                "{rule}: {refused:?}"
            );
        }
        for list in [
            "RDATE;VALUE=PERIOD:20260101T000000Z/P1D",
            "RDATE;VALUE=DATE:20270101,soon",
            "RDATE;TZID=Europe/Atlantis:20270101T000000",
            "EXDATE;VALUE=DATE:",
        ] {
            let odd = event(&format!("DTSTART;VALUE=DATE:20260101\r\n{list}\r\n"));
            let refused = read(&odd);
            assert!(
                matches!(refused, Err(CalendarFileError::List { .. })),
                "{list}: {refused:?}"
            );
        }
        let backwards = event("DTSTART;VALUE=DATE:20260105\r\nDTEND;VALUE=DATE:20260101\r\n");
        assert!(matches!(
            read(&backwards),
            Err(CalendarFileError::Length { days: -4, .. })
        ));
    }
}
