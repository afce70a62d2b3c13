//! Random rows of calls against a plain reading of the contract.
//!
//! The reference keeps everything in one list and searches it from end to end: it has no index
//! that could be wrong. Where the contract leaves ties open, it accepts every order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::{ControllerId, KeyedDigest, RequestId};
use crate::ports::{
    Claim, Commit, Fence, Lock, LockChange, Mark, Snapshot, StoreError, StoredEvent, StoredRequest,
    check_chunk,
};

use super::super::contract::{Checked, Seen};
use super::sample::{Random, at, controller, event, id, image, part, person, worker};
use super::{Trial, same};

const REQUESTS: u64 = 5;

/// One request as the contract describes it.
#[derive(Clone, Debug)]
struct Entry {
    controller: usize,
    request: RequestId,
    version: u64,
    snapshot: Snapshot,
    events: Vec<StoredEvent>,
    people: Vec<KeyedDigest>,
    parts: BTreeMap<(String, u32), Vec<u8>>,
    locks: Vec<Lock>,
    lease: Option<(Fence, DateTime<Utc>)>,
}

impl Entry {
    fn claimable_at(&self) -> Option<DateTime<Utc>> {
        let wake = self.snapshot.wake_at?;
        Some(self.lease.map_or(wake, |(_, until)| wake.max(until)))
    }
}

/// All requests, in the order they were created.
#[derive(Default)]
struct Reference {
    entries: Vec<Entry>,
}

