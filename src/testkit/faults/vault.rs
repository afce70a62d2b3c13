//! A vault that misbehaves.

use async_trait::async_trait;

use super::{CanPend, Fakes, Faulty, Method};
use crate::model::{ControllerId, KeyId, KeyedDigest, NormalForm, Pending, Personal, Sealed};
use crate::ports::{Vault, VaultError};

/// Vaults do not pend.
macro_rules! never_pending {
    ($($type:ty),+) => {$(
        impl CanPend for $type {
            fn pending(_: Pending) -> Option<Self> {
                None
            }
        }
    )+};
}

never_pending!((), Sealed, Personal<Vec<u8>>, KeyedDigest);

/// Lies and garbage: `create_key` and `shred` say that they did; `seal` gives bytes that nothing
/// opens; `open` gives an empty value or wrong bytes; `digest` gives the same for everybody.
#[async_trait]
impl<V: Vault> Vault for Faulty<V> {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        let fault = self.begin(Method::CreateKey, None);
        let fakes = Fakes {
            lie: &|| (),
            garbage: &|| Err(VaultError::UnknownKey(key.clone())),
        };
        let perform = || self.inner.create_key(key);
        self.happen(fault, None, &perform, fakes).await
    }

    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        let fault = self.begin(Method::Seal, None);
        let sealed = |bytes: &[u8]| Sealed {
            key: key.clone(),
            bytes: bytes.to_vec(),
        };
        let fakes = Fakes {
            lie: &|| sealed(&[]),
            garbage: &|| Ok(sealed(&[0xff; 64])),
        };
        let perform = || self.inner.seal(key, place, clear);
        self.happen(fault, None, &perform, fakes).await
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        let fault = self.begin(Method::Open, None);
        let fakes = Fakes {
            lie: &|| Personal::new(Vec::new()),
            garbage: &|| Ok(Personal::new(vec![0xff; 64])),
        };
        let perform = || self.inner.open(place, sealed);
        self.happen(fault, None, &perform, fakes).await
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        let fault = self.begin(Method::Digest, None);
        let fakes = Fakes {
            lie: &KeyedDigest::default,
            garbage: &|| Ok(KeyedDigest::from_bytes([0xff; 32])),
        };
        let perform = || self.inner.digest(controller, normal);
        self.happen(fault, None, &perform, fakes).await
    }

    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        let fault = self.begin(Method::Shred, None);
        let fakes = Fakes {
            lie: &|| (),
            garbage: &|| Err(VaultError::UnknownKey(key.clone())),
        };
        let perform = || self.inner.shred(key);
        self.happen(fault, None, &perform, fakes).await
    }
}
