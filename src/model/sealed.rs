//! What may be stored of personal data: ciphertext, and digests under a key.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::id::{IdError, check_name};
use super::{ControllerId, RequestId};

/// A SHA-256 digest of something that is not personal in itself: an event, a part, a plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest([u8; 32]);

/// A digest of a person's identifier in its normal form under a key of the controller
/// (HMAC-SHA-256, RFC 2104): it recognises, it does not reveal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct KeyedDigest([u8; 32]);

macro_rules! digest_type {
    ($type:ident) => {
        impl $type {
            /// Wraps 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 hexadecimal digits; `None` for anything else.
            pub fn from_hex(hex: &str) -> Option<Self> {
                let digits = hex.as_bytes();
                if digits.len() != 64 {
                    return None;
                }
                let mut bytes = [0; 32];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let mut text = [0; 64];
                for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = HEX[usize::from(byte >> 4)];
                    pair[1] = HEX[usize::from(byte & 15)];
                }
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let hex = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::from_hex(&hex)
                    .ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits"))
            }
        }
    };
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

digest_type!(Digest);
digest_type!(KeyedDigest);

impl Digest {
    /// The SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Which key a value is sealed with. Keys are kept by the vault; this is only their name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// The data key of one request: destroying it erases what was personal in the request.
    pub fn of_request(controller: &ControllerId, request: RequestId) -> Self {
        Self(format!("{controller}/{request}"))
    }

    /// The name as text: `controller/request`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyId {
    type Error = IdError;
    fn try_from(name: String) -> Result<Self, IdError> {
        for part in name.split('/') {
            check_name("key id", part)?;
        }
        Ok(Self(name))
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.0
    }
}

/// Ciphertext with the name of its key. Its `Debug` shows the length only.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// The key that opens it.
    pub key: KeyId,
    /// Nonce, ciphertext and tag as the vault laid them out.
    #[serde(with = "base16")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}

/// Bytes as hexadecimal text: twice the size, readable by every tool, enough for small values.
mod base16 {
    use super::{Deserialize, Deserializer, Serializer, nibble};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        let wrong = || serde::de::Error::custom("sealed bytes are pairs of hexadecimal digits");
        if text.len() % 2 != 0 {
            return Err(wrong());
        }
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
            .collect::<Option<_>>()
            .ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let digest = Digest::of(b"abc");
        // FIPS 180-4, example B.1
        assert_eq!(
            digest.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex("zz"), None);
    }

    #[test]
    fn sealed_bytes_survive_json() -> Result<(), Box<dyn std::error::Error>> {
        let sealed = Sealed {
            key: KeyId::try_from("acme/1".to_owned())?,
            bytes: vec![0, 255, 16],
        };
        let text = serde_json::to_string(&sealed)?;
        assert_eq!(serde_json::from_str::<Sealed>(&text)?, sealed);
        assert!(serde_json::from_str::<Sealed>(&text.replace("00ff10", "00ff1")).is_err());
        Ok(())
    }
}
