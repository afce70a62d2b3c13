//! The European Union, three national overlays on its law, and Switzerland.

use super::{AS_OF, date, item, notice, own, table};
use crate::law::{
    Awaiting, Clock, ClockEventKind, Extension, Ground, GroundUse, Notice, Overlay, Pause,
    PauseBasis, Period, Question, Regime, RegimeId, RightRule, Roll, Start, Step, Text, Topic,
    Verified,
};
use crate::model::Right;

use GroundUse::{Charge, Extend, Refuse, Restrict, Withhold};
use Verified::{Memory, Primary, Secondary};

/// The rights whose requests Art. 12(3) gives a month. Withdrawing consent is none of them.
fn chapter_three() -> [Right; 7] {
    [
        Right::Access,
        Right::Rectification,
        Right::Erasure,
        Right::Restriction,
        Right::Export,
        Right::Objection,
        Right::HumanReview,
    ]
}

/// Regulation (EU) 2016/679.
pub(super) fn gdpr() -> Regime {
    let month = Period::Months(1);
    let roll = Roll::WEEKEND_AND_HOLIDAYS;
    let mut gdpr = table("eu_gdpr", "EU General Data Protection Regulation", "EU/EEA")
        .in_force_from(date(2018, 5, 25), Memory)
        .texts(&[
            "Regulation (EU) 2016/679",
            "Regulation (EEC, Euratom) 1182/71 Art. 3 (counting of time)",
            "EDPB Guidelines 01/2022 v2.1 (access)",
        ])
        .grants("access", [Right::Access], "15(1)-(4)", Primary)
        .grants_rule(
            RightRule::new("rectification", [Right::Rectification], "16", Primary)
                .scope("completion too, also by a supplementary statement"),
        )
        .grants("erasure", [Right::Erasure], "17", Primary)
        .grants("restriction", [Right::Restriction], "18", Primary)
        .grants_rule(
            RightRule::new("portability", [Right::Export], "20", Primary)
                .only_if(&[
                    "the processing rests on consent (6(1)(a), 9(2)(a)) or a contract (6(1)(b))",
                    "it is carried out by automated means",
                ])
                .scope("what the person provided, observed data included, nothing inferred or derived (WP242)"),
        )
        .grants_rule(
            RightRule::new("objection", [Right::Objection], "21(1)", Primary)
                .only_if(&["the processing rests on 6(1)(e) or 6(1)(f)"]),
        )
        .grants_rule(
            RightRule::new("objection_direct_marketing", [Right::Objection], "21(2)-(3)", Primary)
                .absolute(),
        )
        .grants("objection_research", [Right::Objection], "21(6)", Primary)
        .grants("adm_human_review", [Right::HumanReview], "22(1), (3)", Primary)
        .grants_rule(
            RightRule::new("consent_withdrawal", [Right::ConsentWithdrawal], "7(3)", Primary)
                .absolute()
                .scope("as easy as giving it was; takes effect at once, and erasure under 17(1)(b) may follow"),
        )
        .clock(
            Clock::new(Question::Response, month, "12(3)", Primary)
                .only_for(chapter_three())
                .standard("without undue delay and in any event within the period")
                .rolling(roll)
                .pausable()
                .extended(
                    Extension::by(Period::Months(2), "12(3)", Primary)
                        .grounds(&["the complexity of the requests", "the number of requests"])
                        .says(&["the extension", "the reasons for the delay"]),
                ),
        )
        .clock(
            // Art. 12(4) is not extended with the rest: whoever will refuse says so in month one.
            Clock::new(Question::RefusalNotice, month, "12(4)", Primary).rolling(roll),
        )
        .clock(
            Clock::new(Question::ConsentRevocation, Period::Unnumbered, "7(3)", Primary)
                .standard("at once: Art. 12(3) does not apply to a withdrawal"),
        )
        .clock(
            Clock::new(Question::BreachAuthority, Period::Hours(72), "33(1)", Primary)
                .standard("without undue delay and, where feasible, within the period from awareness"),
        )
        .clock(
            Clock::new(Question::IndirectCollectionNotice, month, "14(3)(a)", Primary)
                .standard("within a reasonable period, at the latest with the first communication or disclosure")
                .rolling(roll),
        )
        .pause(eu_pause(Awaiting::Identity))
        .pause(eu_pause(Awaiting::Clarification));
    gdpr = gdpr_grounds(gdpr);
    gdpr = gdpr_notices(gdpr);
    gdpr_facts(gdpr)
}

