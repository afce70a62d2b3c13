//! What a worker does while a source is slow or down, with what it cannot work on, and that nobody
//! else notices.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use common::{World, source_id, staff, start};
use datarights::engine::{
    Alert, Backlog, Callee, Engine, EngineError, Intake, SetAside, Step, Trouble,
};
use datarights::model::{Actor, Channel, Identifier, Outcome, RequestId, Right, Wish};
use datarights::ports::{Clock, Commit, ErrorKind, LockChange, Snapshot};
use datarights::testkit::{Fault, Faulty, Method};
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
async fn erasures(world: &World, engine: &Engine, people: Range<usize>) -> Vec<RequestId> {
    use lifecycle::Command::{Approve, ConfirmIdentity};
    submitted(world, engine, people, &[ConfirmIdentity, Approve]).await
}

/// Erasures of people nobody knows, and what staff says of each at once.
async fn submitted(
    world: &World,
    engine: &Engine,
    people: Range<usize>,
    commands: &[lifecycle::Command],
) -> Vec<RequestId> {
    let (alice, mut all) = (staff("alice"), Vec::new());
    for n in people {
        let to = vec![Identifier::mail(format!("p{n}@example.org")).unwrap()];
        let intake = Intake::new(Channel::Form, to, [Wish::of(Right::Erasure)]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake).await;
        let request = submitted.unwrap()[0].request;
        for command in commands {
            let done = engine.command(&world.acme, request, &alice, command.clone());
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
    let all = run(
        &world,
        &engine,
        seconds(300),
        erasures(&world, &engine, 0..12),
    );
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
    let engine = world.engine_limited(Callee::Source(source_id("desk")), 1);
    run(
        &world,
        &engine,
        seconds(300),
        erasures(&world, &engine, 0..4),
    );
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
        let all = erasures(&world, &engine, 0..40).await;
        world.clock.sleep_until(start() + seconds(1_800)).await;
        let [outage] = &engine.outages()[..] else {
            panic!("{:?}", engine.outages());
        };
        assert_eq!(outage.callee, Callee::Source(source_id("desk")));
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
            let desk = Callee::Source(source_id("desk"));
            assert_eq!((&outage.callee, outage.since), (&desk, *at));
            assert!(*at < start() + seconds(60));
        }
        other => panic!("{other:?}"),
    }

    world.desk_port.heal();
    run(&world, &engine, seconds(1_200), async {});
    assert_eq!(engine.outages(), []);
    let back = ready(&mut alerts);
    assert!(
        matches!(&back[..], [Alert { what: Trouble::Back { callee, .. }, .. }]
            if *callee == Callee::Source(source_id("desk"))),
        "{back:?}"
    );
    for request in all {
        assert!(is_located(&world, &engine, request), "within 20 minutes");
    }
}

/// A source that is gone for good: who waits for it is counted, and after the longest time its part
/// has failed everywhere, however many wait.
#[test]
fn a_source_that_stays_down_fails_in_the_end() {
    let mut world = World::new();
    let longest = TimeDelta::hours(3);
    world.settings.longest_outage = longest;
    let down = Fault::Fail(ErrorKind::Unavailable);
    world.desk_port.will(Method::Locate, vec![down; 10_000]);
    let engine = world.engine();
    let all = run(
        &world,
        &engine,
        seconds(3_600),
        erasures(&world, &engine, 0..15),
    );
    assert_eq!(backlog(&world, &engine).retrying, 15);
    run(&world, &engine, longest + seconds(3_600), async {});
    assert_eq!(engine.outages().len(), 1, "it is still down");
    assert_eq!(backlog(&world, &engine).retrying, 0);
    for request in all {
        let history = engine.timeline(&world.acme, request, &Actor::Person);
        let history = world.clock.drive(history).unwrap().unwrap();
        let failed = |event: &Event| {
            matches!(event, Event::StepAnswered { task: Task::Locate, target, result: StepResult::Failed(_) }
                if *target == desk())
        };
        assert!(history.iter().any(|envelope| failed(&envelope.event)));
    }
}

