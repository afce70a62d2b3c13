//! A stream of sealed frames in an artifact.
//!
//! Each frame is `length: u32 LE` (its highest bit set on the last one), then what the vault made
//! of the clear bytes. The place a frame is sealed to names the artifact, the frame's number and
//! whether it is the last, so that a frame that is moved, left out, exchanged with another
//! artifact's, or missing at the end does not open. The artifact as a whole is held by its digest,
//! which stands in the spool's report: an older artifact of the same name is refused too.

use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};

use crate::model::{Digest, KeyId, Personal, Sealed};
use crate::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, Vault};

use super::{PackageError, breathe};

/// How many clear bytes make a frame full.
pub(super) const FRAME: usize = 256 * 1024;
/// What a reader accepts as the length of a sealed frame: a full frame, plus the largest row, plus
/// what the vault adds.
const LARGEST: usize = FRAME + super::spool::LARGEST_ROW + 64 * 1024;
const LAST: u32 = 1 << 31;
const HEADER: usize = 4;

/// Where a frame belongs. The version is that of the frames and of the records in them.
fn place(artifact: &ArtifactKey, index: u64, last: bool) -> String {
    let end = if last { "/last" } else { "" };
    format!("spool/1/{artifact}/{index}{end}")
}

/// Collects records and writes them out in sealed frames.
pub(super) struct FrameWriter<'a> {
    vault: &'a dyn Vault,
    key: &'a KeyId,
    artifact: &'a ArtifactKey,
    out: Box<dyn ArtifactWriter>,
    index: u64,
    clear: Vec<u8>,
    sum: Sha256,
}

impl<'a> FrameWriter<'a> {
    pub(super) async fn create(
        artifacts: &dyn ArtifactStore,
        artifact: &'a ArtifactKey,
        vault: &'a dyn Vault,
        key: &'a KeyId,
    ) -> Result<Self, PackageError> {
        let out = artifacts.writer(artifact).await;
        Ok(Self {
            vault,
            key,
            artifact,
            out: out.map_err(PackageError::Artifacts)?,
            index: 0,
            clear: Vec::with_capacity(FRAME),
            sum: Sha256::new(),
        })
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

    /// Seals what is left as the last frame, makes the artifact visible and gives its digest.
    pub(super) async fn finish(mut self) -> Result<Digest, PackageError> {
        self.seal(true).await?;
        let finished = self.out.finish().await;
        finished.map_err(PackageError::Artifacts)?;
        Ok(Digest::from_bytes(self.sum.finalize().into()))
    }

    async fn seal(&mut self, last: bool) -> Result<(), PackageError> {
        let place = place(self.artifact, self.index, last);
        let sealed = self.vault.seal(self.key, &place, &self.clear).await?;
        let mut frame = Vec::with_capacity(HEADER + sealed.bytes.len());
        let length = u32::try_from(sealed.bytes.len()).unwrap_or(LAST);
        if length as usize > LARGEST {
            return Err(damaged(
                self.artifact,
                "the vault made a frame far too long",
            ));
        }
        let mark = if last { LAST } else { 0 };
        frame.extend_from_slice(&(length | mark).to_le_bytes());
        frame.extend_from_slice(&sealed.bytes);
        self.sum.update(&frame);
        let written = self.out.write(&frame).await;
        written.map_err(PackageError::Artifacts)?;
        self.index += 1;
        self.clear.clear();
        breathe().await;
        Ok(())
    }
}

/// Opens the frames of an artifact one after the other.
pub(super) struct FrameReader<'a> {
    vault: &'a dyn Vault,
    key: &'a KeyId,
    artifact: &'a ArtifactKey,
    expected: Digest,
    stream: ByteStream,
    /// What has come and is not yet used up, from `used` on.
    held: Vec<u8>,
    used: usize,
    index: u64,
    sum: Sha256,
    ended: bool,
}

impl<'a> FrameReader<'a> {
    pub(super) async fn open(
        artifacts: &dyn ArtifactStore,
        artifact: &'a ArtifactKey,
        vault: &'a dyn Vault,
        key: &'a KeyId,
        expected: Digest,
    ) -> Result<Self, PackageError> {
        let stream = artifacts.read(artifact).await;
        Ok(Self {
            vault,
            key,
            artifact,
            expected,
            stream: stream.map_err(PackageError::Artifacts)?,
            held: Vec::new(),
            used: 0,
            index: 0,
            sum: Sha256::new(),
            ended: false,
        })
    }

    /// The clear bytes of the next frame: whole records. `None` after the last one, once the
    /// artifact as a whole is what its digest says.
    pub(super) async fn next(&mut self) -> Result<Option<Personal<Vec<u8>>>, PackageError> {
        if self.ended {
            if self.hold(1).await? {
                return Err(self.damaged("there is something after its last frame"));
            }
            let sum = Digest::from_bytes(self.sum.finalize_reset().into());
            if sum != self.expected {
                return Err(self.damaged("it is another one than was reported"));
            }
            return Ok(None);
        }
        if !self.hold(HEADER).await? {
            return Err(self.damaged("its last frame is missing"));
        }
        let mut header = [0; HEADER];
        header.copy_from_slice(&self.held[self.used..self.used + HEADER]);
        let header = u32::from_le_bytes(header);
        let last = header & LAST != 0;
        let length = (header & !LAST) as usize;
        if length > LARGEST {
            return Err(self.damaged("a frame is far too long"));
        }
        if !self.hold(HEADER + length).await? {
            return Err(self.damaged("a frame is cut off"));
        }
        let frame = &self.held[self.used..self.used + HEADER + length];
        self.sum.update(frame);
        let sealed = Sealed {
            key: self.key.clone(),
            bytes: frame[HEADER..].to_vec(),
        };
        let place = place(self.artifact, self.index, last);
        let clear = self.vault.open(&place, &sealed).await?;
        self.used += HEADER + length;
        self.index += 1;
        self.ended = last;
        Ok(Some(clear))
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
