//! Africa, the Middle East and Turkey.

use super::{date, notice, own, table};
use crate::law::{
    Clock, ClockEventKind, Extension, Ground, GroundUse, Period, Question, Regime, Roll, Start,
    Step, Topic, Verified,
};
use crate::model::Right;

use GroundUse::{Extend, Refuse, Withhold};
use Verified::{Memory, Primary, Secondary};

/// Saudi Arabia: PDPL Implementing Regulation.
pub(super) fn saudi_arabia() -> Regime {
    table("sa_pdpl", "Saudi Arabia PDPL Implementing Regulation", "SA")
        .in_force_from(date(2023, 9, 14), Memory)
        .words("data subject", "controller", "processor", "SDAIA")
        .clock(
            Clock::new(Question::Response, Period::Days(30), "3(1)(a)", Primary).extended(
                Extension::by(Period::Days(30), "3(1)(a)", Primary)
                    .grounds(&["disproportionate effort", "multiple requests"])
                    .says(&["the extension, in advance", "the reasons"]),
            ),
        )
        .may(
            [Refuse],
            "repetitive",
            "3",
            "Your request repeats earlier ones.",
            Memory,
        )
        .may(
            [Refuse],
            "manifestly_unfounded",
            "3",
            "Your request is manifestly unfounded.",
            Memory,
        )
        .may(
            [Refuse],
            "disproportionate_effort",
            "3",
            "Your request would take disproportionate effort.",
            Memory,
        )
        .may(
            [Extend],
            "disproportionate_effort_time",
            "3(1)(a)",
            "Answering takes disproportionate effort.",
            Primary,
        )
        .may(
            [Extend],
            "multiple_requests",
            "3(1)(a)",
            "You have made several requests.",
            Primary,
        )
        .sends(
            notice(
                Step::Extension,
                [
                    ("extension", "the extension, in advance"),
                    ("reasons", "the reasons"),
                ],
                "3(1)(a)",
                Primary,
            )
            .until(Question::ExtensionNoticeCutoff),
        )
        .sends(
            notice(
                Step::RecipientNotice,
                [("change", "that the data were destroyed")],
                "8(2)",
                Memory,
            )
            .only_for([Right::Erasure]),
        )
        .fact(
            Topic::Erasure,
            "every copy is destroyed, backups included, and recipients are told",
            "8(2)",
            Memory,
        )
        .fact(
            Topic::Records,
            "every request is documented, oral ones too",
            "3(1)(d)",
            Memory,
        )
        .fact(
            Topic::Sources,
            "Implementing Regulation 3, 5-8 read",
            "",
            Primary,
        )
}

/// United Arab Emirates: Federal Decree-Law 45/2021.
pub(super) fn emirates() -> Regime {
    table("ae_pdpl", "UAE Federal Decree-Law 45/2021", "AE")
        .in_force_from(date(2022, 1, 2), Memory)
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "13-15", Primary)
                .standard("no number of days in the law; executive regulations are awaited"),
        )
        .fact(Topic::Sources, "arts 13-15 read", "", Primary)
}

/// Turkey: KVKK.
pub(super) fn turkey() -> Regime {
    table("tr_kvkk", "Turkey KVKK (Law 6698)", "TR")
        .in_force_from(date(2016, 10, 7), Memory)
        .words(
            "data subject",
            "data controller",
            "data processor",
            "KVKK Board",
        )
        .grants(
            "all",
            [
                Right::Access,
                Right::Rectification,
                Right::Erasure,
                Right::Objection,
                Right::HumanReview,
            ],
            "11",
            Memory,
        )
        .clock(
            Clock::new(Question::Response, Period::Days(30), "13(2)", Secondary)
                .standard("as soon as possible"),
        )
        .clock(
            Clock::new(
                Question::BoardComplaintDeadline,
                Period::Days(30),
                "14(1)",
                Primary,
            )
            .starting(Start::Event(ClockEventKind::AnswerReceived))
            .at_most(Period::Days(60))
            .standard("from learning the answer, and in any case from the application"),
        )
        .sends(
            notice(
                Step::Refusal,
                [("reasons", "the reasons, in writing or electronically")],
                "13(3)",
                Memory,
            )
            .until(Question::Response),
        )
        .fact(
            Topic::Fees,
            "free; a written answer of more than ten pages by a tariff per page",
            "13",
            Memory,
        )
        .fact(Topic::Sources, "KVKK 14 read", "", Primary)
        .fact(
            Topic::Sources,
            "KVKK 13 in three commentaries",
            "",
            Secondary,
        )
        .appeals(false, "complaint to the Board (14)", Primary)
}

