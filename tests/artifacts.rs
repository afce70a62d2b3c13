//! Every artifact store through its suite, the suite through its mutants, and what only files can
//! do wrong.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::error::Error;
use std::fs;

use async_trait::async_trait;
use datarights::adapters::{DirArtifacts, MemoryArtifacts};
use datarights::model::{ControllerId, RequestId};
use datarights::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, PortError};
use datarights::testkit::{ArtifactLine, artifact_suite};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

type Outcome = Result<(), Box<dyn Error>>;

fn key(name: &str) -> ArtifactKey {
    let request = RequestId::new(Uuid::from_u128(1));
    ArtifactKey::new(&ControllerId::new("acme").unwrap(), request, name)
}

#[tokio::test]
async fn memory_conforms() {
    let store = MemoryArtifacts::new();
    artifact_suite::assert_conforms(async || store.clone()).await;
}

#[tokio::test]
async fn directories_conform() -> Outcome {
    let directory = tempfile::tempdir()?;
    artifact_suite::assert_conforms(async || DirArtifacts::new(directory.path())).await;
    Ok(())
}

/// What a mutant does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    ShowsUnfinished,
    HidesTheOldWhileWriting,
    KeepsTheFirst,
    EmptyForAbsent,
    AnotherCode,
    KeepsDeleted,
    DeletesTheRequest,
    MissesAbsentOnDelete,
    DeletesAllButOne,
    DeletesTheController,
    LosesTheLastPiece,
    IgnoresTheController,
    IgnoresTheName,
}

/// A store that does one thing wrong.
#[derive(Clone)]
struct Mutant(MemoryArtifacts, Wrong);

struct MutantWriter {
    mutant: Mutant,
    key: ArtifactKey,
    pieces: Vec<Vec<u8>>,
}

impl Mutant {
    fn key(&self, key: &ArtifactKey) -> ArtifactKey {
        let mut parts = key.as_str().split('/');
        let mut next = || parts.next().unwrap();
        let (controller, request, name) = (next(), next(), next());
        let one = ControllerId::new("one-for-all").unwrap();
        let request: RequestId = request.parse().unwrap();
        match self.1 {
            Wrong::IgnoresTheController => ArtifactKey::new(&one, request, name),
            Wrong::IgnoresTheName => {
                ArtifactKey::new(&ControllerId::new(controller).unwrap(), request, "one")
            }
            _ => key.clone(),
        }
    }

    async fn write(&self, key: &ArtifactKey, bytes: &[u8]) -> Result<(), PortError> {
        let mut writer = self.0.writer(key).await?;
        writer.write(bytes).await?;
        writer.finish().await
    }
}

#[async_trait]
impl ArtifactWriter for MutantWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.pieces.push(bytes.to_vec());
        if self.mutant.1 == Wrong::ShowsUnfinished {
            let all = self.pieces.concat();
            self.mutant.write(&self.key, &all).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), PortError> {
        match self.mutant.1 {
            Wrong::LosesTheLastPiece if self.pieces.len() > 1 => {
                self.pieces.pop();
            }
            Wrong::KeepsTheFirst if self.mutant.0.bytes(&self.key).is_some() => return Ok(()),
            _ => {}
        }
        self.mutant.write(&self.key, &self.pieces.concat()).await
    }
}