fn eu_pause(awaiting: Awaiting) -> Pause {
    Pause::new(
        awaiting,
        PauseBasis::Reading,
        "Art. 12 knows no suspension; the EDPB says there may be one if the information was asked for without undue delay",
        "EDPB 01/2022 par. 159, example 31",
        Secondary,
    )
}

fn gdpr_grounds(regime: Regime) -> Regime {
    regime
        .ground_rule(
            Ground::new("not_identifiable", [Refuse], "11(2), 12(2)", "We cannot identify you in the data we hold, and you have not given us further information that would let us.", Primary)
                .unidentified(),
        )
        .may([Refuse], "identity_not_confirmed", "12(6)", "We have reasonable doubts about your identity, and the information that would settle them has not reached us.", Primary)
        .may([Refuse, Charge], "manifestly_unfounded", "12(5)", "Your request is manifestly unfounded.", Primary)
        .may([Refuse, Charge], "excessive_repetitive", "12(5)", "Your request is excessive, in particular because it repeats earlier ones.", Primary)
        .ground_rule(
            Ground::new("rights_of_others", [Refuse, Withhold], "15(4), 20(4)", "Giving you this would adversely affect the rights and freedoms of others.", Primary)
                .only_for([Right::Access, Right::Export]),
        )
        .ground_rule(
            Ground::new("no_ground", [Refuse, Withhold], "17(1), 18(1), 20(1), 21(1)", "The conditions under which this right exists are not met.", Primary)
                .only_for([Right::Erasure, Right::Restriction, Right::Export, Right::Objection]),
        )
        .ground_rule(erasure_exception("erasure_exception_expression", "17(3)(a)", "We need these data to exercise the right of freedom of expression and information."))
        .ground_rule(erasure_exception("erasure_exception_legal_obligation", "17(3)(b)", "The law obliges us to keep these data, or we need them for a task in the public interest."))
        .ground_rule(erasure_exception("erasure_exception_public_health", "17(3)(c)", "These data are needed for reasons of public interest in public health."))
        .ground_rule(erasure_exception("erasure_exception_archiving", "17(3)(d)", "These data serve archiving, research or statistics, which their erasure would seriously impair."))
        .ground_rule(erasure_exception("erasure_exception_claims", "17(3)(e)", "We need these data to establish, exercise or defend legal claims."))
        .ground_rule(
            Ground::new("compelling_grounds", [Refuse], "21(1)", "We have compelling legitimate grounds that override your interests, rights and freedoms.", Primary)
                .only_for([Right::from("objection")]),
        )
        .ground_rule(
            Ground::new("legal_claims", [Refuse, Withhold], "21(1), 17(3)(e)", "We need these data for legal claims.", Primary)
                .only_for([Right::Objection, Right::Erasure]),
        )
        .ground_rule(
            Ground::new("public_task", [Refuse], "20(3), 21(6)", "The processing is necessary for a task carried out in the public interest.", Primary)
                .only_for([Right::Export, Right::Objection]),
        )
        .ground_rule(
            Ground::new("adm_exception", [Refuse], "22(2)(a)-(c)", "The automated decision is necessary for a contract, authorised by law, or based on your explicit consent.", Primary)
                .only_for([Right::HumanReview]),
        )
        .may([Refuse, Withhold, Restrict], "national_restriction", "23, 85, 89(2)-(3)", "A national law restricts this right.", Primary)
        .may([Refuse], "not_controller", "28(3)(e)", "We process these data for another controller, to whom we have passed your request.", Primary)
        .ground_rule(
            Ground::new("accuracy_contested", [Restrict], "18(1)(a)", "You contest that the data are accurate; while we verify it, they are restricted.", Primary)
                .only_for([Right::Restriction, Right::Rectification]),
        )
        .ground_rule(
            Ground::new("unlawful_but_kept", [Restrict], "18(1)(b)", "The processing is unlawful and you prefer restriction to erasure.", Primary)
                .only_for([Right::Restriction, Right::Erasure]),
        )
        .ground_rule(
            Ground::new("needed_by_subject", [Restrict], "18(1)(c)", "We no longer need the data, but you need them for legal claims.", Primary)
                .only_for([Right::Restriction, Right::Erasure]),
        )
        .ground_rule(
            Ground::new("objection_pending", [Restrict], "18(1)(d)", "You have objected; until the interests are weighed, the data are restricted.", Primary)
                .only_for([Right::Restriction, Right::Objection]),
        )
        .may([Extend], "complexity", "12(3)", "Your request is complex.", Primary)
        .may([Extend], "number_of_requests", "12(3)", "You have made a number of requests.", Primary)
}

