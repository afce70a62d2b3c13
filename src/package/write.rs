//! Streams a package from spools: each source's rows as JSON, once more as CSV, its files, then
//! the page and the manifest.

use serde::{Deserialize, Serialize};

use crate::model::{Collection, Digest};
use crate::ports::{ArtifactKey, ArtifactStore, Cancel, Vault};

use super::archive::{Archive, Effort};
use super::contents::{Budget, CollectionPart, Contents, SourcePart};
use super::cover::{Cover, Of};
use super::csv::Csv;
use super::format::{Format, Head, path};
use super::frames::{FRAME, FrameReader, damaged};
use super::json::Json;
use super::names::Folders;
use super::record::{FileRecord, RowRead};
use super::{PackageError, Spool, SpoolReport, html, manifest};

/// Up to how many bytes an entry does without the ZIP64 form, which some older readers lack. Half
/// of what it could be, since what does not compress grows a little.
const SMALL: u64 = 1 << 31;

/// What was packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PackageReport {
    /// Size of the ZIP in bytes.
    pub bytes: u64,
    /// SHA-256 of the ZIP.
    pub digest: Digest,
    /// How many entries it has.
    pub entries: u64,
    /// How many rows it holds.
    pub rows: u64,
    /// How many files of the person it holds.
    pub files: u64,
}

/// Streams a package into `target` from what was spooled. The package becomes visible as a whole
/// at the end. It is in clear: the store it goes to must be fit for that, and the package goes
/// when its retention ends.
///
/// Memory: a few frames, the first rows of each collection (1 MB in all), and about 0.5 KB for
/// each file. Each large entry may pass 4 GiB, and so may the whole (ZIP64).
///
/// # Errors
/// - [`PackageError::Damaged`] when a spool is not what its report says. Nothing is written then.
/// - [`PackageError::Artifacts`] or [`Vault`](PackageError::Vault) when a port fails; a shredded
///   key among them.
/// - [`PackageError::Cancelled`] soon after `cancel` was set.
pub async fn write(
    target: &ArtifactKey,
    cover: &Cover,
    spools: &[(Spool, SpoolReport)],
    artifacts: &dyn ArtifactStore,
    vault: &dyn Vault,
    cancel: &Cancel,
) -> Result<PackageReport, PackageError> {
    let out = artifacts.writer(target).await;
    let mut packer = Packer {
        archive: Archive::new(out.map_err(PackageError::Artifacts)?, cover.created_at),
        artifacts,
        vault,
        cancel,
        budget: Budget::default(),
    };
    let mut contents = Contents::default();
    let mut folders = Folders::default();
    for (spool, report) in spools {
        let part = packer
            .source(spool, report, folders.name(spool.source.as_str()))
            .await?;
        contents.sources.push(part);
        let withheld = report.withheld.iter().cloned();
        contents
            .withheld
            .extend(withheld.map(|rows| Of::new(spool.source.clone(), &spool.title, rows)));
    }
    contents.withheld.extend(cover.withheld.iter().cloned());

    let archive = &mut packer.archive;
    archive.begin("index.html".to_owned(), Effort::Normal, false)?;
    archive
        .write(html::page(cover, &contents).as_bytes())
        .await?;
    archive.end();
    manifest::write(archive, cover, &contents).await?;

    let entries = archive.entries().len() as u64;
    let (bytes, digest) = packer.archive.finish().await?;
    Ok(PackageReport {
        bytes,
        digest,
        entries,
        rows: contents.rows(),
        files: contents.files(),
    })
}

/// One spool, and where its parts go.
struct Source<'a> {
    spool: &'a Spool,
    report: &'a SpoolReport,
    folder: String,
    /// The folder of each collection.
    names: Vec<String>,
}

/// A collection that is being written.
struct Place {
    collection: Collection,
    /// The folder of its files.
    folder: String,
    rows: u64,
}

struct Packer<'a> {
    archive: Archive,
    artifacts: &'a dyn ArtifactStore,
    vault: &'a dyn Vault,
    cancel: &'a Cancel,
    budget: Budget,
}

