//! `manifest.json`: what is in the package, what is not, and how to check it.

use serde::Serialize;

use crate::model::{Digest, MissingRows, Until, WithheldRows};

use super::PackageError;
use super::archive::{Archive, Effort};
use super::contents::{Contents, SourcePart};
use super::cover::{Cover, Of};
use super::json::put;

/// The version of the package's layout and of its manifest.
const SCHEMA: u32 = 1;

/// How values are written, for whoever loads the files.
const ENCODING: [(&str, &str); 2] = [
    (
        "json",
        "I-JSON (RFC 7493): whole numbers beyond 2^53-1 and all decimals are strings; dates and \
         instants are RFC 3339 strings; {\"$bytes\":base64}, {\"$file\":path} and \
         {\"$secret\":true} stand for what JSON has no word for",
    ),
    (
        "csv",
        "RFC 4180, UTF-8 with byte order mark; NULL and the empty text are both an empty field \
         (the JSON tells them apart); in text, one apostrophe stands before each = + - @ tab or \
         carriage return with which a formula could begin",
    ),
];

#[derive(Serialize)]
struct Source<'a> {
    source: &'a str,
    title: &'a str,
    files: u64,
    file_bytes: u64,
    collections: Vec<Collection<'a>>,
}

#[derive(Serialize)]
struct Collection<'a> {
    collection: &'a str,
    title: &'a str,
    rows: u64,
    json: &'a str,
    csv: &'a str,
}

#[derive(Serialize)]
struct Missing<'a> {
    source: &'a str,
    title: &'a str,
    collection: Option<&'a str>,
    rows: Option<u64>,
    failure: &'a str,
    explained: String,
}

#[derive(Serialize)]
struct Withheld<'a> {
    source: &'a str,
    title: &'a str,
    collection: &'a str,
    rows: u64,
    ground: &'a str,
    explained: String,
    until: Until,
    restricted: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    bytes: u64,
    sha256: Digest,
}

/// Writes the manifest as the last entry; it lists every other one.
pub(super) async fn write(
    archive: &mut Archive,
    cover: &Cover,
    contents: &Contents,
) -> Result<(), PackageError> {
    let large = archive.entries().len() > 4_000_000;
    let mut out = Vec::new();
    out.push(b'{');
    field(&mut out, "schema", &SCHEMA)?;
    field(&mut out, "type", "datarights.package")?;
    field(&mut out, "title", &cover.title)?;
    field(&mut out, "controller", &cover.controller)?;
    field(&mut out, "request", &cover.request)?;
    field(&mut out, "right", &cover.right)?;
    field(&mut out, "created_at", &cover.created_at)?;
    field(&mut out, "language", &cover.language)?;
    field(&mut out, "complete", &cover.missing.is_empty())?;
    field(&mut out, "rows", &contents.rows())?;
    field(&mut out, "files", &contents.files())?;
    field(
        &mut out,
        "encoding",
        &ENCODING
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>(),
    )?;
    field(
        &mut out,
        "sources",
        &contents.sources.iter().map(source).collect::<Vec<_>>(),
    )?;
    field(
        &mut out,
        "missing",
        &cover
            .missing
            .iter()
            .map(|of| missing(cover, of))
            .collect::<Vec<_>>(),
    )?;
    field(
        &mut out,
        "withheld",
        &contents
            .withheld
            .iter()
            .map(|of| withheld(cover, of))
            .collect::<Vec<_>>(),
    )?;
    out.extend_from_slice(b"\"entries\":[");

    let count = archive.entries().len();
    archive.begin("manifest.json".to_owned(), Effort::Normal, large)?;
    for index in 0..count {
        let entry = &archive.entries()[index];
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        let line = Line {
            name: &entry.name,
            bytes: entry.bytes,
            sha256: entry.digest,
        };
        put(&mut out, &line)?;
        if out.len() > 64 * 1024 {
            archive.write(&out).await?;
            out.clear();
        }
    }
    out.extend_from_slice(b"\n]}\n");
    archive.write(&out).await?;
    archive.end();
    Ok(())
}

/// Adds a field of the outermost object, with the comma behind it.
fn field<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    name: &str,
    value: &T,
) -> Result<(), PackageError> {
    put(out, name)?;
    out.push(b':');
    put(out, value)?;
    out.extend_from_slice(b",\n");
    Ok(())
}

fn source(part: &SourcePart) -> Source<'_> {
    Source {
        source: part.source.as_str(),
        title: &part.title,
        files: part.files,
        file_bytes: part.file_bytes,
        collections: part
            .collections
            .iter()
            .map(|part| Collection {
                collection: &part.name,
                title: &part.title,
                rows: part.rows,
                json: &part.json,
                csv: &part.csv,
            })
            .collect(),
    }
}

fn missing<'a>(cover: &Cover, of: &'a Of<MissingRows>) -> Missing<'a> {
    Missing {
        source: of.source.as_str(),
        title: &of.title,
        collection: of.rows.collection.as_deref(),
        rows: of.rows.rows,
        failure: of.rows.failure.code(),
        explained: cover.words.failure(&of.rows.failure),
    }
}

fn withheld<'a>(cover: &Cover, of: &'a Of<WithheldRows>) -> Withheld<'a> {
    Withheld {
        source: of.source.as_str(),
        title: &of.title,
        collection: &of.rows.collection,
        rows: of.rows.rows,
        ground: of.rows.ground.id(),
        explained: cover.words.ground(&of.rows.ground),
        until: of.rows.until,
        restricted: of.rows.restricted,
    }
}
