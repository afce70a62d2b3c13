//! Drains one source's reading into two sealed artifacts: its rows and its files.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::{
    Collection, ControllerId, Digest, Ground, KeyId, RequestId, RowCount, SourceId, Until,
    WithheldRows,
};
use crate::ports::{
    ArtifactKey, ArtifactStore, Cancel, Cell, ErrorKind, File, Item, PortError, Reading, Vault,
};

use super::frames::{FrameWriter, LARGEST_ROW};
use super::record::{FileNote, FileRecord, Piece, RowRecord, Spooled};
use super::{Garbage, PackageError};

/// How many bytes of a file stand in one record.
const PIECE: usize = 64 * 1024;

/// Where one source's spool lies, and under which key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Spool {
    /// The source.
    pub source: SourceId,
    /// What a person would call the source; a heading of the package.
    pub title: String,
    /// The key it is sealed with.
    pub key: KeyId,
    /// The artifact of the rows.
    pub rows: ArtifactKey,
    /// The artifact of the files.
    pub files: ArtifactKey,
}

impl Spool {
    /// The spool of a source for a request, sealed with the request's data key. `run` tells
    /// attempts apart that could write at the same time: the number of the lease will do.
    pub fn new(
        controller: &ControllerId,
        request: RequestId,
        source: SourceId,
        title: impl Into<String>,
        run: u64,
    ) -> Self {
        let artifact =
            |what| ArtifactKey::new(controller, request, &format!("spool.{source}.{run}.{what}"));
        Self {
            title: title.into(),
            key: KeyId::of_request(controller, request),
            rows: artifact("rows"),
            files: artifact("files"),
            source,
        }
    }

    /// Deletes both artifacts. No error if they are gone already.
    ///
    /// # Errors
    /// [`PackageError::Artifacts`] when the store fails.
    pub async fn delete(&self, artifacts: &dyn ArtifactStore) -> Result<(), PackageError> {
        for artifact in [&self.rows, &self.files] {
            let deleted = artifacts.delete(artifact).await;
            deleted.map_err(PackageError::Artifacts)?;
        }
        Ok(())
    }
}

/// What a source may read out at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one row without its files; never more than 16 MiB. Default 4 MiB.
    pub row_bytes: usize,
    /// Bytes of one file. Default none.
    pub file_bytes: Option<u64>,
    /// Bytes of all rows and files together. Default none.
    pub source_bytes: Option<u64>,
    /// Collections, and different lines of what is withheld. Default 10,000.
    pub lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            row_bytes: 4 * 1024 * 1024,
            file_bytes: None,
            source_bytes: None,
            lines: 10_000,
        }
    }
}

/// What a spool holds. Names and counts only: it may be stored in clear.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpoolReport {
    /// Rows of each collection, in the order the source handed them over.
    pub collections: Vec<RowCount>,
    /// How many files.
    pub files: u64,
    /// How many bytes the files have.
    pub file_bytes: u64,
    /// How many bytes the rows have, as spooled and before sealing.
    pub row_bytes: u64,
    /// What the source kept back, one line for each collection, ground and date.
    pub withheld: Vec<WithheldRows>,
    /// What tells this writing of the rows' artifact from any other: the SHA-256 of its beginning.
    pub rows_mark: Digest,
    /// The same of the files' artifact.
    pub files_mark: Digest,
}

impl SpoolReport {
    /// How many rows, over all collections.
    pub fn rows(&self) -> u64 {
        self.collections.iter().map(|count| count.rows).sum()
    }
}

