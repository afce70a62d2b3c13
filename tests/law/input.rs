//! Bad input, readings, grounds, letters, pins and a host's own regimes.

use chrono::{DateTime, NaiveDate, Utc};
use datarights::law::{
    Calendar, ClockError, ClockEvent, ClockEventKind, ClockHistory, Content, Due, DueOn, GroundUse,
    HolidayList, Letter, LetterError, Overlay, Period, Question, Readings, Regime, RegimeError,
    Regimes, RetentionDuty, RetentionError, RetentionFacts, Setting, Step, Verified, deadline,
};
use datarights::model::Right;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Asks one question of one law in Paris.
fn ask(
    id: &str,
    right: &str,
    question: Question,
    policy: &str,
    received: &str,
    events: &[(ClockEventKind, &str)],
) -> Result<Due, ClockError> {
    let received = at(received);
    let calendar = Calendar::in_zone("Europe/Paris").unwrap();
    let regimes = Regimes::builtin();
    let then = regimes.in_force(id, calendar.date_of(received));
    let regime = then.unwrap_or_else(|_| regimes.get(id).unwrap());
    let history = events
        .iter()
        .fold(ClockHistory::received(received), |history, (kind, when)| {
            history.with(*kind, at(when))
        });
    let setting = Setting {
        regime: &regime,
        right: &Right::from(right),
        calendar: &calendar,
        readings: &policy.parse().unwrap(),
    };
    deadline(&setting, question, &history)
}

fn on(due: Result<Due, ClockError>) -> NaiveDate {
    match due.unwrap() {
        Due::Due {
            on: DueOn::Date(date),
            ..
        } => date,
        other => panic!("{other:?}"),
    }
}

use ClockEventKind::{
    AnswerReceived, ClarificationReceived, ClarificationRequested, ExtensionNotified, FeeConfirmed,
    FeeNotified, FeePaid, FeeRequested, FraudSuspected, IdentityConfirmed, IdentityRequested,
};

#[test]
fn readings_move_what_they_say_and_nothing_else() {
    let identity = [
        (IdentityRequested, "2026-03-11T09:00:00+01:00"),
        (IdentityConfirmed, "2026-03-16T09:00:00+01:00"),
    ];
    let eu = |policy| {
        on(ask(
            "eu_gdpr",
            "access",
            Question::Response,
            policy,
            "2026-03-10T09:00:00+01:00",
            &identity,
        ))
    };
    assert_eq!(eu("default"), day("2026-04-10"));
    assert_eq!(eu("eu_identity=suspend_days"), day("2026-04-15"));
    assert_eq!(eu("eu_identity=restart"), day("2026-04-16"));
    // Asked for too late to count as without undue delay.
    assert_eq!(
        eu("eu_identity=suspend_days,eu_identity_asked_within=0"),
        day("2026-04-10")
    );

    let clarified = [
        (ClarificationRequested, "2027-02-20T10:00:00Z"),
        (ClarificationReceived, "2027-02-27T10:00:00Z"),
    ];
    let uk = |right, policy| {
        on(ask(
            "uk_gdpr",
            right,
            Question::Response,
            policy,
            "2027-02-15T09:00:00Z",
            &clarified,
        ))
    };
    assert_eq!(
        uk("access", "uk_pause=statutory_inclusive"),
        day("2027-03-23")
    );
    assert_eq!(
        uk("access", "uk_pause=published_example"),
        day("2027-03-22")
    );
    assert_eq!(uk("erasure", "default"), day("2027-03-15"));

    let california = |policy| {
        on(ask(
            "us_ca_ccpa",
            "access",
            Question::Response,
            policy,
            "2026-01-15T18:00:00Z",
            &[],
        ))
    };
    assert_eq!(california("default"), day("2026-03-01"));
    assert_eq!(california("us_ca_receipt=day_one"), day("2026-02-28"));
    assert_eq!(california("roll=gov_code_6800"), day("2026-03-02"));

    let canada = |policy| {
        on(ask(
            "ca_pipeda",
            "access",
            Question::Response,
            policy,
            "2026-06-05T18:00:00Z",
            &[],
        ))
    };
    assert_eq!(canada("default"), day("2026-07-05"));
    assert_eq!(canada("roll=interpretation_act"), day("2026-07-06"));
    assert!(matches!(
        ask(
            "ca_pipeda",
            "access",
            Question::Response,
            "roll=gov_code_6800",
            "2026-06-05T18:00:00Z",
            &[]
        ),
        Err(ClockError::UnknownRoll { .. })
    ));
}

