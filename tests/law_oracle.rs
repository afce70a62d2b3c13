//! Every clock of every law against a second calculator, which walks the calendar day by day.
//!
//! It shares nothing with `law::deadline`: its rules are a list of its own, written from the facts,
//! its days come one after the other, its ends of days are searched minute by minute. Cases are made
//! by chance from a fixed seed, which a failure prints with the case.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may")]

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use datarights::law::{
    Calendar, ClockEventKind as Kind, ClockHistory, Due, DueOn, HolidayList, Question, Readings,
    Regimes, Setting, Weekdays, deadline,
};
use datarights::model::Right;

const SEED: u64 = 20_261_122;
const CASES: usize = 12_000;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than that.
    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// So often in a hundred.
    fn percent(&mut self, often: i64) -> bool {
        self.below(100) < often
    }
}

/// What the second calculator says.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Says {
    Day(NaiveDate),
    At(DateTime<Utc>),
    Paused,
    /// There is no answer.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Unit {
    Hours,
    Days,
    Working,
    Weeks,
    Months,
    Years,
}
use Unit::{Days, Hours, Months, Weeks, Working, Years};

/// Over which days a last day moves.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Over {
    Nothing,
    WeekendAndHolidays,
    SundayAndHolidays,
    /// Holidays alone, to a working day.
    Holidays,
}

/// From when it runs, and what stops it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum From {
    Receipt,
    /// GDPR: the readings of `eu_identity`.
    Europe,
    /// UK: identity and fee start it, clarification stops it for access.
    Britain,
    /// The same, from the day after.
    BritainPolice,
    /// Switzerland: ten days to think about a fee.
    Reflection,
    /// Utah: suspected fraud lifts it.
    Fraud,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    long: u32,
    unit: Unit,
    /// By how much it is extended, and how often; none: by a date that the notice names.
    more: Option<(Option<u32>, u32)>,
    over: Over,
    from: From,
}

fn rule(long: u32, unit: Unit) -> Rule {
    Rule {
        long,
        unit,
        more: None,
        over: Over::Nothing,
        from: From::Receipt,
    }
}

impl Rule {
    fn more(self, by: u32) -> Self {
        Self {
            more: Some((Some(by), 1)),
            ..self
        }
    }
    fn twice(self, by: u32) -> Self {
        Self {
            more: Some((Some(by), 2)),
            ..self
        }
    }
    fn until_said(self) -> Self {
        Self {
            more: Some((None, 1)),
            ..self
        }
    }
    fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }
    fn from(self, from: From) -> Self {
        Self { from, ..self }
    }
}

