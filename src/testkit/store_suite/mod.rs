//! The conformance suite of [`RequestStore`]: proves an adapter right, line by line.
//!
//! Every check belongs to one line of "A correct implementation" of the port and says which one
//! failed. The suite needs no runtime: it drives futures itself, unless [`Suite::runner`] says
//! otherwise, and uses threads for its races.
//!
//! ```
//! use datarights::adapters::MemoryStore;
//! use datarights::testkit::store_suite;
//!
//! store_suite::assert_conforms(|| async { MemoryStore::new() });
//! ```
//!
//! A store that lasts says how it is opened again, and may bring more handles for the races:
//!
//! ```no_run
//! use datarights::testkit::store_suite::{Fixture, Suite};
//! # use datarights::adapters::MemoryStore;
//! # async fn open(path: &std::path::Path) -> MemoryStore { MemoryStore::new() }
//!
//! let conforms = Suite::new(|| async {
//!     let path = std::env::temp_dir().join("fresh.db"); // a fresh place each time
//!     Fixture::new(open(&path).await)
//!         .handle(open(&path).await)
//!         .reopen(move || {
//!             let path = path.clone();
//!             async move { open(&path).await }
//!         })
//! })
//! .run();
//! assert_eq!(conforms, Ok(()));
//! ```

mod checks;
mod commits;
mod lasting;
mod leases;
mod lists;
mod locks;
mod model;
mod parts;
mod races;
mod refusals;
mod sample;
mod tenants;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::contract::{Checked, Report, Seen, Violations, lines};
use crate::ports::RequestStore;

lines! {
    /// The lines of the contract of [`RequestStore`], under the words they begin with there.
    StoreLine {
        Create = "`create` never overwrites, and stores all of a request",
        Tenants = "nothing of one controller is seen, changed, locked or leased under another",
        Whole = "a commit writes everything or nothing",
        Durable = "what returned without an error is there when the store is opened again",
        Version = "every commit adds 1, another version is a conflict, and of many that race one wins",
        Fence = "only the newest, unreturned fence writes",
        Form = "what is malformed is refused",
        Precedence = "of several errors the first one by the order is told",
        History = "events come back byte by byte, in order, in pages",
        Claim = "one worker at a time, earliest first, with a growing fence",
        Lease = "`renew` and `release` belong to the holder, and commits leave the lease",
        Wake = "`next_wake` is when `claim` would find something",
        Due = "`due` knows open requests only, earliest deadline first",
        Find = "`find` knows open requests only, in the order they were created",
        Open = "`open` lists open requests only, in the order of their ids, in pages",
        Marked = "`marked` lists requests with a mark, open or not, in the order of their ids, in pages",
        Count = "`count` says how many `open`, `due` and `marked` would list",
        Parts = "chunks replace, parts end with their request",
        Locks = "exclusive or shared, never against oneself, outliving leases",
        Delete = "`delete` leaves nothing of the request and touches nothing else",
        Instants = "instants keep microseconds at least",
        Model = "any row of calls answers as a plain reading of the whole contract does",
    }
}

type Store = Arc<dyn RequestStore>;
type Reopen = Box<dyn Fn() -> BoxFuture<'static, Store> + Send + Sync>;
type Factory = Box<dyn Fn() -> BoxFuture<'static, Fixture> + Send + Sync>;
type Runner = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// An empty store for one check, with what the suite may do to it.
pub struct Fixture {
    store: Store,
    others: Vec<Store>,
    reopen: Option<Reopen>,
}

impl Fixture {
    /// An empty store that nothing else uses.
    pub fn new(store: impl RequestStore + 'static) -> Self {
        Self {
            store: Arc::new(store),
            others: Vec::new(),
            reopen: None,
        }
    }

    /// Another handle on the same requests: the races use all of them.
    #[must_use]
    pub fn handle(mut self, store: impl RequestStore + 'static) -> Self {
        self.others.push(Arc::new(store));
        self
    }

