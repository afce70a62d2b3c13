//! Canada, Quebec, Brazil, and HIPAA, the federal health rule of the United States.

use super::{date, item, notice, own, table};
use crate::law::{
    Clock, Extension, Ground, GroundUse, Notice, Period, Question, Regime, RightRule, Roll, Step,
    Topic, Verified,
};
use crate::model::Right;

use GroundUse::{Extend, Refuse, Withhold};
use Verified::{Memory, Primary, Secondary};

/// HIPAA Privacy Rule.
pub(super) fn hipaa() -> Regime {
    let more = |article, verified| {
        Extension::by(Period::Days(30), article, verified).says(&[
            "a written statement of the reasons",
            "the date of completion",
        ])
    };
    table("us_hipaa", "HIPAA Privacy Rule", "US")
        .in_force_from(date(2003, 4, 14), Memory)
        .texts(&["45 CFR 164.524, .526, .528, .316(b)(2), .530(j)"])
        .words("individual", "covered entity", "business associate", "Office for Civil Rights")
        .grants("access", [Right::Access, Right::Export], "164.524", Memory)
        .grants("amendment", [Right::Rectification], "164.526", Memory)
        .grants("accounting_of_disclosures", [own("accounting_of_disclosures")], "164.528", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(60), "164.526(b)(2)", Primary)
                .only_for([Right::Rectification])
                .extended(more("164.526(b)(2)(ii)", Primary)),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(60), "164.528(c)(1)", Primary)
                .only_for([own("accounting_of_disclosures")])
                .extended(more("164.528(c)(1)(ii)", Primary)),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "164.524(b)(2)(i)", Secondary)
                .only_for([Right::Access])
                .extended(more("164.524(b)(2)", Secondary)),
        )
        .clock(
            Clock::new(Question::RecordRetentionUntil, Period::Years(6), "164.316(b)(2)(i), 164.530(j)(2)", Primary)
                .standard("from creation or from when it was last in effect, whichever is later"),
        )
        .ground_rule(Ground::new("psychotherapy_notes", [Refuse, Withhold], "164.524(a)(1)", "Psychotherapy notes are not open to access.", Memory).only_for([Right::Access]))
        .ground_rule(Ground::new("litigation_compilation", [Refuse, Withhold], "164.524(a)(1)", "The information was compiled for a legal proceeding.", Memory).only_for([Right::Access]))
        .ground_rule(Ground::new("endangerment", [Refuse, Withhold], "164.524(a)(3)", "Access would endanger you or another person.", Memory).only_for([Right::Access]).reviewable())
        .ground_rule(Ground::new("not_created_by_entity", [Refuse], "164.526(a)(2)", "We did not create this information.", Memory).only_for([Right::Rectification]))
        .ground_rule(Ground::new("accurate_and_complete", [Refuse], "164.526(a)(2)", "The information is accurate and complete.", Memory).only_for([Right::Rectification]))
        .sends(notice(Step::Extension, [("reasons", "the reasons, in writing"), ("completion", "the date of completion")], "164.524(b)(2)", Secondary).until(Question::ExtensionNoticeCutoff))
        .fact(Topic::Erasure, "no right of erasure; how long medical records are kept is state law", "", Memory)
        .fact(Topic::Fees, "the first accounting in any twelve months is free", "164.528(c)(2)", Memory)
        .fact(Topic::Records, "documentation is kept six years from creation or from when it was last in effect, whichever is later", "164.316(b)(2)(i), 164.530(j)(2)", Primary)
        .fact(Topic::Sources, "45 CFR 164.316(b)(2)(i), 164.528(c)(1), 164.530(j)(2) read", "", Primary)
        .appeals(false, "complaint to the Office for Civil Rights", Memory)
}

