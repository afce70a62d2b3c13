//! A worker that runs on and on, in virtual time: it wakes, it shares its time, it stops.
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
use common::{World, staff, start};
use datarights::engine::{Engine, EngineError, Intake};
use datarights::evidence;
use datarights::model::{
    Actor, Channel, Failure, Ground, Handle, Identifier, Pending, Personal, RequestId, Right, Wish,
};
use datarights::ports::{
    AccessPolicy, Answer, CallContext, Clock, Denied, ErrorKind, Grant, Notice, Notifier,
    PortError, Query, WorkerId,
};
use datarights::testkit::{Fault, Faulty, Method, TestClock};
use datarights::workflow::{CodecError, Event, Letter, lifecycle};
use futures::future::join;

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

async fn submit(world: &World, engine: &Engine, mail: &str) -> RequestId {
    let to = vec![Identifier::mail(mail).unwrap()];
    let intake = Intake::new(Channel::Form, to, [Wish::of(Right::Erasure)]);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake).await;
    submitted.unwrap()[0].request
}

async fn approve(world: &World, engine: &Engine, request: RequestId) {
    let alice = staff("alice");
    for command in [
        lifecycle::Command::ConfirmIdentity,
        lifecycle::Command::Approve,
    ] {
        let done = engine.command(&world.acme, request, &alice, command).await;
        done.unwrap();
    }
}

/// Runs a worker until `shutdown` seconds have passed, beside something else; the errors that it
/// reported, as they read.
fn run<T>(
    world: &World,
    engine: &Engine,
    shutdown: i64,
    beside: impl Future<Output = T>,
) -> (Vec<String>, T) {
    let worker = world.worker();
    let mut errors = Vec::new();
    let report = |error: &EngineError| errors.push(error.to_string());
    let shutdown = world.clock.sleep_until(start() + seconds(shutdown));
    let both = join(engine.run(&worker, None, shutdown, report), beside);
    let ((), done) = world.clock.drive(both).unwrap();
    (errors, done)
}

/// When a letter of a request went out.
fn sent_at(
    world: &World,
    engine: &Engine,
    request: RequestId,
    wanted: Letter,
) -> Option<TimeDelta> {
    let timeline = engine.timeline(&world.acme, request, &Actor::Person);
    let timeline = world.clock.drive(timeline).unwrap().unwrap();
    let sent = |event: &Event| matches!(event, Event::LetterSent { letter } if *letter == wanted);
    let found = timeline.iter().find(|envelope| sent(&envelope.event));
    found.map(|envelope| envelope.at - start())
}

#[test]
fn a_command_wakes_the_worker_at_once() {
    let world = World::new();
    let engine = world.engine();
    let (errors, request) = run(&world, &engine, 60, async {
        world.clock.sleep_until(start() + seconds(3)).await;
        submit(&world, &engine, "ada@example.org").await
    });
    assert_eq!(errors, [""; 0]);
    let sent = sent_at(&world, &engine, request, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(3)), "not at the next poll, 30 s later");
}

#[test]
fn what_another_process_wrote_is_seen_at_the_next_poll() {
    let world = World::new();
    let (engine, other) = (world.engine(), world.engine());
    let (errors, request) = run(&world, &engine, 60, async {
        world.clock.sleep_until(start() + seconds(3)).await;
        submit(&world, &other, "ada@example.org").await
    });
    assert_eq!(errors, [""; 0]);
    let sent = sent_at(&world, &engine, request, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(30)));
}

#[test]
fn a_request_that_takes_long_holds_up_no_other() {
    let mut world = World::new();
    world.settings.claims = 2;
    let engine = world.engine();
    world
        .desk_port
        .will(Method::Locate, [Fault::Delay(seconds(200))]);
    let (errors, (slow, quick)) = run(&world, &engine, 400, async {
        let slow = submit(&world, &engine, "ada@example.org").await;
        approve(&world, &engine, slow).await;
        world.clock.sleep_until(start() + seconds(5)).await;
        (slow, submit(&world, &engine, "grace@example.org").await)
    });
    assert_eq!(errors, [""; 0]);
    let sent = sent_at(&world, &engine, quick, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(5)));
    let slow = world.see(&engine, slow);
    let found = slow.fulfilment.unwrap();
    assert!(found.sources.iter().all(|source| source.is_found()));
}

