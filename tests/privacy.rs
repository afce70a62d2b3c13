//! Recognisable personal data is planted everywhere; nothing of it may be found in what is
//! stored, said in an error, shown by `Debug`, or told as progress.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::{World, source_id, staff};
use datarights::adapters::{MemoryCell, MemoryRow};
use datarights::engine::{Completion, Engine, Intake};
use datarights::model::{
    Actor, Channel, ControllerId, Correction, Identifier, KeyedDigest, Personal, RequestId, Right,
    Wish,
};
use datarights::ports::*;
use datarights::testkit::{Fault, Method};
use datarights::workflow::{Target, Task, fulfilment, lifecycle};
use futures::StreamExt;

/// Every one of them is personal, and none could stand anywhere by chance.
const CANARIES: [&str; 8] = [
    "zq-canary-name",
    "zq-canary-mail",
    "+999333444555",
    "999333444555",
    "zq-canary-subject",
    "zq-canary-corrected",
    "zq-canary-evidence",
    "zq-canary-file",
];

/// Everything that anybody outside could see or keep.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Sighting>>>);

/// Where something was seen, and what.
type Sighting = (String, Vec<u8>);

impl Seen {
    fn bytes(&self, place: impl Into<String>, bytes: &[u8]) {
        self.0.lock().unwrap().push((place.into(), bytes.to_vec()));
    }

    fn debug(&self, place: &str, value: &impl Debug) {
        self.bytes(place, format!("{value:?} {value:#?}").as_bytes());
    }

    fn error(&self, place: &str, error: &impl std::error::Error) {
        self.debug(place, error);
        let mut source: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = source {
            self.bytes(place, error.to_string().as_bytes());
            source = error.source();
        }
    }

    fn assert_clean(&self) {
        let seen = self.0.lock().unwrap();
        assert!(
            seen.len() > 100,
            "only {} places were looked at",
            seen.len()
        );
        for (place, bytes) in seen.iter() {
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            for canary in CANARIES {
                assert!(!text.contains(canary), "{canary} in {place}: {text}");
            }
        }
    }
}

/// A store that shows everything it is given.
struct Spy {
    inner: Arc<dyn RequestStore>,
    seen: Seen,
}

#[async_trait]
impl RequestStore for Spy {
    async fn create(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.look(&commit);
        self.inner.create(c, commit).await
    }
    async fn load(
        &self,
        c: &ControllerId,
        r: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        self.inner.load(c, r).await
    }
    async fn commit(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.look(&commit);
        self.inner.commit(c, commit).await
    }
    async fn history(
        &self,
        c: &ControllerId,
        r: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.history(c, r, after, limit).await
    }
    async fn find(
        &self,
        c: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.inner.find(c, person).await
    }
    async fn put_part(
        &self,
        c: &ControllerId,
        r: RequestId,
        fence: Option<Fence>,
        part: &str,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.seen.bytes("the name of a part", part.as_bytes());
        self.seen.bytes(format!("part {part}"), &bytes);
        self.inner.put_part(c, r, fence, part, chunk, bytes).await
    }
    async fn read_part(
        &self,
        c: &ControllerId,
        r: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.read_part(c, r, part, chunk).await
    }
    async fn delete_parts(
        &self,
        c: &ControllerId,
        r: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        self.inner.delete_parts(c, r, fence, part).await
    }
    async fn claim(
        &self,
        c: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        self.inner.claim(c, worker, now, until, limit).await
    }
    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.renew(claim, until).await
    }
    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        self.inner.release(claim).await
    }
    async fn next_wake(
        &self,
        c: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.inner.next_wake(c).await
    }
    async fn due(
        &self,
        c: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.inner.due(c, before, limit).await
    }
    async fn open(
        &self,
        c: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.inner.open(c, after, limit).await
    }
    async fn marked(
        &self,
        c: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.inner.marked(c, mark, after, limit).await
    }
    async fn count(&self, c: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        self.inner.count(c, what).await
    }
    async fn delete(
        &self,
        c: &ControllerId,
        r: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        self.inner.delete(c, r, expected, fence).await
    }
}

impl Spy {
    fn look(&self, commit: &Commit) {
        self.seen.debug("a commit", commit);
        for event in &commit.events {
            self.seen.bytes("an event", &event.bytes);
        }
        self.seen.bytes("a state", &commit.snapshot.state);
        self.seen.bytes("an agenda", &commit.snapshot.agenda);
        for part in &commit.parts {
            self.seen.bytes("a first part", &part.bytes);
        }
    }
}

fn planted(seen: &Seen) -> World {
    let mut world = World::new();
    world.store = Arc::new(Spy {
        inner: Arc::clone(&world.store),
        seen: seen.clone(),
    });
    let row = [
        "ZQ-Canary-Name",
        "zq-canary-mail@example.org",
        "+999 333 444 555",
    ];
    world.desk.insert("users", "zq", row).unwrap();
    world
        .desk
        .insert("tickets", "zq", ["zq-canary-subject"])
        .unwrap();
    let file = MemoryRow::new([MemoryCell::file("zq-canary-file.txt", *b"zq-canary-file")]);
    world.desk.insert("tickets", "zq", file).unwrap();
    world.desk.insert("invoices", "zq", [77]).unwrap();
    world
        .log
        .insert("calls", "zq", ["+999333444555", "3"])
        .unwrap();
    world
}

