//! What the checks write and expect: small, recognisable, the same in every run.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Counted, Due, Fence, Lock, LockChange, Mark, PartChunk, RequestStore, Snapshot,
    StoreError, StoredEvent, StoredRequest, WorkerId,
};

use super::super::contract::{Checked, Seen};

/// One of two controllers, of which one name begins with the other.
pub(super) fn controller(n: usize) -> Result<ControllerId, Seen> {
    let name = if n == 0 { "acme" } else { "acme-eu" };
    ControllerId::new(name).map_err(Seen::from)
}

pub(super) fn id(n: u128) -> RequestId {
    RequestId::new(Uuid::from_u128(n))
}

pub(super) fn person(n: u8) -> KeyedDigest {
    KeyedDigest::from_bytes([n; 32])
}

pub(super) fn worker() -> WorkerId {
    WorkerId("suite".to_owned())
}

/// So many seconds after the beginning of 2026.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + seconds)
}

pub(super) fn shared(n: u8) -> Lock {
    Lock {
        key: person(n),
        exclusive: false,
    }
}

pub(super) fn exclusive(n: u8) -> Lock {
    Lock {
        key: person(n),
        exclusive: true,
    }
}

pub(super) fn part(part: &str, chunk: u32, bytes: &[u8]) -> PartChunk {
    PartChunk {
        part: part.to_owned(),
        chunk,
        bytes: bytes.to_vec(),
    }
}

pub(super) fn event(sequence: u64, bytes: &[u8]) -> StoredEvent {
    StoredEvent {
        sequence,
        digest: Digest::of(bytes),
        bytes: bytes.to_vec(),
    }
}

/// An open request of one event, with nothing to do and no deadline.
pub(super) fn born(request: RequestId) -> Commit {
    Commit {
        request,
        expected: 0,
        fence: None,
        events: vec![event(1, b"received")],
        snapshot: Snapshot {
            state: b"received".to_vec(),
            agenda: b"nothing".to_vec(),
            wake_at: None,
            due_at: None,
            open: true,
            mark: None,
        },
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}

/// A commit of one event after `version` others of one event each.
pub(super) fn next(request: RequestId, version: u64) -> Commit {
    Commit {
        expected: version,
        events: vec![event(version + 1, format!("event {version}").as_bytes())],
        ..born(request)
    }
}

/// Small changes of a commit, to be read in a row.
pub(super) trait Tweak: Sized {
    fn wake(self, seconds: impl Into<Option<i64>>) -> Self;
    fn due(self, seconds: impl Into<Option<i64>>) -> Self;
    fn closed(self) -> Self;
    fn marked(self, mark: Mark) -> Self;
    fn under(self, fence: Fence) -> Self;
    fn take(self, locks: impl Into<Vec<Lock>>) -> Self;
    fn release(self) -> Self;
    fn of(self, people: impl Into<Vec<KeyedDigest>>) -> Self;
    fn with(self, parts: impl Into<Vec<PartChunk>>) -> Self;
    fn state(self, state: &str) -> Self;
    fn events(self, events: Vec<StoredEvent>) -> Self;
}

impl Tweak for Commit {
    fn wake(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.snapshot.wake_at = seconds.into().map(at);
        self
    }
    fn due(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.snapshot.due_at = seconds.into().map(at);
        self
    }
    fn closed(mut self) -> Self {
        self.snapshot.open = false;
        self
    }
    fn marked(mut self, mark: Mark) -> Self {
        self.snapshot.mark = Some(mark);
        self
    }
    fn under(mut self, fence: Fence) -> Self {
        self.fence = Some(fence);
        self
    }
    fn take(mut self, locks: impl Into<Vec<Lock>>) -> Self {
        self.locks = LockChange::Take(locks.into());
        self
    }
    fn release(mut self) -> Self {
        self.locks = LockChange::Release;
        self
    }
    fn of(mut self, people: impl Into<Vec<KeyedDigest>>) -> Self {
        self.people = people.into();
        self
    }
    fn with(mut self, parts: impl Into<Vec<PartChunk>>) -> Self {
        self.parts = parts.into();
        self
    }
    fn state(mut self, state: &str) -> Self {
        self.snapshot.state = state.as_bytes().to_vec();
        self
    }
    fn events(mut self, events: Vec<StoredEvent>) -> Self {
        self.events = events;
        self
    }
}

/// All of a request that can be seen without changing it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Image {
    pub(super) loaded: Option<StoredRequest>,
    pub(super) history: Vec<StoredEvent>,
    /// Parts `a` and `b`, chunks 0 and 1.
    pub(super) parts: Vec<Option<Vec<u8>>>,
    /// Of people 1 to 3.
    pub(super) found: Vec<Vec<RequestId>>,
    pub(super) due: Vec<Due>,
    pub(super) open: Vec<RequestId>,
    /// With each mark.
    pub(super) marked: Vec<Vec<RequestId>>,
    /// Open, due and with each mark.
    pub(super) counts: Vec<u64>,
    pub(super) wake: Option<DateTime<Utc>>,
}

