//! Laws as data, what happened to a request, the words of readings, files of holidays.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use datarights::law::{
    Calendar, ClockHistory, Due, HolidayList, Holidays, Overlay, Question, Readings, Regime,
    Regimes, Setting, Verified, deadline,
};
use datarights::model::Right;

use super::{same_again, text};

static BUILTIN: LazyLock<Regimes> = LazyLock::new(Regimes::builtin);

fn calendar(zone: &str) -> Calendar {
    let holiday = NaiveDate::from_ymd_opt(2026, 4, 6).expect("a day");
    Calendar::in_zone(zone)
        .expect("a zone")
        .with_holidays(HolidayList::new([holiday]).complete_until(holiday))
}

/// Every question, of a law: whatever the answer, it is the same again and can be stored.
fn ask_all(regime: &Regime, history: &ClockHistory, readings: &Readings, zone: &str) {
    let calendar = calendar(zone);
    for right in [Right::Access, Right::Erasure] {
        let setting = Setting {
            regime,
            right: &right,
            calendar: &calendar,
            readings,
        };
        for question in Question::ALL {
            let due = deadline(&setting, question, history);
            assert_eq!(due, deadline(&setting, question, history));
            if let Ok(due) = due {
                same_again(&due);
                let late = due.late_from();
                assert_eq!(late.is_none(), matches!(due, Due::Paused { .. }));
            }
        }
    }
}

fn received() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).expect("an instant")
}

/// A host's own law.
pub mod regime {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Ok(regime) = serde_json::from_slice::<Regime>(bytes) else {
            return false;
        };
        same_again(&regime);
        let mut regimes = Regimes::empty();
        regimes.add(regime.clone());
        // It is found as it is, and again by what a request pins of it.
        assert_eq!(
            *regimes.get(regime.id.as_str()).expect("it was added"),
            regime
        );
        let pin = regime.pin().expect("it can be written");
        assert_eq!(*regimes.by_pin(&pin).expect("it was pinned"), regime);
        if let Ok(found) = regimes.in_force(regime.id.as_str(), regime.as_of) {
            assert!(found.in_force.contains(regime.as_of));
        }
        let readings = Readings::default();
        let history = ClockHistory::received(received());
        ask_all(&regime, &history, &readings, "Europe/Paris");
        for least in [Verified::Secondary, Verified::Primary] {
            let taken = regime.clone().verified_at_least(least);
            ask_all(&taken, &history, &readings, "Europe/Paris");
        }
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let small = r#"{"id":"own","version":"1","name":"Own","jurisdiction":"X","as_of":"2026-11-21",
            "rights":[{"id":"access","rights":["access"],"article":"4"}],
            "clocks":[{"question":"response","period":{"unit":"business_days","value":10}}]}"#;
        let shipped = ["ch_fadp", "us_ca_ccpa", "eu_gdpr"].map(|id| {
            let regime = BUILTIN.get(id).expect("it is shipped");
            serde_json::to_vec(&*regime).expect("it can be written")
        });
        std::iter::once(small.into()).chain(shipped).collect()
    }
}

/// Rules of a country, laid on a law.
pub mod overlay {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Ok(overlay) = serde_json::from_slice::<Overlay>(bytes) else {
            return false;
        };
        same_again(&overlay);
        let mut regimes = BUILTIN.clone();
        let Ok(()) = regimes.overlay(&overlay) else {
            return true;
        };
        let laid = regimes.get(overlay.id.as_str()).expect("it was laid");
        let pin = laid.pin().expect("it can be written");
        assert_eq!(*regimes.by_pin(&pin).expect("it was pinned"), *laid);
        ask_all(
            &laid,
            &ClockHistory::received(received()),
            &Readings::default(),
            "Europe/Dublin",
        );
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let overlay = r#"{"id":"eu_ie","base":"eu_gdpr","version":"1","name":"Ireland",
            "jurisdiction":"IE","as_of":"2026-11-21",
            "clocks":[{"question":"response","rights":["access"],"period":{"unit":"days","value":20}}],
            "grounds":[{"code":"own","uses":["refuse"],"article":"1","letter":"a"}]}"#;
        vec![overlay.into()]
    }
}

/// What happened to a request, under a shipped law in a zone: `law zone` on a line, the readings on
/// the next, then the history.
pub mod clock_history {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(mut lines) = text(bytes).map(|text| text.splitn(3, '\n')) else {
            return false;
        };
        let head = lines.next().and_then(|head| head.split_once(' '));
        let (Some((law, zone)), Some(readings), Some(history)) = (head, lines.next(), lines.next())
        else {
            return false;
        };
        let Ok(history) = serde_json::from_str::<ClockHistory>(history) else {
            return false;
        };
        same_again(&history);
        let (Ok(regime), Ok(readings)) = (BUILTIN.get(law), readings.parse()) else {
            return false;
        };
        if Calendar::in_zone(zone).is_err() {
            return false;
        }
        ask_all(&regime, &history, &readings, zone);
        true
    }

    /// The given cases.
    pub fn seeds() -> Vec<Vec<u8>> {
        let cases = include_str!("../../law/deadline_vectors.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(cases).expect("JSON");
        cases
            .iter()
            .filter(|case| case["regime"] != "retention_conflicts")
            .map(|case| {
                let of = |name: &str| case[name].as_str().expect("a text").to_owned();
                let history = serde_json::json!({
                    "received": case["received"],
                    "events": case["events"],
                });
                let (law, zone, readings) = (of("regime"), of("timezone"), of("policy"));
                format!("{law} {zone}\n{readings}\n{history}").into_bytes()
            })
            .collect()
    }
}

/// Readings, and the names of questions.
pub mod readings {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(text) = text(bytes) else {
            return false;
        };
        if let Ok(question) = text.parse::<Question>() {
            assert_eq!(question.name(), text);
        }
        let Ok(readings) = text.parse::<Readings>() else {
            return false;
        };
        same_again(&readings);
        // Said twice is said once.
        assert_eq!(format!("{text},{text}").parse(), Ok(readings));
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        [
            "default",
            "eu_identity=suspend_days, eu_identity_asked_within=3",
            "uk_pause=published_example,breach_hours=two_working_days",
            "us_ca_receipt=day_one,roll=next_business_day,br_small_agent=true",
        ]
        .map(Into::into)
        .into()
    }
}

/// Holidays as authorities publish them.
pub mod calendar_file {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(file) = text(bytes) else {
            return false;
        };
        let until = NaiveDate::from_ymd_opt(2030, 12, 31).expect("a day");
        let mut was_read = false;
        for until in [None, Some(until)] {
            let read = datarights::law::read_icalendar(file, chrono_tz::Europe::Paris, until);
            let Ok(days) = read else { continue };
            for (date, name) in days.iter() {
                assert_eq!(days.day(date), datarights::law::Day::Holiday);
                assert_eq!(days.name(date), Some(name));
            }
            was_read = true;
        }
        was_read
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let event = |lines: &str| {
            format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//gov\r\nBEGIN:VEVENT\r\nUID:1\r\n\
                 {lines}SUMMARY:Day off\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            )
            .into_bytes()
        };
        vec![
            event("DTSTART;VALUE=DATE:20260406\r\nDTEND;VALUE=DATE:20260408\r\n"),
            event("DTSTART:20260405T220000Z\r\nDURATION:P1D\r\n"),
            event("DTSTART;TZID=Europe/Paris:20260714T000000\r\nCATEGORIES:A,B\r\n"),
            event(
                "DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20210101\r\n",
            ),
            event(
                "DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=9\r\n",
            ),
        ]
    }
}
