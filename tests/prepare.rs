//! An intake or a command as a value: what the host writes itself is what the engine would have
//! written, and what it does not write leaves nothing.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;

use std::sync::Arc;

use chrono::TimeDelta;
use common::{World, staff};
use datarights::engine::{Engine, EngineError, Intake, Prepared, Submitted};
use datarights::model::{Actor, Channel, End, Identifier, KeyId, RequestId, Right, Wish};
use datarights::ports::{AccessPolicy, Denied, Grant, Query, StoreError, Vault, VaultError};
use datarights::testkit::{Fault, Method};
use datarights::workflow::{fulfilment, lifecycle};
use futures::{FutureExt, StreamExt};

fn intake(wishes: impl IntoIterator<Item = Wish>) -> Intake {
    let ada = Identifier::mail("Ada@Example.org").unwrap();
    Intake::new(Channel::Form, vec![ada], wishes)
}

fn prepare(world: &World, engine: &Engine, intake: Intake) -> Prepared {
    let prepared = engine.prepare_submit(&world.acme, &Actor::Person, intake);
    world.clock.drive(prepared).unwrap().unwrap()
}

/// Writes it as a host does, in its order.
fn write(world: &World, prepared: &Prepared) {
    for commit in prepared.commits().to_vec() {
        let controller = prepared.controller();
        let written = if commit.expected == 0 {
            world.store.create(controller, commit)
        } else {
            world.store.commit(controller, commit)
        };
        world.clock.drive(written).unwrap().unwrap();
    }
}

fn has_key(world: &World, request: RequestId) -> bool {
    let key = KeyId::of_request(&world.acme, request);
    let sealed = world.vault.seal(&key, "place", b"clear").now_or_never();
    sealed.unwrap().is_ok()
}

/// A world in which Ada's erasure was answered although a source lied, and stays unfinished.
fn with_unfinished_erasure() -> (World, Engine, RequestId) {
    let world = World::new();
    let engine = world.engine();
    world.log_port.will(Method::Erase, vec![Fault::Lie; 10]);
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let release = lifecycle::Command::Release;
    let alice = staff("alice");
    world.command(&engine, request, &alice, release).unwrap();
    world.work_until(&engine, world.now() + TimeDelta::days(100));
    world.log_port.heal();
    (world, engine, request)
}

/// All that is stored of some requests.
fn stored(world: &World, requests: &[RequestId]) -> Vec<String> {
    let read = |id: &RequestId| {
        let loaded = world.store.load(&world.acme, *id).now_or_never();
        let history = world.store.history(&world.acme, *id, 0, 999).now_or_never();
        format!("{:?} {:?}", loaded.unwrap().unwrap().unwrap(), history)
    };
    requests.iter().map(read).collect()
}

#[test]
fn what_is_prepared_is_what_submit_writes() {
    let fresh = || (World::new(), None);
    let unfinished = || {
        let (world, _, request) = with_unfinished_erasure();
        (world, Some(request))
    };
    let wishes = || {
        [
            Wish::of(Right::Erasure),
            Wish::of(Right::Access),
            Wish::of(Right::Erasure),
            Wish::rectify(World::correction()),
            Wish::rectify(World::correction()),
        ]
    };
    let cases: [&dyn Fn() -> (World, Option<RequestId>); 2] = [&fresh, &unfinished];
    for case in cases {
        let (submits, before) = case();
        let engine = submits.engine();
        let submitted = engine.submit(&submits.acme, &Actor::Person, intake(wishes()));
        let submitted: Vec<Submitted> = submits.clock.drive(submitted).unwrap().unwrap();

        let (prepares, _) = case();
        let engine = prepares.engine();
        let prepared = prepare(&prepares, &engine, intake(wishes()));
        write(&prepares, &prepared);
        engine.submitted(&prepared);

        assert_eq!(prepared.requests(), submitted);
        let mut all: Vec<RequestId> = submitted.iter().map(|s| s.request).collect();
        all.extend(before);
        assert_eq!(stored(&prepares, &all), stored(&submits, &all));
        let changes = prepared.commits().iter().filter(|c| c.expected > 0).count();
        let joins = submitted.iter().filter(|s| s.joined.is_some()).count();
        assert_eq!(changes, joins, "each join is noted where it leads");
        assert_eq!(prepared.commits().len(), submitted.len() + joins);
        let into = before.unwrap_or(submitted[0].request);
        assert_eq!(submitted[2].joined, Some(into), "the second of two joins");
        assert_eq!(submitted[4].joined, None, "two corrections are two wishes");
    }
}

