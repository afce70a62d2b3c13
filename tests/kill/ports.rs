//! Ports that count every call, before and after it, and let the process die at one of them.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datarights::model::{
    ControllerId, Correction, Digest, Identifier, KeyId, KeyedDigest, NormalForm, PartyId,
    Personal, RequestId, RowCount, Sealed, Use,
};
use datarights::ports::*;
use futures::StreamExt;
use rusqlite::{Connection, params};

use crate::db::{Db, at};

/// Notes the points that a process passes, and ends it at one.
#[derive(Clone)]
pub(crate) struct Trigger {
    passed: Arc<Mutex<Vec<String>>>,
    fatal: Option<usize>,
}

impl Trigger {
    pub(crate) fn at(fatal: Option<usize>) -> Self {
        Self {
            passed: Arc::default(),
            fatal,
        }
    }

    /// The points, one to a line.
    pub(crate) fn passed(&self) -> String {
        self.passed.lock().unwrap().join("\n")
    }

    fn point(&self, when: &str, call: &str) {
        let mut passed = self.passed.lock().unwrap();
        if Some(passed.len()) == self.fatal {
            die();
        }
        passed.push(format!("{when} {call}"));
    }
}

/// SIGKILL: nothing is flushed, nothing is dropped.
fn die() -> ! {
    let me = std::process::id().to_string();
    let _ = Command::new("sh")
        .args(["-c", "kill -9 \"$1\"", "sh", &me])
        .status();
    loop {
        std::thread::park();
    }
}

/// A port behind a trigger.
pub(crate) struct Reached<P> {
    port: Arc<P>,
    trigger: Trigger,
}

impl<P> Reached<P> {
    pub(crate) fn new(port: Arc<P>, trigger: &Trigger) -> Self {
        Self {
            port,
            trigger: trigger.clone(),
        }
    }

    async fn around<T>(&self, what: &str, call: impl Future<Output = T>) -> T {
        self.trigger.point("before", what);
        let answer = call.await;
        self.trigger.point("after", what);
        answer
    }
}

/// Writes are points; what only reads ends in the same place as the write before it.
#[async_trait]
impl<S: RequestStore> RequestStore for Reached<S> {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.around("create", self.port.create(controller, commit))
            .await
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        self.port.load(controller, request).await
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.around("commit", self.port.commit(controller, commit))
            .await
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.port.history(controller, request, after, limit).await
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.port.find(controller, person).await
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
        self.around(
            "put_part",
            self.port
                .put_part(controller, request, fence, part, chunk, bytes),
        )
        .await
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.port.read_part(controller, request, part, chunk).await
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        self.around(
            "delete_parts",
            self.port.delete_parts(controller, request, fence, part),
        )
        .await
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        self.around(
            "claim",
            self.port.claim(controller, worker, now, until, limit),
        )
        .await
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        self.around("renew", self.port.renew(claim, until)).await
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        self.around("release", self.port.release(claim)).await
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.port.next_wake(controller).await
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.port.due(controller, before, limit).await
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.port.open(controller, after, limit).await
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.port.marked(controller, mark, after, limit).await
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        self.port.count(controller, what).await
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        self.around(
            "delete",
            self.port.delete(controller, request, expected, fence),
        )
        .await
    }
}

#[async_trait]
impl<V: Vault> Vault for Reached<V> {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        self.around("create_key", self.port.create_key(key)).await
    }

    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        self.port.seal(key, place, clear).await
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        self.port.open(place, sealed).await
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        self.port.digest(controller, normal).await
    }

    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        self.around("shred", self.port.shred(key)).await
    }
}

#[async_trait]
impl<S: PersonalDataSource> PersonalDataSource for Reached<S> {
    fn describe(&self) -> SourceDescription {
        self.port.describe()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        self.around("locate", self.port.locate(context, identifiers))
            .await
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        self.around("plan", self.port.plan(context, locators, work))
            .await
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        let trigger = self.trigger.clone();
        let each = move |item: &Result<Item, PortError>| {
            if matches!(item, Ok(Item::Collection(_))) {
                trigger.point("during", "read");
            }
        };
        Ok(
            match self
                .around("read", self.port.read(context, locators))
                .await?
            {
                Answer::Done(reading) => Answer::Done(reading.inspect(each).boxed()),
                other => other,
            },
        )
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        self.around("rectify", self.port.rectify(context, locators, corrections))
            .await
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        self.around(
            "restrict",
            self.port.restrict(context, locators, restricted),
        )
        .await
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        self.around("stop", self.port.stop(context, identifiers, uses))
            .await
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        self.around("erase", self.port.erase(context, locators, plan))
            .await
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        self.around("residue", self.port.residue(context, locators))
            .await
    }
}

