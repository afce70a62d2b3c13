//! A worker may die before and after every single call to a store or a port; whoever comes after
//! it brings the request to the same end, with the same rows. So does a worker of which a single
//! call never ends.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use common::{Round, World};
use datarights::engine::{EngineError, Tick};
use datarights::model::{
    ControllerId, Correction, Identifier, KeyId, KeyedDigest, NormalForm, Personal, RequestId,
    Right, Sealed, Use, Wish,
};
use datarights::ports::*;
use datarights::workflow::fulfilment::{self, Phase as Work};
use datarights::workflow::{Event, Request, StepResult};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};

/// Counts calls, and dies before or after the one it was told to: the whole worker is dropped
/// there, wherever it stands, and nothing it was about to do is done. Or it lives on, and that call
/// never ends.
#[derive(Clone, Default)]
struct Mortality {
    silent: bool,
    calls: Arc<AtomicUsize>,
    dies_at: Arc<AtomicUsize>,
    dead: Arc<AtomicBool>,
}

impl Mortality {
    fn at(point: usize) -> Self {
        let mortality = Self::default();
        mortality.dies_at.store(point, Ordering::SeqCst);
        mortality
    }

    async fn point(&self) {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call == self.dies_at.load(Ordering::SeqCst) {
            self.dead.store(!self.silent, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        self.point().await;
        let result = call.await;
        self.point().await;
        result
    }

    /// Runs a worker's round until it is done, or the worker dead. Asked after every turn, so that
    /// a dead one gets no further turn. A round that a silent store kept from going through counts as
    /// a worker that is gone, too.
    fn live(&self, mut round: Round) -> BoxFuture<'static, Option<Result<Tick, EngineError>>> {
        let (dead, silent) = (Arc::clone(&self.dead), self.silent);
        std::future::poll_fn(move |context| {
            let turn = round.as_mut().poll(context);
            if dead.swap(false, Ordering::SeqCst) {
                return Poll::Ready(None);
            }
            turn.map(|tick| match tick {
                Err(error) if silent => {
                    assert!(error.to_string().contains("timed_out"), "{error}");
                    None
                }
                tick => Some(tick),
            })
        })
        .boxed()
    }
}

struct Mortal<P: ?Sized> {
    mortality: Mortality,
    inner: Arc<P>,
}

#[async_trait]
impl RequestStore for Mortal<dyn RequestStore> {
    async fn create(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.mortality.around(self.inner.create(c, commit)).await
    }
    async fn load(
        &self,
        c: &ControllerId,
        r: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        self.mortality.around(self.inner.load(c, r)).await
    }
    async fn commit(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.mortality.around(self.inner.commit(c, commit)).await
    }
    async fn history(
        &self,
        c: &ControllerId,
        r: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.mortality
            .around(self.inner.history(c, r, after, limit))
            .await
    }
    async fn find(
        &self,
        c: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.mortality.around(self.inner.find(c, person)).await
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
        self.mortality
            .around(self.inner.put_part(c, r, fence, part, chunk, bytes))
            .await
    }
    async fn read_part(
        &self,
        c: &ControllerId,
        r: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.mortality
            .around(self.inner.read_part(c, r, part, chunk))
            .await
    }
    async fn delete_parts(
        &self,
        c: &ControllerId,
        r: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        self.mortality
            .around(self.inner.delete_parts(c, r, fence, part))
            .await
    }
    async fn claim(
        &self,
        c: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        self.mortality
            .around(self.inner.claim(c, worker, now, until, limit))
            .await
    }
    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        self.mortality.around(self.inner.renew(claim, until)).await
    }
    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        self.mortality.around(self.inner.release(claim)).await
    }
    async fn next_wake(
        &self,
        c: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.mortality.around(self.inner.next_wake(c)).await
    }
    async fn due(
        &self,
        c: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.mortality
            .around(self.inner.due(c, before, limit))
            .await
    }
    async fn open(
        &self,
        c: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.mortality
            .around(self.inner.open(c, after, limit))
            .await
    }
    async fn marked(
        &self,
        c: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.mortality
            .around(self.inner.marked(c, mark, after, limit))
            .await
    }
    async fn count(&self, c: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        self.mortality.around(self.inner.count(c, what)).await
    }
    async fn delete(
        &self,
        c: &ControllerId,
        r: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        self.mortality
            .around(self.inner.delete(c, r, expected, fence))
            .await
    }
}

#[async_trait]
impl Vault for Mortal<dyn Vault> {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        self.mortality.around(self.inner.create_key(key)).await
    }
    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        self.mortality
            .around(self.inner.seal(key, place, clear))
            .await
    }
    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        self.mortality.around(self.inner.open(place, sealed)).await
    }
    async fn digest(&self, c: &ControllerId, n: &NormalForm) -> Result<KeyedDigest, VaultError> {
        self.mortality.around(self.inner.digest(c, n)).await
    }
    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        self.mortality.around(self.inner.shred(key)).await
    }
}