/// The states: days of the answer, of its extension, of the answer to an appeal and of its
/// extension.
type State = (&'static str, u32, u32, Option<(u32, Option<u32>)>);
const STATES: [State; 19] = [
    ("us_va", 45, 45, Some((60, None))),
    ("us_co", 45, 45, Some((45, Some(60)))),
    ("us_ct", 45, 45, Some((60, None))),
    ("us_ut", 45, 45, None),
    ("us_tx", 45, 45, Some((60, None))),
    ("us_or", 45, 45, Some((45, None))),
    ("us_mt", 45, 45, Some((60, None))),
    ("us_ia", 90, 45, Some((60, None))),
    ("us_de", 45, 45, Some((60, None))),
    ("us_nh", 45, 45, Some((60, None))),
    ("us_nj", 45, 45, Some((45, None))),
    ("us_ne", 45, 45, Some((60, None))),
    ("us_tn", 45, 45, Some((60, None))),
    ("us_mn", 45, 45, Some((45, Some(60)))),
    ("us_md", 45, 45, Some((60, None))),
    ("us_in", 45, 45, Some((60, None))),
    ("us_ky", 45, 45, Some((60, None))),
    ("us_ri", 45, 45, Some((60, None))),
    ("us_fl", 45, 15, Some((60, None))),
];

/// The states in which processing ends after consent was withdrawn, and within how many days.
const REVOKED: [(&str, u32); 8] = [
    ("us_ct", 15),
    ("us_or", 15),
    ("us_mt", 45),
    ("us_de", 15),
    ("us_nh", 15),
    ("us_nj", 15),
    ("us_md", 30),
    ("us_ri", 15),
];

/// What is asked: law, right, question, from which day it is asked here, and the rule.
struct Asked {
    law: &'static str,
    right: &'static str,
    question: &'static str,
    since: (i32, u32, u32),
    policy: &'static str,
    rule: Option<Rule>,
}

#[rustfmt::skip] // one line for one clock
fn list() -> Vec<Asked> {
    let mut all = Vec::new();
    let mut put = |law, rights: &[&'static str], question, since, policy, rule| {
        for right in rights {
            all.push(Asked { law, right, question, since, policy, rule });
        }
    };
    let year = |y| (y, 1, 1);
    const DEFAULT: &str = "default";
    for (law, answer, more, appeal) in STATES {
        let from = if law == "us_ut" { From::Fraud } else { From::Receipt };
        let whole = rule(answer, Days).more(more).from(from);
        put(law, &["access", "erasure"], "response", (2026, 1, 2), DEFAULT, Some(whole));
        put(law, &["access"], "extended_response", (2026, 1, 2), DEFAULT, Some(whole));
        put(law, &["access"], "extension_notice_cutoff", (2026, 1, 2), DEFAULT, Some(whole));
        put(law, &["access"], "refusal_notice", (2026, 1, 2), DEFAULT, Some(rule(answer, Days)));
        let revoked = REVOKED.iter().find(|(known, _)| *known == law).map(|(_, days)| rule(*days, Days));
        put(law, &["consent_withdrawal"], "consent_revocation", (2026, 1, 2), DEFAULT, revoked);
        put(law, &["access"], "ack", (2026, 1, 2), DEFAULT, None);
        let appealed = appeal.map(|(days, _)| rule(days, Days));
        let appealed = appealed.zip(appeal).map(|(rule, (_, more))| match more { Some(more) => rule.more(more), None => rule });
        put(law, &["appeal"], "appeal_response", (2026, 1, 2), DEFAULT, appealed);
        let extended = appealed.filter(|rule| rule.more.is_some());
        put(law, &["appeal"], "appeal_extended", (2026, 1, 2), DEFAULT, extended);
    }
    let chapter = ["access", "rectification", "erasure", "restriction", "export", "objection", "human_review"];
    let month = rule(1, Months).over(Over::WeekendAndHolidays);
    for law in ["eu_gdpr", "fr_overlay", "de_overlay", "es_overlay"] {
        for policy in [DEFAULT, "eu_identity=no_suspension", "eu_identity=suspend_days", "eu_identity=restart"] {
            let answer = month.more(2).from(From::Europe);
            put(law, &chapter, "response", (2018, 6, 1), policy, Some(answer));
            put(law, &["access"], "extended_response", (2018, 6, 1), policy, Some(answer));
            put(law, &["access"], "extension_notice_cutoff", (2018, 6, 1), policy, Some(answer));
            put(law, &["access"], "refusal_notice", (2018, 6, 1), policy, Some(month));
        }
        put(law, &["breach"], "breach_authority", (2018, 6, 1), DEFAULT, Some(rule(72, Hours)));
        put(law, &["information"], "indirect_collection_notice", (2018, 6, 1), DEFAULT, Some(month));
        put(law, &["access"], "appeal_response", (2018, 6, 1), DEFAULT, None);
    }
    put("fr_overlay", &["access"], "health_access_earliest", year(2019), DEFAULT, Some(rule(48, Hours)));
    put("fr_overlay", &["access"], "health_access_latest", year(2019), DEFAULT, Some(rule(8, Days)));
    put("fr_overlay", &["access"], "health_access_latest", year(2019), "fr_health=older_than_five_years", Some(rule(2, Months)));
    for question in ["response", "refusal_notice", "extended_response"] {
        let british = month.more(2).from(From::Britain);
        put("uk_gdpr", &["access", "erasure"], question, (2026, 2, 6), DEFAULT, Some(british));
    }
    put("uk_gdpr", &["access"], "extension_notice_cutoff", (2026, 2, 6), DEFAULT, Some(month.more(2).from(From::Britain)));
    put("uk_gdpr", &["complaint"], "complaint_ack", (2026, 6, 20), DEFAULT, Some(rule(30, Days).over(Over::WeekendAndHolidays)));
    let police = month.more(2).from(From::BritainPolice);
    put("uk_dpa2018_part3", &["access"], "response", year(2026), DEFAULT, Some(police));
    let california = ["access", "erasure", "rectification"];
    put("us_ca_ccpa", &california, "response", year(2023), DEFAULT, Some(rule(45, Days).more(45)));
    put("us_ca_ccpa", &["access"], "extended_response", year(2023), DEFAULT, Some(rule(45, Days).more(45)));
    put("us_ca_ccpa", &california, "ack", year(2023), DEFAULT, Some(rule(10, Working)));
    put("us_ca_ccpa", &["opt_out"], "opt_out", year(2023), DEFAULT, Some(rule(15, Working)));
    put("us_ca_ccpa", &["limit_sensitive"], "limit", year(2023), DEFAULT, Some(rule(15, Working)));
    put("us_ca_ccpa", &["adm_opt_out"], "opt_out", year(2027), DEFAULT, Some(rule(15, Working)));
    put("us_ca_ccpa", &["access"], "extension_notice_cutoff", year(2023), DEFAULT, Some(rule(45, Days).more(45)));
    put("us_ca_ccpa", &["opt_out"], "opt_in_ask_earliest", year(2023), DEFAULT, Some(rule(12, Months)));
    for law in ["us_co", "us_mn"] {
        put(law, &["records"], "record_retention_until", (2026, 1, 2), DEFAULT, Some(rule(24, Months)));
    }
    put("us_ca_ccpa", &["access"], "record_retention_until", year(2023), DEFAULT, Some(rule(24, Months)));
    put("us_ca_delete_act", &["erasure"], "drop_next_access", year(2027), DEFAULT, Some(rule(30, Days)));
    put("us_ca_delete_act", &["erasure"], "response", year(2027), DEFAULT, Some(rule(30, Days)));
    put("us_hipaa", &["access"], "response", year(2010), DEFAULT, Some(rule(30, Days).more(30)));
    put("us_hipaa", &["rectification", "accounting_of_disclosures"], "response", year(2010), DEFAULT, Some(rule(60, Days).more(30)));
    put("us_hipaa", &["rectification"], "extended_response", year(2010), DEFAULT, Some(rule(60, Days).more(30)));
    put("us_hipaa", &["access"], "record_retention_until", year(2010), DEFAULT, Some(rule(6, Years)));
    put("br_lgpd", &["access"], "response", year(2021), DEFAULT, Some(rule(15, Days).over(Over::Holidays)));
    put("br_lgpd", &["access"], "response", year(2021), "br_small_agent=true", Some(rule(30, Days).over(Over::Holidays)));
    put("br_lgpd", &["access"], "response_simplified", year(2021), DEFAULT, Some(rule(0, Days)));
    put("br_lgpd", &["erasure", "rectification"], "response", year(2021), DEFAULT, None);
    let swiss = rule(30, Days).from(From::Reflection);
    put("ch_fadp", &["access", "erasure"], "response", year(2024), DEFAULT, Some(swiss.until_said()));
    put("ch_fadp", &["access"], "refusal_notice", year(2024), DEFAULT, Some(swiss));
    put("ch_fadp", &["access"], "extended_response", year(2024), DEFAULT, Some(swiss.until_said()));
    put("ca_qc_law25", &["access", "rectification"], "response", year(2024), DEFAULT, Some(rule(30, Days)));
    put("ca_pipeda", &["access", "rectification"], "response", year(2010), DEFAULT, Some(rule(30, Days).more(30)));
    put("ca_pipeda", &["access"], "extension_notice_cutoff", year(2010), DEFAULT, Some(rule(30, Days).more(30)));
    put("in_dpdp", &["grievance"], "grievance_response", year(2028), DEFAULT, Some(rule(90, Days)));
    put("in_dpdp", &["access", "erasure"], "response", year(2028), DEFAULT, None);
    put("in_dpdp", &["access"], "response", year(2026), DEFAULT, None);
    put("in_dpdp", &["records"], "log_retention_until", year(2028), DEFAULT, Some(rule(1, Years)));
    let ten = rule(10, Days).over(Over::WeekendAndHolidays);
    put("kr_pipa", &["access", "rectification", "erasure", "restriction"], "response", year(2024), DEFAULT, Some(ten));
    put("kr_pipa", &["human_review"], "response", year(2024), DEFAULT, Some(Rule { long: 30, ..ten }.twice(30)));
    put("jp_appi", &["access"], "response", year(2023), DEFAULT, None);
    put("jp_appi", &["access"], "lawsuit_bar_last_day", year(2023), DEFAULT, Some(rule(2, Weeks)));
    put("cn_pipl", &["access"], "response", year(2022), DEFAULT, None);
    put("cn_pipl", &["erasure", "rectification"], "operational_limit", year(2022), DEFAULT, Some(rule(15, Working)));
    put("hk_pdpo", &["access", "rectification"], "response", year(2010), DEFAULT, Some(rule(40, Days).until_said()));
    put("hk_pdpo", &["access"], "refusal_notice", year(2010), DEFAULT, Some(rule(40, Days)));
    put("tw_pdpa", &["access"], "response", year(2013), DEFAULT, Some(rule(15, Days).more(15)));
    put("tw_pdpa", &["erasure", "rectification"], "response", year(2013), DEFAULT, Some(rule(30, Days).more(30)));
    put("sg_pdpa", &["access"], "response_or_timeframe_notice", year(2022), DEFAULT, Some(rule(30, Days)));
    put("sg_pdpa", &["access"], "response", year(2022), DEFAULT, Some(rule(30, Days).until_said()));
    put("sg_pdpa", &["consent_withdrawal"], "consent_revocation", year(2022), DEFAULT, Some(rule(10, Working)));
    put("au_privacy_act", &["access"], "response", year(2015), DEFAULT, None);
    put("au_privacy_act", &["access", "rectification"], "response", year(2015), "au_entity=agency", Some(rule(30, Days)));
    put("id_pdp", &["access", "rectification", "restriction"], "response", year(2023), DEFAULT, Some(rule(72, Hours)));
    put("id_pdp", &["erasure"], "response", year(2023), DEFAULT, None);
    put("id_pdp", &["breach"], "breach_authority", year(2023), DEFAULT, Some(rule(72, Hours)));
    put("vn_pdpl", &["access", "erasure"], "ack", (2026, 1, 2), DEFAULT, Some(rule(2, Working)));
    put("vn_pdpl", &["access", "rectification", "export"], "response", (2026, 1, 2), DEFAULT, Some(rule(10, Days).more(10)));
    put("vn_pdpl", &["objection", "restriction", "consent_withdrawal"], "response", (2026, 1, 2), DEFAULT, Some(rule(15, Days).more(15)));
    put("vn_pdpl", &["erasure"], "response", (2026, 1, 2), DEFAULT, Some(rule(20, Days).more(20)));
    put("vn_pdpl", &["erasure"], "response", (2026, 1, 2), "vn_involves=processor", Some(rule(30, Days)));
    put("th_pdpa", &["access"], "response", year(2023), DEFAULT, Some(rule(30, Days)));
    put("th_pdpa", &["erasure"], "response", year(2023), DEFAULT, None);
    put("sa_pdpl", &["access", "erasure"], "response", year(2024), DEFAULT, Some(rule(30, Days).more(30)));
    put("ae_pdpl", &["access"], "response", year(2023), DEFAULT, None);
    put("ng_ndpa", &["access"], "response", year(2024), DEFAULT, None);
    put("tr_kvkk", &["access", "erasure"], "response", year(2017), DEFAULT, Some(rule(30, Days)));
    let sunday = rule(30, Days).over(Over::SundayAndHolidays);
    put("za_popia", &["access"], "response", year(2022), DEFAULT, Some(sunday.more(30)));
    put("za_popia", &["erasure", "rectification"], "response", year(2022), DEFAULT, Some(sunday));
    put("ke_dpa", &["access"], "response", year(2020), DEFAULT, Some(rule(7, Days)));
    put("ke_dpa", &["rectification", "erasure", "objection"], "response", year(2020), DEFAULT, Some(rule(14, Days)));
    put("ke_dpa", &["export"], "response", year(2020), DEFAULT, Some(rule(30, Days).until_said()));
    put("ke_dpa", &["access"], "refusal_notice", year(2020), DEFAULT, Some(rule(7, Days)));
    all
}

/// A place: its zone, its weekend, its days off and its days on.
struct Place {
    zone: Tz,
    weekend: Vec<Weekday>,
    off: BTreeSet<NaiveDate>,
    on: BTreeSet<NaiveDate>,
}

impl Place {
    fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    fn works(&self, day: NaiveDate) -> bool {
        self.on.contains(&day) || !self.off.contains(&day) && !self.weekend.contains(&day.weekday())
    }

    /// The first minute from which on it is never again that day.
    fn over(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = Utc.from_utc_datetime(&day.and_hms_opt(0, 0, 0).unwrap());
        let last = |from: DateTime<Utc>, minutes: i64, step: usize| {
            let all = (0..minutes)
                .step_by(step)
                .map(|minute| from + TimeDelta::minutes(minute));
            all.filter(|at| self.day(*at) <= day).last().unwrap()
        };
        let about = last(midnight - TimeDelta::hours(16), 56 * 60, 15);
        last(about, 30, 1) + TimeDelta::minutes(1)
    }

    fn moves(&self, day: NaiveDate, over: Over, moved: bool) -> bool {
        if self.on.contains(&day) {
            return false;
        }
        let off = self.off.contains(&day);
        let weekday = day.weekday();
        match over {
            Over::Nothing => false,
            Over::WeekendAndHolidays => off || weekday == Weekday::Sat || weekday == Weekday::Sun,
            Over::SundayAndHolidays => off || weekday == Weekday::Sun,
            Over::Holidays => off || moved && !self.works(day),
        }
    }

    fn rolled(&self, mut day: NaiveDate, over: Over) -> NaiveDate {
        let mut moved = false;
        while self.moves(day, over, moved) {
            day = day.succ_opt().unwrap();
            moved = true;
        }
        day
    }

    /// So many days after a day, one step at a time.
    fn walk(&self, from: NaiveDate, long: u32, unit: Unit) -> NaiveDate {
        let mut day = from;
        match unit {
            Days | Weeks => {
                let steps = if unit == Weeks { 7 * long } else { long };
                for _ in 0..steps {
                    day = day.succ_opt().unwrap();
                }
            }
            Working => {
                let mut counted = 0;
                while counted < long {
                    day = day.succ_opt().unwrap();
                    counted += u32::from(self.works(day));
                }
            }
            Months | Years => {
                let mut left = if unit == Years { 12 * long } else { long };
                // To the first of the month sought, then to the number, or to its last day.
                while left > 0 {
                    day = day.succ_opt().unwrap();
                    left -= u32::from(day.day() == 1);
                }
                let month = day.month();
                while day.day() < from.day() && day.succ_opt().unwrap().month() == month {
                    day = day.succ_opt().unwrap();
                }
            }
            Hours => panic!("hours are no days"),
        }
        day
    }
}

/// What happened, in days and minutes after receipt.
type Happened = Vec<(Kind, DateTime<Utc>)>;

fn first(happened: &Happened, kind: Kind) -> Option<DateTime<Utc>> {
    happened
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, at)| *at)
}

