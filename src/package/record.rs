//! What stands in a spool: the records of the row stream and of the file stream, in postcard.
//!
//! Their shape is versioned by the place their frames are sealed to; see `frames`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::{self, Collection, Digest};

/// One record of the row stream, as it is written.
#[derive(Serialize)]
pub(super) enum RowRecord {
    /// The rows that follow are of this collection.
    Collection(Collection),
    /// A row.
    Row(Vec<Spooled>),
}

/// One field of a row, as it is written.
#[derive(Serialize)]
pub(super) enum Spooled {
    Value(model::Value),
    File(FileNote),
}

/// One record of the row stream, as it is read: texts are not copied.
#[derive(Deserialize)]
pub(super) enum RowRead<'a> {
    Collection(Collection),
    Row(#[serde(borrow)] Vec<Field<'a>>),
}

/// One field of a row, as it is read.
#[derive(Deserialize)]
pub(super) enum Field<'a> {
    Value(#[serde(borrow)] Value<'a>),
    File(FileNote),
}

/// A [`model::Value`], as it is read: the same variants in the same order.
#[derive(Clone, Copy, Deserialize)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Decimal(&'a str),
    Text(&'a str),
    Bytes(#[serde(borrow)] Piece<'a>),
    Date(NaiveDate),
    Time(DateTime<Utc>),
    Secret,
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
#[derive(Clone, Copy)]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = model::Value> {
        prop_oneof![
            Just(model::Value::Null),
            any::<bool>().prop_map(model::Value::Bool),
            any::<i64>().prop_map(model::Value::Int),
            ".*".prop_map(model::Value::Decimal),
            ".*".prop_map(model::Value::Text),
            any::<Vec<u8>>().prop_map(model::Value::Bytes),
            (0..4_000_000_i32).prop_map(|day| {
                let date = NaiveDate::from_num_days_from_ce_opt(day);
                model::Value::Date(date.unwrap_or_default())
            }),
            any::<i32>().prop_map(|second| {
                let time = DateTime::from_timestamp(second.into(), 7);
                model::Value::Time(time.unwrap_or_default())
            }),
            Just(model::Value::Secret),
        ]
    }

    fn owned(value: Value<'_>) -> model::Value {
        match value {
            Value::Null => model::Value::Null,
            Value::Bool(value) => model::Value::Bool(value),
            Value::Int(value) => model::Value::Int(value),
            Value::Decimal(text) => model::Value::Decimal(text.to_owned()),
            Value::Text(text) => model::Value::Text(text.to_owned()),
            Value::Bytes(bytes) => model::Value::Bytes(bytes.0.to_vec()),
            Value::Date(date) => model::Value::Date(date),
            Value::Time(time) => model::Value::Time(time),
            Value::Secret => model::Value::Secret,
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(row in proptest::collection::vec(values(), 0..6)) {
            let fields = row.iter().cloned().map(Spooled::Value).collect();
            let bytes = postcard::to_allocvec(&RowRecord::Row(fields)).unwrap_or_default();
            let Ok(RowRead::Row(fields)) = postcard::from_bytes(&bytes) else {
                return Err(TestCaseError::fail("no row"));
            };
            let read: Vec<model::Value> = fields
                .into_iter()
                .filter_map(|field| match field {
                    Field::Value(value) => Some(owned(value)),
                    Field::File(_) => None,
                })
                .collect();
            prop_assert!(read == row);
        }
    }
}
