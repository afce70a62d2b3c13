//! One collection as JSON: exact, one row per line. How values are written stands in the
//! documentation of `package`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::SecondsFormat;
use serde::Serialize;

use super::PackageError;
use super::format::{Format, Head};
use super::record::{Field, Value};

/// The largest whole number that every reader of JSON keeps exact: 2⁵³ − 1 (RFC 7493, 2.2).
const EXACT: u64 = (1 << 53) - 1;

/// Writes collections as JSON.
#[derive(Default)]
pub(super) struct Json {
    /// Each column's name with its quotes and colon, and what stands before it.
    keys: Vec<Vec<u8>>,
    rows: u64,
}

impl Format for Json {
    const EXTENSION: &'static str = "json";

    fn begin(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> Result<(), PackageError> {
        let collection = head.collection;
        self.rows = 0;
        self.keys.clear();
        for (index, column) in collection.columns.iter().enumerate() {
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            put(&mut key, &column.name)?;
            key.push(b':');
            self.keys.push(key);
        }
        out.extend_from_slice(b"{\"schema\":1,\"source\":");
        put(out, head.source)?;
        out.extend_from_slice(b",\"collection\":");
        put(out, &collection.name)?;
        out.extend_from_slice(b",\"title\":");
        put(out, &collection.title)?;
        out.extend_from_slice(b",\"purposes\":");
        put(out, &collection.purposes)?;
        out.extend_from_slice(b",\"columns\":");
        put(out, &collection.columns)?;
        out.extend_from_slice(b",\"rows\":[");
        Ok(())
    }

    fn row(
        &mut self,
        out: &mut Vec<u8>,
        head: &Head<'_>,
        row: &[Field<'_>],
    ) -> Result<(), PackageError> {
        out.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
        self.rows += 1;
        for (key, field) in self.keys.iter().zip(row) {
            out.extend_from_slice(key);
            put_field(out, head, field)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n]}\n");
    }
}

fn put_field(out: &mut Vec<u8>, head: &Head<'_>, field: &Field<'_>) -> Result<(), PackageError> {
    match field {
        Field::Value(Value::Null) => put(out, &()),
        Field::Value(Value::Bool(value)) => put(out, value),
        Field::Value(Value::Int(value)) if value.unsigned_abs() <= EXACT => put(out, value),
        Field::Value(Value::Int(value)) => put(out, &value.to_string()),
        Field::Value(Value::Decimal(value) | Value::Text(value)) => put(out, value),
        Field::Value(Value::Bytes(bytes)) => put(
            out,
            &Bytes {
                bytes: BASE64_STANDARD.encode(bytes.0),
            },
        ),
        Field::Value(Value::Date(date)) => put(out, &date.to_string()),
        Field::Value(Value::Time(time)) => {
            put(out, &time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
        Field::Value(Value::Secret) => put(out, &Secret { secret: true }),
        Field::File(note) => put(
            out,
            &File {
                file: head.path(note),
                name: &note.name,
                media_type: note.media_type.as_deref(),
                bytes: note.bytes,
                sha256: note.digest.to_string(),
            },
        ),
    }
}

#[derive(Serialize)]
struct Bytes {
    #[serde(rename = "$bytes")]
    bytes: String,
}

#[derive(Serialize)]
struct Secret {
    #[serde(rename = "$secret")]
    secret: bool,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "$file")]
    file: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    bytes: u64,
    sha256: String,
}

/// Adds a value as JSON.
pub(super) fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), PackageError> {
    serde_json::to_writer(out, value).map_err(|_| PackageError::Archive {
        doing: "writing JSON",
    })
}
