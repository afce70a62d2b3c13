//! California: the CCPA with its regulations, and the Delete Act.

use chrono::NaiveDate;

use super::{date, notice, own, table};
use crate::law::{
    Clock, Extension, Ground, GroundUse, InForce, Period, Question, Regime, RightRule, Roll, Step,
    Text, Topic, Verified,
};
use crate::model::Right;

use GroundUse::{Charge, Extend, Refuse, Restrict, Withhold};
use Verified::{Memory, Primary, Secondary};

/// The requests that must be verified, and that 7021 gives 45 days.
fn verified_requests() -> [Right; 3] {
    [Right::Access, Right::Erasure, Right::Rectification]
}

/// From when on the regulations hold as amended.
const AMENDED: NaiveDate = date(2026, 1, 1);

/// The same before the regulations were amended: an opt-out need not be confirmed.
pub(super) fn ccpa_2020() -> Regime {
    let mut ccpa = ccpa();
    ccpa.version = Text::Borrowed("1");
    ccpa.in_force = InForce {
        from: Some(date(2020, 1, 1)),
        until: Some(AMENDED),
        verified: Memory,
    };
    ccpa.instruments = super::texts(&["Cal. Civ. Code 1798.100-1798.199.100", "11 CCR 7000-7304"]);
    for known in &mut ccpa.notices {
        if known.step == Step::OptOutDone {
            known.mandatory = false;
        }
    }
    ccpa
}

/// CCPA/CPRA and 11 CCR 7000 ff.
pub(super) fn ccpa() -> Regime {
    let fifteen = Period::BusinessDays(15);
    let cpra_from = Some(date(2023, 1, 1));
    let adm_from = date(2027, 1, 1);
    let response = || {
        Extension::by(
            Period::Days(45),
            "7021(b); 1798.130(a)(2)(A); 1798.145(h)(1)",
            Primary,
        )
        .says(&["that more time is needed", "the reason"])
    };
    let mut ccpa = table(
        "us_ca_ccpa",
        "California Consumer Privacy Act (CCPA/CPRA) and 11 CCR 7000 ff.",
        "US-CA",
    )
    .in_force_from(AMENDED, Secondary)
    .texts(&[
        "Cal. Civ. Code 1798.100-1798.199.100",
        "11 CCR 7000-7304 (amended with effect from 2026-01-01)",
    ])
    .words(
        "consumer",
        "business",
        "service provider",
        "California Privacy Protection Agency",
    )
    .grants(
        "know_categories",
        [Right::Access],
        "1798.110, .115; 7024",
        Memory,
    )
    .grants_rule(
        RightRule::new(
            "know_specific_pieces",
            [Right::Access, Right::Export],
            "1798.110(a)(5); 7024",
            Memory,
        )
        .scope("in a portable form"),
    )
    .grants("delete", [Right::Erasure], "1798.105; 7022", Memory)
    .grants_rule(
        RightRule::new("correct", [Right::Rectification], "1798.106; 7023", Memory).from(cpra_from),
    )
    .grants(
        "opt_out_sale_sharing",
        [Right::OptOut],
        "1798.120; 7026; signals 7025",
        Memory,
    )
    .grants_rule(
        RightRule::new(
            "limit_sensitive",
            [Right::LimitSensitive],
            "1798.121; 7027",
            Memory,
        )
        .from(cpra_from),
    )
    .grants(
        "opt_in_after_opt_out",
        [own("opt_in_after_opt_out")],
        "7028",
        Memory,
    )
    .grants_rule(
        RightRule::new(
            "adm_opt_out",
            [own("adm_opt_out")],
            "7221(a); exceptions 7221(b)(1)-(3)",
            Secondary,
        )
        .from(Some(adm_from)),
    )
    .grants_rule(
        RightRule::new(
            "adm_access",
            [own("adm_access"), Right::HumanReview],
            "7222",
            Secondary,
        )
        .from(Some(adm_from))
        .scope("a verified request, in the times of 7021"),
    )
    .grants(
        "no_retaliation",
        [own("no_retaliation")],
        "1798.125",
        Memory,
    )
    .clock(
        Clock::new(Question::Ack, Period::BusinessDays(10), "7021(a)", Primary)
            .only_for(verified_requests().into_iter().chain([own("adm_access")]))
            .standard("unless already granted or denied"),
    )
    .clock(
        Clock::new(
            Question::Response,
            Period::Days(45),
            "7021(b); 1798.130(a)(2)(A)",
            Primary,
        )
        .only_for(
            verified_requests()
                .into_iter()
                .chain([Right::Export, own("adm_access")]),
        )
        .standard("however long verification takes")
        .receipt_may_count()
        .extended(response()),
    )
    .clock(
        // A denial is an answer: it has as long as the answer, a valid extension included.
        Clock::new(
            Question::RefusalNotice,
            Period::Days(45),
            "7021(b), 7022(f), 7023(f), 7024(e)",
            Memory,
        )
        .receipt_may_count()
        .extended(response()),
    )
    .clock(
        Clock::new(Question::OptOut, fifteen, "7221(m)-(n)", Secondary)
            .only_for([own("adm_opt_out")])
            .from(Some(adm_from))
            .standard("service providers, contractors and others are told in the same time"),
    )
    .clock(
        Clock::new(Question::OptOut, fifteen, "7026(f)", Secondary)
            .standard("as soon as feasibly possible, but no later"),
    )
    .clock(Clock::new(Question::Limit, fifteen, "7027(g)", Secondary))
    .clock(
        Clock::new(Question::Response, fifteen, "7221(m)-(n)", Secondary)
            .only_for([own("adm_opt_out")])
            .from(Some(adm_from)),
    )
    .clock(Clock::new(Question::Response, fifteen, "7026(f)", Secondary).only_for([Right::OptOut]))
    .clock(
        Clock::new(Question::Response, fifteen, "7027(g)", Secondary)
            .only_for([Right::LimitSensitive]),
    )
    .clock(Clock::new(
        Question::OptInAskEarliest,
        Period::Months(12),
        "1798.135(c)(4)",
        Primary,
    ))
    .clock(
        Clock::new(
            Question::LookbackStartDefault,
            Period::Months(12),
            "1798.130(a)(2)(B)",
            Secondary,
        )
        .backwards()
        .standard("data kept longer can be asked for back to 2022-01-01"),
    )
    .clock(Clock::new(
        Question::RecordRetentionUntil,
        Period::Months(24),
        "7101(a)",
        Secondary,
    ))
    .reads_roll(
        "gov_code_6800",
        Roll::SUNDAY_AND_HOLIDAYS,
        "Gov. Code 6700, 6800; Civ. Code 10",
        Secondary,
    );
    ccpa.version = Text::Borrowed("2");
    ccpa.unverified_rights = vec![Right::OptOut, Right::LimitSensitive, own("adm_opt_out")];
    ccpa_facts(ccpa_grounds_and_notices(ccpa))
}

