//! The other states of the United States. They share one pattern; each says only where it
//! differs.

use chrono::NaiveDate;

use super::{date, notice, own, table};
use crate::law::{
    Awaiting, Clock, Extension, Ground, GroundUse, Pause, PauseBasis, Period, Question, Regime,
    RightRule, Step, Text, Topic, Verified,
};
use crate::model::Right;

use GroundUse::{Charge, Extend, Refuse, Withhold};
use Verified::{Memory, Primary, Secondary};

/// What one state says where the pattern leaves a blank.
struct State {
    id: &'static str,
    name: &'static str,
    jurisdiction: &'static str,
    text: &'static str,
    from: NaiveDate,
    /// Where the rights and clocks stand.
    article: &'static str,
    /// How well the clocks were checked.
    verified: Verified,
    /// Days to answer.
    days: u32,
    /// Days more.
    more: u32,
    /// How often a person may ask free of charge.
    free: &'static str,
    free_verified: Verified,
    /// Whether an opt-out must be authenticated.
    opt_out: OptOut,
}

/// Whether a controller may ask who opts out.
enum OptOut {
    /// No authentication, there.
    Free(&'static str),
    /// No rule exempts opt-outs.
    Authenticated(&'static str),
    /// Not known.
    Unknown,
}

impl State {
    /// The pattern: 45 days, 45 more, one extension announced while the period runs, a
    /// refusal with reasons in the first period, and no last day that moves.
    fn regime(self) -> Regime {
        let period = Period::Days(self.days);
        let v = self.verified;
        let mut regime = table(self.id, self.name, self.jurisdiction)
            .in_force_from(self.from, Memory)
            .texts(&[self.text])
            .words("consumer", "controller", "processor", "Attorney General")
            .grants("confirm_access", [Right::Access], self.article, Memory)
            .grants("correct", [Right::Rectification], self.article, Memory)
            .grants("delete", [Right::Erasure], self.article, Memory)
            .grants("portability", [Right::Export], self.article, Memory)
            .grants("opt_out_targeted_ads", [Right::OptOut], self.article, Memory)
            .grants("opt_out_sale", [Right::OptOut], self.article, Memory)
            .grants("opt_out_profiling", [Right::OptOut], self.article, Memory)
            .clock(
                Clock::new(Question::Response, period, self.article, v)
                    .standard("without undue delay, but in all cases within the period")
                    .pausable()
                    .extended(
                        Extension::by(Period::Days(self.more), self.article, v)
                            .grounds(&["reasonably necessary: complexity and number of requests"])
                            .says(&["the extension", "the reason"]),
                    ),
            )
            .clock(Clock::new(Question::RefusalNotice, period, self.article, v))
            .may([Refuse], "unauthenticated", self.article, "We could not authenticate your request with commercially reasonable efforts.", Memory)
            .may([Refuse, Charge], "manifestly_unfounded_excessive_repetitive", self.article, "Your request is manifestly unfounded, excessive or repetitive.", Memory)
            .may([Refuse, Withhold], "deidentified_pseudonymous", self.article, "The data are deidentified or pseudonymous.", Memory)
            .may([Refuse, Withhold], "trade_secret", self.article, "Giving you this would disclose a trade secret.", Memory)
            .may([Refuse, Withhold], "exempt_entity_or_data", self.article, "The data are exempt: other laws such as GLBA, HIPAA, FCRA or FERPA govern them, or they stem from employment or commercial dealings.", Memory)
            .may([Refuse, Withhold], "law_claims_security_research", self.article, "The data are needed to comply with the law, for claims, for security or for research.", Memory)
            .ground_rule(
                Ground::new("fraudulent_opt_out", [Refuse], self.article, "We believe in good faith, with reasons we have documented, that the opt-out is fraudulent.", Memory)
                    .only_for([Right::OptOut]),
            )
            .may([Extend], "complexity", self.article, "Your request is complex.", v)
            .may([Extend], "number_of_requests", self.article, "You have made a number of requests.", v)
            .sends(
                notice(Step::Extension, [("extension", "that more time is needed"), ("reasons", "the reason")], self.article, v)
                    .until(Question::ExtensionNoticeCutoff),
            )
            .sends(
                notice(Step::Response, [("action_taken", "what was done on the request")], self.article, v)
                    .until(Question::Response),
            )
            .sends(
                notice(Step::Refusal, [("reasons", "the justification for declining"), ("appeal", "how to appeal")], self.article, v)
                    .until(Question::RefusalNotice),
            )
            .fact(Topic::Counting, "the law is silent on a last day on a Sunday or holiday; a state's general statute may move it, on which our default does not rely", self.article, Memory)
            .fact(Topic::Acknowledgement, "none required", self.article, Memory)
            .fact(Topic::Identity, "a request that cannot be authenticated with commercially reasonable efforts need not be met, and more information may be asked for; the clock goes on", self.article, Secondary)
            .fact(Topic::Fees, self.free, self.article, self.free_verified)
            .fact(Topic::Fees, "then a reasonable fee, or a refusal, for manifestly unfounded, excessive or repetitive requests; the controller bears the burden", self.article, self.free_verified);
        match self.opt_out {
            OptOut::Free(article) => {
                regime.unverified_rights.push(Right::OptOut);
                regime.fact(
                    Topic::Identity,
                    "an opt-out needs no authentication",
                    article,
                    Secondary,
                )
            }
            OptOut::Authenticated(why) => {
                regime.fact(Topic::Identity, why, self.article, Secondary)
            }
            OptOut::Unknown => regime.fact(
                Topic::Identity,
                "whether an opt-out needs authentication was not verified",
                self.article,
                Memory,
            ),
        }
    }
}

const NO_EXEMPTION: OptOut = OptOut::Authenticated("no rule exempts opt-outs from authentication");
const ONCE: &str = "free once per 12 months";
const TWICE: &str = "free twice per year";

const SUPPRESSION: &str = "data obtained from someone other than the consumer: keep a minimal record for suppression, or opt them out of processing";

fn has_right(regime: &mut Regime, id: &str, keep: bool) {
    regime.rights.retain(|rule| rule.id != id || keep);
}

/// An appeal to the controller, answered in that many days.
fn with_appeal(
    regime: Regime,
    days: u32,
    more: Option<(u32, Verified)>,
    article: &'static str,
    verified: Verified,
) -> Regime {
    with_appeal_to(regime, days, more, article, verified, "Attorney General")
}

fn with_appeal_to(
    regime: Regime,
    days: u32,
    more: Option<(u32, Verified)>,
    article: &'static str,
    verified: Verified,
    authority: &'static str,
) -> Regime {
    let mut clock = Clock::new(
        Question::AppealResponse,
        Period::Days(days),
        article,
        verified,
    );
    if let Some((more, verified)) = more {
        clock = clock.extended(Extension::by(Period::Days(more), article, verified));
    }
    regime
        .clock(clock)
        .appeals(true, authority, verified)
        .sends(
            notice(Step::AppealDenied, [("reasons", "the decision and its reasons, in writing"), ("complain", "how to reach the authority to complain, online or otherwise")], article, verified)
                .until(Question::AppealResponse),
        )
        .fact(Topic::Appeal, "within a reasonable time after the refusal; easy to find, and as easy as the request was", article, verified)
}

/// Consent can be revoked, and processing ceases within that many days.
fn with_revocation(regime: Regime, days: u32, article: &'static str, verified: Verified) -> Regime {
    regime
        .grants(
            "consent_revocation",
            [Right::ConsentWithdrawal],
            article,
            verified,
        )
        .clock(
            Clock::new(
                Question::ConsentRevocation,
                Period::Days(days),
                article,
                verified,
            )
            .standard("as soon as practicable, but not later"),
        )
}

fn with_signal(regime: Regime, honoured: &'static str, verified: Verified) -> Regime {
    regime.fact(Topic::OptOutSignal, honoured, "", verified)
}

/// Virginia.
pub(super) fn virginia() -> Regime {
    let regime = State {
        id: "us_va",
        name: "Virginia Consumer Data Protection Act",
        jurisdiction: "US-VA",
        text: "Va. Code 59.1-575 to -585",
        from: date(2023, 1, 1),
        article: "59.1-577",
        verified: Primary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Primary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "59.1-577(C)", Primary);
    with_signal(regime, "not required", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Erasure,
            "reaches data provided by or obtained about the consumer",
            "",
            Memory,
        )
        .fact(Topic::Sources, "59.1-577 read", "", Primary)
}

/// Colorado.
pub(super) fn colorado() -> Regime {
    let regime = State {
        id: "us_co",
        name: "Colorado Privacy Act",
        jurisdiction: "US-CO",
        text: "C.R.S. 6-1-1306; 4 CCR 904-3",
        from: date(2023, 7, 1),
        article: "6-1-1306",
        verified: Secondary,
        days: 45,
        more: 45,
        free: "free once per year; portability at most twice per calendar year",
        free_verified: Memory,
        opt_out: OptOut::Authenticated("every request is authenticated, opt-outs too; only a universal signal is exempt (Rules 4.08, 5.08)"),
    }
    .regime();
    let regime = with_appeal(regime, 45, Some((60, Memory)), "6-1-1306(3)", Secondary)
        .clock(Clock::new(
            Question::RecordRetentionUntil,
            Period::Months(24),
            "4 CCR 904-3 Rule 6.11",
            Secondary,
        ))
        .clock(
            Clock::new(Question::OptOut, Period::Unnumbered, "Rule 4.03", Memory)
                .standard("as soon as feasibly possible and without undue delay"),
        );
    with_signal(regime, "required since 2024-07-01", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Erasure, "backups may wait until restored, or next accessed or used", "Rules 4.05-4.06", Memory)
        .fact(Topic::Records, "24 months: date and type of the request, date and nature of the answer, basis of a denial, any appeal and its outcome", "Rule 6.11", Secondary)
        .fact(Topic::Sources, "the rules and 6-1-1306 in secondary sources; the appeal's 60 more days were not seen", "", Secondary)
}

/// Connecticut.
pub(super) fn connecticut() -> Regime {
    let regime = State {
        id: "us_ct",
        name: "Connecticut Data Privacy Act",
        jurisdiction: "US-CT",
        text: "Conn. Gen. Stat. 42-518 (PA 22-15; amended from 2026-07-01)",
        from: date(2023, 7, 1),
        article: "42-518(c)",
        verified: Primary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Primary,
        opt_out: OptOut::Free("42-518(c)(4)"),
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "42-518(d)", Secondary);
    let regime = with_revocation(regime, 15, "", Memory);
    let later = Some(date(2026, 7, 1));
    with_signal(regime, "required since 2025-01-01", Secondary)
        .grants_rule(
            RightRule::new(
                "access_to_inferences",
                [own("access_to_inferences")],
                "P.A. 25-113",
                Secondary,
            )
            .from(later),
        )
        .grants_rule(
            RightRule::new(
                "question_profiling",
                [Right::HumanReview],
                "P.A. 25-113",
                Secondary,
            )
            .from(later)
            .scope("a significant automated decision, and the data behind it"),
        )
        .grants_rule(
            RightRule::new(
                "list_of_third_parties",
                [own("list_of_third_parties")],
                "P.A. 25-113",
                Secondary,
            )
            .from(later)
            .scope("those to whom the data were sold"),
        )
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Erasure,
            "since 2026-10-01 also what is publicly available, once collated into a profile",
            "P.A. 26-64 s. 13",
            Secondary,
        )
        .fact(Topic::Sources, "42-518(c) read", "", Primary)
        .fact(
            Topic::Sources,
            "PA 22-15 s. 4(c)-(d) in a secondary source",
            "",
            Secondary,
        )
}

/// Utah.
pub(super) fn utah() -> Regime {
    let mut regime = State {
        id: "us_ut",
        name: "Utah Consumer Privacy Act",
        jurisdiction: "US-UT",
        text: "Utah Code 13-61-201 to -203",
        from: date(2023, 12, 31),
        article: "13-61-203",
        verified: Primary,
        days: 45,
        more: 45,
        free: "free once per 12 months; a fee from the second request on",
        free_verified: Primary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    has_right(&mut regime, "correct", false);
    has_right(&mut regime, "opt_out_profiling", false);
    regime.notices.retain(|known| known.step != Step::Refusal);
    with_signal(regime, "not required", Secondary)
        .grants_rule(RightRule::new("correct", [Right::Rectification], "13-61-201(4)", Secondary).from(Some(date(2026, 7, 1))))
        .sends(notice(Step::Refusal, [("reasons", "why")], "13-61-203", Primary).until(Question::RefusalNotice))
        .pause(Pause::new(Awaiting::Fraud, PauseBasis::Statute, "the 45 days do not apply while fraud is reasonably suspected and the controller cannot authenticate in time", "13-61-203(2)(d)", Secondary))
        .fact(Topic::Erasure, "reaches what the consumer provided; data from others is not reached", "13-61-201(2)", Memory)
        .fact(Topic::OptOutSignal, "sensitive data: opt-out, not opt-in", "", Memory)
        .fact(Topic::Sources, "13-61-203 read", "", Primary)
        .fact(Topic::Sources, "13-61-201 in secondary sources", "", Secondary)
        .appeals(false, "none in the chapter", Secondary)
}

/// Texas.
pub(super) fn texas() -> Regime {
    let regime = State {
        id: "us_tx",
        name: "Texas Data Privacy and Security Act",
        jurisdiction: "US-TX",
        text: "Tex. Bus. & Com. Code ch. 541",
        from: date(2024, 7, 1),
        article: "541.052",
        verified: Primary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Primary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "541.053", Secondary);
    with_signal(regime, "required since 2025-01-01, as an authorised agent by technology, with conditions on residency and verification", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "541.052(b)-(d), 541.053(a)-(b) read; the 60 days from two notes", "", Primary)
}

/// Oregon.
pub(super) fn oregon() -> Regime {
    let regime = State {
        id: "us_or",
        name: "Oregon Consumer Privacy Act",
        jurisdiction: "US-OR",
        text: "ORS 646A.570-.589",
        from: date(2024, 7, 1),
        article: "646A.576(5)",
        verified: Secondary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Memory,
        opt_out: OptOut::Free("646A.576(5)(e)"),
    }
    .regime();
    let regime = with_appeal(regime, 45, None, "646A.576(6)", Primary);
    let regime = with_revocation(regime, 15, "", Memory);
    with_signal(regime, "required since 2026-01-01", Secondary)
        .grants(
            "list_of_third_parties",
            [own("list_of_third_parties")],
            "646A.574",
            Memory,
        )
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "ORS 646A.576(5)-(6) read", "", Primary)
}

/// Montana.
pub(super) fn montana() -> Regime {
    let regime = State {
        id: "us_mt",
        name: "Montana Consumer Data Privacy Act",
        jurisdiction: "US-MT",
        text: "Mont. Code 30-14-2801 ff.",
        from: date(2024, 10, 1),
        article: "30-14-2808(4)",
        verified: Primary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Primary,
        opt_out: OptOut::Free("30-14-2808(4)(d)"),
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "30-14-2808(5)", Primary);
    let regime = with_revocation(regime, 45, "30-14-2812(1)(c)", Primary);
    with_signal(regime, "required since 2025-01-01", Secondary)
        .may(
            [Refuse],
            "technically_infeasible",
            "30-14-2808",
            "Complying is technically infeasible.",
            Memory,
        )
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::NeverDisclose,
            "the identifiers listed in 30-14-2808 as amended in 2025 are described, not disclosed",
            "30-14-2808",
            Secondary,
        )
        .fact(
            Topic::Sources,
            "30-14-2808(4)-(5), 2812(1)(c) read as of 2024-10-01; the amendments of 2025 were not",
            "",
            Primary,
        )
}