fn erasure_exception(code: &'static str, article: &'static str, letter: &'static str) -> Ground {
    Ground::new(code, [Refuse, Withhold, Restrict], article, letter, Primary)
        .only_for([Right::Erasure])
}

fn gdpr_notices(regime: Regime) -> Regime {
    regime
        .sends(
            Notice::new(
                Step::Response,
                [
                    item("confirmation", "whether data about the person are processed").at("15(1)"),
                    item("purposes", "for which purposes").at("15(1)(a)").if_held(),
                    item("categories", "which categories of data").at("15(1)(b)").if_held(),
                    item("recipients", "to whom they were or will be disclosed; the actual recipients if the person asks for them (C-154/21)").at("15(1)(c)").if_held(),
                    item("period", "how long they will be kept, or by what that is decided").at("15(1)(d)").if_held(),
                    item("rights", "that rectification, erasure, restriction and objection can be asked for").at("15(1)(e)").if_held(),
                    item("complaint", "that a complaint can be lodged with a supervisory authority").at("15(1)(f)").if_held(),
                    item("source", "where the data come from, unless from the person").at("15(1)(g)").if_held().if_applicable(),
                    item("automated_decisions", "automated decisions, their logic, significance and consequences").at("15(1)(h)").if_held().if_applicable(),
                    item("transfer_safeguards", "the safeguards of Art. 46 for transfers to third countries").at("15(2)").if_held().if_applicable(),
                    item("copy", "a copy of the data, in a common electronic form if asked for electronically").at("15(3)").if_held(),
                ],
                "15",
                Primary,
            )
            .only_for([Right::Access])
            .until(Question::Response),
        )
        .sends(
            notice(Step::Response, [("action_taken", "what was done on the request")], "12(3)", Primary)
                .until(Question::Response)
                .standard("electronically if the request came electronically"),
        )
        .sends(
            notice(Step::Acknowledgement, [("receipt", "that the request was received, and when")], "EDPB 01/2022 par. 57", Secondary)
                .optional(),
        )
        .sends(
            Notice::new(
                Step::CannotIdentify,
                [
                    item("cannot_identify", "that the controller cannot identify the person"),
                    item("what_would_help", "what further information would make it possible").if_applicable(),
                ],
                "11(2)",
                Primary,
            )
            .standard("if possible"),
        )
        .sends(
            notice(Step::IdentityRequest, [("needed", "what is needed"), ("doubt", "why there is reasonable doubt")], "12(6)", Primary)
                .standard("without undue delay"),
        )
        .sends(
            notice(Step::Extension, [("extension", "that the answer will take longer, and how long"), ("reasons", "the reasons for the delay")], "12(3)", Primary)
                .until(Question::ExtensionNoticeCutoff),
        )
        .sends(
            notice(Step::Fee, [("charge", "that a fee will be charged"), ("amount", "how much, as exactly as possible"), ("withdraw", "that the request can be withdrawn")], "12(5), 15(3)", Primary)
                .standard("before charging"),
        )
        .sends(
            notice(Step::Refusal, [("reasons", "why the request is refused, in whole or in part"), ("complaint", "that a complaint can be lodged with a supervisory authority"), ("judicial_remedy", "that a court can be seised")], "12(4)", Primary)
                .until(Question::RefusalNotice)
                .standard("without delay"),
        )
        .sends(
            notice(Step::RestrictionLifted, [("lifted", "that the restriction will be lifted, and when")], "18(3)", Primary)
                .standard("before it is lifted"),
        )
        .sends(
            notice(Step::RecipientNotice, [("change", "what was rectified, erased or restricted")], "19", Primary)
                .only_for([Right::Rectification, Right::Erasure, Right::Restriction])
                .standard("to each recipient, unless impossible or disproportionate"),
        )
        .sends(
            notice(Step::RecipientsNamed, [("recipients", "which recipients were told")], "19", Primary)
                .only_for([Right::Rectification, Right::Erasure, Right::Restriction])
                .standard("when the person asks"),
        )
        .sends(
            notice(Step::ObjectionRight, [("object", "that there is a right to object, clearly and apart from other information")], "21(4)", Primary)
                .standard("with the first communication at the latest"),
        )
        .sends(
            notice(Step::HumanReview, [("intervention", "that a human will look at it"), ("point_of_view", "that the person can express their view"), ("contest", "that the decision can be contested")], "22(3)", Primary)
                .only_for([Right::HumanReview]),
        )
        .sends(
            Notice::new(
                Step::BreachAuthority,
                [
                    item("nature", "the nature of the breach, the categories and approximate numbers of persons and records"),
                    item("contact", "the protection officer or another contact"),
                    item("consequences", "the likely consequences"),
                    item("measures", "what was and will be done"),
                    item("reasons_for_delay", "why it took longer than 72 hours").if_applicable(),
                ],
                "33",
                Primary,
            )
            .until(Question::BreachAuthority),
        )
        .sends(
            notice(Step::BreachSubject, [("contact", "the protection officer or another contact"), ("consequences", "the likely consequences"), ("measures", "what was and will be done")], "34(2), 33(3)(b)-(d)", Primary)
                .standard("without undue delay, when the risk is high"),
        )
        .sends(
            notice(Step::IndirectCollection, [("information", "everything that 14(1)-(2) list")], "14(3)", Primary)
                .until(Question::IndirectCollectionNotice),
        )
}