fn ccpa_grounds_and_notices(regime: Regime) -> Regime {
    let kept = |code, article, letter| {
        Ground::new(code, [Refuse, Withhold, Restrict], article, letter, Primary)
            .only_for([Right::Erasure])
    };
    regime
        .ground_rule(
            Ground::new("unverifiable", [Refuse], "7021(b), 7022(a)", "We could not verify your identity within the time allowed.", Secondary)
                .only_for(verified_requests())
                .unidentified(),
        )
        .ground_rule(kept("needed_for_transaction", "1798.105(d)(1)", "We need the information to complete a transaction, to provide what you asked for, or to perform a contract, warranty or recall."))
        .ground_rule(kept("security", "1798.105(d)(2)", "We need the information to help ensure security and integrity."))
        .ground_rule(kept("debugging", "1798.105(d)(3)", "We need the information to find and repair errors."))
        .ground_rule(kept("free_speech", "1798.105(d)(4)", "The information is needed to exercise free speech or another legal right."))
        .ground_rule(kept("calecpa", "1798.105(d)(5)", "The California Electronic Communications Privacy Act requires us to keep the information."))
        .ground_rule(kept("research", "1798.105(d)(6)", "The information serves research that its deletion would make impossible or seriously impair, with your informed consent."))
        .ground_rule(kept("internal_use", "1798.105(d)(7)", "The information is used internally only, in ways you can expect from our relationship."))
        .ground_rule(kept("legal_obligation", "1798.105(d)(8)", "We are legally obliged to keep the information."))
        .may([Refuse, Withhold], "exempt_data", "1798.145, 1798.146", "The information is exempt from this law.", Secondary)
        .may([Refuse, Charge], "manifestly_unfounded_excessive", "1798.145(h)(3)", "Your request is manifestly unfounded or excessive.", Secondary)
        .may([Refuse], "fraud", "7023(h), 7026(e)", "We believe in good faith, with reasons we have documented, that the request is fraudulent.", Secondary)
        .may([Refuse, Withhold], "disproportionate_effort", "7001, 7022-7024", "Complying would involve disproportionate effort.", Secondary)
        .ground_rule(
            Ground::new("repeated_correction", [Refuse], "7023", "You made the same request less than six months ago and gave no new documentation.", Secondary)
                .only_for([Right::Rectification]),
        )
        .ground_rule(
            Ground::new("twice_in_twelve_months", [Refuse], "1798.130(b)", "We have already answered two such requests within twelve months.", Secondary)
                .only_for([Right::Access]),
        )
        .may([Refuse], "not_a_consumer", "1798.140(i)", "You are not a consumer in the sense of this law.", Secondary)
        .ground_rule(
            Ground::new("household", [Refuse, Withhold], "1798.145(p)", "The information concerns a household.", Secondary)
                .only_for(verified_requests()),
        )
        .may([Extend], "reasonably_necessary", "1798.145(h)(1)", "More time is reasonably necessary.", Primary)
        .sends(
            notice(
                Step::Acknowledgement,
                [
                    ("process", "how the request will be processed"),
                    ("verification", "in general terms, how identity is verified"),
                    ("when", "when to expect an answer"),
                ],
                "7021(a)",
                Primary,
            )
            .only_for(verified_requests())
            .until(Question::Ack),
        )
        .sends(
            notice(Step::Extension, [("extension", "that more time is needed"), ("reasons", "the reason")], "7021(b)", Primary)
                .only_for(verified_requests())
                .until(Question::ExtensionNoticeCutoff),
        )
        .sends(
            notice(
                Step::Refusal,
                [
                    ("reasons", "a detailed explanation, with the conflict or exception and the facts"),
                    ("appeal", "any right to appeal the decision to the business (1798.145(h)(2))"),
                ],
                "7022(f), 7023(f), 7024(e)",
                Primary,
            )
            .until(Question::RefusalNotice),
        )
        .sends(
            notice(Step::CannotIdentify, [("cannot_verify", "that identity cannot be verified"), ("categories", "that the request is treated as one for categories")], "7024(a)", Primary)
                .only_for([Right::Access]),
        )
        .sends(
            notice(Step::OptOutDone, [("status", "that the opt-out was processed")], "7025(c)(6), 7026(g)", Secondary)
                .only_for([Right::OptOut])
                .until(Question::OptOut),
        )
        .sends(
            notice(Step::Response, [("action_taken", "what was done"), ("record_kept", "that a record of the request is kept (1798.105(c)(2))")], "1798.105, .106, .130", Primary)
                .only_for([Right::Erasure, Right::Rectification])
                .until(Question::Response),
        )
}