/// What is commanded while a call takes long is done at once, and what it gave up is told to stop.
#[test]
fn a_command_during_a_long_call_is_acted_on() {
    let world = World::new();
    let engine = world.engine();
    world
        .desk_port
        .will(Method::Locate, [Fault::Delay(seconds(250))]);
    let (errors, request) = run(&world, &engine, 400, async {
        let request = submit(&world, &engine, "ada@example.org").await;
        approve(&world, &engine, request).await;
        world.clock.sleep_until(start() + seconds(70)).await;
        let ground = Ground::new("manifestly_unfounded");
        let refuse = lifecycle::Command::Refuse { ground };
        let alice = staff("alice");
        let refused = engine.command(&world.acme, request, &alice, refuse).await;
        refused.unwrap();
        request
    });
    assert_eq!(errors, [""; 0]);
    let sent = sent_at(&world, &engine, request, Letter::Refusal);
    assert_eq!(sent, Some(seconds(70)), "not after the call, at 250 s");
    let stopped = world.recorder.calls().into_iter().find(|call| {
        let context = call.context.as_ref();
        call.port == "desk" && context.is_some_and(|context| context.cancel.is_cancelled())
    });
    assert!(stopped.is_some());
}

/// A call that never ends is told to stop, has its farewell, and is dropped; the lease is given
/// back at once, and the attempt does not count.
#[test]
fn a_shutdown_ends_what_runs_and_gives_the_leases_back() {
    let world = World::new();
    let engine = world.engine();
    world.desk_port.will(Method::Locate, [Fault::Never]);
    let (errors, request) = run(&world, &engine, 20, async {
        let request = submit(&world, &engine, "ada@example.org").await;
        approve(&world, &engine, request).await;
        request
    });
    assert_eq!(errors, [""; 0]);
    let farewell = world.settings.farewell;
    assert_eq!(world.now() - start(), seconds(20) + farewell);

    let next = WorkerId("w2".to_owned());
    let tick = world
        .clock
        .drive(engine.tick(&next, None))
        .unwrap()
        .unwrap();
    assert_eq!(tick.worked, 1, "nobody waits for the lease to run out");
    let seen = world.see(&engine, request).fulfilment.unwrap();
    assert_eq!(seen.sources.iter().filter(|s| s.is_found()).count(), 2);
    let attempts: Vec<_> = world
        .recorder
        .calls()
        .into_iter()
        .filter(|call| call.port == "desk" && call.method == Method::Locate)
        .map(|call| call.context.unwrap().attempt)
        .collect();
    assert_eq!(attempts, [1, 1]);
}

#[test]
fn what_ends_within_the_farewell_is_written_down() {
    let mut world = World::new();
    let shared: Arc<dyn Clock> = Arc::new(world.clock.clone());
    let slow = Faulty::new("letters", world.outbox.clone(), shared)
        .on(Method::Notify, [Fault::Delay(seconds(25))]);
    world.notifier = Arc::new(slow);
    let engine = world.engine();
    let (errors, request) = run(
        &world,
        &engine,
        20,
        submit(&world, &engine, "ada@example.org"),
    );
    assert_eq!(errors, [""; 0]);
    assert_eq!(
        world.now() - start(),
        seconds(25),
        "no longer than it takes"
    );
    let sent = sent_at(&world, &engine, request, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(25)));
}

/// Waits, and stops when it is told to.
struct Listening(TestClock);

#[async_trait::async_trait]
impl Notifier for Listening {
    async fn notify(&self, context: &CallContext, _: &Notice) -> Result<Answer<()>, PortError> {
        while !context.cancel.is_cancelled() {
            self.0.sleep_until(self.0.now() + seconds(1)).await;
        }
        Err(PortError::new(ErrorKind::Cancelled, "stopped"))
    }
}

