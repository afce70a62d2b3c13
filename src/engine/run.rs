//! Looking for work: one round at a time, or on and on until somebody says stop.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures::channel::mpsc;
use futures::future::{BoxFuture, Either, join_all, pending, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::model::ControllerId;
use crate::ports::{Cancel, Claim, ErrorKind, StoreError, WorkerId};

use super::Engine;
use super::error::EngineError;
use super::guard::meanwhile;

/// What one round of a worker did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Tick {
    /// How many requests it worked on.
    pub worked: usize,
    /// When there is something to do again; `None` when nothing is foreseen.
    pub next: Option<DateTime<Utc>>,
}

/// The requests a worker has in hand, each with what came of it once it is done.
type Works = FuturesUnordered<BoxFuture<'static, (Claim, Result<(), EngineError>)>>;

/// What was claimed, and when to look again.
type Looked = (Vec<Claim>, Result<DateTime<Utc>, EngineError>);

/// What ends the wait of a running worker.
enum Woken {
    Worked(Claim, Result<(), EngineError>),
    Look,
}

impl Engine {
    /// Works on what is due now, one round: claims requests, performs their effects, fires their
    /// timers, and gives them back. Of one controller, or of all.
    ///
    /// # Errors
    /// When the store fails. What concerns one request only does not stop the others: the first
    /// such error is returned after the round, and that request rests until its lease runs out.
    pub async fn tick(
        &self,
        worker: &WorkerId,
        controller: Option<&ControllerId>,
    ) -> Result<Tick, EngineError> {
        let claims = self
            .claim(worker, controller, self.inner.settings.claims)
            .await?;
        let worked = claims.len();
        let stop = Cancel::default();
        let mut works: Works = claims
            .into_iter()
            .map(|claim| self.take_up(claim, &stop))
            .collect();
        let mut first_error = None;
        while let Some((_, result)) = works.next().await {
            if let Err(error) = result {
                first_error.get_or_insert(error);
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Tick {
                worked,
                next: self.inner.ports.store.next_wake(controller).await?,
            }),
        }
    }

    /// Works until `shutdown` is ready, on [`Settings::claims`](super::Settings::claims) requests
    /// at a time: one that takes long holds up no other. Commands of this engine wake it at once,
    /// what other processes write is seen within [`Settings::poll`](super::Settings::poll).
    ///
    /// After `shutdown` nothing new is begun. What runs is told to stop and has
    /// [`Settings::farewell`](super::Settings::farewell) to do so; then it is dropped where it
    /// stands, and the leases are given back for others to go on.
    ///
    /// Errors are handed to `report` and do not stop it. A request on which it cannot work rests
    /// until its lease runs out. Where engines with different controllers share a store, each runs
    /// for its own: with `None`, one would claim what it cannot work on.
    pub async fn run(
        &self,
        worker: &WorkerId,
        controller: Option<&ControllerId>,
        shutdown: impl Future<Output = ()> + Send,
        mut report: impl FnMut(&EngineError) + Send,
    ) {
        let stop = Cancel::default();
        let mut works = Works::new();
        // What came of requests while the store was asked for more.
        let mut worked = VecDeque::new();
        let mut held = Vec::new();
        let mut shutdown = std::pin::pin!(shutdown.fuse());
        let mut bell = self.inner.bell.listen(0);
        let mut look_at = self.now();
        let mut failures = 0;
        loop {
            // A store may give more than it was asked for.
            let room = self.inner.settings.claims.saturating_sub(works.len());
            if room > 0 && look_at <= self.now() {
                // Not broken off by a shutdown: what was claimed would be lost until its lease ends.
                let looked = self.look(worker, controller, room);
                let looked = meanwhile(looked, &mut works, &mut worked).await;
                let next = looked.and_then(|(claims, next)| {
                    for claim in claims {
                        held.push(claim.clone());
                        works.push(self.take_up(claim, &stop));
                    }
                    next
                });
                match next {
                    Ok(next) => {
                        failures = 0;
                        look_at = next;
                    }
                    Err(error) => {
                        report(&error);
                        failures += 1;
                        let settings = &self.inner.settings;
                        let entropy = &*self.inner.ports.entropy;
                        let wait = settings.wait_after(failures, ErrorKind::Unavailable, entropy);
                        look_at = self.now() + wait.min(settings.poll);
                    }
                }
            }
            let sleep = (works.len() < self.inner.settings.claims).then_some(look_at);
            let rested = async {
                match worked.pop_front() {
                    Some((claim, result)) => Woken::Worked(claim, result),
                    None => self.rest(&mut works, &mut bell, sleep).await,
                }
            };
            match select(shutdown.as_mut(), std::pin::pin!(rested)).await {
                Either::Left(_) => break,
                Either::Right((Woken::Worked(claim, result), _)) => {
                    held.retain(|other| *other != claim);
                    if let Err(error) = result {
                        report(&error);
                    }
                    // It may have left something for a sooner instant than was foreseen.
                    look_at = self.now();
                }
                Either::Right((Woken::Look, _)) => look_at = self.now(),
            }
        }
        stop.cancel();
        for (claim, result) in worked {
            held.retain(|other| *other != claim);
            if let Err(error) = result {
                report(&error);
            }
        }
        let until = self.now() + self.inner.settings.farewell;
        let mut farewell = self.inner.ports.clock.sleep_until(until);
        while let Either::Left((Some((claim, result)), rest)) = select(works.next(), farewell).await
        {
            farewell = rest;
            held.retain(|other| *other != claim);
            if let Err(error) = result {
                report(&error);
            }
        }
        // Dropped before the leases are given back: two never work on one request.
        drop(works);
        // All at once: where the store does not answer, nobody waits for it time and again.
        let released = held
            .iter()
            .map(|claim| self.inner.ports.store.release(claim));
        for error in join_all(released).await.into_iter().filter_map(Result::err) {
            report(&error.into());
        }
    }