#[test]
fn the_hours_of_a_breach_can_be_read_otherwise() {
    let breach = |policy| match ask(
        "eu_gdpr",
        "breach",
        Question::BreachAuthority,
        policy,
        "2026-03-06T10:15:00+01:00",
        &[],
    ) {
        Ok(Due::Due {
            on: DueOn::Instant(instant),
            ..
        }) => instant,
        other => panic!("{other:?}"),
    };
    assert_eq!(breach("default"), at("2026-03-09T10:15:00+01:00"));
    assert_eq!(
        breach("breach_hours=first_hour_excluded"),
        at("2026-03-09T11:00:00+01:00")
    );
    // From Friday, two working days are Monday and Tuesday.
    assert_eq!(
        breach("breach_hours=two_working_days"),
        at("2026-03-11T00:00:00+01:00")
    );
}

#[test]
fn the_uk_clock_waits_for_the_latest_of_three() {
    let response = |events: &[_]| {
        ask(
            "uk_gdpr",
            "erasure",
            Question::Response,
            "default",
            "2026-03-02T09:00:00Z",
            events,
        )
    };
    let asked = (IdentityRequested, "2026-03-03T09:00:00Z");
    let confirmed = (IdentityConfirmed, "2026-03-10T09:00:00Z");
    let charged = (FeeRequested, "2026-03-04T09:00:00Z");
    let paid = (FeePaid, "2026-03-17T09:00:00Z");
    assert!(matches!(response(&[asked]), Ok(Due::Paused { .. })));
    assert_eq!(on(response(&[asked, confirmed])), day("2026-04-10"));
    assert!(matches!(
        response(&[asked, confirmed, charged]),
        Ok(Due::Paused { .. })
    ));
    assert_eq!(
        on(response(&[asked, confirmed, charged, paid])),
        day("2026-04-17")
    );
    // Until its last day is over the month runs, and what is asked for can stop it.
    let last = (IdentityRequested, "2026-04-02T21:59:00Z");
    let answered = (IdentityConfirmed, "2026-04-08T09:00:00Z");
    assert!(matches!(response(&[last]), Ok(Due::Paused { .. })));
    assert_eq!(on(response(&[last, answered])), day("2026-05-08"));
    let late = (IdentityRequested, "2026-04-02T22:00:00Z");
    assert_eq!(on(response(&[late, answered])), day("2026-04-02"));
    // A refusal has as long as the answer, a valid extension included.
    let refusal = ask(
        "uk_gdpr",
        "access",
        Question::RefusalNotice,
        "default",
        "2026-03-02T09:00:00Z",
        &[(ExtensionNotified, "2026-03-20T09:00:00Z")],
    );
    assert_eq!(on(refusal), day("2026-06-02"));
}

#[test]
fn pauses_that_overlap_count_once() {
    let events = [
        (ClarificationRequested, "2027-02-18T10:00:00Z"),
        (ClarificationReceived, "2027-02-20T10:00:00Z"),
        (ClarificationRequested, "2027-02-20T12:00:00Z"),
        (ClarificationReceived, "2027-02-22T10:00:00Z"),
    ];
    // 18 to 22 February are five days.
    assert_eq!(
        on(ask(
            "uk_gdpr",
            "access",
            Question::Response,
            "default",
            "2027-02-15T09:00:00Z",
            &events
        )),
        day("2027-03-22")
    );
}

#[test]
fn extensions_are_counted_and_may_be_too_many() {
    let first = (ExtensionNotified, "2026-03-10T09:00:00Z");
    let second = (ExtensionNotified, "2026-03-20T09:00:00Z");
    let asked = |id, right, question, events: &[_]| {
        ask(
            id,
            right,
            question,
            "default",
            "2026-03-02T09:00:00Z",
            events,
        )
    };
    assert!(matches!(
        asked("eu_gdpr", "access", Question::Response, &[first, second]),
        Err(ClockError::ExtendedTooOften { allowed: 1, .. })
    ));
    // Korea allows two of thirty days each.
    assert_eq!(
        on(asked(
            "kr_pipa",
            "human_review",
            Question::Response,
            &[first]
        )),
        day("2026-05-01")
    );
    assert_eq!(
        on(asked(
            "kr_pipa",
            "human_review",
            Question::Response,
            &[first, second]
        )),
        day("2026-06-01")
    );
    assert!(matches!(
        asked("ca_qc_law25", "access", Question::ExtendedResponse, &[]),
        Err(ClockError::NoExtension { .. })
    ));
    assert!(matches!(
        asked(
            "us_va",
            "access",
            Question::ExtendedResponse,
            &[(ExtensionNotified, "2026-06-20T09:00:00Z")]
        ),
        Err(ClockError::ExtensionVoid { .. })
    ));
    assert_eq!(
        on(asked("us_va", "access", Question::ExtendedResponse, &[])),
        day("2026-05-31")
    );
    assert!(matches!(
        asked(
            "eu_gdpr",
            "access",
            Question::Response,
            &[(ExtensionNotified, "2026-03-01T09:00:00Z")]
        ),
        Err(ClockError::OutOfOrder { .. })
    ));
}

