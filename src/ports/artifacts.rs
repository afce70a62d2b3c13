//! Where packages and spools are kept.

use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::model::{ControllerId, RequestId};

use super::PortError;

/// Bytes in pieces.
pub type ByteStream = BoxStream<'static, Result<Vec<u8>, PortError>>;

/// Where an artifact lies: `controller/request/name`, safe as a path on every system.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ArtifactKey(String);

impl ArtifactKey {
    /// An artifact of a request. Characters outside `a-z A-Z 0-9 . _ -` become `_`.
    pub fn new(controller: &ControllerId, request: RequestId, name: &str) -> Self {
        let safe: String = name
            .chars()
            .map(|c| match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
                _ => '_',
            })
            .collect();
        let dot = if safe.is_empty() || safe.starts_with('.') {
            "_"
        } else {
            ""
        };
        Self(format!("{controller}/{request}/{dot}{safe}"))
    }

    /// What the keys of all artifacts of a request begin with.
    pub fn prefix(controller: &ControllerId, request: RequestId) -> String {
        format!("{controller}/{request}/")
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An artifact that is being written.
#[async_trait]
pub trait ArtifactWriter: Send {
    /// Adds bytes.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// Makes it visible and durable. One that is dropped instead was never there.
    async fn finish(self: Box<Self>) -> Result<(), PortError>;
}

/// Keeps large files: a folder, an object store.
///
/// # A correct implementation
/// - An artifact becomes visible as a whole with `finish`, replacing an older one of the same key,
///   or not at all.
/// - `read` of what is not there is an error of kind *refused* with code `no_such_artifact`;
///   `delete` of it is none.
/// - Memory does not grow with the size of an artifact.
///
/// ```
/// use datarights::ports::{ArtifactKey, ArtifactStore, PortError};
///
/// async fn note(store: &dyn ArtifactStore, key: &ArtifactKey) -> Result<(), PortError> {
///     let mut writer = store.writer(key).await?;
///     writer.write(b"hello").await?;
///     writer.finish().await
/// }
/// ```
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Begins an artifact.
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError>;

    /// Reads an artifact.
    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError>;

    /// Deletes an artifact.
    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError>;

    /// Deletes all artifacts of a request, those of attempts that never came to their end too.
    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError>;
}
