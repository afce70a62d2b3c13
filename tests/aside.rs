//! What is set aside and what is not; what goes on meanwhile, and what a person's decision leaves.
#![cfg(feature = "testkit")]
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic)] // tests

mod common;

use chrono::TimeDelta;
use common::{World, source_id, staff, start};
use datarights::engine::{Engine, EngineError, SetAside};
use datarights::law::Regimes;
use datarights::model::{Actor, RequestId, Right, Wish};
use datarights::ports::{Commit, ErrorKind, LockChange, Mark, Snapshot, StoredRequest};
use datarights::testkit::{Fault, Method};
use datarights::workflow::{Event, StepResult, Target, Task, fulfilment, lifecycle};
use futures::FutureExt;

fn stored(world: &World, request: RequestId) -> Option<StoredRequest> {
    let stored = world.store.load(&world.acme, request);
    world.clock.drive(stored).unwrap().unwrap()
}

/// Puts another snapshot in the place of a request's.
fn overwrite(world: &World, request: RequestId, change: impl Fn(&mut Snapshot)) {
    let stored = stored(world, request).unwrap();
    let mut snapshot = stored.snapshot;
    change(&mut snapshot);
    let commit = Commit {
        request,
        expected: stored.version,
        fence: None,
        events: Vec::new(),
        snapshot,
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    };
    let written = world.store.commit(&world.acme, commit);
    world.clock.drive(written).unwrap().unwrap();
}

/// One round after the other, each when the leases of the last one ran out: the errors.
fn rounds(world: &World, engine: &Engine, number: u32) -> Vec<EngineError> {
    let mut errors = Vec::new();
    for _ in 0..number {
        let tick = world.clock.drive(engine.tick(&world.worker(), None));
        errors.extend(tick.unwrap().err());
        world.clock.advance(world.settings.lease * 2);
    }
    errors
}

/// What is listed: the request as a whole or an effect, and why.
fn listed(world: &World, engine: &Engine) -> Vec<(bool, String)> {
    let eve = staff("eve");
    let list = engine.set_aside(&world.acme, &eve, None, 10);
    let (list, _) = world.clock.drive(list).unwrap().unwrap();
    let said = |one: SetAside| (one.effect.is_none(), one.code);
    list.into_iter().map(said).collect()
}

/// An engine that does not know a law may run beside one that does.
#[test]
fn a_request_under_a_law_that_is_known_elsewhere_is_left_alone() {
    let mut world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let before = stored(&world, request).unwrap();
    world.controller.regimes = Regimes::empty();
    let knows_none = world.engine();
    overwrite(&world, request, |snapshot| {
        // A reminder is due, which cannot be decided.
        let mut agenda: serde_json::Value = serde_json::from_slice(&snapshot.agenda).unwrap();
        for (_, at) in agenda["timers"].as_object_mut().unwrap() {
            *at = serde_json::json!(start());
        }
        snapshot.agenda = agenda.to_string().into_bytes();
    });
    let tries = world.settings.set_aside_after + 2;
    let errors = rounds(&world, &knows_none, tries);
    assert_eq!(errors.len(), tries as usize);
    let unknown = |error: &EngineError| matches!(error, EngineError::UnknownRegime(_));
    assert!(errors.iter().all(unknown), "{errors:?}");
    assert_eq!(listed(&world, &knows_none), []);
    let after = stored(&world, request).unwrap();
    assert_eq!(after.snapshot.wake_at, before.snapshot.wake_at);
}

/// A source that did not answer for long, and panicked once, has failed like any other.
#[test]
fn one_panic_after_other_failures_sets_nothing_aside() {
    let mut world = World::new();
    world.settings.down_after = 1_000;
    let last = world.settings.attempts as usize - 1;
    let mut faults = vec![Fault::Fail(ErrorKind::Unavailable); last];
    faults.push(Fault::Panic);
    world.desk_port.will(Method::Locate, faults);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work_until(&engine, start() + TimeDelta::days(1));
    assert_eq!(listed(&world, &engine), []);
    let desk = Target::Source(source_id("desk"));
    let eve = staff("eve");
    let history = engine.timeline(&world.acme, request, &eve);
    let history = world.clock.drive(history).unwrap().unwrap();
    let failed = |event: &Event| {
        matches!(event, Event::StepAnswered { task: Task::Locate, target, result: StepResult::Failed(_) }
            if *target == desk)
    };
    assert!(history.iter().any(|envelope| failed(&envelope.event)));
}

