//! Computes deadlines: reads cases, prints one JSON line for each.
//!
//! `cargo run -q --example deadlines -- tests/law/deadline_vectors.json`
//!
//! Every field that says what is expected is ignored. A case that cannot be computed is
//! answered with an error, never with a guess.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc, Weekday};
use datarights::law::{
    Calendar, ClockEvent, ClockEventKind, ClockHistory, Due, DueOn, HolidayList, Question,
    Readings, Regimes, RetentionDuty, RetentionFacts, RetentionStart, Setting, Weekdays, deadline,
    neutral_right,
};
use datarights::model::Right;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The regime name under which duties of retention are asked.
const RETENTION: &str = "retention_conflicts";

#[derive(Deserialize)]
struct Case {
    regime: String,
    right: String,
    compute: String,
    received: DateTime<FixedOffset>,
    timezone: String,
    // What is left out or null was not said.
    events: Option<Vec<Event>>,
    weekend: Option<Vec<Weekday>>,
    holidays: Option<Vec<NaiveDate>>,
    extra_workdays: Option<Vec<NaiveDate>>,
    policy: Option<String>,
    duties: Option<Vec<String>>,
}

impl Case {
    fn events(&self) -> &[Event] {
        self.events.as_deref().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: ClockEventKind,
    at: DateTime<FixedOffset>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Computed {
        id: serde_json::Value,
        state: &'static str,
        due: Option<String>,
    },
    Failed {
        id: serde_json::Value,
        error: String,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("give a file of cases, such as tests/law/deadline_vectors.json")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let cases: Vec<&RawValue> = serde_json::from_str(&text)
        .map_err(|error| format!("{path}: no list of cases: {error}"))?;
    let regimes = Regimes::builtin();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for case in cases {
        serde_json::to_writer(&mut out, &answer(&regimes, case.get()))?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

fn answer(regimes: &Regimes, case: &str) -> Answer {
    #[derive(Deserialize)]
    struct Named {
        id: serde_json::Value,
    }
    // A list would be read as the fields in their order.
    let is_object = case.starts_with('{');
    let named = serde_json::from_str::<Named>(case).ok();
    let id = named
        .filter(|_| is_object)
        .map_or(serde_json::Value::Null, |named| named.id);
    let computed = if is_object {
        serde_json::from_str::<Case>(case)
            .map_err(Into::into)
            .and_then(|case| compute(regimes, &case))
    } else {
        Err("a case is an object".into())
    };
    match computed {
        Ok(Some(due)) => Answer::Computed {
            id,
            state: "due",
            due: Some(due),
        },
        Ok(None) => Answer::Computed {
            id,
            state: "paused",
            due: None,
        },
        Err(error) => Answer::Failed {
            id,
            error: error.to_string(),
        },
    }
}

/// The due date as it is printed; `None` while the clock stands still.
fn compute(regimes: &Regimes, case: &Case) -> Result<Option<String>, Box<dyn Error>> {
    let days = |list: &Option<Vec<NaiveDate>>| list.clone().unwrap_or_default();
    let mut calendar = Calendar::in_zone(&case.timezone)?.with_holidays(
        HolidayList::new(days(&case.holidays)).with_working(days(&case.extra_workdays)),
    );
    if let Some(weekend) = &case.weekend {
        calendar = calendar.with_weekend(Weekdays::of(weekend.iter().copied()));
    }
    let received = case.received.to_utc();
    let readings: Readings = case.policy.as_deref().unwrap_or_default().parse()?;
    if case.regime == RETENTION {
        return Ok(Some(keep_until(case, &calendar)?.to_string()));
    }
    let question: Question = case.compute.parse()?;
    let mut history = ClockHistory::received(received);
    for event in case.events() {
        history.push(ClockEvent {
            at: event.at.to_utc(),
            kind: event.kind,
            until: None,
        });
    }
    let regime = regimes.in_force(&case.regime, calendar.date_of(received))?;
    // A law's own name for a right is understood; else its neutral meaning is taken.
    let named = Right::from(case.right.as_str());
    let right = match regime.right(&named) {
        Some(_) => named,
        None => neutral_right(&case.right),
    };
    let setting = Setting {
        regime: &regime,
        right: &right,
        calendar: &calendar,
        readings: &readings,
    };
    Ok(match deadline(&setting, question, &history)? {
        Due::Paused { .. } => None,
        Due::Due { on, .. } => Some(printed(on, &calendar)),
    })
}

fn printed(on: DueOn, calendar: &Calendar) -> String {
    match on {
        DueOn::Date(date) => date.to_string(),
        DueOn::Instant(instant) => local(instant, calendar).to_rfc3339(),
    }
}

fn local(instant: DateTime<Utc>, calendar: &Calendar) -> DateTime<chrono_tz::Tz> {
    instant.with_timezone(&calendar.zone())
}

fn keep_until(case: &Case, calendar: &Calendar) -> Result<NaiveDate, Box<dyn Error>> {
    let asked = match case.compute.as_str() {
        "max_of" => case.duties.as_deref().unwrap_or_default(),
        _ => std::slice::from_ref(&case.compute),
    };
    let duties = asked
        .iter()
        .map(|id| RetentionDuty::named(id))
        .collect::<Result<Vec<_>, _>>()?;
    let mut closes = case
        .events()
        .iter()
        .filter(|event| event.kind == ClockEventKind::FiscalYearClose)
        .map(|event| calendar.date_of(event.at.to_utc()));
    let facts = RetentionFacts {
        from: calendar.date_of(case.received.to_utc()),
        fiscal_year_close: closes.next(),
    };
    let of_year = |duty: &RetentionDuty| duty.start == RetentionStart::FiscalYearClose;
    if closes.next().is_some() && duties.iter().any(of_year) {
        return Err("several `fiscal_year_close`; one is accepted, that of the year meant".into());
    }
    Ok(RetentionDuty::latest(&duties, facts)?.0)
}
