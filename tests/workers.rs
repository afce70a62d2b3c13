//! What a worker does while a source is slow or down, and that nobody else notices.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::{World, source_id, staff, start};
use datarights::engine::{Alert, Engine, EngineError, Intake, Step, Trouble};
use datarights::model::{Actor, Channel, Identifier, RequestId, Right, Wish};
use datarights::ports::{Clock, ErrorKind};
use datarights::testkit::{Fault, Method};
use datarights::workflow::{Effect, Event, Letter, StepResult, Target, Task, lifecycle};
use futures::future::join;
use futures::{FutureExt, StreamExt};

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

fn desk() -> Target {
    Target::Source(source_id("desk"))
}

/// Everything that is ready on a stream now.
fn ready<T>(stream: &mut futures::stream::BoxStream<'static, T>) -> Vec<T> {
    std::iter::from_fn(|| stream.next().now_or_never().flatten()).collect()
}

/// Erasures of people nobody knows, approved at once: their work begins with a search everywhere.
async fn erasures(world: &World, engine: &Engine, number: usize) -> Vec<RequestId> {
    let (alice, mut all) = (staff("alice"), Vec::new());
    for n in 0..number {
        let to = vec![Identifier::mail(format!("p{n}@example.org")).unwrap()];
        let intake = Intake::new(Channel::Form, to, [Wish::of(Right::Erasure)]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake).await;
        let request = submitted.unwrap()[0].request;
        for command in [
            lifecycle::Command::ConfirmIdentity,
            lifecycle::Command::Approve,
        ] {
            let done = engine.command(&world.acme, request, &alice, command);
            done.await.unwrap();
        }
        all.push(request);
    }
    all
}

/// Runs a worker for so long, beside something else.
fn run<T>(
    world: &World,
    engine: &Engine,
    lasting: TimeDelta,
    beside: impl Future<Output = T>,
) -> T {
    let worker = world.worker();
    let report = |error: &EngineError| panic!("{error}");
    let shutdown = world.clock.sleep_until(world.now() + lasting);
    let both = join(engine.run(&worker, None, shutdown, report), beside);
    world.clock.drive(both).unwrap().1
}

/// When the calls of one kind came, counted from the start.
fn calls(world: &World, port: &str, method: Method) -> Vec<DateTime<Utc>> {
    let calls = world.recorder.calls_of(port, method);
    calls.iter().map(|call| call.at).collect()
}

/// Whether the desk answered where a person is: nobody knows them there.
fn is_located(world: &World, engine: &Engine, request: RequestId) -> bool {
    let history = engine.timeline(&world.acme, request, &Actor::Person);
    let history = world.clock.drive(history).unwrap().unwrap();
    let answered = |event: &Event| {
        matches!(event, Event::StepAnswered { task: Task::Locate, target, result }
            if *target == desk() && matches!(result, StepResult::Done { .. }))
    };
    history.iter().any(|envelope| answered(&envelope.event))
}

/// Twelve searches of ten seconds each, three at a time: four rounds, never a fourth beside three.
/// Nothing else of these requests waits for their turn.
#[test]
fn a_source_gets_no_more_calls_at_a_time_than_it_bears() {
    let mut world = World::new();
    world.settings.calls = 3;
    world
        .desk_port
        .will(Method::Locate, vec![Fault::Delay(seconds(10)); 12]);
    let engine = world.engine();
    let mut progress = engine.progress();
    let all = run(&world, &engine, seconds(300), erasures(&world, &engine, 12));
    let began = calls(&world, "desk", Method::Locate);
    assert_eq!(began.len(), 12, "each is asked once");
    for at in &began {
        let beside = began
            .iter()
            .filter(|other| **other <= *at && *at < **other + seconds(10));
        assert!(beside.count() <= 3, "{began:?}");
    }
    let last = *began.last().unwrap() - start();
    assert!(last <= seconds(60), "the source was left idle: {last}");
    assert!(
        all.iter()
            .all(|request| is_located(&world, &engine, *request))
    );

    let told = ready(&mut progress);
    let acknowledged = |told: &&datarights::engine::Progress| {
        matches!(&told.what, Step::Recorded(event)
            if matches!(**event, Event::LetterSent { letter: Letter::Acknowledgement }))
    };
    let acknowledged: Vec<_> = told.iter().filter(acknowledged).collect();
    assert_eq!(acknowledged.len(), 12);
    assert!(acknowledged.iter().all(|told| told.at == start()));
    let put_off = |told: &datarights::engine::Progress| {
        matches!(&told.what, Step::PutOff { effect: Effect::Step { task: Task::Locate, target, .. }, .. }
            if *target == desk())
    };
    assert!(told.iter().any(put_off), "who waits is told of");
    // The other source is not held up, nor limited to less than it may get.
    let elsewhere = calls(&world, "log", Method::Locate);
    assert!(elsewhere.iter().all(|at| *at == start()), "{elsewhere:?}");
}

