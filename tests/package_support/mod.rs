//! What the package's tests and its bench stand on: a vault and artifact stores that are as small
//! as can be, and a way to run a future without a runtime.
#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its part; a failing test panics

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use datarights::model::{
    ControllerId, Digest, KeyId, KeyedDigest, NormalForm, Personal, RequestId, Right, Sealed,
    SourceId,
};
use datarights::package::{Cover, Spool};
use datarights::ports::{
    ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, Item, PortError, Reading, Vault,
    VaultError,
};
use futures::StreamExt as _;

/// Runs a future to its end without any runtime: the package needs none.
pub(crate) fn run<T>(work: impl Future<Output = T> + Send) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}

pub(crate) fn controller() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

pub(crate) fn request() -> RequestId {
    "0190f5a0-0000-7000-8000-000000000001".parse().unwrap()
}

pub(crate) fn spool_of(source: &str, title: &str) -> Spool {
    Spool::new(
        &controller(),
        request(),
        SourceId::new(source).unwrap(),
        title,
        1,
    )
}

pub(crate) fn target() -> ArtifactKey {
    ArtifactKey::new(&controller(), request(), "package.zip")
}

pub(crate) fn cover() -> Cover {
    let now = "2026-11-22T09:30:00Z".parse().unwrap();
    Cover::new(
        "Your data",
        "Acme Help Desk",
        request(),
        Right::Access,
        now,
        "en",
    )
}

pub(crate) fn reading(items: Vec<Item>) -> Reading {
    futures::stream::iter(items.into_iter().map(Ok)).boxed()
}

pub(crate) fn bytes(pieces: Vec<Vec<u8>>) -> ByteStream {
    futures::stream::iter(pieces.into_iter().map(Ok)).boxed()
}

/// Artifacts in memory, open to tampering. Fails at the write that is asked for.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) all: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub(crate) writes_left: Arc<Mutex<Option<usize>>>,
}

impl Memory {
    pub(crate) fn get(&self, key: &ArtifactKey) -> Option<Vec<u8>> {
        self.all.lock().unwrap().get(key.as_str()).cloned()
    }

    pub(crate) fn put(&self, key: &ArtifactKey, bytes: Vec<u8>) {
        self.all
            .lock()
            .unwrap()
            .insert(key.as_str().to_owned(), bytes);
    }
}

struct MemoryWriter {
    store: Memory,
    key: String,
    bytes: Vec<u8>,
}

#[async_trait]
impl ArtifactWriter for MemoryWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        if let Some(left) = self.store.writes_left.lock().unwrap().as_mut() {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| PortError::unavailable("disk_full"))?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        self.store.all.lock().unwrap().insert(self.key, self.bytes);
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for Memory {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        Ok(Box::new(MemoryWriter {
            store: self.clone(),
            key: key.as_str().to_owned(),
            bytes: Vec::new(),
        }))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let all = self
            .get(key)
            .ok_or_else(|| PortError::refused("no_such_artifact"))?;
        // uneven pieces, so that no frame ends where a piece does
        Ok(bytes(all.chunks(40_009).map(<[u8]>::to_vec).collect()))
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        self.all.lock().unwrap().remove(key.as_str());
        Ok(())
    }

    async fn delete_all(&self, _: &ControllerId, _: RequestId) -> Result<(), PortError> {
        self.all.lock().unwrap().clear();
        Ok(())
    }
}

/// Artifacts in a folder, read and written a little at a time.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn path(&self, key: &ArtifactKey) -> PathBuf {
        self.0.join(key.as_str().replace('/', "_"))
    }
}

struct FolderWriter(std::fs::File);

#[async_trait]
impl ArtifactWriter for FolderWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0
            .write_all(bytes)
            .map_err(|_| PortError::unavailable("io"))
    }

    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for Folder {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let file =
            std::fs::File::create(self.path(key)).map_err(|_| PortError::unavailable("io"))?;
        Ok(Box::new(FolderWriter(file)))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let file = std::fs::File::open(self.path(key)).map_err(|_| PortError::unavailable("io"))?;
        let pieces = futures::stream::unfold(file, |mut file| async move {
            let mut piece = vec![0; 64 * 1024];
            let read = file.read(&mut piece).ok()?;
            piece.truncate(read);
            (read > 0).then_some((Ok(piece), file))
        });
        Ok(pieces.boxed())
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        let _ = std::fs::remove_file(self.path(key));
        Ok(())
    }

    async fn delete_all(&self, _: &ControllerId, _: RequestId) -> Result<(), PortError> {
        Err(PortError::refused("not_needed_here"))
    }
}

/// Seals by turning bits over and keeping a checksum of a number used once, key, place and content:
/// nothing stands in clear and every forgery is noticed, which is what the tests need.
#[derive(Clone, Default)]
pub(crate) struct Toy {
    pub(crate) shredded: Arc<Mutex<bool>>,
}

fn checksum(key: &KeyId, place: &str, clear: &[u8]) -> Digest {
    Digest::of(
        &[
            key.as_str().as_bytes(),
            b"\0",
            place.as_bytes(),
            b"\0",
            clear,
        ]
        .concat(),
    )
}

#[async_trait]
impl Vault for Toy {
    async fn create_key(&self, _key: &KeyId) -> Result<(), VaultError> {
        Ok(())
    }

    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let dark = [&nonce[..], clear].concat();
        let mut bytes = checksum(key, place, &dark).as_bytes().to_vec();
        bytes.extend(dark.iter().map(|byte| !byte));
        Ok(Sealed {
            key: key.clone(),
            bytes,
        })
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        if *self.shredded.lock().unwrap() {
            return Err(VaultError::Shredded(sealed.key.clone()));
        }
        let forged = || VaultError::Forged(sealed.key.clone());
        let (sum, dark) = sealed.bytes.split_at_checked(32).ok_or_else(forged)?;
        let mut clear: Vec<u8> = dark.iter().map(|byte| !byte).collect();
        if sum != checksum(&sealed.key, place, &clear).as_bytes() {
            return Err(forged());
        }
        clear.drain(..8);
        Ok(Personal::new(clear))
    }

    async fn digest(&self, _: &ControllerId, _: &NormalForm) -> Result<KeyedDigest, VaultError> {
        Ok(KeyedDigest::default())
    }

    async fn shred(&self, _key: &KeyId) -> Result<(), VaultError> {
        *self.shredded.lock().unwrap() = true;
        Ok(())
    }
}
