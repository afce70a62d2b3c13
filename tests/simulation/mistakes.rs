//! Stores and ports that break their contracts: without them nobody knows that the judge sees
//! anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use datarights::model::{ControllerId, KeyedDigest, RequestId};
use datarights::ports::*;
use datarights::testkit::{Fault, Method};

use crate::common::World;

/// What is wrong with a world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mistake {
    None,
    /// The store writes under leases that were lost.
    FencesUnchecked,
    /// The store commits on versions that are no longer the newest.
    VersionsUnchecked,
    /// The store says that it committed, and did not.
    CommitsForgotten,
    /// Letters go out as often as they are asked for.
    LettersRepeated,
    /// Every order to a recipient is confirmed, and none is kept.
    OrdersForgotten,
    /// Deadlines and all that waits are found a year too late.
    WokenLate,
}

impl Mistake {
    /// Those that must be found.
    pub(crate) const ALL: [Self; 6] = [
        Self::FencesUnchecked,
        Self::VersionsUnchecked,
        Self::CommitsForgotten,
        Self::LettersRepeated,
        Self::OrdersForgotten,
        Self::WokenLate,
    ];

    /// Breaks a world.
    pub(crate) fn make(self, world: &mut World) {
        let calls = AtomicU64::new(0);
        match self {
            Self::None => {}
            Self::LettersRepeated => {
                let inner = Arc::clone(&world.notifier);
                world.notifier = Arc::new(Repeating { inner, calls });
            }
            Self::OrdersForgotten => {
                let mailer = (*world.recipient_port).clone();
                world.recipient_port = Arc::new(mailer.always(Method::Inform, Fault::Lie));
            }
            mistake => {
                let inner = Arc::clone(&world.store);
                world.store = Arc::new(Careless {
                    inner,
                    mistake,
                    calls,
                });
            }
        }
    }
}

/// A notifier that does not look at keys.
struct Repeating {
    inner: Arc<dyn Notifier>,
    calls: AtomicU64,
}

#[async_trait]
impl Notifier for Repeating {
    async fn notify(&self, x: &CallContext, notice: &Notice) -> Result<Answer<()>, PortError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut context = x.clone();
        context.key = IdempotencyKey(format!("{}/{call}", x.key));
        self.inner.notify(&context, notice).await
    }
}

/// A store that is careless in one way.
struct Careless {
    inner: Arc<dyn RequestStore>,
    mistake: Mistake,
    calls: AtomicU64,
}

#[async_trait]
impl RequestStore for Careless {
    async fn create(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.inner.create(c, commit).await
    }
    async fn load(
        &self,
        c: &ControllerId,
        r: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        self.inner.load(c, r).await
    }
    async fn commit(&self, c: &ControllerId, mut commit: Commit) -> Result<(), StoreError> {
        match self.mistake {
            Mistake::FencesUnchecked => commit.fence = None,
            Mistake::CommitsForgotten if self.calls.fetch_add(1, Ordering::SeqCst) % 16 == 15 => {
                return Ok(());
            }
            Mistake::VersionsUnchecked => {
                if let Some(stored) = self.inner.load(c, commit.request).await? {
                    commit.expected = stored.version;
                    for (event, n) in commit.events.iter_mut().zip(1..) {
                        event.sequence = stored.sequence + n;
                    }
                }
            }
            _ => {}
        }
        if self.mistake == Mistake::WokenLate {
            let wake = &mut commit.snapshot.wake_at;
            *wake = wake.map(|at| at + TimeDelta::days(365));
        }
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
        let fence = fence.filter(|_| self.mistake != Mistake::FencesUnchecked);
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