    /// How the same requests are opened again, after every handle was dropped. Stores without it
    /// are not asked whether they are durable.
    #[must_use]
    pub fn reopen<F, Fut>(mut self, reopen: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: RequestStore + 'static> + Send + 'static,
    {
        self.reopen = Some(Box::new(move || {
            let store = reopen();
            async move { Arc::new(store.await) as Store }.boxed()
        }));
        self
    }
}

impl<S: RequestStore + 'static> From<S> for Fixture {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

/// The suite, and how it gets its stores.
pub struct Suite {
    factory: Factory,
    runner: Runner,
    seed: u64,
    steps: usize,
}

impl Suite {
    /// A suite over stores from a factory. Each check gets an empty one of its own.
    pub fn new<F, Fut>(factory: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Into<Fixture>> + Send + 'static,
    {
        Self {
            factory: Box::new(move || {
                let fixture = factory();
                async move { fixture.await.into() }.boxed()
            }),
            runner: Arc::new(futures::executor::block_on),
            seed: 0x5EED,
            steps: 2_000,
        }
    }

    /// Drives futures with this instead, e.g. `move |f| handle.block_on(f)` for a store that
    /// needs tokio. It is called from many threads at once.
    #[must_use]
    pub fn runner(
        mut self,
        runner: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static,
    ) -> Self {
        self.runner = Arc::new(runner);
        self
    }

    /// Another seed for the random rows of calls, and how many calls.
    #[must_use]
    pub fn random(mut self, seed: u64, steps: usize) -> Self {
        self.seed = seed;
        self.steps = steps;
        self
    }

    /// Runs every check.
    ///
    /// # Errors
    /// The lines that the store breaks; each says which check saw what.
    pub fn run(&self) -> Result<(), Violations<StoreLine>> {
        let mut report = Report::new();
        for &(line, name, check) in checks::ALL {
            if let Err(Seen(seen)) = self.run_one(check) {
                report.add(line, format!("{name}: {seen}"));
            }
        }
        report.end()
    }

    /// Runs one check on a fresh store. A panic of the store is a violation like others.
    fn run_one(&self, check: Check) -> Checked {
        let outcome = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&outcome);
        let fixture = (self.factory)();
        let (runner, seed, steps) = (Arc::clone(&self.runner), self.seed, self.steps);
        let trial = async move {
            let trial = Trial {
                fixture: fixture.await,
                runner,
                seed,
                steps,
            };
            check(trial).await
        };
        let trial = AssertUnwindSafe(trial).catch_unwind().map(move |ended| {
            let ended = ended.unwrap_or_else(|_| Err("it panicked".into()));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        });
        (self.runner)(trial.boxed());
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome
            .take()
            .unwrap_or_else(|| Err("the runner did not finish".into()))
    }
}

/// Panics with the lines that a store breaks.
///
/// # Panics
/// When a line is broken.
#[track_caller]
#[allow(clippy::panic, reason = "an assertion for tests")]
pub fn assert_conforms<F, Fut>(factory: F)
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Into<Fixture>> + Send + 'static,
{
    if let Err(violations) = Suite::new(factory).run() {
        panic!("{violations}");
    }
}

/// What one check works with.
struct Trial {
    fixture: Fixture,
    runner: Runner,
    seed: u64,
    steps: usize,
}

impl Trial {
    /// Drops every handle and opens the same requests again, where the store can.
    async fn reopen(&mut self) -> Checked {
        if let Some(reopen) = &self.fixture.reopen {
            self.fixture.others.clear();
            // The old store must be gone before the new one opens: a place in between.
            self.fixture.store = Arc::new(crate::adapters::MemoryStore::new());
            self.fixture.store = reopen().await;
        }
        Ok(())
    }
}

impl std::ops::Deref for Trial {
    type Target = dyn RequestStore;
    fn deref(&self) -> &Self::Target {
        &*self.fixture.store
    }
}

type Check = fn(Trial) -> BoxFuture<'static, Checked>;

/// Fails the check unless both are equal.
macro_rules! same {
    ($left:expr, $right:expr, $($what:tt)+) => {{
        let (seen, wanted) = (&$left, &$right);
        if seen != wanted {
            return Err(crate::testkit::contract::Seen(format!(
                "{}: saw {seen:?}, not {wanted:?}", format_args!($($what)+)
            )));
        }
    }};
}
use same;