#[test]
fn what_stops_because_it_is_told_has_not_failed() {
    let mut world = World::new();
    world.settings.attempts = 1;
    let letters = std::mem::replace(
        &mut world.notifier,
        Arc::new(Listening(world.clock.clone())),
    );
    let engine = world.engine();
    let (errors, request) = run(
        &world,
        &engine,
        20,
        submit(&world, &engine, "ada@example.org"),
    );
    assert_eq!(errors, [""; 0]);
    let stopped = world.now() - start();
    assert!(stopped <= seconds(21), "before the farewell was over");
    assert_eq!(
        world.see(&engine, request).lifecycle.stuck_letters,
        [],
        "one attempt is allowed, and it was not used up"
    );
    world.notifier = letters;
    world.work(&world.engine());
    assert!(sent_at(&world, &engine, request, Letter::Acknowledgement).is_some());
}

/// One that cannot be worked on (its controller is not served here) rests between two tries, and
/// the others are worked on.
#[test]
fn a_request_that_cannot_be_worked_on_rests_and_harms_no_other() {
    let mut world = World::new();
    let elsewhere = world.engine();
    let stranger = world
        .clock
        .drive(submit(&world, &elsewhere, "ada@example.org"));
    assert!(stranger.is_ok());
    let here = datarights::model::ControllerId::new("here").unwrap();
    let before = std::mem::replace(&mut world.acme, here);
    let engine = world.engine();
    let (errors, request) = run(&world, &engine, 600, async {
        world.clock.sleep_until(start() + seconds(1)).await;
        submit(&world, &engine, "grace@example.org").await
    });
    let sent = sent_at(&world, &engine, request, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(1)));
    let lease = world.settings.lease.num_seconds();
    let tries = i64::try_from(errors.len()).unwrap();
    assert!((1..=600 / lease + 1).contains(&tries), "{tries} tries");
    assert!(
        errors.iter().all(|error| error.contains(before.as_str())),
        "{errors:?}"
    );
}

#[test]
fn a_verifier_that_never_answers_or_panics_costs_an_attempt_and_nothing_else() {
    let mut world = World::new();
    let shared: Arc<dyn Clock> = Arc::new(world.clock.clone());
    let faulty = Faulty::new("verifier", world.codes.clone(), shared)
        .on(Method::Check, [Fault::Never, Fault::Panic]);
    world.verifier = Arc::new(faulty);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let ask = lifecycle::Command::RequestIdentity;
    world
        .command(&engine, request, &staff("alice"), ask)
        .unwrap();
    for (attempt, code) in [(1, "timed_out"), (2, "panicked")] {
        let code_given = Personal::new("0".to_owned());
        let answered = engine.answer_identity(&world.acme, request, &Actor::Person, &code_given);
        match world.clock.drive(answered).unwrap() {
            Err(EngineError::Port(error)) => assert_eq!(error.code, code),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.see(&engine, request).lifecycle.attempts, attempt);
    }
}

/// A vault that panics where an answer is sealed: the request rests, the worker lives on.
#[test]
fn a_vault_that_panics_does_not_take_the_worker_along() {
    let mut world = World::new();
    let shared: Arc<dyn Clock> = Arc::new(world.clock.clone());
    let vault = Arc::new(Faulty::new("vault", world.vault.clone(), shared));
    world.vault_port = vault.clone();
    let engine = world.engine();
    let (errors, request) = run(&world, &engine, 300, async {
        let request = submit(&world, &engine, "ada@example.org").await;
        vault.will(Method::Seal, [Fault::Panic]);
        approve(&world, &engine, request).await;
        request
    });
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("panicked"), "{errors:?}");
    let work = world.see(&engine, request).fulfilment.unwrap();
    assert_eq!(work.sources.iter().filter(|s| s.is_found()).count(), 2);
}

