//! A request store in memory: for tests and for trying things out. It ends with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{ControllerId, Digest, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Counted, Due, Fence, LockChange, Mark, RequestStore, Snapshot, StoreError,
    StoredEvent, StoredRequest, WorkerId, check_chunk,
};

/// A request store in memory. A clone is another handle on the same requests.
///
/// Keeps nothing over the end of the process. Its one error of its own is
/// [`StoreError::Backend`] with code `poisoned`, after a panic within it.
///
/// ```
/// use datarights::adapters::MemoryStore;
/// use datarights::model::ControllerId;
/// use datarights::ports::RequestStore;
///
/// # futures::executor::block_on(async {
/// let store = MemoryStore::new();
/// let acme = ControllerId::new("acme")?;
/// assert_eq!(store.next_wake(Some(&acme)).await?, None); // nothing to do yet
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.tables.lock().map_err(|_| StoreError::Backend {
            code: "poisoned".to_owned(),
            temporary: false,
        })
    }
}

type Key = (ControllerId, RequestId);

/// Before every other request in an index that ends with the id.
const FIRST: RequestId = RequestId::new(Uuid::nil());

#[derive(Debug, Default)]
struct Tables {
    requests: BTreeMap<Key, Row>,
    /// By the instant from which a request may be claimed: over all controllers, and within one.
    claimable: BTreeSet<(DateTime<Utc>, ControllerId, RequestId)>,
    claimable_of: BTreeSet<(ControllerId, DateTime<Utc>, RequestId)>,
    /// Open requests by their deadline.
    due: BTreeSet<(ControllerId, DateTime<Utc>, RequestId)>,
    /// Requests with a mark, and how many are open.
    marked: BTreeSet<(ControllerId, Mark, RequestId)>,
    open: BTreeMap<ControllerId, u64>,
    /// Open requests by person, in order of creation.
    people: BTreeSet<(ControllerId, KeyedDigest, u64, RequestId)>,
    /// Who holds a lock, and whether exclusively.
    locks: BTreeMap<(ControllerId, KeyedDigest), BTreeMap<RequestId, bool>>,
    /// How many requests were ever created: their order.
    created: u64,
    /// The newest fence. One row for all requests, so that none comes twice for any id.
    fence: u64,
}

#[derive(Debug)]
struct Row {
    created: u64,
    version: u64,
    snapshot: Snapshot,
    events: Vec<StoredEvent>,
    parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    people: Vec<KeyedDigest>,
    /// The locks it holds; how is in [`Tables::locks`].
    locks: BTreeSet<KeyedDigest>,
    lease: Option<Lease>,
}

/// A lease that was not given back, run out or not.
#[derive(Debug)]
struct Lease {
    fence: Fence,
    until: DateTime<Utc>,
}

impl Row {
    fn sequence(&self) -> u64 {
        self.events.last().map_or(0, |event| event.sequence)
    }

    /// The instant from which it may be claimed.
    fn claimable_at(&self) -> Option<DateTime<Utc>> {
        let wake = self.snapshot.wake_at?;
        Some(
            self.lease
                .as_ref()
                .map_or(wake, |lease| wake.max(lease.until)),
        )
    }

    fn due_at(&self) -> Option<DateTime<Utc>> {
        self.snapshot.due_at.filter(|_| self.snapshot.open)
    }

    fn check_fence(&self, request: RequestId, shown: Option<Fence>) -> Result<(), StoreError> {
        match (shown, &self.lease) {
            (None, _) => Ok(()),
            (Some(fence), Some(lease)) if lease.fence == fence => Ok(()),
            (Some(fence), _) => Err(StoreError::LostLease { request, fence }),
        }
    }

    fn check_version(&self, request: RequestId, expected: u64) -> Result<(), StoreError> {
        if self.version == expected {
            return Ok(());
        }
        Err(StoreError::Conflict {
            request,
            expected,
            actual: self.version,
        })
    }
}

impl Tables {
    fn row(&self, key: &Key) -> Result<&Row, StoreError> {
        self.requests.get(key).ok_or(StoreError::Unknown(key.1))
    }

    fn row_mut(&mut self, key: &Key) -> Result<&mut Row, StoreError> {
        self.requests.get_mut(key).ok_or(StoreError::Unknown(key.1))
    }

    /// Takes a request out of the indexes, before it changes.
    fn unindex(&mut self, key: &Key) {
        let Some(row) = self.requests.get(key) else {
            return;
        };
        let (controller, request) = key;
        if let Some(at) = row.claimable_at() {
            self.claimable.remove(&(at, controller.clone(), *request));
            self.claimable_of
                .remove(&(controller.clone(), at, *request));
        }
        if let Some(at) = row.due_at() {
            self.due.remove(&(controller.clone(), at, *request));
        }
        if let Some(mark) = row.snapshot.mark {
            self.marked.remove(&(controller.clone(), mark, *request));
        }
        if let Some(open) = self.open.get_mut(controller)
            && row.snapshot.open
        {
            *open -= 1;
        }
        for person in &row.people {
            self.people
                .remove(&(controller.clone(), *person, row.created, *request));
        }
    }

