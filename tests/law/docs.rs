//! `docs/regimes.md` is written from the tables. `UPDATE_DOCS=1 cargo test --test law`
//! writes it anew; without that, a test fails when it differs.

use std::fmt::Write as _;

use datarights::law::{
    Clock, ClockEventKind, Fact, InForce, PauseBasis, Period, Question, Regime, Regimes,
    RetentionDuty, Roll, Start, Verified,
};
use datarights::model::Right;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/regimes.md");

const HEAD: &str = "# The regimes

<!-- Written from the tables by `UPDATE_DOCS=1 cargo test --test law`. Do not edit. -->

What each law says of requests, as the crate's tables hold it. No legal advice.

A figure without a mark was read in the legal text. **s** marks one that an authority or a
commentary quotes (secondary), **m** one that nobody checked (memory): check it before you
rely on it, or take `Regimes::builtin().verified_only(Verified::Secondary)`.

";

fn mark(verified: Verified) -> &'static str {
    match verified {
        Verified::Primary => "",
        Verified::Secondary => " **s**",
        _ => " **m**",
    }
}

fn cell(text: &str) -> String {
    if text.is_empty() {
        "–".into()
    } else {
        text.replace('|', "/")
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for part in parts {
        if !seen.contains(&part) {
            seen.push(part);
        }
    }
    seen.join("; ")
}

fn clocks_of(regime: &Regime, question: Question) -> impl Iterator<Item = &Clock> {
    regime
        .clocks
        .iter()
        .filter(move |clock| clock.question == question)
}

fn period(clock: &Clock) -> String {
    let mut text = format!("{}{}", clock.period, mark(clock.verified));
    if let Some(when) = &clock.when {
        let _ = write!(text, " if {when}");
    }
    if !clock.rights.is_empty() {
        let _ = write!(text, " ({})", names(&clock.rights));
    }
    text
}

fn names(rights: &[Right]) -> String {
    let rights: Vec<_> = rights.iter().map(|right| right.name()).collect();
    rights.join(", ")
}

/// ` for these rights`, unless it is for all.
fn only_for(rights: &[Right]) -> String {
    match rights {
        [] => String::new(),
        some => format!(" for {}", names(some)),
    }
}

/// A name as files write it.
fn written_as(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap().replace('"', "`")
}

/// From when a clock runs, where that is not receipt.
fn start(start: Start) -> String {
    match start {
        Start::Receipt => String::new(),
        Start::RelevantTime => {
            ", from the latest of receipt, of the identity information asked for and of the fee charged".into()
        }
        Start::DayAfterRelevantTime => {
            ", from the day after the latest of receipt, of the identity information asked for and of the fee charged".into()
        }
        Start::FeeReflectionEnd { days } => {
            format!(", from receipt; once a fee was announced, from the end of the {days} days to accept it")
        }
        Start::Event(ClockEventKind::AnswerReceived) => ", from the answer".into(),
        Start::Event(kind) => format!(", from {}", written_as(&kind)),
        _ => unreachable!("a start without words"),
    }
}

fn in_force(dates: InForce) -> String {
    match (dates.from, dates.until) {
        (Some(from), Some(until)) => format!("{from} to {until}{}", mark(dates.verified)),
        (Some(from), None) => format!("from {from}{}", mark(dates.verified)),
        _ => String::new(),
    }
}

fn roll(roll: Roll) -> &'static str {
    match roll {
        Roll::NONE => "",
        Roll::WEEKEND_AND_HOLIDAYS => "Saturday, Sunday, holidays",
        Roll::SUNDAY_AND_HOLIDAYS => "Sunday, holidays",
        Roll::HOLIDAYS => "holidays",
        Roll::BUSINESS_DAY => "whatever is no business day",
        _ => "other",
    }
}