/// Iowa.
pub(super) fn iowa() -> Regime {
    let mut regime = State {
        id: "us_ia",
        name: "Iowa Consumer Data Protection Act",
        jurisdiction: "US-IA",
        text: "Iowa Code 715D",
        from: date(2025, 1, 1),
        article: "715D.3",
        verified: Secondary,
        days: 90,
        more: 45,
        free: TWICE,
        free_verified: Memory,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    for id in ["correct", "opt_out_targeted_ads", "opt_out_profiling"] {
        has_right(&mut regime, id, false);
    }
    let regime = with_appeal(regime, 60, None, "715D.3(3)", Secondary);
    with_signal(regime, "not required", Secondary)
        .fact(
            Topic::Erasure,
            "reaches what the consumer provided; data from others is not reached",
            "715D.3(1)(b)",
            Memory,
        )
        .fact(
            Topic::Rectification,
            "no right of correction; how to opt out of targeted advertising must be disclosed",
            "715D.4(5)",
            Secondary,
        )
        .fact(Topic::Sources, "715D.3 in secondary sources", "", Secondary)
}

/// Delaware.
pub(super) fn delaware() -> Regime {
    let regime = State {
        id: "us_de",
        name: "Delaware Personal Data Privacy Act",
        jurisdiction: "US-DE",
        text: "6 Del. C. 12D",
        from: date(2025, 1, 1),
        article: "12D-104(c)",
        verified: Primary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Primary,
        opt_out: OptOut::Free("12D-104(c)(4)"),
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "12D-104(d)", Memory);
    let regime = with_revocation(regime, 15, "", Memory);
    with_signal(regime, "required since 2026-01-01", Secondary)
        .grants("list_of_third_party_categories", [own("list_of_third_party_categories")], "12D-104(a)(5)", Memory)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Pending, "12D-102 to -111 are replaced from 2027-01-01 (85 Del. Laws c. 463): lower thresholds, access to inferences, list of specific third parties", "", Secondary)
        .fact(Topic::Sources, "12D-104(c) read", "", Primary)
}