#[test]
fn an_extension_without_length_runs_to_the_date_it_promised() {
    let received = at("2026-03-02T09:00:00+01:00");
    let calendar = Calendar::in_zone("Europe/Zurich").unwrap();
    let regime = Regimes::builtin().get("ch_fadp").unwrap();
    let readings = Readings::default();
    let setting = Setting {
        regime: &regime,
        right: &Right::Access,
        calendar: &calendar,
        readings: &readings,
    };
    let noticed = |until| {
        let mut history = ClockHistory::received(received);
        history.push(ClockEvent {
            at: at("2026-03-20T09:00:00+01:00"),
            kind: ExtensionNotified,
            until,
        });
        deadline(&setting, Question::Response, &history)
    };
    assert_eq!(on(noticed(Some(day("2026-06-30")))), day("2026-06-30"));
    assert!(matches!(
        noticed(None),
        Err(ClockError::ExtensionWithoutDate { .. })
    ));
}

#[test]
fn special_clocks_of_single_laws() {
    let asked = |id, right, question, events: &[_]| {
        ask(
            id,
            right,
            question,
            "default",
            "2026-04-01T09:00:00Z",
            events,
        )
    };
    // Switzerland: unconfirmed, the clock waits; confirmed too late, the request is withdrawn.
    let fee = (FeeNotified, "2026-04-03T09:00:00Z");
    assert!(matches!(
        asked("ch_fadp", "access", Question::Response, &[fee]),
        Ok(Due::Paused { .. })
    ));
    assert_eq!(
        on(asked(
            "ch_fadp",
            "access",
            Question::FeeConfirmDeadline,
            &[fee]
        )),
        day("2026-04-13")
    );
    assert!(matches!(
        asked(
            "ch_fadp",
            "access",
            Question::Response,
            &[fee, (FeeConfirmed, "2026-04-20T09:00:00Z")]
        ),
        Err(ClockError::Withdrawn { .. })
    ));
    assert!(matches!(
        asked("ch_fadp", "access", Question::FeeConfirmDeadline, &[]),
        Err(ClockError::NotStarted(FeeNotified))
    ));
    // A fee announced when the thirty days have run out brings nothing back.
    let on_the_last = (FeeNotified, "2026-05-01T21:00:00Z");
    assert!(matches!(
        asked("ch_fadp", "access", Question::Response, &[on_the_last]),
        Ok(Due::Paused { .. })
    ));
    let too_late = (FeeNotified, "2026-05-02T09:00:00Z");
    for question in [Question::Response, Question::RefusalNotice] {
        assert_eq!(
            on(asked("ch_fadp", "access", question, &[too_late])),
            day("2026-05-01")
        );
    }
    // Turkey: without an answer only the sixty days run.
    assert_eq!(
        on(asked(
            "tr_kvkk",
            "access",
            Question::BoardComplaintDeadline,
            &[]
        )),
        day("2026-05-31")
    );
    assert_eq!(
        on(asked(
            "tr_kvkk",
            "access",
            Question::BoardComplaintDeadline,
            &[(AnswerReceived, "2026-05-20T09:00:00Z")]
        )),
        day("2026-05-31")
    );
    // Japan, Utah, California.
    assert_eq!(
        on(asked("jp_appi", "access", Question::LawsuitBarLastDay, &[])),
        day("2026-04-15")
    );
    assert!(matches!(
        asked(
            "us_ut",
            "access",
            Question::Response,
            &[(FraudSuspected, "2026-04-10T09:00:00Z")]
        ),
        Ok(Due::Paused { .. })
    ));
    assert_eq!(
        on(asked(
            "us_ca_ccpa",
            "access",
            Question::LookbackStartDefault,
            &[]
        )),
        day("2025-04-01")
    );
    assert_eq!(
        on(asked(
            "us_ca_ccpa",
            "opt_out",
            Question::OptInAskEarliest,
            &[]
        )),
        day("2027-04-01")
    );
    assert_eq!(
        on(asked(
            "us_ca_ccpa",
            "delete",
            Question::RecordRetentionUntil,
            &[]
        )),
        day("2028-04-01")
    );
    // United Kingdom: marks asked for before the results.
    let marks = |events: &[_]| {
        on(ask(
            "uk_gdpr",
            "access",
            Question::Response,
            "uk_exam_marks=true",
            "2026-04-01T09:00:00Z",
            events,
        ))
    };
    assert_eq!(marks(&[]), day("2026-09-01"));
    assert_eq!(
        marks(&[(ClockEventKind::ResultsAnnounced, "2026-06-01T09:00:00Z")]),
        day("2026-07-11")
    );
    // France: health data.
    assert_eq!(
        on(asked(
            "fr_overlay",
            "access",
            Question::HealthAccessLatest,
            &[]
        )),
        day("2026-04-09")
    );
    assert!(matches!(
        asked("fr_overlay", "access", Question::HealthAccessEarliest, &[]),
        Ok(Due::Due { on: DueOn::Instant(instant), .. }) if instant == at("2026-04-03T09:00:00Z")
    ));
}