/// A package and a key must go, though their request was set aside after it was closed.
#[test]
fn what_sweeps_is_tried_though_its_request_rests() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world
        .command(
            &engine,
            request,
            &Actor::Person,
            lifecycle::Command::Withdraw,
        )
        .unwrap();
    world.work(&engine);
    assert!(!world.see(&engine, request).is_open());
    let whole = stored(&world, request).unwrap().snapshot;
    let now = world.now();
    overwrite(&world, request, |snapshot| {
        snapshot.state = b"{".to_vec();
        snapshot.wake_at = Some(now);
    });
    let tries = world.settings.set_aside_after;
    assert_eq!(rounds(&world, &engine, tries).len(), tries as usize);
    let damaged = "unreadable_state".to_owned();
    assert_eq!(listed(&world, &engine), [(true, damaged.clone())]);
    let rests = stored(&world, request).unwrap().snapshot;
    assert_eq!(rests.wake_at, whole.wake_at, "it wakes for what sweeps");

    // Damaged as it still is, one try shows it: it comes again, and keeps its place in the list.
    world.clock.set(rests.wake_at.unwrap());
    assert_eq!(rounds(&world, &engine, 5).len(), 1);
    let rests = stored(&world, request).unwrap().snapshot;
    assert!(rests.wake_at.unwrap() <= world.now() + world.settings.longest_backoff);
    assert_eq!(listed(&world, &engine), [(true, damaged)]);

    // Its state is put back from a backup, and nobody says `resume`.
    overwrite(&world, request, |snapshot| {
        snapshot.state.clone_from(&whole.state);
    });
    world.work_until(&engine, start() + TimeDelta::days(365 * 12));
    assert_eq!(stored(&world, request), None);
}

/// The reason of the whole request and that of an effect are both listed; what lets workers try
/// again leaves no reason behind.
#[test]
fn each_reason_is_listed_until_it_is_over() {
    for by_command in [false, true] {
        let world = World::new();
        world
            .desk_port
            .will(Method::Locate, vec![Fault::Panic; 1_000]);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.approve(&engine, request);
        world.work(&engine);
        let panics = listed(&world, &engine);
        assert_eq!(panics, [(false, "panicked".to_owned())]);
        let whole = stored(&world, request).unwrap().snapshot;
        let now = world.now();
        overwrite(&world, request, |snapshot| {
            snapshot.state = b"{".to_vec();
            snapshot.wake_at = Some(now);
        });
        rounds(&world, &engine, 1 + world.settings.set_aside_after);
        let state = (true, "unreadable_state".to_owned());
        assert_eq!(listed(&world, &engine), [vec![state], panics].concat());

        overwrite(&world, request, |snapshot| {
            snapshot.state.clone_from(&whole.state);
        });
        if by_command {
            let withdraw = lifecycle::Command::Withdraw;
            world
                .command(&engine, request, &Actor::Person, withdraw)
                .unwrap();
        } else {
            let eve = staff("eve");
            let resumed = engine.resume(&world.acme, request, &eve);
            world.clock.drive(resumed).unwrap().unwrap();
        }
        assert_eq!(listed(&world, &engine), []);
        let reason = world.store.read_part(&world.acme, request, "set-aside", 0);
        assert_eq!(world.clock.drive(reason).unwrap().unwrap(), None);
    }
}

/// What is marked is listed, if its reason was lost.
#[test]
fn what_is_set_aside_without_a_reason_is_listed() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    overwrite(&world, request, |snapshot| {
        (snapshot.wake_at, snapshot.mark) = (None, Some(Mark::Aside));
    });
    assert_eq!(listed(&world, &engine), [(true, "unknown".to_owned())]);
}

/// Who let workers try again stands in the history, at that instant, and the chain still holds. It
/// stands there too where the law of the request is not known here.
#[test]
fn who_resumed_or_repaired_is_recorded() {
    for repaired in [false, true] {
        let mut world = World::new();
        let panics = vec![Fault::Panic; world.settings.set_aside_after as usize];
        world.desk_port.will(Method::Locate, panics);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.approve(&engine, request);
        world.work(&engine);
        assert_eq!(listed(&world, &engine), [(false, "panicked".to_owned())]);
        let before = world.see(&engine, request);
        world.clock.advance(TimeDelta::minutes(5));
        let (now, alice) = (world.now(), staff("alice"));
        let known = world.controller.regimes.clone();
        world.controller.regimes = Regimes::empty();
        let knows_none = world.engine();
        let done = match repaired {
            false => knows_none.resume(&world.acme, request, &alice).boxed(),
            true => knows_none.repair(&world.acme, request, &alice).boxed(),
        };
        world.clock.drive(done).unwrap().unwrap();
        world.controller.regimes = known;
        let history = engine.timeline(&world.acme, request, &alice);
        let history = world.clock.drive(history).unwrap().unwrap();
        let last = history.last().unwrap();
        let wanted = match repaired {
            false => Event::Resumed,
            true => Event::Repaired,
        };
        assert_eq!(last.event, wanted);
        assert_eq!((&last.actor, last.at), (&alice, now));
        let seen = world.see(&engine, request);
        assert_eq!(datarights::workflow::Request::fold(&history).unwrap(), seen);
        // It moved nothing but the count of what happened.
        let sequence = seen.sequence;
        assert_eq!(sequence, before.sequence + 1);
        let mut like_before = before;
        like_before.sequence = sequence;
        assert_eq!(seen, like_before);
        assert_eq!(listed(&world, &engine), []);
        world.work(&engine);
        let located = |event: &Event| {
            matches!(event, Event::StepAnswered { task: Task::Locate, target, result: StepResult::Done { .. } }
                if *target == Target::Source(source_id("desk")))
        };
        let history = engine.timeline(&world.acme, request, &alice);
        let history = world.clock.drive(history).unwrap().unwrap();
        assert!(history.iter().any(|envelope| located(&envelope.event)));
    }
}