/// New Hampshire.
pub(super) fn new_hampshire() -> Regime {
    let regime = State {
        id: "us_nh",
        name: "New Hampshire RSA 507-H",
        jurisdiction: "US-NH",
        text: "RSA 507-H:4",
        from: date(2025, 1, 1),
        article: "507-H:4",
        verified: Secondary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Memory,
        opt_out: OptOut::Free("507-H:4 III(d)"),
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "507-H:4", Memory);
    let regime = with_revocation(regime, 15, "", Memory);
    with_signal(regime, "required since 2025-01-01", Secondary).fact(
        Topic::Erasure,
        SUPPRESSION,
        "",
        Memory,
    )
}

/// New Jersey.
pub(super) fn new_jersey() -> Regime {
    let regime = State {
        id: "us_nj",
        name: "New Jersey Data Privacy Act",
        jurisdiction: "US-NJ",
        text: "N.J.S.A. 56:8-166.4 ff.",
        from: date(2025, 1, 15),
        article: "56:8-166.7",
        verified: Primary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Primary,
        opt_out: OptOut::Free("56:8-166.7(e)"),
    }
    .regime();
    let regime = with_appeal(regime, 45, None, "56:8-166.7(f)", Secondary);
    let regime = with_revocation(regime, 15, "", Primary);
    with_signal(regime, "required since 2025-07-15", Secondary)
        .fact(
            Topic::Receipt,
            "a verified request, 45 days from its receipt",
            "56:8-166.7",
            Memory,
        )
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "56:8-166.7 read", "", Primary)
        .fact(
            Topic::Sources,
            "56:8-166.7(f) in secondary sources",
            "",
            Secondary,
        )
}

