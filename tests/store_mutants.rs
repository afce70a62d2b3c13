//! Proof that the store suite bites: a plain store passes it, and with any one fault put into it
//! it fails, on the line of the contract that the fault breaks.
#![cfg(feature = "testkit")]
#![allow(clippy::expect_used)] // helpers of tests

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use datarights::model::{ControllerId, KeyedDigest, RequestId};
use datarights::ports::{
    Claim, Commit, Counted, Due, Fence, Lock, LockChange, Mark, RequestStore, Snapshot, StoreError,
    StoredEvent, StoredRequest, WorkerId, check_chunk,
};
use datarights::testkit::store_suite::{Fixture, StoreLine, Suite};

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Nothing,
    CreateOverwrites,
    CreateKeepsPeople,
    CreateAfterLookingAside,
    IgnoresVersion,
    SplitsReadAndWrite,
    CommitsTwo,
    IgnoresFence,
    FenceByTheClock,
    AnyOldFence,
    EventsBeforeChecks,
    StateWithoutEvents,
    LocksBeforeChecks,
    SomeLocksOfMany,
    PeopleOfFailedCreate,
    IgnoresForm,
    SequencesMayJump,
    ConflictBeforeLease,
    LockBeforeForm,
    ReadsLeak,
    FindLeaks,
    DueLeaks,
    WakeLeaks,
    ClaimLeaks,
    LocksLeak,
    DeleteLeaks,
    HistoryBackwards,
    HistoryInclusive,
    HistoryIgnoresLimit,
    HistoryTruncates,
    ClaimsLeased,
    ClaimsEarly,
    ClaimsLate,
    ClaimInOrderOfCreation,
    ClaimByWakeOnly,
    ClaimSkipsClosed,
    FenceStands,
    FenceStartsAnew,
    ClaimTwoAtOnce,
    CommitEndsLease,
    RenewIgnoresFence,
    RenewOnlyProlongs,
    ReleaseIgnoresFence,
    ReleaseForgets,
    ReleaseKeepsFence,
    WakeIgnoresLease,
    WakeSkipsLeased,
    DueIncludesClosed,
    DueIncludesNow,
    DueUnordered,
    DueStale,
    FindIncludesClosed,
    FindById,
    FindForgetsAtCommit,
    OpenLeaks,
    OpenIncludesClosed,
    OpenInOrderOfCreation,
    OpenInclusive,
    MarkedLeaks,
    MarkedOpenOnly,
    MarkedInOrderOfCreation,
    MarkedAnyMark,
    MarkStays,
    CountsClosed,
    CountsDueNow,
    CountsAll,
    CreateForgetsParts,
    PartsOfRefusedCreate,
    PartsAppend,
    PartsFirstWins,
    PartsIgnoreFence,
    DeletePartTakesAll,
    PartsOutliveRequests,
    PartsOfNothing,
    SharedIsExclusive,
    ExclusiveIsShared,
    LocksBlockSelf,
    LocksEndWithLease,
    LocksEndWithClosing,
    LockWeakens,
    LooksAsideAfterLocks,
    ReleaseTakesAll,
    ReleaseDoesNothing,
    DeleteKeepsLocks,
    DeleteIgnoresVersion,
    DeleteIgnoresFence,
    DeleteKeepsHistory,
    Milliseconds,
    Forgets,
    ForgetsLeases,
    Panics,
}
use Fault::*;

