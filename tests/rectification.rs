//! Rectification through the whole engine, in virtual time: no wish is lost, and no restriction is
//! left behind.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;

use chrono::TimeDelta;
use common::{World, source_id, staff};
use datarights::engine::{Completion, Engine};
use datarights::model::{
    Actor, Correction, End, Failure, Ground, MissingRows, Outcome, Personal, RequestId, Wish,
};
use datarights::ports::{ErrorKind, SourcePlan};
use datarights::testkit::{Fault, Method};
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{Approval, Finding, StepResult, Target, Task, fulfilment};

/// A correction that no source has a place for is named, and nobody calls that done, or says that
/// the person was not found.
#[test]
fn a_correction_that_no_source_takes_is_not_lost() {
    let world = World::new();
    let engine = world.engine();
    let nowhere = Correction {
        collection: "user".into(),
        field: "mail".into(),
        value: Personal::new("new@example.org".to_owned()),
    };
    let lost = |request| -> Vec<_> {
        let work = world.see(&engine, request).fulfilment.unwrap();
        work.missing().map(|(_, m)| (m.failure, m.rows)).collect()
    };

    let mut wishes = World::correction();
    wishes.push(nowhere.clone());
    let request = world.submit(&engine, Wish::rectify(wishes));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(lost(request), [(Failure::NoSuchField, Some(1))]);

    let request = world.submit(&engine, Wish::rectify(vec![nowhere]));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Unsupported));
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(lost(request), [(Failure::NoSuchField, Some(1))]);
}

/// Somebody who is found, and of whom all is as they wish, is not told that nobody was found.
#[test]
fn what_is_as_it_is_wished_is_done() {
    let world = World::new();
    let engine = world.engine();
    let mut current = SourcePlan::new(Vec::new());
    current.current = World::correction();
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world
        .desk_port
        .will(Method::Plan, [Fault::Pend(TimeDelta::days(9))]);
    world.approve(&engine, request);
    world.work(&engine);
    let desk = Target::Source(source_id("desk"));
    let alice = staff("alice");
    let planned = Completion::Planned(current);
    let done = engine.complete(&world.acme, request, &alice, Task::Plan, &desk, planned);
    world.clock.drive(done).unwrap().unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
}

/// A source that says it corrected, did not, and does not show the field when it is asked, is
/// found out.
#[test]
fn a_field_that_is_not_shown_is_not_corrected() {
    let mut world = World::new();
    world.policy.plan_approval = Approval::None;
    let engine = world.engine();
    world.desk_port.will(Method::Rectify, [Fault::Lie]);
    world
        .desk_port
        .will(Method::Plan, [Fault::None, Fault::Lie]);
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let work = seen.fulfilment.unwrap();
    let missing: Vec<_> = work.missing().map(|(_, missing)| missing).collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].failure, Failure::Residue);
    assert_eq!(missing[0].collection.as_deref(), Some("users"));
}

#[test]
fn a_withdrawn_rectification_leaves_nothing_restricted() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, request);
    world.work(&engine);
    let restricted = || {
        let work = world.see(&engine, request).fulfilment.unwrap();
        work.sources.iter().any(|source| source.restricted)
    };
    assert!(restricted());
    world
        .desk_port
        .will(Method::Restrict, [Fault::Fail(ErrorKind::Refused); 2]);
    let withdraw = lifecycle::Command::Withdraw;
    world
        .command(&engine, request, &Actor::Person, withdraw)
        .unwrap();
    world.work(&engine);
    assert!(restricted());
    assert!(world.see(&engine, request).is_open());
    world.work_until(&engine, world.now() + TimeDelta::days(4));
    assert!(!restricted());
    let seen = world.see(&engine, request);
    assert!(!seen.is_open());
    assert_eq!(seen.lifecycle.end, Some(End::Withdrawn));
}

/// A request whose desk restricts, and then refuses to lift.
fn restricted_for_good(world: &World, engine: &Engine) -> RequestId {
    let mut faults = vec![Fault::None];
    faults.extend([Fault::Fail(ErrorKind::Refused); 30]);
    world.desk_port.will(Method::Restrict, faults);
    let request = world.submit(engine, Wish::rectify(World::correction()));
    world.approve(engine, request);
    world.work(engine);
    assert!(is_restricted(world));
    request
}

fn is_restricted(world: &World) -> bool {
    world.desk.rows_of("1").iter().any(|row| row.restricted)
}