fn row(regime: &Regime) -> String {
    let answer = joined(clocks_of(regime, Question::Response).map(period));
    let more = joined(clocks_of(regime, Question::Response).filter_map(|clock| {
        let extension = clock.extension.as_ref()?;
        let times = if extension.times == 1 {
            String::new()
        } else {
            format!("{} x ", extension.times)
        };
        Some(format!(
            "{times}{}{}",
            extension.by,
            mark(extension.verified)
        ))
    }));
    let refusal = joined(
        clocks_of(regime, Question::RefusalNotice)
            .map(|clock| format!("{}{}", clock.period, mark(clock.verified))),
    );
    let ack = joined(
        clocks_of(regime, Question::Ack)
            .map(|clock| format!("{}{}", clock.period, mark(clock.verified))),
    );
    let appeal = joined(
        clocks_of(regime, Question::AppealResponse)
            .map(|clock| format!("{}{}", clock.period, mark(clock.verified))),
    );
    let moves = joined(
        regime
            .clocks
            .iter()
            .map(|clock| roll(clock.roll).to_owned())
            .filter(|text| !text.is_empty()),
    );
    let cells = [
        format!("[`{}`](#{})", regime.id, anchor(regime)),
        regime.jurisdiction.to_string(),
        in_force(regime.in_force),
        answer,
        more,
        refusal,
        ack,
        appeal,
        moves,
        regime.as_of.to_string(),
    ];
    let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn anchor(regime: &Regime) -> String {
    format!("{}-version-{}", regime.id, regime.version).replace(['+', '.'], "")
}

fn article(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

fn details(regime: &Regime, out: &mut String) {
    let _ = writeln!(
        out,
        "\n### {} version {}\n\n{}.",
        regime.id,
        regime.version,
        regime.name.trim_end_matches('.')
    );
    let words = &regime.words;
    let _ = writeln!(
        out,
        "Its words: {}, {}, {}, {}.",
        words.subject, words.controller, words.processor, words.authority
    );
    if !regime.instruments.is_empty() {
        let _ = writeln!(out, "Texts: {}.", regime.instruments.join("; "));
    }
    section(
        out,
        "Rights",
        regime.rights.iter().map(|rule| {
            let mut text = format!(
                "`{}`{}{}",
                rule.id,
                article(&rule.article),
                mark(rule.verified)
            );
            if rule.absolute {
                text.push_str(", absolute");
            }
            if let Some(from) = rule.from {
                let _ = write!(text, ", from {from}");
            }
            if !rule.only_if.is_empty() {
                let _ = write!(text, ", only if {}", rule.only_if.join(" and "));
            }
            if !rule.scope.is_empty() {
                let _ = write!(text, ": {}", rule.scope);
            }
            text
        }),
    );
    section(
        out,
        "Clocks",
        regime.clocks.iter().map(|clock| {
            let mut text = format!(
                "`{}`: {}{}",
                clock.question,
                period(clock),
                article(&clock.article)
            );
            if let Some(from) = clock.from {
                let _ = write!(text, ", for what is received from {from} on");
            }
            text.push_str(&start(clock.start));
            if clock.backwards {
                text.push_str(", counted back");
            }
            if let Some(longest) = clock.at_most {
                let _ = write!(text, ", at most {longest} from receipt");
            }
            if clock.roll != Roll::NONE {
                let _ = write!(text, ", last day moves over {}", roll(clock.roll));
            }
            if clock.pausable && !regime.pauses.is_empty() {
                text.push_str(", stands still during pauses");
            }
            if let Some(extension) = &clock.extension {
                let _ = match extension.by {
                    Period::Unnumbered => {
                        write!(text, ", extended to the date that its notice names")
                    }
                    by => write!(text, ", extended by {by}"),
                };
                let _ = write!(
                    text,
                    "{}{}",
                    article(&extension.article),
                    mark(extension.verified)
                );
                if extension.times > 1 {
                    let _ = write!(text, ", up to {} times", extension.times);
                }
                let from_its_date = extension.notice_from_request_date;
                let period = from_its_date.then_some(clock.period);
                if let Some(within) = extension.notice_within.or(period) {
                    let _ = write!(text, ", announced within {within}");
                }
                if from_its_date {
                    text.push_str(" of the date that the request bears");
                }
                if !extension.grounds.is_empty() {
                    let _ = write!(text, ", on the grounds {}", extension.grounds.join("; "));
                }
                if !extension.notice_contains.is_empty() {
                    let _ = write!(text, ", saying {}", extension.notice_contains.join(" and "));
                }
            }
            if !clock.standard.is_empty() {
                let _ = write!(text, ": {}", clock.standard);
            }
            text
        }),
    );
    section(
        out,
        "Pauses",
        regime.pauses.iter().map(|pause| {
            let basis = match pause.basis {
                PauseBasis::Reading => ", if that reading is taken (`eu_identity`)",
                _ => "",
            };
            format!(
                "while waiting for {}{}{basis}: {}{}{}",
                written_as(&pause.awaiting),
                only_for(&pause.rights),
                pause.rule,
                article(&pause.article),
                mark(pause.verified)
            )
        }),
    );
    section(
        out,
        "Other readings of what the last day moves over",
        regime.roll_readings.iter().map(|reading| {
            format!(
                "`roll={}`: {}{}{}",
                reading.name,
                roll(reading.roll),
                article(&reading.article),
                mark(reading.verified)
            )
        }),
    );
    let free = &regime.unverified_rights;
    let free = (!free.is_empty()).then(|| format!("nobody shows who they are for {}", names(free)));
    section(out, "Without identification", free.into_iter());
    section(
        out,
        "Grounds",
        regime.grounds.iter().map(|ground| {
            let uses: Vec<_> = ground.uses.iter().map(|usage| usage.name()).collect();
            let mandatory = if ground.mandatory { ", mandatory" } else { "" };
            let reviewable = if ground.reviewable {
                ", open to a review"
            } else {
                ""
            };
            format!(
                "`{}` to {}{}{}{}{mandatory}{reviewable}",
                ground.code,
                uses.join(", "),
                only_for(&ground.rights),
                article(&ground.article),
                mark(ground.verified)
            )
        }),
    );
    section(
        out,
        "Notices",
        regime.notices.iter().map(|notice| {
            let items: Vec<_> = notice.items.iter().map(|item| item.says.as_ref()).collect();
            let until = match notice.until {
                Some(question) => format!(", until `{question}`"),
                None => String::new(),
            };
            let standard = match notice.standard.as_ref() {
                "" => String::new(),
                standard => format!(", {standard}"),
            };
            let practice = if notice.mandatory {
                ""
            } else {
                ", good practice"
            };
            format!(
                "{}{}{}{}{practice}{until}{standard}: {}",
                written_as(&notice.step),
                only_for(&notice.rights),
                article(&notice.article),
                mark(notice.verified),
                items.join("; ")
            )
        }),
    );
    let external = &regime.appeal.external;
    if !external.is_empty() {
        let own = if regime.appeal.internal {
            "to the controller first; then "
        } else {
            ""
        };
        section(
            out,
            "Appeal",
            [format!("{own}{external}{}", mark(regime.appeal.verified))].into_iter(),
        );
    }
    for (topic, facts) in &regime.facts {
        let name = serde_json::to_string(topic)
            .unwrap()
            .replace(['"'], "")
            .replace('_', " ");
        section(out, &name, facts.iter().map(fact));
    }
}

fn fact(fact: &Fact) -> String {
    format!(
        "{}{}{}",
        fact.text,
        article(&fact.article),
        mark(fact.verified)
    )
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let mut name = title.to_owned();
    name[..1].make_ascii_uppercase();
    let _ = writeln!(out, "\n{name}:");
    for line in lines {
        let _ = writeln!(out, "- {line}");
    }
}

fn written() -> String {
    let regimes = Regimes::builtin();
    let mut out = HEAD.to_owned();
    out.push_str("| regime | where | in force | answer | extension | refusal notice | acknowledgement | appeal | last day moves over | true on |\n");
    out.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    let all = || {
        regimes
            .ids()
            .flat_map(|id| regimes.versions(id.as_str()).unwrap())
    };
    for regime in all() {
        out.push_str(&row(&regime));
    }
    out.push_str("\n## Duties to keep\n\n| duty | where | what | how long | from | article |\n|---|---|---|---|---|---|\n");
    for duty in RetentionDuty::all() {
        let start = serde_json::to_string(&duty.start)
            .unwrap()
            .replace('"', "")
            .replace('_', " ");
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {}{} | {start} | {} |",
            duty.id,
            duty.jurisdiction,
            cell(&duty.data),
            duty.period,
            mark(duty.verified),
            cell(&duty.article)
        );
    }
    out.push('\n');
    for principle in RetentionDuty::principles() {
        let _ = writeln!(out, "- {}", fact(&principle));
    }
    out.push_str("\n## Each law\n");
    for regime in all() {
        details(&regime, &mut out);
    }
    out
}

#[test]
fn the_page_says_until_when_an_extension_is_announced() {
    let canada = Regimes::builtin().get("ca_pipeda").unwrap();
    let mut page = String::new();
    details(&canada, &mut page);
    let said = "announced within 30 days of the date that the request bears";
    assert!(page.contains(said), "{page}");
}

#[test]
fn the_page_of_regimes_is_up_to_date() {
    let written = written();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, &written).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        kept == written,
        "docs/regimes.md differs from the tables: run `UPDATE_DOCS=1 cargo test --test law`"
    );
}
