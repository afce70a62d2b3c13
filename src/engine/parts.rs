//! Large things beside the events: written in sealed chunks, read back whole.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{ControllerId, Digest, KeyId, Personal, RequestId, Sealed};
use crate::ports::{Fence, PartChunk, RequestStore, Vault};
use crate::workflow::PartRef;

use super::error::EngineError;

/// How much clear text one chunk holds, in bytes.
const CHUNK: usize = 256 * 1024;

/// Where a request's parts are.
pub(super) struct Parts<'a> {
    pub(super) store: &'a dyn RequestStore,
    pub(super) vault: &'a dyn Vault,
    pub(super) controller: &'a ControllerId,
    pub(super) request: RequestId,
    /// The lease under which is written; `None` for a person's command.
    pub(super) fence: Option<Fence>,
}

impl Parts<'_> {
    fn place(&self, name: &str, chunk: usize) -> String {
        format!("{}/{name}/{chunk}", self.request)
    }

    /// Seals a part, for the commit that creates the request.
    pub(super) async fn seal<T: Serialize + Sync>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(PartRef, Vec<PartChunk>), EngineError> {
        let unreadable = || EngineError::Unreadable {
            what: "part",
            request: self.request,
        };
        let clear = Personal::new(serde_json::to_vec(value).map_err(|_| unreadable())?);
        let key = KeyId::of_request(self.controller, self.request);
        let mut chunks = Vec::new();
        for (index, piece) in clear.expose().chunks(CHUNK).enumerate() {
            let sealed = self
                .vault
                .seal(&key, &self.place(name, index), piece)
                .await?;
            chunks.push(PartChunk {
                part: name.to_owned(),
                chunk: u32::try_from(index).map_err(|_| unreadable())?,
                bytes: sealed.bytes,
            });
        }
        let part = PartRef {
            name: name.to_owned(),
            chunks: u32::try_from(chunks.len()).map_err(|_| unreadable())?,
            digest: Digest::of(clear.expose()),
        };
        Ok((part, chunks))
    }

    /// Seals and writes a part.
    pub(super) async fn write<T: Serialize + Sync>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<PartRef, EngineError> {
        let (part, chunks) = self.seal(name, value).await?;
        for PartChunk { part, chunk, bytes } in chunks {
            self.store
                .put_part(
                    self.controller,
                    self.request,
                    self.fence,
                    &part,
                    chunk,
                    bytes,
                )
                .await?;
        }
        Ok(part)
    }

    /// Reads a part, and checks that it is the one that was written.
    pub(super) async fn read<T: DeserializeOwned>(&self, part: &PartRef) -> Result<T, EngineError> {
        let unreadable = || EngineError::Unreadable {
            what: "part",
            request: self.request,
        };
        let key = KeyId::of_request(self.controller, self.request);
        let mut clear = Personal::new(Vec::new());
        for number in 0..part.chunks {
            let bytes = self
                .store
                .read_part(self.controller, self.request, &part.name, number)
                .await?
                .ok_or_else(unreadable)?;
            let sealed = Sealed {
                key: key.clone(),
                bytes,
            };
            let index = usize::try_from(number).map_err(|_| unreadable())?;
            let chunk = self
                .vault
                .open(&self.place(&part.name, index), &sealed)
                .await?;
            let mut all = clear.into_exposed();
            all.extend_from_slice(chunk.expose());
            clear = Personal::new(all);
        }
        if Digest::of(clear.expose()) != part.digest {
            return Err(unreadable());
        }
        serde_json::from_slice(clear.expose()).map_err(|_| unreadable())
    }
}
