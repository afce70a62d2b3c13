//! Asia and the Pacific.

use super::{date, notice, own, table};
use crate::law::{
    Clock, Extension, Ground, GroundUse, Period, Question, Regime, RightRule, Roll, Step, Topic,
    Verified,
};
use crate::model::Right;

use GroundUse::{Extend, Refuse, Restrict, Withhold};
use Verified::{Memory, Primary, Secondary};

/// India: DPDP Act 2023 and DPDP Rules 2025. The rights start in May 2027.
pub(super) fn india() -> Regime {
    table("in_dpdp", "India DPDP Act 2023 and DPDP Rules 2025", "IN")
        .in_force_from(date(2027, 5, 13), Memory)
        .words("data principal", "data fiduciary", "data processor", "Data Protection Board")
        .grants_rule(
            RightRule::new("access_summary", [Right::Access], "s. 11", Memory)
                .only_if(&["the processing rests on consent"]),
        )
        .grants("correction_completion_update", [Right::Rectification], "s. 12", Memory)
        .grants("erasure", [Right::Erasure], "s. 12(3)", Memory)
        .grants("grievance", [own("grievance")], "s. 13", Memory)
        .grants("nominate", [own("nominate")], "s. 14", Memory)
        .grants("consent_withdrawal", [Right::ConsentWithdrawal], "s. 6(4)-(6)", Memory)
        .clock(
            Clock::new(Question::GrievanceResponse, Period::Days(90), "Rule 14(3)", Primary)
                .standard("the period the fiduciary publishes, at most this"),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(90), "Rule 14(3)", Primary)
                .only_for([own("grievance")]),
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "ss. 11-12", Primary)
                .standard("the fiduciary's own published period; the ninety days are for grievances"),
        )
        .clock(
            Clock::new(Question::ConsentRevocation, Period::Unnumbered, "s. 6(6)", Memory)
                .standard("cease within a reasonable time"),
        )
        .clock(Clock::new(Question::LogRetentionUntil, Period::Years(1), "Rule 8(3)", Primary).standard("from the processing, even if the account is deleted"))
        .sends(notice(Step::ErasureWarning, [("erasure", "that the data will be erased unless the person comes back")], "Rule 8(2)", Primary).standard("48 hours before an erasure for inactivity"))
        .fact(Topic::Appeal, "the grievance must be exhausted before the Board is seised", "s. 13(3)", Memory)
        .fact(Topic::Pending, "Rules 3, 5-16, 22-23 start eighteen months after publication, on 13 or 14 May 2027", "Rule 1", Memory)
        .fact(Topic::Conflict, "ninety days are commonly applied to access, correction and erasure, for which no number is set", "Rule 14(3)", Primary)
        .fact(Topic::Records, "personal data, traffic data and logs at least one year from processing; 48 hours' warning before an erasure for inactivity", "Rule 8(2)-(3)", Primary)
        .fact(Topic::Sources, "DPDP Act 6, 8, 11-14 and Rules 1, 3, 8, 14 read", "", Primary)
        .appeals(true, "Data Protection Board", Memory)
}

