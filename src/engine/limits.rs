//! The store, the vault and the policy, called so that none of them can hold anybody up for ever:
//! each call has a time limit, and one that panics has failed.
//!
//! Where a write took too long it is not known whether it happened, as after a crash: versions and
//! fences decide that when somebody looks again.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Personal, RequestId, Sealed};
use crate::ports::{
    Cancel, Claim, Clock, Commit, Counted, Due, Fence, Mark, PortError, Query, RequestStore,
    StoreError, StoredEvent, StoredRequest, Vault, VaultError, WorkerId,
};

use super::error::EngineError;
use super::guard::guard;
use super::{Engine, Ports};

#[derive(Clone)]
struct Limit {
    clock: Arc<dyn Clock>,
    limit: TimeDelta,
}

impl Limit {
    async fn within<T>(&self, call: impl Future<Output = T> + Send) -> Result<T, PortError> {
        guard(&*self.clock, self.limit, &Cancel::default(), call).await
    }
}

/// The same ports, none of which takes longer than `limit` for one call of store or vault.
pub(super) fn limited(mut ports: Ports, limit: TimeDelta) -> Ports {
    let limit = Limit {
        clock: Arc::clone(&ports.clock),
        limit,
    };
    ports.store = Arc::new(Store {
        store: ports.store,
        limit: limit.clone(),
    });
    ports.vault = Arc::new(Keys {
        vault: ports.vault,
        limit,
    });
    ports
}

impl Engine {
    /// Asks the host's policy. One that does not answer has not agreed.
    pub(super) async fn ask_policy(&self, query: &Query<'_>) -> Result<(), EngineError> {
        let ports = &self.inner.ports;
        let limit = self.inner.settings.call_timeout;
        let asked = ports.access.allow(query);
        guard(&*ports.clock, limit, &Cancel::default(), asked).await??;
        Ok(())
    }
}

struct Store {
    store: Arc<dyn RequestStore>,
    limit: Limit,
}

impl Store {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let ended = self.limit.within(call).await;
        ended.unwrap_or_else(|error| {
            Err(StoreError::Backend {
                code: error.code.into_owned(),
                temporary: true,
            })
        })
    }
}

#[async_trait]
impl RequestStore for Store {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.call(self.store.create(controller, commit)).await
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        self.call(self.store.load(controller, request)).await
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.call(self.store.commit(controller, commit)).await
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let page = self.store.history(controller, request, after, limit);
        self.call(page).await
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.call(self.store.find(controller, person)).await
    }

    async fn put_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: &str,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        let store = &self.store;
        self.call(store.put_part(controller, request, fence, part, chunk, bytes))
            .await
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.store.read_part(controller, request, part, chunk);
        self.call(read).await
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let deleted = self.store.delete_parts(controller, request, fence, part);
        self.call(deleted).await
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let claimed = self.store.claim(controller, worker, now, until, limit);
        self.call(claimed).await
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(self.store.renew(claim, until)).await
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        self.call(self.store.release(claim)).await
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.call(self.store.next_wake(controller)).await
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.call(self.store.due(controller, before, limit)).await
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.call(self.store.open(controller, after, limit)).await
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let page = self.store.marked(controller, mark, after, limit);
        self.call(page).await
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        self.call(self.store.count(controller, what)).await
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let deleted = self.store.delete(controller, request, expected, fence);
        self.call(deleted).await
    }
}

struct Keys {
    vault: Arc<dyn Vault>,
    limit: Limit,
}

impl Keys {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, VaultError>> + Send,
    ) -> Result<T, VaultError> {
        let ended = self.limit.within(call).await;
        ended.unwrap_or_else(|error| {
            Err(VaultError::Backend {
                code: error.code.into_owned(),
                temporary: true,
            })
        })
    }
}

#[async_trait]
impl Vault for Keys {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        self.call(self.vault.create_key(key)).await
    }

    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        self.call(self.vault.seal(key, place, clear)).await
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        self.call(self.vault.open(place, sealed)).await
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        self.call(self.vault.digest(controller, normal)).await
    }

    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        self.call(self.vault.shred(key)).await
    }
}
