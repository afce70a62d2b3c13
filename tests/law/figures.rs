//! Every number of a regime in the facts is read back from the tables, with how well it was
//! checked. A number that no line here claims fails the test, so that none is forgotten. What the
//! facts say in a sentence, as those on overlays do, is not read back here.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datarights::law::{Clock, Period, Question, Regime, Regimes, RetentionDuty, Verified};
use datarights::model::Right;
use serde_json::Value;

pub(crate) fn facts() -> Vec<Value> {
    serde_json::from_str(include_str!("regimes.json")).unwrap()
}

/// Numbers of the facts that stand in our tables as words.
const IN_WORDS: &[&str] = &[
    "us_ca_ccpa.correction.deny_repeat_within_months",
    "us_ca_ccpa.correction.health_statement_words",
    "us_ca_ccpa.verification.tiers[0].data_points",
    "us_ca_ccpa.verification.tiers[1].data_points",
    "in_dpdp.retention.erase_warning_hours",
    "cn_pipl.clock.standard_limit.value",
];

/// Which part of a clock a number is.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Itself,
    Extension,
    ExtensionNotice,
    Total,
}

/// Where a number of the facts stands in the tables: the question and the right (empty:
/// any), and which part of the clock it is.
fn place(path: &str) -> Option<(Question, &'static str, Part)> {
    use Part::{Extension, ExtensionNotice, Itself, Total};
    use Question as Q;
    let (regime, rest) = path.split_once('.')?;
    let whole = match rest {
        "clock.response.value" => (Q::Response, "access", Itself),
        "clock.extension.value" => (Q::Response, "access", Extension),
        "clock.extension.total_from_receipt_months" | "clock.extension.max_total" => {
            (Q::Response, "access", Total)
        }
        "clock.extension.notice_within.value" => (Q::Response, "access", ExtensionNotice),
        "clock.refusal_notice.value" | "clock.decline_notice.value" => {
            (Q::RefusalNotice, "", Itself)
        }
        "clock.ack.value" => (Q::Ack, "access", Itself),
        "clock.opt_out.value" => (Q::OptOut, "opt_out", Itself),
        "clock.adm_opt_out.value" => (Q::OptOut, "adm_opt_out", Itself),
        "clock.limit.value" => (Q::Limit, "", Itself),
        "opt_in_ask_wait.value" => (Q::OptInAskEarliest, "", Itself),
        "lookback.default_months" => (Q::LookbackStartDefault, "", Itself),
        "records.retention_months" | "records.documentation_retention_years" => {
            (Q::RecordRetentionUntil, "", Itself)
        }
        "consent_revocation.value" => (Q::ConsentRevocation, "", Itself),
        "appeal.response.value" => (Q::AppealResponse, "", Itself),
        "appeal.extension.value" => (Q::AppealResponse, "", Extension),
        _ => return other_place(regime, rest),
    };
    Some(whole)
}

/// The places that only one regime has.
fn other_place(regime: &str, rest: &str) -> Option<(Question, &'static str, Part)> {
    use Part::{Extension, Itself};
    use Question as Q;
    Some(match (regime, rest) {
        ("us_ca_delete_act", "clock.cycle.value") => (Q::DropNextAccess, "", Itself),
        ("us_ca_delete_act", "clock.delete.value") => (Q::Response, "erasure", Itself),
        ("us_ca_delete_act", "pending[0].value") => (Q::DropNextAccess, "", Itself),
        ("us_hipaa", "clock.per_right.amendment.value") => (Q::Response, "rectification", Itself),
        ("us_hipaa", "clock.per_right.amendment.ext") => (Q::Response, "rectification", Extension),
        ("us_hipaa", "clock.per_right.accounting_of_disclosures.value") => {
            (Q::Response, "accounting_of_disclosures", Itself)
        }
        ("us_hipaa", "clock.per_right.accounting_of_disclosures.ext") => {
            (Q::Response, "accounting_of_disclosures", Extension)
        }
        ("br_lgpd", "clock.response.simplified.value") => (Q::ResponseSimplified, "access", Itself),
        ("br_lgpd", "clock.response.full_declaration.value") => (Q::Response, "access", Itself),
        ("in_dpdp", "clock.grievance.value") => (Q::GrievanceResponse, "", Itself),
        ("in_dpdp", "retention.min_log_retention_years") => (Q::LogRetentionUntil, "", Itself),
        ("kr_pipa", "clock.correction.value") => (Q::Response, "rectification", Itself),
        ("kr_pipa", "clock.suspension.value") => (Q::Response, "restriction", Itself),
        ("kr_pipa", "clock.adm.value") => (Q::Response, "human_review", Itself),
        ("jp_appi", "clock.lawsuit_bar.value") => (Q::LawsuitBarLastDay, "", Itself),
        ("cn_pipl", "clock.operational_limit.value") => (Q::OperationalLimit, "", Itself),
        ("au_privacy_act", "clock.agency.value") => (Q::Response, "access", Itself),
        ("id_pdp", "clock.breach.value") => (Q::BreachAuthority, "", Itself),
        ("tw_pdpa" | "ke_dpa" | "za_popia", "clock.access.value") => {
            (Q::Response, "access", Itself)
        }
        ("tw_pdpa", "clock.access.ext") => (Q::Response, "access", Extension),
        ("tw_pdpa", "clock.correction_cease_erase.value") => (Q::Response, "erasure", Itself),
        ("tw_pdpa", "clock.correction_cease_erase.ext") => (Q::Response, "erasure", Extension),
        ("za_popia", "clock.correction_deletion.value") => {
            (Q::Response, "correction_deletion", Itself)
        }
        ("ke_dpa", "clock.rectification.value") => (Q::Response, "rectification", Itself),
        ("ke_dpa", "clock.erasure.value") => (Q::Response, "erasure", Itself),
        ("ke_dpa", "clock.restriction_objection.value") => (Q::Response, "objection", Itself),
        ("ke_dpa", "clock.portability.value") => (Q::Response, "export", Itself),
        ("vn_pdpl", path) => {
            let group = path.strip_prefix("clock.")?;
            let (group, part) = group.split_once('.')?;
            let right = match group {
                "withdraw_restrict_object" => "objection",
                "view_rectify_obtain" => "rectification",
                "erase" => "erasure",
                "protective_measures" => "protective_measures",
                _ => return None,
            };
            let part = if part == "ext" { Extension } else { Itself };
            (Q::Response, right, part)
        }
        _ => return None,
    })
}