#[async_trait]
impl ArtifactStore for Mutant {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let key = self.key(key);
        if self.1 == Wrong::HidesTheOldWhileWriting {
            self.0.delete(&key).await?;
        }
        Ok(Box::new(MutantWriter {
            mutant: self.clone(),
            key,
            pieces: Vec::new(),
        }))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        match (self.0.read(&self.key(key)).await, self.1) {
            (Err(_), Wrong::EmptyForAbsent) => Ok(futures::stream::empty().boxed()),
            (Err(_), Wrong::AnotherCode) => Err(PortError::unavailable("not_found")),
            (other, _) => other,
        }
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        match self.1 {
            Wrong::KeepsDeleted => return Ok(()),
            Wrong::MissesAbsentOnDelete => {
                drop(self.0.read(key).await?);
            }
            Wrong::DeletesTheRequest => {
                let (request, _) = key.as_str().rsplit_once('/').unwrap();
                for other in self.0.keys() {
                    if other.as_str().starts_with(request) {
                        self.0.delete(&other).await?;
                    }
                }
            }
            _ => {}
        }
        self.0.delete(&self.key(key)).await
    }

    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        let prefix = match self.1 {
            Wrong::DeletesTheController => format!("{controller}/"),
            _ => ArtifactKey::prefix(controller, request),
        };
        let kept = usize::from(self.1 == Wrong::DeletesAllButOne);
        let mut all = self.0.keys();
        all.retain(|key| key.as_str().starts_with(&prefix));
        for key in all.iter().skip(kept) {
            self.0.delete(key).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_suite_finds_every_mutant() {
    for (wrong, line) in [
        (Wrong::ShowsUnfinished, ArtifactLine::Whole),
        (Wrong::HidesTheOldWhileWriting, ArtifactLine::Whole),
        (Wrong::KeepsTheFirst, ArtifactLine::Replaces),
        (Wrong::EmptyForAbsent, ArtifactLine::Absent),
        (Wrong::AnotherCode, ArtifactLine::Absent),
        (Wrong::KeepsDeleted, ArtifactLine::Deletes),
        (Wrong::DeletesTheRequest, ArtifactLine::Deletes),
        (Wrong::MissesAbsentOnDelete, ArtifactLine::Deletes),
        (Wrong::DeletesAllButOne, ArtifactLine::DeletesAll),
        (Wrong::DeletesTheController, ArtifactLine::DeletesAll),
        (Wrong::LosesTheLastPiece, ArtifactLine::Content),
        (Wrong::IgnoresTheController, ArtifactLine::Apart),
        (Wrong::IgnoresTheName, ArtifactLine::Apart),
    ] {
        let mutant = Mutant(MemoryArtifacts::new(), wrong);
        let violations = artifact_suite::check(async || mutant.clone())
            .await
            .expect_err("a mutant passed");
        assert!(violations.has(line), "{wrong:?} gave {violations}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_dropped_writer_or_a_deleted_artifact() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = DirArtifacts::new(directory.path());
    let mut writer = store.writer(&key("a")).await?;
    writer.write(b"half").await?;
    drop(writer);
    let folder = store.path(&key("a"));
    let folder = folder.parent().ok_or("no folder")?;
    assert_eq!(fs::read_dir(folder)?.count(), 0);
    store.writer(&key("a")).await?.finish().await?;
    store.delete(&key("a")).await?;
    assert_eq!(fs::read_dir(directory.path())?.count(), 0);
    Ok(())
}

#[tokio::test]
async fn sweeping_takes_what_the_dead_left_and_nothing_else() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = DirArtifacts::new(directory.path());
    assert_eq!(DirArtifacts::new(directory.path().join("none")).sweep()?, 0);
    store.writer(&key("whole")).await?.finish().await?;
    let mut living = store.writer(&key("living")).await?;
    living.write(b"still here").await?;
    let dead = store.path(&key("whole")).with_file_name(".1-1.unfinished");
    fs::write(&dead, b"half")?;
    assert_eq!(store.sweep()?, 1);
    assert!(!dead.exists());
    living.finish().await?;
    let read: Vec<u8> = store.read(&key("living")).await?.try_concat().await?;
    assert_eq!(read, b"still here");
    assert!(store.path(&key("whole")).exists());
    Ok(())
}

#[tokio::test]
async fn names_cannot_leave_the_directory() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = DirArtifacts::new(directory.path().join("inside"));
    for name in [
        "../../../escaped",
        "..",
        "/etc/escaped",
        "a\\..\\b",
        "\0",
        "",
    ] {
        store.writer(&key(name)).await?.finish().await?;
        assert!(store.path(&key(name)).is_file(), "{name:?}");
    }
    let outside: Vec<_> = fs::read_dir(directory.path())?.collect::<Result<_, _>>()?;
    assert_eq!(outside.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_the_file_system_refuses_is_a_code_without_a_path() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = DirArtifacts::new(directory.path());
    let Err(error) = store.writer(&key(&"x".repeat(300))).await?.finish().await else {
        return Err("a name of 300 bytes was taken".into());
    };
    assert_eq!(error, PortError::refused("name_too_long"));
    fs::write(directory.path().join("a-file"), "")?;
    let Err(error) = DirArtifacts::new(directory.path().join("a-file"))
        .writer(&key("a"))
        .await
    else {
        return Err("a file was taken for a directory".into());
    };
    assert_eq!(error, PortError::refused("not_a_directory"));
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir()?;
    let store = DirArtifacts::new(directory.path().join("packages"));
    store.writer(&key("a")).await?.finish().await?;
    let path = store.path(&key("a"));
    let modes: Vec<u32> = path
        .ancestors()
        .take(4)
        .map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600, 0o700, 0o700, 0o700]);
    Ok(())
}
