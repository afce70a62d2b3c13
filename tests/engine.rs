//! Requests from intake to their end, through the whole engine, in virtual time.
#![cfg(feature = "testkit")]

mod common;

use std::sync::Arc;

use chrono::TimeDelta;
use common::{World, invoice_kept_until, source_id, staff};
use datarights::engine::{Completion, EngineError, Intake};
use datarights::model::{
    Actor, Assurance, Channel, End, Failure, Identifier, Outcome, PartyId, Right, RowCount, Until,
    Wish,
};
use datarights::ports::{AccessPolicy, Denied, Erased, ErrorKind, Grant, Located, Query};
use datarights::testkit::{Fault, Faulty, Method};
use datarights::workflow::fulfilment::{self, Phase as Work};
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{
    Approval, Delivery, Event, Finding, Rejection, StepResult, Target, Task,
};

/// Erasure through every floor: the phone that the desk knows leads to the call log; the log is
/// erased before the desk; the invoice is withheld, named, and erased when its date has come.
#[test]
fn an_erasure_finds_plans_erases_searches_and_finishes_what_was_withheld() {
    let world = World::new();
    let engine = world.engine();
    let others = (
        world.desk.rows_of_others("1"),
        world.log.rows_of_others("1"),
    );
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Received);
    world.approve(&engine, request);
    world.work(&engine);

    let seen = world.see(&engine, request);
    let work = seen.fulfilment.as_ref().unwrap();
    assert_eq!(work.phase, Work::Approval);
    assert_eq!(
        world.desk.rows_of("1").len(),
        3,
        "nothing is written before the approval"
    );
    let found: Vec<_> = work.sources.iter().map(|s| s.is_found()).collect();
    assert_eq!(found, [true, true], "the phone number led to the log");

    // The one who approved the request cannot approve its plan.
    let digest = work.plan_digest();
    let again = world.command(
        &engine,
        request,
        &staff("alice"),
        fulfilment::Command::ApprovePlan { digest },
    );
    assert!(matches!(
        again,
        Err(datarights::engine::EngineError::Rejected(
            Rejection::FourEyes
        ))
    ));
    world.approve_plan(&engine, request);
    world.work(&engine);

    let seen = world.see(&engine, request);
    let work = seen.fulfilment.as_ref().unwrap();
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    assert_eq!(work.phase, Work::Withholding);
    let withheld: Vec<_> = work.withheld().collect();
    assert_eq!(withheld.len(), 1);
    assert_eq!(withheld[0].1.until, Until::Date(invoice_kept_until()));
    assert_eq!(withheld[0].1.ground.id(), "tax_records");
    assert_eq!(world.log.rows_of("1").len(), 0);
    let left: Vec<_> = world
        .desk
        .rows_of("1")
        .into_iter()
        .map(|r| r.collection)
        .collect();
    assert_eq!(left, ["invoices"]);
    assert_eq!(world.recipient.received().len(), 1);
    let erases = world.recorder.calls();
    let order: Vec<_> = erases
        .iter()
        .filter(|call| call.method == Method::Erase)
        .map(|call| call.port.as_str())
        .collect();
    assert_eq!(order, ["log", "desk"], "what leads to others goes last");

    // The appeal window closes the request; the tail stays open until the invoice may go.
    let midnight: chrono::DateTime<chrono::Utc> = "2035-12-31T23:00:00Z".parse().unwrap(); // in Paris
    world.work_until(&engine, midnight - TimeDelta::seconds(1));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.end, Some(End::Answered(Outcome::Partly)));
    assert!(seen.is_open());
    assert_eq!(world.desk.rows_of("1").len(), 1);
    world.work_until(&engine, midnight + TimeDelta::days(2));
    let seen = world.see(&engine, request);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Ended);
    assert_eq!(world.desk.rows_of("1").len(), 0);
    assert!(!seen.is_open());
    assert_eq!(
        others,
        (
            world.desk.rows_of_others("1"),
            world.log.rows_of_others("1")
        ),
        "nothing of anybody else changed"
    );

    // Swept at last: the package, the key, the request.
    let end = world.now() + TimeDelta::days(4 * 365);
    world.work_until(&engine, end);
    let gone = world
        .clock
        .drive(engine.request(&world.acme, request, &staff("eve")));
    assert!(matches!(
        gone.unwrap(),
        Err(datarights::engine::EngineError::UnknownRequest(_))
    ));
    assert!(world.artifacts.keys().is_empty());
}