/// In which circumstance a number holds.
fn circumstance(path: &str) -> Option<&'static str> {
    if path.ends_with(".processor_third_party") {
        Some("vn_involves=processor")
    } else if path == "au_privacy_act.clock.agency.value" {
        Some("au_entity=agency")
    } else {
        None
    }
}

fn clock<'a>(regime: &'a Regime, question: Question, right: &str, when: Option<&str>) -> &'a Clock {
    let named = Right::from(right);
    let rule = regime.right(&named);
    regime
        .clocks
        .iter()
        .find(|clock| {
            clock.question == question
                && clock.when.as_deref() == when
                && (clock.rights.is_empty()
                    || right.is_empty()
                    || clock.rights.contains(&named)
                    || rule
                        .is_some_and(|rule| rule.rights.iter().any(|r| clock.rights.contains(r))))
        })
        .unwrap_or_else(|| panic!("{}: no clock for {question} and {right}", regime.id))
}

/// The numbers of one entry: path, number, unit, how well checked.
struct Number {
    path: String,
    value: u32,
    unit: Option<String>,
    verified: Option<String>,
}

fn numbers(value: &Value, path: &str, verified: Option<&str>, found: &mut Vec<Number>) {
    match value {
        Value::Object(fields) => {
            let verified = fields.get("v").and_then(Value::as_str).or(verified);
            for (name, field) in fields {
                let path = format!("{path}.{name}");
                match field.as_u64() {
                    Some(number) => found.push(Number {
                        unit: fields
                            .get("unit")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                        verified: verified.map(str::to_owned),
                        value: u32::try_from(number).unwrap(),
                        path,
                    }),
                    None => numbers(field, &path, verified, found),
                }
            }
        }
        Value::Array(list) => {
            for (at, element) in list.iter().enumerate() {
                numbers(element, &format!("{path}[{at}]"), verified, found);
            }
        }
        _ => {}
    }
}

/// The period that a number and its unit mean; the key's own name says the unit of some.
fn period(number: &Number) -> Period {
    let n = number.value;
    let key = number.path.rsplit('.').next().unwrap();
    match (number.unit.as_deref(), key) {
        (_, "default_months" | "retention_months" | "total_from_receipt_months") => {
            Period::Months(n)
        }
        (_, "documentation_retention_years" | "min_log_retention_years") => Period::Years(n),
        (Some("month"), _) => Period::Months(n),
        (Some("calendar_day") | None, _) => Period::Days(n),
        (Some("business_day" | "working_day"), _) => Period::BusinessDays(n),
        (Some("week"), _) => Period::Weeks(n),
        (Some("hour"), _) => Period::Hours(n),
        (Some("immediate"), _) => Period::AtOnce,
        (unit, _) => panic!("{}: unknown unit {unit:?}", number.path),
    }
}

fn mark(verified: Option<&str>) -> Verified {
    match verified {
        Some("verified_primary") => Verified::Primary,
        Some("verified_secondary") => Verified::Secondary,
        _ => Verified::Memory,
    }
}

