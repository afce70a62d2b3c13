//! Artifacts in memory: for tests and small trials.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;

use super::{CHUNK, no_such_artifact};
use crate::model::{ControllerId, RequestId};
use crate::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, PortError};

/// Keeps artifacts in memory, whole. Clones share them.
///
/// Of the contract it keeps everything but one line: its memory grows with what it holds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use datarights::adapters::MemoryArtifacts;
/// use datarights::model::{ControllerId, RequestId};
/// use datarights::ports::{ArtifactKey, ArtifactStore};
///
/// let store = MemoryArtifacts::new();
/// let request = RequestId::new(uuid::Uuid::from_u128(1));
/// let key = ArtifactKey::new(&ControllerId::new("acme")?, request, "package.zip");
/// let mut writer = store.writer(&key).await?;
/// writer.write(b"PK").await?;
/// writer.finish().await?;
/// assert_eq!(store.bytes(&key), Some(b"PK".to_vec()));
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct MemoryArtifacts(Arc<Mutex<BTreeMap<ArtifactKey, Arc<[u8]>>>>);

impl MemoryArtifacts {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<ArtifactKey, Arc<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of everything that is there, in order.
    pub fn keys(&self) -> Vec<ArtifactKey> {
        self.all().keys().cloned().collect()
    }

    /// A copy of an artifact, or `None`.
    pub fn bytes(&self, key: &ArtifactKey) -> Option<Vec<u8>> {
        self.all().get(key).map(|bytes| bytes.to_vec())
    }
}

impl fmt::Debug for MemoryArtifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryArtifacts({} artifacts)", self.all().len())
    }
}

struct Writer {
    store: MemoryArtifacts,
    key: ArtifactKey,
    bytes: Vec<u8>,
}

#[async_trait]
impl ArtifactWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        self.store.all().insert(self.key, self.bytes.into());
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for MemoryArtifacts {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        Ok(Box::new(Writer {
            store: self.clone(),
            key: key.clone(),
            bytes: Vec::new(),
        }))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let bytes = self.all().get(key).cloned().ok_or_else(no_such_artifact)?;
        let pieces = (0..bytes.len()).step_by(CHUNK);
        Ok(futures::stream::iter(pieces)
            .map(move |at| Ok(bytes[at..bytes.len().min(at + CHUNK)].to_vec()))
            .boxed())
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        self.all().remove(key);
        Ok(())
    }

    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        let prefix = ArtifactKey::prefix(controller, request);
        self.all()
            .retain(|key, _| !key.as_str().starts_with(&prefix));
        Ok(())
    }
}
