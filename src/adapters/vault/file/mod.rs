//! A vault in a directory: one file per key.

mod folder;
mod record;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use self::folder::{Folder, Place};
use self::record::{Record, Unreadable};
use super::cipher::{self, KEY, NONCE, Secret, backend};
use super::master::Wrapping;
use crate::adapters::io_code::io_code;
use crate::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Personal, Sealed};
use crate::ports::{Vault, VaultError};

/// Keys in a directory, readable by its owner only (`0700`, `0600` on Unix). Many handles and
/// processes may share it. Clones are handles.
///
/// A key is written to a file of its own, made durable and then moved to its name. Reading and
/// writing block for the time of a small file; nothing is kept in memory between calls, so that
/// a key destroyed by another process is destroyed here too.
///
/// # What destroying a key can promise
/// `shred` overwrites the key's file in place, makes that durable, and leaves a mark there for
/// ever. On a disk that overwrites in place, the key is gone. On flash, on file systems that copy
/// on write, in snapshots and in backups of this directory, old bytes may survive. Two things
/// help, best together: keep this directory out of backups and snapshots, and wrap the keys under
/// a [`MasterKey`](super::MasterKey) that lies elsewhere and is changed from time to time
/// ([`FileVault::rewrap`]). Old bytes are then useless once the old master key is destroyed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// use datarights::adapters::{FileVault, MasterKey, Wrapping};
/// use datarights::model::KeyId;
/// use datarights::ports::Vault;
///
/// # let from_the_secret_manager = [7; 32];
/// let wrapping = Wrapping::Under(MasterKey::from_bytes(from_the_secret_manager));
/// let key = KeyId::try_from("acme/1".to_owned())?;
/// let vault = FileVault::open(path, wrapping.clone())?;
/// vault.create_key(&key).await?;
/// let sealed = vault.seal(&key, "letter/0", b"Dear Ada").await?;
/// drop(vault);
/// let again = FileVault::open(path, wrapping)?;
/// assert_eq!(again.open("letter/0", &sealed).await?.expose(), b"Dear Ada");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FileVault {
    folder: Arc<Folder>,
    wrapping: Wrapping,
}

/// What lies at a place.
enum Found {
    Record(Record),
    Nothing,
    /// Something that nobody wrote, or that is just being overwritten.
    Damaged,
}

impl FileVault {
    /// Opens a vault, or begins one, below a directory.
    ///
    /// # Errors
    /// [`VaultError::Backend`] with the code `stored_otherwise` when the directory holds keys
    /// that `wrapping` does not open, and with the file system's when it cannot be used;
    /// [`VaultError::Damaged`] when it is no longer what a vault wrote.
    pub fn open(path: impl AsRef<Path>, wrapping: Wrapping) -> Result<Self, VaultError> {
        let vault = Self {
            folder: Arc::new(Folder::open(path.as_ref()).map_err(io)?),
            wrapping,
        };
        // A key of no use, but that it must open: a wrong master key is told now, not later.
        vault.find_or_make(&Place::of("check"), "check of the master key")?;
        Ok(vault)
    }

    /// Writes anew every key that is not stored as `wrapping` says, and says how many. Each is
    /// done by itself: where it stops, it can be called again. Blocks for some file operations
    /// per key.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] and [`VaultError::Backend`], as for single keys.
    pub fn rewrap(&self) -> Result<u64, VaultError> {
        let mut written = 0;
        for place in self.folder.places().map_err(io)? {
            let writing = self.folder.write().map_err(io)?;
            match self.look(&place)? {
                Found::Record(Record::Key {
                    key,
                    current: false,
                }) => {
                    let bytes = record::of_key(&key, &place, &self.wrapping)?;
                    writing.put(&place, &bytes).map_err(io)?;
                    written += 1;
                }
                Found::Record(_) | Found::Nothing => {}
                Found::Damaged => return Err(VaultError::Damaged("key store".to_owned())),
            }
        }
        Ok(written)
    }

