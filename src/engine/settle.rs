//! Writing down what came of an attempt: from what was performed to the command that says so, and to
//! its commit with the end of the effect.

use crate::model::{Actor, Failure};
use crate::ports::{Claim, ErrorKind, StoreError};
use crate::workflow::{
    Cause, Command, Effect, Rejection, StepResult, Target, fulfilment, lifecycle,
};

use super::Engine;
use super::agenda::Item;
use super::error::EngineError;
use super::perform::{Later, Performed};
use super::progress::{Progress, Step};
use super::requests::Loaded;

impl Engine {
    /// Writes down what came of an attempt. After a conflict it is decided anew on what is stored
    /// then: no outcome is dropped. `false` when the request is gone.
    pub(super) async fn settle(
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
    pub(super) async fn answered_nonsense(
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
    pub(super) async fn decide_under(
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

    /// Whether one more panic is one too many. What sweeps is tried for ever: what must go must go.
    fn is_poison(&self, item: &Item) -> bool {
        let panics = item.panics.saturating_add(1);
        !item.sweeps() && panics >= self.inner.settings.set_aside_after
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
