//! What goes wrong, by chance from a seed: every call of a worker to a store or a port passes a gate
//! that may kill the worker, freeze it, refuse the call, lose its answer, or make it twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::model::{ControllerId, Pending, RequestId};
use datarights::ports::{Answer, Clock, Entropy, ErrorKind, Fence, Handle, PortError};
use datarights::ports::{StoreError, VaultError};
use datarights::testkit::{SeededEntropy, TestClock};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Chance from a seed. Clones draw from the same row.
#[derive(Clone)]
pub(crate) struct Chance(Arc<SeededEntropy>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(SeededEntropy::new(seed)))
    }

    /// A number below `n`.
    pub(crate) fn below(&self, n: u64) -> u64 {
        self.0.next() % n.max(1)
    }

    pub(crate) fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    pub(crate) fn seconds(&self, from: i64, to: i64) -> TimeDelta {
        let span = u64::try_from(to - from).unwrap();
        TimeDelta::seconds(from + i64::try_from(self.below(span)).unwrap())
    }
}

/// What a gate does to one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    DieBefore,
    DieAfter,
    FreezeBefore,
    FreezeAfter,
    Refuse,
    LoseAnswer,
    Conflict,
    Twice,
    Slow,
    Pend,
}

/// Nothing but what a fault may be: the mixes from which a run takes its own.
pub(crate) const MIXES: [&[Fate]; 6] = {
    use Fate::{
        Conflict, DieAfter, DieBefore, FreezeAfter, FreezeBefore, LoseAnswer, Pend, Refuse, Slow,
        Twice,
    };
    [
        &[DieBefore, DieAfter],
        &[FreezeBefore, FreezeAfter],
        &[Refuse, LoseAnswer, Conflict],
        &[Twice, Slow, Pend],
        &[
            DieBefore,
            DieAfter,
            FreezeBefore,
            FreezeAfter,
            Refuse,
            LoseAnswer,
            Conflict,
            Twice,
            Slow,
            Pend,
        ],
        &[FreezeAfter, LoseAnswer, Twice, DieAfter],
    ]
};

/// The weather of one run, shared by all of its gates.
pub(crate) struct Storm {
    pub(crate) chance: Chance,
    pub(crate) clock: TestClock,
    /// One call in so many goes wrong.
    pub(crate) rarity: u64,
    pub(crate) mix: &'static [Fate],
    /// How many may still go wrong.
    pub(crate) left: Mutex<u32>,
    /// How long a lease is.
    pub(crate) lease: TimeDelta,
    pub(crate) log: Mutex<Vec<String>>,
    pub(crate) witness: Witness,
}

impl Storm {
    pub(crate) fn note(&self, line: String) {
        let at = self.clock.now().format("%F %T");
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(format!("{at} {line}"));
    }

    fn fate(&self, kind: Kind, who: &Life) -> Option<Fate> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left == 0 || !self.chance.one_in(self.rarity) {
            return None;
        }
        let fate = self.chance.pick(self.mix);
        let possible = match fate {
            Fate::DieBefore | Fate::DieAfter | Fate::FreezeBefore | Fate::FreezeAfter => who.worker,
            Fate::Conflict => kind == Kind::Commit,
            Fate::Pend => kind == Kind::Port,
            _ => true,
        };
        if possible {
            *left -= 1;
        }
        possible.then_some(fate)
    }
}

/// What is called: what may go wrong differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Store,
    Commit,
    /// A port that may say that it takes its time.
    Port,
    /// A vault or an artifact store.
    Keeper,
}

/// One life of a worker: from its start to its death.
pub(crate) struct Life {
    pub(crate) name: String,
    /// Workers die and freeze; people do not.
    worker: bool,
    dead: AtomicBool,
    frozen_until: Mutex<Option<DateTime<Utc>>>,
    clock: TestClock,
    /// The only connection to the store, where there is but one.
    connection: Option<futures::lock::Mutex<()>>,
}

