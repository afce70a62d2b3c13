//! What the law gives and demands on the way: grounds, letters, and their last days.

use chrono::TimeDelta;
use datarights::law::{self, GroundError, GroundUse, Overlay, Regimes, RightRule, Step, Verified};
use datarights::model::{Actor, Failure, Ground, RequestId, Right};
use datarights::workflow::{
    Command, Decision, Effect, Event, Letter, Rejection, Timer, lifecycle, receive,
};

use crate::world::*;

fn refuse(code: &'static str) -> lifecycle::Command {
    lifecycle::Command::Refuse {
        ground: Ground::new(code),
    }
}

fn charge(ground: Option<&'static str>) -> lifecycle::Command {
    lifecycle::Command::ChargeFee {
        minor_units: 500,
        currency: "EUR".to_owned(),
        ground: ground.map(Ground::new),
    }
}

fn asks_for(decision: &Decision, letter: Letter) -> bool {
    decision
        .effects
        .iter()
        .any(|(_, effect)| *effect == Effect::Notify(letter))
}

fn overdue(decision: &Decision) -> Vec<Letter> {
    let letter = |envelope: &datarights::workflow::Envelope| match envelope.event {
        Event::LetterOverdue { letter, .. } => Some(letter),
        _ => None,
    };
    decision.events.iter().filter_map(letter).collect()
}

// ---- grounds

#[test]
fn a_ground_is_one_of_the_law_for_that_use_and_that_right() {
    let accepted = |regime, right: Right, code| {
        let course = Course::of(World::simple(right).under_law(regime));
        course.attempt(refuse(code)).map(|_| ())
    };
    assert_eq!(
        accepted("eu_gdpr", Right::Access, "manifestly_unfounded"),
        Ok(())
    );
    assert_eq!(
        accepted("us_ca_ccpa", Right::Erasure, "free_speech"),
        Ok(())
    );
    assert_eq!(
        accepted("br_lgpd", Right::Access, "reasons_of_fact_or_law"),
        Ok(())
    );
    for (regime, right, code) in [
        ("eu_gdpr", Right::Access, "free_speech"), // California's
        ("eu_gdpr", Right::Access, "complexity"),  // to extend, not to refuse
        ("us_ca_ccpa", Right::Access, "free_speech"), // of erasures
        ("br_lgpd", Right::Access, "manifestly_unfounded"),
        ("br_lgpd", Right::Access, "trade_secret"), // to withhold, not to refuse
    ] {
        let refused = accepted(regime, right.clone(), code).unwrap_err();
        let Rejection::UnknownGround(GroundError { known, usage, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(usage, GroundUse::Refuse);
        let law = Regimes::builtin().get(regime).unwrap();
        let given: Vec<_> = law
            .grounds_for(&right, usage)
            .map(|g| g.code.to_string())
            .collect();
        assert_eq!(known, given.join(", "), "it says what would be accepted");
    }
}

#[test]
fn a_host_adds_its_own_ground_by_an_overlay() {
    let as_of = day(0);
    let mut own = Overlay::new(
        "acme_gdpr".into(),
        "eu_gdpr".into(),
        "1",
        "GDPR at Acme",
        "EU",
        as_of,
    );
    own.grounds.push(law::Ground::new(
        "bank_secrecy",
        [GroundUse::Refuse, GroundUse::Withhold],
        "Bank Act 7",
        "Bank secrecy forbids us to tell.",
        Verified::Primary,
    ));
    let mut regimes = Regimes::builtin();
    regimes.overlay(&own).unwrap();
    let world = World::simple(Right::Access).with_law(regimes.get("acme_gdpr").unwrap());
    let course = Course::of(world);
    assert!(course.attempt(refuse("bank_secrecy")).is_ok());
    assert!(course.attempt(refuse("manifestly_unfounded")).is_ok());
    assert!(course.attempt(refuse("state_secrecy")).is_err());
}

#[test]
fn where_a_law_lists_no_grounds_for_a_use_any_will_do() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_hipaa"));
    let extend = |code: &'static str| lifecycle::Command::Extend {
        ground: Ground::new(code),
        until: None,
    };
    assert!(course.attempt(extend("no form of a name!")).is_err());
    course.give(extend("archive_offsite"));
}

#[test]
fn a_fee_needs_a_ground_where_the_law_lists_them() {
    let identified = |regime| {
        let mut course = Course::of(World::simple(Right::Access).under_law(regime));
        course.give(lifecycle::Command::ConfirmIdentity);
        course
    };
    let mut gdpr = identified("eu_gdpr");
    let refused = gdpr.attempt(charge(None)).unwrap_err();
    let known = "manifestly_unfounded, excessive_repetitive".to_owned();
    assert_eq!(refused, Rejection::NoGround { known });
    assert!(gdpr.attempt(charge(Some("compelling_grounds"))).is_err());
    gdpr.give(charge(Some("excessive_repetitive")));
    let fee = gdpr.request().lifecycle.fee.clone().unwrap();
    assert_eq!(
        (fee.minor_units, fee.ground.unwrap().id().to_owned()),
        (500, "excessive_repetitive".to_owned())
    );
    // Canada lists none: the cost is announced, that is all.
    identified("ca_pipeda").give(charge(None));
}