/// Reads a source to its end and seals what it says, in frames of 256 KiB.
///
/// The key must have been made with [`Vault::create_key`]. Both artifacts become visible at the
/// end, or stay as they were.
///
/// # Errors
/// - [`PackageError::Garbage`] when the source breaks the contract of
///   [`PersonalDataSource::read`](crate::ports::PersonalDataSource::read) or a limit.
/// - [`PackageError::Source`], [`Artifacts`](PackageError::Artifacts) or
///   [`Vault`](PackageError::Vault) when a port fails.
/// - [`PackageError::Cancelled`] soon after `cancel` was set.
pub async fn spool(
    spool: &Spool,
    mut reading: Reading,
    artifacts: &dyn ArtifactStore,
    vault: &dyn Vault,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<SpoolReport, PackageError> {
    let mut spooler = Spooler {
        rows: FrameWriter::create(artifacts, &spool.rows, vault, &spool.key).await?,
        files: FrameWriter::create(artifacts, &spool.files, vault, &spool.key).await?,
        limits: *limits,
        cancel,
        names: HashSet::new(),
        current: None,
        withheld: BTreeMap::new(),
        counts: Counts::default(),
    };
    while let Some(item) = reading.next().await {
        if cancel.is_cancelled() {
            return Err(PackageError::Cancelled);
        }
        match item.map_err(from_source)? {
            Item::Collection(collection) => spooler.collection(collection)?,
            Item::Row(cells) => spooler.row(cells).await?,
            Item::Withheld(rows) => spooler.withhold(rows)?,
        }
        spooler.rows.settle().await?;
    }
    spooler.finish().await
}

fn from_source(error: PortError) -> PackageError {
    match error.kind {
        ErrorKind::Cancelled => PackageError::Cancelled,
        _ => PackageError::Source(error),
    }
}

/// The collection whose rows are coming.
struct Current {
    name: String,
    columns: usize,
}

#[derive(Default)]
struct Counts {
    collections: Vec<RowCount>,
    files: u64,
    file_bytes: u64,
    row_bytes: u64,
}

struct Spooler<'a> {
    rows: FrameWriter<'a>,
    files: FrameWriter<'a>,
    limits: Limits,
    cancel: &'a Cancel,
    names: HashSet<String>,
    current: Option<Current>,
    withheld: BTreeMap<(String, Ground, Until, bool), u64>,
    counts: Counts,
}

impl fmt::Debug for Spooler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spooler(..)")
    }
}

