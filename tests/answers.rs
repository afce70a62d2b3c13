//! Access and export through the whole engine: what is in the package, where it goes, and what
//! becomes of it.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use common::{World, staff};
use datarights::adapters::MemoryArtifacts;
use datarights::engine::{Engine, EngineError, Intake};
use datarights::model::{
    Actor, Channel, ControllerId, Digest, Failure, Ground, Identifier, Outcome, PartyId, RequestId,
    Right, Wish,
};
use datarights::ports::{
    ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, ErrorKind, PortError, WorkerId,
};
use datarights::testkit::{Fault, Method};
use datarights::workflow::fulfilment::Phase as Work;
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{Delivery, Letter, Review};
use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::poll_immediate;

/// What comes out of the package's stream, and how it ends.
fn download(
    world: &World,
    engine: &Engine,
    request: RequestId,
) -> (Vec<u8>, Result<(), PortError>) {
    let eve = staff("eve");
    let fetch = async {
        let mut pieces = engine.package(&world.acme, request, &eve).await.unwrap();
        let mut bytes = Vec::new();
        let end = loop {
            match pieces.next().await {
                Some(Ok(piece)) => bytes.extend(piece),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        assert!(pieces.next().await.is_none(), "nothing comes after the end");
        (bytes, end)
    };
    world.clock.drive(fetch).unwrap()
}

fn package(world: &World, engine: &Engine, request: RequestId) -> Vec<u8> {
    let (bytes, end) = download(world, engine, request);
    end.unwrap();
    bytes
}

/// The keys of all ZIPs that lie there.
fn zips(world: &World) -> Vec<ArtifactKey> {
    let mut keys = world.artifacts.keys();
    keys.retain(|key| key.as_str().ends_with(".zip"));
    keys
}

/// Replaces the only package by other bytes.
fn alter(world: &World, alter: impl FnOnce(&mut Vec<u8>)) {
    let key = zips(world).pop().unwrap();
    let mut bytes = world.artifacts.bytes(&key).unwrap();
    alter(&mut bytes);
    let write = async {
        let mut writer = world.artifacts.writer(&key).await.unwrap();
        writer.write(&bytes).await.unwrap();
        writer.finish().await.unwrap();
    };
    world.clock.drive(write).unwrap();
}

fn entry(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive
        .by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn an_access_answer_holds_everything_of_the_person_and_nothing_of_others() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    let bytes = package(&world, &engine, request);
    assert_eq!(
        seen.fulfilment.as_ref().unwrap().package,
        Some((bytes.len() as u64, Digest::of(&bytes))),
        "the event names what was handed over"
    );
    assert!(entry(&bytes, "data/desk/users.json").contains("Ada Lovelace"));
    assert!(entry(&bytes, "data/desk/invoices.csv").contains("1200"));
    assert_eq!(entry(&bytes, "data/log/calls.csv").lines().count(), 3);
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for index in 0..archive.len() {
        let mut text = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut text)
            .unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("Grace"));
    }
    let letters = world.outbox.letters_about(request);
    let kinds: Vec<_> = letters
        .iter()
        .map(|letter| letter.notice.kind.as_ref())
        .collect();
    assert_eq!(kinds, ["acknowledgement", "response"]);

    // After its period the package is gone, and its spools with it.
    world.work_until(&engine, world.now() + TimeDelta::days(200));
    assert!(world.see(&engine, request).lifecycle.package_deleted);
    assert!(world.artifacts.keys().is_empty());
}

/// Whoever is refused, or takes the request back, gets nothing; what was read for them goes at once.
#[test]
fn what_was_read_for_an_answer_that_is_not_given_goes_at_once() {
    let refuse = lifecycle::Command::Refuse {
        ground: Ground::new("manifestly_unfounded"),
    };
    for command in [refuse, lifecycle::Command::Withdraw] {
        let mut world = World::new();
        world.policy.review = Review::Always;
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        world.approve(&engine, request);
        world.work(&engine);
        assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Review);
        assert!(!world.artifacts.keys().is_empty());
        let alice = staff("alice");
        world.command(&engine, request, &alice, command).unwrap();
        world.work(&engine);
        assert!(world.artifacts.keys().is_empty());
        assert!(world.see(&engine, request).lifecycle.package_deleted);
    }
}