#[test]
fn a_pending_source_is_asked_again_and_then_the_request_goes_on() {
    let world = World::new();
    let engine = world.engine();
    world.log_port.will(
        Method::Erase,
        [
            Fault::Pend(TimeDelta::days(3)),
            Fault::Pend(TimeDelta::days(2)),
        ],
    );
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Erasing);
    assert_eq!(
        world.desk.rows_of("1").len(),
        3,
        "the desk waits for the log"
    );
    world.work_until(&engine, world.now() + TimeDelta::days(6));
    let seen = world.see(&engine, request);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Withholding);
    let keys: std::collections::BTreeSet<_> = world
        .recorder
        .calls_of("log", Method::Erase)
        .into_iter()
        .map(|call| call.context.map(|context| context.key))
        .collect();
    assert_eq!(keys.len(), 1, "all attempts share one key");
}

#[test]
fn a_source_that_comes_back_is_retried_and_one_that_does_not_is_named() {
    for (faults, outcome) in [(3, Outcome::Partly), (100, Outcome::Failed)] {
        let world = World::new();
        let engine = world.engine();
        world.log_port.will(
            Method::Locate,
            vec![Fault::Fail(ErrorKind::Unavailable); faults],
        );
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.approve(&engine, request);
        world.work_until(&engine, world.now() + TimeDelta::days(2));
        let seen = world.see(&engine, request);
        if outcome == Outcome::Partly {
            world.approve_plan(&engine, request);
            world.work(&engine);
            assert_eq!(world.see(&engine, request).lifecycle.outcome, Some(outcome));
        } else {
            assert_eq!(
                seen.lifecycle.phase,
                Phase::Review,
                "somebody must look at it"
            );
            assert_eq!(seen.lifecycle.outcome, Some(outcome));
            let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
            assert_eq!(missing.len(), 1);
            assert_eq!(missing[0].1.failure, Failure::Unavailable);
            assert_eq!(
                world.desk.rows_of("1").len(),
                3,
                "nothing is forgotten unless all was found"
            );

            // Once the source is there again, the work is taken up again.
            world.log_port.heal();
            world
                .command(
                    &engine,
                    request,
                    &staff("alice"),
                    lifecycle::Command::Rework,
                )
                .unwrap();
            world.work(&engine);
            world.approve_plan(&engine, request);
            world.work(&engine);
            let seen = world.see(&engine, request);
            assert_eq!(seen.lifecycle.phase, Phase::Answered);
            assert_eq!(world.log.rows_of("1").len(), 0);
        }
    }
}

#[test]
fn a_source_that_lies_is_found_out() {
    let world = World::new();
    let engine = world.engine();
    world.log_port.will(Method::Erase, vec![Fault::Lie; 10]);
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert!(
        seen.fulfilment
            .as_ref()
            .unwrap()
            .missing()
            .any(|(_, missing)| missing.failure == Failure::Residue && missing.rows == Some(2))
    );
    // It is answered as what it is, stays open, and a new request for the same joins it.
    world
        .command(
            &engine,
            request,
            &staff("alice"),
            lifecycle::Command::Release,
        )
        .unwrap();
    world.work_until(&engine, world.now() + TimeDelta::days(100));
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    world.log_port.heal();
    let second = world.submit(&engine, Wish::of(Right::Erasure));
    let joined = world.see(&engine, second);
    assert_eq!(joined.lifecycle.end, Some(End::Joined(request)));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(world.log.rows_of("1").len(), 0);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Withholding);
    assert_eq!(seen.fulfilment.as_ref().unwrap().missing().count(), 0);
}

#[test]
fn a_source_that_never_ends_or_answers_garbage_does_not_take_the_engine_with_it() {
    for fault in [Fault::Never, Fault::Garbage] {
        let world = World::new();
        let engine = world.engine();
        world.log_port.will(Method::Locate, vec![fault; 20]);
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.approve(&engine, request);
        world.work_until(&engine, world.now() + TimeDelta::days(3));
        let seen = world.see(&engine, request);
        assert_eq!(seen.lifecycle.outcome, Some(Outcome::Failed), "{fault:?}");
        assert_eq!(world.desk.rows_of("1").len(), 3);
    }
}