#[test]
fn what_has_no_certain_answer_is_an_error() {
    let asked = |id, right, question, received| ask(id, right, question, "default", received, &[]);
    let now = "2026-04-01T09:00:00Z";
    for (id, right) in [
        ("ae_pdpl", "access"),
        ("ng_ndpa", "access"),
        ("jp_appi", "access"),
        ("cn_pipl", "access"),
        ("au_privacy_act", "access"),
        ("br_lgpd", "erasure"),
        ("th_pdpa", "erasure"),
    ] {
        assert!(
            matches!(
                asked(id, right, Question::Response, now),
                Err(ClockError::Unnumbered { .. })
            ),
            "{id}"
        );
    }
    assert!(matches!(
        asked("us_ia", "rectification", Question::Response, now),
        Err(ClockError::UnknownRight { .. })
    ));
    assert!(matches!(
        asked("us_ut", "rectification", Question::Response, now),
        Err(ClockError::NotYet { .. })
    ));
    assert!(
        asked(
            "us_ut",
            "rectification",
            Question::Response,
            "2026-07-01T12:00:00Z"
        )
        .is_ok()
    );
    assert!(matches!(
        asked("us_ca_ccpa", "adm_opt_out", Question::OptOut, now),
        Err(ClockError::NotYet { .. })
    ));
    assert!(matches!(
        asked("us_ca_ccpa", "opt_out", Question::Ack, now),
        Err(ClockError::NoClock { .. })
    ));
    assert!(matches!(
        asked("in_dpdp", "grievance", Question::GrievanceResponse, now),
        Err(ClockError::NotInForce { .. })
    ));
    assert!(matches!(
        asked("eu_gdpr", "consent_withdrawal", Question::Response, now),
        Err(ClockError::NoClock { .. })
    ));
    assert!(matches!(
        asked(
            "eu_gdpr",
            "consent_withdrawal",
            Question::ConsentRevocation,
            now
        ),
        Err(ClockError::Unnumbered { .. })
    ));
}

#[test]
fn the_delete_act_changes_with_the_year() {
    let regimes = Regimes::builtin();
    let period = |date| {
        regimes
            .in_force("us_ca_delete_act", day(date))
            .unwrap()
            .clocks[0]
            .period
    };
    assert_eq!(period("2026-12-31"), Period::Days(45));
    assert_eq!(period("2027-01-01"), Period::Days(30));
    assert!(matches!(
        regimes.in_force("us_ca_delete_act", day("2026-07-31")),
        Err(RegimeError::NotInForce { .. })
    ));
}

