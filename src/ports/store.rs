//! Where requests are kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};

use super::Fence;

/// The largest encoded event, in bytes. What is larger lives in parts.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// The largest chunk of a part, in bytes.
pub const MAX_CHUNK_BYTES: usize = 1024 * 1024;

/// The longest name of a part, in bytes.
pub const MAX_PART_NAME_BYTES: usize = 512;

/// Who holds a lease, in the host's words; shown to staff.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WorkerId(pub String);

/// One event as it is kept: encoded by the workflow, opaque to the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEvent {
    /// Its place in the request's history, from 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of `bytes`; the next event holds it.
    pub digest: Digest,
    /// The encoded envelope, [`MAX_EVENT_BYTES`] at most.
    pub bytes: Vec<u8>,
}

/// What an operator should know of a request, beside its course: stores find it by that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// An effect failed and is tried again.
    Retrying,
    /// Something of it was set aside, for a person to decide.
    Aside,
}

impl Mark {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Retrying, Self::Aside];

    /// Its number, for stores to keep; never 0.
    pub const fn number(self) -> u8 {
        match self {
            Self::Retrying => 1,
            Self::Aside => 2,
        }
    }

    /// The mark of a number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a number of none.
    pub fn numbered(number: u8) -> Result<Self, StoreError> {
        let mark = Self::ALL.into_iter().find(|mark| mark.number() == number);
        mark.ok_or(StoreError::Corrupt("a mark is none"))
    }
}

/// Which requests of a controller are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// The open ones.
    Open,
    /// The open ones whose deadline is before an instant.
    DueBefore(DateTime<Utc>),
    /// Those with a mark, open or not.
    Marked(Mark),
}

/// What a request is now: replaced as a whole by every commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The encoded state, the fold of all events; opaque.
    pub state: Vec<u8>,
    /// The encoded agenda, the effects and timers still to come; opaque.
    pub agenda: Vec<u8>,
    /// When a worker should next look at it, closed or not; `None` when nothing is to do.
    pub wake_at: Option<DateTime<Utc>>,
    /// The deadline in force, as the first instant that is late; `None` when none runs.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it is still open.
    pub open: bool,
    /// What an operator should know of it.
    pub mark: Option<Mark>,
}

/// A request as it is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRequest {
    /// How many commits made it: 1 after `create`.
    pub version: u64,
    /// The sequence of its last event.
    pub sequence: u64,
    /// The digest of its last event.
    pub head: Digest,
    /// What it is now.
    pub snapshot: Snapshot,
}

/// A lock on a person's rows in one source. Many requests may read under it, one may write.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Lock {
    /// What is locked: a digest over source and locator.
    pub key: KeyedDigest,
    /// Whether it excludes everybody else (a write), or writers only (a read).
    pub exclusive: bool,
}

/// What a commit does with the request's locks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum LockChange {
    /// Nothing.
    #[default]
    Keep,
    /// Takes all of these, or the commit fails. What it holds already it may take again: a shared
    /// lock becomes exclusive if nobody shares it, an exclusive one stays exclusive; in one list
    /// too.
    Take(Vec<Lock>),
    /// Gives back all it holds.
    Release,
}

/// One change of one request: all of it happens, or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The request.
    pub request: RequestId,
    /// The version it was decided on; 0 to create.
    pub expected: u64,
    /// The lease it is made under; `None` for a person's command, which the version guards.
    pub fence: Option<Fence>,
    /// New events; the first one's sequence follows the last stored one. May be empty, but for
    /// `create`.
    pub events: Vec<StoredEvent>,
    /// What the request is afterwards.
    pub snapshot: Snapshot,
    /// What happens to its locks.
    pub locks: LockChange,
    /// By which it is found again, once if it stands here twice (`create` only; later commits
    /// leave it empty).
    pub people: Vec<KeyedDigest>,
    /// Parts that are there from the beginning (`create` only; later ones are put one by one
    /// before the commit that names them).
    pub parts: Vec<PartChunk>,
}

/// One chunk of a part: sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartChunk {
    /// The part's name within the request.
    pub part: String,
    /// Its number, from 0.
    pub chunk: u32,
    /// Its bytes, [`MAX_CHUNK_BYTES`] at most.
    pub bytes: Vec<u8>,
}