/// Nebraska.
pub(super) fn nebraska() -> Regime {
    let regime = State {
        id: "us_ne",
        name: "Nebraska Data Privacy Act",
        jurisdiction: "US-NE",
        text: "Neb. Rev. Stat. 87-1101 ff.",
        from: date(2025, 1, 1),
        article: "87-1108",
        verified: Primary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Primary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "87-1109", Primary);
    with_signal(regime, "required since 2025-01-01, as an authorised agent by technology, with conditions on residency and verification", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "87-1108, 87-1109 read", "", Primary)
}

/// Tennessee.
pub(super) fn tennessee() -> Regime {
    let regime = State {
        id: "us_tn",
        name: "Tennessee Information Protection Act",
        jurisdiction: "US-TN",
        text: "Tenn. Code 47-18-3301 to -3314",
        from: date(2025, 7, 1),
        article: "47-18-3304",
        verified: Secondary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Secondary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "47-18-3304(c)", Secondary);
    with_signal(regime, "not required", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Sources,
            "47-18-3304 in secondary sources; the enacted chapter numbers it 47-18-3201 ff.",
            "",
            Secondary,
        )
}

/// Minnesota.
pub(super) fn minnesota() -> Regime {
    let mut regime = State {
        id: "us_mn",
        name: "Minnesota Consumer Data Privacy Act",
        jurisdiction: "US-MN",
        text: "Minn. Stat. 325M.14",
        from: date(2025, 7, 31),
        article: "325M.14 subd. 4",
        verified: Secondary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Memory,
        opt_out: OptOut::Free("325M.14 subd. 4(h)"),
    }
    .regime();
    for rule in regime
        .rights
        .iter_mut()
        .filter(|rule| rule.id == "confirm_access")
    {
        rule.article = Text::Borrowed("325M.14 subd. 1(b), (e)");
        rule.scope = Text::Borrowed(
            "confirmation and categories; a copy only of what the consumer provided",
        );
        rule.verified = Primary;
    }
    let regime = with_appeal(regime, 45, Some((60, Memory)), "325M.14 subd. 5", Memory).clock(
        Clock::new(
            Question::RecordRetentionUntil,
            Period::Months(24),
            "325M.14 subd. 5",
            Secondary,
        )
        .standard("appeals and the answers to them"),
    );
    with_signal(regime, "required since 2025-07-31", Secondary)
        .grants("list_of_third_parties", [own("list_of_third_parties")], "325M.14", Memory)
        .grants("question_profiling", [Right::HumanReview], "325M.14", Memory)
        .fact(Topic::NeverDisclose, "Social Security number, government number, financial account, health insurance or medical number, password and security answers, biometric data", "325M.14 subd. 4(i)", Primary)
        .fact(Topic::Records, "24 months: appeals and the answers to them, for the Attorney General", "325M.14 subd. 5", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "325M.14 subd. 4(i), (k) read", "", Primary)
        .fact(Topic::Sources, "45 and 45 days on the Attorney General's site; the days of appeals were not seen", "", Secondary)
}