/// Every fault, and the line it breaks.
const MUTANTS: &[(Fault, StoreLine)] = &[
    (CreateOverwrites, StoreLine::Create),
    (CreateKeepsPeople, StoreLine::Create),
    (CreateAfterLookingAside, StoreLine::Create),
    (IgnoresVersion, StoreLine::Version),
    (SplitsReadAndWrite, StoreLine::Version),
    (CommitsTwo, StoreLine::Version),
    (IgnoresFence, StoreLine::Fence),
    (FenceByTheClock, StoreLine::Fence),
    (AnyOldFence, StoreLine::Fence),
    (EventsBeforeChecks, StoreLine::Whole),
    (StateWithoutEvents, StoreLine::Whole),
    (LocksBeforeChecks, StoreLine::Whole),
    (SomeLocksOfMany, StoreLine::Whole),
    (PeopleOfFailedCreate, StoreLine::Whole),
    (IgnoresForm, StoreLine::Form),
    (SequencesMayJump, StoreLine::Form),
    (ConflictBeforeLease, StoreLine::Precedence),
    (LockBeforeForm, StoreLine::Precedence),
    (ReadsLeak, StoreLine::Tenants),
    (FindLeaks, StoreLine::Tenants),
    (DueLeaks, StoreLine::Tenants),
    (WakeLeaks, StoreLine::Tenants),
    (ClaimLeaks, StoreLine::Tenants),
    (LocksLeak, StoreLine::Tenants),
    (DeleteLeaks, StoreLine::Tenants),
    (HistoryBackwards, StoreLine::History),
    (HistoryInclusive, StoreLine::History),
    (HistoryIgnoresLimit, StoreLine::History),
    (HistoryTruncates, StoreLine::History),
    (ClaimsLeased, StoreLine::Claim),
    (ClaimsEarly, StoreLine::Claim),
    (ClaimsLate, StoreLine::Claim),
    (ClaimInOrderOfCreation, StoreLine::Claim),
    (ClaimByWakeOnly, StoreLine::Claim),
    (ClaimSkipsClosed, StoreLine::Claim),
    (FenceStands, StoreLine::Claim),
    (FenceStartsAnew, StoreLine::Claim),
    (ClaimTwoAtOnce, StoreLine::Claim),
    (CommitEndsLease, StoreLine::Lease),
    (RenewIgnoresFence, StoreLine::Lease),
    (RenewOnlyProlongs, StoreLine::Lease),
    (ReleaseIgnoresFence, StoreLine::Lease),
    (ReleaseForgets, StoreLine::Lease),
    (ReleaseKeepsFence, StoreLine::Fence),
    (WakeIgnoresLease, StoreLine::Wake),
    (WakeSkipsLeased, StoreLine::Wake),
    (DueIncludesClosed, StoreLine::Due),
    (DueIncludesNow, StoreLine::Due),
    (DueUnordered, StoreLine::Due),
    (DueStale, StoreLine::Due),
    (FindIncludesClosed, StoreLine::Find),
    (FindById, StoreLine::Find),
    (FindForgetsAtCommit, StoreLine::Find),
    (OpenLeaks, StoreLine::Open),
    (OpenIncludesClosed, StoreLine::Open),
    (OpenInOrderOfCreation, StoreLine::Open),
    (OpenInclusive, StoreLine::Open),
    (MarkedLeaks, StoreLine::Marked),
    (MarkedOpenOnly, StoreLine::Marked),
    (MarkedInOrderOfCreation, StoreLine::Marked),
    (MarkedAnyMark, StoreLine::Marked),
    (MarkStays, StoreLine::Marked),
    (CountsClosed, StoreLine::Count),
    (CountsDueNow, StoreLine::Count),
    (CountsAll, StoreLine::Count),
    (CreateForgetsParts, StoreLine::Create),
    (PartsOfRefusedCreate, StoreLine::Create),
    (PartsAppend, StoreLine::Parts),
    (PartsFirstWins, StoreLine::Parts),
    (PartsIgnoreFence, StoreLine::Parts),
    (DeletePartTakesAll, StoreLine::Parts),
    (PartsOutliveRequests, StoreLine::Delete),
    (PartsOfNothing, StoreLine::Parts),
    (SharedIsExclusive, StoreLine::Locks),
    (ExclusiveIsShared, StoreLine::Locks),
    (LocksBlockSelf, StoreLine::Locks),
    (LocksEndWithLease, StoreLine::Locks),
    (LocksEndWithClosing, StoreLine::Locks),
    (LockWeakens, StoreLine::Locks),
    (LooksAsideAfterLocks, StoreLine::Locks),
    (ReleaseTakesAll, StoreLine::Locks),
    (ReleaseDoesNothing, StoreLine::Locks),
    (DeleteKeepsLocks, StoreLine::Locks),
    (DeleteIgnoresVersion, StoreLine::Delete),
    (DeleteIgnoresFence, StoreLine::Delete),
    (DeleteKeepsHistory, StoreLine::Delete),
    (Milliseconds, StoreLine::Instants),
    (Forgets, StoreLine::Durable),
    (ForgetsLeases, StoreLine::Durable),
    (Panics, StoreLine::Find),
];

