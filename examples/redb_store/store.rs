//! The port: each method is one transaction.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datarights::model::{ControllerId, Digest, KeyedDigest, RequestId};
use datarights::ports::*;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};

use crate::tables::*;
use crate::writing;

/// Requests in one redb file. Clones share it; another process cannot open it meanwhile.
#[derive(Clone)]
pub(crate) struct RedbStore(Arc<Database>);

impl RedbStore {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        match open(path) {
            Ok(database) => Ok(Self(Arc::new(database))),
            Err(Failed(error)) => Err(error),
        }
    }

    /// One transaction: all of the work, on the disk when this returns, or nothing of it.
    fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let run = || {
            let write = self.0.begin_write()?;
            let done = work(&write)?; // an error drops the transaction, which undoes it
            write.commit()?;
            Ok(done)
        };
        run().map_err(|Failed(error)| error)
    }

    /// One consistent view.
    fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let run = || work(&self.0.begin_read()?);
        run().map_err(|Failed(error)| error)
    }
}

#[async_trait]
impl RequestStore for RedbStore {
    async fn create(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.write(|write| writing::create(write, controller, &commit))
    }

    async fn load(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let at = place(controller, request);
        self.read(|view| read(&view.open_table(REQUESTS)?, at))
    }

    async fn commit(&self, controller: &ControllerId, commit: Commit) -> Result<(), StoreError> {
        self.write(|write| writing::commit(write, controller, &commit))
    }

    async fn history(
        &self,
        controller: &ControllerId,
        request: RequestId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (controller, id) = place(controller, request);
        let Some(first) = after.checked_add(1) else {
            return Ok(Vec::new());
        };
        self.read(|view| {
            let events = view.open_table(EVENTS)?;
            let rest = events.range((controller, id, first)..=(controller, id, u64::MAX))?;
            let mut found = Vec::new();
            for event in rest.take(limit) {
                let (key, event) = event?;
                let (digest, bytes) = event.value();
                found.push(StoredEvent {
                    sequence: key.value().2,
                    digest: Digest::from_bytes(*digest),
                    bytes: bytes.to_vec(),
                });
            }
            Ok(found)
        })
    }

    async fn find(
        &self,
        controller: &ControllerId,
        person: &KeyedDigest,
    ) -> Result<Vec<RequestId>, StoreError> {
        self.read(|view| {
            let open = view.open_table(OPEN)?;
            let mut found = Vec::new();
            for id in writing::of_person(&view.open_table(PEOPLE)?, controller, person)? {
                if open.get((controller.as_str(), id))?.is_some() {
                    found.push(request(id));
                }
            }
            Ok(found)
        })
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
        self.write(|write| {
            writing::known(write, controller, request, fence)?;
            writing::put_part(write, place(controller, request), part, chunk, &bytes)
        })
    }

    async fn read_part(
        &self,
        controller: &ControllerId,
        request: RequestId,
        part: &str,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (controller, id) = place(controller, request);
        self.read(|view| {
            let parts = view.open_table(PARTS)?;
            let found = parts.get((controller, id, part, chunk))?;
            Ok(found.map(|bytes| bytes.value().to_vec()))
        })
    }

    async fn delete_parts(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
        part: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(|write| {
            writing::known(write, controller, request, fence)?;
            writing::delete_parts(write, place(controller, request), part)
        })
    }

    async fn claim(
        &self,
        controller: Option<&ControllerId>,
        _: &WorkerId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let now = now.timestamp_micros();
        self.write(|write| {
            // Gathered first: what is leased moves in the index.
            let mut found = Vec::new();
            match controller {
                Some(of) => {
                    let table = write.open_table(READY_OF)?;
                    let ready = (of.as_str(), i64::MIN, 0)..=(of.as_str(), now, u128::MAX);
                    for key in table.range(ready)?.take(limit) {
                        found.push((of.clone(), key?.0.value().2));
                    }
                }
                None => {
                    let table = write.open_table(READY)?;
                    let after = (now.saturating_add(1), "", 0); // no name is shorter
                    for key in table.range(..after)?.take(limit) {
                        let key = key?.0;
                        let (_, of, id) = key.value();
                        let of = ControllerId::new(of)
                            .map_err(|_| StoreError::Corrupt("a controller has no name"))?;
                        found.push((of, id));
                    }
                }
            }
            let mut claims = Vec::new();
            for (controller, id) in found {
                let at = (controller.as_str(), id);
                let fence = next(write, "fence")?;
                writing::unindex(write, at)?;
                let lease = (fence, until.timestamp_micros(), true);
                write.open_table(LEASES)?.insert(at, lease)?;
                writing::index(write, at)?;
                claims.push(Claim {
                    request: request(id),
                    fence: Fence(fence),
                    until,
                    controller,
                });
            }
            Ok(claims)
        })
    }

