//! Restriction, objection, withdrawal of consent, opt-out, limits on sensitive data, human review:
//! each from intake to its end, through the whole engine, in virtual time.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use chrono::TimeDelta;
use common::{World, staff};
use datarights::engine::{Completion, Engine, EngineError, Intake};
use datarights::model::{
    Actor, Channel, Failure, Ground, Identifier, Outcome, PartyId, Purpose, RequestId, Right, Use,
    Verdict, Wish,
};
use datarights::ports::{ErrorKind, Instruction};
use datarights::testkit::{Fault, Faulty, Method, Recipient};
use datarights::workflow::fulfilment::{self, Phase as Work};
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{Event, Letter, Rejection, Request, Target, Task};

fn mail(address: &str) -> Identifier {
    Identifier::mail(address).unwrap()
}

fn ada() -> Identifier {
    mail("ada@example.org")
}

fn phone() -> Identifier {
    Identifier::phone("+44 1815 1210").unwrap()
}

fn newsletter() -> Use {
    Use::Purpose(Purpose("newsletter".into()))
}

fn phase(request: &Request) -> Work {
    request.fulfilment.as_ref().unwrap().phase
}

/// What the recipient was told, in order.
fn told(world: &World) -> Vec<Instruction> {
    let received = world.recipient.received().into_iter();
    let orders = received.filter_map(|received| received.order);
    orders.map(|order| order.instruction).collect()
}

/// The letters about a request, by kind.
fn letters(world: &World, request: RequestId) -> Vec<String> {
    let letters = world.outbox.letters_about(request).into_iter();
    letters.map(|l| l.notice.kind.into_owned()).collect()
}

fn restricted(world: &World) -> (usize, usize) {
    let rows = |source: &datarights::adapters::MemorySource| {
        let rows = source.rows_of("1");
        rows.iter().filter(|row| row.restricted).count()
    };
    (rows(&world.desk), rows(&world.log))
}

fn submit_as(world: &World, engine: &Engine, who: Identifier, law: &str, wish: Wish) -> RequestId {
    let intake = Intake::new(Channel::Form, vec![who], [wish]).under(law);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    world.clock.drive(submitted).unwrap().unwrap()[0].request
}

fn rejected<T: std::fmt::Debug>(result: Result<T, EngineError>) -> Rejection {
    match result {
        Err(EngineError::Rejected(rejection)) => rejection,
        other => panic!("not rejected: {other:?}"),
    }
}

/// A restriction in force, its answer out.
fn in_force(world: &World, engine: &Engine) -> RequestId {
    let request = world.submit(engine, Wish::of(Right::Restriction));
    world.approve(engine, request);
    world.work(engine);
    let seen = world.see(engine, request);
    assert_eq!(
        (seen.lifecycle.phase, phase(&seen)),
        (Phase::Answered, Work::Restricted)
    );
    request
}

fn lift(world: &World, engine: &Engine, request: RequestId) {
    world
        .command(engine, request, &staff("alice"), fulfilment::Command::Lift)
        .unwrap();
}

// ---- restriction

#[test]
fn a_restriction_stays_until_it_is_lifted_and_the_person_is_told_before() {
    let world = World::new();
    let engine = world.engine();
    let request = in_force(&world, &engine);
    assert_eq!(restricted(&world), (3, 2), "the phone led to the log");
    assert_eq!(told(&world), [Instruction::Restrict(true)]);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));

    // Its legal course closes; it stays in force, and the request with it.
    world.work_until(&engine, world.now() + TimeDelta::days(2_000));
    let seen = world.see(&engine, request);
    assert!(seen.lifecycle.is_closed() && seen.is_open());
    assert_eq!(restricted(&world), (3, 2));

    // The letter comes first: while it cannot go out, nothing is lifted.
    world.recorder.clear();
    lift(&world, &engine, request);
    assert_eq!(phase(&world.see(&engine, request)), Work::Announcing);
    assert_eq!(restricted(&world), (3, 2));
    world.work(&engine);
    assert_eq!(
        letters(&world, request).last().unwrap(),
        "restriction_lifted"
    );
    assert_eq!(restricted(&world), (0, 0));
    assert_eq!(
        told(&world),
        [Instruction::Restrict(true), Instruction::Restrict(false)]
    );
    let seen = world.see(&engine, request);
    assert_eq!(phase(&seen), Work::Ended);
    assert!(!seen.is_open());

    // In this order, in the record too.
    let eve = staff("eve");
    let timeline = engine.timeline(&world.acme, request, &eve);
    let timeline = world.clock.drive(timeline).unwrap().unwrap();
    let place =
        |wanted: &dyn Fn(&Event) -> bool| timeline.iter().position(|e| wanted(&e.event)).unwrap();
    let letter = place(&|event| {
        let letter = Letter::RestrictionLifted;
        *event == Event::LetterSent { letter }
    });
    let lifted = place(
        &|event| matches!(event, Event::StepAnswered { task, .. } if *task == Task::Unrestrict),
    );
    assert!(letter < lifted);
}

