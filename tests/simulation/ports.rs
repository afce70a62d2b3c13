//! Every port behind a gate.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datarights::model::{
    ControllerId, Correction, Identifier, KeyId, KeyedDigest, NormalForm, Personal, RequestId,
    RowCount, Sealed, Use,
};
use datarights::ports::*;
use futures::future::BoxFuture;

use crate::storm::{Gate, Kind, Reply};

/// A port behind a gate.
pub(crate) struct Gated<P: ?Sized> {
    pub(crate) gate: Gate,
    pub(crate) inner: Arc<P>,
}

impl<P: ?Sized> Gated<P> {
    pub(crate) fn new(gate: &Gate, inner: &Arc<P>) -> Arc<Self> {
        Arc::new(Self {
            gate: gate.clone(),
            inner: Arc::clone(inner),
        })
    }
}

/// What never says that it takes its time.
macro_rules! at_once {
    ($($type:ty),+ $(,)?) => {$(impl Reply for $type {})+};
}

at_once!(
    (),
    u64,
    Option<StoredRequest>,
    Vec<StoredEvent>,
    Vec<RequestId>,
    Option<Vec<u8>>,
    Vec<Claim>,
    Option<DateTime<Utc>>,
    Vec<Due>,
    Sealed,
    Personal<Vec<u8>>,
    KeyedDigest,
    Box<dyn ArtifactWriter>,
    ByteStream,
    Check,
);

#[async_trait]
impl RequestStore for Gated<dyn RequestStore> {
    async fn create(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let perform = || self.inner.create(c, commit.clone());
        self.gate.pass("create", Kind::Store, &perform).await
    }
    async fn load(
        &self,
        c: &ControllerId,
        r: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let perform = || self.inner.load(c, r);
        self.gate.pass("load", Kind::Store, &perform).await
    }
    async fn commit(&self, c: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let witness = &self.gate.storm.witness;
        let perform = || -> BoxFuture<'_, _> {
            let commit = commit.clone();
            Box::pin(async move {
                let (request, expected, fence) = (commit.request, commit.expected, commit.fence);
                self.inner.commit(c, commit).await?;
                witness.written("a commit", c, request, fence);
                witness.committed(c, request, expected);
                Ok(())
            })
        };
        self.gate.pass("commit", Kind::Commit, &perform).await
    }
    async fn history(
        &self,
        c: &ControllerId,
        r: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let perform = || self.inner.history(c, r, after, limit);
        self.gate.pass("history", Kind::Store, &perform).await
    }
    async fn find(
        &self,
        c: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        let perform = || self.inner.find(c, person);
        self.gate.pass("find", Kind::Store, &perform).await
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
        let witness = &self.gate.storm.witness;
        let perform = || -> BoxFuture<'_, _> {
            let bytes = bytes.clone();
            Box::pin(async move {
                self.inner.put_part(c, r, fence, part, chunk, bytes).await?;
                witness.written("a part", c, r, fence);
                Ok(())
            })
        };
        self.gate.pass("put_part", Kind::Store, &perform).await
    }
    async fn read_part(
        &self,
        c: &ControllerId,
        r: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let perform = || self.inner.read_part(c, r, part, chunk);
        self.gate.pass("read_part", Kind::Store, &perform).await
    }
    async fn delete_parts(
        &self,
        c: &ControllerId,
        r: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let perform = || self.inner.delete_parts(c, r, fence, part);
        self.gate.pass("delete_parts", Kind::Store, &perform).await
    }
    async fn claim(
        &self,
        c: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let witness = &self.gate.storm.witness;
        let perform = || -> BoxFuture<'_, _> {
            Box::pin(async move {
                let claims = self.inner.claim(c, worker, now, until, limit).await?;
                for claim in &claims {
                    witness.claimed(&claim.controller, claim.request, claim.fence);
                }
                Ok(claims)
            })
        };
        self.gate.pass("claim", Kind::Store, &perform).await
    }
    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let perform = || self.inner.renew(claim, until);
        self.gate.pass("renew", Kind::Store, &perform).await
    }
    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let perform = || self.inner.release(claim);
        self.gate.pass("release", Kind::Store, &perform).await
    }
    async fn next_wake(
        &self,
        c: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let perform = || self.inner.next_wake(c);
        self.gate.pass("next_wake", Kind::Store, &perform).await
    }
    async fn due(
        &self,
        c: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let perform = || self.inner.due(c, before, limit);
        self.gate.pass("due", Kind::Store, &perform).await
    }
    async fn open(
        &self,
        c: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let perform = || self.inner.open(c, after, limit);
        self.gate.pass("open", Kind::Store, &perform).await
    }
    async fn marked(
        &self,
        c: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let perform = || self.inner.marked(c, mark, after, limit);
        self.gate.pass("marked", Kind::Store, &perform).await
    }
    async fn count(&self, c: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        let perform = || self.inner.count(c, what);
        self.gate.pass("count", Kind::Store, &perform).await
    }
    async fn delete(
        &self,
        c: &ControllerId,
        r: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let perform = || self.inner.delete(c, r, expected, fence);
        self.gate.pass("delete", Kind::Store, &perform).await
    }
}