/// A trial in which our own side failed says nothing of the source.
#[test]
fn a_source_that_nobody_called_is_not_back() {
    let mut world = World::new();
    world.settings.down_after = 1;
    let down = Fault::Fail(ErrorKind::Unavailable);
    world.desk_port.will(Method::Locate, vec![down; 10_000]);
    let engine = world.engine();
    let mut alerts = engine.alerts();
    run(&world, &engine, seconds(100), async {
        let all = erasures(&world, &engine, 0..1).await;
        world.clock.sleep_until(start() + seconds(1)).await;
        let seen = engine.request(&world.acme, all[0], &Actor::Person);
        let part = seen.await.unwrap().identifiers.name;
        let gone = world
            .store
            .delete_parts(&world.acme, all[0], None, Some(&part));
        gone.await.unwrap();
    });
    let told = ready(&mut alerts);
    assert!(
        matches!(
            &told[..],
            [Alert {
                what: Trouble::Down(_),
                ..
            }]
        ),
        "{told:?}"
    );
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
        run(
            &world,
            &engine,
            seconds(60),
            erasures(&world, &engine, 0..5),
        );
        assert_eq!(engine.outages(), [], "{fault:?}");
    }
}

/// A notifier and a verifier that are down for four hours, longer than an effect is tried: letters and
/// questions wait, are tried by one call at a time, and go out once each. Nothing else waits.
#[test]
fn who_sends_and_who_asks_delay_only_letters_and_questions() {
    let mut world = World::new();
    let down = vec![Fault::Fail(ErrorKind::Unavailable); 10_000];
    let clock = std::sync::Arc::new(world.clock.clone());
    let post = Faulty::new("post", world.outbox.clone(), clock.clone());
    let post = std::sync::Arc::new(post.recorded_by(&world.recorder));
    let ask = Faulty::new("ask", world.codes.clone(), clock);
    let ask = std::sync::Arc::new(ask.recorded_by(&world.recorder));
    (world.notifier, world.verifier) = (post.clone(), ask.clone());
    post.will(Method::Notify, down.clone());
    ask.will(Method::Challenge, down);
    let engine = world.engine();
    let mut alerts = engine.alerts();
    let hours = seconds(4 * 3_600);
    let (known, asked) = run(&world, &engine, hours, async {
        let known = erasures(&world, &engine, 0..20).await;
        let asked = asked(&world, &engine, 20..40).await;
        world.clock.sleep_until(start() + seconds(3_600)).await;
        let out: Vec<_> = engine.outages().into_iter().map(|out| out.callee).collect();
        assert_eq!(out, [Callee::Notifier, Callee::Verifier]);
        (known, asked)
    });
    assert_eq!(world.outbox.letters().len(), 0);
    for (port, method) in [("post", Method::Notify), ("ask", Method::Challenge)] {
        let tried = calls(&world, port, method);
        // As with a source: what was under way when it was found out, then 2, 4, 8 … 300 seconds.
        assert!((40..=90).contains(&tried.len()), "{} calls", tried.len());
        let late = tried.iter().filter(|at| **at > start() + seconds(60));
        let late: Vec<_> = late.collect();
        assert!(late.windows(2).all(|pair| pair[0] < pair[1]), "{late:?}");
    }
    let searched = calls(&world, "desk", Method::Locate);
    let soon = |at: &DateTime<Utc>| *at < start() + seconds(5);
    assert!(searched.len() == 20 && searched.iter().all(soon));
    let mut told: Vec<_> = ready(&mut alerts)
        .into_iter()
        .map(|alert| match alert.what {
            Trouble::Down(outage) => outage.callee,
            other => panic!("{other:?}"),
        })
        .collect();
    told.sort();
    assert_eq!(told, [Callee::Notifier, Callee::Verifier]);

    post.heal();
    ask.heal();
    run(&world, &engine, seconds(1_200), async {});
    assert_eq!(engine.outages(), []);
    let back = ready(&mut alerts);
    let is_back = |alert: &Alert| matches!(alert.what, Trouble::Back { .. });
    assert!(back.len() == 2 && back.iter().all(is_back), "{back:?}");
    let wanted = [
        (&known, &["acknowledgement"][..]),
        (&asked, &["acknowledgement", "identity_request"]),
    ];
    for (requests, wanted) in wanted {
        for request in requests {
            let letters = world.outbox.letters_about(*request);
            let mut kinds: Vec<_> = letters.iter().map(|l| l.notice.kind.as_ref()).collect();
            kinds.sort_unstable();
            assert_eq!(kinds, wanted, "each once");
        }
    }
    let failed = |event: &Event| {
        matches!(
            event,
            Event::LetterFailed { .. } | Event::ChallengeFailed { .. }
        )
    };
    for request in asked {
        let history = engine.timeline(&world.acme, request, &Actor::Person);
        let history = world.clock.drive(history).unwrap().unwrap();
        assert!(!history.iter().any(|envelope| failed(&envelope.event)));
        let about = |call: &&datarights::testkit::Recorded| {
            let context = call.context.as_ref().unwrap();
            context.request == request && call.fault == Fault::None
        };
        let calls = world.recorder.calls_of("ask", Method::Challenge);
        assert_eq!(calls.iter().filter(about).count(), 1, "is asked once");
    }
}