fn gdpr_facts(regime: Regime) -> Regime {
    regime
        .fact(Topic::Receipt, "a request is received when it reaches one of the controller's official channels; nobody need have read it, and the wrong official mailbox counts", "EDPB 01/2022 par. 52-56, 159", Secondary)
        .fact(Topic::Counting, "the day of the event is not counted; the period ends with the same date of the last month, or with that month's last day", "Reg. 1182/71 Art. 3(1), (2)(c); C-171/03", Primary)
        .fact(Topic::Counting, "a last day on a Saturday, Sunday or public holiday moves to the end of the next working day; not for hours, nor for periods counted back", "Reg. 1182/71 Art. 3(4)", Primary)
        .fact(Topic::Counting, "the holidays are those of the Member State or institution concerned", "Reg. 1182/71 Art. 2(1)", Memory)
        .fact(Topic::Counting, "the hour of the event is not counted; a period of two days or more contains two working days (whether that concerns 72 hours is debated)", "Reg. 1182/71 Art. 3(1), (2)(a), (5)", Primary)
        .fact(Topic::Acknowledgement, "good practice, not a duty", "EDPB 01/2022 par. 57; CEF 2024 report 4.2.3", Secondary)
        .fact(Topic::Fees, "free; a reasonable fee for further copies; for manifestly unfounded or excessive requests a reasonable fee or a refusal, which the controller must justify, after a warning that leaves time to withdraw", "12(5), 15(3); EDPB 01/2022 par. 194", Primary)
        .fact(Topic::Frequency, "a year between two requests is never excessive", "EDPB 01/2022 par. 185", Primary)
        .fact(Topic::Identity, "more may be asked for only on reasonable doubts, no more than is needed, and hardly a copy of an identity card from someone already authenticated; for Arts 15 to 21", "12(6), 12(2); EDPB 01/2022 par. 65, 73-75", Primary)
        .fact(Topic::Identity, "whoever cannot identify the person says so if possible; Arts 15 to 20 do not apply until the person supplies what identifies them", "11", Primary)
        .fact(Topic::AccessContents, "the copy must not adversely affect the rights and freedoms of others", "15(4)", Memory)
        .fact(Topic::ErasureGrounds, "no longer necessary", "17(1)(a)", Memory)
        .fact(Topic::ErasureGrounds, "consent withdrawn and no other ground", "17(1)(b)", Memory)
        .fact(Topic::ErasureGrounds, "an objection without overriding grounds, or one to direct marketing", "17(1)(c)", Memory)
        .fact(Topic::ErasureGrounds, "unlawfully processed", "17(1)(d)", Memory)
        .fact(Topic::ErasureGrounds, "a legal duty to erase", "17(1)(e)", Memory)
        .fact(Topic::ErasureGrounds, "collected for information society services offered to a child", "17(1)(f), 8(1)", Memory)
        .fact(Topic::Restriction, "restricted data are stored, and else used only with consent, for legal claims, to protect another person, or for an important public interest", "18(2)", Memory)
        .fact(Topic::Recipients, "each recipient is told of every rectification, erasure and restriction unless impossible or disproportionate, and the person is told who they are on request", "19", Memory)
        .fact(Topic::Recipients, "for data made public, reasonable steps to tell other controllers of the erasure request", "17(2)", Memory)
        .fact(Topic::Recipients, "a processor helps with requests, and at the end erases or returns unless a law requires storage", "28(3)(e), (g)", Memory)
        .fact(Topic::Records, "the record of processing, with periods of erasure where possible", "30(1)(f)", Primary)
        .fact(Topic::Records, "accountability: keep the log of requests; no period is set, national limitation periods guide", "5(2)", Memory)
        .fact(Topic::Records, "every breach is documented", "33(5)", Memory)
        .fact(Topic::Pending, "Digital Omnibus proposal COM(2025) 837: abuse of right as a ground in 12(5); Art. 33 at high risk only and within 96 hours; not agreed on 18 June 2026", "", Secondary)
        .fact(Topic::Sources, "GDPR Arts 7, 11, 12, 15-22, 28, 30, 33, 34 read", "", Primary)
        .fact(Topic::Sources, "EDPB Guidelines 01/2022 par. 57, 158-164, 175-194, quoted in a research note", "", Secondary)
        .fact(Topic::Sources, "Reg. 1182/71 Arts 1-6 read", "", Primary)
        .fact(Topic::Sources, "C-171/03 Toeters, in an article", "", Secondary)
        .appeals(false, "complaint to a supervisory authority (77), judicial remedy (79)", Memory)
}