#[async_trait]
impl<A: ArtifactStore> ArtifactStore for Reached<A> {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let writer = self.around("writer", self.port.writer(key)).await?;
        let trigger = self.trigger.clone();
        Ok(Box::new(ReachedWriter { writer, trigger }))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        self.port.read(key).await
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        self.around("delete", self.port.delete(key)).await
    }

    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        self.around("delete_all", self.port.delete_all(controller, request))
            .await
    }
}

struct ReachedWriter {
    writer: Box<dyn ArtifactWriter>,
    trigger: Trigger,
}

#[async_trait]
impl ArtifactWriter for ReachedWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.writer.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        self.trigger.point("before", "finish");
        self.writer.finish().await?;
        self.trigger.point("after", "finish");
        Ok(())
    }
}

/// The world outside: letters, a recipient that is told, another controller. It keeps what it
/// received in a file, once per key.
#[derive(Clone)]
pub(crate) struct Outside {
    db: Db,
    trigger: Trigger,
    informed: bool,
}

impl Outside {
    /// The controller to whom exports go.
    pub(crate) const ELSEWHERE: &str = "elsewhere";
    const RECIPIENT: &str = "print-shop";

    pub(crate) fn open(path: &Path, trigger: Trigger) -> Self {
        let connection = Connection::open(path).unwrap();
        let table =
            "CREATE TABLE IF NOT EXISTS received (key TEXT PRIMARY KEY, what TEXT NOT NULL)";
        connection.execute_batch(table).unwrap();
        let db = Db::open(path).unwrap();
        Self {
            db,
            trigger,
            informed: false,
        }
    }

    /// The same world, as a recipient that is told of changes.
    pub(crate) fn told(mut self) -> Self {
        self.informed = true;
        self
    }

    async fn receive(&self, key: &IdempotencyKey, what: String) -> Result<Answer<()>, PortError> {
        let key = key.0.clone();
        self.trigger.point("before", "receive");
        let received = self.db.call(move |outside| {
            let sql = "INSERT OR IGNORE INTO received VALUES (?1, ?2)";
            outside
                .execute(sql, params![key, what])
                .map_err(at("received"))
        });
        received.await?;
        self.trigger.point("after", "receive");
        Ok(Answer::Done(()))
    }
}

#[async_trait]
impl Notifier for Outside {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        let kept: Vec<String> = notice
            .withheld
            .iter()
            .map(|rows| format!("{rows:?}"))
            .collect();
        let what = format!(
            "letter {} {:?} {}",
            notice.kind,
            notice.outcome,
            kept.join(" ")
        );
        self.receive(&context.key, what).await
    }
}

#[async_trait]
impl ProcessorGateway for Outside {
    fn describe(&self) -> GatewayDescription {
        let id = if self.informed {
            Self::RECIPIENT
        } else {
            Self::ELSEWHERE
        };
        let mut description = GatewayDescription::new(PartyId::new(id).unwrap(), id);
        description.informed = self.informed;
        description
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        let identifiers = order.identifiers.len();
        let what = format!(
            "order {:?} about {identifiers} identifiers",
            order.instruction
        );
        self.receive(&context.key, what).await
    }

    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError> {
        let mut content = package.content;
        let mut bytes = Vec::new();
        while let Some(piece) = content.next().await {
            bytes.extend(piece?);
        }
        let whole = bytes.len() as u64 == package.bytes && Digest::of(&bytes) != Digest::default();
        self.receive(&context.key, format!("a package, whole: {whole}"))
            .await
    }
}

#[async_trait]
impl IdentityVerifier for Outside {
    async fn challenge(&self, _: &CallContext, _: &[Identifier]) -> Result<Answer<()>, PortError> {
        Ok(Answer::Unsupported)
    }

    async fn check(&self, _: &CallContext, _: &Personal<String>) -> Result<Check, PortError> {
        Ok(Check::Rejected)
    }
}

#[async_trait]
impl AccessPolicy for Outside {
    async fn allow(&self, _: &Query<'_>) -> Result<Grant, Denied> {
        Ok(Grant::agreed())
    }
}