    /// Puts a request into the indexes, after it changed.
    fn index(&mut self, key: &Key) {
        let Some(row) = self.requests.get(key) else {
            return;
        };
        let (controller, request) = key;
        if let Some(at) = row.claimable_at() {
            self.claimable.insert((at, controller.clone(), *request));
            self.claimable_of.insert((controller.clone(), at, *request));
        }
        if let Some(at) = row.due_at() {
            self.due.insert((controller.clone(), at, *request));
        }
        if let Some(mark) = row.snapshot.mark {
            self.marked.insert((controller.clone(), mark, *request));
        }
        if row.snapshot.open {
            *self.open.entry(controller.clone()).or_default() += 1;
            for person in &row.people {
                self.people
                    .insert((controller.clone(), *person, row.created, *request));
            }
        }
    }

    /// Changes a request and its places in the indexes.
    fn change(&mut self, key: &Key, change: impl FnOnce(&mut Row)) -> Result<(), StoreError> {
        self.unindex(key);
        self.row_mut(key).map(change)?;
        self.index(key);
        Ok(())
    }

    fn check_locks(&self, key: &Key, change: &LockChange) -> Result<(), StoreError> {
        let LockChange::Take(wanted) = change else {
            return Ok(());
        };
        for lock in wanted {
            let Some(holders) = self.locks.get(&(key.0.clone(), lock.key)) else {
                continue;
            };
            let blocking = holders
                .iter()
                .find(|(holder, exclusive)| **holder != key.1 && (lock.exclusive || **exclusive));
            if let Some((by, _)) = blocking {
                return Err(StoreError::Locked { by: *by });
            }
        }
        Ok(())
    }

    fn change_locks(&mut self, key: &Key, change: LockChange) -> Result<(), StoreError> {
        match change {
            LockChange::Keep => {}
            LockChange::Release => self.release_locks(key)?,
            LockChange::Take(wanted) => {
                for lock in wanted {
                    self.row_mut(key)?.locks.insert(lock.key);
                    let holders = self.locks.entry((key.0.clone(), lock.key)).or_default();
                    *holders.entry(key.1).or_default() |= lock.exclusive;
                }
            }
        }
        Ok(())
    }

    fn release_locks(&mut self, key: &Key) -> Result<(), StoreError> {
        for lock in std::mem::take(&mut self.row_mut(key)?.locks) {
            let place = (key.0.clone(), lock);
            if let Some(holders) = self.locks.get_mut(&place) {
                holders.remove(&key.1);
                if holders.is_empty() {
                    self.locks.remove(&place);
                }
            }
        }
        Ok(())
    }
}

fn key(controller: &ControllerId, request: RequestId) -> Key {
    (controller.clone(), request)
}