/// Maryland.
pub(super) fn maryland() -> Regime {
    let mut regime = State {
        id: "us_md",
        name: "Maryland Online Data Privacy Act",
        jurisdiction: "US-MD",
        text: "Md. Code Com. Law 14-4701 ff.",
        from: date(2025, 10, 1),
        article: "14-4705",
        verified: Secondary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Secondary,
        opt_out: OptOut::Free("14-4705(e)(6)"),
    }
    .regime();
    regime.words.authority = Text::Borrowed("Consumer Protection Division");
    let regime = with_appeal_to(
        regime,
        60,
        None,
        "14-4705(f)",
        Secondary,
        "Consumer Protection Division",
    );
    let regime = with_revocation(regime, 30, "", Memory);
    with_signal(regime, "a link or a signal, as the controller chooses; honouring signals is the safe choice (14-4707(f)(3))", Secondary)
        .grants("list_of_third_party_categories", [own("list_of_third_party_categories")], "14-4705(b)(6)", Memory)
        .fact(Topic::Scope, "the transition to 2026-04-01 concerns only the exceptions of 14-4712", "", Memory)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "14-4705 in secondary sources; 14-4705(b)(6) in the Assembly's text", "", Secondary)
}

/// Indiana.
pub(super) fn indiana() -> Regime {
    let mut regime = State {
        id: "us_in",
        name: "Indiana Consumer Data Protection Act",
        jurisdiction: "US-IN",
        text: "Ind. Code 24-15",
        from: date(2026, 1, 1),
        article: "24-15-3-1",
        verified: Primary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Primary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    for rule in &mut regime.rights {
        rule.scope = match rule.id.as_ref() {
            "correct" => Text::Borrowed("what the consumer provided"),
            "portability" => Text::Borrowed(
                "a copy or a representative summary of what the consumer provided, once per 12 months",
            ),
            _ => continue,
        };
        rule.verified = Primary;
    }
    let regime = with_appeal(regime, 60, None, "24-15-3-1(d)", Memory);
    with_signal(regime, "not required", Memory)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Sources,
            "24-15-3-1(b)-(c) read; the days of appeals were not seen",
            "",
            Primary,
        )
}