// ---- what the law grants

#[test]
fn a_right_that_the_law_does_not_grant_on_that_day_is_not_received() {
    let received = |world: &World| {
        let pin = world.setting().regime.pin().unwrap();
        let host = datarights::model::Actor::Host;
        let context = world.context(start(), &host, &datarights::workflow::Cause::Command);
        receive(world.intake(), pin, &context).map(|_| ())
    };
    let hipaa = World::simple(Right::Erasure).under_law("us_hipaa");
    let refused = received(&hipaa).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("does not grant the right `erasure`"),
        "{refused}"
    );

    let mut later = (*Regimes::builtin().get("eu_gdpr").unwrap()).clone();
    for rule in &mut later.rights {
        rule.from = Some(day(1));
    }
    let refused =
        received(&World::simple(Right::Access).with_law(later.clone().into())).unwrap_err();
    assert!(
        matches!(refused, Rejection::Law(law::ClockError::NotYet { .. })),
        "{refused:?}"
    );
    for rule in &mut later.rights {
        rule.from = Some(day(0));
    }
    assert_eq!(
        received(&World::simple(Right::Access).with_law(later.clone().into())),
        Ok(())
    );

    // A law that says so lets every right through; one that lists none grants none.
    later.rights = Vec::<RightRule>::new();
    let refused =
        received(&World::simple(Right::Erasure).with_law(later.clone().into())).unwrap_err();
    assert!(
        matches!(
            refused,
            Rejection::Law(law::ClockError::UnknownRight { .. })
        ),
        "{refused:?}"
    );
    later.any_right = true;
    assert_eq!(
        received(&World::simple(Right::Erasure).with_law(later.into())),
        Ok(())
    );
}

// ---- letters that the law demands

#[test]
fn what_the_law_makes_mandatory_goes_out_whatever_the_policy_says() {
    let first = |regime| {
        let mut world = World::simple(Right::Access).under_law(regime);
        world.policy.acknowledge = false;
        asks_for(&world.receive(), Letter::Acknowledgement)
    };
    assert!(first("us_ca_ccpa") && first("vn_pdpl"));
    assert!(!first("eu_gdpr"), "good practice, not the law");
}

#[test]
fn every_step_of_the_law_that_is_a_letter_is_said_in_it() {
    let request = Course::of(World::simple(Right::Access)).request().clone();
    for id in Regimes::builtin().ids() {
        let regime = Regimes::builtin().get(id.as_str()).unwrap();
        for notice in regime.notices_for(&Right::Access) {
            let Some(letter) = Letter::at(notice.step) else {
                continue;
            };
            let conditional = matches!(
                notice.step,
                Step::CannotIdentify | Step::RecipientsNamed | Step::AppealDenied
            );
            let said = request.notices(letter, &regime).contains(&notice);
            assert!(said || conditional, "{id} {:?}", notice.step);
        }
    }
}

// ---- their last days

#[test]
fn an_acknowledgement_that_does_not_go_out_is_overdue_and_seen_as_due() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_ca_ccpa"));
    let last = course
        .request()
        .letter_due(Letter::Acknowledgement)
        .unwrap();
    assert!(last < course.request().answer_due().unwrap());
    assert_eq!(
        course.request().due_at(),
        Some(last),
        "the earliest of what is open"
    );
    assert_eq!(course.situation.timers[&Timer::Acknowledgement], last);
    let mut sent = Course::of(World::simple(Right::Access).under_law("us_ca_ccpa"));
    sent.give(lifecycle::Command::LetterSent {
        letter: Letter::Acknowledgement,
    });
    assert!(!sent.situation.timers.contains_key(&Timer::Acknowledgement));
    assert_eq!(sent.request().due_at(), sent.request().answer_due());

    course.fire(Timer::Acknowledgement);
    assert_eq!(overdue(&course.last), [Letter::Acknowledgement]);
    assert_eq!(
        course.request().lifecycle.late_letters,
        [Letter::Acknowledgement]
    );
    // What moves the clock does not make it overdue again.
    course.give(lifecycle::Command::RequestIdentity);
    assert!(
        !course
            .situation
            .timers
            .contains_key(&Timer::Acknowledgement)
    );
}