    /// Waits until a request is worked on, somebody rings, or the instant comes.
    async fn rest(
        &self,
        works: &mut Works,
        bell: &mut mpsc::Receiver<()>,
        until: Option<DateTime<Utc>>,
    ) -> Woken {
        let worked = async {
            match works.next().await {
                Some((claim, result)) => Woken::Worked(claim, result),
                None => pending().await,
            }
        };
        let slept = async {
            match until {
                Some(until) => self.inner.ports.clock.sleep_until(until).await,
                None => pending().await,
            }
        };
        let look = async {
            select(bell.next(), std::pin::pin!(slept)).await;
            Woken::Look
        };
        select(std::pin::pin!(worked), std::pin::pin!(look))
            .await
            .factor_first()
            .0
    }

    /// Claims what is due, and says when to look again. What was claimed is claimed, whatever
    /// becomes of the second question.
    async fn look(
        &self,
        worker: &WorkerId,
        controller: Option<&ControllerId>,
        room: usize,
    ) -> Result<Looked, EngineError> {
        let claims = self.claim(worker, controller, room).await?;
        let now = self.now();
        let poll = now + self.inner.settings.poll;
        let next = if claims.len() == room {
            Ok(now)
        } else {
            let next = self.inner.ports.store.next_wake(controller).await;
            next.map(|next| next.map_or(poll, |next| next.min(poll)))
        };
        Ok((claims, next.map_err(EngineError::from)))
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        controller: Option<&ControllerId>,
        limit: usize,
    ) -> Result<Vec<Claim>, EngineError> {
        let now = self.now();
        let until = now + self.inner.settings.lease;
        let store = &self.inner.ports.store;
        Ok(store.claim(controller, worker, now, until, limit).await?)
    }

    /// Works on a claimed request and gives it back. After an error it is not: its lease keeps
    /// everybody from trying the same again at once.
    fn take_up(
        &self,
        claim: Claim,
        stop: &Cancel,
    ) -> BoxFuture<'static, (Claim, Result<(), EngineError>)> {
        let engine = self.clone();
        let stop = stop.clone();
        async move {
            let work = AssertUnwindSafe(engine.work(&claim, &stop)).catch_unwind();
            let result = match work.await.unwrap_or(Err(EngineError::Panicked)) {
                Ok(()) => {
                    engine.inner.tries.forget(&claim);
                    engine.inner.ports.store.release(&claim).await
                }
                // Somebody else has it now.
                Err(EngineError::Store(StoreError::LostLease { .. })) => Ok(()),
                Err(error) => {
                    engine.in_vain(&claim, &error).await;
                    return (claim, Err(error));
                }
            };
            (claim, result.map_err(EngineError::from))
        }
        .boxed()
    }
}
