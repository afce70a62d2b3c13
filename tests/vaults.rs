//! Every vault through its suite, the suite through its mutants, and what only files can do wrong.
#![cfg(all(feature = "vault", feature = "testkit"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datarights::adapters::{FileVault, MasterKey, MemoryVault, Wrapping};
use datarights::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Personal, Sealed};
use datarights::ports::{Vault, VaultError};
use datarights::testkit::{VaultLine, vault_suite};

type Outcome = Result<(), Box<dyn Error>>;

fn master(byte: u8) -> MasterKey {
    MasterKey::from_bytes([byte; 32])
}

fn key(name: &str) -> KeyId {
    KeyId::try_from(format!("acme/{name}")).unwrap()
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The file that appears while something is done.
async fn file_made_by(directory: &Path, work: impl Future<Output = ()>) -> PathBuf {
    let before = files(directory);
    work.await;
    let mut new = files(directory);
    new.retain(|path| !before.contains(path));
    assert_eq!(new.len(), 1);
    new.remove(0)
}

#[tokio::test]
async fn memory_conforms() {
    let vault = MemoryVault::new();
    vault_suite::assert_conforms(async || vault.clone()).await;
}

#[tokio::test]
async fn files_conform_plain_wrapped_and_while_they_rotate() -> Outcome {
    for wrapping in [
        Wrapping::Plain,
        Wrapping::Under(master(1)),
        Wrapping::Rotating {
            new: master(2),
            old: Some(master(1)),
        },
    ] {
        let directory = tempfile::tempdir()?;
        vault_suite::assert_conforms(async || {
            FileVault::open(directory.path(), wrapping.clone()).unwrap()
        })
        .await;
    }
    Ok(())
}

/// What a mutant does wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Wrong {
    RemakesKeys,
    ForgetsShredding,
    ShredsInOneHandle,
    ReusesNonces,
    IgnoresThePlace,
    IgnoresTheKeyId,
    CutsValues,
    SealsUnknownKeys,
    OneDigestKey,
    DigestsAnewPerHandle,
    DigestsWithDataKeys,
    RefusesToShredTwice,
}

/// A vault that does one thing wrong.
#[derive(Clone)]
struct Mutant {
    inner: MemoryVault,
    wrong: Wrong,
    handle: u64,
    sealed: Arc<Mutex<HashMap<Vec<u8>, Sealed>>>,
    generations: Arc<Mutex<HashMap<KeyId, u64>>>,
}

impl Mutant {
    /// The key that is used instead of another.
    fn real(&self, id: &KeyId) -> KeyId {
        let generation = self.generations.lock().unwrap().get(id).copied();
        match (self.wrong, generation) {
            (Wrong::IgnoresTheKeyId, _) => key("one-for-all"),
            (_, Some(n)) => KeyId::try_from(format!("{}/{n}", id.as_str())).unwrap(),
            _ => id.clone(),
        }
    }

    /// As the mutant says it to the caller.
    fn told(id: &KeyId, error: VaultError) -> VaultError {
        match error {
            VaultError::Shredded(_) => VaultError::Shredded(id.clone()),
            VaultError::UnknownKey(_) => VaultError::UnknownKey(id.clone()),
            VaultError::Forged(_) => VaultError::Forged(id.clone()),
            other => other,
        }
    }

    fn place(&self, place: &str) -> String {
        match self.wrong {
            Wrong::IgnoresThePlace => String::new(),
            _ => place.to_owned(),
        }
    }
}

#[async_trait]
impl Vault for Mutant {
    async fn create_key(&self, id: &KeyId) -> Result<(), VaultError> {
        match self.wrong {
            Wrong::RemakesKeys => {
                *self
                    .generations
                    .lock()
                    .unwrap()
                    .entry(id.clone())
                    .or_default() += 1;
            }
            Wrong::ForgetsShredding if self.inner.create_key(id).await.is_err() => {
                *self
                    .generations
                    .lock()
                    .unwrap()
                    .entry(id.clone())
                    .or_default() += 1;
            }
            _ => {}
        }
        self.inner
            .create_key(&self.real(id))
            .await
            .map_err(|error| Self::told(id, error))
    }