/// South Africa: POPIA with its 2025 Regulations, and PAIA.
pub(super) fn south_africa() -> Regime {
    let thirty = Period::Days(30);
    let roll = Roll::SUNDAY_AND_HOLIDAYS;
    table(
        "za_popia",
        "South Africa POPIA (with 2025 Regulations, and PAIA)",
        "ZA",
    )
    .in_force_from(date(2021, 7, 1), Memory)
    .words(
        "data subject",
        "responsible party",
        "operator",
        "Information Regulator",
    )
    .grants("access", [Right::Access], "23", Memory)
    .grants(
        "correction_deletion",
        [Right::Rectification, Right::Erasure],
        "24",
        Memory,
    )
    .grants("objection", [Right::Objection], "11(3)", Memory)
    .grants("adm", [Right::HumanReview], "71", Memory)
    .clock(
        Clock::new(
            Question::Response,
            thirty,
            "POPIA 23, 25; PAIA 25, 56",
            Primary,
        )
        .only_for([Right::Access])
        .standard("within a reasonable time")
        .rolling(roll)
        .extended(Extension::by(thirty, "PAIA 57", Primary).says(&[
            "the period",
            "the reasons",
            "the remedy",
        ])),
    )
    .clock(
        Clock::new(Question::Response, thirty, "Regs 2025 reg. 3", Secondary)
            .only_for([Right::Rectification, Right::Erasure])
            .standard("the action taken is notified in writing")
            .rolling(roll),
    )
    .ground_rule(
        Ground::new(
            "paia_chapter_4",
            [Refuse, Withhold],
            "PAIA ch. 4",
            "A ground of refusal in Chapter 4 of PAIA applies.",
            Memory,
        )
        .only_for([Right::Access]),
    )
    .sends(
        notice(
            Step::Extension,
            [
                ("extension", "the period"),
                ("reasons", "the reasons"),
                ("remedy", "the remedy"),
            ],
            "PAIA 57",
            Primary,
        )
        .only_for([Right::Access])
        .until(Question::ExtensionNoticeCutoff),
    )
    .sends(
        notice(
            Step::Response,
            [("action_taken", "what was done")],
            "Regs 2025 reg. 3",
            Secondary,
        )
        .only_for([Right::Rectification, Right::Erasure])
        .until(Question::Response),
    )
    .sends(
        notice(
            Step::RestrictionLifted,
            [("lifted", "that the restriction will be lifted")],
            "14(8)",
            Primary,
        )
        .standard("before it is lifted"),
    )
    .fact(
        Topic::Counting,
        "calendar days; a last day on a Sunday or public holiday moves, not one on a Saturday",
        "Regs 2025 'day'; Interpretation Act s. 4",
        Secondary,
    )
    .fact(
        Topic::Restriction,
        "as in Art. 18 GDPR; the person is told before it is lifted",
        "14(6)-(8)",
        Primary,
    )
    .fact(
        Topic::Identity,
        "adequate proof of identity is part of the right",
        "23(1)",
        Memory,
    )
    .fact(
        Topic::Fees,
        "confirmation is free; a copy costs the prescribed fee, after a written estimate",
        "23",
        Memory,
    )
    .fact(
        Topic::Form,
        "Form 1 objection, Form 2 correction or deletion",
        "Regs 2025",
        Memory,
    )
    .fact(
        Topic::Sources,
        "POPIA 5, 11, 14, 23-25 and PAIA 25, 56, 57 read",
        "",
        Primary,
    )
    .fact(
        Topic::Sources,
        "the 2025 Regulations in three commentaries",
        "",
        Secondary,
    )
    .appeals(false, "complaint to the Information Regulator", Memory)
}

