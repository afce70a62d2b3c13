//! The cryptography of both vaults: sealing, opening, digests. Algorithms are those of the
//! RustCrypto crates; this file only says what is covered by them.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::model::{KeyId, KeyedDigest, NormalForm, Personal, Sealed};
use crate::ports::VaultError;

/// Length of every key, in bytes.
pub(super) const KEY: usize = 32;
/// Length of a nonce, in bytes.
pub(super) const NONCE: usize = 24;
/// The layout of a sealed value: this byte, the nonce, ciphertext with tag.
const LAYOUT: u8 = 1;

/// 32 secret bytes. Closed to `Debug`, wiped when dropped.
#[derive(Clone)]
pub(super) struct Secret([u8; KEY]);

impl Secret {
    pub(super) const fn new(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Fills with the system's randomness.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes).map_err(|_| backend("no_system_randomness", true))
}

pub(super) fn backend(code: &str, temporary: bool) -> VaultError {
    VaultError::Backend {
        code: code.to_owned(),
        temporary,
    }
}

/// What is authenticated besides the value: the use, the key's id, the place. The lengths stand
/// in front, so that no two pairs run into each other.
fn covered(id: &KeyId, place: &str) -> Vec<u8> {
    let mut bytes = b"datarights sealed value 1".to_vec();
    for part in [id.as_str(), place] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// Encrypts with a nonce that the caller drew: layout byte, nonce, ciphertext, tag.
pub(super) fn encrypt(
    key: &Secret,
    nonce: &[u8; NONCE],
    clear: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let payload = Payload { msg: clear, aad };
    let ciphertext = XChaCha20Poly1305::new(&(*key.bytes()).into())
        .encrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| backend("value_too_large", false))?;
    let mut bytes = Vec::with_capacity(1 + NONCE + ciphertext.len());
    bytes.push(LAYOUT);
    bytes.extend_from_slice(nonce);
    bytes.extend_from_slice(&ciphertext);
    Ok(bytes)
}

/// Decrypts what [`encrypt`] made; `None` when it was altered or belongs elsewhere.
pub(super) fn decrypt(key: &Secret, bytes: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let (&LAYOUT, rest) = bytes.split_first()? else {
        return None;
    };
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>()?;
    let payload = Payload {
        msg: ciphertext,
        aad,
    };
    XChaCha20Poly1305::new(&(*key.bytes()).into())
        .decrypt(&XNonce::from(*nonce), payload)
        .ok()
}

/// Seals a value of a key at a place.
pub(super) fn seal(
    key: &Secret,
    nonce: &[u8; NONCE],
    id: &KeyId,
    place: &str,
    clear: &[u8],
) -> Result<Sealed, VaultError> {
    Ok(Sealed {
        key: id.clone(),
        bytes: encrypt(key, nonce, clear, &covered(id, place))?,
    })
}

/// Opens a sealed value at its place.
pub(super) fn open(
    key: &Secret,
    place: &str,
    sealed: &Sealed,
) -> Result<Personal<Vec<u8>>, VaultError> {
    decrypt(key, &sealed.bytes, &covered(&sealed.key, place))
        .map(Personal::new)
        .ok_or_else(|| VaultError::Forged(sealed.key.clone()))
}

/// HMAC-SHA-256 (RFC 2104) of a normal form.
pub(super) fn digest(key: &Secret, normal: &NormalForm) -> Result<KeyedDigest, VaultError> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.bytes())
        .map_err(|_| backend("digest_key_length", false))?;
    mac.update(normal.digest_input().expose());
    Ok(KeyedDigest::from_bytes(mac.finalize().into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_sealed_by_the_first_release_opens_for_ever() -> Result<(), Box<dyn std::error::Error>>
    {
        let sealed: Sealed = serde_json::from_str(GOLDEN)?;
        let clear = open(&Secret::new([7; KEY]), "letter/0", &sealed)?;
        assert_eq!(clear.expose(), b"Dear Ada");
        let again = seal(
            &Secret::new([7; KEY]),
            &[9; NONCE],
            &sealed.key,
            "letter/0",
            b"Dear Ada",
        )?;
        assert_eq!(serde_json::to_string(&again)?, GOLDEN);
        Ok(())
    }

    const GOLDEN: &str = r#"{"key":"acme/1","bytes":"01090909090909090909090909090909090909090909090909fa1783f85ceb1d0333f2fd2d533f7402d37438408c64dc54"}"#;
}