/// South Korea: PIPA.
pub(super) fn korea() -> Regime {
    let ten = Period::Days(10);
    let roll = Roll::WEEKEND_AND_HOLIDAYS;
    table("kr_pipa", "South Korea PIPA", "KR")
        .in_force_from(date(2023, 9, 15), Memory)
        .words("data subject", "personal information controller", "outsourcee", "PIPC")
        .grants("access", [Right::Access], "35", Primary)
        .grants("transmission", [Right::Export], "35-2", Primary)
        .grants("correction_erasure", [Right::Rectification, Right::Erasure], "36 (after access)", Primary)
        .grants("suspension", [Right::Restriction, Right::Objection], "37", Primary)
        .grants("consent_withdrawal", [Right::ConsentWithdrawal], "37", Primary)
        .grants("adm_refusal_explanation", [Right::HumanReview], "37-2", Primary)
        .clock(
            Clock::new(Question::Response, ten, "Decree 41(4)", Primary)
                .only_for([Right::Access])
                .rolling(roll),
        )
        .clock(
            Clock::new(Question::Response, ten, "Decree 43(3)", Primary)
                .only_for([Right::Rectification, Right::Erasure])
                .rolling(roll),
        )
        .clock(
            Clock::new(Question::Response, ten, "Decree 44(2)", Primary)
                .only_for([Right::Restriction])
                .rolling(roll),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "Decree 44-3(5)", Primary)
                .only_for([Right::HumanReview])
                .rolling(roll)
                .extended(
                    Extension::by(Period::Days(30), "Decree 44-3(5)", Primary)
                        .times(2)
                        .grounds(&["good cause"]),
                ),
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "Decree 42-6(1)", Primary)
                .only_for([Right::Export])
                .standard("without delay, by controllers above the thresholds of Decree 42-2"),
        )
        .may([Refuse, Withhold], "statute", "35(4)", "A statute prohibits or restricts it.", Memory)
        .may([Refuse, Withhold], "harm_to_third_party", "35(4)", "It could harm another person's life, body, property or interests.", Memory)
        .may([Refuse, Withhold], "public_institution_work", "35(4)", "It would seriously hinder a public institution's work on taxes, grades, examinations or audits.", Memory)
        .ground_rule(Ground::new("collection_required_by_statute", [Refuse], "36(1)", "A statute requires these data to be collected; they cannot be erased.", Memory).only_for([Right::Erasure]))
        .ground_rule(Ground::new("contract_impracticable", [Refuse], "37(2)", "Without the processing the contract with you could not be performed.", Memory).only_for([Right::Restriction]))
        .may([Extend], "good_cause", "Decree 42(2), 44-3(5)", "There is good cause to take longer.", Primary)
        .sends(notice(Step::Extension, [("ground", "why it is postponed"), ("objection", "how to object")], "35(3), Decree 42(2)", Primary).standard("within ten days of receipt; granted without delay when the ground ends"))
        .sends(notice(Step::Refusal, [("reasons", "the refusal and its grounds"), ("objection", "how to object")], "35(4), Decree 42-44", Primary))
        .fact(Topic::Counting, "the first day is not counted; a last day on a Saturday or holiday moves to the next day", "Civil Act 157, 159, 161", Primary)
        .fact(Topic::Receipt, "access can be postponed for good cause, notified with how to object within ten days; once it ends access is granted without delay, within ten days by the authority's guidelines", "35(3), Decree 42(2), guidelines art. 31", Primary)
        .fact(Topic::Pending, "the decree was read as in force since 2026-09-11; Act texts effective 2026-09-11 and 2027-07-01 exist and were not compared", "", Memory)
        .fact(Topic::Sources, "PIPA 35-38, Enforcement Decree arts 41-48, Civil Act 157, 159, 161 read", "", Primary)
        .appeals(true, "PIPC; dispute mediation", Memory)
}