#[test]
fn one_source_may_bear_less_than_the_others() {
    let world = World::new();
    world
        .desk_port
        .will(Method::Locate, vec![Fault::Delay(seconds(10)); 4]);
    let engine = world.engine_limited(desk(), 1);
    run(&world, &engine, seconds(300), erasures(&world, &engine, 4));
    let began = calls(&world, "desk", Method::Locate);
    assert_eq!(began.len(), 4);
    let apart = |pair: &[DateTime<Utc>]| pair[1] - pair[0] >= seconds(10);
    assert!(began.windows(2).all(apart), "{began:?}");
}

/// A source that is down for an hour: it is tried now and then, by one call at a time; whoever needs
/// it waits without using up its attempts, and nobody else waits. The host hears of both ends.
#[test]
fn a_source_that_is_down_delays_only_what_needs_it() {
    let world = World::new();
    let down = Fault::Fail(ErrorKind::Unavailable);
    world.desk_port.will(Method::Locate, vec![down; 10_000]);
    let engine = world.engine();
    let mut alerts = engine.alerts();
    let all = run(&world, &engine, seconds(3_600), async {
        let all = erasures(&world, &engine, 40).await;
        world.clock.sleep_until(start() + seconds(1_800)).await;
        let [outage] = &engine.outages()[..] else {
            panic!("{:?}", engine.outages());
        };
        assert_eq!(outage.target, desk());
        assert!(outage.next_trial <= world.now() + world.settings.longest_trial);
        all
    });
    let tried = calls(&world, "desk", Method::Locate);
    // Sixteen at most were under way when it was found out; then 2, 4, 8 … 256, 300, 300 … seconds.
    assert!((20..=50).contains(&tried.len()), "{} calls", tried.len());
    let late: Vec<_> = tried
        .iter()
        .filter(|at| **at > start() + seconds(60))
        .collect();
    assert!(late.windows(2).all(|pair| pair[0] < pair[1]), "{late:?}");
    assert!(
        late.windows(2)
            .all(|pair| *pair[1] - *pair[0] <= seconds(2 * 300)),
        "{late:?}"
    );
    // The other source has answered all of them long ago, and every letter is out.
    let elsewhere = calls(&world, "log", Method::Locate);
    assert!(
        elsewhere.iter().all(|at| *at < start() + seconds(5)),
        "{elsewhere:?}"
    );
    assert_eq!(world.outbox.letters().len(), 40);
    match &ready(&mut alerts)[..] {
        [
            Alert {
                at,
                what: Trouble::Down(outage),
                ..
            },
        ] => {
            assert_eq!((&outage.target, outage.since), (&desk(), *at));
            assert!(*at < start() + seconds(60));
        }
        other => panic!("{other:?}"),
    }

    world.desk_port.heal();
    run(&world, &engine, seconds(1_200), async {});
    assert_eq!(engine.outages(), []);
    let back = ready(&mut alerts);
    assert!(
        matches!(&back[..], [Alert { what: Trouble::Back { target, .. }, .. }] if *target == desk()),
        "{back:?}"
    );
    for request in all {
        assert!(is_located(&world, &engine, request), "within 20 minutes");
    }
}

/// What a port refuses, and a request on which it panics, do not make it count as down.
#[test]
fn a_source_that_answers_or_panics_is_not_down() {
    for fault in [
        Fault::Fail(ErrorKind::Refused),
        Fault::Fail(ErrorKind::Busy),
        Fault::Panic,
    ] {
        let mut world = World::new();
        world.settings.down_after = 2;
        world.desk_port.will(Method::Locate, vec![fault; 20]);
        let engine = world.engine();
        run(&world, &engine, seconds(60), erasures(&world, &engine, 5));
        assert_eq!(engine.outages(), [], "{fault:?}");
    }
}

/// A worker whose lease another one has taken stops: what it has under way is told to stop, and
/// nothing of it is written down.
#[test]
fn a_worker_that_lost_its_lease_stops_what_it_does() {
    let world = World::new();
    let never = [Fault::Never, Fault::None];
    world.desk_port.will(Method::Locate, never);
    let engine = world.engine();
    let lease = world.settings.lease;
    run(&world, &engine, seconds(400), async {
        erasures(&world, &engine, 1).await;
        world.clock.sleep_until(start() + seconds(5)).await;
        // Another worker, whose clock is far ahead: by it, the lease has run out long ago.
        let ahead = world.now() + lease * 10;
        let other = datarights::ports::WorkerId("ahead".to_owned());
        let store = &world.store;
        let claims = store
            .claim(None, &other, ahead, ahead + lease, 9)
            .await
            .unwrap();
        assert_eq!(claims.len(), 1);
        // At half its lease the first one wants to renew it.
        world.clock.sleep_until(start() + lease).await;
        let calls = world.recorder.calls_of("desk", Method::Locate);
        assert_eq!(calls.len(), 1);
        let cancel = &calls[0].context.as_ref().unwrap().cancel;
        assert!(cancel.is_cancelled(), "it goes on for nobody");
        store.release(&claims[0]).await.unwrap();
    });
    let calls = world.recorder.calls_of("desk", Method::Locate);
    let fences: Vec<_> = calls
        .iter()
        .map(|call| call.context.as_ref().unwrap().fence)
        .collect();
    assert_eq!(fences.len(), 2, "made again, under a newer lease");
    assert!(fences[0] < fences[1]);
}