/// The last day (before it moves) of a period of that length, or that it stands still.
fn runs(
    place: &Place,
    asked: &Asked,
    rule: Rule,
    long: u32,
    received: DateTime<Utc>,
    happened: &Happened,
) -> Result<NaiveDate, Says> {
    let day = place.day(received);
    let plain = |start| place.walk(start, long, rule.unit);
    let pair = |ask, answer| (first(happened, ask), first(happened, answer));
    let identity = pair(Kind::IdentityRequested, Kind::IdentityConfirmed);
    let clarity = pair(Kind::ClarificationRequested, Kind::ClarificationReceived);
    let fee = pair(Kind::FeeRequested, Kind::FeePaid);
    let mut start = day;
    // The days that do not count: asked, answered, and whether the last one counts.
    let mut pauses = Vec::new();
    match rule.from {
        From::Receipt => {}
        From::Fraud => {
            let suspected = first(happened, Kind::FraudSuspected).is_some();
            if suspected && identity.1.is_none() {
                return Err(Says::Paused);
            }
        }
        From::Europe => {
            let promptly = |at: DateTime<Utc>| (place.day(at) - day).num_days() <= 7;
            if asked.policy == "eu_identity=restart"
                && let Some(at) = identity.0.filter(|at| promptly(*at))
            {
                let _ = at;
                match identity.1 {
                    Some(at) => start = place.day(at),
                    None => return Err(Says::Paused),
                }
            }
            if asked.policy == "eu_identity=suspend_days" {
                let french = asked.law == "fr_overlay";
                for (question, answer) in [Some(identity), (!french).then_some(clarity)]
                    .into_iter()
                    .flatten()
                {
                    if let Some(at) = question.filter(|at| promptly(*at)) {
                        pauses.push((
                            place.day(at),
                            answer.map(|at| place.day(at).pred_opt().unwrap()),
                        ));
                    }
                }
            }
        }
        From::Britain | From::BritainPolice => {
            let mut relevant = received;
            for (ask, answer) in [identity, fee] {
                match (ask, answer) {
                    (_, Some(at)) => relevant = relevant.max(at),
                    (Some(_), None) => return Err(Says::Paused),
                    (None, None) => {}
                }
            }
            start = place.day(relevant);
            if rule.from == From::BritainPolice {
                start = start.succ_opt().unwrap();
            }
            if asked.right == "access"
                && let Some(at) = clarity.0
            {
                pauses.push((place.day(at), clarity.1.map(|at| place.day(at))));
            }
        }
        From::Reflection => {
            if let Some(told) = first(happened, Kind::FeeNotified) {
                let ends = place.walk(place.day(told), 10, Days);
                match first(happened, Kind::FeeConfirmed) {
                    Some(at) if place.day(at) > ends => return Err(Says::Nothing),
                    Some(_) => start = ends,
                    None => return Err(Says::Paused),
                }
            }
        }
    }
    let mut last = plain(start);
    let mut out = BTreeSet::new();
    pauses.sort();
    for (from, until) in pauses {
        if from > place.rolled(last, rule.over) {
            continue;
        }
        let Some(until) = until else {
            return Err(Says::Paused);
        };
        for day in from.iter_days().take_while(|day| *day <= until) {
            if day >= start && out.insert(day) {
                last = last.succ_opt().unwrap();
            }
        }
    }
    Ok(last)
}

