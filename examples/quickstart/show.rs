//! What the quickstart prints. A real host has pages for this.

use crate::host::Letters;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use datarights::engine::{Plan, Progress, Step};
use datarights::law::{Due, DueOn, GroundUse, Regimes};
use datarights::model::{Actor, Correction, Outcome, Right, RowCount, Until, WithheldRows};
use datarights::ports::{Notice, PlannedAction};
use datarights::workflow::{Envelope, Event, Finding, Request, StepResult, Target, Task};

/// Where the help desk is: its days begin and end there.
pub(crate) const ZONE: Tz = Tz::Europe__Paris;

/// A heading.
pub(crate) fn chapter(title: &str) {
    println!("\n\n{title}\n{}", "─".repeat(title.chars().count()));
}

/// One line: what, and what about it.
pub(crate) fn line(what: &str, about: impl std::fmt::Display) {
    println!("  {what:<11} {about}");
}

/// A sentence between the lines.
pub(crate) fn say(text: &str) {
    println!("\n  {text}");
}

/// A letter, as far as it fits a line. The host's own templates would stand here.
fn letter(notice: &Notice) {
    let text = match notice.kind.as_ref() {
        "acknowledgement" => "we have your request".to_owned(),
        "identity_request" => {
            "please tell us the code that we sent to the address we know".to_owned()
        }
        "response" => answer(notice),
        other => other.replace('_', " "),
    };
    line("letter", format!("“{text}”"));
    for rows in &notice.withheld {
        line("", format!("    we keep {}", kept(rows, &notice.right)));
    }
}

fn answer(notice: &Notice) -> String {
    match (&notice.right, &notice.outcome) {
        (Right::Access, Some(Outcome::Done)) => "here is everything we hold about you".to_owned(),
        (Right::Export, Some(Outcome::Done)) => "here is your data to take along".to_owned(),
        (Right::Rectification, Some(Outcome::Done)) => "your data is corrected".to_owned(),
        (Right::Erasure, Some(Outcome::Partly)) => {
            "your data is erased, except what the law keeps".to_owned()
        }
        (_, outcome) => format!("your request ended: {outcome:?}"),
    }
}

/// What is kept, why, and until when: the law's own article and sentence.
fn kept(rows: &WithheldRows, right: &Right) -> String {
    let why = match Regimes::builtin().get("eu_gdpr") {
        Ok(regime) => regime
            .ground(rows.ground.id(), right, GroundUse::Withhold)
            .map_or_else(
                |_| rows.ground.id().to_owned(),
                |ground| format!("Art. {} GDPR", ground.article),
            ),
        Err(_) => rows.ground.id().to_owned(),
    };
    format!(
        "{} {} until {} ({why})",
        rows.rows,
        singular(&rows.collection, rows.rows),
        until(rows.until)
    )
}

fn singular(collection: &str, rows: u64) -> &str {
    if rows == 1 {
        collection.trim_end_matches('s')
    } else {
        collection
    }
}

fn until(until: Until) -> String {
    match until {
        Until::Date(date) => day(date),
        Until::HoldLifted => "the legal hold is lifted".to_owned(),
        _ => "ever".to_owned(),
    }
}

/// A date as people write it.
fn day(date: NaiveDate) -> String {
    format!("{} {}", date.day(), date.format("%B %Y"))
}

/// The day that it is at the help desk.
fn local_day(at: DateTime<Utc>) -> String {
    day(at.with_timezone(&ZONE).date_naive())
}

/// The last day on which something is in time.
pub(crate) fn due(due: Option<&Due>) -> String {
    match due {
        Some(Due::Due {
            on: DueOn::Date(date),
            ..
        }) => day(*date),
        Some(Due::Due {
            on: DueOn::Instant(at),
            ..
        }) => at.to_rfc3339(),
        Some(Due::Paused { .. }) => "paused".to_owned(),
        None => "no fixed day".to_owned(),
    }
}