/// A store that searches one list from end to end, with room for one fault.
struct Plain {
    fault: Fault,
    content: std::sync::Arc<Mutex<Content>>,
}

#[derive(Clone, Default)]
struct Content {
    rows: Vec<Row>,
    fence: u64,
    /// What faulty stores leave lying about.
    orphans: Vec<(ControllerId, RequestId, KeyedDigest)>,
    left: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    controller: ControllerId,
    request: RequestId,
    version: u64,
    snapshot: Snapshot,
    first_due: Option<DateTime<Utc>>,
    events: Vec<StoredEvent>,
    people: Vec<KeyedDigest>,
    parts: BTreeMap<(String, u32), Vec<u8>>,
    locks: Vec<Lock>,
    lease: Option<(u64, DateTime<Utc>)>,
    newest: u64,
}

impl Row {
    fn of(controller: &ControllerId, request: RequestId) -> Self {
        Self {
            controller: controller.clone(),
            request,
            version: 0,
            snapshot: Snapshot::default(),
            first_due: None,
            events: Vec::new(),
            people: Vec::new(),
            parts: BTreeMap::new(),
            locks: Vec::new(),
            lease: None,
            newest: 0,
        }
    }

    fn claimable_at(&self, fault: Fault) -> Option<DateTime<Utc>> {
        let wake = self.snapshot.wake_at?;
        match self.lease {
            Some((_, until)) if fault != ClaimsLeased => Some(wake.max(until)),
            _ => Some(wake),
        }
    }
}

impl Plain {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            content: Default::default(),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("not poisoned")
    }

    fn find_row(
        &self,
        content: &Content,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<usize, StoreError> {
        content
            .rows
            .iter()
            .position(|row| row.controller == *controller && row.request == request)
            .ok_or(StoreError::Unknown(request))
    }

    fn check_fence(&self, row: &Row, shown: Option<Fence>) -> Result<(), StoreError> {
        let Some(fence) = shown else { return Ok(()) };
        let right = match row.lease {
            _ if self.has(IgnoresFence) => true,
            _ if self.has(AnyOldFence) => fence.0 <= row.newest && fence.0 > 0,
            // "Ran out" by a clock of its own, which the contract does not ask for.
            Some((_, until)) if self.has(FenceByTheClock) && until < row_clock() => false,
            Some((newest, _)) => fence.0 == newest,
            None if self.has(ReleaseKeepsFence) => fence.0 == row.newest,
            None => false,
        };
        if right {
            return Ok(());
        }
        Err(StoreError::LostLease {
            request: row.request,
            fence,
        })
    }

    fn check_version(&self, row: &Row, expected: u64) -> Result<(), StoreError> {
        if row.version == expected || self.has(IgnoresVersion) {
            return Ok(());
        }
        Err(StoreError::Conflict {
            request: row.request,
            expected,
            actual: row.version,
        })
    }

    fn check_form(&self, commit: &Commit, stored: Option<u64>) -> Result<(), StoreError> {
        match commit.check(stored) {
            Err(StoreError::Malformed(_)) if self.has(IgnoresForm) => Ok(()),
            Err(StoreError::Malformed(what)) if self.has(SequencesMayJump) => {
                if what.contains("gap")
                    && commit
                        .events
                        .iter()
                        .all(|e| e.sequence > stored.unwrap_or(0))
                {
                    return Ok(());
                }
                Err(StoreError::Malformed(what))
            }
            other => other,
        }
    }

    fn check_locks(
        &self,
        content: &Content,
        controller: &ControllerId,
        commit: &Commit,
    ) -> Result<(), StoreError> {
        let LockChange::Take(wanted) = &commit.locks else {
            return Ok(());
        };
        for row in content.rows.iter().chain(&content.left) {
            let own = row.request == commit.request && row.controller == *controller;
            if own && !self.has(LocksBlockSelf)
                || row.controller != *controller && !self.has(LocksLeak)
                || self.has(LocksEndWithLease) && row.lease.is_none() && row.newest > 0
                || self.has(LocksEndWithClosing) && !row.snapshot.open
            {
                continue;
            }
            for (held, want) in row
                .locks
                .iter()
                .flat_map(|held| wanted.iter().map(move |want| (held, want)))
            {
                let blocks = held.exclusive || want.exclusive || self.has(SharedIsExclusive);
                if held.key == want.key && blocks && !self.has(ExclusiveIsShared) {
                    return Err(StoreError::Locked { by: row.request });
                }
            }
        }
        Ok(())
    }

    fn change_locks(&self, content: &mut Content, at: usize, change: &LockChange) {
        match change {
            LockChange::Take(wanted) => {
                if self.has(LockWeakens) {
                    let again = |held: &Lock| wanted.iter().any(|want| want.key == held.key);
                    content.rows[at].locks.retain(|held| !again(held));
                }
                content.rows[at].locks.extend(wanted.clone());
            }
            LockChange::Release if self.has(ReleaseTakesAll) => {
                let freed = std::mem::take(&mut content.rows[at].locks);
                for row in &mut content.rows {
                    row.locks
                        .retain(|held| freed.iter().all(|lock| lock.key != held.key));
                }
            }
            LockChange::Release if !self.has(ReleaseDoesNothing) => content.rows[at].locks.clear(),
            _ => {}
        }
    }

    fn kept(&self, mut snapshot: Snapshot) -> Snapshot {
        if self.has(Milliseconds) {
            snapshot.wake_at = snapshot.wake_at.map(|at| at.trunc_subsecs(3));
            snapshot.due_at = snapshot.due_at.map(|at| at.trunc_subsecs(3));
        }
        snapshot
    }
}