/// Kenya: DPA 2019 and General Regulations 2021.
pub(super) fn kenya() -> Regime {
    let clock = |days, rights: &[Right], article, verified| {
        Clock::new(Question::Response, Period::Days(days), article, verified)
            .only_for(rights.iter().cloned())
    };
    table("ke_dpa", "Kenya DPA 2019 and General Regulations 2021 (LN 263/2021)", "KE")
        .in_force_from(date(2019, 11, 25), Memory)
        .words("data subject", "data controller", "data processor", "Data Commissioner")
        .grants("access", [Right::Access], "s. 26; reg. 9", Memory)
        .grants("rectification", [Right::Rectification], "s. 40; reg. 10", Memory)
        .grants("erasure", [Right::Erasure], "s. 40; reg. 12", Memory)
        .grants("restriction_objection", [Right::Restriction, Right::Objection], "ss. 34, 36; regs 7-8", Memory)
        .grants("portability", [Right::Export], "s. 38; reg. 11", Memory)
        .clock(clock(7, &[Right::Access], "reg. 9", Secondary))
        .clock(clock(14, &[Right::Rectification], "reg. 10", Memory))
        .clock(clock(14, &[Right::Erasure], "reg. 12", Memory))
        .clock(clock(14, &[Right::Restriction, Right::Objection], "regs 7-8", Memory))
        .clock(
            clock(30, &[Right::Export], "s. 38(6), reg. 11", Primary).extended(
                Extension::by(Period::Unnumbered, "s. 38(7)", Primary)
                    .grounds(&["in consultation with the Data Commissioner"]),
            ),
        )
        .clock(Clock::new(Question::RefusalNotice, Period::Days(7), "reg. 11(6)", Primary))
        .sends(notice(Step::Refusal, [("reasons", "why")], "reg. 11(6)", Primary).until(Question::RefusalNotice))
        .fact(Topic::Conflict, "a vendor's guide says 7 days for rectification and erasure; the Act says without undue delay", "regs 10, 12; s. 40", Memory)
        .fact(Topic::Form, "forms DPG1 to DPG5", "General Regulations", Memory)
        .fact(Topic::Sources, "reg. 11(6), 12 and DPA ss. 26, 34, 36, 38, 40 read", "", Primary)
        .fact(Topic::Sources, "7 and 30 days in a compliance guide", "", Secondary)
}

/// Nigeria: Data Protection Act 2023.
pub(super) fn nigeria() -> Regime {
    table("ng_ndpa", "Nigeria Data Protection Act 2023", "NG")
        .in_force_from(date(2023, 6, 12), Memory)
        .grants("access", [Right::Access], "s. 34", Memory)
        .grants("rectification", [Right::Rectification], "s. 34", Memory)
        .grants("erasure", [Right::Erasure], "s. 34", Memory)
        .grants("restriction", [Right::Restriction], "s. 34", Memory)
        .grants(
            "consent_withdrawal",
            [Right::ConsentWithdrawal],
            "s. 35",
            Memory,
        )
        .grants("objection", [Right::Objection], "s. 36", Memory)
        .grants("adm", [Right::HumanReview, own("adm")], "s. 37", Memory)
        .grants("portability", [Right::Export], "s. 38", Memory)
        .clock(
            Clock::new(Question::Response, Period::Unnumbered, "s. 34", Primary)
                .standard("without constraint or unreasonable delay; GAID 2025 may set days"),
        )
        .fact(Topic::Sources, "ss. 34-38 read", "", Primary)
}
