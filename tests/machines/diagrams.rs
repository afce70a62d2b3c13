//! The pages about the machines are written from their tables; `UPDATE_DOCS=1` writes them anew.

use std::fmt::{Debug, Write as _};
use std::path::Path;

use datarights::workflow::fulfilment::{self, Machine};
use datarights::workflow::{Table, lifecycle};

use crate::world::snake;

/// A page: what the machine is, its diagram, and its table.
fn page<P, C>(intro: &str, table: &Table<P, C>, first: P, all: &[C]) -> String
where
    P: Copy + Ord + Debug,
    C: Copy + Ord + Debug,
{
    let mut text = format!("{intro}\n\n```mermaid\n{}```\n\n", table.diagram(first));
    let mut phases: Vec<P> = Vec::new();
    for line in table.0 {
        if !phases.contains(&line.from) {
            phases.push(line.from);
        }
    }
    text.push_str("| phase | command | leads to |\n| --- | --- | --- |\n");
    for phase in phases {
        let mut name = snake(&phase);
        for command in all {
            let Some(targets) = table.targets(phase, *command) else {
                continue;
            };
            let targets: Vec<_> = targets
                .iter()
                .map(|to| format!("`{}`", snake(to)))
                .collect();
            let (command, targets) = (snake(command), targets.join(", "));
            let phase = match name.as_str() {
                "" => String::new(),
                name => format!("`{name}`"),
            };
            let _ = writeln!(text, "| {phase} | `{command}` | {targets} |");
            name.clear();
        }
    }
    text.push_str("\nWhat is not in the table is rejected, and changes nothing.\n");
    text
}

/// How the machines stand on each other.
fn overview() -> String {
    let mut text = String::from(
        "Every request runs through the *lifecycle*; what its right needs done is one *fulfilment* \
         machine. Each box below lists its phases in the order of the course that nothing disturbs.\n\n",
    );
    let rule = |text: &mut String, left, middle, right| {
        let _ = writeln!(text, "{left}{}{right}", String::from(middle).repeat(76));
    };
    let line = |text: &mut String, content: &str| {
        let _ = writeln!(text, "│ {content:<74} │");
    };
    text.push_str("```text\n");
    rule(&mut text, "┌", "─", "┐");
    line(
        &mut text,
        "lifecycle: the legal course, with its clocks, the same for every right",
    );
    line(&mut text, "");
    for phases in wrap(&lifecycle::Phase::ALL) {
        line(&mut text, &phases);
    }
    rule(&mut text, "├", "─", "┤");
    line(
        &mut text,
        "        │ start · rework · cancel             ▲ running · an outcome",
    );
    line(&mut text, "        ▼                                     │");
    for machine in Machine::ALL {
        rule(&mut text, "├", "─", "┤");
        line(&mut text, &snake(&machine));
        let phases: Vec<_> = course(machine);
        for phases in wrap(&phases) {
            line(&mut text, &format!("  {phases}"));
        }
    }
    rule(&mut text, "└", "─", "┘");
    text.push_str("```\n\n");
    let machines = Machine::ALL.iter().map(snake);
    for name in std::iter::once("lifecycle".to_owned()).chain(machines) {
        let _ = writeln!(text, "- [{name}]({name}.md)");
    }
    text
}

/// The phases of a machine, in the order of its table.
fn course(machine: Machine) -> Vec<fulfilment::Phase> {
    let mut phases = Vec::new();
    for line in machine.table().0 {
        if !phases.contains(&line.from) {
            phases.push(line.from);
        }
    }
    phases
}

fn wrap<P: Debug>(phases: &[P]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for phase in phases {
        let name = snake(phase);
        let last = lines.last_mut().unwrap();
        if last.is_empty() {
            *last = name;
        } else if last.chars().count() + name.len() + 3 > 70 {
            last.push_str(" →");
            lines.push(name);
        } else {
            let _ = write!(last, " → {name}");
        }
    }
    lines
}

/// Every generated page, by its name.
fn pages() -> Vec<(&'static str, String)> {
    let work = |machine: Machine, intro: &str| {
        page(
            intro,
            machine.table(),
            machine.first(),
            &fulfilment::On::ALL,
        )
    };
    vec![
        ("overview", overview()),
        (
            "lifecycle",
            page(
                "A request from its receipt to its end. The names `report`, `sweep` and `fire` \
                 stand for what comes from the work, the engine and timers; all else is commanded.",
                &lifecycle::TABLE,
                lifecycle::Phase::Received,
                &lifecycle::On::ALL,
            ),
        ),
        (
            "access",
            work(
                Machine::Access,
                "Every source is searched and read, and a package is made of it.",
            ),
        ),
        (
            "export",
            work(
                Machine::Export,
                "As for access; the package is downloaded, or sent to another controller.",
            ),
        ),
        (
            "rectification",
            work(
                Machine::Rectification,
                "What is disputed is restricted until its correction is approved and checked.",
            ),
        ),
        (
            "erasure",
            work(
                Machine::Erasure,
                "Nothing is erased unless everything was found and planned; what was withheld \
                 follows when its date comes or its hold is lifted (`lapse`, `lift_hold`).",
            ),
        ),
        (
            "restriction",
            work(
                Machine::Restriction,
                "What was found is restricted until somebody lifts it; the person is told before \
                 (`announce`: the letter went out), or it is not lifted.",
            ),
        ),
        (
            "stop",
            work(
                Machine::Stop,
                "Every source and recipient is asked to end the uses, all at once, and asked again \
                 with the identifiers that come to light.",
            ),
        ),
        (
            "human_review",
            work(
                Machine::HumanReview,
                "A member of staff looks at the decision and brings a verdict.",
            ),
        ),
    ]
}

#[test]
fn the_pages_are_what_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/machines");
    for (name, text) in pages() {
        let path = folder.join(format!("{name}.md"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored.replace("\r\n", "\n") == text,
            "{} is not what the tables say; write it anew with \
             `UPDATE_DOCS=1 cargo test --test machines`",
            path.display()
        );
    }
}