impl Reference {
    fn position(&self, controller: usize, request: RequestId) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.controller == controller && entry.request == request)
    }

    /// The entry, if the fence may write to it.
    fn guarded(
        &self,
        controller: usize,
        request: RequestId,
        fence: Option<Fence>,
    ) -> Result<usize, StoreError> {
        let found = self
            .position(controller, request)
            .ok_or(StoreError::Unknown(request))?;
        let held = self.entries[found].lease.map(|(fence, _)| fence);
        match fence {
            Some(fence) if held != Some(fence) => Err(StoreError::LostLease { request, fence }),
            _ => Ok(found),
        }
    }

    /// Those that hold what the commit wants.
    fn blocking(&self, controller: usize, commit: &Commit) -> Vec<RequestId> {
        let LockChange::Take(wanted) = &commit.locks else {
            return Vec::new();
        };
        let others = self
            .entries
            .iter()
            .filter(|entry| entry.controller == controller && entry.request != commit.request);
        others
            .filter(|entry| {
                entry.locks.iter().any(|held| {
                    wanted
                        .iter()
                        .any(|want| want.key == held.key && (want.exclusive || held.exclusive))
                })
            })
            .map(|entry| entry.request)
            .collect()
    }

    fn lock(entry: &mut Entry, change: LockChange) {
        match change {
            LockChange::Keep => {}
            LockChange::Release => entry.locks.clear(),
            LockChange::Take(wanted) => entry.locks.extend(wanted),
        }
    }

    fn version(&self, found: usize, expected: u64) -> Result<(), StoreError> {
        let Entry {
            request, version, ..
        } = self.entries[found];
        if version == expected {
            return Ok(());
        }
        Err(StoreError::Conflict {
            request,
            expected,
            actual: version,
        })
    }

    /// Does it, or says every error that would be right.
    fn write(
        &mut self,
        controller: usize,
        create: bool,
        commit: Commit,
    ) -> Result<(), Vec<StoreError>> {
        let one = |error| vec![error];
        let found = if create {
            match self.position(controller, commit.request) {
                Some(_) => return Err(one(StoreError::Exists(commit.request))),
                None => None,
            }
        } else {
            let found = self
                .guarded(controller, commit.request, commit.fence)
                .map_err(one)?;
            self.version(found, commit.expected).map_err(one)?;
            Some(found)
        };
        let sequence = found.map(|found| self.entries[found].events.len() as u64);
        commit.check(sequence).map_err(one)?;
        let blocking = self.blocking(controller, &commit);
        if !blocking.is_empty() {
            let locked = |by| StoreError::Locked { by };
            return Err(blocking.into_iter().map(locked).collect());
        }
        let mut entry = found.map_or_else(
            || Entry {
                controller,
                request: commit.request,
                version: 0,
                snapshot: Snapshot::default(),
                events: Vec::new(),
                people: commit.people,
                parts: BTreeMap::new(),
                locks: Vec::new(),
                lease: None,
            },
            |found| self.entries[found].clone(),
        );
        for chunk in commit.parts {
            entry.parts.insert((chunk.part, chunk.chunk), chunk.bytes);
        }
        entry.version += 1;
        entry.snapshot = commit.snapshot;
        entry.events.extend(commit.events);
        Self::lock(&mut entry, commit.locks);
        match found {
            Some(found) => self.entries[found] = entry,
            None => self.entries.push(entry),
        }
        Ok(())
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

/// Mostly what is right, sometimes what is not.
fn commit(
    random: &mut Random,
    stored: Option<&Entry>,
    request: RequestId,
    fence: Option<Fence>,
) -> Commit {
    let version = stored.map_or(0, |entry| entry.version);
    let sequence = stored.map_or(0, |entry| entry.events.len() as u64);
    let skip = u64::from(random.once_in(12));
    let events = (0..random.below(3) + u64::from(stored.is_none()))
        .map(|n| event(sequence + 1 + skip + n, &random.next().to_le_bytes()))
        .collect();
    let mut instant = |n| (!random.once_in(3)).then(|| at(random.below(n) as i64));
    let (wake_at, due_at) = (instant(50), instant(50));
    let locks = match random.below(6) {
        0 => LockChange::Release,
        1 | 2 => LockChange::Take(
            (0..=random.below(2))
                .map(|_| Lock {
                    key: person(random.below(3) as u8),
                    exclusive: random.once_in(2),
                })
                .collect(),
        ),
        _ => LockChange::Keep,
    };
    let people = match stored {
        None => (0..random.below(3))
            .map(|_| person(1 + random.below(3) as u8))
            .collect(),
        Some(_) if random.once_in(20) => vec![person(1)],
        Some(_) => Vec::new(),
    };
    let parts = match stored {
        None if random.once_in(2) => vec![part("a", 0, &random.next().to_le_bytes())],
        Some(_) if random.once_in(30) => vec![part("a", 0, b"late")],
        _ => Vec::new(),
    };
    Commit {
        request,
        expected: if random.once_in(8) {
            random.below(9)
        } else {
            version
        },
        fence,
        events,
        snapshot: Snapshot {
            state: random.next().to_le_bytes().to_vec(),
            agenda: random.next().to_le_bytes().to_vec(),
            wake_at,
            due_at,
            open: !random.once_in(4),
            mark: pick(
                random,
                &[None, None, Some(Mark::Retrying), Some(Mark::Aside)],
            ),
        },
        locks,
        people,
        parts,
    }
}

pub(super) async fn any_row_of_calls(mut t: Trial) -> Checked {
    let seed = t.seed;
    let mut random = Random(seed);
    let mut reference = Reference::default();
    let mut claims: Vec<Claim> = Vec::new();
    let mut clock = 0;
    for step in 0..t.steps {
        let done = one_call(&t, &mut random, &mut reference, &mut claims, &mut clock).await;
        let done = match done {
            Ok(()) if step % 8 == 0 => compare(&t, &reference).await,
            done => done,
        };
        done.map_err(|what| Seen(format!("seed {seed}, step {step}: {}", what.0)))?;
        if step % 400 == 399 {
            t.reopen().await?;
        }
    }
    compare(&t, &reference).await
}

async fn one_call(
    t: &Trial,
    random: &mut Random,
    reference: &mut Reference,
    claims: &mut Vec<Claim>,
    clock: &mut i64,
) -> Checked {
    let n = random.below(2) as usize;
    let of = controller(n)?;
    let request = id(u128::from(random.below(REQUESTS)));
    // Now and then a fence: the newest, an old one, or one of another request.
    let fence = match random.below(4) {
        0 => reference
            .position(n, request)
            .and_then(|found| reference.entries[found].lease.map(|lease| lease.0)),
        1 if !claims.is_empty() && random.once_in(3) => {
            Some(claims[random.below(claims.len() as u64) as usize].fence)
        }
        _ => None,
    };
    let stored = reference
        .position(n, request)
        .map(|found| &reference.entries[found]);
    match random.below(12) {
        0..=4 => {
            let create = stored.is_none() != random.once_in(12);
            let fence = fence.filter(|_| !create || random.once_in(9));
            let commit = commit(random, stored, request, fence);
            let what = format!("{} {commit:?}", if create { "create" } else { "commit" });
            let seen = if create {
                t.create(&of, commit.clone()).await
            } else {
                t.commit(&of, commit.clone()).await
            };
            match (seen, reference.write(n, create, commit)) {
                (Ok(()), Ok(())) => {}
                (Err(StoreError::Malformed(_)), Err(right))
                    if matches!(right[..], [StoreError::Malformed(_)]) => {}
                (Err(seen), Err(right)) if right.contains(&seen) => {}
                (seen, right) => {
                    return Err(Seen(format!("{what}: saw {seen:?}, not {right:?}")));
                }
            }
        }
        5 | 6 => {
            *clock += random.below(15) as i64;
            let all = random.once_in(2);
            let limit = random.below(4) as usize;
            claim(
                t,
                reference,
                claims,
                (!all).then_some(n),
                *clock,
                limit,
                random.below(30) as i64,
            )
            .await?;
        }
        7 if !claims.is_empty() => {
            let claim = claims[random.below(claims.len() as u64) as usize].clone();
            let whose = usize::from(claim.controller != controller(0)?);
            let guarded = reference.guarded(whose, claim.request, Some(claim.fence));
            if random.once_in(2) {
                same!(t.release(&claim).await, Ok(()), "release of {claim:?}");
                if let Ok(found) = guarded {
                    reference.entries[found].lease = None;
                }
            } else {
                let until = at(*clock + random.below(30) as i64);
                let right = guarded.map(|found| {
                    reference.entries[found].lease = Some((claim.fence, until));
                });
                same!(t.renew(&claim, until).await, right, "renewal of {claim:?}");
            }
        }
        8 | 9 => {
            let name = pick(random, &["a", "b"]);
            let chunk = random.below(2) as u32;
            let bytes = random.next().to_le_bytes().to_vec();
            let right = reference.guarded(n, request, fence).and_then(|found| {
                check_chunk(name, &bytes)?;
                let place = (name.to_owned(), chunk);
                reference.entries[found].parts.insert(place, bytes.clone());
                Ok(())
            });
            let seen = t.put_part(&of, request, fence, name, chunk, bytes).await;
            same!(
                seen,
                right,
                "put_part {name} {chunk} of {of} {request} under {fence:?}"
            );
        }
        10 => {
            let part = pick(random, &[Some("a"), Some("b"), None]);
            let right = reference.guarded(n, request, fence).map(|found| {
                let keep = |name: &str| part.is_some_and(|part| part != name);
                reference.entries[found]
                    .parts
                    .retain(|(name, _), _| keep(name));
            });
            let seen = t.delete_parts(&of, request, fence, part).await;
            same!(
                seen,
                right,
                "delete_parts {part:?} of {of} {request} under {fence:?}"
            );
        }
        _ => {
            let version = stored.map_or(1, |entry| entry.version);
            let expected = version + u64::from(random.once_in(2));
            let right = reference.guarded(n, request, fence).and_then(|found| {
                reference.version(found, expected)?;
                reference.entries.remove(found);
                Ok(())
            });
            let seen = t.delete(&of, request, expected, fence).await;
            same!(
                seen,
                right,
                "delete of {of} {request} at {expected} under {fence:?}"
            );
        }
    }
    Ok(())
}

/// Claims, and checks each claim against every request there is.
async fn claim(
    t: &Trial,
    reference: &mut Reference,
    claims: &mut Vec<Claim>,
    only: Option<usize>,
    now: i64,
    limit: usize,
    lease: i64,
) -> Checked {
    let of = only.map(controller).transpose()?;
    let (now, until) = (at(now), at(now + lease));
    let seen = t.claim(of.as_ref(), &worker(), now, until, limit).await?;
    let mut right: Vec<DateTime<Utc>> = reference
        .entries
        .iter()
        .filter(|entry| only.is_none_or(|only| only == entry.controller))
        .filter_map(Entry::claimable_at)
        .filter(|at| *at <= now)
        .collect();
    right.sort_unstable();
    right.truncate(limit);
    let mut instants = Vec::new();
    for claim in &seen {
        let whose = usize::from(claim.controller != controller(0)?);
        let found = reference
            .position(whose, claim.request)
            .ok_or_else(|| Seen(format!("{claim:?} is of no request")))?;
        let entry = &mut reference.entries[found];
        instants.extend(entry.claimable_at());
        let older = claims.iter().any(|old| {
            old.controller == claim.controller
                && old.request == claim.request
                && old.fence >= claim.fence
        });
        same!(older, false, "whether {claim:?} has an older fence");
        same!(claim.until, until, "the end of {claim:?}");
        entry.lease = Some((claim.fence, until));
    }
    same!(
        instants,
        right,
        "the instants of claims at {now}, {limit} of {only:?}"
    );
    claims.extend(seen);
    Ok(())
}

/// Compares all that can be read.
async fn compare(t: &Trial, reference: &Reference) -> Checked {
    for n in [0, 1] {
        let of = controller(n)?;
        let mine = || {
            reference
                .entries
                .iter()
                .filter(|entry| entry.controller == n)
        };
        for request in (0..REQUESTS).map(|n| id(n.into())) {
            let seen = image(&**t, &of, request).await?;
            compare_one(
                &of,
                request,
                reference
                    .position(n, request)
                    .map(|at| &reference.entries[at]),
                &seen,
            )?;
            for (whose, found) in seen.found.iter().enumerate() {
                let right: Vec<RequestId> = mine()
                    .filter(|entry| {
                        entry.snapshot.open && entry.people.contains(&person(whose as u8 + 1))
                    })
                    .map(|entry| entry.request)
                    .collect();
                same!(*found, right, "find of {of}, person {}", whose + 1);
            }
            let mut due: Vec<_> = mine()
                .filter(|entry| entry.snapshot.open)
                .filter_map(|entry| Some((entry.snapshot.due_at?, entry.request)))
                .collect();
            let instants: Vec<_> = seen.due.iter().map(|due| due.at).collect();
            if !instants.is_sorted() {
                return Err(Seen(format!("due of {of} is out of order: {instants:?}")));
            }
            let mut list: Vec<_> = seen.due.iter().map(|due| (due.at, due.request)).collect();
            due.sort_unstable();
            list.sort_unstable();
            same!(list, due, "due of {of}");
            let mut open: Vec<_> = mine()
                .filter(|entry| entry.snapshot.open)
                .map(|entry| entry.request)
                .collect();
            open.sort_unstable();
            same!(seen.open, open, "open of {of}");
            let mut counts = vec![open.len() as u64, due.len() as u64];
            for (mark, seen) in Mark::ALL.into_iter().zip(&seen.marked) {
                let mut marked: Vec<_> = mine()
                    .filter(|entry| entry.snapshot.mark == Some(mark))
                    .map(|entry| entry.request)
                    .collect();
                marked.sort_unstable();
                same!(*seen, marked, "{mark:?} of {of}");
                counts.push(marked.len() as u64);
            }
            same!(seen.counts, counts, "the counts of {of}");
            let wake = mine().filter_map(Entry::claimable_at).min();
            same!(seen.wake, wake, "next wake of {of}");
        }
    }
    let wake = reference
        .entries
        .iter()
        .filter_map(Entry::claimable_at)
        .min();
    same!(t.next_wake(None).await?, wake, "next wake of all");
    Ok(())
}

fn compare_one(
    of: &ControllerId,
    request: RequestId,
    entry: Option<&Entry>,
    seen: &super::sample::Image,
) -> Checked {
    let loaded = entry.map(|entry| StoredRequest {
        version: entry.version,
        sequence: entry.events.len() as u64,
        head: entry
            .events
            .last()
            .map(|event| event.digest)
            .unwrap_or_default(),
        snapshot: entry.snapshot.clone(),
    });
    same!(seen.loaded, loaded, "{of} {request}");
    let events = entry.map(|entry| entry.events.clone()).unwrap_or_default();
    same!(seen.history, events, "the history of {of} {request}");
    let places = [("a", 0), ("a", 1), ("b", 0), ("b", 1)];
    let parts: Vec<_> = places
        .iter()
        .map(|(part, chunk)| entry?.parts.get(&((*part).to_owned(), *chunk)).cloned())
        .collect();
    same!(seen.parts, parts, "the parts of {of} {request}");
    Ok(())
}