#[test]
fn a_plan_that_changed_after_its_approval_is_shown_again() {
    let mut world = World::new();
    world.policy.grace = Some(TimeDelta::days(14));
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    let work = seen.fulfilment.as_ref().unwrap();
    assert_eq!(work.phase, Work::Grace);
    assert_eq!(work.grace_until, Some(world.now() + TimeDelta::days(14)));
    world.desk.insert("tickets", "1", ["one more"]).unwrap();
    world.work_until(&engine, world.now() + TimeDelta::days(15));
    let seen = world.see(&engine, request);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Approval);
    assert_eq!(world.desk.rows_of("1").len(), 4);
    let approve = fulfilment::Command::ApprovePlan {
        digest: work.plan_digest(),
    };
    assert!(matches!(
        world.command(&engine, request, &staff("bob"), approve),
        Err(datarights::engine::EngineError::Rejected(
            Rejection::PlanChanged { .. }
        ))
    ));
    world.approve_plan(&engine, request);
    world.work_until(&engine, world.now() + TimeDelta::days(15));
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
}

#[test]
fn an_erasure_can_be_undone_until_its_grace_ends() {
    let mut world = World::new();
    world.policy.grace = Some(TimeDelta::days(14));
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    world
        .command(&engine, request, &Actor::Person, fulfilment::Command::Undo)
        .unwrap();
    world.work_until(&engine, world.now() + TimeDelta::days(30));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Cancelled));
    assert_eq!(world.desk.rows_of("1").len(), 3);
}

#[test]
fn a_rectification_keeps_old_and_new_value_and_restricts_meanwhile() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, request);
    world.work(&engine);
    assert!(world.desk.rows_of("1").iter().any(|row| row.restricted));
    let bob = staff("bob");
    let plan = world
        .clock
        .drive(engine.plan(&world.acme, request, &bob))
        .unwrap()
        .unwrap();
    let old: Vec<_> = plan
        .sources
        .iter()
        .flat_map(|(_, plan)| &plan.current)
        .collect();
    assert_eq!(old[0].value.expose(), "Ada Lovelace");
    let new = world
        .clock
        .drive(engine.corrections(&world.acme, request, &bob));
    assert_eq!(new.unwrap().unwrap()[0].value.expose(), "Ada King");
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert!(world.desk.rows_of("1").iter().all(|row| !row.restricted));
    let received = world.recipient.received();
    assert_eq!(received.len(), 1);
}

#[test]
fn withdrawing_while_disputed_data_is_restricted_lifts_the_restriction() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, request);
    world.work(&engine);
    world
        .command(
            &engine,
            request,
            &Actor::Person,
            lifecycle::Command::Withdraw,
        )
        .unwrap();
    assert!(world.see(&engine, request).is_open());
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.end, Some(End::Withdrawn));
    assert!(!seen.is_open());
    assert!(world.desk.rows_of("1").iter().all(|row| !row.restricted));
}

#[test]
fn codes_are_counted_before_they_are_checked_and_run_out() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world
        .command(
            &engine,
            request,
            &staff("alice"),
            lifecycle::Command::RequestIdentity,
        )
        .unwrap();
    world.work(&engine);
    let answer = |code: &str| {
        let evidence = datarights::model::Personal::new(code.to_owned());
        let check = engine.answer_identity(&world.acme, request, &Actor::Person, &evidence);
        world.clock.drive(check).unwrap()
    };
    for _ in 0..world.policy.identity_attempts {
        assert_eq!(
            answer("000000x").unwrap(),
            datarights::ports::Check::Rejected
        );
    }
    let right = world.codes.code(&world.acme, request).unwrap();
    assert!(matches!(
        answer(&right),
        Err(datarights::engine::EngineError::Rejected(
            Rejection::TooManyAttempts { limit: 5 }
        ))
    ));
    let approve = world.command(
        &engine,
        request,
        &staff("alice"),
        lifecycle::Command::Approve,
    );
    assert!(
        approve.is_err(),
        "nothing is carried out before the person is known"
    );
}