pub(super) async fn image(
    store: &dyn RequestStore,
    controller: &ControllerId,
    request: RequestId,
) -> Result<Image, StoreError> {
    let mut parts = Vec::new();
    for part in ["a", "b"] {
        for chunk in [0, 1] {
            parts.push(store.read_part(controller, request, part, chunk).await?);
        }
    }
    let mut found = Vec::new();
    for n in 1..=3 {
        found.push(store.find(controller, &person(n)).await?);
    }
    let mut marked = Vec::new();
    let last = DateTime::<Utc>::MAX_UTC;
    let mut counts = Vec::new();
    for what in [Counted::Open, Counted::DueBefore(last)] {
        counts.push(store.count(controller, what).await?);
    }
    for mark in Mark::ALL {
        marked.push(store.marked(controller, mark, None, usize::MAX).await?);
        counts.push(store.count(controller, Counted::Marked(mark)).await?);
    }
    Ok(Image {
        loaded: store.load(controller, request).await?,
        history: store.history(controller, request, 0, usize::MAX).await?,
        parts,
        found,
        due: store
            .due(controller, DateTime::<Utc>::MAX_UTC, usize::MAX)
            .await?,
        open: store.open(controller, None, usize::MAX).await?,
        marked,
        counts,
        wake: store.next_wake(Some(controller)).await?,
    })
}

/// Claims all that may be claimed at an instant, for 100 seconds.
pub(super) async fn claim_at(
    store: &dyn RequestStore,
    controller: &ControllerId,
    seconds: i64,
) -> Result<Vec<Claim>, StoreError> {
    store
        .claim(
            Some(controller),
            &worker(),
            at(seconds),
            at(seconds + 100),
            usize::MAX,
        )
        .await
}

/// Claims the one request that may be claimed.
pub(super) async fn claim_one(
    store: &dyn RequestStore,
    controller: &ControllerId,
    seconds: i64,
) -> Result<Claim, Seen> {
    let mut claims = claim_at(store, controller, seconds).await?;
    match (claims.pop(), claims.len()) {
        (Some(claim), 0) => Ok(claim),
        (_, others) => Err(Seen(format!(
            "one request could be claimed at {seconds} s, and {others} others were or none"
        ))),
    }
}

/// SplitMix64: enough for tests, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Once in `n` times.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub(super) fn conflict(request: RequestId, expected: u64, actual: u64) -> StoreError {
    StoreError::Conflict {
        request,
        expected,
        actual,
    }
}

pub(super) fn lost(request: RequestId, fence: Fence) -> StoreError {
    StoreError::LostLease { request, fence }
}

pub(super) fn requests(claims: &[Claim]) -> Vec<RequestId> {
    claims.iter().map(|claim| claim.request).collect()
}

/// Whether it was refused as malformed, whatever the reason says.
pub(super) fn malformed<T: std::fmt::Debug>(answer: Result<T, StoreError>, what: &str) -> Checked {
    match answer {
        Err(StoreError::Malformed(_)) => Ok(()),
        other => Err(Seen(format!("{what}: saw {other:?}, not malformed"))),
    }
}