    async fn seal(&self, id: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        if self.wrong == Wrong::SealsUnknownKeys {
            match self.inner.create_key(id).await {
                Ok(()) | Err(VaultError::Shredded(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let clear = match self.wrong {
            Wrong::CutsValues => &clear[..clear.len().min(1000)],
            _ => clear,
        };
        let mut sealed = self
            .inner
            .seal(&self.real(id), &self.place(place), clear)
            .await
            .map_err(|error| Self::told(id, error))?;
        sealed.key = id.clone();
        if self.wrong == Wrong::ReusesNonces {
            let known = [id.as_str().as_bytes(), place.as_bytes(), clear].join(&0);
            let mut all = self.sealed.lock().unwrap();
            return Ok(all.entry(known).or_insert(sealed).clone());
        }
        Ok(sealed)
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        let real = Sealed {
            key: self.real(&sealed.key),
            bytes: sealed.bytes.clone(),
        };
        self.inner
            .open(&self.place(place), &real)
            .await
            .map_err(|error| Self::told(&sealed.key, error))
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        let under = match self.wrong {
            Wrong::OneDigestKey => ControllerId::new("one-for-all").unwrap(),
            Wrong::DigestsAnewPerHandle => {
                ControllerId::new(format!("{controller}-{}", self.handle)).unwrap()
            }
            Wrong::DigestsWithDataKeys => {
                let id = KeyId::try_from("outlives/1".to_owned()).unwrap();
                let there = self.inner.seal(&id, "", b"").await.is_ok();
                ControllerId::new(format!("{controller}-{there}")).unwrap()
            }
            _ => controller.clone(),
        };
        self.inner.digest(&under, normal).await
    }

    async fn shred(&self, id: &KeyId) -> Result<(), VaultError> {
        if self.wrong == Wrong::RefusesToShredTwice {
            self.inner.seal(id, "", b"").await?;
        }
        self.inner.shred(&self.real(id)).await
    }
}

#[tokio::test]
async fn the_suite_finds_every_mutant() {
    for (wrong, line) in [
        (Wrong::RemakesKeys, VaultLine::CreatesOnce),
        (Wrong::ForgetsShredding, VaultLine::ShreddedForEver),
        (Wrong::ShredsInOneHandle, VaultLine::ShreddedForEver),
        (Wrong::ReusesNonces, VaultLine::FreshNonce),
        (Wrong::IgnoresThePlace, VaultLine::Forged),
        (Wrong::IgnoresTheKeyId, VaultLine::Forged),
        (Wrong::CutsValues, VaultLine::Opens),
        (Wrong::SealsUnknownKeys, VaultLine::Unknown),
        (Wrong::OneDigestKey, VaultLine::Digest),
        (Wrong::DigestsAnewPerHandle, VaultLine::Digest),
        (Wrong::DigestsWithDataKeys, VaultLine::DigestOutlives),
        (Wrong::RefusesToShredTwice, VaultLine::ShredsQuietly),
    ] {
        let first = Mutant {
            inner: MemoryVault::new(),
            wrong,
            handle: 0,
            sealed: Arc::default(),
            generations: Arc::default(),
        };
        let handles = Mutex::new(0);
        let violations = vault_suite::check(async || {
            let mut handle = handles.lock().unwrap();
            *handle += 1;
            Mutant {
                handle: *handle,
                // A handle that keeps its keys to itself forgets what others destroyed.
                inner: match wrong {
                    Wrong::ShredsInOneHandle => MemoryVault::predictable(7),
                    _ => first.inner.clone(),
                },
                ..first.clone()
            }
        })
        .await
        .expect_err("a mutant passed");
        assert!(violations.has(line), "{wrong:?} gave {violations}");
    }
}

#[tokio::test]
async fn a_wrong_master_key_is_told_when_the_vault_is_opened() -> Outcome {
    let directory = tempfile::tempdir()?;
    FileVault::open(directory.path(), Wrapping::Under(master(1)))?;
    for wrong in [Wrapping::Under(master(2)), Wrapping::Plain] {
        let told = FileVault::open(directory.path(), wrong).err();
        let code = "stored_otherwise".to_owned();
        assert_eq!(
            told,
            Some(VaultError::Backend {
                code,
                temporary: false
            })
        );
    }
    Ok(())
}

#[tokio::test]
async fn master_keys_are_changed_and_the_old_one_is_worth_nothing_then() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path();
    let steps = [
        (Wrapping::Plain, None),
        (
            Wrapping::Rotating {
                new: master(1),
                old: None,
            },
            Some(Wrapping::Under(master(1))),
        ),
        (
            Wrapping::Rotating {
                new: master(2),
                old: Some(master(1)),
            },
            Some(Wrapping::Under(master(2))),
        ),
    ];
    let vault = FileVault::open(path, Wrapping::Plain)?;
    vault.create_key(&key("kept")).await?;
    vault.create_key(&key("shredded")).await?;
    let sealed = vault.seal(&key("kept"), "a", b"Dear Ada").await?;
    vault.shred(&key("shredded")).await?;
    for (rotating, after) in steps {
        let vault = FileVault::open(path, rotating.clone())?;
        assert_eq!(vault.open("a", &sealed).await?.expose(), b"Dear Ada");
        let written = vault.rewrap()?;
        assert_eq!(written, if after.is_some() { 2 } else { 0 });
        assert_eq!(vault.rewrap()?, 0);
        let vault = FileVault::open(path, after.clone().unwrap_or(Wrapping::Plain))?;
        assert_eq!(vault.open("a", &sealed).await?.expose(), b"Dear Ada");
        let gone = vault.create_key(&key("shredded")).await;
        assert_eq!(gone, Err(VaultError::Shredded(key("shredded"))));
    }
    assert!(FileVault::open(path, Wrapping::Under(master(1))).is_err());
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_destroyed_key_is_left_in_the_directory() -> Outcome {
    let directory = tempfile::tempdir()?;
    let vault = FileVault::open(directory.path(), Wrapping::Plain)?;
    let file = file_made_by(directory.path(), async {
        vault.create_key(&key("gone")).await.unwrap();
    })
    .await;
    let secret = fs::read(&file)?[9..41].to_vec();
    // A second name keeps the same place on the disk visible after the file is replaced.
    let second_name = directory.path().join("second-name");
    fs::hard_link(&file, &second_name)?;
    vault.shred(&key("gone")).await?;
    for file in files(directory.path()) {
        let bytes = fs::read(&file)?;
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{} still holds the key", file.display());
    }
    assert_ne!(fs::read(&second_name)?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_damaged_key_is_told_and_can_still_be_shredded() -> Outcome {
    let directory = tempfile::tempdir()?;
    let vault = FileVault::open(directory.path(), Wrapping::Under(master(1)))?;
    let id = key("damaged");
    let file = file_made_by(directory.path(), async {
        vault.create_key(&id).await.unwrap();
    })
    .await;
    let whole = fs::read(&file)?;
    for at in [0, 8, 9, 60, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes)?;
        let told = vault.seal(&id, "a", b"x").await.err();
        assert_eq!(told, Some(VaultError::Damaged("acme/damaged".to_owned())));
        assert!(vault.create_key(&id).await.is_err(), "it was made anew");
    }
    fs::write(&file, [])?;
    assert!(vault.rewrap().is_err());
    vault.shred(&id).await?;
    let told = vault.seal(&id, "a", b"x").await.err();
    assert_eq!(told, Some(VaultError::Shredded(id)));
    Ok(())
}

#[tokio::test]
async fn a_key_file_cannot_be_moved_to_another_name() -> Outcome {
    let directory = tempfile::tempdir()?;
    let vault = FileVault::open(directory.path(), Wrapping::Under(master(1)))?;
    let one = file_made_by(directory.path(), async {
        vault.create_key(&key("one")).await.unwrap();
    })
    .await;
    let other = file_made_by(directory.path(), async {
        vault.create_key(&key("other")).await.unwrap();
    })
    .await;
    fs::copy(one, other)?;
    assert!(vault.seal(&key("other"), "a", b"x").await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_a_dead_process_left_is_wiped_when_the_vault_is_opened() -> Outcome {
    let directory = tempfile::tempdir()?;
    drop(FileVault::open(directory.path(), Wrapping::Plain)?);
    let left = directory.path().join("keys/unfinished");
    fs::write(&left, b"half a key")?;
    let second_name = directory.path().join("second-name");
    fs::hard_link(&left, &second_name)?;
    FileVault::open(directory.path(), Wrapping::Plain)?;
    assert!(!left.exists());
    assert_eq!(fs::read(second_name)?, [0; 10]);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("vault");
    let vault = FileVault::open(&path, Wrapping::Plain)?;
    vault.create_key(&key("one")).await?;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in files(&path) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
    Ok(())
}

#[tokio::test]
async fn a_directory_that_cannot_be_one_is_told_by_a_code() -> Outcome {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("a-file");
    fs::write(&file, "")?;
    let told = FileVault::open(file.join("vault"), Wrapping::Plain).err();
    let Some(VaultError::Backend { code, .. }) = told else {
        return Err("not told".into());
    };
    assert_eq!(code, "not_a_directory");
    Ok(())
}

#[test]
fn nothing_secret_is_printed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let wrapping = Wrapping::Rotating {
        new: master(77),
        old: Some(master(77)),
    };
    let vault = FileVault::open(directory.path(), wrapping.clone())?;
    let printed = format!("{vault:?} {wrapping:?} {:?}", MemoryVault::new());
    assert!(!printed.contains("77"), "{printed}");
    Ok(())
}

const RACERS: usize = 4;
const RACES: usize = 25;

/// One of the processes of the race below; alone, it does nothing.
#[tokio::test]
async fn racer() -> Outcome {
    let Ok(path) = std::env::var("DATARIGHTS_RACE") else {
        return Ok(());
    };
    let vault = FileVault::open(&path, Wrapping::Under(master(1)))?;
    let mut all = Vec::new();
    for race in 0..RACES {
        let id = key(&race.to_string());
        vault.create_key(&id).await?;
        all.push(vault.seal(&id, "a", b"raced").await?);
    }
    let result = Path::new(&path).join(format!("racer-{}", std::process::id()));
    fs::write(result, serde_json::to_vec(&all)?)?;
    Ok(())
}

#[tokio::test]
async fn processes_that_race_for_a_key_get_one_key() -> Outcome {
    let directory = tempfile::tempdir()?;
    let racers: Vec<_> = (0..RACERS)
        .map(|_| {
            Command::new(std::env::current_exe()?)
                .args(["--exact", "racer"])
                .env("DATARIGHTS_RACE", directory.path())
                .stdout(std::process::Stdio::null())
                .spawn()
        })
        .collect::<Result<_, _>>()?;
    for mut racer in racers {
        assert!(racer.wait()?.success());
    }
    let vault = FileVault::open(directory.path(), Wrapping::Under(master(1)))?;
    let mut results = files(directory.path());
    results.retain(|file| file.to_string_lossy().contains("racer-"));
    assert_eq!(results.len(), RACERS);
    for result in results {
        let all: Vec<Sealed> = serde_json::from_slice(&fs::read(result)?)?;
        assert_eq!(all.len(), RACES);
        for sealed in all {
            assert_eq!(vault.open("a", &sealed).await?.expose(), b"raced");
        }
    }
    Ok(())
}