/// Japan: APPI.
pub(super) fn japan() -> Regime {
    table("jp_appi", "Japan APPI", "JP")
        .in_force_from(date(2022, 4, 1), Memory)
        .words(
            "principal",
            "business operator",
            "entrusted person",
            "Personal Information Protection Commission",
        )
        .grants(
            "purpose_notification",
            [own("purpose_notification")],
            "32(2)",
            Primary,
        )
        .grants("disclosure", [Right::Access], "33", Primary)
        .grants(
            "third_party_record_disclosure",
            [own("third_party_record_disclosure")],
            "33(5)",
            Primary,
        )
        .grants("correction", [Right::Rectification], "34", Primary)
        .grants(
            "cease_use_delete",
            [Right::Erasure, Right::Restriction],
            "35(1), (5)",
            Primary,
        )
        .grants(
            "cease_third_party_provision",
            [Right::OptOut],
            "35(3)",
            Primary,
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "32-35", Primary)
                .standard("without delay"),
        )
        .clock(
            Clock::new(Question::LawsuitBarLastDay, Period::Weeks(2), "39", Primary)
                .standard("from the arrival of the request, unless it was rejected"),
        )
        .may(
            [Refuse, Withhold],
            "harm_to_rights",
            "33(2)(i)",
            "It could harm the life, body, property or other rights of you or of another person.",
            Primary,
        )
        .may(
            [Refuse, Withhold],
            "serious_interference",
            "33(2)(ii)",
            "It could seriously interfere with the proper conduct of our business.",
            Primary,
        )
        .may(
            [Refuse, Withhold],
            "other_law",
            "33(2)(iii)",
            "It would violate another law.",
            Primary,
        )
        .ground_rule(
            Ground::new(
                "costly_with_alternative",
                [Refuse, Restrict],
                "35(2), (4), (6)",
                "It would be very costly; alternative measures protect your rights.",
                Primary,
            )
            .only_for([Right::Erasure, Right::OptOut]),
        )
        .sends(
            notice(
                Step::Refusal,
                [("refusal", "that the request is refused")],
                "33(3)",
                Memory,
            )
            .standard("without delay; the reasons should be explained (36)"),
        )
        .fact(
            Topic::Fees,
            "for notification of purposes and disclosure only, at a reasonable actual cost",
            "38",
            Memory,
        )
        .fact(Topic::Sources, "APPI 32-39 read", "", Primary)
        .appeals(
            false,
            "court, two weeks after the request arrived or upon rejection (39)",
            Primary,
        )
}

/// China: PIPL and the Network Data Security Management Regulations.
pub(super) fn china() -> Regime {
    table("cn_pipl", "China PIPL and Network Data Security Management Regulations", "CN")
        .in_force_from(date(2021, 11, 1), Memory)
        .words("individual", "personal information handler", "entrusted party", "Cyberspace Administration")
        .grants("know_decide_restrict_refuse", [Right::Restriction, Right::Objection], "44", Primary)
        .grants("access_copy", [Right::Access], "45", Primary)
        .grants("portability", [Right::Export], "45(3); NDSMR 25", Primary)
        .grants("correction", [Right::Rectification], "46", Primary)
        .grants("deletion", [Right::Erasure], "47", Primary)
        .grants("explanation", [own("explanation")], "48", Primary)
        .grants("deceased_next_of_kin", [own("deceased_next_of_kin")], "49", Primary)
        .grants("consent_withdrawal", [Right::ConsentWithdrawal], "15-16", Primary)
        .grants("adm_explanation_refusal", [Right::HumanReview], "24", Primary)
        .clock(Clock::new(Question::Response, Period::Unnumbered, "PIPL 45-46, 50; NDSMR 23", Primary).standard("timely"))
        .clock(
            Clock::new(Question::OperationalLimit, Period::BusinessDays(15), "App violations identification method (2019) art. 6", Secondary)
                .standard("within the time promised, at most this"),
        )
        .ground_rule(
            Ground::new("storage_only", [Restrict], "47(2)", "A retention period has not ended, or erasure is technically hard: everything but storage and the necessary security measures stops.", Primary)
                .only_for([Right::Erasure]),
        )
        .sends(notice(Step::Refusal, [("reasons", "why")], "50", Primary))
        .fact(Topic::Counting, "weekends can be made working days: the calendar must say which", "", Memory)
        .fact(Topic::Erasure, "where a retention period stands against it or it is technically hard: everything but storage and security stops", "47(2)", Primary)
        .fact(Topic::Conflict, "a standard advises 30 days", "GB/T 35273-2020 8.7", Memory)
        .fact(Topic::Conflict, "art. 6(6) sets the 15 working days for complaints (read); for correction, deletion and cancellation they appear in templates only", "App violations identification method art. 6", Secondary)
        .fact(Topic::Pending, "draft of 2025-11-22: large platforms answer portability within 30 working days", "", Secondary)
        .fact(Topic::Sources, "PIPL 15, 16, 24, 44-50 and NDSMR 21-25 read", "", Primary)
        .appeals(false, "court (50(2))", Primary)
}