#[test]
fn an_unfinished_erasure_is_taken_up_again_by_what_the_host_writes() {
    let (world, engine, unfinished) = with_unfinished_erasure();
    let prepared = prepare(&world, &engine, intake([Wish::of(Right::Erasure)]));
    assert_eq!(world.log.rows_of("1").len(), 2);
    write(&world, &prepared);
    engine.submitted(&prepared);
    let second = prepared.requests()[0].request;
    let seen = world.see(&engine, second);
    assert_eq!(seen.lifecycle.end, Some(End::Joined(unfinished)));
    world.work(&engine);
    assert_eq!(world.log.rows_of("1").len(), 0);
    let work = world.see(&engine, unfinished).fulfilment.unwrap();
    assert_eq!(work.phase, fulfilment::Phase::Withholding);
}

/// Whoever says more of who they are is carried on beside an unfinished erasure. What that one left
/// half done may not be found any more: nobody hears that all is gone before somebody looked.
#[test]
fn nothing_is_called_done_beside_an_unfinished_erasure() {
    let (world, engine, unfinished) = with_unfinished_erasure();
    let mut wider = intake([Wish::of(Right::Erasure)]);
    let more = Identifier::mail("grace@example.org").unwrap();
    wider.identifiers.push(more);
    let prepared = prepare(&world, &engine, wider);
    write(&world, &prepared);
    engine.submitted(&prepared);
    let second = prepared.requests()[0].request;
    let seen = world.see(&engine, second);
    assert_eq!(prepared.requests()[0].joined, None);
    assert_eq!(seen.facts.beside, Some(unfinished));
    world.approve(&engine, second);
    world.work(&engine);
    world.approve_plan(&engine, second);
    world.work(&engine);
    let seen = world.see(&engine, second);
    assert_eq!(world.log.rows_of("1").len(), 2, "not found by either");
    assert_eq!(seen.fulfilment.unwrap().missing().count(), 0);
    assert_eq!(seen.lifecycle.phase, lifecycle::Phase::Review);
}

/// Who is joined to a request that is withdrawn at the same moment is not lost: one of both happens.
#[test]
fn nobody_is_joined_to_what_was_withdrawn_meanwhile() {
    let world = World::new();
    let engine = world.engine();
    let first = world.submit(&engine, Wish::of(Right::Access));
    let prepared = prepare(&world, &engine, intake([Wish::of(Right::Access)]));
    assert_eq!(prepared.requests()[0].joined, Some(first));
    let withdraw = lifecycle::Command::Withdraw;
    let person = Actor::Person;
    world.command(&engine, first, &person, withdraw).unwrap();
    let commit = prepared.commits()[0].clone();
    let written = world
        .clock
        .drive(world.store.commit(&world.acme, commit))
        .unwrap();
    assert!(
        matches!(written, Err(StoreError::Conflict { .. })),
        "{written:?}"
    );
    let abandoned = world.clock.drive(engine.abandon(prepared));
    abandoned.unwrap().unwrap();
    let again = prepare(&world, &engine, intake([Wish::of(Right::Access)]));
    assert_eq!(again.requests()[0].joined, None);
}

#[test]
fn nobody_hears_of_it_before_the_host_has_committed() {
    let world = World::new();
    let engine = world.engine();
    let mut progress = engine.progress();
    let prepared = prepare(&world, &engine, intake([Wish::of(Right::Access)]));
    assert!(progress.next().now_or_never().is_none());
    let request = prepared.requests()[0].request;
    let load = world.store.load(&world.acme, request).now_or_never();
    assert_eq!(load.unwrap(), Ok(None));
    write(&world, &prepared);
    assert!(progress.next().now_or_never().is_none());
    engine.submitted(&prepared);
    let heard = progress.next().now_or_never().flatten().unwrap();
    assert_eq!(heard.request, request);
}

#[test]
fn what_is_abandoned_leaves_no_key_and_what_is_there_keeps_its_own() {
    let world = World::new();
    let engine = world.engine();
    for written in [false, true] {
        let mail = if written {
            "a@example.org"
        } else {
            "b@example.org"
        };
        let to = vec![Identifier::mail(mail).unwrap()];
        let wishes = [Wish::of(Right::Access), Wish::of(Right::Erasure)];
        let intake = Intake::new(Channel::Form, to, wishes);
        let prepared = prepare(&world, &engine, intake);
        let requests: Vec<_> = prepared.requests().iter().map(|s| s.request).collect();
        assert!(requests.iter().all(|request| has_key(&world, *request)));
        if written {
            write(&world, &prepared);
        }
        world
            .clock
            .drive(engine.abandon(prepared))
            .unwrap()
            .unwrap();
        for request in requests {
            assert_eq!(has_key(&world, request), written);
        }
    }
}