impl Life {
    pub(crate) fn new(name: String, worker: bool, scarce: bool, clock: &TestClock) -> Arc<Self> {
        Arc::new(Self {
            connection: scarce.then(futures::lock::Mutex::default),
            name,
            worker,
            dead: AtomicBool::new(false),
            frozen_until: Mutex::new(None),
            clock: clock.clone(),
        })
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn frozen_until(&self) -> Option<DateTime<Utc>> {
        let frozen = self.frozen_until.lock();
        let frozen = frozen.unwrap_or_else(PoisonError::into_inner);
        frozen.filter(|until| *until > self.clock.now())
    }

    fn freeze(&self, span: TimeDelta) {
        let mut frozen = self
            .frozen_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *frozen = Some(self.clock.now() + span);
    }

    /// Lives through `work` until it is done or the worker dead: the work is dropped then, where it
    /// stands. While the worker is frozen, nothing of it moves.
    pub(crate) fn carry(
        self: &Arc<Self>,
        mut work: BoxFuture<'static, ()>,
    ) -> BoxFuture<'static, ()> {
        let life = Arc::clone(self);
        let mut thaw: Option<BoxFuture<'static, ()>> = None;
        std::future::poll_fn(move |context| {
            loop {
                if let Some(until) = life.frozen_until() {
                    let clock = life.clock.clone();
                    let sleep = thaw.get_or_insert_with(|| {
                        async move { clock.sleep_until(until).await }.boxed()
                    });
                    if sleep.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
                thaw = None;
                let turn = work.as_mut().poll(context);
                if life.is_dead() {
                    return Poll::Ready(());
                }
                if turn.is_ready() || life.frozen_until().is_none() {
                    return turn;
                }
            }
        })
        .boxed()
    }
}

/// Lets others go first.
pub(crate) async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a call says when it is refused.
pub(crate) trait Refusal: Send {
    fn unavailable() -> Self;
    /// For commits.
    fn conflict(_: RequestId) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

impl Refusal for StoreError {
    fn unavailable() -> Self {
        Self::Backend {
            code: "storm".to_owned(),
            temporary: true,
        }
    }
    fn conflict(request: RequestId) -> Option<Self> {
        Some(Self::Conflict {
            request,
            expected: 0,
            actual: 0,
        })
    }
}

impl Refusal for PortError {
    fn unavailable() -> Self {
        Self::new(ErrorKind::Unavailable, "storm")
    }
}

impl Refusal for VaultError {
    fn unavailable() -> Self {
        Self::Backend {
            code: "storm".to_owned(),
            temporary: true,
        }
    }
}

/// What a call says when it takes its time; `None` where that cannot be said.
pub(crate) trait Reply: Send + Sized {
    fn pending(_: Pending) -> Option<Self> {
        None
    }
}

impl<T: Send> Reply for Answer<T> {
    fn pending(pending: Pending) -> Option<Self> {
        Some(Self::Pending(pending))
    }
}

/// The gate before the ports of one life.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) storm: Arc<Storm>,
    pub(crate) life: Arc<Life>,
}

impl Gate {
    /// Where a worker may stand still: others go first, the dead stay, the frozen wait.
    async fn point(&self) {
        for _ in 0..self.storm.chance.below(3) {
            give_way().await;
        }
        while self.life.frozen_until().is_some() {
            give_way().await;
        }
        if self.life.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    async fn die(&self) {
        self.life.dead.store(true, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }

    async fn freeze(&self) {
        let lease = self.storm.lease.num_seconds();
        self.life.freeze(self.storm.chance.seconds(1, lease * 4));
        self.point().await;
    }

    pub(crate) async fn pass<'a, T: Reply, E: Refusal>(
        &'a self,
        call: &str,
        kind: Kind,
        perform: &(dyn Fn() -> BoxFuture<'a, Result<T, E>> + Send + Sync),
    ) -> Result<T, E> {
        let _connection = match (&self.life.connection, kind) {
            (Some(connection), Kind::Store | Kind::Commit) => Some(connection.lock().await),
            _ => None,
        };
        self.point().await;
        let fate = self.storm.fate(kind, &self.life);
        if let Some(fate) = fate {
            self.storm
                .note(format!("{} {call}: {fate:?}", self.life.name));
        }
        let result = match fate {
            Some(Fate::DieBefore) => {
                self.die().await;
                perform().await
            }
            Some(Fate::DieAfter) => {
                let lost = perform().await;
                self.die().await;
                lost
            }
            Some(Fate::FreezeBefore) => {
                self.freeze().await;
                perform().await
            }
            Some(Fate::FreezeAfter) => {
                let late = perform().await;
                self.freeze().await;
                late
            }
            Some(Fate::Refuse) => Err(E::unavailable()),
            Some(Fate::LoseAnswer) => {
                let _lost = perform().await;
                Err(E::unavailable())
            }
            Some(Fate::Conflict) => {
                let nobody = RequestId::new(uuid::Uuid::nil());
                Err(E::conflict(nobody).unwrap_or_else(E::unavailable))
            }
            Some(Fate::Twice) => {
                let _first = perform().await;
                self.point().await;
                perform().await
            }
            Some(Fate::Slow) => {
                let span = self.storm.chance.seconds(1, 900);
                self.storm
                    .clock
                    .sleep_until(self.storm.clock.now() + span)
                    .await;
                perform().await
            }
            Some(Fate::Pend) => {
                let span = self.storm.chance.seconds(1, 7200);
                let pending = Pending {
                    handle: Handle(format!("{call}/{}", self.storm.chance.below(3))),
                    look_again: self.storm.clock.now() + span,
                    task: None,
                };
                T::pending(pending).map_or_else(|| Err(E::unavailable()), Ok)
            }
            None => perform().await,
        };
        self.point().await;
        result
    }
}

/// Sees what a store really did, whoever hears of it.
#[derive(Default)]
pub(crate) struct Witness(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// The newest lease of each request.
    newest: std::collections::BTreeMap<(ControllerId, RequestId), Fence>,
    versions: std::collections::BTreeMap<(ControllerId, RequestId), u64>,
    wrongs: Vec<String>,
    commits: u64,
}

impl Witness {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn claimed(&self, controller: &ControllerId, request: RequestId, fence: Fence) {
        let mut seen = self.seen();
        let key = (controller.clone(), request);
        if let Some(before) = seen.newest.insert(key, fence)
            && before >= fence
        {
            let wrong = format!("a lease {fence:?} was given after {before:?}");
            seen.wrongs.push(wrong);
        }
    }

    pub(crate) fn written(
        &self,
        what: &str,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
    ) {
        let mut seen = self.seen();
        let newest = seen.newest.get(&(controller.clone(), request)).copied();
        if fence.is_some() && fence != newest {
            let wrong = format!("{what} under {fence:?}, when {newest:?} was the newest lease");
            seen.wrongs.push(wrong);
        }
    }

    pub(crate) fn committed(&self, controller: &ControllerId, request: RequestId, expected: u64) {
        let mut seen = self.seen();
        seen.commits += 1;
        let key = (controller.clone(), request);
        let before = seen.versions.insert(key, expected + 1);
        if before.is_some_and(|before| before != expected) {
            let wrong = format!("a commit on version {expected} after {before:?}");
            seen.wrongs.push(wrong);
        }
    }

    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.seen().wrongs.clone()
    }
}