/// Hong Kong: PDPO.
pub(super) fn hong_kong() -> Regime {
    let forty = Period::Days(40);
    table("hk_pdpo", "Hong Kong PDPO (Cap. 486)", "HK")
        .in_force_from(date(1996, 12, 20), Memory)
        .words(
            "data subject",
            "data user",
            "data processor",
            "Privacy Commissioner",
        )
        .grants("access", [Right::Access], "18-19", Memory)
        .grants("correction", [Right::Rectification], "22-23", Memory)
        .clock(
            Clock::new(Question::Response, forty, "19(1), 23(1)", Primary).extended(
                Extension::by(Period::Unnumbered, "19(2), 23(2)", Primary)
                    .says(&["that the request cannot be met in time", "the reasons"]),
            ),
        )
        .clock(Clock::new(
            Question::RefusalNotice,
            forty,
            "21, 25",
            Primary,
        ))
        .ground_rule(
            Ground::new(
                "identity",
                [Refuse],
                "20(1)(a)",
                "You have not shown who you are; we may not comply.",
                Memory,
            )
            .mandatory(),
        )
        .may(
            [Refuse, Withhold],
            "third_party_data",
            "20(1)(b)",
            "The data of another person cannot be separated.",
            Memory,
        )
        .may(
            [Refuse],
            "not_in_writing",
            "20(3)(a)",
            "The request was not made in writing in Chinese or English.",
            Memory,
        )
        .may(
            [Refuse],
            "cannot_locate",
            "20(3)(b)",
            "We cannot locate the data from what you told us.",
            Memory,
        )
        .may(
            [Refuse],
            "repeated",
            "20(3)(c)",
            "The request follows two or more similar ones.",
            Memory,
        )
        .may(
            [Refuse],
            "fee_unpaid",
            "28(5)",
            "The fee has not been paid.",
            Memory,
        )
        .sends(
            notice(
                Step::Extension,
                [
                    ("extension", "that the request cannot be met in time"),
                    ("reasons", "why"),
                ],
                "19(2), 23(2)",
                Primary,
            )
            .until(Question::ExtensionNoticeCutoff)
            .standard("comply meanwhile as far as possible, then as soon as practicable"),
        )
        .sends(
            notice(Step::Refusal, [("reasons", "why")], "21, 25", Primary)
                .until(Question::RefusalNotice),
        )
        .fact(
            Topic::AccessContents,
            "the copy shows the data as they were at receipt",
            "19(3)(a)",
            Memory,
        )
        .fact(
            Topic::Recipients,
            "those to whom the data were disclosed in the last twelve months get the correction",
            "23(1)(c)",
            Memory,
        )
        .fact(Topic::Sources, "PDPO 19-28 read", "", Primary)
        .appeals(false, "complaint to the Privacy Commissioner", Memory)
}

/// Taiwan: PDPA.
pub(super) fn taiwan() -> Regime {
    let more =
        |days| Extension::by(Period::Days(days), "13", Primary).says(&["the reason, in writing"]);
    table("tw_pdpa", "Taiwan PDPA", "TW")
        .in_force_from(date(2012, 10, 1), Memory)
        .grants("inquiry_review_copy", [Right::Access], "3, 10", Memory)
        .grants(
            "correct_supplement",
            [Right::Rectification],
            "3, 11",
            Memory,
        )
        .grants(
            "cease",
            [Right::Restriction, Right::Objection],
            "11",
            Memory,
        )
        .grants("erase", [Right::Erasure], "11", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(15), "13", Primary)
                .only_for([Right::Access])
                .extended(more(15)),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "13", Primary)
                .only_for([Right::Rectification, Right::Restriction, Right::Erasure])
                .extended(more(30)),
        )
        .sends(
            notice(
                Step::Extension,
                [("reasons", "the reason, in writing")],
                "13",
                Primary,
            )
            .until(Question::ExtensionNoticeCutoff),
        )
        .fact(Topic::Sources, "PDPA 3, 10, 11, 13 read", "", Primary)
}