fn ccpa_facts(regime: Regime) -> Regime {
    regime
        .fact(Topic::Counting, "the first day is not counted and the last one is, unless a holiday, which every Sunday is and Saturday is not", "Gov. Code 6700, 6800; Civ. Code 10", Secondary)
        .fact(Topic::Conflict, "7021(b) says that the 45 days begin on the day of receipt: read strictly, one day less; our default is receipt + 45 without roll", "7021(b)", Secondary)
        .fact(Topic::Counting, "business day is not defined; by the Civil Code a Saturday can be one; practice, and our default, is Monday to Friday without holidays", "Civ. Code 7, 9", Memory)
        .fact(Topic::Lookback, "twelve months; whoever keeps data longer lets consumers ask back to 2022-01-01", "1798.130(a)(2)(B); 7020, 7024(h)", Secondary)
        .fact(Topic::Frequency, "requests to know: twice in twelve months", "1798.130(b)", Primary)
        .fact(Topic::Erasure, "erase from live systems, or deidentify, or aggregate; tell service providers and contractors, and third parties to whom it was sold or shared unless impossible or disproportionate", "1798.105; 7022", Primary)
        .fact(Topic::Erasure, "archives and backups may wait until they are restored, or next used for sale, disclosure or a commercial purpose", "7022(d)", Primary)
        .fact(Topic::Erasure, "a separate confirmation of an online deletion is allowed, not required", "7020", Primary)
        .fact(Topic::Erasure, "on a denial: delete what no exception covers, use what is kept for the exception only, instruct service providers, and offer the opt-out if data are sold or shared", "7022(f)", Primary)
        .fact(Topic::NeverDisclose, "Social Security number, licence or other government number, financial account number, health insurance or medical number, account password, security questions and answers, unique biometric data: describe instead", "7024(d), 7023(j)", Primary)
        .fact(Topic::Rectification, "decided on the totality of circumstances; documentation may be asked for; contested data may be deleted instead if that harms nobody or the consumer agrees; a health statement of up to 250 words; after a denial offer a note that accuracy is contested", "7023; 1798.185(a)(8)(D)", Secondary)
        .fact(Topic::Identity, "an account holder is authenticated again before deletion, correction or disclosure; two data points for categories, three and a signed declaration for specific pieces, by sensitivity for the rest; no fee; never with the very datum to be corrected; never for opt-out or limit", "7060-7062", Secondary)
        .fact(Topic::Identity, "verification never stops the clock", "7021(b)", Primary)
        .fact(Topic::WhoMayAsk, "an agent: signed permission may be asked for, and either that the consumer verifies identity or confirms the permission; neither with a power of attorney, which may not be demanded", "7063", Primary)
        .fact(Topic::WhoMayAsk, "requests to know, delete and correct do not reach household data", "1798.145(p)", Primary)
        .fact(Topic::Age, "below 13 a parent opts in, from 13 to 15 the consumer does", "1798.120(c); 7070-7071", Primary)
        .fact(Topic::OptOutSignal, "signals are honoured, and there is a means to confirm that they were", "7025(c)(6)", Secondary)
        .fact(Topic::AutomatedDecisions, "from 2027 on: cease that processing and tell others in the same 15 business days; never start after an opt-out; confirm; wait twelve months before asking again", "7221", Secondary)
        .fact(Topic::Records, "24 months: date, nature and manner of the request, date and nature of the answer, basis of a denial; for compliance only", "7101", Secondary)
        .fact(Topic::Metrics, "with 10,000,000 consumers or more in a year: requests to delete, correct, know, opt out and limit received, complied with, denied, and the median or mean days to answer, by 1 July", "7102", Primary)
        .fact(Topic::Sources, "11 CCR 7021, 7022(a)-(c), 7023, 7024(a)-(d), 7060(e), (h), 7061(a), 7063(a)-(b), 7102; Civ. Code 1798.105(d), .120(c), .130, .135(c)(4), .140(i), .145(h), (p), .146, .185(a)(8)(D) read", "", Primary)
        .fact(Topic::Sources, "the amendments of 2026, 7221-7222 and Gov. Code 6700, 6800 in secondary sources", "", Secondary)
        .appeals(false, "complaint to the California Privacy Protection Agency or the Attorney General", Memory)
}

