//! What stands in a key file: always the same length, so that a key can be overwritten in place
//! by the mark that says it was destroyed.
//!
//! ```text
//! magic (8) | kind (1) | body (96) | SHA-256 of all before it (32)
//! ```

use sha2::{Digest as _, Sha256};

use super::super::cipher::{self, KEY, NONCE, Secret};
use super::super::master::Wrapping;
use super::folder::Place;
use crate::ports::VaultError;

const MAGIC: &[u8; 8] = b"drvault1";
const BODY: usize = 96;
const SUM: usize = 32;
/// Length of a key file, in bytes.
pub(super) const LENGTH: usize = MAGIC.len() + 1 + BODY + SUM;

const PLAIN: u8 = 0;
const WRAPPED: u8 = 1;
const DESTROYED: u8 = 2;
/// Layout byte, nonce, key, tag.
const WRAPPED_LENGTH: usize = 1 + NONCE + KEY + 16;

/// What a key file says.
pub(super) enum Record {
    /// A key, and whether it is stored as new ones are.
    Key {
        key: Secret,
        current: bool,
    },
    Destroyed,
}

/// Why a key file says nothing.
pub(super) enum Unreadable {
    Damaged,
    /// Whole, but stored under another master key, or under none.
    Otherwise,
}

fn covered(place: &Place) -> Vec<u8> {
    [
        b"datarights wrapped key 1".as_slice(),
        place.as_str().as_bytes(),
    ]
    .concat()
}

fn frame(kind: u8, content: &[u8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8] = kind;
    bytes[9..9 + content.len()].copy_from_slice(content);
    let sum = Sha256::digest(&bytes[..LENGTH - SUM]);
    bytes[LENGTH - SUM..].copy_from_slice(&sum);
    bytes
}

/// The file of a key at this place.
pub(super) fn of_key(
    key: &Secret,
    place: &Place,
    wrapping: &Wrapping,
) -> Result<[u8; LENGTH], VaultError> {
    let Some(master) = wrapping.writes() else {
        return Ok(frame(PLAIN, key.bytes()));
    };
    let mut nonce = [0; NONCE];
    cipher::fill(&mut nonce)?;
    let wrapped = cipher::encrypt(master, &nonce, key.bytes(), &covered(place))?;
    Ok(frame(WRAPPED, &wrapped))
}

/// The file of a key that was destroyed.
pub(super) fn of_destroyed() -> [u8; LENGTH] {
    frame(DESTROYED, &[])
}

pub(super) fn read(bytes: &[u8], place: &Place, wrapping: &Wrapping) -> Result<Record, Unreadable> {
    let whole: &[u8; LENGTH] = bytes.try_into().map_err(|_| Unreadable::Damaged)?;
    let (content, sum) = whole.split_at(LENGTH - SUM);
    if content[..8] != *MAGIC || Sha256::digest(content).as_slice() != sum {
        return Err(Unreadable::Damaged);
    }
    let body = &content[9..];
    match content[8] {
        PLAIN if !wrapping.reads_plain() => Err(Unreadable::Otherwise),
        PLAIN => {
            let key = body.first_chunk::<KEY>().ok_or(Unreadable::Damaged)?;
            Ok(Record::Key {
                key: Secret::new(*key),
                current: wrapping.writes().is_none(),
            })
        }
        WRAPPED => wrapping
            .reads()
            .enumerate()
            .find_map(|(nth, master)| {
                let clear = cipher::decrypt(master, &body[..WRAPPED_LENGTH], &covered(place))?;
                let clear = zeroize::Zeroizing::new(clear);
                Some(Record::Key {
                    key: Secret::new(*clear.first_chunk()?),
                    current: nth == 0,
                })
            })
            .ok_or(Unreadable::Otherwise),
        DESTROYED => Ok(Record::Destroyed),
        _ => Err(Unreadable::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::MasterKey;
    use crate::model::Digest;

    #[test]
    fn a_key_stored_by_the_first_release_opens_for_ever() -> Result<(), VaultError> {
        let place = Place::of("data/acme/1");
        let plain = of_key(&Secret::new([7; KEY]), &place, &Wrapping::Plain)?;
        assert_eq!(Digest::of(&plain).to_string(), PLAIN_FILE);
        assert_eq!(Digest::of(&of_destroyed()).to_string(), DESTROYED_FILE);
        let master = Wrapping::Under(MasterKey::from_bytes([5; KEY]));
        let body = cipher::encrypt(
            &Secret::new([5; KEY]),
            &[9; NONCE],
            &[7; KEY],
            &covered(&place),
        )?;
        let wrapped = frame(WRAPPED, &body);
        assert_eq!(Digest::of(&wrapped).to_string(), WRAPPED_FILE);
        for (file, wrapping) in [(plain, Wrapping::Plain), (wrapped, master)] {
            let Ok(Record::Key { key, current: true }) = read(&file, &place, &wrapping) else {
                return Err(cipher::backend("golden", false));
            };
            assert_eq!(key.bytes(), &[7; KEY]);
        }
        Ok(())
    }

    const PLAIN_FILE: &str = "a38d4629e0aea445b4eb9ba3b761909ba8000bffa7cdce18da42186fb5b4e707";
    const DESTROYED_FILE: &str = "21031e0258af5605ab68a15b80b14ed2730227860cae2e0fc4b51c49bdb9cac2";
    const WRAPPED_FILE: &str = "c279431d4a161f7c4057cd0d9200cd0e5ec477ee0d27624ff9a959158cd1a3a8";
}