/// Erasures of people nobody knows, who are asked who they are.
async fn asked(world: &World, engine: &Engine, people: Range<usize>) -> Vec<RequestId> {
    let ask = [lifecycle::Command::RequestIdentity];
    submitted(world, engine, people, &ask).await
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
        erasures(&world, &engine, 0..1).await;
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

/// The same, where the worker complains: what it says.
fn run_and_hear(world: &World, engine: &Engine, lasting: TimeDelta) -> Vec<String> {
    let worker = world.worker();
    let mut errors = Vec::new();
    let report = |error: &EngineError| errors.push(error.to_string());
    let shutdown = world.clock.sleep_until(world.now() + lasting);
    let running = engine.run(&worker, None, shutdown, report);
    world.clock.drive(running).unwrap();
    errors
}

fn aside(world: &World, engine: &Engine) -> Vec<SetAside> {
    let eve = staff("eve");
    let list = engine.set_aside(&world.acme, &eve, None, 10);
    let (list, next) = world.clock.drive(list).unwrap().unwrap();
    assert_eq!(next, None);
    list
}

fn backlog(world: &World, engine: &Engine) -> Backlog {
    let eve = staff("eve");
    let counted = engine.backlog(&world.acme, &eve, TimeDelta::days(7));
    world.clock.drive(counted).unwrap().unwrap()
}

/// A search that panics again and again is set aside; the clocks of its request go on, and others
/// are worked on. A person lets it be tried again, or gives it up.
#[test]
fn an_effect_that_panics_again_and_again_waits_for_a_person() {
    for gives_up in [false, true] {
        let world = World::new();
        world
            .desk_port
            .will(Method::Locate, vec![Fault::Panic; 1_000]);
        let engine = world.engine();
        let mut alerts = engine.alerts();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        world.approve(&engine, request);
        world.work(&engine);
        let tried = calls(&world, "desk", Method::Locate).len();
        assert_eq!(tried, world.settings.set_aside_after as usize);
        let list = aside(&world, &engine);
        let [one] = &list[..] else {
            panic!("{list:?}");
        };
        assert_eq!((one.request, &*one.code), (request, "panicked"));
        assert!(matches!(&one.effect, Some(Effect::Step { target, .. }) if *target == desk()));
        match &ready(&mut alerts)[..] {
            [alert] => assert_eq!(alert.what, Trouble::SetAside(one.clone())),
            other => panic!("{other:?}"),
        }
        let counted = backlog(&world, &engine);
        assert_eq!((counted.set_aside, counted.retrying), (1, 0));

        // Its deadline is watched as ever.
        world.work_until(&engine, start() + TimeDelta::days(60));
        assert!(world.see(&engine, request).lifecycle.overdue);
        assert_eq!(calls(&world, "desk", Method::Locate).len(), tried);

        let alice = staff("alice");
        world.desk_port.heal();
        if gives_up {
            let given_up = engine.give_up(&world.acme, request, &alice);
            world.clock.drive(given_up).unwrap().unwrap();
            world.work(&engine);
            let seen = world.see(&engine, request);
            assert_eq!(seen.lifecycle.outcome, Some(Outcome::Failed));
        } else {
            let resumed = engine.resume(&world.acme, request, &alice);
            world.clock.drive(resumed).unwrap().unwrap();
            world.work(&engine);
            assert!(is_located(&world, &engine, request));
        }
        assert_eq!(aside(&world, &engine), []);
        assert_eq!(backlog(&world, &engine).set_aside, 0);
        // There is nothing left to decide.
        for again in [
            world
                .clock
                .drive(engine.resume(&world.acme, request, &alice)),
            world.clock.drive(async {
                let given_up = engine.give_up(&world.acme, request, &alice);
                given_up.await.map(drop)
            }),
        ] {
            let again = again.unwrap();
            assert!(
                matches!(again, Err(EngineError::Nothing { .. })),
                "{again:?}"
            );
        }
    }
}

/// A request whose state was damaged: tried a few times, set aside with its reason, and made anew
/// from its events.
#[test]
fn a_request_that_cannot_be_read_waits_for_a_person() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    world.approve(&engine, request);
    let whole = world.see(&engine, request);
    let store = &world.store;
    world
        .clock
        .drive(async {
            let stored = store.load(&world.acme, request).await.unwrap().unwrap();
            let commit = Commit {
                request,
                expected: stored.version,
                fence: None,
                events: Vec::new(),
                snapshot: Snapshot {
                    state: b"{".to_vec(),
                    ..stored.snapshot
                },
                locks: LockChange::Keep,
                people: Vec::new(),
                parts: Vec::new(),
            };
            store.commit(&world.acme, commit).await.unwrap();
        })
        .unwrap();
    let mut alerts = engine.alerts();
    let tries = world.settings.set_aside_after as usize;
    let hours = TimeDelta::hours(3);
    assert_eq!(run_and_hear(&world, &engine, hours).len(), tries);
    let list = aside(&world, &engine);
    let [one] = &list[..] else {
        panic!("{list:?}");
    };
    let told = (one.request, &one.effect, &*one.code);
    assert_eq!(told, (request, &None, "unreadable_state"));
    assert!(matches!(&ready(&mut alerts)[..],
        [Alert { what: Trouble::SetAside(told), .. }] if told == one));
    // It is still seen that an answer is due.
    let eve = staff("eve");
    let due = engine.due(&world.acme, &eve, start() + TimeDelta::days(60), 9);
    assert_eq!(world.clock.drive(due).unwrap().unwrap().len(), 1);
    assert_eq!(backlog(&world, &engine).set_aside, 1);

    // Resumed without a repair, it comes to the same end.
    let resumed = engine.resume(&world.acme, request, &eve);
    world.clock.drive(resumed).unwrap().unwrap();
    assert_eq!(aside(&world, &engine), []);
    assert_eq!(run_and_hear(&world, &engine, hours).len(), tries);
    assert_eq!(aside(&world, &engine).len(), 1);

    let repaired = engine.repair(&world.acme, request, &eve);
    world.clock.drive(repaired).unwrap().unwrap();
    // As before, but for the one event that says so.
    let mut again = world.see(&engine, request);
    again.sequence -= 1;
    assert_eq!(again, whole);
    assert_eq!(run_and_hear(&world, &engine, hours), [""; 0]);
    assert!(is_located(&world, &engine, request));
    assert_eq!(aside(&world, &engine), []);
}