#[async_trait]
impl PersonalDataSource for Gated<dyn PersonalDataSource> {
    fn describe(&self) -> SourceDescription {
        self.inner.describe()
    }
    async fn locate(
        &self,
        x: &CallContext,
        i: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        let perform = || self.inner.locate(x, i);
        self.gate.pass("locate", Kind::Port, &perform).await
    }
    async fn plan(
        &self,
        x: &CallContext,
        l: &[Locator],
        w: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        let perform = || self.inner.plan(x, l, w);
        self.gate.pass("plan", Kind::Port, &perform).await
    }
    async fn read(&self, x: &CallContext, l: &[Locator]) -> Result<Answer<Reading>, PortError> {
        let perform = || self.inner.read(x, l);
        self.gate.pass("read", Kind::Port, &perform).await
    }
    async fn rectify(
        &self,
        x: &CallContext,
        l: &[Locator],
        c: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let perform = || self.inner.rectify(x, l, c);
        self.gate.pass("rectify", Kind::Port, &perform).await
    }
    async fn restrict(
        &self,
        x: &CallContext,
        l: &[Locator],
        on: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let perform = || self.inner.restrict(x, l, on);
        self.gate.pass("restrict", Kind::Port, &perform).await
    }
    async fn stop(
        &self,
        x: &CallContext,
        i: &[Identifier],
        u: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        let perform = || self.inner.stop(x, i, u);
        self.gate.pass("stop", Kind::Port, &perform).await
    }
    async fn erase(
        &self,
        x: &CallContext,
        l: &[Locator],
        p: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let perform = || self.inner.erase(x, l, p);
        self.gate.pass("erase", Kind::Port, &perform).await
    }
    async fn residue(&self, x: &CallContext, l: &[Locator]) -> Result<Answer<Residue>, PortError> {
        let perform = || self.inner.residue(x, l);
        self.gate.pass("residue", Kind::Port, &perform).await
    }
}

#[async_trait]
impl ProcessorGateway for Gated<dyn ProcessorGateway> {
    fn describe(&self) -> GatewayDescription {
        self.inner.describe()
    }
    async fn inform(&self, x: &CallContext, o: &Order) -> Result<Answer<()>, PortError> {
        let perform = || self.inner.inform(x, o);
        self.gate.pass("inform", Kind::Port, &perform).await
    }
    async fn transmit(&self, x: &CallContext, p: Package) -> Result<Answer<()>, PortError> {
        // A package is a stream: it is handed over once, so nothing can go wrong around it but
        // before it.
        between(&self.gate, "transmit").await?;
        self.inner.transmit(x, p).await
    }
}

#[async_trait]
impl Notifier for Gated<dyn Notifier> {
    async fn notify(&self, x: &CallContext, n: &Notice) -> Result<Answer<()>, PortError> {
        let perform = || self.inner.notify(x, n);
        self.gate.pass("notify", Kind::Port, &perform).await
    }
}

#[async_trait]
impl IdentityVerifier for Gated<dyn IdentityVerifier> {
    async fn challenge(
        &self,
        x: &CallContext,
        who: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        let perform = || self.inner.challenge(x, who);
        self.gate.pass("challenge", Kind::Port, &perform).await
    }
    async fn check(&self, x: &CallContext, e: &Personal<String>) -> Result<Check, PortError> {
        let perform = || self.inner.check(x, e);
        self.gate.pass("check", Kind::Port, &perform).await
    }
}

#[async_trait]
impl Vault for Gated<dyn Vault> {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        let perform = || self.inner.create_key(key);
        self.gate.pass("create_key", Kind::Keeper, &perform).await
    }
    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        let perform = || self.inner.seal(key, place, clear);
        self.gate.pass("seal", Kind::Keeper, &perform).await
    }
    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        let perform = || self.inner.open(place, sealed);
        self.gate.pass("open", Kind::Keeper, &perform).await
    }
    async fn digest(&self, c: &ControllerId, n: &NormalForm) -> Result<KeyedDigest, VaultError> {
        let perform = || self.inner.digest(c, n);
        self.gate.pass("digest", Kind::Keeper, &perform).await
    }
    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        let perform = || self.inner.shred(key);
        self.gate.pass("shred", Kind::Keeper, &perform).await
    }
}

#[async_trait]
impl ArtifactStore for Gated<dyn ArtifactStore> {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let perform = || self.inner.writer(key);
        let inner = self.gate.pass("writer", Kind::Keeper, &perform).await?;
        let gate = self.gate.clone();
        Ok(Box::new(GatedWriter { gate, inner }))
    }
    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let perform = || self.inner.read(key);
        self.gate.pass("artifact", Kind::Keeper, &perform).await
    }
    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        let perform = || self.inner.delete(key);
        self.gate.pass("delete one", Kind::Keeper, &perform).await
    }
    async fn delete_all(&self, c: &ControllerId, r: RequestId) -> Result<(), PortError> {
        let perform = || self.inner.delete_all(c, r);
        self.gate.pass("delete_all", Kind::Keeper, &perform).await
    }
}

/// A writer that may be left alone before a piece or before its end.
struct GatedWriter {
    gate: Gate,
    inner: Box<dyn ArtifactWriter>,
}

/// A point between two steps of something that cannot be done twice.
async fn between(gate: &Gate, call: &str) -> Result<(), PortError> {
    let nothing = || -> BoxFuture<'_, Result<(), PortError>> { Box::pin(async { Ok(()) }) };
    gate.pass(call, Kind::Keeper, &nothing).await
}

#[async_trait]
impl ArtifactWriter for GatedWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        between(&self.gate, "write").await?;
        self.inner.write(bytes).await
    }
    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        let Self { gate, inner } = *self;
        between(&gate, "finish").await?;
        inner.finish().await?;
        between(&gate, "finished").await
    }
}
