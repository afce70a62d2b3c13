//! A vault that forgets everything with the process: for tests and trials.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::cipher::{self, NONCE, Secret};
use crate::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Personal, Sealed};
use crate::ports::{Vault, VaultError};

/// Keys in memory. Clones share them. When the last clone is dropped, all that it sealed is lost.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use datarights::adapters::MemoryVault;
/// use datarights::model::KeyId;
/// use datarights::ports::{Vault, VaultError};
///
/// let (vault, key) = (MemoryVault::new(), KeyId::try_from("acme/1".to_owned())?);
/// vault.create_key(&key).await?;
/// let sealed = vault.seal(&key, "letter/0", b"Dear Ada").await?;
/// vault.shred(&key).await?;
/// assert_eq!(vault.open("letter/0", &sealed).await, Err(VaultError::Shredded(key)));
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct MemoryVault(Arc<Mutex<Keys>>);

#[derive(Default)]
struct Keys {
    /// Data keys; `None` stands for one that was destroyed.
    data: HashMap<KeyId, Option<Secret>>,
    digest: HashMap<ControllerId, Secret>,
    #[cfg(feature = "testkit")]
    predictable: Option<u64>,
}

impl MemoryVault {
    /// An empty vault.
    pub fn new() -> Self {
        Self::default()
    }

    /// A vault whose keys, nonces and digests follow from a seed, so that a simulation repeats
    /// to the byte. It protects nothing.
    #[cfg(feature = "testkit")]
    pub fn predictable(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Keys {
            predictable: Some(seed),
            ..Keys::default()
        })))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn find(&self, id: &KeyId) -> Result<Secret, VaultError> {
        match self.data.get(id) {
            Some(Some(key)) => Ok(key.clone()),
            Some(None) => Err(VaultError::Shredded(id.clone())),
            None => Err(VaultError::UnknownKey(id.clone())),
        }
    }

    fn random<const N: usize>(&mut self) -> Result<[u8; N], VaultError> {
        let mut bytes = [0; N];
        #[cfg(feature = "testkit")]
        if let Some(seed) = &mut self.predictable {
            *seed = seed.wrapping_add(1);
            let digest = crate::model::Digest::of(&seed.to_le_bytes());
            let length = N.min(32);
            bytes[..length].copy_from_slice(&digest.as_bytes()[..length]);
            return Ok(bytes);
        }
        cipher::fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for MemoryVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryVault({} keys)", self.keys().data.len())
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn create_key(&self, id: &KeyId) -> Result<(), VaultError> {
        let mut keys = self.keys();
        match keys.find(id) {
            Err(VaultError::UnknownKey(_)) => {
                let key = Secret::new(keys.random()?);
                keys.data.insert(id.clone(), Some(key));
                Ok(())
            }
            other => other.map(drop),
        }
    }

    async fn seal(&self, id: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        let (key, nonce) = {
            let mut keys = self.keys();
            (keys.find(id)?, keys.random::<NONCE>()?)
        };
        cipher::seal(&key, &nonce, id, place, clear)
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        let key = self.keys().find(&sealed.key)?;
        cipher::open(&key, place, sealed)
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        let mut keys = self.keys();
        let key = match keys.digest.get(controller) {
            Some(key) => key.clone(),
            None => {
                let key = Secret::new(keys.random()?);
                keys.digest.insert(controller.clone(), key.clone());
                key
            }
        };
        drop(keys);
        cipher::digest(&key, normal)
    }

    async fn shred(&self, id: &KeyId) -> Result<(), VaultError> {
        self.keys().data.insert(id.clone(), None);
        Ok(())
    }
}
