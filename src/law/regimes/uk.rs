//! The United Kingdom: the UK GDPR as amended in 2025, and Part 3 of the DPA 2018.

use chrono::NaiveDate;

use super::{date, item, notice, table};
use crate::law::{
    Awaiting, Clock, ClockEventKind, Extension, Ground, GroundUse, InForce, Pause, PauseBasis,
    Period, Question, Regime, RegimeId, RightRule, Roll, Start, Step, Text, Topic, Verified,
};
use crate::model::Right;

use GroundUse::{Extend, Refuse, Withhold};
use Verified::{Memory, Primary, Secondary};

/// The clarification pause: for access only, both days included.
fn clarification_pause(article: &'static str, verified: Verified) -> Pause {
    Pause::new(
        Awaiting::Clarification,
        PauseBasis::Statute,
        "from the day of asking to the day of answering, both included, where the controller reasonably needs to know which information or processing is meant",
        article,
        verified,
    )
    .only_for([Right::Access])
}

fn two_more_months(article: &'static str) -> Extension {
    Extension::by(Period::Months(2), article, Primary)
        .grounds(&["the complexity of the requests", "the number of requests"])
        .says(&["the reasons for the delay"])
}

/// From when on a search need only be reasonable and proportionate: s. 78 of the DUAA, deemed.
const SEARCH: NaiveDate = date(2024, 1, 1);
/// From when on 12A (the clock) and 22A-22D (automated decisions) are law: ss. 76 and 80.
const NEW_CLOCK: NaiveDate = date(2026, 2, 5);
/// From when on the controller hears complaints: s. 103.
const COMPLAINTS: NaiveDate = date(2026, 6, 19);

/// The UK GDPR from the end of the transition on.
pub(super) fn gdpr_2021() -> Regime {
    gdpr("1", date(2021, 1, 1), Some(SEARCH), Memory)
}

/// With s. 78 of the DUAA.
pub(super) fn gdpr_2024() -> Regime {
    gdpr("2", SEARCH, Some(NEW_CLOCK), Primary)
}

/// With ss. 76 and 80.
pub(super) fn gdpr_2026() -> Regime {
    gdpr("3", NEW_CLOCK, Some(COMPLAINTS), Secondary)
}

/// With s. 103.
pub(super) fn gdpr_with_complaints() -> Regime {
    gdpr("4", COMPLAINTS, None, Secondary)
}

/// The UK GDPR as it stood from that day on: the EU's text and what was changed.
fn gdpr(
    version: &'static str,
    from: NaiveDate,
    until: Option<NaiveDate>,
    verified: Verified,
) -> Regime {
    let mut uk = super::eu::gdpr();
    uk.id = RegimeId::shipped("uk_gdpr");
    uk.version = Text::Borrowed(version);
    uk.in_force = InForce {
        from: Some(from),
        until,
        verified,
    };
    uk.name = Text::Borrowed("UK GDPR");
    uk.jurisdiction = Text::Borrowed("UK");
    uk.instruments = super::texts(&[
        "UK GDPR (assimilated Regulation 2016/679)",
        "Data Protection Act 2018",
    ]);
    uk = without_the_union(uk);
    uk.clocks.insert(0, exam_marks());
    if from >= SEARCH {
        uk = with_reasonable_search(uk);
    }
    if from >= NEW_CLOCK {
        uk.name = Text::Borrowed("UK GDPR as amended by the Data (Use and Access) Act 2025");
        let act = "Data (Use and Access) Act 2025 ss. 76-80, 103-104";
        uk.instruments.push(Text::Borrowed(act));
        uk = with_new_clock(uk);
        uk = with_new_automated_decisions(uk);
    }
    uk = with_refusal(uk, from >= COMPLAINTS);
    if from >= COMPLAINTS {
        uk = with_complaints(uk);
    }
    uk
}

/// What is the same in every version, and what of the Union's does not hold.
fn without_the_union(mut uk: Regime) -> Regime {
    for topic in [Topic::Pending, Topic::Sources, Topic::Counting] {
        uk.facts.remove(&topic);
    }
    for facts in uk.facts.values_mut() {
        facts.retain(|fact| !fact.article.starts_with("EDPB"));
    }
    for known in &mut uk.notices {
        if known.step == Step::Acknowledgement {
            known.article = Text::Borrowed("");
            known.verified = Memory;
        }
    }
    for pause in &mut uk.pauses {
        pause.rule = Text::Borrowed("Art. 12 knew no suspension; guidance of the ICO did");
        pause.article = Text::Borrowed("ICO guidance");
        pause.verified = Memory;
    }
    uk.words(
        "data subject",
        "controller",
        "processor",
        "Information Commissioner",
    )
    .may(
        [Refuse, Withhold],
        "dpa2018_exemption",
        "DPA 2018 Sch. 2-4",
        "An exemption of the Data Protection Act 2018 applies.",
        Primary,
    )
    .fact(Topic::Counting, "bank holidays differ between England and Wales, Scotland and Northern Ireland", "ICO guidance; 4A", Primary)
    .fact(Topic::Counting, "an access question about examination marks before the results: answered before the earlier of five months from the question and forty days from the announcement", "DPA 2018 Sch. 2 para. 25(2)-(3)", Primary)
    .fact(Topic::AccessContents, "exemptions read: legal privilege (19), self-incrimination (20), corporate finance (21), management forecasts (22), negotiations (23), confidential references (24), examination scripts and marks (25); that for crime (Part 1 para. 2) was not read", "DPA 2018 Sch. 2 Part 4 paras 19-25", Primary)
    .fact(Topic::Counting, "the ICO suggests 28 days as an internal goal", "ICO guidance", Memory)
    .fact(Topic::Pending, "ss. 76 and 80 (12A, 22A-22D) in force since 5 February 2026; s. 78 (15(1A)) deemed since 1 January 2024; s. 103 (complaints) since 19 June 2026", "DUAA 2025", Secondary)
    .fact(Topic::Sources, "UK GDPR 4A, 12, 12A, 15, 17, 21, 22A-D as consolidated on 19 June 2026; DUAA ss. 75-80, 103-104; ICO access guidance of 8 December 2025; DPA 2018 s. 205(2) and Sch. 2 paras 19-25 read; the text before the DUAA was not, and is taken to be the Union's", "", Primary)
    .appeals(false, "complaint to the Commissioner (s. 165), court (s. 167)", Memory)
}