/// Civ. Code 1798.99.80 ff. as in force until the end of 2026.
pub(super) fn delete_act_2026() -> Regime {
    let mut act = delete_act(Period::Days(45));
    act.in_force = InForce {
        from: Some(date(2026, 8, 1)),
        until: Some(date(2027, 1, 1)),
        verified: Secondary,
    };
    act.fact(
        Topic::Pending,
        "AB 883 makes the 45 days thirty from 2027-01-01 on: see version 2",
        "Stats. 2026, ch. 507",
        Secondary,
    )
}

/// The same as amended by AB 883.
pub(super) fn delete_act_2027() -> Regime {
    let mut act = delete_act(Period::Days(30)).in_force_from(date(2027, 1, 1), Secondary);
    act.version = Text::Borrowed("2");
    act
}

fn delete_act(cycle: Period) -> Regime {
    table("us_ca_delete_act", "California Delete Act (SB 362) and its platform DROP", "US-CA")
        .texts(&["Civ. Code 1798.99.80-.88", "11 CCR 7600-7616 (effective 2026-01-01)"])
        .words("consumer", "data broker", "service provider", "California Privacy Protection Agency")
        .grants("delete", [Right::Erasure], "1798.99.86(c)", Secondary)
        .clock(Clock::new(Question::DropNextAccess, cycle, "1798.99.86(c)", Secondary))
        .clock(
            Clock::new(Question::Response, cycle, "1798.99.86(c)", Secondary)
                .standard("from the download; sources do not settle whether from the request"),
        )
        .may([Refuse], "exempt", "1798.99.86", "The record is exempt.", Memory)
        .may([Refuse], "not_found", "1798.99.86", "No record was found.", Memory)
        .fact(Topic::Scope, "registered data brokers only; they process requests since 2026-08-01", "", Secondary)
        .fact(Topic::Erasure, "after a deletion newly collected data is deleted in each cycle and nothing new is sold or shared", "1798.99.86(d)", Secondary)
        .fact(Topic::Erasure, "what cannot be verified is processed as an opt-out of sale and sharing", "1798.99.86", Secondary)
        .fact(Topic::Records, "status codes: 2 exempt, 3 deleted, 4 opted out of sale or sharing, 5 not found", "DROP", Secondary)
        .fact(Topic::Identity, "matching by hashed lists only: SHA-256 of the standardised UTF-8 value in Base64; composites hash each field first, then their concatenation; lists for name, birth date and ZIP, e-mail, phone, MAID, name and VIN, CTVID", "DROP", Secondary)
        .fact(Topic::Records, "an independent audit every three years from 2028-01-01; registration each year by 31 January", "1798.99.82, .86(e)", Secondary)
        .fact(Topic::Penalties, "USD 200 per request and day", "1798.99.82", Secondary)
        .fact(Topic::Sources, "the regulator's pages, law-firm notes and two statute registries", "", Secondary)
}
