//! The ZIP as a stream (APPNOTE 6.3.10): entries go through the compressor into a buffer, and the
//! buffer into the artifact after every few frames.

use std::cell::Cell;
use std::io::{self, Write};

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use sha2::{Digest as _, Sha256};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::model::Digest;
use crate::ports::ArtifactWriter;

use super::{PackageError, breathe};

/// From how many bytes on the buffer is handed over.
const HANDFUL: usize = 64 * 1024;

/// How hard an entry is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// For text.
    Normal,
    /// For what is compressed already. Not simply stored, because the end of such an entry could
    /// not be found by a reader that streams.
    Least,
}

/// An entry that is finished.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

/// An archive that is being written.
pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Sink>>,
    out: Box<dyn ArtifactWriter>,
    modified: zip::DateTime,
    entry: Option<Open>,
    entries: Vec<Entry>,
    sum: Sha256,
    bytes: u64,
}

struct Open {
    name: String,
    bytes: u64,
    sum: Sha256,
}

impl Archive {
    /// Begins an archive whose entries carry this instant.
    pub(super) fn new(out: Box<dyn ArtifactWriter>, instant: DateTime<Utc>) -> Self {
        Self {
            zip: ZipWriter::new_stream(Sink::default()),
            out,
            modified: dos_time(instant),
            entry: None,
            entries: Vec::new(),
            sum: Sha256::new(),
            bytes: 0,
        }
    }

    /// Begins an entry. `large` leaves room for more than 4 GiB (ZIP64); without it, an entry that
    /// grows beyond is an error.
    pub(super) fn begin(
        &mut self,
        name: String,
        effort: Effort,
        large: bool,
    ) -> Result<(), PackageError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(match effort {
                Effort::Normal => None,
                Effort::Least => Some(1),
            })
            .last_modified_time(self.modified)
            .large_file(large);
        self.zip
            .start_file(name.as_str(), options)
            .map_err(|_| PackageError::Archive {
                doing: "beginning an entry",
            })?;
        self.entry = Some(Open {
            name,
            bytes: 0,
            sum: Sha256::new(),
        });
        Ok(())
    }

    /// Adds bytes to the entry.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), PackageError> {
        const DOING: PackageError = PackageError::Archive {
            doing: "writing an entry",
        };
        let entry = self.entry.as_mut().ok_or(DOING)?;
        entry.bytes += bytes.len() as u64;
        entry.sum.update(bytes);
        self.zip.write_all(bytes).map_err(|_| DOING)?;
        self.hand_over(HANDFUL).await
    }

    /// Ends the entry.
    pub(super) fn end(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.entries.push(Entry {
                name: entry.name,
                bytes: entry.bytes,
                digest: Digest::from_bytes(entry.sum.finalize().into()),
            });
        }
    }

    /// The entries that are finished.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes the directory and makes the artifact visible. Gives its size and SHA-256.
    pub(super) async fn finish(mut self) -> Result<(u64, Digest), PackageError> {
        let stream = self.zip.finish().map_err(|_| PackageError::Archive {
            doing: "writing the directory",
        })?;
        let rest = stream.into_inner().0.into_inner();
        self.sum.update(&rest);
        self.bytes += rest.len() as u64;
        self.out
            .write(&rest)
            .await
            .map_err(PackageError::Artifacts)?;
        self.out.finish().await.map_err(PackageError::Artifacts)?;
        Ok((self.bytes, Digest::from_bytes(self.sum.finalize().into())))
    }

    /// Hands the buffer over if it holds so many bytes.
    async fn hand_over(&mut self, from: usize) -> Result<(), PackageError> {
        let Some(sink) = self.zip.get_ref().map(StreamWriter::get_ref) else {
            return Ok(());
        };
        let mut buffer = sink.0.take();
        if buffer.len() < from {
            sink.0.set(buffer);
            return Ok(());
        }
        self.sum.update(&buffer);
        self.bytes += buffer.len() as u64;
        self.out
            .write(&buffer)
            .await
            .map_err(PackageError::Artifacts)?;
        buffer.clear();
        if let Some(sink) = self.zip.get_ref().map(StreamWriter::get_ref) {
            sink.0.set(buffer);
        }
        breathe().await;
        Ok(())
    }
}

/// Where the compressor writes. A cell, because the writer around it lends it out shared only.
#[derive(Default)]
struct Sink(Cell<Vec<u8>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The instant as ZIP writes it, in UTC; the oldest there is (1980) where it cannot.
fn dos_time(instant: DateTime<Utc>) -> zip::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    u16::try_from(instant.year())
        .ok()
        .and_then(|year| {
            zip::DateTime::from_date_and_time(
                year,
                small(instant.month()),
                small(instant.day()),
                small(instant.hour()),
                small(instant.minute()),
                small(instant.second()),
            )
            .ok()
        })
        .unwrap_or_default()
}