#[test]
fn a_restriction_whose_end_cannot_be_told_is_not_lifted() {
    let mut world = World::new();
    let faulty = datarights::testkit::Faulty::new(
        "outbox",
        world.outbox.clone(),
        std::sync::Arc::new(world.clock.clone()),
    );
    world.notifier = std::sync::Arc::new(faulty.clone());
    let engine = world.engine();
    let request = in_force(&world, &engine);
    faulty.will(Method::Notify, vec![Fault::Fail(ErrorKind::Refused); 1]);
    lift(&world, &engine, request);
    world.work_until(&engine, world.now() + TimeDelta::days(30));
    let seen = world.see(&engine, request);
    assert_eq!(phase(&seen), Work::Announcing);
    assert_eq!(seen.lifecycle.stuck_letters.len(), 1);
    assert_eq!(restricted(&world), (3, 2));

    // Sent again, it is lifted.
    let letter = Letter::RestrictionLifted;
    let resend = lifecycle::Command::Resend { letter };
    world
        .command(&engine, request, &staff("alice"), resend)
        .unwrap();
    world.work(&engine);
    assert_eq!(restricted(&world), (0, 0));
}

#[test]
fn a_letter_about_the_end_of_a_restriction_counts_only_when_it_is_to_end() {
    let world = World::new();
    let engine = world.engine();
    let request = in_force(&world, &engine);
    let (alice, letter) = (staff("alice"), Letter::RestrictionLifted);
    let posted = engine.letter_posted(&world.acme, request, &alice, letter);
    let posted = world.clock.drive(posted).unwrap();
    assert!(matches!(rejected(posted), Rejection::NoSuchStep { .. }));
    assert_eq!(restricted(&world), (3, 2));
}

#[test]
fn a_restriction_is_not_lifted_before_the_person_has_the_answer() {
    let mut world = World::new();
    world.policy.review = datarights::workflow::Review::Always;
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Restriction));
    world.approve(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let early = world.command(&engine, request, &alice, fulfilment::Command::Lift);
    assert!(matches!(rejected(early), Rejection::NotNow { .. }));
    // Nor withdrawn: what was changed is changed back by lifting it.
    let withdrawn = world.command(
        &engine,
        request,
        &Actor::Person,
        lifecycle::Command::Withdraw,
    );
    assert!(matches!(rejected(withdrawn), Rejection::TooLate { .. }));
}