fn laid_on_gdpr(overlay: &Overlay) -> Regime {
    // An overlay of ours names the regime it belongs on; the base alone is the answer
    // should the two ever part.
    let base = gdpr();
    overlay.on(&base).unwrap_or(base)
}

fn national(id: &'static str, name: &'static str, jurisdiction: &'static str) -> Overlay {
    Overlay::new(
        RegimeId::shipped(id),
        RegimeId::shipped("eu_gdpr"),
        "1",
        Text::Borrowed(name),
        Text::Borrowed(jurisdiction),
        AS_OF,
    )
}

/// France: Loi 78-17, décret 2019-536, Code de la santé publique.
pub(super) fn france() -> Regime {
    let health = |question, period| Clock::new(question, period, "CSP L.1111-7, R.1111-1", Primary);
    let overlay = national(
        "fr_overlay",
        "France: Loi 78-17 (Informatique et Libertés), décret 2019-536, Code de la santé publique",
        "FR",
    )
    .clock(health(Question::HealthAccessEarliest, Period::Hours(48)).standard("after a time to reflect"))
    .clock(
        health(Question::HealthAccessLatest, Period::Months(2))
            .when("fr_health=older_than_five_years")
            .standard("where the information is older than five years, or the commission for psychiatric care is seised"),
    )
    .clock(health(Question::HealthAccessLatest, Period::Days(8)))
    .pause(Pause::new(
        Awaiting::Identity,
        PauseBasis::Reading,
        "the period of 12(3) is suspended while information needed to identify the person is awaited; not for an imprecise request, which the controller invites to complete before the period ends",
        "décret 2019-536 art. 77 al. 3",
        Secondary,
    ))
    .fact(Topic::Identity, "identity by any means; a copy of a signed document only where the situation requires it; a request made on the spot and not met at once gets a dated and signed receipt", "décret 2019-536 art. 77 ff.", Secondary)
    .fact(Topic::Identity, "the suspension for identity information is offered as the reading eu_identity=suspend_days; art. 77 itself was not read", "décret 2019-536 art. 77 al. 3, 144 al. 3; décret 2005-1309 art. 92 al. 3", Secondary)
    .fact(Topic::WhoMayAsk, "the rights die with the person, but directives on what happens to the data after death bind: general ones with a certified third party, particular ones with the controller; failing those, heirs may act for the succession, to close accounts, to object and to have data updated", "LIL 84-85", Primary)
    .fact(Topic::Age, "data collected from a minor by information society services is erased as soon as possible; without erasure or answer within a month the CNIL can be seised and decides within three weeks", "LIL 51 II", Primary)
    .fact(Topic::Counting, "eleven national holidays; in Alsace-Moselle also 26 December, and Good Friday where there is a Protestant temple or a mixed church", "Code du travail L.3133-1, L.3134-13", Secondary)
    .fact(Topic::Sources, "copies of the 2011 and 2018 versions of R.1111-1 read; the version of 2021 was not", "", Primary);
    laid_on_gdpr(&overlay)
}