impl Spooler<'_> {
    fn collection(&mut self, collection: Collection) -> Result<(), PackageError> {
        let name = collection.name.clone();
        if collection.columns.is_empty() {
            return Err(Garbage::NoColumns { collection: name }.into());
        }
        let mut columns = HashSet::new();
        if let Some(twice) = collection.columns.iter().find(|c| !columns.insert(&c.name)) {
            let column = twice.name.clone();
            return Err(Garbage::ColumnTwice {
                collection: name,
                column,
            }
            .into());
        }
        if !self.names.insert(name.clone()) {
            return Err(Garbage::CollectionTwice { collection: name }.into());
        }
        if self.counts.collections.len() >= self.limits.lines {
            return Err(self.too_many("collections"));
        }
        self.counts.collections.push(RowCount::new(name.clone(), 0));
        self.current = Some(Current {
            name,
            columns: collection.columns.len(),
        });
        self.record(&RowRecord::Collection(collection))
    }

    async fn row(&mut self, cells: Vec<Cell>) -> Result<(), PackageError> {
        let current = self.current.as_ref().ok_or(Garbage::RowBeforeCollection)?;
        if cells.len() != current.columns {
            return Err(Garbage::Cells {
                collection: current.name.clone(),
                expected: current.columns,
                found: cells.len(),
            }
            .into());
        }
        let mut fields = Vec::with_capacity(cells.len());
        for cell in cells {
            fields.push(match cell {
                Cell::Value(value) => Spooled::Value(value),
                Cell::File(file) => Spooled::File(self.file(file).await?),
            });
        }
        self.record(&RowRecord::Row(fields))?;
        if let Some(count) = self.counts.collections.last_mut() {
            count.rows += 1;
        }
        Ok(())
    }

    /// Adds a record to the row stream, and holds it against the limits.
    fn record(&mut self, record: &RowRecord) -> Result<(), PackageError> {
        let before = self.rows.frame().len();
        append(self.rows.frame(), record)?;
        let bytes = self.rows.frame().len() - before;
        let limit = self.limits.row_bytes.min(LARGEST_ROW);
        if bytes > limit {
            let collection = self.place();
            return Err(Garbage::RowTooLarge { collection, limit }.into());
        }
        self.counts.row_bytes += bytes as u64;
        self.check_total()
    }

    /// Writes a file's content into the file stream, and gives what its row says of it.
    async fn file(&mut self, file: File) -> Result<FileNote, PackageError> {
        let File {
            name,
            media_type,
            mut content,
        } = file;
        let number = self.counts.files + 1;
        let begin = FileRecord::Begin {
            number,
            collection: self.counts.collections.len().saturating_sub(1),
            name: &name,
            media_type: media_type.as_deref(),
        };
        append(self.files.frame(), &begin)?;
        let mut bytes = 0;
        let mut sum = Sha256::new();
        while let Some(piece) = content.next().await {
            if self.cancel.is_cancelled() {
                return Err(PackageError::Cancelled);
            }
            let piece = piece.map_err(from_source)?;
            bytes += piece.len() as u64;
            self.counts.file_bytes += piece.len() as u64;
            if let Some(limit) = self.limits.file_bytes.filter(|limit| bytes > *limit) {
                let collection = self.place();
                return Err(Garbage::FileTooLarge { collection, limit }.into());
            }
            self.check_total()?;
            sum.update(&piece);
            for part in piece.chunks(PIECE) {
                append(self.files.frame(), &FileRecord::Piece(Piece(part)))?;
                self.files.settle().await?;
            }
        }
        append(self.files.frame(), &FileRecord::End)?;
        self.files.settle().await?;
        self.counts.files = number;
        Ok(FileNote {
            number,
            name,
            media_type,
            bytes,
            digest: Digest::from_bytes(sum.finalize().into()),
        })
    }

    fn withhold(&mut self, rows: WithheldRows) -> Result<(), PackageError> {
        let line = (rows.collection, rows.ground, rows.until, rows.restricted);
        if self.withheld.len() >= self.limits.lines && !self.withheld.contains_key(&line) {
            return Err(self.too_many("different lines of what is withheld"));
        }
        let sum = self.withheld.entry(line).or_default();
        *sum = sum.saturating_add(rows.rows);
        Ok(())
    }

    fn check_total(&self) -> Result<(), PackageError> {
        let total = self.counts.row_bytes + self.counts.file_bytes;
        match self.limits.source_bytes {
            Some(limit) if total > limit => {
                let collection = self.place();
                Err(Garbage::SourceTooLarge { collection, limit }.into())
            }
            _ => Ok(()),
        }
    }

    /// The collection that is being read.
    fn place(&self) -> String {
        self.current
            .as_ref()
            .map_or_else(String::new, |current| current.name.clone())
    }

    fn too_many(&self, what: &'static str) -> PackageError {
        let limit = self.limits.lines;
        Garbage::TooMany { what, limit }.into()
    }

    async fn finish(self) -> Result<SpoolReport, PackageError> {
        let withheld = self.withheld.into_iter();
        Ok(SpoolReport {
            files_mark: self.files.finish().await?,
            rows_mark: self.rows.finish().await?,
            collections: self.counts.collections,
            files: self.counts.files,
            file_bytes: self.counts.file_bytes,
            row_bytes: self.counts.row_bytes,
            withheld: withheld
                .map(
                    |((collection, ground, until, restricted), rows)| WithheldRows {
                        collection,
                        rows,
                        ground,
                        until,
                        restricted,
                    },
                )
                .collect(),
        })
    }
}

/// Adds a record to a frame.
fn append(frame: &mut Vec<u8>, record: &impl Serialize) -> Result<(), PackageError> {
    let filled = postcard::to_extend(record, std::mem::take(frame));
    *frame = filled.map_err(|_| PackageError::Archive {
        doing: "encoding a record",
    })?;
    Ok(())
}