/// An extension does not extend the time to refuse. Nobody is late with a refusal before there is
/// one.
#[test]
fn whoever_extended_must_still_refuse_in_the_first_month() {
    let mut course = Course::of(World::simple(Right::Access));
    let month = course.request().answer_due().unwrap();
    course.give(extend());
    assert_eq!(course.situation.timers[&Timer::Extension], month);
    assert_eq!(course.request().due_at(), Some(month), "until it is out");
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::Extension,
    });
    assert!(!course.situation.timers.contains_key(&Timer::Extension));
    assert!(!course.situation.timers.contains_key(&Timer::Refusal));
    assert_eq!(course.request().letter_due(Letter::Refusal), Some(month));
    let mut in_time = Course {
        situation: course.situation.clone(),
        last: course.last.clone(),
        effects: course.effects.clone(),
        world: World::simple(Right::Access),
    };
    in_time.give(refuse("manifestly_unfounded"));
    assert_eq!(in_time.situation.timers[&Timer::Refusal], month);
    in_time.answered();
    assert!(!in_time.situation.timers.contains_key(&Timer::Refusal));

    course.situation.now = month;
    course.give(lifecycle::Command::ConfirmIdentity);
    assert_eq!(overdue(&course.last), [], "nobody refuses");
    course.give(refuse("manifestly_unfounded"));
    assert_eq!(course.request().due_at(), Some(month), "late already");
    course.answered();
    assert_eq!(overdue(&course.last), [Letter::Refusal]);
    assert_eq!(course.request().due_at(), None);
}

/// An extension counts only if its letter is out in time.
#[test]
fn an_extension_that_nobody_was_told_of_never_took_effect() {
    let extended = || {
        let mut course = Course::of(World::simple(Right::Access));
        let month = course.request().answer_due().unwrap();
        course.give(extend());
        (course, month)
    };
    let letter = Letter::Extension;
    let failure = datarights::model::Failure::Refused;
    let (mut refused, month) = extended();
    refused.give(lifecycle::Command::LetterFailed { letter, failure });
    refused.fire(Timer::Extension);
    let (mut posted, _) = extended();
    posted.situation.now = month + TimeDelta::days(50);
    posted.give(lifecycle::Command::LetterSent { letter });
    for course in [&refused, &posted] {
        assert_eq!(overdue(&course.last), [letter]);
        let life = &course.request().lifecycle;
        assert!(!life.extended && life.overdue);
        assert_eq!(course.request().answer_due(), Some(month));
        let passed = Event::DeadlinePassed { at: month };
        assert!(course.last.events.iter().any(|e| e.event == passed));
        assert_eq!(life.stuck_letters, [], "there is nothing to tell any more");
        assert!(matches!(
            course.attempt(lifecycle::Command::Resend { letter }),
            Err(Rejection::NoSuchStep { .. })
        ));
        assert!(matches!(
            course.attempt(extend()),
            Err(Rejection::ExtensionTooLate { .. })
        ));
    }
    let (mut told, _) = extended();
    told.give(lifecycle::Command::LetterSent { letter });
    let later = told.request().answer_due();
    told.situation.now = month + TimeDelta::days(1);
    told.give(lifecycle::Command::ConfirmIdentity);
    assert_eq!(told.request().answer_due(), later);
}

#[test]
fn an_extension_without_a_length_needs_the_date_that_it_promises() {
    let mut course = Course::of(World::simple(Right::Access).under_law("ch_fadp"));
    let extend = |until| lifecycle::Command::Extend {
        ground: Ground::new("complexity"),
        until,
    };
    let before = course.request().clone();
    assert!(matches!(
        course.attempt(extend(None)),
        Err(Rejection::Law(law::ClockError::ExtensionWithoutDate { .. }))
    ));
    for too_soon in [-1, 15, 30] {
        assert!(matches!(
            course.attempt(extend(Some(day(too_soon)))),
            Err(Rejection::Law(law::ClockError::ExtensionShortens { earliest, .. }))
                if earliest == day(31)
        ));
    }
    assert_eq!(*course.request(), before);
    course.give(extend(Some(day(60))));
    let due = course.request().answer_due().unwrap();
    assert!(due > start() + TimeDelta::days(60) && due < start() + TimeDelta::days(62));
}

#[test]
fn an_extension_of_fixed_length_takes_no_other_date() {
    let course = Course::of(World::simple(Right::Access).under_law("eu_gdpr"));
    let before = course.request().clone();
    let extend = lifecycle::Command::Extend {
        ground: Ground::new("complexity"),
        until: Some(day(60)),
    };
    assert!(matches!(
        course.attempt(extend),
        Err(Rejection::Law(law::ClockError::ExtensionLengthFixed { .. }))
    ));
    assert_eq!(*course.request(), before);
}

