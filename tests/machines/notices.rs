//! Which notices of the law a letter must satisfy as a request stands, and the days of clocks that
//! few laws have: against a made-up law with a notice for every step.

use chrono::TimeDelta;
use datarights::law::{ClockError, ClockEvent, ClockEventKind, Regime, RegimeId, Step};
use datarights::model::{Actor, Ground, IdentifierKind, Outcome, Right};
use datarights::workflow::{
    Cause, Delivery, Letter, Rejection, Request, Timer, fulfilment, lifecycle, receive,
};

use crate::world::*;

const STEPS: [(&str, Step, Option<Letter>); 22] = [
    (
        "acknowledgement",
        Step::Acknowledgement,
        Some(Letter::Acknowledgement),
    ),
    (
        "cannot_identify",
        Step::CannotIdentify,
        Some(Letter::Refusal),
    ),
    (
        "identity_request",
        Step::IdentityRequest,
        Some(Letter::IdentityRequest),
    ),
    (
        "clarification_request",
        Step::ClarificationRequest,
        Some(Letter::ClarificationRequest),
    ),
    ("extension", Step::Extension, Some(Letter::Extension)),
    ("fee", Step::Fee, Some(Letter::FeeRequest)),
    ("refusal", Step::Refusal, Some(Letter::Refusal)),
    ("response", Step::Response, Some(Letter::Response)),
    (
        "restriction_lifted",
        Step::RestrictionLifted,
        Some(Letter::RestrictionLifted),
    ),
    ("recipient_notice", Step::RecipientNotice, None),
    (
        "recipients_named",
        Step::RecipientsNamed,
        Some(Letter::Response),
    ),
    (
        "appeal_information",
        Step::AppealInformation,
        Some(Letter::Refusal),
    ),
    (
        "appeal_denied",
        Step::AppealDenied,
        Some(Letter::AppealDecision),
    ),
    (
        "complaint_acknowledgement",
        Step::ComplaintAcknowledgement,
        None,
    ),
    ("complaint_outcome", Step::ComplaintOutcome, None),
    ("opt_out_done", Step::OptOutDone, Some(Letter::Response)),
    ("objection_right", Step::ObjectionRight, None),
    ("human_review", Step::HumanReview, Some(Letter::Response)),
    ("indirect_collection", Step::IndirectCollection, None),
    ("breach_authority", Step::BreachAuthority, None),
    ("breach_subject", Step::BreachSubject, None),
    ("erasure_warning", Step::ErasureWarning, None),
];

/// A law of any right with these clocks, a notice for each step and two grounds.
fn law(clocks: &str) -> Regime {
    let notices: Vec<_> = STEPS
        .iter()
        .map(|(name, ..)| format!(r#"{{"step": "{name}", "mandatory": true}}"#))
        .collect();
    let text = format!(
        r#"{{"id": "acme", "version": "1", "name": "", "jurisdiction": "", "as_of": "2026-01-01",
            "any_right": true, "clocks": [{clocks}], "notices": [{}], "grounds": [
                {{"code": "unknown_person", "uses": ["refuse"], "letter": "l", "unidentified": true}},
                {{"code": "unfounded", "uses": ["refuse", "charge"], "letter": "l"}}]}}"#,
        notices.join(", ")
    );
    serde_json::from_str(&text).unwrap()
}