#[test]
fn a_source_that_fails_does_not_keep_the_others_unrestricted() {
    let world = World::new();
    let engine = world.engine();
    world
        .log_port
        .will(Method::Restrict, vec![Fault::Fail(ErrorKind::Refused); 1]);
    let request = world.submit(&engine, Wish::of(Right::Restriction));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(restricted(&world), (3, 0));
    assert_eq!(seen.lifecycle.phase, Phase::Review, "somebody looks at it");
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let rework = lifecycle::Command::Rework;
    world
        .command(&engine, request, &staff("alice"), rework)
        .unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(restricted(&world), (3, 2));
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(told(&world).len(), 1, "a recipient hears of it once");

    // A lift that fails somewhere leaves it in force, and is tried again without a second letter.
    world
        .desk_port
        .will(Method::Restrict, vec![Fault::Fail(ErrorKind::Refused); 1]);
    lift(&world, &engine, request);
    world.work(&engine);
    assert_eq!(restricted(&world), (3, 0));
    assert_eq!(phase(&world.see(&engine, request)), Work::Restricted);
    assert_eq!(told(&world).len(), 1, "nobody is told that it is lifted");
    lift(&world, &engine, request);
    world.work(&engine);
    assert_eq!(restricted(&world), (0, 0));
    assert_eq!(told(&world).len(), 2);
    let sent = letters(&world, request);
    let sent = sent.iter().filter(|kind| *kind == "restriction_lifted");
    assert_eq!(sent.count(), 1);
}

#[test]
fn a_correction_does_not_lift_what_was_asked_to_be_restricted() {
    let world = World::new();
    let engine = world.engine();
    in_force(&world, &engine);
    let correction = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, correction);
    world.work(&engine);
    world.approve_plan(&engine, correction);
    world.work(&engine);
    let seen = world.see(&engine, correction);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(restricted(&world), (3, 2));
}

#[test]
fn an_erasure_goes_through_a_restriction_and_what_is_gone_is_lifted_without_trouble() {
    let world = World::new();
    let engine = world.engine();
    let restriction = in_force(&world, &engine);
    let erasure = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, erasure);
    world.work(&engine);
    world.approve_plan(&engine, erasure);
    world.work(&engine);
    let seen = world.see(&engine, erasure);
    assert_eq!(phase(&seen), Work::Withholding);
    assert_eq!(
        restricted(&world),
        (1, 0),
        "the invoice is kept, restricted"
    );
    lift(&world, &engine, restriction);
    world.work(&engine);
    assert_eq!(phase(&world.see(&engine, restriction)), Work::Ended);
    assert_eq!(restricted(&world), (0, 0));
}

// ---- uses that end at once

#[test]
fn a_withdrawn_consent_ends_its_uses_at_once_everywhere() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::ConsentWithdrawal));
    // Nobody confirmed or approved anything, and the work is there already.
    let seen = world.see(&engine, request);
    assert_eq!(
        (seen.lifecycle.phase, phase(&seen)),
        (Phase::Fulfilment, Work::Stopping)
    );
    assert!(!seen.lifecycle.identified);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert!(world.desk.is_stopped(&world.acme, &ada(), &Use::Consent));
    assert!(
        world.log.is_stopped(&world.acme, &phone(), &Use::Consent),
        "the phone led to the log"
    );
    let grace = mail("grace@example.org");
    assert!(!world.desk.is_stopped(&world.acme, &grace, &Use::Consent));
    assert!(
        !world
            .desk
            .is_stopped(&world.acme, &ada(), &Use::SaleOrSharing)
    );
    let stop = Instruction::Stop(vec![Use::Consent]);
    // Told at once, and again when the phone came to light.
    assert_eq!(told(&world), [stop.clone(), stop]);
    let last = world.recipient.received().pop().unwrap().order.unwrap();
    assert!(last.identifiers.contains(&phone()));
    assert_eq!(letters(&world, request), ["acknowledgement", "response"]);
    let response = world.outbox.letters_about(request).pop().unwrap().notice;
    assert_eq!(response.uses, [Use::Consent]);
}