#[test]
fn a_waived_fee_gives_no_time() {
    for regime in ["uk_gdpr", "ch_fadp"] {
        let mut course = Course::of(World::simple(Right::Access).under_law(regime));
        course.give(lifecycle::Command::ConfirmIdentity);
        let due = course.request().answer_due();
        assert!(due.is_some());
        for _ in 0..2 {
            course.give(lifecycle::Command::ChargeFee {
                minor_units: 1000,
                currency: "GBP".to_owned(),
                ground: (regime == "uk_gdpr").then(|| Ground::new("excessive_repetitive")),
            });
            assert_eq!(
                course.request().answer_due(),
                due,
                "they were not asked yet"
            );
            course.sent(Letter::FeeRequest);
            assert_eq!(course.request().answer_due(), None, "{regime}");
            course.situation.now += TimeDelta::days(8);
            course.give(lifecycle::Command::WaiveFee);
            assert_eq!(course.request().answer_due(), due, "{regime}");
        }
    }
}

#[test]
fn an_appeal_has_a_deadline_where_the_law_gives_one() {
    let answered = |regime| {
        let mut course = Course::of(World::simple(Right::Access).under_law(regime));
        course.give(refuse(match regime {
            "eu_gdpr" => "manifestly_unfounded",
            _ => "trade_secret",
        }));
        course.answered().give(lifecycle::Command::Appeal);
        course
    };
    assert_eq!(answered("eu_gdpr").request().due_at(), None);
    let mut course = answered("us_va"); // 60 days, Va. Code 59.1-577(C)
    let due = course.request().due_at().unwrap();
    assert_eq!(due.date_naive(), day(60));
    assert_eq!(course.situation.timers[&Timer::AppealDecision], due);
    course.fire(Timer::AppealDecision);
    assert_eq!(overdue(&course.last), [Letter::AppealDecision]);
    course.give(lifecycle::Command::DecideAppeal { granted: false });
    assert!(asks_for(&course.last, Letter::AppealDecision));
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::AppealDecision,
    });
    assert_eq!(course.request().due_at(), None);
}

#[test]
fn several_letters_wait_at_once() {
    let mut course = Course::of(World::simple(Right::Access));
    for letter in [
        Letter::Acknowledgement,
        Letter::IdentityRequest,
        Letter::Acknowledgement,
    ] {
        let pending = pending();
        course.give(lifecycle::Command::LetterPending { letter, pending });
    }
    let waiting = |course: &Course| {
        let letters = &course.request().lifecycle.pending_letters;
        letters
            .iter()
            .map(|(letter, _)| *letter)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        waiting(&course),
        [Letter::IdentityRequest, Letter::Acknowledgement]
    );
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::IdentityRequest,
    });
    assert_eq!(waiting(&course), [Letter::Acknowledgement]);
}

#[test]
fn a_deadline_is_extended_as_often_as_the_law_allows() {
    let mut law = (*Regimes::builtin().get("eu_gdpr").unwrap()).clone();
    for clock in &mut law.clocks {
        if let Some(extension) = &mut clock.extension {
            extension.times = 2; // as in Korea, for reviews
        }
    }
    let mut course = Course::of(World::simple(Right::Access).with_law(law.clone().into()));
    let mut due = course.request().answer_due().unwrap();
    for number in 0..2 {
        course.give(extend());
        assert_eq!(
            course.situation.timers[&Timer::Extension],
            due,
            "each is announced while the one before it runs"
        );
        if number == 1 {
            let mut silent = Course {
                situation: course.situation.clone(),
                last: course.last.clone(),
                effects: Vec::new(),
                world: World::simple(Right::Access).with_law(law.clone().into()),
            };
            silent.fire(Timer::Extension);
            assert_eq!(
                silent.request().answer_due(),
                Some(due),
                "the first one stands"
            );
            assert!(silent.request().lifecycle.extended);
        } else {
            let untold = course.attempt(extend());
            assert_eq!(untold.unwrap_err(), Rejection::ExtensionUntold);
        }
        course.give(lifecycle::Command::LetterSent {
            letter: Letter::Extension,
        });
        let later = course.request().answer_due().unwrap();
        assert!(later > due + TimeDelta::days(50));
        due = later;
    }
    let before = course.request().clone();
    let third = course.attempt(extend());
    assert_eq!(third.unwrap_err(), Rejection::Once { what: "extend" });
    assert_eq!(*course.request(), before);
    course.situation.now = due;
    let late = course.attempt(extend());
    assert!(
        matches!(late, Err(Rejection::ExtensionTooLate { .. })),
        "{late:?}"
    );
}