/// One that never answers where an answer is sealed: the others are worked on meanwhile, and the
/// request once its lease is over.
#[test]
fn a_vault_that_never_answers_holds_up_no_other_request() {
    let mut world = World::new();
    world.settings.claims = 2;
    let shared: Arc<dyn Clock> = Arc::new(world.clock.clone());
    let vault = Arc::new(Faulty::new("vault", world.vault.clone(), shared));
    world.vault_port = vault.clone();
    let engine = world.engine();
    let (errors, (silent, other)) = run(&world, &engine, 900, async {
        let silent = submit(&world, &engine, "ada@example.org").await;
        vault.will(Method::Seal, [Fault::Never]);
        approve(&world, &engine, silent).await;
        world.clock.sleep_until(start() + seconds(5)).await;
        (silent, submit(&world, &engine, "grace@example.org").await)
    });
    assert_eq!(errors, ["the vault failed: timed_out"]);
    let sent = sent_at(&world, &engine, other, Letter::Acknowledgement);
    assert_eq!(sent, Some(seconds(5)));
    let work = world.see(&engine, silent).fulfilment.unwrap();
    assert_eq!(work.sources.iter().filter(|s| s.is_found()).count(), 2);
}

/// A policy that does not answer has not agreed, and whoever asked is told.
#[test]
fn a_policy_that_never_answers_or_panics_agrees_to_nothing() {
    struct Numb(bool);
    #[async_trait::async_trait]
    impl AccessPolicy for Numb {
        async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
            match (query.command, self.0) {
                ("approve", true) => panic!("a policy that cannot cope"),
                ("approve", false) => std::future::pending().await,
                _ => Ok(Grant::agreed()),
            }
        }
    }
    for (panics, wanted) in [(true, "panicked"), (false, "timed_out")] {
        let mut world = World::new();
        world.access = Arc::new(Numb(panics));
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        let alice = staff("alice");
        let confirm = lifecycle::Command::ConfirmIdentity;
        world.command(&engine, request, &alice, confirm).unwrap();
        let before = world.see(&engine, request);
        let approved = world.command(&engine, request, &alice, lifecycle::Command::Approve);
        match approved {
            Err(EngineError::Port(error)) => assert_eq!(error.code, wanted),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.see(&engine, request), before);
    }
}

/// What a port says may be too large to be written down: it failed, and is told.
#[test]
fn an_answer_too_large_to_be_recorded_is_a_failure() {
    struct Long(bool);
    #[async_trait::async_trait]
    impl Notifier for Long {
        async fn notify(&self, _: &CallContext, _: &Notice) -> Result<Answer<()>, PortError> {
            let long = "x".repeat(70_000);
            match self.0 {
                true => Err(PortError::refused(long)),
                false => Ok(Answer::Pending(Pending {
                    handle: Handle(long),
                    look_again: start() + TimeDelta::days(100_000),
                    task: None,
                })),
            }
        }
    }
    for fails in [true, false] {
        let mut world = World::new();
        world.notifier = Arc::new(Long(fails));
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.work(&engine);
        let stuck = world.see(&engine, request).lifecycle.stuck_letters;
        assert_eq!(stuck, [(Letter::Acknowledgement, Failure::Nonsense)]);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_history_that_was_cut_at_its_end_is_noticed() {
    use futures::executor::block_on;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.db");
    let mut world = World::new();
    world.store = Arc::new(datarights::adapters::SqliteStore::open(&file).unwrap());
    let engine = world.engine();
    let request = block_on(submit(&world, &engine, "ada@example.org"));
    block_on(approve(&world, &engine, request));
    let timeline = || block_on(engine.timeline(&world.acme, request, &Actor::Person));
    let whole = timeline().unwrap();

    let other = rusqlite::Connection::open(&file).unwrap();
    let cut = "DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM event)";
    assert_eq!(other.execute(cut, []).unwrap(), 1);
    let history = block_on(world.store.history(&world.acme, request, 0, 100)).unwrap();
    let chain = evidence::verify(history.iter().map(|event| event.bytes.as_slice()));
    assert!(chain.is_ok(), "the chain alone does not see it");
    match timeline() {
        Err(EngineError::Codec(CodecError::Broken { sequence })) => {
            assert_eq!(sequence, whole.len() as u64);
        }
        other => panic!("{other:?}"),
    }
}