/// Asked before the results: forty days from their announcement, five months at most.
fn exam_marks() -> Clock {
    Clock::new(
        Question::Response,
        Period::Days(40),
        "DPA 2018 Sch. 2 para. 25(2)-(3)",
        Primary,
    )
    .only_for([Right::Access])
    .when("uk_exam_marks=true")
    .starting(Start::Event(ClockEventKind::ResultsAnnounced))
    .at_most(Period::Months(5))
}

/// Section 78.
fn with_reasonable_search(mut uk: Regime) -> Regime {
    for rule in uk.rights.iter_mut().filter(|rule| rule.id == "access") {
        rule.scope = Text::Borrowed("what a reasonable and proportionate search yields (15(1A))");
    }
    uk.ground_rule(
        Ground::new(
            "reasonable_proportionate_search",
            [Withhold],
            "15(1A)",
            "We have given you what a reasonable and proportionate search yields.",
            Primary,
        )
        .only_for([Right::Access]),
    )
    .fact(
        Topic::AccessContents,
        "a court may inspect but not order a wider search",
        "DPA 2018 s. 180A",
        Primary,
    )
}

/// Section 76.
fn with_new_clock(mut uk: Regime) -> Regime {
    let month = Period::Months(1);
    let roll = Roll::WEEKEND_AND_HOLIDAYS;
    let old = |clock: &Clock| {
        clock.when.is_none()
            && matches!(clock.question, Question::Response | Question::RefusalNotice)
    };
    let rights = uk
        .clocks
        .iter()
        .find(|clock| old(clock))
        .map_or_else(Vec::new, |clock| clock.rights.clone());
    uk.clocks.retain(|clock| !old(clock));
    uk.pauses.clear();
    for known in &mut uk.notices {
        if known.step == Step::Extension {
            known.article = Text::Borrowed("12A(3)-(4)");
        }
    }
    for ground in &mut uk.grounds {
        if ground.uses == [Extend] {
            ground.article = Text::Borrowed("12A(3)-(4)");
        }
    }
    for rule in uk.rights.iter_mut().filter(|rule| rule.id == "objection") {
        rule.only_if = super::texts(&[
            "the processing rests on 6(1)(e), 6(1)(ea) recognised legitimate interests, or 6(1)(f)",
        ]);
    }
    uk.clock(
        Clock::new(Question::Response, month, "12(3), 12A(1)", Primary)
            .only_for(rights)
            .starting(Start::RelevantTime)
            .standard("without undue delay and in any event within the period")
            .rolling(roll)
            .pausable()
            .extended(two_more_months("12A(3)-(4)")),
    )
    .clock(
        // Unlike in the Union, a refusal has as long as the answer, a valid extension included.
        Clock::new(Question::RefusalNotice, month, "12(4)", Primary)
            .starting(Start::RelevantTime)
            .rolling(roll)
            .pausable()
            .extended(two_more_months("12(4)")),
    )
    .pause(clarification_pause("12A(5)-(6)", Primary))
    .fact(Topic::Receipt, "the relevant time is the latest of three: the request is received, the identity information asked for is received, the fee charged is paid", "12A(2)", Primary)
    .fact(Topic::Counting, "periods are read as in Art. 3 of Regulation 1182/71, so that a month beginning with 3 September ends on 3 October", "4A", Primary)
    .fact(Topic::Conflict, "the clarification pause: asked on 20 February, answered on the 27th, due on 15 March: the statute excludes eight days, an example derived from the ICO's guidance counts seven", "12A(5)", Primary)
    .fact(Topic::Identity, "the clock does not start until identity information asked for is received, and the controller may delay dealing with the request", "12A(2)(b), 12(6)(b)", Primary)
    .fact(Topic::ErasureGrounds, "processed because of an allegation by a malicious person that was investigated without further action", "17(1)(g), 17(4)-(5)", Primary)
}