#[test]
fn a_pin_finds_the_very_version() {
    let mut regimes = Regimes::builtin();
    let old = regimes.versions("us_ca_delete_act").unwrap()[0]
        .pin()
        .unwrap();
    assert_eq!(regimes.by_pin(&old).unwrap().version, "1");
    let stored = serde_json::to_string(&old).unwrap();
    assert_eq!(
        serde_json::from_str::<datarights::law::RegimePin>(&stored).unwrap(),
        old
    );

    // A digest has one spelling.
    let (before, digest) = stored.split_at(stored.find("\"digest\":\"").unwrap() + 10);
    let (digest, after) = digest.split_at(64);
    let small = |sign: &char| !matches!(sign, '0'..='9' | 'a'..='f' | '"' | '\\' | '\0'..='\x1f');
    for sign in ('\0'..='\u{ff}').filter(small) {
        for place in [0, 1, 62, 63] {
            let mut other: Vec<char> = digest.chars().collect();
            other[place] = sign;
            let other: String = other.into_iter().collect();
            let read = serde_json::from_str::<datarights::law::RegimePin>(&format!(
                "{before}{other}{after}"
            ));
            assert!(read.is_err(), "{sign:?} at {place}");
        }
    }
    for other in [&digest[..63], &format!("{digest}0")] {
        let read =
            serde_json::from_str::<datarights::law::RegimePin>(&format!("{before}{other}{after}"));
        assert!(read.is_err(), "{} digits", other.len());
    }

    let mut altered = Regime::clone(&regimes.get("eu_gdpr").unwrap());
    let pin = altered.pin().unwrap();
    altered.clocks.clear();
    regimes.add(altered);
    assert!(matches!(
        regimes.by_pin(&pin),
        Err(RegimeError::NotPinned(_))
    ));
}

#[test]
fn a_right_that_no_law_knows_has_no_day() {
    let regimes = Regimes::builtin();
    let received = ClockHistory::received(at("2027-06-02T09:00:00Z"));
    let calendar = Calendar::in_zone("UTC").unwrap();
    let of_no_request = [
        Question::GrievanceResponse,
        Question::BreachAuthority,
        Question::ComplaintAck,
        Question::IndirectCollectionNotice,
        Question::LogRetentionUntil,
        Question::DropNextAccess,
    ];
    for id in regimes.ids() {
        let regime = regimes.get(id.as_str()).unwrap();
        for question in Question::ALL {
            let setting = Setting {
                regime: &regime,
                right: &Right::from("foo"),
                calendar: &calendar,
                readings: &Readings::default(),
            };
            let answer = deadline(&setting, question, &received);
            if !of_no_request.contains(&question) && !regime.any_right {
                assert!(
                    matches!(answer, Err(ClockError::UnknownRight { .. })),
                    "{id} {question}: {answer:?}"
                );
            }
        }
    }
}

#[test]
fn a_law_with_a_day_for_revoked_consent_grants_the_revocation() {
    let regimes = Regimes::builtin();
    let mut laws = 0;
    for id in regimes.ids() {
        let regime = regimes.get(id.as_str()).unwrap();
        let mut clocks = regime.clocks.iter();
        if clocks.any(|clock| clock.question == Question::ConsentRevocation) {
            assert!(regime.right(&Right::ConsentWithdrawal).is_some(), "{id}");
            laws += 1;
        }
    }
    assert!(laws >= 8, "{laws}");
}

#[test]
fn the_united_kingdom_s_law_changes_when_its_act_says() {
    let regimes = Regimes::builtin();
    let law_on = |date: &str| regimes.in_force("uk_gdpr", day(date)).unwrap();
    let complaint = |received| {
        let asked = Question::ComplaintAck;
        ask("uk_gdpr", "access", asked, "default", received, &[])
    };
    assert!(matches!(
        complaint("2025-07-06T09:00:00Z"),
        Err(ClockError::NoClock { .. })
    ));
    assert!(complaint("2026-06-18T09:00:00Z").is_err());
    assert!(complaint("2026-06-19T09:00:00Z").is_ok());

    let refuses = |date: &str, code| {
        let law = law_on(date);
        law.ground(code, &Right::HumanReview, GroundUse::Refuse)
            .is_ok()
    };
    assert!(refuses("2026-02-04", "adm_exception"));
    assert!(!refuses("2026-02-05", "adm_exception"));
    assert!(refuses("2026-02-05", "adm_not_significant"));

    let search = |date: &str| {
        let code = "reasonable_proportionate_search";
        law_on(date)
            .ground(code, &Right::Access, GroundUse::Withhold)
            .is_ok()
    };
    assert!(!search("2023-12-31") && search("2024-01-01"));

    // A fee holds the clock since 12A, and did not before.
    let due = |received, asked, paid| {
        let events = [(FeeRequested, asked), (FeePaid, paid)];
        let answer = Question::Response;
        on(ask(
            "uk_gdpr", "access", answer, "default", received, &events,
        ))
    };
    let (one, two) = ("2026-01-10T09:00:00Z", "2026-01-20T09:00:00Z");
    assert_eq!(due("2026-01-05T09:00:00Z", one, two), day("2026-02-05"));
    let (one, two) = ("2026-02-10T09:00:00Z", "2026-02-20T09:00:00Z");
    assert_eq!(due("2026-02-05T09:00:00Z", one, two), day("2026-03-20"));

    let says = |date: &str, step| {
        let law = law_on(date);
        let notice = law.notice(step, &Right::HumanReview).unwrap();
        notice.article.to_string()
    };
    assert_eq!(says("2026-02-05", Step::HumanReview), "22C");
    assert_eq!(says("2026-02-05", Step::Extension), "12A(3)-(4)");
    assert_eq!(says("2026-02-04", Step::Extension), "12(3)");
    let unions = |text: &str| text.contains("EDPB") || text.starts_with("22(");
    for law in regimes.versions("uk_gdpr").unwrap() {
        let since = law.in_force.from >= Some(day("2026-02-05"));
        for notice in &law.notices {
            assert!(!notice.article.contains("EDPB"), "{}", notice.step.name());
            assert!(
                !(since && unions(&notice.article)),
                "{}",
                notice.step.name()
            );
        }
        for ground in &law.grounds {
            assert!(!(since && unions(&ground.article)), "{}", ground.code);
            assert!(!(since && ground.article == "12(3)"), "{}", ground.code);
        }
    }
}

