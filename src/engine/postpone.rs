//! Writing down when an effect that is not done is looked at again, if ever: it is put off, tried
//! again, waits for what goes on outside, is set aside or dropped.

use crate::model::{Actor, Failure};
use crate::ports::{Claim, ErrorKind, Pending};
use crate::workflow::{Cause, Command, Decision, Locks, Request};

use super::Engine;
use super::agenda::{Agenda, Aside, Item};
use super::error::EngineError;
use super::gates::Closed;
use super::guard::PANICKED;
use super::perform::{Later, Performed};
use super::progress::{Progress, Step};
use super::requests::Loaded;

/// The longest handle that a port may give to something *pending*, in bytes.
const MAX_HANDLE: usize = 4096;

/// A decision that changes nothing.
pub(super) fn unchanged(request: Request) -> Decision {
    Decision {
        events: Vec::new(),
        effects: Vec::new(),
        timers: Vec::new(),
        locks: Locks::Keep,
        next: request,
    }
}

impl Engine {
    /// Writes down until when effects wait for somebody who cannot be called now: whoever
    /// works on the request holds it no longer than what else it needs. What was put off for too
    /// long because somebody is down has failed.
    pub(super) async fn put_off(
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

    /// Notes work that goes on outside: an event when it begins to, and when to look again.
    pub(super) async fn wait(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
        pending: &Pending,
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

    pub(super) async fn set_aside_effect(
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

    pub(super) async fn retry(
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

    pub(super) async fn drop_item(
        &self,
        loaded: &mut Loaded,
        claim: &Claim,
        item: &Item,
    ) -> Result<(), EngineError> {
        let mut agenda = loaded.agenda.clone();
        agenda.remove(&item.key);
        self.commit_agenda(loaded, claim, agenda).await
    }

    pub(super) async fn reschedule(
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
        agenda: Agenda,
    ) -> Result<(), EngineError> {
        let unchanged = unchanged(loaded.request.clone());
        self.commit(loaded, unchanged, agenda, Some(claim.fence))
            .await
    }
}