/// Holds the gap between a look and a write open, so that a race falls in.
fn let_others_in() {
    (0..1_000).for_each(|_| std::thread::yield_now());
}

/// Where the faulty clock stands: long after every lease of the suite.
fn row_clock() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(100 * 365)
}

#[async_trait]
impl RequestStore for Plain {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let mut content = self.content();
        let there = self.find_row(&content, controller, commit.request).ok();
        if self.has(CreateAfterLookingAside) {
            drop(content);
            let_others_in();
            content = self.content();
        }
        if let Some(at) = there {
            if self.has(PartsOfRefusedCreate) {
                for chunk in &commit.parts {
                    let place = (chunk.part.clone(), chunk.chunk);
                    content.rows[at].parts.insert(place, chunk.bytes.clone());
                }
            }
            if self.has(CreateKeepsPeople) {
                content.rows[at].people.extend(commit.people.clone());
            } else if self.has(CreateOverwrites) {
                content.rows.remove(at);
            }
            if !self.has(CreateOverwrites) {
                return Err(StoreError::Exists(commit.request));
            }
        }
        if self.has(PeopleOfFailedCreate) {
            for person in &commit.people {
                content
                    .orphans
                    .push((controller.clone(), commit.request, *person));
            }
        }
        if self.has(LockBeforeForm) {
            self.check_locks(&content, controller, &commit)?;
        }
        self.check_form(&commit, None)?;
        self.check_locks(&content, controller, &commit)?;
        let at = content.rows.len();
        content.rows.push(Row {
            version: 1,
            first_due: commit.snapshot.due_at,
            snapshot: self.kept(commit.snapshot),
            events: commit.events,
            people: commit.people,
            ..Row::of(controller, commit.request)
        });
        if !self.has(CreateForgetsParts) {
            let parts = commit.parts.into_iter();
            content.rows[at].parts = parts
                .map(|chunk| ((chunk.part, chunk.chunk), chunk.bytes))
                .collect();
        }
        if self.has(PartsOutliveRequests) {
            let left = content
                .left
                .iter()
                .find(|row| row.request == commit.request);
            if let Some(parts) = left.map(|row| row.parts.clone()) {
                content.rows[at].parts = parts;
            }
        }
        self.change_locks(&mut content, at, &commit.locks);
        Ok(())
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let content = self.content();
        let mut rows = content.rows.iter();
        Ok(rows
            .find(|row| {
                row.request == request && (row.controller == *controller || self.has(ReadsLeak))
            })
            .map(|row| StoredRequest {
                version: row.version,
                sequence: row.events.last().map_or(0, |event| event.sequence),
                head: row
                    .events
                    .last()
                    .map(|event| event.digest)
                    .unwrap_or_default(),
                snapshot: row.snapshot.clone(),
            }))
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        let mut content = self.content();
        let at = self.find_row(&content, controller, commit.request)?;
        if self.has(EventsBeforeChecks) {
            content.rows[at].events.extend(commit.events.clone());
        }
        if self.has(LocksBeforeChecks) {
            self.change_locks(&mut content, at, &commit.locks);
        }
        let row = &content.rows[at];
        if self.has(ConflictBeforeLease) {
            self.check_version(row, commit.expected)?;
        }
        self.check_fence(row, commit.fence)?;
        self.check_version(row, commit.expected)?;
        if self.has(SplitsReadAndWrite) {
            drop(content);
            let_others_in();
            content = self.content();
        }
        if self.has(LockBeforeForm) {
            self.check_locks(&content, controller, &commit)?;
        }
        let sequence = content.rows[at].events.last().map_or(0, |e| e.sequence);
        if !self.has(EventsBeforeChecks) {
            // A split commit has already moved the end, and its race lost the sequence.
            match self.check_form(&commit, Some(sequence)) {
                Err(_)
                    if self.has(SplitsReadAndWrite)
                        && commit.expected < content.rows[at].version => {}
                other => other?,
            }
        }
        if self.has(StateWithoutEvents) {
            content.rows[at].snapshot = commit.snapshot.clone();
        }
        if self.has(SomeLocksOfMany)
            && let LockChange::Take(wanted) = &commit.locks
        {
            for lock in wanted {
                let one = Commit {
                    locks: LockChange::Take(vec![lock.clone()]),
                    ..commit.clone()
                };
                self.check_locks(&content, controller, &one)?;
                content.rows[at].locks.push(lock.clone());
            }
        }
        self.check_locks(&content, controller, &commit)?;
        if self.has(LooksAsideAfterLocks) {
            drop(content);
            let_others_in();
            content = self.content();
        }
        let row = &mut content.rows[at];
        row.version += if self.has(CommitsTwo) { 2 } else { 1 };
        if !self.has(EventsBeforeChecks) {
            row.events.extend(commit.events);
        }
        let before = row.snapshot.mark;
        row.snapshot = self.kept(commit.snapshot);
        if self.has(MarkStays) {
            row.snapshot.mark = row.snapshot.mark.or(before);
        }
        if self.has(CommitEndsLease) {
            row.lease = None;
        }
        if self.has(FindForgetsAtCommit) {
            row.people.clear();
        }
        self.change_locks(&mut content, at, &commit.locks);
        Ok(())
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let content = self.content();
        let left = content.left.iter().filter(|_| self.has(DeleteKeepsHistory));
        let row = content
            .rows
            .iter()
            .chain(left)
            .find(|row| row.request == request && row.controller == *controller);
        let after = if self.has(HistoryInclusive) {
            after.saturating_sub(1)
        } else {
            after
        };
        let limit = if self.has(HistoryIgnoresLimit) {
            usize::MAX
        } else {
            limit
        };
        let mut events: Vec<_> = row
            .into_iter()
            .flat_map(|row| &row.events)
            .filter(|event| event.sequence > after)
            .take(limit)
            .cloned()
            .collect();
        if self.has(HistoryBackwards) {
            events.reverse();
        }
        if self.has(HistoryTruncates) {
            events
                .iter_mut()
                .for_each(|event| event.bytes.truncate(255));
        }
        Ok(events)
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        let content = self.content();
        assert!(!self.has(Panics), "as the mutant should");
        let mut found: Vec<_> = content
            .rows
            .iter()
            .filter(|row| row.controller == *controller || self.has(FindLeaks))
            .filter(|row| row.people.contains(person))
            .filter(|row| row.snapshot.open || self.has(FindIncludesClosed))
            .map(|row| row.request)
            .collect();
        if self.has(FindById) {
            found.sort_unstable();
        }
        let orphans = content
            .orphans
            .iter()
            .filter(|(of, request, whose)| {
                of == controller && whose == person && !found.contains(request)
            })
            .map(|(_, request, _)| *request)
            .collect::<Vec<_>>();
        found.extend(orphans);
        Ok(found)
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
        let mut content = self.content();
        let at = match self.find_row(&content, controller, request) {
            Err(_) if self.has(PartsOfNothing) => return Ok(()),
            other => other?,
        };
        if !self.has(PartsIgnoreFence) {
            self.check_fence(&content.rows[at], fence)?;
        }
        if !self.has(IgnoresForm) {
            check_chunk(part, &bytes)?;
        }
        let parts = &mut content.rows[at].parts;
        let place = (part.to_owned(), chunk);
        if self.has(PartsAppend) {
            parts.entry(place).or_default().extend(bytes);
        } else if self.has(PartsFirstWins) {
            parts.entry(place).or_insert(bytes);
        } else {
            parts.insert(place, bytes);
        }
        Ok(())
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let content = self.content();
        let mut rows = content.rows.iter();
        let row = rows.find(|row| row.request == request && row.controller == *controller);
        Ok(row.and_then(|row| row.parts.get(&(part.to_owned(), chunk)).cloned()))
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut content = self.content();
        let at = self.find_row(&content, controller, request)?;
        if !self.has(PartsIgnoreFence) {
            self.check_fence(&content.rows[at], fence)?;
        }
        let all = self.has(DeletePartTakesAll);
        let keep = |name: &str| !all && part.is_some_and(|part| part != name);
        content.rows[at].parts.retain(|(name, _), _| keep(name));
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
        let mut content = self.content();
        let last = match self.fault {
            ClaimsEarly => now + TimeDelta::seconds(1),
            ClaimsLate => now - TimeDelta::microseconds(1),
            _ => now,
        };
        let mut due: Vec<(DateTime<Utc>, usize)> = content
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| {
                controller.is_none_or(|of| *of == row.controller || self.has(ClaimLeaks))
                    && (row.snapshot.open || !self.has(ClaimSkipsClosed))
            })
            .filter_map(|(at, row)| {
                let order = row.claimable_at(self.fault).filter(|from| *from <= last)?;
                let by_wake = row.snapshot.wake_at.filter(|_| self.has(ClaimByWakeOnly));
                Some((by_wake.unwrap_or(order), at))
            })
            .collect();
        if !self.has(ClaimInOrderOfCreation) {
            due.sort_unstable();
        }
        due.truncate(limit);
        if self.has(ClaimTwoAtOnce) {
            drop(content);
            let_others_in();
            content = self.content();
        }
        let mut claims = Vec::new();
        for (_, at) in due {
            let row_fence = content.rows[at].newest;
            content.fence += u64::from(!self.has(FenceStands));
            let fence = match self.fault {
                FenceStartsAnew => row_fence + 1,
                FenceStands => 1,
                _ => content.fence,
            };
            let row = &mut content.rows[at];
            row.newest = fence;
            row.lease = Some((fence, until));
            claims.push(Claim {
                controller: row.controller.clone(),
                request: row.request,
                fence: Fence(fence),
                until,
            });
        }
        Ok(claims)
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let mut content = self.content();
        let at = self.find_row(&content, &claim.controller, claim.request)?;
        if !self.has(RenewIgnoresFence) {
            self.check_fence(&content.rows[at], Some(claim.fence))?;
        }
        if let Some((_, end)) = &mut content.rows[at].lease {
            *end = if self.has(RenewOnlyProlongs) {
                until.max(*end)
            } else {
                until
            };
        }
        Ok(())
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let mut content = self.content();
        let Ok(at) = self.find_row(&content, &claim.controller, claim.request) else {
            return Ok(());
        };
        let newest = content.rows[at].lease.map(|lease| lease.0) == Some(claim.fence.0);
        if (newest || self.has(ReleaseIgnoresFence)) && !self.has(ReleaseForgets) {
            content.rows[at].lease = None;
        }
        Ok(())
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let content = self.content();
        Ok(content
            .rows
            .iter()
            .filter(|row| controller.is_none_or(|of| *of == row.controller || self.has(WakeLeaks)))
            .filter(|row| row.lease.is_none() || !self.has(WakeSkipsLeased))
            .filter_map(|row| {
                if self.has(WakeIgnoresLease) {
                    return row.snapshot.wake_at;
                }
                row.claimable_at(Nothing)
            })
            .min())
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let content = self.content();
        let mut due: Vec<Due> = content
            .rows
            .iter()
            .filter(|row| row.controller == *controller || self.has(DueLeaks))
            .filter(|row| row.snapshot.open || self.has(DueIncludesClosed))
            .filter_map(|row| {
                let stale = row.first_due.filter(|_| self.has(DueStale));
                let at = stale.or(row.snapshot.due_at)?;
                let in_time = at < before || at == before && self.has(DueIncludesNow);
                in_time.then_some(Due {
                    request: row.request,
                    at,
                })
            })
            .collect();
        if !self.has(DueUnordered) {
            due.sort_by_key(|due| due.at);
        }
        due.truncate(limit);
        Ok(due)
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let content = self.content();
        let mut open: Vec<_> = content
            .rows
            .iter()
            .filter(|row| row.controller == *controller || self.has(OpenLeaks))
            .filter(|row| row.snapshot.open || self.has(OpenIncludesClosed))
            .map(|row| row.request)
            .filter(|id| {
                after.is_none_or(|after| *id > after || self.has(OpenInclusive) && *id == after)
            })
            .collect();
        if !self.has(OpenInOrderOfCreation) {
            open.sort_unstable();
        }
        open.truncate(limit);
        Ok(open)
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let content = self.content();
        let mut marked: Vec<_> = content
            .rows
            .iter()
            .filter(|row| row.controller == *controller || self.has(MarkedLeaks))
            .filter(|row| row.snapshot.open || !self.has(MarkedOpenOnly))
            .filter(|row| match self.has(MarkedAnyMark) {
                true => row.snapshot.mark.is_some(),
                false => row.snapshot.mark == Some(mark),
            })
            .map(|row| row.request)
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        if !self.has(MarkedInOrderOfCreation) {
            marked.sort_unstable();
        }
        marked.truncate(limit);
        Ok(marked)
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        let content = self.content();
        let rows = content.rows.iter().filter(|row| {
            let now = &row.snapshot;
            let open = now.open || self.has(CountsClosed);
            let counts = match what {
                Counted::Open => open,
                Counted::DueBefore(before) => {
                    let due = |at| at < before || self.has(CountsDueNow) && at == before;
                    open && now.due_at.is_some_and(due)
                }
                Counted::Marked(mark) => now.mark == Some(mark),
            };
            (row.controller == *controller || self.has(CountsAll)) && counts
        });
        Ok(rows.count() as u64)
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let mut content = self.content();
        let at = self.find_row(&content, controller, request)?;
        if !self.has(DeleteIgnoresFence) {
            self.check_fence(&content.rows[at], fence)?;
        }
        if !self.has(DeleteIgnoresVersion) {
            self.check_version(&content.rows[at], expected)?;
        }
        let row = content.rows.remove(at);
        if self.has(DeleteLeaks) {
            content.rows.retain(|row| row.request != request);
        }
        if matches!(
            self.fault,
            DeleteKeepsLocks | DeleteKeepsHistory | PartsOutliveRequests
        ) {
            let locks = if self.has(DeleteKeepsLocks) {
                row.locks.clone()
            } else {
                Vec::new()
            };
            content.left.push(Row { locks, ..row });
        }
        Ok(())
    }
}

fn suite(fault: Fault) -> Suite {
    Suite::new(move || async move {
        let store = Plain::new(fault);
        let kept = std::sync::Arc::clone(&store.content);
        Fixture::new(store).reopen(move || {
            let mut content = kept.lock().expect("not poisoned").clone();
            match fault {
                Forgets => content = Content::default(),
                ForgetsLeases => content.rows.iter_mut().for_each(|row| row.lease = None),
                _ => {}
            }
            *kept.lock().expect("not poisoned") = content;
            let content = std::sync::Arc::clone(&kept);
            async move { Plain { fault, content } }
        })
    })
    .random(11, 300)
}

#[test]
fn the_plain_store_conforms() {
    assert_eq!(suite(Nothing).run(), Ok(()));
}

#[test]
fn every_mutant_fails_on_its_line() {
    let mut survivors = Vec::new();
    for &(fault, line) in MUTANTS {
        match suite(fault).run() {
            Err(violations) if violations.has(line) => {}
            Err(violations) => survivors.push(format!("{fault:?}, not on {line:?}: {violations}")),
            Ok(()) => survivors.push(format!("{fault:?}")),
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}
