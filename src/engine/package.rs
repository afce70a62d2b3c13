//! The package of a request: what it is called, and how it is read back.

use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest as _, Sha256};

use crate::model::Digest;
use crate::ports::{ArtifactKey, ArtifactStore, ByteStream, ErrorKind, PortError};
use crate::workflow::Request;

/// What a package is called of which only size and digest were recorded.
const UNNAMED: &str = "package.zip";

/// What the package of an attempt is called. No two attempts share a name, so that one that was
/// given up, or whose worker lost its lease, cannot touch what the next one wrote.
#[cfg(feature = "package")]
pub(super) fn name_for(fence: crate::ports::Fence, round: u32, attempt: u32) -> String {
    format!("package-{}-{round}-{attempt}.zip", fence.0)
}

/// A package that was made and is still kept.
pub(super) struct Made {
    key: ArtifactKey,
    pub(super) bytes: u64,
    digest: Digest,
}

impl Made {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let work = request.fulfilment.as_ref()?;
        let (bytes, digest) = work.package?;
        if request.lifecycle.package_deleted {
            return None;
        }
        let name = work.package_name.as_deref().unwrap_or(UNNAMED);
        Some(Self {
            key: ArtifactKey::new(&request.facts.controller, request.facts.id, name),
            bytes,
            digest,
        })
    }

    /// Its bytes; the stream fails if they are not those that were written.
    pub(super) async fn read(
        &self,
        artifacts: &dyn ArtifactStore,
    ) -> Result<ByteStream, PortError> {
        let checked = Checked {
            pieces: artifacts.read(&self.key).await?,
            sum: Sha256::new(),
            seen: 0,
            bytes: self.bytes,
            digest: self.digest,
        };
        let pieces = stream::try_unfold(checked, |mut checked| async move {
            let piece = checked.next().await?;
            Ok(piece.map(|piece| (piece, checked)))
        });
        Ok(pieces.boxed())
    }
}

/// A stream that is held against what was recorded.
struct Checked {
    pieces: ByteStream,
    sum: Sha256,
    seen: u64,
    bytes: u64,
    digest: Digest,
}

impl Checked {
    /// The last piece goes out only if the whole is right: who knows the length may stop there.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, PortError> {
        let piece = self.pieces.try_next().await?;
        if let Some(piece) = &piece {
            self.sum.update(piece);
            self.seen = self.seen.saturating_add(piece.len() as u64);
        }
        let altered = if self.seen == self.bytes {
            Digest::from_bytes(self.sum.clone().finalize().into()) != self.digest
        } else {
            self.seen > self.bytes || piece.is_none()
        };
        if altered {
            return Err(PortError::new(ErrorKind::Nonsense, "package_altered"));
        }
        Ok(piece)
    }
}
