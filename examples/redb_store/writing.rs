//! What happens inside one transaction.

use std::ops::RangeInclusive;

use datarights::model::{ControllerId, KeyedDigest, RequestId};
use datarights::ports::{Commit, Fence, Lock, LockChange, StoreError, StoredRequest, check_chunk};
use redb::{ReadableTable, WriteTransaction};

use crate::tables::*;

/// The request that a write is about, after the checks that come first: it is there, and the
/// lease that is shown is the newest and still out.
pub(crate) fn known(
    write: &WriteTransaction,
    controller: &ControllerId,
    request: RequestId,
    fence: Option<Fence>,
) -> Result<StoredRequest, Failed> {
    let at = place(controller, request);
    let stored = read(&write.open_table(REQUESTS)?, at)?;
    let stored = stored.ok_or(StoreError::Unknown(request))?;
    if let Some(fence) = fence {
        let lease = write
            .open_table(LEASES)?
            .get(at)?
            .map(|lease| lease.value());
        if !matches!(lease, Some((newest, _, true)) if newest == fence.0) {
            return Err(StoreError::LostLease { request, fence }.into());
        }
    }
    Ok(stored)
}

/// The check that comes next.
pub(crate) fn at_version(
    stored: &StoredRequest,
    request: RequestId,
    expected: u64,
) -> Result<(), Failed> {
    let actual = stored.version;
    if actual != expected {
        return Err(Failed(StoreError::Conflict {
            request,
            expected,
            actual,
        }));
    }
    Ok(())
}

pub(crate) fn create(
    write: &WriteTransaction,
    controller: &ControllerId,
    commit: &Commit,
) -> Result<(), Failed> {
    let at = place(controller, commit.request);
    if write.open_table(REQUESTS)?.get(at)?.is_some() {
        return Err(StoreError::Exists(commit.request).into());
    }
    commit.check(None)?;
    apply(write, controller, commit, None)?;
    for part in &commit.parts {
        let key = (at.0, at.1, part.part.as_str(), part.chunk);
        write
            .open_table(PARTS)?
            .insert(key, part.bytes.as_slice())?;
    }
    let born = next(write, "born")?;
    for person in &commit.people {
        let person = person.as_bytes();
        write
            .open_table(NAMED)?
            .insert((at.0, at.1, person), born)?;
        write
            .open_table(PEOPLE)?
            .insert((at.0, person, born), at.1)?;
    }
    Ok(())
}

pub(crate) fn commit(
    write: &WriteTransaction,
    controller: &ControllerId,
    commit: &Commit,
) -> Result<(), Failed> {
    let stored = known(write, controller, commit.request, commit.fence)?;
    at_version(&stored, commit.request, commit.expected)?;
    commit.check(Some(stored.sequence))?;
    apply(write, controller, commit, Some(stored))
}

/// Locks, events, snapshot and indexes. All checks but that of the locks were made; what is
/// written before that one fails is undone with the transaction.
fn apply(
    write: &WriteTransaction,
    controller: &ControllerId,
    commit: &Commit,
    before: Option<StoredRequest>,
) -> Result<(), Failed> {
    let at = place(controller, commit.request);
    match &commit.locks {
        LockChange::Take(locks) => take(write, at, locks)?,
        LockChange::Release => release(write, at)?,
        _ => {}
    }
    unindex(write, at)?;
    let last = before.as_ref().map(|before| (before.sequence, before.head));
    let (mut sequence, mut head) = last.unwrap_or((0, datarights::model::Digest::of(b"")));
    for event in &commit.events {
        (sequence, head) = (event.sequence, event.digest);
        let value = (event.digest.as_bytes(), event.bytes.as_slice());
        write
            .open_table(EVENTS)?
            .insert((at.0, at.1, sequence), value)?;
    }
    let stored = StoredRequest {
        version: commit.expected + 1,
        sequence,
        head,
        snapshot: commit.snapshot.clone(),
    };
    put(&mut write.open_table(REQUESTS)?, at, &stored)?;
    index(write, at)
}

/// From when a request may be claimed: from its `wake_at`, or from the end of the lease that is
/// out, whichever is later.
fn ready(write: &WriteTransaction, at: Place) -> Result<Option<i64>, Failed> {
    let stored = read(&write.open_table(REQUESTS)?, at)?;
    let Some(wake) = stored.and_then(|stored| stored.snapshot.wake_at) else {
        return Ok(None);
    };
    let wake = wake.timestamp_micros();
    let lease = write
        .open_table(LEASES)?
        .get(at)?
        .map(|lease| lease.value());
    Ok(Some(match lease {
        Some((_, until, true)) => wake.max(until),
        _ => wake,
    }))
}

/// Writes a request into the indexes, by what is stored of it.
pub(crate) fn index(write: &WriteTransaction, at: Place) -> Result<(), Failed> {
    if let Some(ready) = ready(write, at)? {
        write.open_table(READY)?.insert((ready, at.0, at.1), ())?;
        write
            .open_table(READY_OF)?
            .insert((at.0, ready, at.1), ())?;
    }
    let Some(now) = read(&write.open_table(REQUESTS)?, at)?.map(|stored| stored.snapshot) else {
        return Ok(());
    };
    if now.open {
        write.open_table(OPEN)?.insert(at, ())?;
        if let Some(due) = now.due_at {
            let key = (at.0, due.timestamp_micros(), at.1);
            write.open_table(DUE)?.insert(key, ())?;
        }
    }
    if let Some(mark) = now.mark {
        let key = (at.0, mark.number(), at.1);
        write.open_table(MARKED)?.insert(key, ())?;
    }
    Ok(())
}

