//! A stream of sealed frames in an artifact.
//!
//! Each frame is `length: u32 LE` (its highest bit set on the last one), then what the vault made
//! of the clear bytes. The first frame is empty; since a vault seals with a fresh nonce, its digest,
//! the *mark*, is unlike any other's. The place that every other frame is sealed to names the
//! artifact, the mark, the frame's number and whether it is the last. So a frame that is moved, left
//! out, missing at the end, or taken from another artifact or from an earlier writing of this one
//! does not open. The mark stands in the spool's report.

use crate::model::{Digest, KeyId, Personal, Sealed};
use crate::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, Vault};
use futures::StreamExt as _;

use super::{PackageError, breathe};

/// How many clear bytes make a frame full.
pub(super) const FRAME: usize = 256 * 1024;
/// The most that [`Limits::row_bytes`] can be: 16 MiB.
pub(super) const LARGEST_ROW: usize = 16 * 1024 * 1024;

/// What a reader accepts as the length of a sealed frame: a full frame, plus the largest row, plus
/// what the vault adds.
const LARGEST: usize = FRAME + LARGEST_ROW + 64 * 1024;
const LAST: u32 = 1 << 31;
const HEADER: usize = 4;

/// Where the first frame belongs. The version is that of the frames and of the records in them.
fn beginning(artifact: &ArtifactKey) -> String {
    format!("spool/1/{artifact}")
}

/// Where any other frame belongs.
fn place(artifact: &ArtifactKey, mark: Digest, index: u64, last: bool) -> String {
    let end = if last { "/last" } else { "" };
    format!("spool/1/{artifact}/{mark}/{index}{end}")
}

/// Collects records and writes them out in sealed frames.
pub(super) struct FrameWriter<'a> {
    vault: &'a dyn Vault,
    key: &'a KeyId,
    artifact: &'a ArtifactKey,
    out: Box<dyn ArtifactWriter>,
    mark: Digest,
    index: u64,
    clear: Vec<u8>,
}

impl<'a> FrameWriter<'a> {
    pub(super) async fn create(
        artifacts: &dyn ArtifactStore,
        artifact: &'a ArtifactKey,
        vault: &'a dyn Vault,
        key: &'a KeyId,
    ) -> Result<Self, PackageError> {
        let out = artifacts.writer(artifact).await;
        let first = vault.seal(key, &beginning(artifact), &[]).await?;
        let mut writer = Self {
            vault,
            key,
            artifact,
            out: out.map_err(PackageError::Artifacts)?,
            mark: Digest::of(&first.bytes),
            index: 0,
            clear: Vec::with_capacity(FRAME),
        };
        writer.write(&first, false).await?;
        Ok(writer)
    }

    /// The frame that is being filled. Whole records only are added: a frame is cut between them.
    pub(super) const fn frame(&mut self) -> &mut Vec<u8> {
        &mut self.clear
    }

    /// Seals the frame if it is full.
    pub(super) async fn settle(&mut self) -> Result<(), PackageError> {
        if self.clear.len() < FRAME {
            return Ok(());
        }
        self.seal(false).await
    }

    /// Seals what is left as the last frame, makes the artifact visible and gives its mark.
    pub(super) async fn finish(mut self) -> Result<Digest, PackageError> {
        self.seal(true).await?;
        let finished = self.out.finish().await;
        finished.map_err(PackageError::Artifacts)?;
        Ok(self.mark)
    }

    async fn seal(&mut self, last: bool) -> Result<(), PackageError> {
        let place = place(self.artifact, self.mark, self.index, last);
        let sealed = self.vault.seal(self.key, &place, &self.clear).await?;
        self.write(&sealed, last).await?;
        self.index += 1;
        self.clear.clear();
        breathe().await;
        Ok(())
    }