impl Packer<'_> {
    async fn source(
        &mut self,
        spool: &Spool,
        report: &SpoolReport,
        folder: String,
    ) -> Result<SourcePart, PackageError> {
        let mut folders = Folders::default();
        let counts = report.collections.iter();
        let source = Source {
            names: counts
                .map(|count| folders.name(&count.collection))
                .collect(),
            spool,
            report,
            folder,
        };
        let mut collections = Vec::new();
        self.rows(&source, Json::default(), Some(&mut collections))
            .await?;
        self.rows(&source, Csv::default(), None).await?;
        self.files(&source).await?;
        Ok(SourcePart {
            source: spool.source.clone(),
            title: spool.title.clone(),
            collections,
            files: report.files,
            file_bytes: report.file_bytes,
        })
    }

    /// Writes every collection of a source in one format, and notes the parts if asked to.
    async fn rows<F: Format>(
        &mut self,
        source: &Source<'_>,
        mut format: F,
        mut parts: Option<&mut Vec<CollectionPart>>,
    ) -> Result<(), PackageError> {
        let Spool { rows, key, .. } = source.spool;
        let mark = source.report.rows_mark;
        let mut frames = FrameReader::open(self.artifacts, rows, self.vault, key, mark).await?;
        let mut counts = source.report.collections.iter().zip(&source.names);
        let mut place: Option<Place> = None;
        let mut expected = 0;
        let mut out = Vec::new();
        loop {
            let frame = frames.next().await?;
            let mut rest = frame.as_ref().map_or(&[][..], |frame| frame.expose());
            while !rest.is_empty() {
                let (record, behind) = postcard::take_from_bytes(rest)
                    .map_err(|_| frames.damaged("a record cannot be read"))?;
                rest = behind;
                match record {
                    RowRead::Collection(collection) => {
                        self.end(&mut format, &mut out, place.take(), expected, rows)
                            .await?;
                        let (count, name) = counts
                            .next()
                            .filter(|(count, _)| count.collection == collection.name)
                            .ok_or_else(|| frames.damaged("a collection was not reported"))?;
                        expected = count.rows;
                        let stem = format!("data/{}/{name}", source.folder);
                        let large = may_be_large(source.report, expected, &collection);
                        let entry = format!("{stem}.{}", F::EXTENSION);
                        self.archive.begin(entry, Effort::Normal, large)?;
                        if let Some(parts) = &mut parts {
                            parts.push(CollectionPart::new(&collection, expected, &stem));
                        }
                        let place = place.insert(Place {
                            folder: format!("files/{}/{name}", source.folder),
                            collection,
                            rows: 0,
                        });
                        format.begin(&mut out, &place.head(source))?;
                    }
                    RowRead::Row(row) => {
                        let place = place
                            .as_mut()
                            .filter(|place| place.collection.columns.len() == row.len())
                            .ok_or_else(|| frames.damaged("a row does not fit its collection"))?;
                        place.rows += 1;
                        let head = place.head(source);
                        format.row(&mut out, &head, &row)?;
                        if let Some(part) = parts.as_mut().and_then(|parts| parts.last_mut()) {
                            part.preview.add(&head, &row, &mut self.budget);
                        }
                    }
                }
                if out.len() >= FRAME {
                    self.pass_on(&mut out).await?;
                }
            }
            if frame.is_none() {
                break;
            }
        }
        self.end(&mut format, &mut out, place, expected, rows)
            .await?;
        match counts.next() {
            None => Ok(()),
            Some(_) => Err(frames.damaged("a collection is missing")),
        }
    }

    /// Ends the entry of a collection, if one is open.
    async fn end<F: Format>(
        &mut self,
        format: &mut F,
        out: &mut Vec<u8>,
        place: Option<Place>,
        expected: u64,
        artifact: &ArtifactKey,
    ) -> Result<(), PackageError> {
        let Some(place) = place else {
            return Ok(());
        };
        if place.rows != expected {
            return Err(damaged(
                artifact,
                "it does not hold as many rows as were reported",
            ));
        }
        format.end(out);
        self.pass_on(out).await?;
        self.archive.end();
        Ok(())
    }

    async fn pass_on(&mut self, out: &mut Vec<u8>) -> Result<(), PackageError> {
        if self.cancel.is_cancelled() {
            return Err(PackageError::Cancelled);
        }
        self.archive.write(out).await?;
        out.clear();
        Ok(())
    }

    /// Writes every file of a source.
    async fn files(&mut self, source: &Source<'_>) -> Result<(), PackageError> {
        let Spool { files, key, .. } = source.spool;
        let report = source.report;
        let mark = report.files_mark;
        let mut frames = FrameReader::open(self.artifacts, files, self.vault, key, mark).await?;
        let large = report.file_bytes >= SMALL;
        let mut count = 0;
        // An entry that nobody ended would be in the archive and not in the manifest.
        let mut open = false;
        while let Some(frame) = frames.next().await? {
            if self.cancel.is_cancelled() {
                return Err(PackageError::Cancelled);
            }
            let mut rest = frame.expose().as_slice();
            while !rest.is_empty() {
                let (record, behind) = postcard::take_from_bytes(rest)
                    .map_err(|_| frames.damaged("a record cannot be read"))?;
                rest = behind;
                if open == matches!(record, FileRecord::Begin { .. }) {
                    return Err(frames.damaged("a file does not end before the next one"));
                }
                match record {
                    FileRecord::Begin {
                        number,
                        collection,
                        name,
                        media_type,
                    } => {
                        let folder = source.names.get(collection).ok_or_else(|| {
                            frames.damaged("a file's collection was not reported")
                        })?;
                        let folder = format!("files/{}/{folder}", source.folder);
                        let effort = effort(media_type);
                        self.archive
                            .begin(path(&folder, number, name), effort, large)?;
                        (count, open) = (count + 1, true);
                    }
                    FileRecord::Piece(piece) => self.archive.write(piece.0).await?,
                    FileRecord::End => {
                        self.archive.end();
                        open = false;
                    }
                }
            }
        }
        if open {
            return Err(frames.damaged("its last file does not end"));
        }
        if count != report.files {
            return Err(frames.damaged("it does not hold as many files as were reported"));
        }
        Ok(())
    }
}

