//! What can go wrong: told apart by who has to do something about it, without a value in it.

use crate::ports::{ArtifactKey, PortError, VaultError};

/// Why nothing was spooled or packed. What was begun is dropped, and was never visible.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The work was asked to stop.
    #[error("the work was cancelled")]
    Cancelled,
    /// The source failed while it was read.
    #[error("the source failed while it was read: {0}")]
    Source(#[source] PortError),
    /// The source read out what cannot be.
    #[error("the source read out what cannot be: {0}")]
    Garbage(#[from] Garbage),
    /// The artifact store failed.
    #[error("the artifact store failed: {0}")]
    Artifacts(#[source] PortError),
    /// The vault failed; a shredded key ends here, for good.
    #[error("sealing or opening a spool failed: {0}")]
    Vault(#[from] VaultError),
    /// A spool is not what its report says: cut off, exchanged, or written by a later version.
    /// Spooling the source again helps.
    #[error("the spool {artifact} is damaged: {problem}; spool the source again")]
    Damaged {
        /// Which artifact.
        artifact: ArtifactKey,
        /// What does not fit.
        problem: &'static str,
    },
    /// The ZIP could not be formed.
    #[error("the archive could not be formed while {doing}")]
    Archive {
        /// At which step.
        doing: &'static str,
    },
}

/// What a source may not read out. Names collections and columns, never a value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Garbage {
    /// A row before any collection was announced.
    #[error("a row came before its collection; accepted is Item::Collection, then its rows")]
    RowBeforeCollection,
    /// A collection that was left and came again.
    #[error("collection {collection} came twice; accepted is each collection in one piece")]
    CollectionTwice {
        /// Which collection.
        collection: String,
    },
    /// A collection without columns.
    #[error("collection {collection} has no columns; accepted is one or more")]
    NoColumns {
        /// Which collection.
        collection: String,
    },
    /// Two columns of one name.
    #[error("collection {collection} has two columns {column}; accepted are distinct names")]
    ColumnTwice {
        /// Which collection.
        collection: String,
        /// Which column.
        column: String,
    },
    /// A row with too few or too many cells.
    #[error("a row of {collection} has {found} cells; accepted are {expected}, one per column")]
    Cells {
        /// Which collection.
        collection: String,
        /// How many columns it has.
        expected: usize,
        /// How many cells came.
        found: usize,
    },
    /// A row that is too large to stand in memory.
    #[error(
        "a row of {collection} is larger than {limit} bytes; hand large values over as Cell::File"
    )]
    RowTooLarge {
        /// Which collection.
        collection: String,
        /// How many bytes are accepted.
        limit: usize,
    },
    /// A file that goes on beyond the limit.
    #[error("a file of {collection} is larger than {limit} bytes, which is the limit set for one")]
    FileTooLarge {
        /// Which collection.
        collection: String,
        /// How many bytes are accepted.
        limit: u64,
    },
    /// A source that goes on beyond the limit.
    #[error(
        "at {collection} the source passed {limit} bytes, which is the limit set for all of it"
    )]
    SourceTooLarge {
        /// Which collection was being read.
        collection: String,
        /// How many bytes are accepted.
        limit: u64,
    },
    /// More collections, or more different withheld lines, than a report can carry.
    #[error("the source has more than {limit} {what}; that many are accepted")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
}