/// Swiss law: the thirty days begin when the ten to think about the fee are over.
#[test]
fn a_fee_that_must_be_accepted_moves_the_deadline_behind_the_days_to_think() {
    let charged = || {
        let mut course = Course::of(World::simple(Right::Access).under_law("ch_fadp"));
        course.give(lifecycle::Command::ConfirmIdentity);
        course.give(charge(None)).sent(Letter::FeeRequest);
        assert_eq!(
            course.request().answer_due(),
            None,
            "it waits for the person"
        );
        course
    };
    let mut course = charged();
    course
        .wait(TimeDelta::days(2))
        .give(lifecycle::Command::PayFee);
    let due = course.request().answer_due().unwrap();
    assert_eq!(due.date_naive(), day(40));
    let mut late = charged();
    late.wait(TimeDelta::days(11));
    let before = late.request().clone();
    let paid = late.attempt(lifecycle::Command::PayFee);
    // Silence was a withdrawal, whoever recorded it first.
    let closed = matches!(&paid, Err(Rejection::NotNow { phase, .. }) if phase == "closed");
    assert!(closed, "{paid:?}");
    assert_eq!(*late.request(), before);
}

/// What is asked of the person counts from the letter that asks them. One that is not out stops no
/// clock and lets nothing expire, and what they answer without it moves nothing.
#[test]
fn a_question_counts_from_the_letter_that_is_out() {
    let asked = |letter| {
        let mut course = Course::of(World::simple(Right::Access).under_law("uk_gdpr"));
        if letter != Letter::IdentityRequest {
            course.give(lifecycle::Command::ConfirmIdentity);
        }
        course.give(match letter {
            Letter::IdentityRequest => lifecycle::Command::RequestIdentity,
            Letter::FeeRequest => charge(Some("excessive_repetitive")),
            _ => lifecycle::Command::AskClarification,
        });
        course
    };
    for (letter, answer) in [
        (Letter::IdentityRequest, lifecycle::Command::ConfirmIdentity),
        (Letter::ClarificationRequest, lifecycle::Command::Clarify),
        (Letter::FeeRequest, lifecycle::Command::PayFee),
    ] {
        let fresh = Course::of(World::simple(Right::Access).under_law("uk_gdpr"));
        let due = fresh.request().answer_due();
        let mut course = asked(letter);
        course.give(lifecycle::Command::LetterFailed {
            letter,
            failure: Failure::Unavailable,
        });
        assert_eq!(course.request().answer_due(), due, "{letter:?} is not out");
        assert!(!course.situation.timers.contains_key(&Timer::Expiry));
        // Answered all the same, by who was asked in another way.
        let mut without = asked(letter);
        without.wait(TimeDelta::days(5)).give(answer.clone());
        assert_eq!(without.request().answer_due(), due, "{letter:?}");

        course
            .wait(TimeDelta::days(3))
            .give(lifecycle::Command::Resend { letter })
            .sent(letter);
        let since = course.situation.now;
        assert_eq!(course.request().lifecycle.waiting_since, Some(since));
        assert_eq!(course.request().answer_due(), None, "it waits for them");
        let answer_within = course.world.policy.answer_within;
        let until = since + answer_within;
        assert_eq!(course.situation.timers[&Timer::Expiry], until);
        // Sent once more, by hand: it is the same question.
        course.wait(TimeDelta::days(1)).sent(letter);
        assert_eq!(course.situation.timers[&Timer::Expiry], until);
        course.wait(TimeDelta::days(4)).give(answer);
        assert!(course.request().answer_due() > due, "{letter:?}");
        assert!(course.request().lifecycle.stuck_letters.is_empty());
    }
}

/// Who could not be asked for evidence is not waited for, and hears of it once more.
#[test]
fn a_challenge_that_failed_is_known_until_it_is_repeated() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(lifecycle::Command::RequestIdentity);
    let failure = Failure::Unavailable;
    course.give(lifecycle::Command::ChallengeFailed {
        failure: failure.clone(),
    });
    // The letter is another matter.
    course.sent(Letter::IdentityRequest);
    let life = &course.request().lifecycle;
    assert_eq!(life.stuck_challenge, Some(failure));
    assert!(life.stuck_letters.is_empty());
    assert!(!course.situation.timers.contains_key(&Timer::Expiry));
    course.give(lifecycle::Command::Challenge);
    assert_eq!(course.request().lifecycle.stuck_challenge, None);
    let effects = course.last.effects.iter();
    let effects: Vec<_> = effects.map(|(_, effect)| effect.clone()).collect();
    assert_eq!(effects, [Effect::Challenge]);
    assert!(course.situation.timers.contains_key(&Timer::Expiry));
    course.give(lifecycle::Command::ConfirmIdentity);
    let late = course.attempt(lifecycle::Command::Challenge);
    assert!(matches!(late, Err(Rejection::NotNow { .. })), "{late:?}");
}