fn says(place: &Place, asked: &Asked, received: DateTime<Utc>, happened: &Happened) -> Says {
    let Some(rule) = asked.rule else {
        return Says::Nothing;
    };
    // What would start a clock again, or lift it, comes too late after its last day.
    let conditions: &[Kind] = match rule.from {
        From::Fraud => &[Kind::FraudSuspected],
        From::Reflection => &[Kind::FeeNotified],
        From::Europe if asked.policy == "eu_identity=restart" => &[Kind::IdentityRequested],
        From::Britain | From::BritainPolice => &[
            Kind::IdentityRequested,
            Kind::IdentityConfirmed,
            Kind::FeeRequested,
            Kind::FeePaid,
        ],
        _ => &[],
    };
    let mut counted = Happened::new();
    for (kind, at) in happened {
        let stood = conditions
            .contains(kind)
            .then(|| reckoned(place, asked, rule, "response", received, &counted));
        match stood {
            Some(Says::Day(last)) if place.day(*at) > last => {}
            Some(Says::Nothing) => return Says::Nothing,
            _ => counted.push((*kind, *at)),
        }
    }
    reckoned(place, asked, rule, asked.question, received, &counted)
}

fn reckoned(
    place: &Place,
    asked: &Asked,
    rule: Rule,
    question: &str,
    received: DateTime<Utc>,
    happened: &Happened,
) -> Says {
    if rule.unit == Hours {
        return Says::At(received + TimeDelta::hours(rule.long.into()));
    }
    let of = |times: u32, by: u32| {
        let last = runs(
            place,
            asked,
            rule,
            rule.long + times * by,
            received,
            happened,
        );
        last.map(|last| place.rolled(last, rule.over))
    };
    let wants_extended = question == "extended_response" || question == "appeal_extended";
    let notices: Vec<_> = happened
        .iter()
        .filter(|(kind, _)| *kind == Kind::ExtensionNotified)
        .collect();
    let mut due = match of(0, 0) {
        Ok(due) => due,
        Err(says) => return says,
    };
    let more = rule.more.filter(|_| question != "extension_notice_cutoff");
    let Some((by, times)) = more else {
        return if wants_extended {
            Says::Nothing
        } else {
            Says::Day(due)
        };
    };
    let mut count = 0;
    for (at, (_, notice)) in notices.iter().enumerate() {
        if *notice >= place.over(due) {
            if at == 0 && wants_extended {
                return Says::Nothing;
            }
            continue;
        }
        if count == times || by.is_none() {
            // Once too often, or without the date that the notice must name.
            return Says::Nothing;
        }
        count += 1;
        due = match of(count, by.unwrap_or(0)) {
            Ok(due) => due,
            Err(says) => return says,
        };
    }
    if wants_extended && notices.is_empty() {
        if by.is_none() {
            return Says::Nothing;
        }
        return match of(1, by.unwrap_or(0)) {
            Ok(due) => Says::Day(due),
            Err(says) => says,
        };
    }
    Says::Day(due)
}