/// Lets nobody ask for an erasure.
struct NoErasures;

#[async_trait::async_trait]
impl AccessPolicy for NoErasures {
    async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
        match query.right {
            Some(Right::Erasure) => Err(Denied {
                command: query.command.to_owned(),
            }),
            _ => Ok(Grant::agreed()),
        }
    }
}

#[test]
fn a_wish_that_fails_leaves_no_key_of_those_before_it() {
    let wishes = || [Wish::of(Right::Access), Wish::of(Right::Erasure)];
    // The same world gives the same ids: those that the refused one would have used.
    let twin = World::new();
    let prepared = prepare(&twin, &twin.engine(), intake(wishes()));
    let first = prepared.requests()[0].request;

    let mut world = World::new();
    world.access = Arc::new(NoErasures);
    let engine = world.engine();
    let refused = engine.prepare_submit(&world.acme, &Actor::Person, intake(wishes()));
    let refused = world.clock.drive(refused).unwrap();
    assert!(
        matches!(refused, Err(EngineError::Denied(_))),
        "{refused:?}"
    );
    let key = KeyId::of_request(&world.acme, first);
    let again = world.vault.create_key(&key).now_or_never().unwrap();
    assert_eq!(again, Err(VaultError::Shredded(key)));
}

/// What staff does to two requests of one person, one after the other, each in one of two ways.
#[test]
fn a_prepared_command_is_what_command_writes() {
    let person = |mails: &[&str]| {
        let mails = mails.iter().map(|mail| Identifier::mail(*mail).unwrap());
        Intake::new(Channel::Form, mails.collect(), [Wish::of(Right::Access)])
    };
    let carried = |prepares: bool| {
        let world = World::new();
        let engine = world.engine();
        let submit = |intake| {
            let submitted = engine.submit(&world.acme, &Actor::Person, intake);
            world.clock.drive(submitted).unwrap().unwrap()[0].request
        };
        let first = submit(person(&["ada@example.org"]));
        let second = submit(person(&["ada@example.org", "ada@home.example"]));
        let alice = staff("alice");
        for (request, command) in [
            (first, lifecycle::Command::RequestIdentity),
            (first, lifecycle::Command::ConfirmIdentity),
            (second, lifecycle::Command::Join { into: first }),
            (first, lifecycle::Command::Approve),
        ] {
            if prepares {
                let before = stored(&world, &[first, second]);
                let prepared = engine.prepare_command(&world.acme, request, &alice, command);
                let prepared = world.clock.drive(prepared).unwrap().unwrap();
                assert_eq!(
                    stored(&world, &[first, second]),
                    before,
                    "nothing is written"
                );
                assert_eq!(prepared.requests(), []);
                write(&world, &prepared);
                engine.submitted(&prepared);
            } else {
                world.command(&engine, request, &alice, command).unwrap();
            }
        }
        let joined = world.see(&engine, second).lifecycle.end;
        assert_eq!(joined, Some(End::Joined(first)));
        world.work(&engine);
        stored(&world, &[first, second])
    };
    assert_eq!(carried(true), carried(false));
}

#[test]
fn a_prepared_command_that_came_too_late_or_may_not_be_given_writes_nothing() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let alice = staff("alice");
    let prepare = |actor: &Actor, command: lifecycle::Command| {
        let prepared = engine.prepare_command(&world.acme, request, actor, command);
        world.clock.drive(prepared).unwrap()
    };
    let confirm = || lifecycle::Command::ConfirmIdentity;
    let prepared = prepare(&alice, confirm()).unwrap();
    world.command(&engine, request, &alice, confirm()).unwrap();
    let before = stored(&world, &[request]);
    let late = prepared.commits()[0].clone();
    let late = world.store.commit(&world.acme, late);
    assert!(matches!(
        world.clock.drive(late).unwrap(),
        Err(StoreError::Conflict { .. })
    ));
    let given_up = world.clock.drive(engine.abandon(prepared));
    assert!(given_up.unwrap().is_ok());
    assert!(has_key(&world, request), "the key is the request's");
    assert!(matches!(
        prepare(&Actor::Engine, confirm()),
        Err(EngineError::Denied(_))
    ));
    assert!(matches!(
        prepare(&alice, confirm()),
        Err(EngineError::Rejected(_))
    ));
    let nobody = lifecycle::Command::Join { into: request };
    assert!(prepare(&alice, nobody).is_err());
    assert_eq!(stored(&world, &[request]), before);
}