/// Brazil: Lei 13.709/2018.
pub(super) fn brazil() -> Regime {
    let small = "br_small_agent=true";
    let roll = Roll::HOLIDAYS;
    let asked = || [Right::Access];
    table("br_lgpd", "Brazil LGPD (Lei 13.709/2018)", "BR")
        .in_force_from(date(2020, 9, 18), Memory)
        .texts(&["Lei 13.709/2018", "Resolução CD/ANPD 2/2022"])
        .words("titular", "controlador", "operador", "ANPD")
        .grants("confirmation", [Right::Access], "18 I", Primary)
        .grants("access", [Right::Access], "18 II", Primary)
        .grants("correction", [Right::Rectification], "18 III", Primary)
        .grants("anonymise_block_delete", [Right::Erasure, Right::Restriction], "18 IV", Primary)
        .grants("portability", [Right::Export], "18 V", Primary)
        .grants("delete_consent_data", [own("delete_consent_data")], "18 VI (except art. 16)", Primary)
        .grants("shared_use_info", [own("shared_use_info")], "18 VII", Primary)
        .grants("refusal_consequences_info", [own("refusal_consequences_info")], "18 VIII", Primary)
        .grants("consent_revocation", [Right::ConsentWithdrawal], "18 IX, 8 par. 5", Primary)
        .grants("opposition", [Right::Objection], "18 par. 2", Primary)
        .grants_rule(
            RightRule::new("adm_review", [Right::HumanReview], "20", Primary)
                .scope("review, not necessarily by a human since Lei 13.853/2019"),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "Res. CD/ANPD 2/2022 arts 14-15", Secondary)
                .only_for(asked())
                .when(small)
                .rolling(roll),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(15), "19 II", Primary)
                .only_for(asked())
                .standard("the full declaration, from the date of the request")
                .rolling(roll),
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "18 par. 4-5", Primary)
                .standard("at once; if impossible, an answer that names the agent or gives the reasons of fact or law"),
        )
        .clock(
            Clock::new(Question::ResponseSimplified, Period::Days(15), "Res. CD/ANPD 2/2022 arts 14-15", Secondary)
                .only_for(asked())
                .when(small)
                .rolling(roll),
        )
        .clock(Clock::new(Question::ResponseSimplified, Period::AtOnce, "19 I", Primary).only_for(asked()))
        .reads_roll("business_day", Roll::BUSINESS_DAY, "practice", Memory)
        .may([Refuse], "not_the_agent", "18 par. 4 I", "We do not process these data; as far as we can tell, the agent who does is named here.", Primary)
        .may([Refuse, Withhold], "reasons_of_fact_or_law", "18 par. 4 II", "There are reasons of fact or law why this cannot be done at once.", Primary)
        .ground_rule(kept("legal_obligation", "16 I", "A legal or regulatory duty requires us to keep these data."))
        .ground_rule(kept("research_body", "16 II", "A research body keeps these data, anonymised where possible."))
        .ground_rule(kept("transfer_to_third_party", "16 III", "The data are transferred to a third party as the law provides."))
        .ground_rule(kept("exclusive_anonymised_use", "16 IV", "The data are anonymised and used by us alone."))
        .ground_rule(
            Ground::new("trade_secret", [Withhold], "19 II", "Commercial or industrial secrets are withheld.", Primary)
                .only_for([Right::Access]),
        )
        .sends(
            Notice::new(
                Step::Response,
                [
                    item("origin", "where the data come from").if_held(),
                    item("absence", "that nothing is recorded").if_applicable(),
                    item("criteria", "by which criteria they are used").if_held(),
                    item("purpose", "for which purpose, respecting trade and industrial secrets").if_held(),
                ],
                "19 II",
                Memory,
            )
            .only_for([Right::Access])
            .until(Question::Response),
        )
        .sends(notice(Step::Response, [("action_taken", "what was done on the request")], "18", Memory))
        .sends(notice(Step::Refusal, [("reasons", "the reasons of fact or law, or that someone else is the agent, named if possible")], "18 par. 4", Primary).until(Question::Response))
        .sends(
            notice(Step::RecipientNotice, [("change", "what was corrected, erased, anonymised or blocked")], "18 par. 6", Primary)
                .only_for([Right::Rectification, Right::Erasure])
                .standard("at once, unless proven impossible or disproportionate"),
        )
        .fact(Topic::Counting, "the first day is not counted, the last one is; only a last day on a holiday moves, to the next business day", "Código Civil 132", Primary)
        .fact(Topic::Counting, "small agents have twice the time, and fifteen days for the simplified declaration", "Res. CD/ANPD 2/2022 arts 14-15", Secondary)
        .fact(Topic::Fees, "free", "18 par. 5", Memory)
        .fact(Topic::Sources, "LGPD 15, 16, 18-20 and Código Civil 132 read", "", Primary)
        .appeals(false, "petition to the ANPD (18 par. 1), consumer bodies (18 par. 8)", Memory)
}

fn kept(code: &'static str, article: &'static str, letter: &'static str) -> Ground {
    Ground::new(code, [Refuse, Withhold], article, letter, Primary).only_for([Right::Erasure])
}

/// Quebec: Law 25.
pub(super) fn quebec() -> Regime {
    table("ca_qc_law25", "Quebec Act respecting the protection of personal information in the private sector (Law 25)", "CA-QC")
        .in_force_from(date(2023, 9, 22), Memory)
        .words("person concerned", "enterprise", "agent", "Commission d'accès à l'information")
        .grants("access", [Right::Access], "27", Memory)
        .grants("rectification", [Right::Rectification, Right::Erasure], "28; CCQ 40", Memory)
        .grants_rule(
            RightRule::new("portability", [Right::Export], "27", Memory)
                .from(Some(date(2024, 9, 22)))
                .scope("computerised information collected from the person, not inferred"),
        )
        .grants("de_indexing", [own("de_indexing")], "28.1", Memory)
        .grants("adm_review", [Right::HumanReview], "12.1", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(30), "32", Secondary)
                .standard("silence is a refusal"),
        )
        .sends(notice(Step::Refusal, [("reasons", "why, and under which provision"), ("remedies", "the remedies and within what time"), ("help", "help to understand, if asked for")], "34", Memory).until(Question::Response))
        .fact(Topic::Appeal, "no answer within thirty days is a refusal", "32", Secondary)
        .fact(Topic::Preserve, "what was refused is kept until every recourse is exhausted", "36", Memory)
        .fact(Topic::Fees, "free; a reasonable charge for transcription, announced in advance", "33", Memory)
        .appeals(false, "the Commission d'accès à l'information examines a disagreement within 30 days of the refusal (42-43)", Memory)
}