const ZONES: [&str; 12] = [
    "Europe/Paris",
    "Europe/London",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "America/St_Johns",
];

fn happens(rng: &mut Chance, asked: &Asked, received: DateTime<Utc>) -> Happened {
    let mut all = Happened::new();
    let later = |rng: &mut Chance, from: DateTime<Utc>, days: i64| {
        from + TimeDelta::minutes(rng.below(days * 24 * 60))
    };
    let mut pair = |rng: &mut Chance, ask, answer: Option<Kind>, within| {
        if rng.percent(40) {
            let at = later(rng, received, within);
            all.push((ask, at));
            if let Some(answer) = answer
                && rng.percent(70)
            {
                all.push((answer, later(rng, at, 25)));
            }
        }
    };
    pair(
        rng,
        Kind::IdentityRequested,
        Some(Kind::IdentityConfirmed),
        50,
    );
    pair(
        rng,
        Kind::ClarificationRequested,
        Some(Kind::ClarificationReceived),
        50,
    );
    let (ask, answer) = match asked.law {
        "ch_fadp" => (Kind::FeeNotified, Kind::FeeConfirmed),
        _ => (Kind::FeeRequested, Kind::FeePaid),
    };
    pair(rng, ask, Some(answer), 45);
    if asked.law == "us_ut" {
        pair(rng, Kind::FraudSuspected, None, 60);
    }
    for _ in 0..2 {
        pair(rng, Kind::ExtensionNotified, None, 70);
    }
    all.sort_by_key(|(_, at)| *at);
    all
}