#[test]
fn california_s_law_changes_when_its_texts_say() {
    let regimes = Regimes::builtin();
    let asked = |right, received| {
        let answer = Question::Response;
        ask("us_ca_ccpa", right, answer, "default", received, &[])
    };
    for right in ["correct", "limit_sensitive"] {
        let early = asked(right, "2022-12-31T18:00:00Z");
        assert!(matches!(early, Err(ClockError::NotYet { .. })), "{right}");
        assert!(asked(right, "2023-01-02T18:00:00Z").is_ok(), "{right}");
    }
    let confirms = |date| {
        let law = regimes.in_force("us_ca_ccpa", day(date)).unwrap();
        law.notice(Step::OptOutDone, &Right::OptOut)
            .unwrap()
            .mandatory
    };
    assert!(!confirms("2025-12-31") && confirms("2026-01-01"));
}

#[test]
fn a_ground_says_whether_it_leaves_a_choice_and_can_be_reviewed() {
    let regimes = Regimes::builtin();
    let ground = |id, code| {
        let law = regimes.get(id).unwrap();
        let ground = law.ground(code, &Right::Access, GroundUse::Refuse).unwrap();
        (ground.mandatory, ground.reviewable)
    };
    assert_eq!(ground("us_hipaa", "endangerment"), (false, true));
    assert_eq!(ground("hk_pdpo", "identity"), (true, false));
    assert_eq!(ground("hk_pdpo", "repeated"), (false, false));
}

#[test]
fn every_regime_survives_being_written_and_read() {
    let regimes = Regimes::builtin();
    for id in regimes.ids() {
        for regime in regimes.versions(id.as_str()).unwrap() {
            let written = serde_json::to_string(&*regime).unwrap();
            let read: Regime = serde_json::from_str(&written).unwrap();
            assert_eq!(read, *regime, "{id}");
            assert_eq!(read.digest().unwrap(), regime.digest().unwrap(), "{id}");
        }
    }
}

#[test]
fn a_host_adds_overlays_only_where_they_belong() {
    let mut regimes = Regimes::builtin();
    let overlay: Overlay = serde_json::from_str(
        r#"{"id": "works_agreement", "base": "eu_gdpr", "version": "3", "name": "Works agreement",
            "jurisdiction": "ACME", "as_of": "2026-11-21",
            "clocks": [{"question": "ack", "period": {"unit": "business_days", "value": 2}}]}"#,
    )
    .unwrap();
    regimes.overlay(&overlay).unwrap();
    let laid = regimes.get("works_agreement").unwrap();
    assert_eq!(laid.clocks[0].question, Question::Ack);
    assert_eq!(laid.version, "1+3");
    let uk = regimes.get("uk_gdpr").unwrap();
    assert!(matches!(
        overlay.on(&uk),
        Err(RegimeError::WrongBase { .. })
    ));
    // Unknown fields are refused, not dropped.
    assert!(serde_json::from_str::<Overlay>(r#"{"id": "x", "clokcs": []}"#).is_err());
}

#[test]
fn what_an_overlay_lists_a_ground_for_is_no_longer_left_open() {
    let mut base: Regime = serde_json::from_str(
        r#"{"id": "acme", "version": "1", "name": "", "jurisdiction": "", "as_of": "2026-11-21",
            "clocks": []}"#,
    )
    .unwrap();
    base.any_ground = vec![GroundUse::Refuse, GroundUse::Extend];
    let overlay: Overlay = serde_json::from_str(
        r#"{"id": "acme_works", "base": "acme", "version": "1", "name": "", "jurisdiction": "",
            "as_of": "2026-11-21", "grounds": [{"code": "g", "uses": ["refuse"], "letter": "l"}]}"#,
    )
    .unwrap();
    let laid = overlay.on(&base).unwrap();
    assert_eq!(laid.any_ground, [GroundUse::Extend]);
    let accepts = |code, usage| laid.accepts(code, &Right::Access, usage).is_ok();
    assert!(accepts("g", GroundUse::Refuse) && accepts("any", GroundUse::Extend));
    assert!(!accepts("any", GroundUse::Refuse));
}