impl Commit {
    /// Whether it is well formed, after the last stored sequence or, with `None`, for `create`.
    /// Every store asks this, so that all of them refuse the same.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] says what is wrong.
    pub fn check(&self, stored: Option<u64>) -> Result<(), StoreError> {
        let malformed = |what| Err(StoreError::Malformed(what));
        match stored {
            None if self.expected != 0 => return malformed("create expects version 0"),
            None if self.fence.is_some() => return malformed("create shows no fence"),
            None if self.events.is_empty() => return malformed("a request begins with an event"),
            Some(_) if !self.people.is_empty() => return malformed("only create names people"),
            Some(_) if !self.parts.is_empty() => return malformed("only create brings parts"),
            _ => {}
        }
        let mut last = stored.unwrap_or(0);
        for event in &self.events {
            if last.checked_add(1) != Some(event.sequence) {
                return malformed("the sequence of the events has a gap");
            }
            if event.bytes.len() > MAX_EVENT_BYTES {
                return malformed("an event is larger than 64 KiB");
            }
            last = event.sequence;
        }
        for part in &self.parts {
            check_chunk(&part.part, &part.bytes)?;
        }
        Ok(())
    }
}

/// Whether a chunk of a part is well formed. Every store asks this in `put_part`.
///
/// # Errors
/// [`StoreError::Malformed`] says what is wrong.
pub fn check_chunk(part: &str, bytes: &[u8]) -> Result<(), StoreError> {
    if part.is_empty() || part.len() > MAX_PART_NAME_BYTES {
        return Err(StoreError::Malformed("a part's name has 1 to 512 bytes"));
    }
    if bytes.len() > MAX_CHUNK_BYTES {
        return Err(StoreError::Malformed("a chunk is larger than 1 MiB"));
    }
    Ok(())
}

/// A lease on a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Whose request.
    pub controller: ControllerId,
    /// Which request.
    pub request: RequestId,
    /// The number of this lease.
    pub fence: Fence,
    /// The first instant at which somebody may claim it again.
    pub until: DateTime<Utc>,
}

/// An open request and its deadline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Which request.
    pub request: RequestId,
    /// The first instant that is late.
    pub at: DateTime<Utc>,
}

/// Why a store did not do it. Told apart by type, never by text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// `create` met a request of that id.
    #[error("request {0} exists already")]
    Exists(RequestId),
    /// No such request for this controller.
    #[error("there is no request {0} for this controller")]
    Unknown(RequestId),
    /// Somebody else committed in between: load again and decide again.
    #[error("request {request} is at version {actual}, not at {expected}")]
    Conflict {
        /// Which request.
        request: RequestId,
        /// The version the commit was decided on.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// A newer lease exists, or this one was given back.
    #[error("the lease {fence:?} on request {request} is no longer the newest")]
    LostLease {
        /// Which request.
        request: RequestId,
        /// The lease that was shown.
        fence: Fence,
    },
    /// Another request holds a lock that this commit needs.
    #[error("request {by} works on the same person's rows")]
    Locked {
        /// Who holds it.
        by: RequestId,
    },
    /// What was to be written contradicts itself: a gap in the sequence, an event too large.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The store was written by a newer release.
    #[error("the store has schema {found}; this release knows up to {known}")]
    UnknownSchema {
        /// What is there.
        found: u32,
        /// The newest this release reads.
        known: u32,
    },
    /// What is stored cannot be read: damaged, or not ours.
    #[error("the store is damaged: {0}")]
    Corrupt(&'static str),
    /// There is no store at a place, and none can be made there.
    #[error(
        "`{place}` cannot be opened ({code}); accepted is a file of this store, or a new one in a \
         folder that exists and may be written"
    )]
    NotOpened {
        /// The place that was tried.
        place: String,
        /// The backend's code.
        code: String,
    },
    /// The store cannot write: read-only, full.
    #[error("the store cannot be written: {0}")]
    NotWritable(&'static str),
    /// The backend failed for another reason; the code is its own.
    #[error("the store failed: {code}")]
    Backend {
        /// The backend's code or ours, never its text.
        code: String,
        /// Whether trying again can help.
        temporary: bool,
    },
}