/// Who gave up stands on what was given up.
#[test]
fn who_gave_up_is_recorded() {
    let world = World::new();
    world
        .desk_port
        .will(Method::Locate, vec![Fault::Panic; 1_000]);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let given_up = engine.give_up(&world.acme, request, &alice);
    world.clock.drive(given_up).unwrap().unwrap();
    let history = engine.timeline(&world.acme, request, &alice);
    let history = world.clock.drive(history).unwrap().unwrap();
    let given_up = history.iter().find(|envelope| {
        matches!(
            &envelope.event,
            Event::StepAnswered {
                result: StepResult::Failed(_),
                ..
            }
        )
    });
    assert_eq!(given_up.unwrap().actor, alice);
    // What is stored is still what the events say.
    let seen = world.see(&engine, request);
    assert_eq!(datarights::workflow::Request::fold(&history).unwrap(), seen);
}

/// Carries an erasure from intake until nothing is left of it, years later. Before that round of
/// the worker, what is still to do is damaged, and a person has it repaired. The letters, what is left
/// of the person, what the recipient was told; and how many rounds there were.
fn erased(damaged_before: Option<usize>) -> (Vec<String>, Vec<usize>, usize, usize) {
    let world = World::new();
    let two_days = Fault::Pend(TimeDelta::days(2));
    world.log_port.will(Method::Locate, [two_days]);
    world.desk_port.will(Method::Erase, [two_days]);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let asked = world.command(
        &engine,
        request,
        &staff("alice"),
        lifecycle::Command::RequestIdentity,
    );
    asked.unwrap();
    let end = start() + TimeDelta::days(365 * 14);
    let mut round = 0;
    loop {
        if Some(round) == damaged_before {
            let now = world.now();
            overwrite(&world, request, |snapshot| {
                snapshot.agenda = b"{".to_vec();
                snapshot.wake_at = Some(now);
            });
            let tries = world.settings.set_aside_after;
            assert_eq!(rounds(&world, &engine, tries).len(), tries as usize);
            let code = "unreadable_agenda".to_owned();
            assert_eq!(listed(&world, &engine), [(true, code)]);
            let eve = staff("eve");
            let repaired = engine.repair(&world.acme, request, &eve);
            world.clock.drive(repaired).unwrap().unwrap();
            assert_eq!(listed(&world, &engine), []);
        }
        round += 1;
        let tick = world.clock.drive(engine.tick(&world.worker(), None));
        let next = tick.unwrap().unwrap().next;
        let seen = stored(&world, request).map(|_| world.see(&engine, request));
        let work = seen.as_ref().and_then(|seen| seen.fulfilment.as_ref());
        match (&seen, work.map(|work| work.phase)) {
            (Some(seen), None) if seen.lifecycle.phase == lifecycle::Phase::Identity => {
                world.approve(&engine, request);
            }
            (_, Some(fulfilment::Phase::Approval)) => world.approve_plan(&engine, request),
            (_, Some(fulfilment::Phase::Confirmation)) => {
                let confirm = fulfilment::Command::Confirm;
                let done = world.command(&engine, request, &Actor::Person, confirm);
                done.unwrap();
            }
            _ => match next {
                Some(next) if next <= world.now() => {}
                Some(next) if next <= end => world.clock.set(next),
                _ => break,
            },
        }
    }
    let gone = stored(&world, request).is_none();
    assert!(gone, "the request goes in the end");
    let letters = world.outbox.letters_about(request).into_iter();
    let letters = letters.map(|letter| letter.notice.kind.into_owned());
    let rows = [&world.desk, &world.log].map(|source| source.rows_of("1").len());
    let told = world.recipient.received().len();
    (letters.collect(), rows.to_vec(), told, round)
}

/// Wherever it was lost what is still to do, it is told again from the history.
#[test]
fn what_was_to_do_is_told_again_from_the_history() {
    let whole = erased(None);
    assert!(whole.3 > 8, "{whole:?}");
    for round in 0..whole.3 {
        let (letters, rows, told, _) = erased(Some(round));
        let same = (&letters, &rows, told) == (&whole.0, &whole.1, whole.2);
        assert!(
            same,
            "before round {round}: {letters:?} {rows:?} {told}, not {whole:?}"
        );
    }
}
