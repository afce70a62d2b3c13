//! The host's own key, under which a file vault wraps its keys.

use std::fmt;

use super::cipher::{KEY, Secret};

/// A key of the host's, from its secret manager. Closed to `Debug`, wiped when dropped.
///
/// ```
/// use datarights::adapters::MasterKey;
/// assert_eq!(format!("{:?}", MasterKey::from_bytes([7; 32])), "MasterKey(..)");
/// ```
#[derive(Clone)]
pub struct MasterKey(pub(super) Secret);

impl MasterKey {
    /// Takes 32 random bytes; a password is not a key.
    pub const fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(Secret::new(bytes))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// How a file vault protects the keys it stores. A key that is stored otherwise does not open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Wrapping {
    /// Not at all: who can read the directory can read the keys.
    Plain,
    /// Under a master key.
    Under(MasterKey),
    /// Under a new master key; keys that are still stored in the old way open too, until
    /// [`FileVault::rewrap`](super::FileVault::rewrap) has moved them.
    Rotating {
        /// What is written from now on.
        new: MasterKey,
        /// What may still be there; `None` for keys that were stored plainly.
        old: Option<MasterKey>,
    },
}

impl Wrapping {
    /// The key to write with.
    pub(super) const fn writes(&self) -> Option<&Secret> {
        match self {
            Self::Plain => None,
            Self::Under(MasterKey(key))
            | Self::Rotating {
                new: MasterKey(key),
                ..
            } => Some(key),
        }
    }

    /// The master keys to try when reading, the one to write with first.
    pub(super) fn reads(&self) -> impl Iterator<Item = &Secret> {
        let old = match self {
            Self::Rotating { old: Some(old), .. } => Some(&old.0),
            _ => None,
        };
        self.writes().into_iter().chain(old)
    }

    /// Whether a plainly stored key may be there.
    pub(super) const fn reads_plain(&self) -> bool {
        matches!(self, Self::Plain | Self::Rotating { old: None, .. })
    }
}