/// Canada: PIPEDA.
pub(super) fn canada() -> Regime {
    let mut more = Extension::by(Period::Days(30), "8(4)", Primary)
        .grounds(&[
            "unreasonable interference with activities",
            "consultations make the limit impracticable",
            "conversion to an alternative format (no fixed cap)",
        ])
        .says(&[
            "the new time limit",
            "the reasons",
            "the right to complain to the Commissioner about the extension",
        ]);
    more.notice_within = Some(Period::Days(30));
    more.notice_from_request_date = true;
    table("ca_pipeda", "Canada PIPEDA", "CA")
        .in_force_from(date(2004, 1, 1), Memory)
        .words("individual", "organization", "third party", "Privacy Commissioner")
        .grants("access", [Right::Access], "Sch. 1, 4.9", Memory)
        .grants("correction", [Right::Rectification], "4.9.5", Memory)
        .grants("consent_withdrawal", [Right::ConsentWithdrawal], "4.3.8", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(30), "8(3)", Primary)
                .only_for([Right::Access, Right::Rectification])
                .standard("silence is a refusal (8(5))")
                .extended(more),
        )
        .reads_roll("interpretation_act", Roll::SUNDAY_AND_HOLIDAYS, "Interpretation Act ss. 26, 27(5), 35", Primary)
        .may([Refuse, Withhold], "third_party_info", "9(1)", "The information would reveal another person's; what can be severed has been given.", Primary)
        .may([Refuse, Withhold], "government_objection", "9(2.1)-(2.4)", "A government institution objects to the disclosure.", Primary)
        .may([Refuse, Withhold], "solicitor_client_privilege", "9(3)(a)", "The information is protected by solicitor-client privilege.", Primary)
        .may([Refuse, Withhold], "confidential_commercial", "9(3)(b)", "The information is confidential commercial information.", Primary)
        .may([Refuse, Withhold], "threat_to_life", "9(3)(c)", "Giving you this could threaten the life or security of another person.", Primary)
        .may([Refuse, Withhold], "investigation", "9(3)(c.1)", "The information was collected in an investigation.", Primary)
        .may([Refuse, Withhold], "formal_dispute_resolution", "9(3)(d)", "The information was generated in a formal dispute resolution.", Primary)
        .may([Extend], "unreasonable_interference", "8(4)(a)", "Meeting the limit would unreasonably interfere with our activities.", Primary)
        .may([Extend], "consultations", "8(4)(a)", "The consultations that are needed make the limit impracticable.", Primary)
        .may([Extend], "alternative_format", "8(4)(b)", "The information is being converted into an alternative format.", Primary)
        .sends(notice(Step::Extension, [("extension", "the new time limit"), ("reasons", "the reasons"), ("complaint", "the right to complain to the Commissioner about the extension")], "8(4)", Primary).until(Question::ExtensionNoticeCutoff))
        .sends(notice(Step::Refusal, [("reasons", "the reasons, in writing"), ("recourse", "the recourse there is")], "8(7)", Primary).until(Question::Response))
        .sends(notice(Step::Fee, [("amount", "the approximate cost"), ("withdraw", "that the request can be withdrawn")], "8(6)", Primary).standard("before charging"))
        .fact(Topic::Counting, "a last day on a holiday moves to the next day that is none; holidays include Sunday, not Saturday, and Easter Monday, Canada Day, 30 September and Remembrance Day; the safe default does not move it", "Interpretation Act ss. 26, 27(5), 35", Primary)
        .fact(Topic::Appeal, "no answer in time is a refusal", "8(5)", Primary)
        .fact(Topic::Preserve, "what was asked for is kept until every recourse is exhausted", "8(8)", Primary)
        .fact(Topic::Form, "in writing, with help to whoever needs it", "8(1)-(2)", Primary)
        .fact(Topic::Fees, "only if the approximate cost was announced and the request not withdrawn", "8(6)", Primary)
        .fact(Topic::Recipients, "after an objection notify the institution and the Commissioner, wait up to 30 days, and do not disclose", "9(2.1)-(2.4)", Primary)
        .fact(Topic::Sources, "PIPEDA 8-10 and Interpretation Act ss. 26, 27(5), 35 read", "", Primary)
        .appeals(false, "complaint to the Privacy Commissioner", Memory)
}