/// An appeal that is granted reads anew; nothing that was to be deleted before takes that along.
#[test]
fn what_is_read_after_a_granted_appeal_is_kept() {
    let mut world = World::new();
    world.policy.review = Review::Always;
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let alice = staff("alice");
    let give = |actor: &Actor, command: lifecycle::Command| {
        world.command(&engine, request, actor, command).unwrap();
        world.work(&engine);
    };
    let ground = Ground::new("manifestly_unfounded");
    give(&alice, lifecycle::Command::Refuse { ground });
    give(&Actor::Person, lifecycle::Command::Appeal);
    give(&alice, lifecycle::Command::DecideAppeal { granted: true });
    give(&alice, lifecycle::Command::Approve);
    give(&alice, lifecycle::Command::Release);
    let bytes = package(&world, &engine, request);
    assert!(entry(&bytes, "data/desk/users.json").contains("Ada Lovelace"));
}

#[test]
fn what_could_not_be_read_is_named_and_looked_at_before_it_goes_out() {
    let world = World::new();
    let engine = world.engine();
    world
        .log_port
        .will(Method::Read, vec![Fault::Fail(ErrorKind::Unavailable); 50]);
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work_until(&engine, world.now() + TimeDelta::days(3));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
    assert_eq!(missing[0].1.failure, Failure::Unavailable);
    let manifest = entry(&package(&world, &engine, request), "manifest.json");
    assert!(manifest.contains("unavailable"), "{manifest}");
    world.log_port.heal();
    let rework = lifecycle::Command::Rework;
    world
        .command(&engine, request, &staff("alice"), rework)
        .unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    let bytes = package(&world, &engine, request);
    assert_eq!(entry(&bytes, "data/log/calls.csv").lines().count(), 3);
}

#[test]
fn nothing_found_is_an_answer_of_its_own() {
    let world = World::new();
    let engine = world.engine();
    for right in [Right::Access, Right::Erasure] {
        let stranger = vec![
            Identifier::mail("nobody@example.org").unwrap(),
            Identifier::phone("+1 555 0000").unwrap(),
        ];
        let intake = Intake::new(Channel::Letter, stranger, [Wish::of(right.clone())]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake);
        let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
        world.approve(&engine, request);
        world.work(&engine);
        if right == Right::Erasure {
            // A recipient may hold what no source holds: it is told all the same.
            assert_eq!(world.recipient.received().len(), 1);
        }
        let seen = world.see(&engine, request);
        assert_eq!(seen.lifecycle.outcome, Some(Outcome::NothingFound));
        assert_eq!(seen.lifecycle.phase, Phase::Answered);
    }
}

#[test]
fn a_source_that_no_identifier_fits_is_named_as_not_searched() {
    let world = World::new();
    let engine = world.engine();
    let stranger = vec![Identifier::mail("nobody@example.org").unwrap()];
    let intake = Intake::new(Channel::Letter, stranger, [Wish::of(Right::Access)]);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(
        seen.lifecycle.outcome,
        Some(Outcome::Partly),
        "the log could not be searched"
    );
    let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].1.failure, Failure::NoIdentifier);
}

#[test]
fn an_export_is_handed_to_another_controller_once() {
    let world = World::new();
    let engine = world.engine();
    world
        .recipient_port
        .will(Method::Transmit, [Fault::FailAfter(ErrorKind::Unavailable)]);
    let ada = vec![Identifier::mail("ada@example.org").unwrap()];
    let to = Delivery::Transmit(PartyId::new("mailer").unwrap());
    let intake = Intake::new(Channel::Form, ada, [Wish::of(Right::Export)]).delivered(to);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Ended);
    assert_eq!(
        world.recipient.received().len(),
        1,
        "two attempts, one transmission"
    );
}