#[test]
fn a_source_that_fails_keeps_no_other_waiting_and_success_waits_for_it() {
    let world = World::new();
    let engine = world.engine();
    world
        .desk_port
        .will(Method::Stop, [Fault::Pend(TimeDelta::days(3))]);
    let request = submit_as(
        &world,
        &engine,
        phone(),
        "eu_gdpr",
        Wish::stop(Right::Objection, vec![Use::DirectMarketing]),
    );
    // The desk is not found by phone; the log is, and the recipient is told.
    world.work(&engine);
    assert!(
        world
            .log
            .is_stopped(&world.acme, &phone(), &Use::DirectMarketing)
    );
    assert_eq!(told(&world).len(), 1);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].1.failure, Failure::NoIdentifier);

    // By mail, the desk takes three days; the recipient does not wait for it.
    let second = submit_as(
        &world,
        &engine,
        ada(),
        "eu_gdpr",
        Wish::stop(Right::Objection, vec![Use::DirectMarketing]),
    );
    world.work(&engine);
    assert_eq!(told(&world).len(), 2);
    let seen = world.see(&engine, second);
    assert_eq!(seen.lifecycle.phase, Phase::Fulfilment);
    assert_eq!(seen.lifecycle.outcome, None);
    world.work_until(&engine, world.now() + TimeDelta::days(4));
    let seen = world.see(&engine, second);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &ada(), &Use::DirectMarketing)
    );
}

#[test]
fn a_source_that_refuses_is_named_and_asked_again() {
    let world = World::new();
    let engine = world.engine();
    world
        .desk_port
        .will(Method::Stop, [Fault::Fail(ErrorKind::Refused)]);
    let request = world.submit(&engine, Wish::of(Right::ConsentWithdrawal));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(
        seen.lifecycle.outcome,
        Some(Outcome::Partly),
        "the recipient confirmed, the desk did not"
    );
    assert!(!world.desk.is_stopped(&world.acme, &ada(), &Use::Consent));
    let rework = lifecycle::Command::Rework;
    world
        .command(&engine, request, &staff("alice"), rework)
        .unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert!(world.desk.is_stopped(&world.acme, &ada(), &Use::Consent));
}

#[test]
fn whoever_is_not_there_yet_is_not_used_when_they_come() {
    let world = World::new();
    let engine = world.engine();
    let eve = mail("Eve@Example.org");
    let wish = Wish::stop(Right::Objection, vec![Use::DirectMarketing]);
    let request = submit_as(&world, &engine, eve, "eu_gdpr", wish);
    world.work(&engine);
    world
        .desk
        .insert("users", "9", ["Eve", "eve@example.org", "+1 555 0100"])
        .unwrap();
    let eve = mail("eve@example.org");
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &eve, &Use::DirectMarketing)
    );
    // The log could not be searched by mail: it is named.
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
}

#[test]
fn an_opt_out_needs_no_identity_where_the_law_says_so_and_one_where_it_does_not() {
    let world = World::new();
    let engine = world.engine();
    let california = submit_as(
        &world,
        &engine,
        ada(),
        "us_ca_ccpa",
        Wish::of(Right::OptOut),
    );
    world.work(&engine);
    let seen = world.see(&engine, california);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &ada(), &Use::SaleOrSharing)
    );
    // Due as the law says, in fifteen business days.
    let due = seen.clock.late_from().unwrap();
    assert_eq!(due.date_naive().to_string(), "2026-03-23");

    let limit = Wish::of(Right::LimitSensitive);
    let limit = submit_as(&world, &engine, ada(), "us_ca_ccpa", limit);
    world.work(&engine);
    assert_eq!(world.see(&engine, limit).lifecycle.phase, Phase::Answered);
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &ada(), &Use::SensitiveBeyondNeeds)
    );

    // Where an opt-out must be authenticated, it begins in the commit that confirms it.
    let grace = mail("grace@example.org");
    let indiana = Wish::of(Right::OptOut);
    let indiana = submit_as(&world, &engine, grace.clone(), "us_in", indiana);
    world.work(&engine);
    let seen = world.see(&engine, indiana);
    assert_eq!(seen.lifecycle.phase, Phase::Received);
    assert!(
        !world
            .desk
            .is_stopped(&world.acme, &grace, &Use::SaleOrSharing)
    );
    let confirm = lifecycle::Command::ConfirmIdentity;
    let seen = world
        .command(&engine, indiana, &staff("alice"), confirm)
        .unwrap();
    assert_eq!(phase(&seen), Work::Stopping);
    world.work(&engine);
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &grace, &Use::SaleOrSharing)
    );
}