/// Nobody can answer a challenge that did not reach them: no clock stands still for it, whichever of
/// letter and challenge came first, until the challenge is repeated.
#[test]
fn no_clock_stands_still_for_a_challenge_that_failed() {
    let asked = || {
        let mut course = Course::of(World::simple(Right::Access).under_law("uk_gdpr"));
        course.give(lifecycle::Command::RequestIdentity);
        course
    };
    let failed = lifecycle::Command::ChallengeFailed {
        failure: Failure::Unavailable,
    };
    for letter_first in [true, false] {
        let mut course = asked();
        let due = course.request().answer_due();
        if letter_first {
            course.sent(Letter::IdentityRequest);
            assert_eq!(course.request().answer_due(), None);
            course.give(failed.clone());
        } else {
            course.give(failed.clone());
            course.sent(Letter::IdentityRequest);
        }
        // All of it happened on the day of receipt.
        assert_eq!(course.request().answer_due(), due, "{letter_first}");
        course.wait(TimeDelta::days(20));
        // However it goes on without the challenge, what ran is not put off.
        let confirm = course.attempt(lifecycle::Command::ConfirmIdentity);
        assert_eq!(confirm.unwrap().next.answer_due(), due, "{letter_first}");
        let refused = course.attempt(refuse("manifestly_unfounded"));
        assert_eq!(refused.unwrap().next.answer_due(), due, "{letter_first}");
        // Asked again, it is the person's turn.
        course.give(lifecycle::Command::Challenge);
        assert_eq!(course.request().answer_due(), None, "{letter_first}");
        course.give(failed.clone());
        assert!(course.request().answer_due().is_some(), "{letter_first}");
        course.give(lifecycle::Command::Challenge);
        course.wait(TimeDelta::days(2));
        course.give(lifecycle::Command::ConfirmIdentity);
        assert!(course.request().answer_due() > due, "{letter_first}");
    }
}

/// Only staff withdraws what carries on another request; one that is over carries on none.
#[test]
fn what_others_joined_is_not_withdrawn_by_the_person() {
    let mut course = Course::of(World::simple(Right::Access));
    let request = RequestId::new(uuid::Uuid::from_u128(98));
    let joined = lifecycle::Command::JoinedBy { request };
    course.give(joined.clone());
    let withdraw = Command::from(lifecycle::Command::Withdraw);
    let now = course.situation.now;
    let by = |actor: &Actor| course.world.decide(course.request(), now, actor, &withdraw);
    for actor in [Actor::Person, Actor::Host] {
        assert_eq!(by(&actor).unwrap_err(), Rejection::Joined { by: request });
    }
    assert!(by(&staff("ada")).is_ok());
    course.give(refuse("manifestly_unfounded"));
    let late = course.attempt(joined);
    assert!(matches!(late, Err(Rejection::TooLate { .. })), "{late:?}");
}

// ---- whoever comes before the worker

/// A command may end what is watched, and come before the worker that would have seen it pass.
#[test]
fn what_passed_is_recorded_whoever_commands_first() {
    let late = |regime| {
        let mut course = Course::of(World::simple(Right::Access).under_law(regime));
        let due = course.request().answer_due().unwrap();
        course.situation.now = due + TimeDelta::days(60);
        (course, due)
    };
    let passed = |course: &Course, due| {
        let first = &course.last.events[0];
        assert_eq!(first.event, Event::DeadlinePassed { at: due });
        assert_eq!(first.actor, Actor::Engine, "nobody's doing");
        assert!(course.request().lifecycle.overdue);
        assert!(!course.situation.timers.contains_key(&Timer::Deadline));
    };
    for command in [
        lifecycle::Command::Withdraw,
        lifecycle::Command::RequestIdentity,
    ] {
        let (mut course, due) = late("uk_gdpr");
        course.give(command);
        passed(&course, due);
    }
    // A refusal that was posted by hand: it is recorded when somebody says so.
    let mut posted = Course::of(World::simple(Right::Access));
    let due = posted.request().answer_due().unwrap();
    posted.give(refuse("manifestly_unfounded"));
    posted.situation.now = due;
    posted.answered();
    passed(&posted, due);
    // And a receipt.
    let mut course = Course::of(World::simple(Right::Access).under_law("us_ca_ccpa"));
    let last = course.request().letter_due(Letter::Acknowledgement);
    course.situation.now = last.unwrap();
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::Acknowledgement,
    });
    assert_eq!(overdue(&course.last), [Letter::Acknowledgement]);
}