#[test]
fn a_deadline_that_passes_is_recorded_even_if_no_worker_was_there() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.work(&engine);
    world.clock.advance(TimeDelta::days(400));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert!(seen.lifecycle.overdue);
    let events = world
        .clock
        .drive(engine.timeline(&world.acme, request, &staff("eve")));
    let late: Vec<_> = events
        .unwrap()
        .unwrap()
        .into_iter()
        .filter_map(|envelope| match envelope.event {
            Event::DeadlinePassed { at } => Some(at),
            _ => None,
        })
        .collect();
    // Received on 2 March: to the end of 2 April in Paris.
    assert_eq!(
        late,
        ["2026-04-02T22:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()]
    );
}

#[test]
fn what_people_do_by_hand_completes_a_pending_step() {
    let world = World::new();
    let engine = world.engine();
    world
        .log_port
        .will(Method::Erase, [Fault::Pend(TimeDelta::days(1000))]);
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let bob = staff("bob");
    let (tasks, _) = world
        .clock
        .drive(engine.tasks(&world.acme, &bob, None, 10))
        .unwrap()
        .unwrap();
    assert_eq!(tasks.len(), 1);
    let (task, target) = tasks[0].step.clone().unwrap();
    assert_eq!(
        (task, target.clone()),
        (Task::Erase, Target::Source(common::source_id("log")))
    );
    world.log.lose("calls", "1").unwrap();
    let erased = Completion::Erased(Erased {
        rows: vec![RowCount::new("calls", 2)],
        withheld: Vec::new(),
        assurance: Assurance::Deleted,
    });
    let completed = engine.complete(&world.acme, request, &bob, task, &target, erased);
    world.clock.drive(completed).unwrap().unwrap();
    world.work(&engine);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
}

/// A processor that says of sources what it cannot know does not make an erasure done.
#[test]
fn a_processor_does_not_make_an_erasure_done() {
    let mut world = World::new();
    world.policy.plan_approval = Approval::None;
    let engine = world.engine();
    let mailer = Actor::Processor(PartyId::new("mailer").unwrap());
    for port in [&world.desk_port, &world.log_port] {
        port.will(Method::Erase, [Fault::Pend(TimeDelta::days(5))]);
    }
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    let answer = |actor: &Actor, task, source, completion| {
        let target = Target::Source(source_id(source));
        let done = engine.complete(&world.acme, request, actor, task, &target, completion);
        world.clock.drive(done).unwrap()
    };
    // Nobody has been asked to search by hand.
    let nowhere = || Completion::Located(Located::default());
    for actor in [&mailer, &staff("alice")] {
        let refused = answer(actor, Task::Locate, "desk", nowhere());
        assert!(matches!(refused, Err(EngineError::Rejected(_))));
    }
    world.work(&engine);
    let erased = || {
        Completion::Erased(Erased {
            rows: vec![RowCount::new("all", 9)],
            withheld: Vec::new(),
            assurance: Assurance::Deleted,
        })
    };
    let refused = answer(&mailer, Task::Erase, "log", erased());
    assert!(matches!(
        refused,
        Err(EngineError::Rejected(Rejection::WrongActor { .. }))
    ));
    let engine_itself = answer(&Actor::Engine, Task::Erase, "log", erased());
    assert!(matches!(engine_itself, Err(EngineError::Denied(_))));
    assert_eq!(world.see(&engine, request).lifecycle.outcome, None);
}

#[test]
fn a_policy_can_tell_the_steps_apart() {
    struct Archivist;
    #[async_trait::async_trait]
    impl AccessPolicy for Archivist {
        async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
            let may = match (query.command, query.step) {
                ("answer", step) => step == Some(("erase", "source/log")),
                (_, step) => step.is_none(),
            };
            may.then(Grant::agreed).ok_or_else(|| Denied {
                command: query.command.to_owned(),
            })
        }
    }
    let mut world = World::new();
    world.access = Arc::new(Archivist);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let bob = staff("bob");
    let answer = |task, target: &Target| {
        let done = Completion::Done;
        let done = engine.complete(&world.acme, request, &bob, task, target, done);
        world.clock.drive(done).unwrap().unwrap_err()
    };
    let log = Target::Source(source_id("log"));
    for (task, target) in [
        (Task::Erase, Target::Source(source_id("desk"))),
        (Task::Erase, Target::Recipient(PartyId::new("log").unwrap())),
        (Task::Search, log.clone()),
    ] {
        assert!(matches!(answer(task, &target), EngineError::Denied(_)));
    }
    assert!(matches!(
        answer(Task::Erase, &log),
        EngineError::Rejected(_)
    ));
    // As a command of its own it is asked of the policy in the same way.
    let bare = |task| {
        let answer = fulfilment::Command::Answer {
            task,
            target: log.clone(),
            result: Box::new(StepResult::done(Finding::Nothing)),
        };
        world.command(&engine, request, &bob, answer).unwrap_err()
    };
    assert!(matches!(bare(Task::Search), EngineError::Denied(_)));
    assert!(matches!(bare(Task::Erase), EngineError::Rejected(_)));
}