/// What a listener to the engine shows while it works.
pub(crate) fn progress(progress: &Progress, letters: &Letters) {
    match &progress.what {
        Step::Recorded(event) if matches!(**event, Event::LetterSent { .. }) => {
            if let Some(notice) = letters.next(progress.request) {
                letter(&notice);
            }
        }
        Step::Recorded(event) => recorded(event),
        Step::Retrying { effect, code, at } => {
            line("retrying", format!("{effect:?} at {at}: {code}"));
        }
        _ => {}
    }
}

fn recorded(event: &Event) {
    match event {
        Event::StepAnswered {
            task,
            target,
            result,
        } => {
            if let Some(text) = answered(*task, target, result) {
                line(doing(*task), text);
            }
        }
        Event::StepReopened { target } => {
            line(
                "searching",
                format!("{:<12} again: more addresses are known", target.to_string()),
            );
        }
        _ => {}
    }
}

const fn doing(task: Task) -> &'static str {
    match task {
        Task::Locate => "searching",
        Task::Plan => "planning",
        Task::Read => "reading",
        Task::Pack => "packing",
        Task::Restrict => "restricting",
        Task::Unrestrict => "releasing",
        Task::Rectify => "correcting",
        Task::Verify => "checking",
        Task::Erase => "erasing",
        Task::Search => "searching",
        Task::Inform => "informing",
        _ => "working",
    }
}

fn answered(task: Task, target: &Target, result: &StepResult) -> Option<String> {
    let what = match result {
        StepResult::Done { finding, .. } => match finding {
            Finding::Located { rows, .. } => total(rows),
            Finding::Planned { rows, withheld, .. } => {
                match withheld.iter().map(|rows| rows.rows).sum::<u64>() {
                    0 if rows.is_empty() => "nothing to do".to_owned(),
                    0 => format!("{} to change", total(rows)),
                    kept => format!("{} to change, {kept} to keep", total(rows)),
                }
            }
            Finding::Read { rows, .. } => total(rows),
            Finding::Packed { bytes, .. } => format!("{bytes} bytes"),
            Finding::Changed { rows } => total(rows),
            Finding::Erased {
                rows, assurance, ..
            } => {
                format!(
                    "{} gone ({})",
                    total(rows),
                    format!("{assurance:?}").to_lowercase()
                )
            }
            Finding::Left { rows, .. } => match rows.iter().map(|count| count.rows).sum::<u64>() {
                0 if task == Task::Verify => "every field says what it should".to_owned(),
                0 => "nothing is left".to_owned(),
                left => format!("{left} rows are left"),
            },
            Finding::Nothing => match target {
                Target::Recipient(_) => "confirmed".to_owned(),
                _ => return None,
            },
            _ => return None,
        },
        StepResult::Pending(_) => "waits for somebody: see the task list".to_owned(),
        StepResult::Unsupported => "cannot".to_owned(),
        StepResult::Failed(failure) => format!("failed: {failure:?}"),
        _ => return None,
    };
    Some(match target {
        Target::Request => what,
        _ => format!("{:<12} {what}", target.to_string()),
    })
}

fn total(rows: &[RowCount]) -> String {
    let tables = rows.iter().filter(|count| count.rows > 0).count();
    let rows: u64 = rows.iter().map(|count| count.rows).sum();
    let plural = |count| if count == 1 { "" } else { "s" };
    format!(
        "{rows} row{} in {tables} table{}",
        plural(rows),
        plural(tables as u64)
    )
}