#[async_trait]
impl RequestStore for MemoryStore {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let key = key(controller, commit.request);
        if tables.requests.contains_key(&key) {
            return Err(StoreError::Exists(commit.request));
        }
        commit.check(None)?;
        tables.check_locks(&key, &commit.locks)?;
        tables.created += 1;
        let mut parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>> = BTreeMap::new();
        for part in commit.parts {
            parts
                .entry(part.part)
                .or_default()
                .insert(part.chunk, part.bytes);
        }
        let row = Row {
            created: tables.created,
            version: 1,
            snapshot: commit.snapshot,
            events: commit.events,
            parts,
            people: commit.people,
            locks: BTreeSet::new(),
            lease: None,
        };
        tables.requests.insert(key.clone(), row);
        tables.change_locks(&key, commit.locks)?;
        tables.index(&key);
        Ok(())
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let tables = self.tables()?;
        Ok(tables
            .requests
            .get(&key(controller, request))
            .map(|row| StoredRequest {
                version: row.version,
                sequence: row.sequence(),
                head: row
                    .events
                    .last()
                    .map_or_else(Digest::default, |event| event.digest),
                snapshot: row.snapshot.clone(),
            }))
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let key = key(controller, commit.request);
        let row = tables.row(&key)?;
        row.check_fence(commit.request, commit.fence)?;
        row.check_version(commit.request, commit.expected)?;
        commit.check(Some(row.sequence()))?;
        tables.check_locks(&key, &commit.locks)?;
        tables.change(&key, |row| {
            row.version += 1;
            row.events.extend(commit.events);
            row.snapshot = commit.snapshot;
        })?;
        tables.change_locks(&key, commit.locks)
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables()?;
        let Some(row) = tables.requests.get(&key(controller, request)) else {
            return Ok(Vec::new());
        };
        let start = row.events.partition_point(|event| event.sequence <= after);
        Ok(row.events.iter().skip(start).take(limit).cloned().collect())
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        let tables = self.tables()?;
        Ok(tables
            .people
            .range((controller.clone(), *person, 0, FIRST)..)
            .take_while(|(of, whose, ..)| of == controller && whose == person)
            .map(|(.., request)| *request)
            .collect())
    }

    async fn put_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: &str,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let row = tables.row_mut(&key(controller, request))?;
        row.check_fence(request, fence)?;
        check_chunk(part, &bytes)?;
        row.parts
            .entry(part.to_owned())
            .or_default()
            .insert(chunk, bytes);
        Ok(())
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = self.tables()?;
        Ok(tables
            .requests
            .get(&key(controller, request))
            .and_then(|row| row.parts.get(part)?.get(&chunk).cloned()))
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let row = tables.row_mut(&key(controller, request))?;
        row.check_fence(request, fence)?;
        match part {
            Some(part) => {
                row.parts.remove(part);
            }
            None => row.parts.clear(),
        }
        Ok(())
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        _worker: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let mut tables = self.tables()?;
        let keys: Vec<Key> = match controller {
            Some(controller) => tables
                .claimable_of
                .range((controller.clone(), DateTime::<Utc>::MIN_UTC, FIRST)..)
                .take_while(|(of, at, _)| of == controller && *at <= now)
                .take(limit)
                .map(|(of, _, request)| (of.clone(), *request))
                .collect(),
            None => tables
                .claimable
                .iter()
                .take_while(|(at, ..)| *at <= now)
                .take(limit)
                .map(|(_, of, request)| (of.clone(), *request))
                .collect(),
        };
        let mut claims = Vec::with_capacity(keys.len());
        for key in keys {
            tables.fence += 1;
            let fence = Fence(tables.fence);
            tables.change(&key, |row| row.lease = Some(Lease { fence, until }))?;
            claims.push(Claim {
                controller: key.0,
                request: key.1,
                fence,
                until,
            });
        }
        Ok(claims)
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let key = key(&claim.controller, claim.request);
        let fence = claim.fence;
        tables.row(&key)?.check_fence(claim.request, Some(fence))?;
        tables.change(&key, |row| row.lease = Some(Lease { fence, until }))
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let key = key(&claim.controller, claim.request);
        let Some(row) = tables.requests.get(&key) else {
            return Ok(());
        };
        if row.check_fence(claim.request, Some(claim.fence)).is_err() {
            return Ok(());
        }
        tables.change(&key, |row| row.lease = None)
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let tables = self.tables()?;
        Ok(match controller {
            Some(controller) => tables
                .claimable_of
                .range((controller.clone(), DateTime::<Utc>::MIN_UTC, FIRST)..)
                .next()
                .filter(|(of, ..)| of == controller)
                .map(|(_, at, _)| *at),
            None => tables.claimable.first().map(|(at, ..)| *at),
        })
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let tables = self.tables()?;
        Ok(tables
            .due
            .range((controller.clone(), DateTime::<Utc>::MIN_UTC, FIRST)..)
            .take_while(|(of, at, _)| of == controller && *at < before)
            .take(limit)
            .map(|(_, at, request)| Due {
                request: *request,
                at: *at,
            })
            .collect())
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let tables = self.tables()?;
        let from = after.map_or(Bound::Included(FIRST), Bound::Excluded);
        Ok(tables
            .requests
            .range((from.map(|id| (controller.clone(), id)), Bound::Unbounded))
            .take_while(|((of, _), _)| of == controller)
            .filter(|(_, row)| row.snapshot.open)
            .map(|((_, request), _)| *request)
            .take(limit)
            .collect())
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let tables = self.tables()?;
        let from = after.map_or(Bound::Included(FIRST), Bound::Excluded);
        let from = from.map(|id| (controller.clone(), mark, id));
        Ok(tables
            .marked
            .range((from, Bound::Unbounded))
            .take_while(|(of, with, _)| of == controller && *with == mark)
            .map(|(.., request)| *request)
            .take(limit)
            .collect())
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        let tables = self.tables()?;
        let first = controller.clone();
        let counted = match what {
            Counted::Open => return Ok(tables.open.get(controller).copied().unwrap_or(0)),
            Counted::DueBefore(before) => tables
                .due
                .range(
                    (first, DateTime::<Utc>::MIN_UTC, FIRST)..(controller.clone(), before, FIRST),
                )
                .count(),
            Counted::Marked(mark) => tables
                .marked
                .range((first, mark, FIRST)..)
                .take_while(|(of, with, _)| of == controller && *with == mark)
                .count(),
        };
        Ok(counted as u64)
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let key = key(controller, request);
        let row = tables.row(&key)?;
        row.check_fence(request, fence)?;
        row.check_version(request, expected)?;
        tables.unindex(&key);
        tables.release_locks(&key)?;
        tables.requests.remove(&key);
        Ok(())
    }
}