#[test]
fn an_erasure_waits_until_the_same_persons_correction_is_through() {
    let world = World::new();
    let engine = world.engine();
    let correction = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, correction);
    world.work(&engine);
    let erasure = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, erasure);
    world.work(&engine);
    world
        .desk_port
        .will(Method::Rectify, [Fault::Pend(TimeDelta::hours(2))]);
    world.approve_plan(&engine, correction);
    world.work(&engine);
    world.approve_plan(&engine, erasure);
    world.work(&engine);
    let phase = |request| world.see(&engine, request).fulfilment.unwrap().phase;
    assert_eq!(phase(correction), Work::Rectifying);
    assert_eq!(phase(erasure), Work::Queued);
    world.work_until(&engine, world.now() + TimeDelta::hours(4));
    assert_eq!(phase(correction), Work::Ended);
    // The correction changed nothing that the plan relies on: rows are counted, not read.
    assert_eq!(phase(erasure), Work::Withholding);
}

#[test]
fn stored_events_fold_to_the_stored_state() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work_until(&engine, world.now() + TimeDelta::days(100));
    let events = world
        .clock
        .drive(engine.timeline(&world.acme, request, &staff("eve")))
        .unwrap()
        .unwrap();
    let folded = datarights::workflow::Request::fold(&events).unwrap();
    assert_eq!(folded, world.see(&engine, request));
}

/// A log that knows numbers only, and a person who gave a mail address: asked for further
/// details, they say the number; from then on staff answers for what is added.
#[test]
fn details_that_were_asked_for_lead_to_what_they_identify() {
    let world = World::new();
    let engine = world.engine();
    let unknown = Identifier::mail("ada@elsewhere.example").unwrap();
    let intake = Intake::new(Channel::Form, vec![unknown], [Wish::of(Right::Access)]);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    let (alice, person) = (staff("alice"), Actor::Person);
    let phone = || vec![Identifier::phone("+44 1815 1210").unwrap()];
    let add = |who: &Actor| {
        let added = engine.add_identifiers(&world.acme, request, who, phone());
        world.clock.drive(added).unwrap()
    };
    for command in [
        lifecycle::Command::ConfirmIdentity,
        lifecycle::Command::AskClarification,
    ] {
        world.command(&engine, request, &alice, command).unwrap();
    }
    assert!(matches!(
        add(&person),
        Err(EngineError::Rejected(Rejection::WrongActor { .. }))
    ));
    let before = add(&alice).unwrap();
    assert_eq!(
        add(&alice).unwrap().sequence,
        before.sequence,
        "known already"
    );
    for command in [lifecycle::Command::Clarify, lifecycle::Command::Approve] {
        world.command(&engine, request, &alice, command).unwrap();
    }
    world.work(&engine);
    let seen = world.see(&engine, request);
    let work = seen.fulfilment.unwrap();
    let found: Vec<_> = work.sources.iter().map(|s| s.is_found()).collect();
    assert_eq!(found, [false, true], "the number leads to the log alone");
    let late = vec![Identifier::phone("+1 1906 1209").unwrap()];
    let late = engine.add_identifiers(&world.acme, request, &alice, late);
    assert!(matches!(
        world.clock.drive(late).unwrap(),
        Err(EngineError::Rejected(Rejection::NotNow { .. }))
    ));
}