/// Where requests are kept.
///
/// # A correct implementation
/// - **Create** never overwrites: a second one with the same id is [`StoreError::Exists`], and
///   nothing of it is stored.
/// - **Tenants**: the same id under another controller is another request, and nothing of one
///   controller is ever seen, changed, locked or leased under another. Only `claim` and
///   `next_wake` may be asked for all at once.
/// - **Whole**: a commit writes events, snapshot, locks and (for `create`) parts together, or
///   nothing of them.
/// - **Durable**: what returned without an error is there after a crash (unless the store says
///   that it keeps nothing).
/// - **Version**: every commit adds 1; one that was decided on another version than the stored
///   one is a [`StoreError::Conflict`]. Of many that race for one version exactly one wins.
/// - **Fence**: where one is shown, any but the newest, unreturned one is
///   [`StoreError::LostLease`]. Whether the lease has run out is not asked: only whether somebody
///   else took it.
/// - **Form**: what [`Commit::check`] or [`check_chunk`] refuses is refused.
/// - **Precedence**: where a write fails on several counts, an unknown (or existing) request is
///   told before a lost lease, that before a conflict, that before a malformed commit, that before
///   a lock.
/// - **History** gives back what was committed, byte by byte, in order, in pages.
/// - **Claim** leases what may be claimed: requests with a `wake_at` at or before `now`, without a
///   lease that ends after `now`. Earliest first, by the later of `wake_at` and the end of the last
///   lease (so that one that kills its workers does not stay in front; one that was given back
///   counts no more); ties in any order.
///   A request goes to one worker at a time, and with a fence larger than any before, also when a
///   request of its id was deleted and created again. One that is being written at that very moment
///   may be left out: the next call finds it. Its cost does not grow with the number of requests.
/// - **Lease**: `renew` and a fenced write need the newest, unreturned fence; `release` of a lease
///   that was lost leaves the new one alone. A commit leaves the lease as it is. Once the request
///   was deleted, `renew` is [`StoreError::Unknown`], and `release` nothing.
/// - **Wake**: `next_wake` is the first instant at which `claim` would find something.
/// - **Due** knows open requests only, by an index.
/// - **Find** knows open requests only, in the order they were created, by an index.
/// - **Open** lists open requests only, in the order of their ids, in pages, by an index.
/// - **Marked** lists requests with a mark, open or not, in the order of their ids, in pages, by an
///   index that holds only such.
/// - **Count** says how many `open`, `due` and `marked` would list without a limit, by their
///   indexes: its cost grows with what it counts, not with what is closed.
/// - **Parts**: a chunk replaces the one of its number; a part ends with its request. Of an unknown
///   request none can be put or deleted.
/// - **Locks** are exclusive or shared among the requests of a controller; a request never blocks
///   itself. They outlive leases and processes; they end with [`LockChange::Release`] or `delete`.
/// - **Delete** leaves nothing of the request, and nothing of another is touched.
/// - **Instants** keep microseconds at least.
///
/// See `docs/write-a-store.md` for one that is built step by step.
///
/// ```
/// use datarights::model::ControllerId;
/// use datarights::ports::{Counted, RequestStore, StoreError};
///
/// /// How many open requests of a controller are due before an instant.
/// async fn backlog(
///     store: &dyn RequestStore,
///     controller: &ControllerId,
///     before: chrono::DateTime<chrono::Utc>,
/// ) -> Result<u64, StoreError> {
///     store.count(controller, Counted::DueBefore(before)).await
/// }
/// ```
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Stores a new request (`expected` 0, no fence, at least one event).
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError>;

    /// A request as it is now, or `None`.
    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError>;

    /// Changes a request.
    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError>;

    /// Its events after a sequence, oldest first, `limit` at most; none of an unknown request.
    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// The open requests of a person, by a digest they were created with, oldest first.
    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError>;

    /// Writes one chunk of a part (sealed; [`MAX_CHUNK_BYTES`] at most), replacing what was there.
    /// A worker shows its fence: one that lost its lease must not overwrite what the next one wrote.
    async fn put_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: &str,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError>;

    /// Reads one chunk of a part, or `None`.
    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Deletes a part with all its chunks, or with `None` all parts of the request. A part that is
    /// not there is no error; a request that is not there is [`StoreError::Unknown`].
    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Leases requests whose `wake_at` is at or before `now`, earliest first, `limit` at most:
    /// of one controller, or of all.
    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Sets the end of a lease, later or earlier; [`StoreError::LostLease`] when somebody else has
    /// it or it was given back.
    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Gives a lease back. One that was lost already is left alone, without an error.
    async fn release(&self, claim: &Claim) -> Result<(), StoreError>;

    /// When to claim next: the earliest instant at which `claim` would find something, which may
    /// have passed; `None` when nothing waits.
    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Open requests whose deadline is before an instant, earliest first, `limit` at most.
    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// Open requests in the order of their ids, after one, `limit` at most: for lists and repairs.
    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError>;

    /// Requests with a mark in the order of their ids, after one, `limit` at most.
    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError>;

    /// How many requests there are of a kind.
    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError>;

    /// Deletes a request with its events, parts and locks, under version and fence like a commit.
    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError>;
}