#[async_trait]
impl PersonalDataSource for Mortal<dyn PersonalDataSource> {
    fn describe(&self) -> SourceDescription {
        self.inner.describe()
    }
    async fn locate(
        &self,
        x: &CallContext,
        i: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        self.mortality.around(self.inner.locate(x, i)).await
    }
    async fn plan(
        &self,
        x: &CallContext,
        l: &[Locator],
        w: &datarights::ports::Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        self.mortality.around(self.inner.plan(x, l, w)).await
    }
    async fn read(&self, x: &CallContext, l: &[Locator]) -> Result<Answer<Reading>, PortError> {
        self.mortality.around(self.inner.read(x, l)).await
    }
    async fn rectify(
        &self,
        x: &CallContext,
        l: &[Locator],
        c: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        self.mortality.around(self.inner.rectify(x, l, c)).await
    }
    async fn restrict(
        &self,
        x: &CallContext,
        l: &[Locator],
        on: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        self.mortality.around(self.inner.restrict(x, l, on)).await
    }
    async fn stop(
        &self,
        x: &CallContext,
        i: &[Identifier],
        u: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        self.mortality.around(self.inner.stop(x, i, u)).await
    }
    async fn erase(
        &self,
        x: &CallContext,
        l: &[Locator],
        p: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        self.mortality.around(self.inner.erase(x, l, p)).await
    }
    async fn residue(&self, x: &CallContext, l: &[Locator]) -> Result<Answer<Residue>, PortError> {
        self.mortality.around(self.inner.residue(x, l)).await
    }
}

#[async_trait]
impl ProcessorGateway for Mortal<dyn ProcessorGateway> {
    fn describe(&self) -> GatewayDescription {
        self.inner.describe()
    }
    async fn inform(&self, x: &CallContext, o: &Order) -> Result<Answer<()>, PortError> {
        self.mortality.around(self.inner.inform(x, o)).await
    }
    async fn transmit(&self, x: &CallContext, p: Package) -> Result<Answer<()>, PortError> {
        self.mortality.around(self.inner.transmit(x, p)).await
    }
}

/// Carries one wish to its answer. Every worker but the last dies; commands of people are given
/// between the workers' rounds, and not lost.
fn carry(world: &World, wish: &Wish, mortality: &Mortality) -> (RequestId, Request) {
    // People act undisturbed, on an engine of their own.
    let people = world.engine();
    let request = world.submit(&people, wish.clone());
    let phase = || {
        let work = world.see(&people, request).fulfilment;
        work.map(|work| work.phase)
    };
    // What begins at once asks nobody.
    if phase().is_none() {
        world.approve(&people, request);
    }
    work(world, mortality);
    if phase() == Some(Work::Approval) {
        world.approve_plan(&people, request);
        work(world, mortality);
    }
    if phase() == Some(Work::Restricted) {
        let lift = fulfilment::Command::Lift;
        let alice = common::staff("alice");
        world.command(&people, request, &alice, lift).unwrap();
        work(world, mortality);
    }
    (request, world.see(&people, request))
}

/// Works until nothing is due within the hour; when a worker dies, another one takes over once
/// the lease is over.
fn work(world: &World, mortality: &Mortality) {
    let mut mortal = world.clone();
    mortal.store = Arc::new(Mortal {
        mortality: mortality.clone(),
        inner: Arc::clone(&world.store),
    });
    if mortality.silent {
        // What the vault is asked changes nothing that could be half done: dying there is not tried.
        mortal.vault_port = Arc::new(Mortal {
            mortality: mortality.clone(),
            inner: Arc::clone(&world.vault_port),
        });
        // Shorter than what is worked on here, so that a silent reading is tried again in it.
        mortal.settings.stream_timeout = TimeDelta::minutes(10);
    }
    let until = world.now() + TimeDelta::hours(1);
    loop {
        let engine = mortal.engine_with(
            |source| {
                Arc::new(Mortal {
                    mortality: mortality.clone(),
                    inner: source,
                })
            },
            |gateway| {
                Arc::new(Mortal {
                    mortality: mortality.clone(),
                    inner: gateway,
                })
            },
        );
        // In the worker's own turn, so that nothing of it outlives it.
        if mortal.work_alive(&engine, until, |round| mortality.live(round)) {
            return;
        }
    }
}

/// A request without what differs from run to run: ids, instants, keys, fences.
fn shape(request: &Request) -> String {
    let work = request.fulfilment.as_ref().unwrap();
    let sources: Vec<_> = work
        .sources
        .iter()
        .map(|s| {
            (
                &s.id,
                &s.found,
                &s.done,
                &s.withheld,
                &s.missing,
                &s.left,
                s.assurance,
            )
        })
        .collect();
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        request.lifecycle.phase, request.lifecycle.outcome, work.phase, work.recipients, sources
    )
}