/// A request that is closed takes nobody in, even if its tail failed: who asks anew has a request,
/// and an answer, of their own.
#[test]
fn nobody_joins_a_request_that_is_closed() {
    let world = World::new();
    let engine = world.engine();
    let first = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, first);
    world.work(&engine);
    world.approve_plan(&engine, first);
    world.work_until(&engine, world.now() + TimeDelta::days(100));
    let dead = vec![Fault::Fail(ErrorKind::Refused); 1_000];
    world.desk_port.will(Method::Erase, dead);
    let late: chrono::DateTime<chrono::Utc> = "2036-01-03T12:00:00Z".parse().unwrap();
    world.work_until(&engine, late);
    world.clock.set(late);
    let seen = world.see(&engine, first);
    assert!(seen.lifecycle.is_closed() && seen.fulfilment.unwrap().is_unfinished());

    let second = world.submit(&engine, Wish::of(Right::Erasure));
    assert_eq!(world.see(&engine, second).lifecycle.phase, Phase::Received);
}

/// A source that will never answer again: staff leaves its part as it is, the answer stays what it
/// was, and the request comes to its end. What is withheld still goes when its date comes.
#[test]
fn what_can_never_be_done_is_left_as_it_is() {
    let world = World::new();
    let engine = world.engine();
    let dead = vec![Fault::Fail(ErrorKind::Refused); 100_000];
    world.log_port.will(Method::Erase, dead);
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let leave = || world.command(&engine, request, &alice, lifecycle::Command::Leave);
    assert!(leave().is_err(), "nobody has the answer yet");
    let release = lifecycle::Command::Release;
    world.command(&engine, request, &alice, release).unwrap();
    world.work_until(&engine, world.now() + TimeDelta::days(100));
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);

    leave().unwrap();
    assert!(matches!(
        leave(),
        Err(EngineError::Rejected(Rejection::TooLate { .. }))
    ));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.end, Some(End::Answered(Outcome::Partly)));
    let work = seen.fulfilment.unwrap();
    let missing: Vec<_> = work.missing().map(|(target, _)| target).collect();
    let both = ["desk", "log"].map(|name| Target::Source(source_id(name)));
    assert_eq!(
        missing, both,
        "the one failed, the other had to wait for it"
    );
    assert_eq!(world.desk.rows_of("1").len(), 3);
    assert!(seen.lifecycle.is_closed());
}

/// An export that goes to another controller is another wish than one that the person downloads.
#[test]
fn an_export_to_another_controller_does_not_join_a_download() {
    let world = World::new();
    let engine = world.engine();
    let submit = |delivery: Delivery| {
        let ada = vec![Identifier::mail("ada@example.org").unwrap()];
        let intake = Intake::new(Channel::Form, ada, [Wish::of(Right::Export)]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake.delivered(delivery));
        world.clock.drive(submitted).unwrap().unwrap().remove(0)
    };
    let elsewhere = || Delivery::Transmit(PartyId::new("mailer").unwrap());
    let download = submit(Delivery::Download);
    let transmitted = submit(elsewhere());
    assert_eq!(transmitted.joined, None);
    assert_eq!(submit(elsewhere()).joined, Some(transmitted.request));
    let into = download.request;
    let join = lifecycle::Command::Join { into };
    let by_hand = world.command(&engine, transmitted.request, &staff("alice"), join);
    let accepted = "another open request of the same person for the same";
    assert!(
        matches!(
            by_hand,
            Err(EngineError::Rejected(Rejection::Malformed { accepted: told, .. })) if told == accepted
        ),
        "{by_hand:?}"
    );
}

/// Who is challenged again answers the newest challenge; what becomes of an older one, which still
/// waited, does not stand for it.
#[test]
fn a_challenge_that_was_repeated_does_not_fail_by_the_one_before() {
    let mut world = World::new();
    let codes = Faulty::new("codes", world.codes.clone(), Arc::new(world.clock.clone()));
    let day = TimeDelta::days(1);
    let refused = Fault::Fail(ErrorKind::Refused);
    codes.will(Method::Challenge, [Fault::Pend(day), Fault::None, refused]);
    world.verifier = Arc::new(codes);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    for command in [
        lifecycle::Command::RequestIdentity,
        lifecycle::Command::Challenge,
    ] {
        let alice = staff("alice");
        world.command(&engine, request, &alice, command).unwrap();
        world.work(&engine);
    }
    assert!(world.codes.code(&world.acme, request).is_some());
    world.work_until(&engine, world.now() + day + day);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.stuck_challenge, None);
}