fn days(question: &str, days: u32) -> String {
    format!(r#"{{"question": "{question}", "period": {{"unit": "days", "value": {days}}}}}"#)
}

fn received(right: Right, clocks: &str) -> Course {
    Course::of(World::simple(right).with_law(law(clocks).into()))
}

fn steps(request: &Request, letter: Letter) -> Vec<Step> {
    let law = law("");
    let notices = request.notices(letter, &law);
    notices.into_iter().map(|notice| notice.step).collect()
}

#[test]
fn each_step_is_said_in_the_letter_that_goes_out_at_it() {
    for (_, step, letter) in STEPS {
        assert_eq!(Letter::at(step), letter, "{step:?}");
    }
}

#[test]
fn a_letter_about_a_question_says_what_the_law_wants_of_that_question() {
    let course = received(Right::Access, &days("response", 30));
    for letter in [
        Letter::Acknowledgement,
        Letter::IdentityRequest,
        Letter::ClarificationRequest,
        Letter::FeeRequest,
        Letter::Extension,
        Letter::RestrictionLifted,
    ] {
        let said = steps(course.request(), letter);
        let wanted = STEPS.into_iter().filter(|(.., at)| *at == Some(letter));
        let wanted: Vec<_> = wanted.map(|(_, step, _)| step).collect();
        assert_eq!(said, wanted);
    }
}

#[test]
fn a_refusal_says_that_nobody_could_be_identified_where_that_is_its_ground() {
    for (code, unidentified) in [("unknown_person", true), ("unfounded", false)] {
        let mut course = received(Right::Access, &days("response", 30));
        let ground = Ground::new(code);
        course.give(lifecycle::Command::Refuse { ground });
        let said = steps(course.request(), Letter::Refusal);
        for (step, wanted) in [
            (Step::Refusal, true),
            (Step::AppealInformation, true),
            (Step::CannotIdentify, unidentified),
            (Step::Response, false),
        ] {
            assert_eq!(said.contains(&step), wanted, "{code}: {step:?}");
        }
    }
}

#[test]
fn an_answer_that_leaves_something_out_is_a_refusal_in_part() {
    let mut request = received(Right::OptOut, &days("response", 30))
        .situation
        .request;
    for (outcome, done, in_part) in [
        (Outcome::Done, true, false),
        (Outcome::NothingFound, false, false),
        (Outcome::Partly, false, true),
        (Outcome::Unsupported, false, true),
        (Outcome::Failed, false, true),
    ] {
        request.lifecycle.outcome = Some(outcome.clone());
        let said = steps(&request, Letter::Response);
        for (step, wanted) in [
            (Step::Response, true),
            (Step::HumanReview, true),
            (Step::OptOutDone, done),
            (Step::Refusal, in_part),
            (Step::AppealInformation, in_part),
            (Step::RecipientsNamed, false),
        ] {
            assert_eq!(said.contains(&step), wanted, "{outcome:?}: {step:?}");
        }
    }
    request.lifecycle.outcome = None;
    assert!(!steps(&request, Letter::Response).contains(&Step::Refusal));
}

#[test]
fn an_answer_names_the_recipients_that_confirmed_what_they_were_told() {
    let landscape = datarights::workflow::Landscape {
        sources: vec![source("crm", &[IdentifierKind::Mail], &[])],
        recipients: vec![party("mailer"), party("printer")],
    };
    let mut course = Course::approved(World::new(Right::Erasure, plain_policy(), landscape));
    course.work_until(fulfilment::Phase::Informing);
    let names = |course: &Course| -> Vec<String> {
        let told = course.request().recipients_told();
        told.map(ToString::to_string).collect()
    };
    assert_eq!(names(&course), [""; 0]);
    assert!(!steps(course.request(), Letter::Response).contains(&Step::RecipientsNamed));
    let task = fulfilment::Phase::Informing
        .task(course.work().machine)
        .unwrap();
    let mailer = datarights::workflow::Target::Recipient(party("mailer"));
    course.answer(&mailer, success(task, &mailer));
    assert_eq!(names(&course), ["mailer"]);
    assert!(steps(course.request(), Letter::Response).contains(&Step::RecipientsNamed));
}

#[test]
fn only_an_appeal_that_was_denied_says_what_the_law_wants_of_a_denial() {
    for (granted, said) in [(true, vec![]), (false, vec![Step::AppealDenied])] {
        let mut course = received(Right::Access, &days("response", 30));
        let ground = Ground::new("unfounded");
        course.give(lifecycle::Command::Refuse { ground });
        course
            .sent(Letter::Refusal)
            .give(lifecycle::Command::Appeal);
        assert_eq!(steps(course.request(), Letter::AppealDecision), []);
        course.give(lifecycle::Command::DecideAppeal { granted });
        assert_eq!(steps(course.request(), Letter::AppealDecision), said);
    }
}

#[test]
fn an_answer_is_in_time_until_the_law_s_day_is_over() {
    let mut course = received(Right::Access, &days("response", 10));
    let late = course.request().letter_due(Letter::Response).unwrap();
    let paris = late.with_timezone(&chrono_tz::Europe::Paris);
    assert_eq!(
        paris.date_naive(),
        day(11),
        "the first instant after ten whole days"
    );
    assert_eq!(course.request().clock.late_from(), Some(late));
    // What an appeal changed is answered by the day of the appeal, where the law has none by the first.
    let ground = Ground::new("unfounded");
    course.give(lifecycle::Command::Refuse { ground });
    course.sent(Letter::Refusal).wait(TimeDelta::days(3));
    course.give(lifecycle::Command::Appeal);
    assert_eq!(course.request().letter_due(Letter::Response), Some(late));
}

#[test]
fn what_an_appeal_changed_is_answered_by_the_day_of_the_appeal() {
    let clocks = [days("response", 10), days("appeal_response", 20)].join(", ");
    let mut course = received(Right::Access, &clocks);
    let ground = Ground::new("unfounded");
    course.give(lifecycle::Command::Refuse { ground });
    course.sent(Letter::Refusal).wait(TimeDelta::days(3));
    course.give(lifecycle::Command::Appeal);
    for letter in [Letter::Response, Letter::Refusal, Letter::AppealDecision] {
        let late = course.request().letter_due(letter).unwrap();
        let paris = late.with_timezone(&chrono_tz::Europe::Paris);
        assert_eq!(paris.date_naive(), day(3 + 20 + 1), "{letter:?}");
    }
    // It stays so when the first clock moves.
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    let late = course.request().answer_due();
    course.give(lifecycle::Command::RequestIdentity);
    course.sent(Letter::IdentityRequest);
    assert_eq!(course.request().answer_due(), late);
    assert!(late.is_some());
}

#[test]
fn the_clock_of_an_appeal_stays_as_it_is_when_that_of_the_answer_moves() {
    let response = r#"{"question": "response", "period": {"unit": "days", "value": 10},
        "start": "relevant_time"}"#;
    let appeal = r#"{"question": "appeal_response", "period": {"unit": "days", "value": 20},
        "extension": {"by": {"unit": "days", "value": 20}}}"#;
    let mut course = received(Right::Access, &format!("{response}, {appeal}"));
    let ground = Ground::new("unfounded");
    course.give(lifecycle::Command::Refuse { ground });
    course
        .sent(Letter::Refusal)
        .give(lifecycle::Command::Appeal);
    let before = course.request().clock.clone();
    assert!(before.appeal_history.is_some() && before.appeal_extension_notice.is_some());
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    course.give(lifecycle::Command::RequestIdentity);
    course.sent(Letter::IdentityRequest);
    let after = &course.request().clock;
    assert_ne!(after.history, before.history);
    assert_eq!(after.appeal, before.appeal);
    assert_eq!(after.appeal_history, before.appeal_history);
    assert_eq!(
        after.appeal_extension_notice,
        before.appeal_extension_notice
    );
}