/// What stays restricted when the rest is left as it is does not end as if it were lifted: the
/// request stays open, and lifts it as soon as that is possible.
#[test]
fn a_rectification_that_is_left_is_lifted_later() {
    let world = World::new();
    let engine = world.engine();
    let request = restricted_for_good(&world, &engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let give = |command: lifecycle::Command| {
        world.command(&engine, request, &alice, command).unwrap();
        world.work(&engine);
    };
    give(lifecycle::Command::Release);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    give(lifecycle::Command::Leave);
    world.work_until(&engine, world.now() + TimeDelta::days(200));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.end, Some(End::Answered(Outcome::Partly)));
    assert!(seen.is_open());
    assert!(is_restricted(&world));
    world.desk_port.heal();
    world.work_until(&engine, world.now() + TimeDelta::days(40));
    assert!(!is_restricted(&world));
    let seen = world.see(&engine, request);
    assert!(!seen.is_open());
    // It corrected nothing more, and names what was left.
    let work = seen.fulfilment.unwrap();
    assert_eq!(work.outcome, Some(Outcome::Partly));
}

/// Nothing is left restricted where the source lifts only a part of it.
#[test]
fn what_is_lifted_in_part_is_still_restricted() {
    let world = World::new();
    let engine = world.engine();
    let request = restricted_for_good(&world, &engine);
    world.desk_port.heal();
    world
        .desk_port
        .will(Method::Restrict, [Fault::Pend(TimeDelta::days(9))]);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let desk = Target::Source(source_id("desk"));
    let result = StepResult::Done {
        finding: Finding::Changed { rows: Vec::new() },
        missing: vec![MissingRows {
            collection: Some("users".to_owned()),
            rows: Some(1),
            failure: Failure::Unavailable,
        }],
    };
    let partly = fulfilment::Command::Answer {
        task: Task::Unrestrict,
        target: desk,
        result: Box::new(result),
    };
    world
        .command(&engine, request, &staff("alice"), partly)
        .unwrap();
    world.work(&engine);
    let work = world.see(&engine, request).fulfilment.unwrap();
    assert!(work.sources.iter().any(|source| source.restricted));
    assert!(work.is_unfinished());
}

/// An appeal that is granted while a rectification that was refused cannot lift its restriction is
/// carried out, and lifts it then.
#[test]
fn an_appeal_is_carried_out_though_a_restriction_rests() {
    let world = World::new();
    let engine = world.engine();
    let request = restricted_for_good(&world, &engine);
    let give = |actor: &Actor, command: lifecycle::Command| {
        world.command(&engine, request, actor, command).unwrap();
        world.work(&engine);
    };
    let alice = staff("alice");
    let ground = Ground::new("manifestly_unfounded");
    give(&alice, lifecycle::Command::Refuse { ground });
    give(&Actor::Person, lifecycle::Command::Appeal);
    give(&alice, lifecycle::Command::DecideAppeal { granted: true });
    assert!(is_restricted(&world));
    world.desk_port.heal();
    give(&alice, lifecycle::Command::Approve);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert!(!is_restricted(&world));
}

/// Whoever takes a rectification back before anything is corrected is freed of what an earlier course
/// of it restricted, wherever the present one stands.
#[test]
fn what_an_earlier_course_restricted_is_lifted_when_the_request_is_withdrawn() {
    for search_fails in [false, true] {
        let world = World::new();
        let engine = world.engine();
        let request = restricted_for_good(&world, &engine);
        let give = |actor: &Actor, command: lifecycle::Command| {
            world.command(&engine, request, actor, command).unwrap();
            world.work(&engine);
        };
        let alice = staff("alice");
        let ground = Ground::new("manifestly_unfounded");
        give(&alice, lifecycle::Command::Refuse { ground });
        give(&Actor::Person, lifecycle::Command::Appeal);
        give(&alice, lifecycle::Command::DecideAppeal { granted: true });
        world.desk_port.heal();
        let approve = lifecycle::Command::Approve;
        let stands = if search_fails {
            world
                .log_port
                .will(Method::Locate, [Fault::Fail(ErrorKind::Refused)]);
            give(&alice, approve);
            (Phase::Review, fulfilment::Phase::Ended)
        } else {
            world.command(&engine, request, &alice, approve).unwrap();
            (Phase::Fulfilment, fulfilment::Phase::Locating)
        };
        let seen = world.see(&engine, request);
        let work = seen.fulfilment.unwrap();
        assert_eq!((seen.lifecycle.phase, work.phase), stands);
        assert!(is_restricted(&world));
        give(&Actor::Person, lifecycle::Command::Withdraw);
        assert!(!is_restricted(&world));
        let seen = world.see(&engine, request);
        assert_eq!(seen.lifecycle.end, Some(End::Withdrawn));
        assert!(!seen.is_open());
    }
}