#[test]
fn verified_only_gives_no_unsure_answer() {
    let sure = Regimes::builtin().verified_only(Verified::Primary);
    let has = |id, question| {
        let regime = sure.get(id).unwrap();
        regime.clocks.iter().any(|clock| clock.question == question)
    };
    assert!(has("eu_gdpr", Question::Response));
    assert!(!has("us_co", Question::Response));
    assert!(!has("us_ct", Question::ConsentRevocation));
    assert!(
        Regimes::builtin()
            .get("us_ct")
            .unwrap()
            .clocks
            .iter()
            .any(|clock| clock.question == Question::ConsentRevocation)
    );
}

#[test]
fn grounds_are_open_to_some_rights_under_some_laws() {
    let regimes = Regimes::builtin();
    let gdpr = regimes.get("eu_gdpr").unwrap();
    let germany = regimes.get("de_overlay").unwrap();
    assert!(
        gdpr.ground(
            "erasure_exception_claims",
            &Right::Erasure,
            GroundUse::Withhold
        )
        .is_ok()
    );
    assert!(
        gdpr.ground(
            "erasure_exception_claims",
            &Right::Access,
            GroundUse::Withhold
        )
        .is_err()
    );
    assert!(
        germany
            .ground(
                "restriction_instead_retention",
                &Right::Erasure,
                GroundUse::Restrict
            )
            .is_ok()
    );
    let unknown = gdpr.ground(
        "restriction_instead_retention",
        &Right::Erasure,
        GroundUse::Restrict,
    );
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("unlawful_but_kept")
    );
    for id in regimes.ids() {
        for ground in &regimes.get(id.as_str()).unwrap().grounds {
            assert!(ground.letter.ends_with('.'), "{id} {}", ground.code);
        }
    }
}

#[test]
fn an_access_answer_needs_its_whole_list() {
    let gdpr = Regimes::builtin().get("eu_gdpr").unwrap();
    let notice = gdpr.notice(Step::Response, &Right::Access).unwrap();
    assert_eq!(notice.items.len(), 11);
    let say = |id: &str| match id {
        "source" | "automated_decisions" | "transfer_safeguards" => Content::NotApplicable,
        _ => Content::Says(format!("on {id}")),
    };
    let all = || {
        notice
            .items
            .iter()
            .map(|item| (item.id.as_ref(), say(&item.id)))
    };
    let letter = Letter::new(notice, all()).unwrap();
    assert_eq!(letter.contents().len(), 11);
    for left_out in &notice.items {
        let rest = all().filter(|(id, _)| *id != left_out.id);
        assert!(
            matches!(
                Letter::new(notice, rest),
                Err(LetterError::Incomplete { .. })
            ),
            "{}",
            left_out.id
        );
    }
    let blank = all().map(|(id, content)| {
        (
            id,
            if id == "purposes" {
                Content::Says("  ".into())
            } else {
                content
            },
        )
    });
    assert!(matches!(
        Letter::new(notice, blank),
        Err(LetterError::Incomplete { .. })
    ));
    let evaded = all().map(|(id, content)| {
        (
            id,
            if id == "purposes" {
                Content::NotApplicable
            } else {
                content
            },
        )
    });
    assert!(matches!(
        Letter::new(notice, evaded),
        Err(LetterError::Applies { .. })
    ));
    let foreign = all().chain([("weather", Content::NotApplicable)]);
    assert!(matches!(
        Letter::new(notice, foreign),
        Err(LetterError::UnknownItem { .. })
    ));
}