/// Germany: BDSG 27-37, BGB 187-193.
pub(super) fn germany() -> Regime {
    let overlay = national("de_overlay", "Germany: BDSG sections 27-37, BGB 187-193", "DE")
        .ground_rule(
            Ground::new("retention_only_storage", [Refuse, Withhold], "BDSG 34(1) Nr. 2", "These data are stored only because a law or statute requires it or to secure backups; giving access would take disproportionate effort, and every other use is technically excluded.", Primary)
                .only_for([Right::Access]),
        )
        .ground_rule(
            Ground::new("restriction_instead_disproportionate", [Restrict], "BDSG 35(1)", "Erasing these data, which are not processed automatically, would take disproportionate effort and your interest in it is small; they are restricted instead.", Primary)
                .only_for([Right::Erasure]),
        )
        .ground_rule(
            Ground::new("restriction_instead_interests", [Restrict], "BDSG 35(2)", "There is reason to believe that erasure would harm your legitimate interests; the data are restricted instead.", Primary)
                .only_for([Right::Erasure]),
        )
        .ground_rule(
            Ground::new("restriction_instead_retention", [Restrict], "BDSG 35(3)", "A retention period set by statute or contract stands against erasure; the data are restricted instead.", Primary)
                .only_for([Right::Erasure]),
        )
        .fact(Topic::Counting, "the day of the event is not counted (187(1)); a month ends with the day of the same number (188(2)), clamped (188(3)); Saturday, Sunday and holidays at the place of performance move to the next working day (193); a month that is not continuous has thirty days (191)", "BGB 187-193", Primary)
        .fact(Topic::AccessContents, "reasons for refusing access under 34 are documented and given", "BDSG 34", Primary)
        .fact(Topic::Erasure, "restriction does not replace erasure where the processing was unlawful", "BDSG 35", Primary)
        .fact(Topic::Sources, "BGB and BDSG read as of March 2022", "", Primary);
    laid_on_gdpr(&overlay)
}

/// Spain: LO 3/2018.
pub(super) fn spain() -> Regime {
    let overlay = national("es_overlay", "Spain: LO 3/2018 (LOPDGDD)", "ES")
        .ground_rule(
            Ground::new("repeated_within_six_months", [Refuse, Charge], "LOPDGDD 13.3", "You asked for access less than six months ago and there is no legitimate cause to ask again.", Primary)
                .only_for([Right::Access]),
        )
        .ground_rule(
            Ground::new("blocked_for_liabilities", [Restrict], "LOPDGDD 32", "The data are blocked: reserved for judges, prosecutors and authorities until liabilities prescribe, and then destroyed.", Primary)
                .only_for([Right::Erasure, Right::Rectification]),
        )
        .fact(Topic::Erasure, "what is rectified or erased is blocked first: identified, reserved, neither processed nor shown except to judges, prosecutors and competent administrations, until liabilities prescribe; then destroyed; a secure copy where blocking is impossible", "LOPDGDD 32", Primary)
        .fact(Topic::Form, "the controller may not refuse only because another channel was used, and bears the proof of having answered", "LOPDGDD 12", Primary)
        .fact(Topic::Sources, "LO 3/2018 arts 12, 13, 32 read", "", Primary);
    laid_on_gdpr(&overlay)
}