    async fn write(&mut self, sealed: &Sealed, last: bool) -> Result<(), PackageError> {
        let length = u32::try_from(sealed.bytes.len()).unwrap_or(LAST);
        if length as usize > LARGEST {
            return Err(damaged(
                self.artifact,
                "the vault made a frame far too long",
            ));
        }
        let mark = if last { LAST } else { 0 };
        let mut frame = Vec::with_capacity(HEADER + sealed.bytes.len());
        frame.extend_from_slice(&(length | mark).to_le_bytes());
        frame.extend_from_slice(&sealed.bytes);
        let written = self.out.write(&frame).await;
        written.map_err(PackageError::Artifacts)
    }
}

/// Opens the frames of an artifact one after the other.
pub(super) struct FrameReader<'a> {
    vault: &'a dyn Vault,
    key: &'a KeyId,
    artifact: &'a ArtifactKey,
    mark: Digest,
    stream: ByteStream,
    /// What has come and is not yet used up, from `used` on.
    held: Vec<u8>,
    used: usize,
    index: u64,
    ended: bool,
}

impl<'a> FrameReader<'a> {
    /// Opens an artifact that must carry this mark.
    pub(super) async fn open(
        artifacts: &dyn ArtifactStore,
        artifact: &'a ArtifactKey,
        vault: &'a dyn Vault,
        key: &'a KeyId,
        mark: Digest,
    ) -> Result<Self, PackageError> {
        let stream = artifacts.read(artifact).await;
        let mut reader = Self {
            vault,
            key,
            artifact,
            mark,
            stream: stream.map_err(PackageError::Artifacts)?,
            held: Vec::new(),
            used: 0,
            index: 0,
            ended: false,
        };
        let (first, last) = reader.take().await?;
        if last || Digest::of(&first.bytes) != mark {
            return Err(reader.damaged("it is another one than was reported"));
        }
        vault.open(&beginning(artifact), &first).await?;
        Ok(reader)
    }

    /// The clear bytes of the next frame: whole records. `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Personal<Vec<u8>>>, PackageError> {
        if self.ended {
            return match self.hold(1).await? {
                true => Err(self.damaged("there is something after its last frame")),
                false => Ok(None),
            };
        }
        let (sealed, last) = self.take().await?;
        let place = place(self.artifact, self.mark, self.index, last);
        let clear = self.vault.open(&place, &sealed).await?;
        self.index += 1;
        self.ended = last;
        Ok(Some(clear))
    }

    /// The next frame as it is sealed, and whether it says to be the last.
    async fn take(&mut self) -> Result<(Sealed, bool), PackageError> {
        if !self.hold(HEADER).await? {
            return Err(self.damaged("its last frame is missing"));
        }
        let mut header = [0; HEADER];
        header.copy_from_slice(&self.held[self.used..self.used + HEADER]);
        let header = u32::from_le_bytes(header);
        let length = (header & !LAST) as usize;
        if length > LARGEST {
            return Err(self.damaged("a frame is far too long"));
        }
        if !self.hold(HEADER + length).await? {
            return Err(self.damaged("a frame is cut off"));
        }
        let sealed = Sealed {
            key: self.key.clone(),
            bytes: self.held[self.used + HEADER..self.used + HEADER + length].to_vec(),
        };
        self.used += HEADER + length;
        Ok((sealed, header & LAST != 0))
    }

    /// Reads on until at least so many bytes are held; `false` when the artifact ends before.
    async fn hold(&mut self, bytes: usize) -> Result<bool, PackageError> {
        if self.held.len() - self.used >= bytes {
            return Ok(true);
        }
        self.held.drain(..self.used);
        self.used = 0;
        while self.held.len() < bytes {
            match self.stream.next().await {
                Some(piece) => self
                    .held
                    .extend_from_slice(&piece.map_err(PackageError::Artifacts)?),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn damaged(&self, problem: &'static str) -> PackageError {
        damaged(self.artifact, problem)
    }
}

/// A spool that is not what its report says.
pub(super) fn damaged(artifact: &ArtifactKey, problem: &'static str) -> PackageError {
    PackageError::Damaged {
        artifact: artifact.clone(),
        problem,
    }
}