/// Singapore: PDPA.
pub(super) fn singapore() -> Regime {
    let notified = || {
        Extension::by(Period::Unnumbered, "PDPR 2021 reg. 5", Secondary)
            .says(&["the time by which the answer will come"])
    };
    table("sg_pdpa", "Singapore PDPA", "SG")
        .in_force_from(date(2014, 7, 2), Memory)
        .words("individual", "organisation", "data intermediary", "PDPC")
        .grants_rule(
            RightRule::new("access_and_use_disclosure_last_year", [Right::Access], "21", Memory)
                .scope("the data, and how they were used or disclosed within the last year"),
        )
        .grants("correction", [Right::Rectification], "22", Memory)
        .grants("consent_withdrawal", [Right::ConsentWithdrawal], "16", Memory)
        .clock(
            Clock::new(Question::ResponseOrTimeframeNotice, Period::Days(30), "PDPR 2021 reg. 5", Secondary)
                .only_for([Right::Access, Right::Rectification])
                .standard("as soon as reasonably possible; if not within the period, say by then when"),
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "PDPR 2021 reg. 5", Secondary)
                .only_for([Right::Access, Right::Rectification])
                .standard("as soon as reasonably possible")
                .extended(notified()),
        )
        .clock(
            Clock::new(Question::ConsentRevocation, Period::BusinessDays(10), "16; PDPC Guidelines 12.41", Secondary)
                .standard("on reasonable notice, generally at least this"),
        )
        .clock(
            Clock::new(Question::LookbackStartDefault, Period::Years(1), "21", Memory)
                .only_for([Right::Access])
                .backwards(),
        )
        .reads_roll("sunday_and_holidays", Roll::SUNDAY_AND_HOLIDAYS, "PDPC Guidelines fn. 34", Secondary)
        .may([Refuse, Withhold], "fifth_schedule", "Fifth Schedule", "An exception of the Fifth Schedule applies.", Memory)
        .may([Refuse, Withhold], "safety", "21(3)(a)-(b)", "It could threaten the safety or health of a person.", Memory)
        .may([Refuse, Withhold], "reveals_others", "21(3)(c)-(d)", "It would reveal another person's data, or who supplied them.", Memory)
        .may([Refuse, Withhold], "national_interest", "21(3)(e)", "It would be contrary to the national interest.", Memory)
        .ground_rule(Ground::new("opinion", [Refuse], "22(6)", "It concerns an opinion.", Memory).only_for([Right::Rectification]))
        .sends(notice(Step::Extension, [("new_date", "by when the answer will come")], "PDPR 2021 reg. 5", Secondary).until(Question::ResponseOrTimeframeNotice))
        .fact(Topic::Counting, "the period may extend where its last day is a Sunday or public holiday; the safe default does not move it", "PDPC Guidelines fn. 34", Secondary)
        .fact(Topic::Preserve, "of what was refused a complete copy is kept at least 30 days, and until review and appeal have ended", "22A; PDPR reg. 8", Primary)
        .fact(Topic::Rectification, "as soon as practicable, with the same 30-day notice; sent to those to whom the data went within a year; a correction not made is annotated", "22(2), 22(5)", Memory)
        .fact(Topic::Sources, "PDPA 16, 21, 22, 22A, 25 read", "", Primary)
        .fact(Topic::Sources, "PDPC Advisory Guidelines 12.41, 15.18, 15.42, 15.52 in a digest", "", Secondary)
        .appeals(false, "PDPC", Memory)
}