/// Section 80.
fn with_new_automated_decisions(mut uk: Regime) -> Regime {
    uk.grounds.retain(|ground| ground.code != "adm_exception");
    for known in &mut uk.notices {
        if known.step == Step::HumanReview {
            known.article = Text::Borrowed("22C");
        }
    }
    for rule in &mut uk.rights {
        if rule.id == "adm_human_review" {
            rule.article = Text::Borrowed("22A-22D");
            rule.scope = Text::Borrowed(
                "significant decisions based solely on automated processing are allowed with safeguards: information, representations, human intervention, contest; special categories restricted (22B)",
            );
        }
    }
    uk.ground_rule(
        Ground::new(
            "adm_not_significant",
            [Refuse],
            "22A",
            "The decision is not a significant one that rests solely on automated processing.",
            Memory,
        )
        .only_for([Right::HumanReview]),
    )
    .fact(
        Topic::AutomatedDecisions,
        "22A-22D replace Art. 22",
        "22A-22D",
        Primary,
    )
}

/// What a refusal says; of complaints to the controller only since s. 103.
fn with_refusal(mut uk: Regime, complaints: bool) -> Regime {
    uk.notices.retain(|known| known.step != Step::Refusal);
    let mut refusal = notice(
        Step::Refusal,
        [
            ("reasons", "why the request is refused, in whole or in part"),
            (
                "complaint_controller",
                "that a complaint can be made to the controller (DPA s. 164A)",
            ),
            (
                "complaint",
                "that a complaint can be made to the Commissioner (s. 165)",
            ),
            ("judicial_remedy", "that a court can be seised"),
        ],
        "12(4)",
        Primary,
    );
    let item_holds = |id: &str| complaints || id != "complaint_controller";
    refusal.items.retain(|item| item_holds(&item.id));
    uk.sends(refusal.until(Question::RefusalNotice))
}

/// Section 103.
fn with_complaints(mut uk: Regime) -> Regime {
    for known in &mut uk.notices {
        if known.step == Step::Response && known.rights == [Right::Access] {
            known.items.retain(|item| item.id != "complaint");
            known.items.extend([
                item(
                    "complaint_controller",
                    "that a complaint can be made to the controller under DPA s. 164A",
                )
                .at("15(1)(ea)")
                .if_held(),
                item(
                    "complaint",
                    "that a complaint can be made to the Commissioner under s. 165",
                )
                .at("15(1)(f)")
                .if_held(),
            ]);
        }
    }
    uk.appeal.internal = true;
    uk.clock(
        Clock::new(
            Question::ComplaintAck,
            Period::Days(30),
            "DPA 2018 s. 164A(3)",
            Primary,
        )
        .rolling(Roll::WEEKEND_AND_HOLIDAYS),
    )
    .sends(
        notice(
            Step::ComplaintAcknowledgement,
            [("receipt", "that the complaint was received")],
            "DPA s. 164A(3)",
            Primary,
        )
        .until(Question::ComplaintAck),
    )
    .sends(
        notice(
            Step::ComplaintOutcome,
            [("outcome", "what came of the complaint")],
            "DPA s. 164A(4)-(5)",
            Primary,
        )
        .standard("without undue delay, with word of the progress meanwhile"),
    )
}

/// DPA 2018 Part 3: law-enforcement processing.
pub(super) fn part3() -> Regime {
    table("uk_dpa2018_part3", "UK DPA 2018 Part 3 (law-enforcement processing)", "UK")
        .in_force_from(date(2018, 5, 25), Memory)
        .words("data subject", "controller", "processor", "Information Commissioner")
        .grants_rule(RightRule::new("access", [Right::Access], "s. 45", Memory))
        .grants_rule(RightRule::new("rectification", [Right::Rectification], "s. 46", Memory))
        .grants_rule(RightRule::new("erasure", [Right::Erasure, Right::Restriction], "s. 47", Memory))
        .grants_rule(RightRule::new("adm_review", [Right::HumanReview], "s. 50", Memory))
        .clock(
            Clock::new(Question::Response, Period::Months(1), "s. 54(2)-(3)", Primary)
                .starting(Start::DayAfterRelevantTime)
                .rolling(Roll::WEEKEND_AND_HOLIDAYS)
                .pausable()
                .extended(two_more_months("s. 54(3A)-(3B)")),
        )
        .pause(clarification_pause("s. 54(3C)", Memory))
        .fact(Topic::Counting, "unlike under the UK GDPR the ICO counts from the first hour of the day after receipt to the same number: 30 June, from 1 July, to 1 August", "ICO Part 3 guidance", Primary)
        .fact(Topic::Counting, "the ICO itself suggests keeping the shorter limit of the UK GDPR for every access request", "ICO guidance", Memory)
        .fact(Topic::Pending, "the extension and the pause are new (DUAA 2025); from which day on they hold here was not checked", "s. 54(3A)-(3C)", Memory)
        .fact(Topic::Sources, "DPA 2018 s. 54 as amended; ICO Part 3 guidance in its text before the amendment", "", Primary)
        .appeals(false, "complaint to the Commissioner, court", Memory)
}