#[test]
fn every_letter_with_a_clock_knows_until_when() {
    let calendar = Calendar::in_zone("UTC").unwrap();
    let regimes = Regimes::builtin();
    let readings = Readings::default();
    for id in regimes.ids() {
        let regime = regimes.get(id.as_str()).unwrap();
        for notice in &regime.notices {
            let right = notice.rights.first().cloned().unwrap_or(Right::Access);
            let setting = Setting {
                regime: &regime,
                right: &right,
                calendar: &calendar,
                readings: &readings,
            };
            let due = notice.due(
                &setting,
                &ClockHistory::received(at("2027-06-01T09:00:00Z")),
            );
            assert!(due.is_ok(), "{id} {:?}: {due:?}", notice.step);
            assert!(!notice.items.is_empty(), "{id} {:?}", notice.step);
        }
    }
}

#[test]
fn duties_to_keep_end_when_the_law_says() {
    let until = |id, from: &str| {
        RetentionDuty::named(id)
            .unwrap()
            .until(RetentionFacts::on(day(from)))
    };
    assert_eq!(
        until("de_hgb257_vouchers", "2025-03-15"),
        Ok(day("2033-12-31"))
    );
    // Under ten years when the law changed, and not ended: eight, but not before the change.
    assert_eq!(
        until("de_hgb257_vouchers", "2020-03-15"),
        Ok(day("2028-12-31"))
    );
    assert_eq!(
        until("de_hgb257_vouchers", "2015-03-15"),
        Ok(day("2024-12-31"))
    );
    assert_eq!(
        until("de_hgb257_vouchers", "2013-03-15"),
        Ok(day("2023-12-31"))
    );
    assert!(matches!(
        until("fr_com_l123_22", "2025-03-15"),
        Err(RetentionError::NoFiscalYearClose(_))
    ));
    assert!(matches!(
        until("ca_refused_copy", "2025-03-15"),
        Err(RetentionError::OpenEnded { .. })
    ));
    assert!(matches!(
        RetentionDuty::named("fr_moon"),
        Err(RetentionError::Unknown(_))
    ));
}

#[test]
fn a_zone_that_does_not_exist_is_named() {
    let error = Calendar::in_zone("Europe/Atlantis").unwrap_err();
    assert!(error.to_string().contains("Europe/Atlantis"));
    let _ = HolidayList::default();
}

#[test]
fn the_ends_of_time_are_days_too() {
    for zone in ["Pacific/Kiritimati", "Pacific/Honolulu", "UTC"] {
        let calendar = Calendar::in_zone(zone).unwrap();
        for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let date = calendar.date_of(end);
            assert!(
                (date - end.date_naive()).num_days().abs() <= 1,
                "{zone} {date}"
            );
            calendar.end_of(date);
            for id in ["us_ca_delete_act", "eu_gdpr", "id_pdp"] {
                let Ok(regime) = Regimes::builtin().in_force(id, date) else {
                    continue;
                };
                let setting = Setting {
                    regime: &regime,
                    right: &Right::Access,
                    calendar: &calendar,
                    readings: &Readings::default(),
                };
                let received = ClockHistory::received(end);
                for question in Question::ALL {
                    assert!(
                        deadline(&setting, question, &received).is_err(),
                        "{id} {question}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_duty_s_own_name_stands_in_the_place_of_a_right() {
    let last = |id: &str, duty: &str, question: Question| {
        on(ask(
            id,
            duty,
            question,
            "default",
            "2026-08-14T09:00:00+02:00",
            &[],
        ))
    };
    let kept = Question::RecordRetentionUntil;
    for duty in ["records", "retention", "access"] {
        assert_eq!(last("us_ca_ccpa", duty, kept), day("2028-08-14"), "{duty}");
        assert_eq!(last("us_hipaa", duty, kept), day("2032-08-14"), "{duty}");
    }
    assert_eq!(last("us_mn", "appeal", kept), day("2028-08-14"));
    let board = Question::BoardComplaintDeadline;
    assert_eq!(last("tr_kvkk", "complaint", board), day("2026-10-13"));
    // It names that duty and no other.
    let asked = ask(
        "us_hipaa",
        "records",
        Question::Response,
        "default",
        "2026-08-14T09:00:00+02:00",
        &[],
    );
    assert!(
        matches!(asked, Err(ClockError::UnknownRight { .. })),
        "{asked:?}"
    );
}