/// Australia: Privacy Act 1988, APPs 12-13.
pub(super) fn australia() -> Regime {
    let letter = |code, article, words| {
        Ground::new(code, [Refuse, Withhold], article, words, Memory).only_for([Right::Access])
    };
    table("au_privacy_act", "Australia Privacy Act 1988 (APPs 12-13)", "AU")
        .in_force_from(date(2014, 3, 12), Memory)
        .words("individual", "APP entity", "contractor", "OAIC")
        .grants("access", [Right::Access], "APP 12", Memory)
        .grants("correction", [Right::Rectification], "APP 13", Memory)
        .grants("associate_statement", [own("associate_statement")], "APP 13.4", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(30), "APP 12.4(a)(i), 13.5(a)(i)", Primary)
                .when("au_entity=agency"),
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "APP 12.4(a)(ii), 13.5(a)(ii)", Primary)
                .standard("an organisation answers within a reasonable period, which by the OAIC should not generally exceed 30 calendar days"),
        )
        .ground_rule(letter("serious_threat", "APP 12.3(a)", "Access would pose a serious threat to life, health or safety."))
        .ground_rule(letter("privacy_of_others", "APP 12.3(b)", "Access would have an unreasonable impact on the privacy of others."))
        .ground_rule(letter("frivolous_vexatious", "APP 12.3(c)", "The request is frivolous or vexatious."))
        .ground_rule(letter("legal_proceedings", "APP 12.3(d)", "The information relates to legal proceedings and could not be obtained by discovery."))
        .ground_rule(letter("negotiations", "APP 12.3(e)", "Access would reveal our intentions in negotiations with you."))
        .ground_rule(letter("unlawful", "APP 12.3(f)", "Giving access would be unlawful."))
        .ground_rule(letter("authorised_by_law", "APP 12.3(g)", "A law or court order requires or authorises us to deny access."))
        .ground_rule(letter("unlawful_activity_action", "APP 12.3(h)", "Access would prejudice action on suspected unlawful activity."))
        .ground_rule(letter("enforcement", "APP 12.3(i)", "Access would prejudice enforcement activities."))
        .ground_rule(letter("evaluative_commercial", "APP 12.3(j)", "Access would reveal evaluative information in a commercially sensitive decision."))
        .ground_rule(letter("foi_act", "APP 12.2", "The Freedom of Information Act authorises the agency to refuse."))
        .sends(notice(Step::Refusal, [("reasons", "the reasons, unless giving them would be unreasonable"), ("complaint", "how to complain"), ("prescribed", "anything else that is prescribed")], "APP 12.9, 13.3", Primary))
        .fact(Topic::Erasure, "no right of erasure; what is no longer needed is destroyed or de-identified", "APP 11.2", Memory)
        .fact(Topic::Sources, "APPs 12-13 read as of 2026-06-04", "", Primary)
        .appeals(false, "complaint to the OAIC", Memory)
}

/// Indonesia: Law 27/2022.
pub(super) fn indonesia() -> Regime {
    let three_days = Period::Hours(72);
    table("id_pdp", "Indonesia PDP Law 27/2022", "ID")
        .in_force_from(date(2022, 10, 17), Memory)
        .grants("rectification", [Right::Rectification], "30", Primary)
        .grants("access", [Right::Access], "32", Primary)
        .grants(
            "consent_withdrawal",
            [Right::ConsentWithdrawal],
            "40",
            Primary,
        )
        .grants(
            "suspension_restriction",
            [Right::Restriction],
            "41",
            Primary,
        )
        .clock(
            Clock::new(Question::Response, three_days, "30, 32, 40, 41", Primary)
                .standard("3 x 24 hours from receipt"),
        )
        .clock(Clock::new(
            Question::ConsentRevocation,
            three_days,
            "40",
            Primary,
        ))
        .clock(
            Clock::new(Question::BreachAuthority, three_days, "46", Primary)
                .standard("to the person and the agency"),
        )
        .ground_rule(
            Ground::new("law", [Refuse], "41", "A law forbids it.", Memory)
                .only_for([Right::Restriction]),
        )
        .ground_rule(
            Ground::new(
                "safety_of_others",
                [Refuse],
                "41",
                "It would endanger the safety of others.",
                Memory,
            )
            .only_for([Right::Restriction]),
        )
        .ground_rule(
            Ground::new(
                "written_agreement",
                [Refuse],
                "41",
                "You are bound by a written agreement that does not allow it.",
                Memory,
            )
            .only_for([Right::Restriction]),
        )
        .fact(
            Topic::Sources,
            "UU 27/2022 30, 32, 40, 41, 46 read",
            "",
            Primary,
        )
}