/// Nothing is left out silently: only a law that has no such clock has no such day.
#[test]
fn a_clock_that_is_not_in_force_yet_is_an_error_and_one_that_is_not_there_is_none() {
    let later = |question: &str| {
        format!(
            r#"{{"question": "{question}", "period": {{"unit": "days", "value": 10}}, "from": "2030-01-01"}}"#
        )
    };
    let with = |more: &str| {
        let response = r#"{"question": "response", "period": {"unit": "days", "value": 30},
            "start": {"fee_reflection_end": {"days": 10}}}"#;
        let clocks = match more {
            "" => response.to_owned(),
            more => format!("{response}, {}", later(more)),
        };
        received(Right::Access, &clocks)
    };
    let appealed = |course: &Course| {
        let clock = &course.request().clock;
        clock.appealed(course.world.setting(), start())
    };
    assert_eq!(appealed(&with("")).unwrap().appeal, None);
    let not_yet = appealed(&with("appeal_response")).unwrap_err();
    assert!(matches!(not_yet, ClockError::NotYet { .. }), "{not_yet:?}");

    let fee_told = |course: &Course| {
        let event = ClockEvent {
            at: start(),
            kind: ClockEventKind::FeeNotified,
            until: None,
        };
        course.request().clock.after(course.world.setting(), event)
    };
    assert_eq!(fee_told(&with("")).unwrap().fee, None);
    let not_yet = fee_told(&with("fee_confirm_deadline")).unwrap_err();
    assert!(matches!(not_yet, ClockError::NotYet { .. }), "{not_yet:?}");
}

#[test]
fn processing_ends_by_the_earlier_of_the_days_that_a_law_has_for_it() {
    for (response, revocation) in [(20, 10), (10, 20)] {
        let clocks = [
            days("response", response),
            days("consent_revocation", revocation),
        ];
        let course = received(Right::ConsentWithdrawal, &clocks.join(", "));
        let due = course.request().clock.late_from().unwrap();
        let paris = due.with_timezone(&chrono_tz::Europe::Paris);
        assert_eq!(paris.date_naive(), day(11));
    }
    // Another right knows no such day.
    let clocks = [days("response", 20), days("consent_revocation", 10)];
    let access = received(Right::Access, &clocks.join(", "));
    let due = access.request().clock.late_from().unwrap();
    let paris = due.with_timezone(&chrono_tz::Europe::Paris);
    assert_eq!(paris.date_naive(), day(21));
}

#[test]
fn a_fee_to_think_about_without_a_last_day_lapses_never() {
    let clock = r#"{"question": "response", "period": {"unit": "days", "value": 30},
        "start": {"fee_reflection_end": {"days": 10}}}"#;
    let mut course = received(Right::Access, clock);
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::ChargeFee {
        minor_units: 500,
        currency: "EUR".to_owned(),
        ground: Some(Ground::new("unfounded")),
    });
    course.sent(Letter::FeeRequest);
    assert_eq!(course.request().clock.fee, None);
    course.wait(TimeDelta::days(400)).fire(Timer::Expiry);
    assert!(course.request().lifecycle.end.is_none());
}

#[test]
fn a_letter_may_be_dated_on_the_day_of_its_receipt() {
    let world = World::simple(Right::Access);
    let mut intake = world.intake();
    intake.dated = Some(day(0));
    let pin = world.setting().regime.pin().unwrap();
    let context = world.context(start(), &Actor::Host, &Cause::Command);
    let request = receive(intake, pin, &context).unwrap().next;
    assert_eq!(request.clock.history.date_of_request(), Some(day(0)));
}

#[test]
fn a_right_that_no_machine_serves_is_refused_by_its_name() {
    let right = Right::from("to_be_left_alone");
    let world = World::simple(right.clone()).with_law(law(&days("response", 30)).into());
    let pin = world.setting().regime.pin().unwrap();
    let context = world.context(start(), &Actor::Host, &Cause::Command);
    let refused = receive(world.intake(), pin, &context).unwrap_err();
    assert_eq!(refused, Rejection::UnsupportedRight { right });
    assert_eq!(world.delivery, Delivery::Download);
    assert_eq!(world.setting().regime.id, RegimeId::from("acme"));
}