/// Kentucky.
pub(super) fn kentucky() -> Regime {
    let regime = State {
        id: "us_ky",
        name: "Kentucky Consumer Data Protection Act",
        jurisdiction: "US-KY",
        text: "KRS 367.3611 ff.",
        from: date(2026, 1, 1),
        article: "367.3615",
        verified: Secondary,
        days: 45,
        more: 45,
        free: TWICE,
        free_verified: Secondary,
        opt_out: NO_EXEMPTION,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "367.3615(4)", Primary);
    with_signal(regime, "not required", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(Topic::Sources, "367.3615(4) read", "", Primary)
}

/// Rhode Island.
pub(super) fn rhode_island() -> Regime {
    let regime = State {
        id: "us_ri",
        name: "Rhode Island Data Transparency and Privacy Protection Act",
        jurisdiction: "US-RI",
        text: "R.I. Gen. Laws 6-48.1",
        from: date(2026, 1, 1),
        article: "6-48.1-6(b)",
        verified: Secondary,
        days: 45,
        more: 45,
        free: ONCE,
        free_verified: Memory,
        opt_out: OptOut::Free("6-48.1-6(b)(4)"),
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "6-48.1-6(b)(6)", Secondary);
    let regime = with_revocation(regime, 15, "", Secondary);
    with_signal(regime, "not required", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Sources,
            "6-48.1-6(b) in secondary sources",
            "",
            Secondary,
        )
}

/// Florida.
pub(super) fn florida() -> Regime {
    let regime = State {
        id: "us_fl",
        name: "Florida Digital Bill of Rights (narrow scope, above USD 1bn)",
        jurisdiction: "US-FL",
        text: "Fla. Stat. 501.701-.722",
        from: date(2024, 7, 1),
        article: "501.706",
        verified: Secondary,
        days: 45,
        more: 15,
        free: ONCE,
        free_verified: Memory,
        opt_out: OptOut::Unknown,
    }
    .regime();
    let regime = with_appeal(regime, 60, None, "501.707", Secondary);
    with_signal(regime, "not required", Secondary)
        .fact(Topic::Erasure, SUPPRESSION, "", Memory)
        .fact(
            Topic::Sources,
            "501.706-501.707 in a review of the Senate's text",
            "",
            Secondary,
        )
}