    async fn renew(&self, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
        let at = place(&claim.controller, claim.request);
        self.write(|write| {
            writing::known(write, &claim.controller, claim.request, Some(claim.fence))?;
            writing::unindex(write, at)?;
            let lease = (claim.fence.0, until.timestamp_micros(), true);
            write.open_table(LEASES)?.insert(at, lease)?;
            writing::index(write, at)
        })
    }

    async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let at = place(&claim.controller, claim.request);
        self.write(|write| {
            let lease = write
                .open_table(LEASES)?
                .get(at)?
                .map(|lease| lease.value());
            match lease {
                Some((newest, until, true)) if newest == claim.fence.0 => {
                    writing::unindex(write, at)?;
                    write
                        .open_table(LEASES)?
                        .insert(at, (newest, until, false))?;
                    writing::index(write, at)
                }
                _ => Ok(()), // somebody else has it, or nobody
            }
        })
    }

    async fn next_wake(
        &self,
        controller: Option<&ControllerId>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|view| {
            let first = match controller {
                Some(of) => {
                    let all = (of.as_str(), i64::MIN, 0)..=(of.as_str(), i64::MAX, u128::MAX);
                    let mut ready = view.open_table(READY_OF)?.range(all)?;
                    ready.next().transpose()?.map(|(key, _)| key.value().1)
                }
                None => view
                    .open_table(READY)?
                    .first()?
                    .map(|(key, _)| key.value().0),
            };
            first.map(instant).transpose()
        })
    }

    async fn due(
        &self,
        controller: &ControllerId,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let of = controller.as_str();
        self.read(|view| {
            let table = view.open_table(DUE)?;
            let due = table.range((of, i64::MIN, 0)..(of, before.timestamp_micros(), 0))?;
            let mut found = Vec::new();
            for key in due.take(limit) {
                let (_, at, id) = key?.0.value();
                found.push(Due {
                    request: request(id),
                    at: instant(at)?,
                });
            }
            Ok(found)
        })
    }

    async fn open(
        &self,
        controller: &ControllerId,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let of = controller.as_str();
        let first = match after {
            None => 0,
            Some(after) => match after.as_uuid().as_u128().checked_add(1) {
                Some(next) => next,
                None => return Ok(Vec::new()),
            },
        };
        self.read(|view| {
            let table = view.open_table(OPEN)?;
            let rest = table.range((of, first)..=(of, u128::MAX))?.take(limit);
            rest.map(|key| Ok(request(key?.0.value().1))).collect()
        })
    }

    async fn marked(
        &self,
        controller: &ControllerId,
        mark: Mark,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<RequestId>, StoreError> {
        let (of, mark) = (controller.as_str(), mark.number());
        let first = match after {
            None => 0,
            Some(after) => match after.as_uuid().as_u128().checked_add(1) {
                Some(next) => next,
                None => return Ok(Vec::new()),
            },
        };
        self.read(|view| {
            let table = view.open_table(MARKED)?;
            let rest = table.range((of, mark, first)..=(of, mark, u128::MAX))?;
            let rest = rest.take(limit);
            rest.map(|key| Ok(request(key?.0.value().2))).collect()
        })
    }

    async fn count(&self, controller: &ControllerId, what: Counted) -> Result<u64, StoreError> {
        let of = controller.as_str();
        self.read(|view| {
            let counted = match what {
                Counted::Open => {
                    let all = (of, 0)..=(of, u128::MAX);
                    view.open_table(OPEN)?.range(all)?.count()
                }
                Counted::DueBefore(before) => {
                    let due = (of, i64::MIN, 0)..(of, before.timestamp_micros(), 0);
                    view.open_table(DUE)?.range(due)?.count()
                }
                Counted::Marked(mark) => {
                    let all = (of, mark.number(), 0)..=(of, mark.number(), u128::MAX);
                    view.open_table(MARKED)?.range(all)?.count()
                }
            };
            Ok(counted as u64)
        })
    }

    async fn delete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        expected: u64,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        self.write(|write| {
            let stored = writing::known(write, controller, request, fence)?;
            writing::at_version(&stored, request, expected)?;
            writing::delete(write, place(controller, request))
        })
    }
}