/// What somebody still looks at, refuses, or what was withdrawn is not handed to the person.
#[test]
fn a_package_goes_to_the_person_once_it_is_released_and_never_otherwise() {
    let mut world = World::new();
    world.policy.review = Review::Always;
    let engine = world.engine();
    let made = |right| {
        let request = world.submit(&engine, Wish::of(right));
        world.approve(&engine, request);
        world.work(&engine);
        request
    };
    let gets = |request, who: &Actor| {
        let package = engine.package(&world.acme, request, who);
        world.clock.drive(package).unwrap().is_ok()
    };
    let alice = staff("alice");
    let access = made(Right::Access);
    assert!(gets(access, &alice) && !gets(access, &Actor::Person));
    let release = lifecycle::Command::Release;
    world.command(&engine, access, &alice, release).unwrap();
    assert!(gets(access, &Actor::Person));

    let export = made(Right::Export);
    let withdraw = lifecycle::Command::Withdraw;
    world
        .command(&engine, export, &Actor::Person, withdraw)
        .unwrap();
    assert!(!gets(export, &Actor::Person));

    let refused = made(Right::Export);
    let ground = datarights::model::Ground::new("manifestly_unfounded");
    let refuse = lifecycle::Command::Refuse { ground };
    world.command(&engine, refused, &alice, refuse).unwrap();
    world.work(&engine);
    assert!(!gets(refused, &Actor::Person));
}

/// One artifact that cannot be deleted at once keeps the request that leads to it.
#[test]
fn a_request_goes_after_its_package_and_its_key() {
    let mut world = World::new();
    let spans = &mut world.policy;
    spans.keep_package = TimeDelta::days(30);
    spans.keep_personal = TimeDelta::days(30);
    spans.keep_request = TimeDelta::days(30);
    let shared = std::sync::Arc::new(world.clock.clone());
    let artifacts = datarights::testkit::Faulty::new("artifacts", world.artifacts.clone(), shared);
    let artifacts = std::sync::Arc::new(artifacts);
    world.artifacts_port = artifacts.clone();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    assert!(!world.artifacts.keys().is_empty());
    artifacts.will(
        Method::DeleteArtifact,
        [Fault::Fail(ErrorKind::Unavailable)],
    );
    world.work_until(&engine, world.now() + TimeDelta::days(400));
    assert_eq!(artifacts.faults_left(), 0);
    assert!(world.artifacts.keys().is_empty());
    let eve = staff("eve");
    let gone = engine.request(&world.acme, request, &eve);
    assert!(world.clock.drive(gone).unwrap().is_err());
}

#[test]
fn a_letter_that_cannot_be_sent_is_shown_and_sent_again() {
    let world = World::new();
    let mut engine_world = world.clone();
    engine_world.policy.acknowledge = false;
    let notifier = datarights::testkit::Faulty::new(
        "outbox",
        world.outbox.clone(),
        std::sync::Arc::new(world.clock.clone()),
    );
    notifier.will(Method::Notify, [Fault::Fail(ErrorKind::Refused)]);
    engine_world.notifier = std::sync::Arc::new(notifier);
    let engine = engine_world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(
        seen.lifecycle.phase,
        Phase::Response,
        "not answered: the letter did not go out"
    );
    assert_eq!(
        seen.lifecycle.stuck_letters,
        [(Letter::Response, Failure::Code("injected_fault".into()))]
    );
    let resend = lifecycle::Command::Resend {
        letter: Letter::Response,
    };
    world
        .command(&engine, request, &staff("alice"), resend)
        .unwrap();
    world.work(&engine);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    assert_eq!(world.outbox.letters_about(request).len(), 1);
}

/// An artifact store in which the first package is not finished before the gate opens: its worker
/// stands still there.
#[derive(Clone)]
struct Gate {
    inner: MemoryArtifacts,
    opens: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

struct Held {
    gate: Gate,
    inner: Box<dyn ArtifactWriter>,
}

#[async_trait::async_trait]
impl ArtifactWriter for Held {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.inner.write(bytes).await
    }
    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        let opens = self.gate.opens.lock().unwrap().take();
        if let Some(opens) = opens {
            opens.await.unwrap();
        }
        self.inner.finish().await
    }
}

#[async_trait::async_trait]
impl ArtifactStore for Gate {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let inner = self.inner.writer(key).await?;
        if !key.as_str().ends_with(".zip") {
            return Ok(inner);
        }
        let gate = self.clone();
        Ok(Box::new(Held { gate, inner }))
    }
    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        self.inner.read(key).await
    }
    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        self.inner.delete(key).await
    }
    async fn delete_all(&self, c: &ControllerId, r: RequestId) -> Result<(), PortError> {
        self.inner.delete_all(c, r).await
    }
}