fn submit(world: &World, engine: &Engine, seen: &Seen, wish: Wish) -> RequestId {
    let identifiers = vec![Identifier::mail("ZQ-canary-mail@example.org").unwrap()];
    let intake = Intake::new(Channel::Form, identifiers, [wish]);
    seen.debug("an intake", &intake);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    world.clock.drive(submitted).unwrap().unwrap()[0].request
}

#[test]
fn nothing_planted_is_seen_anywhere_it_does_not_belong() {
    let seen = Seen::default();
    let world = planted(&seen);
    let engine = world.engine();
    let mut progress = engine.progress();
    let alice = staff("alice");
    let correction = Correction {
        collection: "users".to_owned(),
        field: "name".to_owned(),
        value: Personal::new("zq-canary-corrected".to_owned()),
    };
    // Sources fail, panic, pend and answer nonsense on the way.
    world.log_port.will(
        Method::Locate,
        [
            Fault::Fail(ErrorKind::Unavailable),
            Fault::Panic,
            Fault::Garbage,
        ],
    );
    world
        .desk_port
        .will(Method::Erase, [Fault::FailAfter(ErrorKind::Busy)]);
    for wish in [
        Wish::of(Right::Access),
        Wish::of(Right::Export),
        Wish::rectify(vec![correction]),
        Wish::of(Right::Restriction),
        Wish::of(Right::ConsentWithdrawal),
        Wish::of(Right::Erasure),
    ] {
        seen.debug("a wish", &wish);
        let request = submit(&world, &engine, &seen, wish);
        // What begins at once asks nobody.
        if world.see(&engine, request).fulfilment.is_none() {
            let ask = lifecycle::Command::RequestIdentity;
            world.command(&engine, request, &alice, ask).unwrap();
            world.work(&engine);
            let evidence = Personal::new("zq-canary-evidence".to_owned());
            let check = engine.answer_identity(&world.acme, request, &Actor::Person, &evidence);
            seen.debug("a check", &world.clock.drive(check).unwrap());
            world.approve(&engine, request);
        }
        world.work_until(&engine, world.now() + chrono::TimeDelta::days(2));
        if world
            .see(&engine, request)
            .fulfilment
            .as_ref()
            .unwrap()
            .phase
            == fulfilment::Phase::Approval
        {
            let plan = world.clock.drive(engine.plan(&world.acme, request, &alice));
            seen.debug("a plan", &plan.unwrap().unwrap());
            world.approve_plan(&engine, request);
            world.work(&engine);
        }
        let request_seen = world.see(&engine, request);
        seen.debug("a request", &request_seen);
        let identifiers = engine.identifiers(&world.acme, request, &alice);
        seen.debug(
            "identifiers",
            &world.clock.drive(identifiers).unwrap().unwrap(),
        );
        let timeline = engine.timeline(&world.acme, request, &alice);
        seen.debug("a timeline", &world.clock.drive(timeline).unwrap().unwrap());

        // Commands that are refused, completions that do not fit.
        let located = Completion::Located(Located {
            locators: vec![Locator::new("zq-canary-name")],
            identifiers: vec![Identifier::account("zq-canary-name").unwrap()],
            ..Located::default()
        });
        seen.debug("a completion", &located);
        let target = Target::Source(source_id("desk"));
        let complete =
            engine.complete(&world.acme, request, &alice, Task::Locate, &target, located);
        if let Err(error) = world.clock.drive(complete).unwrap() {
            seen.error("a refused completion", &error);
        }
        let refused = world.command(&engine, request, &alice, lifecycle::Command::Clarify);
        seen.error("a refused command", &refused.unwrap_err());
    }
    assert!(
        world.desk.rows_of("zq").len() <= 1,
        "the work was done: only the invoice is left"
    );

    // Bad input is refused without being repeated.
    for error in [
        Identifier::mail("zq-canary-mail").unwrap_err(),
        Identifier::phone("zq-canary-name").unwrap_err(),
    ] {
        seen.error("a refused identifier", &error);
    }
    let bad: Identifier = serde_json::from_str(r#"{"mail": "zq-canary-mail"}"#).unwrap();
    let intake = Intake::new(Channel::Mail, vec![bad], [Wish::of(Right::Access)]);
    let refused = engine.submit(&world.acme, &Actor::Person, intake);
    seen.error(
        "a refused intake",
        &world.clock.drive(refused).unwrap().unwrap_err(),
    );

    // What listeners were told, what ports were told of the call, what lies in artifacts.
    drop(engine);
    while let Some(Some(told)) = futures::FutureExt::now_or_never(progress.next()) {
        seen.debug("progress", &told);
    }
    for call in world.recorder.calls() {
        seen.debug("a call", &call);
    }
    for key in world.artifacts.keys() {
        seen.bytes("the name of an artifact", key.as_str().as_bytes());
        if !key.as_str().ends_with(".zip") {
            seen.bytes(
                format!("artifact {key}"),
                &world.artifacts.bytes(&key).unwrap(),
            );
        }
    }
    for letter in world.outbox.letters() {
        seen.debug("a letter", &letter);
    }
    seen.debug(
        "the world",
        &(&world.vault, &world.artifacts, &world.desk, &world.codes),
    );
    seen.assert_clean();
}

/// The test above can fail: what it looks for is found where it stands in clear.
#[test]
#[should_panic(expected = "zq-canary-name in a leak")]
fn a_leak_is_seen() {
    let seen = Seen::default();
    for _ in 0..101 {
        seen.bytes("a clean place", b"nothing");
    }
    seen.debug("a leak", &"ZQ-Canary-Name");
    seen.assert_clean();
}
