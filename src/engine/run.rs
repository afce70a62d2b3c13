//! Looking for work: one round at a time, or on and on until somebody says stop.

use chrono::{DateTime, Utc};
use futures::channel::mpsc;
use futures::future::{BoxFuture, Either, pending, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::model::ControllerId;
use crate::ports::{Cancel, Claim, ErrorKind, StoreError, WorkerId};

use super::Engine;
use super::error::EngineError;

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
    /// until its lease runs out.
    pub async fn run(
        &self,
        worker: &WorkerId,
        shutdown: impl Future<Output = ()> + Send,
        mut report: impl FnMut(&EngineError) + Send,
    ) {
        let stop = Cancel::default();
        let mut works = Works::new();
        let mut held = Vec::new();
        {
            let on_and_on =
                std::pin::pin!(self.on_and_on(worker, &stop, &mut works, &mut held, &mut report));
            select(std::pin::pin!(shutdown), on_and_on).await;
        }
        stop.cancel();
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
        for claim in &held {
            if let Err(error) = self.inner.ports.store.release(claim).await {
                report(&error.into());
            }
        }
    }

    /// Claims and works; returns only by being dropped.
    async fn on_and_on(
        &self,
        worker: &WorkerId,
        stop: &Cancel,
        works: &mut Works,
        held: &mut Vec<Claim>,
        report: &mut (impl FnMut(&EngineError) + Send),
    ) {
        let mut bell = self.inner.bell.listen(0);
        let mut look_at = self.now();
        let mut failures = 0;
        loop {
            let room = self.inner.settings.claims - works.len();
            if room > 0 && look_at <= self.now() {
                match self.look(worker, room).await {
                    Ok((claims, next)) => {
                        failures = 0;
                        look_at = next;
                        for claim in claims {
                            held.push(claim.clone());
                            works.push(self.take_up(claim, stop));
                        }
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
                continue;
            }
            let sleep = (room > 0).then_some(look_at);
            match self.rest(works, &mut bell, sleep).await {
                Woken::Worked(claim, result) => {
                    held.retain(|other| *other != claim);
                    if let Err(error) = result {
                        report(&error);
                    }
                    // It may have left something for a sooner instant than was foreseen.
                    look_at = self.now();
                }
                Woken::Look => look_at = self.now(),
            }
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

    /// Claims what is due, and says when to look again.
    async fn look(
        &self,
        worker: &WorkerId,
        room: usize,
    ) -> Result<(Vec<Claim>, DateTime<Utc>), EngineError> {
        let claims = self.claim(worker, None, room).await?;
        let now = self.now();
        let poll = now + self.inner.settings.poll;
        let next = if claims.len() == room {
            now
        } else {
            let next = self.inner.ports.store.next_wake(None).await?;
            next.map_or(poll, |next| next.min(poll))
        };
        Ok((claims, next))
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
            let result = match engine.work(&claim, &stop).await {
                Ok(()) => engine.inner.ports.store.release(&claim).await,
                // Somebody else has it now.
                Err(EngineError::Store(StoreError::LostLease { .. })) => Ok(()),
                Err(error) => return (claim, Err(error)),
            };
            (claim, result.map_err(EngineError::from))
        }
        .boxed()
    }
}
