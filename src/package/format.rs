//! What every format of a collection's rows can do, and what it is told of the collection.

use crate::model::{Collection, SourceId};

use super::error::PackageError;
use super::names;
use super::record::{Field, FileNote};

/// A way to write the rows of a collection.
pub(super) trait Format {
    /// What its entries end in.
    const EXTENSION: &'static str;

    /// Writes what stands before the rows.
    fn begin(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> Result<(), PackageError>;

    /// Writes a row.
    fn row(
        &mut self,
        out: &mut Vec<u8>,
        head: &Head<'_>,
        row: &[Field<'_>],
    ) -> Result<(), PackageError>;

    /// Writes what stands behind the rows.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The collection whose rows are being written.
pub(super) struct Head<'a> {
    pub(super) source: &'a SourceId,
    pub(super) collection: &'a Collection,
    /// The folder of its files.
    pub(super) folder: &'a str,
}

impl Head<'_> {
    /// Where a file lies in the archive.
    pub(super) fn path(&self, note: &FileNote) -> String {
        path(self.folder, note.number, &note.name)
    }
}

/// Where a file lies in a folder.
pub(super) fn path(folder: &str, number: u64, name: &str) -> String {
    format!("{folder}/{}", names::file(number, name))
}
