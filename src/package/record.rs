//! What stands in a spool: the records of the row stream and of the file stream, in postcard.
//!
//! Their shape is versioned by the place their frames are sealed to; see `frames`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::{Collection, Digest, Value};

/// One record of the row stream.
#[derive(Serialize, Deserialize)]
pub(super) enum RowRecord {
    /// The rows that follow are of this collection.
    Collection(Collection),
    /// A row.
    Row(Vec<Field>),
}

/// One field of a row.
#[derive(Serialize, Deserialize)]
pub(super) enum Field {
    Value(Value),
    File(FileNote),
}

/// What a row says of a file whose content stands in the file stream.
#[derive(Serialize, Deserialize)]
pub(super) struct FileNote {
    /// Its number within the source, from 1.
    pub(super) number: u64,
    /// Its name as the source has it.
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

/// One record of the file stream: a file begins, goes on, ends.
#[derive(Serialize, Deserialize)]
pub(super) enum FileRecord<'a> {
    Begin {
        number: u64,
        /// The number of its collection, from 0.
        collection: usize,
        name: &'a str,
        media_type: Option<&'a str>,
    },
    Piece(#[serde(borrow)] Piece<'a>),
    End,
}

/// Bytes that are copied as a whole, where serde would take them one by one.
pub(super) struct Piece<'a>(pub(super) &'a [u8]);

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> de::Visitor<'de> for Borrow {
            type Value = &'de [u8];
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<&'de [u8], E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(Borrow).map(Self)
    }
}