#[test]
fn an_objection_to_other_purposes_is_weighed() {
    let world = World::new();
    let engine = world.engine();
    let wish = || Wish::stop(Right::Objection, vec![newsletter()]);
    let request = world.submit(&engine, wish());
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Received);
    assert!(seen.fulfilment.is_none());
    // The same again joins it; another purpose is another wish.
    let second = world.submit(&engine, wish());
    assert!(world.see(&engine, second).lifecycle.is_closed());
    let profiling = Use::Purpose(Purpose("profiling".into()));
    let other = world.submit(&engine, Wish::stop(Right::Objection, vec![profiling]));
    assert!(!world.see(&engine, other).lifecycle.is_closed());
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert!(world.desk.is_stopped(&world.acme, &ada(), &newsletter()));
}

/// GDPR Art. 18(1)(d): who objects can have the data restricted until it is weighed.
#[test]
fn data_is_restricted_while_an_objection_is_weighed_when_the_person_asks_for_that_too() {
    let world = World::new();
    let engine = world.engine();
    let objection = Wish::stop(Right::Objection, vec![newsletter()]);
    let both = [objection, Wish::of(Right::Restriction)];
    let intake = Intake::new(Channel::Form, vec![ada()], both);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let submitted = world.clock.drive(submitted).unwrap().unwrap();
    let (objection, restriction) = (submitted[0].request, submitted[1].request);
    world.approve(&engine, restriction);
    world.work(&engine);
    let weighed = world.see(&engine, objection);
    assert!(weighed.fulfilment.is_none(), "nobody decided yet");
    assert_eq!(restricted(&world), (3, 2));
    assert!(!world.desk.is_stopped(&world.acme, &ada(), &newsletter()));

    // The grounds prevail: the person is told both, and the restriction ends after its letter.
    let alice = staff("alice");
    let refuse = lifecycle::Command::Refuse {
        ground: Ground::new("compelling_grounds"),
    };
    world.command(&engine, objection, &alice, refuse).unwrap();
    world.work(&engine);
    assert_eq!(letters(&world, objection).last().unwrap(), "refusal");
    assert_eq!(restricted(&world), (3, 2), "until somebody lifts it");
    lift(&world, &engine, restriction);
    world.work(&engine);
    assert_eq!(
        letters(&world, restriction).last().unwrap(),
        "restriction_lifted"
    );
    assert_eq!(restricted(&world), (0, 0));
}

#[test]
fn what_ends_at_once_waits_for_no_lock() {
    let world = World::new();
    let engine = world.engine();
    // An erasure stands half-way and holds the locks.
    world
        .log_port
        .will(Method::Erase, [Fault::Pend(TimeDelta::days(14))]);
    let erasure = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, erasure);
    world.work(&engine);
    world.approve_plan(&engine, erasure);
    world.work(&engine);
    assert_eq!(phase(&world.see(&engine, erasure)), Work::Erasing);
    let request = world.submit(&engine, Wish::of(Right::ConsentWithdrawal));
    world.work(&engine);
    assert!(world.desk.is_stopped(&world.acme, &ada(), &Use::Consent));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
}

#[test]
fn a_use_is_ended_by_hand_where_a_person_does_the_work() {
    let world = World::new();
    let engine = world.engine();
    // The desk is a filing cabinet: the log is not led to by it.
    world
        .desk_port
        .will(Method::Stop, [Fault::Pend(TimeDelta::days(90))]);
    let intake = Intake::new(
        Channel::Letter,
        vec![ada(), phone()],
        [Wish::of(Right::ConsentWithdrawal)],
    );
    let submitted = engine.submit(&world.acme, &Actor::Host, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Fulfilment);
    assert!(world.log.is_stopped(&world.acme, &phone(), &Use::Consent));
    let (alice, desk) = (staff("alice"), Target::Source(common::source_id("desk")));
    let rows = Completion::Rows(vec![datarights::model::RowCount::new("folders", 2)]);
    let done = engine.complete(&world.acme, request, &alice, Task::Stop, &desk, rows);
    let seen = world.clock.drive(done).unwrap().unwrap();
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
}