/// Vietnam: PDP Law 2025 and Decree 356/2025.
pub(super) fn vietnam() -> Regime {
    let article = "Decree 356/2025 art. 5";
    let clock = |period, rights: &[Right]| {
        Clock::new(Question::Response, Period::Days(period), article, Primary)
            .only_for(rights.iter().cloned())
            .extended(Extension::by(Period::Days(period), article, Primary).says(&["the reason"]))
    };
    // The longer time where a processor or a third party must act too.
    let with_others = |period, rights: &[Right]| {
        Clock::new(Question::Response, Period::Days(period), article, Primary)
            .only_for(rights.iter().cloned())
            .when("vn_involves=processor")
    };
    let stop = [
        Right::ConsentWithdrawal,
        Right::Restriction,
        Right::Objection,
    ];
    let see = [Right::Access, Right::Rectification, Right::Export];
    table("vn_pdpl", "Vietnam PDP Law 2025 and Decree 356/2025", "VN")
        .in_force_from(date(2026, 1, 1), Memory)
        .grants(
            "withdraw_restrict_object",
            stop.clone(),
            "Law art. 4",
            Primary,
        )
        .grants("view_rectify_obtain", see.clone(), "Law art. 4", Primary)
        .grants("erase", [Right::Erasure], "Law arts 4, 14", Primary)
        .grants(
            "protective_measures",
            [own("protective_measures")],
            "Law art. 4",
            Primary,
        )
        .clock(
            Clock::new(Question::Ack, Period::BusinessDays(2), article, Primary)
                .standard("with complete information on the procedure"),
        )
        .clock(with_others(20, &stop))
        .clock(with_others(15, &see))
        .clock(with_others(30, &[Right::Erasure]))
        .clock(clock(15, &stop))
        .clock(clock(10, &see))
        .clock(clock(20, &[Right::Erasure]))
        .clock(clock(15, &[own("protective_measures")]))
        .clock(Clock::new(
            Question::ConsentRevocation,
            Period::Days(15),
            article,
            Primary,
        ))
        .may(
            [Extend],
            "good_reason",
            article,
            "There is a reason to take longer, which we can show.",
            Primary,
        )
        .sends(
            notice(
                Step::Acknowledgement,
                [("procedure", "complete information on the procedure")],
                article,
                Primary,
            )
            .until(Question::Ack),
        )
        .sends(
            notice(
                Step::Extension,
                [(
                    "reasons",
                    "the reason; the controller bears the burden of proof",
                )],
                article,
                Primary,
            )
            .until(Question::ExtensionNoticeCutoff),
        )
        .fact(
            Topic::Sources,
            "Decree 356/2025 art. 5 and Law arts 4, 14 read in an unofficial English translation",
            "",
            Primary,
        )
}

/// Thailand: PDPA B.E. 2562.
pub(super) fn thailand() -> Regime {
    table("th_pdpa", "Thailand PDPA B.E. 2562", "TH")
        .in_force_from(date(2022, 6, 1), Memory)
        .words("data subject", "data controller", "data processor", "PDPC")
        .grants("access", [Right::Access], "s. 30", Memory)
        .grants("portability", [Right::Export], "s. 31", Memory)
        .grants("objection", [Right::Objection], "s. 32", Memory)
        .grants("erasure", [Right::Erasure], "s. 33", Memory)
        .grants("restriction", [Right::Restriction], "s. 34", Memory)
        .grants("rectification", [Right::Rectification], "ss. 35-36", Memory)
        .clock(
            Clock::new(Question::Response, Period::Days(30), "s. 30", Secondary)
                .only_for([Right::Access]),
        )
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "ss. 31-36", Memory)
                .standard("no number of days"),
        )
        .fact(
            Topic::Pending,
            "the Committee may prescribe an extension; a draft was consulted in April and May 2026",
            "s. 30",
            Memory,
        )
        .fact(
            Topic::Records,
            "a rejection and its reasons are entered in the record of s. 39",
            "s. 39",
            Memory,
        )
        .fact(
            Topic::Sources,
            "s. 30 in two law firms' notes",
            "",
            Secondary,
        )
}
