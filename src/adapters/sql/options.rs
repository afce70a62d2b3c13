//! What a host says of a source besides its map, and why it cannot be opened.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::datamap::MapProblems;
use crate::model::{Personal, SourceId};
use crate::ports::PortError;

use super::layout::Keyless;
use super::rewrite::HostStrategy;

/// What a source is besides its map and its database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqlSourceOptions {
    /// How the host calls it.
    pub id: SourceId,
    /// What a person would call it.
    pub title: String,
    /// Sources that must be erased before this one: it holds what leads to them.
    pub erase_after: Vec<SourceId>,
    /// The key of pseudonyms: any bytes, 32 of them from a source of randomness for choice. The
    /// same key gives the same pseudonyms; lost, nobody can tell any more which they were.
    pub pseudonym_key: Option<Personal<Vec<u8>>>,
    /// Whether an erasure looks after the files too (SQLite). It answers *purged* where every
    /// connection of the pool overwrites what it deletes (`PRAGMA secure_delete = ON`), keeps what is
    /// temporary in memory (`PRAGMA temp_store = MEMORY`) and the log could be cut off, else *deleted*.
    /// What was freed before `secure_delete` was switched on needs one `VACUUM`, by the host.
    pub purge: bool,
    /// Whether the search after an erasure also looks by value
    /// ([`SqlSource::search_by_value`](super::SqlSource::search_by_value)). It reads every table of the database.
    pub by_value: bool,
    /// Whether several rows of one table of people are never one person: who is found as several, as a
    /// household by the number that it shares, is refused (`several_people`).
    pub one_row_each: bool,
    /// How many rows of a person one transaction of an erasure changes at most; without a number,
    /// one transaction erases everything ([`in_chunks_of`](Self::in_chunks_of)).
    pub chunk: Option<NonZeroU64>,
    /// What the host does to values, by the names that the map uses.
    pub strategies: Arc<BTreeMap<String, HostStrategy>>,
}

impl SqlSourceOptions {
    /// A source that depends on no other, without a key of pseudonyms.
    pub fn new(id: SourceId, title: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            erase_after: Vec::new(),
            pseudonym_key: None,
            purge: false,
            by_value: false,
            one_row_each: false,
            chunk: None,
            strategies: Arc::default(),
        }
    }

    /// Looks after the files too.
    #[must_use]
    pub const fn purging(mut self) -> Self {
        self.purge = true;
        self
    }

    /// Searches by value too, after an erasure.
    #[must_use]
    pub const fn searching_by_value(mut self) -> Self {
        self.by_value = true;
        self
    }

    /// Refuses who is found as several rows of people.
    #[must_use]
    pub const fn refusing_several_people(mut self) -> Self {
        self.one_row_each = true;
        self
    }

    /// Erases a person with more rows than that in several transactions of so many rows at most, so
    /// that locks and logs of the database stay small however many rows there are.
    ///
    /// Each transaction finds the rows anew, and asks anew what must be kept. If one fails, or the
    /// process dies, the next call goes on with what is left. What was done so far is answered by the
    /// call that ends the work, as one sum, also where the plan had to be made and approved anew in
    /// between; until then, nothing is answered as done. A call whose deadline is near answers
    /// *pending*. Counts of unfinished work belong to [`CallContext::request`](crate::ports::CallContext::request): keep the option as
    /// long as erasures are under way.
    ///
    /// Some rows go in the last transaction, however many they are: people; tables that refer to
    /// themselves or in a circle, and what those refer to; what decides how long other rows are kept;
    /// tables without a key in MariaDB; columns with a strategy of your own, `random` or `network`.
    /// Rows that are only hidden, or restricted because they are kept, are so at once.
    ///
    /// A plan tries out so many rows of each table at most, those to which nothing refers any more,
    /// and counts the others.
    #[must_use]
    pub const fn in_chunks_of(mut self, rows: NonZeroU64) -> Self {
        self.chunk = Some(rows);
        self
    }

    /// Erased after those.
    #[must_use]
    pub fn erased_after(mut self, sources: impl IntoIterator<Item = SourceId>) -> Self {
        self.erase_after = sources.into_iter().collect();
        self
    }

    /// With a strategy of the host's own, which the map calls `{ own = "name" }`.
    #[must_use]
    pub fn with_strategy(mut self, name: impl Into<String>, strategy: HostStrategy) -> Self {
        Arc::make_mut(&mut self.strategies).insert(name.into(), strategy);
        self
    }

    /// With a key of pseudonyms.
    #[must_use]
    pub fn with_pseudonym_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.pseudonym_key = Some(Personal::new(key.into()));
        self
    }
}

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlOpenError {
    /// Map and database do not agree.
    #[error(transparent)]
    Map(#[from] MapProblems),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] PortError),
    /// A table without a primary key that needs one: people, free text and files are written row
    /// by row; on PostgreSQL, also what is written twice. On SQLite, a key whose columns may be NULL is
    /// none, nor is anywhere that of a table from which others inherit.
    #[error(
        "the table `{0}` has no primary key that names its rows, and what the map says of it needs one \
         (SQLite: declare the key's columns NOT NULL)"
    )]
    Keyless(String),
    /// The map names a strategy of the host's that was not given.
    #[error("the map has the strategy `{0}`: give it with `with_strategy`")]
    UnknownStrategy(String),
    /// The map has pseudonyms or uses that end, and no key was given.
    #[error("the map has pseudonyms or uses that end: give a key with `with_pseudonym_key`")]
    NoPseudonymKey,
}

impl From<Keyless> for SqlOpenError {
    fn from(keyless: Keyless) -> Self {
        Self::Keyless(keyless.0)
    }
}