#[test]
fn every_number_of_the_facts_stands_in_the_tables() {
    let regimes = Regimes::builtin();
    let mut checked = 0;
    for entry in facts() {
        let id = entry["id"].as_str().unwrap();
        if entry["kind"] != "regime" {
            continue;
        }
        let mut found = Vec::new();
        numbers(&entry, id, None, &mut found);
        for number in found {
            let path = number.path.as_str();
            if IN_WORDS.contains(&path) {
                continue;
            }
            let (question, right, part) =
                place(path).unwrap_or_else(|| panic!("nothing reads {path} back"));
            let versions = regimes.versions(id).unwrap();
            // The facts on the United Kingdom are those of its newest version.
            let newest = path.contains("pending") || id == "uk_gdpr";
            let regime = if newest {
                versions.last()
            } else {
                versions.first()
            }
            .unwrap();
            let clock = clock(regime, question, right, circumstance(path));
            let extension = clock.extension.as_ref();
            let stands = match part {
                Part::Itself => clock.period,
                Part::Extension => extension.unwrap().by,
                Part::ExtensionNotice => extension.unwrap().notice_within.unwrap_or(clock.period),
                Part::Total => clock.period.plus(extension.unwrap().by, 1).unwrap(),
            };
            assert_eq!(stands, period(&number), "{path}");
            let marked = match part {
                Part::Extension => extension.unwrap().verified,
                _ => clock.verified,
            };
            assert_eq!(marked, mark(number.verified.as_deref()), "{path}");
            checked += 1;
        }
    }
    assert!(checked > 150, "only {checked} numbers were found");
}

#[test]
fn every_retention_duty_stands_in_the_tables() {
    let entry = facts()
        .into_iter()
        .find(|entry| entry["id"] == "retention_conflicts")
        .unwrap();
    let duties: BTreeMap<_, _> = RetentionDuty::all()
        .into_iter()
        .map(|duty| (duty.id.to_string(), duty))
        .collect();
    let items = entry["items"].as_array().unwrap();
    assert_eq!(items.len(), duties.len());
    for item in items {
        let duty = &duties[item["id"].as_str().unwrap()];
        let number = |key: &str| item[key].as_u64().and_then(|n| u32::try_from(n).ok());
        let period = number("years")
            .map(Period::Years)
            .or(number("months").map(Period::Months))
            .or(number("days").map(Period::Days))
            .unwrap_or(Period::Unnumbered);
        assert_eq!(duty.period, period, "{}", duty.id);
        assert_eq!(duty.verified, mark(item["v"].as_str()), "{}", duty.id);
        assert_eq!(
            duty.jurisdiction,
            item["jurisdiction"].as_str().unwrap(),
            "{}",
            duty.id
        );
    }
}

#[test]
fn all_regimes_and_overlays_load() {
    let regimes = Regimes::builtin();
    let mut loaded = 0;
    for entry in facts() {
        let id = entry["id"].as_str().unwrap();
        match entry["kind"].as_str().unwrap() {
            "regime" => {
                for regime in regimes.versions(id).unwrap() {
                    assert_eq!(regime.jurisdiction, entry["jurisdiction"].as_str().unwrap());
                    assert_eq!(regime.as_of.to_string(), entry["as_of"].as_str().unwrap());
                    assert!(!regime.clocks.is_empty(), "{id}");
                }
            }
            "overlay" => {
                let laid = regimes.get(id).unwrap();
                assert_eq!(laid.overlays.len(), 1, "{id}");
                assert_eq!(laid.id.as_str(), id);
            }
            _ => continue,
        }
        loaded += 1;
    }
    assert_eq!(loaded, 49);
    assert_eq!(regimes.ids().count(), 49);
}

#[test]
fn the_days_on_which_states_laws_began_stand_in_the_tables() {
    let regimes = Regimes::builtin();
    for entry in facts() {
        let Some(day) = entry["effective"].as_str().and_then(|text| text.get(..10)) else {
            continue;
        };
        let id = entry["id"].as_str().unwrap();
        let from = regimes.get(id).unwrap().in_force.from;
        assert_eq!(from, day.parse::<NaiveDate>().ok(), "{id}");
    }
}

#[test]
fn the_rights_of_the_facts_are_granted() {
    let regimes = Regimes::builtin();
    for entry in facts() {
        let id = entry["id"].as_str().unwrap();
        let Some(rights) = entry["rights"].as_array() else {
            continue;
        };
        let regime = regimes.get(id).unwrap();
        for right in rights {
            let right = right["id"].as_str().unwrap();
            let rule = regime.rights.iter().find(|rule| rule.id == right);
            assert!(rule.is_some(), "{id} does not grant {right}");
        }
    }
}
