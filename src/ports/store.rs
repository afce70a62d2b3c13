//! Where requests are kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};

use super::Fence;

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
    /// The encoded envelope, 64 KiB at most.
    pub bytes: Vec<u8>,
}

/// What a request is now: replaced as a whole by every commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The encoded state, the fold of all events; opaque.
    pub state: Vec<u8>,
    /// The encoded agenda, the effects and timers still to come; opaque.
    pub agenda: Vec<u8>,
    /// When a worker should next look at it; `None` when nothing is to do.
    pub wake_at: Option<DateTime<Utc>>,
    /// The deadline in force, as the first instant that is late; `None` when none runs.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it is still open.
    pub open: bool,
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
    /// Takes all of these, or the commit fails. What it holds already it may take again.
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
    /// New events; the first one's sequence follows the last stored one. May be empty.
    pub events: Vec<StoredEvent>,
    /// What the request is afterwards.
    pub snapshot: Snapshot,
    /// What happens to its locks.
    pub locks: LockChange,
    /// By which it is found again (`create` only; later commits leave it empty).
    pub people: Vec<KeyedDigest>,
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
    /// Until when nobody else claims it.
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
    /// The commit contradicts itself: a gap in the sequence, an event that is too large.
    #[error("the commit is malformed: {0}")]
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
/// - `create` never overwrites: a second one with the same id is [`StoreError::Exists`], and
///   nothing of it is stored. The same id under another controller is another request.
/// - `commit` writes events, snapshot and locks together, or nothing, durably before it returns.
/// - `commit` refuses another version than the stored one ([`StoreError::Conflict`]), and, when a
///   fence is shown, any but the newest, unreturned one ([`StoreError::LostLease`]). Whether the
///   lease has run out is not asked: only whether somebody else took it.
/// - Every commit adds 1 to the version; sequences have no gaps ([`StoreError::Malformed`]).
/// - Where a commit fails on several counts, an unknown request is told before a lost lease, a
///   lost lease before a conflict, a conflict before a malformed commit, that before a lock.
/// - Nothing of one controller is ever seen under another.
/// - `claim` gives a request to one worker at a time until its lease runs out or is released, and
///   with a larger fence each time. It finds what is due by an index: its cost does not grow with
///   the number of requests.
/// - A lock is exclusive or shared among requests; a request never blocks itself. Locks outlive
///   leases and processes; they end with [`LockChange::Release`] or `delete`.
/// - `due` and `find` are indexes too.
/// - Instants keep microseconds at least.
///
/// ```
/// use datarights::model::ControllerId;
/// use datarights::ports::{RequestStore, StoreError};
///
/// /// How many open requests of a controller are due before an instant.
/// async fn backlog(
///     store: &dyn RequestStore,
///     controller: &ControllerId,
///     before: chrono::DateTime<chrono::Utc>,
/// ) -> Result<usize, StoreError> {
///     Ok(store.due(controller, before, 1_000).await?.len())
/// }
/// ```
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Stores a new request (`expected` 0, no fence).
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError>;

    /// A request as it is now, or `None`.
    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError>;

    /// Changes a request.
    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError>;

    /// Its events after a sequence, oldest first, `limit` at most.
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

    /// Writes one chunk of a part (sealed; 1 MiB at most), replacing what was there.
    async fn put_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
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

    /// Deletes a part with all its chunks, or with `None` all parts of the request.
    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Leases requests whose `wake_at` is at or before `now`, earliest first, `limit` at most:
    /// of one controller, or of all (the one method that may look across controllers).
    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Prolongs a lease; [`StoreError::LostLease`] when somebody else has it.
    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Gives a lease back. One that was lost already is left alone, without an error.
    async fn release(&self, claim: &Claim) -> Result<(), StoreError>;

    /// The earliest `wake_at` of all requests that nobody holds a lease on after `now`, or the
    /// end of the earliest lease: when to claim next.
    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
        now: DateTime<Utc>,
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

    /// Deletes a request with its events, parts and locks, under version and fence like a commit.
    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError>;
}