/// The plan of an erasure, as somebody sees it who has to approve it.
pub(crate) fn plan(plan: &Plan) {
    println!(
        "\n  {:<12} {:<12} {:>5}  {:<8} until",
        "source", "table", "rows", "what"
    );
    println!("  {}", "─".repeat(60));
    for (source, rows) in plan
        .sources
        .iter()
        .flat_map(|(id, plan)| plan.rows.iter().map(move |r| (id, r)))
    {
        let (what, end) = match &rows.action {
            PlannedAction::Delete => ("erase", String::new()),
            PlannedAction::Anonymise => ("blank", String::new()),
            PlannedAction::Withhold { until: end, .. } => ("keep", until(*end)),
            PlannedAction::Correct { field } => ("correct", field.clone()),
            _ => ("other", String::new()),
        };
        let text = format!(
            "  {:<12} {:<12} {:>5}  {what:<8} {end}",
            source.as_str(),
            rows.collection,
            rows.rows
        );
        println!("{}", text.trim_end());
    }
    println!();
}

/// What a correction changes: shown to staff who may see it, never logged.
pub(crate) fn corrections(plan: &Plan, wished: &[Correction]) {
    println!();
    let current: Vec<&Correction> = plan
        .sources
        .iter()
        .flat_map(|(_, plan)| &plan.current)
        .collect();
    for wish in wished {
        let now = current
            .iter()
            .find(|now| now.collection == wish.collection && now.field == wish.field);
        let now = now.map_or("", |now| now.value.expose().as_str());
        line(&wish.field, format!("{now:<18} →  {}", wish.value.expose()));
    }
    println!();
}

/// Everything that happened to a request, and its deadlines.
pub(crate) fn timeline(request: &Request, events: &[Envelope]) {
    println!(
        "\n  {} · request {}",
        request.facts.right.name().to_uppercase(),
        request.facts.id
    );
    println!(
        "  received {} · answer due {} · extension to be announced by {} · {}",
        local_day(request.facts.received_at),
        due(request.clock.response.as_ref()),
        due(request.clock.extension_notice.as_ref()),
        ending(request),
    );
    for envelope in events {
        println!(
            "  {:>3}  {}  {:<10} {}",
            envelope.sequence,
            envelope.at.with_timezone(&ZONE).format("%H:%M:%S%.3f"),
            who(&envelope.actor),
            event(&envelope.event)
        );
    }
}

fn ending(request: &Request) -> String {
    let answered = match request.lifecycle.answered_at {
        Some(at) => format!("answered {}", local_day(at)),
        None => "not answered".to_owned(),
    };
    match request
        .fulfilment
        .as_ref()
        .and_then(|work| work.withheld_until)
    {
        Some(at) => format!("{answered}, to be finished from {}", local_day(at)),
        None => answered,
    }
}

fn who(actor: &Actor) -> &str {
    match actor {
        Actor::Person => "person",
        Actor::Staff(who) => who.as_str(),
        Actor::Host => "host",
        Actor::Engine => "engine",
        _ => "other",
    }
}

fn event(event: &Event) -> String {
    match event {
        Event::Entered { phase } => format!("— {}", words(&format!("{phase:?}"))),
        Event::StepAnswered {
            task,
            target,
            result,
        } => {
            let Some(text) = answered(*task, target, result) else {
                return "locked: no other request touches these rows".to_owned();
            };
            format!(
                "{} · {}",
                doing(*task),
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        }
        Event::LetterSent { letter } => format!("letter sent: {}", letter.name().replace('_', " ")),
        Event::Ended { outcome } => format!("the work ended: {}", words(&format!("{outcome:?}"))),
        Event::StepReopened { target } => format!("searching · {target} again"),
        Event::ClockMoved(clock) => format!("the answer is due {}", due(clock.response.as_ref())),
        Event::Withholding {
            until: Some(at),
            again: false,
        } => {
            format!("the first of what is kept goes on {}", local_day(*at))
        }
        other => {
            let name = format!("{other:?}");
            words(name.split(['(', ' ']).next().unwrap_or_default())
        }
    }
}

/// `IdentityConfirmed` → `identity confirmed`.
fn words(name: &str) -> String {
    let mut text = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            text.push(' ');
        }
        text.extend(c.to_lowercase());
    }
    text
}