#[test]
fn every_clock_is_as_a_walk_through_the_days_says() {
    let regimes = Regimes::builtin();
    let list = list();
    let mut rng = Chance(SEED);
    let mut kinds = [0; 4];
    for case in 0..CASES {
        let asked = &list[case % list.len()];
        let (y, m, d) = asked.since;
        let since = Utc.with_ymd_and_hms(y, m, d, 16, 0, 0).unwrap();
        let span = if asked.law == "in_dpdp" && y == 2026 {
            1
        } else {
            6
        };
        let received = since + TimeDelta::minutes(rng.below(span * 365 * 24 * 60 / 2));
        let zone: Tz = ZONES[usize::try_from(rng.below(12)).unwrap()]
            .parse()
            .unwrap();
        let near = |rng: &mut Chance, count| -> BTreeSet<NaiveDate> {
            let day = |rng: &mut Chance| received.date_naive() + TimeDelta::days(rng.below(150));
            (0..count).map(|_| day(rng)).collect()
        };
        let off = near(&mut rng, 40);
        let on: BTreeSet<_> = near(&mut rng, 5).difference(&off).copied().collect();
        let weekend = match rng.below(4) {
            0 => vec![Weekday::Fri, Weekday::Sat],
            1 => vec![Weekday::Sun],
            _ => vec![Weekday::Sat, Weekday::Sun],
        };
        let place = Place {
            zone,
            weekend,
            off,
            on,
        };
        let happened = if rng.percent(40) {
            Happened::new()
        } else {
            happens(&mut rng, asked, received)
        };

        let calendar = Calendar::new(zone)
            .with_weekend(Weekdays::of(place.weekend.iter().copied()))
            .with_holidays(
                HolidayList::new(place.off.iter().copied()).with_working(place.on.iter().copied()),
            );
        let mut history = ClockHistory::received(received);
        for (kind, at) in &happened {
            history = history.with(*kind, *at);
        }
        let readings: Readings = asked.policy.parse().unwrap();
        let right = Right::from(asked.right);
        let question: Question = asked.question.parse().unwrap();
        let found = regimes
            .in_force(asked.law, calendar.date_of(received))
            .ok()
            .and_then(|regime| {
                let setting = Setting {
                    regime: &regime,
                    right: &right,
                    calendar: &calendar,
                    readings: &readings,
                };
                deadline(&setting, question, &history).ok()
            });
        let expected = says(&place, asked, received, &happened);
        let (found, late) = match found {
            None => (Says::Nothing, None),
            Some(Due::Paused { .. }) => (Says::Paused, None),
            Some(Due::Due {
                on: DueOn::Date(day),
                late_from,
                ..
            }) => (Says::Day(day), Some(late_from)),
            Some(Due::Due {
                on: DueOn::Instant(at),
                ..
            }) => (Says::At(at), None),
        };
        let made = format!(
            "seed {SEED}, case {case}: {} {} {} {} received {received} in {zone}, off {:?}, on {:?}, weekend {:?}, {happened:?}",
            asked.law,
            asked.right,
            asked.question,
            asked.policy,
            place.off,
            place.on,
            place.weekend,
        );
        assert_eq!(found, expected, "{made}");
        if let (Says::Day(day), Some(late)) = (found, late) {
            assert_eq!(late, place.over(day), "{made}");
        }
        kinds[match found {
            Says::Day(_) => 0,
            Says::At(_) => 1,
            Says::Paused => 2,
            Says::Nothing => 3,
        }] += 1;
    }
    // Every kind of answer came up often enough to mean something.
    assert!(kinds.iter().all(|count| *count > CASES / 200), "{kinds:?}");
}

#[test]
fn no_law_is_left_out() {
    let listed: BTreeSet<_> = list().iter().map(|asked| asked.law).collect();
    for id in Regimes::builtin().ids() {
        assert!(listed.contains(id.as_str()), "{id}");
    }
}
