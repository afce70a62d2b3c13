//! Holding one claimed request: its lease is renewed, its timers fire, what is due of it is begun, and
//! what comes back is handed on, until nothing is due any more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, Either, ready, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::ports::{Cancel, Claim};
use crate::workflow::{Cause, Command, EffectKey};

use super::Engine;
use super::agenda::Item;
use super::error::EngineError;
use super::gates::{Callee, Closed};
use super::guard::meanwhile;
use super::perform::{Attempt, Performed};
use super::progress::{Progress, Step};
use super::requests::Loaded;

type Attempts = FuturesUnordered<BoxFuture<'static, (Item, Performed)>>;

impl Engine {
    /// Works on one request until nothing of it is due any more, or it is told to stop.
    pub(super) async fn work(&self, claim: &Claim, stop: &Cancel) -> Result<(), EngineError> {
        // One that is served elsewhere is left as it is: no attempt of its effects is used up.
        self.controller(&claim.controller)?;
        let mut loaded = self.load(&claim.controller, claim.request).await?;
        let mut claim = claim.clone();
        let mut running: Attempts = FuturesUnordered::new();
        // What came of attempts while something else was waited for.
        let mut heard = VecDeque::new();
        let mut busy: BTreeMap<EffectKey, Cancel> = BTreeMap::new();
        let mut bell = self.inner.bell.listen(0);
        let cancel = stop.child();
        let result = loop {
            if !stop.is_cancelled() {
                let fired = self.fire_due(&mut loaded, &claim);
                if let Err(error) = meanwhile(fired, &mut running, &mut heard).await {
                    break Err(error);
                }
                let put_off = self.begin_due(&loaded, &claim, &cancel, &mut running, &mut busy);
                if !put_off.is_empty() {
                    let put_off = self.put_off(&mut loaded, &claim, &put_off);
                    match meanwhile(put_off, &mut running, &mut heard).await {
                        Ok(()) => continue,
                        Err(error) => break Err(error),
                    }
                }
            }
            if running.is_empty() && heard.is_empty() {
                break Ok(());
            }
            let wake = self
                .renew_at(&claim)
                .min(self.now() + self.inner.settings.poll);
            let wake = match loaded.agenda.next_after(self.now()) {
                Some(at) => wake.min(at),
                None => wake,
            };
            let woken = select(bell.next(), self.inner.ports.clock.sleep_until(wake));
            let next = match heard.pop_front() {
                Some(done) => Either::Left(ready(Some(done))),
                None => Either::Right(running.next()),
            };
            let first = match select(next, woken).await {
                Either::Left((done, _)) => Some(done),
                Either::Right(_) => None,
            };
            let (item, performed) = match first {
                Some(Some(done)) => done,
                Some(None) => continue,
                None => {
                    let seen = async {
                        self.renew(&mut claim).await?;
                        self.load(&claim.controller, claim.request).await
                    };
                    match meanwhile(seen, &mut running, &mut heard).await {
                        Ok(seen) => loaded = seen,
                        Err(error) => break Err(error),
                    }
                    // What somebody gave up meanwhile is told to stop; nobody waits for it.
                    for (key, cancel) in &busy {
                        if !loaded.agenda.effects.iter().any(|item| item.key == *key) {
                            cancel.cancel();
                        }
                    }
                    continue;
                }
            };
            busy.remove(&item.key);
            if stop.is_cancelled() && matches!(performed, Performed::Later(_)) {
                // Stopped, not failed: whoever goes on makes the same attempt again.
                continue;
            }
            let settled = self.settle(&mut loaded, &claim, &item, performed);
            match meanwhile(settled, &mut running, &mut heard).await {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        cancel.cancel();
        result
    }

    fn renew_at(&self, claim: &Claim) -> DateTime<Utc> {
        claim.until - self.inner.settings.lease / 2
    }

    async fn renew(&self, claim: &mut Claim) -> Result<(), EngineError> {
        let now = self.now();
        if now >= self.renew_at(claim) {
            let until = now + self.inner.settings.lease;
            self.inner.ports.store.renew(claim, until).await?;
            claim.until = until;
        }
        Ok(())
    }

    /// Fires the timers whose time has come, in their order.
    async fn fire_due(&self, loaded: &mut Loaded, claim: &Claim) -> Result<(), EngineError> {
        while let Some((timer, at)) = loaded.agenda.next_timer() {
            if at > self.now() {
                break;
            }
            let command = Command::Fire(timer);
            match self
                .decide_under(loaded, claim, &command, &Cause::Timer(timer), None)
                .await
            {
                Err(error) if error.is_conflict() => {
                    *loaded = self.load(&claim.controller, claim.request).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn begin_due(
        &self,
        loaded: &Loaded,
        claim: &Claim,
        cancel: &Cancel,
        running: &mut Attempts,
        busy: &mut BTreeMap<EffectKey, Cancel>,
    ) -> Vec<(Item, Closed)> {
        let now = self.now();
        let mut request = None;
        let mut put_off = Vec::new();
        for item in &loaded.agenda.effects {
            if running.len() >= self.inner.settings.concurrency {
                break;
            }
            if item.at > now || item.aside.is_some() || busy.contains_key(&item.key) {
                continue;
            }
            let gates = &self.inner.gates;
            let enter = |callee| gates.enter(callee, now, &self.inner.settings);
            let pass = match Callee::of(&item.effect).map(enter).transpose() {
                Ok(pass) => pass,
                Err(closed) => {
                    put_off.push((item.clone(), closed));
                    continue;
                }
            };
            let cancel = cancel.child();
            busy.insert(item.key.clone(), cancel.clone());
            self.inner.listeners.tell(|| Progress {
                controller: claim.controller.clone(),
                request: claim.request,
                at: now,
                what: Step::Began {
                    effect: item.effect.clone(),
                    attempt: item.attempt,
                },
            });
            let request = request.get_or_insert_with(|| Arc::new(loaded.request.clone()));
            let attempt = Attempt {
                engine: self.clone(),
                request: Arc::clone(request),
                item: item.clone(),
                fence: claim.fence,
                cancel,
                pass,
            };
            running.push(attempt.run().boxed());
        }
        put_off
    }
}
