//! Working on one claimed request: performing what is due, writing down what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, Either, ready, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::model::{Actor, Failure};
use crate::ports::{Cancel, Claim, ErrorKind, StoreError};
use crate::workflow::{
    Cause, Command, Effect, EffectKey, Locks, Rejection, StepResult, Target, fulfilment, lifecycle,
};

use super::Engine;
use super::agenda::{Aside, Item};
use super::error::EngineError;
use super::gates::Closed;
use super::guard::{PANICKED, meanwhile};
use super::perform::{Attempt, Later, Performed};
use super::progress::{Progress, Step};
use super::requests::Loaded;

/// The longest handle that a port may give to something *pending*, in bytes.
const MAX_HANDLE: usize = 4096;

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
            let pass = match &item.effect {
                Effect::Step { target, .. } => {
                    let gates = &self.inner.gates;
                    match gates.enter(target, now, &self.inner.settings) {
                        Ok(pass) => pass,
                        Err(closed) => {
                            put_off.push((item.clone(), closed));
                            continue;
                        }
                    }
                }
                _ => None,
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

    /// Writes down until when effects wait whose source or recipient cannot be called now: whoever
    /// works on the request holds it no longer than what else it needs. What was put off for too
    /// long because somebody is down has failed.
    async fn put_off(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        put_off: &[(Item, Closed)],
    ) -> Result<(), EngineError> {
        let now = self.now();
        let longest = self.inner.settings.longest_outage;
        let is_over = |item: &Item, closed: &Closed| {
            closed.down && item.down_since.is_some_and(|since| now - since >= longest)
        };
        if let Some((item, _)) = put_off.iter().find(|(item, closed)| is_over(item, closed)) {
            let (failure, ours) = (Failure::Unavailable, true);
            let failed = Performed::Failed { failure, ours };
            // The others come again in the next round.
            return match self.settle(loaded, claim, item, failed).await? {
                true => Ok(()),
                false => Err(EngineError::UnknownRequest(claim.request)),
            };
        }
        let mut agenda = loaded.agenda.clone();
        for (item, closed) in put_off {
            if let Some(item) = agenda.item_mut(&item.key) {
                item.at = closed.until;
                if closed.down {
                    item.down_since.get_or_insert(now);
                }
                self.inner.listeners.tell(|| Progress {
                    controller: claim.controller.clone(),
                    request: claim.request,
                    at: self.now(),
                    what: Step::PutOff {
                        effect: item.effect.clone(),
                        at: item.at,
                    },
                });
            }
        }
        match self.commit_agenda(loaded, claim, agenda).await {
            Err(error) if error.is_conflict() => {
                *loaded = self.load(&claim.controller, claim.request).await?;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes down what came of an attempt. After a conflict it is decided anew on what is stored
    /// then: no outcome is dropped. `false` when the request is gone.
    async fn settle(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        performed: Performed,
    ) -> Result<bool, EngineError> {
        loop {
            match self.settle_once(loaded, claim, item, &performed).await {
                Err(error) if error.is_conflict() => {
                    *loaded = self.load(&claim.controller, claim.request).await?;
                }
                Err(EngineError::UnknownRequest(_)) => return Ok(false),
                other => return other,
            }
        }
    }

    async fn settle_once(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        performed: &Performed,
    ) -> Result<bool, EngineError> {
        if !loaded
            .agenda
            .effects
            .iter()
            .any(|known| known.key == item.key)
        {
            // Settled by hand, or cancelled, while it ran.
            return Ok(true);
        }
        if let Performed::Later(later) = performed
            && later.panicked
            && self.is_poison(item)
        {
            return self
                .set_aside_effect(loaded, claim, item)
                .await
                .map(|()| true);
        }
        let command: Option<Command> = match (performed, &item.effect) {
            (Performed::Later(later), _) if item.attempt < self.inner.settings.attempts => {
                return self.retry(loaded, claim, item, later).await.map(|()| true);
            }
            // The request goes last: what leads to its package and its key goes with it.
            (Performed::Delete, _)
                if !(loaded.request.lifecycle.package_deleted
                    && loaded.request.lifecycle.shredded)
                    || loaded.agenda.sweeps() =>
            {
                let later = Later::ours("not_swept_yet");
                return self.retry(loaded, claim, item, &later).await.map(|()| true);
            }
            (Performed::Delete, _) => {
                let store = &self.inner.ports.store;
                store
                    .delete(
                        &claim.controller,
                        claim.request,
                        loaded.version,
                        Some(claim.fence),
                    )
                    .await?;
                return Ok(false);
            }
            (performed, Effect::Step { task, target, .. }) => {
                let result = match performed {
                    Performed::Step(result) => result.clone(),
                    Performed::Located(..) | Performed::Stopped(..) => {
                        self.sealed(loaded, claim, item, target, performed).await?
                    }
                    _ => StepResult::Failed(last_failure(performed)),
                };
                Some(
                    fulfilment::Command::Answer {
                        task: *task,
                        target: target.clone(),
                        result: Box::new(result),
                    }
                    .into(),
                )
            }
            (Performed::Sent(pending), Effect::Notify(letter)) => Some(
                match pending {
                    None => lifecycle::Command::LetterSent { letter: *letter },
                    Some(pending) => lifecycle::Command::LetterPending {
                        letter: *letter,
                        pending: pending.clone(),
                    },
                }
                .into(),
            ),
            (Performed::Sent(None), Effect::Challenge) => None,
            (Performed::Sent(Some(pending)), Effect::Challenge) => {
                return self
                    .wait(loaded, claim, item, pending, None)
                    .await
                    .map(|()| true);
            }
            (Performed::PackageDeleted, _) => Some(lifecycle::Command::PackageDeleted.into()),
            (Performed::Shredded, _) => Some(lifecycle::Command::Shredded.into()),
            (failed, effect) => match failed_to_ask(effect, last_failure(failed)) {
                Some(command) => Some(command.into()),
                // Sweeping is tried for ever: what must go must go.
                None => {
                    let later = Later::ours("sweep_failed");
                    return self.retry(loaded, claim, item, &later).await.map(|()| true);
                }
            },
        };
        match command {
            Some(command) => self.answer(loaded, claim, item, &command).await?,
            None => self.drop_item(loaded, claim, item).await?,
        }
        Ok(true)
    }

    /// What a source found or stopped, sealed with what is known by now.
    async fn sealed(
        &self,
        loaded: &Loaded,
        claim: &Claim,
        item: &Item,
        target: &Target,
        performed: &Performed,
    ) -> Result<StepResult, EngineError> {
        let name = format!("{}/{}", item.key.0, claim.fence.0);
        let (request, fence) = (&loaded.request, Some(claim.fence));
        let (finding, missing) = match (performed, target) {
            (Performed::Located(located, missing), Target::Source(source)) => {
                let copy = (**located).clone();
                let sealed = self.seal_located(request, source, &name, fence, copy);
                (sealed.await?, missing)
            }
            (Performed::Stopped(stopped, missing), _) => {
                let sealed = self.seal_stopped(request, &name, fence, stopped.clone());
                (sealed.await?, missing)
            }
            _ => return Ok(StepResult::Failed(last_failure(performed))),
        };
        Ok(match finding {
            Some(finding) => StepResult::Done {
                finding,
                missing: missing.clone(),
            },
            None => StepResult::Failed(Failure::Nonsense),
        })
    }

    /// Decides what an effect came to, and commits it together with the effect's end.
    async fn answer(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        command: &Command,
    ) -> Result<(), EngineError> {
        if let Some(pending) = pending_of(command) {
            return self.wait(loaded, claim, item, pending, Some(command)).await;
        }
        let cause = Cause::Effect(item.key.clone());
        match self
            .decide_under(loaded, claim, command, &cause, Some(item))
            .await
        {
            // The request no longer waits for it.
            Err(EngineError::Rejected(Rejection::NoSuchStep { .. } | Rejection::NotNow { .. })) => {
                self.drop_item(loaded, claim, item).await
            }
            // An answer that cannot be recorded must not be asked for again and again.
            Err(EngineError::Codec(_) | EngineError::Rejected(_)) => {
                self.answered_nonsense(loaded, claim, item).await
            }
            Err(EngineError::Store(StoreError::Locked { by })) => {
                self.inner.listeners.tell(|| Progress {
                    controller: claim.controller.clone(),
                    request: claim.request,
                    at: self.now(),
                    what: Step::WaitingFor { other: by },
                });
                let settings = &self.inner.settings;
                let entropy = &*self.inner.ports.entropy;
                let wait = settings.wait_after(item.attempt, ErrorKind::Busy, entropy);
                let at = self.now() + wait.min(settings.lock_wait);
                self.reschedule(loaded, claim, item, |item| {
                    item.at = at;
                    item.attempt = item.attempt.saturating_add(1);
                })
                .await
            }
            other => other,
        }
    }

    /// Settles an effect whose answer could not be recorded: too large, or of the wrong kind.
    async fn answered_nonsense(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
    ) -> Result<(), EngineError> {
        let Some(command) = failed(&item.effect, Failure::Nonsense) else {
            return self.drop_item(loaded, claim, item).await;
        };
        let cause = Cause::Effect(item.key.clone());
        match self
            .decide_under(loaded, claim, &command, &cause, Some(item))
            .await
        {
            // It no longer matters.
            Err(EngineError::Rejected(_)) => self.drop_item(loaded, claim, item).await,
            other => other,
        }
    }

    /// Decides a command under the lease, and commits it with its agenda.
    async fn decide_under(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        command: &Command,
        cause: &Cause,
        settled: Option<&Item>,
    ) -> Result<(), EngineError> {
        let decision = self.decide(loaded, command, &Actor::Engine, cause)?;
        let mut agenda = loaded.agenda.clone();
        if let Some(item) = settled {
            agenda.remove(&item.key);
        }
        agenda.absorb(&decision, self.now());
        self.commit(loaded, decision, agenda, Some(claim.fence))
            .await
    }

    /// Notes work that goes on outside: an event when it begins to, and when to look again.
    async fn wait(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        pending: &crate::ports::Pending,
        command: Option<&Command>,
    ) -> Result<(), EngineError> {
        if pending.handle.0.len() > MAX_HANDLE {
            return self.answered_nonsense(loaded, claim, item).await;
        }
        // No later than now is a port that wants to be asked without pause: it is not.
        let soonest = self.now() + self.inner.settings.backoff;
        let change = |item: &mut Item| {
            item.at = pending.look_again.max(soonest);
            item.attempt = 1;
            item.down_since = None;
            item.resume = Some(pending.handle.clone());
        };
        let known = item.resume.as_ref() == Some(&pending.handle);
        let Some(command) = command.filter(|_| !known) else {
            return self.reschedule(loaded, claim, item, change).await;
        };
        let cause = Cause::Effect(item.key.clone());
        let decision = match self.decide(loaded, command, &Actor::Engine, &cause) {
            Ok(decision) => decision,
            Err(EngineError::Rejected(_)) => return self.drop_item(loaded, claim, item).await,
            Err(error) => return Err(error),
        };
        let mut agenda = loaded.agenda.clone();
        agenda.absorb(&decision, self.now());
        if let Some(item) = agenda.item_mut(&item.key) {
            change(item);
        }
        match self
            .commit(loaded, decision, agenda, Some(claim.fence))
            .await
        {
            // A task that does not fit into an event.
            Err(EngineError::Codec(_)) => self.answered_nonsense(loaded, claim, item).await,
            other => other,
        }
    }

    /// Whether one more panic is one too many. What sweeps is tried for ever: what must go must go.
    fn is_poison(&self, item: &Item) -> bool {
        let panics = item.panics.saturating_add(1);
        !item.sweeps() && panics >= self.inner.settings.set_aside_after
    }

    async fn set_aside_effect(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
    ) -> Result<(), EngineError> {
        let aside = Aside {
            at: self.now(),
            code: PANICKED.to_owned(),
        };
        let (of, request) = (&claim.controller, claim.request);
        let noted = aside.clone();
        self.reschedule(loaded, claim, item, |item| item.aside = Some(noted))
            .await?;
        self.tell_aside(of, request, Some(&item.effect), aside);
        Ok(())
    }

    async fn retry(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        later: &Later,
    ) -> Result<(), EngineError> {
        let entropy = &*self.inner.ports.entropy;
        let wait = self
            .inner
            .settings
            .wait_after(item.attempt, later.kind, entropy);
        let at = self.now() + wait;
        self.inner.listeners.tell(|| Progress {
            controller: claim.controller.clone(),
            request: claim.request,
            at: self.now(),
            what: Step::Retrying {
                effect: item.effect.clone(),
                code: later.code.clone(),
                at,
            },
        });
        let panics = u32::from(later.panicked);
        self.reschedule(loaded, claim, item, |item| {
            item.at = at;
            item.attempt = item.attempt.saturating_add(1);
            item.panics = item.panics.saturating_add(panics);
            if later.kind == ErrorKind::Busy {
                item.down_since = None;
            }
        })
        .await
    }

    async fn drop_item(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
    ) -> Result<(), EngineError> {
        let mut agenda = loaded.agenda.clone();
        agenda.remove(&item.key);
        self.commit_agenda(loaded, claim, agenda).await
    }

    async fn reschedule(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        change: impl FnOnce(&mut Item),
    ) -> Result<(), EngineError> {
        let mut agenda = loaded.agenda.clone();
        if let Some(item) = agenda.item_mut(&item.key) {
            change(item);
        }
        self.commit_agenda(loaded, claim, agenda).await
    }

    /// Commits a changed agenda; nothing happened to the request itself.
    async fn commit_agenda(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        agenda: super::agenda::Agenda,
    ) -> Result<(), EngineError> {
        let unchanged = crate::workflow::Decision {
            events: Vec::new(),
            effects: Vec::new(),
            timers: Vec::new(),
            locks: Locks::Keep,
            next: loaded.request.clone(),
        };
        self.commit(loaded, unchanged, agenda, Some(claim.fence))
            .await
    }
}

/// Why an effect that was tried to the last counts as failed.
fn last_failure(performed: &Performed) -> Failure {
    match performed {
        Performed::Failed { failure, .. } => failure.clone(),
        Performed::Later(later) if later.panicked => Failure::Broke,
        Performed::Later(_) => Failure::Unavailable,
        _ => Failure::Nonsense,
    }
}

/// What is recorded when an effect has failed for good; `None` for what sweeps.
pub(super) fn failed(effect: &Effect, failure: Failure) -> Option<Command> {
    Some(match effect {
        Effect::Step { task, target, .. } => fulfilment::Command::Answer {
            task: *task,
            target: target.clone(),
            result: Box::new(StepResult::Failed(failure)),
        }
        .into(),
        effect => failed_to_ask(effect, failure)?.into(),
    })
}

/// What is recorded when a letter or a challenge cannot go out.
fn failed_to_ask(effect: &Effect, failure: Failure) -> Option<lifecycle::Command> {
    match effect {
        Effect::Notify(letter) => Some(lifecycle::Command::LetterFailed {
            letter: *letter,
            failure,
        }),
        Effect::Challenge => Some(lifecycle::Command::ChallengeFailed { failure }),
        _ => None,
    }
}

fn pending_of(command: &Command) -> Option<&crate::ports::Pending> {
    match command {
        Command::Work(fulfilment::Command::Answer { result, .. }) => match &**result {
            StepResult::Pending(pending) => Some(pending),
            _ => None,
        },
        Command::Lifecycle(lifecycle::Command::LetterPending { pending, .. }) => Some(pending),
        _ => None,
    }
}