/// Switzerland: FADP and DPO.
pub(super) fn switzerland() -> Regime {
    let thirty = Period::Days(30);
    table("ch_fadp", "Switzerland FADP (revDSG) and DPO", "CH")
        .in_force_from(date(2023, 9, 1), Memory)
        .words("data subject", "controller", "processor", "FDPIC")
        .grants("access", [Right::Access], "FADP 25", Memory)
        .grants("portability", [Right::Export], "FADP 28", Memory)
        .grants("rectification", [Right::Rectification], "FADP 32(1)", Memory)
        .grants("deletion_prohibition", [Right::Erasure, Right::Objection], "FADP 32(2), CC 28 ff.", Memory)
        .grants("disputed_marking", [own("disputed_marking")], "FADP 32(3)", Memory)
        .grants("adm_review", [Right::HumanReview], "FADP 21(2)", Memory)
        .clock(
            Clock::new(Question::Response, thirty, "FADP 25(7), DPO 18(1)", Primary)
                .starting(Start::FeeReflectionEnd { days: 10 })
                .standard("in general within the period")
                .extended(
                    Extension::by(Period::Unnumbered, "DPO 18(2)", Secondary)
                        .says(&["that the period cannot be kept", "how long it will take"]),
                ),
        )
        .clock(
            Clock::new(Question::RefusalNotice, thirty, "DPO 18(3)", Secondary)
                .starting(Start::FeeReflectionEnd { days: 10 }),
        )
        .clock(
            Clock::new(Question::FeeConfirmDeadline, Period::Days(10), "DPO 19", Primary)
                .starting(Start::Event(ClockEventKind::FeeNotified)),
        )
        .may([Refuse, Withhold], "formal_law_secrecy", "26(1)(a)", "A law in the formal sense provides for it, in particular to protect a professional secret.", Primary)
        .may([Refuse, Withhold], "overriding_third_party", "26(1)(b)", "The overriding interests of third parties require it.", Primary)
        .may([Refuse], "obviously_unjustified", "26(1)(c)", "Your request is obviously unjustified or frivolous.", Primary)
        .may([Refuse, Withhold], "own_overriding_interest", "26(2)(a)", "Our own overriding interests require it, and we do not disclose the data to third parties.", Primary)
        .may([Refuse, Withhold], "public_interest", "26(2)(b)", "Overriding public interests or an investigation require it.", Primary)
        .may([Refuse, Withhold], "media", "27", "The data serve the editorial part of a periodical medium.", Primary)
        .sends(
            Notice::new(
                Step::Response,
                [
                    item("controller", "who the controller is and how to reach it"),
                    item("data", "the personal data as such"),
                    item("purpose", "the purpose").if_held(),
                    item("period", "how long the data is kept, or by what that is decided").if_held(),
                    item("source", "where the data comes from").if_held().if_applicable(),
                    item("automated_decisions", "automated decisions and their logic").if_held().if_applicable(),
                    item("recipients", "recipients or their categories, the countries and guarantees (19(4))").if_held().if_applicable(),
                ],
                "FADP 25",
                Memory,
            )
            .only_for([Right::Access])
            .until(Question::Response),
        )
        .sends(notice(Step::Extension, [("extension", "that the period cannot be kept"), ("new_date", "how long it will take")], "DPO 18(2)", Secondary).until(Question::ExtensionNoticeCutoff))
        .sends(notice(Step::Refusal, [("reasons", "why")], "FADP 26(4), DPO 18(3)", Primary).until(Question::RefusalNotice))
        .sends(notice(Step::Fee, [("amount", "how much, at most CHF 300"), ("confirm", "that the request counts as withdrawn if not confirmed within ten days")], "DPO 19", Primary).standard("before answering"))
        .fact(Topic::Fees, "at most CHF 300, announced first; unconfirmed within ten days the request counts as withdrawn; the thirty days start when those ten have passed", "DPO 19", Primary)
        .fact(Topic::Identity, "the controller takes measures to identify, the person must cooperate", "DPO 16", Memory)
        .fact(Topic::Form, "in writing", "DPO 16", Memory)
        .fact(Topic::Penalties, "wilfully false or incomplete information: a fine of up to CHF 250,000", "FADP 60", Memory)
        .fact(Topic::Sources, "FADP 25-29, 32, 41 read", "", Primary)
        .fact(Topic::Sources, "DPO 16-19 in two commentaries", "", Secondary)
        .appeals(false, "civil courts; the FDPIC", Memory)
}