/// The figures are those of a count by hand, as time goes on.
#[test]
fn the_backlog_is_what_a_count_by_hand_says() {
    let world = World::new();
    let engine = world.engine();
    let failing = Fault::Fail(ErrorKind::Unavailable);
    world.desk_port.will(Method::Locate, vec![failing; 10_000]);
    let empty = backlog(&world, &engine);
    assert_eq!((empty.open, empty.behind), (0, TimeDelta::zero()));
    run(
        &world,
        &engine,
        seconds(40),
        erasures(&world, &engine, 0..7),
    );
    let last = world.clock.drive(erasures(&world, &engine, 7..15)).unwrap();
    let refuse = lifecycle::Command::Withdraw;
    world
        .command(&engine, last[7], &Actor::Person, refuse)
        .unwrap();
    world.clock.advance(seconds(5));
    let counted = backlog(&world, &engine);
    assert_eq!(counted.behind, seconds(5), "nobody worked since");
    assert!((1..=7).contains(&counted.retrying), "{counted:?}");
    for days in [0, 20, 30, 60] {
        let at = start() + TimeDelta::days(days);
        world.clock.set(at.max(world.now()));
        let counted = backlog(&world, &engine);
        let eve = staff("eve");
        let due = engine.due(&world.acme, &eve, DateTime::<Utc>::MAX_UTC, 99);
        let due = world.clock.drive(due).unwrap().unwrap();
        let now = world.now();
        let overdue = due.iter().filter(|due| due.at <= now).count() as u64;
        let soon = due.iter().filter(|due| due.at < now + TimeDelta::days(7));
        let soon = soon.count() as u64 - overdue;
        assert_eq!((counted.overdue, counted.due_soon), (overdue, soon));
        let open = world.clock.drive(world.store.open(&world.acme, None, 99));
        assert_eq!(counted.open, open.unwrap().unwrap().len() as u64);
    }
}