impl Place {
    fn head<'a>(&'a self, source: &'a Source<'_>) -> Head<'a> {
        Head {
            source: &source.spool.source,
            collection: &self.collection,
            folder: &self.folder,
        }
    }
}

/// Whether an entry of these rows could pass [`SMALL`]: no value is written in more than 16 times
/// the bytes it has in the spool, besides the names of its columns.
fn may_be_large(report: &SpoolReport, rows: u64, collection: &Collection) -> bool {
    let names: usize = collection
        .columns
        .iter()
        .map(|column| 6 * column.name.len() + 8)
        .sum();
    let names = rows.saturating_mul(names as u64);
    report.row_bytes.saturating_mul(16).saturating_add(names) >= SMALL
}

/// How hard a file is compressed, by its media type.
fn effort(media_type: Option<&str>) -> Effort {
    let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    let subtype = subtype.split(';').next().unwrap_or_default().trim_end();
    let packed = match kind {
        "video" => true,
        "image" => !matches!(subtype, "svg+xml" | "bmp" | "x-ms-bmp" | "tiff"),
        "audio" => !matches!(subtype, "wav" | "x-wav" | "vnd.wave" | "aiff" | "x-aiff"),
        "application" => {
            matches!(
                subtype,
                "zip" | "gzip" | "zstd" | "x-7z-compressed" | "x-xz" | "x-bzip2"
            ) || subtype.starts_with("vnd.openxmlformats-officedocument.")
                || subtype.starts_with("vnd.oasis.opendocument.")
        }
        _ => false,
    };
    if packed {
        Effort::Least
    } else {
        Effort::Normal
    }
}