/// What an appeal changed is answered anew by the day on which the appeal is due.
#[test]
fn after_a_granted_appeal_there_is_a_deadline_again() {
    let granted = |regime, ground| {
        let mut course = Course::of(World::simple(Right::Access).under_law(regime));
        course.give(refuse(ground)).answered();
        course.wait(TimeDelta::days(50));
        course.give(lifecycle::Command::Appeal);
        let last = course.request().due_at();
        course.give(lifecycle::Command::DecideAppeal { granted: true });
        (course, last)
    };
    let (mut course, last) = granted("us_va", "trade_secret");
    let last = last.unwrap();
    assert_eq!(course.request().answer_due(), Some(last));
    assert_eq!(course.situation.timers[&Timer::Deadline], last);
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::AppealDecision,
    });
    assert!(!course.request().lifecycle.overdue, "the first was in time");
    course.situation.now = last;
    course.give(refuse("trade_secret"));
    assert!(course.request().lifecycle.overdue);
    let passed = Event::DeadlinePassed { at: last };
    assert_eq!(course.last.events[0].event, passed);
    // Without one, what was owed by the first day was not given by it: that is recorded.
    let (mut none, _) = granted("eu_gdpr", "manifestly_unfounded");
    let month = none.request().answer_due().unwrap();
    none.fire(Timer::Deadline);
    let passed = Event::DeadlinePassed { at: month };
    assert_eq!(none.last.events[0].event, passed);
}

/// A clock that stood still for the person's answer runs on when they are refused without it: the
/// refusal has a last day, and so has what an appeal brings.
#[test]
fn a_clock_does_not_stand_still_for_who_is_refused() {
    for (law, ask, letter) in [
        (
            "uk_gdpr",
            lifecycle::Command::AskClarification,
            Letter::ClarificationRequest,
        ),
        (
            "uk_gdpr",
            charge(Some("excessive_repetitive")),
            Letter::FeeRequest,
        ),
    ] {
        let mut course = Course::of(World::simple(Right::Access).under_law(law));
        let due = course.request().answer_due();
        course
            .give(lifecycle::Command::ConfirmIdentity)
            .give(ask)
            .sent(letter);
        assert_eq!(course.request().answer_due(), None);
        course
            .wait(TimeDelta::days(5))
            .give(refuse("manifestly_unfounded"));
        let last = course.request().answer_due();
        assert!(last > due, "{last:?} {due:?}");
        assert_eq!(course.situation.timers.get(&Timer::Deadline), last.as_ref());
        course.answered().give(lifecycle::Command::Appeal);
        course.give(lifecycle::Command::DecideAppeal { granted: true });
        assert!(course.request().answer_due().is_some());
    }
}

/// Whoever was refused before it was known who they are, and is right in that, is asked then.
#[test]
fn who_they_are_is_asked_after_a_granted_appeal() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(refuse("manifestly_unfounded")).answered();
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    let unknown = course.attempt(lifecycle::Command::Approve);
    assert_eq!(unknown.unwrap_err(), Rejection::NotIdentified);
    course
        .give(lifecycle::Command::RequestIdentity)
        .sent(Letter::IdentityRequest)
        .give(lifecycle::Command::ConfirmIdentity);
    let again = course.attempt(lifecycle::Command::RequestIdentity);
    assert!(matches!(again, Err(Rejection::TooLate { .. })), "{again:?}");
    course.give(lifecycle::Command::Approve);
    assert_eq!(
        course.request().lifecycle.phase,
        lifecycle::Phase::Fulfilment
    );
}

/// A letter about what is not decided yet is not taken for the one that will be owed.
#[test]
fn a_letter_about_what_is_not_decided_does_not_count() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_va"));
    for letter in [Letter::Refusal, Letter::AppealDecision] {
        let early = course.attempt(lifecycle::Command::LetterSent { letter });
        assert!(
            matches!(early, Err(Rejection::NoSuchStep { .. })),
            "{early:?}"
        );
    }
    course.give(refuse("trade_secret")).answered();
    course.give(lifecycle::Command::Appeal);
    assert!(course.request().due_at().is_some());
}

/// An erasure that was answered in time and is taken up again is not late by that.
#[test]
fn an_answer_in_time_stays_in_time() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    let due = course.request().answer_due().unwrap();
    course
        .work_until(datarights::workflow::fulfilment::Phase::Erasing)
        .answer_source(
            "crm",
            datarights::workflow::StepResult::Failed(datarights::model::Failure::Unavailable),
        );
    course.give(lifecycle::Command::Release).answered();
    course.situation.now = due + TimeDelta::days(3);
    course.give(lifecycle::Command::Rework);
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::Acknowledgement,
    });
    assert!(!course.request().lifecycle.overdue);
    assert_eq!(course.request().answer_due(), None);
}

// ---- silence