fn wishes() -> [Wish; 6] {
    [
        Wish::of(Right::Access),
        Wish::of(Right::Export),
        Wish::rectify(World::correction()),
        Wish::of(Right::Erasure),
        Wish::of(Right::Restriction),
        Wish::of(Right::ConsentWithdrawal),
    ]
}

#[test]
fn a_worker_that_dies_at_any_call_changes_nothing_at_the_end() {
    for wish in wishes() {
        let calm = World::new();
        let count = Mortality::default();
        let (_, undisturbed) = carry(&calm, &wish, &count);
        let points = count.calls.load(Ordering::SeqCst);
        assert!(
            points > 25,
            "{points} calls are too few to be a whole fulfilment"
        );
        for point in 1..=points {
            let world = World::new();
            let mortality = Mortality::at(point);
            let (request, end) = carry(&world, &wish, &mortality);
            let place = format!("{} killed at call {point} of {points}", wish.right);
            assert_eq!(shape(&end), shape(&undisturbed), "{place}");
            assert_eq!(world.desk.rows(), calm.desk.rows(), "{place}");
            assert_eq!(world.log.rows(), calm.log.rows(), "{place}");
            assert_eq!(
                world.recipient.received().len(),
                calm.recipient.received().len(),
                "{place}"
            );
            let stopped = |world: &World| {
                let ada = Identifier::mail("ada@example.org").unwrap();
                world.desk.is_stopped(&world.acme, &ada, &Use::Consent)
            };
            assert_eq!(stopped(&world), wish.right == Right::ConsentWithdrawal);
            let packed = matches!(wish.right, Right::Access | Right::Export);
            assert_eq!(package(&world, request).is_some(), packed, "{place}");
            assert_no_step_answered_twice(&world, request, &place);
        }
    }
}

/// A call of store, vault, source or recipient that never ends costs time, and nothing else.
#[test]
fn a_call_that_never_ends_holds_up_nothing_for_ever() {
    for wish in wishes() {
        let silent = Mortality {
            silent: true,
            ..Mortality::default()
        };
        let calm = World::new();
        let (_, undisturbed) = carry(&calm, &wish, &silent);
        let points = silent.calls.load(Ordering::SeqCst);
        // An odd step: before some calls, and after others.
        for point in (1..=points).step_by(3) {
            let world = World::new();
            let mortality = Mortality {
                silent: true,
                ..Mortality::at(point)
            };
            let (request, end) = carry(&world, &wish, &mortality);
            let place = format!("{}, silent at call {point} of {points}", wish.right);
            assert_eq!(shape(&end), shape(&undisturbed), "{place}");
            assert_eq!(world.desk.rows(), calm.desk.rows(), "{place}");
            assert_eq!(world.log.rows(), calm.log.rows(), "{place}");
            assert_no_step_answered_twice(&world, request, &place);
        }
    }
}

/// The package, if one was made; its stream fails unless it is the very one that was recorded.
fn package(world: &World, request: RequestId) -> Option<Vec<Vec<u8>>> {
    let (engine, eve) = (world.engine(), common::staff("eve"));
    let fetch = async {
        match engine.package(&world.acme, request, &eve).await {
            Ok(pieces) => Some(pieces.try_collect().await.unwrap()),
            Err(EngineError::Nothing { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    };
    world.clock.drive(fetch).unwrap()
}

/// An answer that is recorded is recorded once: no outcome is counted twice.
fn assert_no_step_answered_twice(world: &World, request: RequestId, place: &str) {
    let engine = world.engine();
    let eve = common::staff("eve");
    let events = engine.timeline(&world.acme, request, &eve);
    let events = world.clock.drive(events).unwrap().unwrap();
    let mut done = std::collections::BTreeSet::new();
    for envelope in events {
        if let Event::StepAnswered { result, .. } = &envelope.event
            && matches!(result, StepResult::Done { .. })
        {
            assert!(done.insert(format!("{:?}", envelope.cause)), "{place}");
        }
    }
}

#[test]
fn dying_again_and_again_still_ends_the_same() {
    let wish = Wish::of(Right::Erasure);
    let calm = World::new();
    let (_, undisturbed) = carry(&calm, &wish, &Mortality::default());
    for every in [7, 11, 13, 29] {
        let world = World::new();
        let mortality = Mortality::at(every);
        let people = world.engine();
        let request = world.submit(&people, wish.clone());
        world.approve(&people, request);
        // Each death sets the next one.
        for _ in 0..2 {
            for death in 1..40 {
                mortality.dies_at.store(every * death, Ordering::SeqCst);
                mortality.calls.store(every * (death - 1), Ordering::SeqCst);
                work(&world, &mortality);
            }
            mortality.dies_at.store(0, Ordering::SeqCst);
            work(&world, &mortality);
            if world.see(&people, request).fulfilment.unwrap().phase == Work::Approval {
                world.approve_plan(&people, request);
            }
        }
        assert_eq!(
            shape(&world.see(&people, request)),
            shape(&undisturbed),
            "every {every}"
        );
        assert_eq!(world.desk.rows(), calm.desk.rows());
    }
}