#[test]
fn a_second_withdrawal_goes_its_own_way() {
    let world = World::new();
    let engine = world.engine();
    world
        .log_port
        .will(Method::Stop, vec![Fault::Pend(TimeDelta::days(30)); 2]);
    let first = world.submit(&engine, Wish::of(Right::ConsentWithdrawal));
    world.work(&engine);
    let second = world.submit(&engine, Wish::of(Right::ConsentWithdrawal));
    assert!(!world.see(&engine, second).lifecycle.is_closed());
    world.work_until(&engine, world.now() + TimeDelta::days(40));
    for request in [first, second] {
        let seen = world.see(&engine, request);
        assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    }
}

#[test]
fn a_source_and_a_recipient_of_one_name_are_both_asked() {
    let mut world = World::new();
    world.recipient = Recipient::new(PartyId::new("desk").unwrap(), "Desk Ltd");
    let clock = Arc::new(world.clock.clone());
    world.recipient_port = Arc::new(Faulty::new("desk", world.recipient.clone(), clock));
    let engine = world.engine();
    let wish = Wish::stop(Right::Objection, vec![Use::DirectMarketing]);
    let request = world.submit(&engine, wish);
    world.work(&engine);
    assert!(!world.recipient.received().is_empty());
    assert!(
        world
            .desk
            .is_stopped(&world.acme, &ada(), &Use::DirectMarketing)
    );
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
}

#[test]
fn uses_that_make_no_sense_are_refused() {
    let world = World::new();
    let engine = world.engine();
    let address = Use::Purpose(Purpose("ada@example.org".into()));
    for wish in [
        Wish::of(Right::Objection),
        Wish::stop(Right::Objection, vec![Use::DirectMarketing, newsletter()]),
        Wish::stop(Right::Objection, vec![Use::SaleOrSharing]),
        Wish::stop(Right::ConsentWithdrawal, vec![address]),
        Wish::stop(Right::ConsentWithdrawal, vec![Use::SaleOrSharing]),
        Wish::stop(Right::OptOut, vec![Use::Consent]),
        Wish::stop(Right::LimitSensitive, vec![newsletter()]),
        Wish::stop(Right::Access, vec![newsletter()]),
    ] {
        let intake = Intake::new(Channel::Form, vec![ada()], [wish]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake);
        let submitted = world.clock.drive(submitted).unwrap();
        let rejection = rejected(submitted);
        assert!(matches!(rejection, Rejection::Malformed { .. }));
        assert!(!rejection.to_string().contains("ada"));
    }
    assert!(world.recorder.calls().is_empty());
}

// ---- human review

#[test]
fn a_decision_is_reviewed_by_a_human_and_the_verdict_is_answered() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::HumanReview));
    world.approve(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let tasks = engine.tasks(&world.acme, &alice, None, 10);
    let (tasks, _) = world.clock.drive(tasks).unwrap().unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].step, Some((Task::Review, Target::Request)));
    // It waits, and is not done by waiting.
    world.work_until(&engine, world.now() + TimeDelta::days(20));
    let seen = world.see(&engine, request);
    assert_eq!(phase(&seen), Work::Reviewing);
    assert!(world.recorder.calls().is_empty(), "no data is asked for");

    let complete = |actor: Actor, completion: Completion| {
        let done = engine.complete(
            &world.acme,
            request,
            &actor,
            Task::Review,
            &Target::Request,
            completion,
        );
        world.clock.drive(done).unwrap()
    };
    let verdict = || Completion::Reviewed(Verdict::Changed);
    for actor in [Actor::Host, Actor::Person] {
        let refused = rejected(complete(actor, verdict()));
        assert!(matches!(refused, Rejection::WrongActor { .. }));
    }
    let refused = rejected(complete(staff("alice"), Completion::Done));
    assert!(matches!(refused, Rejection::WrongResult { .. }));
    complete(staff("alice"), verdict()).unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    let response = world.outbox.letters_about(request).pop().unwrap().notice;
    assert_eq!(response.verdict, Some(Verdict::Changed));
}