/// Silence is no ground: where the law wants grounds and remedies told, nobody gets nothing
/// without them.
#[test]
fn whoever_is_silent_is_refused_by_somebody_on_a_ground() {
    let mut closed = Vec::new();
    for id in Regimes::builtin().ids() {
        let law = Regimes::builtin().get(id.as_str()).unwrap();
        let granted = law.right(&Right::Access);
        if granted.is_none_or(|rule| rule.from.is_some()) || !law.in_force.contains(day(0)) {
            continue;
        }
        let wanted = law.notices_for(&Right::Access).any(|notice| {
            let steps = [Step::Refusal, Step::AppealInformation, Step::CannotIdentify];
            notice.mandatory && steps.contains(&notice.step)
        }) || law
            .grounds
            .iter()
            .any(|ground| ground.uses.contains(&GroundUse::Refuse));
        for asked in [
            lifecycle::Command::RequestIdentity,
            lifecycle::Command::AskClarification,
        ] {
            let mut course = Course::of(World::simple(Right::Access).with_law(law.clone()));
            if asked == lifecycle::Command::AskClarification {
                course.give(lifecycle::Command::ConfirmIdentity);
            }
            let letter = match asked {
                lifecycle::Command::RequestIdentity => Letter::IdentityRequest,
                _ => Letter::ClarificationRequest,
            };
            course.give(asked);
            assert!(course.request().lifecycle.waiting_since.is_none());
            course.sent(letter).fire(Timer::Expiry);
            let life = &course.request().lifecycle;
            assert_eq!(life.is_closed(), !wanted, "{id}");
            assert_eq!(life.unanswered, wanted, "{id}");
            assert_eq!(asks_for(&course.last, Letter::Expiry), !wanted);
            if !wanted {
                closed.push(id.to_string());
                continue;
            }
            assert!(life.waiting_since.is_some(), "they can still answer");
            if let Some(ground) = law.grounds_for(&Right::Access, GroundUse::Refuse).next() {
                let ground = Ground::new(ground.code.to_string());
                course.give(lifecycle::Command::Refuse { ground });
                assert!(!course.request().lifecycle.unanswered);
            }
        }
    }
    assert!(!closed.is_empty());
}

// ---- what only some laws count

/// PIPEDA counts the thirty days to announce an extension from the date of the request.
#[test]
fn the_date_on_the_letter_counts_where_the_law_says_so() {
    let world = World::simple(Right::Access).under_law("ca_pipeda");
    let received = |dated| {
        let mut intake = world.intake();
        intake.dated = dated;
        let pin = world.setting().regime.pin().unwrap();
        let host = Actor::Host;
        let context = world.context(start(), &host, &datarights::workflow::Cause::Command);
        receive(intake, pin, &context)
    };
    let cutoff = |dated| {
        let request = received(dated).unwrap().next;
        request.letter_due(Letter::Extension).unwrap()
    };
    let ten = TimeDelta::days(10);
    let earlier = cutoff(None) - cutoff(Some(day(-10)));
    assert!((earlier - ten).abs() <= TimeDelta::days(2), "{earlier}");
    assert_eq!(
        received(Some(day(1))).unwrap_err(),
        Rejection::Malformed {
            what: "the date of the letter",
            accepted: "a day no later than that of its receipt",
        }
    );
    // It stays with the request when its clocks move.
    let mut course = Course::of(World::simple(Right::Access).under_law("ca_pipeda"));
    course.situation = Situation::after(received(Some(day(-10))).unwrap());
    let before = course.request().letter_due(Letter::Extension);
    course.give(lifecycle::Command::Extend {
        ground: Ground::new(first_ground("ca_pipeda", GroundUse::Extend)),
        until: None,
    });
    assert_eq!(
        course.situation.timers.get(&Timer::Extension).copied(),
        before
    );
    course.fire(Timer::Extension);
    assert_eq!(course.request().letter_due(Letter::Extension), before);
}

fn first_ground(law: &str, usage: GroundUse) -> String {
    let law = Regimes::builtin().get(law).unwrap();
    let ground = law.grounds_for(&Right::Access, usage).next();
    ground.unwrap().code.to_string()
}

/// Singapore: processing ceases within ten business days.
#[test]
fn the_day_by_which_processing_ends_after_a_withdrawal_is_watched() {
    let mut course = Course::of(World::simple(Right::ConsentWithdrawal).under_law("sg_pdpa"));
    let due = course.request().answer_due().unwrap();
    assert_eq!(
        due.date_naive(),
        day(14),
        "2 March is a Monday; to the end of the 16th"
    );
    assert_eq!(course.situation.timers[&Timer::Deadline], due);
    course.fire(Timer::Deadline);
    assert!(course.request().lifecycle.overdue);
    // Law 25 has no number for that, and one for the answer; the GDPR has none at all.
    let none = Course::of(World::simple(Right::ConsentWithdrawal));
    assert_eq!(
        none.request().answer_due(),
        none.request().clock.late_from()
    );
}