/// Takes it out of the indexes; before anything that they are made of changes.
pub(crate) fn unindex(write: &WriteTransaction, at: Place) -> Result<(), Failed> {
    if let Some(ready) = ready(write, at)? {
        write.open_table(READY)?.remove((ready, at.0, at.1))?;
        write.open_table(READY_OF)?.remove((at.0, ready, at.1))?;
    }
    write.open_table(OPEN)?.remove(at)?;
    let Some(now) = read(&write.open_table(REQUESTS)?, at)?.map(|stored| stored.snapshot) else {
        return Ok(());
    };
    if let Some(due) = now.due_at {
        write
            .open_table(DUE)?
            .remove((at.0, due.timestamp_micros(), at.1))?;
    }
    if let Some(mark) = now.mark {
        write
            .open_table(MARKED)?
            .remove((at.0, mark.number(), at.1))?;
    }
    Ok(())
}

/// Takes locks, beside those that the request holds already.
fn take(write: &WriteTransaction, at: Place, locks: &[Lock]) -> Result<(), Failed> {
    let (mut table, mut held) = (write.open_table(LOCKS)?, write.open_table(HELD)?);
    for lock in locks {
        let key = lock.key.as_bytes();
        let mut exclusive = lock.exclusive;
        for holder in table.range((at.0, key, 0)..=(at.0, key, u128::MAX))? {
            let (holder, theirs) = holder?;
            let by = holder.value().2;
            if by == at.1 {
                exclusive |= theirs.value(); // what was exclusive stays so
            } else if lock.exclusive || theirs.value() {
                return Err(StoreError::Locked { by: request(by) }.into());
            }
        }
        table.insert((at.0, key, at.1), exclusive)?;
        held.insert((at.0, at.1, key), ())?;
    }
    Ok(())
}

/// Every key of a request that ends with 32 bytes.
fn all_of(at: Place<'_>) -> RangeInclusive<(&str, u128, &'static [u8; 32])> {
    (at.0, at.1, &[0; 32])..=(at.0, at.1, &[u8::MAX; 32])
}

fn release(write: &WriteTransaction, at: Place) -> Result<(), Failed> {
    let (mut table, mut held) = (write.open_table(LOCKS)?, write.open_table(HELD)?);
    for lock in held.range(all_of(at))? {
        table.remove((at.0, lock?.0.value().2, at.1))?;
    }
    held.retain_in(all_of(at), |_, ()| false)?;
    Ok(())
}

pub(crate) fn put_part(
    write: &WriteTransaction,
    at: Place,
    part: &str,
    chunk: u32,
    bytes: &[u8],
) -> Result<(), Failed> {
    check_chunk(part, bytes)?;
    let key = (at.0, at.1, part, chunk);
    write.open_table(PARTS)?.insert(key, bytes)?;
    Ok(())
}

/// Deletes one part, or all.
pub(crate) fn delete_parts(
    write: &WriteTransaction,
    at: Place,
    part: Option<&str>,
) -> Result<(), Failed> {
    let mut parts = write.open_table(PARTS)?;
    // A part's name has a byte at least, so the empty one stands before all of a request.
    let mut gone = Vec::new();
    for chunk in parts.range((at.0, at.1, part.unwrap_or(""), 0)..)? {
        let (key, _) = chunk?;
        let (controller, request, name, number) = key.value();
        if (controller, request) != at || part.is_some_and(|part| part != name) {
            break;
        }
        gone.push((name.to_owned(), number));
    }
    for (name, number) in gone {
        parts.remove((at.0, at.1, name.as_str(), number))?;
    }
    Ok(())
}

/// Deletes a request and everything that belongs to it. The last fence stays behind in the
/// store's numbers.
pub(crate) fn delete(write: &WriteTransaction, at: Place) -> Result<(), Failed> {
    unindex(write, at)?;
    release(write, at)?;
    delete_parts(write, at, None)?;
    let mut named = write.open_table(NAMED)?;
    for person in named.range(all_of(at))? {
        let (key, born) = person?;
        let place = (at.0, key.value().2, born.value());
        write.open_table(PEOPLE)?.remove(place)?;
    }
    named.retain_in(all_of(at), |_, _| false)?;
    let events = (at.0, at.1, 0)..=(at.0, at.1, u64::MAX);
    write.open_table(EVENTS)?.retain_in(events, |_, _| false)?;
    write.open_table(LEASES)?.remove(at)?;
    write.open_table(REQUESTS)?.remove(at)?;
    Ok(())
}

/// The requests of a person, open or not, in the order of their creation.
pub(crate) fn of_person(
    people: &impl ReadableTable<(&'static str, &'static [u8; 32], u64), u128>,
    controller: &ControllerId,
    person: &KeyedDigest,
) -> Result<Vec<u128>, Failed> {
    let (controller, person) = (controller.as_str(), person.as_bytes());
    let theirs = people.range((controller, person, 0)..=(controller, person, u64::MAX))?;
    theirs.map(|found| Ok(found?.1.value())).collect()
}
