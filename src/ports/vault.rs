//! Where keys are kept, and what is done with them.

use async_trait::async_trait;

use crate::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Personal, Sealed};

/// Why a vault did not do it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key was destroyed: what it sealed is erased for good.
    #[error("the key {} was destroyed; what it sealed cannot be opened any more", .0.as_str())]
    Shredded(KeyId),
    /// No such key was ever made.
    #[error("there is no key {}", .0.as_str())]
    UnknownKey(KeyId),
    /// The ciphertext was altered, or belongs elsewhere.
    #[error("a sealed value of key {} does not open: altered, or moved from elsewhere", .0.as_str())]
    Forged(KeyId),
    /// Something the vault keeps is there and is not what it wrote; this says what, e.g. a key.
    #[error("what the vault keeps is damaged: {0}; bring it back from a copy")]
    Damaged(String),
    /// The vault cannot be reached, read or written; the code is its own.
    #[error("the vault failed: {code}")]
    Backend {
        /// The backend's code, never its text.
        code: String,
        /// Whether trying again can help.
        temporary: bool,
    },
}

/// Keeps one data key per request and one digest key per controller.
///
/// # A correct implementation
/// - `create_key` makes a fresh random key once; a second call for the same id leaves it alone. An
///   id whose key was destroyed is [`VaultError::Shredded`] for ever.
/// - `seal` is authenticated encryption with a fresh nonce; `open` gives back exactly what was
///   sealed under the same key and place, or [`VaultError::Forged`].
/// - `digest` is HMAC-SHA-256 under a key of the controller that is not derived from any data key,
///   the same over restarts, another for each controller.
/// - `shred` is durable before it returns, and no copy of the key survives it. A second call, or
///   one for an unknown key, is no error.
/// - Keys lie outside the backups of the request store; else an erasure must not be called shredded.
///
/// ```
/// use datarights::model::{KeyId, Personal};
/// use datarights::ports::{Vault, VaultError};
///
/// async fn there_and_back(vault: &dyn Vault, key: &KeyId) -> Result<(), VaultError> {
///     vault.create_key(key).await?;
///     let sealed = vault.seal(key, "letter/0", b"Dear Ada").await?;
///     let clear: Personal<Vec<u8>> = vault.open("letter/0", &sealed).await?;
///     assert_eq!(clear.expose(), b"Dear Ada");
///     assert!(vault.open("letter/1", &sealed).await.is_err()); // another place
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait Vault: Send + Sync {
    /// Makes a data key unless it is there.
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError>;

    /// Encrypts; `place` says where the value belongs and must be shown again to open it.
    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError>;

    /// Decrypts.
    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError>;

    /// The keyed digest by which a person is recognised within one controller.
    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError>;

    /// Destroys a data key.
    async fn shred(&self, key: &KeyId) -> Result<(), VaultError>;
}