#[test]
fn a_worker_that_lost_its_lease_does_not_change_what_is_handed_over() {
    let mut world = World::new();
    let (open, opens) = oneshot::channel();
    let gate = Gate {
        inner: world.artifacts.clone(),
        opens: Arc::new(Mutex::new(Some(opens))),
    };
    world.artifacts_port = Arc::new(gate.clone());
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);

    // The first worker stands still when its package is nearly written; nobody turns to it again
    // until its lease is long over.
    let (stopped, worker) = (engine.clone(), WorkerId("stopped".to_owned()));
    let mut tick = Box::pin(async move { stopped.tick(&worker, None).await });
    while gate.opens.lock().unwrap().is_some() {
        let turn = world.clock.drive(poll_immediate(&mut tick)).unwrap();
        assert!(turn.is_none(), "it ended before it packed");
    }
    world.clock.advance(TimeDelta::minutes(30));
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    let handed = package(&world, &engine, request);

    open.send(()).unwrap();
    world.clock.drive(tick).unwrap().unwrap();
    let zips = zips(&world);
    assert_eq!(zips.len(), 2, "both wrote, each its own: {zips:?}");
    let bytes: Vec<_> = zips.iter().map(|key| world.artifacts.bytes(key)).collect();
    assert_ne!(bytes[0], bytes[1], "the first one's would be noticed");
    assert_eq!(package(&world, &engine, request), handed);
    assert_eq!(world.see(&engine, request), seen);
}

#[test]
fn a_package_that_was_altered_is_no_success() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let whole = package(&world, &engine, request);
    type Alteration = fn(&mut Vec<u8>);
    let alterations: [(&str, Alteration); 5] = [
        ("a bit", |bytes| bytes[40] ^= 1),
        ("the last bit", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("shorter", |bytes| bytes.truncate(bytes.len() - 1)),
        ("longer", |bytes| bytes.push(0)),
        ("empty", Vec::clear),
    ];
    for (what, alteration) in alterations {
        alter(&world, alteration);
        let (bytes, end) = download(&world, &engine, request);
        let error = end.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Nonsense, "{what}");
        assert_eq!(error.code, "package_altered", "{what}");
        // Who counts to the length that was recorded does not find altered bytes whole either.
        assert!(bytes.len() < whole.len(), "{what}");
        alter(&world, |bytes| bytes.clone_from(&whole));
    }
    assert_eq!(package(&world, &engine, request), whole);

    // One that is gone is not an empty one.
    let gone = world.artifacts.delete_all(&world.acme, request);
    world.clock.drive(gone).unwrap().unwrap();
    let eve = staff("eve");
    let fetched = engine.package(&world.acme, request, &eve);
    let fetched = world.clock.drive(fetched).unwrap();
    assert!(matches!(fetched.err(), Some(EngineError::Port(_))));
}

#[test]
fn an_altered_package_is_not_handed_to_another_controller() {
    let world = World::new();
    let engine = world.engine();
    // The first attempt fails, so that the package lies there a while.
    world
        .recipient_port
        .will(Method::Transmit, [Fault::Fail(ErrorKind::Unavailable)]);
    let ada = vec![Identifier::mail("ada@example.org").unwrap()];
    let to = Delivery::Transmit(PartyId::new("mailer").unwrap());
    let intake = Intake::new(Channel::Form, ada, [Wish::of(Right::Export)]).delivered(to);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work_until(&engine, world.now());
    let seen = world.see(&engine, request);
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Sending);
    alter(&world, |bytes| *bytes.last_mut().unwrap() ^= 1);
    world.work(&engine);
    assert!(world.recipient.received().is_empty());
    let seen = world.see(&engine, request);
    let work = seen.fulfilment.as_ref().unwrap();
    let missing: Vec<_> = work.missing().collect();
    assert_eq!(missing[0].1.failure, Failure::Nonsense);
    assert_ne!(seen.lifecycle.outcome, Some(Outcome::Done));
}