    fn look(&self, place: &Place) -> Result<Found, VaultError> {
        let Some(bytes) = self.folder.read(place).map_err(io)? else {
            return Ok(Found::Nothing);
        };
        let bytes = Zeroizing::new(bytes);
        match record::read(&bytes, place, &self.wrapping) {
            Ok(record) => Ok(Found::Record(record)),
            Err(Unreadable::Damaged) => Ok(Found::Damaged),
            Err(Unreadable::Otherwise) => Err(backend("stored_otherwise", false)),
        }
    }

    /// What lies at a place, or `None`; `what` names it in an error.
    fn find(&self, place: &Place, what: &str) -> Result<Option<Record>, VaultError> {
        let mut found = self.look(place)?;
        if matches!(found, Found::Damaged) {
            // Perhaps it was just being overwritten: look again when nobody writes.
            let _writing = self.folder.write().map_err(io)?;
            found = self.look(place)?;
        }
        match found {
            Found::Record(record) => Ok(Some(record)),
            Found::Nothing => Ok(None),
            Found::Damaged => Err(VaultError::Damaged(what.to_owned())),
        }
    }

    /// The same, with a fresh key where nothing lay.
    fn find_or_make(&self, place: &Place, what: &str) -> Result<Record, VaultError> {
        if let Some(record) = self.find(place, what)? {
            return Ok(record);
        }
        let writing = self.folder.write().map_err(io)?;
        match self.look(place)? {
            Found::Record(record) => return Ok(record), // somebody was faster
            Found::Nothing => {}
            Found::Damaged => return Err(VaultError::Damaged(what.to_owned())),
        }
        let mut bytes = Zeroizing::new([0; KEY]);
        cipher::fill(&mut *bytes)?;
        let key = Secret::new(*bytes);
        let file = record::of_key(&key, place, &self.wrapping)?;
        writing.put(place, &file).map_err(io)?;
        Ok(Record::Key { key, current: true })
    }

    fn data_key(&self, id: &KeyId) -> Result<Secret, VaultError> {
        match self.find(&data_place(id), id.as_str())? {
            Some(Record::Key { key, .. }) => Ok(key),
            Some(Record::Destroyed) => Err(VaultError::Shredded(id.clone())),
            None => Err(VaultError::UnknownKey(id.clone())),
        }
    }
}

fn data_place(id: &KeyId) -> Place {
    Place::of(&format!("data/{}", id.as_str()))
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn io(error: std::io::Error) -> VaultError {
    let (code, temporary) = io_code(&error);
    backend(code, temporary)
}

impl fmt::Debug for FileVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileVault(..)")
    }
}

#[async_trait]
impl Vault for FileVault {
    async fn create_key(&self, id: &KeyId) -> Result<(), VaultError> {
        match self.find_or_make(&data_place(id), id.as_str())? {
            Record::Key { .. } => Ok(()),
            Record::Destroyed => Err(VaultError::Shredded(id.clone())),
        }
    }

    async fn seal(&self, id: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        let key = self.data_key(id)?;
        let mut nonce = [0; NONCE];
        cipher::fill(&mut nonce)?;
        cipher::seal(&key, &nonce, id, place, clear)
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        cipher::open(&self.data_key(&sealed.key)?, place, sealed)
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        let what = format!("digest key of {controller}");
        let place = Place::of(&format!("digest/{controller}"));
        match self.find_or_make(&place, &what)? {
            Record::Key { key, .. } => cipher::digest(&key, normal),
            Record::Destroyed => Err(VaultError::Damaged(what)),
        }
    }

    async fn shred(&self, id: &KeyId) -> Result<(), VaultError> {
        let writing = self.folder.write().map_err(io)?;
        writing
            .overwrite(&data_place(id), &record::of_destroyed())
            .map_err(io)
    }
}
